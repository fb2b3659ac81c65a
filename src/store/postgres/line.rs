//! The one connection of this process that writes. Every wait on it has an end; one that had to be given up is not
//! used again, for nobody knows what it would do. All writers of all hosts take turns by one lock, alone in its
//! statement, so that whoever has it sees what the one before has written.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Describe, Either, Execute, Executor, PgConnection, PgPool, Postgres, Row, SqlStr,
    postgres::{PgConnectOptions, PgDatabaseError, PgQueryResult, PgRow, PgSeverity, PgStatement, PgTypeInfo},
};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    super::StoreError,
    look::{self, late},
    past::{Lineage, Past},
    session,
};

/// A statement under the lock that takes longer is given up, and the connection with it.
const STATEMENT: Duration = Duration::from_secs(5);
/// From the first packet to a session that is as it must be.
const READY: Duration = Duration::from_secs(10);
/// The wait for the lock has the server's own end, of 10 s.
const LOCK: Duration = Duration::from_secs(12);
/// A question of a reader has the server's own end, of 15 s.
const READ: Duration = Duration::from_secs(17);
/// For so long is asked what became of a COMMIT that had no answer.
const DOUBT: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(500);

/// "dialdeck" in eight bytes: writers of one database take turns by it.
const TURN: &str = "SELECT pg_advisory_xact_lock(7235421394516140907)";

/// The writing connection, made anew when it is lost.
#[derive(Debug)]
pub(in crate::store) struct Line {
    options: PgConnectOptions,
    /// A pooler lets no settings through at the start of a session: they are set in it.
    pooled: bool,
    conn: Option<PgConnection>,
    /// A statement had no answer: whatever comes now is not the answer to the next.
    lost: bool,
    /// Of the next statement.
    patience: Duration,
    me: Uuid,
    batch: i64,
    past: Arc<Past>,
}

impl Line {
    pub(super) fn new(options: PgConnectOptions, me: Uuid, past: Arc<Past>) -> Self {
        Self { options, pooled: false, conn: None, lost: false, patience: STATEMENT, me, batch: 0, past }
    }

    /// A connection whose session is as it must be.
    pub(super) async fn connect(&mut self) -> Result<(), StoreError> {
        if self.conn.is_some() && !self.lost {
            return Ok(());
        }
        self.hang_up();
        let ready = async {
            let (mut conn, pooled) = session::begin(&self.options).await?;
            let lineage = Lineage::of(&mut conn).await?;
            session::take_role(&mut conn).await?;
            Ok::<_, StoreError>((conn, pooled, lineage))
        };
        let made = tokio::time::timeout(READY, ready).await.unwrap_or_else(|_| Err(late("the server took a connection and says nothing").into()));
        let (conn, pooled, lineage) = made?;
        // Before anything is written by it.
        self.past.answers(lineage);
        (self.conn, self.pooled) = (Some(conn), pooled);
        Ok(())
    }

    /// How far the server is, there and back.
    pub(super) async fn measured(&mut self) -> Result<Duration, sqlx::Error> {
        match &mut self.conn {
            Some(conn) => tokio::time::timeout(STATEMENT, look::measured(conn)).await.unwrap_or_else(|_| Err(late("no answer"))),
            None => Err(gone()),
        }
    }

    pub(super) fn is_pooled(&self) -> bool {
        self.pooled
    }

    pub(in crate::store) fn went_back(&self) -> bool {
        self.past.broken().is_some()
    }

    /// Writers that are long gone leave the table of writers.
    pub(super) async fn settle_in(&mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("DELETE FROM writers WHERE at < now() - interval '7 days'").execute(self).await.map(|_| ())
    }

    /// Never used again: the server undoes what is open as soon as it sees it.
    pub(in crate::store) fn hang_up(&mut self) {
        self.conn = None;
        self.lost = false;
    }

    /// Begins a transaction and waits for the turn, in one round trip; the first job's savepoint goes with it.
    pub(in crate::store) async fn begin(&mut self, savepoint: bool) -> Result<(), StoreError> {
        let old = self.conn.is_some();
        self.connect().await?;
        match self.take_turn(savepoint).await {
            // It was ended while nobody used it, and nothing has run yet.
            Err(e) if old && is_ended(&e) => {
                self.connect().await?;
                self.take_turn(savepoint).await.map_err(StoreError::from)
            }
            begun => Ok(begun?),
        }
    }

