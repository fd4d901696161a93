//! The circle: who takes part, invitations, and how a place ends.
//!
//! INVARIANTS
//! * Whoever may not know of a place learns of it from nothing here: neither from the list, nor from a refusal to
//!   invite, nor from a role that a hidden handover changed (S11).
//! * Nobody is invited whom no accord or statutory record names, nor whose row is all `N`.
//! * The end of a place counts on the next request, with the shares to it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call, Change, Created, Scene};
use super::pathways::end_place;
use super::shares_end::shares_ended_to;
use super::successions::{naming, take_place};
use super::who::{Names, Who, end_of, iso, last_day, still_open};
use crate::access::facts::{AssignmentFacts, ParticipationFacts, PathwayFacts};
use crate::access::{
    Existence, Resource, hidden_from, may_know, may_know_naming, office_knows_place, sees_in_circle,
};
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::accord::{NamedAnswer, named, named_by_own};
use crate::domain::cell::Reason;
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Function, Mandate, Profession, Role, Secrecy};
use crate::ids::{AssignmentId, ParticipationId, PathwayId};
use crate::store::pathway::{NewParticipation, ParticipationChange};

/// Whom to invite, in which frame and role.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteInput {
    pub assignment: AssignmentId,
    pub mandate: Mandate,
    pub role: Role,
    /// The last day; required for a stay.
    pub until: Option<Day>,
}

/// One place in the circle, as a member sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaceView {
    pub id: String,
    pub who: Who,
    pub mandate: Mandate,
    pub role: Role,
    pub secrecy: Secrecy,
    #[schema(format = Date)]
    pub since: String,
    /// The last day.
    #[schema(format = Date)]
    pub until: Option<String>,
    /// Invited, not answered yet.
    pub pending: bool,
    /// No accord in force names this service any more. Neither why, nor by whom.
    pub without_accord: bool,
    /// Whether this person still exercises: a place outlives its holder's affectation until somebody takes it.
    pub exercises: bool,
    /// Where to call.
    pub telephone: String,
    /// Whose place this one takes, where the reader may know of that place.
    pub in_place_of: Option<Who>,
    pub me: bool,
}

/// The circle.
#[derive(Serialize, ToSchema)]
pub struct CircleView {
    pub items: Vec<PlaceView>,
}

const fn act(action: Action) -> Act {
    Act { action, resource: ResourceKind::Participation }
}

/// DESIGN §4: whoever may not know a handover sees the roles as they were before it.
fn role_seen(scene: &Scene<'_>, reader: &ParticipationFacts, p: &ParticipationFacts) -> Role {
    let facts = scene.gate.facts();
    let hidden = facts.handovers.iter().filter(|h| h.outgoing == p.id && h.complete()).any(|h| {
        facts
            .participation(&h.incoming)
            .is_none_or(|incoming| hidden_from(facts, scene.gate.book(), reader, incoming, scene.now))
    });
    if hidden && p.role == Role::ContributorOnly { Role::Participant } else { p.role }
}

/// Whether an accord in force names this place; the service that leads needs none.
///
/// THREAT: accords alone. A statutory record keeps a place open too, and stands in no list shown to others: with it, this
/// answer would tell that there is one.
fn named_by_accord(facts: &PathwayFacts, p: &ParticipationFacts, now: Timestamp) -> bool {
    p.assignment.organisation == facts.lead && p.role != Role::StayOrganiser
        || named(&p.assignment.recipient_key(), Some(&p.assignment.id), &facts.consent(), now).named
}

/// One place, for a reader who may see it.
pub(super) fn place_view(
    scene: &mut Scene<'_>,
    reader: &ParticipationFacts,
    p: &ParticipationFacts,
    names: &mut Names,
) -> Result<PlaceView, ServiceError> {
    let facts = scene.gate.facts();
    let before = p.stands_in_for.as_ref().and_then(|id| facts.participation(id));
    let in_place_of = match before {
        Some(before) if may_know(facts, scene.gate.book(), reader, before, scene.now) => {
            Some(names.who(scene.snapshot, &before.assignment)?)
        }
        Some(_) | None => None,
    };
    Ok(PlaceView {
        id: p.id.as_str().to_owned(),
        who: names.who(scene.snapshot, &p.assignment)?,
        mandate: p.mandate,
        role: role_seen(scene, reader, p),
        secrecy: p.assignment.secrecy_at(scene.now),
        since: iso(p.accepted_at.unwrap_or(p.invited_at).paris_day()),
        until: p.until_at.and_then(last_day).map(iso),
        pending: p.accepted_at.is_none(),
        without_accord: p.accepted_at.is_some() && !named_by_accord(facts, p, scene.now),
        exercises: p.assignment.in_force(scene.now),
        telephone: names.telephone(scene.snapshot, &p.assignment)?,
        in_place_of,
        me: p.id == reader.id,
    })
}

