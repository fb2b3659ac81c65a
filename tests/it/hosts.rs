//! Three processes of the real program on one PostgreSQL server of their own: killed, stopped for longer than their
//! lease, the server restarted under them, all by one seed. The simulator's own log judges: who rang, when, how many at
//! once. `DIALDECK_HOST_KILLS` (20), `DIALDECK_HOST_STOPS` (3), `DIALDECK_SERVER_RESTARTS` (2),
//! `DIALDECK_HOST_CAMPAIGNS` (4), `DIALDECK_HOST_CONTACTS` (160), `DIALDECK_HOST_PACE` (dials a second, 8) and
//! `DIALDECK_SEED` set the run; a failure prints the seed.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use dialdeck::{
    clock::{SharedClock, SystemClock},
    desk::{Actor, Desk},
    domain::{
        call::State,
        campaign::{Settings, Status},
        id::{CallId, CampaignId},
    },
    store::{CallFilter, CallRow, Store, StoreError},
    telephony::simulator::{Behaviour, Simulator, SimulatorConfig, die},
};

use crate::{
    crash::{a_campaign_over, an_assistant, number_from, program},
    support::{
        counted, fictional,
        postgres::{Cluster, Stop},
        quick_rules, settings,
    },
};

const HOSTS: usize = 3;
/// Of [`program`], as short as may be configured: a dead host is replaced within two seconds.
const LEASE: Duration = Duration::from_secs(1);
/// Lines of the trunk, and of each campaign.
const LINES: usize = 12;
const LINES_OF_ONE: usize = 4;

/// How much of everything, and how fast.
struct Plan {
    seed: u64,
    kills: u64,
    stops: u64,
    restarts: u64,
    campaigns: usize,
    contacts: usize,
    pace: u64,
}

impl Plan {
    fn from_environment() -> Self {
        let small = |variable, otherwise| usize::try_from(number_from(variable, otherwise)).unwrap();
        Self {
            seed: number_from("DIALDECK_SEED", 20_261_128),
            kills: number_from("DIALDECK_HOST_KILLS", 20),
            stops: number_from("DIALDECK_HOST_STOPS", 3),
            restarts: number_from("DIALDECK_SERVER_RESTARTS", 2),
            campaigns: small("DIALDECK_HOST_CAMPAIGNS", 4),
            contacts: small("DIALDECK_HOST_CONTACTS", 160),
            pace: number_from("DIALDECK_HOST_PACE", 8),
        }
    }

    fn of_one(&self) -> usize {
        self.contacts / self.campaigns
    }

    /// Every fifth campaign may not call all of its contacts on one day.
    fn cap(&self, campaign: usize) -> usize {
        if campaign.is_multiple_of(5) { self.of_one() * 3 / 5 } else { self.of_one() }
    }

    /// The first number of a campaign's list; neighbours share half of their numbers.
    fn first(&self, campaign: usize) -> usize {
        campaign * self.of_one() / 2
    }
}

/// One process and what was done to it.
struct Host {
    home: tempfile::TempDir,
    address: String,
    child: Child,
    stopped_until: Option<Instant>,
}

struct Fleet {
    plan: Plan,
    roll: u64,
    cluster: Cluster,
    url: String,
    simulator: Simulator,
    config: SimulatorConfig,
    hosts: Vec<Host>,
    store: Store,
    desk: Desk,
    actor: Actor,
    campaigns: Vec<CampaignId>,
    done: Done,
}

/// What was done to it in the end.
#[derive(Debug, Default)]
struct Done {
    kills: u64,
    of_stopped: u64,
    stops: u64,
    restarts: u64,
    ended_by_themselves: u64,
    resumed: u64,
}

impl Fleet {
    async fn new(plan: Plan) -> Option<Self> {
        let cluster = tokio::task::spawn_blocking(Cluster::own).await.unwrap()?;
        let url = cluster.database("hosts").await;
        let clock: SharedClock = Arc::new(SystemClock::new());
        let config = SimulatorConfig {
            behaviour: Behaviour::Answer { ring: Duration::from_millis(150), talk: Duration::from_millis(500) },
            departure_timeout: Duration::from_secs(1),
            ..SimulatorConfig::by_digits()
        };
        let simulator = Simulator::start(config.clone(), clock.clone()).await.unwrap();
        let store = Store::open(&url).await.unwrap();
        let desk = Desk::new(store.clone(), clock, quick_rules());
        let actor = Actor { owner: desk.installation(None).await.unwrap().owner, name: "tester".into(), source: "console" };
        let roll = die(plan.seed);
        let mut fleet =
            Self { plan, roll, cluster, url, simulator, config, hosts: Vec::new(), store, desk, actor, campaigns: Vec::new(), done: Done::default() };
        fleet.add_campaigns().await;
        for _ in 0..HOSTS {
            let host = fleet.host();
            fleet.hosts.push(host);
        }
        Some(fleet)
    }

