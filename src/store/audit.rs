//! Who did what, when and from where: written in the transaction of what it tells, never changed.

use chrono::{DateTime, Utc};

use super::{
    AuditRow, Store, StoreError, Tx,
    pool::{on, on_tx},
    sql::{letters, sql},
};
use crate::domain::id::OwnerId;

impl Store {
    /// Who did what about one thing, oldest first.
    pub async fn audit_of(&self, owner: OwnerId, subject: uuid::Uuid) -> Result<Vec<AuditRow>, StoreError> {
        // The newest: a call that waited long has many refusals before what allowed it.
        let sql = "SELECT at, actor, source, action, details FROM (
                       SELECT * FROM audit WHERE subject = $2 AND user_id = $1 ORDER BY id DESC LIMIT 500) AS newest ORDER BY id";
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(subject).fetch_all(db).await?))
    }

    /// How far the audit has grown: every call that is armed adds to it, and it never shrinks but by an
    /// older database in place of this one.
    pub async fn audit_height(&self) -> Result<i64, StoreError> {
        Ok(on!(self.every(), |db| sqlx::query_scalar("SELECT COALESCE(max(id), 0) FROM audit").fetch_one(db).await?))
    }

    /// When somebody last did something that is kept in the audit.
    pub async fn last_written(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT at FROM audit ORDER BY id DESC LIMIT 1";
        Ok(on!(self.every(), |db| sqlx::query_scalar(sql).fetch_optional(db).await?))
    }
}

impl Tx {
    /// One line of the audit, in the transaction of what it tells.
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
        let sql = sql!(self.kind(), "INSERT INTO audit (at, user_id, actor, source, action, subject, details) VALUES ($1, $2, $3, $4, $5, $6, #document($7))");
        let details = letters(self.kind(), details.to_string());
        on_tx!(self, |db| sqlx::query(sql)
            .bind(now)
            .bind(owner)
            .bind(actor)
            .bind(source)
            .bind(action)
            .bind(subject)
            .bind(details)
            .execute(&mut *db)
            .await?
            .rows_affected());
        Ok(())
    }
}
