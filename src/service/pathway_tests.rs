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
use crate::store::fact::{FactKind, NewFact};
use crate::store::pathway::{EventBody, ShareBody, Sheet};

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

fn leisure(text: &str) -> ItemInput {
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
        let fact =
            NewFact::seal(&key, self.t.app.chance(), &self.id, kind, id, 1, now, by, facts, None::<&()>)
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
        from(
            serde_json::json!({"identity": {"first_name": "Zinédine", "name": "Y"}, "given_by_young_person": own}),
        )
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
fn inviting_needs_an_accord_that_names_the_service() {
    let case = Case::new();
    let invite = |who| code(case.invite_as("referente", who, Mandate::Contractual, Role::Participant));
    assert_eq!(invite("teacher"), "accord_needed_to_invite");
    let accord = case.agree(Purpose::Coordination, &[to("teacher", &[Category::Identity])]);
    // Another mission of the same school is not the one that was named.
    assert_eq!(invite("nurse"), "accord_needed_to_invite");
    assert_eq!(invite("administrator"), "cannot_be_invited");
    assert_eq!(invite("auditor"), "cannot_be_invited");
    assert_eq!(
        code(case.invite_as("referente", "teacher", Mandate::Contractual, Role::StayOrganiser)),
        "stay_role"
    );
    assert_eq!(
        code(case.invite_as("referente", "teacher", Mandate::Contractual, Role::Referent)),
        "one_referent"
    );
    let place = case.join("teacher", Mandate::Contractual, Role::Participant);
    assert_eq!(invite("teacher"), "already_in_circle");
    assert_eq!(case.circle("teacher"), ["referente", "teacher"]);
    // A withdrawal counts on the next request.
    case.withdraw(&accord);
    assert_eq!(code(case.t.app.pathway(&case.t.call("teacher"), &case.id)), "absent");
    assert!(case.t.app.pathways(&case.t.call("teacher"), None).unwrap().items.is_empty());
    assert_eq!(code(case.t.app.participation_end(&case.t.call("referente"), &place)), "ok");
}

#[test]
fn an_invitation_tells_who_why_and_the_name_only_if_identity_is_covered() {
    let case = Case::new();
    case.agree(Purpose::Schooling, &[to("teacher", &[Category::Schooling])]);
    let made = case.invite_as("referente", "teacher", Mandate::Contractual, Role::Participant).unwrap();
    let id = ParticipationId::parse(&made.id).unwrap();
    let invitations = case.t.app.invitations(&case.t.call("teacher")).unwrap().into_inner().items;
    assert_eq!(invitations.len(), 1);
    assert_eq!(invitations[0].from.as_ref().unwrap().name, "Prénom referente");
    assert_eq!(invitations[0].purposes, [Purpose::Schooling]);
    // A teacher's cell for `identity` needs any accord.
    assert_eq!(invitations[0].name.as_deref(), Some("Élodie Marchand"));
    assert!(case.t.app.invitations(&case.t.call("nurse")).unwrap().items.is_empty());
    for other in ["nurse", "outsider", "referente"] {
        assert_eq!(code(case.t.app.participation_accept(&case.t.call(other), &id)), "absent", "{other}");
    }
    assert_eq!(code(case.t.app.pathway(&case.t.call("teacher"), &case.id)), "absent");
    assert_eq!(code(case.t.app.participation_decline(&case.t.call("teacher"), &id)), "ok");
    assert_eq!(code(case.t.app.participation_accept(&case.t.call("teacher"), &id)), "absent");
    let nowhere = ParticipationId::random(case.t.app.chance()).unwrap();
    assert_eq!(code(case.t.app.participation_accept(&case.t.call("teacher"), &nowhere)), "absent");
}

#[test]
fn without_identity_a_situation_has_a_number() {
    let case = Case::born("2012-05-10");
    let mother: HolderInput = from(
        serde_json::json!({"capacity": "parent", "from": "2012-05-10", "name": "Mme Marchand", "number": "0612345678"}),
    );
    case.t.app.holder_add(&case.t.call("referente"), &case.id, &mother).unwrap();
    let accord = case.agree(Purpose::Schooling, &[to("teacher", &[Category::Schooling])]);
    case.join("teacher", Mandate::Contractual, Role::ContributorOnly);
    assert_eq!(case.t.app.pathways(&case.t.call("teacher"), None).unwrap().items[0].name, "Élodie Marchand");
    let _ = accord;
    let found = |who: &str, text: &str| {
        let input: SearchInput = from(serde_json::json!({"text": text}));
        case.t.app.pathways_search(&case.t.call(who), &input).unwrap().items.len()
    };
    assert_eq!((found("referente", "elodie MARCH"), found("referente", "Durand")), (1, 0));
    assert_eq!(found("outsider", "elodie"), 0);
    // Holders are named to the référent; a parent elsewhere is « un parent ».
    let holders = case.t.app.holders(&case.t.call("referente"), &case.id).unwrap().into_inner();
    assert_eq!(holders.items[0].name.as_ref().unwrap().as_str(), "Mme Marchand");
    assert_eq!(code(case.t.app.holders(&case.t.call("teacher"), &case.id)), "absent");
}

#[test]
fn own_organisation_opens_nothing() {
    // The town runs both the PRE and the camp; the camp's director takes part for a stay, the PRE's colleague not.
    let case = Case::new();
    case.agree(Purpose::Stay, &[to("director", &[Category::Leisure])]);
    case.join("director", Mandate::Contractual, Role::StayOrganiser);
    let (item, _) = case.write("referente", &leisure("Nage bien"));
    assert!(case.items("director", None).is_empty());
    assert_eq!(code(case.t.app.item(&case.t.call("director"), &item, None)), "absent");
    assert_eq!(code(case.t.app.circle(&case.t.call("director"), &case.id)), "absent");
    assert_eq!(code(case.t.app.chronology(&case.t.call("director"), &case.id, None)), "absent");
    let page = case.t.app.pathway(&case.t.call("director"), &case.id).unwrap().into_inner();
    assert_eq!((page.step, page.review_on, page.circle.len()), (None, None, 0));
    assert_eq!(page.referent.unwrap().telephone, "0601020304");
    // Without an adult's accord for anything else, the nurse and the teacher of one school are two services.
    case.agree(Purpose::Schooling, &[to("teacher", &[Category::Leisure]), to("nurse", &[])]);
    case.join("teacher", Mandate::Contractual, Role::Participant);
    case.join("nurse", Mandate::Contractual, Role::Participant);
    let (nurses, _) = case.write(
        "nurse",
        &from(serde_json::json!({"label": "Asthme",
            "content": {"category": "health_minimal", "kind": "treatment", "what": "inhalateur",
                        "when": "avant le sport", "prescription_kept": "infirmerie"}})),
    );
    assert_eq!(code(case.t.app.item(&case.t.call("teacher"), &nurses, None)), "absent");
    assert_eq!(case.items("nurse", None).len(), 1);
    assert!(case.items("teacher", None).is_empty());
}

#[test]
fn s11_a_judicial_participation_is_invisible_to_teacher_and_director() {
    let case = Case::minor();
    case.agree(
        Purpose::Coordination,
        &[to("aemo", &[Category::Leisure]), to("teacher", &[Category::Leisure])],
    );
    case.agree(Purpose::Stay, &[to("director", &[Category::Leisure])]);
    case.join("teacher", Mandate::Contractual, Role::Participant);
    case.join("director", Mandate::Contractual, Role::StayOrganiser);
    let before = (case.all_that_is_said_to("teacher"), case.all_that_is_said_to("director"));
    let aemo = case.join("aemo", Mandate::Judicial, Role::Participant);
    case.write("aemo", &leisure("Aime le dessin"));
    // Byte for byte what they were told before it came.
    assert_eq!(case.all_that_is_said_to("teacher"), before.0);
    assert_eq!(case.all_that_is_said_to("director"), before.1);
    assert_eq!(case.circle("teacher"), ["referente", "teacher", "director"]);
    assert_eq!(case.circle("aemo"), ["referente", "teacher", "director", "aemo"]);
    // The référente invited it: she knows.
    assert_eq!(case.circle("referente"), ["referente", "teacher", "director", "aemo"]);
    // The teacher cannot end, name or give an action to what is not there.
    assert_eq!(code(case.t.app.participation_end(&case.t.call("teacher"), &aemo)), "absent");
    let action = ActionInput {
        category: Category::Leisure,
        what: from(serde_json::json!("Inscrire au dessin")),
        by_when: day(2027, 5, 1),
        who: aemo.clone(),
    };
    assert_eq!(code(case.t.app.action_propose(&case.t.call("teacher"), &case.id, &action)), "not_in_list");
    // Inviting it again succeeds exactly as for a newcomer.
    assert_eq!(code(case.invite_as("teacher", "aemo", Mandate::Contractual, Role::Participant)), "ok");
    assert_eq!(
        code(case.invite_as("referente", "aemo", Mandate::Judicial, Role::Participant)),
        "already_in_circle"
    );
    // And the hidden service does not invite somebody from whom it is hidden.
    case.agree(Purpose::Schooling, &[to("mission_locale", &[])]);
    assert_eq!(
        code(case.invite_as("aemo", "mission_locale", Mandate::Contractual, Role::Participant)),
        "hidden_inviter"
    );
    // It cannot become the référent either.
    let next = ReferentInput { participation: aemo, preference: from(preference()) };
    assert_eq!(
        code(case.t.app.referent_name(&case.t.call("referente"), &case.id, &next)),
        "cannot_be_referent"
    );
}

#[test]
fn law_375_no_judicial_measure_begins_after_majority() {
    let case = Case::new();
    case.agree(Purpose::Coordination, &[to("aemo", &[])]);
    let invite = |mandate| code(case.invite_as("referente", "aemo", mandate, Role::Participant));
    assert_eq!(invite(Mandate::Judicial), "measure_over");
    assert_eq!(invite(Mandate::Contractual), "ok");
}

#[test]
fn law_375_a_judicial_measure_ends_at_majority() {
    let case = Case::born("2009-06-01");
    let father: HolderInput =
        from(serde_json::json!({"capacity": "parent", "from": "2009-06-01", "name": "M. Marchand"}));
    case.t.app.holder_add(&case.t.call("referente"), &case.id, &father).unwrap();
    case.agree(Purpose::Coordination, &[to("aemo", &[Category::Leisure])]);
    let aemo = case.join("aemo", Mandate::Judicial, Role::Participant);
    assert_eq!(code(case.t.app.pathway(&case.t.call("aemo"), &case.id)), "ok");
    case.t.go_to(2027, 6, 1);

    let facts = case.facts();
    assert!(facts.participation(&aemo).unwrap().ended(case.t.clock.now()));
    assert_eq!(code(case.t.app.pathway(&case.t.call("aemo"), &case.id)), "absent");
}

#[test]
fn an_item_reaches_who_was_chosen_and_says_why() {
    let case = Case::new();
    case.agree(Purpose::Coordination, &[to("prevention", &[Category::Leisure])]);
    case.join("prevention", Mandate::Contractual, Role::Participant);
    let (item, version) = case.write("referente", &leisure("Judo le mardi"));
    assert!(case.items("prevention", Some(Purpose::Coordination)).is_empty());
    case.share("referente", "prevention", Purpose::Coordination, &[version]);
    let seen = case.items("prevention", None);
    assert_eq!((seen.len(), seen[0].label.as_str(), seen[0].own), (1, "Judo le mardi", false));
    assert_eq!(seen[0].author.as_ref().unwrap().name, "Prénom referente");
    assert!(seen[0].why.sentence.contains("avec l'accord signé le 2 mars 2027"), "{}", seen[0].why.sentence);
    assert!(case.items("prevention", Some(Purpose::Schooling)).is_empty());
    let doors = case.t.app.pathway(&case.t.call("prevention"), &case.id).unwrap().into_inner().doors;
    assert_eq!(doors.iter().map(|d| (d.purpose, d.items)).collect::<Vec<_>>(), [(Purpose::Coordination, 1)]);
    // A correction: its readers keep the version that they were given, marked.
    let revision: RevisionInput = from(serde_json::json!({"label": "Judo le jeudi",
        "content": {"category": "leisure", "fact": "Judo le jeudi", "source": "observed"}}));
    let app = &case.t.app;
    assert_eq!(
        code(app.item_revise(&case.t.call("prevention"), &item, Corrects::Number(1), &revision)),
        "absent"
    );
    let tag = app.tag(Some(&case.t.call("referente")), &item_stamp(&item, 1));
    app.item_revise(&case.t.call("referente"), &item, Corrects::Tag(&tag), &revision).unwrap();
    assert_eq!(
        code(app.item_revise(&case.t.call("referente"), &item, Corrects::Tag(&tag), &revision)),
        "precondition"
    );
    let old = app.item(&case.t.call("prevention"), &item, Some(Purpose::Coordination)).unwrap().into_inner();
    assert_eq!((old.label.as_str(), old.corrected_on.as_deref()), ("Judo le mardi", Some("2027-03-02")));
    let new = app.item(&case.t.call("referente"), &item, None).unwrap().into_inner();
    assert_eq!((new.label.as_str(), new.version, new.corrected_on), ("Judo le jeudi", 2, None));
    let lines = app.chronology(&case.t.call("prevention"), &case.id, None).unwrap().into_inner().items;
    assert!(lines.iter().any(|l| l.label.as_deref() == Some("Judo le mardi")));
    assert!(!lines.iter().any(|l| l.label.as_deref() == Some("Judo le jeudi")));
}

#[test]
fn r01_law_7_writing_is_in_ones_own_row_and_holds_no_nir() {
    let case = Case::minor();
    case.agree(Purpose::Schooling, &[to("teacher", &[]), to("aemo", &[])]);
    case.join("teacher", Mandate::Contractual, Role::ContributorOnly);
    case.join("aemo", Mandate::Judicial, Role::Participant);
    let write = |who: &str, content: serde_json::Value| {
        let input: ItemInput = from(serde_json::json!({"label": "Un fait", "content": content}));
        code(case.t.app.item_write(&case.t.call(who), &case.id, &input))
    };
    let fact =
        |category: &str| serde_json::json!({"category": category, "fact": "Un fait", "source": "observed"});
    assert_eq!(write("teacher", fact("leisure")), "ok", "contributor-only may write");
    assert_eq!(write("teacher", fact("family")), "category_not_yours");
    assert_eq!(write("teacher", fact("weather")), "not_in_list");
    assert_eq!(write("referente", serde_json::json!({"fact": "x", "source": "observed"})), "missing");
    let nir = serde_json::json!({"category": "leisure", "fact": "185057800608491", "source": "observed"});
    assert_eq!(write("referente", nir), "nir_like");
    let measure = serde_json::json!({"category": "judicial", "kind": "aemo", "service": "Sauvegarde", "contact": "0102030405"});
    assert_eq!(write("referente", measure), "judicial_mandate_needed");
    assert_eq!(write("nurse", fact("leisure")), "absent");
    let stay: ItemInput =
        from(serde_json::json!({"label": "Un fait", "content": fact("housing"), "for_stay": true}));
    assert_eq!(code(case.t.app.item_write(&case.t.call("referente"), &case.id, &stay)), "not_in_stay_pack");
    let warned: ItemInput = from(serde_json::json!({"label": "Schizophrénie", "content": fact("leisure")}));
    let check = case.t.app.item_check(&case.t.call("referente"), &case.id, &warned).unwrap().into_inner();
    assert_eq!(check.warnings.len(), 1);
    assert_eq!(case.facts().items.len(), 1, "what was refused or checked is not kept");
}

#[test]
fn a_refused_item_is_explained_to_its_author_alone() {
    let case = Case::new();
    let mut input = leisure("Un atelier");
    input.valid_until = Some(day(2027, 3, 10));
    let (item, _) = case.write("referente", &input);
    assert_eq!(code(case.t.app.item(&case.t.call("referente"), &item, None)), "ok");
    case.t.go_to(2027, 3, 11);
    assert_eq!(code(case.t.app.item(&case.t.call("referente"), &item, None)), "explained");
    assert_eq!(code(case.t.app.item(&case.t.call("outsider"), &item, None)), "absent");
}

#[test]
fn a_note_is_its_authors_own() {
    let case = Case::new();
    case.agree(Purpose::Coordination, &[to("prevention", &[])]);
    case.join("prevention", Mandate::Contractual, Role::Participant);
    let app = &case.t.app;
    let text = |t: &str| -> NoteInput { from(serde_json::json!({"text": t})) };
    let made = app.note_write(&case.t.call("referente"), &case.id, &text("À rappeler jeudi")).unwrap();
    let id = NoteId::parse(&made.id).unwrap();
    assert_eq!(app.notes(&case.t.call("referente"), &case.id).unwrap().items[0].text, "À rappeler jeudi");
    assert!(app.notes(&case.t.call("prevention"), &case.id).unwrap().items.is_empty());
    let change =
        |version| -> NoteChange { from(serde_json::json!({"version": version, "text": "Rappelé"})) };
    assert_eq!(code(app.note_change(&case.t.call("prevention"), &case.id, &id, &change(1))), "absent");
    assert_eq!(code(app.note_change(&case.t.call("referente"), &case.id, &id, &change(2))), "precondition");
    assert_eq!(code(app.note_change(&case.t.call("referente"), &case.id, &id, &change(1))), "ok");
    assert_eq!(app.notes(&case.t.call("referente"), &case.id).unwrap().items[0].text, "Rappelé");
    assert_eq!(code(app.notes(&case.t.call("outsider"), &case.id)), "absent");
}

#[test]
fn r05_no_action_begins_without_an_accord() {
    let case = Case::new();
    let app = &case.t.app;
    let action = ActionInput {
        category: Category::Leisure,
        what: from(serde_json::json!("Inscrire au judo")),
        by_when: day(2027, 4, 1),
        who: case.place("referente"),
    };
    let made = app.action_propose(&case.t.call("referente"), &case.id, &action).unwrap();
    let id = ItemId::parse(&made.id).unwrap();
    let go = |who: &str, state| code(app.action_progress(&case.t.call(who), &id, ProgressInput { state }));
    assert_eq!(go("referente", ActionState::Done), "action_order");
    assert_eq!(go("referente", ActionState::InProgress), "accord_needed_to_act");
    case.agree(Purpose::Stay, &[to("prevention", &[])]);
    assert_eq!(go("referente", ActionState::InProgress), "accord_needed_to_act");
    case.agree(Purpose::Coordination, &[to("prevention", &[])]);
    case.join("prevention", Mandate::Contractual, Role::Participant);
    assert_eq!(go("prevention", ActionState::InProgress), "absent");
    assert_eq!(go("referente", ActionState::InProgress), "ok");
    let seen = case.items("referente", None);
    let view = seen[0].action.as_ref().unwrap();
    assert_eq!((view.state, view.what.as_str()), (ActionState::InProgress, "Inscrire au judo"));
    assert_eq!(view.who.as_ref().unwrap().name, "Prénom referente");
    assert_eq!(go("referente", ActionState::Done), "ok");
    assert_eq!(go("referente", ActionState::Dropped), "action_order");
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
