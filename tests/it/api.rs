//! The REST listener from outside: requests into the router, answers and rows out.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use chrono::{DateTime, Duration, Utc};
use dialdeck::{
    api::{Auth, Buckets, Defaults, Parts, Role, router},
    config::{Limits, Proxies, Secret},
    domain::{
        call::State,
        event::{CallEvent, End, Kind, Lost, Reply, Source, Target},
        id::{CallId, Incarnation, OwnerId},
    },
    provision::OwnTrunk,
    telephony::{livekit::WebhookKeys, simulator::Behaviour, twilio::Signatures},
};
use serde_json::{Value, json};

use crate::support::{
    Options, World, fictional,
    http::{Answer, call, send},
};

pub struct Rest {
    pub world: World,
    pub router: Router,
    pub auth: Arc<Auth>,
    pub token: String,
}

impl Rest {
    pub async fn new() -> Self {
        Self::over(World::new(Options::default()).await, "https://x.example")
    }

    /// The listener over a world, reached from outside at `public`.
    pub fn over(world: World, public: &str) -> Self {
        Self::built(world, public, |_| {})
    }

    /// The same, configured otherwise.
    pub fn built(world: World, public: &str, change: impl FnOnce(&mut Parts)) -> Self {
        let auth = Arc::new(Auth::new(Secret::new("a-secret-of-the-test"), "authenticated".into(), String::new(), Role::Supervisor));
        let mut api = Parts {
            desk: world.desk.clone(),
            clock: world.clock.clone(),
            auth,
            carrier: Some(world.carrier.clone()),
            livekit_keys: WebhookKeys::new(vec![("k".into(), "s".into())]),
            twilio: Signatures::new(vec!["tok".into(), "simulated-twilio-auth-token".into()], &[public.into()]),
            sip_host: "sip.example".into(),
            ready: tokio::sync::watch::Sender::new(true).subscribe(),
            provision: world.provision(OwnTrunk::default()),
            limits: Limits::default(),
            buckets: Arc::new(Buckets::new(Limits::default())),
            edges: Arc::default(),
            defaults: Defaults { timezone: "America/New_York".parse().unwrap(), region: Some("US".into()), default_number: None },
        };
        change(&mut api);
        let mut rest = Self { auth: api.auth.clone(), router: router(api), token: String::new(), world };
        rest.token = rest.mint(rest.world.actor.owner, Role::Admin);
        rest
    }

    pub fn mint(&self, owner: OwnerId, role: Role) -> String {
        // Tokens live by the host's clock, the rows by the world's.
        let until = dialdeck::clock::Clock::now(&dialdeck::clock::SystemClock::new()) + Duration::hours(1);
        let call = (role == Role::Agent).then(|| CallId(uuid::Uuid::now_v7()));
        self.auth.mint(owner, role, until, call).unwrap()
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        call(&self.router, method, &format!("/api/v1{path}"), &self.token, body).await
    }

    /// A request to the simulated Twilio's list of calls.
    pub async fn twilio(&self, method: &str, form: &str) -> Value {
        use base64::Engine;
        let account = "AC00000000000000000000000000000001";
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{account}:simulated-twilio-auth-token"));
        let path = format!("/2010-04-01/Accounts/{account}/Calls.json");
        let (_, body) = crate::support::http::request(&self.world.simulator.url(), method, &path, &format!("Basic {login}"), form).await;
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"))
    }

    pub async fn upload(&self, csv: &str) -> Answer {
        let body = format!(
            "--b\r\ncontent-disposition: form-data; name=\"region\"\r\n\r\nUS\r\n--b\r\ncontent-disposition: form-data; name=\"csvFile\"; filename=\"leads.csv\"\r\n\r\n{csv}\r\n--b--\r\n"
        );
        let request = Request::post("/api/v1/csv/upload")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "multipart/form-data; boundary=b");
        send(&self.router, request.body(Body::from(body)).unwrap()).await
    }
}

fn event(call: CallId, at: DateTime<Utc>) -> CallEvent {
    CallEvent { key: String::new(), target: Target::Call(call), source: Source::Engine, at, kind: Kind::Other { what: String::new() }, raw: Value::Null }
}