    async fn take_turn(&mut self, savepoint: bool) -> Result<(), sqlx::Error> {
        let savepoint = if savepoint { "; SAVEPOINT job" } else { "" };
        // What is read with the turn is what all before have kept: also of a database that was put back under us.
        let text = format!("BEGIN; {TURN}; SELECT batch FROM writers WHERE incarnation = '{}'{savepoint}", self.me);
        self.patience = LOCK;
        let begun = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).fetch_all(&mut *self).await;
        self.patience = STATEMENT;
        let rows = begun.inspect_err(|_| self.hang_up())?;
        // The first row is the turn's.
        let mark = rows.get(1).and_then(|row| row.try_get_unchecked::<String, _>(0).ok()?.parse().ok());
        self.past.knows(mark);
        Ok(())
    }

    /// Keeps the transaction, marked as this one, and rings for the others. Where no answer comes, the mark is
    /// looked for under the lock: then the session that had it has ended.
    pub(in crate::store) async fn commit(&mut self) -> Result<(), StoreError> {
        self.batch += 1;
        let (me, batch) = (self.me, self.batch);
        let text = format!(
            "INSERT INTO writers (incarnation, batch, at) VALUES ('{me}', {batch}, now()) ON CONFLICT (incarnation) DO UPDATE SET batch = excluded.batch, at = excluded.at; \
             NOTIFY dialdeck, '{me}'; COMMIT"
        );
        match sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *self).await {
            Ok(_) => {
                self.past.kept(batch);
                Ok(())
            }
            Err(e) if is_refusal(&e) => Err(e.into()),
            Err(e) => {
                tracing::warn!(target: "store", error = %e, "a COMMIT had no answer: whether it was kept is being looked up");
                self.hang_up();
                self.look_up(&e).await
            }
        }
    }

    async fn look_up(&mut self, sign: &sqlx::Error) -> Result<(), StoreError> {
        let until = Instant::now() + DOUBT;
        loop {
            match self.marked().await {
                Ok(batch) if batch == Some(self.batch) => {
                    self.past.kept(self.batch);
                    return Ok(());
                }
                Ok(_) => return Err(StoreError::Busy(format!("the connection was lost before anything was kept ({sign})"))),
                Err(e) if Instant::now() >= until => {
                    return Err(StoreError::Busy(format!("whether a transaction was kept is not known: the database has not answered since ({e})")));
                }
                Err(e) => {
                    tracing::warn!(target: "store", error = %e, "the database cannot be asked yet");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// The last batch of this writer that was kept.
    async fn marked(&mut self) -> Result<Option<i64>, StoreError> {
        self.begin(false).await?;
        let batch = sqlx::query_scalar("SELECT batch FROM writers WHERE incarnation = $1").bind(self.me).fetch_optional(&mut *self).await?;
        self.rollback().await?;
        Ok(batch)
    }

    pub(in crate::store) async fn rollback(&mut self) -> Result<(), StoreError> {
        let done = self.run("ROLLBACK").await;
        if done.is_err() {
            self.hang_up();
        }
        done
    }

    /// Statements without binds, in one round trip.
    pub(in crate::store) async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        Ok(sqlx::raw_sql(sql).execute(self).await.map(|_| ())?)
    }
}

/// The other end is gone, and said so or is seen to be.
fn is_ended(e: &sqlx::Error) -> bool {
    match e {
        sqlx::Error::Io(e) => e.kind() != ErrorKind::TimedOut,
        e => e.as_database_error().is_some() && !is_refusal(e),
    }
}

/// The server said no, and goes on listening: nothing was kept. A session that it ends may have kept it before.
fn is_refusal(e: &sqlx::Error) -> bool {
    let severity = e.as_database_error().and_then(|e| e.try_downcast_ref::<PgDatabaseError>()).map(PgDatabaseError::severity);
    severity.is_some_and(|s| !matches!(s, PgSeverity::Fatal | PgSeverity::Panic))
}

type Items<'e> = BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>;

/// Ends with an error when nothing comes for too long, and tells whoever must know.
fn timed<'e, F: FnOnce() + Send + 'e>(items: Items<'e>, patience: Duration, given_up: F) -> Items<'e> {
    let next = move |state: Option<(Items<'e>, F)>| async move {
        let (mut items, given_up) = state?;
        if let Ok(item) = tokio::time::timeout(patience, items.next()).await {
            return item.map(|item| (item, Some((items, given_up))));
        }
        given_up();
        Some((Err(late("the database has not answered in time")), None))
    };
    stream::unfold(Some((items, given_up)), next).boxed()
}

fn gone() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(ErrorKind::NotConnected, "the connection to the database is lost"))
}

impl<'c> Executor<'c> for &'c mut Line {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Items<'e>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let Line { conn, lost, patience, .. } = self;
        match conn {
            Some(conn) if !*lost => timed(conn.fetch_many(query), *patience, move || *lost = true),
            _ => stream::once(async { Err(gone()) }).boxed(),
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        first(self.fetch_many(query))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        match &mut self.conn {
            Some(conn) => conn.prepare_with(sql, parameters),
            None => async { Err(gone()) }.boxed(),
        }
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        match &mut self.conn {
            Some(conn) => conn.describe(sql),
            None => async { Err(gone()) }.boxed(),
        }
    }
}

/// The first row. All of an answer is read: an error may come behind it.
fn first(mut items: Items<'_>) -> BoxFuture<'_, Result<Option<PgRow>, sqlx::Error>> {
    async move {
        let mut row = None;
        while let Some(item) = items.next().await {
            if let Either::Right(r) = item? {
                row.get_or_insert(r);
            }
        }
        Ok(row)
    }
    .boxed()
}

/// The readers, each question with an end.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Readers<'p>(pub(super) &'p PgPool);

impl<'p> Executor<'p> for Readers<'p> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Items<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        timed(self.0.fetch_many(query), READ, || ())
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        first(self.fetch_many(query))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        self.0.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'p: 'e,
    {
        self.0.describe(sql)
    }
}
