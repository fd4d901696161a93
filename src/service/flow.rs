//! The shape of every request: authenticate and decide on one snapshot, then one job for the lane, at most three times.
//!
//! INVARIANT: whatever way a request with a session ends, it hands the lane a record.

use std::collections::BTreeSet;

use super::app::App;
use super::error::ServiceError;
use crate::access::{Actor, CharterBook, Gate, Refusal, SessionStamp};
use crate::audit::lane::{CheckKind, Priority};
use crate::audit::{Disclosed, Job, LaneError, Sealed, VersionCheck};
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKey;
use crate::crypto::hash::{Digest, sha256};
use crate::crypto::keyring::KeyOwner;
use crate::crypto::token::TokenHash;
use crate::domain::record::{
    Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, RowRef, TrailEntry, Verdict,
};
use crate::domain::vocabulary::{Category, Function, Profession, Purpose};
use crate::ids::{AssignmentId, PathwayId, ProfessionalId, RequestId};
use crate::store::account::{AccountState, Session};
use crate::store::fact::NewFact;
use crate::store::item::{NewNote, NewVersion};
use crate::store::{Snapshot, StoreError, WriteTx};

/// How often a request decides anew when the facts moved between its snapshot and the lane.
pub(super) const ATTEMPTS: usize = 3;
/// SECURITY §4: a session unused for thirty minutes is over.
pub const IDLE_SECONDS: i64 = 30 * 60;
/// The last use is written at most this often.
const SEEN_EVERY_SECONDS: i64 = 60;

/// An `Idempotency-Key` with what was sent under it.
#[derive(Clone)]
pub struct Idempotency {
    pub key: String,
    pub body: Vec<u8>,
}

/// A request that carries a session.
#[derive(Clone)]
pub struct Call {
    pub request: RequestId,
    pub token: TokenHash,
    /// The assignment under which a form was made; another one now is a conflict.
    pub assignment: Option<AssignmentId>,
    pub idempotency: Option<Idempotency>,
}

/// Who is signed in, as one snapshot says.
pub struct SignedIn {
    pub session: Session,
    pub account: AccountState,
    professional_version: i64,
    actor: Option<Actor>,
}

impl SignedIn {
    #[must_use]
    pub const fn professional(&self) -> &ProfessionalId {
        &self.session.professional
    }

    /// The actor; an account without a chosen assignment acts on nothing.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`].
    pub fn actor(&self) -> Result<&Actor, ServiceError> {
        self.actor.as_ref().ok_or(ServiceError::AbsentOrRefused)
    }

    /// The actor, when the assignment is in force and of this profession (platform functions).
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`].
    pub fn acting_as(&self, profession: Profession, now: Timestamp) -> Result<&Actor, ServiceError> {
        let actor = self.actor()?;
        let a = actor.assignment();
        if a.profession == profession && a.in_force(now) {
            Ok(actor)
        } else {
            Err(ServiceError::AbsentOrRefused)
        }
    }

    /// The actor, when the assignment is in force and has this function.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`].
    pub fn functioning_as(&self, function: Function, now: Timestamp) -> Result<&Actor, ServiceError> {
        let actor = self.actor()?;
        let a = actor.assignment();
        if a.function == function && a.in_force(now) { Ok(actor) } else { Err(ServiceError::AbsentOrRefused) }
    }

    fn stamp(&self, now: Timestamp) -> ActorStamp {
        match &self.actor {
            Some(actor) => actor.stamp(now),
            None => ActorStamp {
                professional: self.session.professional.clone(),
                assignment: None,
                organisation: None,
                profession: None,
                function: None,
                secrecy: None,
                session: Some(self.session.id.clone()),
            },
        }
    }

    fn checks(&self) -> Vec<VersionCheck> {
        let mut checks = vec![VersionCheck {
            kind: CheckKind::Session,
            id: self.session.id.as_str().to_owned(),
            version: self.session.version,
        }];
        checks.push(VersionCheck {
            kind: CheckKind::Professional,
            id: self.session.professional.as_str().to_owned(),
            version: self.professional_version,
        });
        if let Some(actor) = &self.actor {
            checks.push(VersionCheck {
                kind: CheckKind::Assignment,
                id: actor.assignment().id.as_str().to_owned(),
                version: actor.assignment().version,
            });
        }
        checks
    }
}

