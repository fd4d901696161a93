//! The eight gates for an item (DESIGN §4), in their order, each failing one explained.

use super::common_gates::{Acting, gate_eight, gate_one, gate_two, place_turns, until, version_turns};
use super::existence::{may_know_unplaced, never_hidden};
use super::facts::{AssignmentFacts, ItemFacts, ParticipationFacts, PathwayFacts, ShareFacts, VersionFacts};
use super::memo::Memo;
use super::standing::CharterBook;
use crate::charter::Matrix;
use crate::charter::table::{Judgement, judge_cell};
use crate::clock::Timestamp;
use crate::domain::accord::{AccordQuery, FactAnswer, named};
use crate::domain::cell::{AccordFact, Cell, Need, Reason, StatuteFact, TableFacts};
use crate::domain::release::{ReleaseAnswer, ReleaseQuery};
use crate::domain::statute::{StatuteAnswer, StatuteQuery, statute_fact};
use crate::domain::vocabulary::{Category, Profession, Purpose, Regime, Role, Secrecy};
use crate::ids::{EmergencyId, ParticipationId, StatuteId};

/// STORIES S3: how long after the review date what is shared is still read.
pub const REVIEW_GRACE_DAYS: u64 = 30;

/// One failing gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// 1 to 8, as DESIGN §4 numbers them.
    pub gate: u8,
    pub reason: Reason,
}

/// The answer, with its why.
#[derive(Clone, Debug)]
pub struct Decision {
    pub permitted: bool,
    pub reason: Reason,
    /// Every failing gate, in order; empty on a permit.
    pub failing: Vec<Failing>,
    /// What gates 5 to 7 looked at; `None` where an own item was opened by gate 3.
    pub facts: Option<TableFacts>,
    pub regime: Option<Regime>,
    /// The earliest moment at which time alone could change this answer.
    pub valid_until: Timestamp,
    /// Until when the reader will read, as people are told.
    pub reads_until: Timestamp,
    /// The day on which the accord that carries a permit was signed.
    pub signed_on: Option<chrono::NaiveDate>,
    /// What a permit rests on: `accord:…`, `share:…`, `statute:…`.
    pub basis: Vec<String>,
    /// Shown as « Transmis par la famille », without author, organisation or sharer.
    pub as_family: bool,
}

/// Reading, or asking before sharing.
#[derive(Clone, Debug)]
pub enum Mode {
    /// All eight gates.
    Read,
    /// Supposes the share (no gate 4); with the statutory record of the author who asks, if there is one.
    Preview { statute: Option<StatuteId> },
    /// Reading under an opening in an emergency (S13): gates of its own.
    Emergency { opening: EmergencyId },
}

/// One question: may this reader read this version, for this purpose, now?
pub struct Question<'a> {
    pub facts: &'a PathwayFacts,
    pub book: &'a CharterBook,
    pub assignment: &'a AssignmentFacts,
    /// The reader's place in the circle; `None` for somebody who has none (yet).
    pub participation: Option<&'a ParticipationFacts>,
    /// Who asks about this reader ([`Mode::Preview`]); `None` where readers ask for themselves.
    pub asker: Option<&'a ParticipationFacts>,
    pub item: &'a ItemFacts,
    pub version: &'a VersionFacts,
    /// Left out: only gate 3 can open.
    pub purpose: Option<Purpose>,
    pub mode: Mode,
    pub now: Timestamp,
}

/// The cell under which an item is read: the strictest of its category's and its subjects' (N wins).
pub(super) fn cell_of(matrix: &Matrix, profession: Profession, secrecy: Secrecy, item: &ItemFacts) -> Cell {
    matrix.strictest(profession, secrecy, std::iter::once(item.category).chain(item.subjects.iter().copied()))
}

/// A purpose must carry the item's category and every subject that it speaks of.
fn carried(matrix: &Matrix, purpose: Purpose, category: Category, subjects: &[Category]) -> bool {
    matrix.purpose_carries(purpose, category) && subjects.iter().all(|s| matrix.purpose_carries(purpose, *s))
}

