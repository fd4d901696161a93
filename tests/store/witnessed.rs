//! SECURITY §1 with a witness: what an owner of the database, who has the log's key too, can do unseen without one, and
//! cannot with one. Each on every engine.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use relais::audit::lane::LaneThread;
use relais::audit::note::VerifierKey;
use relais::audit::policy::PolicyError;
use relais::audit::verify::{Failure, Flaw, Place};
use relais::audit::witness::Reply;
use relais::audit::{Cosigner, Policy, SignedCheckpoint, WitnessKey};
use relais::clock::{Clock, ManualClock, Timestamp};
use relais::crypto::SystemChance;
use relais::crypto::sign::SigningKey;
use relais::jobs;
use relais::service::cosigning::Witness;
use relais::service::witnesses::{Round, kept_against};
use relais::service::{App, AppParts, WitnessLink, Witnesses};
use relais::store::WriteTx;

use crate::support::{Bed, Engine, Raw, engines};

mod told;

/// A witness without a network between.
struct Near {
    witness: Witness,
    clock: Arc<ManualClock>,
    down: AtomicBool,
    asked: Mutex<usize>,
}

impl WitnessLink for Near {
    fn key(&self) -> &WitnessKey {
        self.witness.key()
    }

    fn ask(&self, body: &str) -> Result<Reply, String> {
        *self.asked.lock().unwrap() += 1;
        if self.down.load(Ordering::SeqCst) {
            return Err("unreachable".to_owned());
        }
        let reply = self.witness.add_checkpoint(body, self.clock.now()).map_err(|e| e.to_string())?;
        // What goes over the wire, both ways.
        let (status, text) = reply.wire();
        Ok(Reply::read(status, &text))
    }
}

/// A database with a server over it, and its witnesses, each in a folder of its own.
struct Watched {
    bed: Bed,
    witnesses: Vec<Arc<Near>>,
    kept: PathBuf,
}

impl Watched {
    fn new(engine: Engine, number: usize) -> Self {
        let bed = Bed::new(engine);
        let clock = Arc::new(ManualClock::new(bed.clock.now()));
        let log = vkey(&bed);
        let near = |n| {
            let folder = bed.folder.path().join(format!("witness{n}"));
            std::fs::create_dir(&folder).unwrap();
            let name = format!("w{n}.example/temoin");
            let witness =
                Witness::open(&folder, Some(&name), vec![log.clone()], &SystemChance::new()).unwrap();
            Arc::new(Near {
                witness,
                clock: Arc::clone(&clock),
                down: AtomicBool::new(false),
                asked: Mutex::new(0),
            })
        };
        let witnesses = (0..number).map(near).collect();
        let kept = bed.folder.path().join("cosigned-checkpoint.txt");
        Self { bed, witnesses, kept }
    }

    /// A server that starts; the last one is gone.
    fn start(&self) -> (App, LaneThread<WriteTx>) {
        let (lane, thread) = self.bed.lane();
        let clock: Arc<dyn Clock> = self.bed.clock.clone();
        let chance = Arc::new(SystemChance::new());
        let app = App::new(AppParts { store: self.bed.store.clone(), lane, clock, chance }).unwrap();
        let mut links: Vec<Arc<dyn WitnessLink>> = Vec::new();
        for witness in &self.witnesses {
            links.push(witness.clone());
        }
        (app.with_witnesses(Witnesses { links, kept: Some(self.kept.clone()) }), thread)
    }

    /// What the file beside the database says of it.
    fn kept(&self) -> Option<(Place, Flaw)> {
        let failure = kept_against(&self.kept, &mut self.bed.store.snapshot().unwrap()).unwrap();
        failure.map(|Failure { place, flaw }| (place, flaw))
    }

    fn size(&self) -> u64 {
        self.bed.store.snapshot().unwrap().log_frontier().unwrap().size()
    }

    /// Whoever trusts two of three.
    fn policy(&self, least: usize) -> Policy {
        let lines: String =
            self.witnesses.iter().enumerate().map(|(n, w)| format!("witness w{n} {}\n", w.key())).collect();
        let names: Vec<String> = (0..self.witnesses.len()).map(|n| format!("w{n}")).collect();
        let text = format!("log {}\n{lines}group g {least} {}\nquorum g\n", vkey(&self.bed), names.join(" "));
        Policy::parse(text.as_bytes()).unwrap()
    }

