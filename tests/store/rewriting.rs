//! What the owner of the database can do who also has the log's key: write the whole log anew, every hash and copy
//! fitting, and sign it. It verifies; a checkpoint kept elsewhere tells, and a replay tells what the new facts do not carry.

use relais::audit::leaf::Record;
use relais::audit::replay::{Mismatch, Period, Replayed, replay};
use relais::audit::tree::{Frontier, leaf_hash};
use relais::audit::verify::{Flaw, LogReader, Place};
use relais::audit::{Job, PseudonymKey};
use relais::charter::{Charter, judge};
use relais::clock::Clock;
use relais::crypto::SystemChance;
use relais::domain::cell::{AccordFact, StatuteFact, TableFacts};
use relais::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, TrailEntry, Verdict};
use relais::domain::vocabulary::{Category, Profession, Purpose, Secrecy};
use relais::ids::{CharterId, RequestId};
use relais::store::charter::CharterRow;
use relais::store::log::LogFile;

use crate::attacks::unguard;
use crate::support::{Bed, Engine, Raw, Under, engines};

/// Bytes, as this engine writes them in a statement.
fn blob(engine: Engine, bytes: &[u8]) -> String {
    let hex = data_encoding::HEXLOWER.encode(bytes);
    match engine {
        Engine::Sqlite => format!("x'{hex}'"),
        #[cfg(feature = "postgres")]
        Engine::Postgres => format!("'\\x{hex}'::bytea"),
    }
}

/// Writes the log anew with this change, all hashes fitting, without its checkpoints.
fn rewrite(bed: &Bed, raw: &mut Raw, change: &dyn Fn(i64, &str) -> String) {
    let rows = LogFile::open(&bed.address).unwrap().rows(None, 10_000).unwrap();
    let mut frontier = Frontier::empty();
    raw.exec("DELETE FROM audit_checkpoint").unwrap();
    for row in rows {
        let body = change(row.index, row.body.as_deref().unwrap());
        let hash = leaf_hash(body.as_bytes());
        let nodes = frontier.append(hash).concat();
        raw.exec(&format!(
            "UPDATE audit_leaf SET body = '{}', leaf_hash = {}, nodes = {} WHERE idx = {}",
            body.replace('\'', "''"),
            blob(bed.engine, &hash),
            blob(bed.engine, &nodes),
            row.index
        ))
        .unwrap();
    }
    raw.exec(&format!("UPDATE audit_head SET frontier = {}", blob(bed.engine, &frontier.to_bytes())))
        .unwrap();
}

#[test]
fn a_log_written_anew_with_the_real_key_is_seen_by_a_kept_checkpoint_only() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        bed.records(&lane, 9);
        let kept = bed.checkpoint();
        bed.records(&lane, 4);
        thread.stop();
        let mut raw = bed.raw();
        unguard(&mut raw);
        rewrite(&bed, &mut raw, &|index, body| {
            if index == 4 {
                body.replacen("\"action\":\"read\"", "\"action\":\"list\"", 1)
            } else {
                body.to_owned()
            }
        });
        raw.exec("UPDATE audit_index SET action = 'list' WHERE idx = 4").unwrap();
        // Signed with the real key: a forged checkpoint that no signature tells from a true one.
        bed.checkpoint();
        let report = bed.verified(None);
        assert!(report.holds() && report.checkpoints == 1, "{engine:?}: nobody kept anything: {report:?}");
        let seen = bed.verified(Some(&kept)).failure.unwrap();
        assert_eq!((seen.place, seen.flaw), (Place::Given(Some(9)), Flaw::CheckpointRoot), "{engine:?}");
    }
}

const FACTS: TableFacts = TableFacts {
    recipient_profession: Profession::Teacher,
    recipient_secrecy: Secrecy::NotBound,
    author_secrecy: Secrecy::Bound,
    category: Category::Schooling,
    purpose: Purpose::Schooling,
    accord: AccordFact::Informed,
    family_released: true,
    statute: StatuteFact::None,
};

