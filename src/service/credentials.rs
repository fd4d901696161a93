//! Checking what authenticates: a password and a second factor, and writing what an attempt leaves behind.
//!
//! INVARIANT: one cost for right, wrong and unknown. INVARIANT: no code is good twice; its step, or its rescue code, is
//! used up in the transaction of what it opened.
//!
//! It opens no session (`sessions`) and no account (`accounts`).

use super::ServiceError;
use super::app::App;
use super::flow::{Act, Call};
use super::limiter::{Subjects, outcome};
use crate::audit::lane::{Job, Priority};
use crate::clock::Timestamp;
use crate::crypto::password::{Password, PasswordCheck, PasswordError, StoredPassword};
use crate::crypto::token::RescueCode;
use crate::crypto::totp::{self, TotpSecret};
use crate::domain::record::{ActorStamp, RecordDraft, RetentionClass, Verdict};
use crate::domain::text::Text;
use crate::ids::{ProfessionalId, RequestId, SessionId};
use crate::store::account::{Account, AccountState, Credentials, Professional, SealedCredentials};
use crate::store::{StoreError, WriteTx};

/// A login as typed.
pub type Login = Text<120>;
/// A code as typed: six digits, or a rescue code with its hyphens.
pub type FactorCode = Text<64>;

/// A step of the lane's transaction.
pub(super) type WriteStep = Box<dyn FnOnce(&mut WriteTx) -> Result<(), StoreError> + Send>;

/// Which second factor was right.
#[derive(Clone, Copy)]
pub(super) enum Factor {
    /// A one-time code of this step.
    Step(i64),
    /// The rescue code whose hash stands at this place.
    Rescue(usize),
}

/// What a right pair leaves to be written.
#[derive(Clone)]
pub(super) struct Proof {
    pub factor: Factor,
    pub credentials: Credentials,
}

/// The account of who has a session, and the delays that hang on it.
pub(super) struct OwnAccount {
    pub account: Account,
    pub session: SessionId,
    pub subjects: Subjects,
    pub now: Timestamp,
}

/// Who has a session, and has proved password and factor again.
pub(super) struct Proven {
    pub account: Account,
    pub proof: Proof,
    pub subjects: Subjects,
}

/// The digits of a code, however they were grouped.
pub(super) fn digits_of(code: &FactorCode) -> String {
    code.as_str().chars().filter(|c| !c.is_whitespace()).collect()
}

/// What is wrong with a password that somebody chose, told at its field.
pub(super) fn password_error(e: &PasswordError, field: &'static str) -> ServiceError {
    let told = match e {
        PasswordError::Length(_) => ServiceError::rule(
            "password_length",
            "Un mot de passe a de 12 à 256 caractères : choisissez plusieurs mots sans rapport entre eux.",
        ),
        PasswordError::Weak(_) => ServiceError::rule(
            "password_too_easy",
            "Ce mot de passe est trop facile à deviner : choisissez plusieurs mots sans rapport entre eux, ni avec vous.",
        ),
        PasswordError::Stored | PasswordError::Hashing | PasswordError::Chance => ServiceError::internal(e),
    };
    told.at(field)
}

impl App {
    /// A turn to hash; 429 when too many wait.
    pub(super) fn hash_turn(&self) -> Result<crate::crypto::password::HashPermit, ServiceError> {
        self.hashes.enter_blocking().map_err(|_full| ServiceError::TooManyAttempts(5))
    }

    /// Checks password and code. `None` for anything wrong, without saying what; the cost is the same.
    pub(super) fn prove(
        &self,
        account: Option<&Account>,
        password: &Password,
        code: &FactorCode,
        now: Timestamp,
    ) -> Result<Option<Proof>, ServiceError> {
        let open = account.filter(|a| a.person.state != AccountState::Ended);
        let known = open.and_then(|a| a.credentials.as_ref().map(|c| (&a.person, c)));
        // THREAT: answers that come sooner for unknown logins, or accounts not opened yet, tell who works here.
        let Some((person, credentials)) = known else {
            let (PasswordCheck::Right | PasswordCheck::Wrong) =
                self.hasher.verify_dummy(password).map_err(ServiceError::internal)?;
            return Ok(None);
        };
        let stored = StoredPassword::parse(&credentials.password_hash).map_err(ServiceError::internal)?;
        let check = self.hasher.verify(&stored, password).map_err(ServiceError::internal)?;
        let factor = self.factor_of(person, credentials, code, now)?;
        Ok(match (check, factor) {
            (PasswordCheck::Right, Some(factor)) => Some(Proof { factor, credentials: credentials.clone() }),
            (PasswordCheck::Right, None) | (PasswordCheck::Wrong, _) => None,
        })
    }

    /// The account behind a session, unless a delay holds it.
    ///
    /// # Errors
    /// Recorded.
    pub(super) fn own_account(
        &self,
        call: &Call,
        act: Act,
        network: Option<&str>,
    ) -> Result<OwnAccount, ServiceError> {
        let keys = self.store().instance_keys();
        let mut snapshot = self.store().snapshot()?;
        let now = self.moment(&mut snapshot)?;
        let signed_in = self.sign_in_of(&mut snapshot, call, now)?;
        let account = snapshot.account_fetch(signed_in.professional())?.ok_or_else(ServiceError::nobody)?;
        let index = keys.login_index(&account.person.words.login);
        let subjects = Subjects::new(keys, Some(&index), network);
        if let Err(held) = subjects.check(&mut snapshot, now) {
            drop(snapshot);
            return Err(self.record_malformed(call, act, held));
        }
        Ok(OwnAccount { account, session: signed_in.session.id, subjects, now })
    }

