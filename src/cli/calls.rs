//! Calls without a screen: list, show, hang up, tag, and the export that answers "why did you call this
//! person, and when".

use std::io::Write;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    CliError,
    args::{CallCommand, Format},
    session::Session,
};
use crate::{
    desk::{DeskError, SetOutcome, UndoDoNotCall},
    domain::{
        id::{CallId, CampaignId},
        outcome::{Outcome, Who},
        schedule,
    },
    store::{AuditRow, CallFilter, CallRow, StoreError},
};

/// Rows read at once by an export.
const PAGE: i64 = 1000;

fn call_id(text: &str) -> Result<CallId, CliError> {
    text.parse().map_err(|_| CliError::Usage(format!("\"{text}\" is no call id")))
}

pub async fn call(s: &Session, command: CallCommand) -> Result<(), CliError> {
    match command {
        CallCommand::List { campaign } => {
            let row = s.campaign(&campaign).await?;
            let page = s.desk.store().calls(row.id, &CallFilter::default(), 500, 0).await.map_err(DeskError::from)?;
            for c in &page.rows {
                let outcome = c.outcome.map_or("-", |o| o.as_str());
                println!(
                    "{}  {:<16} {:<24} {:<10} {:>4} s  {outcome:<15} {}",
                    c.id,
                    c.phone_number,
                    c.contact_name,
                    c.state.words(),
                    c.call_duration,
                    c.reason
                );
            }
            Ok(())
        }
        CallCommand::Show { call } => {
            let id = call_id(&call)?;
            let row = s.desk.store().call(s.actor.owner, id).await.map_err(DeskError::from)?.ok_or(DeskError::NotFound("call"))?;
            println!("{} {} \"{}\" attempt {}: {} {}", row.id, row.phone_number, row.contact_name, row.attempt, row.state.words(), row.reason);
            for a in s.desk.store().audit_of(s.actor.owner, id.0).await.map_err(DeskError::from)? {
                println!("  {}  {:<8} {} by {} {}", a.at.format("%F %T%.3f"), "audit", a.action, a.actor, a.details.0);
            }
            for e in s.desk.store().timeline(id).await.map_err(DeskError::from)? {
                println!(
                    "  {}  {:<8} {}{}",
                    e.at.format("%F %T%.3f"),
                    e.source.as_str(),
                    json!(e.kind.0),
                    e.applied.map_or_else(String::new, |a| format!("  -> {a}"))
                );
            }
            Ok(())
        }
        CallCommand::Hangup { call } => {
            s.desk.hang_up(s.actor.clone(), call_id(&call)?).await?;
            s.say("hang-up requested", &json!({ "call": call }));
            Ok(())
        }
        CallCommand::Outcome { call, outcome, note, at, undo } => {
            let id = call_id(&call)?;
            if undo {
                let history = s.desk.store().outcomes(id).await.map_err(DeskError::from)?;
                let was = history.last().and_then(|o| o.previous);
                s.desk.undo_outcome(s.actor.clone(), id, was, UndoDoNotCall::Lift).await?;
                s.say("taken back", &json!({ "call": call, "outcome": was }));
                return Ok(());
            }
            let outcome = outcome.ok_or_else(|| CliError::Usage("name the outcome, or --undo".to_owned()))?.parse().map_err(CliError::Usage)?;
            if at.is_some() && outcome != Outcome::Callback {
                return Err(CliError::Usage("--at is when a callback is promised for".to_owned()));
            }
            let callback_at = match at {
                Some(text) => Some(moment(s, id, &text).await?),
                None => None,
            };
            let set = SetOutcome { call: id, outcome: Some(outcome), notes: note, who: Who::Operator, confidence: None, callback_at, expected: None };
            let tagged = s.desk.set_outcome(s.actor.clone(), set).await?;
            let promise = tagged.promise.as_ref();
            let words = promise.map_or_else(String::new, |p| format!(", {}", p.words));
            let details = json!({ "call": call, "outcome": outcome, "callbackAt": promise.map(|p| p.at) });
            s.say(&format!("{}: {}{words}", tagged.call.phone_number, outcome.label()), &details);
            Ok(())
        }
    }
}

