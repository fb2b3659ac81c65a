//! Contacts one by one, and the lists and files they stand in: the same statements over two pairs of tables.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    CallRow, ContactTable, NewCall, Page, SourceRow, Store, StoreError, Tx,
    contacts::{Extra, Map},
    pool::{on, on_tx},
    slices::joined,
    sources::{SOURCES, tables},
    sql::sql,
};
use crate::domain::{
    contact::NewContact,
    id::{CampaignId, ContactId, OwnerId, SourceId},
};

/// A contact with all that is kept of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ContactRow {
    pub id: ContactId,
    pub source_id: SourceId,
    pub position: i64,
    pub name: String,
    pub phone_number: String,
    /// Other numbers of the person, joined by commas.
    pub alternatives: String,
    pub country: String,
    pub zones: String,
    /// What was said of where it is; see `domain::place`.
    pub said: Option<String>,
    pub email: String,
    pub company: String,
    pub notes: String,
    pub(super) extra: Json<Extra>,
    /// The other columns by their names.
    #[sqlx(skip)]
    pub fields: Map,
    pub do_not_call: bool,
    pub consent_at: Option<DateTime<Utc>>,
    pub consent_source: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
    /// The names of its file's other columns.
    columns: Option<Json<Vec<String>>>,
}

impl ContactRow {
    pub(super) fn named(mut self) -> Self {
        let names = self.columns.take().map(|c| c.0).unwrap_or_default();
        self.fields = std::mem::replace(&mut self.extra.0, Extra::Values(Vec::new())).named(&names);
        self
    }
}

/// A list's contacts in numbers.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Makeup {
    pub total: i64,
    pub do_not_call: i64,
    pub with_email: i64,
    pub with_zone: i64,
}

/// What is read of a contact `c`, but for its list.
pub(super) const CONTACT: &str = "c.id, c.position, c.name, c.phone_number, c.alternatives, c.country, c.zones, c.said, c.email, c.company, c.notes,
                c.extra, c.do_not_call, c.consent_at, c.consent_source, c.created_at, c.updated_at";

/// Contacts of complete lists of the owner `$1`.
fn select(table: ContactTable, rest: &str) -> sqlx::AssertSqlSafe<String> {
    let (contacts, key, lists) = tables(table);
    sqlx::AssertSqlSafe(format!(
        "SELECT {CONTACT}, c.{key} AS source_id, s.columns
         FROM {contacts} c JOIN {lists} s ON s.id = c.{key}
         WHERE s.user_id = $1 AND s.status = 'completed' AND s.deleted_at IS NULL AND {rest}"
    ))
}

impl Store {
    /// Complete lists, or files, newest first.
    pub async fn sources_page(&self, owner: OwnerId, table: ContactTable, limit: i64, offset: i64) -> Result<Page<SourceRow>, StoreError> {
        let (_, _, lists) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!(
            "{SOURCES} WHERE user_id = $1 AND source = $2 AND status = 'completed' AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
        ));
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {lists} WHERE user_id = $1 AND status = 'completed' AND deleted_at IS NULL"));
        on!(self.pool(), |db| {
            let rows = sqlx::query_as(sql).bind(owner).bind(table).bind(limit).bind(offset).fetch_all(db).await?;
            Ok(Page { rows, total: sqlx::query_scalar(count).bind(owner).fetch_one(db).await? })
        })
    }

    /// The contacts of a list, the last one first.
    pub async fn contacts(&self, owner: OwnerId, source: &SourceRow, limit: i64, offset: i64) -> Result<Page<ContactRow>, StoreError> {
        let (_, key, _) = tables(source.source);
        let sql = select(source.source, &format!("c.{key} = $2 ORDER BY c.position DESC, c.id DESC LIMIT $3 OFFSET $4"));
        let rows: Vec<ContactRow> = on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(source.id).bind(limit).bind(offset).fetch_all(db).await?);
        Ok(Page { rows: rows.into_iter().map(ContactRow::named).collect(), total: source.contacts })
    }

    pub async fn contact(&self, owner: OwnerId, table: ContactTable, id: ContactId) -> Result<Option<ContactRow>, StoreError> {
        let sql = select(table, "c.id = $2");
        let row: Option<ContactRow> = on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(db).await?);
        Ok(row.map(ContactRow::named))
    }

    /// The contacts of an owner that have a number, in all lists and files: by these, which are few, for contacts are
    /// found by list and number.
    pub async fn cards_of(&self, owner: OwnerId, number: &str) -> Result<Vec<ContactRow>, StoreError> {
        let mut cards = Vec::new();
        for table in [ContactTable::ContactList, ContactTable::CsvFile] {
            let sql = select(table, "c.phone_number = $2 ORDER BY s.created_at DESC LIMIT 50");
            let rows: Vec<ContactRow> = on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(number).fetch_all(db).await?);
            cards.extend(rows.into_iter().map(ContactRow::named));
        }
        Ok(cards)
    }

    /// What a list is made of.
    pub async fn makeup(&self, source: &SourceRow) -> Result<Makeup, StoreError> {
        let (contacts, key, _) = tables(source.source);
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT count(*) AS total, count(*) FILTER (WHERE do_not_call) AS do_not_call, count(*) FILTER (WHERE email <> '') AS with_email,
                    count(*) FILTER (WHERE zones <> '') AS with_zone
             FROM {contacts} WHERE {key} = $1"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(source.id).fetch_one(db).await?))
    }
}

