//! Webhooks: signed as LiveKit signs them, one queue a room in order, retried as it retries, and
//! spoilt by the fault knobs.

use std::{sync::Arc, time::Duration};

use base64::Engine;
use livekit_api::access_token::AccessToken;
use livekit_protocol as proto;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{
    Shared,
    world::{World, id},
};

/// LiveKit gives an event five tries: at once, then after 1, 2, 4 and 8 s.
const RETRIES: [u64; 4] = [1, 2, 4, 8];

/// The room object as it stands in an event, with the secret it carries.
pub fn room_json(world: &World, name: &str) -> Value {
    let Some(room) = world.rooms.get(name) else { return json!({ "name": name }) };
    json!({
        "sid": room.sid,
        "name": name,
        "emptyTimeout": 300,
        "departureTimeout": 20,
        "creationTime": room.created.timestamp().to_string(),
        "creationTimeMs": room.created.timestamp_millis().to_string(),
        "turnPassword": "CANARY-turn-password",
    })
}

/// A participant as protojson writes it: defaults left out, enums by name.
pub fn participant_json(p: &proto::ParticipantInfo, reason: Option<&str>) -> Value {
    use proto::participant_info::{Kind, State};
    let state = if reason.is_some() { "DISCONNECTED" } else { State::try_from(p.state).map_or("ACTIVE", |s| s.as_str_name()) };
    let mut out = json!({
        "sid": p.sid,
        "identity": p.identity,
        "state": state,
        "joinedAt": p.joined_at.to_string(),
        "joinedAtMs": p.joined_at_ms.to_string(),
        "name": p.name,
    });
    if let (Ok(kind), Some(map)) = (Kind::try_from(p.kind), out.as_object_mut()) {
        if kind != Kind::Standard {
            map.insert("kind".to_owned(), kind.as_str_name().into());
        }
        if !p.attributes.is_empty() {
            map.insert("attributes".to_owned(), json!(p.attributes));
        }
    }
    if let (Some(reason), Some(map)) = (reason, out.as_object_mut()) {
        map.insert("disconnectReason".to_owned(), reason.into());
    }
    out
}

/// Queues an event behind the earlier ones of its room.
pub fn emit(shared: &Arc<Shared>, world: &mut World, room: &str, event: &str, room_json: &Value, participant: Option<&Value>) {
    let now = shared.clock.now();
    let mut body = json!({ "event": event, "room": room_json, "id": id("EV_"), "createdAt": now.timestamp().to_string() });
    if let (Some(p), Some(map)) = (participant, body.as_object_mut()) {
        map.insert("participant".to_owned(), p.clone());
    }
    world.note(now, format!("webhook {event} {room}"));
    if shared.webhook_url.lock().is_none() {
        return;
    }
    let queue = world.queues.entry(room.to_owned()).or_insert_with(|| {
        let (send, receive) = mpsc::unbounded_channel();
        shared.spawn(deliver(shared.clone(), receive));
        send
    });
    // The queue's task lives as long as the simulator.
    drop(queue.send(body));
    if event == "room_finished" {
        world.queues.remove(room);
    }
}

/// Sends one room's events in order.
async fn deliver(shared: Arc<Shared>, mut queue: mpsc::UnboundedReceiver<Value>) {
    let mut held: Option<Value> = None;
    while let Some(event) = queue.recv().await {
        let faults = shared.faults.lock().clone();
        let (dropped, doubled, swapped, delay) = {
            let mut world = shared.world.lock();
            (
                world.chance(faults.webhook_drop),
                world.chance(faults.webhook_duplicate),
                world.chance(faults.webhook_reorder),
                world.below(faults.webhook_delay_ms + 1),
            )
        };
        if delay > 0 {
            shared.sleep(Duration::from_millis(delay)).await;
        }
        if swapped && held.is_none() {
            held = Some(event);
            continue;
        }
        if !dropped {
            send(&shared, &event).await;
            if doubled {
                send(&shared, &event).await;
            }
        }
        if let Some(late) = held.take() {
            send(&shared, &late).await;
        }
    }
    if let Some(late) = held {
        send(&shared, &late).await;
    }
}

async fn send(shared: &Arc<Shared>, event: &Value) {
    let Some(url) = shared.webhook_url.lock().clone() else { return };
    let body = event.to_string();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(body.as_bytes()));
    let token = AccessToken::with_api_key(&shared.config.api_key, &shared.config.api_secret)
        .with_ttl(Duration::from_mins(5))
        .with_sha256(&hash)
        .to_jwt()
        .unwrap_or_default();
    for wait in std::iter::once(0).chain(RETRIES) {
        if wait > 0 {
            shared.sleep(Duration::from_secs(wait)).await;
        }
        let sent = shared
            .http
            .post(&url)
            .header("authorization", &token)
            .header("content-type", "application/webhook+json")
            .body(body.clone())
            .timeout(Duration::from_secs(5))
            .send()
            .await;
        // A 4xx counts as delivered.
        if sent.is_ok_and(|r| !r.status().is_server_error() && r.status().as_u16() != 429) {
            return;
        }
    }
}
