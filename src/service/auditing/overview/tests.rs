//! Each finding at its threshold and just below it, with a threshold that is not the usual one; and where it leads.

use super::*;
use crate::clock::Clock;
use crate::domain::emergency::{EmergencyOutcome, FamilyTelling, REVIEW_HOURS};
use crate::domain::record::ReviewKind;
use crate::domain::statute::ExceptionMotive;
use crate::domain::text::Paragraph;
use crate::domain::vocabulary::{Profession, Purpose};
use crate::domain::watch::Thresholds;
use crate::ids::{EmergencyId, ItemVersionId, StatuteId};
use crate::service::auditing::{RecordLine, ReviewInput, ReviewLine, ReviewSearch};
use crate::service::consent_fixture::{Family, date};
use crate::service::emergencies::EmergencyInput;
use crate::service::pathway_tests::leisure;
use crate::service::reading::ItemsQuery;
use crate::service::statute_service_tests::{asks, family};
use crate::service::testing::Territory;
use crate::service::{
    DecisionKind, EmergencyReviewInput, Idempotency, InformationInput, StatuteDecision, StatuteInput,
};

const SEARCH: Act = Act { action: Action::Search, resource: ResourceKind::AuditLog };

fn statute(action: Action) -> Act {
    Act { action, resource: ResourceKind::Statute }
}

/// A circle in which the educator of the street and the référente have each written something; nobody has opened it.
fn circle(thresholds: Thresholds) -> Family {
    let f = family();
    f.t.app.watch(thresholds);
    f.fact_item("referente", "leisure", "va au judo");
    f.fact_item("prevention", "leisure", "va à la piscine");
    f
}

/// So many hours after midnight in Paris.
fn at(t: &Territory, day: NaiveDate, hours: i64) {
    at_second(t, day, hours * 3600);
}

fn at_second(t: &Territory, day: NaiveDate, seconds: i64) {
    t.clock.set(Timestamp::paris_midnight(day).plus_seconds(seconds));
    t.keep_sessions();
}

fn found(t: &Territory, kind: FindingKind) -> Vec<Finding> {
    let console = t.app.audit_console(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    console.into_inner().findings.into_iter().filter(|f| f.kind == kind).collect()
}

fn only(t: &Territory, kind: FindingKind) -> Finding {
    let mut all = found(t, kind);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A finding says whose records it leads to as the records do: profession, structure, pseudonym; and no number of theirs.
fn names_whom(finding: &Finding, begins: &str, profession: Profession) {
    let who = finding.sentence.strip_prefix(begins).unwrap_or_else(|| panic!("{}", finding.sentence));
    assert!(who.starts_with(&format!("{} (", profession.french())), "{who}");
    let pseudonym = finding.search.actor.as_deref().unwrap();
    assert!(who.contains(&format!("), {}", &pseudonym[..14])) && who.ends_with("…."), "{who}");
}

/// What an auditor sees who follows a finding.
fn led(t: &Territory, finding: &Finding) -> Vec<RecordLine> {
    t.app.audit_search(&t.call("auditor"), SEARCH, &finding.search).unwrap().into_inner().items
}

/// The list of items, which shows their words.
fn list(f: &Family, who: &str) {
    let items = f.t.app.items(&f.t.call(who), &f.pathway, ItemsQuery::default()).unwrap();
    assert_eq!(items.items.len(), 1, "{who} reads what is its own");
}

/// All that shows no content, or a name at most: pages of a pathway, lists of names, an auditor's own reads.
fn look_without_content(f: &Family, who: &str) {
    let (t, call) = (&f.t, || f.t.call(who));
    t.app.pathways(&call(), None).unwrap();
    t.app.today(&call()).unwrap();
    t.app.circle(&call(), &f.pathway).unwrap();
    let page = Act { action: Action::Read, resource: ResourceKind::Pathway };
    let shown = t.app.read(&call(), page, &f.pathway, |scene| {
        scene.gate.resource(crate::access::Resource::Place)?;
        Ok(scene.seal_facts(()))
    });
    assert!(shown.is_ok());
    t.app.audit_record(&t.call("auditor"), SEARCH, 0).unwrap();
}

#[test]
fn one_opening_out_of_hours_is_told_a_list_of_items_is_one_and_a_list_of_names_is_none() {
    let f = circle(Thresholds { window_days: 7, ..Thresholds::default() });
    let t = &f.t;
    let tuesday = date(2027, 3, 2);
    at_second(t, tuesday, 20 * 3600 - 1);
    list(&f, "referente");
    at(t, tuesday, 20);
    look_without_content(&f, "referente");
    assert!(found(t, FindingKind::OutOfHours).is_empty());
    list(&f, "referente");
    let finding = only(t, FindingKind::OutOfHours);
    assert!(finding.sentence.starts_with("1 consultation la nuit"), "{}", finding.sentence);
    assert!(finding.sentence.contains("ces 7 derniers jours"), "{}", finding.sentence);
    let seen = led(t, &finding);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].action, seen[0].resource), (Action::List, ResourceKind::Item));
    // The page with the identity sheet is an opening too.
    t.app.pathway(&t.call("referente"), &f.pathway).unwrap();
    let finding = only(t, FindingKind::OutOfHours);
    assert!(finding.sentence.starts_with("2 consultations la nuit"), "{}", finding.sentence);
    assert_eq!(led(t, &finding).len(), 2);
    // The queue has the same ones, and so has the report.
    let search = ReviewSearch { kind: ReviewKind::OutOfHours, all: false, cursor: None };
    let queue = t.app.audit_reviews(&t.call("auditor"), SEARCH, &search).unwrap().into_inner().items;
    let queue: Vec<u64> = queue.iter().map(|l| l.record.index).collect();
    assert_eq!(queue, led(t, &finding).iter().map(|l| l.index).collect::<Vec<_>>());
    // The window is of seven days, today included.
    at(t, date(2027, 3, 8), 10);
    assert_eq!(found(t, FindingKind::OutOfHours).len(), 1);
    at(t, date(2027, 3, 9), 10);
    assert!(found(t, FindingKind::OutOfHours).is_empty());
    t.clock.set(Timestamp::paris_midnight(date(2027, 4, 1)));
    t.keep_sessions();
    let month = crate::domain::day::Month::of(tuesday);
    let report = Act { action: Action::Read, resource: ResourceKind::MonthlyReport };
    let report = t.app.audit_report(&t.call("auditor"), report, month).unwrap();
    assert_eq!(report.openings_out_of_hours, 2);
    let search = RecordSearch { openings: true, until: Some(date(2027, 3, 31)), ..RecordSearch::default() };
    let shown = t.app.audit_search(&t.call("auditor"), SEARCH, &search).unwrap().into_inner().items;
    assert_eq!(usize::try_from(report.openings).unwrap(), shown.len());
}

