//! What keeps the engine from dialling: LiveKit away, its SIP service missing, no agent worker, a clock that
//! is doubted, a breakdown. Waits grow, words go to every console, and it goes on by itself, but after a
//! breakdown.

mod agents;
mod network;
mod no_sip;
mod took;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::context::{Context, Stop};
use crate::{
    desk::{Actor, ENDING},
    domain::{
        campaign::Status,
        event::Fault,
        id::{CampaignId, OwnerId},
    },
    store::CampaignRow,
    telephony::CarrierError,
};
use agents::AgentWaits;
use network::Network;
use no_sip::NoSip;
use took::Took;

const STEPS: usize = 5;

/// Waits between looks at a LiveKit or a worker that is away.
fn backoff(step: usize) -> Duration {
    const SECONDS: [i64; STEPS] = [5, 10, 20, 40, 60];
    Duration::seconds(SECONDS[step.min(STEPS - 1)])
}

/// A handle that every officer has; asking it is cheap.
pub struct Health {
    ctx: Arc<Context>,
    stop: Stop,
    ready: watch::Sender<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    network: Network,
    /// Dials do not reach SIP, though LiveKit answers.
    no_sip: Option<NoSip>,
    agents: AgentWaits,
    took: Took,
    /// Dials in a row that LiveKit found too old.
    expired_tokens: HashMap<CampaignId, u32>,
    /// The first reconcile is done.
    reconciled: bool,
    /// Why the host's time of day is not believed, or its database is not to be dialled with; goes before the other words.
    clock_words: Option<String>,
    /// A panic: only a restart lifts it, and its words stand in the network's place.
    halted: bool,
    replaced: bool,
    /// Nothing is begun any more: the last calls are waited for.
    ending: bool,
}

impl State {
    fn shown(&self) -> String {
        let sip = || self.no_sip.as_ref().map(NoSip::words).unwrap_or_default();
        let ending = || if self.ending { ENDING.to_owned() } else { sip() };
        let network = if self.network.words.is_empty() { ending() } else { self.network.words.clone() };
        self.clock_words.clone().unwrap_or(network)
    }
}

impl Health {
    pub fn new(ctx: Arc<Context>, stop: Stop) -> Self {
        Self { ctx, stop, ready: watch::Sender::new(false), state: Mutex::default() }
    }

    /// True after the first reconcile, where LiveKit is LiveKit: nothing is claimed before.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Until when nothing may be claimed at all; `None` when the network is well.
    pub fn network_closed(&self) -> Option<DateTime<Utc>> {
        let (state, now) = (self.state.lock(), self.ctx.now());
        if state.halted {
            return Some(now + Duration::hours(1));
        }
        let sip = state.no_sip.as_ref().map(NoSip::closed_until).filter(|t| *t > now);
        state.network.closed_until(now).into_iter().chain(sip).max()
    }

    /// Draining, stopping or broken down: what is prepared is not dialled any more.
    pub fn may_not_dial(&self) -> bool {
        self.stop.begins_nothing() || self.state.lock().halted
    }

    /// Tells every console when nothing is begun any more, and when it is again.
    pub async fn tell_end(self: Arc<Self>, stop: Stop) {
        let mut hold = stop.hold.subscribe();
        hold.mark_changed();
        loop {
            tokio::select! {
                () = stop.now.cancelled() => return,
                () = stop.drain.cancelled() => return self.ends(true).await,
                // The sender is in the stop itself.
                _ = hold.changed() => {}
            }
            let held = *hold.borrow_and_update();
            self.ends(held).await;
        }
    }

    /// Words only where they are news, and never over those of a leader that took our place.
    pub async fn ends(&self, ending: bool) {
        let news = {
            let mut state = self.state.lock();
            !state.halted && std::mem::replace(&mut state.ending, ending) != ending
        };
        if news {
            self.publish().await;
        }
    }

    /// A trouble of the network is known: what is prepared waits for its end with the others. The trial
    /// that looks whether SIP is there again goes.
    pub fn outage_known(&self) -> bool {
        let (state, now) = (self.state.lock(), self.ctx.now());
        state.network.closed_until(now).is_some() || state.no_sip.as_ref().is_some_and(|t| t.waits(now))
    }

