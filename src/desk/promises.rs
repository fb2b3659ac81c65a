//! Callbacks that were promised to a contact, for a moment that law and campaign allow.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, dnc, hours, retries};
use crate::{
    domain::{
        Refusal,
        campaign::Status,
        dispatch::Closure,
        id::CallId,
        rules::Rules,
        text::{self, clean},
        zone,
    },
    store::{CallRow, CampaignRow, NewCall, PromisedCall, Tx},
};

/// A call that was promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    pub asked: DateTime<Utc>,
    /// When it is made: the first moment from then on that law and campaign allow.
    pub at: DateTime<Utc>,
    /// The same on the contact's own clock, with the reason of any difference.
    pub words: String,
}

/// What a stop did.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    pub canceled: i64,
    pub live: i64,
    /// Callbacks that were promised, among those canceled.
    pub promises: i64,
    /// To whom and for when, the first of them.
    pub promised: Vec<PromisedCall>,
}

/// Callbacks with a moment each that are told one by one.
const TOLD: usize = 4;

/// `2 promised callbacks: Ana Lima Sat 15:10, Ben Roy Mon 09:00`; `at` tells a moment.
#[must_use]
pub fn promised_words(all: &[PromisedCall], at: impl Fn(DateTime<Utc>) -> String) -> String {
    let who = |p: &PromisedCall| if p.contact_name.is_empty() { text::tail(&p.phone_number) } else { clean(&p.contact_name, 40) };
    let each: Vec<String> = all.iter().take(TOLD).map(|p| format!("{} {}", who(p), at(p.due))).collect();
    let more = if all.len() > TOLD { format!(" and {} more", all.len() - TOLD) } else { String::new() };
    let n = if all.len() == 1 { "1 promised callback".to_owned() } else { format!("{} promised callbacks", all.len()) };
    format!("{n}: {}{more}", each.join(", "))
}

impl Stopped {
    /// What was promised and is not kept, in words; empty when nothing was.
    #[must_use]
    pub fn broken(&self) -> String {
        if self.promises == 0 {
            return String::new();
        }
        let told = promised_words(&self.promised, |t| t.format("%a %H:%M UTC").to_string());
        format!(", not kept: {told}; a start or `recycle callback` brings them back")
    }
}

/// What says when somebody may be called.
#[derive(Clone)]
pub(super) struct Calling {
    rules: Arc<Rules>,
    closures: Vec<Closure>,
}

/// Law and campaign are asked in turn, each from the other's opening on, so often before no hour suits both.
const ROUNDS: usize = 50;

impl Desk {
    pub(super) async fn calling(&self) -> Result<Calling, DeskError> {
        Ok(Calling { rules: self.rules.clone(), closures: self.closures().await? })
    }
}

impl Calling {
    fn closure(&self, key: &str, at: DateTime<Utc>) -> Option<&Closure> {
        self.closures.iter().find(|c| c.holds_at(at) && zone::states_of(key).any(|p| c.covers(p)))
    }

    /// The first moment when everything that goes by the clock is open; `None` when nobody knows one.
    fn opens(&self, campaign: &CampaignRow, key: &str, asked: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut at = asked;
        for _ in 0..ROUNDS {
            let lawful = hours::find(&self.rules, key, at).opens?;
            let open = self.closure(key, lawful).map_or(Some(lawful), |c| c.until)?;
            let next = campaign.window().next_open(campaign.zone(), open)?;
            if next == at {
                return Some(at);
            }
            at = next;
        }
        None
    }

    /// What is closed at a moment, in words.
    fn closed(&self, key: &str, at: DateTime<Utc>) -> String {
        let hours = hours::find(&self.rules, key, at);
        match self.closure(key, at) {
            Some(c) => format!("{} is closed then ({})", c.place, c.reason),
            None if hours.awake => "that is outside the campaign's hours".to_owned(),
            None => format!("the law is closed then ({})", hours.law),
        }
    }

    pub(super) fn promise(&self, campaign: &CampaignRow, row: &CallRow, asked: DateTime<Utc>) -> Promise {
        let key = row.zones.as_str();
        let clock = zone::parse_key(key).and_then(|z| z.first().copied()).unwrap_or_else(|| campaign.zone());
        let say = |t: DateTime<Utc>| t.with_timezone(&clock).format("%a %F %H:%M %Z").to_string();
        let opens = self.opens(campaign, key, asked);
        let words = match opens {
            Some(at) if at == asked => format!("to be called {}", say(at)),
            Some(at) => format!("to be called {}, not {}: {}", say(at), say(asked), self.closed(key, asked)),
            None => format!("no moment is known at which this number may be called; it is judged again {}", say(asked)),
        };
        Promise { asked, at: opens.unwrap_or(asked), words }
    }
}

/// The call the contact asked for: a new row, due at the first moment from the one chosen that is allowed, behind
/// all gates. Beside the attempt budget, which bounds calls that nobody asked for.
pub(super) async fn queue(
    tx: &mut Tx,
    actor: &Actor,
    row: &CallRow,
    due: DateTime<Utc>,
    calling: &Calling,
    now: DateTime<Utc>,
) -> Result<Option<Promise>, DeskError> {
    let Some(campaign) = tx.campaign(row.user_id, row.campaign_id).await? else { return Ok(None) };
    if campaign.execution_status == Status::Idle {
        let words = format!(
            "campaign \"{}\" does not run, so nobody would keep the promise: record the callback without a moment, and call again by hand",
            campaign.name
        );
        return Err(Refusal::new("state", words).into());
    }
    // A campaign that ended by itself goes on for the callback; one that a person stopped does not.
    if campaign.execution_status == Status::Completed {
        if campaign.status_actor != "engine" {
            return Err(Refusal::new("state", format!("campaign \"{}\" was stopped: start it again before promising a callback", campaign.name)).into());
        }
        tx.move_campaign(campaign.id, Status::Completed, Status::Running, "a callback is due", &actor.name, now).await?;
    }
    if !row.state.is_ended() {
        return Err(Refusal::new("state", "a callback can be promised once the call has ended: tag it then").into());
    }
    // The moment named last counts.
    cancel_next(tx, row, "another callback was promised", now).await?;
    let promise = calling.promise(&campaign, row, due);
    let next = NewCall { attempt: row.attempt.saturating_add(1), priority: 1, ..retries::after(row, promise.at) };
    if retries::insert(tx, row.user_id, row.campaign_id, &[next], now).await? == 0 {
        return Err(Refusal::new("contacts", "the contact was deleted: nobody can be called back").into());
    }
    note(tx, row.id, promise.at).await?;
    Ok(Some(promise))
}

/// Writes the moment beside the tag that promised it.
pub(super) async fn note(tx: &mut Tx, call: CallId, at: DateTime<Utc>) -> Result<(), DeskError> {
    Ok(tx.note_callback(call, at).await?)
}

/// Takes the contact's next attempt out of the campaign's queue.
pub(super) async fn cancel_next(tx: &mut Tx, row: &CallRow, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    for other in tx.others_of_contact(row).await?.into_iter().filter(|o| !o.state.is_open()) {
        dnc::cancel(tx, other, reason, now).await?;
    }
    Ok(())
}
