//! A professional acting under one assignment. Only authentication makes one.

use super::facts::AssignmentFacts;
use crate::clock::Timestamp;
use crate::domain::record::ActorStamp;
use crate::ids::SessionId;

/// The session under which an actor acts.
#[derive(Clone, Debug)]
pub struct SessionStamp {
    pub id: SessionId,
    pub version: i64,
    pub expires_at: Timestamp,
}

/// A professional acting under one assignment.
///
/// Nobody outside this crate can make one:
/// ```compile_fail,E0451
/// fn forge(a: relais::access::facts::AssignmentFacts, s: relais::access::SessionStamp) -> relais::access::Actor {
///     relais::access::Actor { assignment: a, session: s }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Actor {
    assignment: AssignmentFacts,
    session: SessionStamp,
}

impl Actor {
    /// INVARIANT: called by `service::authentication` alone, after it has checked the session in the same snapshot.
    #[must_use]
    pub(crate) const fn authenticated(assignment: AssignmentFacts, session: SessionStamp) -> Self {
        Self { assignment, session }
    }

    #[must_use]
    pub const fn assignment(&self) -> &AssignmentFacts {
        &self.assignment
    }

    #[must_use]
    pub const fn session(&self) -> &SessionStamp {
        &self.session
    }

    /// What the record keeps of who acts.
    #[must_use]
    pub fn stamp(&self, now: Timestamp) -> ActorStamp {
        ActorStamp {
            professional: self.assignment.professional.clone(),
            assignment: Some(self.assignment.id.clone()),
            organisation: Some(self.assignment.organisation.clone()),
            profession: Some(self.assignment.profession),
            function: Some(self.assignment.function),
            secrecy: Some(self.assignment.secrecy_at(now)),
            session: Some(self.session.id.clone()),
        }
    }
}
