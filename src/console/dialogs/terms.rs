//! Before the first campaign that rings real phones: a person says yes by name.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use tui_input::Input;

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        setup::Setup,
        state::State,
        text,
        widgets::{Entry, card},
    },
    domain::id::CampaignId,
};

pub struct Terms {
    /// What is started then, if a start asked.
    campaign: Option<(CampaignId, String)>,
    input: Input,
}

impl Terms {
    pub fn new(campaign: CampaignId, name: String) -> Self {
        Self { campaign: Some((campaign, name)), input: Input::default() }
    }

    /// Nothing is started with it.
    pub fn alone() -> Self {
        Self { campaign: None, input: Input::default() }
    }
}

impl Dialog for Terms {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        let person = self.input.value().trim();
        if key.code == KeyCode::Enter && !person.is_empty() {
            let person = person.to_owned();
            return Next::Close(vec![match self.campaign.take() {
                Some((campaign, name)) => Effect::AcceptTerms { person, campaign, name },
                None => Effect::Setup(Setup::AcceptTerms(person)),
            }]);
        }
        text::edit(&mut self.input, key);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let entries = [
            Entry::words(crate::desk::TERMS),
            Entry::Gap,
            Entry::Field("Your name:", &self.input),
            Entry::Keys(match &self.campaign {
                Some((_, name)) => format!("Enter accepts for this installation and starts \"{name}\"   Esc back, nobody is called"),
                None => "Enter accepts for this installation; nothing is started by it   Esc back, nobody is called".to_owned(),
            }),
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
