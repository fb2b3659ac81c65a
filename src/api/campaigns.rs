//! Campaigns: made, shown, changed, commanded.

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
    auth::{Supervisor, Viewer},
    body::{self, Paging},
    changes::{self, Fixed},
    once::Key,
    rows,
};
use crate::{
    desk::{CampaignDraft, Recycle},
    domain::{
        FieldError,
        campaign::{ContactSource, Settings, Status},
        id::{AssistantId, CampaignId, OwnerId, SourceId},
        schedule::{self, Days},
        zone::Zone,
    },
    store::{CallFilter, CampaignEdit, CampaignRow},
};

type Answer = Result<Response, ApiError>;

/// Every field of a campaign that a request may set, in the API's names; the old front end's
/// column names are read as well.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    name: Option<String>,
    #[serde(alias = "assistant_id")]
    assistant_id: Option<String>,
    #[serde(alias = "contact_source")]
    contact_source: Option<ContactSource>,
    #[serde(alias = "contact_list_id")]
    contact_list_id: Option<String>,
    #[serde(alias = "csv_file_id")]
    csv_file_id: Option<String>,
    #[serde(alias = "campaign_prompt")]
    campaign_prompt: Option<String>,
    #[serde(alias = "daily_cap")]
    daily_cap: Option<i64>,
    #[serde(alias = "calling_days")]
    calling_days: Option<Vec<String>>,
    #[serde(alias = "start_hour")]
    start_hour: Option<i64>,
    #[serde(alias = "end_hour")]
    end_hour: Option<i64>,
    #[serde(alias = "start_minute")]
    start_minute: Option<i64>,
    #[serde(alias = "end_minute")]
    end_minute: Option<i64>,
    timezone: Option<String>,
    #[serde(alias = "max_concurrent")]
    max_concurrent: Option<i64>,
    #[serde(alias = "call_delay_ms")]
    call_delay_ms: Option<i64>,
    #[serde(alias = "ring_timeout")]
    ring_timeout: Option<i64>,
    #[serde(alias = "max_call_duration")]
    max_call_duration: Option<i64>,
    retry: Option<RetryRequest>,
    #[serde(alias = "contact_hours")]
    contact_hours: Option<bool>,
    #[serde(alias = "agent_name")]
    agent_name: Option<String>,
}

/// The retry rules that a request names; the others stay.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RetryRequest {
    #[serde(alias = "max_attempts")]
    max_attempts: Option<i64>,
    #[serde(alias = "no_answer_minutes")]
    no_answer_minutes: Option<i64>,
    #[serde(alias = "busy_minutes")]
    busy_minutes: Option<i64>,
    #[serde(alias = "trunk_minutes")]
    trunk_minutes: Option<i64>,
}

impl Request {
    /// Puts what is given over the settings; complains about what cannot be read.
    fn apply(&self, s: &mut Settings, errors: &mut Vec<FieldError>) {
        let put = |to: &mut i64, from: Option<i64>| *to = from.unwrap_or(*to);
        put(&mut s.daily_cap, self.daily_cap);
        put(&mut s.start_hour, self.start_hour);
        put(&mut s.end_hour, self.end_hour);
        put(&mut s.start_minute, self.start_minute);
        put(&mut s.end_minute, self.end_minute);
        put(&mut s.max_concurrent, self.max_concurrent);
        put(&mut s.call_delay_ms, self.call_delay_ms);
        put(&mut s.ring_timeout_s, self.ring_timeout);
        put(&mut s.max_call_duration_s, self.max_call_duration);
        if let Some(r) = &self.retry {
            put(&mut s.retry.max_attempts, r.max_attempts);
            put(&mut s.retry.no_answer_minutes, r.no_answer_minutes);
            put(&mut s.retry.busy_minutes, r.busy_minutes);
            put(&mut s.retry.trunk_minutes, r.trunk_minutes);
        }
        s.contact_hours = self.contact_hours.unwrap_or(s.contact_hours);
        if let Some(zone) = &self.timezone {
            match Zone::typed(zone) {
                Ok(zone) => s.timezone = zone,
                Err(why) => errors.push(FieldError::new("timezone", why)),
            }
        }
        if let Some(days) = &self.calling_days {
            match Days::parse(days) {
                Ok(days) => s.calling_days = days,
                Err(day) => errors.push(FieldError::new("callingDays", format!("\"{day}\" is no weekday such as \"monday\""))),
            }
        }
    }

