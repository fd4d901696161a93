//! Pruning of the log: one person asks, another decides, and the records that are past their time lose their body, their
//! searchable copy and their sealed detail. Their hashes stay, and with them every proof, receipt and checkpoint.
//!
//! LAW §6, SECURITY §1. Both are auditors or data protection officers in force: nobody who runs the service can prune alone
//! what it did. The period is the charter's, never less than the law's.
//!
//! The erasing itself is `erasing`.
//!
//! INVARIANT: a destroyed key of pseudonyms lives on in no process (`App::pseudonym_key_of`).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use erasing::PrunedRecords;

use super::reidentifying::second_person;
use super::{minute, no_such_record, read_body};
use crate::access::facts::AssignmentFacts;
use crate::audit::Disclosed;
use crate::audit::lane::{Job, LaneError, Priority};
use crate::audit::prune::{Cover, Request};
use crate::audit::verify::LogReader;
use crate::clock::Timestamp;
use crate::crypto::keyring::KeyOwner;
use crate::domain::day::{Day, french_date};
use crate::domain::pruning::{
    DECISION_DAYS, Pruning, PruningError, PruningOpinion, PruningState, latest_day, limit, year_over,
};
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::domain::text::Paragraph;
use crate::ids::{PruningId, RequestId};
use crate::service::who::{Names, Who};
use crate::service::{Act, App, Call, Change, Created, Desk, ServiceError};
use crate::store::pruning::{
    NewPruning, NewPruningDecision, PruningScope, StoredPruning, pruning_decision_ref, pruning_ref,
};
use crate::store::{Snapshot, StoreError, WriteTx};

/// LAW §6: the longest that a charter may keep technical records; where no charter is in force, nothing shorter is known.
const LONGEST_MONTHS: u32 = 36;

/// What is asked, and why.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PruningInput {
    pub class: RetentionClass,
    /// The records of before this day, in Paris.
    pub before: Day,
    /// Facts only: neither a name nor a content.
    pub reason: Paragraph<600>,
}

/// What the second person says.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PruningDecisionInput {
    pub outcome: PruningOpinion,
    /// Why, in writing.
    pub remark: Paragraph<600>,
}

/// What is past its time, by the charter of today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PruningProspect {
    pub class: RetentionClass,
    /// How long the charter keeps these records.
    pub months: u32,
    /// The latest day, in Paris, before which they may be pruned.
    #[schema(value_type = String, format = Date)]
    pub before: NaiveDate,
    /// How many records of before that day still have their body.
    pub records: u64,
}

/// What may be asked for, class by class; a class that is never pruned is not in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PruningProspects {
    pub items: Vec<PruningProspect>,
}

/// One request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PruningView {
    #[schema(value_type = String)]
    pub id: PruningId,
    pub class: RetentionClass,
    /// Records older than this day, in Paris.
    #[schema(value_type = String, format = Date)]
    pub before: NaiveDate,
    /// How many records it covers, from which index to which.
    pub records: u64,
    pub first: u64,
    pub last: u64,
    /// How many of them still have their body.
    pub left: u64,
    /// Of a request that waits: until when a second person can decide.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    #[schema(format = DateTime)]
    pub asked_at: String,
    pub asked_by: Who,
    pub mine: bool,
    pub reason: String,
    pub state: PruningState,
    pub may_decide: bool,
    pub decided_by: Option<Who>,
    pub remark: Option<String>,
}

/// Requests, the latest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Prunings {
    pub items: Vec<PruningView>,
}

fn rule(code: &'static str, sentence: impl Into<String>) -> ServiceError {
    ServiceError::rule(code, sentence.into())
}

/// Two requests for the same records at once.
fn running() -> ServiceError {
    rule(
        "pruning_running",
        "Un autre élagage est en cours : voyez la liste des demandes, et décidez quand il est fini.",
    )
}

fn told(error: PruningError) -> ServiceError {
    match error {
        PruningError::OnePerson => ServiceError::internal(error),
        PruningError::OwnRequest => rule(
            "pruning_own",
            "On ne décide pas de sa propre demande : demandez au délégué à la protection des données ou à un autre auditeur.",
        ),
        PruningError::State(PruningState::Lapsed) => rule(
            "pruning_lapsed",
            format!(
                "Personne n'a décidé en {DECISION_DAYS} jours, ou avant la fin de l'année : cette demande est close. Faites-en une autre."
            ),
        ),
        PruningError::State(state) => {
            rule("pruning_decided", format!("Cette demande a déjà sa réponse (« {} »).", state.french()))
        }
    }
}

fn number(n: i64) -> Result<u64, ServiceError> {
    u64::try_from(n).map_err(ServiceError::internal)
}

