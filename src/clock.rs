//! Time and chance come in as arguments, so that a test can hold both still.
//!
//! Time is UTC, in whole microseconds (what both engines keep); a *day* is a day in Europe/Paris, because an
//! eighteenth birthday and the end of an accord happen at midnight there (LAW §5).

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Europe::Paris;
use serde::{Deserialize, Serialize};

/// A moment: microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The largest moment that is stored; stands for "no end known".
    pub const MAX: Self = Self(i64::MAX);

    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The day it is in Paris at this moment.
    #[must_use]
    pub fn paris_day(self) -> NaiveDate {
        self.utc().with_timezone(&Paris).date_naive()
    }

    /// UTC date and time; saturates at chrono's bounds.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        // A day of margin: Paris is ahead of UTC.
        let last = DateTime::<Utc>::MAX_UTC - chrono::TimeDelta::days(1);
        DateTime::from_timestamp_micros(self.0).map_or(last, |t| t.min(last))
    }

    /// The first moment of `day` in Paris. France never skips midnight, so the mapping is single.
    #[must_use]
    pub fn paris_midnight(day: NaiveDate) -> Self {
        let naive = day.and_time(chrono::NaiveTime::MIN);
        match Paris.from_local_datetime(&naive) {
            MappedLocalTime::Single(t) | MappedLocalTime::Ambiguous(t, _) => Self(t.timestamp_micros()),
            MappedLocalTime::None => Self(naive.and_utc().timestamp_micros()),
        }
    }

    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Reads an RFC 3339 time.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_micros()))
    }

    /// RFC 3339 in UTC with microseconds, as the API writes it.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    }
}

/// The day on which somebody born on `birth` reaches `years`; 29 February counts as 1 March (LAW §5).
#[must_use]
pub fn birthday(birth: NaiveDate, years: i32) -> Option<NaiveDate> {
    let year = birth.year().checked_add(years)?;
    birth.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
}

/// `day` plus whole months, clamped to the end of the month; `None` outside the calendar.
#[must_use]
pub fn plus_months(day: NaiveDate, months: u32) -> Option<NaiveDate> {
    day.checked_add_months(Months::new(months))
}

/// `day` plus days; `None` outside the calendar.
#[must_use]
pub fn plus_days(day: NaiveDate, days: u64) -> Option<NaiveDate> {
    day.checked_add_days(Days::new(days))
}

/// Usual hours of work, in Paris, from Monday to Friday: from this hour on, and before that one.
pub const FIRST_HOUR: u32 = 7;
pub const LAST_HOUR: u32 = 20;

/// A stretch of time in which Paris is ahead of UTC by the same number of hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Season {
    pub from: Timestamp,
    /// The first moment of the next one.
    pub until: Timestamp,
    /// Whole hours.
    pub ahead: i64,
}

fn hours_ahead(at: DateTime<Utc>) -> i64 {
    i64::from(at.with_timezone(&Paris).offset().fix().local_minus_utc()) / 3600
}

/// Summers and winters from the beginning of the year `first` to the end of the year `last`; the first and the last
/// reach out to the ends of time.
#[must_use]
pub fn paris_seasons(first: i32, last: i32) -> Vec<Season> {
    let begin =
        NaiveDate::from_ymd_opt(first, 1, 1).unwrap_or(NaiveDate::MIN).and_time(chrono::NaiveTime::MIN);
    let mut day = begin.and_utc();
    let mut from = Timestamp::from_micros(i64::MIN);
    let mut ahead = hours_ahead(day);
    let mut out = Vec::new();
    while day.year() <= last {
        let next = day + chrono::TimeDelta::days(1);
        if hours_ahead(next) != ahead {
            // The hour within this day at which it changes.
            let change =
                (1..=24).map(|h| day + chrono::TimeDelta::hours(h)).find(|t| hours_ahead(*t) != ahead);
            let until = Timestamp(change.unwrap_or(next).timestamp_micros());
            out.push(Season { from, until, ahead });
            (from, ahead) = (until, hours_ahead(next));
        }
        day = next;
    }
    out.push(Season { from, until: Timestamp::MAX, ahead });
    out
}

/// Where "now" comes from.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp(Utc::now().timestamp_micros())
    }
}

/// A clock that moves only when told to. No option of the product can select it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    #[must_use]
    pub const fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    pub fn set(&self, to: Timestamp) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    /// Each look moves it by one microsecond, so that two events never share a moment by accident.
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Where unpredictable bytes come from. The product's one is `crypto::SystemChance`.
pub trait Chance: Send + Sync + 'static {
    /// Fills `into`.
    ///
    /// # Errors
    /// When the system has no randomness to give; nothing may then be created.
    fn fill(&self, into: &mut [u8]) -> Result<(), NoChance>;
}

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random bytes")]
pub struct NoChance;

#[cfg(test)]
mod tests {
    use super::*;

    fn day(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_in_paris_in_summer_and_winter() {
        assert_eq!(Timestamp::paris_midnight(day(2027, 7, 1)).rfc3339(), "2027-06-30T22:00:00.000000Z");
        assert_eq!(Timestamp::paris_midnight(day(2027, 1, 1)).rfc3339(), "2026-12-31T23:00:00.000000Z");
        let just_before = Timestamp::paris_midnight(day(2027, 7, 1)).plus_micros(-1);
        assert_eq!(just_before.paris_day(), day(2027, 6, 30));
    }

    #[test]
    fn seasons_are_those_of_paris_at_every_hour() {
        let seasons = paris_seasons(2026, 2029);
        assert_eq!(seasons.len(), 9);
        let mut at = Timestamp::paris_midnight(day(2026, 1, 1));
        while at < Timestamp::paris_midnight(day(2030, 1, 1)) {
            let season = seasons.iter().find(|s| s.from <= at && at < s.until).unwrap();
            assert_eq!(season.ahead, hours_ahead(at.utc()), "{}", at.rfc3339());
            at = at.plus_seconds(3600);
        }
        assert!(seasons.windows(2).all(|w| w[0].until == w[1].from));
    }

    #[test]
    fn law_born_on_29_february_comes_of_age_on_1_march() {
        assert_eq!(birthday(day(2008, 2, 29), 18), Some(day(2026, 3, 1)));
        assert_eq!(birthday(day(2008, 2, 29), 16), Some(day(2024, 2, 29)));
        assert_eq!(birthday(day(2008, 3, 14), 18), Some(day(2026, 3, 14)));
    }
}
