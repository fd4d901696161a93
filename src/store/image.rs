//! The image of a row: one digest of what it says, made before it is written and again from what is stored.
//!
//! INVARIANT: the digest of a record is over the images of its rows in the order of their names, so that whoever has the
//! rows and their names works it out again; no order of writing has to be kept.

use crate::crypto::hash::{Digest, sha256};
use crate::domain::record::RowRef;

/// The image of a row: its name, then each column by its own hash, so that no byte can move from one to the next.
#[must_use]
pub fn row_image(row: &RowRef, columns: &[&[u8]]) -> Digest {
    let mut all = Vec::with_capacity(32 * columns.len().saturating_add(3));
    for part in [row.table.as_bytes(), row.id.as_bytes(), &row.version.to_be_bytes()] {
        all.extend_from_slice(&sha256(&[part]));
    }
    for column in columns {
        all.extend_from_slice(&sha256(&[column]));
    }
    sha256(&[&all])
}

/// A column that may be NULL: nothing is not the same as something empty.
pub(super) fn optional(column: Option<&[u8]>) -> Vec<u8> {
    match column {
        None => vec![0],
        Some(bytes) => [&[1_u8], bytes].concat(),
    }
}

/// The digest over images that come in the order of their rows; `None` when there is none.
pub fn write_digest<'a>(images: impl IntoIterator<Item = &'a Digest>) -> Option<Digest> {
    let all: Vec<u8> = images.into_iter().flatten().copied().collect();
    (!all.is_empty()).then(|| sha256(&[&all]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, version: i64) -> RowRef {
        RowRef { table: "fact", id: id.to_owned(), version }
    }

    #[test]
    fn no_byte_moves_between_columns_names_or_rows() {
        let image = |id: &str, version, columns: &[&[u8]]| row_image(&row(id, version), columns);
        let one = image("a", 1, &[b"ab", b"c"]);
        for other in [
            image("a", 1, &[b"a", b"bc"]),
            image("a", 1, &[b"abc"]),
            image("a", 1, &[b"ab", b"c", b""]),
            image("a", 2, &[b"ab", b"c"]),
            image("aa", 1, &[b"b", b"c"]),
            row_image(&RowRef { table: "note", ..row("a", 1) }, &[b"ab", b"c"]),
        ] {
            assert_ne!(one, other);
        }
        assert_ne!(optional(None), optional(Some(b"")));
        assert_eq!(write_digest([]), None);
        assert_ne!(write_digest([&one]), write_digest([&one, &one]));
    }
}
