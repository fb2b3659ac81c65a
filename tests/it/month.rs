//! A month of a call centre in minutes: campaigns in several zones, two hosts of which one leads, an
//! operator, and a carrier that fails, through the real engine on a virtual clock. Everything follows
//! from one seed, which a failure prints; a reference model that shares no code with the gates judges
//! every INVITE. `DIALDECK_SIM_DAYS` (0.5), `DIALDECK_SIM_CAMPAIGNS` (6) and `DIALDECK_SEED` set the run.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the small numbers of a test"
)]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    sync::atomic::Ordering,
    time::Duration,
};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use dialdeck::{
    clock::Clock,
    desk::{Actor, AssignNumber, CampaignDraft, Desk, Import, Progress, Recycle, SetOutcome},
    domain::{
        breaker::Limits,
        call::State,
        campaign::{ContactSource, Settings, Status},
        id::{AssistantId, CallId, CampaignId},
        outcome::{Outcome, Who},
        phone::{self, PhoneNumber},
        retry::RetryRules,
        rules::Rules,
        schedule::Days,
        zone::Zone,
    },
    engine::{Engine, Stop},
    store::{CallFilter, CallRow, ContactTable, Store},
    telephony::{
        Carrier, NewTrunk,
        simulator::{Behaviour, Faults, Invite, Simulator, SimulatorConfig, die},
    },
};

use tokio_util::sync::CancellationToken;

use crate::support::{
    World,
    base::Base,
    counted,
    virtual_time::{Direct, Process, VirtualClock, Wire},
};

/// A Friday morning in New York: clocks go back in London two days later, in New York in nine.
const START: &str = "2026-10-23T12:00:00Z";

/// Area codes and the zone that people there live by.
const AREAS: [(&str, &str); 21] = [
    ("+121255501", "America/New_York"),
    ("+130555501", "America/New_York"),
    ("+140455501", "America/New_York"),
    ("+161755501", "America/New_York"),
    ("+121555501", "America/New_York"),
    ("+131255501", "America/Chicago"),
    ("+121455501", "America/Chicago"),
    ("+171355501", "America/Chicago"),
    ("+150455501", "America/Chicago"),
    ("+161255501", "America/Chicago"),
    ("+130355501", "America/Denver"),
    ("+180155501", "America/Denver"),
    ("+150555501", "America/Denver"),
    ("+160255501", "America/Phoenix"),
    ("+121355501", "America/Los_Angeles"),
    ("+141555501", "America/Los_Angeles"),
    ("+150355501", "America/Los_Angeles"),
    ("+120655501", "America/Los_Angeles"),
    ("+170255501", "America/Los_Angeles"),
    ("+180855501", "Pacific/Honolulu"),
    ("+4420794600", "Europe/London"),
];

/// Two hosts; a silent leader is replaced after this long.
const LEASE: TimeDelta = TimeDelta::seconds(30);

const TRUNK_LINES: i64 = 12;
const ATTEMPTS_24H: usize = 3;

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = die(self.0);
        self.0 % n
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low) as u64 + 1) as i64
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// What a campaign was told, in the reference's own terms.
struct Told {
    zone: Zone,
    /// Monday is 0.
    days: Vec<u32>,
    /// Minutes of the day; equal: no limit.
    from: i64,
    to: i64,
    cap: usize,
    attempts: i64,
    bound: TimeDelta,
    /// Commands of the operator: since when it may dial, or may not.
    commands: Vec<(DateTime<Utc>, bool)>,
    dialled: HashMap<NaiveDate, HashSet<CallId>>,
}

impl Told {
    /// A plain reading of the calendar, written apart from `domain::schedule`.
    fn is_open(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone);
        let minute = i64::from(local.hour() * 60 + local.minute());
        let today = local.weekday().num_days_from_monday();
        let yesterday = (today + 6) % 7;
        let calls = |day| self.days.contains(&day);
        match self.from.cmp(&self.to) {
            std::cmp::Ordering::Equal => calls(today),
            std::cmp::Ordering::Less => calls(today) && minute >= self.from && minute < self.to,
            std::cmp::Ordering::Greater => (calls(today) && minute >= self.from) || (calls(yesterday) && minute < self.to),
        }
    }
}

#[derive(Default)]
struct Host {
    process: Option<Process>,
    clock: Option<VirtualClock>,
    leads: bool,
    /// Dead, or stopped by a signal, until then.
    away_until: Option<DateTime<Utc>>,
    away_since: Option<DateTime<Utc>>,
}

