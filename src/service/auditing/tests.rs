//! Tests of the auditor's reads.

use super::*;
use crate::audit::tree::verify_consistency;
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
        assert!(page.items.len() <= PAGE);
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
        line.sentence.contains("(Structure college)") && line.sentence.contains(": refusé."),
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
