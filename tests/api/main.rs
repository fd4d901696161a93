//! The API through HTTPS on a running server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod edge;
mod headers;
mod openapi;
#[path = "../support/mod.rs"]
mod support;
