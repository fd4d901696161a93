//! What was asked and confirmed is erased, batch by batch.
//!
//! INVARIANT: a batch of records and the `prune` record that names exactly these are one transaction. Wherever a pruning is
//! cut short, the log verifies, and the next run goes on from there.
//! INVARIANT: each record is judged by its own body before it is erased; the columns beside it only choose it.
//! INVARIANT: batches go upwards without a gap: where one cannot be erased, what follows waits as well.
//! INVARIANT: the erasing itself has no session: it follows from the request, which both persons' records cite.

use super::{erased_by_request, left_of, number, request};
use crate::audit::Record;
use crate::audit::lane::{Job, LaneError, Priority};
use crate::audit::prune::Cover;
use crate::domain::pruning::PruningOpinion;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::RequestId;
use crate::service::{App, ServiceError};
use crate::store::pruning::{StoredPruning, pruning_decision_ref, pruning_ref};
use crate::store::{StoreError, WriteTx};

/// How many records one transaction erases.
const BATCH: i64 = 2000;

/// How far a run came, in records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrunedRecords {
    pub done: u64,
    /// Confirmed, and left for the next run.
    pub left: u64,
    /// A reader kept what was erased in the write-ahead log: the hourly sweep tries again.
    pub in_journal: bool,
}

/// What became of a batch.
enum Batch {
    /// Erased, with its record: its last index, and how many.
    Erased(i64, u64),
    /// Another run, or another node, was first.
    Waits,
    None,
}

impl App {
    /// Erases what was confirmed and is not erased yet, batch by batch.
    ///
    /// # Errors
    /// The database's, or the lane's; damage, where a record is not what its row says. What was done before stays done, and
    /// is recorded.
    pub fn prune_confirmed(&self) -> Result<PrunedRecords, ServiceError> {
        self.prune_in_batches(BATCH)
    }

    pub(super) fn prune_in_batches(&self, limit: i64) -> Result<PrunedRecords, ServiceError> {
        let mut sum = PrunedRecords::default();
        let mut snapshot = self.store().snapshot()?;
        let erased = erased_by_request(&mut snapshot)?;
        let mut due = Vec::new();
        for row in snapshot.prunings_asked(self.store.instance_key())? {
            let confirmed = row.decision.as_ref().is_some_and(|d| d.outcome == PruningOpinion::Confirmed);
            let left = left_of(&mut snapshot, &row, &erased)?;
            if !confirmed || left == 0 {
                continue;
            }
            // LAW §6: a charter that came since may keep them longer. Then they wait.
            let recent = self.pruning_limit(&mut snapshot, row.scope.class, self.clock().now())?;
            if recent.is_some_and(|(from, _)| row.scope.before <= from) {
                due.push((row, left));
            } else {
                sum.left = sum.left.saturating_add(left);
            }
        }
        drop(snapshot);
        for (row, mut left) in due {
            let mut after = row.scope.bounds.first.saturating_sub(1);
            while let Batch::Erased(last, many) = self.prune_batch(&row, after, limit)? {
                after = last;
                left = left.saturating_sub(many);
                sum.done = sum.done.saturating_add(many);
            }
            sum.left = sum.left.saturating_add(left);
        }
        // What was erased leaves the write-ahead log too.
        sum.in_journal = sum.done > 0 && self.empty_journal().is_err();
        Ok(sum)
    }

    /// Erases the next batch, with its record.
    fn prune_batch(&self, row: &StoredPruning, after: i64, limit: i64) -> Result<Batch, ServiceError> {
        let scope = &row.scope;
        let batch =
            self.store().snapshot()?.prunable_between(scope.class, after, scope.bounds.last, limit)?;
        let records = batch
            .iter()
            .map(|one| Ok((number(one.index)?, one.leaf_hash.as_slice(), one.body.as_str())))
            .collect::<Result<Vec<_>, ServiceError>>()?;
        let cover = request(&row.id, scope)?
            .cover(records)
            .map_err(|damage| StoreError::corrupt("audit_leaf", &damage))?;
        let Some((cover, last)) = cover.zip(batch.last()) else { return Ok(Batch::None) };
        let record = self.prune_record(row, &cover)?;
        let (end, many) = (last.index, u64::from(cover.count));
        let indexes: Vec<i64> = batch.iter().map(|one| one.index).collect();
        let done = self
            .lane()
            .submit(Priority::Session, Job::new(record), move |tx: &mut WriteTx, _| tx.log_prune(&indexes));
        match done.wait() {
            Ok(_) => Ok(Batch::Erased(end, many)),
            // THREAT: what is erased above a range that is not can never be covered: a batch is not passed over.
            Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => Ok(Batch::Waits),
            Err(e) => Err(e.into()),
        }
    }

    fn prune_record(&self, row: &StoredPruning, cover: &Cover) -> Result<Record, ServiceError> {
        let mut draft = RecordDraft::new(
            RequestId::random(self.chance())?,
            RetentionClass::Disclosure,
            Action::Prune,
            ResourceKind::AuditLog,
            Verdict::Permit,
        );
        draft.basis = cover.basis();
        draft.count = Some(cover.count);
        draft.returned = vec![pruning_ref(&row.id), pruning_decision_ref(&row.id), cover.row_ref()];
        draft.motive = Some(row.reason.clone());
        self.prepare(&draft, None)
    }
}
