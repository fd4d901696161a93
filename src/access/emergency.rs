//! The gates of an emergency (S13, LAW §5): a regime of its own, beside accord and statute, and reached by no other way.
//!
//! It stands in for gates 4, 6 and 7 (share, accord, words shown) and for the purpose of gate 5; it replaces neither
//! actor (1), nor place (2), nor the cell (5, `N` stays `N`), nor an item's own end (8).
//!
//! LAW: CASF L226-4 II, CP 223-6. « An already assigned participant »: accepted, in force and still named; somebody who
//! only brings receives nothing, and who organises a stay has the stay and nothing else: both are refused, because
//! calling is open to everyone and the text does not name them (ADR 0010).
//!
//! THREAT: existence oracle. What is opened is shown without author, whoever wrote it and whoever reads it: a label on
//! some of it would tell which of the others has a hidden author.

use super::common_gates::{
    Acting, assignment_in_force, gate_eight, gate_one, gate_two, place_turns, until, version_turns,
};
use super::facts::{AssignmentFacts, ParticipationFacts, PathwayFacts};
use super::item::{Decision, Failing, Question, accord_of, refused};
use super::memo::Memo;
use super::resource::{deny, permit};
use crate::charter::Matrix;
use crate::clock::Timestamp;
use crate::domain::accord::{AccordQuery, accord_fact};
use crate::domain::cell::{Cell, Reason, StatuteFact, TableFacts};
use crate::domain::emergency::{Emergency, EmergencyCategory, emergency_opens};
use crate::domain::vocabulary::{Category, Profession, Purpose, Regime, Role, Secrecy};
use crate::ids::EmergencyId;

/// The role and the profession for which an emergency exists.
fn receives(me: &ParticipationFacts, assignment: &AssignmentFacts) -> Option<Failing> {
    let reason = match me.role {
        Role::Referent | Role::Participant => None,
        Role::ContributorOnly => Some(Reason::ContributorOnly),
        Role::StayOrganiser => Some(Reason::NotAParticipant),
    };
    // Nobody of the platform has a place; were there one, it would open nothing.
    let reason = reason.or_else(|| assignment.profession.is_platform().then_some(Reason::CeilingNever));
    reason.map(|reason| Failing { gate: 2, reason })
}

/// One's own opening, in force, or why not.
fn own<'a>(
    facts: &'a PathwayFacts,
    assignment: &AssignmentFacts,
    me: &ParticipationFacts,
    id: &EmergencyId,
    now: Timestamp,
) -> Result<&'a Emergency, Failing> {
    let opening = facts
        .emergency(id)
        .filter(|e| *e.assignment() == assignment.id && *e.place() == me.id)
        .ok_or(Failing { gate: 4, reason: Reason::NotShared })?;
    if opening.in_force(now) { Ok(opening) } else { Err(Failing { gate: 4, reason: Reason::EmergencyEnded }) }
}

fn opened(opening: &Emergency, facts: TableFacts, valid_until: Timestamp) -> Decision {
    Decision {
        permitted: true,
        reason: Reason::Emergency,
        failing: Vec::new(),
        facts: Some(facts),
        regime: Some(Regime::Emergency),
        valid_until,
        reads_until: opening.closes_at(),
        signed_on: None,
        basis: vec![format!("emergency:{}", opening.id())],
        // Without author, organisation or sharer, always.
        as_family: true,
    }
}

fn never(cell: Reason) -> Failing {
    Failing { gate: 5, reason: cell }
}

/// May somebody of this place open at all? Gates 1 and 2 are the caller's.
pub(super) fn decide_opening(
    facts: &PathwayFacts,
    matrix: &Matrix,
    assignment: &AssignmentFacts,
    me: &ParticipationFacts,
    valid_until: Timestamp,
    now: Timestamp,
) -> Decision {
    let mut failing: Vec<Failing> = receives(me, assignment).into_iter().collect();
    if facts.closed_at.is_some() {
        failing.push(Failing { gate: 2, reason: Reason::NotAParticipant });
    }
    let secrecy = assignment.secrecy_at(now);
    let any = EmergencyCategory::ALL.iter().any(|c| {
        let cell = matrix.cell(assignment.profession, secrecy, c.category());
        emergency_opens(c.category(), cell).is_ok()
    });
    if !any {
        failing.push(never(Reason::CeilingNever));
    }
    if failing.is_empty() {
        permit(Reason::Member, valid_until, Vec::new(), None)
    } else {
        deny(failing, None, valid_until)
    }
}

