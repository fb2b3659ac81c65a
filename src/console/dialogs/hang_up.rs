//! Hang up on somebody: asks, for there is a person on the line.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        state::State,
        widgets::{Entry, danger},
    },
    domain::id::CallId,
};

pub struct HangUp {
    pub call: CallId,
    pub name: String,
}

impl Dialog for HangUp {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('y') => Next::Close(vec![Effect::HangUp(self.call, self.name.clone())]),
            KeyCode::Char('n') => Next::close(),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let entries = [Entry::words("The line is cut while they talk."), Entry::Keys("y hang up   Esc leave them talking".to_owned())];
        danger(frame, &state.theme, area, &format!("Hang up on {}?", self.name), "Esc", &entries);
    }
}
