//! Campaigns: which run, how far they are, and what they wait for.

use ratatui::{Frame, layout::Rect, text::Span};

use crate::{
    console::{
        keys::{Action, Group, Pane},
        lists::{Column, List},
        place::{Next, Room},
        snapshot::CampaignView,
        state::State,
        widgets::{Row, boxed, empty, fit, head},
    },
    domain::campaign::Status,
};

pub struct Campaigns;

impl Room for Campaigns {
    fn pane(&self) -> Pane {
        Pane::Campaigns
    }

    fn tab(&self, state: &State) -> String {
        format!("{} Campaigns {}", state.keys.name(Action::Focus(Pane::Campaigns)), state.data.campaigns.len())
    }

    fn rows(&self, _state: &State, area: Rect, _whole: bool) -> usize {
        usize::from(area.height.saturating_sub(3))
    }

    fn list(&self, state: &State) -> (Option<usize>, usize) {
        let all = state.campaign_rows();
        (all.iter().position(|c| Some(c.row.id) == state.campaign), all.len())
    }

    fn put(&mut self, state: &mut State, row: usize) {
        state.campaign = state.campaign_rows().get(row).map(|c| c.row.id);
    }

    fn enter(&mut self, _state: &mut State) -> Option<Next> {
        Some(Next::Then(Action::Why))
    }

    fn offers(&self) -> &'static [Action] {
        &[Action::New, Action::Import, Action::Delete, Action::Zoom, Action::Undo]
    }

    fn groups(&self) -> &'static [Group] {
        &[Group::Campaign, Group::Everything]
    }

    /// `● running  Q4 Sales   38%  4  214/500  09-17 MTWTF`
    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, _whole: bool) {
        let focused = state.focus == Pane::Campaigns;
        let all = state.campaign_rows();
        let selected = all.iter().position(|c| Some(c.row.id) == state.campaign);
        let corner = selected.map_or_else(String::new, |i| format!("{}/{}", i + 1, all.len()));
        let inside = boxed(frame, &state.theme, area, focused, &self.tab(state), &corner);
        if all.is_empty() {
            return empty(frame, &state.theme, inside, &none(state));
        }
        let columns = Columns::of(&all, usize::from(inside.width), state.lists.of(Pane::Campaigns));
        let body = head(frame, &state.theme, inside, &columns.head());
        let top = state.sight.get(&Pane::Campaigns).map_or(0, |s| s.0);
        for (i, c) in all.into_iter().enumerate().skip(top).take(usize::from(body.height)) {
            let row = Row { spans: columns.spans(state, c), selected: Some(i) == selected, marked: false, focused };
            row.draw(frame, &state.theme, body, i - top);
        }
    }
}

fn none(state: &State) -> String {
    if !state.loaded {
        return "loading...".to_owned();
    }
    let (all, filter) = (state.data.campaigns.len(), &state.lists.of(Pane::Campaigns).filter);
    if all > 0 {
        return format!("0 of {all} match \"{filter}\". Esc clears");
    }
    let (new, import) = (state.keys.name(Action::New), state.keys.name(Action::Import));
    format!("No campaigns yet. {import} imports contacts, {new} makes a campaign. `dialdeck demo` shows sample data, and rings no phone")
}

/// The name has what the longest needs; the window what is left.
struct Columns<'a> {
    name: usize,
    tail: usize,
    list: &'a List,
}

/// Cells of those that have always the same.
const WIDTHS: [(Column, usize); 4] = [(Column::State, 12), (Column::Done, 6), (Column::Live, 6), (Column::Today, 11)];

impl<'a> Columns<'a> {
    fn of(all: &[&CampaignView], width: usize, list: &'a List) -> Self {
        use unicode_width::UnicodeWidthStr;
        let longest = all.iter().take(200).map(|c| c.row.name.width()).max().unwrap_or(10);
        let fixed: usize = WIDTHS.iter().filter(|(c, _)| list.shows(*c)).map(|(_, w)| w).sum();
        let left = width.saturating_sub(fixed + 4);
        let tail = if list.shows(Column::Hours) { 8 } else { 0 };
        let name = longest.clamp(8, 40).min(left.saturating_sub(tail)).max(8);
        Self { name, tail: if tail > 0 { left.saturating_sub(name) } else { 0 }, list }
    }

    /// The cells of the columns that are shown, each as it was drawn.
    fn row<T>(&self, cells: [(Column, T); 6]) -> impl Iterator<Item = T> {
        cells.into_iter().filter(|(c, _)| self.list.shows(*c)).map(|(_, cell)| cell)
    }

    fn head(&self) -> String {
        let cells = [
            (Column::State, format!("{:<11} ", "state")),
            (Column::Campaign, fit("campaign", self.name)),
            (Column::Done, format!(" {:>5}", "done")),
            (Column::Live, format!(" {:>5}", "live")),
            (Column::Today, format!(" {:>10}", "today/cap")),
            (Column::Hours, format!("  {}", fit("hours", self.tail))),
        ];
        self.row(cells).collect()
    }

    fn spans(&self, state: &State, c: &CampaignView) -> Vec<Span<'static>> {
        let (glyph, role) = glyph(c.row.execution_status);
        let n = &c.row.counts;
        let word = state.pending.get(&c.row.id).copied().unwrap_or_else(|| word(c));
        let over = n.total - n.pending - n.processing - n.canceled;
        let done = if n.total > 0 { over * 100 / n.total } else { 0 };
        let text = state.theme.style("text");
        let used = format!("{}/{}", c.used_today, c.row.daily_cap);
        let cells = [
            (Column::State, Span::styled(format!("{} ", fit(&format!("{glyph} {word}"), 11)), state.theme.style(role))),
            (Column::Campaign, Span::styled(fit(&c.row.name, self.name), text)),
            (Column::Done, Span::styled(format!(" {done:>4}%"), text)),
            (Column::Live, Span::styled(format!(" {:>5}", n.live), text)),
            (Column::Today, Span::styled(format!(" {used:>10}"), text)),
            (Column::Hours, Span::styled(format!("  {}", fit(&tail(c), self.tail)), state.theme.style("text_dim"))),
        ];
        self.row(cells).collect()
    }
}

fn glyph(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Running => ("●", "state_running"),
        Status::Paused => ("~", "state_paused"),
        Status::Idle => ("o", "state_idle"),
        Status::Completed => ("✓", "state_completed"),
        Status::Error => ("✗", "state_error"),
    }
}

fn word(c: &CampaignView) -> &'static str {
    match c.row.execution_status {
        Status::Completed if c.row.counts.canceled > 0 && c.row.status_actor != "engine" => "stopped",
        Status::Completed => "done",
        Status::Running if !c.open => "waiting",
        s => s.as_str(),
    }
}

/// Why it stands, or when it calls.
fn tail(c: &CampaignView) -> String {
    match c.row.execution_status {
        Status::Paused | Status::Error | Status::Completed if !c.row.status_reason.is_empty() => c.row.status_reason.clone(),
        _ => format!("{} {}", c.row.window().label(), c.row.timezone.rsplit('/').next().unwrap_or_default().replace('_', " ")),
    }
}
