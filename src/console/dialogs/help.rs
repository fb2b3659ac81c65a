//! All keys by group, those of this room first, in as many columns as there is room for.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use ratatui::{
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use super::words::scrolled;
use crate::console::{
    keys::{Group, WITH_WORDS},
    place::{Dialog, Next},
    state::State,
    widgets::{fit, popup},
};

#[derive(Default)]
pub struct Help {
    scroll: usize,
    /// How far it can be scrolled, when it was drawn last.
    most: std::cell::Cell<usize>,
}

const COLUMN: usize = 58;
const KEY: usize = 13;

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
        let lines = lines(state);
        let columns = (usize::from(area.width.saturating_sub(4)) / COLUMN).clamp(1, 3);
        let tall = lines.len().div_ceil(columns);
        let (w, h) = (u16::try_from(columns * COLUMN + 2).unwrap_or(u16::MAX), u16::try_from(tall + 2).unwrap_or(u16::MAX));
        let inside = popup(frame, &state.theme, area, w, h, "Keys", "j k scroll   Esc closes");
        let height = usize::from(inside.height).max(1);
        self.most.set(tall.saturating_sub(height));
        let scroll = self.scroll.min(self.most.get());
        for (i, column) in lines.chunks(tall.max(1)).enumerate() {
            let x = inside.x + u16::try_from(i * COLUMN).unwrap_or(0);
            let place = Rect { x, width: u16::try_from(COLUMN).unwrap_or(0).min(inside.right().saturating_sub(x)), ..inside };
            let shown: Vec<Line<'_>> = column.iter().skip(scroll).take(height).cloned().collect();
            frame.render_widget(Paragraph::new(shown), place);
        }
    }
}

fn lines(state: &State) -> Vec<Line<'static>> {
    let (key, text) = (state.theme.style("key"), state.theme.style("text"));
    let title = |t: &str| Line::from(Span::styled(format!(" {t}"), state.theme.style("title")));
    // Several keys take what they need: none is cut.
    let line = |k: &str, words: &str| {
        let keys = fit(k, KEY.max(k.width() + 1));
        Line::from(vec![Span::styled(format!("  {keys}"), key), Span::styled(words.to_owned(), text)])
    };
    let mut lines = Vec::new();
    for group in order(state) {
        lines.push(title(group.title()));
        for (row, keys) in state.keys.rows().filter(|(row, _)| row.group == group) {
            let shown = if keys.is_empty() { format!(":{}", row.name) } else { keys.join(" ") };
            lines.push(line(&shown, &format!("{}{}", row.place.words(), row.words)));
        }
        lines.push(Line::default());
    }
    lines.push(title("In dialogs"));
    lines.extend(IN_DIALOGS.iter().map(|(k, words)| line(k, words)));
    lines.push(Line::default());
    lines.push(title("Commands with words, behind :"));
    lines.extend(WITH_WORDS.iter().map(|(name, takes, words)| line(&format!("{name} {takes}"), words)));
    lines
}

/// The groups, those of this room first.
fn order(state: &State) -> Vec<Group> {
    let first = state.room(state.focus).map_or(&[][..], |room| room.groups());
    let rooms = [Group::Rooms].into_iter().filter(|g| !first.contains(g));
    let rest = Group::ALL.into_iter().filter(|g| !first.contains(g) && *g != Group::Rooms);
    first.iter().copied().chain(rooms).chain(rest).collect()
}
