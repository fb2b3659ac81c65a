//! One call: shown with its timeline, tagged, reported on; hung up, handed over, listened to.

use axum::{
    Json,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{
    Api, ApiError, Caller, Role,
    auth::{Operator, Supervisor, Viewer},
    body, rows,
};
use crate::{
    desk::{Ask, NOBODY, SetOutcome, TOKEN_TTL},
    domain::{
        FieldError,
        id::{CallId, OwnerId},
        outcome::{Line, Outcome, Report, Who},
        phone::{self, Parsed, PhoneNumber},
        recording::Stage,
        request::Fate,
    },
    store::{CallRow, RequestRow},
};

type Answer = Result<Response, ApiError>;

async fn own(api: &Api, owner: OwnerId, id: &str) -> Result<CallRow, ApiError> {
    let id: CallId = body::id(id, "call")?;
    api.desk.store().call(owner, id).await?.ok_or(ApiError::NotFound("call"))
}

/// Operators and the agent of this very call.
async fn taggable(api: &Api, caller: &Caller, id: &str) -> Result<CallRow, ApiError> {
    let row = own(api, caller.owner, id).await?;
    match caller.role {
        Role::Agent if caller.call == Some(row.id) => Ok(row),
        Role::Agent => Err(ApiError::NotFound("call")),
        Role::Viewer => Err(ApiError::Forbidden("this needs the role operator".to_owned())),
        Role::Operator | Role::Supervisor | Role::Admin => Ok(row),
    }
}

pub async fn show(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let row = own(&api, caller.owner, &id).await?;
    let timeline: Vec<_> = api
        .desk
        .store()
        .timeline(row.id)
        .await?
        .into_iter()
        .map(|e| json!({ "at": e.at, "received_at": e.received_at, "source": e.source, "event": e.kind.0, "moved_to": e.applied }))
        .collect();
    let mut call = rows::call(&row);
    if let Some(map) = call.as_object_mut() {
        map.insert("timeline".to_owned(), timeline.into());
        let requests: Vec<_> = api.desk.store().requests_of(row.id).await?.iter().map(request).collect();
        map.insert("requests".to_owned(), requests.into());
        map.insert("report".to_owned(), json!(api.desk.store().report(row.id).await?));
        let recordings = api.desk.store().recordings(&row).await?;
        let best = recordings.iter().find(|r| r.status == Stage::Completed).or(recordings.first());
        map.insert("recording_status".to_owned(), best.map_or("not recorded", |r| r.status.words()).into());
        map.insert("recording_reason".to_owned(), json!(api.desk.store().recording_reason(row.id).await?.filter(|w| !w.is_empty())));
        map.insert("recordings".to_owned(), json!(recordings));
        map.insert("evidence".to_owned(), json!(api.desk.store().audit_of(caller.owner, row.id.0).await?));
    }
    Ok(Json(json!({ "success": true, "call": call })).into_response())
}

/// What was asked of the call.
fn request(r: &RequestRow) -> serde_json::Value {
    let verdict = r.result.as_ref().map(|v| &v.0);
    let status = verdict.map_or(json!("open"), |v| json!(v.fate));
    json!({ "id": r.id, "kind": r.kind, "asked_by": r.asked_by, "at": r.at, "done_at": r.done_at, "status": status, "message": verdict.map(|v| &v.words) })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OutcomeRequest {
    #[serde(default)]
    outcome: String,
    notes: Option<String>,
    #[serde(alias = "callback_at")]
    callback_at: Option<DateTime<Utc>>,
    confidence: Option<f64>,
}

pub async fn outcome(api: Api, caller: Caller, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let row = taggable(&api, &caller, &id).await?;
    let request: OutcomeRequest = body::json(&headers, &bytes)?;
    let outcome: Result<Outcome, String> = request.outcome.parse();
    let set = SetOutcome {
        call: row.id,
        outcome: outcome.as_ref().ok().copied(),
        notes: request.notes,
        who: if caller.role == Role::Agent { Who::Agent } else { Who::Operator },
        confidence: request.confidence,
        callback_at: request.callback_at,
        expected: None,
    };
    if let Err(unknown) = outcome {
        let mut errors = vec![FieldError::new("outcome", unknown)];
        errors.extend(api.desk.complaints_of_outcome(&set));
        return Err(ApiError::Unprocessable(errors));
    }
    let tagged = api.desk.set_outcome(caller.actor(), set).await?;
    let (message, callback_at) = match tagged.promise {
        Some(p) => (format!("outcome recorded: {}", p.words), Some(p.at)),
        None => ("outcome recorded".to_owned(), None),
    };
    Ok(Json(json!({ "success": true, "message": message, "callbackAt": callback_at, "call": rows::call(&tagged.call) })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReportRequest {
    summary: Option<String>,
    answered_by: Option<String>,
    #[serde(default)]
    transcript: Vec<Line>,
}

/// Bytes of a report.
const REPORT: usize = 64 << 10;

pub async fn report(api: Api, caller: Caller, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let row = taggable(&api, &caller, &id).await?;
    if bytes.len() > REPORT {
        return Err(ApiError::TooLarge(format!("a report has at most {} KiB", REPORT >> 10)));
    }
    let r: ReportRequest = body::json(&headers, &bytes)?;
    let who = if caller.role == Role::Agent { Who::Agent } else { Who::Operator };
    let report = Report { summary: r.summary, answered_by: r.answered_by, transcript: r.transcript };
    api.desk.report(caller.actor(), row.id, report, who).await?;
    Ok(Json(json!({ "success": true, "message": "report recorded" })).into_response())
}

/// A hang-up is waited for so long; it goes on whoever waits.
const SILENT_WITHIN: Duration = Duration::seconds(3);
/// The carrier is asked for 30 s at most, a phone rings so long, and a reply takes its time.
const CARRIED_OUT_WITHIN: Duration = Duration::seconds(60);

pub async fn hangup(api: Api, Operator(caller): Operator, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let row = own(&api, caller.owner, &id).await?;
    drop(bytes);
    api.desk.hang_up(caller.actor(), row.id).await?;
    let row = api.desk.over(row.id, SILENT_WITHIN).await?;
    let message = if row.state.is_ended() { "hung up" } else { "hang-up requested" };
    Ok(Json(json!({ "success": true, "message": message, "call": rows::call(&row) })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TransferRequest {
    #[serde(default)]
    to: String,
}

pub async fn transfer(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let row = own(&api, caller.owner, &id).await?;
    let request: TransferRequest = body::json(&headers, &bytes)?;
    let to = number(&api, "to", &request.to)?;
    let asked = api.desk.ask(caller.actor(), row.id, Ask::Transfer { to }).await?;
    carried_out(&api.desk.answered(asked, CARRIED_OUT_WITHIN).await?, |_| json!({}))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListenRequest {
    phone_number: Option<String>,
    /// Both hear the supervisor; asked again without it they do not.
    #[serde(default)]
    speak: bool,
}

pub async fn listen(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let row = own(&api, caller.owner, &id).await?;
    let request: ListenRequest = body::optional(&headers, &bytes)?;
    let Some(phone) = request.phone_number else {
        if request.speak {
            return Err(ApiError::Unprocessable(vec![FieldError::new("speak", "needs phoneNumber: who comes by a token only listens")]));
        }
        return listener(&api, &caller, row.id).await;
    };
    let phone = number(&api, "phoneNumber", &phone)?;
    let asked = api.desk.ask(caller.actor(), row.id, Ask::Listen { phone, speak: request.speak }).await?;
    carried_out(&api.desk.answered(asked, CARRIED_OUT_WITHIN).await?, |details| json!({ "listener": details }))
}

/// A token that lets a LiveKit client listen. It is said once and kept nowhere.
async fn listener(api: &Api, caller: &Caller, call: CallId) -> Answer {
    let carrier = api.carrier.as_ref().ok_or_else(|| ApiError::Unavailable("LiveKit connection failed: no LiveKit is configured (LIVEKIT_HOST)".to_owned()))?;
    let place = api.desk.ask_listener(caller.actor(), call).await?;
    let ttl = TOKEN_TTL.to_std().unwrap_or_default();
    let made = carrier.join_token(place.room.clone(), place.identity.clone(), ttl)?;
    let listener = json!({ "url": made.url, "token": made.token, "roomName": place.room, "identity": place.identity, "expiresAt": place.expires_at });
    let words = "whoever has this token hears the call, unseen and unheard";
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({ "success": true, "message": words, "listener": listener }))).into_response())
}

fn number(api: &Api, field: &'static str, text: &str) -> Result<Parsed, ApiError> {
    let region = api.defaults.region.as_deref().and_then(|r| phone::region(r).ok());
    PhoneNumber::parse(text, region).map_err(|e| ApiError::Unprocessable(vec![FieldError::new(field, e.to_string())]))
}

/// What came of a request, in the envelope: done, refused with its gate, not possible now, or not known (202).
pub(super) fn carried_out(row: &RequestRow, more: impl FnOnce(&serde_json::Value) -> serde_json::Value) -> Answer {
    let told = |fate: &str, words: &str| json!({ "id": row.id, "kind": row.kind, "status": fate, "message": words });
    let accepted = |fate: &str, words: &str| {
        let body = json!({ "success": true, "message": words, "request": told(fate, words) });
        Ok((StatusCode::ACCEPTED, Json(body)).into_response())
    };
    let Some(verdict) = row.result.as_ref().map(|r| &r.0) else { return accepted("open", "it is still being done") };
    let words = verdict.words.as_str();
    match verdict.fate {
        Fate::Done => {
            let mut body = json!({ "success": true, "message": words, "request": told("done", words) });
            if let (Some(body), serde_json::Value::Object(more)) = (body.as_object_mut(), more(&verdict.details)) {
                body.extend(more);
            }
            Ok(Json(body).into_response())
        }
        Fate::Refused => Err(ApiError::Refused { message: words.to_owned(), details: verdict.details.clone() }),
        Fate::Failed if words == NOBODY || words.starts_with("LiveKit") => Err(ApiError::Unavailable(words.to_owned())),
        Fate::Failed => Err(ApiError::Conflict(words.to_owned())),
        Fate::Unknown => accepted("unknown", words),
    }
}
