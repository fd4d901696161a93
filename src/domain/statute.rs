//! The statutory record (CASF L226-2-2): sharing between professionals bound by secrecy, without consent, to protect a
//! child.
//!
//! Invariants: it exists only for a person whose minority is proved (known birth date under 18, not emancipated) and
//! whose identity is known; it states danger or risk and strict necessity; parents and child were informed before, or a
//! second person decided a reasoned exception; it names item versions and participations; it lasts 30 Paris days and
//! lapses without a review made in time. It does not judge secrecy of the two ends or the cell: gate 6 does. It keeps
//! no words: the reasoning is sealed beside it.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::cell::StatuteFact;
use super::person::PersonFacts;
use super::vocabulary::{Function, Secrecy, code_enum};
use crate::clock::{self, Timestamp};
use crate::ids::{AssignmentId, ItemVersionId, OrganisationId, ParticipationId, ProfessionalId, StatuteId};

/// DESIGN §3: a record lasts 30 days; a review in time gives 30 more.
pub const STATUTE_DAYS: u64 = 30;

/// A statutory record, or a decision on one, that cannot be recorded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StatuteError {
    #[error("this route is for minors whose birth date is known: without it, alert (119, CRIP, prosecutor)")]
    MinorityNotProved,
    #[error("the person is known under a nickname only: no statutory record")]
    NicknameOnly,
    #[error("state what makes the share strictly necessary before recording it")]
    NecessityNotStated,
    #[error("name at least one item version")]
    NoItem,
    #[error("name at least one participation that receives")]
    NoRecipient,
    #[error("information comes before the share: `{0}` is after the record")]
    InformedAfter(NaiveDate),
    #[error("age and maturity are a motive not to inform the child, never the parents")]
    MaturityOfParents,
    #[error("a share with oneself is no share: take the sharer out of the recipients")]
    SharerIsRecipient,
    #[error("the second person is a manager, not a `{0}`")]
    NotAManager(Function),
    #[error("the second person is bound by professional secrecy, not `{0}`")]
    NotBound(Secrecy),
    #[error("the second person belongs to the organisation of the professional who shares")]
    AnotherOrganisation,
    #[error("the second person is another professional than the one who shares")]
    IsTheSharer,
    #[error("the second person is not one of the recipients")]
    IsARecipient,
    #[error("an event cannot come before the record")]
    BeforeTheRecord,
}

code_enum! {
    /// What the law asks to be stated first.
    Ground, "ground" {
        Danger = "danger", "Un danger pour l'enfant";
        Risk = "risk", "Un risque de danger pour l'enfant";
    }
}

code_enum! {
    /// Why informing would be contrary to the child's interest, the only exception that the law knows (somebody who
    /// cannot be reached is none). The reasoning itself is sealed beside the record.
    ExceptionMotive, "exception motive" {
        WouldEndanger = "would_endanger", "Informer mettrait l'enfant en danger";
        Reprisals = "reprisals", "Des représailles contre l'enfant sont à craindre";
        WouldDefeatProtection = "would_defeat_protection", "Informer ferait échouer sa protection";
        /// Of the child only (« en fonction de son âge et de sa maturité »).
        Maturity = "maturity", "L'âge ou la maturité de l'enfant ne le permet pas";
    }
}

/// LAW: CASF L226-2-2. Informed beforehand, or not, in the child's interest, for a stated motive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "information", rename_all = "snake_case", deny_unknown_fields)]
pub enum PriorInformation {
    Given { on: NaiveDate },
    ContraryToInterest { motive: ExceptionMotive },
}

impl PriorInformation {
    const fn is_exception(self) -> bool {
        match self {
            Self::Given { .. } => false,
            Self::ContraryToInterest { .. } => true,
        }
    }
}

/// One who receives: the participation, and the professional behind it (who may not be the second person).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatuteRecipient {
    pub participation: ParticipationId,
    pub professional: ProfessionalId,
}

/// Input for [`StatutoryRecord::new`], and its stored form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatuteDraft {
    pub id: StatuteId,
    pub sharer: AssignmentId,
    pub sharer_professional: ProfessionalId,
    pub sharer_organisation: OrganisationId,
    pub ground: Ground,
    /// The sharer states that what is shared is strictly necessary (the words are sealed beside).
    pub necessity_stated: bool,
    pub parents: PriorInformation,
    pub child: PriorInformation,
    pub items: BTreeSet<ItemVersionId>,
    pub recipients: BTreeSet<StatuteRecipient>,
    pub recorded_at: Timestamp,
}

