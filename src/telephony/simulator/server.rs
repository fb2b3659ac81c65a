//! The Twirp endpoints: protobuf or JSON in, the same out, errors and refusals in LiveKit's words.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State as Axum},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use livekit_api::access_token::{Claims, TokenVerifier};
use livekit_protocol as proto;
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Shared, agent,
    leg::{self, Failure},
    twilio,
    webhooks::{emit, room_json},
    world::id,
};

type Sim = Arc<Shared>;

/// How late a slow reply is.
const SLOW: std::time::Duration = std::time::Duration::from_secs(40);

pub fn router(shared: Sim) -> Router {
    Router::new()
        .route("/", get(|| async { "OK" }))
        .route("/twirp/{service}/{method}", post(twirp))
        .route("/2010-04-01/Accounts/{account}/Calls.json", get(twilio::list).post(twilio::create))
        .route("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", get(twilio::numbers))
        .route("/v1/Trunks/{sid}", get(twilio::trunk))
        .route("/2010-04-01/Accounts/{account}/Recordings.json", get(twilio::recordings))
        .route("/simulator/log", get(log))
        .layer(axum::middleware::map_response_with_state(shared.clone(), dated))
        .with_state(shared)
}

/// Its own clock's time of day, as every HTTP server tells it.
async fn dated(Axum(s): Axum<Sim>, mut response: Response) -> Response {
    if let Ok(date) = s.clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse() {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn log(Axum(s): Axum<Sim>) -> Response {
    let world = s.world.lock();
    axum::Json(json!({ "invites": world.invites, "log": world.log })).into_response()
}

async fn twirp(Axum(s): Axum<Sim>, Path((service, method)): Path<(String, String)>, headers: HeaderMap, body: Bytes) -> Response {
    let mut deaths = s.deaths.subscribe();
    if s.world.lock().server_down {
        return cut();
    }
    let as_json = headers.get(header::CONTENT_TYPE).is_some_and(|c| c.as_bytes().starts_with(b"application/json"));
    let claims = match authenticate(&s, &headers) {
        Ok(claims) => claims,
        Err(words) => return (StatusCode::UNAUTHORIZED, words).into_response(),
    };
    let call = Call { sim: s.clone(), claims, body, as_json };
    tokio::select! {
        biased;
        // The server died while this waited: nobody is left to answer.
        _ = deaths.changed() => cut(),
        response = call.route(service.trim_start_matches("livekit."), &method) => response,
    }
}

/// A connection that breaks instead of an answer.
fn cut() -> Response {
    let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("server died")) });
    (StatusCode::INTERNAL_SERVER_ERROR, Body::from_stream(broken)).into_response()
}

/// The plain-text refusals of LiveKit, which quote the whole token.
fn authenticate(s: &Sim, headers: &HeaderMap) -> Result<Claims, String> {
    let token = headers.get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()).and_then(|h| h.strip_prefix("Bearer ")).unwrap_or_default();
    if token.is_empty() {
        return Err("no authorization token".to_owned());
    }
    TokenVerifier::with_api_key(&s.config.api_key, &s.config.api_secret).verify(token).map_err(|e| {
        let words = e.to_string();
        let why = match words.as_str() {
            w if w.contains("Expired") || w.contains("expired") => "token has invalid claims: token is expired",
            w if w.contains("Issuer") => return "invalid API key: other".to_owned(),
            _ => "token signature is invalid: signature is invalid",
        };
        format!("invalid token: {token}, error: {why}")
    })
}

pub(super) struct Call {
    pub(super) sim: Sim,
    pub(super) claims: Claims,
    body: Bytes,
    as_json: bool,
}

