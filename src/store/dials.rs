//! How dials ended lately: what LiveKit and the trunk said of them.

use chrono::{DateTime, Utc};

use super::{Store, StoreError, pool::on};
use crate::domain::id::OwnerId;

/// How a dial ended.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LastDial {
    pub reason: String,
    pub completed_at: DateTime<Utc>,
}

impl Store {
    /// When the first call of this installation was made that is kept.
    pub async fn first_dial(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT armed_at FROM campaign_calls WHERE dialled IS NOT NULL ORDER BY dialled LIMIT 1";
        Ok(on!(self.every(), |db| sqlx::query_scalar(sql).fetch_optional(db).await?))
    }

    /// When LiveKit or Twilio told something by itself last, among the latest facts.
    pub async fn last_hook(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT max(received_at) FROM (SELECT source, received_at FROM call_events ORDER BY id DESC LIMIT 500) AS latest
                   WHERE source IN ('livekit', 'twilio')";
        Ok(on!(self.every(), |db| sqlx::query_scalar(sql).fetch_one(db).await?))
    }

    /// Dials that ended since a moment, newest first.
    pub async fn last_dials(&self, owner: OwnerId, since: DateTime<Utc>, limit: i64) -> Result<Vec<LastDial>, StoreError> {
        let sql = "SELECT reason, completed_at FROM campaign_calls
                   WHERE rank >= 90 AND user_id = $1 AND completed_at > $2 AND armed_at IS NOT NULL ORDER BY completed_at DESC LIMIT $3";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(since).bind(limit).fetch_all(db).await?))
    }
}
