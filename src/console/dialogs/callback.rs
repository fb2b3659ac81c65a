//! When to call somebody back. On a call that is still live the moment counts from its end.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use tui_input::Input;

use crate::{
    console::{
        place::{Dialog, Next},
        state::State,
        tagging, text,
        widgets::{Entry, card},
    },
    domain::{id::CallId, outcome::Outcome},
    store::PaneRow,
};

pub struct Callback {
    call: CallId,
    name: String,
    previous: Option<Outcome>,
    live: bool,
    input: Input,
    error: Option<String>,
}

impl Callback {
    pub fn new(row: &PaneRow, name: String) -> Self {
        Self { call: row.id, name, previous: row.outcome, live: !row.state.is_ended(), input: Input::default(), error: None }
    }
}

impl Dialog for Callback {
    /// Enter alone is the next day at the same hour; `+2h` and `tue 15:00` are understood.
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if key.code != KeyCode::Enter {
            text::edit(&mut self.input, key);
            self.error = None;
            return Next::stay();
        }
        match tagging::promise(state, self.call, &self.name, self.previous, self.input.value()) {
            Ok(effects) => Next::Close(effects),
            Err(error) => {
                self.error = Some(error);
                Next::stay()
            }
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let zone = state.data.live.iter().chain(&state.data.to_tag).find(|r| r.id == self.call).and_then(|r| state.data.campaign(r.campaign_id));
        let clock = zone.map_or_else(|| state.options.zone.name().to_owned(), |c| c.row.timezone.clone());
        let mut entries = vec![
            Entry::Field("When?", &self.input),
            Entry::words("Enter alone: next day, same hour. Or +2h, 15:00, tue 15:00"),
            Entry::Faint(format!("Hours are on the clock of {clock}; the first lawful moment from then on is taken, and told.")),
        ];
        if self.live {
            entries.push(Entry::Faint("The call goes on: the moment counts from its end, and is written then.".to_owned()));
        }
        entries.extend(self.error.clone().map(Entry::Wrong));
        card(frame, &state.theme, area, &format!("Call {} back", self.name), "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        text::insert(&mut self.input, text);
    }

    fn typing(&self) -> bool {
        true
    }

    fn typed(&self) -> bool {
        !self.input.value().is_empty()
    }
}
