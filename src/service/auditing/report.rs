//! The report of one month: figures, what waits, whether the log holds, and the checkpoint over the month; as a page, and
//! as a text signed with the log's key, which can be checked without this program.
//!
//! INVARIANT: only of a month that is over, so that its figures never change; what waits and what was verified is as of
//! the moment that the report names.
//! INVARIANT: no content, no name, no pseudonym.
//! LAW: L1121-1 code du travail. No figure by structure, profession, purpose or reason stands for fewer than
//! [`LEAST_PERSONS`] persons or [`LEAST_COUNT`] acts: smaller ones are told together, and so that nothing can be
//! worked out from the sum (see `figures`).

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Serialize;

use super::pruning::pruned_below;
use super::reviews::{belongs, waits};
use super::{as_auditor, minute, read_body, watching};
use crate::audit::note::Note;
use crate::audit::verify::verify;
use crate::audit::{Disclosed, LeafBody, Sealed, SignedCheckpoint};
use crate::clock::Timestamp;
use crate::domain::cell::Reason;
use crate::domain::day::Month;
use crate::domain::emergency::REVIEW_HOURS;
use crate::domain::hours::out_of_hours;
use crate::domain::record::{Action, ResourceKind, ReviewKind, Verdict};
use crate::service::checkpoints::{broken, log_name, signers};
use crate::service::witnesses::with_lines;
use crate::service::{Act, App, Call, ServiceError};
use crate::store::Snapshot;

mod figures;
mod text;

pub use figures::{Figure, LEAST_COUNT, LEAST_PERSONS};

use figures::Groups;

/// How many records are read at once.
const READ: i64 = 512;
/// An access that is not an emergency is looked at within this time.
const REVIEW_DAYS: i64 = 30;

/// Accesses of the month that an auditor looks at one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReviewFigure {
    pub kind: ReviewKind,
    /// How many there were in the month.
    pub accesses: u64,
    /// How many of them nobody looked at, or need a follow-up.
    pub waiting: u64,
    /// How many of these wait for too long.
    pub overdue: u64,
}

/// A witness that cosigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReportWitness {
    pub name: String,
    /// By its own clock, to the minute, UTC.
    pub at: String,
}

/// The earliest checkpoint over the whole month; where witnesses cosigned one, the earliest of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReportCheckpoint {
    pub size: u64,
    /// Base64.
    pub root: String,
    pub witnesses: Vec<ReportWitness>,
}

/// What a verification of the whole log found when the report was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReportVerification {
    pub holds: bool,
    pub records: u64,
    /// The first thing that does not hold, in French.
    pub failure: Option<String>,
    /// Losses that two people declared, of any month, in French.
    pub losses: Vec<String>,
}

/// One month of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MonthlyReport {
    /// `2027-03`.
    pub month: String,
    /// « mars 2027 ».
    pub month_said: String,
    /// The log's name.
    pub origin: String,
    /// To the minute, UTC.
    pub made_at: String,
    pub records: u64,
    /// Index of its first record.
    pub first: Option<u64>,
    pub last: Option<u64>,
    pub permitted: u64,
    pub refused: u64,
    pub failed: u64,
    /// Records by which content was put before somebody's eyes.
    pub openings: u64,
    pub by_organisation: Vec<Figure>,
    pub by_profession: Vec<Figure>,
    pub by_purpose: Vec<Figure>,
    pub refusals_by_reason: Vec<Figure>,
    /// Openings at night, on a week-end or on a public holiday.
    pub openings_out_of_hours: u64,
    /// Openings that the law provides for, without an accord.
    pub openings_by_statute: u64,
    pub emergencies: u64,
    pub sign_in_failures: u64,
    pub reviews: Vec<ReviewFigure>,
    /// Emergencies of any month whose review by the officer is late.
    pub emergency_reviews_late: u64,
    pub checkpoint: Option<ReportCheckpoint>,
    pub verification: ReportVerification,
}

/// What is being counted.
#[derive(Default)]
struct Counting {
    records: u64,
    first: Option<i64>,
    last: Option<i64>,
    decisions: BTreeMap<Verdict, u64>,
    openings: u64,
    organisations: Groups,
    professions: Groups,
    purposes: Groups,
    reasons: Groups,
    out_of_hours: u64,
    statute: u64,
    emergencies: u64,
    sign_in_failures: u64,
    reviews: BTreeMap<ReviewKind, (u64, u64, u64)>,
}

fn one_more(count: &mut u64) {
    *count = count.saturating_add(1);
}

