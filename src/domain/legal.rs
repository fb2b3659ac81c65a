//! The law of places as data: hours, holidays, calls a day, read from `legal/rules.txt` with source
//! and date. What the table does not say is 8 to 21.

mod holiday;

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use super::zone::Zone;
use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::schedule::{Days, Window};
use holiday::Holiday;

const RULES: &str = include_str!("legal/rules.txt");
const US_AREAS: &str = include_str!("legal/us_areas.txt");

/// What a place allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    /// `US`, `US-FL`.
    pub place: String,
    /// Open when any of them is; empty: never.
    pub windows: Vec<Window>,
    /// Calendar whose days are closed.
    holidays: Option<String>,
    /// Calls to a number in 24 h.
    pub calls_24h: Option<i64>,
    pub source: String,
}

struct Table {
    version: String,
    laws: BTreeMap<String, Law>,
    holidays: HashMap<String, Vec<Holiday>>,
    areas: HashMap<&'static str, Vec<String>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { version: String::new(), laws: BTreeMap::new(), holidays: HashMap::new(), areas: HashMap::new() };
    for line in RULES.lines() {
        if let Some(version) = line.strip_prefix("# version ") {
            version.trim().clone_into(&mut table.version);
        } else if let Some(rest) = line.strip_prefix("holiday ") {
            if let Some((calendar, day)) = Holiday::parse(rest) {
                table.holidays.entry(calendar).or_default().push(day);
            }
        } else if let Some(law) = Some(line).filter(|l| !l.starts_with('#')).and_then(parse) {
            table.laws.insert(law.place.clone(), law);
        }
    }
    for (area, states) in US_AREAS.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' ')) {
        table.areas.insert(area, states.split(',').map(|s| format!("US-{s}")).collect());
    }
    table
});

fn parse(line: &str) -> Option<Law> {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let [place, hours, holidays, calls, source, _checked] = fields.as_slice() else { return None };
    let windows = if *hours == "never" { Vec::new() } else { hours.split(',').map(|h| window(h.trim())).collect::<Option<_>>()? };
    Some(Law {
        place: (*place).to_owned(),
        windows,
        holidays: Some((*holidays).to_owned()).filter(|h| h != "-"),
        calls_24h: calls.parse().ok(),
        source: (*source).to_owned(),
    })
}

/// `mon-fri 09-21:30`.
fn window(text: &str) -> Option<Window> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    const FULL: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let (days, hours) = text.split_once(' ')?;
    let at = |d: &str| NAMES.iter().position(|n| *n == d);
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let days = Days::parse(FULL.get(at(first)?..=at(last)?)?).ok()?;
    let minutes = |t: &str| {
        let (h, m) = t.split_once(':').unwrap_or((t, "0"));
        Some(h.trim().parse::<u16>().ok()? * 60 + m.trim().parse::<u16>().ok()?)
    };
    let (start, end) = hours.split_once('-')?;
    Window::new(days, minutes(start)?, minutes(end)?)
}

/// What holds where the table is silent.
static USUAL: LazyLock<Law> = LazyLock::new(|| Law {
    place: "any".to_owned(),
    windows: vec![Window::daily(8, 21)],
    holidays: None,
    calls_24h: None,
    source: "where the table is silent".to_owned(),
});

/// Beyond the law of the country: 9 to 20, no Sunday, no federal holiday.
static CAREFUL_US: LazyLock<Law> = LazyLock::new(|| Law {
    place: "profile us".to_owned(),
    windows: ["mon-sat 09-20"].iter().filter_map(|w| window(w)).collect(),
    holidays: Some("us".to_owned()),
    calls_24h: Some(3),
    source: "[compliance] profile = \"us\"".to_owned(),
});

/// The version of the table, for the evidence of a call.
#[must_use]
pub fn version() -> &'static str {
    &TABLE.version
}

/// Whether a state has a law of its own that the area code of a number does not bring already.
#[must_use]
pub fn adds(number: &str, country: &str, state: &str) -> bool {
    TABLE.laws.contains_key(state) && !of(country, number, &[], false).iter().any(|l| l.place == state)
}

