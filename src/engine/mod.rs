//! The engine: claims, prepares, arms, dials, follows every call to its end, and reconciles what a
//! crash left. It keeps nothing that the database does not have: a restart reads the rows and goes on.
//! Every `select!` is biased, endings before waits: under simulated time the seed alone decides.

mod dialer;
mod follow;
mod health;
mod housekeeper;
mod preparing;
mod reconciler;
mod scheduler;
mod timekeeper;

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Duration, Utc};
use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast::error::RecvError, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock::SharedClock,
    desk::{Desk, DeskError, Installation, Told},
    domain::{
        event::CallEvent,
        id::{CallId, CampaignId, Incarnation, OwnerId},
        retention::Retention,
    },
    telephony::{Carrier, twilio_calls::CallList},
};
use health::Health;
use housekeeper::Housekeeper;
use preparing::Preparing;
use scheduler::Scheduler;

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
}

/// The engine's parts, shared by its tasks.
pub struct Engine {
    desk: Desk,
    carrier: Arc<dyn Carrier>,
    clock: SharedClock,
    config: EngineConfig,
    installation: Installation,
    incarnation: Incarnation,
    tasks: TaskTracker,
    /// Calls claimed and being prepared.
    preparing: Mutex<Preparing>,
    /// How many prepares a campaign may have at once in its first seconds.
    ramps: Mutex<HashMap<CampaignId, i64>>,
    /// Calls that a task of this engine follows, each with the bell that makes it look at once.
    followed: Mutex<HashMap<CallId, Arc<Notify>>>,
    /// When LiveKit last told anything by itself.
    told_at: Mutex<Option<DateTime<Utc>>>,
    /// Rooms that LiveKit lists and whose session is known to be dead.
    buried: Mutex<HashSet<String>>,
    health: Mutex<Health>,
    /// Calls that somebody asked to hang up.
    hangups: watch::Sender<HashSet<CallId>>,
    ready: watch::Sender<bool>,
    /// Who led when this engine first looked.
    leader_before: OnceLock<Option<String>>,
    /// A prepared call is off the scheduler's count, without a commit that would ring the bell.
    freed: Notify,
    stop: Stop,
}

/// The two ways to end: no new calls, or now.
#[derive(Clone)]
pub struct Stop {
    /// Start nothing new; see live calls to their end.
    pub drain: CancellationToken,
    /// Leave at once; the rows tell the next engine what is on the line.
    pub now: CancellationToken,
}

impl Stop {
    #[must_use]
    pub fn new() -> Self {
        Self { drain: CancellationToken::new(), now: CancellationToken::new() }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    #[must_use]
    pub fn new(desk: Desk, carrier: Arc<dyn Carrier>, clock: SharedClock, config: EngineConfig, installation: Installation, stop: Stop) -> Arc<Self> {
        Arc::new(Self {
            desk,
            carrier,
            clock,
            config,
            installation,
            incarnation: Incarnation::fresh(),
            tasks: TaskTracker::new(),
            preparing: Mutex::default(),
            ramps: Mutex::new(HashMap::new()),
            followed: Mutex::new(HashMap::new()),
            told_at: Mutex::new(None),
            buried: Mutex::new(HashSet::new()),
            health: Mutex::new(Health::default()),
            hangups: watch::Sender::new(HashSet::new()),
            ready: watch::Sender::new(false),
            leader_before: OnceLock::new(),
            freed: Notify::new(),
            stop,
        })
    }

    /// True after the first reconcile: nothing is claimed before.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Runs until stopped; returns when the last call is seen to its end (drain) or at once (now).
    pub async fn run(self: Arc<Self>) {
        let stop = self.stop.clone();
        self.supervise("reconciler", self.clone().reconcile(stop.clone()));
        self.supervise("hangup watch", self.clone().watch_hangups(stop.clone()));
        self.supervise("webhook watch", self.clone().watch_told(stop.clone()));
        let housekeeper = Housekeeper::new(self.desk.clone(), self.clock.clone(), self.config.retention, self.ready());
        self.supervise("housekeeper", housekeeper.run(stop.clone()));
        let scheduler = self.guarded("scheduler", Scheduler::new(self.clone()).run(stop.clone()));
        tokio::select! {
            biased;
            () = stop.now.cancelled() => {}
            // One that broke down leaves the calls that are live to their tasks.
            () = async { scheduler.await; stop.drain.cancelled().await } => {}
        }
        self.tasks.close();
        tokio::select! {
            biased;
            () = stop.now.cancelled() => {}
            () = self.tasks.wait() => {}
        }
        if let Err(e) = self.desk.engine_stopped(self.incarnation).await {
            tracing::warn!(target: "engine", error = %e, "the engine's end could not be written");
        }
    }

    /// Spawns a task of the engine. A panic stops dialling and says so; it never restarts into dialling.
    fn supervise(self: &Arc<Self>, what: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let engine = self.clone();
        self.tasks.spawn(async move { engine.guarded(what, task).await });
    }

    async fn guarded(&self, what: &'static str, task: impl Future<Output = ()>) {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            tracing::error!(target: "engine", task = what, "a task of the engine panicked: dialling has stopped");
            self.halt(format!("the engine's {what} broke down; nothing is dialled until a restart (the log file has details)")).await;
        }
    }

