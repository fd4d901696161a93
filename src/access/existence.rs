//! Hidden existence (S11): who may know that a participation exists.
//!
//! THREAT: existence oracle. Lists, counts, circles, authors, lines of accords, shares, handovers, previews and errors
//! all ask [`may_know`]; none has a rule of its own.

use super::common_gates::{Acting, gate_one};
use super::facts::{AssignmentFacts, ParticipationFacts, PathwayFacts};
use super::standing::CharterBook;
use crate::charter::table::judge;
use crate::clock::Timestamp;
use crate::domain::accord::{AccordQuery, accord_fact, names_service};
use crate::domain::cell::{AccordFact, StatuteFact, TableFacts};
use crate::domain::vocabulary::{Category, Mandate, Profession, Purpose, Role, Secrecy, code_enum};
use crate::ids::AssignmentId;

code_enum! {
    /// What knowing of a participation would tell.
    Existence, "existence category" {
        Open = "open", "Rien";
        Judicial = "judicial", "Une mesure judiciaire";
        Family = "family", "Une mesure éducative";
        HealthMinimal = "health_minimal", "Un suivi de santé";
    }
}

impl Existence {
    /// LAW: S11. `judicial` for any judicial mandate and for youth justice; `family` for AED and child welfare
    /// without one; `health_minimal` for psychologists.
    #[must_use]
    pub const fn of(profession: Profession, mandate: Mandate) -> Self {
        match (profession, mandate) {
            (_, Mandate::Judicial) | (Profession::YouthJustice, _) => Self::Judicial,
            (Profession::Aemo | Profession::ChildWelfare, _) => Self::Family,
            (Profession::Psychologist, _) => Self::HealthMinimal,
            (
                Profession::ReferentPre
                | Profession::SpecialisedPrevention
                | Profession::SchoolSocialWorker
                | Profession::DistrictSocialWorker
                | Profession::SchoolHealth
                | Profession::Teacher
                | Profession::SocialEducationalWorker
                | Profession::MissionLocale
                | Profession::StayOrganiser
                | Profession::SocialMediator
                | Profession::ConcernUnit
                | Profession::ElectedOfficial
                | Profession::Police
                | Profession::Landlord
                | Profession::TransportOperator
                | Profession::Facilitator
                | Profession::Administrator
                | Profession::Auditor
                | Profession::DataProtectionOfficer,
                _,
            ) => Self::Open,
        }
    }

    /// The category that somebody must be able to read in order to know.
    #[must_use]
    pub const fn category(self) -> Option<Category> {
        match self {
            Self::Open => None,
            Self::Judicial => Some(Category::Judicial),
            Self::Family => Some(Category::Family),
            Self::HealthMinimal => Some(Category::HealthMinimal),
        }
    }
}

/// Whether gates 1, 2, 5, 6 and 7 would permit `reader`, for some purpose, an item of `category` written by `author`;
/// without an author, an item of somebody who holds a secret. A signed notice in force that names the author's
/// service in the reader's line stands for item version and release.
fn would_read(
    facts: &PathwayFacts,
    book: &CharterBook,
    reader: &ParticipationFacts,
    category: Category,
    author: Option<&AssignmentFacts>,
    now: Timestamp,
) -> bool {
    let assignment = &reader.assignment;
    if matches!(reader.role, Role::ContributorOnly) {
        return false;
    }
    let Acting { failing, standing: Some(standing), .. } = gate_one(book, assignment, now) else {
        return false;
    };
    if !failing.is_empty() || !reader.in_force(now) || !super::item::named_in_force(facts, reader, now) {
        return false;
    }
    let key = assignment.recipient_key();
    let secrecy = assignment.secrecy_at(now);
    let need = standing.matrix.cell(assignment.profession, secrecy, category).need();
    let file = facts.consent();
    Purpose::ALL.iter().any(|purpose| {
        let query = AccordQuery {
            recipient: &key,
            assignment: Some(&assignment.id),
            category,
            purpose: *purpose,
            item_version: None,
            need,
        };
        let service = author.map(AssignmentFacts::recipient_key);
        let told = service.as_ref().is_some_and(|s| names_service(&query, s, &file, now));
        let accord = if told { AccordFact::Informed } else { accord_fact(&query, &file, now).fact };
        let table = TableFacts {
            recipient_profession: assignment.profession,
            recipient_secrecy: secrecy,
            author_secrecy: author.map_or(Secrecy::Bound, |a| a.secrecy_at(now)),
            category,
            purpose: *purpose,
            accord,
            family_released: told,
            statute: StatuteFact::None,
        };
        judge(&standing.matrix, &table).permitted
    })
}

