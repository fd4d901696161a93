//! The promises of every request: one answer per key, one assignment per form, a record for every ending.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Act, Call, Change, Idempotency};
use crate::access::Resource;
use crate::audit::lane::{CheckKind, Priority};
use crate::audit::{Job, LaneError, LeafBody, VersionCheck};
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKey;
use crate::crypto::keyring::KeyOwner;
use crate::domain::cell::Reason;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, RowRef, Verdict};
use crate::domain::vocabulary::Purpose;
use crate::ids::{PathwayId, ProfessionalId};
use crate::service::consent_fixture::{Family, date};
use crate::service::testing::Territory;
use crate::service::{Author, ServiceError};
use crate::store::account::{AccountState, Credentials, SealedCredentials};
use crate::store::fact::{FactKind, NewFact, Pen, RowAt};
use crate::store::{NewKey, StoreError};

fn key(text: &str) -> Idempotency {
    Idempotency { key: text.to_owned(), body: b"{}".to_vec() }
}

const READ: Act = Act { action: Action::Read, resource: ResourceKind::Account };

/// The first record of a class makes its key of pseudonyms, with a record of its own.
fn warm(t: &Territory) {
    t.app.read_desk(&t.call("teacher"), READ, |_| Ok(())).unwrap();
}

fn records(t: &Territory) -> usize {
    let mut snapshot = t.app.store().snapshot().unwrap();
    snapshot.log_page(&crate::store::log::LogFilter::default(), 1000).unwrap().len()
}

fn row(n: &str) -> RowRef {
    RowRef { table: "instance", id: n.to_owned(), version: 1 }
}

#[test]
fn an_idempotency_key_is_good_for_one_act_only() {
    let t = Territory::new();
    let mut call = t.call("teacher");
    call.idempotency = Some(key("k1"));
    let make = |act: Act, name: &'static str| {
        t.app.change_desk(&call, act, move |_| {
            Ok(Change::new(name).step(row(name), move |tx, _| tx.instance_set(name, "done")))
        })
    };
    make(Act { action: Action::Withdraw, resource: ResourceKind::Accord }, "withdraw_on_A").unwrap();
    let second = make(Act { action: Action::End, resource: ResourceKind::Share }, "end_share_on_B");
    assert!(
        matches!(&second, Err(ServiceError::Rule { code, .. }) if *code == "idempotency_key_reused"),
        "{second:?}"
    );
}

#[test]
fn a_desk_refuses_a_form_of_another_assignment() {
    let t = Territory::new();
    let mut call = t.call("teacher");
    call.assignment = Some(t.person("nurse").assignment.clone());
    let done =
        t.app.change_desk(&call, Act { action: Action::Sign, resource: ResourceKind::Charter }, |_| {
            Ok(Change::new("x").step(row("x"), |tx, _| tx.instance_set("x", "done")))
        });
    assert!(matches!(done, Err(ServiceError::Conflict)), "{done:?}");
}

#[test]
fn a_replay_answers_what_was_kept_though_it_cannot_be_done_twice() {
    let t = Territory::new();
    let mut call = t.call("teacher");
    call.idempotency = Some(key("k1"));
    let go = || {
        t.app.change_desk(
            &call,
            Act { action: Action::Accept, resource: ResourceKind::Participation },
            |desk| {
                if desk.snapshot.instance_value("y").map_err(ServiceError::from)?.is_some() {
                    return Err(ServiceError::rule("already", "déjà"));
                }
                Ok(Change::new("y").step(row("y"), |tx, _| tx.instance_set("y", "done")))
            },
        )
    };
    go().unwrap();
    let again = go();
    assert!(again.as_ref().is_ok_and(|c| c.replayed), "{again:?}");
}

