//! What answers are made of. A test holds them to what the handlers write.

#![expect(clippy::struct_field_names, reason = "names of the wire")]

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[expect(dead_code, reason = "words of the document")]
        pub enum $name { $($word),+ }
    )+};
}

words! {
    Outcome { Interested, NotInterested, Callback, DoNotCall, Voicemail, WrongNumber }
    ContactSource { ContactList, CsvFile }
    Weekday { Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday }
    ExecutionStatus { Idle, Running, Paused, Completed, Error }
    /// `phase` says it exactly
    CallStatus { Pending, Calling, Answered, Completed, Failed, NoAnswer, Busy, Canceled }
}

#[derive(Serialize, ToSchema)]
pub struct Campaign {
    id: Uuid,
    user_id: Uuid,
    name: String,
    assistant_id: Uuid,
    assistant_name: Option<String>,
    contact_source: ContactSource,
    contact_list_id: Option<Uuid>,
    contact_list_name: Option<String>,
    csv_file_id: Option<Uuid>,
    csv_file_name: Option<String>,
    daily_cap: i64,
    calling_days: Vec<Weekday>,
    start_hour: i64,
    end_hour: i64,
    start_minute: i64,
    end_minute: i64,
    timezone: String,
    /// Lists leave it out, unless `?fields=prompt` asks for it
    #[schema(nullable = false)]
    campaign_prompt: Option<String>,
    agent_name: Option<String>,
    max_concurrent: i64,
    call_delay_ms: i64,
    /// Seconds
    ring_timeout: i64,
    /// Seconds
    max_call_duration: i64,
    retry: Retry,
    contact_hours: bool,
    execution_status: ExecutionStatus,
    status_reason: String,
    next_call_at: Option<DateTime<Utc>>,
    current_daily_calls: i64,
    /// The same as `dials`: calls that reached the network
    total_calls_made: i64,
    /// The same as `pickups`
    total_calls_answered: i64,
    dials: i64,
    pickups: i64,
    interested: i64,
    not_interested: i64,
    callback: i64,
    do_not_call: i64,
    /// Seconds talked
    total_usage: i64,
    last_execution_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    max_attempts: i64,
    no_answer_minutes: i64,
    busy_minutes: i64,
    trunk_minutes: i64,
}

#[derive(Serialize, ToSchema)]
pub struct CampaignStatus {
    #[serde(flatten)]
    row: Campaign,
    stats: Stats,
    #[serde(rename = "queueStatus")]
    queue_status: QueueStatus,
    why: Why,
    waiting: Waiting,
    people: People,
}

/// Where everybody in the list stands; the parts add up to `contacts`
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct People {
    contacts: i64,
    called: i64,
    on_the_line: i64,
    waiting: i64,
    /// Those of the waiting whose phone has rung before
    again: i64,
    do_not_call: i64,
    not_reached: i64,
    /// No dial was made and none is to come; their rows say why
    turned_away: i64,
    /// Left by a stop; a new start calls them
    stopped: i64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    total: i64,
    completed: i64,
    failed: i64,
    answered: i64,
    no_answer: i64,
    busy: i64,
    interested: i64,
    not_interested: i64,
    callback: i64,
    do_not_call: i64,
    voicemail: i64,
    wrong_number: i64,
}

#[derive(Serialize, ToSchema)]
pub struct QueueStatus {
    queued: i64,
    processing: i64,
    completed: i64,
    failed: i64,
}

/// Which gate is closed, in words, and when it opens
#[derive(Serialize, ToSchema)]
pub struct Why {
    /// `open` when calls are being made
    gate: String,
    message: String,
    until: Option<DateTime<Utc>>,
}

/// The contacts left: who may be called now, who later
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    dialable_now: i64,
    later: i64,
    zones: Vec<ZoneWait>,
    do_not_call: i64,
    exhausted: i64,
    invalid: i64,
    calling_seconds: i64,
}

#[derive(Serialize, ToSchema)]
pub struct ZoneWait {
    zones: String,
    waiting: i64,
    opens: Option<DateTime<Utc>>,
}

