//! The lane on a real database: batches, savepoints, versions, two nodes, faults.

use relais::audit::lane::{CheckKind, Priority};
use relais::audit::{Job, LaneError, VersionCheck};
use relais::clock::Timestamp;
use relais::store::StoreError;

use crate::support::{Bed, engines};

#[test]
fn a_refused_or_panicking_change_leaves_its_neighbours_alone() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        let submit = |name: &'static str, refuse: bool, panic: bool| {
            let job = Job::new(bed.some_record());
            lane.submit(Priority::Session, job, move |tx: &mut relais::store::WriteTx, _| {
                tx.instance_set(name, "x")?;
                assert!(!panic, "a bug in a change");
                if refuse { Err(StoreError::Stale) } else { Ok(()) }
            })
        };
        let jobs = vec![
            submit("one", false, false),
            submit("two", true, false),
            submit("three", false, true),
            submit("one", false, false), // Breaks the primary key: the statement itself fails inside the transaction.
            submit("four", false, false),
        ];
        let outcomes: Vec<_> = jobs.into_iter().map(|j| j.wait()).collect();
        assert!(outcomes[0].is_ok() && outcomes[4].is_ok(), "{engine:?}");
        assert!(matches!(outcomes[1], Err(LaneError::Refused(StoreError::Stale))));
        assert!(matches!(outcomes[2], Err(LaneError::Panicked)));
        assert!(matches!(outcomes[3], Err(LaneError::Refused(StoreError::Database(_)))), "{engine:?}");
        let mut raw = bed.raw();
        assert_eq!(raw.int("SELECT count(*) FROM instance WHERE name IN ('one', 'two', 'three', 'four')"), 2);
        let report = bed.verified(None);
        assert!(report.holds() && report.records == 2, "{engine:?} {report:?}");
        thread.stop();
    }
}

#[test]
fn every_kind_of_version_is_compared_in_the_transaction() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        let (pathway, organisation) = bed.pathway(&lane);
        bed.raw().all(&[
            &format!(
                "INSERT INTO professional (id, version, login_index, state, created_at, body) VALUES ('p', 5, 'l', 'confirmed', 1, {})",
                if engine == crate::support::Engine::Sqlite { "x''" } else { "''" }
            ),
            &format!(
                "INSERT INTO assignment (id, version, professional, organisation, mission, profession, function, secrecy, secrecy_basis, starts_at, created_at) \
                 VALUES ('a', 6, 'p', '{organisation}', 'm', 'teacher', 'practitioner', 'not_bound', '', 1, 1)"
            ),
            "INSERT INTO session (id, version, token_hash, professional, created_at, seen_at, expires_at) VALUES ('s', 7, 't', 'p', 1, 1, 1)",
        ]);
        let rows = [
            (CheckKind::Pathway, pathway.as_str(), 1, "pathway"),
            (CheckKind::Organisation, organisation.as_str(), 1, "organisation"),
            (CheckKind::Professional, "p", 5, "professional"),
            (CheckKind::Assignment, "a", 6, "assignment"),
            (CheckKind::Session, "s", 7, "session"),
            (CheckKind::Charter, "charter", 1, "counter"),
        ];
        let ask = |checks: Vec<VersionCheck>| {
            lane.record(Priority::Session, Job::new(bed.some_record()).checked(checks)).wait().map(|_| ())
        };
        let check = |kind, id: &str, version| VersionCheck { kind, id: id.to_owned(), version };
        let all: Vec<_> = rows.iter().map(|(k, id, v, _)| check(*k, id, *v)).collect();
        assert_eq!(ask(all.clone()), Ok(()), "{engine:?}");
        for (kind, id, version, table) in rows {
            assert_eq!(ask(vec![check(kind, id, version + 1)]), Err(LaneError::Stale), "{table}");
            assert_eq!(ask(vec![check(kind, "nobody", version)]), Err(LaneError::Stale), "{table}: absent");
            bed.raw().exec(&format!("UPDATE {table} SET version = version + 1")).unwrap();
            assert_eq!(ask(all.clone()), Err(LaneError::Stale), "{engine:?} {table}");
            bed.raw().exec(&format!("UPDATE {table} SET version = version - 1")).unwrap();
        }
        assert_eq!(ask(all), Ok(()));
        thread.stop();
    }
}

