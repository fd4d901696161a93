//! Use cases, one file each. A service opens one snapshot, asks the gate, and hands one job to the lane.
//!
//! INVARIANTS
//! * Order of every request: session → syntax → locate and decide → everything else (DESIGN §1).
//! * No answer about a pathway leaves before its record is committed; a record that cannot be committed is 503.
//! * A service never looks at content it does not return, and never at content without a grant.
//!
//! It knows neither HTTP nor SQL.

mod accords;
mod app;
mod consent;
#[cfg(test)]
mod consent_fixture;
#[cfg(test)]
mod consent_tests;
mod error;
mod flow;
mod impossibilities;
mod notices;
mod releases;
mod signatures;
#[cfg(test)]
mod statute_service_tests;
mod statutes;
#[cfg(test)]
pub(crate) mod testing;
mod withdrawals;

pub use accords::{
    AccordInput, AccordList, AccordView, AwaitedView, EventView, InterpreterInput, LineInput, LineView,
    NoticeView, SeenAs, SigningView, SlotView, StateView,
};
pub use app::{App, AppParts, detail_place};
pub use consent::{RecipientInput, RecipientView, Said};
pub use error::{Explanation, ServiceError};
pub use flow::{Act, Call, Change, Created, Desk, IDLE_SECONDS, Idempotency, Scene, SignedIn};
pub use impossibilities::{ImpossibilityDecision, ImpossibilityInput};
pub use notices::{NOTICE_VERSION, NoticeText};
pub use releases::ReleaseInput;
pub use signatures::{
    Channel, Happening, NoInput, OpinionInput, SheetId, SheetInput, SignatureInput, TalkInput,
};
pub use statutes::{
    AwaitedDecision, AwaitedDecisions, AwaitedKind, DecisionKind, DecisionWords, InformationInput,
    StatuteDecision, StatuteInput, StatuteRecipientView, StatuteView, StatuteWhole,
};
pub use withdrawals::{RunningStay, ScopeInput, WithdrawalInput, WithdrawalView};
