//! Alerts that leave the screen: a bell, or a notification of the terminal's. One of a kind a minute: who is called
//! too often stops listening.

use std::collections::HashMap;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
