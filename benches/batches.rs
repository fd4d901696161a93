//! How many records a second the log takes in batches, beside one commit for each, on both engines.
//!
//! `cargo bench --bench batches`; with `--features postgres` and `RELAIS_TEST_POSTGRES` naming a server, on PostgreSQL
//! too. Rounds alternate; ratios compare, absolute rates are those of a machine.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the machine's clock, prints, and stops when anything is not as it must be"
)]

#[path = "support/records.rs"]
mod records;
#[path = "support/timing.rs"]
mod timing;

use std::path::Path;
use std::sync::Arc;

use relais::audit::Job;
use relais::audit::lane::{Lane, LaneConfig, Priority};
use relais::clock::{Clock, SystemClock};
use relais::crypto::SystemChance;
use relais::crypto::kek::{FileKek, KekPlacement};
use relais::crypto::keyring::Keyring;
use relais::store::{DatabaseAddress, InstanceKind, Store, WriteTx};

use records::Maker;
use timing::{Spread, human, per_call};

const ROUNDS: usize = 5;
/// Records under way at once.
const UNDER_WAY: usize = 256;

/// Nanoseconds a record, over `many` of them, never more than [`UNDER_WAY`] waiting.
fn cost(lane: &Lane<WriteTx>, maker: &Maker<'_>, many: usize) -> f64 {
    let mut records: Vec<_> = (0..many).map(|_| maker.record()).collect();
    let before = lane.stats().records;
    let time = per_call(1, || {
        let mut waiting = std::collections::VecDeque::new();
        for record in records.drain(..) {
            if waiting.len() == UNDER_WAY {
                let oldest: relais::audit::lane::Pending<(), std::convert::Infallible> =
                    waiting.pop_front().unwrap();
                oldest.wait().unwrap();
            }
            waiting.push_back(lane.record(Priority::Session, Job::new(record)));
        }
        for one in waiting {
            one.wait().unwrap();
        }
    });
    assert_eq!(lane.stats().records - before, u64::try_from(many).unwrap(), "every record is in the log");
    time / f64::from(u32::try_from(many).unwrap())
}

fn engine(name: &str, address: &DatabaseAddress, folder: &Path) {
    let chance = SystemChance::new();
    let kek = FileKek::create(&folder.join(name), KekPlacement::Demonstration, &chance).unwrap();
    let keyring = Keyring::new(Arc::new(kek));
    let store = Store::create(address, InstanceKind::Demo, keyring, &chance, SystemClock.now()).unwrap();
    let maker = Maker::new(store.instance_key());
    let lane = |batch| {
        let config = LaneConfig { batch, ..LaneConfig::default() };
        Lane::start(store.backend().unwrap(), Arc::new(SystemClock), config).unwrap()
    };
    let (batched, single) = (lane(LaneConfig::default().batch), lane(1));
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    cost(&batched.0, &maker, 1_000);
    for _ in 0..ROUNDS {
        let (together, alone) = (cost(&batched.0, &maker, 20_000), cost(&single.0, &maker, 1_000));
        ours.push(together);
        theirs.push(alone);
        ratios.push(alone / together);
    }
    let (ours, theirs, ratio) = (Spread::of(ours), Spread::of(theirs), Spread::of(ratios));
    println!(
        "| {name} | {:.0} | {} | {:.0} | {} | {:.0} ({:.0} – {:.0}) |",
        1e9 / ours.median,
        human(ours.median),
        1e9 / theirs.median,
        human(theirs.median),
        ratio.median,
        ratio.min,
        ratio.max
    );
    drop(batched.0);
    drop(single.0);
    batched.1.stop();
    single.1.stop();
}

#[cfg(feature = "postgres")]
fn postgres(folder: &Path) {
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    let Ok(server) = std::env::var("RELAIS_TEST_POSTGRES") else {
        println!("RELAIS_TEST_POSTGRES names no server: PostgreSQL was not measured");
        return;
    };
    let name = format!("b_{}", relais::ids::RequestId::random(&SystemChance::new()).unwrap());
    let mut conn = PgConnection::establish(&server).unwrap();
    conn.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    engine("PostgreSQL", &DatabaseAddress::Postgres(format!("{base}/{name}")), folder);
    conn.batch_execute(&format!("DROP DATABASE {name}")).unwrap();
}

fn main() {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    println!(
        "| {UNDER_WAY} under way | batches of at most {}, /s | a record | one commit each, /s | a record | ratio (smallest – largest) |",
        LaneConfig::default().batch
    );
    println!("|---|---|---|---|---|---|");
    engine("SQLite", &DatabaseAddress::Sqlite(folder.path().join("relais.db")), folder.path());
    #[cfg(feature = "postgres")]
    postgres(folder.path());
}
