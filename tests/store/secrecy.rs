//! Data at rest: nothing in clear, nothing that can be swapped, nothing left of a destroyed key.

use relais::crypto::SystemChance;
use relais::crypto::keyring::KeyOwner;
use relais::ids::{AssignmentId, NoteId};
use relais::store::StoreError;
use relais::store::fact::{FactKind, Pen, RowAt};
use relais::store::item::NewNote;
use serde_json::{Value, json};

use crate::support::{Bed, Engine, engines};

fn count(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).filter(|w| *w == needle).count()
}

#[test]
fn no_word_is_in_clear_in_the_file_its_log_or_its_memory() {
    let bed = Bed::new(Engine::Sqlite);
    let (lane, thread) = bed.lane();
    let (pathway, _) = bed.pathway(&lane);
    let chance = SystemChance::new();
    let key = bed.key(&pathway);
    let by = AssignmentId::random(&chance).unwrap();
    let now = relais::clock::Clock::now(bed.clock.as_ref());
    let facts = json!({"born": "CANARI-2010-03-04"});
    let words = json!({"name": "CANARI-Léa", "phone": "CANARI-0601020304"});
    for (n, kind) in FactKind::ALL.iter().enumerate() {
        let id = format!("fact-{n}");
        let fact = Pen { key: &key, chance: &chance, pathway: &pathway, at: now, by: &by }
            .with_words(RowAt::first(*kind, &id), &facts, Some(&words))
            .unwrap();
        bed.write(&lane, move |tx, _| tx.fact_insert(&fact)).unwrap();
    }
    thread.stop();
    let bytes = bed.bytes();
    assert!(count(&bytes, b"fact-3") > 0, "the rows are there");
    assert_eq!(count(&bytes, b"CANARI"), 0);
    // And not as text in another form either.
    for other in [data_encoding::BASE64.encode(b"CANARI"), data_encoding::HEXLOWER.encode(b"CANARI")] {
        assert_eq!(count(&bytes, other.as_bytes()), 0);
    }
    let mut snapshot = bed.store.snapshot().unwrap();
    let read = snapshot.facts_of::<Value>(&key, &pathway, FactKind::Person).unwrap();
    assert_eq!(read[0].facts, facts, "and it reads back");
}

#[test]
fn a_ciphertext_moved_to_another_row_column_or_version_does_not_open() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        let (pathway, _) = bed.pathway(&lane);
        let (elsewhere, _) = bed.pathway(&lane);
        let chance = SystemChance::new();
        let key = bed.key(&pathway);
        let by = AssignmentId::random(&chance).unwrap();
        let now = relais::clock::Clock::now(bed.clock.as_ref());
        let seal = |id: &str, version, kind| {
            Pen { key: &key, chance: &chance, pathway: &pathway, at: now, by: &by }
                .with_words(RowAt::at(kind, id, version), &json!({"of": id}), Some(&json!("w")))
                .unwrap()
        };
        for (id, version, kind) in [
            ("a", 1, FactKind::Holder),
            ("b", 1, FactKind::Holder),
            ("c", 1, FactKind::Course),
            ("c", 2, FactKind::Course),
        ] {
            let fact = seal(id, version, kind);
            bed.write(&lane, move |tx, _| tx.fact_insert(&fact)).unwrap();
        }
        let reads = |kind| bed.store.snapshot().unwrap().facts_of::<Value>(&key, &pathway, kind);
        assert_eq!(reads(FactKind::Holder).unwrap().len(), 2);
        let mut raw = bed.raw();
        match engine {
            Engine::Sqlite => raw.exec("DROP TRIGGER fact_no_update").unwrap(),
            #[cfg(feature = "postgres")]
            Engine::Postgres => raw.exec("ALTER TABLE fact DISABLE TRIGGER ALL").unwrap(),
        }
        let spoiled = |raw: &mut crate::support::Raw, sql: &str, kind, undo: &str| {
            raw.exec(sql).unwrap();
            let refused = reads(kind);
            assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{engine:?} {sql}");
            raw.exec(undo).unwrap();
        };
        raw.exec("CREATE TABLE kept AS SELECT * FROM fact").unwrap();
        let undo = "UPDATE fact SET facts = (SELECT k.facts FROM kept k WHERE k.id = fact.id AND k.version = fact.version)";
        let from = |id: &str, version: i64, column: &str| {
            format!("(SELECT {column} FROM kept WHERE id = '{id}' AND version = {version})")
        };
        let cases = [
            (format!("UPDATE fact SET facts = {} WHERE id = 'a'", from("b", 1, "facts")), FactKind::Holder),
            (format!("UPDATE fact SET facts = {} WHERE id = 'a'", from("a", 1, "words")), FactKind::Holder),
            (
                format!("UPDATE fact SET facts = {} WHERE id = 'c' AND version = 2", from("c", 1, "facts")),
                FactKind::Course,
            ),
        ];
        for (sql, kind) in cases {
            spoiled(&mut raw, &sql, kind, undo);
        }
        assert!(reads(FactKind::Holder).is_ok());
        // THREAT: one pathway is given the wrapped key of another.
        raw.exec(&format!(
            "UPDATE data_key SET wrapped = (SELECT k.wrapped FROM data_key k WHERE k.owner = 'pathway:{elsewhere}') WHERE owner = 'pathway:{pathway}'"
        ))
        .unwrap();
        let stolen = bed.store.snapshot().unwrap().key_of(&KeyOwner::Pathway(pathway.clone()));
        assert!(matches!(stolen, Err(StoreError::Keyring(_))), "{engine:?}");
        thread.stop();
    }
}