    /// The end of the log, signed, with the cosignatures that it has.
    fn cosigned(&self) -> SignedCheckpoint {
        SignedCheckpoint::parse(&std::fs::read_to_string(&self.kept).unwrap()).unwrap()
    }
}

fn vkey(bed: &Bed) -> VerifierKey {
    VerifierKey::parse(&bed.store.snapshot().unwrap().log_vkeys().unwrap()[0]).unwrap()
}

const TABLES: [&str; 6] =
    ["audit_leaf", "audit_index", "audit_detail", "audit_head", "audit_checkpoint", "audit_cosignature"];

fn unguard(raw: &mut Raw) {
    match raw {
        Raw::Sqlite(_) => {
            let names = raw.text("SELECT group_concat(name) FROM sqlite_schema WHERE type = 'trigger'");
            for name in names.split(',').filter(|n| n.starts_with("audit_")) {
                raw.exec(&format!("DROP TRIGGER {name}")).unwrap();
            }
        }
        #[cfg(feature = "postgres")]
        Raw::Postgres(_) => {
            for table in TABLES.iter().filter(|t| **t != "audit_head") {
                raw.exec(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).unwrap();
            }
        }
    }
}

/// The owner keeps an older copy of the whole log.
fn keep_copy(raw: &mut Raw) {
    unguard(raw);
    for table in TABLES {
        raw.exec(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).unwrap();
    }
}

/// … and puts it back: copy, append, swap back.
fn put_back(raw: &mut Raw) {
    for table in
        ["audit_cosignature", "audit_checkpoint", "audit_detail", "audit_index", "audit_leaf", "audit_head"]
    {
        raw.exec(&format!("DELETE FROM {table}")).unwrap();
    }
    for table in TABLES {
        raw.exec(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).unwrap();
    }
}

#[test]
fn a_truncated_log_or_an_older_copy_is_whole_in_itself_and_refused_by_file_and_witness() {
    for engine in engines() {
        let w = Watched::new(engine, 1);
        let (app, thread) = w.start();
        w.bed.records(app.lane(), 5);
        app.checkpoint().unwrap();
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 1, left: 0 }, "{engine:?}");
        assert_eq!(w.kept(), None);
        let mut raw = w.bed.raw();
        keep_copy(&mut raw);
        let older = w.size();
        w.bed.records(app.lane(), 5);
        app.checkpoint().unwrap();
        app.witnesses_ask().unwrap();
        let known = w.size();
        thread.stop();
        put_back(&mut raw);

        // Without a witness: nothing is to be seen.
        assert_eq!(w.size(), older);
        assert!(w.bed.verified(None).holds(), "{engine:?}: a copy is whole in itself");
        // The file beside the database, then the witness where that file is gone too.
        let beyond = Some((Place::Attested(Some(known)), Flaw::CheckpointBeyond));
        assert_eq!(w.kept(), beyond, "{engine:?}");
        let (app, thread) = w.start();
        let contradiction = app.witnesses_contradict().unwrap().unwrap();
        assert_eq!((contradiction.theirs, contradiction.ours), (known, older), "{engine:?}");
        assert_eq!(contradiction.witness, "w0.example/temoin");
        // A witness that cannot be reached proves nothing: it is told, and the server serves.
        w.witnesses[0].down.store(true, Ordering::SeqCst);
        assert_eq!(app.witnesses_contradict().unwrap(), None);
        w.witnesses[0].down.store(false, Ordering::SeqCst);

        // Appended to beyond what the witness knows, by a server that was started all the same: another history.
        w.bed.records(app.lane(), 9);
        app.checkpoint().unwrap();
        assert!(w.bed.verified(None).holds(), "{engine:?}: signed with the real key, and whole");
        assert_eq!(w.kept(), Some((Place::Attested(Some(known)), Flaw::CheckpointRoot)), "{engine:?}");
        let before = w.size();
        let contradiction = app.witnesses_contradict().unwrap().unwrap();
        assert_eq!(contradiction.theirs, known, "{engine:?}");
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 0, left: 1 }, "{engine:?}");
        let told = w.size();
        assert!(told > before, "{engine:?}: recorded");
        app.checkpoint().unwrap();
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 0, left: 1 });
        assert_eq!(w.size(), told, "{engine:?}: once");
        thread.stop();
    }
}

