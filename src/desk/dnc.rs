//! Do not call: one table per owner, by number. Writing it cancels what waits in every campaign
//! and hangs up what is live, in the same transaction.

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, audit, record::tally};
use crate::{
    domain::{call::State, phone::PhoneNumber, stats},
    store::{CallUpdate, Lane, Tx},
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
    for mut row in tx.unended_of_number(actor.owner, number).await? {
        match row.state {
            // A claim has not rung: arm refuses it by the same list.
            State::Claimed => {}
            State::Pending => {
                let before = stats::contribution(&tally(&row));
                (row.state, row.completed_at, row.charged) = (State::Canceled, Some(now), false);
                "on the do-not-call list".clone_into(&mut row.reason);
                tx.update_calls(&[CallUpdate { row: &row }], now).await?;
                tx.add_counts(row.campaign_id, &(stats::contribution(&tally(&row)) - before)).await?;
            }
            _ => {
                tx.request_hangup(row.id, now).await?;
            }
        }
    }
    if new {
        let details = serde_json::json!({ "number": crate::domain::text::tail(number), "reason": reason });
        audit(tx, actor, now, "do_not_call_added", None, &details).await?;
    }
    Ok(new)
}
