//! Accounts: invited by a code, opened by their holder, recognised by a colleague; the second factor and its loss.
//!
//! INVARIANT: nobody makes a colleague's access alone. Who invites does not recognise; an account that was opened, or
//! whose factor was replaced, is *unconfirmed* and reaches no pathway until somebody else has recognised its holder.
//! INVARIANT: an account that is open has a password and a second factor: both are written in one step, both are only
//! ever replaced, and no function removes one.
//! INVARIANT: nothing half-open is stored. The first step of an opening writes nothing but its record: what it made is
//! sealed into a ticket that only the same code, within its hours, and a right one-time code turn into an account.
//!
//! Sessions are in `sessions`, affectations in `structures`; another telephone for who still has the old one in `factor`.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::ServiceError;
use super::app::App;
use super::console::{Author, Office};
use super::credentials::{FactorCode, Login, Proven, digits_of, password_error, stamp_of};
use super::flow::{ATTEMPTS, Act, Call, Change, Created};
use super::limiter::{Subjects, outcome};
use super::sessions::{SESSION_SECONDS, SessionOpened, row_ref};
use crate::audit::VersionCheck;
use crate::audit::lane::{CheckKind, Job, Priority};
use crate::clock::Timestamp;
use crate::crypto::password::Password;
use crate::crypto::token::{InvitationCode, RescueCode, TokenHash};
use crate::crypto::totp::{self, TotpSecret};
use crate::domain::contact::Phone;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::domain::text::Text;
use crate::ids::{InvitationId, ProfessionalId, RequestId};
use crate::store::account::{
    Account, AccountState, Credentials, Invitation, InvitationKind, NewProfessional, Professional,
    ProfessionalWords, SealedCredentials,
};
use crate::store::{Snapshot, WriteTx};

/// SECURITY §4: an invitation code is good for 72 hours, once.
pub const INVITATION_SECONDS: i64 = 72 * 3600;
/// The name that a telephone shows beside the code.
pub(super) const ISSUER: &str = "Relais";

/// Somebody to be invited.
#[derive(Clone)]
pub struct NewAccount {
    pub login: Login,
    pub name: Text<120>,
    pub telephone: Phone,
}

/// An invitation; the code is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Invited {
    #[schema(value_type = String)]
    pub id: ProfessionalId,
    /// `null` when the request repeats an earlier one: the code was shown then.
    pub code: Option<String>,
    /// Until when the code serves; `null` with it.
    pub expires_at: Option<String>,
}

/// What the holder writes down before confirming; shown this once.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AccountOpening)]
pub struct Opening {
    /// To be sent back with the one-time code.
    pub ticket: String,
    pub totp_secret: String,
    pub otpauth_uri: String,
    pub rescue_codes: Vec<String>,
}

/// What waits between the two steps, sealed and in the hands of the holder. Overwritten when dropped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Ticket {
    password_hash: String,
    totp_secret: String,
    rescue_hashes: Vec<String>,
}

impl Ticket {
    /// What authenticates from now on.
    fn into_credentials(mut self, replaced: Option<Timestamp>) -> Credentials {
        Credentials {
            password_hash: std::mem::take(&mut self.password_hash),
            totp_secret: std::mem::take(&mut self.totp_secret),
            rescue_hashes: std::mem::take(&mut self.rescue_hashes),
            factor_replaced_at: replaced.map(Timestamp::micros),
        }
    }
}

/// A code and its row, made outside the closure of a change, which may run again.
pub(super) struct FreshCode {
    pub code: Zeroizing<String>,
    hash: TokenHash,
    id: InvitationId,
}

impl FreshCode {
    pub(super) fn new(app: &App) -> Result<Self, ServiceError> {
        let code = InvitationCode::generate(app.chance())?;
        Ok(Self {
            hash: app.store().instance_keys().invitation_hash(&code),
            code: code.reveal(),
            id: InvitationId::random(app.chance())?,
        })
    }

    fn row(&self, professional: &ProfessionalId, kind: InvitationKind, office: &Office<'_>) -> Invitation {
        Invitation {
            id: self.id.clone(),
            professional: professional.clone(),
            kind,
            issued_by: office.professional().cloned(),
            issued_at: office.now,
            expires_at: office.now.plus_seconds(INVITATION_SECONDS),
            used_at: None,
        }
    }

    pub(super) const fn id(&self) -> &InvitationId {
        &self.id
    }
}

