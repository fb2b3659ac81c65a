//! The inbox: every fact from outside, stored under a key that makes a second arrival harmless.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    Store, StoreError, Tx,
    lookup::stamp,
    pool::{on, on_tx},
};
use crate::domain::{
    event::{CallEvent, Kind, Source},
    id::CallId,
};

/// A stored event of a call: the timeline.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EventRow {
    pub id: i64,
    pub source: Source,
    pub kind: Json<Kind>,
    pub at: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
    /// The state it moved the call to, if it did.
    pub applied: Option<String>,
}

impl Store {
    /// A call's events in the order they came.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn timeline(&self, call: CallId) -> Result<Vec<EventRow>, StoreError> {
        let sql = "SELECT id, source, kind, at, received_at, applied FROM call_events WHERE call_id = $1 ORDER BY id LIMIT 500";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(call).fetch_all(db).await?))
    }

    /// When the last event of a source came in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_event(&self, source: Source) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT received_at FROM call_events WHERE source = $1 ORDER BY id DESC LIMIT 1";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(source).fetch_optional(db).await?))
    }
}

impl Tx {
    /// Stores events; answers the keys that are new, each with its row's id. The rest came before.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_events(&mut self, events: &[(&CallEvent, Option<CallId>)], now: DateTime<Utc>) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = "INSERT INTO call_events (key, call_id, source, kind, raw, at, received_at)
                   SELECT v ->> 0, unhex(v ->> 1), v ->> 2, v ->> 3, v ->> 4, v ->> 5, $2 FROM (SELECT value AS v FROM json_each($1)) WHERE true
                   ON CONFLICT (key) DO NOTHING RETURNING key, id";
        let json: Vec<_> = events
            .iter()
            .map(|(e, call)| {
                let kind = serde_json::to_string(&e.kind).unwrap_or_default();
                serde_json::json!([e.key, call.map(CallId::hex), e.source.as_str(), kind, e.raw.to_string(), stamp(Some(e.at))])
            })
            .collect();
        let json = serde_json::Value::from(json).to_string();
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(json).bind(now).fetch_all(&mut *db).await?))
    }

    /// Notes which state each event moved its call to.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn mark_applied(&mut self, moved: &[(i64, &'static str)]) -> Result<(), StoreError> {
        let sql = "UPDATE call_events SET applied = v ->> 1 FROM (SELECT value AS v FROM json_each($1)) AS j WHERE call_events.id = v ->> 0";
        on_tx!(self, |db| sqlx::query(sql).bind(serde_json::json!(moved).to_string()).execute(&mut *db).await?);
        Ok(())
    }
}