#[test]
fn two_nodes_on_one_database_write_one_log() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let other = relais::store::Store::open(
            &bed.address,
            relais::store::InstanceKind::Real,
            bed.store.keyring().clone(),
        )
        .unwrap();
        let clock: std::sync::Arc<dyn relais::clock::Clock> = bed.clock.clone();
        let (one, first) = bed.lane();
        let (two, second) =
            relais::audit::Lane::start(other.backend().unwrap(), clock, Default::default()).unwrap();
        let (pathway, _) = bed.pathway(&one);
        let before = bed.verified(None).records;
        std::thread::scope(|scope| {
            for lane in [&one, &two] {
                for _ in 0..2 {
                    scope.spawn(|| {
                        for n in 0..125 {
                            if n % 5 == 0 {
                                let p = pathway.clone();
                                bed.write(lane, move |tx, _| tx.pathway_touch(&p)).unwrap();
                            } else {
                                bed.records(lane, 1);
                            }
                        }
                    });
                }
            }
        });
        let report = bed.verified(None);
        assert!(report.holds(), "{engine:?} {report:?}");
        assert_eq!(report.records, before + 500, "{engine:?}");
        assert_eq!(bed.raw().int("SELECT version FROM pathway"), 101, "{engine:?}: no change was lost");
        assert!(one.stopped().is_none() && two.stopped().is_none());
        first.stop();
        second.stop();
    }
}

#[test]
fn a_commit_that_fails_is_never_told_as_done() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        bed.records(&lane, 1);
        let mut raw = bed.raw();
        // A constraint that is only looked at when the transaction commits.
        match engine {
            crate::support::Engine::Sqlite => raw.all(&[
                "CREATE TABLE late (id TEXT REFERENCES instance(name) DEFERRABLE INITIALLY DEFERRED)",
                "CREATE TRIGGER spoil AFTER INSERT ON instance WHEN NEW.name = 'spoil' BEGIN INSERT INTO late VALUES ('nobody'); END",
            ]),
            #[cfg(feature = "postgres")]
            crate::support::Engine::Postgres => raw.all(&[
                "CREATE TABLE late (id TEXT REFERENCES instance(name) DEFERRABLE INITIALLY DEFERRED)",
                "GRANT INSERT ON late TO relais_lane",
                "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO late VALUES ('nobody'); RETURN NEW; END $$",
                "CREATE TRIGGER spoil AFTER INSERT ON instance FOR EACH ROW WHEN (NEW.name = 'spoil') EXECUTE FUNCTION spoil()",
            ]),
        }
        let failed = bed.write(&lane, |tx, _| tx.instance_set("spoil", "x"));
        assert!(matches!(failed, Err(LaneError::Unavailable)), "{engine:?} {failed:?}");
        assert_eq!(raw.int("SELECT count(*) FROM instance WHERE name = 'spoil'"), 0);
        // The next batch reads the head anew and goes on.
        bed.records(&lane, 2);
        let report = bed.verified(None);
        assert!(report.holds() && report.records == 3, "{engine:?} {report:?}");
        thread.stop();
    }
}

#[test]
fn a_decision_whose_time_has_passed_is_stale() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        bed.records(&lane, 1);
        let past = Timestamp::from_micros(1_800_000_000_000_000);
        let job = Job::new(bed.some_record()).valid_until(Some(past));
        assert_eq!(lane.record(Priority::Session, job).wait().map(|_| ()), Err(LaneError::Stale));
        assert_eq!(bed.verified(None).records, 1, "{engine:?}");
        thread.stop();
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_cut_connection_to_postgresql_gives_no_answer_and_then_heals() {
    for engine in engines() {
        if engine == crate::support::Engine::Sqlite {
            continue;
        }
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        bed.records(&lane, 3);
        let mut raw = bed.raw();
        for round in 0..3 {
            let cut = raw.int(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
            assert!(cut > 0, "somebody was connected");
            let lost = lane.record(Priority::Session, Job::new(bed.some_record())).wait();
            assert!(matches!(lost, Err(LaneError::Unavailable)), "round {round}: {lost:?}");
            bed.records(&lane, 2);
            assert!(bed.store.snapshot().is_ok(), "readers come back as well");
        }
        let report = bed.verified(None);
        assert!(report.holds() && report.records == 9, "{report:?}");
        assert!(lane.stopped().is_none());
        thread.stop();
    }
}
