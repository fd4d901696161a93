//! Successors and stand-ins (S8, S21).

use super::*;
use crate::service::successions::{NewSuccession, StopSuccession, StoppedBy};

/// The référente shares with the AEMO educator, whose colleague may take the place.
fn august(only_this_person: bool) -> (Circle, ItemRef) {
    let mut c = Circle::young();
    c.join("aemo", Mandate::Contractual, Role::Participant, Some("referente"));
    let mut line = c.line("aemo", &[Category::Family], &[]);
    if only_this_person {
        line.only_assignment = Some(c.t.person("aemo").assignment.clone());
    }
    c.accord(Purpose::Coordination, vec![line], &[c.mother.clone()]);
    let home = c.write("referente", family());
    c.share("referente", Purpose::Coordination, &[&home], &["aemo"], last(2027, 12, 1)).unwrap();
    (c, home)
}

fn name(c: &Circle, by: &str, who: &str, last_day: Option<Day>) -> Result<Created, ServiceError> {
    let new = NewSuccession { assignment: c.t.person(who).assignment.clone(), from: None, last_day };
    c.t.app.succession_name(&c.call(by), &c.pathway, c.place("aemo"), &new)
}

fn successor(c: &Circle) -> ParticipationId {
    let facts = c.t.app.store().snapshot().unwrap().pathway_facts(&c.pathway).unwrap().unwrap();
    facts.participations.iter().find(|p| p.stands_in_for.is_some()).unwrap().id.clone()
}

#[test]
fn story_s21_a_stand_in_reads_beside_until_the_last_day_and_nothing_is_signed_again() {
    let (c, home) = august(false);
    name(&c, "aemo_manager", "aemo_colleague", Some(last(2027, 3, 23))).unwrap();
    let place = successor(&c);
    assert!(!c.reads("aemo_colleague", &home, Purpose::Coordination), "not before accepting");
    assert!(absent(c.t.app.succession_accept(&c.call("aemo"), &c.pathway, &place)));
    c.t.app.succession_accept(&c.call("aemo_colleague"), &c.pathway, &place).unwrap();
    for who in ["aemo", "aemo_colleague"] {
        assert!(c.reads(who, &home, Purpose::Coordination), "both read: {who}");
    }
    // The sharer is told, and sees that both read.
    let told = c.t.app.successions_list(&c.call("referente"), &c.pathway).unwrap();
    assert_eq!(told.items.len(), 1);
    assert!(told.items[0].accepted);
    let shares = c.t.app.shares_list(&c.call("referente"), &c.pathway).unwrap();
    let share = c.t.app.share_read(&c.call("referente"), &c.pathway, &shares.items[0].id).unwrap();
    assert_eq!(share.readers.len(), 2);
    assert!(share.readers.iter().all(|r| r.read == "lu le 2 mars 2027"));
    c.t.go_to(2027, 3, 24);
    assert!(!c.reads("aemo_colleague", &home, Purpose::Coordination));
    assert!(c.reads("aemo", &home, Purpose::Coordination));
}

#[test]
fn story_s8_a_successor_takes_the_place_and_the_one_before_reads_no_more() {
    let (c, home) = august(false);
    name(&c, "aemo_manager", "aemo_colleague", None).unwrap();
    assert!(c.reads("aemo", &home, Purpose::Coordination), "until the successor accepts");
    c.t.app.succession_accept(&c.call("aemo_colleague"), &c.pathway, &successor(&c)).unwrap();
    assert!(c.reads("aemo_colleague", &home, Purpose::Coordination));
    assert!(!c.reads("aemo", &home, Purpose::Coordination), "on the next request");
    // What the predecessor wrote stays with the service.
}

#[test]
fn a_successor_who_accepts_as_one_accepts_an_invitation_ends_the_place_before() {
    let (c, home) = august(false);
    name(&c, "aemo_manager", "aemo_colleague", None).unwrap();
    c.t.app.participation_accept(&c.call("aemo_colleague"), &successor(&c)).unwrap();
    assert!(c.reads("aemo_colleague", &home, Purpose::Coordination));
    assert!(!c.reads("aemo", &home, Purpose::Coordination), "on the next request");
    let facts = c.t.app.store().snapshot().unwrap().pathway_facts(&c.pathway).unwrap().unwrap();
    assert!(facts.participation(c.place("aemo")).unwrap().ended_at.is_some());
}

#[test]
fn a_stand_in_who_accepts_as_one_accepts_an_invitation_reads_beside() {
    let (c, home) = august(false);
    let new = NewSuccession {
        assignment: c.t.person("aemo_colleague").assignment.clone(),
        from: Some(last(2027, 3, 9)),
        last_day: Some(last(2027, 3, 23)),
    };
    c.t.app.succession_name(&c.call("aemo_manager"), &c.pathway, c.place("aemo"), &new).unwrap();
    let accept = || c.t.app.participation_accept(&c.call("aemo_colleague"), &successor(&c));
    assert_eq!(rule(accept()).0, "too_early");
    c.t.go_to(2027, 3, 9);
    accept().unwrap();
    for who in ["aemo", "aemo_colleague"] {
        assert!(c.reads(who, &home, Purpose::Coordination), "both read: {who}");
    }
}

