//! Accords: the family's consent to share, as facts and events, and the rules of LAW §5 over them.
//!
//! An accord is a head ([`AccordFacts`]) that never changes and events ([`Event`]) that are only appended. Every state
//! and every answer is computed from them at a given moment and never stored as truth.
//!
//! Invariants: denial is the default (an unknown signatory, age, line or period never permits); a refusal, withdrawal
//! or opposition wins a tie of time; an answer comes with the moment until which time alone cannot change it. It does
//! no I/O, knows no names and does not read the charter: the need of a cell comes in with the question.

mod event;
mod fact;
mod facts;
#[cfg(test)]
pub(crate) mod fixture;
mod judge;
mod objection;
#[cfg(test)]
mod properties;
mod signatories;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_sheet;

pub use event::{Event, EventKind, How, Opinion, Scope, Signatory, Signed, Verification};
pub use fact::{
    AccordQuery, Basis, ConsentFile, FactAnswer, NamedAnswer, accord_fact, acts_under_accord, named,
    named_by_own, named_lately, names_service, next_turn_of,
};
pub use facts::{
    Accord, AccordDraft, AccordError, AccordFacts, Interpreter, Language, Line, LineKind, NoticeMark,
    RecipientKey, ShownVersion,
};
pub use judge::EndsBy;
pub use signatories::{
    Awaited, Required, SignatorySlot, SigningQuestion, Unestablished, required_signatories,
};
pub use state::{AccordState, AccordStatus, End, LineStatus, state};

pub(crate) use fact::{file_turns, next_turn};
pub(crate) use facts::{check_day, check_event};
pub(crate) use judge::{Judged, Sheet, SheetRef, judge, turning_points};
pub(crate) use objection::{Target, Whom};
pub(crate) use signatories::signed_ahead;
pub(crate) use state::only_line_state;
