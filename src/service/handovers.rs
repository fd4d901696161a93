//! Passage de relais (S2, R10): who leaves chooses what goes and sees whether each piece may, the other side accepts,
//! both confirm; from then on who left only brings.
//!
//! INVARIANTS
//! * Without accord nothing goes: each piece is decided as any share, purpose `handover`.
//! * Until both have confirmed, the receiver reads the list of subjects, no words.
//! * Ownership does not move. A référent names another one first, who is hidden from nobody.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flow::{Act, Call, Change, Created, Scene};
use super::members::{MemberView, accountable, me, named_by_me};
use super::preview::{ItemRef, all_will_read, last_day, own_subjects};
use super::shares::{may_begin, over, period, recipients_of, seal_share, within_accords};
use super::{App, ServiceError};
use crate::access::facts::{HandoverFacts, ParticipationFacts, ShareFacts};
use crate::access::{Existence, Resource, may_know};
use crate::audit::Disclosed;
use crate::domain::cell::Reason;
use crate::domain::day::Day;
use crate::domain::lists::{MOST_NAMED, at_most};
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{Category, Purpose, Role, code_enum};
use crate::ids::{HandoverId, ItemVersionId, ParticipationId, PathwayId, ShareId};
use crate::store::fact::{FactKind, NewFact, RowAt};
use crate::store::pathway::{HandoverBody, ParticipationChange, ShareBody};

const NOTHING_GOES: &str = "Le passage de relais n'a pas été préparé.";

code_enum! {
    /// Where a handover stands.
    HandoverState, "state of a handover" {
        Proposed = "proposed", "Proposé";
        Accepted = "accepted", "Accepté, à confirmer";
        HalfConfirmed = "half_confirmed", "Confirmé par l'un des deux";
        Complete = "complete", "Fait";
        Declined = "declined", "Décliné";
    }
}

/// A new handover, by who leaves.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHandover {
    pub incoming: ParticipationId,
    #[serde(deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub items: Vec<ItemRef>,
    /// What is handed over is read until 24:00 of this day.
    pub last_day: Day,
    /// Named by a référent who leaves.
    #[serde(default)]
    pub new_referent: Option<ParticipationId>,
}

/// A handover, for its two ends.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverView {
    #[schema(value_type = String)]
    pub id: HandoverId,
    #[schema(value_type = String)]
    pub share: ShareId,
    pub outgoing: MemberView,
    pub incoming: MemberView,
    pub i_am_incoming: bool,
    pub state: HandoverState,
    pub outgoing_confirmed: bool,
    pub incoming_confirmed: bool,
    /// What goes: subjects, no words.
    pub subjects: Vec<Category>,
    pub last_day: Option<Day>,
    pub new_referent: Option<String>,
    /// Whether the asker may say if it had to start again « à partir de 0 ».
    pub to_rate: bool,
    /// What both ends and the family read on the sheet.
    pub accountable: Option<String>,
}

/// One line of the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverLine {
    #[schema(value_type = String)]
    pub id: HandoverId,
    pub outgoing: String,
    pub incoming: String,
    pub state: HandoverState,
    /// Whether the asker is one of its ends.
    pub mine: bool,
    /// Whether the asker has something to do.
    pub waits_for_me: bool,
}

/// The handovers whose both ends the asker may know.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverList {
    pub items: Vec<HandoverLine>,
}

const fn state_of(h: &HandoverFacts) -> HandoverState {
    if h.declined_at.is_some() {
        HandoverState::Declined
    } else if h.complete() {
        HandoverState::Complete
    } else if h.outgoing_confirmed_at.is_some() || h.incoming_confirmed_at.is_some() {
        HandoverState::HalfConfirmed
    } else if h.accepted_at.is_some() {
        HandoverState::Accepted
    } else {
        HandoverState::Proposed
    }
}

pub(super) fn find<'a>(
    scene: &Scene<'a>,
    id: &HandoverId,
) -> Result<(&'a HandoverFacts, &'a ShareFacts), ServiceError> {
    let facts = scene.gate.facts();
    let handover = facts.handovers.iter().find(|h| h.id == *id).ok_or(ServiceError::AbsentOrRefused)?;
    let share = facts.shares.iter().find(|s| s.id == handover.share).ok_or(ServiceError::AbsentOrRefused)?;
    Ok((handover, share))
}

