//! The command line: one file per command; errors say what to do next.

pub mod audit;
pub mod certs;
pub mod charter;
