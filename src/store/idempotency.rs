//! `Idempotency-Key`: a keyed fingerprint and the id of the result, for 24 hours, written in the change's
//! transaction. Neither key nor body can be read back.

use diesel::prelude::*;

use super::StoreError;
use super::schema::idempotency;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::clock::Timestamp;
use crate::crypto::hash::Digest;

/// How long a key is remembered.
const KEPT_SECONDS: i64 = 24 * 3600;

/// What was remembered under a key.
pub struct Remembered {
    pub fingerprint: Vec<u8>,
    pub result: String,
}

impl Snapshot {
    /// What stands under this key, if it is not older than 24 hours.
    ///
    /// # Errors
    /// The database's.
    pub fn idempotency_fetch(
        &mut self,
        subject: &Digest,
        now: Timestamp,
    ) -> Result<Option<Remembered>, StoreError> {
        let found: Option<(Vec<u8>, String)> = idempotency::table
            .filter(idempotency::subject.eq(subject.as_slice()))
            .filter(idempotency::at.gt(now.plus_seconds(-KEPT_SECONDS).micros()))
            .select((idempotency::fingerprint, idempotency::result))
            .first(self.conn())
            .optional()?;
        Ok(found.map(|(fingerprint, result)| Remembered { fingerprint, result }))
    }
}

impl WriteTx {
    /// Remembers a result, and forgets what is older than 24 hours.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another request used the same key meanwhile: it then replays.
    pub fn idempotency_insert(
        &mut self,
        subject: &Digest,
        fingerprint: &Digest,
        result: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::delete(
            idempotency::table.filter(idempotency::at.le(at.plus_seconds(-KEPT_SECONDS).micros())),
        )
        .execute(self.conn())?;
        let there: i64 = idempotency::table
            .filter(idempotency::subject.eq(subject.as_slice()))
            .count()
            .get_result(self.conn())?;
        if there > 0 {
            return Err(StoreError::Stale);
        }
        diesel::insert_into(idempotency::table)
            .values((
                idempotency::subject.eq(subject.as_slice()),
                idempotency::fingerprint.eq(fingerprint.as_slice()),
                idempotency::result.eq(result),
                idempotency::at.eq(at.micros()),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}
