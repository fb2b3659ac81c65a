//! The next attempt at a contact: a new row, due by the rule of the result, inside one budget.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, audit};
use crate::{
    domain::{
        Refusal,
        campaign::Status,
        id::{CallId, CampaignId, ContactId, OwnerId},
        legal,
        outcome::Outcome,
        place, retry,
        script::MISSING,
        stats::Counts,
        text,
    },
    store::{CallRow, CampaignRow, ContactRows, Lane, NewCall, PresentContact, Recyclable, Rounds, Tx},
};

/// Attempts that were the trunk's fault or nobody's, beside those of the budget.
const FREE_ATTEMPTS: i64 = 10;

/// Queues the next attempts after calls that have ended, while their campaigns go on.
pub(super) async fn queue(tx: &mut Tx, ended: &[&CallRow], now: DateTime<Utc>) -> Result<(), DeskError> {
    let wanted: Vec<(&CallRow, ContactId)> = ended.iter().filter(|r| may_follow(r)).filter_map(|r| Some((*r, r.contact_id?))).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let contacts: Vec<_> = wanted.iter().map(|(r, contact)| (r.campaign_id, *contact)).collect();
    let so_far: HashMap<_, ContactRows> = tx.rows_of_contacts(&contacts).await?.into_iter().map(|c| ((c.campaign_id, c.contact_id), c)).collect();
    let mut campaigns: BTreeMap<CampaignId, (CampaignRow, Vec<NewCall>)> = BTreeMap::new();
    for (row, contact) in wanted {
        let Some(done) = so_far.get(&(row.campaign_id, contact)) else { continue };
        let (campaign, calls) = match campaigns.entry(row.campaign_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let Some(campaign) = tx.campaign(row.user_id, row.campaign_id).await? else { continue };
                place.insert((campaign, Vec::new()))
            }
        };
        calls.extend(next(campaign, row, *done, now));
    }
    for (id, (campaign, calls)) in campaigns.into_iter().filter(|(_, (_, calls))| !calls.is_empty()) {
        insert(tx, campaign.user_id, id, &calls, now).await?;
    }
    Ok(())
}

/// Results that an operator may send round again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recycle {
    pub no_answer: bool,
    pub busy: bool,
    pub voicemail: bool,
    /// Promised callbacks that a stop broke, at their moment and beside the budget.
    pub callback: bool,
    /// Who was not called because the script named a field that the contact did not have.
    pub missing_field: bool,
}

impl Recycle {
    /// The words of requests.
    pub const WORDS: [&str; 5] = ["no_answer", "busy", "voicemail", "callback", "missing_field"];

    /// The same with one more.
    ///
    /// # Errors
    /// When the word is none of [`Self::WORDS`].
    pub fn with(self, word: &str) -> Result<Self, String> {
        Ok(match word {
            "no_answer" => Self { no_answer: true, ..self },
            "busy" => Self { busy: true, ..self },
            "voicemail" => Self { voicemail: true, ..self },
            "callback" => Self { callback: true, ..self },
            "missing_field" => Self { missing_field: true, ..self },
            other => return Err(format!("\"{}\" is none of {}", text::clean(other, 60), Self::WORDS.join(", "))),
        })
    }
}

/// How far a recycling has come.
#[derive(Debug, Clone, Copy)]
struct Round {
    begun: DateTime<Utc>,
    /// The last call looked at.
    after: CallId,
    queued: i64,
}

/// Calls looked at in one transaction.
const WINDOW: i64 = 500;

