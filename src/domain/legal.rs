//! The law of places as data: hours, holidays, how often, whose consent, read from `legal/rules.txt` with
//! source and date. A country that the table does not know is closed until a setting opens it.

mod holiday;
mod table;

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::{
    phone,
    zone::{self, Zone},
};
use table::TABLE;
pub use table::{Consent, Frequency, Law};

/// How the table is read: what the installation's settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Profile `us`: 9 to 20, no Sunday, no federal holiday.
    pub careful_us: bool,
    /// An artificial voice speaks: the rows of automatic calls hold too.
    pub automatic: bool,
    /// Countries that are not in the table are open on working days, 9 to 20.
    pub unlisted_open: bool,
}

/// The version of the table, for the evidence of a call.
#[must_use]
pub fn version() -> &'static str {
    &TABLE.version
}

/// Every row of the table, for whoever wants to read it.
pub fn rows() -> impl Iterator<Item = &'static Law> {
    TABLE.laws.values().flatten()
}

/// Places that are closed on a date because it is a holiday there.
#[must_use]
pub fn on_holiday(date: NaiveDate) -> Vec<&'static str> {
    let mut places: Vec<&str> = rows().filter(|l| l.is_closed_holiday(date)).map(|l| l.place.as_str()).collect();
    places.dedup();
    places
}

/// A US number whose area code nobody has told us of may be in any state.
pub(super) const ANY_STATE: &str = "US-?";

/// Where a number is in the eyes of the law: its country, or the states it may be in by its area code and by
/// what else is known of the contact (`US-FL`).
#[must_use]
pub fn places<'a>(country: &str, number: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut places: Vec<String> = known.into_iter().map(str::to_owned).collect();
    if country == "US" {
        match number.get(2..5).and_then(|area| TABLE.areas.get(area)) {
            Some(states) => places.extend(states.iter().cloned()),
            None => places.push(ANY_STATE.to_owned()),
        }
    }
    if !places.iter().any(|p| country_of(p) == country_of(country)) {
        places.push(country.to_owned());
    }
    places.sort();
    places.dedup();
    places
}

/// Whether a state that a file names is one whose law the area code of the number does not bring already.
#[must_use]
pub fn adds(number: &str, country: &str, state: &str) -> bool {
    is_state(state) && !places(country, number, []).iter().any(|p| p == state)
}

/// What a queue is grouped by: where the contact may be by the clock (a stored key, maybe with states that were
/// told) and in the eyes of the law.
#[must_use]
pub fn queue_key(stored: &str, country: &str, number: &str) -> String {
    let zones = stored.split(';').next().unwrap_or_default();
    format!("{zones};{}", places(country, number, zone::states_of(stored)).join(","))
}

/// The country whose rows a place has: `US` of `US-FL` and of `PR`.
#[must_use]
pub fn country_of(place: &str) -> &str {
    let country = place.split_once('-').map_or(place, |(country, _)| country);
    TABLE.aliases.get(country).map_or(country, String::as_str)
}

/// Whether a text names a country or a state of the United States: `DE`, `US-LA`.
#[must_use]
pub fn is_place(text: &str) -> bool {
    phone::region(text).is_ok() || is_state(text)
}

fn is_state(text: &str) -> bool {
    TABLE.areas.values().flatten().any(|s| s == text)
}

/// Whether the table says anything of a country.
#[must_use]
pub fn is_listed(country: &str) -> bool {
    TABLE.laws.contains_key(country_of(country))
}

/// Every law that holds in places: their country's, their states', and the settings' own. Empty: the country
/// is not in the table, and no setting opens it.
#[must_use]
pub fn of<S: AsRef<str>>(places: &[S], reading: Reading) -> Vec<&'static Law> {
    // A number of one country whose owner lives in another: the places sort by country, and both hold.
    let mut countries: Vec<&str> = places.iter().map(|p| country_of(p.as_ref())).collect();
    countries.dedup();
    countries.into_iter().flat_map(|c| of_country(c, places, reading)).collect()
}

