//! What an affectation would allow, told before it is stated.

use super::ServiceError;
use super::app::App;
use super::console::Office;
use super::flow::{Act, Call};
use super::structures::Warning;
use crate::audit::Disclosed;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Profession, Secrecy};
use crate::ids::OrganisationId;

impl App {
    /// What the charter in force says of a profession under a status, before anything is stated.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] for who could not state an affectation there.
    pub fn assignment_warnings(
        &self,
        call: &Call,
        organisation: &OrganisationId,
        profession: Profession,
        secrecy: Secrecy,
    ) -> Result<Disclosed<Vec<Warning>>, ServiceError> {
        let act = Act { action: Action::Preview, resource: ResourceKind::Assignment };
        self.read_desk(call, act, |desk| {
            let office = Office::at(desk);
            office.administers_or_manages(std::slice::from_ref(organisation))?;
            Ok(office.warnings(profession, secrecy))
        })
    }
}
