//! Tests of releases.

use super::*;
use crate::domain::accord::fixture::*;
use crate::domain::accord::{AccordQuery, EventKind, Scope, Signatory, accord_fact};
use crate::domain::cell::AccordFact;
use crate::domain::vocabulary::Profession;

fn draft_for(n: u8, purpose: Purpose, recipient: RecipientKey) -> ReleaseDraft {
    ReleaseDraft {
        id: ReleaseId::random(&Fixed(n)).unwrap(),
        line: line_id(1),
        item_version: version(7),
        category: Category::HealthMinimal,
        purpose,
        recipient,
        only_assignment: None,
        made_on: base(),
        recorded_by: collector(),
        recorder: key(50, Profession::ReferentPre),
    }
}

fn release(world: &World, purpose: Purpose, kinds: Vec<(Timestamp, EventKind)>) -> Release {
    let recipient = if purpose == Purpose::Stay { camp() } else { teacher() };
    let facts = ReleaseFacts::new(draft_for(1, purpose, recipient), &world.person).unwrap();
    Release::new(facts, events(kinds))
}

fn with(mut world: World, purpose: Purpose, kinds: Vec<(Timestamp, EventKind)>) -> World {
    let release = release(&world, purpose, kinds);
    world.releases.push(release);
    world
}

fn ask(world: &World, purpose: Purpose, item: u8, now: Timestamp) -> ReleaseAnswer {
    let recipient = if purpose == Purpose::Stay { camp() } else { teacher() };
    let version = version(item);
    let query = ReleaseQuery {
        item_version: &version,
        category: Category::HealthMinimal,
        purpose,
        recipient: &recipient,
        assignment: None,
    };
    released(&query, &world.file(), now)
}

#[test]
fn where_a_sheet_stands_follows_its_signatures_and_a_no() {
    let stands = |world: &World, at| world.releases[0].state(&world.file(), at);
    let made = |kinds| with(aged(15), Purpose::Stay, kinds);
    let (parent, child) = (paper(mother(), &[1], base()), paper(CHILD, &[1], base()));
    assert_eq!(stands(&made(vec![]), noon(1)), AccordState::Draft);
    let printed = vec![(noon(0), EventKind::Printed)];
    assert_eq!(stands(&made(printed), noon(1)), AccordState::Printed { at: noon(0) });
    let AccordState::PartlySigned { awaited } = stands(&made(vec![(noon(0), parent.clone())]), noon(1))
    else {
        panic!("one of two signed")
    };
    assert_eq!(awaited.len(), 1, "the young person is awaited");
    let both = || vec![(noon(0), parent.clone()), (noon(0), child.clone())];
    assert!(matches!(stands(&made(both()), noon(1)), AccordState::InForce { .. }));
    let mut refused = both();
    refused.push((noon(2), EventKind::Withdrawn { by: mother(), scope: Scope::Sheet }));
    assert!(matches!(stands(&made(refused.clone()), noon(1)), AccordState::InForce { .. }));
    assert_eq!(stands(&made(refused), noon(3)), AccordState::Withdrawn { at: noon(2) });
}

#[test]
fn law_a_stay_release_needs_one_parent_and_the_young_person_from_fifteen() {
    let one = vec![(noon(0), paper(mother(), &[1], base()))];
    assert!(ask(&with(aged(9), Purpose::Stay, one.clone()), Purpose::Stay, 7, noon(1)).released);
    assert!(!ask(&with(aged(15), Purpose::Stay, one.clone()), Purpose::Stay, 7, noon(1)).released);
    let mut two = one;
    two.push((noon(0), paper(CHILD, &[1], base())));
    let answer = ask(&with(aged(15), Purpose::Stay, two), Purpose::Stay, 7, noon(1));
    assert!(answer.released);
    assert_eq!(answer.basis, Some(ReleaseBasis::Release(ReleaseId::random(&Fixed(1)).unwrap())));
}

#[test]
fn law_outside_a_stay_a_release_needs_both_parents() {
    let one = vec![(noon(0), paper(mother(), &[1], base()))];
    let mut two = one.clone();
    two.push((noon(0), paper(father(), &[1], base())));
    assert!(!ask(&with(aged(9), Purpose::Schooling, one), Purpose::Schooling, 7, noon(1)).released);
    assert!(ask(&with(aged(9), Purpose::Schooling, two), Purpose::Schooling, 7, noon(1)).released);
}

#[test]
fn law_a_release_binds_the_exact_version_recipient_and_purpose_on_paper() {
    let world = with(aged(9), Purpose::Stay, vec![(noon(0), paper(mother(), &[1], base()))]);
    assert!(!ask(&world, Purpose::Stay, 8, noon(1)).released, "another version");
    assert!(!ask(&world, Purpose::Schooling, 7, noon(1)).released, "another purpose and recipient");
    assert!(!ask(&world, Purpose::Stay, 7, noon(-1)).released, "before it was signed");
    let spoken = with(aged(9), Purpose::Stay, vec![(noon(0), oral(mother(), &[1], base()))]);
    assert!(!ask(&spoken, Purpose::Stay, 7, noon(1)).released);
}

