//! The lane's promises, and its table of failure points (see `engine`).

use std::convert::Infallible;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use super::*;
use crate::audit::Sealed;
use crate::audit::memory::{Counting, Fault, Memory, Plain, Tables, draft, key, record};
use crate::audit::tree::leaf_hash;
use crate::audit::verify::{Trust, verify};
use crate::domain::record::{RetentionClass, Verdict};

const START: i64 = 1_800_000_000_000_000;

/// A clock that stays where it is put.
struct Still(Mutex<i64>);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(*self.0.lock().unwrap())
    }
}

struct Node {
    memory: Memory,
    clock: Arc<Still>,
    chance: Counting,
    lane: Lane<Tables>,
    thread: Option<LaneThread<Tables>>,
}

impl Node {
    fn on(memory: &Memory, config: LaneConfig) -> Self {
        let clock = Arc::new(Still(Mutex::new(START)));
        let (lane, thread) = Lane::start(memory.backend(), Arc::<Still>::clone(&clock), config).unwrap();
        let chance = Counting::default();
        Self { memory: memory.clone(), clock, chance, lane, thread: Some(thread) }
    }

    fn new() -> Self {
        Self::on(&Memory::default(), LaneConfig::default())
    }

    fn set_clock(&self, micros: i64) {
        *self.clock.0.lock().unwrap() = micros;
    }

    fn job(&self) -> Job {
        Job::new(record(&self.chance))
    }

    fn read(&self) -> Result<Receipt<()>, LaneError> {
        self.lane.record(Priority::Session, self.job()).wait()
    }

    fn change(&self, word: &'static str) -> Pending<(), &'static str> {
        self.lane.submit(Priority::Session, self.job(), move |tx: &mut Tables, _| {
            tx.changes.push(word.to_owned());
            Ok(())
        })
    }

    /// Holds the lane inside a change until the returned sender speaks, so that what follows queues up.
    fn hold(&self) -> (Sender<()>, Pending<(), Infallible>) {
        let (go, wait) = channel::<()>();
        let (inside, entered) = channel();
        let pending = self.lane.submit(Priority::Session, self.job(), move |_: &mut Tables, _| {
            inside.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        });
        entered.recv().unwrap();
        (go, pending)
    }

    /// Nothing is broken: what is stored verifies.
    fn verified(&self) -> u64 {
        let trust = Trust { origin: "relais.example/journal", keys: &[], given: None };
        let report = verify(&mut self.memory.clone(), &trust, &mut |_| {}).unwrap();
        assert_eq!(report.failure, None);
        report.records
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.stop();
        }
    }
}

fn check(version: i64) -> VersionCheck {
    VersionCheck { kind: CheckKind::Pathway, id: "p".to_owned(), version }
}

fn with_version(memory: &Memory, version: i64) {
    memory.tables.lock().unwrap().versions.insert((CheckKind::Pathway, "p".to_owned()), version);
}

#[test]
fn records_are_numbered_dated_and_verifiable() {
    let node = Node::new();
    for n in 0..20 {
        let receipt = node.read().unwrap();
        assert_eq!((receipt.first_index(), receipt.records()), (n, 1));
        assert_eq!(receipt.time().micros(), START);
    }
    let two = Job::new(record(&node.chance)).and_record(record(&node.chance));
    let receipt = node.lane.record(Priority::Session, two).wait().unwrap();
    assert_eq!((receipt.first_index(), receipt.records()), (20, 2));
    assert_eq!(node.verified(), 22);
    let rows = node.memory.tables.lock().unwrap().rows.clone();
    assert!(rows.iter().all(|r| r.leaf_hash == leaf_hash(r.body.as_ref().unwrap().as_bytes())));
}

#[test]
fn a_change_and_its_record_are_kept_together_and_the_value_comes_back() {
    let node = Node::new();
    let receipt = node
        .lane
        .submit(Priority::Session, node.job(), |tx: &mut Tables, at| {
            tx.changes.push(at.micros().to_string());
            Ok::<_, Infallible>(42)
        })
        .wait()
        .unwrap();
    assert_eq!(*receipt.value(), 42);
    assert_eq!(node.memory.changes(), vec![receipt.time().micros().to_string()], "one time for both");
    assert_eq!(node.verified(), 1);
}

