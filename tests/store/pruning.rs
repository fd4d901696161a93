//! Pruning, on both engines: what the database lets through, what an owner can do without it, and what each verifier says.

use relais::audit::lane::{Lane, Priority};
use relais::audit::note::VerifierKey;
use relais::audit::proof::TlogProof;
use relais::audit::prune::{Cover, Erased, PruneError, Request};
use relais::audit::tree::{Frontier, leaf_hash};
use relais::audit::verify::{Flaw, LogReader, Place, Report, Trust, verify};
use relais::audit::{Job, PseudonymKey, Record};
use relais::cli::audit::AuditCommand;
use relais::clock::Clock;
use relais::crypto::SystemChance;
use relais::domain::pruning::PruningOpinion;
use relais::domain::record::{Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, Verdict};
use relais::ids::{AssignmentId, ProfessionalId, PruningId, RequestId};
use relais::store::WriteTx;
use relais::store::log::{LogFile, Prunable, PruneBounds};
use relais::store::pruning::{
    NewPruning, NewPruningDecision, PruningScope, PruningsSeen, pruning_decision_ref, pruning_ref,
};

use crate::attacks::unguard;
use crate::support::{Bed, Engine, Raw, Under, engines};
use crate::verifier::batch::Batch;
use crate::verifier::logs::options;

mod attacks;

const DAY: i64 = 24 * 3600;
/// Where things stand in the log of [`Case`]: odd indexes up to here are technical and old.
const LAST_OLD: i64 = 11;
const RECENT: i64 = 13;
const RECENT_DISCLOSURE: i64 = 14;
const ASKED: i64 = 15;
const FIRST_PRUNE: i64 = 17;
const SECOND_PRUNE: i64 = 18;
const SIZE: u64 = 20;

/// Somebody who asks or decides.
#[derive(Clone)]
struct Somebody {
    professional: ProfessionalId,
    assignment: AssignmentId,
}

/// Twelve old records of both classes, some recent ones, and a request to prune the old technical ones.
struct Case {
    bed: Bed,
    scope: PruningScope,
    request: PruningId,
    asker: Somebody,
    second: Somebody,
    /// The asker, under another affectation.
    again: Somebody,
    /// A checkpoint of before, a receipt and an export taken then.
    checkpoint: String,
    receipt: String,
    export: String,
}

fn blob(engine: Engine, bytes: &[u8]) -> String {
    let hex = data_encoding::HEXLOWER.encode(bytes);
    match engine {
        Engine::Sqlite => format!("x'{hex}'"),
        #[cfg(feature = "postgres")]
        Engine::Postgres => format!("'\\x{hex}'::bytea"),
    }
}

fn draft(class: RetentionClass, action: Action, resource: ResourceKind) -> RecordDraft {
    RecordDraft::new(
        RequestId::random(&SystemChance::new()).unwrap(),
        class,
        action,
        resource,
        Verdict::Permit,
    )
}

fn prepared(bed: &Bed, draft: &RecordDraft) -> Record {
    let key = PseudonymKey::new(draft.retention, 2027, zeroize::Zeroizing::new([9; 32]));
    Record::prepare(draft, &key, &Under(bed.store.instance_key()), &SystemChance::new()).unwrap()
}

fn told(bed: &Bed, command: &AuditCommand) -> String {
    let mut out = Vec::new();
    relais::cli::audit::run(command, bed.folder.path(), &mut out, &mut Vec::new()).unwrap();
    String::from_utf8(out).unwrap()
}

fn export(bed: &Bed) -> String {
    told(bed, &AuditCommand::Export { log: options(bed), asked: Default::default() })
}

/// What somebody with the key finds.
fn with_details(bed: &Bed) -> Report {
    let mut log = LogFile::open(&bed.address).unwrap().with_details(bed.store.keyring()).unwrap();
    let vkey = VerifierKey::parse(&log.instance_value("log_vkey").unwrap().unwrap()).unwrap();
    let trust = Trust { origin: vkey.name(), keys: std::slice::from_ref(&vkey), given: None };
    verify(&mut log, &trust, &mut |_| {}).unwrap()
}

