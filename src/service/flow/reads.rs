//! Reading: decide and fetch on one snapshot, record, then disclose.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::scene::Staged;
use super::{ATTEMPTS, Act, Asked, Attempt, Call, Desk, Scene};
use crate::access::Actor;
use crate::audit::lane::Priority;
use crate::audit::{Disclosed, Job, LaneError, Sealed, VersionCheck};
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKey;
use crate::domain::record::{RecordDraft, Verdict};
use crate::ids::PathwayId;
use crate::service::{App, ServiceError};
use crate::store::{Snapshot, WriteTx};

impl App {
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
            let mut snapshot = self.store.snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
            let asked = Asked { call, act, signed_in: &signed_in, pathway: Some(pathway), now };
            let staged = self.on_scene(&asked, pathway, &mut snapshot, |scene| view(scene));
            drop(snapshot);
            match self.disclose(&asked, staged)? {
                Attempt::Done(disclosed) => return Ok(disclosed),
                Attempt::Again => {}
            }
        }
        Err(self.kept_moving(call, act, Some(pathway)))
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
            let asked = Asked { call, act, signed_in: &signed_in, pathway: None, now };
            let (staged, _) = self.on_desk(&asked, &mut snapshot, |desk| view(desk).map(Sealed::seal));
            drop(snapshot);
            match self.disclose(&asked, staged)? {
                Attempt::Done(disclosed) => return Ok(disclosed),
                Attempt::Again => {}
            }
        }
        Err(self.kept_moving(call, act, None))
    }

    fn disclose<T>(
        &self,
        asked: &Asked<'_>,
        staged: Staged<Sealed<T>>,
    ) -> Result<Attempt<Disclosed<T>>, ServiceError> {
        let Staged { draft, key, outcome, checks, valid_until, passed: _ } = staged;
        let sealed = match outcome {
            Ok(sealed) => sealed,
            Err(error) => return Err(self.record_end(draft, key.as_deref(), error)),
        };
        let record = self.prepare(&draft, key.as_deref())?;
        let job = Job::new(record).checked(checks).valid_until(Some(valid_until));
        self.hand_over(asked, job, sealed, draft, key.as_deref())
    }

    /// Hands the lane the job of a read, with the session's last use when a minute has passed since the one written.
    fn hand_over<T>(
        &self,
        asked: &Asked<'_>,
        job: Job,
        sealed: Sealed<T>,
        draft: RecordDraft,
        key: Option<&DataKey>,
    ) -> Result<Attempt<Disclosed<T>>, ServiceError> {
        let result = if asked.signed_in.seen_due(asked.now) {
            let session = asked.signed_in.session.id.clone();
            self.lane.disclose_with_blocking(Priority::Session, job, sealed, move |tx: &mut WriteTx, at| {
                tx.session_seen(&session, at)
            })
        } else {
            self.lane.disclose_blocking(Priority::Session, job, sealed).map_err(LaneError::widen)
        };
        match result {
            Ok((disclosed, _)) => Ok(Attempt::Done(disclosed)),
            Err(LaneError::Stale) => Ok(Attempt::Again),
            Err(e) => Err(self.record_uncommitted(draft, key, e)),
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
            let asked = Asked { call, act, signed_in: &signed_in, pathway: None, now };
            let book = self.book(&mut snapshot);
            let whole = Self::draft(&asked, book.as_deref().ok());
            let located = book.and_then(|_| signed_in.actor()).and_then(|actor| {
                if call.assignment.as_ref().is_some_and(|a| *a != actor.assignment().id) {
                    return Err(ServiceError::Conflict);
                }
                locate(&mut snapshot, actor, now)
            });
            let ids = match located {
                Ok(ids) => ids,
                Err(error) => return Err(self.record_end(whole, None, error)),
            };
            let mut checks: BTreeSet<VersionCheck> = signed_in.checks().into_iter().collect();
            let mut end = signed_in.ends();
            let mut drafts = Vec::with_capacity(ids.len());
            let mut lines = Vec::with_capacity(ids.len());
            for id in &ids {
                let one = self.on_scene(&asked, id, &mut snapshot, |scene| view_one(scene));
                let mut draft = one.draft;
                checks.extend(one.checks);
                end = end.min(one.valid_until);
                match one.outcome {
                    Ok(line) => lines.extend(line),
                    Err(ServiceError::AbsentOrRefused | ServiceError::Explained(_)) => {
                        draft.verdict = Verdict::Deny;
                    }
                    Err(error) => return Err(self.record_end(draft, one.key.as_deref(), error)),
                }
                drafts.push((draft, one.key));
            }
            drop(snapshot);
            let job =
                self.one_job(&whole, &drafts)?.checked(checks.into_iter().collect()).valid_until(Some(end));
            match self.hand_over(&asked, job, Sealed::all(lines), whole, None)? {
                Attempt::Done(disclosed) => return Ok(disclosed),
                Attempt::Again => {}
            }
        }
        Err(self.kept_moving(call, act, None))
    }

    /// The records of a list in one job. A list without any permitted line is still an answer, with a record of its own.
    fn one_job(
        &self,
        whole: &RecordDraft,
        drafts: &[(RecordDraft, Option<Arc<DataKey>>)],
    ) -> Result<Job, ServiceError> {
        let mut job = if drafts.iter().any(|(d, _)| d.verdict == Verdict::Permit) {
            None
        } else {
            Some(Job::new(self.prepare(whole, None)?))
        };
        for (draft, key) in drafts {
            let record = self.prepare(draft, key.as_deref())?;
            job = Some(match job {
                Some(job) => job.and_record(record),
                None => Job::new(record),
            });
        }
        job.ok_or_else(|| ServiceError::Internal("a list without a record".to_owned()))
    }
}