    /// The network failed: says so and waits, longer each time.
    pub async fn network_failed(&self, error: &CarrierError) {
        {
            let mut state = self.state.lock();
            // The words of a breakdown stay: only a restart lifts it.
            let kept = state.halted.then(|| state.network.words.clone());
            if !state.network.fails(error, self.ctx.now()) {
                return;
            }
            if let Some(words) = kept {
                state.network.words = words;
            }
        }
        tracing::error!(target: "engine", "{error}");
        self.show_ready();
        self.publish().await;
    }

    /// A question was answered: what kept us from asking is over, and so are the waits.
    pub async fn network_answers(&self) {
        let was = {
            let mut state = self.state.lock();
            if state.halted {
                return;
            }
            state.network.answers()
        };
        let Some(was) = was else { return };
        tracing::info!(target: "engine", was, "LiveKit answers again");
        self.show_ready();
        self.publish().await;
    }

    /// Asks LiveKit whether it is there.
    pub async fn check_network(&self) {
        let asked = self.ctx.now();
        match self.ctx.carrier.check().await {
            Ok(()) => {
                self.answered_since(asked);
                self.network_answers().await;
            }
            Err(e) => self.network_failed(&e).await,
        }
    }

    /// LiveKit has answered what was asked then.
    pub fn answered_since(&self, asked: DateTime<Utc>) {
        let took = self.ctx.now() - asked;
        self.state.lock().took.is(took);
    }

    /// Tells every console how long LiveKit takes to answer, where that has changed.
    pub async fn tell_how_long(&self) {
        let Some(ms) = self.state.lock().took.news() else { return };
        if let Err(e) = self.ctx.desk.livekit_took(ms).await {
            tracing::warn!(target: "engine", error = %e, "how long LiveKit takes could not be written");
        }
    }

    /// Looks whether a LiveKit that was away is back, where the wait for it is over.
    pub async fn look_at_network(&self) {
        let must_look = {
            let state = self.state.lock();
            !state.halted && state.network.must_look(self.ctx.now())
        };
        if must_look {
            self.check_network().await;
        }
    }

    /// The first reconcile is done: calls may be placed, where LiveKit is LiveKit.
    pub fn reconciled(&self) {
        self.state.lock().reconciled = true;
        self.show_ready();
    }

    fn show_ready(&self) {
        let ready = {
            let state = self.state.lock();
            state.reconciled && !state.network.misled
        };
        self.ready.send_if_modified(|was| std::mem::replace(was, ready) != ready);
    }

    pub fn clock_is_doubted(&self) -> bool {
        self.state.lock().clock_words.is_some()
    }

    /// Why the host's clock is not believed, or that it is; published where that is news.
    pub async fn clock_judged(&self, doubt: Option<String>) {
        {
            let mut state = self.state.lock();
            if doubt == state.clock_words {
                return;
            }
            state.clock_words.clone_from(&doubt);
        }
        let words = doubt.unwrap_or_else(|| "this host's clock and its database are as they must be again".to_owned());
        tracing::warn!(target: "engine", "{words}");
        self.publish().await;
    }

    /// Another engine took the calls over while this one was stopped: it looks after nothing any more.
    pub fn replaced(&self) {
        let known = {
            let mut state = self.state.lock();
            state.halted = true;
            std::mem::replace(&mut state.replaced, true)
        };
        if !known {
            tracing::error!(target: "engine", "another engine took over while this process stood still or was cut off: it follows that one from now on");
        }
        // Not published: the words on every console are the leader's.
        self.stop.drain.cancel();
        self.stop.now.cancel();
    }

    pub fn was_replaced(&self) -> bool {
        self.state.lock().replaced
    }

    /// Something broke down: nothing is dialled from this moment on. To be published.
    pub fn halt(&self, words: String) {
        let mut state = self.state.lock();
        state.halted = true;
        state.network.words = words;
    }

    /// Writes the words for every console.
    pub async fn publish(&self) {
        let words = self.state.lock().shown();
        if let Err(e) = self.ctx.desk.report_health(words).await {
            tracing::warn!(target: "engine", error = %e, "the engine's health could not be written");
        }
    }

    /// Until when a campaign waits for an agent worker.
    pub fn agent_closed(&self, campaign: CampaignId) -> Option<DateTime<Utc>> {
        self.state.lock().agents.until(campaign, self.ctx.now())
    }

