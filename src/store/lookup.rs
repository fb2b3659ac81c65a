//! Small tables: settings, assistants, numbers, trunks, engines, do-not-call, audit, idempotency keys.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{
    AssistantRow, AuditRow, EngineRow, NumberRow, Page, Store, StoreError, SuppressedRow, TrunkRow, Tx,
    pool::{on, on_tx},
};
use crate::domain::id::{AssistantId, CallId, Incarnation, OwnerId, TrunkId};

/// A time as sqlx writes it into a TEXT column: rows of a JSON bulk statement must compare with
/// bound values.
pub(super) fn stamp(at: Option<DateTime<Utc>>) -> Option<String> {
    at.map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false))
}

const NUMBER_SELECT: &str = "SELECT n.number, n.label, n.inbound_assistant_id AS assistant_id, a.name AS assistant_name,
        n.outbound_trunk_id, n.outbound_trunk_name, n.inbound_trunk_id, t.id AS trunk_id, n.created_at
     FROM phone_number n
     LEFT JOIN assistants a ON a.id = n.inbound_assistant_id
     LEFT JOIN trunks t ON t.livekit_id = n.outbound_trunk_id";

impl Store {
    /// # Errors
    /// When the database cannot be read.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_scalar("SELECT value FROM settings WHERE key = $1").bind(key).fetch_optional(db).await?))
    }

    /// Who did what about one thing, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_of(&self, owner: OwnerId, subject: uuid::Uuid) -> Result<Vec<AuditRow>, StoreError> {
        // The newest: a call that waited long has many refusals before what allowed it.
        let sql = "SELECT at, actor, source, action, details FROM (
                       SELECT * FROM audit WHERE subject = $2 AND user_id = $1 ORDER BY id DESC LIMIT 500) AS newest ORDER BY id";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(subject).fetch_all(db).await?))
    }

    /// How far the audit has grown: every call that is armed adds to it, and it never shrinks but by an
    /// older database in place of this one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_height(&self) -> Result<i64, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_scalar("SELECT COALESCE(max(id), 0) FROM audit").fetch_one(db).await?))
    }

    /// When somebody last did something that is kept in the audit.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_written(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT at FROM audit ORDER BY id DESC LIMIT 1";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).fetch_optional(db).await?))
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn assistants(&self, owner: OwnerId) -> Result<Vec<AssistantRow>, StoreError> {
        let sql = "SELECT * FROM assistants WHERE user_id = $1 ORDER BY created_at DESC, id LIMIT 500";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).fetch_all(db).await?))
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn numbers(&self, owner: OwnerId) -> Result<Vec<NumberRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{NUMBER_SELECT} WHERE n.user_id = $1 ORDER BY n.created_at DESC LIMIT 500"));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).fetch_all(db).await?))
    }

    /// The number an assistant calls from: the newest active one that has an outbound trunk.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn number_of(&self, assistant: AssistantId) -> Result<Option<NumberRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{NUMBER_SELECT} WHERE n.inbound_assistant_id = $1 AND n.status = 'active'
             ORDER BY n.outbound_trunk_id IS NULL, n.created_at DESC LIMIT 1"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(assistant).fetch_optional(db).await?))
    }

    /// Whether another owner holds a number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn number_is_anothers(&self, owner: OwnerId, number: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM phone_number WHERE number = $2 AND user_id <> $1)";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(number).fetch_one(db).await?))
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn trunks(&self) -> Result<Vec<TrunkRow>, StoreError> {
        Ok(on!(self.pool(), |db| sqlx::query_as("SELECT * FROM trunks ORDER BY created_at DESC").fetch_all(db).await?))
    }

    /// The engine that reported last, if any ever did.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn engine(&self) -> Result<Option<EngineRow>, StoreError> {
        let sql = "SELECT * FROM engines WHERE stopped_at IS NULL ORDER BY heartbeat_at DESC LIMIT 1";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).fetch_optional(db).await?))
    }

    /// The do-not-call list, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn do_not_call(&self, owner: OwnerId, limit: i64, offset: i64) -> Result<Page<SuppressedRow>, StoreError> {
        let sql = "SELECT number, reason, source, created_by, created_at FROM do_not_call WHERE user_id = $1
                   ORDER BY created_at DESC, number LIMIT $2 OFFSET $3";
        let count = "SELECT count(*) FROM do_not_call WHERE user_id = $1";
        on!(self.pool(), |db| {
            let rows = sqlx::query_as(sql).bind(owner).bind(limit).bind(offset).fetch_all(db).await?;
            Ok(Page { rows, total: sqlx::query_scalar(count).bind(owner).fetch_one(db).await? })
        })
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn on_do_not_call(&self, owner: OwnerId, number: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM do_not_call WHERE user_id = $1 AND number = $2)";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(number).fetch_one(db).await?))
    }
}

