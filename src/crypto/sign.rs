//! Ed25519 (RFC 8032) for checkpoints and their cosignatures.
//!
//! `ring` checks a signature strictly, but takes any public key that is a point. [`is_doubtful`] names the keys that no
//! honest generator makes: of small order, or written otherwise than in the only way. It does no arithmetic on the
//! curve: a key with a hidden part of small order beside an honest one is not seen here (the second verifier sees it).

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::clock::{Chance, NoChance};

/// A signing key. Its `Debug` prints the type name only.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The seed is not a usable Ed25519 seed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the signing key is not a 32-byte Ed25519 seed")]
    Seed,
    #[error(transparent)]
    Chance(#[from] NoChance),
}

impl SigningKey {
    /// A new key from 32 random bytes.
    ///
    /// # Errors
    /// [`SignError::Chance`] when the system has no randomness.
    pub fn generate(chance: &dyn Chance) -> Result<Self, SignError> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        chance.fill(seed.as_mut())?;
        Self::from_seed(seed.as_ref())
    }

    /// Reads a 32-byte seed.
    ///
    /// # Errors
    /// [`SignError::Seed`] for any other length.
    pub fn from_seed(bytes: &[u8]) -> Result<Self, SignError> {
        let seed: [u8; 32] = bytes.try_into().map_err(|_| SignError::Seed)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| SignError::Seed)?;
        Ok(Self { seed: Zeroizing::new(seed), pair })
    }

    /// The seed, to be sealed before it is stored.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        let mut out = [0_u8; 32];
        for (to, from) in out.iter_mut().zip(self.pair.public_key().as_ref()) {
            *to = *from;
        }
        out
    }

    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0_u8; 64];
        for (to, from) in out.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *to = *from;
        }
        out
    }
}

/// Whether `signature` over `message` verifies under `public` (strict, constant-time inside ring).
#[must_use]
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

/// The ordinates of the points of small order, little-endian, without their sign bit.
const SMALL_ORDER: [[u8; 32]; 5] = [
    ordinate(0, 0, 0),
    ordinate(1, 0, 0),
    // p − 1: the point of order two.
    ordinate(0xec, 0xff, 0x7f),
    // The points of order eight.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// A number of 32 bytes: the first, the thirty in between, the last.
const fn ordinate(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut out = [middle; 32];
    let [head, .., tail] = &mut out;
    *head = first;
    *tail = last;
    out
}

/// Whether a public key is of small order, or is not in its only encoding.
///
/// THREAT: under a key of small order, one signature serves many messages.
#[must_use]
pub fn is_doubtful(public: &[u8; 32]) -> bool {
    let mut y = *public;
    let [first, middle @ .., last] = &mut y;
    *last &= 0x7f;
    // 2^255 − 19 and what comes after it: another spelling of a small number.
    let beyond_field = *last == 0x7f && middle.iter().all(|b| *b == 0xff) && *first >= 0xed;
    beyond_field || SMALL_ORDER.contains(&y)
}
