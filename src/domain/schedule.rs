//! When calling is open: days and hours in a zone, over midnight and over clock changes.
//! Everything is computed on real intervals of UTC, so a day of 23 or 25 hours needs no special case.

pub use super::moment::{LONGEST_PROMISE, TOO_FAR, parse_moment};
use super::zone::Zone;
use chrono::{DateTime, Datelike, Days as ChronoDays, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};

/// A set of weekdays, stored as a JSON list of full English lower-case names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(u8);

const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Days {
    pub const ALL: Self = Self(0b111_1111);
    pub const WORKDAYS: Self = Self(0b001_1111);

    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day.num_days_from_monday()) != 0
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Reads full English names in any case.
    ///
    /// # Errors
    /// With the first name that is no weekday.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, String> {
        names.iter().try_fold(Self(0), |days, name| {
            let name = name.as_ref().trim().to_ascii_lowercase();
            match NAMES.iter().position(|n| *n == name) {
                Some(i) => Ok(Self(days.0 | (1 << i))),
                None => Err(name),
            }
        })
    }

    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().enumerate().filter(move |(i, _)| self.0 & (1 << i) != 0).map(|(_, n)| *n)
    }

    /// `MTWTF--`, one letter a day: how the screen shows it.
    #[must_use]
    pub fn letters(self) -> String {
        "MTWTFSS".chars().enumerate().filter(|(i, _)| self.0 & (1 << i) != 0).map(|(_, c)| c).collect()
    }
}

/// Hours of a local day, in minutes from midnight. `start == end == 0` is the whole day; `end` may
/// be 24:00; `start > end` crosses midnight and belongs to the day it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub days: Days,
    pub start: u16,
    pub end: u16,
}

/// How far ahead an opening is looked for: a window opens at least once a week, and a clock change
/// may swallow one opening.
const HORIZON_DAYS: u64 = 15;

impl Window {
    /// Minutes 0..1440 for the start, 0..=1440 for the end.
    #[must_use]
    pub fn new(days: Days, start: u16, end: u16) -> Option<Self> {
        let whole = start == 0 && end == 0;
        let valid = start < 1440 && end <= 1440 && (start != end || whole) && !days.is_empty();
        valid.then_some(Self { days, start, end })
    }

    /// The same hours every day of the week.
    #[must_use]
    pub fn daily(start_hour: u16, end_hour: u16) -> Self {
        Self { days: Days::ALL, start: start_hour * 60, end: end_hour * 60 }
    }

    #[must_use]
    pub fn is_open(&self, zone: Zone, now: DateTime<Utc>) -> bool {
        self.current(zone, now).is_some()
    }

    /// The first moment at or after `now` when the window is open.
    #[must_use]
    pub fn next_open(&self, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.is_open(zone, now) {
            return Some(now);
        }
        let today = now.with_timezone(&zone).date_naive();
        (0..HORIZON_DAYS).filter_map(|d| self.interval(zone, today.checked_add_days(ChronoDays::new(d))?)).map(|(from, _)| from).find(|from| *from >= now)
    }

    /// When the interval that is open now ends.
    #[must_use]
    pub fn closes(&self, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.current(zone, now).map(|(_, to)| to)
    }

    /// `09-17 MTWTF`, `24 h MTWTFSS`, `22:30-06 MTWTF`.
    #[must_use]
    pub fn label(&self) -> String {
        let hour = |m: u16| if m.is_multiple_of(60) { format!("{:02}", m / 60) } else { format!("{:02}:{:02}", m / 60, m % 60) };
        let hours = if self.start == 0 && (self.end == 0 || self.end == 1440) { "24 h".to_owned() } else { format!("{}-{}", hour(self.start), hour(self.end)) };
        format!("{hours} {}", self.days.letters())
    }

    /// The same for whoever has not learned the letters: `9-17 Mon-Fri`, `24 h daily`.
    #[must_use]
    pub fn words(&self) -> String {
        let days = match self.days.letters().as_str() {
            "MTWTFSS" => "daily".to_owned(),
            "MTWTF" => "Mon-Fri".to_owned(),
            letters => letters.to_owned(),
        };
        self.label().replace(&self.days.letters(), &days)
    }

    fn current(self, zone: Zone, now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let today = now.with_timezone(&zone).date_naive();
        [today.pred_opt()?, today].into_iter().filter_map(|d| self.interval(zone, d)).find(|(from, to)| *from <= now && now < *to)
    }

