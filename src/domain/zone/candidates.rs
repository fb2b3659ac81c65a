//! The time zones a phone number may be in. A mobile number says where it was sold, not where its
//! owner is, and an area code may span zones: so the answer is a set, and the gate asks that the
//! hour be decent in **all** of them. Unknown is an answer of its own: such a number is not dialled.

use std::{collections::HashMap, sync::LazyLock};

use super::{Zone, key};

/// See the head of the file for source, licence and form.
const TABLE: &str = include_str!("zones.txt");

/// A set of zones, and the text that is stored for it.
#[derive(Debug, Default)]
pub struct Candidates {
    pub zones: Vec<Zone>,
    pub key: String,
}

struct Table {
    /// By prefix of the digits, or by country for numbers of no place.
    sets: Vec<(&'static str, Candidates)>,
    countries: HashMap<&'static str, usize>,
    /// The prefixes digit by digit, the root first: a number is looked up in one walk.
    tree: Vec<Node>,
}

#[derive(Default)]
struct Node {
    set: Option<usize>,
    /// By digit; 0, the root, is nobody's next.
    next: [usize; 10],
}

impl Table {
    fn insert(&mut self, at: &'static str, set: Candidates) {
        let n = self.sets.len();
        self.sets.push((at, set));
        if !at.bytes().all(|b| b.is_ascii_digit()) {
            self.countries.insert(at, n);
            return;
        }
        let mut node = 0;
        for digit in at.bytes().map(|b| usize::from(b - b'0')) {
            if self.tree[node].next[digit] == 0 {
                self.tree[node].next[digit] = self.tree.len();
                self.tree.push(Node::default());
            }
            node = self.tree[node].next[digit];
        }
        self.tree[node].set = Some(n);
    }

    /// The set of the longest prefix of some digits.
    fn longest(&self, digits: &str) -> Option<usize> {
        let (mut node, mut found) = (0, None);
        for digit in digits.bytes().map(|b| usize::from(b.wrapping_sub(b'0'))) {
            node = match self.tree[node].next.get(digit) {
                None | Some(0) => break,
                Some(next) => *next,
            };
            found = self.tree[node].set.or(found);
        }
        found
    }
}

static ZONES: LazyLock<Table> = LazyLock::new(|| {
    let mut names: Vec<&str> = Vec::new();
    let mut table = Table { sets: Vec::new(), countries: HashMap::new(), tree: vec![Node::default()] };
    for line in TABLE.lines().filter(|l| !l.starts_with('#')) {
        if let Some(name) = line.strip_prefix("z ") {
            names.push(name);
        } else if let Some((at, set)) = line.split_once(' ') {
            let zone = |i: &str| names.get(i.parse::<usize>().ok()?)?.parse().ok();
            // A name the database does not know must not shrink the set: such a prefix becomes unknown.
            let zones: Option<Vec<Zone>> = set.split(',').map(zone).collect();
            let zones = zones.unwrap_or_default();
            table.insert(at, Candidates { key: key(&zones, &[]), zones });
        }
    }
    table
});

/// Every zone a number may be in; empty when unknown. `geographic`: its digits name a place, see
/// [`crate::domain::phone::Parsed`].
#[must_use]
pub fn candidates(e164: &str, country: &str, geographic: bool) -> &'static Candidates {
    static NONE: Candidates = Candidates { zones: Vec::new(), key: String::new() };
    let digits = e164.strip_prefix('+').unwrap_or_default();
    let prefix = || ZONES.longest(digits);
    let whole_country = || if digits.starts_with('1') { ZONES.longest("1") } else { ZONES.countries.get(country).copied() };
    let found = if geographic { prefix() } else { whole_country().or_else(prefix) };
    found.map_or(&NONE, |n| &ZONES.sets[n].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{phone::PhoneNumber, place};
    use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

    const AREAS: &str = include_str!("../../../tests/tables/areas.txt");

    fn of(e164: &str) -> Vec<&'static str> {
        let p = PhoneNumber::parse(e164, None).unwrap();
        candidates(p.number.as_str(), &p.country, p.geographic).zones.iter().map(|z| z.name()).collect()
    }

