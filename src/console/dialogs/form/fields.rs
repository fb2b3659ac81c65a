//! What the form's fields are: their order and words, the days of a week, and one of several that is found by
//! typing.

use crossterm::event::KeyCode;

use crate::domain::schedule::Days;

/// Which field; the order is that of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    Name,
    Assistant,
    Contacts,
    Days,
    Hours,
    Zone,
    Cap,
    AtOnce,
    Delay,
    Attempts,
    Script,
    /// Where `c` and `S` decide.
    Summary,
}

impl Id {
    /// All but the summary.
    pub const FIELDS: &'static [Self] = Self::ALL.split_at(Self::ALL.len() - 1).0;

    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Assistant,
        Self::Contacts,
        Self::Days,
        Self::Hours,
        Self::Zone,
        Self::Cap,
        Self::AtOnce,
        Self::Delay,
        Self::Attempts,
        Self::Script,
        Self::Summary,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Assistant => "Assistant",
            Self::Contacts => "Contacts",
            Self::Days => "Days",
            Self::Hours => "Hours",
            Self::Zone => "Time zone",
            Self::Cap => "Daily cap",
            Self::AtOnce => "At once",
            Self::Delay => "Delay",
            Self::Attempts => "Attempts",
            Self::Script => "Script",
            Self::Summary => "",
        }
    }

    pub fn hint(self) -> &'static str {
        match self {
            Self::Name => "such as Q4 Sales",
            Self::Assistant | Self::Contacts => "left right, or type to find",
            Self::Days => "1 to 7 turn a day on or off; so does Space",
            Self::Hours => "start-end on the clock below; 0-0 sets no limit of its own, legal hours hold",
            Self::Zone => "Area/City: whose clock hours and cap are on; legal hours are on each contact's own",
            Self::Cap => "calls a day",
            Self::AtOnce => "calls ringing or talking",
            Self::Delay => "milliseconds between two dials",
            Self::Attempts => "at most so many a contact, over all results",
            Self::Script => "{name}, {first_name}, {company}, any column, {field|default}; empty: the assistant's. Ctrl-e: your editor",
            Self::Summary => "",
        }
    }
}

/// Monday to Sunday, on or off, and the day under the cursor.
#[derive(Debug, Clone, Copy)]
pub struct Week {
    pub on: [bool; 7],
    pub at: usize,
}

const SHORT: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
pub const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// One of several, found by the arrows or by typing.
#[derive(Debug, Default)]
pub struct Choice {
    pub options: Vec<String>,
    pub at: usize,
    pub typed: String,
}

impl Choice {
    pub fn step(&mut self, by: usize) {
        self.typed.clear();
        if !self.options.is_empty() {
            self.at = (self.at + by) % self.options.len();
        }
    }

    /// What is chosen; under the cursor, that there are more.
    pub fn shown(&self, here: bool) -> String {
        let value = self.options.get(self.at).map_or("(none)", String::as_str);
        if here && self.options.len() > 1 { format!("< {value} >  {} of {}", self.at + 1, self.options.len()) } else { value.to_owned() }
    }

    pub fn find(&mut self, c: char) {
        self.typed.push(c);
        let wanted = self.typed.to_lowercase();
        let starts = |o: &String| o.to_lowercase().starts_with(&wanted);
        let holds = |o: &String| o.to_lowercase().contains(&wanted);
        match self.options.iter().position(starts).or_else(|| self.options.iter().position(holds)) {
            Some(at) => self.at = at,
            None => drop(self.typed.pop()),
        }
    }
}

impl Week {
    pub fn key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Left => self.at = (self.at + 6) % 7,
            KeyCode::Right => self.at = (self.at + 1) % 7,
            KeyCode::Char(' ') => self.on[self.at] = !self.on[self.at],
            KeyCode::Char(c @ '1'..='7') => {
                self.at = usize::from(c as u8 - b'1');
                self.on[self.at] = !self.on[self.at];
            }
            _ => {}
        }
    }

    pub fn days(self) -> Result<Days, String> {
        let on: Vec<&str> = NAMES.iter().zip(self.on).filter(|(_, on)| *on).map(|(n, _)| *n).collect();
        if on.is_empty() {
            return Err("Days: at least one day is needed".to_owned());
        }
        Days::parse(&on).map_err(|d| format!("Days: \"{d}\" is no weekday"))
    }
}

/// `9` or `9:30`.
pub fn time(text: &str) -> Option<(i64, i64)> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    Some((hour.parse().ok()?, minute.parse().ok()?))
}

impl Week {
    pub fn shown(self, here: bool) -> String {
        let day = |i: usize| {
            let name = if self.on[i] { SHORT[i] } else { "-" };
            if here && i == self.at { format!("[{name}]") } else { name.to_owned() }
        };
        (0..7).map(day).collect::<Vec<_>>().join(" ")
    }
}
