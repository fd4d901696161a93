//! A small file that is always whole: replaced at once, and on the disk before anybody is told.
//!
//! INVARIANT: after a crash at any point there is the old content or the new, never a part and never none.
//! It keeps no lock: whoever reads, decides and replaces does so under one of its own.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}

/// Replaces a file's content (mode 0600), durably.
///
/// # Errors
/// The system's; the old content is then still there.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let new = beside(path);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&new, path));
    if let Err(error) = written {
        drop(std::fs::remove_file(&new));
        return Err(error);
    }
    // The name itself must survive a power cut.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A file's content; `None` when there is no such file.
///
/// # Errors
/// The system's; a file that cannot be read is never an absent one.
pub fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        assert_eq!(read(&path).unwrap(), None);
        for content in ["a long one, to be replaced", "short"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(read(&path).unwrap().as_deref(), Some(content));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, [0xff]).unwrap();
        assert!(read(&path).is_err());
        assert!(replace(&folder.path().join("no/such/folder"), b"x").is_err());
    }
}
