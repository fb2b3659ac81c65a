//! Calls that somebody asks for: each a row of the queue that an engine takes at once, by the same gates as any
//! other. The answer comes when a phone may be ringing, or with the gate that was closed.

use axum::{
    Json,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::Duration;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Api, ApiError, Caller, auth::Supervisor, body, calls::carried_out, once::Key};
use crate::{
    desk::{Ask, ByHand, DeskError, call_of_room},
    domain::{
        FieldError,
        dispatch::Gate,
        id::{AssistantId, CampaignId},
        phone::{self, Parsed, PhoneNumber},
        script,
        text::clean,
    },
    store::CallRow,
};

type Answer = Result<Response, ApiError>;

/// The longest name of a contact, letters.
const LONGEST_NAME: usize = 200;
/// An agent comes within `[engine] agent_wait`, or does not.
const AGENT: Duration = Duration::seconds(30);

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InitiateRequest {
    campaign_id: Option<String>,
    phone_number: Option<String>,
    contact_name: Option<String>,
    assistant_id: Option<String>,
    from_number: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateCallRequest {
    assistant_id: Option<String>,
    phone_number: Option<String>,
    campaign_id: Option<String>,
    contact_name: Option<String>,
    campaign_prompt: Option<String>,
}

/// Room, identity and name are the call's own whatever is asked; dial tone and noise filter are the trunk's.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "what the documented front end sends and nothing here goes by")]
struct CreateParticipantRequest {
    outbound_trunk_id: Option<String>,
    phone_number: Option<String>,
    room_name: Option<String>,
    participant_identity: Option<String>,
    participant_name: Option<String>,
    assistant_id: Option<String>,
    campaign_id: Option<String>,
    contact_name: Option<String>,
    #[serde(default)]
    wait_until_answered: bool,
    play_dialtone: Option<bool>,
    krisp_enabled: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DispatchRequest {
    room_name: Option<String>,
    assistant_id: Option<String>,
    campaign_id: Option<String>,
    #[serde(default)]
    contact_info: Map<String, Value>,
}

/// Fields read one by one, so that every complaint is told at once.
#[derive(Default)]
struct Fields(Vec<FieldError>);

impl Fields {
    fn id<T: std::str::FromStr>(&mut self, field: &'static str, text: Option<&str>) -> Option<T> {
        let parsed = text.filter(|t| !t.trim().is_empty()).map(str::parse)?;
        parsed.map_err(|_| self.0.push(FieldError::new(field, "is no UUID"))).ok()
    }

    fn number(&mut self, api: &Api, text: Option<&str>) -> Option<Parsed> {
        let region = api.defaults.region.as_deref().and_then(|r| phone::region(r).ok());
        let parsed = PhoneNumber::parse(text.unwrap_or_default(), region);
        parsed.map_err(|e| self.0.push(FieldError::new("phoneNumber", e.to_string()))).ok()
    }

    fn name(&mut self, text: Option<&str>) -> String {
        let text = text.unwrap_or_default().trim();
        if text.chars().count() > LONGEST_NAME {
            self.0.push(FieldError::new("contactName", format!("is longer than {LONGEST_NAME} characters")));
        }
        clean(text, LONGEST_NAME)
    }

    fn needed<T>(&mut self, field: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && self.0.iter().all(|e| e.field != field) {
            self.0.push(FieldError::new(field, "is missing"));
        }
        value
    }

    /// What was asked for, or every complaint.
    fn ask(self, number: Option<Parsed>, ask: impl FnOnce(Parsed) -> ByHand) -> Result<ByHand, ApiError> {
        match number {
            Some(number) if self.0.is_empty() => Ok(ask(number)),
            _ => Err(ApiError::Unprocessable(self.0)),
        }
    }
}

fn nobody(api: &Api, number: Parsed, key: Option<String>) -> ByHand {
    let timezone = api.defaults.timezone;
    ByHand { campaign: None, assistant: None, trunk: None, number, contact_name: String::new(), from: None, prompt: None, timezone, key }
}

/// Asks for the call, and waits until it is on its way.
async fn dial(api: &Api, caller: &Caller, ask: ByHand) -> Result<CallRow, ApiError> {
    api.buckets.initiate(caller.owner)?;
    let call = api.desk.call_by_hand(caller.actor(), ask).await.map_err(refused)?;
    api.desk.dialled(call).await.map_err(refused)
}

/// A gate that is ours to mend is no refusal: nothing can be done for anybody.
fn refused(e: DeskError) -> ApiError {
    match e {
        DeskError::Refused(r) if r.gate == Gate::Engine.word() => ApiError::Unavailable(r.message),
        e => e.into(),
    }
}

/// Runs in one piece: a client that goes away must not leave a call behind that nobody takes back.
async fn whole(act: impl Future<Output = Answer> + Send + 'static) -> Answer {
    tokio::spawn(act).await.map_err(|e| ApiError::Internal(e.to_string()))?
}

/// One per key, where there is one.
async fn once(api: Api, key: Key, route: &'static str, bytes: Bytes, act: impl Future<Output = Answer> + Send + 'static) -> Answer {
    whole(async move { key.once(&api, route, &bytes, act).await }).await
}

fn place(row: &CallRow) -> [(header::HeaderName, String); 1] {
    [(header::LOCATION, format!("/api/v1/outbound-calls/{}", row.id))]
}

pub async fn initiate(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let key = Key::of(&caller, &headers)?;
    let r: InitiateRequest = body::json(&headers, &bytes)?;
    let mut fields = Fields::default();
    let campaign: Option<CampaignId> = fields.id("campaignId", r.campaign_id.as_deref());
    let campaign = fields.needed("campaignId", campaign);
    let assistant: Option<AssistantId> = fields.id("assistantId", r.assistant_id.as_deref());
    let from = r.from_number.as_deref().filter(|f| !f.trim().is_empty()).map(PhoneNumber::own);
    let from = from.and_then(|f| f.map_err(|e| fields.0.push(FieldError::new("fromNumber", e.to_string()))).ok());
    let contact_name = fields.name(r.contact_name.as_deref());
    let number = fields.number(&api, r.phone_number.as_deref());
    let text = key.text();
    let ask = fields.ask(number, |number| ByHand { campaign, assistant, contact_name, from, ..nobody(&api, number, text) })?;
    let on = api.clone();
    once(api, key, "POST /outbound-calls/initiate", bytes, async move {
        let row = dial(&on, &caller, ask).await?;
        let body = json!({ "success": true, "campaignCallId": row.id, "roomName": row.room_name, "status": row.state.wire(), "callSid": row.call_sid });
        Ok((StatusCode::ACCEPTED, place(&row), Json(body)).into_response())
    })
    .await
}

pub async fn create_call(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let key = Key::of(&caller, &headers)?;
    let r: CreateCallRequest = body::json(&headers, &bytes)?;
    let mut fields = Fields::default();
    let assistant: Option<AssistantId> = fields.id("assistantId", r.assistant_id.as_deref());
    let assistant = fields.needed("assistantId", assistant);
    let campaign: Option<CampaignId> = fields.id("campaignId", r.campaign_id.as_deref());
    let contact_name = fields.name(r.contact_name.as_deref());
    let prompt = r.campaign_prompt.filter(|p| !p.trim().is_empty());
    fields.0.extend(prompt.as_deref().and_then(|p| script::complaint("campaignPrompt", p)));
    let number = fields.number(&api, r.phone_number.as_deref());
    let text = key.text();
    let ask = fields.ask(number, |number| ByHand { campaign, assistant, contact_name, prompt, ..nobody(&api, number, text) })?;
    let on = api.clone();
    once(api, key, "POST /livekit/outbound-calls/create-call", bytes, async move {
        let row = dial(&on, &caller, ask).await?;
        let body = json!({ "success": true, "callId": row.id, "roomName": row.room_name, "status": row.state.wire() });
        Ok((place(&row), Json(body)).into_response())
    })
    .await
}

pub async fn create_participant(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let key = Key::of(&caller, &headers)?;
    let r: CreateParticipantRequest = body::json(&headers, &bytes)?;
    let mut fields = Fields::default();
    let campaign: Option<CampaignId> = fields.id("campaignId", r.campaign_id.as_deref());
    let mut assistant: Option<AssistantId> = fields.id("assistantId", r.assistant_id.as_deref());
    let trunk = r.outbound_trunk_id.filter(|t| !t.trim().is_empty());
    if let Some(trunk) = &trunk {
        let of_trunk = api.desk.store().assistant_of_trunk(caller.owner, trunk).await?;
        if of_trunk.is_none() {
            fields.0.push(FieldError::new("outboundTrunkId", "is no trunk of yours that an assistant calls by: GET /livekit/outbound-calls/trunks lists them"));
        }
        assistant = assistant.or(of_trunk.filter(|_| campaign.is_none()));
    }
    let contact_name = fields.name(r.contact_name.as_deref());
    let number = fields.number(&api, r.phone_number.as_deref());
    let text = key.text();
    let ask = fields.ask(number, |number| ByHand { campaign, assistant, trunk, contact_name, ..nobody(&api, number, text) })?;
    let (on, wait) = (api.clone(), r.wait_until_answered);
    once(api, key, "POST /livekit/outbound-calls/create-participant", bytes, async move {
        let mut row = dial(&on, &caller, ask).await?;
        if wait {
            row = on.desk.settled(row.id, Duration::seconds(row.ring_timeout_s + 20)).await?;
        }
        let participant = json!({
            "participantId": row.participant_sid, "roomName": row.room_name, "status": row.state.wire(), "sipCallTo": row.phone_number,
            "sipNumber": row.caller_id, "callId": row.id,
        });
        Ok((place(&row), Json(json!({ "success": true, "participant": participant }))).into_response())
    })
    .await
}

pub async fn dispatch_agent(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let r: DispatchRequest = body::json(&headers, &bytes)?;
    let mut fields = Fields::default();
    let assistant: Option<AssistantId> = fields.id("assistantId", r.assistant_id.as_deref());
    let assistant = fields.needed("assistantId", assistant);
    let campaign: Option<CampaignId> = fields.id("campaignId", r.campaign_id.as_deref());
    let room = fields.needed("roomName", r.room_name).unwrap_or_default();
    // Of what is told of the contact the name alone is handed on: existing workers dial when they see a number.
    let contact_name = fields.name(r.contact_info.get("name").and_then(Value::as_str));
    if !fields.0.is_empty() {
        return Err(ApiError::Unprocessable(fields.0));
    }
    let own = match call_of_room(&room) {
        Some(call) => api.desk.store().call(caller.owner, call).await?,
        None => None,
    };
    let call = own.filter(|c| c.room_name.as_deref() == Some(room.as_str())).ok_or(ApiError::NotFound("room"))?;
    if campaign.is_some_and(|id| id != call.campaign_id) {
        return Err(ApiError::Unprocessable(vec![FieldError::new("campaignId", "is not the campaign of this room's call: leave it out")]));
    }
    let assistants = api.desk.store().assistants(caller.owner).await?;
    let Some(assistant) = assistants.into_iter().find(|a| Some(a.id) == assistant) else {
        return Err(ApiError::Unprocessable(vec![FieldError::new("assistantId", "no such assistant")]));
    };
    let ask = Ask::Dispatch { agent: assistant.agent_name, contact_name };
    let id = api.desk.ask(caller.actor(), call.id, ask).await?;
    let done = api.desk.answered(id, AGENT).await?;
    carried_out(&done, |details| json!({ "result": { "id": details["dispatchId"], "agentName": details["agentName"], "roomName": room } }))
}
