//! Tables, transactions and ciphertext at rest. The only room that knows Diesel.
//!
//! INVARIANTS
//! * Content leaves this room only as [`crate::audit::Sealed`], and only for a [`crate::access::Grant`].
//! * Facts (what decisions are taken on) leave it unsealed, but they carry no words.
//! * Everything that changes goes through the lane's backend (`backend.rs`), in its transaction.
//! * A database error is never "not found" and never "no".
//!
//! It does *not* decide who may read what, and it makes no keys.

pub mod account;
mod backend;
mod backup;
pub mod charter;
mod connection;
mod delay;
mod dialect;
pub mod durable;
mod emergency;
pub mod fact;
pub mod idempotency;
pub mod image;
pub mod invitation;
pub mod item;
pub mod kept_form;
pub mod keys;
pub mod log;
mod migrations;
pub mod organisation;
pub mod pathway;
pub mod pruning;
pub mod rating;
pub mod reconcile;
pub mod reidentification;
pub mod retention;
pub mod review;
mod room;
#[rustfmt::skip]
mod schema;
mod seal;
mod snapshot;
mod tx;

use std::path::PathBuf;

pub use backend::DieselBackend;
pub use backup::file_holds;
#[cfg(test)]
pub(crate) use backup::of_before;
pub use connection::DatabaseAddress;
pub use snapshot::{InstanceKind, NewKey, Snapshot, Store};
pub use tx::WriteTx;

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database address is neither `postgres://…` nor `sqlite:PATH`")]
    Address,
    #[error("this program was built without PostgreSQL: build it with `--features postgres`")]
    EngineNotBuilt,
    #[error("the database file `{path}` cannot be used: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the database file `{0}` can be read by others: run `chmod 600` on it")]
    FileMode(PathBuf),
    #[error("the database cannot be reached: {0}")]
    Connect(diesel::ConnectionError),
    #[error("no database connection is free: {0}")]
    Pool(String),
    #[error("a migration failed: {0}")]
    Migration(String),
    #[error("{0} migration(s) are pending: run `relais migrate`")]
    MigrationsPending(usize),
    #[error("the database was made by a newer version of Relais (migration `{0}`): use that version")]
    NewerDatabase(String),
    #[error("the database is of another kind (`{found}`): this command needs `{wanted}`")]
    InstanceKind { found: String, wanted: &'static str },
    #[error("the database does not answer: {0}")]
    Database(#[from] diesel::result::Error),
    #[error("a stored value of `{table}` does not read back: {what}")]
    Corrupt { table: &'static str, what: String },
    #[error(transparent)]
    Keyring(#[from] crate::crypto::keyring::KeyringError),
    #[error("the row changed meanwhile")]
    Stale,
    #[error("the key of this pathway was destroyed")]
    KeyDestroyed,
    #[error("what was erased is still in the write-ahead log, because somebody was reading: do it again")]
    StillInJournal,
}

impl StoreError {
    pub(crate) fn corrupt(table: &'static str, what: &dyn std::fmt::Display) -> Self {
        Self::Corrupt { table, what: what.to_string() }
    }
}
