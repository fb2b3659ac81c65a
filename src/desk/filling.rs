//! The queue of a campaign filled from its list, a slice of contacts at a time: who was reached, refused or called as
//! often as allowed gets no further row.

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, retries};
use crate::{
    domain::{
        campaign::Status,
        id::{CallId, CampaignId, OwnerId},
        legal, place, retry,
        stats::Counts,
    },
    store::{Lane, NewCall, Tx},
};

/// Rows made a transaction while a campaign fills its queue.
const CHUNK: i64 = 500;

impl Desk {
    /// Makes the next rows of a filling campaign's queue; `false` when the queue is full.
    pub async fn fill(&self, owner: OwnerId, id: CampaignId) -> Result<bool, DeskError> {
        let now = self.now();
        self.store.write(Lane::Bulk, move |tx| Box::pin(async move { fill(tx, owner, id, now).await })).await
    }
}

async fn fill(tx: &mut Tx, owner: OwnerId, id: CampaignId, now: DateTime<Utc>) -> Result<bool, DeskError> {
    let Some(row) = tx.campaign(owner, id).await? else { return Ok(false) };
    let (Some(position), Some(source)) = (row.fill_position, row.source_id()) else { return Ok(false) };
    if !matches!(row.execution_status, Status::Running | Status::Paused) {
        return Ok(false);
    }
    // First what a stop broke: those contacts were promised a call.
    if retries::bring_back(tx, &Actor::engine(owner), id, now).await? > 0 {
        return Ok(true);
    }
    let contacts = tx.contacts_to_queue(owner, source, id, position, CHUNK).await?;
    let Some(last) = contacts.last().map(|c| c.position) else {
        tx.set_fill(id, None).await?;
        return Ok(false);
    };
    let settled = tx.settled_contacts(id, &contacts).await?;
    let calls: Vec<NewCall> = contacts
        .into_iter()
        .filter(|c| !c.on_do_not_call && !settled.contains(&c.id) && c.attempts < row.retry.0.max_attempts)
        .map(|c| NewCall {
            id: CallId::fresh(),
            contact_id: Some(c.id),
            // By the tables of today, not of its import.
            zones: legal::queue_key(&place::key_again(&c.phone_number, c.said.as_deref(), &c.zones), &c.country, &c.phone_number),
            phone_number: c.phone_number,
            contact_name: c.name,
            contact_email: c.email,
            country: c.country,
            position: c.position,
            attempt: c.attempts + 1,
            priority: 0,
            // The rule's spacing holds over a stop and a new start.
            dialable_at: c.last_end.map_or(row.status_at, |t| row.status_at.max(t + retry::wait(row.retry.0.no_answer_minutes))),
        })
        .collect();
    let n = i64::try_from(tx.insert_calls(owner, id, &calls, now).await?).unwrap_or(0);
    tx.add_counts(id, &Counts { total: n, pending: n, ..Counts::default() }).await?;
    tx.set_fill(id, Some(last)).await?;
    Ok(true)
}
