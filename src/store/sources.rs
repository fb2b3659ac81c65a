//! Where contacts stand: lists and CSV files, two tables of one shape, read as one view.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    Store, StoreError, Tx,
    pool::{on, on_tx},
};
use crate::domain::{
    campaign::ContactSource,
    contact::ImportReport,
    id::{OwnerId, SourceId},
};

/// Which of the two tables, as `contact_source` names it.
pub type ContactTable = ContactSource;

/// The contacts' table, its key to the lists' table, and that.
pub(super) fn tables(table: ContactTable) -> (&'static str, &'static str, &'static str) {
    match table {
        ContactTable::ContactList => ("contacts", "contact_list_id", "contact_lists"),
        ContactTable::CsvFile => ("csv_contacts", "csv_file_id", "csv_files"),
    }
}

/// A list or file that campaigns can call from.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SourceRow {
    pub id: SourceId,
    pub user_id: OwnerId,
    pub name: String,
    pub description: String,
    pub source: ContactSource,
    pub status: String,
    pub contacts: i64,
    pub do_not_call: i64,
    /// Rows of its import that were refused.
    pub invalid: i64,
    /// Bytes of the file it came as, where known.
    pub file_size: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A list that never became one, or whose contacts are to go.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Unfinished {
    pub source: ContactSource,
    pub id: SourceId,
    pub user_id: OwnerId,
    /// The list that its contacts go into.
    into_list: Option<String>,
}

impl Unfinished {
    #[must_use]
    pub fn into_list(&self) -> Option<SourceId> {
        self.into_list.as_deref().and_then(|hex| uuid::Uuid::parse_str(hex).ok()).map(SourceId)
    }
}

// The counts are kept with the list: counting a million rows at every look would keep the disk busy all shift.
pub(super) const SOURCES: &str = "SELECT * FROM (
        SELECT id, user_id, name, description, 'contact_list' AS source, status, created_at, updated_at, deleted_at,
               contact_count AS contacts, do_not_call_count AS do_not_call, COALESCE(CAST(report ->> 'invalid' AS BIGINT), 0) AS invalid, 0 AS file_size
        FROM contact_lists
        UNION ALL
        SELECT id, user_id, original_filename, '', 'csv_file', status, created_at, updated_at, deleted_at,
               contact_count, do_not_call_count, COALESCE(CAST(report ->> 'invalid' AS BIGINT), 0), file_size
        FROM csv_files) AS sources";

impl Store {
    /// Lists and files that are complete, newest first.
    pub async fn sources(&self, owner: OwnerId) -> Result<Vec<SourceRow>, StoreError> {
        let sql =
            sqlx::AssertSqlSafe(format!("{SOURCES} WHERE user_id = $1 AND status = 'completed' AND deleted_at IS NULL ORDER BY created_at DESC, id DESC"));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).fetch_all(db).await?))
    }

    pub async fn source(&self, owner: OwnerId, id: SourceId) -> Result<Option<SourceRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{SOURCES} WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL"));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(db).await?))
    }
}

