//! Tag several calls as the agent says, each with its own word: those of which it is sure, or those that are marked.
//! Asks, for one key would write them all.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        place::{Dialog, Next},
        rows::count,
        state::State,
        steps::listed,
        tagging::{self, Marked},
        widgets::{Entry, card},
    },
    domain::outcome::Outcome,
    store::PaneRow,
};

pub struct AgentsWords {
    calls: Vec<(Outcome, Marked)>,
    /// Marked, but the agent says nothing of them, or a callback.
    left: usize,
    marked: bool,
}

/// How sure it may be asked to be, per cent, and by how much a key changes that.
const LEAST: u8 = 50;
const MOST: u8 = 100;
const STEP: u8 = 5;

impl AgentsWords {
    /// Of all that wait.
    pub fn sure(state: &State) -> Self {
        Self { calls: tagging::sure(state, state.sure), left: 0, marked: false }
    }

    /// Of those that are marked.
    pub fn of_marked(state: &State, marked: &[&PaneRow]) -> Self {
        let calls = tagging::words_of(state, marked.iter().copied());
        Self { left: marked.len() - calls.len(), calls, marked: true }
    }

    fn tag(&mut self, state: &mut State) -> Next {
        let calls = std::mem::take(&mut self.calls);
        if calls.is_empty() {
            return Next::stay();
        }
        state.marks.forget(calls.iter().map(|c| c.1.0));
        Next::Close(tagging::together(state, calls))
    }

    fn title(&self, state: &State) -> String {
        if self.marked { "The marked calls, as the agent says?".to_owned() } else { format!("As the agent says, where it is {} % sure?", state.sure) }
    }
}

impl Dialog for AgentsWords {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        let sure = match key.code {
            KeyCode::Char('y') => return self.tag(state),
            KeyCode::Char('n') => return Next::close(),
            KeyCode::Left | KeyCode::Char('-') => state.sure.saturating_sub(STEP),
            KeyCode::Right | KeyCode::Char('+') => state.sure + STEP,
            _ => return Next::stay(),
        };
        if !self.marked {
            state.sure = sure.clamp(LEAST, MOST);
            self.calls = tagging::sure(state, state.sure);
        }
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let n = |n: usize| count(i64::try_from(n).unwrap_or(0), "call");
        let mut entries = vec![match self.calls.len() {
            0 if self.marked => Entry::words("The agent says nothing of them."),
            0 => Entry::words(format!("Of none of the calls that wait it is {} % sure.", state.sure)),
            some => Entry::Words(format!("y tags {}, each with its own word.", n(some))),
        }];
        for outcome in Outcome::ALL {
            let names: Vec<&str> = self.calls.iter().filter(|(o, _)| *o == outcome).map(|(_, call)| call.1.as_str()).collect();
            if !names.is_empty() {
                entries.push(Entry::Faint(format!("  {} \"{}\": {}", names.len(), outcome.label(), listed(&names))));
            }
        }
        if self.left > 0 {
            let stay = if self.left == 1 { "stays as it is" } else { "stay as they are" };
            entries.push(Entry::words(format!("{} {stay}: the agent says nothing of it, or a callback, which has its own hour.", n(self.left))));
        }
        let keys = match (self.calls.is_empty(), self.marked) {
            (true, true) => "Esc back",
            (false, true) => "y tag them   Esc back",
            (true, false) => "left right  how sure   Esc back",
            (false, false) => "y tag them   left right  how sure   Esc back",
        };
        entries.push(Entry::Keys(keys.to_owned()));
        card(frame, &state.theme, area, &self.title(state), "Esc", &entries);
    }
}
