//! Calls without a screen: list, show, hang up, tag.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    CliError,
    args::CallCommand,
    out::{say, tell},
    session::Session,
};
use crate::{
    api::rows,
    desk::{DeskError, SetOutcome, UndoDoNotCall},
    domain::{
        id::CallId,
        outcome::{Outcome, Who},
        schedule,
    },
    store::CallFilter,
};

fn call_id(text: &str) -> Result<CallId, CliError> {
    text.parse().map_err(|_| CliError::Usage(format!("\"{text}\" is no call id")))
}

pub async fn call(s: &Session, command: CallCommand) -> Result<(), CliError> {
    match command {
        CallCommand::List { campaign, status, outcome, limit, offset } => list(s, &campaign, status, outcome, limit, offset).await,
        CallCommand::Show { call } => show(s, call_id(&call)?).await,
        CallCommand::Hangup { call } => {
            s.desk.hang_up(s.actor.clone(), call_id(&call)?).await?;
            s.say("hang-up requested", &json!({ "call": call }));
            Ok(())
        }
        CallCommand::Outcome { call, undo: true, .. } => {
            let id = call_id(&call)?;
            let done = s.desk.take_back(s.actor.clone(), id, None, UndoDoNotCall::Lift).await?;
            let promise = done.promise.map_or_else(String::new, |p| format!("; {}", p.words));
            s.say(&format!("taken back{promise}"), &json!({ "call": call, "outcome": done.call.outcome }));
            Ok(())
        }
        CallCommand::Outcome { call, outcome, note, at, .. } => tag(s, &call, outcome, note, at).await,
    }
}

/// The words of a call's `status`, as the API has them.
const STATUSES: [&str; 8] = ["pending", "calling", "answered", "completed", "failed", "no_answer", "busy", "canceled"];

async fn list(s: &Session, campaign: &str, status: Option<String>, outcome: Option<String>, limit: i64, offset: i64) -> Result<(), CliError> {
    if let Some(word) = status.as_ref().filter(|w| !STATUSES.contains(&w.as_str())) {
        return Err(CliError::Usage(format!("\"{word}\" is none of {}", STATUSES.join(", "))));
    }
    let filter = CallFilter { status, outcome: outcome.map(|o| o.parse()).transpose().map_err(CliError::Usage)? };
    let row = s.campaign(campaign).await?;
    let page = s.desk.store().calls(row.id, &filter, limit, offset).await.map_err(DeskError::from)?;
    if s.json {
        let calls: Vec<Value> = page.rows.iter().map(rows::call).collect();
        say!("{}", json!({ "calls": calls, "total": page.total }));
        return Ok(());
    }
    for c in &page.rows {
        let outcome = c.outcome.map_or("-", |o| o.as_str());
        say!(
            "{}{}  {:<16} {:<24} {:<10} {:>4} s  {outcome:<15} {}",
            s.owner_column(c.user_id),
            c.id,
            c.phone_number,
            c.contact_name,
            c.state.words_if(c.armed_at.is_some()),
            c.call_duration,
            c.reason
        );
    }
    let seen = i64::try_from(page.rows.len()).unwrap_or(0) + offset;
    if seen < page.total {
        tell!("{} of {}; --offset {seen} shows what follows", page.rows.len(), page.total);
    }
    Ok(())
}

async fn show(s: &Session, id: CallId) -> Result<(), CliError> {
    let row = s.call(id).await?;
    let audit = s.desk.store().audit_of(row.user_id, id.0).await.map_err(DeskError::from)?;
    let events = s.desk.store().timeline(id).await.map_err(DeskError::from)?;
    if s.json {
        let events: Vec<Value> = events.iter().map(|e| json!({ "at": e.at, "source": e.source.as_str(), "kind": e.kind.0, "applied": e.applied })).collect();
        say!("{}", json!({ "call": rows::call(&row), "audit": audit, "events": events }));
        return Ok(());
    }
    say!("{} {} \"{}\" attempt {}: {} {}", row.id, row.phone_number, row.contact_name, row.attempt, row.state.words_if(row.armed_at.is_some()), row.reason);
    for a in &audit {
        say!("  {}  {:<8} {} by {} {}", a.at.format("%F %T%.3f"), "audit", a.action, a.actor, a.details.0);
    }
    for e in &events {
        let applied = e.applied.as_ref().map_or_else(String::new, |a| format!("  -> {a}"));
        say!("  {}  {:<8} {}{applied}", e.at.format("%F %T%.3f"), e.source.as_str(), json!(e.kind.0));
    }
    Ok(())
}

async fn tag(s: &Session, call: &str, outcome: Option<String>, note: Option<String>, at: Option<String>) -> Result<(), CliError> {
    let id = call_id(call)?;
    let outcome: Outcome = outcome.unwrap_or_default().parse().map_err(CliError::Usage)?;
    if at.is_some() && outcome != Outcome::Callback {
        return Err(CliError::Usage("--at is when a callback is promised for".to_owned()));
    }
    let callback_at = match at {
        Some(text) => Some(moment(s, id, &text).await?),
        None => None,
    };
    let note = note.map(|n| crate::domain::text::clean(&n, 4000));
    let set = SetOutcome { call: id, outcome: Some(outcome), notes: note, who: Who::Operator, confidence: None, callback_at, expected: None };
    let tagged = s.desk.set_outcome(s.actor.clone(), set).await?;
    let promise = tagged.promise.as_ref();
    let words = promise.map_or_else(String::new, |p| format!(", {}", p.words));
    let details = json!({ "call": call, "outcome": outcome, "callbackAt": promise.map(|p| p.at) });
    s.say(&format!("{}: {}{words}", tagged.call.phone_number, outcome.label()), &details);
    Ok(())
}

/// When somebody is to be called back: with its offset, or on the campaign's clock.
async fn moment(s: &Session, call: CallId, text: &str) -> Result<DateTime<Utc>, CliError> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let row = s.call(call).await?;
    let campaign = s.desk.store().campaign(s.actor.owner, row.campaign_id).await.map_err(DeskError::from)?.ok_or(DeskError::NotFound("campaign"))?;
    schedule::parse_moment(text, campaign.zone(), s.desk.now()).map_err(CliError::Usage)
}
