//! Days on which nobody is called: fixed, the n-th weekday of a month, counted from Easter, or moved to a
//! Monday.

use chrono::{Datelike, Duration, NaiveDate, Weekday};

/// What happens to a fixed day that falls on a weekend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moves {
    No,
    /// Of a Saturday the Friday before is closed as well, of a Sunday the Monday after.
    Observed,
    /// The Monday after a Sunday.
    Sunday,
    /// The Monday after either.
    Weekend,
    /// The Saturday before a Sunday.
    Before,
    /// The day after another that moves as well: the first weekday that is not taken.
    Boxing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Fixed {
        month: u32,
        day: u32,
        moves: Moves,
    },
    /// The n-th weekday of a month, from the end when negative, and days after it.
    Nth {
        n: i8,
        weekday: Weekday,
        month: u32,
        after: i64,
    },
    Easter {
        after: i64,
    },
    /// The first Monday from a day on.
    Monday {
        month: u32,
        day: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    rule: Rule,
    even_years: bool,
}

impl Holiday {
    /// `us | fixed 01-01 observed | New Year's Day`: the calendar and the day.
    pub fn parse(line: &str) -> Option<(String, Self)> {
        let mut fields = line.split('|').map(str::trim);
        let calendar = fields.next()?.to_owned();
        let mut words: Vec<&str> = fields.next()?.split_whitespace().collect();
        let even_years = words.pop_if(|w| *w == "even").is_some();
        let rule = match words.as_slice() {
            ["fixed", date] => fixed(date, Moves::No)?,
            ["fixed", date, "observed"] => fixed(date, Moves::Observed)?,
            ["fixed", date, "sunday"] => fixed(date, Moves::Sunday)?,
            ["fixed", date, "weekend"] => fixed(date, Moves::Weekend)?,
            ["fixed", date, "before"] => fixed(date, Moves::Before)?,
            ["fixed", date, "boxing"] => fixed(date, Moves::Boxing)?,
            ["nth", n, weekday, month, after @ ..] => {
                let after = match after {
                    [] => 0,
                    [days] => days.trim_start_matches('+').parse().ok()?,
                    _ => return None,
                };
                Rule::Nth { n: n.parse().ok()?, weekday: weekday.parse().ok()?, month: month.parse().ok()?, after }
            }
            ["easter", after] => Rule::Easter { after: after.trim_start_matches('+').parse().ok()? },
            ["monday", date] => {
                let (month, day) = month_day(date)?;
                Rule::Monday { month, day }
            }
            _ => return None,
        };
        Some((calendar, Self { rule, even_years }))
    }

    pub fn falls_on(self, date: NaiveDate) -> bool {
        if self.even_years && date.year() % 2 != 0 {
            return false;
        }
        match self.rule {
            Rule::Fixed { month, day, moves } => moves.falls_on(month, day, date),
            Rule::Nth { n, weekday, month, after } => is_nth(n, weekday, month, date - Duration::days(after)),
            Rule::Easter { after } => easter(date.year()).is_some_and(|e| e + Duration::days(after) == date),
            Rule::Monday { month, day } => date.weekday() == Weekday::Mon && (0..7).any(|d| is(month, day, date - Duration::days(d))),
        }
    }
}

pub fn month_day(text: &str) -> Option<(u32, u32)> {
    let (month, day) = text.split_once('-')?;
    Some((month.parse().ok()?, day.parse().ok()?))
}

fn fixed(date: &str, moves: Moves) -> Option<Rule> {
    let (month, day) = month_day(date)?;
    Some(Rule::Fixed { month, day, moves })
}

fn is(month: u32, day: u32, date: NaiveDate) -> bool {
    date.month() == month && date.day() == day
}

impl Moves {
    /// Whether a date is the day itself or the one it moves to.
    fn falls_on(self, month: u32, day: u32, date: NaiveDate) -> bool {
        // The day itself, so many days before `date`.
        let was = |days: i64| is(month, day, date - Duration::days(days));
        let weekday = date.weekday();
        was(0)
            || match self {
                Self::No => false,
                Self::Observed => (weekday == Weekday::Fri && was(-1)) || (weekday == Weekday::Mon && was(1)),
                Self::Sunday => weekday == Weekday::Mon && was(1),
                Self::Before => weekday == Weekday::Sat && was(-1),
                Self::Weekend => weekday == Weekday::Mon && (was(1) || was(2)),
                // On a Saturday it moves to the Monday; on a Sunday, or a Monday that the day before took, to the Tuesday.
                Self::Boxing => (weekday == Weekday::Mon && was(2)) || (weekday == Weekday::Tue && (was(1) || was(2))),
            }
    }
}

fn is_nth(n: i8, weekday: Weekday, month: u32, date: NaiveDate) -> bool {
    let week = i8::try_from(date.day0() / 7).unwrap_or(0) + 1;
    let last = (date + Duration::days(7)).month() != month;
    date.weekday() == weekday && date.month() == month && (week == n || (n == -1 && last))
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
        assert!(falls("nth 4 thu 11 +1", "2026-11-27") && !falls("nth 4 thu 11 +1", "2026-11-26"));
        // Election day is the Tuesday after the first Monday: not the first Tuesday.
        assert!(falls("nth 1 mon 11 +1", "2026-11-03") && falls("nth 1 mon 11 +1", "2022-11-08") && !falls("nth 1 mon 11 +1", "2022-11-01"));
        assert!(falls("nth 1 mon 11 +1 even", "2026-11-03") && !falls("nth 1 mon 11 +1 even", "2027-11-02"));
        assert!(falls("nth -1 mon 05", "2027-05-31") && !falls("nth -1 mon 05", "2027-05-24"));
        assert!(falls("fixed 07-04 observed", "2026-07-04") && falls("fixed 07-04 observed", "2026-07-03"), "Saturday: the Friday too");
        assert!(falls("fixed 07-04 observed", "2027-07-05") && !falls("fixed 07-04", "2027-07-05"), "Sunday: the Monday too");
        assert!(falls("fixed 01-01 observed", "2027-12-31"), "of the next year");
        for (year, easter_day) in [(2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2027, "2027-03-28"), (2038, "2038-04-25")] {
            assert_eq!(easter(year), Some(day(easter_day)));
        }
        assert!(falls("easter +1", "2026-04-06") && falls("easter -47", "2027-02-09"));
        assert!(falls("monday 11-01", "2026-11-02") && !falls("monday 11-01", "2026-11-01") && falls("monday 01-06", "2025-01-06"));
        assert_eq!(Holiday::parse("x | sometimes"), None);
    }

    /// Christmas on a Saturday, a Sunday and a Friday.
    #[test]
    fn two_days_that_move_together() {
        let closed = |date: &str| {
            let falls = |rule: &str| Holiday::parse(&format!("x | {rule} | n")).unwrap().1.falls_on(day(date));
            falls("fixed 12-25 weekend") || falls("fixed 12-26 boxing")
        };
        for (year, days) in [(2027, [25, 26, 27, 28].as_slice()), (2022, &[25, 26, 27]), (2026, &[25, 26, 28]), (2025, &[25, 26])] {
            let found: Vec<u32> = (20..=31).filter(|d| closed(&format!("{year}-12-{d}"))).collect();
            assert_eq!(found, days, "{year}");
        }
    }
}
