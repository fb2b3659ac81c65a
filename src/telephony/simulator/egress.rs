//! Egress, as far as a caller sees it: a recording of a room that is there, active until the room is over.

use axum::response::Response;
use livekit_protocol as proto;

use super::{
    leg::Failure,
    server::{Call, denied, fail},
    world::id,
};

const NANOS: i64 = 1_000_000_000;

impl Call {
    pub(super) fn start_egress(&self) -> Response {
        if !self.claims.video.room_record {
            return denied();
        }
        let request: proto::RoomCompositeEgressRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        let Some(output) = request.file_outputs.into_iter().next() else {
            return fail(&Failure::new(400, "invalid_argument", "request has missing or invalid field: output"));
        };
        let now = self.sim.clock.now();
        let mut world = self.sim.world.lock();
        if !world.rooms.contains_key(&request.room_name) {
            return fail(&Failure::new(404, "not_found", "requested room does not exist"));
        }
        let info = proto::EgressInfo {
            egress_id: id("EG_"),
            room_name: request.room_name,
            status: proto::EgressStatus::EgressStarting as i32,
            started_at: now.timestamp() * NANOS,
            file_results: vec![proto::FileInfo { filename: output.filepath, ..Default::default() }],
            ..Default::default()
        };
        world.egresses.push(info.clone());
        world.note(now, format!("egress {} of {} audio_only={}", info.egress_id, info.room_name, request.audio_only));
        self.ok(&info)
    }

    pub(super) fn list_egress(&self) -> Response {
        if !self.claims.video.room_record {
            return denied();
        }
        let request: proto::ListEgressRequest = match self.read() {
            Ok(r) => r,
            Err(response) => return response,
        };
        let now = self.sim.clock.now().timestamp() * NANOS;
        let mut guard = self.sim.world.lock();
        let world = &mut *guard;
        for e in &mut world.egresses {
            if world.rooms.contains_key(&e.room_name) {
                e.status = proto::EgressStatus::EgressActive as i32;
            } else if e.status != proto::EgressStatus::EgressComplete as i32 {
                (e.status, e.ended_at) = (proto::EgressStatus::EgressComplete as i32, now);
                for file in &mut e.file_results {
                    file.location = format!("https://bucket.example/{}", file.filename);
                    file.duration = now - e.started_at;
                }
            }
        }
        let wanted = |e: &&proto::EgressInfo| {
            (request.room_name.is_empty() || request.room_name == e.room_name) && (request.egress_id.is_empty() || request.egress_id == e.egress_id)
        };
        let items = world.egresses.iter().filter(wanted).cloned().collect();
        self.ok(&proto::ListEgressResponse { items, ..Default::default() })
    }
}
