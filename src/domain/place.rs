//! Where a person is, from what the number and the file say together. A column never widens the hours of the
//! number: it picks among the number's own zones, or its zones come to them. A state brings its law.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    legal,
    phone::{Parsed, PhoneNumber},
    script,
    text::clean,
    zone::{self, Zone, candidates, meant},
};

const STATES: &str = include_str!("place/states.txt");

/// First and last three digits of the post codes of a state, from PyPI zipcodes (MIT, (C) Sean Pianka).
const ZIPS: &str = "005-005:NY 006-007:PR 008-008:VI 009-009:PR 010-027:MA 028-029:RI 030-038:NH 039-049:ME 050-054:VT 055-055:MA 056-059:VT 060-069:CT \
    070-089:NJ 100-149:NY 150-196:PA 197-199:DE 200-200:DC 201-201:VA 202-205:DC 206-219:MD 220-246:VA 247-268:WV 270-289:NC 290-299:SC 300-319:GA 320-339:FL \
    341-349:FL 350-369:AL 370-385:TN 386-397:MS 398-399:GA 400-427:KY 430-459:OH 460-479:IN 480-499:MI 500-528:IA 530-549:WI 550-567:MN 569-569:DC 570-577:SD \
    580-588:ND 590-599:MT 600-629:IL 630-658:MO 660-679:KS 680-693:NE 700-714:LA 716-729:AR 730-731:OK 733-733:TX 734-749:OK 750-799:TX 800-816:CO 820-831:WY \
    832-838:ID 840-847:UT 850-865:AZ 870-884:NM 885-885:TX 889-898:NV 900-961:CA 967-968:HI 969-969:GU 970-979:OR 980-994:WA 995-999:AK";

/// First letters of Canadian post codes.
const LETTERS: &str = "A:NL B:NS C:PE E:NB G:QC H:QC J:QC K:ON L:ON M:ON N:ON P:ON R:MB S:SK T:AB V:BC Y:YT";

/// Header spellings, normalised by [`script::key`].
pub const STATE_COLUMNS: &[&str] = &[
    "state",
    "province",
    "stateprovince",
    "stateorprovince",
    "stateregion",
    "statecode",
    "stateabbreviation",
    "stateabbr",
    "usstate",
    "homestate",
    "residencestate",
    "mailingstate",
    "mailingstateprovince",
    "billingstate",
    "billingstateprovince",
    "addressstate",
    "businessstate",
    "contactstate",
    "provincestate",
];
pub const POSTCODE_COLUMNS: &[&str] = &[
    "postcode",
    "zip",
    "zipcode",
    "postalcode",
    "zippostalcode",
    "zippostcode",
    "postalzip",
    "postalzipcode",
    "mailingzip",
    "mailingpostalcode",
    "mailingzippostalcode",
    "billingzip",
    "billingpostalcode",
    "billingzippostalcode",
    "homepostalcode",
    "businesspostalcode",
    "zip5",
];

/// Whether the words of a header are those of a column of states that [`STATE_COLUMNS`] does not name: `Property State`,
/// `Address 1: State/Province`, `State of Residence`. One that holds something else is read in vain: a state makes what may
/// be done stricter, never looser.
#[must_use]
pub fn is_state(words: &[String]) -> bool {
    let has = |all: &[&str]| words.iter().any(|w| all.contains(&w.as_str()));
    let ends = words.last().is_some_and(|w| matches!(w.as_str(), "state" | "province" | "bundesland"));
    ends || (has(&["state"]) && has(OF_STATES)) || words == ["st"] || words == ["region"]
}

const OF_STATES: &[&str] = &["province", "residence", "region", "code", "abbr", "abbreviation"];

/// Whether a column of states holds nothing else: a cell of it that cannot be read is told. `Region` has the north-east in
/// it, and `Call State` how it went.
#[must_use]
pub fn is_surely_state(words: &[String]) -> bool {
    const PLACES: &[&str] = &["property", "mail", "mailing", "owner", "shipping", "home", "address", "billing", "business", "work", "physical"];
    STATE_COLUMNS.contains(&words.concat().as_str())
        || words.iter().any(|w| PLACES.contains(&w.as_str()) || OF_STATES.contains(&w.as_str())) && words != ["region"]
}

