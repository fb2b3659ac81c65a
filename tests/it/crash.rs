//! The real program, killed with SIGKILL at random moments: nobody is dialled twice, nobody is left
//! "calling", the run completes. `DIALDECK_KILLS` sets how often (100 unless set).

use std::{
    collections::HashMap,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use dialdeck::{
    clock::{SharedClock, SystemClock},
    desk::{Actor, AssignNumber, CampaignDraft, Desk, Import, Progress},
    domain::{
        campaign::{ContactSource, Status},
        phone::{self, PhoneNumber},
    },
    store::{CallFilter, ContactTable, Store},
    telephony::{
        Carrier, NewTrunk,
        livekit::{LiveKit, LiveKitConfig},
        simulator::{Behaviour, Simulator, SimulatorConfig, die},
    },
};

use crate::support::{csv_of, quick_rules, settings};

const CONTACTS: usize = 600;

fn serve(database: &str, simulator: &Simulator, config: &SimulatorConfig, home: &std::path::Path, address: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_dialdeck"))
        .args(["serve", "--listen", address])
        .env_clear()
        .env("HOME", home)
        .env("DATABASE_URL", database)
        .env("LIVEKIT_HOST", simulator.url())
        .env("LIVEKIT_API_KEY", &config.api_key)
        .env("LIVEKIT_API_SECRET", &config.api_secret)
        .env("DIALDECK_COMPLIANCE__PROFILE", "none")
        .env("DIALDECK_COMPLIANCE__COUNTRIES", "US")
        .env("DIALDECK_TRUNK__CALLS_PER_SECOND", "1000")
        .env("DIALDECK_TRUNK__MAX_CONCURRENT", "500")
        // So that a run of seconds sees its unknown calls to their end.
        .env("DIALDECK_ENGINE__UNKNOWN_HORIZON", "2s")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_p13_killed_a_hundred_times_nobody_is_dialled_twice() {
    let kills: u64 = std::env::var("DIALDECK_KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(100);
    let dir = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", dir.path().join("t.db").display());
    let clock: SharedClock = Arc::new(SystemClock);
    let config = SimulatorConfig {
        behaviour: Behaviour::Answer { ring: Duration::from_millis(60), talk: Duration::from_millis(150) },
        departure_timeout: Duration::from_secs(1),
        ..SimulatorConfig::by_digits()
    };
    let simulator = Simulator::start(config.clone(), clock.clone()).await.unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    simulator.set_webhook_url(Some(format!("http://{address}/api/v1/livekit/webhook")));
    let store = Store::open(&database).await.unwrap();
    let desk = Desk::new(store.clone(), clock.clone(), quick_rules());
    let installation = desk.installation(None).await.unwrap();
    let actor = Actor { owner: installation.owner, name: "tester".into(), source: "console" };
    let livekit = LiveKitConfig { host: simulator.url(), api_key: config.api_key.clone(), api_secret: config.api_secret.clone() };
    let carrier = LiveKit::new(&livekit).unwrap();
    let assistant = desk.add_assistant(actor.clone(), None, "Sarah".into(), None, "Hello {name}".into(), None).await.unwrap().id;
    let trunk = NewTrunk {
        name: "main".into(),
        address: "trunk.example".into(),
        number: "+15550009999".into(),
        username: String::new(),
        password: String::new(),
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
    let import =
        Import { table: ContactTable::CsvFile, name: "c.csv".into(), region: phone::region("US").ok(), mapping: Vec::new(), size: None, dry_run: false };
    let progress = tokio::sync::watch::Sender::new(Progress::default());
    let (source, _) =
        desk.import(actor.clone(), import, std::io::Cursor::new(csv_of(CONTACTS)), progress, tokio_util::sync::CancellationToken::new()).await.unwrap();
    let draft = CampaignDraft {
        name: "Crash".into(),
        assistant,
        source: ContactSource::CsvFile,
        source_id: source,
        prompt: "Hello {name}".into(),
        agent_name: None,
        settings: dialdeck::domain::campaign::Settings { max_concurrent: 20, ..settings() },
    };
    let id = desk.create_campaign(actor.clone(), draft).await.unwrap();
    desk.start(actor.clone(), id).await.unwrap();

    let mut roll = 11u64;
    let mut killed = 0;
    while killed < kills {
        let mut child = serve(&database, &simulator, &config, dir.path(), &address);
        roll = die(roll);
        tokio::time::sleep(Duration::from_millis(120 + roll % 500)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        if store.campaign(actor.owner, id).await.unwrap().unwrap().execution_status == Status::Completed {
            break;
        }
    }
    let mut child = serve(&database, &simulator, &config, dir.path(), &address);
    let end = std::time::Instant::now() + Duration::from_mins(3);
    let row = loop {
        let row = store.campaign(actor.owner, id).await.unwrap().unwrap();
        if row.execution_status == Status::Completed || std::time::Instant::now() > end {
            break row;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    child.kill().unwrap();
    child.wait().unwrap();
    let mut rings: HashMap<String, usize> = HashMap::new();
    for invite in simulator.invites() {
        *rings.entry(invite.number).or_default() += 1;
    }
    let twice: Vec<_> = rings.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "rung twice after {killed} kills: {twice:?}");
    assert_eq!(row.execution_status, Status::Completed, "after {killed} kills: {:?}", row.counts);
    let open: Vec<_> = store.calls(id, &CallFilter::default(), 10_000, 0).await.unwrap().rows.into_iter().filter(|c| !c.state.is_ended()).collect();
    assert!(open.is_empty(), "left open: {}", open.len());
    assert!(rings.len() * 10 >= CONTACTS * 7, "{} of {CONTACTS} were reached", rings.len());
}
