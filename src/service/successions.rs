//! Successors and dated stand-ins (S8, S21): a manager names somebody of the same profession, mission and secrecy for
//! a place in the circle; that person accepts and takes the role; shares follow by the place, accords by organisation,
//! profession and mission, so nothing is signed again — except where the family chose « cette personne seulement ».
//!
//! INVARIANT: the manager reads no item. The family and the sharers are told, and may stop it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flow::{Act, Call, Change, Created, Scene};
use super::members::me;
use super::preview::end_of;
use super::who::still_open;
use super::{App, ServiceError};
use crate::access::facts::{AssignmentFacts, ParticipationFacts};
use crate::access::{Resource, may_know, office_knows_place};
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::day::{Day, french_date};
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{Function, Role, code_enum};
use crate::ids::{AssignmentId, ParticipationId, PathwayId, SuccessionId};
use crate::store::fact::{Fact, FactKind, NewFact, RowAt};
use crate::store::pathway::{NewParticipation, ParticipationChange};

code_enum! {
    /// For whom a succession is stopped.
    StoppedBy, "who stops a succession" {
        Family = "family", "La famille";
        Referent = "referent", "Le référent";
        Sharer = "sharer", "Quelqu'un qui partage avec cette place";
    }
}

/// Somebody named for a place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuccession {
    pub assignment: AssignmentId,
    /// First day; today when left out.
    #[serde(default)]
    pub from: Option<Day>,
    /// A stand-in's last day; a successor has none.
    #[serde(default)]
    pub last_day: Option<Day>,
}

/// Who asks that it stops.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopSuccession {
    pub asked_by: StoppedBy,
}

/// What is kept of it (fact `succession`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuccessionBody {
    pub predecessor: ParticipationId,
    pub successor: ParticipationId,
    pub from: Option<Day>,
    pub last_day: Option<Day>,
    pub stopped_at: Option<Timestamp>,
    pub stopped_by: Option<StoppedBy>,
}

/// A succession as members are told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuccessionView {
    #[schema(value_type = String)]
    pub id: SuccessionId,
    pub predecessor: String,
    pub successor: String,
    #[schema(value_type = String)]
    pub participation: ParticipationId,
    pub from: Option<Day>,
    /// Present for a stand-in: both read until 24:00 of this day.
    pub last_day: Option<Day>,
    pub accepted: bool,
    pub stopped: bool,
    /// For whom the asker may stop it; nobody once it is over.
    pub may_stop_for: Vec<StoppedBy>,
}

/// The successions whose place the asker may know.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuccessionList {
    pub items: Vec<SuccessionView>,
}

fn not_alike() -> ServiceError {
    ServiceError::rule(
        "not_alike",
        "Choisissez quelqu'un d'autre, de votre structure, en fonction, avec la même profession, la même mission et le \
         même secret.",
    )
}

/// DESIGN §3: same organisation, profession, mission and secrecy; another professional, neither the manager.
pub(super) fn alike(
    candidate: &AssignmentFacts,
    leaving: &AssignmentFacts,
    by: &AssignmentFacts,
    now: Timestamp,
) -> bool {
    candidate.in_force(now)
        && candidate.organisation == leaving.organisation
        && candidate.mission == leaving.mission
        && candidate.profession == leaving.profession
        && candidate.secrecy_at(now) == leaving.stated_secrecy
        && candidate.function == Function::Practitioner
        && candidate.professional != leaving.professional
        // THREAT: a manager who names oneself would open content by one's own decision.
        && candidate.professional != by.professional
}

fn seal(scene: &Scene<'_>, id: &str, version: i64, body: &SuccessionBody) -> Result<NewFact, ServiceError> {
    Ok(scene.pen().facts(RowAt::at(FactKind::Succession, id, version), body)?)
}

fn all(scene: &mut Scene<'_>) -> Result<Vec<Fact<SuccessionBody>>, ServiceError> {
    let pathway = &scene.gate.facts().id;
    Ok(scene.snapshot.facts_of(scene.key, pathway, FactKind::Succession)?)
}

fn one(scene: &mut Scene<'_>, id: &SuccessionId) -> Result<Fact<SuccessionBody>, ServiceError> {
    all(scene)?.into_iter().find(|f| f.id == id.as_str()).ok_or(ServiceError::AbsentOrRefused)
}

/// Whether a member is told of a succession: it may know the place, or it shares with it.
fn is_told(scene: &Scene<'_>, myself: &ParticipationFacts, body: &SuccessionBody) -> bool {
    let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
    let (Some(before), Some(after)) =
        (facts.participation(&body.predecessor), facts.participation(&body.successor))
    else {
        return false;
    };
    if myself.id == before.id || myself.id == after.id || shares_with(scene, myself, &before.id) {
        return true;
    }
    matches!(myself.role, Role::Referent | Role::Participant)
        && may_know(facts, book, myself, before, now)
        && may_know(facts, book, myself, after, now)
}

