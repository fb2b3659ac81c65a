//! The deck: panes beside each other as the size allows, tabs or crumbs over them, trends and a call's story
//! where there is room.

use ratatui::{
    Frame,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::{Paragraph, Sparkline},
};

use unicode_width::UnicodeWidthStr;

use crate::console::{
    edges,
    keys::{Action, Pane},
    layout::Places,
    state::State,
    story,
    widgets::{boxed, cut, empty},
};

pub fn draw(frame: &mut Frame<'_>, state: &State, places: &Places) {
    if let Some(area) = places.tabs {
        let line = if state.zoom || !Pane::DECK.contains(&state.focus) { crumbs(state, usize::from(area.width)) } else { tabs(state) };
        frame.render_widget(Paragraph::new(line), area);
    }
    for (pane, area) in &places.panes {
        if let Some(room) = state.room(*pane) {
            room.draw(frame, state, *area, state.zoom);
            edges::draw(frame, state, *pane, *area);
        }
    }
    if let Some(area) = places.trend {
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

/// What a click into the line of tabs or crumbs means: the tab's room, or back.
#[must_use]
pub fn clicked(state: &State, area: Rect, column: u16) -> Option<Action> {
    if state.zoom || !Pane::DECK.contains(&state.focus) {
        return Some(Action::Escape);
    }
    let mut x = area.x + 1;
    for pane in Pane::DECK {
        let Some(text) = state.room(pane).map(|r| r.tab(state)) else { continue };
        let end = x + u16::try_from(text.width() + 2).unwrap_or(0);
        if (x..end).contains(&column) {
            return (pane != state.focus).then_some(Action::Focus(pane));
        }
        x = end + 1;
    }
    None
}

/// Where one is: `deck > Live calls   Esc the deck`.
fn crumbs(state: &State, width: usize) -> Line<'static> {
    let here = state.room(state.focus).map_or_else(String::new, |r| r.tab(state));
    let back = format!("   {} the deck", state.keys.name(Action::Escape));
    let here = cut(&here, width.saturating_sub(back.len() + 9));
    let dim = state.theme.style("text_dim");
    Line::from(vec![Span::styled(" deck > ", dim), Span::styled(here, state.theme.style("title").add_modifier(Modifier::BOLD)), Span::styled(back, dim)])
}

/// The story of the selected call, on the wide screen.
fn detail(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let corner = format!("{} opens", state.keys.name(Action::Enter));
    let inside = boxed(frame, &state.theme, area, false, "The call", &corner);
    match &state.detail {
        Some(d) if Some(d.row.id) == state.shown => {
            frame.render_widget(Paragraph::new(story::lines(state, d, usize::from(inside.width))), inside);
        }
        _ if state.shown.is_some() => empty(frame, &state.theme, inside, "loading..."),
        _ => empty(frame, &state.theme, inside, "no call selected"),
    }
}

/// One figure of a minute's point.
type PointValue = fn(&(i64, i64, i64, i64)) -> i64;

/// Answered, calls and failures a minute, on the wide screen.
fn trend(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let inside = boxed(frame, &state.theme, area, false, "Since the start, a bar a minute", "");
    let series: [(&str, PointValue); 3] = [("dials/min", |p| p.1), ("answered %", |p| p.2), ("failed %", |p| p.3)];
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
