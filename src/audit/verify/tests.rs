//! Tests of verification: every edit is found and named.

use super::*;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::lane::{LaneBackend, SealedDetail};
use crate::audit::leaf::NumberedLeaf;
use crate::audit::memory::{Counting, Memory, Tables, record, stored};
use crate::audit::proof::TlogProof;
use crate::audit::tree::{consistency_proof, inclusion_proof, verify_consistency};
use crate::crypto::sign::SigningKey;

const ORIGIN: &str = "relais.example/journal";
const START: i64 = 1_800_000_000_000_000;

fn signer() -> SigningKey {
    SigningKey::from_seed(&[5; 32]).unwrap()
}

fn keys() -> [VerifierKey; 1] {
    [VerifierKey::new(ORIGIN, signer().public()).unwrap()]
}

fn checkpoint(frontier: &Frontier) -> StoredCheckpoint {
    let signed = Checkpoint::of(ORIGIN, frontier).unwrap().sign(&signer()).unwrap();
    StoredCheckpoint { size: i64::try_from(frontier.size()).unwrap(), note: signed.to_string() }
}

/// A log of `size` records with a checkpoint after each record whose number is in `at`.
fn log(size: u64, at: &[u64]) -> Memory {
    let chance = Counting::default();
    let memory = Memory::default();
    let mut tables = Tables::default();
    for n in 0..size {
        if at.contains(&n) {
            tables.checkpoints.push(checkpoint(&tables.head.frontier));
        }
        let time = Timestamp::from_micros(START + i64::try_from(n).unwrap() / 2);
        let leaf = record(&chance).number(n, time, &mut tables.head.frontier);
        tables.head.last_time = Some(time);
        tables.rows.push(stored(&leaf));
    }
    if at.contains(&size) {
        tables.checkpoints.push(checkpoint(&tables.head.frontier));
    }
    *memory.tables.lock().unwrap() = tables;
    memory
}

fn judge(memory: &Memory, given: Option<&str>) -> Report {
    let trust = Trust { origin: ORIGIN, keys: &keys(), given };
    verify(&mut memory.clone(), &trust, &mut |_| {}).unwrap()
}

fn fails(memory: &Memory, given: Option<&str>) -> (Place, Flaw) {
    let failure = judge(memory, given).failure.expect("something must not hold");
    (failure.place, failure.flaw)
}

/// Rewrites everything that is derived from the bodies, as an owner of the file could.
fn cover_up(tables: &mut Tables) {
    let mut frontier = Frontier::empty();
    for (n, row) in tables.rows.iter_mut().enumerate() {
        let text = row.body.clone().unwrap();
        let hash = leaf_hash(text.as_bytes());
        row.index = i64::try_from(n).unwrap();
        row.leaf_hash = hash.to_vec();
        row.nodes = frontier.append(hash).concat();
        tables.head.last_time = LeafBody::parse(&text).ok().map(|b| b.at);
    }
    tables.head.frontier = frontier;
}

#[test]
fn an_untouched_log_holds() {
    let memory = log(100, &[0, 1, 37, 64, 100]);
    let mut told = 0;
    let trust = Trust { origin: ORIGIN, keys: &keys(), given: None };
    let report = verify(&mut memory.clone(), &trust, &mut |n| told = n).unwrap();
    assert_eq!(report.failure, None);
    assert!(report.holds());
    assert_eq!((report.records, report.checkpoints, report.details, told), (100, 5, 100, 100));
    assert_eq!(report.root, memory.tables.lock().unwrap().head.frontier.root());
    assert!(judge(&log(0, &[0]), None).holds());
    assert!(judge(&log(0, &[]), None).holds());
}