fn somebody(raw: &mut Raw, bed: &Bed, of: Option<&Somebody>) -> Somebody {
    let chance = SystemChance::new();
    let professional =
        of.map_or_else(|| ProfessionalId::random(&chance).unwrap(), |o| o.professional.clone());
    let one = Somebody { professional, assignment: AssignmentId::random(&chance).unwrap() };
    let (p, a) = (&one.professional, &one.assignment);
    if of.is_none() {
        raw.exec(&format!(
            "INSERT INTO professional (id, version, login_index, state, created_at, body) \
             VALUES ('{p}', 1, '{p}', 'confirmed', 1, {})",
            blob(bed.engine, b"")
        ))
        .unwrap();
    }
    raw.exec(&format!(
        "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, \
         secrecy_basis, starts_at, created_at) \
         SELECT '{a}', 1, '{p}', min(id), 'm', 'auditor', 'practitioner', 'bound', '', 1, 1 FROM organisation"
    ))
    .unwrap();
    one
}

impl Case {
    fn new(engine: Engine) -> Self {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        bed.pathway(&lane);
        let start = bed.clock.now();
        let record = |class| {
            let draft = draft(class, Action::List, ResourceKind::Item);
            let mut draft = draft;
            draft.motive = Some("de quoi remplir le détail".to_owned());
            lane.record(Priority::Session, Job::new(prepared(&bed, &draft))).wait().unwrap();
        };
        for n in 1..=12_i64 {
            bed.clock.set(start.plus_seconds(n));
            record(if n % 2 == 1 { RetentionClass::Technical } else { RetentionClass::Disclosure });
        }
        let checkpoint = bed.checkpoint();
        let receipt = told(&bed, &AuditCommand::Proof { index: 3, log: options(&bed) });
        let export = export(&bed);
        bed.clock.set(start.plus_seconds(400 * DAY));
        record(RetentionClass::Technical);
        record(RetentionClass::Disclosure);
        thread.stop();
        let mut raw = bed.raw();
        let asker = somebody(&mut raw, &bed, None);
        let second = somebody(&mut raw, &bed, None);
        let again = somebody(&mut raw, &bed, Some(&asker));
        let before = start.plus_seconds(100);
        let class = RetentionClass::Technical;
        let bounds = bed.store.snapshot().unwrap().prunable(class, before).unwrap().unwrap();
        assert_eq!(bounds, PruneBounds { first: 1, last: LAST_OLD, records: 6 });
        let scope = PruningScope { class, before, bounds };
        let request = PruningId::random(&SystemChance::new()).unwrap();
        Self { bed, scope, request, asker, second, again, checkpoint, receipt, export }
    }

    fn cited(&self) -> Request {
        let index = |n: i64| u64::try_from(n).unwrap();
        Request {
            id: self.request.clone(),
            class: self.scope.class,
            first: index(self.scope.bounds.first),
            last: index(self.scope.bounds.last),
            before: self.scope.before,
        }
    }

    /// A record of somebody about the request.
    fn says(&self, who: &Somebody, action: Action) -> Record {
        let mut draft = draft(RetentionClass::Disclosure, action, ResourceKind::Pruning);
        draft.actor = Some(ActorStamp {
            professional: who.professional.clone(),
            assignment: Some(who.assignment.clone()),
            organisation: None,
            profession: None,
            function: None,
            secrecy: None,
            session: None,
        });
        draft.basis = vec![self.cited().mark()];
        prepared(&self.bed, &draft)
    }

    /// The request, of somebody's; its id becomes the case's.
    fn ask(&mut self, lane: &Lane<WriteTx>, scope: PruningScope) -> Result<(), String> {
        let key = self.bed.store.instance_key();
        let by = (self.bed.clock.now(), self.asker.assignment.clone());
        let row = NewPruning::seal(key, &SystemChance::new(), scope, "Terme échu", by).unwrap();
        self.request = row.id.clone();
        let seen = self.bed.store.snapshot().unwrap().prunings_seen().unwrap();
        self.insert(lane, row, seen)
    }

