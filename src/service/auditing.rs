//! What an auditor sees: records without content and without names, checkpoints and proofs (S4).
//!
//! INVARIANT: only the profession `auditor`, in force, opens anything here, and each request has its own record.
//! INVARIANT: lists give times to the minute; the exact body, which a proof needs, is given one record at a time.
//! LAW: L1121-1 code du travail, CNIL. Pseudonyms stand for people; no sum by person is told here, ever: that somebody
//! passed a threshold within an hour is (see `overview`), how often or how far is not, and nobody is ranked.

use chrono::{Datelike, NaiveDate, SubsecRound, Timelike};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::checkpoints::{Made, unproven};
use super::receipts::record_ref;
use super::{Act, App, Call, Desk, ServiceError, WitnessState, witnesses};
use crate::audit::tree::consistency_proof;
use crate::audit::{Disclosed, LeafBody, Pseudonym};
use crate::clock::{Timestamp, plus_days};
use crate::domain::cell::Reason;
use crate::domain::day::day_if_any;
use crate::domain::hours::out_of_hours;
use crate::domain::record::{Action, ResourceKind, RowRef, Verdict};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Function, Profession, Purpose, Secrecy};
use crate::ids::OrganisationId;
use crate::store::log::LogFilter;
use crate::store::organisation::Organisation;

mod exporting;
mod identities;
mod overview;
mod proving;
mod pruning;
mod reidentifying;
mod replaying;
mod report;
mod reviews;
mod watching;
mod words;

pub use exporting::{ExportDays, ExportInput, ExportReading, LogExport, MOST_EXPORTED_DAYS};
pub use identities::{Identity, ReferentName};
pub use overview::{Console, DayCount, Finding, FindingKind};
pub use proving::{MOST_GIVEN, Verification};
pub use pruning::{
    PrunedRecords, PruningDecisionInput, PruningInput, PruningProspect, PruningProspects, PruningView,
    Prunings,
};
pub use reidentifying::{ReidentificationInput, ReidentificationView, Reidentifications, SecondOpinionInput};
pub use replaying::{
    MOST_REPLAYED_DAYS, PeriodReplay, ReplayFinding, ReplayInput, ReplayView, charter_versions,
};
pub use report::{
    Figure, LEAST_COUNT, LEAST_PERSONS, MonthlyReport, ReportCheckpoint, ReportVerification, ReportWitness,
    ReviewFigure,
};
pub use reviews::{ReviewInput, ReviewLine, ReviewPage, ReviewSearch};
pub(super) use words::{moment as record_moment, own_deed};

/// How many records a page has: a quarter of days, sixty structures to choose from and these weigh less than 60 KiB.
pub const RECORDS_A_PAGE: usize = 16;
/// No record is older than the program.
const FIRST_YEAR: i32 = 2026;
/// How many rows are looked at for one page when a filter needs the bodies.
const SCAN: usize = 2000;

/// What an auditor asks for. Codes, pseudonyms and days only.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordSearch {
    /// First day, in Paris.
    #[serde(deserialize_with = "day_if_any")]
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<NaiveDate>,
    /// Last day, in Paris.
    #[serde(deserialize_with = "day_if_any")]
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<NaiveDate>,
    #[schema(value_type = Option<String>)]
    pub organisation: Option<OrganisationId>,
    pub profession: Option<Profession>,
    pub action: Option<Action>,
    pub resource: Option<ResourceKind>,
    /// Pseudonym of an actor, as a record has it.
    pub actor: Option<String>,
    /// Pseudonym of a pathway, as a record has it.
    pub pathway: Option<String>,
    pub purpose: Option<Purpose>,
    pub decision: Option<Verdict>,
    pub category: Option<Category>,
    pub reason: Option<Reason>,
    /// Stable code of a rule that refused.
    pub rule: Option<String>,
    /// Openings only: permitted, and content came before somebody's eyes. A list of items is one, a list of names is none.
    pub openings: bool,
    /// Nights, week-ends and public holidays only, in Paris.
    pub out_of_hours: bool,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// A structure, by the name it has today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OrganisationName {
    #[schema(value_type = String)]
    pub id: OrganisationId,
    pub name: String,
}

