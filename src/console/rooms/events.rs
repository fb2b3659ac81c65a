//! Events: what happened to people and campaigns in a sentence each, what went wrong, and behind a key the log itself,
//! newest first. The cursor stays on its line; Enter opens the call it tells of, or shows it whole. On the whole screen
//! the line under the cursor stands in full below, and the level from which on lines are shown is chosen. What is
//! searched for is looked up in the log's files as well.

use chrono::{DateTime, Utc};
use crossterm::event::KeyEvent;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::Span,
    widgets::Paragraph,
};
use tracing::Level;

use crate::{
    console::{
        dialogs::{Story, Words},
        happened::{Line, shown},
        keys::{Action, Group, Pane},
        message::{Effect, Msg},
        place::{Next, Room},
        question::{Answer, Question},
        rows::count,
        state::State,
        widgets::{Row, boxed, empty, fit, wrapped},
    },
    domain::text::clean,
    telemetry::LogSearch,
};

/// What of the log's files was asked for last, and what is to be said of the answer.
#[derive(Default)]
pub struct Events {
    asked: Option<LogSearch>,
    found: Found,
}

#[derive(Default)]
enum Found {
    #[default]
    Nothing,
    Looking,
    /// So many lines, back to a moment where it did not come to the end.
    Lines(usize, Option<DateTime<Utc>>),
    Failed(String),
}

