//! Pruning, as the tables know it: which records may lose their body, that they lose it, and which did.
//!
//! INVARIANT: an erasure names its records one by one and counts them: one that is gone already is [`StoreError::Stale`].
//! The database's own guards let nothing else through (migration 000060): a confirmed request of two persons, of that class,
//! over that index, and a record older than its day.

use std::collections::HashSet;

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::domain::record::{Action, RetentionClass};
use crate::store::StoreError;
use crate::store::connection::Db;
use crate::store::schema::{audit_detail, audit_index, audit_leaf};
use crate::store::snapshot::Snapshot;
use crate::store::tx::WriteTx;

/// What there is to prune of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruneBounds {
    pub first: i64,
    pub last: i64,
    pub records: i64,
}

/// One record that still has its body, chosen by its columns. The body decides (`audit::prune::Request::cover`).
pub struct Prunable {
    pub index: i64,
    pub leaf_hash: Vec<u8>,
    pub body: String,
}

/// Which of these records have a sealed detail beside them.
pub(super) fn details_between(conn: &mut Db, after: i64, last: i64) -> Result<HashSet<i64>, StoreError> {
    let found: Vec<i64> = audit_detail::table
        .filter(audit_detail::idx.gt(after))
        .filter(audit_detail::idx.le(last))
        .select(audit_detail::idx)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Every record that is a pruning, ascending.
pub(super) fn prunings(conn: &mut Db) -> Result<Vec<(i64, String)>, StoreError> {
    let rows: Vec<(i64, Option<String>)> = audit_index::table
        .inner_join(audit_leaf::table.on(audit_leaf::idx.eq(audit_index::idx)))
        .filter(audit_index::action.eq(Action::Prune.code()))
        .order(audit_index::idx.asc())
        .select((audit_index::idx, audit_leaf::body))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(index, body)| body.map(|b| (index, b))).collect())
}

impl Snapshot {
    /// The records of a class that are older than `before` and have their body; nothing where there are none.
    ///
    /// # Errors
    /// The database's.
    pub fn prunable(
        &mut self,
        class: RetentionClass,
        before: Timestamp,
    ) -> Result<Option<PruneBounds>, StoreError> {
        let found: (Option<i64>, Option<i64>, i64) = audit_index::table
            .inner_join(audit_leaf::table.on(audit_leaf::idx.eq(audit_index::idx)))
            .filter(audit_leaf::retention_class.eq(class.code()))
            .filter(audit_index::at.lt(before.micros()))
            .select((
                diesel::dsl::min(audit_index::idx),
                diesel::dsl::max(audit_index::idx),
                diesel::dsl::count_star(),
            ))
            .first(self.conn())?;
        let (first, last, records) = found;
        Ok(first.zip(last).map(|(first, last)| PruneBounds { first, last, records }))
    }

    /// The first records of a class after `after`, up to `last` included, that have their body.
    ///
    /// # Errors
    /// The database's.
    pub fn prunable_between(
        &mut self,
        class: RetentionClass,
        after: i64,
        last: i64,
        limit: i64,
    ) -> Result<Vec<Prunable>, StoreError> {
        let rows: Vec<(i64, Vec<u8>, Option<String>)> = audit_leaf::table
            .filter(audit_leaf::idx.gt(after))
            .filter(audit_leaf::idx.le(last))
            .filter(audit_leaf::retention_class.eq(class.code()))
            .filter(audit_leaf::body.is_not_null())
            .order(audit_leaf::idx.asc())
            .limit(limit)
            .select((audit_leaf::idx, audit_leaf::leaf_hash, audit_leaf::body))
            .load(self.conn())?;
        let whole = |(index, leaf_hash, body): (_, _, Option<_>)| {
            body.map(|body| Prunable { index, leaf_hash, body })
        };
        Ok(rows.into_iter().filter_map(whole).collect())
    }

    /// Whether there is a record with this index that has lost its body.
    ///
    /// # Errors
    /// The database's.
    pub fn log_is_pruned(&mut self, index: i64) -> Result<bool, StoreError> {
        let found: i64 = audit_leaf::table
            .filter(audit_leaf::idx.eq(index))
            .filter(audit_leaf::body.is_null())
            .count()
            .get_result(self.conn())?;
        Ok(found > 0)
    }
}

impl WriteTx {
    /// Takes from these records their body, their searchable copy and their detail. Their hashes stay.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when one of them is pruned already; what the database's guards refuse.
    pub fn log_prune(&mut self, indexes: &[i64]) -> Result<(), StoreError> {
        let there: i64 = audit_index::table
            .filter(audit_index::idx.eq_any(indexes))
            .select(diesel::dsl::count(audit_index::idx))
            .get_result(self.conn())?;
        if usize::try_from(there) != Ok(indexes.len()) {
            return Err(StoreError::Stale);
        }
        let emptied = diesel::update(audit_leaf::table.filter(audit_leaf::idx.eq_any(indexes)))
            .set(audit_leaf::body.eq(None::<String>))
            .execute(self.conn())?;
        if emptied != indexes.len() {
            return Err(StoreError::Stale);
        }
        diesel::delete(audit_index::table.filter(audit_index::idx.eq_any(indexes))).execute(self.conn())?;
        diesel::delete(audit_detail::table.filter(audit_detail::idx.eq_any(indexes))).execute(self.conn())?;
        Ok(())
    }
}
