//! What is done to a call that goes on: handed over, muted.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use livekit_api::services::{LiveKitApi, ServerError, ServerErrorCode, ServiceError};
use livekit_protocol::TrackType;

use crate::{
    domain::text::clean,
    telephony::carrier::{Muted, Transferred},
};

/// A server's own setting is in the way of unmuting.
pub const NO_UNMUTE: &str = "it does not unmute for us. Set room.enable_remote_unmute: true in LiveKit's configuration";

/// A transfer that was not accepted. Only what LiveKit itself says of the SIP answer, or of the request, is certain.
pub fn transferred(error: &ServiceError) -> Transferred {
    let ServiceError::Twirp(ServerError::Twirp(e)) = error else {
        let connect = matches!(error, ServiceError::Twirp(ServerError::Request(e)) if e.is_connect());
        let reason = if connect { "LiveKit cannot be reached" } else { "no answer" }.to_owned();
        return if connect { Transferred::Failed { reason } } else { Transferred::Unknown { reason } };
    };
    let words = clean(e.msg.strip_prefix("twirp error unknown: ").unwrap_or(&e.msg), 300);
    if let Some(sip_code) = e.meta.get("sip_status_code") {
        return Transferred::Refused { sip_code: sip_code.parse().ok(), reason: words };
    }
    match e.code.as_str() {
        ServerErrorCode::INVALID_ARGUMENT | ServerErrorCode::NOT_FOUND | ServerErrorCode::UNAUTHENTICATED | ServerErrorCode::BAD_ROUTE => {
            Transferred::Failed { reason: words }
        }
        ServerErrorCode::PERMISSION_DENIED => Transferred::Refused { sip_code: None, reason: words },
        _ => Transferred::Unknown { reason: words },
    }
}

/// Mutes every voice of a participant, or lets it be heard again.
pub async fn mute(api: &LiveKitApi, room: &str, identity: &str, muted: bool) -> Result<Muted, ServiceError> {
    let here = api.room().list_participants(room).await?;
    let tracks = here.into_iter().filter(|p| p.identity == identity).flat_map(|p| p.tracks);
    let mut done = Muted::NoVoice;
    for track in tracks.filter(|t| t.r#type == TrackType::Audio as i32) {
        if track.muted != muted {
            // livekit-api panics over an answer without a track.
            let asked = AssertUnwindSafe(api.room().mute_published_track(room, identity, &track.sid, muted)).catch_unwind().await;
            let Ok(asked) = asked else { continue };
            asked?;
        }
        done = Muted::Yes;
    }
    Ok(done)
}
