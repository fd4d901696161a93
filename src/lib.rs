//! Relais: secure case coordination for individual pathways (parcours).
//!
//! Six words carry the architecture:
//!
//! * [`access::Actor`]: a professional acting under one assignment; only authentication makes one.
//! * [`access::Grant`]: the answer "yes" of the one decision function; private fields, not `Clone`, consumed by use.
//! * [`audit::Sealed`]: content fetched and decrypted under a grant, not yet readable.
//! * [`audit::Record`]: the audit leaf that describes an access or a refusal.
//! * [`audit::Disclosed`]: the same content, readable; made only after the commit of its record.
//! * [`audit::Lane`]: the single writer; every change and every record goes through it, in group commits.
//!
//! Arrows point down: `cli → startup → {web, jobs} → service → store → {access, audit} → {charter, crypto} → domain`.
//! `tests/architecture` reads the `use` lines and fails on an arrow that points up.

pub mod access;
pub mod audit;
pub mod charter;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod ids;
pub mod jobs;
pub mod service;
pub mod startup;
pub mod store;
pub mod web;