/// Who reads a name, a list of accounts or an office opens nobody's secrets: here none of them opens.
#[test]
fn names_and_lists_open_nobodys_credentials() {
    let t = Territory::new();
    let (key, stranger) = (t.app.store().instance_key(), ProfessionalId::random(t.app.chance()).unwrap());
    let id = t.person("referente").professional.clone();
    let mut snapshot = t.app.store().snapshot().unwrap();
    let account = snapshot.account_fetch(&id).unwrap().unwrap();
    drop(snapshot);
    // Sealed for somebody else.
    let spoiled =
        SealedCredentials::seal(key, t.app.chance(), &stranger, &account.credentials.unwrap()).unwrap();
    let (i, version) = (id.clone(), account.person.version);
    t.write(move |tx, _| tx.credentials_rewrite(&i, version, &spoiled));
    assert!(t.app.store().snapshot().unwrap().account_fetch(&id).is_err());
    let call = |name: &str| t.call(name);
    let people = t.app.professionals(Author::Session(&call("administrator"))).unwrap();
    assert!(people.items.iter().any(|p| p.id == id && p.name == "Prénom referente"));
    assert!(t.app.professionals(Author::Session(&call("pre_manager"))).is_ok());
    assert!(t.app.colleagues_to_recognise(&call("pre_manager")).is_ok());
    assert!(t.app.addressees(&call("pre_manager"), Purpose::Coordination).is_ok());
    assert!(t.app.today(&call("referente")).is_ok(), "a session opens no secret");
}

#[test]
fn a_code_used_once_stays_used_when_credentials_change() {
    let t = Territory::new();
    let id = t.person("teacher").professional.clone();
    let i = id.clone();
    t.write(move |tx, _| tx.totp_step_use(&i, 100));
    let mut s = t.app.store().snapshot().unwrap();
    let p = s.account_fetch(&id).unwrap().unwrap();
    drop(s);
    let c =
        SealedCredentials::seal(t.app.store().instance_key(), t.app.chance(), &id, &p.credentials.unwrap())
            .unwrap();
    let i = id.clone();
    t.write(move |tx, _| tx.credentials_rewrite(&i, p.person.version, &c));
    let mut s = t.app.store().snapshot().unwrap();
    assert_eq!(s.professional_fetch(&id).unwrap().unwrap().totp_last_step, Some(100));
}

#[test]
fn an_account_that_ends_meanwhile_discloses_nothing() {
    let t = Territory::new();
    let call = t.call("teacher");
    let id = t.person("teacher").professional.clone();
    let done = std::sync::atomic::AtomicBool::new(false);
    let seen =
        t.app.read_desk(&call, Act { action: Action::Read, resource: ResourceKind::Account }, |desk| {
            let state = desk.signed_in.account;
            if !done.swap(true, std::sync::atomic::Ordering::SeqCst) {
                let i = id.clone();
                let version = desk.snapshot.professional_fetch(&id)?.unwrap().version;
                let c = SealedCredentials::seal(
                    t.app.store().instance_key(),
                    t.app.chance(),
                    &id,
                    &Credentials {
                        password_hash: String::new(),
                        totp_secret: String::new(),
                        rescue_hashes: vec![],
                        factor_replaced_at: None,
                    },
                )
                .unwrap();
                t.write(move |tx, _| tx.professional_credentials(&i, version, &c, AccountState::Ended));
            }
            Ok(state)
        });
    assert!(seen.is_err(), "disclosed under state {:?}", seen.map(|d| *d));
}

#[test]
fn a_request_whose_facts_keep_moving_is_recorded() {
    let t = Territory::new();
    let id = t.person("teacher").professional.clone();
    warm(&t);
    let (before, tries) = (records(&t), AtomicUsize::new(0));
    let seen = t.app.read_desk(&t.call("teacher"), READ, |desk| {
        tries.fetch_add(1, Ordering::SeqCst);
        let version = desk.snapshot.professional_fetch(&id)?.unwrap().version;
        let i = id.clone();
        t.write(move |tx, _| tx.professional_touch(&i, version));
        Ok(())
    });
    assert!(matches!(seen, Err(ServiceError::Unavailable(_))));
    let tries = tries.load(Ordering::SeqCst);
    // Each try wrote one record of maintenance; the last record is the request's.
    assert_eq!((tries, records(&t)), (3, before + tries + 1));
}

