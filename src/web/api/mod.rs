//! The JSON API, version 1: one file per area, each with its rows of the route table.

pub mod audit;
pub mod handovers;
pub mod meta;
pub mod sharing;
pub mod successions;
