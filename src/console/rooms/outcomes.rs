//! Outcomes: the totals of the selected campaign over the calls that wait for a tag.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    judging, queue,
    table::{ON_CALLS, list},
};
use crate::{
    console::{
        charts,
        keys::{Action, Pane},
        place::{Next, Room},
        rows::count,
        state::State,
        widgets::{boxed, empty, fit, head},
    },
    domain::outcome::Outcome,
    store::PaneRow,
};

pub struct Outcomes;

/// From here the corner has room for whose calls these are.
const ROOMY: u16 = 60;
/// From here shares stand beside the bars.
const SHARES: usize = 40;
/// Lines of the totals.
const TOTALS: usize = 1 + Outcome::ALL.len();

impl Room for Outcomes {
    fn pane(&self) -> Pane {
        Pane::Outcomes
    }

    fn tab(&self, state: &State) -> String {
        format!("{} Outcomes {}", state.keys.name(Action::Focus(Pane::Outcomes)), state.to_tag())
    }

    fn rows(&self, state: &State, area: Rect, whole: bool) -> usize {
        if whole {
            return judging::rows(area);
        }
        let inside = usize::from(area.height.saturating_sub(2));
        queue_rows(state, inside).saturating_sub(1)
    }

    fn frame(&self, _state: &State, area: Rect, whole: bool) -> Rect {
        if whole { judging::frame(area) } else { area }
    }

    fn line_at(&self, state: &State, area: Rect, whole: bool, at: Position) -> Option<usize> {
        if whole {
            return judging::line_at(area, at);
        }
        let rows = u16::try_from(self.rows(state, area, whole)).unwrap_or(0);
        let bottom = area.bottom().saturating_sub(1);
        (at.y < bottom).then(|| at.y.checked_sub(bottom.saturating_sub(rows))).flatten().map(usize::from)
    }

    fn list(&self, state: &State) -> (Option<usize>, usize) {
        let rows = state.queue_rows();
        (rows.iter().position(|r| Some(r.id) == state.queue), rows.len())
    }

    fn put(&mut self, state: &mut State, row: usize) {
        state.queue = state.queue_rows().get(row).map(|r| r.id);
    }

    fn call<'a>(&self, state: &'a State) -> Option<&'a PaneRow> {
        state.queue_rows().into_iter().find(|r| Some(r.id) == state.queue)
    }

    fn calls<'a>(&self, state: &'a State) -> Vec<&'a PaneRow> {
        state.queue_rows()
    }

    fn enter(&mut self, state: &mut State) -> Option<Next> {
        judging::judged(state)?;
        let next = judging::enter(state);
        let stands = state.queue_rows().iter().any(|r| Some(r.id) == state.queue);
        if next.is_none() && stands && !state.options.read_only {
            let story = state.keys.name(Action::Story);
            state.hint(format!("the agent says nothing of this call: a digit tags it, {story} shows its story"));
            return Some(Next::stay());
        }
        next
    }

    fn offers(&self) -> &'static [Action] {
        ON_CALLS
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, whole: bool) {
        let focused = state.focus == Pane::Outcomes;
        let queue = state.queue_rows();
        let selected = queue.iter().position(|r| Some(r.id) == state.queue);
        if whole && !queue.is_empty() {
            return judging::draw(frame, state, area, &queue, selected);
        }
        let height = usize::from(area.height.saturating_sub(2));
        let name = if shows_totals(state, height) { "Outcomes today" } else { "To tag" };
        let title = format!("{} {name}", state.keys.name(Action::Focus(Pane::Outcomes)));
        let inside = boxed(frame, &state.theme, area, focused, &title, &corner(state, focused, selected, area.width));
        let mut rest = inside;
        if shows_totals(state, height) {
            let lines = totals(state, usize::from(inside.width));
            let rows = u16::try_from(lines.len()).unwrap_or(8).min(inside.height);
            frame.render_widget(Paragraph::new(lines), Rect { height: rows, ..inside });
            rest = Rect { y: inside.y + rows, height: inside.height - rows, ..inside };
        }
        if queue_rows(state, height) == 0 {
            return;
        }
        if queue.is_empty() {
            return empty(frame, &state.theme, rest, &nothing(state));
        }
        draw_queue(frame, state, rest, &queue, selected);
    }
}

fn draw_queue(frame: &mut Frame<'_>, state: &State, area: Rect, queue: &[&PaneRow], selected: Option<usize>) {
    let width = usize::from(area.width);
    let body = head(frame, &state.theme, area, &queue::head(state, width));
    list(frame, state, body, Pane::Outcomes, queue, selected, |r| queue::spans(state, r, width));
}

/// Without room for both, the queue while the pane has the focus.
fn shows_totals(state: &State, height: usize) -> bool {
    state.focus != Pane::Outcomes || height > TOTALS + 1
}

/// Lines left for the queue and its head.
fn queue_rows(state: &State, height: usize) -> usize {
    match (shows_totals(state, height), height > TOTALS + 1) {
        (true, true) => height - TOTALS,
        (true, false) => 0,
        (false, _) => height,
    }
}

