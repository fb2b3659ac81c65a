//! Webhooks: the signature over the raw bytes first, then stored, then acknowledged. The recording
//! of an event runs on its own: a teller that hangs up does not undo it.

use axum::{
    body::Bytes,
    extract::{OriginalUri, Path},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Api, ApiError};
use crate::{
    domain::event::CallEvent,
    telephony::{
        livekit::WebhookError,
        twilio::{self, Form},
    },
};

type Answer = Result<Response, ApiError>;

/// Keeps a signed fact; the teller's clock and ours may differ a little.
async fn keep(api: &Api, teller: &'static str, event: CallEvent) -> Result<(), ApiError> {
    api.buckets.webhook().inspect_err(|_| api.edges.counters.webhook(teller, "too_many"))?;
    let at = event.at;
    // The inbox's own from here on: a teller that hangs up takes nothing back.
    api.desk.record(event).await.inspect_err(|_| api.edges.counters.webhook(teller, "failed"))?;
    api.edges.counters.kept(teller, at, api.clock.now());
    Ok(())
}

/// Anybody can send these, and as fast as they like.
fn unsigned(api: &Api, teller: &'static str, words: &str) -> ApiError {
    api.edges.counters.webhook(teller, "unsigned");
    api.edges.unsigned.say(|n| {
        tracing::warn!(target: "webhook", count = n, "webhooks with a wrong or missing signature were refused, the last as from {teller}: {words}");
    });
    ApiError::Forbidden("the signature is missing or wrong".to_owned())
}

pub async fn livekit(api: Api, headers: HeaderMap, bytes: Bytes) -> Answer {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let event = api.livekit_keys.receive(authorization, &bytes, api.clock.now()).map_err(|e| match e {
        WebhookError::NoKeys => ApiError::Unavailable(e.to_string()),
        WebhookError::Signature => unsigned(&api, "livekit", "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
        WebhookError::Body => ApiError::Invalid(e.to_string()),
    })?;
    keep(&api, "livekit", event).await?;
    Ok(StatusCode::OK.into_response())
}

/// Checks Twilio's signature over the raw request target and the decoded form.
fn twilio_form(api: &Api, uri: &axum::http::Uri, headers: &HeaderMap, bytes: &[u8]) -> Result<Form, ApiError> {
    if !api.twilio.can_check() {
        return Err(ApiError::Unavailable("no Twilio token is configured, so no signature can be checked: set TWILIO_AUTH_TOKEN".to_owned()));
    }
    let form: Form = twilio::form_pairs(bytes);
    let signature = headers.get("x-twilio-signature").and_then(|h| h.to_str().ok()).unwrap_or_default();
    let target = uri.path_and_query().map_or("/", |p| p.as_str());
    if !api.twilio.verify(target, &form, signature) {
        return Err(unsigned(api, "twilio", "check TWILIO_AUTH_TOKEN and the public URL"));
    }
    Ok(form)
}

pub async fn status_callback(api: Api, OriginalUri(uri): OriginalUri, headers: HeaderMap, bytes: Bytes) -> Answer {
    let form = twilio_form(&api, &uri, &headers, &bytes)?;
    keep(&api, "twilio", twilio::status_callback(form, api.clock.now())).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Kept by the recording's own id, also of a call that is not known yet.
pub async fn recording_status(api: Api, OriginalUri(uri): OriginalUri, headers: HeaderMap, bytes: Bytes) -> Answer {
    let form = twilio_form(&api, &uri, &headers, &bytes)?;
    let news = twilio::recording_status(&form, api.clock.now()).ok_or_else(|| ApiError::Invalid("the form names no RecordingSid".to_owned()))?;
    let desk = api.desk.clone();
    let kept = tokio::spawn(async move { desk.recorded(news).await }).await;
    kept.map_err(|e| ApiError::Internal(e.to_string()))??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn room(api: Api, OriginalUri(uri): OriginalUri, Path(room): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let form = twilio_form(&api, &uri, &headers, &bytes)?;
    if api.sip_host.is_empty() {
        return Err(ApiError::Unavailable("no LiveKit is configured: set LIVEKIT_SIP_URI, or LIVEKIT_HOST, whose host is taken then".to_owned()));
    }
    // The spec has one type the placeholder itself into Twilio's console.
    let sid = form.iter().find(|(k, _)| k == "CallSid").map(|(_, v)| v.as_str()).unwrap_or_default();
    let room = if room == "{roomName}" && !sid.is_empty() { format!("in-{sid}") } else { room };
    let twiml = twilio::dial_into_room(&room, &api.sip_host).ok_or(ApiError::NotFound("room"))?;
    Ok(([(header::CONTENT_TYPE, "text/xml")], twiml).into_response())
}