/// The circle as this reader may see it. The gate has answered for `Circle` or `Existence` before.
pub(super) fn circle_of(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    names: &mut Names,
) -> Result<Vec<PlaceView>, ServiceError> {
    let facts = scene.gate.facts();
    let now = scene.now;
    let mut seen = Vec::new();
    for p in facts.participations.iter().filter(|p| !p.ended(now)) {
        // An invitation without an answer is between who invites and who is invited.
        let open = p.accepted_at.is_some() || p.invited_by.as_ref() == Some(&me.id) || p.id == me.id;
        if open && sees_in_circle(facts, scene.gate.book(), me, p, now) {
            let view = place_view(scene, me, p, names)?;
            scene.returned.push(RowRef { table: "participation", id: view.id.clone(), version: p.version });
            seen.push(view);
        }
    }
    Ok(seen)
}

/// Which frame lets this assignment in: an accord in force, or belonging to the service that leads.
fn invitable(facts: &PathwayFacts, a: &AssignmentFacts, now: Timestamp) -> NamedAnswer {
    led(facts, a, named(&a.recipient_key(), Some(&a.id), &facts.consent(), now))
}

/// THREAT: existence oracle. What accords say of a service that `me` may not know of counts only where `me` collected
/// them; otherwise whoever may invite would learn whether the family ever agreed to a hidden measure.
fn invitable_by(scene: &Scene<'_>, me: &ParticipationFacts, a: &AssignmentFacts) -> NamedAnswer {
    let (facts, now) = (scene.gate.facts(), scene.now);
    if may_know_naming(facts, scene.gate.book(), me, a, now) {
        return invitable(facts, a, now);
    }
    let own = named_by_own(&a.recipient_key(), &a.id, &facts.consent(), &me.assignment.id, now);
    led(facts, a, own)
}

/// The answer, with the service that leads, which needs no accord to be asked.
fn led(facts: &PathwayFacts, a: &AssignmentFacts, mut answer: NamedAnswer) -> NamedAnswer {
    // The service that leads: organisation *and* mission. Sharing an organisation with the lead opens nothing.
    let leads = facts.lead == a.organisation
        && facts
            .participations
            .iter()
            .filter(|p| p.invited_by.is_none())
            .any(|p| p.assignment.organisation == a.organisation && p.assignment.mission == a.mission);
    if leads {
        answer.named = true;
        answer.as_recipient = true;
    }
    answer
}

fn role_rule(profession: Profession, input: &InviteInput, frame: &NamedAnswer) -> Result<(), ServiceError> {
    if input.role == Role::Referent {
        return Err(ServiceError::rule(
            "one_referent",
            "Il y a un seul référent : invitez cette personne comme membre, puis nommez-la référente.",
        ));
    }
    if (profession == Profession::StayOrganiser) != (input.role == Role::StayOrganiser) {
        return Err(ServiceError::rule(
            "stay_role",
            "Une direction de séjour est invitée pour le séjour, et personne d'autre : changez le rôle.",
        ));
    }
    if input.role == Role::StayOrganiser && input.until.is_none() {
        return Err(FieldErrors::one("until", EntryError::Missing).into());
    }
    if !frame.as_recipient && input.role != Role::ContributorOnly {
        return Err(ServiceError::denied(
            Reason::ContributorOnly,
            "contributor_by_accord",
            "L'accord dit que ce service apporte des informations et n'en reçoit pas : invitez-le ainsi.",
        ));
    }
    Ok(())
}

/// Whether this person may be asked at all, whatever the pathway.
fn admissible(scene: &mut Scene<'_>, a: &AssignmentFacts) -> Result<(), ServiceError> {
    let now = scene.now;
    let refuse = || {
        ServiceError::forbidden(
            "cannot_be_invited",
            "Cette personne ne peut pas être invitée : vérifiez dans l'annuaire son affectation et sa confirmation.",
        )
    };
    if !a.in_force(now) || a.profession.is_platform() {
        return Err(refuse());
    }
    let book = scene.gate.book();
    let matrix = match book.organisation_standing(&a.organisation, now) {
        Ok(standing) => standing.matrix,
        Err(_) => book.in_force(now).ok_or(ServiceError::AbsentOrRefused)?.matrix.clone(),
    };
    if matrix.all_never(a.profession, a.secrecy_at(now)) {
        return Err(ServiceError::denied(
            Reason::CeilingNever,
            "never_invited",
            "La charte ne permet à cette profession de recevoir aucune information : elle ne peut pas être invitée.",
        ));
    }
    // DESIGN §3: nobody holds a function of the platform together with a place in a circle.
    let others = scene.snapshot.assignments_of(&a.professional)?;
    if others.iter().any(|o| o.facts.profession.is_platform() && o.facts.in_force(now)) {
        return Err(refuse());
    }
    Ok(())
}