fn corner(state: &State, focused: bool, selected: Option<usize>, width: u16) -> String {
    let to_tag = state.to_tag();
    if !focused {
        return format!("{to_tag} to tag");
    }
    let at = selected.map_or_else(String::new, |i| format!("{}/", i + 1));
    let next = if state.auto_next { "on" } else { "off" };
    let marked = match state.marks.of(Pane::Outcomes).len() {
        0 => String::new(),
        n => format!("  {n} marked"),
    };
    if width < ROOMY {
        return format!("{at}{to_tag}{marked}  {} auto-next {next}", state.keys.name(Action::AutoNext));
    }
    format!("all campaigns: {at}{to_tag} to tag{marked}  {} auto-next {next}", state.keys.name(Action::AutoNext))
}

fn nothing(state: &State) -> String {
    let filter = &state.lists.of(Pane::Outcomes).filter;
    match (state.loaded, filter.is_empty() || state.data.to_tag.is_empty()) {
        (false, _) => "loading...".to_owned(),
        (true, true) => last_tagged(state).map_or_else(|| "All calls tagged.".to_owned(), |who| format!("All calls tagged. Last: {who}")),
        (true, false) => format!("0 of {} match \"{}\". Esc clears", state.data.to_tag.len(), filter),
    }
}

/// Whom this screen tagged last.
fn last_tagged(state: &State) -> Option<String> {
    use crate::console::state::Undo;
    state.undo.iter().rev().find_map(|u| match u {
        Undo::Tag { name, at, .. } => {
            let minutes = (state.now - *at).num_minutes();
            Some(if minutes < 1 { format!("{name}, just now") } else { format!("{name}, {} ago", count(minutes, "minute")) })
        }
        Undo::Tags(_) | Undo::PauseAll(_) | Undo::Note { .. } | Undo::Lines { .. } => None,
    })
}

/// The day over all campaigns: `1 interested     ███████▍  31  35 %`. A tag of a call that nobody answered counts
/// too, so the shares are of what was tagged.
fn totals(state: &State, width: usize) -> Vec<Line<'static>> {
    let dim = state.theme.style("text_dim");
    let Some(head) = state.data.head.as_deref() else { return vec![Line::from(Span::styled(" loading...", dim))] };
    let tagged: i64 = head.outcomes.iter().map(|o| o.1).sum();
    let gap = if width < 40 { " " } else { "   " };
    let today = state.data.today.unwrap_or(head.today);
    let words = format!(" {} dialled{gap}{} answered", today.dials, today.answered);
    // What the shares below are of, over them.
    let share = [format!("% of {tagged} tagged"), "% of tagged".to_owned()]
        .into_iter()
        .find(|s| width >= SHARES && words.len() + 2 + s.len() <= width)
        .unwrap_or_default();
    let left = width.saturating_sub(share.len());
    let mut lines = vec![Line::from(vec![Span::styled(fit(&words, left), dim), Span::styled(share, state.theme.style("text_faint"))])];
    lines.extend(bars(state, &head.outcomes, width));
    // The queue below stays where it is.
    lines.resize(TOTALS, Line::default());
    lines
}

/// Outcomes as bars, the most frequent as long as there is room; the shares are of all of them.
pub fn bars(state: &State, outcomes: &[(Outcome, i64)], width: usize) -> Vec<Line<'static>> {
    /// Cells of all but the bar: digit, label, number, share.
    const WORDS: usize = 3 + 15 + 6 + 6;
    let tagged: i64 = outcomes.iter().map(|o| o.1).sum();
    let most = outcomes.iter().map(|o| o.1).max().unwrap_or(0);
    // A bar is seen before a share is read.
    let with_share = width >= SHARES;
    let room = width.saturating_sub(WORDS + 1) + if with_share { 0 } else { 6 };
    if tagged == 0 {
        return vec![Line::from(Span::styled(" no tag yet", state.theme.style("text_faint")))];
    }
    let count = |o: Outcome| outcomes.iter().find(|(of, _)| *of == o).map_or(0, |(_, n)| *n);
    let line = |o: Outcome| {
        let n = count(o);
        let share = if with_share { format!("{:>4} %", n * 100 / tagged) } else { String::new() };
        let bar = charts::gauge(room, charts::share(n, most), &state.theme.symbols);
        // The bar of nothing is nothing, whatever an empty gauge looks like.
        let bar = bar.replace(state.theme.symbols.gauge[0], " ");
        Line::from(vec![
            Span::styled(format!(" {} ", o.digit()), state.theme.style("key")),
            Span::styled(fit(o.label(), 15), state.theme.style(if n > 0 { "text" } else { "text_faint" })),
            Span::styled(bar, state.theme.style(&format!("outcome_{}", o.as_str()))),
            Span::styled(format!("{n:>6}"), state.theme.style(if n > 0 { "text" } else { "text_faint" })),
            Span::styled(share, state.theme.style("text_dim")),
        ])
    };
    Outcome::ALL.into_iter().map(line).collect()
}
