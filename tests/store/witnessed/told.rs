//! What an auditor is told of witnesses: where each stands, the checkpoint to take away, receipts, the report of a month.

use std::sync::atomic::Ordering;

use data_encoding::BASE64;
use relais::audit::{SignedCheckpoint, TlogProof, WitnessKey};
use relais::clock::{Clock, Timestamp};
use relais::crypto::SystemChance;
use relais::crypto::token::SessionToken;
use relais::domain::day::Month;
use relais::domain::record::{Action, ResourceKind};
use relais::domain::vocabulary::{Function, Profession, Secrecy};
use relais::ids::{AssignmentId, MissionId, OrganisationId, ProfessionalId, RequestId, SessionId};
use relais::service::witnesses::{LATE_SECONDS, Round};
use relais::service::{Act, App, Call, LogState, MonthlyReport, WitnessState};
use relais::store::account::{AccountState, Credentials, NewProfessional, ProfessionalWords};
use relais::store::account::{SealedCredentials, Session};
use relais::store::organisation::NewAssignment;

use super::{Watched, keep_copy, put_back};
use crate::support::engines;

const CHECKPOINT: Act = Act { action: Action::Export, resource: ResourceKind::Checkpoint };
const REPORT: Act = Act { action: Action::Read, resource: ResourceKind::MonthlyReport };
const RECEIPT: Act = Act { action: Action::Export, resource: ResourceKind::AuditLog };

/// An auditor of a structure.
struct Auditor {
    professional: ProfessionalId,
    assignment: AssignmentId,
}

impl Auditor {
    fn new(w: &Watched, app: &App) -> Self {
        let (_, organisation): (_, OrganisationId) = w.bed.pathway(app.lane());
        let (chance, now) = (SystemChance::new(), w.bed.clock.now());
        let (professional, second) =
            (ProfessionalId::random(&chance).unwrap(), ProfessionalId::random(&chance).unwrap());
        let assignment = AssignmentId::random(&chance).unwrap();
        let (key, keys) = (w.bed.store.instance_key(), w.bed.store.instance_keys());
        let words = ProfessionalWords {
            login: "auditrice".to_owned(),
            name: "CANARI-auditrice".to_owned(),
            telephone: "0102030405".to_owned(),
        };
        let index = keys.login_index(&words.login);
        let row = NewProfessional::seal(key, &chance, &professional, index, None, now, &words).unwrap();
        let credentials = Credentials {
            password_hash: String::new(),
            totp_secret: String::new(),
            rescue_hashes: Vec::new(),
            factor_replaced_at: None,
        };
        let credentials = SealedCredentials::seal(key, &chance, &professional, &credentials).unwrap();
        let new = NewAssignment {
            id: assignment.clone(),
            professional: professional.clone(),
            organisation,
            mission: MissionId::random(&chance).unwrap(),
            profession: Profession::Auditor,
            function: Function::Practitioner,
            secrecy: Secrecy::Bound,
            secrecy_basis: "CASF L411-3".to_owned(),
            secrecy_until: None,
            starts_at: now,
            ends_at: None,
            stated_by: None,
            confirmed_by: Some(second.clone()),
            created_at: now,
        };
        let p = professional.clone();
        w.bed
            .write(app.lane(), move |tx, at| {
                tx.professional_insert(&row)?;
                tx.professional_credentials(&p, 1, &credentials, AccountState::Unconfirmed)?;
                tx.professional_recognise(&p, 2, &second, at)?;
                tx.assignment_insert(&new)
            })
            .unwrap();
        Self { professional, assignment }
    }