/// A contact as the next attempt at it looks.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PresentContact {
    pub id: ContactId,
    pub name: String,
    pub phone_number: String,
    pub country: String,
    pub zones: String,
    pub said: Option<String>,
    pub email: String,
    /// Since its import.
    pub changed: bool,
}

/// A campaign that calls from a list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct UserOfList {
    pub id: CampaignId,
    pub name: String,
}

impl Tx {
    pub async fn contact(&mut self, owner: OwnerId, table: ContactTable, id: ContactId) -> Result<Option<ContactRow>, StoreError> {
        let sql = select(table, "c.id = $2");
        let row: Option<ContactRow> = on_tx!(self, |db| sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(&mut *db).await?);
        Ok(row.map(ContactRow::named))
    }

    /// The contact of a list that has a number.
    pub async fn contact_with(&mut self, table: ContactTable, source: SourceId, number: &str) -> Result<Option<ContactId>, StoreError> {
        let (contacts, key, _) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!("SELECT id FROM {contacts} WHERE {key} = $1 AND phone_number = $2"));
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(source).bind(number).fetch_optional(&mut *db).await?))
    }

    /// The place of the last contact of a list; 0 where there is none.
    pub async fn last_position(&mut self, table: ContactTable, source: SourceId) -> Result<i64, StoreError> {
        let (contacts, key, _) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!("SELECT COALESCE(max(position), 0) FROM {contacts} WHERE {key} = $1"));
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(source).fetch_one(&mut *db).await?))
    }

    /// Writes a contact at its place, or over the one with its id.
    pub async fn put_contact(
        &mut self,
        table: ContactTable,
        source: SourceId,
        c: &NewContact,
        said: Option<&str>,
        fields: &Map,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (contacts, key, _) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!(
            "INSERT INTO {contacts} (id, {key}, position, name, phone_number, alternatives, country, zones, said, email, company, notes, extra, do_not_call,
                    consent_at, consent_source, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, phone_number = excluded.phone_number, alternatives = excluded.alternatives,
                    country = excluded.country, zones = excluded.zones, said = excluded.said, email = excluded.email, company = excluded.company,
                    notes = excluded.notes, extra = excluded.extra, do_not_call = excluded.do_not_call, consent_at = excluded.consent_at,
                    consent_source = excluded.consent_source, updated_at = excluded.updated_at"
        ));
        on_tx!(self, |db| sqlx::query(sql)
            .bind(c.id)
            .bind(source)
            .bind(c.line)
            .bind(&c.name)
            .bind(c.number.as_str())
            .bind(joined(&c.alternatives))
            .bind(&c.country)
            .bind(&c.zones)
            .bind(said)
            .bind(&c.email)
            .bind(&c.company)
            .bind(&c.notes)
            .bind(Json(fields))
            .bind(c.do_not_call)
            .bind(c.consent_at)
            .bind(&c.consent_source)
            .bind(now)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }

    pub async fn remove_contact(&mut self, table: ContactTable, id: ContactId) -> Result<(), StoreError> {
        let (contacts, _, _) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM {contacts} WHERE id = $1"));
        on_tx!(self, |db| sqlx::query(sql).bind(id).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Moves the counts of a list by the difference that one contact made.
    pub async fn move_counts(&mut self, table: ContactTable, source: SourceId, contacts: i64, do_not_call: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (_, _, lists) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!(
            "UPDATE {lists} SET contact_count = contact_count + $2, do_not_call_count = do_not_call_count + $3, updated_at = $4 WHERE id = $1"
        ));
        on_tx!(self, |db| sqlx::query(sql).bind(source).bind(contacts).bind(do_not_call).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// A list under another name.
    pub async fn rename_list(&mut self, owner: OwnerId, id: SourceId, name: &str, description: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE contact_lists SET name = $3, description = $4, updated_at = $5
                   WHERE id = $1 AND user_id = $2 AND status = 'completed' AND deleted_at IS NULL";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(id).bind(owner).bind(name).bind(description).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Hides a list or file; its contacts are removed after that.
    pub async fn hide_source(&mut self, table: ContactTable, id: SourceId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (_, _, lists) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!("UPDATE {lists} SET deleted_at = $2, contact_count = 0, do_not_call_count = 0, updated_at = $2 WHERE id = $1"));
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Campaigns that call from a list or file.
    pub async fn users_of_source(&mut self, id: SourceId) -> Result<Vec<UserOfList>, StoreError> {
        let sql = "SELECT id, name FROM campaigns WHERE contact_list_id = $1 AND deleted_at IS NULL
                   UNION ALL SELECT id, name FROM campaigns WHERE csv_file_id = $1 AND deleted_at IS NULL LIMIT 20";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).fetch_all(&mut *db).await?))
    }

    /// Started campaigns over a source whose queue is full look at its contacts again from a place on.
    pub async fn fill_again(&mut self, id: SourceId, from: i64) -> Result<(), StoreError> {
        let sql = "UPDATE campaigns SET fill_position = $2
                   WHERE id IN (SELECT id FROM campaigns WHERE contact_list_id = $1 UNION ALL SELECT id FROM campaigns WHERE csv_file_id = $1)
                     AND fill_position IS NULL AND deleted_at IS NULL AND execution_status IN ('running', 'paused', 'error')";
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(from).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// A contact's calls that nobody has been rung for yet, in every campaign over its list.
    pub async fn unarmed_of_contact(&mut self, source: SourceId, id: ContactId) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls
                   WHERE campaign_id IN (SELECT id FROM campaigns WHERE contact_list_id = $1 UNION ALL SELECT id FROM campaigns WHERE csv_file_id = $1)
                     AND contact_id = $2 AND rank < 10";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(source).bind(id).fetch_all(&mut *db).await?))
    }

    /// A row that waits goes to whom the contact is now; `false` when it waits no more.
    pub async fn redirect(&mut self, to: &NewCall, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE campaign_calls SET phone_number = $2, contact_name = $3, contact_email = $4, country = $5, zones = $6, updated_at = $7
                   WHERE id = $1 AND rank = 0";
        let done = on_tx!(self, |db| sqlx::query(sql)
            .bind(to.id)
            .bind(&to.phone_number)
            .bind(&to.contact_name)
            .bind(&to.contact_email)
            .bind(&to.country)
            .bind(&to.zones)
            .bind(now)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(done == 1)
    }

    /// Those of the contacts that are still there, as they are.
    pub async fn present_contacts(&mut self, ids: &[ContactId]) -> Result<Vec<PresentContact>, StoreError> {
        let ids: Vec<String> = ids.iter().map(|i| i.hex()).collect();
        let sql = sql!(
            self.kind(),
            "SELECT id, name, phone_number, country, zones, said, email, updated_at IS NOT NULL AS changed FROM campaign_contacts WHERE id IN (#ids($1))"
        );
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(serde_json::json!(ids).to_string()).fetch_all(&mut *db).await?))
    }
}
