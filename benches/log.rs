//! The log, timed: what it costs to write a record that an outsider can verify, beside a plain row of equal size.
//!
//! 1. The write alone, records prepared outside: the lane with the product's backend; the lane with a plain insert; a
//!    writer without the lane. Single commits beside batches.
//! 2. Whole audited reads: the same server twice, on copies of one database, one with the log and one with a plain insert.
//!
//! SQLite, WAL, `synchronous=FULL`, in the target folder (a temporary folder in memory would make commits free). Rounds
//! alternate. `cargo bench --bench log`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the machine's clock, prints, and stops when anything is not as it must be"
)]

#[path = "support/instance.rs"]
mod instance;
#[path = "support/plain.rs"]
mod plain;
#[path = "support/processor.rs"]
mod processor;
#[path = "support/timing.rs"]
mod timing;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use relais::audit::lane::{Job, LaneConfig, Pending, Priority};
use relais::audit::tree::{Frontier, leaf_hash};
use relais::audit::{LeafBody, Record};
use relais::clock::Chance;
use relais::crypto::SystemChance;
use relais::domain::cell::Reason;
use relais::domain::record::{
    Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, RowRef, TrailEntry, Verdict,
};
use relais::domain::vocabulary::{Category, Function, Profession, Secrecy};
use relais::ids::{
    AssignmentId, ItemVersionId, OrganisationId, PathwayId, ProfessionalId, RequestId, SessionId,
};
use relais::store::StoreError;
use tokio::sync::oneshot;

use instance::{Instance, Server};
use plain::{Bare, Plain, Sizes};
use processor::processor;
use timing::{Spread, elapsed, human, nanoseconds, per_call};

const ROUNDS: usize = 5;
const BAR: f64 = 0.90;

/// The record of one read of one item, as the flow of a request drafts it.
fn draft(chance: &dyn Chance) -> RecordDraft {
    let request = RequestId::random(chance).unwrap();
    let mut draft = RecordDraft::new(
        request,
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::ActionItem,
        Verdict::Permit,
    );
    draft.actor = Some(ActorStamp {
        professional: ProfessionalId::random(chance).unwrap(),
        assignment: Some(AssignmentId::random(chance).unwrap()),
        organisation: Some(OrganisationId::random(chance).unwrap()),
        profession: Some(Profession::ReferentPre),
        function: Some(Function::Practitioner),
        secrecy: Some(Secrecy::Bound),
        session: Some(SessionId::random(chance).unwrap()),
    });
    draft.pathway = Some(PathwayId::random(chance).unwrap());
    draft.categories.insert(Category::Leisure);
    draft.policy_hashes = vec!["0123456789abcdef".repeat(4)];
    let version = ItemVersionId::random(chance).unwrap();
    draft.basis = vec![format!("own:{version}")];
    draft.reasons = vec![Reason::OwnItem];
    draft.trail = vec![TrailEntry {
        facts: None,
        permitted: true,
        reason: Reason::OwnItem,
        failing: Vec::new(),
        objects: 1,
    }];
    draft.returned = vec![RowRef { table: "item_version", id: version.as_str().to_owned(), version: 1 }];
    draft
}

fn prepared(server: &Server, many: usize) -> Vec<Record> {
    (0..many).map(|_| server.app.prepare(&draft(server.app.chance()), None).unwrap()).collect()
}

/// Splits `all` between threads, each of which keeps `window` of its own under way; gives the time of the whole.
fn drive<J: Send, P>(
    all: Vec<J>,
    in_flight: usize,
    submit: impl Fn(J) -> P + Sync,
    wait: impl Fn(P) + Sync,
) -> Duration {
    let threads = in_flight.min(8);
    let window = in_flight / threads;
    let mut shares: Vec<Vec<J>> = (0..threads).map(|_| Vec::new()).collect();
    for (n, job) in all.into_iter().enumerate() {
        shares[n % threads].push(job);
    }
    elapsed(|| {
        std::thread::scope(|scope| {
            for share in shares {
                let (submit, wait) = (&submit, &wait);
                scope.spawn(move || {
                    let mut under_way = VecDeque::new();
                    for job in share {
                        if under_way.len() >= window
                            && let Some(oldest) = under_way.pop_front()
                        {
                            wait(oldest);
                        }
                        under_way.push_back(submit(job));
                    }
                    under_way.into_iter().for_each(wait);
                });
            }
        });
    })
}

