//! Do not call: one table per owner, by number. Writing it cancels what waits in every campaign
//! and hangs up what is live, in the same transaction.

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, audit, record::tally};
use crate::{
    domain::{call::State, phone::PhoneNumber, stats},
    store::{CallRow, CallUpdate, Lane, Tx},
};

impl Desk {
    /// Puts a number on the list; `false` when it was there already.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn add_do_not_call(&self, actor: Actor, number: PhoneNumber, reason: String) -> Result<bool, DeskError> {
        let now = self.now();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { suppress(tx, &actor, number.as_str(), &reason, now).await })).await
    }
}

/// The list's entry and all that follows from it.
pub(super) async fn suppress(tx: &mut Tx, actor: &Actor, number: &str, reason: &str, now: DateTime<Utc>) -> Result<bool, DeskError> {
    let new = tx.add_do_not_call(actor.owner, number, reason, actor.source, &actor.name, now).await?;
    for row in tx.unended_of_number(actor.owner, number).await? {
        silence(tx, row, now).await?;
    }
    if new {
        let details = serde_json::json!({ "number": crate::domain::text::tail(number), "reason": reason });
        audit(tx, actor, now, "do_not_call_added", None, &details).await?;
    }
    Ok(new)
}

/// One row of a number that must not be called: waiting ones are canceled, live ones hung up.
pub(super) async fn silence(tx: &mut Tx, row: CallRow, now: DateTime<Utc>) -> Result<(), DeskError> {
    if matches!(row.state, State::Pending | State::Claimed) {
        return cancel(tx, row, "on the do-not-call list", now).await;
    }
    tx.request_hangup(row.id, now).await?;
    Ok(())
}

/// Takes a row that has not rung out of the queue. A claim of it finds at arm that it is lost.
pub(super) async fn cancel(tx: &mut Tx, mut row: CallRow, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    let before = stats::contribution(&tally(&row));
    (row.state, row.completed_at, row.charged, row.lease_until) = (State::Canceled, Some(now), false, None);
    reason.clone_into(&mut row.reason);
    tx.update_calls(&[CallUpdate { row: &row }], now).await?;
    Ok(tx.add_counts(row.campaign_id, &(stats::contribution(&tally(&row)) - before)).await?)
}
