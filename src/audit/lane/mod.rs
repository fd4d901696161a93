//! The lane: the single writer of a node. Every change and every record goes through it, in group commits
//! (SECURITY §1 "The lane").
//!
//! INVARIANT: a job is answered "committed" only after the COMMIT that holds its records has returned.
//! INVARIANT: a change and its records are in one transaction; a change that fails leaves neither.
//! INVARIANT: record times never go back, and no record is written at or after its decision's `valid_until`.
//! INVARIANT: whoever gets no answer gets [`LaneError::Unavailable`]: silence is never consent.
//!
//! [`Lane`] is a handle over a bounded queue; one thread ([`LaneThread`]) owns the database connection. Changes do
//! no hashing, no encryption and no unbounded loop: all that is prepared before (SECURITY §1).
//!
//! It does not decide who may read and does not retry: a [`LaneError::Stale`] is decided again by the caller.

mod backend;
mod engine;
mod work;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

pub use backend::{BackendError, CheckKind, CommitError, Head, LaneBackend, VersionCheck};
pub use engine::{BATCH_BOUNDS, Fatal, LaneStats};
use engine::{Engine, Message, Shared};
use tokio::sync::oneshot;
use work::{Answer, ChangeWork, RecordWork, Work};

use super::leaf::Record;
pub use super::leaf::{NumberedLeaf, SealedDetail};
use super::sealed::{Disclosed, Sealed};
use crate::clock::{Clock, Timestamp};

/// Who asks: a quarter of the queue is kept for sessions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// A request with a session, or the command line.
    Session,
    /// A sign-in, or a counting leaf.
    Anonymous,
}

/// What the lane must write, and under which conditions.
#[must_use = "a job does nothing until it is submitted"]
pub struct Job {
    records: Vec<Record>,
    checks: Vec<VersionCheck>,
    valid_until: Option<Timestamp>,
}

impl Job {
    /// A job with one record; there is no job without a record.
    pub fn new(record: Record) -> Self {
        Self { records: vec![record], checks: Vec::new(), valid_until: None }
    }

    /// One more record (a request that touches several pathways).
    pub fn and_record(mut self, record: Record) -> Self {
        self.records.push(record);
        self
    }

    /// The versions that the decision read.
    pub fn checked(mut self, checks: Vec<VersionCheck>) -> Self {
        self.checks.extend(checks);
        self
    }

    /// The earliest end among the decision's facts: the record's time must come before it.
    pub fn valid_until(mut self, end: Option<Timestamp>) -> Self {
        self.valid_until = match (self.valid_until, end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self
    }
}

/// Proof that a job is committed. Only the lane makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt<T> {
    first_index: u64,
    records: usize,
    time: Timestamp,
    value: T,
}

impl<T> Receipt<T> {
    /// The index of the job's first record; the others follow it.
    #[must_use]
    pub const fn first_index(&self) -> u64 {
        self.first_index
    }

    /// How many records the job had.
    #[must_use]
    pub const fn records(&self) -> usize {
        self.records
    }

    /// The time that the records bear.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// What the change returned.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// What the change returned.
    pub fn into_value(self) -> T {
        self.value
    }
}

#[cfg(test)]
impl Receipt<()> {
    /// A receipt of nothing, for the tests of `sealed`.
    pub(super) const fn for_tests() -> Self {
        Self { first_index: 0, records: 0, time: Timestamp::from_micros(0), value: () }
    }
}

/// A job was not committed. `E` is what its change may answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LaneError<E = Infallible> {
    /// A fact moved, or ended, since the decision: decide again.
    #[error("what the decision was based on has changed; decide again")]
    Stale,
    /// The change itself said no; nothing of it was kept and nothing was recorded.
    #[error("the change was refused")]
    Refused(E),
    /// The change panicked; nothing of it was kept.
    #[error("the change failed inside the program")]
    Panicked,
    /// Content was asked for under records that permit nothing.
    #[error("no record of this job says that something was permitted; nothing can be disclosed under it")]
    NothingPermitted,
    /// The queue is full, the database did not answer, or the lane has stopped. Nothing may be shown.
    #[error("the log cannot be written now; try again later")]
    Unavailable,
}

