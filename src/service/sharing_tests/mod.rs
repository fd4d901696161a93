//! Shares, previews, spoken words, handovers and successions, on a real store: a pathway whose rows are written
//! without the services that are tested here.

mod corrected;
mod departure;
mod handovers;
mod pause;
mod shares;
mod spoken;
mod successions;
mod today;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::flow::{Act, Call};
use super::preview::{ItemRef, PreviewRequest, PreviewView};
use super::shares::NewShare;
use super::testing::Territory;
use super::{Created, ServiceError};
use crate::access::Existence;
use crate::access::facts::ItemKind;
use crate::charter::Charter;
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKey;
use crate::crypto::keyring::KeyOwner;
use crate::domain::accord::{
    AccordDraft, AccordFacts, Event, EventKind, How, Language, Line, LineKind, NoticeMark, RecipientKey,
    Scope, ShownVersion, Signatory, Signed, Verification,
};
use crate::domain::cell::Reason;
use crate::domain::day::Day;
use crate::domain::item::{ItemDraft, Submitted};
use crate::domain::person::{HolderDraft, HolderFacts, PersonFacts, Reference};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Capacity, Category, Mandate, Purpose, Role, Secrecy, Step};
use crate::ids::*;
use crate::store::NewKey;
use crate::store::fact::{FactKind, Pen, RowAt};
use crate::store::item::{NewItem, NewVersion, Words};
use crate::store::pathway::{CourseBody, EventBody, NewParticipation, Sheet};

pub(super) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

pub(super) fn last(year: i32, month: u32, d: u32) -> Day {
    Day::new(day(year, month, d)).unwrap()
}

/// A pathway with its circle: the référente opened it.
pub(super) struct Circle {
    pub t: Territory,
    pub pathway: PathwayId,
    pub mother: Signatory,
    pub father: Signatory,
    places: BTreeMap<&'static str, ParticipationId>,
    key: DataKey,
    facts: Cell<u32>,
    courses: Cell<i64>,
}

pub(super) const CHILD: Signatory = Signatory::YoungPerson;

impl Circle {
    /// Somebody born on this day, with two parents; the review is a year away.
    pub(super) fn of(birth: NaiveDate) -> Self {
        let t = Territory::new();
        let chance = t.app.chance();
        let pathway = PathwayId::random(chance).unwrap();
        let owner = KeyOwner::Pathway(pathway.clone());
        let (key, wrapped) = t.app.store().keyring().new_data_key(&owner, chance).unwrap();
        let new_key = NewKey::new(&owner, wrapped, t.app.clock().now());
        let lead = t.person("referente").organisation.clone();
        let id = pathway.clone();
        t.write(move |tx, at| {
            tx.key_insert(&new_key)?;
            tx.pathway_insert(&id, &lead, at)
        });
        let parents = [HolderId::random(chance).unwrap(), HolderId::random(chance).unwrap()];
        let mut circle = Self {
            mother: Signatory::Holder(parents[0].clone()),
            father: Signatory::Holder(parents[1].clone()),
            t,
            pathway,
            places: BTreeMap::new(),
            key,
            facts: Cell::new(0),
            courses: Cell::new(0),
        };
        circle.fact(FactKind::Person, &PersonFacts::new(Some(birth), None, false).unwrap());
        circle.review(day(2028, 3, 1));
        for id in parents {
            let holder = HolderFacts::new(HolderDraft {
                id,
                capacity: Capacity::Parent,
                from: day(2010, 1, 1),
                until: None,
                organisation: None,
                proof: Some(Reference::new("livret").unwrap()),
            });
            circle.fact(FactKind::Holder, &holder.unwrap());
        }
        circle.join("referente", Mandate::Contractual, Role::Referent, None);
        circle
    }

    /// A ten-year-old: one parent signs what is usual.
    pub(super) fn young() -> Self {
        Self::of(day(2016, 10, 10))
    }

    /// A sixteen-year-old, who signs too.
    pub(super) fn teenager() -> Self {
        Self::of(day(2010, 10, 10))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.t.app.clock().now()
    }