/// The same of post codes: `Property Zip`, `ZIP+4`, `Address 1 - Postal Code`.
#[must_use]
pub fn is_postcode(words: &[String]) -> bool {
    let zip = |w: &String| matches!(w.as_str(), "zip" | "zipcode" | "postcode" | "postalcode");
    let postal = words.windows(2).any(|w| matches!(w[0].as_str(), "postal" | "post" | "zip") && w[1] == "code");
    words.iter().any(zip) || postal
}

/// A state of the United States or a province of Canada.
#[derive(Debug)]
pub struct State {
    /// `US-FL`
    pub code: &'static str,
    /// `Florida`
    pub name: &'static str,
    pub zones: Vec<Zone>,
}

struct Table {
    states: Vec<State>,
    /// By code, by its two letters, and by every name, without case and punctuation.
    by_name: HashMap<String, usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { states: Vec::new(), by_name: HashMap::new() };
    for line in STATES.lines().filter(|l| !l.starts_with('#')) {
        let mut fields = line.split('|').map(str::trim);
        let (Some(code), Some(names), Some(zones)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let letters = code.split('-').nth(1).unwrap_or_default();
        for name in names.split(',').chain([code, letters]) {
            table.by_name.insert(script::key(name), table.states.len());
        }
        table.states.push(State {
            code,
            name: names.split(',').next().unwrap_or(code).trim(),
            zones: zones.split(',').filter_map(|z| z.trim().parse().ok()).collect(),
        });
    }
    table
});

/// Countries whose people's state is asked for: elsewhere `WA` is Western Australia.
fn has_states(country: &str) -> bool {
    matches!(country, "US" | "CA" | "PR" | "VI" | "GU" | "AS" | "MP")
}

fn named(name: &str) -> Option<&'static State> {
    TABLE.by_name.get(&script::key(name)).map(|i| &TABLE.states[*i])
}

/// A place as people say it: `Louisiana (US-LA)`; a country by its letters.
#[must_use]
pub fn said(code: &str) -> String {
    TABLE.states.iter().find(|s| s.code == code).map_or_else(|| code.to_owned(), |s| format!("{} ({code})", s.name))
}

/// What a column says of a state, by name or letters, for a number of a country.
#[must_use]
pub fn state(text: &str, country: &str) -> Option<&'static State> {
    has_states(country).then(|| named(text).or_else(|| in_parts(text))).flatten()
}

/// `UT - Utah`, `Utah (UT)`, `N Carolina`, `W. Va.`: of several parts all that name a state name the same one.
fn in_parts(text: &str) -> Option<&'static State> {
    let spelled = |(short, long): (&str, &str)| {
        let rest = text.trim().strip_prefix(short)?;
        rest.starts_with(['.', ' ']).then(|| format!("{long} {}", rest.trim_start_matches(['.', ' '])))
    };
    let whole = [("N", "North"), ("S", "South"), ("W", "West")].into_iter().find_map(spelled);
    if let Some(state) = whole.as_deref().and_then(|t| named(t).or_else(|| named(&t.replace("Va.", "Virginia")))) {
        return Some(state);
    }
    let mut found = text.split(['-', '(', ')', ',', '/', ':']).filter(|p| !p.trim().is_empty()).filter_map(named);
    let first = found.next()?;
    found.all(|s| s.code == first.code).then_some(first)
}

/// What is said of a state's cell that could not be followed.
#[must_use]
pub fn unknown_state(text: &str, country: &str) -> Option<String> {
    let unknown = has_states(country) && !text.trim().is_empty() && state(text, country).is_none();
    unknown.then(|| format!("state \"{}\" is not known: the law of the area code holds alone", clean(text.trim(), 40)))
}

