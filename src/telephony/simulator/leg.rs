//! One phone call as livekit-sip makes it: join the room first, then INVITE, ring, answer or not,
//! talk, leave. Timings are those recorded, scaled by the clock.

use std::{sync::Arc, time::Duration};

use livekit_protocol as proto;
use proto::participant_info::{Kind, State};
use tokio::sync::{oneshot, watch};

use super::{
    Shared, agent,
    behaviour::{Callee, Plan},
    twilio,
    webhooks::{emit, participant_json, room_json},
    world::{Cut, Invite, Leg, id},
};
use crate::{domain::event::Leave, telephony::carrier::CALLEE};

/// A failed dial: HTTP status, Twirp code, text, and the SIP status where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub status: u16,
    pub code: &'static str,
    pub msg: String,
    pub sip: Option<(u16, String)>,
}

impl Failure {
    pub fn new(status: u16, code: &'static str, msg: impl Into<String>) -> Self {
        Self { status, code, msg: msg.into(), sip: None }
    }
}

pub type DialResult = Result<proto::SipParticipantInfo, Failure>;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// livekit-server waits this long for livekit-sip, whatever was asked.
const SERVER_LIMIT: Duration = Duration::from_secs(80);

struct Call {
    shared: Arc<Shared>,
    request: proto::CreateSipParticipantRequest,
    sid: String,
    sip_call_id: String,
    /// Twilio's id of the call, once the INVITE is out.
    twilio_sid: String,
    cut: watch::Receiver<Option<Cut>>,
    /// Which life of livekit-server it joined: a later one hears nothing of its status.
    life: u64,
    reply: Option<oneshot::Sender<DialResult>>,
}

/// Begins a call; the result comes when it is answered or failed (waiting), or once the leg is in
/// the room.
pub fn dial(shared: &Arc<Shared>, request: proto::CreateSipParticipantRequest, trunk: proto::SipOutboundTrunkInfo) -> oneshot::Receiver<DialResult> {
    let (send, receive) = oneshot::channel();
    let (cut, watch) = watch::channel(None);
    let life = shared.world.lock().server_lives;
    let mut call =
        Call { life, shared: shared.clone(), sid: id("PA_"), sip_call_id: id("SCL_"), twilio_sid: String::new(), cut: watch, reply: Some(send), request };
    shared.spawn(async move { call.run(trunk, cut).await });
    receive
}

impl Call {
    async fn run(&mut self, trunk: proto::SipOutboundTrunkInfo, cut: watch::Sender<Option<Cut>>) {
        let shared = self.shared.clone();
        if shared.world.lock().sip_down {
            shared.sleep(ms(1000)).await;
            return self.answer(Err(Failure::new(503, "unavailable", "twirp error unknown: no response from servers")));
        }
        shared.sleep(ms(1)).await;
        let before = shared.world.lock().rooms.get(&self.request.room_name).map(|r| r.sid.clone());
        shared.sleep(ms(14)).await;
        let after = shared.world.lock().rooms.get(&self.request.room_name).map(|r| r.sid.clone());
        if before.is_some() && before != after {
            // The room was deleted under the joining leg: no INVITE, and an error after seconds.
            shared.sleep(ms(5020)).await;
            return self.answer(Err(Failure::new(500, "internal", "twirp error unknown: update room failed: could not connect after timeout")));
        }
        self.join(&trunk, cut);
        shared.sleep(ms(15)).await;
        self.activate();
        if !self.request.wait_until_answered {
            self.succeed();
        }
        shared.sleep(ms(12)).await;
        self.call(&trunk).await;
    }

