//! What a store is made of: the writer's queues, the readers, the bell. The kind of database is a private enum; `on!`
//! runs one body on whichever it is. See [`sqlite`](super::sqlite) and [`postgres`](super::postgres) for how each is
//! opened.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::RwLock;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, watch};

use super::{
    StoreError,
    file::{FileId, Place, real},
    postgres::{self, Held, Line, Server},
    sql::Kind,
    sqlite,
    writer::{Job, Writer},
};
use crate::domain::id::OwnerId;

/// Grows with every commit of this process, and when another process is seen to have committed.
pub type Revision = u64;

/// Runs the same body on whichever database it is; both arms are checked by the compiler.
macro_rules! on {
    ($reach:expr, |$db:ident| $body:expr) => {{
        let reach: $crate::store::pool::Reach<'_> = $reach;
        reach.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let turn = reach.pool.turn().await;
        let got = match reach.pool {
            $crate::store::pool::Pool::Sqlite { read: $db, .. } => $body,
            $crate::store::pool::Pool::Postgres(server) => {
                let $db = server.readers(reach.whose, reach.held);
                $body
            }
        };
        $crate::store::pool::end(turn).await;
        got
    }};
}
macro_rules! on_tx {
    ($tx:expr, |$db:ident| $body:expr) => {
        match &mut $tx.conn {
            $crate::store::pool::Conn::Sqlite($db) => $body,
            $crate::store::pool::Conn::Postgres(line) => {
                let $db: &mut $crate::store::postgres::Line = line;
                $body
            }
        }
    };
}
/// The same for what is the installation's, or judged over all owners: not as the user whose work it is a part of.
macro_rules! on_whole {
    ($tx:expr, |$db:ident| $body:expr) => {{
        let tx: &mut $crate::store::Tx = &mut *$tx;
        tx.act(None).await?;
        let got: Result<_, $crate::store::StoreError> = async { Ok($crate::store::pool::on_tx!(tx, |$db| $body)) }.await;
        tx.act(tx.whose).await?;
        got?
    }};
}
/// Runs a text of [`together`](super::sql::together); answers how many rows were changed.
macro_rules! changing {
    ($tx:expr, $text:expr, |$query:ident| $bound:expr) => {{
        let text = $text;
        match &mut $tx.conn {
            $crate::store::pool::Conn::Sqlite(db) => {
                let $query = sqlx::query(text);
                $bound.execute(&mut *db).await?.rows_affected()
            }
            $crate::store::pool::Conn::Postgres(db) => {
                let $query = sqlx::query_scalar::<_, i64>(text);
                u64::try_from($bound.fetch_one(&mut **db).await?).unwrap_or(0)
            }
        }
    }};
}
pub(super) use {changing, on, on_tx, on_whole};

/// Whose work it is: a user's, who sees and changes what is theirs, or the installation's own.
pub(super) type Whose = Option<OwnerId>;

/// The readers, for whoever asks.
#[derive(Clone, Copy)]
pub(super) struct Reach<'s> {
    pub(super) pool: &'s Pool,
    pub(super) whose: Whose,
    /// By this connection of a server, where one is held.
    pub(super) held: Option<&'s Held>,
    pub(super) asked: &'s AtomicU64,
}

pub(super) enum Pool {
    /// `beside` is one connection: what it says of other processes' commits is comparable only to itself.
    Sqlite {
        read: SqlitePool,
        beside: SqlitePool,
        turns: Option<Turns>,
    },
    Postgres(Server),
}

/// Held by whoever is at the database, where only one may be.
pub(super) type Turns = Arc<Mutex<()>>;

impl Pool {
    pub(super) async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        match self {
            Self::Sqlite { turns, .. } => turn(turns.as_ref()).await,
            Self::Postgres(server) => turn(server.turns()).await,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Sqlite { .. } => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
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
    Postgres(Box<Line>),
}

/// An open write transaction. Named only in `store` and `desk`.
pub struct Tx {
    pub(super) conn: Conn,
    /// Whose the job is that runs.
    pub(super) whose: Whose,
}

impl Tx {
    pub(super) fn kind(&self) -> Kind {
        match self.conn {
            Conn::Sqlite(_) => Kind::Sqlite,
            Conn::Postgres(_) => Kind::Postgres,
        }
    }

