//! Small words of pages: days, times, plurals, parts of addresses.

use chrono::{NaiveDate, Timelike};

use crate::clock::Timestamp;
use crate::domain::contact::Phone;
use crate::domain::day::{Day, french_date};

/// « 14 h 05 », in Paris.
#[must_use]
pub fn clock_time(at: Timestamp) -> String {
    let local = at.utc().with_timezone(&chrono_tz::Europe::Paris);
    format!("{} h {:02}", local.hour(), local.minute())
}

/// « 14 mars 2027 à 14 h 05 », in Paris.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    format!("{} à {}", french_date(at.paris_day()), clock_time(at))
}

/// [`moment`] of an RFC 3339 time, as views carry it; the text itself when it is none.
#[must_use]
pub fn moment_of(rfc3339: &str) -> String {
    Timestamp::parse_rfc3339(rfc3339).map_or_else(|| rfc3339.to_owned(), moment)
}

/// « 14 mars 2027 » of `2027-03-14` or of an RFC 3339 time; the text itself when it is neither.
#[must_use]
pub fn day_of(text: &str) -> String {
    match (Day::parse(text), Timestamp::parse_rfc3339(text)) {
        (Ok(day), _) => day.french(),
        (Err(_), Some(at)) => french_date(at.paris_day()),
        (Err(_), None) => text.to_owned(),
    }
}

/// « 13 mars 2027 » of an end that is told exclusively (`2027-03-14`, or the moment at which something is over): the last
/// day on which it holds. The text itself when it is neither.
#[must_use]
pub fn last_day(end: &str) -> String {
    let last = Day::parse(end)
        .ok()
        .and_then(|d| d.date().pred_opt())
        .or_else(|| Timestamp::parse_rfc3339(end).map(|t| t.plus_micros(-1).paris_day()));
    last.map_or_else(|| end.to_owned(), french_date)
}

/// « mars 2027 » of `2027-03`; the text itself when it is none.
#[must_use]
pub fn month_of(text: &str) -> String {
    let first = Day::parse(&format!("{text}-01")).map(Day::french);
    match first.as_deref().map(|day| day.split_once(' ')) {
        Ok(Some((_, month))) => month.to_owned(),
        Ok(None) | Err(_) => text.to_owned(),
    }
}

/// « aujourd'hui », « demain », « dans 12 jours », « il y a 3 mois »: beside a date, never instead of it.
#[must_use]
pub fn relative(day: NaiveDate, today: NaiveDate) -> String {
    let days = day.signed_duration_since(today).num_days();
    let far = days.abs();
    let span = if far < 60 {
        plural(far, "jour", "jours")
    } else if far < 730 {
        format!("{} mois", rounded(far.saturating_mul(12)))
    } else {
        plural(rounded(far), "an", "ans")
    };
    match days {
        0 => "aujourd'hui".to_owned(),
        1 => "demain".to_owned(),
        -1 => "hier".to_owned(),
        d if d > 0 => format!("dans {span}"),
        _ => format!("il y a {span}"),
    }
}

/// Parts of a year, from as many parts of its days.
const fn rounded(days: i64) -> i64 {
    days.saturating_add(365 / 2) / 365
}

/// The day of a date or time as views carry it.
fn day_named(text: &str) -> Option<NaiveDate> {
    let day = Day::parse(text).map(Day::date).ok();
    day.or_else(|| Timestamp::parse_rfc3339(text).map(Timestamp::paris_day))
}

/// How far ahead an end is told on a list: what is further does not ask for anything yet.
const SOON_DAYS: i64 = 92;

/// [`dated`] of an end within three months, or over; nothing of one that is further.
#[must_use]
pub fn ends_soon(text: &str, today: &NaiveDate) -> Option<String> {
    let far = day_named(text).is_some_and(|d| d.signed_duration_since(*today).num_days() > SOON_DAYS);
    (!far).then(|| dated(text, today))
}

/// « 14 mars 2027 (dans 12 jours) » of a date or time as views carry it; the text itself when it is neither.
#[must_use]
pub fn dated(text: &str, today: &NaiveDate) -> String {
    match day_named(text) {
        Some(day) => format!("{} ({})", french_date(day), relative(day, *today)),
        None => text.to_owned(),
    }
}

