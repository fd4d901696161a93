//! What the office of a structure sees: its own places in pathways, and the accords that it collected. No words, no
//! name of a young person (DESIGN §4, « secretary, manager »).
//!
//! INVARIANTS
//! * Only places of the own organisation; one whose existence is hidden, to the office of its own mission only (S11).
//! * A pathway where nothing of it is for this office has no line.

use std::cell::RefCell;

use serde::Serialize;
use utoipa::ToSchema;

use super::accord_views::{AccordView, SeenAs, view_for};
use super::flow::Scene;
use super::successions::alike;
use super::today::{WaitingView, review_of_structure};
use super::who::{Names, Who, iso, last_day};
use super::{Act, App, Call, ServiceError};
use crate::access::facts::ParticipationFacts;
use crate::access::{Existence, Resource, concerns_office, office_knows_place};
use crate::audit::{Disclosed, Sealed};
use crate::clock::Timestamp;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{Function, Role};
use crate::ids::{AssignmentId, ParticipationId, PathwayId};
use crate::store::pathway::PathwayOf;

/// Who was named for a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NamedSuccessor {
    pub who: Who,
    pub accepted: bool,
    /// The last day of a stand-in.
    #[schema(format = Date)]
    pub until: Option<String>,
}

/// Somebody who could take a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Candidate {
    #[schema(value_type = String)]
    pub assignment: AssignmentId,
    pub name: String,
}

/// A place of this structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfficePlace {
    #[schema(value_type = String)]
    pub id: ParticipationId,
    pub who: Who,
    pub role: Role,
    #[schema(format = Date)]
    pub since: String,
    #[schema(format = Date)]
    pub until: Option<String>,
    /// The affectation has ended, or its end is known: somebody else is needed.
    pub leaving: bool,
    /// That this service takes part can be hidden from the référent: its manager hands the family its own « Qui a
    /// regardé ? ».
    pub own_sheet: bool,
    pub named: Vec<NamedSuccessor>,
    /// For a manager: same profession, mission and secrecy.
    pub candidates: Vec<Candidate>,
}

/// One pathway, as an office sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OfficeLine {
    #[schema(value_type = String)]
    pub pathway: PathwayId,
    /// When this structure leads it.
    #[schema(format = Date)]
    pub opened_on: Option<String>,
    /// When it is of this structure.
    pub referent: Option<Who>,
    pub closed: bool,
    /// For a manager of the structure that leads: the review that is near, due or overdue.
    pub review: Option<WaitingView>,
    /// Whether this office may record that the family takes back an accord.
    pub hears: bool,
    pub places: Vec<OfficePlace>,
    pub accords: Vec<AccordView>,
}

/// The pathways that concern this office: all that are open, or a page of those that are closed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OfficeView {
    pub items: Vec<OfficeLine>,
    /// For the next page of closed ones; a page may be short, or empty, before the last.
    pub next: Option<String>,
}

/// How many closed pathways a page looks at.
const PAGE: usize = 50;
/// What a cursor of this list is of.
const CLOSED: &[u8] = b"office closed";

const ACT: Act = Act { action: Action::List, resource: ResourceKind::Participation };

impl App {
    /// The open pathways that concern the office under which one acts.
    ///
    /// # Errors
    /// Refused to anybody but a manager or a secretary.
    pub fn office(&self, call: &Call) -> Result<Disclosed<OfficeView>, ServiceError> {
        let lines = self.office_lines(call, |_, of| {
            Ok(of.into_iter().filter(|p| p.closed_at.is_none()).map(|p| p.id).collect())
        })?;
        Ok(lines.map(|items| OfficeView { items, next: None }))
    }

