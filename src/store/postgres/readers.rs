//! The connections that read, each question with an end. A user's question runs as that user; the connection is the
//! engine's again before anybody else has it.

use std::time::Duration;

use futures_util::{FutureExt, TryStreamExt, future::BoxFuture};
use sqlx::{
    Describe, Execute, Executor, PgPool, Postgres, SqlStr,
    postgres::{PgRow, PgStatement, PgTypeInfo},
};
#[cfg(debug_assertions)]
use uuid::Uuid;

use super::{
    super::pool::Whose,
    answers::{Items, all_of, first, timed},
    session,
};

/// A question of a reader has the server's own end, of 15 s.
const READ: Duration = Duration::from_secs(17);

#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Readers<'p> {
    pub(super) pool: &'p PgPool,
    pub(super) whose: Whose,
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
        let items = if self.whose.is_some() { as_user(self, query) } else { self.pool.fetch_many(query) };
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
