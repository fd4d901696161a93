//! The sheet itself: levels, states, who is named, what may be recorded, and reading it back.

use super::fixture::*;
use super::*;
use crate::clock::Timestamp;
use crate::domain::cell::{AccordFact as Fact, Need};
use crate::domain::person::PersonFacts;
use crate::domain::vocabulary::{Category, Profession, Purpose};

fn carries(_: Purpose, category: Category) -> bool {
    category != Category::Affective
}

fn new(draft: AccordDraft) -> Result<AccordFacts, AccordError> {
    AccordFacts::new(draft, &aged(9).person, &carries, noon(0))
}

#[test]
fn law_levels_are_deduced_line_by_line() {
    let shown = showing(line(1, teacher(), &[Category::Schooling]), 7, Category::HealthMinimal);
    let world = aged(9).with(
        draft(1, Purpose::Schooling, vec![shown]),
        vec![(noon(0), paper(mother(), &[1], base())), (noon(0), paper(father(), &[1], base()))],
    );
    let teacher = teacher();
    let (seven, eight) = (version(7), version(8));
    for (category, item, expected) in [
        (Category::Schooling, None, Fact::Category),
        (Category::Identity, None, Fact::Opening),
        (Category::HealthMinimal, Some(&seven), Fact::Informed),
        (Category::HealthMinimal, Some(&eight), Fact::Opening),
        (Category::Schooling, Some(&seven), Fact::Category),
    ] {
        let mut q = query(&teacher, category, Purpose::Schooling, Need::Informed);
        q.item_version = item;
        assert_eq!(world.answer(&q, noon(1)).fact, expected, "{category} {item:?}");
    }
    let q = query(&teacher, Category::Schooling, Purpose::Coordination, Need::Opening);
    assert_eq!(world.answer(&q, noon(1)).fact, Fact::None, "one accord, one purpose");
}

#[test]
fn law_a_line_that_lacks_a_signature_counts_as_missing_while_the_others_stand() {
    let two = draft(
        1,
        Purpose::Schooling,
        vec![line(1, teacher(), &[Category::Schooling]), line(2, camp(), &[Category::Schooling])],
    );
    let world = aged(9).with(two, vec![(noon(0), paper(mother(), &[1], base()))]);
    let (teacher, camp) = (teacher(), camp());
    let of = |key| query(key, Category::Schooling, Purpose::Schooling, Need::Category);
    assert_eq!(world.answer(&of(&teacher), noon(1)).fact, Fact::Category);
    assert_eq!(world.answer(&of(&camp), noon(1)).fact, Fact::None);
}

#[test]
fn law_draft_printed_and_partly_signed_never_count() {
    let world = aged(15).with(school(1), vec![]);
    assert_eq!(world.schooling(Need::Opening, noon(1)), Fact::None);
    let world = aged(15).with(school(1), vec![(noon(0), EventKind::Printed)]);
    assert_eq!(world.schooling(Need::Opening, noon(1)), Fact::None);
    let world = aged(15).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    assert_eq!(world.schooling(Need::Opening, noon(1)), Fact::None);
}

#[test]
fn law_an_accord_counts_from_its_first_day_until_its_last_half_open() {
    let mut accord = school(1);
    accord.starts = plus(3);
    accord.ends = plus(10);
    let world = aged(9).with(accord, vec![(noon(0), paper(mother(), &[1], base()))]);
    let (start, end) = (Timestamp::paris_midnight(plus(3)), Timestamp::paris_midnight(plus(10)));
    assert_eq!(world.schooling(Need::Opening, start.plus_micros(-1)), Fact::None);
    assert_eq!(world.schooling(Need::Opening, start), Fact::Category);
    assert_eq!(world.schooling(Need::Opening, end.plus_micros(-1)), Fact::Category);
    assert_eq!(world.schooling(Need::Opening, end), Fact::Expired);
    let teacher = teacher();
    let q = query(&teacher, Category::Schooling, Purpose::Schooling, Need::Opening);
    assert_eq!(world.answer(&q, noon(1)).valid_until, start);
    assert_eq!(world.answer(&q, noon(4)).valid_until, end);
    assert_eq!(world.answer(&q, end).valid_until, Timestamp::paris_midnight(day(2034, 10, 10)), "majority");
}