    /// Those that are closed, the last closed first, page by page.
    ///
    /// # Errors
    /// As [`App::office`]; a cursor of another list is a rule.
    pub fn office_closed(
        &self,
        call: &Call,
        cursor: Option<&str>,
    ) -> Result<Disclosed<OfficeView>, ServiceError> {
        let next = RefCell::new(None);
        let lines = self.office_lines(call, |who, of| {
            let after = match cursor {
                None => None,
                Some(cursor) => Some(self.cursor_opened(who, CLOSED, cursor)?),
            };
            let mut closed: Vec<(Timestamp, PathwayId)> =
                of.into_iter().filter_map(|p| p.closed_at.map(|at| (at, p.id))).collect();
            closed.sort_unstable_by(|a, b| b.cmp(a));
            // The place is where the last one stood: whether it is still there does not matter.
            closed.retain(|one| after.as_deref().is_none_or(|after| *closed_place(one) < *after));
            let further = closed.len() > PAGE;
            closed.truncate(PAGE);
            let last = closed.last().filter(|_| further);
            next.replace(last.map(|one| self.cursor_sealed(who, CLOSED, &closed_place(one))).transpose()?);
            Ok(closed.into_iter().map(|(_, id)| id).collect())
        })?;
        Ok(lines.map(|items| OfficeView { items, next: next.into_inner() }))
    }

    /// One of them, open or closed.
    ///
    /// # Errors
    /// As [`App::office`]; absent where nothing of that pathway is for this office.
    pub fn office_line(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<OfficeLine>, ServiceError> {
        let lines = self.office_lines(call, |_, of| {
            Ok(of.into_iter().map(|p| p.id).filter(|id| id == pathway).collect())
        })?;
        match lines.map(|mut lines| lines.pop()).transposed() {
            Some(line) => Ok(line),
            None => Err(ServiceError::AbsentOrRefused),
        }
    }

    fn office_lines(
        &self,
        call: &Call,
        choose: impl Fn(&str, Vec<PathwayOf>) -> Result<Vec<PathwayId>, ServiceError>,
    ) -> Result<Disclosed<Vec<OfficeLine>>, ServiceError> {
        self.read_many(
            call,
            ACT,
            |snapshot, actor, now| {
                let a = actor.assignment();
                let office = match a.function {
                    Function::Manager | Function::Secretary => a.in_force(now),
                    Function::Practitioner => false,
                };
                if !office {
                    return Err(ServiceError::AbsentOrRefused);
                }
                choose(a.id.as_str(), snapshot.pathways_in(&a.organisation, &a.mission)?)
            },
            |scene| {
                // Not asked where it is no office's: a refusal would be recorded of a thing never asked.
                if !concerns_office(scene.gate.facts(), scene.gate.actor().assignment(), scene.now) {
                    return Ok(None);
                }
                scene.gate.resource(Resource::ManagerView)?;
                line(scene)
            },
        )
    }
}

/// The place of a closed pathway in the list, which is in the reverse order of these.
fn closed_place((closed_at, id): &(Timestamp, PathwayId)) -> String {
    format!("{:020} {id}", closed_at.micros())
}

fn line(scene: &mut Scene<'_>) -> Result<Option<Sealed<OfficeLine>>, ServiceError> {
    let facts = scene.gate.facts();
    let now = scene.now;
    let actor = scene.gate.actor().assignment();
    let mut names = Names::default();
    let ours =
        |p: &&ParticipationFacts| p.accepted_at.is_some() && !p.ended(now) && office_knows_place(actor, p);
    let mut places = Vec::new();
    for p in facts.participations.iter().filter(ours) {
        places.push(place(scene, p, &mut names)?);
        scene.returned.push(RowRef {
            table: "participation",
            id: p.id.as_str().to_owned(),
            version: p.version,
        });
    }
    let mut accords = Vec::new();
    for accord in &facts.accords {
        accords.extend(view_for(scene, accord)?.filter(|view| view.seen_as == SeenAs::Office));
    }
    let leads = facts.lead == actor.organisation;
    if places.is_empty() && accords.is_empty() && !leads {
        return Ok(None);
    }
    let referent = facts.acting_referent(now).filter(|p| p.assignment.organisation == actor.organisation);
    let line = OfficeLine {
        pathway: facts.id.clone(),
        opened_on: leads.then(|| iso(facts.opened_at.paris_day())),
        referent: match referent {
            Some(p) => Some(names.who(scene.snapshot, &p.assignment)?),
            None => None,
        },
        closed: facts.closed_at.is_some(),
        review: review_of_structure(scene, &mut names)?,
        hears: leads && actor.function == Function::Secretary,
        places,
        accords,
    };
    Ok(Some(scene.seal_facts(line)))
}

fn place(
    scene: &mut Scene<'_>,
    p: &ParticipationFacts,
    names: &mut Names,
) -> Result<OfficePlace, ServiceError> {
    let facts = scene.gate.facts();
    let now = scene.now;
    let actor = scene.gate.actor().assignment();
    let mut named = Vec::new();
    let followers = facts.participations.iter().filter(|q| {
        q.stands_in_for.as_ref() == Some(&p.id) && q.assignment.id != p.assignment.id && !q.ended(now)
    });
    for q in followers {
        named.push(NamedSuccessor {
            who: names.who(scene.snapshot, &q.assignment)?,
            accepted: q.accepted_at.is_some(),
            until: q.until_at.and_then(last_day).map(iso),
        });
    }
    let mut candidates = Vec::new();
    if actor.function == Function::Manager {
        for row in scene.snapshot.assignments_in(&actor.organisation)? {
            let a = row.facts;
            let there = facts.participation_of(&a.id, now).is_some_and(|q| !q.ended(now));
            if !there && alike(&a, &p.assignment, actor, now) {
                candidates.push(Candidate { name: names.who(scene.snapshot, &a)?.name, assignment: a.id });
            }
        }
    }
    Ok(OfficePlace {
        id: p.id.clone(),
        who: names.who(scene.snapshot, &p.assignment)?,
        role: p.role,
        since: iso(p.accepted_at.unwrap_or(p.invited_at).paris_day()),
        until: p.until_at.and_then(last_day).map(iso),
        own_sheet: p.existence != Existence::Open && actor.function == Function::Manager,
        leaving: !p.assignment.in_force(now) || p.assignment.ends_at.is_some(),
        named,
        candidates,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::Mandate;
    use crate::service::consent_fixture::{Family, date};

    #[test]
    fn an_office_sees_its_own_places_and_no_others() {
        let mut family = Family::of(date(2012, 3, 1));
        family.join("teacher", Mandate::Contractual, Role::Participant);
        let call = family.t.call("pre_manager");
        let seen = family.t.app.office(&call).unwrap();
        let [line] = seen.items.as_slice() else { panic!("one pathway") };
        assert!(line.places.iter().all(|p| p.role == Role::Referent));
        assert_eq!(line.places.len(), 1);
        assert!(!line.hears, "a manager decides, a secretary records");
        let refused = family.t.app.office(&family.t.call("referente"));
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)));
    }

