//! A call's story: its head, and everything that happened to it in the order of time. In the words of whoever looks
//! at it; with details, what told it and all that was looked at before the dial.

use chrono::{DateTime, Utc};
use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{
    message::Detail,
    rows::{display_name, more_than_state, why_ended},
    state::State,
    widgets::{fit, wrapped},
};
use crate::{
    domain::{
        event::{AgentReport, Kind, Leave, LegStatus, Reply},
        outcome::Outcome,
        text::clean,
    },
    store::{AuditRow, EventRow, OutcomeRow},
};

/// Cells of the time at the left, to the second and to the millisecond.
const LEFT: usize = 10;
const LEFT_DETAILED: usize = 15;

/// The story, broken to a width.
#[must_use]
pub fn lines(state: &State, d: &Detail, width: usize, details: bool) -> Vec<Line<'static>> {
    let mut lines = head(state, d, width);
    lines.push(Line::default());
    let mut happened: Vec<(DateTime<Utc>, u8, Vec<Line<'static>>)> = Vec::new();
    happened.extend(told(&d.timeline, details).map(|e| (e.at, follows(e), event(state, e, width, details))));
    let audits = d.audit.iter().filter(|a| details || !a.action.starts_with("outcome_"));
    happened.extend(audits.map(|a| (a.at, causes(a), audit(state, a, width, details))));
    happened.extend(d.outcomes.iter().map(|o| (o.at, LAST, outcome(state, o, width, details))));
    // LiveKit tells whole seconds: within one a cause comes before what follows of it.
    happened.sort_by_key(|h| if details { (0, 0, h.0) } else { (h.0.timestamp(), h.1, h.0) });
    lines.extend(happened.into_iter().flat_map(|h| h.2));
    lines
}

/// The places of what happens within one second: the dial, what is asked for from here, what the phone does, and how the
/// call is put away.
const DIAL: u8 = 0;
const PHONE: u8 = 1;
const ASKED: u8 = 2;
const HUNG_UP: u8 = 3;
const GONE: u8 = 4;
const AGENT: u8 = 5;
const CLOSED: u8 = 6;
const LAST: u8 = 7;

fn causes(a: &AuditRow) -> u8 {
    match a.action.as_str() {
        "call_armed" => DIAL,
        "call_abandoned" | "call_reported" => LAST,
        _ => ASKED,
    }
}

fn follows(e: &EventRow) -> u8 {
    match &e.kind.0 {
        Kind::HungUp => HUNG_UP,
        Kind::LegLeft { .. } | Kind::LegGone { .. } | Kind::Leg { status: Some(LegStatus::Hangup), .. } | Kind::SessionDead => GONE,
        Kind::AgentLeft(_) => AGENT,
        Kind::RoomFinished => CLOSED,
        Kind::Report(_) => LAST,
        _ => PHONE,
    }
}

/// What is worth a line: without details, what said the same in a row says it once.
fn told(timeline: &[EventRow], details: bool) -> impl Iterator<Item = &EventRow> {
    let again = move |i: usize| i > 0 && event_words(&timeline[i - 1]) == event_words(&timeline[i]);
    // That nobody took it is why it could not be reached.
    let rang = timeline.iter().any(|e| matches!(e.kind.0, Kind::Reply(Reply::TimedOut { .. })));
    let unreached = |e: &EventRow| matches!(e.kind.0, Kind::LegLeft { reason: Leave::UserUnavailable, .. });
    let less = move |e: &EventRow| rang && unreached(e);
    timeline.iter().enumerate().filter(move |(i, e)| details || !(again(*i) || less(e))).map(|(_, e)| e)
}

