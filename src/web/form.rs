//! Forms of our pages: `application/x-www-form-urlencoded`, read strictly into the same types that the API reads.
//!
//! The name of a field is its path in the JSON of the API: `content.contacts[0].number`; `categories[]` is one of several;
//! a suffix says what is not text: `review:bool`, `version:int`. A field left empty is one that was not given. A field named
//! `label:line` is one line that is written in a box of several: it is `label`, its line ends are spaces.
//!
//! INVARIANT: an error names a field by its path; it never repeats what was written.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::query::decode;
use crate::domain::text::{EntryError, FieldError, FieldErrors};

/// Fields that belong to the form, not to what it says.
pub const ONCE: &str = "_once";
pub const ASSIGNMENT: &str = "_assignment";
/// The button that was pressed, when a form has several.
pub const BUTTON: &str = "_button";
/// The kept text that this form goes on with.
pub const KEPT: &str = "_kept";
/// The page that was left quickly.
pub const FROM: &str = "_from";
/// Fields of the form itself.
pub const OWN: [&str; 5] = [ONCE, ASSIGNMENT, BUTTON, KEPT, FROM];

/// How many fields a form may have, and how deep a path may go.
const MOST_FIELDS: usize = 400;
const MOST_PLACES: usize = 64;

/// What a form said, in its order.
#[derive(Clone, Default)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a body.
    ///
    /// # Errors
    /// 422 when it is not well formed, not UTF-8, or has too many fields.
    pub fn parse(body: &[u8]) -> Result<Self, FieldErrors> {
        let wrong = || FieldErrors::one("form", EntryError::WrongType { expected: "un formulaire en UTF-8" });
        let text = std::str::from_utf8(body).map_err(|_| wrong())?;
        let mut fields = Vec::new();
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.push(one_line(decode(name).ok_or_else(wrong)?, decode(value).ok_or_else(wrong)?));
            if fields.len() > MOST_FIELDS {
                return Err(FieldErrors::one("form", EntryError::TooMany { max: MOST_FIELDS }));
            }
        }
        Ok(Self { fields })
    }

    /// A form that says this (samples, tests, and forms filled in before they are shown).
    #[must_use]
    pub fn of(fields: &[(&str, &str)]) -> Self {
        Self { fields: fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect() }
    }

    /// The first value of a field, trimmed; `None` when absent or empty.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        self.fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.trim()).find(|v| !v.is_empty())
    }

    /// The values of a field that are not empty.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
    }

    /// What was written in a field, untouched.
    #[must_use]
    pub fn raw(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// Whether a field has this value (boxes, choices).
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.fields.iter().any(|(n, v)| n == name && v == value)
    }

    /// The same form without these fields: what belongs to a page and not to what the API reads.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = self.fields.iter().filter(|(n, _)| !names.contains(&n.as_str())).cloned();
        Self { fields: kept.collect() }
    }

    /// Names and values, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The button that was pressed.
    #[must_use]
    pub fn button(&self) -> Option<&str> {
        self.one(BUTTON)
    }

    /// A field that must be there, parsed.
    ///
    /// # Errors
    /// Missing, or what `parse` refuses (as "not in the list").
    pub fn need<T, E>(&self, name: &str, parse: fn(&str) -> Result<T, E>) -> Result<T, FieldErrors> {
        let text = self.one(name).ok_or_else(|| FieldErrors::one(name, EntryError::Missing))?;
        parse(text).map_err(|_| FieldErrors::one(name, EntryError::NotInList { list: "liste" }))
    }

    /// The fields as the JSON that the API reads.
    ///
    /// # Errors
    /// A path that cannot be one, a number that is none, one field given twice.
    pub fn tree(&self) -> Result<Value, FieldErrors> {
        let mut root = Value::Object(Map::new());
        let mut errors = Vec::new();
        for (name, raw) in &self.fields {
            let value = raw.trim();
            if value.is_empty() || OWN.contains(&name.as_str()) {
                continue;
            }
            let placed = typed(name, value).and_then(|(path, value)| place(&mut root, path, value));
            if let Err(error) = placed {
                errors.push(FieldError { path: bare(name).to_owned(), error });
            }
        }
        FieldErrors::new(errors).map_or(Ok(root), Err)
    }

    /// Reads what the form says as a type of the API; unknown fields are refused by the type.
    ///
    /// # Errors
    /// 422 naming the field, by its path.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, FieldErrors> {
        read_tree(self.tree()?)
    }
}

/// The members of a form looked at one by one, so that all that is wrong is told at once.
pub struct Members<'a> {
    tree: &'a Value,
    errors: Vec<FieldError>,
}

