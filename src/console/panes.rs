//! The four panes, and the two of the wide screen. Each computes its rows and draws a window of them.

use chrono::{DateTime, Utc};
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Paragraph, Sparkline},
};
use tracing::Level;
use unicode_width::UnicodeWidthStr;

use super::{
    data::CampaignView,
    message::{Detail, Pane},
    state::{State, wants_tag},
    view::{boxed, fit, row, window},
};
use crate::{
    domain::{
        call::State as CallState,
        campaign::Status,
        event::{AgentReport, Kind, Reply},
        outcome::Outcome,
    },
    store::{EventRow, PaneRow},
};

/// The word of a pane in the tab line.
#[must_use]
pub fn tab(state: &State, pane: Pane) -> String {
    match pane {
        Pane::Campaigns => format!("C Campaigns {}", state.data.campaigns.len()),
        Pane::Live => format!("L Live calls {}", state.live_count()),
        Pane::Outcomes => format!("O Outcomes {}", state.to_tag()),
        Pane::Logs if state.data.errors > 0 => format!("E Logs !{}", state.data.errors),
        Pane::Logs => "E Logs".to_owned(),
    }
}

fn head(frame: &mut Frame<'_>, state: &State, area: Rect, text: &str) -> Rect {
    let line = Rect { height: 1.min(area.height), ..area };
    frame.render_widget(Paragraph::new(Span::styled(fit(&format!(" {text}"), usize::from(area.width)), state.theme.style("text_faint"))), line);
    Rect { y: area.y + line.height, height: area.height - line.height, ..area }
}

fn empty(frame: &mut Frame<'_>, state: &State, area: Rect, words: &str) {
    frame.render_widget(
        Paragraph::new(Span::styled(fit(&format!(" {words}"), usize::from(area.width)), state.theme.style("text_dim"))),
        Rect { height: 1.min(area.height), ..area },
    );
}

/// `● running  Q4 Sales   38%  4  214/500  09-17 MTWTF`
pub fn campaigns(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let focused = state.focus == Pane::Campaigns;
    let all = &state.data.campaigns;
    let selected = all.iter().position(|c| Some(c.row.id) == state.campaign);
    let corner = selected.map_or_else(String::new, |i| format!("{}/{}", i + 1, all.len()));
    let inside = boxed(frame, &state.theme, area, focused, &format!("C Campaigns {}", all.len()), &corner);
    if all.is_empty() {
        let words = if state.loaded { "No campaigns yet. N new   i import contacts   `dialdeck demo` shows sample data" } else { "loading..." };
        return empty(frame, state, inside, words);
    }
    let name = usize::from(inside.width).saturating_sub(56).clamp(10, 28);
    let body = head(frame, state, inside, &format!("{:<11} {} {:>5} {:>5} {:>10}  window", "state", fit("campaign", name), "done", "live", "today/cap"));
    let height = usize::from(body.height);
    let from = window(selected, height, all.len());
    for (i, c) in all.iter().enumerate().skip(from).take(height) {
        let y = u16::try_from(i - from).unwrap_or(0);
        row(frame, &state.theme, body, y, campaign_spans(state, c, name, usize::from(body.width)), Some(i) == selected, focused);
    }
}

