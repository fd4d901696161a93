//! Where the log stands, and the verification of the whole of it, on demand and in words.
//!
//! INVARIANT: a verification trusts nothing that is stored but the log's key: every record, node and checkpoint is
//! worked out again in one read snapshot.
//! It proves nothing to somebody who does not trust this program: for that there are receipts, checkpoints kept
//! elsewhere, and a verifier that is not ours.

use data_encoding::BASE64;
use serde::Serialize;

use super::{LogState, as_auditor, minute, read_body};
use crate::audit::verify::verify;
use crate::audit::{Disclosed, SignedCheckpoint};
use crate::domain::record::{Action, ResourceKind, Verdict};
use crate::domain::text::{EntryError, FieldErrors};
use crate::service::checkpoints::log_name;
use crate::service::reconciliation::last_reconciliation;
use crate::service::{Act, App, Call, Desk, ServiceError, witnesses};
use crate::store::log::LogFilter;

/// The most characters that a checkpoint given to compare with may have.
pub const MOST_GIVEN: usize = 8000;

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub holds: bool,
    /// How many records were recomputed, up to the first that does not hold.
    pub records: u64,
    /// How many checkpoints agree.
    pub checkpoints: u64,
    /// The size of the checkpoint that was given, when one was and it can be read.
    pub given: Option<u64>,
    /// Root over the records, base64.
    pub root: String,
    /// Losses that two people declared, in French.
    pub losses: Vec<String>,
    /// The first thing that does not hold, in French.
    pub failure: Option<String>,
}

/// Where the log stands.
pub(super) fn state(desk: &mut Desk<'_>) -> Result<LogState, ServiceError> {
    let name = log_name(desk.snapshot)?;
    let frontier = desk.snapshot.log_frontier()?;
    let last = desk.snapshot.checkpoint_latest()?;
    let covered = match &last {
        Some(last) if last.size > 0 => desk.snapshot.log_body(last.size.saturating_sub(1))?,
        Some(_) | None => None,
    };
    let verified = LogFilter {
        action: Some(Action::Search.code().to_owned()),
        resource: Some(ResourceKind::Checkpoint.code().to_owned()),
        decision: Some(Verdict::Permit.code().to_owned()),
        ..LogFilter::default()
    };
    let verified = desk.snapshot.log_page(&verified, 1)?;
    let witnesses = desk.app.witness_states(desk.snapshot, desk.now)?;
    let attested = witnesses::attested(desk.snapshot)?.map(|signed| signed.claims().size());
    let time = |text: &String| read_body(text).map(|body| minute(body.at));
    let reconciled = last_reconciliation(desk.snapshot)?;
    let mut vkeys: Vec<String> = name.keys.iter().map(ToString::to_string).collect();
    Ok(LogState {
        losses: name.gaps.iter().map(ToString::to_string).collect(),
        origin: name.origin,
        vkey: vkeys.pop().unwrap_or_default(),
        earlier_vkeys: vkeys,
        size: frontier.size(),
        root: BASE64.encode(&frontier.root()),
        last_checkpoint: last.and_then(|c| u64::try_from(c.size).ok()),
        last_checkpoint_at: covered.as_ref().map(time).transpose()?,
        last_verified_at: verified.first().map(|(_, text)| time(text)).transpose()?,
        last_reconciled_at: reconciled.as_ref().map(|body| minute(body.at)),
        last_reconciled_divergences: reconciled.as_ref().map(|body| body.count.unwrap_or(0)),
        attested,
        witnesses,
    })
}

/// A checkpoint as somebody pasted it: a browser sends line ends of its own.
fn pasted(text: &str) -> Result<Option<String>, ServiceError> {
    if text.chars().count() > MOST_GIVEN {
        return Err(ServiceError::rule(
            "checkpoint_too_long",
            "Ce texte est trop long pour un point de contrôle : collez le fichier que vous avez gardé, et lui seul.",
        ));
    }
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    Ok(if text.is_empty() { None } else { Some(format!("{text}\n")) })
}

impl App {
    /// Verifies the whole log, and that it continues the checkpoint that is given.
    ///
    /// # Errors
    /// [`ServiceError`]; a log that does not hold is no error but an answer.
    pub fn audit_verify(
        &self,
        call: &Call,
        act: Act,
        given: &str,
    ) -> Result<Disclosed<Verification>, ServiceError> {
        self.read_desk(call, act, |desk| {
            as_auditor(desk)?;
            let given = pasted(given)?;
            let name = log_name(desk.snapshot)?;
            let readable = given.as_deref().filter(|text| SignedCheckpoint::parse(text).is_ok());
            let report = verify(desk.snapshot, &name.trust(readable), &mut |_| {})?;
            // A slip of the hand is no news of the log; what the log says of itself comes first.
            if given.is_some() && readable.is_none() && report.holds() {
                return Err(FieldErrors::one("given", EntryError::NotACheckpoint).into());
            }
            let given = readable.and_then(|text| SignedCheckpoint::parse(text).ok());
            Ok(Verification {
                holds: report.holds(),
                records: report.records,
                checkpoints: report.checkpoints,
                given: given.map(|g| g.claims().size()),
                root: BASE64.encode(&report.root),
                losses: report.gaps.iter().map(ToString::to_string).collect(),
                failure: report.failure.map(|f| f.to_string()),
            })
        })
    }
}
