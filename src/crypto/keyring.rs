//! Makes, wraps, unwraps and derives the keys of an instance.
//!
//! ```text
//! KEK ─ wraps ─┬─ data key of a pathway ─ per-value keys (envelope), keyed digests
//!              ├─ data key of the instance ─ per-value keys, and the subkeys of [`InstanceKeys`]
//!              ├─ pseudonym key of a retention class and year
//!              └─ seed of the log's signing key
//! ```
//!
//! INVARIANT: a wrapped key is bound to its id, its owner and the key-encryption key: the database's owner
//! cannot give one pathway the key of another.
//! INVARIANT: nothing is remembered here. A caller that keeps a pathway's key beyond the snapshot in which it
//! read `destroyed_at` would undo an erasure.
//!
//! Not done here: storage, `destroyed_at`, deciding when a key dies.

use std::sync::Arc;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::envelope::{DataKey, DataKeyId};
use super::hash::Digest;
pub use super::instance_keys::{InstanceKeys, LoginIndex};
use super::kek::{KekId, KekProvider, WrapContext};
use super::sealing::{OpenError, SealError};
use super::sign::{SignError, SigningKey};
use crate::clock::{Chance, NoChance};
use crate::domain::record::RetentionClass;
use crate::ids::PathwayId;

/// To whom a wrapped key belongs; part of what it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOwner {
    Instance,
    Pathway(PathwayId),
    Pseudonyms {
        class: RetentionClass,
        year: i32,
    },
    /// The log's signing key, by the origin line of its checkpoints.
    Log {
        origin: String,
    },
}

impl KeyOwner {
    /// The stored form: `instance`, `pathway:<id>`, `pseudonyms:<class>:<year>`, `log:<origin>`.
    #[must_use]
    pub fn as_text(&self) -> String {
        match self {
            Self::Instance => "instance".to_owned(),
            Self::Pathway(id) => format!("pathway:{id}"),
            Self::Pseudonyms { class, year } => format!("pseudonyms:{}:{year}", class.code()),
            Self::Log { origin } => format!("log:{origin}"),
        }
    }

    /// Reads the stored form; only exactly what [`KeyOwner::as_text`] writes.
    ///
    /// # Errors
    /// [`InvalidKeyOwner`] otherwise.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyOwner> {
        let wrong = || InvalidKeyOwner;
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let owner = match kind {
            "instance" => Self::Instance,
            "pathway" => Self::Pathway(PathwayId::parse(rest).map_err(|_| wrong())?),
            "pseudonyms" => {
                let (class, year) = rest.split_once(':').ok_or_else(wrong)?;
                Self::Pseudonyms {
                    class: RetentionClass::parse(class).map_err(|_| wrong())?,
                    year: year.parse().map_err(|_| wrong())?,
                }
            }
            "log" if !rest.is_empty() => Self::Log { origin: rest.to_owned() },
            _unknown => return Err(wrong()),
        };
        if owner.as_text() == text { Ok(owner) } else { Err(wrong()) }
    }
}

/// Text that names no owner of a key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the owner of a key: the row was changed, or written by a newer version")]
pub struct InvalidKeyOwner;

/// A key as it is stored. Everything here may be in the database; none of it opens anything alone.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    pub key_id: DataKeyId,
    /// [`KekId`] as text.
    pub kek_id: String,
    pub wrapped: Vec<u8>,
    /// [`DataKey::commitment`]: stays the same when the key is wrapped anew.
    pub commit: Digest,
}

impl std::fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WrappedKey({} under {})", self.key_id, self.kek_id)
    }
}

