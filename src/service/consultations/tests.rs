//! Tests of « qui a consulté ».

use chrono::NaiveDate;

use super::*;
use crate::access::Existence;
use crate::access::facts::{ItemKind, ShareRecipient};
use crate::audit::{Job, Priority};
use crate::clock::Clock;
use crate::crypto::keyring::KeyOwner;
use crate::domain::cell::Reason;
use crate::domain::day::Day;
use crate::domain::item::ActionContent;
use crate::domain::person::PersonFacts;
use crate::domain::record::{
    Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, RowRef, TrailEntry, Verdict,
};
use crate::domain::vocabulary::{Function, Mandate, Role, Secrecy, Step};
use crate::ids::ItemVersionId;
use crate::ids::{ItemId, RequestId, ShareId};
use crate::service::testing::Territory;
use crate::store::NewKey;
use crate::store::fact::{FactKind, Pen, RowAt};
use crate::store::item::{NewItem, NewVersion, Words};
use crate::store::pathway::{CourseBody, NewParticipation, ShareBody};

const ACT: Act = Act { action: Action::Read, resource: ResourceKind::Consultations };

/// A pathway of the town; its référent holds a contested secret and so may not know of the judicial measure.
pub(in crate::service) struct Bed {
    pub t: Territory,
    pub pathway: PathwayId,
    pub participations: BTreeMap<&'static str, ParticipationId>,
}

impl Bed {
    pub(in crate::service) fn new(referent: &'static str) -> Self {
        let t = Territory::new();
        let chance = t.app.chance();
        let pathway = PathwayId::random(chance).unwrap();
        let owner = KeyOwner::Pathway(pathway.clone());
        let now = t.clock.now();
        let (key, stored) = t.app.store().keyring().new_data_key(&owner, chance).unwrap();
        let new_key = NewKey::new(&owner, stored, now);
        let by = t.person(referent).assignment.clone();
        let person = PersonFacts::new(NaiveDate::from_ymd_opt(2012, 5, 1), None, false).unwrap();
        let course = CourseBody { step: Step::Accompaniment, review_on: None };
        let pen = Pen { key: &key, chance, pathway: &pathway, at: now, by: &by };
        let person = pen.facts(RowAt::first(FactKind::Person, "person"), &person);
        let course = pen.facts(RowAt::first(FactKind::Course, "course"), &course);
        let (person, course) = (person.unwrap(), course.unwrap());
        let lead = t.person(referent).organisation.clone();
        let p = pathway.clone();
        t.write(move |tx, at| {
            tx.pathway_insert(&p, &lead, at)?;
            tx.key_insert(&new_key)?;
            tx.fact_insert(&person)?;
            tx.fact_insert(&course)
        });
        let mut bed = Self { t, pathway, participations: BTreeMap::new() };
        bed.join(referent, Mandate::Contractual, Role::Referent);
        bed.join("prevention", Mandate::Contractual, Role::Participant);
        bed.join("aemo", Mandate::Judicial, Role::Participant);
        bed
    }

    pub(in crate::service) fn join(&mut self, name: &'static str, mandate: Mandate, role: Role) {
        let who = self.t.person(name);
        let id = ParticipationId::random(self.t.app.chance()).unwrap();
        let now = self.t.clock.now();
        let row = NewParticipation {
            id: id.clone(),
            pathway: self.pathway.clone(),
            assignment: who.assignment.clone(),
            mandate,
            role,
            existence: Existence::of(who.profession, mandate),
            invited_by: None,
            invited_at: now,
            accepted_at: Some(now),
            until_at: None,
            stands_in_for: None,
        };
        self.t.write(move |tx, _| tx.participation_insert(&row));
        self.participations.insert(name, id);
    }

    pub(in crate::service) fn key(&self) -> crate::crypto::envelope::DataKey {
        let owner = KeyOwner::Pathway(self.pathway.clone());
        self.t.app.store().snapshot().unwrap().key_of(&owner).unwrap().unwrap()
    }

    pub(in crate::service) fn writes(&self, name: &str, category: Category) -> ItemVersionId {
        let chance = self.t.app.chance();
        let (item, version) = (ItemId::random(chance).unwrap(), ItemVersionId::random(chance).unwrap());
        let author = self.participations[name].clone();
        let now = self.t.clock.now();
        let words = Words::Action(ActionContent {
            what: crate::domain::text::Text::parse("Appeler le club").unwrap(),
            by_when: Day::new(now.paris_day()).unwrap(),
            who: author.clone(),
        });
        let row = NewItem {
            id: item.clone(),
            pathway: self.pathway.clone(),
            kind: ItemKind::Action,
            category,
            subjects: Vec::new(),
            for_stay: false,
            author,
            author_assignment: self.t.person(name).assignment.clone(),
            created_at: now,
        };
        let sealed = NewVersion::seal(
            &self.key(),
            chance,
            &version,
            &item,
            &self.pathway,
            1,
            Secrecy::Bound,
            now,
            None,
            &words,
        )
        .unwrap();
        self.t.write(move |tx, _| {
            tx.item_insert(&row)?;
            tx.item_version_insert(&sealed)
        });
        version
    }

