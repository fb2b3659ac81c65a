//! SQLite: one file, brought up to date; one writing connection, a few readers that cannot write.

use std::time::Duration;

use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::watch;

use super::{StoreError, file::Place, log, schema::MIGRATIONS};

/// The connections to one file: one writes, a few read, and one says whether other processes have committed.
pub(super) struct Files {
    pub(super) write: SqliteConnection,
    pub(super) read: SqlitePool,
    pub(super) beside: SqlitePool,
    pub(super) place: Place,
}

/// Opens the file of a URL. Whoever listens to `revision` keeps its log short, but where all go by turns.
pub(super) async fn open(url: &str, make: bool, in_turns: bool, revision: &watch::Sender<u64>) -> Result<Files, StoreError> {
    let (place, _start) = Place::prepare(url, make).await?;
    let options = options(place.path(), !in_turns);
    let write = connect(&options, &place).await?;
    let options = options.create_if_missing(false).pragma("cache_size", "-4096");
    let beside = readers(&options.clone().pragma("query_only", "on"), &place, 1).await?;
    let read = readers(&options.read_only(true), &place, 4).await?;
    if !in_turns {
        tokio::spawn(log::kept_short(beside.clone(), revision.subscribe()));
    }
    Ok(Files { write, read, beside, place })
}

/// Changes when another process has committed.
pub(super) async fn version_of_data(beside: &SqlitePool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(beside).await?)
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
