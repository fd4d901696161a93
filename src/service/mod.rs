//! Use cases, one file each. A service opens one snapshot, asks the gate, and hands one job to the lane.
//!
//! INVARIANTS
//! * Order of every request: session → syntax → locate and decide → everything else (DESIGN §1).
//! * No answer about a pathway leaves before its record is committed; a record that cannot be committed is 503.
//! * A service never looks at content it does not return, and never at content without a grant.
//!
//! It knows neither HTTP nor SQL.

pub mod accounts;
#[cfg(test)]
mod admission_tests;
mod anonymous;
mod app;
pub mod charters;
pub mod console;
mod credentials;
pub mod directory;
mod error;
mod flow;
pub mod founding;
#[cfg(test)]
mod founding_tests;
pub mod import;
mod limiter;
mod recognition;
pub mod sessions;
pub mod structures;
mod tags;
#[cfg(test)]
pub(crate) mod testing;

pub use anonymous::Uncalled;
pub use app::{App, AppParts, detail_place};
pub use console::{Author, Office};
pub use credentials::{FactorCode, Login};
pub use error::{Explanation, ServiceError};
pub use flow::{Act, Call, Change, Created, Desk, IDLE_SECONDS, Idempotency, Scene, SignedIn};