fn campaign_spans(state: &State, c: &CampaignView, name: usize, width: usize) -> Vec<Span<'static>> {
    let (glyph, role) = match c.row.execution_status {
        Status::Running => ("●", "state_running"),
        Status::Paused => ("~", "state_paused"),
        Status::Idle => ("o", "state_idle"),
        Status::Completed => ("✓", "state_completed"),
        Status::Error => ("✗", "state_error"),
    };
    let n = &c.row.counts;
    let word = state.pending.get(&c.row.id).copied().unwrap_or(match c.row.execution_status {
        Status::Completed if n.canceled > 0 && c.row.status_actor != "engine" => "stopped",
        Status::Completed => "done",
        Status::Running if !c.open => "waiting",
        s => s.as_str(),
    });
    let over = n.total - n.pending - n.processing - n.canceled;
    let done = if n.total > 0 { over * 100 / n.total } else { 0 };
    let tail = match c.row.execution_status {
        Status::Paused | Status::Error | Status::Completed if !c.row.status_reason.is_empty() => c.row.status_reason.clone(),
        _ => format!("{} {}", c.row.window().label(), c.row.timezone.rsplit('/').next().unwrap_or_default().replace('_', " ")),
    };
    let text = state.theme.style("text");
    vec![
        Span::styled(fit(&format!("{glyph} {word}"), 11), state.theme.style(role)),
        Span::styled(format!(" {} {done:>4}% {:>5} {:>10}  ", fit(&c.row.name, name), n.live, format!("{}/{}", c.used_today, c.row.daily_cap)), text),
        Span::styled(fit(&tail, width.saturating_sub(name + 39)), state.theme.style("text_dim")),
    ]
}

/// Widths of the live pane's columns; room, campaign and contact drop in that order.
struct Columns {
    width: usize,
    contact: usize,
    campaign: usize,
    room: usize,
}

impl Columns {
    fn of(width: u16) -> Self {
        let width = usize::from(width);
        let base = 1 + 12 + 18 + 6 + 4;
        let left = width.saturating_sub(base + 16);
        let campaign = if left >= 30 { 13 } else { 0 };
        let room = if left >= 52 { 12 } else { 0 };
        let contact = left.saturating_sub(campaign + room).clamp(8, 30);
        Self { width, contact, campaign, room }
    }

    fn head(&self) -> String {
        let mut text = format!("{:<12} {:<17} {} {:>5}", "state", "number", fit("contact", self.contact), "time");
        if self.room > 0 {
            text.push_str(&format!("  {}", fit("agent/room", self.room)));
        }
        if self.campaign > 0 {
            text.push_str(&format!("  {}", fit("campaign", self.campaign)));
        }
        text.push_str("  outcome");
        text
    }
}

/// `● on call   +1 202 555 0142   Jane Roe   03:12  Q4 Sales  -`
pub fn live(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let focused = state.focus == Pane::Live;
    let rows = state.live_rows();
    let selected = rows.iter().position(|r| Some(r.id) == state.live);
    let follow = if state.follow { "follow on" } else { "f follow" };
    let only = if state.to_tag_only { "  to-tag only" } else { "" };
    let corner = selected.map_or_else(String::new, |i| format!("{}/{}  {follow}{only}", i + 1, rows.len()));
    let inside = boxed(frame, &state.theme, area, focused, &format!("L Live calls {}  sort: state,time", state.live_count()), &corner);
    if rows.is_empty() {
        return empty(frame, state, inside, &no_calls(state));
    }
    let columns = Columns::of(inside.width);
    let body = head(frame, state, inside, &columns.head());
    let height = usize::from(body.height);
    let from = window(selected, height, rows.len());
    for (i, r) in rows.iter().enumerate().skip(from).take(height) {
        let y = u16::try_from(i - from).unwrap_or(0);
        row(frame, &state.theme, body, y, call_spans(state, r, &columns), Some(i) == selected, focused);
    }
}

fn no_calls(state: &State) -> String {
    if !state.loaded {
        return "loading...".to_owned();
    }
    if !state.filter.is_empty() {
        return format!("0 of {} match \"{}\". Esc clears", state.data.live.len(), state.filter);
    }
    let running: Vec<&CampaignView> = state.data.campaigns.iter().filter(|c| c.row.execution_status == Status::Running).collect();
    match running.as_slice() {
        [] if state.data.campaigns.is_empty() => "No live calls.".to_owned(),
        [] => "No live calls. No campaign is running: s starts the selected one".to_owned(),
        [first, ..] => format!("No live calls. \"{}\" is running: w says why it is not dialling", first.row.name),
    }
}

