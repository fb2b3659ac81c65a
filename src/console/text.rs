//! Fields of the console: a text of several lines by ratatui-textarea, one line by tui-input.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use tui_input::{Input, InputRequest, backend::crossterm::EventHandler};

use super::theme::Theme;

/// Its lines are broken at words; the view goes with the caret.
#[derive(Debug, Clone)]
pub struct Text(TextArea<'static>);

/// Letters a text may hold; more is for a file.
const LONGEST: usize = 20_000;

impl Text {
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::default();
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        area.set_cursor_line_style(Style::default());
        let mut new = Self(area);
        new.insert(text);
        new
    }

    #[must_use]
    pub fn value(&self) -> String {
        self.0.lines().join("\n")
    }

    fn room(&self) -> usize {
        LONGEST.saturating_sub(self.0.lines().iter().map(|l| l.chars().count() + 1).sum::<usize>())
    }

    pub fn insert(&mut self, text: &str) {
        let room = self.room();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).take(room).collect();
        self.0.insert_str(text);
    }

    /// A key; Enter makes a new line only with Alt, or as Ctrl-j: alone it is the dialog's.
    pub fn key(&mut self, key: KeyEvent) {
        if Self::is_new_line(&key) || key.code == KeyCode::Enter {
            return self.insert("\n");
        }
        let letter = matches!(key.code, KeyCode::Char(_)) && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        if !letter || self.room() > 0 {
            self.0.input(key);
        }
    }

    /// Whether a key asks for a new line.
    #[must_use]
    pub fn is_new_line(key: &KeyEvent) -> bool {
        (key.code == KeyCode::Enter && key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SHIFT))
            || (key.code == KeyCode::Char('j') && key.modifiers.contains(KeyModifiers::CONTROL))
    }

    /// Whether the caret can go a line down, or up.
    #[must_use]
    pub fn can_go(&self, down: bool) -> bool {
        let mut there = self.0.clone();
        there.move_cursor(if down { CursorMove::Down } else { CursorMove::Up });
        there.screen_cursor().row != self.0.screen_cursor().row
    }

    pub fn draw(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect) {
        frame.render_widget(&self.0, area);
        frame.buffer_mut().set_style(area, theme.style("text"));
        let (caret, (top, _)) = (self.0.screen_cursor(), self.0.scroll_offset());
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let at = Position::new(area.x.saturating_add(cells(caret.col)), area.y.saturating_add(cells(caret.row).saturating_sub(top)));
        if area.contains(at) {
            frame.set_cursor_position(at);
        }
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

/// `New York or Chicago` of `America/New_York or America/Chicago`.
#[must_use]
pub fn cities(places: &str) -> String {
    let city = |place: &str| place.rsplit('/').next().unwrap_or_default().replace('_', " ");
    places.split(" or ").map(city).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_goes_up_and_down_and_letters_go_where_it_stands() {
        let mut text = Text::new("first\nsecond");
        let press = |text: &mut Text, code| text.key(KeyEvent::new(code, KeyModifiers::NONE));
        press(&mut text, KeyCode::Up);
        press(&mut text, KeyCode::Char('X'));
        assert_eq!(text.value(), "firstX\nsecond");
        assert!(!text.can_go(false) && text.can_go(true));
        press(&mut text, KeyCode::Down);
        press(&mut text, KeyCode::Char('Y'));
        assert_eq!(text.value(), "firstX\nsecondY");
        text.key(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL));
        text.insert("third\r\nfourth\u{1b}[31m");
        assert_eq!(text.value(), "firstX\nsecondY\nthird\nfourth[31m");
    }

    #[test]
    fn it_holds_so_much_and_no_more() {
        let mut text = Text::new(&"x".repeat(30_000));
        let full = text.value().len();
        assert!(full < 20_001, "{full}");
        text.key(KeyEvent::new(KeyCode::Char('y'), KeyModifiers::NONE));
        text.insert("y");
        assert_eq!(text.value().len(), full);
        text.key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
        assert_eq!(text.value().len(), full - 1);
    }
}
