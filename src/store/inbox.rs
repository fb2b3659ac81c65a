//! The inbox: every fact from outside, stored under a key that makes a second arrival harmless.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    Store, StoreError, Tx,
    pool::{on, on_tx},
    rows::stamp,
    sql::{letters, sql},
};
use crate::domain::{
    call::State,
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

/// An event to be stored, the call it is about, and the state it moved that call to.
#[derive(Debug, Clone, Copy)]
pub struct NewEvent<'a> {
    pub event: &'a CallEvent,
    pub call: Option<CallId>,
    pub moved: Option<State>,
}

impl Store {
    /// A call's events in the order they came.
    pub async fn timeline(&self, call: CallId) -> Result<Vec<EventRow>, StoreError> {
        let sql = "SELECT id, source, kind, at, received_at, applied FROM call_events WHERE call_id = $1 ORDER BY id LIMIT 500";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(call).fetch_all(db).await?))
    }
}

impl Tx {
    /// Stores events that are new, each with the state it moved its call to; answers how many were.
    pub async fn insert_events(&mut self, events: &[NewEvent<'_>], now: DateTime<Utc>) -> Result<usize, StoreError> {
        let sql = sql!(
            self.kind(),
            "INSERT INTO call_events (key, call_id, source, kind, raw, at, received_at, applied)
                   SELECT #text(v, 0), #id(v, 1), #text(v, 2), #json(v, 3), #jsontext(v, 4), #at(v, 5), $2, #text(v, 6) FROM #rowsb($1) WHERE true
                   ON CONFLICT (key) DO NOTHING"
        );
        let rows: Vec<_> = events
            .iter()
            .map(|n| {
                let e = n.event;
                (&e.key, n.call.map(CallId::hex), e.source.as_str(), &e.kind, &e.raw, stamp(Some(e.at)), n.moved.map(State::as_str))
            })
            .collect();
        // An empty text is no JSON: the statement fails, as it must.
        let json = letters(self.kind(), serde_json::to_string(&rows).unwrap_or_default());
        let done = on_tx!(self, |db| sqlx::query(sql).bind(json).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(usize::try_from(done).unwrap_or(usize::MAX))
    }
}
