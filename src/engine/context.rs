//! What every officer of the engine works with: the desk, the telephone network, the clock, and what the
//! engine was told. It decides nothing.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::recorder::Recording;
use crate::{
    clock::SharedClock,
    desk::{Desk, DeskError, Installation},
    domain::{
        event::{CallEvent, Kind, Source, Target},
        id::{CallId, Incarnation, OwnerId},
        retention::Retention,
    },
    store::{CampaignRow, StoreError},
    telephony::{Carrier, twilio_calls::CallList},
};

/// Mints the token an agent reports with: for one call, until a moment.
pub type OutcomeToken = Arc<dyn Fn(CallId, OwnerId, DateTime<Utc>) -> Option<String> + Send + Sync>;

/// What the engine is told.
#[derive(Clone)]
pub struct EngineConfig {
    /// The agent worker's name where neither campaign nor assistant names one.
    pub agent_name: String,
    /// How long an agent is waited for before the claim is given back.
    pub agent_wait: Duration,
    /// False for rooms that need no agent.
    pub require_agent: bool,
    pub claim_lease: Duration,
    /// Where hosts share a database: it dials alone for so long from each renewal on.
    pub lease: Duration,
    /// How long after arming an unknown call without a leg is given up.
    pub unknown_horizon: Duration,
    /// Where an agent's report reaches us; `None` behind NAT.
    pub public_url: Option<String>,
    pub outcome_token: OutcomeToken,
    pub orphan_sweep: bool,
    /// How long what has happened is kept.
    pub retention: Retention,
    /// Twilio's own list, where its credentials are known.
    pub call_list: Option<Arc<CallList>>,
    pub recording: Recording,
}

impl EngineConfig {
    /// The agent worker's name: the campaign's, else the assistant's, else the configured one.
    pub(super) fn agent_of(&self, campaign: &CampaignRow) -> String {
        let named = |n: &Option<String>| n.clone().filter(|n| !n.trim().is_empty());
        named(&campaign.agent_name).or_else(|| named(&campaign.assistant_agent_name)).unwrap_or_else(|| self.agent_name.clone())
    }
}

/// The two ways to end: no new calls, or now; and the way there, which may be taken back.
#[derive(Clone)]
pub struct Stop {
    /// Nothing new for as long as it holds: whoever wants to leave waits for the last call, and may stay after all.
    pub hold: watch::Sender<bool>,
    /// Start nothing new; see live calls to their end.
    pub drain: CancellationToken,
    /// Leave at once; the rows tell the next engine what is on the line.
    pub now: CancellationToken,
}

impl Stop {
    #[must_use]
    pub fn new() -> Self {
        Self { hold: watch::Sender::new(false), drain: CancellationToken::new(), now: CancellationToken::new() }
    }
}

impl Stop {
    /// Nothing is begun any more, for now or for good.
    #[must_use]
    pub fn begins_nothing(&self) -> bool {
        *self.hold.borrow() || self.drain.is_cancelled() || self.now.is_cancelled()
    }

    /// Ends with this one, and may end before it.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { hold: self.hold.clone(), drain: self.drain.child_token(), now: self.now.child_token() }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

pub(super) struct Context {
    pub desk: Desk,
    pub carrier: Arc<dyn Carrier>,
    pub clock: SharedClock,
    pub config: EngineConfig,
    pub installation: Installation,
    pub incarnation: Incarnation,
}

impl Context {
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub async fn sleep(&self, wait: Duration) {
        self.clock.sleep_until(self.clock.now() + wait).await;
    }

    /// Stores a fact, for as long as it takes: what the network told must not be lost.
    pub async fn record(&self, event: CallEvent) {
        let mut wait = Duration::milliseconds(200);
        loop {
            match self.desk.record(event.clone()).await {
                Ok(_) | Err(DeskError::Store(StoreError::Closed)) => return,
                Err(e) => {
                    tracing::error!(target: "engine", error = %e, "a fact about a call cannot be stored yet");
                    self.sleep(wait).await;
                    wait = (wait * 2).min(Duration::seconds(5));
                }
            }
        }
    }

    /// Stores what an officer itself has seen or concluded of a call, at a moment that may be over.
    pub async fn tell(&self, call: CallId, source: Source, kind: Kind, at: DateTime<Utc>) {
        let event = CallEvent {
            key: format!("{}:{call}:{}", source.as_str(), uuid::Uuid::now_v7()),
            target: Target::Call(call),
            source,
            at,
            raw: serde_json::Value::Null,
            kind,
        };
        self.record(event).await;
    }

    /// Deletes the room of a call that is not dialled, or over, with whoever is in it.
    pub async fn close_room(&self, room: String) {
        if let Err(e) = self.carrier.delete_room(room).await {
            tracing::debug!(target: "engine", error = %e, "a room could not be deleted; it closes by itself");
        }
    }
}
