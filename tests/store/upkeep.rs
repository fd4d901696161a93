//! What jobs and key commands write, on each engine; on PostgreSQL under a login that owns nothing, whose lane is the
//! restricted role: what a service's test shows on a file holds there too.

use std::sync::Arc;

use chrono::NaiveDate;
use relais::audit::lane::{LaneConfig, LaneThread, Priority};
use relais::audit::note::VerifierKey;
use relais::audit::verify::{Trust, verify};
use relais::audit::{Job, Lane};
use relais::clock::{Clock, Timestamp};
use relais::crypto::SystemChance;
use relais::crypto::kek::{FileKek, KekPlacement, KekProvider};
use relais::crypto::keyring::{KeyOwner, Keyring};
use relais::domain::record::RetentionClass;
use relais::ids::{
    AssignmentId, InvitationId, ItemId, ItemVersionId, NoteId, OrganisationId, ParticipationId, PathwayId,
    SessionId,
};
use relais::jobs::find;
use relais::service::{App, AppParts};
use relais::store::item::NewNote;
use relais::store::log::LogFile;
use relais::store::{NewKey, Store, StoreError, WriteTx};

use crate::support::{Bed, Engine, engines};

const DAY: i64 = 24 * 3600;

/// A server over a database, as it runs in service.
struct Service {
    app: App,
    thread: Option<LaneThread<WriteTx>>,
    store: Store,
    bed: Bed,
}

impl Service {
    fn on(bed: Bed) -> Self {
        let keyring = bed.store.keyring().clone();
        Self::with(bed, keyring)
    }

    fn with(bed: Bed, keyring: Keyring) -> Self {
        let store = bed.as_server(keyring);
        let clock: Arc<dyn Clock> = bed.clock.clone();
        let (lane, thread) =
            Lane::start(store.backend().unwrap(), Arc::clone(&clock), LaneConfig::default()).unwrap();
        let chance = Arc::new(SystemChance::new());
        let app = App::new(AppParts { store: store.clone(), lane, clock, chance }).unwrap();
        Self { app, thread: Some(thread), store, bed }
    }

    fn now(&self) -> Timestamp {
        self.bed.clock.now()
    }

    fn write(&self, change: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static) {
        let job = Job::new(self.bed.some_record());
        self.app.lane().submit(Priority::Session, job, change).wait().unwrap();
    }

    fn size(&self) -> u64 {
        self.store.snapshot().unwrap().log_frontier().unwrap().size()
    }

    fn int(&self, expression: &str) -> i64 {
        self.bed.raw().int(expression)
    }

    /// Somebody who works at a structure, on a pathway.
    fn somebody(&self) -> (PathwayId, OrganisationId, AssignmentId) {
        let (pathway, organisation) = self.bed.pathway(self.app.lane());
        let chance = SystemChance::new();
        let assignment = AssignmentId::random(&chance).unwrap();
        let blob = if self.bed.engine == Engine::Sqlite { "x''" } else { "''" };
        self.bed.raw().all(&[
            &format!("INSERT INTO professional (id, version, login_index, state, created_at, body) VALUES ('p', 1, 'l', 'confirmed', 1, {blob})"),
            &format!(
                "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, secrecy_basis, starts_at, created_at) \
                 VALUES ('{assignment}', 1, 'p', '{organisation}', 'm', 'teacher', 'practitioner', 'not_bound', '', 1, 1)"
            ),
        ]);
        (pathway, organisation, assignment)
    }

    /// The log verifies with these keys.
    fn holds(&self, keys: &[VerifierKey]) -> bool {
        let mut log = LogFile::open(&self.bed.address).unwrap();
        let trust = Trust { origin: keys[0].name(), keys, given: None };
        verify(&mut log, &trust, &mut |_| {}).unwrap().holds()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.stop();
        }
    }
}

fn services() -> Vec<Service> {
    engines().into_iter().map(|engine| Service::on(Bed::new(engine))).collect()
}

