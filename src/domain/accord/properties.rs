//! Properties over dates, ages and signatories: a "no" never widens, time past an end never widens, nobody signs for an
//! adult, a missing signature denies, equal times in any order give one answer, and `valid_until` keeps its promise.

use proptest::prelude::*;

use super::fixture::*;
use super::*;
use crate::clock::Timestamp;
use crate::domain::cell::{AccordFact, Need};
use crate::domain::person::Motive;
use crate::domain::vocabulary::{Capacity, Category, Purpose};

/// How much a fact opens; every kind of no is zero.
fn width(fact: AccordFact) -> u8 {
    match fact {
        AccordFact::None | AccordFact::Refused | AccordFact::Withdrawn | AccordFact::Expired => 0,
        AccordFact::Opening => 1,
        AccordFact::Category => 2,
        AccordFact::Informed => 3,
    }
}

fn needs() -> impl Strategy<Value = Need> {
    prop_oneof![Just(Need::Opening), Just(Need::Category), Just(Need::Informed)]
}

fn who() -> impl Strategy<Value = Signatory> {
    prop_oneof![
        Just(CHILD),
        Just(mother()),
        Just(father()),
        Just(Signatory::Holder(holder(3))),
        Just(Signatory::Holder(holder(77)))
    ]
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::Everything),
        Just(Scope::Sheet),
        Just(Scope::Line(line_id(1))),
        Just(Scope::Line(line_id(2))),
        Just(Scope::Recipient(teacher())),
        Just(Scope::Assignment(assignment(7))),
        Just(Scope::Category(Category::Schooling)),
    ]
}

fn positive() -> impl Strategy<Value = (i64, EventKind)> {
    (0_i64..320, 0_i64..4, who(), 0_u8..6, any::<bool>()).prop_map(|(at, late, by, what, more)| {
        let lines: &[u8] = if more { &[1, 2] } else { &[1] };
        let on = plus((at - late).max(0));
        let kind = match what {
            0 => oral(by, lines, on),
            1 => opinion(on),
            2 => talk(more),
            3 => EventKind::SheetSigned { by, on, original_at: reference() },
            _ => paper(by, lines, on),
        };
        (at, kind)
    })
}

fn negative() -> impl Strategy<Value = (i64, EventKind)> {
    (0_i64..320, who(), scopes(), 0_u8..3).prop_map(|(at, by, scope, what)| {
        let kind = match what {
            0 => EventKind::Refused { by, scope },
            1 => EventKind::Withdrawn { by, scope },
            _ => EventKind::Opposed { by, scope },
        };
        (at, kind)
    })
}

fn sheet(n: u8, starts: i64, length: i64) -> AccordDraft {
    let mut accord = draft(
        n,
        Purpose::Schooling,
        vec![
            showing(line(1, teacher(), &[Category::Schooling]), 7, Category::Schooling),
            line(2, teacher(), &[Category::Mobility]),
        ],
    );
    accord.starts = plus(starts);
    accord.ends = plus(starts + length);
    accord
}