    fn insert(&self, lane: &Lane<WriteTx>, row: NewPruning, seen: PruningsSeen) -> Result<(), String> {
        let record = self.says(&self.asker, Action::Create);
        let done = lane.submit(Priority::Session, Job::new(record), move |tx: &mut WriteTx, _| {
            tx.pruning_insert(&row, seen)
        });
        done.wait().map(|_| ()).map_err(|e| format!("{e:?}"))
    }

    fn confirm(&self, lane: &Lane<WriteTx>, who: &Somebody) -> Result<(), String> {
        let key = self.bed.store.instance_key();
        let by = (self.bed.clock.now(), who.assignment.clone());
        let words = (PruningOpinion::Confirmed, "Relu");
        let row =
            NewPruningDecision::seal(key, &SystemChance::new(), self.request.clone(), words, by).unwrap();
        let record = self.says(who, Action::Confirm);
        let seen = self.bed.store.snapshot().unwrap().prunings_seen().unwrap();
        let done = lane.submit(Priority::Session, Job::new(record), move |tx: &mut WriteTx, _| {
            tx.pruning_decide(&row, seen)
        });
        done.wait().map(|_| ()).map_err(|e| format!("{e:?}"))
    }

    /// What there is to erase, as the columns say.
    fn chosen(&self, limit: i64) -> Vec<Prunable> {
        let bounds = self.scope.bounds;
        let mut snapshot = self.bed.store.snapshot().unwrap();
        snapshot.prunable_between(self.scope.class, bounds.first - 1, bounds.last, limit).unwrap()
    }

    /// One batch, as the service makes it.
    fn batch(&self, lane: &Lane<WriteTx>, limit: i64) -> Result<usize, String> {
        let batch = self.chosen(limit);
        let index = |one: &Prunable| u64::try_from(one.index).unwrap();
        let records = batch.iter().map(|b| (index(b), b.leaf_hash.as_slice(), b.body.as_str()));
        let Some(cover) = self.cited().cover(records).map_err(|e| e.to_string())? else { return Ok(0) };
        self.erase(lane, &batch, &cover)
    }

    /// As a program would that believes the columns.
    fn batch_believing(&self, lane: &Lane<WriteTx>, limit: i64) -> Result<usize, String> {
        let batch = self.chosen(limit);
        let index = |one: &Prunable| u64::try_from(one.index).unwrap();
        let mut erased = Erased::default();
        batch.iter().for_each(|b| erased.add(index(b), &b.leaf_hash));
        let cover = Cover {
            request: self.cited(),
            first: index(batch.first().unwrap()),
            last: index(batch.last().unwrap()),
            count: erased.count(),
            digest: erased.digest(),
        };
        self.erase(lane, &batch, &cover)
    }

    fn erase(&self, lane: &Lane<WriteTx>, batch: &[Prunable], cover: &Cover) -> Result<usize, String> {
        let indexes: Vec<i64> = batch.iter().map(|b| b.index).collect();
        let mut draft = draft(RetentionClass::Disclosure, Action::Prune, ResourceKind::AuditLog);
        draft.basis = cover.basis();
        draft.count = Some(cover.count);
        draft.returned =
            vec![pruning_ref(&self.request), pruning_decision_ref(&self.request), cover.row_ref()];
        let (record, many) = (prepared(&self.bed, &draft), indexes.len());
        let done = lane
            .submit(Priority::Session, Job::new(record), move |tx: &mut WriteTx, _| tx.log_prune(&indexes));
        done.wait().map(|_| many).map_err(|e| format!("{e:?}"))
    }

