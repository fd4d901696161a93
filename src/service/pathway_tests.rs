//! Pathways, circle, items, notes and actions, on a real store: each rule of law by its name.

use chrono::NaiveDate;

use super::actions::{ActionInput, ActionState, ProgressInput};
use super::chronology::Happened;
use super::circle::InviteInput;
use super::items::{Corrects, ItemInput, RevisionInput, item_stamp};
use super::notes::{NoteChange, NoteInput};
use super::pathways::{ClosingInput, ClosingReason, CourseInput, Opening, ReferentInput, SearchInput};
use super::people::{EmancipationInput, HolderInput, IdentityInput};
use super::reading::{ItemView, ItemsQuery};
use super::testing::Territory;
use super::{Created, ServiceError};
use crate::clock::Clock;
use crate::crypto::keyring::KeyOwner;
use crate::domain::accord::{
    AccordDraft, AccordFacts, Event, EventKind, How, Language, Line, LineKind, NoticeMark, Opinion, Scope,
    ShownVersion, Signatory, Signed, Verification,
};
use crate::domain::day::Day;
use crate::domain::person::Reference;
use crate::domain::vocabulary::{Category, Mandate, Purpose, Role, Step};
use crate::ids::*;
use crate::store::fact::{FactKind, Pen, RowAt};
use crate::store::pathway::{EventBody, ShareBody, Sheet};

mod inviting;
mod writing;

pub(crate) fn from<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn day(y: i32, m: u32, d: u32) -> Day {
    Day::new(NaiveDate::from_ymd_opt(y, m, d).unwrap()).unwrap()
}

fn preference() -> serde_json::Value {
    serde_json::json!({"said_by": "young_person", "wish": "Je veux bien avec elle", "on": "2027-03-02"})
}

fn opening(person: serde_json::Value, mandate: &str) -> Opening {
    from(serde_json::json!({
        "person": person, "preference": preference(), "review_on": "2027-09-01", "mandate": mandate
    }))
}

fn known(birth: &str) -> serde_json::Value {
    serde_json::json!({"identity": {"first_name": "Élodie", "name": "Marchand",
        "contacts": [{"kind": "parent", "who": "Mme Marchand", "number": "06 12 34 56 78"}]},
        "birth_date": birth})
}

pub(crate) fn leisure(text: &str) -> ItemInput {
    from(serde_json::json!({"label": text,
        "content": {"category": "leisure", "fact": text, "source": "observed"}}))
}

fn code<T>(result: Result<T, ServiceError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(ServiceError::AbsentOrRefused) => "absent",
        Err(ServiceError::Explained(_)) => "explained",
        Err(ServiceError::Invalid(e)) => e.iter().next().unwrap().error.code(),
        Err(ServiceError::Rule { code, .. }) => code,
        Err(ServiceError::PreconditionFailed) => "precondition",
        Err(ServiceError::Unauthenticated) => "unauthenticated",
        Err(e) => panic!("{e}"),
    }
}

/// A pathway with helpers that write what other services write.
pub(crate) struct Case {
    pub(crate) t: Territory,
    pub(crate) id: PathwayId,
}

/// Who reads, for which subjects, which words.
pub(crate) struct Named<'a> {
    who: &'a str,
    categories: &'a [Category],
    shown: &'a [(ItemVersionId, Category)],
}

pub(crate) const fn to<'a>(who: &'a str, categories: &'a [Category]) -> Named<'a> {
    Named { who, categories, shown: &[] }
}

impl Case {
    /// Opened by the référente for an adult, who signs alone.
    pub(crate) fn new() -> Self {
        Self::born("2008-05-10")
    }

    fn born(birth: &str) -> Self {
        let t = Territory::new();
        let made = t.app.pathway_open(&t.call("referente"), &opening(known(birth), "contractual")).unwrap();
        let id = PathwayId::parse(&made.id).unwrap();
        Self { t, id }
    }

    /// Sixteen, with a mother who signs too.
    fn minor() -> Self {
        let case = Self::born("2010-05-10");
        let mother: HolderInput =
            from(serde_json::json!({"capacity": "parent", "from": "2010-05-10", "name": "Mme Marchand"}));
        case.t.app.holder_add(&case.t.call("referente"), &case.id, &mother).unwrap();
        case
    }

    pub(crate) fn facts(&self) -> crate::access::facts::PathwayFacts {
        self.t.app.store().snapshot().unwrap().pathway_facts(&self.id).unwrap().unwrap()
    }

