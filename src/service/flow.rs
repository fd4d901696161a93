//! The shape of every request: authenticate and decide on one snapshot, then one job for the lane, at most three times.
//!
//! INVARIANT: whatever way a request with a session ends, it hands the lane a record.

mod change;
mod ends;
mod reads;
mod scene;
mod signed_in;
#[cfg(test)]
mod tests;
mod writes;

pub use change::Change;
pub use scene::{Desk, Scene};
pub use signed_in::SignedIn;
pub use writes::ALREADY_RECORDED;

use super::error::ServiceError;
use crate::access::Refusal;
use crate::clock::Timestamp;
use crate::crypto::token::TokenHash;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::{AssignmentId, PathwayId, RequestId};

/// How often a request decides anew when the facts moved between its snapshot and the lane.
pub(super) const ATTEMPTS: usize = 3;
/// SECURITY §4: a session unused for thirty minutes is over.
pub const IDLE_SECONDS: i64 = 30 * 60;

/// An `Idempotency-Key` with what was sent under it.
#[derive(Clone)]
pub struct Idempotency {
    pub key: String,
    pub body: Vec<u8>,
}

/// A request that carries a session.
#[derive(Clone)]
pub struct Call {
    pub request: RequestId,
    pub token: TokenHash,
    /// The assignment under which a form was made; another one now is a conflict.
    pub assignment: Option<AssignmentId>,
    pub idempotency: Option<Idempotency>,
}

/// What is being asked, for the record.
#[derive(Clone, Copy)]
pub struct Act {
    pub action: Action,
    pub resource: ResourceKind,
}

/// What a change answers: the id of what it made, and whether an earlier request had made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub id: String,
    pub replayed: bool,
}

/// How one attempt ended.
enum Attempt<T> {
    Done(T),
    Again,
}

/// One attempt's question: the call and its act, who makes it as the snapshot says, on what, at which moment.
struct Asked<'a> {
    call: &'a Call,
    act: Act,
    signed_in: &'a SignedIn,
    pathway: Option<&'a PathwayId>,
    now: Timestamp,
}

impl From<Refusal> for ServiceError {
    fn from(r: Refusal) -> Self {
        Self::from(&r)
    }
}
