//! What the tagging desk shows: the queue with what the agent says, who tags, and how fast.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{PaneRow, Store, StoreError, pool::on, sql::sql};
use crate::domain::{
    id::{CallId, OwnerId},
    outcome::Outcome,
};

/// A call that waits for a tag, with what the agent says of it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ToTag {
    #[sqlx(flatten)]
    pub call: PaneRow,
    pub zones: String,
    /// What the agent reported of the talk.
    pub summary: Option<String>,
    /// Who the agent says picked up: `human`, `machine` or `unknown`.
    pub answered_by: Option<String>,
}

/// How fast somebody tags.
#[derive(Debug, Clone, Copy, Default, PartialEq, sqlx::FromRow)]
pub struct TagPace {
    pub tags: i64,
    /// Between two tags while tagging, on the average.
    pub seconds_each: Option<f64>,
}

/// Somebody who tags.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Tagging {
    pub who: String,
    pub last_at: DateTime<Utc>,
}

/// What the agent said of a call as an outcome.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AgentWord {
    pub outcome: Option<Outcome>,
    pub note: String,
    pub confidence: Option<f64>,
    pub at: DateTime<Utc>,
}

/// Whoever pauses longer between two tags does something else, seconds.
const PAUSE: i64 = 120;

impl Store {
    /// Answered and ended calls without an outcome, the oldest first, behind a place in that order.
    pub async fn tagging_queue(&self, owner: OwnerId, after: Option<(DateTime<Utc>, CallId)>, limit: i64) -> Result<Vec<ToTag>, StoreError> {
        let sql = "SELECT k.id, k.campaign_id, c.name AS campaign_name, k.phone_number, k.contact_name, k.attempt, k.state, k.armed_at,
                          k.ringing_at, k.answered_at, k.completed_at, k.call_duration, k.sip_code, k.reason, k.outcome, k.suggestion,
                          k.suggestion_confidence, k.hangup_requested_at, k.room_name, k.notes, k.zones, r.summary, r.answered_by
                   FROM calls k JOIN campaigns c ON c.id = k.campaign_id LEFT JOIN call_reports r ON r.call_id = k.id
                   WHERE k.rank >= 90 AND k.answered_at IS NOT NULL AND k.outcome IS NULL AND k.user_id = $1 AND (k.completed_at, k.id) > ($2, $3)
                   ORDER BY k.completed_at, k.id LIMIT $4";
        let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, CallId(uuid::Uuid::nil())));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(at).bind(id).bind(limit).fetch_all(db).await?))
    }

    /// How many calls wait for a tag, and since when the oldest does.
    pub async fn untagged(&self, owner: OwnerId) -> Result<(i64, Option<DateTime<Utc>>), StoreError> {
        let sql = "SELECT CAST(COALESCE(sum(n.untagged), 0) AS BIGINT),
                       (SELECT completed_at FROM campaign_calls WHERE rank >= 90 AND answered_at IS NOT NULL AND outcome IS NULL AND user_id = $1
                        ORDER BY completed_at, id LIMIT 1)
                   FROM campaigns c JOIN campaign_counts n ON n.campaign_id = c.id WHERE c.user_id = $1";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).fetch_one(db).await?))
    }

    /// The last thing that the agent said of a call as an outcome, with its reason.
    pub async fn agent_word(&self, call: CallId) -> Result<Option<AgentWord>, StoreError> {
        let sql = "SELECT value AS outcome, note, confidence, at FROM call_outcomes WHERE call_id = $1 AND who = 'agent' ORDER BY id DESC LIMIT 1";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(call).fetch_optional(db).await?))
    }

    /// Why the agent said what it did of some calls, where it gave a reason.
    pub async fn agent_reasons(&self, calls: &[CallId]) -> Result<HashMap<CallId, String>, StoreError> {
        if calls.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<String> = calls.iter().map(|c| c.hex()).collect();
        let sql = sql!(self.kind(), "SELECT call_id, note FROM call_outcomes WHERE who = 'agent' AND note <> '' AND call_id IN (#ids($1)) ORDER BY id");
        let rows: Vec<(CallId, String)> = on!(self.pool(), |db| sqlx::query_as(sql).bind(serde_json::json!(ids).to_string()).fetch_all(db).await?);
        // The last word stands.
        Ok(rows.into_iter().collect())
    }

    /// What somebody tagged in a while, and how fast.
    pub async fn tag_pace(&self, owner: OwnerId, who: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<TagPace, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT count(*) AS tags, avg(gap) FILTER (WHERE gap <= $5) AS seconds_each FROM (
                       SELECT #seconds(outcome_at) - lag(#seconds(outcome_at)) OVER (ORDER BY outcome_at) AS gap
                       FROM campaign_calls
                       WHERE user_id = $1 AND outcome_by = $2 AND outcome_who = 'operator' AND dialled IS NOT NULL AND outcome_at >= $3 AND outcome_at < $4) AS tagged"
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(who).bind(from).bind(until).bind(PAUSE).fetch_one(db).await?))
    }

    /// Operators who tagged since a moment, the latest first.
    pub async fn tagging_since(&self, owner: OwnerId, since: DateTime<Utc>) -> Result<Vec<Tagging>, StoreError> {
        let mut tagging = Vec::new();
        let sql = "SELECT outcome_at FROM campaign_calls WHERE user_id = $1 AND outcome_by = $2 AND outcome_who = 'operator' AND dialled IS NOT NULL
                     AND outcome_at >= $3 ORDER BY outcome_at DESC LIMIT 1";
        for who in self.taggers(owner).await? {
            let last: Option<DateTime<Utc>> = on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(&who).bind(since).fetch_optional(db).await?);
            tagging.extend(last.map(|last_at| Tagging { who, last_at }));
        }
        tagging.sort_by_key(|t| std::cmp::Reverse(t.last_at));
        Ok(tagging)
    }
}