#[test]
fn what_waits_is_committed_together_in_order() {
    let node = Node::new();
    let (go, held) = node.hold();
    let waiting: Vec<_> = (0..100).map(|_| node.lane.record(Priority::Session, node.job())).collect();
    assert_eq!(node.lane.depth(), 100);
    go.send(()).unwrap();
    held.wait().unwrap();
    let indexes: Vec<u64> = waiting.into_iter().map(|p| p.wait().unwrap().first_index()).collect();
    assert_eq!(indexes, (1..=100).collect::<Vec<_>>());
    let stats = node.lane.stats();
    assert_eq!((stats.batches, stats.records, stats.largest_batch), (2, 101, 100));
    assert_eq!((stats.jobs, stats.sizes), (101, [1, 0, 0, 0, 1]), "the one that held, and the hundred");
    assert_eq!(node.lane.depth(), 0);
    assert_eq!(node.verified(), 101);
}

#[test]
fn a_batch_is_bounded() {
    let node = Node::on(&Memory::default(), LaneConfig { capacity: 64, batch: 10 });
    let (go, held) = node.hold();
    let waiting: Vec<_> = (0..25).map(|_| node.lane.record(Priority::Session, node.job())).collect();
    go.send(()).unwrap();
    held.wait().unwrap();
    assert!(waiting.into_iter().all(|p| p.wait().is_ok()));
    let stats = node.lane.stats();
    assert_eq!((stats.batches, stats.largest_batch), (4, 10));
}

#[test]
fn a_moved_fact_is_stale_and_not_recorded() {
    let node = Node::new();
    with_version(&node.memory, 7);
    let ask = |checks| node.lane.record(Priority::Session, node.job().checked(checks)).wait();
    assert!(ask(vec![check(7)]).is_ok());
    assert_eq!(ask(vec![check(6)]), Err(LaneError::Stale));
    assert_eq!(
        ask(vec![check(7), VersionCheck { id: "absent".to_owned(), ..check(0) }]),
        Err(LaneError::Stale)
    );
    assert_eq!(node.verified(), 1);
}

#[test]
fn no_record_permits_after_a_withdrawal_of_the_same_batch() {
    let node = Node::new();
    with_version(&node.memory, 7);
    let (go, held) = node.hold();
    let read = || node.lane.record(Priority::Session, node.job().checked(vec![check(7)]));
    let before = read();
    let withdrawal =
        node.lane.submit(Priority::Session, node.job().checked(vec![check(7)]), |tx: &mut Tables, _| {
            tx.versions.insert((CheckKind::Pathway, "p".to_owned()), 8);
            Ok::<_, Infallible>(())
        });
    let after = read();
    go.send(()).unwrap();
    held.wait().unwrap();
    assert!(before.wait().unwrap().first_index() < withdrawal.wait().unwrap().first_index());
    assert_eq!(after.wait(), Err(LaneError::Stale), "it had not seen the withdrawal");
    assert_eq!(node.lane.stats().batches, 2, "all three were in one batch");
}

#[test]
fn a_record_is_never_written_at_or_after_the_end_of_its_facts() {
    let node = Node::new();
    let until = |micros| {
        let job = node.job().valid_until(Some(Timestamp::from_micros(micros))).valid_until(None);
        node.lane.record(Priority::Session, job).wait()
    };
    assert!(until(START + 1).is_ok());
    assert_eq!(until(START), Err(LaneError::Stale));
    let earliest = node
        .job()
        .valid_until(Some(Timestamp::from_micros(START)))
        .valid_until(Some(Timestamp::from_micros(START + 9)));
    assert_eq!(node.lane.record(Priority::Session, earliest).wait(), Err(LaneError::Stale));
    // The record's time, not the clock, is compared: a clock set back does not reopen what has ended.
    node.set_clock(START + 2_000_000);
    node.read().unwrap();
    node.set_clock(START);
    assert_eq!(until(START + 1), Err(LaneError::Stale));
    assert_eq!(node.verified(), 2);
}