    /// No agent came: the campaign waits.
    pub async fn agent_missing(&self, campaign: &CampaignRow) {
        let Some((wait, first)) = self.state.lock().agents.missed(campaign.id, self.ctx.now()) else { return };
        let agent = self.ctx.config.agent_of(campaign);
        if first {
            tracing::warn!(target: "engine", campaign = %campaign.name, agent, "no agent worker took the call");
        }
        let wait = wait.num_seconds();
        self.note(campaign, format!("no agent worker took the call: is a worker named \"{agent}\" running, and not full? Next try in {wait} s")).await;
    }

    /// An agent was seen: the campaign's wait begins anew from the shortest.
    pub async fn agent_seen(&self, campaign: &CampaignRow) {
        let waited = self.state.lock().agents.seen(campaign.id);
        if waited {
            self.note(campaign, String::new()).await;
        }
    }

    async fn note(&self, campaign: &CampaignRow, words: String) {
        if let Err(e) = self.ctx.desk.campaign_note(campaign.id, words).await {
            tracing::warn!(target: "engine", error = %e, "a campaign's note could not be written");
        }
    }

    /// A dial that certainly did not reach SIP: whose fault, and what follows for the campaign.
    pub async fn dial_unsent(&self, campaign: &CampaignRow, fault: Fault) {
        let host = "LiveKit".to_owned();
        match fault {
            Fault::NoSip => self.sip_failed(campaign, CarrierError::NoSip).await,
            // Lists are answered there: it is the SIP API that is missing.
            Fault::Route => self.sip_failed(campaign, CarrierError::Other("the host has no SIP API. Check LIVEKIT_HOST".to_owned())).await,
            Fault::Unreachable => self.network_failed(&CarrierError::Unreachable { host, why: "connection refused".to_owned() }).await,
            Fault::Login => self.network_failed(&CarrierError::Login { host }).await,
            Fault::TokenExpired => self.token_expired(campaign).await,
            // The record of the reply has moved the campaign already.
            Fault::Trunk | Fault::Late => {}
        }
    }

    async fn token_expired(&self, campaign: &CampaignRow) {
        let times = {
            let mut state = self.state.lock();
            let n = state.expired_tokens.entry(campaign.id).or_default();
            *n += 1;
            *n
        };
        if times >= 3 {
            self.give_up(campaign.user_id, campaign.id, "LiveKit says our tokens have expired three times in a row: set this host's clock right").await;
        }
    }

    /// A dial was turned away for want of a SIP service: the wait grows from trial to trial, and after a
    /// minute the campaigns that met it are in error.
    async fn sip_failed(&self, campaign: &CampaignRow, error: CarrierError) {
        let turned_away = {
            let (mut state, now) = (self.state.lock(), self.ctx.now());
            state.no_sip.get_or_insert_with(|| NoSip::new(error, now)).turns_away(campaign.id, campaign.user_id, now)
        };
        if let Some(words) = turned_away.news {
            tracing::error!(target: "engine", "{words}");
            self.publish().await;
        }
        for (id, owner) in turned_away.over {
            self.give_up(owner, id, "LiveKit has had no SIP service for a minute: start livekit-sip, then start the campaign again").await;
        }
    }

    /// Whether dials have not reached SIP: then one call is claimed at a time, as a trial.
    pub fn on_trial(&self) -> bool {
        self.state.lock().no_sip.is_some()
    }

    /// Whether a call may be prepared. Without a SIP service one may, as a trial; the others wait.
    pub fn may_try_sip(&self) -> bool {
        let now = self.ctx.now();
        self.state.lock().no_sip.as_mut().is_none_or(|t| t.may_try(now))
    }

    /// A leg was seen of a call armed then: SIP is there, if the trouble is older.
    pub async fn sip_seen(&self, armed_at: DateTime<Utc>) {
        let over = self.state.lock().no_sip.take_if(|t| t.since < armed_at).is_some();
        if over {
            tracing::info!(target: "engine", "LiveKit has its SIP service again");
            self.publish().await;
        }
    }

    /// A dial reached SIP: what was missing is there.
    pub async fn dial_sent(&self, campaign: CampaignId, armed_at: DateTime<Utc>) {
        self.state.lock().expired_tokens.remove(&campaign);
        self.sip_seen(armed_at).await;
    }

    async fn give_up(&self, owner: OwnerId, campaign: CampaignId, words: &str) {
        if let Err(e) = self.ctx.desk.finish(Actor::engine(owner), campaign, Status::Error, words.to_owned()).await {
            tracing::error!(target: "engine", error = %e, "a campaign could not be put to error");
        }
    }
}
