//! Events: what the program says of itself, newest first. The cursor stays on its line; Enter shows it whole.

use ratatui::{Frame, layout::Rect, text::Span};
use tracing::Level;

use crate::{
    console::{
        dialogs::Words,
        keys::{Action, Group, Pane},
        place::{Next, Room},
        state::State,
        widgets::{Row, boxed, empty, fit},
    },
    telemetry::LogLine,
};

pub struct Events;

impl Room for Events {
    fn pane(&self) -> Pane {
        Pane::Events
    }

    fn tab(&self, state: &State) -> String {
        let key = state.keys.name(Action::Focus(Pane::Events));
        if state.data.errors > 0 { format!("{key} Events !{}", state.data.errors) } else { format!("{key} Events") }
    }

    fn rows(&self, _state: &State, area: Rect, _whole: bool) -> usize {
        usize::from(area.height.saturating_sub(2))
    }

    fn list(&self, state: &State) -> (Option<usize>, usize) {
        (at(state), state.event_rows().len())
    }

    fn put(&mut self, state: &mut State, row: usize) {
        state.event = line(state, row).map(|l| l.number);
    }

    fn keeps_top(&self, state: &State) -> bool {
        state.event.is_none()
    }

    fn offers(&self) -> &'static [Action] {
        &[Action::Enter, Action::Top, Action::Zoom, Action::Undo]
    }

    fn groups(&self) -> &'static [Group] {
        &[Group::Moving, Group::View]
    }

    fn enter(&mut self, state: &mut State) -> Option<Next> {
        let line = line(state, at(state).unwrap_or(0))?;
        let when = line.at.with_timezone(&state.options.zone).format("%F %H:%M:%S%.3f %Z");
        let words = vec![format!("{when}   {}   {}", line.level, line.target), String::new(), line.text.clone()];
        Some(Next::Instead(Box::new(Words::new("Event".to_owned(), words))))
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, _whole: bool) {
        let focused = state.focus == Pane::Events;
        let selected = at(state);
        let corner = selected.map_or_else(|| "live".to_owned(), |i| format!("{}/{}", i + 1, state.event_rows().len()));
        let inside = boxed(frame, &state.theme, area, focused, &self.tab(state), &corner);
        if state.event_rows().is_empty() {
            return empty(frame, &state.theme, inside, &nothing(state));
        }
        let top = state.sight.get(&Pane::Events).map_or(0, |s| s.0);
        for y in 0..usize::from(inside.height) {
            let Some(line) = line(state, top + y) else { return };
            let row = Row { spans: spans(state, line, usize::from(inside.width)), selected: Some(top + y) == selected, marked: false, focused };
            row.draw(frame, &state.theme, inside, y);
        }
    }
}

fn nothing(state: &State) -> String {
    let (all, filter) = (state.data.logs.len(), &state.lists.of(Pane::Events).filter);
    match (state.loaded, all) {
        (false, _) => "loading...".to_owned(),
        (true, 0) => "Nothing has happened yet.".to_owned(),
        (true, _) if filter.is_empty() => format!("None of {all} lines is so grave. :log info shows more"),
        (true, _) => format!("0 of {all} match \"{filter}\". Esc clears"),
    }
}

/// The line that stands in a row: the newest is the first.
fn line(state: &State, row: usize) -> Option<&LogLine> {
    state.event_row(row)
}

/// The row of the line under the cursor; of one that is no more, the oldest.
fn at(state: &State) -> Option<usize> {
    let number = state.event?;
    let all = state.event_rows();
    let found = all.partition_point(|l| l.number < number);
    Some(all.len().saturating_sub(found + 1)).filter(|_| !all.is_empty())
}

fn spans(state: &State, l: &LogLine, width: usize) -> Vec<Span<'static>> {
    let (word, role) = match l.level {
        Level::ERROR => ("ERROR", "log_error"),
        Level::WARN => ("WARN ", "log_warn"),
        Level::INFO => ("INFO ", "log_info"),
        _ => ("DEBUG", "log_debug"),
    };
    let at = l.at.with_timezone(&state.options.zone).format("%H:%M:%S%.3f");
    vec![
        Span::styled(format!("{at} "), state.theme.style("text_faint")),
        Span::styled(format!("{word} "), state.theme.style(role)),
        Span::styled(fit(&l.target, 8), state.theme.style("text_dim")),
        Span::styled(fit(&format!(" {}", l.text), width.saturating_sub(28)), state.theme.style("text")),
    ]
}
