//! One file per command.

pub mod certs;