fn head(state: &State, d: &Detail, width: usize) -> Vec<Line<'static>> {
    let r = &d.row;
    let text = state.theme.style("text");
    let span = |seconds: i64| format!("{}:{:02}", seconds / 60, seconds % 60);
    let mut facts = String::new();
    if let Some(answered) = r.answered_at {
        let seconds = if r.state.is_ended() { r.call_duration } else { (state.now - answered).num_seconds().max(0) };
        facts.push_str(&format!(", talked {}", span(seconds)));
    }
    // From the first ring on; where no ring was told from the dial on.
    if let Some((from, to)) = r.ringing_at.or(r.armed_at).zip(r.answered_at) {
        facts.push_str(&format!(", rang {}", span((to - from).num_seconds().max(0))));
    }
    let mut out = broken(&display_name(r), width, "", state.theme.style("title").add_modifier(Modifier::BOLD));
    out.extend(broken(&format!("{}, {}, attempt {}", state.number(&r.phone_number), r.campaign_name, r.attempt), width, "", text));
    let word = r.state.words_if(r.armed_at.is_some());
    let how = match (why_ended(r), more_than_state(r)) {
        _ if !r.state.is_ended() => word.to_owned(),
        (why, _) if why.starts_with(word) => why,
        (_, more) if more.is_empty() => word.to_owned(),
        (_, more) => format!("{word}: {more}"),
    };
    let (sign, role) = state.theme.symbols.of_call(r.state);
    out.extend(broken(&format!("{sign} {how}{facts}"), width, "", state.theme.style(role)));
    if let Some(o) = r.outcome {
        out.extend(broken(o.label(), width, "", state.theme.style(&format!("outcome_{}", o.as_str()))));
    } else if let Some(o) = r.suggestion {
        let why = state.data.reasons.get(&r.id).map_or_else(String::new, |w| format!(": {}", clean(w, 400)));
        let sure = r.suggestion_confidence.map_or_else(String::new, |c| format!(", {:.0} %", c * 100.0));
        out.extend(broken(&format!("agent says {}{sure}{why}", o.label()), width, "", state.theme.style(&format!("outcome_{}", o.as_str()))));
    }
    for (i, line) in r.notes.lines().enumerate() {
        out.extend(broken(&format!("{}{line}", if i == 0 { "note: " } else { "  " }), width, "", text));
    }
    out
}

/// A text on as many lines as it needs, each behind the same left edge.
fn broken(text: &str, width: usize, left: &str, style: Style) -> Vec<Line<'static>> {
    let indent = left.chars().count() + 1;
    wrapped(text, width.saturating_sub(indent + 1)).into_iter().map(|l| Line::from(Span::styled(format!(" {left}{l}"), style))).collect()
}

/// A line behind its time; what does not fit goes on below.
fn timed(state: &State, at: DateTime<Utc>, text: &str, width: usize, style: Style, details: bool) -> Vec<Line<'static>> {
    let (format, cells) = if details { ("%H:%M:%S%.3f", LEFT_DETAILED) } else { ("%H:%M:%S", LEFT) };
    let when = at.with_timezone(&state.options.zone).format(format).to_string();
    let faint = state.theme.style("text_faint");
    let texts = wrapped(text, width.saturating_sub(cells + 1));
    let left = |i: usize| fit(&if i == 0 { format!(" {when}") } else { String::new() }, cells);
    texts.into_iter().enumerate().map(|(i, t)| Line::from(vec![Span::styled(left(i), faint), Span::styled(t, style)])).collect()
}

fn event(state: &State, e: &EventRow, width: usize, details: bool) -> Vec<Line<'static>> {
    let style = state.theme.style("text");
    if !details {
        return timed(state, e.at, &event_words(e), width, style, false);
    }
    // What the words say already is not said again.
    let moved = e.applied.as_deref().filter(|a| !matches!(*a, "dialing" | "ringing" | "answered"));
    let moved = moved.map_or_else(String::new, |a| format!(": {}", a.replace('_', " ")));
    timed(state, e.at, &format!("{:<8} {}{moved}", e.source.as_str(), event_words(e)), width, style, true)
}

/// Who did what; with details all that was looked at: this is where an operator answers for a call.
fn audit(state: &State, a: &AuditRow, width: usize, details: bool) -> Vec<Line<'static>> {
    let faint = state.theme.style("text_faint");
    let mut out = timed(
        state,
        a.at,
        &format!("{}{}", deed(&a.action), if a.actor == "engine" && !details { String::new() } else { format!(" by {}", a.actor) }),
        width,
        faint,
        details,
    );
    if details {
        let facts = a.details.0.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null());
        let facts: Vec<String> = facts.map(|(k, v)| format!("{k} {}", v.to_string().replace('"', ""))).collect();
        out.extend(broken(&facts.join(" · "), width, &" ".repeat(LEFT_DETAILED - 1), faint));
    }
    out
}

/// What was done, in the words of whoever looks at the call.
fn deed(action: &str) -> String {
    match action {
        "call_armed" => "allowed and dialled".to_owned(),
        "call_not_armed" => "not dialled".to_owned(),
        "call_abandoned" => "answered, and no agent came: noted".to_owned(),
        "call_asked" => "asked for".to_owned(),
        "call_reopened" => "found alive again".to_owned(),
        "call_reported" => "reported on".to_owned(),
        "hangup_requested" => "hang-up asked for".to_owned(),
        "outcome_set" => "tagged".to_owned(),
        other => other.replace('_', " "),
    }
}

