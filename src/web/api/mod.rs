//! The JSON API, version 1: one file per area, each with its rows of the route table.

pub mod accords;
pub mod statutes;