impl Tx {
    /// # Errors
    /// When the database refuses.
    pub async fn setting(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(on_tx!(self, |db| sqlx::query_scalar("SELECT value FROM settings WHERE key = $1").bind(key).fetch_optional(&mut *db).await?))
    }

    /// Sets a setting; `true` when the key is new or was changed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_setting(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        on_tx!(self, |db| sqlx::query(sql).bind(key).bind(value).execute(&mut *db).await?);
        Ok(())
    }

    /// The setting's value, set to `fresh` first where it is missing.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn setting_or(&mut self, key: &str, fresh: &str) -> Result<String, StoreError> {
        let insert = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        on_tx!(self, |db| sqlx::query(insert).bind(key).bind(fresh).execute(&mut *db).await?);
        let select = "SELECT value FROM settings WHERE key = $1";
        Ok(on_tx!(self, |db| sqlx::query_scalar(select).bind(key).fetch_one(&mut *db).await?))
    }

    /// # Errors
    /// When the database refuses.
    pub async fn insert_assistant(&mut self, a: &AssistantRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO assistants (id, user_id, name, agent_name, prompt, language, created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
        on_tx!(self, |db| sqlx::query(sql)
            .bind(a.id)
            .bind(a.user_id)
            .bind(&a.name)
            .bind(&a.agent_name)
            .bind(&a.prompt)
            .bind(&a.language)
            .bind(a.created_at)
            .execute(&mut *db)
            .await?);
        Ok(())
    }

    /// # Errors
    /// When the database refuses.
    pub async fn assistant(&mut self, owner: OwnerId, id: AssistantId) -> Result<Option<AssistantRow>, StoreError> {
        let sql = "SELECT * FROM assistants WHERE id = $1 AND user_id = $2";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(&mut *db).await?))
    }

    /// The owner of a number, if it is assigned at all.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn number_owner(&mut self, number: &str) -> Result<Option<OwnerId>, StoreError> {
        let sql = "SELECT user_id FROM phone_number WHERE number = $1";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(number).fetch_optional(&mut *db).await?))
    }

    /// Points a number at an assistant and an outbound trunk.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_number(
        &mut self,
        owner: OwnerId,
        number: &str,
        assistant: AssistantId,
        trunk: &str,
        trunk_name: &str,
        inbound: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO phone_number (id, user_id, number, inbound_assistant_id, outbound_trunk_id, outbound_trunk_name, inbound_trunk_id,
                                             created_at, updated_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
                   ON CONFLICT (number) DO UPDATE
                   SET inbound_assistant_id = excluded.inbound_assistant_id, outbound_trunk_id = excluded.outbound_trunk_id,
                       outbound_trunk_name = excluded.outbound_trunk_name,
                       inbound_trunk_id = COALESCE(excluded.inbound_trunk_id, inbound_trunk_id), updated_at = excluded.updated_at";
        on_tx!(self, |db| sqlx::query(sql)
            .bind(uuid::Uuid::now_v7())
            .bind(owner)
            .bind(number)
            .bind(assistant)
            .bind(trunk)
            .bind(trunk_name)
            .bind(inbound)
            .bind(now)
            .execute(&mut *db)
            .await?);
        Ok(())
    }

    /// The owner of a LiveKit trunk known here.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn trunk_owner(&mut self, livekit_id: &str) -> Result<Option<OwnerId>, StoreError> {
        let sql = "SELECT user_id FROM trunks WHERE livekit_id = $1";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(livekit_id).fetch_optional(&mut *db).await?))
    }

    /// Records a LiveKit trunk, or brings its description up to date.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_trunk(&mut self, t: &TrunkRow, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO trunks (id, user_id, livekit_id, name, address, numbers, countries, max_live, tokens, refilled_at, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
                   ON CONFLICT (livekit_id) DO UPDATE
                   SET name = excluded.name, address = excluded.address, numbers = excluded.numbers, countries = excluded.countries,
                       max_live = max(excluded.max_live, live)";
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
            .await?);
        Ok(())
    }

    /// Takes a line and a token of the bucket; `false` when no line is free.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take_trunk_line(&mut self, id: TrunkId, limit: i64, tokens: f64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE trunks SET live = live + 1, tokens = $2, refilled_at = $3 WHERE id = $1 AND live + 1 <= min(max_live, $4)";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(id).bind(tokens).bind(now).bind(limit).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// The trunk turned a call away by its rate: it gets a rest.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn slow_trunk(&mut self, id: TrunkId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE trunks SET tokens = min(tokens, -2.0), refilled_at = $2 WHERE id = $1";
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(now).execute(&mut *db).await?);
        Ok(())
    }

    /// Gives lines back (`delta` negative) or takes them for calls found alive.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn move_trunk_lines(&mut self, id: TrunkId, delta: i64) -> Result<(), StoreError> {
        // A call found alive after all is on the line whatever the limit says; the count stays true
        // and the limit is only exceeded by it.
        let sql = "UPDATE trunks SET max_live = max(max_live, live + $2), live = max(0, live + $2) WHERE id = $1";
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(delta).execute(&mut *db).await?);
        Ok(())
    }

    /// Sets every trunk's limit, as configured.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn set_trunk_limits(&mut self, max_live: i64) -> Result<(), StoreError> {
        on_tx!(self, |db| sqlx::query("UPDATE trunks SET max_live = max($1, live)").bind(max_live).execute(&mut *db).await?);
        Ok(())
    }

    /// Takes a number for a call; `false` when another call has it or it is held.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take_number(&mut self, number: &str, call: CallId, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "INSERT INTO numbers_live (number, call_id, held_until, last_armed_at) VALUES ($1, $2, NULL, $3)
                   ON CONFLICT (number) DO UPDATE
                   SET call_id = excluded.call_id, held_until = NULL, held_for = NULL, last_armed_at = excluded.last_armed_at
                   WHERE numbers_live.call_id = excluded.call_id
                      OR (numbers_live.call_id IS NULL
                          AND (numbers_live.held_until IS NULL OR numbers_live.held_until <= excluded.last_armed_at OR numbers_live.held_for = excluded.call_id))";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(number).bind(call).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Frees the numbers of ended calls, or holds them until a moment where the end is unproven.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn free_numbers(&mut self, calls: &[(String, CallId, Option<DateTime<Utc>>)]) -> Result<(), StoreError> {
        let rows: Vec<_> = calls.iter().map(|(number, id, held)| serde_json::json!({ "n": number, "id": id.hex(), "held": stamp(*held) })).collect();
        let sql = "UPDATE numbers_live SET call_id = NULL, held_until = j.value ->> 'held', held_for = call_id
                   FROM json_each($1) AS j WHERE number = j.value ->> 'n' AND call_id = unhex(j.value ->> 'id')";
        on_tx!(self, |db| sqlx::query(sql).bind(serde_json::Value::from(rows).to_string()).execute(&mut *db).await?);
        Ok(())
    }

    /// Adds a number to do-not-call; `false` when it is there already.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn add_do_not_call(
        &mut self,
        owner: OwnerId,
        number: &str,
        reason: &str,
        source: &str,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO do_not_call (user_id, number, reason, source, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT (user_id, number) DO NOTHING";
        let done =
            on_tx!(self, |db| sqlx::query(sql).bind(owner).bind(number).bind(reason).bind(source).bind(by).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Takes a number off do-not-call; `false` when it was not there.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove_do_not_call(&mut self, owner: OwnerId, number: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM do_not_call WHERE user_id = $1 AND number = $2";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(owner).bind(number).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// Takes a number off do-not-call, only the entry made since `since` by `by`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn undo_do_not_call(&mut self, owner: OwnerId, number: &str, by: &str, since: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "DELETE FROM do_not_call WHERE user_id = $1 AND number = $2 AND created_by = $3 AND created_at >= $4";
        let done = on_tx!(self, |db| sqlx::query(sql).bind(owner).bind(number).bind(by).bind(since).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// # Errors
    /// When the database refuses.
    pub async fn put_engine(&mut self, incarnation: Incarnation, host: &str, pid: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO engines (incarnation, host, pid, started_at, heartbeat_at) VALUES ($1, $2, $3, $4, $4)
                   ON CONFLICT (incarnation) DO UPDATE SET heartbeat_at = excluded.heartbeat_at";
        on_tx!(self, |db| sqlx::query(sql).bind(incarnation).bind(host).bind(pid).bind(now).execute(&mut *db).await?);
        Ok(())
    }

    /// # Errors
    /// When the database refuses.
    pub async fn stop_engine(&mut self, incarnation: Incarnation, now: DateTime<Utc>) -> Result<(), StoreError> {
        on_tx!(self, |db| sqlx::query("UPDATE engines SET stopped_at = $2 WHERE incarnation = $1").bind(incarnation).bind(now).execute(&mut *db).await?);
        Ok(())
    }

    /// One line of the audit, in the transaction of what it tells.
    ///
    /// # Errors
    /// When the database refuses.
    #[expect(clippy::too_many_arguments, reason = "the columns of one row, each named at the one caller")]
    pub async fn audit(
        &mut self,
        now: DateTime<Utc>,
        owner: OwnerId,
        actor: &str,
        source: &str,
        action: &str,
        subject: Option<uuid::Uuid>,
        details: &serde_json::Value,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO audit (at, user_id, actor, source, action, subject, details) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on_tx!(self, |db| sqlx::query(sql)
            .bind(now)
            .bind(owner)
            .bind(actor)
            .bind(source)
            .bind(action)
            .bind(subject)
            .bind(details.to_string())
            .execute(&mut *db)
            .await?);
        Ok(())
    }

    /// Takes an idempotency key for a request; `false` when it is taken. A key that was never settled is
    /// free again after `stale`, a settled one after `old`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take_key(
        &mut self,
        owner: OwnerId,
        key: &str,
        request: &str,
        now: DateTime<Utc>,
        stale: DateTime<Utc>,
        old: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO idempotency_keys (user_id, key, request, status, body, created_at) VALUES ($1, $2, $3, 0, '', $4)
                   ON CONFLICT (user_id, key) DO UPDATE SET request = excluded.request, status = 0, body = '', created_at = excluded.created_at
                   WHERE created_at < $6 OR (status = 0 AND created_at < $5)";
        let done =
            on_tx!(self, |db| sqlx::query(sql).bind(owner).bind(key).bind(request).bind(now).bind(stale).bind(old).execute(&mut *db).await?.rows_affected());
        Ok(done == 1)
    }

    /// The request a key was taken for and its reply; status 0 while there is none.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn kept_reply(&mut self, owner: OwnerId, key: &str) -> Result<Option<(String, i64, String)>, StoreError> {
        let sql = "SELECT request, status, body FROM idempotency_keys WHERE user_id = $1 AND key = $2";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(owner).bind(key).fetch_optional(&mut *db).await?))
    }

    /// Keeps the reply of a key, or frees the key without one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn settle_key(&mut self, owner: OwnerId, key: &str, reply: Option<(i64, &str)>) -> Result<(), StoreError> {
        let keep = "UPDATE idempotency_keys SET status = $3, body = $4 WHERE user_id = $1 AND key = $2";
        let free = "DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2";
        on_tx!(self, |db| match reply {
            Some((status, body)) => sqlx::query(keep).bind(owner).bind(key).bind(status).bind(body).execute(&mut *db).await?,
            None => sqlx::query(free).bind(owner).bind(key).execute(&mut *db).await?,
        });
        Ok(())
    }
}
