//! The course of a pathway: its steps and reviews, another référent, its end.
//!
//! INVARIANTS
//! * Steps follow one another; none is skipped, none is taken back (R03).
//! * A pathway has one référent, whose existence is hidden from nobody (S11).
//! * Its end ends every share and every place but the référent's, on the next request.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ClosingReason, act, review};
use crate::access::facts::ParticipationFacts;
use crate::access::{Resource, may_know};
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::{Role, Step};
use crate::ids::{FactId, ParticipationId, PathwayId};
use crate::service::people::{PreferenceInput, preference_fact};
use crate::service::shares_end::ended_shares;
use crate::service::who::still_open;
use crate::service::{Act, App, Call, Change, Created, ServiceError};
use crate::store::StoreError;
use crate::store::fact::{FactKind, RowAt};
use crate::store::pathway::{CourseBody, ParticipationChange};

/// The next step, or another review date.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourseInput {
    pub step: Step,
    pub review_on: Day,
}

/// The end of a pathway.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosingInput {
    pub reason: ClosingReason,
    pub words: Option<Paragraph<600>>,
}

/// Facts of a closure (fact `closure`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureBody {
    pub reason: ClosingReason,
}

/// Its words.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureWords {
    pub words: Paragraph<600>,
}

/// Another référent, with what the young person said about it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferentInput {
    pub participation: ParticipationId,
    pub preference: PreferenceInput,
}

impl App {
    /// The next step, in order, and the next review (R03).
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn course_set(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: CourseInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Update), pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            // LAW: R03. Steps follow one another; none is skipped, none is taken back.
            let ahead = input.step.index().checked_sub(facts.step.index());
            if !matches!(ahead, Some(0 | 1)) {
                return Err(ServiceError::rule(
                    "step_order",
                    "Les étapes se suivent dans l'ordre : choisissez l'étape actuelle ou la suivante.",
                ));
            }
            let body = CourseBody { step: input.step, review_on: Some(review(input.review_on, scene.now)?) };
            let previous = scene
                .snapshot
                .facts_of::<CourseBody>(scene.key, &facts.id, FactKind::Course)?
                .pop()
                .ok_or_else(|| StoreError::corrupt("fact", &"no `course`"))?;
            let fact = scene.snapshot.fact_amend(&scene.pen(), FactKind::Course, &previous.id, &body)?;
            Ok(Change::new(facts.id.as_str()).fact(fact))
        })
    }

    /// Closes a pathway: shares end, every place but the référent's ends. What a service wrote stays its own until
    /// it is erased; nobody else reads it any more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn pathway_close(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &ClosingInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::End), pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            let id = FactId::random(scene.app.chance())?;
            let words = input.words.clone().map(|words| ClosureWords { words });
            let closure = scene.pen().with_words(
                RowAt::first(FactKind::Closure, id.as_str()),
                &ClosureBody { reason: input.reason },
                words.as_ref(),
            )?;
            let (row, closing) = (facts.id.clone(), facts.id.clone());
            let mut change = Change::new(facts.id.as_str())
                .step(
                    RowRef { table: "pathway", id: row.as_str().to_owned(), version: facts.version },
                    move |tx, at| tx.pathway_close(&closing, at),
                )
                .fact(closure);
            for share in ended_shares(scene, |_| true)? {
                change = change.fact(share);
            }
            for p in facts.participations.iter().filter(|p| p.role != Role::Referent && p.ended_at.is_none())
            {
                change = end_place(change, &facts.id, p);
            }
            Ok(change)
        })
    }

    /// Names another référent; the one before becomes a member of the circle.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn referent_name(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &ReferentInput,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Update, resource: ResourceKind::Participation };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::ReferentAct)?;
            let facts = scene.gate.facts();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let next = facts
                .participation(&input.participation)
                .filter(|p| p.in_force(scene.now) && may_know(facts, scene.gate.book(), me, p, scene.now))
                .ok_or(ServiceError::AbsentOrRefused)?;
            still_open(facts)?;
            // LAW: S11. A hidden existence cannot be the référent.
            if next.existence.category().is_some()
                || next.role != Role::Participant
                || !next.assignment.in_force(scene.now)
            {
                return Err(ServiceError::rule(
                    "cannot_be_referent",
                    "Cette personne ne peut pas être référente : choisissez un autre membre du cercle.",
                ));
            }
            let preference = preference_fact(scene, &input.preference, &next.id)?;
            let role = |change: Change, p: &ParticipationFacts, role: Role| {
                let (pathway, id, version) = (facts.id.clone(), p.id.clone(), p.version);
                let row = RowRef {
                    table: "participation",
                    id: id.as_str().to_owned(),
                    version: version.saturating_add(1),
                };
                let new = ParticipationChange { role: Some(role), ..ParticipationChange::default() };
                change.step(row, move |tx, _| tx.participation_update(&pathway, &id, version, &new))
            };
            let change = role(Change::new(next.id.as_str()), me, Role::Participant);
            Ok(role(change, next, Role::Referent).fact(preference))
        })
    }
}

/// Adds the end of one place to a change.
pub(in crate::service) fn end_place(change: Change, on: &PathwayId, p: &ParticipationFacts) -> Change {
    let (pathway, id, version) = (on.clone(), p.id.clone(), p.version);
    let row =
        RowRef { table: "participation", id: id.as_str().to_owned(), version: version.saturating_add(1) };
    change.step(row, move |tx, at| {
        let ended = ParticipationChange { ended_at: Some(at), ..ParticipationChange::default() };
        tx.participation_update(&pathway, &id, version, &ended)
    })
}
