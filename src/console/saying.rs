//! How a thing is said on the screen: in this console's keys, with as much of a number as may be seen, in the colour
//! of its age.

use ratatui::style::Style;

use super::{remedies, state::State};
use crate::domain::phone;

impl State {
    /// The colour of something so many seconds old, by the limits of its kind.
    #[must_use]
    pub fn late(&self, seconds: i64, (warn, error): (i64, i64), otherwise: &str) -> Style {
        self.theme.style(if seconds >= error {
            "error"
        } else if seconds >= warn {
            "warn"
        } else {
            otherwise
        })
    }

    /// A number as it may be shown.
    #[must_use]
    pub fn number(&self, e164: &str) -> String {
        match self.mask {
            0 => phone::spaced(e164),
            1 => crate::domain::text::tail(e164),
            _ => "hidden".to_owned(),
        }
    }

    /// A sentence of the desk or the engine, with this console's keys in the place of commands.
    #[must_use]
    pub fn in_keys(&self, text: &str) -> String {
        if self.options.plain { text.replace("`:", "`") } else { remedies::in_keys(&self.keys, text) }
    }

    pub fn say(&mut self, text: impl Into<String>) {
        self.notes.done(self.in_keys(&text.into()), self.now);
    }

    /// Why a key does nothing now.
    pub fn hint(&mut self, text: impl Into<String>) {
        self.notes.hint(self.in_keys(&text.into()), self.now);
    }

    /// Stays until Esc: it has a way out to be read.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.notes.wrong(self.in_keys(&text.into()), self.now);
    }
}
