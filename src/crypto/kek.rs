//! The key-encryption key and where it comes from.
//!
//! INVARIANT: the key lives outside the data folder (only a demonstration keeps it inside), so that a copy of
//! the folder, or a backup, opens nothing.
//! INVARIANT: what is checked is the open file, not its name: kind, mode and owner are read from the handle.
//! A file that others may read is refused, not repaired: whoever could read it may have done so already.
//!
//! Not done here: which keys are wrapped (`keyring`); hardware and network providers, which would implement
//! [`KekProvider`] beside [`FileKek`].

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::{Zeroize, Zeroizing};

use super::hash::hmac_sha256;
use super::sealing::{self, ID_LEN, OpenError, SealError};
use crate::clock::{Chance, NoChance};

/// Name of the credential under `$CREDENTIALS_DIRECTORY`.
pub const CREDENTIAL_NAME: &str = "relais-kek";
/// The credential of the key before it, while a rotation is not finished.
pub const PREVIOUS_CREDENTIAL_NAME: &str = "relais-kek-previous";
const WRAP_LABEL: &str = "relais/wrap/1";
const MAX_FILE: u64 = 4096;

/// Names a key-encryption key without telling it: 8 bytes derived from the key, 16 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KekId([u8; ID_LEN]);

impl std::fmt::Display for KekId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::fmt::Debug for KekId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KekId({self})")
    }
}

/// What a wrapped key is bound to, besides the key-encryption key itself.
#[derive(Clone, Copy, Debug)]
pub struct WrapContext<'a> {
    pub key_id: &'a str,
    pub owner: &'a str,
}

/// Why there is no usable key-encryption key. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    #[error(
        "no key-encryption key: set RELAIS_KEK_FILE to a file outside the data folder, or give the service the systemd credential `relais-kek`"
    )]
    Missing,
    #[error(
        "the key file `{path}` cannot be read: {source}. Check RELAIS_KEK_FILE, and that the service's user owns the file"
    )]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "the key file `{path}` is not a regular file. A link or a pipe could be pointed elsewhere by somebody else: give the path of the file itself"
    )]
    NotAFile { path: PathBuf },
    #[error(
        "the key file `{path}` has mode `{mode:04o}`: others can read or change it. Run `chmod 600 {path}`; if others had access, rotate the key"
    )]
    Mode { path: PathBuf, mode: u32 },
    #[error(
        "the key file `{path}` belongs to user `{owner}`, and the service runs as user `{user}`: run `chown` so that the service's own user owns it"
    )]
    Owner { path: PathBuf, owner: u32, user: u32 },
    #[error(
        "the key file `{path}` lies in the data folder `{folder}`: move it elsewhere, or a copy of the folder opens everything"
    )]
    InsideData { path: PathBuf, folder: PathBuf },
    #[error(
        "the key file `{path}` does not hold one 32-byte key: expected 64 hexadecimal characters, or 44 of base64, on one line"
    )]
    Content { path: PathBuf },
    #[error(
        "the key file `{path}` already exists and is never overwritten: everything sealed under it would be lost. Choose another path"
    )]
    Exists { path: PathBuf },
    #[error("the key file `{path}` cannot be written: {source}")]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// Wraps and unwraps keys. Implementations keep the key itself to themselves.
pub trait KekProvider: Send + Sync {
    fn kek_id(&self) -> KekId;

    /// Seals `secret`, bound to `context` and to this key.
    ///
    /// # Errors
    /// No randomness, or the provider refused.
    fn wrap(
        &self,
        context: WrapContext<'_>,
        secret: &[u8],
        chance: &dyn Chance,
    ) -> Result<Vec<u8>, SealError>;

    /// Opens what [`KekProvider::wrap`] made for the same context.
    ///
    /// # Errors
    /// [`OpenError`], without saying why.
    fn unwrap(&self, context: WrapContext<'_>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError>;
}

/// Where a key file may lie.
#[derive(Clone, Copy, Debug)]
pub enum KekPlacement<'a> {
    /// A real instance: anywhere but in this data folder.
    OutsideOf(&'a Path),
    /// A demonstration: beside its data, which are invented.
    Demonstration,
}

/// A key-encryption key read from a file or a systemd credential.
pub struct FileKek {
    id: KekId,
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for FileKek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKek")
    }
}