    #[test]
    fn every_set_has_zones_that_are_known() {
        let unknown: Vec<_> = ZONES.sets.iter().filter(|(_, z)| z.zones.is_empty()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(ZONES.sets.len() > 1200);
    }

    #[test]
    fn the_longest_prefix_of_a_place() {
        assert_eq!(of("+12025550142"), ["America/New_York"]);
        assert_eq!(of("+442079460018"), ["Europe/London"]);
        assert_eq!(of("+4930123456"), ["Europe/Berlin"]);
        assert_eq!(of("+74012345678"), ["Europe/Kaliningrad"]);
        assert!(of("+18005550100").len() > 20, "toll-free: any zone of the numbering plan");
        assert!(candidates("+999123456", "001", false).zones.is_empty() && candidates("", "US", true).key.is_empty());
    }

    #[test]
    fn a_number_of_no_place_may_be_anywhere_in_its_country() {
        let anywhere = [
            ("+61412345678", &["Australia/Perth", "Australia/Sydney", "Australia/Lord_Howe"][..]),
            ("+79140001234", &["Europe/Kaliningrad", "Europe/Moscow", "Asia/Vladivostok", "Asia/Kamchatka"]),
            ("+34612345678", &["Europe/Madrid", "Atlantic/Canary"]),
            ("+64211234567", &["Pacific/Auckland", "Pacific/Chatham"]),
            ("+593991234567", &["America/Guayaquil", "Pacific/Galapagos"]),
            ("+628123456789", &["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]),
            ("+525512345678", &["America/Mexico_City", "America/Tijuana", "America/Cancun"]),
            ("+5511961234567", &["America/Sao_Paulo", "America/Rio_Branco", "America/Noronha"]),
            ("+97688123456", &["Asia/Ulaanbaatar", "Asia/Hovd"]),
            ("+299221234", &["America/Nuuk", "America/Thule", "America/Scoresbysund"]),
            ("+351912345678", &["Europe/Lisbon", "Atlantic/Azores", "Atlantic/Madeira"]),
            ("+56221234567", &["America/Santiago", "Pacific/Easter", "America/Punta_Arenas"]),
            ("+611800123456", &["Australia/Perth", "Australia/Sydney"]),
        ];
        for (number, zones) in anywhere {
            let found = of(number);
            assert!(zones.iter().all(|z| found.contains(z)), "{number}: {found:?}");
        }
    }

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn area(code: &str) -> Vec<&'static str> {
        candidates(&format!("+1{code}5550142"), "US", true).zones.iter().map(|z| z.name()).collect()
    }

    /// Against another source: nobody whom it knows under an area code is missing here, but for post codes
    /// that it lets spill over a border.
    #[test]
    fn area_codes_have_the_zones_of_their_post_codes() {
        // Kentland and Remington have 219; Crossville 931; Pecos and Van Horn 432; Wartburg and Oneida 423.
        const SPILLS: &[(&str, &str)] = &[("765", "America/Chicago"), ("865", "America/Chicago"), ("915", "America/Chicago"), ("931", "America/New_York")];
        let mut missing = Vec::new();
        for (code, zones) in AREAS.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' ')) {
            let own: Vec<Zone> = area(code).into_iter().map(zone).collect();
            for (name, n) in zones.split(',').filter_map(|z| z.rsplit_once(':')) {
                if !own.iter().any(|z| z.same_clock(zone(name))) && !SPILLS.contains(&(code, name)) {
                    missing.push(format!("{code} {name} {n}: has {own:?}"));
                }
            }
        }
        assert!(missing.is_empty(), "{}", missing.join("\n"));
    }