fn shares_with(scene: &Scene<'_>, myself: &ParticipationFacts, other: &ParticipationId) -> bool {
    scene
        .gate
        .facts()
        .shares
        .iter()
        .any(|s| s.sharer == myself.id && s.recipients.iter().any(|r| r.participation == *other))
}

/// For whom this member may stop it, as [`App::succession_stop`] decides and as the list tells.
fn may_stop_for(scene: &Scene<'_>, myself: &ParticipationFacts, body: &SuccessionBody) -> Vec<StoppedBy> {
    if !is_told(scene, myself, body) {
        return Vec::new();
    }
    let may = |by: &StoppedBy| match by {
        StoppedBy::Family => true,
        StoppedBy::Referent => myself.role == Role::Referent,
        StoppedBy::Sharer => shares_with(scene, myself, &body.predecessor),
    };
    StoppedBy::ALL.iter().copied().filter(may).collect()
}

/// Stopped, or past its last day.
fn is_over(scene: &Scene<'_>, body: &SuccessionBody, successor: &ParticipationFacts) -> bool {
    body.stopped_at.is_some() || successor.ended(scene.now)
}

/// The succession under which somebody was named for this place, when there is one.
pub(super) fn naming(
    scene: &mut Scene<'_>,
    place: &ParticipationId,
) -> Result<Option<Fact<SuccessionBody>>, ServiceError> {
    Ok(all(scene)?.into_iter().find(|f| f.facts.successor == *place))
}

/// Takes the place for which one was named: a successor ends the predecessor's, with a stand-in both read.
///
/// INVARIANT: whichever way the acceptance comes, this is the only one in which a named place is taken.
pub(super) fn take_place(
    scene: &Scene<'_>,
    mine: &ParticipationFacts,
    named: &SuccessionBody,
) -> Result<Change, ServiceError> {
    let facts = scene.gate.facts();
    if named.stopped_at.is_some() {
        return Err(ServiceError::AbsentOrRefused);
    }
    still_open(facts)?;
    if let Some(from) = named.from.filter(|d| d.date() > scene.now.paris_day()) {
        return Err(ServiceError::rule(
            "too_early",
            format!("Ce remplacement commence le {} : acceptez-le ce jour-là.", french_date(from.date())),
        ));
    }
    let accepted = ParticipationChange { accepted_at: Some(scene.now), ..ParticipationChange::default() };
    let change = step_on(Change::new(mine.id.as_str()), &facts.id, mine, accepted);
    let before = facts.participation(&named.predecessor).ok_or(ServiceError::AbsentOrRefused)?;
    if named.last_day.is_some() || before.ended_at.is_some() {
        return Ok(change);
    }
    let ended = ParticipationChange { ended_at: Some(scene.now), ..ParticipationChange::default() };
    Ok(step_on(change, &facts.id, before, ended))
}

fn step_on(change: Change, on: &PathwayId, p: &ParticipationFacts, new: ParticipationChange) -> Change {
    let (pathway, id, version) = (on.clone(), p.id.clone(), p.version);
    let row =
        RowRef { table: "participation", id: id.as_str().to_owned(), version: version.saturating_add(1) };
    change.step(row, move |tx, _| tx.participation_update(&pathway, &id, version, &new))
}

