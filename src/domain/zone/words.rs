//! What people mean by the time zones they write: names of places, of clocks ("EST", "Eastern Time (US & Canada)"),
//! of other programs ("W. Europe Standard Time"). Never an offset: nobody lives in "UTC-5", and "EST" is
//! not five hours all year. What is not understood is no answer.

use std::{collections::HashMap, sync::LazyLock};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::{Zone, names};

const WINDOWS: &str = include_str!("windows.txt");

/// Areas of the database's names that lie on a map.
const AREAS: [&str; 10] = ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];

/// Clocks by the words of the United States, Canada and Australia.
const CLOCKS: &[(&str, &[&str], &[&str])] = &[
    // Words, what North America calls it, what Australia does.
    ("eastern et e", &["EST", "EDT"], &["AEST", "AEDT"]),
    ("central ct c", &["CST", "CDT"], &["ACST", "ACDT"]),
    ("mountain mt m", &["MST", "MDT"], &[]),
    ("pacific pt p", &["PST", "PDT"], &[]),
    ("western wst wt", &[], &["AWST"]),
    ("atlantic at", &["AST", "ADT"], &[]),
    ("newfoundland nt", &["NST", "NDT"], &[]),
    ("alaska alaskan akt", &["AKST", "AKDT"], &[]),
    ("hawaii hawaiian ht", &["HST"], &[]),
    ("est edt", &["EST", "EDT"], &["AEST", "AEDT"]),
    ("cst cdt", &["CST", "CDT"], &["ACST", "ACDT"]),
    ("est5edt", &["EST", "EDT"], &[]),
    ("cst6cdt", &["CST", "CDT"], &[]),
    ("mst7mdt", &["MST", "MDT"], &[]),
    ("pst8pdt", &["PST", "PDT"], &[]),
];

/// Which of several zones of one clock speaks for them.
const FIRST: [&str; 12] = [
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Halifax",
    "America/Toronto",
    "America/Winnipeg",
    "America/Edmonton",
    "America/Vancouver",
    "Australia/Sydney",
];

/// A winter's and a summer's day before the changes of 2026: the words are older than those.
static DAYS: LazyLock<[DateTime<Utc>; 2]> = LazyLock::new(|| ["2025-01-15T12:00:00Z", "2025-07-15T12:00:00Z"].map(|t| t.parse().unwrap_or_default()));

static WINDOWS_NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let lines = WINDOWS.lines().filter(|l| !l.starts_with('#'));
    lines.filter_map(|l| l.split_once(" | ")).map(|(name, zone)| (plain(name), zone)).collect()
});

/// A column has few different words: the same few are asked for again and again, by text and country.
static KNOWN: LazyLock<Mutex<Words>> = LazyLock::new(Mutex::default);

type Words = HashMap<(String, String), Vec<Zone>>;

/// The zones that a text means, for somebody whose number is of a country; empty when it says nothing that
/// can be relied on. One zone, or all that show one clock in the country.
#[must_use]
pub fn meant(text: &str, country: &str) -> Vec<Zone> {
    let key = (text.to_owned(), country.to_owned());
    if let Some(known) = KNOWN.lock().get(&key) {
        return known.clone();
    }
    let zones = read(text.trim(), country);
    let mut known = KNOWN.lock();
    if known.len() >= 4096 {
        known.clear();
    }
    known.insert(key, zones.clone());
    zones
}

fn read(text: &str, country: &str) -> Vec<Zone> {
    let slashed = text.replace("_slash_", "/").replace("%2F", "/");
    if let Some(zone) = place(&slashed).or_else(|| place_within(&slashed)).or_else(|| alias(&slashed)) {
        return vec![zone];
    }
    let (full, words) = (plain(&slashed), plain(&without_brackets(&slashed)));
    let windows = |name: &str| WINDOWS_NAMES.get(name).and_then(|z| z.parse::<Zone>().ok());
    if let Some(zone) = windows(&full).filter(|_| full != words) {
        return vec![zone];
    }
    let short: Vec<&str> =
        words.split(' ').filter(|w| !matches!(*w, "time" | "standard" | "daylight" | "summer" | "zone" | "us" | "usa" | "canada" | "and")).collect();
    let short = short.join(" ");
    if short == "arizona" || words == "us mountain standard time" {
        return "America/Phoenix".parse().into_iter().collect();
    }
    let named = clock(&short, country);
    if !named.is_empty() {
        return named;
    }
    windows(&words).or_else(|| city(&full)).or_else(|| city(&short)).into_iter().collect()
}

