//! LAW §5, rule by rule: who signs, who may say no, and what time does.

use super::fixture::*;
use super::*;
use crate::clock::Timestamp;
use crate::domain::cell::{AccordFact, Need};
use crate::domain::person::{Motive, PersonFacts};
use crate::domain::vocabulary::{Capacity, Category, Profession, Purpose};
use crate::ids::AssignmentId;

use AccordFact as Fact;
use Need::{Category as C, Informed as CI, Opening as A};

fn no_answer() -> Motive {
    Motive::NoAnswer { first_attempt: plus(-20), second_attempt: plus(-10) }
}

#[test]
fn law_one_parent_signs_a_and_c_both_sign_other_ci() {
    let one = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    assert_eq!(one.schooling(A, noon(1)), Fact::Category);
    assert_eq!(one.schooling(C, noon(1)), Fact::Category);
    assert_eq!(one.schooling(CI, noon(1)), Fact::None, "a line that lacks a signature counts as missing");
    let both = aged(9).with(
        school(1),
        vec![(noon(0), paper(mother(), &[1], base())), (noon(1), paper(father(), &[1], plus(1)))],
    );
    assert_eq!(both.schooling(CI, noon(2)), Fact::Category);
    assert_eq!(both.schooling(CI, noon(0)), Fact::None);
}

#[test]
fn law_a_stay_is_an_everyday_act_one_parent_signs_every_subject() {
    let stay = draft(
        1,
        Purpose::Stay,
        vec![showing(line(1, camp(), &[Category::HealthMinimal]), 7, Category::HealthMinimal)],
    );
    let world = aged(9).with(stay, vec![(noon(0), paper(mother(), &[1], base()))]);
    let (camp, seven) = (camp(), version(7));
    let mut q = query(&camp, Category::HealthMinimal, Purpose::Stay, CI);
    q.item_version = Some(&seven);
    let answer = world.answer(&q, noon(1));
    assert_eq!(answer.fact, Fact::Informed);
    assert_eq!(answer.signed_on, Some(base()));
    assert_eq!(answer.basis, Some(Basis { accord: accord_id(1), line: line_id(1) }));
}

#[test]
fn law_both_parents_means_both_are_on_record_or_out_of_reach() {
    let signed = vec![(noon(0), paper(mother(), &[1], base()))];
    let mut alone = aged(9).with(school(1), signed);
    alone.holders = vec![parent(1)];
    assert_eq!(alone.schooling(C, noon(1)), Fact::Category);
    assert_eq!(alone.schooling(CI, noon(1)), Fact::None, "nobody said that there is no second parent");
    alone.holders.push(parent(2));
    alone.impossibilities.push(impossible(2, Motive::Deceased, plus(0)));
    assert_eq!(alone.schooling(CI, noon(1)), Fact::Category);
}

#[test]
fn law_an_impossibility_completes_from_its_day_and_its_end_ends_nothing() {
    let mut world = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    world.impossibilities.push(impossible(2, no_answer(), plus(5)));
    assert_eq!(world.schooling(CI, noon(4)), Fact::None);
    let teacher = teacher();
    let q = query(&teacher, Category::Schooling, Purpose::Schooling, CI);
    assert_eq!(world.answer(&q, noon(4)).valid_until, Timestamp::paris_midnight(plus(5)));
    assert_eq!(world.schooling(CI, noon(5)), Fact::Category);
    assert_eq!(world.schooling(CI, noon(200)), Fact::Category, "the impossibility ended after 90 days");
    // Signed after its end, the other parent is awaited again.
    let mut later = school(1);
    later.starts = plus(100);
    let mut world = aged(9).with(later, vec![(noon(100), paper(mother(), &[1], plus(100)))]);
    world.impossibilities.push(impossible(2, no_answer(), plus(5)));
    assert_eq!(world.schooling(CI, noon(101)), Fact::None);
}

#[test]
fn law_a_relative_is_heard_and_never_signs_nor_opposes() {
    let mut world = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    world.holders = vec![adult(1, Capacity::Relative, None), parent(2)];
    assert_eq!(world.schooling(A, noon(1)), Fact::None);
    let mut world = aged(9)
        .with(school(1), vec![(noon(0), paper(father(), &[1], base()))])
        .standing(noon(1), EventKind::Opposed { by: mother(), scope: Scope::Everything });
    world.holders = vec![adult(1, Capacity::Relative, None), parent(2)];
    assert_eq!(world.schooling(A, noon(2)), Fact::Category);
}

