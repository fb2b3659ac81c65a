//! The one connection of this process that writes. Every wait on it has an end; one that had to be given up is not
//! used again, for nobody knows what it would do. All writers of all hosts take turns by one lock, alone in its
//! statement, so that whoever has it sees what the one before has written.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use sqlx::{
    Describe, Execute, Executor, PgConnection, Postgres, Row, SqlStr,
    postgres::{PgConnectOptions, PgDatabaseError, PgRow, PgSeverity, PgStatement, PgTypeInfo},
};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    super::{StoreError, pool::Whose},
    answers::{Items, first, late, timed},
    look,
    past::{Lineage, Past},
    session,
};

/// A statement under the lock that takes longer is given up, and the connection with it.
const STATEMENT: Duration = Duration::from_secs(5);
/// From the first packet to a session that is as it must be.
const READY: Duration = Duration::from_secs(10);
/// The wait for the lock has the server's own end, of 10 s.
const LOCK: Duration = Duration::from_secs(12);
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
    /// As whom the open transaction works now.
    acting: Whose,
}

impl Line {
    pub(super) fn new(options: PgConnectOptions, me: Uuid, past: Arc<Past>) -> Self {
        Self { options, pooled: false, conn: None, lost: false, patience: STATEMENT, me, batch: 0, past, acting: None }
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
        self.acting = None;
    }

    /// Begins a transaction for somebody and waits for the turn, in one round trip; the first job's savepoint goes
    /// with it.
    pub(in crate::store) async fn begin(&mut self, whose: Whose, savepoint: bool) -> Result<(), StoreError> {
        let old = self.conn.is_some();
        self.connect().await?;
        match self.take_turn(whose, savepoint).await {
            // It was ended while nobody used it, and nothing has run yet.
            Err(e) if old && is_ended(&e) => {
                self.connect().await?;
                self.take_turn(whose, savepoint).await.map_err(StoreError::from)
            }
            begun => Ok(begun?),
        }
    }

    async fn take_turn(&mut self, whose: Whose, savepoint: bool) -> Result<(), sqlx::Error> {
        // What is read with the turn is what all before have kept: also of a database that was put back under us.
        let mut text = format!("BEGIN; {TURN}; SELECT batch FROM writers WHERE incarnation = '{}'", self.me);
        if whose.is_some() {
            text = format!("{text}; {}", session::acting_as(whose, true));
        }
        if savepoint {
            text.push_str("; SAVEPOINT job");
        }
        self.patience = LOCK;
        let begun = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).fetch_all(&mut *self).await;
        self.patience = STATEMENT;
        self.acting = whose;
        let rows = begun.inspect_err(|_| self.hang_up())?;
        // The first row is the turn's; where this writer has no mark yet no number follows.
        let mark = rows.get(1).and_then(|row| row.try_get_unchecked::<String, _>(0).ok()?.parse().ok());
        self.past.knows(mark);
        Ok(())
    }

    /// From here on in this transaction as somebody else.
    pub(in crate::store) async fn act(&mut self, whose: Whose) -> Result<(), StoreError> {
        if self.acting == whose {
            return Ok(());
        }
        self.acting = whose;
        self.say(session::acting_as(whose, true)).await
    }

    /// Ends one of several jobs and begins the next, in one round trip: whose the first was is not left to it.
    pub(in crate::store) async fn next_job(&mut self, whose: Whose) -> Result<(), StoreError> {
        if self.acting == whose {
            return self.run("RELEASE job; SAVEPOINT job").await;
        }
        self.acting = whose;
        self.say(format!("RELEASE job; {}; SAVEPOINT job", session::acting_as(whose, true))).await
    }

    /// Undoes one of several jobs; whose it was is known since before its savepoint.
    pub(in crate::store) async fn undo_job(&mut self, whose: Whose) -> Result<(), StoreError> {
        self.acting = whose;
        self.run("ROLLBACK TO job").await
    }

    /// Keeps the transaction, marked as this one, and rings for the others. Where no answer comes, the mark is
    /// looked for under the lock: then the session that had it has ended.
    pub(in crate::store) async fn commit(&mut self) -> Result<(), StoreError> {
        self.batch += 1;
        let (me, batch) = (self.me, self.batch);
        let as_engine = if self.acting.take().is_some() { session::acting_as(None, true) + "; " } else { String::new() };
        let text = format!(
            "{as_engine}INSERT INTO writers (incarnation, batch, at) VALUES ('{me}', {batch}, now()) ON CONFLICT (incarnation) DO UPDATE SET batch = excluded.batch, at = excluded.at; \
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
                Ok(_) => return Err(StoreError::Away(format!("the connection was lost before anything was kept ({sign})"))),
                Err(e) if Instant::now() >= until => {
                    return Err(StoreError::Away(format!("whether a transaction was kept is not known: the database has not answered since ({e})")));
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
        self.begin(None, false).await?;
        let batch = sqlx::query_scalar("SELECT batch FROM writers WHERE incarnation = $1").bind(self.me).fetch_optional(&mut *self).await?;
        self.rollback().await?;
        Ok(batch)
    }

    pub(in crate::store) async fn rollback(&mut self) -> Result<(), StoreError> {
        let done = self.run("ROLLBACK").await;
        self.acting = None;
        if done.is_err() {
            self.hang_up();
        }
        done
    }

    /// Statements without binds, in one round trip.
    pub(in crate::store) async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        Ok(sqlx::raw_sql(sql).execute(self).await.map(|_| ())?)
    }

    async fn say(&mut self, sql: String) -> Result<(), StoreError> {
        Ok(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(self).await.map(|_| ())?)
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
        #[cfg(debug_assertions)]
        let watched = super::shadow::of(self.me);
        let Line { conn, lost, patience, .. } = self;
        match conn {
            Some(conn) if !*lost => {
                #[cfg(debug_assertions)]
                if let Some(shadow) = watched {
                    let items = super::shadow::watched(conn, shadow, super::shadow::Inside::Transaction, query);
                    return timed(items, *patience, move || *lost = true);
                }
                timed(conn.fetch_many(query), *patience, move || *lost = true)
            }
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