#[test]
fn time_never_goes_back_and_a_clock_far_behind_stops_the_node() {
    let node = Node::new();
    node.read().unwrap();
    node.set_clock(START - 5_000_000);
    assert_eq!(node.read().unwrap().time().micros(), START);
    assert_eq!(node.lane.stopped(), None);
    node.set_clock(START - 5_000_001);
    assert_eq!(node.read(), Err(LaneError::Unavailable));
    assert_eq!(node.lane.stopped(), Some(Fatal::ClockBehind { by_micros: 5_000_001 }));
    node.set_clock(START + 1);
    assert_eq!(node.read(), Err(LaneError::Unavailable), "a person must look first");
    assert_eq!(node.verified(), 2);
    let restarted = Node::on(&node.memory, LaneConfig::default());
    assert!(restarted.read().is_ok());
    let early = Node::new();
    early.set_clock(-1);
    assert_eq!(early.read(), Err(LaneError::Unavailable));
    assert_eq!(early.lane.stopped(), Some(Fatal::ClockAbsurd { micros: -1 }));
}

#[test]
fn one_refusal_or_panic_does_not_sink_its_neighbours() {
    let node = Node::new();
    let (go, held) = node.hold();
    let first = node.change("first");
    let refused = node.lane.submit(Priority::Session, node.job(), |tx: &mut Tables, _| {
        tx.changes.push("half done".to_owned());
        Err::<(), _>("no")
    });
    let panicked = node.lane.submit(Priority::Session, node.job(), |tx: &mut Tables, _| {
        tx.changes.push("half done".to_owned());
        assert!(tx.changes.is_empty(), "injected panic");
        Ok::<_, &str>(())
    });
    let last = node.change("last");
    go.send(()).unwrap();
    held.wait().unwrap();
    let (first, last) = (first.wait().unwrap(), last.wait().unwrap());
    assert_eq!(refused.wait(), Err(LaneError::Refused("no")));
    assert_eq!(panicked.wait(), Err(LaneError::Panicked));
    assert_eq!((first.first_index(), last.first_index()), (1, 2), "no gap");
    assert_eq!(node.memory.changes(), ["first", "last"]);
    assert_eq!(node.verified(), 3);
    assert_eq!(node.lane.stopped(), None);
}

/// A batch of a change, a reading and a change that refuses, met by each fault in turn.
#[test]
fn the_table_of_failure_points() {
    let damaged = "the head cannot be read".to_owned();
    // Where it fails; whether the batch is in the log all the same; why the lane stops for good.
    let points: [(Fault, bool, Option<Fatal>); 13] = [
        (Fault::Begin, false, None),
        (Fault::Damaged, false, Some(Fatal::Damaged { what: damaged })),
        (Fault::Facts, false, None),
        (Fault::Savepoint, false, None),
        (Fault::Release, false, None),
        (Fault::RollbackTo, false, None),
        (Fault::Append, false, None),
        (Fault::WriteHead, false, None),
        (Fault::CommitRolledBack, false, None),
        (Fault::CommitUnknownLost, false, None),
        (Fault::CommitUnknownKept, true, None),
        (Fault::PanicInAppend, false, Some(Fatal::Panicked)),
        (Fault::PanicInCommit, false, Some(Fatal::Panicked)),
    ];
    for (fault, persisted, fatal) in points {
        let node = Node::new();
        with_version(&node.memory, 7);
        let (go, held) = node.hold();
        let change = node.change("change");
        let read = node.lane.record(Priority::Session, node.job().checked(vec![check(7)]));
        // What it answers rests on a neighbour's change: it must not be told when that one is rolled back.
        let refused = node.lane.submit(Priority::Session, node.job(), |tx: &mut Tables, _| {
            if tx.changes.is_empty() { Ok(()) } else { Err("already there") }
        });
        node.memory.fail(fault);
        go.send(()).unwrap();
        held.wait().unwrap();
        assert_eq!(change.wait(), Err(LaneError::Unavailable), "{fault:?}");
        assert_eq!(read.wait(), Err(LaneError::Unavailable), "{fault:?}");
        assert_eq!(refused.wait(), Err(LaneError::Unavailable), "{fault:?}");
        assert!(node.memory.fault.lock().unwrap().is_none(), "{fault:?} was met");
        let kept = if persisted { (3, 1) } else { (1, 0) };
        assert_eq!((node.memory.size(), node.memory.changes().len()), kept, "{fault:?}");
        assert_eq!(node.lane.stopped(), fatal, "{fault:?}");
        assert_eq!(node.lane.stats().given_up, 1);
        assert_eq!(node.lane.failed_at(), Some(Timestamp::from_micros(START)), "{fault:?}");
        match fatal {
            None => {
                assert_eq!(node.read().unwrap().first_index(), node.verified() - 1, "{fault:?}");
                assert_eq!(node.lane.failed_at(), None, "something was committed since");
            }
            Some(_) => assert_eq!(node.read(), Err(LaneError::Unavailable), "{fault:?}"),
        }
        node.verified();
    }
}

