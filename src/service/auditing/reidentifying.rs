//! Re-identification (S4): an auditor asks whom a pseudonym stands for, a second person confirms or refuses, the asker
//! reads the answer, once. Each of the three has its own record.
//!
//! LAW §6, SECURITY §1: a motivated two-person act. The second person is a data protection officer or another auditor, in
//! force, whom the record does not concern.
//!
//! INVARIANT: nothing of the answer is worked out before it is read, and it is kept nowhere: whoever lost it asks again.
//! THREAT: warning who is looked at. To somebody whom the record concerns, a request about it is not there.

use serde::{Deserialize, Serialize};

use super::identities::{Identity, pseudonym_in};
use super::{as_auditor, no_such_record, read_body, row_ref, words};
use crate::access::facts::AssignmentFacts;
use crate::audit::{Disclosed, LeafBody};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::reidentification::{
    DECISION_DAYS, PseudonymOf, READING_DAYS, Reidentification, ReidentificationError,
    ReidentificationMotive, ReidentificationState, SecondOpinion,
};
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::Profession;
use crate::ids::{AssignmentId, ReidentificationId};
use crate::service::receipts::record_ref;
use crate::service::who::{Names, Who};
use crate::service::{Act, App, Call, Change, Created, Desk, ServiceError};
use crate::store::reidentification::{NewReidentification, NewStep, StoredReidentification};

/// What is asked, and why.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReidentificationInput {
    pub of: PseudonymOf,
    pub motive: ReidentificationMotive,
    /// Facts only: neither a name nor a content.
    pub reason: Paragraph<600>,
}

/// What the second person says.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondOpinionInput {
    pub outcome: SecondOpinion,
    /// Why, in writing.
    pub remark: Paragraph<600>,
}

/// One request, as the asker and those who may be second see it. It names nobody of the record.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ReidentificationView {
    #[schema(value_type = String)]
    pub id: ReidentificationId,
    /// The record's.
    pub index: u64,
    pub of: PseudonymOf,
    /// What the record says, by pseudonym.
    pub record: String,
    pub motive: ReidentificationMotive,
    pub reason: String,
    #[schema(format = DateTime)]
    pub asked_at: String,
    pub asked_by: Who,
    pub mine: bool,
    pub state: ReidentificationState,
    /// Until when it can be decided on, or read.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    pub may_decide: bool,
    pub may_read: bool,
    pub decided_by: Option<Who>,
    /// In the words of who decided.
    pub remark: Option<String>,
}

/// Requests, the latest first.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Reidentifications {
    pub items: Vec<ReidentificationView>,
}

fn rule(code: &'static str, sentence: impl Into<String>) -> ServiceError {
    ServiceError::rule(code, sentence.into())
}

/// Nothing can be told any more, and so nothing is counted as read.
fn gone() -> ServiceError {
    rule(
        "identity_gone",
        "L'identité derrière ce pseudonyme ne peut plus être établie : sa clé, ou le parcours, a été détruit à son terme.",
    )
}

fn told(error: ReidentificationError) -> ServiceError {
    match error {
        ReidentificationError::Disordered => ServiceError::internal(error),
        ReidentificationError::NotTheAsker => ServiceError::AbsentOrRefused,
        ReidentificationError::OwnRequest => rule(
            "reidentification_own",
            "On ne décide pas de sa propre demande : demandez au délégué à la protection des données ou à un autre auditeur.",
        ),
        ReidentificationError::State(state) => match state {
            ReidentificationState::Waiting => {
                rule("reidentification_waiting", "Une seconde personne doit d'abord confirmer cette demande.")
            }
            ReidentificationState::Lapsed => rule(
                "reidentification_lapsed",
                format!(
                    "Personne n'a décidé en {DECISION_DAYS} jours : cette demande est close. Faites-en une autre."
                ),
            ),
            ReidentificationState::Refused => {
                rule("reidentification_refused", "Cette demande a été refusée : il n'y a rien à lire.")
            }
            ReidentificationState::Open => {
                rule("reidentification_decided", "Cette demande est déjà confirmée.")
            }
            ReidentificationState::Expired => rule(
                "reidentification_expired",
                format!(
                    "La réponse se lisait pendant {READING_DAYS} jours après la confirmation. Si vous en avez encore besoin, \
                     faites une autre demande."
                ),
            ),
            ReidentificationState::Read => rule(
                "reidentification_read",
                "La réponse a été lue : elle ne se lit qu'une fois. Si vous en avez encore besoin, faites une autre demande.",
            ),
        },
    }
}

