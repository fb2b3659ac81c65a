//! The simulated agent worker: joins a room some time after the dispatch, stays until the room
//! closes, and reports how the call went.

use std::{sync::Arc, time::Duration};

use livekit_protocol as proto;
use proto::participant_info::{Kind, State};
use serde_json::Value;

use super::{
    Reports, Shared, Workers,
    behaviour::die,
    webhooks::{emit, participant_json, room_json},
    world::id,
};
use crate::domain::outcome::Outcome;

/// Joins as a worker of that name would, or does not come at all.
pub fn dispatched(shared: &Arc<Shared>, room: String, name: String, metadata: String) {
    let faults = shared.faults.lock().clone();
    let missing = shared.world.lock().chance(faults.agent_missing);
    if faults.workers != Workers::Ready || missing {
        return;
    }
    let s = shared.clone();
    shared.spawn(async move {
        let jitter = s.world.lock().below(80);
        s.sleep(Duration::from_millis(280 + jitter)).await;
        let Some(identity) = join(&s, &room, &name, &metadata) else { return };
        s.sleep(Duration::from_millis(100)).await;
        activate(&s, &room, &identity);
    });
}

fn join(shared: &Arc<Shared>, room: &str, name: &str, metadata: &str) -> Option<String> {
    let mut world = shared.world.lock();
    let now = shared.clock.now();
    let identity = format!("agent-{}", id("AJ_"));
    let agent = proto::ParticipantInfo {
        sid: id("PA_"),
        identity: identity.clone(),
        name: "agent".to_owned(),
        kind: Kind::Agent as i32,
        state: State::Joined as i32,
        joined_at: now.timestamp(),
        joined_at_ms: now.timestamp_millis(),
        metadata: metadata.to_owned(),
        attributes: [("lk.agent_name".to_owned(), name.to_owned()), ("lk.agent.name".to_owned(), name.to_owned())].into(),
        ..Default::default()
    };
    // A room that was deleted meanwhile takes no late agent.
    let r = world.rooms.get_mut(room)?;
    r.changes += 1;
    r.participants.insert(identity.clone(), agent);
    Some(identity)
}

fn activate(shared: &Arc<Shared>, room: &str, identity: &str) {
    let mut world = shared.world.lock();
    let Some(agent) = world.rooms.get_mut(room).and_then(|r| r.participants.get_mut(identity)) else { return };
    agent.state = State::Active as i32;
    let json = participant_json(agent, None);
    let about = room_json(&world, room);
    emit(shared, &mut world, room, "participant_joined", &about, Some(&json));
}

/// The agent breaks down: it leaves the room and tells nothing.
pub fn break_down(shared: &Arc<Shared>, room: &str) {
    let mut world = shared.world.lock();
    let about = room_json(&world, room);
    let Some(r) = world.rooms.get_mut(room) else { return };
    let Some(agent) = r.participants.values().find(|p| p.kind == Kind::Agent as i32).cloned() else { return };
    r.participants.remove(&agent.identity);
    r.changes += 1;
    emit(shared, &mut world, room, "participant_left", &about, Some(&participant_json(&agent, Some("CLIENT_INITIATED"))));
}

/// The agent's worker dies: LiveKit lists the agent a while longer, and it says nothing.
pub fn worker_dies(shared: &Arc<Shared>, room: &str, listed: Duration) {
    let mut world = shared.world.lock();
    let agent = world.rooms.get(room).and_then(|r| r.participants.values().find(|p| p.kind == Kind::Agent as i32)).cloned();
    let Some(agent) = agent else { return };
    world.dead_agents.insert(agent.sid.clone());
    drop(world);
    let (s, room) = (shared.clone(), room.to_owned());
    shared.spawn(async move {
        s.sleep(listed).await;
        let mut world = s.world.lock();
        let about = room_json(&world, &room);
        world.dead_agents.remove(&agent.sid);
        let Some(r) = world.rooms.get_mut(&room).filter(|r| !r.dead && r.participants.get(&agent.identity).is_some_and(|p| p.sid == agent.sid)) else { return };
        r.participants.remove(&agent.identity);
        r.changes += 1;
        emit(&s, &mut world, &room, "participant_left", &about, Some(&participant_json(&agent, Some("CONNECTION_TIMEOUT"))));
    });
}

/// The agent of this number's call sets an attribute on itself.
pub fn tells(shared: &Arc<Shared>, number: &str, key: &str, value: &str) {
    let mut world = shared.world.lock();
    let room = world.legs.values().find(|l| l.number == number).map(|l| l.room.clone()).unwrap_or_default();
    let agent = world.rooms.get_mut(&room).and_then(|r| r.participants.values_mut().find(|p| p.kind == Kind::Agent as i32));
    if let Some(agent) = agent {
        agent.attributes.insert(key.to_owned(), value.to_owned());
    }
}

