//! Assistants, and the numbers they call from.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    AssistantRow, NumberRow, Page, Store, StoreError, Tx,
    pool::{on, on_tx, on_whole},
};
use crate::domain::id::{AssistantId, OwnerId};

const NUMBER_SELECT: &str = "SELECT n.number, n.label, n.inbound_assistant_id AS assistant_id, a.name AS assistant_name,
        n.outbound_trunk_id, n.outbound_trunk_name, n.inbound_trunk_id, t.id AS trunk_id, n.created_at
     FROM phone_number n
     LEFT JOIN assistants a ON a.id = n.inbound_assistant_id
     LEFT JOIN trunks t ON t.livekit_id = n.outbound_trunk_id";

impl Store {
    /// Newest first.
    pub async fn assistants_page(&self, owner: OwnerId, limit: i64, offset: i64) -> Result<Page<AssistantRow>, StoreError> {
        let sql = "SELECT * FROM assistants WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3";
        let count = "SELECT count(*) FROM assistants WHERE user_id = $1";
        on!(self.pool(), |db| {
            let rows = sqlx::query_as(sql).bind(owner).bind(limit).bind(offset).fetch_all(db).await?;
            Ok(Page { rows, total: sqlx::query_scalar(count).bind(owner).fetch_one(db).await? })
        })
    }

    pub async fn assistant(&self, owner: OwnerId, id: AssistantId) -> Result<Option<AssistantRow>, StoreError> {
        let sql = "SELECT * FROM assistants WHERE id = $1 AND user_id = $2";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(db).await?))
    }

    /// Numbers with their assistants, newest first.
    pub async fn numbers_page(&self, owner: OwnerId, limit: i64, offset: i64) -> Result<Page<NumberRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{NUMBER_SELECT} WHERE n.user_id = $1 ORDER BY n.created_at DESC, n.number LIMIT $2 OFFSET $3"));
        let count = "SELECT count(*) FROM phone_number WHERE user_id = $1";
        on!(self.pool(), |db| {
            let rows = sqlx::query_as(sql).bind(owner).bind(limit).bind(offset).fetch_all(db).await?;
            Ok(Page { rows, total: sqlx::query_scalar(count).bind(owner).fetch_one(db).await? })
        })
    }

    pub async fn assistants(&self, owner: OwnerId) -> Result<Vec<AssistantRow>, StoreError> {
        let sql = "SELECT * FROM assistants WHERE user_id = $1 ORDER BY created_at DESC, id DESC";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).fetch_all(db).await?))
    }

    pub async fn numbers(&self, owner: OwnerId) -> Result<Vec<NumberRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{NUMBER_SELECT} WHERE n.user_id = $1 ORDER BY n.created_at DESC, n.number"));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).fetch_all(db).await?))
    }

    /// The number an assistant calls from: the newest active one that has an outbound trunk.
    pub async fn number_of(&self, assistant: AssistantId) -> Result<Option<NumberRow>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{NUMBER_SELECT} WHERE n.inbound_assistant_id = $1 AND n.status = 'active'
             ORDER BY n.outbound_trunk_id IS NULL, n.created_at DESC LIMIT 1"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(assistant).fetch_optional(db).await?))
    }

    /// Whether another owner holds a number.
    pub async fn number_is_anothers(&self, owner: OwnerId, number: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM phone_number WHERE number = $2 AND user_id <> $1)";
        Ok(on!(self.every(), |db| sqlx::query_scalar(sql).bind(owner).bind(number).fetch_one(db).await?))
    }

    /// Until when somebody makes what a number needs at LiveKit, if they are heard of no more.
    pub async fn assigned_until(&self, number: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(on!(self.every(), |db| sqlx::query_scalar("SELECT until FROM assigning WHERE number = $1").bind(number).fetch_optional(db).await?))
    }
}

