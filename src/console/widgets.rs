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
    let room = usize::from(area.width.saturating_sub(6));
    let corner = if corner.is_empty() { Vec::new() } else { vec![Span::styled(format!(" {} ", cut(corner, room)), theme.style("text_faint"))] };
    let title_style = theme.style(if focused { "title" } else { "text_dim" });
    let title_style = if focused { title_style.add_modifier(Modifier::BOLD) } else { title_style };
    framed(frame, theme, area, if focused { "border_focus" } else { "border" }, titled(&cut(title, room), title_style, theme), corner)
}

/// A frame in a role; a bit of its line stands before the title and behind the corner.
fn framed(frame: &mut Frame<'_>, theme: &Theme, area: Rect, role: &str, title: Line<'_>, corner: Vec<Span<'_>>) -> Rect {
    let border = theme.style(role);
    // By its weight too: two hues alone are alike in the light themes.
    let border = if role == "border" { border } else { border.add_modifier(Modifier::BOLD) };
    let set = theme.symbols.border.set();
    let mut corner = corner;
    if !corner.is_empty() {
        corner.push(Span::styled(set.horizontal_bottom, border));
    }
    let block = Block::bordered().border_set(set).border_style(border).title(title).title_bottom(Line::from(corner).right_aligned());
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}

/// The names of keys that are more than one letter.
const KEY_NAMES: [&str; 12] = ["Enter", "Esc", "Tab", "Shift-Tab", "Space", "Alt-Enter", "up", "down", "left", "right", "PgUp", "PgDn"];

fn is_key(word: &str) -> bool {
    word.chars().count() == 1 || KEY_NAMES.contains(&word) || (word.starts_with("Ctrl-") && word.len() == 6)
}

/// What keys do, each key in its colour: offers stand three spaces apart, and an offer begins with its keys.
fn offers(theme: &Theme, text: &str) -> Vec<Vec<Span<'static>>> {
    let offer = |offer: &str| {
        let mut spans: Vec<Span<'static>> = Vec::new();
        let mut keys = true;
        for word in offer.split_whitespace() {
            // An article behind a key is none.
            keys &= is_key(word) && (spans.is_empty() || word != "a");
            let gap = if spans.is_empty() { "" } else { " " };
            spans.push(Span::styled(format!("{gap}{word}"), theme.style(if keys { "key" } else { "text_dim" })));
        }
        spans
    };
    text.split("   ").map(offer).filter(|o| !o.is_empty()).collect()
}

/// The same on lines of so many cells: no offer is broken that fits on one.
fn offered_lines(theme: &Theme, text: &str, width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Vec<Span<'static>>> = Vec::new();
    let mut used = 0;
    for offer in offers(theme, text) {
        let wide: usize = offer.iter().map(Span::width).sum();
        match lines.last_mut() {
            Some(line) if used + 3 + wide <= width => {
                line.push(Span::raw("   "));
                line.extend(offer);
                used += 3 + wide;
            }
            _ if wide > width => {
                let text: String = offer.iter().map(|s| s.content.as_ref()).collect();
                lines.extend(wrapped(&text, width).into_iter().map(|l| offers(theme, &l).concat()));
                used = width;
            }
            _ => {
                lines.push(offer);
                used = wide;
            }
        }
    }
    lines.into_iter().map(Line::from).collect()
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
        // A mark is the operator's own doing: not the colour of the cursor.
        let role = if self.marked && sign == theme.symbols.mark { "match" } else { "key" };
        let mut all = vec![Span::styled(sign, theme.style(role))];
        all.extend(self.spans);
        frame.render_widget(Paragraph::new(Line::from(all)), line);
        if self.marked && !self.selected && !theme.mono {
            frame.buffer_mut().set_style(line, theme.selection(false));
        }
        if self.selected {
            frame.buffer_mut().set_style(line, theme.selection(self.focused));
            if self.focused {
                // The real cursor stands on the selected row: screen readers follow it.
                frame.set_cursor_position(Position::new(line.x, line.y));
            }
        }
    }
}

