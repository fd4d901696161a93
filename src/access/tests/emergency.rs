//! The gates of an emergency (S13): what it opens, to whom, and what it never opens.

use super::*;
use crate::domain::emergency::{
    Emergency, EmergencyEvent, EmergencyEventKind, EmergencyOpening, emergency_opens,
};
use crate::ids::EmergencyId;

fn emergency_id(n: u8) -> EmergencyId {
    EmergencyId::random(&Fixed(n)).unwrap()
}

/// One item of every category, written by everybody of the circle, under the accords of nobody.
fn everything_written() -> PathwayFacts {
    let mut f = everybody();
    let mut n = 100;
    for author in [REFERENTE, AEMO, TEACHER, NURSE, PREVENTION] {
        for category in Category::ALL {
            f.items.push(item(n, author, *category, Secrecy::Bound));
            n += 1;
        }
    }
    f
}

fn opened(mut f: PathwayFacts, by: u8, at: Timestamp) -> PathwayFacts {
    let p = f.participation(&place(by)).unwrap();
    let who = (p.assignment.id.clone(), p.assignment.professional.clone());
    let opening = EmergencyOpening::open(emergency_id(by), place(by), who, at, &[]).unwrap();
    f.emergencies.push(Emergency::new(opening, &[]));
    f
}

fn ask_item(
    f: &PathwayFacts,
    b: &CharterBook,
    reader: u8,
    i: &ItemFacts,
    id: u8,
    now: Timestamp,
) -> Decision {
    let participation = f.participation(&place(reader)).unwrap();
    decide_item(&Question {
        facts: f,
        book: b,
        assignment: &participation.assignment,
        participation: Some(participation),
        asker: None,
        item: i,
        version: i.current().unwrap(),
        purpose: None,
        mode: Mode::Emergency { opening: emergency_id(id) },
        now,
    })
}

fn sheet(f: &PathwayFacts, reader: u8, id: u8, now: Timestamp) -> Decision {
    let p = f.participation(&place(reader)).unwrap();
    let resource = Resource::EmergencyIdentity(emergency_id(id));
    decide_resource(f, &book(), &p.assignment, Some(p), &resource, now)
}

