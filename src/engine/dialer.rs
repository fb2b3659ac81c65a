//! One call from its claim to its dial: room and agent first (harmless, repeatable), then arm, then
//! the one request. The only caller of [`Carrier::dial`].

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use super::{
    Engine,
    follow::{Follow, PendingReply},
};
use crate::{
    desk::{Armed, Claimed, Refused},
    domain::{
        dispatch::Scope,
        event::{CallEvent, Fault, Kind, Reply, Source, Target},
        id::CallId,
        text::tail,
    },
    failpoint::reach,
    store::CampaignRow,
    telephony::{CarrierError, DialRequest, Ticket},
};

/// Between two looks for the agent.
const AGENT_POLL: Duration = Duration::milliseconds(150);

/// A prepared call waits for its turn no longer: its agent is needed elsewhere.
const PATIENCE: Duration = Duration::seconds(20);

/// A request that is not on its way this long after arming is not sent.
const SEND_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// What the agent is told, in this order. Never the number or a trunk: existing workers dial when
/// they see one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    prompt: &'a str,
    contact_name: &'a str,
    company: &'a str,
    campaign_id: String,
    call_id: String,
    assistant_id: String,
    call_type: &'static str,
    language: &'a str,
    outcome_url: Option<String>,
    outcome_token: Option<String>,
    v: u8,
}

enum Unready {
    NoAgent,
    Network(CarrierError),
}

impl Engine {
    /// Takes one claimed call to its end.
    pub(super) async fn dial(self: Arc<Self>, claimed: Claimed) {
        let armed = self.prepare_and_arm(&claimed).await;
        if armed.is_some() {
            // Before it is no longer being prepared: a drain must see it in one or the other.
            self.begin_to_follow(claimed.call);
        }
        self.preparing.lock().end(claimed.campaign.id, claimed.outgoing.trunk);
        self.freed.notify_one();
        if let Some((armed, ticket)) = armed {
            self.send_and_follow(claimed, armed, ticket).await;
        }
    }

    async fn prepare_and_arm(&self, claimed: &Claimed) -> Option<(Armed, Ticket)> {
        if let Err(wait) = self.sip_trial() {
            self.give_back(claimed, wait, "waits for a SIP service").await;
            return None;
        }
        match self.prepare(claimed).await {
            Ok(()) => {}
            Err(Unready::NoAgent) => {
                self.agent_missing(&claimed.campaign, &self.agent_of(&claimed.campaign)).await;
                self.send_away(claimed).await;
                self.give_back(claimed, Duration::seconds(5), "no agent worker took the call").await;
                return None;
            }
            Err(Unready::Network(e)) => {
                self.network_failed(&e).await;
                self.give_back(claimed, Duration::seconds(5), &e.to_string()).await;
                return None;
            }
        }
        self.arm(claimed).await
    }

    /// The agent worker's name: the campaign's, else the assistant's, else the configured one.
    pub(super) fn agent_of(&self, campaign: &CampaignRow) -> String {
        let named = |n: &Option<String>| n.clone().filter(|n| !n.trim().is_empty());
        named(&campaign.agent_name).or_else(|| named(&campaign.assistant_agent_name)).unwrap_or_else(|| self.config.agent_name.clone())
    }

    /// Dispatches the agent and waits until exactly one is seen in the room.
    async fn prepare(&self, claimed: &Claimed) -> Result<(), Unready> {
        if !self.config.require_agent {
            return Ok(());
        }
        let agent = self.agent_of(&claimed.campaign);
        reach("prepare.begin");
        let dispatched = self.carrier.dispatch(claimed.room.clone(), agent.clone(), self.metadata(claimed)).await;
        reach("prepare.dispatched");
        dispatched.map_err(Unready::Network)?;
        let until = self.clock.now() + self.config.agent_wait;
        loop {
            self.sleep(AGENT_POLL).await;
            let here = self.carrier.look(claimed.room.clone()).await.map_err(Unready::Network)?;
            reach("prepare.looked");
            let active = here.iter().filter(|p| p.is_agent(&agent)).filter(|p| p.active).count();
            if active == 1 && here.iter().filter(|p| p.is_agent(&agent)).count() == 1 {
                self.agent_seen(&claimed.campaign).await;
                reach("prepare.agent_seen");
                return Ok(());
            }
            // Two agents would talk over each other: the room is given up.
            if active > 1 || self.clock.now() >= until {
                return Err(Unready::NoAgent);
            }
        }
    }

