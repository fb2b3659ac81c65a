//! For proofs, and in no release build: each statement of a store is first run as a user who owns nothing, with the
//! same words and values, and undone. The owner's filter stands in its words and lets the owner's rows through; what
//! keeps them closed then is the database alone.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use futures_util::{FutureExt, TryStreamExt};
use parking_lot::Mutex;
use sqlx::{
    AssertSqlSafe, Column, Either, Execute, PgConnection, Postgres, Row, TypeInfo, ValueRef,
    postgres::{PgArguments, PgQueryResult, PgRow},
};
use uuid::Uuid;

use super::{
    answers::{Items, all_of},
    session,
};
use crate::domain::id::OwnerId;

type Answer = Vec<Either<PgQueryResult, PgRow>>;

/// By the name of a store's writer.
static WATCHED: LazyLock<Mutex<HashMap<Uuid, Arc<Shadow>>>> = LazyLock::new(Mutex::default);

/// What was seen of each statement, by its words.
#[derive(Debug, Default)]
pub struct Shadow(Mutex<BTreeMap<String, Seen>>);

/// Rows that say something and rows that were changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// By whoever it was run for.
    pub by_own: u64,
    /// By the stranger, with the same words and values.
    pub by_stranger: u64,
    /// How often the stranger was refused.
    pub refused: u64,
}

impl Shadow {
    #[must_use]
    pub fn seen(&self) -> BTreeMap<String, Seen> {
        self.0.lock().clone()
    }

    fn note(&self, sql: &str, change: impl FnOnce(&mut Seen)) {
        change(self.0.lock().entry(sql.to_owned()).or_default());
    }
}

/// From here on the statements of a store are watched.
pub(in crate::store) fn watch(me: Uuid) -> Arc<Shadow> {
    WATCHED.lock().entry(me).or_default().clone()
}

pub(super) fn of(me: Uuid) -> Option<Arc<Shadow>> {
    WATCHED.lock().get(&me).cloned()
}

/// Where a statement runs: inside a transaction, or by itself.
#[derive(Clone, Copy)]
pub(super) enum Inside {
    Transaction,
    Nothing,
}

/// Runs a statement of the writer, first as the stranger. What has no binds at all is about the transaction itself.
pub(super) fn watched<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(conn: &'e mut PgConnection, shadow: Arc<Shadow>, inside: Inside, mut query: E) -> Items<'e> {
    use sqlx::Executor;
    let arguments = match query.take_arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return conn.fetch_many(query),
        Err(e) => return all_of(async move { Err(sqlx::Error::Encode(e)) }.boxed()),
    };
    let sql = query.sql().as_str().to_owned();
    let answer = async move {
        as_stranger(conn, &shadow, inside, &sql, arguments.clone()).await?;
        let items = run(conn, &sql, arguments).await?;
        shadow.note(&sql, |seen| seen.by_own += told(&items));
        Ok(items)
    };
    all_of(answer.boxed())
}

async fn run(conn: &mut PgConnection, sql: &str, arguments: PgArguments) -> Result<Answer, sqlx::Error> {
    use sqlx::Executor;
    conn.fetch_many(sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments)).try_collect().await
}

async fn as_stranger(conn: &mut PgConnection, shadow: &Shadow, inside: Inside, sql: &str, arguments: PgArguments) -> Result<(), sqlx::Error> {
    let as_stranger = session::acting_as(Some(OwnerId(Uuid::new_v4())), true);
    let (before, after) = match inside {
        Inside::Transaction => ("SAVEPOINT stranger", "ROLLBACK TO stranger; RELEASE stranger"),
        Inside::Nothing => ("BEGIN", "ROLLBACK"),
    };
    sqlx::raw_sql(AssertSqlSafe(format!("{before}; {as_stranger}"))).execute(&mut *conn).await?;
    let tried = run(conn, sql, arguments).await;
    sqlx::raw_sql(after).execute(&mut *conn).await?;
    shadow.note(sql, |seen| match &tried {
        Ok(items) => seen.by_stranger += told(items),
        Err(_) => seen.refused += 1,
    });
    Ok(())
}

/// How many rows say something, or were changed where none came back.
fn told(items: &Answer) -> u64 {
    let rows: Vec<&PgRow> = items.iter().filter_map(|i| i.as_ref().right()).collect();
    if rows.is_empty() {
        return items.iter().filter_map(|i| i.as_ref().left()).map(PgQueryResult::rows_affected).sum();
    }
    rows.iter().filter(|row| says_something(row)).count() as u64
}

/// A count of nothing, an empty list and what is false say nothing.
fn says_something(row: &PgRow) -> bool {
    (0..row.columns().len()).any(|i| {
        if row.columns()[i].type_info().name() == "INT8[]" {
            return row.try_get::<Vec<i64>, _>(i).is_ok_and(|all| all.iter().any(|n| *n != 0));
        }
        let Ok(value) = row.try_get_raw(i) else { return true };
        let bytes = value.as_bytes().unwrap_or_default();
        !value.is_null() && bytes.iter().any(|b| *b != 0) && !matches!(bytes, b"[]" | b"\x01[]")
    })
}
