//! Gates 1, 2 and 8: what every decision asks first and last, in the same words. Items, openings in an emergency, what
//! is not an item, and hidden existence all take them from here.

use super::facts::{AssignmentFacts, ParticipationFacts, PathwayFacts, VersionFacts};
use super::item::Failing;
use super::memo::Memo;
use super::standing::{CharterBook, Standing};
use crate::clock::Timestamp;
use crate::domain::cell::Reason;

/// Gate 1, answered: who acts, and under which charter.
pub(super) struct Acting {
    pub failing: Vec<Failing>,
    /// `None` for who stands under no charter, as the failing reasons say.
    pub standing: Option<Standing>,
    /// The earliest moment at which time alone could change this.
    pub valid_until: Timestamp,
}

/// The part of gate 1 that needs no charter.
pub(super) fn assignment_in_force(assignment: &AssignmentFacts, now: Timestamp) -> Option<Failing> {
    (!assignment.in_force(now)).then_some(Failing { gate: 1, reason: Reason::AssignmentNotInForce })
}

/// Gate 1: the assignment is in force, person and organisation signed the charter.
pub(super) fn gate_one(book: &CharterBook, assignment: &AssignmentFacts, now: Timestamp) -> Acting {
    let mut failing: Vec<Failing> = assignment_in_force(assignment, now).into_iter().collect();
    let valid_until = assignment.valid_until(now);
    match book.standing(assignment, now) {
        Ok(standing) => {
            Acting { failing, valid_until: valid_until.min(standing.valid_until), standing: Some(standing) }
        }
        Err(reasons) => {
            failing.extend(reasons.into_iter().map(|reason| Failing { gate: 1, reason }));
            Acting { failing, valid_until, standing: None }
        }
    }
}

/// Gate 2: a place that was accepted, is not over, and is still named.
pub(super) fn gate_two(
    facts: &PathwayFacts,
    participation: Option<&ParticipationFacts>,
    now: Timestamp,
    memo: &Memo,
) -> Option<Failing> {
    let reason = match participation {
        None => Some(Reason::NotAParticipant),
        Some(p) if p.ended(now) => Some(Reason::NotAParticipant),
        Some(p) if !p.in_force(now) => Some(Reason::InvitationPending),
        Some(p) if !memo.named(facts, p, now) => Some(Reason::NotAParticipant),
        Some(_) => None,
    };
    reason.map(|reason| Failing { gate: 2, reason })
}

/// The earlier of this moment and the next of those still to come.
pub(super) fn until(
    end: Timestamp,
    now: Timestamp,
    turns: impl IntoIterator<Item = Option<Timestamp>>,
) -> Timestamp {
    turns.into_iter().flatten().filter(|turn| *turn > now).fold(end, Ord::min)
}

/// When time alone changes a place.
pub(super) fn place_turns(p: &ParticipationFacts) -> [Option<Timestamp>; 2] {
    [p.until_at, p.ended_at]
}

/// Gate 8: the words are still there, and count today.
pub(super) fn gate_eight(version: &VersionFacts, now: Timestamp) -> Option<Failing> {
    let over =
        version.erased || version.valid_from > now || version.valid_until.is_some_and(|end| end <= now);
    over.then_some(Failing { gate: 8, reason: Reason::ItemExpired })
}

/// When time alone changes what gate 8 says.
pub(super) fn version_turns(version: &VersionFacts) -> [Option<Timestamp>; 2] {
    [Some(version.valid_from), version.valid_until]
}
