//! Contact lists and CSV files: two tables of one shape, written in slices, read as one view.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, types::Json};

use super::{
    Store, StoreError, Tx,
    dnc::listed,
    pool::{Conn, on, on_tx},
    roster::tables,
    rows::stamp,
    sql::{Kind, spoken, sql},
};
use crate::domain::{
    campaign::ContactSource,
    contact::{ImportReport, NewContact},
    id::{CampaignId, ContactId, OwnerId, SourceId},
    phone::PhoneNumber,
};

/// Which of the two tables, as `contact_source` names it.
pub type ContactTable = ContactSource;

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

/// A contact as the campaign's queue takes it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct FillContact {
    pub id: ContactId,
    pub source_id: SourceId,
    pub position: i64,
    pub name: String,
    pub phone_number: String,
    pub country: String,
    /// Where it may be by the tables of its import, and what its file said of that; see `domain::place`.
    pub zones: String,
    pub said: Option<String>,
    pub email: String,
    pub company: String,
    extra: Json<Extra>,
    /// The other columns by their names, for the script.
    #[sqlx(skip)]
    pub fields: Map,
    /// Charged attempts at this contact so far in this campaign.
    pub attempts: i64,
    /// When the last of them ended.
    pub last_end: Option<DateTime<Utc>>,
    /// The number is on the owner's list.
    pub on_do_not_call: bool,
}

pub type Map = serde_json::Map<String, serde_json::Value>;

/// The other columns as they are stored: values in the order of the file's names; of files of before, with
/// their names.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Extra {
    Values(Vec<String>),
    Named(Map),
}

impl Extra {
    /// By the names that stand with the file.
    pub(super) fn named(self, columns: &[String]) -> Map {
        match self {
            Self::Named(map) => map,
            Self::Values(values) => columns.iter().cloned().zip(values.into_iter().map(Into::into)).collect(),
        }
    }
}

/// A slice of an import made ready beforehand, so that the writer only runs it.
pub struct ContactSlice {
    rows: SliceRows,
    /// Whether the next slice is likely to have the same text.
    usual: bool,
    source: SourceId,
    positions: Vec<i64>,
}

enum SliceRows {
    /// Bound values, not one JSON text as elsewhere: a million rows are written a third quicker.
    Bound(QueryBuilder<sqlx::Sqlite>),
    Json {
        sql: String,
        json: String,
        now: DateTime<Utc>,
    },
}

impl ContactSlice {
    /// Rows of a full slice.
    pub const FULL: usize = 200;

    fn new(kind: Kind, table: ContactTable, source: SourceId, rows: &[NewContact], names: Option<&[String]>, now: DateTime<Utc>) -> Self {
        let made = match kind {
            Kind::Sqlite => SliceRows::Bound(bound_rows(table, source, rows, names, now)),
            Kind::Postgres => json_rows(table, rows, names, now),
        };
        Self { rows: made, usual: rows.len() == Self::FULL, source, positions: rows.iter().map(|c| c.line).collect() }
    }
}

impl Store {
    /// A slice of an import, made ready for this database.
    #[must_use]
    pub fn contact_slice(&self, table: ContactTable, source: SourceId, rows: &[NewContact], now: DateTime<Utc>) -> ContactSlice {
        ContactSlice::new(self.kind(), table, source, rows, None, now)
    }

    /// The same with the other columns by their names beside each contact: the list that they go into has names of its
    /// own.
    #[must_use]
    pub fn named_slice(&self, table: ContactTable, source: SourceId, rows: &[NewContact], names: &[String], now: DateTime<Utc>) -> ContactSlice {
        ContactSlice::new(self.kind(), table, source, rows, Some(names), now)
    }
}

const COLUMNS: &str = "position, name, phone_number, country, zones, email, company, extra, created_at";
const SELDOM: &str = "alternatives, said, notes, do_not_call, consent_at, consent_source";

/// What few files have is bound only where a row of the slice has it. The text is one of two for every full slice,
/// so that its statement stays prepared.
fn bound_rows(table: ContactTable, source: SourceId, rows: &[NewContact], names: Option<&[String]>, now: DateTime<Utc>) -> QueryBuilder<sqlx::Sqlite> {
    let (name, key, _) = tables(table);
    let plain = rows.iter().all(is_plain);
    let mut sql = QueryBuilder::new(format!("INSERT INTO {name} (id, {key}, {COLUMNS}, {SELDOM}) "));
    sql.push_values(rows, |mut row, c| {
        row.push_bind(c.id).push_bind(source).push_bind(c.line).push_bind(c.name.clone()).push_bind(c.number.to_string());
        row.push_bind(c.country.clone()).push_bind(c.zones.clone()).push_bind(c.email.clone()).push_bind(c.company.clone());
        row.push_bind(extra(c, names).to_string()).push_bind(now);
        if plain {
            row.push("'', '', '', 0, NULL, ''");
            return;
        }
        row.push_bind(joined(&c.alternatives)).push_bind(c.said.clone()).push_bind(c.notes.clone());
        row.push_bind(i64::from(c.do_not_call)).push_bind(c.consent_at).push_bind(c.consent_source.clone());
    });
    sql.push(format!(" ON CONFLICT ({key}, phone_number) DO NOTHING"));
    sql
}

