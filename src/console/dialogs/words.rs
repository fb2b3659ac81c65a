//! A few lines to be read: why nothing is dialled, an event in full.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::console::{
    place::{Dialog, Next},
    state::State,
    widgets::{Entry, card, wrapped},
};

pub struct Words {
    title: String,
    lines: Vec<String>,
    scroll: usize,
}

impl Words {
    pub fn new(title: String, lines: Vec<String>) -> Self {
        Self { title, lines, scroll: 0 }
    }
}

/// Where a key of moving leads in a text of so many lines.
pub fn scrolled(scroll: usize, code: KeyCode, lines: usize) -> usize {
    let last = lines.saturating_sub(1);
    match code {
        KeyCode::Char('j') | KeyCode::Down => (scroll + 1).min(last),
        KeyCode::Char('k') | KeyCode::Up => scroll.min(last).saturating_sub(1),
        KeyCode::PageDown => (scroll + 10).min(last),
        KeyCode::PageUp => scroll.min(last).saturating_sub(10),
        KeyCode::Char('g') | KeyCode::Home => 0,
        KeyCode::Char('G') | KeyCode::End => last,
        _ => scroll,
    }
}

/// A heading is one by its look, not by its marks.
fn entry(line: &str) -> Entry<'static> {
    let head = line.strip_prefix("## ").or_else(|| line.strip_prefix("# "));
    match (line, head) {
        ("", _) => Entry::Gap,
        (_, Some(head)) => Entry::Head(head.to_owned()),
        (line, None) => Entry::words(line),
    }
}

impl Dialog for Words {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if matches!(key.code, KeyCode::Enter | KeyCode::Char('q' | 'w')) {
            return Next::close();
        }
        self.scroll = scrolled(self.scroll, key.code, self.lines.len());
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let shown = self.lines.iter().skip(self.scroll);
        let entries: Vec<Entry<'_>> = shown.map(|l| entry(l)).collect();
        let tall = self.lines.iter().map(|l| wrapped(l, 70).len()).sum::<usize>() + 2 > usize::from(area.height);
        card(frame, &state.theme, area, &self.title, if tall { "j k scroll   Esc back" } else { "Esc" }, &entries);
    }
}
