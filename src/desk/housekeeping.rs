//! What nobody waits for: the queue of a stopped campaign emptied, and what is old removed. All of it in
//! slices of the bulk lane, so that a call's facts never wait behind it; each slice leaves the books true,
//! and whoever dies in between leaves the rest to the next.

use super::{Desk, DeskError};
use crate::{
    domain::{campaign::Status, id::CampaignId, stats::Counts},
    store::{Lane, Tx},
};

/// Rows of one slice: measured, see benches/README.md.
const SLICE: i64 = 200;

/// Slices a stop waits for itself: a campaign of usual size is empty when it answers.
const AT_ONCE: usize = 50;

impl Desk {
    /// Cancels the next slice of what a stopped or deleted campaign still has in its queue; `false` when
    /// there is no more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn empty_queue(&self, id: CampaignId) -> Result<bool, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Bulk, move |tx| {
                Box::pin(async move {
                    let over = tx.standing(id).await?.filter(|s| s.deleted || s.execution_status == Status::Completed);
                    let Some(over) = over else { return Ok(false) };
                    let reason = if over.deleted { "the campaign was deleted" } else { &over.status_reason };
                    let n = tx.cancel_pending(id, reason, SLICE, now).await?;
                    if n > 0 {
                        tx.add_counts(id, &Counts { pending: -n, canceled: n, ..Counts::default() }).await?;
                    }
                    Ok(n == SLICE)
                })
            })
            .await
    }

    /// The first slices after a stop; the housekeeper takes the rest of a large one.
    pub(super) async fn begin_to_empty(&self, id: CampaignId) {
        for _ in 0..AT_ONCE {
            match self.empty_queue(id).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => return tracing::warn!(target: "desk", error = %e, "a stopped campaign's queue is emptied later"),
            }
        }
    }

    /// Empties what stops have left, all of it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn empty_stopped(&self) -> Result<(), DeskError> {
        for id in self.store.over_but_pending().await? {
            while self.empty_queue(id).await? {}
        }
        Ok(())
    }

    /// Before a campaign that was stopped runs again: what its last run left is not called by this one, as
    /// it would not have been a moment later.
    pub(super) async fn finish_stop(&self, id: CampaignId) -> Result<(), DeskError> {
        while self.empty_queue(id).await? {}
        Ok(())
    }
}

/// Whether a stop has not emptied the queue yet.
pub(super) async fn is_emptying(tx: &mut Tx, id: CampaignId, status: Status) -> Result<bool, DeskError> {
    Ok(status == Status::Completed && tx.has_pending(id).await?)
}