    /// The source, by what is named and by the id given.
    fn source(&self, errors: &mut Vec<FieldError>) -> Option<(ContactSource, SourceId)> {
        let (source, field, text) = match (self.contact_source, &self.contact_list_id, &self.csv_file_id) {
            (Some(ContactSource::CsvFile), _, id) | (None, None, id @ Some(_)) => (ContactSource::CsvFile, "csvFileId", id),
            (_, id, _) => (ContactSource::ContactList, "contactListId", id),
        };
        let Some(text) = text else {
            errors.push(FieldError::new(field, "name the contact list or CSV file to call from"));
            return None;
        };
        let id = text.parse().map_err(|_| errors.push(FieldError::new(field, "is no UUID"))).ok()?;
        Some((source, id))
    }
}

async fn own(api: &Api, owner: OwnerId, id: &str) -> Result<CampaignRow, ApiError> {
    let id: CampaignId = body::id(id, "campaign")?;
    api.desk.store().campaign(owner, id).await?.ok_or(ApiError::NotFound("campaign"))
}

pub(super) async fn used_today(api: &Api, c: &CampaignRow) -> Result<i64, ApiError> {
    let day = schedule::local_day(c.zone(), api.clock.now());
    Ok(api.desk.store().campaign_day(c.id, day).await?.map_or(0, |d| d.used))
}

async fn row(api: &Api, owner: OwnerId, id: CampaignId) -> Result<Value, ApiError> {
    let c = api.desk.store().campaign(owner, id).await?.ok_or(ApiError::NotFound("campaign"))?;
    Ok(rows::campaign(&c, used_today(api, &c).await?))
}

pub async fn list(api: Api, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
    let status: Option<Status> = match &paging.status {
        None => None,
        Some(s) => Some(
            serde_json::from_value(s.clone().into())
                .map_err(|_| ApiError::Unprocessable(vec![FieldError::new("status", "is none of idle, running, paused, completed, error")]))?,
        ),
    };
    let (limit, offset) = paging.limits()?;
    let page = api.desk.store().campaigns(caller.owner, status, limit, offset).await?;
    let mut out = Vec::with_capacity(page.rows.len());
    for c in &page.rows {
        let mut row = rows::campaign(c, used_today(&api, c).await?);
        if let Some(map) = row.as_object_mut().filter(|_| !paging.wants("prompt")) {
            map.remove("campaign_prompt");
        }
        out.push(row);
    }
    Ok(Json(json!({ "success": true, "campaigns": out, "total": page.total })).into_response())
}

pub async fn create(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let request: Request = body::json(&headers, &bytes)?;
    let mut errors = Vec::new();
    let mut settings = Settings::defaults(api.defaults.timezone);
    request.apply(&mut settings, &mut errors);
    let (name, prompt) = (request.name.clone().unwrap_or_default(), request.campaign_prompt.clone().unwrap_or_default());
    let assistant = request.assistant_id.as_deref().and_then(|t| t.parse::<AssistantId>().ok());
    if assistant.is_none() {
        errors.push(FieldError::new("assistantId", "the UUID of an assistant is needed"));
    }
    let source = request.source(&mut errors);
    errors.extend(api.desk.complaints_of_campaign(&name, &prompt, request.agent_name.as_deref(), &settings));
    let (Some(assistant), Some((source, source_id)), true) = (assistant, source, errors.is_empty()) else {
        return Err(ApiError::Unprocessable(errors));
    };
    let draft = CampaignDraft { name, assistant, source, source_id, prompt, agent_name: request.agent_name, settings };
    let id = api.desk.create_campaign(caller.actor(), draft).await?;
    let campaign = row(&api, caller.owner, id).await?;
    let location = [(header::LOCATION, format!("/api/v1/campaigns/{id}"))];
    Ok((StatusCode::CREATED, location, Json(json!({ "success": true, "campaign": campaign }))).into_response())
}

