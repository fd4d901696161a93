//! HTTP: the table of every route, and what turns requests into service calls and results into bytes.
//!
//! INVARIANTS
//! * Every route is a row of [`routes::all`]; a test walks it with every kind of caller.
//! * A body about a pathway is made from a [`crate::audit::Disclosed`] only.
//! * Refused and absent are the same bytes.
//! * Every answer passes `response`, which adds the headers of SECURITY §4.

mod adapter;
pub mod api;
pub mod form;
mod kept;
pub mod metrics;
pub mod openapi;
pub mod pages;
mod problem;
mod query;
mod request;
mod response;
pub mod route;
pub mod routes;
pub mod server;
mod spreadsheet;
mod stream;
pub mod witness;

pub use kept::keeps_forms_of;
