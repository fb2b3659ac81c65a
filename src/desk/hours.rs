//! When the law of a queue's places is open in all its zones. A queue is asked at every look of the scheduler,
//! up to forty times a second, and the answer changes twice a day: so it is kept until then.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;

use crate::domain::{legal, rules::Rules, zone};

/// The hours of one queue, as they are at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LegalHours {
    /// The next opening from the moment asked for; `None`: never, or nobody knows.
    pub opens: Option<DateTime<Utc>>,
    pub awake: bool,
    /// When it closes, where it is open.
    pub closes: Option<DateTime<Utc>>,
    /// The law that is closed, in words.
    pub law: String,
}

/// A queue that no hour suits is asked again after this.
const NEVER: Duration = Duration::hours(1);

/// Queues that are remembered at most: all the world has fewer.
const MOST: usize = 10_000;

/// What was found, and from when until when it holds.
struct Known {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    hours: LegalHours,
}

#[derive(Default)]
pub(super) struct Openings(Mutex<HashMap<String, Known>>);

impl Openings {
    /// The hours of a queue now, with its next opening from a moment on that is not before.
    pub fn of(&self, rules: &Rules, key: &str, from: DateTime<Utc>, now: DateTime<Utc>) -> LegalHours {
        let hours = self.at(rules, key, now);
        let opens = match (hours.opens, hours.closes) {
            // It is open then as well, or opens later than that.
            (Some(_), Some(closes)) if from < closes => Some(from),
            (Some(opens), None) if from <= opens => Some(opens),
            (Some(_), _) => find(rules, key, from).opens,
            (None, _) => None,
        };
        LegalHours { opens, ..hours }
    }

    fn at(&self, rules: &Rules, key: &str, now: DateTime<Utc>) -> LegalHours {
        let mut all = self.0.lock();
        if let Some(known) = all.get(key).filter(|k| k.from <= now && now < k.until) {
            return known.hours.clone();
        }
        let hours = find(rules, key, now);
        let until = hours.closes.or(hours.opens.filter(|t| *t > now)).unwrap_or(now + NEVER);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key.to_owned(), Known { from: now, until, hours: hours.clone() });
        hours
    }
}

pub(super) fn find(rules: &Rules, key: &str, now: DateTime<Utc>) -> LegalHours {
    let places: Vec<&str> = zone::states_of(key).collect();
    // Without a law or a zone its rows end at the contact gates, with the reason.
    let unknown = |opens| LegalHours { opens, awake: true, closes: None, law: String::new() };
    let Some(reading) = rules.reading() else { return unknown(Some(now)) };
    let laws = legal::of(&places, reading);
    let Some(zones) = zone::parse_key(key).filter(|_| !laws.is_empty()) else { return unknown(None) };
    // Of several that are closed the one that opens last is what is waited for.
    let binding = laws.iter().filter(|l| zones.iter().any(|z| !l.is_open(*z, now))).max_by_key(|l| zones.iter().map(|z| l.next_open(*z, now)).max());
    let (awake, law) = (binding.is_none(), binding.map(|l| l.label()).unwrap_or_default());
    LegalHours { opens: legal::next_open_in_all(&laws, &zones, now), awake, closes: legal::closes(&laws, &zones, now), law }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rules::Profile;

    /// What is remembered is what would be found anew, at every quarter of an hour of three weeks.
    #[test]
    fn what_is_remembered_is_what_would_be_found() {
        let start: DateTime<Utc> = "2026-12-18T00:00:00Z".parse().unwrap();
        let never = "America/New_York,Asia/Tokyo,Europe/London;US-?";
        for profile in [Profile::Default, Profile::Us, Profile::None] {
            let rules = Rules { profile, ..Rules::default() };
            for key in [
                "America/New_York;US-FL",
                "Europe/Paris;FR",
                "America/Chicago,America/New_York;US-AL,US-FL",
                "Europe/Rome;IT",
                never,
                ";US-NY",
                "America/New_York",
            ] {
                let openings = Openings::default();
                for quarter in 0..21 * 96 {
                    let now = start + Duration::minutes(15 * quarter);
                    for ahead in [0, 5, 700, 4000] {
                        let from = now + Duration::minutes(ahead);
                        let fresh = find(&rules, key, now);
                        let opens = fresh.opens.and_then(|_| find(&rules, key, from).opens);
                        let remembered = LegalHours { law: fresh.law.clone(), ..openings.of(&rules, key, from, now) };
                        assert_eq!(remembered, LegalHours { opens, ..fresh }, "{profile:?} {key} {now} + {ahead}");
                    }
                }
            }
        }
    }
}
