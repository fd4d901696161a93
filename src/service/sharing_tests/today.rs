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