#[test]
fn law_from_twelve_the_opinion_is_recorded() {
    let signed = vec![(noon(0), paper(mother(), &[1], base()))];
    assert_eq!(aged(11).with(school(1), signed.clone()).schooling(A, noon(1)), Fact::Category);
    assert_eq!(aged(12).with(school(1), signed).schooling(A, noon(1)), Fact::None);
    let heard = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), opinion(base()))];
    assert_eq!(aged(12).with(school(1), heard).schooling(A, noon(1)), Fact::Category);
}

fn refusal_at_13(more: Vec<(Timestamp, EventKind)>) -> World {
    let mut kinds = vec![
        (noon(0), opinion(base())),
        (noon(0), paper(mother(), &[1], base())),
        (noon(0), paper(father(), &[1], base())),
        (noon(2), refused(CHILD, Scope::Sheet)),
    ];
    kinds.extend(more);
    aged(13).with(school(1), kinds)
}

#[test]
fn law_at_12_14_a_refusal_suspends_until_the_talk() {
    let world = refusal_at_13(vec![]);
    assert_eq!(world.schooling(A, noon(1)), Fact::Category);
    for need in [A, C, CI] {
        assert_eq!(world.schooling(need, noon(3)), Fact::Refused);
    }
    let lifted = refusal_at_13(vec![(noon(4), talk(false))]);
    for need in [A, C, CI] {
        assert_eq!(lifted.schooling(need, noon(5)), Fact::Category);
    }
}

#[test]
fn law_at_12_14_maintained_a_and_c_depend_on_parents_and_ci_stays_closed() {
    let world = refusal_at_13(vec![(noon(4), talk(true))]);
    assert_eq!(world.schooling(A, noon(5)), Fact::Category);
    assert_eq!(world.schooling(C, noon(5)), Fact::Category);
    assert_eq!(world.schooling(CI, noon(5)), Fact::Refused);
}

#[test]
fn law_the_talk_is_held_by_who_collected_the_accord() {
    let other = EventKind::TalkHeld { by: assignment(42), maintained: false };
    assert_eq!(refusal_at_13(vec![(noon(4), other)]).schooling(A, noon(5)), Fact::Refused);
}

#[test]
fn law_an_opinion_noted_later_does_not_replace_the_talk_but_the_childs_signature_does() {
    let noted = refusal_at_13(vec![(noon(4), opinion(plus(4)))]);
    assert_eq!(noted.schooling(A, noon(5)), Fact::Refused);
    let signed = refusal_at_13(vec![(noon(4), paper(CHILD, &[1], plus(4)))]);
    assert_eq!(signed.schooling(A, noon(5)), Fact::Category);
}

#[test]
fn law_a_refusal_at_14_maintained_at_15_blocks_every_level() {
    // Fifteen on 10 October 2026.
    let after = noon_of(day(2026, 10, 11));
    let kinds = vec![
        (noon(0), opinion(base())),
        (noon(0), paper(mother(), &[1], base())),
        (noon(2), refused(CHILD, Scope::Sheet)),
        (after, talk(true)),
    ];
    let world = aged(14).with(school(1), kinds);
    assert_eq!(world.schooling(A, after.plus_seconds(60)), Fact::Refused);
}

#[test]
fn law_from_fifteen_the_co_signature_is_required_and_a_refusal_blocks_every_level() {
    let parents = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), paper(father(), &[1], base()))];
    let mut kinds = parents.clone();
    kinds.push((noon(0), opinion(base())));
    assert_eq!(aged(15).with(school(1), kinds.clone()).schooling(A, noon(1)), Fact::None);
    kinds.push((noon(1), paper(CHILD, &[1], plus(1))));
    assert_eq!(aged(15).with(school(1), kinds.clone()).schooling(CI, noon(2)), Fact::Category);
    kinds.push((noon(2), refused(CHILD, Scope::Sheet)));
    kinds.push((noon(3), talk(false)));
    let world = aged(15).with(school(1), kinds);
    for need in [A, C, CI] {
        assert_eq!(world.schooling(need, noon(4)), Fact::Refused, "no talk lifts it");
    }
    // The young person alone does not sign for a minor either.
    let alone = aged(16).with(school(1), vec![(noon(0), paper(CHILD, &[1], base()))]);
    assert_eq!(alone.schooling(A, noon(1)), Fact::None);
}

