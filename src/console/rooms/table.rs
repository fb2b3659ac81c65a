//! Calls as rows of a list: columns that drop with the width, times, ages, and what is said of each.

use chrono::{DateTime, Utc};
use ratatui::{
    Frame,
    layout::Rect,
    style::{Modifier, Style},
    text::Span,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    console::{
        happened::moment,
        keys::{Action, Pane},
        lists::Column,
        rows::{display_name, more_than_state, seconds, wants_tag},
        state::State,
        widgets::{Row, fit},
    },
    domain::{call::State as CallState, outcome::Outcome, text::clean},
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
    Action::Enter,
    Action::HangUp,
    Action::Note,
    Action::Undo,
    Action::ClearTag,
    Action::Copy,
];

/// One of the columns: its head, the least it needs and the most it can use, and how soon it drops: the highest first.
struct Kind {
    column: Column,
    head: &'static str,
    least: usize,
    most: usize,
    rank: u8,
}

const fn kind(column: Column, head: &'static str, least: usize, most: usize, rank: u8) -> Kind {
    Kind { column, head, least, most, rank }
}

/// In the order in which they stand.
const KINDS: [Kind; 9] = [
    kind(Column::State, "state", 12, 12, 0),
    kind(Column::Contact, "contact", 12, 22, 1),
    kind(Column::Number, "number", 17, 17, 4),
    kind(Column::Attempt, "try", 3, 3, 6),
    kind(Column::Dialled, "dialled", 8, 8, 7),
    kind(Column::Time, " time", 5, 5, 2),
    kind(Column::Campaign, "campaign", 12, 28, 5),
    kind(Column::Room, "room", 9, 9, 8),
    kind(Column::Outcome, "agent says, outcome", 14, usize::MAX, 3),
];

/// Columns on the deck; the room of the board has the others as well.
const ON_DECK: u8 = 5;
/// Cells of the longest outcome as the agent suggests it: `not interested? 64 %`.
const WHOLE_WORD: usize = 20;
/// Cells of most names, and of long ones.
const WHOLE_NAME: usize = 16;
const LONG_NAME: usize = 26;
/// Cells of a number of which the end is shown, or nothing: those of its head.
const MASKED: usize = 6;
/// Cells between two columns.
const GAP: usize = 2;