/// Every law that holds for a number: its country's, its states', that of states its owner is said to live in,
/// and the profile's own.
#[must_use]
pub fn of(country: &str, number: &str, states: &[&str], careful_us: bool) -> Vec<&'static Law> {
    let national = TABLE.laws.get(country).unwrap_or(&USUAL);
    let mut laws = vec![national];
    if country == "US" {
        match number.get(2..5).and_then(|area| TABLE.areas.get(area)) {
            Some(states) => laws.extend(states.iter().filter_map(|s| TABLE.laws.get(s))),
            // An area code nobody has told us of: the strictest of all states.
            None => laws.extend(TABLE.laws.values().filter(|l| l.place.starts_with("US-"))),
        }
        laws.extend(careful_us.then_some(&*CAREFUL_US));
    }
    laws.extend(states.iter().filter_map(|s| TABLE.laws.get(*s)));
    laws
}

impl Law {
    fn is_holiday(&self, day: NaiveDate) -> bool {
        let calendar = self.holidays.as_ref().and_then(|h| TABLE.holidays.get(h));
        calendar.is_some_and(|days| days.iter().any(|h| h.falls_on(day)))
    }

    #[must_use]
    pub fn is_open(&self, zone: Zone, now: DateTime<Utc>) -> bool {
        !self.is_holiday(now.with_timezone(&zone).date_naive()) && self.windows.iter().any(|w| w.is_open(zone, now))
    }

    /// The first moment at or after `now` when it is open.
    #[must_use]
    pub fn next_open(&self, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut at = now;
        // Holidays in a row: a few days at most.
        for _ in 0..12 {
            let open = self.windows.iter().filter_map(|w| w.next_open(zone, at)).min()?;
            if !self.is_holiday(open.with_timezone(&zone).date_naive()) {
                return Some(open);
            }
            at = super::schedule::next_day(zone, open);
        }
        None
    }

    /// `US-AL 08-20 MTWTFS`.
    #[must_use]
    pub fn label(&self) -> String {
        let hours = self.windows.iter().map(Window::label).collect::<Vec<_>>().join(", ");
        format!("{} {}", self.place, if hours.is_empty() { "never".to_owned() } else { hours })
    }
}

/// The first law that is closed in one of the zones, with the next moment when all are open in all.
///
/// # Errors
/// When it is closed now.
pub fn open_in_all<'a>(laws: &[&'a Law], zones: &[Zone], now: DateTime<Utc>) -> Result<(), (&'a Law, Option<DateTime<Utc>>)> {
    let closed = laws.iter().find(|l| zones.iter().any(|z| !l.is_open(*z, now)));
    closed.map_or(Ok(()), |law| Err((law, next_open_in_all(laws, zones, now))))
}