impl Counting {
    fn record(&mut self, index: i64, body: &LeafBody) {
        one_more(&mut self.records);
        self.first.get_or_insert(index);
        self.last = Some(index);
        one_more(self.decisions.entry(body.decision).or_default());
        let who = body.actor.as_ref();
        if body.opens_content() {
            one_more(&mut self.openings);
            if let Some(organisation) = &body.organisation {
                self.organisations.add(organisation.as_str(), who);
            }
            if let Some(profession) = body.profession {
                self.professions.add(profession.code(), who);
            }
            self.purposes.add(body.purpose.map_or("", |p| p.code()), who);
            if out_of_hours(body.at) {
                one_more(&mut self.out_of_hours);
            }
            if body.reasons.contains(&Reason::Statute) {
                one_more(&mut self.statute);
            }
        }
        if body.decision == Verdict::Deny {
            for reason in &body.reasons {
                self.reasons.add(reason.code(), who);
            }
        }
        let permitted = body.decision == Verdict::Permit;
        if belongs(ReviewKind::Emergency, body) {
            one_more(&mut self.emergencies);
        }
        if !permitted && body.action == Action::SignIn {
            let times = body.count.map_or(1, u64::from);
            self.sign_in_failures = self.sign_in_failures.saturating_add(times);
        }
    }

    fn review(&mut self, kind: ReviewKind, at: Timestamp, waiting: bool, now: Timestamp) {
        let (accesses, waits, overdue) = self.reviews.entry(kind).or_default();
        one_more(accesses);
        if waiting {
            one_more(waits);
            let hours = match kind {
                ReviewKind::Emergency => REVIEW_HOURS,
                ReviewKind::Statute | ReviewKind::OutOfHours => REVIEW_DAYS.saturating_mul(24),
            };
            if at.plus_seconds(hours.saturating_mul(3600)) <= now {
                one_more(overdue);
            }
        }
    }
}

/// The earliest checkpoint over `size` records, with what witnesses said of it.
fn checkpoint(snapshot: &mut Snapshot, size: u64) -> Result<Option<ReportCheckpoint>, ServiceError> {
    let found = match snapshot.checkpoint_covering(size, true)? {
        Some(cosigned) => Some(cosigned),
        None => snapshot.checkpoint_covering(size, false)?,
    };
    let Some(found) = found else { return Ok(None) };
    let signed = SignedCheckpoint::parse(&found.note).map_err(broken)?;
    let size = signed.claims().size();
    let stored = snapshot.cosignatures(size)?;
    let name = |key: &str| key.split('+').next().unwrap_or_default().to_owned();
    let witnesses =
        stored.iter().map(|c| ReportWitness { name: name(&c.witness), at: minute(c.at) }).collect();
    let signed = with_lines(signed, &stored)?;
    Ok(Some(ReportCheckpoint { size, root: BASE64.encode(signed.claims().root()), witnesses }))
}

fn index(index: i64) -> Result<u64, ServiceError> {
    u64::try_from(index).map_err(ServiceError::internal)
}

