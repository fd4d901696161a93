//! A family for tests of consent on the territory: a young person, two parents, a circle, items and shares written
//! through the lane without the services that other tests are about.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::testing::Territory;
use super::*;
use crate::access::Existence;
use crate::access::facts::{ItemKind, ShareRecipient};
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKey;
use crate::crypto::keyring::KeyOwner;
use crate::domain::accord::{LineKind, Verification};
use crate::domain::day::Day;
use crate::domain::item::{ItemDraft, Submitted};
use crate::domain::person::{HolderDraft, HolderFacts, PersonFacts};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::Text;
use crate::domain::vocabulary::{Capacity, Category, Mandate, Purpose, Role, Secrecy, Step};
use crate::ids::*;
use crate::store::NewKey;
use crate::store::fact::{FactKind, Pen, RowAt};
use crate::store::item::{NewItem, NewVersion, Words};
use crate::store::pathway::{CourseBody, NewParticipation, ShareBody};

pub(crate) const fn act(action: Action) -> Act {
    Act { action, resource: ResourceKind::Accord }
}

pub(crate) fn date(y: i32, m: u32, d: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(y, m, d).unwrap()
}

pub(crate) struct Family {
    pub t: Territory,
    pub pathway: PathwayId,
    pub mother: HolderId,
    pub father: HolderId,
    pub places: BTreeMap<&'static str, ParticipationId>,
}

impl Family {
    /// Somebody born on this day, with two parents, opened by the référente; known as Mathis.
    pub fn of(birth: NaiveDate) -> Self {
        let t = Territory::new();
        let chance = t.app.chance();
        let pathway = PathwayId::random(chance).unwrap();
        let mother = HolderId::random(chance).unwrap();
        let father = HolderId::random(chance).unwrap();
        let owner = KeyOwner::Pathway(pathway.clone());
        let (key, stored) = t.app.store().keyring().new_data_key(&owner, chance).unwrap();
        let now = t.clock_now();
        let new_key = NewKey::new(&owner, stored, now);
        let referente = t.person("referente").clone();
        let (p, lead) = (pathway.clone(), referente.organisation.clone());
        t.write(move |tx, at| {
            tx.key_insert(&new_key)?;
            tx.pathway_insert(&p, &lead, at)
        });
        let mut family = Self { t, pathway, mother, father, places: BTreeMap::new() };
        let person = PersonFacts::new(Some(birth), None, false).unwrap();
        let words = serde_json::json!({"identity": {"first_name": "Mathis", "name": "Martin"}});
        family.fact(&key, FactKind::Person, &person, Some(&words));
        family.fact::<_, ()>(
            &key,
            FactKind::Course,
            &CourseBody { step: Step::Contact, review_on: Some(date(2028, 3, 1)) },
            None,
        );
        for id in [family.mother.clone(), family.father.clone()] {
            let holder = HolderFacts::new(HolderDraft {
                id,
                capacity: Capacity::Parent,
                from: birth,
                until: None,
                organisation: None,
                proof: None,
            })
            .unwrap();
            family.fact::<_, ()>(&key, FactKind::Holder, &holder, None);
        }
        family.join("referente", Mandate::Contractual, Role::Referent);
        family
    }

    /// A brother or sister, in a pathway of its own that the référente opened.
    pub fn sibling(&self, birth: NaiveDate) -> PathwayId {
        let chance = self.t.app.chance();
        let pathway = PathwayId::random(chance).unwrap();
        let owner = KeyOwner::Pathway(pathway.clone());
        let (key, stored) = self.t.app.store().keyring().new_data_key(&owner, chance).unwrap();
        let now = self.t.clock_now();
        let new_key = NewKey::new(&owner, stored, now);
        let referente = self.t.person("referente").clone();
        let place = NewParticipation {
            id: ParticipationId::random(chance).unwrap(),
            pathway: pathway.clone(),
            assignment: referente.assignment.clone(),
            mandate: Mandate::Contractual,
            role: Role::Referent,
            existence: Existence::of(referente.profession, Mandate::Contractual),
            invited_by: None,
            invited_at: now,
            accepted_at: Some(now),
            until_at: None,
            stands_in_for: None,
        };
        let name = serde_json::json!({"identity": {"first_name": "Inès"}});
        let person = PersonFacts::new(Some(birth), None, false).unwrap();
        let course = CourseBody { step: Step::Contact, review_on: Some(date(2028, 3, 1)) };
        let (first, second) =
            (ConsentEventId::random(chance).unwrap(), ConsentEventId::random(chance).unwrap());
        let by = &referente.assignment;
        let pen = Pen { key: &key, chance, pathway: &pathway, at: now, by };
        let facts = [
            pen.with_words(RowAt::first(FactKind::Person, first.as_str()), &person, Some(&name)),
            pen.facts(RowAt::first(FactKind::Course, second.as_str()), &course),
        ]
        .map(Result::unwrap);
        let id = pathway.clone();
        self.t.write(move |tx, at| {
            tx.key_insert(&new_key)?;
            tx.pathway_insert(&id, &referente.organisation, at)?;
            tx.participation_insert(&place)?;
            facts.iter().try_for_each(|fact| tx.fact_insert(fact))
        });
        pathway
    }