pub async fn show(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    Ok(Json(json!({ "success": true, "campaign": rows::campaign(&c, used_today(&api, &c).await?) })).into_response())
}

pub async fn edit(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    let sent: Value = body::json(&headers, &bytes)?;
    let present = rows::with_figures(&c, used_today(&api, &c).await?);
    let moves = c.execution_status == Status::Running || c.counts.processing > 0;
    let (changed, mut errors) = OF_A_CAMPAIGN.changes(sent, &present, moves)?;
    let request: Request = changes::read(changed)?;
    let mut settings = c.settings();
    request.apply(&mut settings, &mut errors);
    let same = |given: &Option<String>, is: Option<String>| given.is_none() || *given == is;
    let fixed = [
        ("contactListId", same(&request.contact_list_id, c.contact_list_id.map(|i| i.to_string()))),
        ("csvFileId", same(&request.csv_file_id, c.csv_file_id.map(|i| i.to_string()))),
        ("contactSource", request.contact_source.is_none_or(|s| s == c.contact_source)),
    ];
    errors.extend(fixed.iter().filter(|(_, same)| !same).map(|(field, _)| FieldError::new(field, "cannot be changed: copy the campaign")));
    let assistant = request.assistant_id.as_deref().map_or(Some(c.assistant_id), |t| t.parse().ok());
    if assistant.is_none() {
        errors.push(FieldError::new("assistantId", "the UUID of an assistant is needed"));
    }
    let name = request.name.unwrap_or(c.name.clone());
    let prompt = request.campaign_prompt.unwrap_or(c.campaign_prompt.clone());
    let agent_name = request.agent_name.or(c.agent_name.clone());
    errors.extend(api.desk.complaints_of_campaign(&name, &prompt, agent_name.as_deref(), &settings));
    let (Some(assistant), true) = (assistant, errors.is_empty()) else { return Err(ApiError::Unprocessable(errors)) };
    let edit = CampaignEdit { name, assistant, prompt, agent_name, settings };
    api.desk.edit_campaign(caller.actor(), c.id, edit).await?;
    Ok(Json(json!({ "success": true, "campaign": row(&api, caller.owner, c.id).await? })).into_response())
}

/// Columns of a campaign that nobody sets; what a campaign calls from is fixed when it is made.
const OF_A_CAMPAIGN: Fixed = Fixed {
    columns: &[
        "id",
        "user_id",
        "assistant_name",
        "contact_source",
        "contact_list_id",
        "contact_list_name",
        "csv_file_id",
        "csv_file_name",
        "created_at",
        "agents",
        "execution_status",
    ],
    moving: &[
        "status_reason",
        "next_call_at",
        "current_daily_calls",
        "total_calls_made",
        "total_calls_answered",
        "dials",
        "pickups",
        "interested",
        "not_interested",
        "callback",
        "do_not_call",
        "total_usage",
        "last_execution_at",
        "updated_at",
        "stats",
        "queueStatus",
    ],
    remarks: &["why", "waiting", "people"],
};