/// The columns that a place has room for, each with its width.
pub struct Columns(Vec<(&'static Kind, usize)>);

impl Columns {
    /// Those of the board: what matters least drops first, what is left goes to names, then to what is said.
    pub fn of_board(state: &State, width: usize, whole: bool) -> Self {
        let longest = state.data.campaigns.iter().map(|c| c.row.name.width()).max().unwrap_or(0);
        let list = state.lists.of(Pane::Live);
        let number = if state.mask > 0 { MASKED } else { usize::MAX };
        Self::of(width, |k| list.shows(k.column) && (k.rank <= ON_DECK || whole), longest, number)
    }

    /// `number`: cells of a number as far as it is shown.
    fn of(width: usize, wanted: impl Fn(&Kind) -> bool, campaign: usize, number: usize) -> Self {
        // The cursor's cell at the left, and one at the right.
        let room = width.saturating_sub(2);
        let mut kinds: Vec<&'static Kind> = KINDS.iter().filter(|k| wanted(k)).collect();
        // What the deck has not is shown only where names and what is said are whole.
        let least = |kinds: &[&Kind], k: &Kind| match k.column {
            Column::Outcome if kinds.iter().any(|k| k.rank > ON_DECK) => WHOLE_WORD,
            Column::Contact if kinds.iter().any(|k| k.rank > ON_DECK) => WHOLE_NAME,
            Column::Number => k.least.min(number),
            _ => k.least,
        };
        let needs = |kinds: &[&Kind]| kinds.iter().map(|k| least(kinds, k) + GAP).sum::<usize>().saturating_sub(GAP);
        while kinds.len() > 1 && needs(&kinds) > room {
            let last = kinds.iter().map(|k| k.rank).max();
            kinds.retain(|k| Some(k.rank) != last);
        }
        let mut left = room.saturating_sub(needs(&kinds));
        let mut columns: Vec<(&'static Kind, usize)> = kinds.iter().map(|k| (*k, least(&kinds, k))).collect();
        // An outcome with its share goes before long names, long names before reasons.
        for (wide, most) in [(Column::Outcome, WHOLE_WORD), (Column::Contact, LONG_NAME), (Column::Campaign, campaign), (Column::Outcome, usize::MAX)] {
            if let Some((kind, width)) = columns.iter_mut().find(|(k, _)| k.column == wide) {
                let most = most.min(kind.most);
                let more = most.saturating_sub(*width).min(left);
                *width += more;
                left -= more;
            }
        }
        Self(columns)
    }

    pub fn head(&self) -> String {
        self.0.iter().map(|(k, width)| fit(k.head, *width)).collect::<Vec<_>>().join("  ")
    }

    /// A call: its state in its own colour, the row in that of its age, what is said of it in that of the outcome.
    pub fn spans(&self, state: &State, r: &PaneRow) -> Vec<Span<'static>> {
        let row = row_style(state, r);
        let mut spans = Vec::with_capacity(self.0.len() * 2);
        for (i, (kind, width)) in self.0.iter().enumerate() {
            if i > 0 {
                spans.push(Span::raw("  "));
            }
            match kind.column {
                Column::State => spans.push(state_span(state, r, *width)),
                Column::Outcome => spans.extend(says(state, r, *width)),
                // Who is on the line stands out; who rings may still be nobody.
                Column::Contact if r.state == CallState::Answered => {
                    spans.push(Span::styled(fit(&display_name(r), *width), row.add_modifier(Modifier::BOLD)));
                }
                column => spans.push(Span::styled(fit(&text_of(state, r, column), *width), row)),
            }
        }
        spans
    }
}

fn text_of(state: &State, r: &PaneRow, column: Column) -> String {
    match column {
        Column::Contact => display_name(r),
        Column::Number => state.number(&r.phone_number),
        Column::Attempt => format!("{:>3}", r.attempt),
        Column::Dialled => r.armed_at.map_or_else(String::new, |t| t.with_timezone(&state.options.zone).format("%H:%M:%S").to_string()),
        Column::Time => time(r, state.now),
        Column::Campaign => r.campaign_name.clone(),
        Column::Room => r.room_name.as_deref().map_or_else(String::new, |_| format!("call-{}", &r.id.hex()[28..])),
        // Spans of their own, and columns of campaigns.
        _ => String::new(),
    }
}

pub fn state_span(state: &State, r: &PaneRow, width: usize) -> Span<'static> {
    let (mark, role) = state.theme.symbols.of_call(r.state);
    let over = r.state.is_ended() && !wants_tag(r);
    Span::styled(fit(&format!("{mark} {}", r.state.words_if(r.armed_at.is_some())), width), state.theme.style(if over { "text_faint" } else { role }))
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
        let row = Row { spans: spans(r), selected: Some(i) == selected, marked: state.marks.of(pane).contains(&r.id), focused };
        row.draw(frame, &state.theme, area, i - top);
    }
}

/// Minutes and seconds in the present state, or of the talk, as everywhere else; nothing where nobody talked.
pub fn time(r: &PaneRow, now: DateTime<Utc>) -> String {
    let Some(seconds) = seconds(r, now) else { return String::new() };
    format!("{:>2}:{:02}", seconds / 60, seconds % 60)
}

/// How old what it waits in is, against the limits of that.
fn late(state: &State, r: &PaneRow, otherwise: &str) -> Style {
    let ages = &state.options.ages;
    let since = |t: Option<DateTime<Utc>>| t.map_or(0, |t| (state.now - t).num_seconds());
    match r.state {
        CallState::Ringing => state.late(since(r.ringing_at), ages.ringing, otherwise),
        CallState::Answered => state.late(since(r.answered_at), ages.on_call, otherwise),
        _ if wants_tag(r) => state.late(since(r.completed_at), ages.to_tag, otherwise),
        _ => state.theme.style(otherwise),
    }
}

/// Colours by age: normal, then warning, then error.
pub fn age_style(state: &State, r: &PaneRow) -> Style {
    late(state, r, "text")
}

/// The whole row by age: who is on the line bright, what waits for a tag dim, what is over and done faint.
pub fn row_style(state: &State, r: &PaneRow) -> Style {
    match (r.state.is_ended(), wants_tag(r)) {
        (true, false) => state.theme.style("text_faint"),
        (true, true) => late(state, r, "text_dim"),
        (false, _) => late(state, r, "text"),
    }
}

