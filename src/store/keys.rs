//! Wrapped keys, by the key-encryption key that opens them: what a rotation reads and writes.
//!
//! INVARIANT: a row is only wrapped anew where it still is what was unwrapped: a key destroyed meanwhile stays
//! destroyed.

use diesel::prelude::*;

use super::StoreError;
use super::connection::Db;
use super::log::LogFile;
use super::schema::{data_key, instance};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKeyId;
use crate::crypto::keyring::{KeyOwner, WrappedKey};

/// Id, key-encryption key, wrapped key, commitment.
type WrappedRaw = (String, String, Option<Vec<u8>>, Vec<u8>);

/// The log's public keys, first to last: `log_vkey`, then `log_vkey_2` and on, each written once.
fn log_vkeys(conn: &mut Db) -> Result<Vec<String>, StoreError> {
    let mut rows: Vec<(String, String)> = instance::table
        .filter(instance::name.like("log_vkey%"))
        .select((instance::name, instance::value))
        .load(conn)?;
    // `log_vkey_10` comes after `log_vkey_9`.
    rows.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
    Ok(rows.into_iter().map(|(_, value)| value).collect())
}

fn read_wrapped(raw: WrappedRaw) -> Result<WrappedKey, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("data_key", e);
    let (id, kek_id, wrapped, commit) = raw;
    Ok(WrappedKey {
        key_id: DataKeyId::parse(&id).map_err(|e| bad(&e))?,
        kek_id,
        wrapped: wrapped.unwrap_or_default(),
        commit: commit.try_into().map_err(|_| bad(&"commitment of another length"))?,
    })
}

impl LogFile {
    /// The log's public keys, the replaced ones first.
    ///
    /// # Errors
    /// The database's.
    pub fn log_vkeys(&mut self) -> Result<Vec<String>, StoreError> {
        log_vkeys(self.conn())
    }
}

impl Snapshot {
    /// The log's public keys, the replaced ones first.
    ///
    /// # Errors
    /// The database's.
    pub fn log_vkeys(&mut self) -> Result<Vec<String>, StoreError> {
        log_vkeys(self.conn())
    }

    /// Every key of an owner that is not destroyed.
    ///
    /// # Errors
    /// The database's.
    pub fn keys_live(&mut self, owner: &KeyOwner) -> Result<Vec<WrappedKey>, StoreError> {
        let rows: Vec<WrappedRaw> = data_key::table
            .filter(data_key::owner.eq(owner.as_text()))
            .filter(data_key::destroyed_at.is_null())
            .order((data_key::created_at.asc(), data_key::key_id.asc()))
            .select((data_key::key_id, data_key::kek_id, data_key::wrapped, data_key::key_commit))
            .load(self.conn())?;
        rows.into_iter().map(read_wrapped).collect()
    }

    /// How many keys that are not destroyed each key-encryption key wraps.
    ///
    /// # Errors
    /// The database's.
    pub fn keys_by_kek(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = data_key::table
            .filter(data_key::destroyed_at.is_null())
            .group_by(data_key::kek_id)
            .order(data_key::kek_id.asc())
            .select((data_key::kek_id, diesel::dsl::count_star()))
            .load(self.conn())?;
        rows.into_iter()
            .map(|(kek, n)| Ok((kek, u64::try_from(n).map_err(|e| StoreError::corrupt("data_key", &e))?)))
            .collect()
    }

    /// Some of the keys that another key-encryption key than this one wraps.
    ///
    /// # Errors
    /// The database's; an owner that is none.
    pub fn keys_not_under(
        &mut self,
        kek_id: &str,
        limit: i64,
    ) -> Result<Vec<(KeyOwner, WrappedKey)>, StoreError> {
        let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("data_key", e);
        let rows: Vec<(String, WrappedRaw)> = data_key::table
            .filter(data_key::destroyed_at.is_null())
            .filter(data_key::kek_id.ne(kek_id))
            .order((data_key::created_at.asc(), data_key::key_id.asc()))
            .limit(limit)
            .select((
                data_key::owner,
                (data_key::key_id, data_key::kek_id, data_key::wrapped, data_key::key_commit),
            ))
            .load(self.conn())?;
        rows.into_iter()
            .map(|(owner, raw)| Ok((KeyOwner::parse(&owner).map_err(|e| bad(&e))?, read_wrapped(raw)?)))
            .collect()
    }
}

impl WriteTx {
    /// Puts a new wrapping of the same key in the place of the one that was read.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the key was destroyed or wrapped anew meanwhile.
    pub fn key_rewrap(&mut self, from_kek: &str, new: &WrappedKey) -> Result<(), StoreError> {
        let changed = diesel::update(
            data_key::table
                .filter(data_key::key_id.eq(new.key_id.to_string()))
                .filter(data_key::kek_id.eq(from_kek))
                .filter(data_key::destroyed_at.is_null()),
        )
        .set((data_key::kek_id.eq(&new.kek_id), data_key::wrapped.eq(Some(&new.wrapped))))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Adds a public key of the log after those that there are.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there are not `known` of them any more: another command was first.
    pub fn log_vkey_add(&mut self, known: usize, vkey: &str) -> Result<(), StoreError> {
        if log_vkeys(self.conn())?.len() != known {
            return Err(StoreError::Stale);
        }
        self.instance_set(&format!("log_vkey_{}", known.saturating_add(1)), vkey)
    }

    /// Destroys one key of an owner that has several.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is destroyed already.
    pub fn key_destroy_one(&mut self, id: &DataKeyId, at: Timestamp) -> Result<(), StoreError> {
        let changed = diesel::update(
            data_key::table
                .filter(data_key::key_id.eq(id.to_string()))
                .filter(data_key::destroyed_at.is_null()),
        )
        .set((data_key::wrapped.eq(None::<Vec<u8>>), data_key::destroyed_at.eq(at.micros())))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Ends every open session: after a restore, nobody is signed in who was when the copy was made.
    ///
    /// # Errors
    /// The database's.
    pub fn sessions_end_everyone(&mut self, at: Timestamp) -> Result<(), StoreError> {
        use super::schema::session;
        diesel::update(session::table.filter(session::ended_at.is_null()))
            .set((session::ended_at.eq(at.micros()), session::version.eq(session::version + 1)))
            .execute(self.conn())?;
        Ok(())
    }
}
