//! Dials by the minute they were made in: sums that move with the calls, so that no look at an hour or a shift
//! reads calls. Whoever asks for an owner's gets those of deleted campaigns too: a dial is a dial.

use chrono::{DateTime, Utc};

use super::{Store, StoreError, pool::on, sql::say};
use crate::domain::{
    id::{CampaignId, OwnerId},
    stats::Pace,
};

/// The minute of a moment, counted from 1970.
#[must_use]
pub fn minute_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60)
}

/// The first moment of a minute.
#[must_use]
pub fn moment_of(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(minute.saturating_mul(60), 0).unwrap_or_default()
}

/// Sums of some minutes that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct PaceRow {
    /// The first of them.
    pub minute: i64,
    #[sqlx(flatten)]
    pub pace: Pace,
}

/// What a campaign did in a while.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CampaignPace {
    pub campaign_id: CampaignId,
    pub campaign_name: String,
    #[sqlx(flatten)]
    pub pace: Pace,
}

const SUMS: &str = "#sum(m.armed) AS armed, #sum(m.dials) AS dials, #sum(m.answered) AS answered, #sum(m.abandoned) AS abandoned, #sum(m.failed) AS failed,
        #sum(m.talk_seconds) AS talk_seconds";

impl Store {
    /// An owner's dials from one minute up to before another, `step` minutes a row, oldest first; where there were
    /// none there is no row.
    pub async fn owner_pace(&self, owner: OwnerId, (from, until): (i64, i64), step: i64) -> Result<Vec<PaceRow>, StoreError> {
        let sql = say(
            self.kind(),
            &format!(
                "SELECT m.minute / $4 * $4 AS minute, {SUMS} FROM campaigns c JOIN campaign_minutes m ON m.campaign_id = c.id
             WHERE c.user_id = $1 AND m.minute >= $2 AND m.minute < $3 GROUP BY 1 ORDER BY 1"
            ),
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(from).bind(until).bind(step.max(1)).fetch_all(db).await?))
    }

    /// The same by campaign, the busiest first.
    pub async fn pace_by_campaign(&self, owner: OwnerId, (from, until): (i64, i64)) -> Result<Vec<CampaignPace>, StoreError> {
        let sql = say(
            self.kind(),
            &format!(
                "SELECT c.id AS campaign_id, c.name AS campaign_name, {SUMS} FROM campaigns c JOIN campaign_minutes m ON m.campaign_id = c.id
             WHERE c.user_id = $1 AND m.minute >= $2 AND m.minute < $3 GROUP BY c.id ORDER BY dials DESC, c.name LIMIT 1000"
            ),
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(from).bind(until).fetch_all(db).await?))
    }

    /// One campaign's, `step` minutes a row.
    pub async fn campaign_pace(&self, campaign: CampaignId, (from, until): (i64, i64), step: i64) -> Result<Vec<PaceRow>, StoreError> {
        let sql = say(
            self.kind(),
            &format!(
                "SELECT m.minute / $4 * $4 AS minute, {SUMS} FROM campaign_minutes m
             WHERE m.campaign_id = $1 AND m.minute >= $2 AND m.minute < $3 GROUP BY 1 ORDER BY 1"
            ),
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(campaign).bind(from).bind(until).bind(step.max(1)).fetch_all(db).await?))
    }

    /// An owner's dials of less than a minute, to the second: of the calls themselves, as their sums are made.
    pub async fn pace_within(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Pace, StoreError> {
        let sql = say(
            self.kind(),
            "SELECT count(*) AS armed, count(*) FILTER (WHERE state NOT IN ('unsent', 'refused', 'not_placed')) AS dials,
                    count(*) FILTER (WHERE answered_at IS NOT NULL) AS answered, count(*) FILTER (WHERE abandoned = #yes) AS abandoned,
                    count(*) FILTER (WHERE state IN ('failed', 'unresolved', 'unsent', 'refused', 'not_placed')) AS failed,
                    COALESCE(#sum(call_duration), 0) AS talk_seconds
             FROM campaign_calls WHERE user_id = $1 AND dialled IS NOT NULL AND armed_at >= $2 AND armed_at < $3",
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(from).bind(until).fetch_one(db).await?))
    }

    /// Dials of an owner since a moment, to the second.
    pub async fn dials_since(&self, owner: OwnerId, since: DateTime<Utc>) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM campaign_calls WHERE user_id = $1 AND dialled IS NOT NULL AND armed_at > $2
                     AND state NOT IN ('unsent', 'refused', 'not_placed')";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(since).fetch_one(db).await?))
    }
}