    pub(in crate::service) fn shares(&self, sharer: &str, with: &str, version: &ItemVersionId) {
        let chance = self.t.app.chance();
        let now = self.t.clock.now();
        let body = ShareBody {
            sharer: self.participations[sharer].clone(),
            purpose: Purpose::Coordination,
            starts: now,
            ends: now.plus_seconds(86_400),
            ended_at: None,
            category: None,
            versions: vec![version.clone()],
            recipients: vec![ShareRecipient {
                participation: self.participations[with].clone(),
                statute: None,
                ended_at: None,
            }],
            handover: None,
            departure: None,
        };
        let id = ShareId::random(chance).unwrap();
        let by = self.t.person(sharer).assignment.clone();
        let fact = Pen { key: &self.key(), chance, pathway: &self.pathway, at: now, by: &by }
            .facts(RowAt::first(FactKind::Share, id.as_str()), &body)
            .unwrap();
        self.t.write(move |tx, _| tx.fact_insert(&fact));
    }

    /// A fact of this pathway, without words.
    pub(in crate::service) fn fact<F: serde::Serialize>(
        &self,
        kind: FactKind,
        id: &str,
        by: &str,
        facts: &F,
    ) {
        let now = self.t.clock.now();
        let by = self.t.person(by).assignment.clone();
        let chance = self.t.app.chance();
        let fact = Pen { key: &self.key(), chance, pathway: &self.pathway, at: now, by: &by }
            .facts(RowAt::first(kind, id), facts);
        let fact = fact.unwrap();
        self.t.write(move |tx, _| tx.fact_insert(&fact));
    }

    /// The record of an opening, as the reading services leave it.
    pub(in crate::service) fn opens(
        &self,
        name: &str,
        versions: &[(&ItemVersionId, Category)],
        verdict: Verdict,
    ) {
        let did = (Action::Read, ResourceKind::Item);
        self.records(name, versions, verdict, did, Purpose::Coordination);
    }

    /// [`Bed::opens`] of another kind, for another purpose.
    pub(in crate::service) fn records(
        &self,
        name: &str,
        versions: &[(&ItemVersionId, Category)],
        verdict: Verdict,
        did: (Action, ResourceKind),
        purpose: Purpose,
    ) {
        let who = self.t.person(name);
        let app = &self.t.app;
        let request = RequestId::random(app.chance()).unwrap();
        let mut draft = RecordDraft::new(request, RetentionClass::Disclosure, did.0, did.1, verdict);
        draft.actor = Some(ActorStamp {
            professional: who.professional.clone(),
            assignment: Some(who.assignment.clone()),
            organisation: Some(who.organisation.clone()),
            profession: Some(who.profession),
            function: Some(Function::Practitioner),
            secrecy: Some(Secrecy::Bound),
            session: None,
        });
        draft.pathway = Some(self.pathway.clone());
        draft.purpose = Some(purpose);
        draft.categories = versions.iter().map(|(_, c)| *c).collect();
        if !versions.is_empty() {
            draft.trail = vec![TrailEntry {
                facts: None,
                permitted: true,
                reason: Reason::OwnItem,
                failing: Vec::new(),
                objects: u32::try_from(versions.len()).unwrap(),
            }];
        }
        draft.returned = versions
            .iter()
            .map(|(v, _)| RowRef { table: "item_version", id: v.as_str().to_owned(), version: 1 })
            .collect();
        let record = app.prepare(&draft, Some(&self.key())).unwrap();
        app.lane().record(Priority::Session, Job::new(record)).wait().unwrap();
    }

    pub(in crate::service) fn seen_by(&self, name: &str) -> Vec<(Profession, Vec<Category>)> {
        let seen = self.t.app.consultations(&self.t.call(name), ACT, &self.pathway).unwrap();
        seen.items.iter().map(|l| (l.profession, l.categories.clone())).collect()
    }
}

