//! Who stands at the top of every page: one's own name, and the affectation under which one acts.
//!
//! It leaves no record of its own: it tells people only about themselves.
//! INVARIANT: it heads pages, and every page rests on a service call that is recorded; a test counts them.

use super::ServiceError;
use super::app::App;
use super::flow::Call;
use super::kept_forms::KeptLine;
use super::sessions::{CharterToSign, OwnAssignment, own_assignments, signed_by, unsigned};
use crate::clock::Timestamp;
use crate::store::account::AccountState;

/// One's own head line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Greeting {
    pub name: String,
    pub account: AccountState,
    /// The one under which this session acts.
    pub acting: Option<OwnAssignment>,
    /// The affectations in force, to choose from.
    pub assignments: Vec<OwnAssignment>,
    pub charters_to_sign: Vec<CharterToSign>,
    /// What this person wrote and could not send.
    pub kept: Vec<KeptLine>,
    /// When this session ends if nothing is asked for.
    pub ends_at: Timestamp,
    pub now: Timestamp,
}

impl App {
    /// One's own head line.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`], or the database's.
    pub fn greeting(&self, call: &Call) -> Result<Greeting, ServiceError> {
        let mut snapshot = self.store().snapshot()?;
        let now = self.moment(&mut snapshot)?;
        let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
        let person = snapshot
            .professional_fetch(signed_in.professional())?
            .ok_or_else(|| ServiceError::Internal("a session without its professional".to_owned()))?;
        let rows = snapshot.assignments_of(&person.id)?;
        let book = self.book(&mut snapshot)?;
        let mut assignments = own_assignments(&mut snapshot, &rows, now)?;
        assignments.retain(|a| a.in_force);
        let session = &signed_in.session;
        let acting = assignments.iter().find(|a| session.assignment.as_ref() == Some(&a.id)).cloned();
        Ok(Greeting {
            name: person.words.name,
            account: person.state,
            acting,
            assignments,
            kept: super::kept_forms::lines(self, &mut snapshot, signed_in.professional(), now)?,
            charters_to_sign: unsigned(&book, &signed_by(&rows), now),
            ends_at: session.expires_at.min(now.plus_seconds(super::flow::IDLE_SECONDS)),
            now,
        })
    }
}
