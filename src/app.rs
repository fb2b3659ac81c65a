//! Wires the rooms together: the only place that sees all of them. Start order, stop order, signals.

mod beyond;
mod demo;
mod export;
mod lead;
mod listening;
mod lock;
mod mark;
mod standby;
mod zoneinfo;

use std::{fs::File, net::SocketAddr, panic::AssertUnwindSafe, path::PathBuf, sync::Arc, time::Duration};

use chrono::Duration as Span;
use futures_util::FutureExt;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use beyond::{Beyond, before_files, outside, patient};
pub use demo::{Demo, DemoOptions};
pub use export::{ExportError, ExportFormat, export};
pub use lock::lock;
pub use mark::unreached;
pub use zoneinfo::{host_zone, use_host_zones};

use crate::{
    api::{Auth, Provider},
    clock::SharedClock,
    config::{Config, Secret},
    desk::{Actor, Desk, DeskError, Installation},
    domain::{id::OwnerId, rules::Rules},
    engine::{Stop, hostname},
    provision::{OwnTrunk, Provision},
    store::{Setting, Store, StoreError, migrate_postgres},
    telephony::{
        CarrierError,
        livekit::{LiveKit, LiveKitConfig, is_loopback},
        twilio_trunks::TwilioTrunks,
    },
};

