//! The engine: claims, prepares, arms, dials, follows every call to its end, and reconciles what a
//! crash left. It keeps nothing that the database does not have: a restart reads the rows and goes on.
//! Every `select!` is biased, endings before waits: under simulated time the seed alone decides.
//!
//! It is officers, each a struct that holds what it uses, started and watched by a supervisor:
//! | officer | what it does |
//! |---|---|
//! | `scheduler` | looks at every running campaign and claims what the one decision lets go |
//! | `dialer` | one a claim: brings the agent, arms, and sends the one request |
//! | `follower` | one a call: polls it to its end |
//! | `reconciler` | takes over what a crash left, and calls that nobody follows |
//! | `requests` | calls made by hand; what is asked of live ones: hang-ups told to followers, an `errand` for the rest |
//! | `listeners` | gives back the lines of supervisors' phones that are off |
//! | `watches` | tell followers of LiveKit's own news |
//! | `housekeeper` | carries stops out, removes what is old |
//! | `recorder` | has answered calls recorded, and learns where the recordings are |
//!
//! They share `context` (the desk, the network, the clock), and three handles: `health` (what keeps the
//! engine from dialling), `calls` (the calls in its hands) and `timekeeper` (whether its clock is right).

mod agent;
mod calls;
mod context;
mod dialer;
mod errand;
mod follower;
mod health;
mod housekeeper;
mod lease;
mod listeners;
mod reconciler;
mod recorder;
mod requests;
mod scheduler;
mod supervisor;
mod timekeeper;
mod watches;

use std::sync::Arc;

use tokio::sync::watch;

pub use context::{EngineConfig, OutcomeToken, Stop};
pub use reconciler::hostname;
pub use recorder::Recording;

use crate::{
    clock::SharedClock,
    desk::{Desk, Installation},
    domain::id::Incarnation,
    telephony::Carrier,
};
use calls::Calls;
use context::Context;
use health::Health;
use housekeeper::Housekeeper;
use listeners::Listeners;
use reconciler::Reconciler;
use recorder::Recorder;
use requests::Requests;
use scheduler::Scheduler;
use supervisor::Supervisor;
use timekeeper::Timekeeper;
use watches::ToldWatch;

/// The officers' common ground; it wires them and waits for their end.
pub struct Engine {
    ctx: Arc<Context>,
    health: Arc<Health>,
    calls: Arc<Calls>,
    supervisor: Arc<Supervisor>,
    stop: Stop,
}

impl Engine {
    #[must_use]
    pub fn new(desk: Desk, carrier: Arc<dyn Carrier>, clock: SharedClock, config: EngineConfig, installation: Installation, stop: Stop) -> Self {
        let ctx = Arc::new(Context { desk, carrier, clock, config, installation, incarnation: Incarnation::fresh() });
        let health = Arc::new(Health::new(ctx.clone(), stop.clone()));
        let supervisor = Arc::new(Supervisor::new(health.clone()));
        Self { ctx, health, calls: Arc::default(), supervisor, stop }
    }

    /// What this engine is called.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.ctx.incarnation
    }

    /// True after the first reconcile: nothing is claimed before.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.health.ready()
    }

    /// Runs until stopped; returns when the last call is seen to its end (drain) or at once (now).
    pub async fn run(self) {
        self.lead().await;
    }

    /// The same; says whether another engine has taken over meanwhile.
    pub async fn lead(self) -> Ended {
        let Self { ctx, health, calls, supervisor, stop } = self;
        let ended = health.clone();
        let timekeeper = Arc::new(Timekeeper::new(ctx.clone(), health.clone()));
        let reconciler = Reconciler::new(ctx.clone(), health.clone(), calls.clone(), supervisor.clone(), timekeeper.clone());
        supervisor.start("reconciler", reconciler.run(stop.clone()));
        if ctx.desk.store().is_shared() {
            supervisor.start("lease", lease::keep(ctx.clone(), health.clone(), calls.clone(), stop.clone()));
            supervisor.start("look at the database", at_once(&stop, timekeeper.clone().keep_looking(calls.clone(), stop.clone())));
        }
        supervisor.start("word of the end", health.clone().tell_end(stop.clone()));
        let requests = Requests::new(ctx.clone(), health.clone(), calls.clone(), supervisor.clone());
        supervisor.start("requests", at_once(&stop, requests.run(stop.clone())));
        supervisor.start("webhook watch", ToldWatch { ctx: ctx.clone(), calls: calls.clone() }.run(stop.clone()));
        let housekeeper = Housekeeper::new(ctx.desk.clone(), ctx.clock.clone(), ctx.config.retention, health.ready());
        supervisor.start("housekeeper", housekeeper.run(stop.clone()));
        let listeners = Listeners::new(ctx.clone(), calls.clone(), health.ready());
        supervisor.start("listeners", at_once(&stop, listeners.run(stop.clone())));
        let recorder = Recorder { ctx: ctx.clone(), calls: calls.clone(), ready: health.ready() };
        supervisor.start("recorder", at_once(&stop, recorder.run(stop.clone())));
        let scheduler = Scheduler::new(ctx.clone(), health.clone(), calls, supervisor.clone(), timekeeper);
        supervisor.start("scheduler", at_once(&stop, scheduler.run(stop.clone())));
        tokio::select! {
            biased;
            () = stop.now.cancelled() => {}
            // One that broke down leaves the calls that are live to their tasks.
            () = async { stop.drain.cancelled().await; supervisor.finished().await } => {}
        }
        ended.ends(false).await;
        if let Err(e) = ctx.desk.engine_stopped(ctx.incarnation).await {
            tracing::warn!(target: "engine", error = %e, "the engine's end could not be written");
        }
        if health.was_replaced() { Ended::Replaced } else { Ended::Stopped }
    }
}

/// How an engine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Stopped,
    /// Its calls are another engine's, which took over while this one stood still or was cut off.
    Replaced,
}

/// An officer that begins things: when it must leave at once it is dropped, in the middle of a look too.
fn at_once(stop: &Stop, officer: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
    let (now, officer) = (stop.now.clone(), Box::pin(officer));
    async move { now.run_until_cancelled(officer).await.unwrap_or_default() }
}