#[test]
fn other_nodes_write_through_the_same_head() {
    let one = Node::new();
    let two = Node::on(&one.memory, LaneConfig::default());
    for n in 0..10 {
        let node = if n % 3 == 0 { &one } else { &two };
        assert_eq!(node.read().unwrap().first_index(), n);
    }
    assert_eq!(one.verified(), 10);
}

#[test]
fn an_older_copy_or_an_edited_head_under_a_running_node_stops_it() {
    let node = Node::new();
    node.read().unwrap();
    let copy = node.memory.tables.lock().unwrap().clone();
    node.read().unwrap();
    *node.memory.tables.lock().unwrap() = copy;
    assert_eq!(node.read(), Err(LaneError::Unavailable));
    assert_eq!(node.lane.stopped(), Some(Fatal::Shorter { known: 2, found: 1 }));
    let node = Node::new();
    node.read().unwrap();
    node.memory.tables.lock().unwrap().head.last_time = Some(Timestamp::from_micros(1));
    assert_eq!(node.read(), Err(LaneError::Unavailable));
    assert_eq!(node.lane.stopped(), Some(Fatal::OtherHead { size: 1 }));
}

#[test]
fn a_probe_writes_nothing_and_says_whether_something_could_be_written() {
    let node = Node::new();
    node.read().unwrap();
    assert_eq!(node.lane.probe(), Ok(()));
    assert_eq!((node.verified(), node.lane.stats().batches), (1, 1));
    for fault in [Fault::Begin, Fault::Damaged] {
        node.memory.fail(fault);
        assert_eq!(node.lane.probe(), Err(LaneError::Unavailable), "{fault:?}");
    }
    assert!(node.lane.stopped().is_some(), "what a batch would find, a probe finds");
    // An older copy put back is found before somebody asks for something.
    let node = Node::new();
    let copy = node.memory.tables.lock().unwrap().clone();
    node.read().unwrap();
    *node.memory.tables.lock().unwrap() = copy;
    assert_eq!(node.lane.probe(), Err(LaneError::Unavailable));
    assert_eq!(node.lane.stopped(), Some(Fatal::Shorter { known: 1, found: 0 }));
    // It takes no place that is kept for sessions.
    let node = Node::on(&Memory::default(), LaneConfig { capacity: 4, batch: 256 });
    let (go, held) = node.hold();
    let waiting: Vec<_> = (0..3).map(|_| node.lane.record(Priority::Session, node.job())).collect();
    assert_eq!(node.lane.probe(), Err(LaneError::Unavailable), "while the lane is still held");
    go.send(()).unwrap();
    held.wait().unwrap();
    assert!(waiting.into_iter().all(|p| p.wait().is_ok()));
    assert_eq!(node.lane.probe(), Ok(()));
}

