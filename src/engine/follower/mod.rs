//! One call from its dial to its end: polls the room, hangs up when asked, and turns what it sees into
//! facts. Polling alone is enough for everything; webhooks only make it quicker. The row is read again
//! before each look: it may have ended by another door.

mod ending;
mod follow;
mod hangup;
mod leg;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use tokio::sync::Notify;

pub use follow::Follow;

use super::{calls::Calls, context::Context, health::Health, supervisor::Supervisor};
use crate::{
    domain::event::{Kind, Source},
    failpoint::reach,
    store::CallRow,
    telephony::Participant,
};
use hangup::HangUp;

const RINGING_POLL: Duration = Duration::seconds(1);
/// A talk: its agent's last words are attributes that go with it, and only a webhook tells of it sooner.
const TALKING_POLL: Duration = Duration::seconds(2);
/// The same while webhooks come.
const TOLD_POLL: Duration = Duration::seconds(5);
/// Webhooks come, if one has within this.
const TOLD_WITHIN: Duration = Duration::minutes(1);

/// Follows one call.
pub struct Follower {
    ctx: Arc<Context>,
    health: Arc<Health>,
    calls: Arc<Calls>,
    f: Follow,
}

/// What to do after a look.
enum Next {
    Again(Duration),
    Done,
}

impl Follower {
    /// Starts the call's task; nothing where a task of this engine follows it already.
    pub fn start(supervisor: &Supervisor, ctx: Arc<Context>, health: Arc<Health>, calls: Arc<Calls>, f: Follow) {
        let call = f.call;
        let Some(bell) = calls.following.begin(call) else { return };
        let broken = calls.clone();
        let follower = Self { ctx, health, calls, f };
        supervisor.start_with("follower", follower.run(bell), move || broken.following.forsake(call));
    }

    async fn run(mut self, bell: Arc<Notify>) {
        let mut hangups = self.calls.following.hangups();
        let mut next = self.ctx.now() + if self.f.reply_out { RINGING_POLL } else { Duration::zero() };
        loop {
            let wants_hangup = hangups.borrow_and_update().contains(&self.f.call);
            if wants_hangup && self.f.hangup.is_none() {
                self.f.hangup = Some(HangUp::new(self.ctx.now()));
                next = self.ctx.now();
            }
            tokio::select! {
                biased;
                () = self.ctx.clock.sleep_until(next) => match self.look().await {
                    Next::Again(wait) => next = self.ctx.now() + wait,
                    Next::Done => break,
                },
                // The dial's reply is there, or LiveKit told of somebody who left.
                () = bell.notified() => next = self.ctx.now(),
                _ = hangups.changed() => {}
            }
        }
        self.calls.following.end(self.f.call);
    }

    async fn tell(&self, source: Source, kind: Kind) {
        self.tell_of(source, kind, self.ctx.now()).await;
    }

    /// Tells what happened at a moment that is over.
    async fn tell_of(&self, source: Source, kind: Kind, at: DateTime<Utc>) {
        self.ctx.tell(self.f.call, source, kind, at).await;
    }

    /// One look at the row and the room.
    async fn look(&mut self) -> Next {
        // Before the row: who sends no longer has recorded the reply.
        self.f.reply_out = self.calls.following.is_sending(self.f.call);
        let row = match self.ctx.desk.store().any_call(self.f.call).await {
            Ok(Some(row)) => row,
            Ok(None) => return Next::Done,
            Err(e) => {
                tracing::warn!(target: "engine", error = %e, "a call's row cannot be read");
                return Next::Again(RINGING_POLL);
            }
        };
        if row.reply_pending && !self.f.reply_out {
            self.tell(Source::Engine, Kind::ReplyLost { cause: self.f.if_lost }).await;
            return Next::Again(Duration::zero());
        }
        if row.state.is_ended() && !self.f.reply_out && row.answered_at.is_none() {
            // Nobody talked: nothing to report, the agent is needed elsewhere.
            self.clear().await;
            return Next::Done;
        }
        if !row.state.is_ended() {
            self.hang_up().await;
        }
        let asked = self.ctx.now();
        let here = match self.ctx.carrier.look(self.f.room.clone()).await {
            Ok(here) => here,
            Err(e) => {
                self.health.network_failed(&e).await;
                return self.blind(&row).await;
            }
        };
        self.health.answered_since(asked);
        self.health.network_answers().await;
        reach("follow.looked");
        self.see_agent(&here).await;
        if row.state.is_ended() {
            return self.after_the_end(&row, &here).await;
        }
        match here.iter().find(|p| p.is_callee()) {
            Some(leg) => self.see_call(&row, leg, &here).await,
            None => self.see_no_leg(&row, &here).await,
        }
    }

    async fn see_call(&mut self, row: &CallRow, leg: &Participant, here: &[Participant]) -> Next {
        let alone = self.see_whether_alone(row, leg, here).await;
        match (self.see_leg(row, leg).await, alone) {
            (Next::Again(wait), Some(soon)) => Next::Again(wait.min(soon)),
            (next, _) => next,
        }
    }

    /// How often a talk is looked at.
    fn talking_poll(&self) -> Duration {
        let told = self.calls.following.told_at().is_some_and(|t| self.ctx.now() - t < TOLD_WITHIN);
        if told { TOLD_POLL } else { TALKING_POLL }
    }
}