    /// A request in a session that was just opened: these tests move the clock by weeks.
    fn call(&self, w: &Watched, app: &App) -> Call {
        let (chance, now) = (SystemChance::new(), w.bed.clock.now());
        let token = w.bed.store.instance_keys().session_hash(&SessionToken::generate(&chance).unwrap());
        let session = Session {
            id: SessionId::random(&chance).unwrap(),
            version: 1,
            professional: self.professional.clone(),
            assignment: Some(self.assignment.clone()),
            created_at: now,
            seen_at: now,
            expires_at: now.plus_seconds(3600),
            ended_at: None,
        };
        let hash = token.clone();
        w.bed.write(app.lane(), move |tx, _| tx.session_insert(&session, &hash)).unwrap();
        let request = RequestId::random(&chance).unwrap();
        Call { request, token, assignment: None, idempotency: None }
    }

    fn state(&self, w: &Watched, app: &App) -> LogState {
        let act = Act { action: Action::Read, resource: ResourceKind::AuditLog };
        app.audit_state(&self.call(w, app), act).unwrap().into_inner()
    }

    fn checkpoint(&self, w: &Watched, app: &App) -> SignedCheckpoint {
        SignedCheckpoint::parse(&app.audit_checkpoint(&self.call(w, app), CHECKPOINT).unwrap()).unwrap()
    }

    fn receipt(&self, w: &Watched, app: &App, index: u64) -> TlogProof {
        TlogProof::parse(&app.audit_proof(&self.call(w, app), RECEIPT, index).unwrap()).unwrap()
    }

    fn report(&self, w: &Watched, app: &App, month: Month) -> MonthlyReport {
        app.audit_report(&self.call(w, app), REPORT, month).unwrap().into_inner()
    }
}

/// Their clocks and ours.
fn go_to(w: &Watched, at: Timestamp) {
    w.bed.clock.set(at);
    w.witnesses[0].clock.set(at);
}

fn down(w: &Watched, n: usize, down: bool) {
    w.witnesses[n].down.store(down, Ordering::SeqCst);
}

fn signed(app: &App) -> u64 {
    app.checkpoint().unwrap().claims().size()
}

fn state_of(n: usize, seen: Option<(u64, Timestamp)>, late: bool, contradicts: Option<u64>) -> WitnessState {
    let minute = |at: Timestamp| format!("{}00Z", at.rfc3339().get(..17).unwrap());
    let name = format!("w{n}.example/temoin");
    WitnessState { name, size: seen.map(|s| s.0), at: seen.map(|s| minute(s.1)), late, contradicts }
}

fn by(w: &Watched, n: usize, note: &SignedCheckpoint) -> bool {
    let key: &WitnessKey = w.witnesses[n].witness.key();
    note.cosigned(key, w.bed.clock.now()).unwrap().is_some()
}

#[test]
fn a_witness_is_late_an_hour_after_what_it_saw_is_no_longer_the_end_and_then_its_word_is_not_taken_away() {
    for engine in engines() {
        let w = Watched::new(engine, 2);
        let (app, thread) = w.start();
        let auditor = Auditor::new(&w, &app);
        let start = w.bed.clock.now();
        let states = |w: &Watched| auditor.state(w, &app).witnesses;
        let never = [state_of(0, None, false, None), state_of(1, None, false, None)];
        assert_eq!(states(&w), never, "{engine:?}: nothing is signed, nobody is late");
        w.bed.records(app.lane(), 4);
        let first = signed(&app);
        down(&w, 1, true);
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 1, left: 1 });
        let told = auditor.state(&w, &app);
        let expected = [state_of(0, Some((first, start)), false, None), state_of(1, None, true, None)];
        assert_eq!(
            (told.witnesses.as_slice(), told.attested),
            (expected.as_slice(), Some(first)),
            "{engine:?}"
        );
        // The log has grown, and the checkpoint to take away is the one that was seen.
        let taken = auditor.checkpoint(&w, &app);
        assert_eq!((taken.claims().size(), by(&w, 0, &taken)), (first, true), "{engine:?}");
        // A log of which nothing more is signed makes nobody late.
        let next = start.plus_seconds(3 * LATE_SECONDS + 7);
        go_to(&w, next);
        assert_eq!(states(&w)[0], state_of(0, Some((first, start)), false, None), "{engine:?}");

        let second = signed(&app);
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        down(&w, 0, true);
        w.bed.records(app.lane(), 1);
        let unseen = signed(&app);
        assert!(unseen > second);
        go_to(&w, next.plus_seconds(LATE_SECONDS - 1));
        assert_eq!(
            states(&w)[0],
            state_of(0, Some((second, next)), false, None),
            "{engine:?}: within the hour"
        );
        assert_eq!(auditor.checkpoint(&w, &app).claims().size(), second, "{engine:?}");
        go_to(&w, next.plus_seconds(LATE_SECONDS + 1));
        assert_eq!(states(&w)[0], state_of(0, Some((second, next)), true, None), "{engine:?}");
        // What nobody has seen for an hour is not passed for the end of the log.
        let ours = auditor.checkpoint(&w, &app);
        assert!(ours.claims().size() > unseen && !by(&w, 0, &ours), "{engine:?}");
        // It is back.
        down(&w, 0, false);
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        let back = Some((ours.claims().size(), w.bed.clock.now()));
        assert_eq!(states(&w)[0], state_of(0, back, false, None), "{engine:?}");
        assert!(by(&w, 0, &auditor.checkpoint(&w, &app)), "{engine:?}");
        thread.stop();
    }
}

