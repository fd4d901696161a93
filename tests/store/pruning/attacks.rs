//! What an owner of the database can do beside a pruning, or make up, and what each verifier names of it.

use super::*;

const BESIDE: [&str; 2] = ["audit_index", "audit_detail"];
const KEPT: [&str; 5] = ["audit_leaf", "audit_index", "audit_head", "audit_checkpoint", "audit_detail"];

/// Empties a record as an owner would.
fn empty(index: i64) -> Vec<String> {
    let mut all = vec![format!("UPDATE audit_leaf SET body = NULL WHERE idx = {index}")];
    all.extend(BESIDE.map(|table| format!("DELETE FROM {table} WHERE idx = {index}")));
    all
}

struct Attack {
    name: &'static str,
    sql: Vec<String>,
    place: Place,
    flaw: Flaw,
    /// Whether an export, which has no copies and no details, shows it as well.
    exported: bool,
}

fn attacks(engine: Engine) -> Vec<Attack> {
    let attack =
        |name, sql, index, flaw| Attack { name, sql, place: Place::Record(index), flaw, exported: true };
    let hidden = |name, sql: &str, index, flaw| Attack {
        exported: false,
        ..attack(name, vec![sql.to_owned()], index, flaw)
    };
    let moved = |class: &str| {
        let mut all = empty(4);
        all.push(format!("UPDATE audit_leaf SET retention_class = '{class}' WHERE idx = 4"));
        all
    };
    vec![
        attack("a disclosure under a technical pruning", empty(4), 4, Flaw::PruneClass),
        attack("and its class with it", moved("technical"), 17, Flaw::PruneSet),
        attack("a class that is none", moved("other"), 4, Flaw::Retention),
        attack("a recent record", empty(RECENT), 13, Flaw::BodyMissing),
        attack("the record of the pruning", empty(FIRST_PRUNE), 1, Flaw::BodyMissing),
        attack("the record of the request", empty(ASKED), 15, Flaw::BodyMissing),
        attack(
            "a pruned record is put back",
            vec![
                "UPDATE audit_leaf SET body = (SELECT body FROM once_audit_leaf WHERE idx = 3) WHERE idx = 3".to_owned(),
                "INSERT INTO audit_index SELECT * FROM once_audit_index WHERE idx = 3".to_owned(),
            ],
            3,
            Flaw::PruneUndone,
        ),
        attack(
            "one is put back and another emptied in its place",
            {
                let mut all = moved("technical");
                all.extend([
                    "UPDATE audit_leaf SET body = (SELECT body FROM once_audit_leaf WHERE idx = 3), retention_class = 'disclosure' WHERE idx = 3".to_owned(),
                    "INSERT INTO audit_index SELECT * FROM once_audit_index WHERE idx = 3".to_owned(),
                ]);
                all
            },
            3,
            Flaw::Retention,
        ),
        hidden(
            "a copy is left",
            "INSERT INTO audit_index SELECT * FROM once_audit_index WHERE idx = 3",
            3,
            Flaw::PruneLeft,
        ),
        hidden(
            "a detail is left",
            "INSERT INTO audit_detail SELECT * FROM once_audit_detail WHERE idx = 3",
            3,
            Flaw::PruneLeft,
        ),
        attack(
            "the hash of a pruned record is edited",
            vec!["UPDATE audit_leaf SET leaf_hash = (SELECT b.leaf_hash FROM audit_leaf b WHERE b.idx = 5) WHERE idx = 3".to_owned()],
            3,
            Flaw::Nodes,
        ),
        attack(
            "it is no hash",
            vec![format!("UPDATE audit_leaf SET leaf_hash = {} WHERE idx = 3", blob(engine, &[1, 2, 3]))],
            3,
            Flaw::LeafHash,
        ),
    ]
}

/// One process in Python for all cases of an engine.
struct Second {
    batch: Batch,
    vkey: String,
}

impl Second {
    fn holds(&mut self, name: &str, bed: &Bed, holds: bool) {
        let file = self.batch.file(export(bed));
        self.batch.command(name, &["verify-export", &file, "--key", &self.vkey], holds);
    }
}

fn keep(raw: &mut Raw, prefix: &str) {
    for table in KEPT {
        raw.exec(&format!("CREATE TABLE {prefix}_{table} AS SELECT * FROM {table}")).unwrap();
    }
}

fn restore(raw: &mut Raw) {
    for table in KEPT {
        raw.exec(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}")).unwrap();
    }
}

#[test]
fn whatever_an_owner_prunes_beside_a_pruning_is_seen_and_named() {
    for engine in engines() {
        let mut case = Case::new(engine);
        keep(&mut case.bed.raw(), "once");
        let (lane, thread) = case.bed.lane();
        case.ask(&lane, case.scope).unwrap();
        case.confirm(&lane, &case.second.clone()).unwrap();
        assert_eq!((case.batch(&lane, 4), case.batch(&lane, 9)), (Ok(4), Ok(2)));
        case.bed.checkpoint();
        case.bed.records(&lane, 1);
        thread.stop();
        let mut raw = case.bed.raw();
        unguard(&mut raw);
        keep(&mut raw, "kept");
        let mut second = Second { batch: Batch::new(), vkey: case.vkey().to_string() };
        for attack in attacks(engine) {
            attack.sql.iter().for_each(|sql| raw.exec(sql).unwrap_or_else(|e| panic!("{sql}: {e}")));
            assert_eq!(case.flaw(), Some((attack.place, attack.flaw)), "{engine:?}: {}", attack.name);
            second.holds(attack.name, &case.bed, !attack.exported);
            restore(&mut raw);
            assert!(case.flaw().is_none(), "{engine:?}: restored after {}", attack.name);
        }
        second.batch.judge();
    }
}

