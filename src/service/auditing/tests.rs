//! Tests of the auditor's reads.

use super::*;
use crate::audit::tree::verify_consistency;
use crate::audit::{SignedCheckpoint, TlogProof};
use crate::clock::Clock;
use crate::domain::record::Action;
use crate::service::checkpoints::log_name;
use crate::service::testing::Territory;

const ACT: Act = Act { action: Action::Search, resource: ResourceKind::AuditLog };

fn size(t: &Territory) -> u64 {
    t.app.store().snapshot().unwrap().log_frontier().unwrap().size()
}

#[test]
fn only_an_auditor_opens_the_log_and_every_attempt_has_its_record() {
    let t = Territory::new();
    for name in ["referente", "administrator", "pre_manager", "teacher", "aemo"] {
        let before = size(&t);
        let call = t.call(name);
        let refused = t.app.audit_search(&call, ACT, &RecordSearch::default()).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{name}");
        assert!(matches!(t.app.audit_state(&call, ACT).map(|_| ()), Err(ServiceError::AbsentOrRefused)));
        assert!(matches!(t.app.audit_record(&call, ACT, 0).map(|_| ()), Err(ServiceError::AbsentOrRefused)));
        assert!(matches!(t.app.audit_proof(&call, ACT, 0).map(|_| ()), Err(ServiceError::AbsentOrRefused)));
        assert!(matches!(t.app.audit_checkpoint(&call, ACT).map(|_| ()), Err(ServiceError::AbsentOrRefused)));
        assert!(matches!(
            t.app.audit_consistency(&call, ACT, 1).map(|_| ()),
            Err(ServiceError::AbsentOrRefused)
        ));
        assert_eq!(size(&t), before + 6, "{name}");
    }
    let before = size(&t);
    assert!(t.app.audit_search(&t.call("auditor"), ACT, &RecordSearch::default()).is_ok());
    assert_eq!(size(&t), before + 1);
}

#[test]
fn pages_follow_each_other_without_gap_and_their_cursor_is_of_one_query_and_one_auditor() {
    let t = Territory::new();
    for _ in 0..120 {
        t.write(|_, _| Ok(()));
    }
    let search = RecordSearch { action: Some(Action::Maintain), ..RecordSearch::default() };
    let mut seen = Vec::new();
    let mut next = None;
    loop {
        let asked = RecordSearch { cursor: next.clone(), ..search.clone() };
        let page = t.app.audit_search(&t.call("auditor"), ACT, &asked).unwrap();
        assert!(page.items.len() <= RECORDS_A_PAGE);
        seen.extend(page.items.iter().map(|l| l.index));
        next.clone_from(&page.next);
        if next.is_none() {
            break;
        }
    }
    assert!(seen.len() > 120);
    assert!(seen.windows(2).all(|w| w[0] == w[1] + 1), "no gap, latest first");
    let page = t.app.audit_search(&t.call("auditor"), ACT, &search).unwrap();
    let other = RecordSearch { cursor: page.next.clone(), ..RecordSearch::default() };
    let refused = t.app.audit_search(&t.call("auditor"), ACT, &other).map(|_| ());
    assert!(matches!(refused, Err(ServiceError::Rule { code: "cursor_of_another_query", .. })));
}

#[test]
fn a_line_has_no_name_no_content_and_no_second() {
    let t = Territory::new();
    let refused = t.app.audit_state(&t.call("teacher"), ACT);
    assert!(refused.is_err());
    let search = RecordSearch { decision: Some(Verdict::Deny), ..RecordSearch::default() };
    let page = t.app.audit_search(&t.call("auditor"), ACT, &search).unwrap();
    let line = &page.items[0];
    assert_eq!(line.profession, Some(Profession::Teacher));
    assert!(line.at.ends_with(":00Z"), "{}", line.at);
    assert!(
        line.sentence.contains("(Structure college)") && line.sentence.contains("n'a pas pu chercher dans"),
        "{}",
        line.sentence
    );
    let text = serde_json::to_string(&*page).unwrap();
    for secret in
        ["Prénom", t.person("teacher").professional.as_str(), t.person("teacher").assignment.as_str()]
    {
        assert!(!text.contains(secret), "{secret}");
    }
    for bad in ["", "teacher", "2027d:XYZ"] {
        let search = RecordSearch { pathway: Some(bad.to_owned()), ..RecordSearch::default() };
        let refused = t.app.audit_search(&t.call("auditor"), ACT, &search).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::Rule { code: "pseudonym_malformed", .. })), "{bad}");
    }
}

#[test]
fn days_are_days_in_paris_and_the_last_one_counts() {
    let t = Territory::new();
    let today = t.clock.now().paris_day();
    let of = |from: Option<NaiveDate>, until: Option<NaiveDate>| {
        let search = RecordSearch { from, until, ..RecordSearch::default() };
        t.app.audit_search(&t.call("auditor"), ACT, &search).unwrap().items.len()
    };
    assert!(of(Some(today), Some(today)) > 10);
    assert_eq!(of(plus_days(today, 1), None), 0);
    assert_eq!(of(None, today.pred_opt()), 0);
}

