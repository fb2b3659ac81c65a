//! What the boards of several campaigns are made of, each kind of fact in one statement for all of them: a screen that
//! shows twenty asks no oftener than one that shows one. The same facts of one campaign are in `gates`, `campaigns`,
//! `counting` and `minutes`; what is changed there is changed here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{
    OutgoingRow, QueueCount, Store, StoreError, ZoneHead,
    counting::answers,
    gates::TRUNK,
    pool::on,
    sql::{say, sql},
};
use crate::domain::{
    breaker,
    id::{AssistantId, CampaignId},
};

#[derive(sqlx::FromRow)]
struct OutgoingOf {
    assistant_id: AssistantId,
    #[sqlx(flatten)]
    row: OutgoingRow,
}

#[derive(sqlx::FromRow)]
struct HeadOf {
    campaign_id: CampaignId,
    #[sqlx(flatten)]
    head: ZoneHead,
}

#[derive(sqlx::FromRow)]
struct QueueOf {
    campaign_id: CampaignId,
    #[sqlx(flatten)]
    queue: QueueCount,
}

/// Ids as one bind.
fn set(ids: impl Iterator<Item = String>) -> String {
    serde_json::json!(ids.collect::<Vec<_>>()).to_string()
}

fn by_campaign<R>(rows: impl Iterator<Item = (CampaignId, R)>) -> HashMap<CampaignId, Vec<R>> {
    let mut all: HashMap<CampaignId, Vec<R>> = HashMap::new();
    for (campaign, row) in rows {
        all.entry(campaign).or_default().push(row);
    }
    all
}

impl Store {
    /// What each of some assistants calls by, as [`Store::outgoing`].
    pub async fn outgoing_of(&self, assistants: &[AssistantId]) -> Result<HashMap<AssistantId, OutgoingRow>, StoreError> {
        let sql = say(
            self.kind(),
            &format!(
                "SELECT n.inbound_assistant_id AS assistant_id, t.id AS trunk_id, t.livekit_id, n.number AS caller_id, {TRUNK}
                 FROM phone_number n JOIN trunks t ON t.livekit_id = n.outbound_trunk_id
                 WHERE n.inbound_assistant_id IN (#ids($1)) AND n.status = 'active' ORDER BY n.created_at DESC"
            ),
        );
        let ids = set(assistants.iter().map(|a| a.hex()));
        let rows: Vec<OutgoingOf> = on!(self.pool(), |db| sqlx::query_as(sql).bind(ids).fetch_all(db).await?);
        // The newest stands, and is put in last.
        Ok(rows.into_iter().rev().map(|r| (r.assistant_id, r.row)).collect())
    }

    /// The heads of the queues of some campaigns, as [`Store::zone_heads`].
    pub async fn heads_of(&self, campaigns: &[CampaignId]) -> Result<HashMap<CampaignId, Vec<ZoneHead>>, StoreError> {
        let sql = sql!(
            self.kind(),
            "WITH RECURSIVE z (campaign_id, zones) AS (
                 SELECT campaign_id, (SELECT min(q.zones) FROM campaign_calls q WHERE q.campaign_id = c.campaign_id AND q.rank = 0)
                 FROM campaign_counts c WHERE campaign_id IN (#ids($1))
                 UNION ALL
                 SELECT campaign_id, (SELECT min(q.zones) FROM campaign_calls q WHERE q.campaign_id = z.campaign_id AND q.rank = 0 AND q.zones > z.zones)
                 FROM z WHERE zones IS NOT NULL)
             SELECT campaign_id, zones, CASE WHEN usual IS NULL OR promised < usual THEN promised ELSE usual END AS due, promised
             FROM (SELECT campaign_id, zones,
                     (SELECT min(dialable_at) FROM campaign_calls q
                      WHERE q.campaign_id = z.campaign_id AND q.rank = 0 AND q.zones = z.zones AND q.priority = 0) AS usual,
                     (SELECT min(dialable_at) FROM campaign_calls q
                      WHERE q.campaign_id = z.campaign_id AND q.rank = 0 AND q.zones = z.zones AND q.priority = 1) AS promised
                   FROM z WHERE zones IS NOT NULL) AS heads
             WHERE usual IS NOT NULL OR promised IS NOT NULL"
        );
        let ids = set(campaigns.iter().map(|c| c.hex()));
        let rows: Vec<HeadOf> = on!(self.pool(), |db| sqlx::query_as(sql).bind(ids).fetch_all(db).await?);
        Ok(by_campaign(rows.into_iter().map(|r| (r.campaign_id, r.head))))
    }

    /// How many rows wait in each queue of some campaigns, as [`Store::queues`].
    pub async fn queues_of(&self, campaigns: &[CampaignId], due_by: DateTime<Utc>) -> Result<HashMap<CampaignId, Vec<QueueCount>>, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT campaign_id, zones, count(*) AS pending, count(*) FILTER (WHERE dialable_at <= $2) AS due
             FROM campaign_calls WHERE campaign_id IN (#ids($1)) AND rank = 0 AND priority < 2 GROUP BY campaign_id, zones"
        );
        let ids = set(campaigns.iter().map(|c| c.hex()));
        let rows: Vec<QueueOf> = on!(self.pool(), |db| sqlx::query_as(sql).bind(ids).bind(due_by).fetch_all(db).await?);
        Ok(by_campaign(rows.into_iter().map(|r| (r.campaign_id, r.queue))))
    }

