//! What stands on the frame of a pane: its filter, with how many rows it leaves, and its order where that is not the
//! list's own. A filter that was kept from yesterday must be seen.

use ratatui::{Frame, layout::Rect, style::Modifier, text::Span, widgets::Paragraph};
use unicode_width::UnicodeWidthStr;

use super::{keys::Pane, state::State, widgets::cut};
use crate::domain::text::clean;

pub fn draw(frame: &mut Frame<'_>, state: &State, pane: Pane, area: Rect) {
    if area.height < 2 || area.width < 24 {
        return;
    }
    let list = state.lists.of(pane);
    scrolled(frame, state, pane, area);
    let room = usize::from(area.width / 2);
    if let Some(words) = filter(state, pane) {
        let style = state.theme.style("match").add_modifier(Modifier::BOLD);
        put(frame, &cut(&words, room), area.x + 2, area.bottom() - 1, style);
    }
    // The board is in an order that nothing else tells.
    let own = (pane == Pane::Live && !state.data.live.is_empty()).then(|| "state".to_owned());
    if let Some(order) = list.order().or(own) {
        let text = format!(" sort {order} ");
        let wide = u16::try_from(text.width()).unwrap_or(u16::MAX);
        // At the upper right; where the title is long below at the left.
        let (top, below) = (area.right().saturating_sub(wide + 2).max(area.x + 2), area.bottom() - 1);
        let at = [(top, area.y), (area.x + 2, below)].into_iter().find(|(x, y)| is_free(frame, state, (*x, *y), wide));
        if let Some((x, y)) = at {
            put(frame, &text, x, y, state.theme.style("text_dim"));
        }
    }
}

/// Where one is in a list that is longer than its pane: a bar on the right side of the frame.
fn scrolled(frame: &mut Frame<'_>, state: &State, pane: Pane, area: Rect) {
    let Some((top, rows)) = state.sight.get(&pane).copied() else { return };
    let total = state.room(pane).map_or(0, |room| room.list(state).1);
    let height = usize::from(area.height.saturating_sub(2));
    if rows == 0 || total <= rows || height < 3 {
        return;
    }
    let long = (height * rows / total).max(1);
    let from = (height - long) * top.min(total - rows) / (total - rows);
    let style = state.theme.style(if state.focus == pane { "border_focus" } else { "border" });
    for y in (from..from + long).filter_map(|y| u16::try_from(y).ok()) {
        put(frame, "▐", area.right() - 1, area.y + 1 + y, style);
    }
}

/// Nothing stands on the frame there, nor right beside.
fn is_free(frame: &mut Frame<'_>, state: &State, (x, y): (u16, u16), wide: u16) -> bool {
    let set = state.theme.symbols.border.set();
    let line = [set.horizontal_top, set.horizontal_bottom];
    let buffer = frame.buffer_mut();
    (x.saturating_sub(1)..x.saturating_add(wide)).all(|x| buffer.cell((x, y)).is_some_and(|c| line.contains(&c.symbol())))
}

fn put(frame: &mut Frame<'_>, text: &str, x: u16, y: u16, style: ratatui::style::Style) {
    let place = Rect { x, y, width: u16::try_from(text.width()).unwrap_or(0), height: 1 }.intersection(frame.area());
    frame.render_widget(Paragraph::new(Span::styled(text.to_owned(), style)), place);
}

/// ` /berlin  3 of 214 `; nothing without a filter.
fn filter(state: &State, pane: Pane) -> Option<String> {
    let filter = &state.lists.of(pane).filter;
    (!filter.is_empty()).then(|| format!(" /{}  {} ", clean(filter, 60), left(state, pane)))
}

/// How many rows a filter leaves: `3 of 214`.
#[must_use]
pub fn left(state: &State, pane: Pane) -> String {
    let data = &state.data;
    let all = [
        (Pane::Campaigns, state.campaign_rows().len(), data.campaigns.len()),
        (Pane::Live, state.live_rows().len(), data.live.len()),
        (Pane::Outcomes, state.queue_rows().len(), data.to_tag.len()),
        (Pane::Events, state.event_rows().len(), state.event_count()),
    ];
    all.iter().find(|(p, ..)| *p == pane).map_or_else(String::new, |(_, shown, of)| format!("{shown} of {of}"))
}