/// What is said of a call, and why where there is room.
fn says(state: &State, r: &PaneRow, width: usize) -> Vec<Span<'static>> {
    let word = outcome_span(state, r);
    let aside = beside(state, r);
    if !aside.is_empty() {
        return aside_spans(state, r, word, &aside, width);
    }
    let reason = state.data.reasons.get(&r.id).filter(|_| r.outcome.is_none() && r.suggestion.is_some());
    let used = word.content.width();
    match reason {
        Some(reason) if width >= used + 12 => {
            let why = fit(&format!("  {}", clean(reason, 200)), width - used);
            vec![word, Span::styled(why, state.theme.style("text_dim"))]
        }
        _ => vec![Span::styled(fit(&word.content, width), word.style)],
    }
}

/// What is said of an ended call beside its outcome: when it is called again, and who tagged it.
fn beside(state: &State, r: &PaneRow) -> Vec<String> {
    let Some(aside) = state.data.asides.get(&r.id).filter(|_| !state.saving.contains_key(&r.id)) else { return Vec::new() };
    let at = aside.again_at.map(|at| moment(state.options.zone, state.now, at));
    match r.outcome {
        Some(Outcome::Callback) => at.into_iter().chain(aside.tagged_by.as_ref().map(|who| format!("by {}", clean(who, 20)))).collect(),
        Some(_) => aside.tagged_by.as_ref().map(|who| format!("by {}", clean(who, 20))).into_iter().collect(),
        None if r.answered_at.is_none() => at.map(|at| format!("again {at}")).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The outcome and what is said beside it, as far as there is room; of a call that nobody took, when it is called again
/// goes before why.
fn aside_spans(state: &State, r: &PaneRow, word: Span<'static>, aside: &[String], width: usize) -> Vec<Span<'static>> {
    let dim = state.theme.style("text_dim");
    let parts: Vec<(String, Style)> = match r.outcome {
        Some(_) => std::iter::once((word.content.into_owned(), word.style)).chain(aside.iter().map(|a| (a.clone(), dim))).collect(),
        None => aside.iter().map(|a| (a.clone(), state.theme.style("text_faint"))).chain([(word.content.into_owned(), word.style)]).collect(),
    };
    let (mut spans, mut used) = (Vec::new(), 0);
    for (i, (text, style)) in parts.into_iter().enumerate() {
        let text = if i == 0 { text } else { format!("  {text}") };
        if i > 0 && used + text.width() > width {
            break;
        }
        used += text.width();
        spans.push(Span::styled(text, style));
    }
    match spans.as_mut_slice() {
        [one] => one.content = fit(&one.content, width).into(),
        _ => spans.push(Span::raw(" ".repeat(width.saturating_sub(used)))),
    }
    spans
}

pub fn outcome_span(state: &State, r: &PaneRow) -> Span<'static> {
    let styled = |text: String, role: &str| Span::styled(text, state.theme.style(role));
    if let Some(saving) = state.saving.get(&r.id) {
        let (word, sign) = (saving.map_or("clearing", Outcome::label), &state.theme.symbols.saving);
        return if state.waiting.contains_key(&r.id) { styled(format!("{sign} {word} waits"), "warn") } else { styled(format!("{sign} {word}"), "text_dim") };
    }
    if let Some(o) = r.outcome {
        return styled(format!("{} {}", o.digit(), o.label()), &format!("outcome_{}", o.as_str()));
    }
    if r.hangup_requested_at.is_some() && !r.state.is_ended() {
        return styled("hanging up".to_owned(), "warn");
    }
    match (r.suggestion, r.suggestion_confidence) {
        (Some(s), confidence) if r.answered_at.is_some() => {
            let sure = confidence.map_or_else(String::new, |c| format!(" {:.0} %", c * 100.0));
            styled(format!("{}?{sure}", s.label()), &format!("outcome_{}", s.as_str()))
        }
        _ if wants_tag(r) => styled("? untagged".to_owned(), "outcome_untagged"),
        _ if r.state.is_ended() && r.state != CallState::Completed => styled(more_than_state(r), "text_faint"),
        _ => styled(String::new(), "text_faint"),
    }
}
