//! The stored log, read: for verification, proofs, and the auditor's lists.

use std::collections::{HashMap, HashSet};

use data_encoding::HEXLOWER;
use diesel::prelude::*;

use super::connection::{self, Db, Use};
use super::schema::{
    audit_checkpoint, audit_cosignature, audit_detail, audit_head, audit_index, audit_leaf, data_key,
};
use super::snapshot::{self, Snapshot};
use super::tx::WriteTx;
use super::{DatabaseAddress, StoreError, dialect, migrations};
use crate::audit::LeafBody;
use crate::audit::tree::{Frontier, NodeId, NodeSource, digests};
use crate::audit::verify::{LogReader, OpenedDetail, StoredCheckpoint, StoredHead, StoredIndex, StoredRow};
use crate::clock::Timestamp;
use crate::crypto::envelope::{DataKey, OpenError, Place};
use crate::crypto::hash::Digest;
use crate::crypto::keyring::{KeyOwner, Keyring};
use crate::domain::record::Action;

mod cosignature;
mod pruned;
mod search;

pub use cosignature::StoredCosignature;
pub use pruned::{Prunable, PruneBounds};
pub use search::{HourCount, LogFilter};

type LeafRaw = (i64, Vec<u8>, Vec<u8>, Option<String>, String);
type IndexRaw = (
    i64,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
    String,
);

fn index_row(raw: IndexRaw) -> (i64, StoredIndex) {
    let (idx, at, actor, organisation, profession, action, pathway, purpose, decision) = raw;
    (idx, StoredIndex { at, actor, organisation, profession, action, pathway, purpose, decision })
}

impl Snapshot {
    /// The sealed details of the records with these pathway pseudonyms: index, ciphertext and the body that commits
    /// to it.
    ///
    /// # Errors
    /// The database's.
    pub fn log_of_pathway(
        &mut self,
        pseudonyms: &[String],
    ) -> Result<Vec<(i64, String, Vec<u8>)>, StoreError> {
        let rows: Vec<(i64, Option<String>, Vec<u8>)> = audit_index::table
            .inner_join(audit_leaf::table.on(audit_leaf::idx.eq(audit_index::idx)))
            .inner_join(audit_detail::table.on(audit_detail::idx.eq(audit_index::idx)))
            .filter(audit_index::pathway.eq_any(pseudonyms))
            .order(audit_index::idx.asc())
            .select((audit_index::idx, audit_leaf::body, audit_detail::ciphertext))
            .load(self.conn())?;
        Ok(rows.into_iter().filter_map(|(i, body, c)| body.map(|b| (i, b, c))).collect())
    }

    /// The time of the last record: no decision is taken at an earlier moment, whatever this node's clock says.
    ///
    /// # Errors
    /// The database's.
    pub fn log_last_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let last: Option<i64> =
            audit_head::table.filter(audit_head::id.eq(1)).select(audit_head::last_at).first(self.conn())?;
        Ok(last.map(Timestamp::from_micros))
    }
}

fn head(conn: &mut Db) -> Result<StoredHead, StoreError> {
    let (size, frontier, last_time) = audit_head::table
        .filter(audit_head::id.eq(1))
        .select((audit_head::size, audit_head::frontier, audit_head::last_at))
        .first(conn)?;
    Ok(StoredHead { size, frontier, last_time })
}

fn rows(conn: &mut Db, after: Option<i64>, limit: usize) -> Result<Vec<StoredRow>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // Every row counts, also one that somebody put before the first.
    let after = after.unwrap_or(i64::MIN);
    let leaves: Vec<LeafRaw> = audit_leaf::table
        .filter(audit_leaf::idx.gt(after))
        .order(audit_leaf::idx.asc())
        .limit(limit)
        .select((
            audit_leaf::idx,
            audit_leaf::leaf_hash,
            audit_leaf::nodes,
            audit_leaf::body,
            audit_leaf::retention_class,
        ))
        .load(conn)?;
    let Some(last) = leaves.last().map(|l| l.0) else { return Ok(Vec::new()) };
    let index: Vec<IndexRaw> = audit_index::table
        .filter(audit_index::idx.gt(after))
        .filter(audit_index::idx.le(last))
        .order(audit_index::idx.asc())
        .load(conn)?;
    let left = if leaves.iter().any(|l| l.3.is_none()) {
        pruned::details_between(conn, after, last)?
    } else {
        HashSet::new()
    };
    let mut index = index.into_iter().map(index_row).peekable();
    Ok(leaves
        .into_iter()
        .map(|(idx, leaf_hash, nodes, body, retention)| {
            while index.peek().is_some_and(|(i, _)| *i < idx) {
                index.next();
            }
            let row = index.next_if(|(i, _)| *i == idx).map(|(_, row)| row);
            let leftover = body.is_none() && left.contains(&idx);
            StoredRow { index: idx, leaf_hash, body, retention, nodes, row, detail: None, leftover }
        })
        .collect())
}

