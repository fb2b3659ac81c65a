//! Time zones: what a local clock shows at a moment, and which moment a local clock means. chrono stays the
//! type of moments and dates; the rules of zones are those of one database for the whole run, read by `jiff`
//! and asked for through [`Zone`] alone. No file is read here: who starts the program hands a newer one in.

mod candidates;
mod database;
mod key;
mod typed;
mod words;

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use jiff::{Timestamp, tz::AmbiguousOffset};

pub use candidates::{Candidates, candidates};
use database::Known;
pub use database::{BUILT_IN, built_in_names, is_newer, names, use_newer, version};
pub use key::{key, label, parse_key, states_of};
pub use words::meant;

/// A zone of the database, by its IANA name.
#[derive(Clone, Copy)]
pub struct Zone(&'static Known);

impl Zone {
    /// Where no zone is known and one is needed.
    #[must_use]
    pub fn utc() -> Self {
        Self(database::utc())
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Every zone there is.
    pub fn all() -> impl Iterator<Item = Self> {
        names().filter_map(|n| n.parse().ok())
    }

    /// The name that today's database has for it: `Asia/Kolkata` of `Asia/Calcutta`.
    #[must_use]
    pub fn primary_name(self) -> Option<&'static str> {
        self.0.rules().primary_iana_name()
    }

    #[must_use]
    pub fn is_primary(self) -> bool {
        self.primary_name() == Some(self.name())
    }

    /// Whether it is a zone of a country, by its ISO letters.
    #[must_use]
    pub fn lies_in(self, country: &str) -> bool {
        self.0.rules().location().is_some_and(|l| l.country() == country)
    }

    /// Whether two zones show the same time from 2025 to 2040.
    #[must_use]
    pub fn same_clock(self, other: Self) -> bool {
        self == other || self.0.clock == other.0.clock
    }

    /// A local wall-clock time as a moment. Twice in autumn: the first. Not at all in spring: the first
    /// moment after the gap.
    #[must_use]
    pub fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        match self.from_local_datetime(&local) {
            LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => t.to_utc(),
            LocalResult::None => self.end_of_gap(local).unwrap_or_else(|| Utc.from_utc_datetime(&local)),
        }
    }

    /// The transition whose gap swallowed a local time.
    fn end_of_gap(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let inside = self.0.rules().to_ambiguous_timestamp(civil(local)?).compatible().ok()?;
        let just_after = Timestamp::from_second(inside.as_second() + 1).ok()?;
        let transition = self.0.rules().preceding(just_after).next()?;
        DateTime::from_timestamp(transition.timestamp().as_second(), 0)
    }

    /// What its clock is called at a moment: `EST`, `CEST`, `-03`.
    #[must_use]
    pub fn abbreviation(self, at: DateTime<Utc>) -> String {
        self.0.rules().to_offset_info(timestamp(at.naive_utc())).abbreviation().to_owned()
    }
}

/// Beyond the years that a zone's rules are kept for, its first or last moment.
fn timestamp(utc: NaiveDateTime) -> Timestamp {
    let second = utc.and_utc().timestamp();
    Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn civil(local: NaiveDateTime) -> Option<jiff::civil::DateTime> {
    let small = |n: u32| i8::try_from(n).ok();
    let year = i16::try_from(local.year()).ok()?;
    // A leap second is the last of its minute.
    let (hour, minute, second) = (small(local.hour())?, small(local.minute())?, small(local.second())?);
    jiff::civil::DateTime::new(year, small(local.month())?, small(local.day())?, hour, minute, second, 0).ok()
}

fn fixed(offset: jiff::tz::Offset) -> Option<FixedOffset> {
    FixedOffset::east_opt(offset.seconds())
}

/// The offset of a zone at a moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    fixed: FixedOffset,
    /// Seconds of UTC, for the abbreviation.
    at: i64,
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

/// The abbreviation, as `%Z` shows it.
impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.zone.abbreviation(DateTime::from_timestamp(self.at, 0).unwrap_or_default()))
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fixed)
    }
}

