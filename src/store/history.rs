//! What happened before, for whoever looks: with one number, while nobody was here, and in a shift.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{AuditRow, FoundCall, Store, StoreError, SuppressedRow, pool::on, search::found, sql::sql};
use crate::domain::{
    id::{CallId, CampaignId, OwnerId},
    outcome::Outcome,
};

/// A call that was promised, as its row has it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct PromisedCall {
    pub id: CallId,
    pub campaign_id: CampaignId,
    pub campaign_name: String,
    pub phone_number: String,
    pub contact_name: String,
    pub zones: String,
    /// When it is due.
    pub due: DateTime<Utc>,
    /// Why it was not made, where it was taken off the queue.
    pub reason: String,
}

/// Promised calls in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct PromiseCount {
    /// Due, and not dialled yet.
    pub due: i64,
    /// The next that is not due yet.
    pub next: Option<DateTime<Utc>>,
}

/// How often somebody tagged calls of a campaign so.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TagCount {
    /// An operator, `agent`, or empty where a SIP code told.
    pub who: String,
    pub campaign_id: CampaignId,
    pub outcome: Outcome,
    pub n: i64,
}

/// Somebody's number on a do-not-call list, and whose list it is.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ListedNumber {
    #[sqlx(flatten)]
    pub entry: SuppressedRow,
    /// Of this owner; else of another who shares the list.
    pub own: bool,
}

/// A line of the audit with the name of the campaign it is about.
#[derive(sqlx::FromRow)]
struct Line {
    campaign_name: Option<String>,
    #[sqlx(flatten)]
    line: AuditRow,
}

const PROMISED: &str = "SELECT k.id, k.campaign_id, c.name AS campaign_name, k.phone_number, k.contact_name, k.zones, k.dialable_at AS due, k.reason
     FROM campaign_calls k JOIN campaigns c ON c.id = k.campaign_id";

/// Promised calls of campaign `$1` that wait, the first due first.
pub(super) fn promised_in() -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!(
        "{PROMISED} WHERE k.campaign_id = $1 AND k.priority = 1 AND k.armed_at IS NULL AND k.state IN ('pending', 'claimed')
         ORDER BY k.dialable_at LIMIT $2"
    ))
}

/// Of one number; more are told as such.
const CALLS: i64 = 200;