fn index_rows(conn: &mut Db) -> Result<u64, StoreError> {
    let n: i64 = audit_index::table.count().get_result(conn)?;
    u64::try_from(n).map_err(|e| StoreError::corrupt("audit_index", &e))
}

fn checkpoints(conn: &mut Db) -> Result<Vec<StoredCheckpoint>, StoreError> {
    let rows: Vec<(i64, String)> = audit_checkpoint::table.order(audit_checkpoint::size.asc()).load(conn)?;
    Ok(rows.into_iter().map(|(size, note)| StoredCheckpoint { size, note }).collect())
}

fn latest(conn: &mut Db) -> Result<Option<StoredCheckpoint>, StoreError> {
    let found: Option<(i64, String)> =
        audit_checkpoint::table.order(audit_checkpoint::size.desc()).first(conn).optional()?;
    Ok(found.map(|(size, note)| StoredCheckpoint { size, note }))
}

fn frontier(conn: &mut Db) -> Result<Frontier, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("audit_head", e);
    let head = head(conn)?;
    let size = u64::try_from(head.size).map_err(|e| bad(&e))?;
    Frontier::from_bytes(size, &head.frontier).map_err(|e| bad(&e))
}

fn nodes(conn: &mut Db, ids: &[NodeId]) -> Result<Vec<Digest>, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("audit_leaf", e);
    let wanted = ids
        .iter()
        .map(|id| i64::try_from(id.completed_by()).map_err(|e| bad(&e)))
        .collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = audit_leaf::table
        .filter(audit_leaf::idx.eq_any(&wanted))
        .select((audit_leaf::idx, audit_leaf::leaf_hash, audit_leaf::nodes))
        .load(conn)?;
    ids.iter()
        .zip(&wanted)
        .map(|(id, idx)| {
            let (_, leaf, nodes) =
                rows.iter().find(|(i, _, _)| i == idx).ok_or_else(|| bad(&format!("no leaf {idx}")))?;
            let found = match id.position() {
                None => digests(leaf).and_then(|d| d.first().copied()),
                Some(p) => digests(nodes).and_then(|d| d.get(p).copied()),
            };
            found.ok_or_else(|| bad(&format!("no node above leaf {idx}")))
        })
        .collect()
}

fn extent(
    conn: &mut Db,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Option<(i64, i64)>, StoreError> {
    // INVARIANT: the time of records never goes back, so a span of time is a span of indexes.
    let within = |from: Option<Timestamp>, until: Option<Timestamp>| {
        let from = from.map_or(i64::MIN, Timestamp::micros);
        let until = until.map_or(i64::MAX, Timestamp::micros);
        audit_index::table.filter(audit_index::at.ge(from)).filter(audit_index::at.lt(until))
    };
    let first: Option<i64> =
        within(from, until).order(audit_index::idx.asc()).select(audit_index::idx).first(conn).optional()?;
    let last: Option<i64> =
        within(from, until).order(audit_index::idx.desc()).select(audit_index::idx).first(conn).optional()?;
    Ok(first.zip(last))
}

fn slice(conn: &mut Db, after: i64, last: i64, limit: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let rows: Vec<(i64, Option<String>)> = audit_leaf::table
        .filter(audit_leaf::idx.gt(after))
        .filter(audit_leaf::idx.le(last))
        .filter(audit_leaf::body.is_not_null())
        .order(audit_leaf::idx.asc())
        .limit(limit)
        .select((audit_leaf::idx, audit_leaf::body))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(index, body)| body.map(|b| (index, b))).collect())
}

fn covering(conn: &mut Db, size: u64, cosigned: bool) -> Result<Option<StoredCheckpoint>, StoreError> {
    let size = i64::try_from(size).map_err(|e| StoreError::corrupt("audit_checkpoint", &e))?;
    let found: Option<(i64, String)> = if cosigned {
        audit_checkpoint::table
            .inner_join(audit_cosignature::table.on(audit_cosignature::size.eq(audit_checkpoint::size)))
            .filter(audit_checkpoint::size.ge(size))
            .order(audit_checkpoint::size.asc())
            .select((audit_checkpoint::size, audit_checkpoint::note))
            .first(conn)
            .optional()?
    } else {
        audit_checkpoint::table
            .filter(audit_checkpoint::size.ge(size))
            .order(audit_checkpoint::size.asc())
            .first(conn)
            .optional()?
    };
    Ok(found.map(|(size, note)| StoredCheckpoint { size, note }))
}

