//! Tests of pruning and of the end of pseudonyms, with people.

use super::*;
use crate::audit::note::VerifierKey;
use crate::audit::verify::{Report, Trust, verify};
use crate::clock::Clock;
use crate::jobs::find;
use crate::service::pathway_tests::Case;
use crate::service::testing::Territory;
use crate::service::{LogState, RecordSearch, RecordWhole};
use crate::store::DatabaseAddress;
use crate::store::log::LogFile;

const READ: Act = Act { action: Action::Read, resource: ResourceKind::AuditLog };
const EXPORT: Act = Act { action: Action::Export, resource: ResourceKind::AuditLog };
const SEARCH: Act = Act { action: Action::Search, resource: ResourceKind::AuditLog };

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn code<T>(result: Result<T, ServiceError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(ServiceError::AbsentOrRefused) => "absent",
        Err(ServiceError::Rule { code, .. }) => code,
        Err(e) => panic!("{e}"),
    }
}

fn input(class: RetentionClass, before: NaiveDate) -> PruningInput {
    PruningInput {
        class,
        before: Day::new(before).unwrap(),
        reason: Paragraph::parse("Terme des douze mois échu.").unwrap(),
    }
}

fn ask(t: &Territory, who: &str, before: NaiveDate) -> Result<Created, ServiceError> {
    t.app.pruning_ask(&t.call(who), &input(RetentionClass::Technical, before))
}

fn decide(t: &Territory, who: &str, id: &str, outcome: PruningOpinion) -> &'static str {
    let remark = Paragraph::parse("Dates et charte relues.").unwrap();
    let id = PruningId::parse(id).unwrap();
    code(t.app.pruning_decide(&t.call(who), &id, &PruningDecisionInput { outcome, remark }))
}

fn verified(t: &Territory) -> Report {
    let mut log = LogFile::open(&DatabaseAddress::Sqlite(t.database())).unwrap();
    let key = VerifierKey::parse(&log.instance_value("log_vkey").unwrap().unwrap()).unwrap();
    let trust = Trust { origin: key.name(), keys: std::slice::from_ref(&key), given: None };
    verify(&mut log.with_details(t.app.store().keyring()).unwrap(), &trust, &mut |_| {}).unwrap()
}

fn state(t: &Territory) -> LogState {
    t.app.audit_state(&t.call("auditor"), READ).unwrap().into_inner()
}

fn record(t: &Territory, index: u64) -> Result<Disclosed<RecordWhole>, ServiceError> {
    t.app.audit_record(&t.call("auditor"), READ, index)
}

/// The first technical record that has its body, with that body.
fn technical(t: &Territory) -> (i64, String) {
    let mut snapshot = t.app.store().snapshot().unwrap();
    let first = snapshot.prunable(RetentionClass::Technical, Timestamp::MAX).unwrap().unwrap().first;
    (first, snapshot.log_body(first).unwrap().unwrap())
}

/// The first technical record by this actor.
fn technical_of(t: &Territory, actor: &str) -> i64 {
    let mut snapshot = t.app.store().snapshot().unwrap();
    let all = snapshot.prunable_between(RetentionClass::Technical, -1, i64::MAX, 10_000).unwrap();
    all.iter().find(|one| one.body.contains(actor)).unwrap().index
}

/// As somebody who owns the database, without its guards.
fn as_owner(t: &Territory, sql: &'static str) {
    t.write(move |tx, _| {
        for name in ["audit_leaf_prune_only", "audit_index_prune_only", "pruning_no_update"] {
            tx.as_owner(&format!("DROP TRIGGER IF EXISTS {name}"))?;
        }
        tx.as_owner(sql)
    });
}

/// Asked and confirmed by two persons, and nothing of it erased yet; how many records it covers.
fn confirmed(t: &Territory) -> u64 {
    let asked = ask(t, "auditor", day(2027, 6, 1)).unwrap().id;
    assert_eq!(decide(t, "officer", &asked, PruningOpinion::Confirmed), "ok");
    t.app.prunings(&t.call("auditor")).unwrap().items[0].records
}

fn at_rest(t: &Territory, needle: &str) -> bool {
    ["relais.db", "relais.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(t.data().join(name)).unwrap_or_default();
        bytes.windows(needle.len()).any(|w| w == needle.as_bytes())
    })
}

