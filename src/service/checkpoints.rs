//! Checkpoints of the log: its size and root, signed, so that somebody who keeps one can prove what came before.
//!
//! INVARIANT: only a committed size is signed: size and root are those of one read snapshot.
//! INVARIANT: nothing is signed that does not continue the last checkpoint: this key never signs two histories.
//!
//! A checkpoint has no record of its own: it says nothing of anybody, and a log that grows by being looked at would
//! need a checkpoint of the checkpoint. It does not send checkpoints anywhere: witnesses are another room's business.

use super::{App, ServiceError};
use crate::audit::note::VerifierKey;
use crate::audit::tree::{Frontier, ProveError, consistency_proof, verify_consistency};
use crate::audit::{Checkpoint, SignedCheckpoint};
use crate::crypto::envelope::DataKeyId;
use crate::crypto::keyring::KeyOwner;
use crate::crypto::sign::SigningKey;
use crate::store::{Snapshot, Store, StoreError};

/// A checkpoint, and whether it is not kept yet.
pub(super) struct Made {
    pub signed: SignedCheckpoint,
    pub fresh: bool,
}

/// The log's name and the keys that check its signatures.
pub(super) struct LogName {
    pub origin: String,
    /// The replaced ones first, the one of today last; never empty.
    pub keys: Vec<VerifierKey>,
}

pub(super) fn broken(what: impl std::fmt::Display) -> ServiceError {
    ServiceError::Internal(format!("{what}; run `relais audit verify`"))
}

/// What making a proof says, as a service says it.
pub(super) fn unproven(e: ProveError<StoreError>) -> ServiceError {
    match e {
        ProveError::Source(store) => store.into(),
        ProveError::Tree(tree) => broken(tree),
    }
}

/// The log's name, as the instance has it.
pub(super) fn log_name(snapshot: &mut Snapshot) -> Result<LogName, ServiceError> {
    let missing = || ServiceError::Internal("the instance has no log key".to_owned());
    let origin = snapshot.instance_value("log_origin")?.ok_or_else(missing)?;
    let texts = snapshot.log_vkeys()?;
    let keys = texts.iter().map(|v| VerifierKey::parse(v)).collect::<Result<Vec<_>, _>>().map_err(broken)?;
    if keys.is_empty() { Err(missing()) } else { Ok(LogName { origin, keys }) }
}

/// A key that signs for the log.
pub(super) struct Signer {
    pub id: DataKeyId,
    pub key: SigningKey,
    /// Its place among the public keys: the last is the one of today.
    place: usize,
}

/// The keys that sign today, the one to stay last: two while one takes the place of the other.
pub(super) fn signers(
    store: &Store,
    snapshot: &mut Snapshot,
    name: &LogName,
) -> Result<Vec<Signer>, ServiceError> {
    let owner = KeyOwner::Log { origin: name.origin.clone() };
    let mut signers = Vec::new();
    for stored in snapshot.keys_live(&owner)? {
        let key = store
            .keyring()
            .unwrap_log_key(&name.origin, &stored)
            .map_err(|e| ServiceError::Internal(e.to_string()))?;
        let public = VerifierKey::new(&name.origin, key.public()).map_err(broken)?;
        // INVARIANT: what signs is a key that the instance published.
        let place = name.keys.iter().position(|k| *k == public);
        let place = place.ok_or_else(|| broken("a log key is not among the published ones"))?;
        signers.push(Signer { id: stored.key_id, key, place });
    }
    signers.sort_by_key(|s| s.place);
    Ok(signers)
}

/// Signs a committed head with every key that signs today. The caller has checked that it continues the last one.
///
/// # Errors
/// The database's; an instance without a log key.
pub fn sign_checkpoint(
    store: &Store,
    snapshot: &mut Snapshot,
    frontier: &Frontier,
) -> Result<SignedCheckpoint, ServiceError> {
    let name = log_name(snapshot)?;
    let mut signed: Option<SignedCheckpoint> = None;
    for signer in signers(store, snapshot, &name)? {
        let next = match signed {
            None => Checkpoint::of(&name.origin, frontier).and_then(|c| c.sign(&signer.key)),
            Some(signed) => signed.and_sign(&name.origin, &signer.key),
        };
        signed = Some(next.map_err(broken)?);
    }
    signed.ok_or_else(|| ServiceError::Internal("the instance has no log key".to_owned()))
}

