//! The first campaign that rings real phones: a person says yes by name.

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
    domain::id::CampaignId,
};

pub struct Terms {
    campaign: CampaignId,
    name: String,
    input: Input,
}

impl Terms {
    pub fn new(campaign: CampaignId, name: String) -> Self {
        Self { campaign, name, input: Input::default() }
    }
}

impl Dialog for Terms {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        let person = self.input.value().trim();
        if key.code == KeyCode::Enter && !person.is_empty() {
            return Next::Close(vec![Effect::AcceptTerms { person: person.to_owned(), campaign: self.campaign, name: self.name.clone() }]);
        }
        text::edit(&mut self.input, key);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let entries = [
            Entry::words(crate::desk::TERMS),
            Entry::Gap,
            Entry::Field("Your name:", &self.input),
            Entry::Keys(format!("Enter accepts for this installation and starts \"{}\"   Esc: nobody is called", self.name)),
        ];
        card(frame, &state.theme, area, "Real phones will ring", "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        text::insert(&mut self.input, text);
    }

    fn typing(&self) -> bool {
        true
    }

    /// What was typed before it opened is no name.
    fn deaf(&self) -> bool {
        true
    }
}
