//! Tests of retention: what is erased, when, what stays, and what the log says of it.

use super::{JOBS, Report, find};
use crate::audit::note::VerifierKey;
use crate::audit::verify::{Trust, verify};
use crate::charter::Charter;
use crate::clock::{Clock, Timestamp};
use crate::crypto::envelope::DataKey;
use crate::crypto::keyring::KeyOwner;
use crate::domain::item::ItemDraft;
use crate::domain::record::Action;
use crate::domain::vocabulary::{Category, Mandate, Purpose, Role, Secrecy};
use crate::ids::{ItemId, ItemVersionId, NoteId};
use crate::service::items::ItemInput;
use crate::service::pathway_tests::{Case, from, to};
use crate::service::retention::Erased;
use crate::service::testing::Territory;
use crate::store::DatabaseAddress;
use crate::store::item::{NewNote, NewVersion, Words};
use crate::store::log::{LogFile, LogFilter};

const DAY: i64 = 24 * 3600;

fn input(content: serde_json::Value, for_stay: bool) -> ItemInput {
    from(serde_json::json!({"label": "Pour le séjour", "content": content, "for_stay": for_stay}))
}

fn health(for_stay: bool) -> ItemInput {
    let content = serde_json::json!({"category": "health_minimal", "kind": "treatment", "what": "inhalateur",
        "when": "avant le sport", "prescription_kept": "infirmerie"});
    input(content, for_stay)
}

fn leisure(for_stay: bool) -> ItemInput {
    input(serde_json::json!({"category": "leisure", "fact": "Nage bien", "source": "observed"}), for_stay)
}

fn run(t: &Territory, name: &str) -> Report {
    (find(name).unwrap().run)(&t.app, t.clock.now()).unwrap()
}

fn erasures(t: &Territory) -> Vec<String> {
    let filter = LogFilter { action: Some(Action::Erase.code().to_owned()), ..LogFilter::default() };
    let page = t.app.store().snapshot().unwrap().log_page(&filter, 100).unwrap();
    page.into_iter().map(|(_, body)| body).collect()
}

fn the_log_holds(t: &Territory) {
    let mut log = LogFile::open(&DatabaseAddress::Sqlite(t.database())).unwrap();
    let key = VerifierKey::parse(&log.instance_value("log_vkey").unwrap().unwrap()).unwrap();
    let trust = Trust { origin: key.name(), keys: std::slice::from_ref(&key), given: None };
    let mut log = log.with_details(t.app.store().keyring()).unwrap();
    let report = verify(&mut log, &trust, &mut |_| {}).unwrap();
    assert!(report.holds() && report.details > 0, "{report:?}");
}

/// Whether the file, or what stands beside it, has these bytes.
fn at_rest(t: &Territory, needle: &[u8]) -> bool {
    ["relais.db", "relais.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(t.data().join(name)).unwrap_or_default();
        bytes.windows(needle.len()).any(|w| w == needle)
    })
}

fn pathway_key(case: &Case) -> DataKey {
    let owner = KeyOwner::Pathway(case.id.clone());
    case.t.app.store().snapshot().unwrap().key_of(&owner).unwrap().unwrap()
}

fn erased(case: &Case, item: &ItemId) -> Vec<bool> {
    case.facts().item(item).unwrap().versions.iter().map(|v| v.erased).collect()
}

fn midnight(year: i32, month: u32, day: u32) -> Timestamp {
    Timestamp::paris_midnight(chrono::NaiveDate::from_ymd_opt(year, month, day).unwrap())
}

