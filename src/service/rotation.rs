//! Changing the key-encryption key while the service runs (SECURITY §2).
//!
//! INVARIANT: keys are wrapped anew a few at a time, each batch in one transaction with its record: whatever stops
//! this leaves rows under one key or the other, never between, and the next run goes on from there.
//! INVARIANT: the data keys themselves do not change: no content is written anew.
//!
//! Unwrapping needs both keys: the instance must have been opened with the new one and the one before it.

use super::ServiceError;
use super::app::App;
use crate::audit::Job;
use crate::audit::lane::{LaneError, Priority};
use crate::clock::Timestamp;
use crate::crypto::keyring::WrappedKey;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::RequestId;
use crate::store::{StoreError, WriteTx};

/// How many keys one transaction wraps anew.
const BATCH: i64 = 64;
/// How often a batch may be lost to keys that are destroyed meanwhile, before this gives up.
const LOST: u32 = 10;

/// What a rotation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    pub rewrapped: u64,
}

impl App {
    /// Wraps anew, under the current key-encryption key, every key that is still under another.
    ///
    /// # Errors
    /// When a key opens under neither, or the lane does not answer. What was done stays done; another run resumes.
    pub fn keys_rotate(&self, progress: &mut dyn FnMut(u64)) -> Result<Rotation, ServiceError> {
        let keyring = self.store().keyring();
        let current = keyring.kek_id().to_string();
        let mut done = Rotation::default();
        let mut lost = 0_u32;
        loop {
            let batch = self.store().snapshot()?.keys_not_under(&current, BATCH)?;
            if batch.is_empty() {
                break;
            }
            let mut rows: Vec<(String, WrappedKey)> = Vec::with_capacity(batch.len());
            for (owner, stored) in &batch {
                let anew = keyring.rewrap(keyring, owner, stored, self.chance()).map_err(StoreError::from)?;
                rows.push((stored.kek_id.clone(), anew));
            }
            let many = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            let mut draft = RecordDraft::new(
                RequestId::random(self.chance())?,
                RetentionClass::Disclosure,
                Action::Maintain,
                ResourceKind::Instance,
                Verdict::Permit,
            );
            draft.count = u32::try_from(many).ok();
            draft.motive = Some(format!("ligne de commande : keys rotate, vers la clé {current}"));
            let job = Job::new(self.prepare(&draft, None)?);
            let written =
                self.lane().submit(Priority::Session, job, move |tx: &mut WriteTx, _: Timestamp| {
                    rows.iter().try_for_each(|(from, anew)| tx.key_rewrap(from, anew))
                });
            match written.wait() {
                Ok(_) => {
                    done.rewrapped = done.rewrapped.saturating_add(many);
                    progress(done.rewrapped);
                }
                Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) if lost < LOST => {
                    lost = lost.saturating_add(1);
                }
                Err(e) => return Err(e.into()),
            }
        }
        // What the old key wrapped must be in no free page and in no write-ahead log.
        self.store().forget_destroyed()?;
        Ok(done)
    }
}
