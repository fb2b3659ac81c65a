//! Campaigns, their counters and days.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;

use super::{
    CampaignRow, DayRow, Page, Store, StoreError, Tx,
    pool::{on, on_tx},
    sql::sql,
};
use crate::domain::{
    campaign::{ContactSource, Settings, Status},
    id::{AssistantId, CallId, CampaignId, OwnerId, SourceId},
};

/// What a new campaign's row is made of.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    pub id: CampaignId,
    pub owner: OwnerId,
    pub name: String,
    pub assistant: AssistantId,
    pub source: ContactSource,
    /// `None`: single calls, no list.
    pub source_id: Option<SourceId>,
    pub prompt: String,
    pub agent_name: Option<String>,
    pub settings: Settings,
}

/// The editable columns after an edit.
#[derive(Debug, Clone)]
pub struct CampaignEdit {
    pub name: String,
    pub assistant: AssistantId,
    pub prompt: String,
    pub agent_name: Option<String>,
    pub settings: Settings,
}

/// Rows that wait in one queue of a campaign.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct QueueCount {
    pub zones: String,
    pub pending: i64,
    pub due: i64,
}

/// A row that waits, with what the key of its queue is made of.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct QueuedRow {
    pub id: CallId,
    pub phone_number: String,
    pub country: String,
    pub zones: String,
    pub said: Option<String>,
}

/// The head of one zone's queue of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ZoneHead {
    pub zones: String,
    /// When its first row is due.
    pub due: DateTime<Utc>,
    /// When its first row is due that was promised to a contact.
    pub promised: Option<DateTime<Utc>>,
}

const SELECT: &str = "SELECT c.*, a.name AS assistant_name, a.agent_name AS assistant_agent_name, a.prompt AS assistant_prompt,
        a.language AS assistant_language, l.name AS contact_list_name, f.original_filename AS csv_file_name, n.*
     FROM campaigns c
     JOIN assistants a ON a.id = c.assistant_id
     JOIN campaign_counts n ON n.campaign_id = c.id
     LEFT JOIN contact_lists l ON l.id = c.contact_list_id
     LEFT JOIN csv_files f ON f.id = c.csv_file_id";

pub(super) fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{SELECT} {rest}"))
}

