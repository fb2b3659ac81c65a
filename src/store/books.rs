//! The books against the rows they are sums of: which numbers and lines are taken, and a campaign's counters.

use chrono::{DateTime, Utc};

use super::{
    CallRow, Store, StoreError, Tx,
    pool::{on, on_tx},
    sql::sql,
};
use crate::domain::{
    call::State,
    id::{CallId, CampaignId, OwnerId},
    outcome::Outcome,
    stats::Counts,
};

/// A number that is taken, and the call that has it; `None` in the rows of such a call.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TakenNumber {
    pub number: String,
    pub call_id: CallId,
    pub last_armed_at: DateTime<Utc>,
}

/// Calls of a campaign that are alike for its counters.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Alike {
    /// `None` where the campaign has no calls.
    pub state: Option<State>,
    pub armed: bool,
    pub leg_seen: bool,
    pub answered: bool,
    pub outcome: Option<Outcome>,
    pub n: i64,
    pub seconds: i64,
    #[sqlx(flatten)]
    pub counts: Counts,
}

impl Store {
    /// Numbers held by a call that is not on the line, or by none that there is.
    pub async fn numbers_taken_by_nobody(&self) -> Result<Vec<TakenNumber>, StoreError> {
        let sql = "SELECT l.number, l.call_id, l.last_armed_at FROM numbers_live l LEFT JOIN campaign_calls k ON k.id = l.call_id
                   WHERE l.call_id IS NOT NULL AND (k.id IS NULL OR k.rank < 10 OR k.rank >= 90)";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_all(db).await?))
    }

    /// Calls on the line whose number nobody holds for them.
    pub async fn calls_without_number(&self) -> Result<Vec<CallId>, StoreError> {
        let sql = "SELECT k.id FROM campaign_calls k LEFT JOIN numbers_live l ON l.number = k.phone_number
                   WHERE k.rank >= 10 AND k.rank < 90 AND (l.call_id IS NULL OR l.call_id <> k.id)";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).fetch_all(db).await?))
    }

    /// Every campaign, the deleted ones too.
    pub async fn every_campaign(&self) -> Result<Vec<(OwnerId, CampaignId)>, StoreError> {
        let sql = "SELECT c.user_id, c.id FROM campaigns c JOIN campaign_counts n ON n.campaign_id = c.id ORDER BY c.execution_status = 'running' DESC, c.id";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_all(db).await?))
    }

    /// A campaign's calls, alike ones together, beside its counters as they are at that moment.
    pub async fn alike_calls(&self, id: CampaignId) -> Result<Vec<Alike>, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT g.state, COALESCE(g.armed, #no) AS armed, COALESCE(g.leg_seen, #no) AS leg_seen, COALESCE(g.answered, #no) AS answered, g.outcome,
                          COALESCE(g.n, 0) AS n, COALESCE(g.seconds, 0) AS seconds, c.*
                   FROM campaign_counts c
                   LEFT JOIN (SELECT state, armed_at IS NOT NULL AS armed, leg_seen, answered_at IS NOT NULL AS answered, outcome,
                                     count(*) AS n, #sum(call_duration) AS seconds
                              FROM campaign_calls WHERE campaign_id = $1 GROUP BY 1, 2, 3, 4, 5) g ON 1 = 1
                   WHERE c.campaign_id = $1"
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(id).fetch_all(db).await?))
    }
}

impl Tx {
    /// Calls that are on the line, of every owner.
    pub async fn calls_on_the_line(&mut self) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE rank >= 10 AND rank < 90";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).fetch_all(&mut *db).await?))
    }

    /// Lines in use, by trunk.
    pub async fn lines_in_use(&mut self) -> Result<Vec<(crate::domain::id::TrunkId, OwnerId, i64)>, StoreError> {
        Ok(on_tx!(self, |db| sqlx::query_as("SELECT id, user_id, live FROM trunks").fetch_all(&mut *db).await?))
    }

    /// Lines that supervisors' phones have, by trunk.
    pub async fn lines_listened_on(&mut self) -> Result<Vec<(crate::domain::id::TrunkId, i64)>, StoreError> {
        Ok(on_tx!(self, |db| sqlx::query_as("SELECT trunk_id, count(*) FROM listening_lines GROUP BY trunk_id").fetch_all(&mut *db).await?))
    }

    /// Gives a number to the call that is on the line with it, whatever the books said.
    pub async fn give_number(&mut self, number: &str, call: CallId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO numbers_live (number, call_id, held_until, last_armed_at) VALUES ($1, $2, NULL, $3)
                   ON CONFLICT (number) DO UPDATE SET call_id = excluded.call_id, held_until = NULL, held_for = NULL, last_armed_at = excluded.last_armed_at";
        on_tx!(self, |db| sqlx::query(sql).bind(number).bind(call).bind(at).execute(&mut *db).await?.rows_affected());
        Ok(())
    }
}
