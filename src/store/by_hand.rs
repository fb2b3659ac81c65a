//! Calls that somebody asked for, one at a time: the rows that no campaign claims.

use chrono::{DateTime, Duration, Utc};

use super::{
    CallRow, Store, StoreError, Tx,
    pool::{on, on_tx},
    sql::sql,
};
use crate::domain::id::{AssistantId, CallId, CampaignId, Incarnation, OwnerId};

impl Store {
    /// Calls of every owner that wait to be taken, oldest first.
    pub async fn asked_calls(&self) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE priority = 2 AND rank < 10 AND rank = 0 ORDER BY created_at LIMIT 100";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_all(db).await?))
    }

    /// The assistant that calls over an owner's trunk, by its newest number.
    pub async fn assistant_of_trunk(&self, owner: OwnerId, livekit_trunk: &str) -> Result<Option<AssistantId>, StoreError> {
        let sql = "SELECT n.inbound_assistant_id FROM phone_number n JOIN trunks t ON t.livekit_id = n.outbound_trunk_id
                   WHERE t.user_id = $1 AND n.user_id = $1 AND t.livekit_id = $2 AND n.status = 'active' AND n.inbound_assistant_id IS NOT NULL
                   ORDER BY n.created_at DESC LIMIT 1";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(livekit_trunk).fetch_optional(db).await?))
    }
}

impl Tx {
    /// Calls that were asked for and are not armed, of one campaign or of all.
    pub async fn asked_unarmed(&mut self, campaign: Option<CampaignId>) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE priority = 2 AND rank < 10 AND ($1 IS NULL OR campaign_id = $1)";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(campaign).fetch_all(&mut *db).await?))
    }

    /// What was asked for beside the number: where to call from, what to say, and the key of the request; `false`
    /// when the call waits no more.
    pub async fn put_wishes(&mut self, id: CallId, caller_id: &str, script: Option<&str>, key: Option<&str>) -> Result<bool, StoreError> {
        let sql = "UPDATE campaign_calls SET caller_id = $2, script = $3, asked_key = $4 WHERE id = $1 AND rank = 0";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(id).bind(caller_id).bind(script).bind(key).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// The call that an owner's key has asked for since a moment.
    pub async fn call_of_key(&mut self, owner: OwnerId, key: &str, since: DateTime<Utc>) -> Result<Option<CallId>, StoreError> {
        let sql = "SELECT id FROM campaign_calls WHERE user_id = $1 AND asked_key = $2 AND created_at > $3 ORDER BY created_at DESC LIMIT 1";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(owner).bind(key).bind(since).fetch_optional(&mut *db).await?))
    }

    /// Leases one call that was asked for; `None` when it waits no more.
    pub async fn claim_asked(&mut self, id: CallId, by: Incarnation, lease: Duration, now: DateTime<Utc>) -> Result<Option<CallRow>, StoreError> {
        let sql = "UPDATE campaign_calls
                   SET state = 'claimed', rank = 5, incarnation = $2, lease_until = $3, claim_number = claim_number + 1, updated_at = $4
                   WHERE id = $1 AND state = 'pending' AND priority = 2
                   RETURNING *, NULL AS hangup_requested_at";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).bind(by).bind(now + lease).bind(now).fetch_optional(&mut *db).await?))
    }

    /// The campaign of an owner's single calls by an assistant.
    pub async fn manual_campaign(&mut self, owner: OwnerId, assistant: AssistantId) -> Result<Option<CampaignId>, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT id FROM campaigns WHERE user_id = $1 AND assistant_id = $2 AND manual = #yes AND deleted_at IS NULL ORDER BY created_at LIMIT 1"
        );
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(owner).bind(assistant).fetch_optional(&mut *db).await?))
    }

    /// Marks a campaign as that of single calls.
    pub async fn mark_manual(&mut self, id: CampaignId) -> Result<(), StoreError> {
        let sql = sql!(self.kind(), "UPDATE campaigns SET manual = #yes WHERE id = $1");
        on_tx!(self, |db| sqlx::query(sql).bind(id).execute(&mut *db).await?.rows_affected());
        Ok(())
    }
}
