//! What witnesses said of our checkpoints, kept beside them.
//!
//! INVARIANT: append-only, like the checkpoints. A row is believed by nobody here: whoever reads it verifies it again.

use diesel::prelude::*;

use super::super::StoreError;
use super::super::connection::Db;
use super::super::schema::{audit_checkpoint, audit_cosignature};
use super::super::snapshot::{Snapshot, Store};
use super::super::tx::WriteTx;
use super::LogFile;
use crate::clock::Timestamp;

/// A row of `audit_cosignature` as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCosignature {
    /// The size of the checkpoint.
    pub size: u64,
    /// The public key of the witness, whole (`name+id+key`).
    pub witness: String,
    /// When it cosigned, by its own clock.
    pub at: Timestamp,
    /// The line of the signed note.
    pub line: String,
}

type Raw = (i64, String, i64, String);

fn read(rows: Vec<Raw>) -> Result<Vec<StoredCosignature>, StoreError> {
    rows.into_iter()
        .map(|(size, witness, at, line)| {
            let size = u64::try_from(size).map_err(|e| StoreError::corrupt("audit_cosignature", &e))?;
            Ok(StoredCosignature { size, witness, at: Timestamp::from_micros(at), line })
        })
        .collect()
}

fn of_size(conn: &mut Db, size: u64) -> Result<Vec<StoredCosignature>, StoreError> {
    let size = i64::try_from(size).map_err(|e| StoreError::corrupt("audit_cosignature", &e))?;
    read(
        audit_cosignature::table
            .filter(audit_cosignature::size.eq(size))
            .order(audit_cosignature::witness.asc())
            .load(conn)?,
    )
}

/// The note of the longest checkpoint that has a cosignature.
fn cosigned_note(conn: &mut Db) -> Result<Option<String>, StoreError> {
    Ok(audit_checkpoint::table
        .inner_join(audit_cosignature::table.on(audit_cosignature::size.eq(audit_checkpoint::size)))
        .order(audit_checkpoint::size.desc())
        .select(audit_checkpoint::note)
        .first(conn)
        .optional()?)
}

macro_rules! reads_cosignatures {
    ($reader:ty) => {
        impl $reader {
            /// What witnesses said of the checkpoint of this size.
            ///
            /// # Errors
            /// The database's.
            pub fn cosignatures(&mut self, size: u64) -> Result<Vec<StoredCosignature>, StoreError> {
                of_size(self.conn(), size)
            }

            /// The longest checkpoint that a witness cosigned, as it was signed.
            ///
            /// # Errors
            /// The database's.
            pub fn checkpoint_cosigned(&mut self) -> Result<Option<String>, StoreError> {
                cosigned_note(self.conn())
            }
        }
    };
}

reads_cosignatures!(Snapshot);
reads_cosignatures!(LogFile);

impl Snapshot {
    /// The last thing that this witness cosigned.
    ///
    /// # Errors
    /// The database's.
    pub fn cosignature_latest(&mut self, witness: &str) -> Result<Option<StoredCosignature>, StoreError> {
        let rows = audit_cosignature::table
            .filter(audit_cosignature::witness.eq(witness))
            .order(audit_cosignature::size.desc())
            .limit(1)
            .load(self.conn())?;
        Ok(read(rows)?.pop())
    }
}

impl Store {
    /// Keeps a cosignature; one that is there already stays as it is (another node was quicker).
    ///
    /// # Errors
    /// The database's.
    pub fn cosignature_keep(&self, cosignature: &StoredCosignature) -> Result<(), StoreError> {
        self.append(|tx| tx.cosignature_insert(cosignature))
    }
}

impl WriteTx {
    fn cosignature_insert(&mut self, new: &StoredCosignature) -> Result<(), StoreError> {
        let size = i64::try_from(new.size).map_err(|e| StoreError::corrupt("audit_cosignature", &e))?;
        let there: i64 = audit_cosignature::table
            .filter(audit_cosignature::size.eq(size))
            .filter(audit_cosignature::witness.eq(&new.witness))
            .count()
            .get_result(self.conn())?;
        if there == 0 {
            diesel::insert_into(audit_cosignature::table)
                .values((
                    audit_cosignature::size.eq(size),
                    audit_cosignature::witness.eq(&new.witness),
                    audit_cosignature::at.eq(new.at.micros()),
                    audit_cosignature::line.eq(&new.line),
                ))
                .execute(self.conn())?;
        }
        Ok(())
    }
}
