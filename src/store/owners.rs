//! Owners: whoever has rows here.

use super::{Store, StoreError, pool::on};
use crate::domain::id::OwnerId;

impl Store {
    /// Every owner that has something that campaigns are made of.
    pub async fn owner_ids(&self) -> Result<Vec<OwnerId>, StoreError> {
        let sql = "SELECT user_id FROM campaigns UNION SELECT user_id FROM assistants UNION SELECT user_id FROM phone_number
                   UNION SELECT user_id FROM contact_lists UNION SELECT user_id FROM csv_files UNION SELECT user_id FROM do_not_call
                   ORDER BY user_id";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).fetch_all(db).await?))
    }
}
