//! The lines of the events: what happened to people and campaigns in a sentence each, and lines of the log, in the
//! order of time. The words are here and nowhere else.

use chrono::{DateTime, Utc};
use tracing::Level;

use super::{rows, snapshot::Snapshot};
use crate::{
    desk::{Entry, EntryId, Fact, Party},
    domain::{call::State, outcome::Outcome, text, zone::Zone},
    store::Deed,
    telemetry::LogLine,
};

/// A line of the list.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    Fact(&'a Entry),
    Log(&'a LogLine),
    /// Of the log's files, older than what is remembered.
    Old(&'a LogLine),
}

/// Where a line is kept, so that the list need not borrow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    Fact(usize),
    Log(usize),
    Old(usize),
}

/// How a line is told: as much of numbers as may be seen, on whose clock.
#[derive(Debug, Clone, Copy)]
pub struct Teller {
    pub mask: u8,
    pub zone: Zone,
    pub now: DateTime<Utc>,
}

/// A line in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What happened, in one word or two.
    pub word: String,
    /// The word's colour.
    pub role: &'static str,
    pub text: String,
    /// Of a call: whom, of which campaign, and the rest, for lists that have columns.
    pub parts: Option<[String; 3]>,
}

impl<'a> Line<'a> {
    #[must_use]
    pub fn of(slot: Slot, data: &'a Snapshot, old: &'a [LogLine]) -> Option<Self> {
        match slot {
            Slot::Fact(i) => data.happened.get(i).map(|e| Self::Fact(e)),
            Slot::Log(i) => data.logs.get(i).map(Self::Log),
            Slot::Old(i) => old.get(i).map(Self::Old),
        }
    }

    /// Its place in the order of time.
    #[must_use]
    pub fn id(self) -> EntryId {
        let of_log = |l: &LogLine, step| EntryId { at: l.at, step, of: u128::from(l.number) };
        match self {
            Self::Fact(e) => e.id,
            Self::Log(l) => of_log(l, 9),
            Self::Old(l) => of_log(l, 8),
        }
    }

    /// How grave it is: what happened is what the events are for, and some of it wants a look.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::Fact(e) => level(&e.fact),
            Self::Log(l) | Self::Old(l) => l.level,
        }
    }

    /// Lines that a level shows: of the log only what is grave, unless all of it is asked for.
    #[must_use]
    pub fn is_shown(self, from: Level) -> bool {
        let from = if matches!(self, Self::Log(_) | Self::Old(_)) && from == Level::INFO { Level::WARN } else { from };
        self.level() <= from
    }

    /// What it comes from: the part of the program, or who did it.
    #[must_use]
    pub fn from(self) -> &'a str {
        match self {
            Self::Log(l) | Self::Old(l) => &l.target,
            Self::Fact(e) => match &e.fact {
                Fact::Deed(deed) => &deed.line.actor,
                _ => "calls",
            },
        }
    }

    #[must_use]
    pub fn said(self, teller: &Teller) -> Said {
        let of_log = |l: &LogLine| {
            let (word, role) = match l.level {
                Level::ERROR => ("error", "log_error"),
                Level::WARN => ("warning", "log_warn"),
                Level::INFO => ("log", "log_info"),
                _ => ("detail", "log_debug"),
            };
            said(word, role, text::clean(&l.text, LONGEST))
        };
        match self {
            Self::Log(l) | Self::Old(l) => of_log(l),
            Self::Fact(e) => teller.fact(&e.fact),
        }
    }
}

/// What a level shows, in words.
#[must_use]
pub fn shown(level: Level) -> &'static str {
    match level {
        Level::ERROR => "errors only",
        Level::WARN => "what went wrong",
        Level::INFO => "what happened",
        _ => "the log too",
    }
}

/// Letters of one line.
const LONGEST: usize = 4000;
/// Cells of a name before it is shortened, and of the shortened one.
const NAME: usize = 18;
const SHORT: usize = 22;

fn level(fact: &Fact) -> Level {
    let grave = |deed: &Deed| {
        let to_error = detail(deed, "to") == "error";
        matches!(deed.line.action.as_str(), "breaker_opened" | "campaign_error" | "kill_switch_on" | "call_abandoned") || to_error
    };
    match fact {
        Fact::Deed(deed) if grave(deed) => Level::WARN,
        _ => Level::INFO,
    }
}

