//! Calls: their rows, their stories, and what is asked of them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{CallStatus, Outcome};

#[derive(Serialize, ToSchema)]
pub struct Call {
    id: Uuid,
    campaign_id: Uuid,
    contact_id: Option<Uuid>,
    contact_name: String,
    contact_email: String,
    phone_number: String,
    status: CallStatus,
    /// The exact state
    phase: String,
    outcome: Option<Outcome>,
    /// The agent's, until somebody decides
    suggestion: Option<Outcome>,
    /// Seconds
    call_duration: i64,
    notes: String,
    attempt: i64,
    room_name: Option<String>,
    call_sid: Option<String>,
    sip_code: Option<i64>,
    reason: String,
    recording_url: Option<String>,
    started_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct CallStory {
    #[serde(flatten)]
    row: Call,
    timeline: Vec<Told>,
    report: Option<Report>,
    /// `not recorded`, or how far the best recording is
    recording_status: String,
    recording_reason: Option<String>,
    recordings: Vec<Recording>,
    requests: Vec<Request>,
    /// What allowed the dial, and who did what
    evidence: Vec<Evidence>,
}

/// The agent's, or an operator's
#[derive(Serialize, ToSchema)]
pub struct Report {
    summary: Option<String>,
    answered_by: Option<String>,
    transcript: Option<Vec<Value>>,
    who: String,
    by: String,
    at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct Recording {
    sid: String,
    source: String,
    status: String,
    url: Option<String>,
    /// Seconds
    duration: Option<i64>,
    reason: String,
    created_at: DateTime<Utc>,
}

/// One thing that was told of a call
#[derive(Serialize, ToSchema)]
pub struct Told {
    at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    source: String,
    event: Value,
    /// The state it moved the call to
    moved_to: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Evidence {
    at: DateTime<Utc>,
    actor: String,
    source: String,
    action: String,
    details: Value,
}

/// What was asked of a call by whom, and what came of it
#[derive(Serialize, ToSchema)]
pub struct Request {
    id: Value,
    kind: String,
    asked_by: String,
    at: DateTime<Utc>,
    done_at: Option<DateTime<Utc>>,
    /// `open`, `done`, `refused`, `failed` or `unknown`
    status: String,
    message: Option<String>,
}

/// What was asked of a call, and what came of it
#[derive(Serialize, ToSchema)]
pub struct Asked {
    id: Value,
    kind: String,
    /// `open`, `done` or `unknown`
    status: String,
    message: String,
}