const LEVELS: [Level; 4] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG];
/// Rows of the line in full, with its frame.
const FULL: u16 = 7;
/// Cells of the time, and of the word behind it.
const TIME: usize = 9;
const WORD: usize = 11;
/// From here what is said of a call stands in columns: whom, of which campaign, and the rest.
const IN_COLUMNS: usize = 90;
const WHOM: usize = 28;
const CAMPAIGN: usize = 22;

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
        state.event = state.event_row(row).map(Line::id);
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
        let call = if let Line::Fact(e) = line { e.fact.call() } else { None };
        if let Some(call) = call {
            state.shown = Some(call);
            state.open(Story::new(call));
            return Some(Next::Stay(vec![Effect::Show(Some(call))]));
        }
        let told = line.said(&state.teller());
        let text = vec![heading(state, line), String::new(), told.text];
        Some(Next::Instead(Box::new(Words::new("Event".to_owned(), text))))
    }

    /// Once the words stand, the log's files are asked for what is remembered no more.
    fn asks(&mut self, state: &mut State) -> Vec<Effect> {
        let words = state.lists.of(Pane::Events).filter.clone();
        if words.is_empty() {
            if self.asked.take().is_some() {
                self.found = Found::Nothing;
                state.old_log.clear();
                state.arrange();
            }
            return Vec::new();
        }
        let least = if state.log_level > Level::INFO { Level::TRACE } else { state.log_level.min(Level::WARN) };
        let stands = self.asked.as_ref().is_some_and(|a| (&a.words, a.least) == (&words, least));
        if stands || state.dialog.is_some() || !state.loaded {
            return Vec::new();
        }
        let before = state.data.logs.first().map_or(state.now, |l| l.at);
        let search = LogSearch { words, least, before };
        (self.asked, self.found) = (Some(search.clone()), Found::Looking);
        vec![Effect::Ask(Question::Log(search))]
    }

    fn told(&mut self, state: &mut State, msg: &Msg) {
        let Msg::Answer(Question::Log(search), result) = msg else { return };
        if self.asked.as_ref() != Some(search) {
            return;
        }
        match result {
            Ok(Answer::Log(old)) => {
                self.found = Found::Lines(old.lines.len(), old.stopped_at);
                state.old_log.clone_from(&old.lines);
            }
            Ok(_) => {}
            Err(why) => self.found = Found::Failed(why.clone()),
        }
        state.arrange();
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, whole: bool) {
        let (area, full) = split(area, whole);
        let (rows, selected) = (state.event_rows().len(), at(state));
        let focused = state.focus == Pane::Events;
        let corner = self.corner(state, selected, rows, whole, usize::from(area.width));
        let inside = boxed(frame, &state.theme, area, focused, &self.tab(state), &corner);
        if rows == 0 {
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

impl Events {
    /// `and 12 lines of the log's files  what happened  + more - fewer  3/40`; without room the last of it.
    fn corner(&self, state: &State, selected: Option<usize>, rows: usize, whole: bool, width: usize) -> String {
        let at = selected.map_or_else(|| "live".to_owned(), |i| format!("{}/{rows}", i + 1));
        if !whole {
            return at;
        }
        let (more, fewer) = (state.keys.name(Action::MoreLines), state.keys.name(Action::FewerLines));
        let corner = format!("{}  {more} more {fewer} fewer  {at}", shown(state.log_level));
        let found = self.files(state);
        if found.is_empty() || found.chars().count() + corner.chars().count() + 16 > width { corner } else { format!("{found}  {corner}") }
    }

    /// What the log's files had.
    fn files(&self, state: &State) -> String {
        let back = |at: &DateTime<Utc>| at.with_timezone(&state.options.zone).format("%-d %b %H:%M").to_string();
        match &self.found {
            Found::Nothing => String::new(),
            Found::Looking => "looking in the log's files...".to_owned(),
            Found::Lines(0, None) => "no more in the log's files".to_owned(),
            Found::Lines(n, None) => format!("{} of the log's files", count(i64::try_from(*n).unwrap_or(0), "line")),
            Found::Lines(n, Some(at)) => format!("{} of the log's files back to {}", count(i64::try_from(*n).unwrap_or(0), "line"), back(at)),
            Found::Failed(why) => clean(why, 200),
        }
    }
}

/// The row of the line under the cursor; of one that is no more, the oldest.
fn at(state: &State) -> Option<usize> {
    let id = state.event?;
    let all = state.event_rows();
    let found = all.partition_point(|l| l.id() < id);
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

fn nothing(state: &State) -> String {
    let (all, filter) = (state.event_count(), &state.lists.of(Pane::Events).filter);
    let hidden = state.data.happened.len() + state.data.logs.len() - all.min(state.data.happened.len() + state.data.logs.len());
    match (state.loaded, all) {
        (false, _) => "loading...".to_owned(),
        (true, 0) if hidden > 0 => {
            format!("None of {hidden} lines is of this kind ({}). {} shows more", shown(state.log_level), state.keys.name(Action::MoreLines))
        }
        (true, 0) => "Nothing has happened yet: who is dialled, who answers and what is tagged stands here.".to_owned(),
        (true, n) => format!("0 of {n} match \"{}\". Esc clears", clean(filter, 60)),
    }
}

fn draw_full(frame: &mut Frame<'_>, state: &State, area: Rect, line: Option<Line<'_>>) {
    let inside = boxed(frame, &state.theme, area, false, "The line", "");
    let Some(line) = line else {
        return empty(frame, &state.theme, inside, &format!("{} takes a line; it stands here in full.", state.keys.name(Action::Down)));
    };
    let width = usize::from(inside.width.saturating_sub(2));
    let said = line.said(&state.teller());
    let mut lines = vec![ratatui::text::Line::from(Span::styled(format!(" {}", heading(state, line)), state.theme.style("text_dim")))];
    let text = wrapped(&format!("{} {}", said.word, said.text), width);
    lines.extend(text.into_iter().map(|t| ratatui::text::Line::from(Span::styled(format!(" {t}"), state.theme.style("text")))));
    frame.render_widget(Paragraph::new(lines), inside);
}

/// When, on whose clock; of a line of the log how grave, and what part of the program says it.
fn heading(state: &State, line: Line<'_>) -> String {
    let when = line.id().at.with_timezone(&state.options.zone).format("%F %H:%M:%S%.3f %Z");
    match line {
        Line::Fact(_) => when.to_string(),
        Line::Log(l) => format!("{when}   {}   {}", l.level, l.target),
        Line::Old(l) => format!("{when}   {}   {}   of the log's file", l.level, l.target),
    }
}

/// `10:42:05 answered   L. Okafor ..0181, rang 9 s`; of another day its date too.
fn spans(state: &State, line: Line<'_>, width: usize) -> Vec<Span<'static>> {
    let at = line.id().at.with_timezone(&state.options.zone);
    let today = state.now.with_timezone(&state.options.zone).date_naive() == at.date_naive();
    let time = if today { at.format("%H:%M:%S").to_string() } else { at.format("%-d %b %H:%M").to_string() };
    let said = line.said(&state.teller());
    let text = match line.level() {
        l if l <= Level::WARN => said.role,
        l if l > Level::INFO => "text_dim",
        _ => "text",
    };
    let time_width = time.chars().count().max(TIME - 1) + 1;
    let room = width.saturating_sub(time_width + WORD + 2);
    let said_text = match &said.parts {
        Some([whom, campaign, rest]) if room >= IN_COLUMNS => format!("{}  {}  {rest}", fit(whom, WHOM - 2), fit(campaign, CAMPAIGN - 2)),
        _ => said.text,
    };
    vec![
        Span::styled(fit(&time, time_width), state.theme.style("text_faint")),
        Span::styled(fit(&said.word, WORD), state.theme.style(said.role)),
        Span::styled(fit(&said_text, room), state.theme.style(text)),
    ]
}