/// A snapshot of a served database and a file opened alone read the log by the same functions.
macro_rules! reads_the_log {
    ($reader:ty) => {
        impl LogReader for $reader {
            type Error = StoreError;

            fn head(&mut self) -> Result<StoredHead, StoreError> {
                head(self.conn())
            }

            fn rows(&mut self, after: Option<i64>, limit: usize) -> Result<Vec<StoredRow>, StoreError> {
                let mut found = rows(self.conn(), after, limit)?;
                self.open_details(&mut found)?;
                Ok(found)
            }

            fn prunings(&mut self) -> Result<Vec<(i64, String)>, StoreError> {
                pruned::prunings(self.conn())
            }

            fn index_rows(&mut self) -> Result<u64, StoreError> {
                index_rows(self.conn())
            }

            fn checkpoints(&mut self) -> Result<Vec<StoredCheckpoint>, StoreError> {
                checkpoints(self.conn())
            }
        }

        impl NodeSource for $reader {
            type Error = StoreError;

            fn nodes(&mut self, ids: &[NodeId]) -> Result<Vec<Digest>, StoreError> {
                nodes(self.conn(), ids)
            }
        }

        impl $reader {
            /// The latest checkpoint that was kept.
            ///
            /// # Errors
            /// The database's.
            pub fn checkpoint_latest(&mut self) -> Result<Option<StoredCheckpoint>, StoreError> {
                latest(self.conn())
            }

            /// The committed end of the log.
            ///
            /// # Errors
            /// The database's; a head that is none.
            pub fn log_frontier(&mut self) -> Result<Frontier, StoreError> {
                frontier(self.conn())
            }

            /// The first and the last record of a span of time; `None` when it has none.
            ///
            /// # Errors
            /// The database's.
            pub fn log_extent(
                &mut self,
                from: Option<Timestamp>,
                until: Option<Timestamp>,
            ) -> Result<Option<(i64, i64)>, StoreError> {
                extent(self.conn(), from, until)
            }

            /// The bodies of at most `limit` records after `after`, up to `last` included, in their order. A record
            /// without a body is left out.
            ///
            /// # Errors
            /// The database's.
            pub fn log_slice(
                &mut self,
                after: i64,
                last: i64,
                limit: i64,
            ) -> Result<Vec<(i64, String)>, StoreError> {
                slice(self.conn(), after, last, limit)
            }

            /// The earliest checkpoint over at least `size` records; with `cosigned`, the earliest that a witness
            /// cosigned.
            ///
            /// # Errors
            /// The database's.
            pub fn checkpoint_covering(
                &mut self,
                size: u64,
                cosigned: bool,
            ) -> Result<Option<StoredCheckpoint>, StoreError> {
                covering(self.conn(), size, cosigned)
            }

            /// One record's body; `None` when there is no such index, or it is pruned.
            ///
            /// # Errors
            /// The database's.
            pub fn log_body(&mut self, index: i64) -> Result<Option<String>, StoreError> {
                let found: Option<Option<String>> = audit_leaf::table
                    .filter(audit_leaf::idx.eq(index))
                    .select(audit_leaf::body)
                    .first(self.conn())
                    .optional()?;
                Ok(found.flatten())
            }
        }
    };
}

reads_the_log!(Snapshot);
reads_the_log!(LogFile);

impl Snapshot {
    /// The detail of one record, opened under the key that the row names; `None` when there is none, or its key is gone.
    ///
    /// # Errors
    /// The database's; a detail that does not open under a key that stands.
    pub fn log_detail(
        &mut self,
        index: i64,
        commit: &Digest,
    ) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, StoreError> {
        let found: Option<(String, Vec<u8>)> = audit_detail::table
            .inner_join(data_key::table.on(data_key::key_id.eq(audit_detail::key_id)))
            .filter(audit_detail::idx.eq(index))
            .filter(data_key::destroyed_at.is_null())
            .select((data_key::owner, audit_detail::ciphertext))
            .first(self.conn())
            .optional()?;
        let Some((owner, ciphertext)) = found else { return Ok(None) };
        let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("audit_detail", e);
        let owner = KeyOwner::parse(&owner).map_err(|e| bad(&e))?;
        let Some(key) = self.key_of(&owner)? else { return Ok(None) };
        let plain = key.open(detail_place(&HEXLOWER.encode(commit)), &ciphertext).map_err(|e| bad(&e))?;
        Ok(Some(plain))
    }

