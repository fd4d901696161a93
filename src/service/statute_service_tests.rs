//! STORIES S7, through the services and the next read.

use super::consent_fixture::{Family, act, code, date};
use super::*;
use crate::domain::cell::Reason;
use crate::domain::day::Day;
use crate::domain::record::{Action, Verdict};
use crate::domain::statute::{ExceptionMotive, Ground};
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::{Category, Mandate, Purpose, Role, Secrecy};
use crate::ids::*;

const PROTECTION: Purpose = Purpose::Protection;

/// The référente and the AEMO educator, both bound, in the circle by an opening accord.
pub(super) fn family() -> Family {
    let mut f = Family::of(date(2014, 10, 10));
    f.join("prevention", Mandate::Contractual, Role::Participant);
    f.join("teacher", Mandate::Contractual, Role::Participant);
    let lines = vec![f.line("prevention", &[], &[]), f.line("teacher", &[], &[])];
    let accord = f.accord("referente", &f.asks(Purpose::Coordination, lines)).unwrap();
    let view = f.t.app.accord_read(&f.t.call("referente"), act(Action::Read), &accord).unwrap();
    let ids: Vec<AccordLineId> = view.lines.iter().map(|l| l.id.clone()).collect();
    for by in [Said::YoungPerson, f.mother()] {
        let Happening::Signed(s) = f.signature(by, Family::paper()) else { panic!() };
        f.happens("referente", &accord, &Happening::Signed(SignatureInput { lines: ids.clone(), ..s }))
            .unwrap();
    }
    f
}

fn given() -> InformationInput {
    InformationInput::Given { on: Day::new(date(2027, 3, 1)).unwrap() }
}

pub(super) fn asks(f: &Family, version: &ItemVersionId, recipient: &str) -> StatuteInput {
    StatuteInput {
        ground: Ground::Danger,
        necessity: Paragraph::parse("Coups signalés ; le service doit adapter sa visite.").unwrap(),
        parents: given(),
        child: given(),
        items: vec![version.clone()],
        recipients: vec![f.places[recipient].clone()],
    }
}

fn create(f: &Family, who: &str, input: &StatuteInput) -> Result<StatuteId, ServiceError> {
    let made = f.t.app.statute_create(&f.t.call(who), act(Action::Create), &f.pathway, input)?;
    Ok(StatuteId::parse(&made.id).unwrap())
}

fn decide(
    f: &Family,
    who: &str,
    id: &StatuteId,
    kind: DecisionKind,
    accepted: bool,
) -> Result<Created, ServiceError> {
    let input = StatuteDecision { kind, accepted, motive: Paragraph::parse("Vu le dossier.").unwrap() };
    f.t.app.statute_decide(&f.t.call(who), act(Action::Confirm), id, &input)
}

#[test]
fn law_l226_2_2_two_bound_professionals_share_without_accord_after_prior_information() {
    let f = family();
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let id = create(&f, "referente", &asks(&f, &version, "prevention")).unwrap();
    f.share("referente", PROTECTION, &[&version], "prevention", Some(id.clone()));
    assert!(f.reads("prevention", &version, PROTECTION));
    let read = |who: &str| f.t.app.statute_read(&f.t.call(who), act(Action::Read), &id);
    let author = read("referente").unwrap();
    assert!(author.whole.as_ref().unwrap().necessity.contains("Coups signalés"));
    let second = read("pre_manager").unwrap();
    assert!(second.whole.is_some());
    // Recipients: regime and period only.
    let recipient = read("prevention").unwrap();
    assert!(recipient.whole.is_none() && recipient.until.is_some());
    for other in ["teacher", "pre_secretary", "prevention_manager", "outsider", "auditor"] {
        assert!(matches!(read(other), Err(ServiceError::AbsentOrRefused)), "{other}");
    }
    // Listed for its author alone.
    let listed = |who: &str| f.t.app.statutes_own(&f.t.call(who), act(Action::List), &f.pathway);
    let mine = listed("referente").unwrap();
    assert_eq!(mine.items.len(), 1);
    assert_eq!((&mine.items[0].id, mine.items[0].state), (&id, StatuteState::Complete));
    assert!(listed("prevention").unwrap().items.is_empty());
    assert!(matches!(listed("pre_manager"), Err(ServiceError::AbsentOrRefused)));
    // It lapses without a review.
    f.t.go_to(2027, 4, 1);
    assert!(!f.reads("prevention", &version, PROTECTION));
    assert!(read("prevention").unwrap().until.is_none());
}

