//! Data changed behind the log, with the rights of the database's owner: the record and the row are named.

use relais::audit::lane::{Lane, Priority};
use relais::audit::{Job, PseudonymKey, Record};
use relais::clock::Clock;
use relais::crypto::SystemChance;
use relais::crypto::hash::Digest;
use relais::domain::item::ActionContent;
use relais::domain::record::{
    Action, RecordDraft, ResourceKind, RetentionClass, ReviewOutcome, RowRef, Verdict,
};
use relais::domain::reidentification::{PseudonymOf, ReidentificationMotive, SecondOpinion};
use relais::domain::vocabulary::{Category, Secrecy};
use relais::ids::{
    AssignmentId, ItemId, ItemVersionId, NoteId, ParticipationId, PathwayId, ReidentificationId, RequestId,
};
use relais::store::WriteTx;
use relais::store::fact::{FactKind, Pen, RowAt};
use relais::store::image::{row_image, write_digest};
use relais::store::item::{NewItem, NewNote, NewVersion, Words};
use relais::store::reconcile::{Discord, Divergence, Reconciled};
use relais::store::reidentification::{NewReidentification, NewStep};
use relais::store::review::NewAccessReview;
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
            let fact = Pen { key: &key, chance: &chance, pathway: &pathway, at: now, by: &by }
                .with_words(
                    RowAt::at(FactKind::Course, id, version),
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
        for table in ["fact", "item", "item_version", "note"].iter().chain(&AUDITED) {
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

/// What auditors and second persons write.
const AUDITED: [&str; 3] = ["access_review", "reidentification", "reidentification_step"];

impl Content {
    /// A look at a record, a request that was refused, and one that was confirmed and read.
    fn audited(&self) -> [ReidentificationId; 2] {
        let (lane, thread) = self.bed.lane();
        let chance = SystemChance::new();
        let (key, now) = (self.bed.store.instance_key(), self.bed.clock.now());
        let [auditor, officer] = [(); 2].map(|()| AssignmentId::random(&chance).unwrap());
        let mut raw = self.bed.raw();
        let blob = if matches!(raw, Raw::Sqlite(_)) { "x''" } else { "''" };
        for (person, assignment) in [("auditor", &auditor), ("officer", &officer)] {
            raw.all(&[
                &format!("INSERT INTO professional (id, version, login_index, state, created_at, body) VALUES ('{person}', 1, '{person}', 'confirmed', 1, {blob})"),
                &format!(
                    "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, secrecy_basis, starts_at, created_at) \
                     SELECT '{assignment}', 1, '{person}', id, 'm', 'auditor', 'practitioner', 'bound', '', 1, 1 FROM organisation"
                ),
            ]);
        }
        let look = NewAccessReview::seal(
            key,
            &chance,
            3,
            ReviewOutcome::Irregular,
            (now, auditor.clone()),
            Some("Nuit."),
        )
        .unwrap();
        let rows = [(look.row_ref(), Some(look.image()))];
        writes(&self.bed, &lane, &self.pathway, &rows, move |tx| tx.access_review_insert(&look));
        let requests = [SecondOpinion::Refused, SecondOpinion::Confirmed].map(|outcome| {
            let asked = NewReidentification::seal(
                key,
                &chance,
                (3, PseudonymOf::Actor),
                (ReidentificationMotive::DataBreach, "Une fuite."),
                (now, auditor.clone()),
            )
            .unwrap();
            let id = asked.id.clone();
            let rows = [(asked.row_ref(), Some(asked.image()))];
            writes(&self.bed, &lane, &self.pathway, &rows, move |tx| tx.reidentification_insert(&asked));
            let mut steps =
                vec![NewStep::decision(key, &chance, &id, (outcome, "Vu."), (now, officer.clone())).unwrap()];
            if outcome == SecondOpinion::Confirmed {
                steps.push(NewStep::reading(&id, now, &auditor));
            }
            for step in steps {
                let rows = [(step.row_ref(), Some(step.image()))];
                writes(&self.bed, &lane, &self.pathway, &rows, move |tx| tx.reidentification_step(&step));
            }
            id
        });
        thread.stop();
        requests
    }
}

/// Whether the program itself still reads the requests and the looks, with the instance's key.
fn read_back(c: &Content) -> Result<(), relais::store::StoreError> {
    let mut snapshot = c.bed.store.snapshot().unwrap();
    let key = c.bed.store.instance_key();
    snapshot.reidentifications(key)?;
    snapshot.access_reviews(key, &[3, 4])?;
    Ok(())
}

#[test]
fn threat_a_refused_reidentification_turned_into_a_confirmed_one_is_named_and_no_more_read() {
    for engine in engines() {
        let c = Content::new(engine);
        let [refused, confirmed] = c.audited();
        let (sum, found) = c.compared();
        assert!(found.is_empty(), "{engine:?}: {found:?}");
        // Those of the pathway (three facts, an item with its version, a note), and the six of the auditors.
        assert_eq!((sum.digests, sum.replaced), (11, 1), "{engine:?} {sum:?}");
        read_back(&c).unwrap();
        let mut raw = c.bed.raw();
        free(&mut raw);
        for table in AUDITED {
            raw.exec(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).unwrap();
        }
        let step =
            |request: &ReidentificationId, n: i64| format!("WHERE request = '{request}' AND step = {n}");
        // (statement, what is said, the row, whether the program refuses to read on)
        let attacks: Vec<(String, Discord, &str, bool)> = vec![
            (
                format!("UPDATE reidentification_step SET kind = 'confirmed' {}", step(&refused, 1)),
                Discord::RowChanged,
                refused.as_str(),
                true,
            ),
            (
                format!(
                    "UPDATE reidentification_step SET kind = 'confirmed', remark = (SELECT k.remark FROM kept_reidentification_step k {} ) {}",
                    step(&confirmed, 1),
                    step(&refused, 1)
                ),
                Discord::RowChanged,
                refused.as_str(),
                true,
            ),
            (
                format!(
                    "UPDATE reidentification_step SET by_assignment = (SELECT by_assignment FROM reidentification WHERE id = '{confirmed}') {}",
                    step(&confirmed, 1)
                ),
                Discord::RowChanged,
                confirmed.as_str(),
                true,
            ),
            (format!("DELETE FROM reidentification_step {}", step(&refused, 1)), Discord::RowMissing, refused.as_str(), false),
            (format!("DELETE FROM reidentification_step {}", step(&confirmed, 2)), Discord::RowMissing, confirmed.as_str(), false),
            (
                format!(
                    "INSERT INTO reidentification_step SELECT '{refused}', 2, kind, at, by_assignment, remark FROM kept_reidentification_step {}",
                    step(&confirmed, 2)
                ),
                Discord::RowUnknown,
                refused.as_str(),
                false,
            ),
            (
                format!("UPDATE reidentification SET idx = 9 WHERE id = '{confirmed}'"),
                Discord::RowChanged,
                confirmed.as_str(),
                true,
            ),
            (
                format!("UPDATE reidentification SET pseudonym_of = 'pathway' WHERE id = '{confirmed}'"),
                Discord::RowChanged,
                confirmed.as_str(),
                true,
            ),
            ("UPDATE access_review SET outcome = 'regular'".to_owned(), Discord::RowChanged, "", true),
            ("UPDATE access_review SET idx = 4".to_owned(), Discord::RowChanged, "", true),
            ("UPDATE access_review SET remark = NULL".to_owned(), Discord::RowChanged, "", true),
            ("DELETE FROM access_review".to_owned(), Discord::RowMissing, "", false),
            (
                "INSERT INTO access_review SELECT 'x', idx, outcome, at, by_assignment, remark FROM kept_access_review".to_owned(),
                Discord::RowUnknown,
                "x",
                true,
            ),
        ];
        for (sql, discord, id, unread) in attacks {
            raw.exec(&sql).unwrap_or_else(|e| panic!("{engine:?} {sql}: {e}"));
            let (_, found) = c.compared();
            let named = found.iter().find(|d| d.discord == discord).unwrap_or_else(|| {
                panic!("{engine:?}: {sql} is not seen: {found:?}");
            });
            assert!(
                named.rows.len() == 1 && AUDITED.contains(&named.rows[0].table),
                "{engine:?} {sql}: {named}"
            );
            assert!(id.is_empty() || named.rows[0].id == id, "{engine:?} {sql}: {named}");
            assert_eq!(named.record.is_some(), discord != Discord::RowUnknown, "{engine:?} {sql}");
            assert_eq!(read_back(&c).is_err(), unread, "{engine:?} {sql}");
            for table in AUDITED.iter().rev() {
                raw.exec(&format!("DELETE FROM {table}")).unwrap();
            }
            for table in AUDITED {
                raw.exec(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).unwrap();
            }
            assert!(c.compared().1.is_empty(), "{engine:?}: restored after {sql}");
            read_back(&c).unwrap();
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
        let pathway = &c.pathway;
        c.bed.raw().all(&[
            &format!("INSERT INTO emergency (id, pathway, at) VALUES ('e', '{pathway}', 1)"),
            "INSERT INTO emergency_reviewed (emergency) VALUES ('e')",
        ]);
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
            [
                "assignment",
                "emergency",
                "emergency_reviewed",
                "organisation",
                "participation",
                "pathway",
                "professional"
            ],
            "{engine:?}"
        );
    }
}
