//! Rows on the wire: `snake_case` columns, as the spec's front end reads them.

use serde_json::{Value, json};

use crate::{
    desk::Explanation,
    domain::{id::OwnerId, place::Said, stats::Counts},
    store::{AssistantRow, CallRow, CampaignRow, ContactRow, ContactTable, SourceRow},
};

pub fn campaign(c: &CampaignRow, used_today: i64) -> Value {
    json!({
        "id": c.id, "user_id": c.user_id, "name": c.name, "assistant_id": c.assistant_id, "assistant_name": c.assistant_name,
        "contact_source": c.contact_source, "contact_list_id": c.contact_list_id, "contact_list_name": c.contact_list_name,
        "csv_file_id": c.csv_file_id, "csv_file_name": c.csv_file_name, "daily_cap": c.daily_cap, "calling_days": c.calling_days.0,
        "start_hour": c.start_hour, "end_hour": c.end_hour, "start_minute": c.start_minute, "end_minute": c.end_minute, "timezone": c.timezone,
        "campaign_prompt": c.campaign_prompt, "agent_name": c.agent_name, "max_concurrent": c.max_concurrent, "call_delay_ms": c.call_delay_ms,
        "ring_timeout": c.ring_timeout_s, "max_call_duration": c.max_call_duration_s, "retry": c.retry.0, "contact_hours": c.contact_hours,
        "execution_status": c.execution_status, "status_reason": c.status_reason, "next_call_at": c.next_call_at,
        "current_daily_calls": used_today, "total_calls_made": c.counts.dials, "total_calls_answered": c.counts.pickups,
        "dials": c.counts.dials, "pickups": c.counts.pickups, "interested": c.counts.interested, "not_interested": c.counts.not_interested,
        "callback": c.counts.callback, "do_not_call": c.counts.do_not_call, "total_usage": c.counts.talk_seconds,
        "last_execution_at": c.last_execution_at, "created_at": c.created_at, "updated_at": c.updated_at,
    })
}

pub fn stats(c: &Counts) -> Value {
    json!({
        "total": c.total, "completed": c.completed, "failed": c.failed, "answered": c.pickups, "noAnswer": c.no_answer, "busy": c.busy,
        "interested": c.interested, "notInterested": c.not_interested, "callback": c.callback, "doNotCall": c.do_not_call,
        "voicemail": c.voicemail, "wrongNumber": c.wrong_number,
    })
}

/// The row with its calls in numbers.
pub fn with_figures(c: &CampaignRow, used_today: i64) -> Value {
    let mut row = campaign(c, used_today);
    if let Some(map) = row.as_object_mut() {
        map.insert("stats".to_owned(), stats(&c.counts));
        let queue = json!({ "queued": c.counts.pending, "processing": c.counts.processing, "completed": c.counts.completed, "failed": c.counts.failed });
        map.insert("queueStatus".to_owned(), queue);
    }
    row
}

pub fn status(c: &CampaignRow, used_today: i64, why: &Explanation) -> Value {
    let mut row = with_figures(c, used_today);
    if let Some(map) = row.as_object_mut() {
        map.insert("why".to_owned(), json!(why));
        map.insert("waiting".to_owned(), json!(why.waiting));
        map.insert("people".to_owned(), json!(why.people));
    }
    row
}

pub fn call(c: &CallRow) -> Value {
    json!({
        "id": c.id, "campaign_id": c.campaign_id, "contact_id": c.contact_id, "contact_name": c.contact_name, "contact_email": c.contact_email,
        "phone_number": c.phone_number, "status": c.state.wire(), "phase": c.state.as_str(), "outcome": c.outcome, "suggestion": c.suggestion,
        "call_duration": c.call_duration, "notes": c.notes, "attempt": c.attempt, "room_name": c.room_name, "call_sid": c.call_sid,
        "sip_code": c.sip_code, "reason": c.reason, "recording_url": c.recording_url, "started_at": c.started_at, "answered_at": c.answered_at,
        "completed_at": c.completed_at, "created_at": c.created_at, "updated_at": c.updated_at,
    })
}

pub fn assistant(a: &AssistantRow) -> Value {
    json!({ "id": a.id, "user_id": a.user_id, "name": a.name, "agent_name": a.agent_name, "prompt": a.prompt, "language": a.language, "created_at": a.created_at })
}

/// A contact list or a CSV file.
pub fn source(s: &SourceRow) -> Value {
    let mut row = json!({
        "id": s.id, "user_id": s.user_id, "name": s.name, "contact_count": s.contacts, "row_count": s.contacts, "do_not_call": s.do_not_call,
        "created_at": s.created_at, "updated_at": s.updated_at,
    });
    if let Some(map) = row.as_object_mut() {
        match s.source {
            ContactTable::ContactList => {
                map.insert("description".to_owned(), json!(s.description));
            }
            ContactTable::CsvFile => {
                map.insert("file_size".to_owned(), json!(s.file_size));
                map.insert("uploaded_at".to_owned(), json!(s.created_at));
            }
        }
    }
    row
}

pub fn contact(c: &ContactRow, table: ContactTable, owner: OwnerId) -> Value {
    let said = Said::of(c.said.as_deref(), &c.zones);
    let (first, last) = first_and_last(&c.name);
    let alternatives: Vec<&str> = c.alternatives.split(',').filter(|n| !n.is_empty()).collect();
    let mut row = json!({
        "id": c.id, "user_id": owner, "name": c.name, "first_name": first, "last_name": last, "phone_number": c.phone_number, "phone": c.phone_number,
        "alternatives": alternatives, "country": c.country, "zones": c.zones, "timezone": said.zone, "state": said.state, "email": c.email,
        "company": c.company, "notes": c.notes, "fields": c.fields, "do_not_call": c.do_not_call, "consent_at": c.consent_at,
        "consent_source": c.consent_source.as_deref().unwrap_or_default(), "status": "active", "created_at": c.created_at,
        "updated_at": c.updated_at.unwrap_or(c.created_at),
    });
    let key = match table {
        ContactTable::ContactList => "contact_list_id",
        ContactTable::CsvFile => "csv_file_id",
    };
    if let Some(map) = row.as_object_mut() {
        map.insert(key.to_owned(), json!(c.source_id));
    }
    row
}

/// A name as the old front end has it: its first word, and the others.
pub fn first_and_last(name: &str) -> (&str, &str) {
    name.trim().split_once(' ').map_or((name.trim(), ""), |(first, last)| (first, last.trim()))
}
