//! The rules of consent, through the services and the next read.

use super::consent_fixture::{Family, act, code, date};
use super::*;
use crate::domain::accord::{EndsBy, Opinion};
use crate::domain::day::Day;
use crate::domain::record::Action;
use crate::domain::text::{Paragraph, Text};
use crate::domain::vocabulary::{Category, Mandate, Mode, Purpose, Role};
use crate::ids::*;

const COORDINATION: Purpose = Purpose::Coordination;

fn eleven() -> Family {
    Family::of(date(2015, 10, 10))
}

fn fifteen() -> Family {
    Family::of(date(2011, 10, 10))
}

/// A stay: the director reads the treatment, word for word.
fn stay(family: &mut Family) -> (AccordId, ItemVersionId) {
    family.join("director", Mandate::Contractual, Role::StayOrganiser);
    let version = family.treatment("referente");
    let input = family.asks(Purpose::Stay, vec![family.line("director", &[], &[&version])]);
    let accord = family.accord("referente", &input).unwrap();
    family.share("referente", Purpose::Stay, &[&version], "director", None);
    (accord, version)
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

/// Coordination: the prevention educator reads a treatment, level informed.
fn informed(family: &mut Family) -> (AccordId, ItemVersionId) {
    family.join("prevention", Mandate::Contractual, Role::Participant);
    let version = family.treatment("referente");
    let input = family.asks(COORDINATION, vec![family.line("prevention", &[], &[&version])]);
    let accord = family.accord("referente", &input).unwrap();
    family.share("referente", COORDINATION, &[&version], "prevention", None);
    (accord, version)
}

#[test]
fn the_notice_holds_the_exact_words_for_its_collector_alone_and_never_in_clear_on_disk() {
    let mut f = fifteen();
    let (accord, _) = stay(&mut f);
    let notice = |who: &str| f.t.app.accord_notice(&f.t.call(who), act(Action::Read), &accord);
    let view = notice("referente").unwrap();
    let text = view.text.as_ref().unwrap().as_str();
    for must in [
        "Mathis",
        "un comprimé CANARI",
        "à 20 h",
        "Mission sejours, Structure ville",
        "Pour préparer le séjour de Mathis.",
    ] {
        assert!(text.contains(must), "{must} in {text}");
    }
    assert_eq!(view.keyed_hash.len(), 64);
    assert_eq!(view.signing.len(), 1);
    assert!(view.signing[0].why.contains("De 15 à 17 ans"), "{}", view.signing[0].why);
    assert_eq!(view.to_be_told.len(), 2);
    for other in ["director", "pre_secretary", "pre_manager", "outsider", "auditor"] {
        assert!(matches!(notice(other), Err(ServiceError::AbsentOrRefused)), "{other}");
    }
    for file in std::fs::read_dir(f.t.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
        assert!(!holds(b"CANARI") && !holds("mot pour mot".as_bytes()) && !holds(b"Mathis"));
    }
}

#[test]
fn law_c_civ_414_what_is_signed_ahead_for_majority_is_not_told_to_the_parents() {
    // Seventeen years and ten months.
    let mut f = Family::of(date(2009, 5, 2));
    f.join("prevention", Mandate::Contractual, Role::Participant);
    let now = f.asks(COORDINATION, vec![f.line("prevention", &[Category::Schooling], &[])]);
    let ahead = AccordInput { starts: Day::new(date(2027, 5, 2)).unwrap(), ..now.clone() };
    let notice = |input: &AccordInput| {
        let call = f.t.call("referente");
        f.t.app.accord_preview(&call, &f.pathway, input).unwrap().into_inner()
    };
    let today = notice(&now);
    assert!(today.signing[0].why.contains("De 15 à 17 ans") && today.to_be_told.len() == 2);
    let later = notice(&ahead);
    assert!(later.signing[0].any_of.is_empty(), "alone");
    assert!(later.signing[0].why.contains("le jeune le signe seul"), "{}", later.signing[0].why);
    assert!(later.to_be_told.is_empty(), "an adult's accord is not the parents' to oppose");
}

#[test]
fn words_are_shown_only_by_somebody_who_may_read_them() {
    let mut f = eleven();
    let (accord, _) = schooling(&mut f);
    f.all_sign("referente", &accord);
    let secret = f.treatment("referente");
    let input = f.asks(Purpose::Stay, vec![f.line("director", &[], &[&secret])]);
    assert!(matches!(f.accord("prevention", &input), Err(ServiceError::AbsentOrRefused)));
    assert!(f.accord("referente", &input).is_ok());
}

#[test]
fn law_from_fifteen_the_young_person_signs_too() {
    let mut f = fifteen();
    let (accord, version) = stay(&mut f);
    assert!(!f.reads("director", &version, Purpose::Stay));
    f.signs("referente", &accord, f.mother()).unwrap();
    assert_eq!(f.state("referente", &accord), Some(AccordStanding::PartlySigned));
    assert!(!f.reads("director", &version, Purpose::Stay));
    f.signs("pre_secretary", &accord, Said::YoungPerson).unwrap();
    assert_eq!(f.state("referente", &accord), Some(AccordStanding::InForce));
    // LAW: one parent is enough for a stay (C. civ. 372-2).
    assert!(f.reads("director", &version, Purpose::Stay));
    assert!(!f.reads("director", &version, COORDINATION), "for no other purpose");
}

#[test]
fn law_exact_words_outside_a_stay_need_both_parents() {
    let mut f = eleven();
    let (accord, version) = informed(&mut f);
    f.signs("referente", &accord, f.mother()).unwrap();
    assert!(!f.reads("prevention", &version, COORDINATION));
    f.signs("referente", &accord, f.father()).unwrap();
    assert!(f.reads("prevention", &version, COORDINATION));
}

#[test]
fn law_an_impossibility_decided_by_a_second_person_leaves_one_parent() {
    let mut f = eleven();
    let (accord, version) = informed(&mut f);
    f.signs("referente", &accord, f.mother()).unwrap();
    let ask = ImpossibilityInput {
        holder: f.father.clone(),
        motive: MotiveInput::NoAnswer {
            first_attempt: Day::new(date(2027, 2, 1)).unwrap(),
            second_attempt: Day::new(date(2027, 2, 15)).unwrap(),
        },
        statement: Paragraph::parse("Deux courriers sans réponse.").unwrap(),
    };
    let request =
        |who: &str| f.t.app.impossibility_request(&f.t.call(who), act(Action::Create), &f.pathway, &ask);
    assert!(matches!(request("prevention"), Err(ServiceError::AbsentOrRefused)));
    let made = request("referente").unwrap();
    assert_eq!(code(request("referente").unwrap_err()), "already_requested");
    let id = ImpossibilityId::parse(&made.id).unwrap();
    let until = |y, m, d| Some(Day::new(date(y, m, d)).unwrap());
    let decide = |who: &str, until| {
        let input = ImpossibilityDecision {
            accepted: true,
            until,
            motive: Paragraph::parse("Tentatives vérifiées.").unwrap(),
        };
        f.t.app.impossibility_decide(&f.t.call(who), act(Action::Confirm), &id, &input)
    };
    let awaited =
        f.t.app.decisions_awaited(&f.t.call("pre_manager"), act(Action::List)).unwrap().into_inner();
    assert_eq!(awaited.items.len(), 1);
    assert_eq!(awaited.items[0].kind, AwaitedKind::Impossibility);
    assert_eq!(awaited.items[0].stated, "Deux courriers sans réponse.");
    // What was entered reaches who decides: who asks, the motive with its days, a capacity; no name of the family.
    assert!(awaited.items[0].asked_by.is_some());
    assert_eq!(
        awaited.items[0].motive.as_deref(),
        Some("sans réponse, tentatives du 1er février 2027 et du 15 février 2027")
    );
    assert_eq!(awaited.items[0].concerns, Some(crate::domain::vocabulary::Capacity::Parent));
    for other in ["referente", "pre_secretary", "prevention_manager", "outsider"] {
        let refused = decide(other, until(2027, 6, 1));
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{other}");
    }
    assert!(matches!(
        f.t.app.decisions_awaited(&f.t.call("referente"), act(Action::List)),
        Err(ServiceError::AbsentOrRefused)
    ));
    assert_eq!(code(decide("pre_manager", until(2027, 12, 1)).unwrap_err()), "impossibility_too_long");
    assert!(!f.reads("prevention", &version, COORDINATION));
    decide("pre_manager", until(2027, 6, 1)).unwrap();
    assert!(f.reads("prevention", &version, COORDINATION));
    assert!(matches!(decide("pre_manager", until(2027, 6, 1)), Err(ServiceError::Conflict)));
}

#[test]
fn law_a_telephone_accord_is_never_informed_and_lapses_after_21_days() {
    let mut f = eleven();
    let (accord, _) = stay(&mut f);
    let call = f.signature(f.mother(), HowInput::Telephone { read_aloud: true });
    assert_eq!(code(f.happens("referente", &accord, &call).unwrap_err()), "words_need_paper");
    let (oral, version) = schooling(&mut f);
    f.happens("referente", &oral, &f.signature(f.mother(), HowInput::Telephone { read_aloud: true }))
        .unwrap();
    assert!(f.reads("prevention", &version, COORDINATION));
    // How it was given is for who collected it: the recipient reads the day, and not why.
    let end = |who: &str| {
        let view = f.t.app.accord_read(&f.t.call(who), act(Action::Read), &oral).unwrap().into_inner();
        (view.state.until, view.state.ends_by)
    };
    let (until, by) = end("referente");
    assert_eq!(by, Some(EndsBy::OralLapse));
    assert_eq!(end("prevention"), (until, None));
    f.t.go_to(2027, 3, 23);
    assert!(!f.reads("prevention", &version, COORDINATION));
    assert_eq!(f.state("referente", &oral), Some(AccordStanding::Expired));
}

#[test]
fn law_nothing_is_recorded_as_said_aloud_without_a_sheet_read_aloud_and_that_it_was_stays_on_record() {
    let mut f = eleven();
    let (oral, version) = schooling(&mut f);
    for how in [HowInput::Telephone { read_aloud: false }, HowInput::OralPresent { read_aloud: false }] {
        let refused = f.happens("referente", &oral, &f.signature(f.mother(), how)).unwrap_err();
        assert_eq!(code(refused), "notice_not_read_aloud");
    }
    assert!(!f.reads("prevention", &version, COORDINATION));
    f.happens("referente", &oral, &f.signature(f.mother(), HowInput::OralPresent { read_aloud: true }))
        .unwrap();
    let view = f.t.app.accord_read(&f.t.call("referente"), act(Action::Read), &oral).unwrap();
    let signed = view.events.iter().find(|e| e.kind == SheetEvent::Signed).unwrap();
    assert_eq!((signed.mode, signed.read_aloud), (Some(Mode::OralPresent), Some(true)));
    // Rows from before the fact was kept read on, and do not claim it.
    let old: crate::domain::accord::How = serde_json::from_str(r#"{"mode":"telephone"}"#).unwrap();
    assert_eq!(old, crate::domain::accord::How::Telephone { read_aloud: false });
}

#[test]
fn a_sheet_signed_in_time_confirms_what_was_said_by_telephone() {
    let mut f = eleven();
    let (oral, version) = schooling(&mut f);
    f.happens("referente", &oral, &f.signature(f.mother(), HowInput::Telephone { read_aloud: true }))
        .unwrap();
    f.t.go_to(2027, 3, 10);
    let sheet = |by| {
        Happening::SheetSigned(SheetInput {
            by,
            on: Day::new(date(2027, 3, 10)).unwrap(),
            original_at: Text::parse("armoire").unwrap(),
        })
    };
    assert_eq!(code(f.happens("referente", &oral, &sheet(f.father())).unwrap_err()), "nothing_to_confirm");
    f.happens("referente", &oral, &sheet(f.mother())).unwrap();
    f.t.go_to(2027, 3, 30);
    assert!(f.reads("prevention", &version, COORDINATION));
}

#[test]
fn law_one_parent_withdraws_through_any_member_and_the_next_read_is_refused() {
    let mut f = eleven();
    let (accord, version) = schooling(&mut f);
    f.all_sign("referente", &accord);
    assert!(f.reads("prevention", &version, COORDINATION));
    // The page is open at the educator's, who takes the call and does not know the holders.
    f.withdraw("prevention", Said::Parent, ScopeInput::Everything {}).unwrap();
    assert!(!f.reads("prevention", &version, COORDINATION));
    assert_eq!(f.state("referente", &accord), Some(AccordStanding::Withdrawn));
}

#[test]
fn law_a_withdrawal_of_one_subject_leaves_the_others() {
    let mut f = eleven();
    let (accord, version) = schooling(&mut f);
    f.all_sign("referente", &accord);
    let other = f.fact_item("referente", "leisure", "inscrit au club");
    f.share("referente", COORDINATION, &[&other], "prevention", None);
    f.withdraw("pre_secretary", f.mother(), ScopeInput::Category { category: Category::Schooling }).unwrap();
    assert!(!f.reads("prevention", &version, COORDINATION));
    assert!(f.reads("prevention", &other, COORDINATION));
    f.withdraw("referente", f.father(), ScopeInput::Recipient { recipient: f.recipient("prevention") })
        .unwrap();
    assert!(!f.reads("prevention", &other, COORDINATION));
}

#[test]
fn for_everything_covers_what_the_recorder_cannot_see_and_answers_the_same() {
    let answer = |hidden: bool| {
        let mut f = eleven();
        f.join("director", Mandate::Contractual, Role::StayOrganiser);
        f.join("aemo", Mandate::Judicial, Role::Participant);
        let own = f.treatment("aemo");
        let opening = f.asks(
            COORDINATION,
            vec![f.line("prevention", &[Category::Schooling], &[]), f.line("aemo", &[], &[])],
        );
        let opening = f.accord("referente", &opening).unwrap();
        f.join("prevention", Mandate::Contractual, Role::Participant);
        let lines =
            f.t.app
                .accord_read(&f.t.call("referente"), act(Action::Read), &opening)
                .unwrap()
                .lines
                .iter()
                .map(|l| l.id.clone())
                .collect();
        let Happening::Signed(signature) = f.signature(f.mother(), Family::paper()) else { panic!() };
        f.happens("referente", &opening, &Happening::Signed(SignatureInput { lines, ..signature })).unwrap();
        if hidden {
            let stay = f.asks(Purpose::Stay, vec![f.line("director", &[], &[&own])]);
            let stay = f.accord("aemo", &stay).unwrap();
            f.signs("aemo", &stay, f.mother()).unwrap();
            f.share("aemo", Purpose::Stay, &[&own], "director", None);
            assert!(f.reads("director", &own, Purpose::Stay));
            assert_eq!(f.state("prevention", &stay), None, "not the educator's business");
        }
        let told = f.withdraw("prevention", Said::Parent, ScopeInput::Everything {}).unwrap();
        assert!(!f.reads("director", &own, Purpose::Stay));
        (told.sentence, told.running_stays)
    };
    let (with, without) = (answer(true), answer(false));
    assert_eq!(with, without);
    assert_eq!(with.1.len(), 1);
    assert_eq!(with.1[0].sentence, "Le séjour est en cours : appelez la direction au 01 02 03 04 05.");
}

#[test]
fn nobody_without_a_place_records_a_withdrawal_but_the_lead_secretary() {
    let mut f = eleven();
    let (accord, _) = schooling(&mut f);
    f.all_sign("referente", &accord);
    for other in ["outsider", "aemo", "pre_manager", "auditor", "administrator"] {
        let refused = f.withdraw(other, Said::Parent, ScopeInput::Everything {});
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{other}");
    }
    let unknown = Said::Holder(HolderId::random(f.t.app.chance()).unwrap());
    assert_eq!(
        code(f.withdraw("prevention", unknown, ScopeInput::Everything {}).unwrap_err()),
        "cannot_sign"
    );
    f.withdraw("pre_secretary", Said::Parent, ScopeInput::Everything {}).unwrap();
    assert_eq!(f.state("referente", &accord), Some(AccordStanding::Withdrawn));
}

#[test]
fn law_the_opposition_of_the_parent_who_did_not_sign_closes_at_once() {
    let mut f = fifteen();
    let (accord, version) = stay(&mut f);
    f.signs("referente", &accord, f.mother()).unwrap();
    f.signs("referente", &accord, Said::YoungPerson).unwrap();
    assert!(f.reads("director", &version, Purpose::Stay));
    let no = Happening::Opposed(NoInput { by: f.father(), line: None });
    f.happens("pre_secretary", &accord, &no).unwrap();
    assert!(!f.reads("director", &version, Purpose::Stay));
    // Good faith is gone: who objected signs too (C. civ. 372-2).
    f.signs("referente", &accord, f.mother()).unwrap();
    f.signs("referente", &accord, Said::YoungPerson).unwrap();
    assert!(!f.reads("director", &version, Purpose::Stay));
    f.signs("referente", &accord, f.father()).unwrap();
    assert!(f.reads("director", &version, Purpose::Stay));
}

#[test]
fn law_at_12_to_14_a_refusal_suspends_until_the_collector_has_talked_with_the_child() {
    let mut f = Family::of(date(2014, 1, 5));
    let (accord, version) = schooling(&mut f);
    f.signs("referente", &accord, f.mother()).unwrap();
    assert!(!f.reads("prevention", &version, COORDINATION), "the opinion is recorded first");
    let says =
        |opinion| Happening::Opinion(OpinionInput { opinion, on: Day::new(date(2027, 3, 2)).unwrap() });
    f.happens("referente", &accord, &says(Opinion::Favourable)).unwrap();
    assert!(f.reads("prevention", &version, COORDINATION));
    f.happens("referente", &accord, &says(Opinion::Unfavourable)).unwrap();
    assert!(!f.reads("prevention", &version, COORDINATION));
    let talk = Happening::Talk(TalkInput { maintained: true });
    assert!(matches!(f.happens("pre_secretary", &accord, &talk), Err(ServiceError::AbsentOrRefused)));
    f.happens("referente", &accord, &talk).unwrap();
    // Maintained: A and C depend on the parents alone.
    assert!(f.reads("prevention", &version, COORDINATION));
}

#[test]
fn law_majority_at_midnight_lapses_what_parents_signed() {
    let mut f = Family::of(date(2009, 6, 1));
    let (accord, version) = stay(&mut f);
    f.signs("referente", &accord, f.mother()).unwrap();
    f.signs("referente", &accord, Said::YoungPerson).unwrap();
    f.t.go_to(2027, 5, 31);
    assert!(f.reads("director", &version, Purpose::Stay));
    f.t.clock.set(crate::clock::Timestamp::paris_midnight(date(2027, 6, 1)));
    f.t.keep_sessions();
    assert!(!f.reads("director", &version, Purpose::Stay));
    assert_eq!(f.state("referente", &accord), Some(AccordStanding::Expired));
}

#[test]
fn a_refusal_stays_between_the_family_and_who_collected_it() {
    let mut f = eleven();
    f.join("prevention", Mandate::Contractual, Role::Participant);
    f.join("nurse", Mandate::Contractual, Role::Participant);
    // The educator is named and collects an accord for the nurse; both are in the circle.
    let opening = f.asks(COORDINATION, vec![f.line("prevention", &[], &[])]);
    let opening = f.accord("referente", &opening).unwrap();
    f.signs("referente", &opening, f.mother()).unwrap();
    let asked = f.asks(Purpose::Stay, vec![f.line("nurse", &[Category::Schooling], &[])]);
    assert_eq!(code(f.accord("prevention", &asked).unwrap_err()), "purpose_excludes_category");
    let asked = f.asks(Purpose::Care, vec![f.line("nurse", &[Category::Practical], &[])]);
    let accord = f.accord("prevention", &asked).unwrap();
    assert_eq!(f.state("prevention", &accord), Some(AccordStanding::Draft));
    f.happens("prevention", &accord, &Happening::Printed).unwrap();
    assert_eq!(f.state("prevention", &accord), Some(AccordStanding::Printed));
    let before = f.state("referente", &accord);
    let no = Happening::Refused(NoInput { by: f.mother(), line: None });
    assert!(matches!(f.happens("referente", &accord, &no), Err(ServiceError::AbsentOrRefused)));
    f.happens("prevention", &accord, &no).unwrap();
    assert_eq!(f.state("prevention", &accord), Some(AccordStanding::Refused));
    assert_eq!(before, Some(AccordStanding::NotInForce));
    assert_eq!(f.state("referente", &accord), before, "the référente reads the same before and after");
    assert_eq!(f.state("nurse", &accord), None);
    assert_eq!(f.state("prevention_manager", &accord), Some(AccordStanding::Refused));
    assert_eq!(f.state("pre_manager", &accord), None, "not that organisation's accord");
}

#[test]
fn each_reads_its_own_line_and_the_office_its_signatures_without_words() {
    let mut f = eleven();
    f.join("prevention", Mandate::Contractual, Role::Participant);
    f.join("teacher", Mandate::Contractual, Role::Participant);
    let lines = vec![
        f.line("prevention", &[Category::Schooling], &[]),
        f.line("teacher", &[Category::Mobility], &[]),
    ];
    let accord = f.accord("referente", &f.asks(COORDINATION, lines)).unwrap();
    let Happening::Signed(s) = f.signature(f.mother(), Family::paper()) else { panic!() };
    // LAW §5: no box is ticked in advance.
    let blank = Happening::Signed(s.clone());
    assert_eq!(code(f.happens("referente", &accord, &blank).unwrap_err()), "boxes_not_ticked");
    let all = f.t.app.accord_read(&f.t.call("referente"), act(Action::Read), &accord).unwrap();
    let lines = all.lines.iter().map(|l| l.id.clone()).collect();
    f.happens("referente", &accord, &Happening::Signed(SignatureInput { lines, ..s })).unwrap();
    let list = |who: &str| {
        f.t.app.accord_list(&f.t.call(who), act(Action::List), &f.pathway).map(|l| l.into_inner().items)
    };
    let teacher = list("teacher").unwrap();
    assert_eq!(teacher.len(), 1);
    assert_eq!(teacher[0].lines.len(), 1);
    assert_eq!(teacher[0].lines[0].categories, [Category::Mobility]);
    assert!(teacher[0].events.is_empty() && teacher[0].notice_hash.is_none());
    let office = list("pre_secretary").unwrap();
    assert_eq!(office[0].seen_as, SeenAs::Office);
    assert!(office[0].events.iter().any(|e| e.kind == SheetEvent::Signed) && office[0].notice_hash.is_none());
    assert!(matches!(list("outsider"), Err(ServiceError::AbsentOrRefused)));
    let own = list("referente").unwrap();
    assert_eq!((own[0].seen_as, own[0].lines.len()), (SeenAs::Collector, 2));
}

#[test]
fn the_lines_of_a_service_hidden_from_the_referent_are_not_there() {
    let mut f = eleven();
    f.join("prevention", Mandate::Contractual, Role::Participant);
    f.join_by("prevention", "aemo", Mandate::Judicial, Role::Participant);
    let opening = f.accord("referente", &f.asks(COORDINATION, vec![f.line("prevention", &[], &[])])).unwrap();
    f.signs("referente", &opening, f.mother()).unwrap();
    // The référente may not read `judicial` here: no accord gives it.
    let lines =
        vec![f.line("aemo", &[Category::Schooling], &[]), f.line("prevention", &[Category::Family], &[])];
    let accord = f.accord("prevention", &f.asks(Purpose::Conference, lines)).unwrap();
    let seen = f.t.app.accord_read(&f.t.call("referente"), act(Action::Read), &accord).unwrap();
    assert_eq!(seen.lines.len(), 1);
    assert_eq!(seen.lines[0].recipient.mission, f.t.person("prevention").mission);
    let only = vec![f.line("aemo", &[Category::Schooling], &[])];
    let hidden = f.accord("prevention", &f.asks(Purpose::Conference, only)).unwrap();
    assert_eq!(f.state("referente", &hidden), None);
    let listed = f.t.app.accord_list(&f.t.call("referente"), act(Action::List), &f.pathway).unwrap();
    assert!(listed.items.iter().all(|a| a.id != hidden));
}

#[test]
fn an_accord_is_not_collected_by_its_only_recipient_nor_for_nothing() {
    let mut f = eleven();
    let (opening, _) = schooling(&mut f);
    f.all_sign("referente", &opening);
    let own = f.asks(COORDINATION, vec![f.line("prevention", &[], &[])]);
    assert_eq!(code(f.accord("prevention", &own).unwrap_err()), "collected_by_only_recipient");
    let never = f.asks(COORDINATION, vec![f.line("teacher", &[Category::Family], &[])]);
    assert_eq!(code(f.accord("referente", &never).unwrap_err()), "ceiling_never");
    let nobody = f.asks(COORDINATION, vec![f.line("auditor", &[], &[])]);
    assert_eq!(code(f.accord("referente", &nobody).unwrap_err()), "recipient_never_receives");
    let mut long = f.asks(COORDINATION, vec![f.line("prevention", &[], &[])]);
    long.ends = Day::new(date(2028, 3, 3)).unwrap();
    assert_eq!(code(f.accord("referente", &long).unwrap_err()), "accord_too_long");
    assert!(matches!(f.accord("outsider", &long), Err(ServiceError::AbsentOrRefused)));
}

#[test]
fn an_accord_replaces_another_on_the_day_it_stands_and_not_before() {
    let mut f = eleven();
    let (old, version) = schooling(&mut f);
    f.signs("referente", &old, f.mother()).unwrap();
    let mut next = f.asks(COORDINATION, vec![f.line("prevention", &[Category::Schooling], &[])]);
    next.replaces = Some(old.clone());
    let next = f.accord("referente", &next).unwrap();
    assert_eq!(f.state("referente", &old), Some(AccordStanding::InForce));
    f.signs("referente", &next, f.mother()).unwrap();
    assert_eq!(f.state("referente", &old), Some(AccordStanding::Replaced));
    assert_eq!(f.state("referente", &next), Some(AccordStanding::InForce));
    assert!(f.reads("prevention", &version, COORDINATION));
}

#[test]
fn law_words_of_somebody_bound_reach_a_not_bound_reader_by_the_family_alone() {
    let mut f = eleven();
    f.join("teacher", Mandate::Contractual, Role::Participant);
    let version = f.fact_item("referente", "leisure", "inscrit au club");
    let accord = f
        .accord("referente", &f.asks(COORDINATION, vec![f.line("teacher", &[Category::Leisure], &[])]))
        .unwrap();
    f.signs("referente", &accord, f.mother()).unwrap();
    f.share("referente", COORDINATION, &[&version], "teacher", None);
    assert!(!f.reads("teacher", &version, COORDINATION), "the accord does not free a secret");
    let input = ReleaseInput {
        item_version: version.clone(),
        recipient: f.recipient("teacher"),
        purpose: COORDINATION,
        only_assignment: None,
    };
    let create = |who: &str, input: &ReleaseInput| {
        f.t.app.release_create(&f.t.call(who), act(Action::Create), &f.pathway, input)
    };
    assert!(matches!(create("teacher", &input), Err(ServiceError::AbsentOrRefused)));
    let to_oneself = ReleaseInput { recipient: f.recipient("referente"), ..input.clone() };
    assert_eq!(code(create("referente", &to_oneself).unwrap_err()), "recorded_by_recipient");
    let release = ReleaseId::parse(&create("referente", &input).unwrap().id).unwrap();
    let notice = f.t.app.release_notice(&f.t.call("referente"), act(Action::Read), &release).unwrap();
    assert!(notice.text.as_ref().unwrap().as_str().contains("inscrit au club"));
    assert!(f.t.app.release_notice(&f.t.call("teacher"), act(Action::Read), &release).is_err());
    let sheet = SheetId::Release(release);
    for by in [f.mother(), f.father()] {
        assert!(!f.reads("teacher", &version, COORDINATION));
        let signature = f.signature(by, Family::paper());
        f.t.app.sheet_record(&f.t.call("pre_secretary"), act(Action::Sign), &sheet, &signature).unwrap();
    }
    assert!(f.reads("teacher", &version, COORDINATION));
    let no = Happening::Withdrawn(NoInput { by: f.father(), line: None });
    f.t.app.sheet_record(&f.t.call("referente"), act(Action::Withdraw), &sheet, &no).unwrap();
    assert!(!f.reads("teacher", &version, COORDINATION));
}

#[test]
fn an_absent_accord_and_a_foreign_one_are_the_same_refusal() {
    let mut f = eleven();
    let (accord, _) = schooling(&mut f);
    let nobody = AccordId::random(f.t.app.chance()).unwrap();
    for id in [&accord, &nobody] {
        assert_eq!(f.state("outsider", id), None);
        let no = Happening::Refused(NoInput { by: f.mother(), line: None });
        assert!(matches!(f.happens("outsider", id, &no), Err(ServiceError::AbsentOrRefused)));
    }
}