/// The record of one decision on these facts, as the rules give it.
fn decided(bed: &Bed, charter: &Charter, cited: &str, facts: TableFacts) -> Record {
    let chance = SystemChance::new();
    let judged = judge(charter.matrix(), &facts);
    let failing: Vec<_> = judged.failing().into_iter().flatten().collect();
    let verdict = if judged.permitted { Verdict::Permit } else { Verdict::Deny };
    let mut draft = RecordDraft::new(
        RequestId::random(&chance).unwrap(),
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::Item,
        verdict,
    );
    draft.policy_hashes = vec![cited.to_owned()];
    draft.trail = vec![TrailEntry {
        facts: Some(facts),
        permitted: judged.permitted,
        reason: judged.reason,
        failing,
        objects: 1,
    }];
    let key = PseudonymKey::new(RetentionClass::Disclosure, 2027, zeroize::Zeroizing::new([9; 32]));
    Record::prepare(&draft, &key, &Under(bed.store.instance_key()), &chance).unwrap()
}

fn replayed(bed: &Bed, period: Period) -> (Replayed, Vec<(i64, Mismatch)>) {
    let mut log = LogFile::open(&bed.address).unwrap();
    let mut versions = relais::service::charter_versions(&log.charters().unwrap());
    let mut found = Vec::new();
    let count =
        replay(&mut log, &mut versions, period, &mut |index, d| found.push((index, d.mismatch)), &mut |_| {})
            .unwrap();
    (count, found)
}

#[test]
fn facts_changed_under_a_new_signature_are_found_by_a_replay() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let charter = Charter::embedded_demo().unwrap();
        let (lane, thread) = bed.lane();
        let now = bed.clock.now();
        let row = CharterRow {
            id: CharterId::random(&SystemChance::new()).unwrap(),
            number: 1,
            published_at: now,
            effective_at: now,
            policy_hash: charter.policy_hash().to_owned(),
            text_hash: charter.text_hash().to_owned(),
            charter_text: charter.charter_toml().to_owned(),
            policy_text: charter.policy_csv().to_owned(),
            published_by: None,
        };
        bed.write(&lane, move |tx, _| tx.charter_insert(&row)).unwrap();
        let mut expected = 0;
        for accord in AccordFact::ALL {
            for released in [true, false] {
                let facts = TableFacts { accord: *accord, family_released: released, ..FACTS };
                let record = decided(&bed, &charter, charter.policy_hash(), facts);
                lane.record(relais::audit::Priority::Session, Job::new(record)).wait().unwrap();
                expected += 1;
            }
        }
        let (count, found) = replayed(&bed, Period::default());
        assert_eq!((count.decisions, count.differences, found.len()), (expected, 0, 0), "{engine:?}");
        // A version that nobody has is named, never taken for equal.
        let missing = "0".repeat(64);
        let index = i64::try_from(bed.verified(None).records).unwrap();
        let record = decided(&bed, &charter, &missing, FACTS);
        lane.record(relais::audit::Priority::Session, Job::new(record)).wait().unwrap();
        assert_eq!(replayed(&bed, Period::default()).1, [(index, Mismatch::CharterMissing)]);
        thread.stop();
        // The first permit is made to rest on an accord that was withdrawn; everything fits, and is signed.
        let mut raw = bed.raw();
        unguard(&mut raw);
        let permit = raw.int("SELECT min(idx) FROM audit_leaf WHERE body LIKE '%\"accord\":\"informed\"%'");
        rewrite(&bed, &mut raw, &|at, body| {
            let other = if at == permit { "\"accord\":\"withdrawn\"" } else { "\"accord\":\"informed\"" };
            body.replacen("\"accord\":\"informed\"", other, 1)
        });
        bed.checkpoint();
        assert!(bed.verified(None).holds(), "{engine:?}: intact for whoever kept nothing");
        let (_, found) = replayed(&bed, Period::default());
        assert_eq!(found, [(permit, Mismatch::Reasons), (index, Mismatch::CharterMissing)], "{engine:?}");
        let before = Period { from: None, until: Some(now) };
        assert_eq!(replayed(&bed, before).0.records, 0, "another period");
    }
}
