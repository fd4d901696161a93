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
        let before = size();
        let lines = told("pre_manager");
        assert_eq!(size(), before + 1, "one record");
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
    assert!(to_fill(&c, "aemo_manager").is_empty());
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
