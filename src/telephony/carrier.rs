//! What the engine asks of a telephone network. One implementation speaks LiveKit; the simulator is
//! a LiveKit to it, not a second implementation.

use std::{collections::HashMap, pin::Pin};

use chrono::{DateTime, Utc};

use crate::{
    config::Secret,
    domain::{
        event::{AgentReport, LegStatus, Reply},
        outcome::Outcome,
        recording::Stage,
    },
};

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The identity every callee's leg has: one room a call, so one callee a room.
pub const CALLEE: &str = "callee";

/// How the identities of all supervisors begin, by phone or by token.
pub const SUPERVISOR: &str = "supervisor";

/// Permission to send one dial request, minted before the arm commit and short-lived, so that the
/// server itself refuses a request that comes late.
pub struct Ticket(pub(super) String);

/// One dial, complete: nothing is left to a default of the server's.
#[derive(Debug, Clone)]
pub struct DialRequest {
    pub trunk: String,
    pub number: String,
    pub caller_id: String,
    pub room: String,
    pub contact_name: String,
    pub ring_timeout: std::time::Duration,
    pub max_call_duration: std::time::Duration,
    /// How long the reply is waited for.
    pub timeout: std::time::Duration,
}

/// A supervisor's own phone, rung into the room of a call.
#[derive(Debug, Clone)]
pub struct SecondLeg {
    pub trunk: String,
    pub number: String,
    pub caller_id: String,
    pub room: String,
    /// Of [`SUPERVISOR`] and more: never the callee's.
    pub identity: String,
    pub ring_timeout: std::time::Duration,
    pub max_call_duration: std::time::Duration,
    pub timeout: std::time::Duration,
}

/// What came of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transferred {
    /// The callee's carrier took it: the leg leaves by itself.
    Accepted,
    Refused {
        sip_code: Option<i64>,
        reason: String,
    },
    /// Certainly not: the request was not sent, or not valid.
    Failed {
        reason: String,
    },
    /// Timed out, or the reply was lost: says nothing about the phone.
    Unknown {
        reason: String,
    },
}

/// Whether a participant was muted, or unmuted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Muted {
    Yes,
    /// It has published no audio (yet), or is not there.
    NoVoice,
}

/// An agent that was asked for in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    pub id: String,
    pub agent: String,
}

/// Lets somebody into a room. The token is a secret.
pub struct JoinToken {
    /// Where a LiveKit client connects to.
    pub url: String,
    pub token: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantKind {
    /// A phone.
    Sip,
    Agent,
    Other,
}

/// Somebody in a room.
#[derive(Debug, Clone)]
pub struct Participant {
    pub sid: String,
    pub identity: String,
    pub kind: ParticipantKind,
    /// Joined and its media is up.
    pub active: bool,
    pub attributes: HashMap<String, String>,
}

impl Participant {
    /// Whether it is the person called (not a supervisor's phone).
    #[must_use]
    pub fn is_callee(&self) -> bool {
        self.kind == ParticipantKind::Sip && self.identity == CALLEE
    }

    /// Whether it is somebody who listens, or speaks for the house.
    #[must_use]
    pub fn is_supervisor(&self) -> bool {
        self.kind != ParticipantKind::Agent && self.identity.starts_with(SUPERVISOR)
    }

    #[must_use]
    pub fn is_phone(&self) -> bool {
        self.kind == ParticipantKind::Sip
    }

    /// The number of a phone.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.attributes.get("sip.phoneNumber").map(String::as_str)
    }

    #[must_use]
    pub fn is_any_agent(&self) -> bool {
        self.kind == ParticipantKind::Agent
    }

    /// Whether it is an agent of that worker, or one that does not say.
    #[must_use]
    pub fn is_agent(&self, name: &str) -> bool {
        self.kind == ParticipantKind::Agent && self.attributes.get("lk.agent_name").is_none_or(|n| n == name)
    }

