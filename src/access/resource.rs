//! What is not an item has a rule too (DESIGN §4, second table).

use super::common_gates::{Acting, gate_one, gate_two, place_turns, until};
use super::ended::reading_ended;
use super::existence::{Existence, concerns_office, may_know, office_knows};
use super::facts::{AssignmentFacts, ParticipationFacts, PathwayFacts};
use super::item::{Decision, Failing};
use super::memo::Memo;
use super::standing::{CharterBook, Standing};
use crate::charter::Matrix;
use crate::charter::table::judge;
use crate::clock::Timestamp;
use crate::domain::accord::{Accord, AccordQuery, accord_fact};
use crate::domain::cell::{Need, Reason, StatuteFact, TableFacts};
use crate::domain::statute::{SecondPerson, StatuteQuery, statute_fact, strongest};
use crate::domain::vocabulary::{Category, Function, Purpose, Regime, Role, Secrecy};
use crate::ids::{
    AccordId, AssignmentId, DeferralId, EmergencyId, HandoverId, ImpossibilityId, ParticipationId, ReleaseId,
    ShareId, StatuteId,
};

/// What is asked for, located.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// That the pathway exists, its step and review date.
    Existence,
    /// Name, contact, birth date: an `identity` item of the lead organisation.
    Identity,
    /// The circle, handovers; each line is then filtered.
    Circle,
    /// Each line as its object.
    Chronology,
    /// An accord whole: the assignment that collected it.
    AccordWhole(AccordId),
    /// Purpose, recipients, categories, state and end: the référent, and who collected it.
    AccordOutline(AccordId),
    /// One's own line of an accord, without its collector.
    AccordLine(AccordId),
    /// State and signatories, no words: manager and secretary of the organisation that collected it.
    AccordState(AccordId),
    /// Recording a signature, refusal or withdrawal on its sheet: who collected it, or that organisation's secretary.
    AccordRecord(AccordId),
    /// The exact words that the family validated: who recorded the release.
    ReleaseWhole(ReleaseId),
    /// Recording on the sheet of a release: who recorded it, or that organisation's secretary.
    ReleaseRecord(ReleaseId),
    /// Recording what the family says: any place, a stay organiser's included, and the lead organisation's secretary.
    Hear,
    /// Authority holders, with their names: the référent, who collected an accord or recorded a release, their secretary.
    Holders,
    /// Who holds authority, changed: added, ended, declared impossible to ask. The référent, and who collects an accord.
    HolderChange,
    /// A share as its sharer sees it.
    Share(ShareId),
    /// That a statutory record exists, its regime and period: author and recipients.
    Statute(StatuteId),
    /// A statutory record whole: its author.
    StatuteWhole(StatuteId),
    /// What a second person decides on: a bound manager of the sharer's organisation, neither sharer nor recipient.
    StatuteMotive(StatuteId),
    /// A handover: its two ends.
    Handover(HandoverId),
    /// « Qui a consulté »: the référent.
    Consultations,
    /// « Qui a consulté », as far as it concerns a service whose taking part is hidden: that service's manager.
    ServiceConsultations,
    /// Asking that lines of that service's own sheets be kept back: who takes part for it.
    ServiceDeferral,
    /// What was stated to have lines kept back: a manager of the organisation that asked.
    DeferralMotive(DeferralId),
    /// An invitation not yet answered: the inviter and the invited.
    Invitation(ParticipationId),
    /// The name, for somebody invited who has not answered: only if `identity` is covered.
    InvitedIdentity(ParticipationId),
    /// That an accord which was one's whole place ended of late: whoever had that place.
    ReadingEnded,
    /// The own place, whatever its role (a stay organiser: the stay and the référent's telephone).
    Place,
    /// Acts in the circle that need a full place (writing, sharing, inviting, recording).
    Act,
    /// Acts of the référent alone (closing, preference, naming another référent).
    ReferentAct,
    /// What anybody with a place, contributor-only included, may do: write own items, record a withdrawal.
    Contribute,
    /// Participations, motives and state of accords of one's own organisation.
    ManagerView,
    /// What was stated in a request that a holder be declared impossible to ask: a manager of that organisation.
    ImpossibilityMotive(ImpossibilityId),
    /// The notes of this assignment, which is the reader's own, on a pathway where it has a place.
    OwnNotes(AssignmentId),
    /// Opening in an emergency (S13).
    EmergencyOpen,
    /// That an opening exists, since when and until when: its author, and the référent who may know of that place.
    Emergency(EmergencyId),
    /// Name, contact, birth date, under one's own opening in force.
    EmergencyIdentity(EmergencyId),
    /// What an opening says of itself, motive included, and its review: a data protection officer.
    EmergencyMotive(EmergencyId),
}