/// The state of a post code of the United States or Canada.
#[must_use]
pub fn state_of_postcode(text: &str, country: &str) -> Option<&'static State> {
    let code = text.trim();
    if !has_states(country) || code.is_empty() {
        return None;
    }
    // `84101-1234`, `84101.0`, `UT 84101`; with nine digits in a row the last four are of the street.
    let digits = code.split(|c: char| !c.is_ascii_digit()).find(|d| d.len() >= 3);
    if let Some(digits) = digits.filter(|d| matches!(d.len(), 3..=5 | 8 | 9)) {
        // A spreadsheet drops the zeros in front.
        let whole = if digits.len() > 5 { format!("{digits:0>9}") } else { format!("{digits:0>5}") };
        let three = &whole[..3];
        let run = ZIPS.split_whitespace().filter_map(|r| r.split_once(':')).find(|(r, _)| r.split_once('-').is_some_and(|(a, b)| (a..=b).contains(&three)));
        return named(&format!("US-{}", run?.1));
    }
    let mut letters = code.chars();
    let (first, second) = (letters.next()?.to_ascii_uppercase(), letters.next()?);
    let province = LETTERS.split(' ').filter_map(|l| l.split_once(':')).find(|(l, _)| second.is_ascii_digit() && l.starts_with(first))?;
    named(&format!("CA-{}", province.1))
}

/// What is said of a post code's cell that could not be followed.
#[must_use]
pub fn unknown_postcode(text: &str, country: &str) -> Option<String> {
    let unknown = has_states(country) && !text.trim().is_empty() && state_of_postcode(text, country).is_none();
    unknown.then(|| format!("post code \"{}\" is not known: the law of the area code holds alone", clean(text.trim(), 40)))
}

/// What a file says of where a person is: the cell of its zone column as it stands, and a state's code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub zone: String,
    pub state: String,
}

impl Said {
    #[must_use]
    pub fn new(zone: &str, state: Option<&State>) -> Self {
        Self { zone: clean(zone.trim(), 80).replace(';', " "), state: state.map(|s| s.code.to_owned()).unwrap_or_default() }
    }

    /// As it is stored with the contact.
    #[must_use]
    pub fn text(&self) -> String {
        if self.zone.is_empty() && self.state.is_empty() { String::new() } else { format!("{};{}", self.zone, self.state) }
    }

    /// What was said of a contact: of one kept before that was, the state among its zones.
    #[must_use]
    pub fn of(said: Option<&str>, stored: &str) -> Self {
        let state = || zone::states_of(stored).next().unwrap_or_default().to_owned();
        said.map_or_else(|| Self { zone: String::new(), state: state() }, Self::read)
    }

    fn read(text: &str) -> Self {
        let (zone, state) = text.split_once(';').unwrap_or((text, ""));
        Self { zone: zone.to_owned(), state: state.to_owned() }
    }
}

/// The key of where a number's owner may be, and what of the file's words could not be followed.
#[must_use]
pub fn whereabouts(number: &Parsed, said: &Said) -> (String, Option<String>) {
    let own = candidates(number.number.as_str(), &number.country, number.geographic);
    if said.zone.is_empty() && said.state.is_empty() {
        return (own.key.clone(), None);
    }
    let meant = meant(&said.zone, &number.country);
    let (mut zones, remark) = narrow(&own.zones, &meant, &said.zone, &number.country);
    let state = named(&said.state);
    if let Some(state) = state {
        let theirs: Vec<Zone> = state.zones.iter().copied().filter(|z| meant.iter().any(|m| m.same_clock(*z))).collect();
        add(&mut zones, if theirs.is_empty() { &state.zones } else { &theirs });
    }
    let law = state.map(|s| s.code).filter(|s| legal::adds(number.number.as_str(), &number.country, s));
    (zone::key(&zones, law.as_slice()), remark)
}

