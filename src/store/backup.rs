//! Copies of the whole database: one made while others write, and one put back in place of what is here.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::{
    Store, StoreError, Tx,
    pool::{Conn, on, on_tx},
    rows::stamp,
    sql::Kind,
};
use crate::domain::id::CallId;

/// Tables whose rows of here stay when a backup is put back, beside those of the backup: who said no since
/// is not called, what is closed stays closed, who dials goes on leading, and the audit forgets nothing.
const KEPT: [&str; 4] = ["settings", "do_not_call", "engines", "audit"];

/// A call that rang after the backup was made, which has it waiting.
const RUNG_SINCE: &str = "FROM main.campaign_calls AS here JOIN backup.campaign_calls AS there ON there.id = here.id
     WHERE here.armed_at IS NOT NULL AND there.armed_at IS NULL";

impl Store {
    /// Writes all of it, as it is at one moment, into a file that is empty or not there. Others go on writing.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn copy_into(&self, path: &Path) -> Result<(), StoreError> {
        if self.is_shared() {
            return Err(StoreError::Unfit("a server is copied by its own programs, not by this one: `pg_dump --format=custom --file=dialdeck.dump DATABASE_URL`, or your provider's backups".to_owned()));
        }
        let path = path.to_string_lossy().into_owned();
        on!(self.pool(), |db| sqlx::query("VACUUM INTO $1").bind(path).execute(db).await?.rows_affected());
        Ok(())
    }

    /// How large it is.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let sql = match self.kind() {
            Kind::Sqlite => "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            Kind::Postgres => "SELECT pg_database_size(current_database())",
        };
        let bytes: i64 = on!(self.every(), |db| sqlx::query_scalar(sql).fetch_one(db).await?);
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// How much room is left on its disk, where that can be told.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        if self.is_shared() {
            return None;
        }
        let disk = rustix::fs::statvfs(self.path()).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether its pages hold together.
    ///
    /// # Errors
    /// When they do not, or cannot be read.
    pub async fn check_pages(&self) -> Result<(), StoreError> {
        if self.is_shared() {
            return Ok(());
        }
        let said: String = on!(self.pool(), |db| sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(db).await?);
        if said == "ok" { Ok(()) } else { Err(StoreError::Damaged(crate::domain::text::clean(&said, 200))) }
    }

    /// The newest migration that the database has had, and what it is called.
    pub async fn schema_version(&self) -> Result<(i64, String), StoreError> {
        let sql = "SELECT version, description FROM _sqlx_migrations ORDER BY version DESC LIMIT 1";
        Ok(on!(self.every(), |db| sqlx::query_as(sql).fetch_one(db).await?))
    }
}

impl Tx {
    /// Attaches another database file of the same schema, for this transaction's reading.
    pub async fn attach_backup(&mut self, path: &str) -> Result<(), StoreError> {
        on_tx!(self, |db| sqlx::query("ATTACH $1 AS backup").bind(path).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Calls of every owner that may be on the line.
    pub async fn count_live(&mut self) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM main.campaign_calls WHERE rank BETWEEN 10 AND 89";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).fetch_one(&mut *db).await?))
    }

    /// Calls that rang after the backup was made, and numbers that joined the do-not-call list.
    pub async fn gone_on_since(&mut self) -> Result<(i64, i64), StoreError> {
        let calls = "SELECT count(*) FROM main.campaign_calls AS here
                     WHERE armed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM backup.campaign_calls AS there WHERE there.id = here.id AND there.armed_at IS NOT NULL)";
        let listed = "SELECT count(*) FROM main.do_not_call AS here
                      WHERE NOT EXISTS (SELECT 1 FROM backup.do_not_call AS there WHERE there.user_id = here.user_id AND there.number = here.number)";
        on_tx!(self, |db| {
            let calls = sqlx::query_scalar(calls).fetch_one(&mut *db).await?;
            Ok((calls, sqlx::query_scalar(listed).fetch_one(&mut *db).await?))
        })
    }

    /// Those of them that wait in the backup, as if they had not rung.
    pub async fn rung_since(&mut self) -> Result<Vec<CallId>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("SELECT here.id {RUNG_SINCE}"));
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).fetch_all(&mut *db).await?))
    }

    /// Numbers that rang after the backup was made or while it was, and when last.
    pub async fn numbers_rung_since(&mut self) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
        let sql = "SELECT here.phone_number, max(here.armed_at) FROM main.campaign_calls AS here
                   WHERE here.armed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM backup.campaign_calls AS there WHERE there.id = here.id AND there.rank >= 90)
                   GROUP BY here.phone_number";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).fetch_all(&mut *db).await?))
    }

    /// Keeps numbers that nobody is on the line with from being called until a moment each.
    pub async fn hold_numbers(&mut self, held: &[(String, DateTime<Utc>)]) -> Result<(), StoreError> {
        if self.kind() == Kind::Postgres {
            let sql = "INSERT INTO numbers_live (number, held_until, last_armed_at) SELECT * FROM unnest($1::text[], $2::timestamptz[], $2::timestamptz[])
                       ON CONFLICT (number) DO UPDATE SET held_until = GREATEST(excluded.held_until, numbers_live.held_until) WHERE numbers_live.call_id IS NULL";
            // The same number twice is no conflict of one statement that it would bear.
            let last: std::collections::BTreeMap<_, _> = held.iter().map(|(number, until)| (number.clone(), *until)).collect();
            let (numbers, until): (Vec<String>, Vec<DateTime<Utc>>) = last.into_iter().unzip();
            if let Conn::Postgres(line) = &mut self.conn {
                sqlx::query(sql).bind(numbers).bind(until).execute(&mut **line).await?;
            }
            return Ok(());
        }
        let rows: Vec<_> = held.iter().map(|(number, until)| serde_json::json!({ "n": number, "held": stamp(Some(*until)) })).collect();
        let sql = "INSERT INTO main.numbers_live (number, held_until, last_armed_at)
                   SELECT value ->> 'n', value ->> 'held', value ->> 'held' FROM json_each($1) WHERE true
                   ON CONFLICT (number) DO UPDATE SET held_until = max(excluded.held_until, COALESCE(held_until, '')) WHERE call_id IS NULL";
        on_tx!(self, |db| sqlx::query(sql).bind(serde_json::Value::from(rows).to_string()).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Every row becomes that of the backup; those of tables that are kept stay beside it.
    pub async fn take_rows_of_backup(&mut self) -> Result<(), StoreError> {
        // What is searched is made anew of the rows.
        let tables = "SELECT name FROM main.sqlite_schema
                      WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'call_search%' AND name <> '_sqlx_migrations'";
        on_tx!(self, |db| {
            // Rows name each other; all of them are there at the end.
            sqlx::query("PRAGMA defer_foreign_keys = ON").execute(&mut *db).await?;
            let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *db).await?;
            for table in tables.iter().filter(|t| !KEPT.contains(&t.as_str())) {
                sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM main.{table}"))).execute(&mut *db).await?;
            }
            for table in &tables {
                // Generated columns cannot be written.
                let columns = "SELECT group_concat('\"' || name || '\"') FROM pragma_table_xinfo($1) WHERE hidden = 0";
                let columns: String = sqlx::query_scalar(columns).bind(table).fetch_one(&mut *db).await?;
                let copy = format!("INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM backup.{table}");
                sqlx::query(sqlx::AssertSqlSafe(copy)).execute(&mut *db).await?;
            }
            Ok::<_, StoreError>(())
        })?;
        self.forget_search().await
    }
}
