//! The head of an accord: what the family was asked, and what makes a draft acceptable.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::event::{Event, EventKind, How, Signatory, Signed};
use crate::clock::{self, Timestamp};
use crate::domain::person::{People, PersonFacts};
use crate::domain::vocabulary::{Category, Profession, Purpose};
use crate::ids::{AccordId, AccordLineId, AssignmentId, HolderId, ItemVersionId, MissionId, OrganisationId};

/// LAW §5: no accord lasts longer.
pub const ACCORD_MONTHS: u32 = 12;
const MOST_LINES: usize = 200;
const OLDEST_START_DAYS: u64 = 31;

/// An accord, or an event of one, that cannot be recorded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AccordError {
    #[error(
        "the person is known under a nickname only: record the identity, by their own act, before any accord"
    )]
    NicknameOnly,
    #[error("the accord ends (`{ends}`) before it begins (`{starts}`)")]
    EmptyPeriod { starts: NaiveDate, ends: NaiveDate },
    #[error("an accord lasts twelve months at most: end it on `{0}` or earlier")]
    TooLong(NaiveDate),
    #[error("an accord cannot begin on `{0}`: choose a day between a month ago and a year from now")]
    AbsurdStart(NaiveDate),
    #[error("an accord names at least one recipient or contributor")]
    NoLine,
    #[error("an accord has at most 200 lines")]
    TooManyLines,
    #[error("the line `{0}` is there twice")]
    DuplicateLine(AccordLineId),
    #[error("the line `{0}` asks what another line asks already, of the same recipient: keep one box")]
    AskedTwice(AccordLineId),
    #[error("a contributor receives nothing: the line `{0}` names subjects")]
    ContributorReceives(AccordLineId),
    #[error("the function `{0}` has no place in a circle")]
    PlatformRecipient(Profession),
    #[error("the purpose `{purpose}` does not carry `{category}`: leave it out or choose another purpose")]
    PurposeExcludes { purpose: Purpose, category: Category },
    #[error("an accord is not collected by its only recipient: ask the référent")]
    CollectedByOnlyRecipient,
    #[error("an interpreter is an adult and never the child")]
    InterpreterMinor,
    #[error("`{0}` is not a language tag (2 to 8 letters, parts joined by `-`)")]
    Language(String),
    #[error("a notice has a version of 1 to 40 characters and a keyed hash of 64 hexadecimal digits")]
    Notice,
    #[error("a signature ticks at least one box")]
    NothingSigned,
    #[error("the day of the signature (`{on}`) is not within the year before its recording (`{recorded}`)")]
    SignatureDay { on: NaiveDate, recorded: NaiveDate },
    #[error("the day of the signature (`{on}`) is before the sheet could be there (`{earliest}`)")]
    SignedBeforeSheet { on: NaiveDate, earliest: NaiveDate },
    #[error("the line `{0}` is not on this sheet")]
    UnknownLine(AccordLineId),
    #[error("`{0}` is not recorded as somebody who may sign")]
    CannotSign(HolderId),
    #[error("the line `{0}` shows exact words: collect a signature on paper")]
    WordsNeedPaper(AccordLineId),
    #[error("there is no oral or telephone signature of this person to confirm")]
    NothingToConfirm,
    #[error("only who collected the accord records the talk with the child")]
    TalkByAnother,
    #[error("this accord is over: collect a new one")]
    Over,
}

/// A recipient as an accord names it: always matched on all three.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientKey {
    pub organisation: OrganisationId,
    pub profession: Profession,
    pub mission: MissionId,
}

/// Whether a line lets somebody read, or only bring.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    Recipient,
    Contributor,
}

/// A version whose exact words the notice showed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownVersion {
    pub version: ItemVersionId,
    pub category: Category,
}

/// One line: a recipient, the subjects named for it (`category` level) and the words shown (`informed` level); every
/// other subject is covered at `opening`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub id: AccordLineId,
    pub recipient: RecipientKey,
    /// « cette personne seulement ».
    pub only_assignment: Option<AssignmentId>,
    pub kind: LineKind,
    pub categories: BTreeSet<Category>,
    pub shown: BTreeSet<ShownVersion>,
    /// Services whose taking part the notice names to this recipient (S11: stands for an item and its release).
    #[serde(default)]
    pub services: BTreeSet<RecipientKey>,
}

