//! Who must sign one line (LAW §5): deduced from need, purpose, age and holders on one day, never chosen.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::facts::RecipientKey;
use crate::domain::cell::Need;
use crate::domain::person::{AgeBand, HolderFacts, Motive, People};
use crate::domain::vocabulary::{Capacity, Purpose};
use crate::ids::{AccordLineId, HolderId};

/// One thing that a line needs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SignatorySlot {
    /// The young person's signature.
    YoungPerson,
    /// The young person's opinion, recorded (12 to 14).
    Opinion,
    Holder(HolderId),
}

/// Everything in `all_of`, and every slot of at least one group of `any_of` (none needed when it is empty).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Required {
    pub all_of: Vec<SignatorySlot>,
    pub any_of: Vec<Vec<SignatorySlot>>,
}

/// Why it cannot be established who signs. It denies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Unestablished {
    #[error("the person is known under a nickname only: record the identity first")]
    NicknameOnly,
    #[error("nobody who may sign is recorded: record the holders of parental authority")]
    NoHolder,
    #[error("this line needs both parents: record the other parent, or why that parent cannot be asked")]
    SecondParentUnrecorded,
    #[error("this line waits for a guardian or for a decision under article 375-7")]
    GuardianAwaited,
    #[error("the service that would sign alone is itself the recipient: choose another recipient or wait")]
    ServiceIsRecipient,
}

/// One line, one day.
#[derive(Clone, Copy, Debug)]
pub struct SigningQuestion<'a> {
    pub need: Need,
    pub purpose: Purpose,
    /// Who would receive; `None` for a contributor.
    pub recipient: Option<&'a RecipientKey>,
    /// The day of the signature: ages and periods are taken there.
    pub day: NaiveDate,
    /// The first day of the accord (an accord that begins on the eighteenth birthday can be signed ahead).
    pub starts: NaiveDate,
    /// Holders whose refusal, withdrawal or opposition of this very thing stands.
    pub objectors: &'a BTreeSet<HolderId>,
}

/// What one line still waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Awaited {
    pub line: AccordLineId,
    pub all_of: Vec<SignatorySlot>,
    /// Groups of which one must be completed; each holds what is missing in it.
    pub any_of: Vec<Vec<SignatorySlot>>,
    /// Set when it cannot even be said who signs.
    pub unestablished: Option<Unestablished>,
}

/// # Errors
/// [`Unestablished`] when no set of signatures could do.
pub fn required_signatories(people: &People<'_>, q: &SigningQuestion<'_>) -> Result<Required, Unestablished> {
    if people.person.nickname_only() {
        return Err(Unestablished::NicknameOnly);
    }
    // LAW: C. civ. 414, 413-6. From majority or emancipation the person signs alone.
    if people.person.decides_alone_on(q.day) || signed_ahead(people, q.day, q.starts) {
        return Ok(Required { all_of: vec![SignatorySlot::YoungPerson], any_of: Vec::new() });
    }
    let all_of = match people.person.band_on(q.day) {
        // LAW: C. civ. 371-1. Under twelve the child is heard; nothing of theirs is required.
        AgeBand::Under12 => Vec::new(),
        // LAW §5: from twelve the opinion is recorded.
        AgeBand::From12To14 => vec![SignatorySlot::Opinion],
        // LAW §5: from fifteen the co-signature is required. `Adult` is caught above.
        AgeBand::From15To17 | AgeBand::Adult => vec![SignatorySlot::YoungPerson],
    };
    let any_of = groups(people, q)?;
    Ok(Required { all_of, any_of })
}

/// STORIES S5: from 17 years and 9 months, alone, an accord that starts on the birthday.
pub(crate) fn signed_ahead(people: &People<'_>, day: NaiveDate, starts: NaiveDate) -> bool {
    let person = people.person;
    match (person.majority_day(), person.sign_ahead_from()) {
        (Some(majority), Some(from)) => starts == majority && from <= day && day < majority,
        (None, _) | (_, None) => false,
    }
}

/// LAW §5: one signature for A, C and every subject of a stay; both for other CI.
fn is_usual_act(need: Need, purpose: Purpose) -> bool {
    match need {
        Need::Opening | Need::Category => true,
        Need::Informed | Need::Never => purpose == Purpose::Stay,
    }
}