    /// Joins the room as a SIP participant, before any INVITE.
    fn join(&self, trunk: &proto::SipOutboundTrunkInfo, cut: watch::Sender<Option<Cut>>) {
        let mut world = self.shared.world.lock();
        let now = self.shared.clock.now();
        let r = &self.request;
        let attributes = [
            ("sip.callID", self.sip_call_id.clone()),
            ("sip.callStatus", "dialing".to_owned()),
            ("sip.hostname", trunk.address.clone()),
            ("sip.phoneNumber", r.sip_call_to.clone()),
            ("sip.trunkID", trunk.sip_trunk_id.clone()),
            ("sip.trunkPhoneNumber", trunk.numbers.first().cloned().unwrap_or_default()),
        ];
        let p = proto::ParticipantInfo {
            sid: self.sid.clone(),
            identity: r.participant_identity.clone(),
            name: r.participant_name.clone(),
            metadata: r.participant_metadata.clone(),
            kind: Kind::Sip as i32,
            state: State::Joined as i32,
            joined_at: now.timestamp(),
            joined_at_ms: now.timestamp_millis(),
            attributes: attributes.into_iter().map(|(k, v)| (k.to_owned(), v)).chain(r.participant_attributes.clone()).collect(),
            ..Default::default()
        };
        let made = world.ensure_room(&r.room_name, now);
        let about = room_json(&world, &r.room_name);
        if made {
            emit(&self.shared, &mut world, &r.room_name, "room_started", &about, None);
        }
        world.legs.insert(self.sid.clone(), Leg { number: r.sip_call_to.clone(), room: r.room_name.clone(), cut, life: self.life });
        let Some(room) = world.rooms.get_mut(&r.room_name) else { return };
        if std::mem::take(&mut room.dead) {
            // A session begins anew where only rows were.
            room.participants.clear();
        }
        room.changes += 1;
        let old = room.participants.insert(r.participant_identity.clone(), p.clone());
        if let Some(old) = old {
            // The same identity again: the earlier leg is hung up.
            if let Some(leg) = world.legs.remove(&old.sid) {
                leg.cut.send_replace(Some(Cut::Leave(Leave::DuplicateIdentity)));
            }
            emit(&self.shared, &mut world, &r.room_name, "participant_left", &about, Some(&participant_json(&old, Some("DUPLICATE_IDENTITY"))));
        }
        emit(
            &self.shared,
            &mut world,
            &r.room_name,
            "participant_joined",
            &about,
            Some(&participant_json(&proto::ParticipantInfo { state: State::Active as i32, ..p }, None)),
        );
    }

    fn activate(&self) {
        let voice = proto::TrackInfo {
            sid: id("TR_AM"),
            r#type: proto::TrackType::Audio as i32,
            name: self.request.participant_identity.clone(),
            source: proto::TrackSource::Microphone as i32,
            mime_type: "audio/opus".to_owned(),
            ..Default::default()
        };
        self.with_participant(|p| {
            p.state = State::Active as i32;
            p.tracks.push(voice);
        });
    }

    /// The agent works for the callee, whoever else is on the line.
    fn is_callee(&self) -> bool {
        self.request.participant_identity == CALLEE
    }

    fn set_status(&self, status: &str) {
        self.with_participant(|p| {
            p.attributes.insert("sip.callStatus".to_owned(), status.to_owned());
        });
    }

    /// Changes this leg's participant, if it is still the one that joined: after a server restart
    /// another stands in its place and hears nothing.
    fn with_participant(&self, change: impl FnOnce(&mut proto::ParticipantInfo)) {
        let mut world = self.shared.world.lock();
        if world.server_lives != self.life {
            return;
        }
        let found = world.rooms.get_mut(&self.request.room_name).and_then(|r| r.participants.get_mut(&self.request.participant_identity));
        if let Some(p) = found.filter(|p| p.sid == self.sid) {
            change(p);
        }
    }

    async fn call(&mut self, trunk: &proto::SipOutboundTrunkInfo) {
        if let Some(failure) = self.trunk_fault(trunk) {
            return self.trunk_failed(failure).await;
        }
        if self.was_cut() {
            return self.cancelled().await;
        }
        let plan = self.invite(trunk);
        self.shared.sleep(ms(8)).await;
        match plan.callee.clone() {
            Callee::Reject { ring, code, text } => self.rejected(ring, code, &text).await,
            Callee::WantsCredentials => {
                self.leave(Leave::UserRejected);
                let words = "twirp error unknown: sip server required auth, but no username or password was provided";
                self.answer(Err(Failure::new(412, "failed_precondition", words)));
            }
            Callee::RingForever | Callee::PickUpAsCancelled => {
                self.ring(None).await;
            }
            Callee::Answer { ring, talk } => {
                if self.ring(Some(ring)).await {
                    self.talk(talk, &plan).await;
                }
            }
        }
    }