/// What ends a start, in a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error("cannot listen on {addr}: {why}")]
    Listen { addr: SocketAddr, why: String },
    #[error("the configuration is wrong: {0}")]
    Config(String),
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    #[error("cannot lock {path}: {why}")]
    Lock { path: String, why: String },
    #[error("the simulator cannot start: {0}")]
    Simulator(std::io::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What a start is asked for beside the configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct StartOptions {
    /// Nothing dials, whatever the configuration says.
    pub no_dial: bool,
    /// A port that is taken ends no start: it is waited for, and said.
    pub wait_for_port: bool,
}

/// A running program: engine and listener, or a follower of another's.
pub struct App {
    pub desk: Desk,
    pub clock: SharedClock,
    pub actor: Actor,
    pub installation: Installation,
    pub auth: Arc<Auth>,
    pub carrier: Option<Arc<LiveKit>>,
    /// Another process on this host holds engine and listener: words for the header, until it is gone.
    pub following: watch::Sender<Option<String>>,
    /// A part that everything hangs on has broken down: why this process must end, in words.
    pub broken: watch::Sender<Option<String>>,
    /// The listener's port is taken: by whom to free it, until it is free.
    pub port: watch::Sender<Option<String>>,
    /// Where the listener is bound.
    pub address: Option<SocketAddr>,
    stop: Stop,
    listener: CancellationToken,
    /// Ends what only the holder of this host's lock does.
    led: CancellationToken,
    /// Whether this process can do its part: it follows, or its engine is through its first look at the calls.
    ready: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    /// The lock falls with it.
    lock: Option<Arc<File>>,
    /// What the lock of this host stands beside.
    beside: PathBuf,
}

/// Opens the store and the desk: enough for a command that only writes rows.
///
/// # Errors
/// When the database cannot be opened.
pub async fn open_desk(config: &Config, clock: SharedClock) -> Result<(Desk, Installation), AppError> {
    bring_up_to_date(config).await?;
    desk_over(Store::open_sized(&config.database_url, true, config.connections).await?, config, clock).await
}

/// The same for a command that means a database that is there, and makes none.
///
/// # Errors
/// When there is none, or it cannot be opened.
pub async fn open_desk_there(config: &Config, clock: SharedClock) -> Result<(Desk, Installation), AppError> {
    bring_up_to_date(config).await?;
    desk_over(Store::open_sized(&config.database_url, false, config.connections).await?, config, clock).await
}

/// The schema of a server, by the login that may change it, where that is another one than that of the daily work.
async fn bring_up_to_date(config: &Config) -> Result<(), AppError> {
    if let Some(url) = config.migrate_url.as_ref().filter(|_| Store::is_server(&config.database_url)) {
        migrate_postgres(url.reveal()).await?;
    }
    Ok(())
}

async fn desk_over(store: Store, config: &Config, clock: SharedClock) -> Result<(Desk, Installation), AppError> {
    let rules = Rules {
        profile: config.profile,
        countries: config.countries.clone(),
        attempts_per_24h: config.attempts_per_24h,
        automated_voice: config.automated_voice,
        unlisted_open: config.unlisted_open,
        rest_after_talk: chrono::Duration::from_std(config.rest_after_talk).unwrap_or(chrono::Duration::days(1)),
        calls_per_second: config.calls_per_second,
        trunk_concurrent: config.trunk_concurrent,
        breaker: config.breaker,
        real_phones: config.livekit.as_ref().is_some_and(|l| !is_loopback(&l.host)),
    };
    let desk = Desk::new(store, clock, rules).reaching(config.max_round_trip);
    let installation = desk.installation(config.owner.map(OwnerId)).await?;
    desk.share_do_not_call(config.shared_do_not_call).await?;
    Ok((desk, installation))
}

/// The token mint of this installation.
pub async fn open_auth(config: &Config, desk: &Desk) -> Result<Arc<Auth>, AppError> {
    let secret = if config.jwt_secret.is_empty() { Secret::new(desk.secret(Setting::JwtSecret).await?) } else { config.jwt_secret.clone() };
    let auth = Auth::new(secret, config.audience.clone(), config.issuer.clone(), config.plain_role);
    let Some(url) = &config.supabase_url else { return Ok(Arc::new(auth)) };
    let provider = Provider::new(url, config.service_role_key.clone(), config.jwt_secret.is_empty()).map_err(AppError::Config)?;
    Ok(Arc::new(auth.with_provider(provider)))
}

/// The adapter to the configured LiveKit.
///
/// # Errors
/// When its host is no URL.
pub fn open_carrier(config: &Config) -> Result<Option<Arc<LiveKit>>, AppError> {
    let Some(l) = &config.livekit else { return Ok(None) };
    let livekit = LiveKit::new(&LiveKitConfig { host: l.host.clone(), api_key: l.api_key.clone(), api_secret: l.api_secret.reveal().to_owned() })?;
    Ok(Some(Arc::new(livekit)))
}

/// Who makes trunks at the configured LiveKit, and asks the configured Twilio where they go.
#[must_use]
pub fn open_provision(config: &Config, desk: &Desk, livekit: Option<Arc<LiveKit>>) -> Arc<Provision> {
    let own = OwnTrunk { address: config.trunk_address.clone(), username: config.trunk_username.clone(), password: config.trunk_password.clone() };
    let twilio = from_twilio(config, "trunks", TwilioTrunks::new);
    Arc::new(Provision::new(desk.clone(), livekit, twilio, own, config.agent_name.clone()))
}

impl App {
    /// Starts everything: database, lock, listener, engine.
    ///
    /// # Errors
    /// Faults of database, port and configuration end a start; those of LiveKit never do.
    pub async fn start(config: &Config, options: StartOptions, clock: SharedClock) -> Result<Self, AppError> {
        let (desk, installation) = open_desk(config, clock.clone()).await?;
        let auth = open_auth(config, &desk).await?;
        let carrier = open_carrier(config)?;
        let actor = Actor { owner: installation.owner, name: operator(), source: "console" };
        let beside = lock::beside(desk.store())?;
        let mut app = Self {
            desk,
            clock,
            actor,
            installation,
            auth,
            carrier,
            following: watch::Sender::new(None),
            broken: watch::Sender::new(None),
            port: watch::Sender::new(None),
            address: None,
            stop: Stop::new(),
            listener: CancellationToken::new(),
            led: CancellationToken::new(),
            ready: watch::Sender::new(false),
            tasks: Vec::new(),
            lock: None,
            beside,
        };
        app.watch_others();
        app.watch_desk();
        if let Some(lock) = lock(&app.beside)? {
            app.lock = Some(Arc::new(lock));
            app.lead(config, options, false).await?;
        } else {
            app.following.send_replace(Some(format!("calls go on in another process on {}: this screen looks on, and steers", app.desk.store().path())));
            app.keep("wait for the lock", app.twin().stand_by(config.clone(), options));
        }
        Ok(app)
    }

    /// The same app with tasks of its own.
    fn twin(&self) -> Self {
        Self {
            desk: self.desk.clone(),
            clock: self.clock.clone(),
            actor: self.actor.clone(),
            installation: self.installation,
            auth: self.auth.clone(),
            carrier: self.carrier.clone(),
            following: self.following.clone(),
            broken: self.broken.clone(),
            port: self.port.clone(),
            address: None,
            stop: self.stop.clone(),
            listener: self.listener.clone(),
            led: self.led.clone(),
            ready: self.ready.clone(),
            tasks: Vec::new(),
            lock: self.lock.clone(),
            beside: self.beside.clone(),
        }
    }

    /// Another process on this database rings no bell here: its commits are looked for.
    fn watch_others(&mut self) {
        let (store, clock, stop) = (self.desk.store().clone(), self.clock.clone(), self.listener.clone());
        self.keep("watch for other processes", async move {
            let mut seen = 0;
            loop {
                tokio::select! {
                    () = clock.sleep_until(clock.now() + Span::milliseconds(1000)) => {}
                    () = stop.cancelled() => return,
                }
                if let Err(e) = store.watch_others(&mut seen).await {
                    tracing::debug!(target: "app", error = %e, "the database's version cannot be read");
                }
            }
        });
    }

    /// Without writer and inbox there is a screen, a listener and an engine, and nothing they do is kept.
    fn watch_desk(&mut self) {
        let (desk, stop, broken) = (self.desk.clone(), self.listener.clone(), self.broken.clone());
        self.keep("watch of the desk", async move {
            tokio::select! {
                () = stop.cancelled() => {}
                words = desk.broken() => {
                    tracing::error!(target: "app", "{words}: this process ends");
                    broken.send_replace(Some(words.to_owned()));
                }
            }
        });
    }

    /// Spawns a part of the program. One that breaks down takes the process with it: who follows, or the
    /// next start, does better than a program that is half alive.
    fn keep(&mut self, what: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let broken = self.broken.clone();
        self.tasks.push(tokio::spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(target: "app", "the {what} broke down: this process ends");
                broken.send_replace(Some(format!("a part of the program has broken down (the {what})")));
            }
        }));
    }

    /// Resolves with the reason when this process must end.
    pub async fn must_end(&self) -> String {
        let mut broken = self.broken.subscribe();
        match broken.wait_for(Option::is_some).await.map(|words| words.clone()) {
            Ok(Some(words)) => words,
            // The sender is ours: it cannot be gone.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Ends: no new calls, live ones seen to their end for at most `limit`; then the listener.
    pub async fn shut_down(self, limit: Duration) {
        self.stop.drain.cancel();
        let mut tasks = self.tasks;
        let engine_done = async {
            // The listener and the watchers go last: callbacks of live calls are still welcome.
            while self.following.borrow().is_none() && !self.stop.now.is_cancelled() && any_open_call(&self.desk).await {
                self.clock.sleep_until(self.clock.now() + Span::milliseconds(100)).await;
            }
        };
        if tokio::time::timeout(limit, engine_done).await.is_err() {
            tracing::warn!(target: "app", "calls are still live: they go on by themselves, the next start looks after them");
        }
        self.stop.now.cancel();
        self.listener.cancel();
        for task in &mut tasks {
            if tokio::time::timeout(Duration::from_secs(2), &mut *task).await.is_err() {
                task.abort();
            }
        }
    }

    /// Holds dialling, as the begin of an end that may be taken back.
    #[must_use]
    pub fn dial_no_more(&self) -> watch::Sender<bool> {
        self.stop.hold.clone()
    }

    /// Stops at once; calls go on by themselves and the next start adopts them.
    pub fn stop_now(&self) {
        self.stop.drain.cancel();
        self.stop.now.cancel();
    }
}

/// A reader of Twilio's REST API, where account and token are configured.
fn from_twilio<T>(config: &Config, what: &str, make: impl FnOnce(&str, &str, &Secret) -> Result<T, String>) -> Option<T> {
    let token = config.twilio_tokens.first().filter(|_| !config.twilio_account.is_empty())?;
    let made = make(&config.twilio_api, &config.twilio_account, token);
    made.inspect_err(|e| tracing::warn!(target: "app", "Twilio's {what} cannot be asked: {e}")).ok()
}

/// Whether a call may be on the line. A database that cannot be asked proves nothing: it is waited for.
async fn any_open_call(desk: &Desk) -> bool {
    match desk.store().open_calls().await {
        Ok(rows) => !rows.is_empty(),
        Err(e) => {
            tracing::warn!(target: "app", error = %e, "whether calls are live cannot be read");
            true
        }
    }
}

/// The operator's name: `DIALDECK_OPERATOR`, else the login name and the SSH client.
#[must_use]
pub fn operator() -> String {
    let read = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    let name = read("DIALDECK_OPERATOR").unwrap_or_else(|| {
        let login = read("USER").or_else(|| read("LOGNAME")).unwrap_or_else(|| format!("console@{}", hostname()));
        read("SSH_CLIENT").and_then(|c| c.split(' ').next().map(|ip| format!("{login}@{ip}"))).unwrap_or(login)
    });
    crate::domain::text::clean(&name, 60)
}
