//! What may be asked of a live call, and what came of it. The row comes first, an engine acts on it, the
//! asker waits on the row.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Hangup,
    /// The carrier takes the callee to another number (SIP REFER); the call goes on without us.
    Transfer,
    /// A supervisor hears the call: by their own phone, or by a token for a `LiveKit` client.
    Listen,
    /// An agent is brought into the call's room.
    Dispatch,
}

impl Kind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => "hangup",
            Self::Transfer => "transfer",
            Self::Listen => "listen",
            Self::Dispatch => "dispatch",
        }
    }
}

/// What is certain of a request that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Done,
    /// Somebody said no: a gate, the carrier, the phone that was rung.
    Refused,
    /// It certainly did not happen.
    Failed,
    /// Nobody knows, and it is not done again.
    Unknown,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub fate: Fate,
    pub words: String,
    /// What the asker is told beside it. Never a secret.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub details: serde_json::Value,
}

impl Verdict {
    pub fn new(fate: Fate, words: impl Into<String>) -> Self {
        Self { fate, words: words.into(), details: serde_json::Value::Null }
    }

    #[must_use]
    pub fn with(self, details: serde_json::Value) -> Self {
        Self { details, ..self }
    }
}