/// Each edit that leaves a trace in the stored rows, and the first thing that it breaks.
#[test]
fn every_edit_is_found_and_named() {
    type Edit = fn(&mut Tables);
    let at_40 = Place::Record(40);
    let edits: [(&str, Edit, (Place, Flaw)); 25] = [
        ("body edited", |t| t.rows[40].body = t.rows[41].body.clone(), (at_40, Flaw::LeafHash)),
        ("body erased", |t| t.rows[40].body = None, (at_40, Flaw::BodyMissing)),
        ("row deleted", |t| drop(t.rows.remove(40)), (at_40, Flaw::Gap)),
        ("row doubled", |t| t.rows.insert(41, t.rows[40].clone()), (Place::Record(41), Flaw::Gap)),
        (
            "row before the first",
            |t| {
                let mut r = t.rows[0].clone();
                r.index = -1;
                t.rows.insert(0, r);
            },
            (Place::Record(0), Flaw::Gap),
        ),
        (
            "rows exchanged",
            |t| {
                t.rows.swap(40, 41);
                t.rows[40].index = 40;
                t.rows[41].index = 41;
            },
            (at_40, Flaw::Nodes),
        ),
        ("leaf hash edited", |t| t.rows[40].leaf_hash[0] ^= 1, (at_40, Flaw::LeafHash)),
        ("leaf hash cut", |t| t.rows[40].leaf_hash.truncate(31), (at_40, Flaw::LeafHash)),
        ("node edited", |t| t.rows[41].nodes[0] ^= 1, (Place::Record(41), Flaw::Nodes)),
        ("nodes erased", |t| t.rows[41].nodes.clear(), (Place::Record(41), Flaw::Nodes)),
        ("class changed", |t| t.rows[40].retention = "technical".to_owned(), (at_40, Flaw::Retention)),
        ("copy erased", |t| t.rows[40].row = None, (at_40, Flaw::Index)),
        ("copy: time", |t| t.rows[40].row.as_mut().unwrap().at += 1, (at_40, Flaw::Index)),
        (
            "copy: actor",
            |t| t.rows[40].row.as_mut().unwrap().actor = Some(String::new()),
            (at_40, Flaw::Index),
        ),
        (
            "copy: organisation",
            |t| t.rows[40].row.as_mut().unwrap().organisation = Some("x".to_owned()),
            (at_40, Flaw::Index),
        ),
        (
            "copy: profession",
            |t| t.rows[40].row.as_mut().unwrap().profession = Some("teacher".to_owned()),
            (at_40, Flaw::Index),
        ),
        (
            "copy: action",
            |t| t.rows[40].row.as_mut().unwrap().action = "list".to_owned(),
            (at_40, Flaw::Index),
        ),
        ("copy: pathway", |t| t.rows[40].row.as_mut().unwrap().pathway = None, (at_40, Flaw::Index)),
        (
            "copy: purpose",
            |t| t.rows[40].row.as_mut().unwrap().purpose = Some("stay".to_owned()),
            (at_40, Flaw::Index),
        ),
        (
            "copy: decision",
            |t| t.rows[40].row.as_mut().unwrap().decision = "deny".to_owned(),
            (at_40, Flaw::Index),
        ),
        ("copy added", |t| t.extra_index_rows = 1, (Place::Log, Flaw::IndexCount)),
        ("detail exchanged", |t| t.rows[40].detail = t.rows[41].detail.clone(), (at_40, Flaw::Detail)),
        ("head: time", |t| t.head.last_time = None, (Place::Log, Flaw::Head)),
        ("head: frontier", |t| t.head.frontier = Frontier::empty(), (Place::Log, Flaw::Head)),
        ("tail cut", |t| t.rows.truncate(90), (Place::Checkpoint(100), Flaw::CheckpointBeyond)),
    ];
    for (name, edit, expected) in edits {
        let memory = log(100, &[37, 100]);
        edit(&mut memory.tables.lock().unwrap());
        assert_eq!(fails(&memory, None), expected, "{name}");
    }
}

