//! Signing in and out, and what somebody sees of the own account.
//!
//! INVARIANT: unknown login, wrong password and wrong code are one answer, at one cost, under one delay.
//! INVARIANT: a session acts under at most one affectation; choosing another one makes a new session with a new token.
//! INVARIANT: every sign-in that the limiter admits has its record, failed ones too, without the login's text.
//!
//! Opening an account and replacing a factor are in `accounts`.

use serde::Serialize;
use zeroize::Zeroizing;

use super::ServiceError;
use super::app::App;
use super::credentials::{FactorCode, Login, stamp_of};
use super::flow::{ATTEMPTS, Act, Call, Change, Created, IDLE_SECONDS};
use super::limiter::{Subjects, outcome};
use crate::access::CharterBook;
use crate::audit::lane::{CheckKind, Job, Priority};
use crate::audit::{Disclosed, VersionCheck};
use crate::clock::Timestamp;
use crate::crypto::password::Password;
use crate::crypto::token::{SessionToken, TokenHash};
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, RowRef, Verdict};
use crate::domain::secrecy::SecrecyBasis;
use crate::domain::vocabulary::{Function, Profession, Secrecy};
use crate::ids::{AssignmentId, CharterId, MissionId, OrganisationId, ProfessionalId, RequestId, SessionId};
use crate::store::account::{Account, AccountState, Session};
use crate::store::organisation::AssignmentRow;
use crate::store::{Snapshot, WriteTx};

/// SECURITY §4: a session ends twelve hours after its sign-in, used or not.
pub const SESSION_SECONDS: i64 = 12 * 3600;

/// A sign-in as asked for.
pub struct SignIn {
    /// The one that the answer names, so that a person can point at the record.
    pub request: RequestId,
    pub login: Login,
    pub password: Password,
    /// Six digits, or a rescue code.
    pub code: FactorCode,
    pub assignment: Option<AssignmentId>,
    /// The peer's address, for delays only.
    pub network: Option<String>,
}

/// An affectation, as its holder reads it.
#[derive(Serialize, utoipa::ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct OwnAssignment {
    #[schema(value_type = String)]
    pub id: AssignmentId,
    #[schema(value_type = String)]
    pub organisation: OrganisationId,
    pub organisation_name: String,
    #[schema(value_type = String)]
    pub mission: MissionId,
    pub mission_title: String,
    pub profession: Profession,
    pub function: Function,
    /// As it counts now.
    pub secrecy: Secrecy,
    /// The text on which the secret rests.
    pub secrecy_basis: Option<SecrecyBasis>,
    pub confirmed: bool,
    pub in_force: bool,
    pub starts_at: String,
    pub ends_at: Option<String>,
}

/// A charter version that waits for this person's signature.
#[derive(Serialize, utoipa::ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct CharterToSign {
    #[schema(value_type = String)]
    pub id: CharterId,
    pub number: i64,
    pub title: String,
    pub effective_at: String,
    pub text_hash: String,
    pub policy_hash: String,
}

/// What a sign-in answers; the token is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SessionOpened {
    pub token: String,
    #[schema(value_type = String)]
    pub session: SessionId,
    #[schema(value_type = String)]
    pub professional: ProfessionalId,
    pub account: AccountState,
    /// The affectations in force, to choose from.
    pub assignments: Vec<OwnAssignment>,
    /// The one under which this session acts.
    #[schema(value_type = Option<String>)]
    pub assignment: Option<AssignmentId>,
    pub expires_at: String,
    pub idle_minutes: i64,
    /// Charter versions to sign: the one in force, and one announced.
    pub charters_to_sign: Vec<CharterToSign>,
    /// When the second factor was replaced, told once.
    pub factor_replaced_at: Option<String>,
    pub rescue_codes_left: usize,
}

/// One's own account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Me {
    #[schema(value_type = String)]
    pub professional: ProfessionalId,
    pub login: String,
    pub name: String,
    pub telephone: String,
    pub account: AccountState,
    #[schema(value_type = String)]
    pub session: SessionId,
    #[schema(value_type = Option<String>)]
    pub assignment: Option<AssignmentId>,
    pub assignments: Vec<OwnAssignment>,
    pub expires_at: String,
    pub idle_minutes: i64,
    pub charters_to_sign: Vec<CharterToSign>,
    pub rescue_codes_left: usize,
}

/// One open session.
#[derive(Serialize, utoipa::ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct OwnSession {
    #[schema(value_type = String)]
    pub id: SessionId,
    pub current: bool,
    #[schema(value_type = Option<String>)]
    pub assignment: Option<AssignmentId>,
    pub created_at: String,
    pub seen_at: String,
    pub expires_at: String,
}