/// `America/New_York`, in any case, with blanks for underlines.
pub(super) fn place(text: &str) -> Option<Zone> {
    let name = text.trim().replace(' ', "_");
    let (area, _) = name.split_once('/')?;
    AREAS.iter().any(|a| a.eq_ignore_ascii_case(area)).then_some(())?;
    name.parse().ok().or_else(|| names().find(|n| n.eq_ignore_ascii_case(&name))?.parse().ok())
}

/// `(GMT-05:00) Eastern Standard Time (America/New_York)`.
fn place_within(text: &str) -> Option<Zone> {
    text.split(|c: char| !(c.is_alphanumeric() || "/_-+".contains(c))).filter(|w| w.contains('/')).find_map(place)
}

/// A name of the database that is no place but stands for one: `US/Eastern`, `Japan`. Not those that are a
/// clock (`EST`) or an offset (`Etc/GMT+5`).
fn alias(text: &str) -> Option<Zone> {
    let name = names().find(|n| n.eq_ignore_ascii_case(text.trim()))?;
    let clock = name.len() <= 3 && !matches!(name, "PRC" | "ROC" | "ROK") || name.bytes().any(|b| b.is_ascii_digit());
    let offset = name.starts_with("Etc/") || matches!(name, "UTC" | "Universal" | "Zulu" | "Greenwich" | "Factory");
    let two = matches!(name, "GB" | "NZ");
    if (clock && !two) || offset {
        return None;
    }
    place(name.parse::<Zone>().ok()?.primary_name()?)
}

/// The zones of a country whose clock has a name, as "EST" or "Eastern".
fn clock(words: &str, country: &str) -> Vec<Zone> {
    if words.is_empty() || words.len() > 12 {
        return Vec::new();
    }
    let neighbours: &[&str] = if is_north_american(country) { &["US", "CA"] } else { &[] };
    // "EST/EDT" is one clock by both its names.
    let row = CLOCKS.iter().find(|(row, ..)| words.split(' ').all(|w| row.split(' ').any(|r| r == w)));
    let abbreviations: Vec<String> = match row {
        Some((_, american, _)) if is_north_american(country) => american.iter().map(|a| (*a).to_owned()).collect(),
        Some((_, _, australian)) if country == "AU" => australian.iter().map(|a| (*a).to_owned()).collect(),
        _ => vec![words.to_ascii_uppercase()],
    };
    let named = |of: &str| -> Vec<Zone> {
        let called = |z: Zone| DAYS.iter().any(|d| abbreviations.contains(&z.abbreviation(*d)));
        let mut zones: Vec<Zone> = Zone::all().filter(|z| z.lies_in(of) && z.is_primary() && called(*z)).collect();
        zones.sort_by_key(|z| (FIRST.iter().position(|f| *f == z.name()).unwrap_or(FIRST.len()), z.name()));
        zones
    };
    [country].iter().chain(neighbours).map(|c| named(c)).find(|z| !z.is_empty()).unwrap_or_default()
}

fn is_north_american(country: &str) -> bool {
    matches!(country, "US" | "CA" | "PR" | "VI" | "GU" | "AS" | "MP")
}

/// `New York`, `Kolkata`: the one place of that name.
fn city(words: &str) -> Option<Zone> {
    if words.len() < 4 {
        return None;
    }
    let of = |n: &&str| AREAS.iter().any(|a| n.starts_with(a)) && n.rsplit('/').next().is_some_and(|c| plain(c) == words);
    let mut found: Vec<Zone> = names().filter(of).filter_map(|n| n.parse::<Zone>().ok()?.primary_name()?.parse().ok()).collect();
    found.sort_by_key(|z| z.name());
    found.dedup();
    (found.len() == 1).then(|| found[0])
}

