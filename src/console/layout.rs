//! Where everything stands at which size, and which rows of a list can be seen. A pane is no taller than what it
//! holds; the live board has what is left.
//!
//! ```text
//! 80x24            120x40                      200x60
//! header           header                      header
//! alert            alert                       alert
//! tabs or crumbs   campaigns | outcomes        campaigns | live calls
//! one pane         live calls                  outcomes  |
//!                  events                      events    | the call | last hour
//! notes, then who the keys act on and which they are, at the bottom of each
//! ```

use ratatui::layout::{Constraint, Layout, Rect};

use super::{
    alerts,
    keys::{Action, Pane},
    state::{LARGE, State},
    widgets::lines,
};

/// From here four panes stand together.
const MEDIUM: (u16, u16) = (100, 30);
/// From here the header has two lines.
const TWO_LINES: u16 = 100;
const FOOTER_ROWS: u16 = 2;
const LEFT_COLUMNS: u16 = 82;
/// Below this the board loses columns before the campaigns have room to spare.
const VERY_WIDE: u16 = 180;
const FEW_LEFT_COLUMNS: u16 = 66;
const OUTCOME_COLUMNS: u16 = 38;
/// Where names of campaigns need the room more.
const FEW_OUTCOME_COLUMNS: u16 = 34;
/// The outcomes with their heads and frame, and the campaigns' least and most.
const TOTAL_ROWS: u16 = 9;
const MOST_CAMPAIGNS: u16 = 14;
/// Lines of the events on the deck.
const EVENTS: u16 = 5;
/// The live board needs the rows more, where there are so few.
const FEW_EVENTS: u16 = 3;
const ROOMY: u16 = 30;
/// The frame of a pane, and the head of its columns.
const FRAME: u16 = 2;
const HEAD: u16 = 1;

/// The places of one frame.
#[derive(Debug, Default)]
pub struct Places {
    pub header: Rect,
    pub alert: Rect,
    /// Tabs, or the crumbs of a room.
    pub tabs: Option<Rect>,
    pub panes: Vec<(Pane, Rect)>,
    pub trend: Option<Rect>,
    pub detail: Option<Rect>,
    pub notes: Rect,
    pub footer: Rect,
}