    fn invite(&mut self, trunk: &proto::SipOutboundTrunkInfo) -> Plan {
        let mut world = self.shared.world.lock();
        let now = self.shared.clock.now();
        let number = self.request.sip_call_to.clone();
        let nth = world.nth_call(&number);
        world.note(now, format!("invite {number} {}", self.request.room_name));
        let mut plan = self.shared.config.behaviour.plan(&number, nth);
        if number.ends_with("0401") && trunk.auth_username.is_empty() {
            plan = Plan { callee: Callee::WantsCredentials, outcome: None };
        }
        let turned_away = matches!(plan.callee, Callee::WantsCredentials | Callee::Reject { code: 403 | 500..=599, .. });
        let caller = trunk.numbers.first().map(String::as_str).unwrap_or_default();
        self.twilio_sid = twilio::trunk_call(&mut world, caller, &number, now);
        world.invites.push(Invite { number, room: self.request.room_name.clone(), reached_phone: !turned_away, at: now });
        plan
    }

    async fn rejected(&mut self, ring: Duration, code: u16, text: &str) {
        if !ring.is_zero() && !self.ring_for(ring).await {
            return;
        }
        self.at_twilio(twilio::refused(code), Duration::ZERO);
        self.leave(reason_of(code, text));
        self.answer(Err(sip_failure(code, text)));
    }

    /// Rings until picked up; `false` when it never was.
    async fn ring(&mut self, pick_up: Option<Duration>) -> bool {
        let timeout = self.ringing_timeout();
        if let Some(wait) = pick_up.filter(|p| *p < timeout) {
            self.ring_for(wait).await
        } else {
            if self.ring_for(timeout).await {
                self.at_twilio("no-answer", Duration::ZERO);
                self.leave(Leave::UserUnavailable);
                self.answer(Err(Failure::new(408, "canceled", "twirp error unknown: sip request timed out")));
            }
            false
        }
    }

    /// Rings for a while; `false` when the leg was cut meanwhile (and has been settled).
    async fn ring_for(&mut self, wait: Duration) -> bool {
        self.set_status("ringing");
        let (error, known) = {
            let p = self.shared.faults.lock().error_after_ringing;
            let mut world = self.shared.world.lock();
            (world.chance(p), self.request.wait_until_answered)
        };
        if error && known {
            self.answer(Err(Failure::new(500, "internal", "twirp error unknown: something broke")));
        }
        if self.cut_within(wait).await {
            self.cancelled().await;
            return false;
        }
        true
    }

    async fn talk(&mut self, talk: Option<Duration>, plan: &Plan) {
        self.set_status("active");
        self.at_twilio("in-progress", Duration::ZERO);
        self.with_participant(|p| {
            p.attributes.insert("sip.twilio.callSid".to_owned(), self.twilio_sid.clone());
            p.is_publisher = true;
        });
        self.succeed();
        let breaks = self.shared.faults.lock().agent_leaves;
        let dies = self.shared.faults.lock().agent_dies;
        if self.shared.world.lock().chance(breaks) && self.is_callee() {
            agent::break_down(&self.shared, &self.request.room_name);
        }
        if self.shared.world.lock().chance(dies) && self.is_callee() {
            agent::worker_dies(&self.shared, &self.request.room_name, ms(20_300));
        }
        let longest = self.max_call_duration();
        let wait = talk.unwrap_or(longest).min(longest);
        let tell = wait.mul_f64(0.8);
        if self.cut_within(tell).await {
            return self.cut_while_talking();
        }
        if self.is_callee() {
            agent::report(&self.shared, &self.request.room_name, plan.outcome);
        }
        if self.cut_within(wait.saturating_sub(tell)).await {
            return self.cut_while_talking();
        }
        self.set_status("hangup");
        self.at_twilio("completed", wait);
        self.leave(Leave::ClientInitiated);
    }

    fn cut_while_talking(&self) {
        let now = self.shared.clock.now();
        self.shared.world.lock().note(now, format!("ended {}", self.request.room_name));
        self.at_twilio("completed", Duration::ZERO);
    }

    fn at_twilio(&self, status: &'static str, talked: Duration) {
        let seconds = i64::try_from(talked.as_secs()).unwrap_or(0);
        twilio::set_status(&mut self.shared.world.lock(), &self.twilio_sid, status, seconds);
    }

    /// Ended from outside while it rang.
    async fn cancelled(&mut self) {
        if *self.cut.borrow() == Some(Cut::SipDied) {
            // Nobody is left to answer: the server gives up after its own limit.
            self.shared.sleep(SERVER_LIMIT).await;
            return self.answer(Err(Failure::new(408, "deadline_exceeded", "twirp error unknown: request timed out")));
        }
        self.at_twilio("canceled", Duration::ZERO);
        self.shared.sleep(ms(20)).await;
        self.answer(Err(Failure::new(408, "canceled", "twirp error unknown: sip request timed out")));
    }