impl Desk {
    /// Queues contacts again whose last call ended so, inside their attempt budget; a campaign that was
    /// done goes on. In slices: who breaks off in between has queued some. Answers how many went back.
    ///
    /// # Errors
    /// When the campaign has never run, or nobody is left.
    pub async fn recycle(&self, actor: Actor, id: CampaignId, what: Recycle) -> Result<i64, DeskError> {
        let campaign = self.store.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
        if campaign.execution_status == Status::Completed {
            self.finish_stop(id).await?;
        }
        let mut round = Round { begun: self.now(), after: CallId(uuid::Uuid::nil()), queued: 0 };
        loop {
            let actor = actor.clone();
            let (queued, last) = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { recycle(tx, &actor, id, what, round).await })).await?;
            round.queued += queued;
            match last {
                Some(last) => round.after = last,
                None if round.queued > 0 => return Ok(round.queued),
                None => return Err(self.nobody_left(&campaign, what).await?.into()),
            }
        }
    }

    /// Whom another round of a campaign would find.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rounds(&self, campaign: &CampaignRow) -> Result<Rounds, DeskError> {
        Ok(self.store.of(campaign.user_id).rounds(campaign.user_id, campaign.id, attempts_of(campaign), MISSING).await?)
    }

    async fn nobody_left(&self, campaign: &CampaignRow, what: Recycle) -> Result<Refusal, DeskError> {
        let name = &campaign.name;
        if what == (Recycle { callback: true, ..Recycle::default() }) {
            return Ok(Refusal::new("contacts", format!("no promised callback of \"{name}\" was broken by a stop")));
        }
        let waiting = match self.rounds(campaign).await?.waiting {
            0 => String::new(),
            1 => "; 1 contact waits for the next attempt already".to_owned(),
            n => format!("; {n} contacts wait for their next attempt already"),
        };
        Ok(Refusal::new("contacts", format!("nobody of \"{name}\" with that result has an attempt left{waiting}")))
    }
}

fn attempts_of(campaign: &CampaignRow) -> i64 {
    campaign.retry.0.max_attempts.min(retry::MOST_ATTEMPTS)
}

/// One slice: how many were queued, and the last call looked at unless that was the end.
async fn recycle(tx: &mut Tx, actor: &Actor, id: CampaignId, what: Recycle, round: Round) -> Result<(i64, Option<CallId>), DeskError> {
    let campaign = tx.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
    if campaign.execution_status == Status::Idle {
        return Err(Refusal::new("state", format!("campaign \"{}\" has not called anybody yet", campaign.name)).into());
    }
    let over = campaign.execution_status == Status::Completed;
    // Somebody stopped it since. Over by itself it goes on.
    if over && ((campaign.status_at > round.begun && campaign.status_actor != "engine") || tx.has_pending(id).await?) {
        return Ok((0, None));
    }
    let Some(last) = tx.end_of_window(id, round.after, WINDOW).await? else { return Ok((0, None)) };
    let kept = if what.callback { bring_back(tx, actor, id, round.begun).await? } else { 0 };
    let attempts = attempts_of(&campaign);
    let reason = what.missing_field.then_some(MISSING);
    let wanted = Recyclable { no_answer: what.no_answer, busy: what.busy, voicemail: what.voicemail, reason, attempts, before: round.begun };
    let rows = tx.calls_to_recycle(id, (round.after, last), &wanted).await?;
    if rows.is_empty() && kept == 0 {
        return Ok((0, Some(last)));
    }
    let calls: Vec<NewCall> = rows.iter().map(|row| after(row, round.begun)).collect();
    let n = insert(tx, actor.owner, id, &calls, round.begun).await? + kept;
    if over {
        tx.move_campaign(id, Status::Completed, Status::Running, "recycled", &actor.name, round.begun).await?;
    }
    audit(tx, actor, round.begun, "campaign_recycled", Some(id.0), &serde_json::json!({ "queued": n })).await?;
    Ok((n, Some(last)))
}

