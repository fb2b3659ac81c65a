//! What a dial takes, by compare-and-set: a line and a token of the trunk, and the number. One live call a
//! number and never more lines than the trunk has stand on these statements. A supervisor's phone takes a line too.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;

use super::{
    Store, StoreError, TrunkRow, Tx,
    minutes::minute_of,
    pool::{changing, on, on_tx, on_whole},
    rows::stamp,
    sql::{Kind, sql, together},
    texts::Part,
};
use crate::domain::{
    id::{CallId, CampaignId, Incarnation, OwnerId, RequestId, TrunkId},
    request::Verdict,
};

/// A number for a call, at a moment: no row is changed where another call has it or it is held.
macro_rules! take_number {
    ($number:literal, $call:literal, $now:literal) => {
        concat!(
            "INSERT INTO numbers_live (number, call_id, held_until, last_armed_at) VALUES (",
            $number,
            ", ",
            $call,
            ", NULL, ",
            $now,
            ")
                   ON CONFLICT (number) DO UPDATE
                   SET call_id = excluded.call_id, held_until = NULL, held_for = NULL, last_armed_at = excluded.last_armed_at
                   WHERE numbers_live.call_id = excluded.call_id
                      OR (numbers_live.call_id IS NULL
                          AND (numbers_live.held_until IS NULL OR numbers_live.held_until <= excluded.last_armed_at OR numbers_live.held_for = excluded.call_id))"
        )
    };
}

/// What a dial takes, and what it makes of the call's row: the request may be sent from then on.
#[derive(Debug, Clone)]
pub struct Armed {
    pub call: CallId,
    /// Whose claim it must be.
    pub claim_number: i64,
    pub incarnation: Incarnation,
    pub campaign: CampaignId,
    pub at: DateTime<Utc>,
    /// The reply must have come by then.
    pub deadline: DateTime<Utc>,
    /// The next moment the campaign's delay allows.
    pub next: Option<DateTime<Utc>>,
    /// The campaign's local day, and how many dials it allows.
    pub day: NaiveDate,
    pub cap: i64,
    pub trunk: TrunkId,
    /// The most lines, and what is left in the trunk's bucket afterwards.
    pub lines: i64,
    pub tokens: f64,
    pub number: String,
    pub room: String,
    pub caller_id: String,
    pub script: String,
    pub ring_timeout_s: i64,
    pub max_call_duration_s: i64,
}

/// In this order: day, trunk, number, call, campaign, minute. Each changes one row, or none where it has no room left.
const ARM: [&str; 6] = [
    "INSERT INTO campaign_days (campaign_id, day, used, cap) VALUES ($4, $8, 1, $9)
        ON CONFLICT (campaign_id, day) DO UPDATE SET used = campaign_days.used + 1, cap = excluded.cap WHERE campaign_days.used + 1 <= excluded.cap",
    "UPDATE trunks SET live = live + 1, tokens = $12, refilled_at = $5 WHERE id = $10 AND live + 1 <= #least(max_live, $11)",
    take_number!("$13", "$1", "$5"),
    "UPDATE campaign_calls
        SET state = 'armed', rank = 10, armed_at = $5, started_at = $5, deadline_at = $6, lease_until = $6, armed_day = $8, reply_pending = #yes,
            room_name = $14, trunk_id = $10, caller_id = $15, script = $16, ring_timeout_s = $17, max_call_duration_s = $18, reason = '',
            dialled = (SELECT COALESCE(max(dialled), 0) + 1 FROM campaign_calls WHERE dialled IS NOT NULL), updated_at = $5
        WHERE id = $1 AND state = 'claimed' AND claim_number = $2 AND incarnation = $3",
    "UPDATE campaign_counts SET live = live + 1, dials = dials + 1, next_call_at = $7, last_execution_at = $5 WHERE campaign_id = $4",
    "INSERT INTO campaign_minutes (campaign_id, minute, armed, dials) VALUES ($4, $19, 1, 1)
        ON CONFLICT (campaign_id, minute) DO UPDATE SET armed = campaign_minutes.armed + 1, dials = campaign_minutes.dials + 1",
];
const TAKEN: u64 = 6;

fn armed(kind: Kind) -> &'static str {
    static TEXTS: LazyLock<[String; 2]> = LazyLock::new(|| [together(Kind::Sqlite, &ARM), together(Kind::Postgres, &ARM)]);
    &TEXTS[kind as usize]
}

/// A line that a supervisor's phone has.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ListeningLine {
    pub request_id: RequestId,
    pub taken_at: DateTime<Utc>,
    /// It cannot be on after this.
    pub until: DateTime<Utc>,
    /// What came of the request; `None` while it is carried out.
    pub result: Option<Json<Verdict>>,
    pub room_name: Option<String>,
}

impl Store {
    pub async fn trunks(&self) -> Result<Vec<TrunkRow>, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_as("SELECT * FROM trunks ORDER BY created_at DESC").fetch_all(db).await?))
    }

    /// Lines that supervisors' phones have, of every owner.
    pub async fn listening_lines(&self) -> Result<Vec<ListeningLine>, StoreError> {
        let sql = "SELECT l.request_id, l.taken_at, l.until, r.result, k.room_name
                   FROM listening_lines l LEFT JOIN call_requests r ON r.id = l.request_id LEFT JOIN campaign_calls k ON k.id = l.call_id";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_all(db).await?))
    }
}

