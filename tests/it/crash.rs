//! The real program, killed with SIGKILL: at random moments, and at each named place between claim
//! and record. Nobody is dialled twice, nobody is left "calling", counters equal the rows, the run
//! completes. `DIALDECK_KILLS` sets how often at random (100), `DIALDECK_KILLS_PER_POINT` how often at
//! each place (2; the long form is 200).

use std::{
    collections::HashMap,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use dialdeck::{
    clock::{SharedClock, SystemClock},
    desk::{Actor, AssignNumber, CampaignDraft, Desk, Import, Progress},
    domain::{
        campaign::{ContactSource, Settings, Status},
        id::{AssistantId, CampaignId},
        phone::{self, PhoneNumber},
    },
    failpoint,
    store::{CallFilter, CampaignRow, ContactTable, Setting, Store},
    telephony::{
        Carrier, NewTrunk,
        livekit::{LiveKit, LiveKitConfig},
        simulator::{Behaviour, Faults, Simulator, SimulatorConfig, Workers, die},
    },
};

use crate::support::{
    base::{Base, only_a_file},
    counted, csv_of, quick_rules, settings,
};

/// A database with a running campaign, a simulator, and the program to be killed over them.
pub struct Rig {
    pub base: Base,
    pub address: String,
    pub simulator: Simulator,
    pub config: SimulatorConfig,
    pub store: Store,
    pub actor: Actor,
    pub campaign: CampaignId,
}

impl Rig {
    pub async fn new(contacts: usize, ring: u64, talk: u64) -> Self {
        Self::over(Base::in_folder(tempfile::tempdir().unwrap()).await, contacts, ring, talk).await
    }

    /// The same over any database.
    pub async fn over(base: Base, contacts: usize, ring: u64, talk: u64) -> Self {
        let clock: SharedClock = Arc::new(SystemClock::new());
        let config = SimulatorConfig {
            behaviour: Behaviour::Answer { ring: Duration::from_millis(ring), talk: Duration::from_millis(talk) },
            departure_timeout: Duration::from_secs(1),
            ..SimulatorConfig::by_digits()
        };
        let simulator = Simulator::start(config.clone(), clock.clone()).await.unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        simulator.set_webhook_url(Some(format!("http://{address}/api/v1/livekit/webhook")));
        let store = base.open().await;
        let desk = Desk::new(store.clone(), clock, quick_rules());
        let actor = Actor { owner: desk.installation(None).await.unwrap().owner, name: "tester".into(), source: "console" };
        let campaign = a_campaign(&desk, &actor, &simulator, &config, contacts).await;
        desk.start(actor.clone(), campaign).await.unwrap();
        Self { base, address, simulator, config, store, actor, campaign }
    }

    pub fn serve(&self, failpoint: Option<String>) -> Child {
        self.command(failpoint).spawn().unwrap()
    }

    pub fn command(&self, failpoint: Option<String>) -> Command {
        let mut command = program(self.base.dir.path(), &self.address, self.base.url(), &self.simulator, &self.config);
        if let Some(failpoint) = failpoint {
            command.env("DIALDECK_FAILPOINT", failpoint);
        }
        command
    }

    pub async fn row(&self) -> CampaignRow {
        self.store.campaign(self.actor.owner, self.campaign).await.unwrap().unwrap()
    }

    /// Serves until the program dies at a place; `false` when it lived on.
    pub async fn dies_at(&self, point: &str, nth: u64) -> bool {
        let mut child = self.serve(Some(format!("{point}:{nth}")));
        let end = Instant::now() + Duration::from_secs(12);
        loop {
            if child.try_wait().unwrap().is_some() {
                return true;
            }
            if Instant::now() > end || self.row().await.execution_status == Status::Completed {
                child.kill().unwrap();
                child.wait().unwrap();
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the campaign is done, whoever runs it.
    pub async fn until_done(&self) {
        let end = Instant::now() + Duration::from_mins(2);
        while self.row().await.execution_status != Status::Completed {
            assert!(Instant::now() < end, "{:?}", self.row().await.counts);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Serves until the campaign is done.
    pub async fn run_to_the_end(&self) {
        let mut child = self.serve(None);
        let end = Instant::now() + Duration::from_mins(3);
        while self.row().await.execution_status != Status::Completed && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Numbers that rang more than once, and how many rang at all.
    pub fn rings(&self) -> (Vec<String>, usize) {
        let mut rings: HashMap<String, usize> = HashMap::new();
        for invite in self.simulator.invites() {
            *rings.entry(invite.number).or_default() += 1;
        }
        (rings.iter().filter(|(_, n)| **n > 1).map(|(number, _)| number.clone()).collect(), rings.len())
    }

    pub async fn assert_nothing_is_wrong(&self, what: &str) {
        let (twice, _) = self.rings();
        assert!(twice.is_empty(), "{what}: rung twice: {twice:?}");
        let row = self.row().await;
        let calls = self.store.calls(self.campaign, &CallFilter::default(), 100_000, 0).await.unwrap().rows;
        let open: Vec<_> =
            calls.iter().filter(|c| !c.state.is_ended()).map(|c| (c.state, &c.reason, c.armed_at, c.answered_at, c.rejoined, &c.left_reason)).collect();
        assert!(open.is_empty(), "{what}: calls are left open: {open:#?}");
        assert_eq!(row.execution_status, Status::Completed, "{what}: {:?}", row.counts);
        assert_eq!(row.counts, counted(&calls), "{what}: counters and rows");
    }
}

/// The program that serves with this LiveKit.
pub fn program(home: &Path, address: &str, url: &str, simulator: &Simulator, config: &SimulatorConfig) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
    command
        .args(["serve", "--listen", address])
        .env_clear()
        .env("HOME", home)
        .env("DATABASE_URL", url)
        .env("LIVEKIT_HOST", simulator.url())
        .env("LIVEKIT_API_KEY", &config.api_key)
        .env("LIVEKIT_API_SECRET", &config.api_secret)
        .env("DIALDECK_COMPLIANCE__PROFILE", "none")
        .env("DIALDECK_COMPLIANCE__COUNTRIES", "US")
        .env("DIALDECK_TRUNK__CALLS_PER_SECOND", "1000")
        .env("DIALDECK_TRUNK__MAX_CONCURRENT", "500")
        // The shortest, where hosts share a database.
        .env("DIALDECK_ENGINE__LEASE", "1s")
        // So that a run of seconds sees its unknown calls to their end.
        .env("DIALDECK_ENGINE__UNKNOWN_HORIZON", "2s")
        .env("TWILIO_ACCOUNT_SID", &config.twilio_account)
        .env("TWILIO_AUTH_TOKEN", &config.twilio_token)
        .env("DIALDECK_TWILIO__API_URL", simulator.url())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

async fn a_campaign(desk: &Desk, actor: &Actor, simulator: &Simulator, config: &SimulatorConfig, contacts: usize) -> CampaignId {
    let assistant = an_assistant(desk, actor, simulator, config).await;
    a_campaign_over(desk, actor, assistant, "Crash", csv_of(contacts), Settings { max_concurrent: 20, ..settings() }).await
}

/// One with a number over a trunk.
pub async fn an_assistant(desk: &Desk, actor: &Actor, simulator: &Simulator, config: &SimulatorConfig) -> AssistantId {
    let livekit = LiveKitConfig { host: simulator.url(), api_key: config.api_key.clone(), api_secret: config.api_secret.clone() };
    let carrier = LiveKit::new(&livekit).unwrap();
    let assistant = desk.add_assistant(actor.clone(), None, "Sarah".into(), None, "Hello {name}".into(), None).await.unwrap().id;
    let trunk = NewTrunk {
        name: "main".into(),
        address: "dialdeck.pstn.twilio.com".into(),
        number: "+15550009999".into(),
        username: String::new(),
        password: dialdeck::config::Secret::default(),
        transport: "auto".into(),
        metadata: String::new(),
    };
    let trunk = carrier.create_trunk(trunk).await.unwrap();
    let assign = AssignNumber {
        number: PhoneNumber::own("+15550009999").unwrap(),
        assistant,
        livekit_trunk: trunk.trunk_id,
        trunk_name: trunk.name,
        address: trunk.address,
        numbers: trunk.numbers,
        inbound_trunk: None,
    };
    desk.assign_number(actor.clone(), assign).await.unwrap();
    assistant
}

pub async fn a_campaign_over(desk: &Desk, actor: &Actor, assistant: AssistantId, name: &str, csv: String, settings: Settings) -> CampaignId {
    let import =
        Import { table: ContactTable::CsvFile, name: "c.csv".into(), region: phone::region("US").ok(), mapping: Vec::new(), size: None, dry_run: false };
    let progress = tokio::sync::watch::Sender::new(Progress::default());
    let csv = std::io::Cursor::new(csv);
    let (source, _) = desk.import(actor.clone(), import, csv, progress, tokio_util::sync::CancellationToken::new()).await.unwrap();
    let draft = CampaignDraft {
        name: name.into(),
        assistant,
        source: ContactSource::CsvFile,
        source_id: source,
        prompt: "Hello {name}".into(),
        agent_name: None,
        settings,
    };
    desk.create_campaign(actor.clone(), draft).await.unwrap()
}

pub fn number_from(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|k| k.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_p13_killed_a_hundred_times_nobody_is_dialled_twice() {
    const CONTACTS: usize = 600;
    let rig = Rig::new(CONTACTS, 60, 150).await;
    let mut roll = 11u64;
    for _ in 0..number_from("DIALDECK_KILLS", 100) {
        let mut child = rig.serve(None);
        roll = die(roll);
        tokio::time::sleep(Duration::from_millis(120 + roll % 500)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        if rig.row().await.execution_status == Status::Completed {
            break;
        }
    }
    rig.run_to_the_end().await;
    rig.assert_nothing_is_wrong("killed at random").await;
    let (_, reached) = rig.rings();
    assert!(reached * 10 >= CONTACTS * 7, "{reached} of {CONTACTS} were reached");
}

/// P1, P2, P7, P12, P13 at every step of a call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_p12_killed_at_every_step_nobody_is_dialled_twice_or_forgotten() {
    let kills = number_from("DIALDECK_KILLS_PER_POINT", 2);
    let only = std::env::var("DIALDECK_POINT").ok();
    for point in failpoint::POINTS.into_iter().filter(|p| only.as_deref().is_none_or(|o| o == *p)) {
        // Polls come each second: what only a poll sees must last as long.
        let (ring, talk) = match point {
            "dial.ringing" => (1300, 100),
            "follow.looked" | "follow.answered" | "follow.cleared" => (60, 1300),
            _ => (40, 60),
        };
        let (mut died, mut roll) = (0, die(7));
        // A campaign of 300 outlives some thirty deaths: then the next.
        for _ in 0..kills / 5 + 6 {
            let rig = Rig::new(if kills > 9 { 300 } else { 50 }, ring, talk).await;
            while died < kills && rig.row().await.execution_status != Status::Completed {
                roll = die(roll);
                let nth = if died == 0 { 1 } else { 1 + roll % 6 };
                died += u64::from(rig.dies_at(point, nth).await);
            }
            rig.run_to_the_end().await;
            rig.assert_nothing_is_wrong(point).await;
            if died >= kills {
                break;
            }
        }
        assert!(died >= kills, "{point}: {died} deaths of {kills}: it is hardly ever reached");
    }
}

/// The matrix bites: a program that leaves no trace before it dials, and records only what came of it,
/// rings people twice. What such a program would find after its death is made here from what ours
/// left: calls that were armed or unknown are pending again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kill_matrix_catches_a_program_that_records_after_dialling() {
    // Each death finds calls that ring and whose replies are awaited.
    let rig = Rig::new(60, 1500, 100).await;
    for nth in [5, 6, 7] {
        rig.dies_at("dial.sent", nth).await;
        let forget = "UPDATE campaign_calls SET state = 'pending', rank = 0, armed_at = NULL, room_name = NULL, reply_pending = FALSE, lease_until = NULL
                      WHERE state IN ('armed', 'unknown', 'dialing');
                      UPDATE numbers_live SET call_id = NULL, held_until = NULL;
                      UPDATE campaign_counts SET live = 0, processing = 0, pending = total - completed;
                      UPDATE trunks SET live = 0";
        rig.base.run(forget).await;
    }
    rig.run_to_the_end().await;
    assert!(!rig.rings().0.is_empty(), "the oracle saw nobody rung twice");
}

/// P13: a database put back from a backup does not know whom it called since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_restored_database_dials_nobody_without_an_operators_word() {
    only_a_file!("a copy of the file is put back");
    let rig = Rig::new(60, 100, 200).await;
    let file = rig.base.url().trim_start_matches("sqlite:").to_owned();
    let backup = rig.base.dir.path().join("backup.db");
    let snapshot = format!("VACUUM INTO '{}'", backup.display());
    let run = async |sql: &str| {
        use sqlx::Connection;
        let mut db = sqlx::SqliteConnection::connect(&file).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    };
    run(&snapshot).await;
    let mut child = rig.serve(None);
    while rig.rings().1 < 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Long enough for the mark.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    // The backup takes the database's place while nobody has it open.
    let Rig { base, simulator, config, store, actor, campaign, address } = rig;
    drop(store);
    tokio::time::sleep(Duration::from_millis(200)).await;
    for suffix in ["-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{file}{suffix}")));
    }
    std::fs::copy(&backup, &file).unwrap();
    let store = base.open().await;
    let rig = Rig { base, address, simulator, config, store, actor, campaign };
    let before = rig.simulator.invites().len();
    let mut child = rig.serve(None);
    let end = Instant::now() + Duration::from_secs(10);
    while !rig.store.kill_switch().await.unwrap() {
        assert!(Instant::now() < end, "dialling is not held");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(rig.simulator.invites().len(), before, "nobody was dialled");
    let why = Command::new(env!("CARGO_BIN_EXE_dialdeck"))
        .args(["campaign", "why", "Crash"])
        .env_clear()
        .env("HOME", rig.base.dir.path())
        .env("DATABASE_URL", rig.base.url())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&why.stdout).contains("older than the calls made with it"), "{why:?}");
    // The operator's word.
    let go = Command::new(env!("CARGO_BIN_EXE_dialdeck"))
        .args(["stop-all", "--release"])
        .env_clear()
        .env("HOME", rig.base.dir.path())
        .env("DATABASE_URL", rig.base.url())
        .status()
        .unwrap();
    assert!(go.success());
    let end = Instant::now() + Duration::from_secs(15);
    while rig.simulator.invites().len() == before {
        assert!(Instant::now() < end, "it does not go on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Two processes on one database: the second follows, and takes over when the first is stopped for
/// longer than its lease; the first wakes up and does no harm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_engine_is_replaced_and_harmless_when_it_wakes() {
    only_a_file!("the write lock of a file that a stopped process keeps");
    let signal = |child: &Child, signal: &str| {
        let done = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(done.success());
    };
    let rig = Rig::new(300, 400, 600).await;
    let mut first = rig.serve(None);
    while rig.rings().1 < 10 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut second = rig.serve(None);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(second.try_wait().unwrap().is_none(), "it follows");
    // One that is stopped in mid-transaction keeps SQLite's write lock, and nobody can take over until it
    // goes on or is ended: that is said on the screen. Here it is stopped between two.
    loop {
        use sqlx::Connection;
        signal(&first, "-STOP");
        let mut db = sqlx::SqliteConnection::connect(rig.base.url().trim_start_matches("sqlite:")).await.unwrap();
        sqlx::query("PRAGMA busy_timeout = 300").execute(&mut db).await.unwrap();
        let free = sqlx::query("BEGIN IMMEDIATE").execute(&mut db).await.is_ok();
        db.close().await.unwrap();
        if free {
            break;
        }
        signal(&first, "-CONT");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let leader = rig.store.setting(Setting::Leader).await.unwrap();
    // The lease must run out first; a busy machine takes its time.
    let end = Instant::now() + Duration::from_mins(3);
    while rig.store.setting(Setting::Leader).await.unwrap() == leader {
        assert!(Instant::now() < end, "nobody took over");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let rung = rig.rings().1;
    while rig.rings().1 < rung + 20 {
        assert!(Instant::now() < end, "the second does not dial");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    signal(&first, "-CONT");
    let end = Instant::now() + Duration::from_mins(2);
    while rig.row().await.execution_status != Status::Completed && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for child in [&mut first, &mut second] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    rig.assert_nothing_is_wrong("stopped and woken").await;
}

/// P1, P13 of two processes of which one is stopped again and again: `DIALDECK_STOPS` times (4), up to
/// `DIALDECK_STOP_SECONDS` each (3; the long form is 120).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_p13_two_engines_stopped_at_random_ring_nobody_twice() {
    let stops = number_from("DIALDECK_STOPS", 4);
    let contacts = 60 * usize::try_from(stops).unwrap();
    let rig = Rig::new(contacts, 300, 900).await;
    let mut children = [rig.serve(None), rig.serve(None)];
    let mut roll = die(23);
    for _ in 0..stops {
        tokio::time::sleep(Duration::from_millis(200 + roll % 1500)).await;
        roll = die(roll);
        let longest = number_from("DIALDECK_STOP_SECONDS", 3) * 1000;
        let signal = |what: &str| drop(Command::new("kill").args([what, &children[(roll >> 40 & 1) as usize].id().to_string()]).status());
        signal("-STOP");
        tokio::time::sleep(Duration::from_millis(500 + roll % (longest - 499))).await;
        signal("-CONT");
        if rig.row().await.execution_status == Status::Completed {
            break;
        }
    }
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    rig.run_to_the_end().await;
    rig.assert_nothing_is_wrong("stopped at random").await;
    assert!(rig.rings().1 * 10 > contacts * 6, "{} of {contacts} were reached", rig.rings().1);
}

/// P8, P14: a disk that takes nothing more (full, or gone read-only) dials nobody and loses nothing; when
/// it takes again, everything goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_p14_a_disk_that_takes_nothing_dials_nobody_and_loses_nothing() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    only_a_file!("the disk of this host");
    let rig = Rig::new(120, 400, 1500).await;
    let program = rig.command(None);
    let mut command = Command::new("sh");
    // A write beyond the limit is then an error, not the end of the process.
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(program.get_program()).args(program.get_args());
    command.env_clear().envs(program.get_envs().filter_map(|(k, v)| Some((k, v?)))).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let limit = |bytes| {
        prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    };
    while rig.rings().1 < 30 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    limit(Some(0));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = rig.simulator.invites().len();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(rig.simulator.invites().len(), before, "dialled without a committed row");
    assert!(child.try_wait().unwrap().is_none(), "it waits for its disk");
    limit(None);
    let end = Instant::now() + Duration::from_mins(2);
    while rig.row().await.execution_status != Status::Completed && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    rig.assert_nothing_is_wrong("a full disk").await;
    assert_eq!(rig.rings().1, 120, "everybody was reached in the end");
}

/// What the documented system got wrong, 44: a deploy ended it in mid-call and nobody wrote down how the
/// calls went. SIGTERM starts nothing new, sees the live calls to their end, and exits 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defect_44_a_deploy_ended_the_bookkeeping_in_mid_call() {
    let rig = Rig::new(60, 300, 4000).await;
    let mut child = rig.serve(None);
    while rig.row().await.counts.answered_now < 5 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    // What was prepared may still be on its way for a moment.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = rig.simulator.invites().len();
    let end = Instant::now() + Duration::from_secs(30);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "it does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((status.code(), rig.simulator.invites().len()), (Some(0), before), "nothing new was begun");
    let calls = rig.store.calls(rig.campaign, &CallFilter::default(), 1000, 0).await.unwrap().rows;
    assert!(calls.iter().all(|c| c.armed_at.is_none() || c.state.is_ended()), "every call that was made is written to its end");
    rig.run_to_the_end().await;
    rig.assert_nothing_is_wrong("after a deploy").await;
}

/// A request that died before it was sent is proven so by Twilio's own list; one that rang is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_twilio_never_listed_was_not_placed_and_what_rang_is_never_taken_for_it() {
    use dialdeck::domain::call::State;
    for point in ["dial.begin", "dial.sent"] {
        let rig = Rig::new(12, 2500, 100).await;
        assert!(rig.dies_at(point, 1).await, "{point}");
        rig.run_to_the_end().await;
        rig.assert_nothing_is_wrong(point).await;
        let rang: Vec<String> = rig.simulator.invites().into_iter().map(|i| i.number).collect();
        let calls = rig.store.calls(rig.campaign, &CallFilter::default(), 1000, 0).await.unwrap().rows;
        let (placed, not): (Vec<_>, Vec<_>) = calls.iter().partition(|c| rang.contains(&c.phone_number));
        assert!(placed.iter().all(|c| c.state != State::NotPlaced), "{point}: a phone that rang");
        assert!(not.iter().all(|c| c.state == State::NotPlaced), "{point}: {:?}", not.iter().map(|c| c.state).collect::<Vec<_>>());
        assert!(point != "dial.begin" || !not.is_empty(), "the first died before it was sent");
        assert!(not.iter().all(|c| !c.charged), "and charges no attempt");
    }
}

/// Another program holds the database for longer than the busy time-out: nothing is dialled meanwhile,
/// nothing that was answered is lost, and it goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_stops_the_dialling_and_loses_nothing() {
    use sqlx::Connection;
    only_a_file!("the write lock of a file");
    let rig = Rig::new(120, 200, 300).await;
    let mut child = rig.serve(None);
    while rig.rings().1 < 15 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut db = sqlx::SqliteConnection::connect(rig.base.url().trim_start_matches("sqlite:")).await.unwrap();
    // The program may be in a transaction of its own just now.
    while sqlx::query("BEGIN IMMEDIATE").execute(&mut db).await.is_err() {}
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = rig.simulator.invites().len();
    tokio::time::sleep(Duration::from_secs(number_from("DIALDECK_LOCKED_SECONDS", 8))).await;
    let during = rig.simulator.invites().len() - before;
    sqlx::query("COMMIT").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    assert_eq!(during, 0, "dialled without a committed row");
    let end = Instant::now() + Duration::from_mins(2);
    while rig.row().await.execution_status != Status::Completed && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    rig.assert_nothing_is_wrong("locked").await;
    assert_eq!(rig.rings().1, 120, "everybody was reached in the end");
}

/// Everything at once: replies lost or false, webhooks dropped, doubled and out of order, LiveKit, its SIP
/// service and its Redis dying in mid-call, the program stopped and woken. `DIALDECK_STORM_SECONDS` makes it longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_p12_a_storm_of_faults_rings_nobody_twice_and_leaves_nothing_open() {
    let rig = Rig::new(400, 500, 2500).await;
    rig.simulator.set_faults(Faults {
        seed: 17,
        webhook_drop: 0.3,
        webhook_delay_ms: 400,
        webhook_duplicate: 0.2,
        webhook_reorder: 0.2,
        lost_reply: 0.1,
        error_after_ringing: 0.05,
        slow_reply: 0.01,
        agent_missing: 0.1,
        agent_leaves: 0.0,
        workers: Workers::Ready,
        ..Faults::default()
    });
    let mut child = rig.serve(None);
    let signal = |child: &Child, signal: &str| drop(Command::new("kill").args([signal, &child.id().to_string()]).status());
    let end = Instant::now() + Duration::from_secs(number_from("DIALDECK_STORM_SECONDS", 25));
    let mut roll = die(5);
    while Instant::now() < end && rig.row().await.execution_status != Status::Completed {
        roll = die(roll);
        let down = Duration::from_millis(300 + roll % 1500);
        match roll >> 20 & 7 {
            0 => rig.simulator.restart_server(down),
            1 => rig.simulator.restart_sip(down),
            2 => rig.simulator.lose_redis(down),
            3 => {
                signal(&child, "-STOP");
                tokio::time::sleep(down).await;
                signal(&child, "-CONT");
            }
            4 => {
                child.kill().unwrap();
                child.wait().unwrap();
                child = rig.serve(None);
            }
            _ => {}
        }
        // The breaker does its work in such weather; an operator resumes.
        if rig.row().await.execution_status == Status::Paused {
            let go = ["campaign", "resume", "Crash"];
            let resumed =
                Command::new(env!("CARGO_BIN_EXE_dialdeck")).args(go).env_clear().env("HOME", rig.base.dir.path()).env("DATABASE_URL", rig.base.url()).output();
            drop(resumed);
        }
        tokio::time::sleep(Duration::from_millis(700 + roll % 900)).await;
    }
    rig.simulator.set_faults(Faults::default());
    let end = Instant::now() + Duration::from_secs(100);
    while rig.row().await.execution_status != Status::Completed && Instant::now() < end {
        if rig.row().await.execution_status == Status::Paused || rig.row().await.execution_status == Status::Error {
            let go = ["campaign", "start", "Crash"];
            let started =
                Command::new(env!("CARGO_BIN_EXE_dialdeck")).args(go).env_clear().env("HOME", rig.base.dir.path()).env("DATABASE_URL", rig.base.url()).output();
            drop(started);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    rig.assert_nothing_is_wrong("the storm").await;
    assert!(rig.rings().1 > 300, "{} of 400 were reached", rig.rings().1);
}

/// A process that was told not to dial has no engine and so no heartbeat: whoever follows it must not
/// take that for silence and dial in its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_does_not_replace_one_that_was_told_not_to_dial() {
    only_a_file!("the lock beside a file");
    let rig = Rig::new(40, 200, 300).await;
    assert!(rig.dies_at("arm.begin", 1).await, "an engine's last heartbeat is there to mislead");
    // Heartbeats count as old: the trap is the same after half a minute or a year.
    {
        use sqlx::Connection;
        let mut db = sqlx::SqliteConnection::connect(rig.base.url().trim_start_matches("sqlite:")).await.unwrap();
        sqlx::query("UPDATE engines SET heartbeat_at = '2026-01-01T00:00:00+00:00'").execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    }
    let before = rig.simulator.invites().len();
    let mut quiet = rig.command(None).arg("--no-dial").spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut follower = rig.serve(None);
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(quiet.try_wait().unwrap().is_none() && follower.try_wait().unwrap().is_none(), "both live");
    assert_eq!(rig.simulator.invites().len(), before, "nobody was dialled");
    for child in [&mut quiet, &mut follower] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
