//! A database put back from a backup does not know whom it called since. How far the audit had grown
//! is written into the lock file beside the database, which no backup of the database carries: a
//! database that is behind its mark holds dialling until an operator says go. Beside it which file this
//! process has open, so that a stop that goes into another one does not claim to have reached it.

use std::{fs::File, os::unix::fs::FileExt, path::Path, sync::Arc};

use chrono::Duration as Span;
use tokio_util::sync::CancellationToken;

use super::lock::lock_path;
use crate::{
    clock::SharedClock,
    desk::{Desk, DeskError, Installation},
    store::FileId,
};

/// What an operator reads on every console.
const RESTORED: &str = "this database is older than the calls made with it (put back from a backup, or its -wal file was lost): \
     nothing is dialled, for it does not know whom it called since. `dialdeck stop-all --release` goes on";

/// Between two writings of the mark, and two looks at the database's file.
const EVERY: Span = Span::seconds(2);

/// The mark in the lock file.
pub struct Mark {
    file: Arc<File>,
    installation: u32,
}

/// What a mark says: `installation height device:inode pid`. Earlier releases wrote the first two.
struct Written {
    installation: u32,
    height: i64,
    database: Option<FileId>,
    pid: Option<u32>,
}

impl Written {
    fn read(file: &File) -> Option<Self> {
        let mut text = [0; 160];
        let n = file.read_at(&mut text, 0).ok()?;
        let mut words = std::str::from_utf8(&text[..n]).ok()?.split_whitespace();
        let (installation, height) = (u32::from_str_radix(words.next()?, 16).ok()?, words.next()?.parse().ok()?);
        let database = words.next().and_then(|w| w.split_once(':')).and_then(|(device, inode)| {
            let hex = |t: &str| u64::from_str_radix(t, 16).ok();
            Some(FileId { device: hex(device)?, inode: hex(inode)? })
        });
        Some(Self { installation, height, database, pid: words.next().and_then(|w| w.parse().ok()) })
    }
}

impl Mark {
    pub fn new(lock: Arc<File>, installation: &Installation) -> Self {
        Self { file: lock, installation: installation.id }
    }

    /// The height written last by this installation.
    fn read(&self) -> Option<i64> {
        Written::read(&self.file).filter(|w| w.installation == self.installation).map(|w| w.height)
    }

    fn write(&self, height: i64, database: Option<FileId>) -> std::io::Result<()> {
        let FileId { device, inode } = database.unwrap_or(FileId { device: 0, inode: 0 });
        let text = format!("{:08x} {height:020} {device:016x}:{inode:016x} {:010}\n", self.installation, std::process::id());
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

    /// Keeps the mark until stopped, and looks after the database's file.
    pub async fn keep(self, desk: Desk, clock: SharedClock, stop: CancellationToken) {
        let mut moved = false;
        loop {
            let ended = stop.is_cancelled();
            moved = look_at_file(&desk, moved);
            if desk.store().trouble().is_some() && !moved && !ended {
                // Where nothing else writes, nobody would see that it can be written again.
                drop(desk.try_writing().await.inspect_err(|e| tracing::debug!(target: "app", error = %e, "nothing can be written yet")));
            }
            let height = desk.store().audit_height().await.inspect_err(|e| tracing::debug!(target: "app", error = %e, "the audit cannot be read"));
            // Written all the same: who follows sees by it that this process lives.
            if let Some(height) = height.ok().or_else(|| self.read())
                && let Err(e) = self.write(height, desk.store().file())
            {
                tracing::warn!(target: "app", error = %e, "the lock file cannot be written");
            }
            if ended {
                return;
            }
            tokio::select! {
                () = clock.sleep_until(clock.now() + EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Says once that the database's file is gone, or back; whether it is gone. The writer looks by itself
/// before each transaction: this is for whoever reads the log.
fn look_at_file(desk: &Desk, was: bool) -> bool {
    match desk.store().check_file() {
        Err(e) if !was => tracing::error!(target: "app", "{e}: {}", desk.store().path()),
        Ok(()) if was => tracing::warn!(target: "app", "the database file {} is back: dialling goes on", desk.store().path()),
        Ok(()) | Err(_) => {}
    }
    desk.store().check_file().is_err()
}

/// Words, when a running process holds this database's lock but has another file open than the one that
/// has its name now (`None`: there is none): what is written into that one never reaches it.
#[must_use]
pub fn unreached(database: &Path, there: Option<FileId>) -> Option<String> {
    let lock = File::open(lock_path(database)).ok()?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => {}
        // Nobody runs.
        Ok(()) | Err(_) => return None,
    }
    let mark = Written::read(&lock)?;
    if mark.database.is_none() || mark.database == there {
        return None;
    }
    let pid = mark.pid.map_or_else(String::new, |p| format!(" {p}"));
    Some(format!(
        "the running process{pid} has another database file open than the one called {} now: it was removed or replaced under it, and nothing that is \
         written here reaches that process. It dials nothing more once it has seen that (2 s); its live calls go on. End it: kill{pid}",
        database.display()
    ))
}