    /// Asked, confirmed and done, with a checkpoint after it.
    fn pruned(engine: Engine) -> Self {
        let mut case = Self::new(engine);
        let (lane, thread) = case.bed.lane();
        case.ask(&lane, case.scope).unwrap();
        case.confirm(&lane, &case.second.clone()).unwrap();
        assert_eq!(case.batch(&lane, 4), Ok(4));
        assert_eq!(case.batch(&lane, 100), Ok(2));
        assert_eq!(case.batch(&lane, 100), Ok(0));
        case.bed.checkpoint();
        case.bed.records(&lane, 1);
        thread.stop();
        case
    }

    fn flaw(&self) -> Option<(Place, Flaw)> {
        self.bed.verified(None).failure.map(|f| (f.place, f.flaw))
    }

    fn vkey(&self) -> VerifierKey {
        let mut log = LogFile::open(&self.bed.address).unwrap();
        VerifierKey::parse(&log.instance_value("log_vkey").unwrap().unwrap()).unwrap()
    }

    /// Adds a record at the end with every hash fitting, as an owner of the database can who has no key.
    fn forge(&self, raw: &mut Raw, index: i64, body: &str, frontier: &mut Frontier) {
        // Its time, after that of the last one.
        let at = relais::audit::LeafBody::parse(body).unwrap().at.micros();
        let last = raw.int("SELECT last_at FROM audit_head");
        let body = &body.replace(&format!("\"at\":{at},"), &format!("\"at\":{},", last + 1));
        let class = if body.contains("\"retention\":\"technical\"") { "technical" } else { "disclosure" };
        let hash = leaf_hash(body.as_bytes());
        let nodes = frontier.append(hash).concat();
        let at = relais::audit::LeafBody::parse(body).unwrap();
        let actor = at.actor.as_ref().map_or("NULL".to_owned(), |a| format!("'{a}'"));
        raw.all(&[
            &format!(
                "INSERT INTO audit_leaf VALUES ({index}, {}, {}, '{body}', '{class}')",
                blob(self.bed.engine, &hash),
                blob(self.bed.engine, &nodes)
            ),
            &format!(
                "INSERT INTO audit_index VALUES ({index}, {}, {actor}, NULL, NULL, '{}', NULL, NULL, 'permit')",
                at.at.micros(),
                at.action.code()
            ),
            &format!(
                "UPDATE audit_head SET size = {}, frontier = {}, last_at = {}",
                index + 1,
                blob(self.bed.engine, &frontier.to_bytes()),
                at.at.micros()
            ),
        ]);
    }

    fn body(&self, index: i64) -> String {
        LogFile::open(&self.bed.address).unwrap().log_body(index).unwrap().unwrap()
    }

    /// The leaf hash of a record, as it is stored.
    fn hash(&self, index: i64) -> Vec<u8> {
        let mut log = LogFile::open(&self.bed.address).unwrap();
        log.rows(Some(index - 1), 1).unwrap().remove(0).leaf_hash
    }
}