fn outcome(state: &State, o: &OutcomeRow, width: usize, details: bool) -> Vec<Line<'static>> {
    let who = if o.by.is_empty() { format!("{:?}", o.who).to_lowercase() } else { o.by.clone() };
    let (words, role) = match o.value {
        Some(value) => (format!("\"{}\"", value.label()), format!("outcome_{}", value.as_str())),
        None => ("the tag was taken away".to_owned(), "text".to_owned()),
    };
    let note = if o.note.is_empty() { String::new() } else { format!(": {}", o.note) };
    let back = if o.undoes.is_some() { "taken back: " } else { "" };
    let again = if o.undoes.is_some() && o.value.is_some() { " again" } else { "" };
    let promised = o.callback_at.map_or_else(String::new, |at| format!(", to be called {}", at.with_timezone(&state.options.zone).format("%a %F %H:%M %Z")));
    timed(state, o.at, &format!("{back}{words}{again}{promised} by {who}{note}"), width, state.theme.style(&role), details)
}

fn event_words(e: &EventRow) -> String {
    match &e.kind.0 {
        Kind::Reply(Reply::Answered { .. }) => "answered".to_owned(),
        Kind::Reply(Reply::Ended { sip_code, reason, .. }) => {
            let code = sip_code.map_or_else(String::new, |c| format!(" ({c})"));
            format!("the dial ended: {}{code}", if reason.trim().is_empty() { "no reason given" } else { reason.trim() })
        }
        Kind::Reply(Reply::TimedOut { .. }) => "rang until its time was over".to_owned(),
        Kind::Reply(Reply::Unsent { reason, .. }) => format!("not sent: {}", reason.trim()),
        Kind::Reply(Reply::Refused { reason, .. }) => format!("turned away by the trunk: {}", reason.trim()),
        Kind::Reply(Reply::Unknown { reason }) => format!("no clear reply to the dial: {}", reason.trim()),
        Kind::Leg { status: None, .. } => "the phone was connected".to_owned(),
        Kind::Leg { status: Some(status), .. } => match status {
            LegStatus::Dialing => "the phone is being dialled",
            LegStatus::Ringing => "the phone rings",
            LegStatus::Active => "answered",
            LegStatus::Hangup => "the phone was hung up",
        }
        .to_owned(),
        Kind::LegLeft { reason: Leave::ClientInitiated, status: Some(LegStatus::Dialing | LegStatus::Ringing), .. } => {
            "the phone went away before anybody answered".to_owned()
        }
        Kind::LegLeft { reason, .. } => left(*reason).to_owned(),
        Kind::LegGone { .. } => "the phone is no more connected".to_owned(),
        Kind::PresumedAnswered => "still there after its ringing time: taken for answered".to_owned(),
        Kind::HungUp => "hung up from here".to_owned(),
        Kind::Report(AgentReport { strange: Some(told), outcome: None, .. }) => format!("the agent told \"{}\", which is no outcome", clean(told, 80)),
        Kind::Report(r) => format!("the agent says {}", r.outcome.map_or("nothing of it", Outcome::label)),
        Kind::AgentLeft(_) => "the agent left".to_owned(),
        Kind::SessionDead => "LiveKit lists the phone, but its connection is gone".to_owned(),
        Kind::RoomFinished => "the call was closed at LiveKit".to_owned(),
        Kind::Twilio { status, .. } => format!("Twilio says {}", format!("{status:?}").to_lowercase()),
        Kind::ReplyLost { cause } => cause.words().to_owned(),
        Kind::NotListed => "the carrier lists no such call".to_owned(),
        Kind::Horizon => "nothing was heard of it by the last possible moment".to_owned(),
        Kind::Other { what } => what.clone(),
    }
}

/// Who ended it.
fn left(reason: Leave) -> &'static str {
    match reason {
        Leave::ClientInitiated => "hung up by the contact",
        Leave::UserRejected => "the contact turned the call away",
        Leave::UserUnavailable => "the contact could not be reached",
        Leave::RoomDeleted => "ended with the call at LiveKit",
        Leave::ParticipantRemoved => "hung up from here",
        Leave::DuplicateIdentity => "ended by a second connection",
        Leave::ConnectionTimeout => "the connection was lost",
        Leave::Other => "the phone left",
    }
}
