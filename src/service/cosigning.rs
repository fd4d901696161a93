//! Being a witness of somebody else's log (C2SP `tlog-witness`): one small file for each log, and a key.
//!
//! INVARIANT: what was cosigned last is on the disk before the cosignature leaves; reading it, judging and replacing it
//! happen under one lock, so a log is never cosigned twice at different ends.
//! INVARIANT: one process holds a folder (an exclusive lock of the system), so that this lock is the only one.
//!
//! It knows no record and no database: only the sizes and roots of the logs whose keys it was given.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::audit::note::{NoteError, VerifierKey};
use crate::audit::witness::{AddCheckpoint, Refused, Reply, judge};
use crate::audit::{Cosigner, SignedCheckpoint, WitnessKey};
use crate::clock::{Chance, NoChance, Timestamp};
use crate::crypto::hash::sha256;
use crate::crypto::sign::{SignError, SigningKey};
use crate::store::durable;

const KEY_FILE: &str = "temoin.cle";
const LOCK_FILE: &str = "temoin.lock";

/// Why a witness does not start. In French: its operator reads it.
#[derive(Debug, thiserror::Error)]
pub enum CosigningError {
    #[error(
        "le fichier `{path}` ne peut pas être lu ou écrit ({source}) : vérifiez le dossier et ses droits"
    )]
    File { path: PathBuf, source: std::io::Error },
    #[error("un autre témoin utilise déjà le dossier `{0}` : arrêtez-le d'abord")]
    Locked(PathBuf),
    #[error(
        "premier démarrage : donnez au témoin un nom qui ne changera plus, avec --name (par exemple `departement.example/temoin`)"
    )]
    NoName,
    #[error(
        "ce témoin s'appelle `{0}`, et un témoin ne change pas de nom : retirez --name, ou prenez un autre dossier"
    )]
    OtherName(String),
    #[error("le nom `{0}` ne convient pas : ni vide, ni espace, ni `+`")]
    Name(String),
    #[error(
        "la clé `{path}` a les droits {mode:04o} : d'autres peuvent la lire. Lancez `chmod 600` ; si elle a pu être lue, faites un autre témoin"
    )]
    KeyMode { path: PathBuf, mode: u32 },
    #[error("`{0}` n'est pas la clé d'un témoin : remettez celle de la sauvegarde")]
    Key(PathBuf),
    #[error("aucun journal à surveiller : donnez sa clé publique avec --log, ou un fichier avec --logs")]
    NoLog,
    #[error("le journal `{0}` a la clé de ce témoin : un journal ne peut pas être son propre témoin")]
    Own(String),
    #[error("le hasard du système n'est pas disponible : {0}")]
    Chance(#[from] NoChance),
}

