//! The JSON API, version 1: one file per area, each with its rows of the route table.

pub mod accounts;
pub mod charters;
pub mod meta;
pub mod sessions;
pub mod structures;
