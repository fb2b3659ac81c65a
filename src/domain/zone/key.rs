//! Where a contact may be, as the text that is stored with it and that a queue is grouped by: names of zones
//! joined by commas, and behind a semicolon the states whose law holds beside those of the area code.

use super::Zone;

/// The text for these zones and states; empty when no zone is known.
#[must_use]
pub fn key(zones: &[Zone], states: &[&str]) -> String {
    let mut names: Vec<&str> = zones.iter().map(|z| z.name()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() || states.is_empty() { names.join(",") } else { format!("{};{}", names.join(","), states.join(",")) }
}

/// The zones of a stored key, one for each clock: Russia has many names and eleven hours. `None` when a name is
/// unknown or the key is empty: fail closed.
#[must_use]
pub fn parse_key(key: &str) -> Option<Vec<Zone>> {
    let names = key.split(';').next().filter(|z| !z.is_empty())?;
    let mut zones: Vec<Zone> = Vec::new();
    for name in names.split(',') {
        let zone: Zone = name.parse().ok()?;
        if !zones.iter().any(|z| z.same_clock(zone)) {
            zones.push(zone);
        }
    }
    Some(zones)
}

/// The states of a stored key: `US-FL`.
pub fn states_of(key: &str) -> impl Iterator<Item = &str> {
    key.split_once(';').map_or("", |(_, states)| states).split(',').filter(|s| !s.is_empty())
}

/// A short name of a stored key for the screen.
#[must_use]
pub fn label(key: &str) -> String {
    let zones = key.split(';').next().unwrap_or_default();
    let zones = match zones.split(',').collect::<Vec<_>>().as_slice() {
        [] | [""] => "unknown zone".to_owned(),
        [one] => (*one).to_owned(),
        [a, b] => format!("{a} or {b}"),
        [a, rest @ ..] => format!("{a} and {} more", rest.len()),
    };
    states_of(key).fold(zones, |text, state| format!("{text}, {state}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let zones: Vec<Zone> = ["America/New_York", "America/Chicago"].iter().map(|z| z.parse().unwrap()).collect();
        let text = key(&zones, &["US-FL"]);
        assert_eq!(text, "America/Chicago,America/New_York;US-FL");
        assert_eq!(parse_key(&text).map(|z| z.len()), Some(2));
        assert_eq!(states_of(&text).collect::<Vec<_>>(), ["US-FL"]);
        assert_eq!((key(&zones[..1], &[]).as_str(), key(&[], &["US-FL"]).as_str()), ("America/New_York", ""));
        assert_eq!(label(&text), "America/Chicago or America/New_York, US-FL");
        assert_eq!(states_of("America/New_York").count(), 0);
        let one = |text: &str| parse_key(text).map(|z| z.iter().map(|z| z.name()).collect::<Vec<_>>());
        assert_eq!(one("America/Detroit,America/New_York,America/Phoenix"), Some(vec!["America/Detroit", "America/Phoenix"]), "one of each clock");
    }

    #[test]
    fn unknown_fails_closed() {
        for key in ["", "Mars/Olympus", "America/New_York,Mars/Olympus", ";US-FL"] {
            assert_eq!(parse_key(key), None, "{key}");
        }
    }
}
