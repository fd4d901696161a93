//! The second factor installed on another telephone, by its holder: password and present code (or a backup code) asked again,
//! then the new secret proved.
//!
//! THREAT: an open session that somebody else sits before. It replaces nothing: both proofs are asked for, under the
//! delays of a sign-in, and the code that was given is used up.
//! INVARIANT: the old factor and its backup codes stay good until the new one is proved, and end with that; nothing
//! half-replaced is stored. What waits between the two steps is sealed for this session, this version of the account and
//! a quarter of an hour: it serves once.
//!
//! A telephone that is lost, with its backup codes, is for who administers (`accounts::renew_factor`).

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::ServiceError;
use super::accounts::{ISSUER, Opening, professional_check, totp_refused};
use super::app::App;
use super::credentials::{FactorCode, Proven, digits_of};
use super::flow::{Act, Call, Change, Desk};
use super::sessions::{SESSION_SECONDS, SessionOpened, row_ref};
use crate::crypto::password::Password;
use crate::crypto::token::RescueCode;
use crate::crypto::totp::{self, TotpSecret};
use crate::domain::record::{Action, ResourceKind};
use crate::ids::SessionId;
use crate::store::account::{Account, SealedCredentials};

/// How long the second step may take: the time to install an application.
const OFFER_SECONDS: i64 = 15 * 60;

/// What waits between the two steps, sealed and in the hands of the holder. Overwritten when dropped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Offer {
    /// The account as the first step left it.
    version: i64,
    until: i64,
    totp_secret: String,
    rescue_hashes: Vec<String>,
}

/// What an offer is sealed for. An invitation's id has no colon.
fn place(session: &SessionId) -> String {
    format!("factor:{}", session.as_str())
}

fn offer_over() -> ServiceError {
    ServiceError::rule(
        "factor_offer_over",
        "Cette page ne sert plus : elle vaut quinze minutes, une seule fois. Recommencez depuis « Mon compte ». Votre ancien téléphone sert toujours.",
    )
}

/// The account of who asks, unless it changed since `version`.
fn account_at(desk: &mut Desk<'_>, version: i64) -> Result<Account, ServiceError> {
    let account =
        desk.snapshot.account_fetch(desk.signed_in.professional())?.ok_or_else(ServiceError::nobody)?;
    if account.person.version == version { Ok(account) } else { Err(ServiceError::Conflict) }
}

impl App {
    /// First step: password and present code; gives the new factor to install, with its backup codes.
    ///
    /// # Errors
    /// [`ServiceError`]; a wrong pair is counted like a failed sign-in.
    pub fn factor_offer(
        &self,
        call: &Call,
        present: &Password,
        code: &FactorCode,
        network: Option<&str>,
    ) -> Result<Opening, ServiceError> {
        let act = Act { action: Action::Preview, resource: ResourceKind::Account };
        // A secret is shown once: there is nothing to replay.
        let call = Call { idempotency: None, ..call.clone() };
        let refused = ServiceError::rule(
            "factor_not_offered",
            "Mot de passe ou code inexact : rien n'a changé. Attendez le code suivant et recommencez.",
        );
        let Proven { account, proof, subjects } =
            self.prove_again(&call, act, (present, code), network, refused)?;
        let person = &account.person;
        let keys = self.store().instance_keys();
        let secret = TotpSecret::generate(self.chance())?;
        let rescue = RescueCode::sheet(self.chance())?;
        let opening = std::cell::RefCell::new(None);
        self.change_desk(&call, act, |desk| {
            let current = account_at(desk, person.version)?.person;
            let write = self.credentials_step(&current, &proof)?;
            let version = current.version.saturating_add(1);
            let offer = Offer {
                version,
                until: desk.now.plus_seconds(OFFER_SECONDS).micros(),
                totp_secret: secret.base32().to_string(),
                rescue_hashes: rescue.iter().map(|c| keys.rescue_hash(&current.id, c).to_hex()).collect(),
            };
            let plain = Zeroizing::new(serde_json::to_vec(&offer).map_err(ServiceError::internal)?);
            let ticket = keys
                .seal_opening(&place(&desk.signed_in.session.id), &plain, self.chance())
                .map_err(|e| ServiceError::Unavailable(e.to_string()))?;
            opening.replace(Some(Opening {
                ticket,
                totp_secret: secret.base32().to_string(),
                otpauth_uri: secret.uri(ISSUER, &current.words.login).to_string(),
                rescue_codes: rescue.iter().map(|c| c.reveal().to_string()).collect(),
            }));
            let counted = subjects.clone();
            Ok(Change::new(current.id.as_str()).checked(professional_check(&current)).step(
                row_ref("professional", current.id.as_str(), version),
                move |tx, _| {
                    write(tx)?;
                    counted.clear(tx)
                },
            ))
        })?;
        opening.into_inner().ok_or_else(|| ServiceError::Internal("nothing was offered".to_owned()))
    }

