//! The database kept safe: brought up to date, copied while it is in use, put back.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use indicatif::ProgressBar;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;

use super::{
    CliError,
    out::{self, Counts, say, tell},
    session::Session,
};
use crate::{
    app,
    config::{self, Config, Secret, Values},
    desk::{Backup, DeskError},
    store::{Store, migrate_postgres, postgres_as_sql, schema_as_sql},
};

/// Opening it has brought it up to date: says what it is now.
pub async fn migrated(s: &Session) -> Result<(), CliError> {
    let (version, name) = s.desk.store().schema_version().await.map_err(DeskError::from)?;
    let words = format!("{} is up to date: schema {version} ({name})", s.desk.store().path());
    s.say(&words, &json!({ "database": s.desk.store().path(), "schema": version, "name": name }));
    Ok(())
}

/// Brings a server's schema up to date, by the login that may.
pub async fn migrate_server(config: &Config, json: bool) -> Result<(), CliError> {
    let url = config.migrate_url.as_ref().map_or(config.database_url.as_str(), Secret::reveal);
    let done = migrate_postgres(url).await.map_err(DeskError::from)?;
    if done.passes_by_owners {
        tell!("this login passes by the doors between owners, as a superuser does: give dialdeck one of its own for its daily work");
    }
    if json {
        say!(
            "{}",
            json!({ "database": done.place, "schema": done.version, "name": done.name, "applied": done.applied, "adopted": done.adopted,
                    "passesByOwners": done.passes_by_owners })
        );
        return Ok(());
    }
    say!("{} is up to date: schema {} ({})", done.place, done.version, done.name);
    if done.adopted > 0 {
        say!("{} rows of the system before are taken over. Nothing of it is dialled: its running campaigns are paused", done.adopted);
    }
    Ok(())
}

/// Writes the schema for an SQL editor: a server's where one is named or configured, else a file's.
pub fn print_schema(named: Option<&str>, configured: impl FnOnce() -> Result<Values, CliError>) -> Result<(), CliError> {
    let url = match named {
        Some(url) => url.to_owned(),
        None => configured()?.get("database.url").map(|v| v.text.clone()).unwrap_or_default(),
    };
    let script = if config::is_postgres(&url) { postgres_as_sql() } else { schema_as_sql() };
    say!("{script}");
    Ok(())
}

/// A file of its own beside another, until that one is whole: it goes with this.
struct Part(PathBuf);

impl Part {
    /// Made empty, its owner's alone: a database holds numbers and secrets.
    fn new(beside: &Path, what: &str) -> Result<Self, CliError> {
        let path = PathBuf::from(format!("{}.{what}-{}", beside.display(), std::process::id()));
        let made = File::options().write(true).create_new(true).mode(0o600).open(&path);
        made.map(|_| Self(path.clone())).map_err(|e| CliError::Failed(format!("cannot write {}: {e}", path.display())))
    }
}

impl Part {
    /// Whole, and on the disk: it gets its name, unless another file has got it meanwhile.
    fn name(self, to: &Path) -> std::io::Result<()> {
        File::open(&self.0)?.sync_all()?;
        Ok(renameat_with(CWD, &self.0, CWD, to, RenameFlags::NOREPLACE)?)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{suffix}", self.0.display())));
        }
    }
}

pub async fn backup(s: &Session, file: &Path) -> Result<(), CliError> {
    if file.exists() {
        return Err(CliError::Failed(format!("{} is there already: name a new file, or remove it first", file.display())));
    }
    let store = s.desk.store();
    let part = Part::new(file, "part")?;
    let size = store.bytes().await.map_err(DeskError::from)?;
    let bar = out::bar(Some(size), Counts::Bytes);
    let copied = tokio::select! {
        copied = store.copy_into(&part.0) => copied,
        () = watch_growing(&part.0, &bar) => Ok(()),
    };
    bar.finish_and_clear();
    copied.map_err(DeskError::from)?;
    let fail = |e: std::io::Error| CliError::Failed(format!("cannot write {}: {e}", file.display()));
    part.name(file).map_err(fail)?;
    s.desk.whole().note_backup().await?;
    let bytes = std::fs::metadata(file).map_err(fail)?.len();
    tell!("it holds numbers and the secrets of this installation: keep it where nobody else reads it");
    s.say(&format!("{} is a backup of {}, {bytes} bytes", file.display(), store.path()), &json!({ "file": file, "bytes": bytes }));
    Ok(())
}

