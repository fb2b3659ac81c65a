//! Many hosts on one PostgreSQL: what a callback, an arm and a screen wait for each other. `DIALDECK_BENCH_POSTGRES`
//! names an empty database of a server that takes 1,000 connections, as a superuser.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use dialdeck::{
    console::{look, rest},
    desk::{Actor, Desk},
    domain::{
        event::{CallEvent, End, Kind, Reply, Source, Target},
        id::Incarnation,
    },
    store::Store,
    telemetry::Ring,
};
use sqlx::{Connection, PgConnection};

use crate::{
    callbacks::{CALLS, CONNECTIONS, PATH, PUBLIC, ROUNDS, Served, TOKEN, callbacks_of, exchange, load, median, spawn},
    quantiles, setup,
};

const STORED: u32 = 1_000_000;
/// Calls being dialled; each takes four callbacks.
const OPEN: u32 = 300_000;
const QUEUE: u32 = 50_000;
const HOSTS: usize = 8;
const CONSOLES: usize = 100;
const CALLBACKS: u32 = 500;
const DIALS: u32 = 50;
const LOAD: Duration = Duration::from_secs(20);
/// Callbacks under way at once.
const LANES: u32 = 100;

pub fn run() {
    let Ok(url) = std::env::var("DIALDECK_BENCH_POSTGRES") else {
        println!("SKIPPED: DIALDECK_BENCH_POSTGRES names no empty database of a PostgreSQL server that takes 1,000 connections");
        return;
    };
    setup::runtime().block_on(async {
        let bench = Arc::new(setup::Bench::on(setup::folder(), url.clone()).await);
        let past = bench.another().await;
        fill(&url, past.0).await;
        let hosts: Vec<Served> = (0..HOSTS).map(|_| spawn(Command::new(std::env::current_exe().unwrap()).args(["serve", &url]))).collect();
        let first = beside_a_peer(&url, &hosts).await;
        end_all_but(&url, first, past.0).await;
        together(bench, &url, &hosts, first).await;
    });
}

/// Callbacks as fast as one host takes them, in turns with the peer; the first call that has had none.
async fn beside_a_peer(url: &str, hosts: &[Served]) -> u32 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer");
    let peer = std::path::Path::new(folder).join("node_modules/pg").exists().then(|| {
        let mut node = Command::new("node");
        spawn(node.arg(format!("{folder}/server-pg.js")).arg(url).arg(STORED.to_string()).arg(TOKEN).arg(format!("{PUBLIC}{PATH}")))
    });
    if peer.is_none() {
        println!("THE PEER WAS SKIPPED: run `npm install` in benches/peer first");
    }
    let next = Arc::new(std::sync::atomic::AtomicU32::new(STORED - OPEN - QUEUE));
    let mut rates: [Vec<f64>; 2] = Default::default();
    for round in 0..ROUNDS {
        if let Some(peer) = &peer {
            let from = u32::try_from(round).unwrap() * 100_000;
            rates[1].push(load(peer.port, &Arc::new(std::sync::atomic::AtomicU32::new(from)), "Node + pg").await);
        }
        rates[0].push(load(hosts[0].port, &next, "dialdeck").await);
    }
    let [ours, theirs] = rates.map(median);
    println!("dialdeck {ours:.0}/s, peer {theirs:.0}/s (medians of {ROUNDS}): {:.1} times   (wanted 3)", ours / theirs);
    STORED - OPEN - QUEUE + CALLS * CONNECTIONS * u32::try_from(ROUNDS).unwrap() + 1
}

/// Few calls are on the line at once: all but those that the rest of the bench has callbacks for are over.
async fn end_all_but(url: &str, first: u32, past: uuid::Uuid) {
    let mut db = PgConnection::connect(url).await.unwrap();
    let last = first + CALLBACKS * u32::try_from(LOAD.as_secs()).unwrap() / 4 + 2 * LANES;
    let ended = "UPDATE campaign_calls SET state = 'completed', rank = 90, answered_at = armed_at, completed_at = armed_at, outcome = 'not_interested'
        WHERE rank = 20 AND dialled NOT BETWEEN $1 AND $2";
    let ended = sqlx::query(ended).bind(i64::from(first)).bind(i64::from(last)).execute(&mut db).await.unwrap().rows_affected();
    let counts = "UPDATE campaign_counts SET processing = processing - $1, live = live - $1, completed = completed + $1 WHERE campaign_id = $2";
    sqlx::query(counts).bind(ended.cast_signed()).bind(past).execute(&mut db).await.unwrap();
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut db).await.unwrap();
}

