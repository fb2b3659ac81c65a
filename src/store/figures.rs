//! Figures of the whole installation, for a monitoring system: sums of a few rows each, whatever the number
//! of calls.

use chrono::{DateTime, Utc};

use super::{Store, StoreError, pool::on, sql::sql};
use crate::domain::{call::State, stats::Counts};

/// What the writer has before it.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    pub urgent: usize,
    pub bulk: usize,
}

/// Lines of one trunk.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Lines {
    pub livekit_id: String,
    pub live: i64,
    pub max_live: i64,
}

#[derive(Debug, Clone)]
pub struct Figures {
    /// Over all campaigns.
    pub counts: Counts,
    /// Waiting calls of running campaigns.
    pub queued: i64,
    /// Campaigns by their state.
    pub campaigns: Vec<(String, i64)>,
    pub lines: Vec<Lines>,
    /// Claimed and open calls by state.
    pub open: Vec<(State, i64)>,
    /// Answered calls that found no agent.
    pub abandoned: i64,
    pub heartbeat: Option<DateTime<Utc>>,
}

impl Store {
    /// How many writes wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let of = |queue: &tokio::sync::mpsc::Sender<_>| queue.max_capacity() - queue.capacity();
        Waiting { urgent: of(&self.inner.urgent), bulk: of(&self.inner.bulk) }
    }

    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let sums = Counts::COLUMNS.iter().map(|c| format!("COALESCE(CAST(sum({c}) AS BIGINT), 0) AS {c}")).collect::<Vec<_>>().join(", ");
        let sums = sqlx::AssertSqlSafe(format!("SELECT {sums} FROM campaign_counts"));
        let queued = "SELECT COALESCE(CAST(sum(n.pending) AS BIGINT), 0) FROM campaigns c JOIN campaign_counts n ON n.campaign_id = c.id
                      WHERE c.execution_status = 'running' AND c.deleted_at IS NULL";
        let campaigns = "SELECT execution_status, count(*) FROM campaigns WHERE deleted_at IS NULL GROUP BY execution_status";
        let abandoned = sql!(self.kind(), "SELECT count(*) FROM campaign_calls WHERE abandoned = #yes");
        let open = "SELECT state, count(*) FROM campaign_calls WHERE rank >= 5 AND rank < 90 GROUP BY state";
        on!(self.pool(), |db| {
            Ok(Figures {
                counts: sqlx::query_as(sums).fetch_one(db).await?,
                queued: sqlx::query_scalar(queued).fetch_one(db).await?,
                campaigns: sqlx::query_as(campaigns).fetch_all(db).await?,
                lines: sqlx::query_as("SELECT livekit_id, live, max_live FROM trunks ORDER BY created_at LIMIT 1000").fetch_all(db).await?,
                open: sqlx::query_as(open).fetch_all(db).await?,
                abandoned: sqlx::query_scalar(abandoned).fetch_one(db).await?,
                heartbeat: sqlx::query_scalar("SELECT max(heartbeat_at) FROM engines WHERE stopped_at IS NULL").fetch_one(db).await?,
            })
        })
    }
}
