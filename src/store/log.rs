//! The stored log, read: for verification, proofs, and the auditor's lists.

use diesel::prelude::*;

use super::StoreError;
use super::schema::{audit_checkpoint, audit_detail, audit_head, audit_index, audit_leaf};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use crate::audit::tree::{NodeId, NodeSource, digests};
use crate::audit::verify::{LogReader, StoredCheckpoint, StoredHead, StoredIndex, StoredRow};
use crate::clock::Timestamp;
use crate::crypto::hash::Digest;

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

/// What an auditor asks for: codes, pseudonyms and times only.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub actor: Option<String>,
    pub organisation: Option<String>,
    pub profession: Option<String>,
    pub action: Option<String>,
    pub pathway: Option<String>,
    pub purpose: Option<String>,
    pub decision: Option<String>,
    /// Records before this index (pages go from the latest back).
    pub before: Option<i64>,
}

impl Snapshot {
    /// The bodies of the records that match, latest first, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub fn log_page(&mut self, filter: &LogFilter, limit: i64) -> Result<Vec<(i64, String)>, StoreError> {
        let mut query = audit_index::table
            .inner_join(audit_leaf::table.on(audit_leaf::idx.eq(audit_index::idx)))
            .select((audit_index::idx, audit_leaf::body))
            .order(audit_index::idx.desc())
            .limit(limit)
            .into_boxed();
        if let Some(t) = filter.from {
            query = query.filter(audit_index::at.ge(t.micros()));
        }
        if let Some(t) = filter.until {
            query = query.filter(audit_index::at.lt(t.micros()));
        }
        if let Some(v) = &filter.actor {
            query = query.filter(audit_index::actor.eq(v.clone()));
        }
        if let Some(v) = &filter.organisation {
            query = query.filter(audit_index::organisation.eq(v.clone()));
        }
        if let Some(v) = &filter.profession {
            query = query.filter(audit_index::profession.eq(v.clone()));
        }
        if let Some(v) = &filter.action {
            query = query.filter(audit_index::action.eq(v.clone()));
        }
        if let Some(v) = &filter.pathway {
            query = query.filter(audit_index::pathway.eq(v.clone()));
        }
        if let Some(v) = &filter.purpose {
            query = query.filter(audit_index::purpose.eq(v.clone()));
        }
        if let Some(v) = &filter.decision {
            query = query.filter(audit_index::decision.eq(v.clone()));
        }
        if let Some(v) = filter.before {
            query = query.filter(audit_index::idx.lt(v));
        }
        let rows: Vec<(i64, Option<String>)> = query.load(self.conn())?;
        Ok(rows.into_iter().filter_map(|(idx, body)| body.map(|b| (idx, b))).collect())
    }

    /// One record's body; `None` when there is no such index.
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

    /// The latest checkpoint.
    ///
    /// # Errors
    /// The database's.
    pub fn checkpoint_latest(&mut self) -> Result<Option<StoredCheckpoint>, StoreError> {
        let found: Option<(i64, String)> =
            audit_checkpoint::table.order(audit_checkpoint::size.desc()).first(self.conn()).optional()?;
        Ok(found.map(|(size, note)| StoredCheckpoint { size, note }))
    }
}

impl LogReader for Snapshot {
    type Error = StoreError;

    fn head(&mut self) -> Result<StoredHead, StoreError> {
        let (size, frontier, last_time) = audit_head::table
            .filter(audit_head::id.eq(1))
            .select((audit_head::size, audit_head::frontier, audit_head::last_at))
            .first(self.conn())?;
        Ok(StoredHead { size, frontier, last_time })
    }

    fn rows(&mut self, after: Option<i64>, limit: usize) -> Result<Vec<StoredRow>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = after.unwrap_or(-1);
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
            .load(self.conn())?;
        let Some(last) = leaves.last().map(|l| l.0) else { return Ok(Vec::new()) };
        let index: Vec<IndexRaw> = audit_index::table
            .filter(audit_index::idx.gt(after))
            .filter(audit_index::idx.le(last))
            .order(audit_index::idx.asc())
            .load(self.conn())?;
        let mut index = index.into_iter().map(index_row).peekable();
        Ok(leaves
            .into_iter()
            .map(|(idx, leaf_hash, nodes, body, retention)| {
                while index.peek().is_some_and(|(i, _)| *i < idx) {
                    index.next();
                }
                let row = index.next_if(|(i, _)| *i == idx).map(|(_, row)| row);
                StoredRow { index: idx, leaf_hash, body, retention, nodes, row, detail: None }
            })
            .collect())
    }

    fn index_rows(&mut self) -> Result<u64, StoreError> {
        let n: i64 = audit_index::table.count().get_result(self.conn())?;
        u64::try_from(n).map_err(|e| StoreError::corrupt("audit_index", &e))
    }

    fn checkpoints(&mut self) -> Result<Vec<StoredCheckpoint>, StoreError> {
        let rows: Vec<(i64, String)> =
            audit_checkpoint::table.order(audit_checkpoint::size.asc()).load(self.conn())?;
        Ok(rows.into_iter().map(|(size, note)| StoredCheckpoint { size, note }).collect())
    }
}

impl NodeSource for Snapshot {
    type Error = StoreError;

    fn nodes(&mut self, ids: &[NodeId]) -> Result<Vec<Digest>, StoreError> {
        let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("audit_leaf", e);
        let wanted = ids
            .iter()
            .map(|id| i64::try_from(id.completed_by()).map_err(|e| bad(&e)))
            .collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = audit_leaf::table
            .filter(audit_leaf::idx.eq_any(&wanted))
            .select((audit_leaf::idx, audit_leaf::leaf_hash, audit_leaf::nodes))
            .load(self.conn())?;
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