/// What is being asked, for the record.
#[derive(Clone, Copy)]
pub struct Act {
    pub action: Action,
    pub resource: ResourceKind,
}

/// One attempt on one pathway: the gate, the snapshot, and what the record will say.
pub struct Scene<'a> {
    pub app: &'a App,
    pub gate: Gate<'a>,
    pub snapshot: &'a mut Snapshot,
    /// The pathway's key, to seal what is about to be written.
    pub key: &'a DataKey,
    pub signed_in: &'a SignedIn,
    pub now: Timestamp,
    /// Rows that the answer returns.
    pub returned: Vec<RowRef>,
    /// The purpose of the request, when it has one.
    pub purpose: Option<Purpose>,
    /// Categories that the request concerns, beside those that the gate opened.
    pub categories: BTreeSet<Category>,
    /// Why, in the words of the actor (sealed detail only).
    pub motive: Option<String>,
    /// What the permit obliges to.
    pub obligations: Vec<&'static str>,
}

impl Scene<'_> {
    /// Seals a view made of facts only (ids, codes, dates, directory entries): it too waits for its record.
    pub const fn seal_facts<T>(&self, view: T) -> Sealed<T> {
        Sealed::seal(view)
    }
}

/// A request that touches no pathway.
pub struct Desk<'a> {
    pub app: &'a App,
    pub snapshot: &'a mut Snapshot,
    pub book: &'a CharterBook,
    pub signed_in: &'a SignedIn,
    pub now: Timestamp,
    pub returned: Vec<RowRef>,
    pub motive: Option<String>,
    /// The pathway that this change opens, with its new key: the record names it.
    pub opened: Option<(PathwayId, DataKey)>,
}

impl Desk<'_> {
    /// DESIGN §7: a form carries its assignment; a mismatch is 409.
    fn same_form(&self, call: &Call) -> Result<(), ServiceError> {
        match (&call.assignment, &self.signed_in.session.assignment) {
            (Some(form), now) if now.as_ref() != Some(form) => Err(ServiceError::Conflict),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

/// One step of a change, run inside the lane's transaction: writes only, no hashing, no encryption.
pub type Step = Box<dyn FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send>;

/// A change, prepared: its steps, the rows that it writes, and the digest of their ciphertexts.
pub struct Change {
    pub(super) id: String,
    pub(super) steps: Vec<Step>,
    pub(super) written: Vec<RowRef>,
    ciphertexts: Vec<u8>,
    pub(super) checks: Vec<VersionCheck>,
}

impl Change {
    /// A change whose answer names `id`.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            steps: Vec::new(),
            written: Vec::new(),
            ciphertexts: Vec::new(),
            checks: Vec::new(),
        }
    }

    fn digest(&mut self, bytes: &[u8]) {
        // Each ciphertext by its own hash: lengths cannot shift from one to the next.
        self.ciphertexts.extend_from_slice(&sha256(&[bytes]));
    }

    /// Any step, with the row that it writes.
    #[must_use]
    pub fn step(
        mut self,
        row: RowRef,
        step: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        self.written.push(row);
        self.steps.push(Box::new(step));
        self
    }

    /// A step that writes ciphertext.
    #[must_use]
    pub fn sealed_step(
        mut self,
        row: RowRef,
        ciphertext: &[u8],
        step: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        self.digest(ciphertext);
        self.step(row, step)
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, fact: NewFact) -> Self {
        for half in fact.ciphertexts() {
            self.digest(half);
        }
        self.written.push(fact.row_ref());
        self.steps.push(Box::new(move |tx, _| tx.fact_insert(&fact)));
        self
    }

    /// Adds a version of an item.
    #[must_use]
    pub fn version(mut self, version: NewVersion) -> Self {
        self.digest(version.ciphertext());
        self.written.push(version.row_ref());
        self.steps.push(Box::new(move |tx, _| tx.item_version_insert(&version)));
        self
    }

    /// Adds or replaces a note.
    #[must_use]
    pub fn note(mut self, row: RowRef, note: NewNote) -> Self {
        self.digest(note.ciphertext());
        self.written.push(row);
        self.steps.push(Box::new(move |tx, _| tx.note_put(&note)));
        self
    }

    /// A version that must still hold when the change is written.
    #[must_use]
    pub fn checked(mut self, check: VersionCheck) -> Self {
        self.checks.push(check);
        self
    }

    pub(super) fn write_digest(&self) -> Option<Digest> {
        (!self.ciphertexts.is_empty()).then(|| sha256(&[&self.ciphertexts]))
    }
}