/// A request, as every record of it cites it.
fn request(id: &PruningId, scope: &PruningScope) -> Result<Request, ServiceError> {
    Ok(Request {
        id: id.clone(),
        class: scope.class,
        first: number(scope.bounds.first)?,
        last: number(scope.bounds.last)?,
        before: scope.before,
    })
}

/// How many records the log says are erased, by the mark of the request.
fn erased_by_request(snapshot: &mut Snapshot) -> Result<BTreeMap<String, u64>, ServiceError> {
    let mut erased: BTreeMap<String, u64> = BTreeMap::new();
    for (_, text) in snapshot.prunings()? {
        if let Some(cover) = Cover::of(&read_body(&text)?) {
            let sum = erased.entry(cover.request.mark()).or_default();
            *sum = sum.saturating_add(u64::from(cover.count));
        }
    }
    Ok(erased)
}

/// How many records of a request still have their body. What another request erased is not left either.
fn left_of(
    snapshot: &mut Snapshot,
    row: &StoredPruning,
    erased: &BTreeMap<String, u64>,
) -> Result<u64, ServiceError> {
    let done = erased.get(&request(&row.id, &row.scope)?.mark()).copied().unwrap_or_default();
    let left = number(row.scope.bounds.records)?.saturating_sub(done);
    let (class, bounds) = (row.scope.class, row.scope.bounds);
    let mut none = || snapshot.prunable_between(class, bounds.first.saturating_sub(1), bounds.last, 1);
    Ok(if left > 0 && none()?.is_empty() { 0 } else { left })
}

/// The body of a record; of one that is pruned, that it is, in a sentence.
pub(super) fn body_or_told(snapshot: &mut Snapshot, index: i64) -> Result<String, ServiceError> {
    if let Some(body) = snapshot.log_body(index)? {
        return Ok(body);
    }
    if snapshot.log_is_pruned(index)? {
        return Err(rule(
            "record_pruned",
            format!(
                "La trace n° {index} a été élaguée au terme de sa durée de conservation : son contenu est effacé, son \
                 empreinte reste. Un reçu pris avant se vérifie toujours."
            ),
        ));
    }
    Err(no_such_record())
}

/// What of the log is pruned already: technical records below this index, older than this moment.
pub(super) fn pruned_below(snapshot: &mut Snapshot) -> Result<Option<(u64, Timestamp)>, ServiceError> {
    let mut furthest = None;
    for (_, text) in snapshot.prunings()? {
        if let Some(cover) = Cover::of(&read_body(&text)?) {
            furthest = furthest.max(Some((cover.last.saturating_add(1), cover.request.before)));
        }
    }
    Ok(furthest)
}

impl App {
    /// The first moment that is too recent to be pruned, and after how many months; nothing for a class that never is.
    fn pruning_limit(
        &self,
        snapshot: &mut Snapshot,
        class: RetentionClass,
        now: Timestamp,
    ) -> Result<Option<(Timestamp, u32)>, ServiceError> {
        // The guard of the database compares with the last record, which may be a while ago.
        let last = snapshot.log_last_time()?.unwrap_or(now).min(now);
        // A charter may have come into force since: the longer of the two.
        let months = self.technical_months(snapshot, last)?.max(self.technical_months(snapshot, now)?);
        Ok(limit(class, months, last).map(|limit| (limit, months)))
    }

    /// How many months the charter in force keeps technical records.
    fn technical_months(&self, snapshot: &mut Snapshot, now: Timestamp) -> Result<u32, ServiceError> {
        let book = self.book(snapshot)?;
        Ok(book.in_force(now).map_or(LONGEST_MONTHS, |e| e.charter.sheet().retention.technical_log_months))
    }

    /// Where a request stands, with who asked and who decided.
    fn pruning_standing(
        snapshot: &mut Snapshot,
        row: &StoredPruning,
        erased: &BTreeMap<String, u64>,
    ) -> Result<(Pruning, AssignmentFacts, Option<AssignmentFacts>), ServiceError> {
        let mut by = |id: &_| {
            let found = snapshot.assignment_fetch(id)?;
            found
                .map(|row| row.facts)
                .ok_or_else(|| ServiceError::Internal("a pruning of nobody's".to_owned()))
        };
        let asker = by(&row.by)?;
        let second = row.decision.as_ref().map(|d| by(&d.by)).transpose()?;
        let decided = row.decision.as_ref().zip(second.as_ref());
        let left = left_of(snapshot, row, erased)? > 0;
        let pruning = Pruning::new(
            (asker.professional.clone(), row.at),
            decided.map(|(d, who)| (d.outcome, who.professional.clone())),
            left,
        )
        .map_err(told)?;
        Ok((pruning, asker, second))
    }

