//! The young person and those who hold authority over them, as facts that the consent engine reads.
//!
//! Invariants: a date that makes no sense is refused on entry; an unknown birth date counts as under 15 for signing
//! (parents sign, the young person's opinion is asked: the band 12-14), is never 18, and proves no minority for the
//! statute. A holder who is a service or acts by decision carries a document and an end. Periods are half-open, in
//! Paris days. It does not know names: a holder is an id, a capacity and a period.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::text::{EntryError, Text};
use super::vocabulary::{Capacity, Function};
use crate::clock::{self, Timestamp};
use crate::ids::{AssignmentId, HolderId, OrganisationId};

/// LAW §5: no impossibility outlives six months without a new decision.
pub const IMPOSSIBILITY_MONTHS: u32 = 6;

/// A fact about a person or a holder that cannot be recorded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PersonError {
    #[error("the birth date `{0}` is not plausible: check the year")]
    BirthDate(NaiveDate),
    #[error("an emancipation needs the birth date: record it first")]
    EmancipationWithoutBirthDate,
    #[error("nobody is emancipated before 16 (`{0}`): check the decision")]
    EmancipationTooEarly(NaiveDate),
    #[error("the period ends (`{until}`) before it begins (`{from}`)")]
    EmptyPeriod { from: NaiveDate, until: NaiveDate },
    #[error("the young person is not a holder of authority: record another capacity than `{0}`")]
    NotAHolder(Capacity),
    #[error("the capacity `{0}` needs the reference of the decision and its end date")]
    DecisionMissing(Capacity),
    #[error("the capacity `{0}` needs the organisation that is the service")]
    ServiceMissing(Capacity),
    #[error("a reference is 1 to 140 characters on one line")]
    Reference,
    #[error("an impossibility is decided by a manager, not by a `{0}`")]
    NotAManager(Function),
    #[error("an impossibility lasts six months at most: end it before `{0}`, then decide again")]
    ImpossibilityTooLong(NaiveDate),
    #[error("an impossibility counts from the day it is decided (`{0}`) at the earliest")]
    ImpossibilityBackdated(NaiveDate),
    #[error("« no answer » needs two attempts on different days, both before the decision counts")]
    Attempts,
}

/// Four ages at which the law asks for different signatures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AgeBand {
    /// Heard; parents sign.
    Under12,
    /// Opinion recorded; a refusal suspends. An unknown birth date stands here.
    From12To14,
    /// Co-signature required.
    From15To17,
    /// Sole decision-maker.
    Adult,
}

/// What is known of the young person's age and capacity.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredPerson")]
pub struct PersonFacts {
    birth_date: Option<NaiveDate>,
    emancipated_on: Option<NaiveDate>,
    nickname_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPerson {
    birth_date: Option<NaiveDate>,
    emancipated_on: Option<NaiveDate>,
    nickname_only: bool,
}

impl TryFrom<StoredPerson> for PersonFacts {
    type Error = PersonError;
    fn try_from(s: StoredPerson) -> Result<Self, PersonError> {
        Self::new(s.birth_date, s.emancipated_on, s.nickname_only)
    }
}

// A birth date identifies: it never reaches a log line.
impl fmt::Debug for PersonFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonFacts(..)")
    }
}

impl PersonFacts {
    /// # Errors
    /// [`PersonError`] when a date is implausible or an emancipation cannot be.
    pub fn new(
        birth_date: Option<NaiveDate>,
        emancipated_on: Option<NaiveDate>,
        nickname_only: bool,
    ) -> Result<Self, PersonError> {
        if let Some(birth) = birth_date
            && !(1900..=2200).contains(&chrono::Datelike::year(&birth))
        {
            return Err(PersonError::BirthDate(birth));
        }
        if let Some(day) = emancipated_on {
            let birth = birth_date.ok_or(PersonError::EmancipationWithoutBirthDate)?;
            // LAW: C. civ. 413-2. Emancipation is possible from sixteen.
            if clock::birthday(birth, 16).is_none_or(|sixteen| day < sixteen) {
                return Err(PersonError::EmancipationTooEarly(day));
            }
        }
        Ok(Self { birth_date, emancipated_on, nickname_only })
    }

    #[must_use]
    pub const fn birth_date(&self) -> Option<NaiveDate> {
        self.birth_date
    }

    #[must_use]
    pub const fn emancipated_on(&self) -> Option<NaiveDate> {
        self.emancipated_on
    }