    async fn add_campaigns(&mut self) {
        let assistant = an_assistant(&self.desk, &self.actor, &self.simulator, &self.config).await;
        for n in 0..self.plan.campaigns {
            let first = self.plan.first(n);
            let csv = (first..first + self.plan.of_one()).fold("name,phone\n".to_owned(), |csv, i| csv + &format!("Contact {i},{}\n", fictional(i)));
            let cap = i64::try_from(self.plan.cap(n)).unwrap();
            let told = Settings { max_concurrent: i64::try_from(LINES_OF_ONE).unwrap(), daily_cap: cap, ..settings() };
            let id = a_campaign_over(&self.desk, &self.actor, assistant, &format!("Campaign {n}"), csv, told).await;
            self.desk.start(self.actor.clone(), id).await.unwrap();
            self.campaigns.push(id);
        }
    }

    fn host(&self) -> Host {
        let home = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = self.serve(home.path(), &address);
        Host { home, address, child, stopped_until: None }
    }

    fn serve(&self, home: &std::path::Path, address: &str) -> Child {
        let mut command = program(home, address, &self.url, &self.simulator, &self.config);
        command
            .env("DIALDECK_TRUNK__CALLS_PER_SECOND", self.plan.pace.to_string())
            .env("DIALDECK_TRUNK__MAX_CONCURRENT", LINES.to_string())
            // The same person is on two lists, and both may call.
            .env("DIALDECK_COMPLIANCE__REST_AFTER_TALK", "0")
            .env("DIALDECK_BREAKER__ENABLED", "false");
        command.spawn().unwrap()
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll = die(self.roll);
        self.roll % n
    }

    fn between(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(low + self.below(high - low + 1))
    }

    fn some_host(&mut self) -> usize {
        usize::try_from(self.below(HOSTS as u64)).unwrap()
    }

