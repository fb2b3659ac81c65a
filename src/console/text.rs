//! A text of several lines: what tui-input is for one. Lines are broken at words, the caret goes up and down, and
//! the view goes with it.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Frame, layout::Rect, text::Line, widgets::Paragraph};
use tui_input::{Input, InputRequest, backend::crossterm::EventHandler};
use unicode_width::UnicodeWidthChar;

use super::{theme::Theme, widgets};

#[derive(Debug, Clone, Default)]
pub struct Text {
    input: Input,
    /// Cells of a line when it was drawn last: what up and down go by.
    width: std::cell::Cell<usize>,
}

/// Letters a text may hold; more is for a file.
const LONGEST: usize = 20_000;

impl Text {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()), width: std::cell::Cell::new(80) }
    }

    #[must_use]
    pub fn value(&self) -> &str {
        self.input.value()
    }

    pub fn insert(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.value().chars().count());
        for c in text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| *c == '\n' || !c.is_control()).take(room) {
            self.input.handle(InputRequest::InsertChar(c));
        }
    }

    /// A key; Enter makes a new line only with Alt, or as Ctrl-j: alone it is the dialog's.
    pub fn key(&mut self, key: KeyEvent) {
        let ctrl_j = key.code == KeyCode::Char('j') && key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => self.insert("\n"),
            _ if ctrl_j => self.insert("\n"),
            KeyCode::Up => self.go(-1),
            KeyCode::Down => self.go(1),
            _ => drop(self.input.handle_event(&Event::Key(key))),
        }
    }

    /// Whether a key asks for a new line.
    #[must_use]
    pub fn is_new_line(key: &KeyEvent) -> bool {
        (key.code == KeyCode::Enter && key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SHIFT))
            || (key.code == KeyCode::Char('j') && key.modifiers.contains(KeyModifiers::CONTROL))
    }

    /// Whether the caret can go a line up or down.
    #[must_use]
    pub fn can_go(&self, by: isize) -> bool {
        let lines = self.lines(self.width.get());
        let (row, _) = self.caret(&lines);
        row.checked_add_signed(by).is_some_and(|r| r < lines.len())
    }

    fn go(&mut self, by: isize) {
        let lines = self.lines(self.width.get());
        let (row, column) = self.caret(&lines);
        let Some((start, len)) = row.checked_add_signed(by).and_then(|r| lines.get(r).copied()) else { return };
        self.input.handle(InputRequest::SetCursor(start + column.min(len)));
    }

    /// The lines as they are shown: where each begins, in letters, and how many it has.
    fn lines(&self, width: usize) -> Vec<(usize, usize)> {
        let width = width.max(1);
        let letters: Vec<char> = self.value().chars().collect();
        let (mut lines, mut start, mut used, mut word) = (Vec::new(), 0, 0, None);
        for (i, c) in letters.iter().enumerate() {
            if *c == '\n' {
                lines.push((start, i - start));
                (start, used, word) = (i + 1, 0, None);
                continue;
            }
            let w = c.width().unwrap_or(0);
            if used + w > width {
                // At the last word's begin, or in the word that fills the line.
                let next = word.filter(|at| *at > start).unwrap_or(i);
                lines.push((start, next - start));
                used = letters[next..i].iter().map(|c| c.width().unwrap_or(0)).sum();
                (start, word) = (next, None);
            }
            used += w;
            if *c == ' ' {
                word = Some(i + 1);
            }
        }
        lines.push((start, letters.len() - start));
        lines
    }

    /// Row and column of the caret, in letters.
    fn caret(&self, lines: &[(usize, usize)]) -> (usize, usize) {
        let at = self.input.cursor();
        let row = lines.iter().rposition(|(start, _)| *start <= at).unwrap_or(0);
        (row, at - lines.get(row).map_or(0, |l| l.0))
    }

    pub fn draw(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect) {
        let width = usize::from(area.width.saturating_sub(1)).max(1);
        self.width.set(width);
        let lines = self.lines(width);
        let (row, column) = self.caret(&lines);
        let height = usize::from(area.height).max(1);
        let top = (row + 1).saturating_sub(height);
        let letters: Vec<char> = self.value().chars().collect();
        let at_end = self.input.cursor() >= letters.len();
        let shown: Vec<Line<'_>> = lines
            .iter()
            .enumerate()
            .skip(top)
            .take(height)
            .map(|(i, (start, len))| {
                let mut text: String = letters[*start..start + len].iter().collect();
                if at_end && i == row {
                    text.push('_');
                }
                Line::styled(text, theme.style("text"))
            })
            .collect();
        frame.render_widget(Paragraph::new(shown), area);
        let start = lines.get(row).map_or(0, |l| l.0);
        let x: usize = letters[start..(start + column).min(letters.len())].iter().map(|c| c.width().unwrap_or(0)).sum();
        let y = area.y + u16::try_from(row - top).unwrap_or(0);
        widgets::show_caret(frame, area.x + u16::try_from(x).unwrap_or(0), y, area, at_end);
    }
}

/// A key in a field of one line.
pub fn edit(input: &mut Input, key: KeyEvent) {
    input.handle_event(&Event::Key(key));
}

/// Puts pasted text into a field of one line.
pub fn insert(input: &mut Input, text: &str) {
    for c in crate::domain::text::clean(text, 4000).chars() {
        input.handle(InputRequest::InsertChar(c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &Text, width: usize) -> Vec<String> {
        let letters: Vec<char> = text.value().chars().collect();
        text.lines(width).into_iter().map(|(start, len)| letters[start..start + len].iter().collect()).collect()
    }

    #[test]
    fn lines_break_at_words_and_where_somebody_broke_them() {
        assert_eq!(shown(&Text::new("one two three\nfour"), 8), ["one two ", "three", "four"]);
        assert_eq!(shown(&Text::new("abcdefghij"), 4), ["abcd", "efgh", "ij"]);
        assert_eq!(shown(&Text::new(""), 4), [""]);
        assert_eq!(shown(&Text::new("a\n"), 4), ["a", ""]);
    }

    #[test]
    fn the_caret_goes_up_and_down_and_letters_go_where_it_stands() {
        let mut text = Text::new("first\nsecond");
        let press = |text: &mut Text, code| text.key(KeyEvent::new(code, KeyModifiers::NONE));
        press(&mut text, KeyCode::Up);
        press(&mut text, KeyCode::Char('X'));
        assert_eq!(text.value(), "firstX\nsecond");
        assert!(!text.can_go(-1) && text.can_go(1));
        press(&mut text, KeyCode::Down);
        press(&mut text, KeyCode::Char('Y'));
        assert_eq!(text.value(), "firstX\nsecondY");
    }
}
