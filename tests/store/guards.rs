//! What the database itself refuses, whoever asks without dropping its triggers first.

use crate::support::{Bed, Engine, Raw, engines};

/// Table, its key column, and a change that would alter one row.
const APPEND_ONLY: &[(&str, &str)] = &[
    ("fact", "words = NULL"),
    ("charter", "number = number + 1"),
    ("charter_signature", "signed_at = 0"),
    ("audit_leaf", "body = NULL"),
    ("audit_index", "decision = 'deny'"),
    ("audit_detail", "key_id = ''"),
    ("audit_checkpoint", "note = ''"),
    ("emergency", "at = 0"),
    ("access_review", "outcome = 'regular'"),
    ("audit_cosignature", "line = ''"),
    ("reidentification", "motive = 'authority'"),
    ("reidentification_step", "at = 0"),
    ("pruning", "last_idx = 9"),
    ("pruning_decision", "outcome = 'refused'"),
];

/// One row in every append-only table.
fn fill(bed: &Bed, raw: &mut Raw) {
    let (lane, thread) = bed.lane();
    let (pathway, organisation) = bed.pathway(&lane);
    bed.records(&lane, 2);
    bed.checkpoint();
    thread.stop();
    let blob = match bed.engine {
        Engine::Sqlite => "x'00'",
        #[cfg(feature = "postgres")]
        Engine::Postgres => "'\\x00'::bytea",
    };
    raw.all(&[
        &format!("INSERT INTO fact VALUES ('f', 1, '{pathway}', 'course', 1, 'a', {blob}, {blob})"),
        "INSERT INTO audit_cosignature VALUES (2, 'w', 1, 'line')",
        "INSERT INTO charter VALUES ('c', 1, 1, 1, 'p', 't', 'text', 'policy', NULL)",
        &format!("INSERT INTO charter_signature VALUES ('c', 'organisation', '{organisation}', 'a', 1, 't', 'p')"),
        "INSERT INTO professional (id, version, login_index, state, created_at, body) \
         VALUES ('p', 1, 'l', 'invited', 1, '')",
        "INSERT INTO professional (id, version, login_index, state, created_at, body) \
         VALUES ('p2', 1, 'l2', 'invited', 1, '')",
    ]
    .map(|s| if bed.engine == Engine::Sqlite { s.replace(", '')", ", x'')") } else { s.to_owned() })
    .iter()
    .map(String::as_str)
    .collect::<Vec<_>>());
    raw.all(&[
        &format!(
            "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, \
             secrecy_basis, starts_at, created_at) \
             VALUES ('a', 1, 'p', '{organisation}', 'm', 'teacher', 'practitioner', 'not_bound', '', 1, 1)"
        ),
        &format!(
            "INSERT INTO participation (id, version, pathway, assignment, mandate, role, existence, invited_at) \
             VALUES ('q', 1, '{pathway}', 'a', 'contractual', 'participant', 'open', 1)"
        ),
        &format!("INSERT INTO item VALUES ('i', 1, '{pathway}', 'item', 'leisure', '', 0, 'q', 'a', 1)"),
        &format!(
            "INSERT INTO item_version VALUES ('v', 'i', '{pathway}', 1, 'bound', 1, 1, NULL, {blob}, NULL)"
        ),
        &format!("INSERT INTO emergency VALUES ('e', '{pathway}', 1)"),
        &format!("INSERT INTO access_review VALUES ('r', 1, 'to_follow_up', 1, 'a', {blob})"),
        &format!(
            "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, \
             secrecy_basis, starts_at, created_at) \
             VALUES ('b', 1, 'p2', '{organisation}', 'm', 'auditor', 'practitioner', 'bound', '', 1, 1)"
        ),
        &format!("INSERT INTO reidentification VALUES ('n', 1, 'actor', 'data_breach', 1, 'a', {blob})"),
        &format!("INSERT INTO reidentification_step VALUES ('n', 1, 'confirmed', 1, 'b', {blob})"),
        &format!("INSERT INTO pruning VALUES ('u', 'technical', 1, 0, 0, 1, 1, 'a', {blob})"),
        &format!("INSERT INTO pruning_decision VALUES ('u', 'confirmed', 1, 'b', {blob})"),
    ]);
}