    /// Second step: a code of the new factor. It replaces the old one and its backup codes; every session ends and a new
    /// one begins.
    ///
    /// # Errors
    /// [`ServiceError`]; a rule when the first step is too old, served already, or was another session's.
    pub fn factor_confirm(
        &self,
        call: &Call,
        ticket: &str,
        totp_code: &FactorCode,
        network: Option<&str>,
    ) -> Result<SessionOpened, ServiceError> {
        let act = Act { action: Action::Confirm, resource: ResourceKind::Account };
        let call = Call { idempotency: None, ..call.clone() };
        let own = self.own_account(&call, act, network)?;
        let keys = self.store().instance_keys();
        let offer = keys
            .open_opening(&place(&own.session), ticket)
            .ok()
            .and_then(|plain| serde_json::from_slice::<Offer>(&plain).ok())
            .filter(|o| o.version == own.account.person.version && own.now.micros() < o.until);
        let Some(offer) = offer else {
            return Err(self.record_malformed(&call, act, offer_over()));
        };
        let secret = TotpSecret::from_base32(&offer.totp_secret).map_err(ServiceError::internal)?;
        let digits = digits_of(totp_code);
        let Some(step) = totp::verify(&secret, &digits, own.now, None) else {
            let person = Some(&own.account.person.id);
            self.attempt_failed(&call.request, act, person, &own.subjects)
                .map_err(|e| self.record_malformed(&call, act, e))?;
            return Err(totp_refused());
        };
        let opened = std::cell::RefCell::new(None);
        self.change_desk(&call, act, |desk| {
            let mut account = account_at(desk, offer.version)?;
            let credentials = account
                .credentials
                .as_mut()
                .ok_or_else(|| ServiceError::Internal("a session of an account never opened".to_owned()))?;
            credentials.totp_secret.clone_from(&offer.totp_secret);
            credentials.rescue_hashes.clone_from(&offer.rescue_hashes);
            // Told at the next sign-in: whoever holds the account hears of it.
            credentials.factor_replaced_at = Some(desk.now.micros());
            let id = account.person.id.clone();
            let sealed =
                SealedCredentials::seal(self.store().instance_key(), self.chance(), &id, credentials)?;
            let fresh = self.fresh_session(
                &id,
                desk.signed_in.session.assignment.clone(),
                desk.now,
                desk.now.plus_seconds(SESSION_SECONDS),
            )?;
            let view = self.session_opened(desk.snapshot, &account, &fresh, desk.now)?;
            opened.replace(Some(SessionOpened { factor_replaced_at: None, ..view }));
            let (version, state) = (account.person.version, account.person.state);
            let counted = own.subjects.clone();
            let (person, holder) = (row_ref("professional", id.as_str(), version.saturating_add(1)), id);
            Ok(Change::new(fresh.row.id.as_str())
                .checked(professional_check(&account.person))
                .step(person, move |tx, at| {
                    tx.professional_credentials(&holder, version, &sealed, state)?;
                    tx.totp_step_use(&holder, step)?;
                    counted.clear(tx)?;
                    tx.sessions_end_all(&holder, at)
                })
                .step(row_ref("session", fresh.row.id.as_str(), 1), move |tx, _| {
                    tx.session_insert(&fresh.row, &fresh.hash)
                }))
        })?;
        opened.into_inner().ok_or_else(|| ServiceError::Internal("no session was made".to_owned()))
    }
}
