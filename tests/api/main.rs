//! The API through HTTPS on a running server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod edge;
mod headers;
mod kept_forms;
mod openapi;
mod stories;
mod stories_course;
mod stories_time;
mod stories_world;
mod stories_worlds;
#[path = "../support/mod.rs"]
mod support;
