//! The deck: panes beside each other as the size allows, tabs or crumbs over them, trends and a call's story
//! where there is room.

use ratatui::{
    Frame,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::{
    console::{
        charts,
        keys::{Action, Pane},
        layout::Places,
        state::State,
        story,
        widgets::{boxed, cut, empty, fit},
    },
    domain::stats::Pace,
};

pub fn draw(frame: &mut Frame<'_>, state: &State, places: &Places) {
    if let Some(area) = places.tabs {
        let line = if state.zoom || !Pane::DECK.contains(&state.focus) { crumbs(state, usize::from(area.width)) } else { tabs(state) };
        frame.render_widget(Paragraph::new(line), area);
    }
    for (pane, area) in &places.panes {
        if let Some(room) = state.room(*pane) {
            room.draw(frame, state, *area, state.zoom);
        }
    }
    if let Some(area) = places.trend.filter(|a| a.height > 2) {
        trend(frame, state, area);
    }
    if let Some(area) = places.detail {
        detail(frame, state, area);
    }
}

fn tabs(state: &State) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for pane in Pane::DECK {
        let Some(text) = state.room(pane).map(|r| r.tab(state)) else { continue };
        let (text, style) = if pane == state.focus {
            (format!("[{text}]"), state.theme.style("title").add_modifier(Modifier::BOLD))
        } else {
            (format!(" {text} "), state.theme.style("text_dim"))
        };
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

/// Where one is: `deck > Live calls   Esc the deck`.
fn crumbs(state: &State, width: usize) -> Line<'static> {
    let here = state.room(state.focus).map_or_else(String::new, |r| r.tab(state));
    let back = format!("   {} the deck", state.keys.name(Action::Escape));
    let here = cut(&here, width.saturating_sub(back.len() + 9));
    let dim = state.theme.style("text_dim");
    Line::from(vec![
        Span::styled(format!(" deck {} ", state.theme.symbols.crumb), dim),
        Span::styled(here, state.theme.style("title").add_modifier(Modifier::BOLD)),
        Span::styled(back, dim),
    ])
}

/// The story of the selected call, on the wide screen and in the room of the board.
pub fn detail(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let inside = boxed(frame, &state.theme, area, false, "The call", &corner(state));
    beside(frame, state, inside);
}

fn corner(state: &State) -> String {
    let [down, up, opens] = [Action::StoryDown, Action::StoryUp, Action::Enter].map(|a| state.keys.name(a));
    format!("{down} {up} scroll  {opens} opens")
}

fn beside(frame: &mut Frame<'_>, state: &State, area: Rect) {
    match &state.detail {
        Some(d) if Some(d.row.id) == state.shown => {
            let lines = story::lines(state, d, usize::from(area.width), false);
            let most = lines.len().saturating_sub(usize::from(area.height));
            state.story.1.set(most);
            frame.render_widget(Paragraph::new(lines[state.story.0.min(most)..].to_vec()), area);
        }
        _ if state.shown.is_some() => empty(frame, &state.theme, area, "loading..."),
        _ => empty(frame, &state.theme, area, &format!("{} takes a call; its story stands here.", state.keys.name(Action::Down))),
    }
}

/// One figure of some minutes.
type Value = fn(&Pace) -> i64;

const SERIES: [(&str, &str, Value); 3] = [("dials", "call_calling", |p| p.dials), ("answered", "success", |p| p.answered), ("failed", "error", |p| p.failed)];

/// Cells of the words at the left of a history.
const LABEL: u16 = 16;
/// The rows of one history at most.
const TALLEST: u16 = 6;

/// Dials, answers and failures of the last hour, a column a minute, all against the most dials of one: what is half as
/// high is half as much. From the rows, so that it does not begin anew with each start.
fn trend(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let inside = boxed(frame, &state.theme, area, false, "The last hour, by the minute", "");
    let Some(head) = state.data.head.as_deref().filter(|h| h.figures.hour.armed > 0) else {
        let words = if state.loaded { "No dial in the last hour. Each minute's dials and answers stand here." } else { "loading..." };
        return empty(frame, &state.theme, inside, words);
    };
    let each = (inside.height / 3).clamp(1, TALLEST);
    let minutes = &head.figures.minutes[..head.figures.minutes.len().saturating_sub(1)];
    let top = minutes.iter().map(|p| p.dials).max().unwrap_or(0);
    for (i, (label, role, value)) in (0u16..).zip(SERIES) {
        let area = Rect { y: inside.y + i * each, height: each, ..inside };
        if area.bottom() <= inside.bottom() {
            series(frame, state, area, (label, role, top), &minutes.iter().map(value).collect::<Vec<_>>());
        }
    }
}

fn series(frame: &mut Frame<'_>, state: &State, area: Rect, (label, role, top): (&str, &str, i64), values: &[i64]) {
    let width = usize::from(area.width.saturating_sub(LABEL + 1));
    // Two cells a minute where there is room: a minute can be told from the next.
    let columns: Vec<i64> =
        if width >= values.len() * 2 { values.iter().flat_map(|v| [*v, *v]).collect() } else { charts::columns(values, width.min(values.len())) };
    let rows = charts::tall(&columns, top, usize::from(area.height), &state.theme.symbols);
    let most = columns.iter().copied().max().unwrap_or(0);
    let words = [format!(" {label} {}", values.iter().sum::<i64>()), format!(" most {most} a min")];
    let lines: Vec<Line<'_>> = rows
        .into_iter()
        .enumerate()
        .map(|(y, row)| {
            let words = words.get(y).map_or("", String::as_str);
            let label = Span::styled(fit(words, usize::from(LABEL)), state.theme.style(if y == 0 { "text" } else { "text_faint" }));
            Line::from(vec![label, Span::styled(row, state.theme.style(role))])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}
