//! A tag taken back: the one before stands again as it was, and what the tag took out of the queue is in it again.
//! Nobody takes back what another has said since.

use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};

use super::{
    Actor, Desk, DeskError, audit, dnc,
    outcome::{Tagged, own},
    promises::{self, Calling, Promise},
    retries,
    row::tally,
};
use crate::{
    domain::{
        Refusal,
        campaign::Status,
        id::CallId,
        outcome::{Outcome, Who},
        stats,
    },
    store::{CallRow, CallUpdate, Lane, NewCall, NewOutcome, OutcomeRow, Tx},
};

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
    /// Takes the last tag of a call back, which must be the actor's own, and `expected` where that is said. What it
    /// took out of the queue goes into it again. A do-not-call of the same person is lifted within ten seconds.
    ///
    /// # Errors
    /// When there is no such call or tag, another was set since, or the do-not-call is older.
    pub async fn take_back(&self, actor: Actor, call: CallId, expected: Option<Option<Outcome>>, lift: UndoDoNotCall) -> Result<Tagged, DeskError> {
        let now = self.now();
        let calling = self.calling().await?;
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = own(tx, &actor, call).await?;
                    let lines = tx.outcomes(call).await?;
                    let mut standing = standing(&lines);
                    let last = standing.pop().ok_or_else(|| Refusal::new("outcome", "the call has no tag to take back"))?;
                    if expected.is_some_and(|e| e != last.value) || last.by != actor.name {
                        return Err(DeskError::Conflict(set_since(last)));
                    }
                    let lifted = last.value == Some(Outcome::DoNotCall) && lift == UndoDoNotCall::Lift;
                    if lifted && !tx.undo_do_not_call(actor.owner, &row.phone_number, &actor.name, now - UNDO).await? {
                        return Err(Refusal::new("do_not_call", "the number stays on the do-not-call list: only an admin may lift it now").into());
                    }
                    let undo = Undo { actor: &actor, calling: &calling, now, undone: last, stands: standing.last().copied() };
                    undo.carry_out(tx, row, lifted).await
                })
            })
            .await
    }
}

fn set_since(last: &OutcomeRow) -> String {
    let by = if last.by.is_empty() { "somebody else" } else { last.by.as_str() };
    match last.value {
        Some(value) => format!("{by} set it to \"{}\" meanwhile: nothing was taken back", value.label()),
        None => format!("{by} took its tag away meanwhile: nothing was taken back"),
    }
}

/// The tags of a history that hold, each over the one before: not those that were taken back, nor an agent's, nor a
/// lesser word than what stood.
fn standing(lines: &[OutcomeRow]) -> Vec<&OutcomeRow> {
    let undone: HashSet<i64> = lines.iter().filter_map(|l| l.undoes).collect();
    let mut standing: Vec<&OutcomeRow> = Vec::new();
    for line in lines.iter().filter(|l| l.undoes.is_none() && l.who != Who::Agent && !undone.contains(&l.id)) {
        if standing.last().is_none_or(|top| top.value.is_none() || top.who <= line.who) {
            standing.push(line);
        }
    }
    standing
}

struct Undo<'a> {
    actor: &'a Actor,
    calling: &'a Calling,
    now: DateTime<Utc>,
    undone: &'a OutcomeRow,
    /// What holds without it.
    stands: Option<&'a OutcomeRow>,
}

impl Undo<'_> {
    /// `lifted`: the number is off the do-not-call list again.
    async fn carry_out(&self, tx: &mut Tx, was: CallRow, lifted: bool) -> Result<Tagged, DeskError> {
        let stands = self.stands.filter(|l| l.value.is_some());
        let row = CallRow {
            outcome: stands.and_then(|l| l.value),
            outcome_who: stands.map(|l| l.who),
            outcome_by: stands.map(|l| l.by.clone()),
            outcome_at: stands.map(|l| l.at),
            ..was.clone()
        };
        tx.update_calls(&[CallUpdate { was: &was, row: &row }], self.now).await?;
        tx.add_counts(row.campaign_id, &(stats::contribution(&tally(&row)) - stats::contribution(&tally(&was)))).await?;
        let line = NewOutcome {
            call: row.id,
            value: row.outcome,
            previous: was.outcome,
            note: "",
            who: Who::Operator,
            by: &self.actor.name,
            confidence: None,
            undoes: Some(self.undone.id),
            callback_at: self.stands.and_then(|l| l.callback_at),
        };
        tx.insert_outcome(&line, self.now).await?;
        let details = serde_json::json!({ "outcome": row.outcome, "was": was.outcome, "taken_back": true });
        audit(tx, self.actor, self.now, "outcome_set", Some(row.id.0), &details).await?;
        if row.outcome == Some(Outcome::DoNotCall) {
            dnc::suppress(tx, self.actor, &row.phone_number, "outcome do not call", self.now).await?;
        }
        self.unpromise(tx, &row).await?;
        // While the number is on the list nobody waits for it.
        let promise = if self.undone.value == Some(Outcome::DoNotCall) && !lifted { None } else { self.bring_back(tx, &row).await? };
        Ok(Tagged { call: row, promise })
    }

    /// What was promised since the tag is off with it.
    async fn unpromise(&self, tx: &mut Tx, row: &CallRow) -> Result<(), DeskError> {
        let promised = |o: &CallRow| o.priority == 1 && o.created_at >= self.undone.at && !o.state.is_open();
        for other in tx.others_of_contact(row).await?.into_iter().filter(promised) {
            dnc::cancel(tx, other, "the callback was taken back", self.now).await?;
        }
        Ok(())
    }

    /// What the tag itself took out of the queue is in it again, behind all gates; the promise among it.
    async fn bring_back(&self, tx: &mut Tx, row: &CallRow) -> Result<Option<Promise>, DeskError> {
        let mut promise = None;
        let canceled = tx.canceled_since(row, self.undone.at - Duration::microseconds(1)).await?;
        // A call that somebody asked for by itself was waited for, and its asker told.
        // A server keeps microseconds, and does not round all moments alike.
        let with_it = |r: &CallRow| r.completed_at.is_some_and(|at| (at - self.undone.at).abs() <= Duration::microseconds(1));
        for gone in canceled.iter().filter(|r| with_it(r) && r.priority < 2) {
            let Some(campaign) = tx.campaign(gone.user_id, gone.campaign_id).await? else { continue };
            let over = campaign.execution_status == Status::Completed;
            let waits = !tx.others_of_contact(gone).await?.is_empty();
            if waits || campaign.execution_status == Status::Idle || (over && campaign.status_actor != "engine") {
                continue;
            }
            if over {
                tx.move_campaign(campaign.id, Status::Completed, Status::Running, "a tag was taken back", &self.actor.name, self.now).await?;
            }
            let again = self.calling.promise(&campaign, gone, gone.dialable_at.max(self.now));
            let due = if gone.priority == 1 { again.at } else { gone.dialable_at };
            let next = NewCall { priority: gone.priority, ..retries::after(gone, due) };
            let queued = retries::insert(tx, gone.user_id, gone.campaign_id, &[next], self.now).await?;
            if queued > 0 && gone.priority == 1 && gone.campaign_id == row.campaign_id && gone.contact_id == row.contact_id {
                promise = Some(again);
            }
        }
        if let Some(promise) = &promise {
            promises::note(tx, row.id, promise.at).await?;
        }
        Ok(promise)
    }
}
