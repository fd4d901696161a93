//! Who asks: the session, the account and the actor, as one snapshot says. The only maker of actors.

use super::{Call, IDLE_SECONDS};
use crate::access::{Actor, SessionStamp};
use crate::audit::VersionCheck;
use crate::audit::lane::CheckKind;
use crate::clock::Timestamp;
use crate::domain::record::ActorStamp;
use crate::domain::vocabulary::{Function, Profession};
use crate::ids::ProfessionalId;
use crate::service::{App, ServiceError};
use crate::store::Snapshot;
use crate::store::account::{AccountState, Session};

/// The last use is written at most this often.
const SEEN_EVERY_SECONDS: i64 = 60;

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

    pub(super) fn stamp(&self, now: Timestamp) -> ActorStamp {
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

    /// When the session is over by time alone: its end, or half an hour without use.
    pub(super) fn ends(&self) -> Timestamp {
        self.session.expires_at.min(self.session.seen_at.plus_seconds(IDLE_SECONDS))
    }

    /// The last use is written at most once a minute.
    pub(super) fn seen_due(&self, now: Timestamp) -> bool {
        now >= self.session.seen_at.plus_seconds(SEEN_EVERY_SECONDS)
    }

    pub(super) fn checks(&self) -> Vec<VersionCheck> {
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

impl App {
    /// The moment at which a snapshot decides: never before the last record, whatever this node's clock says.
    pub(in crate::service) fn moment(&self, snapshot: &mut Snapshot) -> Result<Timestamp, ServiceError> {
        let last = snapshot.log_last_time()?.unwrap_or(Timestamp::from_micros(i64::MIN));
        Ok(self.clock.now().max(last))
    }

    /// Who holds this session, in this snapshot. The only maker of actors.
    pub(in crate::service) fn sign_in_of(
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
        let person = snapshot.professional_fetch(&session.professional)?.ok_or_else(ServiceError::nobody)?;
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
                    expires_at: session.expires_at.min(session.seen_at.plus_seconds(IDLE_SECONDS)),
                };
                Some(Actor::authenticated(row.facts, stamp))
            }
            None => None,
        };
        snapshot.act_as(session.assignment.as_ref())?;
        Ok(SignedIn { session, account: person.state, professional_version: person.version, actor })
    }
}
