//! Calls that somebody asks for, one at a time. A row with a priority of its own goes into the queue, an engine
//! takes it at once, by the same gates, arm and evidence as any other; it is dialled soon or never. Who asked
//! waits on the row, and is told which gate was closed. What is not armed does not stay behind.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::{
    Actor, Claimed, Desk, DeskError, Installation, Outgoing,
    arm::{Whose, judge},
    audit, claim,
    requests::NOBODY,
    retries,
};
use crate::{
    domain::{
        Refusal,
        call::{BY_HAND, State},
        campaign::{ContactSource, Settings, Status},
        dispatch::{self, Closed, Closes, Gate, History},
        id::{AssistantId, CallId, CampaignId, Incarnation},
        legal,
        phone::{Parsed, PhoneNumber},
        place::{self, Said},
        rules::Rules,
        schedule::{self, Days},
        stats::Counts,
        text::tail,
        zone::Zone,
    },
    store::{CallRow, CampaignRow, ClaimRow, Lane, NewCall, NewCampaign, Setting, Tx},
};

/// A call that somebody asks for.
#[derive(Debug, Clone)]
pub struct ByHand {
    /// `None`: the owner's built-in campaign of single calls.
    pub campaign: Option<CampaignId>,
    /// Who speaks; where a campaign is named, its own.
    pub assistant: Option<AssistantId>,
    /// A trunk at `LiveKit` that the call is to go out by.
    pub trunk: Option<String>,
    pub number: Parsed,
    pub contact_name: String,
    /// One of the assistant's own numbers.
    pub from: Option<PhoneNumber>,
    /// What the agent is told instead of the campaign's script.
    pub prompt: Option<String>,
    /// Of the built-in campaign, where it is made now.
    pub timezone: Zone,
    /// The request's key: under one key one call is made, whatever dies in between.
    pub key: Option<String>,
}

/// What nobody has taken by then is not dialled later by surprise.
const SOON: Duration = Duration::seconds(10);
/// Nor what nobody has armed by then.
const LONGEST: Duration = Duration::seconds(30);
/// A key means the same request so long.
const KEYS: Duration = Duration::hours(24);
/// A gate that opens within this by itself is waited for with the agent in the room.
const PACE: Duration = Duration::seconds(5);

/// The name of the built-in campaign.
pub const MANUAL: &str = "Manual";

/// A job that changed nothing: undone, so that no bell rings for it.
enum Untaken {
    Nothing,
    Desk(DeskError),
}

impl<E: Into<DeskError>> From<E> for Untaken {
    fn from(e: E) -> Self {
        Self::Desk(e.into())
    }
}