fn glyph(state: CallState) -> (&'static str, &'static str) {
    match state {
        CallState::Answered => ("●", "call_answered"),
        CallState::Ringing | CallState::Armed | CallState::Dialing => ("~", "call_calling"),
        CallState::Pending | CallState::Claimed => ("·", "call_pending"),
        CallState::Unknown | CallState::Unresolved => ("?", "warn"),
        CallState::Completed => ("✓", "call_completed"),
        CallState::Busy | CallState::NoAnswer | CallState::Canceled => ("-", "call_completed"),
        CallState::Rejected | CallState::WrongNumber | CallState::Failed | CallState::Unsent | CallState::Refused | CallState::NotPlaced => {
            ("✗", "call_failed")
        }
    }
}

/// Minutes and seconds in the present state, or of the talk.
fn time(r: &PaneRow, now: DateTime<Utc>) -> String {
    let seconds =
        if r.state.is_ended() { r.call_duration } else { r.answered_at.or(r.ringing_at).or(r.armed_at).map_or(0, |t| (now - t).num_seconds().max(0)) };
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// Colours by age: normal, then warning, then error.
fn age_style(state: &State, r: &PaneRow) -> Style {
    let since = |t: Option<DateTime<Utc>>| t.map_or(0, |t| (state.now - t).num_seconds());
    let (age, warn, error) = match r.state {
        CallState::Ringing => (since(r.ringing_at), 30, 45),
        CallState::Answered => (since(r.answered_at), 600, 1200),
        _ if wants_tag(r) => (since(r.completed_at), 300, 900),
        _ => (0, 1, 2),
    };
    state.theme.style(if age >= error {
        "error"
    } else if age >= warn {
        "warn"
    } else {
        "text"
    })
}

fn outcome_span(state: &State, r: &PaneRow) -> Span<'static> {
    let styled = |text: String, role: &str| Span::styled(text, state.theme.style(role));
    if let Some(saving) = state.saving.get(&r.id) {
        return styled(format!("~ {}", saving.map_or("clearing", Outcome::label)), "text_dim");
    }
    if let Some(o) = r.outcome {
        return styled(format!("{} {}", o.digit(), o.label()), &format!("outcome_{}", o.as_str()));
    }
    if r.hangup_requested_at.is_some() && !r.state.is_ended() {
        return styled("hanging up".to_owned(), "warn");
    }
    match (r.suggestion, r.suggestion_confidence) {
        (Some(s), confidence) if r.answered_at.is_some() => {
            let sure = confidence.map_or_else(String::new, |c| format!(" {:.0}%", c * 100.0));
            styled(format!("{}?{sure}", s.label()), "outcome_untagged")
        }
        _ if wants_tag(r) => styled("? untagged".to_owned(), "outcome_untagged"),
        _ if r.state.is_ended() && r.state != CallState::Completed => {
            let code = r.sip_code.map_or_else(String::new, |c| format!(" {c}"));
            styled(format!("{}{code}", r.reason), "text_dim")
        }
        _ => styled("-".to_owned(), "text_faint"),
    }
}

fn call_spans(state: &State, r: &PaneRow, c: &Columns) -> Vec<Span<'static>> {
    let (mark, role) = glyph(r.state);
    let text = if r.state.is_ended() && !wants_tag(r) { state.theme.style("text_dim") } else { state.theme.style("text") };
    let mut spans = vec![
        Span::styled(fit(&format!("{mark} {}", r.state.words()), 12), state.theme.style(role)),
        Span::styled(format!(" {} {} ", fit(&state.number(&r.phone_number), 17), fit(&r.contact_name, c.contact)), text),
        Span::styled(time(r, state.now), age_style(state, r)),
    ];
    if c.room > 0 {
        let room = r.room_name.as_deref().map_or_else(String::new, |_| format!("call-{}", &r.id.hex()[28..]));
        spans.push(Span::styled(format!("  {}", fit(&room, c.room)), state.theme.style("text_faint")));
    }
    if c.campaign > 0 {
        spans.push(Span::styled(format!("  {}", fit(&r.campaign_name, c.campaign)), state.theme.style("text_dim")));
    }
    spans.push(Span::raw("  "));
    let used: usize = spans.iter().map(|s| s.content.width()).sum();
    let last = outcome_span(state, r);
    spans.push(Span::styled(fit(&last.content, c.width.saturating_sub(used + 1)), last.style));
    spans
}