    /// What was over long ago costs nothing: it is not looked at, and has no record of being looked at.
    #[test]
    fn an_office_looks_at_open_pathways_and_finds_the_others_on_pages_of_their_own() {
        use crate::service::pathways::{ClosingInput, ClosingReason};
        let family = Family::of(date(2012, 3, 1));
        let (t, pathway) = (&family.t, &family.pathway);
        let call = || t.call("pre_manager");
        assert_eq!(t.app.office(&call()).unwrap().items.len(), 1);
        assert!(t.app.office_closed(&call(), None).unwrap().items.is_empty());
        let input = ClosingInput { reason: ClosingReason::Achieved, words: None };
        t.app.pathway_close(&t.call("referente"), pathway, &input).unwrap();
        assert!(t.app.office(&call()).unwrap().items.is_empty());
        let closed = t.app.office_closed(&call(), None).unwrap();
        assert!(closed.items.len() == 1 && closed.items[0].closed && closed.next.is_none());
        assert!(t.app.office_line(&call(), pathway).unwrap().closed);
        let absent = t.app.office_line(&t.call("prevention_manager"), pathway);
        assert!(matches!(absent, Err(ServiceError::AbsentOrRefused)));
        let stolen = t.app.office_closed(&call(), Some("c3VpdGU"));
        assert!(matches!(stolen, Err(ServiceError::Rule { code: "cursor_of_another_query", .. })));
        // Nothing awaits: the list has its own record, and none of any pathway.
        let size = || t.app.store().snapshot().unwrap().log_frontier().unwrap().size();
        let before = size();
        let act = Act { action: Action::List, resource: ResourceKind::Statute };
        assert!(t.app.decisions_awaited(&call(), act).unwrap().items.is_empty());
        assert_eq!(size(), before + 1);
        let mut snapshot = t.app.store().snapshot().unwrap();
        let text = snapshot.log_body(i64::try_from(before).unwrap()).unwrap().unwrap();
        assert!(crate::audit::LeafBody::parse(&text).unwrap().pathway.is_none());
    }
}