#[test]
fn law_signing_a_notice_that_shows_the_exact_words_is_their_release() {
    let shown = |purpose, recipient| {
        draft(1, purpose, vec![showing(line(1, recipient, &[]), 7, Category::HealthMinimal)])
    };
    let world = aged(9).with(shown(Purpose::Stay, camp()), vec![(noon(0), paper(mother(), &[1], base()))]);
    let answer = ask(&world, Purpose::Stay, 7, noon(1));
    assert!(answer.released && matches!(answer.basis, Some(ReleaseBasis::Accord(_))));
    assert_eq!(answer.valid_until, Timestamp::paris_midnight(day(2027, 3, 2)));
    assert!(!ask(&world, Purpose::Stay, 8, noon(1)).released);
    // One parent is enough for an accord on a `C` cell, not for the release of words outside a stay.
    let world =
        aged(9).with(shown(Purpose::Schooling, teacher()), vec![(noon(0), paper(mother(), &[1], base()))]);
    assert!(!ask(&world, Purpose::Schooling, 7, noon(1)).released);
}

#[test]
fn law_a_refusal_withdrawal_or_opposition_undoes_a_release() {
    let signed = vec![(noon(0), paper(mother(), &[1], base()))];
    for scope in [Scope::Everything, Scope::Sheet, Scope::Category(Category::HealthMinimal)] {
        let no = (noon(2), EventKind::Opposed { by: father(), scope });
        let mut kinds = signed.clone();
        kinds.push(no);
        let world = with(aged(9), Purpose::Stay, kinds);
        assert!(ask(&world, Purpose::Stay, 7, noon(1)).released);
        assert!(!ask(&world, Purpose::Stay, 7, noon(2)).released);
    }
    let mut world = with(aged(9), Purpose::Stay, signed);
    world = world.standing(noon(3), withdrawn(Signatory::Holder(holder(1)), Scope::Recipient(camp())));
    assert!(!ask(&world, Purpose::Stay, 7, noon(3)).released);
}

#[test]
fn law_refusing_exact_words_refuses_these_words_and_leaves_the_accord() {
    let shown = draft(1, Purpose::Stay, vec![showing(line(1, camp(), &[]), 7, Category::HealthMinimal)]);
    let world = aged(9).with(shown, vec![(noon(0), paper(mother(), &[1], base()))]);
    let world = with(world, Purpose::Stay, vec![(noon(2), refused(mother(), Scope::Sheet))]);
    let (camp, seven, eight) = (camp(), version(7), version(8));
    for (item, expected) in [(&seven, AccordFact::Refused), (&eight, AccordFact::Opening)] {
        let query = AccordQuery {
            recipient: &camp,
            assignment: None,
            category: Category::HealthMinimal,
            purpose: Purpose::Stay,
            item_version: Some(item),
            need: Need::Informed,
        };
        assert_eq!(accord_fact(&query, &world.file(), noon(3)).fact, expected);
    }
    assert!(!ask(&world, Purpose::Stay, 7, noon(3)).released);
}

#[test]
fn law_at_majority_a_release_signed_by_others_ends() {
    let kinds = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), paper(CHILD, &[1], base()))];
    let world = with(aged(17), Purpose::Stay, kinds);
    let midnight = Timestamp::paris_midnight(day(2026, 10, 10));
    let answer = ask(&world, Purpose::Stay, 7, noon(1));
    assert!(answer.released);
    assert_eq!(answer.valid_until, midnight);
    assert!(!ask(&world, Purpose::Stay, 7, midnight).released);
}

#[test]
fn law_a_release_is_recorded_by_somebody_other_than_the_recipient() {
    let person = aged(9).person;
    let mut own = draft_for(1, Purpose::Stay, camp());
    own.recorder = camp();
    assert_eq!(ReleaseFacts::new(own, &person), Err(ReleaseError::RecordedByRecipient));
    let mut same = draft_for(1, Purpose::Stay, camp());
    same.only_assignment = Some(collector());
    assert_eq!(ReleaseFacts::new(same, &person), Err(ReleaseError::RecordedByRecipient));
    let nickname = PersonFacts::new(None, None, true).unwrap();
    let draft = draft_for(1, Purpose::Stay, camp());
    assert_eq!(ReleaseFacts::new(draft, &nickname), Err(ReleaseError::NicknameOnly));
}

#[test]
fn a_release_reads_back_and_a_tampered_one_does_not() {
    let facts = ReleaseFacts::new(draft_for(1, Purpose::Stay, camp()), &aged(9).person).unwrap();
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<ReleaseFacts>(&text).unwrap(), facts);
    assert!(
        serde_json::from_str::<ReleaseFacts>(&text.replace("\"recipient\",", "\"contributor\",")).is_err()
    );
}
