//! What is done to a call that goes on: REFER to another number, a voice muted and heard again, a listener who
//! comes by token.

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use livekit_api::access_token::TokenVerifier;
use livekit_protocol as proto;
use proto::participant_info::{Kind, State};

use super::{
    Shared,
    leg::{self, Failure},
    server::{Call, denied, fail},
    webhooks::{emit, participant_json, room_json},
    world::{Cut, Room, id},
};
use crate::domain::event::Leave;

const NOBODY: &str = "twirp error unknown: participant does not exist";
const TIMED_OUT: &str = "twirp error unknown: request timed out";

/// The far end's NOTIFY takes so long, and its BYE so much longer.
const NOTIFIED: Duration = Duration::from_millis(515);
const LEAVES: Duration = Duration::from_secs(1);

/// What whoever is on the line does with a REFER, by the last four digits of their number.
enum Refer {
    Accepts,
    /// `0701`: no NOTIFY ever comes.
    Silent,
    /// `0703`: 603.
    Declines,
}

impl Refer {
    fn of(number: &str) -> Self {
        match number.get(number.len().saturating_sub(4)..).unwrap_or_default() {
            "0701" => Self::Silent,
            "0703" => Self::Declines,
            _ => Self::Accepts,
        }
    }
}

impl Call {
    pub async fn transfer(self) -> Response {
        let request: proto::TransferSipParticipantRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        if !self.claims.sip.call || !self.may_admin(&request.room_name) {
            return denied();
        }
        if !["sip:", "sips:", "tel:"].iter().any(|scheme| request.transfer_to.starts_with(scheme)) {
            return fail(&Failure::new(400, "invalid_argument", "transfer_to must be a valid SIP(s) or TEL URI (sip:, sips: or tel:)"));
        }
        let found = self.sim.world.lock().rooms.get(&request.room_name).and_then(|r| r.participants.get(&request.participant_identity)).cloned();
        let Some(p) = found.filter(|p| p.kind == Kind::Sip as i32) else { return fail(&Failure::new(404, "not_found", NOBODY)) };
        let within = request.ringing_timeout.and_then(|d| Duration::try_from(d).ok()).filter(|d| !d.is_zero()).unwrap_or(Duration::from_secs(30));
        let attribute = |key: &str| p.attributes.get(key).map(String::as_str).unwrap_or_default();
        let talking = attribute("sip.callStatus") == "active";
        let number = attribute("sip.phoneNumber").to_owned();
        match Refer::of(&number) {
            Refer::Declines if talking => {
                self.sim.sleep(Duration::from_millis(12)).await;
                let declined = Failure::new(403, "permission_denied", "twirp error unknown: sip status: 603: Decline");
                fail(&Failure { sip: Some((603, "Decline".to_owned())), ..declined })
            }
            Refer::Accepts if talking => {
                self.sim.sleep(NOTIFIED).await;
                self.sim.world.lock().note(self.sim.clock.now(), format!("transferred {number} {}", request.transfer_to));
                let (sim, sid) = (self.sim.clone(), p.sid.clone());
                self.sim.spawn(async move {
                    sim.sleep(LEAVES).await;
                    hang_up(&sim, &request.room_name, &sid);
                });
                self.ok(&proto::SipParticipantInfo::default())
            }
            Refer::Silent | Refer::Accepts | Refer::Declines => {
                self.sim.sleep(within).await;
                fail(&Failure::new(408, "deadline_exceeded", TIMED_OUT))
            }
        }
    }

    pub fn mute(&self) -> Response {
        let request: proto::MuteRoomTrackRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        if !self.may_admin(&request.room) {
            return denied();
        }
        if !request.muted && !self.sim.faults.lock().remote_unmute {
            return fail(&Failure::new(412, "failed_precondition", "remote unmute not enabled"));
        }
        let mut world = self.sim.world.lock();
        let now = self.sim.clock.now();
        world.note(now, format!("{} {} {}", if request.muted { "muted" } else { "unmuted" }, request.identity, request.room));
        let tracks = world.rooms.get_mut(&request.room).and_then(|r| r.participants.get_mut(&request.identity)).map(|p| &mut p.tracks);
        let track = tracks.and_then(|tracks| tracks.iter_mut().find(|t| t.sid == request.track_sid));
        let Some(track) = track else { return fail(&Failure::new(404, "not_found", "twirp error unknown: track is not found")) };
        track.muted = request.muted;
        self.ok(&proto::MuteRoomTrackResponse { track: Some(track.clone()) })
    }

