//! All keys by group, those of this room first, in as many columns as there is room for. What is typed behind the key
//! that finds leaves only what holds it.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use ratatui::{
    style::Modifier,
    text::{Line, Span},
    widgets::Paragraph,
};
use tui_input::Input;
use unicode_width::UnicodeWidthStr;

use super::words::scrolled;
use crate::console::{
    keys::{Group, WITH_WORDS},
    place::{Dialog, Next},
    state::State,
    text,
    widgets::{empty, field, fit, popup, wrapped},
};

#[derive(Default)]
pub struct Help {
    /// What is looked for, once the key that finds was pressed.
    sought: Option<Input>,
    /// Letters go there.
    typing: bool,
    scroll: usize,
    /// How far it can be scrolled, when it was drawn last.
    most: std::cell::Cell<usize>,
}

/// Cells of the keys, of a command with what it takes, and between two columns.
const KEY: usize = 16;
const COMMAND: usize = 28;
const BETWEEN: usize = 3;
const NARROWEST: usize = 48;

/// What keys mean in a dialog.
const IN_DIALOGS: [(&str, &str); 6] = [
    ("Esc", "out; on something typed it asks once"),
    ("Enter", "does what the last line says"),
    ("Tab", "next field; completes a path or a command"),
    ("up down", "fields, columns, entries, lines"),
    ("Alt-Enter", "a new line in a note or script"),
    ("Ctrl-e", "note or script in your editor ($EDITOR)"),
];

impl Dialog for Help {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if self.typing {
            self.typing = !matches!(key.code, KeyCode::Enter | KeyCode::Down | KeyCode::Tab);
            if self.typing
                && let Some(sought) = &mut self.sought
            {
                text::edit(sought, key);
                self.scroll = 0;
            }
            return Next::stay();
        }
        match key.code {
            KeyCode::Char('q' | '?') => return Next::close(),
            KeyCode::Char('/') => {
                self.sought.get_or_insert_default();
                self.typing = true;
                return Next::stay();
            }
            _ => {}
        }
        self.scroll = scrolled(self.scroll, key.code, self.most.get() + 1);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let room = usize::from(area.width.saturating_sub(4));
        let sought = self.sought.as_ref().map_or("", Input::value).trim().to_lowercase();
        let columns = columns(state, room, &sought);
        let line = usize::from(self.sought.is_some());
        let tall = columns.iter().map(Vec::len).max().unwrap_or(0);
        // As wide as without: the frame stands still while somebody types.
        let wide = columns.iter().map(|c| width_of(c) + BETWEEN).sum::<usize>().max(if line > 0 { NARROWEST } else { 0 });
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let height = tall.min(usize::from(area.height.saturating_sub(4)).saturating_sub(line)).max(1);
        self.most.set(tall.saturating_sub(height));
        let scroll = self.scroll.min(self.most.get());
        let scrolls = if tall > height { format!("j k scroll   {}-{} of {tall}   ", scroll + 1, scroll + height) } else { String::new() };
        let keys = if self.typing { "Enter to the keys   Esc back".to_owned() } else { format!("{scrolls}/ finds   Esc back") };
        let mut inside = popup(frame, &state.theme, area, cells(wide + 2), cells(tall.max(1) + 2 + line), "Keys", &keys);
        if let Some(sought) = &self.sought {
            let line = Rect { height: 1.min(inside.height), ..inside };
            if self.typing {
                field(frame, &state.theme, line, " /", sought, state.theme.style("text"));
            } else {
                frame.render_widget(Paragraph::new(Span::styled(format!(" / {}", sought.value()), state.theme.style("match"))), line);
            }
            inside = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
        }
        if tall == 0 {
            return empty(frame, &state.theme, inside, "No key and no command says so.");
        }
        let mut x = inside.x;
        for column in &columns {
            let wide = cells(width_of(column) + BETWEEN);
            let place = Rect { x, width: wide.min(inside.right().saturating_sub(x)), ..inside };
            let shown: Vec<Line<'_>> = column.iter().skip(scroll).take(height).cloned().collect();
            frame.render_widget(Paragraph::new(shown), place);
            x = x.saturating_add(wide);
        }
    }

    fn typing(&self) -> bool {
        self.typing
    }

    fn paste(&mut self, _state: &mut State, pasted: &str) {
        if let Some(sought) = self.sought.as_mut().filter(|_| self.typing) {
            text::insert(sought, pasted);
        }
    }
}