/// The open sessions of one's own.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OwnSessions {
    pub items: Vec<OwnSession>,
}

/// A session that is about to be written.
pub(super) struct FreshSession {
    pub token: Zeroizing<String>,
    pub hash: TokenHash,
    pub row: Session,
}

pub(super) fn row_ref(table: &'static str, id: &str, version: i64) -> RowRef {
    RowRef { table, id: id.to_owned(), version }
}

/// Charter versions in force or announced that this person has not signed.
pub(super) fn unsigned(book: &CharterBook, signed: &[CharterId], now: Timestamp) -> Vec<CharterToSign> {
    let in_force = book.in_force(now).map_or(i64::MIN, |e| e.number);
    book.editions()
        .iter()
        .filter(|e| e.number >= in_force && !signed.contains(&e.id))
        .map(|e| CharterToSign {
            id: e.id.clone(),
            number: e.number,
            title: e.charter.title().to_owned(),
            effective_at: e.effective_at.rfc3339(),
            text_hash: e.charter.text_hash().to_owned(),
            policy_hash: e.matrix.policy_hash().to_owned(),
        })
        .collect()
}

/// The affectations of a professional, with the names of what they belong to.
pub(super) fn own_assignments(
    snapshot: &mut Snapshot,
    rows: &[AssignmentRow],
    now: Timestamp,
) -> Result<Vec<OwnAssignment>, ServiceError> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let a = &row.facts;
        let organisation = snapshot
            .organisation_fetch(&a.organisation)?
            .ok_or_else(|| ServiceError::Internal("an affectation without its organisation".to_owned()))?;
        let mission = organisation.words.missions.iter().find(|m| m.id == a.mission);
        out.push(OwnAssignment {
            id: a.id.clone(),
            organisation: a.organisation.clone(),
            organisation_name: organisation.words.name,
            mission: a.mission.clone(),
            mission_title: mission.map_or_else(String::new, |m| m.title.clone()),
            profession: a.profession,
            function: a.function,
            secrecy: a.secrecy_at(now),
            // For reading only: a text that is no longer in the list binds as before.
            secrecy_basis: SecrecyBasis::parse(&row.secrecy_basis).ok(),
            confirmed: a.confirmed,
            in_force: a.in_force(now),
            starts_at: a.starts_at.rfc3339(),
            ends_at: a.ends_at.map(Timestamp::rfc3339),
        });
    }
    Ok(out)
}

/// Charter signatures are the person's: any affectation carries them.
pub(super) fn signed_by(rows: &[AssignmentRow]) -> Vec<CharterId> {
    rows.first().map_or_else(Vec::new, |r| r.facts.signed.clone())
}

