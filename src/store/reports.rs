//! What the agent, or an operator, reported of a call: one row a call.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    Store, StoreError, Tx,
    pool::{on, on_tx},
};
use crate::domain::{
    id::CallId,
    outcome::{Report, Who},
};

/// A call's report.
#[derive(Debug, Clone, sqlx::FromRow, serde::Serialize)]
pub struct ReportRow {
    pub summary: Option<String>,
    pub answered_by: Option<String>,
    pub transcript: Option<Json<serde_json::Value>>,
    pub who: Who,
    pub by: String,
    pub at: DateTime<Utc>,
}

const SELECT: &str = "SELECT summary, answered_by, transcript, who, by, at FROM call_reports WHERE call_id = $1";

impl Store {
    pub async fn report(&self, call: CallId) -> Result<Option<ReportRow>, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_as(SELECT).bind(call).fetch_optional(db).await?))
    }
}

impl Tx {
    pub async fn report(&mut self, call: CallId) -> Result<Option<ReportRow>, StoreError> {
        Ok(on_tx!(self, |db| sqlx::query_as(SELECT).bind(call).fetch_optional(&mut *db).await?))
    }

    /// The report on a call: what a later one says stands for what was said before, and a machine does not
    /// write over a person.
    pub async fn put_report(&mut self, call: CallId, report: &Report, who: Who, by: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO call_reports (call_id, summary, answered_by, transcript, who, by, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
                   ON CONFLICT (call_id) DO UPDATE SET summary = COALESCE(excluded.summary, call_reports.summary),
                       answered_by = COALESCE(excluded.answered_by, call_reports.answered_by),
                       transcript = COALESCE(excluded.transcript, call_reports.transcript),
                       who = excluded.who, by = excluded.by, at = excluded.at
                   WHERE call_reports.who <> 'operator' OR excluded.who = 'operator'";
        let transcript = (!report.transcript.is_empty()).then_some(Json(&report.transcript));
        on_tx!(self, |db| sqlx::query(sql)
            .bind(call)
            .bind(&report.summary)
            .bind(&report.answered_by)
            .bind(transcript)
            .bind(who)
            .bind(by)
            .bind(now)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }
}
