//! The one function that decides. Facts in, [`Decision`] out; a permit becomes a [`Grant`], without which `store`
//! returns no content.
//!
//! INVARIANTS
//! * [`item::decide`] and [`resource::decide`] are the only places that say yes. Read, list, count, search, export, preview,
//!   notification and API all ask them (R13).
//! * Denial is the default: an unknown fact, age, signatory or profession denies.
//! * Whoever may not know that a participation exists learns it from nothing (`existence`, S11).
//!
//! It reads nothing, writes nothing and knows no clock.

mod actor;
mod awaiting;
mod common_gates;
mod emergency;
mod ended;
mod existence;
pub mod facts;
mod gate;
mod item;
mod memo;
mod resource;
mod standing;
#[cfg(test)]
mod tests;

pub use actor::{Actor, SessionStamp};
pub use awaiting::awaits_validation;
pub use emergency::may_review as may_review_emergency;
pub use ended::reading_ended;
pub use existence::{
    Existence, concerns_office, hidden_from, knows, may_know, may_know_naming, office_knows,
    office_knows_place, reads_every_existence,
};
pub use gate::{Gate, Grant, ItemGrant, Refusal, Target};
pub use item::{
    Decision, Failing, Mode, Question, REVIEW_GRACE_DAYS, decide as decide_item, named_in_force,
    purposes_open_to,
};
pub use resource::{Resource, decide as decide_resource, sees_in_circle};
pub use standing::{CharterBook, Edition, Standing};
