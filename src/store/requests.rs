//! Requests: what is asked of live calls, who acts on it, and what came of it.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    CallRow, Store, StoreError, Tx,
    dnc::listed,
    pool::{on, on_tx, on_whole},
    sql::sql,
};
use crate::domain::{
    call::State,
    id::{CallId, CampaignId, Incarnation, OwnerId, RequestId},
    request::{Kind, Verdict},
};

/// A request to be written.
#[derive(Debug, Clone)]
pub struct NewRequest<'a> {
    pub id: RequestId,
    pub call: CallId,
    pub owner: OwnerId,
    pub kind: Kind,
    pub arguments: &'a serde_json::Value,
    pub asked_by: &'a str,
    pub source: &'a str,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RequestRow {
    pub id: RequestId,
    pub call_id: CallId,
    pub user_id: OwnerId,
    pub kind: Kind,
    pub arguments: Json<serde_json::Value>,
    pub asked_by: String,
    pub at: DateTime<Utc>,
    /// Who acts on it, from before they do: what is not repeatable is not taken twice.
    pub taken_by: Option<Incarnation>,
    pub taken_at: Option<DateTime<Utc>>,
    pub result: Option<Json<Verdict>>,
    pub done_at: Option<DateTime<Utc>>,
}

/// A request that is not done, with the call it is about.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OpenRequest {
    #[sqlx(flatten)]
    pub request: RequestRow,
    pub state: State,
    /// The engine that holds the call.
    pub incarnation: Option<Incarnation>,
}

const COLUMNS: &str = "r.id, r.call_id, r.user_id, r.kind, r.arguments, r.asked_by, r.at, r.taken_by, r.taken_at, r.result, r.done_at";

fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM call_requests r {rest}"))
}

impl Store {
    /// Requests of every owner that are not done, oldest first: the engine's view.
    pub async fn open_requests(&self) -> Result<Vec<OpenRequest>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS}, k.state, k.incarnation FROM call_requests r JOIN campaign_calls k ON k.id = r.call_id
             WHERE r.done_at IS NULL ORDER BY r.at, r.id LIMIT 10000"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_all(db).await?))
    }

    pub async fn request(&self, id: RequestId) -> Result<Option<RequestRow>, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_as(select("WHERE r.id = $1")).bind(id).fetch_optional(db).await?))
    }

    /// What was asked of a call, oldest first.
    pub async fn requests_of(&self, call: CallId) -> Result<Vec<RequestRow>, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_as(select("WHERE r.call_id = $1 ORDER BY r.at, r.id LIMIT 500")).bind(call).fetch_all(db).await?))
    }
}

impl Tx {
    pub async fn request(&mut self, id: RequestId) -> Result<Option<RequestRow>, StoreError> {
        Ok(on_tx!(self, |db| sqlx::query_as(select("WHERE r.id = $1")).bind(id).fetch_optional(&mut *db).await?))
    }

