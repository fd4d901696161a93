//! Data changed behind the log, with the rights of the database's owner: the record and the row are named.

use relais::audit::lane::{Lane, Priority};
use relais::audit::{Job, PseudonymKey, Record};
use relais::clock::Clock;
use relais::crypto::SystemChance;
use relais::crypto::hash::Digest;
use relais::domain::item::ActionContent;
use relais::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, RowRef, Verdict};
use relais::domain::vocabulary::{Category, Secrecy};
use relais::ids::{AssignmentId, ItemId, ItemVersionId, NoteId, ParticipationId, PathwayId, RequestId};
use relais::store::WriteTx;
use relais::store::fact::{FactKind, NewFact};
use relais::store::image::{row_image, write_digest};
use relais::store::item::{NewItem, NewNote, NewVersion, Words};
use relais::store::reconcile::{Discord, Divergence, Reconciled};
use serde_json::json;

use crate::attacks::unguard;
use crate::support::{Bed, Engine, Raw, Under, engines};

/// A pathway with one of each kind of row that carries words, each written with its record.
struct Content {
    bed: Bed,
    pathway: PathwayId,
    item: ItemId,
    version: ItemVersionId,
    note: NoteId,
    /// The record that wrote the item and its first version.
    written: i64,
}

/// A record that says which rows it wrote, and what they were.
fn record(bed: &Bed, pathway: &PathwayId, action: Action, rows: &[(RowRef, Option<Digest>)]) -> Record {
    let chance = SystemChance::new();
    let mut draft = RecordDraft::new(
        RequestId::random(&chance).unwrap(),
        RetentionClass::Disclosure,
        action,
        ResourceKind::Item,
        Verdict::Permit,
    );
    let mut rows = rows.to_vec();
    rows.sort();
    draft.pathway = Some(pathway.clone());
    draft.written = rows.iter().map(|(row, _)| row.clone()).collect();
    draft.write_digest = write_digest(rows.iter().filter_map(|(_, image)| image.as_ref()));
    let key = PseudonymKey::new(RetentionClass::Disclosure, 2027, zeroize::Zeroizing::new([9; 32]));
    Record::prepare(&draft, &key, &Under(&bed.key(pathway)), &chance).unwrap()
}

fn writes(
    bed: &Bed,
    lane: &Lane<WriteTx>,
    pathway: &PathwayId,
    rows: &[(RowRef, Option<Digest>)],
    step: impl FnOnce(&mut WriteTx) -> Result<(), relais::store::StoreError> + Send + 'static,
) {
    let job = Job::new(record(bed, pathway, Action::Create, rows));
    lane.submit(Priority::Session, job, move |tx, _| step(tx)).wait().unwrap();
}

impl Content {
    fn new(engine: Engine) -> Self {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        let (pathway, organisation) = bed.pathway(&lane);
        let chance = SystemChance::new();
        let (key, now) = (bed.key(&pathway), bed.clock.now());
        let by = AssignmentId::random(&chance).unwrap();
        let place = ParticipationId::random(&chance).unwrap();
        let blob = if engine == Engine::Sqlite { "x''" } else { "''" };
        bed.raw().all(&[
            &format!("INSERT INTO professional (id, version, login_index, state, created_at, body) VALUES ('p', 1, 'l', 'confirmed', 1, {blob})"),
            &format!(
                "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, secrecy_basis, starts_at, created_at) \
                 VALUES ('{by}', 1, 'p', '{organisation}', 'm', 'teacher', 'practitioner', 'not_bound', '', 1, 1)"
            ),
            &format!(
                "INSERT INTO participation (id, version, pathway, assignment, mandate, role, existence, invited_at) \
                 VALUES ('{place}', 1, '{pathway}', '{by}', 'contractual', 'participant', 'open', 1)"
            ),
        ]);
        for (id, version) in [("a", 1), ("a", 2), ("b", 1)] {
            let fact = NewFact::seal(
                &key,
                &chance,
                &pathway,
                FactKind::Course,
                id,
                version,
                now,
                &by,
                &json!({"of": id, "at": version}),
                Some(&json!("words")),
            )
            .unwrap();
            let rows = [(fact.row_ref(), Some(fact.image()))];
            writes(&bed, &lane, &pathway, &rows, move |tx| tx.fact_insert(&fact));
        }
        let item = ItemId::random(&chance).unwrap();
        let version = ItemVersionId::random(&chance).unwrap();
        let row = NewItem {
            id: item.clone(),
            pathway: pathway.clone(),
            kind: relais::access::facts::ItemKind::Action,
            category: Category::HealthMinimal,
            subjects: Vec::new(),
            for_stay: false,
            author: place.clone(),
            author_assignment: by.clone(),
            created_at: now,
        };
        let words = Words::Action(ActionContent {
            what: relais::domain::text::Text::parse("Appeler le club").unwrap(),
            by_when: relais::domain::day::Day::new(now.paris_day()).unwrap(),
            who: place,
        });
        let sealed =
            NewVersion::seal(&key, &chance, &version, &item, &pathway, 1, Secrecy::Bound, now, None, &words)
                .unwrap();
        let written = bed.raw().int("SELECT size FROM audit_head");
        let rows = [(row.row_ref(), Some(row.image())), (sealed.row_ref(), Some(sealed.image()))];
        writes(&bed, &lane, &pathway, &rows, move |tx| {
            tx.item_insert(&row)?;
            tx.item_version_insert(&sealed)
        });
        let note = NoteId::random(&chance).unwrap();
        for version in [1, 2] {
            let text =
                NewNote::seal(&key, &chance, &note, version, &pathway, &by, now, "À rappeler").unwrap();
            let row = RowRef { table: "note", id: note.as_str().to_owned(), version };
            let image = row_image(&row, &[text.ciphertext()]);
            writes(&bed, &lane, &pathway, &[(row, Some(image))], move |tx| tx.note_put(&text));
        }
        thread.stop();
        Self { bed, pathway, item, version, note, written }
    }

