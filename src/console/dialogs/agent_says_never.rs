//! The agent says that somebody is never to be called again: Enter takes its word only after a question, for only an admin
//! takes it back. A digit is no slip of a hand that takes one word after the other.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        keys::Action,
        place::{Dialog, Next},
        rows::display_name,
        state::State,
        widgets::{Entry, danger},
    },
    domain::{id::CallId, outcome::Outcome},
    store::PaneRow,
};

pub struct AgentSaysNever {
    call: CallId,
    name: String,
    number: String,
    sure: String,
}

impl AgentSaysNever {
    pub fn new(row: &PaneRow) -> Self {
        let sure = row.suggestion_confidence.map_or_else(String::new, |c| format!(", {:.0} % sure", c * 100.0));
        Self { call: row.id, name: display_name(row), number: row.phone_number.clone(), sure }
    }
}

impl Dialog for AgentSaysNever {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if key.code != KeyCode::Char('y') {
            return Next::stay();
        }
        // Whoever was asked about, and nobody the cursor has come to since.
        if state.target().map(|r| r.id) == Some(self.call) {
            return Next::Then(Action::Tag(Outcome::DoNotCall));
        }
        state.hint(format!("{} was tagged meanwhile: nothing was done", self.name));
        Next::close()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let entries = [
            Entry::Words(format!("{}, {}: the agent says \"do not call\"{}.", self.name, state.number(&self.number), self.sure)),
            Entry::words("No campaign calls this number again, and after ten seconds only an admin takes it back."),
            Entry::Keys("y never call again   Esc back, a digit tags it otherwise".to_owned()),
        ];
        danger(frame, &state.theme, area, "Never call again?", "Esc", &entries);
    }
}
