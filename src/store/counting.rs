//! What is counted of calls before something is decided about them: another attempt, another round, a
//! campaign that must be paused.

use chrono::{DateTime, Utc};

use super::{
    CallRow, Store, StoreError, Tx,
    dnc::listed,
    pool::{on, on_tx},
    sql::{Text, sql},
};
use crate::domain::{
    breaker,
    call::State,
    dispatch::NUMBER_BUSY,
    id::{CallId, CampaignId, ContactId, OwnerId},
};

/// What a campaign has done about a contact so far.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct ContactRows {
    pub campaign_id: CampaignId,
    pub contact_id: ContactId,
    pub total: i64,
    /// Not ended.
    pub open: i64,
}

/// Which ended calls go round again.
#[derive(Debug, Clone, Copy)]
pub struct Recyclable {
    pub no_answer: bool,
    pub busy: bool,
    pub voicemail: bool,
    /// Of calls that were not made: how their reason begins.
    pub reason: Option<&'static str>,
    /// The campaign's attempts.
    pub attempts: i64,
    /// What ends while others are being queued is not of this round.
    pub before: DateTime<Utc>,
}

/// Whom another round of a campaign would find, by how their last call ended, among the first
/// [`LOOKED_THROUGH`](Self::LOOKED_THROUGH) of its calls that ended so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Rounds {
    pub no_answer: i64,
    pub busy: i64,
    pub voicemail: i64,
    pub missing_field: i64,
    /// Promised callbacks that a stop broke.
    pub callback: i64,
    /// Who ended so and waits for the next attempt already.
    pub waiting: i64,
    pub looked_through: i64,
}

impl Rounds {
    pub const LOOKED_THROUGH: i64 = 100_000;

    /// Whether all of the campaign was counted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.looked_through < Self::LOOKED_THROUGH
    }
}

/// Nobody who said no, and nobody on a list, of calls `k`.
macro_rules! may_be_called_again {
    () => {
        concat!("COALESCE(outcome, '') NOT IN ('do_not_call', 'wrong_number') AND NOT ", listed!("k.user_id", "k.phone_number"))
    };
}

