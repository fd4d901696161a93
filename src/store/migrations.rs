//! Migrations of both engines, embedded; `serve` refuses to start while one is pending.

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

/// Takes back every migration (tests of `down.sql`).
///
/// # Errors
/// When one of them fails.
#[cfg(test)]
pub(super) fn revert_all(conn: &mut Db) -> Result<usize, StoreError> {
    let done = match conn {
        Db::Sqlite(c) => c.revert_all_migrations(SQLITE).map_err(migration_error)?.len(),
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => c.revert_all_migrations(POSTGRES).map_err(migration_error)?.len(),
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

/// Compares the database's migrations with ours.
pub(super) fn standing(conn: &mut Db) -> Result<Standing, StoreError> {
    fn compare(applied: Vec<String>, ours: &[String], pending: usize) -> Standing {
        match applied.into_iter().find(|v| !ours.contains(v)) {
            Some(unknown) => Standing::Newer(unknown),
            None if pending > 0 => Standing::Pending(pending),
            None => Standing::Current,
        }
    }
    macro_rules! ask {
        ($conn:expr, $source:expr, $db:ty) => {{
            let applied = $conn.applied_migrations().map_err(migration_error)?;
            let pending = $conn.pending_migrations($source).map_err(migration_error)?.len();
            let ours = diesel::migration::MigrationSource::<$db>::migrations(&$source)
                .map_err(migration_error)?
                .iter()
                .map(|m| m.name().version().to_string())
                .collect::<Vec<_>>();
            compare(applied.iter().map(ToString::to_string).collect(), &ours, pending)
        }};
    }
    Ok(match conn {
        Db::Sqlite(c) => ask!(c, SQLITE, diesel::sqlite::Sqlite),
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => ask!(c, POSTGRES, diesel::pg::Pg),
    })
}
