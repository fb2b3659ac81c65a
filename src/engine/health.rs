//! What keeps the engine from dialling: LiveKit away, its SIP service missing, no agent worker.
//! Waits grow, words go to every console, and it goes on by itself.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::Engine;
use crate::{
    desk::Actor,
    domain::{
        campaign::Status,
        event::Fault,
        id::{CampaignId, OwnerId},
    },
    store::CampaignRow,
    telephony::CarrierError,
};

/// Waits between looks at a LiveKit or a worker that is away, in seconds.
const BACKOFF: [i64; 5] = [5, 10, 20, 40, 60];

/// So long campaigns wait for a SIP service before it is an error of configuration.
const NO_SIP_LIMIT: Duration = Duration::seconds(60);

/// A trial dial that has told nothing by then makes room for another: an agent or a gate was in its way.
const TRIAL: Duration = Duration::seconds(30);

#[derive(Default)]
pub struct Health {
    /// Told to every console; empty when all is well.
    pub(super) words: String,
    /// The network is not asked again before.
    closed_until: Option<DateTime<Utc>>,
    failures: usize,
    /// Dials do not reach SIP, though LiveKit answers.
    no_sip: Option<NoSip>,
    /// What answers is no LiveKit, or not to our key.
    misled: bool,
    /// The first reconcile is done.
    reconciled: bool,
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

/// LiveKit answers and its SIP service does not. Only a dial that reached SIP ends it: lists are
/// answered without. One dial at a step is the trial; meanwhile no agent is called.
struct NoSip {
    error: CarrierError,
    since: DateTime<Utc>,
    step: usize,
    until: DateTime<Utc>,
    trial_until: Option<DateTime<Utc>>,
    /// Those whose dials it turned away.
    campaigns: HashMap<CampaignId, OwnerId>,
}

impl NoSip {
    fn new(error: CarrierError, now: DateTime<Utc>) -> Self {
        Self { error, since: now, step: 0, until: now, trial_until: None, campaigns: HashMap::new() }
    }

    /// Until when nothing may be tried, a trial under way included.
    fn closed_until(&self) -> DateTime<Utc> {
        self.trial_until.map_or(self.until, |t| t.max(self.until))
    }
}

impl Health {
    fn shown(&self) -> String {
        let sip = || self.no_sip.as_ref().map(|t| t.error.to_string()).unwrap_or_default();
        let network = if self.words.is_empty() { sip() } else { self.words.clone() };
        self.clock_words.clone().unwrap_or(network)
    }
}

impl Engine {
    /// Until when nothing may be claimed at all; `None` when the network is well.
    pub(super) fn network_closed(&self) -> Option<DateTime<Utc>> {
        let health = self.health.lock();
        if health.halted {
            return Some(self.clock.now() + Duration::hours(1));
        }
        let sip = health.no_sip.as_ref().map(NoSip::closed_until);
        health.closed_until.into_iter().chain(sip).max().filter(|t| *t > self.clock.now())
    }

    /// Draining, stopping or broken down: what is prepared is not dialled any more.
    pub(super) fn may_not_dial(&self) -> bool {
        self.stop.drain.is_cancelled() || self.stop.now.is_cancelled() || self.health.lock().halted
    }

    /// A trouble of the network is known: what is prepared waits for its end with the others. The trial
    /// that looks whether SIP is there again goes.
    pub(super) fn outage_known(&self) -> bool {
        let (health, now) = (self.health.lock(), self.clock.now());
        health.closed_until.is_some_and(|t| t > now) || health.no_sip.as_ref().is_some_and(|t| t.until > now)
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
            health.misled = matches!(error, CarrierError::Route { .. } | CarrierError::Login { .. });
            health.words.clone()
        };
        tracing::error!(target: "engine", "{words}");
        self.show_ready();
        self.publish().await;
    }

