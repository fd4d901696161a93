//! How one field is read, written, described and put into words; [`Shape`] does the same for a group of fields.

use std::fmt;

use chrono::NaiveDate;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use zeroize::Zeroizing;

use super::Codes;
use super::content::{ContactKind, HealthKind};
use super::json::wipe;
use crate::domain::contact::Phone;
use crate::domain::day::Day;
use crate::domain::text::{EntryError, FieldError, FieldErrors, Paragraph, Strictness, Text};
use crate::domain::vocabulary::{Category, Source};

enum Rules<'a> {
    Entry { codes: &'a dyn Codes, today: NaiveDate },
    Stored,
}

/// One pass over a submitted content: where we are, which rules apply, what was refused so far.
pub(super) struct Reading<'a> {
    rules: Rules<'a>,
    path: String,
    errors: Vec<FieldError>,
}

impl<'a> Reading<'a> {
    pub(super) const fn entry(codes: &'a dyn Codes, today: NaiveDate) -> Self {
        Self { rules: Rules::Entry { codes, today }, path: String::new(), errors: Vec::new() }
    }

    pub(super) const fn stored() -> Self {
        Self { rules: Rules::Stored, path: String::new(), errors: Vec::new() }
    }

    /// The value, if nothing was refused.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, FieldErrors> {
        match (FieldErrors::new(self.errors), value) {
            (Some(errors), _) => Err(errors),
            (None, Some(value)) => Ok(value),
            // INVARIANT: whoever answers `None` has said why; if not, the content is refused all the same.
            (None, None) => Err(FieldErrors::one("content", EntryError::Missing)),
        }
    }

    fn strictness(&self) -> Strictness {
        match self.rules {
            Rules::Entry { .. } => Strictness::Entry,
            Rules::Stored => Strictness::Stored,
        }
    }

    pub(super) fn refuse(&mut self, error: EntryError) {
        self.errors.push(FieldError { path: self.path.clone(), error });
    }

    pub(super) fn keep<T>(&mut self, read: Result<T, EntryError>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(error);
                None
            }
        }
    }

    fn within<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.path.len();
        self.path.push_str(step);
        let value = read(self);
        self.path.truncate(before);
        value
    }

    pub(super) fn at<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let step = if self.path.is_empty() { name.to_owned() } else { format!(".{name}") };
        self.within(&step, read)
    }

    pub(super) fn at_index<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.within(&format!("[{index}]"), read)
    }

    fn wrong<T>(&mut self, value: Value, expected: &'static str) -> Option<T> {
        wipe(value);
        self.refuse(EntryError::WrongType { expected });
        None
    }

    pub(super) fn object(&mut self, value: Value) -> Option<Map<String, Value>> {
        match value {
            Value::Object(map) => Some(map),
            other => self.wrong(other, "objet JSON"),
        }
    }

    pub(super) fn list(&mut self, value: Value) -> Option<Vec<Value>> {
        match value {
            Value::Array(all) => Some(all),
            other => self.wrong(other, "liste"),
        }
    }

    pub(super) fn string(&mut self, value: Value) -> Option<Zeroizing<String>> {
        match value {
            Value::String(text) => Some(Zeroizing::new(text)),
            other => self.wrong(other, "texte"),
        }
    }

    /// One field by its name; `null` is absent.
    pub(super) fn field<T: Field>(&mut self, name: &str, value: Option<Value>) -> Option<T> {
        self.at(name, |reading| match value {
            None | Some(Value::Null) => T::absent(reading),
            Some(value) => T::read(reading, value),
        })
    }

    /// A group of fields, and nothing else.
    pub(super) fn shape<T: Shape>(&mut self, mut map: Map<String, Value>) -> Option<T> {
        let read = T::read_from(self, &mut map);
        for (name, value) in map {
            wipe(value);
            let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            self.at(&shown, |reading| reading.refuse(EntryError::UnknownField));
        }
        read
    }
}

/// One field.
pub(super) trait Field: Sized {
    /// Whether it must be there.
    const REQUIRED: bool = true;

