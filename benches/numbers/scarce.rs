//! Few lines, many campaigns: the real engine over the simulator, on a clock ten times as fast.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use chrono::{DateTime, Duration, Utc};
use dialdeck::{
    clock::{ScaledClock, SharedClock},
    desk::{AssignNumber, CampaignDraft, Desk},
    domain::{
        campaign::{ContactSource, Settings},
        dispatch::{self, Place},
        id::CampaignId,
        phone::PhoneNumber,
        rules::Rules,
        schedule::Days,
        zone,
    },
    engine::{Engine, EngineConfig, Stop},
    store::{CallFilter, Store},
    telephony::{
        Carrier, NewTrunk,
        livekit::{LiveKit, LiveKitConfig},
        simulator::{Behaviour, Simulator, SimulatorConfig},
    },
};

use crate::{quantiles, setup};

const CAMPAIGNS: usize = 20;
const LINES: i64 = 10;
/// Ten minutes of the campaigns' time.
const MINUTES: i64 = 10;
const SPEED: f64 = 10.0;

/// Area codes of states that no two share, so that each has a queue of its own: open on that Wednesday noon, but for
/// the last three, where it is early yet.
const AREAS: [u32; 39] = [
    212, 312, 303, 602, 213, 317, 208, 503, 605, 701, 850, 502, 931, 787, 201, 203, 205, 206, 207, 214, 215, 216, 612, 313, 314, 515, 504, 617, 601, 603, 608,
    404, 316, 505, 801, 501, 907, 808, 671,
];

