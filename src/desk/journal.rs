//! Whom this host has armed in the last day, in a file beside its lock: a database that went back in time is told by it
//! whom it called since, so that they are not called again. One line a dial, written after its commit and before its
//! request.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;

use super::{Desk, DeskError, claim::end_unarmed};
use crate::{
    domain::{call::State, id::CallId},
    store::{Lane, StoreError, Tx},
};

/// So long a number that rang is left alone by a database that does not know what came of it.
const REST: Duration = Duration::hours(24);

/// Calls told in one transaction.
const SLICE: usize = 200;

/// One dial.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    at: DateTime<Utc>,
    call: CallId,
    number: String,
}

impl Line {
    fn read(text: &str) -> Option<Self> {
        // One that was cut off by a crash has no end.
        let mut words = text.strip_suffix(" .")?.split_whitespace();
        let at = DateTime::from_timestamp_millis(words.next()?.parse().ok()?)?;
        let call = CallId(words.next()?.parse().ok()?);
        Some(Self { at, call, number: words.next()?.to_owned() })
    }

    fn text(&self) -> String {
        format!("{} {} {} .\n", self.at.timestamp_millis(), self.call.0, self.number)
    }
}

/// The file, open for as long as this process may dial.
#[derive(Debug)]
pub(super) struct Journal {
    lines: Mutex<File>,
    /// The same file, for what is written over: whatever goes through the other one goes to its end.
    place: File,
}

impl Journal {
    /// Opens it, without what is older than a day.
    fn open(path: &Path, now: DateTime<Utc>) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        let place = OpenOptions::new().write(true).open(path)?;
        shorten(&mut &file, &place, now)?;
        Ok(Self { lines: Mutex::new(file), place })
    }

    fn lines(&self) -> std::io::Result<Vec<Line>> {
        lines(&mut &*self.lines.lock())
    }
}

fn lines(file: &mut &File) -> std::io::Result<Vec<Line>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).lines().filter_map(Line::read).collect())
}

/// In its place, and only then cut off: whatever ends the program meanwhile, and on a full disk, no young line is gone.
fn shorten(file: &mut &File, place: &File, now: DateTime<Utc>) -> std::io::Result<()> {
    let young: String = lines(file)?.iter().filter(|l| l.at + REST > now).map(Line::text).collect();
    place.write_all_at(young.as_bytes(), 0)?;
    place.set_len(u64::try_from(young.len()).unwrap_or(u64::MAX))
}

impl Desk {
    /// Writes down from now on whom this host arms.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remember_in(&self, path: &Path) -> std::io::Result<()> {
        if self.journal.get().is_none() {
            // Where another has set it meanwhile it is the same file.
            drop(self.journal.set(Journal::open(path, self.now())?));
        }
        Ok(())
    }

    /// Forgets dials of more than a day ago.
    pub fn forget_old_dials(&self) {
        let Some(journal) = self.journal.get() else { return };
        if let Err(e) = shorten(&mut &*journal.lines.lock(), &journal.place, self.now()) {
            tracing::warn!(target: "desk", error = %e, "old dials cannot be taken out of the file beside the lock");
        }
    }

    pub(super) fn remember(&self, call: CallId, number: &str, at: DateTime<Utc>) {
        let Some(journal) = self.journal.get() else { return };
        let line = Line { at, call, number: number.to_owned() }.text();
        if let Err(e) = journal.lines.lock().write_all(line.as_bytes()) {
            tracing::error!(target: "desk", error = %e, "who is dialled cannot be written down beside the lock: a database that is put back would not be told");
        }
    }

    /// Tells the database of the dials that it does not know: their calls are taken off the queue, their numbers rest for a
    /// day. How many those were.
    pub async fn tell_forgotten(&self) -> Result<usize, DeskError> {
        let Some(journal) = self.journal.get() else { return Ok(0) };
        let now = self.now();
        let lines = journal.lines().map_err(|e| StoreError::Damaged(format!("whom this host dialled cannot be read: {e}")))?;
        let mut forgotten = 0;
        for slice in lines.chunks(SLICE) {
            let slice = slice.to_vec();
            forgotten += self.store.write(Lane::Urgent, move |tx| Box::pin(async move { tell(tx, slice, now).await })).await?;
        }
        Ok(forgotten)
    }
}

async fn tell(tx: &mut Tx, lines: Vec<Line>, now: DateTime<Utc>) -> Result<usize, DeskError> {
    let mut resting = Vec::new();
    for line in lines {
        let row = tx.call(line.call).await?;
        if row.as_ref().is_some_and(|r| r.armed_at.is_some()) {
            continue;
        }
        resting.push((line.number, line.at + REST));
        if let Some(row) = row.filter(|r| !r.state.is_ended() && !r.state.is_open()) {
            end_unarmed(tx, row, State::Canceled, "called after the backup that was put back; with what result is not known", now).await?;
        }
    }
    let told = resting.len();
    resting.retain(|(_, until)| *until > now);
    tx.hold_numbers(&resting).await?;
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_kept_and_a_torn_line_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.dialled");
        let now: DateTime<Utc> = "2026-11-20T18:00:00Z".parse().unwrap();
        let line = |hours: i64| Line { at: now - Duration::hours(hours), call: CallId(uuid::Uuid::from_u128(7)), number: "+12025550142".to_owned() };
        let torn = line(1).text();
        std::fs::write(&path, format!("{}{}{}", line(30).text(), line(2).text(), &torn[..torn.len() - 4])).unwrap();
        let journal = Journal::open(&path, now).unwrap();
        assert_eq!(journal.lines().unwrap(), [line(2)]);
        journal.lines.lock().write_all(line(0).text().as_bytes()).unwrap();
        assert_eq!(Journal::open(&path, now).unwrap().lines().unwrap(), [line(2), line(0)]);
    }
}
