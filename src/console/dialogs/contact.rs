//! A contact's card: name, e-mail address and notes. Whoever waits in a queue is called as the card is then.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};
use tui_input::Input;

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        state::State,
        text,
        widgets::{Entry, card},
    },
    domain::{campaign::ContactSource, id::ContactId},
    store::ContactRow,
};

pub struct Contact {
    table: ContactSource,
    id: ContactId,
    number: String,
    was: [String; 3],
    fields: [Input; 3],
    at: usize,
}

const LABELS: [&str; 3] = ["Name:  ", "E-mail:", "Notes: "];

impl Contact {
    pub fn new(table: ContactSource, row: &ContactRow) -> Self {
        let was = [row.name.clone(), row.email.clone(), row.notes.clone()];
        let fields = was.clone().map(Input::new);
        Self { table, id: row.id, number: row.phone_number.clone(), was, fields, at: 0 }
    }

    /// What somebody else has written meanwhile into another field stays.
    fn changed(&self) -> [Option<String>; 3] {
        [0, 1, 2].map(|i| Some(self.fields[i].value().trim().to_owned()).filter(|v| *v != self.was[i]))
    }
}

impl Dialog for Contact {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Enter if !self.typed() => return Next::close(),
            KeyCode::Enter => {
                let [name, email, notes] = self.changed();
                return Next::Close(vec![Effect::EditContact { table: self.table, id: self.id, name, email, notes }]);
            }
            KeyCode::Tab | KeyCode::Down => self.at = (self.at + 1) % LABELS.len(),
            KeyCode::BackTab | KeyCode::Up => self.at = (self.at + LABELS.len() - 1) % LABELS.len(),
            _ => text::edit(&mut self.fields[self.at], key),
        }
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let entry = |i: usize| {
            let value = self.fields[i].value();
            if i == self.at { Entry::Field(LABELS[i], &self.fields[i]) } else { Entry::Faint(format!("{} {value}", LABELS[i])) }
        };
        let keys = Entry::Keys("Tab next field   Enter saves   Esc back".to_owned());
        let entries = [entry(0), entry(1), entry(2), Entry::Gap, keys];
        card(frame, &state.theme, area, &format!("Card of {}", state.number(&self.number)), "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, pasted: &str) {
        text::insert(&mut self.fields[self.at], pasted);
    }

    fn typing(&self) -> bool {
        true
    }

    fn typed(&self) -> bool {
        self.fields.iter().zip(&self.was).any(|(f, was)| f.value() != was)
    }
}
