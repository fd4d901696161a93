//! Creating, opening, refusing; migrations and settings.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use relais::clock::Timestamp;
use relais::crypto::SystemChance;
use relais::crypto::keyring::KeyringError;
use relais::store::{DatabaseAddress, InstanceKind, Store, StoreError};

use crate::support::{Bed, Engine, Raw, engines, keyring};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

fn revert_all(raw: &mut Raw) -> usize {
    match raw {
        Raw::Sqlite(c) => c.revert_all_migrations(SQLITE).unwrap().len(),
        #[cfg(feature = "postgres")]
        Raw::Postgres(c) => c.revert_all_migrations(POSTGRES).unwrap().len(),
    }
}

fn tables(raw: &mut Raw) -> i64 {
    match raw {
        Raw::Sqlite(_) => raw.int(
            "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'trigger', 'index') \
             AND name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        ),
        #[cfg(feature = "postgres")]
        Raw::Postgres(_) => raw.int(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'public' AND c.relname NOT LIKE '\\_\\_diesel%'",
        ) + raw.int("SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'"),
    }
}

#[test]
fn migrations_go_down_to_nothing_and_up_again() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let mut raw = bed.raw();
        let before = tables(&mut raw);
        let undone = revert_all(&mut raw);
        assert_eq!(tables(&mut raw), 0, "{engine:?}: down leaves nothing behind");
        assert!(matches!(
            Store::open(&bed.address, InstanceKind::Real, bed.store.keyring().clone()),
            Err(StoreError::MigrationsPending(n)) if n == undone
        ));
        assert_eq!(Store::migrate(&bed.address).unwrap(), undone);
        assert_eq!(tables(&mut raw), before, "{engine:?}");
        assert_eq!(Store::migrate(&bed.address).unwrap(), 0);
    }
}

/// Column name → (type, may be absent), of each table, as `schema.rs` has it.
type Tables = BTreeMap<String, BTreeMap<String, (String, bool)>>;

fn declared() -> Tables {
    let text = include_str!("../../src/store/schema.rs");
    let mut tables = Tables::new();
    for block in text.split("diesel::table! {").skip(1) {
        let block = &block[..block.find("\n}").unwrap()];
        let name = block.trim().split(' ').next().unwrap().to_owned();
        let columns = block
            .lines()
            .filter_map(|line| line.trim().trim_end_matches(',').split_once(" -> "))
            .map(|(column, kind)| {
                let inner = kind.strip_prefix("Nullable<").and_then(|k| k.strip_suffix('>'));
                (column.to_owned(), (inner.unwrap_or(kind).to_owned(), inner.is_some()))
            })
            .collect();
        tables.insert(name, columns);
    }
    tables
}

fn found(raw: &mut Raw) -> Tables {
    let rows = match raw {
        Raw::Sqlite(_) => raw.text(
            "SELECT group_concat(m.name || ' ' || c.name || ' ' || c.type || ' ' || (c.\"notnull\" = 0 AND c.pk = 0), ';') \
             FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' \
             AND m.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'",
        ),
        #[cfg(feature = "postgres")]
        Raw::Postgres(_) => raw.text(
            "SELECT string_agg(table_name || ' ' || column_name || ' ' || data_type || ' ' || (is_nullable = 'YES')::int, ';') \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'",
        ),
    };
    let mut tables = Tables::new();
    for row in rows.split(';') {
        let words: Vec<&str> = row.split(' ').collect();
        let kind = match words[2] {
            "TEXT" | "text" => "Text",
            "INTEGER" | "bigint" => "BigInt",
            "BLOB" | "bytea" => "Binary",
            other => panic!("{row}: a type `{other}` that the schema does not use"),
        };
        let nullable = words[3] == "1";
        tables
            .entry(words[0].to_owned())
            .or_default()
            .insert(words[1].to_owned(), (kind.to_owned(), nullable));
    }
    tables
}

#[test]
fn the_schema_that_the_program_reads_is_the_one_that_migrations_make() {
    let declared = declared();
    assert!(declared.len() > 20);
    for engine in engines() {
        let found = found(&mut Bed::new(engine).raw());
        assert_eq!(found, declared, "{engine:?}");
    }
}

