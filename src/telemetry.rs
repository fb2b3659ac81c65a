//! Logs: one line to a file as JSON, and the newest into a ring that the console shows. Nothing is
//! ever printed over the screen.

mod files;

use std::{
    collections::VecDeque,
    fs::File,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
pub use files::{Bounds, LogSearch, OldLines, search};
use parking_lot::Mutex;
use tracing::{Event, Level, Subscriber, field::Visit};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{clock::SharedClock, domain::text::clean};

/// One line as the console shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Grows by one a line: a gap says that lines were dropped.
    pub number: u64,
    pub at: DateTime<Utc>,
    pub level: Level,
    pub target: String,
    pub text: String,
}

/// Lines kept for the screen; the file has all.
const KEPT: usize = 10_000;

/// A file beyond this is put aside, so that logs do not fill a disk.
const ROTATE_AT: u64 = 20 << 20;
/// How much is written between two looks at the file.
const LOOK: u64 = 64 << 10;

#[derive(Clone)]
pub struct Ring {
    inner: Arc<Mutex<Lines>>,
    clock: SharedClock,
}

#[derive(Default)]
struct Lines {
    kept: VecDeque<LogLine>,
    next: u64,
    errors: u64,
}

impl Ring {
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self { inner: Arc::default(), clock }
    }

    /// The newest `n` lines at a level or above, oldest first.
    #[must_use]
    pub fn newest(&self, n: usize, level: Level) -> Vec<LogLine> {
        let inner = self.inner.lock();
        let mut lines: Vec<LogLine> = inner.kept.iter().rev().filter(|l| l.level <= level).take(n).cloned().collect();
        lines.reverse();
        lines
    }

    /// How many lines there have been: changes when there is news.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.inner.lock().next
    }

    /// Errors since the start.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.inner.lock().errors
    }

    fn push(&self, level: Level, target: &str, text: String) {
        let at = self.clock.now();
        let mut inner = self.inner.lock();
        let number = inner.next;
        inner.next += 1;
        inner.errors += u64::from(level == Level::ERROR);
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
        }
        inner.kept.push_back(LogLine { number, at, level, target: target.to_owned(), text });
    }
}

impl<S: Subscriber> Layer<S> for Ring {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Words::default();
        event.record(&mut line);
        let target = event.metadata().target().rsplit("::").next().unwrap_or_default();
        self.push(*event.metadata().level(), target, clean(format!("{}{}", line.message, line.fields).trim(), 500));
    }
}

/// The message first, then the fields.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Words {
    fn put(&mut self, name: &str, value: std::fmt::Arguments<'_>) {
        if name == "message" {
            self.message.push_str(&value.to_string());
        } else {
            self.fields.push_str(&format!(" {name}={value}"));
        }
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.put(field.name(), format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.put(field.name(), format_args!("{value}"));
    }
}

/// Which rooms log at which level: `info`, or `engine=trace,api=debug`.
fn filter(level: &str) -> Targets {
    let quiet = Targets::new().with_default(Level::WARN);
    let ours = ["engine", "desk", "store", "api", "livekit", "webhook", "console", "app", "simulator", "dialdeck"];
    let mut targets = ours.iter().fold(quiet, |t, room| t.with_target(*room, Level::INFO));
    for part in level.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        match part.split_once('=') {
            Some((room, level)) => {
                if let Ok(level) = level.parse::<Level>() {
                    targets = targets.with_target(room, level);
                }
            }
            None => {
                if let Ok(level) = part.parse::<Level>() {
                    targets = ours.iter().fold(targets, |t, room| t.with_target(*room, level));
                }
            }
        }
    }
    targets
}

/// Starts logging: to the ring, to the file, and to standard error when there is no screen.
///
/// # Errors
/// When the log file cannot be opened.
pub fn start(ring: Ring, level: &str, file: &Path, to_stderr: bool) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let json = tracing_subscriber::fmt::layer().json().with_writer(std::sync::Mutex::new(LogFile::open(file, ROTATE_AT)?));
    let words = to_stderr.then(|| tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false));
    tracing_subscriber::registry().with(filter(level)).with(ring).with(json).with(words).try_init().map_err(std::io::Error::other)?;
    log_panics();
    Ok(())
}

/// The log's file. One that has grown is put aside as `.log.1`, by whichever process of ours sees it first;
/// the others go over to the new one.
struct LogFile {
    path: PathBuf,
    file: File,
    limit: u64,
    /// Written since the last look.
    unseen: u64,
}

impl LogFile {
    fn open(path: &Path, limit: u64) -> std::io::Result<Self> {
        if std::fs::metadata(path).is_ok_and(|m| m.len() > limit) {
            std::fs::rename(path, path.with_extension("log.1"))?;
        }
        let file = File::options().create(true).append(true).mode(0o600).open(path)?;
        // One from an earlier release; a file that is another's stays as it is.
        drop(file.set_permissions(std::fs::Permissions::from_mode(0o600)));
        Ok(Self { path: path.to_owned(), file, limit, unseen: 0 })
    }

    fn look(&mut self) -> std::io::Result<()> {
        let ours = self.file.metadata()?;
        let is_ours = |there: std::fs::Metadata| (there.dev(), there.ino()) == (ours.dev(), ours.ino());
        if ours.len() > self.limit || !std::fs::metadata(&self.path).is_ok_and(is_ours) {
            *self = Self::open(&self.path, self.limit)?;
        }
        Ok(())
    }
}

impl std::io::Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.unseen > LOOK.min(self.limit) {
            self.unseen = 0;
            // A file that cannot be put aside is better than none.
            drop(self.look());
        }
        let n = self.file.write(bytes)?;
        self.unseen += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// A panic's words and place go where every other fault goes; whoever catches it says what follows.
fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let here = std::thread::current();
        tracing::error!(target: "app", thread = here.name().unwrap_or("?"), "panic: {}", clean(&info.to_string(), 500));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_newest_and_counts_all() {
        let ring = Ring::new(Arc::new(crate::clock::SystemClock::new()));
        for i in 0..KEPT + 5 {
            ring.push(if i % 2 == 0 { Level::INFO } else { Level::DEBUG }, "engine", format!("line {i}"));
        }
        assert_eq!(ring.count(), KEPT as u64 + 5);
        let newest = ring.newest(3, Level::INFO);
        assert_eq!(newest.last().unwrap().text, format!("line {}", KEPT + 4));
        assert!(newest.iter().all(|l| l.level == Level::INFO));
    }

    /// Two processes write; both files stay within the limit, whoever puts them aside.
    #[test]
    fn a_log_that_has_grown_is_put_aside_while_it_is_written() {
        use std::io::Write;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dialdeck.log");
        let (mut one, mut other) = (LogFile::open(&path, 1000).unwrap(), LogFile::open(&path, 1000).unwrap());
        for i in 0..200 {
            writeln!(one, "line {i} of the one, about forty bytes long").unwrap();
            writeln!(other, "line {i} of the other").unwrap();
        }
        let size = |path: &Path| std::fs::metadata(path).unwrap().len();
        let aside = path.with_extension("log.1");
        assert!(size(&path) < 4000 && size(&aside) < 4000, "{} {}", size(&path), size(&aside));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("line 199 of the one") && text.contains("line 199 of the other"), "{text}");
        std::fs::remove_file(&path).unwrap();
        for _ in 0..40 {
            writeln!(one, "after somebody took the file away, of about fifty bytes").unwrap();
        }
        assert!(size(&path) > 0);
    }
}
