//! The thread behind the lane: drain, begin, check, change, number, append, commit, answer.
//!
//! Failure points and what they leave (each is a test of `lane::tests`):
//!
//! | where it fails | in the log | answer |
//! |---|---|---|
//! | begin, facts, savepoint, release, rollback-to, append, head | nothing | all unavailable |
//! | commit, known to be rolled back | nothing | all unavailable |
//! | commit, unknown: failed | nothing | all unavailable, head read again |
//! | commit, unknown: failed but persisted | all of the batch | all unavailable, head read again: over-recorded |
//! | a change refuses or panics | its neighbours only | that job refused or panicked |
//! | the backend panics | nothing | all unavailable, the lane stops |
//! | the stored head is shorter than, or differs from, what was committed | nothing | all unavailable, the lane stops |
//! | the clock is more than 5 s behind the last record | nothing | all unavailable, the lane stops |

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use super::super::json::MAX_INTEGER;
use super::super::leaf::NumberedLeaf;
use super::work::{Ending, Ran, Work};
use super::{BackendError, CommitError, Head, LaneBackend, Priority, VersionCheck};
use crate::clock::{Clock, Timestamp};

/// How far the clock may be behind the last record before the node stops, in microseconds.
const CLOCK_TOLERANCE: i64 = 5_000_000;

/// Why the lane stopped for good; a person must look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fatal {
    #[error("the clock is `{by_micros}` µs behind the last record; set the clock and start again")]
    ClockBehind { by_micros: i64 },
    #[error(
        "the clock shows `{micros}` µs since 1970, which no record can bear; set the clock and start again"
    )]
    ClockAbsurd { micros: i64 },
    #[error(
        "the log has `{found}` records where `{known}` were committed; it was cut or restored: run `relais audit verify`"
    )]
    Shorter { known: u64, found: u64 },
    #[error(
        "the head of the log at size `{size}` is not the one that was committed; run `relais audit verify`"
    )]
    OtherHead { size: u64 },
    #[error("the stored log is damaged: {what}; run `relais audit verify`")]
    Damaged { what: String },
    #[error("the database code panicked while a batch was written; start again")]
    Panicked,
}

/// Why a batch was given up.
#[derive(Debug, thiserror::Error)]
enum GiveUp {
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

/// Up to how many jobs a batch has that is counted in each place of [`LaneStats::sizes`].
pub const BATCH_BOUNDS: [u64; 5] = [1, 4, 16, 64, 256];

/// Counters since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LaneStats {
    /// Batches committed.
    pub batches: u64,
    /// Records committed.
    pub records: u64,
    /// Jobs in the batches committed.
    pub jobs: u64,
    /// Batches committed, by how many jobs they had: each is counted once, under the first of [`BATCH_BOUNDS`] that it
    /// does not pass. A larger one is in `batches` only.
    pub sizes: [u64; BATCH_BOUNDS.len()],
    /// The largest number of jobs in one batch.
    pub largest_batch: u64,
    /// Batches given up; all their jobs were answered "unavailable".
    pub given_up: u64,
    /// Jobs turned away because the queue was full.
    pub turned_away: u64,
}

/// What handles and thread share.
pub(super) struct Shared {
    capacity: usize,
    depth: AtomicUsize,
    closed: AtomicBool,
    fatal: OnceLock<Fatal>,
    batches: AtomicU64,
    records: AtomicU64,
    jobs: AtomicU64,
    sizes: [AtomicU64; BATCH_BOUNDS.len()],
    largest: AtomicU64,
    given_up: AtomicU64,
    turned_away: AtomicU64,
    /// When the last batch was given up, in microseconds; [`NEVER`] once one was committed since.
    failed_at: AtomicI64,
}

const NEVER: i64 = i64::MIN;

pub(super) enum Message<Tx: ?Sized> {
    Work(Box<dyn Work<Tx>>),
    Wake,
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

impl Shared {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            depth: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            fatal: OnceLock::new(),
            batches: AtomicU64::new(0),
            records: AtomicU64::new(0),
            jobs: AtomicU64::new(0),
            sizes: [const { AtomicU64::new(0) }; BATCH_BOUNDS.len()],
            largest: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            failed_at: AtomicI64::new(NEVER),
        }
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// When the last batch was given up, if none was committed since.
    pub(super) fn failed_at(&self) -> Option<Timestamp> {
        let at = self.failed_at.load(Ordering::SeqCst);
        (at != NEVER).then(|| Timestamp::from_micros(at))
    }

