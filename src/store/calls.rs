//! Calls: the queue, the ledger, and what lists show of them.

use chrono::{DateTime, Duration, Utc};

use super::{
    CallRow, OutcomeRow, Page, PaneRow, Store, StoreError, Tx,
    pool::{on, on_tx},
    rows::stamp,
    sql::{letters, sql},
};
use crate::domain::{
    call::State,
    id::{CallId, CampaignId, ContactId, Incarnation, OwnerId},
    outcome::{Outcome, Who},
};

/// A row of the queue to be.
#[derive(Debug, Clone)]
pub struct NewCall {
    pub id: CallId,
    pub contact_id: Option<ContactId>,
    pub phone_number: String,
    pub contact_name: String,
    pub contact_email: String,
    pub country: String,
    pub zones: String,
    pub position: i64,
    pub attempt: i64,
    pub dialable_at: DateTime<Utc>,
    /// 1 goes first when it is due: a moment promised to the contact. 2 is asked for by somebody, and no campaign claims it.
    pub priority: i64,
}

/// Which calls of a campaign a list wants.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// A `status` word of the API.
    pub status: Option<String>,
    pub outcome: Option<Outcome>,
}

/// Which calls a pane wants.
#[derive(Debug, Clone)]
pub struct PaneQuery {
    pub owner: OwnerId,
    pub campaign: Option<CampaignId>,
    /// Ended calls stay until this long ago.
    pub ended_since: DateTime<Utc>,
    pub limit: i64,
}

/// Where a keyset page goes on: the last row's time and id.
pub type Cursor = Option<(DateTime<Utc>, CallId)>;

const PANE: &str = "SELECT k.id, k.campaign_id, c.name AS campaign_name, k.phone_number, k.contact_name, k.attempt, k.state, k.armed_at,
        k.ringing_at, k.answered_at, k.completed_at, k.call_duration, k.sip_code, k.reason, k.outcome, k.suggestion, k.suggestion_confidence,
        k.hangup_requested_at, k.room_name, k.notes
     FROM calls k JOIN campaigns c ON c.id = k.campaign_id";

fn pane(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{PANE} {rest}"))
}