#[test]
fn proof_checkpoint_and_consistency_verify_without_us() {
    let t = Territory::new();
    let call = |name: &str| t.call(name);
    let first = SignedCheckpoint::parse(&t.app.audit_checkpoint(&call("auditor"), ACT).unwrap()).unwrap();
    for _ in 0..20 {
        t.write(|_, _| Ok(()));
    }
    let name = log_name(&mut t.app.store().snapshot().unwrap()).unwrap();
    let keys = name.keys;
    let older = first.verify(&name.origin, &keys).unwrap();
    let answer = t.app.audit_consistency(&call("auditor"), ACT, older.size()).unwrap();
    let newer = SignedCheckpoint::parse(&answer.checkpoint).unwrap();
    let newer = newer.verify(&name.origin, &keys).unwrap();
    let hashes: Vec<[u8; 32]> =
        answer.hashes.iter().map(|h| BASE64.decode(h.as_bytes()).unwrap().try_into().unwrap()).collect();
    assert!(verify_consistency(older.size(), newer.size(), &hashes, older.root(), newer.root()).is_ok());
    for index in [0, 7, newer.size() - 1, newer.size()] {
        let record = t.app.audit_record(&call("auditor"), ACT, index).unwrap();
        let receipt = TlogProof::parse(&t.app.audit_proof(&call("auditor"), ACT, index).unwrap()).unwrap();
        assert!(receipt.verify(record.body.as_bytes(), &name.origin, &keys).is_ok(), "{index}");
    }
    for absent in [size(&t) + 100, u64::MAX] {
        let refused = t.app.audit_proof(&call("auditor"), ACT, absent).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)));
        let refused = t.app.audit_record(&call("auditor"), ACT, absent).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)));
    }
    for from in [0, u64::MAX] {
        let refused = t.app.audit_consistency(&call("auditor"), ACT, from).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::Rule { code: "consistency_size", .. })));
    }
    let state = t.app.audit_state(&call("auditor"), ACT).unwrap();
    assert_eq!(state.vkey, keys[0].to_string());
    assert_eq!(state.size, size(&t) - 1, "as it was before its own record");
}

/// A moment of a working day, `hours` after midnight in Paris: the first Monday from now on.
fn monday(t: &Territory, hours: i64) -> Timestamp {
    use chrono::Datelike;
    let mut day = t.clock.now().paris_day().succ_opt().unwrap();
    while day.weekday() != chrono::Weekday::Mon {
        day = day.succ_opt().unwrap();
    }
    Timestamp::paris_midnight(day).plus_seconds(hours * 3600)
}

#[test]
fn filters_by_rule_and_by_hour_find_what_the_bodies_say_and_nothing_else() {
    let t = Territory::new();
    let refuse = |_: &mut Desk<'_>| -> Result<(), ServiceError> {
        Err(ServiceError::forbidden("second_person_needed", "Non."))
    };
    assert!(t.app.read_desk(&t.call("teacher"), ACT, refuse).is_err());
    let everything = t.app.audit_search(&t.call("auditor"), ACT, &RecordSearch::default()).unwrap();
    let by_rule = RecordSearch { rule: Some("second_person_needed".to_owned()), ..RecordSearch::default() };
    let found = t.app.audit_search(&t.call("auditor"), ACT, &by_rule).unwrap();
    assert_eq!(found.items.len(), 1);
    assert!(
        found.items[0].sentence.contains("Règle : une seconde personne décide, autre que celle qui demande."),
        "{}",
        found.items[0].sentence
    );
    let other = RecordSearch { rule: Some("second_person_neede".to_owned()), ..RecordSearch::default() };
    assert!(t.app.audit_search(&t.call("auditor"), ACT, &other).unwrap().items.is_empty());
    for malformed in ["", "A", "a b", "a'--", "%"] {
        let search = RecordSearch { rule: Some(malformed.to_owned()), ..RecordSearch::default() };
        let refused = t.app.audit_search(&t.call("auditor"), ACT, &search).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::Rule { code: "rule_malformed", .. })), "{malformed}");
    }
    for resource in [ResourceKind::AuditLog, ResourceKind::Organisation] {
        let search = RecordSearch { resource: Some(resource), ..RecordSearch::default() };
        let page = t.app.audit_search(&t.call("auditor"), ACT, &search).unwrap();
        let whole = everything.items.iter().filter(|l| l.resource == resource).count();
        assert!(page.items.len() >= whole && page.items.iter().all(|l| l.resource == resource), "{resource}");
    }
    // Office hours, then 23 h.
    t.clock.set(monday(&t, 10));
    t.keep_sessions();
    let day = t.clock.now().paris_day();
    let search = RecordSearch { from: Some(day), out_of_hours: true, ..RecordSearch::default() };
    let call = t.call("auditor");
    assert!(t.app.audit_search(&call, ACT, &search).unwrap().items.is_empty());
    t.clock.set(Timestamp::paris_midnight(day).plus_seconds(23 * 3600));
    t.keep_sessions();
    let call = t.call("auditor");
    t.app.audit_search(&call, ACT, &RecordSearch::default()).unwrap();
    let page = t.app.audit_search(&call, ACT, &search).unwrap();
    assert!(!page.items.is_empty() && page.items.iter().all(|l| l.out_of_hours), "{}", page.items.len());
}