    /// Everything at once until all of it was done, or everybody was called.
    async fn storm(&mut self) {
        let now = Instant::now();
        let (mut kill, mut stop, mut look) = (now + Duration::from_secs(3), now + Duration::from_secs(4), now);
        let mut restart = now + self.between(5000, if self.plan.restarts > 5 { 40_000 } else { 8000 });
        loop {
            let now = Instant::now();
            self.wake(now);
            self.raise();
            if now >= kill && self.done.kills < self.plan.kills {
                self.kill();
                kill = now + self.between(200, 1100);
            }
            if now >= stop && self.done.stops < self.plan.stops {
                self.stop(now);
                stop = now + self.between(800, 3500);
            }
            if now >= restart && self.done.restarts < self.plan.restarts {
                // At once as in a crash, or as an administrator does it.
                let how = if self.below(2) == 0 { Stop::Crash } else { Stop::Fast };
                self.cluster.restart(how);
                self.done.restarts += 1;
                restart = now + self.between(5000, if self.plan.restarts > 5 { 40_000 } else { 8000 });
            }
            let all = self.done.kills >= self.plan.kills && self.done.stops >= self.plan.stops && self.done.restarts >= self.plan.restarts;
            if all && self.hosts.iter().all(|h| h.stopped_until.is_none()) {
                return;
            }
            if now >= look {
                look = now + Duration::from_secs(1);
                self.point_webhooks();
                if self.is_over().await.unwrap_or(false) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(&mut self) {
        let n = self.some_host();
        let host = &mut self.hosts[n];
        host.child.kill().unwrap();
        host.child.wait().unwrap();
        self.done.of_stopped += u64::from(host.stopped_until.take().is_some());
        self.done.kills += 1;
        self.hosts[n].child = self.serve(self.hosts[n].home.path(), &self.hosts[n].address);
    }

    /// For longer than its lease, and sometimes for longer than the database waits for whoever holds it.
    fn stop(&mut self, now: Instant) {
        let (n, long) = (self.some_host(), self.between(300, 4000));
        // One at least goes on.
        if self.hosts[n].stopped_until.is_some() || self.hosts.iter().filter(|h| h.stopped_until.is_some()).count() + 1 == HOSTS {
            return;
        }
        signal(&self.hosts[n].child, "-STOP");
        self.hosts[n].stopped_until = Some(now + LEASE + long);
        self.done.stops += 1;
    }

    fn wake(&mut self, now: Instant) {
        for host in self.hosts.iter_mut().filter(|h| h.stopped_until.is_some_and(|t| t <= now)) {
            signal(&host.child, "-CONT");
            host.stopped_until = None;
        }
    }

    /// A process that has ended by itself is started again, as its keeper would.
    fn raise(&mut self) {
        for n in 0..HOSTS {
            if self.hosts[n].child.try_wait().unwrap().is_some() {
                self.hosts[n].child = self.serve(self.hosts[n].home.path(), &self.hosts[n].address);
                self.hosts[n].stopped_until = None;
                self.done.ended_by_themselves += 1;
            }
        }
    }

    /// LiveKit tells one of them, which may be dead when it is told.
    fn point_webhooks(&mut self) {
        let n = self.some_host();
        self.simulator.set_webhook_url(Some(format!("http://{}/api/v1/livekit/webhook", self.hosts[n].address)));
    }

    /// Whether every campaign has called whom it may; what is paused goes on, as an operator would have it.
    async fn is_over(&mut self) -> Result<bool, StoreError> {
        let mut over = true;
        for n in 0..self.campaigns.len() {
            let Some(row) = self.store.campaign(self.actor.owner, self.campaigns[n]).await? else { panic!("a campaign is gone") };
            if row.execution_status == Status::Paused || row.execution_status == Status::Error {
                self.done.resumed += u64::from(self.desk.start(self.actor.clone(), row.id).await.is_ok());
            }
            let waits_for_tomorrow = self.store.campaign_day(row.id, today(&row)).await?.is_some_and(|d| d.used >= i64::try_from(self.plan.cap(n)).unwrap());
            over &= row.execution_status == Status::Completed || waits_for_tomorrow && row.counts.live == 0;
        }
        Ok(over)
    }

    /// Nothing is done to them any more: they finish.
    async fn finish(&mut self) {
        let end = Instant::now() + Duration::from_secs(60 + 2 * self.plan.contacts as u64 / self.plan.pace);
        while !self.is_over().await.unwrap_or(false) {
            assert!(Instant::now() < end, "seed {}: it does not come to its end: {}", self.plan.seed, self.figures().await);
            self.wake(Instant::now() + Duration::from_mins(1));
            self.raise();
            self.point_webhooks();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        // The last calls' rooms close, and their rows with them.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    async fn figures(&self) -> String {
        let mut words = String::new();
        for id in &self.campaigns {
            let row = self.store.campaign(self.actor.owner, *id).await;
            words += &row.map_or_else(
                |e| format!("{e}\n"),
                |r| r.map_or_else(String::new, |r| format!("{:?} {} {:?}\n", r.execution_status, r.status_reason, r.counts)),
            );
        }
        words
    }

    async fn rows(&self) -> Vec<Vec<CallRow>> {
        let mut all = Vec::new();
        for id in &self.campaigns {
            all.push(self.store.calls(*id, &CallFilter::default(), 100_000, 0).await.unwrap().rows);
        }
        all
    }

    /// By the log of the simulator and the rows.
    async fn judge(&self) -> usize {
        let rows = self.rows().await;
        let campaign_of: HashMap<CallId, usize> = rows.iter().enumerate().flat_map(|(n, calls)| calls.iter().map(move |c| (c.id, n))).collect();
        self.judge_log(&campaign_of);
        self.judge_rings(&rows, &campaign_of);
        for (n, calls) in rows.iter().enumerate() {
            self.judge_rows(n, calls).await;
        }
        self.simulator.invites().len()
    }

    /// What rang at the same time: no number twice, no more than there are lines.
    fn judge_log(&self, campaign_of: &HashMap<CallId, usize>) {
        let seed = self.plan.seed;
        let mut live: HashMap<String, usize> = HashMap::new();
        for entry in self.simulator.log() {
            let words: Vec<&str> = entry.what.split(' ').collect();
            match words[..] {
                ["invite", number, room] => {
                    let campaign = campaign_of[&call_of(room)];
                    assert!(live.insert(number.to_owned(), campaign).is_none(), "seed {seed}: {number} rings twice at once at {}", entry.at);
                    assert!(live.len() <= LINES, "seed {seed}: {} lines of {LINES} at {}", live.len(), entry.at);
                    let of_one = live.values().filter(|c| **c == campaign).count();
                    assert!(of_one <= LINES_OF_ONE, "seed {seed}: {of_one} lines of campaign {campaign} at {}", entry.at);
                }
                ["left", number, ..] => drop(live.remove(number)),
                _ => {}
            }
        }
    }

    /// What rang at all: each call once, each list's entry once, no day beyond its cap.
    fn judge_rings(&self, rows: &[Vec<CallRow>], campaign_of: &HashMap<CallId, usize>) {
        let seed = self.plan.seed;
        let (mut calls, mut entries) = (HashSet::new(), HashSet::new());
        let mut days: BTreeMap<(usize, NaiveDate), usize> = BTreeMap::new();
        for invite in self.simulator.invites() {
            let (call, number) = (call_of(&invite.room), invite.number);
            let campaign = campaign_of[&call];
            assert!(calls.insert(call), "seed {seed}: call {call} was dialled twice, to {number}");
            assert!(entries.insert((campaign, number.clone())), "seed {seed}: {number} rang twice for campaign {campaign}");
            let row = rows[campaign].iter().find(|c| c.id == call).unwrap();
            assert!(row.armed_at.is_some() && row.state.is_ended(), "seed {seed}: it rang and is {:?}", row.state);
            assert!(!row.state.never_rang(), "seed {seed}: {number} rang and is written as {:?}: {}", row.state, row.reason);
            let day = row.armed_day.as_ref().unwrap().parse().unwrap();
            *days.entry((campaign, day)).or_default() += 1;
        }
        for ((campaign, day), n) in days {
            assert!(n <= self.plan.cap(campaign), "seed {seed}: {n} calls of campaign {campaign} on {day}, of {}", self.plan.cap(campaign));
        }
    }

    /// Nothing is lost and nothing left open; the books are true.
    async fn judge_rows(&self, n: usize, calls: &[CallRow]) {
        let seed = self.plan.seed;
        let row = self.store.campaign(self.actor.owner, self.campaigns[n]).await.unwrap().unwrap();
        assert_eq!(row.counts, counted(calls), "seed {seed}: the books of {}", row.name);
        assert_eq!(calls.len(), self.plan.of_one(), "seed {seed}: contacts of {}", row.name);
        let open: Vec<_> = calls.iter().filter(|c| !c.state.is_ended() && c.state != State::Pending).map(|c| (c.state, &c.reason, c.armed_at)).collect();
        assert!(open.is_empty(), "seed {seed}: open in {}: {open:?}", row.name);
        let waiting = calls.iter().filter(|c| c.state == State::Pending).count();
        assert!(waiting == 0 || self.plan.cap(n) < self.plan.of_one(), "seed {seed}: {waiting} of {} were not called", row.name);
    }
}

fn today(row: &dialdeck::store::CampaignRow) -> NaiveDate {
    chrono::Utc::now().with_timezone(&row.zone()).date_naive()
}

/// The call that a room is named after.
fn call_of(room: &str) -> CallId {
    CallId(room[12..48].parse().unwrap())
}

fn signal(child: &Child, what: &str) {
    drop(Command::new("kill").args([what, &child.id().to_string()]).status());
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for host in &mut self.hosts {
            drop(host.child.kill());
            drop(host.child.wait());
        }
    }
}

/// P1 to P6, P12, P13 of three hosts on one server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_p13_three_hosts_killed_stopped_and_their_server_restarted_ring_nobody_twice() {
    let Some(mut fleet) = Fleet::new(Plan::from_environment()).await else { return };
    let began = Instant::now();
    fleet.storm().await;
    let storm = began.elapsed();
    fleet.finish().await;
    let rang = fleet.judge().await;
    #[expect(clippy::print_stderr, reason = "the figures of a run")]
    let () = eprintln!("seed {}: {:?}, {rang} calls in {storm:.0?} of storm and {:.0?} in all", fleet.plan.seed, fleet.done, began.elapsed());
    let few = |done: u64, wanted: u64| done * 2 < wanted;
    let (done, plan) = (&fleet.done, &fleet.plan);
    assert!(!few(done.kills, plan.kills) && !few(done.stops, plan.stops) && !few(done.restarts, plan.restarts), "everybody was called too soon: {done:?}");
    assert!(rang * 10 >= plan.contacts * 6, "{rang} calls of {}", plan.contacts);
}