/// Everything at once.
async fn together(bench: Arc<setup::Bench>, url: &str, hosts: &[Served], first: u32) {
    let mut db = PgConnection::connect(url).await.unwrap();
    let screens = Screens::open(url);
    let (before, began) = (transactions(&mut db).await, Instant::now());
    let ports: Vec<u16> = hosts.iter().map(|h| h.port).collect();
    let (callbacks, arms) = tokio::join!(callbacks(ports, first), dials(bench));
    let (after, took) = (transactions(&mut db).await, began.elapsed().as_secs_f64());
    let connections: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetch_one(&mut db).await.unwrap();
    println!(
        "{HOSTS} hosts, {CONSOLES} consoles, {CALLBACKS} callbacks/s, {DIALS} dials/s for {} s: {connections} connections, {:.0} transactions/s",
        LOAD.as_secs(),
        (after - before) as f64 / took
    );
    println!("callback {}", quantiles(callbacks));
    println!("arm      {}", quantiles(arms));
    screens.told();
}

async fn transactions(db: &mut PgConnection) -> i64 {
    // What other sessions did is told within a second of it.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    sqlx::query_scalar("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()").fetch_one(db).await.unwrap()
}

/// Four callbacks of each call, in order, by turns over all hosts, whether or not the ones before have been answered.
async fn callbacks(ports: Vec<u16>, first: u32) -> Vec<Duration> {
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let port = ports[lane as usize % ports.len()];
            tokio::spawn(async move {
                let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut answer, mut times) = (vec![0; 4096], Vec::new());
                let pause = Duration::from_secs(1) * LANES / CALLBACKS;
                let began = tokio::time::Instant::now() + pause * lane / LANES;
                let mine = (0..).flat_map(|i| callbacks_of(first + i * LANES + lane));
                for (n, request) in (0..).zip(mine) {
                    let due = began + pause * n;
                    if due > began + LOAD {
                        return times;
                    }
                    tokio::time::sleep_until(due).await;
                    exchange(&mut stream, &request, &mut answer).await;
                    times.push(due.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for lane in lanes {
        times.extend(lane.await.unwrap());
    }
    times
}

/// What the host that dials does: claims, arms, has a reply; the times of the arms.
async fn dials(bench: Arc<setup::Bench>) -> Vec<Duration> {
    let campaign = Arc::new(bench.row().await);
    let mine = Incarnation::fresh();
    let (began, mut times, mut ready) = (tokio::time::Instant::now(), Vec::new(), Vec::new());
    for n in 0..DIALS * u32::try_from(LOAD.as_secs()).unwrap() {
        if ready.is_empty() {
            let request = bench.request(campaign.clone(), 20, mine).await;
            ready = bench.desk.claim(bench.installation, request).await.unwrap().ready;
        }
        tokio::time::sleep_until(began + Duration::from_secs(1) * n / DIALS).await;
        let asked = Instant::now();
        let armed = bench.desk.arm(ready.pop().expect("a queue that is long enough"), mine).await.unwrap().unwrap();
        times.push(asked.elapsed());
        let (desk, call) = (bench.desk.clone(), armed.call());
        tokio::spawn(async move { desk.record(busy(&desk, call)).await.unwrap() });
    }
    times
}

fn busy(desk: &Desk, call: dialdeck::domain::id::CallId) -> CallEvent {
    let reply = Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "Busy Here".into() };
    CallEvent {
        key: format!("dial:{call}"),
        target: Target::Call(call),
        source: Source::Dial,
        at: desk.now(),
        raw: serde_json::Value::Null,
        kind: Kind::Reply(reply),
    }
}

/// The consoles, in a process of their own.
struct Screens(Child);

impl Screens {
    fn open(url: &str) -> Self {
        let mut own = Command::new(std::env::current_exe().unwrap());
        let mut child = own.args(["consoles", url, &CONSOLES.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "open\n");
        Self(child)
    }

    /// Ends them, and lets them say what they have seen.
    fn told(mut self) {
        drop(self.0.stdin.take());
        let said = std::io::read_to_string(self.0.stdout.take().unwrap()).unwrap();
        self.0.wait().unwrap();
        print!("{said}");
    }
}

/// Each with a store of its own, as in a process of its own; until the input ends.
pub fn consoles(url: &str, n: usize) {
    setup::runtime().block_on(async {
        let clock = setup::clock();
        let (send, mut seen) = tokio::sync::mpsc::unbounded_channel::<(Duration, Duration)>();
        for _ in 0..n {
            let store = Store::open(url).await.unwrap();
            let desk = Desk::new(store, clock.clone(), setup::rules());
            let owner = desk.installation(None).await.unwrap().owner;
            let (send, ring, clock) = (send.clone(), Ring::new(clock.clone()), clock.clone());
            let actor = Actor { owner, name: "bench".into(), source: "console" };
            tokio::spawn(async move {
                let mut bell = desk.store().bell();
                while bell.changed().await.is_ok() {
                    let rung = Instant::now();
                    look(&desk.at_once(), &actor, &ring, clock.now(), false).await.unwrap();
                    let took = rung.elapsed();
                    tokio::time::sleep(rest(took)).await;
                    // Nobody counts any more: the end.
                    if send.send((took, rung.elapsed())).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        println!("open");
        while seen.try_recv().is_ok() {}
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()).map(drop));
        let mut all = Vec::new();
        let collect = async {
            while let Some(one) = seen.recv().await {
                all.push(one);
            }
        };
        tokio::select! { _ = ended => {} () = collect => {} }
        let (looks, rounds): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        println!("screen   {}", quantiles(looks));
        println!("one to the next {}", quantiles(rounds));
    });
}

/// Calls as after some months: most ended, many on the line and known to Twilio, in a campaign of their own; the rest due.
async fn fill(url: &str, past: uuid::Uuid) {
    let mut db = PgConnection::connect(url).await.unwrap();
    let contacts = "INSERT INTO csv_contacts (id, csv_file_id, position, name, phone_number, country, zones, created_at)
        SELECT ('00000006-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid, (SELECT csv_file_id FROM campaigns LIMIT 1), i + 10, 'Contact ' || i,
               '+1' || CASE WHEN i <= 500000 THEN '917' ELSE '212' END || lpad((220 + (i % 500000) / 10000)::text, 3, '0') || lpad((i % 10000)::text, 4, '0'), 'US',
               'America/New_York', '2026-11-01T00:00:00Z' FROM generate_series(1, $1::int) AS i";
    sqlx::query(contacts).bind(STORED.cast_signed()).execute(&mut db).await.unwrap();
    let calls = "INSERT INTO campaign_calls (id, user_id, campaign_id, contact_id, phone_number, contact_name, country, zones, position, attempt, state, rank,
            dialable_at, armed_at, dialled, armed_day, trunk_id, room_name, call_sid, answered_at, completed_at, call_duration, outcome, created_at, updated_at)
        SELECT ('00000008-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid, c.user_id, CASE WHEN i <= $2 THEN $4 ELSE c.id END, k.id, k.phone_number, k.name, 'US', $3, k.position, 1,
            CASE WHEN i <= $1 THEN 'completed' WHEN i <= $2 THEN 'dialing' ELSE 'pending' END, CASE WHEN i <= $1 THEN 90 WHEN i <= $2 THEN 20 ELSE 0 END,
            '2026-11-18T14:00:00Z', CASE WHEN i <= $2 THEN '2026-11-18T15:00:00Z'::timestamptz END, CASE WHEN i <= $2 THEN i END, CASE WHEN i <= $2 THEN '2026-11-18' END,
            CASE WHEN i <= $2 THEN (SELECT id FROM trunks LIMIT 1) END, CASE WHEN i <= $2 THEN 'dd-bench-' || i END,
            CASE WHEN i <= $2 THEN 'CA' || lpad(i::text, 32, '0') END, CASE WHEN i <= $1 THEN '2026-11-18T15:00:10Z'::timestamptz END,
            CASE WHEN i <= $1 THEN '2026-11-18T15:00:00Z'::timestamptz + i % 7000 * interval '1 second' END, 42,
            CASE WHEN i <= $1 AND i % 2000 > 0 THEN 'not_interested' END, '2026-11-18T14:00:00Z', '2026-11-18T14:00:00Z'
        FROM (SELECT *, position - 10 AS i FROM csv_contacts WHERE position > 10) AS k, (SELECT * FROM campaigns WHERE id <> $4) AS c";
    let (ended, dialled) = ((STORED - OPEN - QUEUE).cast_signed(), (STORED - QUEUE).cast_signed());
    sqlx::query(calls).bind(ended).bind(dialled).bind(setup::queue()).bind(past).execute(&mut db).await.unwrap();
    let counts = "UPDATE campaign_counts SET total = $2, processing = $2 - $1, live = $2 - $1, completed = $1, dials = $2, pickups = $1 WHERE campaign_id = $3";
    sqlx::query(counts).bind(ended).bind(dialled).bind(past).execute(&mut db).await.unwrap();
    let counts = "UPDATE campaign_counts SET total = $1, pending = $1 WHERE campaign_id <> $2";
    sqlx::query(counts).bind(QUEUE.cast_signed()).bind(past).execute(&mut db).await.unwrap();
    sqlx::query("UPDATE trunks SET live = $1, max_live = 1000000, tokens = 1000000").bind(OPEN.cast_signed()).execute(&mut db).await.unwrap();
    // The contact's own call stays out of the way.
    sqlx::raw_sql("UPDATE campaigns SET fill_position = NULL").execute(&mut db).await.unwrap();
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut db).await.unwrap();
}
