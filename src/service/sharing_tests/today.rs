//! *Aujourd'hui*: each line is told to whom it is for, and to nobody else.

use super::handovers::{new, street_to_aemo};
use super::*;
use crate::service::today::Waiting;

fn kinds(c: &Circle, name: &str) -> Vec<Waiting> {
    c.t.app.today(&c.call(name)).unwrap().waiting.iter().map(|w| w.kind).collect()
}

#[test]
fn story_s3_the_review_is_told_at_thirty_days_on_the_day_and_when_sharing_is_paused() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(Purpose::Coordination, vec![c.line("prevention", &[], &[])], &[c.mother.clone()]);
    let today = c.now().paris_day();
    let reviews = |days: i64| -> Vec<Waiting> {
        c.review(today + chrono::Duration::days(days));
        let of_review = [Waiting::ReviewSoon, Waiting::ReviewDue, Waiting::ReviewOverdue];
        assert!(!kinds(&c, "prevention").iter().any(|k| of_review.contains(k)), "the référent's act");
        kinds(&c, "referente").into_iter().filter(|k| of_review.contains(k)).collect()
    };
    assert_eq!(reviews(31), []);
    assert_eq!(reviews(30), [Waiting::ReviewSoon]);
    assert_eq!(reviews(1), [Waiting::ReviewSoon]);
    assert_eq!(reviews(0), [Waiting::ReviewDue]);
    assert_eq!(reviews(-29), [Waiting::ReviewDue]);
    assert_eq!(reviews(-30), [Waiting::ReviewOverdue]);
}

#[test]
fn story_s3_the_managers_of_the_lead_organisation_are_told_of_the_review_without_a_name() {
    let c = Circle::young();
    let today = c.now().paris_day();
    let told = |name: &str| -> Vec<String> {
        let view = c.t.app.today(&c.call(name)).unwrap();
        let mine = view.waiting.iter().filter(|w| w.kind == Waiting::ReviewOfStructure);
        mine.map(|w| format!("{} {}", w.name, w.sentence)).collect()
    };
    let size = || c.t.app.store().snapshot().unwrap().log_frontier().unwrap().size();
    let pathway_of_the_last_record = || {
        let mut snapshot = c.t.app.store().snapshot().unwrap();
        let text = snapshot.log_body(i64::try_from(size()).unwrap() - 1).unwrap().unwrap();
        crate::audit::LeafBody::parse(&text).unwrap().pathway
    };
    let stages = [
        (31, None),
        (30, Some("voyez avec le référent qu'il se prépare")),
        (1, Some("voyez avec le référent qu'il se prépare")),
        (0, Some("Aucun nouveau partage")),
        (-29, Some("Aucun nouveau partage")),
        (-30, Some("Partage en pause")),
    ];
    for (days, says) in stages {
        c.review(today + chrono::Duration::days(days));
        // The page where the line leads has it too.
        let office = c.t.app.office(&c.call("pre_manager")).unwrap().into_inner();
        let on_page = office.items[0].review.as_ref().map(|due| due.sentence.clone());
        assert_eq!(on_page.is_some_and(|s| says.is_some_and(|says| s.contains(says))), says.is_some());
        assert!(c.t.app.office(&c.call("pre_secretary")).unwrap().into_inner().items[0].review.is_none());
        let before = size();
        let lines = told("pre_manager");
        assert_eq!(size(), before + 1, "one record");
        assert_eq!(told("pre_manager"), lines, "asked again, told again");
        // Where nothing is due the pathway is not looked at, and has no record.
        assert_eq!(pathway_of_the_last_record().is_some(), says.is_some(), "{days}");
        match (says, lines.as_slice()) {
            (None, []) => {}
            (Some(words), [line]) => {
                assert!(line.contains(words) && line.contains("référent Prénom referente"), "{line}");
                assert!(
                    line.starts_with("Parcours de votre structure Parcours ouvert le 2 mars 2027"),
                    "{line}"
                );
            }
            (_, lines) => panic!("{days}: {lines:?}"),
        }
        for other in
            ["prevention_manager", "aemo_manager", "pre_secretary", "referent_contested", "referente"]
        {
            assert!(told(other).is_empty(), "{days}: {other}");
        }
    }
    // What is closed waits for nobody.
    let input = crate::service::pathways::ClosingInput {
        reason: crate::service::pathways::ClosingReason::Achieved,
        words: None,
    };
    c.t.app.pathway_close(&c.call("referente"), &c.pathway, &input).unwrap();
    assert!(told("pre_manager").is_empty());
}

