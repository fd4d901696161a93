//! Lines about openings in an emergency (S13): for who opened, for the référent who may know, for the officer at once, for
//! the manager when the review is late.

use super::{Lines, Waiting, WaitingView, said};
use crate::access::facts::ParticipationFacts;
use crate::access::{Resource, may_review_emergency, office_knows_place};
use crate::clock::Timestamp;
use crate::domain::day::french_date;
use crate::domain::vocabulary::Function;
use crate::service::emergencies::known_to;
use crate::service::who::Names;
use crate::service::{Scene, ServiceError};

/// What stands in the place of a name for who may read none.
const NAMELESS: &str = "Accès en urgence";

fn hour(at: Timestamp) -> String {
    use chrono::Timelike;
    let local = at.utc().with_timezone(&chrono_tz::Europe::Paris);
    format!("{} à {} h {:02}", french_date(at.paris_day()), local.hour(), local.minute())
}

/// For a member of the circle.
pub(super) fn members(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    names: &mut Names,
    lines: &mut Lines<'_>,
) -> Result<(), ServiceError> {
    let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
    for (opening, place) in known_to(facts, book, me, now) {
        let mine = *opening.assignment() == me.assignment.id;
        let open = opening.in_force(now);
        let told = opening.family_waits();
        // Reviewed and told, or one's own that is over: nothing waits.
        let waits = told || (mine && open) || (!mine && opening.review().is_none());
        if !waits || scene.gate.resource(Resource::Emergency(opening.id().clone())).is_err() {
            continue;
        }
        let (id, on) = (Some(opening.id().as_str()), opening.opened_at().paris_day());
        if told {
            lines.add(
                Waiting::EmergencyToTell,
                id,
                Some(on),
                true,
                format!(
                    "Dites au jeune et à sa famille que l'identité et l'essentiel de la santé ont été ouverts en urgence \
                     le {}, puis notez qu'ils le savent.",
                    french_date(on)
                ),
            );
        } else if mine {
            lines.add(
                Waiting::EmergencyOpen,
                id,
                Some(on),
                true,
                format!("Votre accès en urgence est ouvert jusqu'au {}.", hour(opening.closes_at())),
            );
        } else {
            let who = names.who(scene.snapshot, &place.assignment)?;
            lines.add(
                Waiting::EmergencyKnown,
                id,
                Some(on),
                open,
                format!(
                    "{} a ouvert en urgence l'identité et l'essentiel de la santé, le {}. Le délégué à la protection des \
                     données examine cet accès.",
                    said(&who),
                    hour(opening.opened_at())
                ),
            );
        }
    }
    Ok(())
}

/// For an officer, and for a manager, who have no place here.
pub(super) fn overseers(scene: &mut Scene<'_>) -> Result<Vec<WaitingView>, ServiceError> {
    let facts = scene.gate.facts();
    let now = scene.now;
    let actor = scene.gate.actor().assignment();
    let mut lines = Lines { pathway: &facts.id, out: Vec::new() };
    let mut names = Names::default();
    for opening in facts.emergencies.iter().filter(|e| e.review().is_none()) {
        let Some(place) = facts.participation(opening.place()) else { continue };
        let late = opening.review_overdue(now);
        let (id, due) = (Some(opening.id().as_str()), opening.review_due().paris_day());
        let service = names.organisation(scene.snapshot, &place.assignment.organisation)?;
        if may_review_emergency(actor, now) && *opening.professional() != actor.professional {
            scene.gate.resource(Resource::EmergencyMotive(opening.id().clone()))?;
            let end = if late { "L'examen aurait dû avoir lieu" } else { "À examiner" };
            let sentence = format!(
                "{service} a ouvert un accès en urgence le {}. {end} avant le {}.",
                hour(opening.opened_at()),
                hour(opening.review_due())
            );
            lines.add(Waiting::EmergencyToReview, id, Some(due), true, sentence);
        } else if actor.function == Function::Manager && late && office_knows_place(actor, place) {
            scene.gate.resource(Resource::ManagerView)?;
            let sentence = format!(
                "Un accès en urgence ouvert dans votre structure le {} n'a pas été examiné. Appelez le délégué à la \
                 protection des données.",
                hour(opening.opened_at())
            );
            lines.add(Waiting::EmergencyUnreviewed, id, Some(due), true, sentence);
        }
    }
    for line in &mut lines.out {
        NAMELESS.clone_into(&mut line.name);
    }
    Ok(lines.out)
}
