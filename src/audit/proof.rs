//! Offline receipts (C2SP `tlog-proof`): a checkpoint, an index and an inclusion proof in one text file.
//!
//! Whoever holds the body of a record, this file and the log's public key can check, without any server, that the
//! record is in the log. `extra` is not authenticated by the format; a receipt of ours carries there the exact body of its
//! record, which is believed only because its leaf hash is the one that the checkpoint attests.

use std::fmt;

use data_encoding::BASE64;

use super::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, decimal, hash};
use super::note::VerifierKey;
use super::tree::{TreeError, leaf_hash, verify_inclusion};
use crate::crypto::hash::Digest;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^64 leaves has no longer proof.
const MAX_HASHES: usize = 64;

/// Why a receipt was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProofError {
    #[error("not a receipt (`{HEADER}`): {0}")]
    Malformed(&'static str),
    #[error("this receipt does not carry its record: give the record beside it")]
    NoRecord,
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// A receipt, unverified until [`TlogProof::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    hashes: Vec<Digest>,
    checkpoint: SignedCheckpoint,
}

impl TlogProof {
    /// A receipt for leaf `index` against a signed checkpoint.
    ///
    /// # Errors
    /// [`ProofError::Tree`] when the index is not under the checkpoint.
    pub fn new(index: u64, hashes: Vec<Digest>, checkpoint: SignedCheckpoint) -> Result<Self, ProofError> {
        let size = checkpoint.claims().size();
        if index >= size {
            return Err(TreeError::OutOfTree { index, size }.into());
        }
        Ok(Self { extra: None, index, hashes, checkpoint })
    }

    /// The same receipt with the exact body of its record, so that it needs nothing beside it but the log's key.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] for a body without a byte: the format has no such line.
    pub fn with_record(self, body: &str) -> Result<Self, ProofError> {
        if body.is_empty() {
            return Err(ProofError::Malformed("an empty record"));
        }
        Ok(Self { extra: Some(body.as_bytes().to_vec()), ..self })
    }

