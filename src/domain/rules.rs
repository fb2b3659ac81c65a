//! What the installation allows at most, handed to whoever judges a dial.

use serde::{Deserialize, Serialize};

use super::{
    breaker,
    schedule::{Days, Window},
};

/// Compliance profile of the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// 8 to 21 on the contact's clock.
    #[default]
    Default,
    /// 9 to 20, no Sunday.
    Us,
    /// No legal hours: said on the screen.
    None,
}

impl Profile {
    /// The widest hours on the contact's own clock: outside of them no law is open. `None` under the
    /// profile without any.
    #[must_use]
    pub fn contact_window(self) -> Option<Window> {
        match self {
            Self::Default => Some(Window::daily(8, 21)),
            Self::Us => {
                let days = Days::parse(&["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]).unwrap_or(Days::WORKDAYS);
                Window::new(days, 9 * 60, 20 * 60)
            }
            Self::None => None,
        }
    }
}

/// The installation's rules, handed to whoever judges.
#[derive(Debug, Clone)]
pub struct Rules {
    pub profile: Profile,
    /// ISO countries allowed; empty: those of the trunk's numbers.
    pub countries: Vec<String>,
    pub attempts_per_24h: i64,
    /// Dials a second per trunk.
    pub calls_per_second: f64,
    /// Lines a trunk carries at once.
    pub trunk_concurrent: i64,
    pub breaker: breaker::Limits,
    /// The LiveKit is not on this machine: the terms must be accepted.
    pub real_phones: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            profile: Profile::Default,
            countries: Vec::new(),
            attempts_per_24h: 3,
            calls_per_second: 1.0,
            trunk_concurrent: 10,
            breaker: breaker::Limits::default(),
            real_phones: false,
        }
    }
}
