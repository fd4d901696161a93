//! Accounts: professionals, their credentials, their sessions. Secrets are stored as hashes, or sealed.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use super::invitation::{Invitation, InvitationKind};
use super::schema::{assignment, professional, session};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::keyring::LoginIndex;
use crate::crypto::token::TokenHash;
use crate::domain::vocabulary::code_enum;
use crate::ids::{AssignmentId, OrganisationId, ProfessionalId, SessionId};

code_enum! {
    /// Where an account stands. Only `confirmed` reaches a pathway.
    AccountState, "account state" {
        Invited = "invited", "Invité";
        Unconfirmed = "unconfirmed", "Ouvert, à reconnaître par un collègue";
        Confirmed = "confirmed", "Confirmé";
        Ended = "ended", "Fermé";
    }
}

/// Who a professional is (sealed under the instance's key).
#[derive(Clone, Serialize, Deserialize)]
pub struct ProfessionalWords {
    pub login: String,
    pub name: String,
    pub telephone: String,
}

/// What authenticates a professional (sealed under the instance's key): an Argon2id hash, the TOTP secret, hashes of
/// the rescue codes that are left. Overwritten when dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Credentials {
    pub password_hash: String,
    pub totp_secret: String,
    pub rescue_hashes: Vec<String>,
    /// Told at the next sign-in, when the second factor was replaced.
    #[serde(default)]
    pub factor_replaced_at: Option<i64>,
}

/// A professional, without what authenticates: who reads a name opens no secret.
pub struct Professional {
    pub id: ProfessionalId,
    pub version: i64,
    pub state: AccountState,
    pub invited_by: Option<ProfessionalId>,
    pub recognised_by: Option<ProfessionalId>,
    pub totp_last_step: Option<i64>,
    pub words: ProfessionalWords,
}

/// A professional with what authenticates, for signing in and for changing it.
pub struct Account {
    pub person: Professional,
    /// None before the account is opened.
    pub credentials: Option<Credentials>,
}

fn words_place(id: &str, version: i64) -> Place<'_> {
    Place { table: "professional", row: id, column: "body", version }
}

fn credentials_place(id: &str) -> Place<'_> {
    // Rotated by replacing the whole value; the place has no version of its own because a recognition raises the
    // row's version without touching what authenticates.
    Place { table: "professional", row: id, column: "credentials", version: 0 }
}

/// A sealed professional, ready for the lane.
pub struct NewProfessional {
    id: ProfessionalId,
    login_index: LoginIndex,
    invited_by: Option<ProfessionalId>,
    at: Timestamp,
    body: Vec<u8>,
}

impl NewProfessional {
    /// Seals the words of a new account.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        id: &ProfessionalId,
        login_index: LoginIndex,
        invited_by: Option<ProfessionalId>,
        at: Timestamp,
        words: &ProfessionalWords,
    ) -> Result<Self, StoreError> {
        let body = seal::seal_json(key, words_place(id.as_str(), 1), "professional", words, chance)?;
        Ok(Self { id: id.clone(), login_index, invited_by, at, body })
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.body
    }
}

/// Sealed credentials, ready for the lane.
pub struct SealedCredentials(Vec<u8>);

impl SealedCredentials {
    /// Seals what authenticates `id`.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(
        key: &DataKey,
        chance: &dyn Chance,
        id: &ProfessionalId,
        credentials: &Credentials,
    ) -> Result<Self, StoreError> {
        seal::seal_json(key, credentials_place(id.as_str()), "professional", credentials, chance).map(Self)
    }

    /// What the write digest covers.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.0
    }
}

/// A session's row; the token itself is nowhere.
#[derive(Clone)]
pub struct Session {
    pub id: SessionId,
    pub version: i64,
    pub professional: ProfessionalId,
    pub assignment: Option<AssignmentId>,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

type ProfessionalRaw = (String, i64, String, Option<String>, Option<String>, Option<i64>, Vec<u8>);

const PROFESSIONAL_COLUMNS: (
    professional::id,
    professional::version,
    professional::state,
    professional::invited_by,
    professional::recognised_by,
    professional::totp_last_step,
    professional::body,
) = (
    professional::id,
    professional::version,
    professional::state,
    professional::invited_by,
    professional::recognised_by,
    professional::totp_last_step,
    professional::body,
);

fn read_professional(key: &DataKey, raw: ProfessionalRaw) -> Result<Professional, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("professional", e);
    let optional = |text: Option<String>| match text {
        Some(t) => ProfessionalId::parse(&t).map(Some).map_err(|e| bad(&e)),
        None => Ok(None),
    };
    let (id, version, state, invited_by, recognised_by, totp_last_step, body) = raw;
    Ok(Professional {
        version,
        state: AccountState::parse(&state).map_err(|e| bad(&e))?,
        invited_by: optional(invited_by)?,
        recognised_by: optional(recognised_by)?,
        totp_last_step,
        // The words are written once, at version 1.
        words: seal::open_json(key, words_place(&id, 1), "professional", &body)?,
        id: ProfessionalId::parse(&id).map_err(|e| bad(&e))?,
    })
}