impl LaneError {
    /// The same, as the error of a job with a change.
    #[must_use]
    pub fn widen<E>(self) -> LaneError<E> {
        match self {
            Self::Stale => LaneError::Stale,
            Self::Refused(never) => match never {},
            Self::Panicked => LaneError::Panicked,
            Self::NothingPermitted => LaneError::NothingPermitted,
            Self::Unavailable => LaneError::Unavailable,
        }
    }
}

/// The answer to come.
#[must_use = "nobody knows whether the job was committed until the answer is read"]
pub struct Pending<T, E> {
    answer: oneshot::Receiver<Result<Receipt<T>, LaneError<E>>>,
}

impl<T, E> Pending<T, E> {
    fn new() -> (Answer<T, E>, Self) {
        let (sender, answer) = oneshot::channel();
        (sender, Self { answer })
    }

    /// Waits for the commit.
    ///
    /// # Errors
    /// [`LaneError`]; a lane that dropped the job counts as unavailable.
    pub async fn outcome(self) -> Result<Receipt<T>, LaneError<E>> {
        self.answer.await.unwrap_or(Err(LaneError::Unavailable))
    }

    /// Waits for the commit on a thread that may block (the command line, a blocking pool).
    ///
    /// # Errors
    /// As [`Pending::outcome`].
    pub fn wait(self) -> Result<Receipt<T>, LaneError<E>> {
        self.answer.blocking_recv().unwrap_or(Err(LaneError::Unavailable))
    }
}

/// How the lane is set up.
#[derive(Clone, Copy, Debug)]
pub struct LaneConfig {
    /// How many jobs may wait.
    pub capacity: usize,
    /// How many jobs share one commit at most.
    pub batch: usize,
}

impl Default for LaneConfig {
    fn default() -> Self {
        Self { capacity: 1024, batch: 256 }
    }
}

/// The lane's thread could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the thread that writes the log cannot be started")]
pub struct LaneStartError(#[source] std::io::Error);

/// A handle on the lane; clones share one queue. `Tx` is what changes are given.
pub struct Lane<Tx: ?Sized + 'static> {
    queue: SyncSender<Message<Tx>>,
    shared: Arc<Shared>,
}

impl<Tx: ?Sized + 'static> Clone for Lane<Tx> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), shared: Arc::clone(&self.shared) }
    }
}

/// The lane's thread, to be stopped at the end. Dropping it leaves the thread running until all handles are gone.
pub struct LaneThread<Tx: ?Sized + 'static> {
    lane: Lane<Tx>,
    thread: std::thread::JoinHandle<()>,
}

impl<Tx: ?Sized + 'static> LaneThread<Tx> {
    /// Admits nothing more, finishes what is queued, and waits for the thread to end.
    pub fn stop(self) {
        self.lane.shared.close();
        // A full queue wakes the thread by itself; it sees the flag once it is empty.
        let _already_awake = self.lane.queue.try_send(Message::Wake);
        drop(self.lane);
        let _a_panic_is_in_health = self.thread.join();
    }
}

