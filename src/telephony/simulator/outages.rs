//! Services that die in mid-call and come back, as recorded, on their own or as a script has it.

use std::{sync::Arc, time::Duration};

use livekit_protocol as proto;

use super::{
    Shared, agent, leg,
    script::{Script, What},
    webhooks::{emit, participant_json, room_json},
    world::{Cut, Leg, World, id},
};
use crate::domain::event::Leave;

/// livekit-sip rejoins this long after the server's death, or once the server is back.
const REJOIN: Duration = Duration::from_millis(4200);

/// A leg of a dead livekit-sip, or an agent of a dead worker, stays listed this long.
const SIP_TIMEOUT: Duration = Duration::from_millis(20_300);

pub fn restart_server(shared: &Arc<Shared>, down: Duration) {
    {
        let mut world = shared.world.lock();
        world.server_down = true;
        world.server_lives += 1;
        shared.deaths.send_modify(|n| *n += 1);
        world.note(shared.clock.now(), "livekit-server died".to_owned());
    }
    let s = shared.clone();
    shared.spawn(async move {
        s.sleep(down).await;
        s.world.lock().server_down = false;
        s.sleep(REJOIN.saturating_sub(down).max(Duration::from_millis(1200))).await;
        rejoin(&s);
    });
}

/// Every leg comes back as a new participant whose status says `dialing` for the rest of the call.
fn rejoin(shared: &Arc<Shared>) {
    let mut world = shared.world.lock();
    let now = shared.clock.now();
    let names: Vec<String> = world.rooms.keys().cloned().collect();
    for name in names {
        let Some(room) = world.rooms.get_mut(&name) else { continue };
        let Some(mut p) = room.participants.get(crate::telephony::carrier::CALLEE).filter(|_| !room.dead).cloned() else { continue };
        if world.legs.get(&p.sid).is_none_or(|l| *l.cut.borrow() == Some(Cut::SipDied)) {
            // Nobody is left who would come back: its rows stay, where Redis still has them.
            world.legs.remove(&p.sid);
            if let Some(room) = world.rooms.get_mut(&name) {
                room.dead = true;
            }
            world.rooms.retain(|_, room| !(room.dead && room.lost));
            continue;
        }
        let Some(room) = world.rooms.get_mut(&name) else { continue };
        let old = std::mem::replace(&mut p.sid, id("PA_"));
        p.attributes.insert("sip.callStatus".to_owned(), "dialing".to_owned());
        p.joined_at_ms = now.timestamp_millis();
        room.participants.insert(p.identity.clone(), p.clone());
        // The agents' connections are the dead server's: they do not come back.
        room.participants.retain(|_, q| q.kind == proto::participant_info::Kind::Sip as i32);
        if let Some(mut l) = world.legs.remove(&old) {
            l.life = world.server_lives;
            world.legs.insert(p.sid.clone(), l);
        }
        let json = room_json(&world, &name);
        emit(shared, &mut world, &name, "room_started", &json, None);
        emit(shared, &mut world, &name, "participant_joined", &json, Some(&participant_json(&p, None)));
        rejoin_others(shared, &mut world, &name);
    }
}

/// Other phones of the room come back in the same way.
fn rejoin_others(shared: &Arc<Shared>, world: &mut World, name: &str) {
    let lives = world.server_lives;
    let Some(room) = world.rooms.get_mut(name) else { return };
    let mut back = Vec::new();
    for p in room.participants.values_mut().filter(|p| p.identity != crate::telephony::carrier::CALLEE) {
        let Some(mut leg) = world.legs.remove(&p.sid) else { continue };
        p.sid = id("PA_");
        p.attributes.insert("sip.callStatus".to_owned(), "dialing".to_owned());
        leg.life = lives;
        world.legs.insert(p.sid.clone(), leg);
        back.push(participant_json(p, None));
    }
    let json = room_json(world, name);
    for p in back {
        emit(shared, world, name, "participant_joined", &json, Some(&p));
    }
}

