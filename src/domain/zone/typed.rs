//! A zone that a person types, for a campaign's own hours: a place, so that its clock is the one on a wall.

use super::{Zone, names, words};
use crate::domain::text::clean;

impl Zone {
    /// Reads `Area/City`. Of all that is no place only `UTC` is taken: it has no summer time to be wrong
    /// about, and hosts are set to it.
    ///
    /// # Errors
    /// In words, with the nearest name that is one.
    pub fn typed(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "UTC" {
            return Ok(Self::utc());
        }
        if let Some(zone) = words::place(text) {
            return Ok(zone);
        }
        let utc = text.parse::<Self>().is_ok_and(|z| z.primary_name() == Some("UTC")).then_some("UTC");
        let nearest = utc.or_else(|| ["US", "AU"].iter().find_map(|country| words::meant(text, country).first().map(|z| z.name()))).or_else(|| nearest(text));
        let hint = nearest.map_or_else(|| "write it as Area/City, such as Europe/Berlin".to_owned(), |n| format!("{n}?"));
        Err(format!("\"{}\" is no place: {hint}", clean(text, 40)))
    }
}

/// The name with the fewest letters to change, where they are few.
fn nearest(text: &str) -> Option<&'static str> {
    let wanted = text.to_ascii_lowercase();
    let far = |name: &str| {
        let whole = name.to_ascii_lowercase();
        let city = whole.rsplit('/').next().unwrap_or_default();
        distance(&wanted, &whole).min(distance(&wanted, city)).min(distance(wanted.rsplit('/').next().unwrap_or_default(), city) + 1)
    };
    let best = names().filter(|n| words::place(n).is_some()).map(|n| (far(n), n)).min()?;
    (best.0 <= (wanted.rsplit('/').next().unwrap_or_default().len() / 4).max(1)).then_some(best.1)
}

/// Letters to add, take away or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, d) in b.iter().enumerate() {
            let change = before + usize::from(c != *d);
            before = row[j + 1];
            row[j + 1] = change.min(before + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_and_all_else_is_answered_with_one() {
        for (text, zone) in [("Europe/Berlin", "Europe/Berlin"), (" america/new_york ", "America/New_York"), ("UTC", "UTC")] {
            assert_eq!(Zone::typed(text).map(Zone::name), Ok(zone));
        }
        for (text, words) in [
            ("EST", "\"EST\" is no place: America/New_York?"),
            ("MST", "\"MST\" is no place: America/Denver?"),
            ("Eastern", "\"Eastern\" is no place: America/New_York?"),
            ("US/Eastern", "\"US/Eastern\" is no place: America/New_York?"),
            ("PST8PDT", "\"PST8PDT\" is no place: America/Los_Angeles?"),
            ("AEST", "\"AEST\" is no place: Australia/Sydney?"),
            ("Berlin", "\"Berlin\" is no place: Europe/Berlin?"),
            ("America/New_Yrok", "\"America/New_Yrok\" is no place: America/New_York?"),
            ("Europe/Munich", "\"Europe/Munich\" is no place: write it as Area/City, such as Europe/Berlin"),
            ("GMT", "\"GMT\" is no place: UTC?"),
            ("Etc/UTC", "\"Etc/UTC\" is no place: UTC?"),
            ("Etc/GMT+5", "\"Etc/GMT+5\" is no place: write it as Area/City, such as Europe/Berlin"),
            ("", "\"\" is no place: write it as Area/City, such as Europe/Berlin"),
        ] {
            assert_eq!(Zone::typed(text).map_err(|e| e.replace('\u{1b}', "")), Err(words.to_owned()), "{text}");
        }
    }
}
