//! « Noter qu'une transmission a été faite » (S20): that it happened, when and to whom, for the author's organisation
//! only. LAW §0.6: Relais is never the channel of an information préoccupante; nothing of what was transmitted is kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flow::{Act, Call, Change, Created};
use super::members::me;
use super::{App, ServiceError};
use crate::access::{Resource, may_know};
use crate::audit::Disclosed;
use crate::domain::day::Day;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::code_enum;
use crate::ids::{ParticipationId, PathwayId, TransmissionId};
use crate::store::fact::{FactKind, RowAt};

code_enum! {
    /// To whom a transmission was made.
    TransmittedTo, "addressee of a transmission" {
        Crip = "crip", "CRIP";
        Prosecutor = "prosecutor", "Procureur de la République";
        ChildLine = "child_line", "119";
        Emergency = "emergency", "Secours (15, 17, 112)";
        Judge = "judge", "Juge des enfants";
        Other = "other", "Autre autorité";
    }
}

/// A transmission that was made outside Relais.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransmission {
    pub on: Day,
    pub to: TransmittedTo,
}

/// What is kept of it (fact `transmission`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransmissionBody {
    pub author: ParticipationId,
    pub on: Day,
    pub to: TransmittedTo,
}

/// One mention.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransmissionView {
    #[schema(value_type = String)]
    pub id: TransmissionId,
    pub by: String,
    pub on: Day,
    pub to: TransmittedTo,
}

/// The mentions of the asker's organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransmissionList {
    pub items: Vec<TransmissionView>,
}

impl App {
    /// Notes that a transmission was made.
    ///
    /// # Errors
    /// [`ServiceError`]; refused and absent are one.
    pub fn transmission_note(
        &self,
        call: &Call,
        pathway: &PathwayId,
        new: &NewTransmission,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::Transmission };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            if new.on.date() > scene.now.paris_day() {
                return Err(ServiceError::rule("on", "Cette date n'est pas encore venue : vérifiez-la."));
            }
            let id = TransmissionId::random(self.chance())?;
            let body = TransmissionBody { author: me(scene)?.id.clone(), on: new.on, to: new.to };
            let fact = scene.pen().facts(RowAt::first(FactKind::Transmission, id.as_str()), &body)?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// The mentions made by the asker's organisation; never anybody else's, the référent's included.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn transmissions_list(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<TransmissionList>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Transmission };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let myself = me(scene)?;
            let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
            let rows =
                scene.snapshot.facts_of::<TransmissionBody>(scene.key, pathway, FactKind::Transmission)?;
            let mut items = Vec::new();
            for row in rows {
                let author = facts
                    .participation(&row.facts.author)
                    .filter(|a| a.assignment.organisation == myself.assignment.organisation)
                    .filter(|a| may_know(facts, book, myself, a, now));
                let Some(author) = author else { continue };
                let by = self.member_view(scene.snapshot, book, author, now)?.named();
                scene.returned.push(RowRef { table: "fact", id: row.id.clone(), version: row.version });
                items.push(TransmissionView {
                    id: TransmissionId::parse(&row.id).map_err(|e| ServiceError::Internal(e.to_string()))?,
                    by,
                    on: row.facts.on,
                    to: row.facts.to,
                });
            }
            Ok(scene.seal_facts(TransmissionList { items }))
        })
    }
}