/// Small letters and digits, single blanks between.
fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `(UTC-05:00) Eastern Time (US & Canada)` as `Eastern Time`; an offset outside brackets stays.
fn without_brackets(text: &str) -> String {
    let mut depth = 0usize;
    let keep = |c: char| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => return (depth == 0).then_some(c),
        }
        Some(' ')
    };
    text.chars().filter_map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, country: &str) -> &'static str {
        meant(text, country).first().map_or("-", |z| z.name())
    }

    #[test]
    fn places_however_they_are_written() {
        for text in [
            "America/New_York",
            "america/new_york",
            "America/New York",
            "america_slash_new_york",
            "us_slash_eastern",
            "US/Eastern",
            "(GMT-05:00) Eastern Standard Time (America/New_York)",
            "New York",
            "EST",
            "EDT",
            "est",
            "ET",
            "Eastern",
            "Eastern Time",
            "Eastern Standard Time",
            "Eastern Daylight Time",
            "Eastern Time (US & Canada)",
            "(UTC-05:00) Eastern Time (US & Canada)",
            "US Eastern",
            "EST/EDT",
            "EST5EDT",
        ] {
            assert_eq!(first(text, "US"), "America/New_York", "{text}");
        }
        for (text, country, zone) in [
            ("CST", "US", "America/Chicago"),
            ("Central Time", "US", "America/Chicago"),
            ("MST", "US", "America/Denver"),
            ("Pacific Standard Time", "US", "America/Los_Angeles"),
            ("PDT", "CA", "America/Vancouver"),
            ("HST", "US", "Pacific/Honolulu"),
            ("Alaska", "US", "America/Anchorage"),
            ("Atlantic Time (Canada)", "CA", "America/Halifax"),
            ("Newfoundland Standard Time", "CA", "America/St_Johns"),
            ("Arizona", "US", "America/Phoenix"),
            ("US Mountain Standard Time", "US", "America/Phoenix"),
            ("W. Europe Standard Time", "DE", "Europe/Berlin"),
            ("GMT Standard Time", "GB", "Europe/London"),
            ("GMT", "GB", "Europe/London"),
            ("BST", "GB", "Europe/London"),
            ("CET", "DE", "Europe/Berlin"),
            ("CEST", "DE", "Europe/Berlin"),
            ("IST", "IN", "Asia/Kolkata"),
            ("IST", "IE", "Europe/Dublin"),
            ("AEST", "AU", "Australia/Sydney"),
            ("EST", "AU", "Australia/Sydney"),
            ("AWST", "AU", "Australia/Perth"),
            ("Western", "AU", "Australia/Perth"),
            ("Japan", "JP", "Asia/Tokyo"),
            ("GB", "GB", "Europe/London"),
            ("NZ", "NZ", "Pacific/Auckland"),
        ] {
            assert_eq!(first(text, country), zone, "{text} {country}");
        }
    }

    /// An hour of the sun is nobody's address.
    #[test]
    fn offsets_and_nonsense_mean_nothing() {
        for text in [
            "",
            "UTC",
            "utc",
            "GMT",
            "Z",
            "Zulu",
            "UCT",
            "Etc/UTC",
            "Etc/GMT+5",
            "Etc/GMT-12",
            "GMT+0",
            "GMT0",
            "UTC-5",
            "UTC-05:00",
            "-5",
            "+05:30",
            "GMT-5",
            "Mars/Base",
            "Factory",
            "Universal",
            "Greenwich",
            "x",
            "yes",
            "CET",
            "WET",
            "MET",
            "(UTC) Coordinated Universal Time",
            "local",
            "EST/CST",
            "-0500",
            "unknown",
        ] {
            assert_eq!(first(text, "US"), "-", "{text}");
        }
    }

    #[test]
    fn every_windows_name_is_a_place() {
        let wrong: Vec<_> = WINDOWS_NAMES.iter().filter(|(_, z)| place(z).is_none()).collect();
        assert!(wrong.is_empty() && WINDOWS_NAMES.len() > 100, "{wrong:?}");
    }
}