prop_compose! {
    /// Two accords, up to eight events each, any age around the limits, perhaps an impossibility or a third capacity.
    fn families()(
        birth in prop_oneof![1 => Just(None), 8 => (3000_i64..7200).prop_map(Some)],
        first in (0_i64..20, 30_i64..360),
        second in (0_i64..250, 30_i64..360),
        ones in prop::collection::vec(prop_oneof![6 => positive(), 1 => negative()], 0..8),
        twos in prop::collection::vec(prop_oneof![4 => positive(), 1 => negative()], 0..8),
        gone in prop::option::of((1_u8..3, 0_i64..100, 0_u8..3)),
        third in 0_u8..4,
        parents in 0_u8..3,
        full in (any::<bool>(), any::<bool>()),
    ) -> World {
        let mut world = born(birth.map(|days| plus(-days)));
        world.holders = (1..=parents).map(parent).collect();
        match third {
            0 => world.holders.push(adult(3, Capacity::ConfidedService, Some(organisation(9)))),
            1 => world.holders.push(adult(3, Capacity::AuthorisedService, Some(organisation(1)))),
            2 => world.holders.push(adult(3, Capacity::Relative, None)),
            _ => world.holders.push(adult(3, Capacity::Guardian, None)),
        }
        if let Some((n, from, motive)) = gone {
            let motive = match motive {
                0 => Motive::Deceased,
                1 => Motive::NoAnswer { first_attempt: plus(-9), second_attempt: plus(-3) },
                _ => Motive::ContactWouldEndanger,
            };
            world.impossibilities.push(impossible(n, motive, plus(from)));
        }
        // Half of the accords begin with everybody's signature, so that there is something to lose.
        let at = |kinds: Vec<(i64, EventKind)>, full: bool, from: i64| {
            let everybody = [
                paper(mother(), &[1, 2], plus(from)),
                paper(father(), &[1, 2], plus(from)),
                paper(Signatory::Holder(holder(3)), &[1, 2], plus(from)),
                paper(CHILD, &[1, 2], plus(from)),
                opinion(plus(from)),
            ];
            let mut all: Vec<_> = kinds.into_iter().map(|(t, k)| (noon(t), k)).collect();
            if full {
                all.extend(everybody.into_iter().map(|k| (noon(from), k)));
            }
            all
        };
        world
            .with(sheet(1, first.0, first.1), at(ones, full.0, first.0))
            .with(sheet(2, second.0, second.1), at(twos, full.1, second.0))
    }
}

/// Every fact that the family's accords give at a moment, for one need.
fn answers(world: &World, need: Need, now: Timestamp) -> Vec<FactAnswer> {
    let (teacher, seven, who) = (teacher(), version(7), assignment(7));
    let mut found = Vec::new();
    for category in [Category::Schooling, Category::Mobility, Category::Identity] {
        for item_version in [None, Some(&seven)] {
            let mut q = query(&teacher, category, Purpose::Schooling, need);
            q.item_version = item_version;
            q.assignment = Some(&who);
            found.push(accord_fact(&q, &world.file(), now));
        }
    }
    found
}

fn widths(world: &World, need: Need, now: Timestamp) -> Vec<u8> {
    answers(world, need, now).iter().map(|a| width(a.fact)).collect()
}

