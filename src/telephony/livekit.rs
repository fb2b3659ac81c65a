//! LiveKit: the only module that speaks to it. Everything goes by livekit-api but the dial, which is
//! one raw Twirp POST, because only there a refused login is told from a garbled reply.

mod dial;
mod egress;
mod inbound;
mod room;
mod webhook;

use std::time::Duration;

use chrono::{DateTime, Utc};
use livekit_api::services::{
    LiveKitApi, ServerError, ServerErrorCode, ServiceError, ServiceResult,
    sip::{CreateSIPOutboundTrunkOptions, ListSIPOutboundTrunkFilter, TransferSIPParticipantOptions},
};
use livekit_protocol as proto;

pub use dial::{classify, read_reply, tls};
pub use inbound::{InboundTrunk, NewRule, Rule, RuleAgent};
pub use webhook::{WebhookError, WebhookKeys};

use super::carrier::{
    Answer, CALLEE, Carrier, CarrierError, Deleted, DialRequest, Dispatch, Egress, JoinToken, Muted, NewTrunk, Participant, ParticipantKind, RecordingPlace,
    SecondLeg, Ticket, Transferred, Trunk,
};
use crate::domain::text::clean;

/// Where LiveKit is and how we log in.
#[derive(Clone)]
pub struct LiveKitConfig {
    /// `http(s)://` or `ws(s)://`, as the spec writes it.
    pub host: String,
    pub api_key: String,
    pub api_secret: String,
}

pub struct LiveKit {
    api: LiveKitApi,
    raw: dial::Raw,
    host: String,
}

/// Reads and hang-ups answer within this; the dial has its own time.
const TIMEOUT: Duration = Duration::from_secs(10);

impl LiveKit {
    /// # Errors
    /// When the host is no URL.
    pub fn new(config: &LiveKitConfig) -> Result<Self, CarrierError> {
        super::tokens::install();
        let base = http_base(&config.host)?;
        // Never a replay: CreateDispatch and trunks are not idempotent, the dial does not go this way.
        let api = LiveKitApi::with_api_key(&base, &config.api_key, &config.api_secret).with_failover(false).with_request_timeout(TIMEOUT);
        let raw = dial::Raw::new(base, config)?;
        Ok(Self { api, raw, host: shown(&config.host) })
    }

    /// An answer, or why there is none.
    async fn said<T>(&self, answer: ServiceResult<T>) -> Result<T, CarrierError> {
        match answer {
            Ok(answer) => Ok(answer),
            // It was understood and refused: no fault of the connection.
            Err(ServiceError::Twirp(ServerError::Twirp(e)))
                if matches!(e.code.as_str(), ServerErrorCode::INVALID_ARGUMENT | ServerErrorCode::ALREADY_EXISTS) =>
            {
                Err(CarrierError::Refused(clean(&e.msg, 300)))
            }
            Err(e) => Err(self.explain(e).await),
        }
    }

    /// A livekit-api error in our words. A decode error hides a refused login: asked again, raw.
    async fn explain(&self, error: ServiceError) -> CarrierError {
        match error {
            ServiceError::Twirp(ServerError::Twirp(e)) => self.explain_code(&e),
            ServiceError::Twirp(ServerError::Request(e)) if e.is_decode() => self.garbled().await,
            ServiceError::Twirp(ServerError::Request(e)) => {
                let why = if e.is_timeout() { "no reply in time" } else { dial::root_cause(&e) };
                CarrierError::Unreachable { host: self.host.clone(), why: why.to_owned() }
            }
            // No text of these: it may quote a token or a secret.
            ServiceError::Twirp(ServerError::Url(_)) => CarrierError::Route { host: self.host.clone() },
            ServiceError::Twirp(ServerError::Prost(_)) => self.garbled().await,
            ServiceError::AccessToken(_) | ServiceError::Env(_) => CarrierError::Login { host: self.host.clone() },
        }
    }

    /// What nobody can read was not written by LiveKit, unless a plain question is answered in its way.
    async fn garbled(&self) -> CarrierError {
        match self.raw.probe(&self.host).await {
            Err(found) => found,
            Ok(()) => CarrierError::Other("a garbled reply".to_owned()),
        }
    }

    fn explain_code(&self, e: &ServerErrorCode) -> CarrierError {
        match e.code.as_str() {
            ServerErrorCode::UNAUTHENTICATED => CarrierError::Login { host: self.host.clone() },
            ServerErrorCode::BAD_ROUTE => CarrierError::Route { host: self.host.clone() },
            // Its own connections are to its Redis alone: an address of its network says nothing to us.
            _ if e.msg.contains("dial tcp") || e.msg.contains("redis") => CarrierError::Other(REDIS_AWAY.to_owned()),
            _ => CarrierError::Other(clean(&format!("{}: {}", e.code, e.msg), 300)),
        }
    }
}

