//! The kill switch: the word STOP must be typed.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use tui_input::Input;

use crate::console::{
    message::Effect,
    place::{Dialog, Next},
    state::State,
    text,
    widgets::{Entry, card},
};

#[derive(Default)]
pub struct StopAll {
    input: Input,
    wrong: bool,
}

impl Dialog for StopAll {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if key.code != KeyCode::Enter {
            self.wrong = false;
            text::edit(&mut self.input, key);
            return Next::stay();
        }
        if self.input.value().trim() == "STOP" {
            return Next::Close(vec![Effect::KillSwitch(true)]);
        }
        self.wrong = true;
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let mut entries =
            vec![Entry::words("No further dial on any host, until an admin releases it. Live calls go on."), Entry::Field("Type STOP:", &self.input)];
        if self.wrong {
            entries.push(Entry::Wrong("The kill switch is as it was: the word was not STOP.".to_owned()));
        }
        card(frame, &state.theme, area, "Kill switch", "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, _text: &str) {}

    fn typing(&self) -> bool {
        true
    }
}