    async fn sleep(&self, wait: Duration) {
        self.clock.sleep_until(self.clock.now() + wait).await;
    }

    /// Stores a fact, for as long as it takes: what the network told must not be lost.
    async fn record(&self, event: CallEvent) {
        let mut wait = Duration::milliseconds(200);
        loop {
            match self.desk.record(event.clone()).await {
                Ok(_) | Err(DeskError::Store(crate::store::StoreError::Closed)) => return,
                Err(e) => {
                    tracing::error!(target: "engine", error = %e, "a fact about a call cannot be stored yet");
                    self.sleep(wait).await;
                    wait = (wait * 2).min(Duration::seconds(5));
                }
            }
        }
    }

    /// Tells the tasks of calls that somebody asked to hang up.
    async fn watch_hangups(self: Arc<Self>, stop: Stop) {
        let mut bell = self.desk.store().bell();
        loop {
            match self.desk.store().hangups().await {
                Ok(ids) => {
                    let ids: HashSet<CallId> = ids.into_iter().collect();
                    self.hangups.send_if_modified(|old| {
                        let changed = *old != ids;
                        *old = ids;
                        changed
                    });
                }
                Err(e) => tracing::warn!(target: "engine", error = %e, "hang-up requests cannot be read"),
            }
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = self.drained(&stop) => return,
                _ = bell.changed() => self.sleep(Duration::milliseconds(20)).await,
                () = self.sleep(Duration::seconds(10)) => {}
            }
        }
    }

    /// Rings the bells of calls that LiveKit tells something of, and notes that it does tell.
    async fn watch_told(self: Arc<Self>, stop: Stop) {
        let mut told = self.desk.told();
        loop {
            let news = tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = self.drained(&stop) => return,
                news = told.recv() => news,
            };
            *self.told_at.lock() = Some(self.clock.now());
            match news {
                Ok(Told { call: Some(call), left: true }) => self.followed.lock().get(&call).into_iter().for_each(|bell| bell.notify_one()),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.followed.lock().values().for_each(|bell| bell.notify_one()),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Takes a call to follow; `false` when a task of this engine has it already.
    fn begin_to_follow(&self, call: CallId) -> bool {
        match self.followed.lock().entry(call) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(Arc::default());
                true
            }
        }
    }

    /// Resolves when draining and no call is followed any more.
    async fn drained(&self, stop: &Stop) {
        stop.drain.cancelled().await;
        // In this order: who is no longer prepared is followed already.
        while !self.preparing.lock().is_empty() || !self.followed.lock().is_empty() {
            self.sleep(Duration::milliseconds(200)).await;
        }
    }
}