#[test]
fn law_turning_fifteen_ends_no_accord_but_the_young_person_alone_may_withdraw() {
    let kinds = vec![(noon(0), opinion(base())), (noon(0), paper(mother(), &[1], base()))];
    let world = aged(14).with(school(1), kinds);
    let after = noon_of(day(2026, 10, 11));
    assert_eq!(world.schooling(A, after), Fact::Category);
    let world = world.standing(after, withdrawn(CHILD, Scope::Everything));
    assert_eq!(world.schooling(A, after.plus_seconds(1)), Fact::Withdrawn);
}

#[test]
fn law_a_signature_missing_on_the_fifteenth_birthday_is_asked_as_at_fifteen() {
    let kinds = vec![
        (noon(0), paper(mother(), &[1], base())),
        (noon_of(day(2026, 10, 11)), opinion(day(2026, 10, 11))),
    ];
    let world = aged(14).with(school(1), kinds);
    assert_eq!(world.schooling(A, noon_of(day(2026, 10, 12))), Fact::None);
}

#[test]
fn law_at_midnight_of_the_eighteenth_birthday_all_that_others_signed_lapses() {
    // Eighteen on 10 October 2026.
    let kinds = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), paper(CHILD, &[1], base()))];
    let world = aged(17).with(school(1), kinds);
    let midnight = Timestamp::paris_midnight(day(2026, 10, 10));
    assert_eq!(world.schooling(A, midnight.plus_micros(-1)), Fact::Category);
    assert_eq!(world.schooling(A, midnight), Fact::Expired);
    let teacher = teacher();
    let q = query(&teacher, Category::Schooling, Purpose::Schooling, A);
    assert_eq!(world.answer(&q, noon(1)).valid_until, midnight);
    // A withdrawal by a parent afterwards changes nothing, the adult signs alone.
    let mut new = school(2);
    new.starts = day(2026, 10, 12);
    let twelfth = noon_of(day(2026, 10, 12));
    let world = world
        .with(new, vec![(twelfth, paper(CHILD, &[1], day(2026, 10, 12)))])
        .standing(twelfth.plus_seconds(9), withdrawn(mother(), Scope::Everything));
    assert_eq!(world.schooling(CI, twelfth.plus_seconds(10)), Fact::Category);
    let world = world.standing(twelfth.plus_seconds(20), withdrawn(CHILD, Scope::Everything));
    assert_eq!(world.schooling(CI, twelfth.plus_seconds(21)), Fact::Withdrawn);
}

#[test]
fn law_an_accord_that_ended_at_majority_is_not_revived_by_a_signature() {
    let late = noon_of(day(2026, 10, 12));
    let kinds = vec![
        (noon(0), paper(mother(), &[1], base())),
        (noon(0), paper(CHILD, &[1], base())),
        (late, paper(CHILD, &[1], day(2026, 10, 12))),
    ];
    assert_eq!(aged(17).with(school(1), kinds).schooling(A, late.plus_seconds(1)), Fact::Expired);
    // Nor is one finished that began before: a new accord is required.
    let kinds = vec![(noon(0), paper(mother(), &[1], base())), (late, paper(CHILD, &[1], day(2026, 10, 12)))];
    assert_eq!(aged(17).with(school(1), kinds).schooling(A, late.plus_seconds(1)), Fact::None);
}

