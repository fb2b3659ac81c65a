//! `World`: a fresh database, a fast clock, the simulator, a desk and an engine, and what tests ask of them.

pub mod base;
pub mod http;
pub mod office;
pub mod postgres;
pub mod proxy;
pub mod pty;
pub mod virtual_time;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use dialdeck::{
    clock::{ScaledClock, SharedClock},
    config::Secret,
    desk::{Actor, AssignNumber, CampaignDraft, ClaimRequest, Desk, Import, Installation, Progress},
    domain::{
        breaker::Limits,
        campaign::{ContactSource, Settings},
        contact::ImportReport,
        id::{AssistantId, CallId, CampaignId, Incarnation, SourceId},
        phone::{self, PhoneNumber},
        rules::Rules,
        schedule::Days,
        stats::{Counts, Tally, contribution},
    },
    engine::{Engine, EngineConfig, Stop},
    provision::{OwnTrunk, Provision},
    store::{CallFilter, CallRow, CampaignRow, ContactTable, Store},
    telephony::{
        Carrier, NewTrunk,
        livekit::{LiveKit, LiveKitConfig},
        simulator::{Behaviour, Faults, Simulator, SimulatorConfig},
        twilio_trunks::TwilioTrunks,
    },
};
use tokio_util::sync::CancellationToken;

use base::{Base, on_a_server};

/// A Wednesday noon in New York, nine in Los Angeles: calling is open all over the United States.
pub const NOON: &str = "2026-11-18T17:00:00Z";

static TURNS: std::sync::OnceLock<Arc<tokio::sync::Semaphore>> = std::sync::OnceLock::new();

fn turns() -> Arc<tokio::sync::Semaphore> {
    TURNS.get_or_init(|| Arc::new(tokio::sync::Semaphore::new(2))).clone()
}

/// The turn of a test that runs no clock of its own but takes a core from those that do.
pub fn blocking_turn() -> tokio::sync::OwnedSemaphorePermit {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(turns().acquire_owned()).unwrap()
}

pub struct World {
    pub base: Base,
    pub clock: SharedClock,
    pub simulator: Simulator,
    pub store: Store,
    pub desk: Desk,
    pub installation: Installation,
    pub actor: Actor,
    pub assistant: AssistantId,
    pub carrier: Arc<dyn Carrier>,
    /// The same, as the adapter it is.
    pub livekit: Arc<LiveKit>,
    /// A scaled clock on a busy machine is a slow one: few worlds at once.
    _turn: tokio::sync::OwnedSemaphorePermit,
    running: Option<(Stop, tokio::task::JoinHandle<()>)>,
}

pub struct Options {
    pub speed: f64,
    pub behaviour: Behaviour,
    pub faults: Faults,
    pub rules: Rules,
    /// Over a server's database; where its programs are missing over a file.
    pub postgres: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { speed: 40.0, behaviour: Behaviour::Mix { seed: 7 }, faults: Faults::default(), rules: quick_rules(), postgres: false }
    }
}

/// A trunk that is no bottleneck, so that tests are quick, and no breaker: faults are what they are about.
pub fn quick_rules() -> Rules {
    let breaker = Limits { enabled: false, ..Limits::default() };
    Rules { calls_per_second: 1000.0, trunk_concurrent: 500, countries: vec!["US".into(), "GB".into()], breaker, ..Rules::default() }
}

impl World {
    pub async fn new(options: Options) -> Self {
        Self::at(NOON, options).await
    }

    /// One whose clock begins at another moment.
    pub async fn at(start: &str, options: Options) -> Self {
        let turn = turns().acquire_owned().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let base = if options.postgres { Base::on_a_server_in(dir).await } else { Base::in_folder(dir).await };
        let epoch: DateTime<Utc> = start.parse().unwrap();
        // A server takes its time, and a clock that is too quick for it sees time-outs everywhere.
        let speed = if on_a_server() { (options.speed / 2.0).max(1.0) } else { options.speed };
        let clock: SharedClock = Arc::new(ScaledClock::new(epoch, speed));
        let config = SimulatorConfig { behaviour: options.behaviour, faults: options.faults, ..SimulatorConfig::by_digits() };
        let simulator = Simulator::start(config.clone(), clock.clone()).await.unwrap();
        let store = base.open().await;
        let desk = Desk::new(store.clone(), clock.clone(), options.rules);
        let installation = desk.installation(None).await.unwrap();
        let actor = Actor { owner: installation.owner, name: "tester".into(), source: "console" };
        let livekit = LiveKitConfig { host: simulator.url(), api_key: config.api_key, api_secret: config.api_secret };
        let livekit = Arc::new(LiveKit::new(&livekit).unwrap());
        let carrier: Arc<dyn Carrier> = livekit.clone();
        let assistant = desk.add_assistant(actor.clone(), None, "Sarah".into(), None, "Hello {name}".into(), None).await.unwrap().id;
        let mut world = Self { base, clock, simulator, store, desk, installation, actor, assistant, carrier, livekit, _turn: turn, running: None };
        world.assign("trunk.example").await;
        world
    }

