//! Idempotency keys: a request under a key is done once, and its reply kept.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx, pool::on_tx};
use crate::domain::id::OwnerId;

impl Tx {
    /// Takes an idempotency key for a request; `false` when it is taken. A key that was never settled is
    /// free again after `stale`, a settled one after `old`.
    pub async fn take_key(
        &mut self,
        owner: OwnerId,
        key: &str,
        request: &str,
        now: DateTime<Utc>,
        stale: DateTime<Utc>,
        old: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO idempotency_keys (user_id, key, request, status, body, created_at) VALUES ($1, $2, $3, 0, '', $4)
                   ON CONFLICT (user_id, key) DO UPDATE SET request = excluded.request, status = 0, body = '', created_at = excluded.created_at
                   WHERE idempotency_keys.created_at < $6 OR (idempotency_keys.status = 0 AND idempotency_keys.created_at < $5)";
        let done =
            on_tx!(self, |db| sqlx::query(sql).bind(owner).bind(key).bind(request).bind(now).bind(stale).bind(old).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// The request a key was taken for, and the status, body and location of its reply; status 0 while there is none.
    pub async fn kept_reply(&mut self, owner: OwnerId, key: &str) -> Result<Option<(String, i64, String, String)>, StoreError> {
        let sql = "SELECT request, status, body, location FROM idempotency_keys WHERE user_id = $1 AND key = $2";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(owner).bind(key).fetch_optional(&mut *db).await?))
    }

    /// Keeps the reply of a key, or frees the key without one.
    pub async fn settle_key(&mut self, owner: OwnerId, key: &str, reply: Option<(i64, &str, &str)>) -> Result<(), StoreError> {
        let keep = "UPDATE idempotency_keys SET status = $3, body = $4, location = $5 WHERE user_id = $1 AND key = $2";
        let free = "DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2";
        on_tx!(self, |db| match reply {
            Some((status, body, location)) =>
                sqlx::query(keep).bind(owner).bind(key).bind(status).bind(body).bind(location).execute(&mut *db).await?.rows_affected(),
            None => sqlx::query(free).bind(owner).bind(key).execute(&mut *db).await?.rows_affected(),
        });
        Ok(())
    }
}