/// The cursor on something of several lines: a bar beside all of them.
pub fn bar(frame: &mut Frame<'_>, theme: &Theme, area: Rect) {
    for y in area.y..area.bottom() {
        let cell = Rect { x: area.x, y, width: 1, height: 1 };
        frame.render_widget(Paragraph::new(Span::styled(theme.symbols.cursor.to_string(), theme.style("key"))), cell);
    }
    frame.buffer_mut().set_style(area, theme.selection(true));
    frame.set_cursor_position(Position::new(area.x, area.y));
}

/// A column's head over a list; answers what is left below.
pub fn head(frame: &mut Frame<'_>, theme: &Theme, area: Rect, text: &str) -> Rect {
    let line = Rect { height: 1.min(area.height), ..area };
    frame.render_widget(
        Paragraph::new(Span::styled(fit(&format!(" {text}"), usize::from(area.width)), theme.style("text_dim").add_modifier(Modifier::BOLD))),
        line,
    );
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

/// A centred box over the screen, cleared, with what its keys do at its foot.
pub fn popup(frame: &mut Frame<'_>, theme: &Theme, area: Rect, width: u16, height: u16, title: &str, keys: &str) -> Rect {
    raised(frame, theme, area, (width, height), "border_focus", title, keys)
}

fn raised(frame: &mut Frame<'_>, theme: &Theme, area: Rect, (width, height): (u16, u16), role: &str, title: &str, keys: &str) -> Rect {
    let (w, h) = (width.min(area.width.saturating_sub(2)), height.min(area.height.saturating_sub(2)));
    let place = Rect { x: area.x + (area.width - w) / 2, y: area.y + (area.height - h) / 2, width: w, height: h };
    // No half word touches its sides.
    let around = Rect { x: place.x.saturating_sub(1), width: w + 2, ..place }.intersection(area);
    let beneath: Vec<_> =
        around.rows().map(|row| (row, frame.buffer_mut().cell((row.x, row.y)).map(ratatui::buffer::Cell::style).unwrap_or_default())).collect();
    frame.render_widget(Clear, around);
    for (row, style) in beneath {
        frame.buffer_mut().set_style(row, style);
    }
    frame.buffer_mut().set_style(place, theme.style("text"));
    let room = usize::from(w.saturating_sub(6));
    let title_style = theme.style(if role == "error" { role } else { "title" }).add_modifier(Modifier::BOLD);
    let title = titled(&cut(title, room), title_style, theme);
    let (mut corner, _) = fill(offers(theme, keys), 1, 3, room);
    if !corner.is_empty() {
        corner.push(Span::raw(" "));
    }
    framed(frame, theme, place, role, title, corner)
}

/// One entry of a card.
pub enum Entry<'a> {
    Words(String),
    Faint(String),
    Head(String),
    /// What its keys do.
    Keys(String),
    Wrong(String),
    /// A line of a list, under the cursor or not.
    Choice(String, bool),
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

    fn height(&self, theme: &Theme, width: usize) -> usize {
        match self {
            Self::Words(t) | Self::Faint(t) | Self::Head(t) | Self::Wrong(t) => wrapped(t, width).len().max(1),
            Self::Keys(t) => offered_lines(theme, t, width).len().max(1),
            Self::Field(..) | Self::Choice(..) | Self::Gap => 1,
            Self::Area(_, rows) => *rows,
        }
    }

    fn width(&self) -> usize {
        match self {
            Self::Words(t) | Self::Faint(t) | Self::Head(t) | Self::Keys(t) | Self::Wrong(t) => t.width(),
            Self::Choice(t, _) => t.width() + 2,
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
            Self::Head(t) => (t, "title"),
            Self::Wrong(t) => (t, "error"),
            Self::Keys(t) => return frame.render_widget(Paragraph::new(offered_lines(theme, t, width)), area),
            Self::Choice(t, here) => return choice(frame, theme, area, t, *here),
            Self::Field(label, input) => {
                field(frame, theme, area, label, input, theme.style("text"));
                return barred(frame, theme, area, label);
            }
            Self::Area(text, _) => return text.draw(frame, theme, area),
            Self::Gap => return,
        };
        let bold = if matches!(self, Self::Head(_)) { Modifier::BOLD } else { Modifier::empty() };
        let style = theme.style(role).add_modifier(bold);
        let lines: Vec<Line<'_>> = wrapped(text, width).into_iter().map(|l| Line::from(Span::styled(l, style))).collect();
        frame.render_widget(Paragraph::new(lines), area);
        barred(frame, theme, area, text);
    }
}

