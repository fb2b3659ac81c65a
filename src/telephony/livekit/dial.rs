//! The dial itself: one raw Twirp POST, sent once. Its client follows no redirect, retries nothing,
//! speaks HTTP/1.1 and opens a connection of its own for each request, so that a stale one cannot
//! make a sent request look unsent.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use livekit_api::access_token::{AccessToken, SIPGrants, VideoGrants};
use livekit_protocol as proto;
use prost::Message;
use serde::Deserialize;

use super::LiveKitConfig;
use crate::{
    domain::{
        event::{End, Fault, Reply},
        text::clean,
    },
    telephony::carrier::{CALLEE, CarrierError, DialRequest, JoinToken, SecondLeg, Ticket},
};

/// A late request is refused by the server itself: measured, this fence turns 74 double rings into none.
const TICKET_TTL: Duration = Duration::from_secs(15);

/// Nothing is written later than this after the request began.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

pub struct Raw {
    client: reqwest::Client,
    base: String,
    api_key: String,
    api_secret: String,
}

const UNSIGNED: &str = "no token can be signed with this key and secret";

/// A Twirp error body.
#[derive(Debug, Deserialize)]
struct Twirp {
    code: String,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    meta: HashMap<String, String>,
}

impl Raw {
    pub fn new(base: String, config: &LiveKitConfig) -> Result<Self, CarrierError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|e| CarrierError::Other(e.without_url().to_string()))?;
        Ok(Self { client, base, api_key: config.api_key.clone(), api_secret: config.api_secret.clone() })
    }

    pub fn ticket(&self) -> Result<Ticket, CarrierError> {
        self.token(SIPGrants { call: true, ..Default::default() }, VideoGrants::default()).map(Ticket)
    }

    fn token(&self, sip: SIPGrants, video: VideoGrants) -> Result<String, CarrierError> {
        AccessToken::with_api_key(&self.api_key, &self.api_secret)
            .with_ttl(TICKET_TTL)
            .with_sip_grants(sip)
            .with_grants(video)
            .to_jwt()
            .map_err(|_| CarrierError::Other(UNSIGNED.to_owned()))
    }

    fn post(&self, service: &str, method: &str, token: &str, body: Vec<u8>) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}/twirp/livekit.{service}/{method}", self.base))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/protobuf")
            .body(body)
    }

    pub async fn dial(&self, ticket: Ticket, r: DialRequest) -> Reply {
        let timeout = r.timeout;
        self.place(ticket, r.into(), timeout).await
    }

    pub async fn ring_in(&self, ticket: Ticket, leg: SecondLeg) -> Reply {
        let timeout = leg.timeout;
        self.place(ticket, leg.into(), timeout).await
    }

    /// Hidden, and without a voice: what it may do is listen.
    pub fn join_token(&self, room: String, identity: &str, ttl: Duration) -> Result<JoinToken, CarrierError> {
        let grants = VideoGrants {
            room_join: true,
            room,
            hidden: true,
            can_subscribe: Some(true),
            can_publish: Some(false),
            can_publish_data: Some(false),
            ..Default::default()
        };
        let token = AccessToken::with_api_key(&self.api_key, &self.api_secret).with_identity(identity).with_ttl(ttl).with_grants(grants).to_jwt();
        let token = token.map_err(|_| CarrierError::Other(UNSIGNED.to_owned()))?;
        Ok(JoinToken { url: self.base.replacen("http", "ws", 1), token })
    }

    /// The one place from which a phone is made to ring.
    async fn place(&self, ticket: Ticket, request: proto::CreateSipParticipantRequest, timeout: Duration) -> Reply {
        let sent = self.post("SIP", "CreateSIPParticipant", &ticket.0, request.encode_to_vec()).timeout(timeout).send().await;
        let response = match sent {
            Ok(response) => response,
            // Before a byte of the request: certainly not dialled.
            Err(e) if e.is_connect() => return Reply::Unsent { fault: Fault::Unreachable, reason: root_cause(&e).to_owned() },
            Err(e) if e.is_timeout() => return Reply::Unknown { reason: "no reply in time".to_owned() },
            Err(e) => return Reply::Unknown { reason: root_cause(&e).to_owned() },
        };
        let status = response.status().as_u16();
        match response.bytes().await {
            Ok(body) => read_reply(status, &body),
            Err(_) => Reply::Unknown { reason: format!("the reply (HTTP {status}) broke off") },
        }
    }

    /// The server's time of day. Asked without a token: one signed by a wrong clock would be refused.
    pub async fn time(&self, host: &str) -> Result<Option<DateTime<Utc>>, CarrierError> {
        match self.client.get(format!("{}/", self.base)).timeout(Duration::from_secs(10)).send().await {
            Ok(response) => Ok(date(&response)),
            Err(e) => Err(CarrierError::Unreachable { host: host.to_owned(), why: root_cause(&e).to_owned() }),
        }
    }

    /// Asks for a list of rooms, raw, to tell a wrong key from a wrong host.
    pub async fn probe(&self, host: &str) -> Result<(), CarrierError> {
        let token = self.token(SIPGrants::default(), VideoGrants { room_list: true, ..Default::default() })?;
        let sent = self.post("RoomService", "ListRooms", &token, Vec::new()).timeout(Duration::from_secs(10)).send().await;
        let host = host.to_owned();
        match sent {
            Ok(r) if r.status().is_success() && is_livekits(&r) => Ok(()),
            Ok(r) if r.status().as_u16() == 401 => Err(CarrierError::Login { host }),
            Ok(r) if r.status().is_server_error() => Err(server_error(&host, r).await),
            Ok(_) => Err(CarrierError::Route { host }),
            Err(e) => Err(CarrierError::Unreachable { host, why: root_cause(&e).to_owned() }),
        }
    }
}