/// A witness: its key, the logs that it follows, and the folder where it remembers them.
pub struct Witness {
    folder: PathBuf,
    logs: Vec<VerifierKey>,
    cosigner: Cosigner,
    /// One request at a time reads, judges and replaces.
    turn: Mutex<()>,
    /// Held as long as the witness lives.
    _lock: File,
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> CosigningError {
    move |source| CosigningError::File { path: path.to_owned(), source }
}

fn cosigner(name: &str, key: SigningKey) -> Result<Cosigner, CosigningError> {
    Cosigner::new(name, key).map_err(|e| match e {
        NoteError::Name(_) => CosigningError::Name(name.to_owned()),
        _key => CosigningError::Key(PathBuf::from(KEY_FILE)),
    })
}

/// Two lines: the name, and the seed in hexadecimal.
fn read_key(path: &Path, wanted: Option<&str>) -> Result<Option<Cosigner>, CosigningError> {
    let Some(text) = durable::read(path).map_err(file_error(path))?.map(Zeroizing::new) else {
        return Ok(None);
    };
    let mode = std::fs::metadata(path).map_err(file_error(path))?.mode() & 0o777;
    // THREAT: whoever reads the key can attest to anything in the witness's name.
    if mode & 0o077 != 0 {
        return Err(CosigningError::KeyMode { path: path.to_owned(), mode });
    }
    let bad = || CosigningError::Key(path.to_owned());
    let (name, seed) = text.strip_suffix('\n').and_then(|t| t.split_once('\n')).ok_or_else(bad)?;
    let seed = Zeroizing::new(HEXLOWER.decode(seed.as_bytes()).map_err(|_| bad())?);
    let key = SigningKey::from_seed(&seed).map_err(|_| bad())?;
    if wanted.is_some_and(|wanted| wanted != name) {
        return Err(CosigningError::OtherName(name.to_owned()));
    }
    cosigner(name, key).map(Some)
}

fn make_key(path: &Path, name: &str, chance: &dyn Chance) -> Result<Cosigner, CosigningError> {
    let key = SigningKey::generate(chance).map_err(|e| match e {
        SignError::Chance(none) => CosigningError::Chance(none),
        SignError::Seed => CosigningError::Key(path.to_owned()),
    })?;
    let text = Zeroizing::new(format!("{name}\n{}\n", HEXLOWER.encode(key.seed())));
    let made = cosigner(name, key)?;
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(file_error(path))?;
    Ok(made)
}

impl Witness {
    /// Opens the witness of a folder; the first time, makes its key.
    ///
    /// # Errors
    /// [`CosigningError`]; nothing is guessed.
    pub fn open(
        folder: &Path,
        name: Option<&str>,
        logs: Vec<VerifierKey>,
        chance: &dyn Chance,
    ) -> Result<Self, CosigningError> {
        if logs.is_empty() {
            return Err(CosigningError::NoLog);
        }
        let held = folder.join(LOCK_FILE);
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&held)
            .map_err(file_error(&held))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CosigningError::Locked(folder.to_owned())),
            Err(TryLockError::Error(source)) => return Err(CosigningError::File { path: held, source }),
        }
        let path = folder.join(KEY_FILE);
        let cosigner = match (read_key(&path, name)?, name) {
            (Some(known), _) => known,
            (None, Some(name)) => make_key(&path, name, chance)?,
            (None, None) => return Err(CosigningError::NoName),
        };
        if let Some(own) = logs.iter().find(|log| log.public() == cosigner.public().public()) {
            return Err(CosigningError::Own(own.name().to_owned()));
        }
        Ok(Self { folder: folder.to_owned(), logs, cosigner, turn: Mutex::new(()), _lock: lock })
    }

    /// What others know it by.
    #[must_use]
    pub const fn key(&self) -> &WitnessKey {
        self.cosigner.public()
    }

    /// The logs that it follows.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Where it remembers a log. An origin may hold any character: its hash is the name of the file.
    #[must_use]
    pub fn remembered(&self, origin: &str) -> PathBuf {
        self.folder.join(format!("{}.journal", HEXLOWER.encode(&sha256(&[origin.as_bytes()]))))
    }

    /// Answers one request.
    ///
    /// # Errors
    /// When what is remembered cannot be read or replaced: nothing is then cosigned.
    pub fn add_checkpoint(&self, body: &str, now: Timestamp) -> Result<Reply, CosigningError> {
        let Ok(request) = AddCheckpoint::parse(body) else { return Ok(Reply::Refused(Refused::Malformed)) };
        let checkpoint = request.checkpoint();
        // A file is opened for known logs only; `judge` says it again.
        if !self.logs.iter().any(|log| log.name() == checkpoint.claims().origin()) {
            return Ok(Reply::Refused(Refused::UnknownLog));
        }
        let path = self.remembered(checkpoint.claims().origin());
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Our own file, in our own folder: what does not read there is no « first time ».
        let known = match durable::read(&path).map_err(file_error(&path))? {
            Some(text) => Some(SignedCheckpoint::parse(&text).map_err(|e| CosigningError::File {
                path: path.clone(),
                source: std::io::Error::other(e),
            })?),
            None => None,
        };
        if let Err(refused) = judge(&request, &self.logs, known.as_ref().map(SignedCheckpoint::claims)) {
            return Ok(Reply::Refused(refused));
        }
        let line = self.cosigner.cosign(checkpoint, now);
        let attested = checkpoint.clone().with([line.clone()]).to_string();
        // THREAT: foreign signature lines, up to the most that a note may have. What would not read back the next time is
        // not remembered, and so not cosigned.
        if SignedCheckpoint::parse(&attested).is_err() {
            return Ok(Reply::Refused(Refused::Malformed));
        }
        // INVARIANT: on the disk before it leaves.
        durable::replace(&path, attested.as_bytes()).map_err(file_error(&path))?;
        Ok(Reply::Cosigned(vec![line]))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;
    use crate::audit::Checkpoint;
    use crate::audit::tree::{Frontier, LeafHashes, consistency_proof};
    use crate::crypto::SystemChance;

    const ORIGIN: &str = "relais.example/journal";

    fn log_key() -> SigningKey {
        SigningKey::from_seed(&[5; 32]).unwrap()
    }

    fn vkey() -> VerifierKey {
        VerifierKey::new(ORIGIN, log_key().public()).unwrap()
    }

    fn open(folder: &Path, name: Option<&str>) -> Result<Witness, CosigningError> {
        Witness::open(folder, name, vec![vkey()], &SystemChance::new())
    }

    /// The request that takes a log from `old` to `new` records; `salt` tells histories apart.
    fn request(old: usize, new: usize, salt: u8) -> String {
        forked(0, old, new, salt)
    }

    /// As [`request`], of a history whose first `common` records are those of the log without salt.
    fn forked(common: usize, old: usize, new: usize, salt: u8) -> String {
        let leaf = |n: usize| [u8::try_from(n).unwrap() ^ if n < common { 0 } else { salt }; 32];
        let mut leaves = LeafHashes((0..new).map(leaf).collect());
        let mut frontier = Frontier::empty();
        for leaf in &leaves.0 {
            frontier.append(*leaf);
        }
        let (from, to) = (u64::try_from(old).unwrap(), u64::try_from(new).unwrap());
        let proof = if old == 0 { Vec::new() } else { consistency_proof(from, to, &mut leaves).unwrap() };
        let signed = Checkpoint::of(ORIGIN, &frontier).unwrap().sign(&log_key()).unwrap();
        AddCheckpoint::new(from, proof, signed).to_string()
    }

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn status(witness: &Witness, body: &str) -> u16 {
        witness.add_checkpoint(body, NOW).unwrap().wire().0
    }

    #[test]
    fn what_was_cosigned_is_remembered_over_a_restart_and_nothing_else_is_cosigned() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path(), Some("w.example/temoin")).unwrap();
        let key = witness.key().to_string();
        assert_eq!(status(&witness, &request(0, 7, 0)), 200);
        assert_eq!(status(&witness, &request(7, 12, 0)), 200);
        drop(witness);
        let witness = open(folder.path(), None).unwrap();
        assert_eq!(witness.key().to_string(), key);
        let kept = std::fs::read_to_string(witness.remembered(ORIGIN)).unwrap();
        assert!(kept.contains("w.example/temoin"), "kept with the cosignature: {kept}");
        // The tail cut, an older copy, another history: all refused, and nothing is forgotten.
        assert_eq!(status(&witness, &request(7, 9, 0)), 409);
        assert_eq!(status(&witness, &request(0, 9, 0)), 409);
        assert_eq!(status(&witness, &request(12, 20, 1)), 422);
        assert_eq!(status(&witness, &request(12, 12, 1)), 409);
        assert_eq!(status(&witness, "hello"), 400);
        assert_eq!(std::fs::read_to_string(witness.remembered(ORIGIN)).unwrap(), kept);
        assert_eq!(status(&witness, &request(12, 20, 0)), 200);
        // What is remembered and does not read is no first time.
        std::fs::write(witness.remembered(ORIGIN), "").unwrap();
        assert!(witness.add_checkpoint(&request(0, 3, 1), Timestamp::from_micros(0)).is_err());
    }

    #[test]
    fn what_cannot_be_kept_is_not_cosigned() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path(), Some("w.example/temoin")).unwrap();
        assert_eq!(status(&witness, &request(0, 5, 0)), 200);
        let path = witness.remembered(ORIGIN);
        let kept = std::fs::read_to_string(&path).unwrap();
        // Where the new file would be written there is a folder: not even root writes there.
        let mut taken = path.clone().into_os_string();
        taken.push(format!(".{}.new", std::process::id()));
        std::fs::create_dir(&taken).unwrap();
        let refused = witness.add_checkpoint(&request(5, 8, 0), NOW);
        assert!(matches!(refused, Err(CosigningError::File { .. })), "{refused:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), kept);
        // Nothing was promised: with room again another history of these five records is the first to come.
        std::fs::remove_dir(&taken).unwrap();
        assert_eq!(status(&witness, &forked(5, 5, 8, 7)), 200);
        assert_eq!(status(&witness, &request(5, 8, 0)), 409);
    }

    #[test]
    fn threat_foreign_signatures_do_not_spoil_what_a_witness_remembers() {
        let folder = tempfile::tempdir().unwrap();
        let witness = open(folder.path(), Some("w.example/temoin")).unwrap();
        assert_eq!(status(&witness, &request(0, 5, 0)), 200);
        let kept = std::fs::read_to_string(witness.remembered(ORIGIN)).unwrap();
        // As many as a note may have: with the witness's own there would be one too many.
        let foreign: String = (0..63_u8)
            .map(|n| format!("\u{2014} x.example/w {}\n", data_encoding::BASE64.encode(&[n; 6])))
            .collect();
        assert_eq!(status(&witness, &format!("{}{foreign}", request(5, 8, 0))), 400);
        assert_eq!(std::fs::read_to_string(witness.remembered(ORIGIN)).unwrap(), kept);
        assert_eq!(status(&witness, &request(5, 8, 0)), 200, "the log goes on");
    }

    #[test]
    fn two_histories_at_once_one_is_cosigned() {
        let folder = tempfile::tempdir().unwrap();
        let witness = Arc::new(open(folder.path(), Some("w.example/temoin")).unwrap());
        assert_eq!(status(&witness, &request(0, 5, 0)), 200);
        // Eight logs that agree on five records and on nothing after: four lengths, two of each.
        let histories: Vec<(usize, u8)> = (0..8_u8).map(|n| (6 + usize::from(n / 2), 0x40 + n)).collect();
        let start = std::sync::Barrier::new(histories.len());
        let said: Vec<u16> = std::thread::scope(|scope| {
            let asked: Vec<_> = histories
                .iter()
                .map(|(to, salt)| {
                    let (witness, start) = (Arc::clone(&witness), &start);
                    scope.spawn(move || {
                        let body = forked(5, 5, *to, *salt);
                        start.wait();
                        status(&witness, &body)
                    })
                })
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(said.iter().filter(|s| **s == 200).count(), 1, "{said:?}");
        assert!(said.iter().all(|s| *s == 200 || *s == 409), "{said:?}");
        // What is remembered is the one that was cosigned, and from there on no other is.
        let (to, salt) = histories[said.iter().position(|s| *s == 200).unwrap()];
        for (_, other) in histories.iter().filter(|(_, other)| *other != salt) {
            assert_eq!(status(&witness, &forked(5, to, to + 8, *other)), 422, "{said:?}");
        }
        assert_eq!(status(&witness, &forked(5, to, to + 8, salt)), 200, "{said:?}");
    }

    #[test]
    fn a_witness_does_not_start_on_a_guess() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name| open(folder.path(), name).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(said(None).contains("--name"));
        assert!(said(Some("a b")).contains("`a b`"));
        assert!(Witness::open(folder.path(), Some("w"), Vec::new(), &SystemChance::new()).is_err());
        let witness = open(folder.path(), Some("w.example/temoin")).unwrap();
        assert!(said(None).contains("un autre témoin"));
        drop(witness);
        assert!(said(Some("autre.example")).contains("w.example/temoin"));
        let key = folder.path().join(KEY_FILE);
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(said(None).contains("0640"));
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        // A log that has the witness's own key.
        let seed = std::fs::read_to_string(&key).unwrap();
        let seed = HEXLOWER.decode(seed.lines().nth(1).unwrap().as_bytes()).unwrap();
        let own = VerifierKey::new(ORIGIN, SigningKey::from_seed(&seed).unwrap().public()).unwrap();
        let refused = Witness::open(folder.path(), None, vec![own], &SystemChance::new());
        assert!(matches!(refused, Err(CosigningError::Own(_))));
        std::fs::write(&key, "w.example/temoin\nabc\n").unwrap();
        assert!(said(None).contains("n'est pas la clé"));
    }
}
