//! All alerts and errors, each in full: the screen has room for the first only.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use ratatui::{
    text::{Line, Span},
    widgets::Paragraph,
};

use super::words::scrolled;
use crate::console::{
    alerts::{self, Level},
    keys::Action,
    message::Effect,
    place::{Dialog, Next},
    state::State,
    widgets::{bar, empty, popup, wrapped},
};

const WIDTH: u16 = 100;

#[derive(Default)]
pub struct Alerts {
    at: usize,
}

impl Alerts {
    /// No taller than what it holds.
    fn height(texts: &[(&str, String)], width: usize) -> u16 {
        u16::try_from(texts.iter().map(|t| wrapped(&t.1, width).len()).sum::<usize>().max(1) + 2).unwrap_or(u16::MAX)
    }
}

impl Dialog for Alerts {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        let all = alerts::all(state);
        let why = state.keys.action(&key, None) == Some(Action::Why) || key.code == KeyCode::Enter;
        match all.get(self.at).and_then(|a| a.campaign).filter(|_| why) {
            Some(campaign) => Next::Close(vec![Effect::Why(campaign)]),
            None if matches!(key.code, KeyCode::Char('q' | '!')) => Next::close(),
            None => {
                self.at = scrolled(self.at, key.code, all.len() + state.notes.all().count());
                Next::stay()
            }
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let width = usize::from(WIDTH.min(area.width.saturating_sub(2)).saturating_sub(5));
        let mut texts: Vec<(&str, String)> = alerts::all(state).into_iter().map(|a| (role(a.level), a.words)).collect();
        let clock = |t: chrono::DateTime<chrono::Utc>| t.with_timezone(&state.options.zone).format("%H:%M:%S").to_string();
        texts.extend(state.notes.all().map(|n| ("text_dim", format!("{}  {}", clock(n.at), n.text))));
        let inside = popup(frame, &state.theme, area, WIDTH, Self::height(&texts, width), "Alerts and errors", "j k choose   w why   Esc back");
        if texts.is_empty() {
            return empty(frame, &state.theme, inside, "Nothing is wrong, as far as is known here.");
        }
        let mut y = inside.y;
        for (i, (role, text)) in texts.iter().enumerate().skip(self.at.saturating_sub(2)) {
            let lines: Vec<Line<'_>> = wrapped(text, width).into_iter().map(|l| Line::from(Span::styled(format!("  {l}"), state.theme.style(role)))).collect();
            let rows = u16::try_from(lines.len()).unwrap_or(1).min(inside.bottom().saturating_sub(y));
            let place = Rect { y, height: rows, ..inside };
            frame.render_widget(Paragraph::new(lines), place);
            if i == self.at {
                bar(frame, &state.theme, place);
            }
            y += rows;
        }
    }
}

/// An alert keeps in the list the colour it has over the panes.
fn role(level: Level) -> &'static str {
    match level {
        Level::Danger | Level::Error => "error",
        Level::Banner | Level::Warn => "warn",
        Level::Info => "info",
    }
}