/// What the sharer stated: fixed once written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "StatuteDraft", into = "StatuteDraft")]
pub struct StatutoryRecord(StatuteDraft);

impl TryFrom<StatuteDraft> for StatutoryRecord {
    type Error = StatuteError;
    fn try_from(draft: StatuteDraft) -> Result<Self, StatuteError> {
        check(&draft)?;
        Ok(Self(draft))
    }
}

impl From<StatutoryRecord> for StatuteDraft {
    fn from(record: StatutoryRecord) -> Self {
        record.0
    }
}

fn check(draft: &StatuteDraft) -> Result<(), StatuteError> {
    if !draft.necessity_stated {
        return Err(StatuteError::NecessityNotStated);
    }
    if draft.items.is_empty() {
        return Err(StatuteError::NoItem);
    }
    if draft.recipients.is_empty() {
        return Err(StatuteError::NoRecipient);
    }
    if draft.recipients.iter().any(|r| r.professional == draft.sharer_professional) {
        return Err(StatuteError::SharerIsRecipient);
    }
    // LAW: CASF L226-2-2. Age and maturity speak of the child's information alone.
    if draft.parents == (PriorInformation::ContraryToInterest { motive: ExceptionMotive::Maturity }) {
        return Err(StatuteError::MaturityOfParents);
    }
    for information in [draft.parents, draft.child] {
        match information {
            PriorInformation::Given { on } if on > draft.recorded_at.paris_day() => {
                return Err(StatuteError::InformedAfter(on));
            }
            PriorInformation::Given { .. } | PriorInformation::ContraryToInterest { .. } => {}
        }
    }
    Ok(())
}

/// Who decides beside the sharer, as the assignment stood at that moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondPerson {
    pub assignment: AssignmentId,
    pub professional: ProfessionalId,
    pub organisation: OrganisationId,
    pub function: Function,
    pub secrecy: Secrecy,
}

/// What the second person, or the sharer, did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum StatuteEventKind {
    /// Not informing is accepted, or not.
    ExceptionDecided { by: SecondPerson, accepted: bool },
    /// After a refusal or withdrawal of the family.
    Validated { by: SecondPerson },
    /// Still necessary: 30 more days from this day; otherwise it ends now.
    Reviewed { by: SecondPerson, still_necessary: bool },
    /// The sharer ends it.
    Closed,
}

/// One event, appended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatuteEvent {
    pub at: Timestamp,
    pub seq: u32,
    #[serde(flatten)]
    pub kind: StatuteEventKind,
}

impl StatutoryRecord {
    /// # Errors
    /// [`StatuteError`] naming the first duty that is not met.
    pub fn new(draft: StatuteDraft, person: &PersonFacts) -> Result<Self, StatuteError> {
        if person.nickname_only() {
            return Err(StatuteError::NicknameOnly);
        }
        if !person.proved_minor_on(draft.recorded_at.paris_day()) {
            return Err(StatuteError::MinorityNotProved);
        }
        check(&draft)?;
        Ok(Self(draft))
    }

    #[must_use]
    pub const fn id(&self) -> &StatuteId {
        &self.0.id
    }

    /// Every fact, for views and storage.
    #[must_use]
    pub const fn draft(&self) -> &StatuteDraft {
        &self.0
    }

    /// Whether a second person has to decide before it is complete.
    #[must_use]
    pub const fn needs_second_person(&self) -> bool {
        self.0.parents.is_exception() || self.0.child.is_exception()
    }

