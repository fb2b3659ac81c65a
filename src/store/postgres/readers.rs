//! The connections that read, each question with an end. A user's question runs as that user; the connection is the
//! engine's again before anybody else has it.

use std::time::Duration;

use futures_util::{FutureExt, TryStreamExt, future::BoxFuture};
use sqlx::{
    Describe, Execute, Executor, PgPool, Postgres, SqlStr,
    pool::PoolConnection,
    postgres::{PgRow, PgStatement, PgTypeInfo},
};
use tokio::sync::Mutex;
#[cfg(debug_assertions)]
use uuid::Uuid;

use super::{
    super::pool::Whose,
    answers::{Items, all_of, first, timed},
    session,
};

/// A question of a reader has the server's own end, of 15 s.
const READ: Duration = Duration::from_secs(17);

/// One of the connections for several questions, one after the other, and whose it is now. Nobody else has it meanwhile.
#[derive(Debug, Default)]
pub(in crate::store) struct Held(Mutex<Option<(PoolConnection<Postgres>, Whose)>>);

#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Readers<'p> {
    pub(super) pool: &'p PgPool,
    pub(super) whose: Whose,
    pub(super) held: Option<&'p Held>,
    #[cfg(debug_assertions)]
    pub(super) me: Uuid,
}

impl<'p> Executor<'p> for Readers<'p> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Items<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        #[cfg(debug_assertions)]
        if let Some(shadow) = super::shadow::of(self.me) {
            return timed(self.watched(shadow, query), READ, || ());
        }
        let items = match self.held {
            Some(held) => by_held(self, held, query),
            None if self.whose.is_some() => as_user(self, query),
            None => self.pool.fetch_many(query),
        };
        timed(items, READ, || ())
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
        self.pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'p: 'e,
    {
        self.pool.describe(sql)
    }
}

#[cfg(debug_assertions)]
impl<'p> Readers<'p> {
    /// See [`shadow`](super::shadow).
    fn watched<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(self, shadow: std::sync::Arc<super::shadow::Shadow>, query: E) -> Items<'e>
    where
        'p: 'e,
    {
        let answer = async move {
            let mut conn = self.pool.acquire().await?;
            if self.whose.is_some() {
                sqlx::raw_sql(sqlx::AssertSqlSafe(session::acting_as(self.whose, false))).execute(&mut *conn).await?;
            }
            super::shadow::watched(&mut conn, shadow, super::shadow::Inside::Nothing, query).try_collect().await
        };
        all_of(answer.boxed())
    }
}

/// A question on a connection that is that user's meanwhile: when it goes back it is the engine's, or is closed.
fn as_user<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(readers: Readers<'e>, query: E) -> Items<'e> {
    let answer = async move {
        let mut conn = readers.pool.acquire().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(session::acting_as(readers.whose, false))).execute(&mut *conn).await?;
        conn.fetch_many(query).try_collect().await
    };
    all_of(answer.boxed())
}

/// A question on the connection that is held, which becomes somebody else's first where it is not the asker's. It is
/// out of its place meanwhile: one whose question failed or was given up goes back to the others and is not held any
/// more, for whose it is may not be known.
fn by_held<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(readers: Readers<'e>, held: &'e Held, query: E) -> Items<'e> {
    let answer = async move {
        let mut place = held.0.lock().await;
        let (mut conn, is) = match place.take() {
            Some(held) => held,
            None => (readers.pool.acquire().await?, None),
        };
        if is != readers.whose {
            sqlx::raw_sql(sqlx::AssertSqlSafe(session::acting_as(readers.whose, false))).execute(&mut *conn).await?;
        }
        let items = conn.fetch_many(query).try_collect().await?;
        *place = Some((conn, readers.whose));
        Ok(items)
    };
    all_of(answer.boxed())
}