fn refused_code() -> ServiceError {
    ServiceError::rule(
        "invitation_refused",
        "Ce code n'ouvre rien : il est mal recopié, déjà utilisé ou trop ancien (72 heures). Vérifiez-le, ou demandez-en un autre.",
    )
}

/// A code that does not prove a factor that is being installed.
pub(super) fn totp_refused() -> ServiceError {
    ServiceError::rule(
        "totp_refused",
        "Ce code à six chiffres n'est pas celui de maintenant : attendez le suivant et vérifiez l'heure du téléphone.",
    )
}

pub(super) fn professional_check(person: &Professional) -> VersionCheck {
    VersionCheck { kind: CheckKind::Professional, id: person.id.as_str().to_owned(), version: person.version }
}

impl Office<'_> {
    /// Whether the author may administer this person: an administrator, or a manager of one of the person's
    /// organisations.
    pub(super) fn administers_person(&mut self, id: &ProfessionalId) -> Result<(), ServiceError> {
        let organisations: Vec<_> = self
            .snapshot
            .assignments_of(id)?
            .into_iter()
            .filter(|r| r.facts.ends_at.is_none_or(|end| self.now < end))
            .map(|r| r.facts.organisation)
            .collect();
        self.administers_or_manages(&organisations)
    }

    /// Adds to a change the account of `new`, invited under `code`.
    pub(super) fn invite_into(
        &mut self,
        change: Change,
        id: &ProfessionalId,
        new: &NewAccount,
        code: &FreshCode,
    ) -> Result<Change, ServiceError> {
        let keys = self.app.store().instance_keys();
        let index = keys.login_index(new.login.as_str());
        if self.snapshot.login_taken(&index)? {
            return Err(ServiceError::rule(
                "login_taken",
                "Cet identifiant est déjà pris : choisissez-en un autre.",
            )
            .at("login"));
        }
        let words = ProfessionalWords {
            login: new.login.as_str().to_lowercase(),
            name: new.name.as_str().to_owned(),
            telephone: new.telephone.as_str().to_owned(),
        };
        let row = NewProfessional::seal(
            self.app.store().instance_key(),
            self.app.chance(),
            id,
            index,
            self.professional().cloned(),
            self.now,
            &words,
        )?;
        let invitation = code.row(id, InvitationKind::Open, self);
        let hash = code.hash.clone();
        let ciphertext = row.ciphertext().to_vec();
        Ok(change
            .sealed_step(row_ref("professional", id.as_str(), 1), &ciphertext, move |tx, _| {
                tx.professional_insert(&row)
            })
            .step(row_ref("invitation", code.id().as_str(), 1), move |tx, _| {
                tx.invitation_insert(&invitation, &hash)
            }))
    }
}

