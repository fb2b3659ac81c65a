//! The last two lines: whom the keys act on, and which of them work now, in the order of use. What has no room
//! drops from the right; pause ALL, command, help and quit stay.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    console::{
        keys::{self, Action, Pane},
        layout,
        place::Room,
        possible, rooms,
        rows::display_name,
        state::State,
        widgets::cut,
    },
    domain::{campaign::Status, outcome::Outcome, text::tail},
};

const CAMPAIGN: [Action; 5] = [Action::PauseResume, Action::Start, Action::Stop, Action::Why, Action::Edit];
const ALWAYS: [Action; 5] = [Action::PauseAll, Action::Filter, Action::Command, Action::Help, Action::Quit];

/// From here words are written out, and from there the outcomes' too.
const WIDE: usize = 110;
const WHOLE: usize = 150;
/// Below this they are as short as can be, and below that the last word is.
const NARROW: usize = 76;
const TIGHT: usize = 90;

pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let width = usize::from(area.width);
    let lines = vec![Line::from(first(state, width).spans), Line::from(second(state, width).spans)];
    frame.render_widget(Paragraph::new(lines), area);
}

/// What is offered at a point.
#[must_use]
pub fn offered(state: &State, area: Rect, at: Position) -> Option<Action> {
    let width = usize::from(area.width);
    let line = if at.y == area.y { first(state, width) } else { second(state, width) };
    let cell = usize::from(at.x.checked_sub(area.x)?);
    line.offers.into_iter().find(|(cells, _)| cells.contains(&cell)).map(|(_, action)| action)
}

/// A line that fills from the left and says when something had no room.
struct Filling<'a> {
    spans: Vec<Span<'a>>,
    used: usize,
    width: usize,
    /// Cells between two offers, by the width of the screen.
    gap: &'static str,
    full: bool,
    /// From which cell to which an action is offered, for clicks.
    offers: Vec<(std::ops::Range<usize>, Action)>,
}

impl<'a> Filling<'a> {
    /// On a screen of so many columns.
    fn new(width: usize, screen: usize) -> Self {
        // One cell between them where there are few.
        let gap = if screen < WIDE { "" } else { " " };
        Self { spans: Vec::new(), used: 0, width, gap, full: false, offers: Vec::new() }
    }

    fn text(&mut self, text: String, style: Style) {
        self.used += text.width();
        self.spans.push(Span::styled(text, style));
    }

    /// Another behind it, so many cells away.
    fn append(&mut self, gap: usize, other: Filling<'a>) {
        self.spans.push(Span::raw(" ".repeat(gap)));
        let begins = self.used + gap;
        self.spans.extend(other.spans);
        self.offers.extend(other.offers.into_iter().map(|(at, action)| (at.start + begins..at.end + begins, action)));
        self.used = begins + other.used;
    }

    /// A key and its words, whole or not at all.
    fn offer(&mut self, state: &State, action: Action, words: &str) {
        let begins = self.used;
        if self.key(state, &state.keys.name(action), words) {
            self.offers.push((begins..self.used, action));
        }
    }

    /// The same of a key that is no action of the table; whether there was room.
    fn key(&mut self, state: &State, key: &str, words: &str) -> bool {
        let gap = self.gap;
        let need = key.width() + words.width() + gap.len() + 2;
        if self.full || self.used + need > self.width {
            if !std::mem::replace(&mut self.full, true) && self.used + 2 <= self.width {
                self.text(" …".to_owned(), state.theme.style("text_faint"));
            }
            return false;
        }
        self.text(format!(" {key}"), state.theme.style("key"));
        self.text(format!(" {words}{gap}"), state.theme.style("text_dim"));
        true
    }
}

fn first(state: &State, width: usize) -> Filling<'static> {
    let mut line = Filling::new(width, width);
    let faint = state.theme.style("text_faint");
    let room = state.room(state.focus);
    if let Some(own) = room.and_then(|room| room.own_keys(state)) {
        for (key, words) in own {
            line.key(state, &key, &words);
        }
        return line;
    }
    let offers = room.map_or(&[][..], |room| room.offers());
    if state.focus.has_calls() {
        let (sign, who, known) = target(state, width);
        line.text(format!(" {sign}"), state.theme.style("key"));
        line.text(who, if known { name_style(state) } else { faint });
        line.text(" ".to_owned(), faint);
    }
    // The tagging desk has the keys of tags in a place of their own.
    let said = desk_says_tags(state);
    for action in offers.iter().filter(|a| !(said && matches!(a, Action::Tag(_) | Action::Undo))) {
        offer(&mut line, state, *action, width);
    }
    line
}

