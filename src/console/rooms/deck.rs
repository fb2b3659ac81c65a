//! The deck: panes beside each other as the size allows, tabs or crumbs over them, trends and a call's story
//! where there is room.

use ratatui::{
    Frame,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::Paragraph,
};

use unicode_width::UnicodeWidthStr;

use super::trend;
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
            edges::draw(frame, state, *pane, room.frame(state, *area, state.zoom));
        }
    }
    if let Some(area) = places.trend.filter(|a| a.height > 2) {
        trend::draw(frame, state, area);
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