impl Desk {
    /// Puts a call into the queue that an engine takes at once; or answers the one that its key has asked for
    /// already.
    ///
    /// # Errors
    /// Every field that is wrong; a gate of the installation; no engine (gate `engine`). Nothing is left behind.
    pub async fn call_by_hand(&self, actor: Actor, ask: ByHand) -> Result<CallId, DeskError> {
        dispatch::installation(&self.standing().await?).map_err(Refusal::from)?;
        if let Some(words) = self.no_engine().await? {
            return Err(Refusal::new(Gate::Engine.word(), words).into());
        }
        let now = self.now();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { queue(tx, &actor, &ask, now).await })).await
    }

    /// Waits until a call that was asked for is armed: a phone may be ringing. One that nobody takes or arms in
    /// time is taken back.
    ///
    /// # Errors
    /// The gate that was closed.
    pub async fn dialled(&self, call: CallId) -> Result<CallRow, DeskError> {
        let begun = self.now();
        let mut bell = self.store.bell();
        loop {
            bell.borrow_and_update();
            let row = self.store.any_call(call).await?.ok_or(DeskError::NotFound("call"))?;
            if row.armed_at.is_some() {
                return Ok(row);
            }
            if row.state.is_ended() {
                return Err(self.why_not(&row).await?.into());
            }
            let now = self.now();
            let waited = now - begun;
            if waited >= LONGEST || (waited >= SOON && row.state == State::Pending) {
                self.refuse_asked(call, Closed::new(Gate::Engine, NOBODY)).await?;
                continue;
            }
            self.rung(&mut bell, now).await;
        }
    }

    /// Waits until somebody has answered a call, or it is over, at most so long.
    pub async fn settled(&self, call: CallId, within: Duration) -> Result<CallRow, DeskError> {
        self.wait_for(call, within, |row| row.state == State::Answered || row.state.is_ended()).await
    }

    /// Waits until a call is over, at most so long.
    pub async fn over(&self, call: CallId, within: Duration) -> Result<CallRow, DeskError> {
        self.wait_for(call, within, |row| row.state.is_ended()).await
    }

    async fn wait_for(&self, call: CallId, within: Duration, holds: impl Fn(&CallRow) -> bool) -> Result<CallRow, DeskError> {
        let until = self.now() + within;
        let mut bell = self.store.bell();
        loop {
            bell.borrow_and_update();
            let row = self.store.any_call(call).await?.ok_or(DeskError::NotFound("call"))?;
            let now = self.now();
            if holds(&row) || now >= until {
                return Ok(row);
            }
            self.rung(&mut bell, now).await;
        }
    }

    /// The gate that was closed to a call, as its evidence has it.
    async fn why_not(&self, row: &CallRow) -> Result<Refusal, DeskError> {
        let evidence = self.store.audit_of(row.user_id, row.id.0).await?;
        let details = evidence.iter().rev().find(|a| a.action == "call_not_armed").map(|a| &a.details.0);
        let gate = details.and_then(|d| d["gate"].as_str()).and_then(Gate::named);
        // What takes it out of the queue without a gate: the list, or whoever stopped its campaign.
        let gate = gate.map_or_else(|| if row.reason.contains("do-not-call") { Gate::DoNotCall.word() } else { Gate::State.word() }, Gate::word);
        Ok(Refusal { gate, message: row.reason.clone(), until: details.and_then(|d| d["until"].as_str()).and_then(|t| t.parse().ok()) })
    }

    /// Leases a call that was asked for, where every gate is open; `None` when it is not to be made.
    pub async fn claim_asked(&self, installation: Installation, call: CallId, mine: Incarnation, lease: Duration) -> Result<Option<Claimed>, DeskError> {
        let (rules, clock) = (self.rules.clone(), self.clock.clone());
        let job = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { lease_one(tx, &rules, call, mine, lease, clock.now()).await }));
        match job.await {
            Ok(Some(Leased { row, told, campaign, outgoing })) => Ok(self.render(installation, &Arc::new(campaign), &outgoing, vec![(row, told)]).await?.pop()),
            Ok(None) | Err(Untaken::Nothing) => Ok(None),
            Err(Untaken::Desk(e)) => Err(e),
        }
    }

    /// Ends a call that was asked for and is not armed, with the gate that was closed to it.
    pub async fn refuse_asked(&self, call: CallId, closed: Closed) -> Result<(), DeskError> {
        let clock = self.clock.clone();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let unarmed = |r: &CallRow| r.priority == BY_HAND && matches!(r.state, State::Pending | State::Claimed);
                    match tx.call(call).await?.filter(unarmed) {
                        Some(row) => claim::turn_away(tx, &row, &closed, clock.now()).await,
                        None => Ok(()),
                    }
                })
            })
            .await
    }
}

