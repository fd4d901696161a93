//! A job in the queue, with its change and the one who waits, without their types.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::super::leaf::Record;
use super::{Job, LaneError, Receipt, VersionCheck};
use crate::clock::Timestamp;

/// How a change went, before the commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ran {
    Done,
    Refused,
    Panicked,
}

/// How the batch ended for one job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// Its records start at this index and bear this time.
    Committed {
        first_index: u64,
        records: usize,
        time: Timestamp,
    },
    Stale,
    Refused,
    Panicked,
    Unavailable,
}

/// What the engine sees of a job.
pub(super) trait Work<Tx: ?Sized>: Send {
    fn checks(&self) -> &[VersionCheck];
    fn valid_until(&self) -> Option<Timestamp>;
    fn changes(&self) -> bool;
    fn take_records(&mut self) -> Vec<Record>;
    /// Runs the change; called once at most, inside a savepoint. A panic ends here.
    fn run(&mut self, tx: &mut Tx, at: Timestamp) -> Ran;
    /// Answers. Somebody who no longer waits is not an error: the record stands (over-recorded, never under-recorded).
    fn finish(self: Box<Self>, ending: Ending);
}

/// Where the answer goes.
pub(super) type Answer<T, E> = oneshot::Sender<Result<Receipt<T>, LaneError<E>>>;

/// A job with a change.
pub(super) struct ChangeWork<F, T, E> {
    pub(super) job: Job,
    pub(super) change: Option<F>,
    pub(super) result: Option<Result<T, E>>,
    pub(super) answer: Answer<T, E>,
}

/// A job of records alone.
pub(super) struct RecordWork {
    pub(super) job: Job,
    pub(super) answer: Answer<(), Infallible>,
}

impl<Tx, F, T, E> Work<Tx> for ChangeWork<F, T, E>
where
    Tx: ?Sized,
    T: Send,
    E: Send,
    F: FnOnce(&mut Tx, Timestamp) -> Result<T, E> + Send,
{
    fn checks(&self) -> &[VersionCheck] {
        &self.job.checks
    }

    fn valid_until(&self) -> Option<Timestamp> {
        self.job.valid_until
    }

    fn changes(&self) -> bool {
        true
    }

    fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.job.records)
    }

    fn run(&mut self, tx: &mut Tx, at: Timestamp) -> Ran {
        let Some(change) = self.change.take() else { return Ran::Panicked };
        // What the change touched in the database is undone by its savepoint; nothing else of it is looked at again.
        match catch_unwind(AssertUnwindSafe(|| change(tx, at))) {
            Ok(result) => {
                let ran = if result.is_ok() { Ran::Done } else { Ran::Refused };
                self.result = Some(result);
                ran
            }
            Err(_panic) => Ran::Panicked,
        }
    }

    fn finish(self: Box<Self>, ending: Ending) {
        let outcome = match (ending, self.result) {
            (Ending::Committed { first_index, records, time }, Some(Ok(value))) => {
                Ok(Receipt { first_index, records, time, value })
            }
            (Ending::Refused, Some(Err(refusal))) => Err(LaneError::Refused(refusal)),
            (Ending::Stale, _) => Err(LaneError::Stale),
            (Ending::Panicked, _) => Err(LaneError::Panicked),
            (Ending::Unavailable | Ending::Committed { .. } | Ending::Refused, _) => {
                Err(LaneError::Unavailable)
            }
        };
        drop(self.answer.send(outcome));
    }
}

impl<Tx: ?Sized> Work<Tx> for RecordWork {
    fn checks(&self) -> &[VersionCheck] {
        &self.job.checks
    }

    fn valid_until(&self) -> Option<Timestamp> {
        self.job.valid_until
    }

    fn changes(&self) -> bool {
        false
    }

    fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.job.records)
    }

    fn run(&mut self, _tx: &mut Tx, _at: Timestamp) -> Ran {
        Ran::Done
    }

    fn finish(self: Box<Self>, ending: Ending) {
        drop(self.answer.send(match ending {
            Ending::Committed { first_index, records, time } => {
                Ok(Receipt { first_index, records, time, value: () })
            }
            Ending::Stale => Err(LaneError::Stale),
            Ending::Panicked => Err(LaneError::Panicked),
            Ending::Refused | Ending::Unavailable => Err(LaneError::Unavailable),
        }));
    }
}