type SessionRaw = (String, i64, String, Option<String>, i64, i64, i64, Option<i64>);

fn read_session(raw: SessionRaw) -> Result<Session, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("session", e);
    let (id, version, professional, assignment, created_at, seen_at, expires_at, ended_at) = raw;
    Ok(Session {
        id: SessionId::parse(&id).map_err(|e| bad(&e))?,
        version,
        professional: ProfessionalId::parse(&professional).map_err(|e| bad(&e))?,
        assignment: match assignment {
            Some(a) => Some(AssignmentId::parse(&a).map_err(|e| bad(&e))?),
            None => None,
        },
        created_at: Timestamp::from_micros(created_at),
        seen_at: Timestamp::from_micros(seen_at),
        expires_at: Timestamp::from_micros(expires_at),
        ended_at: ended_at.map(Timestamp::from_micros),
    })
}

const SESSION_COLUMNS: (
    session::id,
    session::version,
    session::professional,
    session::assignment,
    session::created_at,
    session::seen_at,
    session::expires_at,
    session::ended_at,
) = (
    session::id,
    session::version,
    session::professional,
    session::assignment,
    session::created_at,
    session::seen_at,
    session::expires_at,
    session::ended_at,
);

impl Snapshot {
    fn professionals_read(&mut self, raws: Vec<ProfessionalRaw>) -> Result<Vec<Professional>, StoreError> {
        let key = self.instance_key()?;
        raws.into_iter().map(|raw| read_professional(&key, raw)).collect()
    }