    fn by(&self) -> AssignmentId {
        self.t.person("referente").assignment.clone()
    }

    fn fact_named(&self, kind: FactKind, id: &str, version: i64, body: &impl serde::Serialize) {
        let fact = Pen {
            key: &self.key,
            chance: self.t.app.chance(),
            pathway: &self.pathway,
            at: self.now(),
            by: &self.by(),
        }
        .facts(RowAt::at(kind, id, version), body)
        .unwrap();
        let pathway = self.pathway.clone();
        self.t.write(move |tx, _| {
            tx.fact_insert(&fact)?;
            tx.pathway_touch(&pathway)
        });
    }

    pub(super) fn fact(&self, kind: FactKind, body: &impl serde::Serialize) {
        let id = RequestId::random(self.t.app.chance()).unwrap();
        self.fact_named(kind, id.as_str(), 1, body);
    }

    /// Sets the review date.
    pub(super) fn review(&self, on: NaiveDate) {
        self.courses.set(self.courses.get() + 1);
        let body = CourseBody { step: Step::Accompaniment, review_on: Some(on) };
        self.fact_named(FactKind::Course, "course", self.courses.get(), &body);
    }

    /// Somebody takes part, invitation accepted.
    pub(super) fn join(&mut self, name: &'static str, mandate: Mandate, role: Role, by: Option<&str>) {
        let person = self.t.person(name).clone();
        let now = self.now();
        let row = NewParticipation {
            id: ParticipationId::random(self.t.app.chance()).unwrap(),
            pathway: self.pathway.clone(),
            assignment: person.assignment.clone(),
            mandate,
            role,
            existence: Existence::of(person.profession, mandate),
            invited_by: by.map(|n| self.place(n).clone()),
            invited_at: now,
            accepted_at: Some(now),
            until_at: None,
            stands_in_for: None,
        };
        self.places.insert(name, row.id.clone());
        let pathway = self.pathway.clone();
        self.t.write(move |tx, _| {
            tx.participation_insert(&row)?;
            tx.pathway_touch(&pathway)
        });
    }

    pub(super) fn place(&self, name: &str) -> &ParticipationId {
        self.places.get(name).unwrap_or_else(|| panic!("{name} has no place"))
    }

    pub(super) fn key_of(&self, name: &str) -> RecipientKey {
        let p = self.t.person(name);
        RecipientKey {
            organisation: p.organisation.clone(),
            profession: p.profession,
            mission: p.mission.clone(),
        }
    }

    /// A line for somebody's service: subjects named, words shown.
    pub(super) fn line(&self, name: &str, categories: &[Category], shown: &[(&ItemRef, Category)]) -> Line {
        Line {
            id: AccordLineId::random(self.t.app.chance()).unwrap(),
            recipient: self.key_of(name),
            only_assignment: None,
            kind: LineKind::Recipient,
            categories: categories.iter().copied().collect(),
            shown: shown
                .iter()
                .map(|(item, category)| ShownVersion {
                    version: item.version.clone().unwrap(),
                    category: *category,
                })
                .collect(),
            services: BTreeSet::new(),
        }
    }

    /// An accord signed on paper today by all of `by`, for ten months.
    pub(super) fn accord(&self, purpose: Purpose, lines: Vec<Line>, by: &[Signatory]) -> AccordId {
        self.accord_collected("referente", purpose, lines, by)
    }

    pub(super) fn accord_collected(
        &self,
        collector: &str,
        purpose: Purpose,
        lines: Vec<Line>,
        by: &[Signatory],
    ) -> AccordId {
        self.accord_from(collector, self.now().paris_day(), purpose, lines, by)
    }

