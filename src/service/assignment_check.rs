//! What an affectation would allow, told before it is stated.

use super::ServiceError;
use super::app::App;
use super::console::Office;
use super::flow::{Act, Call};
use super::structures::{AssignmentDraft, Warning, secrecy_stands};
use crate::audit::Disclosed;
use crate::domain::record::{Action, ResourceKind};

impl App {
    /// What the charter in force says of an affectation, before it is stated.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] for who could not state an affectation there; a rule, where its status cannot rest
    /// on its text.
    pub fn assignment_warnings(
        &self,
        call: &Call,
        draft: &AssignmentDraft,
    ) -> Result<Disclosed<Vec<Warning>>, ServiceError> {
        let act = Act { action: Action::Preview, resource: ResourceKind::Assignment };
        self.read_desk(call, act, |desk| {
            let office = Office::at(desk);
            office.administers_or_manages(std::slice::from_ref(&draft.organisation))?;
            secrecy_stands(draft)?;
            Ok(office.warnings(draft.profession, draft.secrecy))
        })
    }
}
