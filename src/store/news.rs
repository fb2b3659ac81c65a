//! What has moved since somebody last looked: read off the inbox and the audit, which only grow.

use super::{
    CallRow, CampaignRow, Store, StoreError,
    campaigns::select,
    pool::on,
    sql::{say, sql},
};
use crate::domain::id::OwnerId;

/// How far the inbox and the audit have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Height {
    pub events: i64,
    pub audit: i64,
}

/// Rows of one owner that moved, as they are now, and how far was read.
#[derive(Debug, Clone)]
pub struct News {
    pub calls: Vec<CallRow>,
    pub campaigns: Vec<CampaignRow>,
    pub to: Height,
}

/// Lines of inbox and audit read at once.
pub const WINDOW: i64 = 500;

impl Store {
    /// Where inbox and audit end now.
    pub async fn height(&self) -> Result<Height, StoreError> {
        let sql = "SELECT (SELECT COALESCE(max(id), 0) FROM call_events), (SELECT COALESCE(max(id), 0) FROM audit)";
        let (events, audit) = on!(self.every(), |db| sqlx::query_as(sql).fetch_one(db).await?);
        Ok(Height { events, audit })
    }

    /// What moved of an owner's rows in the next lines after one height, up to another.
    pub async fn news(&self, owner: OwnerId, from: Height, end: Height) -> Result<News, StoreError> {
        let to = Height { events: end.events.min(from.events + WINDOW), audit: end.audit.min(from.audit + WINDOW) };
        let moved = sql!(
            self.kind(),
            "SELECT CAST(#list(DISTINCT #hex(id)) AS TEXT) FROM (
                         SELECT call_id AS id FROM call_events WHERE id > $1 AND id <= $2 AND applied IS NOT NULL AND call_id IS NOT NULL
                         UNION SELECT subject FROM audit WHERE id > $3 AND id <= $4 AND user_id = $5 AND subject IS NOT NULL) AS moved"
        );
        let calls = sql!(self.kind(), "SELECT * FROM calls WHERE user_id = $1 AND id IN (#ids($2)) ORDER BY updated_at, id");
        let campaigns = say(self.kind(), &select("WHERE c.user_id = $1 AND c.deleted_at IS NULL AND c.id IN (#ids($2)) ORDER BY c.id").0);
        on!(self.pool(), |db| {
            let ids: String = sqlx::query_scalar(moved).bind(from.events).bind(to.events).bind(from.audit).bind(to.audit).bind(owner).fetch_one(db).await?;
            let calls: Vec<CallRow> = sqlx::query_as(calls).bind(owner).bind(&ids).fetch_all(db).await?;
            let mut ids: Vec<String> = serde_json::from_str(&ids).unwrap_or_default();
            ids.extend(calls.iter().map(|c| c.campaign_id.hex()));
            let campaigns = sqlx::query_as(campaigns).bind(owner).bind(serde_json::json!(ids).to_string()).fetch_all(db).await?;
            Ok(News { calls, campaigns, to })
        })
    }
}