    /// DESIGN §3: a bound manager of the sharer's organisation, neither sharer nor recipient, another professional.
    ///
    /// # Errors
    /// [`StatuteError`] naming what this person is not.
    pub fn accepts_second_person(&self, by: &SecondPerson) -> Result<(), StatuteError> {
        match by.function {
            Function::Manager => {}
            Function::Practitioner | Function::Secretary => {
                return Err(StatuteError::NotAManager(by.function));
            }
        }
        match by.secrecy {
            Secrecy::Bound => {}
            Secrecy::Contested | Secrecy::NotBound => return Err(StatuteError::NotBound(by.secrecy)),
        }
        if by.organisation != self.0.sharer_organisation {
            return Err(StatuteError::AnotherOrganisation);
        }
        if by.professional == self.0.sharer_professional || by.assignment == self.0.sharer {
            return Err(StatuteError::IsTheSharer);
        }
        if self.0.recipients.iter().any(|r| r.professional == by.professional) {
            return Err(StatuteError::IsARecipient);
        }
        Ok(())
    }

    /// Whether this event may be appended.
    ///
    /// # Errors
    /// [`StatuteError`] when it comes too early or from somebody who may not decide.
    pub fn check_event(&self, event: &StatuteEvent) -> Result<(), StatuteError> {
        if event.at < self.0.recorded_at {
            return Err(StatuteError::BeforeTheRecord);
        }
        match &event.kind {
            StatuteEventKind::ExceptionDecided { by, .. }
            | StatuteEventKind::Validated { by }
            | StatuteEventKind::Reviewed { by, .. } => self.accepts_second_person(by),
            StatuteEventKind::Closed => Ok(()),
        }
    }
}

/// One question to the statutory records.
#[derive(Clone, Copy, Debug)]
pub struct StatuteQuery<'a> {
    pub item_version: &'a ItemVersionId,
    pub recipient: &'a ParticipationId,
    /// [`FactAnswer::refused_at`](super::accord::FactAnswer): only a validation later than it validates.
    pub refused_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatuteAnswer {
    pub fact: StatuteFact,
    pub valid_until: Timestamp,
    /// The first moment at which the record lapses without a (further) review; `None` when it is over.
    pub lapses_at: Option<Timestamp>,
}

/// The fact `statute` of one record for one item version and one recipient.
#[must_use]
pub fn statute_fact(
    record: &StatutoryRecord,
    events: &[StatuteEvent],
    query: &StatuteQuery<'_>,
    person: &PersonFacts,
    now: Timestamp,
) -> StatuteAnswer {
    let draft = &record.0;
    let mut turns = BTreeSet::from([draft.recorded_at]);
    turns.extend(person.decides_alone_from().map(Timestamp::paris_midnight));
    turns.extend(events.iter().map(|e| e.at));
    let visible = visible(record, events, now);

    let lapses_at = lapse(draft.recorded_at, &visible).filter(|at| now < *at);
    turns.extend(lapses_at);
    let valid_until = super::accord::next_turn(&turns, now);

    // LAW: CASF L226-2-2 speaks of minors: none from 18, once emancipated, without identity or a known age.
    let open = now >= draft.recorded_at
        && lapses_at.is_some()
        && !person.nickname_only()
        && person.proved_minor_on(now.paris_day())
        && draft.items.contains(query.item_version)
        && draft.recipients.iter().any(|r| r.participation == *query.recipient);
    let informed = !record.needs_second_person() || exception_accepted(&visible);
    let fact = if !(open && informed) {
        StatuteFact::None
    } else if validated(&visible, query.refused_at) {
        StatuteFact::CompleteValidated
    } else {
        StatuteFact::Complete
    };
    StatuteAnswer { fact, valid_until, lapses_at }
}

/// The events that count by now, in their order.
fn visible<'a>(
    record: &StatutoryRecord,
    events: &'a [StatuteEvent],
    now: Timestamp,
) -> Vec<&'a StatuteEvent> {
    let mut visible: Vec<&StatuteEvent> =
        events.iter().filter(|e| e.at <= now && record.check_event(e).is_ok()).collect();
    // At equal moments what ends or refuses comes last, whatever the order of recording.
    visible.sort_by_key(|e| (e.at, narrows(&e.kind)));
    visible
}

/// Whether a second person has validated the record since the family's latest no.
#[must_use]
pub fn validated_since(
    record: &StatutoryRecord,
    events: &[StatuteEvent],
    refused_at: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    validated(&visible(record, events, now), refused_at)
}

