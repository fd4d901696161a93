//! STORIES S11 for offices: what a secretary or a manager of another mission learns of a hidden service of their own
//! organisation, from outside the circle. Nothing.

use super::consent_fixture::{Family, act, code, date};
use super::*;
use crate::domain::day::Day;
use crate::domain::record::Action;
use crate::domain::statute::{ExceptionMotive, Ground};
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::{Category, Mandate, Purpose, Role};
use crate::ids::*;

const COORDINATION: Purpose = Purpose::Coordination;
const MANAGER: &str = "clubs_manager";
const SECRETARY: &str = "clubs_secretary";

/// A child of twelve with a judicial measure, whose educator collected an accord of her own.
fn measured() -> (Family, AccordId) {
    measured_by("referente")
}

/// The same, where somebody else invited the educator.
fn measured_by(inviter: &str) -> (Family, AccordId) {
    let mut f = Family::of(date(2014, 10, 10));
    f.join("prevention", Mandate::Contractual, Role::Participant);
    f.join_by(inviter, "aemo", Mandate::Judicial, Role::Participant);
    for who in ["prevention", "aemo"] {
        let opening = f.accord("referente", &f.asks(COORDINATION, vec![f.line(who, &[], &[])])).unwrap();
        f.all_sign("referente", &opening);
    }
    let lines = vec![f.line("prevention", &[Category::Leisure], &[])];
    let own = f.accord("aemo", &f.asks(COORDINATION, lines)).unwrap();
    (f, own)
}

fn absent<T>(result: Result<T, ServiceError>) -> bool {
    matches!(result, Err(ServiceError::AbsentOrRefused))
}

#[test]
fn threat_an_office_of_another_mission_does_not_see_what_a_hidden_service_collected() {
    let (f, own) = measured();
    let lines = |who| f.t.app.office(&f.t.call(who)).unwrap().into_inner().items.len();
    assert_eq!((lines("aemo_manager"), lines(MANAGER), lines(SECRETARY)), (1, 0, 0));
    let read = |who| f.t.app.accord_read(&f.t.call(who), act(Action::Read), &own);
    assert!(read("aemo_manager").is_ok());
    assert!(absent(read(MANAGER)) && absent(read(SECRETARY)));
    assert!(absent(f.t.app.holders(&f.t.call(SECRETARY), &f.pathway)), "the parents' names and numbers");
    assert!(absent(f.signs(SECRETARY, &own, f.mother())), "and that office records nothing on it");
}

#[test]
fn threat_a_manager_of_another_mission_reads_no_motive_of_a_hidden_service_and_decides_nothing() {
    let (f, _) = measured();
    let ask = ImpossibilityInput {
        holder: f.father.clone(),
        motive: MotiveInput::Unknown,
        statement: Paragraph::parse("Le juge a ordonné notre mesure ; le père est inconnu.").unwrap(),
    };
    let asked =
        f.t.app.impossibility_request(&f.t.call("aemo"), act(Action::Create), &f.pathway, &ask).unwrap();
    let version = f.fact_item("aemo", "family", "tensions à la maison");
    let stated = StatuteInput {
        ground: Ground::Danger,
        necessity: Paragraph::parse("Coups signalés.").unwrap(),
        parents: InformationInput::ContraryToInterest { motive: ExceptionMotive::WouldEndanger },
        child: InformationInput::Given { on: Day::new(date(2027, 3, 1)).unwrap() },
        items: vec![version],
        recipients: vec![f.places["referente"].clone()],
    };
    let statute =
        f.t.app.statute_create(&f.t.call("aemo"), act(Action::Create), &f.pathway, &stated).unwrap();
    let statute = StatuteId::parse(&statute.id).unwrap();
    let awaited = |who| f.t.app.decisions_awaited(&f.t.call(who), act(Action::List)).unwrap().items.len();
    assert_eq!((awaited("aemo_manager"), awaited(MANAGER)), (2, 0));
    assert!(absent(f.t.app.statute_read(&f.t.call(MANAGER), act(Action::Read), &statute)));
    let id = ImpossibilityId::parse(&asked.id).unwrap();
    let input = ImpossibilityDecision {
        accepted: true,
        until: Day::new(date(2027, 6, 1)).ok(),
        motive: Paragraph::parse("Vu.").unwrap(),
    };
    let decide = |who| f.t.app.impossibility_decide(&f.t.call(who), act(Action::Confirm), &id, &input);
    assert!(absent(decide(MANAGER)));
    decide("aemo_manager").unwrap();
}

