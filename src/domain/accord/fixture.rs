//! A small family for the tests of consent: two parents, a teacher, a camp, and 2 March 2026 as the day it begins.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::*;
use crate::clock::{Chance, NoChance, Timestamp};
use crate::domain::cell::{AccordFact, Need};
use crate::domain::person::{
    HolderDraft, HolderFacts, Impossibility, ImpossibilityDraft, Motive, People, PersonFacts, Reference,
};
use crate::domain::release::Release;
use crate::domain::vocabulary::{Capacity, Category, Function, Profession, Purpose};
use crate::ids::*;

pub struct Fixed(pub u8);
impl Chance for Fixed {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoChance> {
        into.fill(self.0);
        Ok(())
    }
}

pub fn day(y: i32, m: u32, d: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(y, m, d).unwrap()
}

/// The first day of the fixture.
pub fn base() -> NaiveDate {
    day(2026, 3, 2)
}

pub fn plus(days: i64) -> NaiveDate {
    base() + chrono::Duration::days(days)
}

/// Noon in Paris, `days` after the first day.
pub fn noon(days: i64) -> Timestamp {
    noon_of(plus(days))
}

pub fn noon_of(day: NaiveDate) -> Timestamp {
    Timestamp::paris_midnight(day).plus_seconds(12 * 3600)
}

pub fn holder(n: u8) -> HolderId {
    HolderId::random(&Fixed(n)).unwrap()
}
pub fn mother() -> Signatory {
    Signatory::Holder(holder(1))
}
pub fn father() -> Signatory {
    Signatory::Holder(holder(2))
}
pub const CHILD: Signatory = Signatory::YoungPerson;

pub fn assignment(n: u8) -> AssignmentId {
    AssignmentId::random(&Fixed(n)).unwrap()
}
/// Who collects every accord of the fixture.
pub fn collector() -> AssignmentId {
    assignment(100)
}
pub fn version(n: u8) -> ItemVersionId {
    ItemVersionId::random(&Fixed(n)).unwrap()
}
pub fn accord_id(n: u8) -> AccordId {
    AccordId::random(&Fixed(n)).unwrap()
}
pub fn line_id(n: u8) -> AccordLineId {
    AccordLineId::random(&Fixed(n)).unwrap()
}
pub fn organisation(n: u8) -> OrganisationId {
    OrganisationId::random(&Fixed(n)).unwrap()
}

pub fn key(n: u8, profession: Profession) -> RecipientKey {
    RecipientKey { organisation: organisation(n), profession, mission: MissionId::random(&Fixed(n)).unwrap() }
}
pub fn teacher() -> RecipientKey {
    key(1, Profession::Teacher)
}
pub fn camp() -> RecipientKey {
    key(2, Profession::StayOrganiser)
}
pub fn welfare() -> RecipientKey {
    key(9, Profession::ChildWelfare)
}

pub fn reference() -> Reference {
    Reference::new("dossier 12").unwrap()
}

pub fn line(n: u8, recipient: RecipientKey, categories: &[Category]) -> Line {
    Line {
        id: line_id(n),
        recipient,
        only_assignment: None,
        kind: LineKind::Recipient,
        categories: categories.iter().copied().collect(),
        shown: BTreeSet::new(),
        services: BTreeSet::new(),
    }
}

pub fn showing(mut line: Line, n: u8, category: Category) -> Line {
    line.shown.insert(ShownVersion { version: version(n), category });
    line
}

pub fn draft(n: u8, purpose: Purpose, lines: Vec<Line>) -> AccordDraft {
    AccordDraft {
        id: accord_id(n),
        purpose,
        starts: base(),
        ends: day(2027, 3, 2),
        language: Language::parse("fr").unwrap(),
        interpreter: None,
        collected_by: collector(),
        collector: key(50, Profession::ReferentPre),
        notice: NoticeMark::new("2026-1", &"ab".repeat(32)).unwrap(),
        lines,
        replaces: None,
    }
}

