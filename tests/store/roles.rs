//! PostgreSQL's second net: what each role may do, asked of the database itself.

use crate::support::{Bed, Engine, engines};

fn beds() -> Vec<Bed> {
    engines().into_iter().filter(|e| *e == Engine::Postgres).map(Bed::new).collect()
}

/// Two pathways with a fact, an item's version and a note each; `a1` takes part in the first, `a2` in the second;
/// `m1` manages the organisation of `a1`; `gone` has left the first.
fn territory(bed: &Bed) -> (String, String) {
    let (lane, thread) = bed.lane();
    let (one, org) = bed.pathway(&lane);
    let (two, _) = bed.pathway(&lane);
    bed.records(&lane, 1);
    thread.stop();
    let mut raw = bed.raw();
    raw.exec("INSERT INTO professional (id, version, login_index, state, created_at, body) VALUES ('p', 1, 'l', 'confirmed', 1, '')")
        .unwrap();
    for (id, function) in
        [("a1", "practitioner"), ("a2", "practitioner"), ("m1", "manager"), ("gone", "practitioner")]
    {
        raw.exec(&format!(
            "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, secrecy_basis, starts_at, created_at) \
             VALUES ('{id}', 1, 'p', '{org}', 'm', 'teacher', '{function}', 'not_bound', '', 1, 1)"
        ))
        .unwrap();
    }
    // The second pathway is another organisation's, so that the manager has no part in it.
    for (pathway, assignment, ended) in [(&one, "a1", "NULL"), (&one, "gone", "5")] {
        raw.exec(&format!(
            "INSERT INTO participation (id, version, pathway, assignment, mandate, role, existence, invited_at, ended_at) \
             VALUES ('q-{assignment}', 1, '{pathway}', '{assignment}', 'contractual', 'participant', 'open', 1, {ended})"
        ))
        .unwrap();
    }
    for (pathway, author) in [(&one, "a1"), (&two, "a2")] {
        raw.all(&[
            &format!("INSERT INTO fact VALUES ('f-{author}', 1, '{pathway}', 'course', 1, 'a', '\\x01', '\\x02')"),
            &format!("INSERT INTO item VALUES ('i-{author}', 1, '{pathway}', 'item', 'leisure', '', 0, 'q-a1', 'a1', 1)"),
            &format!("INSERT INTO item_version VALUES ('v-{author}', 'i-{author}', '{pathway}', 1, 'bound', 1, 1, NULL, '\\x03', NULL)"),
            &format!("INSERT INTO note VALUES ('n-{author}', 1, '{pathway}', '{author}', 1, '\\x04')"),
        ]);
    }
    (one.to_string(), two.to_string())
}

#[test]
fn a_request_sees_the_content_of_its_own_pathways_only() {
    for bed in beds() {
        territory(&bed);
        let mut raw = bed.raw();
        let mut seen = |assignment: &str| {
            raw.all(&[
                "BEGIN",
                "SET LOCAL ROLE relais_reader",
                &format!("SELECT set_config('relais.assignment', '{assignment}', true)"),
            ]);
            let ids = |raw: &mut crate::support::Raw, table: &str| {
                raw.text(&format!("SELECT coalesce(string_agg(id, ' ' ORDER BY id), '') FROM {table}"))
            };
            let found = (ids(&mut raw, "fact"), ids(&mut raw, "item_version"), ids(&mut raw, "note"));
            raw.exec("ROLLBACK").unwrap();
            found
        };
        let of = |f: &str, v: &str, n: &str| (f.to_owned(), v.to_owned(), n.to_owned());
        assert_eq!(seen("a1"), of("f-a1", "v-a1", "n-a1"));
        assert_eq!(seen("a2"), of("", "", "n-a2"), "no place, but the own note");
        assert_eq!(seen("m1"), of("f-a1", "", ""), "motives and signatures, no item");
        assert_eq!(seen("gone"), of("", "", ""), "an ended place");
        assert_eq!(seen("x"), of("", "", ""));
        assert_eq!(seen(""), of("", "", ""), "nobody");
        // Without any setting at all.
        raw.exec("SET ROLE relais_reader").unwrap();
        assert_eq!(raw.int("SELECT count(*) FROM fact"), 0);
        assert!(raw.exec("INSERT INTO instance VALUES ('x', 'y')").is_err(), "a reader writes nothing");
    }
}

#[test]
fn s13_an_officer_sees_the_facts_of_pathways_with_an_opening_and_no_item() {
    for bed in beds() {
        let (one, _) = territory(&bed);
        let mut raw = bed.raw();
        for (id, profession, ends) in [
            ("officer", "data_protection_officer", "NULL"),
            ("officer_gone", "data_protection_officer", "5"),
            ("auditor", "auditor", "NULL"),
        ] {
            raw.exec(&format!(
                "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, secrecy_basis, starts_at, ends_at, created_at) \
                 SELECT '{id}', 1, 'p', organisation, 'm', '{profession}', 'practitioner', 'bound', '', 1, {ends}, 1 FROM assignment WHERE id = 'a1'"
            ))
            .unwrap();
        }
        let mut seen = |assignment: &str| {
            raw.all(&[
                "BEGIN",
                "SET LOCAL ROLE relais_reader",
                &format!("SELECT set_config('relais.assignment', '{assignment}', true)"),
            ]);
            let count = |raw: &mut crate::support::Raw, table: &str| {
                raw.int(&format!("SELECT count(*) FROM {table}"))
            };
            let found = (count(&mut raw, "fact"), count(&mut raw, "item_version"), count(&mut raw, "note"));
            raw.exec("ROLLBACK").unwrap();
            found
        };
        assert_eq!(seen("officer"), (0, 0, 0), "nothing was opened");
        bed.raw().exec(&format!("INSERT INTO emergency VALUES ('e', '{one}', 1)")).unwrap();
        assert_eq!(seen("officer"), (1, 0, 0));
        for other in ["officer_gone", "auditor", "a2"] {
            assert_eq!(seen(other).0, 0, "{other}");
        }
    }
}