#[test]
fn law_notes_of_whoever_left_are_destroyed_after_thirty_days_on_each_engine() {
    for s in services() {
        let (pathway, _, author) = s.somebody();
        let chance = SystemChance::new();
        let id = NoteId::random(&chance).unwrap();
        let note =
            NewNote::seal(&s.bed.key(&pathway), &chance, &id, 1, &pathway, &author, s.now(), "À rappeler")
                .unwrap();
        s.write(move |tx, _| tx.note_put(&note));
        let end = s.now();
        s.bed
            .raw()
            .exec(&format!("UPDATE assignment SET ends_at = {} WHERE id = '{author}'", end.micros()))
            .unwrap();
        s.bed.clock.set(end.plus_seconds(30 * DAY - 1));
        assert_eq!(s.app.destroy_left_notes(s.now()).unwrap().done, 0, "{:?}", s.bed.engine);
        s.bed.clock.set(end.plus_seconds(30 * DAY));
        let done = s.app.destroy_left_notes(s.now()).unwrap();
        assert_eq!((done.done, done.left), (1, 0), "{:?}", s.bed.engine);
        assert_eq!(s.int("SELECT count(*) FROM note"), 0);
        assert_eq!(s.int("SELECT count(*) FROM audit_index WHERE action = 'erase'"), 1);
        let before = s.size();
        assert_eq!(s.app.destroy_left_notes(s.now()).unwrap().done, 0, "once");
        assert_eq!(s.size(), before, "nothing to do, nothing recorded");
    }
}

#[test]
fn law_what_was_written_for_a_stay_is_erased_seven_days_after_it_on_each_engine() {
    for s in services() {
        let (pathway, _, author) = s.somebody();
        let chance = SystemChance::new();
        let (place, item) = (ParticipationId::random(&chance).unwrap(), ItemId::random(&chance).unwrap());
        let kept = ItemId::random(&chance).unwrap();
        let (version, other) =
            (ItemVersionId::random(&chance).unwrap(), ItemVersionId::random(&chance).unwrap());
        let (now, end) = (s.now().micros(), s.now().plus_seconds(DAY));
        let body = if s.bed.engine == Engine::Sqlite { "x'43414e'" } else { "'CAN'" };
        let row = |item: &ItemId, for_stay: i32| {
            format!(
                "INSERT INTO item VALUES ('{item}', 1, '{pathway}', 'item', 'health_minimal', '', {for_stay}, '{place}', '{author}', {now})"
            )
        };
        let words = |version: &ItemVersionId, item: &ItemId| {
            format!(
                "INSERT INTO item_version VALUES ('{version}', '{item}', '{pathway}', 1, 'bound', {now}, {now}, NULL, {body}, NULL)"
            )
        };
        s.bed.raw().all(&[
            &format!(
                "INSERT INTO participation (id, version, pathway, assignment, mandate, role, existence, invited_at, until_at) \
                 VALUES ('{place}', 1, '{pathway}', '{author}', 'contractual', 'stay_organiser', 'open', 1, {})",
                end.micros()
            ),
            &row(&item, 1),
            &row(&kept, 0),
            &words(&version, &item),
            &words(&other, &kept),
        ]);
        let due = end.plus_seconds(7 * DAY);
        s.bed.clock.set(due.plus_seconds(-1));
        assert_eq!(s.app.erase_stay_items(s.now()).unwrap().done, 0, "{:?}", s.bed.engine);
        s.bed.clock.set(due);
        let done = s.app.erase_stay_items(s.now()).unwrap();
        assert_eq!((done.done, done.left), (1, 0), "{:?}", s.bed.engine);
        let left = |id: &ItemVersionId| {
            s.int(&format!("SELECT count(*) FROM item_version WHERE id = '{id}' AND body IS NOT NULL"))
        };
        assert_eq!((left(&version), left(&other)), (0, 1), "{:?}", s.bed.engine);
        assert_eq!(s.app.erase_stay_items(s.now()).unwrap().done, 0, "once");
    }
}