pub(super) fn permit(
    reason: Reason,
    valid_until: Timestamp,
    basis: Vec<String>,
    facts: Option<TableFacts>,
) -> Decision {
    Decision {
        permitted: true,
        reason,
        failing: Vec::new(),
        facts,
        regime: None,
        valid_until,
        reads_until: valid_until,
        signed_on: None,
        basis,
        as_family: false,
    }
}

pub(super) fn deny(failing: Vec<Failing>, facts: Option<TableFacts>, valid_until: Timestamp) -> Decision {
    let reason = failing.first().map_or(Reason::NotAParticipant, |f| f.reason);
    Decision {
        permitted: false,
        reason,
        failing,
        facts,
        regime: None,
        valid_until,
        reads_until: valid_until,
        signed_on: None,
        basis: Vec::new(),
        as_family: false,
    }
}

/// Decides for anything that is not an item.
#[must_use]
pub fn decide(
    facts: &PathwayFacts,
    book: &CharterBook,
    assignment: &AssignmentFacts,
    participation: Option<&ParticipationFacts>,
    resource: &Resource,
    now: Timestamp,
) -> Decision {
    decide_with(facts, book, assignment, participation, resource, now, &Memo::default())
}

/// [`decide`], with what this request has already worked out on the same facts, book and moment.
pub(super) fn decide_with(
    facts: &PathwayFacts,
    book: &CharterBook,
    assignment: &AssignmentFacts,
    participation: Option<&ParticipationFacts>,
    resource: &Resource,
    now: Timestamp,
    memo: &Memo,
) -> Decision {
    let Acting { mut failing, standing, valid_until } = gate_one(book, assignment, now);
    let turns = participation.map_or([None; 2], place_turns);
    let mut valid_until = until(valid_until, now, turns);
    failing.extend(gate_two(facts, participation, now, memo));
    // Somebody who is asked may look at the invitation before having a place.
    if let Resource::Invitation(id) = resource {
        let invited = facts.participation(id).filter(|p| !p.ended(now) && p.accepted_at.is_none());
        let concerned = invited.is_some_and(|p| {
            p.assignment.id == assignment.id
                || participation.is_some_and(|me| p.invited_by.as_ref() == Some(&me.id) && me.in_force(now))
        });
        failing.retain(|f| f.gate == 1);
        if !concerned {
            failing.push(Failing { gate: 2, reason: Reason::NotAParticipant });
        }
        return conclude(failing, valid_until);
    }
    if let Resource::InvitedIdentity(id) = resource {
        let invited = facts
            .participation(id)
            .filter(|p| !p.ended(now) && p.accepted_at.is_none() && p.assignment.id == assignment.id);
        failing.retain(|f| f.gate == 1);
        let Some(me) = invited else {
            failing.push(Failing { gate: 2, reason: Reason::NotAParticipant });
            return deny(failing, None, valid_until);
        };
        let Some(standing) = standing.filter(|_| failing.is_empty()) else {
            return deny(failing, None, valid_until);
        };
        return identity(facts, &standing.matrix, assignment, me, valid_until, now);
    }
    // S6: whoever lost a place with an accord learns that it ended, and nothing else.
    if let Resource::ReadingEnded = resource {
        failing.retain(|f| f.gate == 1);
        if !participation.is_some_and(|me| reading_ended(facts, me, now)) {
            failing.push(Failing { gate: 2, reason: Reason::NotAParticipant });
        }
        return conclude(failing, valid_until);
    }
    // A manager decides for the own organisation, from outside the circle too.
    if let Resource::ManagerView = resource {
        failing.retain(|f| f.gate == 1);
        let concerned = concerns_office(facts, assignment, now);
        let empowered = match assignment.function {
            Function::Manager | Function::Secretary => true,
            Function::Practitioner => false,
        };
        if !concerned || !empowered {
            failing.push(Failing { gate: 2, reason: Reason::NotAParticipant });
        }
        return conclude(failing, valid_until);
    }
    if let Resource::EmergencyMotive(id) = resource {
        return super::emergency::decide_motive(facts, assignment, id, now);
    }
    if let Some(empowered) = office(facts, assignment, resource, now) {
        failing.retain(|f| f.gate == 1);
        if !empowered {
            failing.push(Failing { gate: 2, reason: Reason::NotAParticipant });
        }
        return conclude(failing, valid_until);
    }
    let (Some(me), Some(Standing { matrix, .. }), true) = (participation, standing, failing.is_empty())
    else {
        return deny(failing, None, valid_until);
    };
    let contributor = me.role == Role::ContributorOnly;
    let organiser = me.role == Role::StayOrganiser;
    let referent = me.role == Role::Referent;
    let allowed = match resource {
        Resource::Existence | Resource::Circle | Resource::Chronology => !organiser,
        Resource::Act => !contributor && !organiser,
        Resource::Contribute => !organiser,
        Resource::ServiceDeferral => !organiser && me.existence != Existence::Open,
        Resource::OwnNotes(author) => !organiser && *author == assignment.id,
        Resource::ReferentAct | Resource::Consultations => referent,
        // Who asks the family to validate words must know whom to ask.
        Resource::Holders => {
            referent || collected_any(facts, &assignment.id) || recorded_a_release(facts, &assignment.id)
        }
        Resource::HolderChange => referent || collected_any(facts, &assignment.id),
        Resource::AccordWhole(id) | Resource::AccordRecord(id) => collected(facts, id, &assignment.id),
        Resource::AccordLine(id) => has_line(facts, id, assignment),
        Resource::ReleaseWhole(id) | Resource::ReleaseRecord(id) => {
            facts.releases.iter().any(|r| r.facts().id() == id && *r.facts().recorded_by() == assignment.id)
        }
        Resource::Hear => true,
        Resource::AccordOutline(id) => referent || collected(facts, id, &assignment.id),
        Resource::Share(id) => facts.shares.iter().any(|s| s.id == *id && s.sharer == me.id),
        Resource::Statute(id) => {
            facts.statutes.iter().any(|s| s.id() == id && (s.author == me.id || s.names(&me.id)))
        }
        Resource::StatuteWhole(id) => facts.statutes.iter().any(|s| s.id() == id && s.author == me.id),
        Resource::Handover(id) => {
            facts.handovers.iter().any(|h| h.id == *id && (h.outgoing == me.id || h.incoming == me.id))
        }
        Resource::Identity => return identity(facts, &matrix, assignment, me, valid_until, now),
        Resource::Place => true,
        Resource::EmergencyOpen => {
            return super::emergency::decide_opening(facts, &matrix, assignment, me, valid_until, now);
        }
        Resource::EmergencyIdentity(id) => {
            return super::emergency::decide_sheet(facts, &matrix, assignment, me, id, valid_until, now);
        }
        Resource::Emergency(id) => facts
            .emergency(id)
            .and_then(|e| facts.participation(e.place()).map(|p| (e, p)))
            // THREAT: existence oracle. A référent who may not know of that place learns nothing of its opening (S13).
            .is_some_and(|(e, p)| {
                *e.assignment() == assignment.id || (referent && may_know(facts, book, me, p, now))
            }),
        Resource::EmergencyMotive(_)
        | Resource::Invitation(_)
        | Resource::InvitedIdentity(_)
        | Resource::ReadingEnded
        | Resource::ManagerView
        | Resource::AccordState(_)
        | Resource::ImpossibilityMotive(_)
        | Resource::ServiceConsultations
        | Resource::DeferralMotive(_)
        | Resource::StatuteMotive(_) => false,
    };
    if !allowed {
        let reason = if contributor { Reason::ContributorOnly } else { Reason::NotAParticipant };
        failing.push(Failing { gate: 2, reason });
    }
    valid_until = valid_until.min(facts.person.majority_at().filter(|t| *t > now).unwrap_or(Timestamp::MAX));
    conclude(failing, valid_until)
}

