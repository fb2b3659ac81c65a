//! Alerts that leave the screen: a bell, or a notification of the terminal's. One of a kind a minute: who is called
//! too often stops listening.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Duration, Utc};

use crate::domain::text::clean;

/// How somebody is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    #[default]
    None,
    /// BEL.
    Bell,
    /// iTerm2, Windows Terminal, ghostty, kitty.
    Osc9,
    /// rxvt, foot, wezterm.
    Osc777,
}

impl Way {
    pub const NAMES: [&str; 4] = ["none", "bell", "osc9", "osc777"];

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let ways = [Self::None, Self::Bell, Self::Osc9, Self::Osc777];
        Self::NAMES.iter().zip(ways).find(|(n, _)| **n == name).map(|(_, way)| way)
    }
}

/// What somebody is called for; each has a minute of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alert {
    /// A campaign was paused by the breaker, or cannot go on.
    Campaign,
    /// Nothing is dialled: LiveKit, the database, the kill switch.
    Engine,
    /// Calls wait too long for a tag.
    ToTag,
    /// A promised call is due and not made.
    Callback,
    /// A call is in its state for too long.
    Age,
    /// A tag was not kept.
    Lost,
}

/// Between two alerts of a kind.
const REST: Duration = Duration::minutes(1);
/// Letters of an alert: it stands in a corner of somebody's desktop.
const LONGEST: usize = 200;

#[derive(Debug, Default)]
pub struct Notifier {
    way: Way,
    /// Inside tmux, wrapped so that it passes: only where it was asked for.
    passthrough: bool,
    last: HashMap<Alert, DateTime<Utc>>,
}

impl Notifier {
    #[must_use]
    pub fn new(way: Way, passthrough: bool) -> Self {
        Self { way, passthrough, last: HashMap::new() }
    }

    /// The bytes that call somebody, to be written to the terminal between two frames; `None` when nobody is to be
    /// called, or was a moment ago.
    pub fn alert(&mut self, kind: Alert, words: &str, now: DateTime<Utc>) -> Option<String> {
        if self.way == Way::None || self.last.get(&kind).is_some_and(|at| now >= *at && now - *at < REST) {
            return None;
        }
        self.last.insert(kind, now);
        // A semicolon parts the fields of OSC 777; nothing that ends or begins a sequence is left by `clean`.
        let words = clean(words, LONGEST).replace(';', ",");
        let bytes = match self.way {
            Way::None => return None,
            Way::Bell => return Some("\u{7}".to_owned()),
            Way::Osc9 => format!("\u{1b}]9;{words}\u{1b}\\"),
            Way::Osc777 => format!("\u{1b}]777;notify;dialdeck;{words}\u{1b}\\"),
        };
        Some(if self.passthrough { format!("\u{1b}Ptmux;{}\u{1b}\\", bytes.replace('\u{1b}', "\u{1b}\u{1b}")) } else { bytes })
    }
}

/// Something that holds now: what kind of thing it is, which one, and its words.
pub type Holds = (Alert, String, String);

/// What was told outside of the screen, and the bytes that wait for the terminal.
#[derive(Debug, Default)]
pub struct Alarms {
    notifier: Notifier,
    /// What somebody was called for already, as long as it holds.
    known: BTreeSet<(Alert, String)>,
    /// Whoever sits down sees what holds: nobody is called for it.
    begun: bool,
    bytes: String,
    /// The way that `b` switches on.
    configured: Way,
}

impl Alarms {
    #[must_use]
    pub fn new(way: Way, passthrough: bool) -> Self {
        Self { notifier: Notifier::new(way, passthrough), configured: way, ..Self::default() }
    }

    #[must_use]
    pub fn is_on(&self) -> bool {
        self.notifier.way != Way::None
    }

    /// On by the way that is configured, else by a bell.
    pub fn switch(&mut self, on: bool) {
        let way = if self.configured == Way::None { Way::Bell } else { self.configured };
        self.notifier.way = if on { way } else { Way::None };
    }