impl Teller {
    fn fact(&self, fact: &Fact) -> Said {
        match fact {
            Fact::Dialled { who, attempt } => {
                let text = format!("{}, {}, {}", self.party(who), name(&who.campaign), nth(*attempt));
                Said { parts: Some(self.parts(who, nth(*attempt))), ..said("dialled", "call_calling", text) }
            }
            Fact::Answered { who, rang } => {
                let rest = rang.map_or_else(String::new, |s| format!("rang {s} s"));
                Said { parts: Some(self.parts(who, rest)), ..said("answered", "call_answered", format!("{}{}", self.party(who), rung(*rang))) }
            }
            Fact::Ended { .. } => self.ended(fact),
            Fact::Deed(deed) => self.deed(deed),
        }
    }

    fn ended(&self, fact: &Fact) -> Said {
        let Fact::Ended { who, state, talked, rang, code, reason, again_at } = fact else { return said("", "text", String::new()) };
        let code = code.map_or_else(String::new, |c| format!(" ({c})"));
        let mut parts = Vec::new();
        if let Some(seconds) = talked {
            parts.push(format!("talked {}:{:02}", seconds / 60, seconds % 60));
        }
        // That it is busy, or that nobody took it, is all there is to say of such a call.
        let plain = matches!(state, State::Busy | State::NoAnswer);
        if plain && let Some(seconds) = rang.filter(|s| *s > 0) {
            parts.push(format!("rang {seconds} s"));
        }
        let why = if reason.is_empty() || reason == state.words() { String::new() } else { small(&text::clean(reason, LONGEST)) };
        // Why it failed goes before all else.
        let (sign, first) = if plain || why.is_empty() { (", ", code.trim_start().to_owned()) } else { (": ", format!("{why}{code}")) };
        if !first.is_empty() {
            parts.insert(0, first);
        }
        parts.extend(again_at.map(|at| format!("again {}", moment(self.zone, self.now, at))));
        let role = match state {
            State::Completed | State::Busy | State::NoAnswer | State::Canceled => "call_completed",
            _ => "call_failed",
        };
        let (whom, rest) = (self.party(who), parts.join(", "));
        let sign = if rest.starts_with('(') { " " } else { sign };
        let text = if rest.is_empty() { whom } else { format!("{whom}{sign}{rest}") };
        Said { parts: Some(self.parts(who, rest)), ..said(state.words(), role, text) }
    }

    fn parts(&self, who: &Party, rest: String) -> [String; 3] {
        [self.party(who), name(&who.campaign), rest]
    }

    /// `P. Novak ..0190`; numbers as far as they are shown.
    fn party(&self, who: &Party) -> String {
        self.called(&who.name, &who.number)
    }

    fn called(&self, name: &str, number: &str) -> String {
        let digits = if self.mask > 1 { String::new() } else { text::tail(number) };
        match (short(name), digits) {
            (name, digits) if digits.is_empty() => {
                if name.is_empty() {
                    "somebody".to_owned()
                } else {
                    name
                }
            }
            (name, digits) if name.is_empty() => digits,
            (name, digits) => format!("{name} {digits}"),
        }
    }

    fn deed(&self, deed: &Deed) -> Said {
        let found = DEEDS.iter().find(|(action, ..)| *action == deed.line.action);
        let (word, role, words) = found.map_or(("", "text", other as Words), |(_, word, role, words)| (*word, *role, *words));
        let told = words(self, deed);
        // What the table leaves open is said by the words themselves: the word, then the rest.
        let line = match told.split_once('\t').filter(|_| word.is_empty()) {
            Some((word, text)) => said(word, role, text.to_owned()),
            None => said(if word.is_empty() { "event" } else { word }, role, told),
        };
        let contact = self.contact(deed);
        let rest = line.text.strip_prefix(&contact).filter(|_| deed.call.is_some() && !contact.is_empty());
        let rest = rest.map(|rest| rest.trim_start_matches([':', ',', ' ']).to_owned());
        Said { parts: rest.map(|rest| [contact, name(deed.name.as_deref().unwrap_or_default()), rest]), ..line }
    }
}

type Words = fn(&Teller, &Deed) -> String;

