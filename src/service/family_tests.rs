//! What a family says beside the sheet itself: on a closed pathway, twice, of one person, for several children.

use super::consent_fixture::{Family, act, code, date};
use super::*;
use crate::domain::accord::Opinion;
use crate::domain::day::Day;
use crate::domain::record::Action;
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::{Category, Mandate, Purpose, Role};
use crate::ids::*;

const COORDINATION: Purpose = Purpose::Coordination;

fn eleven() -> Family {
    Family::of(date(2015, 10, 10))
}

/// Coordination: the prevention educator reads on schooling, at level category.
fn schooling(family: &mut Family) -> (AccordId, ItemVersionId) {
    family.join("prevention", Mandate::Contractual, Role::Participant);
    let version = family.fact_item("referente", "schooling", "a repris le collège");
    let input = family.asks(COORDINATION, vec![family.line("prevention", &[Category::Schooling], &[])]);
    let accord = family.accord("referente", &input).unwrap();
    family.share("referente", COORDINATION, &[&version], "prevention", None);
    (accord, version)
}

/// Closes the pathway as its référente does.
fn close(f: &Family) {
    let input = pathways::ClosingInput { reason: pathways::ClosingReason::Achieved, words: None };
    f.t.app.pathway_close(&f.t.call("referente"), &f.pathway, &input).unwrap();
}

#[test]
fn a_closed_pathway_takes_no_more_accords_releases_or_signatures_and_still_hears_a_no() {
    let mut f = eleven();
    let (accord, version) = schooling(&mut f);
    let oral = Happening::Opinion(OpinionInput {
        opinion: Opinion::Favourable,
        on: Day::new(date(2027, 3, 2)).unwrap(),
    });
    close(&f);
    let input = f.asks(COORDINATION, vec![f.line("prevention", &[Category::Schooling], &[])]);
    assert_eq!(code(f.accord("referente", &input).unwrap_err()), "pathway_closed");
    let release = ReleaseInput {
        item_version: version,
        recipient: f.recipient("prevention"),
        purpose: COORDINATION,
        only_assignment: None,
    };
    let made = f.t.app.release_create(&f.t.call("referente"), act(Action::Create), &f.pathway, &release);
    assert_eq!(code(made.unwrap_err()), "pathway_closed");
    assert_eq!(code(f.signs("referente", &accord, f.mother()).unwrap_err()), "pathway_closed");
    for happening in [Happening::Printed, oral] {
        assert_eq!(code(f.happens("referente", &accord, &happening).unwrap_err()), "pathway_closed");
    }
    let asked = ImpossibilityInput {
        holder: f.father.clone(),
        motive: MotiveInput::Deceased,
        statement: Paragraph::parse("Décédé.").unwrap(),
    };
    let impossible =
        f.t.app.impossibility_request(&f.t.call("referente"), act(Action::Create), &f.pathway, &asked);
    assert_eq!(code(impossible.unwrap_err()), "pathway_closed");
    let no = || NoInput { by: f.mother(), line: None };
    for happening in [Happening::Refused(no()), Happening::Opposed(no()), Happening::Withdrawn(no())] {
        let heard = f.happens("referente", &accord, &happening);
        assert!(heard.is_ok(), "{happening:?}: {heard:?}");
    }
    f.withdraw("referente", f.mother(), ScopeInput::Everything {}).unwrap();
}

#[test]
fn a_withdrawal_that_is_sent_twice_is_answered_twice_and_recorded_once() {
    let mut f = eleven();
    let (accord, _) = schooling(&mut f);
    f.all_sign("referente", &accord);
    let call = |who: &str| Call {
        idempotency: Some(Idempotency { key: "retrait".to_owned(), body: b"{}".to_vec() }),
        ..f.t.call(who)
    };
    let input = WithdrawalInput {
        by: Said::Holder(f.mother.clone()),
        what: ScopeInput::Everything {},
        channel: Channel::Telephone,
    };
    let ask = |who: &str| f.t.app.withdrawal_record(&call(who), act(Action::Withdraw), &f.pathway, &input);
    let said = || {
        let facts = f.t.app.store().snapshot().unwrap().pathway_facts(&f.pathway).unwrap().unwrap();
        facts.standing.len()
    };
    let first = ask("referente").unwrap().into_inner();
    assert_eq!(said(), 1);
    f.t.clock.set(f.t.app.clock().now().plus_seconds(300));
    assert_eq!(ask("referente").unwrap().into_inner(), first);
    assert_eq!(said(), 1);
}

