//! Migrations of both engines, embedded; `serve` refuses to start while one is pending.

use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::StoreError;
use super::connection::Db;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

fn migration_error(source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Migration(source.to_string())
}

/// Runs what is pending; returns how many ran.
pub(super) fn run(conn: &mut Db) -> Result<usize, StoreError> {
    let done = match conn {
        Db::Sqlite(c) => c.run_pending_migrations(SQLITE).map_err(migration_error)?.len(),
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => c.run_pending_migrations(POSTGRES).map_err(migration_error)?.len(),
    };
    Ok(done)
}

/// What the database says of its own version.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Current,
    Pending(usize),
    /// The database knows a migration that this program does not: it was made by a newer one.
    Newer(String),
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

/// The versions of our migrations of this engine.
fn ours(conn: &Db) -> Result<Vec<String>, StoreError> {
    macro_rules! versions {
        ($source:expr, $db:ty) => {
            diesel::migration::MigrationSource::<$db>::migrations(&$source)
                .map_err(migration_error)?
                .iter()
                .map(|m| m.name().version().to_string())
                .collect()
        };
    }
    Ok(match conn {
        Db::Sqlite(_) => versions!(SQLITE, diesel::sqlite::Sqlite),
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => versions!(POSTGRES, diesel::pg::Pg),
    })
}

/// Compares the database's migrations with ours. Reads only: Diesel's own harness would create its table first, which
/// neither a reader nor the server's role may do.
pub(super) fn standing(conn: &mut Db) -> Result<Standing, StoreError> {
    use __diesel_schema_migrations::dsl;
    let ours = ours(conn)?;
    let applied: Vec<String> = match dsl::__diesel_schema_migrations.select(dsl::version).load(conn) {
        Ok(found) => found,
        // An empty database has no such table yet: everything is pending.
        Err(diesel::result::Error::DatabaseError(_, said))
            if said.message().contains("__diesel_schema_migrations") =>
        {
            Vec::new()
        }
        Err(e) => return Err(e.into()),
    };
    Ok(match applied.iter().find(|v| !ours.contains(v)) {
        Some(unknown) => Standing::Newer(unknown.clone()),
        None => match ours.iter().filter(|v| !applied.contains(v)).count() {
            0 => Standing::Current,
            pending => Standing::Pending(pending),
        },
    })
}

/// Takes the last migration back: the database of the program before this one.
#[cfg(test)]
pub(super) fn back(conn: &mut Db) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(c) => c.revert_last_migration(SQLITE).map(drop).map_err(migration_error),
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => c.revert_last_migration(POSTGRES).map(drop).map_err(migration_error),
    }
}
