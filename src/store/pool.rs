//! Connections. One writer task owns the one writing connection of this process and commits what
//! has queued: a batch is what waits, there is no timer, and each sender has its answer after the
//! COMMIT. Readers share a small pool of read-only connections.
//!
//! The kind of database is a private enum; `on!` runs one body on whichever it is. PostgreSQL joins
//! by an arm here and its migrations.

use std::{path::Path, pin::Pin, str::FromStr, sync::Arc, time::Duration};

use parking_lot::RwLock;
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot, watch};

use super::StoreError;

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
    /// `watch` is one connection: what it says of other processes' commits is comparable only to itself.
    Sqlite { read: SqlitePool, watch: SqlitePool, turns: Option<Turns> },
}

/// Held by whoever is at the database, where only one may be.
type Turns = Arc<Mutex<()>>;

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

async fn turn(turns: Option<&Turns>) -> Option<OwnedMutexGuard<()>> {
    match turns {
        Some(turns) => Some(turns.clone().lock_owned().await),
        None => None,
    }
}

pub(super) enum Conn {
    Sqlite(SqliteConnection),
}

/// Which queue of the writer: people and calls before bulk rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Urgent,
    /// Import slices and campaign filling, at most 500 rows or so a job.
    Bulk,
}

/// An open write transaction. Named only in `store` and `desk`.
pub struct Tx {
    pub(super) conn: Conn,
}

type Finish = Box<dyn FnOnce(Option<StoreError>) + Send>;
/// A job gets the transaction, or the reason there is none; it says whether it wants to be kept, and
/// how to answer its sender once that is settled.
type Job = Box<dyn for<'a> FnOnce(Result<&'a mut Tx, StoreError>) -> TxFuture<'a, (bool, Finish)> + Send>;

/// A future that borrows the transaction, as `Store::write` takes it.
pub type TxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    urgent: mpsc::Sender<Job>,
    bulk: mpsc::Sender<Job>,
    revision: watch::Sender<Revision>,
    trouble: Arc<RwLock<Option<String>>>,
    path: String,
}

/// Jobs of one transaction at most: bounds how long the first waits for the last.
const BATCH: usize = 256;

/// Bulk jobs of one transaction where nothing else waits; beside urgent work one. A callback waits for
/// so many slices of an import at most.
const BULK: usize = 2;

impl Store {
    /// Opens the database of a `sqlite:PATH` URL, makes it if missing, and brings its schema up to date.
    ///
    /// # Errors
    /// In words that name the file and the way out.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, None).await
    }

    /// The same, with one reader or writer of this process at a time: under simulated time the order of
    /// everything follows from the seed.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_in_turns(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, Some(Turns::default())).await
    }

    async fn open_with(url: &str, turns: Option<Turns>) -> Result<Self, StoreError> {
        let path = url.strip_prefix("sqlite:").unwrap_or(url).trim_start_matches("//").to_owned();
        let fail = |why: String| StoreError::Open { path: path.clone(), why };
        if url.contains("://") && !url.starts_with("sqlite:") {
            return Err(fail("this release speaks SQLite only; use sqlite:PATH".to_owned()));
        }
        prepare_file(&path).map_err(|e| fail(format!("{e}. Choose a writable place with DATABASE_URL=sqlite:PATH")))?;
        let options = SqliteConnectOptions::from_str(&format!("sqlite:{path}"))
            .map_err(|e| fail(e.to_string()))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(300)
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "memory");
        let mut writer = SqliteConnection::connect_with(&options).await.map_err(|e| fail(e.to_string()))?;
        migrate(&mut writer).await.map_err(|e| match e {
            sqlx::migrate::MigrateError::VersionMissing(v) => StoreError::Newer(format!("migration {v} is unknown here; run the newer release")),
            e => fail(e.to_string()),
        })?;
        let options = options.read_only(true).create_if_missing(false).pragma("cache_size", "-4096");
        // A file does not go away like a server: no questions (each is two changes of threads), no renewal.
        let readers = |n| SqlitePoolOptions::new().max_connections(n).test_before_acquire(false).idle_timeout(None).max_lifetime(None);
        let (read, watch) = (readers(4).connect_lazy_with(options.clone()), readers(1).connect_lazy_with(options));
        let (urgent, urgent_rx) = mpsc::channel(4096);
        let (bulk, bulk_rx) = mpsc::channel(8);
        let revision = watch::Sender::new(0);
        let trouble = Arc::<RwLock<Option<String>>>::default();
        let tx = Tx { conn: Conn::Sqlite(writer) };
        let writer = Writer { tx, revision: revision.clone(), trouble: trouble.clone(), turns: turns.clone() };
        tokio::spawn(writer.run(urgent_rx, bulk_rx));
        Ok(Self { inner: Arc::new(Inner { pool: Pool::Sqlite { read, watch, turns }, urgent, bulk, revision, trouble, path }) })
    }

    /// The database's place, for messages.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.inner.path
    }

    /// The bell: changes when something was committed. Only a hint; waiters also keep a timer.
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<Revision> {
        self.inner.revision.subscribe()
    }

    /// Why the last transaction could not be written; `None` when it was.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.inner.trouble.read().clone()
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

    /// Runs one job in a write transaction and answers after its COMMIT. An error of the job undoes
    /// the job alone. A caller that goes away does not undo it: the writer owns the job.
    ///
    /// # Errors
    /// The job's own, or the database's.
    pub async fn write<T, E, F>(&self, lane: Lane, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel::<Result<T, E>>();
        let boxed: Job = Box::new(move |tx| {
            Box::pin(async move {
                let result = match tx {
                    Ok(tx) => job(tx).await,
                    Err(e) => Err(e.into()),
                };
                let ok = result.is_ok();
                let finish: Finish = Box::new(move |failed| {
                    let result = failed.map_or(result, |e| Err(e.into()));
                    // A sender that went away needs no answer.
                    drop(answer.send(result));
                });
                (ok, finish)
            })
        });
        let queue = if lane == Lane::Urgent { &self.inner.urgent } else { &self.inner.bulk };
        queue.send(boxed).await.map_err(|_| StoreError::Closed)?;
        wait.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Rings the bell when another process has committed: SQLite tells by `data_version`.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn watch_others(&self, seen: &mut i64) -> Result<(), StoreError> {
        let pool = self.pool();
        let turn = pool.turn().await;
        let Pool::Sqlite { watch, .. } = pool;
        let version = sqlx::query_scalar::<_, i64>("PRAGMA data_version").fetch_one(watch).await?;
        end(turn).await;
        if std::mem::replace(seen, version) != version {
            self.inner.revision.send_modify(|r| *r += 1);
        }
        Ok(())
    }

    /// The SQLite library's version, for `doctor` and the start-up check.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn version(&self) -> Result<String, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_scalar("SELECT sqlite_version()").fetch_one(db).await?))
    }
}

