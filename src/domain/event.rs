//! `CallEvent`: the one shape of every fact about a call, whoever tells it. LiveKit and Twilio
//! webhooks, participant polls, dial replies and deadlines all become this and enter by
//! `desk::record`, stored first under a key that makes a repeat harmless.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{id::CallId, outcome::Outcome};

#[derive(Debug, Clone, PartialEq)]
pub struct CallEvent {
    /// Unique over all time: the second arrival under a key changes nothing.
    pub key: String,
    pub target: Target,
    pub source: Source,
    /// When it happened, by the teller's clock where it has one.
    pub at: DateTime<Utc>,
    pub kind: Kind,
    /// What was received, secrets dropped, as stored for evidence.
    pub raw: serde_json::Value,
}

/// Which call an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Call(CallId),
    Room(String),
    /// Twilio's CA… id.
    CallSid(String),
    /// About no call of ours; stored all the same.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A LiveKit webhook.
    Livekit,
    /// A Twilio status callback.
    Twilio,
    /// The reply to the dial request.
    Dial,
    /// A participant poll.
    Poll,
    /// Our own deadline or restart.
    Engine,
}

impl Source {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Livekit => "livekit",
            Self::Twilio => "twilio",
            Self::Dial => "dial",
            Self::Poll => "poll",
            Self::Engine => "engine",
        }
    }
}

/// `sip.callStatus` of a leg. `automation` (answered, sending DTMF) reads as active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegStatus {
    Dialing,
    Ringing,
    Active,
    /// Ended normally after an answer.
    Hangup,
}

impl LegStatus {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "dialing" => Some(Self::Dialing),
            "ringing" => Some(Self::Ringing),
            "active" | "automation" => Some(Self::Active),
            "hangup" => Some(Self::Hangup),
            _ => None,
        }
    }
}

/// LiveKit's disconnect reason, as far as it decides anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    ClientInitiated,
    UserRejected,
    UserUnavailable,
    RoomDeleted,
    ParticipantRemoved,
    DuplicateIdentity,
    ConnectionTimeout,
    /// Any other reason, newer ones included.
    Other,
}

impl Leave {
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "CLIENT_INITIATED" => Self::ClientInitiated,
            "USER_REJECTED" => Self::UserRejected,
            "USER_UNAVAILABLE" => Self::UserUnavailable,
            "ROOM_DELETED" => Self::RoomDeleted,
            "PARTICIPANT_REMOVED" => Self::ParticipantRemoved,
            "DUPLICATE_IDENTITY" => Self::DuplicateIdentity,
            "CONNECTION_TIMEOUT" => Self::ConnectionTimeout,
            _ => Self::Other,
        }
    }
}

/// How a dial request certainly did not reach SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Our own fence: the request's token ran out before LiveKit saw it.
    TokenExpired,
    /// This host was too slow to send it: it was not sent.
    Late,
    /// Key or secret refused.
    Login,
    /// LiveKit does not know the trunk.
    Trunk,
    /// No livekit-sip on the bus, or it is over its CPU limit.
    NoSip,
    /// Nothing listens at the host.
    Unreachable,
    /// Something listens, but it is no LiveKit.
    Route,
}

/// The result of the one dial request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reply")]
pub enum Reply {
    Answered {
        participant_sid: String,
        sip_call_id: String,
    },
    /// The call failed with a SIP code or a text that classifies it.
    Ended {
        end: End,
        sip_code: Option<i64>,
        reason: String,
    },
    /// `canceled` without a SIP code: a ring-out, our own hang-up or a dead trunk; the call's own
    /// history tells which.
    TimedOut {
        reason: String,
    },
    /// Certainly never rang: the request did not reach SIP.
    Unsent {
        fault: Fault,
        reason: String,
    },
    /// The trunk turned the INVITE away by its rate or concurrency text.
    Refused {
        reason: String,
        #[serde(default)]
        sip_code: Option<i64>,
    },
    /// Lost, garbled, 5xx: nobody knows.
    Unknown {
        reason: String,
    },
}

/// How a call ended, where the carrier told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Busy,
    NoAnswer,
    Rejected,
    WrongNumber,
    /// The contact's fault or nobody's: charges the attempt.
    Failed,
    /// The trunk's fault: charges none.
    TrunkFailed,
    /// Our trunk's credentials: the campaign cannot go on.
    Misconfigured,
    Canceled,
}

/// What the agent in the call reports by attributes on itself or over REST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentReport {
    pub outcome: Option<Outcome>,
    pub summary: Option<String>,
    pub answered_by: Option<String>,
    pub callback_at: Option<DateTime<Utc>>,
    /// An outcome it told that is none of ours: kept for whoever mends the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strange: Option<String>,
}

impl AgentReport {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why the reply to a dial will never come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The deadline passed.
    #[default]
    NoReply,
    /// The task that waited for it broke down.
    TaskBroke,
    /// Our own process ended while it waited.
    Restarted,
    /// Nobody waits any more and nobody knows why.
    Forsaken,
}

impl Lost {
    /// Whose fault the doubt is: what our own death left behind says nothing of the network.
    #[must_use]
    pub fn doubt(self) -> Doubt {
        match self {
            Self::NoReply => Doubt::Network,
            Self::TaskBroke | Self::Restarted | Self::Forsaken => Doubt::Own,
        }
    }

    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoReply => "no reply to the dial in time",
            Self::TaskBroke => "the dial's task broke down",
            Self::Restarted => "the engine restarted while the call was being placed",
            Self::Forsaken => "nobody waits for the dial's reply any more",
        }
    }
}

/// Who left a call in doubt: the breaker counts what the network did, not what we did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    Network,
    Own,
}

/// Twilio's `CallStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwilioStatus {
    Queued,
    Ringing,
    InProgress,
    Completed,
    Busy,
    NoAnswer,
    Failed,
    Canceled,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Kind {
    Reply(Reply),
    /// The leg is in the room with this status. `polled`: seen just now; a webhook tells of the past.
    Leg {
        status: Option<LegStatus>,
        sid: String,
        call_sid: Option<String>,
        #[serde(default)]
        polled: bool,
    },
    LegLeft {
        sid: String,
        reason: Leave,
        status: Option<LegStatus>,
        call_sid: Option<String>,
    },
    /// Polls show the leg gone; `proven` when the agent was still listed, so the list was no empty lie.
    LegGone {
        proven: bool,
    },
    /// The leg is listed and its session is gone: the rows of a dead host. Dated to when it was last
    /// seen alive.
    SessionDead,
    /// Still in the room after its ringing timeout: somebody picked up.
    PresumedAnswered,
    /// Our hang-up, verified by a poll that lists no leg.
    HungUp,
    Report(AgentReport),
    /// The agent has left the room; its attributes were its last words.
    AgentLeft(AgentReport),
    RoomFinished,
    Twilio {
        status: TwilioStatus,
        duration: Option<i64>,
        sip_code: Option<i64>,
    },
    /// The dial's reply will never come: deadline passed or the engine died.
    ReplyLost {
        #[serde(default)]
        cause: Lost,
    },
    /// No evidence by the last possible moment.
    Horizon,
    /// The same, and the carrier's own list of calls shows none: it was never placed.
    NotListed,
    /// Stored, and says nothing about the call's state.
    Other {
        what: String,
    },
}
