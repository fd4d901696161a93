//! Handovers (S2).

use super::*;
use crate::service::handovers::{HandoverState, NewHandover};

pub(super) fn street_to_aemo(with_accord: bool) -> (Circle, ItemRef) {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.join("aemo", Mandate::Contractual, Role::Participant, Some("prevention"));
    let place = ["prevention", "aemo"].map(|n| c.line(n, &[], &[])).to_vec();
    c.accord(Purpose::Coordination, place, &[c.mother.clone()]);
    if with_accord {
        c.accord(Purpose::Handover, vec![c.line("aemo", &[Category::Family], &[])], &[c.mother.clone()]);
    }
    let home = c.write("prevention", family());
    (c, home)
}

pub(super) fn new(c: &Circle, item: &ItemRef, to: &str, referent: Option<&str>) -> NewHandover {
    NewHandover {
        incoming: c.place(to).clone(),
        items: vec![item.clone()],
        last_day: last(2027, 6, 1),
        new_referent: referent.map(|n| c.place(n).clone()),
    }
}

#[test]
fn story_s2_without_accord_nothing_goes() {
    let (c, home) = street_to_aemo(false);
    let refused = c.t.app.handover_create(&c.call("prevention"), &c.pathway, &new(&c, &home, "aemo", None));
    let (code, message) = rule(refused);
    assert_eq!(code, "will_not_read");
    assert!(message.contains("Il n'y a pas d'accord en cours pour ce partage."), "{message}");
}

#[test]
fn story_s2_both_confirm_then_who_left_only_brings() {
    let (c, home) = street_to_aemo(true);
    let made =
        c.t.app.handover_create(&c.call("prevention"), &c.pathway, &new(&c, &home, "aemo", None)).unwrap();
    let id = HandoverId::parse(&made.id).unwrap();
    let read = |name| c.t.app.handover_read(&c.call(name), &c.pathway, &id);
    let view = read("aemo").unwrap();
    assert_eq!(view.subjects, [Category::Family]);
    assert!(view.accountable.as_ref().unwrap().contains("au juge des enfants"));
    assert!(absent(read("referente")), "its two ends only");
    assert!(!c.reads("aemo", &home, Purpose::Handover), "subjects, no words");
    let confirm = |name| c.t.app.handover_confirm(&c.call(name), &c.pathway, &id);
    assert_eq!(rule(confirm("prevention")).0, "handover_not_to_confirm");
    assert!(absent(c.t.app.handover_answer(&c.call("prevention"), &c.pathway, &id, true)));
    c.t.app.handover_answer(&c.call("aemo"), &c.pathway, &id, true).unwrap();
    confirm("aemo").unwrap();
    assert!(!c.reads("aemo", &home, Purpose::Handover), "one confirmation is not two");
    assert_eq!(rule(confirm("aemo")).0, "already_confirmed");
    confirm("prevention").unwrap();
    assert!(c.reads("aemo", &home, Purpose::Handover));
    assert_eq!(read("prevention").unwrap().state, HandoverState::Complete);
    // What she wrote stays hers; what others share reaches her no more.
    c.read("prevention", &home, None).unwrap();
    let bus = c.write("referente", mobility());
    let refused = c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 4, 1));
    assert!(rule(refused).1.contains("n'en reçoit pas"));
}

#[test]
fn a_declined_handover_opens_nothing() {
    let (c, home) = street_to_aemo(true);
    let made =
        c.t.app.handover_create(&c.call("prevention"), &c.pathway, &new(&c, &home, "aemo", None)).unwrap();
    let id = HandoverId::parse(&made.id).unwrap();
    let running = |c: &Circle| {
        let shares = c.t.app.shares_list(&c.call("prevention"), &c.pathway).unwrap().into_inner().items;
        shares.iter().filter(|s| s.in_force).count()
    };
    assert_eq!(running(&c), 1);
    c.t.app.handover_answer(&c.call("aemo"), &c.pathway, &id, false).unwrap();
    assert_eq!(running(&c), 0, "what it carried is over for its author too");
    let confirm = c.t.app.handover_confirm(&c.call("prevention"), &c.pathway, &id);
    assert_eq!(rule(confirm).0, "handover_not_to_confirm");
    assert!(!c.reads("aemo", &home, Purpose::Handover));
}

