//! The filter, at the edge of the screen: rows narrow while it is typed.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use ratatui::widgets::Clear;
use tui_input::Input;

use crate::console::{
    message::Effect,
    place::{Dialog, Next},
    state::State,
    text,
    widgets::field,
};

pub struct Filter(Input);

impl Filter {
    pub fn new(state: &State) -> Self {
        Self(Input::new(state.filter.clone()))
    }

    fn apply(&self, state: &mut State) {
        self.0.value().trim().clone_into(&mut state.filter);
        state.arrange();
    }
}

impl Dialog for Filter {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if key.code == KeyCode::Enter {
            return Next::close();
        }
        text::edit(&mut self.0, key);
        self.apply(state);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let line = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        frame.render_widget(Clear, line);
        frame.buffer_mut().set_style(line, state.theme.style("key"));
        field(frame, &state.theme, line, " /", &self.0, state.theme.style("text"));
        let hint = "Enter keeps   Esc clears   words all hold; !word excludes; name: number: campaign: state: outcome:";
        let left = u16::try_from(self.0.value().chars().count() + 8).unwrap_or(u16::MAX);
        if left < area.width / 2 {
            let place = Rect { x: area.x + left, width: area.width - left, ..line };
            frame.buffer_mut().set_stringn(place.x, place.y, hint, usize::from(place.width), state.theme.style("text_faint"));
        }
    }

    fn paste(&mut self, state: &mut State, text: &str) {
        text::insert(&mut self.0, text);
        self.apply(state);
    }

    fn typing(&self) -> bool {
        true
    }

    fn escape(&mut self, state: &mut State) -> Vec<Effect> {
        state.filter.clear();
        state.arrange();
        Vec::new()
    }
}