/// Whether the record, complete and in force, names this participation at all: what gate 2 needs where no accord does.
#[must_use]
pub fn names_participation(
    record: &StatutoryRecord,
    events: &[StatuteEvent],
    participation: &ParticipationId,
    person: &PersonFacts,
    now: Timestamp,
) -> StatuteAnswer {
    strongest(record.0.items.iter().map(|item_version| {
        let query = StatuteQuery { item_version, recipient: participation, refused_at: None };
        statute_fact(record, events, &query, person, now)
    }))
}

/// From whom the events of a record are kept back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeptFrom {
    pub parents: bool,
    pub young_person: bool,
}

impl KeptFrom {
    /// Whether anybody is kept in the dark.
    #[must_use]
    pub const fn anybody(self) -> bool {
        self.parents || self.young_person
    }
}

/// LAW: CASF L226-2-2. Whom a second person decided not to inform, while the record is in force: what happens under it
/// is not shown to them either. Once it is over, nothing keeps it back.
#[must_use]
pub fn kept_from(
    record: &StatutoryRecord,
    events: &[StatuteEvent],
    person: &PersonFacts,
    now: Timestamp,
) -> KeptFrom {
    let draft = &record.0;
    let in_force = draft.recipients.iter().any(|r| {
        names_participation(record, events, &r.participation, person, now).fact != StatuteFact::None
    });
    KeptFrom {
        parents: in_force && draft.parents.is_exception(),
        young_person: in_force && draft.child.is_exception(),
    }
}

/// Over several records: the strongest fact; valid until the first of them could change.
#[must_use]
pub fn strongest(answers: impl IntoIterator<Item = StatuteAnswer>) -> StatuteAnswer {
    let none = StatuteAnswer { fact: StatuteFact::None, valid_until: Timestamp::MAX, lapses_at: None };
    answers.into_iter().fold(none, |best, next| StatuteAnswer {
        fact: best.fact.max(next.fact),
        valid_until: best.valid_until.min(next.valid_until),
        lapses_at: if next.fact > best.fact { next.lapses_at } else { best.lapses_at },
    })
}

const fn narrows(kind: &StatuteEventKind) -> bool {
    match kind {
        StatuteEventKind::ExceptionDecided { accepted, .. } => !*accepted,
        StatuteEventKind::Reviewed { still_necessary, .. } => !*still_necessary,
        StatuteEventKind::Validated { .. } => false,
        StatuteEventKind::Closed => true,
    }
}

fn days_after(at: Timestamp) -> Option<Timestamp> {
    clock::plus_days(at.paris_day(), STATUTE_DAYS).map(Timestamp::paris_midnight)
}

/// When the record lapses: 30 days, pushed by each review made in time; `None` when it was ended.
fn lapse(recorded_at: Timestamp, visible: &[&StatuteEvent]) -> Option<Timestamp> {
    let mut end = days_after(recorded_at)?;
    for event in visible {
        match &event.kind {
            // A review after the lapse revives nothing.
            StatuteEventKind::Reviewed { still_necessary: true, .. } if event.at < end => {
                end = days_after(event.at)?;
            }
            StatuteEventKind::Reviewed { still_necessary: false, .. } | StatuteEventKind::Closed => {
                return None;
            }
            StatuteEventKind::Reviewed { still_necessary: true, .. }
            | StatuteEventKind::ExceptionDecided { .. }
            | StatuteEventKind::Validated { .. } => {}
        }
    }
    Some(end)
}

/// The latest decision on the exception counts; none yet is a no.
fn exception_accepted(visible: &[&StatuteEvent]) -> bool {
    let mut accepted_so_far = false;
    for event in visible {
        match &event.kind {
            StatuteEventKind::ExceptionDecided { accepted, .. } => accepted_so_far = *accepted,
            StatuteEventKind::Validated { .. }
            | StatuteEventKind::Reviewed { .. }
            | StatuteEventKind::Closed => {}
        }
    }
    accepted_so_far
}

fn validated(visible: &[&StatuteEvent], refused_at: Option<Timestamp>) -> bool {
    visible.iter().any(|e| match e.kind {
        StatuteEventKind::Validated { .. } => refused_at.is_none_or(|no| e.at > no),
        StatuteEventKind::ExceptionDecided { .. }
        | StatuteEventKind::Reviewed { .. }
        | StatuteEventKind::Closed => false,
    })
}

#[cfg(test)]
#[path = "statute_tests.rs"]
mod tests;