#[test]
fn append_only_tables_refuse_update_delete_replace_and_truncate() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let mut raw = bed.raw();
        fill(&bed, &mut raw);
        for (table, change) in APPEND_ONLY {
            let rows = raw.int(&format!("SELECT count(*) FROM {table}"));
            assert!(rows > 0, "{engine:?} {table} is empty");
            let mut attempts = vec![format!("UPDATE {table} SET {change}"), format!("DELETE FROM {table}")];
            match engine {
                Engine::Sqlite => {
                    attempts.push(format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"));
                    attempts.push(format!("UPDATE OR REPLACE {table} SET rowid = rowid + 1"));
                }
                #[cfg(feature = "postgres")]
                Engine::Postgres => {
                    attempts.push(format!("TRUNCATE {table} CASCADE"));
                    // Even where triggers are told to stay quiet.
                    attempts.push(format!("SET session_replication_role = replica; DELETE FROM {table}"));
                }
            }
            for sql in attempts {
                let refused = raw.exec(&sql).unwrap_err().to_string();
                // A table without a hidden number of rows has none to move a row by.
                let no_rowid = sql.contains("rowid") && refused.contains("no such column: rowid");
                assert!(no_rowid || refused.contains("append-only table"), "{engine:?} {sql}: {refused}");
            }
            assert_eq!(raw.int(&format!("SELECT count(*) FROM {table}")), rows, "{engine:?} {table}");
        }
        assert!(bed.verified(None).holds(), "{engine:?}");
    }
}

#[test]
fn replacing_is_stopped_even_without_recursive_triggers() {
    let bed = Bed::new(Engine::Sqlite);
    let mut raw = bed.raw();
    fill(&bed, &mut raw);
    raw.exec("PRAGMA recursive_triggers = OFF").unwrap();
    for (table, _) in APPEND_ONLY {
        assert!(
            raw.exec(&format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}")).is_err(),
            "{table}"
        );
    }
    assert!(bed.verified(None).holds());
}

#[test]
fn a_version_of_an_item_changes_only_by_its_erasure() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let mut raw = bed.raw();
        fill(&bed, &mut raw);
        for change in [
            "number = 2",
            "author_secrecy = 'not_bound'",
            "created_at = 2",
            "valid_from = 2",
            "id = 'w'",
            "body = NULL, erased_at = 5, number = 2",
        ] {
            assert!(raw.exec(&format!("UPDATE item_version SET {change}")).is_err(), "{engine:?} {change}");
        }
        assert!(raw.exec("DELETE FROM item_version").is_err(), "{engine:?}");
        assert!(
            raw.exec("UPDATE item_version SET body = NULL").is_err(),
            "{engine:?}: an erasure has a date"
        );
        raw.exec("UPDATE item_version SET body = NULL, erased_at = 5").unwrap();
        assert!(raw.exec("UPDATE item_version SET erased_at = 6").is_err(), "{engine:?}: once");
    }
}

#[test]
fn no_row_of_a_reidentification_is_made_by_one_person_alone_or_twice() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let mut raw = bed.raw();
        fill(&bed, &mut raw);
        let blob = match engine {
            Engine::Sqlite => "x'00'",
            #[cfg(feature = "postgres")]
            Engine::Postgres => "'\\x00'::bytea",
        };
        let mut row = |sql: &str| raw.exec(&format!("INSERT INTO {}", sql.replace("BLOB", blob)));
        let said = |refused: diesel::QueryResult<()>, what: &str| {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(what), "{engine:?}: {refused}");
        };
        // Read by somebody else than who asked; then once; then never again, nor decided again.
        let only = "only the asker reads";
        said(row("reidentification_step VALUES ('n', 2, 'read', 2, 'b', NULL)"), only);
        row("reidentification_step VALUES ('n', 2, 'read', 2, 'a', NULL)").unwrap();
        assert!(row("reidentification_step VALUES ('n', 2, 'read', 3, 'a', NULL)").is_err(), "{engine:?}");
        assert!(row("reidentification_step VALUES ('n', 1, 'refused', 3, 'b', BLOB)").is_err(), "{engine:?}");
        // Decided by who asked, or read without a confirmation.
        row("reidentification VALUES ('m', 1, 'actor', 'data_breach', 1, 'a', BLOB)").unwrap();
        let second = "decided by a second person";
        said(row("reidentification_step VALUES ('m', 1, 'confirmed', 1, 'a', BLOB)"), second);
        said(row("reidentification_step VALUES ('m', 2, 'read', 2, 'a', NULL)"), only);
        row("reidentification_step VALUES ('m', 1, 'refused', 1, 'b', BLOB)").unwrap();
        said(row("reidentification_step VALUES ('m', 2, 'read', 2, 'a', NULL)"), only);
        assert!(row("reidentification_step VALUES ('m', 3, 'read', 2, 'a', NULL)").is_err(), "{engine:?}");
    }
}

#[test]
fn nobody_recognises_or_confirms_themselves_in_any_row() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let mut raw = bed.raw();
        fill(&bed, &mut raw);
        assert!(raw.exec("UPDATE professional SET recognised_by = id").is_err(), "{engine:?}");
        assert!(raw.exec("UPDATE assignment SET stated_by = 'x', confirmed_by = 'x'").is_err(), "{engine:?}");
    }
}