/// What one stretch gave: operations per second by the clock, and processor time per operation, in microseconds.
#[derive(Clone, Copy)]
struct Rate {
    per_second: f64,
    processor: f64,
}

/// Runs one stretch of `many` operations. `work` gives the time by the clock of the part that counts.
fn stretch(many: usize, work: impl FnOnce() -> Duration) -> Rate {
    let before = processor();
    let time = work();
    let busy = processor() - before;
    let many = f64::from(u32::try_from(many).unwrap());
    Rate { per_second: many / time.as_secs_f64(), processor: busy.as_secs_f64() * 1e6 / many }
}

fn through_the_lane(server: &Server, many: usize, in_flight: usize) -> Rate {
    let records = prepared(server, many);
    let lane = server.app.lane();
    let before = lane.stats();
    let rate = stretch(many, || {
        drive(
            records,
            in_flight,
            |record| lane.record(Priority::Session, Job::new(record)),
            |pending| {
                let _receipt = pending.wait().unwrap();
            },
        )
    });
    let after = lane.stats();
    assert_eq!(after.records - before.records, u64::try_from(many).unwrap(), "every record is in the log");
    assert_eq!(after.given_up, 0);
    rate
}

fn through_the_bare_writer(bare: &Bare, size: usize, many: usize, in_flight: usize) -> Rate {
    let mut row = vec![0; size];
    SystemChance::new().fill(&mut row).unwrap();
    let (queue, rows) = (bare.queue(), vec![row; many]);
    stretch(many, || {
        drive(
            rows,
            in_flight,
            |row| {
                let (told, answer) = oneshot::channel();
                queue.send((row, told)).unwrap();
                answer
            },
            |answer| answer.blocking_recv().unwrap(),
        )
    })
}

fn with_the_log(instance: &Instance, name: &str, config: LaneConfig) -> Server {
    instance.serve(name, config, |store, _| store.backend().unwrap())
}

fn with_a_plain_insert(instance: &Instance, name: &str, config: LaneConfig, sizes: &Arc<Sizes>) -> Server {
    instance.serve(name, config, |store, path| Plain::new(path, store.backend().unwrap(), Arc::clone(sizes)))
}

/// Two contestants over the rounds, compared round by round: one run, one machine state.
#[derive(Default)]
struct Against {
    ours: Vec<Rate>,
    theirs: Vec<Rate>,
}

impl Against {
    /// Measures both, in an order that alternates from round to round.
    fn round(&mut self, ours: impl Fn() -> Rate, theirs: impl Fn() -> Rate) {
        let (o, t) = if self.ours.len().is_multiple_of(2) {
            let first = ours();
            (first, theirs())
        } else {
            let first = theirs();
            (ours(), first)
        };
        self.ours.push(o);
        self.theirs.push(t);
    }

    fn ratio(&self) -> Spread {
        Spread::of(self.ours.iter().zip(&self.theirs).map(|(o, t)| o.per_second / t.per_second).collect())
    }

    fn of(rates: &[Rate], what: fn(&Rate) -> f64) -> f64 {
        Spread::of(rates.iter().map(what).collect()).median
    }

