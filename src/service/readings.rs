//! « lu le … / pas encore lu »: what the log says of readings of what one share carries. For its sharer only; the log
//! is read under the pathway's own key, and nothing is kept beside it.
//!
//! The same words may stand in two shares of one sharer, for one purpose. A reading then cites either of them, and
//! counts for both: whoever read the words has read them. Shares of somebody else never count, so that nobody learns
//! from a share what another one carried.

use chrono::Datelike;
use serde::Deserialize;

use super::app::detail_place;
use super::flow::Scene;
use super::{App, ServiceError};
use crate::access::facts::ShareFacts;
use crate::clock::Timestamp;
use crate::domain::record::{Action, ResourceKind, RetentionClass, Verdict};
use crate::ids::{AssignmentId, ItemVersionId};

/// One opening of what a share carries.
pub(super) struct Reading {
    pub at: Timestamp,
    pub assignment: AssignmentId,
    pub versions: Vec<ItemVersionId>,
    /// Printed, beyond being read.
    pub printed: bool,
}

#[derive(Deserialize)]
struct Body {
    action: String,
    decision: String,
    resource: String,
    at: i64,
    detail_commit: Option<String>,
    #[serde(default)]
    basis: Vec<String>,
}

#[derive(Deserialize)]
struct Detail {
    assignment: Option<String>,
    #[serde(default)]
    returned: Vec<(String, String, i64)>,
}

/// How a record cites a share that a reading rested on.
fn mark(share: &ShareFacts) -> String {
    format!("share:{}:", share.id)
}

/// The other shares of the same sharer, for the same purpose, that carry some of the same words.
fn twins<'a>(all: &'a [ShareFacts], share: &ShareFacts) -> Vec<&'a ShareFacts> {
    all.iter()
        .filter(|s| s.id != share.id && s.sharer == share.sharer && s.purpose == share.purpose)
        .filter(|s| s.versions.iter().any(|v| share.versions.contains(v)))
        .collect()
}

impl App {
    /// The readings, since this share began, of what it carries, oldest first.
    ///
    /// # Errors
    /// The database's; a detail that does not open under its pathway's key.
    pub(super) fn readings_of(
        &self,
        scene: &mut Scene<'_>,
        share: &ShareFacts,
    ) -> Result<Vec<Reading>, ServiceError> {
        let pathway = &scene.gate.facts().id;
        let mut pseudonyms = Vec::new();
        for year in share.starts.utc().year()..=scene.now.utc().year() {
            let year = u16::try_from(year).map_err(ServiceError::internal)?;
            for class in [RetentionClass::Disclosure, RetentionClass::Technical] {
                if let Some(key) = self.pseudonym_key_in(scene.snapshot, class, year)? {
                    pseudonyms.push(key.pathway(pathway).as_str().to_owned());
                }
            }
        }
        let own = mark(share);
        let others: Vec<String> = twins(&scene.gate.facts().shares, share).into_iter().map(mark).collect();
        let broken =
            |e: &dyn std::fmt::Display| ServiceError::Internal(format!("a record of a reading: {e}"));
        let mut readings = Vec::new();
        for (_, body, ciphertext) in scene.snapshot.log_of_pathway(&pseudonyms, share.starts)? {
            if !body.contains(&own) && !others.iter().any(|m| body.contains(m)) {
                continue;
            }
            let body: Body = serde_json::from_str(&body).map_err(|e| broken(&e))?;
            let rests_here = body.basis.iter().any(|b| b.starts_with(&own));
            let rests = rests_here || body.basis.iter().any(|b| others.iter().any(|m| b.starts_with(m)));
            // A list of shares is decided on too, but opens no words.
            let action = Action::parse(&body.action).map_err(|e| broken(&e))?;
            let words = action.shows_content() && body.resource != ResourceKind::Share.code();
            if !rests || body.at < share.starts.micros() || body.decision != Verdict::Permit.code() || !words
            {
                continue;
            }
            let Some(commit) = &body.detail_commit else { continue };
            let plain = scene.key.open(detail_place(commit), &ciphertext).map_err(|e| broken(&e))?;
            let detail: Detail = serde_json::from_slice(&plain).map_err(|e| broken(&e))?;
            let Some(assignment) = detail.assignment.as_deref() else { continue };
            let versions: Vec<ItemVersionId> = detail
                .returned
                .iter()
                .filter(|(table, _, _)| table == "item_version")
                .filter_map(|(_, id, _)| ItemVersionId::parse(id).ok())
                .filter(|id| rests_here || share.versions.contains(id))
                .collect();
            // A count of what could be read is no reading.
            if versions.is_empty() {
                continue;
            }
            readings.push(Reading {
                at: Timestamp::from_micros(body.at),
                assignment: AssignmentId::parse(assignment).map_err(|e| broken(&e))?,
                versions,
                printed: action == Action::Print,
            });
        }
        Ok(readings)
    }
}