/// Gate 2's condition: an accord or statutory record in force still names this participation (the lead always).
#[must_use]
pub fn named_in_force(facts: &PathwayFacts, p: &ParticipationFacts, now: Timestamp) -> bool {
    if p.assignment.organisation == facts.lead && !matches!(p.role, Role::StayOrganiser) {
        return true;
    }
    let key = p.assignment.recipient_key();
    named(&key, Some(&p.assignment.id), &facts.consent(), now).named
        || facts.statutes.iter().filter(|s| s.names(&p.id)).any(|s| {
            s.record.draft().items.iter().any(|version| {
                let query = StatuteQuery { item_version: version, recipient: &p.id, refused_at: None };
                statute_fact(&s.record, &s.events, &query, &facts.person, now).fact != StatuteFact::None
            })
        })
}

/// Gate 3: the author's own assignment, or a participant of the same organisation and mission who is bound if the
/// author holds a secret. The cell is judged by the caller.
fn is_own(q: &Question<'_>) -> bool {
    if q.item.author_assignment == q.assignment.id {
        return true;
    }
    let Some(author) = q.facts.participation(&q.item.author) else { return false };
    let same_service = author.assignment.organisation == q.assignment.organisation
        && author.assignment.mission == q.assignment.mission;
    let holds = q.version.author_secrecy.holds_a_secret();
    same_service && (!holds || q.assignment.secrecy_at(q.now) == Secrecy::Bound)
}

/// The participations whose shares reach this reader: its own, and the one whose place it took (S8, S21).
fn reached_as<'a>(facts: &'a PathwayFacts, p: &'a ParticipationFacts) -> Vec<&'a ParticipationId> {
    let mut ids = vec![&p.id];
    let mut next = p.stands_in_for.as_ref();
    // A chain of successors; bounded, so that a corrupt cycle ends.
    for _ in 0..16 {
        let Some(id) = next else { break };
        ids.push(id);
        next = facts.participation(id).and_then(|f| f.stands_in_for.as_ref());
    }
    ids
}

/// The share that opens gate 4, or why none does.
fn gate_four<'a>(
    q: &Question<'a>,
    purpose: Purpose,
) -> Result<(&'a ShareFacts, Option<&'a StatuteId>), Reason> {
    let p = q.participation.ok_or(Reason::NotShared)?;
    let ids = reached_as(q.facts, p);
    let mut ended = false;
    for share in q.facts.shares.iter().filter(|s| s.purpose == purpose && s.versions.contains(&q.version.id))
    {
        // Its own line first: a sharer who stopped the successor has stopped the successor.
        let own = share.recipients.iter().find(|r| r.participation == p.id);
        let Some(recipient) =
            own.or_else(|| share.recipients.iter().find(|r| ids.contains(&&r.participation)))
        else {
            continue;
        };
        // Until both ends confirm, the receiver of a handover reads the list only, no words.
        let waiting = share
            .handover
            .as_ref()
            .is_some_and(|h| q.facts.handovers.iter().find(|f| f.id == *h).is_none_or(|f| !f.complete()));
        if waiting || q.now < share.starts {
            continue;
        }
        let over = q.now >= share.ends
            || share.ended_at.is_some_and(|t| t <= q.now)
            || recipient.ended_at.is_some_and(|t| t <= q.now);
        if over {
            ended = true;
        } else {
            return Ok((share, recipient.statute.as_ref()));
        }
    }
    Err(if ended { Reason::ShareEnded } else { Reason::NotShared })
}

/// STORIES S3: thirty days after a review that was not held, reading is suspended, but for a stay.
fn paused_from(q: &Question<'_>, purpose: Purpose) -> Option<Timestamp> {
    q.facts.pause_from().filter(|_| purpose != Purpose::Stay)
}

