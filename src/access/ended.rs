//! That an accord which was one's whole place in a circle came to its end, of late (S6).
//!
//! It opens nothing of the pathway: whoever asks learns that an accord ended, neither whose, nor by whom, nor why.

use super::facts::{ParticipationFacts, PathwayFacts};
use super::item::named_in_force;
use crate::clock::Timestamp;
use crate::domain::accord::named_lately;

/// How long it is told.
const TOLD_SECONDS: i64 = 30 * 86_400;

/// Whether an accord named this place within the last thirty days, while it was taken, and none does now.
#[must_use]
pub fn reading_ended(facts: &PathwayFacts, p: &ParticipationFacts, now: Timestamp) -> bool {
    let Some(accepted) = p.accepted_at else { return false };
    if facts.closed_at.is_some() || !p.in_force(now) || named_in_force(facts, p, now) {
        return false;
    }
    let since = accepted.max(now.plus_seconds(-TOLD_SECONDS));
    named_lately(&p.assignment.recipient_key(), &p.assignment.id, &facts.consent(), since, now)
}
