//! When somebody wants to be called back, as people say it: `+2h`, `tomorrow 10`, `tue 3pm`, `1 dec 9:30`.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};

use super::zone::Zone;

/// How far ahead a call may be promised.
pub const LONGEST_PROMISE: Duration = Duration::days(366);

/// What is said of a promise beyond [`LONGEST_PROMISE`].
pub const TOO_FAR: &str = "is more than 366 days ahead";

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// Words that say nothing by themselves.
const FILLERS: [&str; 7] = ["at", "on", "the", "next", "this", "of", "o'clock"];

/// Reads a moment on the clock of a place. Nothing is the next day at the same hour, and so is a day without an hour; an
/// hour without a day is the next such.
///
/// # Errors
/// In words, when it is none that is known, has passed, or is too far ahead.
pub fn parse_moment(text: &str, zone: Zone, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let text = text.trim().to_lowercase();
    let local = now.with_timezone(&zone).naive_local();
    let wrong = || format!("\"{text}\" is no time: write +2h, 15:00, tomorrow 10, tue 15:00 or 1 dec 9:30");
    let far = || format!("\"{text}\" {TOO_FAR}");
    if text.is_empty() {
        return Ok(zone.instant(local + Duration::days(1)));
    }
    if let Some(ahead) = relative(&text) {
        let ahead = ahead.map_err(|()| wrong())?;
        return (ahead <= LONGEST_PROMISE).then(|| now + ahead).ok_or_else(far);
    }
    let said = Said::read(&text, local.date()).ok_or_else(wrong)?;
    let time = said.time.unwrap_or(local.time());
    let date = said.date(local.date(), time > local.time());
    if date > local.date() + LONGEST_PROMISE {
        return Err(far());
    }
    Some(zone.instant(date.and_time(time))).filter(|t| *t > now).ok_or_else(|| "that moment has passed".to_owned())
}

/// `+2h`, `in 30 minutes`, `2 days`; an error is one that cannot be read.
fn relative(text: &str) -> Option<Result<Duration, ()>> {
    let (begun, rest) = match text.strip_prefix('+').or_else(|| text.strip_prefix("in ")) {
        Some(rest) => (true, rest.trim()),
        None => (false, text),
    };
    let rest = ["an ", "a "].into_iter().find_map(|a| rest.strip_prefix(a)).map_or_else(|| rest.to_owned(), |unit| format!("1{unit}"));
    let split = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let unit = match rest[split..].trim() {
        "m" | "min" | "mins" | "minute" | "minutes" => Some(Duration::minutes(1)),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(Duration::hours(1)),
        "d" | "day" | "days" => Some(Duration::days(1)),
        "w" | "week" | "weeks" => Some(Duration::weeks(1)),
        _ => None,
    };
    let n = rest[..split].parse::<i32>().ok().filter(|n| (1..=1_000_000).contains(n));
    match (begun, n, unit) {
        (_, Some(n), Some(unit)) => Some(Ok(unit * n)),
        (true, ..) => Some(Err(())),
        (false, ..) => None,
    }
}

/// A day, a day of the week, an hour: what was said of them.
#[derive(Default)]
struct Said {
    day: Option<NaiveDate>,
    weekday: Option<u32>,
    time: Option<NaiveTime>,
}

impl Said {
    fn read(text: &str, today: NaiveDate) -> Option<Self> {
        let plain = text.replace(',', " ");
        let words: Vec<&str> = plain.split_whitespace().filter(|w| !FILLERS.contains(w)).collect();
        let (mut said, mut i) = (Self::default(), 0);
        while let Some(word) = words.get(i) {
            let next = words.get(i + 1).copied().unwrap_or_default();
            i += said.take(word, next, today)?;
        }
        (said.day.is_some() || said.weekday.is_some() || said.time.is_some()).then_some(said)
    }

    /// Takes a word, or two that belong together; how many those were.
    fn take(&mut self, word: &str, next: &str, today: NaiveDate) -> Option<usize> {
        let ahead = match word {
            "today" => Some(0),
            "tomorrow" => Some(1),
            "week" => Some(7),
            _ => None,
        };
        if let Some(days) = ahead {
            self.day = Some(today + Duration::days(days));
        } else if let Some(weekday) = named(&DAYS, word) {
            self.weekday = Some(weekday);
        } else if let Some(day) = date_of_two(word, next, today) {
            self.day = Some(day);
            return Some(2);
        } else if let Some(time) = time_of_two(word, next) {
            self.time = Some(time);
            return Some(2);
        } else if let Some(time) = time(word) {
            self.time = Some(time);
        } else {
            self.day = Some(date(word, today)?);
        }
        Some(1)
    }

    /// `later`: the hour is still to come today.
    fn date(&self, today: NaiveDate, later: bool) -> NaiveDate {
        match (self.day, self.weekday) {
            (Some(day), _) => day,
            (None, Some(weekday)) => {
                let ahead = (weekday + 7 - today.weekday().num_days_from_monday()) % 7;
                let ahead = if ahead == 0 && !later { 7 } else { ahead };
                today + Duration::days(i64::from(ahead))
            }
            (None, None) if later => today,
            (None, None) => today + Duration::days(1),
        }
    }
}

/// The place of a name of which at least three letters are given.
fn named(names: &[&str], text: &str) -> Option<u32> {
    let at = names.iter().position(|n| text.len() >= 3 && (n.starts_with(text) || text == format!("{}s", &n[..3])))?;
    u32::try_from(at).ok()
}