fn of_country<S: AsRef<str>>(country: &str, places: &[S], reading: Reading) -> Vec<&'static Law> {
    let Some(national) = TABLE.laws.get(country) else {
        return if reading.unlisted_open { vec![Law::unlisted()] } else { Vec::new() };
    };
    let mut laws: Vec<&Law> = national.iter().collect();
    for place in places.iter().map(AsRef::as_ref).filter(|p| p.contains('-') && country_of(p) == country) {
        if place == ANY_STATE {
            laws.extend(TABLE.laws.iter().filter(|(p, _)| p.starts_with("US-")).flat_map(|(_, rows)| rows));
        } else {
            laws.extend(TABLE.laws.get(place).into_iter().flatten());
        }
    }
    laws.retain(|l| reading.automatic || !l.automatic);
    if country == "US" && reading.careful_us {
        laws.push(Law::careful_us());
    }
    laws
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
    if pairs == 0 {
        return Some(now);
    }
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

/// When the first of the laws closes in one of the zones, while all are open.
#[must_use]
pub fn closes(laws: &[&Law], zones: &[Zone], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    laws.iter().flat_map(|l| zones.iter().map(|z| l.closes(*z, now))).collect::<Option<Vec<_>>>()?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schedule::{Days, Window};
    use proptest::prelude::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    /// Nothing but the table, of calls that people make.
    const PLAIN: Reading = Reading { careful_us: false, automatic: false, unlisted_open: false };
    const VOICE: Reading = Reading { automatic: true, ..PLAIN };

    fn laws(country: &str, number: &str, reading: Reading) -> Vec<&'static Law> {
        of(&places(country, number, []), reading)
    }

    fn names(country: &str, number: &str) -> Vec<&'static str> {
        laws(country, number, PLAIN).iter().map(|l| l.place.as_str()).collect()
    }

    #[test]
    fn a_number_has_the_law_of_its_country_and_states() {
        assert_eq!(names("US", "+13055550142"), ["US", "US-FL"]);
        assert_eq!(names("US", "+12125550142"), ["US"], "New York has no rule of its own here");
        assert!(names("US", "+19995550142").len() > 15, "an unknown area code: the strictest of all");
        assert_eq!(names("PR", "+17875550142"), ["US"], "a territory");
        assert_eq!((names("GG", "+447911123456"), names("RE", "+262262123456")), (vec!["GB"], vec!["FR"]));
        assert!(laws("IN", "+911234567890", PLAIN)[0].next_open(zone("Asia/Kolkata"), utc("2026-11-20T08:00:00Z")).is_none());
        // What else is known of a contact adds, and never takes away.
        let known = places("US", "+12125550142", ["US-FL"]);
        assert_eq!(known, ["US-FL", "US-NY"]);
        assert_eq!(of(&known, PLAIN).iter().map(|l| l.place.as_str()).collect::<Vec<_>>(), ["US", "US-FL"]);
    }

    #[test]
    fn a_country_without_a_row_is_closed_until_a_setting_opens_it() {
        assert!(!is_listed("MX") && laws("MX", "+525555550142", VOICE).is_empty());
        let open = laws("MX", "+525555550142", Reading { unlisted_open: true, ..VOICE });
        let city = [zone("America/Mexico_City")];
        assert!(open_in_all(&open, &city, utc("2026-11-20T18:00:00Z")).is_ok(), "Friday noon");
        assert!(open_in_all(&open, &city, utc("2026-11-21T18:00:00Z")).is_err(), "Saturday noon");
    }

    #[test]
    fn an_artificial_voice_has_the_stricter_row() {
        // Saturday noon in Portland, Maine; a second call to the number within eight hours.
        let eastern = [zone("America/New_York")];
        let saturday = utc("2026-11-21T17:00:00Z");
        assert!(open_in_all(&laws("US", "+12075550142", PLAIN), &eastern, saturday).is_ok());
        let maine = laws("US", "+12075550142", VOICE);
        assert_eq!(open_in_all(&maine, &eastern, saturday).unwrap_err().1, Some(utc("2026-11-23T14:00:00Z")));
        assert!(maine.iter().any(|l| l.frequencies == [Frequency { calls: 1, within: Duration::hours(8) }]));
        let consent = |reading| laws("GB", "+442079460018", reading).iter().any(|l| l.consent == Consent::OptIn);
        assert_eq!((consent(PLAIN), consent(VOICE)), (false, true));
    }

    #[test]
    fn the_strictest_decides_in_every_zone() {
        let eastern = [zone("America/New_York")];
        let florida = laws("US", "+13055550142", PLAIN);
        // 20:30 in Florida: the country allows it, the state does not.
        let evening = utc("2026-11-21T01:30:00Z");
        let (law, next) = open_in_all(&florida, &eastern, evening).unwrap_err();
        assert_eq!((law.place.as_str(), next), ("US-FL", Some(utc("2026-11-21T13:00:00Z"))));
        assert!(open_in_all(&laws("US", "+12125550142", PLAIN), &eastern, evening).is_ok());
        // Alabama on a Sunday, on Thanksgiving, on a day of its own.
        let alabama = laws("US", "+12055550142", PLAIN);
        let central = [zone("America/Chicago")];
        let opens = |day: &str| open_in_all(&alabama, &central, utc(day)).unwrap_err().1;
        assert_eq!(opens("2026-11-22T18:00:00Z"), Some(utc("2026-11-23T14:00:00Z")));
        assert_eq!(opens("2026-11-26T18:00:00Z"), Some(utc("2026-11-27T14:00:00Z")));
        assert_eq!(opens("2026-12-01T18:00:00Z"), Some(utc("2026-12-02T14:00:00Z")));
        // A French lunch; an Italian Saturday and the day before a holiday; a Dutch Christmas Eve; Toronto at 21:15.
        let opens = |country: &str, number: &str, at: &str, when: &str| open_in_all(&laws(country, number, PLAIN), &[zone(at)], utc(when)).map_err(|e| e.1);
        assert_eq!(opens("FR", "+33123456789", "Europe/Paris", "2026-11-20T12:30:00Z"), Err(Some(utc("2026-11-20T13:00:00Z"))));
        assert_eq!(opens("IT", "+390612345678", "Europe/Rome", "2026-12-07T18:30:00Z"), Err(Some(utc("2026-12-09T08:00:00Z"))), "eve of Immacolata, 19:30");
        assert!(opens("IT", "+390612345678", "Europe/Rome", "2026-12-09T18:30:00Z").is_ok());
        assert!(opens("FR", "+33123456789", "Europe/Paris", "2027-03-26T10:00:00Z").is_err(), "Good Friday, of Alsace");
        assert!(opens("NL", "+31201234567", "Europe/Amsterdam", "2026-12-24T18:00:00Z").is_err(), "19:00");
        assert!(opens("NL", "+31201234567", "Europe/Amsterdam", "2026-12-23T18:00:00Z").is_ok());
        assert!(opens("CA", "+14165550142", "America/Toronto", "2026-11-28T02:15:00Z").is_ok());
        assert!(opens("US", "+14025550142", "America/Chicago", "2026-12-25T16:00:00Z").is_ok(), "Omaha by a person");
        let nebraska = laws("US", "+14025550142", VOICE);
        assert_eq!(open_in_all(&nebraska, &central, utc("2026-12-25T16:00:00Z")).unwrap_err().1, Some(utc("2026-12-25T19:00:00Z")));
    }

    #[test]
    fn the_careful_profile() {
        let eastern = [zone("America/New_York")];
        for (country, number) in [("US", "+12125550142"), ("PR", "+17875550142")] {
            let careful = laws(country, number, Reading { careful_us: true, ..PLAIN });
            assert!(open_in_all(&careful, &eastern, utc("2026-11-20T13:30:00Z")).is_err(), "08:30");
            assert!(open_in_all(&careful, &eastern, utc("2026-11-20T18:00:00Z")).is_ok());
            assert!(open_in_all(&careful, &eastern, utc("2026-12-25T18:00:00Z")).is_err(), "Christmas");
        }
    }

    /// Public holidays as another program has them, written once by tests/tables/holidays_table.py.
    #[test]
    fn the_calendars_agree_with_another_program() {
        let data = include_str!("../../tests/tables/holidays.txt");
        let (mut days, mut differ) = (0, Vec::new());
        for line in data.lines().filter(|l| !l.starts_with('#')) {
            let (calendar, dates) = line.split_once(' ').unwrap();
            let theirs: std::collections::BTreeSet<chrono::NaiveDate> = dates.split(' ').map(|d| d.parse().unwrap()).collect();
            let year = chrono::Datelike::year(theirs.first().unwrap());
            let ours = (1..=366).filter_map(|n| chrono::NaiveDate::from_yo_opt(year, n)).filter(|d| TABLE.is_holiday(calendar, *d)).collect();
            let sunday = |d: &chrono::NaiveDate| chrono::Datelike::weekday(d) == chrono::Weekday::Sun;
            // Every year instead of every fifth; days of Alsace and Moselle; substitutes that not every state of Australia has.
            let friday = |d: &chrono::NaiveDate| chrono::Datelike::weekday(d) == chrono::Weekday::Fri && (3..=4).contains(&chrono::Datelike::month(d));
            let strict = |d: &chrono::NaiveDate| match (calendar, &d.to_string()[5..]) {
                ("nl", "05-05") | ("it", "10-04") | ("fr", "12-26") | ("au", _) => true,
                ("fr", _) => friday(d),
                _ => false,
            };
            // Elections are called year by year.
            let once = |d: &chrono::NaiveDate| (calendar, d.to_string().as_str()) == ("za", "2026-11-04");
            differ.extend(theirs.difference(&ours).filter(|d| !sunday(d) && !once(d)).map(|d| format!("{calendar} {d}: only theirs")));
            differ.extend(ours.difference(&theirs).filter(|d| !sunday(d) && !strict(d)).map(|d| format!("{calendar} {d}: only ours")));
            days += theirs.len();
        }
        assert!(differ.is_empty() && days > 800, "{days}: {differ:#?}");
    }

    proptest! {
        /// For any number, zones and moment of 2020 to 2037: the next opening is open under every law in
        /// every zone, is not before now, and nothing is open a moment before it or half-way to it.
        #[test]
        fn the_next_opening_is_the_first(minute in 0i64..9_400_000, area in 200u16..990, at in 0usize..400, second in 0usize..400, careful: bool, automatic: bool) {
            let now = utc("2020-01-01T00:00:00Z") + Duration::minutes(minute);
            let all: Vec<&str> = crate::domain::zone::built_in_names().collect();
            let zones: Vec<Zone> = [at, second].iter().map(|i| zone(all[*i % all.len()])).collect();
            let laws = laws("US", &format!("+1{area}5550142"), Reading { careful_us: careful, automatic, ..PLAIN });
            let open = |t: DateTime<Utc>| open_in_all(&laws, &zones, t).is_ok();
            if let Some(next) = next_open_in_all(&laws, &zones, now) {
                prop_assert!(next >= now && open(next));
                prop_assert!(closes(&laws, &zones, next).is_some_and(|end| end > next && !open(end) && open(end - Duration::seconds(1))));
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
            if open_in_all(&laws("US", &number, Reading { careful_us: true, ..VOICE }), &zones, now).is_ok() {
                prop_assert!(open_in_all(&laws("US", &number, PLAIN), &zones, now).is_ok());
                let day = Window { days: Days::ALL, start: 480, end: 1260 };
                prop_assert!(zones.iter().all(|z| day.is_open(*z, now)));
            }
        }
    }
}