    /// Whether an agent could be heard. One of LiveKit's framework tells that it is still setting itself up; of any
    /// other its presence is all that is told, and a word between two looks is told by none.
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        self.attributes.get("lk.agent.state").is_none_or(|s| s != "initializing")
    }

    #[must_use]
    pub fn leg_status(&self) -> Option<LegStatus> {
        self.attributes.get("sip.callStatus").and_then(|s| LegStatus::parse(s))
    }

    /// Twilio's id of the call, where the trunk tells it.
    #[must_use]
    pub fn call_sid(&self) -> Option<String> {
        self.attributes.get("sip.twilio.callSid").filter(|s| !s.is_empty()).cloned()
    }

    /// What the agent reports by attributes on itself.
    #[must_use]
    pub fn report(&self) -> AgentReport {
        report(&self.attributes)
    }
}

/// Reads `dd.*` attributes.
#[must_use]
pub fn report(attributes: &HashMap<String, String>) -> AgentReport {
    let text = |key: &str, max| attributes.get(key).map(|v| crate::domain::text::clean(v, max)).filter(|v| !v.is_empty());
    let outcome: Option<Outcome> = attributes.get("dd.outcome").and_then(|v| v.parse().ok());
    AgentReport {
        outcome,
        strange: text("dd.outcome", 60).filter(|_| outcome.is_none()),
        summary: text("dd.summary", 4000),
        answered_by: text("dd.answered_by", 20).filter(|v| matches!(v.as_str(), "human" | "machine" | "unknown")),
        callback_at: attributes.get("dd.callback_at").and_then(|v| v.parse().ok()),
    }
}

/// Whether a room was there to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    Yes,
    /// No such room. Says nothing while a dial to it may still be on its way.
    NotThere,
    /// LiveKit cannot find where the room lives: the rows of a dead session, or a Redis that lost its
    /// data while the two talk on. [`Carrier::lives`] tells which.
    Astray,
}

/// An outbound trunk at LiveKit. Never its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trunk {
    pub trunk_id: String,
    pub name: String,
    pub address: String,
    pub numbers: Vec<String>,
    pub metadata: String,
    /// Whose login it has; empty for one without.
    pub username: String,
}

/// An outbound trunk to be made.
#[derive(Debug, Clone)]
pub struct NewTrunk {
    pub name: String,
    pub address: String,
    pub number: String,
    pub username: String,
    pub password: Secret,
    /// `auto`, `udp`, `tcp` or `tls`.
    pub transport: String,
    pub metadata: String,
}

/// Where recordings are put.
#[derive(Debug, Clone, Default)]
pub struct RecordingPlace {
    /// Before the file's name; a folder ends with `/`.
    pub prefix: String,
    /// `None`: as LiveKit's egress itself is configured.
    pub bucket: Option<Bucket>,
}

/// A bucket that speaks S3.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    pub name: String,
    pub access_key: String,
    pub secret: crate::config::Secret,
    pub region: String,
    pub endpoint: String,
}

/// A recording that LiveKit makes, or has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    pub id: String,
    pub stage: Stage,
    pub url: Option<String>,
    pub seconds: Option<i64>,
    pub error: String,
}

/// Why the network could not be asked. Each is another sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    #[error("LiveKit connection failed: nothing answers at {host} ({why}). Check LIVEKIT_HOST and that the server runs")]
    Unreachable { host: String, why: String },
    #[error("LiveKit connection failed: {host} refuses our key or secret. Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET")]
    Login { host: String },
    #[error("LiveKit connection failed: {host} is no LiveKit server (its answer is not LiveKit's). Check LIVEKIT_HOST")]
    Route { host: String },
    #[error("LiveKit has no SIP service: livekit-sip is not running on the server's Redis, or is overloaded")]
    NoSip,
    /// It was understood, and LiveKit will not do it: nothing is wrong with the connection.
    #[error("LiveKit refuses: {0}")]
    Refused(String),
    #[error("LiveKit connection failed: {0}")]
    Other(String),
}

