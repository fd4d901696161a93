//! SECURITY §1, as the owner of the database would do it: triggers dropped, then each statement. The first bad index
//! must be named.

use relais::audit::verify::{Flaw, Place};

use crate::support::{Bed, Raw, engines};

/// Takes every guard away, as only an owner can.
pub fn unguard(raw: &mut Raw) {
    match raw {
        Raw::Sqlite(_) => {
            let names = raw.text("SELECT group_concat(name) FROM sqlite_schema WHERE type = 'trigger'");
            for name in names.split(',') {
                raw.exec(&format!("DROP TRIGGER {name}")).unwrap();
            }
        }
        #[cfg(feature = "postgres")]
        Raw::Postgres(_) => {
            for table in ["audit_leaf", "audit_index", "audit_detail", "audit_checkpoint"] {
                raw.exec(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).unwrap();
            }
        }
    }
}

struct Attack {
    name: &'static str,
    sql: &'static [&'static str],
    place: Place,
    flaws: &'static [Flaw],
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "a decision is edited",
        sql: &["UPDATE audit_leaf SET body = replace(body, '\"permit\"', '\"deny\"') WHERE idx = 7"],
        place: Place::Record(7),
        flaws: &[Flaw::LeafHash],
    },
    Attack {
        // Pruning is two people's act with a record of its own (see `pruning`): nothing else excuses an empty body.
        name: "records are pruned before their time",
        sql: &[
            "UPDATE audit_leaf SET body = NULL WHERE idx <= 4",
            "DELETE FROM audit_detail WHERE idx <= 4",
            "DELETE FROM audit_index WHERE idx <= 4",
        ],
        place: Place::Record(0),
        flaws: &[Flaw::BodyMissing],
    },
    Attack {
        name: "a record is made up and put at the end, with its copy",
        sql: &[
            "INSERT INTO audit_leaf SELECT 20, leaf_hash, nodes, replace(body, '\"read\"', '\"list\"'), retention_class FROM audit_leaf WHERE idx = 19",
            "INSERT INTO audit_index SELECT 20, at, actor, organisation, profession, 'list', pathway, purpose, decision FROM audit_index WHERE idx = 19",
            "UPDATE audit_head SET size = 21",
        ],
        place: Place::Record(20),
        flaws: &[Flaw::LeafHash],
    },
    Attack {
        name: "everything is truncated",
        sql: &["DELETE FROM audit_leaf", "DELETE FROM audit_index", "DELETE FROM audit_detail"],
        place: Place::Checkpoint(17),
        flaws: &[Flaw::CheckpointBeyond],
    },
    Attack {
        name: "a body is emptied",
        sql: &["UPDATE audit_leaf SET body = NULL WHERE idx = 3"],
        place: Place::Record(3),
        flaws: &[Flaw::BodyMissing],
    },
    Attack {
        name: "a stored hash is edited",
        sql: &[
            "UPDATE audit_leaf SET leaf_hash = (SELECT b.leaf_hash FROM audit_leaf b WHERE b.idx = 1) WHERE idx = 0",
        ],
        place: Place::Record(0),
        flaws: &[Flaw::LeafHash],
    },
    Attack {
        name: "interior hashes are edited",
        sql: &["UPDATE audit_leaf SET nodes = leaf_hash WHERE idx = 11"],
        place: Place::Record(11),
        flaws: &[Flaw::Nodes],
    },
    Attack {
        name: "one record is deleted",
        sql: &["DELETE FROM audit_leaf WHERE idx = 5", "DELETE FROM audit_index WHERE idx = 5"],
        place: Place::Record(5),
        flaws: &[Flaw::Gap],
    },
    Attack {
        name: "one record is deleted and the rest closes up",
        sql: &[
            "DELETE FROM audit_leaf WHERE idx = 15",
            "DELETE FROM audit_index WHERE idx = 15",
            "UPDATE audit_leaf SET idx = 15 WHERE idx = 16",
            "UPDATE audit_index SET idx = 15 WHERE idx = 16",
        ],
        place: Place::Record(15),
        flaws: &[Flaw::Nodes],
    },
    Attack {
        name: "two records change places",
        sql: &[
            "UPDATE audit_leaf SET idx = 1000 WHERE idx = 8",
            "UPDATE audit_leaf SET idx = 8 WHERE idx = 9",
            "UPDATE audit_leaf SET idx = 9 WHERE idx = 1000",
            "UPDATE audit_index SET idx = 1000 WHERE idx = 8",
            "UPDATE audit_index SET idx = 8 WHERE idx = 9",
            "UPDATE audit_index SET idx = 9 WHERE idx = 1000",
        ],
        place: Place::Record(8),
        flaws: &[Flaw::Nodes, Flaw::TimeBack],
    },
    Attack {
        name: "a record is put before the first",
        sql: &[
            "INSERT INTO audit_leaf SELECT -1, leaf_hash, nodes, body, retention_class FROM audit_leaf WHERE idx = 0",
        ],
        place: Place::Record(0),
        flaws: &[Flaw::Gap],
    },
    Attack {
        name: "a copy is put at the end",
        sql: &[
            "INSERT INTO audit_leaf SELECT 20, leaf_hash, nodes, body, retention_class FROM audit_leaf WHERE idx = 19",
        ],
        place: Place::Record(20),
        flaws: &[Flaw::Index],
    },
    Attack {
        name: "the searchable copy tells otherwise",
        sql: &["UPDATE audit_index SET decision = 'deny' WHERE idx = 12"],
        place: Place::Record(12),
        flaws: &[Flaw::Index],
    },
    Attack {
        name: "the searchable copy is gone",
        sql: &["DELETE FROM audit_index WHERE idx = 13"],
        place: Place::Record(13),
        flaws: &[Flaw::Index],
    },
    Attack {
        name: "a searchable copy of nothing",
        sql: &[
            "INSERT INTO audit_index SELECT 5000, at, actor, organisation, profession, action, pathway, purpose, decision FROM audit_index WHERE idx = 1",
        ],
        place: Place::Log,
        flaws: &[Flaw::IndexCount],
    },
    Attack {
        name: "another retention",
        sql: &["UPDATE audit_leaf SET retention_class = 'technical' WHERE idx = 2"],
        place: Place::Record(2),
        flaws: &[Flaw::Retention],
    },
    Attack {
        name: "the tail is cut",
        sql: &["DELETE FROM audit_leaf WHERE idx >= 18", "DELETE FROM audit_index WHERE idx >= 18"],
        place: Place::Log,
        flaws: &[Flaw::Head],
    },
    Attack {
        name: "the tail is cut below a checkpoint",
        sql: &[
            "DELETE FROM audit_leaf WHERE idx >= 9",
            "DELETE FROM audit_index WHERE idx >= 9",
            "UPDATE audit_head SET size = 9",
        ],
        place: Place::Checkpoint(17),
        flaws: &[Flaw::CheckpointBeyond],
    },
    Attack {
        name: "the head is edited",
        sql: &["UPDATE audit_head SET last_at = last_at + 1"],
        place: Place::Log,
        flaws: &[Flaw::Head],
    },
    Attack {
        name: "a checkpoint is edited",
        sql: &["UPDATE audit_checkpoint SET note = replace(note, '17', '16'), size = 16"],
        place: Place::Checkpoint(16),
        flaws: &[Flaw::CheckpointSignature],
    },
    Attack {
        name: "a checkpoint is not one",
        sql: &["UPDATE audit_checkpoint SET note = 'x'"],
        place: Place::Checkpoint(17),
        flaws: &[Flaw::CheckpointForm],
    },
];

