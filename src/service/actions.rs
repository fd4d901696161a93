//! Actions: what is to be done, by when and by whom; begun only under an accord (R05).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call, Change, Created, Scene};
use super::items::may_write;
use super::who::still_open;
use crate::access::facts::{ItemKind, ParticipationFacts, PathwayFacts};
use crate::access::{Resource, may_know};
use crate::clock::Timestamp;
use crate::domain::accord::acts_under_accord;
use crate::domain::cell::Reason;
use crate::domain::day::Day;
use crate::domain::item::ActionContent;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors, Text};
use crate::domain::vocabulary::{Category, Purpose, Role, code_enum};
use crate::ids::{ItemId, ItemVersionId, ParticipationId, PathwayId};
use crate::store::StoreError;
use crate::store::fact::{FactKind, RowAt};
use crate::store::item::{NewItem, NewVersion, Words};

code_enum! {
    /// How far an action is.
    ActionState, "state of an action" {
        Proposed = "proposed", "Proposée";
        InProgress = "in_progress", "En cours";
        Done = "done", "Faite";
        Dropped = "dropped", "Abandonnée";
    }
}

impl ActionState {
    const fn leads_to(self, next: Self) -> bool {
        match self {
            Self::Proposed => matches!(next, Self::InProgress | Self::Dropped),
            Self::InProgress => matches!(next, Self::Done | Self::Dropped),
            Self::Done | Self::Dropped => false,
        }
    }
}

/// A proposed action.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionInput {
    pub category: Category,
    pub what: Text<140>,
    pub by_when: Day,
    pub who: ParticipationId,
}

/// The next state of an action.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgressInput {
    pub state: ActionState,
}

/// How far an action is (fact `progress`; its id is the action's).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressBody {
    pub item: ItemId,
    pub state: ActionState,
    pub who: ParticipationId,
}

/// The progress of one action.
pub(super) fn progress_of(scene: &mut Scene<'_>, item: &ItemId) -> Result<ProgressBody, ServiceError> {
    let id = &scene.gate.facts().id;
    scene
        .snapshot
        .facts_of::<ProgressBody>(scene.key, id, FactKind::Progress)?
        .into_iter()
        .map(|f| f.facts)
        .find(|p| p.item == *item)
        .ok_or_else(|| StoreError::corrupt("fact", &"an action without progress").into())
}

/// LAW: R05. An action is in progress only under an accord in force for coordination that names the organisation of
/// who acts; the lead acts under any such accord of this pathway.
fn covered(facts: &PathwayFacts, who: &ParticipationFacts, now: Timestamp) -> bool {
    let file = facts.consent();
    let under = |organisation| acts_under_accord(organisation, Purpose::Coordination, &file, now).named;
    under(&who.assignment.organisation)
        || (who.assignment.organisation == facts.lead
            && facts.accords.iter().flat_map(|a| a.facts().lines()).any(|l| under(&l.recipient.organisation)))
}

const fn act(action: Action) -> Act {
    Act { action, resource: ResourceKind::ActionItem }
}

impl App {
    /// Proposes an action.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn action_propose(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &ActionInput,
    ) -> Result<Created, ServiceError> {
        self.change(call, act(Action::Create), pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let facts = scene.gate.facts();
            let now = scene.now;
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            still_open(facts)?;
            may_write(scene, me, [input.category])?;
            // THREAT: existence oracle. A hidden place is as unknown here as one that is not there.
            let known = facts.participation(&input.who).is_some_and(|p| {
                p.in_force(now)
                    && p.role != Role::StayOrganiser
                    && may_know(facts, scene.gate.book(), me, p, now)
            });
            if !known {
                return Err(FieldErrors::one("who", EntryError::NotInList { list: "member" }).into());
            }
            if input.by_when.date() < now.paris_day() {
                return Err(ServiceError::rule(
                    "already_over",
                    "Cette date est passée : choisissez aujourd'hui ou plus tard.",
                ));
            }
            let a = scene.gate.actor().assignment();
            let chance = scene.app.chance();
            let id = ItemId::random(chance)?;
            let item = NewItem {
                id: id.clone(),
                pathway: facts.id.clone(),
                kind: ItemKind::Action,
                category: input.category,
                subjects: Vec::new(),
                for_stay: false,
                author: me.id.clone(),
                author_assignment: a.id.clone(),
                created_at: now,
            };
            scene.categories.insert(input.category);
            let content =
                ActionContent { what: input.what.clone(), by_when: input.by_when, who: input.who.clone() };
            let version = NewVersion::seal(
                scene.key,
                chance,
                &ItemVersionId::random(chance)?,
                &id,
                &facts.id,
                1,
                a.secrecy_at(now),
                now,
                None,
                &Words::Action(content),
            )?;
            let progress = scene.pen().facts(
                RowAt::first(FactKind::Progress, id.as_str()),
                &ProgressBody { item: id.clone(), state: ActionState::Proposed, who: input.who.clone() },
            )?;
            Ok(Change::new(id.as_str()).item(item).version(version).fact(progress))
        })
    }

    /// Moves an action on: who wrote it, or who does it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn action_progress(
        &self,
        call: &Call,
        id: &ItemId,
        input: ProgressInput,
    ) -> Result<Created, ServiceError> {
        let pathway = self.pathway_of_item(id)?;
        self.change(call, act(Action::Update), &pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let facts = scene.gate.facts();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let item = facts
                .item(id)
                .filter(|i| i.kind == ItemKind::Action)
                .ok_or(ServiceError::AbsentOrRefused)?;
            let progress = progress_of(scene, id)?;
            if item.author_assignment != me.assignment.id && progress.who != me.id {
                return Err(ServiceError::AbsentOrRefused);
            }
            still_open(facts)?;
            if !progress.state.leads_to(input.state) {
                return Err(ServiceError::rule(
                    "action_order",
                    "Une action est proposée, puis en cours, puis faite ou abandonnée : choisissez l'étape suivante.",
                ));
            }
            let who = facts.participation(&progress.who).ok_or(ServiceError::AbsentOrRefused)?;
            if input.state == ActionState::InProgress && !covered(facts, who, scene.now) {
                return Err(ServiceError::denied(
                    Reason::AccordMissing,
                    "accord_needed_to_act",
                    "Aucune action ne commence sans accord : recueillez l'accord de la famille pour coordonner le \
                     parcours.",
                ));
            }
            let body = ProgressBody { state: input.state, ..progress };
            let fact = scene.snapshot.fact_amend(&scene.pen(), FactKind::Progress, id.as_str(), &body)?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }
}
