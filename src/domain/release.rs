//! The family's validation of the exact words of one item version, for one recipient and one purpose.
//!
//! Invariants: bound to its version, recipient and purpose; signed on paper by those who sign at level `informed` for
//! that purpose (a stay: one parent, and the young person from 15); recorded by somebody other than the recipient;
//! undone by any refusal, withdrawal or opposition that covers it; ended with majority when others signed it. An
//! accord whose notice showed the words is their release: that is read from the accord, nothing is copied.
//! It does not say when a release is needed: gate 7 does.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::accord::{
    Accord, AccordError, AccordState, Basis, ConsentFile, Event, EventKind, Judged, Line, LineKind,
    RecipientKey, Sheet, SheetRef, ShownVersion, Target, Whom, check_day, check_event, file_turns, judge,
    next_turn, only_line_state, turning_points,
};
use super::cell::Need;
use super::person::{People, PersonFacts};
use super::vocabulary::{Category, Purpose};
use crate::clock::Timestamp;
use crate::ids::{AccordLineId, AssignmentId, ItemVersionId, ReleaseId};

/// A release that cannot be recorded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReleaseError {
    #[error("the person is known under a nickname only: record the identity, by their own act, first")]
    NicknameOnly,
    #[error("a release is recorded by somebody other than its recipient")]
    RecordedByRecipient,
    #[error("a release shows one version, to one recipient who reads it")]
    NotOneVersion,
    #[error(transparent)]
    Event(#[from] AccordError),
}

/// Input for [`ReleaseFacts::new`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReleaseDraft {
    pub id: ReleaseId,
    /// The one box of the sheet, ticked by those who sign.
    pub line: AccordLineId,
    pub item_version: ItemVersionId,
    pub category: Category,
    pub purpose: Purpose,
    pub recipient: RecipientKey,
    pub only_assignment: Option<AssignmentId>,
    pub made_on: NaiveDate,
    pub recorded_by: AssignmentId,
    /// Organisation, profession and mission of who records.
    pub recorder: RecipientKey,
}

/// What the family was shown: fixed once written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredRelease")]
pub struct ReleaseFacts {
    id: ReleaseId,
    line: Line,
    purpose: Purpose,
    made_on: NaiveDate,
    recorded_by: AssignmentId,
    recorder: RecipientKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRelease {
    id: ReleaseId,
    line: Line,
    purpose: Purpose,
    made_on: NaiveDate,
    recorded_by: AssignmentId,
    recorder: RecipientKey,
}

impl TryFrom<StoredRelease> for ReleaseFacts {
    type Error = ReleaseError;
    fn try_from(s: StoredRelease) -> Result<Self, ReleaseError> {
        if s.line.shown.len() != 1
            || s.line.kind != LineKind::Recipient
            || !s.line.categories.is_empty()
            || !s.line.services.is_empty()
        {
            return Err(ReleaseError::NotOneVersion);
        }
        let facts = Self {
            id: s.id,
            line: s.line,
            purpose: s.purpose,
            made_on: s.made_on,
            recorded_by: s.recorded_by,
            recorder: s.recorder,
        };
        facts.check_recorder()?;
        Ok(facts)
    }
}

impl ReleaseFacts {
    /// # Errors
    /// [`ReleaseError`] when the recipient records it, or the person has no identity yet.
    pub fn new(draft: ReleaseDraft, person: &PersonFacts) -> Result<Self, ReleaseError> {
        if person.nickname_only() {
            return Err(ReleaseError::NicknameOnly);
        }
        let shown = ShownVersion { version: draft.item_version, category: draft.category };
        let facts = Self {
            id: draft.id,
            line: Line {
                id: draft.line,
                recipient: draft.recipient,
                only_assignment: draft.only_assignment,
                kind: LineKind::Recipient,
                categories: std::collections::BTreeSet::new(),
                shown: std::iter::once(shown).collect(),
                services: std::collections::BTreeSet::new(),
            },
            purpose: draft.purpose,
            made_on: draft.made_on,
            recorded_by: draft.recorded_by,
            recorder: draft.recorder,
        };
        facts.check_recorder()?;
        Ok(facts)
    }

    /// DESIGN §3: recorded by someone other than the recipient.
    fn check_recorder(&self) -> Result<(), ReleaseError> {
        if self.recorder == self.line.recipient
            || self.line.only_assignment.as_ref() == Some(&self.recorded_by)
        {
            return Err(ReleaseError::RecordedByRecipient);
        }
        Ok(())
    }

    #[must_use]
    pub const fn id(&self) -> &ReleaseId {
        &self.id
    }

    /// The box, the recipient and the version shown.
    #[must_use]
    pub const fn line(&self) -> &Line {
        &self.line
    }

    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    #[must_use]
    pub const fn made_on(&self) -> NaiveDate {
        self.made_on
    }

    #[must_use]
    pub const fn recorded_by(&self) -> &AssignmentId {
        &self.recorded_by
    }

    /// Organisation, profession and mission of who recorded it.
    #[must_use]
    pub const fn recorder(&self) -> &RecipientKey {
        &self.recorder
    }
}

/// A release with its events (the same as an accord's), sorted by moment and order of recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    facts: ReleaseFacts,
    events: Vec<Event>,
}

