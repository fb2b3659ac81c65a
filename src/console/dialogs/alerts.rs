//! All alerts and errors, each in full: the screen has room for the first only.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use ratatui::{
    text::{Line, Span},
    widgets::Paragraph,
};

use super::words::scrolled;
use crate::console::{
    alerts,
    keys::Action,
    message::Effect,
    place::{Dialog, Next},
    state::State,
    widgets::{popup, wrapped},
};

#[derive(Default)]
pub struct Alerts {
    at: usize,
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
        let inside = popup(frame, &state.theme, area, 100, area.height, "Alerts and errors", "j k   w why   Esc");
        let width = usize::from(inside.width.saturating_sub(3));
        let mut texts: Vec<(&str, String)> = alerts::all(state).into_iter().map(|a| ("text", a.words)).collect();
        let clock = |t: chrono::DateTime<chrono::Utc>| t.with_timezone(&state.options.zone).format("%H:%M:%S").to_string();
        texts.extend(state.notes.all().map(|n| ("text_dim", format!("{}  {}", clock(n.at), n.text))));
        if texts.is_empty() {
            texts.push(("text_dim", "Nothing is wrong, as far as is known here.".to_owned()));
        }
        let lines: Vec<Line<'_>> = texts
            .iter()
            .enumerate()
            .skip(self.at.saturating_sub(2))
            .flat_map(|(i, (role, text))| {
                let sign = if i == self.at { "▌" } else { " " };
                wrapped(text, width).into_iter().map(move |l| Line::from(vec![Span::raw(sign), Span::styled(format!(" {l}"), state.theme.style(role))]))
            })
            .collect();
        frame.render_widget(Paragraph::new(lines), inside);
    }
}