    /// Who makes trunks at this world's LiveKit, and asks its Twilio.
    pub fn provision(&self, own: OwnTrunk) -> Arc<Provision> {
        let token = Secret::new("simulated-twilio-auth-token");
        let twilio = TwilioTrunks::new(&self.simulator.url(), "AC00000000000000000000000000000001", &token).unwrap();
        Arc::new(Provision::new(self.desk.clone(), Some(self.livekit.clone()), Some(twilio), own, "ai".into()))
    }

    /// Gives the assistant a number over a trunk at this address.
    pub async fn assign(&mut self, address: &str) {
        let trunk = NewTrunk {
            name: "main".into(),
            address: address.into(),
            number: "+15550009999".into(),
            username: String::new(),
            password: Secret::default(),
            transport: "auto".into(),
            metadata: String::new(),
        };
        let trunk = self.carrier.create_trunk(trunk).await.unwrap();
        let assign = AssignNumber {
            number: PhoneNumber::own("+15550009999").unwrap(),
            assistant: self.assistant,
            livekit_trunk: trunk.trunk_id,
            trunk_name: trunk.name,
            address: trunk.address,
            numbers: trunk.numbers,
            inbound_trunk: None,
        };
        self.desk.assign_number(self.actor.clone(), assign).await.unwrap();
    }

    pub async fn import(&self, csv: String) -> (SourceId, ImportReport) {
        let import = Import {
            table: ContactTable::CsvFile,
            name: "contacts.csv".into(),
            region: phone::region("US").ok(),
            mapping: Vec::new(),
            size: Some(csv.len() as u64),
            dry_run: false,
        };
        let progress = tokio::sync::watch::Sender::new(Progress::default());
        self.desk.import(self.actor.clone(), import, std::io::Cursor::new(csv), progress, CancellationToken::new()).await.unwrap()
    }

    pub async fn campaign(&self, source: SourceId, change: impl FnOnce(&mut Settings)) -> CampaignId {
        let mut settings = settings();
        change(&mut settings);
        let draft = CampaignDraft {
            name: "Q4 Sales".into(),
            assistant: self.assistant,
            source: ContactSource::CsvFile,
            source_id: source,
            prompt: "Hello {name}, this is Sarah.".into(),
            agent_name: None,
            settings,
        };
        self.desk.create_campaign(self.actor.clone(), draft).await.unwrap()
    }

    pub fn engine_config() -> EngineConfig {
        EngineConfig {
            agent_name: "ai".into(),
            agent_wait: chrono::Duration::seconds(8),
            require_agent: true,
            claim_lease: chrono::Duration::seconds(30),
            lease: chrono::Duration::seconds(6),
            unknown_horizon: chrono::Duration::seconds(185),
            public_url: None,
            outcome_token: Arc::new(|_, _, _| None),
            orphan_sweep: true,
            retention: dialdeck::domain::retention::Retention::default(),
            call_list: None,
            recording: dialdeck::engine::Recording::None,
        }
    }

    /// What holds the engine from beginning anything.
    pub fn hold(&self) -> tokio::sync::watch::Sender<bool> {
        self.running.as_ref().unwrap().0.hold.clone()
    }

    pub fn start_engine(&mut self) {
        self.start_engine_as(|_| {});
    }

    pub fn start_engine_as(&mut self, change: impl FnOnce(&mut EngineConfig)) {
        let (stop, mut config) = (Stop::new(), Self::engine_config());
        change(&mut config);
        let engine = Engine::new(self.desk.clone(), self.carrier.clone(), self.clock.clone(), config, self.installation, stop.clone());
        self.running = Some((stop, tokio::spawn(engine.run())));
    }

    /// A campaign over these contacts, an engine, and off it goes.
    pub async fn running(&mut self, csv: String, change: impl FnOnce(&mut Settings)) -> CampaignId {
        let (source, _) = self.import(csv).await;
        let id = self.campaign(source, change).await;
        self.start_engine();
        self.desk.start(self.actor.clone(), id).await.unwrap();
        id
    }