    /// Reads a receipt, byte for byte as the format has it.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(ProofError::Malformed("no blank line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofError::Malformed("the first line is not its header"));
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            Some(encoded) => {
                let bytes = BASE64
                    .decode(encoded.as_bytes())
                    .map_err(|_| ProofError::Malformed("`extra` is not base64"))?;
                lines.next();
                // Two spellings of "nothing is carried" would be one too many.
                if bytes.is_empty() {
                    return Err(ProofError::Malformed("`extra` is empty"));
                }
                Some(bytes)
            }
            None => None,
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or(ProofError::Malformed("no line `index` with a number"))?;
        let hashes: Vec<Digest> = lines
            .map(hash)
            .collect::<Option<_>>()
            .ok_or(ProofError::Malformed("a hash is not base64 of 32 bytes"))?;
        if hashes.len() > MAX_HASHES {
            return Err(ProofError::Malformed("more hashes than any tree has levels"));
        }
        let checkpoint = SignedCheckpoint::parse(checkpoint)?;
        Ok(Self { extra, ..Self::new(index, hashes, checkpoint)? })
    }

    /// Checks that `body` is the record at the receipt's index, under a checkpoint signed by the log.
    ///
    /// # Errors
    /// [`ProofError`] with what does not hold.
    pub fn verify(&self, body: &[u8], origin: &str, keys: &[VerifierKey]) -> Result<&Checkpoint, ProofError> {
        let checkpoint = self.checkpoint.verify(origin, keys)?;
        verify_inclusion(&leaf_hash(body), self.index, checkpoint.size(), &self.hashes, checkpoint.root())?;
        Ok(checkpoint)
    }

    /// [`TlogProof::verify`] of the record that the receipt carries: the checkpoint, and the body it attests.
    ///
    /// # Errors
    /// [`ProofError::NoRecord`] where it carries none; else as [`TlogProof::verify`].
    pub fn verify_carried(
        &self,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<(&Checkpoint, &[u8]), ProofError> {
        let body = self.extra.as_deref().ok_or(ProofError::NoRecord)?;
        Ok((self.verify(body, origin, keys)?, body))
    }

    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", BASE64.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tree::{Frontier, LeafHashes, inclusion_proof};
    use crate::crypto::sign::SigningKey;

    const ORIGIN: &str = "relais.example/journal";

    fn keys() -> [VerifierKey; 1] {
        [VerifierKey::new(ORIGIN, SigningKey::from_seed(&[5; 32]).unwrap().public()).unwrap()]
    }

    fn body(n: u64) -> String {
        format!("{{\"n\":{n}}}")
    }

    fn receipt(index: u64, size: u64) -> TlogProof {
        let mut frontier = Frontier::empty();
        let mut leaves = LeafHashes::default();
        for n in 0..size {
            let hash = leaf_hash(body(n).as_bytes());
            frontier.append(hash);
            leaves.0.push(hash);
        }
        let key = SigningKey::from_seed(&[5; 32]).unwrap();
        let signed = Checkpoint::of(ORIGIN, &frontier).unwrap().sign(&key).unwrap();
        TlogProof::new(index, inclusion_proof(index, size, &mut leaves).unwrap(), signed).unwrap()
    }

    #[test]
    fn a_receipt_is_checked_offline_and_reads_back_byte_for_byte() {
        for (index, size) in [(0, 1), (0, 5), (4, 5), (37, 100)] {
            let text = receipt(index, size).to_string();
            let again = TlogProof::parse(&text).unwrap();
            assert_eq!(again.to_string(), text);
            assert_eq!(again.verify(body(index).as_bytes(), ORIGIN, &keys()).unwrap().size(), size);
            assert_eq!(
                again.verify(body(index + 1).as_bytes(), ORIGIN, &keys()),
                Err(ProofError::Tree(TreeError::OtherRoot))
            );
        }
        let with_extra = receipt(1, 3).to_string().replacen("\nindex", "\nextra AAEC\nindex", 1);
        let again = TlogProof::parse(&with_extra).unwrap();
        assert_eq!(again.to_string(), with_extra);
        assert!(again.verify(body(1).as_bytes(), ORIGIN, &keys()).is_ok());
        // Carried, but not the record that the checkpoint attests.
        assert_eq!(again.verify_carried(ORIGIN, &keys()), Err(ProofError::Tree(TreeError::OtherRoot)));
    }

    #[test]
    fn a_receipt_that_carries_its_record_needs_nothing_but_the_key() {
        let text = receipt(37, 100).with_record(&body(37)).unwrap().to_string();
        let again = TlogProof::parse(&text).unwrap();
        assert_eq!(again.to_string(), text);
        let (checkpoint, carried) = again.verify_carried(ORIGIN, &keys()).unwrap();
        assert_eq!((checkpoint.size(), carried), (100, body(37).as_bytes()));
        let bare = receipt(37, 100);
        assert_eq!(bare.verify_carried(ORIGIN, &keys()), Err(ProofError::NoRecord));
        let another = receipt(37, 100).with_record(&body(36)).unwrap();
        assert!(another.verify_carried(ORIGIN, &keys()).is_err());
        assert!(receipt(37, 100).with_record("").is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_receipt_is_refused() {
        let text = receipt(2, 5).to_string();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let verdict = TlogProof::parse(&text)
                    .and_then(|p| p.verify(body(2).as_bytes(), ORIGIN, &keys()).map(|_| ()));
                assert!(verdict.is_err(), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn what_is_not_a_receipt_is_refused() {
        let good = receipt(2, 5).to_string();
        for (from, to) in [
            ("@v1", "@v2"),
            ("index 2", "index 02"),
            ("index 2", "index 5"),
            ("index 2", "index"),
            ("index 2\n", ""),
            ("index 2", "extra !\nindex 2"),
            ("index 2", "extra \nindex 2"),
            ("index 2", "extra\nindex 2"),
            ("index 2", "index 2\nextra AAEC"),
            ("index 2", "index 2\nAAAA"),
            ("\n\n", "\n"),
        ] {
            assert!(TlogProof::parse(&good.replacen(from, to, 1)).is_err(), "{from} -> {to}");
        }
    }
}