/// A field's line that begins with the cursor's bar has its colours too.
fn barred(frame: &mut Frame<'_>, theme: &Theme, area: Rect, text: &str) {
    if text.starts_with('▌') && area.height > 0 {
        let line = Rect { height: 1, ..area };
        frame.buffer_mut().set_style(Rect { width: 1.min(line.width), ..line }, theme.style("key"));
        frame.buffer_mut().set_style(line, theme.selection(true));
    }
}

fn choice(frame: &mut Frame<'_>, theme: &Theme, area: Rect, text: &str, here: bool) {
    let words = Span::styled(cut(&format!(" {text}"), usize::from(area.width.saturating_sub(1))), theme.style(if here { "text" } else { "text_dim" }));
    Row { spans: vec![words], selected: here, marked: false, focused: true }.draw(frame, theme, area, 0);
}

const NARROWEST: usize = 44;
const WIDEST: usize = 104;

/// A box of words and fields, as large as what it holds; what its keys do stands last, below a free line where
/// there is room, and is never cut off.
pub fn card(frame: &mut Frame<'_>, theme: &Theme, area: Rect, title: &str, keys: &str, entries: &[Entry<'_>]) {
    draw_card(frame, theme, area, "border_focus", title, keys, entries);
}

/// The same for what cannot be taken back, or rings phones.
pub fn danger(frame: &mut Frame<'_>, theme: &Theme, area: Rect, title: &str, keys: &str, entries: &[Entry<'_>]) {
    draw_card(frame, theme, area, "error", title, keys, entries);
}

fn draw_card(frame: &mut Frame<'_>, theme: &Theme, area: Rect, role: &str, title: &str, keys: &str, entries: &[Entry<'_>]) {
    // Its own line of keys stands for those of the frame.
    let (body, foot) = match entries.split_last() {
        Some((Entry::Keys(own), body)) => (body, own.as_str()),
        _ => (entries, if keys == "Esc" { "Esc back" } else { keys }),
    };
    let body = match body.split_last() {
        Some((Entry::Gap, rest)) => rest,
        _ => body,
    };
    let most = usize::from(area.width.saturating_sub(6)).clamp(1, WIDEST);
    let width = body.iter().map(Entry::width).chain([title.width() + 2, foot.width()]).max().unwrap_or(0).clamp(NARROWEST.min(most), most);
    let last = offered_lines(theme, foot, width);
    let height: usize = body.iter().map(|e| e.height(theme, width)).sum();
    let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let inside = raised(frame, theme, area, (cells(width + 4), cells(height + last.len() + 3)), role, title, "");
    let column = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let foot_rows = cells(last.len()).min(inside.height);
    let bottom = inside.bottom().saturating_sub(foot_rows);
    frame.render_widget(Paragraph::new(last), Rect { y: bottom, height: foot_rows, ..column });
    let mut y = inside.y;
    for entry in body {
        let rows = cells(entry.height(theme, width)).min(bottom.saturating_sub(y));
        entry.draw(frame, theme, Rect { y, height: rows, ..column });
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