/// The number's own zones that show a clock which is meant; with the zones meant where that leaves none and
/// they are of the number's country: then both clocks must be at a decent hour.
fn narrow(own: &[Zone], meant: &[Zone], word: &str, country: &str) -> (Vec<Zone>, Option<String>) {
    let kept: Vec<Zone> = own.iter().copied().filter(|z| meant.iter().any(|m| m.same_clock(*z))).collect();
    if word.is_empty() || !kept.is_empty() {
        return (if word.is_empty() { own.to_vec() } else { kept }, None);
    }
    let word = clean(word, 40);
    let own_text = zone::label(&zone::key(own, &[]));
    if own.is_empty() && !meant.is_empty() {
        return (meant.to_vec(), None);
    }
    if meant.is_empty() {
        return (own.to_vec(), Some(format!("time zone \"{word}\" is no place: the number's own holds ({own_text})")));
    }
    let near = |z: &Zone| z.lies_in(country) || (has_states(country) && (z.lies_in("US") || z.lies_in("CA")));
    if !meant.iter().any(near) {
        return (own.to_vec(), Some(format!("time zone \"{word}\" is not in the number's country: the number's own holds ({own_text})")));
    }
    let mut both = own.to_vec();
    add(&mut both, meant);
    (both, Some(format!("time zone \"{word}\" is none of the number's ({own_text}): called when both allow it")))
}

/// Adds the zones whose clock is not there yet.
fn add(zones: &mut Vec<Zone>, more: &[Zone]) {
    for zone in more {
        if !zones.iter().any(|z| z.same_clock(*zone)) {
            zones.push(*zone);
        }
    }
}

