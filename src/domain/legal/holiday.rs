//! Days on which nobody is called: fixed, the n-th weekday of a month, or counted from Easter.

use chrono::{Datelike, Duration, NaiveDate, Weekday};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holiday {
    Fixed {
        month: u32,
        day: u32,
        /// On a Saturday the Friday before counts as well, on a Sunday the Monday after.
        observed: bool,
    },
    /// The n-th weekday of a month, from the end when negative.
    Nth {
        n: i8,
        weekday: Weekday,
        month: u32,
    },
    Easter {
        after: i64,
    },
}

impl Holiday {
    /// `us | fixed 01-01 observed | New Year's Day`: the calendar and the day.
    pub fn parse(line: &str) -> Option<(String, Self)> {
        let mut fields = line.split('|').map(str::trim);
        let calendar = fields.next()?.to_owned();
        let words: Vec<&str> = fields.next()?.split_whitespace().collect();
        let day = match words.as_slice() {
            ["fixed", date, rest @ ..] => {
                let (month, day) = date.split_once('-')?;
                Self::Fixed { month: month.parse().ok()?, day: day.parse().ok()?, observed: rest == ["observed"] }
            }
            ["nth", n, weekday, month] => Self::Nth { n: n.parse().ok()?, weekday: weekday.parse().ok()?, month: month.parse().ok()? },
            ["easter", after] => Self::Easter { after: after.trim_start_matches('+').parse().ok()? },
            _ => return None,
        };
        Some((calendar, day))
    }

    pub fn falls_on(self, date: NaiveDate) -> bool {
        match self {
            Self::Fixed { month, day, observed } => {
                let is = |d: NaiveDate| d.month() == month && d.day() == day;
                let friday = date.weekday() == Weekday::Fri && is(date + Duration::days(1));
                let monday = date.weekday() == Weekday::Mon && is(date - Duration::days(1));
                is(date) || (observed && (friday || monday))
            }
            Self::Nth { n, weekday, month } => {
                let week = i8::try_from(date.day0() / 7).unwrap_or(0) + 1;
                let last = (date + Duration::days(7)).month() != month;
                date.month() == month && date.weekday() == weekday && (week == n || (n == -1 && last))
            }
            Self::Easter { after } => easter(date.year()).is_some_and(|e| e + Duration::days(after) == date),
        }
    }
}

/// Western Easter Sunday, by the anonymous Gregorian computus.
#[expect(clippy::many_single_char_names, reason = "the names the computus is published with")]
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(sum / 31).ok()?, u32::try_from(sum % 31 + 1).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn known_days() {
        let falls = |rule: &str, date: &str| Holiday::parse(&format!("x | {rule} | n")).unwrap().1.falls_on(day(date));
        assert!(falls("nth 4 thu 11", "2026-11-26") && !falls("nth 4 thu 11", "2026-11-19"));
        assert!(falls("nth -1 mon 05", "2027-05-31") && !falls("nth -1 mon 05", "2027-05-24"));
        assert!(falls("fixed 07-04 observed", "2026-07-04") && falls("fixed 07-04 observed", "2026-07-03"), "Saturday: the Friday too");
        assert!(falls("fixed 07-04 observed", "2027-07-05") && !falls("fixed 07-04", "2027-07-05"), "Sunday: the Monday too");
        assert!(falls("fixed 01-01 observed", "2027-12-31"), "of the next year");
        for (year, easter_day) in [(2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2027, "2027-03-28"), (2038, "2038-04-25")] {
            assert_eq!(easter(year), Some(day(easter_day)));
        }
        assert!(falls("easter +1", "2026-04-06"));
        assert_eq!(Holiday::parse("x | sometimes"), None);
    }
}
