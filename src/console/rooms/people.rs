//! People: lists and the do-not-call list at the left, whose people at the right, and one number's history over
//! all of them. Every key names whom it goes to before it writes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
};
use tui_input::Input;

mod drawing;

use super::{
    person::Person,
    roster::{Item, Roster, Which},
};
use crate::{
    console::{
        dialogs,
        keys::{Action, Group, Pane},
        message::{Effect, Msg},
        place::{Next, Room},
        state::{Errand, State},
        text,
    },
    domain::{campaign::ContactSource, outcome::Outcome, phone::PhoneNumber, text::clean},
    store::SourceRow,
};

/// Where the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Side {
    #[default]
    Lists,
    Rows,
}

#[derive(Default)]
pub struct People {
    side: Side,
    which: Option<Which>,
    roster: Roster,
    input: Input,
    typing: bool,
    person: Option<Person>,
    /// How many numbers are on the do-not-call list is to be asked.
    counts: bool,
}

/// From here lists and people stand beside each other.
const WIDE: u16 = 100;
const LIST_COLUMNS: u16 = 50;
const LONGEST: usize = 100;

const READ_ONLY: &str = "read-only: nothing is changed from here";

impl People {
    /// The list under the cursor; the first, until somebody chooses.
    fn which(&self, state: &State) -> Which {
        let there = |w: &Which| *w == Which::DoNotCall || sources(state).iter().any(|s| Which::List(s.id) == *w);
        self.which.filter(there).unwrap_or_else(|| sources(state).first().map_or(Which::DoNotCall, |s| Which::List(s.id)))
    }

    fn source<'a>(&self, state: &'a State) -> Option<&'a SourceRow> {
        let which = self.which(state);
        sources(state).iter().find(|s| Which::List(s.id) == which)
    }

    /// Whose number keys go to, and the name.
    fn whom(&self) -> Option<(String, String)> {
        if let Some(person) = &self.person {
            return Some((person.number.clone(), person.name()));
        }
        let item = self.roster.item().filter(|_| self.side == Side::Rows)?;
        Some((item.number().to_owned(), item.name()))
    }

    fn field_key(&mut self, action: Option<Action>, key: KeyEvent) -> Option<Vec<Effect>> {
        let chord = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Enter | KeyCode::Esc | KeyCode::Down | KeyCode::Tab => {
                self.typing = false;
                if self.roster.position().is_none() {
                    self.roster.at = self.roster.items.first().map(|i| i.number().to_owned());
                }
            }
            _ if chord && matches!(action, Some(Action::Quit | Action::Repaint)) => return None,
            KeyCode::Char(_) if !chord && self.input.value().chars().count() >= LONGEST => {}
            _ => text::edit(&mut self.input, key),
        }
        Some(Vec::new())
    }

    /// A key of the room's own; `None` for those of the table.
    fn own_key(&mut self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Escape => return self.leave(state),
            Action::NextPane if self.person.is_none() => self.side = if self.side == Side::Lists { Side::Rows } else { Side::Lists },
            Action::PreviousPane if self.person.is_none() => self.side = Side::Lists,
            Action::Filter if self.person.is_none() => (self.side, self.typing) = (Side::Rows, true),
            Action::Tag(Outcome::DoNotCall) => self.never_call(state),
            Action::Edit => self.edit(state),
            Action::Delete => self.delete(state),
            Action::Import if self.which(state) == Which::DoNotCall && self.person.is_none() => {
                if state.options.read_only {
                    state.hint(READ_ONLY);
                } else {
                    state.open(dialogs::ImportNumbers::default());
                }
            }
            Action::Import if self.person.is_none() && self.source(state).is_some() => self.import(state),
            // Nothing is done to a campaign that is not on the screen.
            Action::Start | Action::PauseResume | Action::Stop | Action::Why => {
                state.hint(format!("campaigns are in {}", state.keys.name(Action::Focus(Pane::Campaigns))));
            }
            _ => return None,
        }
        Some(())
    }

    /// Out of a person to the lists, or to where one came from; from the people to the lists.
    fn leave(&mut self, state: &mut State) -> Option<()> {
        if state.notes.dismiss() {
            return Some(());
        }
        match (&self.person, self.side) {
            (Some(person), _) if !person.visit => self.person = None,
            (Some(_), _) => {
                self.person = None;
                state.go_back();
            }
            (None, Side::Rows) => self.side = Side::Lists,
            (None, Side::Lists) => return None,
        }
        Some(())
    }

    fn never_call(&self, state: &mut State) {
        let Some((number, name)) = self.whom() else {
            return state.hint("nobody is selected: Tab goes to the people, :dnc NUMBER takes any number");
        };
        if state.options.read_only {
            return state.hint(READ_ONLY);
        }
        match PhoneNumber::own(&number) {
            Ok(number) => state.open(dialogs::NeverCall { number, name }),
            Err(why) => state.complain(format!("{}: {why}", state.number(&number))),
        }
    }

    fn edit(&self, state: &mut State) {
        let table: Option<ContactSource> = self.source(state).map(|s| s.source);
        let item = self.roster.item().filter(|_| self.side == Side::Rows && self.person.is_none());
        match (table, item) {
            _ if state.options.read_only => state.hint(READ_ONLY),
            (Some(table), Some(Item::Contact(row))) => state.open(dialogs::Contact::new(table, row)),
            _ => state.hint("a card is edited in its list: choose the list, then the contact"),
        }
    }

    fn delete(&self, state: &mut State) {
        let list = self.source(state).filter(|_| self.side == Side::Lists && self.person.is_none()).cloned();
        match list {
            _ if state.options.read_only => state.hint(READ_ONLY),
            // Said before its name is typed.
            Some(list) => match state.data.campaigns.iter().find(|c| c.row.source_id() == Some(list.id)).map(|c| clean(&c.row.name, 40)) {
                Some(user) => state.hint(format!("campaign \"{user}\" calls from this list: delete the campaign first, then the list")),
                None => state.open(dialogs::Delete::list(&list)),
            },
            None if self.which(state) == Which::DoNotCall => {
                state.hint("the do-not-call list is not deleted: an admin takes a number off it by :allow NUMBER");
            }
            None => state.hint("a list is deleted where the lists are: Tab goes there"),
        }
    }

    /// Into the list under the cursor, until somebody chooses another. One that goes on comes back.
    fn import(&self, state: &mut State) {
        if state.options.read_only {
            return state.hint(READ_ONLY);
        }
        let list = self.source(state).map(|s| s.id);
        let dialog = state.behind.take().unwrap_or_else(|| Box::new(dialogs::ImportDialog::new(state, list)));
        state.open_boxed(dialog);
    }

    fn copy(&self, state: &mut State) -> Vec<Effect> {
        let Some((number, name)) = self.whom() else {
            state.hint("nobody is selected");
            return Vec::new();
        };
        let whose = if name.is_empty() { "the number".to_owned() } else { format!("the number of {name}") };
        state.say(format!("{whose} is in your clipboard, if the terminal allows it"));
        vec![Effect::Copy(number)]
    }
}