#[test]
fn a_note_is_sealed_for_its_version_and_erased_with_its_pathway() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        let (pathway, organisation) = bed.pathway(&lane);
        let chance = SystemChance::new();
        let id = NoteId::random(&chance).unwrap();
        let author = AssignmentId::random(&chance).unwrap();
        let blob = if engine == Engine::Sqlite { "x''" } else { "''" };
        bed.raw().all(&[
            &format!("INSERT INTO professional (id, version, login_index, state, created_at, body) VALUES ('p', 1, 'l', 'confirmed', 1, {blob})"),
            &format!(
                "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, secrecy_basis, starts_at, created_at) \
                 VALUES ('{author}', 1, 'p', '{organisation}', 'm', 'teacher', 'practitioner', 'not_bound', '', 1, 1)"
            ),
        ]);
        let now = relais::clock::Clock::now(bed.clock.as_ref());
        for version in [1, 2] {
            let note =
                NewNote::seal(&bed.key(&pathway), &chance, &id, version, &pathway, &author, now, "CANARI")
                    .unwrap();
            bed.write(&lane, move |tx, _| tx.note_put(&note)).unwrap();
        }
        assert_eq!(bed.raw().int("SELECT version FROM note"), 2, "{engine:?}");
        let owner = KeyOwner::Pathway(pathway.clone());
        bed.write(&lane, move |tx, at| tx.key_destroy(&owner, at)).unwrap();
        let gone = bed.store.snapshot().unwrap().key_of(&KeyOwner::Pathway(pathway.clone()));
        assert!(matches!(gone, Err(StoreError::KeyDestroyed)), "{engine:?}");
        let facts = bed.store.snapshot().unwrap().pathway_facts(&pathway).map(|f| f.is_some());
        assert!(matches!(facts, Err(StoreError::KeyDestroyed)), "{engine:?}");
        let owner = KeyOwner::Pathway(pathway);
        let twice = bed.write(&lane, move |tx, at| tx.key_destroy(&owner, at));
        assert!(twice.is_err(), "{engine:?}: there is nothing left to destroy");
        thread.stop();
    }
}

#[test]
fn nothing_is_left_of_a_destroyed_key_in_file_or_write_ahead_log() {
    let bed = Bed::new(Engine::Sqlite);
    let (lane, thread) = bed.lane();
    let (pathway, _) = bed.pathway(&lane);
    let owner = KeyOwner::Pathway(pathway);
    let wrapped = bed.store.snapshot().unwrap().wrapped_key(&owner).unwrap().unwrap().wrapped;
    bed.records(&lane, 5);
    assert!(count(&bed.bytes(), &wrapped) > 0, "it is there before");
    bed.write(&lane, move |tx, at| tx.key_destroy(&owner, at)).unwrap();
    bed.store.forget_destroyed().unwrap();
    assert_eq!(count(&bed.bytes(), &wrapped), 0);
    assert_eq!(count(&bed.bytes(), &wrapped[8..24]), 0, "nor a part of it");
    thread.stop();
    assert!(bed.verified(None).holds());
}
