//! A database put back from a backup does not know whom it called since. How far the audit had grown
//! is written into the lock file beside the database, which no backup of the database carries: a
//! database that is behind its mark holds dialling until an operator says go.

use std::{fs::File, os::unix::fs::FileExt, sync::Arc};

use chrono::Duration as Span;
use tokio_util::sync::CancellationToken;

use crate::{clock::SharedClock, desk::Desk, desk::DeskError, desk::Installation};

/// What an operator reads on every console.
const RESTORED: &str = "this database is older than the calls made with it (put back from a backup, or its -wal file was lost): \
     nothing is dialled, for it does not know whom it called since. `dialdeck stop-all --release` goes on";

/// Between two writings of the mark.
const EVERY: Span = Span::seconds(2);

/// The mark in the lock file.
pub struct Mark {
    file: Arc<File>,
    installation: u32,
}

impl Mark {
    pub fn new(lock: Arc<File>, installation: &Installation) -> Self {
        Self { file: lock, installation: installation.id }
    }

    /// The height written last by this installation.
    fn read(&self) -> Option<i64> {
        let mut text = [0; 40];
        let n = self.file.read_at(&mut text, 0).ok()?;
        let (id, height) = std::str::from_utf8(&text[..n]).ok()?.trim().split_once(' ')?;
        (u32::from_str_radix(id, 16).ok()? == self.installation).then(|| height.parse().ok())?
    }

    fn write(&self, height: i64) -> std::io::Result<()> {
        let text = format!("{:08x} {height:020}\n", self.installation);
        self.file.write_all_at(text.as_bytes(), 0)
    }

    /// Holds dialling when the database has gone back in time.
    ///
    /// # Errors
    /// When the database cannot be asked: then nothing may dial either.
    pub async fn check(&self, desk: &Desk) -> Result<(), DeskError> {
        let height = desk.store().audit_height().await?;
        if self.read().is_some_and(|mark| height < mark) {
            tracing::error!(target: "app", "{RESTORED}");
            desk.hold(RESTORED).await?;
        }
        Ok(())
    }

    /// Keeps the mark until stopped.
    pub async fn keep(self, desk: Desk, clock: SharedClock, stop: CancellationToken) {
        loop {
            let ended = tokio::select! {
                () = clock.sleep_until(clock.now() + EVERY) => false,
                () = stop.cancelled() => true,
            };
            let height = desk.store().audit_height().await.inspect_err(|e| tracing::debug!(target: "app", error = %e, "the audit cannot be read"));
            // Written all the same: who follows sees by it that this process lives.
            if let Some(height) = height.ok().or_else(|| self.read())
                && let Err(e) = self.write(height)
            {
                tracing::warn!(target: "app", error = %e, "the lock file cannot be written");
            }
            if ended {
                return;
            }
        }
    }
}
