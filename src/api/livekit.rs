//! Assistants, numbers and trunks.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, ApiError,
    auth::{Caller, Supervisor, Viewer},
    body::{self, Paging},
    rows,
};
use crate::{
    config::Secret,
    domain::{FieldError, id::AssistantId, phone::PhoneNumber, text::clean},
    provision::{Outbound, Place, Provided, Wish},
};

type Answer = Result<Response, ApiError>;

pub async fn trunk_of(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let id: AssistantId = body::id(&id, "assistant")?;
    let own = api.desk.store().assistants(caller.owner).await?.into_iter().any(|a| a.id == id);
    let number = if own { api.desk.store().number_of(id).await? } else { None };
    let Some(n) = number.filter(|n| n.outbound_trunk_id.is_some()) else {
        let message = "No outbound trunk found: assign a number to the assistant (POST /api/v1/phone-numbers/assign or `dialdeck number assign`)";
        let body = json!({ "success": false, "code": "not_found", "message": message });
        return Ok((StatusCode::NOT_FOUND, Json(body)).into_response());
    };
    let trunk = json!({ "outboundTrunkId": n.outbound_trunk_id, "outboundTrunkName": n.outbound_trunk_name, "phoneNumber": n.number });
    Ok(Json(json!({ "success": true, "trunk": trunk })).into_response())
}

pub async fn trunks(api: Api, Viewer(caller): Viewer) -> Answer {
    let listed = api.provision.trunks(caller.owner, caller.may_assign().is_ok()).await?;
    Ok(Json(json!({ "success": true, "trunks": listed })).into_response())
}

pub async fn assistants(api: Api, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
    let (limit, offset) = paging.limits()?;
    let page = api.desk.store().assistants_page(caller.owner, limit, offset).await?;
    let out: Vec<_> = page.rows.iter().map(rows::assistant).collect();
    Ok(Json(json!({ "success": true, "total": page.total, "assistants": out })).into_response())
}

pub async fn assistant(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let id: AssistantId = body::id(&id, "assistant")?;
    let row = api.desk.store().assistant(caller.owner, id).await?.ok_or(ApiError::NotFound("assistant"))?;
    Ok(Json(json!({ "success": true, "assistant": rows::assistant(&row) })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AssistantRequest {
    #[serde(default)]
    name: String,
    agent_name: Option<String>,
    #[serde(default)]
    prompt: String,
    language: Option<String>,
    id: Option<String>,
}

pub async fn add_assistant(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let r: AssistantRequest = body::json(&headers, &bytes)?;
    let id = match r.id.as_deref() {
        None => None,
        Some(t) => Some(t.parse().map_err(|_| ApiError::Unprocessable(vec![FieldError::new("id", "is no UUID")]))?),
    };
    let a = api.desk.add_assistant(caller.actor(), id, r.name, r.agent_name, r.prompt, r.language).await?;
    let row = rows::assistant(&a);
    let location = [(header::LOCATION, format!("/api/v1/assistants/{}", a.id))];
    Ok((StatusCode::CREATED, location, Json(json!({ "success": true, "assistant": row }))).into_response())
}

pub async fn numbers(api: Api, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
    let (limit, offset) = paging.limits()?;
    let page = api.desk.store().numbers_page(caller.owner, limit, offset).await?;
    let rows: Vec<_> = page
        .rows
        .into_iter()
        .map(|n| json!({ "number": n.number, "assistant_id": n.assistant_id, "assistant_name": n.assistant_name, "outbound_trunk_id": n.outbound_trunk_id, "outbound_trunk_name": n.outbound_trunk_name, "created_at": n.created_at }))
        .collect();
    Ok(Json(json!({ "success": true, "total": page.total, "phoneNumbers": rows })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AssignRequest {
    #[serde(default)]
    phone_number: String,
    #[serde(default)]
    assistant_id: String,
    outbound_trunk_id: Option<String>,
    #[serde(default)]
    address: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: Secret,
    #[serde(default)]
    transport: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TrunkRequest {
    #[serde(default)]
    phone_number: String,
    #[serde(default)]
    assistant_id: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: Secret,
    #[serde(default)]
    transport: String,
    /// The inbound trunk and its rule too.
    #[serde(default)]
    inbound: bool,
}

/// Whom a number is for: both are read before either is complained of.
fn parties(number: &str, assistant: &str) -> Result<(PhoneNumber, AssistantId), ApiError> {
    let mut errors = Vec::new();
    let or_missing = |text: &str, words: String| if text.trim().is_empty() { "is missing".to_owned() } else { words };
    let own = PhoneNumber::own(number).map_err(|e| errors.push(FieldError::new("phoneNumber", or_missing(number, e.to_string())))).ok();
    let id = assistant.parse().map_err(|_| errors.push(FieldError::new("assistantId", or_missing(assistant, "is no UUID".to_owned())))).ok();
    own.zip(id).ok_or(ApiError::Unprocessable(errors))
}

/// An assignment's answer: what the assistant calls by, and what it is called by.
fn trunk_json(p: &Provided, number: &PhoneNumber) -> Value {
    json!({
        "outboundTrunkId": p.trunk.trunk_id, "outboundTrunkName": clean(&p.trunk.name, 200), "phoneNumber": number,
        "inboundTrunkId": p.inbound_trunk, "dispatchRuleId": p.dispatch_rule, "remarks": p.remarks,
    })
}

pub async fn assign(api: Api, caller: Caller, headers: HeaderMap, bytes: Bytes) -> Answer {
    let r: AssignRequest = body::json(&headers, &bytes)?;
    let (number, assistant) = parties(&r.phone_number, &r.assistant_id)?;
    let place = Place { address: r.address, username: r.username, password: r.password, transport: r.transport };
    // A trunk that is there is taken as it is; else both ways are made.
    let inbound = r.outbound_trunk_id.is_none();
    let outbound = r.outbound_trunk_id.map_or(Outbound::To(place), Outbound::Existing);
    let provided = api.provision.assign(caller.actor(), Wish { assistant, number: number.clone(), outbound, inbound }).await?;
    Ok(Json(json!({ "success": true, "phoneNumber": number, "assistantId": assistant, "trunk": trunk_json(&provided, &number) })).into_response())
}

pub async fn create_trunk(api: Api, caller: Caller, headers: HeaderMap, bytes: Bytes) -> Answer {
    let r: TrunkRequest = body::json(&headers, &bytes)?;
    let (number, assistant) = parties(&r.phone_number, &r.assistant_id)?;
    let place = Place { address: r.address, username: r.username, password: r.password, transport: r.transport };
    let wish = Wish { assistant, number: number.clone(), outbound: Outbound::To(place), inbound: r.inbound };
    let provided = api.provision.assign(caller.actor(), wish).await?;
    let answer = Json(json!({ "success": true, "trunk": trunk_json(&provided, &number) }));
    if !provided.made {
        return Ok(answer.into_response());
    }
    let location = [(header::LOCATION, format!("/api/v1/livekit/outbound-calls/trunk/{assistant}"))];
    Ok((StatusCode::CREATED, location, answer).into_response())
}