/// A queue row without room for more: name, talk, what the agent thinks.
fn narrow_spans(state: &State, r: &PaneRow, width: usize) -> Vec<Span<'static>> {
    let name = fit(&super::update::display_name(&r.contact_name, &r.phone_number), 16);
    let last = outcome_span(state, r);
    vec![
        Span::styled(format!(" {name} {} ", fit(&crate::domain::text::tail(&r.phone_number), 6)), state.theme.style("text")),
        Span::styled(format!("{}  ", time(r, state.now)), age_style(state, r)),
        Span::styled(fit(&last.content, width.saturating_sub(34)), last.style),
    ]
}

/// Totals over the to-tag queue; without room for both, the queue while the pane has the focus.
pub fn outcomes(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let focused = state.focus == Pane::Outcomes;
    let queue = state.queue_rows();
    let selected = queue.iter().position(|r| Some(r.id) == state.queue);
    let campaign = state.data.campaigns.iter().find(|c| Some(c.row.id) == state.campaign);
    let title = campaign.map_or_else(|| "O Outcomes".to_owned(), |c| format!("O Outcomes: {}", c.row.name));
    let next = if state.auto_next { "a auto-next on" } else { "a auto-next off" };
    let corner = if focused {
        format!("all campaigns: {}/{} to tag  {next}", selected.map_or(0, |i| i + 1), state.to_tag())
    } else {
        format!("to tag {}", state.to_tag())
    };
    let inside = boxed(frame, &state.theme, area, focused, &title, &corner);
    let totals = totals(state, campaign, usize::from(inside.width));
    let both = usize::from(inside.height) > totals.len() + 3;
    let mut rest = inside;
    if both || !focused {
        let rows = u16::try_from(totals.len()).unwrap_or(8).min(inside.height);
        frame.render_widget(Paragraph::new(totals), Rect { height: rows, ..inside });
        rest = Rect { y: inside.y + rows, height: inside.height - rows, ..inside };
    }
    if !both && !focused {
        return;
    }
    if queue.is_empty() {
        let words = match (state.loaded, state.filter.is_empty()) {
            (false, _) => "loading...".to_owned(),
            (true, true) => "All calls tagged.".to_owned(),
            (true, false) => format!("0 of {} match \"{}\". Esc clears", state.data.to_tag.len(), state.filter),
        };
        return empty(frame, state, rest, &words);
    }
    let width = usize::from(rest.width);
    let columns = Columns { width, contact: width.saturating_sub(58).clamp(8, 26), campaign: 0, room: 0 };
    let narrow = width < 66;
    let body = head(frame, state, rest, &if narrow { " contact                  talk   agent says".to_owned() } else { columns.head() });
    let height = usize::from(body.height);
    let from = window(selected, height, queue.len());
    for (i, r) in queue.iter().enumerate().skip(from).take(height) {
        let y = u16::try_from(i - from).unwrap_or(0);
        let spans = if narrow { narrow_spans(state, r, width) } else { call_spans(state, r, &columns) };
        row(frame, &state.theme, body, y, spans, Some(i) == selected, focused);
    }
}

fn totals(state: &State, campaign: Option<&CampaignView>, width: usize) -> Vec<Line<'static>> {
    let Some(c) = campaign else { return Vec::new() };
    let n = &c.row.counts;
    let of = [n.interested, n.not_interested, n.callback, n.do_not_call, n.voicemail, n.wrong_number];
    let all = of.iter().sum::<i64>().max(n.pickups).max(1);
    let mut lines = vec![Line::from(Span::styled(
        fit(&format!(" today {} dials  all {} dialled {} answered", c.used_today, n.dials, n.pickups), width),
        state.theme.style("text_dim"),
    ))];
    for (o, count) in Outcome::ALL.into_iter().zip(of) {
        let percent = count * 100 / all;
        let bar = "#".repeat(usize::try_from(percent / 4).unwrap_or(0).min(width.saturating_sub(32)));
        lines.push(Line::from(vec![
            Span::styled(format!(" {} ", o.digit()), state.theme.style("key")),
            Span::styled(format!("{:<15} {count:>5} {percent:>4}% ", o.label()), state.theme.style("text")),
            Span::styled(bar, state.theme.style(&format!("outcome_{}", o.as_str()))),
        ]));
    }
    lines
}