/// An owner of the file rewrites every derived hash as well: the signed checkpoint is what stands.
#[test]
fn a_rewritten_log_is_found_by_the_first_checkpoint_after_the_edit() {
    let edits: [fn(&mut Tables); 3] = [
        |t| {
            let edited =
                t.rows[40].body.as_ref().unwrap().replace("\"decision\":\"permit\"", "\"decision\":\"deny\"");
            t.rows[40].body = Some(edited);
            t.rows[40].row.as_mut().unwrap().decision = "deny".to_owned();
        },
        |t| drop(t.rows.remove(40)),
        |t| {
            let one = t.rows[40].clone();
            t.rows[40] = StoredRow { index: 40, ..t.rows[41].clone() };
            t.rows[41] = StoredRow { index: 41, ..one };
        },
    ];
    for edit in edits {
        let memory = log(100, &[37, 64, 99]);
        let before = judge(&memory, None);
        assert!(before.holds());
        {
            let mut tables = memory.tables.lock().unwrap();
            edit(&mut tables);
            cover_up(&mut tables);
        }
        assert_eq!(fails(&memory, None), (Place::Checkpoint(64), Flaw::CheckpointRoot));
        // Without its own checkpoints the log looks whole: only one kept elsewhere tells.
        memory.tables.lock().unwrap().checkpoints.clear();
        assert!(judge(&memory, None).holds());
        let kept = log(100, &[64]).tables.lock().unwrap().checkpoints[0].note.clone();
        assert_eq!(fails(&memory, Some(&kept)), (Place::Given(Some(64)), Flaw::CheckpointRoot));
    }
}

#[test]
fn a_checkpoint_kept_elsewhere_must_be_a_prefix() {
    let memory = log(100, &[]);
    for size in [0, 1, 64, 99, 100] {
        let earlier = log(size, &[size]).tables.lock().unwrap().checkpoints[0].note.clone();
        let report = judge(&memory, Some(&earlier));
        assert_eq!((report.failure, report.checkpoints), (None, 1), "{size}");
    }
    let later = log(101, &[101]).tables.lock().unwrap().checkpoints[0].note.clone();
    assert_eq!(fails(&memory, Some(&later)), (Place::Given(Some(101)), Flaw::CheckpointBeyond));
    let good = log(64, &[64]).tables.lock().unwrap().checkpoints[0].note.clone();
    assert_eq!(fails(&memory, Some("nothing")), (Place::Given(None), Flaw::CheckpointForm));
    let forged = good.replacen("\n64\n", "\n63\n", 1);
    assert_eq!(fails(&memory, Some(&forged)), (Place::Given(Some(63)), Flaw::CheckpointSignature));
    let elsewhere = Trust { origin: "other.example", keys: &keys(), given: Some(&good) };
    let report = verify(&mut memory.clone(), &elsewhere, &mut |_| {}).unwrap();
    assert_eq!(report.failure.unwrap().flaw, Flaw::CheckpointOrigin);
}

#[test]
fn stored_checkpoints_are_judged_like_any_other() {
    let with = |edit: fn(&mut StoredCheckpoint)| {
        let memory = log(100, &[37, 100]);
        edit(&mut memory.tables.lock().unwrap().checkpoints[0]);
        fails(&memory, None)
    };
    assert_eq!(with(|c| c.note.clear()), (Place::Checkpoint(37), Flaw::CheckpointForm));
    assert_eq!(with(|c| c.size = 38), (Place::Checkpoint(38), Flaw::CheckpointForm));
    assert_eq!(
        with(|c| c.note = c.note.replace("relais.example", "other.example")),
        (Place::Checkpoint(37), Flaw::CheckpointSignature)
    );
    let other_key = SigningKey::from_seed(&[6; 32]).unwrap();
    let memory = log(10, &[10]);
    let frontier = memory.tables.lock().unwrap().head.frontier.clone();
    let forged = Checkpoint::of(ORIGIN, &frontier).unwrap().sign(&other_key).unwrap().to_string();
    memory.tables.lock().unwrap().checkpoints[0].note = forged;
    assert_eq!(fails(&memory, None), (Place::Checkpoint(10), Flaw::CheckpointSignature));
}

