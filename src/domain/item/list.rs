//! Short lists and sets inside a content.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema};

use super::Codes;
use super::field::{Field, Reading, Shape};
use super::json::wipe;
use crate::domain::text::EntryError;
use crate::domain::vocabulary::Category;

/// No list inside a content is longer.
pub const LONGEST_LIST: usize = 10;

/// At most [`LONGEST_LIST`] entries, in the order given. When `ORDERED`, the order means something (whom to call first).
#[derive(Clone, PartialEq, Eq)]
pub struct Several<T, const ORDERED: bool>(Vec<T>);

/// A list whose order means nothing.
pub type Listed<T> = Several<T, false>;

/// A list whose first entry comes first.
pub type Ordered<T> = Several<T, true>;

impl<T, const ORDERED: bool> Several<T, ORDERED> {
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T, const ORDERED: bool> fmt::Debug for Several<T, ORDERED> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Several({} entries)", self.0.len())
    }
}

fn array_schema(items: RefOr<Schema>, least: Option<usize>, most: usize, unique: bool) -> RefOr<Schema> {
    let array =
        ArrayBuilder::new().items(items).min_items(least).max_items(Some(most)).unique_items(unique).build();
    RefOr::T(Schema::Array(array))
}

impl<T: Shape, const ORDERED: bool> Field for Several<T, ORDERED> {
    const REQUIRED: bool = false;

    /// A list that is left out says the same as an empty one.
    fn absent(_reading: &mut Reading<'_>) -> Option<Self> {
        Some(Self(Vec::new()))
    }

    fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
        let all = reading.list(value)?;
        if all.len() > LONGEST_LIST {
            all.into_iter().for_each(wipe);
            reading.refuse(EntryError::TooMany { max: LONGEST_LIST });
            return None;
        }
        let read: Vec<Option<T>> = all
            .into_iter()
            .enumerate()
            .map(|(at, value)| {
                reading.at_index(at, |r| {
                    let map = r.object(value)?;
                    r.shape(map)
                })
            })
            .collect();
        read.into_iter().collect::<Option<Vec<T>>>().map(Self)
    }

    fn write(&self) -> Option<Value> {
        let entry = |one: &T| {
            let mut map = Map::new();
            one.write_to(&mut map);
            Value::Object(map)
        };
        Some(Value::Array(self.0.iter().map(entry).collect()))
    }

    fn notation() -> String {
        let fields: Vec<String> = T::notations()
            .into_iter()
            .map(|(name, what)| format!("{name} {what}").trim_end().to_owned())
            .collect();
        let ordered = if ORDERED { "ordered " } else { "" };
        format!("{ordered}list{{{}}}", fields.join(", "))
    }

    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let entry = RefOr::T(Schema::Object(T::properties(object).build()));
        array_schema(entry, None, LONGEST_LIST, false)
    }

    fn words(&self, codes: &dyn Codes) -> Vec<String> {
        let line = |one: &T| {
            let mut words = Vec::new();
            one.words_of(codes, &mut words);
            let words: Vec<String> = words.into_iter().map(|(_, said)| said).collect();
            words.join(" · ")
        };
        self.0.iter().map(line).collect()
    }

    fn texts<'a>(&'a self, into: &mut Vec<&'a str>) {
        for one in &self.0 {
            one.texts_of(into);
        }
    }
}

/// The subjects that a synthesis speaks of: at least one, never `evaluation` (its own cell counts anyway).
#[derive(Clone, PartialEq, Eq)]
pub struct Subjects(BTreeSet<Category>);

impl Subjects {
    pub fn iter(&self) -> impl Iterator<Item = Category> {
        self.0.iter().copied()
    }
}

impl fmt::Debug for Subjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subjects({} categories)", self.0.len())
    }
}

impl Field for Subjects {
    fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
        let all = reading.list(value)?;
        if all.is_empty() {
            // LAW: a synthesis without subjects would be read under its own cell alone, the widest of all.
            reading.refuse(EntryError::Empty);
            return None;
        }
        if all.len() > Category::ALL.len() {
            all.into_iter().for_each(wipe);
            reading.refuse(EntryError::TooMany { max: Category::ALL.len() });
            return None;
        }
        let mut subjects = BTreeSet::new();
        let mut whole = true;
        for (at, value) in all.into_iter().enumerate() {
            whole &= reading.at_index(at, |r| match Category::read(r, value) {
                None => false,
                Some(Category::Evaluation) => {
                    r.refuse(EntryError::NotInList { list: "subject of a synthesis" });
                    false
                }
                Some(subject) if subjects.insert(subject) => true,
                Some(_) => {
                    r.refuse(EntryError::GivenTwice);
                    false
                }
            });
        }
        whole.then_some(Self(subjects))
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Array(self.iter().map(|c| Value::String(c.code().to_owned())).collect()))
    }

    fn notation() -> String {
        "set{category}".to_owned()
    }

    fn schema() -> RefOr<Schema> {
        array_schema(Category::schema(), Some(1), Category::ALL.len(), true)
    }

    fn words(&self, _codes: &dyn Codes) -> Vec<String> {
        let words: Vec<&str> = self.iter().map(Category::french).collect();
        vec![words.join(", ")]
    }
}
