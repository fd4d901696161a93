//! The fact `accord` of the decision (DESIGN §3), and who is named by an accord in force.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::event::Event;
use super::facts::{Accord, Line, LineKind, RecipientKey};
use super::judge::{Judged, Sheet, SheetRef, judge, latest, turning_points};
use super::objection::{Negative, Target, Whom, objections};
use crate::clock::Timestamp;
use crate::domain::cell::{AccordFact, Need};
use crate::domain::person::People;
use crate::domain::release::Release;
use crate::domain::vocabulary::{Category, Level, Purpose};
use crate::ids::{AccordId, AccordLineId, AssignmentId, ItemVersionId, OrganisationId};

/// All that the engine reads about one person's consent.
#[derive(Clone, Copy, Debug)]
pub struct ConsentFile<'a> {
    pub people: People<'a>,
    pub accords: &'a [Accord],
    pub releases: &'a [Release],
    /// Refusals, withdrawals and oppositions recorded on no particular sheet.
    pub standing: &'a [Event],
}

impl<'a> ConsentFile<'a> {
    pub(crate) fn sheets(&self) -> impl Iterator<Item = Sheet<'a>> + use<'a> {
        self.accords.iter().map(Accord::sheet).chain(self.releases.iter().map(Release::sheet))
    }
}

impl Accord {
    pub(crate) fn sheet(&self) -> Sheet<'_> {
        let facts = self.facts();
        Sheet {
            id: SheetRef::Accord(facts.id()),
            purpose: facts.purpose(),
            starts: facts.starts(),
            ends: Some(facts.ends()),
            collected_by: facts.collected_by(),
            lines: facts.lines(),
            events: self.events(),
        }
    }
}

/// One question to the accords: may this recipient be told this, for this purpose, under a cell of this need.
#[derive(Clone, Copy, Debug)]
pub struct AccordQuery<'a> {
    pub recipient: &'a RecipientKey,
    /// Who, exactly; without it, what was agreed for « cette personne seulement » does not count.
    pub assignment: Option<&'a AssignmentId>,
    pub category: Category,
    pub purpose: Purpose,
    pub item_version: Option<&'a ItemVersionId>,
    /// The need of the charter's cell: it decides who must have signed.
    pub need: Need,
}

/// The line that an answer rests on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Basis {
    pub accord: AccordId,
    pub line: AccordLineId,
}

/// The fact, and until when time alone cannot change it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FactAnswer {
    pub fact: AccordFact,
    pub valid_until: Timestamp,
    /// The line in force, or the one that expired.
    pub basis: Option<Basis>,
    /// The day on which the last signature needed was given.
    pub signed_on: Option<NaiveDate>,
    /// The latest refusal, withdrawal or opposition that covers the question, defeated or not: a manager's validation
    /// of a statutory record must be later.
    pub refused_at: Option<Timestamp>,
}

/// Whether somebody is named by an accord in force, and until when at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedAnswer {
    pub named: bool,
    pub as_recipient: bool,
    pub valid_until: Timestamp,
    pub basis: Option<Basis>,
}

