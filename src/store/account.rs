//! Accounts: professionals, their credentials, their sessions. Secrets are stored as hashes, or sealed.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

pub use super::invitation::{Invitation, InvitationKind};
use super::schema::{professional, session};
use super::snapshot::Snapshot;
use super::tx::WriteTx;
use super::{StoreError, seal};
use crate::clock::{Chance, Timestamp};
use crate::crypto::envelope::{DataKey, Place};
use crate::crypto::keyring::LoginIndex;
use crate::crypto::token::TokenHash;
use crate::domain::vocabulary::code_enum;
use crate::ids::{AssignmentId, ProfessionalId, SessionId};

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
/// the rescue codes that are left.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub password_hash: String,
    pub totp_secret: String,
    pub rescue_hashes: Vec<String>,
    /// Told at the next sign-in, when the second factor was replaced.
    #[serde(default)]
    pub factor_replaced_at: Option<i64>,
}

/// A professional's account.
pub struct Professional {
    pub id: ProfessionalId,
    pub version: i64,
    pub state: AccountState,
    pub invited_by: Option<ProfessionalId>,
    pub recognised_by: Option<ProfessionalId>,
    pub totp_last_step: Option<i64>,
    pub words: ProfessionalWords,
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

type ProfessionalRaw =
    (String, i64, String, Option<String>, Option<String>, Option<i64>, Vec<u8>, Option<Vec<u8>>);

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
    fn professional_read(&mut self, raw: ProfessionalRaw) -> Result<Professional, StoreError> {
        let bad = |e: &dyn std::fmt::Display| StoreError::corrupt("professional", e);
        let optional = |text: Option<String>| match text {
            Some(t) => ProfessionalId::parse(&t).map(Some).map_err(|e| bad(&e)),
            None => Ok(None),
        };
        let (id, version, state, invited_by, recognised_by, totp_last_step, body, credentials) = raw;
        let key = self.instance_key()?;
        Ok(Professional {
            version,
            state: AccountState::parse(&state).map_err(|e| bad(&e))?,
            invited_by: optional(invited_by)?,
            recognised_by: optional(recognised_by)?,
            totp_last_step,
            // The words are written once, at version 1.
            words: seal::open_json(&key, words_place(&id, 1), "professional", &body)?,
            credentials: match credentials {
                Some(bytes) => Some(seal::open_json(&key, credentials_place(&id), "professional", &bytes)?),
                None => None,
            },
            id: ProfessionalId::parse(&id).map_err(|e| bad(&e))?,
        })
    }

    /// One professional.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn professional_fetch(&mut self, id: &ProfessionalId) -> Result<Option<Professional>, StoreError> {
        let raw: Option<ProfessionalRaw> = professional::table
            .filter(professional::id.eq(id.as_str()))
            .select((
                professional::id,
                professional::version,
                professional::state,
                professional::invited_by,
                professional::recognised_by,
                professional::totp_last_step,
                professional::body,
                professional::credentials,
            ))
            .first(self.conn())
            .optional()?;
        raw.map(|r| self.professional_read(r)).transpose()
    }

    /// Every professional, in the order in which the accounts were made.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn professionals(&mut self) -> Result<Vec<Professional>, StoreError> {
        let ids: Vec<String> = professional::table
            .order((professional::created_at.asc(), professional::id.asc()))
            .select(professional::id)
            .load(self.conn())?;
        let mut people = Vec::with_capacity(ids.len());
        for id in ids {
            let id = ProfessionalId::parse(&id).map_err(|e| StoreError::corrupt("professional", &e))?;
            people.extend(self.professional_fetch(&id)?);
        }
        Ok(people)
    }

    /// The professional of a login, found by its blind index.
    ///
    /// # Errors
    /// The database's, or a value that does not open.
    pub fn professional_by_login(&mut self, index: &LoginIndex) -> Result<Option<Professional>, StoreError> {
        let id: Option<String> = professional::table
            .filter(professional::login_index.eq(index.as_str()))
            .select(professional::id)
            .first(self.conn())
            .optional()?;
        match id {
            Some(id) => {
                let id = ProfessionalId::parse(&id).map_err(|e| StoreError::corrupt("professional", &e))?;
                self.professional_fetch(&id)
            }
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

    /// Sets what authenticates, and the state that follows.
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