#[test]
fn law_the_same_act_towards_somebody_who_is_not_bound_is_refused() {
    let mut f = family();
    let version = f.fact_item("referente", "family", "tensions à la maison");
    assert_eq!(
        code(create(&f, "referente", &asks(&f, &version, "teacher")).unwrap_err()),
        "statute_needs_both_bound"
    );
    // `contested` is not enough, on either end.
    f.join("referent_contested", Mandate::Contractual, Role::Participant);
    assert!(f.secrecy_is("referent_contested", Secrecy::Contested));
    let to = asks(&f, &version, "referent_contested");
    assert_eq!(code(create(&f, "referente", &to).unwrap_err()), "statute_needs_both_bound");
    let own = f.fact_item("referent_contested", "leisure", "au club");
    let from = asks(&f, &own, "prevention");
    assert_eq!(code(create(&f, "referent_contested", &from).unwrap_err()), "statute_needs_both_bound");
    // Not one's own words, not a stranger's place, not somebody who cannot be known.
    assert!(matches!(
        create(&f, "prevention", &asks(&f, &version, "referente")),
        Err(ServiceError::AbsentOrRefused)
    ));
    assert!(matches!(
        create(&f, "outsider", &asks(&f, &version, "prevention")),
        Err(ServiceError::AbsentOrRefused)
    ));
}

#[test]
fn law_an_exception_to_information_is_decided_by_a_bound_manager_who_is_not_the_sharer() {
    let f = family();
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let mut input = asks(&f, &version, "prevention");
    input.parents = InformationInput::ContraryToInterest { motive: ExceptionMotive::WouldEndanger };
    let id = create(&f, "referente", &input).unwrap();
    f.share("referente", PROTECTION, &[&version], "prevention", Some(id.clone()));
    assert!(!f.reads("prevention", &version, PROTECTION), "nothing before the second person");
    let awaited = f.t.app.decisions_awaited(&f.t.call("pre_manager"), act(Action::List)).unwrap();
    assert_eq!(awaited.items.len(), 1);
    assert_eq!(awaited.items[0].kind, AwaitedKind::Exception);
    assert!(awaited.items[0].stated.contains("Coups signalés"));
    let foreign = f.t.app.decisions_awaited(&f.t.call("prevention_manager"), act(Action::List)).unwrap();
    assert!(foreign.items.is_empty());
    assert_eq!(
        code(decide(&f, "referente", &id, DecisionKind::Exception, true).unwrap_err()),
        "second_person_needed"
    );
    for other in ["prevention", "prevention_manager", "pre_secretary", "teacher", "outsider"] {
        let refused = decide(&f, other, &id, DecisionKind::Exception, true);
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{other}");
    }
    decide(&f, "pre_manager", &id, DecisionKind::Exception, true).unwrap();
    assert!(f.reads("prevention", &version, PROTECTION));
    let view = f.t.app.statute_read(&f.t.call("referente"), act(Action::Read), &id).unwrap();
    let whole = view.whole.as_ref().unwrap();
    assert_eq!(whole.decisions.len(), 1);
    assert_eq!(whole.decisions[0].motive, "Vu le dossier.");
    assert!(whole.necessity.contains("Coups signalés"), "the words went on to the next version");
}

#[test]
fn law_after_a_refusal_only_with_a_managers_validation() {
    let f = family();
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let id = create(&f, "referente", &asks(&f, &version, "prevention")).unwrap();
    f.share("referente", PROTECTION, &[&version], "prevention", Some(id.clone()));
    let no = ScopeInput::Category { category: Category::Family };
    f.withdraw("referente", f.mother(), no).unwrap();
    assert!(!f.reads("prevention", &version, PROTECTION));
    let awaited = f.t.app.decisions_awaited(&f.t.call("pre_manager"), act(Action::List)).unwrap();
    assert_eq!(awaited.items.iter().map(|i| i.kind).collect::<Vec<_>>(), [AwaitedKind::Validation]);
    decide(&f, "pre_manager", &id, DecisionKind::Validation, false).unwrap();
    assert!(!f.reads("prevention", &version, PROTECTION), "not validated opens nothing");
    decide(&f, "pre_manager", &id, DecisionKind::Validation, true).unwrap();
    assert!(f.reads("prevention", &version, PROTECTION));
    // A later no needs a later validation.
    f.withdraw("referente", f.father(), ScopeInput::Category { category: Category::Family }).unwrap();
    assert!(!f.reads("prevention", &version, PROTECTION));
}

