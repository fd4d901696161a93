//! Two persons for one name: each rule, and each way round it.

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::crypto::keyring::KeyOwner;
use crate::crypto::token::SessionToken;
use crate::domain::record::{RetentionClass, ReviewOutcome};
use crate::domain::vocabulary::{Category, Function, Mandate, Purpose, Role, Secrecy};
use crate::ids::{MissionId, RequestId, SessionId};
use crate::service::auditing::{RecordLine, RecordSearch, ReviewInput};
use crate::service::flow::Idempotency;
use crate::service::pathway_tests::{Case, leisure, to};
use crate::store::account::Session;
use crate::store::organisation::NewAssignment;

const SEARCH: Act = Act { action: Action::Search, resource: ResourceKind::AuditLog };
const ASK: Act = Act { action: Action::Create, resource: ResourceKind::Reidentification };
const LIST: Act = Act { action: Action::List, resource: ResourceKind::Reidentification };
const READ: Act = Act { action: Action::Read, resource: ResourceKind::Reidentification };
const DAY: i64 = 24 * 3600;

fn code<T>(result: Result<T, ServiceError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(ServiceError::AbsentOrRefused) => "absent",
        Err(ServiceError::Unauthenticated) => "unauthenticated",
        Err(ServiceError::Rule { code, .. }) => code,
        Err(e) => panic!("{e}"),
    }
}

fn found(case: &Case, search: &RecordSearch) -> RecordLine {
    case.t.app.audit_search(&case.t.call("auditor"), SEARCH, search).unwrap().into_inner().items.remove(0)
}

/// The référente's opening of the pathway, whose record bears both pseudonyms.
fn opened(case: &Case) -> u64 {
    let search = RecordSearch {
        profession: Some(Profession::ReferentPre),
        action: Some(Action::Create),
        resource: Some(ResourceKind::Pathway),
        ..RecordSearch::default()
    };
    let line = found(case, &search);
    assert!(line.actor.is_some() && line.pathway.is_some(), "{line:?}");
    line.index
}

fn input(of: PseudonymOf) -> ReidentificationInput {
    ReidentificationInput {
        of,
        motive: ReidentificationMotive::IrregularAccess,
        reason: Paragraph::parse("Lectures de nuit.").unwrap(),
    }
}

fn asked(case: &Case, who: &str, index: u64, of: PseudonymOf) -> ReidentificationId {
    let made = case.t.app.reidentification_ask(&case.t.call(who), ASK, index, &input(of)).unwrap();
    ReidentificationId::parse(&made.id).unwrap()
}

fn says(case: &Case, call: &Call, id: &ReidentificationId, outcome: SecondOpinion) -> &'static str {
    let input = SecondOpinionInput { outcome, remark: Paragraph::parse("Le motif tient.").unwrap() };
    code(case.t.app.reidentification_decide(call, id, &input))
}

fn confirms(case: &Case, who: &str, id: &ReidentificationId) -> &'static str {
    says(case, &case.t.call(who), id, SecondOpinion::Confirmed)
}

fn reads(case: &Case, who: &str, id: &ReidentificationId) -> &'static str {
    code(case.t.app.reidentification_read(&case.t.call(who), READ, id))
}

fn listed(case: &Case, call: &Call) -> Vec<ReidentificationView> {
    case.t.app.reidentifications(call, LIST).unwrap().into_inner().items
}

fn records(case: &Case) -> u64 {
    case.t.app.store().snapshot().unwrap().log_frontier().unwrap().size()
}

fn later(case: &Case, seconds: i64) {
    case.t.clock.set(case.t.clock.now().plus_seconds(seconds));
    case.t.keep_sessions();
}

/// Somebody of the territory, signed in under one more affectation.
fn also(case: &Case, who: &str, profession: Profession) -> Call {
    let (t, person) = (&case.t, case.t.person(who).clone());
    let (chance, now) = (t.app.chance(), t.clock.now());
    let assignment = AssignmentId::random(chance).unwrap();
    let row = NewAssignment {
        id: assignment.clone(),
        professional: person.professional.clone(),
        organisation: person.organisation,
        mission: MissionId::random(chance).unwrap(),
        profession,
        function: Function::Practitioner,
        secrecy: Secrecy::Bound,
        secrecy_basis: "CASF L221-6".to_owned(),
        secrecy_until: None,
        starts_at: now,
        ends_at: None,
        stated_by: None,
        confirmed_by: Some(t.person("administrator").professional.clone()),
        created_at: now,
    };
    let token = SessionToken::generate(chance).unwrap();
    let token = t.app.store().instance_keys().session_hash(&token);
    let session = Session {
        id: SessionId::random(chance).unwrap(),
        version: 1,
        professional: person.professional,
        assignment: Some(assignment),
        created_at: now,
        seen_at: now,
        expires_at: Timestamp::MAX,
        ended_at: None,
    };
    let hash = token.clone();
    t.write(move |tx, _| {
        tx.assignment_insert(&row)?;
        tx.session_insert(&session, &hash)
    });
    Call { request: RequestId::random(chance).unwrap(), token, assignment: None, idempotency: None }
}