    async fn trunk_failed(&mut self, failure: (Duration, Leave, Failure)) {
        let (wait, reason, reply) = failure;
        if self.cut_within(wait).await {
            return self.cancelled().await;
        }
        // Webhook and reply go two ways, a few milliseconds apart.
        let (reply_first, apart) = {
            let mut world = self.shared.world.lock();
            (world.chance(0.5), ms(1 + world.below(5)))
        };
        if reply_first {
            self.answer(Err(reply));
            self.shared.sleep(apart).await;
            return self.leave(reason);
        }
        self.leave(reason);
        self.shared.sleep(apart).await;
        self.answer(Err(reply));
    }

    /// What the trunk itself does before any phone can: by its address, or by the dice.
    fn trunk_fault(&self, trunk: &proto::SipOutboundTrunkInfo) -> Option<(Duration, Leave, Failure)> {
        let by_dice = self.shared.faults.lock().trunk_silent;
        if trunk.address.starts_with("silent.") || self.shared.world.lock().chance(by_dice) {
            return Some(silence(self.ringing_timeout()));
        }
        trunk_fault(trunk)
    }

    fn leave(&self, reason: Leave) {
        // The sid may be another by now: a leg is found by its cut channel's owner, the room.
        let sid = {
            let world = self.shared.world.lock();
            let here = world.rooms.get(&self.request.room_name).and_then(|r| r.participants.get(&self.request.participant_identity));
            here.map_or_else(|| self.sid.clone(), |p| p.sid.clone())
        };
        leave(&self.shared, &sid, reason);
    }

    fn was_cut(&self) -> bool {
        self.cut.borrow().is_some()
    }

    /// Waits; `true` when the leg was cut before the time was over.
    async fn cut_within(&mut self, wait: Duration) -> bool {
        let shared = self.shared.clone();
        tokio::select! {
            biased;
            _ = self.cut.wait_for(Option::is_some) => true,
            () = shared.sleep(wait) => false,
        }
    }

    fn ringing_timeout(&self) -> Duration {
        let asked = self.request.ringing_timeout.and_then(|d| Duration::try_from(d).ok()).filter(|d| !d.is_zero());
        asked.unwrap_or(Duration::from_mins(3)).min(SERVER_LIMIT)
    }

    fn max_call_duration(&self) -> Duration {
        let asked = self.request.max_call_duration.and_then(|d| Duration::try_from(d).ok()).filter(|d| !d.is_zero());
        asked.unwrap_or(Duration::from_hours(24))
    }

    fn succeed(&mut self) {
        let info = proto::SipParticipantInfo {
            participant_id: self.sid.clone(),
            participant_identity: self.request.participant_identity.clone(),
            room_name: self.request.room_name.clone(),
            sip_call_id: self.sip_call_id.clone(),
        };
        self.answer(Ok(info));
    }

    fn answer(&mut self, result: DialResult) {
        if let Some(reply) = self.reply.take() {
            // The request may be gone: aborting it aborts nothing.
            drop(reply.send(result));
        }
    }
}

/// Takes a leg out of its room, with its webhook, and closes the room when its time comes.
pub fn leave(shared: &Arc<Shared>, sid: &str, reason: Leave) {
    let mut world = shared.world.lock();
    let lives = world.server_lives;
    if world.legs.remove(sid).is_some_and(|l| l.life != lives) {
        // It ended while no server knew it: nobody hears of it, and its rows stay.
        return world.note(shared.clock.now(), format!("left unheard {sid}"));
    }
    let found =
        world.rooms.iter().filter(|(_, r)| !r.dead).find_map(|(name, r)| r.participants.values().find(|p| p.sid == sid).map(|p| (name.clone(), p.clone())));
    let Some((name, p)) = found else { return };
    let about = room_json(&world, &name);
    if let Some(room) = world.rooms.get_mut(&name) {
        room.participants.remove(&p.identity);
        room.changes += 1;
    }
    let number = p.attributes.get("sip.phoneNumber").cloned().unwrap_or_default();
    world.note(shared.clock.now(), format!("left {number} {}", reason_name(reason)));
    emit(shared, &mut world, &name, "participant_left", &about, Some(&participant_json(&p, Some(reason_name(reason)))));
    drop(world);
    close_later(shared, name);
}