fn no_wider(after: &[u8], before: &[u8]) -> bool {
    after.iter().zip(before).all(|(a, b)| a <= b)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn adding_a_refusal_withdrawal_or_opposition_never_widens(
        world in families(), need in needs(), (at, no) in negative(), now in 0_i64..400, place in 0_usize..3,
    ) {
        let before = widths(&world, need, noon(now));
        let mut world = world;
        match place {
            2 => world.standing.push(Event::new(noon(at), 0, no).unwrap()),
            n => {
                let accord = world.accords[n].clone();
                let mut all = accord.events().to_vec();
                all.push(Event::new(noon(at), accord.next_seq(), no).unwrap());
                world.accords[n] = Accord::new(accord.facts().clone(), all);
            }
        }
        prop_assert!(no_wider(&widths(&world, need, noon(now)), &before));
    }

    #[test]
    fn time_past_the_end_of_every_accord_opens_nothing(world in families(), need in needs(), days in 0_i64..900) {
        let end = world.accords.iter().map(|a| a.facts().ends()).max().unwrap();
        let now = Timestamp::paris_midnight(end).plus_seconds(days * 86_400);
        prop_assert!(widths(&world, need, now).iter().all(|w| *w == 0));
    }

    #[test]
    fn a_parents_signature_never_counts_from_the_eighteenth_birthday(
        world in families(), need in needs(), seconds in 0_i64..40_000_000,
    ) {
        let Some(majority) = world.person.majority_at() else { return Ok(()) };
        let now = majority.plus_seconds(seconds);
        let with_everyone = widths(&world, need, now);
        let mut alone = world;
        for accord in &mut alone.accords {
            let own = accord.events().iter().filter(|e| !matches!(e.kind(),
                EventKind::Signed(Signed { by: Signatory::Holder(_), .. })
                | EventKind::SheetSigned { by: Signatory::Holder(_), .. })).cloned().collect();
            *accord = Accord::new(accord.facts().clone(), own);
        }
        prop_assert!(no_wider(&with_everyone, &widths(&alone, need, now)));
    }

    #[test]
    fn a_stronger_need_never_opens_where_a_weaker_one_does_not(world in families(), now in 0_i64..400) {
        let [a, c, ci] = [Need::Opening, Need::Category, Need::Informed]
            .map(|need| widths(&world, need, noon(now)));
        prop_assert!(no_wider(&ci, &c) && no_wider(&c, &a));
    }

    #[test]
    fn equal_times_in_any_order_give_one_answer(
        world in families(), need in needs(), now in 0_i64..400,
        shuffled in Just((0..16_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        // Everything at one moment, then the same numbered and listed in another order.
        let flatten = |world: &World, order: Option<&[usize]>| {
            let mut accords = Vec::new();
            for accord in &world.accords {
                let mut kinds: Vec<EventKind> = accord.events().iter().map(|e| e.kind().clone()).collect();
                if let Some(order) = order {
                    let picked = order.iter().filter_map(|n| kinds.get(*n).cloned()).collect();
                    kinds = picked;
                }
                let events = events(kinds.into_iter().map(|k| (noon(320), k)).collect());
                accords.push(Accord::new(accord.facts().clone(), events));
            }
            accords
        };
        let mut one = world;
        let other = flatten(&one, Some(&shuffled));
        one.accords = flatten(&one, None);
        let first = answers(&one, need, noon(now));
        one.accords = other;
        prop_assert_eq!(first, answers(&one, need, noon(now)));
    }

    #[test]
    fn until_valid_until_time_alone_changes_nothing(
        world in families(), need in needs(), now in 0_i64..400, part in 0_i64..1000,
    ) {
        let now = noon(now);
        for (n, answer) in answers(&world, need, now).into_iter().enumerate() {
            prop_assert!(answer.valid_until > now);
            let span = answer.valid_until.micros().min(now.plus_seconds(500 * 86_400).micros()) - now.micros();
            for later in [now.plus_micros(span / 1000 * part), now.plus_micros(span - 1)] {
                let then = &answers(&world, need, later)[n];
                prop_assert_eq!((then.fact, &then.basis), (answer.fact, &answer.basis));
            }
        }
    }

    #[test]
    fn missing_any_required_signature_denies(
        age in 5_i32..18, both in any::<bool>(), missing in 0_usize..3,
    ) {
        let need = if both { Need::Informed } else { Need::Category };
        let mut kinds = vec![(noon(0), paper(mother(), &[1], base()))];
        if both {
            kinds.push((noon(0), paper(father(), &[1], base())));
        }
        if age >= 15 {
            kinds.push((noon(0), paper(CHILD, &[1], base())));
        } else if age >= 12 {
            kinds.push((noon(0), opinion(base())));
        }
        prop_assert_eq!(aged(age).with(school(1), kinds.clone()).schooling(need, noon(1)), AccordFact::Category);
        if missing < kinds.len() {
            kinds.remove(missing);
            prop_assert_eq!(aged(age).with(school(1), kinds).schooling(need, noon(1)), AccordFact::None);
        }
    }

    #[test]
    fn an_unknown_or_powerless_signatory_never_opens(age in 5_i32..15, n in 3_u8..90, need in needs()) {
        let kinds = vec![
            (noon(0), paper(Signatory::Holder(holder(n)), &[1], base())),
            (noon(0), opinion(base())),
        ];
        let mut world = aged(age).with(school(1), kinds);
        world.holders.push(adult(3, Capacity::Relative, None));
        prop_assert_eq!(world.schooling(need, noon(1)), AccordFact::None);
    }
}

#[test]
fn the_families_drawn_here_open_something_often_enough_to_be_worth_drawing() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut opened, mut refused, mut adults) = (0, 0, 0);
    for _ in 0..300 {
        let world = families().new_tree(&mut runner).unwrap().current();
        let days = [30, 120, 250];
        let facts: Vec<_> = days.iter().flat_map(|d| answers(&world, Need::Opening, noon(*d))).collect();
        opened += usize::from(facts.iter().any(|a| width(a.fact) > 0));
        refused += usize::from(facts.iter().any(|a| a.refused_at.is_some()));
        adults += usize::from(world.person.majority_day().is_some_and(|d| d < plus(400)));
    }
    assert!(opened >= 100 && refused >= 30 && adults >= 20, "{opened} {refused} {adults}");
}
