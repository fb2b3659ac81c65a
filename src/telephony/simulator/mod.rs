//! A LiveKit and Twilio stand-in on loopback: Twirp over protobuf or JSON, rooms and participants
//! whose attributes move, signed webhooks in the real order, an agent worker that reports, and the
//! faults that were recorded on the real thing. The product talks to it through the same adapter as
//! to a real LiveKit.
//!
//! What it does not claim: media, codecs, track details, calls that come in, LiveKit Cloud's regions; of Twilio, TwiML.

mod agent;
mod behaviour;
mod control;
mod egress;
mod faults;
mod leg;
mod outages;
mod script;
mod server;
mod trunks;
mod twilio;
mod webhooks;
mod world;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use behaviour::{Behaviour, Callee, Plan, die};
pub use faults::{Faults, Workers};
pub use script::Script;
pub use world::{Invite, LogEntry};

use crate::clock::SharedClock;
use world::World;

/// What the stand-in is to be.
#[derive(Clone)]
pub struct SimulatorConfig {
    pub listen: SocketAddr,
    pub api_key: String,
    pub api_secret: String,
    /// Where webhooks go; none are sent without it.
    pub webhook_url: Option<String>,
    pub behaviour: Behaviour,
    pub faults: Faults,
    /// How long a room stays after the last phone left (LiveKit's default is 20 s).
    pub departure_timeout: Duration,
    /// How agents tell how a call went.
    pub reports: Reports,
    /// Twilio's account and its auth token, which signs callbacks.
    pub twilio_account: String,
    pub twilio_token: String,
}

/// How the simulated agent worker reports an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    Nothing,
    /// `dd.*` attributes on itself.
    Attributes,
    /// PUT to the `outcomeUrl` of its metadata; attributes where there is none.
    Rest,
}

impl SimulatorConfig {
    /// Answers by the last four digits, like the lab's callee.
    #[must_use]
    pub fn by_digits() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: "simkey".to_owned(),
            api_secret: "simulator-secret-of-at-least-32-characters".to_owned(),
            webhook_url: None,
            behaviour: Behaviour::Digits,
            faults: Faults::default(),
            departure_timeout: Duration::from_secs(20),
            reports: Reports::Attributes,
            twilio_account: "AC00000000000000000000000000000001".to_owned(),
            twilio_token: "simulated-twilio-auth-token".to_owned(),
        }
    }
}

/// A running simulator; it stops when dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
}

/// A dispatch rule: whose calls it takes, and the agents it brings with what those are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRule {
    pub trunks: Vec<String>,
    pub agents: Vec<(String, String)>,
}

