//! The calls in this engine's hands: those being prepared, and those being followed. Nothing of it must
//! survive: the rows tell the next engine what is on the line.

mod following;
mod preparing;

use chrono::Duration;
use tokio::sync::Notify;

pub use following::Following;
pub use preparing::Preparing;

use super::context::{Context, Stop};
use crate::domain::id::CallId;

#[derive(Default)]
pub struct Calls {
    pub preparing: Preparing,
    pub following: Following,
    /// Rung when somebody has answered: what is to be recorded of a short talk begins at once.
    pub answered: Notify,
}

impl Calls {
    /// Whether a task of this engine looks after a call. In this order: who is no longer prepared is
    /// followed already.
    pub fn in_hands(&self, call: CallId) -> bool {
        self.preparing.has(call) || self.following.has(call)
    }

    /// A dialler broke down: its claim runs out by its lease, and where it has armed its call somebody
    /// must follow it.
    pub fn dialler_broke(&self, call: CallId) {
        if !self.following.has(call) {
            self.following.forsake(call);
        }
        self.preparing.end(call);
    }

    /// Resolves when draining and no call is in our hands, nor waits to be taken up again.
    pub async fn drained(&self, ctx: &Context, stop: &Stop) {
        stop.drain.cancelled().await;
        while !self.preparing.is_empty() || !self.following.is_empty() {
            ctx.sleep(Duration::milliseconds(200)).await;
        }
    }
}