pub fn paper(by: Signatory, lines: &[u8], on: NaiveDate) -> EventKind {
    signed(by, lines, on, How::Paper { original_at: reference() })
}
pub fn oral(by: Signatory, lines: &[u8], on: NaiveDate) -> EventKind {
    signed(by, lines, on, How::Telephone { read_aloud: true })
}
fn signed(by: Signatory, lines: &[u8], on: NaiveDate, how: How) -> EventKind {
    let lines = lines.iter().map(|n| line_id(*n)).collect();
    EventKind::Signed(Signed { by, how, verified: Verification::Known, lines, on })
}
pub fn opinion(on: NaiveDate) -> EventKind {
    EventKind::Opinion { opinion: Opinion::Favourable, on }
}
pub fn refused(by: Signatory, scope: Scope) -> EventKind {
    EventKind::Refused { by, scope }
}
pub fn withdrawn(by: Signatory, scope: Scope) -> EventKind {
    EventKind::Withdrawn { by, scope }
}
pub fn talk(maintained: bool) -> EventKind {
    EventKind::TalkHeld { by: collector(), maintained }
}

pub fn parent(n: u8) -> HolderFacts {
    adult(n, Capacity::Parent, None)
}

pub fn adult(n: u8, capacity: Capacity, service: Option<OrganisationId>) -> HolderFacts {
    HolderFacts::new(HolderDraft {
        id: holder(n),
        capacity,
        from: day(2010, 1, 1),
        until: (capacity != Capacity::Parent).then(|| day(2040, 1, 1)),
        organisation: service,
        proof: Some(reference()),
    })
    .unwrap()
}

pub fn impossible(n: u8, motive: Motive, from: NaiveDate) -> Impossibility {
    Impossibility::new(ImpossibilityDraft {
        holder: holder(n),
        motive,
        decided_by: assignment(101),
        decided_as: Function::Manager,
        decided_at: noon_of(from),
        from,
        until: from + chrono::Duration::days(90),
    })
    .unwrap()
}

/// One young person and everything on record.
#[derive(Clone, Debug)]
pub struct World {
    pub person: PersonFacts,
    pub holders: Vec<HolderFacts>,
    pub impossibilities: Vec<Impossibility>,
    pub accords: Vec<Accord>,
    pub releases: Vec<Release>,
    pub standing: Vec<Event>,
}

/// Somebody of this age on the first day, with a birthday on 10 October.
pub fn aged(age: i32) -> World {
    born(Some(day(2026 - age - 1, 10, 10)))
}

pub fn born(birth: Option<NaiveDate>) -> World {
    World {
        person: PersonFacts::new(birth, None, false).unwrap(),
        holders: vec![parent(1), parent(2)],
        impossibilities: Vec::new(),
        accords: Vec::new(),
        releases: Vec::new(),
        standing: Vec::new(),
    }
}

pub fn events(kinds: Vec<(Timestamp, EventKind)>) -> Vec<Event> {
    (0..).zip(kinds).map(|(seq, (at, kind))| Event::new(at, seq, kind).unwrap()).collect()
}

impl World {
    pub fn people(&self) -> People<'_> {
        People { person: &self.person, holders: &self.holders, impossibilities: &self.impossibilities }
    }

    pub fn file(&self) -> ConsentFile<'_> {
        ConsentFile {
            people: self.people(),
            accords: &self.accords,
            releases: &self.releases,
            standing: &self.standing,
        }
    }

    pub fn with(mut self, draft: AccordDraft, kinds: Vec<(Timestamp, EventKind)>) -> Self {
        self.accords.push(Accord::new(AccordFacts::try_from(draft).unwrap(), events(kinds)));
        self
    }

    pub fn standing(mut self, at: Timestamp, kind: EventKind) -> Self {
        self.standing.push(Event::new(at, 0, kind).unwrap());
        self
    }

    pub fn answer(&self, q: &AccordQuery<'_>, now: Timestamp) -> FactAnswer {
        accord_fact(q, &self.file(), now)
    }

    /// The teacher, schooling, to support schooling, under a cell of this need.
    pub fn schooling(&self, need: Need, now: Timestamp) -> AccordFact {
        let recipient = teacher();
        self.answer(&query(&recipient, Category::Schooling, Purpose::Schooling, need), now).fact
    }
}

pub fn query(recipient: &RecipientKey, category: Category, purpose: Purpose, need: Need) -> AccordQuery<'_> {
    AccordQuery { recipient, assignment: None, category, purpose, item_version: None, need }
}

/// An accord on schooling for the teacher, one line.
pub fn school(n: u8) -> AccordDraft {
    draft(n, Purpose::Schooling, vec![line(1, teacher(), &[Category::Schooling])])
}
