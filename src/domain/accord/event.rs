//! What happened to an accord or a release, in the order in which it was recorded. Append-only.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::facts::{AccordError, RecipientKey};
use crate::clock::Timestamp;
use crate::domain::person::Reference;
use crate::domain::vocabulary::{Category, Mode, code_enum};
use crate::ids::{AccordId, AccordLineId, AssignmentId, HolderId};

/// Who signs, refuses, withdraws or opposes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signatory {
    YoungPerson,
    Holder(HolderId),
}

code_enum! {
    /// How the person who signed was recognised (LAW §5, record).
    Verification, "verification" {
        Known = "known", "Personne connue du professionnel";
        Document = "document", "Pièce présentée";
        CallBack = "call_back", "Rappel au numéro connu";
    }
}

code_enum! {
    /// The young person's opinion (never shown to a parent).
    Opinion, "opinion" {
        Favourable = "favourable", "D'accord";
        NoOpinion = "no_opinion", "Ne se prononce pas";
        Unfavourable = "unfavourable", "Pas d'accord";
    }
}

/// How a signature was given. Paper owns the place where the original is kept; no scan is stored. What was said aloud
/// owns that the sheet was read out; rows from before that was kept do not know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum How {
    Paper {
        original_at: Reference,
    },
    OralPresent {
        #[serde(default)]
        read_aloud: bool,
    },
    Telephone {
        #[serde(default)]
        read_aloud: bool,
    },
}

impl How {
    #[must_use]
    pub const fn mode(&self) -> Mode {
        match self {
            Self::Paper { .. } => Mode::Paper,
            Self::OralPresent { .. } => Mode::OralPresent,
            Self::Telephone { .. } => Mode::Telephone,
        }
    }
}

/// One signature: who, how, which boxes, and the Paris day written on the sheet (or of the conversation).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    pub by: Signatory,
    pub how: How,
    pub verified: Verification,
    /// The boxes ticked; nothing is ticked in advance.
    pub lines: BTreeSet<AccordLineId>,
    pub on: NaiveDate,
}

/// What a refusal, withdrawal or opposition covers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every accord and release, known to the recorder or not.
    Everything,
    /// The sheet on which it is recorded: its recipients for its purpose.
    Sheet,
    /// One line of that sheet.
    Line(AccordLineId),
    /// One recipient, for every purpose.
    Recipient(RecipientKey),
    /// One named person.
    Assignment(AssignmentId),
    /// One subject, for every recipient and purpose.
    Category(Category),
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    Printed,
    Signed(Signed),
    /// The sheet that confirms an earlier oral or telephone signature of the same person.
    SheetSigned {
        by: Signatory,
        on: NaiveDate,
        original_at: Reference,
    },
    /// The young person was heard. `Unfavourable` is a refusal of the sheet.
    Opinion {
        opinion: Opinion,
        on: NaiveDate,
    },
    Refused {
        by: Signatory,
        scope: Scope,
    },
    Withdrawn {
        by: Signatory,
        scope: Scope,
    },
    /// By a holder who did not sign, through any channel; acts as a withdrawal.
    Opposed {
        by: Signatory,
        scope: Scope,
    },
    /// Who collected the accord has talked with a child of 12 to 14 who refused.
    TalkHeld {
        by: AssignmentId,
        maintained: bool,
    },
    Replaced {
        by: AccordId,
    },
}

/// One event: `at` is the moment of recording, `seq` its order within the sheet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredEvent")]
pub struct Event {
    at: Timestamp,
    seq: u32,
    #[serde(flatten)]
    kind: EventKind,
}

#[derive(Deserialize)]
struct StoredEvent {
    at: Timestamp,
    seq: u32,
    #[serde(flatten)]
    kind: EventKind,
}

impl TryFrom<StoredEvent> for Event {
    type Error = AccordError;
    fn try_from(s: StoredEvent) -> Result<Self, AccordError> {
        Self::new(s.at, s.seq, s.kind)
    }
}

impl Event {
    /// # Errors
    /// [`AccordError`] when a signature ticks no box, or its day is after its recording or more than a year before.
    pub fn new(at: Timestamp, seq: u32, kind: EventKind) -> Result<Self, AccordError> {
        let day = at.paris_day();
        let stated = match &kind {
            EventKind::Signed(signed) => {
                if signed.lines.is_empty() {
                    return Err(AccordError::NothingSigned);
                }
                Some(signed.on)
            }
            EventKind::SheetSigned { on, .. } | EventKind::Opinion { on, .. } => Some(*on),
            EventKind::Printed
            | EventKind::Refused { .. }
            | EventKind::Withdrawn { .. }
            | EventKind::Opposed { .. }
            | EventKind::TalkHeld { .. }
            | EventKind::Replaced { .. } => None,
        };
        if let Some(on) = stated {
            let oldest = day.checked_sub_months(chrono::Months::new(12)).unwrap_or(day);
            if on > day || on < oldest {
                return Err(AccordError::SignatureDay { on, recorded: day });
            }
        }
        Ok(Self { at, seq, kind })
    }

    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    #[must_use]
    pub const fn seq(&self) -> u32 {
        self.seq
    }

    #[must_use]
    pub const fn kind(&self) -> &EventKind {
        &self.kind
    }

    /// When an act dated `on` counts against refusals and withdrawals: its recording when it was recorded the same
    /// day, else the first moment of its day. A late recording never jumps over a withdrawal in between.
    pub(crate) fn effective(&self, on: NaiveDate) -> Timestamp {
        if on == self.at.paris_day() { self.at } else { Timestamp::paris_midnight(on).min(self.at) }
    }
}