/// DESIGN §3: the latest refusal, withdrawal or opposition covering the question defeats every earlier accord; after
/// it, among fully signed accords in force and signed later, the highest level counts; else `expired`, else `none`.
#[must_use]
pub fn accord_fact(query: &AccordQuery<'_>, file: &ConsentFile<'_>, now: Timestamp) -> FactAnswer {
    let target = Target {
        recipient: query.recipient,
        whom: query.assignment.map_or(Whom::Unknown, Whom::One),
        category: Some(query.category),
        purpose: query.purpose,
        version: query.item_version,
        need: query.need,
    };
    let mut best: Option<(Level, NaiveDate, Basis)> = None;
    let mut expired: Option<(NaiveDate, Basis)> = None;
    let mut closed: Option<(Timestamp, Negative)> = None;
    let mut turns = file_turns(file);
    for accord in file.accords.iter().filter(|a| a.facts().purpose() == query.purpose) {
        let sheet = accord.sheet();
        turning_points(file, &sheet, &mut turns);
        for line in accord.facts().lines() {
            if line.kind != LineKind::Recipient || !line.matches(query.recipient, query.assignment) {
                continue;
            }
            let basis = || Basis { accord: accord.facts().id().clone(), line: line.id.clone() };
            match judge(file, &sheet, line, &target, now) {
                Judged::InForce { informed, signed_on } => {
                    let level = level_of(line, query, informed);
                    let candidate = (level, signed_on, basis());
                    if best.as_ref().is_none_or(|b| candidate > *b) {
                        best = Some(candidate);
                    }
                }
                Judged::Expired { signed_on, .. } => {
                    let candidate = (signed_on, basis());
                    if expired.as_ref().is_none_or(|e| candidate > *e) {
                        expired = Some(candidate);
                    }
                }
                Judged::Closed { at, negative } => closed = closed.max(Some((at, negative))),
                Judged::Incomplete { .. } | Judged::Upcoming | Judged::Replaced { .. } => {}
            }
        }
    }
    let said_no = objections(file, None, &target, now);
    let no = latest(said_no.iter()).max(closed);
    let (fact, basis, signed_on) = match (best, expired, no) {
        (Some((level, signed_on, basis)), _, _) => (fact_of(level), Some(basis), Some(signed_on)),
        (None, Some((signed_on, basis)), _) => (AccordFact::Expired, Some(basis), Some(signed_on)),
        (None, None, Some((_, Negative::Refused))) => (AccordFact::Refused, None, None),
        (None, None, Some((_, Negative::Withdrawn))) => (AccordFact::Withdrawn, None, None),
        (None, None, None) => (AccordFact::None, None, None),
    };
    FactAnswer {
        fact,
        valid_until: next_turn(&turns, now),
        basis,
        signed_on,
        refused_at: no.map(|(at, _)| at),
    }
}

const fn fact_of(level: Level) -> AccordFact {
    match level {
        Level::Opening => AccordFact::Opening,
        Level::Category => AccordFact::Category,
        Level::Informed => AccordFact::Informed,
    }
}

/// DESIGN §3: `informed` for the versions that the notice showed, `category` for a subject it names, else `opening`.
fn level_of(line: &Line, query: &AccordQuery<'_>, informed: bool) -> Level {
    let shown = query.item_version.is_some_and(|version| {
        line.shown.iter().any(|s| s.version == *version && s.category == query.category)
    });
    if shown && informed {
        Level::Informed
    } else if line.categories.contains(&query.category) {
        Level::Category
    } else {
        Level::Opening
    }
}

/// Moments that belong to the person and not to one sheet.
pub(crate) fn file_turns(file: &ConsentFile<'_>) -> BTreeSet<Timestamp> {
    let mut turns = BTreeSet::new();
    turns.extend(file.people.person.decides_alone_from().map(Timestamp::paris_midnight));
    turns.extend(file.people.impossibilities.iter().map(|i| Timestamp::paris_midnight(i.from())));
    turns.extend(file.standing.iter().map(Event::at));
    // A "no" dated ahead of this clock is not seen yet, on whichever sheet it stands.
    turns.extend(file.sheets().flat_map(|s| s.events.iter().map(Event::at)));
    turns
}

/// The next moment at which time alone could change any answer of this file.
#[must_use]
pub fn next_turn_of(file: &ConsentFile<'_>, now: Timestamp) -> Timestamp {
    let mut turns = file_turns(file);
    for sheet in file.sheets() {
        turning_points(file, &sheet, &mut turns);
    }
    next_turn(&turns, now)
}

pub(crate) fn next_turn(turns: &BTreeSet<Timestamp>, now: Timestamp) -> Timestamp {
    turns
        .range((std::ops::Bound::Excluded(now), std::ops::Bound::Unbounded))
        .next()
        .copied()
        .unwrap_or(Timestamp::MAX)
}

/// Whether an accord in force names this recipient or contributor, for any purpose: what inviting and staying in the
/// circle need. « Cette personne seulement » holds here too.
#[must_use]
pub fn named(
    key: &RecipientKey,
    assignment: Option<&AssignmentId>,
    file: &ConsentFile<'_>,
    now: Timestamp,
) -> NamedAnswer {
    find_named(file, now, |_| true, assignment, |line| line.matches(key, assignment))
}

