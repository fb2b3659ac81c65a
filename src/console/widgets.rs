//! What everything is drawn with: texts cut and broken by cells, frames, rows, cards and fields.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph},
};
use tui_input::Input;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{text::Text, theme::Theme};

/// Cuts or pads a text to a width in cells.
#[must_use]
pub fn fit(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(width);
    let mut used = 0;
    if text.width() <= width {
        out.push_str(text);
        used = text.width();
    } else {
        for c in text.chars() {
            let w = c.width().unwrap_or(0);
            if used + w + 1 > width {
                break;
            }
            out.push(c);
            used += w;
        }
        if used < width {
            out.push('…');
            used += 1;
        }
    }
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    out
}

/// The same without the padding.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width { text.to_owned() } else { fit(text, width).trim_end().to_owned() }
}

/// Breaks words into lines of so many cells; a word longer than a line is broken.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    if text.width() <= width && !text.contains('\n') {
        // Gaps between keys are kept.
        return vec![text.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        for piece in pieces(word, width) {
            match lines.last_mut() {
                Some(line) if line.width() + 1 + piece.width() <= width => {
                    line.push(' ');
                    line.push_str(&piece);
                }
                _ => lines.push(piece),
            }
        }
    }
    lines
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > width {
            out.push(String::new());
            used = 0;
        }
        used += w;
        if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out
}

/// A text on at most so many lines; where it does not fit, the last says where the rest is.
#[must_use]
pub fn lines(text: &str, width: usize, most: usize, rest: &str) -> Vec<String> {
    let mut lines = wrapped(text, width);
    if lines.len() > most.max(1) {
        lines.truncate(most.max(1));
        if let Some(last) = lines.last_mut() {
            *last = format!("{} {rest}", cut(&format!("{last} …"), width.saturating_sub(rest.width() + 1)));
        }
    }
    lines
}

/// A pane's frame with its title and what stands at its lower right; answers the inside.
pub fn boxed(frame: &mut Frame<'_>, theme: &Theme, area: Rect, focused: bool, title: &str, corner: &str) -> Rect {
    let mut border = theme.style(if focused { "border_focus" } else { "border" });
    let mut style = theme.style(if focused { "title" } else { "text_dim" });
    if focused {
        style = style.add_modifier(Modifier::BOLD);
        border = if theme.mono { border.add_modifier(Modifier::BOLD) } else { border };
    }
    let room = usize::from(area.width.saturating_sub(4));
    let corner = if corner.is_empty() { String::new() } else { format!(" {} ", cut(corner, room)) };
    let block = Block::bordered()
        .border_set(theme.symbols.border.set())
        .border_style(border)
        .title(titled(&cut(title, room), style, theme))
        .title_bottom(Line::from(Span::styled(corner, theme.style("text_faint"))).right_aligned());
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}

/// A title; the letter that leads to the pane is a key.
fn titled(title: &str, style: Style, theme: &Theme) -> Line<'static> {
    match title.split_once(' ') {
        Some((key, rest)) if key.chars().count() == 1 => {
            Line::from(vec![Span::styled(format!(" {key} "), theme.style("key")), Span::styled(format!("{rest} "), style)])
        }
        _ => Line::from(Span::styled(format!(" {title} "), style)),
    }
}

/// One row of a list: a bar for the cursor, a dot for a mark, and the cursor's colours.
pub struct Row<'a> {
    pub spans: Vec<Span<'a>>,
    pub selected: bool,
    pub marked: bool,
    pub focused: bool,
}

