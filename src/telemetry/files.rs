//! The log's files, read from their ends: what was written before what is remembered. A search looks at so many bytes
//! and goes on for so long, and no further; it says where it stopped.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tracing::Level;

use super::LogLine;
use crate::domain::text::clean;

/// What of the files is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSearch {
    /// As it was typed: whoever asks knows what matches it.
    pub words: String,
    pub least: Level,
    /// Lines from then on are known.
    pub before: DateTime<Utc>,
}

/// What they had, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OldLines {
    pub lines: Vec<LogLine>,
    /// How far back it looked, where it did not come to the end.
    pub stopped_at: Option<DateTime<Utc>>,
}

/// Bounds of one search.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub lines: usize,
    pub bytes: u64,
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { lines: 500, bytes: 64 << 20, time: Duration::from_secs(3) }
    }
}

/// Read at once.
const CHUNK: u64 = 256 << 10;
/// A line that is longer is none of ours.
const LONGEST: usize = 64 << 10;

/// The newest lines before a moment that match, of the log and of the one that was put aside.
///
/// # Errors
/// When a file that is there cannot be read.
pub fn search(file: &Path, wanted: &LogSearch, bounds: Bounds, matches: impl Fn(&LogLine) -> bool) -> io::Result<OldLines> {
    let mut reading = Reading { wanted, bounds, matches, begun: Instant::now(), bytes: 0, last: None, found: Vec::new() };
    let mut whole = true;
    for path in [file.to_owned(), file.with_extension("log.1")] {
        whole = match File::open(&path) {
            Ok(file) => reading.backwards(file)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => true,
            Err(e) => return Err(e),
        };
        if !whole {
            break;
        }
    }
    let stopped_at = reading.last.filter(|_| !whole);
    reading.found.reverse();
    for (number, line) in (0..).zip(&mut reading.found) {
        line.number = number;
    }
    Ok(OldLines { lines: reading.found, stopped_at })
}

struct Reading<'a, M> {
    wanted: &'a LogSearch,
    bounds: Bounds,
    matches: M,
    begun: Instant,
    bytes: u64,
    last: Option<DateTime<Utc>>,
    /// Newest first.
    found: Vec<LogLine>,
}

impl<M: Fn(&LogLine) -> bool> Reading<'_, M> {
    /// `false`: a bound was reached.
    fn backwards(&mut self, mut file: File) -> io::Result<bool> {
        let mut end = file.metadata()?.len();
        // The beginning of the first line of what was read last: its own beginning is in what is read next.
        let mut rest: Vec<u8> = Vec::new();
        while end > 0 {
            if self.is_over() {
                return Ok(false);
            }
            let from = end.saturating_sub(CHUNK);
            let mut chunk = vec![0; usize::try_from(end - from).unwrap_or(0)];
            file.seek(SeekFrom::Start(from))?;
            file.read_exact(&mut chunk)?;
            (self.bytes, end) = (self.bytes + chunk.len() as u64, from);
            chunk.append(&mut rest);
            let first = if from == 0 { 0 } else { chunk.iter().position(|b| *b == b'\n').map_or(chunk.len(), |i| i + 1) };
            for line in chunk[first..].split(|b| *b == b'\n').rev().filter(|l| !l.is_empty() && l.len() < LONGEST) {
                if self.found.len() >= self.bounds.lines {
                    return Ok(false);
                }
                self.take(line);
            }
            chunk.truncate(first);
            rest = if chunk.len() > LONGEST { Vec::new() } else { chunk };
        }
        Ok(true)
    }

    fn is_over(&self) -> bool {
        self.bytes >= self.bounds.bytes || self.begun.elapsed() >= self.bounds.time
    }

    fn take(&mut self, line: &[u8]) {
        let Some(line) = parsed(line).filter(|l| l.at < self.wanted.before) else { return };
        self.last = Some(line.at);
        if line.level <= self.wanted.least && (self.matches)(&line) {
            self.found.push(line);
        }
    }
}

/// A line as it is written: JSON with its time, level, target and fields.
fn parsed(line: &[u8]) -> Option<LogLine> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let word = |name: &str| line.get(name).and_then(Value::as_str);
    let fields = line.get("fields")?.as_object()?;
    let mut text = fields.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, value) in fields.iter().filter(|(name, _)| *name != "message") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&format!(" {name}={value}"));
    }
    Some(LogLine {
        number: 0,
        at: word("timestamp")?.parse().ok()?,
        level: word("level")?.parse().ok()?,
        target: clean(word("target")?.rsplit("::").next().unwrap_or_default(), 40),
        text: clean(text.trim(), 500),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn line(n: u32, level: &str) -> String {
        format!(
            r#"{{"timestamp":"2026-11-18T10:{:02}:{:02}.5Z","level":"{level}","fields":{{"message":"line {n}","call":7}},"target":"dialdeck::engine"}}"#,
            n / 60,
            n % 60
        )
    }

    fn written(dir: &Path, name: &str, lines: impl Iterator<Item = String>) {
        let mut file = File::create(dir.join(name)).unwrap();
        for l in lines {
            writeln!(file, "{l}").unwrap();
        }
    }

    fn wanted(least: Level, before: &str) -> LogSearch {
        LogSearch { words: String::new(), least, before: before.parse().unwrap() }
    }

    #[test]
    fn both_files_are_read_from_their_ends_up_to_what_is_known() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), "d.log.1", (0..1000).map(|n| line(n, if n % 2 == 0 { "WARN" } else { "INFO" })));
        written(dir.path(), "d.log", (1000..3000).map(|n| line(n, "WARN")).chain(["no JSON".to_owned(), "{}".to_owned()]));
        let path = dir.path().join("d.log");
        let bounds = Bounds { lines: 5000, ..Bounds::default() };
        let all = search(&path, &wanted(Level::WARN, "2026-11-18T10:45:00Z"), bounds, |_| true).unwrap();
        let texts: Vec<&str> = all.lines.iter().map(|l| l.text.as_str()).collect();
        assert_eq!((texts.len(), texts[0], texts[texts.len() - 1]), (500 + 1700, "line 0 call=7", "line 2699 call=7"));
        assert!(all.lines.windows(2).all(|w| w[0].at < w[1].at && w[0].number < w[1].number));
        assert_eq!(all.stopped_at, None);
        let one = search(&path, &wanted(Level::DEBUG, "2027-01-01T00:00:00Z"), bounds, |l| l.text.contains("line 77 ")).unwrap();
        assert_eq!((one.lines.len(), one.lines[0].target.as_str(), one.lines[0].level), (1, "engine", Level::INFO));
    }

    #[test]
    fn it_stops_at_its_bounds_and_says_where() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), "d.log", (0..3000).map(|n| line(n, "WARN")));
        let path = dir.path().join("d.log");
        let all = wanted(Level::WARN, "2027-01-01T00:00:00Z");
        let few = search(&path, &all, Bounds { lines: 10, ..Bounds::default() }, |_| true).unwrap();
        assert_eq!((few.lines.len(), few.lines[9].text.as_str()), (10, "line 2999 call=7"));
        assert_eq!(few.stopped_at, Some(few.lines[0].at));
        let short = search(&path, &all, Bounds { bytes: 1, ..Bounds::default() }, |l| l.text.contains("line 0 ")).unwrap();
        assert!(short.lines.is_empty() && short.stopped_at.is_some(), "{short:?}");
        assert_eq!(search(Path::new("/nonexistent/d.log"), &all, Bounds::default(), |_| true).unwrap(), OldLines::default());
    }
}
