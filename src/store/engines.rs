//! Engines: which process dials, and when it was last seen to live.

use chrono::{DateTime, Utc};

use super::{
    EngineRow, Store, StoreError, Tx,
    pool::{on, on_tx},
};
use crate::domain::id::Incarnation;

impl Store {
    /// The engine that reported last, if any ever did.
    pub async fn engine(&self) -> Result<Option<EngineRow>, StoreError> {
        let sql = "SELECT * FROM engines WHERE stopped_at IS NULL ORDER BY heartbeat_at DESC LIMIT 1";
        Ok(on!(self.every(), |db| sqlx::query_as(sql).fetch_optional(db).await?))
    }
}

impl Tx {
    pub async fn put_engine(&mut self, incarnation: Incarnation, host: &str, pid: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO engines (incarnation, host, pid, started_at, heartbeat_at) VALUES ($1, $2, $3, $4, $4)
                   ON CONFLICT (incarnation) DO UPDATE SET heartbeat_at = excluded.heartbeat_at";
        on_tx!(self, |db| sqlx::query(sql).bind(incarnation).bind(host).bind(pid).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    pub async fn stop_engine(&mut self, incarnation: Incarnation, now: DateTime<Utc>) -> Result<(), StoreError> {
        on_tx!(self, |db| sqlx::query("UPDATE engines SET stopped_at = $2 WHERE incarnation = $1")
            .bind(incarnation)
            .bind(now)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }
}