/// Tells the outcome as the callee is about to leave: by attributes, or over REST.
pub fn report(shared: &Arc<Shared>, room: &str, outcome: Option<Outcome>) {
    let Some(outcome) = outcome else { return };
    let mut world = shared.world.lock();
    let dead = world.dead_agents.clone();
    let here = world.rooms.get_mut(room).filter(|r| !r.dead);
    let Some(agent) = here.and_then(|r| r.participants.values_mut().find(|p| p.kind == Kind::Agent as i32 && !dead.contains(&p.sid))) else { return };
    let told: Value = serde_json::from_str(&agent.metadata).unwrap_or(Value::Null);
    let target = |key: &str| told.get(key).and_then(Value::as_str).map(str::to_owned);
    let by_rest = shared.config.reports == Reports::Rest;
    match (by_rest, target("outcomeUrl"), target("outcomeToken")) {
        _ if shared.config.reports == Reports::Nothing => {}
        (true, Some(url), Some(token)) => put(shared, url, token, outcome),
        _ => {
            let summary = format!("The contact was {} in the simulated call.", outcome.label());
            let by = if outcome == Outcome::Voicemail { "machine" } else { "human" };
            agent.attributes.insert("dd.outcome".to_owned(), outcome.as_str().to_owned());
            agent.attributes.insert("dd.summary".to_owned(), summary);
            agent.attributes.insert("dd.answered_by".to_owned(), by.to_owned());
        }
    }
}

/// How sure it is of a call, 55 to 97 %, and why it says so: another of each call, the same whenever it is asked.
fn opinion(call: &str, outcome: Outcome) -> (f64, &'static str) {
    let roll = call.bytes().fold(0, |acc, b| die(acc ^ u64::from(b)));
    let why: &[&str] = match outcome {
        Outcome::Interested => &["asks for the price list", "wants to see it next week", "asks who else uses it"],
        Outcome::NotInterested => &["is content with what they have", "has no budget this year", "said no and thanked"],
        Outcome::Callback => &["in a meeting, asks for tomorrow", "driving, asks to be called later"],
        Outcome::DoNotCall => &["asks never to be called again"],
        Outcome::Voicemail => &["a machine asked for a message", "nobody spoke but a recording"],
        Outcome::WrongNumber => &["nobody of that name is there"],
    };
    let percent = u32::try_from(55 + roll % 43).unwrap_or(82);
    let at = usize::try_from(roll / 43).unwrap_or(0) % why.len();
    (f64::from(percent) / 100.0, why[at])
}

/// What was said at last, by the contact and by the agent.
fn last_words(outcome: Outcome) -> [(&'static str, &'static str); 3] {
    let (asked, contact, agent) = match outcome {
        Outcome::Interested => ("Shall I send you the details?", "Yes, the price list please.", "It is on its way. Thank you, goodbye."),
        Outcome::NotInterested => ("May I tell you what is new?", "No, we are fine as we are.", "I understand. Thank you for your time."),
        Outcome::Callback => ("Do you have a minute?", "I am in a meeting, call me tomorrow.", "Of course, tomorrow then. Goodbye."),
        Outcome::DoNotCall => ("Do you have a minute?", "Do not call this number again.", "I will see to it. Goodbye."),
        Outcome::Voicemail => ("Hello?", "Please leave a message after the tone.", "I will try again another time."),
        Outcome::WrongNumber => ("May I speak to the owner?", "There is nobody of that name here.", "I am sorry. Goodbye."),
    };
    [("agent", asked), ("contact", contact), ("agent", agent)]
}

/// The report that stands beside the outcome.
async fn tell_words(shared: &Arc<Shared>, url: &str, token: &str, outcome: Outcome) {
    let Some(url) = url.strip_suffix("/outcome").map(|call| format!("{call}/report")) else { return };
    let lines: Vec<Value> = last_words(outcome).iter().map(|(role, text)| serde_json::json!({ "role": role, "text": text })).collect();
    let by = if outcome == Outcome::Voicemail { "machine" } else { "human" };
    let body = serde_json::json!({ "answeredBy": by, "transcript": lines }).to_string();
    let request = shared.http.post(url).bearer_auth(token).header("content-type", "application/json").body(body).timeout(Duration::from_secs(5));
    if let Err(e) = request.send().await {
        tracing::debug!(target: "simulator", error = %e, "the agent could not tell what was said");
    }
}

fn put(shared: &Arc<Shared>, url: String, token: String, outcome: Outcome) {
    let s = shared.clone();
    shared.spawn(async move {
        tell_words(&s, &url, &token, outcome).await;
        let (confidence, notes) = opinion(&token, outcome);
        let body = serde_json::json!({ "outcome": outcome, "confidence": confidence, "notes": notes }).to_string();
        let request = s.http.put(url).bearer_auth(token).header("content-type", "application/json").body(body).timeout(Duration::from_secs(5));
        let words = match request.send().await {
            Ok(r) => format!("agent reported: HTTP {}", r.status().as_u16()),
            Err(_) => "agent could not report".to_owned(),
        };
        let now = s.clock.now();
        s.world.lock().note(now, words);
    });
}
