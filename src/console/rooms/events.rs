//! Events: what the program says of itself, newest first. The cursor stays on its line; Enter shows it whole. On the
//! whole screen the line under the cursor stands in full below, and the level from which on lines are shown is chosen.

use crossterm::event::KeyEvent;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};
use tracing::Level;

use crate::{
    console::{
        dialogs::Words,
        keys::{Action, Group, Pane},
        message::Effect,
        place::{Next, Room},
        state::State,
        widgets::{Row, boxed, empty, fit, wrapped},
    },
    domain::text::clean,
    telemetry::LogLine,
};

pub struct Events;

const LEVELS: [Level; 4] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG];
/// Rows of the line in full, with its frame.
const FULL: u16 = 7;

impl Room for Events {
    fn pane(&self) -> Pane {
        Pane::Events
    }

    fn tab(&self, state: &State) -> String {
        let key = state.keys.name(Action::Focus(Pane::Events));
        if state.data.errors > 0 { format!("{key} Events !{}", state.data.errors) } else { format!("{key} Events") }
    }

    fn rows(&self, _state: &State, area: Rect, whole: bool) -> usize {
        usize::from(split(area, whole).0.height.saturating_sub(2))
    }

    fn frame(&self, _state: &State, area: Rect, whole: bool) -> Rect {
        split(area, whole).0
    }

    fn list(&self, state: &State) -> (Option<usize>, usize) {
        (at(state), state.event_rows().len())
    }

    fn put(&mut self, state: &mut State, row: usize) {
        state.event = state.event_row(row).map(|l| l.number);
    }

    fn keeps_top(&self, state: &State) -> bool {
        state.event.is_none()
    }

    fn offers(&self) -> &'static [Action] {
        &[Action::Enter, Action::Top, Action::MoreLines, Action::FewerLines, Action::Zoom, Action::Undo]
    }

    fn groups(&self) -> &'static [Group] {
        &[Group::Moving, Group::View]
    }

    /// The keys that give a campaign more lines show more of these.
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Option<Vec<Effect>> {
        let at = LEVELS.iter().position(|l| *l == state.log_level).unwrap_or(2);
        let to = match state.keys.action(&key, state.scope())? {
            Action::MoreLines => (at + 1).min(LEVELS.len() - 1),
            Action::FewerLines => at.saturating_sub(1),
            _ => return None,
        };
        state.event = None;
        state.log_from(LEVELS[to]);
        Some(vec![Effect::LogLevel(LEVELS[to])])
    }

    fn enter(&mut self, state: &mut State) -> Option<Next> {
        let line = state.event_row(at(state).unwrap_or(0))?;
        let text = vec![said(state, line), String::new(), line.text.clone()];
        Some(Next::Instead(Box::new(Words::new("Event".to_owned(), text))))
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, whole: bool) {
        let (area, full) = split(area, whole);
        let (shown, selected) = (state.event_rows().len(), at(state));
        let at = selected.map_or_else(|| "live".to_owned(), |i| format!("{}/{shown}", i + 1));
        let (more, less) = (state.keys.name(Action::MoreLines), state.keys.name(Action::FewerLines));
        let corner = if whole { format!("{}  {more} more {less} fewer  {at}", words(state.log_level)) } else { at };
        let focused = state.focus == Pane::Events;
        let inside = boxed(frame, &state.theme, area, focused, &self.tab(state), &corner);
        if shown == 0 {
            empty(frame, &state.theme, inside, &nothing(state));
        }
        let top = state.sight.get(&Pane::Events).map_or(0, |s| s.0);
        for y in 0..usize::from(inside.height) {
            let Some(line) = state.event_row(top + y) else { break };
            let row = Row { spans: spans(state, line, usize::from(inside.width)), selected: Some(top + y) == selected, marked: false, focused };
            row.draw(frame, &state.theme, inside, y);
        }
        if let Some(area) = full {
            draw_full(frame, state, area, selected.and_then(|i| state.event_row(i)));
        }
    }
}

/// The row of the line under the cursor; of one that is no more, the oldest.
fn at(state: &State) -> Option<usize> {
    let number = state.event?;
    let all = state.event_rows();
    let found = all.partition_point(|l| l.number < number);
    Some(all.len().saturating_sub(found + 1)).filter(|_| !all.is_empty())
}

/// The list, and on the whole screen the line in full below it.
fn split(area: Rect, whole: bool) -> (Rect, Option<Rect>) {
    if !whole || area.height < FULL * 2 {
        return (area, None);
    }
    let [list, full] = Layout::vertical([Constraint::Min(3), Constraint::Length(FULL)]).areas(area);
    (list, Some(full))
}

fn words(least: Level) -> &'static str {
    match least {
        Level::ERROR => "errors only",
        Level::WARN => "warnings and errors",
        Level::INFO => "all but details",
        _ => "everything",
    }
}

fn nothing(state: &State) -> String {
    let (all, filter) = (state.data.logs.len(), &state.lists.of(Pane::Events).filter);
    match (state.loaded, all) {
        (false, _) => "loading...".to_owned(),
        (true, 0) => "Nothing has happened yet.".to_owned(),
        (true, n) if filter.is_empty() => {
            format!("None of {n} lines is of these levels ({}). {} shows more", words(state.log_level), state.keys.name(Action::MoreLines))
        }
        (true, n) => format!("0 of {n} match \"{filter}\". Esc clears"),
    }
}

fn draw_full(frame: &mut Frame<'_>, state: &State, area: Rect, line: Option<&LogLine>) {
    let inside = boxed(frame, &state.theme, area, false, "The line", "");
    let Some(line) = line else {
        return empty(frame, &state.theme, inside, &format!("{} takes a line; it stands here in full.", state.keys.name(Action::Down)));
    };
    let width = usize::from(inside.width.saturating_sub(2));
    let mut lines = vec![Line::from(Span::styled(format!(" {}", said(state, line)), state.theme.style("text_dim")))];
    lines.extend(wrapped(&clean(&line.text, 4000), width).into_iter().map(|t| Line::from(Span::styled(format!(" {t}"), state.theme.style("text")))));
    frame.render_widget(Paragraph::new(lines), inside);
}

/// When, how grave, and who says it.
fn said(state: &State, line: &LogLine) -> String {
    let when = line.at.with_timezone(&state.options.zone).format("%F %H:%M:%S%.3f %Z");
    format!("{when}   {}   {}", line.level, line.target)
}

fn spans(state: &State, l: &LogLine, width: usize) -> Vec<Span<'static>> {
    let (word, role) = match l.level {
        Level::ERROR => ("ERROR", "log_error"),
        Level::WARN => ("WARN ", "log_warn"),
        Level::INFO => ("INFO ", "log_info"),
        _ => ("DEBUG", "log_debug"),
    };
    let at = l.at.with_timezone(&state.options.zone).format("%H:%M:%S");
    let text = state.theme.style(if l.level <= Level::WARN { role } else { "text" });
    vec![
        Span::styled(format!("{at} "), state.theme.style("text_faint")),
        Span::styled(format!("{word} "), state.theme.style(role)),
        Span::styled(fit(&l.target, 8), state.theme.style("text_dim")),
        Span::styled(fit(&format!(" {}", l.text), width.saturating_sub(24)), text),
    ]
}
