//! Recording by LiveKit's egress service: the sound of a room, mixed, into one file.

use livekit_api::services::egress::{EgressListFilter, EgressListOptions, EgressOutput, RoomCompositeOptions};
use livekit_protocol as proto;

use super::LiveKit;
use crate::{
    domain::{recording::Stage, text::clean},
    telephony::carrier::{CarrierError, Egress, RecordingPlace},
};

impl LiveKit {
    pub(super) async fn start_egress(&self, room: String, file: String, place: RecordingPlace) -> Result<Egress, CarrierError> {
        let output = place.bucket.map(|b| {
            proto::encoded_file_output::Output::S3(proto::S3Upload {
                access_key: b.access_key,
                secret: b.secret.reveal().to_owned(),
                region: b.region,
                // A bucket elsewhere than at Amazon stands in the path.
                force_path_style: !b.endpoint.is_empty(),
                endpoint: b.endpoint,
                bucket: b.name,
                ..Default::default()
            })
        });
        let to = proto::EncodedFileOutput {
            file_type: proto::EncodedFileType::Ogg as i32,
            filepath: format!("{}{file}.ogg", place.prefix),
            disable_manifest: true,
            output,
        };
        let options = RoomCompositeOptions { audio_only: true, ..Default::default() };
        match self.api.egress().start_room_composite_egress(&room, vec![EgressOutput::File(to)], options).await {
            Ok(info) => Ok(info.into()),
            Err(e) => Err(self.explain(e).await),
        }
    }

    pub(super) async fn list_egress(&self, room: String) -> Result<Vec<Egress>, CarrierError> {
        let of_room = EgressListOptions { filter: EgressListFilter::Room(room), ..Default::default() };
        match self.api.egress().list_egress(of_room).await {
            Ok(list) => Ok(list.into_iter().map(Egress::from).collect()),
            Err(e) => Err(self.explain(e).await),
        }
    }
}

impl From<proto::EgressInfo> for Egress {
    fn from(info: proto::EgressInfo) -> Self {
        use proto::EgressStatus;
        let stage = match EgressStatus::try_from(info.status) {
            Ok(EgressStatus::EgressComplete | EgressStatus::EgressLimitReached) => Stage::Completed,
            Ok(EgressStatus::EgressFailed | EgressStatus::EgressAborted) => Stage::Failed,
            Ok(EgressStatus::EgressStarting | EgressStatus::EgressActive | EgressStatus::EgressEnding) | Err(_) => Stage::InProgress,
        };
        let file = info.file_results.into_iter().next();
        Self {
            id: info.egress_id,
            stage,
            url: file.as_ref().map(|f| f.location.clone()).filter(|l| !l.is_empty()),
            // Nanoseconds.
            seconds: file.map(|f| f.duration / 1_000_000_000),
            error: clean(&info.error, 300),
        }
    }
}