#[test]
fn a_body_that_is_well_hashed_but_not_of_the_schema_fails() {
    let memory = log(50, &[]);
    {
        let mut tables = memory.tables.lock().unwrap();
        let odd = tables.rows[20].body.as_ref().unwrap().replace("\"v\":1", "\"v\":9");
        tables.rows[20].body = Some(odd);
        cover_up(&mut tables);
    }
    assert_eq!(fails(&memory, None), (Place::Record(20), Flaw::BodyUnreadable));
    let memory = log(50, &[]);
    {
        let mut tables = memory.tables.lock().unwrap();
        let at = format!("\"at\":{}", START + 10);
        let back = tables.rows[20].body.as_ref().unwrap().replace(&at, "\"at\":7");
        tables.rows[20].body = Some(back);
        cover_up(&mut tables);
    }
    assert_eq!(fails(&memory, None), (Place::Record(20), Flaw::TimeBack));
}

#[test]
fn what_failed_is_said_in_words_with_its_code() {
    let failure = Failure { place: Place::Record(12), flaw: Flaw::LeafHash };
    assert_eq!(failure.to_string(), "Trace n° 12 : le contenu ne correspond pas à son empreinte [leaf_hash]");
    let failure = Failure { place: Place::Given(Some(7)), flaw: Flaw::CheckpointBeyond };
    assert!(failure.to_string().starts_with("Point de contrôle fourni, à 7 traces : "));
}

/// From the stored rows alone: a receipt, and the proof between two checkpoints.
#[test]
fn receipts_and_consistency_proofs_are_made_from_stored_rows() {
    let memory = log(100, &[37, 100]);
    let mut source = memory.clone();
    let tables = memory.tables.lock().unwrap().clone();
    let read = |n: usize| SignedCheckpoint::parse(&tables.checkpoints[n].note).unwrap();
    let proof = inclusion_proof(36, 37, &mut source).unwrap();
    let receipt = TlogProof::new(36, proof, read(0)).unwrap();
    let body = tables.rows[36].body.as_ref().unwrap();
    assert!(receipt.verify(body.as_bytes(), ORIGIN, &keys()).is_ok());
    let proof = consistency_proof(37, 100, &mut source).unwrap();
    let (old, new) = (read(0), read(1));
    verify_consistency(37, 100, &proof, old.claims().root(), new.claims().root()).unwrap();
}

/// The stored form and the lane's form are the same thing: nothing is lost between them.
#[test]
fn the_backend_gets_all_that_verify_asks_for() {
    fn assert_backend<B: LaneBackend>(_: &B) {}
    let memory = Memory::default();
    assert_backend(&memory.backend());
    let mut frontier = Frontier::empty();
    let leaf: NumberedLeaf =
        record(&Counting::default()).number(0, Timestamp::from_micros(START), &mut frontier);
    let detail: &SealedDetail = leaf.detail.as_ref().unwrap();
    let row = stored(&leaf);
    assert_eq!(row.detail.unwrap().salt, detail.salt);
    assert_eq!(row.leaf_hash, leaf.leaf_hash);
}