/// TLS for the simulator's own client: reqwest wants one even where only loopback HTTP is spoken.
pub(super) fn tls_for_loopback() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_or_else(|_| unreachable!("ring has the default TLS versions"), |b| b.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

/// Said for whatever LiveKit's Redis client says.
const REDIS_AWAY: &str = "the server runs, but its Redis does not answer it. Start Redis";

fn says(error: &ServiceError, code: &str, words: &str) -> bool {
    matches!(error, ServiceError::Twirp(ServerError::Twirp(e)) if e.code == code && e.msg.contains(words))
}

fn is_code(error: &ServiceError, code: &str) -> bool {
    matches!(error, ServiceError::Twirp(ServerError::Twirp(e)) if e.code == code)
}

/// The host as an `http(s)` base.
fn http_base(host: &str) -> Result<String, CarrierError> {
    let host = host.trim().trim_end_matches('/');
    let base = [("wss://", "https://"), ("ws://", "http://")]
        .iter()
        .find_map(|(from, to)| host.strip_prefix(from).map(|rest| format!("{to}{rest}")))
        .unwrap_or_else(|| host.to_owned());
    let known = base.starts_with("http://") || base.starts_with("https://");
    if known && base.len() > 8 { Ok(base) } else { Err(CarrierError::Route { host: shown(host) }) }
}

/// The host for messages: without a login that somebody wrote into the URL.
fn shown(host: &str) -> String {
    match host.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, h)| h)),
        None => clean(host, 100),
    }
}

/// Whether the host is this machine: then no real phone is behind it but by somebody's own doing.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let rest = host.split_once("://").map_or(host, |(_, r)| r);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    let name = authority.strip_prefix('[').and_then(|a| a.split_once(']')).map_or_else(
        || authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(authority, |(h, _)| h),
        |(inner, _)| inner,
    );
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl From<proto::ParticipantInfo> for Participant {
    fn from(p: proto::ParticipantInfo) -> Self {
        use proto::participant_info::{Kind, State};
        let kind = match Kind::try_from(p.kind) {
            Ok(Kind::Sip) => ParticipantKind::Sip,
            Ok(Kind::Agent) => ParticipantKind::Agent,
            _ => ParticipantKind::Other,
        };
        Self { sid: p.sid, identity: p.identity, kind, active: p.state == State::Active as i32, attributes: p.attributes }
    }
}

impl From<proto::SipOutboundTrunkInfo> for Trunk {
    fn from(t: proto::SipOutboundTrunkInfo) -> Self {
        Self { trunk_id: t.sip_trunk_id, name: t.name, address: t.address, numbers: t.numbers, metadata: t.metadata, username: t.auth_username }
    }
}

impl Carrier for LiveKit {
    fn ticket(&self) -> Result<Ticket, CarrierError> {
        self.raw.ticket()
    }