impl Line {
    /// The subjects that this line speaks of by name.
    pub fn subjects(&self) -> impl Iterator<Item = Category> + '_ {
        self.categories.iter().copied().chain(self.shown.iter().map(|s| s.category))
    }

    pub(crate) fn speaks_of(&self, category: Category) -> bool {
        self.subjects().any(|c| c == category)
    }

    /// Matched on organisation, profession and mission, and on the person when only that person was chosen.
    pub(crate) fn matches(&self, key: &RecipientKey, assignment: Option<&AssignmentId>) -> bool {
        self.recipient == *key
            && match &self.only_assignment {
                None => true,
                Some(only) => assignment == Some(only),
            }
    }
}

/// Who interpreted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpreter {
    pub of_age: bool,
}

/// The language in which the notice was read, as a tag (`fr`, `ar`, `fr-LSF`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Language(String);

impl Language {
    /// # Errors
    /// [`AccordError::Language`] when it is not a tag.
    pub fn parse(text: &str) -> Result<Self, AccordError> {
        let part = |p: &str| (2..=8).contains(&p.len()) && p.chars().all(|c| c.is_ascii_alphabetic());
        if text.len() <= 20 && text.split('-').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AccordError::Language(text.chars().take(20).collect()))
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Language {
    type Error = AccordError;
    fn try_from(text: String) -> Result<Self, AccordError> {
        Self::parse(&text)
    }
}

/// Which notice was read or signed: its version and keyed hash. The text itself is sealed beside the accord.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredNotice")]
pub struct NoticeMark {
    version: String,
    keyed_hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredNotice {
    version: String,
    keyed_hash: String,
}

impl TryFrom<StoredNotice> for NoticeMark {
    type Error = AccordError;
    fn try_from(s: StoredNotice) -> Result<Self, AccordError> {
        Self::new(&s.version, &s.keyed_hash)
    }
}

impl NoticeMark {
    /// # Errors
    /// [`AccordError::Notice`] when either part is not of its form.
    pub fn new(version: &str, keyed_hash: &str) -> Result<Self, AccordError> {
        let version_fits = (1..=40).contains(&version.len()) && version.chars().all(|c| c.is_ascii_graphic());
        let hash_fits = keyed_hash.len() == 64 && keyed_hash.chars().all(|c| c.is_ascii_hexdigit());
        if version_fits && hash_fits {
            Ok(Self { version: version.to_owned(), keyed_hash: keyed_hash.to_ascii_lowercase() })
        } else {
            Err(AccordError::Notice)
        }
    }

    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    #[must_use]
    pub fn keyed_hash(&self) -> &str {
        &self.keyed_hash
    }
}

/// Input for [`AccordFacts::new`], and its stored form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccordDraft {
    pub id: AccordId,
    pub purpose: Purpose,
    /// First day.
    pub starts: NaiveDate,
    /// First day on which it no longer counts.
    pub ends: NaiveDate,
    pub language: Language,
    pub interpreter: Option<Interpreter>,
    pub collected_by: AssignmentId,
    /// Organisation, profession and mission of who collects.
    pub collector: RecipientKey,
    pub notice: NoticeMark,
    pub lines: Vec<Line>,
    /// The record that this one takes up, if any.
    pub replaces: Option<AccordId>,
}

/// What the family was asked: fixed once written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "AccordDraft", into = "AccordDraft")]
pub struct AccordFacts(AccordDraft);

impl TryFrom<AccordDraft> for AccordFacts {
    type Error = AccordError;
    /// Reads a stored head; what depends on the day of creation was checked then.
    fn try_from(draft: AccordDraft) -> Result<Self, AccordError> {
        check(&draft)?;
        Ok(Self(draft))
    }
}

impl From<AccordFacts> for AccordDraft {
    fn from(facts: AccordFacts) -> Self {
        facts.0
    }
}

/// What one line asks: each subject named, each version shown; or being there, when it names nothing.
fn asks(line: &Line) -> Vec<(Option<Category>, Option<&ItemVersionId>)> {
    let named = line.categories.iter().map(|c| (Some(*c), None));
    let shown = line.shown.iter().map(|s| (Some(s.category), Some(&s.version)));
    let things: Vec<_> = named.chain(shown).collect();
    if things.is_empty() { vec![(None, None)] } else { things }
}

fn check(draft: &AccordDraft) -> Result<(), AccordError> {
    if draft.ends <= draft.starts {
        return Err(AccordError::EmptyPeriod { starts: draft.starts, ends: draft.ends });
    }
    // LAW §5: end at most twelve months after the start.
    match clock::plus_months(draft.starts, ACCORD_MONTHS) {
        Some(latest) if draft.ends <= latest => {}
        Some(latest) => return Err(AccordError::TooLong(latest)),
        None => return Err(AccordError::AbsurdStart(draft.starts)),
    }
    if draft.lines.is_empty() {
        return Err(AccordError::NoLine);
    }
    if draft.lines.len() > MOST_LINES {
        return Err(AccordError::TooManyLines);
    }
    let mut seen = BTreeSet::new();
    let mut named = BTreeSet::new();
    for line in &draft.lines {
        if !seen.insert(&line.id) {
            return Err(AccordError::DuplicateLine(line.id.clone()));
        }
        // One box for one thing: of two, one could be ticked and the other refused.
        for thing in asks(line) {
            if !named.insert((&line.recipient, &line.only_assignment, line.kind, thing)) {
                return Err(AccordError::AskedTwice(line.id.clone()));
            }
        }
        if line.recipient.profession.is_platform() {
            return Err(AccordError::PlatformRecipient(line.recipient.profession));
        }
        if line.kind == LineKind::Contributor
            && (line.subjects().next().is_some() || !line.services.is_empty())
        {
            return Err(AccordError::ContributorReceives(line.id.clone()));
        }
    }
    // LAW §5 and DESIGN §3: never collected by its only recipient.
    let mut recipients = draft.lines.iter().filter(|l| l.kind == LineKind::Recipient).peekable();
    if recipients.peek().is_some() && recipients.all(|l| l.recipient == draft.collector) {
        return Err(AccordError::CollectedByOnlyRecipient);
    }
    // DESIGN §3: an interpreter is an adult, never the child.
    if draft.interpreter.is_some_and(|i| !i.of_age) {
        return Err(AccordError::InterpreterMinor);
    }
    Ok(())
}

impl AccordFacts {
    /// A new accord. `carries` says which subjects a purpose can carry (charter and ceiling).
    ///
    /// # Errors
    /// [`AccordError`] naming the first thing that does not hold.
    pub fn new(
        draft: AccordDraft,
        person: &PersonFacts,
        carries: &dyn Fn(Purpose, Category) -> bool,
        now: Timestamp,
    ) -> Result<Self, AccordError> {
        // STORIES S15: until the identity is known, no accord.
        if person.nickname_only() {
            return Err(AccordError::NicknameOnly);
        }
        check(&draft)?;
        let today = now.paris_day();
        let earliest = today.checked_sub_days(chrono::Days::new(OLDEST_START_DAYS));
        let latest = clock::plus_months(today, ACCORD_MONTHS);
        if earliest.is_none_or(|d| draft.starts < d) || latest.is_none_or(|d| draft.starts > d) {
            return Err(AccordError::AbsurdStart(draft.starts));
        }
        for category in draft.lines.iter().flat_map(Line::subjects) {
            if !carries(draft.purpose, category) {
                return Err(AccordError::PurposeExcludes { purpose: draft.purpose, category });
            }
        }
        Ok(Self(draft))
    }