    /// STORIES S15: known under a nickname, without identity: no accord, invitation, share or statute.
    #[must_use]
    pub const fn nickname_only(&self) -> bool {
        self.nickname_only
    }

    /// Age in full years; `None` when the birth date is unknown or after `day`.
    #[must_use]
    pub fn age_on(&self, day: NaiveDate) -> Option<i32> {
        let birth = self.birth_date?;
        let years = chrono::Datelike::year(&day).checked_sub(chrono::Datelike::year(&birth))?;
        let reached = clock::birthday(birth, years)?;
        let age = if reached <= day { years } else { years.checked_sub(1)? };
        (age >= 0).then_some(age)
    }

    /// LAW §5 and S15: the band of this day. Unknown counts as under 15, and within that as the band that asks most.
    #[must_use]
    pub fn band_on(&self, day: NaiveDate) -> AgeBand {
        match self.age_on(day) {
            None | Some(12..15) => AgeBand::From12To14,
            Some(..12) => AgeBand::Under12,
            Some(15..18) => AgeBand::From15To17,
            Some(18..) => AgeBand::Adult,
        }
    }

    /// LAW: C. civ. 414. The day of the eighteenth birthday; 29 February counts as 1 March.
    #[must_use]
    pub fn majority_day(&self) -> Option<NaiveDate> {
        clock::birthday(self.birth_date?, 18)
    }

    /// Paris midnight of the eighteenth birthday.
    #[must_use]
    pub fn majority_at(&self) -> Option<Timestamp> {
        self.majority_day().map(Timestamp::paris_midnight)
    }

    /// LAW: C. civ. 414, 413-6, 371-1. The first day on which the person decides alone: majority, or emancipation if
    /// it came first. Parental authority ends with either.
    #[must_use]
    pub fn decides_alone_from(&self) -> Option<NaiveDate> {
        match (self.majority_day(), self.emancipated_on) {
            (Some(m), Some(e)) => Some(m.min(e)),
            (m, e) => m.or(e),
        }
    }

    #[must_use]
    pub fn decides_alone_on(&self, day: NaiveDate) -> bool {
        self.decides_alone_from().is_some_and(|from| day >= from)
    }

    /// STORIES S5: seventeen years and nine months, from when the young person may sign ahead, alone.
    #[must_use]
    pub fn sign_ahead_from(&self) -> Option<NaiveDate> {
        clock::plus_months(clock::birthday(self.birth_date?, 17)?, 9)
    }

    /// LAW: CASF L226-2-2 speaks of minors. Whether minority is *proved* on this day: under 18 by a known birth date
    /// and not emancipated. Unknown is not proved.
    #[must_use]
    pub fn proved_minor_on(&self, day: NaiveDate) -> bool {
        self.age_on(day).is_some_and(|age| age < 18) && !self.decides_alone_on(day)
    }
}

/// Where a document can be found; never its content, never shown in logs.
///
/// INVARIANT: what is entered is a [`Text`], under every rule of today. Only what is kept is read back as it is, under
/// the rules of its day: a signature must not become unreadable by a rule that came after it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredReference")]
pub struct Reference(String);

#[derive(Deserialize)]
#[serde(transparent)]
struct StoredReference(String);

