//! Outcomes: set, cleared, undone. An operator's word is never lost nor overwritten by a machine;
//! every change is a new line of history, never a delete.

use chrono::{DateTime, Duration, Utc};

use super::{Actor, Desk, DeskError, audit, dnc, record::tally, retries};
use crate::{
    domain::{
        Refusal,
        campaign::Status,
        id::CallId,
        outcome::{self, Outcome, Who},
        schedule::{LONGEST_PROMISE, TOO_FAR},
        stats,
    },
    store::{CallRow, CallUpdate, Lane, NewCall, Tx},
};

/// A request to set or clear an outcome.
#[derive(Debug, Clone)]
pub struct SetOutcome {
    pub call: CallId,
    /// `None` clears it.
    pub outcome: Option<Outcome>,
    pub notes: Option<String>,
    pub who: Who,
    pub confidence: Option<f64>,
    pub callback_at: Option<DateTime<Utc>>,
    /// What the operator saw when the key was pressed: another value by now is a conflict.
    pub expected: Option<Option<Outcome>>,
}

/// What undoing a do-not-call needs: the same person, at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoDoNotCall {
    /// Take the number off the list as well.
    Lift,
    /// Leave the list alone.
    Keep,
}

/// How long the same person may take a do-not-call back.
const UNDO: Duration = Duration::seconds(10);

impl Desk {
    /// Sets or clears an outcome; answers the row as it is then.
    ///
    /// # Errors
    /// When there is no such call, its state does not allow the outcome, or somebody else changed it.
    pub async fn set_outcome(&self, actor: Actor, set: SetOutcome) -> Result<CallRow, DeskError> {
        let now = self.now();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { apply(tx, &actor, set, now).await })).await
    }

    /// Takes an outcome back to what it was before: another line of history. A do-not-call of the
    /// same person is lifted within ten seconds.
    ///
    /// # Errors
    /// When there is no such call, or the do-not-call is older.
    pub async fn undo_outcome(&self, actor: Actor, call: CallId, was: Option<Outcome>, lift: UndoDoNotCall) -> Result<CallRow, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = own(tx, &actor, call).await?;
                    if row.outcome == Some(Outcome::DoNotCall)
                        && lift == UndoDoNotCall::Lift
                        && !tx.undo_do_not_call(actor.owner, &row.phone_number, &actor.name, now - UNDO).await?
                    {
                        return Err(Refusal::new("do_not_call", "the number stays on the do-not-call list: only an admin may lift it now").into());
                    }
                    let set = SetOutcome { call, outcome: was, notes: None, who: Who::Operator, confidence: None, callback_at: None, expected: None };
                    apply(tx, &actor, set, now).await
                })
            })
            .await
    }

    /// Writes an operator's note on a call.
    ///
    /// # Errors
    /// When there is no such call.
    pub async fn set_note(&self, actor: Actor, call: CallId, note: String) -> Result<CallRow, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let mut row = own(tx, &actor, call).await?;
                    row.notes = note;
                    tx.update_calls(&[CallUpdate { row: &row }], now).await?;
                    audit(tx, &actor, now, "note_set", Some(call.0), &serde_json::json!({})).await?;
                    Ok(row)
                })
            })
            .await
    }
}

async fn own(tx: &mut Tx, actor: &Actor, call: CallId) -> Result<CallRow, DeskError> {
    tx.call(call).await?.filter(|r| r.user_id == actor.owner).ok_or(DeskError::NotFound("call"))
}

