//! How long what has happened is kept. Less than the gates look back is not offered: who was called, how
//! often and with what result is also what keeps somebody from being called again.

use chrono::Duration;

/// How long each is kept; `None` for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Calls of campaigns that have done nothing for so long.
    pub calls: Option<Duration>,
    pub audit: Option<Duration>,
    /// What LiveKit and Twilio told, as it came.
    pub events: Option<Duration>,
    /// Replies under an idempotency key.
    pub keys: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |n| Some(Duration::days(n));
        Self { calls: days(400), audit: days(400), events: days(400), keys: days(1) }
    }
}

impl Retention {
    pub const FOR_EVER: Self = Self { calls: None, audit: None, events: None, keys: None };
}