#[test]
fn a_witness_that_knows_another_log_is_told_with_the_size_that_it_knows_and_vouches_for_nothing() {
    for engine in engines() {
        let w = Watched::new(engine, 2);
        let (app, thread) = w.start();
        let auditor = Auditor::new(&w, &app);
        let start = w.bed.clock.now();
        down(&w, 1, true);
        w.bed.records(app.lane(), 5);
        let older = signed(&app);
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        let mut raw = w.bed.raw();
        keep_copy(&mut raw);
        w.bed.records(app.lane(), 5);
        let known = signed(&app);
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        thread.stop();
        put_back(&mut raw);

        let (app, thread) = w.start();
        w.bed.records(app.lane(), 9);
        signed(&app);
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 0, left: 2 }, "{engine:?}");
        // Not late: it cosigned within the hour. All the same nothing of it is taken away.
        let contradicts = state_of(0, Some((older, start)), false, Some(known));
        let expected = [contradicts.clone(), state_of(1, None, true, None)];
        assert_eq!(auditor.state(&w, &app).witnesses, expected, "{engine:?}");
        let ours = auditor.checkpoint(&w, &app);
        assert!(ours.claims().size() > known && !by(&w, 0, &ours), "{engine:?}");
        // One that follows this history vouches for it, and takes nothing from what the other says.
        down(&w, 1, false);
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 1, left: 1 }, "{engine:?}");
        let told = auditor.state(&w, &app);
        let follows = state_of(1, Some((ours.claims().size(), start)), false, None);
        assert_eq!(told.witnesses, [contradicts, follows], "{engine:?}");
        let taken = auditor.checkpoint(&w, &app);
        assert_eq!(taken.claims().size(), ours.claims().size());
        assert!(by(&w, 1, &taken) && !by(&w, 0, &taken), "{engine:?}");
        // The month in which it happened: the witness that knows another log has not seen it.
        signed(&app);
        assert_eq!(app.witnesses_ask().unwrap(), Round { attested: 1, left: 1 });
        let month = Month::of(start.paris_day());
        go_to(&w, Timestamp::paris_midnight(month.next().first_day()));
        let report = auditor.report(&w, &app, month);
        let names: Vec<_> = report.checkpoint.unwrap().witnesses.into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["w1.example/temoin"], "{engine:?}");
        thread.stop();
    }
}

