//! Every number of the configuration and the range it is meant in. A number nobody can mean is told at the
//! start, not found by a panic or a silence later.

use std::{fmt::Display, str::FromStr, time::Duration};

use super::reader::Reader;
use crate::domain::retention::Retention;

/// Between the lowest and the highest, both included; the lowest where it is not.
pub(super) fn number<T: FromStr + PartialOrd + Display + Copy>(r: &mut Reader<'_>, key: &str, low: T, high: T) -> T {
    let text = r.text(key);
    let value = text.parse().ok().filter(|v| (low..=high).contains(v));
    value.unwrap_or_else(|| {
        r.complain(key, format!("\"{text}\" is no number from {low} to {high}"));
        low
    })
}

/// A time in the unit it names, seconds where it names none.
pub(super) fn time(r: &mut Reader<'_>, key: &str, low: Duration, high: Duration) -> Duration {
    let text = r.text(key);
    let Some(time) = parse(&text, 1000) else {
        r.complain(key, format!("\"{text}\" is no time: write 20, 20s, 5m or 1h"));
        return low;
    };
    if !(low..=high).contains(&time) {
        r.complain(key, format!("\"{text}\" is not between {} s and {} s", low.as_secs(), high.as_secs()));
    }
    time
}

pub(super) fn agent_wait(r: &mut Reader<'_>) -> Duration {
    time(r, "engine.agent_wait", Duration::from_secs(1), Duration::from_mins(5))
}

/// What a prepared call does beside waiting for its agent, seconds: until then its claim must hold.
const BESIDE: Duration = Duration::from_secs(20);

pub(super) fn claim_lease(r: &mut Reader<'_>) -> Duration {
    let lease = time(r, "engine.claim_lease", Duration::from_secs(10), Duration::from_mins(10));
    let wait = parse(&r.text("engine.agent_wait"), 1000).unwrap_or_default();
    if lease <= wait.saturating_add(BESIDE) {
        let words =
            format!("{} s are not more than agent_wait and {} s beside: the claim would run out while its call is placed", lease.as_secs(), BESIDE.as_secs());
        r.complain("engine.claim_lease", words);
    }
    lease
}

/// `[retention]`: in days where no unit is named, 0 for ever.
pub(super) fn retention(r: &mut Reader<'_>) -> Retention {
    const DAY: Duration = Duration::from_hours(24);
    Retention {
        // Who said no rests for sixty days where the law says so; the share of calls without an agent is of thirty.
        calls: kept(r, "retention.calls", 61 * DAY),
        audit: kept(r, "retention.audit", 31 * DAY),
        // A callback may be sent again for days; what came before is known by its event.
        events: kept(r, "retention.events", 7 * DAY),
        keys: kept(r, "retention.keys", DAY),
    }
}

fn kept(r: &mut Reader<'_>, key: &str, low: Duration) -> Option<chrono::Duration> {
    const MOST: Duration = Duration::from_hours(24 * 36_500);
    let text = r.text(key);
    let Some(time) = parse(&text, 86_400_000) else {
        r.complain(key, format!("\"{text}\" is no time: write 400d, 48h, or 0 for ever"));
        return None;
    };
    if time.is_zero() {
        return None;
    }
    if !(low..=MOST).contains(&time) {
        let least = low.as_secs() / 86_400;
        r.complain(key, format!("\"{text}\" is not between {least} and 36500 days, nor 0 for ever"));
        return None;
    }
    chrono::Duration::from_std(time).ok()
}

/// `20`, `20s`, `5m`, `1h`, `3d`, `200ms`; `bare` are the milliseconds of one without a unit.
fn parse(text: &str, bare: u64) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale = match unit.trim() {
        "" => bare,
        "s" => 1000,
        "ms" => 1,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(scale)?))
}