    /// Asks that the records of a class of before a day be pruned.
    ///
    /// # Errors
    /// [`ServiceError`]; before their time, or where there is nothing to prune, a rule.
    pub fn pruning_ask(&self, call: &Call, input: &PruningInput) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::Pruning };
        self.change_desk(call, act, |desk| {
            let me = second_person(desk)?;
            let scope = self.pruning_scope(desk, input)?;
            let key = self.store.instance_key();
            let seen = desk.snapshot.prunings_seen()?;
            let erased = erased_by_request(desk.snapshot)?;
            for earlier in desk.snapshot.prunings_asked(key)? {
                let (standing, _, _) = Self::pruning_standing(desk.snapshot, &earlier, &erased)?;
                if earlier.scope.class == scope.class && standing.state(desk.now).runs() {
                    return Err(running());
                }
            }
            let reason = input.reason.as_str();
            let row = NewPruning::seal(key, self.chance(), scope, reason, (desk.now, me.id))?;
            desk.motive = Some(reason.to_owned());
            desk.cites.push(request(&row.id, &scope)?.mark());
            let (name, ciphertext) = (pruning_ref(&row.id), row.ciphertext().to_vec());
            Ok(Change::new(row.id.as_str())
                .sealed_step(name, &ciphertext, move |tx, _| tx.pruning_insert(&row, seen)))
        })
    }

    fn pruning_scope(&self, desk: &mut Desk<'_>, input: &PruningInput) -> Result<PruningScope, ServiceError> {
        let before = Timestamp::paris_midnight(input.before.date());
        self.pruning_due(desk, input.class, before)?;
        let bounds = desk
            .snapshot
            .prunable(input.class, before)?
            .ok_or_else(|| rule("pruning_nothing", "Il n'y a aucune trace à élaguer avant ce jour."))?;
        Ok(PruningScope { class: input.class, before, bounds })
    }

    /// That the records of a class of before this moment are past their time, by the charter of today.
    fn pruning_due(
        &self,
        desk: &mut Desk<'_>,
        class: RetentionClass,
        before: Timestamp,
    ) -> Result<(), ServiceError> {
        let Some((limit, months)) = self.pruning_limit(desk.snapshot, class, desk.now)? else {
            return Err(rule(
                "pruning_never",
                "Les traces de consultation et d'accord vivent aussi longtemps que le parcours, puis sont archivées : cette version n'en élague aucune.",
            ));
        };
        if before > limit {
            return Err(rule(
                "pruning_early",
                format!(
                    "Ces traces se gardent {months} mois : on ne peut élaguer que celles d'avant le {}.",
                    french_date(latest_day(limit))
                ),
            ));
        }
        Ok(())
    }

    /// Confirms or refuses a request, as the second person. What is confirmed is pruned by [`App::prune_confirmed`].
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn pruning_decide(
        &self,
        call: &Call,
        id: &PruningId,
        input: &PruningDecisionInput,
    ) -> Result<Created, ServiceError> {
        let action = match input.outcome {
            PruningOpinion::Confirmed => Action::Confirm,
            PruningOpinion::Refused => Action::Decline,
        };
        let act = Act { action, resource: ResourceKind::Pruning };
        self.change_desk(call, act, |desk| {
            let me = second_person(desk)?;
            let key = self.store.instance_key();
            let seen = desk.snapshot.prunings_seen()?;
            let rows = desk.snapshot.prunings_asked(key)?;
            let row = rows.iter().find(|row| row.id == *id).ok_or(ServiceError::AbsentOrRefused)?;
            let erased = erased_by_request(desk.snapshot)?;
            let (standing, _, _) = Self::pruning_standing(desk.snapshot, row, &erased)?;
            standing.accepts_decision(&me.professional, desk.now).map_err(told)?;
            match input.outcome {
                PruningOpinion::Confirmed => {
                    // LAW §6: a charter may have come that keeps them longer than when that was asked.
                    self.pruning_due(desk, row.scope.class, row.scope.before)?;
                    for other in rows.iter().filter(|o| o.id != row.id && o.scope.class == row.scope.class) {
                        let (standing, _, _) = Self::pruning_standing(desk.snapshot, other, &erased)?;
                        if standing.state(desk.now) == PruningState::Running {
                            return Err(running());
                        }
                    }
                }
                PruningOpinion::Refused => {}
            }
            let remark = input.remark.as_str();
            let step = NewPruningDecision::seal(
                key,
                self.chance(),
                id.clone(),
                (input.outcome, remark),
                (desk.now, me.id),
            )?;
            desk.motive = Some(remark.to_owned());
            desk.cites.push(request(id, &row.scope)?.mark());
            let (name, ciphertext) = (pruning_decision_ref(id), step.ciphertext().to_vec());
            Ok(Change::new(id.as_str())
                .sealed_step(name, &ciphertext, move |tx, _| tx.pruning_decide(&step, seen)))
        })
    }

    /// What is past its time and could be asked for today.
    ///
    /// # Errors
    /// Refused to anybody but auditors and data protection officers.
    pub fn pruning_prospects(&self, call: &Call) -> Result<Disclosed<PruningProspects>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Pruning };
        self.read_desk(call, act, |desk| {
            second_person(desk)?;
            let mut items = Vec::new();
            for class in RetentionClass::ALL {
                let Some((limit, months)) = self.pruning_limit(desk.snapshot, *class, desk.now)? else {
                    continue;
                };
                let before = latest_day(limit);
                let bounds = desk.snapshot.prunable(*class, Timestamp::paris_midnight(before))?;
                let records = bounds.map_or(Ok(0), |bounds| number(bounds.records))?;
                items.push(PruningProspect { class: *class, months, before, records });
            }
            Ok(PruningProspects { items })
        })
    }

    /// The requests, the latest first.
    ///
    /// # Errors
    /// Refused to anybody but auditors and data protection officers.
    pub fn prunings(&self, call: &Call) -> Result<Disclosed<Prunings>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Pruning };
        self.read_desk(call, act, |desk| {
            let me = second_person(desk)?;
            let mut names = Names::default();
            let mut items = Vec::new();
            let erased = erased_by_request(desk.snapshot)?;
            for row in desk.snapshot.prunings_asked(self.store.instance_key())? {
                let (standing, asker, second) = Self::pruning_standing(desk.snapshot, &row, &erased)?;
                let state = standing.state(desk.now);
                desk.returned.push(pruning_ref(&row.id));
                items.push(PruningView {
                    class: row.scope.class,
                    before: row.scope.before.paris_day(),
                    records: number(row.scope.bounds.records)?,
                    first: number(row.scope.bounds.first)?,
                    last: number(row.scope.bounds.last)?,
                    left: left_of(desk.snapshot, &row, &erased)?,
                    until: (state == PruningState::Waiting).then(|| minute(standing.lapses_at())),
                    mine: asker.professional == me.professional,
                    asked_at: minute(row.at),
                    asked_by: names.who(desk.snapshot, &asker)?,
                    state,
                    may_decide: standing.accepts_decision(&me.professional, desk.now).is_ok(),
                    decided_by: second.map(|s| names.who(desk.snapshot, &s)).transpose()?,
                    remark: row.decision.map(|d| d.remark),
                    reason: row.reason,
                    id: row.id,
                });
            }
            Ok(Prunings { items })
        })
    }

    /// Destroys the keys of pseudonyms of the years that are over, each with its record; how many.
    ///
    /// What was linked by them is linked by nothing any more: searches by pseudonym, own acts and identities of such a
    /// year find nothing.
    ///
    /// # Errors
    /// The database's, or the lane's.
    pub fn forget_years(&self, now: Timestamp) -> Result<u64, ServiceError> {
        let mut snapshot = self.store().snapshot()?;
        let months = self.technical_months(&mut snapshot, now)?;
        let oldest = snapshot.oldest_living_pathway()?;
        let over = |class: RetentionClass, year: i32| {
            let past = year_over(class, year, months).is_some_and(|end| end <= now);
            // LAW §6: disclosures as long as the pathway lives. One opened before the year was over is in its records.
            let ended = year_over(RetentionClass::Technical, year, 0);
            let lived = ended.is_none_or(|end| oldest.is_some_and(|opened| opened < end));
            past && (class == RetentionClass::Technical || !lived)
        };
        let years: Vec<_> =
            snapshot.pseudonym_years()?.into_iter().filter(|(class, year)| over(*class, *year)).collect();
        drop(snapshot);
        let mut done = 0_u64;
        for (class, year) in years {
            if self.forget_year(class, year)? {
                done = done.saturating_add(1);
            }
        }
        if done > 0 {
            self.empty_journal()?;
        }
        Ok(done)
    }

    fn forget_year(&self, class: RetentionClass, year: i32) -> Result<bool, ServiceError> {
        let mut draft = RecordDraft::new(
            RequestId::random(self.chance())?,
            RetentionClass::Disclosure,
            Action::Erase,
            ResourceKind::Instance,
            Verdict::Permit,
        );
        draft.basis = vec![format!("pseudonyms:{}:{year}", class.code())];
        draft.motive = Some(format!("durée de conservation : pseudonymes de {year} ({})", class.french()));
        let job = Job::new(self.prepare(&draft, None)?);
        let owner = KeyOwner::Pseudonyms { class, year };
        let done = self
            .lane()
            .submit(Priority::Session, job, move |tx: &mut WriteTx, at| tx.key_destroy(&owner, at));
        match done.wait() {
            Ok(_) => Ok(true),
            Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

mod erasing;

#[cfg(test)]
mod tests;
