//! The index of words: filled behind the dials, in their order. A note that is written later is found at once.

use super::{
    super::{Setting, StoreError, Tx, pool::on_tx, sql::Kind},
    words::{backwards, words},
};
use crate::domain::id::{CampaignId, OwnerId};

/// A dial as the index of words takes it.
#[derive(Debug, sqlx::FromRow)]
pub struct Searchable {
    dialled: i64,
    user_id: OwnerId,
    campaign_id: CampaignId,
    contact_name: String,
    phone_number: String,
}

impl Tx {
    /// Lets words find the next dials, at most `limit`; how many those were.
    pub async fn index_calls(&mut self, limit: i64) -> Result<i64, StoreError> {
        let from = self.setting(Setting::SearchedTo).await?.and_then(|n| n.parse().ok()).unwrap_or(0_i64);
        let next = "SELECT dialled, user_id, campaign_id, contact_name, phone_number FROM campaign_calls
                    WHERE dialled > $1 AND dialled IS NOT NULL ORDER BY dialled LIMIT $2";
        let rows: Vec<Searchable> = on_tx!(self, |db| sqlx::query_as(next).bind(from).bind(limit).fetch_all(&mut *db).await?);
        let Some(last) = rows.last() else { return Ok(0) };
        let to = last.dialled;
        let sql = match self.kind() {
            Kind::Sqlite => {
                "INSERT INTO call_search (rowid, name, tail, scope) SELECT v ->> 0, v ->> 1, v ->> 2, v ->> 3 FROM (SELECT value AS v FROM json_each($1))"
            }
            Kind::Postgres => {
                "INSERT INTO call_search (dialled, user_id, words)
                 SELECT (v ->> 0)::bigint, (v ->> 4)::uuid,
                        array_to_tsvector(array_remove(ARRAY(SELECT 'n' || w FROM unnest(string_to_array(v ->> 1, ' ')) AS w WHERE w <> '')
                            || ('t' || (v ->> 2)) || string_to_array(v ->> 3, ' '), ''))
                 FROM jsonb_array_elements($1::jsonb) AS j (v) ON CONFLICT (dialled) DO NOTHING"
            }
        };
        let json: Vec<_> = rows
            .iter()
            .map(|r| {
                let name: Vec<String> = words(&r.contact_name).collect();
                (
                    r.dialled,
                    name.join(" "),
                    backwards(&r.phone_number),
                    format!("o{} c{}", r.user_id.hex(), r.campaign_id.hex()).to_lowercase(),
                    r.user_id.hex(),
                )
            })
            .collect();
        on_tx!(self, |db| sqlx::query(sql).bind(serde_json::json!(json).to_string()).execute(&mut *db).await?.rows_affected());
        self.put_setting(Setting::SearchedTo, &to.to_string()).await?;
        Ok(i64::try_from(rows.len()).unwrap_or(limit))
    }

    /// Empties the index of words: it is filled again.
    pub async fn forget_search(&mut self) -> Result<(), StoreError> {
        let sql = match self.kind() {
            Kind::Sqlite => "INSERT INTO call_search (call_search) VALUES ('delete-all')",
            Kind::Postgres => "DELETE FROM call_search",
        };
        on_tx!(self, |db| sqlx::query(sql).execute(&mut *db).await?.rows_affected());
        self.put_setting(Setting::SearchedTo, "0").await
    }
}