/// What somebody did: its line of the audit, its word, the word's colour, and the rest of the sentence.
const DEEDS: &[(&str, &str, &str, Words)] = &[
    ("outcome_set", "", "success", tagged),
    ("note_set", "note", "info", |t, d| format!("{} has a note{}", t.contact(d), by(d))),
    ("hangup_requested", "hang up", "warn", |t, d| format!("{}{}", t.contact(d), by(d))),
    ("transfer_requested", "transfer", "info", |t, d| format!("{}{}", t.contact(d), by(d))),
    ("listen_requested", "listens", "info", |t, d| format!("to {}{}", t.contact(d), by(d))),
    ("call_again", "again", "info", |t, d| format!("{} is in the queue once more{}", t.contact(d), by(d))),
    ("call_asked", "asked", "info", |t, d| format!("for one call to {}{}", t.contact(d), by(d))),
    ("call_abandoned", "no agent", "warn", |t, d| format!("{} answered, and no agent came", t.contact(d))),
    ("call_reopened", "goes on", "info", |t, d| format!("{} was thought ended and is still on the line", t.contact(d))),
    ("campaign_created", "new", "info", |_, d| format!("{}{}", subject(d), by(d))),
    ("campaign_edited", "changed", "info", |_, d| format!("{}{}{}", subject(d), lines(d), by(d))),
    ("campaign_deleted", "deleted", "warn", |_, d| format!("{}{}", subject(d), by(d))),
    ("campaign_moved", "", "info", moved),
    ("campaign_finished", "", "info", finished),
    ("campaign_error", "failed", "error", |_, d| format!("{}: {}", subject(d), reason(d))),
    ("campaign_recycled", "recycled", "info", |_, d| format!("{}: {} queued again{}", subject(d), rows::count(number(d, "queued"), "contact"), by(d))),
    ("breaker_opened", "breaker", "error", |_, d| format!("{}, {} paused", reason(d), subject(d))),
    ("kill_switch_on", "ALL STOP", "error", |_, d| format!("nothing is dialled any more{}{}", because(d), by(d))),
    ("kill_switch_off", "released", "success", |_, d| format!("it may be dialled again{}", by(d))),
    ("contacts_imported", "imported", "info", imported),
    ("list_created", "new list", "info", |_, d| format!("{}{}", subject(d), by(d))),
    ("contact_added", "contact", "info", |t, d| format!("{} added{}", t.tail(d), by(d))),
    ("contact_edited", "contact", "info", |t, d| format!("{} changed{}", t.tail(d), by(d))),
    ("contact_deleted", "contact", "info", |t, d| format!("{} deleted{}", t.tail(d), by(d))),
    ("do_not_call_added", "never call", "warn", |t, d| format!("{}{}{}", t.tail(d), because(d), by(d))),
    ("do_not_call_removed", "may call", "info", |t, d| format!("{} is off the do-not-call list{}", t.tail(d), by(d))),
    ("law_closed", "closed", "warn", |_, d| format!("{}: nobody is called there{}{}", detail(d, "place"), because(d), by(d))),
    ("law_opened", "opened", "info", |_, d| format!("{}{}", detail(d, "place"), by(d))),
];

/// An action of a newer release.
fn other(_: &Teller, deed: &Deed) -> String {
    format!("{}{}", deed.line.action.replace('_', " "), by(deed))
}

impl Teller {
    fn contact(&self, deed: &Deed) -> String {
        self.called(deed.contact_name.as_deref().unwrap_or_default(), deed.phone_number.as_deref().unwrap_or_default())
    }

    /// A number of which the line has the end, or the whole.
    fn tail(&self, deed: &Deed) -> String {
        self.called("", &detail(deed, "number"))
    }
}

fn said(word: &str, role: &'static str, text: String) -> Said {
    Said { word: word.to_owned(), role, text, parts: None }
}