#[test]
fn what_has_served_is_swept_on_each_engine() {
    for s in services() {
        s.somebody();
        let chance = SystemChance::new();
        let now = s.now();
        let hours = |n: i64| now.plus_seconds(-n * 3600).micros();
        let session = |token: &str, ended: i64| {
            let (id, now) = (SessionId::random(&chance).unwrap(), now.micros());
            format!(
                "INSERT INTO session VALUES ('{id}', 1, '{token}', 'p', NULL, {now}, {now}, {}, {ended})",
                now + 1
            )
        };
        let code = |hash: &str, expired: i64, used: &str| {
            let id = InvitationId::random(&chance).unwrap();
            format!(
                "INSERT INTO invitation VALUES ('{id}', 'p', '{hash}', 'open', NULL, 1, {expired}, {used})"
            )
        };
        let (one, two) =
            if s.bed.engine == Engine::Sqlite { ("x'01'", "x'02'") } else { ("'\\x01'", "'\\x02'") };
        s.bed.raw().all(&[
            &session("over", hours(49)),
            &session("lately", hours(1)),
            &code("old", hours(31 * 24), "NULL"),
            &code("used", hours(31 * 24), "1"),
            &format!("INSERT INTO idempotency VALUES ({one}, {one}, 'r', {})", hours(25)),
            &format!("INSERT INTO idempotency VALUES ({two}, {two}, 'r', {})", hours(23)),
            &format!("INSERT INTO login_delay VALUES ({one}, 3, {})", hours(25)),
            &format!("INSERT INTO sealed_form VALUES ({one}, {}, {one})", hours(25)),
        ]);
        assert_eq!(s.app.sweep(now).unwrap(), 5, "{:?}", s.bed.engine);
        assert_eq!(s.int("SELECT count(*) FROM session WHERE token_hash = 'lately'"), 1);
        assert_eq!(s.int("SELECT count(*) FROM session"), 1);
        assert_eq!(s.int("SELECT count(*) FROM invitation"), 1, "a code that was used says who came");
        assert_eq!(s.int("SELECT count(*) FROM idempotency"), 1);
        assert_eq!(s.int("SELECT count(*) FROM login_delay"), 0);
        assert_eq!(s.int("SELECT count(*) FROM sealed_form"), 0);
        let before = s.size();
        assert_eq!((s.app.sweep(now).unwrap(), s.size()), (0, before), "once");
    }
}

#[test]
fn law_6_the_key_of_a_year_of_pseudonyms_is_destroyed_at_its_end_and_no_other_on_each_engine() {
    const TECHNICAL: RetentionClass = RetentionClass::Technical;
    const DISCLOSURE: RetentionClass = RetentionClass::Disclosure;
    for s in services() {
        let (engine, chance) = (s.bed.engine, SystemChance::new());
        let (pathway, ..) = s.somebody();
        let years = [(TECHNICAL, 2027), (TECHNICAL, 2028), (DISCLOSURE, 2027)];
        let mut wrapped = Vec::new();
        let rows: Vec<NewKey> = years
            .iter()
            .map(|(class, year)| {
                let keyring = s.bed.store.keyring();
                let (_, stored) = keyring.new_pseudonym_key(*class, *year, &chance).unwrap();
                wrapped.push(stored.wrapped.clone());
                NewKey::new(&KeyOwner::Pseudonyms { class: *class, year: *year }, stored, s.now())
            })
            .collect();
        s.write(move |tx, _| rows.iter().try_for_each(|row| tx.key_insert(row)));
        let there = || -> Vec<bool> {
            let known = |(class, year): &(_, i32)| {
                s.app.pseudonym_key_of(*class, u16::try_from(*year).unwrap()).unwrap().is_some()
            };
            years.iter().map(known).collect()
        };
        let run = || (find("years").unwrap().run)(&s.app, s.now()).unwrap().done;
        let at = |y, m, d| Timestamp::paris_midnight(NaiveDate::from_ymd_opt(y, m, d).unwrap());
        let erased = || s.int("SELECT count(*) FROM audit_index WHERE action = 'erase'");
        // Without a charter: thirty-six months after the year, and a day.
        s.bed.clock.set(at(2031, 1, 2).plus_seconds(-1));
        let before = s.size();
        assert_eq!((run(), s.size(), there()), (0, before, vec![true; 3]), "{engine:?}: nothing is due");
        s.bed.clock.set(at(2031, 1, 2));
        assert_eq!((run(), there()), (1, vec![false, true, true]), "{engine:?}");
        assert_eq!((erased(), run(), erased()), (1, 0, 1), "{engine:?}: once, with its record");
        let row = "FROM data_key WHERE owner = 'pseudonyms:technical:2027'";
        let gone = format!("{row} AND wrapped IS NULL AND destroyed_at >= {}", at(2031, 1, 2).micros());
        assert_eq!(s.int(&format!("SELECT count(*) {gone}")), 1, "{engine:?}");
        if engine == Engine::Sqlite {
            let bytes = s.bed.bytes();
            let at_rest = |key: &Vec<u8>| bytes.windows(key.len()).any(|window| window == key.as_slice());
            assert_eq!(wrapped.iter().map(at_rest).collect::<Vec<_>>(), [false, true, true]);
        }
        // LAW §6: disclosures until the twenty-third year, and as long as a pathway of that year lives.
        s.bed.clock.set(at(2051, 1, 2));
        assert_eq!((run(), there()), (1, vec![false, false, true]), "{engine:?}: its pathway lives");
        let owner = KeyOwner::Pathway(pathway);
        s.write(move |tx, at| tx.key_destroy(&owner, at));
        s.bed.clock.set(at(2051, 1, 2).plus_seconds(1));
        assert_eq!((run(), there()), (1, vec![false; 3]), "{engine:?}");
        let keys = s.store.snapshot().unwrap().log_vkeys().unwrap();
        assert!(s.holds(&[VerifierKey::parse(&keys[0]).unwrap()]), "{engine:?}");
    }
}

