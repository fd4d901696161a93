//! Usual hours of work: from Monday to Friday, in the day, outside public holidays, in Paris.
//!
//! It says when somebody looked, never whether that was right: a home does not close at night.

use chrono::{Datelike, Days, NaiveDate, Timelike, Weekday};

use crate::clock::{FIRST_HOUR, LAST_HOUR, Timestamp};

/// Easter Sunday (Gregorian calendar; the anonymous algorithm of 1876).
#[must_use]
pub fn easter(year: i32) -> Option<NaiveDate> {
    let a = year.rem_euclid(19);
    let (b, c) = (year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let f = b.saturating_add(8).div_euclid(25);
    let g = b.saturating_sub(f).saturating_add(1).div_euclid(3);
    let h = a
        .saturating_mul(19)
        .saturating_add(b)
        .saturating_sub(d)
        .saturating_sub(g)
        .saturating_add(15)
        .rem_euclid(30);
    let (i, k) = (c.div_euclid(4), c.rem_euclid(4));
    let l = 32_i32
        .saturating_add(e.saturating_mul(2))
        .saturating_add(i.saturating_mul(2))
        .saturating_sub(h)
        .saturating_sub(k)
        .rem_euclid(7);
    let m = a.saturating_add(h.saturating_mul(11)).saturating_add(l.saturating_mul(22)).div_euclid(451);
    let days = h.saturating_add(l).saturating_sub(m.saturating_mul(7)).saturating_add(114);
    let month = u32::try_from(days.div_euclid(31)).ok()?;
    let day = u32::try_from(days.rem_euclid(31).saturating_add(1)).ok()?;
    NaiveDate::from_ymd_opt(year, month, day)
}

/// The public holidays of a year in metropolitan France, in order.
///
/// LAW: L3133-1 code du travail. Alsace and Moselle have two more, which depend on the commune: not here.
#[must_use]
pub fn public_holidays(year: i32) -> Vec<NaiveDate> {
    const FIXED: [(u32, u32); 8] = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    // Easter Monday, Ascension, Whit Monday.
    const AFTER_EASTER: [u64; 3] = [1, 39, 50];
    let fixed = FIXED.iter().filter_map(|(month, day)| NaiveDate::from_ymd_opt(year, *month, *day));
    let moving = easter(year)
        .into_iter()
        .flat_map(|sunday| AFTER_EASTER.iter().filter_map(move |n| sunday.checked_add_days(Days::new(*n))));
    let mut days: Vec<NaiveDate> = fixed.chain(moving).collect();
    days.sort_unstable();
    days
}

/// Whether it is night, a day of the week-end or a public holiday in Paris.
#[must_use]
pub fn out_of_hours(at: Timestamp) -> bool {
    let local = at.utc().with_timezone(&chrono_tz::Europe::Paris);
    let day = local.date_naive();
    matches!(local.weekday(), Weekday::Sat | Weekday::Sun)
        || !(FIRST_HOUR..LAST_HOUR).contains(&local.hour())
        || public_holidays(day.year()).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    #[test]
    fn easter_falls_where_the_almanac_has_it() {
        let known = [
            (1818, 3, 22),
            (1943, 4, 25),
            (1954, 4, 18),
            (2000, 4, 23),
            (2008, 3, 23),
            (2019, 4, 21),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
            (2049, 4, 18),
            (2076, 4, 19),
        ];
        for (y, m, d) in known {
            assert_eq!(easter(y), Some(day(y, m, d)), "{y}");
        }
        for year in 1900..2200 {
            let sunday = easter(year).unwrap();
            assert_eq!(sunday.weekday(), Weekday::Sun, "{year}");
            assert!(day(year, 3, 22) <= sunday && sunday <= day(year, 4, 25), "{year}");
        }
    }

    #[test]
    fn law_l3133_1_eleven_public_holidays() {
        let of_2027 = public_holidays(2027);
        assert_eq!(of_2027.len(), 11);
        for d in [day(2027, 3, 29), day(2027, 5, 6), day(2027, 5, 17), day(2027, 7, 14)] {
            assert!(of_2027.contains(&d), "{d}");
        }
        // Ascension and a fixed day may fall together.
        assert!(public_holidays(2008).contains(&day(2008, 5, 1)));
    }

    #[test]
    fn out_of_hours_is_the_night_the_week_end_and_public_holidays_in_paris() {
        let friday = Timestamp::paris_midnight(day(2027, 7, 2));
        let at = |hours: i64| out_of_hours(friday.plus_seconds(hours * 3600));
        assert!(at(6) && !at(7) && !at(19) && at(20) && at(23));
        assert!(at(24 + 10) && at(48 + 10) && !at(72 + 10), "Saturday, Sunday, Monday");
        let noon = |d: NaiveDate| out_of_hours(Timestamp::paris_midnight(d).plus_seconds(12 * 3600));
        assert!(noon(day(2027, 7, 14)) && !noon(day(2027, 7, 15)));
        assert!(noon(day(2027, 3, 29)) && !noon(day(2027, 3, 30)), "Easter Monday");
    }
}