impl App {
    /// The figures of a month that is over.
    fn report_in(
        &self,
        snapshot: &mut Snapshot,
        now: Timestamp,
        month: Month,
    ) -> Result<MonthlyReport, ServiceError> {
        let (from, until) = (month.first_day(), month.next().first_day());
        let (from, until) = (Timestamp::paris_midnight(from), Timestamp::paris_midnight(until));
        if now < until {
            return Err(ServiceError::rule(
                "month_not_over",
                format!(
                    "Ce mois n'est pas fini ({}) : son rapport se fait à partir du 1er {}.",
                    month.french(),
                    month.next().french()
                ),
            ));
        }
        if pruned_below(snapshot)?.is_some_and(|(_, before)| before > from) {
            return Err(ServiceError::rule(
                "month_pruned",
                "Des traces de ce mois ont été élaguées au terme de leur durée de conservation : ses nombres ne peuvent plus être recomptés. Le rapport signé que vous avez gardé vaut toujours.",
            ));
        }
        let mut counting = Counting::default();
        if let Some((first, last)) = snapshot.log_extent(Some(from), Some(until))? {
            let mut after = first.saturating_sub(1);
            loop {
                let rows = snapshot.log_slice(after, last, READ)?;
                let Some((end, _)) = rows.last() else { break };
                after = *end;
                let mut queue: Vec<(i64, Timestamp, ReviewKind)> = Vec::new();
                for (index, text) in &rows {
                    let body = read_body(text)?;
                    counting.record(*index, &body);
                    let kinds = ReviewKind::ALL.iter().filter(|kind| belongs(**kind, &body));
                    queue.extend(kinds.map(|kind| (*index, body.at, *kind)));
                }
                let indexes: Vec<i64> = queue.iter().map(|(index, _, _)| *index).collect();
                let looks = snapshot.access_reviews(self.store.instance_key(), &indexes)?;
                for (index, at, kind) in queue {
                    counting.review(kind, at, waits(looks.get(&index)), now);
                }
            }
        }
        let late = watching::emergencies(snapshot, now)?.len();
        let name = log_name(snapshot)?;
        let found = verify(snapshot, &name.trust(None), &mut |_| {})?;
        let covered = counting.last.map(index).transpose()?;
        let checkpoint = match covered {
            Some(last) => checkpoint(snapshot, last.saturating_add(1))?,
            None => None,
        };
        let organisations = snapshot.organisations()?;
        let organisation = |id: &str| {
            let known = organisations.iter().find(|o| o.id.as_str() == id);
            known.map_or_else(|| "Structure inconnue".to_owned(), |o| o.words.name.clone())
        };
        let decided = |verdict: Verdict| counting.decisions.get(&verdict).copied().unwrap_or_default();
        let reviews = ReviewKind::ALL.iter().map(|kind| {
            let (accesses, waiting, overdue) = counting.reviews.get(kind).copied().unwrap_or_default();
            ReviewFigure { kind: *kind, accesses, waiting, overdue }
        });
        Ok(MonthlyReport {
            month: month.to_string(),
            month_said: month.french(),
            origin: name.origin,
            made_at: minute(now),
            records: counting.records,
            first: counting.first.map(index).transpose()?,
            last: covered,
            permitted: decided(Verdict::Permit),
            refused: decided(Verdict::Deny),
            failed: decided(Verdict::Failed),
            openings: counting.openings,
            by_organisation: counting.organisations.told(&organisation),
            by_profession: counting.professions.told(&figures::profession),
            by_purpose: counting.purposes.told(&figures::purpose),
            refusals_by_reason: counting.reasons.told(&figures::reason),
            openings_out_of_hours: counting.out_of_hours,
            openings_by_statute: counting.statute,
            emergencies: counting.emergencies,
            sign_in_failures: counting.sign_in_failures,
            reviews: reviews.collect(),
            emergency_reviews_late: u64::try_from(late).unwrap_or(u64::MAX),
            checkpoint,
            verification: ReportVerification {
                holds: found.holds(),
                records: found.records,
                failure: found.failure.map(|f| f.to_string()),
                losses: found.gaps.iter().map(ToString::to_string).collect(),
            },
        })
    }

    /// The report as a note signed by every key that signs for the log today.
    fn report_signed(&self, snapshot: &mut Snapshot, report: &MonthlyReport) -> Result<String, ServiceError> {
        let name = log_name(snapshot)?;
        let mut note: Option<Note> = None;
        for signer in signers(&self.store, snapshot, &name)? {
            let next = match note {
                None => Note::sign(text::of(report), &name.origin, &signer.key),
                Some(note) => note.and_sign(&name.origin, &signer.key),
            };
            note = Some(next.map_err(broken)?);
        }
        let note = note.ok_or_else(|| ServiceError::Internal("the instance has no log key".to_owned()))?;
        Ok(note.to_string())
    }

    /// The report of a month that is over.
    ///
    /// # Errors
    /// [`ServiceError`]; a month that is not over is a rule.
    pub fn audit_report(
        &self,
        call: &Call,
        act: Act,
        month: Month,
    ) -> Result<Disclosed<MonthlyReport>, ServiceError> {
        self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            desk.cites = cites(month);
            self.report_in(desk.snapshot, desk.now, month)
        })
    }

    /// The same as a signed note, to be kept and to be checked without this program.
    ///
    /// # Errors
    /// As [`App::audit_report`].
    pub fn audit_report_note(
        &self,
        call: &Call,
        act: Act,
        month: Month,
    ) -> Result<Disclosed<String>, ServiceError> {
        self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            desk.cites = cites(month);
            let report = self.report_in(desk.snapshot, desk.now, month)?;
            self.report_signed(desk.snapshot, &report)
        })
    }

    /// [`App::audit_report_note`] for whoever has the instance's key on the machine itself; recorded too.
    ///
    /// # Errors
    /// As [`App::audit_report`].
    pub fn report_here(&self, month: Month) -> Result<Disclosed<String>, ServiceError> {
        let mut snapshot = self.store.snapshot()?;
        let report = self.report_in(&mut snapshot, self.clock.now(), month)?;
        let note = self.report_signed(&mut snapshot, &report)?;
        drop(snapshot);
        let act = Act { action: Action::Export, resource: ResourceKind::MonthlyReport };
        self.disclose_here(act, cites(month), Sealed::seal(note))
    }
}

fn cites(month: Month) -> Vec<String> {
    vec![format!("month={month}")]
}

#[cfg(test)]
mod tests;