fn conclude(failing: Vec<Failing>, valid_until: Timestamp) -> Decision {
    if failing.is_empty() {
        permit(Reason::Member, valid_until, Vec::new(), None)
    } else {
        deny(failing, None, valid_until)
    }
}

/// What a function of one's own organisation opens, from outside the circle too; `None` where a place decides.
fn office(
    facts: &PathwayFacts,
    assignment: &AssignmentFacts,
    resource: &Resource,
    now: Timestamp,
) -> Option<bool> {
    let secretary = match assignment.function {
        Function::Secretary => true,
        Function::Manager | Function::Practitioner => false,
    };
    let manager = match assignment.function {
        Function::Manager => true,
        Function::Secretary | Function::Practitioner => false,
    };
    let knows = |author: &AssignmentId| office_knows(facts, assignment, author);
    let ours = |a: &Accord| {
        a.facts().draft().collector.organisation == assignment.organisation && knows(a.facts().collected_by())
    };
    let collects = |id: &AccordId| facts.accords.iter().any(|a| a.facts().id() == id && ours(a));
    match resource {
        Resource::AccordState(id) => Some((manager || secretary) && collects(id)),
        Resource::AccordRecord(id) if secretary => Some(collects(id)),
        Resource::ReleaseRecord(id) if secretary => Some(facts.releases.iter().any(|r| {
            r.facts().id() == id
                && r.facts().recorder().organisation == assignment.organisation
                && knows(r.facts().recorded_by())
        })),
        Resource::Hear if secretary && facts.lead == assignment.organisation => Some(true),
        // DESIGN §4: who records signatures for the collector names who signs.
        Resource::Holders | Resource::HolderChange if secretary && facts.accords.iter().any(ours) => {
            Some(true)
        }
        Resource::ImpossibilityMotive(id) => Some(
            manager
                && facts.requests.iter().any(|r| {
                    r.id == *id && r.organisation == assignment.organisation && knows(&r.requested_by)
                }),
        ),
        // DESIGN §4, « qui a consulté »: the manager of a hidden service hands the family what concerns that service. Of
        // the same mission: another one of the same organisation may not know of it.
        Resource::ServiceConsultations => Some(
            manager
                && facts.participations.iter().any(|p| {
                    p.existence != Existence::Open
                        && p.accepted_at.is_some()
                        && p.assignment.organisation == assignment.organisation
                        && p.assignment.mission == assignment.mission
                }),
        ),
        Resource::DeferralMotive(id) => Some(
            manager
                && facts.deferrals.iter().any(|d| {
                    d.id() == id
                        && *d.organisation() == assignment.organisation
                        && d.maker().may_be_known_in(&assignment.mission)
                }),
        ),
        // LAW: CASF L226-2-2, DESIGN §3. Another professional, bound, of the sharer's organisation; where the sharer's
        // service is hidden, of its mission (ADR 0005).
        Resource::StatuteMotive(id) => Some(facts.statutes.iter().filter(|s| s.id() == id).any(|s| {
            let by = SecondPerson {
                assignment: assignment.id.clone(),
                professional: assignment.professional.clone(),
                organisation: assignment.organisation.clone(),
                function: assignment.function,
                secrecy: assignment.secrecy_at(now),
            };
            s.record.accepts_second_person(&by).is_ok() && knows(&s.record.draft().sharer)
        })),
        Resource::Existence
        | Resource::Identity
        | Resource::Circle
        | Resource::Chronology
        | Resource::AccordWhole(_)
        | Resource::AccordOutline(_)
        | Resource::AccordLine(_)
        | Resource::AccordRecord(_)
        | Resource::ReleaseWhole(_)
        | Resource::ReleaseRecord(_)
        | Resource::Hear
        | Resource::Holders
        | Resource::HolderChange
        | Resource::Share(_)
        | Resource::Statute(_)
        | Resource::StatuteWhole(_)
        | Resource::Handover(_)
        | Resource::Consultations
        | Resource::ServiceDeferral
        | Resource::Invitation(_)
        | Resource::InvitedIdentity(_)
        | Resource::ReadingEnded
        | Resource::Place
        | Resource::Act
        | Resource::ReferentAct
        | Resource::Contribute
        | Resource::ManagerView
        | Resource::OwnNotes(_)
        | Resource::EmergencyOpen
        | Resource::Emergency(_)
        | Resource::EmergencyIdentity(_)
        | Resource::EmergencyMotive(_) => None,
    }
}