/// Why a key could not be made or had.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error(
        "the key `{key_id}` is wrapped under the key-encryption key `{wanted}`, and the one given is `{given}`: point RELAIS_KEK_FILE at the right file, or finish `relais keys rotate`"
    )]
    OtherKek { key_id: DataKeyId, wanted: String, given: KekId },
    #[error(
        "the key `{key_id}` of `{owner}` does not unwrap: its row was changed or moved. Restore it from a backup and run `relais audit verify`"
    )]
    DoesNotUnwrap { key_id: DataKeyId, owner: String },
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// The one way to wrapped keys. Cheap to clone; holds the key-encryption key's provider and nothing else.
#[derive(Clone)]
pub struct Keyring {
    kek: Arc<dyn KekProvider>,
    /// The key before it, during a rotation: it opens what is not wrapped anew yet, and wraps nothing.
    previous: Option<Arc<dyn KekProvider>>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

impl Keyring {
    #[must_use]
    pub fn new(kek: Arc<dyn KekProvider>) -> Self {
        Self { kek, previous: None }
    }

    /// The same, which also opens what is still wrapped under the key before it.
    #[must_use]
    pub fn with_previous(self, previous: Arc<dyn KekProvider>) -> Self {
        Self { previous: Some(previous), ..self }
    }

    /// The provider of the key under which a row says it is wrapped.
    fn provider_of(&self, stored: &WrappedKey) -> Result<&dyn KekProvider, KeyringError> {
        let named = |kek: &&Arc<dyn KekProvider>| kek.kek_id().to_string() == stored.kek_id;
        match std::iter::once(&self.kek).chain(&self.previous).find(named) {
            Some(kek) => Ok(kek.as_ref()),
            None => Err(KeyringError::OtherKek {
                key_id: stored.key_id,
                wanted: stored.kek_id.clone(),
                given: self.kek_id(),
            }),
        }
    }

    #[must_use]
    pub fn kek_id(&self) -> KekId {
        self.kek.kek_id()
    }

    /// A new data key and what to store of it.
    ///
    /// # Errors
    /// No randomness, or the provider refused.
    pub fn new_data_key(
        &self,
        owner: &KeyOwner,
        chance: &dyn Chance,
    ) -> Result<(DataKey, WrappedKey), KeyringError> {
        let key = DataKey::generate(chance)?;
        let wrapped = self.wrap(owner, &key, chance)?;
        Ok((key, wrapped))
    }

    /// The data key of `owner`, in clear.
    ///
    /// # Errors
    /// [`KeyringError::OtherKek`] or [`KeyringError::DoesNotUnwrap`].
    pub fn unwrap_data_key(&self, owner: &KeyOwner, stored: &WrappedKey) -> Result<DataKey, KeyringError> {
        let kek = self.provider_of(stored)?;
        let (key_id, owner) = (stored.key_id.to_string(), owner.as_text());
        let context = WrapContext { key_id: &key_id, owner: &owner };
        let refuse = || KeyringError::DoesNotUnwrap { key_id: stored.key_id, owner: owner.clone() };
        let secret = kek.unwrap(context, &stored.wrapped).map_err(|OpenError| refuse())?;
        let secret: [u8; 32] = secret.as_slice().try_into().map_err(|_| refuse())?;
        let key = DataKey::from_parts(stored.key_id, Zeroizing::new(secret));
        // THREAT: an older wrapping of another key under the same id.
        if bool::from(key.commitment().ct_eq(&stored.commit)) { Ok(key) } else { Err(refuse()) }
    }

    /// Wraps the same key under `new`, for rotation. The key, its id and its commitment stay; one row at a
    /// time, so a rotation can be interrupted and resumed: rows already under `new` come back unchanged.
    ///
    /// # Errors
    /// When it does not unwrap under either, or no randomness.
    pub fn rewrap(
        &self,
        new: &Self,
        owner: &KeyOwner,
        stored: &WrappedKey,
        chance: &dyn Chance,
    ) -> Result<WrappedKey, KeyringError> {
        if stored.kek_id == new.kek_id().to_string() {
            new.unwrap_data_key(owner, stored)?;
            return Ok(stored.clone());
        }
        let key = self.unwrap_data_key(owner, stored)?;
        new.wrap(owner, &key, chance)
    }