const KEPT: [&str; 5] = ["audit_leaf", "audit_index", "audit_head", "audit_checkpoint", "audit_detail"];

#[test]
fn every_statement_of_an_owner_is_seen_and_its_first_index_named() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        bed.records(&lane, 17);
        bed.checkpoint();
        bed.records(&lane, 3);
        thread.stop();
        let whole = bed.verified(None);
        assert!(whole.holds() && whole.records == 20 && whole.checkpoints == 1, "{whole:?}");
        let mut raw = bed.raw();
        unguard(&mut raw);
        for table in KEPT {
            raw.exec(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).unwrap();
        }
        for attack in ATTACKS {
            raw.all(attack.sql);
            let report = bed.verified(None);
            let failure = report.failure.unwrap_or_else(|| panic!("{engine:?}: {} is not seen", attack.name));
            assert_eq!(failure.place, attack.place, "{engine:?} {}: {failure}", attack.name);
            assert!(attack.flaws.contains(&failure.flaw), "{engine:?} {}: {failure}", attack.name);
            for table in KEPT {
                raw.exec(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}"))
                    .unwrap();
            }
            assert!(bed.verified(None).holds(), "{engine:?}: restored after {}", attack.name);
        }
    }
}

#[test]
fn an_older_copy_put_back_is_seen_by_a_checkpoint_kept_elsewhere_and_by_a_running_node() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        bed.records(&lane, 5);
        let mut raw = bed.raw();
        raw.exec("CREATE TABLE kept_audit_head AS SELECT * FROM audit_head").unwrap();
        bed.records(&lane, 5);
        let kept = bed.checkpoint();
        // The head goes back under a running node: it stops rather than write a second history.
        unguard(&mut raw);
        raw.all(&[
            "DELETE FROM audit_leaf WHERE idx >= 5",
            "DELETE FROM audit_index WHERE idx >= 5",
            "DELETE FROM audit_detail WHERE idx >= 5",
            "DELETE FROM audit_checkpoint",
            "DELETE FROM audit_head",
            "INSERT INTO audit_head SELECT * FROM kept_audit_head",
        ]);
        assert!(
            bed.verified(None).holds(),
            "{engine:?}: the copy is whole in itself: that is why checkpoints are kept elsewhere"
        );
        let beyond = (Place::Given(Some(10)), Flaw::CheckpointBeyond);
        let seen = bed.verified(Some(&kept)).failure.unwrap();
        assert_eq!((seen.place, seen.flaw), beyond, "{engine:?}");
        let refused =
            lane.record(relais::audit::Priority::Session, relais::audit::Job::new(bed.some_record())).wait();
        assert!(refused.is_err(), "{engine:?}");
        assert!(lane.stopped().is_some(), "{engine:?}: the node has stopped");
        thread.stop();
        // A node that starts on it writes other records: the kept checkpoint still tells.
        let (lane, thread) = bed.lane();
        bed.records(&lane, 7);
        thread.stop();
        let seen = bed.verified(Some(&kept)).failure.unwrap();
        assert_eq!((seen.place, seen.flaw), (Place::Given(Some(10)), Flaw::CheckpointRoot), "{engine:?}");
    }
}