/// The first moment at or after `now` when every law is open in every zone; `None` when there is none
/// within two weeks.
#[must_use]
pub fn next_open_in_all(laws: &[&Law], zones: &[Zone], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (mut at, mut agreed) = (now, 0);
    let pairs = laws.len() * zones.len();
    // Round and round: before its next opening nobody's moment can be, so it becomes the moment to ask the others for.
    for (law, zone) in laws.iter().flat_map(|l| zones.iter().map(move |z| (*l, *z))).cycle() {
        let next = law.next_open(zone, at)?;
        agreed = if next == at { agreed + 1 } else { 1 };
        at = next;
        if agreed >= pairs {
            return Some(at);
        }
        if at - now > Duration::days(15) {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::zone::names;
    use proptest::prelude::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn places(country: &str, number: &str) -> Vec<String> {
        of(country, number, &[], false).iter().map(|l| l.place.clone()).collect()
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = RULES.lines().filter(|l| !l.starts_with('#') && !l.starts_with("holiday") && !l.trim().is_empty()).count();
        assert_eq!((TABLE.laws.len(), TABLE.laws.len() > 20), (lines, true));
        let holidays = RULES.lines().filter(|l| l.starts_with("holiday ")).count();
        assert_eq!(TABLE.holidays.values().map(Vec::len).sum::<usize>(), holidays);
        assert_eq!((version(), TABLE.areas.len() > 340), ("2026-11-22", true));
        assert!(TABLE.laws.values().all(|l| !l.source.is_empty()));
    }

    #[test]
    fn a_number_has_the_law_of_its_country_and_states() {
        assert_eq!(places("US", "+13055550142"), ["US", "US-FL"]);
        assert_eq!(places("US", "+12125550142"), ["US"], "New York has no rule of its own here");
        assert!(places("US", "+19995550142").len() > 15, "an unknown area code: the strictest of all");
        assert_eq!(places("DE", "+4930123456"), ["any"]);
        assert!(of("IN", "+911234567890", &[], false)[0].windows.is_empty());
    }

    #[test]
    fn the_strictest_decides_in_every_zone() {
        let zones = [zone("America/New_York")];
        let florida = of("US", "+13055550142", &[], false);
        // 20:30 in Florida: the country allows it, the state does not.
        let evening = utc("2026-11-21T01:30:00Z");
        let (law, next) = open_in_all(&florida, &zones, evening).unwrap_err();
        assert_eq!((law.place.as_str(), next), ("US-FL", Some(utc("2026-11-21T13:00:00Z"))));
        assert!(open_in_all(&of("US", "+12125550142", &[], false), &zones, evening).is_ok());
        // Alabama on a Sunday, on Thanksgiving.
        let alabama = of("US", "+12055550142", &[], false);
        let central = [zone("America/Chicago")];
        assert_eq!(open_in_all(&alabama, &central, utc("2026-11-22T18:00:00Z")).unwrap_err().1, Some(utc("2026-11-23T14:00:00Z")));
        assert_eq!(open_in_all(&alabama, &central, utc("2026-11-26T18:00:00Z")).unwrap_err().1, Some(utc("2026-11-27T14:00:00Z")));
        // A French lunch.
        let paris = [zone("Europe/Paris")];
        assert_eq!(open_in_all(&of("FR", "+33123456789", &[], false), &paris, utc("2026-11-20T12:30:00Z")).unwrap_err().1, Some(utc("2026-11-20T13:00:00Z")));
        assert_eq!(open_in_all(&of("IN", "+911234567890", &[], false), &[zone("Asia/Kolkata")], utc("2026-11-20T08:00:00Z")).unwrap_err().1, None, "never");
    }

    #[test]
    fn the_careful_profile() {
        let zones = [zone("America/New_York")];
        let careful = of("US", "+12125550142", &[], true);
        assert!(open_in_all(&careful, &zones, utc("2026-11-20T13:30:00Z")).is_err(), "08:30");
        assert!(open_in_all(&careful, &zones, utc("2026-11-20T18:00:00Z")).is_ok());
        assert!(open_in_all(&careful, &zones, utc("2026-12-25T18:00:00Z")).is_err(), "Christmas");
    }

    proptest! {
        /// For any number, zones and moment of 2020 to 2037: the next opening is open under every law in
        /// every zone, is not before now, and nothing is open a moment before it or half-way to it.
        #[test]
        fn the_next_opening_is_the_first(minute in 0i64..9_400_000, area in 200u16..990, at in 0usize..400, second in 0usize..400, careful: bool) {
            let now = utc("2020-01-01T00:00:00Z") + Duration::minutes(minute);
            let all: Vec<&str> = names().collect();
            let zones: Vec<Zone> = [at, second].iter().map(|i| zone(all[*i % all.len()])).collect();
            let laws = of("US", &format!("+1{area}5550142"), &[], careful);
            let open = |t: DateTime<Utc>| open_in_all(&laws, &zones, t).is_ok();
            if let Some(next) = next_open_in_all(&laws, &zones, now) {
                prop_assert!(next >= now && open(next));
                if next > now {
                    prop_assert!(!open(now) && !open(next - Duration::seconds(1)) && !open(now + (next - now) / 2));
                }
            } else {
                prop_assert!(!open(now));
            }
        }

        /// Whoever is allowed is allowed by the country's own law too: a state only narrows.
        #[test]
        fn a_state_only_narrows(minute in 0i64..9_400_000, area in 200u16..990) {
            let now = utc("2020-01-01T00:00:00Z") + Duration::minutes(minute);
            let zones = [zone("America/New_York"), zone("America/Los_Angeles")];
            let number = format!("+1{area}5550142");
            if open_in_all(&of("US", &number, &[], true), &zones, now).is_ok() {
                prop_assert!(open_in_all(&of("US", &number, &[], false), &zones, now).is_ok());
                prop_assert!(zones.iter().all(|z| Window::daily(8, 21).is_open(*z, now)));
            }
        }
    }
}