impl Tx {
    pub async fn insert_list(&mut self, id: SourceId, owner: OwnerId, name: &str, status: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO contact_lists (id, user_id, name, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)";
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(owner).bind(name).bind(status).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    pub async fn insert_csv_file(&mut self, id: SourceId, owner: OwnerId, name: &str, size: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO csv_files (id, user_id, filename, original_filename, file_size, status, created_at, updated_at)
                   VALUES ($1, $2, $3, $3, $4, 'processing', $5, $5)";
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(owner).bind(name).bind(size).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// The names of a file's script columns, once for all its contacts.
    pub async fn name_columns(&mut self, table: ContactTable, id: SourceId, names: &[String]) -> Result<(), StoreError> {
        let sql = match table {
            ContactTable::ContactList => "UPDATE contact_lists SET columns = $2 WHERE id = $1",
            ContactTable::CsvFile => "UPDATE csv_files SET columns = $2 WHERE id = $1",
        };
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(Json(names)).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Whether a complete list or file is the owner's.
    pub async fn has_source(&mut self, owner: OwnerId, table: ContactTable, id: SourceId) -> Result<bool, StoreError> {
        let sql = match table {
            ContactTable::ContactList => {
                "SELECT EXISTS (SELECT 1 FROM contact_lists WHERE id = $1 AND user_id = $2 AND status = 'completed' AND deleted_at IS NULL)"
            }
            ContactTable::CsvFile => "SELECT EXISTS (SELECT 1 FROM csv_files WHERE id = $1 AND user_id = $2 AND status = 'completed' AND deleted_at IS NULL)",
        };
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(id).bind(owner).fetch_one(&mut *db).await?))
    }

    /// Marks a source complete with its report.
    pub async fn finish_source(&mut self, table: ContactTable, id: SourceId, report: &ImportReport, now: DateTime<Utc>) -> Result<(), StoreError> {
        let [imported, do_not_call] = [report.imported, report.do_not_call].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let sql = match table {
            ContactTable::ContactList => {
                "UPDATE contact_lists SET status = 'completed', report = $2, updated_at = $3, contact_count = $4, do_not_call_count = $5 WHERE id = $1"
            }
            ContactTable::CsvFile => {
                "UPDATE csv_files SET status = 'completed', report = $2, updated_at = $3, total_contacts = $4, processed_contacts = $4,
                        contact_count = $4, do_not_call_count = $5 WHERE id = $1"
            }
        };
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(Json(report)).bind(now).bind(imported).bind(do_not_call).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Removes at most `limit` contacts of a source that was not completed, or is deleted; the source itself when
    /// it is empty and no campaign names it, not even a deleted one. `false` when there is more to remove.
    pub async fn remove_source_slice(&mut self, table: ContactTable, id: SourceId, limit: i64) -> Result<bool, StoreError> {
        let (rows, head) = match table {
            ContactTable::ContactList => (
                "DELETE FROM contacts WHERE id IN (SELECT id FROM contacts WHERE contact_list_id = $1 LIMIT $2)",
                "DELETE FROM contact_lists WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM campaigns WHERE contact_list_id = $1)",
            ),
            ContactTable::CsvFile => (
                "DELETE FROM csv_contacts WHERE id IN (SELECT id FROM csv_contacts WHERE csv_file_id = $1 LIMIT $2)",
                "DELETE FROM csv_files WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM campaigns WHERE csv_file_id = $1)",
            ),
        };
        let removed = on_tx!(self, |db| sqlx::query(rows).bind(id).bind(limit).execute(&mut *db).await?.rows_affected());
        if i64::try_from(removed).unwrap_or(i64::MAX) >= limit {
            return Ok(false);
        }
        on_tx!(self, |db| sqlx::query(head).bind(id).execute(&mut *db).await?.rows_affected());
        Ok(true)
    }

    /// Imports that never finished, and deletions: their process died. Pairs of table and id.
    pub async fn unfinished_sources(&mut self, before: DateTime<Utc>) -> Result<Vec<(ContactTable, SourceId)>, StoreError> {
        let sql = "SELECT 'contact_list', id FROM contact_lists WHERE status IN ('uploading', 'processing') AND updated_at < $1 AND report ->> 'into' IS NULL
                   UNION ALL SELECT 'csv_file', id FROM csv_files WHERE status IN ('uploading', 'processing') AND updated_at < $1 AND report ->> 'into' IS NULL
                   UNION ALL SELECT 'contact_list', id FROM contact_lists l WHERE deleted_at < $1 AND EXISTS (SELECT 1 FROM contacts WHERE contact_list_id = l.id)
                   UNION ALL SELECT 'csv_file', id FROM csv_files f WHERE deleted_at < $1 AND EXISTS (SELECT 1 FROM csv_contacts WHERE csv_file_id = f.id)";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(before).fetch_all(&mut *db).await?))
    }

    /// Imports that were decided to go into another list and are not there yet, whatever their age.
    pub async fn decided_imports(&mut self) -> Result<Vec<Unfinished>, StoreError> {
        let sql = "SELECT 'contact_list' AS source, id, user_id, report ->> 'into' AS into_list FROM contact_lists
                       WHERE status = 'processing' AND report ->> 'into' IS NOT NULL
                   UNION ALL SELECT 'csv_file', id, user_id, report ->> 'into' FROM csv_files WHERE status = 'processing' AND report ->> 'into' IS NOT NULL";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).fetch_all(&mut *db).await?))
    }
}
