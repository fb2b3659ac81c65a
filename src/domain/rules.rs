//! What the installation allows at most, handed to whoever judges a dial.

use serde::{Deserialize, Serialize};

use chrono::Duration;

use super::{breaker, legal};

/// Compliance profile of the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The table of laws.
    #[default]
    Default,
    /// Beside the table 9 to 20, no Sunday, no federal holiday, and no call without consent.
    Us,
    /// No legal hours: said on the screen.
    None,
}

/// The installation's rules, handed to whoever judges.
#[derive(Debug, Clone)]
pub struct Rules {
    pub profile: Profile,
    /// ISO countries allowed; empty: those of the trunk's numbers.
    pub countries: Vec<String>,
    pub attempts_per_24h: i64,
    /// An artificial voice speaks: the rows of automatic calls hold too.
    pub automated_voice: bool,
    /// Countries without a row are open on working days, 9 to 20.
    pub unlisted_open: bool,
    /// Who has talked to us is left alone for so long, by whatever campaign, but for what was promised.
    pub rest_after_talk: Duration,
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
            automated_voice: true,
            unlisted_open: false,
            rest_after_talk: Duration::hours(24),
            calls_per_second: 1.0,
            trunk_concurrent: 10,
            breaker: breaker::Limits::default(),
            real_phones: false,
        }
    }
}

impl Rules {
    /// How the table of laws is read; `None` under the profile without any.
    #[must_use]
    pub fn reading(&self) -> Option<legal::Reading> {
        let reading = legal::Reading { careful_us: self.profile == Profile::Us, automatic: self.automated_voice, unlisted_open: self.unlisted_open };
        (self.profile != Profile::None).then_some(reading)
    }
}
