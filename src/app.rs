//! Wires the rooms together: the only place that sees all of them. Start order, stop order, signals.

mod beyond;
mod demo;
mod export;
mod mark;
mod standby;
mod zoneinfo;

use std::{
    fs::{DirBuilder, File},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::Duration as Span;
use futures_util::FutureExt;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use beyond::{Beyond, before_files, outside, patient};
pub use demo::{Demo, DemoOptions};
pub use export::{ExportError, ExportFormat, export};
pub use mark::unreached;
pub use zoneinfo::{host_zone, use_host_zones};

use crate::{
    api::{self, Auth, Defaults, Provider, Role},
    clock::SharedClock,
    config::{Config, RecordingSource, Secret},
    desk::{Actor, Desk, DeskError, Installation, SWITCHED_OFF},
    domain::{id::OwnerId, rules::Rules},
    engine::{Engine, EngineConfig, Recording, Stop, hostname},
    provision::{OwnTrunk, Provision},
    store::{Setting, Store, StoreError, migrate_postgres},
    telephony::{
        Bucket, Carrier, CarrierError, RecordingPlace,
        livekit::{LiveKit, LiveKitConfig, WebhookKeys, is_loopback},
        twilio::Signatures,
        twilio_calls::CallList,
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
    desk_over(Store::open(&config.database_url).await?, config, clock).await
}

/// The same for a command that means a database that is there, and makes none.
///
/// # Errors
/// When there is none, or it cannot be opened.
pub async fn open_desk_there(config: &Config, clock: SharedClock) -> Result<(Desk, Installation), AppError> {
    bring_up_to_date(config).await?;
    desk_over(Store::open_existing(&config.database_url).await?, config, clock).await
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
    let desk = Desk::new(store, clock, rules);
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
        let beside = beside(desk.store())?;
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
            tasks: Vec::new(),
            lock: None,
            beside: self.beside.clone(),
        }
    }

    /// Holds the lock: listens, and dials where that is allowed and no other host does.
    async fn lead(&mut self, config: &Config, options: StartOptions, taking_over: bool) -> Result<(), AppError> {
        self.keep_mark().await?;
        let ready = self.start_engine(config, options).await?;
        self.following.send_replace(None);
        let ready = match ready {
            Some(ready) => ready,
            None => self.follow_host(config, options).await,
        };
        self.listen(config, ready, taking_over || options.wait_for_port).await?;
        let desk = self.desk.clone();
        self.keep("sweep of unfinished imports", async move {
            if let Err(e) = desk.discard_unfinished(Span::hours(1)).await {
                tracing::warn!(target: "app", error = %e, "unfinished imports could not be removed");
            }
        });
        Ok(())
    }

    /// Holds dialling where the database went back in time, and writes down from now on how far it is.
    async fn keep_mark(&mut self) -> Result<(), AppError> {
        if let Some(lock) = &self.lock {
            let mark = mark::Mark::new(lock.clone(), &self.installation);
            mark.check(&self.desk).await?;
            self.keep("keeper of the mark", mark.keep(self.desk.clone(), self.clock.clone(), self.listener.clone()));
        }
        Ok(())
    }

    /// The engine, or the words why there is none; `None` where another host has one.
    async fn start_engine(&mut self, config: &Config, options: StartOptions) -> Result<Option<watch::Receiver<bool>>, AppError> {
        if self.other_host().await?.is_some() {
            return Ok(None);
        }
        let idle = |words: &str| Some(words.to_owned());
        let why_not = if options.no_dial || !config.engine_enabled {
            Some(format!("{SWITCHED_OFF} (--no-dial or ENABLE_CAMPAIGN_ENGINE=false): console and listener only"))
        } else if self.carrier.is_none() {
            idle("no LiveKit is configured: set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET; `dialdeck demo` practises without")
        } else {
            None
        };
        if let Some(words) = why_not {
            tracing::warn!(target: "app", "{words}");
            self.desk.report_health(words).await?;
            return Ok(Some(watch::Sender::new(true).subscribe()));
        }
        let Some(carrier) = self.carrier.clone() else { return Ok(Some(watch::Sender::new(true).subscribe())) };
        let span = |d: Duration| Span::from_std(d).unwrap_or(Span::seconds(30));
        let auth = self.auth.clone();
        let engine_config = EngineConfig {
            agent_name: config.agent_name.clone(),
            agent_wait: span(config.agent_wait),
            require_agent: config.require_agent,
            claim_lease: span(config.claim_lease),
            unknown_horizon: span(config.unknown_horizon),
            public_url: config.public_url.clone(),
            outcome_token: Arc::new(move |call, owner, until| auth.mint(owner, Role::Agent, until, Some(call))),
            orphan_sweep: config.orphan_sweep,
            retention: config.retention,
            call_list: from_twilio(config, "list of calls", CallList::new).map(Arc::new),
            recording: recording(config),
        };
        let engine = Engine::new(self.desk.clone(), carrier, self.clock.clone(), engine_config, self.installation, self.stop.clone());
        // Of two hosts that find nobody dialling one goes on from here.
        if !self.desk.renew_lease(engine.incarnation(), hostname()).await? {
            return Ok(None);
        }
        let ready = engine.ready();
        self.keep("engine", engine.run());
        Ok(Some(ready))
    }

    /// Serves webhooks and REST. A port that is taken ends it, or is waited for: polls tell of live calls meanwhile.
    async fn listen(&mut self, config: &Config, ready: watch::Receiver<bool>, waits: bool) -> Result<(), AppError> {
        let addr = config.listen;
        let router = api::router(self.api(config, ready));
        let (stop, limits, proxies) = (self.listener.clone(), config.limits, config.proxies.clone());
        let why = match TcpListener::bind(addr).await {
            Ok(listener) => {
                self.address = listener.local_addr().ok();
                self.keep("listener", api::serve(listener, router, limits, proxies, stop));
                return Ok(());
            }
            Err(e) if waits => listen_words(&e),
            Err(e) => return Err(AppError::Listen { addr, why: listen_words(&e) }),
        };
        let words = format!("no webhooks reach this process: cannot listen on {addr}: {why}. It is tried again every 5 s");
        tracing::warn!(target: "app", "{words}");
        self.port.send_replace(Some(words));
        let (clock, port) = (self.clock.clone(), self.port.clone());
        self.keep("listener", async move {
            let listener = loop {
                tokio::select! {
                    () = clock.sleep_until(clock.now() + Span::seconds(5)) => {}
                    () = stop.cancelled() => return,
                }
                if let Ok(listener) = TcpListener::bind(addr).await {
                    break listener;
                }
            };
            tracing::info!(target: "app", "listening on {addr}: callbacks reach this process");
            port.send_replace(None);
            api::serve(listener, router, limits, proxies, stop).await;
        });
        Ok(())
    }

    fn api(&self, config: &Config, ready: watch::Receiver<bool>) -> api::Parts {
        let keys = config.livekit.as_ref().map(|l| vec![(l.api_key.clone(), l.api_secret.reveal().to_owned())]).unwrap_or_default();
        let sip = config.livekit.as_ref().map(|l| if l.sip_uri.is_empty() { sip_guess(&l.host) } else { host_only(&l.sip_uri) }).unwrap_or_default();
        api::Parts {
            desk: self.desk.clone(),
            clock: self.clock.clone(),
            auth: self.auth.clone(),
            carrier: self.carrier.clone().map(|l| l as Arc<dyn Carrier>),
            livekit_keys: WebhookKeys::new(keys),
            twilio: Signatures::new(config.twilio_tokens.iter().map(|t| t.reveal().to_owned()).collect(), &config.public_bases),
            sip_host: sip,
            ready,
            provision: open_provision(config, &self.desk, self.carrier.clone()),
            limits: config.limits,
            buckets: Arc::new(api::Buckets::new(config.limits)),
            edges: Arc::new(api::Edges::new(config.proxies.clone(), &config.origins)),
            defaults: Defaults {
                timezone: config.timezone.unwrap_or_else(host_zone),
                region: config.region.clone(),
                default_number: config.twilio_number.clone(),
            },
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

/// Who records the calls.
fn recording(config: &Config) -> Recording {
    match config.recording {
        RecordingSource::None => Recording::None,
        RecordingSource::Twilio => from_twilio(config, "list of recordings", CallList::new).map_or(Recording::None, |list| Recording::Twilio(Arc::new(list))),
        RecordingSource::Egress => {
            let b = config.recording_bucket.clone();
            let bucket = Bucket { name: b.name, access_key: b.access_key, secret: b.secret, region: b.region, endpoint: b.endpoint };
            Recording::Egress(RecordingPlace { prefix: b.prefix, bucket: (!bucket.name.is_empty()).then_some(bucket) })
        }
    }
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

/// What this host's lock and mark stand beside: the database's file, or a name for the server among our data.
fn beside(store: &Store) -> Result<PathBuf, AppError> {
    if !store.is_shared() {
        return Ok(PathBuf::from(store.path()));
    }
    let set = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let data = set.unwrap_or_else(|| std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from).join(".local/share"));
    let folder = data.join("dialdeck");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let name: String = store.path().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(folder.join(name))
}

fn lock_path(database: &Path) -> PathBuf {
    PathBuf::from(format!("{}.lock", Store::real_path(database).display()))
}

/// The host's lock beside the database: one engine and one listener. `None` while another process holds it.
///
/// # Errors
/// When the file beside the database cannot be made or locked.
pub fn lock(database: &Path) -> Result<Option<File>, AppError> {
    let path = lock_path(database);
    let fail = |why: String| AppError::Lock { path: path.display().to_string(), why };
    let file = File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path).map_err(|e| fail(e.to_string()))?;
    // Whoever may open it may hold it and keep every start out; earlier releases left it open to all.
    if let Err(e) = file.set_permissions(std::fs::Permissions::from_mode(0o600)) {
        tracing::warn!(target: "app", error = %e, "{} cannot be closed to others", path.display());
    }
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(fail(e.to_string())),
    }
}

fn listen_words(e: &std::io::Error) -> String {
    match e.kind() {
        std::io::ErrorKind::AddrInUse => "another program has this port. Stop it, or choose another with --listen ADDR or [listen] addr".to_owned(),
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need privileges. Choose another with --listen ADDR".to_owned(),
        _ => format!("{e}. Choose another address with --listen ADDR"),
    }
}

/// The host of a URL or SIP URI, with its port.
fn host_only(uri: &str) -> String {
    let rest = uri.split_once("://").map_or(uri, |(_, r)| r).trim_start_matches("sip:");
    let rest = rest.split(['/', ';', '?']).next().unwrap_or_default();
    rest.rsplit_once('@').map_or(rest, |(_, h)| h).to_owned()
}

/// `LIVEKIT_SIP_URI` unset: LiveKit's host, without the port of its HTTP API; said at start.
fn sip_guess(host: &str) -> String {
    let name = host_only(host);
    let name = name.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(name.as_str(), |(h, _)| h).to_owned();
    tracing::info!(target: "app", "LIVEKIT_SIP_URI is not set: calls into rooms go to sip:...@{name}");
    name
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_for_twiml() {
        assert_eq!(host_only("wss://x.livekit.cloud"), "x.livekit.cloud");
        assert_eq!(host_only("sip:abc.sip.livekit.cloud;transport=tcp"), "abc.sip.livekit.cloud");
        assert_eq!(host_only("ws://127.0.0.1:7880/x"), "127.0.0.1:7880");
    }

    #[test]
    fn one_lock_a_database() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("t.db");
        let held = lock(&database).unwrap();
        assert!(held.is_some() && lock(&database).unwrap().is_none());
        drop(held);
        assert!(lock(&database).unwrap().is_some());
    }
}
