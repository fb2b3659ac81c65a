//! Do not call: one table per owner, by number, or one for all owners where they share it. Writing it cancels what waits in every campaign
//! and hangs up what is live, in the same transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, audit, row::tally};
use crate::{
    domain::{
        call::State,
        id::CampaignId,
        phone::PhoneNumber,
        stats::{self, Counts},
        text,
    },
    store::{CallRow, CallUpdate, Lane, Setting, Store, Tx},
};

impl Desk {
    /// Whether all owners of this installation share one list.
    pub async fn share_do_not_call(&self, shared: bool) -> Result<(), DeskError> {
        let word = if shared { "on" } else { "off" };
        if self.store.setting(Setting::SharedDoNotCall).await?.as_deref() == Some(word) {
            return Ok(());
        }
        let whose = if shared { "share one do-not-call list" } else { "have a do-not-call list each" };
        tracing::info!(target: "app", "the owners of this installation {whose} ([compliance] shared_do_not_call)");
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.put_setting(Setting::SharedDoNotCall, word).await?) })).await
    }

    /// The store by which a number is silenced: where owners share one list, what waits or talks of any of them.
    pub(super) async fn silencing(&self) -> Result<Store, DeskError> {
        let shared = self.store.setting(Setting::SharedDoNotCall).await?.as_deref() == Some("on");
        Ok(if shared { self.store.whole() } else { self.store.clone() })
    }

    /// Puts a number on the list; `false` when it was there already.
    ///
    /// # Errors
    /// When the reason cannot be kept, or the database refuses.
    pub async fn add_do_not_call(&self, actor: Actor, number: PhoneNumber, reason: String) -> Result<bool, DeskError> {
        let reason = written(&reason)?;
        let now = self.now();
        let silencing = self.silencing().await?;
        let added = silencing.write(Lane::Urgent, move |tx| Box::pin(async move { suppress(tx, &actor, number.as_str(), &reason, now).await })).await;
        self.headcounts.forget();
        added
    }
}

/// Numbers written in one transaction.
pub(super) const CHUNK: usize = 200;

impl Desk {
    /// Takes a number off the list; `false` when it was not there. For an admin, with a reason.
    ///
    /// # Errors
    /// When no reason is given, or the database refuses.
    pub async fn remove_do_not_call(&self, actor: Actor, number: PhoneNumber, reason: String) -> Result<bool, DeskError> {
        let reason = written(&reason)?;
        if reason.is_empty() {
            return Err(DeskError::field("reason", "why may the number be called again? It stays in the audit"));
        }
        let now = self.now();
        self.headcounts.forget();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let gone = tx.remove_do_not_call(actor.owner, number.as_str()).await?;
                    if gone {
                        let details = serde_json::json!({ "number": number, "reason": reason });
                        audit(tx, &actor, now, "do_not_call_removed", None, &details).await?;
                    }
                    Ok(gone)
                })
            })
            .await
    }
}

/// A reason, cleaned.
fn written(reason: &str) -> Result<String, DeskError> {
    text::written("reason", reason, text::LONGEST_NOTE).map_err(|e| DeskError::Invalid(vec![e]))
}

/// Numbers on the list and all that follows from it, for several at once.
pub(super) async fn suppress_all(tx: &mut Tx, actor: &Actor, numbers: &[String], source: &str, now: DateTime<Utc>) -> Result<u64, DeskError> {
    let refs: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let added = tx.import_do_not_call(actor.owner, &refs, source, &actor.name, now).await?;
    let (waiting, open): (Vec<_>, Vec<_>) = tx.unended_to_silence(actor.owner, &refs).await?.into_iter().partition(|r| is_off_the_line(r.state));
    cancel_all(tx, waiting, LISTED, now).await?;
    for row in open {
        tx.request_hangup(row.id, &actor.name, actor.source, now).await?;
    }
    Ok(added)
}

/// The list's entry and all that follows from it.
pub(super) async fn suppress(tx: &mut Tx, actor: &Actor, number: &str, reason: &str, now: DateTime<Utc>) -> Result<bool, DeskError> {
    let new = tx.add_do_not_call(actor.owner, number, reason, actor.source, &actor.name, now).await?;
    for row in tx.unended_to_silence(actor.owner, &[number]).await? {
        silence(tx, actor, row, now).await?;
    }
    if new {
        let details = serde_json::json!({ "number": text::tail(number), "reason": reason });
        audit(tx, actor, now, "do_not_call_added", None, &details).await?;
    }
    Ok(new)
}

/// One row of a number that must not be called: waiting ones are canceled, live ones hung up.
async fn silence(tx: &mut Tx, actor: &Actor, row: CallRow, now: DateTime<Utc>) -> Result<(), DeskError> {
    if is_off_the_line(row.state) {
        return cancel(tx, row, LISTED, now).await;
    }
    tx.request_hangup(row.id, &actor.name, actor.source, now).await?;
    Ok(())
}

/// Why a row of a listed number is not called.
const LISTED: &str = "on the do-not-call list";

fn is_off_the_line(state: State) -> bool {
    matches!(state, State::Pending | State::Claimed)
}

/// Takes a row that has not rung out of the queue. A claim of it finds at arm that it is lost.
pub(super) async fn cancel(tx: &mut Tx, row: CallRow, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    cancel_all(tx, vec![row], reason, now).await
}

async fn cancel_all(tx: &mut Tx, were: Vec<CallRow>, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    let canceled = |was: &CallRow| CallRow {
        state: State::Canceled,
        completed_at: Some(now),
        charged: false,
        lease_until: None,
        reason: reason.to_owned(),
        ..was.clone()
    };
    let rows: Vec<CallRow> = were.iter().map(canceled).collect();
    let mut deltas: BTreeMap<CampaignId, Counts> = BTreeMap::new();
    for (was, row) in were.iter().zip(&rows) {
        *deltas.entry(row.campaign_id).or_default() += stats::contribution(&tally(row)) - stats::contribution(&tally(was));
    }
    tx.update_calls(&were.iter().zip(&rows).map(|(was, row)| CallUpdate { was, row }).collect::<Vec<_>>(), now).await?;
    for (campaign, delta) in deltas {
        tx.add_counts(campaign, &delta).await?;
    }
    Ok(())
}