/// Over every reader, author, category and status: a permit is one of the two categories, for somebody whose place and
/// row receive them, whose own opening is in force, and never a cell `N`.
#[test]
fn law_5_an_emergency_opens_identity_and_minimal_health_and_nothing_else() {
    let b = book();
    let matrix = Charter::embedded_demo().unwrap().matrix().clone();
    let (mut permitted, mut refused) = (0, 0);
    for reader in [REFERENTE, AEMO, DIRECTOR, TEACHER, NURSE, PREVENTION] {
        for secrecy in [Secrecy::Bound, Secrecy::Contested, Secrecy::NotBound] {
            for role in [Role::Referent, Role::Participant, Role::ContributorOnly, Role::StayOrganiser] {
                let mut f = opened(everything_written(), reader, noon(0));
                change(&mut f, reader, |p| {
                    p.assignment.stated_secrecy = secrecy;
                    p.role = role;
                });
                let profession = f.participation(&place(reader)).unwrap().assignment.profession;
                for i in &f.items {
                    let d = ask_item(&f, &b, reader, i, reader, noon(0));
                    let never = matrix.cell(profession, secrecy, i.category).need() == Need::Never;
                    let two = matches!(i.category, Category::Identity | Category::HealthMinimal);
                    let receives = matches!(role, Role::Referent | Role::Participant);
                    assert_eq!(
                        d.permitted,
                        two && receives && !never,
                        "{reader} {secrecy} {role} {}",
                        i.category
                    );
                    if d.permitted {
                        permitted += 1;
                        assert_eq!((d.reason, d.regime), (Reason::Emergency, Some(Regime::Emergency)));
                        assert!(d.as_family, "without author, whoever wrote it");
                        assert_eq!(d.reads_until, noon(1), "a day at most");
                        assert!(d.valid_until <= noon(1) && d.basis[0].starts_with("emergency:"));
                        let facts = d.facts.unwrap();
                        assert_eq!(facts.category, i.category);
                        let cell = matrix.cell(profession, secrecy, facts.category);
                        assert!(emergency_opens(facts.category, cell).is_ok(), "a replay says the same");
                    } else {
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(permitted > 100 && refused > permitted, "{permitted} {refused}");
}

#[test]
fn law_5_an_emergency_is_over_after_a_day_or_at_its_authors_word() {
    let b = book();
    let f = opened(everything_written(), PREVENTION, noon(0));
    let health = f.items.iter().find(|i| i.category == Category::HealthMinimal).unwrap();
    let at = |now| ask_item(&f, &b, PREVENTION, health, PREVENTION, now);
    assert!(at(noon(0)).permitted && at(noon(1).plus_micros(-1)).permitted);
    assert_eq!(at(noon(1)).reason, Reason::EmergencyEnded);
    assert_eq!(sheet(&f, PREVENTION, PREVENTION, noon(1)).reason, Reason::EmergencyEnded);
    assert!(sheet(&f, PREVENTION, PREVENTION, noon(0)).permitted);
    assert!(!at(noon(0).plus_micros(-1)).permitted, "nor before it began");
    let event = EmergencyEvent {
        emergency: emergency_id(PREVENTION),
        at: noon(0).plus_seconds(60),
        kind: EmergencyEventKind::Ended,
    };
    let p = f.participation(&place(PREVENTION)).unwrap();
    let who = (p.assignment.id.clone(), p.assignment.professional.clone());
    let opening =
        EmergencyOpening::open(emergency_id(PREVENTION), place(PREVENTION), who, noon(0), &[]).unwrap();
    let mut f = everything_written();
    f.emergencies.push(Emergency::new(opening, &[event]));
    let health = f.items.iter().find(|i| i.category == Category::HealthMinimal).unwrap();
    let d = ask_item(&f, &b, PREVENTION, health, PREVENTION, noon(0).plus_seconds(61));
    assert_eq!(d.reason, Reason::EmergencyEnded);
}

#[test]
fn threat_an_opening_serves_its_author_only_and_no_other_door() {
    let b = book();
    let f = opened(everything_written(), PREVENTION, noon(0));
    let health = f.items.iter().find(|i| i.category == Category::HealthMinimal).unwrap();
    for other in [REFERENTE, AEMO, TEACHER, NURSE] {
        let d = ask_item(&f, &b, other, health, PREVENTION, noon(0));
        assert!(!d.permitted && reasons(&d).contains(&Reason::NotShared), "{other}");
        assert!(!sheet(&f, other, PREVENTION, noon(0)).permitted, "{other}");
    }
    assert!(!ask_item(&f, &b, PREVENTION, health, 77, noon(0)).permitted, "an opening that is not there");
    // The ordinary door is what it was.
    let foreign = health.author != place(PREVENTION);
    let n = f.items.iter().position(|i| i.id == health.id).unwrap();
    let d = ask(&f, &b, PREVENTION, 100 + u8::try_from(n).unwrap(), Some(Purpose::Coordination), noon(0));
    assert!(foreign && !d.permitted);
}

#[test]
fn an_emergency_replaces_neither_actor_nor_place_nor_the_end_of_an_item() {
    let b = book();
    let read = |how: &dyn Fn(&mut PathwayFacts)| {
        let mut f = opened(everything_written(), PREVENTION, noon(0));
        how(&mut f);
        let health = f.items.iter().find(|i| i.category == Category::HealthMinimal).unwrap();
        ask_item(&f, &b, PREVENTION, health, PREVENTION, noon(0)).reason
    };
    let one = |how: fn(&mut ParticipationFacts)| read(&|f| change(f, PREVENTION, how));
    assert_eq!(one(|_| ()), Reason::Emergency);
    assert_eq!(one(|p| p.ended_at = Some(noon(0))), Reason::NotAParticipant);
    assert_eq!(one(|p| p.accepted_at = None), Reason::InvitationPending);
    assert_eq!(one(|p| p.assignment.ends_at = Some(noon(0))), Reason::AssignmentNotInForce);
    assert_eq!(one(|p| p.assignment.signed.clear()), Reason::CharterNotSignedPerson);
    assert_eq!(one(|p| p.role = Role::ContributorOnly), Reason::ContributorOnly);
    assert_eq!(read(&|f| f.accords.clear()), Reason::NotAParticipant, "no longer named by anything");
    let expired = read(&|f| {
        for v in f.items.iter_mut().flat_map(|i| i.versions.iter_mut()) {
            v.valid_until = Some(noon(0));
        }
    });
    assert_eq!(expired, Reason::ItemExpired);
}

#[test]
fn s13_a_referent_who_may_not_know_of_the_place_learns_nothing_of_its_opening() {
    let f = opened(everybody(), AEMO, noon(0));
    let r = Resource::Emergency(emergency_id(AEMO));
    assert!(resource(&f, AEMO, &r).permitted, "its author");
    assert!(!resource(&f, REFERENTE, &r).permitted, "hidden from the référente");
    let f = opened(everybody(), PREVENTION, noon(0));
    let r = Resource::Emergency(emergency_id(PREVENTION));
    assert!(resource(&f, REFERENTE, &r).permitted);
    for other in [TEACHER, NURSE, AEMO, DIRECTOR] {
        assert!(!resource(&f, other, &r).permitted, "{other}");
    }
}

#[test]
fn law_5_an_officer_reads_the_motive_and_nobody_else_does() {
    let f = opened(everybody(), PREVENTION, noon(0));
    let r = Resource::EmergencyMotive(emergency_id(PREVENTION));
    let officer = posted(90, 6, 9, Profession::DataProtectionOfficer, Secrecy::Bound);
    let asked = |a: &AssignmentFacts| decide_resource(&f, &book(), a, None, &r, noon(0)).permitted;
    assert!(asked(&officer));
    let ended = AssignmentFacts { ends_at: Some(noon(0)), ..officer.clone() };
    let own = AssignmentFacts {
        professional: f.participation(&place(PREVENTION)).unwrap().assignment.professional.clone(),
        ..officer.clone()
    };
    assert!(!asked(&ended) && !asked(&own), "ended; one's own opening");
    for profession in Profession::ALL.iter().filter(|p| **p != Profession::DataProtectionOfficer) {
        assert!(!asked(&posted(90, 6, 9, *profession, Secrecy::Bound)), "{profession}");
    }
    for reader in [REFERENTE, AEMO, DIRECTOR, TEACHER, NURSE, PREVENTION] {
        assert!(!resource(&f, reader, &r).permitted, "{reader}");
    }
    // Of everything else an officer opens nothing.
    for r in [Resource::Existence, Resource::Identity, Resource::EmergencyOpen, Resource::ManagerView] {
        assert!(!decide_resource(&f, &book(), &officer, None, &r, noon(0)).permitted, "{r:?}");
    }
}
