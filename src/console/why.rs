//! Why nothing is dialled, line by line: what is in the way in the order of mending, each with the key that changes it;
//! then who could be called, and where. A key stands as `:name` in the text and is put into this console's keys where
//! it is shown.

use chrono::{DateTime, Utc};

use super::{rows::count, text::cities};
use crate::{
    desk::{ENDING, Explanation, ZoneWait},
    domain::{
        Refusal,
        campaign::Status,
        dispatch::{Closed, Gate},
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
    let (c, p) = (&row.counts, &why.people);
    let done = p.done_percent().unwrap_or(0);
    lines.push(format!("{} in the list, {done} % done; {} dialled, {} answered", count(p.contacts, "contact"), c.dials, c.pickups));
    lines.extend(why.figures(&|t| moment(t, zone)));
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

/// A place, and when it opens.
fn place(z: &ZoneWait, zone: Zone, now: DateTime<Utc>) -> String {
    format!("{}  {}", cities(&zone::label(&z.zones)), z.when(now, |t| moment(t, zone)))
}