impl Call {
    async fn route(self, service: &str, method: &str) -> Response {
        match (service, method) {
            ("SIP", "CreateSIPParticipant") => self.dial().await,
            ("SIP", "TransferSIPParticipant") => self.transfer().await,
            ("SIP", "CreateSIPOutboundTrunk") => self.create_trunk(),
            ("SIP", "ListSIPOutboundTrunk") => self.list_trunks(),
            ("SIP", "UpdateSIPOutboundTrunk") => self.update_trunk(),
            ("SIP", "CreateSIPInboundTrunk") => self.create_inbound_trunk(),
            ("SIP", "ListSIPInboundTrunk") => self.list_inbound_trunks(),
            ("SIP", "CreateSIPDispatchRule") => self.create_rule(),
            ("SIP", "UpdateSIPDispatchRule") => self.update_rule(),
            ("SIP", "ListSIPDispatchRule") => self.list_rules(),
            ("RoomService", "ListRooms") => self.list_rooms(),
            ("RoomService", "ListParticipants") => self.list_participants(),
            ("RoomService", "GetParticipant") => self.get_participant(),
            ("RoomService", "DeleteRoom") => self.delete_room(),
            ("RoomService", "RemoveParticipant") => self.remove_participant(),
            ("RoomService", "MutePublishedTrack") => self.mute(),
            ("RoomService", "UpdateParticipant") => self.update_participant(),
            ("RoomService", "UpdateSubscriptions") => self.update_subscriptions(),
            ("AgentDispatchService", "CreateDispatch") => self.create_dispatch(),
            ("AgentDispatchService", "ListDispatch") => self.list_dispatch().await,
            ("Egress", "StartRoomCompositeEgress") => self.start_egress(),
            ("Egress", "ListEgress") => self.list_egress(),
            _ => {
                let path = format!("/twirp/livekit.{service}/{method}");
                let body =
                    json!({ "code": "bad_route", "msg": format!("no handler for path \"{path}\""), "meta": { "twirp_invalid_route": format!("POST {path}") } });
                (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
            }
        }
    }

    pub(super) fn read<T: Message + Default + DeserializeOwned>(&self) -> Result<T, Response> {
        let parsed = if self.as_json { serde_json::from_slice(&self.body).ok() } else { T::decode(self.body.clone()).ok() };
        parsed.ok_or_else(|| fail(&Failure::new(400, "malformed", "the request could not be decoded")))
    }

    pub(super) fn ok<T: Message + Serialize>(&self, reply: &T) -> Response {
        if self.as_json { axum::Json(reply).into_response() } else { ([(header::CONTENT_TYPE, "application/protobuf")], reply.encode_to_vec()).into_response() }
    }

    async fn dial(self) -> Response {
        if !self.claims.sip.call {
            return denied();
        }
        let request: proto::CreateSipParticipantRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        if request.sip_call_to.is_empty() {
            return fail(&Failure::new(400, "invalid_argument", "missing sip callee number"));
        }
        if request.room_name.is_empty() {
            return fail(&Failure::new(400, "invalid_argument", "missing room name"));
        }
        let trunk = self.sim.world.lock().trunks.iter().find(|t| t.sip_trunk_id == request.sip_trunk_id).cloned();
        let Some(trunk) = trunk else {
            return fail(&Failure::new(404, "not_found", "requested sip trunk does not exist"));
        };
        let (lost, slow) = {
            let faults = self.sim.faults.lock().clone();
            let mut world = self.sim.world.lock();
            (world.chance(faults.lost_reply), world.chance(faults.slow_reply))
        };
        let result = leg::dial(&self.sim, request, trunk).await;
        if slow {
            self.sim.sleep(SLOW).await;
        }
        if lost {
            return cut();
        }
        match result {
            Ok(Ok(info)) => self.ok(&info),
            Ok(Err(failure)) => fail(&failure),
            Err(_) => cut(),
        }
    }

    fn list_rooms(&self) -> Response {
        if !self.claims.video.room_list {
            return denied();
        }
        let request: proto::ListRoomsRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        let world = self.sim.world.lock();
        if world.redis_down {
            return redis_error();
        }
        let wanted = |name: &String| request.names.is_empty() || request.names.contains(name);
        let rooms = world
            .rooms
            .iter()
            .filter(|(name, room)| wanted(name) && !room.away)
            .map(|(name, r)| proto::Room {
                sid: r.sid.clone(),
                name: name.clone(),
                creation_time: r.created.timestamp(),
                turn_password: "CANARY-turn-password".to_owned(),
                ..Default::default()
            })
            .collect();
        self.ok(&proto::ListRoomsResponse { rooms })
    }

    fn list_participants(&self) -> Response {
        let request: proto::ListParticipantsRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        if !self.may_admin(&request.room) {
            return denied();
        }
        let world = self.sim.world.lock();
        if world.redis_down {
            return redis_error();
        }
        let participants = world.rooms.get(&request.room).filter(|r| !r.lost).map(|r| r.participants.values().cloned().collect()).unwrap_or_default();
        self.ok(&proto::ListParticipantsResponse { participants })
    }

    fn get_participant(&self) -> Response {
        let request: proto::RoomParticipantIdentity = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        let world = self.sim.world.lock();
        match world.rooms.get(&request.room).filter(|r| !r.lost).and_then(|r| r.participants.get(&request.identity)) {
            Some(p) => self.ok(p),
            None => fail(&Failure::new(404, "not_found", "twirp error unknown: participant does not exist")),
        }
    }

    fn delete_room(&self) -> Response {
        if !self.claims.video.room_create {
            return denied();
        }
        let request: proto::DeleteRoomRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        let mut world = self.sim.world.lock();
        match world.rooms.get(&request.room) {
            _ if world.redis_down => redis_error(),
            None => fail(&Failure::new(404, "not_found", "twirp error unknown: requested room does not exist")),
            // It is in no map of nodes, whether it lives or not.
            Some(r) if r.lost || r.dead => fail(&Failure::new(500, "unknown", "could not find object")),
            Some(_) => {
                leg::close(&self.sim, &mut world, &request.room, "ROOM_DELETED");
                self.ok(&proto::DeleteRoomResponse {})
            }
        }
    }

    fn remove_participant(&self) -> Response {
        let request: proto::RoomParticipantIdentity = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        let found = self.sim.world.lock().rooms.get(&request.room).and_then(|r| r.participants.get(&request.identity)).map(|p| p.sid.clone());
        let Some(sid) = found else {
            return fail(&Failure::new(404, "not_found", "twirp error unknown: participant does not exist"));
        };
        if let Some(leg) = self.sim.world.lock().legs.get(&sid) {
            leg.cut.send_replace(Some(super::world::Cut::Leave(crate::domain::event::Leave::ParticipantRemoved)));
        }
        leg::leave(&self.sim, &sid, crate::domain::event::Leave::ParticipantRemoved);
        self.ok(&proto::RemoveParticipantResponse {})
    }

    fn create_dispatch(&self) -> Response {
        let request: proto::CreateAgentDispatchRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        if !self.may_admin(&request.room) {
            return denied();
        }
        let now = self.sim.clock.now();
        let dispatch = |name: &str, metadata: &str| proto::AgentDispatch {
            id: id("AD_"),
            agent_name: name.to_owned(),
            room: request.room.clone(),
            metadata: metadata.to_owned(),
            state: Some(proto::AgentDispatchState { created_at: now.timestamp_nanos_opt().unwrap_or(0), ..Default::default() }),
            ..Default::default()
        };
        let made = dispatch(&request.agent_name, &request.metadata);
        {
            let mut world = self.sim.world.lock();
            if world.ensure_room(&request.room, now) {
                let about = room_json(&world, &request.room);
                emit(&self.sim, &mut world, &request.room, "room_started", &about, None);
                if let Some(room) = world.rooms.get_mut(&request.room) {
                    // Every room carries an automatic dispatch without a name.
                    room.dispatches.push(dispatch("", ""));
                }
            }
            if let Some(room) = world.rooms.get_mut(&request.room) {
                room.dispatches.push(made.clone());
            }
        }
        agent::dispatched(&self.sim, request.room.clone(), request.agent_name.clone(), request.metadata.clone());
        self.ok(&made)
    }

    async fn list_dispatch(self) -> Response {
        let request: proto::ListAgentDispatchRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        if self.sim.world.lock().redis_down {
            return redis_error();
        }
        // Asked of the session itself, not of rows.
        let found = self.sim.world.lock().rooms.get(&request.room).filter(|r| !r.dead).map(|r| r.dispatches.clone());
        if let Some(agent_dispatches) = found {
            self.ok(&proto::ListAgentDispatchResponse { agent_dispatches })
        } else {
            self.sim.sleep(std::time::Duration::from_secs(3)).await;
            fail(&Failure::new(503, "unavailable", "twirp error unknown: no response from servers"))
        }
    }

    /// Trunks and rules want this of a token.
    pub(super) fn sip_admin(&self) -> Result<(), Response> {
        if self.claims.sip.admin { Ok(()) } else { Err(denied()) }
    }

    pub(super) fn may_admin(&self, room: &str) -> bool {
        self.claims.video.room_admin && (self.claims.video.room.is_empty() || self.claims.video.room == room)
    }
}

pub(super) fn denied() -> Response {
    fail(&Failure::new(401, "unauthenticated", "permissions denied"))
}

fn redis_error() -> Response {
    fail(&Failure::new(500, "unknown", "dial tcp 127.0.0.1:6379: connect: connection refused"))
}

pub(super) fn fail(f: &Failure) -> Response {
    let mut body = json!({ "code": f.code, "msg": f.msg });
    if let (Some((code, text)), Some(map)) = (&f.sip, body.as_object_mut()) {
        map.insert("meta".to_owned(), json!({ "sip_status": text, "sip_status_code": code.to_string() }));
    }
    (StatusCode::from_u16(f.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), axum::Json(body)).into_response()
}