    #[must_use]
    pub const fn id(&self) -> &AccordId {
        &self.0.id
    }

    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.0.purpose
    }

    #[must_use]
    pub const fn starts(&self) -> NaiveDate {
        self.0.starts
    }

    #[must_use]
    pub const fn ends(&self) -> NaiveDate {
        self.0.ends
    }

    #[must_use]
    pub const fn collected_by(&self) -> &AssignmentId {
        &self.0.collected_by
    }

    #[must_use]
    pub const fn notice(&self) -> &NoticeMark {
        &self.0.notice
    }

    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.0.lines
    }

    #[must_use]
    pub fn line(&self, id: &AccordLineId) -> Option<&Line> {
        self.0.lines.iter().find(|l| l.id == *id)
    }

    /// Every fact, for views and storage.
    #[must_use]
    pub const fn draft(&self) -> &AccordDraft {
        &self.0
    }
}

/// An accord with its events, sorted by moment and order of recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accord {
    facts: AccordFacts,
    events: Vec<Event>,
}

impl Accord {
    #[must_use]
    pub fn new(facts: AccordFacts, mut events: Vec<Event>) -> Self {
        events.sort_by_key(|e| (e.at(), e.seq()));
        Self { facts, events }
    }

    #[must_use]
    pub const fn facts(&self) -> &AccordFacts {
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

    /// Whether this event may be appended: before the lane writes it.
    ///
    /// # Errors
    /// [`AccordError`] naming what does not hold.
    pub fn check(&self, event: &Event, people: &People<'_>) -> Result<(), AccordError> {
        let lines = self.facts.lines();
        if let EventKind::TalkHeld { by, .. } = event.kind()
            && by != self.facts.collected_by()
        {
            return Err(AccordError::TalkByAnother);
        }
        let positive = matches!(event.kind(), EventKind::Signed(_) | EventKind::SheetSigned { .. });
        if positive && self.is_over(event.at()) {
            return Err(AccordError::Over);
        }
        check_day(self.facts.starts(), &self.events, event)?;
        check_event(lines, &self.events, event, people)
    }

    /// Past its end, or replaced: no further signature.
    fn is_over(&self, at: Timestamp) -> bool {
        at >= Timestamp::paris_midnight(self.facts.ends())
            || self.events.iter().any(|e| matches!(e.kind(), EventKind::Replaced { .. }))
    }
}

/// Nobody signs a sheet that is not there yet. THREAT: a signature dated back to a time at which fewer had to sign.
///
/// The sheet is there from its first day or its first event, whichever comes first; a month more, because a sheet of
/// paper may be older than its record.
pub(crate) fn check_day(starts: NaiveDate, earlier: &[Event], event: &Event) -> Result<(), AccordError> {
    let on = match event.kind() {
        EventKind::Signed(signed) => signed.on,
        EventKind::SheetSigned { on, .. } | EventKind::Opinion { on, .. } => *on,
        EventKind::Printed
        | EventKind::Refused { .. }
        | EventKind::Withdrawn { .. }
        | EventKind::Opposed { .. }
        | EventKind::TalkHeld { .. }
        | EventKind::Replaced { .. } => return Ok(()),
    };
    let recorded = earlier.iter().chain(std::iter::once(event)).map(|e| e.at().paris_day());
    let there = recorded.fold(starts, Ord::min);
    match there.checked_sub_days(chrono::Days::new(OLDEST_START_DAYS)) {
        Some(earliest) if on < earliest => Err(AccordError::SignedBeforeSheet { on, earliest }),
        Some(_) | None => Ok(()),
    }
}

/// What holds for the events of accords and releases alike.
pub(crate) fn check_event(
    lines: &[Line],
    earlier: &[Event],
    event: &Event,
    people: &People<'_>,
) -> Result<(), AccordError> {
    match event.kind() {
        EventKind::Signed(signed) => check_signed(lines, signed, people),
        EventKind::SheetSigned { by, on, .. } => {
            check_signatory(by, *on, people)?;
            let oral = |e: &Event| matches!(e.kind(), EventKind::Signed(s) if s.by == *by && !matches!(s.how, How::Paper { .. }));
            if earlier.iter().any(oral) { Ok(()) } else { Err(AccordError::NothingToConfirm) }
        }
        EventKind::Refused { by, scope }
        | EventKind::Withdrawn { by, scope }
        | EventKind::Opposed { by, scope } => {
            // LAW §5: through any channel and by anyone who holds authority; a relative is heard, never decides.
            if let Signatory::Holder(id) = by
                && people.holder(id).is_none_or(|h| !h.can_sign())
            {
                return Err(AccordError::CannotSign(id.clone()));
            }
            match scope {
                super::Scope::Line(id) if !lines.iter().any(|l| l.id == *id) => {
                    Err(AccordError::UnknownLine(id.clone()))
                }
                super::Scope::Line(_)
                | super::Scope::Everything
                | super::Scope::Sheet
                | super::Scope::Recipient(_)
                | super::Scope::Assignment(_)
                | super::Scope::Category(_) => Ok(()),
            }
        }
        EventKind::Printed
        | EventKind::Opinion { .. }
        | EventKind::TalkHeld { .. }
        | EventKind::Replaced { .. } => Ok(()),
    }
}

fn check_signed(lines: &[Line], signed: &Signed, people: &People<'_>) -> Result<(), AccordError> {
    check_signatory(&signed.by, signed.on, people)?;
    for id in &signed.lines {
        let line = lines.iter().find(|l| l.id == *id).ok_or_else(|| AccordError::UnknownLine(id.clone()))?;
        // LAW §5: oral and telephone serve opening and category only.
        match signed.how {
            How::Paper { .. } => {}
            How::OralPresent { .. } | How::Telephone { .. } => {
                if !line.shown.is_empty() {
                    return Err(AccordError::WordsNeedPaper(id.clone()));
                }
            }
        }
    }
    Ok(())
}

fn check_signatory(by: &Signatory, on: NaiveDate, people: &People<'_>) -> Result<(), AccordError> {
    match by {
        Signatory::YoungPerson => Ok(()),
        Signatory::Holder(id) => match people.holder(id) {
            Some(holder) if holder.can_sign() && holder.in_period(on) => Ok(()),
            Some(_) | None => Err(AccordError::CannotSign(id.clone())),
        },
    }
}
