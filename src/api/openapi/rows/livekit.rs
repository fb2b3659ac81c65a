//! LiveKit's trunks and participants, assistants and numbers.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::CallStatus;

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