fn sources(state: &State) -> &[SourceRow] {
    &state.data.sources
}

fn places(area: Rect) -> Option<(Rect, Rect)> {
    (area.width >= WIDE).then(|| {
        let [left, right] = Layout::horizontal([Constraint::Length(LIST_COLUMNS), Constraint::Min(40)]).areas(area);
        (left, right)
    })
}

impl Room for People {
    fn pane(&self) -> Pane {
        Pane::People
    }

    fn tab(&self, state: &State) -> String {
        let name = format!("{} People", state.keys.name(Action::Focus(Pane::People)));
        match &self.person {
            Some(person) => format!("{name} > {}", state.number(&person.number)),
            None => name,
        }
    }

    fn rows(&self, state: &State, area: Rect, _whole: bool) -> usize {
        match (&self.person, self.side) {
            (Some(person), _) => person.rows(state, area),
            (None, Side::Lists) => usize::from(area.height.saturating_sub(3)),
            (None, Side::Rows) => usize::from(area.height.saturating_sub(4)),
        }
    }

    fn list(&self, state: &State) -> (Option<usize>, usize) {
        match (&self.person, self.side) {
            (Some(person), _) => person.list(),
            (None, Side::Lists) => {
                let (at, total) = self.lists(state);
                (Some(at), total)
            }
            (None, Side::Rows) => (self.roster.position(), self.roster.items.len()),
        }
    }

    fn put(&mut self, state: &mut State, row: usize) {
        match (&mut self.person, self.side) {
            (Some(person), _) => person.put(row),
            (None, Side::Lists) => {
                let which = row.checked_sub(1).and_then(|i| sources(state).get(i)).map_or(Which::DoNotCall, |s| Which::List(s.id));
                if self.which != Some(which) {
                    // What was looked for in another list is not looked for here.
                    (self.which, self.input) = (Some(which), Input::default());
                    self.roster.leave();
                }
            }
            (None, Side::Rows) => self.roster.at = self.roster.items.get(row).map(|i| i.number().to_owned()),
        }
    }