#[test]
fn who_closed_the_own_way_in_by_a_withdrawal_hears_that_it_is_recorded() {
    let mut f = eleven();
    let (accord, _) = schooling(&mut f);
    f.all_sign("referente", &accord);
    let mut call = f.t.call("prevention");
    call.idempotency = Some(Idempotency { key: "retrait".to_owned(), body: b"{}".to_vec() });
    let what = || ScopeInput::Everything {};
    let input = WithdrawalInput { by: Said::Parent, what: what(), channel: Channel::Telephone };
    let ask = |call: &Call| f.t.app.withdrawal_record(call, act(Action::Withdraw), &f.pathway, &input);
    ask(&call).unwrap();
    assert_eq!(code(ask(&call).err().unwrap()), "already_recorded");
    // Only under the key of what was done: anything else is as absent as to anybody.
    assert!(matches!(ask(&f.t.call("prevention")), Err(ServiceError::AbsentOrRefused)));
    call.idempotency = Some(Idempotency { key: "autre".to_owned(), body: b"{}".to_vec() });
    assert!(matches!(ask(&call), Err(ServiceError::AbsentOrRefused)));
}

#[test]
fn law_the_family_takes_back_what_one_person_reads_and_her_service_keeps_the_rest() {
    let mut f = eleven();
    let (accord, version) = schooling(&mut f);
    f.all_sign("referente", &accord);
    assert!(f.reads("prevention", &version, COORDINATION));
    let person =
        |f: &Family, name: &str| ScopeInput::Person { assignment: f.t.person(name).assignment.clone() };
    // Somebody else: nothing moves for her.
    f.withdraw("referente", f.mother(), person(&f, "mission_locale")).unwrap();
    assert!(f.reads("prevention", &version, COORDINATION));
    let unknown = f.withdraw("referente", f.mother(), person(&f, "administrator"));
    assert_eq!(code(unknown.unwrap_err()), "unknown_person");
    f.withdraw("referente", f.mother(), person(&f, "prevention")).unwrap();
    assert!(!f.reads("prevention", &version, COORDINATION));
}

#[test]
fn story_also_for_the_brothers_and_sisters_makes_one_accord_for_each_child() {
    let f = eleven();
    let second = f.sibling(date(2011, 10, 10));
    let elsewhere = PathwayId::random(f.t.app.chance()).unwrap();
    let ask = |pathways: Vec<PathwayId>| siblings::SiblingsInput {
        pathways,
        purpose: COORDINATION,
        starts: Day::new(date(2027, 3, 2)).unwrap(),
        ends: Day::new(date(2027, 12, 1)).unwrap(),
        language: "fr".to_owned(),
        interpreter: None,
        lines: vec![siblings::SiblingsLine {
            recipient: f.recipient("prevention"),
            kind: crate::domain::accord::LineKind::Recipient,
            only_assignment: None,
            categories: vec![Category::Schooling],
            names_services: Vec::new(),
        }],
    };
    let mut call = f.t.call("referente");
    call.idempotency = Some(Idempotency { key: "fratrie".to_owned(), body: b"{}".to_vec() });
    let asked = ask(vec![f.pathway.clone(), elsewhere.clone(), second.clone()]).checked().unwrap();
    let made = |call: &Call| f.t.app.accord_create_siblings(call, act(Action::Create), &asked).unwrap();
    let answers = made(&call);
    let of = |p: &PathwayId| answers.iter().find(|(q, _)| q == p).map(|(_, made)| made).unwrap();
    assert!(matches!(of(&elsewhere), Err(ServiceError::AbsentOrRefused)));
    let ids = [&f.pathway, &second].map(|p| AccordId::parse(&of(p).as_ref().unwrap().id).unwrap());
    assert_ne!(ids[0], ids[1]);
    for (pathway, id) in [&f.pathway, &second].into_iter().zip(&ids) {
        let facts = f.t.app.store().snapshot().unwrap().pathway_facts(pathway).unwrap().unwrap();
        let own: Vec<_> = facts.accords.iter().map(|a| a.facts().id().clone()).collect();
        assert_eq!(own, std::slice::from_ref(id), "one accord, in its own pathway");
    }
    // Sent again: the same two, not two more.
    for ((_, first), (_, again)) in answers.iter().zip(made(&call)) {
        match (first, again) {
            (Ok(first), Ok(again)) => assert!(again.replayed && again.id == first.id),
            (Err(_), Err(_)) => {}
            (first, again) => panic!("{first:?} then {again:?}"),
        }
    }
    // Somebody without a place collects for none of them.
    let none = f.t.app.accord_create_siblings(&f.t.call("outsider"), act(Action::Create), &asked).unwrap();
    assert!(none.iter().all(|(_, made)| matches!(made, Err(ServiceError::AbsentOrRefused))));
    assert!(ask(vec![f.pathway.clone()]).checked().is_err(), "one child is an ordinary accord");
    assert!(ask(vec![f.pathway.clone(), f.pathway.clone()]).checked().is_err());
}