impl Tx {
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
            .await?
            .rows_affected());
        Ok(())
    }

    pub async fn assistant(&mut self, owner: OwnerId, id: AssistantId) -> Result<Option<AssistantRow>, StoreError> {
        let sql = "SELECT * FROM assistants WHERE id = $1 AND user_id = $2";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).bind(owner).fetch_optional(&mut *db).await?))
    }

    /// Whether another assistant of an owner has this name, however its letters are written.
    pub async fn assistant_is_named(&mut self, owner: OwnerId, name: &str, but: AssistantId) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM assistants WHERE user_id = $1 AND lower(name) = lower($2) AND id <> $3)";
        Ok(on_tx!(self, |db| sqlx::query_scalar(sql).bind(owner).bind(name).bind(but).fetch_one(&mut *db).await?))
    }

    pub async fn edit_assistant(&mut self, id: AssistantId, name: &str, agent: Option<&str>, prompt: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE assistants SET name = $2, agent_name = $3, prompt = $4, updated_at = $5 WHERE id = $1";
        on_tx!(self, |db| sqlx::query(sql).bind(id).bind(name).bind(agent).bind(prompt).bind(now).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// A campaign that is under an assistant, one that is there before one that was deleted; and whether it was.
    pub async fn campaign_of_assistant(&mut self, id: AssistantId) -> Result<Option<(String, bool)>, StoreError> {
        let sql = "SELECT name, deleted_at IS NOT NULL FROM campaigns WHERE assistant_id = $1 ORDER BY deleted_at IS NOT NULL LIMIT 1";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(id).fetch_optional(&mut *db).await?))
    }

    /// Deletes an assistant; its numbers lose it.
    pub async fn delete_assistant(&mut self, id: AssistantId) -> Result<(), StoreError> {
        on_tx!(self, |db| sqlx::query("UPDATE phone_number SET inbound_assistant_id = NULL WHERE inbound_assistant_id = $1")
            .bind(id)
            .execute(&mut *db)
            .await?
            .rows_affected());
        on_tx!(self, |db| sqlx::query("DELETE FROM assistants WHERE id = $1").bind(id).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// The owner of a number, if it is assigned at all.
    pub async fn number_owner(&mut self, number: &str) -> Result<Option<OwnerId>, StoreError> {
        let sql = "SELECT user_id FROM phone_number WHERE number = $1";
        Ok(on_whole!(self, |db| sqlx::query_scalar(sql).bind(number).fetch_optional(&mut *db).await?))
    }

    /// Takes a number for whoever makes what it needs; `false` while another does.
    pub async fn take_assigning(&mut self, number: &str, by: Uuid, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "INSERT INTO assigning (number, taken_by, until) VALUES ($1, $2, $3)
                   ON CONFLICT (number) DO UPDATE SET taken_by = excluded.taken_by, until = excluded.until WHERE assigning.until <= $4";
        Ok(on_whole!(self, |db| sqlx::query(sql).bind(number).bind(by).bind(until).bind(now).execute(&mut *db).await?.rows_affected()) == 1)
    }

    /// Keeps it for longer; `false` when another has taken it meanwhile.
    pub async fn keep_assigning(&mut self, number: &str, by: Uuid, until: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE assigning SET until = $3 WHERE number = $1 AND taken_by = $2";
        Ok(on_whole!(self, |db| sqlx::query(sql).bind(number).bind(by).bind(until).execute(&mut *db).await?.rows_affected()) == 1)
    }

    /// Gives it back.
    pub async fn end_assigning(&mut self, number: &str, by: Uuid) -> Result<(), StoreError> {
        on_whole!(self, |db| sqlx::query("DELETE FROM assigning WHERE number = $1 AND taken_by = $2")
            .bind(number)
            .bind(by)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Points a number at an assistant and an outbound trunk.
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
                       inbound_trunk_id = COALESCE(excluded.inbound_trunk_id, phone_number.inbound_trunk_id), updated_at = excluded.updated_at";
        on_tx!(self, |db| sqlx::query(sql)
            .bind(Uuid::now_v7())
            .bind(owner)
            .bind(number)
            .bind(assistant)
            .bind(trunk)
            .bind(trunk_name)
            .bind(inbound)
            .bind(now)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }
}
