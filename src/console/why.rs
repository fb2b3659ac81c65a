//! Why nothing is dialled, line by line: what is in the way in the order of mending, each with the key that changes it;
//! then who could be called, and where. A key stands as `:name` in the text and is put into this console's keys where
//! it is shown.

use chrono::{DateTime, Utc};

use super::text::cities;
use crate::{
    desk::{ENDING, Explanation, ZoneWait, calling},
    domain::{
        Refusal,
        campaign::Status,
        dispatch::{Closed, Closure, Gate},
        text::clean,
        zone::{self, Zone},
    },
    store::CampaignRow,
};

/// What opens a gate, said behind its words.
const WAYS: &[(Gate, &str)] = &[
    (Gate::KillSwitch, "`:release` lifts it (an admin)"),
    (Gate::Terms, "`:start` asks for them"),
    (Gate::Trunk, "`:systems` gives one: n there"),
    (Gate::Script, "`:edit` gives it one"),
    (Gate::NationalList, "the list is loaded where dialdeck runs"),
    (Gate::Hours, "`:edit` changes its hours"),
    (Gate::DailyCap, "`:edit` raises its cap"),
    (Gate::Agent, "`:systems` says which worker is missing"),
    (Gate::Concurrency, "`:more-lines` gives it more lines"),
    (Gate::TrunkLines, "it waits for a free line"),
    (Gate::ContactHours, "only the hour changes that"),
    (Gate::Done, "`:recycle` queues again who was not reached"),
];

/// All of it.
#[must_use]
pub fn lines(why: &Explanation, missing: &[Refusal], row: &CampaignRow, now: DateTime<Utc>) -> Vec<String> {
    let zone = row.zone();
    let mut lines: Vec<String> = match why.obstacles.as_slice() {
        [] => vec![until(&why.message, why.until, zone)],
        [only] => vec![obstacle(only, row, zone)],
        all => all.iter().enumerate().map(|(i, c)| format!("{}. {}", i + 1, obstacle(c, row, zone))).collect(),
    };
    // What a start would say, before it is tried; what is among the obstacles already is not said again.
    let told = |m: &&Refusal| why.obstacles.iter().any(|c| c.gate.word() == m.gate);
    lines.extend(missing.iter().filter(|m| !told(m)).map(|m| format!("missing: {}", m.message)));
    lines.push(String::new());
    let c = &row.counts;
    lines.push(format!("{} queued, {} live, {} dialled, {} answered", c.pending, c.live, c.dials, c.pickups));
    lines.push(contacts(why));
    let mut zones: Vec<&ZoneWait> = why.waiting.zones.iter().collect();
    zones.sort_by_key(|z| (z.closed.is_some(), z.opens.is_none(), z.opens, std::cmp::Reverse(z.waiting)));
    lines.extend(zones.into_iter().map(|z| format!("{:>7}  {}", z.waiting, place(z, zone, now))));
    lines
}

/// In words, until when, and what changes it.
fn obstacle(c: &Closed, row: &CampaignRow, zone: Zone) -> String {
    // Days by their names, clocks by their cities.
    let words = c.message.replace(&row.window().label(), &row.window().words());
    let words = until(&words.split(' ').map(city).collect::<Vec<_>>().join(" "), c.until, zone);
    let way = match (c.gate, row.execution_status) {
        (Gate::State, Status::Idle | Status::Completed) => "`:start` starts it",
        (Gate::State, Status::Paused) => "`:pause` resumes it",
        (Gate::State, Status::Error) => "`:start` once it is mended",
        (Gate::Engine, _) if c.message == ENDING => "",
        (Gate::Engine, _) => "`:systems` shows what is wrong",
        (gate, _) => WAYS.iter().find(|(of, _)| *of == gate).map_or("", |(_, way)| way),
    };
    // Words that name a way out already need no second.
    if way.is_empty() || words.contains('`') { words } else { format!("{}; {way}", words.trim_end_matches(". Start it").trim_end_matches(". Resume it")) }
}

/// `New York` of `America/New_York`, and what stands around it.
fn city(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let known = bare.contains('/') && bare.parse::<Zone>().is_ok();
    if known { word.replace(bare, &cities(bare)) } else { word.to_owned() }
}

fn until(words: &str, at: Option<DateTime<Utc>>, zone: Zone) -> String {
    at.map_or_else(|| words.to_owned(), |t| format!("{words}, until {}", moment(t, zone)))
}

fn moment(at: DateTime<Utc>, zone: Zone) -> String {
    at.with_timezone(&zone).format("%a %H:%M %Z").to_string()
}

/// Who could be called; what there is none of is not told.
fn contacts(why: &Explanation) -> String {
    let w = &why.waiting;
    // Whoever may be called by the law is called only while nothing else is in the way.
    let now = if why.goes() { "can be called now" } else { "could be called now by the law" };
    let mut parts = vec![format!("{} {now}", w.dialable_now)];
    for (n, words) in
        [(w.later, "later"), (w.do_not_call, "on do-not-call"), (w.exhausted, "called as often as allowed"), (w.invalid, "of the file without a valid number")]
    {
        if n > 0 {
            parts.push(format!("{n} {words}"));
        }
    }
    if w.calling_seconds > 0 {
        parts.push(format!("about {} of calling left", calling(w.calling_seconds)));
    }
    parts.join(", ")
}

/// A place, and when it opens.
fn place(z: &ZoneWait, zone: Zone, now: DateTime<Utc>) -> String {
    let name = cities(&zone::label(&z.zones));
    if let Some(closed) = &z.closed {
        return format!("{name}  {}", shut(closed, &z.opens.map_or_else(String::new, |t| format!(" until {}", moment(t, zone)))));
    }
    match z.opens {
        None => format!("{name}  never: no hour suits the law of all places it may be in"),
        Some(t) if t <= now => format!("{name}  open now"),
        Some(t) => format!("{name}  opens {}", moment(t, zone)),
    }
}

/// `US-CA closed by ana (Wildfire day) until Sat 00:34 PST; `:law US-CA` opens it`.
#[must_use]
pub fn shut(c: &Closure, until: &str) -> String {
    let by = if c.by.is_empty() { String::new() } else { format!(" by {}", clean(&c.by, 40)) };
    let reason = if c.reason.trim().is_empty() { String::new() } else { format!(" ({})", clean(&c.reason, 60)) };
    let until = if c.until.is_none() { " until somebody opens it" } else { until };
    format!("{} closed{by}{reason}{until}", c.place)
}