pub fn run() {
    setup::runtime().block_on(async {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let clock: SharedClock = Arc::new(ScaledClock::new("2026-11-18T17:00:00Z".parse().unwrap(), SPEED));
        let talk = std::time::Duration::from_secs(20);
        let sim = SimulatorConfig { behaviour: Behaviour::Answer { ring: std::time::Duration::from_secs(4), talk }, ..SimulatorConfig::by_digits() };
        let simulator = Simulator::start(sim.clone(), clock.clone()).await.unwrap();
        let store = Store::open(&format!("sqlite:{}", dir.path().join("bench.db").display())).await.unwrap();
        let countries = ["US", "PR", "GU"].map(str::to_owned).to_vec();
        let rules = Rules { trunk_concurrent: LINES, calls_per_second: 5.0, countries, ..Rules::default() };
        let desk = Desk::new(store.clone(), clock.clone(), rules.clone());
        let installation = desk.installation(None).await.unwrap();
        let actor = dialdeck::desk::Actor { owner: installation.owner, name: "bench".into(), source: "cli" };
        let livekit = LiveKitConfig { host: simulator.url(), api_key: sim.api_key.clone(), api_secret: sim.api_secret.clone() };
        let carrier: Arc<dyn Carrier> = Arc::new(LiveKit::new(&livekit).unwrap());
        let assistant = desk.add_assistant(actor.clone(), None, "Sarah".into(), None, "Hello {name}".into(), None).await.unwrap().id;
        let new = NewTrunk {
            name: "main".into(),
            address: "trunk.example".into(),
            number: "+15550009999".into(),
            username: String::new(),
            password: dialdeck::config::Secret::default(),
            transport: "auto".into(),
            metadata: String::new(),
        };
        let trunk = carrier.create_trunk(new).await.unwrap();
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
        let mut ids = Vec::new();
        for n in 0..CAMPAIGNS {
            let source = setup::import(&desk, &actor, contacts(n)).await;
            let settings = Settings {
                daily_cap: 100_000,
                calling_days: Days::ALL,
                start_hour: 0,
                end_hour: 0,
                max_concurrent: 5,
                call_delay_ms: 500,
                ..Settings::defaults("America/New_York".parse().unwrap())
            };
            let draft = CampaignDraft {
                name: format!("Campaign {n}"),
                assistant,
                source: ContactSource::CsvFile,
                source_id: source,
                prompt: "Hello {name}".into(),
                agent_name: None,
                settings,
            };
            ids.push(desk.create_campaign(actor.clone(), draft).await.unwrap());
        }
        let config = EngineConfig {
            agent_name: "ai".into(),
            agent_wait: Duration::seconds(8),
            require_agent: true,
            claim_lease: Duration::seconds(30),
            lease: Duration::seconds(6),
            unknown_horizon: Duration::seconds(185),
            public_url: None,
            outcome_token: Arc::new(|_, _, _| None),
            orphan_sweep: true,
            call_list: None,
            recording: dialdeck::engine::Recording::None,
            retention: dialdeck::domain::retention::Retention::FOR_EVER,
        };
        let stop = Stop::new();
        tokio::spawn(Engine::new(desk.clone(), carrier.clone(), clock.clone(), config, installation, stop.clone()).run());
        for id in &ids {
            desk.start(actor.clone(), *id).await.unwrap();
        }
        let end = clock.now() + Duration::minutes(MINUTES);
        let (mut rooms, mut most) = (0, 0);
        let mut looks = Vec::new();
        while clock.now() < end {
            let started = Instant::now();
            rooms = carrier.rooms(Vec::new()).await.unwrap().len();
            looks.push(started.elapsed());
            most = most.max(rooms);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        stop.drain.cancel();
        stop.now.cancel();
        report(&store, &rules, clock.now(), &ids).await;
        println!("at most {most} rooms ({rooms} at the end)");
        println!("the network's answer meanwhile: {}", quantiles(looks));
    });
}

/// Who was called how often, and what it cost.
async fn report(store: &Store, rules: &Rules, now: DateTime<Utc>, ids: &[CampaignId]) {
    let (mut claims, mut by_campaign, mut by_queue) = (0, Vec::new(), BTreeMap::new());
    let mut open = BTreeSet::new();
    for id in ids {
        let calls = store.calls(*id, &CallFilter::default(), 100_000, 0).await.unwrap().rows;
        claims += calls.iter().map(|c| c.claim_number).sum::<i64>();
        by_campaign.push(calls.iter().filter(|c| c.armed_at.is_some()).count());
        for c in calls {
            *by_queue.entry(c.zones.clone()).or_insert(0usize) += usize::from(c.armed_at.is_some());
            let zones = zone::parse_key(&c.zones);
            let here = Place { number: &c.phone_number, country: &c.country, zones: zones.as_deref(), states: zone::states_of(&c.zones).collect() };
            if dispatch::legal_hours(rules, &[], &here, now).is_ok() {
                open.insert(c.zones);
            }
        }
    }
    let dials: usize = by_campaign.iter().sum();
    let (few, many) = (by_campaign.iter().min().unwrap(), by_campaign.iter().max().unwrap());
    let called: Vec<usize> = by_queue.values().copied().filter(|n| *n > 0).collect();
    println!(
        "{CAMPAIGNS} campaigns, {LINES} lines, {MINUTES} minutes: {dials} dials, {claims} claims ({:.2} a dial), {few} to {many} dials a campaign",
        claims as f64 / dials.max(1) as f64,
    );
    println!(
        "{} sets of zones and law, {} of them open, {} called: {} to {} dials a set",
        by_queue.len(),
        open.len(),
        called.len(),
        called.iter().min().unwrap_or(&0),
        called.iter().max().unwrap_or(&0),
    );
    let passed_over: Vec<&str> = by_queue.iter().filter(|(key, n)| **n == 0 && open.contains(*key)).map(|(key, _)| key.as_str()).collect();
    if !passed_over.is_empty() {
        println!("open and not called: {}", passed_over.join(" "));
    }
}

/// One contact of each area code, each campaign in an order of its own.
fn contacts(campaign: usize) -> String {
    let mut csv = "name,phone\n".to_owned();
    for i in 0..AREAS.len() {
        let area = AREAS[(i + campaign * 7) % AREAS.len()];
        csv.push_str(&format!("Contact {i},+1{area}{}\n", 2_000_000 + campaign * 1000 + i));
    }
    csv
}
