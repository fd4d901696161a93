//! A copy of the database while it is served, and the check of a file that somebody kept.
//!
//! INVARIANT: a copy is of one moment, and holds what the database holds: ciphertext and wrapped keys, never the
//! key-encryption key.
//! INVARIANT: no file is written over.
//!
//! PostgreSQL has tools of its own (`pg_dump`): nothing of it is done here.

use std::fs::File;
use std::path::Path;

use super::connection::{self, Use};
use super::{DatabaseAddress, Store, StoreError, dialect};

impl Store {
    /// Copies the database into a new file of mode 0600, and waits until the disk has it.
    ///
    /// # Errors
    /// When something is at `to`, when it cannot be written, or when the database is no file.
    pub fn copy_to(&self, to: &Path) -> Result<(), StoreError> {
        let name = to.to_str().ok_or(StoreError::Address)?;
        let from = DatabaseAddress::Sqlite(self.path().ok_or(StoreError::Address)?.to_owned());
        let mut conn = connection::establish(&from, Use::Write)?;
        // An empty file of ours first: the engine would make one that others may read.
        connection::create_file(to)?;
        dialect::copy_into(&mut conn, name)?;
        let written = File::open(to).and_then(|file| file.sync_all());
        written.map_err(|source| StoreError::File { path: to.to_owned(), source })
    }
}

/// Whether the pages and indexes of a database file hold together.
///
/// # Errors
/// When it cannot be read at all.
pub fn file_holds(path: &Path) -> Result<bool, StoreError> {
    let address = DatabaseAddress::Sqlite(path.to_owned());
    dialect::integrity(&mut connection::establish(&address, Use::Read)?)
}

/// Makes a database file what the program before this one would have left.
#[cfg(test)]
pub(crate) fn of_before(path: &Path) {
    let address = DatabaseAddress::Sqlite(path.to_owned());
    super::migrations::back(&mut connection::establish(&address, Use::Write).unwrap()).unwrap();
}
