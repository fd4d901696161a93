//! Lists that come in, bounded while they are read.
//!
//! It does not judge what a list holds, nor whether something stands in it twice: what names a thing twice names it once.

use serde::de::{Deserialize, Deserializer};

use super::text::EntryError;

/// Of what no request names more: things, readers, boxes of a sheet.
pub const MOST_NAMED: usize = 100;

fn bounded<const MAX: usize, T, E: serde::de::Error>(all: Vec<T>) -> Result<Vec<T>, E> {
    if all.len() > MAX { Err(E::custom(EntryError::TooMany { max: MAX })) } else { Ok(all) }
}

/// At most `MAX` entries.
///
/// # Errors
/// [`EntryError::TooMany`].
pub fn at_most<'de, const MAX: usize, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<Vec<T>, D::Error> {
    Vec::deserialize(d).and_then(bounded::<MAX, T, D::Error>)
}

/// As [`at_most`], for a list that may be left out.
///
/// # Errors
/// [`EntryError::TooMany`].
pub fn at_most_if_any<'de, const MAX: usize, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Option::<Vec<T>>::deserialize(d)?.map(bounded::<MAX, T, D::Error>).transpose()
}

#[cfg(test)]
mod tests {
    #[derive(Debug, serde::Deserialize)]
    struct Lists {
        #[serde(deserialize_with = "super::at_most::<3, _, _>")]
        all: Vec<u8>,
        #[serde(default, deserialize_with = "super::at_most_if_any::<2, _, _>")]
        some: Option<Vec<u8>>,
    }

    #[test]
    fn a_list_is_refused_from_the_first_entry_too_many() {
        let full: Lists = serde_json::from_str(r#"{"all":[1,2,3],"some":[1,2]}"#).unwrap();
        assert_eq!((full.all.len(), full.some.map(|s| s.len())), (3, Some(2)));
        assert!(serde_json::from_str::<Lists>(r#"{"all":[]}"#).unwrap().some.is_none());
        for bad in [r#"{"all":[1,2,3,4]}"#, r#"{"all":[],"some":[1,2,3]}"#] {
            let told = serde_json::from_str::<Lists>(bad).unwrap_err().to_string();
            assert!(told.starts_with("more than `"), "{told}");
        }
    }
}
