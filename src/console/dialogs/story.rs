//! A call's story over the screen. Tags, notes and hang-ups go to this call.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use ratatui::widgets::Paragraph;

use super::words::scrolled;
use crate::{
    console::{
        keys::{Action, Group, Pane},
        message::Effect,
        place::{Dialog, Next},
        state::{Errand, State},
        story,
        widgets::popup,
    },
    domain::{id::CallId, text::clean},
    store::PaneRow,
};

const WIDTH: u16 = 110;

pub struct Story {
    call: CallId,
    scroll: usize,
    /// With what told each line, and all that was looked at.
    details: bool,
    /// Lines when it was drawn last: where scrolling ends.
    lines: std::cell::Cell<usize>,
}

impl Story {
    pub fn new(call: CallId) -> Self {
        Self { call, scroll: 0, details: false, lines: std::cell::Cell::new(1) }
    }
}

impl Dialog for Story {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        let action = state.keys.action(&key, state.scope());
        if matches!(action, Some(Action::Quit | Action::Enter)) {
            return Next::Close(self.escape(state));
        }
        if let (Some(Action::Focus(Pane::People)), Some(call)) = (action, self.call(state)) {
            state.errand = Some(Errand::Number(call.phone_number.clone(), clean(&call.contact_name, 60)));
            state.go(Pane::People);
            return Next::Close(self.escape(state));
        }
        let own = |row: &&crate::console::keys::Key| {
            matches!(row.group, Group::Tags | Group::Call) && !matches!(row.action, Action::AutoNext | Action::ToTagOnly | Action::Mark)
        };
        if let Some(action) = action.filter(|a| crate::console::keys::row(*a).as_ref().is_some_and(own)) {
            return Next::Act(action);
        }
        if key.code == KeyCode::Char('d') {
            self.details = !self.details;
            self.scroll = 0;
        }
        self.scroll = scrolled(self.scroll, key.code, self.lines.get());
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let width = WIDTH.min(area.width.saturating_sub(2));
        let detail = state.detail.as_ref().filter(|d| d.row.id == self.call);
        let lines = detail.map(|d| story::lines(state, d, usize::from(width.saturating_sub(2)), self.details));
        // No taller than what there is to tell.
        let rows = lines.as_ref().map_or(1, Vec::len);
        let inside = popup(
            frame,
            &state.theme,
            area,
            WIDTH,
            u16::try_from(rows + 2).unwrap_or(u16::MAX),
            "The call",
            &format!(
                "{} its number   j k scroll   d {} details   Esc back",
                state.keys.name(Action::Focus(Pane::People)),
                if self.details { "fewer" } else { "all" }
            ),
        );
        let Some(lines) = lines else {
            return frame.render_widget(Paragraph::new(" loading..."), inside);
        };
        let most = lines.len().saturating_sub(usize::from(inside.height));
        self.lines.set(most + 1);
        frame.render_widget(Paragraph::new(lines[self.scroll.min(most)..].to_vec()), inside);
    }

    /// The story is not wanted any more, unless the wide screen has a pane for it.
    fn escape(&mut self, state: &mut State) -> Vec<Effect> {
        state.shown = None;
        vec![Effect::Show(None)]
    }

    fn call<'a>(&self, state: &'a State) -> Option<&'a PaneRow> {
        state.detail.as_ref().map(|d| &d.row).filter(|r| r.id == self.call)
    }
}