/// Who may be second: an auditor or a data protection officer, in force.
pub(super) fn second_person(desk: &Desk<'_>) -> Result<AssignmentFacts, ServiceError> {
    let actor = desk
        .signed_in
        .acting_as(Profession::DataProtectionOfficer, desk.now)
        .or_else(|_| desk.signed_in.acting_as(Profession::Auditor, desk.now))?;
    Ok(actor.assignment().clone())
}

fn by(desk: &mut Desk<'_>, id: &AssignmentId) -> Result<AssignmentFacts, ServiceError> {
    let row = desk.snapshot.assignment_fetch(id)?;
    row.map(|row| row.facts)
        .ok_or_else(|| ServiceError::Internal("a re-identification of nobody's".to_owned()))
}

/// The request, as decisions need it, with who asked and who decided.
fn standing(
    desk: &mut Desk<'_>,
    row: &StoredReidentification,
) -> Result<(Reidentification, AssignmentFacts, Option<AssignmentFacts>), ServiceError> {
    let asker = by(desk, &row.by)?;
    let second = match &row.decision {
        Some(decision) => Some(by(desk, &decision.by)?),
        None => None,
    };
    let decided = row.decision.as_ref().zip(second.as_ref());
    let request = Reidentification::new(
        (asker.professional.clone(), row.by.clone(), row.at),
        decided.map(|(d, who)| (d.outcome, d.at, who.professional.clone())),
        row.read,
    )
    .map_err(told)?;
    Ok((request, asker, second))
}

fn stepped(id: &ReidentificationId, step: NewStep) -> Change {
    let (written, image) = (step.row_ref(), step.image());
    Change::new(id.as_str()).imaged_step(written, image, move |tx, _| tx.reidentification_step(&step))
}

fn body_of(desk: &mut Desk<'_>, index: i64) -> Result<LeafBody, ServiceError> {
    let text = desk.snapshot.log_body(index)?.ok_or_else(no_such_record)?;
    read_body(&text)
}

impl App {
    /// Asks whom a pseudonym of a record stands for.
    ///
    /// # Errors
    /// [`ServiceError`]; a record without such a pseudonym, or that concerns the asker, is a rule.
    pub fn reidentification_ask(
        &self,
        call: &Call,
        act: Act,
        index: u64,
        input: &ReidentificationInput,
    ) -> Result<Created, ServiceError> {
        self.change_desk(call, act, |desk| {
            as_auditor(desk)?;
            let me = desk.signed_in.actor()?.assignment().clone();
            let index = i64::try_from(index).map_err(|_| no_such_record())?;
            let body = body_of(desk, index)?;
            if pseudonym_in(&body, input.of).is_none() {
                return Err(rule(
                    "no_such_pseudonym",
                    "Cette trace ne porte pas ce pseudonyme : il n'y a personne à retrouver.",
                ));
            }
            if self.key_of_record(&body, input.of)?.is_none() {
                return Err(gone());
            }
            if self.concerns(desk.snapshot, &body, &me.professional)? {
                return Err(rule(
                    "reidentification_concerned",
                    "Cette trace vous concerne : c'est à un autre auditeur de faire cette demande.",
                ));
            }
            let key = self.store.instance_key();
            for earlier in desk.snapshot.reidentifications(key)? {
                let same = earlier.index == index && earlier.of == input.of && earlier.by == me.id;
                if same && standing(desk, &earlier)?.0.state(desk.now).runs() {
                    return Err(rule(
                        "reidentification_running",
                        "Vous avez déjà fait cette demande, et elle est en cours : elle est dans la liste des demandes.",
                    ));
                }
            }
            let reason = input.reason.as_str();
            let row = NewReidentification::seal(
                key,
                self.chance(),
                (index, input.of),
                (input.motive, reason),
                (desk.now, me.id),
            )?;
            desk.returned.push(row_ref(index));
            desk.motive = Some(reason.to_owned());
            let (written, image) = (row.row_ref(), row.image());
            Ok(Change::new(row.id.as_str())
                .imaged_step(written, image, move |tx, _| tx.reidentification_insert(&row)))
        })
    }