#[test]
fn law_signed_ahead_from_17_years_9_months_it_starts_on_the_birthday_and_lapses_after_30_days() {
    let birthday = day(2026, 10, 10);
    let ahead = |on, more: Vec<(Timestamp, EventKind)>| {
        let mut accord = school(1);
        accord.starts = birthday;
        accord.ends = day(2027, 10, 10);
        let mut kinds = vec![(noon_of(on), paper(CHILD, &[1], on))];
        kinds.extend(more);
        aged(17).with(accord, kinds)
    };
    let world = ahead(day(2026, 7, 10), vec![]);
    assert_eq!(world.schooling(A, noon_of(day(2026, 10, 9))), Fact::None);
    assert_eq!(world.schooling(A, Timestamp::paris_midnight(birthday)), Fact::Category);
    let lapse = Timestamp::paris_midnight(day(2026, 11, 9));
    assert_eq!(world.schooling(A, lapse.plus_micros(-1)), Fact::Category);
    assert_eq!(world.schooling(A, lapse), Fact::Expired);
    let confirmed = day(2026, 10, 20);
    let world = ahead(day(2026, 7, 10), vec![(noon_of(confirmed), paper(CHILD, &[1], confirmed))]);
    assert_eq!(world.schooling(A, lapse), Fact::Category);
    let early = ahead(day(2026, 7, 9), vec![]);
    assert_eq!(early.schooling(A, noon_of(birthday)), Fact::None, "a day before 17 years and 9 months");
}

#[test]
fn law_emancipated_the_person_signs_alone_and_parents_accords_end() {
    let kinds = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), paper(CHILD, &[1], base()))];
    let mut world = aged(16).with(school(1), kinds);
    world.person = PersonFacts::new(world.person.birth_date(), Some(plus(10)), false).unwrap();
    assert_eq!(world.schooling(A, noon(9)), Fact::Category);
    assert_eq!(world.schooling(A, noon(10)), Fact::Expired);
    let mut new = school(2);
    new.starts = plus(10);
    let world = world.with(new, vec![(noon(11), paper(CHILD, &[1], plus(11)))]);
    assert_eq!(world.schooling(CI, noon(12)), Fact::Category);
}

#[test]
fn law_an_unknown_birth_date_counts_as_under_fifteen_and_never_as_eighteen() {
    let kinds = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), opinion(base()))];
    let world = born(None).with(school(1), kinds);
    assert_eq!(world.schooling(A, noon(1)), Fact::Category);
    let alone = born(None).with(school(1), vec![(noon(0), paper(CHILD, &[1], base()))]);
    assert_eq!(alone.schooling(A, noon(1)), Fact::None);
}

#[test]
fn law_under_a_nickname_no_accord_counts() {
    let mut world = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    world.person = PersonFacts::new(world.person.birth_date(), None, true).unwrap();
    assert_eq!(world.schooling(A, noon(1)), Fact::None);
}

#[test]
fn law_no_guardian_yet_the_confided_service_signs_everyday_acts_with_the_young_person_from_twelve() {
    let service = |age| {
        let mut w = aged(age);
        w.holders = vec![adult(1, Capacity::ConfidedService, Some(organisation(9)))];
        w
    };
    let signs = (noon(0), paper(mother(), &[1], base()));
    assert_eq!(service(9).with(school(1), vec![signs.clone()]).schooling(C, noon(1)), Fact::Category);
    assert_eq!(service(9).with(school(1), vec![signs.clone()]).schooling(CI, noon(1)), Fact::None);
    let with_opinion = vec![signs.clone(), (noon(0), opinion(base()))];
    assert_eq!(service(12).with(school(1), with_opinion).schooling(C, noon(1)), Fact::None);
    let with_child = vec![signs.clone(), (noon(0), paper(CHILD, &[1], base()))];
    assert_eq!(service(12).with(school(1), with_child.clone()).schooling(C, noon(1)), Fact::Category);
    // Where a parent can be asked, the service does not sign.
    let mut with_parent = service(12).with(school(1), with_child);
    with_parent.holders.push(parent(2));
    assert_eq!(with_parent.schooling(C, noon(1)), Fact::None);
}

#[test]
fn law_a_service_that_is_itself_recipient_is_never_the_only_signatory() {
    let accord = || draft(1, Purpose::Coordination, vec![line(1, welfare(), &[Category::Schooling])]);
    let welfare = welfare();
    let q = query(&welfare, Category::Schooling, Purpose::Coordination, C);
    for capacity in [Capacity::ConfidedService, Capacity::AuthorisedService] {
        for (age, child_signs, expected) in
            [(9, false, Fact::None), (13, false, Fact::None), (13, true, Fact::Category)]
        {
            let mut kinds = vec![(noon(0), paper(mother(), &[1], base())), (noon(0), opinion(base()))];
            if child_signs {
                kinds.push((noon(0), paper(CHILD, &[1], base())));
            }
            let mut world = aged(age).with(accord(), kinds);
            world.holders = vec![adult(1, capacity, Some(organisation(9)))];
            assert_eq!(world.answer(&q, noon(1)).fact, expected, "{capacity} {age} {child_signs}");
        }
    }
}