#[test]
fn the_report_of_a_month_bears_the_earliest_checkpoint_over_it_that_a_witness_cosigned() {
    for engine in engines() {
        let w = Watched::new(engine, 2);
        let (app, thread) = w.start();
        let auditor = Auditor::new(&w, &app);
        let start = w.bed.clock.now();
        let month = Month::of(start.paris_day());
        down(&w, 0, true);
        down(&w, 1, true);
        w.bed.records(app.lane(), 5);
        let alone = signed(&app);
        assert_eq!(app.witnesses_ask().unwrap().attested, 0);
        let over = Timestamp::paris_midnight(month.next().first_day());
        go_to(&w, over);
        let checkpoint = |w: &Watched| auditor.report(w, &app, month).checkpoint.unwrap();
        let nobody = checkpoint(&w);
        assert_eq!((nobody.size, nobody.witnesses.len()), (alone, 0), "{engine:?}");

        // Cosigned by one, then a longer one by both: the earliest that anybody saw.
        let first = app.checkpoint().unwrap();
        assert!(first.claims().size() > alone);
        down(&w, 0, false);
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        go_to(&w, over.plus_seconds(90));
        down(&w, 1, false);
        w.bed.records(app.lane(), 1);
        signed(&app);
        assert_eq!(app.witnesses_ask().unwrap().attested, 2);
        let told = checkpoint(&w);
        assert_eq!((told.size, &told.root), (first.claims().size(), &BASE64.encode(first.claims().root())));
        let seen: Vec<_> = told.witnesses.iter().map(|s| (s.name.as_str(), s.at.as_str())).collect();
        assert_eq!(
            seen,
            [("w0.example/temoin", over.rfc3339().replace(".000000", "").as_str())],
            "{engine:?}"
        );
        let note = app.report_here(month).unwrap();
        assert!(note.contains("- cosigné par w0.example/temoin le "), "{engine:?} {}", *note);
        assert!(!note.contains("w1.example/temoin"), "{engine:?}");
        thread.stop();
    }
}

/// The last checkpoint is often one that no witness has seen yet: a receipt rests on the earliest that one has.
#[test]
fn a_receipt_bears_cosignatures_whenever_a_checkpoint_over_its_record_does() {
    for engine in engines() {
        let w = Watched::new(engine, 1);
        let (app, thread) = w.start();
        let auditor = Auditor::new(&w, &app);
        w.bed.records(app.lane(), 3);
        down(&w, 0, true);
        let unseen = signed(&app);
        // Nobody has seen anything yet: the log's own word.
        let receipt = auditor.receipt(&w, &app, 2);
        assert_eq!((receipt.checkpoint().claims().size(), by(&w, 0, receipt.checkpoint())), (unseen, false));
        down(&w, 0, false);
        w.bed.records(app.lane(), 1);
        let seen = signed(&app);
        assert_eq!(app.witnesses_ask().unwrap().attested, 1);
        w.bed.records(app.lane(), 4);
        let last = signed(&app);
        let here = |index| {
            let log = crate::verifier::logs::options(&w.bed);
            let command = relais::cli::audit::AuditCommand::Proof { index, log };
            let mut out = Vec::new();
            relais::cli::audit::run(&command, w.bed.folder.path(), &mut out, &mut Vec::new()).unwrap();
            TlogProof::parse(std::str::from_utf8(&out).unwrap()).unwrap()
        };
        let policy = w.policy(1);
        for (index, size, cosigned) in [(2, seen, true), (seen - 1, seen, true), (seen, last, false)] {
            for receipt in [auditor.receipt(&w, &app, index), here(index)] {
                let checkpoint = receipt.checkpoint();
                assert_eq!(
                    (receipt.index(), checkpoint.claims().size()),
                    (index, size),
                    "{engine:?} {index}"
                );
                assert_eq!(by(&w, 0, checkpoint), cosigned, "{engine:?} {index}");
                let met = policy.check(checkpoint, &[], w.bed.clock.now());
                assert_eq!(met.is_ok(), cosigned, "{engine:?} {index}");
                let keys = [super::vkey(&w.bed)];
                assert!(receipt.verify_carried(keys[0].name(), &keys).is_ok(), "{engine:?} {index}");
            }
        }
        thread.stop();
    }
}
