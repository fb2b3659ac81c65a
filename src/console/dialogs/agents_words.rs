//! Tag all calls of which the agent is sure as it says: asks, for one key would write them all.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        place::{Dialog, Next},
        rows::count,
        state::State,
        tagging::{self, Marked},
        widgets::{Entry, card},
    },
    domain::outcome::Outcome,
};

pub struct AgentsWords {
    pub calls: Vec<(Outcome, Marked)>,
}

/// Names that are shown of each outcome.
const NAMES: usize = 3;

impl Dialog for AgentsWords {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('y') => Next::Close(tagging::together(state, std::mem::take(&mut self.calls))),
            KeyCode::Char('n') => Next::close(),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let n = |n: usize| count(i64::try_from(n).unwrap_or(0), "call");
        let mut entries = vec![Entry::Words(format!("y tags {} as the agent says.", n(self.calls.len())))];
        for outcome in Outcome::ALL {
            let names: Vec<&str> = self.calls.iter().filter(|(o, _)| *o == outcome).map(|(_, call)| call.1.as_str()).collect();
            if names.is_empty() {
                continue;
            }
            let more = if names.len() > NAMES { format!(" and {} more", names.len() - NAMES) } else { String::new() };
            entries.push(Entry::Faint(format!("  {} \"{}\": {}{more}", names.len(), outcome.label(), names[..names.len().min(NAMES)].join(", "))));
        }
        entries.push(Entry::Keys("y tag them   Esc back".to_owned()));
        card(frame, &state.theme, area, &format!("The agent is {} % sure of {}", tagging::SURE_PERCENT, n(self.calls.len())), "Esc", &entries);
    }
}