    fn put<F: serde::Serialize>(&self, kind: FactKind, id: &str, by: &str, facts: &F) {
        let mut snapshot = self.t.app.store().snapshot().unwrap();
        let key = snapshot.key_of(&KeyOwner::Pathway(self.id.clone())).unwrap().unwrap();
        drop(snapshot);
        let by = &self.t.person(by).assignment;
        let now = self.t.clock.now();
        let fact = Pen { key: &key, chance: self.t.app.chance(), pathway: &self.id, at: now, by }
            .facts(RowAt::first(kind, id), facts)
            .unwrap();
        let pathway = self.id.clone();
        self.t.write(move |tx, _| {
            tx.fact_insert(&fact)?;
            tx.pathway_touch(&pathway)
        });
    }

    fn event(&self, accord: &AccordId, seq: u32, kind: EventKind) {
        let event = Event::new(self.t.clock.now(), seq, kind).unwrap();
        let body = EventBody { sheet: Sheet::Accord(accord.clone()), event };
        let id = FactId::random(self.t.app.chance()).unwrap();
        self.put(FactKind::AccordEvent, id.as_str(), "referente", &body);
    }

    /// The family signs an accord collected by the référente: the young person and every holder, on paper.
    pub(crate) fn agree(&self, purpose: Purpose, named: &[Named<'_>]) -> AccordId {
        let chance = self.t.app.chance();
        let today = self.t.clock.now().paris_day();
        let id = AccordId::random(chance).unwrap();
        let collector = self.t.person("referente");
        let key = |p: &super::testing::Person| crate::domain::accord::RecipientKey {
            organisation: p.organisation.clone(),
            profession: p.profession,
            mission: p.mission.clone(),
        };
        let lines: Vec<Line> = named
            .iter()
            .map(|n| Line {
                id: AccordLineId::random(chance).unwrap(),
                recipient: key(self.t.person(n.who)),
                only_assignment: None,
                kind: LineKind::Recipient,
                categories: n.categories.iter().copied().collect(),
                shown: n
                    .shown
                    .iter()
                    .map(|(version, category)| ShownVersion { version: version.clone(), category: *category })
                    .collect(),
                services: Default::default(),
            })
            .collect();
        let ids = lines.iter().map(|l| l.id.clone()).collect::<std::collections::BTreeSet<_>>();
        let draft = AccordDraft {
            id: id.clone(),
            purpose,
            starts: today,
            ends: crate::clock::plus_months(today, 12).unwrap(),
            language: Language::parse("fr").unwrap(),
            interpreter: None,
            collected_by: collector.assignment.clone(),
            collector: key(collector),
            notice: NoticeMark::new("2027-1", &"ab".repeat(32)).unwrap(),
            lines,
            replaces: None,
        };
        self.put(FactKind::Accord, id.as_str(), "referente", &AccordFacts::try_from(draft).unwrap());
        let mut seq = 0;
        let mut next = |kind| {
            self.event(&id, seq, kind);
            seq += 1;
        };
        next(EventKind::Opinion { opinion: Opinion::Favourable, on: today });
        let holders =
            self.facts().holders.iter().map(|h| Signatory::Holder(h.id().clone())).collect::<Vec<_>>();
        for by in std::iter::once(Signatory::YoungPerson).chain(holders) {
            next(EventKind::Signed(Signed {
                by,
                how: How::Paper { original_at: Reference::new("classeur 3").unwrap() },
                verified: Verification::Known,
                lines: ids.clone(),
                on: today,
            }));
        }
        id
    }

    fn withdraw(&self, accord: &AccordId) {
        self.event(accord, 90, EventKind::Withdrawn { by: Signatory::YoungPerson, scope: Scope::Sheet });
    }

    fn invite_as(&self, by: &str, who: &str, mandate: Mandate, role: Role) -> Result<Created, ServiceError> {
        let until = (role == Role::StayOrganiser).then(|| day(2027, 7, 20));
        let assignment = self.t.person(who).assignment.clone();
        let input = InviteInput { assignment, mandate, role, until };
        self.t.app.participation_invite(&self.t.call(by), &self.id, &input)
    }

    /// Invited by the référente, and accepted.
    pub(crate) fn join(&self, who: &str, mandate: Mandate, role: Role) -> ParticipationId {
        let made = self.invite_as("referente", who, mandate, role).unwrap();
        let id = ParticipationId::parse(&made.id).unwrap();
        self.t.app.participation_accept(&self.t.call(who), &id).unwrap();
        id
    }

    fn place(&self, who: &str) -> ParticipationId {
        let facts = self.facts();
        let assignment = &self.t.person(who).assignment;
        facts.participation_of(assignment, self.t.clock.now()).unwrap().id.clone()
    }

    pub(crate) fn share(
        &self,
        sharer: &str,
        with: &str,
        purpose: Purpose,
        versions: &[ItemVersionId],
    ) -> ShareId {
        let id = ShareId::random(self.t.app.chance()).unwrap();
        let now = self.t.clock.now();
        let body = ShareBody {
            sharer: self.place(sharer),
            purpose,
            starts: now,
            ends: now.plus_seconds(100 * 86_400),
            ended_at: None,
            category: None,
            versions: versions.to_vec(),
            recipients: vec![crate::access::facts::ShareRecipient {
                participation: self.place(with),
                statute: None,
                ended_at: None,
            }],
            handover: None,
            departure: None,
        };
        self.put(FactKind::Share, id.as_str(), sharer, &body);
        id
    }

    pub(crate) fn write(&self, who: &str, input: &ItemInput) -> (ItemId, ItemVersionId) {
        let made = self.t.app.item_write(&self.t.call(who), &self.id, input).unwrap();
        let id = ItemId::parse(&made.id).unwrap();
        let version = self.facts().item(&id).unwrap().current().unwrap().id.clone();
        (id, version)
    }

    fn items(&self, who: &str, purpose: Option<Purpose>) -> Vec<ItemView> {
        let query = ItemsQuery { purpose, ..ItemsQuery::default() };
        self.t.app.items(&self.t.call(who), &self.id, query).unwrap().into_inner().items
    }

    fn circle(&self, who: &str) -> Vec<String> {
        let seen = self.t.app.circle(&self.t.call(who), &self.id).unwrap().into_inner();
        seen.items.into_iter().map(|p| p.who.name.trim_start_matches("Prénom ").to_owned()).collect()
    }

    /// Everything that the API says to somebody about this pathway, as one text.
    fn all_that_is_said_to(&self, who: &str) -> String {
        let call = || self.t.call(who);
        let mut said = String::new();
        let mut add = |part: serde_json::Value| said.push_str(&part.to_string());
        add(serde_json::to_value(&*self.t.app.pathways(&call(), None).unwrap()).unwrap());
        add(serde_json::to_value(&*self.t.app.pathway(&call(), &self.id).unwrap()).unwrap());
        for purpose in std::iter::once(None).chain(Purpose::ALL.iter().copied().map(Some)) {
            let query = ItemsQuery { purpose, ..ItemsQuery::default() };
            add(serde_json::to_value(&*self.t.app.items(&call(), &self.id, query).unwrap()).unwrap());
        }
        if let Ok(circle) = self.t.app.circle(&call(), &self.id) {
            add(serde_json::to_value(&*circle).unwrap());
        }
        if let Ok(lines) = self.t.app.chronology(&call(), &self.id, None) {
            add(serde_json::to_value(&*lines).unwrap());
        }
        said
    }
}

#[test]
fn who_opens_is_the_referent_and_reads_the_name() {
    let case = Case::new();
    let call = || case.t.call("referente");
    let list = case.t.app.pathways(&call(), None).unwrap().into_inner();
    assert_eq!((list.items.len(), list.next), (1, None));
    assert_eq!(list.items[0].name, "Élodie Marchand");
    assert_eq!((list.items[0].role, list.items[0].step), (Role::Referent, Some(Step::Spotting)));
    let view = case.t.app.pathway(&call(), &case.id).unwrap().into_inner();
    assert!(view.me.me && view.circle.len() == 1 && view.doors.is_empty());
    assert_eq!(view.person.unwrap().birth_date.as_deref(), Some("2008-05-10"));
    assert_eq!(view.referent.unwrap().telephone, "0601020304");
    let wishes = case.t.app.preferences(&call(), &case.id).unwrap().into_inner();
    assert_eq!(wishes.items[0].wish.as_ref().unwrap().as_str(), "Je veux bien avec elle");
    // Nobody else, whatever the organisation, learns of it.
    for other in ["pre_manager", "director", "teacher", "administrator", "outsider", "referent_contested"] {
        assert_eq!(code(case.t.app.pathway(&case.t.call(other), &case.id)), "absent", "{other}");
        assert!(case.t.app.pathways(&case.t.call(other), None).unwrap().items.is_empty(), "{other}");
    }
}

#[test]
fn s11_a_hidden_existence_and_a_platform_function_cannot_open() {
    let t = Territory::new();
    let open = |who: &str, mandate: &str| {
        code(t.app.pathway_open(&t.call(who), &opening(known("2012-01-01"), mandate)))
    };
    assert_eq!(open("aemo", "contractual"), "cannot_be_referent");
    assert_eq!(open("prevention", "judicial"), "cannot_be_referent");
    assert_eq!(open("director", "contractual"), "cannot_be_referent");
    assert_eq!(open("administrator", "contractual"), "absent");
    assert_eq!(open("pre_secretary", "contractual"), "absent");
    assert_eq!(open("prevention", "territorial"), "ok");
}

#[test]
fn r03_steps_follow_one_another() {
    let case = Case::new();
    let step = |step| {
        let input = CourseInput { step, review_on: day(2027, 10, 1) };
        code(case.t.app.course_set(&case.t.call("referente"), &case.id, input))
    };
    assert_eq!(step(Step::Accompaniment), "step_order");
    assert_eq!(step(Step::Contact), "ok");
    assert_eq!(step(Step::Spotting), "step_order");
    assert_eq!(step(Step::Contact), "ok");
    let late = CourseInput { step: Step::Contact, review_on: day(2028, 6, 1) };
    assert_eq!(code(case.t.app.course_set(&case.t.call("referente"), &case.id, late)), "review_date");
    let lines = case.t.app.chronology(&case.t.call("referente"), &case.id, None).unwrap().into_inner().items;
    let steps: Vec<_> = lines.iter().filter(|l| l.what == Happened::Step).map(|l| l.step).collect();
    assert_eq!(steps, [Some(Step::Contact)]);
    assert!(lines.iter().any(|l| l.what == Happened::Opened));
}

#[test]
fn s15_a_nickname_becomes_a_name_only_by_the_young_persons_own_act() {
    let t = Territory::new();
    let nick = serde_json::json!({"nickname": "Zizou"});
    let made = t.app.pathway_open(&t.call("prevention"), &opening(nick, "territorial")).unwrap();
    let id = PathwayId::parse(&made.id).unwrap();
    let call = || t.call("prevention");
    assert_eq!(t.app.pathways(&call(), None).unwrap().items[0].name, "Zizou");
    let teacher = t.person("teacher").assignment.clone();
    let invite = InviteInput {
        assignment: teacher,
        mandate: Mandate::Contractual,
        role: Role::Participant,
        until: None,
    };
    assert_eq!(code(t.app.participation_invite(&call(), &id, &invite)), "nickname_only");
    let mother: HolderInput =
        from(serde_json::json!({"capacity": "parent", "from": "2012-01-01", "name": "Mme X"}));
    assert_eq!(code(t.app.holder_add(&call(), &id, &mother)), "nickname_only");
    let named = |own: bool| -> IdentityInput {
        let identity = serde_json::json!({"first_name": "Zinédine", "name": "Y"});
        from(serde_json::json!({"version": 1, "identity": identity, "given_by_young_person": own}))
    };
    assert_eq!(code(t.app.identity_set(&call(), &id, &named(false))), "own_act_needed");
    assert_eq!(code(t.app.identity_set(&call(), &id, &named(true))), "ok");
    let view = t.app.pathway(&call(), &id).unwrap().into_inner();
    assert_eq!(view.name, "Zinédine Y");
    assert_eq!(view.person.unwrap().birth_date, None);
    assert_eq!(
        code(t.app.emancipation_set(&call(), &id, EmancipationInput { on: day(2027, 1, 1) })),
        "birth_date_needed"
    );
    let both = serde_json::json!({"nickname": "Z", "identity": {"first_name": "a", "name": "b"}});
    assert_eq!(code(t.app.pathway_open(&call(), &opening(both, "territorial"))), "unknown_field");
}

#[test]
fn words_survive_an_amendment_of_facts() {
    let case = Case::born("2010-05-10");
    let call = || case.t.call("referente");
    let input = EmancipationInput { on: day(2026, 6, 1) };
    case.t.app.emancipation_set(&call(), &case.id, input).unwrap();
    let view = case.t.app.pathway(&call(), &case.id).unwrap().into_inner();
    assert_eq!(view.name, "Élodie Marchand");
    assert_eq!(view.person.unwrap().emancipated_on.as_deref(), Some("2026-06-01"));
    let early = EmancipationInput { on: day(2026, 1, 1) };
    assert_eq!(code(case.t.app.emancipation_set(&call(), &case.id, early)), "emancipation_too_early");
}

#[test]
fn the_end_of_a_place_and_of_a_pathway_counts_on_the_next_request() {
    let case = Case::new();
    let app = &case.t.app;
    case.agree(Purpose::Coordination, &[to("prevention", &[Category::Leisure]), to("teacher", &[])]);
    let street = case.join("prevention", Mandate::Contractual, Role::Participant);
    case.join("teacher", Mandate::Contractual, Role::Participant);
    let (_, version) = case.write("referente", &leisure("Judo"));
    let share = case.share("referente", "prevention", Purpose::Coordination, &[version]);
    assert_eq!(case.items("prevention", None).len(), 1);
    let end = |who: &str, id: &ParticipationId| code(app.participation_end(&case.t.call(who), id));
    assert_eq!(end("teacher", &street), "absent");
    assert_eq!(end("referente", &case.place("referente")), "referent_first");
    assert_eq!(end("outsider", &street), "absent");
    assert_eq!(end("prevention_manager", &street), "ok");
    assert_eq!(code(app.pathway(&case.t.call("prevention"), &case.id)), "absent");
    let ended = case.facts().shares.iter().find(|s| s.id == share).unwrap().recipients[0].ended_at;
    assert!(ended.is_some());
    let closing = ClosingInput { reason: ClosingReason::Achieved, words: None };
    assert_eq!(code(app.pathway_close(&case.t.call("teacher"), &case.id, &closing)), "absent");
    assert_eq!(code(app.pathway_close(&case.t.call("referente"), &case.id, &closing)), "ok");
    assert_eq!(code(app.pathway(&case.t.call("teacher"), &case.id)), "absent");
    assert!(case.facts().shares.iter().all(|s| s.ended_at.is_some()));
    // The référent's own stay readable; nothing more is written.
    assert_eq!(case.items("referente", None).len(), 1);
    assert_eq!(
        code(app.item_write(&case.t.call("referente"), &case.id, &leisure("Encore"))),
        "pathway_closed"
    );
    assert_eq!(
        code(case.invite_as("referente", "teacher", Mandate::Contractual, Role::Participant)),
        "pathway_closed"
    );
}

#[test]
fn r28_another_referent_comes_with_the_young_persons_preference() {
    let case = Case::new();
    let app = &case.t.app;
    case.agree(Purpose::Coordination, &[to("prevention", &[Category::Leisure])]);
    let street = case.join("prevention", Mandate::Contractual, Role::Participant);
    let input = ReferentInput { participation: street.clone(), preference: from(preference()) };
    assert_eq!(code(app.referent_name(&case.t.call("prevention"), &case.id, &input)), "absent");
    assert_eq!(code(app.referent_name(&case.t.call("referente"), &case.id, &input)), "ok");
    assert_eq!(case.facts().referent(case.t.clock.now()).unwrap().id, street);
    assert_eq!(app.preferences(&case.t.call("prevention"), &case.id).unwrap().items.len(), 2);
    assert_eq!(code(app.preferences(&case.t.call("referente"), &case.id)), "absent");
}

#[test]
fn a_replayed_opening_opens_once() {
    let t = Territory::new();
    let mut call = t.call("referente");
    call.idempotency = Some(super::Idempotency { key: "une-fois".to_owned(), body: b"{}".to_vec() });
    let first = t.app.pathway_open(&call, &opening(known("2012-01-01"), "contractual")).unwrap();
    let again = t.app.pathway_open(&call, &opening(known("2012-01-01"), "contractual")).unwrap();
    assert_eq!((again.id.as_str(), again.replayed), (first.id.as_str(), true));
    assert_eq!(t.app.pathways(&t.call("referente"), None).unwrap().items.len(), 1);
}

#[test]
fn one_record_for_each_pathway_touched() {
    let t = Territory::new();
    for _ in 0..3 {
        t.app.pathway_open(&t.call("referente"), &opening(known("2012-01-01"), "contractual")).unwrap();
    }
    let size = || t.app.lane().stats().records;
    let before = size();
    assert_eq!(t.app.pathways(&t.call("referente"), None).unwrap().items.len(), 3);
    assert_eq!(size() - before, 3);
    assert!(t.app.pathways(&t.call("outsider"), None).unwrap().items.is_empty());
    assert_eq!(size() - before, 4);
}