    pub fn key(&self) -> DataKey {
        let owner = KeyOwner::Pathway(self.pathway.clone());
        self.t.app.store().snapshot().unwrap().key_of(&owner).unwrap().unwrap()
    }

    fn fact<F: serde::Serialize, W: serde::Serialize>(
        &self,
        key: &DataKey,
        kind: FactKind,
        facts: &F,
        words: Option<&W>,
    ) -> String {
        let chance = self.t.app.chance();
        let id = ConsentEventId::random(chance).unwrap();
        let by = &self.t.person("referente").assignment;
        let now = self.t.clock_now();
        let row = Pen { key, chance, pathway: &self.pathway, at: now, by }
            .with_words(RowAt::first(kind, id.as_str()), facts, words)
            .unwrap();
        let pathway = self.pathway.clone();
        self.t.write(move |tx, _| {
            tx.fact_insert(&row)?;
            tx.pathway_touch(&pathway)
        });
        id.as_str().to_owned()
    }

    /// An accepted place in the circle, by the référente's invitation.
    pub fn join(&mut self, name: &'static str, mandate: Mandate, role: Role) -> ParticipationId {
        self.join_by("referente", name, mandate, role)
    }

    /// An accepted place in the circle.
    pub fn join_by(
        &mut self,
        inviter: &str,
        name: &'static str,
        mandate: Mandate,
        role: Role,
    ) -> ParticipationId {
        let person = self.t.person(name).clone();
        let id = ParticipationId::random(self.t.app.chance()).unwrap();
        let now = self.t.clock_now();
        let row = NewParticipation {
            id: id.clone(),
            pathway: self.pathway.clone(),
            assignment: person.assignment,
            mandate,
            role,
            existence: Existence::of(person.profession, mandate),
            invited_by: self.places.get(inviter).cloned(),
            invited_at: now,
            accepted_at: Some(now),
            until_at: None,
            stands_in_for: None,
        };
        let pathway = self.pathway.clone();
        self.t.write(move |tx, _| {
            tx.participation_insert(&row)?;
            tx.pathway_touch(&pathway)
        });
        self.places.insert(name, id.clone());
        id
    }

    /// An item of this author.
    pub fn item(&self, author: &str, label: &str, content: serde_json::Value) -> ItemVersionId {
        let chance = self.t.app.chance();
        let now = self.t.clock_now();
        let person = self.t.person(author).clone();
        let sheet = crate::charter::Charter::embedded_demo().unwrap();
        let category = Category::parse(content["category"].as_str().unwrap()).unwrap();
        let submitted: Submitted = serde_json::from_value(content).unwrap();
        let draft = ItemDraft::parse(label, submitted, sheet.sheet(), now.paris_day()).unwrap();
        let (item, version) = (ItemId::random(chance).unwrap(), ItemVersionId::random(chance).unwrap());
        let secrecy = self
            .t
            .app
            .store()
            .snapshot()
            .unwrap()
            .assignment_fetch(&person.assignment)
            .unwrap()
            .unwrap()
            .facts
            .secrecy_at(now);
        let row = NewItem {
            id: item.clone(),
            pathway: self.pathway.clone(),
            kind: ItemKind::Item,
            category,
            subjects: Vec::new(),
            for_stay: false,
            author: self.places[author].clone(),
            author_assignment: person.assignment,
            created_at: now,
        };
        let sealed = NewVersion::seal(
            &self.key(),
            chance,
            &version,
            &item,
            &self.pathway,
            1,
            secrecy,
            now,
            None,
            &Words::Item(draft),
        )
        .unwrap();
        let pathway = self.pathway.clone();
        self.t.write(move |tx, _| {
            tx.item_insert(&row)?;
            tx.item_version_insert(&sealed)?;
            tx.pathway_touch(&pathway)
        });
        version
    }

    pub fn treatment(&self, author: &str) -> ItemVersionId {
        self.item(
            author,
            "Traitement du soir",
            serde_json::json!({"category": "health_minimal", "kind": "treatment", "what": "un comprimé CANARI",
                "when": "à 20 h", "prescription_kept": "infirmerie"}),
        )
    }

    pub fn fact_item(&self, author: &str, category: &str, fact: &str) -> ItemVersionId {
        self.item(
            author,
            "Un fait",
            serde_json::json!({"category": category, "fact": fact, "source": "observed"}),
        )
    }

    /// A share of these versions, for a year.
    pub fn share(
        &self,
        sharer: &str,
        purpose: Purpose,
        versions: &[&ItemVersionId],
        recipient: &str,
        statute: Option<StatuteId>,
    ) {
        let now = self.t.clock_now();
        let body = ShareBody {
            sharer: self.places[sharer].clone(),
            purpose,
            starts: now,
            ends: now.plus_seconds(400 * 86_400),
            ended_at: None,
            category: None,
            versions: versions.iter().map(|v| (*v).clone()).collect(),
            recipients: vec![ShareRecipient {
                participation: self.places[recipient].clone(),
                statute,
                ended_at: None,
            }],
            handover: None,
            departure: None,
        };
        self.fact::<_, ()>(&self.key(), FactKind::Share, &body, None);
    }

