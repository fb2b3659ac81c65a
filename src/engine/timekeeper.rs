//! Whether this host's time of day can be true. Which hours are legal, and which day a call counts for,
//! hang on it, so nothing is dialled on a doubt. Its judges are LiveKit, where that has a clock of its
//! own, and the database, which nobody writes ahead of time.

use chrono::{DateTime, Duration, Utc};

use super::Engine;
use crate::{desk::DeskError, telephony::CarrierError};

/// Two clocks that differ by more are not both right.
const SKEW: Duration = Duration::seconds(60);

impl Engine {
    /// Before anything is taken over: by a wrong clock calls that are live would be given up.
    pub(super) async fn clock_is_right_at_start(&self) -> Result<bool, DeskError> {
        self.clock.believe();
        let theirs = match self.carrier.time().await {
            Ok(theirs) => theirs,
            Err(e) => {
                // Without it nothing can be done about calls either.
                self.network_failed(&e).await;
                return Ok(false);
            }
        };
        let now = self.clock.now();
        let doubt = match theirs {
            Some(theirs) if (theirs - now).abs() <= SKEW => None,
            Some(theirs) => Some(format!("this host's clock says {} and LiveKit's {}: nothing is dialled meanwhile. Set it right", shown(now), shown(theirs))),
            None => self.desk.store().last_written().await?.filter(|t| *t - now > SKEW).map(|t| {
                let (now, t) = (shown(now), shown(t));
                format!("this host's clock says {now}, but the database was written at {t}: nothing is dialled meanwhile. Set it right; if it is right, `dialdeck stop-all --release` says so")
            }),
        };
        Ok(self.clock_judged(doubt).await)
    }

    /// Whether nobody has set this host's time of day since; a new one is believed when LiveKit's clock
    /// agrees with it.
    pub(super) async fn clock_is_right(&self) -> bool {
        let Some(by) = self.clock.stepped() else { return self.clock_judged(None).await };
        let now = self.clock.now();
        if let Ok(Some(theirs)) = self.carrier.time().await
            && (theirs - now - by).abs() <= SKEW
        {
            tracing::warn!(target: "engine", "this host's clock was set from {} to {}, as LiveKit's", shown(now), shown(now + by));
            self.clock.believe();
            return self.clock_judged(None).await;
        }
        let words = format!("this host's clock was set from {} to {}", shown(now), shown(now + by));
        self.clock_judged(Some(format!("{words}: nothing is dialled meanwhile. Set it right; if it is right, restart dialdeck"))).await
    }

    pub(super) fn clock_is_doubted(&self) -> bool {
        self.health.lock().clock_words.is_some()
    }

    async fn clock_judged(&self, doubt: Option<String>) -> bool {
        let right = doubt.is_none();
        {
            let mut health = self.health.lock();
            if doubt.is_some() == health.clock_words.is_some() {
                return right;
            }
            health.clock_words.clone_from(&doubt);
        }
        let words = doubt.unwrap_or_else(|| "this host's clock is right again".to_owned());
        tracing::warn!(target: "engine", "{words}");
        self.publish().await;
        right
    }

    /// While nothing may be taken over, a hang-up that somebody asked for is done all the same.
    pub(super) async fn hang_up_asked(&self) -> Result<(), DeskError> {
        for row in self.desk.store().open_calls().await?.into_iter().filter(|r| r.hangup_requested_at.is_some()) {
            if let Some(Err(e)) = self.delete_room_of(row).await {
                tracing::warn!(target: "engine", error = %e, "a hang-up was not taken");
            }
        }
        Ok(())
    }

    async fn delete_room_of(&self, row: crate::store::CallRow) -> Option<Result<(), CarrierError>> {
        Some(self.carrier.delete_room(row.room_name?).await.map(drop))
    }
}

fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