async fn queue(tx: &mut Tx, actor: &Actor, ask: &ByHand, now: DateTime<Utc>) -> Result<CallId, DeskError> {
    if let Some(key) = &ask.key
        && let Some(known) = tx.call_of_key(actor.owner, key, now - KEYS).await?
    {
        return Ok(known);
    }
    let campaign = campaign_of(tx, actor, ask, now).await?;
    if campaign.execution_status == Status::Error {
        return Err(Refusal::new("state", format!("campaign \"{}\" cannot go on: {}", campaign.name, campaign.status_reason)).into());
    }
    let from = ask.from.as_ref().map(PhoneNumber::as_str);
    let Some(way) = tx.outgoing_by(campaign.assistant_id, from, ask.trunk.as_deref()).await? else { return Err(no_way(ask, &campaign)) };
    let zones = place::whereabouts(&ask.number, &Said::default()).0;
    let call = NewCall {
        id: CallId::fresh(),
        contact_id: None,
        zones: legal::queue_key(&zones, &ask.number.country, ask.number.number.as_str()),
        phone_number: ask.number.number.to_string(),
        contact_name: ask.contact_name.clone(),
        contact_email: String::new(),
        country: ask.number.country.clone(),
        position: 0,
        attempt: 1,
        dialable_at: now,
        priority: BY_HAND,
    };
    let id = call.id;
    let details = json!({ "number": tail(&call.phone_number), "campaign": campaign.id });
    retries::insert(tx, actor.owner, campaign.id, &[call], now).await?;
    if !tx.put_wishes(id, &way.caller_id, ask.prompt.as_deref(), ask.key.as_deref()).await? {
        return Err(crate::store::StoreError::moved().into());
    }
    audit(tx, actor, now, "call_asked", Some(id.0), &details).await?;
    Ok(id)
}

/// Why the call has no way out.
fn no_way(ask: &ByHand, campaign: &CampaignRow) -> DeskError {
    if ask.from.is_some() {
        return DeskError::field("fromNumber", "is no number that the assistant calls from: leave it out, or assign it with a trunk");
    }
    if ask.trunk.is_some() {
        return DeskError::field("outboundTrunkId", "is no trunk that the assistant calls by: leave it out, or assign it a number on that trunk");
    }
    let words = format!(
        "No outbound trunk found for assistant \"{}\": assign it a number with `dialdeck number assign` or POST /phone-numbers/assign",
        campaign.assistant_name
    );
    Refusal::new("trunk", words).into()
}

/// The campaign that was named, or the built-in one of the assistant.
async fn campaign_of(tx: &mut Tx, actor: &Actor, ask: &ByHand, now: DateTime<Utc>) -> Result<CampaignRow, DeskError> {
    if let Some(id) = ask.campaign {
        let row = tx.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
        if ask.assistant.is_some_and(|a| a != row.assistant_id) {
            return Err(DeskError::field("assistantId", format!("is not the campaign's assistant, \"{}\": leave it out", row.assistant_name)));
        }
        return Ok(row);
    }
    let Some(assistant) = ask.assistant else { return Err(DeskError::field("assistantId", "who is to call? Name the assistant, or a campaign")) };
    if tx.assistant(actor.owner, assistant).await?.is_none() {
        return Err(DeskError::field("assistantId", "no such assistant"));
    }
    let id = match tx.manual_campaign(actor.owner, assistant).await? {
        Some(id) => id,
        None => make_manual(tx, actor, assistant, ask.timezone, now).await?,
    };
    tx.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))
}

/// No hours of its own and no delay: who asks is there. The law, do-not-call and the trunk hold.
async fn make_manual(tx: &mut Tx, actor: &Actor, assistant: AssistantId, zone: Zone, now: DateTime<Utc>) -> Result<CampaignId, DeskError> {
    let mut settings = Settings { calling_days: Days::ALL, start_hour: 0, end_hour: 0, call_delay_ms: 0, ..Settings::defaults(zone) };
    settings.retry.max_attempts = 1;
    let id = CampaignId::fresh();
    let campaign = NewCampaign {
        id,
        owner: actor.owner,
        name: MANUAL.to_owned(),
        assistant,
        source: ContactSource::ContactList,
        source_id: None,
        prompt: String::new(),
        agent_name: None,
        settings,
    };
    tx.insert_campaign(&campaign, now).await?;
    tx.mark_manual(id).await?;
    audit(tx, actor, now, "campaign_created", Some(id.0), &json!({ "name": MANUAL })).await?;
    Ok(id)
}

