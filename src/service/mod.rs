//! Use cases, one file each. A service opens one snapshot, asks the gate, and hands one job to the lane.
//!
//! INVARIANTS
//! * Order of every request: session → syntax → locate and decide → everything else (DESIGN §1).
//! * No answer about a pathway leaves before its record is committed; a record that cannot be committed is 503.
//! * A service never looks at content it does not return, and never at content without a grant.
//!
//! It knows neither HTTP nor SQL.

pub mod actions;
mod app;
mod auditing;
mod checkpoints;
pub mod chronology;
pub mod circle;
mod consultations;
mod error;
mod flow;
pub mod items;
pub mod notes;
#[cfg(test)]
mod pathway_tests;
pub mod pathways;
pub mod people;
pub mod reading;
mod shares_end;
mod tags;
#[cfg(test)]
pub(crate) mod testing;
pub mod who;

pub use app::{App, AppParts, detail_place};
pub use auditing::{
    Consistency, LogState, OrganisationName, RecordLine, RecordPage, RecordSearch, RecordWhole,
};
pub use consultations::{ConsultationLine, Consultations};
pub use error::{Explanation, ServiceError};
pub use flow::{Act, Call, Change, Created, Desk, IDLE_SECONDS, Idempotency, Scene, SignedIn};
