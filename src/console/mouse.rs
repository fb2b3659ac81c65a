//! Clicks and the wheel, where the operator asked for them. A click moves the cursor as a key does; the wheel moves
//! the view and never the cursor, so that nothing is tagged that nobody pointed at.

use chrono::Duration as Span;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{
    acts,
    keys::{Action, Pane},
    layout,
    message::Effect,
    rooms,
    state::State,
    view,
};

/// A second click on the same row within this is Enter.
const TWICE: Span = Span::milliseconds(500);
/// Rows of a notch of the wheel.
const NOTCH: isize = 3;

/// What a mouse's event does; a key that it stands for goes the way of keys.
pub enum Meant {
    Effects(Vec<Effect>),
    Key(KeyEvent),
}

pub fn meant(state: &mut State, event: MouseEvent) -> Meant {
    let nothing = Meant::Effects(Vec::new());
    if !state.session.mouse || state.is_tiny() {
        return nothing;
    }
    let at = Position { x: event.column, y: event.row };
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) if state.dialog.is_none() => Meant::Effects(click(state, at)),
        MouseEventKind::ScrollDown => wheel(state, at, NOTCH),
        MouseEventKind::ScrollUp => wheel(state, at, -NOTCH),
        // Nothing is dragged, and a click beside a dialog decides nothing.
        _ => nothing,
    }
}

fn places(state: &State) -> layout::Places {
    layout::of(state, Rect { x: 0, y: 0, width: state.size.0, height: state.size.1 })
}

fn click(state: &mut State, at: Position) -> Vec<Effect> {
    let places = places(state);
    state.last_key = Some(state.now);
    if places.footer.contains(at) {
        return view::offered(state, places.footer, at).map_or_else(Vec::new, |action| acts::act(state, action));
    }
    if let Some(tabs) = places.tabs.filter(|t| t.contains(at)) {
        return rooms::deck::clicked(state, tabs, at.x).map_or_else(Vec::new, |action| acts::act(state, action));
    }
    let Some((pane, area)) = places.panes.into_iter().find(|(_, area)| area.contains(at)) else { return Vec::new() };
    let effects = if state.focus == pane { Vec::new() } else { acts::act(state, Action::Focus(pane)) };
    let row = row_at(state, pane, area, at);
    match row {
        Some(row) => effects.into_iter().chain(choose(state, pane, row)).collect(),
        None => effects,
    }
}

/// The row of a pane's list that stands there.
fn row_at(state: &State, pane: Pane, area: Rect, at: Position) -> Option<usize> {
    let room = state.room(pane)?;
    let line = room.line_at(state, area, state.zoom, at)?;
    let row = state.sight.get(&pane).map_or(0, |s| s.0) + line;
    (row < room.list(state).1).then_some(row)
}

/// The cursor onto a row; on the one that was clicked a moment ago it opens.
fn choose(state: &mut State, pane: Pane, row: usize) -> Vec<Effect> {
    let here = state.room(pane).and_then(|r| r.list(state).0) == Some(row);
    let twice = here && state.clicked.is_some_and(|(p, t)| p == pane && state.now - t < TWICE);
    state.clicked = Some((pane, state.now));
    if twice {
        state.clicked = None;
        return acts::open(state);
    }
    if pane == Pane::Live {
        state.follow = false;
    }
    state.sought = Some(pane);
    state.with_room(pane, |room, state| room.put(state, row));
    Vec::new()
}

/// The view of the pane under the pointer; in a dialog as arrows go.
fn wheel(state: &mut State, at: Position, by: isize) -> Meant {
    if let Some(open) = &state.dialog {
        let code = if by > 0 { KeyCode::Down } else { KeyCode::Up };
        return if open.dialog.typing() { Meant::Effects(Vec::new()) } else { Meant::Key(KeyEvent::new(code, KeyModifiers::NONE)) };
    }
    if let Some((pane, _)) = places(state).panes.into_iter().find(|(_, area)| area.contains(at)) {
        let rows = state.room(pane).map_or(0, |r| r.list(state).1);
        let (top, seen) = state.sight.get(&pane).copied().unwrap_or((0, rows));
        if pane == Pane::Live {
            state.follow = false;
        }
        state.wheeled = Some(pane);
        state.sight.insert(pane, (top.saturating_add_signed(by).min(rows.saturating_sub(seen)), seen));
    }
    Meant::Effects(Vec::new())
}

/// Clicks are ours, or the terminal's own again.
pub fn switch(state: &mut State, on: bool) -> Vec<Effect> {
    state.session.mouse = on;
    let hint = "the mouse clicks, and its wheel scrolls; with Shift held the terminal selects text as before";
    state.say(if on { hint } else { "the mouse is the terminal's own again" });
    vec![Effect::Mouse(on)]
}