pub fn code(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_an_upload_to_a_running_campaign_and_a_tagged_call() {
    let mut rest = Rest::new().await;
    let made = rest.call("POST", "/assistants", Some(json!({ "name": "Olga", "prompt": "Hello {name}" }))).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let assistant = made.json()["assistant"]["id"].clone();
    let assign = json!({ "phoneNumber": "+15550001111", "assistantId": assistant, "address": "trunk.example" });
    // A slip of the pen must not become a trunk without encryption.
    let mut slip = assign.clone();
    slip["transport"] = json!("tsl");
    assert_eq!(code(&rest.call("POST", "/phone-numbers/assign", Some(slip)).await), (422, "unprocessable".into()));
    // Several at once, then again: LiveKit's create is not idempotent.
    let post = || rest.call("POST", "/phone-numbers/assign", Some(assign.clone()));
    let (assigned, ..) = tokio::join!(post(), post(), post(), post(), post(), post());
    assert_eq!(assigned.status, StatusCode::OK, "{}", assigned.body);
    let again = post().await;
    assert_eq!(again.json()["trunk"]["outboundTrunkId"], assigned.json()["trunk"]["outboundTrunkId"], "adopted, not made twice");
    let trunks = rest.call("GET", "/livekit/outbound-calls/trunks", None).await.json();
    let made: Vec<_> = trunks["trunks"].as_array().unwrap().iter().filter(|t| t["numbers"][0] == "+15550001111").collect();
    assert!(made.len() == 1 && made[0]["owned"] == true && made[0]["address"] == "trunk.example", "one trunk, ours: {trunks}");
    let upload = rest.upload(&format!("name,phone\nJane,{}\nJane again,{}\nNobody,12\n", fictional(1), fictional(1))).await;
    assert_eq!(upload.status, StatusCode::CREATED, "{}", upload.body);
    let upload = upload.json();
    assert_eq!((&upload["contactCount"], &upload["report"]["duplicate"], &upload["report"]["invalid"]), (&json!(1), &json!(1), &json!(1)));
    let campaign = json!({
        "name": "Q4 Sales Outreach", "assistantId": assistant, "contactSource": "csv_file", "csvFileId": upload["csvFileId"], "dailyCap": 100,
        "callingDays": ["monday", "tuesday", "wednesday", "thursday", "friday"], "startHour": 9, "endHour": 17, "retry": { "maxAttempts": 1 },
        "campaignPrompt": "Hello {name}, this is Sarah from Acme Corp.",
    });
    let made = rest.call("POST", "/campaigns", Some(campaign)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.json()["campaign"]["id"].as_str().unwrap().to_owned();
    let started = rest.call("POST", &format!("/campaigns/{id}/start"), None).await;
    assert_eq!((started.status, &started.json()["preflight"]["dialable_now"]), (StatusCode::OK, &json!(1)), "{}", started.body);
    assert_eq!(code(&rest.call("POST", &format!("/campaigns/{id}/start"), None).await), (409, "refused".into()));
    // Only now: an engine may claim the one contact before the answer counts who is dialable.
    rest.world.start_engine();
    rest.world.until_completed(id.parse().unwrap(), std::time::Duration::from_mins(1)).await;
    let status = rest.call("GET", &format!("/campaigns/{id}/status"), None).await.json();
    assert_eq!((&status["campaign"]["execution_status"], &status["campaign"]["dials"]), (&json!("completed"), &json!(1)), "{status}");
    let calls = rest.call("GET", &format!("/campaigns/{id}/calls?limit=10"), None).await.json();
    assert_eq!(calls["total"], 1);
    let call = calls["calls"][0]["id"].as_str().unwrap().to_owned();
    let tagged = rest.call("PUT", &format!("/outbound-calls/{call}/outcome"), Some(json!({ "outcome": "do_not_call", "notes": "asked" }))).await;
    assert_eq!((tagged.status, &tagged.json()["call"]["outcome"]), (StatusCode::OK, &json!("do_not_call")), "{}", tagged.body);
    let stats = rest.call("GET", &format!("/outbound-calls/campaign/{id}/stats"), None).await.json();
    assert_eq!(stats["stats"]["doNotCall"], 1);
    assert_eq!(code(&rest.call("POST", &format!("/outbound-calls/{call}/hangup"), None).await), (409, "refused".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_and_what_is_wrong() {
    let rest = Rest::new().await;
    let none = send(&rest.router, Request::get("/api/v1/campaigns").body(Body::empty()).unwrap()).await;
    assert_eq!(code(&none), (401, "unauthenticated".into()));
    let bad = call(&rest.router, "GET", "/api/v1/campaigns", "not.a.token", None).await;
    assert_eq!(code(&bad), (401, "unauthenticated".into()));
    let viewer = rest.mint(rest.world.actor.owner, Role::Viewer);
    let denied = call(&rest.router, "POST", "/api/v1/campaigns", &viewer, Some(json!({}))).await;
    assert_eq!(code(&denied), (403, "forbidden".into()));
    let cases = [
        ("POST", "/campaigns", Some(json!({ "nme": "x" })), 400, "invalid_request"),
        ("POST", "/campaigns", Some(json!({ "name": "x", "dailyCap": 0, "callingDays": ["funday"] })), 422, "unprocessable"),
        ("GET", "/campaigns/not-an-id", None, 404, "not_found"),
        ("GET", "/nothing", None, 404, "not_found"),
        ("GET", "/campaigns?status=sleeping", None, 422, "unprocessable"),
        ("PUT", "/outbound-calls/00000000-0000-0000-0000-000000000000/outcome", Some(json!({ "outcome": "interested" })), 404, "not_found"),
        ("POST", "/phone-numbers/assign", Some(json!({ "phoneNumber": "12", "assistantId": "x" })), 422, "unprocessable"),
    ];
    for (method, path, body, status, word) in cases {
        assert_eq!(code(&rest.call(method, path, body).await), (status, word.to_owned()), "{method} {path}");
    }
    let fields = rest.call("POST", "/campaigns", Some(json!({ "name": "x", "dailyCap": 0, "callingDays": ["funday"] }))).await.json();
    let named: Vec<&str> = fields["details"].as_array().unwrap().iter().filter_map(|d| d["field"].as_str()).collect();
    assert_eq!(named, ["callingDays", "assistantId", "contactListId", "dailyCap"], "every field at once");
}

/// P15: another owner's rows are not there, whatever is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_another_owners_rows_are_not_there() {
    let rest = Rest::new().await;
    let (source, _) = rest.world.import(crate::support::csv_of(1)).await;
    let id = rest.world.campaign(source, |_| {}).await;
    let stranger = rest.mint(OwnerId::fresh(), Role::Admin);
    for (method, path) in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/stop"), ("GET", "/status"), ("GET", "/calls")] {
        let answer = call(&rest.router, method, &format!("/api/v1/campaigns/{id}{path}"), &stranger, None).await;
        assert_eq!(code(&answer), (404, "not_found".into()), "{method} {path}");
    }
    let list = call(&rest.router, "GET", "/api/v1/campaigns", &stranger, None).await.json();
    assert_eq!(list["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_signed_or_refused() {
    let rest = Rest::new().await;
    let unsigned = send(&rest.router, Request::post("/api/v1/livekit/webhook").body(Body::from("{}")).unwrap()).await;
    assert_eq!(code(&unsigned), (403, "forbidden".into()));
    let form = vec![("CallSid".to_owned(), "CA1".to_owned()), ("CallStatus".to_owned(), "ringing".to_owned())];
    let target = "/api/v1/outbound-calls/status-callback";
    let signature = dialdeck::telephony::twilio::sign("tok", &format!("https://x.example{target}"), &form);
    let post = |signature: &str| {
        Request::post(target)
            .header("x-twilio-signature", signature)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("CallSid=CA1&CallStatus=ringing"))
            .unwrap()
    };
    assert_eq!(send(&rest.router, post(&signature)).await.status, StatusCode::NO_CONTENT, "an unknown CallSid is stored and answered");
    assert_eq!(send(&rest.router, post("wrong")).await.status, StatusCode::FORBIDDEN);
    let room = "/api/v1/livekit/room/{roomName}".replace("{roomName}", "%7BroomName%7D");
    let signature = dialdeck::telephony::twilio::sign("tok", &format!("https://x.example{room}"), &form);
    let request = Request::post(&room).header("x-twilio-signature", signature).body(Body::from("CallSid=CA1&CallStatus=ringing")).unwrap();
    let twiml = send(&rest.router, request).await;
    assert!(twiml.body.contains("<Sip>sip:in-CA1@sip.example</Sip>"), "{}", twiml.body);
}

/// A leg that Twilio makes by REST, not over the trunk, tells of itself by signed callbacks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_programmable_voice_leg_is_followed_by_its_signed_callbacks() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public = format!("http://{}", listener.local_addr().unwrap());
    let world = World::new(Options { speed: 4.0, behaviour: Behaviour::Digits, ..Options::default() }).await;
    let rest = Rest::over(world, &public);
    let router = rest.router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let w = &rest.world;
    let (source, _) = w.import("name,phone\nJane,+12025550142\nJoe,+12025550143\n".into()).await;
    let campaign = w.campaign(source, |_| {}).await;
    w.desk.start(w.actor.clone(), campaign).await.unwrap();
    for (to, state, seconds) in [("+12015550202", State::Completed, 3), ("+12015550486", State::Busy, 0)] {
        let (call, _) = w.arm_next(campaign, Incarnation::fresh()).await;
        let form = format!(
            "To=%2B{}&From=%2B15550009999&Url=x&StatusCallback={public}/api/v1/outbound-calls/status-callback%23rc=5&StatusCallbackEvent=initiated&StatusCallbackEvent=ringing&StatusCallbackEvent=answered&StatusCallbackEvent=completed",
            &to[1..]
        );
        let made = rest.twilio("POST", &form).await;
        let sid = made["sid"].as_str().unwrap().to_owned();
        let leg = Kind::Leg { status: None, sid: "PA_1".into(), call_sid: Some(sid.clone()), polled: true };
        let seen = CallEvent { key: format!("test:{call}"), target: Target::Call(call), source: Source::Poll, at: w.clock.now(), kind: leg, raw: Value::Null };
        w.desk.record(seen).await.unwrap();
        let row = || async { w.store.any_call(call).await.unwrap().unwrap() };
        // The engine's own request is not outstanding here: a callback may end the call.
        w.desk.record(CallEvent { key: format!("lost:{call}"), kind: Kind::ReplyLost { cause: Lost::NoReply }, ..event(call, w.clock.now()) }).await.unwrap();
        w.until("the callbacks", std::time::Duration::from_secs(10), || async { row().await.state.is_ended() }).await;
        // The carrier counts begun seconds.
        let lasted = row().await.call_duration - seconds;
        assert!(row().await.state == state && (0..=1).contains(&lasted), "{:?}", row().await);
        let told = w.store.timeline(call).await.unwrap().iter().filter(|e| e.source == Source::Twilio).count();
        assert!(told >= 2, "{told} callbacks");
        let listed = rest.twilio("GET", "").await;
        assert_eq!(listed["calls"][0]["sid"], sid);
    }
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_answers_the_same() {
    let rest = Rest::new().await;
    let upload = |csv: &'static str, key: &'static str| {
        let body = format!("--b\r\ncontent-disposition: form-data; name=\"csvFile\"; filename=\"leads.csv\"\r\n\r\n{csv}\r\n--b--\r\n");
        let request = Request::post("/api/v1/csv/upload")
            .header("authorization", format!("Bearer {}", rest.token))
            .header("content-type", "multipart/form-data; boundary=b")
            .header("idempotency-key", key);
        send(&rest.router, request.body(Body::from(body)).unwrap())
    };
    let first = upload("name,phone\nJane,+12025550142\n", "monday").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let again = upload("name,phone\nJane,+12025550142\n", "monday").await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(code(&upload("name,phone\nJoe,+12025550143\n", "monday").await), (409, "conflict".into()));
    let files = rest.call("GET", "/csv", None).await.json();
    assert_eq!(files["total"], 1, "imported once: {files}");
    // A start that is sent again says what it said, where a second start would be refused.
    let source = first.json()["csvFileId"].as_str().unwrap().parse().unwrap();
    let campaign = rest.world.campaign(source, |_| {}).await;
    let start = |key: Option<&'static str>| {
        let mut request = Request::post(format!("/api/v1/campaigns/{campaign}/start")).header("authorization", format!("Bearer {}", rest.token));
        request = if let Some(key) = key { request.header("idempotency-key", key) } else { request };
        send(&rest.router, request.body(Body::empty()).unwrap())
    };
    let (one, two) = (start(Some("go")).await, start(Some("go")).await);
    assert_eq!((one.status, &one.body), (StatusCode::OK, &two.body));
    assert_eq!(start(None).await.status, StatusCode::CONFLICT);
    assert_eq!(code(&start(Some("monday")).await), (409, "conflict".into()), "a key of another request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_listener_bears_what_it_says() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut rest = Rest::new().await;
    // What the web framework refuses by itself is in our words too.
    let big = format!("{{\"name\": \"{}\"}}", "x".repeat(300 << 10));
    let request = Request::post("/api/v1/campaigns").header("authorization", format!("Bearer {}", rest.token)).header("content-type", "application/json");
    assert_eq!(code(&send(&rest.router, request.body(Body::from(big)).unwrap()).await), (413, "too_large".into()));
    assert_eq!(code(&rest.call("GET", "/campaigns?limit=many", None).await), (400, "invalid_request".into()));
    let request = Request::post("/api/v1/csv/upload").header("authorization", format!("Bearer {}", rest.token));
    assert_eq!(code(&send(&rest.router, request.body(Body::from("x")).unwrap()).await), (415, "unsupported_media".into()));
    // Too quick a token is told when to come back; another's is not.
    let mut refused = None;
    for _ in 0..400 {
        let answer = rest.call("GET", "/phone-numbers", None).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
    }
    assert_eq!(code(&refused.expect("a burst of 200")), (429, "rate_limited".into()));
    rest.token = rest.mint(OwnerId(uuid::Uuid::new_v4()), Role::Viewer);
    assert_eq!(rest.call("GET", "/phone-numbers", None).await.status, StatusCode::OK);
    // A head that does not end, and one connection too many.
    let limits: Limits = "connections=2, header=1".parse().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), tokio_util::sync::CancellationToken::new());
    let serving = tokio::spawn(dialdeck::api::serve(listener, rest.router.clone(), limits, Proxies::default(), stop.clone()));
    let open = || async {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        stream
    };
    let (mut slow, mut other, mut third) = (open().await, open().await, open().await);
    let mut end = Vec::new();
    // Closed with a request unread: an end or a reset.
    drop(tokio::time::timeout(std::time::Duration::from_millis(500), third.read_to_end(&mut end)).await.expect("closed at once"));
    assert!(end.is_empty());
    other.write_all(b"\r\n").await.unwrap();
    let mut answer = [0; 12];
    other.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let started = std::time::Instant::now();
    drop(tokio::time::timeout(std::time::Duration::from_secs(5), slow.read_to_end(&mut end)).await.expect("closed by the head's time-out"));
    assert!(started.elapsed() < std::time::Duration::from_secs(4));
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promised_callback_is_answered_with_its_moment_and_outlives_a_stop() {
    let rest = Rest::new().await;
    let w = &rest.world;
    let (source, _) = w.import("name,phone\nJane,+12125550142\nJoe,+12125550143\n".into()).await;
    let campaign = w.campaign(source, |_| {}).await;
    w.desk.start(w.actor.clone(), campaign).await.unwrap();
    let (id, _) = w.arm_next(campaign, Incarnation::fresh()).await;
    let answered = Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() };
    for (key, kind) in [("a", Kind::Reply(answered)), ("b", Kind::LegGone { proven: true })] {
        w.desk.record(CallEvent { key: key.into(), kind, ..event(id, w.clock.now()) }).await.unwrap();
    }
    // Three at night in New York, the next day.
    let path = format!("/outbound-calls/{id}/outcome");
    let told = rest.call("PUT", &path, Some(json!({ "outcome": "callback", "callbackAt": "2026-11-19T08:00:00Z" }))).await.json();
    assert_eq!(told["callbackAt"], "2026-11-19T13:00:00Z", "{told}");
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("to be called Thu 2026-11-19 08:00 EST, not Thu 2026-11-19 03:00 EST: the law is closed then"), "{message}");
    let stop = || async { rest.call("POST", &format!("/campaigns/{campaign}/stop"), None).await.json() };
    let stopped = stop().await;
    assert_eq!(stopped["brokenPromises"], 1, "{stopped}");
    assert!(stopped["message"].as_str().unwrap().contains("not kept: 1 promised callback: Jane "), "{stopped}");
    let recycled = rest.call("POST", &format!("/campaigns/{campaign}/recycle"), Some(json!({ "results": ["callback"] }))).await.json();
    assert_eq!((&recycled["queued"], &recycled["campaign"]["execution_status"]), (&json!(1), &json!("running")), "{recycled}");
    assert_eq!(stop().await["brokenPromises"], 1);
    assert_eq!(rest.call("POST", &format!("/campaigns/{campaign}/start"), None).await.status, StatusCode::OK);
    assert_eq!(stop().await["brokenPromises"], 1);
    // A tag that promises nothing names no moment.
    assert_eq!(rest.call("PUT", &path, Some(json!({ "outcome": "interested" }))).await.json()["callbackAt"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_do_not_call_list_the_kill_switch_and_the_terms() {
    let rest = Rest::new().await;
    let w = &rest.world;
    let supervisor = rest.mint(w.actor.owner, Role::Supervisor);
    let as_supervisor = |method: &'static str, path: &'static str| call(&rest.router, method, path, &supervisor, None);
    let (source, _) = w.import("name,phone\nJane,+12025550142\nJoe,+12025550143\nMei,+12025550144\n".into()).await;
    let campaign = w.campaign(source, |s| s.retry.max_attempts = 2).await;
    w.desk.start(w.actor.clone(), campaign).await.unwrap();
    // P6: once the write has returned, nothing of that number is armed.
    let added = rest.call("POST", "/do-not-call", Some(json!({ "number": "(202) 555-0142", "reason": "asked by mail" }))).await;
    assert_eq!((added.status, &added.json()["number"]), (StatusCode::CREATED, &json!("+12025550142")));
    let waiting = w.calls(campaign).await.into_iter().find(|c| c.phone_number == "+12025550142").unwrap();
    assert_eq!(waiting.state, State::Canceled);
    let form = "--b\r\ncontent-disposition: form-data; name=\"national\"\r\n\r\ntrue\r\n--b\r\ncontent-disposition: form-data; name=\"asOf\"\r\n\r\n2026-11-17\r\n--b\r\ncontent-disposition: form-data; name=\"csvFile\"; filename=\"dnc.txt\"\r\n\r\narea,number\n202,5550143\n\r\n--b--\r\n";
    let request = Request::post("/api/v1/do-not-call/import")
        .header("authorization", format!("Bearer {}", rest.token))
        .header("content-type", "multipart/form-data; boundary=b");
    let report = send(&rest.router, request.body(Body::from(form)).unwrap()).await;
    assert_eq!(report.json()["report"], json!({ "read": 1, "added": 1, "invalid": 0, "header": "area, number", "country": "US" }), "{}", report.body);
    let list = rest.call("GET", "/do-not-call", None).await.json();
    assert_eq!((&list["total"], &list["doNotCall"][0]["source"]), (&json!(2), &json!("national")));
    // Lifting is an admin's, with a reason.
    assert_eq!(code(&as_supervisor("DELETE", "/api/v1/do-not-call/+12025550142").await), (403, "forbidden".into()));
    assert_eq!(code(&rest.call("DELETE", "/do-not-call/+12025550142", None).await), (422, "unprocessable".into()));
    let lifted = rest.call("DELETE", "/do-not-call/+12025550142", Some(json!({ "reason": "a slip: another Jane" }))).await;
    assert_eq!(lifted.status, StatusCode::OK, "{}", lifted.body);
    // The kill switch.
    assert_eq!(as_supervisor("POST", "/api/v1/kill-switch").await.json()["killSwitch"]["on"], true);
    assert_eq!(rest.call("GET", &format!("/campaigns/{campaign}/status"), None).await.json()["campaign"]["why"]["gate"], "kill_switch");
    assert_eq!(code(&as_supervisor("DELETE", "/api/v1/kill-switch").await), (403, "forbidden".into()));
    assert_eq!(rest.call("DELETE", "/kill-switch", None).await.json()["killSwitch"]["on"], false);
    // Whoever was busy goes round again, inside the budget.
    let (busy, _) = w.arm_next(campaign, Incarnation::fresh()).await;
    let reply = Reply::Ended { end: End::Rejected, sip_code: Some(603), reason: "Decline".into() };
    w.desk.record(CallEvent { key: "a".into(), kind: Kind::Reply(reply), ..event(busy, w.clock.now()) }).await.unwrap();
    let path = format!("/campaigns/{campaign}/recycle");
    let recycle = |results: Value| rest.call("POST", &path, Some(json!({ "results": results })));
    assert_eq!(code(&recycle(json!(["rejected"])).await), (422, "unprocessable".into()));
    assert_eq!(code(&recycle(json!(["busy"])).await), (409, "refused".into()), "a decline is no busy line");
    // The terms.
    assert_eq!(rest.call("GET", "/terms", None).await.json()["accepted"], Value::Null);
    assert_eq!(code(&rest.call("POST", "/terms", Some(json!({ "name": " " }))).await), (422, "unprocessable".into()));
    assert_eq!(rest.call("POST", "/terms", Some(json!({ "name": "Ana Lima" }))).await.json()["accepted"]["name"], "Ana Lima");
    assert_eq!(rest.call("POST", "/terms", Some(json!({ "name": "Joe" }))).await.json()["accepted"]["name"], "Ana Lima", "once");
}
