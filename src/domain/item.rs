//! What an item may hold, by category, and nothing else (`policies/items.toml` is the source; a test compares both ways).
//!
//! INVARIANT: an [`ItemContent`] exists only after every field was read under every rule of the day: bounded, clean,
//! without a number like a NIR, its codes in the charter's lists, no field too many. What was refused is named field
//! by field ([`FieldErrors`]). `Debug` prints no content, and texts are wiped when dropped.
//!
//! What this room does not do: decide who reads it (`access`), encrypt it (`crypto`), or keep validity and version.

mod content;
mod field;
mod json;
mod list;

use std::collections::BTreeSet;
use std::fmt;

use chrono::NaiveDate;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use zeroize::Zeroizing;

use super::day::Day;
use super::text::lexicon::{Warning, warnings};
use super::text::{EntryError, FieldErrors, Paragraph, Text};
use super::vocabulary::Category;
use crate::ids::ParticipationId;

pub use content::{
    Contact, ContactKind, EmergencyContact, EvaluationContent, FactContent, HealthKind, HealthMinimalContent,
    IdentityContent, JudicialContent, MayFetch, MedicalFactContent, PracticalContent, TermedFactContent,
};
pub use field::{JudicialKindCode, NeedCode, PastDay, TermCode};
pub use json::Submitted;
pub use list::{LONGEST_LIST, Listed, Ordered, Several, Subjects};

use field::{Reading, Shape};
use json::{canonical, wipe};

/// The lists of the charter in force that coded fields refer to; each answers with the words people read.
pub trait Codes {
    /// `practical.need`.
    fn need(&self, code: &str) -> Option<&str>;
    /// `judicial.kind`.
    fn judicial_kind(&self, code: &str) -> Option<&str>;
    /// A term of the glossary.
    fn term(&self, code: &str) -> Option<&str>;
}

/// A personal note: its author's own, never shareable.
pub type NoteText = Paragraph<4000>;

/// The short line that names an item.
pub type Label = Text<140>;

/// What an item holds, one shape per category.
#[derive(Clone, PartialEq, Eq)]
pub enum ItemContent {
    Identity(Box<IdentityContent>),
    HealthMinimal(HealthMinimalContent),
    Practical(PracticalContent),
    Schooling(TermedFactContent),
    Leisure(FactContent),
    Mobility(FactContent),
    Integration(TermedFactContent),
    Housing(FactContent),
    Family(FactContent),
    Affective(FactContent),
    HealthDetailed(MedicalFactContent),
    Judicial(JudicialContent),
    Evaluation(Box<EvaluationContent>),
}

/// Says the same of each shape, whatever the category.
macro_rules! of_each {
    ($content:expr, $inner:ident => $say:expr) => {
        match $content {
            ItemContent::Identity($inner) => $say,
            ItemContent::HealthMinimal($inner) => $say,
            ItemContent::Practical($inner) => $say,
            ItemContent::Schooling($inner) | ItemContent::Integration($inner) => $say,
            ItemContent::Leisure($inner)
            | ItemContent::Mobility($inner)
            | ItemContent::Housing($inner)
            | ItemContent::Family($inner)
            | ItemContent::Affective($inner) => $say,
            ItemContent::HealthDetailed($inner) => $say,
            ItemContent::Judicial($inner) => $say,
            ItemContent::Evaluation($inner) => $say,
        }
    };
}

/// The JSON name of the field that tells the category.
const TAG: &str = "category";

impl ItemContent {
    /// Reads what a person or a program submitted, under every rule of `today` and the charter's lists. Every refusal
    /// is reported, with its path from `content`.
    ///
    /// # Errors
    /// [`FieldErrors`], never empty.
    pub fn parse(submitted: Submitted, codes: &dyn Codes, today: NaiveDate) -> Result<Self, FieldErrors> {
        let mut reading = Reading::entry(codes, today);
        let content = reading.at("content", |r| Self::read(r, submitted.into_value()));
        reading.finish(content)
    }

