//! A hang-up: `DeleteRoom`, repeated until nobody is listed any more. Before the dial has its reply
//! neither its 200 nor its `not_found` means that the phone is silent.

use chrono::{DateTime, Duration, Utc};

use super::Follower;
use crate::telephony::Deleted;

/// Until the dial has its reply the request may be on its way, and the leg come any moment.
const REPEAT: Duration = Duration::milliseconds(250);
/// What a LiveKit that cannot do it is asked no more often than.
const SLOWEST: Duration = Duration::seconds(5);
/// The same while a request that was given up may still arrive.
const SLOWEST_IN_DOUBT: Duration = Duration::seconds(1);
const ALARM: Duration = Duration::seconds(10);

pub struct HangUp {
    since: DateTime<Utc>,
    wait: Duration,
    /// The last `DeleteRoom` was taken.
    pub taken: bool,
    warned: bool,
    alarmed: bool,
}

impl HangUp {
    pub fn new(since: DateTime<Utc>) -> Self {
        Self { since, wait: REPEAT, taken: false, warned: false, alarmed: false }
    }

    /// How long until it is tried again: while the dial's reply is out, and before its deadline, more often.
    pub fn pause(&mut self, reply_out: bool, in_doubt: bool) -> Duration {
        if reply_out {
            return REPEAT;
        }
        let slowest = if in_doubt { SLOWEST_IN_DOUBT } else { SLOWEST };
        let wait = self.wait;
        self.wait = (wait * 2).min(SLOWEST);
        wait.min(slowest)
    }
}

impl Follower {
    /// One try, where somebody asked for it.
    pub(super) async fn hang_up(&mut self) {
        let Self { ctx, f, .. } = self;
        let Some(h) = f.hangup.as_mut() else { return };
        h.taken = false;
        match ctx.carrier.delete_room(f.room.clone()).await {
            Ok(Deleted::Yes | Deleted::NotThere) => h.taken = true,
            Ok(Deleted::Astray) => f.doubt.astray = true,
            Err(e) if h.warned => tracing::debug!(target: "engine", call = %f.call, error = %e, "a hang-up was not taken"),
            Err(e) => {
                h.warned = true;
                tracing::warn!(target: "engine", call = %f.call, error = %e, "a hang-up was not taken; it is tried again until it is");
            }
        }
        let late = ctx.now() - h.since > ALARM;
        if late && !h.alarmed {
            h.alarmed = true;
            let latest = f.longest();
            tracing::error!(target: "engine", call = %f.call, "hang-up: may still be talking, ends by {} UTC at the latest", latest.format("%H:%M:%S"));
        }
    }
}
