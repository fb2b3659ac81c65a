//! Recordings of calls: who makes them, how far they are, and where they are put.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::id::CallId;

/// Who made a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Maker {
    Twilio,
    /// LiveKit's egress.
    Egress,
}

/// How far a recording is; it only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    InProgress,
    Completed,
    /// There is none: nothing was to be heard, or it was deleted.
    Absent,
    Failed,
}

impl Stage {
    /// Twilio's `RecordingStatus`; what it calls otherwise is on its way.
    #[must_use]
    pub fn of_twilio(word: &str) -> Self {
        match word {
            "completed" => Self::Completed,
            "absent" | "deleted" => Self::Absent,
            "failed" => Self::Failed,
            _ => Self::InProgress,
        }
    }

    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::InProgress => "in progress",
            Self::Completed => "recorded",
            Self::Absent => "not recorded",
            Self::Failed => "failed",
        }
    }
}

/// What is told of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The maker's id.
    pub sid: String,
    /// The call, where the teller knows it.
    pub call: Option<CallId>,
    pub call_sid: Option<String>,
    pub maker: Maker,
    pub stage: Stage,
    pub url: Option<String>,
    /// Seconds.
    pub duration: Option<i64>,
    pub reason: String,
    pub at: DateTime<Utc>,
}

/// A recording's address as it may be kept: a URL of the web or of a bucket, or a path, without control characters.
#[must_use]
pub fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= 2000 && !text.contains(|c: char| c.is_control() || c.is_whitespace());
    fits.then(|| text.to_owned())
}
