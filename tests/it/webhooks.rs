//! Every recording's webhooks into the inbox in many orders, some of them twice: one result.

use std::collections::HashSet;

use dialdeck::{
    desk::Recorded,
    domain::{
        call::State,
        event::{CallEvent, End, Kind, Lost, Reply, Source, Target},
        id::{CallId, CampaignId, Incarnation},
    },
    telephony::{livekit::WebhookKeys, simulator::die},
};
use serde_json::Value;

use crate::support::{Options, World, base::share, csv_of};

/// Orders tried where all would be too many.
const SEEDED: usize = 14;

/// All orders of up to five, else some by seed.
fn orders(n: usize, seed: u64) -> Vec<Vec<usize>> {
    if n <= 3 {
        let mut out = vec![vec![]];
        for i in 0..n {
            out = out
                .into_iter()
                .flat_map(|order: Vec<usize>| {
                    (0..=order.len()).map(move |at| {
                        let mut next = order.clone();
                        next.insert(at, i);
                        next
                    })
                })
                .collect();
        }
        return out;
    }
    let mut state = seed;
    (0..SEEDED)
        .map(|_| {
            let mut order: Vec<usize> = (0..n).collect();
            for i in (1..n).rev() {
                state = die(state);
                order.swap(i, usize::try_from(state % (i as u64 + 1)).unwrap());
            }
            order
        })
        .collect()
}

/// A recording's webhooks as events of one of our rooms, by the product's own reader.
fn read(recording: &Value, room: &str, call: CallId) -> Vec<CallEvent> {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let keys = WebhookKeys::new(vec![("k".into(), "secret".into())]);
    let list = recording["webhooks"].as_array().unwrap();
    list.iter()
        .filter(|w| !w["body"]["event"].as_str().unwrap().starts_with("track_"))
        .map(|w| {
            let mut body = w["body"].clone();
            body["room"]["name"] = room.into();
            body["id"] = format!("{}-{call}", body["id"].as_str().unwrap()).into();
            let bytes = body.to_string();
            let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(bytes.as_bytes()));
            dialdeck::telephony::tokens::install();
            let token = livekit_api::access_token::AccessToken::with_api_key("k", "secret").with_sha256(&hash).to_jwt().unwrap();
            keys.receive(&token, bytes.as_bytes(), chrono::DateTime::UNIX_EPOCH).unwrap()
        })
        .collect()
}

/// The recorded reply as the dialler would tell it.
fn reply(recording: &Value) -> Option<Reply> {
    let r = &recording["reply"];
    match r["status"].as_u64() {
        Some(200) => Some(Reply::Answered { participant_sid: "PA_x".into(), sip_call_id: "SCL_x".into() }),
        Some(_) => {
            let meta = serde_json::from_value(r["body"]["meta"].clone()).unwrap_or_default();
            Some(dialdeck::telephony::livekit::classify(r["body"]["code"].as_str().unwrap_or(""), r["body"]["msg"].as_str().unwrap_or(""), &meta))
        }
        None => None,
    }
}

struct Bench {
    world: World,
    campaign: CampaignId,
    incarnation: Incarnation,
}

impl Bench {
    /// An armed call of its own number.
    async fn armed(&self) -> (CallId, String) {
        let w = &self.world;
        // A trunk that refuses our login has put the campaign to error: the test goes on with the next.
        if w.row(self.campaign).await.execution_status == dialdeck::domain::campaign::Status::Error {
            w.desk.start(w.actor.clone(), self.campaign).await.unwrap();
        }
        w.arm_next(self.campaign, self.incarnation).await
    }

    /// Feeds events in an order, each third one twice; the state in the end.
    async fn feed(&self, recording: &Value, order: &[usize], with_reply: bool) -> State {
        let (call, room) = self.armed().await;
        let mut events = read(recording, &room, call);
        if let Some(reply) = reply(recording).filter(|_| with_reply) {
            events.push(event(call, "reply", Kind::Reply(reply)));
        }
        for (n, i) in order.iter().enumerate() {
            let Some(e) = events.get(*i) else { continue };
            self.world.desk.record(e.clone()).await.unwrap();
            if n % 3 == 0 {
                assert_eq!(self.world.desk.record(e.clone()).await.unwrap(), Recorded::Duplicate);
            }
        }
        if !with_reply {
            self.world.desk.record(event(call, "lost", Kind::ReplyLost { cause: Lost::NoReply })).await.unwrap();
        }
        // What the follower finds in the end: nobody is there.
        self.world.desk.record(event(call, "gone", Kind::LegGone { proven: true })).await.unwrap();
        self.world.store.any_call(call).await.unwrap().unwrap().state
    }
}

#[expect(clippy::disallowed_methods, reason = "a test of events, whose own clock does not matter")]
fn event(call: CallId, key: &str, kind: Kind) -> CallEvent {
    CallEvent { key: format!("test:{call}:{key}"), target: Target::Call(call), source: Source::Engine, at: chrono::Utc::now(), kind, raw: Value::Null }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_every_order_of_every_recordings_webhooks_gives_one_result() {
    let world = World::new(Options {
        speed: 1.0,
        rules: dialdeck::domain::rules::Rules { calls_per_second: 1e9, trunk_concurrent: 100_000, ..crate::support::quick_rules() },
        ..Options::default()
    })
    .await;
    let (source, _) = world.import(csv_of(2000)).await;
    let campaign = world.campaign(source, |s| s.max_concurrent = 2000).await;
    world.desk.start(world.actor.clone(), campaign).await.unwrap();
    let bench = Bench { world, campaign, incarnation: Incarnation::fresh() };
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/recorded");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (i, path) in files.iter().enumerate() {
        let recording: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        // Two dials, or a leg that comes back, tell two stories in one file.
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let two = name.starts_with("server-killed") || name.starts_with("same-identity");
        if recording.get("webhooks").is_none_or(|w| w.as_array().is_none_or(Vec::is_empty)) || two {
            continue;
        }
        for with_reply in [true, false] {
            if with_reply && reply(&recording).is_none() {
                continue;
            }
            let n = recording["webhooks"].as_array().unwrap().iter().filter(|w| !w["body"]["event"].as_str().unwrap().starts_with("track_")).count();
            let n = n + usize::from(with_reply);
            let mut states = HashSet::new();
            for order in orders(n, i as u64).into_iter().take(share(usize::MAX, 8)) {
                states.insert(bench.feed(&recording, &order, with_reply).await);
                tried += 1;
                if tried % 400 == 0 {
                    break;
                }
            }
            if states.len() != 1 || states.iter().any(|s| !s.is_ended()) {
                wrong.push(format!("{name} (reply {with_reply}): {states:?}"));
            }
        }
    }
    assert!(tried > share(400, 100), "{tried} orders");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The end of a busy dial is known exactly, whatever came first.
    let busy: Value = serde_json::from_str(include_str!("recorded/wait-0486.json")).unwrap();
    assert!(matches!(reply(&busy), Some(Reply::Ended { end: End::Busy, sip_code: Some(486), .. })));
    assert_eq!(bench.feed(&busy, &[3, 2, 1, 0, 4], true).await, State::Busy);
}