#[test]
fn many_openings_by_one_person_within_an_hour_are_told_from_the_threshold_on() {
    let f = circle(Thresholds { bulk: 5, ..Thresholds::default() });
    let t = &f.t;
    let tuesday = date(2027, 3, 2);
    at(t, tuesday, 11);
    for _ in 0..4 {
        list(&f, "prevention");
        look_without_content(&f, "prevention");
    }
    for _ in 0..4 {
        list(&f, "referente");
    }
    assert!(found(t, FindingKind::Bulk).is_empty(), "four each");
    at(t, tuesday, 12);
    list(&f, "prevention");
    assert!(found(t, FindingKind::Bulk).is_empty(), "the fifth, within another hour");
    for _ in 0..4 {
        list(&f, "prevention");
    }
    let finding = only(t, FindingKind::Bulk);
    let begins =
        "Au moins 5 consultations par une même personne en une heure, le 2 mars 2027, entre 12 h et 13 h : ";
    names_whom(&finding, begins, Profession::SpecialisedPrevention);
    let seen = led(t, &finding);
    assert_eq!(seen.len(), 9, "all of that person's openings on that day");
    let the_street = t.person("prevention").profession;
    assert!(seen.iter().all(|l| l.action == Action::List && l.profession == Some(the_street)), "{seen:?}");
}

#[test]
fn many_refusals_to_one_person_within_an_hour_are_told_from_the_threshold_on() {
    let t = Territory::new();
    t.app.watch(Thresholds { refusals: 3, ..Thresholds::default() });
    let tuesday = date(2027, 3, 2);
    let refused = |name: &str| assert!(t.app.audit_state(&t.call(name), SEARCH).is_err());
    at(&t, tuesday, 11);
    refused("teacher");
    refused("teacher");
    refused("nurse");
    refused("nurse");
    assert!(found(&t, FindingKind::Refusals).is_empty(), "two each");
    at(&t, tuesday, 12);
    refused("teacher");
    assert!(found(&t, FindingKind::Refusals).is_empty(), "the third, within another hour");
    refused("teacher");
    refused("teacher");
    let finding = only(&t, FindingKind::Refusals);
    assert!(finding.sentence.starts_with("Au moins 3 refus "), "{}", finding.sentence);
    let seen = led(&t, &finding);
    assert_eq!(seen.len(), 5, "all of that person's refusals on that day");
    assert!(seen.iter().all(|l| l.decision == Verdict::Deny));
}

