//! Campaigns: their rows, how they stand, and what a start finds.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{ContactSource, ExecutionStatus, Weekday};

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
