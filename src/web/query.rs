//! The query of an address, strictly: known names, once each, valid UTF-8.

use std::collections::HashMap;

use crate::domain::text::{EntryError, FieldError, FieldErrors};

/// Decodes `%41` and `+`; `None` when it is not UTF-8 or not well formed.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |b: Option<u8>| b.map(char::from).and_then(|c| c.to_digit(16));
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

/// What may be told of a name that somebody sent.
fn telling(name: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.len() <= 60 && name.chars().all(harmless) {
        name.to_owned()
    } else {
        "query".to_owned()
    }
}

/// Reads a query whose names are `known`.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn read(query: &str, known: &[&str]) -> Result<HashMap<String, String>, FieldErrors> {
    let mut found = HashMap::new();
    let mut errors = Vec::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            let error = EntryError::WrongType { expected: "du texte UTF-8" };
            errors.push(FieldError { path: "query".to_owned(), error });
            continue;
        };
        let error = if !known.contains(&name.as_str()) {
            EntryError::UnknownField
        } else if found.insert(name.clone(), value).is_some() {
            EntryError::GivenTwice
        } else {
            continue;
        };
        errors.push(FieldError { path: telling(&name), error });
    }
    FieldErrors::new(errors).map_or(Ok(found), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(query: &str) -> Vec<(String, &'static str)> {
        match read(query, &["from", "cursor"]) {
            Ok(_) => Vec::new(),
            Err(e) => e.iter().map(|f| (f.path.clone(), f.error.code())).collect(),
        }
    }

    #[test]
    fn known_names_are_read_and_decoded() {
        let found = read("from=a%20b+%C3%A9&cursor=", &["from", "cursor"]).unwrap();
        assert_eq!(found.get("from").map(String::as_str), Some("a b é"));
        assert_eq!(found.get("cursor").map(String::as_str), Some(""));
        assert!(read("", &[]).unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_refused_and_not_repeated() {
        assert_eq!(
            codes("form=1&from=1&from=2"),
            [("form".to_owned(), "unknown_field"), ("from".to_owned(), "given_twice")]
        );
        for broken in ["from=%FF", "from=%4", "from=%zz", "%C3=1", "from=%"] {
            assert_eq!(codes(broken), [("query".to_owned(), "wrong_type")], "{broken}");
        }
        assert_eq!(codes("L%C3%A9a%20Martin=1"), [("query".to_owned(), "unknown_field")]);
    }
}
