//! A number for an assistant: its trunk at LiveKit is found or made, and calls to it come in if that is wanted.

use crossterm::event::KeyEvent;
use ratatui::{Frame, layout::Rect};

use super::fields::{Field, Fields, Went};
use crate::{
    config::Secret,
    console::{
        message::{Effect, Msg},
        outside::NumberWish,
        place::{Dialog, Next},
        question::{Answer, Question},
        setup::Setup,
        state::State,
        widgets::{Entry, card},
    },
    domain::{id::AssistantId, phone::PhoneNumber},
};

pub struct Number {
    fields: Fields,
    assistants: Vec<AssistantId>,
    waiting: bool,
    error: Option<String>,
}

impl Number {
    pub fn new(state: &State) -> Self {
        let all = &state.data.assistants;
        let names = all.iter().map(|a| a.name.clone()).collect();
        let fields = Fields::new(vec![
            Field::line("number", "Number", "yours, with its country: +1 202 555 0100", ""),
            Field::choice("assistant", "Assistant", "left right, or type to find", names),
            Field::line("trunk", "Trunk", "ACME.pstn.twilio.com, or ST_... of one at LiveKit; empty: the configuration or Twilio knows it", ""),
            Field::line("username", "User name", "of the trunk's login; empty: none, or the configuration's", ""),
            Field::secret("password", "Password", "goes with the user name"),
            Field::choice("inbound", "Calls to it", "whether calls to the number reach the assistant", vec!["come in".to_owned(), "do not come in".to_owned()]),
        ]);
        Self { fields, assistants: all.iter().map(|a| a.id).collect(), waiting: false, error: None }
    }

    fn wish(&self) -> Result<NumberWish, (&'static str, String)> {
        let text = |name| self.fields.value(name);
        let number = PhoneNumber::own(&text("number")).map_err(|e| ("number", format!("\"{}\": {e}", text("number"))))?;
        let assistant = *self.assistants.get(self.fields.chosen("assistant")).ok_or(("assistant", "no assistant yet".to_owned()))?;
        let password = Secret::new(text("password"));
        Ok(NumberWish { number, assistant, trunk: text("trunk"), username: text("username"), password, inbound: self.fields.chosen("inbound") == 0 })
    }
}

impl Dialog for Number {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if self.waiting {
            return Next::stay();
        }
        self.error = None;
        if self.fields.key(key) == Went::Into {
            return Next::stay();
        }
        match self.wish() {
            Ok(wish) => {
                self.waiting = true;
                Next::Stay(vec![Effect::Setup(Setup::Assign(Box::new(wish)))])
            }
            Err((field, words)) => {
                self.fields.go_to(field);
                self.error = Some(words);
                Next::stay()
            }
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let (masked, labels) = (self.fields.masked(), self.fields.labels());
        let mut entries = self.fields.entries(&masked, &labels);
        entries.push(Entry::Gap);
        match (&self.error, self.waiting) {
            (_, true) => entries.push(Entry::words("LiveKit is asked...")),
            (Some(why), _) => entries.push(Entry::Wrong(why.clone())),
            (None, _) => entries.push(Entry::Faint("A trunk that carries the number is taken as it is; else one is made.".to_owned())),
        }
        entries.push(Entry::Keys("Enter next, on the last field gives it   Tab Shift-Tab fields   Esc back".to_owned()));
        card(frame, &state.theme, area, "Number for an assistant", "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        self.fields.paste(text);
    }

    fn typing(&self) -> bool {
        true
    }

    fn typed(&self) -> bool {
        self.fields.touched() && !self.waiting
    }

    fn told(&mut self, msg: &Msg) -> bool {
        match msg {
            Msg::Answer(Question::Numbers, Ok(Answer::Numbers(rows))) => {
                // The one that waits for somebody is most likely meant, by whoever has none.
                if let Some(free) = rows.iter().find(|n| n.assistant_id.is_none()) {
                    self.fields.suggest("number", &free.number);
                }
                let dumb = self.assistants.iter().position(|a| !rows.iter().any(|n| n.assistant_id == Some(*a)));
                if let Some(at) = dumb.filter(|_| !self.fields.touched()) {
                    self.fields.choose("assistant", at);
                }
                false
            }
            Msg::Setup(Setup::Assign(_), result) => {
                self.waiting = false;
                self.error = result.as_ref().err().map(|f| f.words.clone());
                result.is_ok()
            }
            _ => false,
        }
    }
}
