//! Tag many marked calls at once: asks, for one key would write them all.

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

pub struct TagMany {
    pub outcome: Outcome,
    pub calls: Vec<Marked>,
    /// Marked, but in a state that does not allow it.
    pub left: usize,
    /// Marked, but not in the list as it is now.
    pub unseen: usize,
}

impl Dialog for TagMany {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('y') => Next::Close(tagging::many(state, self.outcome, std::mem::take(&mut self.calls))),
            KeyCode::Char('n') => Next::close(),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let n = |n: usize| count(i64::try_from(n).unwrap_or(0), "call");
        let mut entries = vec![Entry::Words(format!("y tags {} \"{}\".", n(self.calls.len()), self.outcome.label()))];
        entries.extend(self.calls.iter().take(6).map(|(_, name, _)| Entry::Faint(format!("  {name}"))));
        if self.calls.len() > 6 {
            entries.push(Entry::Faint(format!("  and {} more", self.calls.len() - 6)));
        }
        if self.left > 0 {
            let stays = if self.left == 1 { "stays as it is: its" } else { "stay as they are: their" };
            entries.push(Entry::words(format!("{} {stays} state does not allow it.", n(self.left))));
        }
        if self.unseen > 0 {
            let stay = if self.unseen == 1 { "that this list does not show stays marked" } else { "that this list does not show stay marked" };
            entries.push(Entry::words(format!("{} {stay}.", n(self.unseen))));
        }
        entries.push(Entry::Keys("y tag them   Esc back".to_owned()));
        card(frame, &state.theme, area, &format!("Tag {}?", n(self.calls.len())), "Esc", &entries);
    }
}