/// Whether an answer to a protobuf request is one: a web server answers 200 to anything, in HTML.
fn is_livekits(response: &reqwest::Response) -> bool {
    response.headers().get(reqwest::header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/protobuf"))
}

async fn server_error(host: &str, response: reqwest::Response) -> CarrierError {
    let status = response.status().as_u16();
    match response.bytes().await.ok().and_then(|body| serde_json::from_slice::<Twirp>(&body).ok()) {
        Some(e) if e.msg.contains("dial tcp") || e.msg.contains("redis") => CarrierError::Other(super::REDIS_AWAY.to_owned()),
        Some(_) | None => CarrierError::Other(format!("{host} answers HTTP {status}")),
    }
}

impl From<DialRequest> for proto::CreateSipParticipantRequest {
    fn from(r: DialRequest) -> Self {
        Self {
            sip_trunk_id: r.trunk,
            sip_call_to: r.number,
            sip_number: r.caller_id,
            room_name: r.room,
            participant_identity: CALLEE.to_owned(),
            participant_name: r.contact_name,
            ringing_timeout: Some(r.ring_timeout.into()),
            max_call_duration: Some(r.max_call_duration.into()),
            wait_until_answered: true,
            ..Default::default()
        }
    }
}

impl From<SecondLeg> for proto::CreateSipParticipantRequest {
    fn from(l: SecondLeg) -> Self {
        Self {
            sip_trunk_id: l.trunk,
            sip_call_to: l.number,
            sip_number: l.caller_id,
            room_name: l.room,
            participant_identity: l.identity,
            ringing_timeout: Some(l.ring_timeout.into()),
            max_call_duration: Some(l.max_call_duration.into()),
            wait_until_answered: true,
            ..Default::default()
        }
    }
}

/// The same TLS as livekit-api's own client: ring and the bundled roots.
pub fn tls() -> Result<rustls::ClientConfig, CarrierError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| CarrierError::Other(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// The `Date` that every HTTP server tells, unless it is this very machine's.
fn date(response: &reqwest::Response) -> Option<DateTime<Utc>> {
    let text = response.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    let date = DateTime::parse_from_rfc2822(text).ok()?.to_utc();
    // An address of our own can be bound, another's cannot.
    let ours = std::net::UdpSocket::bind((response.remote_addr()?.ip(), 0)).is_ok();
    (!ours).then_some(date)
}

/// A transport error in a few plain words, without URL.
pub fn root_cause(e: &reqwest::Error) -> &'static str {
    let mut source: Option<&dyn std::error::Error> = Some(e);
    let mut text = String::new();
    while let Some(s) = source {
        text.push_str(&s.to_string().to_ascii_lowercase());
        source = s.source();
    }
    [
        ("refused", "connection refused"),
        ("dns", "the name does not resolve"),
        ("resolve", "the name does not resolve"),
        ("certificate", "its certificate is not trusted"),
        ("timed out", "no reply in time"),
        ("reset", "the connection was reset"),
        ("unreachable", "the network is unreachable"),
    ]
    .iter()
    .find(|(part, _)| text.contains(part))
    .map_or("the connection broke", |(_, words)| words)
}

/// The reply to a dial, by HTTP status and body.
#[must_use]
pub fn read_reply(status: u16, body: &[u8]) -> Reply {
    if status == 200 {
        return match proto::SipParticipantInfo::decode(body) {
            Ok(p) if !p.participant_id.is_empty() => Reply::Answered { participant_sid: p.participant_id, sip_call_id: p.sip_call_id },
            _ => Reply::Unknown { reason: "a garbled reply".to_owned() },
        };
    }
    if status == 401 {
        // The text quotes the whole token: only its last words are looked at, none is kept.
        let expired = String::from_utf8_lossy(body).contains("token is expired");
        let (fault, reason) = if expired { (Fault::TokenExpired, "the request's token had expired") } else { (Fault::Login, "key or secret refused") };
        return Reply::Unsent { fault, reason: reason.to_owned() };
    }
    match serde_json::from_slice::<Twirp>(body) {
        Ok(e) => classify(&e.code, &e.msg, &e.meta),
        Err(_) if status == 404 => Reply::Unsent { fault: Fault::Route, reason: "the host is no LiveKit server".to_owned() },
        Err(_) => Reply::Unknown { reason: format!("HTTP {status} without a Twirp error") },
    }
}

/// A Twirp error of a dial: SIP code first, then the code, then the text.
#[must_use]
pub fn classify(code: &str, msg: &str, meta: &HashMap<String, String>) -> Reply {
    let words = clean(msg.strip_prefix("twirp error unknown: ").unwrap_or(msg), 300);
    if let Some(sip) = meta.get("sip_status_code").and_then(|c| c.parse::<i64>().ok()) {
        return by_sip_code(sip, meta.get("sip_status").map_or(words.as_str(), String::as_str));
    }
    let ended = |end, reason: &str| Reply::Ended { end, sip_code: None, reason: reason.to_owned() };
    let has = |part: &str| msg.contains(part);
    match code {
        "not_found" if has("trunk does not exist") || has("object cannot be found") => {
            Reply::Unsent { fault: Fault::Trunk, reason: "LiveKit knows no such trunk".to_owned() }
        }
        "bad_route" => Reply::Unsent { fault: Fault::Route, reason: "the host has no SIP API".to_owned() },
        "unauthenticated" => Reply::Unsent { fault: Fault::Login, reason: "the key may not make calls".to_owned() },
        "unavailable" if has("no response from servers") => Reply::Unsent { fault: Fault::NoSip, reason: "no SIP service answers".to_owned() },
        "unavailable" if has("cpu exhausted") => Reply::Unsent { fault: Fault::NoSip, reason: "the SIP service is overloaded".to_owned() },
        "canceled" if has("transaction failed to complete") => ended(End::TrunkFailed, "the trunk did not answer SIP"),
        "canceled" => Reply::TimedOut { reason: words },
        "failed_precondition" if has("max auth retry") || has("auth required") || has("required auth") => {
            ended(End::Misconfigured, "the trunk refuses our login or wants one")
        }
        "failed_precondition" if has("dial err=") => ended(End::TrunkFailed, trunk_away(msg)),
        "failed_precondition" => ended(End::TrunkFailed, &words),
        "invalid_argument" if has("fail to resolve target") => ended(End::TrunkFailed, "the trunk's address does not resolve"),
        _ => Reply::Unknown { reason: clean(&format!("{code}: {words}"), 300) },
    }
}

/// The trunk's address could not be connected to: the dialler's own words name addresses of LiveKit's
/// network, and nobody needs them.
fn trunk_away(msg: &str) -> &'static str {
    let lower = msg.to_ascii_lowercase();
    if lower.contains("refused") {
        "the trunk's host refuses the connection: nothing listens at its address and transport"
    } else if lower.contains("timeout") || lower.contains("timed out") {
        "the trunk's host does not answer: its address or a firewall"
    } else if lower.contains("no such host") {
        "the trunk's address does not resolve"
    } else if lower.contains("certificate") || lower.contains("tls") {
        "the trunk's host speaks no TLS that LiveKit trusts"
    } else {
        "the trunk's host cannot be reached"
    }
}