    /// One professional.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn professional_fetch(&mut self, id: &ProfessionalId) -> Result<Option<Professional>, StoreError> {
        let raws: Vec<ProfessionalRaw> = professional::table
            .filter(professional::id.eq(id.as_str()))
            .select(PROFESSIONAL_COLUMNS)
            .load(self.conn())?;
        Ok(self.professionals_read(raws)?.pop())
    }

    /// Every professional, in the order in which the accounts were made.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn professionals(&mut self) -> Result<Vec<Professional>, StoreError> {
        let raws: Vec<ProfessionalRaw> = professional::table
            .order((professional::created_at.asc(), professional::id.asc()))
            .select(PROFESSIONAL_COLUMNS)
            .load(self.conn())?;
        self.professionals_read(raws)
    }

    /// Those whose account is open and waits to be recognised by a colleague.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn professionals_unconfirmed(&mut self) -> Result<Vec<Professional>, StoreError> {
        let raws: Vec<ProfessionalRaw> = professional::table
            .filter(professional::state.eq(AccountState::Unconfirmed.code()))
            .order((professional::created_at.asc(), professional::id.asc()))
            .select(PROFESSIONAL_COLUMNS)
            .load(self.conn())?;
        self.professionals_read(raws)
    }

    /// Those who have or had an affectation in an organisation.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn professionals_in(
        &mut self,
        organisation: &OrganisationId,
    ) -> Result<Vec<Professional>, StoreError> {
        let theirs = assignment::table
            .filter(assignment::organisation.eq(organisation.as_str()))
            .select(assignment::professional);
        let raws: Vec<ProfessionalRaw> = professional::table
            .filter(professional::id.eq_any(theirs))
            .order((professional::created_at.asc(), professional::id.asc()))
            .select(PROFESSIONAL_COLUMNS)
            .load(self.conn())?;
        self.professionals_read(raws)
    }

    /// Those whom somebody invited and who have no affectation yet.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn professionals_invited_by(&mut self, id: &ProfessionalId) -> Result<Vec<Professional>, StoreError> {
        let placed = assignment::table.select(assignment::professional);
        let raws: Vec<ProfessionalRaw> = professional::table
            .filter(professional::invited_by.eq(id.as_str()))
            .filter(professional::id.ne_all(placed))
            .order((professional::created_at.asc(), professional::id.asc()))
            .select(PROFESSIONAL_COLUMNS)
            .load(self.conn())?;
        self.professionals_read(raws)
    }

    /// One professional, with what authenticates.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn account_fetch(&mut self, id: &ProfessionalId) -> Result<Option<Account>, StoreError> {
        let Some(person) = self.professional_fetch(id)? else { return Ok(None) };
        let sealed: Option<Vec<u8>> = professional::table
            .filter(professional::id.eq(id.as_str()))
            .select(professional::credentials)
            .first(self.conn())?;
        let key = self.instance_key()?;
        let credentials = match sealed {
            Some(bytes) => {
                Some(seal::open_json(&key, credentials_place(id.as_str()), "professional", &bytes)?)
            }
            None => None,
        };
        Ok(Some(Account { person, credentials }))
    }

    fn professional_of_login(&mut self, index: &LoginIndex) -> Result<Option<ProfessionalId>, StoreError> {
        let id: Option<String> = professional::table
            .filter(professional::login_index.eq(index.as_str()))
            .select(professional::id)
            .first(self.conn())
            .optional()?;
        id.map(|id| ProfessionalId::parse(&id).map_err(|e| StoreError::corrupt("professional", &e)))
            .transpose()
    }

    /// Whether somebody has this login.
    ///
    /// # Errors
    /// The database's.
    pub fn login_taken(&mut self, index: &LoginIndex) -> Result<bool, StoreError> {
        Ok(self.professional_of_login(index)?.is_some())
    }

    /// The account of a login, found by its blind index.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn account_by_login(&mut self, index: &LoginIndex) -> Result<Option<Account>, StoreError> {
        match self.professional_of_login(index)? {
            Some(id) => self.account_fetch(&id),
            None => Ok(None),
        }
    }

    /// A session by the hash of its token, ended ones included.
    ///
    /// # Errors
    /// The database's.
    pub fn session_by_token(&mut self, hash: &TokenHash) -> Result<Option<Session>, StoreError> {
        let raw: Option<SessionRaw> = session::table
            .filter(session::token_hash.eq(hash.to_hex()))
            .select(SESSION_COLUMNS)
            .first(self.conn())
            .optional()?;
        raw.map(read_session).transpose()
    }

    /// The sessions of a professional that are not ended, latest first.
    ///
    /// # Errors
    /// The database's.
    pub fn sessions_open(&mut self, id: &ProfessionalId) -> Result<Vec<Session>, StoreError> {
        let raws: Vec<SessionRaw> = session::table
            .filter(session::professional.eq(id.as_str()))
            .filter(session::ended_at.is_null())
            .order(session::created_at.desc())
            .select(SESSION_COLUMNS)
            .load(self.conn())?;
        raws.into_iter().map(read_session).collect()
    }
}

