//! Tests of the monthly report.

use std::collections::BTreeSet;

use super::*;
use crate::audit::Job;
use crate::audit::lane::Priority;
use crate::audit::note::NoteError;
use crate::clock::Clock;
use crate::domain::record::{ActorStamp, RecordDraft, RetentionClass};
use crate::domain::vocabulary::{Category, Function, Purpose, Secrecy};
use crate::ids::RequestId;
use crate::service::testing::Territory;

const READ_IT: Act = Act { action: Action::Read, resource: ResourceKind::MonthlyReport };

fn wrote(t: &Territory, name: Option<&str>, fill: impl FnOnce(&mut RecordDraft)) {
    let request = RequestId::random(t.app.chance()).unwrap();
    let mut draft = RecordDraft::new(
        request,
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::Item,
        Verdict::Permit,
    );
    draft.actor = name.map(|name| {
        let who = t.person(name);
        ActorStamp {
            professional: who.professional.clone(),
            assignment: Some(who.assignment.clone()),
            organisation: Some(who.organisation.clone()),
            profession: Some(who.profession),
            function: Some(Function::Practitioner),
            secrecy: Some(Secrecy::NotBound),
            session: None,
        }
    });
    fill(&mut draft);
    let record = t.app.prepare(&draft, None).unwrap();
    t.app.lane().record(Priority::Session, Job::new(record)).wait().unwrap();
}

fn opened(t: &Territory, name: &str, purpose: Purpose) {
    wrote(t, Some(name), |draft| {
        draft.categories = BTreeSet::from([Category::Schooling]);
        draft.purpose = Some(purpose);
    });
}

fn this_month(t: &Territory) -> Month {
    Month::of(t.clock.now().paris_day())
}

/// The report of this month, as on the first of the next.
fn of_month(t: &Territory, month: Month) -> MonthlyReport {
    let after = Timestamp::paris_midnight(month.next().first_day());
    t.app.report_in(&mut t.app.store().snapshot().unwrap(), after, month).unwrap()
}

#[test]
fn a_month_that_is_not_over_has_no_report() {
    let t = Territory::new();
    let month = this_month(&t);
    for early in [month, month.next()] {
        let refused = t.app.audit_report(&t.call("auditor"), READ_IT, early).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::Rule { code: "month_not_over", .. })), "{early}");
    }
    let end = Timestamp::paris_midnight(month.next().first_day());
    let mut snapshot = t.app.store().snapshot().unwrap();
    assert!(t.app.report_in(&mut snapshot, end.plus_micros(-1), month).is_err());
    assert!(t.app.report_in(&mut snapshot, end, month).is_ok());
    drop(snapshot);
    let before = t.app.audit_report(&t.call("auditor"), READ_IT, month.before()).unwrap();
    assert_eq!((before.records, before.first, before.openings), (0, None, 0));
    for other in ["referente", "administrator", "teacher"] {
        let refused = t.app.audit_report(&t.call(other), READ_IT, month.before()).map(|_| ());
        assert!(matches!(refused, Err(ServiceError::AbsentOrRefused)), "{other}");
    }
}

#[test]
fn the_figures_are_those_of_the_records_and_small_groups_go_together() {
    let t = Territory::new();
    let month = this_month(&t);
    // The year's key of pseudonyms is made, and recorded, with the first disclosure.
    opened(&t, "aemo", Purpose::Coordination);
    let before = of_month(&t, month);
    for name in ["teacher", "referente", "nurse"] {
        for _ in 0..3 {
            opened(&t, name, Purpose::Schooling);
        }
    }
    for _ in 0..7 {
        opened(&t, "aemo", Purpose::Coordination);
    }
    wrote(&t, Some("teacher"), |draft| {
        draft.verdict = Verdict::Deny;
        draft.reasons = vec![Reason::NotShared];
    });
    wrote(&t, Some("aemo"), |draft| {
        (draft.action, draft.resource) = (Action::Create, ResourceKind::Emergency);
        draft.write_digest = Some([7; 32]);
    });
    // The same request sent again: recorded anew, and it opened nothing.
    wrote(&t, Some("aemo"), |draft| {
        (draft.action, draft.resource) = (Action::Create, ResourceKind::Emergency);
    });
    wrote(&t, None, |draft| {
        (draft.action, draft.resource) = (Action::SignIn, ResourceKind::Session);
        draft.verdict = Verdict::Failed;
        draft.count = Some(4);
    });
    t.app.checkpoint().unwrap();
    let report = of_month(&t, month);
    assert_eq!(report.records, before.records + 20);
    assert_eq!(report.openings, before.openings + 16);
    assert_eq!(report.refused, before.refused + 1);
    assert_eq!(report.sign_in_failures, before.sign_in_failures + 4);
    assert_eq!(report.emergencies, 1);
    let emergencies = report.reviews.iter().find(|r| r.kind == ReviewKind::Emergency).unwrap();
    assert_eq!((emergencies.accesses, emergencies.waiting), (1, 1));
    // One educator alone would be a figure about that person: it takes the other purpose along.
    assert_eq!(report.by_purpose.len(), 1, "{:?}", report.by_purpose);
    assert_eq!((report.by_purpose[0].code.as_deref(), report.by_purpose[0].count), (None, report.openings));
    assert!(report.verification.holds && report.verification.records >= report.records);
    let checkpoint = report.checkpoint.unwrap();
    assert!(checkpoint.size > report.last.unwrap() && checkpoint.witnesses.is_empty());
    // A month later nothing of it has changed but what is as of then.
    t.app.checkpoint().unwrap();
    assert_eq!(of_month(&t, month).by_purpose, report.by_purpose);
}

#[test]
fn a_report_is_signed_by_the_log_and_is_no_checkpoint() {
    let t = Territory::new();
    opened(&t, "teacher", Purpose::Schooling);
    let month = this_month(&t);
    t.clock.set(Timestamp::paris_midnight(month.next().first_day()));
    let before = t.app.store().snapshot().unwrap().log_frontier().unwrap().size();
    let note = t.app.report_here(month).unwrap();
    assert_eq!(t.app.store().snapshot().unwrap().log_frontier().unwrap().size(), before + 1, "recorded");
    let name = log_name(&mut t.app.store().snapshot().unwrap()).unwrap();
    let read = Note::parse(&note).unwrap();
    assert!(read.verify(&name.keys).is_ok());
    assert!(read.text().starts_with(text::FIRST_LINE) && read.text().contains(&month.to_string()));
    // THREAT: signed by the same key, it must never pass for a checkpoint.
    assert!(SignedCheckpoint::parse(&note).is_err());
    let changed = note.replace("Consultations : 1", "Consultations : 0");
    assert_ne!(changed, *note);
    assert!(matches!(Note::parse(&changed).unwrap().verify(&name.keys), Err(NoteError::BadSignature(_))));
    for secret in
        [t.person("teacher").professional.as_str(), t.person("teacher").assignment.as_str(), "2027d:"]
    {
        assert!(!note.contains(secret), "{secret}");
    }
}
