//! Changing: decide and prepare on one snapshot, then write change and record in one transaction.

use std::sync::Arc;

use super::scene::Staged;
use super::{ATTEMPTS, Act, Asked, Attempt, Call, Change, Created, Desk, Idempotency, Scene};
use crate::audit::lane::Priority;
use crate::audit::{Disclosed, Job, LaneError, Sealed};
use crate::crypto::hash::Digest;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::PathwayId;
use crate::service::{App, ServiceError};
use crate::store::{Snapshot, StoreError, WriteTx};

/// Code of a replay whose answer may not be told again (409).
pub const ALREADY_RECORDED: &str = "already_recorded";

/// A change with what the person who acts is told.
type Planned<T> = (Change, Sealed<T>);

/// Whether an error speaks of what was asked, and not of whether it may be.
const fn is_meaning(error: &ServiceError) -> bool {
    match error {
        ServiceError::Invalid(_)
        | ServiceError::Rule { .. }
        | ServiceError::Conflict
        | ServiceError::PreconditionFailed => true,
        ServiceError::Unauthenticated
        | ServiceError::AbsentOrRefused
        | ServiceError::Explained(_)
        | ServiceError::TooManyAttempts(_)
        | ServiceError::Unavailable(_)
        | ServiceError::Internal(_) => false,
    }
}

/// Whether what is not there any more is one's own session or text: the first press took it away, and the same press
/// again is answered alike.
const fn own_and_gone(act: Act, error: &ServiceError) -> bool {
    let own = matches!(act.resource, ResourceKind::Session | ResourceKind::KeptForm);
    own && matches!(act.action, Action::End) && matches!(error, ServiceError::AbsentOrRefused)
}

