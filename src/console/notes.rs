//! What the screen tells beside the rows: the last thing that was done, for a while, and errors, which stay
//! until Esc. One does not push the other away.

use chrono::{DateTime, Duration, Utc};

/// Errors kept for the list of them.
const KEPT: usize = 50;
/// How long something that was done is told.
const TOLD: Duration = Duration::seconds(10);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub at: DateTime<Utc>,
    pub text: String,
}

/// What is told for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub text: String,
    /// Something was done; else why a key does nothing now.
    pub done: bool,
    until: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub struct Notes {
    told: Option<Told>,
    /// Shown until Esc.
    open: Vec<Note>,
    /// Those that were put away, oldest first.
    past: Vec<Note>,
    /// How this screen is set was read, and put away with Esc: the badges in the header say it on.
    read: Vec<String>,
}

impl Notes {
    pub fn done(&mut self, text: String, now: DateTime<Utc>) {
        self.told = Some(Told { text, done: true, until: now + TOLD });
    }

    pub fn hint(&mut self, text: String, now: DateTime<Utc>) {
        self.told = Some(Told { text, done: false, until: now + TOLD });
    }

    /// The same words again only renew their time.
    pub fn wrong(&mut self, text: String, now: DateTime<Utc>) {
        self.open.retain(|n| n.text != text);
        self.open.push(Note { at: now, text });
        if self.open.len() > KEPT {
            self.open.remove(0);
        }
    }

    pub fn banners_read(&mut self, words: Vec<String>) {
        self.read = words;
    }

    #[must_use]
    pub fn is_read(&self, banner: &str) -> bool {
        self.read.iter().any(|words| words == banner)
    }

    /// The errors are put away; whether there was any. What was done goes by itself, and takes no key from anything.
    pub fn dismiss(&mut self) -> bool {
        if self.open.is_empty() {
            self.told = None;
            return false;
        }
        self.past.append(&mut self.open);
        let drop = self.past.len().saturating_sub(KEPT);
        self.past.drain(..drop);
        true
    }

    /// Forgets what was told long enough; whether that shows.
    pub fn tick(&mut self, now: DateTime<Utc>) -> bool {
        self.told.take_if(|t| t.until <= now).is_some()
    }

    #[must_use]
    pub fn is_fading(&self) -> bool {
        self.told.is_some()
    }

    #[must_use]
    pub fn told(&self) -> Option<&Told> {
        self.told.as_ref()
    }

    /// The newest error that stands, and how many do.
    #[must_use]
    pub fn last_wrong(&self) -> Option<(&Note, usize)> {
        self.open.last().map(|n| (n, self.open.len()))
    }

    /// All errors, newest first: those that stand and those put away.
    pub fn all(&self) -> impl Iterator<Item = &Note> {
        self.past.iter().chain(&self.open).rev()
    }
}
