//! Whether this host's time of day can be true. Which hours are legal, and which day a call counts for,
//! hang on it, so nothing is dialled on a doubt. Its judges are LiveKit, where that has a clock of its
//! own, and the database: a server's clock, and that nobody writes it ahead of time. Where hosts share a database, its
//! distance is looked at with its clock.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;

use super::{
    calls::Calls,
    context::{Context, Stop},
    health::Health,
};
use crate::desk::{DeskError, SKEW};

/// Between two looks at a database that hosts share.
const EVERY: Duration = Duration::seconds(2);

pub(super) struct Timekeeper {
    ctx: Arc<Context>,
    health: Arc<Health>,
    /// Why this host must not dial with a database that others share, as it was seen last.
    unfit: Mutex<Option<String>>,
}

impl Timekeeper {
    pub fn new(ctx: Arc<Context>, health: Arc<Health>) -> Self {
        Self { ctx, health, unfit: Mutex::default() }
    }

    /// Before anything is taken over: by a wrong clock calls that are live would be given up.
    pub async fn is_right_at_start(&self) -> Result<bool, DeskError> {
        self.ctx.clock.believe();
        self.look_at_database().await;
        if let Some(words) = self.unfit() {
            return Ok(self.judged(Some(words)).await);
        }
        let theirs = match self.ctx.carrier.time().await {
            Ok(theirs) => theirs,
            Err(e) => {
                // Without it nothing can be done about calls either.
                self.health.network_failed(&e).await;
                return Ok(false);
            }
        };
        let now = self.ctx.now();
        let doubt = match theirs {
            Some(theirs) if (theirs - now).abs() <= SKEW => None,
            Some(theirs) => Some(format!("this host's clock says {} and LiveKit's {}: nothing is dialled meanwhile. Set it right", shown(now), shown(theirs))),
            None => self.ctx.desk.store().last_written().await?.filter(|t| *t - now > SKEW).map(|t| {
                let (now, t) = (shown(now), shown(t));
                format!("this host's clock says {now}, but the database was written at {t}: nothing is dialled meanwhile. Set it right; if it is right, `dialdeck stop-all --release` says so")
            }),
        };
        Ok(self.judged(doubt).await)
    }

    /// Looks at the database's clock and distance, where hosts share one. One that cannot be asked cannot be dialled with
    /// either.
    pub async fn look_at_database(&self) {
        match self.ctx.desk.unfit_to_dial().await {
            Ok(words) => *self.unfit.lock() = words,
            Err(e) => tracing::warn!(target: "engine", error = %e, "the database's clock cannot be read"),
        }
    }

    /// The same again and again, with the heartbeat of the lease.
    pub async fn keep_looking(self: Arc<Self>, calls: Arc<Calls>, stop: Stop) {
        let mut ready = self.health.ready();
        tokio::select! {
            ready = ready.wait_for(|ready| *ready) => if ready.is_err() { return },
            () = calls.drained(&self.ctx, &stop) => return,
        }
        loop {
            tokio::select! {
                () = calls.drained(&self.ctx, &stop) => return,
                () = self.ctx.sleep(EVERY) => {}
            }
            self.look_at_database().await;
            self.is_right().await;
        }
    }

    fn unfit(&self) -> Option<String> {
        self.unfit.lock().clone()
    }

    /// Whether nobody has set this host's time of day since; a new one is believed when LiveKit's clock
    /// agrees with it.
    pub async fn is_right(&self) -> bool {
        let clock = &self.ctx.clock;
        let Some(by) = clock.stepped() else { return self.judged(self.unfit()).await };
        let now = clock.now();
        if let Ok(Some(theirs)) = self.ctx.carrier.time().await
            && (theirs - now - by).abs() <= SKEW
        {
            tracing::warn!(target: "engine", "this host's clock was set from {} to {}, as LiveKit's", shown(now), shown(now + by));
            clock.believe();
            return self.judged(self.unfit()).await;
        }
        let words = format!("this host's clock was set from {} to {}", shown(now), shown(now + by));
        self.judged(Some(format!("{words}: nothing is dialled meanwhile. Set it right; if it is right, restart dialdeck"))).await
    }

    async fn judged(&self, doubt: Option<String>) -> bool {
        let right = doubt.is_none();
        self.health.clock_judged(doubt).await;
        right
    }
}

fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
