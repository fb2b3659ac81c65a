//! What is emptied and removed in slices: the rest of stopped campaigns, and what is older than it need be.
//! Every statement here looks at a bounded number of rows.

use chrono::{DateTime, Utc};

use super::{
    CallRow, Store, StoreError, Tx,
    pool::{changing, on, on_tx},
    sql::{Kind, say, sql, together},
};
use crate::domain::{
    campaign::Status,
    id::{CallId, CampaignId, Incarnation, OwnerId},
};

/// How a campaign stands, deleted or not.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Standing {
    pub user_id: OwnerId,
    pub name: String,
    pub execution_status: Status,
    pub generation: i64,
    pub status_reason: String,
    pub deleted: bool,
}

/// What is thrown away by age alone, from the oldest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aged {
    Keys,
    Events,
    /// Of calls that never became known.
    Recordings,
    /// The newest line stays whatever its age: how far the audit has grown is how a database from a backup
    /// is known.
    Audit,
}

// What a campaign that has done nothing for so long looks like; a deleted one only waits for its time.
const OVER: &str = "n.processing = 0 AND n.total > 0 AND (c.deleted_at < $1
        OR (c.deleted_at IS NULL AND n.pending = 0 AND c.execution_status NOT IN ('running', 'paused') AND c.status_at < $1 AND c.updated_at < $1
            AND (n.last_execution_at IS NULL OR n.last_execution_at < $1)))";

impl Store {
    /// Campaigns that are over and still have rows in their queue.
    pub async fn over_but_pending(&self) -> Result<Vec<CampaignId>, StoreError> {
        let sql = "SELECT c.id FROM campaign_counts n JOIN campaigns c ON c.id = n.campaign_id
                   WHERE n.pending > 0 AND (c.execution_status = 'completed' OR c.deleted_at IS NOT NULL) ORDER BY c.id LIMIT 100";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).fetch_all(db).await?))
    }

    /// Campaigns whose calls are no longer needed: nothing has happened in them since `before`.
    pub async fn campaigns_over(&self, before: DateTime<Utc>) -> Result<Vec<CampaignId>, StoreError> {
        let sql =
            sqlx::AssertSqlSafe(format!("SELECT c.id FROM campaigns c JOIN campaign_counts n ON n.campaign_id = c.id WHERE {OVER} ORDER BY c.id LIMIT 100"));
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(before).fetch_all(db).await?))
    }

    /// Keys of settings that begin so, after one of them.
    pub async fn setting_keys(&self, prefix: &str, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT key FROM settings WHERE key > $2 AND substr(key, 1, length($1)) = $1 ORDER BY key LIMIT $3";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(prefix).bind(after).bind(limit).fetch_all(db).await?))
    }
}