impl<'a> Members<'a> {
    #[must_use]
    pub const fn of(tree: &'a Value) -> Self {
        Self { tree, errors: Vec::new() }
    }

    fn value(&self, path: &str) -> Option<&'a Value> {
        let pointer: String =
            path.split(['.', '[']).map(|part| format!("/{}", part.trim_end_matches(']'))).collect();
        self.tree.pointer(&pointer)
    }

    /// What is written there, when it is text.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&'a str> {
        self.value(path).and_then(Value::as_str)
    }

    /// How many lines a list has.
    #[must_use]
    pub fn length(&self, path: &str) -> usize {
        self.value(path).and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// Notes what is wrong with one member; an `Option` may be left out.
    pub fn member<T: DeserializeOwned>(&mut self, path: &str) {
        let found = match self.value(path) {
            Some(value) => read_tree::<T>(value.clone()).map(|_| ()),
            None if read_tree::<T>(Value::Null).is_ok() => Ok(()),
            None => return self.wrong(path, EntryError::Missing),
        };
        if let Err(refused) = found {
            for one in refused.iter() {
                self.wrong(path, one.error.clone());
            }
        }
    }

    /// Notes what is wrong with a member, seen by who reads it.
    pub fn wrong(&mut self, path: &str, error: EntryError) {
        self.errors.push(FieldError { path: path.to_owned(), error });
    }

    /// The whole, read as strictly as ever, when nothing was wrong.
    ///
    /// # Errors
    /// Everything that was wrong; or what only the whole shows.
    pub fn finish<T: DeserializeOwned>(self) -> Result<T, FieldErrors> {
        match FieldErrors::new(self.errors) {
            Some(errors) => Err(errors),
            None => read_tree(self.tree.clone()),
        }
    }
}

/// Reads a JSON value as a type of the API, with errors at their paths.
///
/// # Errors
/// 422 naming the field.
pub fn read_tree<T: DeserializeOwned>(tree: Value) -> Result<T, FieldErrors> {
    serde_path_to_error::deserialize(tree).map_err(|e| {
        let refused = refusal(&e.path().to_string(), &e.inner().to_string());
        match refused.error {
            EntryError::UnknownField => FieldErrors::one("form", EntryError::UnknownField),
            error => FieldErrors::one(&refused.path, error),
        }
    })
}

/// What a deserialiser says at a path, as a refusal that names the field and repeats nothing of its content.
pub fn refusal(path: &str, message: &str) -> FieldError {
    let quoted = |prefix: &str| message.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
    let under = |field: &str| match path {
        "." | "" => field.to_owned(),
        // Only a field that is not known is on the path already.
        path if path == field || path.ends_with(&format!(".{field}")) => path.to_owned(),
        path => format!("{path}.{field}"),
    };
    let (path, error) = if let Some(field) = quoted("missing field `") {
        (under(field), EntryError::Missing)
    } else if let Some(field) = quoted("unknown field `") {
        (under(field), EntryError::UnknownField)
    } else if let Some(field) = quoted("duplicate field `") {
        (under(field), EntryError::GivenTwice)
    } else if quoted("unknown variant `").is_some() {
        (path.to_owned(), EntryError::NotInList { list: "liste" })
    } else {
        (path.to_owned(), EntryError::from_message(message))
    };
    FieldError { path, error }
}

/// A field; one that is a single line has no line ends, wherever its box broke it or Enter was pressed.
fn one_line(name: String, value: String) -> (String, String) {
    match name.strip_suffix(":line") {
        Some(bare) => (bare.to_owned(), value.lines().map(str::trim).collect::<Vec<_>>().join(" ")),
        None => (name, value),
    }
}

/// The name without the word that says its type.
fn bare(name: &str) -> &str {
    name.split_once(':').map_or(name, |(path, _)| path)
}

fn typed<'a>(name: &'a str, value: &str) -> Result<(&'a str, Value), EntryError> {
    match name.split_once(':') {
        None => Ok((name, Value::String(value.to_owned()))),
        Some((path, "bool")) => match value {
            "true" | "on" => Ok((path, Value::Bool(true))),
            "false" => Ok((path, Value::Bool(false))),
            _other => Err(EntryError::WrongType { expected: "oui ou non" }),
        },
        Some((path, "int")) => value
            .parse::<i64>()
            .map(|n| (path, Value::from(n)))
            .map_err(|_| EntryError::WrongType { expected: "un nombre entier" }),
        Some((path, _other)) => Ok((path, Value::String(value.to_owned()))),
    }
}