#[test]
fn law_replaced_counts_as_neither_expired_nor_refused() {
    let world = aged(9).with(
        school(1),
        vec![(noon(0), paper(mother(), &[1], base())), (noon(2), EventKind::Replaced { by: accord_id(2) })],
    );
    assert_eq!(world.schooling(Need::Opening, noon(1)), Fact::Category);
    assert_eq!(world.schooling(Need::Opening, noon(3)), Fact::None);
    let status = state(&world.accords[0], &world.file(), &|_, _| Need::Category, noon(3));
    assert_eq!(status.state, AccordState::Replaced { at: noon(2), by: accord_id(2) });
}

#[test]
fn law_after_a_refusal_an_accord_signed_later_counts_and_an_expired_one_says_expired() {
    let mut short = school(2);
    short.starts = plus(3);
    short.ends = plus(8);
    let world = aged(9)
        .with(school(1), vec![(noon(0), paper(mother(), &[1], base()))])
        .standing(noon(2), withdrawn(mother(), Scope::Everything))
        .with(short, vec![(noon(3), paper(mother(), &[1], plus(3)))]);
    assert_eq!(world.schooling(Need::Opening, noon(2)), Fact::Withdrawn);
    assert_eq!(world.schooling(Need::Opening, noon(4)), Fact::Category);
    assert_eq!(world.schooling(Need::Opening, noon(9)), Fact::Expired, "the earlier accord stays defeated");
}

#[test]
fn law_at_equal_moments_the_no_wins_whatever_the_order_of_recording() {
    for swapped in [false, true] {
        let mut kinds =
            vec![(noon(0), paper(mother(), &[1], base())), (noon(0), withdrawn(mother(), Scope::Sheet))];
        if swapped {
            kinds.reverse();
        }
        let world = aged(9).with(school(1), kinds);
        assert_eq!(world.schooling(Need::Opening, noon(0)), Fact::Withdrawn);
    }
}

#[test]
fn who_is_named_may_be_invited_as_recipient_or_contributor() {
    let mut brings = line(2, camp(), &[]);
    brings.kind = LineKind::Contributor;
    let accord = draft(1, Purpose::Schooling, vec![line(1, teacher(), &[]), brings]);
    let world = aged(9).with(accord, vec![(noon(0), paper(mother(), &[1, 2], base()))]);
    let file = world.file();
    let reads = named(&teacher(), None, &file, noon(1));
    assert!(reads.named && reads.as_recipient);
    assert_eq!(reads.valid_until, Timestamp::paris_midnight(day(2027, 3, 2)));
    let gives = named(&camp(), None, &file, noon(1));
    assert!(gives.named && !gives.as_recipient);
    let camp = camp();
    let q = query(&camp, Category::Identity, Purpose::Schooling, Need::Opening);
    assert_eq!(accord_fact(&q, &file, noon(1)).fact, Fact::None, "a contributor reads nothing");
    assert!(!named(&welfare(), None, &file, noon(1)).named);
    assert!(!named(&teacher(), None, &file, Timestamp::paris_midnight(day(2027, 3, 2))).named);
    let world = world.standing(noon(2), withdrawn(father(), Scope::Recipient(teacher())));
    assert!(!named(&teacher(), None, &world.file(), noon(2)).named);
}

#[test]
fn law_r05_an_action_needs_an_accord_for_its_purpose_that_names_who_acts() {
    let world = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    let acts = |n, purpose, at| acts_under_accord(&organisation(n), purpose, &world.file(), at).named;
    assert!(acts(1, Purpose::Schooling, noon(1)));
    assert!(!acts(1, Purpose::Coordination, noon(1)));
    assert!(!acts(2, Purpose::Schooling, noon(1)));
    assert!(!acts(1, Purpose::Schooling, noon(-1)));
}

fn stands(at: Timestamp, by: EndsBy) -> AccordState {
    AccordState::InForce { end: Some(End { at, by }), awaited: vec![] }
}