/// Two nodes, one key, diverging; and a log key that was stolen.
#[test]
fn of_two_histories_signed_with_the_real_key_one_gets_the_quorum() {
    for engine in engines() {
        let w = Watched::new(engine, 3);
        let (app, thread) = w.start();
        w.bed.records(app.lane(), 4);
        app.checkpoint().unwrap();
        assert_eq!(app.witnesses_ask().unwrap().attested, 3);
        let mut raw = w.bed.raw();
        keep_copy(&mut raw);
        w.bed.records(app.lane(), 3);
        app.checkpoint().unwrap();
        // One of them is away: two of three are enough.
        w.witnesses[2].down.store(true, Ordering::SeqCst);
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 2, left: 1 });
        let honest = w.cosigned();
        assert!(w.policy(2).check(&honest, &[], w.bed.clock.now()).is_ok(), "{engine:?}");
        assert!(matches!(
            w.policy(3).check(&honest, &[], w.bed.clock.now()),
            Err(PolicyError::NoneSuch { .. })
        ));
        thread.stop();
        put_back(&mut raw);

        // The second history goes on from the copy, and shows itself to the witness that saw least.
        let (app, thread) = w.start();
        w.bed.records(app.lane(), 12);
        let forged = app.checkpoint().unwrap();
        w.witnesses[2].down.store(false, Ordering::SeqCst);
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 1, left: 2 }, "{engine:?}");
        let keys = [vkey(&w.bed)];
        assert!(forged.verify(keys[0].name(), &keys).is_ok(), "{engine:?}: the key is the real one");
        let mut snapshot = w.bed.store.snapshot().unwrap();
        let lines = snapshot.cosignatures(forged.claims().size()).unwrap();
        let lines: Vec<_> =
            lines.iter().map(|c| relais::audit::note::NoteSignature::parse(&c.line).unwrap()).collect();
        drop(snapshot);
        let forged = forged.with(lines);
        assert!(w.policy(1).check(&forged, &[], w.bed.clock.now()).is_ok(), "one witness is deceived");
        let refused = w.policy(2).check(&forged, &[], w.bed.clock.now()).unwrap_err();
        assert!(
            matches!(&refused, PolicyError::NoneSuch { seen, .. } if seen == "w2"),
            "{engine:?} {refused}"
        );
        thread.stop();
    }
}

/// The node's clock is the owner's to set; a cosignature bears the witness's time.
#[test]
fn a_clock_set_back_does_not_set_back_the_time_of_a_cosignature() {
    for engine in engines() {
        let w = Watched::new(engine, 1);
        let (app, thread) = w.start();
        w.bed.records(app.lane(), 3);
        thread.stop();
        drop(app);
        let real = w.bed.clock.now();
        w.bed.clock.set(Timestamp::from_micros(real.micros() - 3_000_000));
        w.witnesses[0].clock.set(real.plus_seconds(60));
        let (app, thread) = w.start();
        w.bed.records(app.lane(), 1);
        app.checkpoint().unwrap();
        assert_eq!(app.witnesses_ask().unwrap().attested, 1, "{engine:?}");
        let seen = w.cosigned().cosigned(w.witnesses[0].key(), real.plus_seconds(60)).unwrap();
        // In whole seconds, as the format has it.
        let stamped = seen.map(|at| at.micros().div_euclid(1_000_000));
        assert_eq!(stamped, Some(real.plus_seconds(60).micros().div_euclid(1_000_000)), "{engine:?}");
        // Set back by days, the node itself sees that the cosignature is of a future that is too far.
        w.bed.clock.set(Timestamp::from_micros(real.micros() - 3 * 86_400 * 1_000_000));
        let day = w.cosigned().cosigned(w.witnesses[0].key(), w.bed.clock.now());
        assert!(day.is_err(), "{engine:?}");
        let waiting =
            app.lane().record(relais::audit::Priority::Session, relais::audit::Job::new(w.bed.some_record()));
        assert!(waiting.wait().is_err(), "{engine:?}: a clock that far behind stops the node");
        thread.stop();
    }
}