    fn metadata(&self, claimed: &Claimed) -> String {
        let campaign = &claimed.campaign;
        let outcome_url = self.config.public_url.as_ref().map(|u| format!("{}/api/v1/outbound-calls/{}/outcome", u.trim_end_matches('/'), claimed.call));
        let until = self.clock.now() + Duration::seconds(campaign.max_call_duration_s) + Duration::minutes(15);
        let outcome_token = outcome_url.as_ref().and_then(|_| (self.config.outcome_token)(claimed.call, campaign.user_id, until));
        let metadata = Metadata {
            prompt: &claimed.script,
            contact_name: &claimed.contact_name,
            company: &claimed.company,
            campaign_id: campaign.id.to_string(),
            call_id: claimed.call.to_string(),
            assistant_id: campaign.assistant_id.to_string(),
            call_type: "campaign",
            language: &campaign.assistant_language,
            outcome_url,
            outcome_token,
            v: 1,
        };
        serde_json::to_string(&metadata).unwrap_or_default()
    }

    /// Waits for the call's turn and passes every gate again; the ticket is minted before the commit.
    async fn arm(&self, claimed: &Claimed) -> Option<(Armed, Ticket)> {
        let patience = self.clock.now() + PATIENCE;
        loop {
            let words = if self.may_not_dial() || self.clock.stepped().is_some() {
                Some("the engine is ending, or its host's clock was set")
            } else {
                self.outage_known().then_some("LiveKit or its SIP service is away")
            };
            if let Some(words) = words {
                self.send_away(claimed).await;
                self.give_back(claimed, Duration::zero(), words).await;
                return None;
            }
            let ticket = match self.carrier.ticket() {
                Ok(ticket) => ticket,
                Err(e) => {
                    self.network_failed(&e).await;
                    self.send_away(claimed).await;
                    self.give_back(claimed, Duration::seconds(30), &e.to_string()).await;
                    return None;
                }
            };
            reach("arm.ticket");
            match self.desk.arm(claimed.clone(), self.incarnation).await {
                Ok(Ok(armed)) => return Some((armed, ticket)),
                Ok(Err(Refused::Wait(at))) if at.max(self.clock.now()) < patience => self.clock.sleep_until(at).await,
                Ok(Err(Refused::Wait(_))) => {
                    self.send_away(claimed).await;
                    self.give_back(claimed, Duration::seconds(2), "waited too long for its turn").await;
                    return None;
                }
                Ok(Err(Refused::Gate(closed))) => {
                    tracing::info!(target: "engine", gate = closed.gate.word(), "not dialled {}: {closed}", tail(&claimed.number));
                    if closed.gate.scope() != Scope::Contact {
                        self.preparing.lock().disagree(claimed.campaign.id, self.clock.now());
                    }
                    self.send_away(claimed).await;
                    return None;
                }
                Ok(Err(Refused::Lost)) => {
                    self.send_away(claimed).await;
                    return None;
                }
                Err(e) => {
                    // The commit is in doubt: the call is not sent; reconcile reads the row.
                    tracing::error!(target: "engine", error = %e, "a call could not be armed");
                    self.send_away(claimed).await;
                    self.give_back(claimed, Duration::seconds(5), "could not be armed").await;
                    return None;
                }
            }
        }
    }

    /// Deletes the room of a call that is not dialled, with the agent in it.
    async fn send_away(&self, claimed: &Claimed) {
        if let Err(e) = self.carrier.delete_room(claimed.room.clone()).await {
            tracing::debug!(target: "engine", error = %e, "a room could not be deleted; it closes by itself");
        }
    }

    async fn give_back(&self, claimed: &Claimed, wait: Duration, reason: &str) {
        let due = self.clock.now() + wait;
        if let Err(e) = self.desk.release(claimed.call, claimed.claim_number, due, reason.to_owned()).await {
            tracing::warn!(target: "engine", error = %e, "a claim could not be given back; it runs out by itself");
        }
    }