fn by_sip_code(sip: i64, text: &str) -> Reply {
    let lower = text.to_ascii_lowercase();
    let limited = lower.contains("cps limit") || lower.contains("concurrent call limit") || lower.contains("limit exceeded");
    if limited && (500..600).contains(&sip) {
        return Reply::Refused { reason: clean(text, 200), sip_code: Some(sip) };
    }
    let end = match sip {
        486 | 600 => End::Busy,
        408 | 480 => End::NoAnswer,
        404 | 410 | 484 | 604 => End::WrongNumber,
        603 | 607 | 608 => End::Rejected,
        487 => End::Canceled,
        401 | 407 => End::Misconfigured,
        // A closed country or refused credentials: the trunk's, not the contact's.
        403 | 500..=599 => End::TrunkFailed,
        _ => End::Failed,
    };
    let reason = if sip == 403 { format!("{} (country closed at the carrier, or credentials refused)", clean(text, 200)) } else { clean(text, 200) };
    Reply::Ended { end, sip_code: Some(sip), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(sip: &str, text: &str) -> HashMap<String, String> {
        [("sip_status_code".to_owned(), sip.to_owned()), ("sip_status".to_owned(), text.to_owned())].into()
    }

    #[test]
    fn a_callees_404_is_not_our_trunks() {
        let callee = classify("not_found", "twirp error unknown: INVITE failed: sip status: 404", &meta("404", "Not Found"));
        assert!(matches!(callee, Reply::Ended { end: End::WrongNumber, sip_code: Some(404), .. }));
        let ours = classify("not_found", "requested sip trunk does not exist", &HashMap::new());
        assert!(matches!(ours, Reply::Unsent { fault: Fault::Trunk, .. }));
    }

    #[test]
    fn the_rate_text_is_no_failure_of_the_contact() {
        assert!(matches!(classify("failed_precondition", "x", &meta("503", "Trunk CPS limit exceeded")), Reply::Refused { sip_code: Some(503), .. }));
        assert!(matches!(classify("failed_precondition", "x", &meta("503", "Service Unavailable")), Reply::Ended { end: End::TrunkFailed, .. }));
    }

    #[test]
    fn a_refused_login_never_keeps_the_token() {
        let body = b"invalid token: eyJhbGciOi.SECRET, error: token has invalid claims: token is expired";
        let reply = read_reply(401, body);
        assert!(matches!(&reply, Reply::Unsent { fault: Fault::TokenExpired, reason } if !reason.contains("SECRET")));
        assert!(matches!(read_reply(401, b"invalid API key: other"), Reply::Unsent { fault: Fault::Login, .. }));
    }

    #[test]
    fn a_trunk_that_cannot_be_reached_is_said_in_plain_words() {
        let msg = "twirp error unknown: transport<TCP> dial err=dial tcp :0->10.77.0.1:5098: connect: connection refused";
        let Reply::Ended { end: End::TrunkFailed, reason, .. } = classify("failed_precondition", msg, &HashMap::new()) else { panic!() };
        assert!(reason.contains("refuses the connection") && !reason.contains("10.77"), "{reason}");
    }

    #[test]
    fn what_is_not_certain_is_unknown() {
        let none = HashMap::new();
        assert!(matches!(classify("internal", "update room failed: timed out", &none), Reply::Unknown { .. }));
        assert!(matches!(classify("deadline_exceeded", "request timed out", &none), Reply::Unknown { .. }));
        assert!(matches!(read_reply(502, b"<html>bad gateway</html>"), Reply::Unknown { .. }));
        assert!(matches!(read_reply(307, b""), Reply::Unknown { .. }));
        assert!(matches!(read_reply(200, b"\xff\xff"), Reply::Unknown { .. }));
        assert!(matches!(read_reply(404, b"not here"), Reply::Unsent { fault: Fault::Route, .. }));
    }
}