/// Without any database: a pruning counts when its own record is reached, and says what is gone.
#[test]
fn what_is_no_pruning_in_its_only_form_covers_nothing() {
    use crate::audit::leaf::Record;
    use crate::audit::memory::{Plain, draft, key};
    use crate::audit::prune::{Cover, Erased, Request};
    use crate::domain::record::{Action, ActorStamp, ResourceKind, RetentionClass, Verdict};
    use crate::ids::{AssignmentId, ProfessionalId, PruningId};

    let chance = Counting::default();
    let year = 366 * 24 * 3600 * 1_000_000;
    let (first, last) = (START, START + year);
    let mut erased = Erased::default();
    let request = Request {
        id: PruningId::random(&chance).unwrap(),
        class: RetentionClass::Technical,
        first: 0,
        last: 1,
        before: Timestamp::from_micros(first + 1),
    };
    // Two technical records, the request, its confirmation; the pruning comes last.
    let made = |class, action, resource, basis: Vec<String>, actor: bool| {
        let mut draft = draft(&chance);
        (draft.retention, draft.action, draft.resource, draft.basis) = (class, action, resource, basis);
        draft.actor = actor.then(|| ActorStamp {
            professional: ProfessionalId::random(&chance).unwrap(),
            assignment: Some(AssignmentId::random(&chance).unwrap()),
            organisation: None,
            profession: None,
            function: None,
            secrecy: None,
            session: None,
        });
        draft
    };
    let numbered = |tables: &mut Tables, draft: &_, at| {
        let prepared = Record::prepare(draft, &key(draft.retention), &Plain, &chance).unwrap();
        let index = tables.head.frontier.size();
        let leaf = prepared.number(index, Timestamp::from_micros(at), &mut tables.head.frontier);
        tables.head.last_time = Some(Timestamp::from_micros(at));
        tables.rows.push(stored(&leaf));
    };
    let mut tables = Tables::default();
    for _ in 0..2 {
        let technical = made(RetentionClass::Technical, Action::List, ResourceKind::Item, Vec::new(), true);
        numbered(&mut tables, &technical, first);
    }
    for action in [Action::Create, Action::Confirm] {
        let said =
            made(RetentionClass::Disclosure, action, ResourceKind::Pruning, vec![request.mark()], true);
        numbered(&mut tables, &said, last);
    }
    for index in 0..2 {
        let row = &mut tables.rows[index];
        erased.add(u64::try_from(index).unwrap(), &row.leaf_hash);
        (row.body, row.row, row.detail) = (None, None, None);
    }
    let cover = Cover { request, first: 0, last: 1, count: erased.count(), digest: erased.digest() };
    let with = |edit: &dyn Fn(&mut crate::domain::record::RecordDraft), at: i64| {
        let mut tables = tables.clone();
        let mut prune =
            made(RetentionClass::Disclosure, Action::Prune, ResourceKind::AuditLog, cover.basis(), false);
        prune.count = Some(cover.count);
        prune.returned = vec![cover.row_ref()];
        edit(&mut prune);
        numbered(&mut tables, &prune, at);
        let memory = Memory::default();
        *memory.tables.lock().unwrap() = tables;
        judge(&memory, None)
    };
    let whole = with(&|_| {}, last);
    assert!(whole.holds() && whole.pruned == 2 && whole.prunings.len() == 1, "{whole:?}");
    let basis = |text: String| move |d: &mut crate::domain::record::RecordDraft| d.basis[0].clone_from(&text);
    let missing = Some((Place::Record(0), Flaw::BodyMissing));
    let hex = data_encoding::HEXLOWER.encode(&cover.digest);
    let failed = |report: Report| report.failure.map(|f| (f.place, f.flaw));
    for text in [
        format!("prune:00:1:{hex}"),
        format!("prune:0:2:{hex}"),
        format!("prune:1:0:{hex}"),
        format!("prune:0:1:{}", hex.to_uppercase()),
        format!("prune:0:1:{hex}:"),
        "prune:0:1:".to_owned(),
    ] {
        assert_eq!(failed(with(&basis(text.clone()), last)), missing, "{text}");
    }
    assert_eq!(failed(with(&|d| d.basis.truncate(1), last)), missing);
    assert_eq!(failed(with(&|d| d.resource = ResourceKind::Instance, last)), missing);
    assert_eq!(failed(with(&|d| d.verdict = Verdict::Deny, last)), missing);
    assert_eq!(failed(with(&|d| d.count = None, last)), missing);
    let one = basis(format!("prune:1:1:{hex}"));
    assert_eq!(failed(with(&one, last)), missing, "the first is under none");
    assert_eq!(failed(with(&|d| d.count = Some(3), last)), Some((Place::Record(4), Flaw::Detail)));
    // Well sealed, and of another pruning, or of none.
    let other = Cover { count: 3, ..cover.clone() }.row_ref();
    for returned in [vec![], vec![other]] {
        let detail = |d: &mut crate::domain::record::RecordDraft| {
            d.returned.clone_from(&returned);
            d.motive = Some("un".to_owned());
        };
        assert_eq!(failed(with(&detail, last)), Some((Place::Record(4), Flaw::Detail)));
    }
    let another = |d: &mut crate::domain::record::RecordDraft| {
        d.count = Some(3);
        d.returned = vec![Cover { count: 3, ..cover.clone() }.row_ref()];
    };
    assert_eq!(failed(with(&another, last)), Some((Place::Record(4), Flaw::PruneSet)));
}