impl Row<'_> {
    pub fn draw(self, frame: &mut Frame<'_>, theme: &Theme, area: Rect, y: usize) {
        let line = Rect { y: area.y.saturating_add(u16::try_from(y).unwrap_or(u16::MAX)), height: 1, ..area };
        if line.y >= area.bottom() {
            return;
        }
        let sign = match (self.selected, self.marked) {
            (true, _) if self.focused => theme.symbols.cursor.as_ref(),
            (_, true) => theme.symbols.mark.as_ref(),
            (true, false) => theme.symbols.resting.as_ref(),
            (false, false) => " ",
        };
        let mut all = vec![Span::styled(sign, theme.style("key"))];
        all.extend(self.spans);
        frame.render_widget(Paragraph::new(Line::from(all)), line);
        if self.selected {
            frame.buffer_mut().set_style(line, theme.selection(self.focused));
            if self.focused {
                // The real cursor stands on the selected row: screen readers follow it.
                frame.set_cursor_position(Position::new(line.x, line.y));
            }
        }
    }
}

/// A column's head over a list; answers what is left below.
pub fn head(frame: &mut Frame<'_>, theme: &Theme, area: Rect, text: &str) -> Rect {
    let line = Rect { height: 1.min(area.height), ..area };
    frame.render_widget(Paragraph::new(Span::styled(fit(&format!(" {text}"), usize::from(area.width)), theme.style("text_faint"))), line);
    Rect { y: area.y + line.height, height: area.height - line.height, ..area }
}

/// What stands where there is nothing to show.
pub fn empty(frame: &mut Frame<'_>, theme: &Theme, area: Rect, words: &str) {
    let width = usize::from(area.width.saturating_sub(2));
    let lines = wrapped(words, width).into_iter().map(|l| Line::from(Span::styled(format!(" {l}"), theme.style("text_dim"))));
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
}

/// Parts of a line that are whole or not there: what has no room drops from the right. Answers the cells that are used.
pub fn fill(parts: Vec<Vec<Span<'static>>>, kept: usize, gap: usize, width: usize) -> (Vec<Span<'static>>, usize) {
    let wide = |part: &[Span<'_>]| part.iter().map(|s| s.content.width()).sum::<usize>();
    let (mut spans, mut used) = (Vec::new(), 0);
    for (i, part) in parts.into_iter().filter(|p| !p.is_empty()).enumerate() {
        let before = if i == 0 { 1 } else { gap };
        let need = before + wide(&part);
        if used + need > width && i >= kept {
            break;
        }
        spans.push(Span::raw(" ".repeat(before)));
        spans.extend(part);
        used += need;
    }
    (spans, used)
}

/// A centred box over the screen, cleared.
pub fn popup(frame: &mut Frame<'_>, theme: &Theme, area: Rect, width: u16, height: u16, title: &str, corner: &str) -> Rect {
    let (w, h) = (width.min(area.width.saturating_sub(2)), height.min(area.height.saturating_sub(2)));
    let place = Rect { x: area.x + (area.width - w) / 2, y: area.y + (area.height - h) / 2, width: w, height: h };
    frame.render_widget(Clear, place);
    frame.buffer_mut().set_style(place, theme.style("text"));
    boxed(frame, theme, place, true, title, corner)
}

/// One entry of a card.
pub enum Entry<'a> {
    Words(String),
    Faint(String),
    /// What its keys do.
    Keys(String),
    Wrong(String),
    /// A label, and a field of one line.
    Field(&'a str, &'a Input),
    /// A field of several lines.
    Area(&'a Text, usize),
    Gap,
}

impl Entry<'_> {
    pub fn words(text: impl Into<String>) -> Self {
        Self::Words(text.into())
    }

    fn height(&self, width: usize) -> usize {
        match self {
            Self::Words(t) | Self::Faint(t) | Self::Keys(t) | Self::Wrong(t) => wrapped(t, width).len().max(1),
            Self::Field(..) | Self::Gap => 1,
            Self::Area(_, rows) => *rows,
        }
    }

    fn width(&self) -> usize {
        match self {
            Self::Words(t) | Self::Faint(t) | Self::Keys(t) | Self::Wrong(t) => t.width(),
            Self::Field(label, input) => label.width() + input.value().width() + 4,
            Self::Area(..) => 80,
            Self::Gap => 0,
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect) {
        let width = usize::from(area.width);
        let (text, role) = match self {
            Self::Words(t) => (t, "text"),
            Self::Faint(t) => (t, "text_dim"),
            Self::Keys(t) => (t, "key"),
            Self::Wrong(t) => (t, "error"),
            Self::Field(label, input) => return field(frame, theme, area, label, input, theme.style("text")),
            Self::Area(text, _) => return text.draw(frame, theme, area),
            Self::Gap => return,
        };
        let lines: Vec<Line<'_>> = wrapped(text, width).into_iter().map(|l| Line::from(Span::styled(l, theme.style(role)))).collect();
        frame.render_widget(Paragraph::new(lines), area);
    }
}

const NARROWEST: usize = 44;
const WIDEST: usize = 104;

/// A box of words and fields, as large as what it holds.
pub fn card(frame: &mut Frame<'_>, theme: &Theme, area: Rect, title: &str, corner: &str, entries: &[Entry<'_>]) {
    let most = usize::from(area.width.saturating_sub(6)).clamp(1, WIDEST);
    let width = entries.iter().map(Entry::width).chain([title.width() + 2, corner.width() + 2]).max().unwrap_or(0).clamp(NARROWEST.min(most), most);
    let height: usize = entries.iter().map(|e| e.height(width)).sum();
    let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let inside = popup(frame, theme, area, cells(width + 4), cells(height + 2), title, corner);
    let mut y = inside.y;
    for entry in entries {
        let rows = cells(entry.height(width)).min(inside.bottom().saturating_sub(y));
        let place = Rect { x: inside.x + 1, y, width: inside.width.saturating_sub(2), height: rows };
        entry.draw(frame, theme, place);
        y += rows;
    }
}