#[test]
fn files_are_for_their_owner_only_and_others_are_refused() {
    let bed = Bed::new(Engine::Sqlite);
    let (lane, thread) = bed.lane();
    bed.records(&lane, 3);
    for suffix in ["", "-wal", "-shm"] {
        let path = bed.folder.path().join(format!("relais.db{suffix}"));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
    thread.stop();
    let path = bed.folder.path().join("relais.db");
    for mode in [0o640, 0o604, 0o660] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = Store::open(&bed.address, InstanceKind::Real, bed.store.keyring().clone());
        let Err(StoreError::FileMode(named)) = refused else { panic!("{mode:o} is not refused") };
        assert_eq!(named, path);
    }
}

#[test]
fn what_is_not_an_address_creates_nothing() {
    for bad in ["", "relais.db", "sqlite:", "mysql://x", "Sqlite:x", "file:x", "postgres:/x"] {
        assert!(matches!(DatabaseAddress::parse(bad), Err(StoreError::Address)), "{bad}");
    }
    assert!(matches!(DatabaseAddress::parse("postgres://h/d"), Ok(DatabaseAddress::Postgres(_))));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing.db");
    let opened =
        Store::open(&DatabaseAddress::Sqlite(path.clone()), InstanceKind::Real, keyring(&folder, "kek"));
    assert!(matches!(opened, Err(StoreError::File { .. })));
    assert!(!path.exists(), "a typo must not create a database");
}

#[test]
fn a_database_is_refused_when_it_is_newer_older_or_of_another_kind_or_key() {
    for engine in engines() {
        let bed = Bed::new(engine);
        let keys = bed.store.keyring().clone();
        let open = |kind| Store::open(&bed.address, kind, keys.clone());
        assert!(matches!(
            open(InstanceKind::Demo),
            Err(StoreError::InstanceKind { found, wanted: "demo" }) if found == "real"
        ));
        assert_eq!(Store::kind_of(&bed.address).unwrap().as_deref(), Some("real"));
        let wrong = Store::open(&bed.address, InstanceKind::Real, keyring(&bed.folder, "other"));
        assert!(matches!(wrong, Err(StoreError::Keyring(KeyringError::OtherKek { .. }))), "{engine:?}");
        let again = Store::create(
            &bed.address,
            InstanceKind::Real,
            keys.clone(),
            &SystemChance::new(),
            Timestamp::from_micros(1),
        );
        assert!(again.is_err(), "{engine:?}: what exists is not created again");
        let mut raw = bed.raw();
        raw.exec("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')").unwrap();
        assert!(
            matches!(open(InstanceKind::Real), Err(StoreError::NewerDatabase(v)) if v == "20991231000001")
        );
        assert!(matches!(Store::migrate(&bed.address), Err(StoreError::NewerDatabase(_))));
        raw.exec("DELETE FROM __diesel_schema_migrations WHERE version = '20991231000001'").unwrap();
        assert!(open(InstanceKind::Real).is_ok());
        raw.exec("DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)")
            .unwrap();
        assert!(matches!(open(InstanceKind::Real), Err(StoreError::MigrationsPending(1))), "{engine:?}");
    }
}

#[test]
fn a_reader_cannot_write() {
    for engine in engines() {
        let bed = Bed::new(engine);
        // Its only way to the database is a snapshot, and every statement that writes is a method of the lane's side;
        // what remains is the setting of the connection, which the owner of a snapshot cannot change.
        let mut snapshot = bed.store.snapshot().unwrap();
        assert_eq!(snapshot.charter_version().unwrap(), 1);
        let (lane, thread) = bed.lane();
        bed.records(&lane, 1);
        // A snapshot is of one moment, whatever is committed meanwhile.
        assert_eq!(snapshot.log_frontier().unwrap().size(), 0, "{engine:?}");
        drop(snapshot);
        assert_eq!(bed.store.snapshot().unwrap().log_frontier().unwrap().size(), 1);
        thread.stop();
    }
}
