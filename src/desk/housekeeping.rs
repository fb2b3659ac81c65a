//! What nobody waits for: the queue of a stopped campaign emptied, and what is old removed. All of it in
//! slices of the bulk lane, so that a call's facts never wait behind it; each slice leaves the books true,
//! and whoever dies in between leaves the rest to the next.

use chrono::{DateTime, Duration, Utc};

use super::{Actor, Desk, DeskError, audit, row::tally};
use crate::{
    domain::{
        campaign::Status,
        id::{CallId, CampaignId},
        legal, place,
        retention::Retention,
        stats::{Counts, contribution},
    },
    store::{Aged, Lane, QueuedRow, Setting, Tx},
};

/// Rows of one slice: measured, see benches/README.md.
const SLICE: i64 = 100;

/// Slices a stop waits for itself: a campaign of usual size is empty when it answers.
const AT_ONCE: usize = 100;

impl Desk {
    /// Cancels the next slice of what a stopped or deleted campaign still has in its queue; `false` when
    /// there is no more.
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

impl Desk {
    /// Brings rows that an older release has queued by their zones alone into the queues of their law, so that
    /// none is claimed where its state is closed and only then goes back. Answers how many.
    pub async fn key_queues(&self) -> Result<u64, DeskError> {
        let mut keyed = 0;
        for (id, zones) in self.store.old_queues().await? {
            loop {
                let zones = zones.clone();
                let n = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { key_queue(tx, id, &zones).await })).await?;
                if n == 0 {
                    break;
                }
                keyed += n;
            }
        }
        Ok(keyed)
    }
}

async fn key_queue(tx: &mut Tx, id: CampaignId, zones: &str) -> Result<u64, DeskError> {
    let rows = tx.queued(id, zones, SLICE).await?;
    let key = |r: &QueuedRow| legal::queue_key(&place::key_again(&r.phone_number, r.said.as_deref(), &r.zones), &r.country, &r.phone_number);
    let keys: Vec<(CallId, String)> = rows.iter().map(|r| (r.id, key(r))).collect();
    Ok(tx.requeue(&keys).await?)
}

impl Desk {
    /// Lets words find every call that was dialled since this was done last.
    pub async fn index_calls(&self) -> Result<(), DeskError> {
        loop {
            let n = self.store.write(Lane::Bulk, |tx| Box::pin(async move { Ok::<_, DeskError>(tx.index_calls(SLICE).await?) })).await?;
            if n < SLICE {
                return Ok(());
            }
        }
    }
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    pub keys: i64,
    pub events: i64,
    pub audit: i64,
    pub calls: i64,
}

/// Engines that were heard of last so long ago are nobody's.
const ENGINES: Duration = Duration::days(30);

impl Desk {
    /// Removes what is older than it is to be kept. Never what the gates look back at: calls go with their
    /// whole campaign, when nothing has happened in it for so long; do-not-call stays for ever.
    pub async fn tidy(&self, keep: &Retention) -> Result<Removed, DeskError> {
        let now = self.now();
        let mut removed = Removed::default();
        if let Some(calls) = keep.calls {
            removed.calls = self.remove_calls(now - calls).await?;
        }
        removed.keys = self.remove_aged(Aged::Keys, keep.keys.map(|k| now - k)).await?;
        removed.events = self.remove_aged(Aged::Events, keep.events.map(|k| now - k)).await?;
        removed.events += self.remove_aged(Aged::Recordings, keep.events.map(|k| now - k)).await?;
        removed.audit = self.remove_aged(Aged::Audit, keep.audit.map(|k| now - k)).await?;
        self.remove_notes().await?;
        self.store
            .write(Lane::Bulk, move |tx| {
                Box::pin(async move {
                    let leads = tx.setting(Setting::Leader).await?.and_then(|l| l.parse().ok());
                    Ok::<_, DeskError>(tx.remove_engines(now - ENGINES, leads).await?)
                })
            })
            .await?;
        Ok(removed)
    }

    async fn remove_aged(&self, what: Aged, before: Option<DateTime<Utc>>) -> Result<i64, DeskError> {
        let Some(before) = before else { return Ok(0) };
        let mut removed = 0;
        loop {
            let n = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { Ok::<_, DeskError>(tx.remove_aged(what, before, SLICE).await?) })).await?;
            removed += n;
            if n < SLICE {
                return Ok(removed);
            }
        }
    }

    async fn remove_calls(&self, before: DateTime<Utc>) -> Result<i64, DeskError> {
        let mut removed = 0;
        for id in self.store.campaigns_over(before).await? {
            let mut after = CallId(uuid::Uuid::nil());
            loop {
                let now = self.now();
                let (n, last) = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { remove_calls(tx, id, after, before, now).await })).await?;
                removed += n;
                match last {
                    Some(last) => after = last,
                    None => break,
                }
            }
        }
        Ok(removed)
    }

    /// Removes what was noted of campaigns that are no more.
    async fn remove_notes(&self) -> Result<(), DeskError> {
        let prefix = Setting::NOTES;
        let mut after = prefix.to_owned();
        loop {
            let keys = self.store.setting_keys(prefix, &after, SLICE).await?;
            let Some(last) = keys.last() else { return Ok(()) };
            after.clone_from(last);
            let head = prefix.len();
            self.store
                .write(Lane::Bulk, move |tx| {
                    Box::pin(async move {
                        let mut gone = Vec::new();
                        for key in keys {
                            let id = key.get(head..).and_then(|id| id.parse().ok());
                            let standing = if let Some(id) = id { tx.standing(id).await? } else { None };
                            if standing.is_none_or(|s| s.deleted) {
                                gone.push(key);
                            }
                        }
                        Ok::<_, DeskError>(tx.remove_settings(&gone).await?)
                    })
                })
                .await?;
        }
    }
}

/// One slice of a campaign that is over: taken off the list first, then its calls. Answers how many went,
/// and the last one looked at unless that was the end.
async fn remove_calls(tx: &mut Tx, id: CampaignId, after: CallId, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<(i64, Option<CallId>), DeskError> {
    let Some(campaign) = tx.standing(id).await? else { return Ok((0, None)) };
    if !campaign.deleted {
        if !tx.is_over(id, before).await? {
            return Ok((0, None));
        }
        // Deleted as of then, so that whoever finds it half done goes on.
        tx.delete_campaign(id, before).await?;
        let details = serde_json::json!({ "name": campaign.name, "before": before });
        audit(tx, &Actor::engine(campaign.user_id), now, "campaign_retired", Some(id.0), &details).await?;
    }
    let Some(last) = tx.end_of_window(id, after, SLICE).await? else {
        tx.remove_days(id).await?;
        return Ok((0, None));
    };
    let rows = tx.calls_over(id, (after, last), before).await?;
    if rows.is_empty() {
        return Ok((0, Some(last)));
    }
    let mut gone = Counts::default();
    for row in &rows {
        gone += contribution(&tally(row));
    }
    tx.remove_calls(&rows.iter().map(|r| r.id).collect::<Vec<_>>()).await?;
    tx.add_counts(id, &(Counts::default() - gone)).await?;
    Ok((i64::try_from(rows.len()).unwrap_or(0), Some(last)))
}

/// Whether a stop has not emptied the queue yet.
pub(super) async fn is_emptying(tx: &mut Tx, id: CampaignId, status: Status) -> Result<bool, DeskError> {
    Ok(status == Status::Completed && tx.has_pending(id).await?)
}
