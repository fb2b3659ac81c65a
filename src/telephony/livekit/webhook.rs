//! LiveKit's webhooks: signature over the exact bytes, then a tolerant reading. A value this
//! release does not know is stored, never refused: a server upgrade must not stop the facts.

use base64::Engine;
use chrono::{DateTime, Duration, Utc};
use livekit_api::access_token::TokenVerifier;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    domain::event::{CallEvent, Kind, Leave, LegStatus, Source, Target},
    telephony::{
        carrier::{CALLEE, report},
        tokens,
    },
};

/// Keys that may have signed: several during a rotation.
#[derive(Clone, Default)]
pub struct WebhookKeys(Vec<(String, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("no LiveKit key is configured: webhooks cannot be checked")]
    NoKeys,
    #[error("the signature is missing or wrong")]
    Signature,
    #[error("the body is no LiveKit event")]
    Body,
}

impl WebhookKeys {
    #[must_use]
    pub fn new(keys: Vec<(String, String)>) -> Self {
        tokens::install();
        Self(keys)
    }

    /// Checks the signature and reads the event.
    ///
    /// # Errors
    /// When it is not signed by us, or is no event at all.
    pub fn receive(&self, authorization: &str, body: &[u8], now: DateTime<Utc>) -> Result<CallEvent, WebhookError> {
        if self.0.is_empty() {
            return Err(WebhookError::NoKeys);
        }
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(body));
        let token = authorization.strip_prefix("Bearer ").unwrap_or(authorization);
        let signed = self.0.iter().any(|(key, secret)| TokenVerifier::with_api_key(key, secret).verify(token).is_ok_and(|c| c.sha256 == hash));
        if !signed {
            return Err(WebhookError::Signature);
        }
        let event: Value = serde_json::from_slice(body).map_err(|_| WebhookError::Body)?;
        Ok(decode(event, &hash, now))
    }
}

/// An event in our words. `hash` of the body stands in for an id that is missing.
fn decode(mut event: Value, hash: &str, now: DateTime<Utc>) -> CallEvent {
    drop_secrets(&mut event);
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = text("/id");
    let room = text("/room/name");
    let at = event
        .pointer("/createdAt")
        .and_then(|v| v.as_str().and_then(|s| s.parse().ok()).or_else(|| v.as_i64()))
        .and_then(|s| DateTime::from_timestamp(s, 0))
        .map_or(now, |second| within(second, now));
    CallEvent {
        key: format!("livekit:{}", if id.is_empty() { hash } else { &id }),
        target: if room.is_empty() { Target::None } else { Target::Room(room) },
        source: Source::Livekit,
        at,
        kind: kind(&event),
        raw: event,
    }
}

/// LiveKit writes whole seconds: what came within the same one happened until now, else in its middle.
fn within(second: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    if now < second { second } else { now.min(second + Duration::milliseconds(500)) }
}

fn kind(event: &Value) -> Kind {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let name = text("/event");
    let other = || Kind::Other { what: crate::domain::text::clean(name, 60) };
    let attribute = |key: &str| event.pointer("/participant/attributes").and_then(|a| a.get(key)).and_then(Value::as_str);
    let status = attribute("sip.callStatus").and_then(LegStatus::parse);
    let call_sid = attribute("sip.twilio.callSid").filter(|s| !s.is_empty()).map(str::to_owned);
    let sid = text("/participant/sid").to_owned();
    let callee = text("/participant/kind") == "SIP" && text("/participant/identity") == CALLEE;
    match name {
        "participant_joined" if callee => Kind::Leg { status, sid, call_sid, polled: false },
        "participant_left" | "participant_connection_aborted" if callee => {
            Kind::LegLeft { sid, reason: Leave::parse(text("/participant/disconnectReason")), status, call_sid }
        }
        "participant_left" if text("/participant/kind") == "AGENT" => {
            let attributes = event.pointer("/participant/attributes").and_then(|a| serde_json::from_value(a.clone()).ok()).unwrap_or_default();
            Kind::AgentLeft(report(&attributes))
        }
        "room_finished" => Kind::RoomFinished,
        _ => other(),
    }
}

/// The room object carries the TURN password: a secret, dropped before anything is stored.
fn drop_secrets(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| key != "turnPassword" && key != "turn_password");
            map.values_mut().for_each(drop_secrets);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_secrets),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_dropped_and_unknown_values_kept() {
        let raw = serde_json::json!({
            "event": "participant_left", "id": "EV_1", "createdAt": "1795362965",
            "room": { "name": "dd-1-x", "turnPassword": "CANARY" },
            "participant": { "sid": "PA_1", "identity": "callee", "kind": "SIP", "disconnectReason": "BRAND_NEW_REASON" }
        });
        let e = decode(raw, "h", DateTime::UNIX_EPOCH);
        assert!(!e.raw.to_string().contains("CANARY"));
        assert_eq!(e.kind, Kind::LegLeft { sid: "PA_1".into(), reason: Leave::Other, status: None, call_sid: None });
        assert_eq!(e.key, "livekit:EV_1");
    }

    #[test]
    fn a_whole_second_is_read_as_the_moment_it_most_likely_was() {
        let second = DateTime::UNIX_EPOCH;
        let at = |ms| within(second, second + Duration::milliseconds(ms)) - second;
        assert_eq!([at(120), at(900), at(8000), at(-50)].map(|t| t.num_milliseconds()), [120, 500, 500, 0]);
    }

    #[test]
    fn an_agents_last_words_are_its_leave() {
        let raw = serde_json::json!({ "event": "participant_left", "room": { "name": "r" },
            "participant": { "kind": "AGENT", "attributes": { "dd.outcome": "callback" } } });
        let Kind::AgentLeft(report) = decode(raw, "h", DateTime::UNIX_EPOCH).kind else { panic!() };
        assert_eq!(report.outcome, Some(crate::domain::outcome::Outcome::Callback));
    }

    #[test]
    fn a_supervisors_phone_is_not_the_callee() {
        let raw = serde_json::json!({ "event": "participant_left", "room": { "name": "r" }, "participant": { "identity": "supervisor", "kind": "SIP" } });
        assert_eq!(decode(raw, "h", DateTime::UNIX_EPOCH).kind, Kind::Other { what: "participant_left".into() });
    }
}
