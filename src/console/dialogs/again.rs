//! Another attempt at one contact: asks, for it rings a phone. The queue and every gate hold as for any other.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        rows::display_name,
        state::State,
        widgets::{Entry, card},
    },
    domain::{id::CallId, text::tail},
    store::PaneRow,
};

pub struct Again {
    call: CallId,
    name: String,
    entries: Vec<String>,
}

impl Again {
    pub fn new(state: &State, row: &PaneRow) -> Self {
        let name = display_name(row);
        let digits = if state.mask > 1 { String::new() } else { format!(" {}", tail(&row.phone_number)) };
        let most = state.data.campaign(row.campaign_id).map_or_else(String::new, |c| format!(" of {}", c.row.retry.0.max_attempts));
        let word = if row.answered_at.is_some() { "answered" } else { row.state.words() };
        let last = match (row.outcome, row.reason.trim()) {
            (Some(outcome), _) => format!("{word}, tagged \"{}\"", outcome.label()),
            (None, "") => word.to_owned(),
            (None, why) => format!("{word} ({why})"),
        };
        let entries = vec![
            format!("y queues another call to {name}{digits} in \"{}\".", row.campaign_name),
            format!("So far: attempt {}{most}, last result {last}.", row.attempt),
            "It is dialled as any other call: inside the hours, the cap and the law, and not after a do-not-call.".to_owned(),
        ];
        Self { call: row.id, name, entries }
    }
}

impl Dialog for Again {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('y') => Next::Close(vec![Effect::Again(self.call, self.name.clone())]),
            KeyCode::Char('n') => Next::close(),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let mut entries: Vec<Entry<'_>> = self.entries.iter().map(|t| Entry::words(t.clone())).collect();
        entries.push(Entry::Keys("y call again   Esc back".to_owned()));
        card(frame, &state.theme, area, "Call again?", "Esc", &entries);
    }
}
