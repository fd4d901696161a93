//! Telephone numbers: read in the ways people write them, kept in one form.
//!
//! INVARIANT: a [`Phone`] is a French national number of ten digits (`0612345678`), an international one (`+41…`), or
//! a French short number (`15`, `119`, `3919`, `116000`). `+33…` is kept as the national number. It does not know
//! whether anybody answers there.

use std::fmt;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use zeroize::Zeroizing;

use super::text::EntryError;

/// The longest form that is read, spaces included.
const LONGEST: usize = 40;

/// A telephone number in its one canonical form.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(Zeroizing<String>);

fn is_national(digits: &str) -> bool {
    let mut start = digits.bytes();
    digits.len() == 10 && start.next() == Some(b'0') && matches!(start.next(), Some(b'1'..=b'9'))
}

/// Emergency and social numbers: two digits (15, 17, 18), three (112, 114, 115, 119…), four (3919, 3018…), 116 xxx.
fn is_short(digits: &str) -> bool {
    match digits.len() {
        2 => matches!(digits, "15" | "17" | "18"),
        3 => digits.starts_with('1'),
        4 => digits.starts_with('3') || digits.starts_with("10"),
        6 => digits.starts_with("116"),
        _ => false,
    }
}

impl Phone {
    /// Reads a number as people write it: spaces, dots, dashes, `(0)` after the country's code.
    ///
    /// # Errors
    /// [`EntryError::Empty`], or [`EntryError::NotAPhone`] for anything that cannot be dialled.
    pub fn parse(raw: &str) -> Result<Self, EntryError> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(EntryError::Empty);
        }
        if raw.chars().count() > LONGEST {
            return Err(EntryError::NotAPhone);
        }
        let spaced = Zeroizing::new(raw.replace("(0)", ""));
        let mut digits = Zeroizing::new(String::with_capacity(LONGEST));
        let mut international = false;
        for (at, c) in spaced.chars().enumerate() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if at == 0 => international = true,
                ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' | '‑' | '–' | '/' => {}
                _ => return Err(EntryError::NotAPhone),
            }
        }
        if !international && let Some(rest) = digits.strip_prefix("00") {
            digits = Zeroizing::new(rest.to_owned());
            international = true;
        }
        if international {
            return Self::international(&digits);
        }
        if is_national(&digits) || is_short(&digits) { Ok(Self(digits)) } else { Err(EntryError::NotAPhone) }
    }

    fn international(digits: &str) -> Result<Self, EntryError> {
        if let Some(rest) = digits.strip_prefix("33") {
            let national = Zeroizing::new(format!("0{rest}"));
            return if is_national(&national) { Ok(Self(national)) } else { Err(EntryError::NotAPhone) };
        }
        // E.164: at most fifteen digits, the country's code never begins with 0.
        if (8..=15).contains(&digits.len()) && !digits.starts_with('0') {
            Ok(Self(Zeroizing::new(format!("+{digits}"))))
        } else {
            Err(EntryError::NotAPhone)
        }
    }

    /// The canonical form: `0612345678`, `+41791234567`, `119`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As people read it aloud: `06 12 34 56 78`.
    #[must_use]
    pub fn spoken(&self) -> String {
        if !is_national(&self.0) {
            return self.0.to_string();
        }
        let mut out = String::with_capacity(14);
        for (at, c) in self.0.chars().enumerate() {
            if at > 0 && at.is_multiple_of(2) {
                out.push(' ');
            }
            out.push(c);
        }
        out
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

impl serde::Serialize for Phone {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Phone {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = Zeroizing::new(String::deserialize(d)?);
        Self::parse(&raw).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Phone {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .min_length(Some(2))
            .max_length(Some(LONGEST))
            .description(Some("French national number, short number, or `+` and the country's code"))
            .build();
        RefOr::T(Schema::Object(object))
    }
}

impl utoipa::ToSchema for Phone {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_every_way_of_writing() {
        for (raw, kept, spoken) in [
            ("06 12 34 56 78", "0612345678", "06 12 34 56 78"),
            ("06.12.34.56.78", "0612345678", "06 12 34 56 78"),
            ("+33 6 12 34 56 78", "0612345678", "06 12 34 56 78"),
            ("+33 (0)6-12-34-56-78", "0612345678", "06 12 34 56 78"),
            ("0033612345678", "0612345678", "06 12 34 56 78"),
            ("0262\u{202f}12 34 56", "0262123456", "02 62 12 34 56"),
            ("+41 79 123 45 67", "+41791234567", "+41791234567"),
            (" 119 ", "119", "119"),
            ("15", "15", "15"),
            ("3919", "3919", "3919"),
            ("116 000", "116000", "116000"),
        ] {
            let phone = Phone::parse(raw).unwrap();
            assert_eq!((phone.as_str(), phone.spoken().as_str()), (kept, spoken), "{raw}");
            assert_eq!(Phone::parse(phone.as_str()).unwrap(), phone, "canonical form reads back");
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_refused() {
        for raw in [
            "12",
            "16",
            "999",
            "061234567",
            "06123456789",
            "0012",
            "+33 06 12 34 56 78",
            "+0123456789",
            "+1234567",
            "+1234567890123456",
            "06 12 34 56 7a",
            "06+12345678",
            "185057800608491",
            "++33612345678",
            "6 12 34 56 78",
            "06 12 34 56 78 06 12 34 56 78 06 12 34 56 78 06",
        ] {
            assert_eq!(Phone::parse(raw), Err(EntryError::NotAPhone), "{raw}");
        }
        assert_eq!(Phone::parse("  "), Err(EntryError::Empty));
        assert_eq!(format!("{:?}", Phone::parse("119").unwrap()), "Phone(…)");
    }
}
