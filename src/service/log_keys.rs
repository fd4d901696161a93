//! Changing the key that signs the log, without a gap in which nobody can verify (SECURITY §1: overlap signing).
//!
//! First both keys sign; the record that says so names the new public key, and stands under a checkpoint that the old
//! key signs: whoever trusts the old key can trust the new one. Later the old one is destroyed.
//!
//! INVARIANT: public keys are never taken away: old checkpoints stay verifiable.
//! INVARIANT: at most two keys sign; there is always one.

use super::ServiceError;
use super::app::App;
use super::checkpoints::{Signer, broken, log_name, signers};
use crate::audit::Job;
use crate::audit::lane::{LaneError, Priority};
use crate::audit::note::VerifierKey;
use crate::clock::Timestamp;
use crate::crypto::keyring::KeyOwner;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::RequestId;
use crate::store::{NewKey, StoreError, WriteTx};

impl App {
    /// Records a change of the log's keys and makes it; the record names the public key in question.
    fn log_key_change(
        &self,
        action: Action,
        what: &'static str,
        vkey: &VerifierKey,
        change: impl FnOnce(&mut WriteTx, Timestamp) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), ServiceError> {
        let mut draft = RecordDraft::new(
            RequestId::random(self.chance())?,
            RetentionClass::Disclosure,
            action,
            ResourceKind::Checkpoint,
            Verdict::Permit,
        );
        draft.basis.push(format!("log_key:{vkey}"));
        draft.motive = Some(format!("ligne de commande : {what}"));
        let job = Job::new(self.prepare(&draft, None)?);
        match self.lane().submit(Priority::Session, job, change).wait() {
            Ok(_) => Ok(()),
            Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => Err(ServiceError::rule(
                "log_keys_changed",
                "Une autre commande a changé les clés du journal entre-temps : regardez, puis recommencez.",
            )),
            Err(e) => Err(e.into()),
        }
    }

    /// Makes a new signing key for the log; from now on both sign. Gives the new public key.
    ///
    /// # Errors
    /// A rule when a change is under way already; the lane's.
    pub fn log_key_rotate(&self) -> Result<String, ServiceError> {
        let mut snapshot = self.store().snapshot()?;
        let name = log_name(&mut snapshot)?;
        if signers(self.store(), &mut snapshot, &name)?.len() != 1 {
            return Err(ServiceError::rule(
                "log_rotation_under_way",
                "Deux clés signent déjà le journal : finissez ce changement avec `relais keys log-retire`.",
            ));
        }
        drop(snapshot);
        let (key, stored) =
            self.store().keyring().new_log_key(&name.origin, self.chance()).map_err(StoreError::from)?;
        let vkey = VerifierKey::new(&name.origin, key.public()).map_err(broken)?;
        let text = vkey.to_string();
        let row = NewKey::new(&KeyOwner::Log { origin: name.origin }, stored, self.clock().now());
        let (known, written) = (name.keys.len(), text.clone());
        self.log_key_change(Action::Create, "keys log-rotate", &vkey, move |tx, _| {
            tx.log_vkey_add(known, &written)?;
            tx.key_insert(&row)
        })?;
        // The record of the new key, under both signatures.
        self.checkpoint()?;
        Ok(text)
    }