impl App {
    /// A manager names a successor or a stand-in for a place of the own organisation, without reading any item.
    ///
    /// # Errors
    /// [`ServiceError`]; refused and absent are one.
    pub fn succession_name(
        &self,
        call: &Call,
        pathway: &PathwayId,
        participation: &ParticipationId,
        new: &NewSuccession,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Invite, resource: ResourceKind::Succession };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::ManagerView)?;
            let by = scene.gate.actor().assignment();
            if by.function != Function::Manager {
                return Err(ServiceError::AbsentOrRefused);
            }
            let facts = scene.gate.facts();
            // A hidden place is known to the manager of its own mission only (S11).
            let place = facts
                .participation(participation)
                .filter(|p| p.accepted_at.is_some() && office_knows_place(by, p))
                .ok_or(ServiceError::AbsentOrRefused)?;
            still_open(facts)?;
            let candidate = scene
                .snapshot
                .assignment_fetch(&new.assignment)?
                .map(|row| row.facts)
                .ok_or_else(not_alike)?;
            if !alike(&candidate, &place.assignment, by, scene.now) {
                return Err(not_alike());
            }
            if facts.participation_of(&candidate.id, scene.now).is_some_and(|p| !p.ended(scene.now)) {
                return Err(ServiceError::rule(
                    "already_there",
                    "Cette personne a déjà une place dans ce cercle.",
                ));
            }
            let today = scene.now.paris_day();
            let first = new.from.map_or(today, Day::date);
            if first < today || new.last_day.is_some_and(|last| last.date() < first) {
                return Err(ServiceError::rule(
                    "dates",
                    "Vérifiez les dates : du premier jour au dernier, à venir.",
                )
                .at("last_day"));
            }
            let until_at = match new.last_day {
                Some(day) => Some(end_of(day)?),
                None => place.until_at,
            };
            let id = SuccessionId::random(self.chance())?;
            let row = NewParticipation {
                id: ParticipationId::random(self.chance())?,
                pathway: pathway.clone(),
                assignment: candidate.id,
                mandate: place.mandate,
                role: place.role,
                existence: place.existence,
                invited_by: place.invited_by.clone(),
                invited_at: scene.now,
                accepted_at: None,
                until_at,
                stands_in_for: Some(place.id.clone()),
            };
            let body = SuccessionBody {
                predecessor: place.id.clone(),
                successor: row.id.clone(),
                from: new.from,
                last_day: new.last_day,
                stopped_at: None,
                stopped_by: None,
            };
            let fact = seal(scene, id.as_str(), 1, &body)?;
            let written = RowRef { table: "participation", id: row.id.as_str().to_owned(), version: 1 };
            Ok(Change::new(id.as_str()).step(written, move |tx, _| tx.participation_insert(&row)).fact(fact))
        })
    }

    /// The person named accepts: takes the place at once. A successor ends the predecessor's; with a stand-in both
    /// read until the last day.
    ///
    /// # Errors
    /// [`ServiceError`]; for anybody else it reads as absent.
    pub fn succession_accept(
        &self,
        call: &Call,
        pathway: &PathwayId,
        participation: &ParticipationId,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Accept, resource: ResourceKind::Succession };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Invitation(participation.clone()))?;
            let facts = scene.gate.facts();
            let mine = facts
                .participation(participation)
                .filter(|p| p.assignment.id == scene.gate.actor().assignment().id)
                .ok_or(ServiceError::AbsentOrRefused)?;
            let named = naming(scene, &mine.id)?.ok_or(ServiceError::AbsentOrRefused)?;
            take_place(scene, mine, &named.facts)
        })
    }

    /// Stops a succession from the next request on: for the family (any member records it), as référent, or as
    /// somebody who shares with that place.
    ///
    /// # Errors
    /// [`ServiceError`]; refused and absent are one.
    pub fn succession_stop(
        &self,
        call: &Call,
        pathway: &PathwayId,
        succession: &SuccessionId,
        stop: &StopSuccession,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::End, resource: ResourceKind::Succession };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let myself = me(scene)?;
            let found = one(scene, succession)?;
            if !may_stop_for(scene, myself, &found.facts).contains(&stop.asked_by) {
                return Err(ServiceError::AbsentOrRefused);
            }
            let facts = scene.gate.facts();
            let after = facts.participation(&found.facts.successor).ok_or(ServiceError::AbsentOrRefused)?;
            if is_over(scene, &found.facts, after) {
                return Err(ServiceError::rule("succession_over", "Ce remplacement a déjà pris fin."));
            }
            let mut body = found.facts;
            body.stopped_at = Some(scene.now);
            body.stopped_by = Some(stop.asked_by);
            let fact = seal(scene, succession.as_str(), found.version.saturating_add(1), &body)?;
            let ended = ParticipationChange { ended_at: Some(scene.now), ..ParticipationChange::default() };
            Ok(step_on(Change::new(succession.as_str()).fact(fact), pathway, after, ended))
        })
    }

    /// Who took whose place, as far as the asker may know.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn successions_list(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<SuccessionList>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Succession };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let myself = me(scene)?;
            let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
            let mut items = Vec::new();
            for found in all(scene)? {
                if !is_told(scene, myself, &found.facts) {
                    continue;
                }
                let (Some(before), Some(after)) = (
                    facts.participation(&found.facts.predecessor),
                    facts.participation(&found.facts.successor),
                ) else {
                    continue;
                };
                let may_stop_for = if is_over(scene, &found.facts, after) {
                    Vec::new()
                } else {
                    may_stop_for(scene, myself, &found.facts)
                };
                scene.returned.push(RowRef { table: "fact", id: found.id.clone(), version: found.version });
                items.push(SuccessionView {
                    id: SuccessionId::parse(&found.id).map_err(|e| ServiceError::Internal(e.to_string()))?,
                    predecessor: self.member_view(scene.snapshot, book, before, now)?.named(),
                    successor: self.member_view(scene.snapshot, book, after, now)?.named(),
                    participation: after.id.clone(),
                    from: found.facts.from,
                    last_day: found.facts.last_day,
                    accepted: after.accepted_at.is_some(),
                    stopped: found.facts.stopped_at.is_some(),
                    may_stop_for,
                });
            }
            Ok(scene.seal_facts(SuccessionList { items }))
        })
    }
}
