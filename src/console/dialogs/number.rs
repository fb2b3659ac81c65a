//! A number for an assistant: its trunk at LiveKit is found or made, and calls to it come in if that is wanted.

use super::{
    fields::{Field, Fields},
    sheet::{Sheet, Wish, Wrong},
};
use crate::{
    config::Secret,
    console::{
        message::Msg,
        outside::NumberWish,
        question::{Answer, Question},
        setup::Setup,
        state::State,
    },
    domain::{id::AssistantId, phone::PhoneNumber},
};

pub struct Number {
    assistants: Vec<AssistantId>,
}

impl Number {
    pub fn sheet(state: &State) -> Sheet<Self> {
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
        Sheet::new(Self { assistants: all.iter().map(|a| a.id).collect() }, fields)
    }
}

impl Wish for Number {
    fn setup(&self, fields: &Fields) -> Result<Setup, Wrong> {
        let text = |name| fields.value(name);
        let number = PhoneNumber::own(&text("number")).map_err(|e| ("number", format!("\"{}\": {e}", text("number"))))?;
        let assistant = *self.assistants.get(fields.chosen("assistant")).ok_or(("assistant", "no assistant yet".to_owned()))?;
        let (password, inbound) = (Secret::new(text("password")), fields.chosen("inbound") == 0);
        Ok(Setup::Assign(Box::new(NumberWish { number, assistant, trunk: text("trunk"), username: text("username"), password, inbound })))
    }

    fn is_mine(&self, setup: &Setup) -> bool {
        matches!(setup, Setup::Assign(_))
    }

    fn title(&self) -> &'static str {
        "Number for an assistant"
    }

    fn waits(&self) -> &'static str {
        "LiveKit is asked..."
    }

    fn hint(&self) -> Option<&'static str> {
        Some("A trunk that carries the number is taken as it is; else one is made.")
    }

    fn keys(&self) -> String {
        "Enter next, on the last field gives it   Tab Shift-Tab   Esc back".to_owned()
    }

    fn told(&mut self, fields: &mut Fields, msg: &Msg) {
        let Msg::Answer(Question::Numbers, Ok(Answer::Numbers(rows))) = msg else { return };
        // The one that waits for somebody is most likely meant, by whoever has none.
        if let Some(free) = rows.iter().find(|n| n.assistant_id.is_none()) {
            fields.suggest("number", &free.number);
        }
        let dumb = self.assistants.iter().position(|a| !rows.iter().any(|n| n.assistant_id == Some(*a)));
        if let Some(at) = dumb.filter(|_| !fields.touched()) {
            fields.choose("assistant", at);
        }
    }
}
