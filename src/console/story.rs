//! A call's story: its head, and everything that happened to it in the order of time.

use chrono::{DateTime, Utc};
use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{
    message::Detail,
    rows::display_name,
    state::State,
    widgets::{fit, wrapped},
};
use crate::{
    domain::{
        event::{AgentReport, Kind, LegStatus, Reply},
        outcome::Outcome,
    },
    store::{AuditRow, EventRow, OutcomeRow},
};

/// Cells of the time at the left.
const LEFT: usize = 15;

/// The story, broken to a width.
#[must_use]
pub fn lines(state: &State, d: &Detail, width: usize) -> Vec<Line<'static>> {
    let mut lines = head(state, d, width);
    lines.push(Line::default());
    let mut happened: Vec<(DateTime<Utc>, Vec<Line<'static>>)> = Vec::new();
    happened.extend(d.timeline.iter().map(|e| (e.at, event(state, e, width))));
    happened.extend(d.audit.iter().map(|a| (a.at, audit(state, a, width))));
    happened.extend(d.outcomes.iter().map(|o| (o.at, outcome(state, o, width))));
    happened.sort_by_key(|h| h.0);
    lines.extend(happened.into_iter().flat_map(|h| h.1));
    lines
}

fn head(state: &State, d: &Detail, width: usize) -> Vec<Line<'static>> {
    let r = &d.row;
    let text = state.theme.style("text");
    let clock = |t: DateTime<Utc>| t.with_timezone(&state.options.zone).format("%H:%M:%S").to_string();
    let said = [("dialled", r.armed_at), ("answered", r.answered_at), ("ended", r.completed_at)];
    let mut facts: Vec<String> = said.into_iter().filter_map(|(word, t)| t.map(|t| format!("{word} {}", clock(t)))).collect();
    if r.answered_at.is_some() {
        let seconds = if r.state.is_ended() { r.call_duration } else { r.answered_at.map_or(0, |t| (state.now - t).num_seconds().max(0)) };
        facts.push(format!("talk {:02}:{:02}", seconds / 60, seconds % 60));
    }
    let title = format!("{}  {}  {}  attempt {}", display_name(r), state.number(&r.phone_number), r.campaign_name, r.attempt);
    let state_words = if r.reason.is_empty() { r.state.words().to_owned() } else { format!("{}, {}", r.state.words(), r.reason.trim()) };
    let mut out = broken(&title, width, "", state.theme.style("title"));
    out.extend(broken(&format!("{state_words}   {}", facts.join("  ")), width, "", text));
    if !r.notes.is_empty() {
        out.extend(broken(&format!("note: {}", r.notes), width, "", text));
    }
    out
}

/// A text on as many lines as it needs, each behind the same left edge.
fn broken(text: &str, width: usize, left: &str, style: Style) -> Vec<Line<'static>> {
    let indent = left.chars().count() + 1;
    wrapped(text, width.saturating_sub(indent + 1)).into_iter().map(|l| Line::from(Span::styled(format!(" {left}{l}"), style))).collect()
}

/// A line behind its time; what does not fit goes on below.
fn timed(state: &State, at: DateTime<Utc>, text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let when = at.with_timezone(&state.options.zone).format("%H:%M:%S%.3f").to_string();
    let faint = state.theme.style("text_faint");
    let texts = wrapped(text, width.saturating_sub(LEFT + 1));
    let left = |i: usize| fit(&if i == 0 { format!(" {when}") } else { String::new() }, LEFT);
    texts.into_iter().enumerate().map(|(i, t)| Line::from(vec![Span::styled(left(i), faint), Span::styled(t, style)])).collect()
}

fn event(state: &State, e: &EventRow, width: usize) -> Vec<Line<'static>> {
    // What the words say already is not said again.
    let moved = e.applied.as_deref().filter(|a| !matches!(*a, "dialing" | "ringing" | "answered"));
    let moved = moved.map_or_else(String::new, |a| format!(": {}", a.replace('_', " ")));
    timed(state, e.at, &format!("{:<8} {}{moved}", e.source.as_str(), event_words(e)), width, state.theme.style("text"))
}

/// What the gates looked at, in full: this is where an operator answers for a call.
fn audit(state: &State, a: &AuditRow, width: usize) -> Vec<Line<'static>> {
    let faint = state.theme.style("text_faint");
    let mut out = timed(state, a.at, &format!("{} by {}", a.action.replace('_', " "), a.actor), width, faint);
    let facts = a.details.0.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null());
    let facts: Vec<String> = facts.map(|(k, v)| format!("{k} {}", v.to_string().replace('"', ""))).collect();
    out.extend(broken(&facts.join(" · "), width, &" ".repeat(LEFT - 1), faint));
    out
}

fn outcome(state: &State, o: &OutcomeRow, width: usize) -> Vec<Line<'static>> {
    let who = if o.by.is_empty() { format!("{:?}", o.who).to_lowercase() } else { o.by.clone() };
    let value = o.value.map_or("cleared", Outcome::label);
    let note = if o.note.is_empty() { String::new() } else { format!(": {}", o.note) };
    timed(state, o.at, &format!("{who} said \"{value}\"{note}"), width, state.theme.style("info"))
}

fn event_words(e: &EventRow) -> String {
    match &e.kind.0 {
        Kind::Reply(Reply::Answered { .. }) => "the dial was answered".to_owned(),
        Kind::Reply(Reply::Ended { sip_code, reason, .. }) => {
            format!("the dial ended: {reason}{}", sip_code.map_or_else(String::new, |c| format!(" (SIP {c})")))
        }
        Kind::Reply(Reply::TimedOut { .. }) => "the dial rang out".to_owned(),
        Kind::Reply(Reply::Unsent { reason, .. }) => format!("not sent: {reason}"),
        Kind::Reply(Reply::Refused { reason, .. }) => format!("turned away by the trunk: {reason}"),
        Kind::Reply(Reply::Unknown { reason }) => format!("no clear reply: {reason}"),
        Kind::Leg { status: None, .. } => "the phone is in the room".to_owned(),
        Kind::Leg { status: Some(status), .. } => match status {
            LegStatus::Dialing => "the phone is being dialled",
            LegStatus::Ringing => "the phone is ringing",
            LegStatus::Active => "somebody is on the phone",
            LegStatus::Hangup => "the phone was hung up",
        }
        .to_owned(),
        Kind::LegLeft { reason, .. } => format!("the phone left the room ({reason:?})"),
        Kind::LegGone { .. } => "the phone is no more in the room".to_owned(),
        Kind::PresumedAnswered => "still there after its ringing time: answered".to_owned(),
        Kind::HungUp => "hung up from here".to_owned(),
        Kind::Report(AgentReport { strange: Some(told), outcome: None, .. }) => format!("the agent told \"{told}\", which is no outcome"),
        Kind::Report(r) => format!("the agent reports {}", r.outcome.map_or("", Outcome::label)),
        Kind::AgentLeft(_) => "the agent left".to_owned(),
        Kind::SessionDead => "LiveKit lists the phone, its session is gone".to_owned(),
        Kind::RoomFinished => "the room closed".to_owned(),
        Kind::Twilio { status, .. } => format!("Twilio says {status:?}"),
        Kind::ReplyLost { cause } => cause.words().to_owned(),
        Kind::NotListed => "the carrier lists no such call".to_owned(),
        Kind::Horizon => "no evidence by the last possible moment".to_owned(),
        Kind::Other { what } => what.clone(),
    }
}