#[test]
fn a_checkpoint_forged_with_the_real_key_is_named_by_the_verifier_and_refused_by_the_witness() {
    for engine in engines() {
        let w = Watched::new(engine, 1);
        let (app, thread) = w.start();
        w.bed.records(app.lane(), 6);
        app.checkpoint().unwrap();
        app.witnesses_ask().unwrap();
        let size = w.size();
        w.bed.records(app.lane(), 4);
        let honest = w.bed.checkpoint();
        let root = honest.lines().nth(2).unwrap().to_owned();
        let mut raw = w.bed.raw();
        unguard(&mut raw);
        // Signed anew over another root: the thief has the key.
        let other = data_encoding::BASE64.encode(&[9; 32]);
        let text = honest.replace(&root, &other);
        let mut snapshot = w.bed.store.snapshot().unwrap();
        let origin = snapshot.instance_value("log_origin").unwrap().unwrap();
        let owner = relais::crypto::keyring::KeyOwner::Log { origin: origin.clone() };
        let stored = snapshot.wrapped_key(&owner).unwrap().unwrap();
        drop(snapshot);
        let key = w.bed.store.keyring().unwrap_log_key(&origin, &stored).unwrap();
        let text = format!("{}\n", text.split("\n\n").next().unwrap());
        let forged = relais::audit::note::Note::sign(text, &origin, &key).unwrap().to_string();
        assert!(w.bed.verified(None).holds(), "{engine:?}");
        let place = w.size();
        raw.exec(&format!("UPDATE audit_checkpoint SET note = '{forged}' WHERE size > {size}")).unwrap();
        // The signature is the real one: the tree tells, with the place.
        let seen = w.bed.verified(None).failure.unwrap();
        assert_eq!((seen.place, seen.flaw), (Place::Checkpoint(place), Flaw::CheckpointRoot), "{engine:?}");
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 0, left: 1 }, "{engine:?}");
        assert_eq!(app.witnesses_contradict().unwrap().unwrap().theirs, size, "{engine:?}");
        thread.stop();
    }
}

/// A file that is no checkpoint of this log keeps the server from starting: nothing is guessed.
#[test]
fn a_kept_file_that_is_forged_or_of_another_log_is_no_reassurance() {
    for engine in engines() {
        let w = Watched::new(engine, 1);
        let (app, thread) = w.start();
        w.bed.records(app.lane(), 2);
        assert_eq!(w.kept(), None, "{engine:?}: no file, nothing to compare with");
        app.checkpoint().unwrap();
        app.witnesses_ask().unwrap();
        assert_eq!(w.kept(), None, "{engine:?}: the log is the one that was attested");
        let whole = std::fs::read_to_string(&w.kept).unwrap();
        for (text, flaw) in [
            (String::new(), Flaw::CheckpointForm),
            (whole.replacen("\n2\n", "\n1\n", 1), Flaw::CheckpointSignature),
            (Bed::new(engine).checkpoint(), Flaw::CheckpointSignature),
        ] {
            assert_ne!(text, whole);
            std::fs::write(&w.kept, &text).unwrap();
            assert_eq!(w.kept().map(|(_, flaw)| flaw), Some(flaw), "{engine:?} {text}");
        }
        thread.stop();
    }
}

/// A log that does not grow asks nobody; one that does is seen again, and the state says since when it was not.
#[test]
fn a_witness_is_asked_once_for_each_checkpoint() {
    let w = Watched::new(Engine::Sqlite, 1);
    let (app, thread) = w.start();
    w.bed.records(app.lane(), 2);
    assert_eq!(app.witnesses_ask().unwrap(), Round::default(), "nothing is signed yet");
    app.checkpoint().unwrap();
    for _ in 0..3 {
        app.witnesses_ask().unwrap();
    }
    assert_eq!(*w.witnesses[0].asked.lock().unwrap(), 1);
    // A server that lost what it knew of the witness learns it by the 409.
    unguard(&mut w.bed.raw());
    w.bed.raw().exec("DELETE FROM audit_cosignature").unwrap();
    w.bed.records(app.lane(), 2);
    app.checkpoint().unwrap();
    assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 1, left: 0 });
    assert_eq!(*w.witnesses[0].asked.lock().unwrap(), 3);
    thread.stop();
}