#[test]
fn law_375_7_lets_the_authorised_service_sign_what_parents_would_sign_together() {
    let mut world = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    world.holders = vec![adult(1, Capacity::AuthorisedService, Some(organisation(9))), parent(2), parent(3)];
    assert_eq!(world.schooling(CI, noon(1)), Fact::Category);
    assert_eq!(
        world.standing(noon(2), withdrawn(father(), Scope::Everything)).schooling(CI, noon(3)),
        Fact::Withdrawn,
        "a parent still holds authority"
    );
}

#[test]
fn law_a_guardian_or_delegate_signs_alone_and_beside_parents_all_sign_ci() {
    for capacity in [Capacity::Guardian, Capacity::Delegate] {
        let mut world = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
        world.holders = vec![adult(1, capacity, None)];
        assert_eq!(world.schooling(CI, noon(1)), Fact::Category, "{capacity}");
        world.holders.push(parent(2));
        assert_eq!(world.schooling(CI, noon(1)), Fact::None, "{capacity}");
        assert_eq!(world.schooling(C, noon(1)), Fact::Category, "{capacity}");
    }
    // A signature given outside the period of the decision is nobody's.
    let late = day(2040, 1, 1);
    let mut accord = school(1);
    (accord.starts, accord.ends) = (late, day(2040, 6, 1));
    let mut world = born(None)
        .with(accord, vec![(noon_of(late), paper(mother(), &[1], late)), (noon_of(late), opinion(late))]);
    world.holders = vec![adult(1, Capacity::Guardian, None), parent(2)];
    assert_eq!(world.schooling(A, noon_of(late).plus_seconds(1)), Fact::None);
}

#[test]
fn law_nobody_on_record_denies_with_the_reason() {
    let mut world = aged(9);
    world.holders.clear();
    let teacher = teacher();
    let q = SigningQuestion {
        need: A,
        purpose: Purpose::Schooling,
        recipient: Some(&teacher),
        day: base(),
        starts: base(),
        objectors: &std::collections::BTreeSet::new(),
    };
    assert_eq!(required_signatories(&world.people(), &q), Err(Unestablished::NoHolder));
    world.holders = vec![adult(1, Capacity::ConfidedService, Some(organisation(9)))];
    let ci = SigningQuestion { need: CI, ..q };
    assert_eq!(required_signatories(&world.people(), &ci), Err(Unestablished::GuardianAwaited));
    let own = welfare();
    let own = SigningQuestion { recipient: Some(&own), ..q };
    assert_eq!(required_signatories(&world.people(), &own), Err(Unestablished::ServiceIsRecipient));
}

#[test]
fn law_the_opposition_of_a_holder_who_did_not_sign_acts_as_a_withdrawal() {
    let world = aged(9)
        .with(school(1), vec![(noon(0), paper(mother(), &[1], base()))])
        .standing(noon(2), EventKind::Opposed { by: father(), scope: Scope::Everything });
    assert_eq!(world.schooling(A, noon(1)), Fact::Category);
    assert_eq!(world.schooling(A, noon(2)), Fact::Withdrawn);
    let teacher = teacher();
    let q = query(&teacher, Category::Schooling, Purpose::Schooling, A);
    assert_eq!(world.answer(&q, noon(3)).refused_at, Some(noon(2)));
}

