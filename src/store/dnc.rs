//! The do-not-call list: owner and number; one row decides for every campaign and list of the owner.

use chrono::{DateTime, Utc};

use super::{
    Page, Store, StoreError, SuppressedRow, Tx,
    pool::{on, on_tx},
    sql::{say, sql},
};
use crate::domain::id::OwnerId;

/// Whether the owners of this installation share one list, as a condition of SQL.
macro_rules! shared {
    () => {
        "EXISTS (SELECT 1 FROM settings WHERE key = 'shared_do_not_call' AND value = 'on')"
    };
}

/// Whether a number is on an owner's list, or on anybody's where the list is shared, as a condition of SQL.
macro_rules! listed {
    ($owner:literal, $number:literal) => {
        concat!("EXISTS (SELECT 1 FROM do_not_call d WHERE d.number = ", $number, " AND (d.user_id = ", $owner, " OR ", $crate::store::dnc::shared!(), "))")
    };
}

pub(super) use {listed, shared};

impl Store {
    /// The do-not-call list, newest first.
    pub async fn do_not_call(&self, owner: OwnerId, limit: i64, offset: i64) -> Result<Page<SuppressedRow>, StoreError> {
        let sql = "SELECT number, reason, source, created_by, created_at FROM do_not_call WHERE user_id = $1
                   ORDER BY created_at DESC, number LIMIT $2 OFFSET $3";
        let count = "SELECT count(*) FROM do_not_call WHERE user_id = $1";
        on!(self.pool(), |db| {
            let rows = sqlx::query_as(sql).bind(owner).bind(limit).bind(offset).fetch_all(db).await?;
            Ok(Page { rows, total: sqlx::query_scalar(count).bind(owner).fetch_one(db).await? })
        })
    }

    /// Those of some numbers that are on an owner's list, or on a shared one.
    pub async fn listed_of(&self, owner: OwnerId, numbers: &[&str]) -> Result<Vec<String>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let sql =
            say(self.kind(), &format!("SELECT DISTINCT d.number FROM do_not_call d WHERE d.number IN (#words($2)) AND (d.user_id = $1 OR {})", shared!()));
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(serde_json::json!(numbers).to_string()).fetch_all(db).await?))
    }

    pub async fn on_do_not_call(&self, owner: OwnerId, number: &str) -> Result<bool, StoreError> {
        let sql = concat!("SELECT ", listed!("$1", "$2"));
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(number).fetch_one(db).await?))
    }
}

impl Tx {
    pub async fn is_listed(&mut self, owner: OwnerId, number: &str) -> Result<bool, StoreError> {
        let sql = concat!("SELECT ", listed!("$1", "$2"));
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(owner).bind(number).fetch_one(&mut *db).await?))
    }

    /// Adds a number to do-not-call; `false` when it is there already.
    pub async fn add_do_not_call(
        &mut self,
        owner: OwnerId,
        number: &str,
        reason: &str,
        source: &str,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO do_not_call (user_id, number, reason, source, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT (user_id, number) DO NOTHING";
        let done =
            on_tx!(self, |db| sqlx::query(sql).bind(owner).bind(number).bind(reason).bind(source).bind(by).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Takes a number off do-not-call; `false` when it was not there.
    pub async fn remove_do_not_call(&mut self, owner: OwnerId, number: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM do_not_call WHERE user_id = $1 AND number = $2";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(owner).bind(number).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Takes a number off do-not-call, only the entry made since `since` by `by`.
    pub async fn undo_do_not_call(&mut self, owner: OwnerId, number: &str, by: &str, since: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "DELETE FROM do_not_call WHERE user_id = $1 AND number = $2 AND created_by = $3 AND created_at >= $4";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(owner).bind(number).bind(by).bind(since).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Numbers into the owner's do-not-call list; answers how many were new.
    pub async fn import_do_not_call(&mut self, owner: OwnerId, numbers: &[&str], source: &str, by: &str, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let sql = sql!(
            self.kind(),
            "INSERT INTO do_not_call (user_id, number, reason, source, created_by, created_at)
                   SELECT $1, value, 'from an imported file', $5, $3, $4 FROM (#words($2)) AS numbers WHERE true
                   ON CONFLICT (user_id, number) DO NOTHING"
        );
        let done = on_tx!(self, |db| sqlx::query(sql)
            .bind(owner)
            .bind(serde_json::json!(numbers).to_string())
            .bind(by)
            .bind(now)
            .bind(source)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(done)
    }
}
