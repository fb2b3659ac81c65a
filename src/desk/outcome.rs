//! Outcomes: set, cleared, undone. An operator's word is never lost nor overwritten by a machine;
//! every change is a new line of history, never a delete.

use chrono::{DateTime, Utc};

use super::{
    Actor, Desk, DeskError, audit, dnc,
    promises::{self, Calling, Promise},
    row::tally,
};
use crate::{
    domain::{
        FieldError,
        id::CallId,
        outcome::{self, Outcome, Who},
        schedule::{LONGEST_PROMISE, TOO_FAR},
        stats,
        text::{self, LONGEST_NOTE, clean},
    },
    store::{CallRow, CallUpdate, Lane, NewOutcome, Tx},
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

/// What came of a tag.
#[derive(Debug)]
pub struct Tagged {
    pub call: CallRow,
    /// The callback that it promised.
    pub promise: Option<Promise>,
}

impl Desk {
    /// Every field of it that is wrong, for who has more to say about them.
    #[must_use]
    pub fn complaints_of_outcome(&self, set: &SetOutcome) -> Vec<FieldError> {
        complaints(set, self.now())
    }

    /// Sets or clears an outcome; answers the row as it is then, and when a promised callback is made.
    ///
    /// # Errors
    /// When a field is wrong, there is no such call, its state does not allow the outcome, or somebody else
    /// changed it.
    pub async fn set_outcome(&self, actor: Actor, set: SetOutcome) -> Result<Tagged, DeskError> {
        let now = self.now();
        let set = checked(set, now)?;
        let calling = if set.callback_at.is_some() { Some(self.calling().await?) } else { None };
        let store = if set.outcome == Some(Outcome::DoNotCall) { self.silencing().await? } else { self.store.clone() };
        store.write(Lane::Urgent, move |tx| Box::pin(async move { apply(tx, &actor, set, calling.as_ref(), now).await })).await
    }

    /// Writes an operator's note on a call.
    ///
    /// # Errors
    /// When there is no such call, or the note is none.
    pub async fn set_note(&self, actor: Actor, call: CallId, note: String) -> Result<CallRow, DeskError> {
        let now = self.now();
        let note = text::lines_written("notes", &note, LONGEST_NOTE).map_err(|e| DeskError::Invalid(vec![e]))?;
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let was = own(tx, &actor, call).await?;
                    let row = CallRow { notes: note, ..was.clone() };
                    tx.update_calls(&[CallUpdate { was: &was, row: &row }], now).await?;
                    audit(tx, &actor, now, "note_set", Some(call.0), &serde_json::json!({})).await?;
                    Ok(row)
                })
            })
            .await
    }
}

/// What was written, cleaned and bounded.
fn checked(set: SetOutcome, now: DateTime<Utc>) -> Result<SetOutcome, DeskError> {
    let errors = complaints(&set, now);
    if errors.is_empty() { Ok(SetOutcome { notes: set.notes.map(|n| clean(n.trim(), LONGEST_NOTE)), ..set }) } else { Err(DeskError::Invalid(errors)) }
}

fn complaints(set: &SetOutcome, now: DateTime<Utc>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    errors.extend(set.notes.as_deref().and_then(|n| text::complaint("notes", n, LONGEST_NOTE)));
    if set.callback_at.is_some_and(|t| t <= now) {
        errors.push(FieldError::new("callbackAt", "is in the past"));
    }
    if set.callback_at.is_some_and(|t| t > now + LONGEST_PROMISE) {
        errors.push(FieldError::new("callbackAt", TOO_FAR));
    }
    if set.confidence.is_some_and(|c| !(0.0..=1.0).contains(&c)) {
        errors.push(FieldError::new("confidence", "is not between 0 and 1"));
    }
    errors
}

pub(super) async fn own(tx: &mut Tx, actor: &Actor, call: CallId) -> Result<CallRow, DeskError> {
    tx.call(call).await?.filter(|r| r.user_id == actor.owner).ok_or(DeskError::NotFound("call"))
}

/// `calling` where a moment for a callback is named.
async fn apply(tx: &mut Tx, actor: &Actor, set: SetOutcome, calling: Option<&Calling>, now: DateTime<Utc>) -> Result<Tagged, DeskError> {
    let mut row = own(tx, actor, set.call).await?;
    if set.outcome.is_none() && row.outcome.is_none() {
        return Ok(Tagged { call: row, promise: None });
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
    if let (true, Some(due), Some(calling)) = (is_unpromised(tx, actor, &set, &row).await?, set.callback_at, calling) {
        let promise = promises::queue(tx, actor, &row, due, calling, now).await?;
        return Ok(Tagged { call: row, promise });
    }
    let was = row.clone();
    let previous = was.outcome;
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
    tx.update_calls(&[CallUpdate { was: &was, row: &row }], now).await?;
    tx.add_counts(row.campaign_id, &(stats::contribution(&tally(&row)) - stats::contribution(&tally(&was)))).await?;
    let note = set.notes.as_deref().unwrap_or_default();
    let line = NewOutcome {
        call: row.id,
        value: set.outcome,
        previous,
        note,
        who: set.who,
        by: &actor.name,
        confidence: set.confidence,
        undoes: None,
        callback_at: None,
    };
    tx.insert_outcome(&line, now).await?;
    let details = serde_json::json!({ "outcome": set.outcome, "was": previous });
    audit(tx, actor, now, "outcome_set", Some(row.id.0), &details).await?;
    if previous == Some(Outcome::Callback) && set.outcome != previous && set.who == Who::Operator {
        promises::cancel_next(tx, &row, "the callback was taken back", now).await?;
    }
    let mut promise = None;
    match set.outcome {
        // Counts at once from either, in the same transaction.
        Some(Outcome::DoNotCall) => {
            dnc::suppress(tx, actor, &row.phone_number, "outcome do not call", now).await?;
        }
        Some(Outcome::WrongNumber) if set.who == Who::Operator => {
            promises::cancel_next(tx, &row, "wrong number", now).await?;
        }
        Some(Outcome::Callback) if set.who == Who::Operator => {
            if let (Some(due), Some(calling)) = (set.callback_at, calling) {
                promise = promises::queue(tx, actor, &row, due, calling, now).await?;
            }
        }
        _ => {}
    }
    Ok(Tagged { call: row, promise })
}

/// Whether only the moment is missing of a callback of the same person: of a call that was tagged while it went on.
async fn is_unpromised(tx: &mut Tx, actor: &Actor, set: &SetOutcome, row: &CallRow) -> Result<bool, DeskError> {
    let same = set.outcome == Some(Outcome::Callback) && row.outcome == set.outcome && row.outcome_by.as_ref() == Some(&actor.name);
    Ok(same && set.who == Who::Operator && set.notes.is_none() && !tx.others_of_contact(row).await?.iter().any(|o| o.priority == 1))
}