fn ends(case: &Case, who: &str) {
    let id = case.t.person(who).assignment.clone();
    let version =
        case.t.app.store().snapshot().unwrap().assignment_fetch(&id).unwrap().unwrap().facts.version;
    case.t.write(move |tx, at| tx.assignment_end(&id, version, at));
}

#[test]
fn s4_one_asks_another_confirms_the_first_reads_and_each_of_the_three_has_its_record() {
    let case = Case::new();
    let index = opened(&case);
    let before = records(&case);
    let id = asked(&case, "auditor", index, PseudonymOf::Actor);
    assert_eq!(confirms(&case, "officer", &id), "ok");
    let answer = case.t.app.reidentification_read(&case.t.call("auditor"), READ, &id).unwrap();
    let Identity::Actor { name, organisation, profession } = answer.into_inner() else { panic!("an actor") };
    assert_eq!(name, "Prénom referente");
    assert_eq!(organisation.as_deref(), Some("Structure ville"));
    assert_eq!(profession, Some(Profession::ReferentPre));
    assert_eq!(records(&case), before + 3);
    for (action, profession) in [
        (Action::Create, Profession::Auditor),
        (Action::Confirm, Profession::DataProtectionOfficer),
        (Action::Read, Profession::Auditor),
    ] {
        let search = RecordSearch {
            action: Some(action),
            resource: Some(ResourceKind::Reidentification),
            ..RecordSearch::default()
        };
        let line = found(&case, &search);
        assert_eq!(line.profession, Some(profession));
        assert!(!line.sentence.contains("Prénom"), "{}", line.sentence);
    }
    let list = listed(&case, &case.t.call("auditor"));
    let [one] = list.as_slice() else { panic!("{list:?}") };
    assert!(one.mine && one.state == ReidentificationState::Read && !one.may_read, "{one:?}");
}

/// LAW: RGPD 5(1)c.
#[test]
fn law_rgpd_5_a_pathway_is_told_by_who_leads_it_and_never_by_the_young_persons_name() {
    let case = Case::new();
    let id = asked(&case, "auditor", opened(&case), PseudonymOf::Pathway);
    assert_eq!(confirms(&case, "second_auditor", &id), "ok", "another auditor may be second");
    let answer = case.t.app.reidentification_read(&case.t.call("auditor"), READ, &id).unwrap();
    let text = serde_json::to_string(&*answer).unwrap();
    for name in ["Élodie", "Marchand", case.id.as_str()] {
        assert!(!text.contains(name), "{text}");
    }
    let Identity::Pathway { organisation, referent, .. } = answer.into_inner() else { panic!("{text}") };
    let referent = referent.unwrap();
    assert_eq!(
        (organisation.as_str(), referent.name.as_str(), referent.telephone.as_str()),
        ("Structure ville", "Prénom referente", "0601020304")
    );
}

#[test]
fn threat_one_person_with_two_affectations_is_not_two() {
    let case = Case::new();
    let id = asked(&case, "auditor", opened(&case), PseudonymOf::Actor);
    assert_eq!(confirms(&case, "auditor", &id), "reidentification_own");
    let hat = also(&case, "auditor", Profession::DataProtectionOfficer);
    assert_eq!(says(&case, &hat, &id, SecondOpinion::Confirmed), "reidentification_own");
    assert!(listed(&case, &hat).iter().all(|r| !r.may_decide));
    assert_eq!(reads(&case, "auditor", &id), "reidentification_waiting");
}

