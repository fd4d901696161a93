//! Tests of statutory records.

use super::*;
use crate::domain::accord::fixture::{
    Fixed, aged, assignment, base, born, day, noon, organisation, plus, version,
};
use proptest::prelude::*;

fn professional(n: u8) -> ProfessionalId {
    ProfessionalId::random(&Fixed(n)).unwrap()
}
fn participation(n: u8) -> ParticipationId {
    ParticipationId::random(&Fixed(n)).unwrap()
}

fn draft() -> StatuteDraft {
    StatuteDraft {
        id: StatuteId::random(&Fixed(1)).unwrap(),
        sharer: assignment(1),
        sharer_professional: professional(1),
        sharer_organisation: organisation(1),
        ground: Ground::Danger,
        necessity_stated: true,
        parents: PriorInformation::Given { on: base() },
        child: PriorInformation::Given { on: base() },
        items: [version(7)].into(),
        recipients: [StatuteRecipient { participation: participation(2), professional: professional(2) }]
            .into(),
        recorded_at: noon(0),
    }
}

fn manager() -> SecondPerson {
    SecondPerson {
        assignment: assignment(3),
        professional: professional(3),
        organisation: organisation(1),
        function: Function::Manager,
        secrecy: Secrecy::Bound,
    }
}

fn record(draft: StatuteDraft) -> StatutoryRecord {
    StatutoryRecord::new(draft, &aged(14).person).unwrap()
}

fn exception() -> StatuteDraft {
    let motive = ExceptionMotive::WouldEndanger;
    StatuteDraft { parents: PriorInformation::ContraryToInterest { motive }, ..draft() }
}

fn at(n: i64, kind: StatuteEventKind) -> StatuteEvent {
    StatuteEvent { at: noon(n), seq: 0, kind }
}

fn ask(
    record: &StatutoryRecord,
    events: &[StatuteEvent],
    person: &PersonFacts,
    refused_at: Option<Timestamp>,
    now: Timestamp,
) -> StatuteAnswer {
    let (item, to) = (version(7), participation(2));
    statute_fact(
        record,
        events,
        &StatuteQuery { item_version: &item, recipient: &to, refused_at },
        person,
        now,
    )
}

fn fact(record: &StatutoryRecord, events: &[StatuteEvent], now: Timestamp) -> StatuteFact {
    ask(record, events, &aged(14).person, None, now).fact
}

#[test]
fn law_l226_2_2_a_record_states_danger_necessity_and_prior_information() {
    let complete = record(draft());
    assert_eq!(fact(&complete, &[], noon(1)), StatuteFact::Complete);
    assert_eq!(fact(&complete, &[], noon(-1)), StatuteFact::None);
    let person = aged(14).person;
    let without = |change: &dyn Fn(&mut StatuteDraft)| {
        let mut draft = draft();
        change(&mut draft);
        StatutoryRecord::new(draft, &person).unwrap_err()
    };
    assert_eq!(without(&|d| d.necessity_stated = false), StatuteError::NecessityNotStated);
    assert_eq!(without(&|d| d.items.clear()), StatuteError::NoItem);
    assert_eq!(without(&|d| d.recipients.clear()), StatuteError::NoRecipient);
    assert_eq!(
        without(&|d| d.child = PriorInformation::Given { on: plus(1) }),
        StatuteError::InformedAfter(plus(1))
    );
    let maturity = PriorInformation::ContraryToInterest { motive: ExceptionMotive::Maturity };
    assert_eq!(without(&|d| d.parents = maturity), StatuteError::MaturityOfParents);
    assert_eq!(without(&|d| d.sharer_professional = professional(2)), StatuteError::SharerIsRecipient);
}

#[test]
fn law_it_names_item_versions_and_recipients() {
    let record = record(draft());
    let person = aged(14).person;
    let ask = |item: u8, to: u8| {
        let (item, to) = (version(item), participation(to));
        let query = StatuteQuery { item_version: &item, recipient: &to, refused_at: None };
        statute_fact(&record, &[], &query, &person, noon(1)).fact
    };
    assert_eq!(ask(7, 2), StatuteFact::Complete);
    assert_eq!(ask(8, 2), StatuteFact::None);
    assert_eq!(ask(7, 3), StatuteFact::None);
    let named = |to, now| names_participation(&record, &[], &participation(to), &person, now).fact;
    assert_eq!(named(2, noon(1)), StatuteFact::Complete);
    assert_eq!(named(3, noon(1)), StatuteFact::None);
    assert_eq!(named(2, noon(31)), StatuteFact::None);
}