#[test]
fn the_console_counts_each_record_of_its_days_once_and_ranks_nobody() {
    let t = Territory::new();
    t.clock.set(monday(&t, 10));
    t.keep_sessions();
    let call = t.call("teacher");
    for _ in 0..6 {
        assert!(t.app.audit_state(&call, ACT).is_err());
    }
    let today = t.clock.now().paris_day();
    let console = t.app.audit_console(&t.call("auditor"), ACT, &RecordSearch::default()).unwrap();
    let search =
        RecordSearch { from: Some(console.from), until: Some(console.until), ..RecordSearch::default() };
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let asked = RecordSearch { cursor: cursor.clone(), ..search.clone() };
        let page = t.app.audit_search(&t.call("auditor"), ACT, &asked).unwrap();
        listed.extend(page.items.iter().cloned());
        cursor.clone_from(&page.next);
        if cursor.is_none() {
            break;
        }
    }
    // What the searches and sign-ins of this very test added is later than the console.
    let last = console.page.items[0].index;
    for (decision, count) in [
        (Verdict::Permit, console.days.iter().map(|d| d.permit).sum::<i64>()),
        (Verdict::Deny, console.days.iter().map(|d| d.deny).sum()),
        (Verdict::Failed, console.days.iter().map(|d| d.failed).sum()),
    ] {
        let whole = listed.iter().filter(|l| l.index <= last && l.decision == decision).count();
        assert_eq!(usize::try_from(count).unwrap(), whole, "{decision}");
    }
    assert_eq!(console.until, today);
    let refusals: Vec<_> = console.findings.iter().filter(|f| f.kind == FindingKind::Refusals).collect();
    assert_eq!(refusals.len(), 1);
    // Who it is, as a record says it, and no number for a person: a pseudonym has digits of its own.
    let (passed, who) = refusals[0].sentence.split_once(" : ").unwrap();
    assert!(!passed.contains('6'), "no number for a person: {passed}");
    assert!(
        who.starts_with(&format!("{} (", Profession::Teacher.french())) && !who.contains("refus"),
        "{who}"
    );
    // What it leads to is what it speaks of.
    let led = t.app.audit_search(&t.call("auditor"), ACT, &refusals[0].search).unwrap();
    assert_eq!(led.items.len(), 6);
    assert!(
        led.items.iter().all(|l| l.decision == Verdict::Deny && l.profession == Some(Profession::Teacher))
    );
    let refused = t.app.audit_console(&t.call("referente"), ACT, &RecordSearch::default()).map(|_| ());
    assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)));
}

#[test]
fn a_verification_on_demand_holds_and_names_a_checkpoint_of_another_log() {
    const VERIFY: Act = Act { action: Action::Search, resource: ResourceKind::Checkpoint };
    let t = Territory::new();
    let kept = t.app.audit_checkpoint(&t.call("auditor"), ACT).unwrap().into_inner();
    assert_eq!(t.app.audit_state(&t.call("auditor"), ACT).unwrap().last_verified_at, None);
    let records = size(&t);
    let plain = t.app.audit_verify(&t.call("auditor"), VERIFY, "").unwrap();
    assert!(plain.holds && plain.failure.is_none() && plain.given.is_none());
    assert!(plain.records >= records);
    // As a browser sends what was pasted.
    let given = t
        .app
        .audit_verify(&t.call("auditor"), VERIFY, &format!("\r\n{}", kept.replace('\n', "\r\n")))
        .unwrap();
    assert!(given.holds && given.given.is_some_and(|size| size < given.records), "{:?}", *given);
    let state = t.app.audit_state(&t.call("auditor"), ACT).unwrap();
    assert!(state.last_verified_at.is_some() && state.last_checkpoint_at.is_some());
    let other = Territory::new();
    let theirs = other.app.audit_checkpoint(&other.call("auditor"), ACT).unwrap().into_inner();
    let found = t.app.audit_verify(&t.call("auditor"), VERIFY, &theirs).unwrap();
    assert!(!found.holds && found.failure.as_ref().is_some_and(|f| f.contains("fourni")), "{:?}", *found);
    // What cannot be read says nothing of the log.
    let slip = t.app.audit_verify(&t.call("auditor"), VERIFY, "pas un point de contrôle").map(|_| ());
    let Err(ServiceError::Invalid(errors)) = slip else { panic!("{slip:?}") };
    assert!(
        errors.iter().all(|e| e.path == "given" && e.error.french().ends_with("Le journal, lui, tient."))
    );
    let long = "x".repeat(MOST_GIVEN + 1);
    let refused = t.app.audit_verify(&t.call("auditor"), VERIFY, &long).map(|_| ());
    assert!(matches!(refused, Err(ServiceError::Rule { code: "checkpoint_too_long", .. })));
    let refused = t.app.audit_verify(&t.call("referente"), VERIFY, "").map(|_| ());
    assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)));
}