/// [`named`], by the accords alone that `collector` collected.
#[must_use]
pub fn named_by_own(
    key: &RecipientKey,
    assignment: &AssignmentId,
    file: &ConsentFile<'_>,
    collector: &AssignmentId,
    now: Timestamp,
) -> NamedAnswer {
    let own = |accord: &Accord| accord.facts().collected_by() == collector;
    find_named(file, now, own, Some(assignment), |line| line.matches(key, Some(assignment)))
}

/// Whether an accord named this assignment at some moment from `since` until now.
#[must_use]
pub fn named_lately(
    key: &RecipientKey,
    assignment: &AssignmentId,
    file: &ConsentFile<'_>,
    since: Timestamp,
    now: Timestamp,
) -> bool {
    let mut turns = file_turns(file);
    for sheet in file.sheets() {
        turning_points(file, &sheet, &mut turns);
    }
    // Between two turns nothing changes.
    let between = turns.into_iter().filter(|at| since < *at && *at <= now);
    std::iter::once(since).chain(between).any(|at| named(key, Some(assignment), file, at).named)
}

/// R05: an action is in progress only under an accord in force for its purpose that names the organisation of who acts.
#[must_use]
pub fn acts_under_accord(
    organisation: &OrganisationId,
    purpose: Purpose,
    file: &ConsentFile<'_>,
    now: Timestamp,
) -> NamedAnswer {
    let same = |accord: &Accord| accord.facts().purpose() == purpose;
    find_named(file, now, same, None, |line| line.recipient.organisation == *organisation)
}

/// S11: whether a signed notice in force, in a line of this recipient for this purpose, names `service`.
#[must_use]
pub fn names_service(
    query: &AccordQuery<'_>,
    service: &RecipientKey,
    file: &ConsentFile<'_>,
    now: Timestamp,
) -> bool {
    let target = Target {
        recipient: query.recipient,
        whom: query.assignment.map_or(Whom::Unknown, Whom::One),
        category: Some(query.category),
        purpose: query.purpose,
        version: None,
        // Naming a service shows the family who takes part: the signatures are those of the exact words.
        need: Need::Informed,
    };
    file.accords.iter().filter(|a| a.facts().purpose() == query.purpose).any(|accord| {
        let sheet = accord.sheet();
        accord
            .facts()
            .lines()
            .iter()
            .filter(|l| l.kind == LineKind::Recipient && l.matches(query.recipient, query.assignment))
            .filter(|l| l.services.contains(service))
            .any(|line| {
                matches!(judge(file, &sheet, line, &target, now), Judged::InForce { informed: true, .. })
            })
    })
}

fn find_named(
    file: &ConsentFile<'_>,
    now: Timestamp,
    asked: impl Fn(&Accord) -> bool,
    assignment: Option<&AssignmentId>,
    wanted: impl Fn(&Line) -> bool,
) -> NamedAnswer {
    let mut turns = file_turns(file);
    let mut answer =
        NamedAnswer { named: false, as_recipient: false, valid_until: Timestamp::MAX, basis: None };
    for accord in file.accords.iter().filter(|a| asked(a)) {
        let sheet = accord.sheet();
        turning_points(file, &sheet, &mut turns);
        for line in accord.facts().lines().iter().filter(|l| wanted(l)) {
            let target = Target {
                recipient: &line.recipient,
                whom: assignment.map_or(Whom::Line, Whom::One),
                category: None,
                purpose: accord.facts().purpose(),
                version: None,
                need: Need::Opening,
            };
            match judge(file, &sheet, line, &target, now) {
                Judged::InForce { .. } => {
                    answer.named = true;
                    let receives = line.kind == LineKind::Recipient;
                    if answer.basis.is_none() || (receives && !answer.as_recipient) {
                        answer.basis =
                            Some(Basis { accord: accord.facts().id().clone(), line: line.id.clone() });
                    }
                    answer.as_recipient |= receives;
                }
                Judged::Incomplete { .. }
                | Judged::Upcoming
                | Judged::Expired { .. }
                | Judged::Closed { .. }
                | Judged::Replaced { .. } => {}
            }
        }
    }
    answer.valid_until = next_turn(&turns, now);
    answer
}
