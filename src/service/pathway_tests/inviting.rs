//! Who is let into a circle, what an invitation tells, and who stays invisible there.

use super::*;

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
fn threat_an_open_profession_that_is_there_under_a_measure_is_told_by_no_invitation() {
    let case = Case::minor();
    case.agree(Purpose::Coordination, &[to("teacher", &[Category::Leisure])]);
    case.join("teacher", Mandate::Contractual, Role::Participant);
    let asked = || code(case.invite_as("teacher", "nurse", Mandate::Contractual, Role::Participant));
    let unnamed = asked();
    case.agree(Purpose::Coordination, &[to("nurse", &[Category::Leisure])]);
    case.join("nurse", Mandate::Judicial, Role::Participant);
    // Under a contract a school nurse is hidden from nobody; this one came with a measure.
    assert_eq!(case.circle("teacher"), ["referente", "teacher"]);
    assert_eq!((unnamed, asked()), ("accord_needed_to_invite", "accord_needed_to_invite"));
}

#[test]
fn s11_a_judicial_participation_is_invisible_to_teacher_and_director() {
    let case = Case::minor();
    case.agree(Purpose::Coordination, &[to("teacher", &[Category::Leisure])]);
    case.agree(Purpose::Stay, &[to("director", &[Category::Leisure])]);
    case.join("teacher", Mandate::Contractual, Role::Participant);
    case.join("director", Mandate::Contractual, Role::StayOrganiser);
    let before = (case.all_that_is_said_to("teacher"), case.all_that_is_said_to("director"));
    let asked = |who| code(case.invite_as(who, "aemo", Mandate::Contractual, Role::Participant));
    let unnamed = asked("teacher");
    case.agree(Purpose::Coordination, &[to("aemo", &[Category::Leisure])]);
    // That an accord names it is told to who collected the accord, not to a colleague from whom the service is hidden.
    assert_eq!((unnamed, asked("teacher")), ("accord_needed_to_invite", "accord_needed_to_invite"));
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
    // Inviting it is answered as before it came.
    assert_eq!(asked("teacher"), unnamed);
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
