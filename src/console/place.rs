//! What stands on the screen and hears keys: a room, and a dialog over it. Each is one file with its state, its
//! keys, its drawing and its words.

use crossterm::event::KeyEvent;
use ratatui::{
    Frame,
    layout::{Position, Rect},
};

use super::{
    keys::{Action, Group, Pane},
    message::{Effect, Msg},
    state::State,
};
use crate::store::PaneRow;

/// What a dialog makes of a key.
pub enum Next {
    Stay(Vec<Effect>),
    Close(Vec<Effect>),
    /// Acts on what it shows, and stays.
    Act(Action),
    /// Closes; then the screen below acts.
    Then(Action),
    /// Closes; then the line is a command.
    Line(String),
    /// Another in its place.
    Instead(Box<dyn Dialog>),
}

impl Next {
    #[must_use]
    pub fn stay() -> Self {
        Self::Stay(Vec::new())
    }

    #[must_use]
    pub fn close() -> Self {
        Self::Close(Vec::new())
    }
}

/// What is open over the screen, one at a time. It says the object, the count and what is lost; the safe choice
/// needs no key but Esc.
pub trait Dialog {
    /// Any key but Esc.
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next;

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect);

    /// Pasted text.
    fn paste(&mut self, _state: &mut State, _text: &str) {}

    /// Letters go into a field.
    fn typing(&self) -> bool {
        false
    }

    /// Something was typed that Esc would lose: it asks first.
    fn typed(&self) -> bool {
        false
    }

    /// What stands behind is looked at while it is open, and does not recede.
    fn shows_behind(&self) -> bool {
        false
    }

    /// Takes no keys at first: those were typed for the screen below.
    fn deaf(&self) -> bool {
        !self.typing()
    }

    /// It is closed by Esc.
    fn escape(&mut self, _state: &mut State) -> Vec<Effect> {
        Vec::new()
    }

    /// The dialog it stood on: it comes back when this one is left or done.
    fn below(&mut self) -> Option<Box<dyn Dialog>> {
        None
    }

    /// Esc does not end it: words for the header while it goes on.
    fn goes_on(&self) -> Option<String> {
        None
    }

    /// News from elsewhere; `true` closes it.
    fn told(&mut self, _msg: &Msg) -> bool {
        false
    }

    /// The call whose story it is: tags go to it.
    fn call<'a>(&self, _state: &'a State) -> Option<&'a PaneRow> {
        None
    }

    /// The text that an external editor is to open.
    fn long_text(&self) -> Option<String> {
        None
    }

    /// What came back from there.
    fn take_text(&mut self, _text: String) {}
}

/// A room: a pane of the deck, or the whole screen.
pub trait Room {
    fn pane(&self) -> Pane;

    /// Its words in the line of tabs and in the crumbs.
    fn tab(&self, state: &State) -> String;

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, whole: bool);

    /// How many rows of its list a place has room for.
    fn rows(&self, state: &State, area: Rect, whole: bool) -> usize;

    /// The frame of its list, where the place holds something else as well.
    fn frame(&self, _state: &State, area: Rect, _whole: bool) -> Rect {
        area
    }

    /// Which line of its list stands at a point, counted from the first that is shown: its lines fill the place from
    /// below, inside the frame.
    fn line_at(&self, state: &State, area: Rect, whole: bool, at: Position) -> Option<usize> {
        let rows = u16::try_from(self.rows(state, area, whole)).unwrap_or(0);
        let bottom = area.bottom().saturating_sub(1);
        let top = bottom.saturating_sub(rows);
        (at.y >= top && at.y < bottom).then(|| usize::from(at.y - top))
    }

    /// How many rows there are, and which the cursor stands on.
    fn list(&self, state: &State) -> (Option<usize>, usize);

    /// Puts the cursor on a row.
    fn put(&mut self, state: &mut State, row: usize);

    /// The call under the cursor.
    fn call<'a>(&'a self, _state: &'a State) -> Option<&'a PaneRow> {
        None
    }

    /// The calls of its list, in their order: those of them that are marked are tagged together.
    fn calls<'a>(&'a self, _state: &'a State) -> Vec<&'a PaneRow> {
        Vec::new()
    }

    /// What Enter means; without a meaning of its own, the story of the call under the cursor.
    fn enter(&mut self, _state: &mut State) -> Option<Next> {
        None
    }

    /// What the footer offers while it has the focus, in the order of use.
    fn offers(&self) -> &'static [Action] {
        &[]
    }

    /// All it knows, in full, for whoever wants to read on.
    fn in_full(&self, _state: &State) -> Vec<String> {
        Vec::new()
    }

    /// What the help shows first.
    fn groups(&self) -> &'static [Group] {
        &[]
    }

    /// The first row stays in sight whatever the cursor does.
    fn keeps_top(&self, _state: &State) -> bool {
        false
    }

    /// A key of its own, before the table.
    fn key(&mut self, _state: &mut State, _key: KeyEvent) -> Option<Vec<Effect>> {
        None
    }

    /// Keys of its own as the footer offers them, in the place of actions: each with its words.
    fn own_keys(&self, _state: &State) -> Option<Vec<(String, String)>> {
        None
    }

    /// Letters go into a field of it.
    fn typing(&self) -> bool {
        false
    }

    /// Pasted text, while letters go into its field.
    fn paste(&mut self, _state: &mut State, _text: &str) {}

    /// After each message, while it has the focus: what it wants to know now.
    fn asks(&mut self, _state: &mut State) -> Vec<Effect> {
        Vec::new()
    }

    /// It got the focus, or the whole screen: what it wants to know.
    fn entered(&mut self, _state: &mut State) -> Vec<Effect> {
        Vec::new()
    }

    /// News from elsewhere.
    fn told(&mut self, _state: &mut State, _msg: &Msg) {}
}
