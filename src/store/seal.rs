//! JSON in and out of ciphertext, for the rows of this room.

use serde::Serialize;
use serde::de::DeserializeOwned;
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
    serde_json::from_slice(&plain).map_err(|e| StoreError::Corrupt {
        table,
        what: format!("unreadable at column {}", e.column()),
    })
}