impl WriteTx {
    /// Adds an account, in state `invited`.
    ///
    /// # Errors
    /// The database's; a login that exists is a unique violation.
    pub fn professional_insert(&mut self, row: &NewProfessional) -> Result<(), StoreError> {
        diesel::insert_into(professional::table)
            .values((
                professional::id.eq(row.id.as_str()),
                professional::version.eq(1),
                professional::login_index.eq(row.login_index.as_str()),
                professional::state.eq(AccountState::Invited.code()),
                professional::invited_by.eq(row.invited_by.as_ref().map(ProfessionalId::as_str)),
                professional::created_at.eq(row.at.micros()),
                professional::body.eq(&row.body),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Sets what authenticates, with a new second factor, and the state that follows. Credentials that keep the factor
    /// go through [`WriteTx::credentials_rewrite`].
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the account changed meanwhile.
    pub fn professional_credentials(
        &mut self,
        id: &ProfessionalId,
        version: i64,
        credentials: &SealedCredentials,
        state: AccountState,
    ) -> Result<(), StoreError> {
        let changed = diesel::update(
            professional::table
                .filter(professional::id.eq(id.as_str()))
                .filter(professional::version.eq(version)),
        )
        .set((
            professional::version.eq(version.saturating_add(1)),
            professional::credentials.eq(&credentials.0),
            professional::state.eq(state.code()),
            // Another secret: the steps of the one before say nothing of its codes.
            professional::totp_last_step.eq(None::<i64>),
        ))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Replaces what authenticates, factor and state unchanged (a rescue code that was used, a new password): the
    /// last step of the factor stays, so no code becomes good again.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the account changed meanwhile.
    pub fn credentials_rewrite(
        &mut self,
        id: &ProfessionalId,
        version: i64,
        credentials: &SealedCredentials,
    ) -> Result<(), StoreError> {
        let changed = diesel::update(
            professional::table
                .filter(professional::id.eq(id.as_str()))
                .filter(professional::version.eq(version)),
        )
        .set((
            professional::version.eq(version.saturating_add(1)),
            professional::credentials.eq(&credentials.0),
        ))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Raises an account's version: what is decided on all of a person's affectations is decided one at a time.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the account changed meanwhile.
    pub fn professional_touch(&mut self, id: &ProfessionalId, version: i64) -> Result<(), StoreError> {
        let changed = diesel::update(
            professional::table
                .filter(professional::id.eq(id.as_str()))
                .filter(professional::version.eq(version)),
        )
        .set(professional::version.eq(version.saturating_add(1)))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Closes an account for good.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the account changed meanwhile.
    pub fn professional_end(&mut self, id: &ProfessionalId, version: i64) -> Result<(), StoreError> {
        self.professional_touch(id, version)?;
        diesel::update(professional::table.filter(professional::id.eq(id.as_str())))
            .set(professional::state.eq(AccountState::Ended.code()))
            .execute(self.conn())?;
        Ok(())
    }

    /// A colleague recognises the holder of an account.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the account changed meanwhile.
    pub fn professional_recognise(
        &mut self,
        id: &ProfessionalId,
        version: i64,
        by: &ProfessionalId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let changed = diesel::update(
            professional::table
                .filter(professional::id.eq(id.as_str()))
                .filter(professional::version.eq(version))
                .filter(professional::state.eq(AccountState::Unconfirmed.code())),
        )
        .set((
            professional::version.eq(version.saturating_add(1)),
            professional::state.eq(AccountState::Confirmed.code()),
            professional::recognised_by.eq(by.as_str()),
            professional::recognised_at.eq(at.micros()),
        ))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Remembers the TOTP step that was used; a code is good once.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when that step, or a later one, was used meanwhile.
    pub fn totp_step_use(&mut self, id: &ProfessionalId, step: i64) -> Result<(), StoreError> {
        let changed = diesel::update(
            professional::table
                .filter(professional::id.eq(id.as_str()))
                .filter(professional::totp_last_step.is_null().or(professional::totp_last_step.lt(step))),
        )
        .set(professional::totp_last_step.eq(step))
        .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// The database's.
    pub fn session_insert(&mut self, row: &Session, token: &TokenHash) -> Result<(), StoreError> {
        diesel::insert_into(session::table)
            .values((
                session::id.eq(row.id.as_str()),
                session::version.eq(row.version),
                session::token_hash.eq(token.to_hex()),
                session::professional.eq(row.professional.as_str()),
                session::assignment.eq(row.assignment.as_ref().map(AssignmentId::as_str)),
                session::created_at.eq(row.created_at.micros()),
                session::seen_at.eq(row.seen_at.micros()),
                session::expires_at.eq(row.expires_at.micros()),
            ))
            .execute(self.conn())?;
        Ok(())
    }

    /// Notes that a session was used (the idle delay counts from here); its version stays.
    ///
    /// # Errors
    /// The database's.
    pub fn session_seen(&mut self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        diesel::update(session::table.filter(session::id.eq(id.as_str())))
            .set(session::seen_at.eq(at.micros()))
            .execute(self.conn())?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database's.
    pub fn session_end(&mut self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        diesel::update(
            session::table.filter(session::id.eq(id.as_str())).filter(session::ended_at.is_null()),
        )
        .set((session::ended_at.eq(at.micros()), session::version.eq(session::version + 1)))
        .execute(self.conn())?;
        Ok(())
    }

    /// Ends every session of a professional.
    ///
    /// # Errors
    /// The database's.
    pub fn sessions_end_all(&mut self, id: &ProfessionalId, at: Timestamp) -> Result<(), StoreError> {
        diesel::update(
            session::table.filter(session::professional.eq(id.as_str())).filter(session::ended_at.is_null()),
        )
        .set((session::ended_at.eq(at.micros()), session::version.eq(session::version + 1)))
        .execute(self.conn())?;
        Ok(())
    }
}