impl Store {
    /// An owner's calls to a number in every campaign, newest first.
    pub async fn calls_to(&self, owner: OwnerId, number: &str) -> Result<Vec<FoundCall>, StoreError> {
        let sql = found("WHERE k.phone_number = $2 AND k.user_id = $1 AND k.dialled IS NOT NULL ORDER BY k.armed_at DESC LIMIT $3");
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(number).bind(CALLS).fetch_all(db).await?))
    }

    /// One call that was made.
    pub async fn dialled_call(&self, owner: OwnerId, id: CallId) -> Result<Option<FoundCall>, StoreError> {
        let sql = found("WHERE k.id = $2 AND k.user_id = $1 AND k.dialled IS NOT NULL");
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(id).fetch_optional(db).await?))
    }

    /// The entry of a do-not-call list that holds for an owner, its own before a shared one.
    pub async fn listed(&self, owner: OwnerId, number: &str) -> Result<Option<ListedNumber>, StoreError> {
        let sql = concat!(
            "SELECT d.number, d.reason, d.source, d.created_by, d.created_at, d.user_id = $1 AS own FROM do_not_call d
             WHERE d.number = $2 AND (d.user_id = $1 OR ",
            super::dnc::shared!(),
            ") ORDER BY own DESC, d.created_at LIMIT 1"
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(number).fetch_optional(db).await?))
    }

    /// Calls that were promised to a number and wait.
    pub async fn promised_to(&self, owner: OwnerId, number: &str) -> Result<Vec<PromisedCall>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{PROMISED} WHERE k.phone_number = $2 AND k.armed_at IS NULL AND k.user_id = $1 AND k.priority = 1 AND k.state IN ('pending', 'claimed')
             ORDER BY k.dialable_at LIMIT 20"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(number).fetch_all(db).await?))
    }

    /// Promised calls of an owner that wait, the first due first.
    pub async fn promised(&self, owner: OwnerId, limit: i64) -> Result<Vec<PromisedCall>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{PROMISED} WHERE k.user_id = $1 AND k.priority = 1 AND k.state = 'pending' ORDER BY k.dialable_at LIMIT $2"));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(limit).fetch_all(db).await?))
    }

    /// Promised calls of a campaign that wait, the first due first.
    pub async fn promised_in(&self, campaign: CampaignId, limit: i64) -> Result<Vec<PromisedCall>, StoreError> {
        let sql = promised_in();
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(campaign).bind(limit).fetch_all(db).await?))
    }

    /// How many promised calls are due, and when the next is.
    pub async fn count_promised(&self, owner: OwnerId, campaign: Option<CampaignId>, now: DateTime<Utc>) -> Result<PromiseCount, StoreError> {
        let sql = "SELECT count(*) FILTER (WHERE dialable_at <= $3) AS due, min(dialable_at) FILTER (WHERE dialable_at > $3) AS next
                   FROM (SELECT dialable_at, campaign_id FROM campaign_calls WHERE user_id = $1 AND priority = 1 AND state = 'pending'
                         ORDER BY dialable_at LIMIT 5000) AS waiting
                   WHERE $2 IS NULL OR campaign_id = $2";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(campaign).bind(now).fetch_one(db).await?))
    }

    /// Promised calls that were due in a while and are not made: taken off the queue, or overdue.
    pub async fn missed_promises(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<PromisedCall>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{PROMISED} WHERE k.user_id = $1 AND k.priority = 1 AND k.state IN ('pending', 'canceled') AND k.dialable_at >= $2 AND k.dialable_at < $3
               AND (k.state = 'pending' OR k.broken)
             ORDER BY k.dialable_at LIMIT 500"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(from).bind(until).fetch_all(db).await?))
    }

    /// What happened to campaigns of an owner in a while, oldest first; the newest of more.
    pub async fn happened(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<(Option<String>, AuditRow)>, StoreError> {
        let sql = "SELECT * FROM (
                       SELECT a.id, a.at, a.actor, a.source, a.action, a.details, c.name AS campaign_name FROM audit a LEFT JOIN campaigns c ON c.id = a.subject
                       WHERE a.user_id = $1 AND a.at >= $2 AND a.at < $3
                         AND a.action IN ('campaign_moved', 'campaign_error', 'campaign_finished', 'breaker_opened', 'kill_switch_on', 'kill_switch_off')
                       ORDER BY a.at DESC LIMIT 200) AS newest
                   ORDER BY id";
        let lines: Vec<Line> = on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(from).bind(until).fetch_all(db).await?);
        Ok(lines.into_iter().map(|l| (l.campaign_name, l.line)).collect())
    }

    /// What people did to campaigns, lists and calls of an owner in a while, oldest first, each with the name of what it
    /// was done to: by its subject, for the audit has a line for every dial as well.
    pub async fn deeds_between(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<(Option<String>, AuditRow)>, StoreError> {
        const LISTS: &str = "'contacts_imported', 'source_deleted'";
        let of = |what: &str, name: &str, actions: &str| {
            sqlx::AssertSqlSafe(format!(
                "SELECT a.at, a.actor, a.source, a.action, a.details, {name} AS campaign_name FROM {what} s JOIN audit a ON a.subject = s.id
                 WHERE s.user_id = $1 AND a.at >= $2 AND a.at < $3 AND a.action IN ({actions}) ORDER BY a.id LIMIT 200"
            ))
        };
        let all = [
            of("campaigns", "s.name", "'campaign_created', 'campaign_edited', 'campaign_recycled', 'campaign_deleted'"),
            of("contact_lists", "s.name", LISTS),
            of("csv_files", "s.original_filename", LISTS),
        ];
        let hung_up = sql!(
            self.kind(),
            "SELECT r.at, r.asked_by AS actor, r.source, 'hung_up' AS action, #document('{}') AS details, k.contact_name AS campaign_name
             FROM call_requests r JOIN campaign_calls k ON k.id = r.call_id
             WHERE r.user_id = $1 AND r.kind = 'hangup' AND r.source IN ('console', 'cli', 'api') AND r.at >= $2 AND r.at < $3 ORDER BY r.at LIMIT 200"
        );
        let mut lines: Vec<Line> = Vec::new();
        for sql in all {
            lines.extend(on!(self.pool(), |db| sqlx::query_as::<_, Line>(sql).bind(owner).bind(from).bind(until).fetch_all(db).await?));
        }
        lines.extend(on!(self.pool(), |db| sqlx::query_as::<_, Line>(hung_up).bind(owner).bind(from).bind(until).fetch_all(db).await?));
        lines.sort_by_key(|l| l.line.at);
        Ok(lines.into_iter().map(|l| (l.campaign_name, l.line)).collect())
    }

    /// How many numbers came onto an owner's do-not-call list in a while, by whom.
    pub async fn listed_between(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<(String, i64)>, StoreError> {
        let sql =
            "SELECT created_by, count(*) FROM do_not_call WHERE user_id = $1 AND created_at >= $2 AND created_at < $3 GROUP BY created_by ORDER BY created_by";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(from).bind(until).fetch_all(db).await?))
    }

    /// What calls of an owner were tagged in a while, by whom and of which campaign.
    pub async fn tags_between(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<TagCount>, StoreError> {
        let each = Json(Outcome::ALL);
        let sql = sql!(
            self.kind(),
            "SELECT COALESCE(outcome_by, '') AS who, campaign_id, outcome, count(*) AS n FROM campaign_calls
                   WHERE user_id = $1 AND dialled IS NOT NULL AND outcome IS NOT NULL AND outcome IN (#words($4))
                     AND outcome_at >= $2 AND outcome_at < $3
                   GROUP BY 1, 2, 3"
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(from).bind(until).bind(each).fetch_all(db).await?))
    }
}