    /// The same, signed today and beginning on a day of its own.
    pub(super) fn accord_from(
        &self,
        collector: &str,
        starts: NaiveDate,
        purpose: Purpose,
        lines: Vec<Line>,
        by: &[Signatory],
    ) -> AccordId {
        let today = self.now().paris_day();
        let id = AccordId::random(self.t.app.chance()).unwrap();
        let boxes: BTreeSet<AccordLineId> = lines.iter().map(|l| l.id.clone()).collect();
        let head = AccordFacts::try_from(AccordDraft {
            id: id.clone(),
            purpose,
            starts,
            ends: crate::clock::plus_months(starts, 10).unwrap(),
            language: Language::parse("fr").unwrap(),
            interpreter: None,
            collected_by: self.t.person(collector).assignment.clone(),
            collector: self.key_of(collector),
            notice: NoticeMark::new("2027-1", &"ab".repeat(32)).unwrap(),
            lines,
            replaces: None,
        })
        .unwrap();
        self.fact_named(FactKind::Accord, id.as_str(), 1, &head);
        for signatory in by {
            let signed = EventKind::Signed(Signed {
                by: signatory.clone(),
                how: How::Paper { original_at: Reference::new("armoire 3").unwrap() },
                verified: Verification::Known,
                lines: boxes.clone(),
                on: today,
            });
            self.event(Sheet::Accord(id.clone()), signed);
        }
        id
    }

    /// The boxes of an accord.
    pub(super) fn boxes_of(&self, accord: &AccordId) -> BTreeSet<AccordLineId> {
        let facts = self.t.app.store().snapshot().unwrap().pathway_facts(&self.pathway).unwrap().unwrap();
        let found = facts.accords.iter().find(|a| a.facts().id() == accord).unwrap();
        found.facts().lines().iter().map(|l| l.id.clone()).collect()
    }

    fn event(&self, sheet: Sheet, kind: EventKind) {
        self.facts.set(self.facts.get() + 1);
        let event = Event::new(self.now(), self.facts.get(), kind).unwrap();
        self.fact(FactKind::AccordEvent, &EventBody { sheet, event });
    }

    /// The mother withdraws everything, on no particular sheet.
    pub(super) fn withdraw_everything(&self) {
        let by = self.mother.clone();
        self.event(Sheet::Standing, EventKind::Withdrawn { by, scope: Scope::Everything });
    }

    pub(super) fn withdraw_on(&self, accord: &AccordId) {
        let by = self.mother.clone();
        self.event(Sheet::Accord(accord.clone()), EventKind::Withdrawn { by, scope: Scope::Sheet });
    }

    /// An item of somebody, at its first version.
    pub(super) fn write(&self, name: &str, content: Value) -> ItemRef {
        let item = ItemId::random(self.t.app.chance()).unwrap();
        self.write_version(name, &item, 1, content)
    }

    pub(super) fn write_version(&self, name: &str, item: &ItemId, number: i64, content: Value) -> ItemRef {
        let person = self.t.person(name).clone();
        let now = self.now();
        let charter = Charter::embedded_demo().unwrap();
        let draft =
            ItemDraft::parse("Une phrase", Submitted::from(content), charter.sheet(), now.paris_day())
                .unwrap();
        let id = ItemVersionId::random(self.t.app.chance()).unwrap();
        let row = NewItem {
            id: item.clone(),
            pathway: self.pathway.clone(),
            kind: ItemKind::Item,
            category: draft.content().category(),
            subjects: draft.content().subjects().into_iter().collect(),
            for_stay: false,
            author: self.place(name).clone(),
            author_assignment: person.assignment,
            created_at: now,
        };
        let version = NewVersion::seal(
            &self.key,
            self.t.app.chance(),
            &id,
            item,
            &self.pathway,
            number,
            person_secrecy(name),
            now,
            None,
            &Words::Item(draft),
        )
        .unwrap();
        let pathway = self.pathway.clone();
        self.t.write(move |tx, _| {
            if number == 1 {
                tx.item_insert(&row)?;
            }
            tx.item_version_insert(&version)?;
            tx.pathway_touch(&pathway)
        });
        ItemRef { item: item.clone(), version: Some(id) }
    }

    pub(super) fn call(&self, name: &str) -> Call {
        self.t.call(name)
    }

