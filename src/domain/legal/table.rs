//! The table of laws as it is read from `rules.txt`, and what one row allows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::holiday::{Holiday, month_day};
use crate::domain::{schedule::Days, zone::Zone};

const RULES: &str = include_str!("rules.txt");
const US_AREAS: &str = include_str!("us_areas.txt");

/// Whether a place wants the called person's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    No,
    /// The law wants it; the careful profile insists on it.
    Asked,
    /// No call without it on record.
    OptIn,
}

/// So many calls to one number within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frequency {
    pub calls: usize,
    pub within: Duration,
}

/// One row: what a place allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    /// `US`, `US-FL`.
    pub place: String,
    /// Of calls that an artificial voice makes.
    pub automatic: bool,
    /// `None`: the row says nothing of hours. Empty: never.
    hours: Option<Vec<Hours>>,
    calendar: Option<String>,
    pub frequencies: Vec<Frequency>,
    pub rest_after_refusal: Option<Duration>,
    pub consent: Consent,
    /// Open only where the configuration names the place.
    pub named: bool,
    pub source: String,
    /// `H`, `M` or `L`.
    pub confidence: char,
    pub checked_on: NaiveDate,
}

/// The days that hours are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Days(Days),
    /// Holidays, instead of the day's own hours.
    Holiday,
    /// The day before a holiday, and a date: they narrow the day's own hours.
    Eve,
    Date(u32, u32),
}

/// Minutes of a local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hours {
    on: On,
    start: u16,
    end: u16,
}

/// How far ahead an opening is looked for.
const HORIZON_DAYS: i64 = 15;

impl Law {
    /// The hours of a local date, in minutes: none, one or a few spans.
    fn spans(&self, date: NaiveDate) -> Vec<(u16, u16)> {
        let Some(hours) = &self.hours else { return vec![(0, 1440)] };
        let of = |on: &dyn Fn(On) -> bool| hours.iter().filter(|h| on(h.on)).map(|h| (h.start, h.end)).collect::<Vec<_>>();
        if self.is_holiday(date) {
            return of(&|on| on == On::Holiday);
        }
        let usual = of(&|on| matches!(on, On::Days(days) if days.contains(chrono::Datelike::weekday(&date))));
        let eve = date.succ_opt().is_some_and(|next| self.is_holiday(next));
        let narrow = of(&|on| match on {
            On::Eve => eve,
            On::Date(month, day) => (chrono::Datelike::month(&date), chrono::Datelike::day(&date)) == (month, day),
            On::Days(_) | On::Holiday => false,
        });
        narrow.iter().fold(usual, |spans, n| spans.into_iter().map(|s| (s.0.max(n.0), s.1.min(n.1))).filter(|(from, to)| from < to).collect())
    }

    fn is_holiday(&self, date: NaiveDate) -> bool {
        self.calendar.as_deref().is_some_and(|name| TABLE.is_holiday(name, date))
    }

    /// Whether a holiday closes a local date.
    pub(super) fn is_closed_holiday(&self, date: NaiveDate) -> bool {
        self.is_holiday(date) && self.spans(date).is_empty()
    }

