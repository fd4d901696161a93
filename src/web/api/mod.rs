//! The JSON API, version 1: one file per area, each with its rows of the route table.

pub mod accords;
pub mod accounts;
pub mod audit;
pub mod charters;
pub mod circle;
pub mod emergencies;
pub mod handovers;
pub mod items;
pub mod looked;
pub mod meta;
pub mod pathways;
pub mod preparing;
pub mod prunings;
pub mod reidentifications;
mod rows;
pub mod sessions;
pub mod sharing;
pub mod statutes;
pub mod structures;
pub mod successions;
