//! Several statements as one text: each that goes by itself costs two changes of threads, between us and the
//! database's.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use serde_json::Value;
use sqlx::Executor;

use super::{StoreError, Tx, pool::on_tx};

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
    pub(super) async fn run_parts(&mut self, parts: Vec<Part>, now: Option<DateTime<Utc>>) -> Result<Vec<u64>, StoreError> {
        let mut changed = Vec::with_capacity(parts.len());
        if parts.is_empty() {
            return Ok(changed);
        }
        let texts: Vec<String> = parts.iter().zip(2..).map(|(part, at)| part.sql.replace("$rows", &format!("${at}"))).collect();
        let query = parts.into_iter().fold(sqlx::query(sqlx::AssertSqlSafe(texts.join("; "))).bind(now), |query, part| query.bind(part.rows));
        on_tx!(self, |db| {
            let mut results = (&mut *db).fetch_many(query);
            while let Some(result) = results.try_next().await? {
                changed.extend(result.left().map(|done| done.rows_affected()));
            }
        });
        Ok(changed)
    }
}
