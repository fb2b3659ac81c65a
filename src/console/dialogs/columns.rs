//! Which columns a list shows: each by a key, seen at once.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect, text::Span};

use crate::console::{
    keys::{self, Action, Pane},
    lists,
    place::{Dialog, Next},
    state::State,
    widgets::{Row, popup},
};

pub struct Columns {
    pane: Pane,
    at: usize,
}

impl Columns {
    pub fn new(pane: Pane) -> Self {
        Self { pane, at: 0 }
    }

    fn switch(&self, state: &mut State) {
        let Some(column) = lists::columns(self.pane).get(self.at).copied() else { return };
        if lists::is_fixed(self.pane, column) {
            return state.hint(format!("\"{}\" says whose row it is: it stays", column.name()));
        }
        let hidden = &mut state.lists.at(self.pane).hidden;
        if !hidden.remove(&column) {
            hidden.insert(column);
        }
    }
}

impl Dialog for Columns {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        let last = lists::columns(self.pane).len().saturating_sub(1);
        match key.code {
            KeyCode::Char('j') | KeyCode::Down => self.at = (self.at + 1).min(last),
            KeyCode::Char('k') | KeyCode::Up => self.at = self.at.saturating_sub(1),
            KeyCode::Char(' ') => self.switch(state),
            KeyCode::Enter | KeyCode::Char('q' | 'v') => return Next::close(),
            _ => {}
        }
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let columns = lists::columns(self.pane);
        let height = u16::try_from(columns.len() + 3).unwrap_or(u16::MAX);
        let title = format!("Columns of {}", keys::row(Action::Focus(self.pane)).map_or("", |row| row.short));
        let inside = popup(frame, &state.theme, area, 44, height, &title, "Space on, off   Enter done");
        let list = state.lists.of(self.pane);
        let line = |(i, column): (usize, &lists::Column)| {
            let (mark, role) = match (lists::is_fixed(self.pane, *column), list.shows(*column)) {
                (true, _) => ("[x]", "text_faint"),
                (_, true) => ("[x]", "text"),
                (_, false) => ("[ ]", "text_dim"),
            };
            let spans = vec![Span::styled(format!(" {mark} {}", column.name()), state.theme.style(role))];
            Row { spans, selected: i == self.at, marked: false, focused: true }
        };
        for (y, row) in columns.iter().enumerate().map(line).enumerate() {
            row.draw(frame, &state.theme, inside, y);
        }
        let last = Rect { y: inside.y + u16::try_from(columns.len()).unwrap_or(0), height: 1, ..inside }.intersection(inside);
        frame.render_widget(Span::styled(" shown as far as there is room", state.theme.style("text_faint")), last);
    }

    fn shows_behind(&self) -> bool {
        true
    }

    /// What was typed before it opened switches at most a column.
    fn deaf(&self) -> bool {
        false
    }
}
