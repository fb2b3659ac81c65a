//! Live calls: who is on the line, who rings, who has just ended. On the whole screen with all columns, and the
//! story of the call under the cursor beside them.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
};

use super::{
    deck,
    table::{Columns, ON_CALLS, list},
};
use crate::{
    console::{
        keys::{Action, Pane},
        place::Room,
        snapshot::CampaignView,
        state::{BESIDE, State},
        widgets::{boxed, empty, head},
    },
    domain::campaign::Status,
    store::PaneRow,
};

pub struct Live;

impl Room for Live {
    fn pane(&self) -> Pane {
        Pane::Live
    }

    fn tab(&self, state: &State) -> String {
        format!("{} Live calls {}", state.keys.name(Action::Focus(Pane::Live)), state.data.live_count())
    }

    fn rows(&self, _state: &State, area: Rect, _whole: bool) -> usize {
        usize::from(area.height.saturating_sub(3))
    }

    fn frame(&self, _state: &State, area: Rect, whole: bool) -> Rect {
        split(area, whole).0
    }

    fn list(&self, state: &State) -> (Option<usize>, usize) {
        let rows = state.live_rows();
        (rows.iter().position(|r| Some(r.id) == state.live), rows.len())
    }

    fn put(&mut self, state: &mut State, row: usize) {
        state.live = state.live_rows().get(row).map(|r| r.id);
    }

    fn call<'a>(&self, state: &'a State) -> Option<&'a PaneRow> {
        state.live_rows().into_iter().find(|r| Some(r.id) == state.live)
    }

    fn calls<'a>(&self, state: &'a State) -> Vec<&'a PaneRow> {
        state.live_rows()
    }

    fn keeps_top(&self, state: &State) -> bool {
        state.follow
    }

    fn offers(&self) -> &'static [Action] {
        ON_CALLS
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, whole: bool) {
        let (area, story) = split(area, whole);
        if let Some(story) = story {
            deck::detail(frame, state, story);
        }
        let focused = state.focus == Pane::Live;
        let rows = state.live_rows();
        let selected = rows.iter().position(|r| Some(r.id) == state.live);
        let inside = boxed(frame, &state.theme, area, focused, &self.title(state, rows.len()), &corner(state, selected, rows.len()));
        if rows.is_empty() {
            return empty(frame, &state.theme, inside, &no_calls(state));
        }
        let columns = Columns::of_board(state, usize::from(inside.width), whole);
        let body = head(frame, &state.theme, inside, &columns.head());
        list(frame, state, body, Pane::Live, &rows, selected, |r| columns.spans(state, r));
    }
}

impl Live {
    /// Filtered, it says of how many.
    fn title(&self, state: &State, rows: usize) -> String {
        let all = state.data.live.len();
        if state.lists.of(Pane::Live).filter.is_empty() || rows == all {
            return self.tab(state);
        }
        format!("{} Live calls, {rows} of {all}", state.keys.name(Action::Focus(Pane::Live)))
    }
}

/// Columns from which the board is whole beside a story, and rows of the two where they stand one above the other.
const BOTH_WHOLE: u16 = 150;
const BOARD_ROWS: u16 = 10;
const STORY_ROWS: u16 = 14;

/// The board, and in its room the story beside it.
fn split(area: Rect, whole: bool) -> (Rect, Option<Rect>) {
    if !whole || area.width < BESIDE {
        return (area, None);
    }
    // Where both do not fit beside each other the story is below: the room has no column less than the deck.
    let (whole_rows, beside) = ([Constraint::Min(BOARD_ROWS), Constraint::Length((area.height / 3).min(STORY_ROWS))], area.width >= BOTH_WHOLE);
    let [board, story] = if beside {
        Layout::horizontal([Constraint::Percentage(66), Constraint::Percentage(34)]).areas(area)
    } else {
        Layout::vertical(whole_rows).areas(area)
    };
    (board, Some(story))
}

/// `3/8  2 marked  to tag only  follow on`.
fn corner(state: &State, selected: Option<usize>, rows: usize) -> String {
    let mut corner = selected.map_or_else(|| rows.to_string(), |i| format!("{}/{rows}", i + 1));
    let marked = state.marks.of(Pane::Live).len();
    if marked > 0 {
        corner.push_str(&format!("  {marked} marked"));
    }
    if state.to_tag_only {
        corner.push_str("  to tag only");
    }
    if state.follow {
        corner.push_str("  follow on");
    }
    corner
}

fn no_calls(state: &State) -> String {
    let all = state.data.live.len();
    if !state.loaded {
        return "loading...".to_owned();
    }
    let filter = &state.lists.of(Pane::Live).filter;
    if !filter.is_empty() && all > 0 {
        return format!("0 of {all} match \"{filter}\". Esc clears");
    }
    if state.to_tag_only && all > 0 {
        return format!("No call to tag here. {} shows all {all} again", state.keys.name(Action::ToTagOnly));
    }
    let running: Vec<&CampaignView> = state.data.campaigns.iter().filter(|c| c.row.execution_status == Status::Running).collect();
    match running.as_slice() {
        [] if state.data.campaigns.is_empty() => "No live calls. They stand here once a campaign runs.".to_owned(),
        [] => format!("No live calls. No campaign is running: {} starts the one in the last line", state.keys.name(Action::Start)),
        [first, ..] => format!("No live calls. \"{}\" is running: {} says why it is not dialling", first.row.name, state.keys.name(Action::Why)),
    }
}
