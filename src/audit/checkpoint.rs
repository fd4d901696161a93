//! Checkpoints (C2SP `tlog-checkpoint`): the size and root of the log, as the text of a signed note.
//!
//! INVARIANT: only committed sizes are signed; the caller takes size and root from a committed head.
//! This module does not compare checkpoints: see `tree::verify_consistency` and `verify`.

use std::fmt;

use data_encoding::BASE64;

use super::note::{Note, NoteError, NoteSignature, VerifierKey};
use super::tree::{Frontier, empty_root};
use crate::crypto::hash::Digest;
use crate::crypto::sign::SigningKey;

/// Why a checkpoint was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CheckpointError {
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    #[error("this checkpoint is of the log `{found}`, not of `{expected}`")]
    OtherLog { expected: String, found: String },
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// The end of a log at some moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Digest,
    extensions: Vec<String>,
}

/// Reads a decimal without sign or leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}

/// Reads a hash in base64.
pub(super) fn hash(text: &str) -> Option<Digest> {
    BASE64.decode(text.as_bytes()).ok()?.try_into().ok()
}

impl Checkpoint {
    /// The checkpoint of a committed head. Our log writes no extension line.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] when the origin cannot stand on a line of its own.
    pub fn of(origin: &str, frontier: &Frontier) -> Result<Self, CheckpointError> {
        check_line(origin)?;
        Ok(Self {
            origin: origin.to_owned(),
            size: frontier.size(),
            root: frontier.root(),
            extensions: Vec::new(),
        })
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Malformed("the last line does not end"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Malformed("fewer than three lines"));
        };
        check_line(origin)?;
        let size =
            decimal(size).ok_or(CheckpointError::Malformed("the second line is not the size of a tree"))?;
        let root = hash(root).ok_or(CheckpointError::Malformed("the third line is not a root in base64"))?;
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::Malformed("the root of an empty tree is not that one"));
        }
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        for line in &extensions {
            check_line(line)?;
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }

    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// Signs it under the origin as key name.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] when the origin cannot be the name of a key.
    pub fn sign(self, key: &SigningKey) -> Result<SignedCheckpoint, CheckpointError> {
        let note = Note::sign(self.to_string(), &self.origin, key)?;
        Ok(SignedCheckpoint { note, checkpoint: self })
    }
}

fn check_line(line: &str) -> Result<(), CheckpointError> {
    if line.is_empty() || line.chars().any(|c| u32::from(c) < 0x20) {
        return Err(CheckpointError::Malformed("an empty line, or a control character"));
    }
    Ok(())
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(&self.root))?;
        for line in &self.extensions {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// A checkpoint in its signed note; the signatures are checked by [`SignedCheckpoint::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCheckpoint {
    note: Note,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint, unverified.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let note = Note::parse(text)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { note, checkpoint })
    }

    /// The checkpoint, when it is of this log and signed by a key of this log.
    ///
    /// `keys` are the log's own; a witness's cosignature alone never makes a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn verify(&self, origin: &str, keys: &[VerifierKey]) -> Result<&Checkpoint, CheckpointError> {
        if self.checkpoint.origin != origin {
            return Err(CheckpointError::OtherLog {
                expected: origin.to_owned(),
                found: self.checkpoint.origin.clone(),
            });
        }
        // A key of another log that happens to be among them makes no checkpoint of this one.
        self.note.verify(keys.iter().filter(|key| key.name() == origin))?;
        Ok(&self.checkpoint)
    }

    /// What it claims, unverified: to choose which log and keys to ask.
    #[must_use]
    pub const fn claims(&self) -> &Checkpoint {
        &self.checkpoint
    }

    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// One more signature over the same text.
    ///
    /// # Errors
    /// [`CheckpointError::Note`].
    pub fn and_sign(self, name: &str, key: &SigningKey) -> Result<Self, CheckpointError> {
        Ok(Self { note: self.note.and_sign(name, key)?, checkpoint: self.checkpoint })
    }

    /// With the cosignatures of witnesses, unverified.
    #[must_use]
    pub fn with(self, more: impl IntoIterator<Item = NoteSignature>) -> Self {
        Self { note: self.note.with(more), checkpoint: self.checkpoint }
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    fn key() -> SigningKey {
        SigningKey::from_seed(&[5; 32]).unwrap()
    }

    #[test]
    fn a_checkpoint_reads_back_byte_for_byte_with_extensions() {
        for text in [
            format!("example.com/behind-the-sofa\n20852163\n{ROOT}\n"),
            format!("example.com/behind the sofa\n1\n{ROOT}\nextension\nanother one\n"),
            format!("example.com/behind the sofa\n0\n{}\n", BASE64.encode(&empty_root())),
        ] {
            assert_eq!(Checkpoint::parse(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_checkpoint_is_refused() {
        for bad in [
            String::new(),
            "o\n".to_owned(),
            format!("o\n1\n{ROOT}"),
            format!("\n1\n{ROOT}\n"),
            format!("o\n01\n{ROOT}\n"),
            format!("o\n+1\n{ROOT}\n"),
            format!("o\n-1\n{ROOT}\n"),
            format!("o\n\n{ROOT}\n"),
            format!("o\n99999999999999999999\n{ROOT}\n"),
            format!("o\n0\n{ROOT}\n"),
            "o\n1\nAAAA\n".to_owned(),
            format!("o\n1\n{}\n", ROOT.trim_end_matches('=')),
            format!("o\n1\n{ROOT}\n\n"),
            format!("o\n1\n{ROOT}\nx\n\n"),
        ] {
            assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_signed_checkpoint_is_of_its_own_log_only() {
        let mut frontier = Frontier::empty();
        frontier.append([1; 32]);
        let signed = Checkpoint::of("relais.example/journal", &frontier).unwrap().sign(&key()).unwrap();
        let again = SignedCheckpoint::parse(&signed.to_string()).unwrap();
        let keys = [VerifierKey::new("relais.example/journal", key().public()).unwrap()];
        assert_eq!(again.verify("relais.example/journal", &keys).unwrap().size(), 1);
        assert!(matches!(again.verify("other.example", &keys), Err(CheckpointError::OtherLog { .. })));
        assert_eq!(
            again.verify("relais.example/journal", &[]),
            Err(CheckpointError::Note(NoteError::NotSigned))
        );
        let overlap =
            again.and_sign("relais.example/journal", &SigningKey::from_seed(&[6; 32]).unwrap()).unwrap();
        assert!(overlap.verify("relais.example/journal", &keys).is_ok());
        assert!(Checkpoint::of("two\nlines", &frontier).is_err());
    }

    #[test]
    fn an_independent_reader_agrees_on_the_text() {
        let mut frontier = Frontier::empty();
        for n in 0..7 {
            frontier.append([n; 32]);
        }
        let ours = Checkpoint::of("relais.example/journal", &frontier).unwrap();
        let theirs = tlog_tiles::Checkpoint::from_bytes(ours.to_string().as_bytes()).unwrap();
        assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (ours.origin(), 7, *ours.root()));
    }
}
