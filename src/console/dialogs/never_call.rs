//! A number onto the do-not-call list: asks, for only an admin takes it off again.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        state::State,
        widgets::{Entry, danger},
    },
    domain::phone::PhoneNumber,
};

pub struct NeverCall {
    pub number: PhoneNumber,
    /// Whose it is, if that is known.
    pub name: String,
}

impl Dialog for NeverCall {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if key.code != KeyCode::Char('y') {
            return Next::stay();
        }
        let name = if self.name.is_empty() { state.number(self.number.as_str()) } else { self.name.clone() };
        Next::Close(vec![Effect::NeverCall { number: self.number.clone(), name }])
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let number = state.number(self.number.as_str());
        let who = if self.name.is_empty() { number } else { format!("{}, {number}", self.name) };
        let entries = [
            Entry::Words(format!("{who}: no campaign calls this number again.")),
            Entry::words("What waits for it is taken off the queue, a call that is on is hung up."),
            Entry::Faint("Only an admin takes it off the list again: :allow NUMBER.".to_owned()),
            Entry::Keys("y onto the list   Esc back".to_owned()),
        ];
        danger(frame, &state.theme, area, "Do not call?", "Esc", &entries);
    }
}