    /// Password and code asked again: an open session alone changes nothing of what authenticates. A wrong pair is
    /// counted like a failed sign-in, and answered by `refused`.
    ///
    /// # Errors
    /// Recorded.
    pub(super) fn prove_again(
        &self,
        call: &Call,
        act: Act,
        (present, code): (&Password, &FactorCode),
        network: Option<&str>,
        refused: ServiceError,
    ) -> Result<Proven, ServiceError> {
        let OwnAccount { account, subjects, now, .. } = self.own_account(call, act, network)?;
        let proof = {
            let _turn = self.hash_turn().map_err(|e| self.record_malformed(call, act, e))?;
            self.prove(Some(&account), present, code, now).map_err(|e| self.record_malformed(call, act, e))?
        };
        let Some(proof) = proof else {
            self.attempt_failed(&call.request, act, Some(&account.person.id), &subjects)
                .map_err(|e| self.record_malformed(call, act, e))?;
            return Err(refused);
        };
        Ok(Proven { account, proof, subjects })
    }

    fn factor_of(
        &self,
        person: &Professional,
        credentials: &Credentials,
        code: &FactorCode,
        now: Timestamp,
    ) -> Result<Option<Factor>, ServiceError> {
        let digits = digits_of(code);
        if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
            let secret = TotpSecret::from_base32(&credentials.totp_secret).map_err(ServiceError::internal)?;
            return Ok(totp::verify(&secret, &digits, now, person.totp_last_step).map(Factor::Step));
        }
        let Ok(code) = RescueCode::parse(code.as_str()) else { return Ok(None) };
        let hash = self.store().instance_keys().rescue_hash(&person.id, &code).to_hex();
        // The hashes are keyed: comparing them tells nothing of the codes.
        Ok(credentials.rescue_hashes.iter().position(|h| *h == hash).map(Factor::Rescue))
    }

    /// Uses up the factor; credentials are rewritten when a rescue code goes or a notice was given.
    pub(super) fn factor_step(
        &self,
        person: &Professional,
        proof: &Proof,
    ) -> Result<WriteStep, ServiceError> {
        let mut after = proof.credentials.clone();
        let told = after.factor_replaced_at.take().is_some();
        self.write_step(person, proof.factor, after, told)
    }

    /// Uses up the factor and writes the credentials as they stand in `proof`.
    pub(super) fn credentials_step(
        &self,
        person: &Professional,
        proof: &Proof,
    ) -> Result<WriteStep, ServiceError> {
        self.write_step(person, proof.factor, proof.credentials.clone(), true)
    }

    fn write_step(
        &self,
        person: &Professional,
        factor: Factor,
        mut after: Credentials,
        mut rewrite: bool,
    ) -> Result<WriteStep, ServiceError> {
        let step = match factor {
            Factor::Step(step) => Some(step),
            Factor::Rescue(at) => {
                if at < after.rescue_hashes.len() {
                    after.rescue_hashes.remove(at);
                }
                rewrite = true;
                None
            }
        };
        let sealed = if rewrite {
            Some(SealedCredentials::seal(self.store().instance_key(), self.chance(), &person.id, &after)?)
        } else {
            None
        };
        let (id, version) = (person.id.clone(), person.version);
        Ok(Box::new(move |tx: &mut WriteTx| {
            if let Some(step) = step {
                tx.totp_step_use(&id, step)?;
            }
            match &sealed {
                Some(sealed) => tx.credentials_rewrite(&id, version, sealed),
                None => Ok(()),
            }
        }))
    }

    /// Records an attempt that failed, and counts it. The answer says nothing of why.
    pub(super) fn attempt_failed(
        &self,
        request: &RequestId,
        act: Act,
        professional: Option<&ProfessionalId>,
        subjects: &Subjects,
    ) -> Result<(), ServiceError> {
        let mut draft = RecordDraft::new(
            request.clone(),
            RetentionClass::Technical,
            act.action,
            act.resource,
            Verdict::Failed,
        );
        draft.actor = professional.map(|p| stamp_of(p.clone()));
        draft.policy_hashes = {
            let mut snapshot = self.store().snapshot()?;
            let now = self.moment(&mut snapshot)?;
            self.charter_cited(&mut snapshot, None, now)?
        };
        let record = self.prepare(&draft, None)?;
        let subjects = subjects.clone();
        let written =
            self.lane().submit(Priority::Anonymous, Job::new(record), move |tx: &mut WriteTx, at| {
                subjects.hold(tx, at)?;
                subjects.raise(tx, at)?;
                Ok(())
            });
        match outcome(written.wait()) {
            Some(Ok(_)) => Ok(()),
            Some(Err(e)) => Err(e),
            None => Err(ServiceError::Unavailable("the attempt was not recorded".to_owned())),
        }
    }
}

/// A professional without affectation, for the record.
pub(super) const fn stamp_of(professional: ProfessionalId) -> ActorStamp {
    ActorStamp {
        professional,
        assignment: None,
        organisation: None,
        profession: None,
        function: None,
        secrecy: None,
        session: None,
    }
}