    /// What does not agree, but for the rows that this file made by hand.
    fn compared(&self) -> (Reconciled, Vec<Divergence>) {
        let mut found = Vec::new();
        let sum = self.bed.store.log_file().unwrap().reconcile(&mut |d| found.push(d), &mut |_| {}).unwrap();
        let by_hand = ["assignment", "organisation", "participation", "pathway", "professional"];
        found.retain(|d| d.record.is_some() || d.rows.iter().any(|row| !by_hand.contains(&row.table)));
        (sum, found)
    }
}

fn free(raw: &mut Raw) {
    unguard(raw);
    #[cfg(feature = "postgres")]
    if let Raw::Postgres(_) = raw {
        for table in ["fact", "item", "item_version", "note"] {
            raw.exec(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).unwrap();
        }
    }
}

const TABLES: [&str; 5] = ["audit_detail", "note", "item_version", "item", "fact"];

#[test]
fn data_changed_behind_the_log_is_named_with_its_record_and_row() {
    for engine in engines() {
        let c = Content::new(engine);
        let (sum, found) = c.compared();
        assert!(found.is_empty(), "{engine:?}: {found:?}");
        // Three facts, the item with its version, and the note's latest text; its first was replaced.
        assert_eq!((sum.digests, sum.replaced, sum.erased), (5, 1, 0), "{engine:?} {sum:?}");
        let mut raw = c.bed.raw();
        free(&mut raw);
        for table in TABLES {
            raw.exec(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).unwrap();
        }
        let (item, version, note, pathway) = (&c.item, &c.version, &c.note, &c.pathway);
        let wrote = Some(u64::try_from(c.written).unwrap());
        // (statement, what is said, the record where it is known, the one row where it is told apart)
        let attacks: Vec<(String, Discord, Option<u64>, Option<&str>)> = vec![
            (
                "UPDATE fact SET facts = (SELECT k.facts FROM kept_fact k WHERE k.id = 'b') WHERE id = 'a' AND version = 2".to_owned(),
                Discord::RowChanged,
                None,
                Some("a"),
            ),
            ("UPDATE fact SET by_assignment = 'x' WHERE id = 'b'".to_owned(), Discord::RowChanged, None, Some("b")),
            ("UPDATE fact SET kind = 'share' WHERE id = 'b'".to_owned(), Discord::RowChanged, None, Some("b")),
            ("UPDATE fact SET words = NULL WHERE id = 'b'".to_owned(), Discord::RowChanged, None, Some("b")),
            (
                format!("UPDATE item SET category = 'leisure' WHERE id = '{item}'"),
                Discord::RowChanged,
                wrote,
                None,
            ),
            (format!("UPDATE item SET created_at = 7 WHERE id = '{item}'"), Discord::RowChanged, wrote, None),
            (
                format!("UPDATE item_version SET author_secrecy = 'not_bound' WHERE id = '{version}'"),
                Discord::RowChanged,
                wrote,
                None,
            ),
            (
                format!("UPDATE item_version SET body = (SELECT k.body FROM kept_note k) WHERE id = '{version}'"),
                Discord::RowChanged,
                wrote,
                Some(version.as_str()),
            ),
            (
                format!("UPDATE item_version SET body = NULL, erased_at = 5 WHERE id = '{version}'"),
                Discord::RowMissing,
                wrote,
                Some(version.as_str()),
            ),
            (
                format!("UPDATE note SET body = (SELECT k.facts FROM kept_fact k WHERE k.id = 'b') WHERE id = '{note}'"),
                Discord::RowChanged,
                None,
                Some(note.as_str()),
            ),
            ("DELETE FROM fact WHERE id = 'a' AND version = 1".to_owned(), Discord::RowMissing, None, Some("a")),
            (
                "INSERT INTO fact SELECT 'c', 1, pathway, kind, at, by_assignment, facts, words FROM kept_fact WHERE id = 'b'".to_owned(),
                Discord::RowUnknown,
                None,
                Some("c"),
            ),
            (
                format!("INSERT INTO item SELECT 'i', 1, '{pathway}', kind, category, subjects, for_stay, author, author_assignment, created_at FROM kept_item"),
                Discord::RowUnknown,
                None,
                Some("i"),
            ),
            (
                format!("DELETE FROM audit_detail WHERE idx = {}", c.written),
                Discord::DetailMissing,
                wrote,
                None,
            ),
            (
                format!("UPDATE audit_detail SET ciphertext = salt WHERE idx = {}", c.written),
                Discord::DetailChanged,
                wrote,
                None,
            ),
        ];
        for (sql, discord, record, row) in attacks {
            raw.exec(&sql).unwrap_or_else(|e| panic!("{engine:?} {sql}: {e}"));
            let (_, found) = c.compared();
            let named = found.iter().find(|d| d.discord == discord).unwrap_or_else(|| {
                panic!("{engine:?}: {sql} is not seen: {found:?}");
            });
            assert!(record.is_none() || named.record == record, "{engine:?} {sql}: {named}");
            if let Some(id) = row {
                assert!(named.rows.len() == 1 && named.rows[0].id == id, "{engine:?} {sql}: {named}");
            } else if discord == Discord::RowChanged {
                assert_eq!(named.rows.len(), 2, "{engine:?} {sql}: every row that the record wrote");
            }
            for table in TABLES {
                raw.exec(&format!("DELETE FROM {table}")).unwrap();
            }
            for table in TABLES.iter().rev() {
                raw.exec(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).unwrap();
            }
            assert!(c.compared().1.is_empty(), "{engine:?}: restored after {sql}");
        }
    }
}

