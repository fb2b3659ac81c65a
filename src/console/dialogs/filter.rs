//! The filter of a pane, typed on its own frame: rows narrow while it is typed. Enter keeps it, Esc takes it away.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect, style::Modifier, widgets::Clear};
use tui_input::Input;
use unicode_width::UnicodeWidthStr;

use crate::{
    console::{
        edges,
        keys::Pane,
        layout, lists,
        message::Effect,
        place::{Dialog, Next},
        state::State,
        text,
        widgets::field,
    },
    domain::id::{CallId, CampaignId},
    store::PaneRow,
};

pub struct Filter {
    pane: Pane,
    input: Input,
    /// Where the cursors stood: Esc gives them back.
    stood: (Option<CallId>, Option<CallId>, Option<CampaignId>),
}

impl Filter {
    pub fn new(state: &State) -> Self {
        let stood = (state.live, state.queue, state.campaign);
        Self { pane: state.focus, input: Input::new(state.lists.of(state.focus).filter.clone()), stood }
    }

    /// Whoever was looked for is under the cursor, unless it stands on one of those that were found already.
    fn take_first(&self, state: &mut State) {
        if self.pane != Pane::Events && !self.input.value().trim().is_empty() {
            state.with_room(self.pane, |room, state| {
                if let (None, 1..) = room.list(state) {
                    room.put(state, 0);
                }
            });
            state.sought = Some(self.pane);
        }
    }

    fn apply(&self, state: &mut State) {
        self.input.value().trim().clone_into(&mut state.lists.at(self.pane).filter);
        state.arrange();
    }

    /// Where it is typed: on the lower edge of its pane, else on the last line that is free.
    fn place(&self, state: &State, area: Rect) -> Rect {
        let whole = Rect { x: 0, y: 0, width: state.size.0, height: state.size.1 };
        let pane = layout::of(state, whole).panes.into_iter().find(|(p, _)| *p == self.pane);
        let pane = pane.map_or(area, |(_, place)| state.room(self.pane).map_or(place, |room| room.frame(state, place, state.zoom)));
        let line = Rect { x: pane.x + 1, y: pane.bottom().saturating_sub(1), width: pane.width.saturating_sub(2), height: 1 };
        line.intersection(whole)
    }
}

/// From here the fields are named, too.
const FIELDS: usize = 126;

/// The words that have room, whole ones.
fn hint(state: &State, pane: Pane, room: usize) -> String {
    let mut text = format!("{}   Enter keeps  Esc clears", edges::left(state, pane));
    let fields = lists::fields(pane).iter().map(|f| format!("{f}:")).collect::<Vec<_>>().join(" ");
    for more in ["  !word not".to_owned(), format!("  {fields}")] {
        if text.width() + more.width() > room || (more.contains(':') && room < FIELDS) {
            break;
        }
        text.push_str(&more);
    }
    text
}

impl Dialog for Filter {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Enter => {
                self.take_first(state);
                return Next::close();
            }
            KeyCode::Backspace if self.input.value().is_empty() => return Next::close(),
            _ => text::edit(&mut self.input, key),
        }
        self.apply(state);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let line = self.place(state, area).intersection(frame.area());
        frame.render_widget(Clear, line);
        frame.buffer_mut().set_style(line, state.theme.style("match"));
        let hint = hint(state, self.pane, usize::from(line.width).saturating_sub(14));
        let wide = u16::try_from(hint.width() + 1).unwrap_or(u16::MAX);
        let typed = u16::try_from(self.input.value().width() + 6).unwrap_or(u16::MAX);
        let mut room = line;
        if typed.saturating_add(wide) <= line.width {
            room.width = line.width - wide;
            frame.buffer_mut().set_stringn(room.right(), line.y, &hint, usize::from(wide), state.theme.style("text_faint"));
        }
        field(frame, &state.theme, room, " /", &self.input, state.theme.style("match").add_modifier(Modifier::BOLD));
    }

    fn paste(&mut self, state: &mut State, text: &str) {
        text::insert(&mut self.input, text);
        self.apply(state);
    }

    fn typing(&self) -> bool {
        true
    }

    fn shows_behind(&self) -> bool {
        true
    }

    fn escape(&mut self, state: &mut State) -> Vec<Effect> {
        state.lists.at(self.pane).filter.clear();
        state.arrange();
        let (live, queue, campaign) = self.stood;
        let there = |id: &CallId, rows: Vec<&PaneRow>| rows.iter().any(|r| r.id == *id);
        state.live = state.live.or(live.filter(|id| there(id, state.live_rows())));
        state.queue = state.queue.or(queue.filter(|id| there(id, state.queue_rows())));
        state.campaign = state.campaign.or(campaign.filter(|id| state.data.campaign(*id).is_some()));
        Vec::new()
    }
}