    fn enter(&mut self, state: &mut State) -> Option<Next> {
        if let Some(person) = &self.person {
            let Some(call) = person.call() else {
                state.hint("no call is selected");
                return Some(Next::stay());
            };
            state.open(dialogs::Story::new(call));
            state.shown = Some(call);
            return Some(Next::Stay(vec![Effect::Show(Some(call))]));
        }
        match (self.side, self.roster.item()) {
            (Side::Lists, _) => {
                self.side = Side::Rows;
                // Whoever goes in stands on the first.
                if self.roster.position().is_none() {
                    self.roster.at = self.roster.items.first().map(|i| i.number().to_owned());
                }
            }
            (Side::Rows, Some(item)) => self.person = Some(Person::of(item.number().to_owned(), item.name(), false)),
            (Side::Rows, None) => state.hint("nobody is selected"),
        }
        Some(Next::stay())
    }

    fn own_keys(&self, state: &State) -> Option<Vec<(String, String)>> {
        let name = |action| state.keys.name(action);
        let dnc = (name(Action::Tag(Outcome::DoNotCall)), "do not call".to_owned());
        let (find, copy) = ((name(Action::Filter), "find".to_owned()), (name(Action::Copy), "copy".to_owned()));
        let esc = |words: &str| (name(Action::Escape), words.to_owned());
        let is_list = self.source(state).is_some();
        Some(if self.typing {
            [("Enter", "to the people"), ("Ctrl-u", "empties the field"), ("Esc", "out of it")].map(|(k, w)| (k.to_owned(), w.to_owned())).into()
        } else if self.person.is_some() {
            let called = self.person.as_ref().is_some_and(|p| p.list().1 > 0);
            let story = called.then(|| ("Enter".to_owned(), "the call's story".to_owned()));
            story.into_iter().chain([dnc, copy, esc("back")]).collect()
        } else if self.side == Side::Rows {
            let mut keys = vec![("Enter".to_owned(), "all that is known".to_owned()), dnc, copy, find];
            if is_list {
                keys.insert(2, (name(Action::Edit), "edit".to_owned()));
            }
            keys.push(esc("the lists"));
            keys
        } else {
            let import = if is_list { "import contacts" } else { "import numbers" };
            let mut keys = vec![("Enter".to_owned(), "its people".to_owned()), find, (name(Action::Import), import.to_owned())];
            if is_list {
                keys.push((name(Action::Delete), "delete".to_owned()));
            }
            keys.push(esc("back"));
            keys
        })
    }

    fn groups(&self) -> &'static [Group] {
        &[Group::Rooms, Group::Moving]
    }

    fn typing(&self) -> bool {
        self.typing
    }

    fn paste(&mut self, _state: &mut State, pasted: &str) {
        let room = LONGEST.saturating_sub(self.input.value().chars().count());
        text::insert(&mut self.input, &pasted.chars().take(room).collect::<String>());
    }

    fn key(&mut self, state: &mut State, key: KeyEvent) -> Option<Vec<Effect>> {
        let action = state.keys.action(&key, state.scope());
        self.roster.wake();
        if self.typing {
            return self.field_key(action, key);
        }
        match action? {
            Action::Copy => Some(self.copy(state)),
            action => self.own_key(state, action).map(|()| Vec::new()),
        }
    }

    /// By its letter: the lists, as they are now.
    fn entered(&mut self, _state: &mut State) -> Vec<Effect> {
        (self.person, self.counts) = (None, true);
        self.roster.stale();
        Vec::new()
    }

    fn asks(&mut self, state: &mut State) -> Vec<Effect> {
        if let Some(Errand::Number(number, name)) = state.errand.take_if(|e| matches!(e, Errand::Number(..))) {
            (self.person, self.typing) = (Some(Person::of(number, name, true)), false);
        }
        if let Some(person) = &mut self.person {
            return person.asks().map(Effect::Ask).into_iter().collect();
        }
        let which = self.which(state);
        let count = std::mem::take(&mut self.counts).then(Roster::count);
        self.roster.asks(which, self.input.value()).into_iter().chain(count).collect()
    }

    fn told(&mut self, state: &mut State, msg: &Msg) {
        match msg {
            Msg::Data(new) if state.frozen.is_none() => {
                if let Some(person) = &mut self.person {
                    person.refresh(new);
                }
            }
            Msg::Answer(question, answer) => {
                self.roster.heard(question, answer);
                if let Some(person) = &mut self.person {
                    person.heard(question, answer);
                }
            }
            Msg::Done { result: Ok(()), .. } | Msg::Tagged { result: Ok(_), .. } | Msg::ImportDone(Ok(_)) => {
                self.roster.stale();
                self.counts = true;
                if let Some(person) = &mut self.person {
                    person.stale();
                }
            }
            _ => {}
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, _whole: bool) {
        if let Some(person) = &self.person {
            return person.draw(frame, state, area);
        }
        match (places(area), self.side) {
            (Some((left, right)), _) => {
                self.draw_lists(frame, state, left);
                self.draw_rows(frame, state, right);
            }
            (None, Side::Lists) => self.draw_lists(frame, state, area),
            (None, Side::Rows) => self.draw_rows(frame, state, area),
        }
    }
}