/// A field of one line, which scrolls with its caret; the caret is also the terminal's own.
pub fn field(frame: &mut Frame<'_>, theme: &Theme, area: Rect, label: &str, input: &Input, style: Style) {
    let before = u16::try_from(label.width() + usize::from(!label.is_empty())).unwrap_or(0).min(area.width);
    let room = usize::from(area.width - before);
    let scroll = input.visual_scroll(room.saturating_sub(1));
    let (mut cells, mut shown) = (0, String::new());
    for c in input.value().chars() {
        let w = c.width().unwrap_or(0);
        if cells >= scroll && cells + w <= scroll + room {
            shown.push(c);
        }
        cells += w;
    }
    let caret = input.visual_cursor().saturating_sub(scroll);
    let at_end = input.cursor() >= input.value().chars().count();
    if at_end {
        shown.push('_');
    }
    let line = Line::from(vec![Span::styled(fit(label, usize::from(before)), theme.style("text_dim")), Span::styled(shown, style)]);
    frame.render_widget(Paragraph::new(line), area);
    show_caret(frame, area.x + before + u16::try_from(caret).unwrap_or(0), area.y, area, at_end);
}

/// The caret: reversed on a letter, and where the terminal's own cursor stands.
fn show_caret(frame: &mut Frame<'_>, x: u16, y: u16, area: Rect, at_end: bool) {
    if x < area.right() && y < area.bottom() {
        if !at_end {
            frame.buffer_mut().set_style(Rect { x, y, width: 1, height: 1 }, Style::default().add_modifier(Modifier::REVERSED));
        }
        frame.set_cursor_position(Position::new(x, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_cells_not_by_letters() {
        assert_eq!(fit("abc", 5), "abc  ");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 4).width(), 4);
        assert_eq!(fit("", 0), "");
    }

    #[test]
    fn words_are_broken_by_cells_and_what_does_not_fit_is_named() {
        assert_eq!(wrapped("日本語 日本語", 7), ["日本語", "日本語"]);
        assert_eq!(wrapped("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(lines("one two three four", 9, 1, "(!)"), ["one … (!)"]);
        assert_eq!(lines("one two", 9, 1, "(!)"), ["one two"]);
    }
}
