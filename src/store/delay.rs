//! Failed sign-ins, counted by login and by network. A subject is a keyed digest: whether a login exists cannot be told
//! from here, and unknown logins are counted alike.
//!
//! INVARIANT: a subject that was quiet for a day is forgotten, so that made-up logins do not fill the table.
//!
//! It does not know how long a delay is: `service::limiter` does.

use diesel::prelude::*;

use super::StoreError;
use super::connection::Db;
use super::schema::login_delay;
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::clock::Timestamp;

/// After this long without a failure, a subject is forgotten.
const FORGOTTEN_AFTER_SECONDS: i64 = 24 * 3600;

fn fetch(conn: &mut Db, subject: &[u8]) -> Result<Option<(i64, Timestamp)>, StoreError> {
    let raw: Option<(i64, i64)> = login_delay::table
        .filter(login_delay::subject.eq(subject))
        .select((login_delay::failures, login_delay::last_at))
        .first(conn)
        .optional()?;
    Ok(raw.map(|(failures, at)| (failures, Timestamp::from_micros(at))))
}

impl Snapshot {
    /// Failures counted for a login or network, with the time of the last.
    ///
    /// # Errors
    /// The database's.
    pub fn login_delay(&mut self, subject: &[u8]) -> Result<Option<(i64, Timestamp)>, StoreError> {
        fetch(self.conn(), subject)
    }
}

impl WriteTx {
    /// As [`Snapshot::login_delay`], under the writer's lock.
    ///
    /// # Errors
    /// The database's.
    pub fn login_delay(&mut self, subject: &[u8]) -> Result<Option<(i64, Timestamp)>, StoreError> {
        fetch(self.conn(), subject)
    }

    /// Counts a failed sign-in for a login or a network, known or not.
    ///
    /// # Errors
    /// The database's.
    pub fn login_delay_raise(&mut self, subject: &[u8], at: Timestamp) -> Result<(), StoreError> {
        let long_ago = at.plus_seconds(-FORGOTTEN_AFTER_SECONDS);
        diesel::delete(login_delay::table.filter(login_delay::last_at.le(long_ago.micros())))
            .execute(self.conn())?;
        let changed = diesel::update(login_delay::table.filter(login_delay::subject.eq(subject)))
            .set((login_delay::failures.eq(login_delay::failures + 1), login_delay::last_at.eq(at.micros())))
            .execute(self.conn())?;
        if changed == 0 {
            diesel::insert_into(login_delay::table)
                .values((
                    login_delay::subject.eq(subject),
                    login_delay::failures.eq(1),
                    login_delay::last_at.eq(at.micros()),
                ))
                .execute(self.conn())?;
        }
        Ok(())
    }

    /// Forgets the failures of a login after a success.
    ///
    /// # Errors
    /// The database's.
    pub fn login_delay_clear(&mut self, subject: &[u8]) -> Result<(), StoreError> {
        diesel::delete(login_delay::table.filter(login_delay::subject.eq(subject))).execute(self.conn())?;
        Ok(())
    }
}