#[test]
fn the_lane_writes_but_reads_no_ciphertext_and_rewrites_no_record() {
    for bed in beds() {
        territory(&bed);
        let mut raw = bed.raw();
        raw.exec("SET ROLE relais_lane").unwrap();
        assert_eq!(raw.int("SELECT count(*) FROM (SELECT id, version FROM fact) f"), 2);
        for refused in [
            "SELECT facts FROM fact",
            "SELECT words FROM fact",
            "SELECT * FROM fact",
            "SELECT body FROM item_version",
            "SELECT body FROM note",
            "SELECT ciphertext FROM audit_detail",
            "SELECT body FROM audit_leaf",
            "SELECT reason FROM reidentification",
            "SELECT remark FROM reidentification_step",
            "DELETE FROM reidentification_step",
            "UPDATE fact SET words = NULL",
            "DELETE FROM fact",
            "UPDATE audit_leaf SET body = NULL",
            "DELETE FROM audit_index",
            "UPDATE audit_detail SET salt = ''",
            "UPDATE audit_checkpoint SET note = ''",
            "TRUNCATE audit_leaf",
            "TRUNCATE instance",
            "DELETE FROM audit_head",
            "DELETE FROM data_key",
            "UPDATE charter SET number = 2",
            "DROP TABLE note",
            "ALTER TABLE fact DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE audit_leaf DISABLE TRIGGER ALL",
        ] {
            let error = raw.exec(refused).expect_err(refused).to_string();
            assert!(
                error.contains("permission denied") || error.contains("must be owner"),
                "{refused}: {error}"
            );
        }
    }
}

#[test]
fn the_server_and_the_auditor_have_their_own_limits() {
    for bed in beds() {
        territory(&bed);
        let mut raw = bed.raw();
        raw.exec("SET ROLE relais_auditor").unwrap();
        assert!(raw.int("SELECT count(body) FROM audit_leaf") > 0);
        for refused in [
            "SELECT ciphertext FROM audit_detail",
            "SELECT 1 FROM fact",
            "SELECT 1 FROM data_key",
            "DELETE FROM audit_leaf",
        ] {
            assert!(raw.exec(refused).is_err(), "auditor: {refused}");
        }
        raw.exec("RESET ROLE; SET ROLE relais_app").unwrap();
        assert_eq!(raw.int("SELECT count(*) FROM fact"), 2, "jobs act for nobody and read as the server");
        for table in ["audit_leaf", "audit_index", "audit_detail", "audit_checkpoint"] {
            for verb in [
                format!(
                    "UPDATE {table} SET {}",
                    if table == "audit_checkpoint" { "size = 1" } else { "idx = 1" }
                ),
                format!("DELETE FROM {table}"),
                format!("TRUNCATE {table}"),
            ] {
                let error = raw.exec(&verb).expect_err(&verb).to_string();
                assert!(error.contains("permission denied"), "{verb}: {error}");
            }
        }
        assert_eq!(
            raw.int("SELECT count(*) FROM pg_class WHERE relname IN ('fact', 'note', 'item_version') AND relrowsecurity AND relforcerowsecurity"),
            3
        );
    }
}

#[test]
fn the_server_runs_under_a_login_that_owns_nothing() {
    for bed in beds() {
        let store = bed.as_server(bed.store.keyring().clone());
        let clock: std::sync::Arc<dyn relais::clock::Clock> = bed.clock.clone();
        let (lane, thread) =
            relais::audit::Lane::start(store.backend().unwrap(), clock, Default::default()).unwrap();
        let (pathway, _) = bed.pathway(&lane);
        bed.records(&lane, 3);
        bed.write(&lane, move |tx, _| tx.pathway_touch(&pathway)).unwrap();
        thread.stop();
        store.checkpoint_keep(0, "x").unwrap();
        assert_eq!(store.snapshot().unwrap().log_frontier().unwrap().size(), 5);
    }
}

#[test]
fn the_lane_waits_for_the_disk_whatever_the_server_is_set_to() {
    for bed in beds() {
        let mut raw = bed.raw();
        let database = raw.text("current_database()::text");
        raw.all(&[
            &format!("ALTER DATABASE {database} SET synchronous_commit = off"),
            "CREATE FUNCTION durable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF current_setting('synchronous_commit') <> 'on' THEN RAISE EXCEPTION 'not durable'; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER durable BEFORE INSERT ON instance FOR EACH ROW EXECUTE FUNCTION durable()",
        ]);
        // A session of the owner inherits the server's setting, and the trigger sees it.
        assert!(bed.raw().exec("INSERT INTO instance VALUES ('owner', 'x')").is_err());
        let (lane, thread) = bed.lane();
        bed.write(&lane, |tx, _| tx.instance_set("lane", "x")).unwrap();
        thread.stop();
    }
}
