//! Ed25519 (RFC 8032) for checkpoints.

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
