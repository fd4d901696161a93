//! Places of a service that its managers answer for: whose holder no longer exercises, until somebody is named (S8), and
//! where a stand-in ends soon (S21).
//!
//! INVARIANT: a manager's line names no young person; it says which pathway as the page of the office does.

use chrono::NaiveDate;

use super::{Lines, URGENT_DAYS, Waiting, near};
use crate::access::facts::ParticipationFacts;
use crate::access::{Resource, office_knows_place};
use crate::clock::{Timestamp, plus_days};
use crate::domain::day::french_date;
use crate::domain::vocabulary::{Function, Role};
use crate::ids::{OrganisationId, ParticipationId, PathwayId};
use crate::service::members::place_holders;
use crate::service::who::{Names, last_day};
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
    let known = || facts.participations.iter().filter(|p| office_knows_place(actor, p));
    let open: Vec<&ParticipationFacts> = known().filter(|p| left(scene, p)).collect();
    let standing_in: Vec<(&ParticipationFacts, &ParticipationId, NaiveDate)> =
        known().filter_map(|p| stands_in(scene, p).map(|(place, last)| (p, place, last))).collect();
    if open.is_empty() && standing_in.is_empty() {
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
    for (p, place, last) in standing_in {
        let name = names.who(scene.snapshot, &p.assignment)?.name;
        let sentence = format!(
            "{which} : le remplacement par {name} prend fin le {}. Si le retour n'est pas sûr, nommez quelqu'un pour la suite.",
            french_date(last)
        );
        lines.add(Waiting::StandInOfStructure, Some(place.as_str()), Some(last), false, sentence);
    }
    Ok(())
}

/// Whose place is held, and the last day, of a stand-in that ends within [`URGENT_DAYS`].
fn stands_in<'a>(scene: &Scene<'_>, p: &'a ParticipationFacts) -> Option<(&'a ParticipationId, NaiveDate)> {
    let place = p.stands_in_for.as_ref().filter(|_| p.in_force(scene.now))?;
    let last = p.until_at.and_then(last_day)?;
    near(last, scene.now.paris_day(), URGENT_DAYS).then_some((place, last))
}

/// The pathways where a stand-in by somebody of an organisation ends soon. Others are not looked at.
pub(super) fn stood_in(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Vec<PathwayId>, ServiceError> {
    // Until the midnight after the last day.
    let days = URGENT_DAYS.saturating_add(1);
    let Some(limit) = plus_days(now.paris_day(), days).map(Timestamp::paris_midnight) else {
        return Ok(Vec::new());
    };
    Ok(snapshot.pathways_stood_in(organisation, now, limit)?)
}

/// The pathways where somebody of an organisation who left it still has a place. Others are not looked at.
pub(super) fn located(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Vec<PathwayId>, ServiceError> {
    Ok(snapshot.pathways_left(organisation, now)?)
}
