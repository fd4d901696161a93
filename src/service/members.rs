//! Members of a circle as one of them sees them: who may be seen at all, and what the directory says of them.
//!
//! INVARIANT: nobody is named, counted or listed here whom `access::may_know` hides from the reader (S11).

use serde::Serialize;
use utoipa::ToSchema;

use super::flow::Scene;
use super::who::{Names, Reachable};
use super::{App, ServiceError};
use crate::access::facts::{ParticipationFacts, PathwayFacts};
use crate::access::{CharterBook, may_know, sees_in_circle};
use crate::clock::Timestamp;
use crate::domain::contact::Phone;
use crate::domain::vocabulary::{Profession, Role, Secrecy};
use crate::ids::{MissionId, OrganisationId, ParticipationId};
use crate::store::Snapshot;

/// A member, with what a sharer must see before sharing (R12).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemberView {
    #[schema(value_type = String)]
    pub participation: ParticipationId,
    pub name: String,
    /// With profession and mission, how an accord names this service.
    #[schema(value_type = String)]
    pub organisation_id: OrganisationId,
    #[schema(value_type = String)]
    pub mission_id: MissionId,
    pub organisation: String,
    pub profession: Profession,
    pub mission: String,
    pub secrecy: Secrecy,
    /// The text on which the status rests.
    pub secrecy_basis: String,
    /// Who stated that status, and who confirmed it.
    pub stated_by: Option<String>,
    pub confirmed_by: Option<String>,
    pub charter_signed: bool,
    pub telephone: Option<String>,
    /// « rend compte … »: present where this service reports upward.
    pub accountable: Option<String>,
    /// Of somebody who no longer exercises: the manager who knows who takes over.
    pub replaced_by_asking: Option<Reachable>,
}

impl MemberView {
    /// « Prénom Nom (profession) », as a sentence names somebody.
    #[must_use]
    pub fn named(&self) -> String {
        named(&self.name, self.profession)
    }

    /// The telephone, when it is one.
    #[must_use]
    pub fn phone(&self) -> Option<Phone> {
        self.telephone.as_deref().and_then(|t| Phone::parse(t).ok())
    }
}

/// « Prénom Nom (profession) ».
pub(super) fn named(name: &str, profession: Profession) -> String {
    format!("{name} ({})", profession.within_brackets())
}

/// LAW §6: what every notice and preview says of a service that reports upward.
#[must_use]
pub fn accountable(profession: Profession) -> Option<String> {
    profession
        .accountable_to()
        .map(|to| format!("Ce service rend compte {to}. Ce qu'il lit ici peut figurer dans son rapport."))
}

/// The place of whoever asks.
///
/// # Errors
/// [`ServiceError::AbsentOrRefused`] without one.
pub(super) fn me<'a>(scene: &Scene<'a>) -> Result<&'a ParticipationFacts, ServiceError> {
    scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)
}

/// Whether `me` may name `other` when sharing, previewing or handing over.
///
/// A contributor-only service sees itself and those it shares with; it may bring to the référent and to whoever
/// invited it, both of whom the invitation named.
pub(super) fn may_name(
    facts: &PathwayFacts,
    book: &CharterBook,
    me: &ParticipationFacts,
    other: &ParticipationFacts,
    now: Timestamp,
) -> bool {
    if other.id == me.id || other.ended(now) || !may_know(facts, book, me, other, now) {
        return false;
    }
    // An invitation that waits is known to the inviter only.
    if other.accepted_at.is_none() && other.invited_by.as_ref() != Some(&me.id) {
        return false;
    }
    match me.role {
        Role::ContributorOnly => {
            sees_in_circle(facts, book, me, other, now)
                || other.role == Role::Referent
                || me.invited_by.as_ref() == Some(&other.id)
        }
        Role::Referent | Role::Participant | Role::StayOrganiser => {
            sees_in_circle(facts, book, me, other, now)
        }
    }
}

/// The participation that `me` names, if it may.
///
/// # Errors
/// THREAT: existence oracle. Absent and hidden are one answer.
pub(super) fn named_by_me<'a>(
    scene: &Scene<'a>,
    id: &ParticipationId,
) -> Result<&'a ParticipationFacts, ServiceError> {
    let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
    let me = me(scene)?;
    facts
        .participation(id)
        .filter(|other| may_name(facts, book, me, other, now))
        .ok_or(ServiceError::AbsentOrRefused)
}

/// Whoever took the place of `origin` (successors and stand-ins, in a chain), `origin` included.
pub(super) fn place_holders<'a>(
    facts: &'a PathwayFacts,
    origin: &ParticipationId,
) -> Vec<&'a ParticipationFacts> {
    let mut found: Vec<&ParticipationFacts> = facts.participation(origin).into_iter().collect();
    // Each round adds those who stand in for somebody found; bounded by the size of the circle.
    for _ in 0..facts.participations.len() {
        let next: Vec<&ParticipationFacts> = facts
            .participations
            .iter()
            .filter(|p| p.stands_in_for.as_ref().is_some_and(|f| found.iter().any(|q| q.id == *f)))
            .filter(|p| !found.iter().any(|q| q.id == p.id))
            .collect();
        if next.is_empty() {
            break;
        }
        found.extend(next);
    }
    found
}

impl App {
    /// What the directory says of a member; the caller has checked that it may be seen.
    pub(super) fn member_view(
        &self,
        snapshot: &mut Snapshot,
        book: &CharterBook,
        p: &ParticipationFacts,
        now: Timestamp,
    ) -> Result<MemberView, ServiceError> {
        let missing = |what: &str| ServiceError::Internal(format!("a member without its {what}"));
        let a = &p.assignment;
        let row = snapshot.assignment_fetch(&a.id)?.ok_or_else(|| missing("assignment"))?;
        let person = snapshot.professional_fetch(&a.professional)?.ok_or_else(|| missing("professional"))?;
        let organisation =
            snapshot.organisation_fetch(&a.organisation)?.ok_or_else(|| missing("organisation"))?;
        let mut other = |id: &Option<crate::ids::ProfessionalId>| -> Result<Option<String>, ServiceError> {
            match id {
                Some(id) => Ok(snapshot.professional_fetch(id)?.map(|p| p.words.name)),
                None => Ok(None),
            }
        };
        let (stated_by, confirmed_by) = (other(&row.stated_by)?, other(&row.confirmed_by)?);
        let replaced_by_asking = if a.in_force(now) {
            None
        } else {
            Names::default().manager_of(snapshot, &a.organisation, now)?
        };
        Ok(MemberView {
            replaced_by_asking,
            participation: p.id.clone(),
            name: person.words.name,
            organisation_id: a.organisation.clone(),
            mission_id: a.mission.clone(),
            mission: organisation
                .words
                .missions
                .iter()
                .find(|m| m.id == a.mission)
                .map_or_else(String::new, |m| m.title.clone()),
            organisation: organisation.words.name,
            profession: a.profession,
            secrecy: a.secrecy_at(now),
            secrecy_basis: row.secrecy_basis,
            stated_by,
            confirmed_by,
            charter_signed: book.standing(a, now).is_ok(),
            telephone: Some(person.words.telephone).filter(|t| !t.is_empty()),
            accountable: accountable(a.profession),
        })
    }
}
