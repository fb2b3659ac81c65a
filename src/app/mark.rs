//! A database put back from a backup does not know whom it called since. How far the audit had grown
//! is written into the lock file beside the database, which no backup of the database carries: a
//! database that is behind its mark, or a server of another history, holds dialling until an operator says go. Beside it
//! which file this process has open, so that a stop that goes into another one does not claim to have reached it.

use std::{fs::File, os::unix::fs::FileExt, path::Path, sync::Arc};

use chrono::Duration as Span;
use tokio_util::sync::CancellationToken;

use super::lock::lock_path;
use crate::{
    clock::SharedClock,
    desk::{Desk, DeskError, Installation},
    store::{FileId, Lineage},
};

/// No hold, of the same width.
const NONE: &str = "00000000000000000000000000000000";

/// So many rounds.
const HOUR: u64 = 1800;

/// Between two writings of the mark, and two looks at the database's file.
const EVERY: Span = Span::seconds(2);

/// The mark in the lock file.
pub struct Mark {
    file: Arc<File>,
    installation: u32,
}

/// What a mark says: `installation height device:inode pid lineage hold`. Earlier releases wrote the first two or four.
#[derive(Debug, PartialEq)]
struct Written {
    installation: u32,
    height: i64,
    database: Option<FileId>,
    pid: Option<u32>,
    /// Which database of a server it was.
    lineage: Option<Lineage>,
    /// The last hold for such a reason that this host knew of.
    hold: String,
}

impl Written {
    fn read(file: &File) -> Option<Self> {
        let mut text = [0; 256];
        let n = file.read_at(&mut text, 0).ok()?;
        let mut words = std::str::from_utf8(&text[..n]).ok()?.split_whitespace();
        let (installation, height) = (u32::from_str_radix(words.next()?, 16).ok()?, words.next()?.parse().ok()?);
        let database = words.next().and_then(|w| w.split_once(':')).and_then(|(device, inode)| {
            let hex = |t: &str| u64::from_str_radix(t, 16).ok();
            Some(FileId { device: hex(device)?, inode: hex(inode)? })
        });
        let pid = words.next().and_then(|w| w.parse().ok());
        let lineage = words.next().and_then(|w| w.parse().ok()).filter(|l| *l != Lineage::default());
        let hold = words.next().filter(|w| *w != NONE).unwrap_or_default().to_owned();
        Some(Self { installation, height, database, pid, lineage, hold })
    }
}

impl Mark {
    pub fn new(lock: Arc<File>, installation: &Installation) -> Self {
        Self { file: lock, installation: installation.id }
    }

    /// What this installation wrote last.
    fn read(&self) -> Option<Written> {
        Written::read(&self.file).filter(|w| w.installation == self.installation)
    }

    fn write(&self, height: i64, desk: &Desk, hold: &str) -> std::io::Result<()> {
        let FileId { device, inode } = desk.store().file().unwrap_or(FileId { device: 0, inode: 0 });
        let lineage = desk.store().lineage().unwrap_or_default();
        let hold = if hold.is_empty() { NONE } else { hold };
        let (installation, pid) = (self.installation, std::process::id());
        let text = format!("{installation:08x} {height:020} {device:016x}:{inode:016x} {pid:010} {lineage} {hold:0>32}\n");
        self.file.write_all_at(text.as_bytes(), 0)
    }

    /// Holds dialling when the database has gone back in time.
    ///
    /// # Errors
    /// When the database cannot be asked: then nothing may dial either.
    pub async fn check(&self, desk: &Desk) -> Result<(), DeskError> {
        let Some(mark) = self.read() else { return Ok(()) };
        let height = desk.store().audit_height().await?;
        let moved = desk.store().lineage().zip(mark.lineage).is_some_and(|(is, was)| !is.goes_on_from(&was));
        if height < mark.height || moved {
            tracing::error!(target: "app", height, mark = mark.height, moved, "the database is not where this host left it");
            hold(desk, mark.hold).await?;
        }
        Ok(())
    }

    /// Tells all hosts that the database went back in time under this process, as soon as it can be written; whether there
    /// is nothing of that kind to be told.
    async fn tell_of_break(desk: &Desk, hold: &str) -> bool {
        let Some(which) = desk.store().went_back() else { return true };
        match self::hold(desk, hold.to_owned()).await {
            Ok(()) => {
                desk.store().break_is_told(which);
                true
            }
            Err(e) => {
                tracing::error!(target: "app", error = %e, "the database went back in time, and dialling cannot be held in it yet: this process arms nothing");
                false
            }
        }
    }

    /// Keeps the mark until stopped, and looks after the database's file.
    pub async fn keep(self, desk: Desk, clock: SharedClock, stop: CancellationToken) {
        let mut moved = false;
        let mut hold = desk.last_break().await.unwrap_or_default();
        for round in 1u64.. {
            if round.is_multiple_of(HOUR) {
                desk.forget_old_dials();
            }
            let ended = stop.is_cancelled();
            moved = look_at_file(&desk, moved);
            if desk.store().trouble().is_some() && !moved && !ended {
                // Where nothing else writes, nobody would see that it can be written again.
                drop(desk.try_writing().await.inspect_err(|e| tracing::debug!(target: "app", error = %e, "nothing can be written yet")));
            }
            let told = Self::tell_of_break(&desk, &hold).await;
            let height = desk.store().audit_height().await.inspect_err(|e| tracing::debug!(target: "app", error = %e, "the audit cannot be read"));
            if told && let Ok(last) = desk.last_break().await {
                hold = last;
            }
            // Written all the same: who follows sees by it that this process lives. Never a lower one than what is untold.
            if let Some(height) = height.ok().filter(|_| told).or_else(|| self.read().map(|w| w.height))
                && let Err(e) = self.write(height, &desk, &hold)
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

/// Holds dialling in the database, and tells it whom this host has called since.
async fn hold(desk: &Desk, known: String) -> Result<(), DeskError> {
    desk.hold_for_the_past(known).await?;
    let forgotten = desk.tell_forgotten().await?;
    if forgotten > 0 {
        tracing::error!(target: "app", "the database does not know of {forgotten} dials of this host: those calls are off the queue, their numbers rest for a day");
    }
    Ok(())
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
