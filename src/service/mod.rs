//! Use cases, one file each. A service opens one snapshot, asks the gate, and hands one job to the lane.
//!
//! INVARIANTS
//! * Order of every request: session → syntax → locate and decide → everything else (DESIGN §1).
//! * No answer about a pathway leaves before its record is committed; a record that cannot be committed is 503.
//! * A service never looks at content it does not return, and never at content without a grant.
//!
//! It knows neither HTTP nor SQL.

mod app;
mod auditing;
mod checkpoints;
mod consultations;
pub mod danger;
mod error;
mod flow;
pub mod handovers;
pub mod members;
pub mod people;
pub mod preview;
mod readings;
pub mod share_views;
pub mod shares;
#[cfg(test)]
mod sharing_tests;
pub mod spoken;
pub mod successions;
mod tags;
#[cfg(test)]
pub(crate) mod testing;
pub mod transmissions;
pub mod who;

pub use app::{App, AppParts, detail_place};
pub use auditing::{
    Consistency, LogState, OrganisationName, RecordLine, RecordPage, RecordSearch, RecordWhole,
};
pub use consultations::{ConsultationLine, Consultations};
pub use error::{Explanation, ServiceError};
pub use flow::{Act, Call, Change, Created, Desk, IDLE_SECONDS, Idempotency, Scene, SignedIn};
