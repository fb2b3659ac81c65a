//! Tells followers that LiveKit told something by itself. Without it polls find out the same, later.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;

use super::{
    calls::Calls,
    context::{Context, Stop},
};
use crate::desk::Told;

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
