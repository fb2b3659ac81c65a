//! What several dialogs of fields share: the fields are sent by Enter on the last one, the sheet waits for the answer,
//! takes no key meanwhile, and shows a refusal with the cursor on the field it is about.

use crossterm::event::KeyEvent;
use ratatui::{Frame, layout::Rect};

use super::fields::{Fields, Went};
use crate::console::{
    message::{Effect, Msg},
    place::{Dialog, Next},
    setup::Setup,
    state::State,
    widgets::{Entry, card},
};

/// A field that is wrong, and why.
pub type Wrong = (&'static str, String);

/// What one such dialog is about.
pub trait Wish {
    /// What is asked for, or the first thing that is wrong.
    ///
    /// # Errors
    /// The field, and what it lacks.
    fn setup(&self, fields: &Fields) -> Result<Setup, Wrong>;

    /// The answer to it is one to this.
    fn is_mine(&self, setup: &Setup) -> bool;

    fn title(&self) -> &'static str;

    /// What is said while it waits.
    fn waits(&self) -> &'static str;

    /// What happens then, before it is sent.
    fn hint(&self) -> Option<&'static str> {
        None
    }

    fn keys(&self) -> String;

    /// The field that a refusal is about which names none.
    fn blames(&self) -> Option<&'static str> {
        None
    }

    /// The text that an external editor is to open.
    fn long(&self) -> Option<&'static str> {
        None
    }

    /// News from elsewhere.
    fn told(&mut self, _fields: &mut Fields, _msg: &Msg) {}

    /// The dialog that it stood on.
    fn below(&mut self) -> Option<Box<dyn Dialog>> {
        None
    }
}

pub struct Sheet<W> {
    wish: W,
    fields: Fields,
    waiting: bool,
    error: Option<String>,
}

impl<W: Wish> Sheet<W> {
    pub fn new(wish: W, fields: Fields) -> Self {
        Self { wish, fields, waiting: false, error: None }
    }

    fn send(&mut self) -> Next {
        match self.wish.setup(&self.fields) {
            Ok(setup) => {
                self.waiting = true;
                Next::Stay(vec![Effect::Setup(setup)])
            }
            Err((field, words)) => {
                self.fields.go_to(field);
                self.error = Some(words);
                Next::stay()
            }
        }
    }
}

impl<W: Wish> Dialog for Sheet<W> {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if self.waiting {
            return Next::stay();
        }
        self.error = None;
        match self.fields.key(key) {
            Went::Into => Next::stay(),
            Went::Done => self.send(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let (masked, labels) = (self.fields.masked(), self.fields.labels());
        let mut entries = self.fields.entries(&masked, &labels);
        entries.push(Entry::Gap);
        match (&self.error, self.waiting) {
            (_, true) => entries.push(Entry::words(self.wish.waits())),
            (Some(why), _) => entries.push(Entry::Wrong(why.clone())),
            (None, _) => entries.extend(self.wish.hint().map(|h| Entry::Faint(h.to_owned()))),
        }
        entries.push(Entry::Keys(self.wish.keys()));
        card(frame, &state.theme, area, self.wish.title(), "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        if !self.waiting {
            self.fields.paste(text);
        }
    }

    fn typing(&self) -> bool {
        true
    }

    fn typed(&self) -> bool {
        self.fields.touched() && !self.waiting
    }

    fn below(&mut self) -> Option<Box<dyn Dialog>> {
        self.wish.below()
    }

    fn told(&mut self, msg: &Msg) -> bool {
        self.wish.told(&mut self.fields, msg);
        let Msg::Setup(setup, result) = msg else { return false };
        if !self.wish.is_mine(setup) {
            return false;
        }
        self.waiting = false;
        if let Err(fault) = result {
            self.error = Some(fault.words.clone());
            fault.field.or(self.wish.blames()).into_iter().for_each(|field| self.fields.go_to(field));
        }
        result.is_ok()
    }

    fn long_text(&self) -> Option<String> {
        self.wish.long().map(|field| self.fields.value(field))
    }

    fn take_text(&mut self, text: String) {
        if let Some(field) = self.wish.long() {
            self.fields.replace(field, text.trim_end());
        }
    }
}