/// The purposes for which some share names this version and reader: each is a door (DESIGN §7).
#[must_use]
pub fn purposes_open_to(
    facts: &PathwayFacts,
    p: &ParticipationFacts,
    version: &VersionFacts,
) -> Vec<Purpose> {
    let ids = reached_as(facts, p);
    let mut purposes: Vec<Purpose> = facts
        .shares
        .iter()
        .filter(|s| s.versions.contains(&version.id))
        .filter(|s| s.recipients.iter().any(|r| ids.contains(&&r.participation)))
        .map(|s| s.purpose)
        .collect();
    purposes.sort_unstable();
    purposes.dedup();
    purposes
}

/// THREAT: existence oracle. What accords say of somebody without a place would tell an asker, who may not know of
/// that service, whether it takes part: such a reader is answered from the charter alone.
fn hides_from_asker(q: &Question<'_>, memo: &Memo) -> bool {
    match (&q.mode, q.participation) {
        (Mode::Preview { .. }, None) => {}
        (Mode::Preview { .. } | Mode::Read | Mode::Emergency { .. }, _) => return false,
    }
    let Some(asker) = q.asker else { return !never_hidden(q.assignment) };
    let key = q.assignment.recipient_key();
    let hidden_place = q
        .facts
        .participations
        .iter()
        .any(|p| p.assignment.recipient_key() == key && memo.hidden(q.facts, q.book, asker, p, q.now));
    hidden_place || !may_know_unplaced(q.facts, q.book, asker, q.assignment, q.now)
}

/// The fact `accord` of this question, every "no" that covers it counted.
pub(super) fn accord_of(
    q: &Question<'_>,
    memo: &Memo,
    purpose: Purpose,
    need: Need,
    claims: bool,
) -> FactAnswer {
    let key = q.assignment.recipient_key();
    let said = |category: Category, purpose: Purpose| {
        let query = AccordQuery {
            recipient: &key,
            assignment: Some(&q.assignment.id),
            category,
            purpose,
            item_version: Some(&q.version.id),
            need,
        };
        memo.accord(q.facts, &query, q.now)
    };
    let mut accord = said(q.item.category, purpose);
    // LAW §5: who withdrew a subject withdrew what a synthesis says of it. LAW §4: the statute is no way round a
    // refusal, for whichever purpose it was asked.
    let subjects = q.item.subjects.iter().map(|s| said(*s, purpose));
    let elsewhere = Purpose::ALL
        .iter()
        .filter(|other| claims && accord.fact.level().is_none() && **other != purpose)
        .map(|other| said(q.item.category, *other));
    let noes: Vec<_> = subjects.chain(elsewhere).collect();
    for no in noes {
        accord.valid_until = accord.valid_until.min(no.valid_until);
        if matches!(no.fact, AccordFact::Refused | AccordFact::Withdrawn) {
            accord.refused_at = accord.refused_at.max(no.refused_at);
            accord.fact = no.fact;
            accord.basis = None;
            accord.signed_on = None;
        }
    }
    accord
}

/// Decides. Pure; what it costs is measured in `benches/decision.rs`.
#[must_use]
pub fn decide(q: &Question<'_>) -> Decision {
    decide_with(q, &Memo::default())
}