impl Zone {
    fn offset(self, fixed: FixedOffset, at: NaiveDateTime) -> ZoneOffset {
        ZoneOffset { zone: self, fixed, at: at.and_utc().timestamp() }
    }
}

/// What makes `moment.with_timezone(&zone)` work.
impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> LocalResult<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(chrono::NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> LocalResult<ZoneOffset> {
        let offset = |o| fixed(o).map(|o| self.offset(o, *local - o));
        let Some(civil) = civil(*local) else { return LocalResult::Single(self.offset_from_utc_datetime(local)) };
        match self.0.rules().to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset: o } => offset(o).map_or(LocalResult::None, LocalResult::Single),
            AmbiguousOffset::Fold { before, after } => offset(before).zip(offset(after)).map_or(LocalResult::None, |(b, a)| LocalResult::Ambiguous(b, a)),
            AmbiguousOffset::Gap { .. } => LocalResult::None,
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(chrono::NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        let offset = self.0.rules().to_offset(timestamp(*utc));
        self.offset(fixed(offset).unwrap_or_else(|| Utc.fix()), *utc)
    }
}

/// The database has no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time zone such as Europe/Berlin")]
pub struct UnknownZone;

/// A name of the database, as it is stored. What people type goes through [`Zone::typed`].
impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        database::known(name).map(Self).ok_or(UnknownZone)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Zone {}

impl std::hash::Hash for Zone {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn local(name: &str, utc: &str) -> String {
        utc.parse::<DateTime<Utc>>().unwrap().with_timezone(&zone(name)).format("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// Rules that changed after March 2025: an older database calls these people an hour late.
    #[test]
    fn the_rules_are_of_today() {
        assert_eq!(local("America/Vancouver", "2026-11-26T04:40:00Z"), "2026-11-25 21:40 MST");
        assert_eq!(local("America/Edmonton", "2026-11-26T03:40:00Z"), "2026-11-25 21:40 CST");
        assert_eq!(local("America/New_York", "2026-11-26T03:40:00Z"), "2026-11-25 22:40 EST");
        assert_eq!(BUILT_IN, "2026f");
    }

    #[test]
    fn gaps_and_folds() {
        let at = |name: &str, text: &str| zone(name).instant(text.parse().unwrap()).to_rfc3339();
        assert_eq!(at("Europe/Berlin", "2027-03-28T02:30:00"), "2027-03-28T01:00:00+00:00", "the end of the gap");
        assert_eq!(at("Europe/Berlin", "2027-03-28T02:00:00"), "2027-03-28T01:00:00+00:00");
        assert_eq!(at("Europe/Berlin", "2026-10-25T02:30:00"), "2026-10-25T00:30:00+00:00", "the first of two");
        assert_eq!(at("America/New_York", "2026-11-20T09:00:00"), "2026-11-20T14:00:00+00:00");
        // Samoa had no 30 December 2011.
        assert_eq!(at("Pacific/Apia", "2011-12-30T12:00:00"), "2011-12-30T10:00:00+00:00");
        // Lord Howe moves by half an hour.
        assert_eq!(at("Australia/Lord_Howe", "2026-10-04T02:15:00"), "2026-10-03T15:30:00+00:00");
    }

    #[test]
    fn names_are_of_the_database() {
        assert!("Mars/Olympus".parse::<Zone>().is_err() && "america/new_york".parse::<Zone>().is_err());
        assert_eq!((zone("America/New_York").to_string(), Zone::utc().name()), ("America/New_York".to_owned(), "UTC"));
        assert!(names().count() > 500 && names().all(|n| n.parse::<Zone>().is_ok()));
    }

    /// chrono's longest years must not end the program.
    #[test]
    fn no_moment_is_too_far() {
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!(zone("Europe/London").offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc().abs() < 7200);
        }
    }
}
