//! The same load on two servers, each a process of its own: ours, which keeps the event, moves the
//! call and its counters, and a Node peer (express, twilio, better-sqlite3), which updates one row.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dialdeck::{
    api::{Auth, Buckets, Defaults, Parts, Role, router},
    config::{Limits, Secret},
    desk::Desk,
    provision::{OwnTrunk, Provision},
    store::Store,
    telephony::{
        livekit::WebhookKeys,
        twilio::{Form, Signatures, sign},
    },
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::setup;

const STORED: u32 = 1_000_000;
/// Calls being dialled; each takes four callbacks.
const OPEN: u32 = 400_000;
pub const CONNECTIONS: u32 = 64;
/// Calls prepared for each connection and round.
pub const CALLS: u32 = 500;
const ROUND: Duration = Duration::from_secs(6);
pub const ROUNDS: usize = 3;
pub const TOKEN: &str = "bench-token";
pub const PUBLIC: &str = "https://bench.example";
pub const PATH: &str = "/api/v1/outbound-calls/status-callback";

pub fn run() {
    setup::runtime().block_on(async {
        let bench = setup::Bench::new().await;
        bench.fill(STORED, STORED - OPEN, OPEN).await;
        let ours = spawn(Command::new(std::env::current_exe().unwrap()).args(["serve", &bench.url]));
        let peer_folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer");
        let peer = std::path::Path::new(peer_folder).join("node_modules").exists().then(|| {
            let db = bench.dir.path().join("peer.db");
            spawn(Command::new("node").arg(format!("{peer_folder}/server.js")).arg(db).arg(STORED.to_string()).arg(TOKEN).arg(format!("{PUBLIC}{PATH}")))
        });
        if peer.is_none() {
            println!("THE PEER WAS SKIPPED: run `npm install` in benches/peer first");
        }
        let next = Arc::new(AtomicU32::new(STORED - OPEN));
        let mut rates: [Vec<f64>; 2] = Default::default();
        for round in 0..ROUNDS {
            if let Some(peer) = &peer {
                rates[1].push(load(peer.port, &Arc::new(AtomicU32::new(u32::try_from(round).unwrap() * 100_000)), "Node peer").await);
            }
            rates[0].push(load(ours.port, &next, "dialdeck").await);
        }
        drop((ours, peer));
        let [ours, theirs] = rates.map(median);
        println!("dialdeck {ours:.0}/s, peer {theirs:.0}/s (medians of {ROUNDS}): {:.1} times   (wanted 5)", ours / theirs);
        let moved: i64 = bench.row().await.counts.completed - i64::from(STORED - OPEN);
        println!("calls that their callbacks brought to completed: {moved}");
    });
}