/// [`decide`], with what this request has already worked out on the same facts, book and moment.
pub(super) fn decide_with(q: &Question<'_>, memo: &Memo) -> Decision {
    if let Mode::Emergency { opening } = &q.mode {
        return super::emergency::decide_item(q, opening, memo);
    }
    let now = q.now;
    // Gate 1.
    let Acting { mut failing, standing, valid_until } = gate_one(q.book, q.assignment, now);
    let place = q.participation.map_or([None; 2], place_turns);
    let mut valid_until = until(valid_until, now, place.into_iter().chain(version_turns(q.version)));

    // THREAT: confused deputy. The version judged and opened is one of this item's.
    if !q.item.versions.iter().any(|v| v.id == q.version.id) {
        return refused(vec![Failing { gate: 4, reason: Reason::NotShared }], None, valid_until, q);
    }
    // The explanation of gates 5 to 7 goes on under the charter in force, even for who has not signed it yet.
    let matrix = match &standing {
        Some(s) => Some(&s.matrix),
        None => q.book.in_force(now).map(|e| &e.matrix),
    };

    // Gate 2.
    let no_place = gate_two(q.facts, q.participation, now, memo);
    failing.extend(no_place);

    // Gate 3, with the cell of gate 5 and gate 8.
    let version_over = gate_eight(q.version, now);
    let secrecy = q.assignment.secrecy_at(now);
    let cell = matrix.map_or(Cell::NEVER, |m| cell_of(m, q.assignment.profession, secrecy, q.item));
    let own = is_own(q);
    if own && failing.is_empty() && cell.need() != Need::Never {
        if version_over.is_some() {
            failing.extend(version_over);
            return refused(failing, None, valid_until, q);
        }
        return Decision {
            permitted: true,
            reason: Reason::OwnItem,
            failing,
            facts: None,
            regime: None,
            valid_until,
            reads_until: valid_until,
            signed_on: None,
            basis: vec!["own".to_owned()],
            as_family: false,
        };
    }
    if no_place.is_none() && q.participation.is_some_and(|p| p.role == Role::ContributorOnly) {
        failing.push(Failing { gate: 2, reason: Reason::ContributorOnly });
    }

    // Gate 4.
    let Some(purpose) = q.purpose else {
        failing.push(Failing { gate: 4, reason: Reason::NotShared });
        return refused(failing, None, valid_until, q);
    };
    let mut basis = Vec::new();
    let mut claimed = None;
    // A preview is asked again at the review; what it promises ends with the pause, as the reading will.
    let (mut asked_again, mut paused) = (Timestamp::MAX, Timestamp::MAX);
    match &q.mode {
        Mode::Preview { statute } => {
            claimed = statute.as_ref();
            // STORIES S3: from the review date on nothing new is shared, a stay included.
            if q.facts.review_due(now) {
                failing.push(Failing { gate: 4, reason: Reason::SharingPaused });
            } else {
                asked_again = q.facts.review_from().unwrap_or(Timestamp::MAX);
                paused = paused_from(q, purpose).unwrap_or(Timestamp::MAX);
            }
        }
        Mode::Emergency { .. } => failing.push(Failing { gate: 4, reason: Reason::NotShared }),
        Mode::Read => match gate_four(q, purpose) {
            Ok((share, statute)) => {
                valid_until = valid_until.min(share.ends);
                match paused_from(q, purpose) {
                    Some(pause) if now >= pause => {
                        failing.push(Failing { gate: 4, reason: Reason::SharingPaused });
                    }
                    Some(pause) => valid_until = valid_until.min(pause),
                    None => {}
                }
                basis.push(format!("share:{}:{}", share.id, share.version));
                claimed = statute;
            }
            Err(reason) => failing.push(Failing { gate: 4, reason }),
        },
    }

    // Gates 5 to 7.
    let (accord, release) = if hides_from_asker(q, memo) {
        let valid_until = Timestamp::MAX;
        (
            FactAnswer {
                fact: AccordFact::None,
                valid_until,
                basis: None,
                signed_on: None,
                refused_at: None,
            },
            ReleaseAnswer { released: false, valid_until, basis: None, signed_on: None },
        )
    } else {
        let query = ReleaseQuery {
            item_version: &q.version.id,
            category: q.item.category,
            purpose,
            recipient: &q.assignment.recipient_key(),
            assignment: Some(&q.assignment.id),
        };
        (accord_of(q, memo, purpose, cell.need(), claimed.is_some()), memo.released(q.facts, &query, now))
    };
    let statute = claimed_statute(q, claimed, accord.refused_at);
    let table = TableFacts {
        recipient_profession: q.assignment.profession,
        recipient_secrecy: secrecy,
        author_secrecy: q.version.author_secrecy,
        category: q.item.category,
        purpose,
        accord: accord.fact,
        family_released: release.released,
        statute: statute.fact,
    };
    let carries = matrix.is_some_and(|m| carried(m, purpose, q.item.category, &q.item.subjects));
    let judgement: Judgement = judge_cell(cell, carries, &table);
    failing.extend(
        judgement.failing().into_iter().flatten().map(|reason| Failing { gate: gate_of(reason), reason }),
    );
    let regime = judgement.regime();

    // Gate 7, second half: an author hidden from this reader reaches it only through the family, or the statute.
    let author_hidden = match (q.participation, q.facts.participation(&q.item.author)) {
        (Some(reader), Some(author)) => memo.hidden(q.facts, q.book, reader, author, now),
        (None, Some(author)) => author.existence.category().is_some(),
        (_, None) => true,
    };
    if author_hidden && !release.released && regime != Some(Regime::L226_2_2) {
        failing.push(Failing { gate: 7, reason: Reason::AuthorHidden });
    }

    // Gate 8.
    failing.extend(version_over);

    valid_until = match regime {
        Some(Regime::L226_2_2) => valid_until.min(statute.valid_until),
        Some(Regime::Accord | Regime::Emergency) | None => valid_until.min(accord.valid_until),
    };
    if release.released {
        valid_until = valid_until.min(release.valid_until);
    }
    let reads_until = valid_until.min(paused);
    valid_until = valid_until.min(asked_again);
    if !failing.is_empty() {
        return refused(failing, Some(table), valid_until, q);
    }
    match regime {
        Some(Regime::L226_2_2) => basis.extend(claimed.map(|s| format!("statute:{s}"))),
        Some(Regime::Accord | Regime::Emergency) | None => {
            basis.extend(accord.basis.iter().map(|b| format!("accord:{}:{}", b.accord, b.line)));
        }
    }
    Decision {
        permitted: true,
        reason: judgement.reason,
        failing,
        facts: Some(table),
        regime,
        valid_until,
        reads_until,
        signed_on: accord.signed_on,
        basis,
        as_family: shown_as_family(q, memo, release.released),
    }
}

