//! The time zones a phone number may be in. A mobile number says where it was sold, not where its
//! owner is, and an area code may span zones: so the answer is a set, and the gate asks that the
//! hour be decent in **all** of them. Unknown is an answer of its own: such a number is not dialled.

use std::{collections::HashMap, sync::LazyLock};

use super::Zone;

/// libphonenumber's prefix table, see the head of the file for source and licence.
const TABLE: &str = include_str!("zones.txt");

/// The set of zones of one prefix: parsed, and as the text that is stored and grouped by.
struct Entry {
    key: String,
    zones: Vec<Zone>,
}

struct Table {
    by_prefix: HashMap<&'static str, usize>,
    entries: Vec<Entry>,
}

static ZONES: LazyLock<Table> = LazyLock::new(|| {
    let mut names: Vec<&str> = Vec::new();
    let mut table = Table { by_prefix: HashMap::new(), entries: Vec::new() };
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for line in TABLE.lines().filter(|l| !l.starts_with('#')) {
        if let Some(name) = line.strip_prefix("z ") {
            names.push(name);
        } else if let Some((prefix, set)) = line.split_once(' ') {
            let entry = *seen.entry(set).or_insert_with(|| {
                let members: Vec<&str> = set.split(',').filter_map(|i| names.get(i.parse::<usize>().ok()?).copied()).collect();
                // A name the database does not know must not shrink the set: such a prefix becomes unknown.
                let zones: Vec<Zone> = members.iter().filter_map(|n| n.parse().ok()).collect();
                let zones = if zones.len() == members.len() { zones } else { Vec::new() };
                table.entries.push(Entry { key: members.join(","), zones });
                table.entries.len() - 1
            });
            table.by_prefix.insert(prefix, entry);
        }
    }
    table
});

fn lookup(e164: &str) -> Option<&'static Entry> {
    let digits = e164.strip_prefix('+')?;
    (1..=digits.len().min(9)).rev().find_map(|n| ZONES.by_prefix.get(&digits[..n])).map(|i| &ZONES.entries[*i])
}

/// The candidate zones of an E.164 number as stored with the contact: IANA names joined by commas,
/// empty when unknown.
#[must_use]
pub fn key_of(e164: &str) -> &'static str {
    lookup(e164).filter(|e| !e.zones.is_empty()).map_or("", |e| e.key.as_str())
}

/// The zones of a stored key. `None` when a name is unknown or the key is empty: fail closed.
#[must_use]
pub fn parse_key(key: &str) -> Option<Vec<Zone>> {
    if key.is_empty() {
        return None;
    }
    key.split(';').next()?.split(',').map(|n| n.parse().ok()).collect()
}

/// The states of a stored key: `US-FL`.
pub fn states_of(key: &str) -> impl Iterator<Item = &str> {
    key.split_once(';').map_or("", |(_, states)| states).split(',').filter(|s| !s.is_empty())
}

/// A short name of a stored key for the screen.
#[must_use]
pub fn label(key: &str) -> String {
    match key.split(';').next().unwrap_or_default().split(',').collect::<Vec<_>>().as_slice() {
        [] | [""] => "unknown zone".to_owned(),
        [one] => (*one).to_owned(),
        [a, b] => format!("{a} or {b}"),
        [a, rest @ ..] => format!("{a} and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_has_zones_that_are_known() {
        let unknown: Vec<_> = ZONES.by_prefix.iter().filter(|(_, i)| ZONES.entries[**i].zones.is_empty()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(ZONES.by_prefix.len() > 3000);
    }

    #[test]
    fn the_longest_prefix_wins() {
        assert_eq!(key_of("+12025550142"), "America/New_York");
        assert_eq!(key_of("+442079460018"), "Europe/London");
        assert_eq!(key_of("+13125550100"), "America/Chicago");
        // Toll-free: any zone of the numbering plan.
        assert!(parse_key(key_of("+18005550100")).is_some_and(|z| z.len() > 20));
    }

    #[test]
    fn unknown_fails_closed() {
        assert_eq!(key_of("+999123456"), "");
        assert_eq!(parse_key(""), None);
        assert_eq!(parse_key("Mars/Olympus"), None);
    }
}
