//! Acts of the command line, and the one view of administration that the command line and a session share.
//!
//! INVARIANT: an act of the command line has a record like any other: without actor, with the motive « ligne de
//! commande ».
//! INVARIANT: who states through the command line is nobody's colleague: what it states, and whom it invites, is
//! recognised by one person and confirmed by *another* (see `accounts` and `structures`).
//!
//! THREAT: whoever has a shell on the server and the key-encryption key can forge anything but the past: only
//! checkpoints kept elsewhere answer that. The log says what the command line did, not who sat before it.

use super::ServiceError;
use super::app::App;
use super::flow::{ATTEMPTS, Act, Call, Change, Created, Desk, SignedIn};
use crate::access::CharterBook;
use crate::audit::lane::{Job, LaneError, Priority};
use crate::audit::{Disclosed, Sealed};
use crate::clock::Timestamp;
use crate::domain::record::{RecordDraft, RetentionClass, Verdict};
use crate::domain::vocabulary::{Function, Profession};
use crate::ids::{OrganisationId, ProfessionalId, RequestId};
use crate::store::{Snapshot, StoreError, WriteTx};

/// Who administers.
#[derive(Clone, Copy)]
pub enum Author<'a> {
    /// Somebody with a session.
    Session(&'a Call),
    /// The command line, with the name of the command.
    Console(&'a str),
}

/// One attempt of an administrative act.
pub struct Office<'a> {
    pub app: &'a App,
    pub snapshot: &'a mut Snapshot,
    pub book: &'a CharterBook,
    pub now: Timestamp,
    /// `None` for the command line.
    by: Option<&'a SignedIn>,
}

impl Office<'_> {
    /// Who states; nobody for the command line.
    #[must_use]
    pub fn professional(&self) -> Option<&ProfessionalId> {
        self.by.map(SignedIn::professional)
    }

    /// An administrator in force, or the command line.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`].
    pub fn administers(&self) -> Result<(), ServiceError> {
        match self.by {
            None => Ok(()),
            Some(signed_in) => signed_in.acting_as(Profession::Administrator, self.now).map(|_| ()),
        }
    }

    /// An administrator, or a manager in force of one of these organisations.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`].
    pub fn administers_or_manages(&self, organisations: &[OrganisationId]) -> Result<(), ServiceError> {
        if self.administers().is_ok() {
            return Ok(());
        }
        match self.manages() {
            Some(own) if organisations.contains(&own) => Ok(()),
            Some(_) | None => Err(ServiceError::AbsentOrRefused),
        }
    }

    /// The organisation that the actor manages.
    #[must_use]
    pub fn manages(&self) -> Option<OrganisationId> {
        let actor = self.by?.functioning_as(Function::Manager, self.now).ok()?;
        Some(actor.assignment().organisation.clone())
    }
}

impl<'a> Office<'a> {
    /// The desk of a session, as an office.
    pub(super) fn at<'b>(desk: &'a mut Desk<'b>) -> Self
    where
        'b: 'a,
    {
        Office {
            app: desk.app,
            snapshot: desk.snapshot,
            book: desk.book,
            now: desk.now,
            by: Some(desk.signed_in),
        }
    }
}

impl App {
    /// An administrative change, by a session or by the command line.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded.
    pub fn administer<F>(&self, author: Author<'_>, act: Act, plan: F) -> Result<Created, ServiceError>
    where
        F: Fn(&mut Office<'_>) -> Result<Change, ServiceError>,
    {
        match author {
            Author::Session(call) => self.change_desk(call, act, |desk| plan(&mut Office::at(desk))),
            Author::Console(command) => self.console_change(act, command, plan),
        }
    }

    /// A draft of what the command line did.
    fn console_draft(&self, act: Act, command: &str) -> Result<RecordDraft, ServiceError> {
        let request = RequestId::random(self.chance())?;
        let mut draft =
            RecordDraft::new(request, RetentionClass::Disclosure, act.action, act.resource, Verdict::Permit);
        draft.motive = Some(format!("ligne de commande : {command}"));
        Ok(draft)
    }

    /// A change by the command line.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded.
    pub fn console_change<F>(&self, act: Act, command: &str, plan: F) -> Result<Created, ServiceError>
    where
        F: Fn(&mut Office<'_>) -> Result<Change, ServiceError>,
    {
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store().snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let book = self.book(&mut snapshot)?;
            let mut draft = self.console_draft(act, command)?;
            let mut office = Office { app: self, snapshot: &mut snapshot, book: &book, now, by: None };
            let outcome = plan(&mut office);
            drop(snapshot);
            let change = match outcome {
                Ok(change) => change,
                Err(error) => {
                    return Err(self.record_end(draft, None, error));
                }
            };
            draft.write_digest = change.write_digest();
            draft.written.clone_from(&change.written);
            let record = self.prepare(&draft, None)?;
            let mut checks = change.checks.clone();
            checks.push(Self::charter_check(&book));
            let Change { id, steps, .. } = change;
            let made = self.lane().submit(
                Priority::Session,
                Job::new(record).checked(checks),
                move |tx: &mut WriteTx, at| steps.into_iter().try_for_each(|step| step(tx, at)),
            );
            match made.wait() {
                Ok(_) => return Ok(Created { id, replayed: false }),
                Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    /// A reading by the command line.
    ///
    /// # Errors
    /// [`ServiceError`]; recorded.
    pub fn console_read<T>(
        &self,
        act: Act,
        command: &str,
        view: impl FnOnce(&mut Office<'_>) -> Result<T, ServiceError>,
    ) -> Result<Disclosed<T>, ServiceError> {
        let mut snapshot = self.store().snapshot()?;
        let now = self.moment(&mut snapshot)?;
        let book = self.book(&mut snapshot)?;
        let draft = self.console_draft(act, command)?;
        let mut office = Office { app: self, snapshot: &mut snapshot, book: &book, now, by: None };
        let seen = view(&mut office);
        drop(snapshot);
        let sealed = match seen {
            Ok(seen) => Sealed::seal(seen),
            Err(error) => return Err(self.record_end(draft, None, error)),
        };
        let record = self.prepare(&draft, None)?;
        let (disclosed, _) = self.lane().disclose_blocking(Priority::Session, Job::new(record), sealed)?;
        Ok(disclosed)
    }
}