/// The statutory record that is claimed for this reading, if it names this reader and version.
fn claimed_statute(
    q: &Question<'_>,
    claimed: Option<&StatuteId>,
    refused_at: Option<Timestamp>,
) -> StatuteAnswer {
    let none = StatuteAnswer { fact: StatuteFact::None, valid_until: Timestamp::MAX, lapses_at: None };
    let (Some(id), Some(reader)) = (claimed, q.participation) else { return none };
    let Some(file) = q.facts.statutes.iter().find(|s| s.id() == id && s.names(&reader.id)) else {
        return none;
    };
    let query = StatuteQuery { item_version: &q.version.id, recipient: &reader.id, refused_at };
    statute_fact(&file.record, &file.events, &query, &q.facts.person, q.now)
}

fn shown_as_family(q: &Question<'_>, memo: &Memo, released: bool) -> bool {
    (released || q.item.for_stay)
        && q.participation.is_none_or(|p| !memo.reads_every_existence(q.facts, q.book, p, q.now))
}

/// Gates 5 to 7 give few reasons; every other one of theirs is about the accord or the statute.
fn gate_of(reason: Reason) -> u8 {
    if matches!(reason, Reason::CeilingNever | Reason::PurposeExcludesCategory) {
        5
    } else if reason == Reason::NotFamilyReleased {
        7
    } else {
        6
    }
}

/// `reason` is the first failing gate's.
pub(super) fn refused(
    failing: Vec<Failing>,
    facts: Option<TableFacts>,
    valid_until: Timestamp,
    q: &Question<'_>,
) -> Decision {
    let reason = failing.first().map_or(Reason::NotShared, |f| f.reason);
    Decision {
        permitted: false,
        reason,
        failing,
        facts,
        regime: None,
        valid_until,
        reads_until: q.now,
        signed_on: None,
        basis: Vec::new(),
        as_family: false,
    }
}
