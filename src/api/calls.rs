//! One call: shown with its timeline, tagged, reported on, hung up.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{
    Api, ApiError, Caller, Role,
    auth::{Operator, Viewer},
    body, rows,
};
use crate::{
    desk::SetOutcome,
    domain::{
        FieldError,
        id::{CallId, OwnerId},
        outcome::{Line, Outcome, Report, Who},
        recording::Stage,
    },
    store::CallRow,
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

pub async fn show(State(api): State<Api>, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OutcomeRequest {
    outcome: String,
    notes: Option<String>,
    #[serde(alias = "callback_at")]
    callback_at: Option<DateTime<Utc>>,
    confidence: Option<f64>,
}

pub async fn outcome(State(api): State<Api>, caller: Caller, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
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

pub async fn report(State(api): State<Api>, caller: Caller, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
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

pub async fn hangup(State(api): State<Api>, Operator(caller): Operator, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let row = own(&api, caller.owner, &id).await?;
    drop(bytes);
    api.desk.hang_up(caller.actor(), row.id).await?;
    let row = own(&api, caller.owner, &id).await?;
    Ok(Json(json!({ "success": true, "message": "hang-up requested", "call": rows::call(&row) })).into_response())
}