fn width_of(column: &[Line<'_>]) -> usize {
    column.iter().map(Line::width).max().unwrap_or(0)
}

/// The groups in as many columns as have room, none of them broken.
fn columns(state: &State, room: usize, sought: &str) -> Vec<Vec<Line<'static>>> {
    let fits = |columns: &[Vec<Line<'_>>]| columns.iter().map(|c| width_of(c) + BETWEEN).sum::<usize>() <= room;
    let whole = groups(state, usize::MAX, sought);
    for n in [3, 2] {
        let columns = spread(&whole, n);
        if fits(&columns) {
            return columns;
        }
        // Where they go on below their keys there may be room for as many.
        let share = (room / n).saturating_sub(BETWEEN);
        if share >= NARROWEST {
            return spread(&groups(state, share, sought), n);
        }
    }
    spread(&groups(state, room, sought), 1)
}

/// As even as whole groups allow.
fn spread(groups: &[Vec<Line<'static>>], n: usize) -> Vec<Vec<Line<'static>>> {
    let fits = |most: usize| {
        let mut columns: Vec<Vec<Line<'static>>> = vec![Vec::new()];
        for group in groups {
            let full = columns.last().is_some_and(|c| !c.is_empty() && c.len() + group.len() > most);
            if full {
                columns.push(Vec::new());
            }
            if let Some(column) = columns.last_mut() {
                column.extend(group.iter().cloned());
            }
        }
        columns
    };
    let total: usize = groups.iter().map(Vec::len).sum();
    (total.div_ceil(n)..=total).map(fits).find(|c| c.len() <= n).unwrap_or_default()
}

/// A key with its words, which go on below where they have no room.
fn line(state: &State, keys: &str, least: usize, words: &str, room: usize) -> Vec<Line<'static>> {
    // Several keys take what they need: none is cut.
    let keys = fit(keys, least.max(keys.width() + 1));
    let left = keys.width() + 2;
    let (key, text) = (state.theme.style("key"), state.theme.style("text"));
    let written = wrapped(words, room.saturating_sub(left).max(12)).into_iter().enumerate();
    written
        .map(|(i, words)| {
            let head = if i == 0 { Span::styled(format!("  {keys}"), key) } else { Span::raw(" ".repeat(left)) };
            Line::from(vec![head, Span::styled(words, text)])
        })
        .collect()
}

/// Of what is looked for only what holds it: its key, its name or its words. A group without any is not there.
fn groups(state: &State, room: usize, sought: &str) -> Vec<Vec<Line<'static>>> {
    let bold = state.theme.style("title").add_modifier(Modifier::BOLD);
    let fits = |texts: [&str; 3]| sought.is_empty() || texts.iter().any(|t| t.to_lowercase().contains(sought));
    let group = |title: &str, lines: Vec<Line<'static>>| {
        if lines.is_empty() {
            return Vec::new();
        }
        let mut all = vec![Line::from(Span::styled(format!(" {title}"), bold))];
        all.extend(lines);
        all.push(Line::default());
        all
    };
    let of = |wanted: Group| {
        let rows = state.keys.rows().filter(|(row, keys)| row.group == wanted && fits([row.name, row.words, &keys.join(" ")]));
        let lines = rows.flat_map(|(row, keys)| {
            let shown = if keys.is_empty() { format!(":{}", row.name) } else { keys.join(" ") };
            line(state, &shown, KEY, &format!("{}{}", row.place.words(), row.words), room)
        });
        group(wanted.title(), lines.collect())
    };
    let mut all: Vec<_> = order(state).into_iter().map(of).collect();
    all.push(group(
        "In dialogs",
        IN_DIALOGS.iter().filter(|(k, words)| fits([k, words, ""])).flat_map(|(k, words)| line(state, k, KEY, words, room)).collect(),
    ));
    // Where there is one column only its commands stand as its keys do.
    let least = if room == usize::MAX { COMMAND } else { KEY };
    let named = WITH_WORDS.iter().filter(|(name, takes, words)| fits([name, takes, words]));
    let commands = named.flat_map(|(name, takes, words)| line(state, &format!("{name} {takes}"), least, words, room));
    all.push(group("Commands with words, behind :", commands.collect()));
    all.retain(|group| !group.is_empty());
    all
}

/// The groups, those of this room first.
fn order(state: &State) -> Vec<Group> {
    let first = state.room(state.focus).map_or(&[][..], |room| room.groups());
    let rooms = [Group::Rooms].into_iter().filter(|g| !first.contains(g));
    let rest = Group::ALL.into_iter().filter(|g| !first.contains(g) && *g != Group::Rooms);
    first.iter().copied().chain(rooms).chain(rest).collect()
}