#[test]
fn law_6_two_persons_prune_what_is_past_its_time_and_nothing_else_changes() {
    let case = Case::new();
    let t = &case.t;
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    let (first, body) = technical(t);
    let blinder = body.split("\"blinder\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(at_rest(t, &blinder));
    let receipt = t.app.audit_proof(&t.call("auditor"), EXPORT, u64::try_from(first).unwrap()).unwrap();
    let kept = t.app.checkpoint().unwrap();

    t.go_to(2028, 6, 1);
    let consulted = || {
        let act = Act { action: Action::Read, resource: ResourceKind::Consultations };
        let seen = t.app.consultations(&t.call("referente"), act, &case.id).unwrap();
        serde_json::to_value(seen.into_inner()).unwrap()
    };
    let diverging = || t.app.reconcile().unwrap().sum.divergences;
    let (looked, divergences) = (consulted(), diverging());
    // Who may, and what.
    for who in ["teacher", "administrator", "pre_manager"] {
        assert_eq!(code(ask(t, who, day(2027, 6, 1))), "absent", "{who}");
    }
    assert_eq!(code(ask(t, "auditor", day(2027, 6, 2))), "pruning_early");
    assert_eq!(code(ask(t, "auditor", day(2027, 1, 1))), "pruning_nothing");
    let disclosures = input(RetentionClass::Disclosure, day(2027, 6, 1));
    assert_eq!(code(t.app.pruning_ask(&t.call("auditor"), &disclosures)), "pruning_never");
    let asked = ask(t, "auditor", day(2027, 6, 1)).unwrap().id;
    assert_eq!(code(ask(t, "officer", day(2027, 6, 1))), "pruning_running");
    assert_eq!(decide(t, "auditor", &asked, PruningOpinion::Confirmed), "pruning_own");
    assert_eq!(decide(t, "administrator", &asked, PruningOpinion::Confirmed), "absent");
    assert_eq!(t.app.prune_confirmed().unwrap(), PrunedRecords::default(), "nobody confirmed");
    assert_eq!(decide(t, "officer", &asked, PruningOpinion::Confirmed), "ok");
    assert_eq!(decide(t, "second_auditor", &asked, PruningOpinion::Refused), "pruning_decided");

    let expected = {
        let mut snapshot = t.app.store().snapshot().unwrap();
        let before = Timestamp::paris_midnight(day(2027, 6, 1));
        u64::try_from(snapshot.prunable(RetentionClass::Technical, before).unwrap().unwrap().records).unwrap()
    };
    assert!(expected > 10 && state(t).pruned_below.is_none());
    let job = find("prunings").unwrap();
    let done = (job.run)(&t.app, t.clock.now()).unwrap();
    assert_eq!((done.done, done.left), (expected, 0));
    assert_eq!((job.run)(&t.app, t.clock.now()).unwrap().done, 0, "once");
    assert!(!at_rest(t, &blinder), "not in the file, nor in its write-ahead log");

    let report = verified(t);
    assert!(report.holds() && report.pruned == expected, "{report:?}");
    assert_eq!(report.prunings.len(), 1);
    let below = state(t).pruned_below.unwrap();
    assert_eq!(below, report.prunings[0].last + 1);
    // Said, and not an error.
    let index = u64::try_from(first).unwrap();
    assert_eq!(code(record(t, index)), "record_pruned");
    assert_eq!(code(t.app.audit_proof(&t.call("auditor"), EXPORT, index)), "record_pruned");
    assert_eq!(code(record(t, 1_000_000)), "absent");
    let told = record(t, report.prunings[0].index).unwrap().into_inner();
    assert!(told.line.sentence.contains("a élagué le journal"), "{}", told.line.sentence);
    assert!(told.line.sentence.contains(&format!("{expected} traces")), "{}", told.line.sentence);
    // What was taken before still verifies; pages, lists and comparisons go on.
    let key = VerifierKey::parse(&state(t).vkey).unwrap();
    let proof = crate::audit::TlogProof::parse(&receipt).unwrap();
    assert!(proof.verify_carried(key.name(), std::slice::from_ref(&key)).is_ok());
    let given = t.app.audit_verify(&t.call("auditor"), READ, &kept.to_string()).unwrap();
    assert!(given.holds && given.pruned == expected && given.given == Some(kept.claims().size()));
    let page = t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    assert!(!page.items.is_empty() && page.items.iter().all(|line| line.index != index));
    assert_eq!((consulted(), diverging()), (looked, divergences));
    let own = Act { action: Action::List, resource: ResourceKind::AuditLog };
    assert!(t.app.own_acts(&t.call("auditor"), own, None).is_ok());
    let month = crate::domain::day::Month::parse("2027-03").unwrap();
    assert_eq!(code(t.app.report_here(month)), "month_pruned");
    let list = t.app.prunings(&t.call("second_auditor")).unwrap();
    assert!(list.items.len() == 1 && list.items[0].state == PruningState::Done && !list.items[0].may_decide);
    assert_eq!(code(t.app.prunings(&t.call("teacher"))), "absent");
    // The next year, what has become old since, and only that.
    t.go_to(2029, 7, 1);
    let again = ask(t, "officer", day(2028, 7, 1)).unwrap().id;
    assert_eq!(decide(t, "auditor", &again, PruningOpinion::Confirmed), "ok");
    assert!(t.app.prune_confirmed().unwrap().done > 0);
    let report = verified(t);
    assert!(report.holds() && report.prunings.len() == 2, "{report:?}");
    assert!(report.prunings[1].first >= below && state(t).pruned_below > Some(below));
}

#[test]
fn a_pruning_that_is_refused_or_forgotten_erases_nothing() {
    let t = Territory::new();
    t.go_to(2028, 6, 1);
    let refused = ask(&t, "auditor", day(2027, 6, 1)).unwrap().id;
    assert_eq!(decide(&t, "second_auditor", &refused, PruningOpinion::Refused), "ok");
    let forgotten = ask(&t, "officer", day(2027, 6, 1)).unwrap().id;
    t.go_to(2028, 7, 2);
    assert_eq!(decide(&t, "auditor", &forgotten, PruningOpinion::Confirmed), "pruning_lapsed");
    assert_eq!(t.app.prune_confirmed().unwrap().done, 0);
    assert_eq!(verified(&t).pruned, 0);
    assert_eq!(code(ask(&t, "auditor", day(2027, 7, 1))), "ok", "asked anew");
}

#[test]
fn law_6_a_year_of_technical_pseudonyms_is_unlinked_when_its_last_record_is_past_its_time() {
    let case = Case::new();
    let t = &case.t;
    let class = RetentionClass::Technical;
    let own = Act { action: Action::List, resource: ResourceKind::AuditLog };
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    let key = t.app.pseudonym_key_of(class, 2027).unwrap().expect("kept in memory from here on");
    let me = key.assignment(&t.person("auditor").assignment).to_string();
    drop(key);
    let by = |actor: &str| RecordSearch { actor: Some(actor.to_owned()), ..RecordSearch::default() };
    // What one did as auditor, every page of it.
    let mine = |t: &Territory| {
        let (mut all, mut next) = (std::collections::BTreeSet::new(), None);
        loop {
            let page = t.app.own_acts(&t.call("auditor"), own, next.as_deref()).unwrap();
            all.extend(page.items.iter().map(|one| one.index));
            next.clone_from(&page.next);
            if next.is_none() {
                return all;
            }
        }
    };
    let of_then = u64::try_from(technical_of(t, &me)).unwrap();
    let job = find("years").unwrap();
    let years = |t: &Territory| (job.run)(&t.app, t.clock.now()).unwrap().done;
    assert_eq!(years(t), 0);
    t.go_to(2028, 12, 31);
    assert_eq!(years(t), 0, "the last record of 2027 is not a year old");
    assert!(mine(t).contains(&of_then));
    t.go_to(2029, 1, 3);
    assert_eq!((years(t), years(t)), (1, 0));
    // Gone from the store, and from the memory of a server that goes on.
    assert!(t.app.pseudonym_key_of(class, 2027).unwrap().is_none());
    assert!(t.app.pseudonym_key_of(class, 2028).unwrap().is_some());
    assert!(
        t.app.pseudonym_key_of(RetentionClass::Disclosure, 2027).unwrap().is_some(),
        "it lives as the pathway"
    );
    // The records of that year are still there, and are nobody's.
    let page = t.app.audit_search(&t.call("auditor"), SEARCH, &by(&me)).unwrap();
    assert!(!page.items.is_empty());
    assert!(!mine(t).contains(&of_then), "own acts of 2027 that were technical are found no more");
    let act = Act { action: Action::Read, resource: ResourceKind::Consultations };
    assert!(t.app.consultations(&t.call("referente"), act, &case.id).is_ok());
    assert!(verified(t).holds());
    // Records of that year can be pruned all the same.
    let asked = ask(t, "auditor", day(2028, 1, 1)).unwrap().id;
    assert_eq!(decide(t, "officer", &asked, PruningOpinion::Confirmed), "ok");
    assert!(t.app.prune_confirmed().unwrap().done > 0 && verified(t).holds());
}

#[test]
fn law_6_a_year_of_disclosures_stays_linked_until_the_23rd_birthday_and_as_long_as_a_pathway_of_it_lives() {
    let class = RetentionClass::Disclosure;
    let nobody = Territory::new();
    // A reading, which is a disclosure.
    state(&nobody);
    nobody.go_to(2051, 1, 1);
    nobody.app.forget_years(nobody.clock.now()).unwrap();
    assert!(nobody.app.pseudonym_key_of(class, 2027).unwrap().is_some());
    nobody.go_to(2051, 1, 3);
    nobody.app.forget_years(nobody.clock.now()).unwrap();
    assert!(nobody.app.pseudonym_key_of(class, 2027).unwrap().is_none());
    assert!(verified(&nobody).holds());

    let case = Case::new();
    case.t.go_to(2060, 1, 3);
    case.t.app.forget_years(case.t.clock.now()).unwrap();
    assert!(case.t.app.pseudonym_key_of(class, 2027).unwrap().is_some(), "its pathway is not erased");
    let owner = KeyOwner::Pathway(case.id.clone());
    case.t.write(move |tx, at| tx.key_destroy(&owner, at));
    case.t.app.forget_years(case.t.clock.now()).unwrap();
    assert!(case.t.app.pseudonym_key_of(class, 2027).unwrap().is_none());
    assert!(verified(&case.t).holds());
}

#[test]
fn a_disclosure_that_an_owner_calls_technical_is_not_erased() {
    let case = Case::new();
    let t = &case.t;
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    t.go_to(2028, 6, 1);
    let records = confirmed(t);
    as_owner(
        t,
        "CREATE TABLE flipped AS SELECT max(idx) AS idx FROM audit_leaf WHERE retention_class = 'disclosure'
             AND idx < (SELECT last_idx FROM pruning) AND idx > (SELECT first_idx FROM pruning);
         UPDATE audit_leaf SET retention_class = 'technical' WHERE idx = (SELECT idx FROM flipped)",
    );
    let refused = t.app.prune_confirmed().unwrap_err().to_string();
    assert!(refused.contains("is not of the class that its row says"), "{refused}");
    as_owner(t, "UPDATE audit_leaf SET retention_class = 'disclosure' WHERE idx = (SELECT idx FROM flipped)");
    assert_eq!(t.app.prune_confirmed().unwrap(), PrunedRecords { done: records, left: 0, in_journal: false });
    let report = verified(t);
    assert!(report.holds() && report.pruned == records, "{report:?}");
}

#[test]
fn a_batch_that_cannot_be_erased_is_left_with_all_that_follows() {
    let case = Case::new();
    let t = &case.t;
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    t.go_to(2028, 6, 1);
    let records = confirmed(t);
    assert!(records > 10);
    as_owner(
        t,
        "CREATE TABLE taken AS SELECT * FROM audit_index WHERE idx = (SELECT first_idx FROM pruning);
         DELETE FROM audit_index WHERE idx IN (SELECT idx FROM taken)",
    );
    assert_eq!(
        t.app.prune_in_batches(3).unwrap(),
        PrunedRecords { done: 0, left: records, in_journal: false }
    );
    as_owner(t, "INSERT INTO audit_index SELECT * FROM taken");
    assert_eq!(
        t.app.prune_in_batches(3).unwrap(),
        PrunedRecords { done: records, left: 0, in_journal: false }
    );
    let report = verified(t);
    assert!(report.holds() && report.pruned == records, "{report:?}");
    // Done is what the log says, and is not looked for again.
    as_owner(t, "UPDATE audit_leaf SET body = 'x' WHERE idx = (SELECT first_idx FROM pruning)");
    assert_eq!(t.app.prune_confirmed().unwrap(), PrunedRecords::default());
    assert_eq!(t.app.prunings(&t.call("officer")).unwrap().items[0].state, PruningState::Done);
}

#[test]
fn law_6_a_charter_that_keeps_records_longer_stops_a_pruning_that_was_asked_under_another() {
    use crate::charter::Charter;

    let t = Territory::new();
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    t.go_to(2028, 6, 1);
    let demo = Charter::embedded_demo().unwrap();
    let longer = demo.charter_toml().replace("technical_log_months = 12", "technical_log_months = 24");
    assert_ne!(longer, demo.charter_toml());
    let longer = Charter::from_files(&longer, demo.policy_csv()).unwrap();
    let records = confirmed(&t);
    t.publish(&longer, 2, t.clock.now());
    assert_eq!(t.app.prune_confirmed().unwrap(), PrunedRecords { done: 0, left: records, in_journal: false });
    assert_eq!(verified(&t).pruned, 0);
    // When its time has come by the new one, it goes on.
    t.go_to(2029, 6, 2);
    state(&t);
    assert_eq!(t.app.prune_confirmed().unwrap(), PrunedRecords { done: records, left: 0, in_journal: false });

    let t = Territory::new();
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    t.go_to(2028, 6, 1);
    let asked = ask(&t, "auditor", day(2027, 6, 1)).unwrap().id;
    t.publish(&longer, 2, t.clock.now());
    assert_eq!(decide(&t, "officer", &asked, PruningOpinion::Confirmed), "pruning_early");
    assert_eq!(decide(&t, "officer", &asked, PruningOpinion::Refused), "ok");
}

/// Both judge that nothing runs; the second to be written is judged anew.
#[test]
fn threat_of_two_requests_at_the_same_moment_one_is_refused() {
    let t = Territory::new();
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    t.go_to(2028, 6, 20);
    let ready = std::sync::Barrier::new(2);
    let asks = |who| {
        ready.wait();
        code(ask(&t, who, day(2027, 6, 1)))
    };
    let (one, other) = std::thread::scope(|s| {
        let other = s.spawn(|| asks("officer"));
        (asks("auditor"), other.join().unwrap())
    });
    let mut both = [one, other];
    both.sort_unstable();
    assert_eq!(both, ["ok", "pruning_running"]);
}

/// What an older version let through: two requests of the same records.
#[test]
fn a_request_whose_records_another_one_erased_is_done() {
    let t = Territory::new();
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    t.go_to(2028, 6, 20);
    let first = ask(&t, "auditor", day(2027, 6, 1)).unwrap().id;
    let twin = {
        let mut snapshot = t.app.store().snapshot().unwrap();
        let scope = snapshot.prunings_asked(t.app.store().instance_key()).unwrap()[0].scope;
        let (chance, by) = (t.app.chance(), (t.clock.now(), t.person("auditor").assignment.clone()));
        let row = NewPruning::seal(t.app.store().instance_key(), chance, scope, "Encore", by).unwrap();
        let (id, seen) = (row.id.clone(), snapshot.prunings_seen().unwrap());
        t.write(move |tx, _| tx.pruning_insert(&row, seen));
        id
    };
    assert_eq!(decide(&t, "officer", &first, PruningOpinion::Confirmed), "ok");
    // While the first runs, the twin waits.
    assert_eq!(decide(&t, "officer", twin.as_str(), PruningOpinion::Confirmed), "pruning_running");
    assert!(t.app.prune_confirmed().unwrap().done > 0);
    assert_eq!(decide(&t, "officer", twin.as_str(), PruningOpinion::Confirmed), "ok");
    assert_eq!(t.app.prune_confirmed().unwrap(), PrunedRecords::default());
    let all = t.app.prunings(&t.call("auditor")).unwrap();
    assert!(all.items.iter().all(|one| one.state == PruningState::Done && one.left == 0));
    assert_ne!(code(ask(&t, "auditor", day(2027, 6, 1))), "pruning_running", "and nothing is blocked");
}

#[test]
fn a_request_is_decided_in_its_own_year_and_as_it_was_asked() {
    let t = Territory::new();
    t.app.audit_search(&t.call("auditor"), SEARCH, &RecordSearch::default()).unwrap();
    t.go_to(2028, 12, 20);
    let asked = ask(&t, "auditor", day(2027, 12, 1)).unwrap().id;
    t.go_to(2029, 1, 3);
    assert_eq!(
        decide(&t, "officer", &asked, PruningOpinion::Confirmed),
        "pruning_lapsed",
        "pseudonyms are others"
    );
    let asked = ask(&t, "auditor", day(2027, 12, 1)).unwrap().id;
    // THREAT: the asker's own request, under the name of another.
    as_owner(
        &t,
        "UPDATE pruning SET by_assignment = (SELECT max(id) FROM assignment WHERE id <> by_assignment)",
    );
    let (id, remark) = (PruningId::parse(&asked).unwrap(), Paragraph::parse("Dates relues.").unwrap());
    let input = PruningDecisionInput { outcome: PruningOpinion::Confirmed, remark };
    for who in ["auditor", "officer"] {
        let refused = t.app.pruning_decide(&t.call(who), &id, &input).err().unwrap().to_string();
        assert!(refused.contains("not the one that was sealed"), "{who}: {refused}");
    }
}