impl Store {
    pub async fn campaign(&self, owner: OwnerId, id: CampaignId) -> Result<Option<CampaignRow>, StoreError> {
        let sql = select("WHERE c.id = $1 AND c.user_id = $2 AND c.deleted_at IS NULL");
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(db).await?))
    }

    /// Newest first.
    pub async fn campaigns(&self, owner: OwnerId, status: Option<Status>, limit: i64, offset: i64) -> Result<Page<CampaignRow>, StoreError> {
        let sql = select(
            "WHERE c.user_id = $1 AND c.deleted_at IS NULL AND ($2 IS NULL OR c.execution_status = $2)
             ORDER BY c.created_at DESC, c.id DESC LIMIT $3 OFFSET $4",
        );
        let count = "SELECT count(*) FROM campaigns WHERE user_id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR execution_status = $2)";
        on!(self.pool(), |db| {
            let rows = sqlx::query_as(sql).bind(owner).bind(status).bind(limit).bind(offset).fetch_all(db).await?;
            let total = sqlx::query_scalar(count).bind(owner).bind(status).fetch_one(db).await?;
            Ok(Page { rows, total })
        })
    }

    /// The newest of an owner, without a count of all.
    pub async fn newest_campaigns(&self, owner: OwnerId, limit: i64) -> Result<Vec<CampaignRow>, StoreError> {
        let sql = select("WHERE c.user_id = $1 AND c.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT $2");
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(limit).fetch_all(db).await?))
    }

    /// Running campaigns of every owner: what the scheduler plans over.
    pub async fn running_campaigns(&self) -> Result<Vec<CampaignRow>, StoreError> {
        let sql = select("WHERE c.execution_status = 'running' AND c.deleted_at IS NULL ORDER BY c.id");
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_all(db).await?))
    }

    /// The first due moment of each zone that has pending rows: one seek a zone, whatever the
    /// number of rows.
    pub async fn zone_heads(&self, id: CampaignId) -> Result<Vec<ZoneHead>, StoreError> {
        let sql = "WITH RECURSIVE z (zones) AS (
                       SELECT min(zones) FROM campaign_calls WHERE campaign_id = $1 AND rank = 0
                       UNION ALL
                       SELECT (SELECT min(q.zones) FROM campaign_calls q WHERE q.campaign_id = $1 AND q.rank = 0 AND q.zones > z.zones)
                       FROM z WHERE z.zones IS NOT NULL)
                   SELECT zones, CASE WHEN usual IS NULL OR promised < usual THEN promised ELSE usual END AS due, promised
                   FROM (SELECT zones,
                           (SELECT min(dialable_at) FROM campaign_calls q WHERE q.campaign_id = $1 AND q.rank = 0 AND q.zones = z.zones AND q.priority = 0) AS usual,
                           (SELECT min(dialable_at) FROM campaign_calls q WHERE q.campaign_id = $1 AND q.rank = 0 AND q.zones = z.zones AND q.priority = 1) AS promised
                         FROM z WHERE zones IS NOT NULL) AS heads
                   WHERE usual IS NOT NULL OR promised IS NOT NULL";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(id).fetch_all(db).await?))
    }

    /// Queues of rows that an older release keyed by their zones alone, without the law of their places.
    pub async fn old_queues(&self) -> Result<Vec<(CampaignId, String)>, StoreError> {
        let sql = sql!(
            self.kind(),
            "WITH RECURSIVE z (campaign_id, zones) AS (
                       SELECT campaign_id, (SELECT min(q.zones) FROM campaign_calls q WHERE q.campaign_id = c.campaign_id AND q.rank = 0)
                       FROM campaign_counts c WHERE pending > 0
                       UNION ALL
                       SELECT campaign_id, (SELECT min(q.zones) FROM campaign_calls q WHERE q.campaign_id = z.campaign_id AND q.rank = 0 AND q.zones > z.zones)
                       FROM z WHERE zones IS NOT NULL)
                   SELECT campaign_id, zones FROM z WHERE NOT (#holds(zones, ';'))"
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_all(db).await?))
    }

    /// How many rows wait in each queue of a campaign, and how many of them are due: read off its index alone.
    pub async fn queues(&self, id: CampaignId, due_by: DateTime<Utc>) -> Result<Vec<QueueCount>, StoreError> {
        let sql = "SELECT zones, count(*) AS pending, count(*) FILTER (WHERE dialable_at <= $2) AS due
                   FROM campaign_calls WHERE campaign_id = $1 AND rank = 0 AND priority < 2 GROUP BY zones";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(id).bind(due_by).fetch_all(db).await?))
    }

    pub async fn campaign_day(&self, id: CampaignId, day: NaiveDate) -> Result<Option<DayRow>, StoreError> {
        let sql = "SELECT used, cap FROM campaign_days WHERE campaign_id = $1 AND day = $2";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(id).bind(day.to_string()).fetch_optional(db).await?))
    }

    /// Dials of each campaign on its own local day; pairs of campaign and (used).
    pub async fn days_since(&self, from: NaiveDate) -> Result<Vec<(CampaignId, String, i64)>, StoreError> {
        let sql = "SELECT campaign_id, day, used FROM campaign_days WHERE day >= $1";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(from.to_string()).fetch_all(db).await?))
    }

    /// How many owners have campaigns.
    pub async fn owners(&self) -> Result<i64, StoreError> {
        Ok(on!(self.every(), |db| sqlx::query_scalar("SELECT count(DISTINCT user_id) FROM campaigns WHERE deleted_at IS NULL").fetch_one(db).await?))
    }
}

impl Tx {
    /// Rows of one queue, with what its key is made of.
    pub async fn queued(&mut self, id: CampaignId, zones: &str, limit: i64) -> Result<Vec<QueuedRow>, StoreError> {
        let sql = "SELECT k.id, k.phone_number, k.country, k.zones, COALESCE(w.said, f.said) AS said
                   FROM campaign_calls k LEFT JOIN contacts w ON w.id = k.contact_id LEFT JOIN csv_contacts f ON f.id = k.contact_id
                   WHERE k.campaign_id = $1 AND k.rank = 0 AND k.zones = $2 LIMIT $3";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).bind(zones).bind(limit).fetch_all(&mut *db).await?))
    }

    /// Puts rows into other queues; answers how many.
    pub async fn requeue(&mut self, keys: &[(CallId, String)]) -> Result<u64, StoreError> {
        let keys: Vec<_> = keys.iter().map(|(id, key)| (id.hex(), key)).collect();
        let sql = sql!(self.kind(), "UPDATE campaign_calls SET zones = #text(v, 1) FROM #keyed($1) WHERE campaign_calls.id = j.row_id AND rank = 0");
        Ok(on_tx!(self, |db| sqlx::query(sql).bind(serde_json::json!(keys).to_string()).execute(&mut *db).await?.rows_affected()))
    }