impl Tx {
    pub async fn standing(&mut self, id: CampaignId) -> Result<Option<Standing>, StoreError> {
        let sql = "SELECT user_id, name, execution_status, generation, status_reason, deleted_at IS NOT NULL AS deleted FROM campaigns WHERE id = $1";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).fetch_optional(&mut *db).await?))
    }

    /// Whether nothing has happened in a campaign since `before`.
    pub async fn is_over(&mut self, id: CampaignId, before: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql =
            sqlx::AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM campaigns c JOIN campaign_counts n ON n.campaign_id = c.id WHERE c.id = $2 AND {OVER})"));
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(before).bind(id).fetch_one(&mut *db).await?))
    }

    /// Of a campaign's calls after one and up to another, those that ended, and were touched last, before a moment.
    pub async fn calls_over(&mut self, id: CampaignId, (after, last): (CallId, CallId), before: DateTime<Utc>) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE campaign_id = $1 AND id > $2 AND id <= $3 AND rank >= 90 AND completed_at < $4 AND updated_at < $4";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).bind(after).bind(last).bind(before).fetch_all(&mut *db).await?))
    }

    /// Removes ended calls with all that was told of them.
    ///
    /// # Errors
    /// When one of them is not there, or not ended: then nothing may be kept of it.
    pub async fn remove_calls(&mut self, ids: &[CallId]) -> Result<(), StoreError> {
        let (n, mut last) = (ids.len(), 0);
        let ids = serde_json::json!(ids.iter().map(|i| i.hex()).collect::<Vec<_>>()).to_string();
        let search = match self.kind() {
            Kind::Sqlite => "DELETE FROM call_search WHERE rowid IN (SELECT dialled FROM campaign_calls WHERE id IN (#ids($1)) AND dialled IS NOT NULL)",
            Kind::Postgres => "DELETE FROM call_search WHERE dialled IN (SELECT dialled FROM campaign_calls WHERE id IN (#ids($1)) AND dialled IS NOT NULL)",
        };
        for template in [
            search,
            "DELETE FROM call_outcomes WHERE call_id IN (#ids($1))",
            "DELETE FROM call_requests WHERE call_id IN (#ids($1))",
            "DELETE FROM call_reports WHERE call_id IN (#ids($1))",
            "DELETE FROM recordings WHERE call_id IN (#ids($1))",
            "DELETE FROM recording_tasks WHERE call_id IN (#ids($1))",
            "DELETE FROM call_events WHERE call_id IN (#ids($1))",
            "DELETE FROM campaign_calls WHERE id IN (#ids($1)) AND rank >= 90",
        ] {
            let sql = say(self.kind(), template);
            last = on_tx!(self, |db| sqlx::query(sql).bind(&ids).execute(&mut *db).await?.rows_affected());
        }
        if usize::try_from(last) == Ok(n) { Ok(()) } else { Err(StoreError::moved()) }
    }

    /// Removes the oldest of what is older than `before`, at most `limit`; how many there were.
    pub async fn remove_aged(&mut self, what: Aged, before: DateTime<Utc>, limit: i64) -> Result<i64, StoreError> {
        let sql = match what {
            Aged::Keys => {
                "DELETE FROM idempotency_keys WHERE (user_id, key) IN (SELECT user_id, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)"
            }
            Aged::Events => {
                "DELETE FROM call_events WHERE id IN (SELECT id FROM (SELECT id, received_at FROM call_events ORDER BY id LIMIT $2) AS oldest WHERE received_at < $1)"
            }
            Aged::Recordings => "DELETE FROM recordings WHERE sid IN (SELECT sid FROM recordings WHERE call_id IS NULL AND created_at < $1 LIMIT $2)",
            Aged::Audit => {
                "DELETE FROM audit WHERE id < (SELECT max(id) FROM audit)
                   AND id IN (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT $2) AS oldest WHERE at < $1)"
            }
        };
        let done = on_tx!(self, |db| sqlx::query(sql).bind(before).bind(limit).execute(&mut *db).await?.rows_affected());
        Ok(i64::try_from(done).unwrap_or(i64::MAX))
    }

    /// Removes engines that have not been heard of since `before`, but for the one that leads.
    pub async fn remove_engines(&mut self, before: DateTime<Utc>, leads: Option<Incarnation>) -> Result<(), StoreError> {
        let sql = "DELETE FROM engines WHERE heartbeat_at < $1 AND ($2 IS NULL OR incarnation <> $2)";
        on_tx!(self, |db| sqlx::query(sql).bind(before).bind(leads).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    pub async fn remove_settings(&mut self, keys: &[String]) -> Result<(), StoreError> {
        let sql = sql!(self.kind(), "DELETE FROM settings WHERE key IN (#words($1))");
        on_tx!(self, |db| sqlx::query(sql).bind(serde_json::json!(keys).to_string()).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Removes the days and minutes of a campaign whose calls are gone.
    pub async fn remove_days(&mut self, id: CampaignId) -> Result<(), StoreError> {
        let sql = together(self.kind(), &["DELETE FROM campaign_days WHERE campaign_id = $1", "DELETE FROM campaign_minutes WHERE campaign_id = $1"]);
        changing!(self, sqlx::AssertSqlSafe(sql), |query| query.bind(id));
        Ok(())
    }
}