impl<Tx: ?Sized + 'static> Lane<Tx> {
    /// Starts the thread that owns `backend`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start<B>(
        backend: B,
        clock: Arc<dyn Clock>,
        config: LaneConfig,
    ) -> Result<(Self, LaneThread<Tx>), LaneStartError>
    where
        B: LaneBackend<Tx = Tx>,
    {
        let capacity = config.capacity.max(4);
        // One place more than admission gives out: the wake-up of `stop` always fits.
        let (queue, jobs) = sync_channel(capacity.saturating_add(1));
        let shared = Arc::new(Shared::new(capacity));
        let engine = Engine::new(backend, clock, Arc::clone(&shared), config.batch.max(1));
        let thread = std::thread::Builder::new()
            .name("lane".to_owned())
            .spawn(move || engine.run(&jobs))
            .map_err(LaneStartError)?;
        let lane = Self { queue, shared };
        Ok((lane.clone(), LaneThread { lane, thread }))
    }

    /// Queues a change with its records. The closure gets the transaction and the time that its records will bear;
    /// what it returns comes back only if the batch is committed.
    pub fn submit<T, E, F>(&self, priority: Priority, job: Job, change: F) -> Pending<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Tx, Timestamp) -> Result<T, E> + Send + 'static,
    {
        let (answer, pending) = Pending::new();
        if self.shared.admit(priority) {
            self.enqueue(Box::new(ChangeWork { job, change: Some(change), result: None, answer }));
        }
        pending
    }

    /// Queues records without a change.
    pub fn record(&self, priority: Priority, job: Job) -> Pending<(), Infallible> {
        let (answer, pending) = Pending::new();
        if self.shared.admit(priority) {
            self.enqueue(Box::new(RecordWork { job, answer }));
        }
        pending
    }

    /// Begins a batch and gives it up: whether the thread lives, the queue has a place, the database gives the writer's
    /// turn, the head is the one that was committed, and the clock has not gone back. Nothing is written.
    ///
    /// # Errors
    /// [`LaneError::Unavailable`] when a record could not be written now.
    pub fn probe(&self) -> Result<(), LaneError> {
        let nothing = Job { records: Vec::new(), checks: Vec::new(), valid_until: None };
        self.record(Priority::Anonymous, nothing).wait().map(drop)
    }

    /// Commits the records, then opens the content: the only way to a [`Disclosed`].
    ///
    /// # Errors
    /// [`LaneError`]; the content is then dropped, still sealed.
    pub async fn disclose<C>(
        &self,
        priority: Priority,
        job: Job,
        content: Sealed<C>,
    ) -> Result<(Disclosed<C>, Receipt<()>), LaneError> {
        if !job.records.iter().any(Record::permits) {
            return Err(LaneError::NothingPermitted);
        }
        let receipt = self.record(priority, job).outcome().await?;
        Ok((content.open(&receipt), receipt))
    }

    /// [`Lane::disclose`] on a thread that may block.
    ///
    /// # Errors
    /// As [`Lane::disclose`].
    pub fn disclose_blocking<C>(
        &self,
        priority: Priority,
        job: Job,
        content: Sealed<C>,
    ) -> Result<(Disclosed<C>, Receipt<()>), LaneError> {
        if !job.records.iter().any(Record::permits) {
            return Err(LaneError::NothingPermitted);
        }
        let receipt = self.record(priority, job).wait()?;
        Ok((content.open(&receipt), receipt))
    }

    /// [`Lane::disclose_blocking`] with a change in the same transaction (a session's last use).
    ///
    /// # Errors
    /// As [`Lane::disclose`], and what the change answers.
    pub fn disclose_with_blocking<C, E, F>(
        &self,
        priority: Priority,
        job: Job,
        content: Sealed<C>,
        change: F,
    ) -> Result<(Disclosed<C>, Receipt<()>), LaneError<E>>
    where
        E: Send + 'static,
        F: FnOnce(&mut Tx, Timestamp) -> Result<(), E> + Send + 'static,
    {
        if !job.records.iter().any(Record::permits) {
            return Err(LaneError::NothingPermitted);
        }
        let receipt = self.submit(priority, job, change).wait()?;
        Ok((content.open(&receipt), receipt))
    }

    /// What cannot be queued is dropped, which answers "unavailable".
    fn enqueue(&self, work: Box<dyn Work<Tx>>) {
        if self.queue.try_send(Message::Work(work)).is_err() {
            self.shared.leave(1);
        }
    }

    /// Why the lane stopped; `None` while it runs.
    #[must_use]
    pub fn stopped(&self) -> Option<Fatal> {
        self.shared.stopped()
    }

    /// When the last batch was given up, if none was committed since.
    #[must_use]
    pub fn failed_at(&self) -> Option<Timestamp> {
        self.shared.failed_at()
    }

    /// How many jobs may wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.capacity()
    }

    /// How many jobs wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.shared.depth()
    }

    /// Counters since the start.
    #[must_use]
    pub fn stats(&self) -> LaneStats {
        self.shared.stats()
    }
}

#[cfg(test)]
mod tests;