/// What a start finds
#[derive(Serialize, ToSchema)]
pub struct Preflight {
    contacts: i64,
    do_not_call: i64,
    missing_fields: Vec<String>,
    contacts_without_fields: i64,
    dialable_now: i64,
    waiting_until: Option<DateTime<Utc>>,
    why: String,
}

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

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Null until it is known
    participant_id: Option<String>,
    room_name: Option<String>,
    status: CallStatus,
    sip_call_to: String,
    sip_number: Option<String>,
    call_id: Uuid,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dispatched {
    id: Option<String>,
    agent_name: Option<String>,
    room_name: String,
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

#[derive(Serialize, ToSchema)]
pub struct Assistant {
    id: Uuid,
    user_id: Uuid,
    name: String,
    agent_name: Option<String>,
    prompt: String,
    language: String,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct PhoneNumber {
    number: String,
    assistant_id: Option<Uuid>,
    assistant_name: Option<String>,
    outbound_trunk_id: Option<String>,
    outbound_trunk_name: Option<String>,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssistantTrunk {
    outbound_trunk_id: String,
    outbound_trunk_name: Option<String>,
    phone_number: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProvidedTrunk {
    outbound_trunk_id: String,
    outbound_trunk_name: String,
    phone_number: String,
    /// Where it has a way in
    inbound_trunk_id: Option<String>,
    dispatch_rule_id: Option<String>,
    /// What one should know though it was done
    remarks: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trunk {
    trunk_id: String,
    name: String,
    address: String,
    numbers: Vec<String>,
    metadata: String,
    /// Held by the caller; else by nobody here
    owned: bool,
    /// What differs from what is known here, in words
    drift: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Source {
    id: Uuid,
    user_id: Uuid,
    name: String,
    contact_count: i64,
    row_count: i64,
    do_not_call: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct ContactList {
    #[serde(flatten)]
    row: Source,
    description: String,
}

#[derive(Serialize, ToSchema)]
pub struct CsvFile {
    #[serde(flatten)]
    row: Source,
    /// Bytes
    file_size: Option<i64>,
    uploaded_at: DateTime<Utc>,
}

/// Figures of a CSV file
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceStats {
    total: i64,
    active: i64,
    inactive: i64,
    do_not_call: i64,
    with_phone: i64,
    with_email: i64,
    no_zone: i64,
    invalid: i64,
}

#[derive(Serialize, ToSchema)]
pub struct Contact {
    id: Uuid,
    user_id: Uuid,
    name: String,
    first_name: String,
    last_name: String,
    phone_number: String,
    /// The same
    phone: String,
    alternatives: Vec<String>,
    country: String,
    zones: String,
    timezone: Option<String>,
    state: Option<String>,
    email: String,
    company: String,
    notes: String,
    /// Columns that are fields of scripts
    fields: Value,
    do_not_call: bool,
    consent_at: Option<DateTime<Utc>>,
    consent_source: String,
    status: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[schema(nullable = false)]
    contact_list_id: Option<Uuid>,
    #[schema(nullable = false)]
    csv_file_id: Option<Uuid>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    imported: i64,
    duplicate: i64,
    invalid: i64,
    do_not_call: i64,
    no_zone: i64,
    remarked: i64,
    remarks: Vec<Remark>,
    /// New on the do-not-call list
    listed: i64,
    rejects: Vec<Remark>,
}

#[derive(Serialize, ToSchema)]
pub struct Remark {
    line: i64,
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub struct Suppressed {
    number: String,
    reason: String,
    source: String,
    created_by: String,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct ListReport {
    read: i64,
    added: i64,
    invalid: i64,
    /// The header, or a first line without a number
    #[schema(nullable = false)]
    header: Option<String>,
    /// Whose national list it was taken for
    #[schema(nullable = false)]
    country: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct KillSwitch {
    on: bool,
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub struct Accepted {
    name: String,
    at: DateTime<Utc>,
}
