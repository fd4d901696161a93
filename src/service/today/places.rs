//! Places whose holder no longer exercises: told to the managers of that service until somebody is named (S8).
//!
//! INVARIANT: a manager's line names no young person; it says which pathway as the page of the office does.

use super::{Lines, Waiting};
use crate::access::facts::ParticipationFacts;
use crate::access::{Resource, office_knows_place};
use crate::clock::Timestamp;
use crate::domain::day::french_date;
use crate::domain::vocabulary::{Function, Role};
use crate::ids::{OrganisationId, PathwayId};
use crate::service::members::place_holders;
use crate::service::who::Names;
use crate::service::{Scene, ServiceError};
use crate::store::Snapshot;

/// Nobody in office holds this place, nor is named for it.
fn left(scene: &Scene<'_>, p: &ParticipationFacts) -> bool {
    let now = scene.now;
    p.in_force(now)
        && !place_holders(scene.gate.facts(), &p.id)
            .iter()
            .any(|holder| !holder.ended(now) && holder.assignment.in_force(now))
}

/// For a manager.
pub(super) fn managers(
    scene: &mut Scene<'_>,
    names: &mut Names,
    lines: &mut Lines<'_>,
) -> Result<(), ServiceError> {
    let facts = scene.gate.facts();
    let actor = scene.gate.actor().assignment();
    if actor.function != Function::Manager || !actor.in_force(scene.now) || facts.closed_at.is_some() {
        return Ok(());
    }
    let open: Vec<&ParticipationFacts> =
        facts.participations.iter().filter(|p| office_knows_place(actor, p) && left(scene, p)).collect();
    if open.is_empty() {
        return Ok(());
    }
    scene.gate.resource(Resource::ManagerView)?;
    let which = if facts.lead == actor.organisation {
        format!("Parcours ouvert le {}", french_date(facts.opened_at.paris_day()))
    } else {
        "Parcours d'une autre structure".to_owned()
    };
    for p in open {
        let name = names.who(scene.snapshot, &p.assignment)?.name;
        let referent = p.role == Role::Referent;
        let gone = if referent { ", référent, n'exerce plus" } else { " n'exerce plus" };
        let meanwhile = if referent {
            "Nommez qui prend sa place : jusque-là, le parcours n'a pas de référent et le cercle vous appelle."
        } else {
            "Nommez qui prend sa place, ou dites au référent que personne ne la reprend."
        };
        let sentence = format!("{which} : {name}{gone}. {meanwhile}");
        lines.add(Waiting::PlaceToFill, Some(p.id.as_str()), None, referent, sentence);
    }
    Ok(())
}

/// The pathways where somebody of an organisation who left it still has a place. Others are not looked at.
pub(super) fn located(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Vec<PathwayId>, ServiceError> {
    Ok(snapshot.pathways_left(organisation, now)?)
}