impl Reference {
    /// Reads what a person wrote.
    ///
    /// # Errors
    /// [`EntryError`] saying which rule refuses it and what to do.
    pub fn new(text: &str) -> Result<Self, EntryError> {
        Text::parse(text).map(|text| Self::from(&text))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Text<140>> for Reference {
    fn from(text: &Text<140>) -> Self {
        Self(text.as_str().to_owned())
    }
}

impl TryFrom<StoredReference> for Reference {
    type Error = PersonError;
    fn try_from(stored: StoredReference) -> Result<Self, PersonError> {
        let text = stored.0.trim();
        if text.is_empty() || text.chars().count() > 140 || text.chars().any(char::is_control) {
            return Err(PersonError::Reference);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(..)")
    }
}

/// Input for [`HolderFacts::new`], and its stored form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderDraft {
    pub id: HolderId,
    pub capacity: Capacity,
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
    /// The service itself, for the two capacities that are services.
    pub organisation: Option<OrganisationId>,
    pub proof: Option<Reference>,
}

/// Somebody who stands beside the young person, in one capacity and for one period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "HolderDraft", into = "HolderDraft")]
pub struct HolderFacts(HolderDraft);

impl TryFrom<HolderDraft> for HolderFacts {
    type Error = PersonError;
    fn try_from(draft: HolderDraft) -> Result<Self, PersonError> {
        Self::new(draft)
    }
}

impl From<HolderFacts> for HolderDraft {
    fn from(facts: HolderFacts) -> Self {
        facts.0
    }
}

impl HolderFacts {
    /// # Errors
    /// [`PersonError`] for an empty period, or a capacity that lacks its decision, end or service.
    pub fn new(draft: HolderDraft) -> Result<Self, PersonError> {
        let capacity = draft.capacity;
        if let Some(until) = draft.until
            && until <= draft.from
        {
            return Err(PersonError::EmptyPeriod { from: draft.from, until });
        }
        match capacity {
            Capacity::YoungPerson => return Err(PersonError::NotAHolder(capacity)),
            Capacity::Parent | Capacity::Relative => {}
            // LAW §5, others: type, document reference and end date.
            Capacity::Guardian
            | Capacity::Delegate
            | Capacity::ConfidedService
            | Capacity::AuthorisedService => {
                if draft.proof.is_none() || draft.until.is_none() {
                    return Err(PersonError::DecisionMissing(capacity));
                }
            }
        }
        if is_service(capacity) && draft.organisation.is_none() {
            return Err(PersonError::ServiceMissing(capacity));
        }
        Ok(Self(draft))
    }

    #[must_use]
    pub const fn id(&self) -> &HolderId {
        &self.0.id
    }

    #[must_use]
    pub const fn capacity(&self) -> Capacity {
        self.0.capacity
    }

    #[must_use]
    pub const fn from(&self) -> NaiveDate {
        self.0.from
    }

    #[must_use]
    pub const fn until(&self) -> Option<NaiveDate> {
        self.0.until
    }

    #[must_use]
    pub const fn organisation(&self) -> Option<&OrganisationId> {
        self.0.organisation.as_ref()
    }

    #[must_use]
    pub const fn proof(&self) -> Option<&Reference> {
        self.0.proof.as_ref()
    }

    /// Whether the period holds on this day (half-open).
    #[must_use]
    pub fn in_period(&self, day: NaiveDate) -> bool {
        self.0.from <= day && self.0.until.is_none_or(|until| day < until)
    }

    /// LAW §5: a foster carer, grandparent or step-parent may be heard, never signs.
    #[must_use]
    pub const fn can_sign(&self) -> bool {
        match self.0.capacity {
            Capacity::YoungPerson | Capacity::Relative => false,
            Capacity::Parent
            | Capacity::Guardian
            | Capacity::Delegate
            | Capacity::ConfidedService
            | Capacity::AuthorisedService => true,
        }
    }

    /// Parents, guardian and delegate hold authority; a service signs in its own, narrower right.
    #[must_use]
    pub const fn holds_authority(&self) -> bool {
        matches!(self.0.capacity, Capacity::Parent | Capacity::Guardian | Capacity::Delegate)
    }
}

const fn is_service(capacity: Capacity) -> bool {
    matches!(capacity, Capacity::ConfidedService | Capacity::AuthorisedService)
}

/// Why a holder cannot be asked (LAW §5). Each motive owns what it must state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "motive", rename_all = "snake_case", deny_unknown_fields)]
pub enum Motive {
    Deceased,
    Unknown,
    /// By a decision of a judge; such a holder's opposition does not count either.
    AuthorityWithdrawn,
    NoAnswer {
        first_attempt: NaiveDate,
        second_attempt: NaiveDate,
    },
    /// Then nobody is asked to contact that holder and no sheet is made.
    ContactWouldEndanger,
}

/// Input for [`Impossibility::new`], and its stored form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImpossibilityDraft {
    pub holder: HolderId,
    pub motive: Motive,
    pub decided_by: AssignmentId,
    /// The function of who decides: a manager.
    pub decided_as: Function,
    pub decided_at: Timestamp,
    pub from: NaiveDate,
    pub until: NaiveDate,
}

/// The recorded impossibility of asking one holder: once per holder, not per accord; at most six months.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "ImpossibilityDraft", into = "ImpossibilityDraft")]
pub struct Impossibility(ImpossibilityDraft);

impl TryFrom<ImpossibilityDraft> for Impossibility {
    type Error = PersonError;
    fn try_from(draft: ImpossibilityDraft) -> Result<Self, PersonError> {
        Self::new(draft)
    }
}

impl From<Impossibility> for ImpossibilityDraft {
    fn from(i: Impossibility) -> Self {
        i.0
    }
}

impl Impossibility {
    /// # Errors
    /// [`PersonError`] when it was not a manager, the period is empty, backdated or over six months, or the attempts
    /// are missing.
    pub fn new(draft: ImpossibilityDraft) -> Result<Self, PersonError> {
        match draft.decided_as {
            Function::Manager => {}
            Function::Practitioner | Function::Secretary => {
                return Err(PersonError::NotAManager(draft.decided_as));
            }
        }
        if draft.until <= draft.from {
            return Err(PersonError::EmptyPeriod { from: draft.from, until: draft.until });
        }
        let decided_on = draft.decided_at.paris_day();
        if draft.from < decided_on {
            return Err(PersonError::ImpossibilityBackdated(decided_on));
        }
        match clock::plus_months(draft.from, IMPOSSIBILITY_MONTHS) {
            Some(latest) if draft.until <= latest => {}
            Some(latest) => return Err(PersonError::ImpossibilityTooLong(latest)),
            None => return Err(PersonError::ImpossibilityTooLong(draft.from)),
        }
        if let Motive::NoAnswer { first_attempt, second_attempt } = draft.motive
            && (first_attempt >= second_attempt || second_attempt > draft.from)
        {
            return Err(PersonError::Attempts);
        }
        Ok(Self(draft))
    }

