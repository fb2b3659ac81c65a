//! A number off the do-not-call list: an admin says why, in words that stay.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};
use tui_input::Input;

use crate::{
    console::{
        message::{Effect, Msg},
        place::{Dialog, Next},
        setup::Setup,
        state::State,
        text,
        widgets::{Entry, danger},
    },
    domain::phone::PhoneNumber,
};

pub struct Allow {
    number: PhoneNumber,
    why: Input,
    wrong: Option<String>,
}

impl Allow {
    pub fn new(number: PhoneNumber) -> Self {
        Self { number, why: Input::default(), wrong: None }
    }
}

impl Dialog for Allow {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if key.code != KeyCode::Enter {
            self.wrong = None;
            text::edit(&mut self.why, key);
            return Next::stay();
        }
        let reason = self.why.value().trim().to_owned();
        if reason.is_empty() {
            self.wrong = Some("say why: it stays in the records".to_owned());
            return Next::stay();
        }
        Next::Stay(vec![Effect::Setup(Setup::Allow { number: self.number.clone(), reason })])
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let number = state.number(self.number.as_str());
        let mut entries = vec![
            Entry::Words(format!("{number} comes off the do-not-call list: campaigns may call it again.")),
            Entry::words("Somebody asked not to be called. Who takes that back answers for it."),
            Entry::Field("Why may it be called again?", &self.why),
        ];
        entries.extend(self.wrong.clone().map(Entry::Wrong));
        danger(frame, &state.theme, area, "Off the do-not-call list?", "Enter does it   Esc back", &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        text::insert(&mut self.why, text);
    }

    fn typing(&self) -> bool {
        true
    }

    fn typed(&self) -> bool {
        !self.why.value().trim().is_empty()
    }

    fn told(&mut self, msg: &Msg) -> bool {
        match msg {
            Msg::Setup(Setup::Allow { .. }, Ok(_)) => true,
            Msg::Setup(Setup::Allow { .. }, Err(fault)) => {
                self.wrong = Some(fault.words.clone());
                false
            }
            _ => false,
        }
    }
}
