//! The index of words: filled behind the dials, in their order. A note that is written later is found at once.

use super::{
    super::{
        Setting, StoreError, Tx,
        pool::on_tx,
        sql::{Kind, say},
    },
    words::{backwards, words},
};
use crate::domain::id::{CallId, CampaignId, OwnerId};

/// A dial as the index of words takes it.
#[derive(Debug, sqlx::FromRow)]
struct Searchable {
    dialled: i64,
    user_id: OwnerId,
    campaign_id: CampaignId,
    contact_name: String,
    phone_number: String,
    notes: String,
}

impl Searchable {
    /// A row of the statement: the words of the name and of the note are one kind of word.
    fn json(&self) -> serde_json::Value {
        let said: Vec<String> = words(&self.contact_name).chain(words(&self.notes)).collect();
        let scope = format!("o{} c{}", self.user_id.hex(), self.campaign_id.hex()).to_lowercase();
        serde_json::json!([self.dialled, said.join(" "), backwards(&self.phone_number), scope, self.user_id.hex()])
    }
}

impl Tx {
    /// Lets words find the next dials, at most `limit`; how many those were.
    pub async fn index_calls(&mut self, limit: i64) -> Result<i64, StoreError> {
        let from = self.searched_to().await?;
        let next = "SELECT dialled, user_id, campaign_id, contact_name, phone_number, notes FROM campaign_calls
                    WHERE dialled > $1 AND dialled IS NOT NULL ORDER BY dialled LIMIT $2";
        let rows: Vec<Searchable> = on_tx!(self, |db| sqlx::query_as(next).bind(from).bind(limit).fetch_all(&mut *db).await?);
        let Some(last) = rows.last() else { return Ok(0) };
        let to = last.dialled;
        self.put_words(&rows).await?;
        self.put_setting(Setting::SearchedTo, &to.to_string()).await?;
        Ok(i64::try_from(rows.len()).unwrap_or(limit))
    }

    /// Lets the words of notes find their calls as they are from now on. Calls that the index has not come to yet are
    /// read with their notes when it does.
    pub(in crate::store) async fn index_notes(&mut self, calls: &[CallId]) -> Result<(), StoreError> {
        let to = self.searched_to().await?;
        let ids = serde_json::json!(calls.iter().map(|i| i.hex()).collect::<Vec<_>>()).to_string();
        let those = say(
            self.kind(),
            "SELECT dialled, user_id, campaign_id, contact_name, phone_number, notes FROM campaign_calls
             WHERE id IN (#ids($1)) AND dialled IS NOT NULL AND dialled <= $2",
        );
        let rows: Vec<Searchable> = on_tx!(self, |db| sqlx::query_as(those).bind(ids).bind(to).fetch_all(&mut *db).await?);
        if rows.is_empty() { Ok(()) } else { self.put_words(&rows).await }
    }

    async fn searched_to(&mut self) -> Result<i64, StoreError> {
        Ok(self.setting(Setting::SearchedTo).await?.and_then(|n| n.parse().ok()).unwrap_or(0))
    }

    /// Their words, whatever was there of these dials before.
    async fn put_words(&mut self, rows: &[Searchable]) -> Result<(), StoreError> {
        let sql = match self.kind() {
            Kind::Sqlite => {
                "INSERT OR REPLACE INTO call_search (rowid, name, tail, scope)
                 SELECT v ->> 0, v ->> 1, v ->> 2, v ->> 3 FROM (SELECT value AS v FROM json_each($1))"
            }
            Kind::Postgres => {
                "INSERT INTO call_search (dialled, user_id, words)
                 SELECT (v ->> 0)::bigint, (v ->> 4)::uuid,
                        array_to_tsvector(array_remove(ARRAY(SELECT DISTINCT 'n' || w FROM unnest(string_to_array(v ->> 1, ' ')) AS w WHERE w <> '')
                            || ('t' || (v ->> 2)) || string_to_array(v ->> 3, ' '), ''))
                 FROM jsonb_array_elements($1::jsonb) AS j (v) ON CONFLICT (dialled) DO UPDATE SET words = excluded.words"
            }
        };
        let json = rows.iter().map(Searchable::json).collect::<serde_json::Value>().to_string();
        on_tx!(self, |db| sqlx::query(sql).bind(json).execute(&mut *db).await?.rows_affected());
        Ok(())
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
