//! The kill switch, on and off: a word must be typed, for either stops or begins calls everywhere.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use tui_input::Input;

use crate::console::{
    message::Effect,
    place::{Dialog, Next},
    state::State,
    text,
    widgets::{Entry, danger},
};

pub struct KillSwitch {
    /// It is to be turned on.
    on: bool,
    input: Input,
    wrong: bool,
}

impl KillSwitch {
    pub fn turn(on: bool) -> Self {
        Self { on, input: Input::default(), wrong: false }
    }

    fn word(&self) -> &'static str {
        if self.on { "STOP" } else { "RELEASE" }
    }
}

impl Dialog for KillSwitch {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if key.code != KeyCode::Enter {
            self.wrong = false;
            text::edit(&mut self.input, key);
            return Next::stay();
        }
        if self.input.value().trim() == self.word() {
            return Next::Close(vec![Effect::KillSwitch(self.on)]);
        }
        self.wrong = true;
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let (word, words) = if self.on {
            ("Type STOP:", "No further dial on any host, until an admin releases it. Live calls go on.")
        } else {
            ("Type RELEASE:", "Campaigns that run dial again, on every host.")
        };
        let mut entries = vec![Entry::words(words), Entry::Field(word, &self.input)];
        if self.wrong {
            entries.push(Entry::Wrong(format!("The kill switch is as it was: the word was not {}.", self.word())));
        }
        danger(frame, &state.theme, area, "Kill switch", "Enter does it   Esc back", &entries);
    }

    fn paste(&mut self, _state: &mut State, _text: &str) {}

    fn typing(&self) -> bool {
        true
    }
}