    /// Answered calls of some campaigns, as [`Store::without_agent`]; those of which none was without an agent are not told.
    pub async fn without_agent_of(
        &self,
        campaigns: &[CampaignId],
        since: DateTime<Utc>,
        judged: DateTime<Utc>,
    ) -> Result<HashMap<CampaignId, breaker::Answers>, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT campaign_id, count(*), count(*) FILTER (WHERE abandoned = #yes),
                 (SELECT count(*) FROM (SELECT 1 FROM campaign_calls q
                      WHERE q.campaign_id = k.campaign_id AND q.answered_at > $2 AND (q.abandoned = #yes OR q.rank >= 90 OR q.answered_at <= $3)
                      ORDER BY q.answered_at DESC LIMIT $4) AS latest),
                 (SELECT count(*) FROM (SELECT q.abandoned FROM campaign_calls q
                      WHERE q.campaign_id = k.campaign_id AND q.answered_at > $2 AND (q.abandoned = #yes OR q.rank >= 90 OR q.answered_at <= $3)
                      ORDER BY q.answered_at DESC LIMIT $4) AS latest WHERE abandoned = #yes)
             FROM campaign_calls k
             WHERE campaign_id IN (SELECT a.campaign_id FROM campaign_calls a WHERE a.campaign_id IN (#ids($1)) AND a.abandoned = #yes) AND answered_at > $2
             GROUP BY campaign_id"
        );
        let ids = set(campaigns.iter().map(|c| c.hex()));
        let rows: Vec<(CampaignId, i64, i64, i64, i64)> =
            on!(self.pool(), |db| sqlx::query_as(sql).bind(ids).bind(since).bind(judged).bind(breaker::LAST).fetch_all(db).await?);
        Ok(rows.into_iter().map(|(id, answered, abandoned, last, silent)| (id, answers((answered, abandoned, last, silent)))).collect())
    }

    /// Dials of some campaigns, each from a minute of its own up to before another.
    pub async fn dials_of(&self, campaigns: &[(CampaignId, i64)], until: i64) -> Result<HashMap<CampaignId, i64>, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT m.campaign_id, #sum(m.dials) FROM #keyed($1) JOIN campaign_minutes m ON m.campaign_id = j.row_id
             WHERE m.minute >= #int(v, 1) AND m.minute < $2 GROUP BY m.campaign_id"
        );
        let json: Vec<_> = campaigns.iter().map(|(id, from)| (id.hex(), from)).collect();
        let rows: Vec<(CampaignId, i64)> =
            on!(self.pool(), |db| sqlx::query_as(sql).bind(serde_json::json!(json).to_string()).bind(until).fetch_all(db).await?);
        Ok(rows.into_iter().collect())
    }
}