/// What a change answers: the id of what it made, and whether an earlier request had made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub id: String,
    pub replayed: bool,
}

/// How one attempt ended.
enum Attempt<T> {
    Done(T),
    Again,
}

struct Heard {
    trail: Vec<TrailEntry>,
    categories: BTreeSet<Category>,
    basis: Vec<String>,
    valid_until: Timestamp,
}

impl App {
    /// The moment at which a snapshot decides: never before the last record, whatever this node's clock says.
    pub(super) fn moment(&self, snapshot: &mut Snapshot) -> Result<Timestamp, ServiceError> {
        let last = snapshot.log_last_time()?.unwrap_or(Timestamp::from_micros(i64::MIN));
        Ok(self.clock.now().max(last))
    }

    /// Who holds this session, in this snapshot. The only maker of actors.
    pub(super) fn sign_in_of(
        &self,
        snapshot: &mut Snapshot,
        call: &Call,
        now: Timestamp,
    ) -> Result<SignedIn, ServiceError> {
        let session = snapshot.session_by_token(&call.token)?.ok_or(ServiceError::Unauthenticated)?;
        let over = session.ended_at.is_some()
            || now >= session.expires_at
            || now >= session.seen_at.plus_seconds(IDLE_SECONDS);
        if over {
            return Err(ServiceError::Unauthenticated);
        }
        let person = snapshot
            .professional_fetch(&session.professional)?
            .ok_or_else(|| ServiceError::Internal("a session without its professional".to_owned()))?;
        if person.state == AccountState::Ended {
            return Err(ServiceError::Unauthenticated);
        }
        let actor = match &session.assignment {
            Some(id) => {
                let row = snapshot
                    .assignment_fetch(id)?
                    .ok_or_else(|| ServiceError::Internal("a session without its assignment".to_owned()))?;
                // S8: an ended assignment ends its sessions on the next request.
                if row.facts.ends_at.is_some_and(|t| t <= now) {
                    return Err(ServiceError::Unauthenticated);
                }
                let stamp = SessionStamp {
                    id: session.id.clone(),
                    version: session.version,
                    expires_at: session.expires_at,
                };
                Some(Actor::authenticated(row.facts, stamp))
            }
            None => None,
        };
        snapshot.act_as(session.assignment.as_ref())?;
        Ok(SignedIn { session, account: person.state, professional_version: person.version, actor })
    }

    fn draft(&self, call: &Call, act: Act, signed_in: &SignedIn, now: Timestamp) -> RecordDraft {
        let retention = match act.action {
            Action::SignIn | Action::SignOut | Action::List | Action::Search | Action::Maintain => {
                RetentionClass::Technical
            }
            _ => RetentionClass::Disclosure,
        };
        let mut draft =
            RecordDraft::new(call.request.clone(), retention, act.action, act.resource, Verdict::Permit);
        draft.actor = Some(signed_in.stamp(now));
        draft
    }

    fn verdict_of(error: &ServiceError) -> Verdict {
        match error {
            ServiceError::AbsentOrRefused | ServiceError::Explained(_) => Verdict::Deny,
            _ => Verdict::Failed,
        }
    }

