//! The first day of a stay (S1): what it may be, who is told of it, and the line of *Aujourd'hui* that it moves.

use super::shares::{camp, share_id};
use super::*;
use crate::service::today::Waiting;

fn sent(c: &Circle, things: &[&ItemRef], departure: Option<Day>) -> Result<Created, ServiceError> {
    let new = NewShare {
        purpose: Purpose::Stay,
        last_day: last(2027, 3, 20),
        departure,
        items: things.iter().map(|i| (*i).clone()).collect(),
        category: None,
        recipients: vec![c.place("director").clone()],
        statute: None,
    };
    c.t.app.share_create(&c.call("aemo"), &c.pathway, &new)
}

/// The line of the sharer, if there is one.
fn unread(c: &Circle) -> Option<(Option<String>, String)> {
    let view = c.t.app.today(&c.call("aemo")).unwrap();
    let line = view.waiting.iter().find(|w| w.kind == Waiting::UnreadStay)?;
    Some((line.on.clone(), line.sentence.clone()))
}

#[test]
fn story_s1_what_nobody_read_is_told_from_48_hours_before_the_departure() {
    let (c, health, coat) = camp("aemo");
    sent(&c, &[&health, &coat], Some(last(2027, 3, 12))).unwrap();
    // Ten days before, and long after 48 hours: nothing yet.
    for day in [2, 5, 9] {
        c.t.go_to(2027, 3, day);
        assert_eq!(unread(&c), None, "{day} March");
    }
    c.t.go_to(2027, 3, 10);
    let (on, sentence) = unread(&c).unwrap();
    assert_eq!(on.as_deref(), Some("2027-03-12"));
    assert!(sentence.starts_with("Départ le 12 mars 2027."), "{sentence}");
    c.t.go_to(2027, 3, 12);
    assert!(unread(&c).unwrap().1.starts_with("Départ aujourd'hui."));
    c.t.go_to(2027, 3, 13);
    assert!(unread(&c).unwrap().1.starts_with("Le départ était le 12 mars 2027."));
    let act = Act { action: Action::Read, resource: ResourceKind::Item };
    let sheet = c.t.app.stay_sheet(&c.call("director"), act, &c.pathway).unwrap();
    assert_eq!(sheet.departure.as_deref(), Some("2027-03-12"));
    assert_eq!(unread(&c), None, "read");
}

#[test]
fn story_s1_without_a_day_of_departure_48_hours_count_from_the_share() {
    let (c, health, coat) = camp("aemo");
    let shared = sent(&c, &[&health, &coat], None).unwrap();
    assert_eq!(unread(&c), None);
    c.t.go_to(2027, 3, 5);
    let (on, sentence) = unread(&c).unwrap();
    assert_eq!(on.as_deref(), Some("2027-03-20"), "the last day");
    assert!(sentence.starts_with("Ce que vous avez partagé"), "{sentence}");
    let view = c.t.app.share_read(&c.call("aemo"), &c.pathway, &share_id(&shared)).unwrap();
    assert!(view.departure.is_none());
}

#[test]
fn a_departure_is_of_a_stay_to_come_and_no_later_than_its_last_day() {
    let (c, health, _) = camp("aemo");
    for (day, expected) in [(last(2027, 3, 1), "departure_past"), (last(2027, 3, 21), "departure_after_end")]
    {
        assert_eq!(rule(sent(&c, &[&health], Some(day))).0, expected);
    }
    let (code, _) = rule(c.t.app.share_create(
        &c.call("aemo"),
        &c.pathway,
        &NewShare {
            purpose: Purpose::Coordination,
            last_day: last(2027, 3, 20),
            departure: Some(last(2027, 3, 12)),
            items: vec![health.clone()],
            category: None,
            recipients: vec![c.place("director").clone()],
            statute: None,
        },
    ));
    assert_eq!(code, "departure_without_stay");
    // Today, and a stay of one day.
    sent(&c, &[&health], Some(last(2027, 3, 20))).unwrap();
    c.t.go_to(2027, 3, 20);
    sent(&c, &[&health], Some(last(2027, 3, 20))).unwrap();
}

#[test]
fn a_departure_stays_with_the_share_when_a_part_of_it_ends() {
    let (c, health, coat) = camp("aemo");
    let shared = share_id(&sent(&c, &[&health, &coat], Some(last(2027, 3, 12))).unwrap());
    let end = crate::service::shares::EndShare { recipient: Some(c.place("director").clone()) };
    c.t.app.share_end(&c.call("aemo"), &c.pathway, &shared, &end).unwrap();
    let view = c.t.app.share_read(&c.call("aemo"), &c.pathway, &shared).unwrap();
    assert_eq!(view.departure, Some(last(2027, 3, 12)));
    let act = Act { action: Action::Read, resource: ResourceKind::Item };
    let sheet = c.t.app.stay_sheet(&c.call("director"), act, &c.pathway).unwrap();
    assert_eq!(sheet.departure, None, "nothing of it is read any more");
}