    pub async fn campaign(&mut self, owner: OwnerId, id: CampaignId) -> Result<Option<CampaignRow>, StoreError> {
        let sql = select("WHERE c.id = $1 AND c.user_id = $2 AND c.deleted_at IS NULL");
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(&mut *db).await?))
    }

    pub async fn insert_campaign(&mut self, c: &NewCampaign, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO campaigns (id, user_id, name, assistant_id, contact_source, contact_list_id, csv_file_id, daily_cap, calling_days,
                       start_hour, end_hour, start_minute, end_minute, timezone, campaign_prompt, agent_name, max_concurrent, call_delay_ms,
                       ring_timeout_s, max_call_duration_s, retry, contact_hours, status_at, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $23, $23)";
        let s = &c.settings;
        let days: Vec<&str> = s.calling_days.names().collect();
        on_tx!(self, |db| {
            sqlx::query(sql)
                .bind(c.id)
                .bind(c.owner)
                .bind(&c.name)
                .bind(c.assistant)
                .bind(c.source)
                .bind(c.source_id.filter(|_| c.source == ContactSource::ContactList))
                .bind(c.source_id.filter(|_| c.source == ContactSource::CsvFile))
                .bind(s.daily_cap)
                .bind(Json(days))
                .bind(s.start_hour)
                .bind(s.end_hour)
                .bind(s.start_minute)
                .bind(s.end_minute)
                .bind(s.timezone.name())
                .bind(&c.prompt)
                .bind(&c.agent_name)
                .bind(s.max_concurrent)
                .bind(s.call_delay_ms)
                .bind(s.ring_timeout_s)
                .bind(s.max_call_duration_s)
                .bind(Json(s.retry))
                .bind(s.contact_hours)
                .bind(now)
                .execute(&mut *db)
                .await?;
            sqlx::query("INSERT INTO campaign_counts (campaign_id) VALUES ($1)").bind(c.id).execute(&mut *db).await?;
        });
        Ok(())
    }

    pub async fn update_campaign(&mut self, id: CampaignId, e: &CampaignEdit, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE campaigns SET name = $2, campaign_prompt = $3, agent_name = $4, daily_cap = $5, calling_days = $6, start_hour = $7,
                       end_hour = $8, start_minute = $9, end_minute = $10, timezone = $11, max_concurrent = $12, call_delay_ms = $13,
                       ring_timeout_s = $14, max_call_duration_s = $15, retry = $16, contact_hours = $17, generation = generation + 1, updated_at = $18, assistant_id = $19
                   WHERE id = $1";
        let s = &e.settings;
        let days: Vec<&str> = s.calling_days.names().collect();
        on_tx!(self, |db| sqlx::query(sql)
            .bind(id)
            .bind(&e.name)
            .bind(&e.prompt)
            .bind(&e.agent_name)
            .bind(s.daily_cap)
            .bind(Json(days))
            .bind(s.start_hour)
            .bind(s.end_hour)
            .bind(s.start_minute)
            .bind(s.end_minute)
            .bind(s.timezone.name())
            .bind(s.max_concurrent)
            .bind(s.call_delay_ms)
            .bind(s.ring_timeout_s)
            .bind(s.max_call_duration_s)
            .bind(Json(s.retry))
            .bind(s.contact_hours)
            .bind(now)
            .bind(e.assistant)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Moves a campaign from one state to another; `false` when it is no longer in the first.
    pub async fn move_campaign(&mut self, id: CampaignId, from: Status, to: Status, reason: &str, actor: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE campaigns SET execution_status = $3, status_reason = $4, status_actor = $5, status_at = $6,
                       generation = generation + 1, updated_at = $6
                   WHERE id = $1 AND execution_status = $2";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(id).bind(from).bind(to).bind(reason).bind(actor).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Where the making of rows stands; `None` is done.
    pub async fn set_fill(&mut self, id: CampaignId, position: Option<i64>) -> Result<(), StoreError> {
        on_tx!(self, |db| sqlx::query("UPDATE campaigns SET fill_position = $2 WHERE id = $1")
            .bind(id)
            .bind(position)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }

    pub async fn delete_campaign(&mut self, id: CampaignId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE campaigns SET deleted_at = $2, generation = generation + 1 WHERE id = $1";
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Campaigns of an owner in a state.
    pub async fn campaigns_in(&mut self, owner: OwnerId, status: Status) -> Result<Vec<CampaignRow>, StoreError> {
        let sql = select("WHERE c.user_id = $1 AND c.execution_status = $2 AND c.deleted_at IS NULL");
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(owner).bind(status).fetch_all(&mut *db).await?))
    }

    /// Gives dials of a day back: calls that certainly never rang.
    pub async fn give_back_day(&mut self, id: CampaignId, day: &str, n: i64) -> Result<(), StoreError> {
        let sql = sql!(self.kind(), "UPDATE campaign_days SET used = #most(0, used - $3) WHERE campaign_id = $1 AND day = $2");
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(day).bind(n).execute(&mut *db).await?.rows_affected());
        Ok(())
    }
}