/// Agents keep no room open: it closes a while after the last of the others left.
fn close_later(shared: &Arc<Shared>, name: String) {
    let seen = shared.world.lock().rooms.get(&name).map(|r| r.sid.clone());
    let Some(sid) = seen else { return };
    let s = shared.clone();
    shared.spawn(async move {
        s.sleep(s.config.departure_timeout).await;
        let mut world = s.world.lock();
        let same = world.rooms.get(&name).is_some_and(|r| !r.dead && r.sid == sid && r.participants.values().all(|p| p.kind == Kind::Agent as i32));
        if same {
            close(&s, &mut world, &name, "ROOM_CLOSED");
        }
    });
}

/// Ends a room: everybody leaves, phones are hung up.
pub fn close(shared: &Arc<Shared>, world: &mut super::world::World, name: &str, reason: &str) {
    let about = room_json(world, name);
    let Some(room) = world.rooms.remove(name) else { return };
    let mut people: Vec<_> = room.participants.into_values().collect();
    people.sort_by_key(|p| p.kind != Kind::Sip as i32);
    for p in people {
        if let Some(leg) = world.legs.remove(&p.sid) {
            world.note(shared.clock.now(), format!("left {} {reason}", leg.number));
            leg.cut.send_replace(Some(Cut::Leave(Leave::RoomDeleted)));
        }
        emit(shared, world, name, "participant_left", &about, Some(&participant_json(&p, Some(reason))));
    }
    emit(shared, world, name, "room_finished", &about, None);
}

pub fn reason_name(reason: Leave) -> &'static str {
    match reason {
        Leave::ClientInitiated => "CLIENT_INITIATED",
        Leave::UserRejected => "USER_REJECTED",
        Leave::UserUnavailable => "USER_UNAVAILABLE",
        Leave::RoomDeleted => "ROOM_DELETED",
        Leave::ParticipantRemoved => "PARTICIPANT_REMOVED",
        Leave::DuplicateIdentity => "DUPLICATE_IDENTITY",
        Leave::ConnectionTimeout => "CONNECTION_TIMEOUT",
        Leave::Other => "UNKNOWN_REASON",
    }
}

/// The leave reason of a SIP status: coarse, as livekit-sip's is.
fn reason_of(code: u16, text: &str) -> Leave {
    match code {
        404 | 408 | 480 => Leave::UserUnavailable,
        500..=599 if !text.contains("limit exceeded") => Leave::ClientInitiated,
        _ => Leave::UserRejected,
    }
}

/// A SIP status as livekit-server hands it on.
fn sip_failure(code: u16, text: &str) -> Failure {
    let (status, twirp) = match code {
        404 | 410 | 604 => (404, "not_found"),
        408 | 504 => (408, "deadline_exceeded"),
        480 | 486 | 600 => (429, "resource_exhausted"),
        403 | 603 | 607 | 608 => (403, "permission_denied"),
        500..=599 => (412, "failed_precondition"),
        _ => (400, "invalid_argument"),
    };
    let known = matches!(code, 404 | 480 | 486 | 600 | 408);
    let lead = if known { "INVITE failed" } else { "unexpected status from INVITE response" };
    Failure { status, code: twirp, msg: format!("twirp error unknown: {lead}: sip status: {code}: {text}"), sip: Some((code, text.to_owned())) }
}

/// Trunks that fail before any phone does, by their address.
fn trunk_fault(trunk: &proto::SipOutboundTrunkInfo) -> Option<(Duration, Leave, Failure)> {
    let address = trunk.address.as_str();
    if address.ends_with(".invalid") {
        let words = format!("twirp error unknown: fail to resolve target for \"{address}\": lookup _sip._udp.{address}: no such host");
        return Some((ms(9), Leave::ClientInitiated, Failure::new(400, "invalid_argument", words)));
    }
    if address.starts_with("refused.") {
        let words = format!("twirp error unknown: transport<TCP> dial err=dial tcp :0->{address}: connect: connection refused");
        return Some((ms(35), Leave::ClientInitiated, Failure::new(412, "failed_precondition", words)));
    }
    None
}

/// A trunk over UDP that answers nothing: SIP's own timer ends it after 32 s, the ringing timeout before.
fn silence(ringing_timeout: Duration) -> (Duration, Leave, Failure) {
    const TIMER_B: Duration = ms(32_030);
    let words = if ringing_timeout < TIMER_B {
        "twirp error unknown: sip request timed out"
    } else {
        "twirp error unknown: transaction failed to complete (0 intermediate responses)"
    };
    (ringing_timeout.min(TIMER_B), Leave::UserUnavailable, Failure::new(408, "canceled", words))
}