    /// A question was answered: what kept us from asking is over, and so are the waits.
    pub(super) async fn network_answers(&self) {
        let troubled = {
            let health = self.health.lock();
            health.failures > 0 || !health.words.is_empty()
        };
        if troubled {
            self.network_well().await;
        }
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
            health.misled = false;
            std::mem::take(&mut health.words)
        };
        tracing::info!(target: "engine", was, "LiveKit answers again");
        self.show_ready();
        self.publish().await;
    }

    /// The first reconcile is done: calls may be placed, where LiveKit is LiveKit.
    pub(super) fn reconciled(&self) {
        self.health.lock().reconciled = true;
        self.show_ready();
    }

    fn show_ready(&self) {
        let ready = {
            let health = self.health.lock();
            health.reconciled && !health.misled
        };
        self.ready.send_if_modified(|was| std::mem::replace(was, ready) != ready);
    }

    /// Looks whether a LiveKit that was away is back, where the wait for it is over.
    pub(super) async fn look_at_network(&self) {
        if !self.must_look() {
            return;
        }
        match self.carrier.check().await {
            Ok(()) => self.network_well().await,
            Err(e) => self.network_failed(&e).await,
        }
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
    pub(super) async fn dial_unsent(&self, campaign: &CampaignRow, fault: Fault) {
        let host = "LiveKit".to_owned();
        match fault {
            Fault::NoSip => self.sip_failed(campaign, CarrierError::NoSip).await,
            // Lists are answered there: it is the SIP API that is missing.
            Fault::Route => self.sip_failed(campaign, CarrierError::Other("the host has no SIP API. Check LIVEKIT_HOST".to_owned())).await,
            Fault::Unreachable => self.network_failed(&CarrierError::Unreachable { host, why: "connection refused".to_owned() }).await,
            Fault::Login => self.network_failed(&CarrierError::Login { host }).await,
            Fault::TokenExpired => {
                let times = {
                    let mut health = self.health.lock();
                    let n = health.expired_tokens.entry(campaign.id).or_default();
                    *n += 1;
                    *n
                };
                if times >= 3 {
                    let words = "LiveKit says our tokens have expired three times in a row: set this host's clock right";
                    self.give_up(campaign.user_id, campaign.id, words).await;
                }
            }
            // The record of the reply has moved the campaign already.
            Fault::Trunk | Fault::Late => {}
        }
    }

    /// A dial was turned away for want of a SIP service: the wait grows from trial to trial, and after a
    /// minute the campaigns that met it are in error.
    async fn sip_failed(&self, campaign: &CampaignRow, error: CarrierError) {
        let (news, over) = {
            let mut health = self.health.lock();
            let now = self.clock.now();
            let t = health.no_sip.get_or_insert_with(|| NoSip::new(error, now));
            t.campaigns.insert(campaign.id, campaign.user_id);
            let verdict = t.until <= now;
            if verdict {
                let wait = Duration::seconds(BACKOFF[t.step.min(BACKOFF.len() - 1)]);
                // A trial falls on the end of the minute.
                let limit = t.since + NO_SIP_LIMIT;
                t.until = if now < limit { (now + wait).min(limit) } else { now + wait };
                t.step += 1;
                t.trial_until = None;
            }
            let over = if now - t.since >= NO_SIP_LIMIT { std::mem::take(&mut t.campaigns) } else { HashMap::new() };
            (verdict.then(|| t.error.to_string()), over)
        };
        if let Some(words) = news {
            tracing::error!(target: "engine", "{words}");
            self.publish().await;
        }
        for (id, owner) in over {
            self.give_up(owner, id, "LiveKit has had no SIP service for a minute: start livekit-sip, then start the campaign again").await;
        }
    }

    /// Whether dials have not reached SIP: then one call is claimed at a time, as a trial.
    pub(super) fn on_trial(&self) -> bool {
        self.health.lock().no_sip.is_some()
    }

    /// Whether a call may be prepared. Without a SIP service one may, as a trial; the others wait so long.
    pub(super) fn sip_trial(&self) -> Result<(), Duration> {
        let mut health = self.health.lock();
        let Some(t) = health.no_sip.as_mut() else { return Ok(()) };
        let now = self.clock.now();
        if t.closed_until() > now {
            return Err(t.closed_until() - now);
        }
        t.trial_until = Some(now + TRIAL);
        Ok(())
    }

    /// A leg was seen of a call armed then: SIP is there, if the trouble is older.
    pub(super) async fn sip_seen(&self, armed_at: DateTime<Utc>) {
        let over = {
            let mut health = self.health.lock();
            health.no_sip.take_if(|t| t.since < armed_at).is_some()
        };
        if over {
            tracing::info!(target: "engine", "LiveKit has its SIP service again");
            self.publish().await;
        }
    }

    /// A dial reached SIP: what was missing is there.
    pub(super) async fn dial_sent(&self, campaign: CampaignId, armed_at: DateTime<Utc>) {
        self.health.lock().expired_tokens.remove(&campaign);
        self.sip_seen(armed_at).await;
    }

    async fn give_up(&self, owner: OwnerId, campaign: CampaignId, words: &str) {
        if let Err(e) = self.desk.finish(Actor::engine(owner), campaign, Status::Error, words.to_owned()).await {
            tracing::error!(target: "engine", error = %e, "a campaign could not be put to error");
        }
    }
}
