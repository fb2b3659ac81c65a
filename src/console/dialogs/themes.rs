//! The themes there are, each seen on the screen behind while the cursor is on it. Enter keeps it, Esc brings back
//! the one before.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::console::{
    message::Effect,
    place::{Dialog, Next},
    session,
    state::State,
    theme::{self, Depth, Theme},
    widgets::{Row, cut, popup, wrapped},
};

pub struct Themes {
    all: Vec<(String, Option<PathBuf>)>,
    at: usize,
    before: Theme,
    /// Why the one under the cursor cannot be shown.
    wrong: Option<String>,
}

impl Themes {
    pub fn new(state: &State) -> Self {
        let all = theme::all(&state.options.themes_folder);
        let at = all.iter().position(|(name, _)| *name == state.theme.name).unwrap_or(0);
        Self { all, at, before: state.theme.clone(), wrong: None }
    }

    fn name(&self) -> &str {
        self.all.get(self.at).map_or("dark", |(name, _)| name.as_str())
    }

    fn show(&mut self, state: &mut State) {
        self.wrong = None;
        match theme::find(self.name(), &state.options.themes_folder, Depth::detect(&state.options.color)) {
            Ok(found) => state.theme = found,
            Err(why) => self.wrong = Some(why.to_string()),
        }
    }
}

impl Dialog for Themes {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        let last = self.all.len().saturating_sub(1);
        self.at = match key.code {
            KeyCode::Char('j' | 'T') | KeyCode::Down => (self.at + 1).min(last),
            KeyCode::Char('k') | KeyCode::Up => self.at.saturating_sub(1),
            KeyCode::Char('g') | KeyCode::Home => 0,
            KeyCode::Char('G') | KeyCode::End => last,
            KeyCode::Enter if self.wrong.is_none() => {
                return Next::Close(session::choose_theme(state, self.name()));
            }
            _ => return Next::stay(),
        };
        self.show(state);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        // At the right: what it looks like is seen beside it.
        let side = Rect { x: area.right().saturating_sub(48).max(area.x), width: area.width.min(48), ..area };
        let why = self.wrong.as_ref().map_or(Vec::new(), |w| wrapped(w, 42));
        let height = u16::try_from(self.all.len() + why.len() + 2).unwrap_or(u16::MAX);
        let inside = popup(frame, &state.theme, side, 46, height, "Themes", "j k   Enter keeps   Esc back");
        let rows = usize::from(inside.height).saturating_sub(why.len());
        let top = (self.at + 1).saturating_sub(rows);
        for (i, theme) in self.all.iter().enumerate().skip(top).take(rows) {
            self.row(state, i, theme).draw(frame, &state.theme, inside, i - top);
        }
        let below = u16::try_from(why.len()).unwrap_or(0).min(inside.height);
        let lines: Vec<Line<'_>> = why.into_iter().map(|w| Line::from(Span::styled(format!(" {w}"), state.theme.style("error")))).collect();
        frame.render_widget(Paragraph::new(lines), Rect { y: inside.bottom() - below, height: below, ..inside });
    }

    fn shows_behind(&self) -> bool {
        true
    }

    fn escape(&mut self, state: &mut State) -> Vec<Effect> {
        state.theme = self.before.clone();
        Vec::new()
    }

    /// Nothing is lost by a key that was typed ahead.
    fn deaf(&self) -> bool {
        false
    }
}

impl Themes {
    fn row(&self, state: &State, row: usize, (name, file): &(String, Option<PathBuf>)) -> Row<'static> {
        let whose = match file {
            _ if *name == self.before.name => "in use",
            Some(_) => "yours",
            None => "",
        };
        let spans = vec![Span::styled(format!(" {:<28} ", cut(name, 28)), state.theme.style("text")), Span::styled(whose, state.theme.style("text_dim"))];
        Row { spans, selected: row == self.at, marked: false, focused: true }
    }
}