#[test]
fn a_handover_waits_for_who_must_answer_then_for_both_confirmations() {
    let (c, home) = street_to_aemo(true);
    let of_handover = [Waiting::HandoverToAnswer, Waiting::HandoverToConfirm];
    let waits =
        |name| -> Vec<Waiting> { kinds(&c, name).into_iter().filter(|k| of_handover.contains(k)).collect() };
    assert_eq!(waits("aemo"), []);
    let made =
        c.t.app.handover_create(&c.call("prevention"), &c.pathway, &new(&c, &home, "aemo", None)).unwrap();
    assert_eq!((waits("aemo"), waits("prevention")), (vec![Waiting::HandoverToAnswer], vec![]));
    let view = c.t.app.today(&c.call("aemo")).unwrap();
    let line = view.waiting.iter().find(|w| w.kind == Waiting::HandoverToAnswer).unwrap();
    assert_eq!(line.object.as_deref(), Some(made.id.as_str()));
    assert_eq!(line.pathway, c.pathway.as_str());
    let id = HandoverId::parse(&made.id).unwrap();
    c.t.app.handover_answer(&c.call("aemo"), &c.pathway, &id, true).unwrap();
    for name in ["aemo", "prevention"] {
        assert_eq!(waits(name), [Waiting::HandoverToConfirm], "{name}");
        c.t.app.handover_confirm(&c.call(name), &c.pathway, &id).unwrap();
        assert_eq!(waits(name), [], "{name}");
    }
    assert_eq!(waits("referente"), [], "its two ends only");
}

