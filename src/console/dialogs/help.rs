//! All keys by group, those of this room first, in as many columns as there is room for.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use ratatui::{
    style::Modifier,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use super::words::scrolled;
use crate::console::{
    keys::{Group, WITH_WORDS},
    place::{Dialog, Next},
    state::State,
    widgets::{fit, popup, wrapped},
};

#[derive(Default)]
pub struct Help {
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
        if matches!(key.code, KeyCode::Char('q' | '?')) {
            return Next::close();
        }
        self.scroll = scrolled(self.scroll, key.code, self.most.get() + 1);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let room = usize::from(area.width.saturating_sub(4));
        let columns = columns(state, room);
        let tall = columns.iter().map(Vec::len).max().unwrap_or(0);
        let wide = columns.iter().map(|c| width_of(c) + BETWEEN).sum::<usize>();
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let height = tall.min(usize::from(area.height.saturating_sub(4))).max(1);
        self.most.set(tall.saturating_sub(height));
        let scroll = self.scroll.min(self.most.get());
        let keys = if tall > height { format!("j k scroll   {}-{} of {tall}   Esc back", scroll + 1, scroll + height) } else { "Esc back".to_owned() };
        let inside = popup(frame, &state.theme, area, cells(wide + 2), cells(tall + 2), "Keys", &keys);
        let mut x = inside.x;
        for column in &columns {
            let wide = cells(width_of(column) + BETWEEN);
            let place = Rect { x, width: wide.min(inside.right().saturating_sub(x)), ..inside };
            let shown: Vec<Line<'_>> = column.iter().skip(scroll).take(height).cloned().collect();
            frame.render_widget(Paragraph::new(shown), place);
            x = x.saturating_add(wide);
        }
    }
}

fn width_of(column: &[Line<'_>]) -> usize {
    column.iter().map(Line::width).max().unwrap_or(0)
}

/// The groups in as many columns as have room, none of them broken.
fn columns(state: &State, room: usize) -> Vec<Vec<Line<'static>>> {
    let fits = |columns: &[Vec<Line<'_>>]| columns.iter().map(|c| width_of(c) + BETWEEN).sum::<usize>() <= room;
    let whole = groups(state, usize::MAX);
    for n in [3, 2] {
        let columns = spread(&whole, n);
        if fits(&columns) {
            return columns;
        }
        // Where they go on below their keys there may be room for as many.
        let share = (room / n).saturating_sub(BETWEEN);
        if share >= NARROWEST {
            return spread(&groups(state, share), n);
        }
    }
    spread(&groups(state, room), 1)
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

fn groups(state: &State, room: usize) -> Vec<Vec<Line<'static>>> {
    let bold = state.theme.style("title").add_modifier(Modifier::BOLD);
    let group = |title: &str, lines: Vec<Line<'static>>| {
        let mut all = vec![Line::from(Span::styled(format!(" {title}"), bold))];
        all.extend(lines);
        all.push(Line::default());
        all
    };
    let of = |wanted: Group| {
        let rows = state.keys.rows().filter(|(row, _)| row.group == wanted);
        let lines = rows.flat_map(|(row, keys)| {
            let shown = if keys.is_empty() { format!(":{}", row.name) } else { keys.join(" ") };
            line(state, &shown, KEY, &format!("{}{}", row.place.words(), row.words), room)
        });
        group(wanted.title(), lines.collect())
    };
    let mut all: Vec<_> = order(state).into_iter().map(of).collect();
    all.push(group("In dialogs", IN_DIALOGS.iter().flat_map(|(k, words)| line(state, k, KEY, words, room)).collect()));
    // Where there is one column only its commands stand as its keys do.
    let least = if room == usize::MAX { COMMAND } else { KEY };
    let commands = WITH_WORDS.iter().flat_map(|(name, takes, words)| line(state, &format!("{name} {takes}"), least, words, room));
    all.push(group("Commands with words, behind :", commands.collect()));
    all
}

/// The groups, those of this room first.
fn order(state: &State) -> Vec<Group> {
    let first = state.room(state.focus).map_or(&[][..], |room| room.groups());
    let rooms = [Group::Rooms].into_iter().filter(|g| !first.contains(g));
    let rest = Group::ALL.into_iter().filter(|g| !first.contains(g) && *g != Group::Rooms);
    first.iter().copied().chain(rooms).chain(rest).collect()
}