#[test]
fn law_an_exception_to_prior_information_is_decided_by_a_second_person() {
    let record = record(exception());
    assert!(record.needs_second_person());
    assert_eq!(fact(&record, &[], noon(1)), StatuteFact::None);
    let yes = at(1, StatuteEventKind::ExceptionDecided { by: manager(), accepted: true });
    assert_eq!(fact(&record, std::slice::from_ref(&yes), noon(1)), StatuteFact::Complete);
    let no = at(2, StatuteEventKind::ExceptionDecided { by: manager(), accepted: false });
    assert_eq!(fact(&record, &[yes, no], noon(3)), StatuteFact::None);
    let child = StatuteDraft {
        child: PriorInformation::ContraryToInterest { motive: ExceptionMotive::Maturity },
        ..draft()
    };
    assert_eq!(fact(&self::record(child), &[], noon(1)), StatuteFact::None, "the child too is informed");
}

#[test]
fn law_the_second_person_is_a_bound_manager_of_the_sharers_organisation_and_another_professional() {
    let record = record(exception());
    type Change = fn(&mut SecondPerson);
    let wrong: [(Change, StatuteError); 7] = [
        (|p| p.function = Function::Practitioner, StatuteError::NotAManager(Function::Practitioner)),
        (|p| p.function = Function::Secretary, StatuteError::NotAManager(Function::Secretary)),
        (|p| p.secrecy = Secrecy::Contested, StatuteError::NotBound(Secrecy::Contested)),
        (|p| p.secrecy = Secrecy::NotBound, StatuteError::NotBound(Secrecy::NotBound)),
        (|p| p.organisation = organisation(2), StatuteError::AnotherOrganisation),
        (|p| p.professional = professional(1), StatuteError::IsTheSharer),
        (|p| p.professional = professional(2), StatuteError::IsARecipient),
    ];
    for (change, expected) in wrong {
        let mut by = manager();
        change(&mut by);
        let event = at(1, StatuteEventKind::ExceptionDecided { by, accepted: true });
        assert_eq!(record.check_event(&event), Err(expected));
        assert_eq!(fact(&record, &[event], noon(2)), StatuteFact::None, "nor does it count if stored");
    }
}

#[test]
fn law_after_a_refusal_only_a_later_validation_by_the_manager_validates() {
    let record = record(draft());
    let person = aged(14).person;
    let validated = [at(2, StatuteEventKind::Validated { by: manager() })];
    let ask = |refused_at, now| ask(&record, &validated, &person, refused_at, now).fact;
    assert_eq!(ask(Some(noon(1)), noon(1)), StatuteFact::Complete);
    assert_eq!(ask(Some(noon(1)), noon(2)), StatuteFact::CompleteValidated);
    assert_eq!(ask(Some(noon(3)), noon(4)), StatuteFact::Complete, "a new refusal asks for a new validation");
    assert_eq!(ask(Some(noon(2)), noon(4)), StatuteFact::Complete, "nor at the same moment");
}

#[test]
fn law_a_record_lasts_thirty_days_and_lapses_without_review() {
    let record = record(draft());
    let end = Timestamp::paris_midnight(plus(30));
    assert_eq!(fact(&record, &[], end.plus_micros(-1)), StatuteFact::Complete);
    assert_eq!(fact(&record, &[], end), StatuteFact::None);
    let answer = ask(&record, &[], &aged(14).person, None, noon(1));
    assert_eq!((answer.valid_until, answer.lapses_at), (end, Some(end)));
    let review = |n, still_necessary| at(n, StatuteEventKind::Reviewed { by: manager(), still_necessary });
    assert_eq!(fact(&record, &[review(20, true)], noon(49)), StatuteFact::Complete);
    assert_eq!(fact(&record, &[review(20, true)], noon(50)), StatuteFact::None);
    assert_eq!(fact(&record, &[review(31, true)], noon(32)), StatuteFact::None, "too late revives nothing");
    assert_eq!(fact(&record, &[review(5, false)], noon(6)), StatuteFact::None);
    assert_eq!(fact(&record, &[at(5, StatuteEventKind::Closed)], noon(6)), StatuteFact::None);
    let mut own = manager();
    own.professional = professional(1);
    let own = at(20, StatuteEventKind::Reviewed { by: own, still_necessary: true });
    assert_eq!(fact(&record, &[own], noon(40)), StatuteFact::None, "one does not review oneself");
}

