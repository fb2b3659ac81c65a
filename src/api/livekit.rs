//! Assistants, numbers and trunks.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Api, ApiError,
    auth::{Supervisor, Viewer},
    body::{self, Paging},
    rows,
};
use crate::{
    desk::AssignNumber,
    domain::{
        FieldError,
        id::AssistantId,
        phone::PhoneNumber,
        text::clean,
        trunk::{self, Login, Reach},
    },
    telephony::{Carrier, NewTrunk, Trunk},
};

type Answer = Result<Response, ApiError>;

pub async fn trunk_of(State(api): State<Api>, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
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

fn carrier(api: &Api) -> Result<&std::sync::Arc<dyn Carrier>, ApiError> {
    api.carrier.as_ref().ok_or_else(|| ApiError::Unavailable("LiveKit connection failed: no LiveKit is configured (LIVEKIT_HOST)".to_owned()))
}

pub async fn trunks(State(api): State<Api>, Viewer(caller): Viewer) -> Answer {
    let there = carrier(&api)?.trunks().await?;
    let here = api.desk.store().trunks().await?;
    let may_assign = caller.may_assign().is_ok();
    let mut out = Vec::new();
    for t in &there {
        let row = here.iter().find(|r| r.livekit_id == t.trunk_id);
        let owned = row.is_some_and(|r| r.user_id == caller.owner);
        if owned || (row.is_none() && may_assign) {
            let drift = row.filter(|r| r.address != t.address || r.numbers.0 != t.numbers).map(|_| "differs from what is stored");
            out.push(json!({ "trunkId": t.trunk_id, "name": t.name, "address": t.address, "numbers": t.numbers, "metadata": t.metadata, "owned": owned, "drift": drift }));
        }
    }
    for r in here.iter().filter(|r| r.user_id == caller.owner && !there.iter().any(|t| t.trunk_id == r.livekit_id)) {
        out.push(json!({ "trunkId": r.livekit_id, "name": r.name, "address": r.address, "numbers": r.numbers.0, "metadata": "", "owned": true, "drift": "missing at LiveKit" }));
    }
    Ok(Json(json!({ "success": true, "trunks": out })).into_response())
}

pub async fn assistants(State(api): State<Api>, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
    let (limit, offset) = paging.limits()?;
    let page = api.desk.store().assistants_page(caller.owner, limit, offset).await?;
    let out: Vec<_> = page.rows.iter().map(rows::assistant).collect();
    Ok(Json(json!({ "success": true, "total": page.total, "assistants": out })).into_response())
}

pub async fn assistant(State(api): State<Api>, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let id: AssistantId = body::id(&id, "assistant")?;
    let row = api.desk.store().assistant(caller.owner, id).await?.ok_or(ApiError::NotFound("assistant"))?;
    Ok(Json(json!({ "success": true, "assistant": rows::assistant(&row) })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AssistantRequest {
    name: String,
    agent_name: Option<String>,
    #[serde(default)]
    prompt: String,
    language: Option<String>,
    id: Option<String>,
}

pub async fn add_assistant(State(api): State<Api>, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
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

pub async fn numbers(State(api): State<Api>, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
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
    phone_number: String,
    assistant_id: String,
    outbound_trunk_id: Option<String>,
    address: Option<String>,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    transport: Option<String>,
}

pub async fn assign(State(api): State<Api>, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    caller.may_assign()?;
    let r: AssignRequest = body::json(&headers, &bytes)?;
    let mut errors = Vec::new();
    let number = PhoneNumber::own(&r.phone_number).map_err(|e| errors.push(FieldError::new("phoneNumber", e.to_string()))).ok();
    let assistant = r.assistant_id.parse::<AssistantId>().map_err(|_| errors.push(FieldError::new("assistantId", "is no UUID"))).ok();
    let (Some(number), Some(assistant)) = (number, assistant) else { return Err(ApiError::Unprocessable(errors)) };
    // Before anything is made at LiveKit: whose assistant and whose number it is.
    if !api.desk.store().assistants(caller.owner).await?.iter().any(|a| a.id == assistant) {
        return Err(ApiError::NotFound("assistant"));
    }
    if api.desk.store().number_is_anothers(caller.owner, number.as_str()).await? {
        return Err(ApiError::Conflict("the number belongs to another owner".to_owned()));
    }
    if [&r.username, &r.password].iter().any(|t| t.len() > 255 || t.chars().any(char::is_control)) {
        return Err(ApiError::Unprocessable(vec![FieldError::new("username", "and password are at most 255 characters each, without control characters")]));
    }
    if r.transport.as_deref().is_some_and(|t| !["auto", "udp", "tcp", "tls"].iter().any(|known| t.eq_ignore_ascii_case(known))) {
        return Err(ApiError::Unprocessable(vec![FieldError::new("transport", "is auto, udp, tcp or tls")]));
    }
    let address = address(&api, r.address.as_deref())?;
    let trunk = match &r.outbound_trunk_id {
        Some(id) => existing(&api, id).await?,
        None if address.is_empty() => {
            let message = "give outboundTrunkId of a trunk at LiveKit, or address (such as NAME.pstn.twilio.com), or set [trunk] address";
            return Err(ApiError::Unprocessable(vec![FieldError::new("address", message)]));
        }
        None => make(&api, &r, &number, assistant, address).await?,
    };
    let assigned = AssignNumber {
        number: number.clone(),
        assistant,
        livekit_trunk: trunk.trunk_id.clone(),
        trunk_name: trunk.name.clone(),
        address: trunk.address,
        numbers: trunk.numbers,
        inbound_trunk: None,
    };
    api.desk.assign_number(caller.actor(), assigned).await?;
    let body = json!({ "success": true, "phoneNumber": number, "assistantId": assistant, "trunk": { "outboundTrunkId": trunk.trunk_id, "outboundTrunkName": trunk.name, "phoneNumber": number } });
    Ok(Json(body).into_response())
}

/// Where the trunk is to be: as asked for, else the configured place.
fn address(api: &Api, asked: Option<&str>) -> Result<String, ApiError> {
    let own = &api.defaults.trunk_address;
    let Some(asked) = asked.filter(|a| !a.is_empty() && !a.trim().eq_ignore_ascii_case(own)) else { return Ok(own.clone()) };
    let reach = if api.desk.rules().real_phones { Reach::Outside } else { Reach::Anywhere };
    trunk::address(asked, reach).map_err(|why| ApiError::Unprocessable(vec![FieldError::new("address", why)]))
}

async fn existing(api: &Api, id: &str) -> Result<Trunk, ApiError> {
    let found = carrier(api)?.trunks().await?.into_iter().find(|t| t.trunk_id == id);
    found.ok_or_else(|| {
        ApiError::Unprocessable(vec![FieldError::new("outboundTrunkId", "LiveKit knows no such trunk: GET /livekit/outbound-calls/trunks lists them")])
    })
}

/// Adopts a trunk with this address and number, or makes one: creating is not idempotent.
async fn make(api: &Api, r: &AssignRequest, number: &PhoneNumber, assistant: AssistantId, address: String) -> Result<Trunk, ApiError> {
    let carrier = carrier(api)?;
    let _alone = api.assigning.lock().await;
    let there = carrier.trunks().await?;
    if let Some(t) = there.into_iter().find(|t| t.address.eq_ignore_ascii_case(&address) && t.numbers.iter().any(|n| n == number.as_str())) {
        return Ok(t);
    }
    let given = Login { username: &r.username, password: &r.password };
    let own = Login { username: &api.defaults.trunk_username, password: api.defaults.trunk_password.reveal() };
    let login = trunk::login(&address, given, &api.defaults.trunk_address, own);
    let new = NewTrunk {
        name: clean(&format!("dialdeck {number}"), 100),
        number: number.to_string(),
        username: login.username.to_owned(),
        password: login.password.to_owned(),
        address,
        transport: r.transport.clone().unwrap_or_default().to_ascii_lowercase(),
        metadata: json!({ "app": "dialdeck", "v": 1, "assistant_id": assistant }).to_string(),
    };
    Ok(carrier.create_trunk(new).await?)
}