    /// A new key for the pseudonyms of one retention class and year. It derives from nothing, so that
    /// destroying its row unlinks that year's pseudonyms (SECURITY §1).
    ///
    /// # Errors
    /// No randomness, or the provider refused.
    pub fn new_pseudonym_key(
        &self,
        class: RetentionClass,
        year: i32,
        chance: &dyn Chance,
    ) -> Result<(PseudonymKey, WrappedKey), KeyringError> {
        let (key, wrapped) = self.new_data_key(&KeyOwner::Pseudonyms { class, year }, chance)?;
        Ok((PseudonymKey(key.subkey("pseudonym")), wrapped))
    }

    /// The pseudonym key of one retention class and year.
    ///
    /// # Errors
    /// As [`Keyring::unwrap_data_key`].
    pub fn unwrap_pseudonym_key(
        &self,
        class: RetentionClass,
        year: i32,
        stored: &WrappedKey,
    ) -> Result<PseudonymKey, KeyringError> {
        let key = self.unwrap_data_key(&KeyOwner::Pseudonyms { class, year }, stored)?;
        Ok(PseudonymKey(key.subkey("pseudonym")))
    }

    /// A new signing key for the log with this origin line; its seed is stored wrapped only.
    ///
    /// # Errors
    /// No randomness, or the provider refused.
    pub fn new_log_key(
        &self,
        origin: &str,
        chance: &dyn Chance,
    ) -> Result<(SigningKey, WrappedKey), KeyringError> {
        let owner = KeyOwner::Log { origin: origin.to_owned() };
        let (key, wrapped) = self.new_data_key(&owner, chance)?;
        Ok((SigningKey::from_seed(key.secret())?, wrapped))
    }

    /// The same for a log whose origin line bears part of its key: the line, the key, and its seed wrapped for that line.
    ///
    /// # Errors
    /// No randomness, or the provider refused.
    pub fn new_log_key_named(
        &self,
        name: impl FnOnce(&[u8; 32]) -> String,
        chance: &dyn Chance,
    ) -> Result<(String, SigningKey, WrappedKey), KeyringError> {
        let key = DataKey::generate(chance)?;
        let signing = SigningKey::from_seed(key.secret())?;
        let origin = name(&signing.public());
        let wrapped = self.wrap(&KeyOwner::Log { origin: origin.clone() }, &key, chance)?;
        Ok((origin, signing, wrapped))
    }

    /// The signing key of the log with this origin line.
    ///
    /// # Errors
    /// As [`Keyring::unwrap_data_key`].
    pub fn unwrap_log_key(&self, origin: &str, stored: &WrappedKey) -> Result<SigningKey, KeyringError> {
        let key = self.unwrap_data_key(&KeyOwner::Log { origin: origin.to_owned() }, stored)?;
        Ok(SigningKey::from_seed(key.secret())?)
    }

    fn wrap(&self, owner: &KeyOwner, key: &DataKey, chance: &dyn Chance) -> Result<WrappedKey, KeyringError> {
        let (key_id, owner) = (key.id().to_string(), owner.as_text());
        let context = WrapContext { key_id: &key_id, owner: &owner };
        let wrapped = self.kek.wrap(context, key.secret(), chance)?;
        Ok(WrappedKey {
            key_id: *key.id(),
            kek_id: self.kek_id().to_string(),
            wrapped,
            commit: key.commitment(),
        })
    }
}

/// Makes the pseudonyms of one retention class and year.
pub struct PseudonymKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PseudonymKey")
    }
}

impl PseudonymKey {
    /// The key itself, for the room that makes pseudonyms (`audit`).
    #[must_use]
    pub fn into_bytes(self) -> Zeroizing<[u8; 32]> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;
    use crate::crypto::envelope::Place;
    use crate::crypto::kek::{FileKek, KekPlacement};
    use crate::crypto::sign;

    const PLACE: Place<'static> = Place { table: "item_version", row: "a", column: "content", version: 1 };

    fn keyring(name: &str, folder: &std::path::Path) -> Keyring {
        let kek = FileKek::create(&folder.join(name), KekPlacement::Demonstration, &SystemChance::new());
        Keyring::new(Arc::new(kek.unwrap()))
    }

    fn pathway() -> KeyOwner {
        KeyOwner::Pathway(PathwayId::random(&SystemChance::new()).unwrap())
    }

