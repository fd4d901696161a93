//! Lines about the review of a pathway (LAW: R34, S3): for the référent who holds it, and for the managers of the lead
//! organisation, who see to it that it is held.
//!
//! INVARIANT: a manager's line names no young person; it says which pathway as the page of the office does.

use chrono::NaiveDate;

use super::{Lines, Waiting, WaitingView, near, places};
use crate::access::facts::ParticipationFacts;
use crate::access::{REVIEW_GRACE_DAYS, Resource};
use crate::clock::{Timestamp, plus_days};
use crate::domain::day::french_date;
use crate::domain::vocabulary::{Function, Role};
use crate::ids::{OrganisationId, PathwayId};
use crate::service::who::Names;
use crate::service::{Scene, ServiceError};
use crate::store::Snapshot;
use crate::store::fact::FactKind;
use crate::store::pathway::CourseBody;

/// STORIES S3: warned at 30 days, and on the day.
const NOTICE_DAYS: u64 = 30;
/// What stands in the place of a name for who may read none.
const NAMELESS: &str = "Parcours de votre structure";

/// How near a review is, and when reading stops without it.
enum Stage {
    Soon,
    Due { pause: NaiveDate },
    Paused,
}

fn stage(day: NaiveDate, today: NaiveDate) -> Option<Stage> {
    let pause = plus_days(day, REVIEW_GRACE_DAYS).unwrap_or(day);
    if today >= pause {
        Some(Stage::Paused)
    } else if today >= day {
        Some(Stage::Due { pause })
    } else {
        near(day, today, NOTICE_DAYS).then_some(Stage::Soon)
    }
}

/// For a member of the circle.
pub(super) fn members(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    names: &mut Names,
    lines: &mut Lines<'_>,
) -> Result<(), ServiceError> {
    if me.role != Role::Referent {
        return managers(scene, names, lines);
    }
    let Some(day) = scene.gate.facts().review_on else { return Ok(()) };
    let Some(stage) = stage(day, scene.now.paris_day()) else { return Ok(()) };
    if scene.gate.resource(Resource::ReferentAct).is_err() {
        return Ok(());
    }
    let said = french_date(day);
    let (kind, urgent, sentence) = match stage {
        Stage::Soon => (
            Waiting::ReviewSoon,
            false,
            format!("Le bilan est prévu le {said}. À préparer avec le jeune et sa famille."),
        ),
        Stage::Due { pause } => (
            Waiting::ReviewDue,
            true,
            format!(
                "Le bilan était prévu le {said}. Aucun nouveau partage tant qu'il n'a pas eu lieu ; la lecture s'arrête le {}.",
                french_date(pause)
            ),
        ),
        Stage::Paused => (
            Waiting::ReviewOverdue,
            true,
            format!(
                "Partage en pause : le bilan du {said} n'a pas eu lieu. Seul un séjour en cours se lit encore."
            ),
        ),
    };
    lines.add(kind, None, Some(day), urgent, sentence);
    Ok(())
}

/// Whether who asks is a manager of the organisation that leads this pathway.
fn leads(scene: &Scene<'_>) -> bool {
    let actor = scene.gate.actor().assignment();
    actor.function == Function::Manager
        && actor.in_force(scene.now)
        && scene.gate.facts().lead == actor.organisation
}

/// For a manager of the lead organisation.
fn managers(scene: &mut Scene<'_>, names: &mut Names, lines: &mut Lines<'_>) -> Result<(), ServiceError> {
    lines.out.extend(of_structure(scene, names)?);
    Ok(())
}

/// STORIES S3. The review of this pathway, for a manager of the organisation that leads it: near, due or overdue.
pub(in crate::service) fn of_structure(
    scene: &mut Scene<'_>,
    names: &mut Names,
) -> Result<Option<WaitingView>, ServiceError> {
    let facts = scene.gate.facts();
    let Some(day) = facts.review_on.filter(|_| facts.closed_at.is_none() && leads(scene)) else {
        return Ok(None);
    };
    let Some(stage) = stage(day, scene.now.paris_day()) else { return Ok(None) };
    scene.gate.resource(Resource::ManagerView)?;
    let own = &scene.gate.actor().assignment().organisation;
    let now = scene.now;
    let (who, call, telephone) = match (facts.acting_referent(now), facts.referent_place(now)) {
        (Some(referent), _) if referent.assignment.organisation == *own => {
            let referent = names.reachable(scene.snapshot, &referent.assignment)?;
            (format!("référent {}", referent.who.name), "Appelez le référent.", referent.telephone)
        }
        (None, Some(left)) if left.assignment.organisation == *own => {
            ("sans référent".to_owned(), "Nommez d'abord qui reprend la place du référent.", String::new())
        }
        (Some(_) | None, _) => {
            ("référent d'une autre structure".to_owned(), "Appelez la structure du référent.", String::new())
        }
    };
    let which = format!("Parcours ouvert le {}, {who}.", french_date(facts.opened_at.paris_day()));
    let said = french_date(day);
    let (urgent, sentence) = match stage {
        Stage::Soon if facts.acting_referent(now).is_some() => (
            false,
            format!("{which} Le bilan est prévu le {said} : voyez avec le référent qu'il se prépare."),
        ),
        Stage::Soon => (false, format!("{which} Le bilan est prévu le {said}. {call}")),
        Stage::Due { pause } => (
            true,
            format!(
                "{which} Le bilan était prévu le {said}. Aucun nouveau partage tant qu'il n'a pas eu lieu ; la lecture \
                 s'arrête le {}. {call}",
                french_date(pause)
            ),
        ),
        Stage::Paused => {
            (true, format!("{which} Partage en pause : le bilan du {said} n'a pas eu lieu. {call}"))
        }
    };
    let mut lines = Lines { pathway: &facts.id, out: Vec::new() };
    let line = lines.add(Waiting::ReviewOfStructure, None, Some(day), urgent, sentence);
    NAMELESS.clone_into(&mut line.name);
    if urgent {
        line.calling(telephone);
    }
    Ok(lines.out.pop())
}

/// For a manager who has no place here: of the review, and of the places to fill.
pub(super) fn overseers(scene: &mut Scene<'_>) -> Result<Vec<WaitingView>, ServiceError> {
    let (mut names, mut lines) =
        (Names::default(), Lines { pathway: &scene.gate.facts().id, out: Vec::new() });
    managers(scene, &mut names, &mut lines)?;
    places::managers(scene, &mut names, &mut lines)?;
    for line in &mut lines.out {
        NAMELESS.clone_into(&mut line.name);
    }
    Ok(lines.out)
}

/// The open pathways led by an organisation whose review is near, due or overdue. Those where nothing is due are not
/// looked at, and have no record of being looked at.
pub(super) fn located(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Vec<PathwayId>, ServiceError> {
    let mut found = Vec::new();
    for pathway in snapshot.pathways_open_of(organisation)? {
        let key = snapshot.pathway_key(&pathway)?;
        let course = snapshot.facts_of::<CourseBody>(&key, &pathway, FactKind::Course)?;
        let day = course.last().and_then(|fact| fact.facts.review_on);
        if day.is_some_and(|day| stage(day, now.paris_day()).is_some()) {
            found.push(pathway);
        }
    }
    Ok(found)
}