/// A telephone network.
pub trait Carrier: Send + Sync + 'static {
    /// Mints permission for one dial. Before the arm commit, never after.
    ///
    /// # Errors
    /// When no token can be signed.
    fn ticket(&self) -> Result<Ticket, CarrierError>;

    /// Sends one dial request, once, and waits for its end. Whatever goes wrong is an answer.
    fn dial(&self, ticket: Ticket, request: DialRequest) -> Answer<'_, Reply>;

    /// Asks for an agent in a room. An answer says nothing: the agent is there when it is seen.
    fn dispatch(&self, room: String, agent: String, metadata: String) -> Answer<'_, Result<(), CarrierError>>;

    /// What agents were asked for in a room that lives.
    fn dispatches(&self, room: String) -> Answer<'_, Result<Vec<Dispatch>, CarrierError>>;

    /// Hands the callee of a room over to a `tel:` address, and waits until the carrier says what came of it.
    fn transfer(&self, room: String, to: String, within: std::time::Duration) -> Answer<'_, Transferred>;

    /// Rings a supervisor's phone, once, and waits for its end. As [`Carrier::dial`], whatever goes wrong is an answer.
    fn ring_in(&self, ticket: Ticket, leg: SecondLeg) -> Answer<'_, Reply>;

    /// Mutes what a participant says, or lets it be heard again.
    fn mute(&self, room: String, identity: String, muted: bool) -> Answer<'_, Result<Muted, CarrierError>>;

    /// Takes one participant out of a room. One that is not there is gone already.
    fn remove(&self, room: String, identity: String) -> Answer<'_, Result<(), CarrierError>>;

    /// A token that lets somebody listen, unseen and unheard, who comes within `ttl`.
    ///
    /// # Errors
    /// When no token can be signed.
    fn join_token(&self, room: String, identity: String, ttl: std::time::Duration) -> Result<JoinToken, CarrierError>;

    /// Who is in a room. A room that is not there is empty.
    fn look(&self, room: String) -> Answer<'_, Result<Vec<Participant>, CarrierError>>;

    /// Names of the rooms that exist, of those asked for; all when none is named.
    fn rooms(&self, names: Vec<String>) -> Answer<'_, Result<Vec<String>, CarrierError>>;

    fn delete_room(&self, room: String) -> Answer<'_, Result<Deleted, CarrierError>>;

    /// Whether a room's session answers, whatever is listed of it: a host that died leaves its rows.
    fn lives(&self, room: String) -> Answer<'_, Result<bool, CarrierError>>;

    fn trunks(&self) -> Answer<'_, Result<Vec<Trunk>, CarrierError>>;

    /// Makes a trunk. Not idempotent: look for a matching one first.
    fn create_trunk(&self, trunk: NewTrunk) -> Answer<'_, Result<Trunk, CarrierError>>;

    /// Whether the server can be reached and takes our key.
    fn check(&self) -> Answer<'_, Result<(), CarrierError>>;

    /// The server's time of day; `None` where it has no clock of its own, or does not say.
    fn time(&self) -> Answer<'_, Result<Option<DateTime<Utc>>, CarrierError>>;

    /// Begins to record what is heard in a room, into a file of that name. Not idempotent: ask for those there are
    /// first where it may have been asked for.
    fn record(&self, room: String, file: String, place: RecordingPlace) -> Answer<'_, Result<Egress, CarrierError>> {
        let _ = (room, file, place);
        Box::pin(async { Err(CarrierError::Other("this network records nothing".to_owned())) })
    }

    /// The recordings of a room, also of one that is over.
    fn recordings(&self, room: String) -> Answer<'_, Result<Vec<Egress>, CarrierError>> {
        let _ = room;
        Box::pin(async { Ok(Vec::new()) })
    }
}