#[test]
fn a_full_queue_answers_at_once_and_a_quarter_is_kept_for_sessions() {
    let node = Node::on(&Memory::default(), LaneConfig { capacity: 8, batch: 256 });
    let (go, held) = node.hold();
    let anonymous = || node.lane.record(Priority::Anonymous, node.job());
    let waiting: Vec<_> = (0..6).map(|_| anonymous()).collect();
    assert_eq!(anonymous().wait(), Err(LaneError::Unavailable), "while the lane is still held");
    let sessions: Vec<_> = (0..2).map(|_| node.lane.record(Priority::Session, node.job())).collect();
    assert_eq!(node.read(), Err(LaneError::Unavailable), "while the lane is still held");
    assert_eq!((node.lane.depth(), node.lane.stats().turned_away), (8, 2));
    go.send(()).unwrap();
    held.wait().unwrap();
    assert!(waiting.into_iter().chain(sessions).all(|p| p.wait().is_ok()));
    assert!(node.read().is_ok(), "places are given back");
    assert_eq!(node.verified(), 10);
}

#[test]
fn content_is_disclosed_after_the_commit_of_a_permit_and_never_otherwise() {
    let node = Node::new();
    let (content, receipt) =
        node.lane.disclose_blocking(Priority::Session, node.job(), Sealed::seal("words")).unwrap();
    assert_eq!((content.into_inner(), receipt.first_index()), ("words", 0));
    let mut denied = draft(&node.chance);
    denied.verdict = Verdict::Deny;
    let denial = Record::prepare(&denied, &key(RetentionClass::Disclosure), &Plain, &node.chance).unwrap();
    let outcome = node.lane.disclose_blocking(Priority::Session, Job::new(denial), Sealed::seal("words"));
    assert!(matches!(outcome, Err(LaneError::NothingPermitted)));
    let stale = node.job().checked(vec![check(1)]);
    let outcome = node.lane.disclose_blocking(Priority::Session, stale, Sealed::seal("words"));
    assert!(matches!(outcome, Err(LaneError::Stale)));
    for fault in [Fault::Begin, Fault::Append, Fault::CommitRolledBack, Fault::CommitUnknownKept] {
        node.memory.fail(fault);
        let outcome = node.lane.disclose_blocking(Priority::Session, node.job(), Sealed::seal("words"));
        assert!(matches!(outcome, Err(LaneError::Unavailable)), "{fault:?}");
    }
    assert_eq!(node.verified(), 2, "the kept batch is over-recorded, never under-recorded");
}

#[test]
fn an_asynchronous_caller_waits_without_blocking() {
    let node = Node::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (content, receipt) = runtime
        .block_on(node.lane.disclose(Priority::Session, node.job(), Sealed::seal(vec![1, 2])))
        .unwrap();
    assert_eq!((content.len(), receipt.first_index()), (2, 0));
}

#[test]
fn a_caller_who_leaves_is_recorded_all_the_same() {
    let node = Node::new();
    let (go, held) = node.hold();
    drop(node.lane.record(Priority::Session, node.job()));
    go.send(()).unwrap();
    held.wait().unwrap();
    node.read().unwrap();
    assert_eq!(node.verified(), 3);
}

#[test]
fn shutdown_drains_what_is_queued_and_admits_nothing_more() {
    let mut node = Node::new();
    let (go, held) = node.hold();
    let waiting: Vec<_> = (0..10).map(|_| node.lane.record(Priority::Session, node.job())).collect();
    let thread = node.thread.take().unwrap();
    let stopping = std::thread::spawn(move || thread.stop());
    while !node.lane.shared.closed() {
        std::thread::yield_now();
    }
    assert_eq!(node.read(), Err(LaneError::Unavailable), "while the lane is still held");
    go.send(()).unwrap();
    stopping.join().unwrap();
    held.wait().unwrap();
    assert!(waiting.into_iter().all(|p| p.wait().is_ok()));
    assert_eq!(node.read(), Err(LaneError::Unavailable));
}