    /// And none is too many: a zone of an area code is one of its states'.
    #[test]
    fn area_codes_have_no_zones_but_those_of_their_states() {
        const STATES: &str = include_str!("../legal/us_areas.txt");
        // Phenix City keeps the clock of Columbus, across the river in Georgia.
        const NEIGHBOURS: [(&str, &str); 2] = [("334", "America/New_York"), ("483", "America/New_York")];
        let mut wrong = Vec::new();
        for (code, states) in STATES.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' ')) {
            let theirs: Vec<Zone> = states.split(',').flat_map(|s| &place::state(s, "US").unwrap().zones).copied().collect();
            let own: Vec<Zone> = area(code).into_iter().map(zone).collect();
            let own: Vec<Zone> = own.into_iter().filter(|z| !NEIGHBOURS.contains(&(code, z.name()))).collect();
            wrong.extend(own.iter().filter(|z| !theirs.iter().any(|t| t.same_clock(**z))).map(|z| format!("{code} {states}: {z}")));
            if own.is_empty() || own.len() > 10 {
                wrong.push(format!("{code} {states}: {} zones", own.len()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Calling codes and countries that the tz database has no zone of.
    const BORROWED: [(&str, &str); 2] = [("247", "AC"), ("383", "XK")];

    /// Against jiff's own table of countries: a number of no place has every zone of its country, and no
    /// zone of a country with another calling code.
    #[test]
    fn countries_have_all_their_zones_and_no_others() {
        let mut wrong = Vec::new();
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            if BORROWED.iter().any(|(_, country)| *country == region.as_region_str().as_ref() as &str) {
                continue;
            }
            let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region).unwrap();
            let country = region.as_region_str().to_string();
            let set = &candidates(&format!("+{code}"), &country, false).zones;
            let sharing: Vec<Region> =
                PHONE_NUMBER_UTIL.get_supported_regions().filter(|r| PHONE_NUMBER_UTIL.get_country_code_for_region(*r) == Some(code)).collect();
            let theirs: Vec<Zone> = Zone::all().filter(|z| sharing.iter().any(|r| z.lies_in(r.as_region_str().as_ref()))).collect();
            let own = theirs.iter().filter(|z| z.lies_in(&country));
            wrong.extend(own.filter(|z| !set.iter().any(|s| s.same_clock(**z))).map(|z| format!("{country} lacks {z}")));
            wrong.extend(set.iter().filter(|z| !theirs.iter().any(|t| t.same_clock(**z))).map(|z| format!("{country} has {z}")));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// A landline has no zone of another country either.
    #[test]
    fn prefixes_have_no_zones_of_other_countries() {
        let regions: Vec<Region> = PHONE_NUMBER_UTIL.get_supported_regions().collect();
        let mut wrong = Vec::new();
        for (prefix, set) in ZONES.sets.iter().filter(|(p, _)| p.starts_with(|c: char| c.is_ascii_digit()) && BORROWED.iter().all(|(code, _)| code != p)) {
            let sharing: Vec<&Region> =
                regions.iter().filter(|r| PHONE_NUMBER_UTIL.get_country_code_for_region(**r).is_some_and(|c| prefix.starts_with(&c.to_string()))).collect();
            let theirs: Vec<Zone> = Zone::all().filter(|z| sharing.iter().any(|r| z.lies_in(r.as_region_str().as_ref()))).collect();
            wrong.extend(set.zones.iter().filter(|z| !theirs.iter().any(|t| t.same_clock(**z))).map(|z| format!("{prefix} has {z}")));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Landlines of countries with several clocks, each by a town's own area code: its clock must be among the zones.
    #[test]
    fn landlines_abroad_have_the_clock_of_their_town() {
        let towns = [
            ("+61733456789", "Australia/Brisbane"),
            ("+61740321234", "Australia/Brisbane"),
            ("+61755361234", "Australia/Sydney"), // Tweed Heads
            ("+61892201234", "Australia/Perth"),
            ("+61889461234", "Australia/Darwin"),
            ("+61882031234", "Australia/Adelaide"),
            ("+61880871234", "Australia/Broken_Hill"),
            ("+61362301234", "Australia/Hobart"),
            ("+61265631234", "Australia/Lord_Howe"),
            ("+558133331234", "America/Recife"),
            ("+558136191234", "America/Noronha"),
            ("+559122221234", "America/Belem"),
            ("+559133331234", "America/Belem"),
            ("+559335231234", "America/Santarem"),
            ("+559733431234", "America/Eirunepe"),
            ("+559236221234", "America/Manaus"),
            ("+556832241234", "America/Rio_Branco"),
            ("+556536221234", "America/Cuiaba"),
            ("+551131231234", "America/Sao_Paulo"),
            ("+6433071234", "Pacific/Auckland"), // Ashburton
            ("+6433047001", "Pacific/Auckland"), // Akaroa
            ("+6433050123", "Pacific/Chatham"),
            ("+74922321234", "Europe/Moscow"),
            ("+78452261234", "Europe/Saratov"),
            ("+73432221234", "Asia/Yekaterinburg"),
            ("+74012531234", "Europe/Kaliningrad"),
            ("+625113361234", "Asia/Makassar"), // Banjarmasin
            ("+625613361234", "Asia/Pontianak"),
            ("+56322100123", "Pacific/Easter"),
            ("+56612221234", "America/Punta_Arenas"),
            ("+59352520123", "Pacific/Galapagos"),
            ("+34928361234", "Atlantic/Canary"),
            ("+351291221234", "Atlantic/Madeira"),
            ("+351296301234", "Atlantic/Azores"),
        ];
        let mut wrong = Vec::new();
        for (number, town) in towns {
            let found = &candidates(number, "", true).zones;
            if !found.iter().any(|z| z.same_clock(zone(town))) {
                wrong.push(format!("{number} lacks {town}: {found:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn split_area_codes_and_their_overlays() {
        for (code, zones) in [
            ("423", &["America/Chicago", "America/New_York"][..]),
            ("850", &["America/Chicago", "America/New_York"]),
            ("448", &["America/Chicago", "America/New_York"]),
            ("364", &["America/Chicago", "America/New_York"]),
            ("930", &["America/Chicago", "America/New_York"]),
            ("219", &["America/Chicago", "America/New_York"]),
            ("458", &["America/Denver", "America/Los_Angeles"]),
            ("689", &["America/New_York"]),
            ("474", &["America/Edmonton", "America/Regina", "America/Winnipeg"]),
            ("367", &["America/Halifax", "America/Toronto"]),
        ] {
            assert_eq!(area(code), zones, "{code}");
        }
        assert_eq!(area("778"), area("250"), "British Columbia beside the Rockies");
        assert!(area("867").len() >= 8 && area("807").contains(&"America/Winnipeg"));
    }
}
