//! What may be dialled at all: the do-not-call list, the kill switch, the terms.

use std::io::BufReader;

use axum::{
    Json,
    body::Bytes,
    extract::{Multipart, Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Api, ApiError,
    auth::{Admin, Supervisor, Viewer},
    body::{self, Paging},
    contacts::{region_of, spool},
};
use crate::{
    desk::TERMS,
    domain::{FieldError, phone::PhoneNumber},
    store::Setting,
};

type Answer = Result<Response, ApiError>;

fn number(api: &Api, text: &str) -> Result<PhoneNumber, ApiError> {
    let region = region_of(api.defaults.region.as_deref())?;
    let parsed = PhoneNumber::parse(text, region);
    parsed.map(|p| p.number).map_err(|e| ApiError::Unprocessable(vec![FieldError::new("number", e.to_string())]))
}

pub async fn list(State(api): State<Api>, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
    let (limit, offset) = paging.limits();
    let page = api.desk.store().do_not_call(caller.owner, limit, offset).await?;
    Ok(Json(json!({ "success": true, "doNotCall": page.rows, "total": page.total })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(alias = "phoneNumber")]
    number: String,
    #[serde(default)]
    reason: String,
}

pub async fn add(State(api): State<Api>, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let entry: Entry = body::json(&headers, &bytes)?;
    let number = number(&api, &entry.number)?;
    let new = api.desk.add_do_not_call(caller.actor(), number.clone(), crate::domain::text::clean(&entry.reason, 500)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "success": true, "number": number, "new": new }))).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reason {
    reason: String,
}

pub async fn lift(State(api): State<Api>, Admin(caller): Admin, Path(text): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let number = number(&api, &text).map_err(|_| ApiError::NotFound("number"))?;
    let Reason { reason } = body::optional(&headers, &bytes)?;
    if api.desk.remove_do_not_call(caller.actor(), number.clone(), crate::domain::text::clean(&reason, 500)).await? {
        return Ok(Json(json!({ "success": true, "message": format!("{number} may be called again") })).into_response());
    }
    Err(ApiError::NotFound("number"))
}

pub async fn import(State(api): State<Api>, Supervisor(caller): Supervisor, mut form: Multipart) -> Answer {
    let (mut region, mut national) = (api.defaults.region.clone(), false);
    loop {
        let field = form.next_field().await.map_err(|e| ApiError::Invalid(e.body_text()))?;
        let Some(mut field) = field else { return Err(ApiError::Invalid("the form has no file field \"csvFile\"".to_owned())) };
        match field.name().unwrap_or_default() {
            "region" => region = Some(field.text().await.map_err(|e| ApiError::Invalid(e.body_text()))?),
            "national" => national = field.text().await.map_err(|e| ApiError::Invalid(e.body_text()))? == "true",
            "csvFile" => {
                let region = region_of(region.as_deref())?;
                let (file, _) = spool(&mut field).await?;
                let report = api.desk.import_do_not_call(caller.actor(), BufReader::new(file), region, national).await?;
                return Ok((StatusCode::CREATED, Json(json!({ "success": true, "report": report }))).into_response());
            }
            _ => {}
        }
    }
}

async fn switch(api: &Api) -> Answer {
    let on = api.desk.store().kill_switch().await?;
    let reason = api.desk.store().setting(Setting::KillSwitchReason).await?.unwrap_or_default();
    Ok(Json(json!({ "success": true, "killSwitch": { "on": on, "reason": reason } })).into_response())
}

pub async fn kill_switch(State(api): State<Api>, Viewer(_): Viewer) -> Answer {
    switch(&api).await
}

pub async fn kill(State(api): State<Api>, Supervisor(caller): Supervisor) -> Answer {
    api.desk.kill_switch(caller.actor(), true).await?;
    switch(&api).await
}

pub async fn revive(State(api): State<Api>, Admin(caller): Admin) -> Answer {
    api.desk.kill_switch(caller.actor(), false).await?;
    switch(&api).await
}

pub async fn terms(State(api): State<Api>, Viewer(_): Viewer) -> Answer {
    Ok(Json(json!({ "success": true, "terms": TERMS, "accepted": api.desk.terms().await? })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

pub async fn accept(State(api): State<Api>, Admin(caller): Admin, headers: HeaderMap, bytes: Bytes) -> Answer {
    let Name { name } = body::json(&headers, &bytes)?;
    let accepted = api.desk.accept_terms(caller.actor(), name).await?;
    Ok((StatusCode::CREATED, Json(json!({ "success": true, "accepted": accepted }))).into_response())
}
