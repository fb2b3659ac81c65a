//! A second process on the same database follows, and takes engine and listener over when the first
//! is gone: its lock has fallen free, or it has been silent for longer than its lease (a stopped
//! process holds its lock for ever). Safe either way: nothing is claimed or armed but by the engine
//! that the database names as its leader, so one that wakes up later can do no harm.

use std::{fs::File, path::Path, sync::Arc};

use chrono::Duration as Span;

use super::{App, AppError, StartOptions, lock, lock_path};
use crate::config::Config;

/// Between two looks at the lock.
const EVERY: Span = Span::seconds(2);

/// An engine that has not said a word for so long is dead or stopped. Its heartbeat comes every 10 s.
const LEASE: Span = Span::seconds(30);

impl App {
    /// Waits for its turn in the background. `self` is a twin of the app that the console holds.
    pub(super) async fn stand_by(mut self, config: Config, options: StartOptions) {
        let lock = loop {
            tokio::select! {
                () = self.clock.sleep_until(self.clock.now() + EVERY) => {}
                () = self.listener.cancelled() => return,
            }
            match self.turn().await {
                Ok(Some(lock)) => break lock,
                Ok(None) => {}
                Err(e) => tracing::warn!(target: "app", error = %e, "the lock beside the database cannot be tried"),
            }
        };
        tracing::warn!(target: "app", "the engine that was followed is gone: this process takes over");
        self.lock = Some(Arc::new(lock));
        self.following.send_replace(None);
        while let Err(e) = self.lead(&config, options, true).await {
            tracing::error!(target: "app", error = %e, "taking over failed; it is tried again");
            let pid = self.desk.store().engine().await.ok().flatten().map_or(0, |e| e.pid);
            self.following.send_replace(Some(format!("taking over: {e}. If process {pid} is stopped and holds the database, end it")));
            tokio::select! {
                () = self.clock.sleep_until(self.clock.now() + EVERY) => {}
                () = self.listener.cancelled() => return,
            }
        }
        self.following.send_replace(None);
        // The lock is this task's: held as long as the app lives.
        self.listener.cancelled().await;
        for task in &mut self.tasks {
            drop(tokio::time::timeout(std::time::Duration::from_secs(2), task).await);
        }
    }

    /// The lock, when it is free or its holder has been silent too long.
    async fn turn(&self) -> Result<Option<File>, AppError> {
        let database = Path::new(self.desk.store().path());
        if let Some(lock) = lock(database)? {
            return Ok(Some(lock));
        }
        let silent = self.desk.store().engine().await?.is_some_and(|e| self.clock.now() - e.heartbeat_at > LEASE);
        if !silent {
            return Ok(None);
        }
        // The holder keeps its lock on a file that has no name any more.
        tracing::warn!(target: "app", "the engine that holds the lock has been silent for {} s", LEASE.num_seconds());
        std::fs::remove_file(lock_path(database))?;
        lock(database)
    }
}