/// Queues promised calls again that a stop broke, at their own moment or now if that has passed; how many of the
/// next slice.
pub(super) async fn bring_back(tx: &mut Tx, actor: &Actor, campaign: CampaignId, now: DateTime<Utc>) -> Result<i64, DeskError> {
    let broken = tx.broken_promises(campaign, WINDOW).await?;
    if broken.is_empty() {
        return Ok(0);
    }
    let calls: Vec<NewCall> = broken.iter().map(|row| NewCall { priority: 1, ..after(row, row.dialable_at.max(now)) }).collect();
    let n = insert(tx, actor.owner, campaign, &calls, now).await?;
    audit(tx, actor, now, "promises_brought_back", Some(campaign.0), &serde_json::json!({ "queued": n })).await?;
    Ok(n)
}

/// Rows into the queue, for whom their contacts are by now, and counted; how many were new.
pub(super) async fn insert(tx: &mut Tx, owner: OwnerId, campaign: CampaignId, calls: &[NewCall], now: DateTime<Utc>) -> Result<i64, DeskError> {
    let calls = as_they_are(tx, calls).await?;
    let n = i64::try_from(tx.insert_calls(owner, campaign, &calls, now).await?).unwrap_or(0);
    tx.add_counts(campaign, &Counts { total: n, pending: n, ..Counts::default() }).await?;
    Ok(n)
}

/// The next attempts as their contacts are by now: who was deleted is not called, and who was changed is called
/// as changed.
async fn as_they_are(tx: &mut Tx, calls: &[NewCall]) -> Result<Vec<NewCall>, DeskError> {
    let ids: Vec<ContactId> = calls.iter().filter_map(|c| c.contact_id).collect();
    let present: HashMap<ContactId, PresentContact> = tx.present_contacts(&ids).await?.into_iter().map(|c| (c.id, c)).collect();
    let now_is = |call: &NewCall| match call.contact_id {
        None => Some(call.clone()),
        Some(id) => present.get(&id).map(|c| if c.changed { to(call, c) } else { call.clone() }),
    };
    Ok(calls.iter().filter_map(now_is).collect())
}

fn to(call: &NewCall, c: &PresentContact) -> NewCall {
    NewCall {
        phone_number: c.phone_number.clone(),
        contact_name: c.name.clone(),
        contact_email: c.email.clone(),
        country: c.country.clone(),
        zones: legal::queue_key(&place::key_again(&c.phone_number, c.said.as_deref(), &c.zones), &c.country, &c.phone_number),
        ..call.clone()
    }
}

/// The row of the next attempt after this one.
pub(super) fn after(row: &CallRow, due: DateTime<Utc>) -> NewCall {
    NewCall {
        id: CallId::fresh(),
        contact_id: row.contact_id,
        phone_number: row.phone_number.clone(),
        contact_name: row.contact_name.clone(),
        contact_email: row.contact_email.clone(),
        country: row.country.clone(),
        zones: row.zones.clone(),
        position: row.position,
        attempt: row.attempt.saturating_add(i64::from(row.charged)),
        dialable_at: due,
        priority: 0,
    }
}

/// Whether any rule could call for another attempt after this result.
fn may_follow(row: &CallRow) -> bool {
    let settled = matches!(row.outcome, Some(Outcome::DoNotCall | Outcome::WrongNumber));
    !settled && retry::may_follow(row.state, row.charged)
}

fn next(campaign: &CampaignRow, row: &CallRow, done: ContactRows, now: DateTime<Utc>) -> Option<NewCall> {
    let goes_on = matches!(campaign.execution_status, Status::Running | Status::Paused | Status::Error);
    let rules = &campaign.retry.0;
    // One open row a contact and campaign: a claimed next attempt stands. And what charges no attempt
    // must still come to an end.
    if !goes_on || done.open > 0 || done.total >= rules.max_attempts.min(retry::MOST_ATTEMPTS) + FREE_ATTEMPTS {
        return None;
    }
    let due = retry::next_attempt(rules, row.state, row.attempt, row.charged, now)?;
    // A promised call that rang nobody is still promised.
    let priority = if row.charged { 0 } else { row.priority };
    Some(NewCall { priority, ..after(row, due) })
}
