//! A day that people write or read: bounded, without hour or zone. Which day it *is* comes from
//! [`crate::clock`], in Europe/Paris.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};

use super::text::EntryError;

/// A day from 1900 to 2100. Without `Debug` content: a birth date is one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

impl Day {
    /// A day of the calendar.
    ///
    /// # Errors
    /// [`EntryError::DateOutOfRange`] before 1900 or after 2100.
    pub fn new(date: NaiveDate) -> Result<Self, EntryError> {
        if (1900..=2100).contains(&date.year()) { Ok(Self(date)) } else { Err(EntryError::DateOutOfRange) }
    }

    /// Reads `YYYY-MM-DD`, as the API and the browser's date field write it.
    ///
    /// # Errors
    /// [`EntryError::NotADate`] or [`EntryError::DateOutOfRange`].
    pub fn parse(raw: &str) -> Result<Self, EntryError> {
        let raw = raw.trim();
        let date = NaiveDate::parse_from_str(raw, "%Y-%m-%d").map_err(|_| EntryError::NotADate)?;
        // chrono also reads `2027-3-4`; one day has one form.
        if date.to_string() == raw { Self::new(date) } else { Err(EntryError::NotADate) }
    }

    #[must_use]
    pub const fn date(self) -> NaiveDate {
        self.0
    }

    /// `YYYY-MM-DD`.
    #[must_use]
    pub fn iso(self) -> String {
        self.0.to_string()
    }

    /// « 14 mars 2027 ».
    #[must_use]
    pub fn french(self) -> String {
        french_date(self.0)
    }
}

const fn month_name(month: u32) -> &'static str {
    match month {
        1 => "janvier",
        2 => "février",
        3 => "mars",
        4 => "avril",
        5 => "mai",
        6 => "juin",
        7 => "juillet",
        8 => "août",
        9 => "septembre",
        10 => "octobre",
        11 => "novembre",
        _ => "décembre",
    }
}

/// « 14 mars 2027 », « 1er mars 2027 ».
#[must_use]
pub fn french_date(date: NaiveDate) -> String {
    format!("{} {}", french_day_and_month(date), date.year())
}

/// « 14 mars », « 1er mars ».
#[must_use]
pub fn french_day_and_month(date: NaiveDate) -> String {
    let month = month_name(date.month());
    match date.day() {
        1 => format!("1er {month}"),
        day => format!("{day} {month}"),
    }
}

/// A month of the calendar, by its first day; years as of [`Day`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(NaiveDate);

impl Month {
    /// The month of a day.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self(day.with_day(1).unwrap_or(day))
    }

    /// Reads `YYYY-MM`, as the browser's month field writes it.
    ///
    /// # Errors
    /// As [`Day::parse`].
    pub fn parse(raw: &str) -> Result<Self, EntryError> {
        Day::parse(&format!("{}-01", raw.trim())).map(|day| Self(day.date()))
    }

    #[must_use]
    pub const fn first_day(self) -> NaiveDate {
        self.0
    }

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add_months(chrono::Months::new(1)).unwrap_or(self.0))
    }

    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.checked_sub_months(chrono::Months::new(1)).unwrap_or(self.0))
    }

    /// « mars 2027 ».
    #[must_use]
    pub fn french(self) -> String {
        format!("{} {}", month_name(self.0.month()), self.0.year())
    }
}

/// `2027-03`.
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Day(…)")
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.iso())
    }
}

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// A day that may be left out, for what keeps the calendar's own type: bounded as [`Day`].
///
/// # Errors
/// As [`Day::parse`].
pub fn day_if_any<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<NaiveDate>, D::Error> {
    Ok(<Option<Day> as serde::Deserialize>::deserialize(d)?.map(Day::date))
}

impl utoipa::PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .build();
        RefOr::T(Schema::Object(object))
    }
}

impl utoipa::ToSchema for Day {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_reads_in_one_form_and_within_bounds() {
        assert_eq!(Day::parse("2027-03-14").unwrap().french(), "14 mars 2027");
        assert_eq!(Day::parse("2027-03-01").unwrap().french(), "1er mars 2027");
        assert_eq!(Day::parse("2024-02-29").unwrap().iso(), "2024-02-29");
        for bad in ["", "2027-3-14", "14/03/2027", "2027-02-29", "2027-03-14T00:00:00Z", "+2027-03-14"] {
            assert_eq!(Day::parse(bad), Err(EntryError::NotADate), "{bad}");
        }
        for absurd in ["1899-12-31", "2101-01-01", "0001-01-01"] {
            assert_eq!(Day::parse(absurd), Err(EntryError::DateOutOfRange), "{absurd}");
        }
    }

    #[test]
    fn a_month_reads_in_one_form_and_knows_its_neighbours() {
        let march = Month::parse("2027-03").unwrap();
        assert_eq!((march.to_string(), march.french()), ("2027-03".to_owned(), "mars 2027".to_owned()));
        assert_eq!(march.next().before(), march);
        assert_eq!(Month::parse("2027-12").unwrap().next().to_string(), "2028-01");
        assert_eq!(Month::of(NaiveDate::from_ymd_opt(2027, 3, 31).unwrap()), march);
        for bad in ["", "2027", "2027-3", "2027-13", "2027-03-01", "mars 2027"] {
            assert!(Month::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_month_has_its_french_name() {
        let names: std::collections::BTreeSet<_> = (1..=12).map(month_name).collect();
        assert_eq!(names.len(), 12);
        assert_eq!(month_name(12), "décembre");
    }
}