impl Store {
    pub async fn call(&self, owner: OwnerId, id: CallId) -> Result<Option<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE id = $1 AND user_id = $2";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(db).await?))
    }

    /// A call of any owner: the engine's view.
    pub async fn any_call(&self, id: CallId) -> Result<Option<CallRow>, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_as("SELECT * FROM calls WHERE id = $1").bind(id).fetch_optional(db).await?))
    }

    /// A campaign's calls, newest first.
    pub async fn calls(&self, campaign: CampaignId, filter: &CallFilter, limit: i64, offset: i64) -> Result<Page<CallRow>, StoreError> {
        let sql =
            "SELECT * FROM calls WHERE campaign_id = $1 AND ($2 IS NULL OR status = $2 OR ($2 = 'failed' AND status IN ('no_answer', 'busy', 'canceled')))
                     AND ($3 IS NULL OR outcome = $3)
                   ORDER BY id DESC LIMIT $4 OFFSET $5";
        let count = "SELECT count(*) FROM campaign_calls WHERE campaign_id = $1 AND ($2 IS NULL OR status = $2 OR ($2 = 'failed' AND status IN ('no_answer', 'busy', 'canceled')))
                       AND ($3 IS NULL OR outcome = $3)";
        on!(self.pool(), |db| {
            let rows = sqlx::query_as(sql).bind(campaign).bind(&filter.status).bind(filter.outcome).bind(limit).bind(offset).fetch_all(db).await?;
            let total = sqlx::query_scalar(count).bind(campaign).bind(&filter.status).bind(filter.outcome).fetch_one(db).await?;
            Ok(Page { rows, total })
        })
    }

    /// A campaign's calls in the order they were queued, from after one of them on.
    pub async fn calls_after(&self, campaign: CampaignId, after: Option<CallId>, limit: i64) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE campaign_id = $1 AND ($2 IS NULL OR id > $2) ORDER BY id LIMIT $3";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(campaign).bind(after).bind(limit).fetch_all(db).await?))
    }

    /// Calls claimed or open, of every owner: what an engine has to look after.
    pub async fn open_calls(&self) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE rank >= 5 AND rank < 90 ORDER BY rank";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_all(db).await?))
    }

    /// The live pane: open calls first, then those just ended.
    pub async fn live_pane(&self, q: &PaneQuery) -> Result<Vec<PaneRow>, StoreError> {
        let open = pane("WHERE k.rank >= 5 AND k.rank < 90 AND k.user_id = $1 AND ($2 IS NULL OR k.campaign_id = $2) LIMIT $3");
        let ended = pane(
            "WHERE k.rank >= 90 AND k.user_id = $1 AND k.completed_at > $3 AND k.armed_at IS NOT NULL AND ($2 IS NULL OR k.campaign_id = $2)
             ORDER BY k.completed_at DESC LIMIT $4",
        );
        on!(self.pool(), |db| {
            let mut rows: Vec<PaneRow> = sqlx::query_as(open).bind(q.owner).bind(q.campaign).bind(q.limit).fetch_all(db).await?;
            rows.extend(sqlx::query_as::<_, PaneRow>(ended).bind(q.owner).bind(q.campaign).bind(q.ended_since).bind(q.limit).fetch_all(db).await?);
            Ok(rows)
        })
    }

    /// Answered and ended calls without an outcome, oldest first, from a cursor on.
    pub async fn to_tag(&self, owner: OwnerId, campaign: Option<CampaignId>, limit: i64) -> Result<Vec<PaneRow>, StoreError> {
        let sql = pane(
            "WHERE k.rank >= 90 AND k.answered_at IS NOT NULL AND k.outcome IS NULL AND k.user_id = $1 AND ($2 IS NULL OR k.campaign_id = $2)
             ORDER BY k.completed_at, k.id LIMIT $3",
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(campaign).bind(limit).fetch_all(db).await?))
    }

    /// One call as a list shows it.
    pub async fn pane_row(&self, owner: OwnerId, id: CallId) -> Result<Option<PaneRow>, StoreError> {
        let sql = pane("WHERE k.id = $1 AND k.user_id = $2");
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(db).await?))
    }

    /// The outcomes a call was given, oldest first.
    pub async fn outcomes(&self, call: CallId) -> Result<Vec<OutcomeRow>, StoreError> {
        let sql = "SELECT id, call_id, value, previous, note, who, by, at FROM call_outcomes WHERE call_id = $1 ORDER BY id";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(call).fetch_all(db).await?))
    }

    /// Ended dials since a moment, newest first: state, code, when. For rates and alerts.
    pub async fn recent_results(&self, owner: OwnerId, since: DateTime<Utc>, limit: i64) -> Result<Vec<(CampaignId, State, Option<i64>, bool)>, StoreError> {
        let sql = "SELECT campaign_id, state, sip_code, answered_at IS NOT NULL FROM campaign_calls
                   WHERE rank >= 90 AND user_id = $1 AND completed_at > $2 AND armed_at IS NOT NULL ORDER BY completed_at DESC LIMIT $3";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(since).bind(limit).fetch_all(db).await?))
    }
}

impl Tx {
    pub async fn call(&mut self, id: CallId) -> Result<Option<CallRow>, StoreError> {
        Ok(on_tx!(self, |db| sqlx::query_as("SELECT * FROM calls WHERE id = $1").bind(id).fetch_optional(&mut *db).await?))
    }