/// Shows how far it has grown, until it is not waited for any more.
async fn watch_growing(path: &Path, bar: &ProgressBar) {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        bar.set_position(std::fs::metadata(path).map_or(0, |m| m.len()));
    }
}

/// Where there is no database, the backup itself becomes it; the lock keeps every engine out until it is held.
pub fn make_room(config: &Config, file: &Path) -> Result<Option<File>, CliError> {
    check_kind(file)?;
    if Store::is_server(&config.database_url) {
        return Err(CliError::Failed("a server's database is put back by its own programs: `pg_restore --clean --if-exists --dbname=DATABASE_URL dialdeck.dump`, or your provider's backups. dialdeck sees that it went back in time, and dials nothing until `dialdeck stop-all --release`".to_owned()));
    }
    let database = PathBuf::from(Store::path_of(&config.database_url));
    if database.exists() {
        return Ok(None);
    }
    if let Some(words) = app::unreached(&database, None) {
        return Err(CliError::Failed(words));
    }
    for suffix in ["-wal", "-shm"] {
        let left = PathBuf::from(format!("{}{suffix}", database.display()));
        if left.exists() {
            return Err(CliError::Failed(format!("{} is left of another database, which it would be taken for: move it away first", left.display())));
        }
    }
    let fail = |e: std::io::Error| CliError::Failed(format!("cannot put {} at {}: {e}", file.display(), database.display()));
    if let Some(folder) = database.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let lock = app::lock(&database)?;
    let lock = lock.ok_or_else(|| CliError::Failed(format!("another process runs on {}: end it first", database.display())))?;
    let part = Part::new(&database, "restore")?;
    std::fs::copy(file, &part.0).map_err(fail)?;
    part.name(&database).map_err(fail)?;
    Ok(Some(lock))
}

/// The first bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

fn check_kind(file: &Path) -> Result<(), CliError> {
    let mut head = [0; MAGIC.len()];
    let read = File::open(file).and_then(|mut f| f.read_exact(&mut head));
    match read {
        Ok(()) if head == *MAGIC => {}
        Err(e) if e.kind() != ErrorKind::UnexpectedEof => return Err(CliError::Failed(format!("cannot read {}: {e}", file.display()))),
        Ok(()) | Err(_) => return Err(CliError::Failed(format!("{} is no SQLite database, so no backup of dialdeck", file.display()))),
    }
    let journal = PathBuf::from(format!("{}-wal", file.display()));
    if std::fs::metadata(&journal).is_ok_and(|m| m.len() > 0) {
        let words = format!("{} is a database in use ({} is beside it), not a backup: make one with `dialdeck backup`", file.display(), journal.display());
        return Err(CliError::Failed(words));
    }
    Ok(())
}

pub async fn restore(s: &Session, file: &Path) -> Result<(), CliError> {
    // A copy is brought up to date and read; the backup itself stays as it is.
    let part = Part::new(Path::new(s.desk.store().path()), "restore")?;
    std::fs::copy(file, &part.0).map_err(|e| CliError::Failed(format!("cannot copy {} to {}: {e}", file.display(), part.0.display())))?;
    let unreadable = |e: DeskError| CliError::Failed(format!("{} cannot be put back: {e}", file.display()));
    let opened = Store::open_existing(&format!("sqlite:{}", part.0.display())).await.map_err(|e| unreadable(e.into()))?;
    let backup = Backup::of(&opened).await.map_err(unreadable)?;
    let restored = s.desk.whole().restore(s.actor.clone(), backup).await?;
    let mut words = format!("{} is put back. Nothing is dialled until `dialdeck stop-all --release`", file.display());
    if restored.calls_since > 0 {
        words.push_str(&format!(
            "\n{} calls were made since: their results are gone, the audit has them. {} of them waited in the backup and are taken off the queue; the numbers that rang are left alone for a day. Look through the campaigns before you release",
            restored.calls_since, restored.not_called_again
        ));
    }
    if restored.do_not_call_kept > 0 {
        words.push_str(&format!("\n{} numbers joined the do-not-call list since, and stay on it", restored.do_not_call_kept));
    }
    s.say(&words, &json!({ "restored": file, "held": true, "since": restored }));
    Ok(())
}
