//! JSON in and out of ciphertext, for the rows of this room.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::StoreError;
use crate::clock::Chance;
use crate::crypto::envelope::{DataKey, Place};

/// Serialises and seals for one place.
pub(super) fn seal_json<T: Serialize>(
    key: &DataKey,
    place: Place<'_>,
    table: &'static str,
    value: &T,
    chance: &dyn Chance,
) -> Result<Vec<u8>, StoreError> {
    let plain = Zeroizing::new(serde_json::to_vec(value).map_err(|e| StoreError::corrupt(table, &e))?);
    key.seal(place, &plain, chance).map_err(|e| StoreError::corrupt(table, &e))
}

/// Opens and reads what [`seal_json`] made for the same place.
pub(super) fn open_json<T: DeserializeOwned>(
    key: &DataKey,
    place: Place<'_>,
    table: &'static str,
    bytes: &[u8],
) -> Result<T, StoreError> {
    let plain = key.open(place, bytes).map_err(|e| StoreError::corrupt(table, &e))?;
    // The error of serde_json can quote what it read: only its position is kept.
    serde_json::from_slice(&plain)
        .map_err(|e| StoreError::Corrupt { table, what: format!("unreadable at column {}", e.column()) })
}

/// Words, sealed together with the columns that stand beside them in the clear.
#[derive(Serialize, Deserialize)]
struct Bound<R, W> {
    columns: R,
    words: W,
}

/// Seals words with the columns of their row.
///
/// THREAT: who owns the database and edits a column in the clear. The words then open no more ([`open_with`]).
pub(super) fn seal_with<R: Serialize, W: Serialize>(
    key: &DataKey,
    place: Place<'_>,
    table: &'static str,
    columns: &R,
    words: &W,
    chance: &dyn Chance,
) -> Result<Vec<u8>, StoreError> {
    seal_json(key, place, table, &Bound { columns, words }, chance)
}

/// Opens what [`seal_with`] made, where the columns are still those that were sealed.
pub(super) fn open_with<R: DeserializeOwned + PartialEq, W: DeserializeOwned>(
    key: &DataKey,
    place: Place<'_>,
    table: &'static str,
    columns: &R,
    bytes: &[u8],
) -> Result<W, StoreError> {
    let sealed: Bound<R, W> = open_json(key, place, table, bytes)?;
    if sealed.columns != *columns {
        return Err(StoreError::corrupt(
            table,
            &"a column is not the one that was sealed; run `relais audit reconcile`",
        ));
    }
    Ok(sealed.words)
}