#[test]
fn what_the_log_says_was_erased_is_no_loss_and_a_destroyed_key_closes_its_pathway() {
    for engine in engines() {
        let c = Content::new(engine);
        let (lane, thread) = c.bed.lane();
        let row = RowRef { table: "item_version", id: c.version.as_str().to_owned(), version: 1 };
        let job = Job::new(record(&c.bed, &c.pathway, Action::Erase, &[(row, None)]));
        let (pathway, version) = (c.pathway.clone(), c.version.clone());
        let erase =
            move |tx: &mut WriteTx, at| tx.item_versions_erase(&pathway, std::slice::from_ref(&version), at);
        lane.submit(Priority::Session, job, erase).wait().unwrap();
        let (sum, found) = c.compared();
        assert!(found.is_empty(), "{engine:?}: {found:?}");
        assert_eq!((sum.erased, sum.digests), (1, 4), "{engine:?}");
        let owner = relais::crypto::keyring::KeyOwner::Pathway(c.pathway.clone());
        c.bed.write(&lane, move |tx, at| tx.key_destroy(&owner, at)).unwrap();
        let (sum, found) = c.compared();
        assert!(found.is_empty(), "{engine:?}: {found:?}");
        assert!(sum.closed > 0 && sum.digests == 0, "{engine:?} {sum:?}");
        thread.stop();
    }
}

#[test]
fn an_account_an_affectation_or_a_place_that_nobody_made_is_named() {
    for engine in engines() {
        // All of them were made by hand here, without any record.
        let c = Content::new(engine);
        let mut found = Vec::new();
        c.bed.store.log_file().unwrap().reconcile(&mut |d| found.push(d), &mut |_| {}).unwrap();
        let mut tables: Vec<&str> = found
            .iter()
            .filter(|d| d.discord == Discord::RowUnknown)
            .flat_map(|d| d.rows.iter().map(|r| r.table))
            .collect();
        tables.sort_unstable();
        assert_eq!(
            tables,
            ["assignment", "organisation", "participation", "pathway", "professional"],
            "{engine:?}"
        );
    }
}