/// The stored form at its latest version.
pub(super) fn body_of(scene: &mut Scene<'_>, id: &HandoverId) -> Result<(i64, HandoverBody), ServiceError> {
    let pathway = &scene.gate.facts().id;
    let rows = scene.snapshot.facts_of::<HandoverBody>(scene.key, pathway, FactKind::Handover)?;
    rows.into_iter()
        .find(|row| row.id == id.as_str())
        .map(|row| (row.version, row.facts))
        .ok_or(ServiceError::AbsentOrRefused)
}

pub(super) fn seal(
    scene: &Scene<'_>,
    id: &HandoverId,
    version: i64,
    body: &HandoverBody,
) -> Result<NewFact, ServiceError> {
    Ok(scene.pen().facts(RowAt::at(FactKind::Handover, id.as_str(), version), body)?)
}

/// Who may become référent: in force, in the circle, hidden from nobody (S11).
fn can_be_referent(scene: &Scene<'_>, p: &ParticipationFacts, leaving: &ParticipationId) -> bool {
    p.id != *leaving
        && p.in_force(scene.now)
        && p.assignment.in_force(scene.now)
        && p.existence == Existence::Open
        && matches!(p.role, Role::Participant | Role::Referent)
}

fn referent_first() -> ServiceError {
    ServiceError::rule(
        "referent_first",
        "Vous êtes référent : nommez d'abord un autre référent, présent dans le cercle et connu de tous.",
    )
}