#[test]
fn a_change_that_the_database_refuses_is_recorded() {
    let t = Territory::new();
    warm(&t);
    let before = records(&t);
    let done = t.app.change_desk(&t.call("teacher"), READ, |_| {
        Ok(Change::new("x").step(row("x"), |_, _| Err(StoreError::corrupt("x", &"no"))))
    });
    assert!(matches!(done, Err(ServiceError::Internal(_))), "{done:?}");
    assert_eq!(records(&t), before + 1);
}

#[test]
fn the_last_use_is_written_at_most_once_a_minute() {
    let t = Territory::new();
    let seen = |t: &Territory| -> Timestamp {
        let mut snapshot = t.app.store().snapshot().unwrap();
        snapshot.session_by_token(&t.call("teacher").token).unwrap().unwrap().seen_at
    };
    let read = || t.app.read_desk(&t.call("teacher"), READ, |_| Ok(())).unwrap();
    let start = seen(&t);
    t.clock.set(t.app.clock().now().plus_seconds(30));
    read();
    assert_eq!(seen(&t), start);
    t.clock.set(t.app.clock().now().plus_seconds(31));
    read();
    assert!(seen(&t) > start);
}

/// Two pathways, the first with one fact.
fn two_pathways(t: &Territory) -> (PathwayId, PathwayId, DataKey) {
    let chance = t.app.chance();
    let (one, two) = (PathwayId::random(chance).unwrap(), PathwayId::random(chance).unwrap());
    let owner = KeyOwner::Pathway(one.clone());
    let (key, stored) = t.app.store().keyring().new_data_key(&owner, chance).unwrap();
    let fact = fact(t, &key, &one, 1);
    let (a, b, lead) = (one.clone(), two.clone(), t.person("referente").organisation.clone());
    t.write(move |tx, at| {
        tx.pathway_insert(&a, &lead, at)?;
        tx.pathway_insert(&b, &lead, at)?;
        tx.key_insert(&NewKey::new(&owner, stored, at))?;
        tx.fact_insert(&fact)
    });
    (one, two, key)
}

fn fact(t: &Territory, key: &DataKey, pathway: &PathwayId, version: i64) -> NewFact {
    let by = &t.person("referente").assignment;
    let now = t.app.clock().now();
    Pen { key, chance: t.app.chance(), pathway, at: now, by }
        .facts(RowAt::at(FactKind::Course, "f", version), &1)
        .unwrap()
}

#[test]
fn the_next_version_of_a_fact_is_on_the_same_pathway() {
    let t = Territory::new();
    let (one, two, key) = two_pathways(&t);
    let (elsewhere, here) = (fact(&t, &key, &two, 2), fact(&t, &key, &one, 2));
    t.write(move |tx, _| {
        assert!(matches!(tx.fact_insert(&elsewhere), Err(StoreError::Stale)));
        tx.fact_insert(&here)
    });
}

#[test]
fn destroying_the_key_of_a_pathway_moves_its_version() {
    let t = Territory::new();
    let (one, two, _) = two_pathways(&t);
    let owner = KeyOwner::Pathway(one.clone());
    let check = VersionCheck { kind: CheckKind::Pathway, id: one.as_str().to_owned(), version: 1 };
    t.write(move |tx, at| tx.key_destroy(&owner, at));
    t.app.store().forget_destroyed().unwrap();
    let draft = RecordDraft::new(
        t.call("teacher").request,
        RetentionClass::Disclosure,
        Action::Read,
        ResourceKind::Pathway,
        Verdict::Permit,
    );
    let said = |check: VersionCheck| {
        let job = Job::new(t.app.prepare(&draft, None).unwrap()).checked(vec![check]);
        t.app.lane().record(Priority::Session, job).wait()
    };
    assert!(matches!(said(check.clone()), Err(LaneError::Stale)));
    assert!(said(VersionCheck { id: two.as_str().to_owned(), ..check }).is_ok());
}

