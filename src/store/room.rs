//! How much room the disk has left for the database.
//!
//! It decides nothing: what is refused when there is little is `service::readiness`'s business.

use std::path::Path;

use super::{Store, StoreError};

impl Store {
    /// Bytes that may still be written where the database file stands; `None` where the database is no file of this
    /// machine (PostgreSQL looks after its own disk).
    ///
    /// # Errors
    /// When the system does not say: that is never "enough".
    pub fn room(&self) -> Result<Option<u64>, StoreError> {
        let Some(path) = self.path() else { return Ok(None) };
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let found = rustix::fs::statvfs(folder)
            .map_err(|e| StoreError::File { path: folder.to_owned(), source: e.into() })?;
        Ok(Some(found.f_bavail.saturating_mul(found.f_frsize)))
    }
}
