//! Shares that end because a place or a pathway does.

use super::error::ServiceError;
use super::flow::Scene;
use super::shares::body_of;
use crate::access::facts::{ShareFacts, ShareRecipient};
use crate::ids::ParticipationId;
use crate::store::fact::{FactKind, NewFact};
use crate::store::pathway::ShareBody;

fn next(scene: &mut Scene<'_>, share: &ShareFacts, body: &ShareBody) -> Result<NewFact, ServiceError> {
    Ok(scene.snapshot.fact_amend(&scene.pen(), FactKind::Share, share.id.as_str(), body)?)
}

/// The shares chosen, ended now for every recipient.
pub(super) fn ended_shares(
    scene: &mut Scene<'_>,
    chosen: impl Fn(&ShareFacts) -> bool,
) -> Result<Vec<NewFact>, ServiceError> {
    let facts = scene.gate.facts();
    facts
        .shares
        .iter()
        .filter(|s| s.ended_at.is_none() && chosen(s))
        .map(|share| {
            let body = ShareBody { ended_at: Some(scene.now), ..body_of(share) };
            next(scene, share, &body)
        })
        .collect()
}

/// The shares with one participation, ended now for that recipient alone.
pub(super) fn shares_ended_to(
    scene: &mut Scene<'_>,
    participation: &ParticipationId,
) -> Result<Vec<NewFact>, ServiceError> {
    let facts = scene.gate.facts();
    let now = scene.now;
    let open = |r: &ShareRecipient| r.participation == *participation && r.ended_at.is_none();
    facts
        .shares
        .iter()
        .filter(|s| s.ended_at.is_none() && s.recipients.iter().any(open))
        .map(|share| {
            let mut body = body_of(share);
            for recipient in body.recipients.iter_mut().filter(|r| open(r)) {
                recipient.ended_at = Some(now);
            }
            next(scene, share, &body)
        })
        .collect()
}