    /// Destroys every signing key but the one of today. Gives its public half.
    ///
    /// # Errors
    /// A rule when there is only one; the lane's.
    pub fn log_key_retire(&self) -> Result<String, ServiceError> {
        // The last word of the old key: that the log came this far.
        self.checkpoint()?;
        let mut snapshot = self.store().snapshot()?;
        let name = log_name(&mut snapshot)?;
        let mut live: Vec<Signer> = signers(self.store(), &mut snapshot, &name)?;
        drop(snapshot);
        let stays = live.pop();
        let (Some(stays), Some(goes)) = (stays, live.pop()) else {
            return Err(ServiceError::rule(
                "log_rotation_not_begun",
                "Une seule clé signe le journal : commencez par `relais keys log-rotate`.",
            ));
        };
        let gone = VerifierKey::new(&name.origin, goes.key.public()).map_err(broken)?;
        let id = goes.id;
        self.log_key_change(Action::End, "keys log-retire", &gone, move |tx, at| {
            tx.key_destroy_one(&id, at)
        })?;
        self.store().forget_destroyed()?;
        self.checkpoint()?;
        Ok(VerifierKey::new(&name.origin, stays.key.public()).map_err(broken)?.to_string())
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::SignedCheckpoint;
    use crate::audit::note::VerifierKey;
    use crate::audit::verify::{Flaw, Trust, verify};
    use crate::service::ServiceError;
    use crate::service::testing::Territory;
    use crate::store::DatabaseAddress;
    use crate::store::log::{LogFile, LogFilter};

    fn flaw(t: &Territory, keys: &[VerifierKey]) -> Option<Flaw> {
        let mut log = LogFile::open(&DatabaseAddress::Sqlite(t.database())).unwrap();
        let trust = Trust { origin: keys[0].name(), keys, given: None };
        verify(&mut log, &trust, &mut |_| {}).unwrap().failure.map(|f| f.flaw)
    }

    #[test]
    fn a_new_log_key_signs_beside_the_old_one_and_then_alone() {
        let t = Territory::new();
        let signed = |c: &SignedCheckpoint| c.note().signatures().len();
        let first = t.app.checkpoint().unwrap();
        let vkeys = || t.app.store().snapshot().unwrap().log_vkeys().unwrap();
        let old = VerifierKey::parse(&vkeys()[0]).unwrap();
        let rule = |e: Result<String, ServiceError>| match e {
            Err(ServiceError::Rule { code, .. }) => code,
            Err(_) | Ok(_) => "",
        };
        assert_eq!(rule(t.app.log_key_retire()), "log_rotation_not_begun");
        let new = VerifierKey::parse(&t.app.log_key_rotate().unwrap()).unwrap();
        assert_ne!(new, old);
        assert_eq!(rule(t.app.log_key_rotate()), "log_rotation_under_way");
        let both = t.app.checkpoint().unwrap();
        assert_eq!((signed(&first), signed(&both)), (1, 2));
        // Whoever has only one of them verifies what it signed; together, everything.
        for keys in [&[old.clone()][..], &[old.clone(), new.clone()]] {
            assert!(both.verify(old.name(), keys).is_ok());
            assert_eq!(flaw(&t, keys), None);
        }
        assert!(both.verify(new.name(), std::slice::from_ref(&new)).is_ok());
        // The record names the new key, for whoever trusts the old one only.
        let filter = LogFilter { action: Some("create".to_owned()), ..LogFilter::default() };
        let records = t.app.store().snapshot().unwrap().log_page(&filter, 50).unwrap();
        let named = format!("log_key:{new}");
        assert!(records.iter().any(|(_, body)| body.contains(&named)));

        assert_eq!(t.app.log_key_retire().unwrap(), new.to_string());
        t.write(|_, _| Ok(()));
        let last = t.app.checkpoint().unwrap();
        assert_eq!(signed(&last), 1);
        assert!(last.verify(new.name(), std::slice::from_ref(&new)).is_ok());
        assert!(last.verify(old.name(), std::slice::from_ref(&old)).is_err());
        assert_eq!(flaw(&t, &[old.clone(), new.clone()]), None);
        assert_eq!(flaw(&t, std::slice::from_ref(&old)), Some(Flaw::CheckpointSignature));
        assert_eq!(vkeys(), [old.to_string(), new.to_string()]);
        // And again: the change can be made as often as needed.
        let third = t.app.log_key_rotate().unwrap();
        assert_eq!(t.app.log_key_retire().unwrap(), third);
        assert_eq!(vkeys().len(), 3);
    }
}