    /// Whether this person's next read of these words is answered.
    pub fn reads(&self, reader: &str, version: &ItemVersionId, purpose: Purpose) -> bool {
        let act = Act { action: Action::Read, resource: ResourceKind::Item };
        let seen = self.t.app.read(&self.t.call(reader), act, &self.pathway, |scene| {
            let (item, found) = scene.gate.facts().version(version).ok_or(ServiceError::AbsentOrRefused)?;
            let grant = scene.gate.item(item, found, Some(purpose))?;
            Ok(scene.snapshot.item_words(grant)?)
        });
        match seen {
            Ok(_) => true,
            Err(ServiceError::AbsentOrRefused | ServiceError::Explained(_)) => false,
            Err(e) => panic!("{e}"),
        }
    }

    pub fn recipient(&self, name: &str) -> RecipientInput {
        let p = self.t.person(name);
        RecipientInput {
            organisation: p.organisation.clone(),
            profession: p.profession,
            mission: p.mission.clone(),
        }
    }

    pub fn line(&self, name: &str, categories: &[Category], shows: &[&ItemVersionId]) -> LineInput {
        LineInput {
            recipient: self.recipient(name),
            kind: LineKind::Recipient,
            only_assignment: None,
            categories: categories.to_vec(),
            shows: shows.iter().map(|v| (*v).clone()).collect(),
            names_services: Vec::new(),
        }
    }

    /// An accord from today, for ten months.
    pub fn asks(&self, purpose: Purpose, lines: Vec<LineInput>) -> AccordInput {
        let today = self.t.clock_now().paris_day();
        AccordInput {
            purpose,
            starts: Day::new(today).unwrap(),
            ends: Day::new(today + chrono::Duration::days(300)).unwrap(),
            language: "fr".to_owned(),
            interpreter: None,
            lines,
            replaces: None,
        }
    }

    pub fn accord(&self, by: &str, input: &AccordInput) -> Result<AccordId, ServiceError> {
        let made = self.t.app.accord_create(&self.t.call(by), act(Action::Create), &self.pathway, input)?;
        Ok(AccordId::parse(&made.id).unwrap())
    }

    pub fn signature(&self, by: Said, how: HowInput) -> Happening {
        Happening::Signed(SignatureInput {
            by,
            how,
            verified: Verification::Known,
            lines: Vec::new(),
            on: Day::new(self.t.clock_now().paris_day()).unwrap(),
        })
    }

    pub fn paper() -> HowInput {
        HowInput::Paper { original_at: Text::parse("armoire du PRE").unwrap() }
    }

    pub fn signs(&self, recorder: &str, accord: &AccordId, by: Said) -> Result<Created, ServiceError> {
        self.happens(recorder, accord, &self.signature(by, Self::paper()))
    }

    pub fn happens(
        &self,
        recorder: &str,
        accord: &AccordId,
        happening: &Happening,
    ) -> Result<Created, ServiceError> {
        let sheet = SheetId::Accord(accord.clone());
        self.t.app.sheet_record(&self.t.call(recorder), act(Action::Sign), &sheet, happening)
    }

    pub fn mother(&self) -> Said {
        Said::Holder(self.mother.clone())
    }

    pub fn father(&self) -> Said {
        Said::Holder(self.father.clone())
    }

    /// Every parent and the young person sign on paper.
    pub fn all_sign(&self, recorder: &str, accord: &AccordId) {
        for by in [Said::YoungPerson, self.mother(), self.father()] {
            self.signs(recorder, accord, by).unwrap();
        }
    }

    /// The state as who asks reads it.
    pub fn state(&self, reader: &str, accord: &AccordId) -> Option<AccordStanding> {
        match self.t.app.accord_read(&self.t.call(reader), act(Action::Read), accord) {
            Ok(view) => Some(view.state.code),
            Err(ServiceError::AbsentOrRefused) => None,
            Err(e) => panic!("{e}"),
        }
    }

    pub fn withdraw(
        &self,
        recorder: &str,
        by: Said,
        what: ScopeInput,
    ) -> Result<WithdrawalView, ServiceError> {
        let input = WithdrawalInput { by, what, channel: Channel::Telephone };
        self.t
            .app
            .withdrawal_record(&self.t.call(recorder), act(Action::Withdraw), &self.pathway, &input)
            .map(crate::audit::Disclosed::into_inner)
    }

    pub fn secrecy_is(&self, name: &str, secrecy: Secrecy) -> bool {
        let now = self.t.clock_now();
        let id = &self.t.person(name).assignment;
        let mut snapshot = self.t.app.store().snapshot().unwrap();
        snapshot.assignment_fetch(id).unwrap().unwrap().facts.secrecy_at(now) == secrecy
    }
}

pub(crate) fn code(e: ServiceError) -> &'static str {
    match e {
        ServiceError::Rule { code, .. } => code,
        other => panic!("not a rule: {other}"),
    }
}

impl Territory {
    fn clock_now(&self) -> Timestamp {
        self.app.clock().now()
    }
}
