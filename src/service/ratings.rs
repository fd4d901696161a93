//! « À partir de 0 » (S2): the service that took over says whether it had to start again. Kept as numbers by kind of
//! structure and month, and read by who steers; never a mark on a colleague.
//!
//! INVARIANTS
//! * The answer stands in no fact and in no record: only that one was given, once for each handover.
//! * Months that are over only, so that nobody learns an answer by looking before and after.
//! * Fewer than five answers are not shown, neither as a line nor as a number of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flow::{Act, Call, Change, Created};
use super::handovers::{body_of, find, seal};
use super::members::me;
use super::{App, ServiceError};
use crate::access::Resource;
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{OrganisationKind, Profession, StartedAgain};
use crate::ids::{HandoverId, PathwayId};
use crate::store::rating::RatingCount;

/// THREAT: a small number names somebody. Below this nothing is shown.
const FEWEST: i64 = 5;

/// What the receiving service says.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoverRating {
    pub started_again: StartedAgain,
}

/// The handovers to one kind of structure in one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RatingLine {
    /// `YYYY-MM`.
    pub month: String,
    /// Of the structure that took over.
    pub kind: OrganisationKind,
    /// Each number is absent when fewer than five services said so.
    pub not_at_all: Option<i64>,
    pub partly: Option<i64>,
    pub from_scratch: Option<i64>,
}

/// Lines of five answers or more, of the months that are over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RatingTable {
    pub items: Vec<RatingLine>,
}

fn month_of(at: Timestamp) -> String {
    at.paris_day().format("%Y-%m").to_string()
}

/// Nothing small is left, and nothing from which something small could be worked out: no total is given.
fn shown(counts: Vec<RatingCount>) -> Vec<RatingLine> {
    let mut lines: BTreeMap<(String, OrganisationKind), BTreeMap<StartedAgain, i64>> = BTreeMap::new();
    for count in counts {
        lines.entry((count.month, count.kind)).or_default().insert(count.answer, count.number);
    }
    lines
        .into_iter()
        .filter(|(_, answers)| answers.values().sum::<i64>() >= FEWEST)
        .map(|((month, kind), answers)| {
            let number = |answer| answers.get(&answer).copied().filter(|n| *n >= FEWEST);
            RatingLine {
                month,
                kind,
                not_at_all: number(StartedAgain::NotAtAll),
                partly: number(StartedAgain::Partly),
                from_scratch: number(StartedAgain::FromScratch),
            }
        })
        .collect()
}

impl App {
    /// The receiving end of a complete handover says, once, whether it had to start again.
    ///
    /// # Errors
    /// [`ServiceError`]; for anybody but the two ends it reads as absent.
    pub fn handover_rate(
        &self,
        call: &Call,
        pathway: &PathwayId,
        handover: &HandoverId,
        rating: HandoverRating,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Update, resource: ResourceKind::Handover };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Handover(handover.clone()))?;
            let (found, _) = find(scene, handover)?;
            if found.incoming != me(scene)?.id {
                return Err(ServiceError::AbsentOrRefused);
            }
            if !found.complete() {
                return Err(ServiceError::rule(
                    "handover_not_done",
                    "Ce passage de relais n'est pas fait : confirmez-le tous les deux d'abord.",
                ));
            }
            let (version, mut body) = body_of(scene, handover)?;
            if body.rated_at.is_some() {
                return Err(ServiceError::rule("already_rated", "Vous avez déjà répondu : une fois suffit."));
            }
            body.rated_at = Some(scene.now);
            let organisation = &scene.gate.actor().assignment().organisation;
            let kind = scene
                .snapshot
                .organisation_fetch(organisation)?
                .ok_or_else(|| ServiceError::Internal("an affectation without its organisation".to_owned()))?
                .kind;
            let month = month_of(scene.now);
            let row = RowRef { table: "handover_rating", id: month.clone(), version: 1 };
            let fact = seal(scene, handover, version.saturating_add(1), &body)?;
            Ok(Change::new(handover.as_str())
                .fact(fact)
                .step(row, move |tx, _| tx.handover_rating_add(&month, kind, rating.started_again)))
        })
    }

    /// How often services had to start again, for who steers the territory: an administrator.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] to anybody else.
    pub fn handover_ratings(&self, call: &Call) -> Result<Disclosed<RatingTable>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Handover };
        self.read_desk(call, act, |desk| {
            desk.signed_in.acting_as(Profession::Administrator, desk.now)?;
            let counts = desk.snapshot.handover_ratings_before(&month_of(desk.now))?;
            Ok(RatingTable { items: shown(counts) })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(month: &str, answer: StartedAgain, number: i64) -> RatingCount {
        RatingCount { month: month.to_owned(), kind: OrganisationKind::Association, answer, number }
    }

    #[test]
    fn law_small_numbers_are_not_shown_and_cannot_be_worked_out() {
        use StartedAgain::{FromScratch, NotAtAll, Partly};
        let lines = shown(vec![
            count("2027-03", NotAtAll, 12),
            count("2027-03", Partly, 4),
            count("2027-03", FromScratch, 5),
            count("2027-04", NotAtAll, 3),
            count("2027-04", FromScratch, 1),
        ]);
        assert_eq!(lines.len(), 1, "four answers are no line: {lines:?}");
        assert_eq!((lines[0].not_at_all, lines[0].partly, lines[0].from_scratch), (Some(12), None, Some(5)));
    }
}