/// The folder 0700 and the file 0600, before SQLite makes it with the umask's mode.
fn prepare_file(path: &str) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if path == ":memory:" {
        return Ok(());
    }
    if let Some(folder) = Path::new(path).parent().filter(|p| !p.as_os_str().is_empty() && !p.exists()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

async fn migrate(conn: &mut SqliteConnection) -> Result<(), sqlx::migrate::MigrateError> {
    sqlx::migrate!("migrations/sqlite").run(conn).await
}

impl Tx {
    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        on_tx!(self, |db| sqlx::query(sql).execute(&mut *db).await?);
        Ok(())
    }

    async fn batch(&mut self, jobs: Vec<Job>) -> Vec<(bool, Finish)> {
        let alone = jobs.len() == 1;
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            if alone {
                done.push(job(Ok(self)).await);
                continue;
            }
            if let Err(e) = self.run("SAVEPOINT job").await {
                done.push(job(Err(e)).await);
                continue;
            }
            let (ok, finish) = job(Ok(self)).await;
            let undone = if ok { Ok(()) } else { self.run("ROLLBACK TO job").await };
            if let Err(e) = undone.and(self.run("RELEASE job").await) {
                tracing::error!(target: "store", error = %e, "cannot settle a savepoint");
            }
            done.push((ok, finish));
        }
        done
    }
}

/// The writing connection, and whom it tells how that goes.
struct Writer {
    tx: Tx,
    revision: watch::Sender<Revision>,
    trouble: Arc<RwLock<Option<String>>>,
    turns: Option<Turns>,
}

impl Writer {
    /// Takes what has queued, runs it in one transaction, commits, answers. Bulk work gets one job
    /// a turn, [`BULK`] where nothing else waits.
    async fn run(mut self, mut urgent: mpsc::Receiver<Job>, mut bulk: mpsc::Receiver<Job>) {
        loop {
            let mut jobs = Vec::new();
            let mut closed = false;
            tokio::select! {
                biased;
                n = urgent.recv_many(&mut jobs, BATCH) => closed = n == 0,
                job = bulk.recv() => jobs.extend(job),
            }
            if jobs.is_empty() && closed {
                return;
            }
            for _ in 0..BULK.saturating_sub(jobs.len()).max(1) {
                jobs.extend(bulk.try_recv().ok());
            }
            let turn = turn(self.turns.as_ref()).await;
            if let Err(e) = self.tx.run("BEGIN IMMEDIATE").await {
                self.refuse(jobs, &e).await;
                continue;
            }
            let done = self.tx.batch(jobs).await;
            let any = done.iter().any(|(ok, _)| *ok);
            let settled = self.settle(any).await;
            end(turn).await;
            for (ok, finish) in done {
                finish(settled.as_ref().err().filter(|_| ok).map(StoreError::echo));
            }
        }
    }

    async fn settle(&mut self, any: bool) -> Result<(), StoreError> {
        let settled = self.tx.run(if any { "COMMIT" } else { "ROLLBACK" }).await;
        if any || settled.is_err() {
            self.tell(settled.as_ref().err());
        }
        if let Err(e) = &settled {
            tracing::error!(target: "store", error = %e, "commit failed");
            // After a failed COMMIT the transaction may still be open.
            drop(self.tx.run("ROLLBACK").await);
        } else if any {
            self.revision.send_modify(|r| *r += 1);
        }
        settled
    }

    /// No transaction could be begun: every waiter is told why, nothing ran.
    async fn refuse(&mut self, jobs: Vec<Job>, why: &StoreError) {
        tracing::error!(target: "store", error = %why, "cannot begin a transaction");
        self.tell(Some(why));
        // A broken transaction left open would refuse for ever.
        drop(self.tx.run("ROLLBACK").await);
        for job in jobs {
            let (_, finish) = job(Err(why.echo())).await;
            finish(None);
        }
    }

    fn tell(&self, trouble: Option<&StoreError>) {
        *self.trouble.write() = trouble.map(ToString::to_string);
    }
}
