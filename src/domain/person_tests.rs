//! Tests of ages, holders and impossibilities.

use super::*;
use crate::clock::{Chance, NoChance};

struct Fixed(u8);
impl Chance for Fixed {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoChance> {
        into.fill(self.0);
        Ok(())
    }
}

fn day(y: i32, m: u32, d: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(y, m, d).unwrap()
}

fn born(y: i32, m: u32, d: u32) -> PersonFacts {
    PersonFacts::new(Some(day(y, m, d)), None, false).unwrap()
}

fn draft(capacity: Capacity) -> HolderDraft {
    HolderDraft {
        id: HolderId::random(&Fixed(1)).unwrap(),
        capacity,
        from: day(2020, 1, 1),
        until: None,
        organisation: None,
        proof: None,
    }
}

#[test]
fn law_the_four_ages_begin_on_the_birthday() {
    let person = born(2010, 5, 20);
    for (years, before, after) in [
        (12, AgeBand::Under12, AgeBand::From12To14),
        (15, AgeBand::From12To14, AgeBand::From15To17),
        (18, AgeBand::From15To17, AgeBand::Adult),
    ] {
        assert_eq!(person.band_on(day(2010 + years, 5, 19)), before);
        assert_eq!(person.band_on(day(2010 + years, 5, 20)), after);
    }
    assert_eq!(person.age_on(day(2010, 5, 19)), None, "not born yet is not an age");
    assert_eq!(person.age_on(day(2010, 5, 20)), Some(0));
}

#[test]
fn law_born_on_29_february_every_age_in_a_common_year_begins_on_1_march() {
    let person = born(2008, 2, 29);
    assert_eq!(person.majority_day(), Some(day(2026, 3, 1)));
    assert_eq!(person.majority_at(), Some(Timestamp::paris_midnight(day(2026, 3, 1))));
    assert_eq!(person.age_on(day(2026, 2, 28)), Some(17));
    assert_eq!(person.sign_ahead_from(), Some(day(2025, 12, 1)));
}

#[test]
fn law_an_unknown_birth_date_is_under_fifteen_never_eighteen_and_proves_no_minority() {
    let person = PersonFacts::new(None, None, false).unwrap();
    assert_eq!(person.band_on(day(2026, 1, 1)), AgeBand::From12To14);
    assert_eq!(person.majority_at(), None);
    assert!(!person.decides_alone_on(day(2090, 1, 1)));
    assert!(!person.proved_minor_on(day(2026, 1, 1)));
}

#[test]
fn law_413_6_emancipated_decides_alone_before_eighteen() {
    let person = PersonFacts::new(Some(day(2009, 5, 20)), Some(day(2026, 3, 1)), false).unwrap();
    assert!(!person.decides_alone_on(day(2026, 2, 28)) && person.decides_alone_on(day(2026, 3, 1)));
    assert!(person.proved_minor_on(day(2026, 2, 28)) && !person.proved_minor_on(day(2026, 3, 1)));
    assert_eq!(
        PersonFacts::new(Some(day(2011, 5, 20)), Some(day(2026, 3, 1)), false),
        Err(PersonError::EmancipationTooEarly(day(2026, 3, 1)))
    );
    assert_eq!(
        PersonFacts::new(None, Some(day(2026, 3, 1)), false),
        Err(PersonError::EmancipationWithoutBirthDate)
    );
}

#[test]
fn absurd_birth_dates_are_refused() {
    for year in [1899, 2201, 9999] {
        assert!(PersonFacts::new(Some(day(year, 1, 1)), None, false).is_err());
    }
}

#[test]
fn law_other_capacities_need_type_document_and_end() {
    for capacity in
        [Capacity::Guardian, Capacity::Delegate, Capacity::ConfidedService, Capacity::AuthorisedService]
    {
        assert_eq!(HolderFacts::new(draft(capacity)), Err(PersonError::DecisionMissing(capacity)));
    }
    let mut service = draft(Capacity::AuthorisedService);
    service.proof = Some(Reference::new("ordonnance").unwrap());
    service.until = Some(day(2027, 1, 1));
    assert_eq!(
        HolderFacts::new(service.clone()),
        Err(PersonError::ServiceMissing(Capacity::AuthorisedService))
    );
    service.organisation = Some(OrganisationId::random(&Fixed(9)).unwrap());
    let service = HolderFacts::new(service).unwrap();
    assert!(service.in_period(day(2026, 12, 31)) && !service.in_period(day(2027, 1, 1)));
    assert!(HolderFacts::new(draft(Capacity::Parent)).unwrap().can_sign());
    assert!(!HolderFacts::new(draft(Capacity::Relative)).unwrap().can_sign());
    assert!(HolderFacts::new(draft(Capacity::YoungPerson)).is_err());
}

