//! Delete a campaign, or a list: its name must be typed.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use tui_input::Input;

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        rows::count,
        state::State,
        text,
        widgets::{Entry, danger},
    },
    domain::id::CampaignId,
    store::SourceRow,
};

pub struct Delete {
    name: String,
    /// What is lost, and what stays.
    words: String,
    effect: Effect,
    input: Input,
    wrong: bool,
}

impl Delete {
    /// `untagged`: calls of it that wait for a tag.
    pub fn new(campaign: CampaignId, name: String, untagged: i64) -> Self {
        let tags = match untagged {
            0 => String::new(),
            1 => " 1 call of it waits for a tag, and goes on to.".to_owned(),
            n => format!(" {n} calls of it wait for a tag, and go on to."),
        };
        let words = format!("Its calls and outcomes stay in the records, the campaign leaves the screen.{tags}");
        Self { effect: Effect::Delete(campaign, name.clone()), name, words, input: Input::default(), wrong: false }
    }

    pub fn list(list: &SourceRow) -> Self {
        let words = format!("{} of it are lost. Calls made to them, their outcomes and the do-not-call list stay.", count(list.contacts, "contact"));
        let effect = Effect::DeleteList(list.source, list.id, list.name.clone());
        Self { effect, name: list.name.clone(), words, input: Input::default(), wrong: false }
    }
}

impl Dialog for Delete {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if key.code != KeyCode::Enter {
            self.wrong = false;
            text::edit(&mut self.input, key);
            return Next::stay();
        }
        if self.input.value().trim() == self.name {
            return Next::Close(vec![self.effect.clone()]);
        }
        self.wrong = true;
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let mut entries = vec![Entry::words(self.words.clone()), Entry::Field("Type its name:", &self.input)];
        if self.wrong {
            entries.push(Entry::Wrong("Not deleted: the name was not the same.".to_owned()));
        }
        danger(frame, &state.theme, area, &format!("Delete \"{}\"?", self.name), "Enter deletes it   Esc back", &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        text::insert(&mut self.input, text);
    }

    fn typing(&self) -> bool {
        true
    }
}
