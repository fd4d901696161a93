//! The program under faults, as a process of its own: killed under load, its disk full, its database cut off. What it
//! answered is in its log, and it goes on without repair.
//!
//! `RELAIS_LONG=1` kills it two hundred times instead of twenty. The cut and the three nodes need the feature `postgres` and
//! `RELAIS_TEST_POSTGRES`, as the tests of the store do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on must stop")]
#![expect(clippy::disallowed_methods, reason = "a real process lives in real time")]

#[cfg(feature = "postgres")]
mod cut;
mod disk;
mod killed;
#[cfg(feature = "postgres")]
mod nodes;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
mod postgres;
mod site;
mod starts;
mod witness;