    /// Ends the engine at once, as a crash does: nothing is tidied up.
    pub async fn crash_engine(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            // Itself first: one that is told to leave writes that it has left.
            task.abort();
            let _ = task.await;
            stop.now.cancel();
            self.base.lease_runs_out().await;
        }
    }

    /// Lets the engine see its calls to their end; it must have done so in time.
    pub async fn drain_engine(&mut self, limit: Duration) {
        let (stop, task) = self.running.take().unwrap();
        stop.drain.cancel();
        tokio::time::timeout(patience(limit), task).await.expect("the engine drains").unwrap();
    }

    /// Claims and arms the campaign's next call, as the engine would, and answers it with its room.
    pub async fn arm_next(&self, campaign: CampaignId, incarnation: Incarnation) -> (CallId, String) {
        let row = Arc::new(self.row(campaign).await);
        let zones = self.store.zone_heads(campaign).await.unwrap().into_iter().map(|h| h.zones).collect();
        let outgoing = self.store.outgoing(self.assistant).await.unwrap().unwrap().into();
        let request = ClaimRequest { campaign: row, outgoing, zones, limit: 1, incarnation, lease: chrono::Duration::hours(1) };
        let claimed = self.desk.claim(self.installation, request).await.unwrap().ready.remove(0);
        let (call, room) = (claimed.call, claimed.room.clone());
        self.desk.arm(claimed, incarnation).await.unwrap().unwrap();
        (call, room)
    }

    pub async fn row(&self, id: CampaignId) -> CampaignRow {
        self.store.campaign(self.actor.owner, id).await.unwrap().unwrap()
    }

    pub async fn calls(&self, id: CampaignId) -> Vec<CallRow> {
        self.store.calls(id, &CallFilter::default(), 100_000, 0).await.unwrap().rows
    }

    /// Waits until it holds, at most `limit` of real time.
    pub async fn until<F>(&self, what: &str, limit: Duration, mut holds: impl FnMut() -> F)
    where
        F: Future<Output = bool>,
    {
        let end = std::time::Instant::now() + patience(limit);
        while !holds().await {
            assert!(std::time::Instant::now() < end, "still waiting for: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn until_completed(&self, id: CampaignId, limit: Duration) {
        let end = std::time::Instant::now() + patience(limit);
        loop {
            let row = self.row(id).await;
            if row.execution_status == dialdeck::domain::campaign::Status::Completed {
                return;
            }
            if std::time::Instant::now() > end {
                let why = self.desk.explain(&row).await.unwrap();
                panic!("not completed: {:?} {} {:?}\n{why:?}", row.execution_status, row.status_reason, row.counts);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// How long is waited for what a file would have done by then: clocks run at half their speed on a server.
fn patience(limit: Duration) -> Duration {
    if on_a_server() { limit * 3 } else { limit }
}

/// Settings under which a test campaign runs at once and as fast as its clock.
pub fn settings() -> Settings {
    Settings {
        daily_cap: 100_000,
        calling_days: Days::ALL,
        start_hour: 0,
        end_hour: 0,
        max_concurrent: 50,
        call_delay_ms: 0,
        retry: dialdeck::domain::retry::RetryRules { max_attempts: 1, ..Default::default() },
        ..Settings::defaults("America/New_York".parse().unwrap())
    }
}

/// Numbers in the range that belongs to nobody, spread over area codes of one zone.
pub fn fictional(n: usize) -> String {
    const AREAS: [&str; 20] =
        ["202", "212", "215", "216", "301", "302", "305", "315", "404", "407", "410", "412", "508", "513", "516", "518", "561", "570", "585", "603"];
    format!("+1{}55501{:02}", AREAS[(n / 100) % AREAS.len()], n % 100)
}

pub fn csv_of(n: usize) -> String {
    let mut text = "name,phone,company\n".to_owned();
    for i in 0..n {
        text.push_str(&format!("Contact {i},{},Acme\n", fictional(i)));
    }
    text
}

/// Every figure on the screen against the rows it is a sum of.
pub async fn assert_counts_equal_rows(world: &World, id: CampaignId) {
    assert_eq!(world.row(id).await.counts, counted(&world.calls(id).await));
}

/// The figures of a campaign, counted from its rows.
pub fn counted(calls: &[CallRow]) -> Counts {
    calls.iter().fold(Counts::default(), |mut sum, c| {
        sum += contribution(&Tally {
            state: c.state,
            armed: c.armed_at.is_some(),
            leg_seen: c.leg_seen,
            answered: c.answered_at.is_some(),
            outcome: c.outcome,
            talk_seconds: c.call_duration,
        });
        sum
    })
}
