//! Connections: opened, brought up to date, shared. One writer task owns the one writing connection of
//! this process (see `writer`); readers share a small pool of read-only connections.
//!
//! The kind of database is a private enum; `on!` runs one body on whichever it is. PostgreSQL joins
//! by an arm here and its migrations.

use std::{sync::Arc, time::Duration};

use parking_lot::RwLock;
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, watch};

use super::{
    StoreError,
    file::{FileId, Place, real},
    log,
    schema::MIGRATIONS,
    writer::{Job, Writer},
};

/// Grows with every commit of this process, and when another process is seen to have committed.
pub type Revision = u64;

/// Runs the same body on whichever database it is; both arms are checked by the compiler.
macro_rules! on {
    ($p:expr, |$db:ident| $body:expr) => {{
        let pool = $p;
        let turn = pool.turn().await;
        let got = match pool {
            $crate::store::pool::Pool::Sqlite { read: $db, .. } => $body,
        };
        $crate::store::pool::end(turn).await;
        got
    }};
}
macro_rules! on_tx {
    ($tx:expr, |$db:ident| $body:expr) => {
        match &mut $tx.conn {
            $crate::store::pool::Conn::Sqlite($db) => $body,
        }
    };
}
pub(super) use {on, on_tx};

pub(super) enum Pool {
    /// `beside` is one connection: what it says of other processes' commits is comparable only to itself.
    Sqlite { read: SqlitePool, beside: SqlitePool, turns: Option<Turns> },
}

/// Held by whoever is at the database, where only one may be.
pub(super) type Turns = Arc<Mutex<()>>;

impl Pool {
    pub(super) async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        match self {
            Self::Sqlite { turns, .. } => turn(turns.as_ref()).await,
        }
    }
}

/// Ends a turn: a quick answer of the database must not come before what else could run meanwhile.
pub(super) async fn end(turn: Option<OwnedMutexGuard<()>>) {
    if turn.is_some() {
        tokio::task::yield_now().await;
    }
}

pub(super) async fn turn(turns: Option<&Turns>) -> Option<OwnedMutexGuard<()>> {
    match turns {
        Some(turns) => Some(turns.clone().lock_owned().await),
        None => None,
    }
}

pub(super) enum Conn {
    Sqlite(SqliteConnection),
}

/// An open write transaction. Named only in `store` and `desk`.
pub struct Tx {
    pub(super) conn: Conn,
}

#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pool: Pool,
    pub(super) urgent: mpsc::Sender<Job>,
    pub(super) bulk: mpsc::Sender<Job>,
    revision: watch::Sender<Revision>,
    trouble: Arc<RwLock<Option<String>>>,
    place: Arc<Place>,
}