/// When somebody is to be called back: with its offset, or on the campaign's clock.
async fn moment(s: &Session, call: CallId, text: &str) -> Result<DateTime<Utc>, CliError> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let row = s.desk.store().call(s.actor.owner, call).await.map_err(DeskError::from)?.ok_or(DeskError::NotFound("call"))?;
    let campaign = s.desk.store().campaign(s.actor.owner, row.campaign_id).await.map_err(DeskError::from)?.ok_or(DeskError::NotFound("campaign"))?;
    schedule::parse_moment(text, campaign.zone(), s.desk.now()).map_err(CliError::Usage)
}

/// Every call of a campaign with what allowed it, to standard output.
pub async fn export(s: &Session, campaign: &str, format: Format, raw: bool) -> Result<(), CliError> {
    let row = s.campaign(campaign).await?;
    let result = write_all(s, row.id, format, raw).await;
    // Whoever reads may have seen enough: `| head`.
    match result {
        Err(ExportError::Io(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(ExportError::Io(e)) => Err(CliError::Failed(format!("the export broke off: {e}"))),
        Err(ExportError::Desk(e)) => Err(e.into()),
        Ok(()) => Ok(()),
    }
}

enum ExportError {
    Io(std::io::Error),
    Desk(DeskError),
}

impl From<csv::Error> for ExportError {
    fn from(e: csv::Error) -> Self {
        Self::Io(e.into())
    }
}

impl From<std::io::Error> for ExportError {
    fn from(e: std::io::Error) -> Self {
        Self::Io(e)
    }
}

impl From<StoreError> for ExportError {
    fn from(e: StoreError) -> Self {
        Self::Desk(e.into())
    }
}

async fn write_all(s: &Session, campaign: CampaignId, format: Format, raw: bool) -> Result<(), ExportError> {
    let mut csv = csv::Writer::from_writer(std::io::stdout());
    if format == Format::Csv {
        csv.write_record(COLUMNS)?;
    }
    let mut after = None;
    loop {
        let rows = s.desk.store().calls_after(campaign, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        for call in &rows {
            let audit = s.desk.store().audit_of(s.actor.owner, call.id.0).await?;
            match format {
                Format::Csv => csv.write_record(record(call, &audit, raw))?,
                Format::Jsonl => writeln!(std::io::stdout(), "{}", document(call, &audit))?,
            }
        }
    }
    Ok(csv.flush()?)
}

const COLUMNS: [&str; 16] = [
    "call_id",
    "phone_number",
    "contact_name",
    "attempt",
    "status",
    "phase",
    "reason",
    "sip_code",
    "dialled_at",
    "answered_at",
    "ended_at",
    "talk_seconds",
    "outcome",
    "outcome_by",
    "notes",
    "allowed_by",
];

fn record(c: &CallRow, audit: &[AuditRow], raw: bool) -> [String; 16] {
    let time = |t: Option<DateTime<Utc>>| t.map_or_else(String::new, |t| t.to_rfc3339());
    let foreign = |text: &str| if raw { text.to_owned() } else { cell(text) };
    let allowed = audit.iter().find(|a| a.action == "call_armed").map_or_else(String::new, |a| a.details.0.to_string());
    [
        c.id.to_string(),
        c.phone_number.clone(),
        foreign(&c.contact_name),
        c.attempt.to_string(),
        c.state.wire().to_owned(),
        c.state.words().to_owned(),
        foreign(&c.reason),
        c.sip_code.map_or_else(String::new, |s| s.to_string()),
        time(c.armed_at),
        time(c.answered_at),
        time(c.completed_at),
        c.call_duration.to_string(),
        c.outcome.map_or("", |o| o.as_str()).to_owned(),
        foreign(c.outcome_by.as_deref().unwrap_or_default()),
        foreign(&c.notes),
        allowed,
    ]
}

/// A cell that a spreadsheet would run as a formula is text to it.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn document(c: &CallRow, audit: &[AuditRow]) -> Value {
    json!({
        "callId": c.id, "phoneNumber": c.phone_number, "contactName": c.contact_name, "attempt": c.attempt, "status": c.state.wire(),
        "phase": c.state, "reason": c.reason, "sipCode": c.sip_code, "dialledAt": c.armed_at, "answeredAt": c.answered_at, "endedAt": c.completed_at,
        "talkSeconds": c.call_duration, "outcome": c.outcome, "outcomeBy": c.outcome_by, "notes": c.notes, "evidence": audit,
    })
}
