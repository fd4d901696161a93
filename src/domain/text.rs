//! Texts that people write, bounded and clean from the moment they exist.
//!
//! INVARIANT: a [`Text`] or [`Paragraph`] is trimmed, not empty, at most `MAX` Unicode scalar values long, free of
//! control and invisible characters, and holds nothing that looks like a social security number (LAW §7).
//! Their memory is wiped when they are dropped, and `Debug` prints no content.
//!
//! This room does not judge the meaning of words: the lexicon warns, it never refuses ([`lexicon`]).

pub mod error;
mod fold;
pub mod lexicon;
mod nir;

use std::fmt;

use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, schema::SchemaType};
use zeroize::Zeroizing;

pub use error::{EntryError, FieldError, FieldErrors};
pub use fold::{fold, search_key};
pub use nir::looks_like_nir;

/// Which of the rules apply: what is entered today meets all of them, what is stored met those of its day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strictness {
    Entry,
    /// A rule that is tightened later must not make an older item unreadable.
    Stored,
}

/// Characters that print nothing, or that change the order in which a line is read.
///
/// THREAT: the family signs the exact words. With these, the sheet could show other words than those kept, and a
/// number could pass unseen by the rules below.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

fn clean(raw: &str, max: usize, lines: bool, rules: Strictness) -> Result<Zeroizing<String>, EntryError> {
    let mut text = Zeroizing::new(String::with_capacity(raw.len()));
    let trimmed = raw.trim();
    let mut rest = trimmed.chars().peekable();
    let mut count = 0_usize;
    while let Some(c) = rest.next() {
        // Forms send CR LF where a person pressed Enter once.
        if c == '\r' && lines && rest.peek() == Some(&'\n') {
            continue;
        }
        if c.is_control() && !(lines && c == '\n') {
            return Err(EntryError::ControlCharacter);
        }
        if is_invisible(c) {
            return Err(EntryError::InvisibleCharacter);
        }
        text.push(c);
        count = count.saturating_add(1);
    }
    if count == 0 {
        return Err(EntryError::Empty);
    }
    if count > max {
        return Err(EntryError::TooLong { max, over: count.saturating_sub(max) });
    }
    match rules {
        // LAW: decree 2019-341 (use of the NIR outside the listed cases is forbidden) and LAW §7.
        Strictness::Entry if looks_like_nir(&text) => Err(EntryError::NirLike),
        Strictness::Entry | Strictness::Stored => Ok(text),
    }
}

fn text_schema(max: usize) -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .min_length(Some(1))
        .max_length(Some(max))
        .build();
    RefOr::T(Schema::Object(object))
}

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, lines: $lines:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name<const MAX: usize>(Zeroizing<String>);

        impl<const MAX: usize> $name<MAX> {
            /// The bound, in Unicode scalar values.
            pub const MAX: usize = MAX;

            /// Reads what a person wrote, under every rule of today.
            ///
            /// # Errors
            /// [`EntryError`] saying which rule refuses it and what to do.
            pub fn parse(raw: &str) -> Result<Self, EntryError> {
                Self::parse_as(raw, Strictness::Entry)
            }

            pub(crate) fn parse_as(raw: &str, rules: Strictness) -> Result<Self, EntryError> {
                clean(raw, MAX, $lines, rules).map(Self)
            }

            /// The exact words.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<const MAX: usize> fmt::Debug for $name<MAX> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl<const MAX: usize> TryFrom<String> for $name<MAX> {
            type Error = EntryError;

            fn try_from(raw: String) -> Result<Self, EntryError> {
                Self::parse(&Zeroizing::new(raw))
            }
        }

        impl<const MAX: usize> serde::Serialize for $name<MAX> {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de, const MAX: usize> serde::Deserialize<'de> for $name<MAX> {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let raw = Zeroizing::new(String::deserialize(d)?);
                Self::parse(&raw).map_err(serde::de::Error::custom)
            }
        }

        impl<const MAX: usize> utoipa::PartialSchema for $name<MAX> {
            fn schema() -> RefOr<Schema> {
                text_schema(MAX)
            }
        }

        impl<const MAX: usize> utoipa::ToSchema for $name<MAX> {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Owned(format!("{}{MAX}", stringify!($name)))
            }
        }
    };
}

bounded_text! {
    /// One line of at most `MAX` characters.
    Text, lines: false
}

bounded_text! {
    /// Several lines, at most `MAX` characters in all; line ends count as one.
    Paragraph, lines: true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_bounded_in_characters_and_never_empty() {
        assert_eq!(Text::<5>::parse("  été 1 \u{a0}").unwrap().as_str(), "été 1");
        assert_eq!(Text::<5>::parse("éééééé"), Err(EntryError::TooLong { max: 5, over: 1 }));
        for empty in ["", "  ", "\u{a0}\u{202f}", "\n"] {
            assert_eq!(Text::<5>::parse(empty), Err(EntryError::Empty), "{empty:?}");
        }
    }

    #[test]
    fn control_and_invisible_characters_are_refused() {
        for bad in ["a\nb", "a\tb", "a\0b", "a\u{1b}[31mb", "a\u{85}b"] {
            assert_eq!(Text::<50>::parse(bad), Err(EntryError::ControlCharacter), "{bad:?}");
        }
        for bad in ["a\u{202e}b", "a\u{200b}b", "a\u{2066}b", "a\u{feff}b", "a\u{ad}b", "a\u{2028}b"] {
            assert_eq!(Text::<50>::parse(bad), Err(EntryError::InvisibleCharacter), "{bad:?}");
            assert_eq!(Paragraph::<50>::parse(bad), Err(EntryError::InvisibleCharacter), "{bad:?}");
        }
        assert_eq!(Paragraph::<50>::parse("a\r\nb\nc").unwrap().as_str(), "a\nb\nc");
        assert_eq!(Paragraph::<50>::parse("a\rb"), Err(EntryError::ControlCharacter));
        assert_eq!(Paragraph::<50>::parse("a\tb"), Err(EntryError::ControlCharacter));
    }

    #[test]
    fn law_7_a_nir_is_refused_in_every_text() {
        assert_eq!(Text::<140>::parse("NIR 1 85 05 78 006 084 91"), Err(EntryError::NirLike));
        assert_eq!(Paragraph::<600>::parse("voir\n2 99 12 2A 004 118"), Err(EntryError::NirLike));
        assert!(serde_json::from_str::<Text<140>>("\"185057800608491\"").is_err());
        // What was stored before a rule was tightened stays readable.
        assert!(Text::<140>::parse_as("185057800608491", Strictness::Stored).is_ok());
    }

    #[test]
    fn no_content_in_debug() {
        let text = Text::<140>::parse("secret").unwrap();
        assert_eq!(format!("{text:?}"), "Text(…)");
        assert_eq!(serde_json::to_string(&text).unwrap(), "\"secret\"");
    }

    #[test]
    fn the_schema_tells_the_bound() {
        let schema = serde_json::to_value(<Text<140> as utoipa::PartialSchema>::schema()).unwrap();
        assert_eq!(schema, serde_json::json!({"type": "string", "minLength": 1, "maxLength": 140}));
        assert_eq!(<Text<140> as utoipa::ToSchema>::name(), "Text140");
    }
}