/// Most campaigns have none, and are not counted through.
static ANY_WITHOUT_AGENT: Text = Text::new("SELECT CAST(1 AS BIGINT) FROM campaign_calls WHERE campaign_id = $1 AND abandoned = #yes LIMIT 1");
/// Of the last ones, those that are judged: a talk that has just begun may turn out to be without an agent yet.
static WITHOUT_AGENT: Text = Text::new(
    "WITH latest AS (SELECT abandoned FROM campaign_calls
                                WHERE campaign_id = $1 AND answered_at > $2 AND (abandoned = #yes OR rank >= 90 OR answered_at <= $3)
                                ORDER BY answered_at DESC LIMIT $4)
    SELECT count(*), count(*) FILTER (WHERE abandoned = #yes), (SELECT count(*) FROM latest), (SELECT count(*) FROM latest WHERE abandoned = #yes)
    FROM campaign_calls WHERE campaign_id = $1 AND answered_at > $2",
);

pub(super) fn answers((answered, abandoned, last, silent): (i64, i64, i64, i64)) -> breaker::Answers {
    breaker::Answers { answered, abandoned, last, silent }
}

impl Store {
    /// Answered calls of a campaign since a moment, and how many of them found no agent; zeros where none did.
    /// Those answered after `judged` that go on are not among the last ones.
    pub async fn without_agent(&self, campaign: CampaignId, since: DateTime<Utc>, judged: DateTime<Utc>) -> Result<breaker::Answers, StoreError> {
        let (any, all) = (ANY_WITHOUT_AGENT.of(self.kind()), WITHOUT_AGENT.of(self.kind()));
        on!(self.pool(), |db| {
            let any: Option<i64> = sqlx::query_scalar(any).bind(campaign).fetch_optional(db).await?;
            if any.is_none() {
                return Ok(breaker::Answers::default());
            }
            Ok(answers(sqlx::query_as(all).bind(campaign).bind(since).bind(judged).bind(breaker::LAST).fetch_one(db).await?))
        })
    }
}

impl Store {
    /// Whom another round of an owner's campaign would find, where each has so many attempts; `reason` as in
    /// [`Recyclable`].
    pub async fn rounds(&self, owner: OwnerId, campaign: CampaignId, attempts: i64, reason: &str) -> Result<Rounds, StoreError> {
        let sql = sql!(
            self.kind(),
            "WITH ended AS (SELECT * FROM calls WHERE user_id = $1 AND campaign_id = $2 AND rank >= 90 AND contact_id IS NOT NULL
                              AND (state IN ('no_answer', 'busy') OR outcome = 'voicemail' OR (state = 'failed' AND armed_at IS NULL)
                                   OR (priority = 1 AND broken = #yes AND state = 'canceled' AND hangup_requested_at IS NULL))
                            ORDER BY id LIMIT $5),
                  last AS (SELECT k.*, EXISTS (SELECT 1 FROM campaign_calls o WHERE o.campaign_id = k.campaign_id AND o.contact_id = k.contact_id AND o.rank < 90) AS goes_on,
                                  EXISTS (SELECT 1 FROM campaign_calls o WHERE o.campaign_id = k.campaign_id AND o.contact_id = k.contact_id AND o.outcome = 'callback') AS promised
                           FROM ended k
                           WHERE NOT EXISTS (SELECT 1 FROM campaign_calls o WHERE o.campaign_id = k.campaign_id AND o.contact_id = k.contact_id AND o.rank >= 90 AND o.id > k.id)
                             AND ",
            may_be_called_again!(),
            "),
                  judged AS (SELECT *, attempt < $3 OR armed_at IS NULL AS left_over FROM last)
             SELECT count(*) FILTER (WHERE NOT goes_on AND left_over AND state = 'no_answer') AS no_answer,
                    count(*) FILTER (WHERE NOT goes_on AND left_over AND state = 'busy') AS busy,
                    count(*) FILTER (WHERE NOT goes_on AND left_over AND outcome = 'voicemail') AS voicemail,
                    count(*) FILTER (WHERE NOT goes_on AND state = 'failed' AND substr(reason, 1, length($4)) = $4) AS missing_field,
                    count(*) FILTER (WHERE NOT goes_on AND promised AND state = 'canceled') AS callback,
                    count(*) FILTER (WHERE goes_on) AS waiting,
                    (SELECT count(*) FROM ended) AS looked_through
             FROM judged"
        );
        on!(self.pool(), |db| Ok(sqlx::query_as(sql).bind(owner).bind(campaign).bind(attempts).bind(reason).bind(Rounds::LOOKED_THROUGH).fetch_one(db).await?))
    }
}

impl Tx {
    /// How many rows contacts have in their campaigns, and how many of those have not ended.
    pub async fn rows_of_contacts(&mut self, contacts: &[(CampaignId, ContactId)]) -> Result<Vec<ContactRows>, StoreError> {
        let sql = sql!(
            self.kind(),
            "SELECT campaign_id, contact_id, count(*) AS total, count(*) FILTER (WHERE rank < 90) AS open
                   FROM #rows($1) JOIN campaign_calls ON campaign_id = #id(v, 0) AND contact_id = #id(v, 1)
                   GROUP BY campaign_id, contact_id"
        );
        let json: Vec<_> = contacts.iter().map(|(campaign, contact)| [campaign.hex(), contact.hex()]).collect();
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(serde_json::json!(json).to_string()).fetch_all(&mut *db).await?))
    }

    /// The last of a campaign's calls after `after`, looking at no more than `limit` of them; `None` at the end.
    pub async fn end_of_window(&mut self, campaign: CampaignId, after: CallId, limit: i64) -> Result<Option<CallId>, StoreError> {
        let sql = "SELECT id FROM (SELECT id FROM campaign_calls WHERE campaign_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS page ORDER BY id DESC LIMIT 1";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(campaign).bind(after).bind(limit).fetch_optional(&mut *db).await?))
    }

    /// Of a campaign's calls after one and up to another, the last ones of contacts that ended so before a
    /// moment, have attempts left, and no open call.
    pub async fn calls_to_recycle(&mut self, campaign: CampaignId, (after, last): (CallId, CallId), r: &Recyclable) -> Result<Vec<CallRow>, StoreError> {
        let sql = concat!(
            "SELECT * FROM calls k
                   WHERE campaign_id = $1 AND id > $6 AND id <= $7 AND completed_at <= $8 AND rank >= 90 AND contact_id IS NOT NULL AND (attempt < $5 OR armed_at IS NULL)
                     AND ((state = 'no_answer' AND $2) OR (state = 'busy' AND $3) OR (outcome = 'voicemail' AND $4)
                          OR (state = 'failed' AND armed_at IS NULL AND substr(reason, 1, length($9)) = $9))
                     AND NOT EXISTS (SELECT 1 FROM campaign_calls o WHERE o.campaign_id = k.campaign_id AND o.contact_id = k.contact_id
                                       AND (o.rank < 90 OR o.id > k.id))
                     AND ",
            may_be_called_again!()
        );
        Ok(on_tx!(self, |db| sqlx::query_as(sql)
            .bind(campaign)
            .bind(r.no_answer)
            .bind(r.busy)
            .bind(r.voicemail)
            .bind(r.attempts)
            .bind(after)
            .bind(last)
            .bind(r.before)
            .bind(r.reason)
            .fetch_all(&mut *db)
            .await?))
    }

    /// What the breaker judges of a campaign.
    pub async fn breaker_facts(
        &mut self,
        owner: OwnerId,
        campaign: CampaignId,
        trunk: DateTime<Utc>,
        doubt: DateTime<Utc>,
        (abandoned, judged): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<breaker::Facts, StoreError> {
        let recent = sql!(
            self.kind(),
            "SELECT count(*), count(*) FILTER (WHERE state = 'failed' AND charged = #no), COALESCE(max(COALESCE(sip_code || ' ', '') || reason) FILTER (WHERE state = 'failed' AND charged = #no), '')
                      FROM (SELECT state, charged, sip_code, reason FROM campaign_calls
                            WHERE user_id = $1 AND campaign_id = $2 AND rank >= 90 AND completed_at > $3 AND armed_at IS NOT NULL
                            ORDER BY completed_at DESC LIMIT $4) AS recent"
        );
        // What our own death left in doubt says nothing of the network.
        // The open ones first, they are few: by the campaign it would look at each of its calls.
        let unknown =
            "SELECT count(*) FROM (SELECT campaign_id, state, armed_at, doubt FROM campaign_calls WHERE rank >= 5 AND rank < 90 LIMIT 1000000) AS open
                       WHERE campaign_id = $1 AND state = 'unknown' AND armed_at > $2 AND doubt = 'network'";
        let answers = self.without_agent(campaign, abandoned, judged).await?;
        on_tx!(self, |db| {
            let (ended, trunk_failed, trunk_reason) =
                sqlx::query_as(recent).bind(owner).bind(campaign).bind(trunk).bind(breaker::LAST).fetch_one(&mut *db).await?;
            let unknown = sqlx::query_scalar(unknown).bind(campaign).bind(doubt).fetch_one(&mut *db).await?;
            Ok(breaker::Facts { ended, trunk_failed, trunk_reason, unknown, answers })
        })
    }

    /// Counts a dial that is known only now to have rung for its day; `true` when that passes the
    /// campaign's cap, and then the day's cap grows by it: what rang has rung.
    pub async fn charge_day(&mut self, campaign: CampaignId, day: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE campaign_days SET used = used + 1, cap = CASE WHEN used + 1 > cap THEN used + 1 ELSE cap END
                   WHERE campaign_id = $1 AND day = $2 RETURNING used > (SELECT daily_cap FROM campaigns WHERE id = $1)";
        Ok(on_tx!(self, |db| sqlx::query_scalar::<_, bool>(sql).bind(campaign).bind(day).fetch_optional(&mut *db).await?).unwrap_or(false))
    }

    /// Frees a number that was held for this call, whose end is proven now. Whoever was put off until the hold's end is
    /// due at `again`, if that is sooner: the gates judge anew then. Nothing but a gate writes why a row waits.
    pub async fn release_hold(&mut self, number: &str, call: CallId, again: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE numbers_live SET held_until = NULL WHERE number = $1 AND held_for = $2 AND call_id IS NULL";
        let freed = on_tx!(self, |db| sqlx::query(sql).bind(number).bind(call).execute(&mut *db).await?.rows_affected());
        if freed == 0 {
            return Ok(());
        }
        // `#plain`: by the number, and not through whole queues.
        let due = sql!(
            self.kind(),
            "UPDATE campaign_calls SET dialable_at = $3, updated_at = $4
             WHERE phone_number = $1 AND #plain(rank) = 0 AND state = 'pending' AND reason = $2 AND #plain(dialable_at) > $3"
        );
        on_tx!(self, |db| sqlx::query(due).bind(number).bind(NUMBER_BUSY).bind(again).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// As [`Store::without_agent`], inside a transaction.
    pub async fn without_agent(&mut self, campaign: CampaignId, since: DateTime<Utc>, judged: DateTime<Utc>) -> Result<breaker::Answers, StoreError> {
        let (any, all) = (ANY_WITHOUT_AGENT.of(self.kind()), WITHOUT_AGENT.of(self.kind()));
        on_tx!(self, |db| {
            let any: Option<i64> = sqlx::query_scalar(any).bind(campaign).fetch_optional(&mut *db).await?;
            if any.is_none() {
                return Ok(breaker::Answers::default());
            }
            Ok(answers(sqlx::query_as(all).bind(campaign).bind(since).bind(judged).bind(breaker::LAST).fetch_one(&mut *db).await?))
        })
    }

    /// When the audit last told this of a subject.
    pub async fn last_audit(&mut self, subject: uuid::Uuid, action: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT at FROM audit WHERE subject = $1 AND action = $2 ORDER BY id DESC LIMIT 1";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(subject).bind(action).fetch_optional(&mut *db).await?))
    }

    /// Notes that somebody answered and there was no agent; `false` when it is noted already, or the call is no
    /// longer in the state in which it was read.
    pub async fn set_abandoned(&mut self, id: CallId, was: State, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = sql!(self.kind(), "UPDATE campaign_calls SET abandoned = #yes, updated_at = $2 WHERE id = $1 AND abandoned = #no AND state = $3");
        let done = on_tx!(self, |db| sqlx::query(sql).bind(id).bind(now).bind(was).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }
}