    #[test]
    fn a_data_key_unwraps_for_its_owner_only() {
        let (folder, chance) = (tempfile::tempdir().unwrap(), SystemChance::new());
        let keyring = keyring("kek", folder.path());
        let (owner, other) = (pathway(), pathway());
        let (key, stored) = keyring.new_data_key(&owner, &chance).unwrap();
        let sealed = key.seal(PLACE, b"mot", &chance).unwrap();
        drop(key);
        let again = keyring.unwrap_data_key(&owner, &stored).unwrap();
        assert_eq!(again.open(PLACE, &sealed).unwrap().as_slice(), b"mot");
        for wrong in [&other, &KeyOwner::Instance] {
            let refused = keyring.unwrap_data_key(wrong, &stored);
            assert!(matches!(refused, Err(KeyringError::DoesNotUnwrap { .. })));
        }
        // THREAT: the database's owner moves a wrapped key to another row, or mixes two rows.
        let (_, second) = keyring.new_data_key(&owner, &chance).unwrap();
        for mixed in [
            WrappedKey { key_id: second.key_id, ..stored.clone() },
            WrappedKey { wrapped: second.wrapped.clone(), ..stored.clone() },
            WrappedKey { commit: second.commit, ..stored.clone() },
        ] {
            assert!(matches!(
                keyring.unwrap_data_key(&owner, &mixed),
                Err(KeyringError::DoesNotUnwrap { .. })
            ));
        }
        for at in 0..stored.wrapped.len() {
            let mut damaged = stored.clone();
            damaged.wrapped[at] ^= 1;
            assert!(keyring.unwrap_data_key(&owner, &damaged).is_err(), "byte {at}");
        }
    }

    #[test]
    fn owners_read_back_and_nothing_else_does() {
        let class = RetentionClass::Technical;
        let log = KeyOwner::Log { origin: "a.example:8443/log".to_owned() };
        for owner in [KeyOwner::Instance, pathway(), KeyOwner::Pseudonyms { class, year: 2026 }, log] {
            assert_eq!(KeyOwner::parse(&owner.as_text()), Ok(owner));
        }
        for bad in ["", "instance:", "Instance", "pathway:", "pathway:x", "log:", "pseudonyms:technical"] {
            assert_eq!(KeyOwner::parse(bad), Err(InvalidKeyOwner), "{bad}");
        }
        for bad in ["pseudonyms:technical:02026", "pseudonyms:technical:+2026", "pseudonyms:other:2026"] {
            assert_eq!(KeyOwner::parse(bad), Err(InvalidKeyOwner), "{bad}");
        }
    }

    #[test]
    fn a_wrapped_key_does_not_contain_its_key() {
        let (folder, chance) = (tempfile::tempdir().unwrap(), SystemChance::new());
        let keyring = keyring("kek", folder.path());
        let (key, stored) = keyring.new_data_key(&KeyOwner::Instance, &chance).unwrap();
        let secret = key.secret();
        assert!(!stored.wrapped.windows(8).any(|w| secret.windows(8).any(|s| s == w)));
        assert_eq!(
            format!("{stored:?} {keyring:?}"),
            format!("WrappedKey({} under {}) Keyring", key.id(), keyring.kek_id())
        );
    }