    fn dial(&self, ticket: Ticket, request: DialRequest) -> Answer<'_, crate::domain::event::Reply> {
        Box::pin(self.raw.dial(ticket, request))
    }

    fn dispatch(&self, room: String, agent: String, metadata: String) -> Answer<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            let request = proto::CreateAgentDispatchRequest { agent_name: agent, room, metadata, ..Default::default() };
            match self.api.agent_dispatch().create_dispatch(request).await {
                Ok(_) => Ok(()),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn dispatches(&self, room: String) -> Answer<'_, Result<Vec<Dispatch>, CarrierError>> {
        Box::pin(async move {
            match self.api.agent_dispatch().list_dispatch(room).await {
                // Every room has one without a name, that brings nobody.
                Ok(list) => Ok(list.into_iter().filter(|d| !d.agent_name.is_empty()).map(|d| Dispatch { id: d.id, agent: d.agent_name }).collect()),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn transfer(&self, room: String, to: String, within: Duration) -> Answer<'_, Transferred> {
        Box::pin(async move {
            let options = TransferSIPParticipantOptions { ringing_timeout: Some(within), ..Default::default() };
            match self.api.sip().transfer_sip_participant(room, CALLEE.to_owned(), to, options).await {
                Ok(()) => Transferred::Accepted,
                Err(e) => room::transferred(&e),
            }
        })
    }

    fn ring_in(&self, ticket: Ticket, leg: SecondLeg) -> Answer<'_, crate::domain::event::Reply> {
        Box::pin(self.raw.ring_in(ticket, leg))
    }

    fn mute(&self, room: String, identity: String, muted: bool) -> Answer<'_, Result<Muted, CarrierError>> {
        Box::pin(async move {
            match room::mute(&self.api, &room, &identity, muted).await {
                Ok(done) => Ok(done),
                Err(e) if is_code(&e, ServerErrorCode::FAILED_PRECONDITION) => Err(CarrierError::Other(room::NO_UNMUTE.to_owned())),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn remove(&self, room: String, identity: String) -> Answer<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            match self.api.room().remove_participant(&room, &identity).await {
                Ok(()) => Ok(()),
                Err(e) if is_code(&e, ServerErrorCode::NOT_FOUND) => Ok(()),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn join_token(&self, room: String, identity: String, ttl: Duration) -> Result<JoinToken, CarrierError> {
        self.raw.join_token(room, &identity, ttl)
    }

    fn look(&self, room: String) -> Answer<'_, Result<Vec<Participant>, CarrierError>> {
        Box::pin(async move {
            match self.api.room().list_participants(&room).await {
                Ok(list) => Ok(list.into_iter().map(Participant::from).collect()),
                // A server with psrpc reads says so of a room that is not there.
                Err(e) if is_code(&e, ServerErrorCode::NOT_FOUND) || is_code(&e, ServerErrorCode::UNAVAILABLE) => Ok(Vec::new()),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn rooms(&self, names: Vec<String>) -> Answer<'_, Result<Vec<String>, CarrierError>> {
        Box::pin(async move {
            match self.api.room().list_rooms(names).await {
                Ok(rooms) => Ok(rooms.into_iter().map(|r| r.name).collect()),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn delete_room(&self, room: String) -> Answer<'_, Result<Deleted, CarrierError>> {
        Box::pin(async move {
            match self.api.room().delete_room(&room).await {
                Ok(()) => Ok(Deleted::Yes),
                Err(e) if is_code(&e, ServerErrorCode::NOT_FOUND) => Ok(Deleted::NotThere),
                Err(e) if says(&e, ServerErrorCode::UNKNOWN, "could not find object") => Ok(Deleted::Astray),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn lives(&self, room: String) -> Answer<'_, Result<bool, CarrierError>> {
        Box::pin(async move {
            match self.api.agent_dispatch().list_dispatch(room).await {
                Ok(_) => Ok(true),
                Err(e) if says(&e, ServerErrorCode::UNAVAILABLE, "no response from servers") => Ok(false),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn trunks(&self) -> Answer<'_, Result<Vec<Trunk>, CarrierError>> {
        Box::pin(async move {
            match self.api.sip().list_sip_outbound_trunk(ListSIPOutboundTrunkFilter::All).await {
                Ok(list) => Ok(list.into_iter().map(Trunk::from).collect()),
                Err(e) => Err(self.explain(e).await),
            }
        })
    }

    fn create_trunk(&self, new: NewTrunk) -> Answer<'_, Result<Trunk, CarrierError>> {
        Box::pin(async move {
            let transport = match new.transport.as_str() {
                "udp" => proto::SipTransport::Udp,
                "tcp" => proto::SipTransport::Tcp,
                "tls" => proto::SipTransport::Tls,
                _ => proto::SipTransport::Auto,
            };
            let options = CreateSIPOutboundTrunkOptions {
                transport,
                metadata: new.metadata,
                auth_username: new.username,
                auth_password: new.password.reveal().to_owned(),
                ..Default::default()
            };
            let made = self.api.sip().create_sip_outbound_trunk(new.name, new.address, vec![new.number], options).await;
            self.said(made).await.map(Trunk::from)
        })
    }

    fn check(&self) -> Answer<'_, Result<(), CarrierError>> {
        Box::pin(self.raw.probe(&self.host))
    }

    fn time(&self) -> Answer<'_, Result<Option<DateTime<Utc>>, CarrierError>> {
        Box::pin(async move { if is_loopback(&self.host) { Ok(None) } else { self.raw.time(&self.host).await } })
    }

    fn record(&self, room: String, file: String, place: RecordingPlace) -> Answer<'_, Result<Egress, CarrierError>> {
        Box::pin(self.start_egress(room, file, place))
    }

    fn recordings(&self, room: String) -> Answer<'_, Result<Vec<Egress>, CarrierError>> {
        Box::pin(self.list_egress(room))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_as_the_spec_writes_them() {
        assert_eq!(http_base("wss://x.livekit.cloud/"), Ok("https://x.livekit.cloud".to_owned()));
        assert_eq!(http_base("ws://127.0.0.1:7880"), Ok("http://127.0.0.1:7880".to_owned()));
        assert!(http_base("x.livekit.cloud").is_err());
        assert_eq!(shown("wss://key:secret@x.livekit.cloud"), "wss://x.livekit.cloud");
    }

    #[test]
    fn loopback_is_told_from_the_world() {
        for host in ["ws://127.0.0.1:7880", "http://localhost", "https://[::1]:7880/x", "http://127.9.9.9"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["wss://x.livekit.cloud", "http://10.0.0.1", "http://127.0.0.1@evil.example", "http://localhost.evil.example", "http://[2001:db8::1]"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