#[test]
fn states_follow_the_events_and_say_who_is_awaited() {
    let kinds = vec![
        (noon(0), EventKind::Printed),
        (noon(1), paper(mother(), &[1], plus(1))),
        (noon(2), paper(CHILD, &[1], plus(2))),
        (noon(3), paper(father(), &[1], plus(3))),
        (noon(9), withdrawn(CHILD, Scope::Sheet)),
    ];
    let world = aged(15).with(school(1), kinds);
    let at = |need, t| state(&world.accords[0], &world.file(), &|_, _| need, t).state;
    assert_eq!(at(Need::Informed, noon(-1)), AccordState::Draft);
    assert_eq!(at(Need::Informed, noon(0)), AccordState::Printed { at: noon(0) });
    let awaited = |all_of: Vec<_>, any_of: Vec<_>| AccordState::PartlySigned {
        awaited: vec![Awaited { line: line_id(1), all_of, any_of, unestablished: None }],
    };
    let father_slot = vec![vec![SignatorySlot::Holder(holder(2))]];
    assert_eq!(at(Need::Informed, noon(1)), awaited(vec![SignatorySlot::YoungPerson], father_slot.clone()));
    assert_eq!(at(Need::Category, noon(1)), awaited(vec![SignatorySlot::YoungPerson], vec![]));
    assert_eq!(at(Need::Informed, noon(2)), awaited(vec![], father_slot));
    let until = Timestamp::paris_midnight(day(2027, 3, 2));
    assert_eq!(at(Need::Category, noon(3)), stands(noon(9), EndsBy::Change));
    assert_eq!(at(Need::Informed, noon(9)), AccordState::Withdrawn { at: noon(9) });
    let quiet = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    let status = state(&quiet.accords[0], &quiet.file(), &|_, _| Need::Category, noon(1));
    assert_eq!(status.state, stands(until, EndsBy::Term));
    let status = state(&quiet.accords[0], &quiet.file(), &|_, _| Need::Category, until);
    assert_eq!(status.state, AccordState::Expired);
    let refusal = aged(13).with(school(1), vec![(noon(0), refused(CHILD, Scope::Sheet))]);
    let status = state(&refusal.accords[0], &refusal.file(), &|_, _| Need::Opening, noon(1));
    assert_eq!(status.state, AccordState::Refused { at: noon(0) });
}

#[test]
fn what_stands_says_when_and_why_it_ends() {
    let midnight = Timestamp::paris_midnight;
    let of = |world: &World, now| {
        state(world.accords.last().unwrap(), &world.file(), &|_, _| Need::Category, now).state
    };
    // Said aloud: without a sheet in the 21 days, or at the end of the accord where that comes first or with them.
    let spoken = |ends| {
        let accord = AccordDraft { ends, ..school(1) };
        aged(9).with(accord, vec![(noon(0), oral(mother(), &[1], base()))])
    };
    assert_eq!(of(&spoken(day(2027, 3, 2)), noon(1)), stands(midnight(plus(21)), EndsBy::OralLapse));
    for days in [20, 21] {
        assert_eq!(of(&spoken(plus(days)), noon(1)), stands(midnight(plus(days)), EndsBy::Term));
    }
    let sheet = EventKind::SheetSigned { by: mother(), on: plus(5), original_at: reference() };
    let confirmed = aged(9).with(school(1), vec![(noon(0), oral(mother(), &[1], base())), (noon(5), sheet)]);
    assert_eq!(of(&confirmed, noon(6)), stands(midnight(day(2027, 3, 2)), EndsBy::Term));
    // What somebody else said aloud, and what is not needed, ends nothing.
    let both = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), oral(father(), &[1], base()))];
    assert_eq!(of(&aged(9).with(school(1), both), noon(1)), stands(midnight(day(2027, 3, 2)), EndsBy::Term));
    // At seventeen: what the parents signed stops on the birthday, 10 October 2026.
    let signed = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), paper(CHILD, &[1], base()))];
    let majority = day(2026, 10, 10);
    let grown = aged(17).with(school(1), signed.clone());
    assert_eq!(of(&grown, noon(1)), stands(midnight(majority), EndsBy::Majority));
    let until = |ends| aged(17).with(AccordDraft { ends, ..school(1) }, signed.clone());
    assert_eq!(of(&until(majority), noon(1)), stands(midnight(majority), EndsBy::Term));
    // Signed ahead for what follows it: thirty days, unless signed again.
    let ahead = AccordDraft { starts: majority, ends: day(2027, 6, 1), ..school(1) };
    let early = day(2026, 9, 1);
    let mut own = vec![(noon_of(early), paper(CHILD, &[1], early))];
    let now = noon_of(day(2026, 10, 20));
    let lapse = midnight(day(2026, 11, 9));
    assert_eq!(of(&aged(17).with(ahead.clone(), own.clone()), now), stands(lapse, EndsBy::Confirmation));
    own.push((noon_of(day(2026, 10, 12)), paper(CHILD, &[1], day(2026, 10, 12))));
    assert_eq!(of(&aged(17).with(ahead, own), now), stands(midnight(day(2027, 6, 1)), EndsBy::Term));
}