/// Whether `reader` may know that `other` takes part.
#[must_use]
pub fn may_know(
    facts: &PathwayFacts,
    book: &CharterBook,
    reader: &ParticipationFacts,
    other: &ParticipationFacts,
    now: Timestamp,
) -> bool {
    if other.existence.category().is_none() || reader.id == other.id {
        return true;
    }
    // Whoever invited it, or shares with it; the recipients of its statutory shares; the other end of a handover.
    if other.invited_by.as_ref() == Some(&reader.id) {
        return true;
    }
    let shares_with = facts
        .shares
        .iter()
        .any(|s| s.sharer == reader.id && s.recipients.iter().any(|r| r.participation == other.id));
    let statutory = facts.shares.iter().any(|s| {
        s.sharer == other.id
            && s.recipients.iter().any(|r| r.participation == reader.id && r.statute.is_some())
    });
    let handover = facts.handovers.iter().any(|h| {
        (h.outgoing == reader.id && h.incoming == other.id)
            || (h.incoming == reader.id && h.outgoing == other.id)
    });
    shares_with
        || statutory
        || handover
        || may_know_service(facts, book, reader, &other.assignment, other.existence, now)
}

/// Whether `reader` may know, from who it is and what it reads alone, that somebody of this assignment takes part.
fn may_know_service(
    facts: &PathwayFacts,
    book: &CharterBook,
    reader: &ParticipationFacts,
    other: &AssignmentFacts,
    existence: Existence,
    now: Timestamp,
) -> bool {
    let Some(category) = existence.category() else { return true };
    (reader.assignment.organisation == other.organisation && reader.assignment.mission == other.mission)
        || would_read(facts, book, reader, category, Some(other), now)
}

/// THREAT: existence oracle. Whether `reader` may know what accords say of somebody of this assignment: not where a place
/// of that service is hidden from them, and else as where it has none here.
#[must_use]
pub fn may_know_naming(
    facts: &PathwayFacts,
    book: &CharterBook,
    reader: &ParticipationFacts,
    other: &AssignmentFacts,
    now: Timestamp,
) -> bool {
    let service = other.recipient_key();
    let mut places = facts.participations.iter().filter(|p| p.assignment.recipient_key() == service);
    places.all(|p| may_know(facts, book, reader, p, now))
        && may_know_unplaced(facts, book, reader, other, now)
}

/// Whether `reader` may know what accords say of somebody of this assignment, whose service has no place hidden from
/// them: a profession that is never hidden under a contract tells nothing by being named; another one is known only
/// where the reader may know of it under every mandate.
pub(super) fn may_know_unplaced(
    facts: &PathwayFacts,
    book: &CharterBook,
    reader: &ParticipationFacts,
    other: &AssignmentFacts,
    now: Timestamp,
) -> bool {
    never_hidden(other)
        || Mandate::ALL.iter().all(|mandate| {
            let existence = Existence::of(other.profession, *mandate);
            may_know_service(facts, book, reader, other, existence, now)
        })
}

/// Whether the profession of this assignment can be known by anybody, under a contract.
pub(super) fn never_hidden(other: &AssignmentFacts) -> bool {
    Existence::of(other.profession, Mandate::Contractual) == Existence::Open
}

/// The contrary of [`may_know`], under the name that reads well in filters.
#[must_use]
pub fn hidden_from(
    facts: &PathwayFacts,
    book: &CharterBook,
    reader: &ParticipationFacts,
    other: &ParticipationFacts,
    now: Timestamp,
) -> bool {
    !may_know(facts, book, reader, other, now)
}

/// S11. Whether an office (secretary, manager) may know of a place of its own organisation: of a hidden one, the
/// office of its own mission only.
#[must_use]
pub fn office_knows_place(office: &AssignmentFacts, place: &ParticipationFacts) -> bool {
    let there = &place.assignment;
    there.organisation == office.organisation
        && (place.existence == Existence::Open || there.mission == office.mission)
}

/// S11. Whether an office may know what this assignment did here (an accord that it collected, words that it had
/// validated, what it stated): where it may know of every place that the assignment has or had.
#[must_use]
pub fn office_knows(facts: &PathwayFacts, office: &AssignmentFacts, author: &AssignmentId) -> bool {
    let mut places = facts.participations.iter().filter(|p| p.assignment.id == *author).peekable();
    places.peek().is_some() && places.all(|p| office_knows_place(office, p))
}

/// Whether a pathway concerns an office: its organisation leads it, or has a place in force that the office may know of.
#[must_use]
pub fn concerns_office(facts: &PathwayFacts, office: &AssignmentFacts, now: Timestamp) -> bool {
    facts.lead == office.organisation
        || facts.participations.iter().any(|p| p.in_force(now) && office_knows_place(office, p))
}

/// The participations that `reader` may know of, itself included.
pub fn knows<'a>(
    facts: &'a PathwayFacts,
    book: &'a CharterBook,
    reader: &'a ParticipationFacts,
    now: Timestamp,
) -> impl Iterator<Item = &'a ParticipationFacts> {
    facts.participations.iter().filter(move |p| may_know(facts, book, reader, p, now))
}

/// Whether the reader may read all three existence categories here. To anyone else every released version and every
/// item of a stay is « Transmis par la famille », whoever wrote it: the label itself must tell nothing.
#[must_use]
pub fn reads_every_existence(
    facts: &PathwayFacts,
    book: &CharterBook,
    reader: &ParticipationFacts,
    now: Timestamp,
) -> bool {
    [Category::Judicial, Category::Family, Category::HealthMinimal]
        .into_iter()
        .all(|category| would_read(facts, book, reader, category, None, now))
}
