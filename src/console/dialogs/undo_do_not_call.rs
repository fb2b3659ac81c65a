//! Take a do-not-call back: asks, for it is what protects somebody.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        state::{State, Undo},
        tagging,
        widgets::{Entry, danger},
    },
    domain::{id::CallId, outcome::Outcome},
};

pub struct UndoDoNotCall {
    pub call: CallId,
    pub name: String,
    pub previous: Option<Outcome>,
}

impl Dialog for UndoDoNotCall {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('y') => {
                let (call, name, previous) = (self.call, self.name.clone(), self.previous);
                Next::Close(tagging::take_back(state, vec![(call, name, Some(Outcome::DoNotCall), previous)], true))
            }
            KeyCode::Char('n') => {
                self.escape(state);
                Next::close()
            }
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let entries = [Entry::words(format!("y takes {} off the do-not-call list.", self.name)), Entry::Keys("y take it off   Esc back".to_owned())];
        danger(frame, &state.theme, area, "Take do-not-call back?", "Esc", &entries);
    }

    /// The step stays the last one.
    fn escape(&mut self, state: &mut State) -> Vec<Effect> {
        let at = state.now;
        state.remember(Undo::Tag { call: self.call, name: self.name.clone(), outcome: Some(Outcome::DoNotCall), previous: self.previous, at });
        Vec::new()
    }
}