#[test]
fn threat_whom_a_record_concerns_neither_knows_of_the_request_nor_decides_on_it() {
    let case = Case::new();
    let index = opened(&case);
    let id = asked(&case, "auditor", index, PseudonymOf::Pathway);
    // The référente is data protection officer as well; so is somebody who has a place on that pathway.
    let actor = also(&case, "referente", Profession::DataProtectionOfficer);
    case.agree(Purpose::Coordination, &[to("prevention", &[Category::Schooling])]);
    case.join("prevention", Mandate::Contractual, Role::Participant);
    let member = also(&case, "prevention", Profession::Auditor);
    for call in [&actor, &member] {
        assert!(listed(&case, call).is_empty());
        assert_eq!(says(&case, call, &id, SecondOpinion::Confirmed), "absent");
    }
    let own = case.t.app.reidentification_ask(&member, ASK, index, &input(PseudonymOf::Actor));
    assert_eq!(code(own), "reidentification_concerned");
    assert_eq!(listed(&case, &case.t.call("officer")).len(), 1);
}

#[test]
fn threat_a_request_sent_twice_is_one_request_one_decision_and_one_look() {
    let case = Case::new();
    let index = opened(&case);
    let app = &case.t.app;
    let under = |key: &str, who: &str| Call {
        idempotency: Some(Idempotency { key: key.to_owned(), body: Vec::new() }),
        ..case.t.call(who)
    };
    let ask = || app.reidentification_ask(&under("ask", "auditor"), ASK, index, &input(PseudonymOf::Actor));
    let (first, again) = (ask().unwrap(), ask().unwrap());
    assert!(first.id == again.id && !first.replayed && again.replayed);
    assert_eq!(listed(&case, &case.t.call("auditor")).len(), 1);
    let id = ReidentificationId::parse(&first.id).unwrap();
    for _ in 0..2 {
        assert_eq!(says(&case, &under("decide", "officer"), &id, SecondOpinion::Confirmed), "ok");
    }
    assert_eq!(reads(&case, "auditor", &id), "ok");
    // A look at an access of the night.
    let (item, _) = case.write("referente", &leisure("Un atelier"));
    case.t.clock.set(Timestamp::paris_midnight(case.t.clock.now().paris_day().succ_opt().unwrap()));
    case.t.keep_sessions();
    app.item(&case.t.call("referente"), &item, None).unwrap();
    let read = RecordSearch { action: Some(Action::Read), out_of_hours: true, ..RecordSearch::default() };
    let access = found(&case, &read).index;
    let look = || {
        let (outcome, remark) = (ReviewOutcome::Regular, Some(Paragraph::parse("Une garde.").unwrap()));
        let did = Act { action: Action::Confirm, resource: ResourceKind::AccessReview };
        app.audit_review(&under("look", "auditor"), did, access, &ReviewInput { outcome, remark }).unwrap()
    };
    let (first, again) = (look(), look());
    assert!(first.id == again.id && !first.replayed && again.replayed);
    let mut snapshot = app.store().snapshot().unwrap();
    let steps = snapshot.reidentification_fetch(app.store().instance_key(), &id).unwrap().unwrap();
    assert!(steps.read && steps.decision.is_some());
    drop(snapshot);
    // What the auditors wrote is what their records say, and each record that wrote says which row.
    let mut found = Vec::new();
    app.store().log_file().unwrap().reconcile(&mut |d| found.push(d), &mut |_| {}).unwrap();
    let theirs = ["access_review", "reidentification", "reidentification_step"];
    found.retain(|d| d.record.is_some() || d.rows.iter().any(|row| theirs.contains(&row.table)));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn threat_an_ended_or_other_affectation_is_no_second_person() {
    let case = Case::new();
    let index = opened(&case);
    let id = asked(&case, "auditor", index, PseudonymOf::Actor);
    for who in ["referente", "pre_manager", "administrator", "teacher"] {
        assert_eq!(confirms(&case, who, &id), "absent", "{who}");
        assert_eq!(reads(&case, who, &id), "absent", "{who}");
        assert_eq!(code(case.t.app.reidentifications(&case.t.call(who), LIST)), "absent", "{who}");
        let ask = case.t.app.reidentification_ask(&case.t.call(who), ASK, index, &input(PseudonymOf::Actor));
        assert_eq!(code(ask), "absent", "{who}");
    }
    // An officer decides, and does not ask.
    let officer = case.t.call("officer");
    let ask = case.t.app.reidentification_ask(&officer, ASK, index, &input(PseudonymOf::Actor));
    assert_eq!(code(ask), "absent");
    ends(&case, "officer");
    assert_eq!(confirms(&case, "officer", &id), "unauthenticated");
    assert_eq!(confirms(&case, "second_auditor", &id), "ok");
    ends(&case, "auditor");
    assert_eq!(reads(&case, "auditor", &id), "unauthenticated");
    // The same person under another affectation did not ask.
    let again = also(&case, "auditor", Profession::Auditor);
    assert_eq!(code(case.t.app.reidentification_read(&again, READ, &id)), "absent");
}

#[test]
fn threat_the_answer_is_read_once_by_who_asked_within_seven_days() {
    let case = Case::new();
    let index = opened(&case);
    let id = asked(&case, "auditor", index, PseudonymOf::Actor);
    let twice =
        case.t.app.reidentification_ask(&case.t.call("auditor"), ASK, index, &input(PseudonymOf::Actor));
    assert_eq!(code(twice), "reidentification_running");
    assert_eq!(confirms(&case, "officer", &id), "ok");
    assert_eq!(confirms(&case, "second_auditor", &id), "reidentification_decided");
    for other in ["second_auditor", "officer"] {
        assert_eq!(reads(&case, other, &id), "absent", "{other}");
    }
    // The same request sent twice is told nothing the second time.
    let key = Idempotency { key: "once".to_owned(), body: Vec::new() };
    let call = || Call { idempotency: Some(key.clone()), ..case.t.call("auditor") };
    assert_eq!(code(case.t.app.reidentification_read(&call(), READ, &id)), "ok");
    assert_eq!(code(case.t.app.reidentification_read(&call(), READ, &id)), "reidentification_read");
    assert_eq!(reads(&case, "auditor", &id), "reidentification_read");

    let late = asked(&case, "auditor", index, PseudonymOf::Actor);
    assert_eq!(confirms(&case, "officer", &late), "ok");
    later(&case, READING_DAYS * DAY + 60);
    assert_eq!(reads(&case, "auditor", &late), "reidentification_expired");

    let refused = asked(&case, "auditor", index, PseudonymOf::Actor);
    assert_eq!(says(&case, &case.t.call("officer"), &refused, SecondOpinion::Refused), "ok");
    assert_eq!(reads(&case, "auditor", &refused), "reidentification_refused");

    let forgotten = asked(&case, "auditor", index, PseudonymOf::Actor);
    later(&case, DECISION_DAYS * DAY + 60);
    assert_eq!(confirms(&case, "officer", &forgotten), "reidentification_lapsed");
}

#[test]
fn a_destroyed_key_tells_nobody_and_counts_as_no_reading() {
    let case = Case::new();
    let index = opened(&case);
    let id = asked(&case, "auditor", index, PseudonymOf::Actor);
    assert_eq!(confirms(&case, "officer", &id), "ok");
    let body =
        case.t.app.store().snapshot().unwrap().log_body(i64::try_from(index).unwrap()).unwrap().unwrap();
    let class = read_body(&body).unwrap().retention;
    assert!(RetentionClass::ALL.contains(&class));
    let owner = KeyOwner::Pseudonyms { class, year: 2027 };
    case.t.write(move |tx, at| tx.key_destroy(&owner, at));
    assert_eq!(reads(&case, "auditor", &id), "identity_gone");
    let list = listed(&case, &case.t.call("auditor"));
    assert!(list.iter().any(|r| r.id == id && r.state == ReidentificationState::Open), "{list:?}");
    let again =
        case.t.app.reidentification_ask(&case.t.call("auditor"), ASK, index, &input(PseudonymOf::Pathway));
    assert_eq!(code(again), "identity_gone");
}

#[test]
fn what_carries_no_such_pseudonym_has_nobody_to_find() {
    let case = Case::new();
    // The auditor looks once, which leaves a record of the auditor.
    opened(&case);
    let own =
        found(&case, &RecordSearch { profession: Some(Profession::Auditor), ..RecordSearch::default() });
    let ask = |who: &str, index, of| {
        code(case.t.app.reidentification_ask(&case.t.call(who), ASK, index, &input(of)))
    };
    assert_eq!(ask("second_auditor", own.index, PseudonymOf::Pathway), "no_such_pseudonym");
    assert_eq!(ask("auditor", own.index, PseudonymOf::Actor), "reidentification_concerned");
    assert_eq!(ask("auditor", u64::MAX, PseudonymOf::Actor), "absent");
    assert_eq!(ask("auditor", records(&case) + 100, PseudonymOf::Actor), "absent");
}
