//! The charter: reads a charter folder, holds it against the legal ceiling, compiles it to the decision matrix, compares
//! versions, prints it for people; and the pure rule of gates 5 to 7 ([`table::judge`]).
//!
//! Invariants: a charter can only tighten the ceiling; what is published has been computed three ways and all agree on
//! every cell ([`Charter::publish`]); casbin is never on the request path. This room does not know who asks, nor any
//! pathway: `access` does.

pub mod base;
mod diff;
mod engine;
mod error;
mod folder;
pub mod french;
pub mod matrix;
pub mod policy;
pub mod print;
pub mod proof;
pub mod reader;
pub mod reference;
pub mod sheet;
pub mod table;
pub mod vocabulary;

pub use diff::diff;
pub use error::{CharterError, Finding, Findings};
pub use folder::Charter;
pub use matrix::{Clause, Matrix, MatrixRow};
pub use sheet::{Pack, Sheet};
pub use table::{Judgement, judge, judge_cell};