    /// Reads what [`Self::canonical_bytes`] wrote. The rules of entry were applied on that day and are not applied
    /// anew: a charter that drops a code must not make an older item unreadable.
    ///
    /// # Errors
    /// [`FieldErrors`] when the bytes are not what this type writes.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, FieldErrors> {
        let submitted: Submitted = serde_json::from_slice(bytes)
            .map_err(|_| FieldErrors::one("content", EntryError::WrongType { expected: "objet JSON" }))?;
        let mut reading = Reading::stored();
        let content = reading.at("content", |r| Self::read(r, submitted.into_value()));
        reading.finish(content)
    }

    fn read(reading: &mut Reading<'_>, value: Value) -> Option<Self> {
        let mut map = reading.object(value)?;
        let category: Option<Category> = reading.field(TAG, map.remove(TAG));
        let Some(category) = category else {
            // Without its category nothing tells which fields are right.
            map.into_iter().for_each(|(_, value)| wipe(value));
            return None;
        };
        Some(match category {
            Category::Identity => Self::Identity(Box::new(reading.shape(map)?)),
            Category::HealthMinimal => Self::HealthMinimal(reading.shape(map)?),
            Category::Practical => Self::Practical(reading.shape(map)?),
            Category::Schooling => Self::Schooling(reading.shape(map)?),
            Category::Leisure => Self::Leisure(reading.shape(map)?),
            Category::Mobility => Self::Mobility(reading.shape(map)?),
            Category::Integration => Self::Integration(reading.shape(map)?),
            Category::Housing => Self::Housing(reading.shape(map)?),
            Category::Family => Self::Family(reading.shape(map)?),
            Category::Affective => Self::Affective(reading.shape(map)?),
            Category::HealthDetailed => Self::HealthDetailed(reading.shape(map)?),
            Category::Judicial => Self::Judicial(reading.shape(map)?),
            Category::Evaluation => Self::Evaluation(Box::new(reading.shape(map)?)),
        })
    }

    /// The one category of this item (R01).
    #[must_use]
    pub const fn category(&self) -> Category {
        match self {
            Self::Identity(_) => Category::Identity,
            Self::HealthMinimal(_) => Category::HealthMinimal,
            Self::Practical(_) => Category::Practical,
            Self::Schooling(_) => Category::Schooling,
            Self::Leisure(_) => Category::Leisure,
            Self::Mobility(_) => Category::Mobility,
            Self::Integration(_) => Category::Integration,
            Self::Housing(_) => Category::Housing,
            Self::Family(_) => Category::Family,
            Self::Affective(_) => Category::Affective,
            Self::HealthDetailed(_) => Category::HealthDetailed,
            Self::Judicial(_) => Category::Judicial,
            Self::Evaluation(_) => Category::Evaluation,
        }
    }

    /// Every category under whose cell this content must be permitted: its own and, for a synthesis, those of the
    /// subjects that it speaks of. The strictest wins, `N` first (DESIGN §3).
    #[must_use]
    pub fn subjects(&self) -> BTreeSet<Category> {
        let mut all = BTreeSet::from([self.category()]);
        match self {
            Self::Evaluation(synthesis) => all.extend(synthesis.subjects.iter()),
            Self::Identity(_)
            | Self::HealthMinimal(_)
            | Self::Practical(_)
            | Self::Schooling(_)
            | Self::Leisure(_)
            | Self::Mobility(_)
            | Self::Integration(_)
            | Self::Housing(_)
            | Self::Family(_)
            | Self::Affective(_)
            | Self::HealthDetailed(_)
            | Self::Judicial(_) => {}
        }
        all
    }

    /// The exact words, field by field in the order of `items.toml`: what the family reads on the notice and what the
    /// reader sees. A code that the charter no longer lists is shown as written.
    #[must_use]
    pub fn words(&self, codes: &dyn Codes) -> Vec<(String, String)> {
        let mut out = Vec::new();
        of_each!(self, inner => inner.words_of(codes, &mut out));
        out
    }

    /// Words that call for a second look: those of LAW §7 and those of the charter's `lexicon`.
    #[must_use]
    pub fn warnings<S: AsRef<str>>(&self, lexicon: &[S]) -> Vec<Warning> {
        let mut texts = Vec::new();
        of_each!(self, inner => inner.texts_of(&mut texts));
        warnings(&texts.join("\n"), lexicon)
    }

    /// Canonical JSON (sorted keys, no space, absent fields left out): what is encrypted, and what digests cover.
    #[must_use]
    pub fn canonical_bytes(&self) -> Zeroizing<Vec<u8>> {
        let value = self.to_value();
        let bytes = canonical(&value);
        wipe(value);
        bytes
    }

    fn to_value(&self) -> Value {
        let mut map = serde_json::Map::new();
        map.insert(TAG.to_owned(), Value::String(self.category().code().to_owned()));
        of_each!(self, inner => inner.write_to(&mut map));
        Value::Object(map)
    }

    /// The fields of a category in the notation of `policies/items.toml`.
    #[must_use]
    pub fn notation(category: Category) -> Vec<(&'static str, String)> {
        match category {
            Category::Identity => field::notation_of::<IdentityContent>(),
            Category::HealthMinimal => field::notation_of::<HealthMinimalContent>(),
            Category::Practical => field::notation_of::<PracticalContent>(),
            Category::Schooling | Category::Integration => field::notation_of::<TermedFactContent>(),
            Category::Leisure
            | Category::Mobility
            | Category::Housing
            | Category::Family
            | Category::Affective => field::notation_of::<FactContent>(),
            Category::HealthDetailed => field::notation_of::<MedicalFactContent>(),
            Category::Judicial => field::notation_of::<JudicialContent>(),
            Category::Evaluation => field::notation_of::<EvaluationContent>(),
        }
    }

    fn schema_of(category: Category) -> Schema {
        let tag = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .enum_values(Some([category.code()]))
            .build();
        let object = ObjectBuilder::new()
            .title(Some(category.code()))
            .description(Some(category.french()))
            .property(TAG, RefOr::T(Schema::Object(tag)))
            .required(TAG)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let object = match category {
            Category::Identity => field::properties_of::<IdentityContent>(object),
            Category::HealthMinimal => field::properties_of::<HealthMinimalContent>(object),
            Category::Practical => field::properties_of::<PracticalContent>(object),
            Category::Schooling | Category::Integration => field::properties_of::<TermedFactContent>(object),
            Category::Leisure
            | Category::Mobility
            | Category::Housing
            | Category::Family
            | Category::Affective => field::properties_of::<FactContent>(object),
            Category::HealthDetailed => field::properties_of::<MedicalFactContent>(object),
            Category::Judicial => field::properties_of::<JudicialContent>(object),
            Category::Evaluation => field::properties_of::<EvaluationContent>(object),
        };
        Schema::Object(object.build())
    }
}

