//! The API through HTTPS on a running server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod bad_input;
mod callers;
mod callers_asks;
mod callers_world;
mod canaries;
mod canaries_bed;
mod conditions;
mod edge;
mod headers;
mod kept_forms;
mod kept_rows;
mod lists;
mod openapi;
mod operations;
mod pages;
mod pages_audit;
mod pages_first;
mod races;
mod stories;
mod stories_course;
mod stories_family;
mod stories_s13;
mod stories_s4;
mod stories_time;
mod stories_world;
mod stories_worlds;
mod strict_bodies;
#[path = "../support/mod.rs"]
mod support;
