//! Several fields under each other, one of them under the cursor: a line, a secret, one of several, or a text.

use std::borrow::Cow;

use crossterm::event::{KeyCode, KeyEvent};
use tui_input::Input;

use super::form::Choice;
use crate::console::{
    text::{self, Text},
    widgets::{Entry, fit},
};

pub enum Kind {
    Line(Input),
    /// Shown as stars.
    Secret(Input),
    Choice(Choice),
    Text(Box<Text>),
}

pub struct Field {
    /// As the desk calls it in a complaint.
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub kind: Kind,
}

impl Field {
    pub fn line(name: &'static str, label: &'static str, hint: &'static str, text: &str) -> Self {
        Self { name, label, hint, kind: Kind::Line(Input::new(text.to_owned())) }
    }

    pub fn secret(name: &'static str, label: &'static str, hint: &'static str) -> Self {
        Self { name, label, hint, kind: Kind::Secret(Input::default()) }
    }

    pub fn choice(name: &'static str, label: &'static str, hint: &'static str, options: Vec<String>) -> Self {
        Self { name, label, hint, kind: Kind::Choice(Choice { options, ..Choice::default() }) }
    }

    pub fn text(name: &'static str, label: &'static str, hint: &'static str, text: &str) -> Self {
        Self { name, label, hint, kind: Kind::Text(Box::new(Text::new(text))) }
    }

    fn value(&self) -> Cow<'_, str> {
        match &self.kind {
            Kind::Line(input) | Kind::Secret(input) => input.value().trim().into(),
            Kind::Choice(choice) => choice.options.get(choice.at).map_or("", String::as_str).into(),
            Kind::Text(text) => text.value().trim().to_owned().into(),
        }
    }
}

pub struct Fields {
    all: Vec<Field>,
    at: usize,
    touched: bool,
}

/// What a key meant beside the field it went into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    Into,
    /// Enter on the last field.
    Done,
}

/// Cells of the labels, and lines of a text that is being written.
const LABEL: usize = 16;
const TEXT: usize = 5;

impl Fields {
    pub fn new(all: Vec<Field>) -> Self {
        Self { all, at: 0, touched: false }
    }

    pub fn value(&self, name: &str) -> String {
        self.all.iter().find(|f| f.name == name).map_or_else(String::new, |f| f.value().into_owned())
    }

    /// Which of several is chosen.
    pub fn chosen(&self, name: &str) -> usize {
        self.all.iter().find_map(|f| if let Kind::Choice(c) = &f.kind { (f.name == name).then_some(c.at) } else { None }).unwrap_or(0)
    }

    pub fn choose(&mut self, name: &str, at: usize) {
        for f in self.all.iter_mut().filter(|f| f.name == name) {
            if let Kind::Choice(c) = &mut f.kind {
                c.at = at.min(c.options.len().saturating_sub(1));
            }
        }
    }

    /// Fills a line that is empty.
    pub fn suggest(&mut self, name: &str, text: &str) {
        for f in self.all.iter_mut().filter(|f| f.name == name && f.value().is_empty()) {
            if let Kind::Line(input) = &mut f.kind {
                *input = Input::new(text.to_owned());
            }
        }
    }

    /// What came back from the editor.
    pub fn replace(&mut self, name: &str, text: &str) {
        self.touched = true;
        self.go_to(name);
        for f in self.all.iter_mut().filter(|f| f.name == name) {
            f.kind = Kind::Text(Box::new(Text::new(text)));
        }
    }

    /// Puts the cursor on a field, such as one that is wrong.
    pub fn go_to(&mut self, name: &str) {
        self.at = self.all.iter().position(|f| f.name == name).unwrap_or(self.at);
    }

    pub fn touched(&self) -> bool {
        self.touched
    }

    pub fn key(&mut self, key: KeyEvent) -> Went {
        let (last, n) = (self.at + 1 == self.all.len(), self.all.len());
        let Some(field) = self.all.get_mut(self.at) else { return Went::Done };
        match (key.code, &mut field.kind) {
            (KeyCode::Enter, Kind::Text(text)) if Text::is_new_line(&key) => text.key(key),
            (KeyCode::Down, Kind::Text(text)) if text.can_go(true) => text.key(key),
            (KeyCode::Up, Kind::Text(text)) if text.can_go(false) => text.key(key),
            (KeyCode::Enter, _) if last => return Went::Done,
            (KeyCode::Enter | KeyCode::Tab | KeyCode::Down, _) => self.at = (self.at + 1) % n,
            (KeyCode::BackTab | KeyCode::Up, _) => self.at = (self.at + n - 1) % n,
            (code, Kind::Choice(choice)) => match code {
                KeyCode::Left => choice.step(choice.options.len().saturating_sub(1)),
                KeyCode::Right => choice.step(1),
                KeyCode::Backspace => choice.typed.clear(),
                KeyCode::Char(c) => choice.find(c),
                _ => {}
            },
            (_, Kind::Text(text)) => text.key(key),
            (_, Kind::Line(input) | Kind::Secret(input)) => text::edit(input, key),
        }
        self.touched |= matches!(key.code, KeyCode::Char(_));
        Went::Into
    }

    pub fn paste(&mut self, pasted: &str) {
        let Some(field) = self.all.get_mut(self.at) else { return };
        self.touched = true;
        match &mut field.kind {
            Kind::Line(input) | Kind::Secret(input) => text::insert(input, pasted.trim()),
            Kind::Text(text) => text.insert(pasted),
            Kind::Choice(_) => {}
        }
    }

    /// The secrets as they may be shown: borrowed by [`entries`](Self::entries).
    pub fn masked(&self) -> Vec<Input> {
        let stars = |f: &Field| match &f.kind {
            Kind::Secret(input) => Input::new("*".repeat(input.value().chars().count())).with_cursor(input.cursor()),
            _ => Input::default(),
        };
        self.all.iter().map(stars).collect()
    }

    /// Label, value, and under the field that has the cursor what it wants.
    pub fn entries<'a>(&'a self, masked: &'a [Input], labels: &'a [String]) -> Vec<Entry<'a>> {
        let mut out = Vec::new();
        for (i, (field, label)) in self.all.iter().zip(labels).enumerate() {
            let here = i == self.at;
            let words = |value: &str| if here { Entry::Words(format!("{label} {value}")) } else { Entry::Faint(format!("{label} {value}")) };
            match &field.kind {
                Kind::Line(input) if here => out.push(Entry::Field(label, input)),
                Kind::Secret(_) if here => out.push(Entry::Field(label, &masked[i])),
                Kind::Text(text) if here => out.extend([words(""), Entry::Area(text, TEXT)]),
                Kind::Line(_) => out.push(words(&field.value())),
                Kind::Secret(_) => out.push(words(masked[i].value())),
                Kind::Choice(choice) => out.push(words(&choice.shown(here))),
                Kind::Text(text) => out.push(words(&text.value().replace('\n', " "))),
            }
            if here && !field.hint.is_empty() {
                out.push(Entry::Faint(format!("{}   {}", " ".repeat(2), field.hint)));
            }
        }
        out
    }

    /// The labels with the bar of the cursor: borrowed by [`entries`](Self::entries).
    pub fn labels(&self) -> Vec<String> {
        self.all.iter().enumerate().map(|(i, f)| format!("{}{}", if i == self.at { "▌ " } else { "  " }, fit(f.label, LABEL))).collect()
    }
}
