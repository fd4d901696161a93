//! The JSON API, version 1: one file per area, each with its rows of the route table.

pub mod accounts;
pub mod audit;
pub mod charters;
pub mod handovers;
pub mod meta;
pub mod sessions;
pub mod sharing;
pub mod structures;
pub mod successions;
pub mod circle;
pub mod items;
pub mod pathways;
mod rows;