    /// The interval that begins on a local date, if that is a calling day.
    fn interval(self, zone: Zone, date: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        if !self.days.contains(date.weekday()) {
            return None;
        }
        let end_date = if self.end <= self.start { date.succ_opt()? } else { date };
        let from = zone.instant(at(date, self.start));
        let to = if self.end == 0 || self.end == 1440 { zone.instant(at(date.succ_opt()?, 0)) } else { zone.instant(at(end_date, self.end)) };
        (from < to).then_some((from, to))
    }
}

/// The local date in `zone`, the unit of the daily cap.
#[must_use]
pub fn local_day(zone: Zone, now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// When the next local day begins: the moment a daily cap is fresh again.
#[must_use]
pub fn next_day(zone: Zone, now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = local_day(zone, now).succ_opt().unwrap_or(NaiveDate::MAX);
    zone.instant(at(tomorrow, 0))
}

fn at(date: NaiveDate, minutes: u16) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN) + Duration::minutes(i64::from(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::zone::names;
    use proptest::prelude::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn berlin() -> Zone {
        zone("Europe/Berlin")
    }

    #[test]
    fn office_hours() {
        let w = Window::new(Days::WORKDAYS, 9 * 60, 17 * 60).unwrap();
        // Friday 2026-11-20 16:59 in Berlin is 15:59 UTC.
        assert!(w.is_open(berlin(), utc("2026-11-20T15:59:59Z")));
        assert!(!w.is_open(berlin(), utc("2026-11-20T16:00:00Z")));
        assert_eq!(w.next_open(berlin(), utc("2026-11-20T16:00:00Z")), Some(utc("2026-11-23T08:00:00Z")));
        assert_eq!(w.label(), "09-17 MTWTF");
    }

    #[test]
    fn over_midnight_belongs_to_the_day_it_began() {
        let friday = Days::parse(&["Friday"]).unwrap();
        let w = Window::new(friday, 22 * 60, 2 * 60).unwrap();
        assert!(w.is_open(berlin(), utc("2026-11-21T00:30:00Z")), "Saturday 01:30 is Friday's night");
        assert!(!w.is_open(berlin(), utc("2026-11-20T00:30:00Z")), "Friday 01:30 is Thursday's");
    }

    #[test]
    fn zero_to_zero_is_the_whole_day_and_days_still_hold() {
        let w = Window::new(Days::WORKDAYS, 0, 0).unwrap();
        assert!(w.is_open(berlin(), utc("2026-11-20T22:59:00Z")));
        assert!(!w.is_open(berlin(), utc("2026-11-20T23:00:00Z")), "Saturday has begun in Berlin");
        assert!(Window::new(Days::ALL, 540, 540).is_none());
        assert!(Window::new(Days::ALL, 0, 1440).unwrap().is_open(berlin(), utc("2026-11-20T23:30:00Z")));
    }

    #[test]
    fn an_opening_inside_the_spring_gap_moves_to_its_end() {
        let w = Window::new(Days::ALL, 150, 600).unwrap();
        // 2027-03-28 02:30 does not exist in Berlin; 03:00 is 01:00 UTC.
        assert_eq!(w.next_open(berlin(), utc("2027-03-28T00:00:00Z")), Some(utc("2027-03-28T01:00:00Z")));
    }

    #[test]
    fn days_are_read_in_any_case_and_misspelt_ones_named() {
        assert_eq!(Days::parse(&["Monday", "SUNDAY"]).unwrap().letters(), "MS");
        assert_eq!(Days::parse(&["monday", "funday"]), Err("funday".to_owned()));
    }

    proptest! {
        /// Over any zone and any hour of 2020 to 2037: next_open is open, is not before now, and no
        /// whole minute before it is open.
        #[test]
        fn next_open_is_the_first_open_moment(zone in prop::sample::select(names().collect::<Vec<_>>()), minute in 0i64..9_400_000,
                                              start in 0u16..1440, len in 1u16..1439, days in 1u8..128) {
            let now = utc("2020-01-01T00:00:00Z") + Duration::minutes(minute);
            let zone: Zone = zone.parse().unwrap();
            let w = Window { days: Days(days), start, end: (start + len) % 1440 };
            prop_assume!(w.start != w.end);
            if let Some(open) = w.next_open(zone, now) {
                prop_assert!(open >= now);
                prop_assert!(w.is_open(zone, open));
                if open > now {
                    prop_assert!(!w.is_open(zone, now));
                    prop_assert!(!w.is_open(zone, open - Duration::seconds(1)));
                    let half = now + (open - now) / 2;
                    prop_assert!(!w.is_open(zone, half));
                }
            }
        }
    }
}
