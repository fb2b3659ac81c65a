//! Another attempt at one contact, because somebody asks for it: a new row in the campaign's own queue, behind all of
//! its gates and inside the attempts of the campaign. Nothing is dialled here.

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, audit, retries};
use crate::{
    domain::{Refusal, call::State, campaign::Status, id::CallId, outcome::Outcome, retry, text::tail},
    store::{CallRow, CampaignRow, Lane, Tx},
};

/// What a call must have ended as, that nobody is called again whom it is not known that he was.
fn refusal(row: &CallRow) -> Option<&'static str> {
    match (row.state, row.outcome) {
        (state, _) if !state.is_ended() => Some("the call is not over"),
        (_, Some(Outcome::DoNotCall)) => Some("the contact asked not to be called"),
        (_, Some(Outcome::WrongNumber)) | (State::WrongNumber, _) => Some("it is a wrong number"),
        (State::Unresolved, _) => Some("nobody knows what became of this call: it is not repeated on a guess"),
        _ if row.contact_id.is_none() => Some("it was a single call: `dialdeck call` makes another"),
        _ => None,
    }
}

impl Desk {
    /// Queues another attempt after a call that has ended; which one it is.
    ///
    /// # Errors
    /// When the contact must not be called again, waits in the queue already, or has no attempt left; when the
    /// campaign does not go on.
    pub async fn call_again(&self, actor: Actor, call: CallId) -> Result<i64, DeskError> {
        let now = self.now();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { queue(tx, &actor, call, now).await })).await
    }
}

async fn queue(tx: &mut Tx, actor: &Actor, call: CallId, now: DateTime<Utc>) -> Result<i64, DeskError> {
    let row = tx.call(call).await?.filter(|r| r.user_id == actor.owner).ok_or(DeskError::NotFound("call"))?;
    if let Some(why) = refusal(&row) {
        return Err(Refusal::new("state", why).into());
    }
    if tx.is_listed(actor.owner, &row.phone_number).await? {
        return Err(Refusal::new("do_not_call", format!("{} is on the do-not-call list", tail(&row.phone_number))).into());
    }
    let campaign = tx.campaign(actor.owner, row.campaign_id).await?.ok_or(DeskError::NotFound("campaign"))?;
    let next = retries::after(&row, now);
    check_room(tx, &campaign, &row, next.attempt).await?;
    wake(tx, actor, &campaign, now).await?;
    let attempt = next.attempt;
    if retries::insert(tx, actor.owner, campaign.id, &[next], now).await? == 0 {
        return Err(Refusal::new("contacts", "the contact was deleted: nobody can be called").into());
    }
    audit(tx, actor, now, "call_again", Some(row.id.0), &serde_json::json!({ "number": tail(&row.phone_number), "attempt": attempt })).await?;
    Ok(attempt)
}

/// One open row a contact and campaign, and no attempt beyond the budget.
async fn check_room(tx: &mut Tx, campaign: &CampaignRow, row: &CallRow, attempt: i64) -> Result<(), DeskError> {
    if let Some(newer) = tx.newest_of_contact(row).await?.filter(|n| n.id != row.id && n.state.is_ended()) {
        return Err(Refusal::new("contacts", format!("this contact was called again since ({}): queue that call", newer.state.words())).into());
    }
    if let Some(other) = tx.others_of_contact(row).await?.first() {
        return Err(Refusal::new("contacts", format!("another call to this contact is {} already", other.state.words())).into());
    }
    let most = campaign.retry.0.max_attempts.min(retry::MOST_ATTEMPTS);
    if attempt > most {
        let words = format!("all {most} attempts of \"{}\" are used: more are allowed by changing the campaign", campaign.name);
        return Err(Refusal::new("contacts", words).into());
    }
    Ok(())
}

/// A campaign that ended by itself goes on for it; one that a person stopped does not.
async fn wake(tx: &mut Tx, actor: &Actor, campaign: &CampaignRow, now: DateTime<Utc>) -> Result<(), DeskError> {
    match campaign.execution_status {
        Status::Running | Status::Paused => Ok(()),
        Status::Completed if campaign.status_actor == "engine" => {
            tx.move_campaign(campaign.id, Status::Completed, Status::Running, "a call was asked for again", &actor.name, now).await?;
            Ok(())
        }
        Status::Error => Err(Refusal::new("state", format!("campaign \"{}\" cannot go on: {}", campaign.name, campaign.status_reason)).into()),
        Status::Completed | Status::Idle => {
            Err(Refusal::new("state", format!("campaign \"{}\" does not run: start it, then queue the call again", campaign.name)).into())
        }
    }
}
