//! Who stands at the top of every page: one's own name, and the affectation under which one acts.
//!
//! It leaves no record of its own: it tells people only about themselves.
//! INVARIANT: it heads pages, and every page rests on a service call that is recorded; a test counts them.

use super::ServiceError;
use super::app::App;
use super::flow::Call;
use super::kept_forms::KeptLine;
use super::sessions::{CharterToSign, OwnAssignment, own_assignments, signed_by, unsigned};
use crate::access::CharterBook;
use crate::clock::Timestamp;
use crate::domain::vocabulary::Function;
use crate::store::Snapshot;
use crate::store::account::AccountState;
use crate::store::organisation::AssignmentRow;

/// One's own head line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Greeting {
    pub name: String,
    pub account: AccountState,
    /// The one under which this session acts.
    pub acting: Option<OwnAssignment>,
    /// The affectations in force, to choose from.
    pub assignments: Vec<OwnAssignment>,
    /// Affectations that cannot be chosen yet; only where there is none to choose.
    pub awaited: Vec<AwaitedAssignment>,
    pub charters_to_sign: Vec<CharterToSign>,
    /// Who can sign the charter for the own structure, which has not signed the one in force.
    pub structure_unsigned: Option<Vec<Signer>>,
    /// What this person wrote and could not send.
    pub kept: Vec<KeptLine>,
    /// When this session ends if nothing is asked for.
    pub ends_at: Timestamp,
    pub now: Timestamp,
}

/// An affectation that is stated and cannot be worked under yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AwaitedAssignment {
    pub assignment: OwnAssignment,
    /// The structure's own number: nobody has recognised the reader yet, who is told no name.
    pub telephone: String,
    pub starts_at: Timestamp,
}

/// Somebody who can sign the charter for a structure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signer {
    pub name: String,
    pub telephone: String,
}

/// Who can sign the charter in force for the structure under which one acts, where nobody has. A platform function reads
/// nothing that rests on it.
fn structure_unsigned(
    snapshot: &mut Snapshot,
    book: &CharterBook,
    acting: Option<&OwnAssignment>,
    now: Timestamp,
) -> Result<Option<Vec<Signer>>, ServiceError> {
    let (Some(acting), Some(edition)) = (acting, book.in_force(now)) else { return Ok(None) };
    if acting.profession.is_platform() || edition.signed_by.contains(&acting.organisation) {
        return Ok(None);
    }
    let mut signers = Vec::new();
    for row in snapshot.assignments_in(&acting.organisation)? {
        if row.facts.function == Function::Manager
            && row.facts.in_force(now)
            && let Some(person) = snapshot.professional_fetch(&row.facts.professional)?
        {
            signers.push(Signer { name: person.words.name, telephone: person.words.telephone });
        }
    }
    Ok(Some(signers))
}

/// The affectations that are not over and not in force.
fn awaited(
    snapshot: &mut Snapshot,
    rows: &[AssignmentRow],
    all: Vec<OwnAssignment>,
    now: Timestamp,
) -> Result<Vec<AwaitedAssignment>, ServiceError> {
    let mut out = Vec::new();
    for (row, assignment) in rows.iter().zip(all) {
        if row.facts.ends_at.is_some_and(|end| end <= now) {
            continue;
        }
        let organisation = snapshot
            .organisation_fetch(&assignment.organisation)?
            .ok_or_else(|| ServiceError::Internal("an affectation without its organisation".to_owned()))?;
        out.push(AwaitedAssignment {
            assignment,
            telephone: organisation.words.telephone,
            starts_at: row.facts.starts_at,
        });
    }
    Ok(out)
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
        let person =
            snapshot.professional_fetch(signed_in.professional())?.ok_or_else(ServiceError::nobody)?;
        let rows = snapshot.assignments_of(&person.id)?;
        let book = self.book(&mut snapshot)?;
        let all = own_assignments(&mut snapshot, &rows, now)?;
        let assignments: Vec<OwnAssignment> = all.iter().filter(|a| a.in_force).cloned().collect();
        let awaited =
            if assignments.is_empty() { awaited(&mut snapshot, &rows, all, now)? } else { Vec::new() };
        let session = &signed_in.session;
        let acting = assignments.iter().find(|a| session.assignment.as_ref() == Some(&a.id)).cloned();
        let structure_unsigned = structure_unsigned(&mut snapshot, &book, acting.as_ref(), now)?;
        Ok(Greeting {
            structure_unsigned,
            awaited,
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
