//! The protocol between a log and its witnesses (C2SP `tlog-witness`): `add-checkpoint`, as bytes and as a judgement.
//!
//! INVARIANT: a witness cosigns only what continues the last that it cosigned ([`judge`]); keeping that one, and keeping
//! it before answering, is its caller's work.
//! No request and no file is known here.

use std::fmt;

use data_encoding::BASE64;

use super::checkpoint::{Checkpoint, SignedCheckpoint, decimal, hash};
use super::note::{NoteSignature, VerifierKey};
use super::tree::{TreeError, verify_consistency};
use crate::crypto::hash::Digest;

/// A proof is never longer than a tree is high.
const MAX_HASHES: usize = 63;
/// The media type of the answer that says how long the log is that a witness knows.
pub const SIZE_MEDIA: &str = "text/x.tlog.size";

/// Why a request is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a request to a witness: {0}")]
pub struct RequestError(&'static str);

/// A request to cosign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    old: u64,
    proof: Vec<Digest>,
    checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// Asks for a cosignature, with the proof that the checkpoint continues the log of `old` records.
    #[must_use]
    pub const fn new(old: u64, proof: Vec<Digest>, checkpoint: SignedCheckpoint) -> Self {
        Self { old, proof, checkpoint }
    }

    /// Reads a request, byte for byte as the protocol has it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(body: &str) -> Result<Self, RequestError> {
        let (head, checkpoint) =
            body.split_once("\n\n").ok_or(RequestError("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(decimal)
            .ok_or(RequestError("the first line is not `old` and a size"))?;
        let proof: Vec<Digest> = lines
            .map(hash)
            .collect::<Option<_>>()
            .ok_or(RequestError("a line of the proof is not base64 of 32 bytes"))?;
        if proof.len() > MAX_HASHES {
            return Err(RequestError("more hashes than any tree has levels"));
        }
        let checkpoint = SignedCheckpoint::parse(checkpoint)
            .map_err(|_| RequestError("what follows the empty line is not a checkpoint"))?;
        Ok(Self { old, proof, checkpoint })
    }

    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", BASE64.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The request is none, or goes back.
    Malformed,
    /// It does not know this log.
    UnknownLog,
    /// It knows the log, and none of the keys that signed.
    UnknownKey,
    /// It knows the log of so many records; or of as many, and another.
    Conflict(u64),
    /// The log does not continue the one that it knows.
    BadProof,
}

/// Whether this continues the last checkpoint that was cosigned of that log (`None`: there was none yet).
///
/// # Errors
/// [`Refused`], in the order that the protocol asks for.
pub fn judge(
    request: &AddCheckpoint,
    logs: &[VerifierKey],
    last: Option<&Checkpoint>,
) -> Result<(), Refused> {
    let claims = request.checkpoint.claims();
    if !logs.iter().any(|key| key.name() == claims.origin()) {
        return Err(Refused::UnknownLog);
    }
    request.checkpoint.verify(claims.origin(), logs).map_err(|_| Refused::UnknownKey)?;
    if request.old > claims.size() {
        return Err(Refused::Malformed);
    }
    let known = last.map_or(0, Checkpoint::size);
    if request.old != known {
        return Err(Refused::Conflict(known));
    }
    match last.filter(|_| known > 0) {
        // Every log continues the empty one: the protocol wants no proof of it, and takes none.
        None if request.proof.is_empty() => Ok(()),
        None => Err(Refused::BadProof),
        Some(last) => {
            match verify_consistency(known, claims.size(), &request.proof, last.root(), claims.root()) {
                Ok(()) => Ok(()),
                Err(TreeError::OtherRoot) if known == claims.size() => Err(Refused::Conflict(known)),
                Err(_) => Err(Refused::BadProof),
            }
        }
    }
}

/// What a witness answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Its cosignatures, and maybe those of others.
    Cosigned(Vec<NoteSignature>),
    Refused(Refused),
    /// Anything else: not the protocol.
    Other(u16),
}

impl Reply {
    /// As it goes over the wire: status and body.
    #[must_use]
    pub fn wire(&self) -> (u16, String) {
        match self {
            Self::Cosigned(lines) => (200, lines.iter().map(|line| format!("{line}\n")).collect()),
            Self::Refused(Refused::Malformed) => (400, String::new()),
            Self::Refused(Refused::UnknownKey) => (403, String::new()),
            Self::Refused(Refused::UnknownLog) => (404, String::new()),
            Self::Refused(Refused::Conflict(size)) => (409, format!("{size}\n")),
            Self::Refused(Refused::BadProof) => (422, String::new()),
            Self::Other(status) => (*status, String::new()),
        }
    }

    /// Reads an answer. What does not read is [`Reply::Other`], never a yes.
    #[must_use]
    pub fn read(status: u16, body: &str) -> Self {
        let read = match status {
            200 => body
                .strip_suffix('\n')
                .and_then(|lines| lines.split('\n').map(NoteSignature::parse).collect::<Result<_, _>>().ok())
                .map(Self::Cosigned),
            400 => Some(Self::Refused(Refused::Malformed)),
            403 => Some(Self::Refused(Refused::UnknownKey)),
            404 => Some(Self::Refused(Refused::UnknownLog)),
            409 => {
                body.strip_suffix('\n').and_then(decimal).map(|size| Self::Refused(Refused::Conflict(size)))
            }
            422 => Some(Self::Refused(Refused::BadProof)),
            _other => None,
        };
        read.unwrap_or(Self::Other(status))
    }
}

#[cfg(test)]
mod tests;