#[test]
fn law_s1_what_was_written_for_a_stay_is_erased_seven_days_after_it() {
    let case = Case::new();
    let t = &case.t;
    case.agree(Purpose::Stay, &[to("director", &[Category::Leisure])]);
    // Until 20 July included (see `Case::invite_as`).
    case.join("director", Mandate::Contractual, Role::StayOrganiser);
    let (stay, version) = case.write("referente", &health(true));
    let (kept, _) = case.write("referente", &health(false));
    let (swims, _) = case.write("referente", &leisure(true));
    // A correction whose ciphertext we know.
    let key = pathway_key(&case);
    let charter = Charter::embedded_demo().unwrap();
    let day = t.clock.now().paris_day();
    let draft = ItemDraft::parse("Corrigé", health(true).content, charter.sheet(), day).unwrap();
    let words = Words::Item(draft);
    let second = ItemVersionId::random(t.app.chance()).unwrap();
    let now = t.clock.now();
    let row = NewVersion::seal(
        &key,
        t.app.chance(),
        &second,
        &stay,
        &case.id,
        2,
        Secrecy::Bound,
        now,
        None,
        &words,
    )
    .unwrap();
    let ciphertext = row.ciphertext().to_vec();
    t.write(move |tx, _| tx.item_version_insert(&row));
    assert!(at_rest(t, &ciphertext));

    let last = midnight(2027, 7, 28);
    t.clock.set(last.plus_seconds(-1));
    assert_eq!(run(t, "stays"), Report::default());
    assert_eq!(erased(&case, &stay), [false, false]);
    assert!(erasures(t).is_empty(), "nothing to do, nothing recorded");

    t.clock.set(last);
    let before = case.facts().version;
    assert_eq!(run(t, "stays"), Report { done: 2, left: 0 });
    assert_eq!(erased(&case, &stay), [true, true]);
    assert_eq!(erased(&case, &kept), [false], "not written for a stay");
    assert_eq!(erased(&case, &swims), [false], "neither health nor practical");
    assert!(case.facts().version > before, "what was decided before does not hold any more");
    assert!(!at_rest(t, &ciphertext), "neither in the file nor in its write-ahead log");

    let said = erasures(t);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("health_minimal") && said[0].contains("\"count\":2"), "{}", said[0]);
    for word in ["inhalateur", stay.as_str(), version.as_str(), case.id.as_str()] {
        assert!(!said[0].contains(word), "{word}");
    }
    assert_eq!(run(t, "stays"), Report::default(), "once");
    assert_eq!(erasures(t).len(), 1);
    the_log_holds(t);
    // To its author it reads like what has expired: not as a fault.
    t.keep_sessions();
    assert!(t.app.item(&t.call("referente"), &stay, None).is_err());
    assert_eq!(t.app.item(&t.call("referente"), &kept, None).unwrap().label, "Pour le séjour");
}

#[test]
fn a_later_stay_keeps_what_was_written_before_it_ends_and_an_unknown_end_keeps_everything() {
    let case = Case::new();
    case.agree(Purpose::Stay, &[to("director", &[Category::Leisure])]);
    let (item, _) = case.write("referente", &health(true));
    let pathway = case.id.clone();
    // Nobody is invited: no stay, nothing due.
    assert_eq!(case.t.app.erase_stay_items(Timestamp::MAX.plus_seconds(-1)).unwrap(), Erased::default());
    case.join("director", Mandate::Contractual, Role::StayOrganiser);
    let due = midnight(2027, 7, 28);
    assert_eq!(case.t.app.erase_stay_items(due.plus_seconds(-1)).unwrap(), Erased::default());
    // Written after the stay was over: another one will come.
    case.t.clock.set(midnight(2027, 7, 22));
    case.t.keep_sessions();
    let (later, _) = case.write("referente", &health(true));
    assert_eq!(case.t.app.erase_stay_items(due).unwrap().done, 1);
    assert_eq!((erased(&case, &item), erased(&case, &later)), (vec![true], vec![false]));
    assert_eq!(case.id, pathway);
}

#[test]
fn law_notes_are_destroyed_thirty_days_after_the_assignment_of_their_author() {
    let case = Case::new();
    let t = &case.t;
    case.agree(Purpose::Coordination, &[to("prevention", &[])]);
    case.join("prevention", Mandate::Contractual, Role::Participant);
    let key = pathway_key(&case);
    let mut ciphertexts = Vec::new();
    for who in ["referente", "prevention"] {
        let id = NoteId::random(t.app.chance()).unwrap();
        let author = &t.person(who).assignment;
        let now = t.clock.now();
        let note = NewNote::seal(&key, t.app.chance(), &id, 1, &case.id, author, now, "À rappeler").unwrap();
        ciphertexts.push(note.ciphertext().to_vec());
        t.write(move |tx, _| tx.note_put(&note));
    }
    let leaver = t.person("prevention").assignment.clone();
    t.write(move |tx, at| tx.assignment_end(&leaver, 1, at));
    let end = t.clock.now();
    t.clock.set(end.plus_seconds(30 * DAY - 1));
    assert_eq!(run(t, "notes"), Report::default());
    assert!(at_rest(t, &ciphertexts[1]));
    t.clock.set(end.plus_seconds(30 * DAY));
    assert_eq!(run(t, "notes"), Report { done: 1, left: 0 });
    assert!(at_rest(t, &ciphertexts[0]), "whoever still works here keeps theirs");
    assert!(!at_rest(t, &ciphertexts[1]));
    assert_eq!(run(t, "notes"), Report::default());
    assert_eq!(erasures(t).len(), 1);
    t.keep_sessions();
    assert_eq!(t.app.notes(&t.call("referente"), &case.id).unwrap().items.len(), 1);
    the_log_holds(t);
}

