//! Contacts as the queues of campaigns take them.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    Store, StoreError, Tx,
    dnc::listed,
    pool::{on, on_tx},
    sql::sql,
};
use crate::domain::id::{CampaignId, ContactId, OwnerId, SourceId};

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

impl Store {
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
}