    /// The intervals of a local date.
    fn intervals(&self, zone: Zone, date: NaiveDate) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let at = move |minutes: u16| zone.instant(date.and_time(chrono::NaiveTime::MIN) + Duration::minutes(i64::from(minutes)));
        self.spans(date).into_iter().map(move |(start, end)| (at(start), at(end)))
    }

    #[must_use]
    pub fn is_open(&self, zone: Zone, now: DateTime<Utc>) -> bool {
        self.closes(zone, now).is_some()
    }

    /// When the interval that is open now ends.
    #[must_use]
    pub fn closes(&self, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = now.with_timezone(&zone).date_naive();
        self.intervals(zone, today).find(|(from, to)| *from <= now && now < *to).map(|(_, to)| to)
    }

    /// The first moment at or after `now` when it is open.
    #[must_use]
    pub fn next_open(&self, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = now.with_timezone(&zone).date_naive();
        (0..HORIZON_DAYS).find_map(|d| self.intervals(zone, today + Duration::days(d)).filter(|(_, to)| *to > now).map(|(from, _)| from.max(now)).min())
    }

    /// The calendar whose days are closed.
    #[must_use]
    pub fn calendar(&self) -> Option<&str> {
        self.calendar.as_deref()
    }

    /// `US-AL 08-20 MTWTFS`.
    #[must_use]
    pub fn label(&self) -> String {
        let Some(hours) = &self.hours else { return format!("{} (consent)", self.place) };
        let words: Vec<String> = hours.iter().map(Hours::label).collect();
        format!("{} {}", self.place, if words.is_empty() { "never".to_owned() } else { words.join(", ") })
    }

    /// The whole row, for whoever wants to know what may be done there, by which source, of which day.
    #[must_use]
    pub fn words(&self) -> String {
        let mut parts = vec![self.label()];
        parts.extend(self.automatic.then(|| "of automatic calls".to_owned()));
        parts.extend(self.calendar().map(|c| format!("holidays {c} closed")));
        parts.extend(self.frequencies.iter().map(|f| format!("{} in {} h", f.calls, f.within.num_hours())));
        parts.extend(self.rest_after_refusal.map(|r| format!("{} days' rest after a no", r.num_days())));
        parts.extend(match self.consent {
            Consent::No => None,
            Consent::Asked => Some("consent is asked for".to_owned()),
            Consent::OptIn => Some("only with consent".to_owned()),
        });
        parts.extend(self.named.then(|| "only where [compliance] countries names it".to_owned()));
        format!("{} | {} ({}, {})", parts.join("; "), self.source, self.confidence, self.checked_on)
    }

    /// What is known of a country that is not in the table, where a setting opens it: working days, 9 to 20.
    pub(super) fn unlisted() -> &'static Self {
        static UNLISTED: LazyLock<Law> = LazyLock::new(|| Law::of_setting("unlisted country", "mon-fri 09-20", None, "[compliance] unlisted_countries"));
        &UNLISTED
    }

    /// Beyond the law of the country: 9 to 20, no Sunday, no federal holiday.
    pub(super) fn careful_us() -> &'static Self {
        static CAREFUL: LazyLock<Law> = LazyLock::new(|| Law {
            frequencies: vec![Frequency { calls: 3, within: Duration::hours(24) }],
            ..Law::of_setting("profile us", "mon-sat 09-20", Some("us"), "[compliance] profile = \"us\"")
        });
        &CAREFUL
    }

    fn of_setting(place: &str, hours: &str, calendar: Option<&str>, source: &str) -> Self {
        Self {
            place: place.to_owned(),
            automatic: false,
            hours: hours_of(hours),
            calendar: calendar.map(str::to_owned),
            frequencies: Vec::new(),
            rest_after_refusal: None,
            consent: Consent::No,
            named: false,
            source: source.to_owned(),
            confidence: 'H',
            checked_on: NaiveDate::default(),
        }
    }
}

impl Hours {
    fn label(&self) -> String {
        let clock = |m: u16| if m.is_multiple_of(60) { format!("{:02}", m / 60) } else { format!("{:02}:{:02}", m / 60, m % 60) };
        let on = match self.on {
            On::Days(days) => days.letters(),
            On::Holiday => "holidays".to_owned(),
            On::Eve => "before a holiday".to_owned(),
            On::Date(month, day) => format!("{month:02}-{day:02}"),
        };
        format!("{}-{} {on}", clock(self.start), clock(self.end))
    }
}

#[derive(Default)]
pub(super) struct Table {
    pub version: String,
    pub laws: BTreeMap<String, Vec<Law>>,
    pub aliases: HashMap<String, String>,
    /// The states of a US area code.
    pub areas: HashMap<&'static str, Vec<String>>,
    calendars: HashMap<String, Vec<Holiday>>,
    parents: HashMap<String, String>,
}

impl Table {
    pub(super) fn is_holiday(&self, calendar: &str, date: NaiveDate) -> bool {
        let own = self.calendars.get(calendar).is_some_and(|days| days.iter().any(|h| h.falls_on(date)));
        own || self.parents.get(calendar).is_some_and(|parent| self.is_holiday(parent, date))
    }

    /// Takes a line in; `None` when it is none that is known.
    fn read(&mut self, line: &str) -> Option<()> {
        if let Some(rest) = line.strip_prefix("holiday ") {
            let (calendar, day) = Holiday::parse(rest)?;
            self.calendars.entry(calendar).or_default().push(day);
        } else if let Some(rest) = line.strip_prefix("calendar ") {
            let (name, parent) = rest.split_once(" of ")?;
            self.parents.insert(name.trim().to_owned(), parent.trim().to_owned());
        } else if let Some(rest) = line.strip_prefix("alias ") {
            let (places, of) = rest.split_once('|')?;
            self.aliases.extend(places.split_whitespace().map(|p| (p.to_owned(), of.trim().to_owned())));
        } else {
            let law = law_of(line)?;
            self.laws.entry(law.place.clone()).or_default().push(law);
        }
        Some(())
    }
}

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    for line in RULES.lines() {
        if let Some(version) = line.strip_prefix("# version ") {
            version.trim().clone_into(&mut table.version);
        } else if !line.starts_with('#') {
            // A test reads every line; one that is not known closes its place, for it has no row.
            let _known = table.read(line);
        }
    }
    for (area, states) in US_AREAS.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' ')) {
        table.areas.insert(area, states.split(',').map(|s| format!("US-{s}")).collect());
    }
    table
});