impl Host {
    fn runs(&self) -> bool {
        self.process.is_some() && self.away_until.is_none()
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Operator,
    Kill,
    Stop,
    Back(usize),
    Network,
    Hour,
    KillSwitchOff,
    Resume(usize),
    /// A trunk that was silent answers again.
    TrunkAnswers,
    ClockSet,
    ClockRight(usize),
}

struct Month {
    seed: u64,
    dice: Dice,
    clock: VirtualClock,
    network: Process,
    simulator: Simulator,
    config: SimulatorConfig,
    wire: Wire,
    hosts: [Host; 2],
    office: Process,
    desk: Desk,
    store: Store,
    actor: Actor,
    base: Base,
    events: BTreeMap<(DateTime<Utc>, u64), Event>,
    order: u64,
    campaigns: Vec<CampaignId>,
    told: HashMap<CampaignId, Told>,
    do_not_call: HashMap<String, DateTime<Utc>>,
    kill_switch: Vec<(DateTime<Utc>, bool)>,
    by_number: HashMap<String, Vec<DateTime<Utc>>>,
    dialled: HashSet<CallId>,
    /// How many dials in a row a campaign's zone was passed over with somebody due in it.
    passed_over: HashMap<(CampaignId, Zone), usize>,
    seen: usize,
    takeovers: usize,
    /// Since when nothing was done to hosts, network and clocks; `None` while a clock is off.
    calm_since: Option<DateTime<Utc>>,
    steps: u64,
}

fn rules() -> Rules {
    let breaker = Limits { enabled: true, ..Limits::default() };
    Rules {
        calls_per_second: 2.0,
        trunk_concurrent: TRUNK_LINES,
        countries: vec!["US".into(), "GB".into()],
        attempts_per_24h: ATTEMPTS_24H as i64,
        breaker,
        ..Rules::default()
    }
}

impl Month {
    /// `slow`: campaigns that go on all day, a call every few minutes.
    fn new(seed: u64, campaigns: usize, contacts: usize, slow: bool) -> Self {
        let clock = VirtualClock::new(START.parse().unwrap());
        let faults =
            Faults { seed, lost_reply: 0.05, error_after_ringing: 0.02, slow_reply: 0.03, agent_missing: 0.02, agent_leaves: 0.003, ..Faults::default() };
        let faults = Faults { agent_dies: 0.002, ..faults };
        let config = SimulatorConfig { behaviour: Behaviour::Mix { seed }, faults, ..SimulatorConfig::by_digits() };
        let (network, office) = (Process::new(), Process::new());
        let base = office.run(Base::fresh());
        let (simulator, wire) = network.run(async {
            let simulator = Simulator::start(config.clone(), Arc::new(clock.host())).await.unwrap();
            let wire = Wire::serve(&simulator, &config);
            (simulator, wire)
        });
        let (store, desk, actor) = office.run(async {
            let store = base.open().await;
            let desk = Desk::new(store.clone(), Arc::new(clock.host()), rules());
            let owner = desk.installation(None).await.unwrap().owner;
            (store, desk, Actor { owner, name: "supervisor".into(), source: "console" })
        });
        let mut month = Self {
            seed,
            dice: Dice(die(seed)),
            clock,
            network,
            simulator,
            config,
            wire,
            hosts: [Host::default(), Host::default()],
            office,
            desk,
            store,
            actor,
            base,
            events: BTreeMap::new(),
            order: 0,
            campaigns: Vec::new(),
            told: HashMap::new(),
            do_not_call: HashMap::new(),
            kill_switch: Vec::new(),
            by_number: HashMap::new(),
            dialled: HashSet::new(),
            passed_over: HashMap::new(),
            seen: 0,
            takeovers: 0,
            calm_since: Some(START.parse().unwrap()),
            steps: 0,
        };
        month.set_up(campaigns, contacts, slow);
        month
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn set_up(&mut self, campaigns: usize, contacts: usize, slow: bool) {
        let direct = Direct::new(self.wire.clone(), self.clock.host(), &self.config);
        // The trunk is made in the network's process: nobody else has its turn yet.
        let new = NewTrunk {
            name: "main".into(),
            address: "trunk.example".into(),
            number: "+15550009999".into(),
            username: String::new(),
            password: dialdeck::config::Secret::default(),
            transport: "auto".into(),
            metadata: String::new(),
        };
        let trunk = self.network.run(direct.create_trunk(new)).unwrap();
        let (desk, actor) = (self.desk.clone(), self.actor.clone());
        let assistant = self.office.run(async {
            let id = desk.add_assistant(actor.clone(), None, "Sarah".into(), None, "Hello {name}".into(), None).await.unwrap().id;
            let assign = AssignNumber {
                number: PhoneNumber::own("+15550009999").unwrap(),
                assistant: id,
                livekit_trunk: trunk.trunk_id,
                trunk_name: trunk.name,
                address: trunk.address,
                numbers: trunk.numbers,
                inbound_trunk: None,
            };
            desk.assign_number(actor.clone(), assign).await.unwrap();
            id
        });
        for n in 0..campaigns {
            self.add_campaign(n, contacts, slow, assistant);
        }
    }

    fn add_campaign(&mut self, n: usize, contacts: usize, slow: bool, assistant: AssistantId) {
        const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        // Neighbours share a fifth of their numbers: the same person on two lists.
        let first = n * contacts * 4 / 5;
        let mut csv = "name,phone,company,do_not_call,consent_at\n".to_owned();
        for i in first..first + contacts {
            let (prefix, _) = AREAS[i % AREAS.len()];
            csv.push_str(&format!("Contact {i},{prefix}{:02},Acme,{},2026-09-01\n", (i / AREAS.len()) % 100, i % 97 == 5));
        }
        let dice = &mut self.dice;
        let (from, to) = if slow { (0, 0) } else { dice.of(&[(9, 17), (10, 20), (0, 0), (8, 21), (18, 2), (12, 24), (22, 6)]) };
        let (from_minute, to_minute) = if to == 0 || to == 24 { (0, 0) } else { (dice.of(&[0, 15, 30]), dice.of(&[0, 20, 45])) };
        let mut days: Vec<u32> = (0..7).filter(|_| slow || dice.below(5) > 0).collect();
        if days.is_empty() {
            days.push(2);
        }
        let names: Vec<&str> = days.iter().map(|d| NAMES[*d as usize]).collect();
        let zone = dice.of(&["America/New_York", "America/Los_Angeles", "Europe/London", "America/Chicago"]).parse().unwrap();
        let settings = Settings {
            daily_cap: if slow { 1000 } else { dice.between(6, 25) },
            calling_days: Days::parse(&names).unwrap(),
            start_hour: from,
            end_hour: to,
            start_minute: from_minute,
            end_minute: to_minute,
            timezone: zone,
            max_concurrent: dice.between(1, 5),
            call_delay_ms: if slow { 240_000 } else { dice.of(&[0, 500, 2000, 20_000]) },
            ring_timeout_s: dice.between(15, 40),
            max_call_duration_s: dice.between(60, 120),
            retry: RetryRules { max_attempts: dice.between(1, 4), no_answer_minutes: dice.between(10, 300), busy_minutes: 15, trunk_minutes: 5 },
            contact_hours: true,
        };
        let told = Told {
            zone,
            days,
            from: from * 60 + from_minute,
            to: to * 60 + to_minute,
            cap: settings.daily_cap as usize,
            attempts: settings.retry.max_attempts,
            bound: TimeDelta::seconds(settings.ring_timeout_s + settings.max_call_duration_s),
            commands: Vec::new(),
            dialled: HashMap::new(),
        };
        let (desk, actor) = (self.desk.clone(), self.actor.clone());
        let id = self.office.run(async {
            let import = Import {
                table: ContactTable::CsvFile,
                name: "c.csv".into(),
                region: phone::region("US").ok(),
                mapping: Vec::new(),
                size: None,
                dry_run: false,
            };
            let progress = tokio::sync::watch::Sender::new(Progress::default());
            let (source, _) = desk.import(actor.clone(), import, std::io::Cursor::new(csv), progress, CancellationToken::new()).await.unwrap();
            let draft = CampaignDraft {
                name: format!("Campaign {n}"),
                assistant,
                source: ContactSource::CsvFile,
                source_id: source,
                prompt: "Hello {name}".into(),
                agent_name: None,
                settings,
            };
            let id = desk.create_campaign(actor.clone(), draft).await.unwrap();
            desk.start(actor, id).await.unwrap();
            id
        });
        self.campaigns.push(id);
        self.told.insert(id, told);
    }

    fn plan(&mut self, wait: TimeDelta, event: Event) {
        self.order += 1;
        self.events.insert((self.now() + wait, self.order), event);
    }

    fn minutes(&mut self, low: i64, high: i64) -> TimeDelta {
        TimeDelta::seconds(self.dice.between(low * 60, high * 60))
    }

    /// Starts an engine on a host: a new process over the same database.
    fn lead(&mut self, host: usize) {
        self.lead_with(host, TimeDelta::zero(), false);
    }

    fn lead_with(&mut self, host: usize, clock_off: TimeDelta, livekit_has_a_clock: bool) {
        let clock = self.clock.host();
        clock.set_off(clock_off);
        let process = Process::new();
        let mut direct = Direct::new(self.wire.clone(), clock.clone(), &self.config);
        direct.has_a_clock = livekit_has_a_clock;
        let (carrier, kept): (Arc<dyn Carrier>, _) = (Arc::new(direct), clock.clone());
        // A lease is of the server's own time, which stands nearly still here: whoever leads now waited for it.
        self.office.run(self.base.lease_runs_out());
        let store = process.run(async {
            let store = Store::open_in_turns(self.base.url()).await.unwrap();
            let desk = Desk::new(store.clone(), Arc::new(clock.clone()), rules());
            let installation = desk.installation(None).await.unwrap();
            let engine = Engine::new(desk, carrier, Arc::new(clock.clone()), World::engine_config(), installation, Stop::new());
            tokio::spawn(engine.run());
            let seen = store.clone();
            tokio::spawn(async move {
                let mut version = 0;
                loop {
                    clock.sleep_until(clock.now() + TimeDelta::seconds(2)).await;
                    seen.watch_others(&mut version).await.unwrap();
                }
            });
            store
        });
        process.uses(store);
        if let Some(old) = self.hosts[host].process.take() {
            old.kill();
        }
        self.hosts[host] = Host { process: Some(process), clock: Some(kept), leads: true, ..Host::default() };
        self.hosts[1 - host].leads = false;
        self.upset();
        self.takeovers += 1;
    }

    /// The rule of `app::standby`: who stands by leads once the leader is dead or silent for its lease.
    fn stand_by(&mut self) {
        let now = self.now();
        for host in 0..2 {
            let other = &self.hosts[1 - host];
            let silent = other.away_since.is_some_and(|t| now - t >= LEASE);
            let free = !self.hosts[host].leads && self.hosts[host].away_until.is_none();
            if free && (!other.leads || other.process.is_none() || silent) {
                return self.lead(host);
            }
        }
    }

    /// Everybody's turn, until nobody has anything to say.
    fn settle(&mut self) {
        loop {
            let before = self.wire.moved.load(Ordering::Relaxed);
            self.network.turn();
            for host in self.hosts.iter().filter(|h| h.runs()) {
                host.process.iter().for_each(Process::turn);
            }
            if self.wire.moved.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }

    fn run(&mut self, days: f64) {
        let end = self.now() + TimeDelta::minutes((days * 24.0 * 60.0) as i64);
        let first = [(20, Event::Operator), (45, Event::Kill), (70, Event::Stop), (200, Event::Network), (300, Event::ClockSet), (60, Event::Hour)];
        for (minutes, event) in first {
            self.plan(TimeDelta::minutes(minutes), event);
        }
        self.pass(end);
        self.hour();
        for campaign in self.campaigns.clone() {
            self.judge_rows(campaign);
        }
    }

    fn pass(&mut self, end: DateTime<Utc>) {
        while self.now() < end {
            self.stand_by();
            self.settle();
            self.judge();
            let next = self.events.keys().next().map_or(end, |(at, _)| (*at).min(end));
            self.clock.advance(next);
            self.steps += 1;
            while let Some(((at, order), event)) = self.events.first_key_value().map(|(k, e)| (*k, *e)).filter(|((at, _), _)| *at <= self.now()) {
                self.events.remove(&(at, order));
                self.happen(event);
            }
        }
    }

    fn upset(&mut self) {
        let now = self.now();
        // Not before a clock that is off is right again.
        self.calm_since = self.calm_since.map(|_| now);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Back(_) | Event::Network => self.upset(),
            Event::ClockSet => self.calm_since = None,
            Event::ClockRight(_) => self.calm_since = Some(self.now()),
            Event::Operator | Event::Kill | Event::Stop | Event::TrunkAnswers | Event::Hour | Event::KillSwitchOff | Event::Resume(_) => {}
        }
        match event {
            Event::Operator => {
                self.operate();
                let wait = self.minutes(5, 40);
                self.plan(wait, Event::Operator);
            }
            Event::Kill => {
                if let Some(host) = self.hosts.iter().position(|h| h.leads && h.runs()) {
                    let wait = self.minutes(0, 20);
                    self.leave(host, wait);
                    if let Some(process) = self.hosts[host].process.take() {
                        process.kill();
                    }
                }
                let wait = self.minutes(30, 400);
                self.plan(wait, Event::Kill);
            }
            Event::Stop => {
                if let Some(host) = self.hosts.iter().position(|h| h.leads && h.runs()) {
                    let wait = TimeDelta::milliseconds(self.dice.between(500, 120_000));
                    self.leave(host, wait);
                }
                let wait = self.minutes(30, 300);
                self.plan(wait, Event::Stop);
            }
            Event::Back(host) => {
                self.hosts[host].away_until = None;
                self.hosts[host].away_since = None;
            }
            Event::Network => self.network_fails(),
            Event::TrunkAnswers => self.simulator.set_faults(self.config.faults.clone()),
            Event::ClockSet => {
                let host = usize::from(self.hosts[1].leads);
                let by = self.dice.of(&[TimeDelta::days(1), TimeDelta::days(-1), TimeDelta::hours(7)]);
                self.hosts[host].clock.iter().for_each(|c| c.set_off(by));
                let wait = self.minutes(1, 40);
                self.plan(wait, Event::ClockRight(host));
                let wait = self.minutes(200, 900);
                self.plan(wait, Event::ClockSet);
            }
            Event::ClockRight(host) => self.hosts[host].clock.iter().for_each(|c| c.set_off(TimeDelta::zero())),
            Event::Hour => {
                self.hour();
                self.plan(TimeDelta::hours(1), Event::Hour);
            }
            Event::KillSwitchOff => self.kill_switch(false),
            Event::Resume(n) => {
                let (desk, actor, id) = (self.desk.clone(), self.actor.clone(), self.campaigns[n]);
                let at = self.now();
                if self.office.run(desk.resume(actor, id)).is_ok() {
                    self.told.get_mut(&id).unwrap().commands.push((at, true));
                }
            }
        }
    }

    fn leave(&mut self, host: usize, wait: TimeDelta) {
        let now = self.now();
        self.hosts[host].away_since = Some(now);
        self.hosts[host].away_until = Some(now + wait);
        self.plan(wait, Event::Back(host));
    }

    fn network_fails(&mut self) {
        let down = Duration::from_millis(self.dice.below(9000) + 500);
        let what = self.dice.below(8);
        let here = self.network.enter();
        match what {
            0 => self.simulator.restart_server(down),
            // Longer than a phone rings: what rang is over when it is back.
            1 => self.simulator.restart_server(down * 6),
            2 => self.simulator.restart_sip(down),
            3 => self.simulator.lose_redis(down),
            4 => self.simulator.kill_redis(down),
            5 => self.simulator.kill_host(down),
            6 => self.simulator.kill_workers(),
            _ => self.simulator.set_faults(Faults { trunk_silent: 0.7, ..self.config.faults.clone() }),
        }
        drop(here);
        if what == 7 {
            let wait = self.minutes(2, 30);
            self.plan(wait, Event::TrunkAnswers);
        }
        let wait = self.minutes(60, 600);
        self.plan(wait, Event::Network);
    }

    fn kill_switch(&mut self, on: bool) {
        let at = self.now();
        self.office.run(self.desk.kill_switch(self.actor.clone(), on)).unwrap();
        self.kill_switch.push((at, on));
    }

    /// A supervisor's hand, now and then.
    fn operate(&mut self) {
        let n = self.dice.below(self.campaigns.len() as u64) as usize;
        let id = self.campaigns[n];
        let (desk, actor, at) = (self.desk.clone(), self.actor.clone(), self.now());
        let row = self.office.run(self.store.campaign(actor.owner, id)).unwrap().unwrap();
        match (self.dice.below(12), row.execution_status) {
            (0..=2, Status::Running) => {
                self.office.run(desk.pause(actor, id)).unwrap();
                self.told.get_mut(&id).unwrap().commands.push((at, false));
                let wait = self.minutes(1, 180);
                self.plan(wait, Event::Resume(n));
            }
            // What a breaker has paused goes on as soon as somebody looks.
            (_, Status::Paused) if row.status_actor == "breaker" => {
                self.office.run(desk.resume(actor, id)).unwrap();
                self.told.get_mut(&id).unwrap().commands.push((at, true));
            }
            (3, Status::Running) => {
                let hang_up = self.dice.below(2) == 0;
                self.office.run(desk.stop(actor, id, hang_up)).unwrap();
                self.told.get_mut(&id).unwrap().commands.push((at, false));
            }
            (3..=5, Status::Completed | Status::Error) => {
                let what = Recycle { no_answer: true, busy: true, voicemail: self.dice.below(2) == 0, callback: true, missing_field: true };
                let again =
                    self.office.run(async { if desk.recycle(actor.clone(), id, what).await.is_ok() { true } else { desk.start(actor, id).await.is_ok() } });
                if again {
                    self.told.get_mut(&id).unwrap().commands.push((at, true));
                }
            }
            (6, _) => {
                let (prefix, _) = AREAS[self.dice.below(AREAS.len() as u64) as usize];
                let number = format!("{prefix}{:02}", self.dice.below(20));
                let parsed = PhoneNumber::parse(&number, None).unwrap().number;
                self.office.run(desk.add_do_not_call(actor, parsed, "asked".into())).unwrap();
                self.do_not_call.entry(number).or_insert(at);
            }
            (7, _) if self.dice.below(8) == 0 => {
                self.kill_switch(true);
                let wait = self.minutes(1, 60);
                self.plan(wait, Event::KillSwitchOff);
            }
            (8, _) => {
                let open = self.office.run(self.store.open_calls()).unwrap();
                if let Some(call) = open.iter().find(|c| c.armed_at.is_some()) {
                    // It may have ended in this very moment.
                    drop(self.office.run(desk.hang_up(actor, call.id)));
                }
            }
            (9..=11, _) => self.tag(id),
            _ => {}
        }
    }

    /// Somebody goes through the calls and says how they went.
    fn tag(&mut self, id: CampaignId) {
        let rows = self.office.run(self.store.calls(id, &CallFilter::default(), 100_000, 0)).unwrap().rows;
        let ended: Vec<&CallRow> = rows.iter().filter(|c| c.state == State::Completed && c.outcome.is_none()).collect();
        let Some(row) = ended.get(self.dice.below(ended.len().max(1) as u64) as usize) else { return };
        let outcome = self.dice.of(&[Outcome::Interested, Outcome::Callback, Outcome::NotInterested, Outcome::DoNotCall, Outcome::Voicemail]);
        let at = self.now();
        let callback_at = (outcome == Outcome::Callback).then(|| at + self.minutes(10, 3000));
        let set = SetOutcome { call: row.id, outcome: Some(outcome), notes: None, who: Who::Operator, confidence: None, callback_at, expected: None };
        let done = self.office.run(self.desk.set_outcome(self.actor.clone(), set));
        if done.is_ok() && outcome == Outcome::DoNotCall {
            self.do_not_call.entry(row.phone_number.clone()).or_insert(at);
        }
    }

    /// Whoever rang since the last step: was it right?
    fn judge(&mut self) {
        let mut live = self.simulator.live_numbers();
        live.sort();
        assert!(live.windows(2).all(|w| w[0] != w[1]), "seed {}: two calls to one number at {}: {live:?}", self.seed, self.now());
        if self.simulator.invites_so_far() == self.seen {
            return;
        }
        let invites = self.simulator.invites();
        for invite in &invites[self.seen..] {
            self.judge_invite(invite);
        }
        self.seen = invites.len();
    }

    fn judge_invite(&mut self, invite: &Invite) {
        let seed = self.seed;
        let call = CallId(invite.room[12..48].parse().unwrap());
        let row = self.office.run(self.store.any_call(call)).unwrap().unwrap();
        let armed = row.armed_at.unwrap_or_else(|| panic!("seed {seed}: dialled without being armed: {invite:?}"));
        let what = format!("seed {seed}: {} attempt {} of {} at {armed}", invite.number, row.attempt, row.campaign_id.0);
        assert!(self.dialled.insert(call), "{what}: one call dialled twice");
        assert!(invite.at - armed < TimeDelta::seconds(5), "{what}: dialled {} after it was armed", invite.at - armed);
        let told = self.told.get_mut(&row.campaign_id).unwrap();
        assert!(told.is_open(armed), "{what}: outside the campaign's hours");
        let zone = AREAS.iter().find(|(prefix, _)| invite.number.starts_with(prefix)).unwrap().1.parse::<Zone>().unwrap();
        let hour = armed.with_timezone(&zone).hour();
        assert!((8..21).contains(&hour), "{what}: {hour} o'clock in {zone}");
        let today = told.dialled.entry(armed.with_timezone(&told.zone).date_naive()).or_default();
        today.insert(call);
        assert!(today.len() <= told.cap, "{what}: {} of {} today", today.len(), told.cap);
        let allowed = |commands: &[(DateTime<Utc>, bool)]| commands.iter().rev().find(|(at, _)| *at < armed).is_none_or(|(_, on)| *on);
        assert!(allowed(&told.commands), "{what}: paused or stopped: {:?}", told.commands.last());
        let held: Vec<_> = self.kill_switch.iter().map(|(at, on)| (*at, !on)).collect();
        assert!(allowed(&held), "{what}: the kill switch is on");
        assert!(self.do_not_call.get(&invite.number).is_none_or(|at| armed <= *at), "{what}: on the do-not-call list");
        let dials = self.by_number.entry(invite.number.clone()).or_default();
        dials.push(armed);
        let recent = dials.iter().filter(|t| armed - **t < TimeDelta::hours(24)).count();
        assert!(recent <= ATTEMPTS_24H, "{what}: {recent} times in 24 hours");
        self.judge_turn(&row, zone, armed, &what);
    }

    /// Who else waited: a promise that is due goes before everybody, and no zone is passed over for long.
    fn judge_turn(&mut self, row: &CallRow, zone: Zone, armed: DateTime<Utc>, what: &str) {
        let filter = CallFilter { status: Some("pending".into()), ..CallFilter::default() };
        let waiting = self.office.run(self.store.calls(row.campaign_id, &filter, 100_000, 0)).unwrap().rows;
        let zone_of = |c: &CallRow| AREAS.iter().find(|(prefix, _)| c.phone_number.starts_with(prefix)).unwrap().1.parse::<Zone>().unwrap();
        // Well inside the hours of the strictest state.
        let awake = |z: Zone| (9..20).contains(&armed.with_timezone(&z).hour());
        // Utah, Louisiana and Pennsylvania have Sundays and days of their own.
        let own_days = |c: &CallRow| ["+1801", "+1504", "+1215"].iter().any(|area| c.phone_number.starts_with(area));
        let due = |c: &&CallRow, since: TimeDelta| c.state == State::Pending && c.dialable_at <= armed - since && awake(zone_of(c)) && !own_days(c);
        if row.priority == 0 {
            let overtaken = waiting.iter().find(|c| c.priority == 1 && due(c, TimeDelta::minutes(1)));
            assert!(overtaken.is_none(), "{what}: before the callback promised for {:?}", overtaken.map(|c| c.dialable_at));
        }
        let zones: HashSet<Zone> = waiting.iter().filter(|c| due(c, TimeDelta::seconds(30))).map(zone_of).collect();
        self.passed_over.retain(|(id, z), _| *id != row.campaign_id || (zones.contains(z) && *z != zone));
        for other in zones.iter().filter(|z| **z != zone) {
            let n = self.passed_over.entry((row.campaign_id, *other)).or_default();
            *n += 1;
            assert!(*n <= 7 * zones.len() + 5, "{what}: {other} passed over {n} times");
        }
    }

    /// Every hour: nothing is stuck, the figures are those of the rows.
    fn hour(&mut self) {
        let now = self.now();
        let open = self.office.run(self.store.open_calls()).unwrap();
        for call in open.iter().filter(|c| c.armed_at.is_some()) {
            let bound = self.told[&call.campaign_id].bound + TimeDelta::minutes(20);
            let age = now - call.armed_at.unwrap();
            assert!(age < bound, "seed {}: {} open for {age}: {:?} {}", self.seed, call.id, call.state, call.reason);
        }
        self.judge_slots(&open);
        if now.hour() == 5 {
            for campaign in self.campaigns.clone() {
                self.judge_rows(campaign);
            }
        }
    }

    /// No slot is taken by a call that nobody is on: a dead host's rows are told from legs.
    fn judge_slots(&self, open: &[CallRow]) {
        let calm = self.calm_since.is_some_and(|t| self.now() - t > TimeDelta::minutes(3)) && self.hosts.iter().any(|h| h.leads && h.runs());
        let live: HashSet<String> = self.simulator.live_numbers().into_iter().collect();
        for call in open.iter().filter(|c| calm && c.state == State::Answered && !live.contains(&c.phone_number)) {
            // The room of a phone that is gone closes after twenty seconds, and is believed gone ten later.
            let log = self.simulator.log();
            let silent = log.iter().rev().find(|e| e.what.contains(&call.phone_number)).map(|e| self.now() - e.at);
            assert!(silent.is_some_and(|t| t < TimeDelta::minutes(1)), "seed {}: {} holds a slot and its phone is silent: {silent:?}", self.seed, call.id);
        }
    }

    fn judge_rows(&mut self, id: CampaignId) {
        let (seed, told) = (self.seed, &self.told[&id]);
        let rows = self.office.run(self.store.calls(id, &CallFilter::default(), 100_000, 0)).unwrap().rows;
        let mut charged: HashMap<_, i64> = HashMap::new();
        let mut days: HashMap<NaiveDate, i64> = HashMap::new();
        for c in &rows {
            if let Some(armed) = c.armed_at.filter(|_| c.state != State::Unsent) {
                *days.entry(armed.with_timezone(&told.zone).date_naive()).or_default() += 1;
                *charged.entry(c.contact_id).or_default() += i64::from(c.charged);
            }
        }
        let row = self.office.run(self.store.campaign(self.actor.owner, id)).unwrap().unwrap();
        assert_eq!(row.counts, counted(&rows), "seed {seed}: counters of {}", row.name);
        // A callback that an operator promised is beside the budget: the contact asked for it.
        let promised = |contact| rows.iter().filter(|c| c.contact_id == contact && c.outcome == Some(Outcome::Callback)).count() as i64;
        if let Some((contact, n)) = charged.iter().find(|(contact, n)| **n > told.attempts + promised(**contact)) {
            let tries: Vec<_> = rows.iter().filter(|c| c.contact_id == *contact).map(|c| (c.attempt, c.state, c.armed_at, &c.reason, c.outcome)).collect();
            panic!("seed {seed}: {n} attempts of {} at one contact of {}: {tries:#?}", told.attempts, row.name);
        }
        for (day, used) in days {
            let stored = self.office.run(self.store.campaign_day(id, day)).unwrap().map_or(0, |d| d.used);
            assert_eq!(stored, used, "seed {seed}: used of {} on {day}", row.name);
        }
    }

    /// Who rang when, and how it ended, without ids.
    fn story(&self) -> Vec<String> {
        let mut story: Vec<String> = self.simulator.invites().iter().map(|i| format!("{} {} {}", i.at, i.number, i.reached_phone)).collect();
        for id in &self.campaigns {
            let rows = self.office.run(self.store.calls(*id, &CallFilter::default(), 100_000, 0)).unwrap().rows;
            let mut ends: Vec<_> = rows.iter().map(|c| format!("{} {} {:?} {:?} {:?}", c.phone_number, c.attempt, c.state, c.outcome, c.armed_at)).collect();
            ends.sort();
            story.extend(ends);
        }
        story
    }
}

fn number_from(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|k| k.parse().ok()).unwrap_or(otherwise)
}

/// Claims of the campaigns' calls, and dials.
fn claims_and_dials(month: &Month) -> (i64, i64) {
    let rows = month.campaigns.iter().flat_map(|id| month.office.run(month.store.calls(*id, &CallFilter::default(), 100_000, 0)).unwrap().rows);
    rows.fold((0, 0), |(claims, dials), c| (claims + c.claim_number, dials + i64::from(c.armed_at.is_some())))
}

fn a_run(seed: u64) -> Vec<String> {
    let days = std::env::var("DIALDECK_SIM_DAYS").ok().and_then(|d| d.parse().ok()).unwrap_or(0.5);
    let began = std::time::Instant::now();
    let mut month = Month::new(seed, number_from("DIALDECK_SIM_CAMPAIGNS", 6) as usize, 120, false);
    month.run(days);
    let story = month.story();
    #[expect(clippy::print_stderr, reason = "the figures of a run")]
    let () = eprintln!("seed {seed}: {days} days, {} INVITEs, {} engines, {} steps in {:.0?}", month.seen, month.takeovers, month.steps, began.elapsed());
    assert!(month.seen as f64 > days * 20.0, "hardly anybody was called: {}", month.seen);
    let (claims, dials) = claims_and_dials(&month);
    assert!(claims as f64 <= dials as f64 * 1.2 + 5.0, "seed {seed}: {claims} claims for {dials} dials");
    story
}

/// P1 to P7, P12, P13, P20 over simulated days; the same seed gives the same days.
#[test]
fn simulated_time_harms_nobody_and_a_seed_repeats_itself() {
    let seed = number_from("DIALDECK_SEED", 20_261_122);
    let _turn = crate::support::blocking_turn();
    let (first, second) = (a_run(seed), a_run(seed));
    let differ = first.iter().zip(&second).position(|(a, b)| a != b);
    assert_eq!((differ, first.len()), (None, second.len()), "the same seed, another story: {:?}", differ.map(|i| (&first[i], &second[i])));
}

/// P4, P14: whoever sets a host's clock by a day gets no calls on the wrong day, and no talk is cut off.
#[test]
fn a_clock_that_is_a_day_off_dials_nobody_until_it_is_right() {
    let _turn = crate::support::blocking_turn();
    let mut month = Month::new(5, 3, 120, true);
    let later = |month: &mut Month, minutes| {
        let (before, end) = (month.seen, month.now() + TimeDelta::minutes(minutes));
        month.pass(end);
        month.seen - before
    };
    let why = |month: &Month| {
        let row = month.office.run(month.store.campaign(month.actor.owner, month.campaigns[0])).unwrap().unwrap();
        month.office.run(month.desk.explain(&row)).unwrap().message
    };
    assert!(later(&mut month, 180) > 5, "the campaigns run");
    for by in [TimeDelta::days(1), TimeDelta::days(-1)] {
        month.hosts[0].clock.as_ref().unwrap().set_off(by);
        assert_eq!(later(&mut month, 20), 0, "nobody is called while the clock is {by} off");
        assert!(why(&month).contains("this host's clock was set from 2026-10-23"), "{}", why(&month));
        month.hosts[0].clock.as_ref().unwrap().set_off(TimeDelta::zero());
        assert!(later(&mut month, 40) > 0, "it goes on by itself: {} {}", why(&month), month.now());
    }
    // A restart behind the database's own time, and one against LiveKit's.
    for (by, livekit_has_a_clock, words) in [(TimeDelta::days(-1), false, "the database was written at"), (TimeDelta::days(1), true, "and LiveKit's")] {
        month.lead_with(0, by, livekit_has_a_clock);
        assert_eq!(later(&mut month, 20), 0, "nobody is called by an engine whose clock starts {by} off");
        assert!(why(&month).contains(words), "{}", why(&month));
        month.hosts[0].clock.as_ref().unwrap().set_off(TimeDelta::zero());
        assert!(later(&mut month, 40) > 0, "it begins by itself");
    }
}
