//! An export into a file that is there already: asks before it is lost.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::console::{
    message::Effect,
    outside::Export,
    place::{Dialog, Next},
    setup::Setup,
    state::State,
    widgets::{Entry, danger},
};

pub struct WriteOver(pub Export);

impl Dialog for WriteOver {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('y') => Next::Close(vec![Effect::Setup(Setup::Export(Export { over: true, ..self.0.clone() }))]),
            KeyCode::Char('n') => Next::close(),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let entries = [
            Entry::Words(format!("{} is there already. What is in it would be lost.", self.0.path.display())),
            Entry::Keys(format!("y writes the calls of \"{}\" over it   Esc back", self.0.name)),
        ];
        danger(frame, &state.theme, area, "Write over it?", "Esc", &entries);
    }
}