/// The same as rows of one JSON text: `$1` they, `$2` the list, `$3` now.
fn json_rows(table: ContactTable, rows: &[NewContact], names: Option<&[String]>, now: DateTime<Utc>) -> SliceRows {
    let (name, key, _) = tables(table);
    let sql = format!(
        "INSERT INTO {name} (id, {key}, {COLUMNS}, {SELDOM})
         SELECT #id(v, 0), $2, #int(v, 1), #text(v, 2), #text(v, 3), #text(v, 4), #text(v, 5), #text(v, 6), #text(v, 7), #json(v, 8), $3, #text(v, 9),
                #text(v, 10), #text(v, 11), #flag(v, 12), #at(v, 13), #text(v, 14)
         FROM #rows($1) WHERE true ON CONFLICT ({key}, phone_number) DO NOTHING"
    );
    let row = |c: &NewContact| {
        let (number, others) = (c.number.as_str(), joined(&c.alternatives));
        let usual = serde_json::json!([c.id.hex(), c.line, c.name, number, c.country, c.zones, c.email, c.company, extra(c, names), others]);
        let seldom = serde_json::json!([c.said, c.notes, c.do_not_call, stamp(c.consent_at), c.consent_source]);
        let values = |v: serde_json::Value| if let serde_json::Value::Array(v) = v { v } else { Vec::new() };
        serde_json::Value::from([values(usual), values(seldom)].concat())
    };
    let json = serde_json::Value::from(rows.iter().map(row).collect::<Vec<_>>()).to_string();
    SliceRows::Json { sql: spoken(Kind::Postgres, &sql), json, now }
}

/// The other columns as they are stored.
fn extra(c: &NewContact, names: Option<&[String]>) -> serde_json::Value {
    let Some(names) = names else { return c.extra.clone().into() };
    let named: Map = names.iter().cloned().zip(c.extra.iter().map(|v| v.clone().into())).collect();
    named.into()
}

/// Whether a contact has nothing of what few files have.
fn is_plain(c: &NewContact) -> bool {
    let texts = [&c.said, &c.notes, &c.consent_source];
    c.alternatives.is_empty() && !c.do_not_call && c.consent_at.is_none() && texts.iter().all(|t| t.is_empty())
}