pub fn logs(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let focused = state.focus == Pane::Logs;
    let corner = if state.log_scroll > 0 { format!("{} lines up", state.log_scroll) } else { "live".to_owned() };
    let inside = boxed(frame, &state.theme, area, focused, "E Logs", &corner);
    let height = usize::from(inside.height);
    let all = &state.data.logs;
    let end = all.len().saturating_sub(state.log_scroll);
    let lines: Vec<Line<'_>> = all[end.saturating_sub(height)..end]
        .iter()
        .rev()
        .map(|l| {
            let (word, role) = match l.level {
                Level::ERROR => ("ERROR", "log_error"),
                Level::WARN => ("WARN ", "log_warn"),
                Level::INFO => ("INFO ", "log_info"),
                _ => ("DEBUG", "log_debug"),
            };
            let at = l.at.with_timezone(&state.options.zone).format("%H:%M:%S%.3f");
            let room = usize::from(inside.width).saturating_sub(28);
            Line::from(vec![
                Span::styled(format!(" {at} "), state.theme.style("text_faint")),
                Span::styled(format!("{word} "), state.theme.style(role)),
                Span::styled(fit(&l.target, 8), state.theme.style("text_dim")),
                Span::styled(fit(&format!(" {}", l.text), room), state.theme.style("text")),
            ])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), inside);
}

/// The story of the selected call, on the wide screen.
pub fn detail(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let inside = boxed(frame, &state.theme, area, false, "Call detail", "Enter opens");
    match &state.detail {
        Some(d) if Some(d.row.id) == state.shown => frame.render_widget(Paragraph::new(story(state, d, usize::from(inside.width))), inside),
        _ => empty(frame, state, inside, "no call selected"),
    }
}

