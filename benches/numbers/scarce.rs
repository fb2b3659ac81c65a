//! Few lines, many campaigns: the real engine over the simulator, on a clock ten times as fast.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use chrono::Duration;
use dialdeck::{
    clock::{ScaledClock, SharedClock},
    desk::{AssignNumber, CampaignDraft, Desk},
    domain::{
        campaign::{ContactSource, Settings},
        id::CampaignId,
        phone::PhoneNumber,
        rules::{Profile, Rules},
        schedule::Days,
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

/// Area codes whose numbers together lie in thirty different sets of zones.
const AREAS: [&str; 37] = [
    "+1212", "+1312", "+1303", "+1602", "+1213", "+1808", "+1907", "+1317", "+1208", "+1503", "+1605", "+1701", "+1850", "+1502", "+1931", "+1787", "+1671",
    "+4420", "+6129", "+6189", "+6173", "+6188", "+4930", "+3312", "+8133", "+5255", "+5511", "+2711", "+6499", "+9723", "+3531", "+35121", "+9714", "+6562",
    "+8522", "+8226", "+4031",
];

pub fn run() {
    setup::runtime().block_on(async {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let clock: SharedClock = Arc::new(ScaledClock::new("2026-11-18T17:00:00Z".parse().unwrap(), SPEED));
        let talk = std::time::Duration::from_secs(20);
        let sim = SimulatorConfig { behaviour: Behaviour::Answer { ring: std::time::Duration::from_secs(4), talk }, ..SimulatorConfig::by_digits() };
        let simulator = Simulator::start(sim.clone(), clock.clone()).await.unwrap();
        let store = Store::open(&format!("sqlite:{}", dir.path().join("bench.db").display())).await.unwrap();
        let countries = ["US", "PR", "GU", "GB", "AU", "DE", "FR", "JP", "MX", "BR", "ZA", "NZ", "IL", "IE", "PT", "AE", "SG", "HK", "KR", "RO"]
            .map(str::to_owned)
            .to_vec();
        let rules = Rules { profile: Profile::None, trunk_concurrent: LINES, calls_per_second: 5.0, countries, ..Rules::default() };
        let desk = Desk::new(store.clone(), clock.clone(), rules);
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
        report(&store, &ids, most, rooms).await;
        println!("the network's answer meanwhile: {}", quantiles(looks));
    });
}

/// Who was called how often, and what it cost.
async fn report(store: &Store, ids: &[CampaignId], most: usize, rooms: usize) {
    let (mut claims, mut by_campaign, mut by_zone) = (0, Vec::new(), BTreeMap::new());
    for id in ids {
        let calls = store.calls(*id, &CallFilter::default(), 100_000, 0).await.unwrap().rows;
        claims += calls.iter().map(|c| c.claim_number).sum::<i64>();
        let dialled: Vec<_> = calls.iter().filter(|c| c.armed_at.is_some()).collect();
        by_campaign.push(dialled.len());
        for c in dialled {
            *by_zone.entry(c.zones.clone()).or_insert(0usize) += 1;
        }
    }
    let dials: usize = by_campaign.iter().sum();
    let (few, many) = (by_campaign.iter().min().unwrap(), by_campaign.iter().max().unwrap());
    println!(
        "{CAMPAIGNS} campaigns over {} sets of zones, {LINES} lines, {MINUTES} minutes: {dials} dials, {claims} claims ({:.2} a dial), \
         {few} to {many} dials a campaign, {} to {} a zone, at most {most} rooms ({rooms} at the end)",
        by_zone.len(),
        claims as f64 / dials.max(1) as f64,
        by_zone.values().min().unwrap_or(&0),
        by_zone.values().max().unwrap_or(&0),
    );
}

fn contacts(campaign: usize) -> String {
    let mut csv = "name,phone\n".to_owned();
    for i in 0..30 {
        let area = AREAS[i % AREAS.len()];
        let free = 12usize.saturating_sub(area.len());
        csv.push_str(&format!("Contact {i},{area}{:0free$}\n", 2_000_000 + campaign * 1000 + i));
    }
    csv
}