    /// Taking `can_publish` away takes the voice away for good.
    pub fn update_participant(&self) -> Response {
        let request: proto::UpdateParticipantRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        if !self.may_admin(&request.room) {
            return denied();
        }
        let mut world = self.sim.world.lock();
        let found = world.rooms.get_mut(&request.room).and_then(|r| r.participants.get_mut(&request.identity));
        let Some(p) = found else { return fail(&Failure::new(404, "not_found", NOBODY)) };
        if let Some(permission) = request.permission {
            p.is_publisher = permission.can_publish;
            if !permission.can_publish {
                p.tracks.clear();
            }
            p.permission = Some(permission);
        }
        self.ok(p)
    }

    pub fn update_subscriptions(&self) -> Response {
        let request: proto::UpdateSubscriptionsRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        if self.may_admin(&request.room) { self.ok(&proto::UpdateSubscriptionsResponse {}) } else { denied() }
    }
}

/// The far end hangs up, for the call goes on elsewhere.
fn hang_up(shared: &Arc<Shared>, room: &str, sid: &str) {
    {
        let mut world = shared.world.lock();
        let found = world.rooms.get_mut(room).and_then(|r: &mut Room| r.participants.values_mut().find(|p| p.sid == sid));
        let Some(p) = found else { return };
        p.attributes.insert("sip.callStatus".to_owned(), "hangup".to_owned());
        if let Some(leg) = world.legs.get(sid) {
            leg.cut.send_replace(Some(Cut::Leave(Leave::ClientInitiated)));
        }
    }
    leg::leave(shared, sid, Leave::ClientInitiated);
}

/// Somebody comes by token, as a LiveKit client does; answers their identity.
///
/// # Errors
/// In words, when the token lets nobody in.
pub fn join(shared: &Arc<Shared>, token: &str) -> Result<String, String> {
    let claims = TokenVerifier::with_api_key(&shared.config.api_key, &shared.config.api_secret).verify(token).map_err(|e| e.to_string())?;
    let (grants, identity) = (claims.video, claims.sub);
    if !grants.room_join || identity.is_empty() {
        return Err("permissions denied".to_owned());
    }
    let mut world = shared.world.lock();
    let now = shared.clock.now();
    let permission = proto::ParticipantPermission {
        can_subscribe: grants.can_subscribe.unwrap_or(true),
        can_publish: grants.can_publish.unwrap_or(true),
        can_publish_data: grants.can_publish_data.unwrap_or(true),
        hidden: grants.hidden,
        ..Default::default()
    };
    let p = proto::ParticipantInfo {
        sid: id("PA_"),
        identity: identity.clone(),
        kind: Kind::Standard as i32,
        state: State::Active as i32,
        joined_at: now.timestamp(),
        joined_at_ms: now.timestamp_millis(),
        permission: Some(permission),
        ..Default::default()
    };
    let about = room_json(&world, &grants.room);
    let Some(room) = world.rooms.get_mut(&grants.room) else { return Err("requested room does not exist".to_owned()) };
    room.changes += 1;
    room.participants.insert(identity.clone(), p.clone());
    emit(shared, &mut world, &grants.room, "participant_joined", &about, Some(&participant_json(&p, None)));
    Ok(identity)
}

/// Who came by token goes.
pub fn leave(shared: &Arc<Shared>, identity: &str) {
    let found = {
        let world = shared.world.lock();
        world.rooms.values().find_map(|r| r.participants.get(identity)).map(|p| p.sid.clone())
    };
    if let Some(sid) = found {
        leg::leave(shared, &sid, Leave::ClientInitiated);
    }
}
