//! Three processes of the real program on one PostgreSQL server of their own: killed, stopped for longer than their
//! lease, the server restarted under them, all by one seed. The simulator's own log judges: who rang, when, how many at
//! once. `DIALDECK_HOST_KILLS` (20), `DIALDECK_HOST_STOPS` (3), `DIALDECK_SERVER_RESTARTS` (2),
//! `DIALDECK_HOST_CAMPAIGNS` (4), `DIALDECK_HOST_CONTACTS` (160), `DIALDECK_HOST_PACE` (dials a second, 8),
//! `DIALDECK_HOST_MINUTES` (2: the storm ends then, whatever is left) and `DIALDECK_SEED` set the run; a failure prints
//! the seed. The long form, in forty minutes: `DIALDECK_HOST_KILLS=1000 DIALDECK_HOST_STOPS=200 DIALDECK_SERVER_RESTARTS=27
//! DIALDECK_HOST_CAMPAIGNS=20 DIALDECK_HOST_CONTACTS=2000 DIALDECK_HOST_PACE=1 DIALDECK_HOST_MINUTES=75 cargo test --test it
//! p1_p13_three_hosts -- --nocapture`. Processes and a server are not virtual: the seed repeats what is done to whom, not the microsecond.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use dialdeck::{
    clock::{Clock, SharedClock, SystemClock},
    desk::{Actor, Desk},
    domain::{
        call::State,
        campaign::{Settings, Status},
        event::{End, Reply},
        id::{CallId, CampaignId},
    },
    store::{CallFilter, CallRow, Setting, Store, StoreError},
    telephony::simulator::{Behaviour, Invite, LogEntry, Simulator, SimulatorConfig, die},
};

use crate::{
    crash::{a_campaign_over, an_assistant, number_from, program},
    support::{
        counted, csv_of, fictional,
        office::Office,
        postgres::{Cluster, Stop, database},
        quick_rules, settings,
    },
};