#[test]
fn every_key_goes_under_the_new_key_and_a_destroyed_one_stays_destroyed_on_each_engine() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        let (pathway, _) = bed.pathway(&lane);
        let (gone, _) = bed.pathway(&lane);
        let owner = KeyOwner::Pathway(gone.clone());
        bed.write(&lane, move |tx, at| tx.key_destroy(&owner, at)).unwrap();
        let words = b"CANARI";
        let place = relais::store::log::detail_place("a");
        let sealed = bed.key(&pathway).seal(place, words, &SystemChance::new()).unwrap();
        thread.stop();
        let new: Arc<dyn KekProvider> = Arc::new(
            FileKek::create(
                &bed.folder.path().join("kek2"),
                KekPlacement::Demonstration,
                &SystemChance::new(),
            )
            .unwrap(),
        );
        let old: Arc<dyn KekProvider> =
            Arc::new(FileKek::open(&bed.folder.path().join("kek"), KekPlacement::Demonstration).unwrap());
        let s = Service::with(bed, Keyring::new(Arc::clone(&new)).with_previous(old));
        // More than one batch of them.
        let many: Vec<NewKey> = (0..130)
            .map(|year| {
                let owner = KeyOwner::Pseudonyms { class: RetentionClass::Technical, year: 1000 + year };
                let (_, stored) = s.bed.store.keyring().new_data_key(&owner, &SystemChance::new()).unwrap();
                NewKey::new(&owner, stored, s.now())
            })
            .collect();
        s.write(move |tx, _| many.iter().try_for_each(|key| tx.key_insert(key)));
        let under = |s: &Service| s.store.snapshot().unwrap().keys_by_kek().unwrap();
        let all: u64 = under(&s).iter().map(|(_, n)| n).sum();
        let mut told = 0;
        let done = s.app.keys_rotate(&mut |n| told = n).unwrap();
        assert!(done.rewrapped >= 130 && told == done.rewrapped, "{engine:?} {done:?}");
        // And the key that the record of the rotation needed.
        assert_eq!(under(&s), [(new.kek_id().to_string(), all + 1)], "{engine:?}");
        assert_eq!(s.app.keys_rotate(&mut |_| {}).unwrap().rewrapped, 0, "once");
        // Opened by the new key alone.
        let alone = s.bed.as_server(Keyring::new(Arc::clone(&new)));
        let mut snapshot = alone.snapshot().unwrap();
        let key = snapshot.key_of(&KeyOwner::Pathway(pathway)).unwrap().unwrap();
        assert_eq!(key.open(place, &sealed).unwrap().as_slice(), words, "{engine:?}");
        let destroyed = snapshot.key_of(&KeyOwner::Pathway(gone));
        assert!(matches!(destroyed, Err(StoreError::KeyDestroyed)), "{engine:?}");
        drop(snapshot);
        drop(alone);
    }
}

#[test]
fn the_key_of_the_log_is_changed_with_an_overlap_on_each_engine() {
    for s in services() {
        s.bed.records(s.app.lane(), 3);
        s.app.checkpoint().unwrap();
        let keys = |s: &Service| -> Vec<VerifierKey> {
            let texts = s.store.snapshot().unwrap().log_vkeys().unwrap();
            texts.iter().map(|text| VerifierKey::parse(text).unwrap()).collect()
        };
        let old = keys(&s);
        let new = s.app.log_key_rotate().unwrap();
        assert_eq!(keys(&s).last().unwrap().to_string(), new);
        assert!(s.holds(&old) && s.holds(&keys(&s)), "{:?}", s.bed.engine);
        assert_eq!(s.app.log_key_retire().unwrap(), new);
        s.bed.records(s.app.lane(), 1);
        s.app.checkpoint().unwrap();
        assert!(s.holds(&keys(&s)), "{:?}", s.bed.engine);
        assert!(!s.holds(&old), "{:?}: what only the new key signs", s.bed.engine);
        assert_eq!(s.int("SELECT count(*) FROM data_key WHERE wrapped IS NULL"), 1);
    }
}