    /// What its absence means.
    fn absent(reading: &mut Reading<'_>) -> Option<Self> {
        reading.refuse(EntryError::Missing);
        None
    }

    fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self>;

    /// Its JSON; `None` when it is left out.
    fn write(&self) -> Option<Value>;

    /// As `policies/items.toml` writes it.
    fn notation() -> String;

    fn schema() -> RefOr<Schema>;

    /// What people read: nothing, one line, or one line per entry.
    fn words(&self, codes: &dyn Codes) -> Vec<String>;

    /// Its free texts, for the lexicon.
    fn texts<'a>(&'a self, _into: &mut Vec<&'a str>) {}
}

/// A group of fields with names.
pub(super) trait Shape: Sized {
    fn read_from(reading: &mut Reading<'_>, map: &mut Map<String, Value>) -> Option<Self>;
    fn write_to(&self, map: &mut Map<String, Value>);
    fn words_of(&self, codes: &dyn Codes, out: &mut Vec<(String, String)>);
    fn texts_of<'a>(&'a self, out: &mut Vec<&'a str>);
    fn notations() -> Vec<(&'static str, String)>;
    fn properties(object: ObjectBuilder) -> ObjectBuilder;
}

pub(super) fn notation_of<T: Shape>() -> Vec<(&'static str, String)> {
    T::notations()
}

pub(super) fn properties_of<T: Shape>(object: ObjectBuilder) -> ObjectBuilder {
    T::properties(object)
}

macro_rules! text_field {
    ($name:ident) => {
        impl<const MAX: usize> Field for $name<MAX> {
            fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
                let raw = reading.string(value)?;
                let read = Self::parse_as(&raw, reading.strictness());
                reading.keep(read)
            }

            fn write(&self) -> Option<Value> {
                Some(Value::String(self.as_str().to_owned()))
            }

            fn notation() -> String {
                format!("text {MAX}")
            }

            fn schema() -> RefOr<Schema> {
                <Self as utoipa::PartialSchema>::schema()
            }

            fn words(&self, _codes: &dyn Codes) -> Vec<String> {
                vec![self.as_str().to_owned()]
            }

            fn texts<'a>(&'a self, into: &mut Vec<&'a str>) {
                into.push(self.as_str());
            }
        }
    };
}

text_field!(Text);
text_field!(Paragraph);

impl Field for Phone {
    fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
        let raw = reading.string(value)?;
        reading.keep(Self::parse(&raw))
    }

    fn write(&self) -> Option<Value> {
        Some(Value::String(self.as_str().to_owned()))
    }

    fn notation() -> String {
        "phone".to_owned()
    }

    fn schema() -> RefOr<Schema> {
        <Self as utoipa::PartialSchema>::schema()
    }

    fn words(&self, _codes: &dyn Codes) -> Vec<String> {
        vec![self.spoken()]
    }
}

impl Field for Day {
    fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
        let raw = reading.string(value)?;
        reading.keep(Self::parse(&raw))
    }

    fn write(&self) -> Option<Value> {
        Some(Value::String(self.iso()))
    }

    fn notation() -> String {
        "date".to_owned()
    }

    fn schema() -> RefOr<Schema> {
        <Self as utoipa::PartialSchema>::schema()
    }

    fn words(&self, _codes: &dyn Codes) -> Vec<String> {
        vec![self.french()]
    }
}

/// A day that had come when it was entered: a birth, the start of a fact, a reading with the family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PastDay(Day);

impl PastDay {
    #[must_use]
    pub const fn day(self) -> Day {
        self.0
    }
}

impl fmt::Debug for PastDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PastDay(…)")
    }
}

impl Field for PastDay {
    fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
        let day = Day::read(reading, value)?;
        match reading.rules {
            Rules::Entry { today, .. } if day.date() > today => {
                reading.refuse(EntryError::DateInFuture);
                None
            }
            Rules::Entry { .. } | Rules::Stored => Some(Self(day)),
        }
    }

    fn write(&self) -> Option<Value> {
        self.0.write()
    }

    fn notation() -> String {
        Day::notation()
    }

    fn schema() -> RefOr<Schema> {
        <Day as Field>::schema()
    }

    fn words(&self, codes: &dyn Codes) -> Vec<String> {
        self.0.words(codes)
    }
}

