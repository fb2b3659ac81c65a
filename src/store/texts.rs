//! Several statements as one text: each that goes by itself costs two changes of threads, between us and the
//! database's.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use serde_json::Value;
use sqlx::Executor;

use super::{
    StoreError, Tx,
    pool::Conn,
    sql::{Kind, letters, say, side_by_side},
};

/// A statement over rows: `$rows` stands for them, as JSON, and `$1` for now where it asks for it.
pub(super) struct Part {
    sql: Cow<'static, str>,
    rows: String,
}

impl Part {
    pub(super) fn new(sql: impl Into<Cow<'static, str>>, rows: String) -> Self {
        Self { sql: sql.into(), rows }
    }

    /// The same, where there are rows.
    pub(super) fn of(sql: impl Into<Cow<'static, str>>, rows: Vec<Value>) -> Option<Self> {
        (!rows.is_empty()).then(|| Self::new(sql, Value::from(rows).to_string()))
    }
}

impl Tx {
    /// Runs them in their order; how many rows each has changed.
    pub(super) async fn run_parts(&mut self, parts: Vec<Part>, now: DateTime<Utc>) -> Result<Vec<u64>, StoreError> {
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let dated = parts.iter().any(|part| part.sql.contains("$1"));
        let first = 1 + usize::from(dated);
        let texts: Vec<String> = parts.iter().zip(first..).map(|(part, at)| part.sql.replace("$rows", &format!("${at}"))).collect();
        let rows = parts.into_iter().map(|part| part.rows);
        match &mut self.conn {
            Conn::Sqlite(db) => {
                let query = sqlx::query(say(Kind::Sqlite, &texts.join("; ")));
                let query = if dated { query.bind(now) } else { query };
                let mut results = db.fetch_many(rows.fold(query, sqlx::query::Query::bind));
                let mut changed = Vec::with_capacity(texts.len());
                while let Some(result) = results.try_next().await? {
                    changed.extend(result.left().map(|done| done.rows_affected()));
                }
                Ok(changed)
            }
            Conn::Postgres(db) => {
                let (with, counts) = side_by_side(&texts.iter().map(String::as_str).collect::<Vec<_>>());
                let query = sqlx::query_scalar::<_, Vec<i64>>(say(Kind::Postgres, &format!("{with} SELECT ARRAY[{}]", counts.join(", "))));
                let query = if dated { query.bind(now) } else { query };
                let changed = rows.fold(query, |query, rows| query.bind(letters(Kind::Postgres, rows))).fetch_one(&mut **db).await?;
                Ok(changed.into_iter().map(|n| u64::try_from(n).unwrap_or(0)).collect())
            }
        }
    }
}
