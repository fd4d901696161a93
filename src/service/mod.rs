//! Use cases, one file each. A service opens one snapshot, asks the gate, and hands one job to the lane.
//!
//! INVARIANTS
//! * Order of every request: session → syntax → locate and decide → everything else (DESIGN §1).
//! * No answer about a pathway leaves before its record is committed; a record that cannot be committed is 503.
//! * A service never looks at content it does not return, and never at content without a grant.
//!
//! It knows neither HTTP nor SQL.

mod accord_standing;
mod accord_views;
mod accords;
pub mod accounts;
pub mod actions;
pub mod addressees;
#[cfg(test)]
mod admission_tests;
mod anonymous;
mod app;
pub mod assignment_check;
mod auditing;
pub mod charter_reading;
pub mod charters;
pub mod checkpoints;
pub mod chronology;
pub mod circle;
mod consent;
#[cfg(test)]
mod consent_fixture;
#[cfg(test)]
mod consent_tests;
pub mod console;
mod consultations;
pub mod cosigning;
mod credentials;
pub mod danger;
mod decisions;
mod deferrals;
mod demonstration;
pub mod directory;
pub mod emergencies;
mod emergency_reviews;
mod error;
mod factor;
#[cfg(test)]
mod family_tests;
mod flow;
pub mod founding;
#[cfg(test)]
mod founding_tests;
mod greeting;
pub mod handovers;
#[cfg(test)]
mod hidden_office_tests;
pub mod import;
mod impossibilities;
pub mod invitations;
pub mod items;
pub mod kept_forms;
mod limiter;
mod log_keys;
mod looked;
pub mod losses;
pub mod measures;
pub mod members;
pub mod notes;
mod notices;
pub mod office;
mod openings;
#[cfg(test)]
pub(crate) mod pathway_tests;
pub mod pathways;
pub mod people;
pub mod preview;
pub mod ratings;
pub mod readiness;
pub mod reading;
mod readings;
mod receipts;
mod recognition;
mod reconciliation;
mod release_views;
mod releases;
pub mod retention;
mod rotation;
pub mod sessions;
pub mod share_views;
pub mod shares;
pub mod shares_corrected;
mod shares_end;
#[cfg(test)]
mod sharing_tests;
pub mod sheet_names;
pub mod siblings;
mod signatures;
pub mod spoken;
mod statute_list;
#[cfg(test)]
mod statute_service_tests;
mod statutes;
pub mod stay;
pub mod structures;
pub mod successions;
mod tags;
#[cfg(test)]
pub(crate) mod testing;
pub mod today;
pub mod transmissions;
pub mod who;
mod withdrawals;
pub mod witnesses;
pub mod writing;

pub use crate::store::account::AccountState;
pub use accord_standing::AccordStanding;
pub use accord_views::{
    AccordList, AccordView, AwaitedView, EventView, LineView, SeenAs, SheetEvent, SlotKind, SlotView,
    StateView,
};
pub use accords::{AccordInput, InterpreterInput, LineInput, NoticeView, SigningView};
pub use anonymous::Uncalled;
pub use app::{App, AppParts, detail_place};
pub use auditing::{
    Consistency, Console, DayCount, ExportDays, ExportInput, ExportReading, Figure, Finding, FindingKind,
    Identity, LEAST_COUNT, LEAST_PERSONS, LogExport, LogState, MOST_EXPORTED_DAYS, MOST_GIVEN,
    MOST_REPLAYED_DAYS, MonthlyReport, OrganisationName, PeriodReplay, PrunedRecords, PruningDecisionInput,
    PruningInput, PruningProspect, PruningProspects, PruningView, Prunings, RECORDS_A_PAGE, RecordLine,
    RecordPage, RecordSearch, RecordWhole, ReferentName, ReidentificationInput, ReidentificationView,
    Reidentifications, ReplayFinding, ReplayInput, ReplayView, ReportCheckpoint, ReportVerification,
    ReportWitness, ReviewFigure, ReviewInput, ReviewLine, ReviewPage, ReviewSearch, SecondOpinionInput,
    Verification, charter_versions,
};
pub use consent::{RecipientInput, RecipientView, Said};
pub use console::{Author, Office};
pub use consultations::{ConsultationLine, Consultations};
pub use credentials::{FactorCode, Login};
pub use decisions::{AwaitedDecision, AwaitedDecisions, AwaitedKind};
pub use deferrals::{DeferralDecision, DeferralInput, DeferralLine, DeferralList, DeferralStanding};
pub use emergency_reviews::{EmergencyCase, EmergencyCases, EmergencyReviewInput};
pub use error::{Explanation, ServiceError};
pub use flow::{
    ALREADY_RECORDED, Act, Call, Change, Created, Desk, IDLE_SECONDS, Idempotency, Scene, SignedIn,
};
pub use greeting::{AwaitedAssignment, Greeting, Signer};
pub use impossibilities::{ImpossibilityDecision, ImpossibilityInput, MotiveInput};
pub use looked::{KeptBack, LookedLine, LookedSheet, ProofHint, SheetAsk, SheetOffice, SheetReaders};
pub use notices::{BOX, NOTICE_VERSION, NoticeText, of_name, plain_purpose};
pub use receipts::{OwnAct, OwnActs};
pub use recognition::{Colleague, SecondPerson, ToConfirm};
pub use reconciliation::Compared;
pub use release_views::{ReleaseList, ReleaseView};
pub use releases::ReleaseInput;
pub use rotation::Rotation;
pub use signatures::{
    Channel, Happening, HowInput, NoInput, OpinionInput, SheetId, SheetInput, SignatureInput, TalkInput,
};
pub use statute_list::{StatuteLine, StatuteList, StatuteState};
pub use statutes::{
    DecisionKind, DecisionWords, InformationInput, StatuteDecision, StatuteInput, StatuteRecipientView,
    StatuteView, StatuteWhole,
};
pub use withdrawals::{RunningStay, ScopeInput, WithdrawalInput, WithdrawalView};
pub use witnesses::{WitnessLink, WitnessState, Witnesses};