impl<T: Field> Field for Option<T> {
    const REQUIRED: bool = false;

    fn absent(_reading: &mut Reading<'_>) -> Option<Self> {
        Some(None)
    }

    fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
        T::read(reading, value).map(Some)
    }

    fn write(&self) -> Option<Value> {
        self.as_ref().and_then(T::write)
    }

    fn notation() -> String {
        format!("{}?", T::notation())
    }

    fn schema() -> RefOr<Schema> {
        T::schema()
    }

    fn words(&self, codes: &dyn Codes) -> Vec<String> {
        self.as_ref().map(|value| value.words(codes)).unwrap_or_default()
    }

    fn texts<'a>(&'a self, into: &mut Vec<&'a str>) {
        if let Some(value) = self {
            value.texts(into);
        }
    }
}

fn enum_schema(codes: Vec<&'static str>) -> RefOr<Schema> {
    let object =
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(codes)).build();
    RefOr::T(Schema::Object(object))
}

/// A field whose value is in one of our closed lists.
macro_rules! listed_field {
    ($name:ident, $list:literal, $notation:expr) => {
        impl Field for $name {
            fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
                let raw = reading.string(value)?;
                reading.keep(Self::parse(&raw).map_err(|_| EntryError::NotInList { list: $list }))
            }

            fn write(&self) -> Option<Value> {
                Some(Value::String(self.code().to_owned()))
            }

            fn notation() -> String {
                $notation
            }

            fn schema() -> RefOr<Schema> {
                enum_schema(Self::ALL.iter().map(|v| v.code()).collect())
            }

            fn words(&self, _codes: &dyn Codes) -> Vec<String> {
                vec![self.french().to_owned()]
            }
        }
    };
}

listed_field!(Category, "category", "category".to_owned());
listed_field!(Source, "source", "source".to_owned());
listed_field!(ContactKind, "kind of contact", String::new());
listed_field!(HealthKind, "kind of health information", {
    let words: Vec<&str> = Self::ALL.iter().map(|kind| kind.french()).collect();
    words.join(" | ")
});

/// The longest code of a charter's list.
const LONGEST_CODE: usize = 40;

fn well_formed(code: &str) -> bool {
    (1..=LONGEST_CODE).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A field whose value is in a list of the charter in force.
macro_rules! charter_code {
    ($(#[$doc:meta])* $name:ident, $lookup:ident, $list:literal, $notation:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl Field for $name {
            fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
                let raw = reading.string(value)?;
                let listed = match reading.rules {
                    Rules::Entry { codes, .. } => codes.$lookup(&raw).is_some(),
                    Rules::Stored => true,
                };
                if listed && well_formed(&raw) {
                    Some(Self(raw.to_string()))
                } else {
                    reading.refuse(EntryError::NotInCharter { list: $list });
                    None
                }
            }

            fn write(&self) -> Option<Value> {
                Some(Value::String(self.0.clone()))
            }

            fn notation() -> String {
                $notation.to_owned()
            }

            fn schema() -> RefOr<Schema> {
                let object = ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .pattern(Some("^[a-z0-9_]{1,40}$"))
                    .description(Some(concat!("a code of the charter's ", $list)))
                    .build();
                RefOr::T(Schema::Object(object))
            }

            fn words(&self, codes: &dyn Codes) -> Vec<String> {
                vec![codes.$lookup(&self.0).unwrap_or(&self.0).to_owned()]
            }
        }
    };
}

charter_code! {
    /// A practical need that the charter lists.
    NeedCode, need, "practical needs", "code from the charter's list"
}
charter_code! {
    /// A kind of measure that the charter lists.
    JudicialKindCode, judicial_kind, "kinds of measure", "code from the charter's list"
}
charter_code! {
    /// A term of the charter's glossary, so that a word cites its definition (R15).
    TermCode, term, "glossary", "glossary"
}