#[test]
fn a_pruned_log_holds_for_every_verifier_and_so_does_all_that_was_taken_before() {
    for engine in engines() {
        let case = Case::pruned(engine);
        let bed = &case.bed;
        for report in [bed.verified(None), bed.verified(Some(&case.checkpoint)), with_details(bed)] {
            assert!(report.holds(), "{engine:?} {report:?}");
            assert_eq!((report.records, report.pruned), (SIZE, 6));
            let told: Vec<(u64, u64, u64, u32)> =
                report.prunings.iter().map(|p| (p.index, p.first, p.last, p.count)).collect();
            assert_eq!(told, [(17, 1, 7, 4), (18, 9, 11, 2)]);
        }
        let mut raw = bed.raw();
        for table in ["audit_index", "audit_detail"] {
            assert_eq!(raw.int(&format!("SELECT count(*) FROM {table} WHERE idx IN (1, 3, 5, 7, 9, 11)")), 0);
        }
        assert_eq!(raw.int("SELECT count(*) FROM audit_leaf WHERE body IS NULL"), 6);
        // The receipt of a record that is no more, and the export of then.
        let key = case.vkey();
        let receipt = TlogProof::parse(&case.receipt).unwrap();
        assert!(receipt.verify_carried(key.name(), std::slice::from_ref(&key)).is_ok());
        let mut batch = Batch::new();
        let vkey = key.to_string();
        let now = export(bed);
        let (file, before) = (batch.file(&now), batch.file(&case.export));
        let (kept, receipt) = (batch.file(&case.checkpoint), batch.file(&case.receipt));
        batch
            .command("pruned", &["verify-export", &file, "--key", &vkey], true)
            .saying("2 traces (technical), du n° 9");
        let given = ["verify-export", &file, "--key", &vkey, "--checkpoint", &kept, "--previous", &before];
        batch.command("continues what was kept", &given, true);
        batch.command("a receipt of before", &["verify-receipt", &receipt, "--key", &vkey], true);
        let lost = ["verify-receipt", &receipt, "--key", &vkey, "--export", &file];
        batch.command("its record is no more", &lost, false).saying("élaguée");
        batch.judge();
        // No receipt of what is erased, and a sentence why.
        let command = AuditCommand::Proof { index: 3, log: options(bed) };
        let refused = relais::cli::audit::run(&command, bed.folder.path(), &mut Vec::new(), &mut Vec::new());
        assert!(refused.unwrap_err().to_string().contains("élaguée"));
    }
}

#[test]
fn a_pruning_cut_short_leaves_a_log_that_verifies_and_goes_on_from_there() {
    for engine in engines() {
        let mut case = Case::new(engine);
        let (lane, thread) = case.bed.lane();
        case.ask(&lane, case.scope).unwrap();
        case.confirm(&lane, &case.second.clone()).unwrap();
        for left in [4, 2, 0] {
            assert_eq!(case.batch(&lane, 2), Ok(2));
            assert!(case.flaw().is_none(), "{engine:?}, {left} left: {:?}", case.flaw());
            assert!(with_details(&case.bed).holds());
        }
        // What is gone already is not erased, nor recorded, twice.
        let before = case.bed.verified(None).records;
        let twice =
            lane.submit(Priority::Session, Job::new(case.bed.some_record()), |tx: &mut WriteTx, _| {
                tx.log_prune(&[1, 3])
            });
        assert!(format!("{:?}", twice.wait()).contains("Stale"), "{engine:?}");
        assert_eq!(case.bed.verified(None).records, before);
        thread.stop();
    }
}