struct Shared {
    config: SimulatorConfig,
    clock: SharedClock,
    world: Mutex<World>,
    faults: Mutex<Faults>,
    /// Counts livekit-server's deaths: whoever waits for an answer is cut off.
    deaths: tokio::sync::watch::Sender<u64>,
    webhook_url: Mutex<Option<String>>,
    http: reqwest::Client,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Simulator {
    /// Binds and serves.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(config: SimulatorConfig, clock: SharedClock) -> std::io::Result<Self> {
        super::tokens::install();
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            faults: Mutex::new(config.faults.clone()),
            deaths: tokio::sync::watch::Sender::new(0),
            webhook_url: Mutex::new(config.webhook_url.clone()),
            world: Mutex::new(World::new(config.faults.seed)),
            http: reqwest::Client::builder().no_proxy().tls_backend_preconfigured(super::livekit::tls_for_loopback()).build().map_err(std::io::Error::other)?,
            tasks: TaskTracker::new(),
            stop: stop.clone(),
            config,
            clock,
        });
        if let Behaviour::Script(script) = &shared.config.behaviour {
            outages::begin(&shared, script);
        }
        let router = server::router(shared.clone());
        let end = stop.clone();
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(async move { end.cancelled().await }).await });
        Ok(Self { shared, address, stop })
    }

    /// Its endpoints without a socket, for a network that is simulated in-process.
    pub fn router(&self) -> axum::Router {
        server::router(self.shared.clone())
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends webhooks there from now on.
    pub fn set_webhook_url(&self, url: Option<String>) {
        *self.shared.webhook_url.lock() = url;
    }

    /// Changes the faults of a running simulator.
    pub fn set_faults(&self, faults: Faults) {
        *self.shared.faults.lock() = faults;
    }

    /// Every INVITE sent; those that reached a phone are the oracle of "never twice".
    #[must_use]
    pub fn invites(&self) -> Vec<Invite> {
        self.shared.world.lock().invites.clone()
    }

    /// How many INVITEs were sent.
    #[must_use]
    pub fn invites_so_far(&self) -> usize {
        self.shared.world.lock().invites.len()
    }

    /// What agents were told, dispatch by dispatch, of the rooms that are there.
    #[must_use]
    pub fn dispatched(&self) -> Vec<String> {
        let world = self.shared.world.lock();
        world.rooms.values().flat_map(|r| &r.dispatches).filter(|d| !d.agent_name.is_empty()).map(|d| d.metadata.clone()).collect()
    }

    /// All that happened, in order, in short words.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.world.lock().log.clone()
    }

    /// Address and login of every trunk that was made, newest first.
    #[must_use]
    pub fn trunk_logins(&self) -> Vec<(String, String)> {
        self.shared.world.lock().trunks.iter().map(|t| (t.address.clone(), t.auth_username.clone())).collect()
    }

    /// Address and password of every outbound trunk, newest first.
    #[must_use]
    pub fn trunk_passwords(&self) -> Vec<(String, String)> {
        self.shared.world.lock().trunks.iter().map(|t| (t.address.clone(), t.auth_password.clone())).collect()
    }

    /// Inbound trunks with their numbers, newest first.
    #[must_use]
    pub fn inbound_trunks(&self) -> Vec<(String, Vec<String>)> {
        self.shared.world.lock().inbound_trunks.iter().map(|t| (t.sip_trunk_id.clone(), t.numbers.clone())).collect()
    }

    /// Dispatch rules, newest first.
    #[must_use]
    pub fn rules(&self) -> Vec<SeenRule> {
        let seen = |r: &livekit_protocol::SipDispatchRuleInfo| SeenRule {
            trunks: r.trunk_ids.clone(),
            agents: r.room_config.iter().flat_map(|c| c.agents.clone()).map(|a| (a.agent_name, a.metadata)).collect(),
        };
        self.shared.world.lock().rules.iter().map(seen).collect()
    }

    /// A trunk is taken away behind everybody's back, or its description changed.
    pub fn change_trunk(&self, id: &str, change: impl FnOnce(&mut livekit_protocol::SipOutboundTrunkInfo) -> bool) {
        let mut world = self.shared.world.lock();
        let Some(at) = world.trunks.iter().position(|t| t.sip_trunk_id == id) else { return };
        if !change(&mut world.trunks[at]) {
            world.trunks.remove(at);
        }
    }

    /// Twilio's account has a number, on a trunk with this termination domain.
    pub fn set_twilio_number(&self, number: &str, domain: Option<&str>) {
        self.shared.world.lock().twilio_numbers.push((number.to_owned(), domain.map(str::to_owned)));
    }

    /// The numbers that ring or talk now.
    #[must_use]
    pub fn live_numbers(&self) -> Vec<String> {
        self.shared.world.lock().legs.values().map(|l| l.number.clone()).collect()
    }

    /// How many phones are ringing or talking now.
    #[must_use]
    pub fn live_legs(&self) -> usize {
        self.shared.world.lock().legs.len()
    }

    /// livekit-server dies and comes back: replies are lost, legs rejoin as liars.
    pub fn restart_server(&self, down: Duration) {
        outages::restart_server(&self.shared, down);
    }

    /// livekit-sip dies and comes back: its legs stay listed for 20 s.
    pub fn restart_sip(&self, down: Duration) {
        outages::restart_sip(&self.shared, down);
    }

    /// Redis loses everything: lists go empty, calls go on.
    pub fn lose_redis(&self, down: Duration) {
        outages::lose_redis(&self.shared, down, false);
    }

    /// Redis is killed: the rooms that live do not come back to any list.
    pub fn kill_redis(&self, down: Duration) {
        outages::lose_redis(&self.shared, down, true);
    }

    /// Server, SIP service and worker die together: Redis lists who was on the line for good.
    pub fn kill_host(&self, down: Duration) {
        outages::kill_host(&self.shared, down);
    }

    /// The agents' worker dies: its agents stay listed for 20 s.
    pub fn kill_workers(&self) {
        outages::kill_workers(&self.shared);
    }

    /// The agent of a number's call sets an attribute on itself.
    pub fn agent_tells(&self, number: &str, key: &str, value: &str) {
        agent::tells(&self.shared, number, key, value);
    }

    /// Somebody comes by a join token, as a LiveKit client does; answers their identity.
    ///
    /// # Errors
    /// In words, when the token lets nobody in.
    pub fn join(&self, token: &str) -> Result<String, String> {
        control::join(&self.shared, token)
    }

    /// Who came by token goes.
    pub fn part(&self, identity: &str) {
        control::leave(&self.shared, identity);
    }

    /// The agent of a number's call leaves its room.
    pub fn agent_leaves(&self, number: &str) {
        let room = self.shared.world.lock().legs.values().find(|l| l.number == number).map(|l| l.room.clone());
        if let Some(room) = room {
            agent::break_down(&self.shared, &room);
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    async fn sleep(&self, wait: Duration) {
        let at = self.clock.now() + chrono::Duration::from_std(wait).unwrap_or_default();
        tokio::select! {
            biased;
            () = self.clock.sleep_until(at) => {}
            () = self.stop.cancelled() => std::future::pending().await,
        }
    }

    /// Runs a task until it ends or the simulator stops.
    fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = task => {}
                () = stop.cancelled() => {}
            }
        });
    }
}