#[test]
fn what_has_served_is_swept_once_and_what_still_serves_is_not() {
    let t = Territory::new();
    t.keep_sessions();
    assert_eq!(run(&t, "sweep"), Report::default());
    let one = t.person("teacher").professional.clone();
    let over = t.app.store().snapshot().unwrap().sessions_open(&one).unwrap().remove(0).id;
    let subject = [7_u8; 32];
    t.write(move |tx, at| {
        tx.session_end(&over, at)?;
        tx.idempotency_insert(&subject, &subject, "x", at)?;
        tx.login_delay_raise(&subject, at)
    });
    let end = t.clock.now();
    t.clock.set(end.plus_seconds(2 * DAY - 1));
    t.keep_sessions();
    assert_eq!(run(&t, "sweep").done, 2, "the key and the count of failures");
    let call = t.call("nurse");
    t.clock.set(end.plus_seconds(2 * DAY));
    t.keep_sessions();
    assert_eq!(run(&t, "sweep").done, 1, "the session that ended");
    assert_eq!(run(&t, "sweep"), Report::default());
    assert_eq!(erasures(&t).len(), 2);
    assert!(t.app.store().snapshot().unwrap().session_by_token(&call.token).unwrap().is_some());
    the_log_holds(&t);
}

#[test]
fn a_reader_who_holds_the_journal_is_told_and_the_next_sweep_empties_it() {
    let case = Case::new();
    let t = &case.t;
    let key = pathway_key(&case);
    let id = NoteId::random(t.app.chance()).unwrap();
    let author = &t.person("referente").assignment;
    let note =
        NewNote::seal(&key, t.app.chance(), &id, 1, &case.id, author, t.clock.now(), "À rappeler").unwrap();
    let ciphertext = note.ciphertext().to_vec();
    t.write(move |tx, _| tx.note_put(&note));
    t.app.empty_journal().unwrap();
    // Somebody who began to read before the note went, and still reads.
    let mut reader = t.app.store().snapshot().unwrap();
    assert!(reader.pathway_version(&case.id).unwrap().is_some());
    let on = case.id.clone();
    t.write(move |tx, _| tx.notes_destroy(&on, &[id]));
    assert!(at_rest(t, &ciphertext), "the file still has it");
    let swept = run(t, "sweep");
    assert_eq!(swept.left, 1, "an erasure that is not complete is not said to be");
    drop(reader);
    assert_eq!(run(t, "sweep").left, 0);
    assert!(!at_rest(t, &ciphertext));
}

#[test]
fn every_job_runs_on_a_quiet_instance_and_then_leaves_the_log_alone() {
    let t = Territory::new();
    t.keep_sessions();
    for job in JOBS {
        (job.run)(&t.app, t.clock.now()).unwrap();
    }
    let size = || t.app.store().snapshot().unwrap().log_frontier().unwrap().size();
    let before = size();
    for job in JOBS {
        assert_eq!((job.run)(&t.app, t.clock.now()).unwrap(), Report::default(), "{}", job.name);
    }
    assert_eq!(size(), before);
}

#[test]
fn after_a_restore_nobody_is_signed_in() {
    let t = Territory::new();
    t.write(|tx, at| tx.sessions_end_everyone(at));
    for who in ["teacher", "nurse", "auditor"] {
        let one = &t.person(who).professional;
        assert!(t.app.store().snapshot().unwrap().sessions_open(one).unwrap().is_empty(), "{who}");
    }
}