/// The states of the sheets that this person finds in the list, and whether a line of *Aujourd'hui* waits for one.
fn validations(f: &Family, who: &str) -> Option<(Vec<AccordStanding>, Vec<String>)> {
    let act = Act { action: Action::List, resource: crate::domain::record::ResourceKind::Release };
    let items = match f.t.app.release_list(&f.t.call(who), act, &f.pathway) {
        Ok(list) => list.into_inner().items,
        Err(ServiceError::AbsentOrRefused) => return None,
        Err(e) => panic!("{e}"),
    };
    let today = f.t.app.today(&f.t.call(who)).unwrap().into_inner().waiting;
    let waits = today.into_iter().filter(|w| w.kind == today::Waiting::ReleaseAwaited);
    Some((items.iter().map(|r| r.state.code).collect(), waits.map(|w| w.sentence).collect()))
}

#[test]
fn the_sheets_that_validate_words_are_listed_to_who_prepared_them_and_to_nobody_else() {
    let mut f = eleven();
    let (accord, _) = schooling(&mut f);
    f.all_sign("referente", &accord);
    f.join("teacher", Mandate::Contractual, Role::Participant);
    let input = f.asks(COORDINATION, vec![f.line("teacher", &[Category::Leisure], &[])]);
    let accord = f.accord("referente", &input).unwrap();
    f.all_sign("referente", &accord);
    // Not the référente: somebody who collected no accord finds the holders who sign, too.
    let words = f.fact_item("prevention", "leisure", "inscrit au club");
    let ask = ReleaseInput {
        item_version: words.clone(),
        recipient: f.recipient("teacher"),
        purpose: COORDINATION,
        only_assignment: None,
    };
    let prepare = |f: &Family| {
        let made = f.t.app.release_create(&f.t.call("prevention"), act(Action::Create), &f.pathway, &ask);
        SheetId::Release(ReleaseId::parse(&made.unwrap().id).unwrap())
    };
    assert!(f.t.app.holders(&f.t.call("prevention"), &f.pathway).is_err(), "nothing to sign yet");
    let sheet = prepare(&f);
    assert_eq!(f.t.app.holders(&f.t.call("prevention"), &f.pathway).unwrap().items.len(), 2);
    let says = |f: &Family, happening: &Happening| {
        f.t.app.sheet_record(&f.t.call("prevention"), act(Action::Sign), &sheet, happening).unwrap()
    };
    let (states, waits) = validations(&f, "prevention").unwrap();
    assert_eq!(states, [AccordStanding::Draft]);
    assert!(waits[0].contains("personne n'a encore signé"), "{waits:?}");
    says(&f, &Happening::Printed);
    says(&f, &f.signature(f.mother(), Family::paper()));
    let (states, waits) = validations(&f, "prevention").unwrap();
    assert_eq!(states, [AccordStanding::PartlySigned]);
    assert!(waits[0].contains("des signatures manquent"), "{waits:?}");
    says(&f, &f.signature(f.father(), Family::paper()));
    let (states, waits) = validations(&f, "prevention").unwrap();
    assert_eq!((states.as_slice(), waits.as_slice()), ([AccordStanding::InForce].as_slice(), [].as_slice()));
    // A second sheet for the same words waits for nobody: they are validated.
    prepare(&f);
    let (states, waits) = validations(&f, "prevention").unwrap();
    assert_eq!(
        (states.as_slice(), waits.as_slice()),
        ([AccordStanding::InForce, AccordStanding::Draft].as_slice(), [].as_slice())
    );
    // The family takes it back: said as such, and the sheet that was never signed waits again.
    let no = Happening::Withdrawn(NoInput { by: f.father(), line: None });
    f.t.app.sheet_record(&f.t.call("prevention"), act(Action::Withdraw), &sheet, &no).unwrap();
    let (states, _) = validations(&f, "prevention").unwrap();
    assert_eq!(states[0], AccordStanding::Withdrawn);
    for other in ["referente", "teacher"] {
        assert_eq!(validations(&f, other), Some((vec![], vec![])), "{other}");
    }
    assert_eq!(validations(&f, "outsider"), None);
}
