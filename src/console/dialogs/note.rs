//! A note on a call, of several lines.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        state::{State, Undo},
        text::Text,
        widgets::{Entry, card},
    },
    domain::id::CallId,
};

pub struct Note {
    call: CallId,
    name: String,
    was: String,
    text: Text,
}

const ROWS: usize = 5;

impl Note {
    pub fn new(call: CallId, name: String, was: &str) -> Self {
        Self { call, name, was: was.to_owned(), text: Text::new(was) }
    }
}

impl Dialog for Note {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if key.code == KeyCode::Enter && !Text::is_new_line(&key) {
            let note = self.text.value();
            if note != self.was {
                state.remember(Undo::Note { call: self.call, name: self.name.clone(), was: self.was.clone(), now: note.clone() });
            }
            return Next::Close(vec![Effect::Note { call: self.call, note }]);
        }
        self.text.key(key);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let keys = Entry::Keys("Enter saves   Alt-Enter a new line   Ctrl-e your editor   Esc back".to_owned());
        card(frame, &state.theme, area, &format!("Note on {}", self.name), "Esc", &[Entry::Area(&self.text, ROWS), Entry::Gap, keys]);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        self.text.insert(text);
    }

    fn typing(&self) -> bool {
        true
    }

    fn typed(&self) -> bool {
        self.text.value() != self.was
    }

    fn long_text(&self) -> Option<String> {
        Some(self.text.value())
    }

    fn take_text(&mut self, text: String) {
        self.text = Text::new(text.trim_end());
    }
}