#[test]
fn who_opens_one_pathway_again_and_again_and_does_nothing_there_is_told_from_the_threshold_on() {
    let f = circle(Thresholds { curiosity: 3, ..Thresholds::default() });
    let t = &f.t;
    let kind = FindingKind::Curiosity;
    for _ in 0..2 {
        list(&f, "prevention");
        list(&f, "referente");
        for _ in 0..3 {
            look_without_content(&f, "prevention");
        }
    }
    assert!(found(t, kind).is_empty(), "two each");
    list(&f, "prevention");
    let finding = only(t, kind);
    let begins = "Au moins 3 consultations d'un même parcours par une même personne, sans aucun acte dans ce cercle, en 30 \
                  jours : ";
    names_whom(&finding, begins, Profession::SpecialisedPrevention);
    let seen = led(t, &finding);
    assert_eq!(seen.len(), 3);
    let the_street = t.person("prevention").profession;
    assert!(seen.iter().all(|l| l.action == Action::List && l.profession == Some(the_street)), "{seen:?}");
    // Who writes there has a reason to read.
    t.app.item_write(&t.call("prevention"), &f.pathway, &leisure("Judo")).unwrap();
    assert!(found(t, kind).is_empty());
}

#[test]
fn an_affectation_that_nobody_uses_is_told_after_the_days_that_are_set() {
    const DAY: i64 = 24 * 3600;
    let t = Territory::new();
    t.app.watch(Thresholds { dormant_days: 30, ..Thresholds::default() });
    let start = t.clock.now();
    let go = |to: Timestamp| {
        t.clock.set(to);
        t.keep_sessions();
    };
    let street = t.person("prevention").organisation.clone();
    let of_the_street = || {
        found(&t, FindingKind::Dormant)
            .into_iter()
            .filter(|f| f.search.organisation.as_ref() == Some(&street))
    };
    // Records are a little later than the clock, each later than the one before: a second is the least to tell.
    go(start.plus_seconds(30 * DAY - 1));
    assert!(found(&t, FindingKind::Dormant).is_empty(), "not thirty days yet");
    go(start.plus_seconds(30 * DAY + 1));
    let finding = of_the_street().next().unwrap();
    assert_eq!(
        finding.sentence,
        "Structure rue : au moins une affectation en cours n'a pas servi depuis 30 jours. Faut-il y mettre fin ?"
    );
    let used = t.clock.now();
    t.app.today(&t.call("prevention")).unwrap();
    assert_eq!(of_the_street().count(), 1, "the manager's");
    t.app.today(&t.call("prevention_manager")).unwrap();
    assert_eq!(of_the_street().count(), 0);
    assert!(led(&t, &finding).iter().all(|l| l.organisation.as_ref().is_some_and(|o| o.id == street)));
    go(used.plus_seconds(30 * DAY - 1));
    assert_eq!(of_the_street().count(), 0);
    go(used.plus_seconds(30 * DAY + 1));
    assert_eq!(of_the_street().count(), 1);
}

#[test]
fn an_opening_in_an_emergency_is_late_after_its_hours_until_it_is_reviewed() {
    let f = circle(Thresholds::default());
    let (t, kind) = (&f.t, FindingKind::EmergencyLate);
    let input = EmergencyInput { motive: Paragraph::parse("Malaise.").unwrap(), understood: true };
    let opened = t.clock.now();
    let made = t.app.emergency_open(&t.call("prevention"), &f.pathway, &input).unwrap();
    let go = |seconds: i64| {
        t.clock.set(opened.plus_seconds(seconds));
        t.keep_sessions();
    };
    go(REVIEW_HOURS * 3600 - 1);
    assert!(found(t, kind).is_empty());
    go(REVIEW_HOURS * 3600 + 1);
    let finding = only(t, kind);
    assert!(finding.sentence.contains("ouvert le 2 mars 2027"), "{}", finding.sentence);
    assert_eq!(led(t, &finding).len(), 1);
    let input = EmergencyReviewInput {
        outcome: EmergencyOutcome::Justified,
        family: FamilyTelling::ToTell,
        remark: Paragraph::parse("Le SAMU le demandait.").unwrap(),
    };
    let id = EmergencyId::parse(&made.id).unwrap();
    t.app.emergency_review(&t.call("officer"), &id, &input).unwrap();
    assert!(found(t, kind).is_empty());
    assert_eq!(led(t, &finding).len(), 2, "its opening and its review");
}

/// A statutory share to the street that waits for a second person, because the parents were not told.
fn not_told(f: &Family, version: &ItemVersionId) -> StatuteInput {
    StatuteInput {
        parents: InformationInput::ContraryToInterest { motive: ExceptionMotive::WouldEndanger },
        ..asks(f, version, "prevention")
    }
}