async fn apply(tx: &mut Tx, actor: &Actor, set: SetOutcome, now: DateTime<Utc>) -> Result<CallRow, DeskError> {
    let mut row = own(tx, actor, set.call).await?;
    if set.outcome.is_none() && row.outcome.is_none() {
        return Ok(row);
    }
    if let Some(value) = set.outcome {
        outcome::allowed(value, row.state, row.answered_at.is_some())?;
    }
    if let Some(expected) = set.expected
        && expected != row.outcome
    {
        let by = row.outcome_by.as_deref().filter(|b| !b.is_empty()).unwrap_or("somebody else");
        let now_is = row.outcome.map_or("no outcome", Outcome::label);
        return Err(DeskError::Conflict(format!("{by} set it to \"{now_is}\" meanwhile")));
    }
    let before = stats::contribution(&tally(&row));
    let previous = row.outcome;
    if set.who == Who::Agent {
        row.suggestion = set.outcome.or(row.suggestion);
        row.suggestion_confidence = set.confidence;
    } else if row.outcome_who.is_none_or(|w| set.who >= w) {
        row.outcome = set.outcome;
        row.outcome_who = set.outcome.map(|_| set.who);
        row.outcome_by = Some(actor.name.clone());
        row.outcome_at = Some(now);
    }
    // The agent's words are in the history; the note is the operator's.
    if let Some(notes) = set.notes.as_ref().filter(|_| set.who == Who::Operator) {
        row.notes.clone_from(notes);
    }
    tx.update_calls(&[CallUpdate { row: &row }], now).await?;
    tx.add_counts(row.campaign_id, &(stats::contribution(&tally(&row)) - before)).await?;
    tx.insert_outcome(row.id, set.outcome, previous, set.notes.as_deref().unwrap_or_default(), set.who, &actor.name, set.confidence, now).await?;
    let details = serde_json::json!({ "outcome": set.outcome, "was": previous });
    audit(tx, actor, now, "outcome_set", Some(row.id.0), &details).await?;
    if previous == Some(Outcome::Callback) && set.outcome != previous && set.who == Who::Operator {
        cancel_next(tx, &row, "the callback was taken back", now).await?;
    }
    match set.outcome {
        // Counts at once from either, in the same transaction.
        Some(Outcome::DoNotCall) => {
            dnc::suppress(tx, actor, &row.phone_number, "outcome do not call", now).await?;
        }
        Some(Outcome::WrongNumber) if set.who == Who::Operator => {
            cancel_next(tx, &row, "wrong number", now).await?;
        }
        Some(Outcome::Callback) if set.who == Who::Operator => queue_callback(tx, actor, &row, set.callback_at, now).await?,
        _ => {}
    }
    Ok(row)
}

/// Takes the contact's next attempt out of the campaign's queue.
async fn cancel_next(tx: &mut Tx, row: &CallRow, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    for other in tx.unended_of_number(row.user_id, &row.phone_number).await? {
        let same = other.campaign_id == row.campaign_id && other.contact_id == row.contact_id && other.id != row.id;
        if same && !other.state.is_open() {
            dnc::cancel(tx, other, reason, now).await?;
        }
    }
    Ok(())
}

/// The call the contact asked for: a new row, due at the moment chosen, behind all gates. Beside the
/// attempt budget, which bounds calls that nobody asked for.
async fn queue_callback(tx: &mut Tx, actor: &Actor, row: &CallRow, at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), DeskError> {
    let Some(due) = at else { return Ok(()) };
    let Some(campaign) = tx.campaign(row.user_id, row.campaign_id).await? else { return Ok(()) };
    // A campaign that ended by itself goes on for the callback; one that a person stopped does not.
    if campaign.execution_status == Status::Completed {
        if campaign.status_actor != "engine" {
            return Err(Refusal::new("state", format!("campaign \"{}\" was stopped: start it again before promising a callback", campaign.name)).into());
        }
        tx.move_campaign(campaign.id, Status::Completed, Status::Running, "a callback is due", &actor.name, now).await?;
    }
    if due <= now {
        return Err(DeskError::field("callbackAt", "is in the past"));
    }
    if due > now + LONGEST_PROMISE {
        return Err(DeskError::field("callbackAt", TOO_FAR));
    }
    if !row.state.is_ended() {
        return Err(Refusal::new("state", "a callback can be promised once the call has ended: tag it then").into());
    }
    // The moment named last counts.
    cancel_next(tx, row, "another callback was promised", now).await?;
    let next = NewCall { attempt: row.attempt.saturating_add(1), priority: 1, ..retries::after(row, due) };
    tx.insert_calls(row.user_id, row.campaign_id, &[next], now).await?;
    tx.add_counts(row.campaign_id, &stats::Counts { total: 1, pending: 1, ..stats::Counts::default() }).await?;
    Ok(())
}