const HOSTS: usize = 3;
/// Of [`program`], as short as may be configured: a dead host is replaced within two seconds.
const LEASE: Duration = Duration::from_secs(1);
/// A process has found its database by then, or given up.
const STARTED: Duration = Duration::from_secs(15);
/// Who was started is killed when somebody has dialled since, or after this: a machine that is busy gets its time.
const PATIENCE: Duration = Duration::from_secs(6);
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
    longest: Duration,
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
            longest: Duration::from_mins(number_from("DIALDECK_HOST_MINUTES", 2)),
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
    since: Instant,
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
    /// Within its first seconds, as one does that finds no database; and later, as none may.
    not_started: u64,
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
            // Whom a dead host may have called is held for as long as that call could last at most: not a quarter of an hour.
            let bound = Settings { ring_timeout_s: 15, max_call_duration_s: 30, ..settings() };
            let told = Settings { max_concurrent: i64::try_from(LINES_OF_ONE).unwrap(), daily_cap: cap, ..bound };
            let id = a_campaign_over(&self.desk, &self.actor, assistant, &format!("Campaign {n}"), csv, told).await;
            self.desk.start(self.actor.clone(), id).await.unwrap();
            self.campaigns.push(id);
        }
    }

    fn host(&self) -> Host {
        let home = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = self.serve(home.path(), &address);
        Host { home, address, child, since: Instant::now(), stopped_until: None }
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

    fn serve_again(&mut self, n: usize) {
        let child = self.serve(self.hosts[n].home.path(), &self.hosts[n].address);
        (self.hosts[n].child, self.hosts[n].since, self.hosts[n].stopped_until) = (child, Instant::now(), None);
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
        let (end, mut killed, mut told) = (now + self.plan.longest, (now, 0), now);
        let (mut kill, mut stop, mut look) = (now + Duration::from_secs(3), now + Duration::from_secs(4), now);
        let mut restart = now + self.between(5000, if self.plan.restarts > 5 { 40_000 } else { 8000 });
        loop {
            let now = Instant::now();
            self.wake(now);
            self.raise();
            let lived = self.simulator.invites_so_far() > killed.1 || now - killed.0 > PATIENCE;
            if now >= kill && lived && self.done.kills < self.plan.kills {
                self.kill();
                killed = (now, self.simulator.invites_so_far());
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
            if all && self.hosts.iter().all(|h| h.stopped_until.is_none()) || now >= end {
                return;
            }
            if now - told > Duration::from_secs(30) {
                told = now;
                tell(&format!("{:?}, {} calls", self.done, self.simulator.invites_so_far()));
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
        self.serve_again(n);
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
                if self.hosts[n].since.elapsed() < STARTED {
                    self.done.not_started += 1;
                } else {
                    self.done.ended_by_themselves += 1;
                }
                self.serve_again(n);
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
        let end = Instant::now() + Duration::from_secs(150 + 2 * self.plan.contacts as u64 / self.plan.pace);
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
        let invites = self.simulator.invites();
        let judge = Judge { campaign_of: campaigns_of(&rows), rows: &rows, caps: (0..rows.len()).map(|n| self.plan.cap(n)).collect() };
        let mut wrong = judge.at_once(&self.simulator.log());
        wrong.extend(judge.in_all(&invites));
        assert!(wrong.is_empty(), "seed {}: {wrong:#?}", self.plan.seed);
        for (n, calls) in rows.iter().enumerate() {
            self.judge_rows(n, calls).await;
        }
        invites.len()
    }

    /// Nothing is lost and nothing left open; the books are true.
    async fn judge_rows(&self, n: usize, calls: &[CallRow]) {
        let seed = self.plan.seed;
        let row = self.store.campaign(self.actor.owner, self.campaigns[n]).await.unwrap().unwrap();
        assert_eq!(row.counts, counted(calls), "seed {seed}: the books of {}", row.name);
        // One whose host was too slow to send it has a row more.
        let contacts: HashSet<_> = calls.iter().map(|c| c.contact_id).collect();
        assert_eq!(contacts.len(), self.plan.of_one(), "seed {seed}: contacts of {}", row.name);
        let more: Vec<_> = calls.iter().filter(|c| c.attempt > 1).map(|c| (c.state, c.attempt, &c.reason)).collect();
        let unsent = calls.iter().filter(|c| c.state.never_rang()).count();
        assert!(calls.len() - contacts.len() <= unsent, "seed {seed}: rows of {}: {unsent} were not sent, and {more:?}", row.name);
        let open: Vec<_> = calls.iter().filter(|c| !c.state.is_ended() && c.state != State::Pending).map(|c| (c.state, &c.reason, c.armed_at)).collect();
        assert!(open.is_empty(), "seed {seed}: open in {}: {open:?}", row.name);
        let waiting = calls.iter().filter(|c| c.state == State::Pending).count();
        assert!(waiting == 0 || self.plan.cap(n) < self.plan.of_one(), "seed {seed}: {waiting} of {} were not called", row.name);
    }
}

fn campaigns_of(rows: &[Vec<CallRow>]) -> HashMap<CallId, usize> {
    rows.iter().enumerate().flat_map(|(n, calls)| calls.iter().map(move |c| (c.id, n))).collect()
}

/// What was wrong with who rang.
struct Judge<'a> {
    campaign_of: HashMap<CallId, usize>,
    rows: &'a [Vec<CallRow>],
    caps: Vec<usize>,
}

impl Judge<'_> {
    /// What rang at the same time: no number twice, no more than there are lines.
    fn at_once(&self, log: &[LogEntry]) -> Vec<String> {
        let (mut live, mut wrong): (HashMap<String, usize>, _) = (HashMap::new(), Vec::new());
        for entry in log {
            let words: Vec<&str> = entry.what.split(' ').collect();
            match words[..] {
                ["invite", number, room] => {
                    let Some(campaign) = self.campaign_of.get(&call_of(room)) else {
                        wrong.push(format!("{number} rings for no call, at {}", entry.at));
                        continue;
                    };
                    if live.insert(number.to_owned(), *campaign).is_some() {
                        wrong.push(format!("{number} rings twice at once at {}", entry.at));
                    }
                    let of_one = live.values().filter(|c| *c == campaign).count();
                    if live.len() > LINES || of_one > LINES_OF_ONE {
                        wrong.push(format!("{} lines, {of_one} of campaign {campaign}, at {}", live.len(), entry.at));
                    }
                }
                ["left", number, ..] => drop(live.remove(number)),
                _ => {}
            }
        }
        wrong
    }

    /// What rang at all: each call once, each entry of a list once, no day beyond its cap; and what rang is written so.
    fn in_all(&self, invites: &[Invite]) -> Vec<String> {
        let (mut calls, mut entries, mut wrong) = (HashSet::new(), HashSet::new(), Vec::new());
        let mut days: BTreeMap<(usize, String), usize> = BTreeMap::new();
        for Invite { number, room, .. } in invites {
            let call = call_of(room);
            let Some(campaign) = self.campaign_of.get(&call) else { continue };
            if !calls.insert(call) || !entries.insert((*campaign, number)) {
                wrong.push(format!("{number} rang twice for campaign {campaign}"));
            }
            let row = self.rows[*campaign].iter().find(|c| c.id == call);
            match row.map(|r| (r.state, r.armed_day.clone())) {
                Some((state, Some(day))) if state.is_ended() && !state.never_rang() => *days.entry((*campaign, day)).or_default() += 1,
                row => wrong.push(format!("{number} rang and is written as {row:?}")),
            }
        }
        wrong.extend(days.into_iter().filter(|((c, _), n)| *n > self.caps[*c]).map(|((c, day), n)| format!("{n} calls of campaign {c} on {day}")));
        wrong
    }
}

/// The judge sees each wrong that it looks for: here they are made up.
#[tokio::test]
async fn the_judge_of_three_hosts_sees_every_wrong() {
    let (office, id) = Office::calling(csv_of(6), |s| s.max_concurrent = 6).await;
    let mut rooms = Vec::new();
    while let Ok(call) = office.dial(id).await {
        office.reply(call, Reply::Ended { end: End::NoAnswer, sip_code: Some(480), reason: "x".into() }).await;
        rooms.push((office.call(call).await.phone_number, format!("dd-xxxxxxxx-{call}-1")));
    }
    let rows = vec![office.store.calls(id, &CallFilter::default(), 10, 0).await.unwrap().rows];
    let judge = |cap| Judge { campaign_of: campaigns_of(&rows), rows: &rows, caps: vec![cap] };
    let at = office.now();
    let rings = |which: &[usize]| -> Vec<LogEntry> { which.iter().map(|n| LogEntry { at, what: format!("invite {} {}", rooms[*n].0, rooms[*n].1) }).collect() };
    let left = |n: usize| LogEntry { at, what: format!("left {} CLIENT_INITIATED", rooms[n].0) };
    let invites = |which: &[usize]| -> Vec<Invite> {
        which.iter().map(|n| Invite { number: rooms[*n].0.clone(), room: rooms[*n].1.clone(), reached_phone: true, at }).collect()
    };
    let one_after_the_other = [rings(&[0]), vec![left(0)], rings(&[0])].concat();
    assert_eq!(judge(6).at_once(&one_after_the_other), Vec::<String>::new());
    assert_eq!(judge(6).at_once(&rings(&[0, 1, 0])).len(), 1, "one number twice at once");
    assert_eq!(judge(6).at_once(&rings(&[0, 1, 2, 3, 4])).len(), 1, "more than its lines");
    assert_eq!(judge(6).in_all(&invites(&[0, 1, 2])), Vec::<String>::new());
    assert_eq!(judge(6).in_all(&invites(&[0, 1, 0])).len(), 1, "one call twice");
    assert_eq!(judge(2).in_all(&invites(&[0, 1, 2])).len(), 1, "over its cap");
    let mut open = rows.clone();
    open[0].iter_mut().for_each(|c| c.state = State::NotPlaced);
    let unseen = Judge { campaign_of: campaigns_of(&open), rows: &open, caps: vec![6] };
    assert_eq!(unseen.in_all(&invites(&[0])).len(), 1, "rang, and is written as if it had not");
}

/// A host that is told to end, with nobody on the line, ends: not only when its time to drain is over. Its lease is
/// given back, so that another takes over at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_told_to_end_ends_and_gives_its_lease_back() {
    let Some(db) = database().await else { return };
    let (config, home) = (SimulatorConfig::by_digits(), tempfile::tempdir().unwrap());
    let simulator = Simulator::start(config.clone(), Arc::new(SystemClock::new())).await.unwrap();
    let store = Store::open(&db.url).await.unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut host = program(home.path(), &address, &db.url, &simulator, &config).env("DIALDECK_ENGINE__LEASE", "300s").spawn().unwrap();
    let end = Instant::now() + Duration::from_mins(1);
    while store.setting(Setting::Leader).await.unwrap().is_none() {
        assert!(Instant::now() < end && host.try_wait().unwrap().is_none(), "it does not lead");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(store.lease().await.unwrap().is_some_and(|l| l.left > 100.0));
    signal(&host, "-TERM");
    let told = Instant::now();
    let ended = loop {
        if let Some(ended) = host.try_wait().unwrap() {
            break ended;
        }
        if told.elapsed() > Duration::from_secs(40) {
            host.kill().unwrap();
            break host.wait().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(ended.success(), "it did not end by itself: {ended}");
    assert!(store.lease().await.unwrap().is_some_and(|l| l.left <= 0.0), "its lease is given back");
}

#[expect(clippy::print_stderr, reason = "the figures of a run")]
fn tell(words: &str) {
    eprintln!("{words}");
}

fn today(row: &dialdeck::store::CampaignRow) -> NaiveDate {
    SystemClock::new().now().with_timezone(&row.zone()).date_naive()
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
    tell(&format!("seed {}: {:?}, {rang} calls in {storm:.0?} of storm and {:.0?} in all", fleet.plan.seed, fleet.done, began.elapsed()));
    let (done, plan) = (&fleet.done, &fleet.plan);
    assert!(done.kills > 0 && done.stops > 0 && done.restarts > 0, "nothing was done to them: {done:?}");
    assert_eq!(done.ended_by_themselves, 0, "seed {}: a host that serves waits for its database", plan.seed);
    assert!(rang * 10 >= plan.contacts * 6, "{rang} calls of {}", plan.contacts);
}