/// The identity sheet under one's own opening. Gates 1 and 2 are the caller's.
pub(super) fn decide_sheet(
    facts: &PathwayFacts,
    matrix: &Matrix,
    assignment: &AssignmentFacts,
    me: &ParticipationFacts,
    id: &EmergencyId,
    valid_until: Timestamp,
    now: Timestamp,
) -> Decision {
    let mut failing: Vec<Failing> = receives(me, assignment).into_iter().collect();
    let opening = own(facts, assignment, me, id, now);
    failing.extend(opening.as_ref().err());
    let secrecy = assignment.secrecy_at(now);
    let cell = matrix.cell(assignment.profession, secrecy, Category::Identity);
    failing.extend(emergency_opens(Category::Identity, cell).err().map(never));
    let query = AccordQuery {
        recipient: &assignment.recipient_key(),
        assignment: Some(&assignment.id),
        category: Category::Identity,
        purpose: Purpose::Protection,
        item_version: None,
        need: cell.need(),
    };
    // What the family said is recorded beside the permit; it does not decide here.
    let accord = accord_fact(&query, &facts.consent(), now);
    let table = TableFacts {
        recipient_profession: assignment.profession,
        recipient_secrecy: secrecy,
        author_secrecy: facts.referent_place(now).map_or(Secrecy::Bound, |p| p.assignment.secrecy_at(now)),
        category: Category::Identity,
        purpose: Purpose::Protection,
        accord: accord.fact,
        family_released: false,
        statute: StatuteFact::None,
    };
    match opening {
        Ok(opening) if failing.is_empty() => {
            let until = valid_until.min(opening.closes_at()).min(accord.valid_until);
            opened(opening, table, until)
        }
        Ok(_) | Err(_) => deny(failing, Some(table), valid_until),
    }
}

/// The words of one version under one's own opening: every gate, in its order.
pub(super) fn decide_item(q: &Question<'_>, id: &EmergencyId, memo: &Memo) -> Decision {
    let now = q.now;
    let Acting { mut failing, standing, valid_until } = gate_one(q.book, q.assignment, now);
    let valid_until = until(valid_until, now, version_turns(q.version));
    // THREAT: confused deputy. The version judged and opened is one of this item's, and the one in force of it.
    if q.item.current().is_none_or(|v| v.id != q.version.id) {
        return refused(vec![Failing { gate: 4, reason: Reason::NotShared }], None, valid_until, q);
    }
    let no_place = gate_two(q.facts, q.participation, now, memo);
    failing.extend(no_place);
    let Some(me) = q.participation.filter(|_| no_place.is_none()) else {
        return refused(failing, None, valid_until, q);
    };
    let valid_until = until(valid_until, now, place_turns(me));
    failing.extend(receives(me, q.assignment));
    let opening = own(q.facts, q.assignment, me, id, now);
    failing.extend(opening.as_ref().err());
    let secrecy = q.assignment.secrecy_at(now);
    let cell = standing.as_ref().map_or(Cell::NEVER, |s| {
        let subjects = q.item.subjects.iter().copied();
        s.matrix.strictest(q.assignment.profession, secrecy, std::iter::once(q.item.category).chain(subjects))
    });
    let categories = std::iter::once(q.item.category).chain(q.item.subjects.iter().copied());
    let barred = categories.map(|c| emergency_opens(c, cell)).find_map(Result::err);
    failing.extend(barred.map(never));
    failing.extend(gate_eight(q.version, now));
    let accord = accord_of(q, memo, Purpose::Protection, cell.need(), false);
    let table = TableFacts {
        recipient_profession: q.assignment.profession,
        recipient_secrecy: secrecy,
        author_secrecy: q.version.author_secrecy,
        category: q.item.category,
        purpose: Purpose::Protection,
        accord: accord.fact,
        family_released: false,
        statute: StatuteFact::None,
    };
    match opening {
        Ok(opening) if failing.is_empty() => {
            let until = valid_until.min(opening.closes_at()).min(accord.valid_until);
            opened(opening, table, until)
        }
        Ok(_) | Err(_) => refused(failing, Some(table), valid_until, q),
    }
}

/// Whether this assignment reviews openings: LAW §5, a data protection officer in force.
#[must_use]
pub fn may_review(assignment: &AssignmentFacts, now: Timestamp) -> bool {
    assignment.profession == Profession::DataProtectionOfficer && assignment.in_force(now)
}

/// The motive of an opening, for who reviews it. No gate 2: an officer has no place in any circle, and signs no charter of
/// sharing, because nothing is shared with an officer.
pub(super) fn decide_motive(
    facts: &PathwayFacts,
    assignment: &AssignmentFacts,
    id: &EmergencyId,
    now: Timestamp,
) -> Decision {
    let valid_until = assignment.valid_until(now);
    let mut failing: Vec<Failing> = assignment_in_force(assignment, now).into_iter().collect();
    // Nobody reviews an opening of one's own.
    let reviews = facts.emergency(id).is_some_and(|e| *e.professional() != assignment.professional);
    if !reviews || !may_review(assignment, now) {
        failing.push(Failing { gate: 2, reason: Reason::NotAParticipant });
    }
    if failing.is_empty() {
        permit(Reason::Member, valid_until, Vec::new(), None)
    } else {
        deny(failing, None, valid_until)
    }
}