impl App {
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
        let nothing = |_: &mut Scene<'_>| Ok(Sealed::seal(()));
        self.change_told(call, act, pathway, plan, nothing, |e| e).map(|(created, _)| created)
    }

    /// [`App::change`] with an answer of its own: what the person who acts must be told at once, decided on the same
    /// snapshot and readable only once the change and its record are committed.
    ///
    /// INVARIANT: `tell` rests on what stands, never on what the plan prepared: a replay is told by it alone, also where
    /// the same thing could not be done a second time. Whoever closed one's own way in by the first request, and so may
    /// be told nothing any more, hears that it is recorded (409), which that person already knew.
    ///
    /// # Errors
    /// As [`App::change`]; [`ALREADY_RECORDED`].
    pub fn change_telling<T, F, G>(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        plan: F,
        tell: G,
    ) -> Result<(Created, Disclosed<T>), ServiceError>
    where
        F: Fn(&mut Scene<'_>) -> Result<Change, ServiceError>,
        G: Fn(&mut Scene<'_>) -> Result<Sealed<T>, ServiceError>,
    {
        self.change_told(call, act, pathway, plan, tell, |_| {
            ServiceError::rule(
                ALREADY_RECORDED,
                "C'est déjà enregistré, une seule fois. Vous n'avez plus accès à ce parcours depuis : pour la suite, \
                 appelez le référent.",
            )
        })
    }

    /// `gone` is what a replay answers that may not even be decided any more; its record says refused.
    fn change_told<T, F, G>(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        plan: F,
        tell: G,
        gone: fn(ServiceError) -> ServiceError,
    ) -> Result<(Created, Disclosed<T>), ServiceError>
    where
        F: Fn(&mut Scene<'_>) -> Result<Change, ServiceError>,
        G: Fn(&mut Scene<'_>) -> Result<Sealed<T>, ServiceError>,
    {
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            let asked = Asked { call, act, signed_in: &signed_in, pathway: Some(pathway), now };
            let replay = self.replay(&asked, &mut snapshot);
            let replayed = matches!(replay, Ok(Some(_)));
            let mut anew = None;
            let staged = self.on_scene(&asked, pathway, &mut snapshot, |scene| match plan(scene) {
                Ok(change) => Ok((change, tell(scene)?)),
                Err(e) if replayed && is_meaning(&e) => {
                    anew = Some(tell(scene)?);
                    Err(e)
                }
                Err(e) => Err(e),
            });
            drop(snapshot);
            match self.commit(&asked, staged, replay, anew) {
                Ok(Attempt::Done(done)) => return Ok(done),
                Ok(Attempt::Again) => {}
                Err(e @ (ServiceError::AbsentOrRefused | ServiceError::Explained(_))) if replayed => {
                    return Err(gone(e));
                }
                Err(e) => return Err(e),
            }
        }
        Err(self.kept_moving(call, act, Some(pathway)))
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
            let asked = Asked { call, act, signed_in: &signed_in, pathway: None, now };
            let replay = self.replay(&asked, &mut snapshot);
            let (mut staged, opened) =
                self.on_desk(&asked, &mut snapshot, |desk| Ok((plan(desk)?, Sealed::seal(()))));
            drop(snapshot);
            // The pathway that a change opens is named by its record; one that it does not open is not.
            if let (Ok(_), Ok(None), Some((id, key))) = (&staged.outcome, &replay, opened) {
                staged.draft.pathway = Some(id);
                staged.key = Some(Arc::new(key));
            }
            match self.commit(&asked, staged, replay, Some(Sealed::seal(())))? {
                Attempt::Done((created, _)) => return Ok(created),
                Attempt::Again => {}
            }
        }
        Err(self.kept_moving(call, act, None))
    }

    /// [`App::change_desk`] with an answer that is told once.
    ///
    /// INVARIANT: the plan refuses what was done already, so that a replay tells nothing: it is answered like any second
    /// attempt.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded, unless there was no session.
    pub fn change_desk_telling<T, F>(
        &self,
        call: &Call,
        act: Act,
        plan: F,
    ) -> Result<(Created, Disclosed<T>), ServiceError>
    where
        F: Fn(&mut Desk<'_>) -> Result<(Change, T), ServiceError>,
    {
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            let asked = Asked { call, act, signed_in: &signed_in, pathway: None, now };
            let replay = self.replay(&asked, &mut snapshot);
            let (staged, _) = self.on_desk(&asked, &mut snapshot, |desk| {
                plan(desk).map(|(change, told)| (change, Sealed::seal(told)))
            });
            drop(snapshot);
            match self.commit(&asked, staged, replay, None)? {
                Attempt::Done(done) => return Ok(done),
                Attempt::Again => {}
            }
        }
        Err(self.kept_moving(call, act, None))
    }

    /// `anew` is what a replay tells when the plan can no longer be made.
    fn commit<T>(
        &self,
        asked: &Asked<'_>,
        staged: Staged<Planned<T>>,
        replay: Result<Option<String>, ServiceError>,
        anew: Option<Sealed<T>>,
    ) -> Result<Attempt<(Created, Disclosed<T>)>, ServiceError> {
        let Staged { mut draft, key, outcome, mut checks, valid_until, passed } = staged;
        // A replay decides and records anew, and changes nothing. Behind the gate it answers what was kept, even where
        // the same thing could not be done a second time.
        let (change, told) = match (outcome, replay) {
            (Ok((_, told)), Ok(Some(id))) => (Err(id), told),
            (Err(e), Ok(Some(id))) if passed && (is_meaning(&e) || own_and_gone(asked.act, &e)) => match anew
            {
                Some(anew) => (Err(id), anew),
                None => return Err(self.record_end(draft, key.as_deref(), e)),
            },
            (Ok((change, told)), Ok(None)) => (Ok(change), told),
            (Ok(_), Err(e)) | (Err(e), _) => return Err(self.record_end(draft, key.as_deref(), e)),
        };
        let change = match change {
            Ok(change) => change,
            Err(id) => {
                let job = Job::new(self.prepare(&draft, key.as_deref())?)
                    .checked(checks)
                    .valid_until(Some(valid_until));
                return match self.lane.disclose_blocking(Priority::Session, job, told) {
                    Ok((told, _)) => Ok(Attempt::Done((Created { id, replayed: true }, told))),
                    Err(LaneError::Stale) => Ok(Attempt::Again),
                    Err(e) => Err(self.record_uncommitted(draft, key.as_deref(), e.widen())),
                };
            }
        };
        checks.extend(change.checks.iter().cloned());
        draft.write_digest = change.write_digest();
        draft.written.clone_from(&change.written);
        let record = self.prepare(&draft, key.as_deref())?;
        let job = Job::new(record).checked(checks).valid_until(Some(valid_until));
        let Change { id, steps, .. } = change;
        let remember = asked.call.idempotency.as_ref().map(|i| self.idempotency_of(asked, i));
        let session = asked.signed_in.session.id.clone();
        let touched = asked.pathway.cloned();
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
            Err(e) => Err(self.record_uncommitted(draft, key.as_deref(), e)),
        }
    }

    /// Under what a key is remembered, and what was done under it: this act, on this pathway, with these bytes.
    fn idempotency_of(&self, asked: &Asked<'_>, i: &Idempotency) -> (Digest, Digest) {
        let session = &asked.signed_in.session;
        let who = match &session.assignment {
            Some(assignment) => assignment.as_str(),
            None => session.professional.as_str(),
        };
        let keys = self.store.instance_keys();
        let fingerprint = [
            b"body".as_slice(),
            asked.act.action.code().as_bytes(),
            asked.act.resource.code().as_bytes(),
            asked.pathway.map_or("", PathwayId::as_str).as_bytes(),
            &i.body,
        ];
        (
            keys.idempotency_fingerprint(who, &[b"key", i.key.as_bytes()]),
            keys.idempotency_fingerprint(who, &fingerprint),
        )
    }

    fn replay(&self, asked: &Asked<'_>, snapshot: &mut Snapshot) -> Result<Option<String>, ServiceError> {
        let Some(idempotency) = &asked.call.idempotency else { return Ok(None) };
        let (subject, fingerprint) = self.idempotency_of(asked, idempotency);
        match snapshot.idempotency_fetch(&subject, asked.now)? {
            None => Ok(None),
            Some(found) if found.fingerprint == fingerprint => Ok(Some(found.result)),
            Some(_) => Err(ServiceError::rule(
                "idempotency_key_reused",
                "Cette clé d'idempotence a déjà servi pour une autre demande : prenez-en une nouvelle.",
            )),
        }
    }
}