#[test]
fn a_reader_of_the_file_alone_sees_a_log_that_is_being_written() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        std::thread::scope(|scope| {
            scope.spawn(|| bed.records(&lane, 300));
            for _ in 0..5 {
                assert!(bed.verified(None).holds(), "{engine:?}");
            }
        });
        assert_eq!(bed.verified(None).records, 300);
        thread.stop();
    }
}

#[test]
fn details_are_held_against_their_records_where_the_key_is_given() {
    use relais::audit::note::VerifierKey;
    use relais::audit::verify::{Trust, verify};
    use relais::store::log::LogFile;
    for engine in engines() {
        let bed = Bed::new(engine);
        let (lane, thread) = bed.lane();
        bed.records(&lane, 6);
        thread.stop();
        let look = || {
            let mut log = LogFile::open(&bed.address).unwrap().with_details(bed.store.keyring()).unwrap();
            let vkey = VerifierKey::parse(&log.instance_value("log_vkey").unwrap().unwrap()).unwrap();
            let trust = Trust { origin: vkey.name(), keys: std::slice::from_ref(&vkey), given: None };
            verify(&mut log, &trust, &mut |_| {}).unwrap()
        };
        let report = look();
        assert!(report.holds() && report.details == 6, "{engine:?} {report:?}");
        let mut raw = bed.raw();
        unguard(&mut raw);
        raw.exec("UPDATE audit_detail SET salt = ciphertext WHERE idx = 4").unwrap();
        let seen = look().failure.unwrap();
        assert_eq!((seen.place, seen.flaw), (Place::Record(4), Flaw::Detail), "{engine:?}");
        raw.exec("UPDATE audit_detail SET ciphertext = salt WHERE idx = 2").unwrap();
        assert_eq!(look().failure.unwrap().place, Place::Record(2), "{engine:?}");
    }
}