fn desk_says_tags(state: &State) -> bool {
    let whole = Rect { x: 0, y: 0, width: state.size.0, height: state.size.1 };
    let open = rooms::judged(state).is_some() && !state.queue_rows().is_empty();
    open && layout::of(state, whole).panes.first().is_some_and(|(_, area)| rooms::desk_has_keys(*area))
}

/// The person the keys act on, behind the bar of their row; `false`: nobody, and why.
fn target(state: &State, width: usize) -> (String, String, bool) {
    let symbols = &state.theme.symbols;
    let marked = state.marked().len();
    if marked > 0 {
        return (format!("{} ", symbols.mark), format!("{marked} marked"), true);
    }
    let Some(row) = state.selected() else {
        let filter = &state.lists.of(state.focus).filter;
        if !filter.is_empty() && state.room(state.focus).is_some_and(|room| room.list(state).1 == 0) {
            return (String::new(), format!("{} clears /{}", state.keys.name(Action::Escape), cut(filter, 20)), false);
        }
        if state.room(state.focus).is_some_and(|room| room.list(state).1 == 0) {
            let words = match state.focus {
                Pane::Calls => format!("no call here: {} looks for others", state.keys.name(Action::Filter)),
                Pane::Live if state.to_tag_only => format!("no call here: {} shows all", state.keys.name(Action::ToTagOnly)),
                _ => "no call here".to_owned(),
            };
            return (String::new(), words, false);
        }
        let down = state.keys.name(Action::Down);
        return (String::new(), format!("no call selected, {down} takes one"), false);
    };
    let room = if width < NARROW {
        8
    } else if width < WIDE {
        12
    } else {
        26
    };
    let name = cut(&display_name(row), room);
    if state.target().is_none() {
        let (down, top) = (state.keys.name(Action::Down), state.keys.name(Action::Top));
        let words = if width < WIDE {
            format!("{name} is off the screen: {down} there, {top} top")
        } else {
            format!("{name} is not on the screen: {down} goes there, {top} to the first row")
        };
        return (String::new(), words, false);
    }
    let digits = if state.mask > 1 { String::new() } else { format!(" {}", tail(&row.phone_number)) };
    (symbols.cursor.to_string(), format!("{name}{digits}"), true)
}

/// Bold; while it has just changed by itself, reversed.
fn name_style(state: &State) -> Style {
    let style = state.theme.style("text").add_modifier(Modifier::BOLD);
    let fresh = state.deaf_until.is_some_and(|t| state.now < t);
    if fresh { style.add_modifier(Modifier::REVERSED) } else { style }
}

fn offer(line: &mut Filling<'_>, state: &State, action: Action, width: usize) {
    let Some(row) = keys::row(action) else { return };
    // What cannot be taken back any more is not offered.
    if action == Action::Undo && possible::step_back(state).is_none() {
        return;
    }
    if possible::now(state, row).is_ok() && !(action == Action::Enter && state.focus.has_calls() && state.target().is_none()) {
        line.offer(state, action, &words(state, action, row.short, width));
    }
}

fn words(state: &State, action: Action, short: &str, width: usize) -> String {
    let paused = state.target_campaign().is_some_and(|c| c.row.execution_status == Status::Paused);
    let text = match action {
        Action::Tag(o) if width < NARROW => return tiny(o).to_owned(),
        Action::Tag(o) if width < WIDE => narrow(o),
        Action::Tag(o) if width < WHOLE => shorter(o).unwrap_or(short),
        Action::PauseResume if paused => "resume",
        Action::PauseAll if resumes_all(state) => "resume ALL",
        Action::Enter if state.focus == Pane::Events => "the call, or the line",
        Action::Enter if state.focus == Pane::Systems => "its way out",
        Action::Enter if state.judged.is_some() && state.target().is_some_and(|r| r.suggestion.is_some()) => "as the agent says",
        Action::Enter if state.focus == Pane::Campaigns => {
            if state.zoom {
                "why"
            } else {
                "all of it"
            }
        }
        // As on the frame of that room.
        Action::MoreLines if state.focus == Pane::Events => "more",
        Action::FewerLines if state.focus == Pane::Events => "fewer",
        Action::Zoom if state.zoom => "back to the deck",
        Action::Top => "newest",
        Action::Command if width < TIGHT => "all",
        Action::Undo => return possible::step_back(state).map_or_else(String::new, |s| format!("takes back {s}")),
        _ => short,
    };
    text.to_owned()
}

