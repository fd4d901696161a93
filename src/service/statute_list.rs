//! One's own statutory records on a pathway (CASF L226-2-2): where each stands, without its words.
//!
//! INVARIANT: a record is listed for its author and nobody else; the second person finds it among what awaits a manager.

use serde::Serialize;

use super::statutes::lapses_at;
use super::{Act, App, Call, Scene, ServiceError};
use crate::access::Resource;
use crate::access::facts::StatuteFile;
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::cell::StatuteFact;
use crate::domain::record::RowRef;
use crate::domain::statute::{Ground, StatuteEventKind, names_participation};
use crate::domain::vocabulary::Purpose;
use crate::ids::{ItemVersionId, PathwayId, StatuteId};

/// Where one's own record stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatuteState {
    /// Not informing waits for a second person's decision.
    AwaitsSecondPerson,
    /// It opens reading to everybody it names.
    Complete,
    /// Ended, lapsed, or refused by the second person.
    Over,
}

impl StatuteState {
    /// The words people read.
    #[must_use]
    pub const fn french(self) -> &'static str {
        match self {
            Self::AwaitsSecondPerson => "Attend la décision de votre responsable",
            Self::Complete => "En cours",
            Self::Over => "Terminé",
        }
    }
}

/// One of one's own records.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct StatuteLine {
    #[schema(value_type = String)]
    pub id: StatuteId,
    pub ground: Ground,
    pub from: String,
    pub until: Option<String>,
    pub state: StatuteState,
    #[schema(value_type = Vec<String>)]
    pub items: Vec<ItemVersionId>,
}

/// One's own records on a pathway.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct StatuteList {
    pub items: Vec<StatuteLine>,
}

fn state_of(scene: &Scene<'_>, file: &StatuteFile) -> StatuteState {
    let person = &scene.gate.facts().person;
    let complete = file.record.draft().recipients.iter().any(|r| {
        names_participation(&file.record, &file.events, &r.participation, person, scene.now).fact
            != StatuteFact::None
    });
    let decided = file.events.iter().any(|e| matches!(e.kind, StatuteEventKind::ExceptionDecided { .. }));
    if complete {
        StatuteState::Complete
    } else if lapses_at(scene, file).is_some() && file.record.needs_second_person() && !decided {
        StatuteState::AwaitsSecondPerson
    } else {
        StatuteState::Over
    }
}

impl App {
    /// One's own statutory records on a pathway, latest first, without their words.
    ///
    /// # Errors
    /// Refused without a full place.
    pub fn statutes_own(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
    ) -> Result<Disclosed<StatuteList>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Act)?;
            let facts = scene.gate.facts();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            scene.purpose = Some(Purpose::Protection);
            let mut items = Vec::new();
            for file in facts.statutes.iter().rev().filter(|f| f.author == me.id) {
                scene.gate.resource(Resource::StatuteWhole(file.id().clone()))?;
                let draft = file.record.draft();
                scene.returned.push(RowRef { table: "fact", id: file.id().as_str().to_owned(), version: 1 });
                items.push(StatuteLine {
                    id: file.id().clone(),
                    ground: draft.ground,
                    from: draft.recorded_at.rfc3339(),
                    until: lapses_at(scene, file).map(Timestamp::rfc3339),
                    state: state_of(scene, file),
                    items: draft.items.iter().cloned().collect(),
                });
            }
            Ok(scene.seal_facts(StatuteList { items }))
        })
    }
}