impl Tx {
    /// The owner of a LiveKit trunk known here.
    pub async fn trunk_owner(&mut self, livekit_id: &str) -> Result<Option<OwnerId>, StoreError> {
        let sql = "SELECT user_id FROM trunks WHERE livekit_id = $1";
        Ok(on_whole!(self, |db| sqlx::query_scalar(sql).bind(livekit_id).fetch_optional(&mut *db).await?))
    }

    /// Records a LiveKit trunk, or brings its description up to date.
    pub async fn put_trunk(&mut self, t: &TrunkRow, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = sql!(
            self.kind(),
            "INSERT INTO trunks (id, user_id, livekit_id, name, address, numbers, countries, max_live, tokens, refilled_at, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
                   ON CONFLICT (livekit_id) DO UPDATE
                   SET name = excluded.name, address = excluded.address, numbers = excluded.numbers, countries = excluded.countries,
                       max_live = #most(excluded.max_live, trunks.live)"
        );
        on_tx!(self, |db| sqlx::query(sql)
            .bind(t.id)
            .bind(t.user_id)
            .bind(&t.livekit_id)
            .bind(&t.name)
            .bind(&t.address)
            .bind(Json(&t.numbers.0))
            .bind(Json(&t.countries.0))
            .bind(t.max_live)
            .bind(now)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The point of no return. `false` when this claim no longer holds the call, or day, trunk or number have no
    /// room left: then the whole job must be undone.
    pub async fn arm(&mut self, a: &Armed) -> Result<bool, StoreError> {
        let done = changing!(self, armed(self.kind()), |query| query
            .bind(a.call)
            .bind(a.claim_number)
            .bind(a.incarnation)
            .bind(a.campaign)
            .bind(a.at)
            .bind(a.deadline)
            .bind(a.next)
            .bind(a.day.to_string())
            .bind(a.cap)
            .bind(a.trunk)
            .bind(a.lines)
            .bind(a.tokens)
            .bind(&a.number)
            .bind(&a.room)
            .bind(&a.caller_id)
            .bind(&a.script)
            .bind(a.ring_timeout_s)
            .bind(a.max_call_duration_s)
            .bind(minute_of(a.at)));
        Ok(done == TAKEN)
    }

    /// A supervisor's phone goes out by the trunk: it has a line until a moment at the latest, and the next dial waits
    /// for another token. `false` when no line is free.
    pub async fn take_listening_line(
        &mut self,
        (request, call): (RequestId, CallId),
        trunk: TrunkId,
        limit: i64,
        (now, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<bool, StoreError> {
        let line = sql!(
            self.kind(),
            "UPDATE trunks SET live = live + 1, tokens = #least(tokens, 1.0) - 1.0, refilled_at = $2 WHERE id = $1 AND live + 1 <= #least(max_live, $3)"
        );
        let row = "INSERT INTO listening_lines (request_id, call_id, trunk_id, taken_at, until) VALUES ($1, $2, $3, $4, $5)";
        on_tx!(self, |db| {
            if sqlx::query(line).bind(trunk).bind(now).bind(limit).execute(&mut *db).await?.rows_affected() == 0 {
                return Ok(false);
            }
            sqlx::query(row).bind(request).bind(call).bind(trunk).bind(now).bind(until).execute(&mut *db).await?;
            Ok(true)
        })
    }

    /// Gives back the line of a supervisor's phone, if it has one still.
    pub async fn free_listening_line(&mut self, request: RequestId) -> Result<(), StoreError> {
        let sql = "DELETE FROM listening_lines WHERE request_id = $1 RETURNING trunk_id";
        let trunk: Option<TrunkId> = on_tx!(self, |db| sqlx::query_scalar(sql).bind(request).fetch_optional(&mut *db).await?);
        match trunk {
            Some(trunk) => self.move_trunk_lines(trunk, -1).await,
            None => Ok(()),
        }
    }

    /// The trunk turned a call away by its rate: it gets a rest.
    pub async fn slow_trunk(&mut self, id: TrunkId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = sql!(self.kind(), "UPDATE trunks SET tokens = #least(tokens, -2.0), refilled_at = $2 WHERE id = $1");
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Sets every trunk's limit, as configured.
    pub async fn set_trunk_limits(&mut self, max_live: i64) -> Result<(), StoreError> {
        let sql = sql!(self.kind(), "UPDATE trunks SET max_live = #most($1, live)");
        on_tx!(self, |db| sqlx::query(sql).bind(max_live).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Takes a number for a call; `false` when another call has it or it is held.
    pub async fn take_number(&mut self, number: &str, call: CallId, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = take_number!("$1", "$2", "$3");
        let done = on_tx!(self, |db| sqlx::query(sql).bind(number).bind(call).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Frees the numbers of ended calls, or holds them until a moment where the end is unproven.
    pub async fn free_numbers(&mut self, calls: &[Freed]) -> Result<(), StoreError> {
        self.run_parts(free(calls).into_iter().collect(), DateTime::UNIX_EPOCH).await.map(drop)
    }
}

/// A number whose call has ended; until when it is held, where the end is unproven.
pub type Freed = (String, CallId, Option<DateTime<Utc>>);

/// Frees the numbers of ended calls.
pub(super) fn free(calls: &[Freed]) -> Option<Part> {
    let sql = "UPDATE numbers_live SET call_id = NULL, held_until = #at(v, 2), held_for = call_id
               FROM #rows($rows) WHERE number = #text(v, 0) AND call_id = #id(v, 1)";
    Part::of(sql, calls.iter().map(|(number, id, held)| serde_json::json!([number, id.hex(), stamp(*held)])).collect())
}