#[test]
fn law_s11_a_handover_is_listed_only_to_who_may_know_both_ends() {
    let (mut c, home) = street_to_aemo(true);
    c.join("mission_locale", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(Purpose::Coordination, vec![c.line("mission_locale", &[], &[])], &[c.mother.clone()]);
    c.t.app.handover_create(&c.call("prevention"), &c.pathway, &new(&c, &home, "aemo", None)).unwrap();
    let list = |name| c.t.app.handovers_list(&c.call(name), &c.pathway).unwrap().into_inner().items;
    assert!(list("aemo")[0].waits_for_me);
    assert!(list("prevention")[0].mine);
    assert!(list("mission_locale").is_empty());
}

#[test]
fn a_referent_who_leaves_names_another_who_is_hidden_from_nobody() {
    let (mut c, _) = street_to_aemo(true);
    c.accord(Purpose::Handover, vec![c.line("prevention", &[Category::Family], &[])], &[c.mother.clone()]);
    let own = c.write("referente", family());
    let go = |c: &Circle, referent| {
        c.t.app.handover_create(&c.call("referente"), &c.pathway, &new(c, &own, "prevention", referent))
    };
    assert_eq!(rule(go(&c, None)).0, "referent_first");
    // The AEMO is not even known to her here.
    assert!(absent(go(&c, Some("aemo"))));
    let id = HandoverId::parse(&go(&c, Some("prevention")).unwrap().id).unwrap();
    c.t.app.handover_answer(&c.call("prevention"), &c.pathway, &id, true).unwrap();
    for name in ["prevention", "referente"] {
        c.t.app.handover_confirm(&c.call(name), &c.pathway, &id).unwrap();
    }
    let facts = c.t.app.store().snapshot().unwrap().pathway_facts(&c.pathway).unwrap().unwrap();
    assert_eq!(facts.referent_place(c.now()).unwrap().id, *c.place("prevention"));
    assert_eq!(facts.participation(c.place("referente")).unwrap().role, Role::ContributorOnly);
    c.join("nurse", Mandate::Contractual, Role::ContributorOnly, Some("prevention"));
    c.accord(Purpose::Handover, vec![c.line("nurse", &[Category::Family], &[])], &[c.mother.clone()]);
    let mine = c.write("prevention", family());
    let to_contributor = NewHandover {
        incoming: c.place("nurse").clone(),
        items: vec![mine],
        last_day: last(2027, 6, 1),
        new_referent: None,
    };
    let refused = c.t.app.handover_create(&c.call("prevention"), &c.pathway, &to_contributor);
    assert_eq!(rule(refused).0, "incoming_receives_nothing");
}

#[test]
fn story_s2_who_took_over_says_once_whether_it_started_again_and_only_numbers_are_kept() {
    use crate::domain::vocabulary::StartedAgain;
    use crate::service::ratings::HandoverRating;
    let (c, home) = street_to_aemo(true);
    let made =
        c.t.app.handover_create(&c.call("prevention"), &c.pathway, &new(&c, &home, "aemo", None)).unwrap();
    let id = HandoverId::parse(&made.id).unwrap();
    let rate = |name: &str| {
        let rating = HandoverRating { started_again: StartedAgain::FromScratch };
        c.t.app.handover_rate(&c.call(name), &c.pathway, &id, rating)
    };
    c.t.app.handover_answer(&c.call("aemo"), &c.pathway, &id, true).unwrap();
    assert_eq!(rule(rate("aemo")).0, "handover_not_done");
    for name in ["aemo", "prevention"] {
        c.t.app.handover_confirm(&c.call(name), &c.pathway, &id).unwrap();
    }
    let to_rate = |name| c.t.app.handover_read(&c.call(name), &c.pathway, &id).unwrap().to_rate;
    assert!(to_rate("aemo") && !to_rate("prevention"));
    for other in ["prevention", "referente", "outsider", "aemo_manager"] {
        assert!(absent(rate(other)), "{other}");
    }
    rate("aemo").unwrap();
    assert!(!to_rate("aemo"));
    assert_eq!(rule(rate("aemo")).0, "already_rated");
    let counts = |month: &str| {
        let mut snapshot = c.t.app.store().snapshot().unwrap();
        snapshot.handover_ratings_before(month).unwrap()
    };
    assert!(counts("2027-03").is_empty(), "a month that is not over is not read");
    let all = counts("2027-04");
    assert_eq!((all.len(), all[0].answer, all[0].number), (1, StartedAgain::FromScratch, 1));
    // One answer is nobody's business; five are a number.
    let kind = all[0].kind;
    c.t.go_to(2027, 4, 2);
    let seen = || c.t.app.handover_ratings(&c.call("administrator")).unwrap().into_inner().items;
    assert!(seen().is_empty());
    for _ in 0..4 {
        c.t.write(move |tx, _| tx.handover_rating_add("2027-03", kind, StartedAgain::FromScratch));
    }
    assert_eq!(seen()[0].from_scratch, Some(5));
    for other in ["aemo", "aemo_manager", "pre_manager", "auditor"] {
        assert!(absent(c.t.app.handover_ratings(&c.call(other))), "{other}");
    }
}