impl App {
    /// A new session of `professional`, not written yet.
    pub(super) fn fresh_session(
        &self,
        professional: &ProfessionalId,
        assignment: Option<AssignmentId>,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<FreshSession, ServiceError> {
        let token = SessionToken::generate(self.chance())?;
        Ok(FreshSession {
            hash: self.store().instance_keys().session_hash(&token),
            token: token.reveal(),
            row: Session {
                id: SessionId::random(self.chance())?,
                version: 1,
                professional: professional.clone(),
                assignment,
                created_at: now,
                seen_at: now,
                expires_at,
                ended_at: None,
            },
        })
    }

    /// What the holder of a fresh session is told.
    pub(super) fn session_opened(
        &self,
        snapshot: &mut Snapshot,
        Account { person, credentials }: &Account,
        fresh: &FreshSession,
        now: Timestamp,
    ) -> Result<SessionOpened, ServiceError> {
        let rows = snapshot.assignments_of(&person.id)?;
        let book = self.book(snapshot)?;
        let mut assignments = own_assignments(snapshot, &rows, now)?;
        assignments.retain(|a| a.in_force);
        let credentials = credentials.as_ref();
        Ok(SessionOpened {
            token: fresh.token.to_string(),
            session: fresh.row.id.clone(),
            professional: person.id.clone(),
            account: person.state,
            assignments,
            assignment: fresh.row.assignment.clone(),
            expires_at: fresh.row.expires_at.rfc3339(),
            idle_minutes: IDLE_SECONDS / 60,
            charters_to_sign: unsigned(&book, &signed_by(&rows), now),
            factor_replaced_at: credentials
                .and_then(|c| c.factor_replaced_at)
                .map(|t| Timestamp::from_micros(t).rfc3339()),
            rescue_codes_left: credentials.map_or(0, |c| c.rescue_hashes.len()),
        })
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for anything wrong; [`ServiceError::TooManyAttempts`] during a delay;
    /// [`ServiceError::Unavailable`] while room on the disk is short.
    pub fn sign_in(&self, ask: &SignIn) -> Result<SessionOpened, ServiceError> {
        self.room_for_newcomers()?;
        let index = self.store().instance_keys().login_index(ask.login.as_str());
        let subjects = Subjects::new(self.store().instance_keys(), Some(&index), ask.network.as_deref());
        self.sign_in_admitted(ask, &index, &subjects)
    }

    fn sign_in_admitted(
        &self,
        ask: &SignIn,
        index: &crate::crypto::keyring::LoginIndex,
        subjects: &Subjects,
    ) -> Result<SessionOpened, ServiceError> {
        let act = Act { action: Action::SignIn, resource: ResourceKind::Session };
        for _ in 0..ATTEMPTS {
            let (account, now) = {
                let mut snapshot = self.store().snapshot()?;
                let now = self.moment(&mut snapshot)?;
                subjects.check(&mut snapshot, now)?;
                (snapshot.account_by_login(index)?, now)
            };
            // No snapshot is held while hashing: readers are few.
            let proof = {
                let _turn = self.hash_turn()?;
                self.prove(account.as_ref(), &ask.password, &ask.code, now)?
            };
            let (Some(account), Some(proof)) = (account.as_ref(), proof) else {
                self.attempt_failed(&ask.request, act, account.as_ref().map(|a| &a.person.id), subjects)?;
                return Err(ServiceError::Unauthenticated);
            };
            let person = &account.person;
            let mut snapshot = self.store().snapshot()?;
            let in_force: Vec<AssignmentRow> =
                snapshot.assignments_of(&person.id)?.into_iter().filter(|r| r.facts.in_force(now)).collect();
            let chosen = match (&ask.assignment, in_force.as_slice()) {
                (Some(wanted), all) => all.iter().find(|r| r.facts.id == *wanted),
                (None, [only]) => Some(only),
                (None, _) => None,
            };
            let fresh = self.fresh_session(
                &person.id,
                chosen.map(|r| r.facts.id.clone()),
                now,
                now.plus_seconds(SESSION_SECONDS),
            )?;
            let opened = self.session_opened(&mut snapshot, account, &fresh, now)?;
            let cited = self.charter_cited(&mut snapshot, chosen.map(|r| &r.facts), now)?;
            drop(snapshot);

            let mut draft = RecordDraft::new(
                ask.request.clone(),
                RetentionClass::Technical,
                act.action,
                act.resource,
                Verdict::Permit,
            );
            let mut stamp = stamp_of(person.id.clone());
            stamp.session = Some(fresh.row.id.clone());
            if let Some(row) = chosen {
                stamp.assignment = Some(row.facts.id.clone());
                stamp.organisation = Some(row.facts.organisation.clone());
                stamp.profession = Some(row.facts.profession);
                stamp.function = Some(row.facts.function);
                stamp.secrecy = Some(row.facts.secrecy_at(now));
            }
            draft.actor = Some(stamp);
            draft.policy_hashes = cited;
            draft.written = vec![row_ref("session", fresh.row.id.as_str(), 1)];
            let mut checks = vec![VersionCheck {
                kind: CheckKind::Professional,
                id: person.id.as_str().to_owned(),
                version: person.version,
            }];
            checks.extend(chosen.map(|row| VersionCheck {
                kind: CheckKind::Assignment,
                id: row.facts.id.as_str().to_owned(),
                version: row.facts.version,
            }));
            let job = Job::new(self.prepare(&draft, None)?).checked(checks);
            let use_factor = self.factor_step(person, &proof)?;
            let (row, hash, counted) = (fresh.row, fresh.hash, subjects.clone());
            let written = self.lane().submit(Priority::Anonymous, job, move |tx: &mut WriteTx, at| {
                counted.hold(tx, at)?;
                use_factor(tx)?;
                counted.clear(tx)?;
                tx.session_insert(&row, &hash)?;
                Ok(())
            });
            match outcome(written.wait()) {
                Some(Ok(_)) => return Ok(opened),
                Some(Err(e)) => return Err(e),
                // The code was used meanwhile, or the account changed: all is looked at anew.
                None => {}
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    /// Chooses the affectation under which to act: a new session with a new token; the present one ends.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] unless it is one's own and in force.
    pub fn choose_assignment(
        &self,
        call: &Call,
        wanted: &AssignmentId,
    ) -> Result<SessionOpened, ServiceError> {
        let act = Act { action: Action::SignIn, resource: ResourceKind::Session };
        // A token is shown once: there is nothing to replay.
        let call = Call { idempotency: None, assignment: None, ..call.clone() };
        let opened = std::cell::RefCell::new(None);
        self.change_desk(&call, act, |desk| {
            let old = &desk.signed_in.session;
            let row = desk.snapshot.assignment_fetch(wanted)?.ok_or(ServiceError::AbsentOrRefused)?;
            if row.facts.professional != old.professional || !row.facts.in_force(desk.now) {
                return Err(ServiceError::AbsentOrRefused);
            }
            let account = desk.snapshot.account_fetch(&old.professional)?.ok_or_else(ServiceError::nobody)?;
            let fresh =
                self.fresh_session(&old.professional, Some(wanted.clone()), desk.now, old.expires_at)?;
            let view = self.session_opened(desk.snapshot, &account, &fresh, desk.now)?;
            opened.replace(Some(SessionOpened { factor_replaced_at: None, ..view }));
            let ended = old.id.clone();
            let written = row_ref("session", fresh.row.id.as_str(), 1);
            Ok(Change::new(fresh.row.id.as_str())
                .checked(VersionCheck {
                    kind: CheckKind::Assignment,
                    id: wanted.as_str().to_owned(),
                    version: row.facts.version,
                })
                .step(row_ref("session", old.id.as_str(), old.version), move |tx, at| {
                    tx.session_end(&ended, at)
                })
                .step(written, move |tx, _| tx.session_insert(&fresh.row, &fresh.hash)))
        })?;
        opened.into_inner().ok_or_else(|| ServiceError::Internal("no session was made".to_owned()))
    }

    /// Signs out.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn sign_out(&self, call: &Call) -> Result<Created, ServiceError> {
        let act = Act { action: Action::SignOut, resource: ResourceKind::Session };
        self.change_desk(call, act, |desk| {
            let session = &desk.signed_in.session;
            let id = session.id.clone();
            Ok(Change::new(id.as_str())
                .step(row_ref("session", id.as_str(), session.version.saturating_add(1)), move |tx, at| {
                    tx.session_end(&id, at)
                }))
        })
    }

    /// One's own account.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn me(&self, call: &Call) -> Result<Disclosed<Me>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Account };
        self.read_desk(call, act, |desk| {
            let session = &desk.signed_in.session;
            let Account { person, credentials } =
                desk.snapshot.account_fetch(&session.professional)?.ok_or_else(ServiceError::nobody)?;
            let rows = desk.snapshot.assignments_of(&person.id)?;
            desk.returned = vec![row_ref("professional", person.id.as_str(), person.version)];
            Ok(Me {
                assignments: own_assignments(desk.snapshot, &rows, desk.now)?,
                professional: person.id,
                login: person.words.login,
                name: person.words.name,
                telephone: person.words.telephone,
                account: person.state,
                session: session.id.clone(),
                assignment: session.assignment.clone(),
                expires_at: session.expires_at.rfc3339(),
                idle_minutes: IDLE_SECONDS / 60,
                charters_to_sign: unsigned(desk.book, &signed_by(&rows), desk.now),
                rescue_codes_left: credentials.map_or(0, |c| c.rescue_hashes.len()),
            })
        })
    }

    /// One's own open sessions.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn my_sessions(&self, call: &Call) -> Result<Disclosed<OwnSessions>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Session };
        self.read_desk(call, act, |desk| {
            let current = &desk.signed_in.session;
            let now = desk.now;
            let items: Vec<OwnSession> = desk
                .snapshot
                .sessions_open(&current.professional)?
                .into_iter()
                .filter(|s| now < s.expires_at && now < s.seen_at.plus_seconds(IDLE_SECONDS))
                .map(|s| OwnSession {
                    current: s.id == current.id,
                    assignment: s.assignment,
                    created_at: s.created_at.rfc3339(),
                    seen_at: s.seen_at.rfc3339(),
                    expires_at: s.expires_at.rfc3339(),
                    id: s.id,
                })
                .collect();
            desk.returned = items.iter().map(|s| row_ref("session", s.id.as_str(), 1)).collect();
            Ok(OwnSessions { items })
        })
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] when it is not one's own, or over.
    pub fn end_session(&self, call: &Call, id: &SessionId) -> Result<Created, ServiceError> {
        let act = Act { action: Action::End, resource: ResourceKind::Session };
        self.change_desk(call, act, |desk| {
            let own = desk.snapshot.sessions_open(desk.signed_in.professional())?;
            let found = own.into_iter().find(|s| s.id == *id).ok_or(ServiceError::AbsentOrRefused)?;
            let version = found.version.saturating_add(1);
            Ok(Change::new(id.as_str())
                .step(row_ref("session", id.as_str(), version), move |tx, at| tx.session_end(&found.id, at)))
        })
    }
}
