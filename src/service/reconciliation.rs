//! The data held against the log, once a day, with a record of what was found.
//!
//! INVARIANT: the record says how many things did not agree, and for the first of them which records are concerned; never
//! a row, whose name is a matter of the sealed detail. `relais audit reconcile` names the rows to whoever has the key.
//! It repairs nothing.

use super::{App, ServiceError};
use crate::audit::lane::{Job, Priority};
use crate::audit::{LaneError, LeafBody};
use crate::clock::Timestamp;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, RowRef, Verdict};
use crate::ids::RequestId;
use crate::store::log::LogFilter;
use crate::store::reconcile::{Divergence, Reconciled};
use crate::store::{Snapshot, StoreError};

/// A comparison is due when the last is older than this: a little less than a day, so that it comes every day.
const DUE_SECONDS: i64 = 23 * 3600;
/// How many divergences are kept for the record and its detail.
const NAMED: usize = 20;

/// What a comparison found.
pub struct Compared {
    pub sum: Reconciled,
    /// The first divergences.
    pub first: Vec<Divergence>,
}

/// The record of the last comparison.
pub(super) fn last_reconciliation(snapshot: &mut Snapshot) -> Result<Option<LeafBody>, ServiceError> {
    let filter = LogFilter {
        action: Some(Action::Maintain.code().to_owned()),
        resource: Some(ResourceKind::AuditLog.code().to_owned()),
        ..LogFilter::default()
    };
    let last = snapshot.log_page(&filter, 1)?;
    let read = |text: &String| LeafBody::parse(text).map_err(ServiceError::internal);
    last.first().map(|(_, text)| read(text)).transpose()
}

impl App {
    /// Compares if the last comparison is a day old; nothing otherwise.
    ///
    /// # Errors
    /// When the data or the log cannot be read; data that does not agree is an answer.
    pub fn reconcile_daily(&self, now: Timestamp) -> Result<Option<Compared>, ServiceError> {
        let mut snapshot = self.store().snapshot()?;
        let last = last_reconciliation(&mut snapshot)?;
        drop(snapshot);
        if last.is_some_and(|body| now < body.at.plus_seconds(DUE_SECONDS)) {
            return Ok(None);
        }
        self.reconcile().map(Some)
    }

    /// Compares now, and records what was found.
    ///
    /// # Errors
    /// As [`App::reconcile_daily`].
    pub fn reconcile(&self) -> Result<Compared, ServiceError> {
        let mut first = Vec::new();
        let mut tell = |divergence: Divergence| {
            if first.len() < NAMED {
                first.push(divergence);
            }
        };
        let sum = self.store().log_file()?.reconcile(&mut tell, &mut |_| {})?;
        let verdict = if sum.divergences == 0 { Verdict::Permit } else { Verdict::Failed };
        let request = RequestId::random(self.chance())?;
        let mut draft = RecordDraft::new(
            request,
            RetentionClass::Disclosure,
            Action::Maintain,
            ResourceKind::AuditLog,
            verdict,
        );
        draft.count = match sum.divergences {
            0 => None,
            some => Some(u32::try_from(some).unwrap_or(u32::MAX)),
        };
        draft.clauses = first
            .iter()
            .map(|d| match d.record {
                Some(index) => format!("{}={index}", d.discord.code()),
                None => d.discord.code().to_owned(),
            })
            .collect();
        draft.returned = first
            .iter()
            .flat_map(|d| &d.rows)
            .map(|row| RowRef { table: row.table, id: row.id.clone(), version: row.version })
            .collect();
        let record = self.prepare(&draft, None)?;
        self.lane()
            .record(Priority::Session, Job::new(record))
            .wait()
            .map_err(LaneError::widen::<StoreError>)?;
        Ok(Compared { sum, first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::service::testing::Territory;
    use crate::service::{Act, RecordSearch};

    #[test]
    fn the_data_is_compared_once_a_day_and_the_auditor_reads_what_was_found() {
        const READ: Act = Act { action: Action::Read, resource: ResourceKind::Checkpoint };
        let t = Territory::new();
        // This territory was put in by hand: no record tells of its rows.
        let found = t.app.reconcile_daily(t.clock.now()).unwrap().unwrap();
        assert!(found.sum.divergences > 0 && found.first.len() <= NAMED);
        assert!(t.app.reconcile_daily(t.clock.now()).unwrap().is_none(), "once a day");
        let state = t.app.audit_state(&t.call("auditor"), READ).unwrap();
        let told = u64::from(state.last_reconciled_divergences.unwrap());
        assert!(state.last_reconciled_at.is_some() && told == found.sum.divergences);
        let search = RecordSearch { resource: Some(ResourceKind::AuditLog), ..RecordSearch::default() };
        let page = t.app.audit_search(&t.call("auditor"), READ, &search).unwrap();
        let line = page.items.iter().find(|l| l.action == Action::Maintain).unwrap();
        assert_eq!(line.decision, Verdict::Failed);
        assert!(line.sentence.contains("relais audit reconcile"), "{}", line.sentence);
        t.clock.set(t.clock.now().plus_seconds(DUE_SECONDS));
        assert!(t.app.reconcile_daily(t.clock.now()).unwrap().is_some(), "and the next day again");
    }
}
