//! Whether a node says that it is ready: on each engine, each thing that keeps a record from being written.

use std::sync::Arc;

use relais::audit::lane::{Fatal, LaneThread};
use relais::clock::Clock;
use relais::crypto::SystemChance;
use relais::service::{App, AppParts};
use relais::store::WriteTx;

use crate::support::{Bed, Engine, engines};

fn served(bed: &Bed) -> (App, LaneThread<WriteTx>) {
    let (lane, thread) = bed.lane();
    let clock: Arc<dyn Clock> = bed.clock.clone();
    let parts = AppParts { store: bed.store.clone(), lane, clock, chance: Arc::new(SystemChance::new()) };
    (App::new(parts).unwrap(), thread)
}

fn size(bed: &Bed) -> u64 {
    bed.store.snapshot().unwrap().log_frontier().unwrap().size()
}

#[test]
fn ready_writes_nothing_and_ends_with_the_lane() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (app, thread) = served(&bed);
        bed.records(app.lane(), 3);
        for _ in 0..3 {
            app.ready().unwrap();
        }
        assert_eq!(size(&bed), 3, "{engine:?}: a log does not grow by being asked about");
        assert_eq!(app.measures().log.unwrap().size, 3);
        thread.stop();
        assert!(app.ready().is_err(), "{engine:?}: a lane that has stopped");
    }
}

#[test]
fn ready_fails_on_an_older_copy_before_anybody_asks_for_anything() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (app, thread) = served(&bed);
        bed.records(app.lane(), 2);
        app.ready().unwrap();
        let (at, raw) = (size(&bed), &mut bed.raw());
        raw.exec("UPDATE audit_head SET last_at = last_at - 1 WHERE id = 1").unwrap();
        assert!(app.ready().is_err(), "{engine:?}");
        assert_eq!(app.lane().stopped(), Some(Fatal::OtherHead { size: at }), "{engine:?}");
        // A person must look: it does not come back by itself.
        raw.exec("UPDATE audit_head SET last_at = last_at + 1 WHERE id = 1").unwrap();
        assert!(app.ready().is_err() && app.measures().lane.stopped, "{engine:?}");
        thread.stop();
    }
}

#[test]
fn ready_fails_while_the_log_cannot_be_written_and_for_a_while_after() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (app, thread) = served(&bed);
        bed.records(app.lane(), 1);
        // The database is there, and read; only the log takes nothing.
        let mut raw = bed.raw();
        raw.exec("ALTER TABLE audit_index RENAME TO aside").unwrap();
        let asked = relais::audit::Job::new(bed.some_record());
        assert!(app.lane().record(relais::audit::lane::Priority::Session, asked).wait().is_err());
        assert!(app.ready().is_err(), "{engine:?}: what a probe cannot see, the last batch has seen");
        raw.exec("ALTER TABLE aside RENAME TO audit_index").unwrap();
        assert!(app.ready().is_err(), "{engine:?}: nothing was written since");
        let failed = bed.clock.now();
        bed.clock.set(failed.plus_seconds(29));
        assert!(app.ready().is_err(), "{engine:?}");
        bed.clock.set(failed.plus_seconds(30));
        app.ready().unwrap();
        // Or as soon as something is written.
        raw.exec("ALTER TABLE audit_index RENAME TO aside").unwrap();
        let asked = relais::audit::Job::new(bed.some_record());
        assert!(app.lane().record(relais::audit::lane::Priority::Session, asked).wait().is_err());
        raw.exec("ALTER TABLE aside RENAME TO audit_index").unwrap();
        assert!(app.ready().is_err(), "{engine:?}");
        bed.records(app.lane(), 1);
        app.ready().unwrap();
        thread.stop();
    }
}

#[test]
fn ready_fails_without_room_on_the_disk_of_the_file() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (app, thread) = served(&bed);
        let free = bed.store.room().unwrap();
        assert_eq!(free.is_some(), engine == Engine::Sqlite, "PostgreSQL looks after its own disk");
        assert_eq!(app.measures().disk_free.is_some(), engine == Engine::Sqlite);
        // More than any disk has, even the quarter of it that is the bound.
        app.keep_free(u64::MAX);
        assert_eq!(app.ready().is_err(), engine == Engine::Sqlite, "{engine:?}");
        thread.stop();
    }
}

#[cfg(feature = "postgres")]
#[test]
fn ready_fails_while_the_database_is_gone_and_comes_back_with_it() {
    for bed in engines().into_iter().filter(|e| *e == Engine::Postgres).map(Bed::new) {
        let (app, thread) = served(&bed);
        app.ready().unwrap();
        bed.shut_out(true);
        assert!(app.ready().is_err());
        assert_eq!(app.measures().log, None, "what cannot be read is left out");
        bed.shut_out(false);
        bed.clock.set(bed.clock.now().plus_seconds(30));
        app.ready().unwrap();
        assert!(app.measures().log.is_some());
        thread.stop();
    }
}
