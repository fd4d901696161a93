//! Data keys and the values sealed under them.
//!
//! A pathway has a data key, the instance has one. A value is sealed for one [`Place`]: moved to another row,
//! column, table, row version or key, it no longer opens. Destroying the wrapped data key erases everything
//! under it.
//!
//! Not done here: wrapping data keys (`kek`, `keyring`), storing them, remembering them between requests.

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::hash::{Digest, hmac_sha256};
use super::sealing::{self, ID_LEN, length_prefixed};
pub use super::sealing::{OpenError, SealError};
use crate::clock::{Chance, NoChance};

const VALUE_LABEL: &str = "relais/value/1";
const SUBKEY_SALT: &[u8] = b"relais/subkey/1";
/// Labels of [`DataKey::keyed_digest`] are the callers': another salt keeps them apart from this room's own.
const DIGEST_SALT: &[u8] = b"relais/digest/1";

/// Names a data key: 8 random bytes, 16 hexadecimal characters as text. Not a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataKeyId([u8; ID_LEN]);

/// Text that is not the id of a data key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the id of a key (16 hexadecimal characters)")]
pub struct InvalidDataKeyId;

impl DataKeyId {
    /// A new id.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random(chance: &dyn Chance) -> Result<Self, NoChance> {
        let mut id = [0_u8; ID_LEN];
        chance.fill(&mut id)?;
        Ok(Self(id))
    }

    /// Reads the 16 hexadecimal characters of its `Display`.
    ///
    /// # Errors
    /// For any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidDataKeyId> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| InvalidDataKeyId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidDataKeyId)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ID_LEN] {
        &self.0
    }
}

impl std::fmt::Display for DataKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::fmt::Debug for DataKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKeyId({self})")
    }
}

/// Where a sealed value lives. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub table: &'static str,
    /// The row's primary key as text.
    pub row: &'a str,
    pub column: &'static str,
    /// The version of the row in which this value was written.
    pub version: i64,
}

/// A data key, in clear. Wiped when dropped; its `Debug` prints the type name; it cannot be cloned.
pub struct DataKey {
    id: DataKeyId,
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

impl DataKey {
    pub(super) fn generate(chance: &dyn Chance) -> Result<Self, NoChance> {
        let mut key = Zeroizing::new([0_u8; 32]);
        chance.fill(key.as_mut())?;
        Ok(Self { id: DataKeyId::random(chance)?, key })
    }

    pub(super) fn from_parts(id: DataKeyId, key: Zeroizing<[u8; 32]>) -> Self {
        Self { id, key }
    }

    pub(super) fn secret(&self) -> &[u8; 32] {
        &self.key
    }

    #[must_use]
    pub const fn id(&self) -> &DataKeyId {
        &self.id
    }

    /// Seals `plaintext` for `place`. Two sealings of one text differ.
    ///
    /// # Errors
    /// Too long a text, or no randomness.
    pub fn seal(
        &self,
        place: Place<'_>,
        plaintext: &[u8],
        chance: &dyn Chance,
    ) -> Result<Vec<u8>, SealError> {
        let version = place.version.to_be_bytes();
        sealing::seal(&self.key, &self.id.0, VALUE_LABEL, &fields(&place, &version), plaintext, chance)
    }

    /// Opens what [`DataKey::seal`] made for the same place.
    ///
    /// # Errors
    /// [`OpenError`] for anything else, without saying why.
    pub fn open(&self, place: Place<'_>, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let version = place.version.to_be_bytes();
        sealing::open(&self.key, &self.id.0, VALUE_LABEL, &fields(&place, &version), bytes)
    }

    /// HMAC-SHA-256 of `parts` (length-prefixed) under a subkey for `label`: the digest to store where a plain
    /// hash would let somebody guess the text.
    #[must_use]
    pub fn keyed_digest(&self, label: &'static str, parts: &[&[u8]]) -> Digest {
        keyed_digest(&self.derive(DIGEST_SALT, label), parts)
    }

    /// A public commitment to this key: whoever unwraps a key checks that it is the one that was made.
    /// The key is 256 random bits, so this tells nothing about it, even after its destruction.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        keyed_digest(&self.subkey("commitment"), &[&self.id.0])
    }

    pub(super) fn subkey(&self, label: &'static str) -> Zeroizing<[u8; 32]> {
        self.derive(SUBKEY_SALT, label)
    }

    /// HKDF-SHA-256 (RFC 5869) for one block of output, written out because it then cannot fail.
    fn derive(&self, salt: &[u8], label: &'static str) -> Zeroizing<[u8; 32]> {
        let prk = Zeroizing::new(hmac_sha256(salt, &[self.key.as_ref()]));
        Zeroizing::new(hmac_sha256(prk.as_ref(), &[label.as_bytes(), &[1]]))
    }
}

fn fields<'a>(place: &'a Place<'_>, version: &'a [u8; 8]) -> [&'a [u8]; 4] {
    [place.table.as_bytes(), place.row.as_bytes(), place.column.as_bytes(), version]
}