#[must_use]
pub fn of(state: &State, area: Rect) -> Places {
    let width = usize::from(area.width);
    let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let alert = alerts::shown(state, width).map_or(1, |(_, lines)| cells(lines.len()));
    let notes = cells(notes(state, width).len().max(1));
    let header = if area.width >= TWO_LINES { 2 } else { 1 };
    let rows = [Constraint::Length(header), Constraint::Length(alert), Constraint::Min(1), Constraint::Length(notes), Constraint::Length(FOOTER_ROWS)];
    let [header, alert, body, notes, footer] = Layout::vertical(rows).areas(area);
    let mut places = Places { header, alert, notes, footer, ..Places::default() };
    let fits = |size: (u16, u16)| area.width >= size.0 && area.height >= size.1;
    if state.zoom || !Pane::DECK.contains(&state.focus) || !fits(MEDIUM) {
        let [tabs, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(body);
        places.tabs = Some(tabs);
        places.panes.push((state.focus, body));
    } else if fits(LARGE) {
        large(state, &mut places, body);
    } else {
        medium(state, &mut places, body);
    }
    places
}

/// Rows that the campaigns fill, with their head and frame.
fn campaign_rows(state: &State) -> u16 {
    let n = u16::try_from(state.data.campaigns.len()).unwrap_or(u16::MAX);
    n.max(2).saturating_add(FRAME + HEAD).min(MOST_CAMPAIGNS)
}

fn medium(state: &State, places: &mut Places, area: Rect) {
    let top = campaign_rows(state).max(TOTAL_ROWS).min(area.height / 2);
    let most = if area.height < ROOMY { FEW_EVENTS } else { EVENTS };
    let logs = u16::try_from(state.event_count()).unwrap_or(most).clamp(1, most) + FRAME;
    let [top, live, events] = Layout::vertical([Constraint::Length(top), Constraint::Min(5), Constraint::Length(logs)]).areas(area);
    let columns = if area.width < 116 { FEW_OUTCOME_COLUMNS } else { OUTCOME_COLUMNS };
    let [campaigns, outcomes] = Layout::horizontal([Constraint::Min(50), Constraint::Length(columns)]).areas(top);
    places.panes.extend([(Pane::Campaigns, campaigns), (Pane::Outcomes, outcomes), (Pane::Live, live), (Pane::Events, events)]);
}

/// Events go below the outcomes: a line more moves all of them, and there they are few and wide. The last hour, which
/// changes once a minute, has the place beside the call.
fn large(state: &State, places: &mut Places, area: Rect) {
    let columns = if area.width < VERY_WIDE { FEW_LEFT_COLUMNS } else { LEFT_COLUMNS };
    let [left, right] = Layout::horizontal([Constraint::Length(columns), Constraint::Min(60)]).areas(area);
    let rows = [Constraint::Length(campaign_rows(state).min(area.height / 3)), Constraint::Min(TOTAL_ROWS), Constraint::Length(EVENTS + FRAME)];
    let [campaigns, outcomes, events] = Layout::vertical(rows).areas(left);
    let [live, bottom] = Layout::vertical([Constraint::Min(8), Constraint::Length((area.height * 2 / 5).clamp(10, 18))]).areas(right);
    let [detail, trend] = Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(bottom);
    places.panes.extend([(Pane::Campaigns, campaigns), (Pane::Outcomes, outcomes), (Pane::Live, live), (Pane::Events, events)]);
    (places.trend, places.detail) = (Some(trend), Some(detail));
}

/// What was told last: an error that stands, then what was done beside it.
#[must_use]
pub fn notes(state: &State, width: usize) -> Vec<(&'static str, String)> {
    let room = width.saturating_sub(2);
    let mut out = Vec::new();
    if state.dialog.as_ref().is_some_and(|o| o.leaving) {
        out.push(("warn", "Esc again throws away what was typed; any other key goes on".to_owned()));
    }
    if let Some((note, n)) = state.notes.last_wrong() {
        let key = state.keys.name(Action::Alerts);
        let more = if n > 1 { format!(" ({n} errors, {key} has all; Esc)") } else { " (Esc)".to_owned() };
        let text = lines(&format!("!! {}", note.text), room.saturating_sub(more.len()), alerts::LINES, &format!("({key} has all)"));
        let last = text.len().saturating_sub(1);
        out.extend(text.into_iter().enumerate().map(|(i, t)| ("error", if i == last { format!("{t}{more}") } else { t })));
    }
    match state.notes.told() {
        Some(told) if told.done => out.extend(lines(&format!("✓ {}", told.text), room, 2, "…").into_iter().map(|t| ("success", t))),
        Some(told) => out.extend(lines(&format!("- {}", told.text), room, 2, "…").into_iter().map(|t| ("warn", t))),
        None if out.is_empty() && !state.loaded => out.push(("text_faint", "loading...".to_owned())),
        None => {}
    }
    out
}

/// Which rows of each pane can be seen from now on. The view goes with the cursor by as little as it must; following,
/// it stays on the first rows and the cursor may leave it. On the board it goes there only with a key: a call that
/// ends sinks, and must not take the people on the line out of sight.
pub fn see(state: &mut State) {
    let area = Rect { x: 0, y: 0, width: state.size.0, height: state.size.1 };
    if state.is_tiny() {
        return;
    }
    let (whole, sought) = (state.zoom, state.sought.take());
    let places = of(state, area);
    // A pane that is not drawn now shows no row, and stands again where it stood.
    let mut sight: std::collections::HashMap<_, _> = state.sight.iter().map(|(pane, (top, _))| (*pane, (*top, 0))).collect();
    for (pane, place) in places.panes {
        let Some(room) = state.room(pane) else { continue };
        let rows = room.rows(state, place, whole);
        let (at, total) = room.list(state);
        let last = total.saturating_sub(rows);
        let top = state.sight.get(&pane).map_or(0, |s| s.0).min(last);
        let top = match at {
            // The wheel has moved it: it stays until the cursor is moved.
            _ if state.wheeled == Some(pane) => top,
            _ if room.keeps_top(state) => 0,
            Some(_) if pane == Pane::Live && sought != Some(pane) => top,
            Some(i) if i < top => i,
            Some(i) if rows > 0 && i >= top + rows => i + 1 - rows,
            _ => top,
        };
        sight.insert(pane, (top, rows));
    }
    state.sight = sight;
}