#[test]
fn the_database_lets_a_confirmed_pruning_through_and_nothing_else() {
    for engine in engines() {
        let mut case = Case::new(engine);
        let mut raw = case.bed.raw();
        let emptied = |index: i64| format!("UPDATE audit_leaf SET body = NULL WHERE idx = {index}");
        let refuses = |raw: &mut Raw, sql: &str, words: &str| {
            let refused = raw.exec(sql).expect_err(sql).to_string();
            assert!(refused.contains(words), "{engine:?} {sql}: {refused}");
        };
        refuses(&mut raw, &emptied(1), "append-only table audit_leaf");
        let (lane, thread) = case.bed.lane();
        // Before their time, of the wrong class, beyond the end: not even asked for.
        let recent = PruningScope { before: case.bed.clock.now().plus_seconds(-364 * DAY), ..case.scope };
        assert!(case.ask(&lane, recent).is_err(), "{engine:?}");
        let other = PruningScope { class: RetentionClass::Disclosure, ..case.scope };
        assert!(case.ask(&lane, other).is_err(), "{engine:?}");
        let beyond = PruneBounds { last: 1000, ..case.scope.bounds };
        assert!(case.ask(&lane, PruningScope { bounds: beyond, ..case.scope }).is_err(), "{engine:?}");
        let before = case.bed.store.snapshot().unwrap().prunings_seen().unwrap();
        case.ask(&lane, case.scope).unwrap();
        let (key, by) =
            (case.bed.store.instance_key(), (case.bed.clock.now(), case.asker.assignment.clone()));
        let twin = NewPruning::seal(key, &SystemChance::new(), case.scope, "Terme échu", by).unwrap();
        assert!(case.insert(&lane, twin, before).unwrap_err().contains("Stale"), "{engine:?}: judged before");
        assert!(case.batch(&lane, 10).is_err(), "{engine:?}: nobody confirmed");
        for alone in [case.asker.clone(), case.again.clone()] {
            assert!(
                case.confirm(&lane, &alone).is_err(),
                "{engine:?}: one person, under whichever affectation"
            );
        }
        case.confirm(&lane, &case.second.clone()).unwrap();
        assert!(case.confirm(&lane, &case.second.clone()).unwrap_err().contains("Stale"), "{engine:?}: once");
        for kept in [2, 4, RECENT, RECENT_DISCLOSURE, ASKED] {
            refuses(&mut raw, &emptied(kept), "append-only table audit_leaf");
        }
        let half = "UPDATE audit_leaf SET body = NULL, leaf_hash = nodes WHERE idx = 3";
        refuses(&mut raw, half, "append-only table audit_leaf");
        let class = "UPDATE audit_leaf SET retention_class = 'technical' WHERE idx = 4";
        refuses(&mut raw, class, "append-only table audit_leaf");
        for table in ["audit_index", "audit_detail"] {
            let words = format!("append-only table {table}");
            refuses(&mut raw, &format!("DELETE FROM {table} WHERE idx = 3"), &words);
        }
        #[cfg(feature = "postgres")]
        if engine == Engine::Postgres {
            raw.exec("SET ROLE relais_lane").unwrap();
            refuses(&mut raw, &emptied(RECENT), "append-only table audit_leaf");
            // A table of one's own does not answer for the real one.
            raw.exec("RESET ROLE").unwrap();
            let database = raw.text("SELECT current_database()::text");
            raw.exec(&format!("GRANT TEMPORARY ON DATABASE {database} TO relais_lane")).unwrap();
            raw.exec("SET ROLE relais_lane").unwrap();
            for temporary in [
                "CREATE TEMPORARY TABLE pruning AS SELECT 'x' AS id, 'technical' AS class, 99999999999999999 AS before_at, 0 AS first_idx, 99 AS last_idx",
                "CREATE TEMPORARY TABLE pruning_decision AS SELECT 'x' AS request, 'confirmed' AS outcome",
            ] {
                raw.exec(temporary).unwrap_or_else(|e| panic!("{temporary}: {e}"));
            }
            refuses(&mut raw, &emptied(RECENT), "append-only table audit_leaf");
            raw.exec("RESET ROLE; DROP TABLE pg_temp.pruning; DROP TABLE pg_temp.pruning_decision").unwrap();
        }
        assert_eq!(case.batch(&lane, 100), Ok(6));
        for gone in [
            "UPDATE audit_leaf SET body = 'x' WHERE idx = 3",
            "UPDATE audit_leaf SET body = NULL WHERE idx = 3",
            "DELETE FROM audit_leaf WHERE idx = 3",
        ] {
            refuses(&mut raw, gone, "append-only table audit_leaf");
        }
        refuses(&mut raw, "UPDATE pruning SET last_idx = 1000", "append-only table pruning");
        refuses(&mut raw, "DELETE FROM pruning_decision", "append-only table pruning_decision");
        assert!(case.flaw().is_none(), "{engine:?} {:?}", case.flaw());
        thread.stop();
    }
}