#[test]
fn law_372_2_good_faith_is_gone_once_the_other_parent_has_objected() {
    let objected = || {
        aged(9)
            .with(school(1), vec![(noon(0), paper(mother(), &[1], base()))])
            .standing(noon(2), EventKind::Opposed { by: father(), scope: Scope::Everything })
    };
    let mother_again = (noon(3), paper(mother(), &[1], plus(3)));
    let world = objected().with(school(2), vec![mother_again.clone()]);
    assert_eq!(world.schooling(A, noon(4)), Fact::Withdrawn, "one parent cannot overrule the other");
    let both = vec![mother_again.clone(), (noon(4), paper(father(), &[1], plus(4)))];
    let world = objected().with(school(2), both);
    assert_eq!(world.schooling(A, noon(5)), Fact::Category);
    // Nor does « no answer » set an answer aside; the end of authority does.
    let mut world = objected().with(school(2), vec![mother_again]);
    world.impossibilities.push(impossible(2, no_answer(), plus(3)));
    assert_eq!(world.schooling(A, noon(4)), Fact::Withdrawn);
    world.impossibilities = vec![impossible(2, Motive::AuthorityWithdrawn, plus(3))];
    assert_eq!(world.schooling(A, noon(4)), Fact::Category);
}

#[test]
fn law_who_lost_authority_cannot_oppose_and_somebody_unknown_can() {
    let signed = vec![(noon(0), paper(mother(), &[1], base()))];
    let no = |n| EventKind::Opposed { by: Signatory::Holder(holder(n)), scope: Scope::Everything };
    let mut world = aged(9).with(school(1), signed).standing(noon(2), no(2));
    world.impossibilities.push(impossible(2, Motive::AuthorityWithdrawn, plus(1)));
    assert_eq!(world.schooling(A, noon(3)), Fact::Category);
    assert_eq!(world.standing(noon(3), no(77)).schooling(A, noon(4)), Fact::Withdrawn);
}

#[test]
fn law_a_child_under_twelve_is_heard_without_a_veto() {
    let world = aged(11)
        .with(school(1), vec![(noon(0), paper(mother(), &[1], base()))])
        .standing(noon(2), refused(CHILD, Scope::Everything));
    assert_eq!(world.schooling(A, noon(3)), Fact::Category);
}

#[test]
fn law_a_refusal_covers_what_it_says() {
    let line_two = showing(line(2, teacher(), &[Category::Mobility]), 8, Category::Mobility);
    let accord =
        || draft(1, Purpose::Schooling, vec![line(1, teacher(), &[Category::Schooling]), line_two.clone()]);
    let world = |scope: Scope| {
        aged(9).with(
            accord(),
            vec![(noon(0), paper(mother(), &[1, 2], base())), (noon(2), withdrawn(mother(), scope))],
        )
    };
    let (teacher, seven) = (teacher(), assignment(7));
    let ask = |world: &World, category, who: Option<&AssignmentId>| {
        let mut q = query(&teacher, category, Purpose::Schooling, A);
        q.assignment = who;
        world.answer(&q, noon(3)).fact
    };
    let (sch, mob) = (Category::Schooling, Category::Mobility);
    for scope in [Scope::Everything, Scope::Sheet, Scope::Recipient(teacher.clone())] {
        assert_eq!(ask(&world(scope), sch, Some(&seven)), Fact::Withdrawn);
    }
    let subject = world(Scope::Category(sch));
    assert_eq!((ask(&subject, sch, None), ask(&subject, mob, None)), (Fact::Withdrawn, Fact::Category));
    let one_line = world(Scope::Line(line_id(2)));
    assert_eq!((ask(&one_line, sch, None), ask(&one_line, mob, None)), (Fact::Category, Fact::Withdrawn));
    let person = world(Scope::Assignment(seven.clone()));
    assert_eq!(ask(&person, sch, Some(&seven)), Fact::Withdrawn);
    assert_eq!(ask(&person, sch, Some(&assignment(8))), Fact::Category);
    assert_eq!(ask(&person, sch, None), Fact::Withdrawn, "who reads is not known: denied");
    let elsewhere = world(Scope::Recipient(camp()));
    assert_eq!(ask(&elsewhere, sch, None), Fact::Category);
    assert_eq!(ask(&world(Scope::Line(line_id(9))), sch, None), Fact::Withdrawn, "an unknown line");
}

#[test]
fn law_a_refusal_of_one_purpose_leaves_the_other() {
    let other = draft(2, Purpose::Coordination, vec![line(1, teacher(), &[])]);
    let world = aged(9)
        .with(school(1), vec![(noon(0), paper(mother(), &[1], base()))])
        .with(other, vec![(noon(1), refused(father(), Scope::Sheet))]);
    assert_eq!(world.schooling(A, noon(2)), Fact::Category);
}

