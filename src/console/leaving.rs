//! What the program does when it is told to end, and how: how long it waits, and who goes on without a screen.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::Ending;

/// What the program does when it is told to end: it dials no more, and waits so long at most.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    dial_no_more: Option<watch::Sender<bool>>,
    pub limit: Duration,
    begun: Arc<Mutex<Option<Instant>>>,
}

impl Drain {
    #[must_use]
    pub fn new(dial_no_more: watch::Sender<bool>, limit: Duration) -> Self {
        Self { dial_no_more: Some(dial_no_more), limit, begun: Arc::default() }
    }

    /// From now on nothing new is dialled.
    pub fn begin(&self) {
        self.hold(true);
        self.begun.lock().get_or_insert_with(Instant::now);
    }

    /// Somebody stays after all: what runs dials again.
    pub fn stay(&self) {
        self.hold(false);
        *self.begun.lock() = None;
    }

    fn hold(&self, held: bool) {
        if let Some(dial_no_more) = &self.dial_no_more {
            dial_no_more.send_replace(held);
        }
    }

    /// What is left of the limit, where the screen has waited already.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.begun.lock().as_ref().map_or(Duration::ZERO, Instant::elapsed))
    }
}

/// The end that was asked for, and when it comes at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    pub ending: Ending,
    pub until: Option<DateTime<Utc>>,
}

/// A background process that takes over: asked for, it answers with its number.
#[derive(Clone)]
pub struct Keeper(Arc<dyn Fn() -> Result<u32, String> + Send + Sync>);

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

impl Keeper {
    #[must_use]
    pub fn new(start: impl Fn() -> Result<u32, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(start))
    }

    /// Starts it; takes as long as it takes to start.
    ///
    /// # Errors
    /// In words, when nothing goes on.
    pub fn start(&self) -> Result<u32, String> {
        (self.0)()
    }
}
