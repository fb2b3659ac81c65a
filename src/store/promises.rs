//! Promised calls that a stop took off the queue.

use super::dnc::listed;
use super::{CallRow, PromisedCall, StoreError, Tx, history::promised_in, pool::on_tx, sql::sql};
use crate::domain::id::CampaignId;

impl Tx {
    /// Promised calls of a campaign that wait, the first due first.
    pub async fn promised_in(&mut self, campaign: CampaignId, limit: i64) -> Result<Vec<PromisedCall>, StoreError> {
        let sql = promised_in();
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(campaign).bind(limit).fetch_all(&mut *db).await?))
    }

    /// Marks the promised calls of a campaign that no phone has been rung for; how many there are.
    pub async fn break_promises(&mut self, campaign: CampaignId) -> Result<i64, StoreError> {
        let sql = sql!(self.kind(), "UPDATE campaign_calls SET broken = #yes WHERE campaign_id = $1 AND priority = 1 AND rank < 10");
        let done = on_tx!(self, |db| sqlx::query(sql).bind(campaign).execute(&mut *db).await?.rows_affected());
        Ok(i64::try_from(done).unwrap_or(i64::MAX))
    }

    /// Promised calls that a stop broke, where the promise stands: nothing came after it, nobody took it back, and
    /// nobody said no.
    pub async fn broken_promises(&mut self, campaign: CampaignId, limit: i64) -> Result<Vec<CallRow>, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT * FROM calls k
                   WHERE campaign_id = $1 AND priority = 1 AND broken = #yes AND state = 'canceled' AND hangup_requested_at IS NULL AND contact_id IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM campaign_calls o WHERE o.campaign_id = k.campaign_id AND o.contact_id = k.contact_id
                                       AND (o.rank < 90 OR o.id > k.id))
                     AND EXISTS (SELECT 1 FROM campaign_calls o WHERE o.campaign_id = k.campaign_id AND o.contact_id = k.contact_id AND o.outcome = 'callback')
                     AND NOT ",
            listed!("k.user_id", "k.phone_number"),
            "
                   ORDER BY id LIMIT $2"
        );
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(campaign).bind(limit).fetch_all(&mut *db).await?))
    }
}
