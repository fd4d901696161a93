//! The spoken word, danger, transmissions (S19, S20).

use super::*;
use crate::service::spoken::NewSpoken;
use crate::service::transmissions::{NewTransmission, TransmittedTo};

fn said(c: &Circle, category: Category, item: Option<&ItemRef>, on: Day) -> NewSpoken {
    NewSpoken {
        recipient: c.place("prevention").clone(),
        category,
        purpose: Purpose::Coordination,
        item: item.cloned(),
        on,
    }
}

fn circle() -> Circle {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.join("mission_locale", Mandate::Contractual, Role::Participant, Some("referente"));
    let lines = ["prevention", "mission_locale"].map(|n| c.line(n, &[Category::Family], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone(), c.father.clone()]);
    c
}

#[test]
fn story_s19_may_i_tell_with_nothing_written() {
    let c = circle();
    let ask = |category, to: &[&str]| {
        c.preview("referente", Purpose::Coordination, &[], Some(category), Some(to)).unwrap()
    };
    let yes = ask(Category::Family, &["prevention"]);
    assert!(yes.readers[0].will_read_all);
    assert!(yes.readers[0].things[0].item.is_none());
    let sentence = &yes.readers[0].things[0].sentence;
    assert!(sentence.contains("avec l'accord signé le 2 mars"), "{sentence}");
    let no = ask(Category::HealthMinimal, &["prevention"]);
    assert_eq!(codes(&no)[0].1, [Reason::AccordTooNarrow]);
    // LAW: a bound author and somebody who is not bound: the family validates the words.
    let no = ask(Category::Mobility, &["mission_locale"]);
    assert_eq!(codes(&no)[0].1, [Reason::NotFamilyReleased]);
    let never = ask(Category::HealthDetailed, &["prevention"]);
    assert!(codes(&never)[0].1.contains(&Reason::CeilingNever));
}

#[test]
fn story_s19_what_was_said_is_kept_without_words_and_only_when_it_may_be_said() {
    let c = circle();
    let today = last(2027, 3, 2);
    let note = |new: NewSpoken| c.t.app.spoken_note(&c.call("referente"), &c.pathway, &new);
    note(said(&c, Category::Family, None, today)).unwrap();
    let (code, message) = rule(note(said(&c, Category::HealthMinimal, None, today)));
    assert_eq!(code, "not_to_be_said");
    assert!(message.contains("nommez le texte"), "{message}");
    assert_eq!(rule(note(said(&c, Category::Family, None, last(2027, 3, 1)))).0, "before_accord");
    assert_eq!(rule(note(said(&c, Category::Family, None, last(2027, 3, 3)))).0, "on");
    // With the text that the family has seen.
    let text = c.write("referente", treatment());
    let line = c.line("prevention", &[], &[(&text, Category::HealthMinimal)]);
    let both = [c.mother.clone(), c.father.clone()];
    c.accord(Purpose::Coordination, vec![line], &both);
    note(said(&c, Category::HealthMinimal, Some(&text), today)).unwrap();
    let list = |name| c.t.app.spoken_list(&c.call(name), &c.pathway).unwrap().into_inner().items;
    assert_eq!(list("referente").len(), 2);
    assert!(list("referente").iter().all(|s| s.mine));
    assert!(list("prevention").is_empty(), "its author, and the author's organisation");
}

#[test]
fn story_s20_danger_is_one_step_away_and_a_mention_stays_in_its_organisation() {
    let c = circle();
    let danger = c.t.app.danger(&c.call("teacher")).unwrap();
    let numbers: Vec<&str> = danger.numbers.iter().map(|n| n.number.as_str()).collect();
    assert_eq!(&numbers[..4], ["15", "17", "112", "119"]);
    assert_eq!(numbers.len(), 6);
    assert_eq!(danger.sentence, "Relais ne transmet rien à votre place.");
    let new = NewTransmission { on: last(2027, 3, 2), to: TransmittedTo::Crip };
    c.t.app.transmission_note(&c.call("prevention"), &c.pathway, &new).unwrap();
    let list = |name| c.t.app.transmissions_list(&c.call(name), &c.pathway).unwrap().into_inner().items;
    assert_eq!(list("prevention").len(), 1);
    assert!(list("referente").is_empty(), "not even the référente");
    let outside = c.t.app.transmissions_list(&c.call("outsider"), &c.pathway);
    assert!(absent(outside));
    let tomorrow = NewTransmission { on: last(2027, 3, 3), to: TransmittedTo::Prosecutor };
    assert_eq!(rule(c.t.app.transmission_note(&c.call("prevention"), &c.pathway, &tomorrow)).0, "on");
}
