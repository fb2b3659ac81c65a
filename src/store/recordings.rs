//! Recordings as rows: by the id of whoever made them, linked to a call when it is known; and which calls'
//! recordings are still to be asked for.

use chrono::{DateTime, Utc};

use super::{
    CallRow, Store, StoreError, Tx,
    pool::{on, on_tx},
};
use crate::domain::{
    id::CallId,
    recording::{Maker, News, Stage},
};

/// A recording.
#[derive(Debug, Clone, sqlx::FromRow, serde::Serialize)]
pub struct RecordingRow {
    pub sid: String,
    #[serde(skip)]
    pub call_id: Option<CallId>,
    pub source: Maker,
    pub status: Stage,
    pub url: Option<String>,
    /// Seconds.
    pub duration: Option<i64>,
    pub reason: String,
    pub created_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT sid, call_id, source, status, url, duration, reason, created_at FROM recordings";

/// What is asked at once.
const SLICE: i64 = 100;

impl Store {
    /// The recordings of a call, the newest first; those that only its Twilio id names are its as well.
    pub async fn recordings(&self, call: &CallRow) -> Result<Vec<RecordingRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT * FROM ({SELECT} WHERE call_id = $1 UNION {SELECT} WHERE call_id IS NULL AND call_sid = $2) AS both_ways ORDER BY created_at DESC, sid LIMIT 50"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(call.id).bind(&call.call_sid).fetch_all(db).await?))
    }

    /// Why no recording of a call was made, where one was asked for; empty while it may still come, or none is missed.
    pub async fn recording_reason(&self, call: CallId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT reason FROM recording_tasks WHERE call_id = $1";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(call).fetch_optional(db).await?))
    }

    /// Calls that somebody has answered, which are on, and nobody has asked to record.
    pub async fn unrecorded_calls(&self) -> Result<Vec<CallId>, StoreError> {
        let sql = "SELECT id FROM campaign_calls k WHERE rank >= 5 AND rank < 90 AND state = 'answered' AND NOT EXISTS (SELECT 1 FROM recording_tasks t WHERE t.call_id = k.id) LIMIT $1";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(SLICE).fetch_all(db).await?))
    }

    /// Calls that ended a while ago and were answered, of which no recording was asked for: they were short, or
    /// nobody was there to see them.
    pub async fn unasked_calls(&self, since: DateTime<Utc>) -> Result<Vec<CallId>, StoreError> {
        let sql = "SELECT k.id FROM campaigns c JOIN campaign_calls k ON k.campaign_id = c.id
                   WHERE k.answered_at > $1 AND NOT EXISTS (SELECT 1 FROM recording_tasks t WHERE t.call_id = k.id) LIMIT $2";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(since).bind(SLICE).fetch_all(db).await?))
    }

    /// Calls whose recording is to be asked for by now.
    pub async fn recordings_due(&self, now: DateTime<Utc>) -> Result<Vec<CallId>, StoreError> {
        let sql = "SELECT call_id FROM recording_tasks WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(now).bind(SLICE).fetch_all(db).await?))
    }
}

impl Tx {
    /// A call's recording is to be asked for from a moment on; `false` when that is settled already.
    pub async fn ask_recording(&mut self, call: CallId, due: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "INSERT INTO recording_tasks (call_id, due_at) VALUES ($1, $2) ON CONFLICT (call_id) DO NOTHING";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(call).bind(due).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Puts a recording that is due off until `until`; `false` when somebody else has.
    pub async fn take_recording(&mut self, call: CallId, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE recording_tasks SET due_at = $3 WHERE call_id = $1 AND due_at <= $2";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(call).bind(now).bind(until).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// When a recording is asked for again; `None`: never, with the reason.
    pub async fn set_recording_task(&mut self, call: CallId, due: Option<DateTime<Utc>>, reason: &str) -> Result<(), StoreError> {
        let sql = "UPDATE recording_tasks SET due_at = $2, reason = $3 WHERE call_id = $1";
        on_tx!(self, |db| sqlx::query(sql).bind(call).bind(due).bind(reason).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// What is told of a recording, under its own id. One that has ended does not begin again.
    pub async fn put_recording(&mut self, n: &News) -> Result<(), StoreError> {
        let sql = "INSERT INTO recordings (sid, call_id, call_sid, source, status, url, duration, reason, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
                   ON CONFLICT (sid) DO UPDATE SET call_id = COALESCE(recordings.call_id, excluded.call_id),
                       call_sid = COALESCE(recordings.call_sid, excluded.call_sid), url = COALESCE(excluded.url, recordings.url),
                       duration = COALESCE(excluded.duration, recordings.duration), updated_at = excluded.updated_at,
                       status = CASE WHEN excluded.status = 'in_progress' THEN recordings.status ELSE excluded.status END,
                       reason = CASE WHEN excluded.status = 'in_progress' THEN recordings.reason ELSE excluded.reason END";
        on_tx!(self, |db| sqlx::query(sql)
            .bind(&n.sid)
            .bind(n.call)
            .bind(&n.call_sid)
            .bind(n.maker)
            .bind(n.stage)
            .bind(&n.url)
            .bind(n.duration)
            .bind(&n.reason)
            .bind(n.at)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A recording's call, by what is known of it now; it is linked from then on.
    pub async fn link_recording(&mut self, sid: &str) -> Result<Option<CallId>, StoreError> {
        let sql = "UPDATE recordings SET call_id = COALESCE(call_id, (SELECT id FROM campaign_calls k WHERE k.call_sid = recordings.call_sid))
                   WHERE sid = $1 RETURNING call_id";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(sid).fetch_optional(&mut *db).await?).flatten())
    }

    /// Recordings that came before their call's Twilio id was known are its from now on; whether there are any.
    pub async fn link_recordings(&mut self, call: CallId, call_sid: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE recordings SET call_id = $1 WHERE call_id IS NULL AND call_sid = $2";
        Ok(on_tx!(self, |db| sqlx::query(sql).bind(call).bind(call_sid).execute(&mut *db).await?.rows_affected()) > 0)
    }

    /// The call's row says where it can be heard.
    pub async fn show_recording(&mut self, call: CallId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE campaign_calls SET recording_url = r.url, updated_at = $2
                   FROM (SELECT url FROM recordings WHERE call_id = $1 AND status = 'completed' AND url IS NOT NULL ORDER BY created_at DESC, sid LIMIT 1) AS r
                   WHERE id = $1 AND recording_url IS DISTINCT FROM r.url";
        on_tx!(self, |db| sqlx::query(sql).bind(call).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }
}