/// A call's head and timeline.
pub fn story(state: &State, d: &Detail, width: usize) -> Vec<Line<'static>> {
    let r = &d.row;
    let text = state.theme.style("text");
    let faint = state.theme.style("text_faint");
    let at = |t: Option<DateTime<Utc>>| t.map_or_else(|| "-".to_owned(), |t| t.with_timezone(&state.options.zone).format("%H:%M:%S").to_string());
    let line = |text: String, style: Style| Line::from(Span::styled(fit(&text, width), style));
    let mut lines = vec![
        line(format!(" {}  {}  {}  attempt {}", r.contact_name, state.number(&r.phone_number), r.campaign_name, r.attempt), state.theme.style("title")),
        line(
            format!(
                " {} {}  dialled {}  answered {}  ended {}  talk {}",
                r.state.words(),
                r.reason,
                at(r.armed_at),
                at(r.answered_at),
                at(r.completed_at),
                time(r, state.now)
            ),
            text,
        ),
    ];
    if !r.notes.is_empty() {
        lines.push(line(format!(" note: {}", r.notes), text));
    }
    lines.push(Line::default());
    for e in &d.timeline {
        let when = e.at.with_timezone(&state.options.zone).format("%H:%M:%S%.3f");
        let moved = e.applied.as_ref().map_or_else(String::new, |a| format!(" -> {a}"));
        lines.push(Line::from(vec![
            Span::styled(format!(" {when}  "), faint),
            Span::styled(fit(&format!("{:<8} {}{moved}", e.source.as_str(), event_words(e)), width.saturating_sub(16)), text),
        ]));
    }
    for a in &d.audit {
        let when = a.at.with_timezone(&state.options.zone).format("%H:%M:%S%.3f");
        lines.push(Line::from(Span::styled(fit(&format!(" {when}  {} by {}", a.action.replace('_', " "), a.actor), width), faint)));
        // What the gates looked at, in full: this is where an operator answers for a call.
        let facts = a.details.0.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null());
        let facts: Vec<String> = facts.map(|(k, v)| format!("{k} {}", v.to_string().replace('"', ""))).collect();
        lines.extend(super::view::wrapped(&facts.join(" · "), width.saturating_sub(17)).into_iter().map(|l| line(format!("               {l}"), faint)));
    }
    for o in &d.outcomes {
        let when = o.at.with_timezone(&state.options.zone).format("%H:%M:%S%.3f");
        let who = if o.by.is_empty() { format!("{:?}", o.who).to_lowercase() } else { o.by.clone() };
        let value = o.value.map_or("cleared", Outcome::label);
        let note = if o.note.is_empty() { String::new() } else { format!(": {}", o.note) };
        lines.push(Line::from(vec![
            Span::styled(format!(" {when}  "), faint),
            Span::styled(fit(&format!("{who} said \"{value}\"{note}"), width.saturating_sub(16)), state.theme.style("info")),
        ]));
    }
    lines
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
        Kind::Leg { status, .. } => format!(
            "the leg is {}",
            status.map_or("there", |s| match s {
                crate::domain::event::LegStatus::Dialing => "dialling",
                crate::domain::event::LegStatus::Ringing => "ringing",
                crate::domain::event::LegStatus::Active => "active",
                crate::domain::event::LegStatus::Hangup => "hung up",
            })
        ),
        Kind::LegLeft { reason, .. } => format!("the leg left ({reason:?})"),
        Kind::LegGone { .. } => "the leg is gone".to_owned(),
        Kind::PresumedAnswered => "still there after its ringing time: answered".to_owned(),
        Kind::HungUp => "hung up".to_owned(),
        Kind::Report(AgentReport { strange: Some(told), outcome: None, .. }) => format!("the agent told \"{told}\", which is no outcome"),
        Kind::Report(r) => format!("the agent reports {}", r.outcome.map_or("", Outcome::label)),
        Kind::AgentLeft(_) => "the agent left".to_owned(),
        Kind::SessionDead => "LiveKit lists the leg, its session is gone".to_owned(),
        Kind::RoomFinished => "the room closed".to_owned(),
        Kind::Twilio { status, .. } => format!("Twilio says {status:?}"),
        Kind::ReplyLost { cause } => cause.words().to_owned(),
        Kind::NotListed => "the carrier lists no such call".to_owned(),
        Kind::Horizon => "no evidence by the last possible moment".to_owned(),
        Kind::Other { what } => what.clone(),
    }
}

/// One figure of a minute's point.
type PointValue = fn(&(i64, i64, i64, i64)) -> i64;

/// Answered, calls and failures a minute, on the wide screen.
pub fn trend(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let inside = boxed(frame, &state.theme, area, false, "Trend, a bar a minute", "");
    let series: [(&str, PointValue); 3] = [("calls/min", |p| p.1), ("answered %", |p| p.2), ("failed %", |p| p.3)];
    for (i, (label, value)) in series.into_iter().enumerate() {
        let y = inside.y + u16::try_from(i).unwrap_or(0);
        if y >= inside.bottom() {
            return;
        }
        let line = Rect { y, height: 1, ..inside };
        frame.render_widget(Paragraph::new(Span::styled(format!(" {label:<11}"), state.theme.style("text_dim"))), line);
        let data: Vec<u64> =
            state.history.iter().rev().take(usize::from(inside.width.saturating_sub(14))).rev().map(|p| u64::try_from(value(p)).unwrap_or(0)).collect();
        let place = Rect { x: inside.x + 13, width: inside.width.saturating_sub(14), ..line };
        let top = if i == 0 { data.iter().copied().max().unwrap_or(1).max(1) } else { 100 };
        frame.render_widget(Sparkline::default().max(top).data(data).style(state.theme.style("spark")), place);
    }
}