    /// The requests that one made, and those that one may be second in.
    ///
    /// # Errors
    /// Refused to anybody but auditors and data protection officers.
    pub fn reidentifications(
        &self,
        call: &Call,
        act: Act,
    ) -> Result<Disclosed<Reidentifications>, ServiceError> {
        self.read_desk(call, act, |desk| {
            let me = second_person(desk)?;
            let mut names = Names::default();
            let mut items = Vec::new();
            for row in desk.snapshot.reidentifications(self.store.instance_key())? {
                let (request, asker, second) = standing(desk, &row)?;
                let Some(text) = desk.snapshot.log_body(row.index)? else { continue };
                let body = read_body(&text)?;
                let mine = row.by == me.id;
                if !mine && self.concerns(desk.snapshot, &body, &me.professional)? {
                    continue;
                }
                let structure = match &body.organisation {
                    Some(id) => Some(names.organisation(desk.snapshot, id)?),
                    None => None,
                };
                let index = u64::try_from(row.index).map_err(ServiceError::internal)?;
                desk.returned.push(record_ref(index));
                items.push(ReidentificationView {
                    index,
                    of: row.of,
                    record: words::sentence(&body, structure.as_deref()),
                    motive: row.motive,
                    asked_at: row.at.rfc3339(),
                    asked_by: names.who(desk.snapshot, &asker)?,
                    mine,
                    state: request.state(desk.now),
                    until: request.until().map(|at| at.rfc3339()),
                    may_decide: request.accepts_decision(&me.professional, desk.now).is_ok(),
                    may_read: request.accepts_reading(&me.id, desk.now).is_ok(),
                    decided_by: match &second {
                        Some(second) => Some(names.who(desk.snapshot, second)?),
                        None => None,
                    },
                    remark: row.decision.map(|d| d.remark),
                    reason: row.reason,
                    id: row.id,
                });
            }
            Ok(Reidentifications { items })
        })
    }

    /// Confirms or refuses a request, as the second person.
    ///
    /// # Errors
    /// [`ServiceError`]; to somebody whom the record concerns, the request is not there.
    pub fn reidentification_decide(
        &self,
        call: &Call,
        id: &ReidentificationId,
        input: &SecondOpinionInput,
    ) -> Result<Created, ServiceError> {
        let action = match input.outcome {
            SecondOpinion::Confirmed => Action::Confirm,
            SecondOpinion::Refused => Action::Decline,
        };
        let act = Act { action, resource: ResourceKind::Reidentification };
        self.change_desk(call, act, |desk| {
            let me = second_person(desk)?;
            let key = self.store.instance_key();
            let row = desk.snapshot.reidentification_fetch(key, id)?.ok_or(ServiceError::AbsentOrRefused)?;
            let (request, _, _) = standing(desk, &row)?;
            let body = body_of(desk, row.index)?;
            if !request.asked_by(&me.professional) && self.concerns(desk.snapshot, &body, &me.professional)? {
                return Err(ServiceError::AbsentOrRefused);
            }
            request.accepts_decision(&me.professional, desk.now).map_err(told)?;
            let remark = input.remark.as_str();
            let step = NewStep::decision(key, self.chance(), id, (input.outcome, remark), (desk.now, me.id))?;
            desk.returned.push(row_ref(row.index));
            desk.motive = Some(remark.to_owned());
            Ok(stepped(id, step))
        })
    }

    /// Reads the answer: once, by who asked, under the assignment under which that was.
    ///
    /// # Errors
    /// [`ServiceError`]; where nothing can be told any more, a rule, and nothing counts as read.
    pub fn reidentification_read(
        &self,
        call: &Call,
        act: Act,
        id: &ReidentificationId,
    ) -> Result<Disclosed<Identity>, ServiceError> {
        let (_, identity) = self.change_desk_telling(call, act, |desk| {
            as_auditor(desk)?;
            let me = desk.signed_in.actor()?.assignment().id.clone();
            let key = self.store.instance_key();
            let row = desk.snapshot.reidentification_fetch(key, id)?.ok_or(ServiceError::AbsentOrRefused)?;
            let (request, _, _) = standing(desk, &row)?;
            request.accepts_reading(&me, desk.now).map_err(told)?;
            let body = body_of(desk, row.index)?;
            desk.returned.push(row_ref(row.index));
            let identity = self.identity_in(desk, &body, row.of)?.ok_or_else(gone)?;
            Ok((stepped(id, NewStep::reading(id, desk.now, &me)), identity))
        })?;
        Ok(identity)
    }
}

#[cfg(test)]
mod tests;