pub(super) fn keyed_digest(key: &[u8; 32], parts: &[&[u8]]) -> Digest {
    let mut message =
        Zeroizing::new(Vec::with_capacity(parts.iter().map(|p| p.len().saturating_add(8)).sum()));
    length_prefixed(&mut message, parts);
    hmac_sha256(key, &[&message])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;

    const PLACE: Place<'static> = Place { table: "item_version", row: "abc", column: "content", version: 3 };

    fn key() -> DataKey {
        DataKey::generate(&SystemChance::new()).unwrap()
    }

    #[test]
    fn a_value_reads_back_and_two_sealings_differ() {
        let (key, chance) = (key(), SystemChance::new());
        for text in ["", "a", "Il a dit que l'école lui manque.", &"é".repeat(5000)] {
            let one = key.seal(PLACE, text.as_bytes(), &chance).unwrap();
            let two = key.seal(PLACE, text.as_bytes(), &chance).unwrap();
            assert_ne!(one, two);
            assert_eq!(key.open(PLACE, &one).unwrap().as_slice(), text.as_bytes());
        }
    }

    /// THREAT: whoever can write the database moves a ciphertext to where they may read it.
    #[test]
    fn a_value_moved_to_another_place_or_key_does_not_open() {
        let (key, chance) = (key(), SystemChance::new());
        let sealed = key.seal(PLACE, b"mot", &chance).unwrap();
        let elsewhere = [
            Place { table: "note", ..PLACE },
            Place { row: "abd", ..PLACE },
            Place { column: "title", ..PLACE },
            Place { version: 4, ..PLACE },
            Place { version: 2, ..PLACE },
            Place { version: -3, ..PLACE },
            Place { table: "item_versionabc", row: "", ..PLACE },
        ];
        for place in elsewhere {
            assert_eq!(key.open(place, &sealed), Err(OpenError), "{place:?}");
        }
        let other = DataKey::generate(&chance).unwrap();
        assert_eq!(other.open(PLACE, &sealed), Err(OpenError));
        // Same secret under another id, and another secret under the same id.
        let renamed = DataKey::from_parts(*other.id(), key.key.clone());
        assert_eq!(renamed.open(PLACE, &sealed), Err(OpenError));
        let impostor = DataKey::from_parts(*key.id(), other.key.clone());
        assert_eq!(impostor.open(PLACE, &sealed), Err(OpenError));
        assert!(key.open(PLACE, &sealed).is_ok());
    }

    #[test]
    fn every_flipped_byte_and_every_truncation_is_refused() {
        let (key, chance) = (key(), SystemChance::new());
        let sealed = key.seal(PLACE, b"Il a peur de rentrer.", &chance).unwrap();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut damaged = sealed.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(key.open(PLACE, &damaged), Err(OpenError), "byte {at} bit {bit}");
            }
            assert_eq!(key.open(PLACE, &sealed[..at]), Err(OpenError), "cut at {at}");
        }
        let mut longer = sealed.clone();
        longer.push(0);
        assert_eq!(key.open(PLACE, &longer), Err(OpenError));
        assert!(key.open(PLACE, &sealed).is_ok());
    }

    /// THREAT: bytes of one value grafted onto another of the same key and place.
    #[test]
    fn two_values_do_not_mix() {
        let (key, chance) = (key(), SystemChance::new());
        let one = key.seal(PLACE, b"premier", &chance).unwrap();
        let two = key.seal(PLACE, b"second.", &chance).unwrap();
        for cut in [26, 58, one.len() - 16] {
            let mixed = [&one[..cut], &two[cut..]].concat();
            assert_eq!(key.open(PLACE, &mixed), Err(OpenError), "cut at {cut}");
        }
    }

    #[test]
    fn a_keyed_digest_depends_on_key_label_and_limits_of_parts() {
        let (one, two) = (key(), key());
        let digest = one.keyed_digest("notice", &[b"ab", b"c"]);
        assert_eq!(digest, one.keyed_digest("notice", &[b"ab", b"c"]));
        assert_ne!(digest, one.keyed_digest("notice", &[b"a", b"bc"]));
        assert_ne!(digest, one.keyed_digest("view", &[b"ab", b"c"]));
        assert_ne!(digest, two.keyed_digest("notice", &[b"ab", b"c"]));
        assert_ne!(digest, crate::crypto::hash::sha256(&[b"abc"]));
    }

    #[test]
    fn a_subkey_is_hkdf_of_the_key() {
        let key = key();
        let mut expected = [0_u8; 32];
        sealing::hkdf_sha256(SUBKEY_SALT, key.secret(), b"login", &mut expected).unwrap();
        assert_eq!(*key.subkey("login"), expected);
        // A caller's label never yields a subkey of this room.
        assert_ne!(key.keyed_digest("login", &[b"a"]), keyed_digest(&key.subkey("login"), &[b"a"]));
    }

    #[test]
    fn an_id_reads_back_and_a_key_never_prints() {
        let key = key();
        assert_eq!(DataKeyId::parse(&key.id().to_string()), Ok(*key.id()));
        for bad in ["", "00", "ABCDEF0123456789", "zz00000000000000", "000000000000000000"] {
            assert_eq!(DataKeyId::parse(bad), Err(InvalidDataKeyId), "{bad}");
        }
        assert_eq!(format!("{key:?}"), "DataKey");
    }
}