/// The key by today's tables of a contact that was imported before: with what its file said, or, of an older
/// release that did not keep it apart, with the zones it was given.
#[must_use]
pub fn key_again(number: &str, said: Option<&str>, stored: &str) -> String {
    let Ok(parsed) = PhoneNumber::parse(number, None) else { return stored.to_owned() };
    if let Some(said) = said {
        return whereabouts(&parsed, &Said::read(said)).0;
    }
    let mut zones = candidates(parsed.number.as_str(), &parsed.country, parsed.geographic).zones.clone();
    let old = zone::parse_key(stored).unwrap_or_default();
    let near: Vec<Zone> = old.into_iter().filter(|z| z.lies_in(&parsed.country)).collect();
    add(&mut zones, &near);
    zone::key(&zones, &zone::states_of(stored).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: &str, zone: &str, state_text: &str) -> (String, bool) {
        let parsed = PhoneNumber::parse(number, None).unwrap();
        let state = state(state_text, &parsed.country);
        let (key, remark) = whereabouts(&parsed, &Said::new(zone, state));
        (key, remark.is_some())
    }

    #[test]
    fn a_zone_column_picks_among_the_numbers_own() {
        for (number, zone, key) in [
            ("+12025550142", "America/New_York", "America/New_York"),
            ("+12025550142", "EST", "America/New_York"),
            ("+12025550142", "America/Detroit", "America/New_York"),
            ("+12025550142", "US/Eastern", "America/New_York"),
            ("+14235550142", "EST", "America/New_York"),
            ("+14235550142", "Central Time (US & Canada)", "America/Chicago"),
            ("+16025550142", "MST", "America/Phoenix"),
            ("+13065550142", "CST", "America/Regina,America/Winnipeg"),
            ("+16045550142", "Pacific Standard Time", "America/Vancouver"),
            ("+61412345678", "AWST", "Australia/Perth"),
            ("+34612345678", "Atlantic/Canary", "Atlantic/Canary"),
            ("+442079460018", "GMT", "Europe/London"),
        ] {
            assert_eq!(of(number, zone, ""), (key.to_owned(), false), "{number} {zone}");
        }
    }

    #[test]
    fn what_is_no_place_or_elsewhere_leaves_the_numbers_own_and_is_said() {
        for zone in ["UTC", "GMT", "Etc/GMT+12", "UTC-5", "-5", "Mars/Base", "Asia/Tokyo", "Europe/London"] {
            assert_eq!(of("+12025550142", zone, ""), ("America/New_York".to_owned(), true), "{zone}");
        }
    }

    #[test]
    fn another_place_of_the_country_comes_to_the_numbers_own() {
        for (zone, key) in [
            ("America/Los_Angeles", "America/Los_Angeles,America/New_York"),
            ("PST", "America/Los_Angeles,America/New_York"),
            ("Pacific/Honolulu", "America/New_York,Pacific/Honolulu"),
            ("MST", "America/Denver,America/New_York,America/Phoenix"),
        ] {
            assert_eq!(of("+12025550142", zone, ""), (key.to_owned(), true), "{zone}");
        }
        assert_eq!(of("+13105550101", "EST", "").0, "America/Los_Angeles,America/New_York");
    }

    #[test]
    fn a_state_brings_its_law_and_its_zones() {
        for (number, zone, state, key) in [
            ("+12125550142", "", "FL", "America/Chicago,America/New_York;US-FL"),
            ("+12125550142", "", "florida", "America/Chicago,America/New_York;US-FL"),
            ("+12125550142", "America/New_York", "Fla.", "America/New_York;US-FL"),
            ("+12125550142", "", "US-CA", "America/Los_Angeles,America/New_York"),
            ("+12125550142", "", "NY", "America/New_York"),
            ("+13055550142", "", "FL", "America/Chicago,America/New_York"),
            ("+12125550142", "", "Ontario", "America/Atikokan,America/New_York,America/Winnipeg"),
            ("+12125550142", "", "open", "America/New_York"),
            ("+61255501234", "", "WA", "Australia/Lord_Howe,Australia/Sydney"),
        ] {
            let (found, _) = of(number, zone, state);
            assert_eq!(found.split(";US-CA").next(), Some(key), "{number} {zone} {state}");
        }
    }

    #[test]
    fn post_codes_are_of_a_state() {
        let code = |text: &str, country: &str| state_of_postcode(text, country).map_or("-", |s| s.code);
        for (text, want) in [
            ("33101", "US-FL"),
            ("33101-1234", "US-FL"),
            ("2108", "US-MA"),
            ("501", "US-NY"),
            ("90210", "US-CA"),
            ("M5V 2T6", "CA-ON"),
            ("v6b1a1", "CA-BC"),
            ("X0A 0H0", "-"),
            ("09012", "-"),
            ("12", "-"),
            ("", "-"),
            ("SW1A 1AA", "-"),
        ] {
            assert_eq!(code(text, "US"), want, "{text}");
        }
        assert_eq!(code("33101", "ES"), "-");
        assert!(ZIPS.split_whitespace().all(|r| named(&format!("US-{}", &r[8..])).is_some()));
        assert!(LETTERS.split(' ').all(|l| named(&format!("CA-{}", &l[2..])).is_some()));
    }

    #[test]
    fn every_state_has_zones_that_are_known() {
        let written = STATES.lines().filter(|l| !l.starts_with('#'));
        let zones: usize = written.map(|l| l.rsplit('|').next().map_or(0, |z| z.split(',').count())).sum();
        assert_eq!((TABLE.states.len(), TABLE.states.iter().map(|s| s.zones.len()).sum::<usize>()), (69, zones));
    }

    #[test]
    fn an_older_import_follows_todays_tables() {
        let again = |number: &str, said: Option<&str>, stored: &str| key_again(number, said, stored);
        assert_eq!(again("+14235550142", Some(""), "America/Chicago"), "America/Chicago,America/New_York");
        assert_eq!(again("+14235550142", Some("EST;"), "America/Chicago"), "America/New_York");
        assert_eq!(again("+12125550142", Some(";US-FL"), "America/New_York"), "America/Chicago,America/New_York;US-FL");
        // Before what the file said was kept apart.
        assert_eq!(again("+14235550142", None, "America/Chicago"), "America/Chicago,America/New_York");
        assert_eq!(again("+12025550142", None, "UTC"), "America/New_York");
        assert_eq!(again("+12025550142", None, "America/Los_Angeles"), "America/Los_Angeles,America/New_York");
        assert_eq!(again("+12125550142", None, "America/New_York;US-FL"), "America/New_York;US-FL", "a contact whose list is gone");
        assert_eq!(again("nonsense", None, "America/Chicago"), "America/Chicago");
    }
}