/// One record, as an auditor reads it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct RecordLine {
    pub index: u64,
    /// To the minute, UTC.
    pub at: String,
    /// At night, on a day of the week-end or on a public holiday, in Paris.
    pub out_of_hours: bool,
    pub organisation: Option<OrganisationName>,
    pub profession: Option<Profession>,
    pub function: Option<Function>,
    pub secrecy: Option<Secrecy>,
    pub actor: Option<String>,
    pub action: Action,
    pub resource: ResourceKind,
    pub pathway: Option<String>,
    pub categories: Vec<Category>,
    pub purpose: Option<Purpose>,
    pub decision: Verdict,
    pub reasons: Vec<Reason>,
    /// How many objects the decisions were about.
    pub objects: u32,
    /// For how many requests a counting record stands.
    pub count: Option<u32>,
    /// Shared by the records of one request.
    pub request: String,
    /// What happened, in French.
    pub sentence: String,
}

/// A page of records, latest first.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct RecordPage {
    pub items: Vec<RecordLine>,
    /// For the next page; a page may be short, or empty, before the last.
    pub next: Option<String>,
}

/// One record with its exact text.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct RecordWhole {
    #[serde(flatten)]
    pub line: RecordLine,
    /// The canonical body: its leaf hash is SHA-256 of a zero byte and these bytes.
    pub body: String,
    /// Its decisions judged again, on the facts and under the charter that it cites.
    pub replay: ReplayView,
}

/// Where the log stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LogState {
    pub origin: String,
    /// Losses that two people declared, in French: what was attested under which name, and is gone.
    pub losses: Vec<String>,
    /// The key that checks the log's signatures; compare it with the one that you keep.
    pub vkey: String,
    /// The keys that signed before it; their checkpoints still count.
    pub earlier_vkeys: Vec<String>,
    pub size: u64,
    /// Root over `size` records, base64.
    pub root: String,
    /// The size of the last checkpoint kept.
    pub last_checkpoint: Option<u64>,
    /// The time of the last record that it covers, to the minute, UTC.
    pub last_checkpoint_at: Option<String>,
    /// When somebody last asked for a verification of the whole log, to the minute, UTC.
    pub last_verified_at: Option<String>,
    /// When the data was last held against the log, to the minute, UTC.
    pub last_reconciled_at: Option<String>,
    /// How many things did not agree then.
    pub last_reconciled_divergences: Option<u32>,
    /// Technical records with a lower index are pruned: their hashes are there, their bodies are not.
    pub pruned_below: Option<u64>,
    /// The size of the last checkpoint that a witness cosigned.
    pub attested: Option<u64>,
    /// The witnesses that this server asks.
    pub witnesses: Vec<WitnessState>,
}

/// That the log of today continues the log of `from` records.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Consistency {
    pub from: u64,
    /// The size that `checkpoint` signs.
    pub size: u64,
    /// RFC 9162 §2.1.4, base64.
    pub hashes: Vec<String>,
    pub checkpoint: String,
}

