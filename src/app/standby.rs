//! A second process on the same database follows, and takes engine and listener over when the first
//! is gone: its lock has fallen free, or it has written no mark for longer than its lease (a stopped
//! process holds its lock for ever). The mark, not the engine's heartbeat: a process that was told not
//! to dial has no engine, and must not be replaced by one that would. Safe either way: nothing is claimed or armed but by the engine
//! that the database names as its leader, so one that wakes up later can do no harm.

use std::{
    fs::File,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use chrono::Duration as Span;

use super::{
    App, AppError, StartOptions,
    lock::{lock, lock_path},
};
use crate::config::Config;

/// Between two looks at the lock.
const EVERY: Span = Span::seconds(2);

/// A holder that has written no mark for so long is stopped. It writes every 2 s.
const LEASE: Duration = Duration::from_secs(30);

/// The last mark seen, and since when it has been that one: by a clock that neither a changed time of
/// day nor a suspended host can hurry.
type Seen = Option<(SystemTime, Instant)>;

impl App {
    /// Words, where an engine of another host dials with this database.
    pub(super) async fn other_host(&self) -> Result<Option<String>, AppError> {
        let lease = self.desk.store().lease().await?.filter(|lease| lease.left > 0.0);
        Ok(lease.map(|lease| format!("{} dials with this database: this host listens, shows and steers", lease.host)))
    }

    /// Waits for its turn in the background. `self` is a twin of the app that the console holds.
    pub(super) async fn stand_by(mut self, config: Config, options: StartOptions) {
        let mut seen: Seen = None;
        let lock = loop {
            tokio::select! {
                () = self.clock.sleep_until(self.clock.now() + EVERY) => {}
                () = self.listener.cancelled() => return,
            }
            match self.turn(&mut seen) {
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
        // The lock is this task's: held as long as the app lives.
        self.listener.cancelled().await;
        for task in &mut self.tasks {
            drop(tokio::time::timeout(Duration::from_secs(2), task).await);
        }
    }

    /// The lock, when it is free or its holder has been silent too long.
    fn turn(&self, seen: &mut Seen) -> Result<Option<File>, AppError> {
        let database = self.beside.as_path();
        if let Some(lock) = lock(database)? {
            return Ok(Some(lock));
        }
        let mark = std::fs::metadata(lock_path(database))?.modified()?;
        let since = seen.filter(|(last, _)| *last == mark).map_or_else(Instant::now, |(_, since)| since);
        *seen = Some((mark, since));
        if since.elapsed() < LEASE {
            return Ok(None);
        }
        // The holder keeps its lock on a file that has no name any more.
        tracing::warn!(target: "app", "the process that holds the lock has been silent for {} s", LEASE.as_secs());
        std::fs::remove_file(lock_path(database))?;
        lock(database)
    }
}