/// What an owner edits between the request and its confirmation, so that the service erases it.
#[test]
fn a_record_is_erased_for_what_its_body_says_and_not_for_the_columns_beside_it() {
    for engine in engines() {
        for (edit, index, damage, seen) in [
            (
                "UPDATE audit_leaf SET retention_class = 'technical' WHERE idx = 4",
                4,
                PruneError::Class(4),
                "« disclosure »",
            ),
            (
                "UPDATE audit_index SET at = at - 34560000000000 WHERE idx = 13",
                RECENT,
                PruneError::Time(13),
                "plus récente",
            ),
        ] {
            let mut case = Case::new(engine);
            let mut raw = case.bed.raw();
            // The export that somebody keeps has all of it.
            let before = export(&case.bed);
            // Reaching as far as the edited column lets it.
            case.scope.bounds.last = case.scope.bounds.last.max(index);
            let (lane, thread) = case.bed.lane();
            case.ask(&lane, case.scope).unwrap();
            unguard(&mut raw);
            raw.exec(edit).unwrap();
            case.confirm(&lane, &case.second.clone()).unwrap();
            assert_eq!(case.batch(&lane, 100), Err(damage.to_string()), "{engine:?} {edit}");
            assert_eq!(raw.int("SELECT count(*) FROM audit_leaf WHERE body IS NULL"), 0);
            // What is below it goes, and the log of a program that believed the columns would hold for whoever kept nothing.
            assert!(case.batch_believing(&lane, 100).is_ok(), "{engine:?} {edit}");
            case.bed.checkpoint();
            thread.stop();
            let now = export(&case.bed);
            let mut python = Batch::new();
            let (file, kept, vkey) = (python.file(now), python.file(before), case.vkey().to_string());
            let given = ["verify-export", &file, "--key", &vkey, "--previous", &kept];
            python.command(edit, &given, false).saying(seen);
            if index < RECENT {
                assert!(
                    case.flaw().is_none() && with_details(&case.bed).holds(),
                    "{engine:?} {:?}",
                    case.flaw()
                );
                python.command("without it", &["verify-export", &file, "--key", &vkey], true);
            }
            python.judge();
        }
    }
}

/// A column of what two persons said, edited by who owns the database.
#[test]
fn what_two_persons_said_opens_no_more_where_a_column_was_edited() {
    for engine in engines() {
        let case = Case::pruned(engine);
        let mut raw = case.bed.raw();
        unguard(&mut raw);
        #[cfg(feature = "postgres")]
        if engine == Engine::Postgres {
            for table in ["pruning", "pruning_decision"] {
                raw.exec(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).unwrap();
            }
        }
        let asked = || case.bed.store.snapshot().unwrap().prunings_asked(case.bed.store.instance_key());
        let rows = asked().unwrap();
        let decision = rows[0].decision.as_ref().unwrap();
        assert_eq!((rows[0].scope, &rows[0].by), (case.scope, &case.asker.assignment));
        assert_eq!((decision.outcome, &decision.by), (PruningOpinion::Confirmed, &case.second.assignment));
        let (again, asker) = (case.again.assignment.as_str(), case.asker.assignment.as_str());
        for (table, column, value) in [
            ("pruning", "by_assignment", format!("'{again}'")),
            ("pruning", "before_at", "before_at + 1".to_owned()),
            ("pruning", "first_idx", "first_idx - 1".to_owned()),
            ("pruning", "last_idx", "last_idx + 1".to_owned()),
            ("pruning", "records", "records + 1".to_owned()),
            ("pruning", "at", "at + 1".to_owned()),
            ("pruning_decision", "by_assignment", format!("'{asker}'")),
            ("pruning_decision", "outcome", "'refused'".to_owned()),
            ("pruning_decision", "at", "at + 1".to_owned()),
        ] {
            raw.exec(&format!("CREATE TABLE kept AS SELECT * FROM {table}")).unwrap();
            raw.exec(&format!("UPDATE {table} SET {column} = {value}")).unwrap();
            let refused = asked().err().map(|e| e.to_string()).unwrap_or_default();
            assert!(
                refused.contains("not the one that was sealed"),
                "{engine:?} {table}.{column}: {refused}"
            );
            raw.exec(&format!("UPDATE {table} SET {column} = (SELECT {column} FROM kept); DROP TABLE kept"))
                .unwrap();
        }
        assert!(asked().is_ok());
    }
}