pub fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A server that does not outlive the bench, whatever stops that.
pub struct Served {
    child: Child,
    pub port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have gone by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts a server that prints its port as its first line.
pub fn spawn(command: &mut Command) -> Served {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse().expect("a port on the first line");
    Served { child, port }
}

/// Our listener over that database, until killed.
pub fn serve(url: &str) {
    setup::runtime().block_on(async {
        let clock = setup::clock();
        let store = Store::open(url).await.unwrap();
        let desk = Desk::new(store, clock.clone(), setup::rules());
        let api = Parts {
            provision: Arc::new(Provision::new(desk.clone(), None, None, OwnTrunk::default(), "ai".into())),
            desk,
            clock,
            auth: Arc::new(Auth::new(Secret::new("a-secret-of-the-bench"), "authenticated".into(), String::new(), Role::Supervisor)),
            carrier: None,
            livekit_keys: WebhookKeys::new(Vec::new()),
            twilio: Signatures::new(vec![TOKEN.into()], &[PUBLIC.into()]),
            sip_host: "sip.example".into(),
            ready: tokio::sync::watch::Sender::new(true).subscribe(),
            limits: Limits::default(),
            // More than the default lets through in a second.
            buckets: Arc::new(Buckets::new(Limits { webhooks: 1_000_000, ..Limits::default() })),
            edges: Arc::default(),
            defaults: Defaults { timezone: dialdeck::domain::zone::Zone::utc(), region: None, default_number: None },
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        axum::serve(listener, router(api)).await.unwrap();
    });
}

/// One round of closed-loop load; answers per second.
pub async fn load(port: u16, next: &Arc<AtomicU32>, name: &str) -> f64 {
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    // Signed beforehand: the load must not cost what is measured.
    let prepared: Vec<Vec<Vec<u8>>> = interleaved(next).collect();
    let started = Instant::now();
    let tasks: Vec<_> = prepared
        .into_iter()
        .map(|requests| {
            let (stop, count) = (stop.clone(), count.clone());
            tokio::spawn(async move { one_connection(port, requests, &stop, &count).await })
        })
        .collect();
    tokio::time::sleep(ROUND).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let rate = count.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    println!("{name:>10}: {rate:>7.0}/s   {}", crate::quantiles(times));
    rate
}

/// Each connection's requests: calls that are live at once lie near each other in the queue.
fn interleaved(next: &AtomicU32) -> impl Iterator<Item = Vec<Vec<u8>>> {
    let first = next.fetch_add(CALLS * CONNECTIONS, Ordering::Relaxed) + 1;
    (0..CONNECTIONS).map(move |c| (0..CALLS).flat_map(|i| callbacks_of(first + i * CONNECTIONS + c)).collect())
}

pub fn callbacks_of(call: u32) -> [Vec<u8>; 4] {
    ["initiated", "ringing", "in-progress", "completed"].map(|status| request(call, status))
}

/// One callback after the other, until the round is over.
async fn one_connection(port: u16, requests: Vec<Vec<u8>>, stop: &AtomicBool, count: &AtomicU64) -> Vec<Duration> {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut times = Vec::new();
    let mut answer = vec![0; 4096];
    for request in requests {
        if stop.load(Ordering::Relaxed) {
            return times;
        }
        let started = Instant::now();
        exchange(&mut stream, &request, &mut answer).await;
        times.push(started.elapsed());
        count.fetch_add(1, Ordering::Relaxed);
    }
    panic!("more callbacks are needed for a round: raise CALLS");
}

/// Sends a request and reads its answer, which has no body.
pub async fn exchange(stream: &mut tokio::net::TcpStream, request: &[u8], answer: &mut [u8]) {
    stream.write_all(request).await.unwrap();
    let mut got = 0;
    while !answer[..got].windows(4).any(|w| w == b"\r\n\r\n") {
        let n = stream.read(&mut answer[got..]).await.unwrap();
        assert!(n > 0, "the server hung up");
        got += n;
    }
    assert!(answer.starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&answer[..got]));
}

/// A signed callback with the fields Twilio sends.
fn request(call: u32, status: &str) -> Vec<u8> {
    let sid = format!("CA{call:032}");
    let fields = [
        ("AccountSid", "AC00000000000000000000000000000000"),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", &sid),
        ("CallStatus", status),
        ("CallbackSource", "call-progress-events"),
        ("Called", "12025550142"),
        ("CalledCity", "WASHINGTON"),
        ("CalledCountry", "US"),
        ("CalledState", "DC"),
        ("CalledZip", "20001"),
        ("Caller", "15550009999"),
        ("CallerCity", ""),
        ("CallerCountry", "US"),
        ("Direction", "outbound-api"),
        ("From", "15550009999"),
        ("SequenceNumber", "0"),
        ("To", "12025550142"),
        ("ToCountry", "US"),
        ("Duration", "1"),
        ("CallDuration", "42"),
    ];
    let form: Form = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let signature = sign(TOKEN, &format!("{PUBLIC}{PATH}"), &form);
    let body = fields.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&");
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: bench.example\r\ncontent-type: application/x-www-form-urlencoded\r\nx-twilio-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