/// « 14 mars 2027 », for templates, which hand over references.
#[must_use]
pub fn day_in_words(day: &NaiveDate) -> String {
    french_date(*day)
}

/// « 06 01 02 03 01 », unbroken at line ends; the text itself when it is no number.
#[must_use]
pub fn telephone(number: &str) -> String {
    Phone::parse(number).map_or_else(|_| number.to_owned(), |p| p.spoken().replace(' ', "\u{a0}"))
}

/// A telephone number as an address dials it: without its spaces.
#[must_use]
pub fn dialled(number: &str) -> String {
    number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

/// « à l'instant », « il y a 3 min », « il y a 2 h », then as [`relative`]: beside a moment, never instead of it.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.micros().saturating_sub(at.micros()) / 60_000_000 {
        minutes if minutes < 1 => "à l'instant".to_owned(),
        minutes if minutes < 60 => format!("il y a {minutes} min"),
        minutes if minutes < 12 * 60 => format!("il y a {} h", minutes / 60),
        _ => relative(at.paris_day(), now.paris_day()),
    }
}

/// « 1 jour », « 3 jours ».
#[must_use]
pub fn plural(count: i64, one: &str, many: &str) -> String {
    format!("{count} {}", if count.abs() > 1 { many } else { one })
}

/// [`plural`] of what is counted here.
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    plural(i64::try_from(count).unwrap_or(i64::MAX), one, many)
}

/// « 1 trace », « 3 traces », for templates, which hand over references.
#[must_use]
pub fn records(count: &u64) -> String {
    plural(i64::try_from(*count).unwrap_or(i64::MAX), "trace", "traces")
}

/// A text as part of a query: everything but unreserved characters is escaped (RFC 3986).
#[must_use]
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let written = write!(out, "%{byte:02X}");
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_said_as_people_say_them() {
        let today = NaiveDate::from_ymd_opt(2027, 3, 14).unwrap();
        let said = |days| relative(today + chrono::Duration::days(days), today);
        assert_eq!(said(0), "aujourd'hui");
        assert_eq!(said(1), "demain");
        assert_eq!(said(-1), "hier");
        assert_eq!(said(12), "dans 12 jours");
        assert_eq!(said(-90), "il y a 3 mois");
        assert_eq!([said(800), said(1000)], ["dans 2 ans", "dans 3 ans"]);
        // From 14 January to 12 June is nearly five months.
        assert_eq!([said(149), said(60), said(729)], ["dans 5 mois", "dans 2 mois", "dans 24 mois"]);
        assert_eq!(day_of("2027-03-14"), "14 mars 2027");
        assert_eq!(dated("2027-03-26", &today), "26 mars 2027 (dans 12 jours)");
        assert_eq!(dated("x", &today), "x");
        assert_eq!(ends_soon("2027-06-14", &today).as_deref(), Some("14 juin 2027 (dans 3 mois)"));
        assert_eq!(ends_soon("2027-06-15", &today), None, "nothing to do about it yet");
        assert_eq!(ends_soon("2027-03-13", &today).as_deref(), Some("13 mars 2027 (hier)"));
        // 24:00 of the last day in Paris, in winter.
        assert_eq!([last_day("2027-03-14"), last_day("2027-03-13T23:00:00Z")], ["13 mars 2027"; 2]);
        assert_eq!(telephone("0601020301"), "06\u{a0}01\u{a0}02\u{a0}03\u{a0}01");
        assert_eq!(telephone("poste 12"), "poste 12");
        assert_eq!(dialled("06 01 02 03 01"), "0601020301");
        // 23:30 UTC is the next day in Paris.
        assert_eq!(day_of("2027-03-14T23:30:00Z"), "15 mars 2027");
        assert_eq!(moment_of("2027-03-14T13:05:00Z"), "14 mars 2027 à 14 h 05");
        let now = Timestamp::parse_rfc3339("2027-03-14T13:05:00Z").unwrap();
        let said = |minutes: i64| ago(now.plus_seconds(-60 * minutes), now);
        assert_eq!([said(0), said(3), said(125)], ["à l'instant", "il y a 3 min", "il y a 2 h"]);
        assert_eq!(said(24 * 60), "hier");
    }

    #[test]
    fn addresses_are_escaped() {
        assert_eq!(encoded("/parcours/a?b=é&c"), "%2Fparcours%2Fa%3Fb%3D%C3%A9%26c");
    }
}