    #[test]
    fn rotation_rewraps_keeps_the_data_and_can_be_resumed() {
        let (folder, chance) = (tempfile::tempdir().unwrap(), SystemChance::new());
        let (old, new) = (keyring("old", folder.path()), keyring("new", folder.path()));
        let owner = pathway();
        let (key, stored) = old.new_data_key(&owner, &chance).unwrap();
        let sealed = key.seal(PLACE, b"mot", &chance).unwrap();
        let rewrapped = old.rewrap(&new, &owner, &stored, &chance).unwrap();
        assert_eq!((rewrapped.key_id, rewrapped.commit), (stored.key_id, stored.commit));
        assert_eq!(rewrapped.kek_id, new.kek_id().to_string());
        let again = new.unwrap_data_key(&owner, &rewrapped).unwrap();
        assert_eq!(again.open(PLACE, &sealed).unwrap().as_slice(), b"mot");
        assert!(matches!(old.unwrap_data_key(&owner, &rewrapped), Err(KeyringError::OtherKek { .. })));
        assert!(matches!(new.unwrap_data_key(&owner, &stored), Err(KeyringError::OtherKek { .. })));
        assert_eq!(old.rewrap(&new, &owner, &rewrapped, &chance).unwrap(), rewrapped);
        assert!(old.rewrap(&new, &pathway(), &rewrapped, &chance).is_err());
        // THREAT: a row that says it is under another key than it is.
        let lying = WrappedKey { kek_id: new.kek_id().to_string(), ..stored };
        assert!(matches!(new.unwrap_data_key(&owner, &lying), Err(KeyringError::DoesNotUnwrap { .. })));
    }

    #[test]
    fn during_a_rotation_both_keys_open_and_only_the_new_one_wraps() {
        let (folder, chance) = (tempfile::tempdir().unwrap(), SystemChance::new());
        let open = |name: &str| -> Arc<dyn KekProvider> {
            Arc::new(FileKek::open(&folder.path().join(name), KekPlacement::Demonstration).unwrap())
        };
        let old = keyring("old", folder.path());
        let new = keyring("new", folder.path());
        let both = Keyring::new(open("new")).with_previous(open("old"));
        let owner = pathway();
        let (key, stored) = old.new_data_key(&owner, &chance).unwrap();
        assert_eq!(both.unwrap_data_key(&owner, &stored).unwrap().id(), key.id());
        assert_eq!(both.new_data_key(&owner, &chance).unwrap().1.kek_id, new.kek_id().to_string());
        let rewrapped = both.rewrap(&both, &owner, &stored, &chance).unwrap();
        assert_eq!(new.unwrap_data_key(&owner, &rewrapped).unwrap().secret(), key.secret());
        // THREAT: a row under the old key that says it is under the new one, or under neither.
        let lying = WrappedKey { kek_id: new.kek_id().to_string(), ..stored.clone() };
        assert!(matches!(both.unwrap_data_key(&owner, &lying), Err(KeyringError::DoesNotUnwrap { .. })));
        let other = WrappedKey { kek_id: "00".repeat(8), ..stored };
        assert!(matches!(both.unwrap_data_key(&owner, &other), Err(KeyringError::OtherKek { .. })));
    }

    #[test]
    fn keys_of_pseudonyms_differ_by_class_and_year_and_come_back_from_storage() {
        let (folder, chance) = (tempfile::tempdir().unwrap(), SystemChance::new());
        let keyring = keyring("kek", folder.path());
        let class = RetentionClass::Technical;
        let (this, stored) = keyring.new_pseudonym_key(class, 2026, &chance).unwrap();
        let (next, _) = keyring.new_pseudonym_key(class, 2027, &chance).unwrap();
        let bytes = this.into_bytes();
        assert_eq!(*keyring.unwrap_pseudonym_key(class, 2026, &stored).unwrap().into_bytes(), *bytes);
        assert_ne!(*next.into_bytes(), *bytes);
        assert!(keyring.unwrap_pseudonym_key(class, 2027, &stored).is_err());
        assert!(keyring.unwrap_pseudonym_key(RetentionClass::Disclosure, 2026, &stored).is_err());
    }

    #[test]
    fn the_log_key_comes_back_from_storage_for_its_origin_only() {
        let (folder, chance) = (tempfile::tempdir().unwrap(), SystemChance::new());
        let keyring = keyring("kek", folder.path());
        let (key, stored) = keyring.new_log_key("relais.example/log", &chance).unwrap();
        let again = keyring.unwrap_log_key("relais.example/log", &stored).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(sign::verify(&key.public(), b"root", &again.sign(b"root")));
        assert!(keyring.unwrap_log_key("relais.example/other", &stored).is_err());
        assert!(keyring.unwrap_data_key(&KeyOwner::Instance, &stored).is_err());
    }
}