#[test]
fn openings_are_one_line_per_person_day_and_purpose_without_refusals() {
    let bed = Bed::new("referente");
    let leisure = bed.writes("prevention", Category::Leisure);
    let schooling = bed.writes("referente", Category::Schooling);
    bed.opens("referente", &[(&leisure, Category::Leisure)], Verdict::Permit);
    bed.opens("referente", &[(&schooling, Category::Schooling)], Verdict::Permit);
    bed.opens("prevention", &[(&schooling, Category::Schooling)], Verdict::Deny);
    bed.opens("prevention", &[], Verdict::Permit);
    assert_eq!(
        bed.seen_by("referente"),
        vec![(Profession::ReferentPre, vec![Category::Schooling, Category::Leisure])]
    );
    bed.t.go_to(2027, 3, 3);
    bed.opens("referente", &[(&leisure, Category::Leisure)], Verdict::Permit);
    assert_eq!(bed.seen_by("referente").len(), 2, "another day, another line");
}

#[test]
fn s12_two_purposes_or_two_colleagues_of_one_service_on_one_day_are_two_lines() {
    let mut bed = Bed::new("referente");
    bed.join("referent_contested", Mandate::Contractual, Role::Participant);
    let leisure = bed.writes("prevention", Category::Leisure);
    let schooling = bed.writes("prevention", Category::Schooling);
    let read = |who, version, category, purpose| {
        let did = (Action::Read, ResourceKind::Item);
        bed.records(who, &[(version, category)], Verdict::Permit, did, purpose);
    };
    let seen = || {
        let list = bed.t.app.consultations(&bed.t.call("referente"), ACT, &bed.pathway).unwrap();
        let service = (bed.t.person("referente").organisation.clone(), Profession::ReferentPre);
        assert!(list.items.iter().all(|l| (l.organisation.id.clone(), l.profession) == service));
        let line = |l: &ConsultationLine| (l.purpose.unwrap(), l.categories.clone(), l.receipts.len());
        let mut lines: Vec<_> = list.items.iter().map(line).collect();
        lines.sort();
        lines
    };
    read("referente", &leisure, Category::Leisure, Purpose::Coordination);
    read("referente", &leisure, Category::Leisure, Purpose::Coordination);
    let one = (Purpose::Coordination, vec![Category::Leisure], 2);
    assert_eq!(seen(), std::slice::from_ref(&one), "twice the same is one line");
    read("referente", &leisure, Category::Leisure, Purpose::Schooling);
    let mut expected = vec![one, (Purpose::Schooling, vec![Category::Leisure], 1)];
    expected.sort();
    assert_eq!(seen(), expected, "another purpose, another line");
    read("referent_contested", &schooling, Category::Schooling, Purpose::Coordination);
    expected.push((Purpose::Coordination, vec![Category::Schooling], 1));
    expected.sort();
    assert_eq!(seen(), expected, "another person, another line");
}

#[test]
fn s11_what_a_hidden_service_read_wrote_or_shared_leaves_no_trace() {
    let bed = Bed::new("referent_contested");
    let hers = bed.writes("aemo", Category::Family);
    let open = bed.writes("prevention", Category::Leisure);
    let passed_on = bed.writes("prevention", Category::Housing);
    bed.shares("aemo", "prevention", &passed_on);
    // Read by her: nothing of it.
    bed.opens("aemo", &[(&open, Category::Leisure)], Verdict::Permit);
    // Written by her, read by somebody known, together with something else: only the other thing.
    bed.opens("prevention", &[(&hers, Category::Family), (&open, Category::Leisure)], Verdict::Permit);
    // Shared by her.
    bed.opens("prevention", &[(&passed_on, Category::Housing)], Verdict::Permit);
    assert_eq!(
        bed.seen_by("referent_contested"),
        vec![(Profession::SpecialisedPrevention, vec![Category::Leisure])]
    );
}

#[test]
fn only_the_referent_sees_who_looked() {
    let bed = Bed::new("referente");
    for name in ["prevention", "outsider", "auditor", "pre_manager", "administrator"] {
        let refused = bed.t.app.consultations(&bed.t.call(name), ACT, &bed.pathway).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{name}");
    }
    assert!(bed.seen_by("referente").is_empty());
}

