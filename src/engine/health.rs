//! What keeps the engine from dialling: LiveKit away, its SIP service missing, no agent worker.
//! Waits grow, words go to every console, and it goes on by itself.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::Engine;
use crate::{
    desk::Actor,
    domain::{campaign::Status, event::Fault, id::CampaignId},
    store::CampaignRow,
    telephony::CarrierError,
};

/// Waits between looks at a LiveKit or a worker that is away, in seconds.
const BACKOFF: [i64; 5] = [5, 10, 20, 40, 60];

/// So long a campaign waits for a SIP service before it is an error of configuration.
const NO_SIP_LIMIT: Duration = Duration::seconds(60);

#[derive(Default)]
pub struct Health {
    /// Told to every console; empty when all is well.
    pub(super) words: String,
    /// The network is not asked again before.
    closed_until: Option<DateTime<Utc>>,
    failures: usize,
    no_sip_since: Option<DateTime<Utc>>,
    /// Why the host's time of day is not believed; goes before the other words.
    pub(super) clock_words: Option<String>,
    /// A panic: only a restart lifts it.
    pub(super) halted: bool,
    agents: HashMap<CampaignId, Wait>,
    expired_tokens: HashMap<CampaignId, u32>,
}

/// A campaign that waits for an agent worker.
#[derive(Clone, Copy)]
struct Wait {
    step: usize,
    until: DateTime<Utc>,
}

impl Health {
    fn shown(&self) -> String {
        self.clock_words.clone().unwrap_or_else(|| self.words.clone())
    }
}

impl Engine {
    /// Until when nothing may be claimed at all; `None` when the network is well.
    pub(super) fn network_closed(&self) -> Option<DateTime<Utc>> {
        let health = self.health.lock();
        if health.halted {
            return Some(self.clock.now() + Duration::hours(1));
        }
        health.closed_until.filter(|t| *t > self.clock.now())
    }

    /// Draining, stopping or broken down: what is prepared is not dialled any more.
    pub(super) fn may_not_dial(&self) -> bool {
        self.stop.drain.is_cancelled() || self.stop.now.is_cancelled() || self.health.lock().halted
    }

    /// True when the wait is over but nobody has looked yet.
    pub(super) fn must_look(&self) -> bool {
        let health = self.health.lock();
        !health.halted && health.failures > 0 && health.closed_until.is_none_or(|t| t <= self.clock.now())
    }

    /// Until when a campaign waits for an agent worker.
    pub(super) fn agent_closed(&self, campaign: CampaignId) -> Option<DateTime<Utc>> {
        self.health.lock().agents.get(&campaign).map(|w| w.until).filter(|t| *t > self.clock.now())
    }

    /// The network failed: says so and waits, longer each time.
    pub(super) async fn network_failed(&self, error: &CarrierError) {
        let words = {
            let mut health = self.health.lock();
            let now = self.clock.now();
            if health.closed_until.is_some_and(|t| t > now) {
                return;
            }
            let wait = BACKOFF[health.failures.min(BACKOFF.len() - 1)];
            health.failures += 1;
            health.closed_until = Some(now + Duration::seconds(wait));
            health.words = error.to_string();
            health.words.clone()
        };
        tracing::error!(target: "engine", "{words}");
        self.publish().await;
    }

    /// The network answers again.
    pub(super) async fn network_well(&self) {
        let was = {
            let mut health = self.health.lock();
            if health.halted || health.failures == 0 && health.words.is_empty() {
                return;
            }
            health.failures = 0;
            health.closed_until = None;
            std::mem::take(&mut health.words)
        };
        tracing::info!(target: "engine", was, "LiveKit answers again");
        self.publish().await;
    }

    /// Another engine took the calls over while this one was stopped: it looks after nothing any more.
    pub(super) fn replaced(&self) {
        tracing::error!(target: "engine", "another engine took over while this process was stopped: this one dials no more");
        self.health.lock().halted = true;
        // Not published: the words on every console are the leader's.
        self.stop.drain.cancel();
        self.stop.now.cancel();
    }