/// A witness that takes a connection and says nothing.
struct Silent {
    key: WitnessKey,
    until: Mutex<Receiver<()>>,
    asked: Sender<()>,
}

impl WitnessLink for Silent {
    fn key(&self) -> &WitnessKey {
        &self.key
    }

    fn ask(&self, _: &str) -> Result<Reply, String> {
        self.asked.send(()).unwrap();
        let _ended = self.until.lock().unwrap().recv();
        Err("at last".to_owned())
    }
}

/// What is signed at the stop is seen by whoever answers soon; one that says nothing keeps nobody waiting, in whatever
/// order they stand in the settings.
#[test]
fn a_program_that_stops_shows_its_last_checkpoint_and_waits_for_no_silent_witness() {
    for engine in engines() {
        let w = Watched::new(engine, 2);
        let key = Cosigner::new("silent.example/temoin", SigningKey::from_seed(&[3; 32]).unwrap()).unwrap();
        let (_let_go, until) = channel();
        let (asked, was_asked) = channel();
        let silent = Silent { key: key.public().clone(), until: Mutex::new(until), asked };
        let (lane, thread) = w.bed.lane();
        let clock: Arc<dyn Clock> = w.bed.clock.clone();
        let chance = Arc::new(SystemChance::new());
        let app = App::new(AppParts { store: w.bed.store.clone(), lane, clock, chance }).unwrap();
        let links: Vec<Arc<dyn WitnessLink>> =
            vec![Arc::new(silent), w.witnesses[0].clone(), w.witnesses[1].clone()];
        let app = Arc::new(app.with_witnesses(Witnesses { links, kept: Some(w.kept.clone()) }));
        let briefly = Duration::from_secs(2);
        assert_eq!(app.witnesses_ask_at_the_end(briefly).unwrap(), Round::default(), "nothing is signed yet");
        w.bed.records(app.lane(), 3);
        w.witnesses[1].down.store(true, Ordering::SeqCst);
        // The last checkpoint of all, as a server stops.
        jobs::at_the_end(&app);
        was_asked.recv().unwrap();
        let seen = w.cosigned();
        assert_eq!(seen.claims().size(), w.size(), "{engine:?}");
        let by = |n: usize| seen.cosigned(w.witnesses[n].key(), w.bed.clock.now()).unwrap().is_some();
        assert!(by(0) && !by(1), "{engine:?}");
        // Who has cosigned is not asked again; the others are.
        w.witnesses[1].down.store(false, Ordering::SeqCst);
        let round = app.witnesses_ask_at_the_end(briefly).unwrap();
        assert_eq!(round, Round { attested: 1, left: 1 }, "{engine:?}");
        assert_eq!(*w.witnesses[0].asked.lock().unwrap(), 1, "{engine:?}");
        thread.stop();
    }
}

/// An operator's alerts: how far each witness is behind, by its place and never by its name.
#[test]
fn measures_tell_how_far_each_witness_is_behind() {
    for engine in engines() {
        let w = Watched::new(engine, 2);
        let (app, thread) = w.start();
        let log = |app: &App| app.measures().log.unwrap();
        assert_eq!((log(&app).size, log(&app).checkpoint_age, log(&app).unsigned_age), (0, None, Some(0)));
        w.bed.records(app.lane(), 5);
        w.bed.clock.set(w.bed.clock.now().plus_seconds(40));
        assert_eq!((log(&app).checkpoint_age, log(&app).unsigned_age), (None, Some(40)), "{engine:?}");
        app.checkpoint().unwrap();
        w.witnesses[1].down.store(true, Ordering::SeqCst);
        app.witnesses_ask().unwrap();
        w.bed.records(app.lane(), 1);
        w.bed.clock.set(w.bed.clock.now().plus_seconds(20));
        let now = log(&app);
        assert_eq!((now.size, now.checkpoint_age, now.unsigned_age), (6, Some(60), Some(20)), "{engine:?}");
        let seen = |n: usize| (now.witnesses[n].age.is_some(), now.witnesses[n].behind);
        assert_eq!((seen(0), seen(1)), ((true, 0), (false, 5)), "{engine:?}");
        assert!(!now.witnesses[0].contradicts && !now.witnesses[1].contradicts);
        thread.stop();
    }
}