impl FileKek {
    /// Reads the key from a file of mode 0600 or 0400 that belongs to the service's user.
    ///
    /// # Errors
    /// [`KekError`] naming what is wrong with the file.
    pub fn open(path: &Path, placement: KekPlacement<'_>) -> Result<Self, KekError> {
        check_placement(path, placement)?;
        let (mut file, meta) = open_regular(path)?;
        let mode = meta.mode() & 0o7777;
        if mode != 0o600 && mode != 0o400 {
            return Err(KekError::Mode { path: path.to_owned(), mode });
        }
        if let Some(user) = process_user()
            && meta.uid() != user
        {
            return Err(KekError::Owner { path: path.to_owned(), owner: meta.uid(), user });
        }
        Self::read(path, &mut file)
    }

    /// Reads the credential `relais-kek` from the folder that systemd names in `CREDENTIALS_DIRECTORY`.
    ///
    /// systemd may show the group bits of an access list for the service's user, and keeps root as owner, in a
    /// folder closed to everyone else: only access for others, or writing by the group, is refused here.
    ///
    /// # Errors
    /// [`KekError`] naming what is wrong with the file.
    pub fn from_credential(folder: &Path) -> Result<Self, KekError> {
        Self::from_credential_named(folder, CREDENTIAL_NAME)
    }

    fn from_credential_named(folder: &Path, name: &str) -> Result<Self, KekError> {
        let path = folder.join(name);
        let (mut file, meta) = open_regular(&path)?;
        let mode = meta.mode() & 0o7777;
        if mode & 0o037 != 0 {
            return Err(KekError::Mode { path, mode });
        }
        Self::read(&path, &mut file)
    }

    /// The key of a real instance: the file if one is named, else the systemd credential.
    ///
    /// # Errors
    /// [`KekError::Missing`] when neither is given; else as the two functions above.
    pub fn locate(file: Option<&Path>, credentials: Option<&Path>, data: &Path) -> Result<Self, KekError> {
        match (file, credentials) {
            (Some(path), _) => Self::open(path, KekPlacement::OutsideOf(data)),
            (None, Some(folder)) => Self::from_credential(folder),
            (None, None) => Err(KekError::Missing),
        }
    }

    /// The key before it, where one is named: a rotation is under way.
    ///
    /// # Errors
    /// As [`FileKek::locate`].
    pub fn locate_previous(
        file: Option<&Path>,
        credentials: Option<&Path>,
        data: &Path,
    ) -> Result<Option<Self>, KekError> {
        match (file, credentials) {
            (Some(path), _) => Self::open(path, KekPlacement::OutsideOf(data)).map(Some),
            (None, Some(folder)) if folder.join(PREVIOUS_CREDENTIAL_NAME).exists() => {
                Self::from_credential_named(folder, PREVIOUS_CREDENTIAL_NAME).map(Some)
            }
            (None, Some(_) | None) => Ok(None),
        }
    }

    /// Writes a new random key to `path`, mode 0600, and syncs it. Never overwrites.
    ///
    /// # Errors
    /// [`KekError::Exists`] when something is there; [`KekError::Unwritable`]; no randomness.
    pub fn create(path: &Path, placement: KekPlacement<'_>, chance: &dyn Chance) -> Result<Self, KekError> {
        check_placement(path, placement)?;
        let mut key = Zeroizing::new([0_u8; 32]);
        chance.fill(key.as_mut())?;
        let line = Zeroizing::new(format!("{}\n", HEXLOWER.encode(key.as_ref())));
        let unwritable = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AlreadyExists => KekError::Exists { path: path.to_owned() },
            // Every other failure keeps its own words.
            other_kind => KekError::Unwritable {
                path: path.to_owned(),
                source: std::io::Error::new(other_kind, source),
            },
        };
        // O_EXCL: refuses an existing file, a link included, in one step.
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(unwritable)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable)?;
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            // A key that vanishes with a power cut after data were sealed under it would lose them.
            File::open(folder).and_then(|f| f.sync_all()).map_err(unwritable)?;
        }
        Ok(Self::from_key(key))
    }

    fn read(path: &Path, file: &mut File) -> Result<Self, KekError> {
        // Filled at once from a buffer that is wiped, so that no growing string leaves copies.
        let mut text = Zeroizing::new(Vec::with_capacity(8192));
        file.take(MAX_FILE)
            .read_to_end(&mut text)
            .map_err(|source| KekError::Unreadable { path: path.to_owned(), source })?;
        let key = parse_key(&text).ok_or_else(|| KekError::Content { path: path.to_owned() })?;
        Ok(Self::from_key(key))
    }

    fn from_key(key: Zeroizing<[u8; 32]>) -> Self {
        let digest = hmac_sha256(key.as_ref(), &[b"relais/kek-id/1"]);
        let id = KekId(digest.first_chunk::<ID_LEN>().copied().unwrap_or_default());
        Self { id, key }
    }

    fn fields<'a>(context: &'a WrapContext<'_>) -> [&'a [u8]; 2] {
        [context.key_id.as_bytes(), context.owner.as_bytes()]
    }
}

