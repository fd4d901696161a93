//! The invitations that wait for an answer, as whoever is invited reads them before having a place.
//!
//! INVARIANT: the name of the young person stands there only if an accord covers the identity; who else takes part,
//! nowhere.

use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call};
use super::people::{PersonWords, person_words};
use super::successions::naming;
use super::who::{Names, Who, iso, last_day};
use crate::access::facts::{AssignmentFacts, PathwayFacts};
use crate::access::{Resource, may_know};
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::accord::{Accord, ConsentFile, named};
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{Mandate, Purpose, Role};

/// An invitation to me, before I answer it.
#[derive(Clone, Serialize, ToSchema)]
pub struct InvitationView {
    pub id: String,
    pub pathway: String,
    /// Who invites; for a stay, the référent; for somebody's place, the manager who asks.
    pub from: Option<Who>,
    /// The place of somebody else, where the invited person may know of it.
    pub takes_place_of: Option<TakesPlaceOf>,
    pub purposes: Vec<Purpose>,
    pub mandate: Mandate,
    pub role: Role,
    #[schema(format = Date)]
    pub until: Option<String>,
    #[schema(format = Date)]
    pub invited_on: String,
    /// Only if the accord covers the identity.
    pub name: Option<String>,
}

/// Whose place one is asked to take, and for how long (S8, S21).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TakesPlaceOf {
    pub who: Who,
    /// Later than today only.
    #[schema(format = Date)]
    pub first_day: Option<String>,
    /// A stand-in's; a successor has none.
    #[schema(format = Date)]
    pub last_day: Option<String>,
}

/// My invitations.
#[derive(Serialize, ToSchema)]
pub struct InvitationsView {
    pub items: Vec<InvitationView>,
}

/// The purposes of the accords in force that name this service or person.
fn purposes_naming(facts: &PathwayFacts, a: &AssignmentFacts, now: Timestamp) -> Vec<Purpose> {
    let key = a.recipient_key();
    let file = facts.consent();
    let names = |accord: &Accord| {
        let alone = ConsentFile { accords: std::slice::from_ref(accord), ..file };
        named(&key, Some(&a.id), &alone, now).named
    };
    let mut purposes: Vec<Purpose> =
        facts.accords.iter().filter(|accord| names(accord)).map(|accord| accord.facts().purpose()).collect();
    purposes.sort_unstable();
    purposes.dedup();
    purposes
}

fn name_of((mut view, words): (InvitationView, Option<PersonWords>)) -> InvitationView {
    view.name = words.map(|w| w.display());
    view
}

impl App {
    /// The invitations that the acting assignment has not answered.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn invitations(&self, call: &Call) -> Result<Disclosed<InvitationsView>, ServiceError> {
        let lines = self.read_many(
            call,
            Act { action: Action::List, resource: ResourceKind::Participation },
            |snapshot, actor, _| {
                let places = snapshot.pathways_numbered(&actor.assignment().id)?;
                Ok(places.into_iter().rev().filter(|p| p.invited).map(|p| p.pathway).collect())
            },
            |scene| {
                let facts = scene.gate.facts();
                let now = scene.now;
                let assignment = scene.gate.actor().assignment();
                let Some(p) = facts
                    .participations
                    .iter()
                    .filter(|p| p.assignment.id == assignment.id && p.accepted_at.is_none() && !p.ended(now))
                    .max_by_key(|p| p.invited_at)
                else {
                    return Err(ServiceError::AbsentOrRefused);
                };
                scene.gate.resource(Resource::Invitation(p.id.clone()))?;
                let future = p.as_accepted(now);
                let inviter = if p.role == Role::StayOrganiser {
                    facts.acting_referent(now)
                } else {
                    p.invited_by.as_ref().and_then(|i| facts.participation(i))
                };
                let inviter = inviter
                    .filter(|i| may_know(facts, scene.gate.book(), &future, i, now))
                    .or_else(|| facts.acting_referent(now));
                let mut names = Names::default();
                let mut from = match inviter {
                    Some(i) => Some(names.who(scene.snapshot, &i.assignment)?),
                    None => None,
                };
                let mut takes_place_of = None;
                // Whose place it is, and who asks: a manager, who is in no circle.
                if let Some(naming) = naming(scene, &p.id)? {
                    from = match scene.snapshot.assignment_fetch(&naming.by)? {
                        Some(manager) => Some(names.who(scene.snapshot, &manager.facts)?),
                        None => None,
                    };
                    let before = facts.participation(&naming.facts.predecessor);
                    if let Some(before) =
                        before.filter(|b| may_know(facts, scene.gate.book(), &future, b, now))
                    {
                        takes_place_of = Some(TakesPlaceOf {
                            who: names.who(scene.snapshot, &before.assignment)?,
                            first_day: naming
                                .facts
                                .from
                                .filter(|d| d.date() > now.paris_day())
                                .map(|d| d.iso()),
                            last_day: naming.facts.last_day.map(|d| d.iso()),
                        });
                    }
                }
                let view = InvitationView {
                    id: p.id.as_str().to_owned(),
                    pathway: facts.id.as_str().to_owned(),
                    from,
                    takes_place_of,
                    purposes: purposes_naming(facts, assignment, now),
                    mandate: p.mandate,
                    role: p.role,
                    until: p.until_at.and_then(last_day).map(iso),
                    invited_on: iso(p.invited_at.paris_day()),
                    name: None,
                };
                scene.returned.push(RowRef {
                    table: "participation",
                    id: p.id.as_str().to_owned(),
                    version: p.version,
                });
                let words = person_words(scene, Resource::InvitedIdentity(p.id.clone()))?;
                Ok(Some(words.with(view).map_fn(name_of)))
            },
        )?;
        Ok(lines.map(|items| InvitationsView { items }))
    }
}
