//! The inbox: every fact from outside, stored under a key that makes a second arrival harmless.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Store, StoreError, pool::on, rows::stamp, texts::Part};
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

/// Stores those that are new, each with the state it moved its call to.
pub(super) fn insert(events: &[NewEvent<'_>]) -> Option<Part> {
    let sql = "INSERT INTO call_events (key, call_id, source, kind, raw, at, received_at, applied)
               SELECT #text(v, 0), #id(v, 1), #text(v, 2), #json(v, 3), #jsontext(v, 4), #at(v, 5), $1, #text(v, 6) FROM #rowsb($rows) WHERE true
               ON CONFLICT (key) DO NOTHING";
    let row = |n: &NewEvent<'_>| {
        let e = n.event;
        serde_json::to_string(&(&e.key, n.call.map(CallId::hex), e.source.as_str(), &e.kind, &e.raw, stamp(Some(e.at)), n.moved.map(State::as_str)))
    };
    // An empty text is no JSON: the statement fails, as it must.
    let rows: Result<Vec<String>, _> = events.iter().map(row).collect();
    (!events.is_empty()).then(|| Part::new(sql, rows.map_or_else(|_| String::new(), |rows| format!("[{}]", rows.join(",")))))
}