#[test]
fn the_accord_ends_with_the_first_of_its_lines() {
    let two = draft(
        1,
        Purpose::Schooling,
        vec![line(1, teacher(), &[Category::Schooling]), line(2, camp(), &[Category::Schooling])],
    );
    let kinds = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), oral(mother(), &[2], base()))];
    let world = aged(9).with(two, kinds);
    let status = state(&world.accords[0], &world.file(), &|_, _| Need::Category, noon(1));
    let lapse = stands(Timestamp::paris_midnight(plus(21)), EndsBy::OralLapse);
    let term = stands(Timestamp::paris_midnight(day(2027, 3, 2)), EndsBy::Term);
    let lines: Vec<AccordState> = status.lines.into_iter().map(|l| l.state).collect();
    assert_eq!((status.state, lines), (lapse.clone(), vec![term, lapse]));
}

#[test]
fn law_who_would_be_endangered_is_never_awaited_nor_told() {
    let mut world = aged(9).with(school(1), vec![]);
    world.impossibilities.push(impossible(2, crate::domain::person::Motive::ContactWouldEndanger, base()));
    let people = world.people();
    assert!(!people.may_be_contacted(&holder(2), plus(1)));
    assert!(people.may_be_contacted(&holder(1), plus(1)));
    assert!(people.to_be_told(&[holder(1)], plus(1)).is_empty());
    let teacher = teacher();
    let required = required_signatories(
        &people,
        &SigningQuestion {
            need: Need::Informed,
            purpose: Purpose::Schooling,
            recipient: Some(&teacher),
            day: plus(1),
            starts: base(),
            objectors: &std::collections::BTreeSet::new(),
        },
    )
    .unwrap();
    assert_eq!(required.any_of, vec![vec![SignatorySlot::Holder(holder(1))]]);
}

#[test]
fn law_an_accord_lasts_twelve_months_at_most() {
    assert!(new(school(1)).is_ok());
    let mut long = school(1);
    long.ends = day(2027, 3, 3);
    assert_eq!(new(long), Err(AccordError::TooLong(day(2027, 3, 2))));
    let mut empty = school(1);
    empty.ends = base();
    assert_eq!(new(empty), Err(AccordError::EmptyPeriod { starts: base(), ends: base() }));
    for days in [-40, 400] {
        let mut absurd = school(1);
        absurd.starts = plus(days);
        absurd.ends = plus(days + 10);
        assert_eq!(new(absurd), Err(AccordError::AbsurdStart(plus(days))));
    }
}