impl App {
    /// Invites somebody to open an account: an administrator, any manager, or the command line.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn invite(&self, author: Author<'_>, new: &NewAccount) -> Result<Invited, ServiceError> {
        let act = Act { action: Action::Invite, resource: ResourceKind::Professional };
        let code = FreshCode::new(self)?;
        let id = ProfessionalId::random(self.chance())?;
        let created = self.administer(author, act, |office| {
            if office.administers().is_err() && office.manages().is_none() {
                return Err(ServiceError::AbsentOrRefused);
            }
            office.invite_into(Change::new(id.as_str()), &id, new, &code)
        })?;
        self.invited(created, &code)
    }

    fn invited(&self, created: Created, code: &FreshCode) -> Result<Invited, ServiceError> {
        Ok(Invited {
            id: ProfessionalId::parse(&created.id).map_err(ServiceError::internal)?,
            code: (!created.replayed).then(|| code.code.to_string()),
            expires_at: (!created.replayed)
                .then(|| self.clock().now().plus_seconds(INVITATION_SECONDS).rfc3339()),
        })
    }

    /// A new code for somebody who lost the telephone, or never used the first code. Ends all sessions; the old factor
    /// stays until the new one is proved, and the account must then be recognised again.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn renew_factor(&self, author: Author<'_>, id: &ProfessionalId) -> Result<Invited, ServiceError> {
        let act = Act { action: Action::Invite, resource: ResourceKind::Account };
        let code = FreshCode::new(self)?;
        let created = self.administer(author, act, |office| {
            office.administers_person(id)?;
            let person = office.snapshot.professional_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
            let kind = match person.state {
                AccountState::Invited => InvitationKind::Open,
                AccountState::Unconfirmed | AccountState::Confirmed => InvitationKind::Factor,
                AccountState::Ended => return Err(ServiceError::AbsentOrRefused),
            };
            let row = code.row(id, kind, office);
            let (hash, closed) = (code.hash.clone(), id.clone());
            let (ended, touched) = (id.clone(), id.clone());
            let version = person.version;
            Ok(Change::new(id.as_str())
                .step(row_ref("invitation", code.id().as_str(), 1), move |tx, at| {
                    tx.invitations_close(&closed, at)?;
                    tx.invitation_insert(&row, &hash)
                })
                .step(row_ref("professional", id.as_str(), version.saturating_add(1)), move |tx, at| {
                    tx.professional_touch(&touched, version)?;
                    tx.sessions_end_all(&ended, at)
                }))
        })?;
        self.invited(created, &code)
    }

    /// The invitation of a code that still opens something, with whose it is.
    fn open_invitation(
        snapshot: &mut Snapshot,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(Invitation, Professional)>, ServiceError> {
        let Some(found) = snapshot.invitation_by_code(hash)? else { return Ok(None) };
        if found.used_at.is_some() || now >= found.expires_at {
            return Ok(None);
        }
        let person = snapshot
            .professional_fetch(&found.professional)?
            .ok_or_else(|| ServiceError::Internal("an invitation without its professional".to_owned()))?;
        Ok((person.state != AccountState::Ended).then_some((found, person)))
    }

    /// First step: the code and a password of one's own; gives the second factor to install.
    ///
    /// # Errors
    /// A code that opens nothing, a password too easy to guess; [`ServiceError::TooManyAttempts`] during a delay.
    pub fn open_account(
        &self,
        request: &RequestId,
        code: &str,
        password: String,
        network: Option<&str>,
    ) -> Result<Opening, ServiceError> {
        let act = Act { action: Action::Accept, resource: ResourceKind::Account };
        let keys = self.store().instance_keys();
        let subjects = Subjects::new(keys, None, network);
        let password = Zeroizing::new(password);
        let (found, cited) = {
            let mut snapshot = self.store().snapshot()?;
            let now = self.moment(&mut snapshot)?;
            subjects.check(&mut snapshot, now)?;
            let found = match InvitationCode::parse(code) {
                Ok(code) => Self::open_invitation(&mut snapshot, &keys.invitation_hash(&code), now)?,
                Err(_mistyped) => None,
            };
            (found, self.charter_cited(&mut snapshot, None, now)?)
        };
        let Some((invitation, person)) = found else {
            self.attempt_failed(request, act, None, &subjects)?;
            return Err(refused_code());
        };
        let words = [person.words.name.as_str()];
        let chosen = match Password::chosen(password.to_string(), &person.words.login, &words) {
            Ok(chosen) => chosen,
            Err(e) => {
                // Recorded like any other attempt; not counted: the code was right.
                self.attempt_failed(request, act, Some(&person.id), &Subjects::new(keys, None, None))?;
                return Err(password_error(&e, "password"));
            }
        };
        let secret = TotpSecret::generate(self.chance())?;
        let rescue = RescueCode::sheet(self.chance())?;
        let password_hash = {
            let _turn = self.hash_turn()?;
            self.hasher.hash(&chosen, self.chance()).map_err(|e| password_error(&e, "password"))?
        };
        let ticket = Ticket {
            password_hash: password_hash.as_str().to_owned(),
            totp_secret: secret.base32().to_string(),
            rescue_hashes: rescue.iter().map(|c| keys.rescue_hash(&person.id, c).to_hex()).collect(),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&ticket).map_err(ServiceError::internal)?);
        let opening = Opening {
            ticket: keys
                .seal_opening(invitation.id.as_str(), &plain, self.chance())
                .map_err(|e| ServiceError::Unavailable(e.to_string()))?,
            totp_secret: secret.base32().to_string(),
            otpauth_uri: secret.uri(ISSUER, &person.words.login).to_string(),
            rescue_codes: rescue.iter().map(|c| c.reveal().to_string()).collect(),
        };
        let mut draft = RecordDraft::new(
            request.clone(),
            RetentionClass::Technical,
            act.action,
            act.resource,
            Verdict::Permit,
        );
        draft.actor = Some(stamp_of(person.id));
        draft.policy_hashes = cited;
        let record = self.prepare(&draft, None)?;
        self.lane().record(Priority::Anonymous, Job::new(record)).wait()?;
        Ok(opening)
    }

    /// Second step: the same code, the ticket, and a one-time code that proves the factor. The account is open,
    /// unconfirmed, and its holder signed in.
    ///
    /// # Errors
    /// As the first step; a one-time code that is not right.
    pub fn confirm_account(
        &self,
        request: &RequestId,
        code: &str,
        ticket: &str,
        totp_code: &FactorCode,
        network: Option<&str>,
    ) -> Result<SessionOpened, ServiceError> {
        let act = Act { action: Action::Confirm, resource: ResourceKind::Account };
        let keys = self.store().instance_keys();
        let subjects = Subjects::new(keys, None, network);
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store().snapshot()?;
            let now = self.moment(&mut snapshot)?;
            subjects.check(&mut snapshot, now)?;
            let found = match InvitationCode::parse(code) {
                Ok(code) => Self::open_invitation(&mut snapshot, &keys.invitation_hash(&code), now)?,
                Err(_mistyped) => None,
            };
            let opened = found.and_then(|(invitation, person)| {
                let plain = keys.open_opening(invitation.id.as_str(), ticket).ok()?;
                let ticket = serde_json::from_slice::<Ticket>(&plain).ok()?;
                Some((invitation, person, ticket))
            });
            let Some((invitation, mut person, ticket)) = opened else {
                drop(snapshot);
                self.attempt_failed(request, act, None, &subjects)?;
                return Err(refused_code());
            };
            let secret = TotpSecret::from_base32(&ticket.totp_secret).map_err(ServiceError::internal)?;
            let digits = digits_of(totp_code);
            let Some(step) = totp::verify(&secret, &digits, now, None) else {
                drop(snapshot);
                self.attempt_failed(request, act, Some(&person.id), &subjects)?;
                return Err(totp_refused());
            };
            let replaced = match invitation.kind {
                InvitationKind::Open => None,
                InvitationKind::Factor => Some(now),
            };
            let mut credentials = ticket.into_credentials(replaced);
            let sealed = SealedCredentials::seal(
                self.store().instance_key(),
                self.chance(),
                &person.id,
                &credentials,
            )?;
            let checks = vec![professional_check(&person)];
            let version = person.version;
            person.state = AccountState::Unconfirmed;
            // Told at the sign-in after this one.
            credentials.factor_replaced_at = None;
            let account = Account { person, credentials: Some(credentials) };
            let person = &account.person;
            let fresh = self.fresh_session(&person.id, None, now, now.plus_seconds(SESSION_SECONDS))?;
            let mut view = self.session_opened(&mut snapshot, &account, &fresh, now)?;
            // The account reaches no pathway yet: there is nothing to choose from.
            view.assignments.clear();
            let touched: Vec<_> =
                snapshot.assignments_of(&person.id)?.into_iter().map(|r| r.facts.id).collect();
            let cited = self.charter_cited(&mut snapshot, None, now)?;
            drop(snapshot);

            let change = Change::new(person.id.as_str()).sealed_step(
                row_ref("professional", person.id.as_str(), version.saturating_add(1)),
                sealed.ciphertext(),
                |_, _| Ok(()),
            );
            let mut draft = RecordDraft::new(
                request.clone(),
                RetentionClass::Disclosure,
                act.action,
                act.resource,
                Verdict::Permit,
            );
            let mut stamp = stamp_of(person.id.clone());
            stamp.session = Some(fresh.row.id.clone());
            draft.actor = Some(stamp);
            draft.policy_hashes = cited;
            draft.write_digest = change.write_digest();
            draft.written.clone_from(&change.written);
            let job = Job::new(self.prepare(&draft, None)?).checked(checks);
            let (id, counted, row, hash) = (person.id.clone(), subjects.clone(), fresh.row, fresh.hash);
            let written = self.lane().submit(Priority::Anonymous, job, move |tx: &mut WriteTx, at| {
                counted.hold(tx, at)?;
                tx.invitation_use(&invitation.id, at)?;
                tx.professional_credentials(&id, version, &sealed, AccountState::Unconfirmed)?;
                tx.totp_step_use(&id, step)?;
                tx.sessions_end_all(&id, at)?;
                for assignment in &touched {
                    tx.assignment_touch(assignment)?;
                }
                tx.session_insert(&row, &hash)?;
                Ok(())
            });
            match outcome(written.wait()) {
                Some(Ok(_)) => return Ok(view),
                Some(Err(e)) => return Err(e),
                None => {}
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    /// Closes an account: its sessions end, its affectations are no longer in force.
    ///
    /// # Errors
    /// [`ServiceError`]; one cannot close one's own account.
    pub fn end_account(&self, author: Author<'_>, id: &ProfessionalId) -> Result<Created, ServiceError> {
        let act = Act { action: Action::End, resource: ResourceKind::Account };
        self.administer(author, act, |office| {
            office.administers()?;
            let person = office.snapshot.professional_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
            if person.state == AccountState::Ended {
                return Err(ServiceError::AbsentOrRefused);
            }
            if office.professional() == Some(id) {
                return Err(ServiceError::forbidden(
                    "own_account",
                    "On ne ferme pas son propre compte : demandez à un autre administrateur.",
                ));
            }
            let assignments: Vec<_> =
                office.snapshot.assignments_of(id)?.into_iter().map(|r| r.facts.id).collect();
            let (ended, version) = (id.clone(), person.version);
            Ok(Change::new(id.as_str()).step(
                row_ref("professional", id.as_str(), version.saturating_add(1)),
                move |tx, at| {
                    tx.professional_end(&ended, version)?;
                    tx.invitations_close(&ended, at)?;
                    tx.sessions_end_all(&ended, at)?;
                    assignments.iter().try_for_each(|a| tx.assignment_touch(a))
                },
            ))
        })
    }

    /// Changes one's own password, on the present password and a fresh code: every session ends, a new one begins.
    ///
    /// # Errors
    /// [`ServiceError`]; a wrong pair is counted like a failed sign-in.
    pub fn change_password(
        &self,
        call: &Call,
        present: &Password,
        code: &FactorCode,
        wanted: String,
        network: Option<&str>,
    ) -> Result<SessionOpened, ServiceError> {
        let act = Act { action: Action::Update, resource: ResourceKind::Account };
        let call = Call { idempotency: None, ..call.clone() };
        let wanted = Zeroizing::new(wanted);
        let refused = ServiceError::rule(
            "password_not_changed",
            "Mot de passe actuel ou code inexact : rien n'a changé. Attendez le code suivant et recommencez.",
        );
        let Proven { account, proof, subjects } =
            self.prove_again(&call, act, (present, code), network, refused)?;
        let person = &account.person;
        let chosen =
            match Password::chosen(wanted.to_string(), &person.words.login, &[person.words.name.as_str()]) {
                Ok(chosen) => chosen,
                Err(e) => return Err(self.record_malformed(&call, act, password_error(&e, "new_password"))),
            };
        let hash = {
            let _turn = self.hash_turn().map_err(|e| self.record_malformed(&call, act, e))?;
            self.hasher
                .hash(&chosen, self.chance())
                .map_err(|e| self.record_malformed(&call, act, password_error(&e, "new_password")))?
        };
        let opened = std::cell::RefCell::new(None);
        self.change_desk(&call, act, |desk| {
            let old = &desk.signed_in.session;
            let account = desk.snapshot.account_fetch(&old.professional)?.ok_or_else(ServiceError::nobody)?;
            let present = &account.person;
            if present.version != person.version {
                return Err(ServiceError::Conflict);
            }
            let mut renewed = proof.clone();
            hash.as_str().clone_into(&mut renewed.credentials.password_hash);
            let write = self.credentials_step(present, &renewed)?;
            let fresh = self.fresh_session(
                &old.professional,
                old.assignment.clone(),
                desk.now,
                desk.now.plus_seconds(SESSION_SECONDS),
            )?;
            opened.replace(Some(self.session_opened(desk.snapshot, &account, &fresh, desk.now)?));
            let id = present.id.clone();
            let counted = subjects.clone();
            let version = present.version.saturating_add(1);
            Ok(Change::new(fresh.row.id.as_str())
                .checked(professional_check(present))
                .step(row_ref("professional", present.id.as_str(), version), move |tx, at| {
                    write(tx)?;
                    counted.clear(tx)?;
                    tx.sessions_end_all(&id, at)
                })
                .step(row_ref("session", fresh.row.id.as_str(), 1), move |tx, _| {
                    tx.session_insert(&fresh.row, &fresh.hash)
                }))
        })?;
        opened.into_inner().ok_or_else(|| ServiceError::Internal("no session was made".to_owned()))
    }
}