impl KekProvider for FileKek {
    fn kek_id(&self) -> KekId {
        self.id
    }

    fn wrap(
        &self,
        context: WrapContext<'_>,
        secret: &[u8],
        chance: &dyn Chance,
    ) -> Result<Vec<u8>, SealError> {
        sealing::seal(&self.key, &self.id.0, WRAP_LABEL, &Self::fields(&context), secret, chance)
    }

    fn unwrap(&self, context: WrapContext<'_>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        sealing::open(&self.key, &self.id.0, WRAP_LABEL, &Self::fields(&context), wrapped)
    }
}

/// One key on one line: 64 hexadecimal characters, or base64 (either alphabet, padded or not) of 32 bytes.
/// THREAT: a file of zeros, or of one repeated byte, is a mistake of a script and not a key.
fn parse_key(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let line = text.trim_ascii();
    let bytes = match line.len() {
        64 => HEXLOWER_PERMISSIVE.decode(line),
        44 if line.iter().any(|c| matches!(c, b'-' | b'_')) => BASE64URL.decode(line),
        44 => BASE64.decode(line),
        43 if line.iter().any(|c| matches!(c, b'-' | b'_')) => BASE64URL_NOPAD.decode(line),
        43 => BASE64_NOPAD.decode(line),
        0..43 | 45..64 | 65.. => return None,
    };
    let mut bytes = Zeroizing::new(bytes.ok()?);
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(bytes.as_slice().try_into().ok()?);
    bytes.zeroize();
    let first = key.first()?;
    if key.iter().all(|b| b == first) { None } else { Some(key) }
}

