//! A file of numbers that must not be called: its path. It is read whole or not at all.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};
use tui_input::Input;

use super::path::{complete, expand};
use crate::console::{
    message::Effect,
    place::{Dialog, Next},
    state::State,
    text,
    widgets::{Entry, card},
};

#[derive(Default)]
pub struct ImportNumbers {
    input: Input,
    choices: Vec<String>,
}

impl Dialog for ImportNumbers {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Tab => {
                let (completed, choices) = complete(self.input.value());
                (self.input, self.choices) = (Input::new(completed), choices);
            }
            KeyCode::Enter if !self.input.value().trim().is_empty() => {
                state.say("reading the list...");
                return Next::Close(vec![Effect::ImportNumbers(expand(self.input.value().trim()))]);
            }
            _ => text::edit(&mut self.input, key),
        }
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let mut entries = vec![
            Entry::Field("File of numbers:", &self.input),
            Entry::words("Every number of it is never called again. A country's national list: :national FILE."),
        ];
        entries.extend(self.choices.iter().map(|c| Entry::Faint(format!("  {c}"))));
        entries.push(Entry::Keys("Tab completes the path   Enter reads it   Esc back".to_owned()));
        card(frame, &state.theme, area, "Import numbers that must not be called", "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, pasted: &str) {
        text::insert(&mut self.input, pasted);
    }

    fn typing(&self) -> bool {
        true
    }
}
