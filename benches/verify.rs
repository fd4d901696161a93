//! How long `audit verify` takes on a log of a million records (DESIGN §8: less than ten seconds), and one receipt of it
//! (less than five milliseconds).
//!
//! `cargo bench --bench verify`; `RELAIS_BENCH_RECORDS` takes another number.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads the machine's clock, says what it found, and stops when it cannot go on"
)]

use std::sync::Arc;
use std::time::Instant;

use relais::audit::lane::{Lane, LaneConfig, Priority};
use relais::audit::leaf::DetailSealer;
use relais::audit::note::VerifierKey;
use relais::audit::tree::inclusion_proof;
use relais::audit::verify::{Trust, verify};
use relais::audit::{Job, PseudonymKey, Record};
use relais::clock::{Clock, SystemClock};
use relais::crypto::SystemChance;
use relais::crypto::envelope::{DataKey, DataKeyId};
use relais::crypto::hash::Digest;
use relais::crypto::kek::{FileKek, KekPlacement};
use relais::crypto::keyring::Keyring;
use relais::domain::cell::{AccordFact, Reason, StatuteFact, TableFacts};
use relais::domain::record::{
    Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, TrailEntry, Verdict,
};
use relais::domain::vocabulary::{Category, Function, Profession, Purpose, Secrecy};
use relais::ids::{AssignmentId, OrganisationId, PathwayId, ProfessionalId, RequestId, SessionId};
use relais::store::log::{LogFile, detail_place};
use relais::store::{DatabaseAddress, InstanceKind, Store};

struct Under<'a>(&'a DataKey);

impl DetailSealer for Under<'_> {
    fn seal_detail(
        &self,
        _: Option<&PathwayId>,
        commit: &Digest,
        detail: &[u8],
    ) -> Result<(DataKeyId, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
        let row = data_encoding::HEXLOWER.encode(commit);
        Ok((*self.0.id(), self.0.seal(detail_place(&row), detail, &SystemChance::new())?))
    }
}

/// A record as full as an opening of shared content leaves it.
fn draft(chance: &SystemChance) -> RecordDraft {
    let mut draft = RecordDraft::new(
        RequestId::random(chance).unwrap(),
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::Item,
        Verdict::Permit,
    );
    draft.actor = Some(ActorStamp {
        professional: ProfessionalId::random(chance).unwrap(),
        assignment: Some(AssignmentId::random(chance).unwrap()),
        organisation: Some(OrganisationId::random(chance).unwrap()),
        profession: Some(Profession::Teacher),
        function: Some(Function::Practitioner),
        secrecy: Some(Secrecy::NotBound),
        session: Some(SessionId::random(chance).unwrap()),
    });
    draft.pathway = Some(PathwayId::random(chance).unwrap());
    draft.purpose = Some(Purpose::Schooling);
    draft.categories = [Category::Schooling].into();
    draft.policy_hashes = vec!["b".repeat(64)];
    draft.basis = vec![format!("share:{}:1", RequestId::random(chance).unwrap())];
    draft.reasons = vec![Reason::Accord];
    draft.trail = vec![TrailEntry {
        facts: Some(TableFacts {
            recipient_profession: Profession::Teacher,
            recipient_secrecy: Secrecy::NotBound,
            author_secrecy: Secrecy::Bound,
            category: Category::Schooling,
            purpose: Purpose::Schooling,
            accord: AccordFact::Category,
            family_released: true,
            statute: StatuteFact::None,
        }),
        permitted: true,
        reason: Reason::Accord,
        failing: Vec::new(),
        objects: 3,
    }];
    draft
}

fn main() {
    let wanted: usize =
        std::env::var("RELAIS_BENCH_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let chance = SystemChance::new();
    let kek = FileKek::create(&folder.path().join("kek"), KekPlacement::Demonstration, &chance).unwrap();
    let address = DatabaseAddress::Sqlite(folder.path().join("relais.db"));
    let keyring = Keyring::new(Arc::new(kek));
    let store = Store::create(&address, InstanceKind::Demo, keyring, &chance, SystemClock.now()).unwrap();
    let (lane, thread) =
        Lane::start(store.backend().unwrap(), Arc::new(SystemClock), LaneConfig::default()).unwrap();
    let key = PseudonymKey::new(RetentionClass::Disclosure, 2027, zeroize::Zeroizing::new([1; 32]));
    let sealer = Under(store.instance_key());
    let start = Instant::now();
    let mut written = 0;
    while written < wanted {
        let wave: Vec<_> = (0..1000.min(wanted - written))
            .map(|_| {
                let record = Record::prepare(&draft(&chance), &key, &sealer, &chance).unwrap();
                lane.record(Priority::Session, Job::new(record))
            })
            .collect();
        written += wave.len();
        for one in wave {
            one.wait().unwrap();
        }
    }
    println!("{written} records written through the lane in {:.1} s", start.elapsed().as_secs_f64());
    thread.stop();
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
}