    fn line(&self, what: &str) -> String {
        let ratio = self.ratio();
        let (ours, theirs) = (Self::of(&self.ours, |r| r.processor), Self::of(&self.theirs, |r| r.processor));
        format!(
            "| {what} | {:.0} | {:.0} | {:.0} % ({:.0} – {:.0}) | {ours:.0} µs | {theirs:.0} µs | {:.0} % |",
            Self::of(&self.ours, |r| r.per_second),
            Self::of(&self.theirs, |r| r.per_second),
            ratio.median * 100.0,
            ratio.min * 100.0,
            ratio.max * 100.0,
            theirs / ours * 100.0,
        )
    }
}

fn heading(what: &str, ours: &str, theirs: &str) {
    println!(
        "\n| {what} | {ours}, /s | {theirs}, /s | ratio (min – max) | processor, {ours} | processor, {theirs} | ratio |"
    );
    println!("|---|---|---|---|---|---|---|");
}

fn writes(instance: &Instance) {
    let sizes = Arc::new(Sizes::default());
    let batched = LaneConfig::default();
    let single = LaneConfig { batch: 1, ..batched };
    let log = with_the_log(instance, "writes-log", batched);
    let plain = with_a_plain_insert(instance, "writes-plain", batched, &sizes);
    // Warms both, and tells how large a record is.
    through_the_lane(&log, 200, 8);
    through_the_lane(&plain, 200, 8);
    let size = sizes.mean();
    let bare = Bare::start(&log.path.with_file_name("bare.db"), batched.batch);
    println!("one record is {size} bytes in all; {ROUNDS} rounds; rates per second: median of the rounds");
    heading("write alone: records under way", "lane and log", "lane and plain insert");
    let mut naked = Vec::new();
    for (in_flight, many) in [(1, 200), (8, 1_500), (64, 6_000), (256, 12_000)] {
        let (mut beside_plain, mut beside_bare) = (Against::default(), Against::default());
        for _ in 0..ROUNDS {
            let ours = || through_the_lane(&log, many, in_flight);
            beside_plain.round(ours, || through_the_lane(&plain, many, in_flight));
            beside_bare.round(ours, || through_the_bare_writer(&bare, size, many, in_flight));
        }
        println!("{}", beside_plain.line(&in_flight.to_string()));
        naked.push((in_flight, beside_bare));
    }
    heading("write alone: records under way", "lane and log", "writer without lane");
    for (in_flight, beside_bare) in naked {
        println!("{}", beside_bare.line(&in_flight.to_string()));
    }
    let alone = with_the_log(instance, "writes-single", single);
    let mut beside_single = Against::default();
    for _ in 0..ROUNDS {
        beside_single.round(|| through_the_lane(&log, 3_000, 64), || through_the_lane(&alone, 1_000, 64));
    }
    heading("64 under way", "batches of at most 256", "one commit per record");
    println!("{}", beside_single.line("lane and log"));
    empty_changes(instance, &log);
    pieces(&log);
    for server in [log, plain, alone] {
        server.stop();
    }
    bare.stop();
}

/// What an empty change costs that a record alone does not: a savepoint, and checks asked anew for every job.
fn empty_changes(instance: &Instance, log: &Server) {
    let checks = instance.checks(log);
    let lane = log.app.lane();
    let many = 3_000;
    let jobs = || -> Vec<Job> {
        prepared(log, many).into_iter().map(|record| Job::new(record).checked(checks.clone())).collect()
    };
    let mut beside = Against::default();
    for _ in 0..ROUNDS {
        beside.round(
            || {
                let jobs = jobs();
                let wait = |pending: Pending<(), StoreError>| {
                    let _receipt = pending.wait().unwrap();
                };
                stretch(many, || {
                    drive(jobs, 64, |job| lane.submit(Priority::Session, job, |_, _| Ok(())), wait)
                })
            },
            || {
                let jobs = jobs();
                let wait = |pending: Pending<(), Infallible>| {
                    let _receipt = pending.wait().unwrap();
                };
                stretch(many, || drive(jobs, 64, |job| lane.record(Priority::Session, job), wait))
            },
        );
    }
    heading("64 under way, two checks each", "with an empty change", "record alone");
    println!("{}", beside.line("lane and log"));
}

