//! The simulator against what a real LiveKit answered: each recording's scenario is replayed and
//! replies, statuses and webhooks are compared, and the replies to what was done in mid-call. Times are scaled;
//! track events are left out.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, body::Bytes, routing::post};
use dialdeck::{
    clock::{ScaledClock, SharedClock},
    telephony::simulator::{Faults, Reports, Simulator, SimulatorConfig, Workers},
};
use livekit_api::access_token::{AccessToken, SIPGrants, VideoGrants};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// How much faster than life, but for scenarios of a few milliseconds.
const SPEED: f64 = 10.0;
/// On a busy machine a quick replay meets other moments than the recording: what differs is played again, slower.
const SLOWER: [f64; 3] = [1.0, 4.0, 16.0];

fn folder() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/recorded");
    beside.is_dir().then_some(beside)
}

/// Scenarios the simulator does not claim, each for a reason.
const UNCLAIMED: &[&str] = &[];

struct Lab {
    simulator: Simulator,
    webhooks: Arc<Mutex<Vec<Value>>>,
    token: String,
    keys: (String, String),
    clock: SharedClock,
}

impl Lab {
    async fn start(faults: Faults, speed: f64) -> Self {
        let webhooks: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = webhooks.clone();
        let app = Router::new().route(
            "/",
            post(move |body: Bytes| async move {
                kept.lock().push(serde_json::from_slice(&body).unwrap());
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let clock: SharedClock = Arc::new(ScaledClock::from_now(speed));
        let config = SimulatorConfig {
            webhook_url: Some(url),
            faults,
            departure_timeout: Duration::from_secs(2),
            reports: Reports::Nothing,
            ..SimulatorConfig::by_digits()
        };
        let token = AccessToken::with_api_key(&config.api_key, &config.api_secret)
            .with_sip_grants(SIPGrants { admin: true, call: true })
            .with_grants(VideoGrants { room_create: true, room_list: true, room_admin: true, ..Default::default() })
            .to_jwt()
            .unwrap();
        let keys = (config.api_key.clone(), config.api_secret.clone());
        Self { simulator: Simulator::start(config, clock.clone()).await.unwrap(), webhooks, token, keys, clock }
    }

    /// A supervisor of a LiveKit client comes into the room, unseen and unheard.
    fn join(&self, room: &str, identity: &str) {
        let grants =
            VideoGrants { room_join: true, room: room.to_owned(), hidden: true, can_publish: Some(false), can_subscribe: Some(true), ..Default::default() };
        let token = AccessToken::with_api_key(&self.keys.0, &self.keys.1).with_identity(identity).with_grants(grants).to_jwt().unwrap();
        assert_eq!(self.simulator.join(&token).as_deref(), Ok(identity));
    }

    /// What a recording's driver did in mid-call, with its reply.
    async fn act(&self, what: &str, room: &str, dial: &Value, transfer_to: &str) -> Option<(u16, Value)> {
        let supervisor = json!({ "room": room, "identity": "supervisor" });
        let with = |key: &str, value: Value| {
            let mut body = supervisor.clone();
            body[key] = value;
            body
        };
        Some(match what {
            "TransferSIPParticipant" => {
                let body = json!({ "roomName": room, "participantIdentity": "callee", "transferTo": transfer_to, "ringingTimeout": "5s" });
                self.post("SIP", "TransferSIPParticipant", body).await
            }
            "dial the supervisor" => {
                let mut second = dial.clone();
                (second["sipCallTo"], second["participantIdentity"]) = ("+15550020100".into(), "supervisor".into());
                self.post("SIP", "CreateSIPParticipant", second).await
            }
            "RemoveParticipant supervisor" => self.post("RoomService", "RemoveParticipant", supervisor).await,
            w if w.starts_with("UpdateSubscriptions") => self.post("RoomService", "UpdateSubscriptions", supervisor).await,
            w if w.starts_with("UpdateParticipant") => {
                let permission = json!({ "canSubscribe": true, "canPublish": w.ends_with("true") });
                self.post("RoomService", "UpdateParticipant", with("permission", permission)).await
            }
            w if w.starts_with("MutePublishedTrack") => {
                let (_, here) = self.post("RoomService", "ListParticipants", json!({ "room": room })).await;
                let supervisor = here["participants"].as_array().unwrap().iter().find(|p| p["identity"] == "supervisor").unwrap();
                let mut body = with("trackSid", supervisor["tracks"][0]["sid"].clone());
                body["muted"] = w.ends_with("True").into();
                self.post("RoomService", "MutePublishedTrack", body).await
            }
            _ => return None,
        })
    }

    async fn post(&self, service: &str, method: &str, body: Value) -> (u16, Value) {
        let (status, text) =
            crate::support::http::post(&self.simulator.url(), &format!("/twirp/livekit.{service}/{method}"), &self.token, &body.to_string()).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn trunk(&self, name: &str) -> String {
        let address = match name {
            "trunk-name-unknown" => "nowhere.invalid",
            "trunk-refused-tcp" => "refused.example:5060",
            "trunk-silent-udp" => "silent.example:5060",
            _ => "callee.example:5060",
        };
        let login = if name == "trunk-refuses-credentials" { "u" } else { "" };
        let trunk = json!({ "trunk": { "name": "lab", "address": address, "numbers": ["+15550009999"], "authUsername": login } });
        self.post("SIP", "CreateSIPOutboundTrunk", trunk).await.1["sipTrunkId"].as_str().unwrap().to_owned()
    }

    async fn pass(&self, ms: i64) {
        self.clock.sleep_until(self.clock.now() + chrono::Duration::milliseconds(ms)).await;
    }

    /// On a busy machine what happens of itself comes later than in life: the driver acts when it has seen it.
    async fn until(&self, mut holds: impl FnMut() -> bool) {
        for _ in 0..2000 {
            if holds() {
                return;
            }
            self.pass(8).await;
        }
    }
}

/// What the recording's driver had seen of the callee by a moment.
fn seen_by(recording: &Value, ms: i64) -> Option<String> {
    let polls = recording["list_participants"].as_array()?;
    let before: Vec<Value> = polls.iter().filter(|p| p["ms"].as_i64().is_some_and(|at| at < ms)).cloned().collect();
    statuses(&before, "callee").pop()
}

/// The phones in a list of polls.
fn phones(polls: &[Value]) -> BTreeSet<String> {
    let all = polls.iter().flat_map(|p| p["participants"].as_array().into_iter().flatten());
    all.filter(|p| p["callStatus"].is_string()).filter_map(|p| p["identity"].as_str().map(str::to_owned)).collect()
}

/// The order of a phone's statuses in a list of polls, once each.
fn statuses(polls: &[Value], identity: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for poll in polls {
        for p in poll["participants"].as_array().into_iter().flatten().filter(|p| p["identity"] == identity) {
            if let Some(status) = p["callStatus"].as_str()
                && out.last().map(String::as_str) != Some(status)
            {
                out.push(status.to_owned());
            }
        }
    }
    out
}

/// Event, kind and reason of each webhook, tracks left out.
fn events<'a>(list: impl Iterator<Item = &'a Value>) -> Vec<String> {
    list.filter(|e| !e["event"].as_str().unwrap_or_default().starts_with("track_"))
        .map(|e| {
            let p = &e["participant"];
            let mut text = e["event"].as_str().unwrap_or_default().to_owned();
            for part in [&p["kind"], &p["disconnectReason"]] {
                if let Some(t) = part.as_str() {
                    text.push(' ');
                    text.push_str(t);
                }
            }
            if p["kind"] == "SIP" {
                text.push_str(&format!(" {}", p["attributes"]["sip.callStatus"].as_str().unwrap_or("-")));
            }
            text
        })
        .collect()
}

/// What differs however slowly it is played.
async fn differences(name: &str, recording: &Value) -> Vec<String> {
    let quick = if name.contains("ms-after-dial") { 1.0 } else { SPEED };
    let mut wrong = Vec::new();
    for slower in SLOWER {
        wrong = replay(name, recording, quick / slower).await;
        if wrong.is_empty() {
            break;
        }
    }
    wrong
}

/// Does what the recording's driver did, at its times.
async fn replay(name: &str, recording: &Value, speed: f64) -> Vec<String> {
    let workers = if name.starts_with("agent-") { Workers::Ready } else { Workers::Absent };
    let lab = Arc::new(Lab::start(Faults { workers, ..Faults::default() }, speed).await);
    let trunk = lab.trunk(name).await;
    let request = &recording["request"];
    let room = request["room_name"].as_str().unwrap().to_owned();
    if name == "no-sip-service" {
        lab.simulator.restart_sip(Duration::from_mins(10));
    }
    if name.starts_with("agent-") || name.starts_with("dispatch-") {
        lab.post("AgentDispatchService", "CreateDispatch", json!({ "agentName": "caller", "room": room, "metadata": "{}" })).await;
    }
    let dial_at = recording["dial_at_ms"].as_i64().unwrap();
    let transfer_to = if name == "transfer-bad-target" { "+15550000100" } else { "tel:+15550000100" };
    let mut dial = json!({
        "sipTrunkId": trunk, "sipCallTo": recording["number"], "roomName": room, "participantIdentity": "callee", "participantName": "Ada",
        "waitUntilAnswered": request["wait_until_answered"], "ringingTimeout": request["ringing_timeout"], "maxCallDuration": request["max_call_duration"],
    });
    let placed = {
        let (lab, dial) = (lab.clone(), dial.clone());
        tokio::spawn(async move { lab.post("SIP", "CreateSIPParticipant", dial).await })
    };
    let polls: Arc<Mutex<Vec<Value>>> = Arc::default();
    let poller = {
        let (lab, polls, room) = (lab.clone(), polls.clone(), room.clone());
        tokio::spawn(async move {
            loop {
                let (_, reply) = lab.post("RoomService", "ListParticipants", json!({ "room": room })).await;
                let people: Vec<Value> = reply["participants"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|p| json!({ "identity": p["identity"], "callStatus": p["attributes"]["sip.callStatus"] }))
                    .collect();
                polls.lock().push(json!({ "participants": people }));
                lab.pass(8).await;
            }
        })
    };
    let begun = lab.clock.now();
    let mut steps: Vec<(i64, String)> =
        recording["actions"].as_array().into_iter().flatten().map(|a| (a["ms"].as_i64().unwrap() - dial_at, a["what"].as_str().unwrap().to_owned())).collect();
    // What ended the recording, when no action of its own did.
    if let Some(last) = recording["webhooks"].as_array().and_then(|w| w.iter().find(|e| e["body"]["participant"]["disconnectReason"] == "ROOM_DELETED")) {
        let at = last["ms"].as_i64().unwrap() - dial_at;
        if !steps.iter().any(|(_, w)| w.contains("DeleteRoom")) || name.starts_with("delete-room-1") {
            steps.push((at - 10, "DeleteRoom".into()));
        }
    }
    // Who came by token did so without a request of the driver's.
    for (event, step) in [("participant_joined", "join "), ("participant_left", "part ")] {
        let hidden =
            recording["webhooks"].as_array().into_iter().flatten().filter(|w| w["body"]["event"] == event && w["body"]["participant"]["kind"].is_null());
        steps.extend(hidden.map(|w| (w["ms"].as_i64().unwrap() - dial_at, format!("{step}{}", w["body"]["participant"]["identity"].as_str().unwrap()))));
    }
    steps.sort();
    let mut wrong = Vec::new();
    for (at, what) in steps {
        lab.pass(at - (lab.clock.now() - begun).num_milliseconds()).await;
        if !name.contains("ms-after-dial") {
            // Not what only followed from it: an action's own moment is known by its webhooks.
            let before = at + dial_at - 100;
            if recording["reply"]["ms"].as_i64().is_some_and(|ms| ms < before) {
                lab.until(|| placed.is_finished()).await;
            }
            if let Some(status) = seen_by(recording, before) {
                lab.until(|| statuses(&polls.lock(), "callee").last() == Some(&status)).await;
            }
        }
        match what.as_str() {
            "DeleteRoom" | "listener killed, DeleteRoom" => drop(lab.post("RoomService", "DeleteRoom", json!({ "room": room })).await),
            "RemoveParticipant" => drop(lab.post("RoomService", "RemoveParticipant", json!({ "room": room, "identity": "callee" })).await),
            "kill -9 lk" => lab.simulator.restart_server(Duration::from_millis(if name.contains("talking") { 3000 } else { 1000 })),
            "kill -9 sip" => lab.simulator.restart_sip(Duration::from_secs(3)),
            "kill -9 redis" => lab.simulator.lose_redis(Duration::from_secs(3)),
            w if w.starts_with("join ") => lab.join(&room, &w[5..]),
            w if w.starts_with("part ") => lab.simulator.part(&w[5..]),
            w if w.starts_with("second dial") => {
                dial["participantName"] = "Ada".into();
                let again = lab.clone();
                let dial = dial.clone();
                tokio::spawn(async move { again.post("SIP", "CreateSIPParticipant", dial).await });
            }
            w => {
                let real = recording["actions"].as_array().into_iter().flatten().find(|a| a["what"] == w && a["ms"].as_i64() == Some(at + dial_at));
                if let (Some(real), Some(reply)) = (real, lab.act(w, &room, &dial, transfer_to).await) {
                    wrong.extend(compare_action(&format!("{name}: {w}"), real, &reply));
                }
            }
        }
    }
    let reply = tokio::time::timeout(Duration::from_mins(4), placed).await.unwrap().unwrap();
    let wanted = events(recording["webhooks"].as_array().into_iter().flatten().map(|w| &w["body"]));
    for _ in 0..400 {
        if events(lab.webhooks.lock().iter()).len() >= wanted.len() {
            break;
        }
        lab.pass(250).await;
    }
    poller.abort();
    wrong.extend(compare(name, recording, &reply, &polls.lock(), &wanted, &events(lab.webhooks.lock().iter())));
    wrong
}

/// The reply to what was done in mid-call: its status, an error's words and SIP status, what became of voices.
fn compare_action(name: &str, real: &Value, reply: &(u16, Value)) -> Option<String> {
    let camel = |v: &Value, key: &str, snake: &str| if v[key].is_null() { v[snake].clone() } else { v[key].clone() };
    let of = |status: &Value, body: &Value| {
        let voices: Vec<Value> = body["tracks"].as_array().into_iter().flatten().map(|t| t["muted"].clone()).collect();
        let sip = [&body["meta"]["sip_status"], &body["meta"]["sip_status_code"]];
        // protojson leaves out what is false.
        let yes = |v: &Value| v.as_bool().unwrap_or(false);
        json!([
            status,
            body["code"],
            body["msg"],
            sip,
            yes(&body["track"]["muted"]),
            yes(&camel(body, "isPublisher", "is_publisher")),
            voices,
            camel(body, "participantIdentity", "participant_identity")
        ])
    };
    let (real, mine) = (of(&real["status"], &real["body"]), of(&json!(reply.0), &reply.1));
    (real != mine).then(|| format!("{name}: {mine} instead of {real}"))
}

fn compare(name: &str, recording: &Value, reply: &(u16, Value), polls: &[Value], wanted: &[String], got: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let real = &recording["reply"];
    if let Some(status) = real["status"].as_u64() {
        let field = |v: &Value, key: &str| v["body"][key].clone();
        let mine = json!({ "body": reply.1 });
        if status != u64::from(reply.0) {
            wrong.push(format!("{name}: status {} instead of {status}: {}", reply.0, reply.1));
        }
        for key in ["code", "msg"] {
            let (real, mine) = (field(real, key), field(&mine, key));
            // What stands behind a resolver's or dialler's own words differs from host to host.
            let head =
                |v: &Value| v.as_str().unwrap_or_default().split(": lookup").next().unwrap_or_default().split("dial tcp").next().unwrap_or_default().to_owned();
            if head(&real) != head(&mine) {
                wrong.push(format!("{name}: {key} {mine} instead of {real}"));
            }
        }
        for key in ["sip_status", "sip_status_code"] {
            if real["body"]["meta"][key] != reply.1["meta"][key] {
                wrong.push(format!("{name}: meta {key} {} instead of {}", reply.1["meta"][key], real["body"]["meta"][key]));
            }
        }
    }
    // A room deleted some milliseconds after the dial meets the leg a step earlier or later each time.
    let race = name.contains("ms-after-dial");
    let plain = |list: &[String]| -> Vec<String> { list.iter().map(|e| e.trim_end_matches(" ringing").trim_end_matches(" dialing").to_owned()).collect() };
    let real = recording["list_participants"].as_array().map_or(&[][..], Vec::as_slice);
    for phone in phones(real).union(&phones(polls)) {
        let (order, seen) = (statuses(real, phone), statuses(polls, phone));
        // A poll may miss a status that lasted less than its interval; what it sees must be in order.
        let mut rest = order.iter();
        let ordered = seen.iter().all(|s| rest.any(|o| o == s));
        if !race && (!ordered || order.last() != seen.last() && !matches!(order.last().map(String::as_str), Some("dialing" | "hangup") | None)) {
            wrong.push(format!("{name}: {phone}'s statuses {seen:?} instead of {order:?}"));
        }
    }
    if wanted != got && !(race && plain(wanted) == plain(got)) {
        wrong.push(format!("{name}: webhooks\n  got  {got:?}\n  real {wanted:?}"));
    }
    wrong
}

/// All recordings of single scenarios.
fn recordings() -> Vec<(String, Value)> {
    let Some(folder) = folder() else { return Vec::new() };
    let mut out: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), serde_json::from_str(&std::fs::read_to_string(p).unwrap()).unwrap()))
        .filter(|(_, v): &(String, Value)| v.get("request").is_some() && v.get("webhooks").is_some() || v["scenario"] == "no-sip-service")
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_claimed_recording_replays_the_same() {
    let claimed: Vec<_> = recordings().into_iter().filter(|(n, _)| !UNCLAIMED.iter().any(|u| n.starts_with(u))).collect();
    assert!(claimed.len() >= 50, "{} recordings found", claimed.len());
    let mut wrong = Vec::new();
    for chunk in claimed.chunks(4) {
        let all = chunk.iter().map(|(name, recording)| differences(name, recording));
        for found in futures_util::future::join_all(all).await {
            wrong.extend(found);
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