impl App {
    /// Prepares a handover. What may not go is told piece by piece, and then nothing goes.
    ///
    /// # Errors
    /// [`ServiceError`]; refused and absent are one.
    pub fn handover_create(
        &self,
        call: &Call,
        pathway: &PathwayId,
        new: &NewHandover,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::Handover };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Act)?;
            scene.purpose = Some(Purpose::Handover);
            let subjects = own_subjects(scene, &new.items)?;
            let myself = me(scene)?;
            let incoming = named_by_me(scene, &new.incoming)?;
            let named = match &new.new_referent {
                Some(id) => Some(named_by_me(scene, id)?),
                None => None,
            };
            let facts = scene.gate.facts();
            may_begin(facts, scene.now)?;
            if subjects.is_empty() {
                return Err(ServiceError::rule("items", "Choisissez au moins une information à transmettre."));
            }
            if !matches!(incoming.role, Role::Participant | Role::Referent) {
                return Err(ServiceError::denied(
                    Reason::ContributorOnly,
                    "incoming_receives_nothing",
                    "Ce service apporte des informations mais n'en reçoit pas : il ne peut pas prendre le relais.",
                ));
            }
            let running = facts.handovers.iter().any(|h| {
                h.outgoing == myself.id && matches!(
                    state_of(h),
                    HandoverState::Proposed | HandoverState::Accepted | HandoverState::HalfConfirmed
                ) && facts.shares.iter().any(|s| s.id == h.share && !over(s, scene.now))
            });
            if running {
                return Err(ServiceError::rule("handover_running", "Un passage de relais est déjà en cours."));
            }
            match (myself.role, named) {
                (Role::Referent, Some(other)) if can_be_referent(scene, other, &myself.id) => {}
                (Role::Referent, _) => return Err(referent_first()),
                (Role::Participant | Role::ContributorOnly | Role::StayOrganiser, None) => {}
                (Role::Participant | Role::ContributorOnly | Role::StayOrganiser, Some(_)) => {
                    return Err(ServiceError::rule("not_referent", "Seul le référent nomme un autre référent."));
                }
            }
            let ends = period(new.last_day, scene.now)?;
            let decisions =
                all_will_read(scene, &[incoming], &subjects, Purpose::Handover, None, NOTHING_GOES)?;
            within_accords(facts, &decisions, ends, scene.now)?;
            let id = HandoverId::random(self.chance())?;
            let share = ShareId::random(self.chance())?;
            let versions: Vec<ItemVersionId> = subjects.iter().map(|s| s.version.id.clone()).collect();
            let carried = ShareBody {
                sharer: myself.id.clone(),
                purpose: Purpose::Handover,
                starts: scene.now,
                ends,
                ended_at: None,
                category: None,
                versions,
                recipients: recipients_of(&decisions, None),
                handover: Some(id.clone()),
                departure: None,
            };
            let body = HandoverBody {
                outgoing: myself.id.clone(),
                incoming: incoming.id.clone(),
                share: share.clone(),
                accepted_at: None,
                declined_at: None,
                outgoing_confirmed_at: None,
                incoming_confirmed_at: None,
                new_referent: new.new_referent.clone(),
                rated_at: None,
            };
            let share_fact = seal_share(scene, &share, 1, &carried)?;
            Ok(Change::new(id.as_str()).fact(seal(scene, &id, 1, &body)?).fact(share_fact))
        })
    }

    /// The other side accepts or declines.
    ///
    /// # Errors
    /// [`ServiceError`]; for who leaves it reads as absent.
    pub fn handover_answer(
        &self,
        call: &Call,
        pathway: &PathwayId,
        handover: &HandoverId,
        accepts: bool,
    ) -> Result<Created, ServiceError> {
        let action = if accepts { Action::Accept } else { Action::Decline };
        self.change(call, Act { action, resource: ResourceKind::Handover }, pathway, |scene| {
            scene.gate.resource(Resource::Handover(handover.clone()))?;
            let (found, share) = find(scene, handover)?;
            if found.incoming != me(scene)?.id {
                return Err(ServiceError::AbsentOrRefused);
            }
            if state_of(found) != HandoverState::Proposed || over(share, scene.now) {
                return Err(ServiceError::rule(
                    "handover_answered",
                    "Ce passage de relais n'attend plus de réponse.",
                ));
            }
            let (version, mut body) = body_of(scene, handover)?;
            if accepts {
                body.accepted_at = Some(scene.now);
            } else {
                body.declined_at = Some(scene.now);
            }
            Ok(Change::new(handover.as_str()).fact(seal(scene, handover, version.saturating_add(1), &body)?))
        })
    }

    /// One end confirms; the second confirmation makes the words readable and narrows who left to bringing.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn handover_confirm(
        &self,
        call: &Call,
        pathway: &PathwayId,
        handover: &HandoverId,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Confirm, resource: ResourceKind::Handover };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Handover(handover.clone()))?;
            let (found, share) = find(scene, handover)?;
            let myself = me(scene)?;
            let waits = matches!(state_of(found), HandoverState::Accepted | HandoverState::HalfConfirmed);
            if !waits || over(share, scene.now) {
                return Err(ServiceError::rule(
                    "handover_not_to_confirm",
                    "Ce passage de relais n'est pas à confirmer : l'autre service doit d'abord l'accepter.",
                ));
            }
            let (version, mut body) = body_of(scene, handover)?;
            let slot = if myself.id == body.outgoing {
                &mut body.outgoing_confirmed_at
            } else {
                &mut body.incoming_confirmed_at
            };
            if slot.is_some() {
                return Err(ServiceError::rule("already_confirmed", "Vous avez déjà confirmé."));
            }
            *slot = Some(scene.now);
            let complete = body.outgoing_confirmed_at.is_some() && body.incoming_confirmed_at.is_some();
            let fact = seal(scene, handover, version.saturating_add(1), &body)?;
            let change = Change::new(handover.as_str()).fact(fact);
            if complete { self.narrow(scene, change, &body) } else { Ok(change) }
        })
    }

    /// Who left becomes contributor-only; the référent that was named takes the role.
    fn narrow(
        &self,
        scene: &Scene<'_>,
        mut change: Change,
        body: &HandoverBody,
    ) -> Result<Change, ServiceError> {
        let facts = scene.gate.facts();
        let outgoing = facts.participation(&body.outgoing).ok_or(ServiceError::AbsentOrRefused)?;
        if outgoing.role == Role::Referent {
            let next = body
                .new_referent
                .as_ref()
                .and_then(|id| facts.participation(id))
                .filter(|p| can_be_referent(scene, p, &outgoing.id))
                .ok_or_else(referent_first)?;
            change = with_role(change, &facts.id, next, Role::Referent);
        }
        Ok(with_role(change, &facts.id, outgoing, Role::ContributorOnly))
    }

    /// A handover, for its two ends: subjects, no words.
    ///
    /// # Errors
    /// [`ServiceError`]; for anybody else it reads as absent.
    pub fn handover_read(
        &self,
        call: &Call,
        pathway: &PathwayId,
        handover: &HandoverId,
    ) -> Result<Disclosed<HandoverView>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Handover };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Handover(handover.clone()))?;
            let (found, share) = find(scene, handover)?;
            let myself = me(scene)?;
            let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
            let (version, body) = body_of(scene, handover)?;
            let end = |id: &ParticipationId| facts.participation(id).ok_or(ServiceError::AbsentOrRefused);
            let (outgoing, incoming) = (end(&found.outgoing)?, end(&found.incoming)?);
            let new_referent = match body.new_referent.as_ref().and_then(|id| facts.participation(id)) {
                Some(p) if may_know(facts, book, myself, p, now) => {
                    Some(self.member_view(scene.snapshot, book, p, now)?.named())
                }
                Some(_) | None => None,
            };
            let mut subjects: Vec<Category> = share
                .versions
                .iter()
                .filter_map(|v| facts.version(v))
                .map(|(item, _)| item.category)
                .collect();
            subjects.sort_unstable();
            subjects.dedup();
            scene.categories.extend(subjects.iter().copied());
            scene.purpose = Some(Purpose::Handover);
            scene.returned.push(RowRef { table: "fact", id: handover.as_str().to_owned(), version });
            let from = self.member_view(scene.snapshot, book, outgoing, now)?;
            let to = self.member_view(scene.snapshot, book, incoming, now)?;
            Ok(scene.seal_facts(HandoverView {
                id: found.id.clone(),
                share: found.share.clone(),
                accountable: accountable(incoming.assignment.profession),
                outgoing: from,
                incoming: to,
                i_am_incoming: myself.id == found.incoming,
                state: state_of(found),
                outgoing_confirmed: found.outgoing_confirmed_at.is_some(),
                incoming_confirmed: found.incoming_confirmed_at.is_some(),
                subjects,
                last_day: last_day(share.ends),
                new_referent,
                to_rate: found.complete() && myself.id == found.incoming && body.rated_at.is_none(),
            }))
        })
    }

    /// The handovers of a pathway; each line only when both its ends may be known.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn handovers_list(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<HandoverList>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Handover };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let myself = me(scene)?;
            let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
            let mut items = Vec::new();
            for h in &facts.handovers {
                let (Some(outgoing), Some(incoming)) =
                    (facts.participation(&h.outgoing), facts.participation(&h.incoming))
                else {
                    continue;
                };
                let mine = outgoing.id == myself.id || incoming.id == myself.id;
                let full_member = matches!(myself.role, Role::Referent | Role::Participant);
                let known = full_member
                    && may_know(facts, book, myself, outgoing, now)
                    && may_know(facts, book, myself, incoming, now);
                if !mine && !known {
                    continue;
                }
                let state = state_of(h);
                let waits_for_me = match state {
                    HandoverState::Proposed => incoming.id == myself.id,
                    HandoverState::Accepted | HandoverState::HalfConfirmed => {
                        (incoming.id == myself.id && h.incoming_confirmed_at.is_none())
                            || (outgoing.id == myself.id && h.outgoing_confirmed_at.is_none())
                    }
                    HandoverState::Complete | HandoverState::Declined => false,
                };
                let outgoing = self.member_view(scene.snapshot, book, outgoing, now)?.named();
                let incoming = self.member_view(scene.snapshot, book, incoming, now)?.named();
                scene.returned.push(RowRef {
                    table: "fact",
                    id: h.id.as_str().to_owned(),
                    version: h.version,
                });
                items.push(HandoverLine { id: h.id.clone(), outgoing, incoming, state, mine, waits_for_me });
            }
            Ok(scene.seal_facts(HandoverList { items }))
        })
    }
}

/// A role that changes with the handover.
fn with_role(change: Change, on: &PathwayId, p: &ParticipationFacts, role: Role) -> Change {
    let (pathway, id, version) = (on.clone(), p.id.clone(), p.version);
    let row =
        RowRef { table: "participation", id: id.as_str().to_owned(), version: version.saturating_add(1) };
    let new = ParticipationChange { role: Some(role), ..ParticipationChange::default() };
    change.step(row, move |tx, _| tx.participation_update(&pathway, &id, version, &new))
}