pub(super) fn joined(numbers: &[PhoneNumber]) -> String {
    numbers.iter().map(PhoneNumber::as_str).collect::<Vec<_>>().join(",")
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

/// How many contacts of one place: what a law or an hour says of one, it says of all.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PlaceCount {
    pub zones: String,
    pub said: Option<String>,
    /// One number of them.
    pub number: String,
    pub country: String,
    pub n: i64,
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

    /// The first contacts of a source: for the preflight's look at script fields.
    pub async fn sample_contacts(&self, source: SourceId, limit: i64) -> Result<Vec<FillContact>, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT id, source_id, position, name, phone_number, country, zones, said, email, company, extra, CAST(0 AS BIGINT) AS attempts, NULL AS last_end,
                          #no AS on_do_not_call
                   FROM campaign_contacts WHERE source_id = $1 AND do_not_call = #no ORDER BY position LIMIT $2"
        );
        let rows = on!(self.pool(), |db| sqlx::query_as(sql).bind(source).bind(limit).fetch_all(db).await?);
        self.with_fields(rows).await
    }

    /// Puts names to the values of the other columns.
    async fn with_fields(&self, mut rows: Vec<FillContact>) -> Result<Vec<FillContact>, StoreError> {
        let nameless = |c: &FillContact| matches!(&c.extra.0, Extra::Values(v) if !v.is_empty());
        let sources: HashSet<SourceId> = rows.iter().filter(|c| nameless(c)).map(|c| c.source_id).collect();
        let mut names: HashMap<SourceId, Json<Vec<String>>> = HashMap::new();
        for source in sources {
            let sql = "SELECT columns FROM source_columns WHERE source_id = $1";
            let columns = on!(self.pool(), |db| sqlx::query_scalar(sql).bind(source).fetch_optional(db).await?);
            names.extend(columns.map(|c| (source, c)));
        }
        for c in &mut rows {
            let columns = names.get(&c.source_id).map(|n| n.0.as_slice()).unwrap_or_default();
            c.fields = std::mem::replace(&mut c.extra.0, Extra::Values(Vec::new())).named(columns);
        }
        Ok(rows)
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

    /// Inserts a slice; answers the positions that went in, so that the rest are known as duplicates.
    pub async fn insert_contacts(&mut self, slice: ContactSlice) -> Result<Vec<i64>, StoreError> {
        let ContactSlice { rows, usual, source, positions } = slice;
        let done = match (&mut self.conn, rows) {
            (Conn::Sqlite(db), SliceRows::Bound(mut sql)) => sql.build().persistent(usual).execute(db).await?.rows_affected(),
            (Conn::Postgres(db), SliceRows::Json { sql, json, now }) => {
                sqlx::query(sqlx::AssertSqlSafe(sql)).bind(json).bind(source).bind(now).execute(&mut **db).await?.rows_affected()
            }
            _ => return Err(StoreError::Damaged("a slice of contacts was made for another database".to_owned())),
        };
        if done == positions.len() as u64 {
            return Ok(positions);
        }
        // One row for all positions: each row that comes back costs a change of threads.
        let (first, last) = (positions.iter().min().copied().unwrap_or(0), positions.iter().max().copied().unwrap_or(0));
        let sql = sql!(self.kind(), "SELECT #list(position) FROM campaign_contacts WHERE source_id = $1 AND position BETWEEN $2 AND $3");
        let kept: Json<Vec<i64>> = on_tx!(self, |db| sqlx::query_scalar(sql).bind(source).bind(first).bind(last).fetch_one(&mut *db).await?);
        Ok(kept.0)
    }

    /// Marks a source complete with its report.
    pub async fn finish_source(&mut self, table: ContactTable, id: SourceId, report: &ImportReport, now: DateTime<Utc>) -> Result<(), StoreError> {
        let [imported, do_not_call] = [report.imported, report.do_not_call].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        on_tx!(self, |db| match table {
            ContactTable::ContactList => sqlx::query(
                "UPDATE contact_lists SET status = 'completed', report = $2, updated_at = $3, contact_count = $4, do_not_call_count = $5 WHERE id = $1"
            )
            .bind(id)
            .bind(Json(report))
            .bind(now)
            .bind(imported)
            .bind(do_not_call)
            .execute(&mut *db)
            .await?
            .rows_affected(),
            ContactTable::CsvFile => sqlx::query(
                "UPDATE csv_files SET status = 'completed', report = $2, updated_at = $3, total_contacts = $4, processed_contacts = $4,
                        contact_count = $4, do_not_call_count = $5 WHERE id = $1"
            )
            .bind(id)
            .bind(Json(report))
            .bind(now)
            .bind(imported)
            .bind(do_not_call)
            .execute(&mut *db)
            .await?
            .rows_affected(),
        });
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

    /// The next contacts of a source by position, with what a campaign has done about them. Who is on the
    /// list is told in a column: as a condition it would have the whole source read for each slice.
    pub async fn contacts_to_queue(
        &mut self,
        owner: OwnerId,
        source: SourceId,
        campaign: CampaignId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<FillContact>, StoreError> {
        let sql = sql!(self.kind(), "SELECT c.id, c.source_id, c.position, c.name, c.phone_number, c.country, c.zones, c.said, c.email, c.company, #nothing AS extra,
                          (SELECT count(*) FROM campaign_calls k WHERE k.campaign_id = $2 AND k.contact_id = c.id AND k.charged = #yes AND k.armed_at IS NOT NULL) AS attempts,
                          (SELECT max(k.completed_at) FROM campaign_calls k WHERE k.campaign_id = $2 AND k.contact_id = c.id AND k.armed_at IS NOT NULL) AS last_end,
                          ", listed!("$5", "c.phone_number"), " AS on_do_not_call
                   FROM campaign_contacts c
                   WHERE c.source_id = $1 AND c.position > $3 AND c.do_not_call = #no
                   ORDER BY c.position LIMIT $4");
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(source).bind(campaign).bind(after).bind(limit).bind(owner).fetch_all(&mut *db).await?))
    }

    /// Of these contacts, those that must not be queued again: a call is open, somebody picked up,
    /// or the outcome forbids it.
    pub async fn settled_contacts(&mut self, campaign: CampaignId, contacts: &[FillContact]) -> Result<Vec<ContactId>, StoreError> {
        let ids: Vec<String> = contacts.iter().map(|c| c.id.hex()).collect();
        let sql = sql!(
            self.kind(),
            "SELECT DISTINCT contact_id FROM campaign_calls
                   WHERE campaign_id = $1 AND contact_id IN (#ids($2))
                     AND (rank < 90 OR answered_at IS NOT NULL OR state IN ('unresolved', 'wrong_number', 'rejected') OR outcome IN ('do_not_call', 'wrong_number')
                          OR (state IN ('failed', 'canceled') AND charged = #yes AND armed_at IS NOT NULL))"
        );
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(campaign).bind(serde_json::json!(ids).to_string()).fetch_all(&mut *db).await?))
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