    /// Records a request that ended without an answer of substance. When even that fails, the answer is 503.
    fn record_end(
        &self,
        mut draft: RecordDraft,
        signed_in: &SignedIn,
        key: Option<&DataKey>,
        error: ServiceError,
    ) -> ServiceError {
        draft.verdict = Self::verdict_of(&error);
        let record = match self.prepare(&draft, key) {
            Ok(record) => record,
            Err(e) => return e,
        };
        // No version is checked: what moved meanwhile does not make a refusal less of one.
        let _ = signed_in;
        match self.lane.record(Priority::Session, Job::new(record)).wait() {
            Ok(_) => error,
            Err(e) => e.into(),
        }
    }

    fn seen_due(signed_in: &SignedIn, now: Timestamp) -> bool {
        now >= signed_in.session.seen_at.plus_seconds(SEEN_EVERY_SECONDS)
    }

    pub(super) fn charter_check(book: &CharterBook) -> VersionCheck {
        VersionCheck { kind: CheckKind::Charter, id: "charter".to_owned(), version: book.version() }
    }

    /// Reads on one pathway: decides, fetches, records, discloses.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded, unless there was no session.
    pub fn read<T, F>(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        view: F,
    ) -> Result<Disclosed<T>, ServiceError>
    where
        F: Fn(&mut Scene<'_>) -> Result<Sealed<T>, ServiceError>,
    {
        for _ in 0..ATTEMPTS {
            match self.read_once(call, act, pathway, &view)? {
                Attempt::Done(disclosed) => return Ok(disclosed),
                Attempt::Again => {}
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    fn read_once<T, F>(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        view: &F,
    ) -> Result<Attempt<Disclosed<T>>, ServiceError>
    where
        F: Fn(&mut Scene<'_>) -> Result<Sealed<T>, ServiceError>,
    {
        let mut snapshot = self.store.snapshot()?;
        let now = self.moment(&mut snapshot)?;
        let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
        let draft = self.draft(call, act, &signed_in, now);
        let (draft, key, outcome, checks, valid_until) =
            self.on_scene(call, &mut snapshot, &signed_in, pathway, now, draft, |scene| view(scene));
        drop(snapshot);
        let sealed = match outcome {
            Ok(sealed) => sealed,
            Err(error) => return Err(self.record_end(draft, &signed_in, key.as_ref(), error)),
        };
        let record = self.prepare(&draft, key.as_ref())?;
        let job = Job::new(record).checked(checks).valid_until(Some(valid_until));
        let result = if Self::seen_due(&signed_in, now) {
            let session = signed_in.session.id.clone();
            self.lane
                .disclose_with_blocking(Priority::Session, job, sealed, move |tx: &mut WriteTx, at| {
                    tx.session_seen(&session, at)
                })
                .map(|(disclosed, _)| disclosed)
        } else {
            self.lane
                .disclose_with_blocking(Priority::Session, job, sealed, |_: &mut WriteTx, _| {
                    Ok::<(), StoreError>(())
                })
                .map(|(disclosed, _)| disclosed)
        };
        match result {
            Ok(disclosed) => Ok(Attempt::Done(disclosed)),
            Err(LaneError::Stale) => Ok(Attempt::Again),
            Err(e) => Err(e.into()),
        }
    }

    /// Locates the pathway, runs `work` behind its gate, and completes the draft with what the gate heard.
    #[expect(
        clippy::type_complexity,
        reason = "one caller for reads, one for changes; a struct would only rename it"
    )]
    #[expect(clippy::too_many_arguments, reason = "the parts of one attempt, each of its own type")]
    fn on_scene<R>(
        &self,
        call: &Call,
        snapshot: &mut Snapshot,
        signed_in: &SignedIn,
        pathway: &PathwayId,
        now: Timestamp,
        mut draft: RecordDraft,
        work: impl FnOnce(&mut Scene<'_>) -> Result<R, ServiceError>,
    ) -> (RecordDraft, Option<DataKey>, Result<R, ServiceError>, Vec<VersionCheck>, Timestamp) {
        let mut checks = signed_in.checks();
        let end = signed_in.session.expires_at;
        macro_rules! or_end {
            ($e:expr) => {
                match $e {
                    Ok(v) => v,
                    Err(e) => return (draft, None, Err(e.into()), checks, end),
                }
            };
        }
        let actor = or_end!(signed_in.actor());
        if call.assignment.as_ref().is_some_and(|a| *a != actor.assignment().id) {
            return (draft, None, Err(ServiceError::Conflict), checks, end);
        }
        let book = or_end!(self.book(snapshot));
        let facts = match or_end!(snapshot.pathway_facts(pathway)) {
            Some(facts) => facts,
            // THREAT: existence oracle. Absent goes through the same record and the same answer as refused.
            None => {
                // The attempt is told with what was asked for, whether or not there is such a pathway.
                draft.pathway = Some(pathway.clone());
                return (draft, None, Err(ServiceError::AbsentOrRefused), checks, end);
            }
        };
        let Some(key) = or_end!(snapshot.key_of(&KeyOwner::Pathway(pathway.clone()))) else {
            return (draft, None, Err(ServiceError::AbsentOrRefused), checks, end);
        };
        checks.push(VersionCheck {
            kind: CheckKind::Pathway,
            id: pathway.as_str().to_owned(),
            version: facts.version,
        });
        checks.push(Self::charter_check(&book));
        draft.pathway = Some(pathway.clone());
        if let Ok(standing) = book.standing(actor.assignment(), now) {
            draft.policy_hashes = standing.matrix.policy_hashes().to_vec();
        } else if let Some(edition) = book.in_force(now) {
            draft.policy_hashes = edition.matrix.policy_hashes().to_vec();
        }
        let mut scene = Scene {
            app: self,
            gate: Gate::new(actor, &facts, &book, now),
            snapshot,
            key: &key,
            signed_in,
            now,
            returned: Vec::new(),
            purpose: None,
            categories: BTreeSet::new(),
            motive: None,
            obligations: Vec::new(),
        };
        let outcome = work(&mut scene);
        draft.returned = std::mem::take(&mut scene.returned);
        draft.purpose = scene.purpose;
        draft.motive = scene.motive.take();
        draft.obligations = std::mem::take(&mut scene.obligations);
        draft.categories = std::mem::take(&mut scene.categories);
        let valid_until = scene.gate.valid_until();
        let heard = {
            let (trail, categories, basis) = scene.gate.into_trail();
            Heard { trail, categories, basis, valid_until }
        };
        draft.categories.extend(heard.categories);
        draft.basis = heard.basis;
        draft.reasons = {
            let mut reasons: Vec<_> = heard.trail.iter().map(|t| t.reason).collect();
            reasons.sort_unstable();
            reasons.dedup();
            reasons
        };
        draft.trail = heard.trail;
        (draft, Some(key), outcome, checks, heard.valid_until)
    }

    /// Changes one pathway: decides, prepares, and writes change and record in one transaction. The pathway's version
    /// rises with every change.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded, unless there was no session.
    pub fn change<F>(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        plan: F,
    ) -> Result<Created, ServiceError>
    where
        F: Fn(&mut Scene<'_>) -> Result<Change, ServiceError>,
    {
        self.change_telling(call, act, pathway, |scene| Ok((plan(scene)?, Sealed::seal(()))))
            .map(|(created, _)| created)
    }

    /// [`App::change`] with an answer of its own: what the person who acts must be told at once, decided on the same
    /// snapshot and readable only once the change and its record are committed.
    ///
    /// # Errors
    /// As [`App::change`].
    pub fn change_telling<T, F>(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        plan: F,
    ) -> Result<(Created, Disclosed<T>), ServiceError>
    where
        F: Fn(&mut Scene<'_>) -> Result<(Change, Sealed<T>), ServiceError>,
    {
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            let draft = self.draft(call, act, &signed_in, now);
            let replay = self.replay(call, &mut snapshot, &signed_in, now);
            let (mut draft, key, outcome, mut checks, valid_until) =
                self.on_scene(call, &mut snapshot, &signed_in, pathway, now, draft, |scene| plan(scene));
            drop(snapshot);
            // A replay decides and records anew, and changes nothing.
            let outcome = match (outcome, replay) {
                (Ok((_, told)), Ok(Some(id))) => {
                    let record = self.prepare(&draft, key.as_ref())?;
                    let job = Job::new(record).checked(checks).valid_until(Some(valid_until));
                    match self.lane.disclose_blocking(Priority::Session, job, told) {
                        Ok((told, _)) => return Ok((Created { id, replayed: true }, told)),
                        Err(LaneError::Stale) => continue,
                        Err(e) => return Err(e.into()),
                    }
                }
                (Ok(change), Ok(None)) => Ok(change),
                (Ok(_), Err(e)) | (Err(e), _) => Err(e),
            };
            let (change, told) = match outcome {
                Ok(change) => change,
                Err(error) => return Err(self.record_end(draft, &signed_in, key.as_ref(), error)),
            };
            checks.extend(change.checks.iter().cloned());
            let touched = pathway.clone();
            match self.commit(
                call,
                &signed_in,
                &mut draft,
                key.as_ref(),
                checks,
                valid_until,
                change,
                Some(touched),
                told,
            )? {
                Attempt::Done(done) => return Ok(done),
                Attempt::Again => {}
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one job, each of its own type")]
    fn commit<T>(
        &self,
        call: &Call,
        signed_in: &SignedIn,
        draft: &mut RecordDraft,
        key: Option<&DataKey>,
        checks: Vec<VersionCheck>,
        valid_until: Timestamp,
        change: Change,
        touched: Option<PathwayId>,
        told: Sealed<T>,
    ) -> Result<Attempt<(Created, Disclosed<T>)>, ServiceError> {
        draft.write_digest = change.write_digest();
        draft.written.clone_from(&change.written);
        let record = self.prepare(draft, key)?;
        let job = Job::new(record).checked(checks).valid_until(Some(valid_until));
        let Change { id, steps, .. } = change;
        let remember = call.idempotency.as_ref().map(|i| self.idempotency_of(signed_in, i));
        let session = signed_in.session.id.clone();
        let result_id = id.clone();
        let done =
            self.lane.disclose_with_blocking(Priority::Session, job, told, move |tx: &mut WriteTx, at| {
                for step in steps {
                    step(tx, at)?;
                }
                if let Some(pathway) = &touched {
                    tx.pathway_touch(pathway)?;
                }
                if let Some((subject, fingerprint)) = &remember {
                    tx.idempotency_insert(subject, fingerprint, &result_id, at)?;
                }
                tx.session_seen(&session, at)
            });
        match done {
            Ok((told, _)) => Ok(Attempt::Done((Created { id, replayed: false }, told))),
            Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => Ok(Attempt::Again),
            Err(e) => Err(e.into()),
        }
    }

    fn idempotency_of(&self, signed_in: &SignedIn, i: &Idempotency) -> (Digest, Digest) {
        let who = signed_in
            .session
            .assignment
            .as_ref()
            .map_or_else(|| signed_in.session.professional.as_str().to_owned(), |a| a.as_str().to_owned());
        let keys = self.store.instance_keys();
        (
            keys.idempotency_fingerprint(&who, &[b"key", i.key.as_bytes()]),
            keys.idempotency_fingerprint(&who, &[b"body", &i.body]),
        )
    }

    fn replay(
        &self,
        call: &Call,
        snapshot: &mut Snapshot,
        signed_in: &SignedIn,
        now: Timestamp,
    ) -> Result<Option<String>, ServiceError> {
        let Some(idempotency) = &call.idempotency else { return Ok(None) };
        let (subject, fingerprint) = self.idempotency_of(signed_in, idempotency);
        match snapshot.idempotency_fetch(&subject, now)? {
            None => Ok(None),
            Some(found) if found.fingerprint == fingerprint => Ok(Some(found.result)),
            Some(_) => Err(ServiceError::rule(
                "idempotency_key_reused",
                "Cette clé d'idempotence a déjà servi pour une autre demande : prenez-en une nouvelle.",
            )),
        }
    }

    /// Reads one line on each of several pathways: one record per pathway touched, all in one job (SECURITY §1).
    /// `locate` finds the pathways, and decides nothing; a pathway on which `view_one` is refused has no line.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded, unless there was no session.
    pub fn read_many<T, L, F>(
        &self,
        call: &Call,
        act: Act,
        locate: L,
        view_one: F,
    ) -> Result<Disclosed<Vec<T>>, ServiceError>
    where
        L: Fn(&mut Snapshot, &Actor, Timestamp) -> Result<Vec<PathwayId>, ServiceError>,
        F: Fn(&mut Scene<'_>) -> Result<Option<Sealed<T>>, ServiceError>,
    {
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            let whole = self.draft(call, act, &signed_in, now);
            let located = signed_in.actor().and_then(|actor| {
                if call.assignment.as_ref().is_some_and(|a| *a != actor.assignment().id) {
                    return Err(ServiceError::Conflict);
                }
                locate(&mut snapshot, actor, now)
            });
            let ids = match located {
                Ok(ids) => ids,
                Err(error) => return Err(self.record_end(whole, &signed_in, None, error)),
            };
            let mut checks: BTreeSet<VersionCheck> = signed_in.checks().into_iter().collect();
            let mut end = signed_in.session.expires_at;
            let mut drafts = Vec::with_capacity(ids.len());
            let mut lines = Vec::with_capacity(ids.len());
            for id in &ids {
                let draft = self.draft(call, act, &signed_in, now);
                let (mut draft, key, outcome, read, valid_until) =
                    self.on_scene(call, &mut snapshot, &signed_in, id, now, draft, |scene| view_one(scene));
                checks.extend(read);
                end = end.min(valid_until);
                match outcome {
                    Ok(line) => lines.extend(line),
                    Err(ServiceError::AbsentOrRefused | ServiceError::Explained(_)) => {
                        draft.verdict = Verdict::Deny;
                    }
                    Err(error) => return Err(self.record_end(draft, &signed_in, key.as_ref(), error)),
                }
                drafts.push((draft, key));
            }
            drop(snapshot);
            // A list without any permitted line is still an answer, with a record of its own.
            let mut job = if drafts.iter().any(|(d, _)| d.verdict == Verdict::Permit) {
                None
            } else {
                Some(Job::new(self.prepare(&whole, None)?))
            };
            for (draft, key) in drafts {
                let record = self.prepare(&draft, key.as_ref())?;
                job = Some(match job {
                    Some(job) => job.and_record(record),
                    None => Job::new(record),
                });
            }
            let Some(job) = job else {
                return Err(ServiceError::Internal("a list without a record".to_owned()));
            };
            let job = job.checked(checks.into_iter().collect()).valid_until(Some(end));
            let session = signed_in.session.id.clone();
            let due = Self::seen_due(&signed_in, now);
            let result = self.lane.disclose_with_blocking(
                Priority::Session,
                job,
                Sealed::all(lines),
                move |tx: &mut WriteTx, at| {
                    if due { tx.session_seen(&session, at) } else { Ok::<(), StoreError>(()) }
                },
            );
            match result {
                Ok((disclosed, _)) => return Ok(disclosed),
                Err(LaneError::Stale) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    /// Reads something that belongs to no pathway.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded, unless there was no session.
    pub fn read_desk<T, F>(&self, call: &Call, act: Act, view: F) -> Result<Disclosed<T>, ServiceError>
    where
        F: Fn(&mut Desk<'_>) -> Result<T, ServiceError>,
    {
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            let mut draft = self.draft(call, act, &signed_in, now);
            let book = self.book(&mut snapshot)?;
            let mut checks = signed_in.checks();
            checks.push(Self::charter_check(&book));
            let mut desk = Desk {
                app: self,
                snapshot: &mut snapshot,
                book: &book,
                signed_in: &signed_in,
                now,
                returned: Vec::new(),
                motive: None,
                opened: None,
            };
            let outcome = desk.same_form(call).and_then(|()| view(&mut desk));
            draft.returned = std::mem::take(&mut desk.returned);
            draft.motive = desk.motive.take();
            drop(snapshot);
            let sealed = match outcome {
                Ok(view) => Sealed::seal(view),
                Err(error) => return Err(self.record_end(draft, &signed_in, None, error)),
            };
            let record = self.prepare(&draft, None)?;
            let job = Job::new(record).checked(checks).valid_until(Some(signed_in.session.expires_at));
            let session = signed_in.session.id.clone();
            let due = Self::seen_due(&signed_in, now);
            let result = self.lane.disclose_with_blocking(
                Priority::Session,
                job,
                sealed,
                move |tx: &mut WriteTx, at| {
                    if due { tx.session_seen(&session, at) } else { Ok::<(), StoreError>(()) }
                },
            );
            match result {
                Ok((disclosed, _)) => return Ok(disclosed),
                Err(LaneError::Stale) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    /// Changes something that belongs to no pathway.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded, unless there was no session.
    pub fn change_desk<F>(&self, call: &Call, act: Act, plan: F) -> Result<Created, ServiceError>
    where
        F: Fn(&mut Desk<'_>) -> Result<Change, ServiceError>,
    {
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            let mut draft = self.draft(call, act, &signed_in, now);
            let replay = self.replay(call, &mut snapshot, &signed_in, now);
            let book = self.book(&mut snapshot)?;
            let mut checks = signed_in.checks();
            checks.push(Self::charter_check(&book));
            let mut desk = Desk {
                app: self,
                snapshot: &mut snapshot,
                book: &book,
                signed_in: &signed_in,
                now,
                returned: Vec::new(),
                motive: None,
                opened: None,
            };
            let outcome = desk.same_form(call).and_then(|()| plan(&mut desk));
            draft.motive = desk.motive.take();
            let opened = desk.opened.take();
            drop(snapshot);
            let change = match (outcome, replay) {
                (Ok(_), Ok(Some(id))) => {
                    let record = self.prepare(&draft, None)?;
                    let job = Job::new(record).checked(checks);
                    match self.lane.record(Priority::Session, job).wait() {
                        Ok(_) => return Ok(Created { id, replayed: true }),
                        Err(LaneError::Stale) => continue,
                        Err(e) => return Err(e.into()),
                    }
                }
                (Ok(change), Ok(None)) => change,
                (Ok(_), Err(e)) | (Err(e), _) => {
                    return Err(self.record_end(draft, &signed_in, None, e));
                }
            };
            checks.extend(change.checks.iter().cloned());
            let end = signed_in.session.expires_at;
            let key = opened.as_ref().map(|(_, key)| key);
            draft.pathway = opened.as_ref().map(|(id, _)| id.clone());
            let told = Sealed::seal(());
            match self.commit(call, &signed_in, &mut draft, key, checks, end, change, None, told)? {
                Attempt::Done((created, _)) => return Ok(created),
                Attempt::Again => {}
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    /// Records a request with a session that could not be understood (DESIGN §1: syntax comes before everything
    /// else), and says whether there is a session at all.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] without a session; otherwise `error` itself, recorded.
    pub fn record_malformed(&self, call: &Call, act: Act, error: ServiceError) -> ServiceError {
        let attempt = || -> Result<(SignedIn, Timestamp), ServiceError> {
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            Ok((signed_in, now))
        };
        match attempt() {
            Ok((signed_in, now)) => {
                let draft = self.draft(call, act, &signed_in, now);
                self.record_end(draft, &signed_in, None, error)
            }
            Err(e) => e,
        }
    }
}

impl From<Refusal> for ServiceError {
    fn from(r: Refusal) -> Self {
        Self::from(&r)
    }
}
