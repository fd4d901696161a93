//! The command line: one file per command, no decision of its own.

pub mod charter;