    #[must_use]
    pub const fn holder(&self) -> &HolderId {
        &self.0.holder
    }

    #[must_use]
    pub const fn motive(&self) -> &Motive {
        &self.0.motive
    }

    #[must_use]
    pub const fn decided_by(&self) -> &AssignmentId {
        &self.0.decided_by
    }

    #[must_use]
    pub const fn from(&self) -> NaiveDate {
        self.0.from
    }

    #[must_use]
    pub const fn until(&self) -> NaiveDate {
        self.0.until
    }

    #[must_use]
    pub fn in_force(&self, day: NaiveDate) -> bool {
        self.0.from <= day && day < self.0.until
    }

    /// LAW §5: contact would endanger, so no letter, no call, no sheet.
    #[must_use]
    pub fn forbids_contact(&self, day: NaiveDate) -> bool {
        self.in_force(day) && matches!(self.0.motive, Motive::ContactWouldEndanger)
    }
}

/// The people of one young person, as the engine needs them.
#[derive(Clone, Copy, Debug)]
pub struct People<'a> {
    pub person: &'a PersonFacts,
    pub holders: &'a [HolderFacts],
    pub impossibilities: &'a [Impossibility],
}

impl<'a> People<'a> {
    #[must_use]
    pub fn holder(&self, id: &HolderId) -> Option<&'a HolderFacts> {
        self.holders.iter().find(|h| h.id() == id)
    }

    /// The impossibilities of this holder in force on this day.
    pub fn impossible_on(&self, id: &HolderId, day: NaiveDate) -> impl Iterator<Item = &'a Impossibility> {
        let id = id.clone();
        self.impossibilities.iter().filter(move |i| *i.holder() == id && i.in_force(day))
    }

    #[must_use]
    pub fn is_impossible(&self, id: &HolderId, day: NaiveDate) -> bool {
        self.impossible_on(id, day).next().is_some()
    }

    /// Whether this holder may be written to or called, and handed a sheet.
    #[must_use]
    pub fn may_be_contacted(&self, id: &HolderId, day: NaiveDate) -> bool {
        !self.impossible_on(id, day).any(|i| i.forbids_contact(day))
    }

    /// STORIES S1: holders of authority who did not sign and must be told, so that they can oppose; none from the day
    /// on which the person decides alone, and nobody whom an impossibility keeps out.
    #[must_use]
    pub fn to_be_told(&self, signed: &[HolderId], day: NaiveDate) -> Vec<HolderId> {
        if self.person.decides_alone_on(day) {
            return Vec::new();
        }
        self.holders
            .iter()
            .filter(|h| h.holds_authority() && h.in_period(day))
            .filter(|h| !signed.contains(h.id()) && !self.is_impossible(h.id(), day))
            .map(|h| h.id().clone())
            .collect()
    }
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