fn mine<'a>(scene: &Scene<'a>, id: &ParticipationId) -> Result<&'a ParticipationFacts, ServiceError> {
    scene
        .gate
        .facts()
        .participation(id)
        .filter(|p| p.assignment.id == scene.gate.actor().assignment().id)
        .ok_or(ServiceError::AbsentOrRefused)
}

impl App {
    /// The pathway of a participation, or one that is nowhere: absent and refused then take the same way.
    pub(super) fn pathway_of_participation(&self, id: &ParticipationId) -> Result<PathwayId, ServiceError> {
        match self.store().snapshot()?.participation_locate(id)? {
            Some(found) => Ok(found),
            None => Ok(PathwayId::random(self.chance())?),
        }
    }

    /// The circle, each line filtered.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn circle(&self, call: &Call, pathway: &PathwayId) -> Result<Disclosed<CircleView>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Circle };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Circle)?;
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let items = circle_of(scene, me, &mut Names::default())?;
            Ok(scene.seal_facts(CircleView { items }))
        })
    }

    /// Invites an assignment. Somebody who is already there, hidden from the inviter, is invited like a newcomer.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn participation_invite(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &InviteInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Invite), pathway, |scene| {
            scene.gate.resource(Resource::Act)?;
            let facts = scene.gate.facts();
            let book = scene.gate.book();
            let now = scene.now;
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            still_open(facts)?;
            // LAW: S15. Until the identity is known, no invitation.
            if facts.person.nickname_only() {
                return Err(ServiceError::forbidden(
                    "nickname_only",
                    "Le jeune n'a donné qu'un surnom : personne n'est invité tant qu'il n'a pas donné son nom.",
                ));
            }
            let invited = scene.snapshot.assignment_fetch(&input.assignment)?.ok_or_else(|| {
                ServiceError::Invalid(FieldErrors::one(
                    "assignment",
                    EntryError::NotInList { list: "affectation" },
                ))
            })?;
            let a = invited.facts;
            admissible(scene, &a)?;
            let until_at = match input.until {
                Some(day) if day.date() < now.paris_day() => {
                    return Err(FieldErrors::one("until", EntryError::DateOutOfRange).into());
                }
                Some(day) => Some(end_of(day.date())?),
                None => None,
            };
            let there =
                facts.participations.iter().filter(|p| p.assignment.id == a.id && !p.ended(now)).max_by_key(
                    |p| (p.in_force(now), p.invited_at),
                );
            // THREAT: existence oracle. Only a place that the inviter may know of refuses a second one.
            if there.is_some_and(|p| {
                (p.accepted_at.is_some() || p.invited_by.as_ref() == Some(&me.id))
                    && may_know(facts, book, me, p, now)
            }) {
                return Err(ServiceError::rule(
                    "already_in_circle",
                    "Cette personne est déjà dans le cercle, ou déjà invitée.",
                ));
            }
            let frame = invitable_by(scene, me, &a);
            if !frame.named {
                let else_whom = if me.role == Role::Referent { "." } else { ", ou demandez au référent." };
                return Err(ServiceError::denied(
                    Reason::AccordMissing,
                    "accord_needed_to_invite",
                    format!(
                        "Aucun accord que vous pouvez lire ne nomme ce service : préparez-le avec la famille{else_whom}"
                    ),
                ));
            }
            role_rule(a.profession, input, &frame)?;
            let existence = Existence::of(a.profession, input.mandate);
            let id = ParticipationId::random(scene.app.chance())?;
            let future = ParticipationFacts {
                id: id.clone(),
                version: 1,
                assignment: a,
                mandate: input.mandate,
                role: input.role,
                existence,
                invited_by: Some(me.id.clone()),
                invited_at: now,
                accepted_at: Some(now),
                ended_at: None,
                until_at,
                stands_in_for: None,
            };
            // LAW: C. civ. 375. No measure of educational assistance outlives minority.
            if future.clone().within_minority(&facts.person).ended(now) {
                return Err(ServiceError::forbidden(
                    "measure_over",
                    "Le jeune est majeur : une mesure d'assistance éducative a pris fin. Choisissez un autre cadre.",
                ));
            }
            // S11: nobody invites somebody from whom it is itself hidden. The future place's own inviter would be
            // told by the invitation, so it must be known without it.
            let stranger = ParticipationFacts { invited_by: None, ..future.clone() };
            if hidden_from(facts, book, &stranger, me, now) {
                return Err(ServiceError::denied(
                    Reason::AuthorHidden,
                    "hidden_inviter",
                    "Cette personne ne sait pas que vous intervenez : demandez au référent de l'inviter.",
                ));
            }
            let row = NewParticipation {
                id: id.clone(),
                pathway: facts.id.clone(),
                assignment: input.assignment.clone(),
                mandate: input.mandate,
                role: input.role,
                existence,
                invited_by: Some(me.id.clone()),
                invited_at: now,
                accepted_at: None,
                until_at,
                // Somebody already there keeps what was shared with the place it has.
                stands_in_for: there.filter(|p| p.in_force(now)).map(|p| p.id.clone()),
            };
            Ok(Change::new(id.as_str()).step(
                RowRef { table: "participation", id: id.as_str().to_owned(), version: 1 },
                move |tx, _| tx.participation_insert(&row),
            ))
        })
    }

    /// Accepts an invitation.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn participation_accept(&self, call: &Call, id: &ParticipationId) -> Result<Created, ServiceError> {
        let pathway = self.pathway_of_participation(id)?;
        self.change(call, act(Action::Accept), &pathway, |scene| {
            scene.gate.resource(Resource::Invitation(id.clone()))?;
            let p = mine(scene, id)?;
            // Somebody named for a place takes it whole, whichever way the acceptance comes.
            if let Some(named) = naming(scene, id)? {
                return take_place(scene, p, &named.facts);
            }
            let facts = scene.gate.facts();
            still_open(facts)?;
            let a = scene.gate.actor().assignment();
            admissible(scene, a)?;
            if !invitable(facts, a, scene.now).named {
                return Err(ServiceError::denied(
                    Reason::AccordMissing,
                    "accord_needed_to_accept",
                    "L'accord qui vous nommait a pris fin : voyez avec qui vous a invité.",
                ));
            }
            let (on, row, version) = (facts.id.clone(), id.clone(), p.version);
            let reference = RowRef {
                table: "participation",
                id: id.as_str().to_owned(),
                version: version.saturating_add(1),
            };
            Ok(Change::new(id.as_str()).step(reference, move |tx, at| {
                let accepted =
                    ParticipationChange { accepted_at: Some(at), ..ParticipationChange::default() };
                tx.participation_update(&on, &row, version, &accepted)
            }))
        })
    }

    /// Declines an invitation; the inviter sees that it ended.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn participation_decline(&self, call: &Call, id: &ParticipationId) -> Result<Created, ServiceError> {
        let pathway = self.pathway_of_participation(id)?;
        self.change(call, act(Action::Decline), &pathway, |scene| {
            scene.gate.resource(Resource::Invitation(id.clone()))?;
            let p = mine(scene, id)?;
            Ok(end_place(Change::new(id.as_str()), &scene.gate.facts().id, p))
        })
    }

    /// Ends a place: one's own, any that the référent may know of, one's invitation without an answer, or, for a
    /// manager, one of the own organisation.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn participation_end(&self, call: &Call, id: &ParticipationId) -> Result<Created, ServiceError> {
        let pathway = self.pathway_of_participation(id)?;
        self.change(call, act(Action::End), &pathway, |scene| {
            let facts = scene.gate.facts();
            let now = scene.now;
            let a = scene.gate.actor().assignment();
            let target = facts.participation(id).filter(|p| !p.ended(now));
            let me = scene.gate.participation();
            let own = target.is_some_and(|p| p.assignment.id == a.id);
            let asked = target.is_some_and(|p| {
                p.accepted_at.is_none() && me.is_some_and(|me| p.invited_by.as_ref() == Some(&me.id))
            });
            let managed =
                a.function == Function::Manager && target.is_some_and(|p| office_knows_place(a, p));
            if own {
                scene.gate.resource(Resource::Place)?;
            } else if asked {
                scene.gate.resource(Resource::Act)?;
            } else if managed {
                scene.gate.resource(Resource::ManagerView)?;
            } else {
                scene.gate.resource(Resource::ReferentAct)?;
            }
            let p = target.ok_or(ServiceError::AbsentOrRefused)?;
            let known = own
                || managed
                || me.is_some_and(|me| may_know(facts, scene.gate.book(), me, p, now))
                    && (p.accepted_at.is_some() || asked);
            if !known {
                return Err(ServiceError::AbsentOrRefused);
            }
            if p.role == Role::Referent {
                return Err(ServiceError::rule(
                    "referent_first",
                    "Un parcours a toujours un référent : nommez-en d'abord un autre, ou clôturez le parcours.",
                ));
            }
            let mut change = end_place(Change::new(id.as_str()), &scene.gate.facts().id, p);
            for share in shares_ended_to(scene, &p.id)? {
                change = change.fact(share);
            }
            Ok(change)
        })
    }
}
