//! How long `audit verify` takes on a log of a million records (DESIGN §8: less than ten seconds), the proof of one
//! record in it (less than five milliseconds), and how much memory an export of it takes.
//!
//! `cargo bench --bench verify`; `RELAIS_BENCH_RECORDS` takes another number.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads the machine's clock, says what it found, and stops when it cannot go on"
)]

#[path = "support/memory.rs"]
mod memory;
#[path = "support/records.rs"]
mod records;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use relais::audit::Job;
use relais::audit::lane::Priority;
use relais::audit::note::VerifierKey;
use relais::audit::tree::inclusion_proof;
use relais::audit::verify::{Trust, verify};
use relais::clock::{Clock, SystemClock};
use relais::crypto::SystemChance;
use relais::crypto::kek::{FileKek, KekPlacement};
use relais::crypto::keyring::Keyring;
use relais::domain::record::ExportFormat;
use relais::service::witnesses::Witnesses;
use relais::service::{App, ExportDays, ExportReading};
use relais::startup::assemble;
use relais::store::log::LogFile;
use relais::store::{DatabaseAddress, InstanceKind, Store};

fn main() {
    let wanted: usize =
        std::env::var("RELAIS_BENCH_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    // On a disk: a temporary folder can lie in memory.
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let chance = SystemChance::new();
    let kek = FileKek::create(&folder.path().join("kek"), KekPlacement::Demonstration, &chance).unwrap();
    let address = DatabaseAddress::Sqlite(folder.path().join("relais.db"));
    let keyring = Keyring::new(Arc::new(kek));
    let store = Store::create(&address, InstanceKind::Demo, keyring, &chance, SystemClock.now()).unwrap();
    let (app, lane) =
        assemble(store, Witnesses::default(), Arc::new(SystemClock), Arc::new(SystemChance::new())).unwrap();
    let maker = records::Maker::new(app.store().instance_key());
    let start = Instant::now();
    let mut written = 0;
    while written < wanted {
        let wave: Vec<_> = (0..1000.min(wanted - written))
            .map(|_| app.lane().record(Priority::Session, Job::new(maker.record())))
            .collect();
        written += wave.len();
        for one in wave {
            one.wait().unwrap();
        }
    }
    println!("{written} records written through the lane in {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let mut log = LogFile::open(&address).unwrap();
    let vkey = VerifierKey::parse(&log.instance_value("log_vkey").unwrap().unwrap()).unwrap();
    let trust = Trust { origin: vkey.name(), keys: std::slice::from_ref(&vkey), given: None };
    let report = verify(&mut log, &trust, &mut |_| {}).unwrap();
    let took = start.elapsed().as_secs_f64();
    assert!(report.holds(), "{report:?}");
    println!("{} records verified in {took:.2} s", report.records);
    // Receipts from all over the log: the proof is read from the stored nodes, whatever the length.
    let (mut longest, rounds) = (0.0_f64, 1000);
    let all = Instant::now();
    for round in 0..rounds {
        let one = Instant::now();
        let index = report.records / rounds * round + round % (report.records / rounds).max(1);
        let hashes = inclusion_proof(index.min(report.records - 1), report.records, &mut log).unwrap();
        assert!(hashes.len() <= 64);
        longest = longest.max(one.elapsed().as_secs_f64());
    }
    let mean = all.elapsed().as_secs_f64() / 1000.0;
    println!("{rounds} proofs: {:.3} ms each, the longest {:.3} ms", mean * 1000.0, longest * 1000.0);
    for format in [ExportFormat::Csv, ExportFormat::Jsonl, ExportFormat::Fhir, ExportFormat::Ocsf] {
        export(&app, format);
    }
    drop(app);
    lane.stop();
}

/// All of the log in one form, piece by piece, into nothing.
fn export(app: &App, format: ExportFormat) {
    let before = memory::resident();
    let start = Instant::now();
    let mut reading = ExportReading::new(app.export_here(format, ExportDays::default()).unwrap());
    let mut bytes = 0.0;
    while let Some(piece) = app.export_next(&mut reading).unwrap() {
        bytes += f64::from(u32::try_from(piece.len()).unwrap());
    }
    println!(
        "export as {}: {:.0} MiB in {:.1} s; resident before {before:.1} MiB, highest {:.1} MiB",
        format.code(),
        bytes / 1_048_576.0,
        start.elapsed().as_secs_f64(),
        memory::highest()
    );
}
