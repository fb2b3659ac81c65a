//! The edges of the listener: what peers, proxies, browsers and strangers may do to it, and what it costs a
//! campaign that dials meanwhile.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use dialdeck::{
    api::{Edges, Role},
    config::{Limits, Proxies},
    desk::{ClaimRequest, Refused},
    domain::id::{Incarnation, OwnerId},
    telephony::twilio::Signatures,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{Rest, code},
    support::{
        Options, World, csv_of,
        http::{Answer, call, send},
    },
    walls::until,
};

/// The listener on loopback, until it is dropped.
struct Served {
    address: SocketAddr,
    stop: CancellationToken,
}

impl Served {
    async fn start(rest: &Rest, limits: &str, proxies: Proxies) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(dialdeck::api::serve(listener, rest.router.clone(), limits.parse().unwrap(), proxies, stop.clone()));
        Self { address, stop }
    }

    async fn open(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What a request of these bytes is answered with, up to the connection's end.
    async fn say(&self, bytes: &str) -> String {
        let mut stream = self.open().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn rest() -> Rest {
    Rest::new().await
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
}

async fn get(rest: &Rest, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(Request::get(path), |r, (name, value)| r.header(*name, *value));
    send(&rest.router, request.header("authorization", format!("Bearer {}", rest.token)).body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_names_one_host() {
    let rest = rest().await;
    let served = Served::start(&rest, "", Proxies::default()).await;
    for (request, want) in [
        ("GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 200),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
    ] {
        let answer = served.say(request).await;
        assert_eq!(status(&answer), want, "{request}\n{answer}");
        assert!(want == 200 || answer.contains("\"code\":\"invalid_request\""), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_paths_methods_and_keys_are_answered_in_the_envelope() {
    let rest = rest().await;
    for path in ["/campaigns/%ff", "/outbound-calls/%c3%28/outcome", "/livekit/outbound-calls/trunk/%80"] {
        let method = if path.ends_with("outcome") { "PUT" } else { "GET" };
        assert_eq!(code(&rest.call(method, path, None).await), (404, "not_found".into()), "{path}");
    }
    let wrong = rest.call("PATCH", "/campaigns", None).await;
    assert_eq!(code(&wrong), (405, "invalid_request".into()));
    let allowed: HashSet<&str> = wrong.headers["allow"].to_str().unwrap().split(',').map(str::trim).collect();
    assert!(allowed.contains("GET") && allowed.contains("POST") && !allowed.contains("PATCH"), "{allowed:?}");
    // Of two values of a key only one would count, at both doors and at every depth.
    let (source, _) = rest.world.import(csv_of(1)).await;
    let campaign = rest.world.campaign(source, |_| {}).await;
    for body in [
        r#"{"name": "a", "name": "b"}"#,
        r#"{"dailyCap": 5, "retry": {"maxAttempts": 1, "maxAttempts": 2}}"#,
        r#"{"name": "a", "callingDays": [{"x": 1, "x": 2}]}"#,
    ] {
        for (method, path) in [("POST", "/campaigns".to_owned()), ("PUT", format!("/campaigns/{campaign}"))] {
            let request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("content-type", "application/json");
            let answer = send(&rest.router, request.header("authorization", format!("Bearer {}", rest.token)).body(Body::from(body)).unwrap()).await;
            assert_eq!(code(&answer), (400, "invalid_request".into()), "{method} {body}");
            assert!(answer.body.contains("is there twice"), "{}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_not_stored_on_the_way_and_long_lists_are_packed() {
    let rest = rest().await;
    let (source, _) = rest.world.import(csv_of(30)).await;
    let campaign = rest.world.campaign(source, |_| {}).await;
    rest.world.desk.start(rest.world.actor.clone(), campaign).await.unwrap();
    let path = format!("/api/v1/campaigns/{campaign}/calls");
    let plain = get(&rest, &path, &[]).await;
    assert!(plain.headers["cache-control"] == "no-store" && !plain.headers.contains_key("content-encoding"));
    assert_eq!(plain.json()["total"], 30);
    let packed = get(&rest, &path, &[("accept-encoding", "gzip")]).await;
    assert!(packed.headers["content-encoding"] == "gzip" && packed.headers["cache-control"] == "no-store");
    assert!(packed.body.len() * 3 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
    for path in ["/api/v1/kill-switch", "/api/v1/campaigns/not-an-id"] {
        assert_eq!(get(&rest, path, &[]).await.headers["cache-control"], "no-store", "{path}");
    }
    // Each answer has an id by which the log has its lines; a client may bring its own.
    assert!(!plain.headers["x-request-id"].is_empty());
    assert_eq!(get(&rest, &path, &[("x-request-id", "mine")]).await.headers["x-request-id"], "mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_of_named_origins_alone_may_ask() {
    let ask = async |rest: &Rest, origin: &str| {
        let request = Request::options("/api/v1/campaigns").header("origin", origin).header("access-control-request-method", "PUT");
        let request = request.header("access-control-request-headers", "authorization,content-type,idempotency-key");
        send(&rest.router, request.body(Body::empty()).unwrap()).await
    };
    let named = Edges::new(Proxies::default(), &["https://app.example.com".to_owned()]);
    let rest = Rest::built(World::new(Options::default()).await, "https://x.example", |api| api.edges = named.into());
    let allowed = ask(&rest, "https://app.example.com").await;
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://app.example.com");
    let headers = allowed.headers["access-control-allow-headers"].to_str().unwrap();
    assert!(headers.contains("authorization") && headers.contains("idempotency-key") && !allowed.headers.contains_key("access-control-allow-credentials"));
    assert!(allowed.headers["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    for origin in ["https://evil.example", "https://app.example.com.evil.example", "null"] {
        assert!(!ask(&rest, origin).await.headers.contains_key("access-control-allow-origin"), "{origin}");
    }
    let rest = Rest::over(rest.world, "https://x.example");
    let none = ask(&rest, "https://app.example.com").await;
    assert!(none.status == StatusCode::METHOD_NOT_ALLOWED && !none.headers.contains_key("access-control-allow-origin"), "{}", none.status);
}

/// Without a token of Twilio's nothing can be checked: that is our fault, not the sender's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_without_a_token_to_check_them_by() {
    let world = World::new(Options::default()).await;
    let rest = Rest::built(world, "https://x.example", |api| api.twilio = Signatures::new(Vec::new(), &["https://x.example".into()]));
    for path in ["/api/v1/outbound-calls/status-callback", "/api/v1/livekit/room/dd-1"] {
        let answer = send(&rest.router, Request::post(path).header("x-twilio-signature", "x").body(Body::from("CallSid=CA1")).unwrap()).await;
        assert_eq!(code(&answer), (503, "unavailable".into()), "{path}");
        assert!(answer.body.contains("TWILIO_AUTH_TOKEN"), "{}", answer.body);
    }
}

/// Behind a proxy each client has its own count, whatever it writes of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_behind_a_proxy_are_counted_by_its_word() {
    let proxies = || Proxies::parse("127.0.0.1", "x-forwarded-for").unwrap();
    let world = World::new(Options::default()).await;
    let rest = Rest::built(world, "https://x.example", |api| {
        api.edges = Edges::new(proxies(), &[]).into();
        // Longer than a busy machine takes for all that follows.
        api.limits = "per_peer=2, body=300".parse().unwrap();
    });
    let served = Served::start(&rest, "per_peer=2", proxies()).await;
    let head = |client: &str| {
        format!(
            "POST /api/v1/do-not-call HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
            rest.token
        )
    };
    let ask = async |client: &str| served.say(&format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\nconnection: close\r\n\r\n")).await;
    // Two requests of one client whose bodies do not come.
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = served.open().await;
        stream.write_all(head("203.0.113.9").as_bytes()).await.unwrap();
        // Its body is waited for: it is counted. Before that the third might take its place.
        let mut go_on = [0; 12];
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100");
        held.push(stream);
    }
    assert_eq!(status(&ask("203.0.113.9").await), 429, "the third");
    assert_eq!(status(&ask("198.51.100.1, 203.0.113.9").await), 429, "what stands before it anybody may write");
    assert_eq!(status(&ask("203.0.113.10").await), 200);
    assert_eq!(status(&ask("203.0.113.9, 198.51.100.1").await), 200);
    // From here a request may be anybody's, whatever it lacks.
    let metrics = served.say("GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&metrics), 401, "{metrics}");
    drop(held);
    until("its place to be free", Duration::from_secs(15), async || status(&ask("203.0.113.9").await) == 200).await;
}

/// A peer that asks and does not read is let go; one connection for all makes it seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_is_let_go() {
    let rest = rest().await;
    let served = Served::start(&rest, "connections=1, write=1", Proxies::default()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = socket.connect(served.address).await.unwrap();
    let ask = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    // Both ways fill, then the listener waits for a reader, then no longer.
    let let_go = tokio::time::timeout(Duration::from_secs(30), async { while deaf.write_all(ask.as_bytes()).await.is_ok() {} }).await;
    assert!(let_go.is_ok(), "it is heard for ever");
    until("the place of the deaf one", Duration::from_secs(20), async || status(&served.say("GET /healthz HTTP/1.0\r\n\r\n").await) == 200).await;
}

/// Its names, by the text that Prometheus reads.
fn names_of(text: &str) -> HashMap<String, f64> {
    let samples = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    samples.map(|l| l.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap())).unwrap()).collect()
}

async fn scrape(rest: &Rest) -> HashMap<String, f64> {
    names_of(&get(rest, "/metrics", &[]).await.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_for_admins_and_for_this_machine() {
    let rest = rest().await;
    let served = Served::start(&rest, "", Proxies::default()).await;
    let ask = async |header: &str| status(&served.say(&format!("GET /metrics HTTP/1.1\r\nhost: x\r\n{header}connection: close\r\n\r\n")).await);
    assert_eq!(ask("").await, 200);
    for header in ["x-forwarded-for: 203.0.113.9\r\n", "forwarded: for=203.0.113.9\r\n", "x-real-ip: 203.0.113.9\r\n", "via: 1.1 x\r\n"] {
        assert_eq!(ask(header).await, 401, "{header}");
    }
    assert_eq!(ask(&format!("x-forwarded-for: 203.0.113.9\r\nauthorization: Bearer {}\r\n", rest.token)).await, 200);
    let supervisor = rest.mint(OwnerId::fresh(), Role::Supervisor);
    assert_eq!(call(&rest.router, "GET", "/metrics", &supervisor, None).await.status, StatusCode::FORBIDDEN);
    // From nowhere on this machine, without a token.
    let nobody = send(&rest.router, Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
}

/// What is counted is what happened: a campaign's books, the listener's, and the alerts' names among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_say_what_happened() {
    let mut rest = rest().await;
    let campaign = rest.world.running(csv_of(40), |_| {}).await;
    rest.world.until_completed(campaign, Duration::from_mins(1)).await;
    // From here on by hand.
    rest.world.crash_engine().await;
    for _ in 0..3 {
        send(&rest.router, Request::post("/api/v1/livekit/webhook").body(Body::from("{}")).unwrap()).await;
    }
    let form = vec![("CallSid".to_owned(), "CA1".to_owned()), ("CallStatus".to_owned(), "ringing".to_owned())];
    let target = "/api/v1/outbound-calls/status-callback";
    let signature = dialdeck::telephony::twilio::sign("tok", &format!("https://x.example{target}"), &form);
    let request = Request::post(target).header("x-twilio-signature", signature).body(Body::from("CallSid=CA1&CallStatus=ringing")).unwrap();
    assert_eq!(send(&rest.router, request).await.status, StatusCode::NO_CONTENT);
    turned_away_by_the_kill_switch(&rest).await;
    let (row, seen) = (rest.world.row(campaign).await, scrape(&rest).await);
    let counts = row.counts;
    // A call that the trunk refused is dialled anew.
    let dials = i64::try_from(rest.world.calls(campaign).await.iter().filter(|c| c.armed_at.is_some()).count()).unwrap();
    assert!(dials >= 40);
    let is = |name: &str| seen.get(name).copied().unwrap_or_else(|| panic!("{name} is not among {:?}", seen.keys()));
    #[expect(clippy::cast_precision_loss, reason = "a test's counts are small")]
    for (name, want) in [
        ("dialdeck_dials_total", dials),
        ("dialdeck_arm_seconds_count", dials),
        ("dialdeck_calls_dialled", counts.dials),
        ("dialdeck_calls_answered", counts.pickups),
        ("dialdeck_talk_seconds", counts.talk_seconds),
        ("dialdeck_calls{state=\"completed\"}", counts.completed),
        ("dialdeck_calls{state=\"busy\"}", counts.busy),
        ("dialdeck_calls{state=\"pending\"}", 1),
        ("dialdeck_results{result=\"untagged\"}", counts.untagged),
        ("dialdeck_queue_calls", 1),
        ("dialdeck_campaigns{state=\"completed\"}", 1),
        ("dialdeck_webhooks_total{source=\"livekit\",result=\"unsigned\"}", 3),
        ("dialdeck_webhooks_total{source=\"twilio\",result=\"kept\"}", 1),
        ("dialdeck_webhook_lag_seconds_count{source=\"twilio\"}", 1),
        ("dialdeck_http_requests_total{class=\"4xx\"}", 3),
        ("dialdeck_gate_refusals_total{gate=\"kill_switch\"}", 1),
        ("dialdeck_kill_switch", 1),
        ("dialdeck_ready", 1),
    ] {
        assert!((is(name) - want as f64).abs() < 0.5, "{name} is {}, not {want}", is(name));
    }
    every_alert_names_what_is_there(&seen);
}

/// One call claimed, and refused at the last gate.
async fn turned_away_by_the_kill_switch(rest: &Rest) {
    let w = &rest.world;
    let (source, _) = w.import("name,phone\nJane,+13035550142\n".into()).await;
    let campaign = w.campaign(source, |_| {}).await;
    w.desk.start(w.actor.clone(), campaign).await.unwrap();
    let incarnation = w.store.setting(dialdeck::store::Setting::Leader).await.unwrap().map_or_else(Incarnation::fresh, |l| l.parse().unwrap());
    let outgoing = w.store.outgoing(w.assistant).await.unwrap().unwrap().into();
    let zones = w.store.zone_heads(campaign).await.unwrap().into_iter().map(|h| h.zones).collect();
    let request = ClaimRequest { campaign: w.row(campaign).await.into(), outgoing, zones, limit: 1, incarnation, lease: chrono::Duration::hours(1) };
    let claimed = w.desk.claim(w.installation, request).await.unwrap().ready.remove(0);
    w.desk.kill_switch(w.actor.clone(), true).await.unwrap();
    assert!(matches!(w.desk.arm(claimed, incarnation).await.unwrap(), Err(Refused::Gate(_))));
}

/// An alert over a name that is not there never fires.
fn every_alert_names_what_is_there(seen: &HashMap<String, f64>) {
    let rules = include_str!("../../monitoring/alerts.yml");
    let bare: HashSet<&str> = seen.keys().map(|k| k.split('{').next().unwrap()).collect();
    assert!(bare.contains("dialdeck_webhook_lag_seconds_bucket"), "{bare:?}");
    let mut named = HashSet::new();
    for line in rules.lines().filter(|l| l.trim_start().starts_with("expr:")) {
        let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        named.extend(words.filter(|w| w.starts_with("dialdeck_")));
    }
    assert!(named.len() >= 12, "{named:?}");
    let missing: Vec<_> = named.iter().filter(|n| !bare.contains(**n)).collect();
    assert!(missing.is_empty(), "{missing:?} are not among {bare:?}");
}

/// Clients as slowhttptest has them: idle, a slow head, a slow body, and one that reads nothing.
async fn slow_client(address: SocketAddr, kind: usize, token: String, stop: CancellationToken) {
    let act = async {
        loop {
            let Ok(mut stream) = TcpStream::connect(address).await else { break };
            let request = match kind {
                0 => String::new(),
                1 => "GET /api/v1/campaigns HTTP/1.1\r\nhost: x\r\nx-a: ".to_owned(),
                2 => format!(
                    "POST /api/v1/campaigns HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n{{"
                ),
                _ => format!("GET /api/v1/campaigns HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n").repeat(50),
            };
            drop(stream.write_all(request.as_bytes()).await);
            let mut tick = tokio::time::interval(Duration::from_millis(300));
            // Until it is let go; then it comes again.
            loop {
                tick.tick().await;
                let drip: &[u8] = if matches!(kind, 1 | 2) { b"x" } else { b"" };
                let gone = match kind {
                    0..3 => stream.write_all(drip).await.is_err() || matches!(stream.try_read(&mut [0; 64]), Ok(0)),
                    _ => stream.try_write(b"x").is_err_and(|e| e.kind() != std::io::ErrorKind::WouldBlock),
                };
                if gone {
                    break;
                }
            }
        }
    };
    tokio::select! {
        () = act => {}
        () = stop.cancelled() => {}
    }
}

/// Hundreds of slow clients cost the listener's places, not a single dial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_do_not_disturb_a_running_campaign() {
    let mut rest = Rest::new().await;
    let served = Served::start(&rest, "connections=300, header=2, body=2, write=2", Proxies::default()).await;
    let stop = CancellationToken::new();
    let clients: Vec<_> = (0..400).map(|i| tokio::spawn(slow_client(served.address, i % 4, rest.mint(OwnerId::fresh(), Role::Admin), stop.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let campaign = rest.world.running(csv_of(200), |_| {}).await;
    rest.world.until_completed(campaign, Duration::from_mins(2)).await;
    let dialled: HashSet<_> = rest.world.calls(campaign).await.into_iter().filter(|c| c.armed_at.is_some()).map(|c| c.phone_number).collect();
    assert_eq!(dialled.len(), 200, "everybody was called");
    // Somebody who behaves is served still.
    let token = rest.token.clone();
    let ask = format!("GET /api/v1/campaigns HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    until("a place among them", Duration::from_secs(20), async || status(&served.say(&ask).await) == 200).await;
    stop.cancel();
    for client in clients {
        client.await.unwrap();
    }
}

/// Calls asked for one by one have a bucket of their own, an owner's.
#[test]
fn single_calls_are_counted_by_owner() {
    let buckets = dialdeck::api::Buckets::new("initiate=3".parse::<Limits>().unwrap());
    let (one, other) = (OwnerId::fresh(), OwnerId::fresh());
    let asked: Vec<bool> = (0..5).map(|_| buckets.initiate(one).is_ok()).collect();
    assert_eq!(asked, [true, true, true, false, false]);
    assert!(buckets.initiate(other).is_ok());
}