fn decided(f: &Family, id: &StatuteId, kind: DecisionKind) {
    let input = StatuteDecision { kind, accepted: true, motive: Paragraph::parse("Vu le dossier.").unwrap() };
    f.t.app.statute_decide(&f.t.call("pre_manager"), statute(Action::Confirm), id, &input).unwrap();
}

#[test]
fn a_statutory_share_is_told_until_a_second_person_decides_however_often_it_is_sent() {
    let f = family();
    let (t, kind) = (&f.t, FindingKind::StatuteUndecided);
    let version = f.fact_item("referente", "family", "tensions à la maison");
    assert!(found(t, kind).is_empty());
    let send = || {
        let mut call = t.call("referente");
        call.idempotency = Some(Idempotency { key: "one".to_owned(), body: b"{}".to_vec() });
        t.app.statute_create(&call, statute(Action::Create), &f.pathway, &not_told(&f, &version)).unwrap()
    };
    let made = send();
    let finding = only(t, kind);
    assert!(finding.sentence.contains("du 2 mars 2027"), "{}", finding.sentence);
    assert_eq!(led(t, &finding).len(), 1);
    decided(&f, &StatuteId::parse(&made.id).unwrap(), DecisionKind::Exception);
    assert!(found(t, kind).is_empty());
    assert!(send().replayed);
    assert!(found(t, kind).is_empty(), "sent twice, made once");
}

#[test]
fn a_decision_on_a_statutory_share_is_told_when_nobody_looks_at_it_again_in_time() {
    let f = family();
    let (t, kind) = (&f.t, FindingKind::StatuteReview);
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let create = statute(Action::Create);
    let made =
        t.app.statute_create(&t.call("referente"), create, &f.pathway, &not_told(&f, &version)).unwrap();
    let id = StatuteId::parse(&made.id).unwrap();
    decided(&f, &id, DecisionKind::Exception);
    at(t, date(2027, 4, 1), 10);
    assert!(found(t, kind).is_empty(), "the thirtieth day");
    at(t, date(2027, 4, 2), 10);
    let finding = only(t, kind);
    assert!(finding.sentence.contains("décidé le 2 mars 2027"), "{}", finding.sentence);
    assert_eq!(led(t, &finding).len(), 2, "made and decided");
    t.app.statute_close(&t.call("referente"), statute(Action::End), &id).unwrap();
    assert!(found(t, kind).is_empty());
}

#[test]
fn readings_under_a_statutory_share_wait_in_the_queue_until_an_auditor_looked_at_them() {
    use crate::domain::record::ReviewOutcome;
    let f = family();
    let t = &f.t;
    let version = f.fact_item("referente", "family", "tensions à la maison");
    let input = asks(&f, &version, "prevention");
    let made =
        t.app.statute_create(&t.call("referente"), statute(Action::Create), &f.pathway, &input).unwrap();
    let id = StatuteId::parse(&made.id).unwrap();
    f.share("referente", Purpose::Protection, &[&version], "prevention", Some(id));
    let queue = |all: bool| -> Vec<ReviewLine> {
        let search = ReviewSearch { kind: ReviewKind::Statute, all, cursor: None };
        t.app.audit_reviews(&t.call("auditor"), SEARCH, &search).unwrap().into_inner().items
    };
    list(&f, "referente");
    assert!(queue(true).is_empty(), "its author reads what is its own");
    // One by one, and in a list.
    assert!(f.reads("prevention", &version, Purpose::Protection));
    let query = ItemsQuery { purpose: Some(Purpose::Protection), ..ItemsQuery::default() };
    assert_eq!(t.app.items(&t.call("prevention"), &f.pathway, query).unwrap().items.len(), 1);
    let waiting = queue(false);
    let actions: Vec<Action> = waiting.iter().map(|l| l.record.action).collect();
    assert_eq!(actions, [Action::List, Action::Read], "latest first");
    let look = |line: &ReviewLine, outcome: ReviewOutcome| {
        let act = Act { action: Action::Create, resource: ResourceKind::AccessReview };
        let input = ReviewInput { outcome, remark: None };
        t.app.audit_review(&t.call("auditor"), act, line.record.index, &input).unwrap();
    };
    look(&waiting[0], ReviewOutcome::ToFollowUp);
    look(&waiting[1], ReviewOutcome::Irregular);
    let left = queue(false);
    assert_eq!(left.len(), 1, "what needs a follow-up stays");
    assert_eq!(
        (left[0].record.index, left[0].outcome),
        (waiting[0].record.index, Some(ReviewOutcome::ToFollowUp))
    );
    look(&waiting[0], ReviewOutcome::Regular);
    assert!(queue(false).is_empty());
    let outcomes: Vec<_> = queue(true).iter().map(|l| l.outcome).collect();
    assert_eq!(outcomes, [Some(ReviewOutcome::Regular), Some(ReviewOutcome::Irregular)]);
}
