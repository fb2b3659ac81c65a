//! Do not call: one table per owner, by number. Writing it cancels what waits in every campaign
//! and hangs up what is live, in the same transaction.

use std::{collections::BTreeMap, io::BufRead};

use chrono::{DateTime, Utc};
use rlibphonenumber::Region;

use super::{Actor, Desk, DeskError, audit, record::tally};
use crate::{
    domain::{
        call::State,
        id::CampaignId,
        phone::PhoneNumber,
        stats::{self, Counts},
    },
    store::{CallRow, CallUpdate, Lane, Setting, Tx},
};

impl Desk {
    /// Puts a number on the list; `false` when it was there already.
    pub async fn add_do_not_call(&self, actor: Actor, number: PhoneNumber, reason: String) -> Result<bool, DeskError> {
        let now = self.now();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { suppress(tx, &actor, number.as_str(), &reason, now).await })).await
    }
}

/// What an import of numbers did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct ListReport {
    pub read: u64,
    /// Not on the list before.
    pub added: u64,
    /// Lines in which no number was found.
    pub invalid: u64,
}

/// Numbers written in one transaction.
pub(super) const CHUNK: usize = 200;

impl Desk {
    /// Takes a number off the list; `false` when it was not there. For an admin, with a reason.
    ///
    /// # Errors
    /// When no reason is given, or the database refuses.
    pub async fn remove_do_not_call(&self, actor: Actor, number: PhoneNumber, reason: String) -> Result<bool, DeskError> {
        if reason.trim().is_empty() {
            return Err(DeskError::field("reason", "why may the number be called again? It stays in the audit"));
        }
        let now = self.now();
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

    /// Puts a file of numbers on the list, one a line or in the first column that holds one. `national`:
    /// it is the national list of today, which some profiles ask for.
    ///
    /// # Errors
    /// When the file cannot be read or the database refuses; what was read so far is kept.
    pub async fn import_do_not_call<R: BufRead + Send + 'static>(
        &self,
        actor: Actor,
        read: R,
        region: Option<Region>,
        national: bool,
    ) -> Result<ListReport, DeskError> {
        let (send, mut chunks) = tokio::sync::mpsc::channel::<Vec<String>>(4);
        let reader = tokio::task::spawn_blocking(move || read_numbers(read, region, &send));
        let mut report = ListReport::default();
        while let Some(numbers) = chunks.recv().await {
            let (actor, now) = (actor.clone(), self.now());
            let source = if national { "national" } else { "import" };
            let added = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { suppress_all(tx, &actor, &numbers, source, now).await })).await?;
            report.added += added;
        }
        let (read, invalid) =
            reader.await.map_err(|e| DeskError::Conflict(e.to_string()))?.map_err(|e| DeskError::Conflict(format!("the list cannot be read: {e}")))?;
        (report.read, report.invalid) = (read, invalid);
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    if national && report.read > 0 {
                        tx.put_setting(Setting::NationalList(actor.owner), &now.to_rfc3339()).await?;
                    }
                    audit(tx, &actor, now, "do_not_call_imported", None, &serde_json::json!({ "report": report, "national": national })).await?;
                    Ok(report)
                })
            })
            .await
    }
}

/// Reads numbers line by line; answers how many there were and how many lines held none.
fn read_numbers<R: BufRead>(read: R, region: Option<Region>, send: &tokio::sync::mpsc::Sender<Vec<String>>) -> std::io::Result<(u64, u64)> {
    let (mut numbers, mut read_so_far, mut invalid) = (Vec::with_capacity(CHUNK), 0, 0);
    for (n, line) in read.split(b'\n').enumerate() {
        let line = line?;
        let text = String::from_utf8_lossy(&line);
        match number_in(text.trim(), region) {
            Some(number) => {
                numbers.push(number);
                read_so_far += 1;
            }
            // A first line without a number is a header.
            None if text.trim().is_empty() || n == 0 => {}
            None => invalid += 1,
        }
        if numbers.len() == CHUNK && send.blocking_send(std::mem::take(&mut numbers)).is_err() {
            return Ok((read_so_far, invalid));
        }
    }
    // Nobody listens any more only when the import has failed already.
    drop(send.blocking_send(numbers));
    Ok((read_so_far, invalid))
}

/// The first field that is a number, or the first two together: some national lists part the area code.
fn number_in(line: &str, region: Option<Region>) -> Option<String> {
    let fields: Vec<&str> = line.split([',', ';', '\t']).map(|f| f.trim().trim_matches('"')).collect();
    let parse = |text: &str| PhoneNumber::parse(text, region).ok().map(|p| p.number.to_string());
    fields.iter().find_map(|f| parse(f)).or_else(|| parse(&fields.iter().take(2).copied().collect::<String>()))
}

/// Numbers on the list and all that follows from it, for several at once.
pub(super) async fn suppress_all(tx: &mut Tx, actor: &Actor, numbers: &[String], source: &str, now: DateTime<Utc>) -> Result<u64, DeskError> {
    let refs: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let added = tx.import_do_not_call(actor.owner, &refs, source, &actor.name, now).await?;
    let (waiting, open): (Vec<_>, Vec<_>) = tx.unended_of_numbers(actor.owner, &refs).await?.into_iter().partition(|r| is_off_the_line(r.state));
    cancel_all(tx, waiting, LISTED, now).await?;
    for row in open {
        tx.request_hangup(row.id, now).await?;
    }
    Ok(added)
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
async fn silence(tx: &mut Tx, row: CallRow, now: DateTime<Utc>) -> Result<(), DeskError> {
    if is_off_the_line(row.state) {
        return cancel(tx, row, LISTED, now).await;
    }
    tx.request_hangup(row.id, now).await?;
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

async fn cancel_all(tx: &mut Tx, mut rows: Vec<CallRow>, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    let mut deltas: BTreeMap<CampaignId, Counts> = BTreeMap::new();
    for row in &mut rows {
        let before = stats::contribution(&tally(row));
        (row.state, row.completed_at, row.charged, row.lease_until) = (State::Canceled, Some(now), false, None);
        reason.clone_into(&mut row.reason);
        *deltas.entry(row.campaign_id).or_default() += stats::contribution(&tally(row)) - before;
    }
    if !rows.is_empty() {
        tx.update_calls(&rows.iter().map(|row| CallUpdate { row }).collect::<Vec<_>>(), now).await?;
    }
    for (campaign, delta) in deltas {
        tx.add_counts(campaign, &delta).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone;

    #[test]
    fn numbers_as_lists_have_them() {
        let us = phone::region("US").ok();
        let found = |line: &str| number_in(line, us);
        assert_eq!(found("202,5550142").as_deref(), Some("+12025550142"), "the national list parts the area code");
        assert_eq!(found("\"+1 202 555 0142\",asked on 3 May").as_deref(), Some("+12025550142"));
        assert_eq!(found("Jane;(202) 555-0142").as_deref(), Some("+12025550142"));
        assert_eq!(found("area,number"), None);
    }
}