pub async fn remove(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    api.desk.delete_campaign(caller.actor(), c.id).await?;
    Ok(Json(json!({ "success": true, "message": format!("campaign \"{}\" deleted", c.name) })).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

pub async fn start(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    let Nothing {} = body::optional(&headers, &bytes)?;
    let key = Key::of(&caller, &headers)?;
    let what = format!("POST /campaigns/{}/start", c.id);
    let act = {
        let api = api.clone();
        async move { begin(&api, &caller, &c).await }
    };
    key.once(&api, &what, &bytes, act).await
}

async fn begin(api: &Api, caller: &super::Caller, c: &CampaignRow) -> Answer {
    api.desk.start(caller.actor(), c.id).await?;
    let now = api.desk.store().campaign(caller.owner, c.id).await?.ok_or(ApiError::NotFound("campaign"))?;
    let preflight = api.desk.preflight(&now).await?;
    let message = format!("campaign \"{}\" started: {}", c.name, preflight.why);
    let campaign = rows::campaign(&now, used_today(api, &now).await?);
    Ok(Json(json!({ "success": true, "message": message, "campaign": campaign, "preflight": preflight })).into_response())
}

async fn done(api: &Api, caller: &super::Caller, c: &CampaignRow, words: &str) -> Answer {
    let message = format!("campaign \"{}\" {words}", c.name);
    Ok(Json(json!({ "success": true, "message": message, "campaign": row(api, caller.owner, c.id).await? })).into_response())
}

pub async fn pause(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    let Nothing {} = body::optional(&headers, &bytes)?;
    api.desk.pause(caller.actor(), c.id).await?;
    done(&api, &caller, &c, "paused").await
}

pub async fn resume(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    let Nothing {} = body::optional(&headers, &bytes)?;
    api.desk.resume(caller.actor(), c.id).await?;
    done(&api, &caller, &c, "resumed").await
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StopRequest {
    #[serde(default)]
    hang_up: bool,
}

pub async fn stop(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    let request: StopRequest = body::optional(&headers, &bytes)?;
    let stopped = api.desk.stop(caller.actor(), c.id, request.hang_up).await?;
    let live = if request.hang_up { "hung up" } else { "kept to their end" };
    let message = format!("campaign \"{}\" stopped: {} contacts not called, {} live calls {live}{}", c.name, stopped.canceled, stopped.live, stopped.broken());
    let campaign = row(&api, caller.owner, c.id).await?;
    Ok(Json(json!({ "success": true, "message": message, "brokenPromises": stopped.promises, "campaign": campaign })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecycleRequest {
    #[serde(default)]
    results: Vec<String>,
}

pub async fn recycle(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    let RecycleRequest { results } = body::json(&headers, &bytes)?;
    let wrong = |words: String| ApiError::Unprocessable(vec![FieldError::new("results", words)]);
    if results.is_empty() {
        return Err(wrong(format!("which are to go round again? Some of {}", Recycle::WORDS.join(", "))));
    }
    let what = results.iter().try_fold(Recycle::default(), |r, word| r.with(word)).map_err(wrong)?;
    let queued = api.desk.recycle(caller.actor(), c.id, what).await?;
    Ok(Json(json!({ "success": true, "queued": queued, "message": format!("{queued} contacts went back to the queue"), "campaign": row(&api, caller.owner, c.id).await? })).into_response())
}

pub async fn status(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    let why = api.desk.explain(&c).await?;
    Ok(Json(json!({ "success": true, "campaign": rows::status(&c, used_today(&api, &c).await?, &why) })).into_response())
}

pub async fn stats(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    Ok(Json(json!({ "success": true, "stats": rows::stats(&c.counts) })).into_response())
}

pub async fn calls(api: Api, Viewer(caller): Viewer, Path(id): Path<String>, Query(paging): Query<Paging>) -> Answer {
    let c = own(&api, caller.owner, &id).await?;
    let words = ["pending", "calling", "answered", "completed", "failed", "no_answer", "busy", "canceled"];
    if let Some(status) = paging.status.as_deref().filter(|s| !words.contains(s)) {
        let message = format!("\"{status}\" is none of {}", words.join(", "));
        return Err(ApiError::Unprocessable(vec![FieldError::new("status", message)]));
    }
    let outcome = match paging.outcome.as_deref() {
        None => None,
        Some(o) => Some(o.parse().map_err(|m: String| ApiError::Unprocessable(vec![FieldError::new("outcome", m)]))?),
    };
    let (limit, offset) = paging.limits()?;
    let filter = CallFilter { status: paging.status.clone(), outcome };
    let page = api.desk.store().calls(c.id, &filter, limit, offset).await?;
    let out: Vec<Value> = page.rows.iter().map(rows::call).collect();
    Ok(Json(json!({ "success": true, "calls": out, "data": out, "total": page.total })).into_response())
}
