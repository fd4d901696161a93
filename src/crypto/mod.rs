//! Keys, encryption at rest, signatures, passwords, certificates. The only room that knows `ring`.
//!
//! Mechanism: SECURITY §2 and §4; the formats are fixed in `docs/adr/0004-encryption-at-rest.md`.
//! This room decides nothing: who may read what is `access`'s business. It keeps no state and reads no clock.

pub mod certificates;
pub mod chance;
pub mod common_passwords;
pub mod envelope;
pub mod hash;
pub mod instance_keys;
pub mod kek;
pub mod keyring;
pub mod password;
mod sealing;
pub mod sign;
pub mod tls;
pub mod token;
pub mod totp;

#[cfg(test)]
mod frozen;
#[cfg(test)]
mod vectors;

pub use chance::SystemChance;