impl App {
    /// The checkpoint of the committed log; signed and kept when it has grown since the last.
    ///
    /// # Errors
    /// The database's; a log that does not continue its last checkpoint.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, ServiceError> {
        let mut snapshot = self.store.snapshot()?;
        let made = self.checkpoint_in(&mut snapshot)?;
        drop(snapshot);
        self.checkpoint_keep(&made)?;
        Ok(made.signed)
    }

    /// [`App::checkpoint`] for the job: the size signed, when there was something to sign.
    ///
    /// # Errors
    /// As [`App::checkpoint`].
    pub fn checkpoint_if_grown(&self) -> Result<Option<u64>, ServiceError> {
        let mut snapshot = self.store.snapshot()?;
        let made = self.checkpoint_in(&mut snapshot)?;
        drop(snapshot);
        self.checkpoint_keep(&made)?;
        Ok(made.fresh.then(|| made.signed.claims().size()))
    }

    /// Keeps a checkpoint that is not kept yet.
    pub(super) fn checkpoint_keep(&self, made: &Made) -> Result<(), ServiceError> {
        if made.fresh {
            self.store.checkpoint_keep(made.signed.claims().size(), &made.signed.to_string())?;
        }
        Ok(())
    }

    /// The last checkpoint if it is of this snapshot's size, else a new one.
    pub(super) fn checkpoint_in(&self, snapshot: &mut Snapshot) -> Result<Made, ServiceError> {
        let name = log_name(snapshot)?;
        let frontier = snapshot.log_frontier()?;
        if let Some(last) = snapshot.checkpoint_latest()? {
            let last = SignedCheckpoint::parse(&last.note).map_err(broken)?;
            let known = last.verify(&name.origin, &name.keys).map_err(broken)?;
            let (size, root) = (known.size(), *known.root());
            if size == frontier.size() && root == frontier.root() {
                return Ok(Made { signed: last, fresh: false });
            }
            // THREAT: an older copy of the database put back. Signing it would be signing a second history.
            if size >= frontier.size() {
                return Err(broken(format!(
                    "the log has {} records and its last checkpoint {size}",
                    frontier.size()
                )));
            }
            if size > 0 {
                let proof = consistency_proof(size, frontier.size(), snapshot).map_err(unproven)?;
                verify_consistency(size, frontier.size(), &proof, &root, &frontier.root()).map_err(broken)?;
            }
        }
        let signed = sign_checkpoint(&self.store, snapshot, &frontier)?;
        Ok(Made { signed, fresh: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::testing::Territory;

    #[test]
    fn a_checkpoint_is_signed_once_per_size_and_kept() {
        let t = Territory::new();
        let first = t.app.checkpoint().unwrap();
        assert_eq!(t.app.checkpoint_if_grown().unwrap(), None);
        assert_eq!(t.app.checkpoint().unwrap(), first);
        t.write(|_, _| Ok(()));
        assert_eq!(t.app.checkpoint_if_grown().unwrap(), Some(first.claims().size() + 1));
        let mut snapshot = t.app.store().snapshot().unwrap();
        let name = log_name(&mut snapshot).unwrap();
        assert!(first.verify(&name.origin, &name.keys).is_ok());
        let kept = snapshot.checkpoint_latest().unwrap().unwrap().size;
        assert_eq!(u64::try_from(kept).unwrap(), 1 + first.claims().size());
    }

    #[test]
    fn a_log_that_does_not_continue_its_last_checkpoint_is_not_signed() {
        let t = Territory::new();
        let name = log_name(&mut t.app.store().snapshot().unwrap()).unwrap();
        let mut snapshot = t.app.store().snapshot().unwrap();
        let stored = snapshot.wrapped_key(&KeyOwner::Log { origin: name.origin.clone() }).unwrap().unwrap();
        drop(snapshot);
        let key = t.app.store().keyring().unwrap_log_key(&name.origin, &stored).unwrap();
        // A checkpoint of another history, of a smaller size, with the real key.
        let mut other = crate::audit::tree::Frontier::empty();
        other.append([7; 32]);
        let forged = Checkpoint::of(&name.origin, &other).unwrap().sign(&key).unwrap().to_string();
        t.app.store().checkpoint_keep(1, &forged).unwrap();
        assert!(matches!(t.app.checkpoint(), Err(ServiceError::Internal(_))));
        // And one beyond the end of the log.
        for _ in 0..10_000 {
            other.append([7; 32]);
        }
        let forged = Checkpoint::of(&name.origin, &other).unwrap().sign(&key).unwrap().to_string();
        t.app.store().checkpoint_keep(other.size(), &forged).unwrap();
        assert!(matches!(t.app.checkpoint_if_grown(), Err(ServiceError::Internal(_))));
    }
}
