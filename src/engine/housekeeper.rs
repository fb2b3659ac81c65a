//! The housekeeper: goes on with what stops have left in queues, lets words find new calls, and removes what is older
//! than it need be.
//! It decides nothing about calls, and keeps still while the clock is in doubt: what is old hangs on it.

use chrono::{DateTime, Duration, Utc};
use tokio::sync::watch;

use super::context::Stop;
use crate::{
    clock::SharedClock,
    desk::{Desk, DeskError, Removed},
    domain::retention::Retention,
};

pub(super) struct Housekeeper {
    pub desk: Desk,
    pub clock: SharedClock,
    pub keep: Retention,
    /// True once the engine has taken over, by a clock that was found right.
    pub ready: watch::Receiver<bool>,
    /// Between two looks for stops that are not carried out.
    pub every: Duration,
    /// Between two removals of what is old.
    pub tidy_every: Duration,
}

impl Housekeeper {
    pub fn new(desk: Desk, clock: SharedClock, keep: Retention, ready: watch::Receiver<bool>) -> Self {
        Self { desk, clock, keep, ready, every: Duration::seconds(10), tidy_every: Duration::hours(1) }
    }

    pub async fn run(mut self, stop: Stop) {
        tokio::select! {
            biased;
            () = stop.now.cancelled() => return,
            () = stop.drain.cancelled() => return,
            _ = self.ready.wait_for(|r| *r) => {}
        }
        let mut tidy_at = self.clock.now() + self.every;
        let mut counted = false;
        loop {
            // A round that is broken off has done whole slices; the next one goes on.
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = stop.drain.cancelled() => return,
                done = self.round(&mut tidy_at, &mut counted) => {
                    if let Err(e) = done {
                        tracing::warn!(target: "engine", error = %e, "housekeeping waits");
                    }
                }
            }
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = stop.drain.cancelled() => return,
                () = self.clock.sleep_until(self.clock.now() + self.every) => {}
            }
        }
    }

    async fn round(&self, tidy_at: &mut DateTime<Utc>, counted: &mut bool) -> Result<(), DeskError> {
        if !*counted {
            self.desk.check_counts().await?;
            *counted = true;
        }
        self.desk.empty_stopped().await?;
        self.desk.index_calls().await?;
        let now = self.clock.now();
        if now < *tidy_at || self.clock.stepped().is_some() {
            return Ok(());
        }
        let removed = self.desk.tidy(&self.keep).await?;
        if removed != Removed::default() {
            let Removed { keys, events, audit, calls } = removed;
            tracing::info!(target: "engine", keys, events, audit, calls, "removed what is older than [retention] keeps");
        }
        *tidy_at = now + self.tidy_every;
        Ok(())
    }
}