fn last_record(t: &Territory) -> LeafBody {
    let mut snapshot = t.app.store().snapshot().unwrap();
    let rows = snapshot.log_page(&crate::store::log::LogFilter::default(), 1).unwrap();
    LeafBody::parse(&rows[0].1).unwrap()
}

#[test]
fn a_replay_is_told_again_though_it_cannot_be_done_twice() {
    let f = Family::of(date(2015, 10, 10));
    let act = Act { action: Action::Withdraw, resource: ResourceKind::Accord };
    let mut call = f.t.call("referente");
    call.idempotency = Some(key("k1"));
    let go = |call: &Call, pathway| {
        f.t.app.change_telling(
            call,
            act,
            pathway,
            |scene| {
                scene.gate.resource(Resource::Hear)?;
                if scene.snapshot.instance_value("y").map_err(ServiceError::from)?.is_some() {
                    return Err(ServiceError::rule("already", "déjà"));
                }
                Ok(Change::new("y").step(row("y"), |tx, _| tx.instance_set("y", "done")))
            },
            |scene| Ok(scene.seal_facts("appelez la direction")),
        )
    };
    let (first, told) = go(&call, &f.pathway).unwrap();
    assert_eq!((first.replayed, *told), (false, "appelez la direction"));
    let (again, told) = go(&call, &f.pathway).unwrap();
    assert_eq!((again.id, again.replayed, *told), (first.id, true, "appelez la direction"));
    // Without a key, and for who may not even hear, it is what it is.
    let error = go(&f.t.call("referente"), &f.pathway).err().unwrap();
    assert!(matches!(error, ServiceError::Rule { code: "already", .. }), "{error}");
    assert!(matches!(go(&f.t.call("outsider"), &f.pathway), Err(ServiceError::AbsentOrRefused)));
}

#[test]
fn what_law_charter_or_family_refuse_is_recorded_as_a_refusal_and_bad_input_is_not() {
    let t = Territory::new();
    let end = |error: fn() -> ServiceError| {
        let done = t.app.change_desk(&t.call("teacher"), READ, |_| Err(error()));
        assert!(done.is_err());
        last_record(&t)
    };
    let said =
        end(|| ServiceError::denied(Reason::StatuteNeedsBothBound, "statute_needs_both_bound", "Non."));
    assert_eq!((said.decision, said.reasons), (Verdict::Deny, vec![Reason::StatuteNeedsBothBound]));
    assert_eq!(said.clauses, ["rule=statute_needs_both_bound"]);
    let said = end(|| ServiceError::forbidden("second_person_needed", "Non."));
    assert_eq!((said.decision, said.clauses), (Verdict::Deny, vec!["rule=second_person_needed".to_owned()]));
    let said = end(|| ServiceError::rule("last_day_past", "Corrigez."));
    assert_eq!((said.decision, said.reasons, said.clauses), (Verdict::Failed, vec![], vec![]));
    assert_eq!(end(|| ServiceError::AbsentOrRefused).decision, Verdict::Deny);
}

#[test]
fn a_reading_of_the_command_line_that_fails_is_recorded() {
    let t = Territory::new();
    warm(&t);
    let before = records(&t);
    let seen = t.app.console_read::<()>(READ, "user list", |_| Err(ServiceError::rule("x", "Non.")));
    assert!(matches!(seen, Err(ServiceError::Rule { .. })));
    let said = last_record(&t);
    assert_eq!((records(&t), said.decision, said.actor), (before + 1, Verdict::Failed, None));
}
