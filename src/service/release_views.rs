//! Releases as they are listed: to who recorded them, with where each sheet stands.
//!
//! INVARIANTS
//! * Each line passes the gate of its own sheet: nobody learns of a release that somebody else prepared.
//! * No words: facts only. Where a sheet stands is worked out from its events, and stored nowhere.

use serde::Serialize;
use utoipa::ToSchema;

use super::accord_views::{StateView, state_view};
use super::consent::{Directory, RecipientView};
use super::flow::{Act, Call, Scene};
use super::who::iso;
use super::{App, ServiceError};
use crate::access::{Resource, may_know};
use crate::audit::Disclosed;
use crate::domain::accord::AccordState;
use crate::domain::record::RowRef;
use crate::domain::release::{Release, ReleaseBasis, ReleaseQuery, released};
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::{ItemId, ItemVersionId, PathwayId, ReleaseId};

/// One release, for who recorded it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReleaseView {
    #[schema(value_type = String)]
    pub id: ReleaseId,
    #[schema(value_type = String)]
    pub pathway: PathwayId,
    pub purpose: Purpose,
    pub recipient: RecipientView,
    pub only_one_person: bool,
    pub category: Category,
    #[schema(value_type = String)]
    pub item: ItemId,
    /// The version whose words were shown.
    #[schema(value_type = String)]
    pub version: ItemVersionId,
    #[schema(format = Date)]
    pub made_on: String,
    pub state: StateView,
    /// The words were corrected or erased since: this sheet validates nothing that is read today.
    pub superseded: bool,
    /// Another sheet, an accord's or a release's, validated the same words for the same recipient and purpose.
    pub validated_elsewhere: bool,
}

/// The releases that the asker recorded, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReleaseList {
    pub items: Vec<ReleaseView>,
}

/// Where a sheet stands, and whether anything still depends on it.
pub(super) struct Standing {
    pub state: AccordState,
    pub superseded: bool,
    /// Validated by a sheet of which the asker may know.
    pub validated: bool,
}

impl Standing {
    pub fn of(scene: &Scene<'_>, release: &Release) -> Self {
        let (facts, now) = (scene.gate.facts(), scene.now);
        let own = release.facts();
        let line = own.line();
        let file = facts.consent();
        let validated = line.shown.iter().all(|shown| {
            let query = ReleaseQuery {
                item_version: &shown.version,
                category: shown.category,
                purpose: own.purpose(),
                recipient: &line.recipient,
                assignment: line.only_assignment.as_ref(),
            };
            let answer = released(&query, &file, now);
            // THREAT: existence oracle. That a service had the same words validated tells that it is there.
            answer.released && answer.basis.is_some_and(|basis| known_sheet(scene, &basis))
        });
        let current = |version: &ItemVersionId| {
            facts.version(version).is_some_and(|(item, shown)| {
                item.current().is_some_and(|c| c.id == shown.id) && !shown.erased
            })
        };
        Self {
            state: release.state(&file, now),
            superseded: !line.shown.iter().all(|shown| current(&shown.version)),
            validated,
        }
    }

    /// Whether the family has still to be asked.
    pub fn waits(&self) -> bool {
        let unsigned = match &self.state {
            AccordState::Draft | AccordState::Printed { .. } | AccordState::PartlySigned { .. } => true,
            AccordState::Upcoming { .. }
            | AccordState::InForce { .. }
            | AccordState::Refused { .. }
            | AccordState::Withdrawn { .. }
            | AccordState::Expired
            | AccordState::Replaced { .. } => false,
        };
        unsigned && !self.superseded && !self.validated
    }
}

/// Whether the asker recorded this sheet, or may know of who did.
fn known_sheet(scene: &Scene<'_>, basis: &ReleaseBasis) -> bool {
    let facts = scene.gate.facts();
    let by = match basis {
        ReleaseBasis::Release(id) => {
            facts.releases.iter().find(|r| r.facts().id() == id).map(|r| r.facts().recorded_by())
        }
        ReleaseBasis::Accord(basis) => {
            facts.accords.iter().find(|a| *a.facts().id() == basis.accord).map(|a| a.facts().collected_by())
        }
    };
    let (Some(by), Some(me)) = (by, scene.gate.participation()) else { return false };
    if *by == me.assignment.id {
        return true;
    }
    let mut places = facts.participations.iter().filter(|p| p.assignment.id == *by).peekable();
    places.peek().is_some() && places.all(|p| may_know(facts, scene.gate.book(), me, p, scene.now))
}

fn view(scene: &Scene<'_>, directory: &Directory, release: &Release) -> Option<ReleaseView> {
    let facts = scene.gate.facts();
    let own = release.facts();
    let line = own.line();
    let shown = line.shown.first()?;
    let (item, _) = facts.version(&shown.version)?;
    let standing = Standing::of(scene, release);
    let in_force = matches!(standing.state, AccordState::InForce { .. });
    Some(ReleaseView {
        id: own.id().clone(),
        pathway: facts.id.clone(),
        purpose: own.purpose(),
        recipient: directory.view(&line.recipient),
        only_one_person: line.only_assignment.is_some(),
        category: shown.category,
        item: item.id.clone(),
        version: shown.version.clone(),
        made_on: iso(own.made_on()),
        state: state_view(scene, &standing.state, true),
        superseded: standing.superseded,
        validated_elsewhere: standing.validated && !in_force,
    })
}

impl App {
    /// The releases that the asker recorded on a pathway, each with where its sheet stands.
    ///
    /// # Errors
    /// Refused to whoever has no place there.
    pub fn release_list(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
    ) -> Result<Disclosed<ReleaseList>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let directory = Directory::read(scene)?;
            let mut items = Vec::new();
            for release in &scene.gate.facts().releases {
                let id = release.facts().id();
                if scene.gate.resource(Resource::ReleaseWhole(id.clone())).is_err() {
                    continue;
                }
                let Some(line) = view(scene, &directory, release) else { continue };
                scene.returned.push(RowRef { table: "fact", id: id.as_str().to_owned(), version: 1 });
                items.push(line);
            }
            Ok(scene.seal_facts(ReleaseList { items }))
        })
    }
}