#[test]
fn s12_receipts_are_taken_of_openings_that_concern_nothing_hidden() {
    const TAKE: Act = Act { action: Action::Export, resource: ResourceKind::Consultations };
    let bed = Bed::new("referent_contested");
    let hers = bed.writes("aemo", Category::Family);
    let open = bed.writes("prevention", Category::Leisure);
    let passed_on = bed.writes("prevention", Category::Housing);
    bed.shares("aemo", "prevention", &passed_on);
    let last = || bed.t.app.store().snapshot().unwrap().log_frontier().unwrap().size() - 1;
    bed.opens("prevention", &[(&open, Category::Leisure)], Verdict::Permit);
    let openly = last();
    let mut hidden = Vec::new();
    bed.opens("aemo", &[(&open, Category::Leisure)], Verdict::Permit);
    hidden.push(last());
    // One record of two things is one receipt: half of it may not be told, so none of it is taken.
    bed.opens("prevention", &[(&hers, Category::Family), (&open, Category::Leisure)], Verdict::Permit);
    hidden.push(last());
    bed.opens("prevention", &[(&passed_on, Category::Housing)], Verdict::Permit);
    hidden.push(last());
    let call = bed.t.call("referent_contested");
    let seen = bed.t.app.consultations(&call, ACT, &bed.pathway).unwrap();
    let receipts: Vec<u64> = seen.items.iter().flat_map(|l| l.receipts.clone()).collect();
    assert_eq!(receipts, [openly]);
    let taken = bed.t.app.consultation_receipt(&call, TAKE, &bed.pathway, openly).unwrap();
    let name = crate::service::checkpoints::log_name(&mut bed.t.app.store().snapshot().unwrap()).unwrap();
    let proof = crate::audit::TlogProof::parse(&taken).unwrap();
    let (_, body) = proof.verify_carried(&name.origin, &name.keys).unwrap();
    assert!(std::str::from_utf8(body).unwrap().contains("specialised_prevention"));
    for index in hidden.into_iter().chain([0, u64::MAX]) {
        let refused = bed.t.app.consultation_receipt(&call, TAKE, &bed.pathway, index).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{index}");
    }
    let other = bed.t.app.consultation_receipt(&bed.t.call("prevention"), TAKE, &bed.pathway, openly);
    assert!(matches!(other.map(|_| ()), Err(ServiceError::AbsentOrRefused)));
}

#[test]
fn s12_the_manager_of_a_hidden_service_takes_receipts_of_what_is_its_business_alone() {
    const TAKE: Act = Act { action: Action::Export, resource: ResourceKind::Consultations };
    let bed = Bed::new("referente");
    let hers = bed.writes("aemo", Category::Family);
    let open = bed.writes("prevention", Category::Leisure);
    let last = || bed.t.app.store().snapshot().unwrap().log_frontier().unwrap().size() - 1;
    bed.opens("prevention", &[(&hers, Category::Family)], Verdict::Permit);
    let of_hers = last();
    bed.opens("aemo", &[(&open, Category::Leisure)], Verdict::Permit);
    let by_hers = last();
    // Half of this record is another service's business; the next one all of it.
    bed.opens("prevention", &[(&hers, Category::Family), (&open, Category::Leisure)], Verdict::Permit);
    let both = last();
    bed.opens("prevention", &[(&open, Category::Leisure)], Verdict::Permit);
    let not_hers = last();
    let place = &bed.participations["aemo"];
    let list = |name: &str| bed.t.app.consultations_of_service(&bed.t.call(name), ACT, place);
    let take = |name: &str, index| {
        bed.t
            .app
            .consultation_receipt_of_service(&bed.t.call(name), TAKE, place, index)
            .map(Disclosed::into_inner)
    };
    let seen = list("aemo_manager").unwrap();
    let lines: Vec<_> =
        seen.items.iter().map(|l| (l.profession, l.categories.clone(), l.receipts.clone())).collect();
    assert_eq!(
        lines.into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([
            (Profession::Aemo, vec![Category::Leisure], vec![by_hers]),
            (Profession::SpecialisedPrevention, vec![Category::Family], vec![of_hers]),
        ])
    );
    let name = crate::service::checkpoints::log_name(&mut bed.t.app.store().snapshot().unwrap()).unwrap();
    for index in [of_hers, by_hers] {
        let proof = crate::audit::TlogProof::parse(&take("aemo_manager", index).unwrap()).unwrap();
        assert!(proof.verify_carried(&name.origin, &name.keys).is_ok() && proof.index() == index);
    }
    for index in [both, not_hers, 0, u64::MAX] {
        assert!(matches!(take("aemo_manager", index), Err(ServiceError::AbsentOrRefused)), "{index}");
    }
    for name in ["pre_manager", "prevention_manager", "aemo", "aemo_colleague", "referente", "auditor"] {
        assert!(matches!(list(name).map(|_| ()), Err(ServiceError::AbsentOrRefused)), "{name}");
        assert!(matches!(take(name, of_hers), Err(ServiceError::AbsentOrRefused)), "{name}");
    }
    // A place that is open to be known has no list of its own: the référent's has it all.
    let open_place = &bed.participations["prevention"];
    let refused = bed.t.app.consultations_of_service(&bed.t.call("prevention_manager"), ACT, open_place);
    assert!(matches!(refused.map(|_| ()), Err(ServiceError::AbsentOrRefused)));
}