fn groups(people: &People<'_>, q: &SigningQuestion<'_>) -> Result<Vec<Vec<SignatorySlot>>, Unestablished> {
    let free: Vec<&HolderFacts> = people
        .holders
        .iter()
        .filter(|h| h.in_period(q.day) && !people.is_impossible(h.id(), q.day))
        .collect();
    let holders: Vec<&HolderFacts> = free.iter().copied().filter(|h| h.holds_authority()).collect();
    let objectors = standing_objectors(people, q);
    let usual = is_usual_act(q.need, q.purpose);
    let mut found = Vec::new();
    let mut why = Unestablished::NoHolder;

    if !holders.is_empty() {
        if usual {
            // LAW: C. civ. 372-2. One holder is presumed to act with the other, towards a third party in good faith;
            // after an objection that nobody took back, good faith is gone and the objector must sign too.
            for holder in &holders {
                found.push(with_objectors(holder, &objectors));
            }
        } else if second_parent_is_known(people, &holders, q.day) {
            // LAW: C. civ. 372. Both (all who hold authority and can be asked).
            let mut group: BTreeSet<HolderId> = holders.iter().map(|h| h.id().clone()).collect();
            group.extend(objectors.iter().cloned());
            found.push(group.into_iter().map(SignatorySlot::Holder).collect());
        } else {
            why = Unestablished::SecondParentUnrecorded;
        }
    }
    for holder in &free {
        let group = match holder.capacity() {
            // LAW: C. civ. 375-7. The judge authorised the service to do the act itself.
            Capacity::AuthorisedService => vec![SignatorySlot::Holder(holder.id().clone())],
            // LAW: C. civ. 373-4. No guardian yet: everyday acts only, with the young person from twelve.
            Capacity::ConfidedService if holders.is_empty() => {
                if !usual {
                    why = Unestablished::GuardianAwaited;
                    continue;
                }
                with_objectors(holder, &objectors)
            }
            Capacity::ConfidedService
            | Capacity::YoungPerson
            | Capacity::Parent
            | Capacity::Guardian
            | Capacity::Delegate
            | Capacity::Relative => continue,
        };
        match with_the_young_person(people, q, holder, group) {
            Some(group) => found.push(group),
            None => why = Unestablished::ServiceIsRecipient,
        }
    }
    if found.is_empty() { Err(why) } else { Ok(found) }
}

/// LAW §5 [D]: a service that is itself recipient is never the only signatory; a confided service signs with the young
/// person from twelve. `None` when the service would be alone.
fn with_the_young_person(
    people: &People<'_>,
    q: &SigningQuestion<'_>,
    service: &HolderFacts,
    mut group: Vec<SignatorySlot>,
) -> Option<Vec<SignatorySlot>> {
    let receives = match (q.recipient, service.organisation()) {
        (None, _) => false,
        (Some(recipient), Some(organisation)) => recipient.organisation == *organisation,
        (Some(_), None) => true,
    };
    let young = people.person.band_on(q.day) == AgeBand::Under12;
    if receives && young && group.len() == 1 {
        return None;
    }
    if !young && (receives || service.capacity() == Capacity::ConfidedService) {
        group.push(SignatorySlot::YoungPerson);
    }
    Some(group)
}

fn with_objectors(holder: &HolderFacts, objectors: &BTreeSet<HolderId>) -> Vec<SignatorySlot> {
    let mut group = objectors.clone();
    group.insert(holder.id().clone());
    group.into_iter().map(SignatorySlot::Holder).collect()
}

/// Objectors who still hold authority. An impossibility takes them out, except « no answer »: an objection is one.
fn standing_objectors(people: &People<'_>, q: &SigningQuestion<'_>) -> BTreeSet<HolderId> {
    q.objectors
        .iter()
        .filter(|id| people.holder(id).is_none_or(|h| h.holds_authority() && h.in_period(q.day)))
        .filter(|id| {
            people.impossible_on(id, q.day).all(|i| match i.motive() {
                Motive::NoAnswer { .. } => true,
                Motive::Deceased
                | Motive::Unknown
                | Motive::AuthorityWithdrawn
                | Motive::ContactWouldEndanger => false,
            })
        })
        .cloned()
        .collect()
}

/// With parents only, both must be on record: a second parent nobody recorded is not a second parent who agreed.
fn second_parent_is_known(people: &People<'_>, holders: &[&HolderFacts], day: NaiveDate) -> bool {
    let another_capacity = holders.iter().any(|h| h.capacity() != Capacity::Parent);
    let parents =
        people.holders.iter().filter(|h| h.capacity() == Capacity::Parent && h.from() <= day).count();
    another_capacity || parents >= 2
}
