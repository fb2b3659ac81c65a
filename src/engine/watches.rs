//! Two officers that tell followers what reaches us from outside: that somebody asked for a hang-up, and
//! that LiveKit told something by itself. Without them polls find out the same, later.

use std::{collections::HashSet, sync::Arc};

use chrono::Duration;
use tokio::sync::broadcast::error::RecvError;

use super::{
    calls::Calls,
    context::{Context, Stop},
};
use crate::desk::Told;

/// Tells the followers of calls that somebody asked to hang up.
pub(super) struct HangupWatch {
    pub ctx: Arc<Context>,
    pub calls: Arc<Calls>,
}

impl HangupWatch {
    pub async fn run(self, stop: Stop) {
        let store = self.ctx.desk.store();
        let mut bell = store.bell();
        loop {
            match store.hangups().await {
                Ok(ids) => self.calls.following.hangups_asked(ids.into_iter().collect::<HashSet<_>>()),
                Err(e) => tracing::warn!(target: "engine", error = %e, "hang-up requests cannot be read"),
            }
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = self.calls.drained(&self.ctx, &stop) => return,
                _ = bell.changed() => self.ctx.sleep(Duration::milliseconds(20)).await,
                () = self.ctx.sleep(Duration::seconds(10)) => {}
            }
        }
    }
}

/// Rings the bells of calls that LiveKit tells something of, and notes that it does tell.
pub(super) struct ToldWatch {
    pub ctx: Arc<Context>,
    pub calls: Arc<Calls>,
}

impl ToldWatch {
    pub async fn run(self, stop: Stop) {
        let following = &self.calls.following;
        let mut told = self.ctx.desk.told();
        loop {
            let news = tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = self.calls.drained(&self.ctx, &stop) => return,
                news = told.recv() => news,
            };
            following.told(self.ctx.now());
            match news {
                Ok(Told { call: Some(call), left: true }) => following.ring(call),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => following.ring_all(),
                Err(RecvError::Closed) => return,
            }
        }
    }
}
