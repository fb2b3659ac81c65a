//! Supervisors' phones that are in calls: each has a line of its call's trunk, which is given back when the phone is
//! off, or cannot be on any more. Whoever rang it may be gone: the rows tell of it.

use std::{collections::HashSet, sync::Arc};

use chrono::Duration;
use tokio::sync::watch;

use super::{
    calls::Calls,
    context::{Context, Stop},
};
use crate::{
    desk::{DeskError, supervisor_identity},
    domain::{
        id::RequestId,
        request::{Fate, Verdict},
    },
    store::ListeningLine,
};

const EVERY: Duration = Duration::seconds(1);
/// A phone of which nobody knows whether it was rung may come into the room so late.
const MAY_COME: Duration = Duration::seconds(90);

pub(super) struct Listeners {
    ctx: Arc<Context>,
    calls: Arc<Calls>,
    /// True once the engine has taken over.
    ready: watch::Receiver<bool>,
    /// Those that the last look did not see: the second is believed.
    missed: HashSet<RequestId>,
}

impl Listeners {
    pub fn new(ctx: Arc<Context>, calls: Arc<Calls>, ready: watch::Receiver<bool>) -> Self {
        Self { ctx, calls, ready, missed: HashSet::new() }
    }

    pub async fn run(mut self, stop: Stop) {
        loop {
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = self.calls.drained(&self.ctx, &stop) => return,
                () = self.ctx.sleep(EVERY) => {}
            }
            // The books are put right first: a line that was never counted must not be given back.
            if !*self.ready.borrow() {
                continue;
            }
            if let Err(e) = self.round().await {
                tracing::warn!(target: "engine", error = %e, "lines of phones that listen wait to be given back");
            }
        }
    }

    async fn round(&mut self) -> Result<(), DeskError> {
        let lines = self.ctx.desk.store().listening_lines().await?;
        self.missed.retain(|id| lines.iter().any(|l| l.request_id == *id));
        for line in lines {
            if self.is_off(&line).await {
                self.ctx.desk.free_listening_line(line.request_id).await?;
            }
        }
        Ok(())
    }

    async fn is_off(&mut self, line: &ListeningLine) -> bool {
        let now = self.ctx.now();
        if now >= line.until {
            return true;
        }
        match line.result.as_ref().map(|r| &r.0) {
            // Whoever rings it tells.
            None => return false,
            Some(Verdict { fate: Fate::Unknown, .. }) if now < line.taken_at + MAY_COME => return false,
            Some(_) => {}
        }
        let Some(room) = &line.room_name else { return true };
        if self.is_missed(room, &supervisor_identity(line.request_id)).await {
            return !self.missed.insert(line.request_id);
        }
        self.missed.remove(&line.request_id);
        false
    }

    /// Whether a look proves that it is not there. An empty list of a room that exists proves nothing.
    async fn is_missed(&self, room: &str, identity: &str) -> bool {
        let Ok(here) = self.ctx.carrier.look(room.to_owned()).await else { return false };
        if here.iter().any(|p| p.identity == identity) {
            return false;
        }
        if here.iter().any(|p| p.is_callee() || p.is_any_agent()) {
            return true;
        }
        self.ctx.carrier.rooms(vec![room.to_owned()]).await.is_ok_and(|rooms| !rooms.iter().any(|r| r == room))
    }
}
