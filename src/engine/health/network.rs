//! LiveKit itself: whether it can be asked, and when it is asked again.

use chrono::{DateTime, Utc};

use super::backoff;
use crate::telephony::CarrierError;

#[derive(Default)]
pub struct Network {
    /// Told to every console; empty when all is well.
    pub words: String,
    /// It is not asked again before.
    closed_until: Option<DateTime<Utc>>,
    failures: usize,
    /// What answers is no LiveKit, or not to our key.
    pub misled: bool,
}

impl Network {
    /// It failed: waits, longer each time. `false` where it is being waited for already.
    pub fn fails(&mut self, error: &CarrierError, now: DateTime<Utc>) -> bool {
        if self.closed_until(now).is_some() {
            return false;
        }
        self.closed_until = Some(now + backoff(self.failures));
        self.failures += 1;
        self.words = error.to_string();
        self.misled = matches!(error, CarrierError::Route { .. } | CarrierError::Login { .. });
        true
    }

    /// It answers: what was wrong until now, if anything was.
    pub fn answers(&mut self) -> Option<String> {
        let troubled = self.failures > 0 || !self.words.is_empty();
        troubled.then(|| std::mem::take(self).words)
    }

    pub fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.closed_until.filter(|t| *t > now)
    }

    /// The wait is over but nobody has looked yet.
    pub fn must_look(&self, now: DateTime<Utc>) -> bool {
        self.failures > 0 && self.closed_until(now).is_none()
    }
}
