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
#[path = "support/timing.rs"]
mod timing;

use std::collections::VecDeque;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use relais::audit::lane::{Job, LaneConfig, Priority};
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
use tokio::sync::oneshot;

use instance::{Instance, Server};
use plain::{Bare, Plain, Sizes};
use timing::{Spread, elapsed, human, per_call};

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

fn per_second(many: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(many).unwrap()) / time.as_secs_f64()
}

fn through_the_lane(server: &Server, many: usize, in_flight: usize) -> f64 {
    let records = prepared(server, many);
    let lane = server.app.lane();
    let before = lane.stats();
    let time = drive(
        records,
        in_flight,
        |record| lane.record(Priority::Session, Job::new(record)),
        |pending| {
            let _receipt = pending.wait().unwrap();
        },
    );
    let after = lane.stats();
    assert_eq!(after.records - before.records, u64::try_from(many).unwrap(), "every record is in the log");
    assert_eq!(after.given_up, 0);
    per_second(many, time)
}

fn through_the_bare_writer(bare: &Bare, size: usize, many: usize, in_flight: usize) -> f64 {
    let mut row = vec![0; size];
    SystemChance::new().fill(&mut row).unwrap();
    let queue = bare.queue();
    let time = drive(
        vec![row; many],
        in_flight,
        |row| {
            let (told, answer) = oneshot::channel();
            queue.send((row, told)).unwrap();
            answer
        },
        |answer| answer.blocking_recv().unwrap(),
    );
    per_second(many, time)
}

fn with_the_log(instance: &Instance, name: &str, config: LaneConfig) -> Server {
    instance.serve(name, config, |store, _| store.backend().unwrap())
}

fn with_a_plain_insert(instance: &Instance, name: &str, config: LaneConfig, sizes: &Arc<Sizes>) -> Server {
    instance.serve(name, config, |store, path| Plain::new(path, store.backend().unwrap(), Arc::clone(sizes)))
}

/// Rates of two contestants over the rounds, and their ratio round by round: one run, one machine state.
struct Against {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Against {
    fn new() -> Self {
        Self { ours: Vec::new(), theirs: Vec::new() }
    }

    fn push(&mut self, ours: f64, theirs: f64) {
        self.ours.push(ours);
        self.theirs.push(theirs);
    }

    fn ratio(&self) -> Spread {
        Spread::of(self.ours.iter().zip(&self.theirs).map(|(o, t)| o / t).collect())
    }

    fn line(&self, what: &str) -> String {
        let (ours, theirs, ratio) =
            (Spread::of(self.ours.clone()), Spread::of(self.theirs.clone()), self.ratio());
        format!(
            "| {what} | {:.0} | {:.0} | {:.0} % ({:.0} – {:.0}) |",
            ours.median,
            theirs.median,
            ratio.median * 100.0,
            ratio.min * 100.0,
            ratio.max * 100.0
        )
    }
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
    println!(
        "\n| write alone: records under way | lane and log | lane and plain insert | ratio (min – max) |"
    );
    println!("|---|---|---|---|");
    let mut naked = Vec::new();
    for (in_flight, many) in [(1, 200), (8, 1_500), (64, 6_000), (256, 12_000)] {
        let (mut beside_plain, mut beside_bare) = (Against::new(), Against::new());
        for _ in 0..ROUNDS {
            let ours = through_the_lane(&log, many, in_flight);
            beside_plain.push(ours, through_the_lane(&plain, many, in_flight));
            beside_bare.push(ours, through_the_bare_writer(&bare, size, many, in_flight));
        }
        println!("{}", beside_plain.line(&in_flight.to_string()));
        naked.push((in_flight, beside_bare));
    }
    println!("\n| write alone: records under way | lane and log | writer without lane | ratio (min – max) |");
    println!("|---|---|---|---|");
    for (in_flight, beside_bare) in naked {
        println!("{}", beside_bare.line(&in_flight.to_string()));
    }
    let alone = with_the_log(instance, "writes-single", single);
    let mut beside_single = Against::new();
    for _ in 0..ROUNDS {
        beside_single.push(through_the_lane(&log, 6_000, 64), through_the_lane(&alone, 1_000, 64));
    }
    println!("\n| 64 under way | batches of 256 at most | one commit per record | ratio (min – max) |");
    println!("|---|---|---|---|");
    println!("{}", beside_single.line("lane and log"));
    pieces(&log);
    for server in [log, plain, alone] {
        server.stop();
    }
    bare.stop();
}

/// What a record costs before and inside the lane, without the database.
fn pieces(server: &Server) {
    let chance = SystemChance::new();
    let ready = draft(&chance);
    let prepare = Spread::of(
        (0..ROUNDS)
            .map(|_| {
                per_call(2_000, || {
                    black_box(server.app.prepare(black_box(&ready), None).is_ok());
                })
            })
            .collect(),
    );
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
        "\nprepare a record (pseudonyms, sealed detail, body of {} bytes), outside the lane: {}; hash and append, inside: {}",
        body.len(),
        human(prepare.median),
        human(hash.median)
    );
}

fn whole_reads(server: &Server, instance: &Instance, threads: usize, each: usize) -> f64 {
    let before = server.app.lane().stats().records;
    let time = elapsed(|| {
        std::thread::scope(|scope| {
            for reader in instance.readers.iter().take(threads) {
                scope.spawn(move || (0..each).for_each(|n| server.read(reader, n)));
            }
        });
    });
    let written = server.app.lane().stats().records - before;
    assert_eq!(written, u64::try_from(threads * each).unwrap(), "one record per read");
    per_second(threads * each, time)
}

fn reads(instance: &Instance) {
    let sizes = Arc::new(Sizes::default());
    let log = with_the_log(instance, "reads-log", LaneConfig::default());
    let plain = with_a_plain_insert(instance, "reads-plain", LaneConfig::default(), &sizes);
    for server in [&log, &plain] {
        whole_reads(server, instance, 4, 25);
    }
    println!("\nwhole audited reads; a record of such a read is {} bytes", sizes.mean());
    println!(
        "\n| whole reads: threads | reads/s with the log | reads/s with a plain insert | ratio (min – max) |"
    );
    println!("|---|---|---|---|");
    let mut held = true;
    for (threads, each) in [(1, 150), (8, 120), (32, 60)] {
        let mut beside = Against::new();
        for round in 0..ROUNDS {
            // Who goes first alternates too.
            if round % 2 == 0 {
                let ours = whole_reads(&log, instance, threads, each);
                beside.push(ours, whole_reads(&plain, instance, threads, each));
            } else {
                let theirs = whole_reads(&plain, instance, threads, each);
                beside.push(whole_reads(&log, instance, threads, each), theirs);
            }
        }
        held &= beside.ratio().median >= BAR;
        println!("{}", beside.line(&threads.to_string()));
    }
    println!("\nbar: whole reads at 90 % or more: {}", if held { "held" } else { "MISSED" });
    log.stop();
    plain.stop();
}

fn main() {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let instance = Instance::create(folder.path(), 32);
    writes(&instance);
    reads(&instance);
}