#[test]
fn law_oral_serves_opening_and_category_and_lapses_after_21_days_without_a_sheet() {
    let spoken = vec![(noon(0), oral(mother(), &[1], base()))];
    let world = aged(9).with(school(1), spoken.clone());
    let lapse = Timestamp::paris_midnight(plus(21));
    assert_eq!(world.schooling(C, lapse.plus_micros(-1)), Fact::Category);
    assert_eq!(world.schooling(C, lapse), Fact::Expired);
    let teacher = teacher();
    let q = query(&teacher, Category::Schooling, Purpose::Schooling, C);
    assert_eq!(world.answer(&q, noon(1)).valid_until, lapse);
    let sheet =
        |n: i64| (noon(n), EventKind::SheetSigned { by: mother(), on: plus(n), original_at: reference() });
    let mut kinds = spoken.clone();
    kinds.push(sheet(20));
    assert_eq!(aged(9).with(school(1), kinds).schooling(C, noon(60)), Fact::Category);
    // The father's sheet does not confirm what the mother said.
    let mut kinds = spoken;
    kinds.push((noon(20), EventKind::SheetSigned { by: father(), on: plus(20), original_at: reference() }));
    assert_eq!(aged(9).with(school(1), kinds).schooling(C, noon(60)), Fact::Expired);
}

#[test]
fn law_words_spoken_never_reach_informed() {
    let shown = draft(
        1,
        Purpose::Schooling,
        vec![showing(line(1, teacher(), &[Category::Schooling]), 7, Category::Schooling)],
    );
    let (teacher, seven) = (teacher(), version(7));
    let mut q = query(&teacher, Category::Schooling, Purpose::Schooling, CI);
    q.item_version = Some(&seven);
    let by = |kind: fn(Signatory, &[u8], chrono::NaiveDate) -> EventKind| {
        vec![(noon(0), paper(mother(), &[1], base())), (noon(0), kind(father(), &[1], base()))]
    };
    assert_eq!(aged(9).with(shown.clone(), by(oral)).answer(&q, noon(1)).fact, Fact::Category);
    assert_eq!(aged(9).with(shown, by(paper)).answer(&q, noon(1)).fact, Fact::Informed);
}

#[test]
fn law_a_paper_recorded_late_does_not_jump_over_a_withdrawal() {
    let kinds = vec![(noon(5), paper(mother(), &[1], base()))];
    let world = aged(9).with(school(1), kinds).standing(noon(2), withdrawn(mother(), Scope::Everything));
    assert_eq!(world.schooling(A, noon(6)), Fact::Withdrawn);
}

#[test]
fn law_cette_personne_seulement_follows_nobody_else() {
    let mut only = line(1, teacher(), &[Category::Schooling]);
    only.only_assignment = Some(assignment(7));
    let world = aged(9)
        .with(draft(1, Purpose::Schooling, vec![only]), vec![(noon(0), paper(mother(), &[1], base()))]);
    let teacher = teacher();
    let (seven, eight) = (assignment(7), assignment(8));
    for (who, expected) in [(Some(&seven), Fact::Category), (Some(&eight), Fact::None), (None, Fact::None)] {
        let mut q = query(&teacher, Category::Schooling, Purpose::Schooling, A);
        q.assignment = who;
        assert_eq!(world.answer(&q, noon(1)).fact, expected);
    }
}

#[test]
fn law_a_recipient_is_matched_on_organisation_profession_and_mission() {
    let world = aged(9).with(school(1), vec![(noon(0), paper(mother(), &[1], base()))]);
    let mut other_mission = teacher();
    other_mission.mission = crate::ids::MissionId::random(&Fixed(3)).unwrap();
    let mut nurse = teacher();
    nurse.profession = Profession::SchoolHealth;
    let mut elsewhere = teacher();
    elsewhere.organisation = organisation(3);
    for recipient in [other_mission, nurse, elsewhere] {
        let q = query(&recipient, Category::Schooling, Purpose::Schooling, A);
        assert_eq!(world.answer(&q, noon(1)).fact, Fact::None);
    }
}
