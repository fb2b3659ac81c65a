//! Calls as rows of a list: columns that drop with the width, times, ages, and what is said of each.

use chrono::{DateTime, Utc};
use ratatui::{Frame, layout::Rect, style::Style, text::Span};
use unicode_width::UnicodeWidthStr;

use crate::{
    console::{
        keys::{Action, Pane},
        lists::{Column, List},
        rows::{display_name, seconds, wants_tag},
        state::State,
        widgets::{Row, fit},
    },
    domain::{call::State as CallState, outcome::Outcome, text::tail},
    store::PaneRow,
};

/// What the footer offers on a call.
pub const ON_CALLS: &[Action] = &[
    Action::Tag(Outcome::Interested),
    Action::Tag(Outcome::NotInterested),
    Action::Tag(Outcome::Callback),
    Action::Tag(Outcome::DoNotCall),
    Action::Tag(Outcome::Voicemail),
    Action::Tag(Outcome::WrongNumber),
    Action::ClearTag,
    Action::Enter,
    Action::Undo,
    Action::Note,
    Action::HangUp,
    Action::Copy,
];

/// Widths of the columns; room, campaign and contact drop in that order, and what the operator left out.
pub struct Columns<'a> {
    width: usize,
    contact: usize,
    campaign: usize,
    room: usize,
    list: &'a List,
}

/// Cells of those that have always the same.
const WIDTHS: [(Column, usize); 4] = [(Column::State, 12), (Column::Number, 18), (Column::Time, 6), (Column::Outcome, 19)];

impl<'a> Columns<'a> {
    pub fn of(width: u16, list: &'a List) -> Self {
        let width = usize::from(width);
        let fixed: usize = WIDTHS.iter().filter(|(c, _)| list.shows(*c)).map(|(_, w)| w).sum();
        let left = width.saturating_sub(fixed + 5);
        let campaign = if left >= 46 && list.shows(Column::Campaign) { (left - 22).min(28) } else { 0 };
        let room = if left >= 80 && list.shows(Column::Room) { 12 } else { 0 };
        let contact = left.saturating_sub(campaign + room).clamp(8, 30);
        Self { width, contact, campaign, room, list }
    }

    /// Those of the queue, whose campaign is said elsewhere.
    pub fn of_queue(width: usize, list: &'a List) -> Self {
        Self { width, contact: width.saturating_sub(61).clamp(8, 26), campaign: 0, room: 0, list }
    }

    pub fn head(&self) -> String {
        let shown = |column, text: String| if self.list.shows(column) { text } else { String::new() };
        let mut text = shown(Column::State, format!("{:<12} ", "state"));
        text.push_str(&shown(Column::Number, format!("{:<17} ", "number")));
        text.push_str(&fit("contact", self.contact));
        text.push_str(&shown(Column::Time, format!(" {:>5}", "time")));
        if self.campaign > 0 {
            text.push_str(&format!("  {}", fit("campaign", self.campaign)));
        }
        if self.room > 0 {
            text.push_str(&format!("  {}", fit("room", self.room)));
        }
        text.push_str(&shown(Column::Outcome, "  outcome".to_owned()));
        text
    }
}

/// The rows that can be seen, each by its drawing.
pub fn list<'a>(
    frame: &mut Frame<'_>,
    state: &'a State,
    area: Rect,
    pane: Pane,
    rows: &[&'a PaneRow],
    selected: Option<usize>,
    spans: impl Fn(&'a PaneRow) -> Vec<Span<'static>>,
) {
    let top = state.sight.get(&pane).map_or(0, |s| s.0).min(rows.len().saturating_sub(1));
    let focused = state.focus == pane;
    for (i, r) in rows.iter().enumerate().skip(top).take(usize::from(area.height)) {
        let row = Row { spans: spans(r), selected: Some(i) == selected, marked: state.marks.contains(&r.id), focused };
        row.draw(frame, &state.theme, area, i - top);
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

/// Minutes and seconds in the present state, or of the talk; nothing where nobody talked.
pub fn time(r: &PaneRow, now: DateTime<Utc>) -> String {
    seconds(r, now).map_or_else(String::new, |s| format!("{:02}:{:02}", s / 60, s % 60))
}

/// Colours by age: normal, then warning, then error.
pub fn age_style(state: &State, r: &PaneRow) -> Style {
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
        let word = saving.map_or("clearing", Outcome::label);
        return if state.waiting.contains_key(&r.id) { styled(format!("~ {word} waits"), "warn") } else { styled(format!("~ {word}"), "text_dim") };
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
            styled(format!("{}?{sure}", s.label()), &format!("outcome_{}", s.as_str()))
        }
        _ if wants_tag(r) => styled("? untagged".to_owned(), "outcome_untagged"),
        _ if r.state.is_ended() && r.state != CallState::Completed => styled(why_ended(r), "text_dim"),
        _ => styled(String::new(), "text_faint"),
    }
}

/// The carrier's words with its code, where it gave some.
pub fn why_ended(r: &PaneRow) -> String {
    let reason = r.reason.trim();
    match (r.sip_code, reason) {
        (Some(code), "") => format!("{} ({code})", r.state.words()),
        (Some(code), words) => format!("{words} ({code})"),
        (None, words) => words.to_owned(),
    }
}

pub fn call_spans(state: &State, r: &PaneRow, c: &Columns<'_>) -> Vec<Span<'static>> {
    let (mark, role) = glyph(r.state);
    let text = if r.state.is_ended() && !wants_tag(r) { state.theme.style("text_dim") } else { state.theme.style("text") };
    let mut spans = Vec::new();
    if c.list.shows(Column::State) {
        spans.push(Span::styled(format!("{} ", fit(&format!("{mark} {}", r.state.words()), 12)), state.theme.style(role)));
    }
    if c.list.shows(Column::Number) {
        spans.push(Span::styled(format!("{} ", fit(&state.number(&r.phone_number), 17)), text));
    }
    spans.push(Span::styled(format!("{} ", fit(&display_name(r), c.contact)), text));
    if c.list.shows(Column::Time) {
        spans.push(Span::styled(fit(&time(r, state.now), 5), age_style(state, r)));
    }
    if c.campaign > 0 {
        spans.push(Span::styled(format!("  {}", fit(&r.campaign_name, c.campaign)), state.theme.style("text_dim")));
    }
    if c.room > 0 {
        let room = r.room_name.as_deref().map_or_else(String::new, |_| format!("call-{}", &r.id.hex()[28..]));
        spans.push(Span::styled(format!("  {}", fit(&room, c.room)), state.theme.style("text_faint")));
    }
    if !c.list.shows(Column::Outcome) {
        return spans;
    }
    spans.push(Span::raw("  "));
    let used: usize = spans.iter().map(|s| s.content.width()).sum();
    let last = outcome_span(state, r);
    spans.push(Span::styled(fit(&last.content, c.width.saturating_sub(used + 1)), last.style));
    spans
}

/// A queue row without room for more: name, talk, what the agent thinks.
pub fn narrow_spans(state: &State, r: &PaneRow, width: usize) -> Vec<Span<'static>> {
    let name = fit(&display_name(r), 16);
    let digits = if state.mask > 1 { String::new() } else { tail(&r.phone_number) };
    let last = outcome_span(state, r);
    vec![
        Span::styled(format!(" {name} {} ", fit(&digits, 6)), state.theme.style("text")),
        Span::styled(format!("{}  ", fit(&time(r, state.now), 5)), age_style(state, r)),
        Span::styled(fit(&last.content.replace("not interested", "not int."), width.saturating_sub(34)), last.style),
    ]
}