/// The whole host dies: server, SIP service and worker. Redis keeps its rows, and lists for good who
/// was on the line.
pub fn kill_host(shared: &Arc<Shared>, down: Duration) {
    {
        let mut world = shared.world.lock();
        (world.server_down, world.sip_down) = (true, true);
        world.server_lives += 1;
        shared.deaths.send_modify(|n| *n += 1);
        world.note(shared.clock.now(), "the host died".to_owned());
        let mut legs: Vec<Leg> = world.legs.drain().map(|(_, leg)| leg).collect();
        legs.sort_by(|a, b| a.number.cmp(&b.number));
        for leg in legs {
            leg.cut.send_replace(Some(Cut::SipDied));
        }
        // Rows that Redis lost before are nowhere.
        world.rooms.retain(|_, room| !room.lost);
        world.rooms.values_mut().for_each(|room| room.dead = true);
    }
    let s = shared.clone();
    shared.spawn(async move {
        s.sleep(down).await;
        let mut world = s.world.lock();
        (world.server_down, world.sip_down) = (false, false);
    });
}

/// The agents' worker dies and another begins: LiveKit lists the dead one's agents for 20 s more.
pub fn kill_workers(shared: &Arc<Shared>) {
    let rooms: Vec<String> = shared.world.lock().rooms.iter().filter(|(_, r)| !r.dead).map(|(name, _)| name.clone()).collect();
    for room in rooms {
        agent::worker_dies(shared, &room, SIP_TIMEOUT);
    }
}

pub fn restart_sip(shared: &Arc<Shared>, down: Duration) {
    let frozen: Vec<String> = {
        let mut world = shared.world.lock();
        world.sip_down = true;
        world.note(shared.clock.now(), "livekit-sip died".to_owned());
        // In an order that a seed repeats: sids are random.
        let mut legs: Vec<_> = world.legs.iter().collect();
        legs.sort_by_key(|(_, leg)| &leg.number);
        for (_, leg) in &legs {
            leg.cut.send_replace(Some(Cut::SipDied));
        }
        legs.into_iter().map(|(sid, _)| sid.clone()).collect()
    };
    let s = shared.clone();
    shared.spawn(async move {
        s.sleep(down).await;
        s.world.lock().sip_down = false;
        s.sleep(SIP_TIMEOUT.saturating_sub(down)).await;
        for sid in frozen {
            leg::leave(&s, &sid, Leave::ConnectionTimeout);
        }
    });
}

/// `away`: the rooms do not come back to `ListRooms` either, as some do not after a kill.
pub fn lose_redis(shared: &Arc<Shared>, down: Duration, away: bool) {
    {
        let mut world = shared.world.lock();
        world.redis_down = true;
        world.note(shared.clock.now(), "redis lost its data".to_owned());
        // What was only rows is gone with them.
        world.rooms.retain(|_, room| !room.dead);
        for room in world.rooms.values_mut() {
            (room.lost, room.away) = (true, room.away || away);
        }
    }
    let s = shared.clone();
    shared.spawn(async move {
        s.sleep(down).await;
        s.world.lock().redis_down = false;
    });
}

/// Sets what a script says will happen on its way.
pub fn begin(shared: &Arc<Shared>, script: &Script) {
    for happening in script.happens.clone() {
        let s = shared.clone();
        shared.spawn(async move {
            s.sleep(Duration::from_secs_f64(happening.after)).await;
            let down = Duration::from_secs_f64(happening.down);
            match happening.what {
                What::HostDies => kill_host(&s, down),
                What::ServerDies => restart_server(&s, down),
                What::SipDies => restart_sip(&s, down),
                What::RedisForgets => lose_redis(&s, down, false),
                What::RedisDies => lose_redis(&s, down, true),
                What::WorkersDie => kill_workers(&s),
            }
        });
    }
}
