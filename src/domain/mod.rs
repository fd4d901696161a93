//! The words of the field, pure: no I/O, no Diesel, no actix. Everything above depends on this room and it depends
//! on nothing but [`crate::ids`] and [`crate::clock`].

pub mod accord;
pub mod acronyms;
pub mod cell;
pub mod contact;
pub mod day;
pub mod deferral;
pub mod emergency;
pub mod explain;
pub mod hours;
pub mod item;
pub mod lists;
pub mod person;
pub mod pruning;
pub mod record;
pub mod reidentification;
pub mod release;
pub mod rules;
pub mod secrecy;
pub mod spreadsheet;
pub mod statute;
pub mod text;
pub mod vocabulary;
pub mod watch;
