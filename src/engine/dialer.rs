//! One call from its claim to its dial: room and agent first (harmless, repeatable), then arm, then
//! the one request. The only caller of [`Carrier::dial`](crate::telephony::Carrier::dial).

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::{
    agent::{Agent, Unready},
    calls::Calls,
    context::Context,
    follower::{Follow, Follower},
    health::Health,
    supervisor::Supervisor,
};
use crate::{
    desk::{Armed, Claimed, Refused},
    domain::{
        dispatch::{Closed, Gate, Scope},
        event::{CallEvent, Fault, Kind, Lost, Reply, Source, Target},
        id::CallId,
        text::tail,
    },
    failpoint::reach,
    store::CampaignRow,
    telephony::{DialRequest, Ticket},
};

/// A prepared call waits for its turn no longer: its agent is needed elsewhere.
const PATIENCE: Duration = Duration::seconds(20);

/// Somebody waits for a call that they asked for.
const SHORT_PATIENCE: Duration = Duration::seconds(8);

/// A request that is not on its way this long after arming is not sent.
const SEND_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// A request's own limit comes first; this long after it, it is given up from outside.
const GRACE: Duration = Duration::seconds(1);

/// A row that was claimed so often in vain may be what is wrong itself: it goes behind the others.
const KEEPS_PLACE: i64 = 5;

/// Who falls behind the others is due again after this.
const AGAIN: Duration = Duration::seconds(5);

/// The place in the queue of a row that is given back.
enum Place {
    /// Whatever is in the way is in the way of the whole campaign, which waits for it.
    Kept,
    /// It may be the row itself.
    Behind,
}

/// What is in the way is ours, not the contact's.
fn engine(words: impl Into<String>) -> Closed {
    Closed::new(Gate::Engine, words)
}

/// Takes one claimed call to its dial.
pub(super) struct Dialler {
    pub ctx: Arc<Context>,
    pub health: Arc<Health>,
    pub calls: Arc<Calls>,
    pub supervisor: Arc<Supervisor>,
    pub claimed: Claimed,
}

impl Dialler {
    /// Counts the call and starts its task.
    pub fn start(self) {
        let (calls, supervisor, call) = (self.calls.clone(), self.supervisor.clone(), self.claimed.call);
        calls.preparing.begin(call, self.claimed.campaign.id, self.claimed.outgoing.trunk);
        supervisor.start_with("dialler", self.run(), move || calls.dialler_broke(call));
    }

    async fn run(self) {
        let armed = self.prepare_and_arm().await;
        let (calls, call) = (self.calls.clone(), self.claimed.call);
        if let Some((armed, ticket)) = armed {
            // Before it is no longer being prepared: a drain must see it in one or the other.
            self.send_and_follow(armed, ticket);
        }
        calls.preparing.end(call);
    }

    async fn prepare_and_arm(&self) -> Option<(Armed, Ticket)> {
        let (ctx, campaign) = (&self.ctx, &self.claimed.campaign);
        if !self.health.may_try_sip() {
            self.give_back(Place::Kept, engine("waits for a SIP service")).await;
            return None;
        }
        if ctx.config.require_agent {
            match (Agent { ctx, claimed: &self.claimed }).bring().await {
                Ok(()) => {
                    self.calls.preparing.brought_its_agent(campaign.id);
                    self.health.agent_seen(campaign).await;
                    reach("prepare.agent_seen");
                }
                Err(Unready::NoAgent) => {
                    self.health.agent_missing(campaign).await;
                    self.dismiss(Place::Kept, Closed::new(Gate::Agent, "no agent worker took the call")).await;
                    return None;
                }
                Err(Unready::Network(e)) => {
                    self.health.network_failed(&e).await;
                    self.give_back(Place::Kept, engine(e.to_string())).await;
                    return None;
                }
            }
        }
        self.arm().await
    }

    /// Waits for the call's turn and passes every gate again; the ticket is minted before the commit.
    async fn arm(&self) -> Option<(Armed, Ticket)> {
        let ctx = &self.ctx;
        let patience = ctx.now() + if self.claimed.by_hand { SHORT_PATIENCE } else { PATIENCE };
        loop {
            if let Some(words) = self.in_the_way() {
                self.dismiss(Place::Kept, engine(words)).await;
                return None;
            }
            let ticket = match ctx.carrier.ticket() {
                Ok(ticket) => ticket,
                Err(e) => {
                    self.health.network_failed(&e).await;
                    self.dismiss(Place::Kept, engine(e.to_string())).await;
                    return None;
                }
            };
            reach("arm.ticket");
            match ctx.desk.arm(self.claimed.clone(), ctx.incarnation).await {
                Ok(Ok(armed)) => return Some((armed, ticket)),
                Ok(Err(Refused::Wait(Closed { until: Some(at), .. }))) if at.max(ctx.now()) < patience => ctx.clock.sleep_until(at).await,
                Ok(Err(refused)) => {
                    self.refused(refused).await;
                    return None;
                }
                Err(e) => {
                    // The commit is in doubt: the call is not sent; reconcile reads the row.
                    tracing::error!(target: "engine", error = %e, "a call could not be armed");
                    self.dismiss(Place::Behind, engine("could not be armed")).await;
                    return None;
                }
            }
        }
    }