/// Puts a value at its path.
fn place(root: &mut Value, path: &str, value: Value) -> Result<(), EntryError> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let (key, index) = match first.split_once('[') {
        None => (first, None),
        Some((key, index)) => (key, Some(index.strip_suffix(']').ok_or(EntryError::UnknownField)?)),
    };
    let map = root.as_object_mut().ok_or(EntryError::GivenTwice)?;
    let slot = map.entry(key.to_owned());
    let slot = match index {
        None => match rest {
            None => match slot {
                serde_json::map::Entry::Vacant(vacant) => {
                    vacant.insert(value);
                    return Ok(());
                }
                serde_json::map::Entry::Occupied(_) => return Err(EntryError::GivenTwice),
            },
            Some(_) => slot.or_insert_with(|| Value::Object(Map::new())),
        },
        Some(index) => {
            let list = slot.or_insert_with(|| Value::Array(Vec::new()));
            let list = list.as_array_mut().ok_or(EntryError::GivenTwice)?;
            let at = if index.is_empty() {
                list.len()
            } else {
                index.parse::<usize>().map_err(|_| EntryError::UnknownField)?
            };
            if at >= MOST_PLACES {
                return Err(EntryError::TooMany { max: MOST_PLACES });
            }
            if rest.is_none() {
                list.push(value);
                return Ok(());
            }
            while list.len() <= at {
                list.push(Value::Object(Map::new()));
            }
            list.get_mut(at).ok_or(EntryError::UnknownField)?
        }
    };
    match rest {
        Some(rest) => place(slot, rest, value),
        None => Err(EntryError::UnknownField),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Contact {
        name: String,
        number: crate::domain::text::Text<10>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Input {
        label: String,
        #[serde(default)]
        contacts: Vec<Contact>,
        #[serde(default)]
        categories: Vec<crate::domain::vocabulary::Category>,
        seen: Option<bool>,
    }

    fn form(body: &str) -> Form {
        Form::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_form_reads_as_the_api_does() {
        let read: Input = form(
            "_once=k&label=+un+%C3%A9t%C3%A9+&contacts%5B0%5D.name=A&contacts[0].number=12&contacts[1].name=B&contacts[1].number=3&categories[]=family&categories[]=housing&seen:bool=on",
        )
        .read()
        .unwrap();
        assert_eq!(read.label, "un été");
        assert_eq!(read.contacts.len(), 2);
        assert_eq!(read.categories.len(), 2);
        assert_eq!(read.seen, Some(true));
    }

    #[test]
    fn one_line_in_a_box_of_several_has_no_line_ends() {
        let form =
            form("label:line=un%0D%0A+%C3%A9t%C3%A9%0A&contacts[0].number:line=1%0D%0A2&contacts[0].name=A");
        assert_eq!(form.one("label"), Some("un été"));
        let read: Input = form.read().unwrap();
        assert_eq!(read.contacts[0].number.as_str(), "1 2");
        // A text that is one line by its type, and is sent as it stands, is refused as before.
        assert!(
            super::Form::of(&[("label", "a"), ("contacts[0].name", "A"), ("contacts[0].number", "1\n2")])
                .read::<Input>()
                .is_err()
        );
    }

    #[test]
    fn errors_name_the_field_and_repeat_nothing() {
        let errors = |body: &str| -> Vec<(String, &'static str)> {
            match form(body).read::<Input>() {
                Ok(_) => Vec::new(),
                Err(e) => e.iter().map(|f| (f.path.clone(), f.error.code())).collect(),
            }
        };
        assert_eq!(errors("label="), [("label".to_owned(), "missing")]);
        assert_eq!(errors("label=a&contacts[0].name=b"), [("contacts[0].number".to_owned(), "missing")]);
        assert_eq!(
            errors("label=a&contacts[0].name=b&contacts[0].number=12345678901"),
            [("contacts[0].number".to_owned(), "too_long")]
        );
        assert_eq!(errors("label=a&label=b"), [("label".to_owned(), "given_twice")]);
        assert_eq!(errors("label=a&categories[]=weather"), [("categories[0]".to_owned(), "not_in_list")]);
        assert_eq!(errors("label=a&L%C3%A9a=b"), [("form".to_owned(), "unknown_field")]);
        assert_eq!(errors("label=a&seen:bool=perhaps"), [("seen".to_owned(), "wrong_type")]);
    }

    #[test]
    fn paths_are_bounded() {
        assert!(form("a[99999].b=1").tree().is_err());
        assert!(form("a[x].b=1").tree().is_err());
        assert!(form("a[=1").tree().is_err());
        assert!(form("a=1&a.b=2").tree().is_err());
        let many = "a[]=1&".repeat(MOST_FIELDS + 1);
        assert!(Form::parse(many.as_bytes()).is_err());
        assert!(Form::parse(b"a=%FF").is_err());
        assert!(Form::parse(b"a=\xff").is_err());
    }
}
