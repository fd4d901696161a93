//! Checkpoints of the log: its size and root, signed, so that somebody who keeps one can prove what came before.
//!
//! INVARIANT: only a committed size is signed: size and root are those of one read snapshot.
//! INVARIANT: nothing is signed that does not continue the last checkpoint: this key never signs two histories.
//!
//! A checkpoint has no record of its own: it says nothing of anybody, and a log that grows by being looked at would
//! need a checkpoint of the checkpoint. It does not send checkpoints anywhere: witnesses are another room's business.

use super::{App, ServiceError};
use crate::audit::gap::gaps_of;
use crate::audit::note::VerifierKey;
use crate::audit::tree::{Frontier, ProveError, consistency_proof, verify_consistency};
use crate::audit::verify::Trust;
use crate::audit::{Checkpoint, Gap, LeafBody, SignedCheckpoint};
use crate::crypto::envelope::DataKeyId;
use crate::crypto::keyring::KeyOwner;
use crate::crypto::sign::SigningKey;
use crate::domain::record::{Action, Verdict};
use crate::store::log::LogFilter;
use crate::store::{Snapshot, Store, StoreError};

/// Two for each declared loss: more than a log will ever see.
const MOST_DECLARING: i64 = 128;

/// A checkpoint, and whether it is not kept yet.
pub(super) struct Made {
    pub signed: SignedCheckpoint,
    pub fresh: bool,
}

/// The log's name, those that it had before declared losses, and the keys that check its signatures.
pub(super) struct LogName {
    /// Its name of today.
    pub origin: String,
    /// The name with which it began.
    pub first: String,
    /// The replaced ones first, the one of today last; never empty.
    pub keys: Vec<VerifierKey>,
    /// Losses that two people declared, in order.
    pub gaps: Vec<Gap>,
}

impl LogName {
    /// What a verification trusts.
    pub fn trust<'a>(&'a self, given: Option<&'a str>) -> Trust<'a> {
        Trust { origin: &self.first, keys: &self.keys, given }
    }

    /// A checkpoint of this log, under the name that it had at that size.
    pub fn check<'c>(&self, signed: &'c SignedCheckpoint) -> Result<&'c Checkpoint, ServiceError> {
        let origin = signed.claims().origin();
        let checkpoint = signed.verify(origin, &self.keys).map_err(broken)?;
        let ended = self.gaps.iter().find(|gap| gap.lost == origin).map(|gap| gap.index);
        let began = self.gaps.iter().find(|gap| gap.origin == origin).map(|gap| gap.index);
        let known = began.is_some() || origin == self.first;
        if !known
            || ended.is_some_and(|end| checkpoint.size() > end)
            || began.is_some_and(|from| checkpoint.size() <= from)
        {
            return Err(broken("a checkpoint bears a name that the log had not at its size"));
        }
        Ok(checkpoint)
    }
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

/// The declared losses, from the records; where the instance says that there is none, none is looked for.
fn gaps(snapshot: &mut Snapshot) -> Result<Vec<Gap>, ServiceError> {
    if snapshot.instance_value(&origin_name(2))?.is_none() {
        return Ok(Vec::new());
    }
    let filter = LogFilter {
        action: Some(Action::AcceptGap.code().to_owned()),
        decision: Some(Verdict::Permit.code().to_owned()),
        ..LogFilter::default()
    };
    let mut declared = Vec::new();
    for (index, text) in snapshot.log_page(&filter, MOST_DECLARING)? {
        let index = u64::try_from(index).map_err(broken)?;
        declared.push((index, LeafBody::parse(&text).map_err(broken)?));
    }
    declared.reverse();
    gaps_of(&declared).ok_or_else(|| broken("a declared loss is not that of two people"))
}

/// Where the instance keeps the name of the log, by how many it had.
pub(super) fn origin_name(number: usize) -> String {
    if number < 2 { "log_origin".to_owned() } else { format!("log_origin_{number}") }
}

/// The log's name, as the instance has it.
pub(super) fn log_name(snapshot: &mut Snapshot) -> Result<LogName, ServiceError> {
    let missing = || ServiceError::Internal("the instance has no log key".to_owned());
    let first = snapshot.instance_value(&origin_name(1))?.ok_or_else(missing)?;
    let texts = snapshot.log_vkeys()?;
    let keys = texts.iter().map(|v| VerifierKey::parse(v)).collect::<Result<Vec<_>, _>>().map_err(broken)?;
    let gaps = gaps(snapshot)?;
    let origin = gaps.last().map_or_else(|| first.clone(), |gap| gap.origin.clone());
    if keys.is_empty() { Err(missing()) } else { Ok(LogName { origin, first, keys, gaps }) }
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
        let key = store.keyring().unwrap_log_key(&name.origin, &stored).map_err(ServiceError::internal)?;
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
            let known = name.check(&last)?;
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