#[test]
fn law_this_person_only_does_not_follow_a_successor() {
    let (c, home) = august(true);
    name(&c, "aemo_manager", "aemo_colleague", Some(last(2027, 3, 23))).unwrap();
    c.t.app.succession_accept(&c.call("aemo_colleague"), &c.pathway, &successor(&c)).unwrap();
    assert!(c.reads("aemo", &home, Purpose::Coordination));
    assert!(!c.reads("aemo_colleague", &home, Purpose::Coordination));
}

#[test]
fn only_a_manager_of_that_organisation_names_and_only_somebody_alike() {
    let (c, home) = august(false);
    for by in ["referente", "aemo", "aemo_colleague", "pre_manager", "outsider"] {
        assert!(absent(name(&c, by, "aemo_colleague", None)), "{by}");
    }
    for who in ["aemo", "aemo_manager", "prevention", "referente"] {
        assert_eq!(rule(name(&c, "aemo_manager", who, None)).0, "not_alike", "{who}");
    }
    assert!(!c.reads("aemo_manager", &home, Purpose::Coordination), "a manager reads no item");
    assert_eq!(rule(name(&c, "aemo_manager", "aemo_colleague", Some(last(2027, 3, 1)))).0, "dates");
    name(&c, "aemo_manager", "aemo_colleague", None).unwrap();
    assert_eq!(rule(name(&c, "aemo_manager", "aemo_colleague", None)).0, "already_there");
}

#[test]
fn the_family_and_the_sharers_may_stop_it() {
    let (c, home) = august(false);
    let made = name(&c, "aemo_manager", "aemo_colleague", Some(last(2027, 3, 23))).unwrap();
    let id = SuccessionId::parse(&made.id).unwrap();
    c.t.app.succession_accept(&c.call("aemo_colleague"), &c.pathway, &successor(&c)).unwrap();
    let stop = |by: &str, asked_by| {
        c.t.app.succession_stop(&c.call(by), &c.pathway, &id, &StopSuccession { asked_by })
    };
    // What the list offers is what the act allows.
    let offered = |by: &str| {
        let told = c.t.app.successions_list(&c.call(by), &c.pathway).unwrap();
        told.items[0].may_stop_for.clone()
    };
    assert_eq!(offered("aemo"), [StoppedBy::Family]);
    assert_eq!(offered("referente"), [StoppedBy::Family, StoppedBy::Referent, StoppedBy::Sharer]);
    assert!(absent(stop("outsider", StoppedBy::Family)));
    assert!(absent(stop("aemo", StoppedBy::Referent)));
    stop("referente", StoppedBy::Family).unwrap();
    assert!(!c.reads("aemo_colleague", &home, Purpose::Coordination));
    assert!(c.reads("aemo", &home, Purpose::Coordination));
    assert!(offered("referente").is_empty());
    assert_eq!(rule(stop("referente", StoppedBy::Sharer)).0, "succession_over");
}

#[test]
fn law_r02_an_assignment_that_ends_takes_every_access_with_it() {
    let (c, home) = august(false);
    assert!(c.reads("aemo", &home, Purpose::Coordination));
    let assignment = c.t.person("aemo").assignment.clone();
    c.t.write(move |tx, at| tx.assignment_end(&assignment, 1, at));
    let after = c.read("aemo", &home, Some(Purpose::Coordination));
    assert!(matches!(after, Err(ServiceError::Unauthenticated)));
    let view = c.preview("referente", Purpose::Coordination, &[&home], None, Some(&["aemo"])).unwrap();
    assert!(codes(&view)[0].1.contains(&Reason::AssignmentNotInForce));
}

#[test]
fn story_s21_an_invitation_to_stand_in_says_who_asks_and_whose_place_it_is() {
    let (c, _) = august(false);
    name(&c, "aemo_manager", "aemo_colleague", Some(last(2027, 3, 23))).unwrap();
    let asked = c.t.app.invitations(&c.call("aemo_colleague")).unwrap();
    let invitation = &asked.items[0];
    let named = |who: &str| {
        let mut snapshot = c.t.app.store().snapshot().unwrap();
        snapshot.professional_fetch(&c.t.person(who).professional).unwrap().unwrap().words.name.clone()
    };
    assert_eq!(invitation.from.as_ref().unwrap().name, named("aemo_manager"), "not the référente");
    let place = invitation.takes_place_of.as_ref().unwrap();
    assert_eq!(place.who.name, named("aemo"));
    assert_eq!((place.first_day.as_deref(), place.last_day.as_deref()), (None, Some("2027-03-23")));
}