    /// From here on as a user, or as the installation. SQLite knows neither: there the owner's filter is all.
    pub(super) async fn act(&mut self, whose: Whose) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Sqlite(_) => Ok(()),
            Conn::Postgres(line) => line.act(whose).await,
        }
    }
}

/// The database, for whoever it is opened: see [`Store::of`].
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
    whose: Whose,
    held: Option<Arc<Held>>,
}

pub(super) struct Inner {
    pool: Pool,
    pub(super) urgent: mpsc::Sender<Job>,
    pub(super) bulk: mpsc::Sender<Job>,
    revision: watch::Sender<Revision>,
    trouble: Arc<RwLock<Trouble>>,
    place: Arc<Place>,
    asked: AtomicU64,
}

/// How the writer gets on.
#[derive(Default)]
pub(super) struct Trouble {
    /// Why the last transaction was not kept.
    pub(super) words: Option<String>,
    /// A server was asked for something then and has not answered.
    pub(super) since: Option<Instant>,
}

/// A server that says nothing for so long is not there.
const SILENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the database of a `sqlite:PATH` or `postgres://` URL and brings its schema up to date; a file is made
    /// if missing.
    ///
    /// # Errors
    /// In words that name the database and the way out.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, true, Self::CONNECTIONS, None).await
    }

    /// The same with so many connections to a server at most; a database that is not there is made, or not.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_sized(url: &str, make: bool, connections: u32) -> Result<Self, StoreError> {
        Self::open_with(url, make, connections, None).await
    }

    /// The same, for a command that means a database that is there: it makes none.
    ///
    /// # Errors
    /// As [`Store::open`], and where there is no such file.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, false, Self::CONNECTIONS, None).await
    }

    /// The same, with one reader or writer of this process at a time: under simulated time the order of
    /// everything follows from the seed.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_in_turns(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, true, Self::CONNECTIONS, Some(Turns::default())).await
    }

    async fn open_with(url: &str, make: bool, connections: u32, turns: Option<Turns>) -> Result<Self, StoreError> {
        let revision = watch::Sender::new(0);
        let (conn, pool, place) = if postgres::is_meant(url) {
            let (line, server, place) = postgres::open(url, connections, turns.clone(), &revision).await?;
            (Conn::Postgres(Box::new(line)), Pool::Postgres(server), place)
        } else {
            let sqlite::Files { write, read, beside, place } = sqlite::open(url, make, turns.is_some(), &revision).await?;
            (Conn::Sqlite(write), Pool::Sqlite { read, beside, turns: turns.clone() }, place)
        };
        let (urgent, urgent_rx) = mpsc::channel(4096);
        let (bulk, bulk_rx) = mpsc::channel(8);
        let trouble = Arc::<RwLock<Trouble>>::default();
        let place = Arc::new(place);
        let writer = Writer { tx: Tx { conn, whose: None }, revision: revision.clone(), trouble: trouble.clone(), place: place.clone(), turns };
        tokio::spawn(writer.run(urgent_rx, bulk_rx));
        let inner = Inner { pool, urgent, bulk, revision, trouble, place, asked: AtomicU64::new(0) };
        Ok(Self { inner: Arc::new(inner), whose: None, held: None })
    }

    /// The same database for the work of one user: where the server knows owners, nothing of another one is seen or
    /// changed, whatever a statement forgot.
    #[must_use]
    pub fn of(&self, owner: OwnerId) -> Self {
        Self { whose: Some(owner), ..self.clone() }
    }

    /// The same database for the installation's own work, that of the engine: all owners' rows.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self { whose: None, ..self.clone() }
    }

    /// The same database for several questions, one after the other: at a server by one connection, which becomes a
    /// user's once and not for each of them. It goes back with the last of such a store.
    #[must_use]
    pub fn at_once(&self) -> Self {
        let held = match &self.inner.pool {
            Pool::Sqlite { .. } => None,
            Pool::Postgres(_) => Some(Arc::default()),
        };
        Self { held, ..self.clone() }
    }

    /// How many questions this process has asked of its database since it was opened.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.inner.asked.load(Ordering::Relaxed)
    }

    /// For proofs: what a stranger sees and changes with each statement that is run from here on; `None` of a file.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn watch_for_strangers(&self) -> Option<Arc<postgres::shadow::Shadow>> {
        match &self.inner.pool {
            Pool::Sqlite { .. } => None,
            Pool::Postgres(server) => Some(server.watch()),
        }
    }

    /// The path in a database URL; of a server's, the words for it.
    #[must_use]
    pub fn path_of(url: &str) -> String {
        if postgres::is_meant(url) { postgres::named(url) } else { Place::path_of(url) }
    }

    /// Whether a URL is one of a server: no file of this host.
    #[must_use]
    pub fn is_server(url: &str) -> bool {
        postgres::is_meant(url)
    }

    /// The file that a path leads to: its locks stand beside it.
    #[must_use]
    pub fn real_path(path: &std::path::Path) -> std::path::PathBuf {
        real(path)
    }

    /// The database's place, for messages: never with a password.
    #[must_use]
    pub fn path(&self) -> &str {
        self.inner.place.path()
    }

    /// Whether other hosts may be on this database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.kind() == Kind::Postgres
    }

    /// Which file it is that is open, whatever has its name by now; `None` in memory, and at a server.
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
        if let Err(e) = self.check_file() {
            return Some(e.to_string());
        }
        let trouble = self.inner.trouble.read();
        let silent = trouble.since.map(|since| since.elapsed()).filter(|silent| *silent > SILENCE);
        let words = silent.map(|s| format!("the database has not answered for {} s", s.as_secs()));
        words.or_else(|| trouble.words.clone())
    }

    /// Whether nobody of this process is at the database; only with turns.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let turns = match &self.inner.pool {
            Pool::Sqlite { turns, .. } => turns.as_ref(),
            Pool::Postgres(server) => server.turns(),
        };
        turns.is_some_and(|t| t.try_lock().is_ok())
    }

    pub(super) fn pool(&self) -> Reach<'_> {
        Reach { pool: &self.inner.pool, whose: self.whose, held: self.held.as_deref(), asked: &self.inner.asked }
    }

    /// The readers for what is the installation's, or asked over all owners.
    pub(super) fn every(&self) -> Reach<'_> {
        Reach { whose: None, ..self.pool() }
    }

    pub(super) fn whose(&self) -> Whose {
        self.whose
    }

    pub(super) fn kind(&self) -> Kind {
        self.inner.pool.kind()
    }

    /// Rings the bell when another process has committed: SQLite tells by `data_version`. A server's own bell is
    /// heard by itself where it rings; this is the timer beside it.
    pub async fn watch_others(&self, seen: &mut i64) -> Result<(), StoreError> {
        let turn = self.inner.pool.turn().await;
        let now = match &self.inner.pool {
            Pool::Sqlite { beside, .. } => sqlite::version_of_data(beside).await,
            Pool::Postgres(server) => server.version_of_data().await,
        };
        end(turn).await;
        let now = now?;
        if std::mem::replace(seen, now) != now {
            self.inner.revision.send_modify(|r| *r += 1);
        }
        Ok(())
    }

    /// The database's version, for `doctor` and the start-up check: SQLite's library, or the server.
    pub async fn version(&self) -> Result<String, StoreError> {
        let sql = match self.kind() {
            Kind::Sqlite => "SELECT sqlite_version()",
            Kind::Postgres => "SELECT current_setting('server_version')",
        };
        Ok(on!(self.every(), |db| sqlx::query_scalar(sql).fetch_one(db).await?))
    }

    /// Whether this login may pass by what the server keeps closed between owners, as a superuser may. Work is done
    /// as a role that may not, so nothing of it does.
    #[must_use]
    pub fn passes_by_owners(&self) -> bool {
        match &self.inner.pool {
            Pool::Sqlite { .. } => false,
            Pool::Postgres(server) => server.passes_by_owners(),
        }
    }
}