    /// What is asked of a call and not done.
    pub async fn open_requests_of(&mut self, call: CallId) -> Result<Vec<RequestRow>, StoreError> {
        let sql = select("WHERE r.call_id = $1 AND r.done_at IS NULL ORDER BY r.at, r.id");
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(call).fetch_all(&mut *db).await?))
    }

    pub async fn insert_request(&mut self, r: &NewRequest<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO call_requests (id, call_id, user_id, kind, arguments, asked_by, source, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on_tx!(self, |db| sqlx::query(sql)
            .bind(r.id)
            .bind(r.call)
            .bind(r.owner)
            .bind(r.kind)
            .bind(Json(r.arguments))
            .bind(r.asked_by)
            .bind(r.source)
            .bind(now)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Asks for a hang-up; `false` when it is asked already or the call has ended.
    pub async fn request_hangup(&mut self, call: CallId, asked_by: &str, source: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "INSERT INTO call_requests (id, call_id, user_id, kind, asked_by, source, at)
                   SELECT $2, id, user_id, 'hangup', $3, $4, $5 FROM campaign_calls
                   WHERE id = $1 AND rank < 90 AND NOT EXISTS (SELECT 1 FROM call_requests WHERE call_id = $1 AND kind = 'hangup' AND done_at IS NULL)";
        let id = RequestId::fresh();
        Ok(on_tx!(self, |db| sqlx::query(sql).bind(call).bind(id).bind(asked_by).bind(source).bind(now).execute(&mut *db).await?.rows_affected()) == 1)
    }

    /// Asks for a hang-up of every open call of a campaign.
    pub async fn hang_up_campaign(&mut self, campaign: CampaignId, asked_by: &str, source: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        // All that are on a line first, they are few: by the campaign it would look at each of its calls.
        let sql = sql!(
            self.kind(),
            "INSERT INTO call_requests (id, call_id, user_id, kind, asked_by, source, at)
                   SELECT #fresh, id, user_id, 'hangup', $2, $3, $4
                   FROM (SELECT id, user_id, campaign_id FROM campaign_calls WHERE rank >= 10 AND rank < 90 LIMIT 1000000) AS lines
                   WHERE campaign_id = $1 AND NOT EXISTS (SELECT 1 FROM call_requests r WHERE r.call_id = lines.id AND r.kind = 'hangup' AND r.done_at IS NULL)"
        );
        on_tx!(self, |db| sqlx::query(sql).bind(campaign).bind(asked_by).bind(source).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// A call that was over is alive: what was asked of its line is asked still.
    pub async fn reopen_hangups(&mut self, call: CallId) -> Result<(), StoreError> {
        let sql = "UPDATE call_requests SET done_at = NULL, result = NULL WHERE call_id = $1 AND kind = 'hangup'";
        on_tx!(self, |db| sqlx::query(sql).bind(call).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// Takes a request for one engine, once; `false` when somebody has it, or it is done.
    pub async fn take_request(&mut self, id: RequestId, by: Incarnation, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE call_requests SET taken_by = $2, taken_at = $3 WHERE id = $1 AND taken_by IS NULL AND done_at IS NULL";
        Ok(on_tx!(self, |db| sqlx::query(sql).bind(id).bind(by).bind(now).execute(&mut *db).await?.rows_affected()) == 1)
    }

    /// What came of a request; `false` when that is written already.
    pub async fn finish_request(&mut self, id: RequestId, verdict: &Verdict, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE call_requests SET result = $2, done_at = $3 WHERE id = $1 AND done_at IS NULL";
        Ok(on_tx!(self, |db| sqlx::query(sql).bind(id).bind(Json(verdict)).bind(now).execute(&mut *db).await?.rows_affected()) == 1)
    }
}

/// What is judged of another phone before a call's room or carrier rings it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PhoneFacts {
    pub on_do_not_call: bool,
    pub number_live: bool,
    /// Countries of the call's trunk.
    pub countries: Option<Json<Vec<String>>>,
}

impl Tx {
    pub async fn phone_facts(&mut self, row: &CallRow, number: &str) -> Result<PhoneFacts, StoreError> {
        let sql = concat!(
            "SELECT ",
            listed!("$1", "$2"),
            " AS on_do_not_call, EXISTS (SELECT 1 FROM numbers_live WHERE number = $2 AND call_id IS NOT NULL) AS number_live,
              (SELECT countries FROM trunks WHERE id = $3) AS countries"
        );
        Ok(on_whole!(self, |db| sqlx::query_as(sql).bind(row.user_id).bind(number).bind(row.trunk_id).fetch_one(&mut *db).await?))
    }

    /// Whether somebody's phone is being rung to listen, to whichever call.
    pub async fn is_being_rung(&mut self, number: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM call_requests WHERE done_at IS NULL AND kind = 'listen' AND arguments ->> 'phoneNumber' = $1)";
        Ok(on_whole!(self, |db| sqlx::query_scalar(sql).bind(number).fetch_one(&mut *db).await?))
    }
}