    fn committed(&self, records: usize, jobs: usize) {
        let jobs = count(jobs);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(count(records), Ordering::Relaxed);
        self.jobs.fetch_add(jobs, Ordering::Relaxed);
        self.largest.fetch_max(jobs, Ordering::Relaxed);
        if let Some((_, place)) = BATCH_BOUNDS.iter().zip(&self.sizes).find(|(bound, _)| jobs <= **bound) {
            place.fetch_add(1, Ordering::Relaxed);
        }
        self.failed_at.store(NEVER, Ordering::SeqCst);
    }

    /// Takes a place in the queue, if there is one for this caller.
    pub(super) fn admit(&self, priority: Priority) -> bool {
        if self.closed() || self.fatal.get().is_some() {
            return false;
        }
        let limit = match priority {
            Priority::Session => self.capacity,
            Priority::Anonymous => self.capacity.saturating_sub(self.capacity.div_ceil(4)),
        };
        let free = |depth: usize| (depth < limit).then_some(depth.saturating_add(1));
        let admitted = self.depth.fetch_update(Ordering::SeqCst, Ordering::SeqCst, free).is_ok();
        if !admitted {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }

    pub(super) fn leave(&self, places: usize) {
        self.depth.fetch_sub(places, Ordering::SeqCst);
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(super) fn closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::SeqCst)
    }

    pub(super) fn stopped(&self) -> Option<Fatal> {
        self.fatal.get().cloned()
    }

    pub(super) fn stats(&self) -> LaneStats {
        LaneStats {
            batches: self.batches.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            sizes: self.sizes.each_ref().map(|place| place.load(Ordering::Relaxed)),
            largest_batch: self.largest.load(Ordering::Relaxed),
            given_up: self.given_up.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
        }
    }

    fn stop(&self, why: Fatal) {
        tracing::error!(reason = %why, "the lane stops");
        // The first reason stands.
        drop(self.fatal.set(why));
    }
}

/// A batch in the making.
struct Batch {
    next: Head,
    leaves: Vec<NumberedLeaf>,
    /// Versions found to hold since the last change of this batch: nobody else writes meanwhile.
    held: HashSet<VersionCheck>,
}

pub(super) struct Engine<B: LaneBackend> {
    backend: B,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    limit: usize,
    /// The last head that this node committed or read.
    known: Option<Head>,
}

impl<B: LaneBackend> Engine<B> {
    pub(super) const fn new(backend: B, clock: Arc<dyn Clock>, shared: Arc<Shared>, limit: usize) -> Self {
        Self { backend, clock, shared, limit, known: None }
    }