    /// A served snapshot leaves details sealed: those of one pathway are read by [`Snapshot::log_of_pathway`].
    const fn open_details(&self, _: &mut [StoredRow]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Where the detail of a record lives: named by its commitment, which stands in the leaf.
#[must_use]
pub fn detail_place(commit_hex: &str) -> Place<'_> {
    Place { table: "audit_detail", row: commit_hex, column: "ciphertext", version: 0 }
}

/// The log of a database that may be served meanwhile, opened read-only and without any key: what an auditor with a
/// copy of the file has.
pub struct LogFile {
    conn: Db,
    /// Data keys by their id, where the key-encryption key was given; all of this one snapshot.
    keys: HashMap<String, DataKey>,
}

impl LogFile {
    /// Opens the log in one snapshot, as it is at this moment.
    ///
    /// # Errors
    /// A missing file, a database of another version.
    pub fn open(address: &DatabaseAddress) -> Result<Self, StoreError> {
        let mut conn = connection::establish(address, Use::Read)?;
        match migrations::standing(&mut conn)? {
            migrations::Standing::Current => {}
            migrations::Standing::Pending(n) => return Err(StoreError::MigrationsPending(n)),
            migrations::Standing::Newer(v) => return Err(StoreError::NewerDatabase(v)),
        }
        dialect::begin_snapshot(&mut conn)?;
        Ok(Self { conn, keys: HashMap::new() })
    }

    pub(super) const fn conn(&mut self) -> &mut Db {
        &mut self.conn
    }

    pub(super) const fn keys(&self) -> &HashMap<String, DataKey> {
        &self.keys
    }

    /// The connection, and beside it the keys.
    pub(super) const fn parts(&mut self) -> (&mut Db, &HashMap<String, DataKey>) {
        (&mut self.conn, &self.keys)
    }

    /// From now on details are opened and held against their commitments. Keys that were destroyed stay so.
    ///
    /// # Errors
    /// A key that does not unwrap under this key-encryption key.
    pub fn with_details(mut self, keyring: &Keyring) -> Result<Self, StoreError> {
        for (owner, stored) in snapshot::live_keys(&mut self.conn)? {
            let key = keyring.unwrap_data_key(&owner, &stored)?;
            self.keys.insert(stored.key_id.to_string(), key);
        }
        Ok(self)
    }

    /// An instance value (`kind`, `log_origin`, `log_vkey`).
    ///
    /// # Errors
    /// The database's.
    pub fn instance_value(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        snapshot::instance_value(&mut self.conn, name)
    }

    fn open_details(&mut self, rows: &mut [StoredRow]) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (rows.first().map(|r| r.index), rows.last().map(|r| r.index)) else {
            return Ok(());
        };
        if self.keys.is_empty() {
            return Ok(());
        }
        let found: Vec<(i64, Vec<u8>, String, Vec<u8>)> = audit_detail::table
            .filter(audit_detail::idx.between(first, last))
            .order(audit_detail::idx.asc())
            .load(&mut self.conn)?;
        let mut found = found.into_iter().peekable();
        for row in rows {
            while found.peek().is_some_and(|d| d.0 < row.index) {
                found.next();
            }
            let body = row.body.as_deref().and_then(|b| LeafBody::parse(b).ok());
            let own = found
                .next_if(|d| d.0 == row.index)
                .and_then(|(_, salt, key_id, ciphertext)| Some((salt, self.keys.get(&key_id)?, ciphertext)));
            let Some((salt, key, ciphertext)) = own else {
                // THREAT: a pruning made up by somebody without the key. Its detail is under the instance's, which is
                // never destroyed: one that is not there is given as empty, and agrees with nothing.
                if body.is_some_and(|b| b.action == Action::Prune) {
                    row.detail =
                        Some(OpenedDetail { salt: Vec::new(), detail: zeroize::Zeroizing::default() });
                }
                continue;
            };
            let commit = body.and_then(|b| b.detail_commit);
            let opened = match commit {
                Some(commit) => key.open(detail_place(&HEXLOWER.encode(&commit)), &ciphertext),
                None => Err(OpenError),
            };
            // What does not open is given as empty, which agrees with no commitment.
            let detail = opened.unwrap_or_default();
            row.detail = Some(OpenedDetail { salt, detail });
        }
        Ok(())
    }
}

impl WriteTx {
    /// Keeps a signed checkpoint.
    ///
    /// # Errors
    /// The database's.
    pub fn checkpoint_insert(&mut self, size: u64, note: &str) -> Result<(), StoreError> {
        let size = i64::try_from(size).map_err(|e| StoreError::corrupt("audit_checkpoint", &e))?;
        let there: i64 = audit_checkpoint::table
            .filter(audit_checkpoint::size.eq(size))
            .count()
            .get_result(self.conn())?;
        if there == 0 {
            diesel::insert_into(audit_checkpoint::table)
                .values((audit_checkpoint::size.eq(size), audit_checkpoint::note.eq(note)))
                .execute(self.conn())?;
        }
        Ok(())
    }
}