#[test]
fn a_visit_of_an_office_records_no_refusal_of_what_it_never_asked_for() {
    let (f, _) = measured();
    let size = || f.t.app.lane().stats().records;
    for who in [MANAGER, SECRETARY] {
        let before = size();
        f.t.app.office(&f.t.call(who)).unwrap();
        assert_eq!(size(), before + 1, "{who}: one record, of a list with nothing in it");
    }
    let before = size();
    f.t.app.decisions_awaited(&f.t.call(MANAGER), act(Action::List)).unwrap();
    assert_eq!(size(), before + 1);
    f.t.app.today(&f.t.call(MANAGER)).unwrap();
    assert_eq!(size(), before + 2);
}

#[test]
fn threat_what_a_hidden_service_asked_of_its_manager_refuses_nothing_to_others() {
    let (f, _) = measured_by("prevention");
    let circle = f.t.app.circle(&f.t.call("referente"), &f.pathway).unwrap().into_inner();
    assert_eq!(circle.items.len(), 2, "the référente does not know of the measure");
    let ask = |who| {
        let input = ImpossibilityInput {
            holder: f.father.clone(),
            motive: MotiveInput::Unknown,
            statement: Paragraph::parse("Père inconnu.").unwrap(),
        };
        f.t.app.impossibility_request(&f.t.call(who), act(Action::Create), &f.pathway, &input)
    };
    ask("aemo").unwrap();
    ask("referente").unwrap();
    // One's own, and that of somebody known, still do.
    assert_eq!(code(ask("aemo").unwrap_err()), "already_requested");
    assert_eq!(code(ask("referente").unwrap_err()), "already_requested");
}

/// Of a place that anybody may know of, the other missions of the organisation go on knowing.
#[test]
fn an_office_of_another_mission_sees_what_is_not_hidden() {
    let mut f = Family::of(date(2014, 10, 10));
    f.join("mission_locale", Mandate::Contractual, Role::Participant);
    let seen = f.t.app.office(&f.t.call("pre_secretary")).unwrap().into_inner();
    assert_eq!(seen.items.len(), 1);
    let lines = vec![f.line("mission_locale", &[], &[])];
    let accord = f.accord("referente", &f.asks(COORDINATION, lines)).unwrap();
    assert!(f.t.app.accord_read(&f.t.call("camp_secretary"), act(Action::Read), &accord).is_ok());
}

#[test]
fn who_has_no_manager_is_told_so_before_anything_is_asked() {
    let mut f = Family::of(date(2014, 10, 10));
    f.join("mission_locale", Mandate::Contractual, Role::Participant);
    let lines = vec![f.line("referente", &[], &[])];
    let opening =
        f.accord("referente", &f.asks(COORDINATION, vec![f.line("mission_locale", &[], &[])])).unwrap();
    f.all_sign("referente", &opening);
    f.accord("mission_locale", &f.asks(Purpose::Integration, lines)).unwrap();
    let ask = ImpossibilityInput {
        holder: f.father.clone(),
        motive: MotiveInput::Unknown,
        statement: Paragraph::parse("Père inconnu.").unwrap(),
    };
    let call = f.t.call("mission_locale");
    let refused = f.t.app.impossibility_request(&call, act(Action::Create), &f.pathway, &ask).unwrap_err();
    assert_eq!(code(refused), "no_manager");
}