/// A carrier's words as a part of a sentence: `service unavailable` of `Service Unavailable`.
fn small(words: &str) -> String {
    let word = |w: &str| if w.chars().skip(1).any(|c| !c.is_lowercase()) { w.to_owned() } else { w.to_lowercase() };
    words.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn tagged(teller: &Teller, deed: &Deed) -> String {
    let value = |field: &str| detail(deed, field).parse::<Outcome>().ok();
    let (now, was) = (value("outcome"), value("was"));
    let contact = teller.contact(deed);
    match (deed.line.source.as_str(), now, was) {
        ("agent", Some(o), _) => format!("agent says\t{contact}: {}", o.label()),
        (_, Some(o), Some(was)) if was != o => format!("tagged\t{contact} {}, was {}{}", o.label(), was.label(), by(deed)),
        (_, Some(o), _) => format!("tagged\t{contact} {}{}", o.label(), by(deed)),
        (_, None, was) => format!("untagged\t{contact}{}{}", was.map_or_else(String::new, |w| format!(", was {}", w.label())), by(deed)),
    }
}

fn moved(_: &Teller, deed: &Deed) -> String {
    let word = match (detail(deed, "from").as_str(), detail(deed, "to").as_str()) {
        ("paused", "running") => "resumed",
        (_, "running") => "started",
        (_, "paused") => "paused",
        (_, "completed") => "stopped",
        (_, "error") => "failed",
        _ => "changed",
    };
    format!("{word}\t{}{}{}", subject(deed), because(deed), by(deed))
}

fn finished(_: &Teller, deed: &Deed) -> String {
    match detail(deed, "to").as_str() {
        "completed" => format!("done\t{}: everybody was called", subject(deed)),
        _ => format!("failed\t{}{}", subject(deed), because(deed)),
    }
}

fn imported(_: &Teller, deed: &Deed) -> String {
    let mut parts = vec![format!("{}: {}", subject(deed), rows::count(number(deed, "imported"), "contact"))];
    for (field, words) in [("duplicate", "there before"), ("invalid", "without a valid number")] {
        let n = number(deed, field);
        if n > 0 {
            parts.push(format!("{n} {words}"));
        }
    }
    format!("{}{}", parts.join(", "), by(deed))
}

fn lines(deed: &Deed) -> String {
    let n = number(deed, "maxConcurrent");
    if n > 0 { format!(", {} at once", rows::count(n, "call")) } else { String::new() }
}

/// Who did it; nothing where it was the program itself.
fn by(deed: &Deed) -> String {
    let who = deed.line.actor.trim();
    if who.is_empty() || matches!(deed.line.source.as_str(), "engine" | "agent") { String::new() } else { format!(", by {}", text::clean(who, 40)) }
}

fn because(deed: &Deed) -> String {
    let words = reason(deed);
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

fn reason(deed: &Deed) -> String {
    text::clean(&detail(deed, "reason"), 200)
}

/// The campaign or the list.
fn subject(deed: &Deed) -> String {
    let told = detail(deed, "name");
    name(deed.name.as_deref().filter(|n| !n.is_empty()).unwrap_or(if told.is_empty() { "a campaign" } else { &told }))
}

fn detail(deed: &Deed, field: &str) -> String {
    text::clean(deed.line.details.0.get(field).and_then(serde_json::Value::as_str).unwrap_or_default(), 400)
}

fn number(deed: &Deed, field: &str) -> i64 {
    deed.line.details.0.get(field).and_then(serde_json::Value::as_i64).unwrap_or(0)
}

fn name(text: &str) -> String {
    text::clean(text.trim(), 60)
}

fn rung(seconds: Option<i64>) -> String {
    seconds.map_or_else(String::new, |s| format!(", rang {s} s"))
}

fn nth(attempt: i64) -> String {
    match attempt {
        1 => "first attempt".to_owned(),
        2 => "second attempt".to_owned(),
        3 => "third attempt".to_owned(),
        n => format!("attempt {n}"),
    }
}

/// A name that is long by its first letters and its last word: `M. Featherstonehaugh`.
fn short(full: &str) -> String {
    let full = text::clean(full.trim(), 80);
    if full.chars().count() <= NAME {
        return full;
    }
    let words: Vec<&str> = full.split_whitespace().collect();
    let Some((last, before)) = words.split_last() else { return full };
    let letters: String = before.iter().filter_map(|w| w.chars().next()).take(3).flat_map(|c| [c, '.', ' ']).collect();
    text::clean(&format!("{letters}{last}"), SHORT)
}

/// `at 15:40`; of another day with that day: `Tue 15:40`.
#[must_use]
pub fn moment(zone: Zone, now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let (day, at) = (now.with_timezone(&zone).date_naive(), at.with_timezone(&zone));
    match (at.date_naive() - day).num_days() {
        0 => at.format("at %H:%M").to_string(),
        1..=6 => at.format("%a %H:%M").to_string(),
        _ => at.format("%-d %b %H:%M").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_audit_that_is_read_has_its_words() {
        for action in crate::store::TOLD {
            assert!(DEEDS.iter().any(|(told, ..)| *told == action), "{action}");
        }
        assert_eq!(DEEDS.len(), crate::store::TOLD.len(), "none is told that is not read");
    }

    #[test]
    fn long_names_are_known_by_their_last_word() {
        for (full, shown) in [("Jane Roe", "Jane Roe"), ("P. Novak", "P. Novak"), ("Margaret Anne Featherstone", "M. A. Featherstone"), ("", "")] {
            assert_eq!(short(full), shown);
        }
        assert!(short("Wolfeschlegelsteinhausenbergerdorff").chars().count() <= SHORT + 1);
    }
}