/// Opens a regular file that is not reached through a link at its last component.
///
/// THREAT: a link lets whoever may write its folder choose which key is read, and hides the mode of what it
/// points to; so the last component must be the file itself, and the handle must be what the name showed.
fn open_regular(path: &Path) -> Result<(File, Metadata), KekError> {
    let unreadable = |source| KekError::Unreadable { path: path.to_owned(), source };
    let named = std::fs::symlink_metadata(path).map_err(unreadable)?;
    if !named.is_file() {
        return Err(KekError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(unreadable)?;
    let opened = file.metadata().map_err(unreadable)?;
    if !opened.is_file() || (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        return Err(KekError::NotAFile { path: path.to_owned() });
    }
    Ok((file, opened))
}

fn check_placement(path: &Path, placement: KekPlacement<'_>) -> Result<(), KekError> {
    let folder = match placement {
        KekPlacement::Demonstration => return Ok(()),
        KekPlacement::OutsideOf(folder) => folder,
    };
    let unreadable = |source| KekError::Unreadable { path: path.to_owned(), source };
    // The parent is resolved, because the file itself may not exist yet; the folder too, when it exists.
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let parent = parent.canonicalize().map_err(unreadable)?;
    let resolved = match folder.canonicalize() {
        Ok(resolved) => resolved,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            std::path::absolute(folder).map_err(unreadable)?
        }
        Err(source) => return Err(unreadable(source)),
    };
    if parent.starts_with(&resolved) {
        return Err(KekError::InsideData { path: path.to_owned(), folder: folder.to_owned() });
    }
    Ok(())
}

/// The user of this process, where the system tells it through a file (Linux). Elsewhere mode 0600 and a
/// successful opening already mean that the owner, or root, reads.
fn process_user() -> Option<u32> {
    std::fs::metadata("/proc/self").map(|meta| meta.uid()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const CONTEXT: WrapContext<'static> = WrapContext { key_id: "00", owner: "instance" };

    fn write(path: &Path, text: &str, mode: u32) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn folders() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let (data, keys) = (root.path().join("data"), root.path().join("keys"));
        std::fs::create_dir(&data).unwrap();
        std::fs::create_dir(&keys).unwrap();
        (root, data, keys)
    }

    #[test]
    fn a_created_key_has_mode_0600_reads_back_and_is_never_overwritten() {
        let (_root, data, keys) = folders();
        let path = keys.join("kek");
        let place = KekPlacement::OutsideOf(&data);
        let made = FileKek::create(&path, place, &SystemChance::new()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let read = FileKek::open(&path, place).unwrap();
        assert_eq!(made.kek_id(), read.kek_id());
        let wrapped = made.wrap(CONTEXT, b"key", &SystemChance::new()).unwrap();
        assert_eq!(read.unwrap(CONTEXT, &wrapped).unwrap().as_slice(), b"key");
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(FileKek::create(&path, place, &SystemChance::new()), Err(KekError::Exists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(format!("{made:?}"), "FileKek");
    }

    #[test]
    fn a_key_file_that_others_may_read_or_write_is_refused() {
        let (_root, data, keys) = folders();
        let path = keys.join("kek");
        for mode in [0o644, 0o640, 0o604, 0o660, 0o700, 0o602, 0o610, 0o4600] {
            write(&path, HEX, mode);
            let refused = FileKek::open(&path, KekPlacement::OutsideOf(&data));
            assert!(matches!(refused, Err(KekError::Mode { .. })), "{mode:o}");
        }
        for mode in [0o600, 0o400] {
            std::fs::remove_file(&path).unwrap();
            write(&path, HEX, mode);
            assert!(FileKek::open(&path, KekPlacement::OutsideOf(&data)).is_ok(), "{mode:o}");
        }
        let message = KekError::Mode { path: path.clone(), mode: 0o644 }.to_string();
        assert!(message.contains("chmod 600"), "{message}");
    }

    #[test]
    fn a_link_a_folder_and_a_missing_file_are_refused() {
        let (_root, data, keys) = folders();
        write(&keys.join("kek"), HEX, 0o600);
        symlink(keys.join("kek"), keys.join("link")).unwrap();
        let place = KekPlacement::OutsideOf(&data);
        assert!(matches!(FileKek::open(&keys.join("link"), place), Err(KekError::NotAFile { .. })));
        assert!(matches!(FileKek::open(&keys, place), Err(KekError::NotAFile { .. })));
        assert!(matches!(FileKek::open(&keys.join("none"), place), Err(KekError::Unreadable { .. })));
        assert!(matches!(FileKek::locate(None, None, &data), Err(KekError::Missing)));
    }

    #[test]
    fn a_key_in_the_data_folder_is_refused_however_it_is_reached() {
        let (root, data, _keys) = folders();
        write(&data.join("kek"), HEX, 0o600);
        symlink(&data, root.path().join("alias")).unwrap();
        let place = KekPlacement::OutsideOf(&data);
        for path in [data.join("kek"), root.path().join("alias/kek"), root.path().join("keys/../data/kek")] {
            assert!(matches!(FileKek::open(&path, place), Err(KekError::InsideData { .. })), "{path:?}");
            let other = path.with_file_name("other");
            let made = FileKek::create(&other, place, &SystemChance::new());
            assert!(matches!(made, Err(KekError::InsideData { .. })));
        }
        assert!(FileKek::open(&data.join("kek"), KekPlacement::Demonstration).is_ok());
    }

    #[test]
    fn only_exactly_32_bytes_are_a_key() {
        let (_root, data, keys) = folders();
        let path = keys.join("kek");
        let bytes: Vec<u8> = (0..32).collect();
        let reference = {
            write(&path, HEX, 0o600);
            FileKek::open(&path, KekPlacement::OutsideOf(&data)).unwrap().kek_id()
        };
        for good in [
            HEX.to_uppercase(),
            format!("{HEX}\n"),
            format!("  {HEX}\r\n"),
            BASE64.encode(&bytes),
            BASE64URL_NOPAD.encode(&bytes),
            BASE64_NOPAD.encode(&bytes),
        ] {
            write(&path, &good, 0o600);
            let kek = FileKek::open(&path, KekPlacement::OutsideOf(&data)).unwrap();
            assert_eq!(kek.kek_id(), reference, "{good}");
        }
        for bad in [
            "",
            "\n",
            "secret",
            &HEX[..62],
            &format!("{HEX}00"),
            &format!("{HEX}\n{HEX}"),
            &BASE64.encode(&bytes[..31]),
            &"0".repeat(64),
            &"ab".repeat(32),
            &"é".repeat(32),
            &"a".repeat(5000),
        ] {
            write(&path, bad, 0o600);
            let refused = FileKek::open(&path, KekPlacement::OutsideOf(&data));
            assert!(matches!(refused, Err(KekError::Content { .. })), "{bad}");
        }
    }

    #[test]
    fn a_systemd_credential_is_read_unless_others_may_read_it() {
        let (_root, data, keys) = folders();
        let path = keys.join(CREDENTIAL_NAME);
        for mode in [0o400, 0o440, 0o600] {
            write(&path, HEX, mode);
            assert!(FileKek::locate(None, Some(&keys), &data).is_ok(), "{mode:o}");
            std::fs::remove_file(&path).unwrap();
        }
        for mode in [0o444, 0o644, 0o420, 0o404] {
            write(&path, HEX, mode);
            let refused = FileKek::locate(None, Some(&keys), &data);
            assert!(matches!(refused, Err(KekError::Mode { .. })), "{mode:o}");
            std::fs::remove_file(&path).unwrap();
        }
    }
}
