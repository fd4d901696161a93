//! Declaring an honest loss: the log goes on under another name, and says so in its first records (ADR 0012).
//!
//! INVARIANT: two people, proved by password and second factor, neither of them the other: an administrator, and an auditor
//! or data protection officer, each with an affectation in force.
//! INVARIANT: the key of the lost name is destroyed in the transaction that declares the loss: no key ever signs two
//! histories.
//! INVARIANT: nothing comes before the declaration: it stands at the index at which the lost records would have begun.
//! INVARIANT: no two declarations give one name: each bears part of its own key, since a backup from before an earlier
//! declaration knows nothing of that one.
//! THREAT: an operator who drops a bad hour. Alone he finds no second person; with one, the loss is told for ever by
//! every verification, page and report, and a witness cosigns the new name only after its own operator added it.
//!
//! It opens no session, and restores nothing: the command line does.

use data_encoding::HEXLOWER;

use super::checkpoints::{LogName, broken, log_name, origin_name, signers};
use super::credentials::{FactorCode, Login, Proof};
use super::{App, ServiceError};
use crate::access::facts::AssignmentFacts;
use crate::audit::lane::{LaneError, Priority};
use crate::audit::note::VerifierKey;
use crate::audit::{Gap, Job, SignedCheckpoint};
use crate::clock::Timestamp;
use crate::crypto::envelope::DataKeyId;
use crate::crypto::hash::Digest;
use crate::crypto::keyring::KeyOwner;
use crate::crypto::password::Password;
use crate::domain::record::{Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::domain::text::Text;
use crate::domain::vocabulary::Profession;
use crate::ids::RequestId;
use crate::store::account::{AccountState, Professional};
use crate::store::{NewKey, StoreError, WriteTx};

/// Why the end of the log is lost, in the words of who declares it.
pub type LossMotive = Text<500>;

/// What somebody types to prove who they are.
pub struct Proving {
    pub login: Login,
    pub password: Password,
    pub code: FactorCode,
}

/// Somebody who was proved.
struct Proved {
    person: Professional,
    proof: Proof,
    stamp: ActorStamp,
}

/// An administrator who proved who he is, for a declaration of this process.
pub struct ProvedAdministrator(Proved);

/// An auditor or data protection officer who did.
pub struct ProvedOverseer(Proved);

/// What a checkpoint attests beyond the end of a log.
pub struct Loss {
    name: LogName,
    /// How many records came back.
    size: u64,
    lost_size: u64,
    lost_root: Digest,
    /// The keys that sign under the name that ends.
    old: Vec<DataKeyId>,
}

const fn administers(profession: Profession) -> bool {
    matches!(profession, Profession::Administrator)
}

const fn oversees(profession: Profession) -> bool {
    matches!(profession, Profession::Auditor | Profession::DataProtectionOfficer)
}

/// The name of an era: by its number for people, and by its key because two declarations may have the same number.
fn era_name(first: &str, number: usize, public: &[u8; 32]) -> String {
    let tag: String = HEXLOWER.encode(public).chars().take(8).collect();
    format!("{first}/{number}-{tag}")
}

fn stamp(person: &Professional, facts: &AssignmentFacts, now: Timestamp) -> ActorStamp {
    ActorStamp {
        professional: person.id.clone(),
        assignment: Some(facts.id.clone()),
        organisation: Some(facts.organisation.clone()),
        profession: Some(facts.profession),
        function: Some(facts.function),
        secrecy: Some(facts.secrecy_at(now)),
        session: None,
    }
}

impl App {
    /// Proves one of the two, under an affectation of this kind.
    fn prove_for_loss(
        &self,
        asked: &Proving,
        wanted: fn(Profession) -> bool,
        who: &str,
    ) -> Result<Proved, ServiceError> {
        let now = self.moment(&mut self.store.snapshot()?)?;
        let index = self.store.instance_keys().login_index(asked.login.as_str());
        let account = self.store.snapshot()?.account_by_login(&index)?;
        let proof = {
            let _turn = self.hash_turn()?;
            self.prove(account.as_ref(), &asked.password, &asked.code, now)?
        };
        let confirmed = account.map(|a| a.person).filter(|p| p.state == AccountState::Confirmed);
        let (Some(person), Some(proof)) = (confirmed, proof) else {
            return Err(ServiceError::rule(
                "not_proved",
                format!(
                    "{who} : identifiant, mot de passe ou code faux dans l'état restauré. Rien n'a été déclaré."
                ),
            ));
        };
        let all = self.store.snapshot()?.assignments_of(&person.id)?;
        let found = all.iter().find(|row| row.facts.in_force(now) && wanted(row.facts.profession));
        let Some(row) = found else {
            return Err(ServiceError::rule(
                "not_entitled",
                format!(
                    "{who} : cette personne n'a pas d'affectation en cours de ce métier. Rien n'a été déclaré."
                ),
            ));
        };
        let stamp = stamp(&person, &row.facts, now);
        Ok(Proved { person, proof, stamp })
    }

    /// What is lost, where a checkpoint of this log attests more than there is. Judged before anybody is asked anything.
    ///
    /// # Errors
    /// A rule when nothing is lost, or when the checkpoint is not of this log.
    pub fn loss_of(&self, attested: &str) -> Result<Loss, ServiceError> {
        let mut snapshot = self.store.snapshot()?;
        let name = log_name(&mut snapshot)?;
        let size = snapshot.log_frontier()?.size();
        let old: Vec<DataKeyId> = signers(&self.store, &mut snapshot, &name)?.iter().map(|s| s.id).collect();
        drop(snapshot);
        let signed = SignedCheckpoint::parse(attested).ok();
        let lost = signed.as_ref().and_then(|s| s.verify(&name.origin, &name.keys).ok()).ok_or_else(|| {
            ServiceError::rule(
                "not_of_this_log",
                format!(
                    "Ce point de contrôle n'est pas signé par le journal « {} » de cette sauvegarde : donnez le dernier que vous ou un témoin avez gardé.",
                    name.origin
                ),
            )
        })?;
        if lost.size() <= size {
            return Err(ServiceError::rule(
                "nothing_lost",
                format!(
                    "Ce point de contrôle atteste {} traces et la sauvegarde en a {size} : rien n'est perdu. Relancez sans --accept-gap.",
                    lost.size()
                ),
            ));
        }
        let (lost_size, lost_root) = (lost.size(), *lost.root());
        Ok(Loss { name, size, lost_size, lost_root, old })
    }

    /// Proves the administrator, at once: a code lasts half a minute.
    ///
    /// # Errors
    /// A rule when somebody is not proved, or is no administrator.
    pub fn loss_prove_administrator(&self, asked: &Proving) -> Result<ProvedAdministrator, ServiceError> {
        self.prove_for_loss(asked, administers, "Première personne (administration)").map(ProvedAdministrator)
    }

    /// Proves the auditor or data protection officer.
    ///
    /// # Errors
    /// A rule when somebody is not proved, or is neither.
    pub fn loss_prove_overseer(&self, asked: &Proving) -> Result<ProvedOverseer, ServiceError> {
        self.prove_for_loss(asked, oversees, "Seconde personne (contrôle ou protection des données)")
            .map(ProvedOverseer)
    }

    /// Declares a loss, and goes on under a new name.
    ///
    /// # Errors
    /// A rule when the two are one; the lane's. Nothing is then changed.
    pub fn loss_declare(
        &self,
        loss: &Loss,
        motive: &LossMotive,
        administrator: &ProvedAdministrator,
        overseer: &ProvedOverseer,
    ) -> Result<Gap, ServiceError> {
        let (Loss { name, size, .. }, one, two) = (loss, &administrator.0, &overseer.0);
        if one.person.id == two.person.id {
            return Err(ServiceError::rule(
                "same_person",
                "Il faut deux personnes : c'est deux fois la même. Rien n'a été déclaré.",
            ));
        }
        let number = name.gaps.len().saturating_add(2);
        let public_name = |public: &[u8; 32]| era_name(&name.first, number, public);
        let (origin, key, stored) =
            self.store.keyring().new_log_key_named(public_name, self.chance()).map_err(StoreError::from)?;
        let vkey = VerifierKey::new(&origin, key.public()).map_err(broken)?;
        let gap = Gap {
            index: *size,
            at: self.clock().now(),
            lost: name.origin.clone(),
            lost_size: loss.lost_size,
            lost_root: loss.lost_root,
            origin: origin.clone(),
            log_key: vkey.to_string(),
        };
        let (pseudonyms, fresh) = self.pseudonym_key_or_new(RetentionClass::Disclosure)?;
        let request = RequestId::random(self.chance())?;
        let record = |stamp: &ActorStamp| {
            let mut draft = RecordDraft::new(
                request.clone(),
                RetentionClass::Disclosure,
                Action::AcceptGap,
                ResourceKind::Checkpoint,
                Verdict::Permit,
            );
            draft.actor = Some(stamp.clone());
            draft.basis = gap.basis();
            draft.motive = Some(motive.as_str().to_owned());
            self.prepare_under(&draft, None, &pseudonyms)
        };
        let job = Job::new(record(&one.stamp)?).and_record(record(&two.stamp)?);
        let old = loss.old.clone();
        let used = [self.factor_step(&one.person, &one.proof)?, self.factor_step(&two.person, &two.proof)?];
        let row = NewKey::new(&KeyOwner::Log { origin: origin.clone() }, stored, self.clock().now());
        let (known, written) = (name.keys.len(), vkey.to_string());
        let made = self.lane().submit(Priority::Session, job, move |tx: &mut WriteTx, at| {
            used.into_iter().try_for_each(|step| step(tx))?;
            old.iter().try_for_each(|id| tx.key_destroy_one(id, at))?;
            fresh.iter().try_for_each(|key| tx.key_insert(key))?;
            tx.instance_set(&origin_name(number), &origin)?;
            tx.log_vkey_add(known, &written)?;
            tx.key_insert(&row)
        });
        let receipt = match made.wait() {
            Ok(receipt) => receipt,
            Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => {
                return Err(ServiceError::Conflict);
            }
            Err(e) => return Err(e.into()),
        };
        if receipt.first_index() != *size {
            return Err(broken("something was recorded before the declaration of the loss"));
        }
        self.store.forget_destroyed()?;
        self.checkpoint()?;
        Ok(Gap { at: receipt.time(), ..gap })
    }

    /// The losses that were declared, for whoever starts the service.
    ///
    /// # Errors
    /// The database's; a declaration that does not hold.
    pub fn declared_losses(&self) -> Result<Vec<Gap>, ServiceError> {
        Ok(log_name(&mut self.store.snapshot()?)?.gaps)
    }
}
