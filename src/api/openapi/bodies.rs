//! What requests are made of. A test holds the fields to those that the handlers read.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::rows::words::{ContactSource, Outcome, Weekday};

/// A campaign's settings; what is left out keeps its default, or in a change its value.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CampaignBody {
    /// At most 200 letters; needed to make one
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Needed to make one
    assistant_id: Option<Uuid>,
    /// Inferred from the id given
    contact_source: Option<ContactSource>,
    contact_list_id: Option<Uuid>,
    csv_file_id: Option<Uuid>,
    /// The script; the assistant's prompt where it is empty. At most 32 KiB
    campaign_prompt: Option<String>,
    /// Dials a day, 100 unless given
    #[schema(minimum = 1, maximum = 1_000_000)]
    daily_cap: Option<i64>,
    #[schema(min_items = 1)]
    calling_days: Option<Vec<Weekday>>,
    #[schema(minimum = 0, maximum = 23)]
    start_hour: Option<i64>,
    /// 24 is midnight; start and end 0 set no limit of the campaign's own
    #[schema(minimum = 0, maximum = 24)]
    end_hour: Option<i64>,
    #[schema(minimum = 0, maximum = 59)]
    start_minute: Option<i64>,
    #[schema(minimum = 0, maximum = 59)]
    end_minute: Option<i64>,
    /// Area/City
    timezone: Option<String>,
    #[schema(minimum = 1, maximum = 2000)]
    max_concurrent: Option<i64>,
    /// Milliseconds between two dials, 2000 unless given
    #[schema(minimum = 0, maximum = 3_600_000)]
    call_delay_ms: Option<i64>,
    /// Seconds, 30 unless given
    #[schema(minimum = 15, maximum = 60)]
    ring_timeout: Option<i64>,
    /// Seconds, 900 unless given
    #[schema(minimum = 30, maximum = 14_400)]
    max_call_duration: Option<i64>,
    retry: Option<RetryBody>,
    /// Legal hours on each contact's own clock; false only under profile `none`
    contact_hours: Option<bool>,
    /// The agent worker; the installation's unless given
    #[schema(max_length = 100)]
    agent_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryBody {
    #[schema(minimum = 1, maximum = 10)]
    max_attempts: Option<i64>,
    #[schema(minimum = 0, maximum = 43_200)]
    no_answer_minutes: Option<i64>,
    #[schema(minimum = 0, maximum = 43_200)]
    busy_minutes: Option<i64>,
    #[schema(minimum = 0, maximum = 43_200)]
    trunk_minutes: Option<i64>,
}

/// Neither field nor body is needed.
#[derive(Serialize, ToSchema)]
pub struct NoBody {}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StopBody {
    /// Hang up live calls too
    hang_up: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "words of the document")]
pub enum Recyclable {
    NoAnswer,
    Busy,
    Voicemail,
    /// Promises that a stop broke
    Callback,
    /// Not called: the script named a field that the contact did not have
    MissingField,
}

#[derive(Serialize, ToSchema)]
pub struct RecycleBody {
    results: Vec<Recyclable>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeBody {
    outcome: Outcome,
    #[schema(max_length = 4000)]
    notes: Option<String>,
    /// When a callback is promised for
    callback_at: Option<DateTime<Utc>>,
    #[schema(minimum = 0, maximum = 1)]
    confidence: Option<f64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "words of the document")]
pub enum AnsweredBy {
    Human,
    Machine,
    Unknown,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportBody {
    #[schema(max_length = 4000)]
    summary: Option<String>,
    answered_by: Option<AnsweredBy>,
    transcript: Option<Vec<Line>>,
}

#[derive(Serialize, ToSchema)]
pub struct Line {
    role: String,
    text: String,
    at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssistantBody {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The agent worker; the installation's unless given
    #[schema(max_length = 100)]
    agent_name: Option<String>,
    prompt: Option<String>,
    /// BCP 47: en, en-US
    language: Option<String>,
    /// Kept, where it is free
    id: Option<Uuid>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssignBody {
    #[schema(min_length = 1)]
    phone_number: String,
    assistant_id: Uuid,
    /// A trunk at LiveKit that no other owner holds
    outbound_trunk_id: Option<String>,
    /// Host or host:port of SIP; else `[trunk] address`, else the number's trunk at Twilio
    address: Option<String>,
    username: Option<String>,
    password: Option<String>,
    transport: Option<Transport>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrunkBody {
    #[schema(min_length = 1)]
    phone_number: String,
    assistant_id: Uuid,
    /// Host or host:port of SIP; else `[trunk] address`, else the number's trunk at Twilio
    address: Option<String>,
    username: Option<String>,
    password: Option<String>,
    transport: Option<Transport>,
    /// The inbound trunk and its dispatch rule too
    inbound: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "words of the document")]
pub enum Transport {
    Auto,
    Udp,
    Tcp,
    Tls,
}

#[derive(Serialize, ToSchema)]
pub struct DoNotCallBody {
    #[schema(min_length = 1)]
    number: String,
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ReasonBody {
    /// Stays in the audit
    #[schema(min_length = 1)]
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub struct TermsBody {
    /// Who accepts them
    #[schema(min_length = 1)]
    name: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitiateBody {
    campaign_id: Uuid,
    #[schema(min_length = 1)]
    phone_number: String,
    contact_name: Option<String>,
    assistant_id: Option<Uuid>,
    /// One of the assistant's trunk
    from_number: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateCallBody {
    assistant_id: Uuid,
    #[schema(min_length = 1)]
    phone_number: String,
    /// Else the campaign "Manual"
    campaign_id: Option<Uuid>,
    contact_name: Option<String>,
    campaign_prompt: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateParticipantBody {
    /// One's own
    outbound_trunk_id: Option<String>,
    #[schema(min_length = 1)]
    phone_number: String,
    /// The answer has the call's own room, whatever is asked
    room_name: Option<String>,
    participant_identity: Option<String>,
    participant_name: Option<String>,
    assistant_id: Option<Uuid>,
    /// Else the campaign "Manual"
    campaign_id: Option<Uuid>,
    contact_name: Option<String>,
    /// Answer when it is answered or over
    wait_until_answered: Option<bool>,
    play_dialtone: Option<bool>,
    krisp_enabled: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DispatchBody {
    /// The room of a call of one's own
    room_name: String,
    assistant_id: Uuid,
    campaign_id: Option<Uuid>,
    /// A number or a trunk in it is dropped
    contact_info: Option<std::collections::BTreeMap<String, serde_json::Value>>,
}

#[derive(Serialize, ToSchema)]
pub struct TransferBody {
    /// A number
    to: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenBody {
    /// The supervisor's own phone, which is dialled; without it a token is answered
    phone_number: Option<String>,
    /// Both hear the supervisor
    speak: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub struct ListBody {
    /// Needed to make one
    name: Option<String>,
    description: Option<String>,
}

/// A contact, or what is to be changed of it; null empties a field
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactBody {
    /// Needed to add one
    phone_number: Option<String>,
    name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    company: Option<String>,
    notes: Option<String>,
    /// Area/City
    timezone: Option<String>,
    state: Option<String>,
    postcode: Option<String>,
    /// true counts at once, for the number
    do_not_call: Option<bool>,
    consent_at: Option<String>,
    consent_source: Option<String>,
    /// For scripts
    fields: Option<std::collections::BTreeMap<String, serde_json::Value>>,
}