impl fmt::Debug for ItemContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemContent({}, …)", self.category())
    }
}

/// For the view of a disclosed item only; everything else goes through [`ItemContent::canonical_bytes`].
impl serde::Serialize for ItemContent {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let value = self.to_value();
        let done = value.serialize(s);
        wipe(value);
        done
    }
}

impl utoipa::PartialSchema for ItemContent {
    fn schema() -> RefOr<Schema> {
        let one_of = Category::ALL
            .iter()
            .fold(OneOfBuilder::new(), |all, category| all.item(Self::schema_of(*category)));
        RefOr::T(Schema::OneOf(one_of.build()))
    }
}

impl utoipa::ToSchema for ItemContent {}

/// An item before it is saved: its label and its content.
#[derive(Clone, PartialEq, Eq)]
pub struct ItemDraft {
    label: Label,
    content: ItemContent,
}

impl ItemDraft {
    /// Reads label and content together, so that one answer names everything that is refused.
    ///
    /// # Errors
    /// [`FieldErrors`] with paths `label` and `content.…`.
    pub fn parse(
        label: &str,
        content: Submitted,
        codes: &dyn Codes,
        today: NaiveDate,
    ) -> Result<Self, FieldErrors> {
        let mut reading = Reading::entry(codes, today);
        let label = reading.at("label", |r| r.keep(Label::parse(label)));
        let content = reading.at("content", |r| ItemContent::read(r, content.into_value()));
        let draft = label.zip(content).map(|(label, content)| Self { label, content });
        reading.finish(draft)
    }

    #[must_use]
    pub const fn label(&self) -> &Label {
        &self.label
    }

    #[must_use]
    pub const fn content(&self) -> &ItemContent {
        &self.content
    }

    /// Words of label and content that call for a second look.
    #[must_use]
    pub fn warnings<S: AsRef<str>>(&self, lexicon: &[S]) -> Vec<Warning> {
        let mut all = warnings(self.label.as_str(), lexicon);
        for warning in self.content.warnings(lexicon) {
            if !all.iter().any(|w| w.term == warning.term) {
                all.push(warning);
            }
        }
        all
    }

    #[must_use]
    pub fn into_parts(self) -> (Label, ItemContent) {
        (self.label, self.content)
    }

    /// What is sealed: label and canonical content, length-prefixed by a line.
    #[must_use]
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        bytes.extend_from_slice(self.label.as_str().as_bytes());
        // A label holds no line break: the first one ends it.
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.content.canonical_bytes());
        bytes
    }

    /// Reads what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    /// [`FieldErrors`] when the bytes are not what this type writes.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, FieldErrors> {
        let damaged = || FieldErrors::one("content", EntryError::WrongType { expected: "élément" });
        let end = bytes.iter().position(|b| *b == b'\n').ok_or_else(damaged)?;
        let (label, rest) = bytes.split_at(end);
        let label = std::str::from_utf8(label).map_err(|_| damaged())?;
        let content = rest.strip_prefix(b"\n").ok_or_else(damaged)?;
        Ok(Self {
            label: Label::parse(label).map_err(|e| FieldErrors::one("label", e))?,
            content: ItemContent::from_stored(content)?,
        })
    }
}

impl fmt::Debug for ItemDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemDraft({}, …)", self.content.category())
    }
}

/// What an action says: what, by when, and which participation does it. Its category stands beside it.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionContent {
    #[schema(value_type = String, min_length = 1, max_length = 140)]
    pub what: Text<140>,
    #[schema(value_type = String, format = Date)]
    pub by_when: Day,
    #[schema(value_type = String)]
    pub who: ParticipationId,
}

impl fmt::Debug for ActionContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActionContent(…)")
    }
}

#[cfg(test)]
mod tests;