#[test]
fn a_review_in_time_gives_thirty_more_days_and_the_sharer_can_end_it() {
    let f = family();
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let id = create(&f, "referente", &asks(&f, &version, "prevention")).unwrap();
    f.share("referente", PROTECTION, &[&version], "prevention", Some(id.clone()));
    f.t.go_to(2027, 3, 29);
    let awaited = f.t.app.decisions_awaited(&f.t.call("pre_manager"), act(Action::List)).unwrap();
    assert_eq!(awaited.items.iter().map(|i| i.kind).collect::<Vec<_>>(), [AwaitedKind::Review]);
    decide(&f, "pre_manager", &id, DecisionKind::Review, true).unwrap();
    f.t.go_to(2027, 4, 20);
    assert!(f.reads("prevention", &version, PROTECTION));
    let close = |who: &str| f.t.app.statute_close(&f.t.call(who), act(Action::End), &id);
    assert!(matches!(close("prevention"), Err(ServiceError::AbsentOrRefused)));
    close("referente").unwrap();
    assert!(!f.reads("prevention", &version, PROTECTION));
}

#[test]
fn law_the_route_is_not_open_where_the_ceiling_closes_it_nor_for_an_adult() {
    let f = family();
    // `CI` without a star for specialised prevention.
    let health = f.treatment("referente");
    assert_eq!(
        code(create(&f, "referente", &asks(&f, &health, "prevention")).unwrap_err()),
        "statute_not_open"
    );
    let mut adult = Family::of(date(2009, 3, 2));
    adult.join("prevention", Mandate::Contractual, Role::Participant);
    let version = adult.fact_item("referente", "family", "tensions");
    assert_eq!(
        code(create(&adult, "referente", &asks(&adult, &version, "prevention")).unwrap_err()),
        "minority_not_proved"
    );
}

fn last_record(f: &Family) -> crate::audit::LeafBody {
    let mut snapshot = f.t.app.store().snapshot().unwrap();
    let rows = snapshot.log_page(&crate::store::log::LogFilter::default(), 1).unwrap();
    crate::audit::LeafBody::parse(&rows[0].1).unwrap()
}

#[test]
fn a_statute_towards_somebody_who_is_not_bound_is_found_among_refusals() {
    let f = family();
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let refused = create(&f, "referente", &asks(&f, &version, "teacher")).unwrap_err();
    assert_eq!(code(refused), "statute_needs_both_bound");
    let said = last_record(&f);
    assert_eq!(said.decision, Verdict::Deny);
    assert_eq!(said.reasons, [Reason::StatuteNeedsBothBound]);
    assert!(said.clauses.iter().any(|c| c == "rule=statute_needs_both_bound"), "{:?}", said.clauses);
    let late = InformationInput::Given { on: Day::new(date(2027, 12, 1)).unwrap() };
    let wrong = create(&f, "referente", &StatuteInput { child: late, ..asks(&f, &version, "prevention") });
    assert_eq!(code(wrong.unwrap_err()), "informed_after");
    assert_eq!(last_record(&f).decision, Verdict::Failed);
}

#[test]
fn a_closed_pathway_takes_no_more_statutes_and_what_ends_one_is_still_heard() {
    let f = family();
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let id = create(&f, "referente", &asks(&f, &version, "prevention")).unwrap();
    let input = pathways::ClosingInput { reason: pathways::ClosingReason::Achieved, words: None };
    f.t.app.pathway_close(&f.t.call("referente"), &f.pathway, &input).unwrap();
    let again = decide(&f, "pre_manager", &id, DecisionKind::Review, true);
    assert_eq!(code(again.unwrap_err()), "pathway_closed");
    decide(&f, "pre_manager", &id, DecisionKind::Review, false).unwrap();
    f.t.app.statute_close(&f.t.call("referente"), act(Action::End), &id).unwrap();
    // Nobody is left in the circle; the question is answered before who would have received.
    let none = StatuteInput { recipients: Vec::new(), ..asks(&f, &version, "prevention") };
    assert_eq!(code(create(&f, "referente", &none).unwrap_err()), "pathway_closed");
}