/// What a record costs before and inside the lane, without the database.
fn pieces(server: &Server) {
    let chance = SystemChance::new();
    let ready = draft(&chance);
    let many = 10_000;
    let before = processor();
    for _ in 0..many {
        black_box(server.app.prepare(black_box(&ready), None).is_ok());
    }
    let prepare = nanoseconds(processor() - before) / f64::from(many);
    let last = server.app.lane().stats().records - 1;
    let body =
        server.app.store().snapshot().unwrap().log_body(i64::try_from(last).unwrap()).unwrap().unwrap();
    assert!(LeafBody::parse(&body).is_ok());
    let mut frontier = Frontier::empty();
    let hash = Spread::of(
        (0..ROUNDS)
            .map(|_| {
                per_call(20_000, || {
                    black_box(frontier.append(leaf_hash(black_box(body.as_bytes()))));
                })
            })
            .collect(),
    );
    println!(
        "\nprocessor time: prepare a record (pseudonyms, sealed detail, body of {} bytes), outside the lane: {}; hash and append, inside: {}",
        body.len(),
        human(prepare),
        human(hash.median)
    );
}

fn whole_reads(server: &Server, instance: &Instance, threads: usize, each: usize) -> Rate {
    let before = server.app.lane().stats().records;
    let rate = stretch(threads * each, || {
        elapsed(|| {
            std::thread::scope(|scope| {
                for reader in instance.readers.iter().take(threads) {
                    scope.spawn(move || (0..each).for_each(|n| server.read(reader, n)));
                }
            });
        })
    });
    let written = server.app.lane().stats().records - before;
    assert_eq!(written, u64::try_from(threads * each).unwrap(), "one record per read");
    rate
}

fn reads(instance: &Instance) {
    let sizes = Arc::new(Sizes::default());
    let log = with_the_log(instance, "reads-log", LaneConfig::default());
    let plain = with_a_plain_insert(instance, "reads-plain", LaneConfig::default(), &sizes);
    for server in [&log, &plain] {
        whole_reads(server, instance, 4, 25);
    }
    println!("\nwhole audited reads; a record of such a read is {} bytes", sizes.mean());
    heading("whole reads: threads", "with the log", "with a plain insert");
    let mut ratios = Vec::new();
    for (threads, each) in [(1, 200), (8, 100), (32, 50)] {
        let mut beside = Against::default();
        for _ in 0..2 * ROUNDS {
            beside.round(
                || whole_reads(&log, instance, threads, each),
                || whole_reads(&plain, instance, threads, each),
            );
        }
        ratios.push(beside.ratio());
        println!("{}", beside.line(&threads.to_string()));
    }
    println!("\nbar: whole reads at 90 % or more, by the clock: {}", verdict(&ratios));
    println!("\n| steps of one read, alone | median | max |");
    println!("|---|---|---|");
    for (step, times) in log.steps(&instance.readers[0], 200) {
        let s = Spread::of(times);
        println!("| {step} | {} | {} |", human(s.median), human(s.max));
    }
    log.stop();
    plain.stop();
}

/// A bar that lies inside the spread of the rounds is neither held nor missed by this run.
fn verdict(ratios: &[Spread]) -> &'static str {
    if ratios.iter().all(|r| r.min >= BAR) {
        "held in every round"
    } else if ratios.iter().any(|r| r.max < BAR) {
        "MISSED in every round of some row"
    } else {
        "NOT DECIDED, the rounds lie on both sides; run it on a quiet machine"
    }
}

fn main() {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let instance = Instance::create(folder.path(), 32);
    // `cargo bench --bench log -- reads` runs that part alone.
    let named: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |part: &str| named.is_empty() || named.iter().any(|n| n == part);
    if wanted("writes") {
        writes(&instance);
    }
    if wanted("reads") {
        reads(&instance);
    }
}