    /// Whoever is new among what holds now is told; one whose kind was told a moment ago waits its turn.
    pub fn look(&mut self, holds: Vec<Holds>, now: DateTime<Utc>) {
        let quiet = !std::mem::replace(&mut self.begun, true) || !self.is_on();
        let mut known = BTreeSet::new();
        for (kind, which, words) in holds {
            let id = (kind, which);
            if quiet || self.known.contains(&id) || self.ring(kind, &words, now) {
                known.insert(id);
            }
        }
        self.known = known;
    }

    /// Tells something that happened once; whether it was told.
    pub fn ring(&mut self, kind: Alert, words: &str, now: DateTime<Utc>) -> bool {
        let bytes = self.notifier.alert(kind, words, now);
        self.bytes.push_str(bytes.as_deref().unwrap_or_default());
        bytes.is_some()
    }

    /// What is to be written to the terminal between two frames.
    #[must_use]
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn one_of_a_kind_a_minute() {
        let mut bell = Notifier::new(Way::Bell, false);
        let mut rings = |kind, seconds| bell.alert(kind, "x", at(seconds)).is_some();
        assert!(rings(Alert::Campaign, 0) && !rings(Alert::Campaign, 59) && rings(Alert::Engine, 59) && rings(Alert::Campaign, 60));
        assert!(rings(Alert::Campaign, -3600), "a clock that was set back does not silence it for an hour");
        assert_eq!(Notifier::new(Way::None, false).alert(Alert::Engine, "x", at(0)), None);
    }

    #[test]
    fn what_holds_is_told_once_and_what_holds_at_the_start_never() {
        let mut alarms = Alarms::new(Way::Bell, false);
        let paused = |name: &str| (Alert::Campaign, name.to_owned(), "x".to_owned());
        alarms.look(vec![paused("old")], at(0));
        assert_eq!(alarms.take(), "");
        alarms.look(vec![paused("old"), paused("new"), paused("newer")], at(1));
        assert_eq!(alarms.take(), "\u{7}");
        alarms.look(vec![paused("new"), paused("newer")], at(30));
        assert_eq!(alarms.take(), "", "the second of its kind waits");
        alarms.look(vec![paused("new"), paused("newer")], at(62));
        assert_eq!(alarms.take(), "\u{7}");
        alarms.look(vec![paused("new"), paused("newer")], at(200));
        assert_eq!(alarms.take(), "", "and nobody is told twice");
        alarms.look(vec![], at(300));
        alarms.look(vec![paused("new")], at(301));
        assert_eq!(alarms.take(), "\u{7}", "what comes again is told again");
        alarms.switch(false);
        alarms.look(vec![paused("other")], at(400));
        assert!(alarms.take().is_empty() && !alarms.is_on());
    }

    #[test]
    fn foreign_words_cannot_leave_their_sequence() {
        let words = "Q4\u{7}\u{1b}]0;owned\u{1b}\\; paused\u{202e}";
        let of = |way, passthrough| Notifier::new(way, passthrough).alert(Alert::Campaign, words, at(0)).unwrap();
        assert_eq!(of(Way::Osc9, false), "\u{1b}]9;Q4]0,owned\\, paused\u{1b}\\");
        assert_eq!(of(Way::Osc777, false), "\u{1b}]777;notify;dialdeck;Q4]0,owned\\, paused\u{1b}\\");
        assert_eq!(of(Way::Osc9, true), "\u{1b}Ptmux;\u{1b}\u{1b}]9;Q4]0,owned\\, paused\u{1b}\u{1b}\\\u{1b}\\");
        assert_eq!(of(Way::Bell, true), "\u{7}", "tmux passes a bell on by itself");
        assert!(Way::NAMES.iter().all(|n| Way::named(n).is_some()) && Way::named("loud").is_none());
    }
}
