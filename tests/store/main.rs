//! One suite for both engines: SQLite always, PostgreSQL where `RELAIS_TEST_POSTGRES` names a server.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on must stop")]

mod attacks;
mod console;
mod guards;
mod lane;
mod opening;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
mod postgres;
mod pruning;
mod ready;
mod reconcile;
mod rewriting;
#[cfg(feature = "postgres")]
mod roles;
mod secrecy;
mod support;
mod upkeep;
mod verifier;
mod witnessed;
