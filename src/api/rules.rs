//! What may be dialled at all: the do-not-call list, the kill switch, the terms.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Api, ApiError,
    auth::{Admin, Supervisor, Viewer},
    body::{self, Paging},
    contacts::{Spooled, mapping_of, region_of, spool, unfinished},
    form::{Form, Said},
};
use crate::{
    desk::{ListImport, National, TERMS},
    domain::{FieldError, moment, phone::PhoneNumber},
    store::Setting,
};

/// Where what was added to the list is found.
const LISTED: [(header::HeaderName, &str); 1] = [(header::LOCATION, "/api/v1/do-not-call")];

type Answer = Result<Response, ApiError>;

fn number(api: &Api, text: &str) -> Result<PhoneNumber, ApiError> {
    let region = region_of(api.defaults.region.as_deref())?;
    let parsed = PhoneNumber::parse(text, region);
    parsed.map(|p| p.number).map_err(|e| ApiError::Unprocessable(vec![FieldError::new("number", e.to_string())]))
}

pub async fn list(api: Api, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
    let (limit, offset) = paging.limits()?;
    let page = api.desk.store().do_not_call(caller.owner, limit, offset).await?;
    Ok(Json(json!({ "success": true, "doNotCall": page.rows, "total": page.total })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default, alias = "phoneNumber")]
    number: String,
    #[serde(default)]
    reason: String,
}

pub async fn add(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let entry: Entry = body::json(&headers, &bytes)?;
    let number = number(&api, &entry.number)?;
    let new = api.desk.add_do_not_call(caller.actor(), number.clone(), entry.reason).await?;
    Ok((StatusCode::CREATED, LISTED, Json(json!({ "success": true, "number": number, "new": new }))).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reason {
    reason: String,
}

pub async fn lift(api: Api, Admin(caller): Admin, Path(text): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let number = number(&api, &text).map_err(|_| ApiError::NotFound("number"))?;
    let Reason { reason } = body::optional(&headers, &bytes)?;
    if api.desk.remove_do_not_call(caller.actor(), number.clone(), reason).await? {
        return Ok(Json(json!({ "success": true, "message": format!("{number} may be called again") })).into_response());
    }
    Err(ApiError::NotFound("number"))
}

pub async fn import(api: Api, Supervisor(caller): Supervisor, form: Form) -> Answer {
    let mut form = form.knowing(&["region", "map", "national", "country", "asOf", "acceptSmaller"]);
    let (mut field, said) = loop {
        if let Some(file) = form.next().await? {
            break file;
        }
    };
    let region = region_of(said.get("region").or(api.defaults.region.as_deref()))?;
    let list = ListImport { region, mapping: mapping_of(said)?, national: national_of(said)? };
    let Spooled { file, broken, .. } = spool(&mut field).await?;
    drop(field);
    if let Some(e) = broken {
        return Err(unfinished(&e));
    }
    form.end().await?;
    let report = api.desk.import_do_not_call(caller.actor(), file, list).await?;
    Ok((StatusCode::CREATED, LISTED, Json(json!({ "success": true, "report": report }))).into_response())
}

/// `national`, with the day the list is of: a list is as old as it is, not as its upload.
fn national_of(said: &Said) -> Result<Option<National>, ApiError> {
    let wrong = |field, words: &str| ApiError::Unprocessable(vec![FieldError::new(field, words)]);
    let yes = |field| match said.get(field) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(wrong(field, "is neither true nor false")),
    };
    if !yes("national")? {
        return Ok(None);
    }
    let as_of = said.get("asOf").ok_or_else(|| wrong("asOf", "of when is the national list? Write 2026-01-31"))?;
    let as_of = moment(as_of).ok_or_else(|| wrong("asOf", "is no day: write 2026-01-31"))?;
    Ok(Some(National { country: said.get("country").map(str::to_owned), as_of, smaller: yes("acceptSmaller")? }))
}

async fn switch(api: &Api) -> Answer {
    let on = api.desk.store().kill_switch().await?;
    let reason = api.desk.store().setting(Setting::KillSwitchReason).await?.unwrap_or_default();
    Ok(Json(json!({ "success": true, "killSwitch": { "on": on, "reason": reason } })).into_response())
}

pub async fn kill_switch(api: Api, Viewer(_): Viewer) -> Answer {
    switch(&api).await
}

pub async fn kill(api: Api, Supervisor(caller): Supervisor) -> Answer {
    api.desk.kill_switch(caller.actor(), true).await?;
    switch(&api).await
}

pub async fn revive(api: Api, Admin(caller): Admin) -> Answer {
    api.desk.kill_switch(caller.actor(), false).await?;
    switch(&api).await
}

pub async fn terms(api: Api, Viewer(_): Viewer) -> Answer {
    Ok(Json(json!({ "success": true, "terms": TERMS, "accepted": api.desk.terms().await? })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    #[serde(default)]
    name: String,
}

pub async fn accept(api: Api, Admin(caller): Admin, headers: HeaderMap, bytes: Bytes) -> Answer {
    let Name { name } = body::json(&headers, &bytes)?;
    let accepted = api.desk.accept_terms(caller.actor(), name).await?;
    let location = [(header::LOCATION, "/api/v1/terms")];
    Ok((StatusCode::CREATED, location, Json(json!({ "success": true, "accepted": accepted }))).into_response())
}
