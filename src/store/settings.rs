//! Settings of the installation: what must be one fact for every process on the database.

use super::{
    Store, StoreError, Tx,
    pool::{on, on_tx},
};

impl Store {
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_scalar("SELECT value FROM settings WHERE key = $1").bind(key).fetch_optional(db).await?))
    }
}

impl Tx {
    pub async fn setting(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(on_tx!(self, |db| sqlx::query_scalar("SELECT value FROM settings WHERE key = $1").bind(key).fetch_optional(&mut *db).await?))
    }

    /// Sets a setting; `true` when the key is new or was changed.
    pub async fn put_setting(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        on_tx!(self, |db| sqlx::query(sql).bind(key).bind(value).execute(&mut *db).await?);
        Ok(())
    }

    /// The setting's value, set to `fresh` first where it is missing.
    pub async fn setting_or(&mut self, key: &str, fresh: &str) -> Result<String, StoreError> {
        let insert = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        on_tx!(self, |db| sqlx::query(insert).bind(key).bind(fresh).execute(&mut *db).await?);
        let select = "SELECT value FROM settings WHERE key = $1";
        Ok(on_tx!(self, |db| sqlx::query_scalar(select).bind(key).fetch_one(&mut *db).await?))
    }
}
