//! What is emptied and removed in slices: the rest of stopped campaigns, and what is older than it need be.
//! Every statement here looks at a bounded number of rows.

use super::{
    Store, StoreError, Tx,
    pool::{on, on_tx},
};
use crate::domain::{campaign::Status, id::CampaignId};

/// How a campaign stands, deleted or not.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Standing {
    pub execution_status: Status,
    pub status_reason: String,
    pub deleted: bool,
}

impl Store {
    /// Campaigns that are over and still have rows in their queue.
    pub async fn over_but_pending(&self) -> Result<Vec<CampaignId>, StoreError> {
        let sql = "SELECT c.id FROM campaign_counts n JOIN campaigns c ON c.id = n.campaign_id
                   WHERE n.pending > 0 AND (c.execution_status = 'completed' OR c.deleted_at IS NOT NULL) ORDER BY c.id LIMIT 100";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).fetch_all(db).await?))
    }
}

impl Tx {
    pub async fn standing(&mut self, id: CampaignId) -> Result<Option<Standing>, StoreError> {
        let sql = "SELECT execution_status, status_reason, deleted_at IS NOT NULL AS deleted FROM campaigns WHERE id = $1";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).fetch_optional(&mut *db).await?))
    }
}