impl Release {
    #[must_use]
    pub fn new(facts: ReleaseFacts, mut events: Vec<Event>) -> Self {
        events.sort_by_key(|e| (e.at(), e.seq()));
        Self { facts, events }
    }

    #[must_use]
    pub const fn facts(&self) -> &ReleaseFacts {
        &self.facts
    }

    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The order of the next event.
    #[must_use]
    pub fn next_seq(&self) -> u32 {
        self.events.iter().map(Event::seq).max().map_or(0, |last| last.saturating_add(1))
    }

    /// Whether this event may be appended.
    ///
    /// # Errors
    /// [`ReleaseError::Event`] naming what does not hold.
    pub fn check(&self, event: &Event, people: &People<'_>) -> Result<(), ReleaseError> {
        if let EventKind::TalkHeld { by, .. } = event.kind()
            && by != self.facts.recorded_by()
        {
            return Err(AccordError::TalkByAnother.into());
        }
        check_day(self.facts.made_on, &self.events, event)?;
        check_event(std::slice::from_ref(&self.facts.line), &self.events, event, people)?;
        Ok(())
    }

    /// Where this sheet stands, by itself: what an accord or another sheet has released is not looked at.
    #[must_use]
    pub fn state(&self, file: &ConsentFile<'_>, now: Timestamp) -> AccordState {
        let line = &self.facts.line;
        let shown = line.shown.first();
        let target = Target {
            recipient: &line.recipient,
            whom: line.only_assignment.as_ref().map_or(Whom::Line, Whom::One),
            category: shown.map(|s| s.category),
            purpose: self.facts.purpose,
            version: shown.map(|s| &s.version),
            // As in `released`: the signatures of exact words.
            need: Need::Informed,
        };
        only_line_state(file, &self.sheet(), line, &target, now)
    }

    pub(crate) fn sheet(&self) -> Sheet<'_> {
        Sheet {
            id: SheetRef::Release(&self.facts.id),
            purpose: self.facts.purpose,
            starts: self.facts.made_on,
            ends: None,
            collected_by: &self.facts.recorded_by,
            lines: std::slice::from_ref(&self.facts.line),
            events: &self.events,
        }
    }
}

/// Were these exact words validated for this recipient and purpose?
#[derive(Clone, Copy, Debug)]
pub struct ReleaseQuery<'a> {
    pub item_version: &'a ItemVersionId,
    pub category: Category,
    pub purpose: Purpose,
    pub recipient: &'a RecipientKey,
    pub assignment: Option<&'a AssignmentId>,
}

/// What a release rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReleaseBasis {
    Release(ReleaseId),
    /// Signing a notice that shows the exact words is their release.
    Accord(Basis),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReleaseAnswer {
    pub released: bool,
    pub valid_until: Timestamp,
    pub basis: Option<ReleaseBasis>,
    pub signed_on: Option<NaiveDate>,
}

/// The fact `family_released`, from releases and from the accords whose notice showed the words.
#[must_use]
pub fn released(query: &ReleaseQuery<'_>, file: &ConsentFile<'_>, now: Timestamp) -> ReleaseAnswer {
    let target = Target {
        recipient: query.recipient,
        whom: query.assignment.map_or(Whom::Unknown, Whom::One),
        category: Some(query.category),
        purpose: query.purpose,
        version: Some(query.item_version),
        // The same signatures as for `informed`, whatever the cell of the category asks.
        need: Need::Informed,
    };
    // DESIGN §3: recorded by somebody other than the recipient, on whichever sheet the words were shown.
    let accords =
        file.accords.iter().filter(|a| a.facts().draft().collector != *query.recipient).map(Accord::sheet);
    let releases = file.releases.iter().map(Release::sheet);
    let mut turns = file_turns(file);
    let mut found: Option<(NaiveDate, ReleaseBasis)> = None;
    for sheet in releases.chain(accords).filter(|s| s.purpose == query.purpose) {
        turning_points(file, &sheet, &mut turns);
        for line in sheet.lines.iter().filter(|l| shows(l, query)) {
            match judge(file, &sheet, line, &target, now) {
                Judged::InForce { informed: true, signed_on } if found.is_none() => {
                    found = Some((signed_on, basis(&sheet, line)));
                }
                Judged::InForce { .. }
                | Judged::Incomplete { .. }
                | Judged::Upcoming
                | Judged::Expired { .. }
                | Judged::Closed { .. }
                | Judged::Replaced { .. } => {}
            }
        }
    }
    let valid_until = next_turn(&turns, now);
    match found {
        Some((signed_on, basis)) => {
            ReleaseAnswer { released: true, valid_until, basis: Some(basis), signed_on: Some(signed_on) }
        }
        None => ReleaseAnswer { released: false, valid_until, basis: None, signed_on: None },
    }
}

fn shows(line: &Line, query: &ReleaseQuery<'_>) -> bool {
    line.kind == LineKind::Recipient
        && line.matches(query.recipient, query.assignment)
        && line.shown.iter().any(|s| s.version == *query.item_version && s.category == query.category)
}

fn basis(sheet: &Sheet<'_>, line: &Line) -> ReleaseBasis {
    match sheet.id {
        SheetRef::Accord(id) => ReleaseBasis::Accord(Basis { accord: id.clone(), line: line.id.clone() }),
        SheetRef::Release(id) => ReleaseBasis::Release(id.clone()),
    }
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