    async fn send_and_follow(self: Arc<Self>, claimed: Claimed, armed: Armed, ticket: Ticket) {
        let call = armed.call();
        tracing::info!(target: "engine", call = %call, "dial {} \"{}\" attempt {}", tail(&claimed.number), claimed.campaign.name, claimed.attempt);
        let follow = Follow::armed(&armed, claimed.campaign.clone(), self.agent_of(&claimed.campaign));
        let pending: PendingReply = {
            let engine = self.clone();
            let (campaign, armed_at) = (claimed.campaign.clone(), armed.at);
            // On its own: the request must not wait for a look at the room.
            tokio::spawn(async move {
                let event = engine.place(armed, ticket).await;
                match &event.kind {
                    Kind::Reply(Reply::Unsent { fault, .. }) => engine.dial_unsent(&campaign, *fault).await,
                    // What nobody knows proves nothing.
                    Kind::Reply(Reply::Unknown { .. }) => {}
                    _ => engine.dial_sent(campaign.id, armed_at).await,
                }
                event
            })
        };
        self.clone().follow(follow, Some(pending)).await;
        self.followed.lock().remove(&call);
    }

    /// Sends the one request and reads its reply as a fact.
    async fn place(&self, armed: Armed, ticket: Ticket) -> CallEvent {
        let (call, number) = (armed.call(), tail(&armed.claimed.number));
        reach("dial.begin");
        let late = self.clock.uptime().saturating_sub(armed.judged) > SEND_WITHIN;
        let reply = if late {
            Reply::Unsent { fault: Fault::Late, reason: "this host was too slow: not sent".to_owned() }
        } else {
            let mut sent = self.carrier.dial(ticket, request_of(&armed));
            // The first look at it puts the request on its way.
            let first = futures_util::poll!(&mut sent);
            reach("dial.sent");
            match first {
                std::task::Poll::Ready(reply) => reply,
                std::task::Poll::Pending => sent.await,
            }
        };
        reach("dial.replied");
        log_reply(call, &number, &reply);
        reply_event(call, reply, self.clock.now())
    }
}

fn request_of(armed: &Armed) -> DialRequest {
    let (claimed, campaign) = (&armed.claimed, &armed.claimed.campaign);
    let seconds = |s: i64| std::time::Duration::from_secs(u64::try_from(s).unwrap_or(0));
    DialRequest {
        trunk: claimed.outgoing.livekit_trunk.clone(),
        number: claimed.number.clone(),
        caller_id: claimed.outgoing.caller_id.clone(),
        room: claimed.room.clone(),
        contact_name: claimed.contact_name.clone(),
        ring_timeout: seconds(campaign.ring_timeout_s),
        max_call_duration: seconds(campaign.max_call_duration_s),
        timeout: seconds(campaign.ring_timeout_s + 20),
    }
}

fn reply_event(call: CallId, reply: Reply, now: DateTime<Utc>) -> CallEvent {
    CallEvent {
        key: format!("dial:{call}"),
        target: Target::Call(call),
        source: Source::Dial,
        at: now,
        raw: serde_json::to_value(&reply).unwrap_or_default(),
        kind: Kind::Reply(reply),
    }
}

/// One line a reply, with the call and the end of its number: several are out at once.
fn log_reply(call: CallId, to: &str, reply: &Reply) {
    match reply {
        Reply::Answered { .. } => tracing::info!(target: "livekit", %call, "{to} answered"),
        Reply::Ended { sip_code, reason, .. } => tracing::info!(target: "livekit", %call, sip_code = sip_code.unwrap_or(0), "{to} ended: {reason}"),
        Reply::TimedOut { reason } => tracing::info!(target: "livekit", %call, "{to} not answered: {reason}"),
        Reply::Unsent { reason, .. } => tracing::error!(target: "livekit", %call, "{to} not sent: {reason}"),
        Reply::Refused { reason, sip_code } => {
            tracing::warn!(target: "livekit", %call, sip_code = sip_code.unwrap_or(0), "{to} turned away by the trunk: {reason}");
        }
        Reply::Unknown { reason } => tracing::error!(target: "livekit", %call, "{to}: nobody knows whether it rang: {reason}"),
    }
}