/// Records that somebody makes up who owns the database and has no key.
#[test]
fn a_pruning_that_is_made_up_is_seen_and_named() {
    for engine in engines() {
        let case = Case::pruned(engine);
        let mut raw = case.bed.raw();
        unguard(&mut raw);
        keep(&mut raw, "kept");
        let end = LogFile::open(&case.bed.address).unwrap().log_frontier().unwrap();
        let (asked, confirmed, prune) = (case.body(ASKED), case.body(ASKED + 1), case.body(SECOND_PRUNE));
        let mark = case.cited().mark();
        let of = prune.split("\"prune:").nth(1).unwrap().split('"').next().unwrap();
        let digest = {
            let mut erased = Erased::default();
            erased.add(13, &case.hash(RECENT));
            data_encoding::HEXLOWER.encode(&erased.digest())
        };
        // Another pruning, of the recent record alone, under this request.
        let made = |request: &Request, digest: &str| {
            prune
                .replace(of, &format!("13:13:{digest}"))
                .replace(&mark, &request.mark())
                .replace("\"count\":2", "\"count\":1")
        };
        let wider =
            Request { last: 13, id: PruningId::random(&SystemChance::new()).unwrap(), ..case.cited() };
        let soon = Request { before: case.bed.clock.now().plus_seconds(-30 * DAY), ..wider.clone() };
        let mut second = Second { batch: Batch::new(), vkey: case.vkey().to_string() };
        let mut alone = asked.replace(&mark, &wider.mark());
        let (asks, confirms) = (alone.clone(), confirmed.replace(&mark, &wider.mark()));
        // The same person says both.
        alone = alone.replace("\"action\":\"create\"", "\"action\":\"confirm\"");
        for (name, bodies, place, flaw) in [
            (
                "under a request that does not cover it",
                vec![made(&case.cited(), &digest)],
                13,
                Flaw::BodyMissing,
            ),
            ("before its time", vec![made(&soon, &digest)], 13, Flaw::PruneEarly),
            ("without anybody", vec![made(&wider, &digest)], 20, Flaw::PruneAlone),
            ("by one person", vec![asks.clone(), alone, made(&wider, &digest)], 22, Flaw::PruneAlone),
            (
                "of other records",
                vec![asks.clone(), confirms.clone(), made(&wider, &"0".repeat(64))],
                22,
                Flaw::PruneSet,
            ),
            (
                "of more records than are gone",
                vec![
                    asks.clone(),
                    confirms.clone(),
                    made(&wider, &digest).replace("\"count\":1", "\"count\":2"),
                ],
                22,
                Flaw::PruneSet,
            ),
        ] {
            empty(RECENT).iter().for_each(|sql| raw.exec(sql).unwrap());
            let mut frontier = end.clone();
            for (at, body) in (20..).zip(&bodies) {
                case.forge(&mut raw, at, body, &mut frontier);
            }
            assert_eq!(case.flaw(), Some((Place::Record(place), flaw)), "{engine:?}: {name}");
            second.holds(name, &case.bed, false);
            restore(&mut raw);
        }
        // A pruning of records that still are there.
        let mut frontier = end.clone();
        for (at, body) in (20..).zip([&asks, &confirms, &made(&wider, &digest)]) {
            case.forge(&mut raw, at, body, &mut frontier);
        }
        assert_eq!(case.flaw(), Some((Place::Record(13), Flaw::PruneUndone)), "{engine:?}");
        second.holds("of a record that is there", &case.bed, false);
        // Everything made up, in every place: whoever has no key sees a pruning, and can ask its two persons; whoever has
        // one sees that nobody with the key wrote it.
        empty(RECENT).iter().for_each(|sql| raw.exec(sql).unwrap());
        assert!(case.flaw().is_none(), "{engine:?} {:?}", case.flaw());
        let seen = with_details(&case.bed).failure.unwrap();
        assert_eq!((seen.place, seen.flaw), (Place::Record(22), Flaw::Detail), "{engine:?}");
        second.holds("everything made up", &case.bed, true);
        // With the sealed detail of a true pruning beside it, which the copied commitment opens.
        raw.exec(&format!(
            "INSERT INTO audit_detail SELECT 22, salt, key_id, ciphertext FROM audit_detail WHERE idx = {SECOND_PRUNE}"
        ))
        .unwrap();
        let seen = with_details(&case.bed).failure.unwrap();
        assert_eq!((seen.place, seen.flaw), (Place::Record(22), Flaw::Detail), "{engine:?}: a copied detail");
        second.batch.judge();
    }
}