/// A call that may be prepared.
struct Leased {
    row: CallRow,
    told: ClaimRow,
    campaign: CampaignRow,
    outgoing: Outgoing,
}

/// Claims one call, and judges every gate before an agent is called for it.
async fn lease_one(tx: &mut Tx, rules: &Rules, call: CallId, mine: Incarnation, lease: Duration, now: DateTime<Utc>) -> Result<Option<Leased>, Untaken> {
    if tx.setting(Setting::Leader).await?.is_some_and(|l| l != mine.to_string()) {
        return Err(Untaken::Nothing);
    }
    let Some(row) = tx.claim_asked(call, mine, lease, now).await? else { return Err(Untaken::Nothing) };
    tx.add_counts(row.campaign_id, &Counts { pending: -1, processing: 1, ..Counts::default() }).await?;
    match way_of(tx, rules, &row, now).await? {
        Ok((campaign, outgoing)) => {
            let told = tx.claim_rows(&[row.id], now - History::REACH).await?.pop().ok_or(Untaken::Nothing)?;
            Ok(Some(Leased { row, told, campaign, outgoing }))
        }
        Err(closed) => {
            claim::turn_away(tx, &row, &closed, now).await?;
            Ok(None)
        }
    }
}

async fn way_of(tx: &mut Tx, rules: &Rules, row: &CallRow, now: DateTime<Utc>) -> Result<Result<(CampaignRow, Outgoing), Closed>, DeskError> {
    if now - row.created_at > SOON {
        return Ok(Err(Closed::new(Gate::Engine, NOBODY)));
    }
    let Some(campaign) = tx.campaign(row.user_id, row.campaign_id).await? else {
        return Ok(Err(Closed::new(Gate::State, "the campaign was deleted")));
    };
    let way = tx.outgoing_by(campaign.assistant_id, row.caller_id.as_deref(), None).await?;
    let Some(outgoing) = way.map(Outgoing::from) else {
        return Ok(Err(dispatch::trunk(None, now).err().unwrap_or_else(|| Closed::new(Gate::Trunk, "there is no trunk"))));
    };
    let day = schedule::local_day(campaign.zone(), now);
    let facts = tx.arm_facts(row.id, &campaign, outgoing.trunk, &outgoing.caller_id, day, now - History::REACH).await?;
    let Some(facts) = facts else { return Ok(Err(Closed::new(Gate::State, "the campaign was deleted"))) };
    let brake = if facts.any_without_agent { super::protect::brake(tx, &rules.breaker, campaign.id, now).await? } else { None };
    let script = row.script.as_deref().unwrap_or_else(|| campaign.script());
    let judged = judge(rules, &campaign, Whose::Asked { has_script: !script.trim().is_empty() }, brake, &facts, now);
    let passes = |c: &Closed| c.gate.closes() == Closes::Pace && c.until.is_some_and(|t| t - now <= PACE);
    Ok(match judged {
        Err(closed) if !passes(&closed) => Err(closed),
        Ok(()) | Err(_) => Ok((campaign, outgoing)),
    })
}

/// Takes what was asked for and is not armed out of the queue, of one campaign or of all: whoever stops it
/// stops this too.
pub(super) async fn cancel_asked(tx: &mut Tx, campaign: Option<CampaignId>, closed: &Closed, now: DateTime<Utc>) -> Result<(), DeskError> {
    for row in tx.asked_unarmed(campaign).await? {
        // A claimed one of all is released with the other claims of its engine, and its room with it.
        if campaign.is_some() || row.state == State::Pending {
            claim::turn_away(tx, &row, closed, now).await?;
        }
    }
    Ok(())
}
