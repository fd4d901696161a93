//! Cosignatures of witnesses (C2SP `tlog-cosignature`, Ed25519, `cosignature/v1`): « at this time, this checkpoint was
//! the longest that I had seen of this log, and it continues all that I saw before ».
//!
//! The bytes are eight of time (seconds, big-endian) and a signature over `cosignature/v1`, that time, and the text of
//! the note. INVARIANT: a cosignature never makes a checkpoint by itself: the log's own signature is checked apart
//! ([`SignedCheckpoint::verify`]).

use std::fmt;

use super::checkpoint::SignedCheckpoint;
use super::note::{NamedKey, NoteError, NoteSignature};
use crate::clock::Timestamp;
use crate::crypto::sign::{self, SigningKey};

/// The signature type of timestamped Ed25519 cosignatures.
const COSIGNATURE: u8 = 0x04;
/// How far a witness's clock may be ahead of ours, in seconds.
const CLOCK_TOLERANCE: u64 = 24 * 3600;

/// Why a cosignature does not count.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CosignatureError {
    #[error("the cosignature of `{0}` is malformed")]
    Malformed(String),
    #[error("the cosignature of `{0}` does not verify; do not trust this checkpoint")]
    Bad(String),
    #[error("the cosignature of `{0}` is dated in the future")]
    Future(String),
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// A witness's public key with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessKey(NamedKey);

impl WitnessKey {
    /// Reads `<name>+<id in hexadecimal>+<base64 of 0x04 and the key>`.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        Ok(Self(NamedKey::parse(COSIGNATURE, text)?))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The key without its name.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.0.public
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a witness cosigns with.
#[derive(Debug)]
pub struct Cosigner {
    key: SigningKey,
    public: WitnessKey,
}

fn message(at: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.micros().div_euclid(1_000_000)).unwrap_or(0)
}

impl Cosigner {
    /// A witness of this name.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &str, key: SigningKey) -> Result<Self, NoteError> {
        let public = WitnessKey(NamedKey::new(COSIGNATURE, name, key.public())?);
        Ok(Self { key, public })
    }

    /// What others know it by.
    #[must_use]
    pub const fn public(&self) -> &WitnessKey {
        &self.public
    }

    /// Cosigns a checkpoint, unconditionally: `witness::judge` comes before.
    #[must_use]
    pub fn cosign(&self, checkpoint: &SignedCheckpoint, at: Timestamp) -> NoteSignature {
        let at = seconds(at);
        let mut bytes = at.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.sign(message(at, checkpoint.note().text()).as_bytes()));
        NoteSignature::of(&self.public.0, bytes)
    }
}

impl SignedCheckpoint {
    /// When this witness cosigned it; `None` if it did not.
    ///
    /// # Errors
    /// [`CosignatureError`]: a known witness's cosignature that is wrong, given twice, or of the future spoils the note.
    pub fn cosigned(&self, key: &WitnessKey, now: Timestamp) -> Result<Option<Timestamp>, CosignatureError> {
        let name = || key.name().to_owned();
        let Some(bytes) = key.0.signature_in(self.note())? else { return Ok(None) };
        let Some((at, signature)) = bytes.split_first_chunk::<8>().filter(|(_, rest)| rest.len() == 64)
        else {
            return Err(CosignatureError::Malformed(name()));
        };
        let at = u64::from_be_bytes(*at);
        let Some(micros) = i64::try_from(at).ok().and_then(|s| s.checked_mul(1_000_000)) else {
            return Err(CosignatureError::Malformed(name()));
        };
        if !sign::verify(key.public(), message(at, self.note().text()).as_bytes(), signature) {
            return Err(CosignatureError::Bad(name()));
        }
        if at > seconds(now).saturating_add(CLOCK_TOLERANCE) {
            return Err(CosignatureError::Future(name()));
        }
        Ok(Some(Timestamp::from_micros(micros)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Checkpoint;
    use crate::audit::tree::Frontier;

    fn signed(leaf: u8) -> SignedCheckpoint {
        let mut frontier = Frontier::empty();
        frontier.append([leaf; 32]);
        let key = SigningKey::from_seed(&[5; 32]).unwrap();
        Checkpoint::of("relais.example/journal", &frontier).unwrap().sign(&key).unwrap()
    }

    fn witness(seed: u8) -> Cosigner {
        Cosigner::new("w.example/temoin", SigningKey::from_seed(&[seed; 32]).unwrap()).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(0).plus_seconds(seconds)
    }

    #[test]
    fn a_cosignature_says_when_and_is_of_one_checkpoint_and_one_key() {
        let w = witness(7);
        let cosigned = signed(1).with([w.cosign(&signed(1), at(1_750_000_000))]);
        let again = SignedCheckpoint::parse(&cosigned.to_string()).unwrap();
        assert_eq!(again.cosigned(w.public(), at(1_750_000_100)), Ok(Some(at(1_750_000_000))));
        assert_eq!(WitnessKey::parse(&w.public().to_string()).as_ref(), Ok(w.public()));
        assert_eq!(again.cosigned(witness(8).public(), at(1_750_000_100)), Ok(None));
        assert_eq!(signed(1).cosigned(w.public(), at(1_750_000_100)), Ok(None));
        let name = || "w.example/temoin".to_owned();
        // Far behind the witness's clock, and of another checkpoint.
        assert_eq!(again.cosigned(w.public(), at(1)), Err(CosignatureError::Future(name())));
        let other = signed(2).with([w.cosign(&signed(1), at(9))]);
        assert_eq!(other.cosigned(w.public(), at(9)), Err(CosignatureError::Bad(name())));
        let twice = signed(1).with([w.cosign(&signed(1), at(8)), w.cosign(&signed(1), at(9))]);
        assert_eq!(twice.cosigned(w.public(), at(9)), Err(NoteError::Twice(name()).into()));
    }

    #[test]
    fn every_flipped_bit_of_a_cosignature_is_refused() {
        let w = witness(7);
        let whole = signed(1);
        let line = w.cosign(&whole, at(1_750_000_000)).to_string();
        for at_byte in 0..line.len() {
            for bit in 0..8 {
                let mut bytes = line.clone().into_bytes();
                bytes[at_byte] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let verdict = NoteSignature::parse(&text)
                    .map(|s| whole.clone().with([s]).cosigned(w.public(), at(1_750_000_100)));
                // Unreadable, wrong, or of somebody else (another name, another id).
                assert!(!matches!(verdict, Ok(Ok(Some(_)))), "byte {at_byte} bit {bit}");
            }
        }
    }
}