    /// Rows into the queue, all of one campaign.
    pub async fn insert_calls(&mut self, owner: OwnerId, campaign: CampaignId, calls: &[NewCall], now: DateTime<Utc>) -> Result<u64, StoreError> {
        let sql = sql!(
            self.kind(),
            "INSERT INTO campaign_calls (id, user_id, campaign_id, contact_id, phone_number, contact_name, contact_email, country, zones, position,
                       attempt, dialable_at, priority, created_at, updated_at)
                   SELECT #id(v, 0), $2, $3, #id(v, 1), #text(v, 2), #text(v, 3), #text(v, 4), #text(v, 5), #text(v, 6), #int(v, 7), #int(v, 8), #at(v, 9),
                       #int(v, 10), $4, $4
                   FROM #rows($1) WHERE true"
        );
        let json: Vec<_> = calls
            .iter()
            .map(|c| {
                serde_json::json!([
                    c.id.hex(),
                    c.contact_id.map(ContactId::hex),
                    c.phone_number,
                    c.contact_name,
                    c.contact_email,
                    c.country,
                    c.zones,
                    c.position,
                    c.attempt,
                    stamp(Some(c.dialable_at)),
                    c.priority
                ])
            })
            .collect();
        let json = letters(self.kind(), serde_json::Value::from(json).to_string());
        Ok(on_tx!(self, |db| sqlx::query(sql).bind(json).bind(owner).bind(campaign).bind(now).execute(&mut *db).await?.rows_affected()))
    }

    /// Leases due rows of one zone's queue: what was promised to a contact first, then head first.
    pub async fn claim(
        &mut self,
        campaign: CampaignId,
        zones: &str,
        limit: usize,
        incarnation: Incarnation,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<Vec<CallRow>, StoreError> {
        let sql = "UPDATE campaign_calls
                   SET state = 'claimed', rank = 5, incarnation = $5, lease_until = $6, claim_number = claim_number + 1, updated_at = $3
                   WHERE id IN (SELECT id FROM (
                       SELECT * FROM (SELECT id, priority, dialable_at, position FROM campaign_calls
                                      WHERE campaign_id = $1 AND zones = $2 AND priority = 1 AND rank = 0 AND dialable_at <= $3
                                      ORDER BY dialable_at, position, id LIMIT $4) AS promised
                       UNION ALL
                       SELECT * FROM (SELECT id, priority, dialable_at, position FROM campaign_calls
                                      WHERE campaign_id = $1 AND zones = $2 AND priority = 0 AND rank = 0 AND dialable_at <= $3
                                      ORDER BY dialable_at, position, id LIMIT $4) AS usual
                       ORDER BY priority DESC, dialable_at, position, id LIMIT $4) AS head)
                     AND state = 'pending'
                   RETURNING *, NULL AS hangup_requested_at";
        let mut rows: Vec<CallRow> = on_tx!(self, |db| sqlx::query_as(sql)
            .bind(campaign)
            .bind(zones)
            .bind(now)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(incarnation)
            .bind(now + lease)
            .fetch_all(&mut *db)
            .await?);
        // RETURNING promises no order.
        rows.sort_by_key(|r| (-r.priority, r.dialable_at, r.position, r.id));
        Ok(rows)
    }

    /// Puts a claimed call back into the queue; `false` when this claim no longer holds it.
    pub async fn release(&mut self, id: CallId, claim_number: i64, due: DateTime<Utc>, reason: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql =
            "UPDATE campaign_calls SET state = 'pending', rank = 0, lease_until = NULL, incarnation = NULL, dialable_at = $3, reason = $4, updated_at = $5
                   WHERE id = $1 AND state = 'claimed' AND claim_number = $2";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(id).bind(claim_number).bind(due).bind(reason).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Cancels pending rows of a campaign, at most `limit`; how many there were.
    pub async fn cancel_pending(&mut self, campaign: CampaignId, reason: &str, limit: i64, now: DateTime<Utc>) -> Result<i64, StoreError> {
        let sql = sql!(
            self.kind(),
            "UPDATE campaign_calls SET state = 'canceled', rank = 90, completed_at = $3, reason = $2, charged = #no, updated_at = $3
                   WHERE id IN (SELECT id FROM campaign_calls WHERE campaign_id = $1 AND rank = 0 AND priority < 2 LIMIT $4) AND state = 'pending'"
        );
        let done = on_tx!(self, |db| sqlx::query(sql).bind(campaign).bind(reason).bind(now).bind(limit).execute(&mut *db).await?.rows_affected());
        Ok(i64::try_from(done).unwrap_or(i64::MAX))
    }

    /// Whether rows of a campaign wait in its queue.
    pub async fn has_pending(&mut self, campaign: CampaignId) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM campaign_calls WHERE campaign_id = $1 AND rank = 0 AND priority < 2)";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(campaign).fetch_one(&mut *db).await?))
    }

    /// Rows of an owner for one number that are not ended.
    pub async fn unended_of_number(&mut self, owner: OwnerId, number: &str) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE phone_number = $2 AND user_id = $1 AND rank < 90";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(owner).bind(number).fetch_all(&mut *db).await?))
    }

    /// What else of a call's contact is not ended in its campaign: by the contact, whose number may be another by
    /// now, or by the number where there is none.
    pub async fn others_of_contact(&mut self, row: &CallRow) -> Result<Vec<CallRow>, StoreError> {
        let sql = match row.contact_id {
            Some(_) => "SELECT * FROM calls WHERE campaign_id = $1 AND contact_id = $2 AND rank < 90 AND id <> $4 AND $3 = $3",
            None => "SELECT * FROM calls WHERE phone_number = $3 AND campaign_id = $1 AND contact_id IS NOT DISTINCT FROM $2 AND rank < 90 AND id <> $4",
        };
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(row.campaign_id).bind(row.contact_id).bind(&row.phone_number).bind(row.id).fetch_all(&mut *db).await?))
    }

    /// The newest call to a call's contact in its campaign.
    pub async fn newest_of_contact(&mut self, row: &CallRow) -> Result<Option<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE campaign_id = $1 AND contact_id = $2 ORDER BY id DESC LIMIT 1";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(row.campaign_id).bind(row.contact_id).fetch_optional(&mut *db).await?))
    }

    /// The unended of several numbers at once, and of all owners where they share one do-not-call list.
    pub async fn unended_to_silence(&mut self, owner: OwnerId, numbers: &[&str]) -> Result<Vec<CallRow>, StoreError> {
        let sql = sql!(self.kind(), "SELECT * FROM calls WHERE phone_number IN (#words($2)) AND rank < 90 AND (user_id = $1 OR ", super::dnc::shared!(), ")");
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(owner).bind(serde_json::json!(numbers).to_string()).fetch_all(&mut *db).await?))
    }

    /// How many calls of a campaign are open.
    pub async fn count_open(&mut self, campaign: CampaignId) -> Result<i64, StoreError> {
        // All that are on a line first, they are few: by the campaign it would look at each of its calls.
        let sql = "SELECT count(*) FROM (SELECT campaign_id FROM campaign_calls WHERE rank >= 10 AND rank < 90 LIMIT 1000000) AS lines
                   WHERE campaign_id = $1";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(campaign).fetch_one(&mut *db).await?))
    }

    /// Calls of a campaign that are being prepared.
    pub async fn claimed_of(&mut self, campaign: CampaignId) -> Result<Vec<CallRow>, StoreError> {
        // The range names the index of open calls: by the campaign it would look at each of its calls.
        let sql = "SELECT * FROM calls WHERE rank >= 5 AND rank < 90 AND rank = 5 AND campaign_id = $1";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(campaign).fetch_all(&mut *db).await?))
    }

    /// Calls of earlier engine runs on this host: claimed or open under another incarnation.
    pub async fn calls_of_others(&mut self, mine: Incarnation) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT * FROM calls WHERE rank >= 5 AND rank < 90 AND (incarnation IS NULL OR incarnation <> $1)";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(mine).fetch_all(&mut *db).await?))
    }

    /// Takes the open calls of other engine runs over for this one; how many there were.
    pub async fn adopt(&mut self, mine: Incarnation) -> Result<u64, StoreError> {
        let sql = "UPDATE campaign_calls SET incarnation = $1 WHERE rank >= 10 AND rank < 90 AND (incarnation IS NULL OR incarnation <> $1)";
        Ok(on_tx!(self, |db| sqlx::query(sql).bind(mine).execute(&mut *db).await?.rows_affected()))
    }

    /// One line of a call's outcome history.
    #[expect(clippy::too_many_arguments, reason = "the columns of one row, each named at the one caller")]
    pub async fn insert_outcome(
        &mut self,
        call: CallId,
        value: Option<Outcome>,
        previous: Option<Outcome>,
        note: &str,
        who: Who,
        by: &str,
        confidence: Option<f64>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO call_outcomes (call_id, value, previous, note, who, by, confidence, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on_tx!(self, |db| sqlx::query(sql)
            .bind(call)
            .bind(value)
            .bind(previous)
            .bind(note)
            .bind(who)
            .bind(by)
            .bind(confidence)
            .bind(now)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }
}