    /// Works until every handle is gone, or until the lane is closed and its queue empty.
    pub(super) fn run(mut self, jobs: &Receiver<Message<B::Tx>>) {
        while let Ok(first) = jobs.recv() {
            let mut works = Vec::new();
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Work(work) => works.push(work),
                    Message::Wake => {}
                }
                next = if works.len() < self.limit { jobs.try_recv().ok() } else { None };
            }
            self.shared.leave(works.len());
            if !works.is_empty() {
                self.batch(works);
            }
            if self.shared.closed() && self.shared.depth() == 0 {
                break;
            }
        }
    }

    fn batch(&mut self, mut works: Vec<Box<dyn Work<B::Tx>>>) {
        let endings = if self.shared.stopped().is_some() { None } else { self.attempt(&mut works) };
        match endings {
            Some(endings) => {
                for (work, ending) in works.into_iter().zip(endings) {
                    work.finish(ending);
                }
            }
            None => {
                self.shared.given_up.fetch_add(1, Ordering::Relaxed);
                for work in works {
                    work.finish(Ending::Unavailable);
                }
            }
        }
    }

    /// One transaction; `None` when it was given up, whatever had been decided inside it: a refusal that rests on a
    /// neighbour's change that was rolled back must not be told.
    fn attempt(&mut self, works: &mut [Box<dyn Work<B::Tx>>]) -> Option<Vec<Ending>> {
        let why = match catch_unwind(AssertUnwindSafe(|| self.transaction(works))) {
            Ok(Ok(endings)) => return Some(endings),
            Ok(Err(why)) => why,
            Err(_panic) => GiveUp::Fatal(Fatal::Panicked),
        };
        tracing::error!(reason = %why, jobs = works.len(), "a batch was given up");
        self.shared.failed_at.store(self.clock.now().micros(), Ordering::SeqCst);
        match why {
            GiveUp::Fatal(fatal) => self.shared.stop(fatal),
            GiveUp::Backend(BackendError::Damaged { what }) => self.shared.stop(Fatal::Damaged { what }),
            GiveUp::Backend(BackendError::Unavailable(_)) | GiveUp::Commit(_) => {}
        }
        if catch_unwind(AssertUnwindSafe(|| self.backend.rollback())).is_err() {
            self.shared.stop(Fatal::Panicked);
        }
        None
    }

    fn transaction(&mut self, works: &mut [Box<dyn Work<B::Tx>>]) -> Result<Vec<Ending>, GiveUp> {
        let head = self.backend.begin()?;
        self.check_head(&head)?;
        let mut batch = Batch { next: head.clone(), leaves: Vec::new(), held: HashSet::new() };
        let mut endings = Vec::with_capacity(works.len());
        for work in works.iter_mut() {
            endings.push(self.one(work.as_mut(), &mut batch)?);
        }
        if batch.leaves.is_empty() {
            // No record, so no change either: nothing to keep.
            self.backend.rollback();
            self.known = Some(head);
            return Ok(endings);
        }
        self.backend.append(&batch.leaves)?;
        self.backend.write_head(&batch.next)?;
        self.backend.commit()?;
        self.known = Some(batch.next);
        self.shared.committed(batch.leaves.len(), works.len());
        Ok(endings)
    }

    /// THREAT: somebody puts an older copy of the database back, or edits the head, under a running node. What was
    /// committed never shrinks and never changes; after an unknown commit the head may only be the old one or longer.
    fn check_head(&self, head: &Head) -> Result<(), Fatal> {
        let Some(known) = &self.known else { return Ok(()) };
        let (known_size, found) = (known.frontier.size(), head.frontier.size());
        if found < known_size {
            return Err(Fatal::Shorter { known: known_size, found });
        }
        if found == known_size && head != known {
            return Err(Fatal::OtherHead { size: found });
        }
        Ok(())
    }

    /// The time of the next record: the clock, but never before the last record (DESIGN §1).
    fn moment(&self, last: Option<Timestamp>) -> Result<Timestamp, Fatal> {
        let now = self.clock.now();
        if !(0..=MAX_INTEGER).contains(&now.micros()) {
            return Err(Fatal::ClockAbsurd { micros: now.micros() });
        }
        let Some(last) = last else { return Ok(now) };
        let behind = last.micros().saturating_sub(now.micros());
        if behind > CLOCK_TOLERANCE {
            return Err(Fatal::ClockBehind { by_micros: behind });
        }
        Ok(now.max(last))
    }

    fn one(&mut self, work: &mut dyn Work<B::Tx>, batch: &mut Batch) -> Result<Ending, GiveUp> {
        let time = self.moment(batch.next.last_time)?;
        if work.valid_until().is_some_and(|end| time >= end) {
            return Ok(Ending::Stale);
        }
        let asked: Vec<VersionCheck> =
            work.checks().iter().filter(|c| !batch.held.contains(*c)).cloned().collect();
        if !asked.is_empty() {
            if !self.backend.facts_hold(&asked)? {
                return Ok(Ending::Stale);
            }
            batch.held.extend(asked);
        }
        if work.changes() {
            // Whatever it does, what was known to hold must be asked again.
            batch.held.clear();
            self.backend.savepoint()?;
            match work.run(self.backend.tx(), time) {
                Ran::Done => self.backend.release()?,
                Ran::Refused => {
                    self.backend.rollback_to()?;
                    return Ok(Ending::Refused);
                }
                Ran::Panicked => {
                    self.backend.rollback_to()?;
                    return Ok(Ending::Panicked);
                }
            }
        }
        let first_index = batch.next.frontier.size();
        let records = work.take_records();
        let number = records.len();
        for record in records {
            let index = batch.next.frontier.size();
            batch.leaves.push(record.number(index, time, &mut batch.next.frontier));
        }
        batch.next.last_time = Some(time);
        Ok(Ending::Committed { first_index, records: number, time })
    }
}