#[test]
fn law_an_impossibility_is_a_managers_decision_for_six_months_at_most() {
    let ok = ImpossibilityDraft {
        holder: HolderId::random(&Fixed(1)).unwrap(),
        motive: Motive::NoAnswer { first_attempt: day(2026, 2, 1), second_attempt: day(2026, 2, 9) },
        decided_by: AssignmentId::random(&Fixed(2)).unwrap(),
        decided_as: Function::Manager,
        decided_at: Timestamp::paris_midnight(day(2026, 3, 1)).plus_seconds(60),
        from: day(2026, 3, 1),
        until: day(2026, 9, 1),
    };
    let with = |change: &dyn Fn(&mut ImpossibilityDraft)| {
        let mut draft = ok.clone();
        change(&mut draft);
        Impossibility::new(draft).map(|_| ())
    };
    assert_eq!(with(&|_| ()), Ok(()));
    assert_eq!(with(&|d| d.until = day(2026, 9, 2)), Err(PersonError::ImpossibilityTooLong(day(2026, 9, 1))));
    assert_eq!(
        with(&|d| d.decided_as = Function::Practitioner),
        Err(PersonError::NotAManager(Function::Practitioner))
    );
    assert_eq!(
        with(&|d| d.from = day(2026, 2, 28)),
        Err(PersonError::ImpossibilityBackdated(day(2026, 3, 1)))
    );
    let one_attempt = Motive::NoAnswer { first_attempt: day(2026, 2, 1), second_attempt: day(2026, 2, 1) };
    assert_eq!(with(&|d| d.motive = one_attempt.clone()), Err(PersonError::Attempts));
    let impossibility = Impossibility::new(ok.clone()).unwrap();
    assert!(impossibility.in_force(day(2026, 8, 31)) && !impossibility.in_force(day(2026, 9, 1)));
}

#[test]
fn people_read_back_checked_and_show_nothing_in_debug() {
    let person = PersonFacts::new(Some(day(2009, 5, 20)), Some(day(2026, 3, 1)), false).unwrap();
    let text = serde_json::to_string(&person).unwrap();
    assert_eq!(serde_json::from_str::<PersonFacts>(&text).unwrap(), person);
    assert!(serde_json::from_str::<PersonFacts>(&text.replace("2026-03-01", "2010-03-01")).is_err());
    assert!(!format!("{person:?}").contains("2009"));
    let mut holder = draft(Capacity::Parent);
    holder.proof = Some(Reference::new("livret vu le 3 mars").unwrap());
    let holder = HolderFacts::new(holder).unwrap();
    let text = serde_json::to_string(&holder).unwrap();
    assert_eq!(serde_json::from_str::<HolderFacts>(&text).unwrap(), holder);
    assert!(!format!("{holder:?}").contains("livret"));
    assert!(serde_json::from_str::<HolderFacts>(&text.replace("parent", "guardian")).is_err());
    for bad in ["", "  ", "deux\nlignes", &"x".repeat(141)] {
        assert!(Reference::new(bad).is_err(), "{bad:?}");
        assert!(serde_json::from_value::<Reference>(serde_json::json!(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn law_7_no_reference_is_entered_with_a_nir_and_an_older_one_is_still_read() {
    for (bad, why) in [
        ("dossier 1 85 05 78 006 084 91", EntryError::NirLike),
        ("armoire\u{200b} 3", EntryError::InvisibleCharacter),
    ] {
        assert_eq!(Reference::new(bad), Err(why), "{bad:?}");
        let kept: Reference = serde_json::from_value(serde_json::json!(bad)).unwrap();
        assert_eq!(kept.as_str(), bad, "a sheet that was signed before stays a sheet");
    }
}