fn resumes_all(state: &State) -> bool {
    state.paused_all.is_some() && state.data.campaigns_in(Status::Running) == 0
}

/// Where the long ones would push out what else can be done.
fn shorter(o: Outcome) -> Option<&'static str> {
    match o {
        Outcome::NotInterested => Some("not int."),
        Outcome::WrongNumber => Some("wrong"),
        _ => None,
    }
}

fn narrow(o: Outcome) -> &'static str {
    match o {
        Outcome::Interested => "yes",
        Outcome::NotInterested => "no",
        Outcome::Callback => "callback",
        Outcome::DoNotCall => "DNC",
        Outcome::Voicemail => "voicem",
        Outcome::WrongNumber => "wrong",
    }
}

fn tiny(o: Outcome) -> &'static str {
    match o {
        Outcome::Interested => "yes",
        Outcome::NotInterested => "no",
        Outcome::Callback => "back",
        Outcome::DoNotCall => "DNC",
        Outcome::Voicemail => "vm",
        Outcome::WrongNumber => "wr",
    }
}

/// The campaign and its verbs at the left; what always works at the right.
fn second(state: &State, width: usize) -> Filling<'static> {
    let mut right = Filling::new(width, width);
    for action in ALWAYS {
        // What is refused whatever is selected is not offered.
        if let Some(row) = keys::row(action).filter(|row| !(row.writes && state.options.read_only)) {
            let words = if width < NARROW && action != Action::PauseAll { String::new() } else { words(state, action, row.short, width) };
            right.offer(state, action, &words);
        }
    }
    let mut left = Filling::new(width.saturating_sub(right.used + 1), width);
    let own = state.room(state.focus).is_some_and(|room| room.own_keys(state).is_some());
    if !own {
        campaign(&mut left, state, width);
    }
    let free = width.saturating_sub(left.used + right.used);
    let rooms = [["calls", "people", "systems"], ["", "", "rooms"]].map(|words| rooms(state, width, words));
    // Letters that go into a field lead nowhere.
    let letters = !state.room(state.focus).is_some_and(Room::typing);
    if let Some(rooms) = rooms.into_iter().filter(|_| letters && width >= WIDE).find(|r| r.used + 2 * LONELY <= free) {
        // Where it always is, whatever the campaign is called.
        left.append(free - rooms.used - LONELY, rooms);
    }
    let gap = width.saturating_sub(left.used + right.used);
    left.append(gap, right);
    left
}

/// Cells that the other rooms keep from what stands beside them.
const LONELY: usize = 2;

/// The rooms that are not on the deck: nothing else tells that there are more.
fn rooms(state: &State, width: usize, words: [&str; 3]) -> Filling<'static> {
    let mut line = Filling::new(width, width);
    for (pane, words) in [Pane::Calls, Pane::People, Pane::Systems].into_iter().zip(words) {
        line.offer(state, Action::Focus(pane), words);
    }
    line
}

/// The campaign that verbs go to, and which of them work now.
fn campaign(left: &mut Filling<'_>, state: &State, width: usize) {
    let name = state.target_campaign().map(|c| c.row.name.clone());
    match name {
        Some(name) => left.text(format!(" {} ", cut(&name, if width < WIDE { 12 } else { 28 })), state.theme.style("text").add_modifier(Modifier::BOLD)),
        None => left.text(" no campaign selected ".to_owned(), state.theme.style("text_faint")),
    }
    for action in CAMPAIGN {
        // A paused one is resumed by the key that pauses.
        let twice = action == Action::Start && possible_now(state, Action::PauseResume);
        if !twice {
            offer(left, state, action, width);
        }
    }
}

fn possible_now(state: &State, action: Action) -> bool {
    keys::row(action).is_some_and(|row| possible::now(state, row).is_ok())
}