pub(super) fn minute(at: Timestamp) -> String {
    let utc = at.utc().trunc_subsecs(0);
    utc.with_second(0).unwrap_or(utc).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn line(index: i64, body: &LeafBody, organisations: &[Organisation]) -> Result<RecordLine, ServiceError> {
    let organisation = body.organisation.as_ref().map(|id| OrganisationName {
        id: id.clone(),
        name: organisations
            .iter()
            .find(|o| o.id == *id)
            .map_or_else(|| "structure inconnue".to_owned(), |o| o.words.name.clone()),
    });
    Ok(RecordLine {
        index: u64::try_from(index).map_err(ServiceError::internal)?,
        at: minute(body.at),
        out_of_hours: out_of_hours(body.at),
        sentence: words::sentence(body, organisation.as_ref().map(|o| o.name.as_str())),
        organisation,
        profession: body.profession,
        function: body.function,
        secrecy: body.secrecy,
        actor: body.actor.as_ref().map(ToString::to_string),
        action: body.action,
        resource: body.resource,
        pathway: body.pathway.as_ref().map(ToString::to_string),
        categories: body.categories.iter().copied().collect(),
        purpose: body.purpose,
        decision: body.decision,
        reasons: body.reasons.clone(),
        objects: body.facts.iter().fold(0, |n, t| n.saturating_add(t.objects)),
        count: body.count,
        request: body.request.to_string(),
    })
}

fn read_body(text: &str) -> Result<LeafBody, ServiceError> {
    LeafBody::parse(text).map_err(|e| ServiceError::Internal(format!("a record does not read back: {e}")))
}

fn row_ref(index: i64) -> RowRef {
    RowRef { table: "audit_leaf", id: index.to_string(), version: 1 }
}

fn pseudonym(field: &'static str, text: Option<&String>) -> Result<Option<String>, ServiceError> {
    match text {
        None => Ok(None),
        Some(text) if Pseudonym::parse(text).is_some() => Ok(Some(text.clone())),
        Some(_) => Err(ServiceError::rule(
            "pseudonym_malformed",
            format!(
                "Le champ `{field}` attend un pseudonyme tel qu'une trace le donne, par exemple 2027d:0a1b…"
            ),
        )),
    }
}

fn no_such_record() -> ServiceError {
    ServiceError::AbsentOrRefused
}

/// The clause of a body that cites a rule.
fn rule_clause(rule: &str) -> Result<String, ServiceError> {
    let code = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !rule.is_empty() && rule.len() <= 80 && rule.bytes().all(code) {
        return Ok(format!("rule={rule}"));
    }
    Err(ServiceError::rule(
        "rule_malformed",
        "Le champ `rule` attend le code d'une règle tel qu'une trace le donne, par exemple second_person_needed.",
    ))
}

impl RecordSearch {
    /// `now` tells how far the years of the log may go.
    fn filter(&self, before: Option<i64>, now: Timestamp) -> Result<LogFilter, ServiceError> {
        if self.out_of_order() {
            return Err(FieldErrors::one("until", EntryError::EndBeforeStart).into());
        }
        let after_last_day =
            self.until.map(|day| plus_days(day, 1).map_or(Timestamp::MAX, Timestamp::paris_midnight));
        let mut filter = LogFilter {
            from: self.from.map(Timestamp::paris_midnight),
            until: after_last_day,
            actor: pseudonym("actor", self.actor.as_ref())?,
            actors: None,
            organisation: self.organisation.as_ref().map(ToString::to_string),
            profession: self.profession.map(|p| p.code().to_owned()),
            action: self.action.map(|a| a.code().to_owned()),
            pathway: pseudonym("pathway", self.pathway.as_ref())?,
            purpose: self.purpose.map(|p| p.code().to_owned()),
            decision: self.decision.map(|d| d.code().to_owned()),
            resource: self.resource.map(|r| r.code().to_owned()),
            listed: Vec::new(),
            openings: self.openings,
            out_of_hours: self.out_of_hours.then(|| (FIRST_YEAR, now.utc().year())),
            before,
        };
        if let Some(category) = self.category {
            filter.listed(category.code());
        }
        if let Some(reason) = self.reason {
            filter.listed(reason.code());
        }
        if let Some(rule) = &self.rule {
            filter.listed(rule_clause(rule)?);
        }
        Ok(filter)
    }

    /// Whether the last day is before the first: « nothing found » would then be no answer.
    #[must_use]
    pub fn out_of_order(&self) -> bool {
        self.from.zip(self.until).is_some_and(|(from, until)| until < from)
    }

    /// What the body itself must say, whatever found it.
    fn wants(&self, body: &LeafBody) -> bool {
        self.category.is_none_or(|c| body.categories.contains(&c))
            && self.resource.is_none_or(|r| body.resource == r)
            && self.reason.is_none_or(|r| {
                body.reasons.contains(&r) || body.facts.iter().any(|t| t.failing.contains(&r))
            })
            && self.rule.as_ref().is_none_or(|r| {
                body.clauses.iter().any(|clause| clause.strip_prefix("rule=") == Some(r.as_str()))
            })
            && (!self.openings || body.opens_content())
            && (!self.out_of_hours || out_of_hours(body.at))
    }

    /// The query that a cursor is bound to: all but the cursor.
    fn fingerprint(&self) -> Result<Vec<u8>, ServiceError> {
        serde_json::to_vec(&Self { cursor: None, ..self.clone() }).map_err(ServiceError::internal)
    }
}

fn as_auditor(desk: &Desk<'_>) -> Result<String, ServiceError> {
    let actor = desk.signed_in.acting_as(Profession::Auditor, desk.now)?;
    Ok(actor.assignment().id.to_string())
}

impl App {
    /// A page of records, latest first.
    ///
    /// # Errors
    /// [`ServiceError`]; a cursor made for another query is a rule.
    pub fn audit_search(
        &self,
        call: &Call,
        act: Act,
        search: &RecordSearch,
    ) -> Result<Disclosed<RecordPage>, ServiceError> {
        self.read_desk(call, act, |desk| {
            let who = as_auditor(desk)?;
            self.search_in(desk, &who, search)
        })
    }

    /// The index that a cursor of this query stands for.
    pub(super) fn index_of(&self, who: &str, query: &[u8], cursor: &str) -> Result<i64, ServiceError> {
        let text = self.cursor_opened(who, query, cursor)?;
        text.parse().map_err(|_| ServiceError::Internal("a cursor without an index".to_owned()))
    }

    /// The cursor of what comes after this index; none at the end of the log.
    pub(super) fn after_index(
        &self,
        who: &str,
        query: &[u8],
        index: Option<i64>,
    ) -> Result<Option<String>, ServiceError> {
        index.filter(|i| *i > 0).map(|i| self.cursor_sealed(who, query, &i.to_string())).transpose()
    }

    fn search_in(
        &self,
        desk: &mut Desk<'_>,
        who: &str,
        search: &RecordSearch,
    ) -> Result<RecordPage, ServiceError> {
        let query = search.fingerprint()?;
        let mut before = match &search.cursor {
            None => None,
            Some(cursor) => Some(self.index_of(who, &query, cursor)?),
        };
        let organisations = desk.snapshot.organisations()?;
        let (mut items, mut seen, mut more) = (Vec::new(), 0_usize, true);
        while more && items.len() < RECORDS_A_PAGE && seen < SCAN {
            let rows = desk.snapshot.log_page(&search.filter(before, desk.now)?, 200)?;
            more = rows.len() == 200;
            for (index, text) in &rows {
                seen = seen.saturating_add(1);
                before = Some(*index);
                let body = read_body(text)?;
                if search.wants(&body) {
                    items.push(line(*index, &body, &organisations)?);
                    desk.returned.push(row_ref(*index));
                    if items.len() == RECORDS_A_PAGE {
                        more = true;
                        break;
                    }
                }
            }
        }
        let next = self.after_index(who, &query, before.filter(|_| more))?;
        Ok(RecordPage { items, next })
    }

    /// One record with its body.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn audit_record(
        &self,
        call: &Call,
        act: Act,
        index: u64,
    ) -> Result<Disclosed<RecordWhole>, ServiceError> {
        self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            let index = i64::try_from(index).map_err(|_| no_such_record())?;
            let body = pruning::body_or_told(desk.snapshot, index)?;
            let organisations = desk.snapshot.organisations()?;
            desk.returned.push(row_ref(index));
            let read = read_body(&body)?;
            let replay = replaying::replay(desk.book, &read);
            Ok(RecordWhole { line: line(index, &read, &organisations)?, body, replay })
        })
    }

    /// The offline receipt of one record, which it carries.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn audit_proof(&self, call: &Call, act: Act, index: u64) -> Result<Disclosed<String>, ServiceError> {
        let taken = self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            pruning::body_or_told(desk.snapshot, i64::try_from(index).map_err(|_| no_such_record())?)?;
            let taken = self.receipt_in(desk.snapshot, index)?;
            desk.returned.push(record_ref(index));
            Ok(taken)
        })?;
        self.keep_receipt(taken)
    }

    /// The last checkpoint that a witness cosigned, with its cosignatures; where no witness saw the log of late, that of
    /// the log as it was just before this request's own record.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn audit_checkpoint(&self, call: &Call, act: Act) -> Result<Disclosed<String>, ServiceError> {
        let made = self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            let states = self.witness_states(desk.snapshot, desk.now)?;
            if states.iter().any(|state| !state.late && state.contradicts.is_none())
                && let Some(signed) = witnesses::attested(desk.snapshot)?
            {
                return Ok(Made { signed, fresh: false });
            }
            self.checkpoint_in(desk.snapshot)
        })?;
        self.checkpoint_keep(&made)?;
        Ok(made.map(|m| m.signed.to_string()))
    }

    /// That the log continues the one of `from` records, with the checkpoint to compare with.
    ///
    /// # Errors
    /// [`ServiceError`]; a size of zero or beyond the end is a rule.
    pub fn audit_consistency(
        &self,
        call: &Call,
        act: Act,
        from: u64,
    ) -> Result<Disclosed<Consistency>, ServiceError> {
        let answer = self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            let made = self.checkpoint_in(desk.snapshot)?;
            let size = made.signed.claims().size();
            if from == 0 || from > size {
                return Err(ServiceError::rule(
                    "consistency_size",
                    format!("`from` attend la taille d'un point de contrôle, entre 1 et {size}."),
                ));
            }
            let hashes = consistency_proof(from, size, desk.snapshot).map_err(unproven)?;
            let consistency = Consistency {
                from,
                size,
                hashes: hashes.iter().map(|h| BASE64.encode(h)).collect(),
                checkpoint: made.signed.to_string(),
            };
            Ok((consistency, made))
        })?;
        self.checkpoint_keep(&answer.1)?;
        Ok(answer.map(|(consistency, _)| consistency))
    }

    /// Where the log stands, and the key that checks it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn audit_state(&self, call: &Call, act: Act) -> Result<Disclosed<LogState>, ServiceError> {
        self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            proving::state(desk)
        })
    }
}

#[cfg(test)]
mod tests;
