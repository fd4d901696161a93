//! How a request ends without an answer of substance: it leaves a record all the same, and without one it is 503.

use std::sync::Arc;

use super::{Act, Asked, Call, SignedIn};
use crate::access::{Actor, CharterBook};
use crate::audit::lane::Priority;
use crate::audit::{Job, LaneError};
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKey;
use crate::domain::record::{Action, RecordDraft, RetentionClass, Verdict};
use crate::ids::PathwayId;
use crate::service::{App, ServiceError};
use crate::store::StoreError;

/// Refused by law, charter or family is `deny`; what could not be done as it was asked is `failed`.
const fn verdict_of(error: &ServiceError) -> Verdict {
    match error {
        ServiceError::AbsentOrRefused
        | ServiceError::Explained(_)
        | ServiceError::Rule { refused: Some(_), .. } => Verdict::Deny,
        ServiceError::Rule { refused: None, .. }
        | ServiceError::Unauthenticated
        | ServiceError::Invalid(_)
        | ServiceError::Conflict
        | ServiceError::PreconditionFailed
        | ServiceError::TooManyAttempts(_)
        | ServiceError::Unavailable(_)
        | ServiceError::Internal(_) => Verdict::Failed,
    }
}

/// What a record says of how a request ended: its verdict, why, and by which rule.
fn conclude(draft: &mut RecordDraft, error: &ServiceError) {
    draft.verdict = verdict_of(error);
    if let ServiceError::Rule { code, refused: Some(reasons), .. } = error {
        // What the gates permitted on the way stays in the trail; it is no reason of a refusal.
        draft.reasons.clone_from(reasons);
        debug_assert!(
            crate::domain::rules::rule(code).is_some(),
            "`{code}` has no French in domain/rules.rs"
        );
        draft.clauses.push(format!("rule={code}"));
    }
}

impl App {
    /// The record of an attempt, before it is known how it ends. Where the charters cannot be read it cites none, and the
    /// attempt ends with that error, or with the one that it had already.
    pub(super) fn draft(asked: &Asked<'_>, book: Option<&CharterBook>) -> RecordDraft {
        let retention = match asked.act.action {
            Action::SignIn | Action::SignOut | Action::List | Action::Search | Action::Maintain => {
                RetentionClass::Technical
            }
            _ => RetentionClass::Disclosure,
        };
        let request = asked.call.request.clone();
        let mut draft =
            RecordDraft::new(request, retention, asked.act.action, asked.act.resource, Verdict::Permit);
        draft.actor = Some(asked.signed_in.stamp(asked.now));
        // S14: whatever a request comes to, its record says under which version.
        let assignment = asked.signed_in.actor().ok().map(Actor::assignment);
        draft.policy_hashes = book.map_or_else(Vec::new, |book| book.cited(assignment, asked.now));
        draft
    }

    /// Records a request that ended without an answer of substance. When even that fails, the answer is 503.
    pub(in crate::service) fn record_end(
        &self,
        mut draft: RecordDraft,
        key: Option<&DataKey>,
        error: ServiceError,
    ) -> ServiceError {
        conclude(&mut draft, &error);
        // Nothing left, nothing was written.
        draft.returned = Vec::new();
        draft.written = Vec::new();
        draft.write_digest = None;
        let record = match self.prepare(&draft, key) {
            Ok(record) => record,
            Err(e) => return e,
        };
        // No version is checked: what moved meanwhile does not make a refusal less of one.
        match self.lane.record(Priority::Session, Job::new(record)).wait() {
            Ok(_) => error,
            Err(e) => e.into(),
        }
    }

    /// Ends an attempt whose job the lane did not commit, so that its record is not there either.
    pub(super) fn record_uncommitted(
        &self,
        draft: RecordDraft,
        key: Option<&DataKey>,
        error: LaneError<StoreError>,
    ) -> ServiceError {
        match error {
            // No record can be had from a lane that does not answer.
            LaneError::Unavailable => error.into(),
            LaneError::Stale | LaneError::Refused(_) | LaneError::Panicked | LaneError::NothingPermitted => {
                self.record_end(draft, key, error.into())
            }
        }
    }

    /// Ends a request whose facts moved at every attempt: 503, recorded.
    pub(super) fn kept_moving(&self, call: &Call, act: Act, pathway: Option<&PathwayId>) -> ServiceError {
        let error = ServiceError::Unavailable("the facts kept moving".to_owned());
        self.record_outside(call, act, pathway, error)
    }

    /// Records a request with a session that could not be understood (DESIGN §1: syntax comes before everything
    /// else), and says whether there is a session at all.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] without a session; otherwise `error` itself, recorded.
    pub fn record_malformed(&self, call: &Call, act: Act, error: ServiceError) -> ServiceError {
        self.record_outside(call, act, None, error)
    }

    fn record_outside(
        &self,
        call: &Call,
        act: Act,
        pathway: Option<&PathwayId>,
        error: ServiceError,
    ) -> ServiceError {
        let attempt = || -> Result<(SignedIn, Timestamp, Option<Arc<CharterBook>>), ServiceError> {
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            let book = self.book(&mut snapshot).ok();
            Ok((signed_in, now, book))
        };
        match attempt() {
            Ok((signed_in, now, book)) => {
                let asked = Asked { call, act, signed_in: &signed_in, pathway, now };
                let mut draft = Self::draft(&asked, book.as_deref());
                draft.pathway = pathway.cloned();
                self.record_end(draft, None, error)
            }
            Err(e) => e,
        }
    }
}
