//! The only match on the engine, and the only raw SQL but for the lane's backend.

use diesel::connection::SimpleConnection;

use super::StoreError;
use super::connection::Db;
use crate::ids::AssignmentId;

/// Opens a read snapshot: everything read until it ends is of one moment.
pub(super) fn begin_snapshot(conn: &mut Db) -> Result<(), StoreError> {
    let sql = match conn {
        Db::Sqlite(_) => "BEGIN DEFERRED",
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    conn.batch_execute(sql).map_err(StoreError::from)
}

/// Opens a write transaction that holds the writer's lock from its first statement.
pub(super) fn begin_write(conn: &mut Db) -> Result<(), StoreError> {
    let sql = match conn {
        Db::Sqlite(_) => "BEGIN IMMEDIATE",
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => "BEGIN ISOLATION LEVEL READ COMMITTED",
    };
    conn.batch_execute(sql).map_err(StoreError::from)
}

/// From here to its end this snapshot reads under one assignment (or nobody's): on PostgreSQL row-level security then
/// leaves only the content of its own pathways. SQLite has no such net.
pub(super) fn act_as(conn: &mut Db, assignment: Option<&AssignmentId>) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(_) => {
            let _no_net_here = assignment;
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => {
            use diesel::prelude::*;
            use diesel::sql_types::{Bool, Text};
            let id = assignment.map_or("", AssignmentId::as_str);
            c.batch_execute("SET LOCAL ROLE relais_reader")?;
            let _set: String = diesel::select(
                diesel::dsl::sql::<Text>("set_config('relais.assignment', ")
                    .bind::<Text, _>(id)
                    .sql(", ")
                    .bind::<Bool, _>(true)
                    .sql(")"),
            )
            .get_result(c)?;
            Ok(())
        }
    }
}

/// The lane writes as a role that can read no ciphertext of content.
pub(super) fn enter_lane(conn: &mut Db) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(_) => Ok(()),
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => {
            // PostgreSQL waits for the disk only when told so; a server setting must not undo it (SECURITY §1).
            c.batch_execute("SET ROLE relais_lane; SET synchronous_commit = on").map_err(StoreError::from)
        }
    }
}

/// Empties the write-ahead log into the file, so that a destroyed key is in neither. PostgreSQL needs none here.
pub(super) fn checkpoint_truncate(conn: &mut Db) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(c) => c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").map_err(StoreError::from),
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => Ok(()),
    }
}

/// Writes a copy of the whole database, of one moment, into an empty file; writers go on meanwhile.
#[expect(clippy::disallowed_methods, reason = "this is the room of raw SQL")]
pub(super) fn copy_into(conn: &mut Db, file: &str) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(c) => {
            use diesel::prelude::*;
            // The engine's own means: a consistent copy, without free pages, so without what was erased.
            diesel::sql_query("VACUUM INTO ?").bind::<diesel::sql_types::Text, _>(file).execute(c)?;
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => Err(StoreError::Address),
    }
}

/// Whether every page and index of the file holds together; PostgreSQL has tools of its own.
pub(super) fn integrity(conn: &mut Db) -> Result<bool, StoreError> {
    match conn {
        Db::Sqlite(c) => {
            use diesel::prelude::*;
            let ask = diesel::dsl::sql::<diesel::sql_types::Text>(
                "(SELECT group_concat(integrity_check, ' ') FROM pragma_integrity_check)",
            );
            let said: String = diesel::select(ask).get_result(c)?;
            Ok(said == "ok")
        }
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => Ok(true),
    }
}

/// Takes the head row for this transaction. SQLite's `BEGIN IMMEDIATE` has taken the whole file already.
pub(super) fn lock_head(conn: &mut Db) -> Result<(), StoreError> {
    match conn {
        Db::Sqlite(_) => Ok(()),
        #[cfg(feature = "postgres")]
        Db::Postgres(c) => {
            c.batch_execute("SELECT size FROM audit_head WHERE id = 1 FOR UPDATE").map_err(StoreError::from)
        }
    }
}
