//! Danger (S20): the numbers to call, one step from everywhere, behind no decision. Relais calls nobody.

use serde::Serialize;
use utoipa::ToSchema;

use super::flow::{Act, Call};
use super::{App, ServiceError};
use crate::audit::Disclosed;
use crate::domain::record::{Action, ResourceKind};

/// A number to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DangerNumber {
    pub who: String,
    pub number: String,
}

/// What to do when a child is in danger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DangerView {
    pub numbers: Vec<DangerNumber>,
    pub department: Option<String>,
    pub sentence: String,
}

impl App {
    /// The numbers: national ones, then those of the charter's Department.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn danger(&self, call: &Call) -> Result<Disclosed<DangerView>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Charter };
        self.read_desk(call, act, |desk| {
            let line =
                |who: &str, number: &str| DangerNumber { who: who.to_owned(), number: number.to_owned() };
            let mut numbers = vec![
                line("SAMU (urgence médicale)", "15"),
                line("Police, gendarmerie (danger immédiat)", "17"),
                line("Urgences, depuis tout téléphone", "112"),
                line("Allô enfance en danger", "119"),
            ];
            // LAW: R07, CASF L226-2-1. The concern unit and the duty prosecutor of this Department.
            let contacts = desk.book.in_force(desk.now).map(|e| e.charter.sheet().contacts.clone());
            if let Some(contacts) = &contacts {
                numbers.push(line("CRIP (informations préoccupantes)", &contacts.concern_unit_phone));
                numbers.push(line("Procureur de la République (permanence)", &contacts.prosecutor_phone));
            }
            Ok(DangerView {
                numbers,
                department: contacts.map(|c| c.department),
                sentence: "Relais ne transmet rien à votre place.".to_owned(),
            })
        })
    }
}