    /// What the engine itself knows against a dial at this moment.
    fn in_the_way(&self) -> Option<&'static str> {
        if self.health.may_not_dial() || self.health.clock_is_doubted() || self.ctx.clock.stepped().is_some() {
            return Some("the engine is ending, or its host's clock is not right");
        }
        self.health.outage_known().then_some("LiveKit or its SIP service is away")
    }

    async fn refused(&self, refused: Refused) {
        match refused {
            Refused::Wait(closed) => {
                let words = format!("waited too long for its turn ({})", closed.message);
                self.dismiss(Place::Kept, Closed::new(closed.gate, words)).await;
            }
            Refused::Gate(closed) => {
                tracing::info!(target: "engine", gate = closed.gate.word(), "not dialled {}: {closed}", tail(&self.claimed.number));
                if closed.gate.scope() != Scope::Contact && !self.claimed.by_hand {
                    self.calls.preparing.disagree(self.claimed.campaign.id, self.ctx.now());
                }
                self.send_away().await;
            }
            Refused::Lost => self.send_away().await,
        }
    }

    /// Sends the agent away and gives the claim back.
    async fn dismiss(&self, place: Place, why: Closed) {
        self.send_away().await;
        self.give_back(place, why).await;
    }

    async fn send_away(&self) {
        self.ctx.close_room(self.claimed.room.clone()).await;
    }

    async fn give_back(&self, place: Place, why: Closed) {
        let Claimed { call, claim_number, by_hand, .. } = self.claimed;
        if by_hand {
            // Who asked for it waits: it does not go back, it is refused.
            if let Err(e) = self.ctx.desk.refuse_asked(call, why).await {
                tracing::warn!(target: "engine", error = %e, "a call that was asked for could not be refused; its claim runs out");
            }
            return;
        }
        let due = match place {
            Place::Kept if claim_number < KEEPS_PLACE => None,
            Place::Kept | Place::Behind => Some(self.ctx.now() + AGAIN),
        };
        if let Err(e) = self.ctx.desk.release(call, claim_number, due, why.message).await {
            tracing::warn!(target: "engine", error = %e, "a claim could not be given back; it runs out by itself");
        }
    }

    /// Each on its own: the request must not wait for a look at the room, nor die with whoever looks.
    fn send_and_follow(self, armed: Armed, ticket: Ticket) {
        let Self { ctx, health, calls, supervisor, claimed } = self;
        let (call, campaign) = (armed.call(), claimed.campaign);
        tracing::info!(target: "engine", call = %call, "dial {} \"{}\" attempt {}", tail(&claimed.number), campaign.name, claimed.attempt);
        let follow = Follow::armed(&armed, campaign.clone(), ctx.config.agent_of(&campaign));
        calls.following.begin_sending(call);
        let sender = Sender { ctx: ctx.clone(), health: health.clone(), calls: calls.clone(), campaign };
        let over = calls.clone();
        supervisor.start_with("dial request", sender.run(armed, ticket), move || over.following.end_sending(call));
        Follower::start(&supervisor, ctx, health, calls, follow);
    }
}

/// Sends one request, and records what became of it.
struct Sender {
    ctx: Arc<Context>,
    health: Arc<Health>,
    calls: Arc<Calls>,
    campaign: Arc<CampaignRow>,
}

impl Sender {
    async fn run(self, armed: Armed, ticket: Ticket) {
        let (call, armed_at) = (armed.call(), armed.at);
        let limit = armed_at + Duration::seconds(self.campaign.ring_timeout_s + 20) + GRACE;
        tokio::select! {
            biased;
            event = self.place(armed, ticket) => {
                let answered = matches!(event.kind, Kind::Reply(Reply::Answered { .. }));
                match &event.kind {
                    Kind::Reply(Reply::Unsent { fault, .. }) => self.health.dial_unsent(&self.campaign, *fault).await,
                    // What nobody knows proves nothing.
                    Kind::Reply(Reply::Unknown { .. }) => {}
                    _ => self.health.dial_sent(self.campaign.id, armed_at).await,
                }
                self.ctx.record(event).await;
                if answered {
                    self.calls.answered.notify_one();
                }
            }
            // Giving the request up gives nothing up at the other end: nobody knows.
            () = self.ctx.clock.sleep_until(limit) => self.ctx.tell(call, Source::Engine, Kind::ReplyLost { cause: Lost::NoReply }, self.ctx.now()).await,
        }
        self.calls.following.end_sending(call);
    }

    /// Sends the one request and reads its reply as a fact.
    async fn place(&self, armed: Armed, ticket: Ticket) -> CallEvent {
        let (call, number) = (armed.call(), tail(&armed.claimed.number));
        reach("dial.begin");
        let late = self.ctx.clock.uptime().saturating_sub(armed.judged) > SEND_WITHIN;
        let reply = if late {
            Reply::Unsent { fault: Fault::Late, reason: "this host was too slow: not sent".to_owned() }
        } else {
            let mut sent = self.ctx.carrier.dial(ticket, request_of(&armed));
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
        reply_event(call, reply, self.ctx.now())
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
