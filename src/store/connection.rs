//! One connection type over both engines, its settings, and the pool of readers.
//!
//! INVARIANT: a reader cannot write (`query_only` on SQLite, a READ ONLY transaction on PostgreSQL); the only writer
//! is the lane's backend.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};

use super::StoreError;

/// Where the data lives. An unknown address is refused: a typo must not create an empty database.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseAddress {
    /// A file; created only by `init`, `demo` and tests.
    Sqlite(PathBuf),
    /// `postgres://…`; needs the feature `postgres`.
    Postgres(String),
}

/// THREAT: the address of a server holds its password; it must not reach a log by way of `{:?}`.
impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

impl DatabaseAddress {
    /// Reads `postgres://…` or `sqlite:PATH`.
    ///
    /// # Errors
    /// [`StoreError::Address`] for anything else.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => Err(StoreError::Address),
        }
    }
}

/// A connection to either engine.
#[derive(diesel::MultiConnection)]
pub enum Db {
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
}

/// Creates the database file with mode 0600 before SQLite opens it (its WAL and shared memory inherit the mode).
///
/// # Errors
/// When the file exists or cannot be created.
pub(super) fn create_file(path: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|source| StoreError::File { path: path.to_owned(), source })
}

fn check_file(path: &Path) -> Result<(), StoreError> {
    let meta =
        std::fs::metadata(path).map_err(|source| StoreError::File { path: path.to_owned(), source })?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(StoreError::FileMode(path.to_owned()));
    }
    Ok(())
}

pub(super) fn establish(address: &DatabaseAddress, use_: Use) -> Result<Db, StoreError> {
    match address {
        DatabaseAddress::Sqlite(path) => {
            check_file(path)?;
            let name = path.to_str().ok_or(StoreError::Address)?;
            let mut c = SqliteConnection::establish(name).map_err(StoreError::Connect)?;
            // `secure_delete`: a destroyed wrapped key must not stay in a free page. `recursive_triggers`: without it
            // REPLACE skips the delete triggers that guard the log.
            c.batch_execute(
                "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
                 PRAGMA recursive_triggers = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; \
                 PRAGMA cell_size_check = ON;",
            )?;
            match use_ {
                Use::Write => c.batch_execute("PRAGMA journal_mode = WAL;")?,
                Use::Read => c.batch_execute("PRAGMA query_only = ON;")?,
            }
            Ok(Db::Sqlite(c))
        }
        #[cfg(feature = "postgres")]
        DatabaseAddress::Postgres(url) => {
            let mut c = PgConnection::establish(url).map_err(StoreError::Connect)?;
            c.batch_execute("SET synchronous_commit = on; SET TIME ZONE 'UTC'; SET lock_timeout = '5s';")?;
            if use_ == Use::Read {
                c.batch_execute("SET default_transaction_read_only = on;")?;
            }
            Ok(Db::Postgres(c))
        }
        #[cfg(not(feature = "postgres"))]
        DatabaseAddress::Postgres(_) => Err(StoreError::EngineNotBuilt),
    }
}

/// Makes readers for the pool.
#[derive(Debug)]
pub struct Readers {
    address: DatabaseAddress,
}

impl ManageConnection for Readers {
    type Connection = Db;
    type Error = StoreError;

    fn connect(&self) -> Result<Db, StoreError> {
        establish(&self.address, Use::Read)
    }

    fn is_valid(&self, conn: &mut Db) -> Result<(), StoreError> {
        conn.batch_execute("SELECT 1").map_err(StoreError::from)
    }

    fn has_broken(&self, _: &mut Db) -> bool {
        false
    }
}

pub(super) type Reader = PooledConnection<Readers>;

/// At most eight readers; waits three seconds for one, then the request is answered 503.
pub(super) fn pool(address: DatabaseAddress) -> Result<Pool<Readers>, StoreError> {
    Pool::builder()
        .max_size(8)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_secs(3))
        .test_on_check_out(true)
        .build(Readers { address })
        .map_err(|e| StoreError::Pool(e.to_string()))
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::{BigInt, Text};

    use super::*;

    fn file() -> (tempfile::TempDir, DatabaseAddress) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relais.db");
        create_file(&path).unwrap();
        (folder, DatabaseAddress::Sqlite(path))
    }

    fn sqlite(conn: &mut Db) -> &mut SqliteConnection {
        match conn {
            Db::Sqlite(c) => c,
            #[cfg(feature = "postgres")]
            Db::Postgres(_) => panic!("a file was opened"),
        }
    }

    fn pragma(conn: &mut Db, name: &str) -> i64 {
        let ask = diesel::dsl::sql::<BigInt>(&format!("(SELECT * FROM pragma_{name})"));
        diesel::select(ask).get_result(sqlite(conn)).unwrap()
    }

    #[test]
    fn every_connection_has_its_settings() {
        let (_folder, address) = file();
        for use_ in [Use::Write, Use::Read] {
            let mut conn = establish(&address, use_).unwrap();
            for (name, value) in [
                ("foreign_keys", 1),
                ("trusted_schema", 0),
                ("recursive_triggers", 1),
                ("secure_delete", 1),
                ("synchronous", 2),
                ("busy_timeout", 5000),
                ("cell_size_check", 1),
                ("query_only", i64::from(use_ == Use::Read)),
            ] {
                assert_eq!(pragma(&mut conn, name), value, "{use_:?} {name}");
            }
            let ask = diesel::dsl::sql::<Text>("(SELECT * FROM pragma_journal_mode)");
            let mode: String = diesel::select(ask).get_result(sqlite(&mut conn)).unwrap();
            assert_eq!(mode, "wal", "{use_:?}");
        }
    }

    #[test]
    fn a_reader_is_refused_every_write() {
        let (_folder, address) = file();
        establish(&address, Use::Write).unwrap().batch_execute("CREATE TABLE t (a INTEGER)").unwrap();
        let mut reader = establish(&address, Use::Read).unwrap();
        for sql in ["INSERT INTO t VALUES (1)", "DELETE FROM t", "DROP TABLE t", "CREATE TABLE u (a INTEGER)"]
        {
            assert!(reader.batch_execute(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn a_file_that_exists_is_never_created_over() {
        let (_folder, address) = file();
        let DatabaseAddress::Sqlite(path) = address else { panic!("SQLite") };
        assert!(matches!(create_file(&path), Err(StoreError::File { .. })));
    }
}
