//! `relais audit consistency`: the hashes that show that one checkpoint continues another (RFC 6962 §2.1.2).
//!
//! INVARIANT: nothing is handed out that does not verify between the two checkpoints as they were given.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use data_encoding::BASE64;

use super::{LogOptions, last_signed, no_checkpoint};
use crate::audit::SignedCheckpoint;
use crate::audit::note::VerifierKey;
use crate::audit::tree::{consistency_proof, verify_consistency};

/// Two checkpoints of the log.
#[derive(Debug, clap::Args)]
pub struct ConsistencyArguments {
    /// Le point de contrôle le plus ancien, gardé ailleurs
    #[arg(value_name = "ANCIEN")]
    pub(super) older: PathBuf,
    /// Le plus récent [défaut : le dernier de la base]
    #[arg(value_name = "NOUVEAU")]
    pub(super) newer: Option<PathBuf>,
    #[command(flatten)]
    pub(super) log: LogOptions,
}

/// A checkpoint of this log, from a file; its signature checked.
fn kept(path: &Path, keys: &[VerifierKey]) -> Result<SignedCheckpoint> {
    let read = || -> Result<SignedCheckpoint> {
        let signed = SignedCheckpoint::parse(&std::fs::read_to_string(path)?)?;
        signed.verify(signed.claims().origin(), keys)?;
        Ok(signed)
    };
    read().with_context(|| format!("`{}` n'est pas un point de contrôle de ce journal", path.display()))
}

/// Writes the proof, as a witness is sent it (c2sp.org/tlog-witness): the older size, then a hash per line.
///
/// # Errors
/// When there is none: two checkpoints of which one does not continue the other, or a log that is not theirs.
pub fn run(asked: &ConsistencyArguments, data: &Path, out: &mut dyn Write) -> Result<ExitCode> {
    let mut log = asked.log.open(data)?;
    let (_, keys, _) = asked.log.trusted(&mut log)?;
    let older = kept(&asked.older, &keys)?;
    let newer = match &asked.newer {
        Some(path) => kept(path, &keys)?,
        None => last_signed(&mut log)?.ok_or_else(no_checkpoint)?,
    };
    let (old, new) = (older.claims(), newer.claims());
    if old.origin() != new.origin() {
        bail!(
            "ces deux points de contrôle ne portent pas le même nom de journal : une perte a été déclarée entre eux"
        );
    }
    let size = log.log_frontier()?.size();
    if old.size() == 0 || old.size() > new.size() || new.size() > size {
        bail!(
            "l'ancien atteste {} traces, le nouveau {}, et le journal en a {size} : donnez le plus ancien d'abord, d'au moins une trace",
            old.size(),
            new.size()
        );
    }
    let hashes = consistency_proof(old.size(), new.size(), &mut log)?;
    verify_consistency(old.size(), new.size(), &hashes, old.root(), new.root()).context(
        "le plus récent ne prolonge pas l'ancien, ou ce journal n'est pas le leur : lancez `relais audit verify --checkpoint`",
    )?;
    writeln!(out, "old {}", old.size())?;
    for hash in &hashes {
        writeln!(out, "{}", BASE64.encode(hash))?;
    }
    Ok(ExitCode::SUCCESS)
}
