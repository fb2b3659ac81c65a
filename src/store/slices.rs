//! Contacts written in slices, made ready beforehand so that the one writer only runs them.

use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, types::Json};

use super::{
    Store, StoreError, Tx,
    contacts::Map,
    pool::{Conn, on_tx},
    rows::stamp,
    sources::{ContactTable, tables},
    sql::{Kind, spoken, sql},
};
use crate::domain::{contact::NewContact, id::SourceId, phone::PhoneNumber};

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

impl Tx {
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
}