#[test]
fn law_no_statutory_route_from_eighteen_nor_once_emancipated_nor_without_a_known_age_or_identity() {
    let record = record(draft());
    // Eighteen ten days after the record.
    let nearly = born(Some(day(2008, 3, 12))).person;
    let midnight = nearly.majority_at().unwrap();
    let of = |person: &PersonFacts, now| ask(&record, &[], person, None, now);
    assert_eq!(of(&nearly, midnight.plus_micros(-1)).fact, StatuteFact::Complete);
    assert_eq!(of(&nearly, midnight).fact, StatuteFact::None);
    assert_eq!(of(&nearly, noon(1)).valid_until, midnight);
    let emancipated = PersonFacts::new(Some(day(2009, 3, 12)), Some(plus(5)), false).unwrap();
    assert_eq!(of(&emancipated, noon(4)).fact, StatuteFact::Complete);
    assert_eq!(of(&emancipated, noon(5)).fact, StatuteFact::None);
    let unknown = PersonFacts::new(None, None, false).unwrap();
    assert_eq!(of(&unknown, noon(1)).fact, StatuteFact::None);
    assert_eq!(StatutoryRecord::new(draft(), &unknown), Err(StatuteError::MinorityNotProved));
    let nickname = PersonFacts::new(Some(day(2012, 1, 1)), None, true).unwrap();
    assert_eq!(of(&nickname, noon(1)).fact, StatuteFact::None);
    assert_eq!(StatutoryRecord::new(draft(), &nickname), Err(StatuteError::NicknameOnly));
}

#[test]
fn several_records_give_the_strongest_fact_until_the_first_could_change() {
    let answer = |fact, t| StatuteAnswer { fact, valid_until: noon(t), lapses_at: Some(noon(t)) };
    let both = strongest([
        answer(StatuteFact::Complete, 9),
        answer(StatuteFact::CompleteValidated, 20),
        answer(StatuteFact::None, 5),
    ]);
    assert_eq!(both.fact, StatuteFact::CompleteValidated);
    assert_eq!((both.valid_until, both.lapses_at), (noon(5), Some(noon(20))));
    assert_eq!(strongest([]).fact, StatuteFact::None);
}

#[test]
fn a_record_and_its_events_read_back_and_a_tampered_one_does_not() {
    let record = record(exception());
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<StatutoryRecord>(&text).unwrap(), record);
    let tampered = text.replace("\"necessity_stated\":true", "\"necessity_stated\":false");
    assert!(serde_json::from_str::<StatutoryRecord>(&tampered).is_err());
    for kind in [
        StatuteEventKind::ExceptionDecided { by: manager(), accepted: true },
        StatuteEventKind::Validated { by: manager() },
        StatuteEventKind::Reviewed { by: manager(), still_necessary: false },
        StatuteEventKind::Closed,
    ] {
        let event = at(1, kind);
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<StatuteEvent>(&text).unwrap(), event);
    }
}

fn kinds() -> impl Strategy<Value = StatuteEventKind> {
    (0_u8..6, any::<bool>()).prop_map(|(what, yes)| match what {
        0 | 1 => StatuteEventKind::ExceptionDecided { by: manager(), accepted: yes },
        2 => StatuteEventKind::Validated { by: manager() },
        3 | 4 => StatuteEventKind::Reviewed { by: manager(), still_necessary: yes },
        _ => StatuteEventKind::Closed,
    })
}

proptest! {
    #[test]
    fn until_valid_until_time_alone_changes_nothing_and_order_never_matters(
        events in prop::collection::vec((0_i64..80, kinds()), 0..6),
        birth in 5500_i64..6700, plain in any::<bool>(), now in 0_i64..120, part in 0_i64..1000,
        refused in prop::option::of(0_i64..80),
    ) {
        let person = born(Some(plus(-birth))).person;
        let record = StatutoryRecord::try_from(if plain { draft() } else { exception() }).unwrap();
        let mut events: Vec<_> = events.into_iter().map(|(n, k)| at(n, k)).collect();
        let refused = refused.map(noon);
        let answer = ask(&record, &events, &person, refused, noon(now));
        let span = answer.valid_until.micros().min(noon(now + 90).micros()) - noon(now).micros();
        let later = noon(now).plus_micros(span / 1000 * part);
        prop_assert_eq!(ask(&record, &events, &person, refused, later).fact, answer.fact);
        if !person.proved_minor_on(plus(now)) {
            prop_assert_eq!(answer.fact, StatuteFact::None);
        }
        events.reverse();
        prop_assert_eq!(ask(&record, &events, &person, refused, noon(now)), answer);
    }
}
