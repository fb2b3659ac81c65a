//! Contacts that go from one list into another of the same table: an import into a list that is there.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    ContactTable, Store, StoreError, Tx,
    pool::{on, on_tx},
    sources::tables,
    sql::say,
};
use crate::domain::id::SourceId;

/// How many contacts went over, and how many of them are marked "do not call".
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Moved {
    pub contacts: i64,
    pub do_not_call: i64,
}

impl Store {
    /// Which of these numbers a list has.
    pub async fn numbers_of(&self, table: ContactTable, list: SourceId, numbers: &[&str]) -> Result<Vec<String>, StoreError> {
        let (contacts, key, _) = tables(table);
        let sql = say(self.kind(), &format!("SELECT phone_number FROM {contacts} WHERE {key} = $1 AND phone_number IN (#words($2))"));
        let numbers = serde_json::json!(numbers).to_string();
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(list).bind(&numbers).fetch_all(db).await?))
    }
}

impl Tx {
    /// Says of an import that was read to its end into which list it goes.
    pub async fn send_over(&mut self, table: ContactTable, from: SourceId, into: SourceId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (_, _, lists) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!("UPDATE {lists} SET report = $2, updated_at = $3 WHERE id = $1"));
        let report = Json(serde_json::json!({ "into": into.hex() }));
        on_tx!(self, |db| sqlx::query(sql).bind(from).bind(report).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Moves the next contacts behind the last place of the other list, in their order; whom that has already stays
    /// behind and is removed. `None` when nobody is left.
    pub async fn move_contacts(&mut self, table: ContactTable, from: SourceId, into: SourceId, last: i64, limit: i64) -> Result<Option<Moved>, StoreError> {
        let (contacts, key, _) = tables(table);
        let bounds = sqlx::AssertSqlSafe(format!(
            "SELECT min(position), max(position) FROM (SELECT position FROM {contacts} WHERE {key} = $1 ORDER BY position LIMIT $2) AS next"
        ));
        let alike = sqlx::AssertSqlSafe(format!(
            "DELETE FROM {contacts} WHERE {key} = $1 AND position <= $3
               AND phone_number IN (SELECT o.phone_number FROM {contacts} n JOIN {contacts} o ON o.{key} = $2 AND o.phone_number = n.phone_number
                                    WHERE n.{key} = $1 AND n.position <= $3)"
        ));
        let count = sqlx::AssertSqlSafe(format!(
            "SELECT count(*) AS contacts, count(*) FILTER (WHERE do_not_call) AS do_not_call FROM {contacts} WHERE {key} = $1 AND position <= $2"
        ));
        let go = sqlx::AssertSqlSafe(format!("UPDATE {contacts} SET {key} = $2, position = position + $4 WHERE {key} = $1 AND position <= $3"));
        on_tx!(self, |db| {
            let (first, end): (Option<i64>, Option<i64>) = sqlx::query_as(bounds).bind(from).bind(limit).fetch_one(&mut *db).await?;
            let (Some(first), Some(end)) = (first, end) else { return Ok(None) };
            sqlx::query(alike).bind(from).bind(into).bind(end).execute(&mut *db).await?;
            let moved: Moved = sqlx::query_as(count).bind(from).bind(end).fetch_one(&mut *db).await?;
            sqlx::query(go).bind(from).bind(into).bind(end).bind(last - first + 1).execute(&mut *db).await?;
            Ok(Some(moved))
        })
    }
}