/// Whether an accord has a line that names this assignment (« cette personne seulement » included).
fn has_line(facts: &PathwayFacts, id: &AccordId, assignment: &AssignmentFacts) -> bool {
    let key = assignment.recipient_key();
    facts.accords.iter().filter(|a| a.facts().id() == id).any(|a| {
        a.facts()
            .lines()
            .iter()
            .any(|l| l.recipient == key && l.only_assignment.as_ref().is_none_or(|o| *o == assignment.id))
    })
}

fn collected(facts: &PathwayFacts, id: &AccordId, by: &AssignmentId) -> bool {
    facts.accords.iter().any(|a| a.facts().id() == id && a.facts().collected_by() == by)
}

fn collected_any(facts: &PathwayFacts, by: &AssignmentId) -> bool {
    facts.accords.iter().any(|a| a.facts().collected_by() == by)
}

fn recorded_a_release(facts: &PathwayFacts, by: &AssignmentId) -> bool {
    facts.releases.iter().any(|r| r.facts().recorded_by() == by)
}

/// The identity sheet is an `identity` item of the lead organisation, which an accepted invitation shares. The
/// service that leads (organisation *and* mission of the référent) reads it as its own; sharing an organisation with
/// the lead opens nothing (the town may run both the PRE and the camp).
fn identity(
    facts: &PathwayFacts,
    matrix: &Matrix,
    assignment: &AssignmentFacts,
    me: &ParticipationFacts,
    valid_until: Timestamp,
    now: Timestamp,
) -> Decision {
    let secrecy = assignment.secrecy_at(now);
    let cell = matrix.cell(assignment.profession, secrecy, Category::Identity);
    // Who opened the pathway wrote it: gate 3 (a), or (b) with the condition on secrecy. A successor opened nothing.
    let openers = || {
        facts.participations.iter().filter(|p| p.invited_by.is_none() && p.stands_in_for.is_none()).filter(
            |p| {
                p.assignment.organisation == assignment.organisation
                    && p.assignment.mission == assignment.mission
            },
        )
    };
    let leads = openers().any(|p| {
        p.assignment.id == assignment.id
            || secrecy == Secrecy::Bound
            || !p.assignment.stated_secrecy.holds_a_secret()
    });
    if leads && assignment.organisation == facts.lead && cell.need() != Need::Never {
        return permit(Reason::OwnItem, valid_until, vec!["own:identity".to_owned()], None);
    }
    let author_secrecy = facts.referent_place(now).map_or(Secrecy::Bound, |p| p.assignment.secrecy_at(now));
    let key = assignment.recipient_key();
    let mut last: Option<Decision> = None;
    for purpose in Purpose::ALL {
        let query = AccordQuery {
            recipient: &key,
            assignment: Some(&assignment.id),
            category: Category::Identity,
            purpose: *purpose,
            item_version: None,
            need: cell.need(),
        };
        let accord = accord_fact(&query, &facts.consent(), now);
        // LAW: CASF L226-2-2. A statutory record of the lead organisation that names this reader carries the identity of
        // the child with it; the sheet is not anybody else's to share.
        let claimed: Vec<_> = facts
            .statutes
            .iter()
            .filter(|s| s.names(&me.id) && s.record.draft().sharer_organisation == facts.lead)
            .flat_map(|s| {
                s.record.draft().items.iter().map(|version| {
                    let query = StatuteQuery {
                        item_version: version,
                        recipient: &me.id,
                        refused_at: accord.refused_at,
                    };
                    (s.id(), statute_fact(&s.record, &s.events, &query, &facts.person, now))
                })
            })
            .collect();
        let statute = strongest(claimed.iter().map(|(_, answer)| *answer));
        let table = TableFacts {
            recipient_profession: assignment.profession,
            recipient_secrecy: secrecy,
            author_secrecy,
            category: Category::Identity,
            purpose: *purpose,
            accord: accord.fact,
            family_released: false,
            statute: if *purpose == Purpose::Protection { statute.fact } else { StatuteFact::None },
        };
        let judgement = judge(matrix, &table);
        if judgement.permitted {
            let regime = judgement.regime();
            let (until, basis) = match regime {
                Some(Regime::L226_2_2) => {
                    let by = claimed.iter().find(|(_, answer)| answer.fact == statute.fact);
                    (statute.valid_until, by.map(|(id, _)| format!("statute:{id}")))
                }
                Some(Regime::Accord | Regime::Emergency) | None => (
                    accord.valid_until,
                    accord.basis.as_ref().map(|b| format!("accord:{}:{}", b.accord, b.line)),
                ),
            };
            let basis = basis.into_iter().collect();
            return Decision {
                regime,
                ..permit(judgement.reason, valid_until.min(until), basis, Some(table))
            };
        }
        let failing =
            judgement.failing().into_iter().flatten().map(|reason| Failing { gate: 6, reason }).collect();
        let until = valid_until.min(accord.valid_until);
        last.get_or_insert_with(|| deny(failing, Some(table), until));
    }
    last.unwrap_or_else(|| deny(Vec::new(), None, valid_until))
}

/// Whether a reader may see this place in the circle at all: contributor-only sees itself and those it shares with.
#[must_use]
pub fn sees_in_circle(
    facts: &PathwayFacts,
    book: &CharterBook,
    reader: &ParticipationFacts,
    other: &ParticipationFacts,
    now: Timestamp,
) -> bool {
    if !may_know(facts, book, reader, other, now) {
        return false;
    }
    match reader.role {
        Role::Referent | Role::Participant => true,
        Role::ContributorOnly => {
            reader.id == other.id
                || facts.shares.iter().any(|s| {
                    s.sharer == reader.id && s.recipients.iter().any(|r| r.participation == other.id)
                })
        }
        Role::StayOrganiser => reader.id == other.id,
    }
}