    pub(super) async fn halt(&self, words: String) {
        {
            let mut health = self.health.lock();
            health.halted = true;
            health.words = words;
        }
        self.publish().await;
    }

    pub(super) async fn publish(&self) {
        let words = self.health.lock().shown();
        if let Err(e) = self.desk.report_health(words).await {
            tracing::warn!(target: "engine", error = %e, "the engine's health could not be written");
        }
    }

    /// No agent came: the campaign waits, one step for all prepares that failed together.
    pub(super) async fn agent_missing(&self, campaign: &CampaignRow, agent: &str) {
        let (wait, first) = {
            let mut health = self.health.lock();
            let now = self.clock.now();
            let old = health.agents.get(&campaign.id).copied();
            if old.is_some_and(|w| w.until > now) {
                return;
            }
            let step = old.map_or(0, |w| (w.step + 1).min(BACKOFF.len() - 1));
            let wait = BACKOFF[step];
            health.agents.insert(campaign.id, Wait { step, until: now + Duration::seconds(wait) });
            (wait, old.is_none())
        };
        let words = format!("no agent worker took the call: is a worker named \"{agent}\" running, and not full? Next try in {wait} s");
        if first {
            tracing::warn!(target: "engine", campaign = %campaign.name, agent, "no agent worker took the call");
        }
        self.note(campaign, words).await;
    }

    /// An agent was seen: the campaign's wait begins anew from the shortest.
    pub(super) async fn agent_seen(&self, campaign: &CampaignRow) {
        if let Some(most) = self.ramps.lock().get_mut(&campaign.id) {
            *most = most.saturating_mul(2);
        }
        let was = self.health.lock().agents.remove(&campaign.id).is_some();
        if was {
            self.note(campaign, String::new()).await;
        }
    }

    async fn note(&self, campaign: &CampaignRow, words: String) {
        if let Err(e) = self.desk.campaign_note(campaign.id, words).await {
            tracing::warn!(target: "engine", error = %e, "a campaign's note could not be written");
        }
    }

    /// A dial that certainly did not reach SIP: whose fault, and what follows for the campaign.
    pub(super) async fn dial_unsent(&self, campaign: &CampaignRow, fault: Fault, host: &str) {
        match fault {
            Fault::NoSip => {
                self.network_failed(&CarrierError::NoSip).await;
                let too_long = {
                    let mut health = self.health.lock();
                    let since = *health.no_sip_since.get_or_insert(self.clock.now());
                    self.clock.now() - since > NO_SIP_LIMIT
                };
                if too_long {
                    self.give_up(campaign, "LiveKit has had no SIP service for a minute: start livekit-sip, then start the campaign again").await;
                }
            }
            Fault::Unreachable => self.network_failed(&CarrierError::Unreachable { host: host.to_owned(), why: "connection refused".to_owned() }).await,
            Fault::Login => self.network_failed(&CarrierError::Login { host: host.to_owned() }).await,
            Fault::Route => self.network_failed(&CarrierError::Route { host: host.to_owned() }).await,
            Fault::TokenExpired => {
                let times = {
                    let mut health = self.health.lock();
                    let n = health.expired_tokens.entry(campaign.id).or_default();
                    *n += 1;
                    *n
                };
                if times >= 3 {
                    self.give_up(campaign, "LiveKit says our tokens have expired three times in a row: set this host's clock right").await;
                }
            }
            // The record of the reply has moved the campaign already.
            Fault::Trunk | Fault::Late => {}
        }
    }

    /// A dial reached SIP: what was missing is there.
    pub(super) fn dial_sent(&self, campaign: CampaignId) {
        let mut health = self.health.lock();
        health.no_sip_since = None;
        health.expired_tokens.remove(&campaign);
    }

    async fn give_up(&self, campaign: &CampaignRow, words: &str) {
        let actor = Actor::engine(campaign.user_id);
        if let Err(e) = self.desk.finish(actor, campaign.id, Status::Error, words.to_owned()).await {
            tracing::error!(target: "engine", error = %e, "a campaign could not be put to error");
        }
    }
}
