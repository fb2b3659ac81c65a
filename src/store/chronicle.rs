//! What happened lately, for whoever looks on: what people and the engine did, off the end of the audit, and what
//! became of calls that have just ended.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{AuditRow, Store, StoreError, pool::on};
use crate::domain::id::{CallId, OwnerId};

/// A line of the audit with the names of what it is about.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Deed {
    pub id: i64,
    #[sqlx(flatten)]
    pub line: AuditRow,
    /// The call it is about.
    pub call: Option<CallId>,
    pub contact_name: Option<String>,
    pub phone_number: Option<String>,
    /// Of a campaign, a call's campaign, or a list.
    pub name: Option<String>,
}

/// What is said of an ended call beside its own row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Aside {
    /// Who tagged it; nobody where an agent or the carrier said it.
    pub tagged_by: Option<String>,
    /// When the same contact is called again.
    pub again_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct OfCall {
    id: CallId,
    #[sqlx(flatten)]
    aside: Aside,
}

/// What of the audit is told: what dials and their gates leave there is told by the calls themselves.
pub const TOLD: [&str; 28] = [
    "outcome_set",
    "note_set",
    "hangup_requested",
    "transfer_requested",
    "listen_requested",
    "call_again",
    "call_asked",
    "call_abandoned",
    "call_reopened",
    "campaign_created",
    "campaign_edited",
    "campaign_deleted",
    "campaign_moved",
    "campaign_finished",
    "campaign_error",
    "campaign_recycled",
    "breaker_opened",
    "kill_switch_on",
    "kill_switch_off",
    "contacts_imported",
    "list_created",
    "contact_added",
    "contact_edited",
    "contact_deleted",
    "do_not_call_added",
    "do_not_call_removed",
    "law_closed",
    "law_opened",
];

impl Store {
    /// What of the lines between two heights of the audit is told, oldest first.
    pub async fn deeds(&self, owner: OwnerId, after: i64, until: i64) -> Result<Vec<Deed>, StoreError> {
        let told = TOLD.map(|action| format!("'{action}'")).join(", ");
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT a.id, a.at, a.actor, a.source, a.action, a.details, k.id AS call, k.contact_name, k.phone_number,
                    COALESCE(c.name, o.name, l.name, f.original_filename) AS name
             FROM audit a
             LEFT JOIN campaigns c ON c.id = a.subject
             LEFT JOIN campaign_calls k ON k.id = a.subject
             LEFT JOIN campaigns o ON o.id = k.campaign_id
             LEFT JOIN contact_lists l ON l.id = a.subject
             LEFT JOIN csv_files f ON f.id = a.subject
             WHERE a.id > $1 AND a.id <= $2 AND a.user_id = $3 AND a.action IN ({told})
             ORDER BY a.id"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(after).bind(until).bind(owner).fetch_all(db).await?))
    }

    /// Who tagged the calls that have ended since a moment, and when their contacts are called again; the newest of more.
    pub async fn asides(&self, owner: OwnerId, since: DateTime<Utc>, limit: i64) -> Result<HashMap<CallId, Aside>, StoreError> {
        let sql = "SELECT k.id, CASE WHEN k.outcome_who = 'operator' AND k.outcome IS NOT NULL THEN k.outcome_by END AS tagged_by,
                          (SELECT n.dialable_at FROM campaign_calls n
                           WHERE n.campaign_id = k.campaign_id AND n.contact_id = k.contact_id AND n.contact_id IS NOT NULL AND n.rank < 90
                             AND n.state IN ('pending', 'claimed') LIMIT 1) AS again_at
                   FROM campaign_calls k
                   WHERE k.rank >= 90 AND k.user_id = $1 AND k.completed_at > $2 AND k.armed_at IS NOT NULL
                   ORDER BY k.completed_at DESC LIMIT $3";
        let rows: Vec<OfCall> = on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(since).bind(limit).fetch_all(db).await?);
        let said = |r: &OfCall| r.aside.tagged_by.is_some() || r.aside.again_at.is_some();
        Ok(rows.into_iter().filter(said).map(|r| (r.id, r.aside)).collect())
    }
}
