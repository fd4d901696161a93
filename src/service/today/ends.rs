//! Lines about what comes to its end by itself, or has: a line of « Qui a regardé ? » told later, and an accord that was
//! one's whole place.

use super::{Lines, Waiting, WaitingView, near};
use crate::access::{Resource, reading_ended};
use crate::domain::day::french_date;
use crate::service::Scene;
use crate::service::decisions::DEFERRAL_REVIEW_DAYS;
use crate::service::deferrals::ends_next;

/// LAW §6. A line that is told later comes back by itself: the référent hears it before.
pub(super) fn deferrals(scene: &mut Scene<'_>, lines: &mut Lines<'_>) {
    let Some(day) = ends_next(scene) else { return };
    if near(day, scene.now.paris_day(), DEFERRAL_REVIEW_DAYS) {
        let sentence = format!(
            "« Qui a regardé ? » : une ligne reportée reparaît le {} sans nouvelle décision de votre responsable.",
            french_date(day)
        );
        lines.add(Waiting::DeferralEnds, None, Some(day), true, sentence);
    }
}

/// STORIES S6: recipients are told that an accord ended, not by whom nor why. The same words to everybody, a service that
/// others may not know included.
///
/// THREAT: whoever lost a pathway reads it as absent. The line names neither the young person, nor the pathway, nor the
/// day: it tells nothing of what goes on there, not even that it still does.
pub(super) fn ended(scene: &mut Scene<'_>) -> Option<WaitingView> {
    let me = scene.gate.participation()?;
    if !reading_ended(scene.gate.facts(), me, scene.now) {
        return None;
    }
    scene.gate.resource(Resource::ReadingEnded).ok()?;
    Some(WaitingView {
        kind: Waiting::AccordEnded,
        pathway: String::new(),
        name: String::new(),
        object: None,
        on: None,
        urgent: false,
        sentence:
            "Un accord a pris fin : vous ne lisez plus un parcours où vous étiez. Rendez ou détruisez tout \
                   papier imprimé."
                .to_owned(),
        telephone: None,
    })
}