/// `1 dec`, `dec 1`, `1st december`.
fn date_of_two(a: &str, b: &str, today: NaiveDate) -> Option<NaiveDate> {
    let (day, month) = match (named(&MONTHS, a), named(&MONTHS, b)) {
        (None, Some(month)) => (a, month),
        (Some(month), None) => (b, month),
        _ => return None,
    };
    let day = day.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', '.']).parse().ok()?;
    coming(today, month + 1, day)
}

/// `2026-12-01`, `1.12.`, `1.12.2026`.
fn date(word: &str, today: NaiveDate) -> Option<NaiveDate> {
    if let Ok(day) = NaiveDate::parse_from_str(word, "%Y-%m-%d") {
        return Some(day);
    }
    if let Ok(day) = NaiveDate::parse_from_str(word, "%d.%m.%Y") {
        return Some(day);
    }
    let (day, month) = word.trim_end_matches('.').split_once('.')?;
    coming(today, month.parse().ok()?, day.parse().ok()?)
}

/// The next such day.
fn coming(today: NaiveDate, month: u32, day: u32) -> Option<NaiveDate> {
    let this = NaiveDate::from_ymd_opt(today.year(), month, day).filter(|d| *d >= today);
    this.or_else(|| NaiveDate::from_ymd_opt(today.year() + 1, month, day))
}

/// `3 pm`.
fn time_of_two(a: &str, b: &str) -> Option<NaiveTime> {
    if matches!(b, "am" | "pm") { time(&format!("{a}{b}")) } else { None }
}

/// `15:00`, `15h30`, `08.30`, `3pm`, `10`, `noon`.
fn time(word: &str) -> Option<NaiveTime> {
    if word == "noon" {
        return NaiveTime::from_hms_opt(12, 0, 0);
    }
    let (digits, half) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        _ => (word, None),
    };
    let (hour, minute) = digits.split_once([':', 'h']).or_else(|| digits.split_once('.').filter(|(_, m)| m.len() == 2)).unwrap_or((digits, "0"));
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    match half {
        Some(half) if (1..=12).contains(&hour) => NaiveTime::from_hms_opt(hour % 12 + half, minute, 0),
        Some(_) => None,
        // `1.12` may be a day as well: it is one.
        None if digits.contains('.') && minute <= 12 && hour > 0 => None,
        None => NaiveTime::from_hms_opt(hour, minute, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_as_people_say_them() {
        // Friday 2026-11-20 15:00 in Berlin.
        let (now, berlin): (DateTime<Utc>, Zone) = ("2026-11-20T14:00:00Z".parse().unwrap(), "Europe/Berlin".parse().unwrap());
        for (text, want) in [
            ("", "2026-11-21T14:00:00Z"),
            ("+2h", "2026-11-20T16:00:00Z"),
            ("2h", "2026-11-20T16:00:00Z"),
            ("in 2 hours", "2026-11-20T16:00:00Z"),
            ("in an hour", "2026-11-20T15:00:00Z"),
            ("+30m", "2026-11-20T14:30:00Z"),
            ("16:30", "2026-11-20T15:30:00Z"),
            ("09:00", "2026-11-21T08:00:00Z"),
            ("10", "2026-11-21T09:00:00Z"),
            ("10am", "2026-11-21T09:00:00Z"),
            ("3:30 pm", "2026-11-20T14:30:00Z"),
            ("12am", "2026-11-20T23:00:00Z"),
            ("noon", "2026-11-21T11:00:00Z"),
            ("15h30", "2026-11-20T14:30:00Z"),
            ("08.30", "2026-11-21T07:30:00Z"),
            ("tomorrow", "2026-11-21T14:00:00Z"),
            ("Tomorrow at 10", "2026-11-21T09:00:00Z"),
            ("today 18:00", "2026-11-20T17:00:00Z"),
            ("tue 15:00", "2026-11-24T14:00:00Z"),
            ("tues, 3pm", "2026-11-24T14:00:00Z"),
            ("tuesday 15", "2026-11-24T14:00:00Z"),
            ("friday 15:00", "2026-11-27T14:00:00Z"),
            ("fri 16:00", "2026-11-20T15:00:00Z"),
            ("mon", "2026-11-23T14:00:00Z"),
            ("next week", "2026-11-27T14:00:00Z"),
            ("2026-12-01 09:30", "2026-12-01T08:30:00Z"),
            ("2026-12-01", "2026-12-01T14:00:00Z"),
            ("1 dec 9:30", "2026-12-01T08:30:00Z"),
            ("dec 1 10", "2026-12-01T09:00:00Z"),
            ("27.11. 15:00", "2026-11-27T14:00:00Z"),
            ("1.12.2026 9:00", "2026-12-01T08:00:00Z"),
            ("2 jan 9:00", "2027-01-02T08:00:00Z"),
        ] {
            assert_eq!(parse_moment(text, berlin, now), Ok(want.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_told_with_what_is_one() {
        let now: DateTime<Utc> = "2026-11-20T14:00:00Z".parse().unwrap();
        for text in ["soon", "+2x", "25:00", "13pm", "0pm", "+h", "+15", "31 feb", "tue wed x", "at", "10:77", "9 10 eleven", "+99999999999h", "in"] {
            let told = parse_moment(text, Zone::utc(), now).unwrap_err();
            assert!(told.contains("is no time: write +2h"), "{text}: {told}");
        }
        for text in ["2020-01-01 09:00", "today 9:00"] {
            assert_eq!(parse_moment(text, Zone::utc(), now).unwrap_err(), "that moment has passed", "{text}");
        }
        for text in ["+9999h", "2028-01-01 09:00", "+400d"] {
            assert_eq!(parse_moment(text, Zone::utc(), now).unwrap_err(), format!("\"{text}\" {TOO_FAR}"));
        }
    }
}
