//! The database's file: made for its owner alone, opened by one start at a time, and known again. A file
//! that was removed or replaced under a running program goes on existing for that program alone: all it
//! writes there is lost, and a stop that is written into the new file never reaches it.

use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};

use super::StoreError;

/// A file, whatever it is called: no two that exist have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    pub device: u64,
    pub inode: u64,
}

impl FileId {
    /// The file that has this name now.
    ///
    /// # Errors
    /// When there is none, or it cannot be looked at.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        Ok(Self::from(&std::fs::metadata(path)?))
    }

    /// The file that is open, whatever has its name.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn opened(file: &File) -> std::io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }
}

impl From<&Metadata> for FileId {
    fn from(meta: &Metadata) -> Self {
        Self { device: meta.dev(), inode: meta.ino() }
    }
}

/// Name and file of the database that is open.
pub(super) struct Place {
    path: String,
    /// `None` in memory.
    file: Option<FileId>,
}

/// Held while a database is opened and brought up to date: two first starts at once would both make its
/// tables. Falls with the process, whatever ends it.
pub(super) struct Start {
    lock: Option<(PathBuf, File)>,
}

impl Drop for Start {
    /// Leaves no file: who waits for the lock of one that is gone makes a new one.
    fn drop(&mut self) {
        if let Some((path, _held)) = &self.lock {
            drop(std::fs::remove_file(path));
        }
    }
}

/// Another start is waited for so long: it may be rewriting a large database.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(20);

impl Place {
    /// Makes folder (0700) and file (0600) where they are missing and may be made, before SQLite makes it
    /// with the umask's mode.
    pub(super) async fn prepare(url: &str, make: bool) -> Result<(Self, Start), StoreError> {
        let (path, parameters) = spelt(url);
        let mut place = Self { path, file: None };
        parameters.map_or(Ok(()), bearable).map_err(|why| place.cannot_open(&why))?;
        if url.contains("://") && !url.starts_with("sqlite:") {
            return Err(place.cannot_open(&"it is neither sqlite:PATH nor postgres://USER:PASSWORD@HOST/NAME"));
        }
        if place.path == ":memory:" {
            return Ok((place, Start { lock: None }));
        }
        if !make && !Path::new(&place.path).exists() {
            return Err(place.cannot_open(&"there is no such file, and none is made for this"));
        }
        let unwritable = |e: &std::io::Error| place.cannot_open(&format!("{e}. Choose a writable place with DATABASE_URL=sqlite:PATH"));
        folder_of(&place.path).map_err(|e| unwritable(&e))?;
        let start = place.start().await?;
        own(&place.path, make).map_err(|e| unwritable(&e))?;
        place.file = Some(FileId::of(Path::new(&place.path)).map_err(|e| unwritable(&e))?);
        if std::fs::metadata(&place.path).is_ok_and(|m| m.nlink() > 1) {
            let words =
                "the file has a second name (a hard link): under each name SQLite would keep a journal of its own. Copy it with `cp` to a file of its own";
            return Err(place.cannot_open(&words));
        }
        Ok((place, start))
    }

    /// A server, in words: no file of this host.
    pub(super) fn of_server(words: String) -> Self {
        Self { path: words, file: None }
    }

    pub(super) fn path_of(url: &str) -> String {
        spelt(url).0
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn file(&self) -> Option<FileId> {
        self.file
    }

    pub(super) fn cannot_open(&self, why: &impl ToString) -> StoreError {
        StoreError::Open { path: self.path.clone(), why: why.to_string() }
    }

    /// Whether the name is still the file that was opened. What cannot be looked at is taken for gone.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let Some(file) = self.file else { return Ok(()) };
        match FileId::of(Path::new(&self.path)) {
            Ok(now) if now == file => Ok(()),
            Ok(_) => Err(StoreError::Moved("another file has taken its place".to_owned())),
            Err(e) if e.kind() == ErrorKind::NotFound => Err(StoreError::Moved("it was removed or renamed".to_owned())),
            Err(e) => Err(StoreError::Moved(format!("it cannot be looked at: {e}"))),
        }
    }

    async fn start(&self) -> Result<Start, StoreError> {
        let path = PathBuf::from(format!("{}.start", real(Path::new(&self.path)).display()));
        let fail = |why: std::io::Error| self.cannot_open(&format!("{}: {why}", path.display()));
        let since = std::time::Instant::now();
        loop {
            let file = own(&path, true).map_err(fail)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if FileId::of(&path).is_ok_and(|now| FileId::opened(&file).is_ok_and(|held| held == now)) => {
                    return Ok(Start { lock: Some((path, file)) });
                }
                // The one before took its file with it.
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) if since.elapsed() < PATIENCE => tokio::time::sleep(LOOK).await,
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let (patience, path) = (PATIENCE.as_secs(), path.display());
                    let words = format!("another process has been opening it for {patience} s (it holds {path}). If that one hangs, end it");
                    return Err(self.cannot_open(&words));
                }
                Err(e) => return Err(fail(e.into())),
            }
        }
    }
}

/// The path in a database URL and the parameters behind it. A path is a path: a percent sign in it is one,
/// unless such a file is not there and the URL of one is meant.
fn spelt(url: &str) -> (String, Option<&str>) {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("file:").unwrap_or(rest);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let pairs = |q: &str| q.split('&').all(|p| p.split_once('=').is_some_and(|(k, _)| !k.is_empty() && k.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    let (path, parameters) = rest.rsplit_once('?').filter(|(_, q)| pairs(q)).map_or((rest, None), |(p, q)| (p, Some(q)));
    let path = if path == ":memory:" || Path::new(path).exists() { path.to_owned() } else { unescaped(path) };
    (path, parameters)
}

/// `%20` as a space; the text itself where it is no escaped one.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()).filter(|b| *b >= b' ');
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Parameters of a URL that change nothing here; others must not be passed over.
fn bearable(parameters: &str) -> Result<(), String> {
    let refused =
        parameters.split('&').find(|p| !matches!(*p, "mode=rwc" | "mode=rw" | "cache=private" | "cache=shared" | "_journal_mode=wal" | "journal_mode=wal"));
    refused.map_or(Ok(()), |p| Err(format!("this program cannot use it with \"{}\": write sqlite:PATH", crate::domain::text::clean(p, 40))))
}

/// The file's own name, whatever links and dots it was reached by: locks stand beside it, one for each file.
pub(super) fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let there = std::fs::read_link(path).map_or_else(|_| path.to_owned(), |to| path.parent().unwrap_or(Path::new("")).join(to));
    let folder = there.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), there.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => there,
    }
}

fn folder_of(path: &str) -> std::io::Result<()> {
    match Path::new(path).parent().filter(|p| !p.as_os_str().is_empty() && !p.exists()) {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// Opens a file for writing; one that is made is its owner's alone.
fn own(path: impl AsRef<Path>, make: bool) -> std::io::Result<File> {
    OpenOptions::new().create(make).append(true).mode(0o600).open(path)
}