    pub(super) fn share(
        &self,
        by: &str,
        purpose: Purpose,
        items: &[&ItemRef],
        to: &[&str],
        last_day: Day,
    ) -> Result<Created, ServiceError> {
        let new = NewShare {
            purpose,
            last_day,
            departure: None,
            items: items.iter().map(|i| (*i).clone()).collect(),
            category: None,
            recipients: to.iter().map(|n| self.place(n).clone()).collect(),
            statute: None,
        };
        self.t.app.share_create(&self.call(by), &self.pathway, &new)
    }

    pub(super) fn preview(
        &self,
        by: &str,
        purpose: Purpose,
        items: &[&ItemRef],
        category: Option<Category>,
        to: Option<&[&str]>,
    ) -> Result<PreviewView, ServiceError> {
        let request = PreviewRequest {
            purpose,
            items: items.iter().map(|i| (*i).clone()).collect(),
            category,
            recipients: to.map(|names| names.iter().map(|n| self.place(n).clone()).collect()),
            hypothetical: None,
            last_day: None,
            statute: None,
        };
        self.t.app.preview(&self.call(by), &self.pathway, &request).map(|d| d.into_inner())
    }

    /// Reads the words of a version, for a purpose, as the item service does.
    pub(super) fn read(
        &self,
        by: &str,
        item: &ItemRef,
        purpose: Option<Purpose>,
    ) -> Result<(), ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Item };
        self.t
            .app
            .read(&self.call(by), act, &self.pathway, |scene| {
                let facts = scene.gate.facts();
                let found = facts.item(&item.item).ok_or(ServiceError::AbsentOrRefused)?;
                let version = match &item.version {
                    Some(id) => found.versions.iter().find(|v| v.id == *id).unwrap(),
                    None => found.current().unwrap(),
                };
                let grant = scene.gate.item(found, version, purpose)?;
                scene.returned.push(crate::domain::record::RowRef {
                    table: "item_version",
                    id: version.id.as_str().to_owned(),
                    version: version.number,
                });
                Ok(scene.snapshot.item_words(grant)?)
            })
            .map(|_| ())
    }

    pub(super) fn reads(&self, by: &str, item: &ItemRef, purpose: Purpose) -> bool {
        match self.read(by, item, Some(purpose)) {
            Ok(()) => true,
            Err(ServiceError::AbsentOrRefused | ServiceError::Explained(_)) => false,
            Err(other) => panic!("{other}"),
        }
    }
}

fn person_secrecy(name: &str) -> Secrecy {
    match name {
        "director" | "teacher" | "mission_locale" => Secrecy::NotBound,
        "referent_contested" => Secrecy::Contested,
        _ => Secrecy::Bound,
    }
}

pub(super) fn treatment() -> Value {
    json!({"category": "health_minimal", "kind": "treatment", "what": "Un comprimé", "when": "20 h",
           "prescription_kept": "dans la pochette bleue"})
}

pub(super) fn clothes() -> Value {
    json!({"category": "practical", "need": "warm_clothes", "detail": "Manteau, taille 14 ans"})
}

pub(super) fn mobility() -> Value {
    json!({"category": "mobility", "fact": "Prend le bus seul", "source": "observed"})
}

pub(super) fn family() -> Value {
    json!({"category": "family", "fact": "Vit une semaine sur deux chez son père", "source": "parent"})
}

pub(super) fn schooling() -> Value {
    json!({"category": "schooling", "fact": "Vient deux jours sur cinq", "source": "young_person"})
}

/// The rule that was not met: its code and words.
pub(super) fn rule<T>(result: Result<T, ServiceError>) -> (&'static str, String) {
    match result {
        Err(ServiceError::Rule { code, message, .. }) => (code, message),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("accepted"),
    }
}

pub(super) fn absent<T>(result: Result<T, ServiceError>) -> bool {
    matches!(result, Err(ServiceError::AbsentOrRefused))
}

pub(super) fn codes(view: &PreviewView) -> Vec<(String, Vec<Reason>)> {
    view.readers
        .iter()
        .map(|r| {
            let reasons = r.things.iter().flat_map(|t| t.reasons.iter().map(|x| x.code)).collect();
            (r.member.name.clone(), reasons)
        })
        .collect()
}