fn law_of(line: &str) -> Option<Law> {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let [place, kind, hours, calendar, calls, rest, consent, source, confidence, checked] = fields.as_slice() else { return None };
    let words: Vec<&str> = consent.split_whitespace().collect();
    Some(Law {
        place: (*place).to_owned(),
        automatic: match *kind {
            "any" => false,
            "auto" => true,
            _ => return None,
        },
        hours: if *hours == "-" { None } else { Some(hours_of(hours)?) },
        calendar: Some((*calendar).to_owned()).filter(|h| h != "-"),
        frequencies: if *calls == "-" { Vec::new() } else { calls.split(',').map(frequency).collect::<Option<_>>()? },
        rest_after_refusal: if *rest == "-" { None } else { Some(span(rest)?) },
        consent: match words.iter().find(|w| **w != "named") {
            None | Some(&"-") => Consent::No,
            Some(&"asked") => Consent::Asked,
            Some(&"opt-in") => Consent::OptIn,
            Some(_) => return None,
        },
        named: words.contains(&"named"),
        source: (*source).to_owned(),
        confidence: confidence.chars().next().filter(|c| "HML".contains(*c))?,
        checked_on: checked.parse().ok()?,
    })
}

/// `mon-fri 09-21:30, hol 13-21`; `never`.
fn hours_of(text: &str) -> Option<Vec<Hours>> {
    if text == "never" {
        return Some(Vec::new());
    }
    text.split(',')
        .map(|part| {
            let (on, hours) = part.trim().split_once(' ')?;
            let (start, end) = hours.split_once('-')?;
            let hours = Hours { on: on_of(on)?, start: minutes(start)?, end: minutes(end)? };
            (hours.start < hours.end && hours.end <= 1440).then_some(hours)
        })
        .collect()
}

fn on_of(text: &str) -> Option<On> {
    const NAMES: [(&str, &str); 7] =
        [("mon", "monday"), ("tue", "tuesday"), ("wed", "wednesday"), ("thu", "thursday"), ("fri", "friday"), ("sat", "saturday"), ("sun", "sunday")];
    match text {
        "hol" => return Some(On::Holiday),
        "eve" => return Some(On::Eve),
        _ => {}
    }
    if let Some((month, day)) = month_day(text) {
        return Some(On::Date(month, day));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let at = |name: &str| NAMES.iter().position(|n| n.0 == name);
    let days: Vec<&str> = NAMES.get(at(first)?..=at(last)?)?.iter().map(|n| n.1).collect();
    Days::parse(&days).ok().map(On::Days)
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    Some(hours.trim().parse::<u16>().ok()? * 60 + minutes.trim().parse::<u16>().ok()?)
}

/// `3/24h`, `4/30d`.
fn frequency(text: &str) -> Option<Frequency> {
    let (calls, within) = text.trim().split_once('/')?;
    Some(Frequency { calls: calls.parse().ok()?, within: span(within)? })
}

fn span(text: &str) -> Option<Duration> {
    let (n, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let n: i64 = n.parse().ok()?;
    match unit {
        "h" => Some(Duration::hours(n)),
        "d" => Some(Duration::days(n)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let mut table = Table::default();
        for line in RULES.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
            assert!(table.read(line).is_some(), "{line}");
        }
        let laws: Vec<&Law> = table.laws.values().flatten().collect();
        assert!(laws.len() > 65 && TABLE.version == "2026-11-27.2" && TABLE.areas.len() > 340);
        for law in laws {
            assert!(!law.source.is_empty(), "{}", law.place);
            let calendar = law.calendar.as_deref();
            assert!(calendar.is_none_or(|c| table.calendars.contains_key(c)), "{}: no calendar {calendar:?}", law.place);
            let country = law.place.split('-').next().unwrap();
            assert!(table.laws.contains_key(country) && !table.aliases.contains_key(country), "{}", law.place);
        }
        assert!(table.aliases.values().all(|of| table.laws.contains_key(of)));
        assert!(table.parents.iter().all(|(name, parent)| table.calendars.contains_key(name) && table.calendars.contains_key(parent)));
    }

    #[test]
    fn a_line_that_is_not_understood_is_no_row() {
        let right = "XX | any | mon-fri 09-20 | - | 3/24h | - | - | here | H | 2026-11-25";
        assert!(law_of(right).is_some());
        for (from, to) in [
            ("any", "some"),
            ("mon-fri", "mon-fry"),
            ("09-20", "20-09"),
            ("3/24h", "3/24"),
            ("| H |", "| X |"),
            ("2026-11-25", "soon"),
            ("| - | here", "| maybe | here"),
        ] {
            assert!(law_of(&right.replacen(from, to, 1)).is_none(), "{from} as {to}");
        }
    }
}