impl Store {
    /// Opens the database of a `sqlite:PATH` URL, makes it if missing, and brings its schema up to date.
    ///
    /// # Errors
    /// In words that name the file and the way out.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, true, None).await
    }

    /// The same, for a command that means a database that is there: it makes none.
    ///
    /// # Errors
    /// As [`Store::open`], and where there is no such file.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, false, None).await
    }

    /// The same, with one reader or writer of this process at a time: under simulated time the order of
    /// everything follows from the seed.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_in_turns(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, true, Some(Turns::default())).await
    }

    async fn open_with(url: &str, make: bool, turns: Option<Turns>) -> Result<Self, StoreError> {
        let (place, _start) = Place::prepare(url, make).await?;
        let options = options(place.path(), turns.is_none());
        let tx = Tx { conn: Conn::Sqlite(connect(&options, &place).await?) };
        let options = options.create_if_missing(false).pragma("cache_size", "-4096");
        let beside = readers(&options.clone().pragma("query_only", "on"), &place, 1).await?;
        let read = readers(&options.read_only(true), &place, 4).await?;
        let (urgent, urgent_rx) = mpsc::channel(4096);
        let (bulk, bulk_rx) = mpsc::channel(8);
        let revision = watch::Sender::new(0);
        let trouble = Arc::<RwLock<Option<String>>>::default();
        let place = Arc::new(place);
        let writer = Writer { tx, revision: revision.clone(), trouble: trouble.clone(), place: place.clone(), turns: turns.clone() };
        tokio::spawn(writer.run(urgent_rx, bulk_rx));
        if turns.is_none() {
            tokio::spawn(log::kept_short(beside.clone(), revision.subscribe()));
        }
        Ok(Self { inner: Arc::new(Inner { pool: Pool::Sqlite { read, beside, turns }, urgent, bulk, revision, trouble, place }) })
    }

    /// The path in a database URL.
    #[must_use]
    pub fn path_of(url: &str) -> String {
        Place::path_of(url)
    }

    /// The file that a path leads to: its locks stand beside it.
    #[must_use]
    pub fn real_path(path: &std::path::Path) -> std::path::PathBuf {
        real(path)
    }

    /// The database's place, for messages.
    #[must_use]
    pub fn path(&self) -> &str {
        self.inner.place.path()
    }

    /// Which file it is that is open, whatever has its name by now.
    #[must_use]
    pub fn file(&self) -> Option<FileId> {
        self.inner.place.file()
    }

    /// Refuses, in words, when the name of the database is no longer the file that is open: what is
    /// written then is lost with it, and who stops the dialling in the new file is not heard in the old.
    ///
    /// # Errors
    /// [`StoreError::Moved`].
    pub fn check_file(&self) -> Result<(), StoreError> {
        self.inner.place.check()
    }

    /// Resolves when the writer has ended: nothing can be written by this process any more.
    pub async fn writer_ended(&self) {
        self.inner.urgent.closed().await;
    }

    /// The bell: changes when something was committed. Only a hint; waiters also keep a timer.
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<Revision> {
        self.inner.revision.subscribe()
    }

    /// Why nothing can be written; `None` when the last transaction was.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        if self.inner.urgent.is_closed() {
            return Some(StoreError::Closed.to_string());
        }
        match self.check_file() {
            Err(e) => Some(e.to_string()),
            Ok(()) => self.inner.trouble.read().clone(),
        }
    }

    /// Whether nobody of this process is at the database; only with turns.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        match self.pool() {
            Pool::Sqlite { turns, .. } => turns.as_ref().is_some_and(|t| t.try_lock().is_ok()),
        }
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// Rings the bell when another process has committed: SQLite tells by `data_version`.
    pub async fn watch_others(&self, seen: &mut i64) -> Result<(), StoreError> {
        let pool = self.pool();
        let turn = pool.turn().await;
        let Pool::Sqlite { beside, .. } = pool;
        let version = sqlx::query_scalar::<_, i64>("PRAGMA data_version").fetch_one(beside).await?;
        end(turn).await;
        if std::mem::replace(seen, version) != version {
            self.inner.revision.send_modify(|r| *r += 1);
        }
        Ok(())
    }

    /// The SQLite library's version, for `doctor` and the start-up check.
    pub async fn version(&self) -> Result<String, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_scalar("SELECT sqlite_version()").fetch_one(db).await?))
    }
}

/// `kept_short`: by somebody beside the writer, see [`log`].
fn options(path: &str, kept_short: bool) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(300);
    let options = options.pragma("cache_size", "-16384").pragma("temp_store", "memory");
    if kept_short { options.pragma("wal_autocheckpoint", log::LONGEST) } else { options }
}

/// Readers, all of them opened now: one that is opened later would read whatever file has the name then.
async fn readers(options: &SqliteConnectOptions, place: &Place, n: u32) -> Result<SqlitePool, StoreError> {
    // A file does not go away like a server: no questions (each is two changes of threads), no renewal.
    let pool = SqlitePoolOptions::new().max_connections(n).test_before_acquire(false).idle_timeout(None).max_lifetime(None);
    let pool = pool.connect_lazy_with(options.clone());
    let opened = futures_util::future::try_join_all((0..n).map(|_| pool.acquire())).await;
    opened.map_err(|e| place.cannot_open(&e))?;
    Ok(pool)
}

/// The writing connection, to a schema that is up to date and to the file that was prepared.
async fn connect(options: &SqliteConnectOptions, place: &Place) -> Result<SqliteConnection, StoreError> {
    let mut writer = SqliteConnection::connect_with(options).await.map_err(|e| place.cannot_open(&e))?;
    MIGRATIONS.run(&mut writer).await.map_err(|e| match e {
        sqlx::migrate::MigrateError::VersionMissing(v) => StoreError::Newer(format!("migration {v} is unknown here; run the newer release")),
        e => place.cannot_open(&e),
    })?;
    place.check()?;
    Ok(writer)
}