#[test]
fn law_what_a_draft_must_hold() {
    let nickname = PersonFacts::new(None, None, true).unwrap();
    assert_eq!(
        AccordFacts::new(school(1), &nickname, &carries, noon(0)),
        Err(AccordError::NicknameOnly),
        "STORIES S15"
    );
    assert_eq!(new(draft(1, Purpose::Schooling, vec![])), Err(AccordError::NoLine));
    let twice = vec![line(1, teacher(), &[]), line(1, camp(), &[])];
    assert_eq!(new(draft(1, Purpose::Schooling, twice)), Err(AccordError::DuplicateLine(line_id(1))));
    let carried = draft(1, Purpose::Schooling, vec![line(1, teacher(), &[Category::Affective])]);
    assert_eq!(
        new(carried),
        Err(AccordError::PurposeExcludes { purpose: Purpose::Schooling, category: Category::Affective })
    );
    let mut own = school(1);
    own.collector = teacher();
    assert_eq!(new(own), Err(AccordError::CollectedByOnlyRecipient));
    let mut child_interprets = school(1);
    child_interprets.interpreter = Some(Interpreter { of_age: false });
    assert_eq!(new(child_interprets), Err(AccordError::InterpreterMinor));
    let auditor = draft(1, Purpose::Schooling, vec![line(1, key(3, Profession::Auditor), &[])]);
    assert_eq!(new(auditor), Err(AccordError::PlatformRecipient(Profession::Auditor)));
    let mut brings = line(1, teacher(), &[Category::Schooling]);
    brings.kind = LineKind::Contributor;
    assert_eq!(
        new(draft(1, Purpose::Schooling, vec![brings])),
        Err(AccordError::ContributorReceives(line_id(1)))
    );
    assert_eq!(NoticeMark::new("1", "zz"), Err(AccordError::Notice));
    assert!(Language::parse("fr-LSF").is_ok() && Language::parse("le français").is_err());
}

#[test]
fn law_what_an_event_must_hold() {
    let world = aged(9).with(
        draft(1, Purpose::Schooling, vec![showing(line(1, teacher(), &[]), 7, Category::Schooling)]),
        vec![],
    );
    let check = |kind| world.accords[0].check(&Event::new(noon(1), 0, kind).unwrap(), &world.people());
    assert_eq!(check(paper(mother(), &[1], base())), Ok(()));
    assert_eq!(check(oral(mother(), &[1], base())), Err(AccordError::WordsNeedPaper(line_id(1))));
    assert_eq!(check(paper(mother(), &[2], base())), Err(AccordError::UnknownLine(line_id(2))));
    let stranger = Signatory::Holder(holder(77));
    assert_eq!(check(paper(stranger.clone(), &[1], base())), Err(AccordError::CannotSign(holder(77))));
    assert_eq!(check(refused(stranger, Scope::Sheet)), Err(AccordError::CannotSign(holder(77))));
    let unheard = EventKind::SheetSigned { by: mother(), on: base(), original_at: reference() };
    assert_eq!(check(unheard), Err(AccordError::NothingToConfirm));
    let by_other = EventKind::TalkHeld { by: assignment(5), maintained: true };
    assert_eq!(check(by_other), Err(AccordError::TalkByAnother));
    assert_eq!(check(withdrawn(father(), Scope::Everything)), Ok(()));
    assert!(matches!(
        Event::new(noon(0), 0, paper(mother(), &[1], plus(1))),
        Err(AccordError::SignatureDay { .. })
    ));
    assert_eq!(Event::new(noon(0), 0, paper(mother(), &[], base())), Err(AccordError::NothingSigned));
    let end = noon_of(day(2027, 3, 2));
    let late = Event::new(end, 0, paper(mother(), &[1], day(2027, 3, 1))).unwrap();
    assert_eq!(world.accords[0].check(&late, &world.people()), Err(AccordError::Over));
}

#[test]
fn an_accord_and_its_events_read_back_and_a_stored_one_is_checked_again() {
    let facts = new(school(1)).unwrap();
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<AccordFacts>(&text).unwrap(), facts);
    let longer = text.replace("2027-03-02", "2029-03-02");
    assert!(serde_json::from_str::<AccordFacts>(&longer).is_err());
    let kinds = vec![
        EventKind::Printed,
        paper(mother(), &[1], base()),
        oral(CHILD, &[1], base()),
        EventKind::SheetSigned { by: CHILD, on: base(), original_at: reference() },
        opinion(base()),
        refused(CHILD, Scope::Line(line_id(1))),
        withdrawn(father(), Scope::Recipient(teacher())),
        EventKind::Opposed { by: father(), scope: Scope::Category(Category::Family) },
        talk(true),
        EventKind::Replaced { by: accord_id(4) },
    ];
    for event in events(kinds.into_iter().map(|k| (noon(0), k)).collect()) {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
        let debug = format!("{event:?}");
        assert!(!debug.contains("dossier 12"), "{debug}");
    }
}