#[test]
fn law_s11_today_tells_a_teacher_nothing_of_the_aemo() {
    let mut c = Circle::young();
    c.join("aemo", Mandate::Judicial, Role::Participant, Some("referente"));
    c.join("teacher", Mandate::Contractual, Role::Participant, Some("referente"));
    let lines = ["aemo", "teacher"].map(|n| c.line(n, &[], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let view = c.t.app.today(&c.call("teacher")).unwrap();
    assert_eq!(view.pathways.len(), 1);
    let told = serde_json::to_string(&*view).unwrap();
    let aemo = c.t.app.today(&c.call("aemo")).unwrap();
    assert_eq!(aemo.pathways.len(), 1);
    for word in ["AEMO", "Sauvegarde", "aemo"] {
        assert!(!told.contains(word), "{word}");
    }
}

#[test]
fn story_s5_majority_is_prepared_from_seventeen_years_and_nine_months() {
    let today = Circle::young().now().paris_day();
    let month = |months: u32| crate::clock::plus_months(today, months).unwrap();
    // Eighteen in three months; in four; today.
    for (months, told) in [(3, true), (4, false), (0, false)] {
        let eighteen = month(months);
        let born = eighteen - chrono::Months::new(18 * 12);
        let c = Circle::of(born);
        assert_eq!(kinds(&c, "referente").contains(&Waiting::Majority), told, "{months}");
    }
}

#[test]
fn an_unanswered_invitation_waits_for_who_made_it() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    let lines = ["prevention", "teacher"].map(|n| c.line(n, &[], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let input = crate::service::circle::InviteInput {
        assignment: c.t.person("teacher").assignment.clone(),
        mandate: Mandate::Contractual,
        role: Role::Participant,
        until: None,
    };
    let waits = |name| kinds(&c, name).contains(&Waiting::InvitationUnanswered);
    assert!(!waits("prevention"));
    let made = c.t.app.participation_invite(&c.call("prevention"), &c.pathway, &input).unwrap();
    assert!(waits("prevention") && !waits("referente"), "between who invites and who is invited");
    let id = ParticipationId::parse(&made.id).unwrap();
    c.t.app.participation_accept(&c.call("teacher"), &id).unwrap();
    assert!(!waits("prevention"));
}

#[test]
fn story_s6_recipients_are_told_that_an_accord_ended_not_whose_nor_by_whom_nor_why() {
    let mut c = Circle::young();
    c.join("aemo", Mandate::Judicial, Role::Participant, Some("referente"));
    c.join("teacher", Mandate::Contractual, Role::Participant, Some("referente"));
    let lines = ["aemo", "teacher"].map(|n| c.line(n, &[], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let ended = |c: &Circle, name| kinds(c, name).contains(&Waiting::AccordEnded);
    assert!(!ended(&c, "aemo") && !ended(&c, "teacher"));
    c.withdraw_everything();
    for name in ["aemo", "teacher"] {
        let view = c.t.app.today(&c.call(name)).unwrap();
        assert!(view.pathways.is_empty(), "{name} lost the pathway");
        let [line] = view.waiting.as_slice() else { panic!("{name}: {:?}", view.waiting) };
        assert_eq!(line.kind, Waiting::AccordEnded);
        assert!(line.sentence.contains("Rendez ou détruisez tout papier"));
        // THREAT: a pathway that one lost reads as absent. Neither its id, nor a name, nor a day.
        assert!(
            line.pathway.is_empty() && line.name.is_empty() && line.object.is_none() && line.on.is_none()
        );
    }
    // Who leads goes on, and somebody who never had a place hears nothing.
    assert!(!ended(&c, "referente") && !ended(&c, "prevention"));
    // Thirty days, then silence.
    c.t.go_to(2027, 3, 31);
    assert!(ended(&c, "teacher"));
    c.t.go_to(2027, 4, 2);
    assert!(!ended(&c, "teacher"));
}

#[test]
fn story_s6_an_accord_that_runs_out_is_told_as_one_that_was_withdrawn() {
    let mut c = Circle::young();
    c.join("teacher", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(Purpose::Coordination, vec![c.line("teacher", &[], &[])], &[c.mother.clone()]);
    let told = |c: &Circle| {
        let view = c.t.app.today(&c.call("teacher")).unwrap();
        view.waiting.iter().find(|w| w.kind == Waiting::AccordEnded).map(|w| w.sentence.clone())
    };
    assert_eq!(told(&c), None);
    let mut other = Circle::young();
    other.join("teacher", Mandate::Contractual, Role::Participant, Some("referente"));
    other.accord(Purpose::Coordination, vec![other.line("teacher", &[], &[])], &[other.mother.clone()]);
    other.withdraw_everything();
    let withdrawn = told(&other).unwrap();
    // Twelve months at most: by then it has run out of itself.
    let mut day = c.now().paris_day();
    let over = (0..14).find_map(|_| {
        day = crate::clock::plus_months(day, 1).unwrap();
        use chrono::Datelike;
        c.t.go_to(day.year(), day.month(), day.day());
        told(&c)
    });
    assert_eq!(over, Some(withdrawn), "the same words");
}

/// A line of this kind as this person reads it: whether it is urgent, and what settles it.
fn told(app: &crate::service::App, call: &Call, kind: Waiting) -> Option<(bool, Option<String>)> {
    let view = app.today(call).unwrap();
    let mut of_kind = view.waiting.iter().filter(|w| w.kind == kind).map(|w| (w.urgent, w.object.clone()));
    let first = of_kind.next();
    assert!(of_kind.next().is_none(), "one line of {kind:?}");
    first
}

/// The morning of the day that stands this long before `end`.
fn days_before(t: &Territory, end: NaiveDate, days: i64) {
    use chrono::Datelike;
    let on = end - chrono::Duration::days(days);
    t.go_to(on.year(), on.month(), on.day());
}

#[test]
fn an_accord_that_ends_is_told_from_thirty_days_urgently_from_seven_until_what_follows_is_signed() {
    let mut c = Circle::young();
    c.join("aemo", Mandate::Judicial, Role::Participant, Some("referente"));
    let lines = || vec![c.line("aemo", &[Category::Family], &[])];
    let accord = c.accord(Purpose::Coordination, lines(), &[c.mother.clone()]);
    // Ten months, the last day included.
    let end = crate::clock::plus_months(c.now().paris_day(), 10).unwrap().pred_opt().unwrap();
    let seen = |name: &str| told(&c.t.app, &c.call(name), Waiting::AccordEnds);
    for (days, urgent) in [(31, None), (30, Some(false)), (8, Some(false)), (7, Some(true))] {
        days_before(&c.t, end, days);
        let line = seen("referente");
        assert_eq!(line.as_ref().map(|(urgent, _)| *urgent), urgent, "{days}");
        assert!(line.is_none_or(|(_, object)| object.as_deref() == Some(accord.as_str())));
        assert!(seen("aemo").is_none(), "a recipient is told nothing of it");
    }
    // Its page answers.
    let act = Act { action: Action::Read, resource: ResourceKind::Accord };
    c.t.app.accord_read(&c.call("referente"), act, &accord).unwrap();
    // Less than what counts today does not follow it; as much does.
    c.accord(Purpose::Coordination, vec![c.line("aemo", &[], &[])], &[c.mother.clone()]);
    assert!(seen("referente").is_some(), "a subject is left out");
    c.accord(Purpose::Schooling, lines(), &[c.mother.clone()]);
    assert!(seen("referente").is_some(), "another purpose");
    c.accord(Purpose::Coordination, lines(), &[]);
    assert!(seen("referente").is_some(), "nobody signed it");
    c.accord(Purpose::Coordination, lines(), &[c.mother.clone()]);
    assert!(seen("referente").is_none());
}

#[test]
fn an_accord_waits_for_its_first_signature_then_for_the_rest_at_who_collected_it() {
    let mut c = Circle::teenager();
    c.join("aemo", Mandate::Judicial, Role::Participant, Some("referente"));
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    let both = ["aemo", "prevention"].map(|n| c.line(n, &[], &[])).to_vec();
    c.accord(Purpose::Schooling, both, &[CHILD, c.mother.clone()]);
    let lines = vec![c.line("aemo", &[], &[])];
    let accord = c.accord_collected("prevention", Purpose::Coordination, lines.clone(), &[]);
    let seen = |name: &str, kind| told(&c.t.app, &c.call(name), kind);
    let object = Some((false, Some(accord.as_str().to_owned())));
    let sign = |by: &Signatory| {
        let signed = EventKind::Signed(Signed {
            by: by.clone(),
            how: How::Paper { original_at: Reference::new("armoire 3").unwrap() },
            verified: Verification::Known,
            lines: lines.iter().map(|l| l.id.clone()).collect(),
            on: c.now().paris_day(),
        });
        c.event(Sheet::Accord(accord.clone()), signed);
    };
    assert_eq!(seen("prevention", Waiting::AccordToSign), object);
    sign(&c.mother);
    assert_eq!(seen("prevention", Waiting::AccordToSign), None);
    assert_eq!(seen("prevention", Waiting::SignaturesAwaited), object);
    for other in ["aemo", "referente"] {
        assert_eq!(seen(other, Waiting::SignaturesAwaited), None, "{other}");
    }
    sign(&CHILD);
    assert_eq!(seen("prevention", Waiting::SignaturesAwaited), None);
}

#[test]
fn law_what_was_said_aloud_waits_for_its_signed_sheet_and_not_for_another_accord() {
    let mut c = Circle::young();
    c.join("aemo", Mandate::Judicial, Role::Participant, Some("referente"));
    let lines = vec![c.line("aemo", &[], &[])];
    let accord = c.accord(Purpose::Coordination, lines.clone(), &[]);
    let today = c.now().paris_day();
    let aloud = EventKind::Signed(Signed {
        by: c.mother.clone(),
        how: How::Telephone { read_aloud: true },
        verified: Verification::Known,
        lines: lines.iter().map(|l| l.id.clone()).collect(),
        on: today,
    });
    c.event(Sheet::Accord(accord.clone()), aloud);
    let seen = |kind| told(&c.t.app, &c.call("referente"), kind);
    let object = Some(accord.as_str().to_owned());
    assert_eq!(seen(Waiting::SheetAwaited), Some((false, object.clone())));
    assert_eq!(seen(Waiting::AccordEnds), None);
    // The twenty-first day is the last.
    days_before(&c.t, today + chrono::Duration::days(20), 7);
    assert_eq!(seen(Waiting::SheetAwaited), Some((true, object)));
    let sheet = EventKind::SheetSigned {
        by: c.mother.clone(),
        on: c.now().paris_day(),
        original_at: Reference::new("armoire 3").unwrap(),
    };
    c.event(Sheet::Accord(accord), sheet);
    assert_eq!(seen(Waiting::SheetAwaited), None);
}

#[test]
fn story_s5_majority_is_told_until_what_stops_is_signed_ahead_and_then_waits_for_the_adults_confirmation() {
    let eighteen = crate::clock::plus_months(Circle::young().now().paris_day(), 2).unwrap();
    let mut c = Circle::of(eighteen - chrono::Months::new(18 * 12));
    c.join("aemo", Mandate::Judicial, Role::Participant, Some("referente"));
    let parents_too = [CHILD, c.mother.clone()];
    for purpose in [Purpose::Coordination, Purpose::Schooling] {
        c.accord(purpose, vec![c.line("aemo", &[], &[])], &parents_too);
    }
    let sentence = || {
        let view = c.t.app.today(&c.call("referente")).unwrap();
        view.waiting.iter().find(|w| w.kind == Waiting::Majority).map(|w| (w.on.clone(), w.sentence.clone()))
    };
    let (on, said) = sentence().unwrap();
    assert_eq!(on, Some(eighteen.to_string()), "where the new accord begins");
    assert!(said.contains("peut déjà signer seul"));
    let ahead =
        |purpose| c.accord_from("referente", eighteen, purpose, vec![c.line("aemo", &[], &[])], &[CHILD]);
    let first = ahead(Purpose::Coordination);
    assert!(sentence().unwrap().1.contains("1 accord est déjà signé"));
    ahead(Purpose::Schooling);
    assert_eq!(sentence(), None, "nothing stops any more");
    // Of age: without a new signature what was signed ahead stops after thirty days.
    days_before(&c.t, eighteen, 0);
    let lines = || {
        let view = c.t.app.today(&c.call("referente")).unwrap();
        let of_kind = view.waiting.iter().filter(|w| w.kind == Waiting::ConfirmationAwaited);
        of_kind.map(|w| w.object.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(lines().len(), 2);
    let confirmed = EventKind::Signed(Signed {
        by: CHILD,
        how: How::Paper { original_at: Reference::new("armoire 3").unwrap() },
        verified: Verification::Known,
        lines: c.boxes_of(&first),
        on: eighteen,
    });
    c.event(Sheet::Accord(first.clone()), confirmed);
    let left = lines();
    assert!(left.len() == 1 && left[0] != first.as_str());
}

#[test]
fn a_stand_in_that_ends_is_told_from_seven_days_to_both_and_to_the_manager_and_is_gone_after() {
    let mut c = Circle::young();
    c.join("aemo", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(Purpose::Coordination, vec![c.line("aemo", &[], &[])], &[c.mother.clone()]);
    let new = crate::service::successions::NewSuccession {
        assignment: c.t.person("aemo_colleague").assignment.clone(),
        from: None,
        last_day: Some(last(2027, 3, 23)),
    };
    c.t.app.succession_name(&c.call("aemo_manager"), &c.pathway, c.place("aemo"), &new).unwrap();
    let facts = c.t.app.store().snapshot().unwrap().pathway_facts(&c.pathway).unwrap().unwrap();
    let place = facts.participations.iter().find(|p| p.stands_in_for.is_some()).unwrap().id.clone();
    c.t.app.succession_accept(&c.call("aemo_colleague"), &c.pathway, &place).unwrap();
    let seen = |name: &str| told(&c.t.app, &c.call(name), Waiting::StandInEnds);
    // Who can name somebody is led to the place that is held.
    let managed = |name: &str| told(&c.t.app, &c.call(name), Waiting::StandInOfStructure);
    let held = Some((false, Some(c.place("aemo").as_str().to_owned())));
    let end = day(2027, 3, 23);
    days_before(&c.t, end, 8);
    assert_eq!(seen("aemo_colleague"), None);
    assert_eq!(managed("aemo_manager"), None);
    days_before(&c.t, end, 7);
    assert_eq!((managed("aemo_manager"), managed("pre_manager")), (held.clone(), None));
    let line = Some((false, Some(place.as_str().to_owned())));
    assert_eq!(seen("aemo_colleague"), line);
    assert_eq!(seen("referente"), line);
    days_before(&c.t, end, 0);
    assert_eq!(managed("aemo_manager"), held);
    days_before(&c.t, end, -1);
    assert_eq!(seen("referente"), None);
    assert_eq!(managed("aemo_manager"), None);
}

#[test]
fn an_impossibility_that_ends_is_told_to_who_knows_the_holders_until_it_is_decided_anew() {
    use crate::service::consent_fixture::{Family, act, date};
    use crate::service::{ImpossibilityDecision, ImpossibilityInput, MotiveInput};
    let f = Family::of(date(2016, 5, 2));
    let decided = |until: NaiveDate| {
        let ask = ImpossibilityInput {
            holder: f.father.clone(),
            motive: MotiveInput::NoAnswer {
                first_attempt: Day::new(date(2027, 2, 1)).unwrap(),
                second_attempt: Day::new(date(2027, 2, 15)).unwrap(),
            },
            statement: crate::domain::text::Paragraph::parse("Deux courriers sans réponse.").unwrap(),
        };
        let made =
            f.t.app
                .impossibility_request(&f.t.call("referente"), act(Action::Create), &f.pathway, &ask)
                .unwrap();
        let decision = ImpossibilityDecision {
            accepted: true,
            until: Some(Day::new(until).unwrap()),
            motive: crate::domain::text::Paragraph::parse("Tentatives vérifiées.").unwrap(),
        };
        let id = ImpossibilityId::parse(&made.id).unwrap();
        f.t.app.impossibility_decide(&f.t.call("pre_manager"), act(Action::Confirm), &id, &decision).unwrap();
    };
    // The first day on which it no longer counts.
    decided(date(2027, 6, 1));
    let seen =
        || told(&f.t.app, &f.t.call("referente"), Waiting::ImpossibilityEnds).map(|(urgent, _)| urgent);
    for (days, urgent) in [(31, None), (30, Some(false)), (8, Some(false)), (7, Some(true))] {
        days_before(&f.t, date(2027, 5, 31), days);
        assert_eq!(seen(), urgent, "{days}");
    }
    days_before(&f.t, date(2027, 5, 31), -1);
    assert_eq!(seen(), None, "over");
    decided(date(2027, 9, 1));
    assert_eq!(seen(), None, "decided anew, for three months");
}

#[test]
fn a_statutory_share_about_to_lapse_is_told_to_its_author_urgently_until_the_review() {
    use crate::service::consent_fixture::act;
    use crate::service::statute_service_tests::{asks, family as with_statute};
    use crate::service::{DecisionKind, StatuteDecision};
    let f = with_statute();
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let input = asks(&f, &version, "prevention");
    let made =
        f.t.app.statute_create(&f.t.call("referente"), act(Action::Create), &f.pathway, &input).unwrap();
    let id = StatuteId::parse(&made.id).unwrap();
    let seen = |name: &str| told(&f.t.app, &f.t.call(name), Waiting::StatuteReview);
    let end = {
        let view = f.t.app.statute_read(&f.t.call("referente"), act(Action::Read), &id).unwrap();
        let until = Timestamp::parse_rfc3339(view.until.as_deref().unwrap()).unwrap();
        until.plus_micros(-1).paris_day()
    };
    days_before(&f.t, end, 11);
    assert_eq!(seen("referente"), None);
    days_before(&f.t, end, 10);
    assert_eq!(seen("referente"), Some((true, Some(made.id))));
    assert_eq!(seen("prevention"), None, "its author's act");
    let review = StatuteDecision {
        kind: DecisionKind::Review,
        accepted: true,
        motive: crate::domain::text::Paragraph::parse("Toujours nécessaire.").unwrap(),
    };
    f.t.app.statute_decide(&f.t.call("pre_manager"), act(Action::Confirm), &id, &review).unwrap();
    assert_eq!(seen("referente"), None);
}

fn leaves(c: &Circle, name: &str) {
    let assignment = c.t.person(name).assignment.clone();
    c.t.write(move |tx, at| tx.assignment_end(&assignment, 1, at));
}

fn to_fill(c: &Circle, name: &str) -> Vec<(String, bool, String)> {
    let view = c.t.app.today(&c.call(name)).unwrap();
    let lines = view.waiting.iter().filter(|w| w.kind == Waiting::PlaceToFill);
    lines.map(|w| (w.object.clone().unwrap(), w.urgent, format!("{} {}", w.name, w.sentence))).collect()
}

#[test]
fn story_s8_a_place_that_was_left_waits_for_its_manager_until_somebody_is_named() {
    let mut c = Circle::young();
    c.join("aemo", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(Purpose::Coordination, vec![c.line("aemo", &[], &[])], &[c.mother.clone()]);
    // Where to look is asked at once, whoever left before.
    let left = |c: &Circle, name: &str| {
        c.t.app.store().snapshot().unwrap().pathways_left(&c.t.person(name).organisation, c.now()).unwrap()
    };
    assert!(to_fill(&c, "aemo_manager").is_empty() && left(&c, "aemo").is_empty());
    leaves(&c, "aemo");
    let [(place, urgent, said)] = to_fill(&c, "aemo_manager").try_into().unwrap();
    assert_eq!((place.as_str(), urgent), (c.place("aemo").as_str(), false));
    assert!(
        said.starts_with("Parcours de votre structure Parcours d'une autre structure : Prénom aemo"),
        "{said}"
    );
    for other in ["pre_manager", "prevention_manager", "referente", "aemo_colleague"] {
        assert!(to_fill(&c, other).is_empty(), "{other}");
    }
    assert_eq!(left(&c, "aemo"), [c.pathway.clone()]);
    assert!(left(&c, "referente").is_empty());
    let new = crate::service::successions::NewSuccession {
        assignment: c.t.person("aemo_colleague").assignment.clone(),
        from: None,
        last_day: None,
    };
    c.t.app.succession_name(&c.call("aemo_manager"), &c.pathway, c.place("aemo"), &new).unwrap();
    assert!(to_fill(&c, "aemo_manager").is_empty(), "named is enough: the answer is not the manager's");
}

#[test]
fn a_referent_who_left_is_nobody_to_call_and_who_names_the_next_is() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(Purpose::Coordination, vec![c.line("prevention", &[], &[])], &[c.mother.clone()]);
    let seen = |c: &Circle| c.t.app.pathway(&c.call("prevention"), &c.pathway).unwrap();
    assert!(seen(&c).instead.is_none() && seen(&c).referent.is_some());
    leaves(&c, "referente");
    let view = seen(&c);
    assert!(view.referent.is_none());
    let instead = view.instead.as_ref().unwrap();
    assert!(instead.who.name == "Prénom pre_manager" && !instead.telephone.is_empty());
    let gone = view.circle.iter().find(|p| p.id == c.place("referente").as_str()).unwrap();
    assert!(!gone.exercises && view.me.exercises);
    let list = c.t.app.pathways(&c.call("prevention"), None).unwrap();
    assert!(list.items[0].referent.is_none());
    let [(_, urgent, said)] = to_fill(&c, "pre_manager").try_into().unwrap();
    assert!(urgent && said.contains("Prénom referente, référent, n'exerce plus"), "{said}");
    // The line about the review sends nobody to a number that nobody answers.
    c.review(c.now().paris_day());
    let today = c.t.app.today(&c.call("pre_manager")).unwrap();
    let review = today.waiting.iter().find(|w| w.kind == Waiting::ReviewOfStructure).unwrap();
    assert!(review.telephone.is_none() && review.sentence.contains("Nommez d'abord"), "{}", review.sentence);
    // Who has left is asked about at the manager's.
    let text = c.write("prevention", mobility());
    let asked = c.preview("prevention", Purpose::Coordination, &[&text], None, None).unwrap();
    let member = &asked.readers[0].member;
    assert_eq!(member.replaced_by_asking.as_ref().unwrap().who.name, "Prénom pre_manager");
}
