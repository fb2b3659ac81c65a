//! Sends what changed and nothing else: it knows where the cursor stands and which colours hold, across frames
//! too, so that a clock that ticks in twenty rows costs a few bytes a row. A frame goes out in one write.
//!
//! Where terminals disagree about how wide a letter is, the cursor is put where it belongs by its place, so that one
//! name never moves the columns behind it.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use ratatui::{
    backend::{Backend, ClearType, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
    style::{Color, Modifier},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::text::is_harmful;

/// A frame of more bytes is shown all at once where the terminal can: a smaller one is one read anyway.
const TORN: usize = 512;

/// Colours and attributes of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const BARE: Look = Look { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// What shows on a blank: no colour of letters, no weight.
const ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

pub struct Painter<W: Write> {
    out: W,
    frame: Vec<u8>,
    /// Where the cursor stands and what letters look like; unknown at first, and after what others wrote.
    at: Option<(u16, u16)>,
    look: Option<Look>,
    shown: Option<bool>,
    /// At the right edge terminals wait with their cursor in different places.
    columns: u16,
}

impl<W: Write> Painter<W> {
    pub fn new(out: W) -> Self {
        Self { out, frame: Vec::with_capacity(64 << 10), at: None, look: None, shown: None, columns: 0 }
    }

    /// Somebody else has written to the terminal.
    pub fn forget(&mut self) {
        (self.at, self.look, self.shown) = (None, None, None);
    }

    pub fn resized(&mut self, columns: u16) {
        if std::mem::replace(&mut self.columns, columns) != columns {
            self.at = None;
        }
    }

    fn go(&mut self, x: u16, y: u16) {
        if self.at != Some((x, y)) {
            let way = shortest(self.at, x, y);
            self.frame.extend_from_slice(way.as_bytes());
            self.at = Some((x, y));
        }
    }

    fn wear(&mut self, look: Look) {
        if self.look != Some(look) {
            self.frame.extend_from_slice(sgr(self.look, look).as_bytes());
            self.look = Some(look);
        }
    }

    fn put(&mut self, x: u16, y: u16, cell: &Cell) {
        self.go(x, y);
        let (symbol, look) = (cell.symbol(), Look { fg: cell.fg, bg: cell.bg, modifier: cell.modifier });
        match self.look {
            // A blank looks the same in any colour of letters.
            Some(now) if symbol == " " && now.bg == look.bg && !(now.modifier | look.modifier).intersects(ON_BLANKS) => {}
            _ => self.wear(look),
        }
        self.frame.extend_from_slice(standing(symbol).as_bytes());
        let sure = symbol.width() == 1 && symbol.chars().nth(1).is_none() && x + 1 < self.columns;
        self.at = sure.then_some((x + 1, y));
    }
}

/// Marks that a letter keeps: more of them are a tower over other people's rows.
const MARKS: usize = 4;

/// A letter with what stands on it, and nothing that moves, hides or turns what stands beside it.
fn standing(symbol: &str) -> Cow<'_, str> {
    if symbol.len() == 1 && !symbol.as_bytes()[0].is_ascii_control() {
        return Cow::Borrowed(symbol);
    }
    let mut letters = symbol.chars();
    let first = letters.next().filter(|c| !is_harmful(*c)).unwrap_or(' ');
    let marks = letters.filter(|c| !is_harmful(*c) && c.width().unwrap_or(0) == 0).take(MARKS);
    Cow::Owned(std::iter::once(first).chain(marks).collect())
}

/// The shortest way to a place.
fn shortest(from: Option<(u16, u16)>, x: u16, y: u16) -> String {
    let straight = match (x, y) {
        (0, 0) => "\x1b[H".to_owned(),
        (0, _) => format!("\x1b[{}H", y + 1),
        _ => format!("\x1b[{};{}H", y + 1, x + 1),
    };
    let Some((from_x, from_y)) = from else { return straight };
    let steps = format!("{}{}", along(from_y, y, ['A', 'B']), sideways(from_x, x));
    if steps.len() < straight.len() { steps } else { straight }
}

fn sideways(from: u16, to: u16) -> String {
    match to {
        0 if from > 0 => "\r".to_owned(),
        _ if to < from && from - to <= 3 => "\x08".repeat(usize::from(from - to)),
        _ => along(from, to, ['D', 'C']),
    }
}

/// So many steps back or forward.
fn along(from: u16, to: u16, letters: [char; 2]) -> String {
    let letter = letters[usize::from(to > from)];
    match from.abs_diff(to) {
        0 => String::new(),
        1 => format!("\x1b[{letter}"),
        n => format!("\x1b[{n}{letter}"),
    }
}

/// What turns one look into another.
fn sgr(from: Option<Look>, to: Look) -> String {
    let whole = format!("\x1b[{}m", parts(BARE, to).iter().fold("0".to_owned(), |all, p| format!("{all};{p}")));
    let whole = if to == BARE { "\x1b[m".to_owned() } else { whole };
    let Some(from) = from else { return whole };
    let less = format!("\x1b[{}m", parts(from, to).join(";"));
    if less.len() < whole.len() { less } else { whole }
}

/// Attributes, how they are turned on, and off.
const ATTRIBUTES: [(Modifier, &str, &str); 9] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::SLOW_BLINK, "5", "25"),
    (Modifier::RAPID_BLINK, "6", "25"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::HIDDEN, "8", "28"),
    (Modifier::CROSSED_OUT, "9", "29"),
];

fn parts(from: Look, to: Look) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut held = from.modifier;
    for (attribute, _, off) in ATTRIBUTES {
        if from.modifier.contains(attribute) && !to.modifier.contains(attribute) {
            // What is turned off together with it goes too, and is turned on again below.
            let together = ATTRIBUTES.iter().filter(|a| a.2 == off).fold(Modifier::empty(), |all, a| all | a.0);
            held -= together;
            if parts.last().is_none_or(|last| last != off) {
                parts.push(off.to_owned());
            }
        }
    }
    let on = ATTRIBUTES.iter().filter(|a| to.modifier.contains(a.0) && !held.contains(a.0));
    parts.extend(on.map(|a| a.1.to_owned()));
    if from.fg != to.fg {
        parts.push(colour(to.fg, 30));
    }
    if from.bg != to.bg {
        parts.push(colour(to.bg, 40));
    }
    parts
}

fn colour(colour: Color, base: u8) -> String {
    let named = |n: u8| (base + n).to_string();
    let bright = |n: u8| (base + 60 + n).to_string();
    match colour {
        Color::Reset => named(9),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// What others write goes into the frame; they say so with `forget` where it moves the cursor.
impl<W: Write> Write for Painter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.len() > TORN {
            self.frame.splice(0..0, *b"\x1b[?2026h");
            self.frame.extend_from_slice(b"\x1b[?2026l");
        }
        let sent = self.out.write_all(&self.frame);
        self.frame.clear();
        sent.and_then(|()| self.out.flush())
    }
}

impl<W: Write> Backend for Painter<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (x, y, cell) in content {
            self.put(x, y, cell);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.shown.replace(false) != Some(false) {
            self.frame.extend_from_slice(b"\x1b[?25l");
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.shown.replace(true) != Some(true) {
            self.frame.extend_from_slice(b"\x1b[?25h");
        }
        Ok(())
    }

    /// Asked of nobody: the terminal may not answer.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.at.map_or(Position::ORIGIN, |(x, y)| Position { x, y }))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        self.go(x, y);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, what: ClearType) -> io::Result<()> {
        self.wear(BARE);
        self.frame.extend_from_slice(match what {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = crossterm::terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size { width: 0, height: 0 } })
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(self)
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{buffer::Buffer, layout::Rect, style::Style};

    use super::*;

    fn painted(frames: &[Buffer]) -> (Vec<Vec<u8>>, vt100::Parser) {
        let area = frames[0].area;
        let mut painter = Painter::new(Vec::new());
        painter.resized(area.width);
        let mut parser = vt100::Parser::new(area.height, area.width, 0);
        let (mut sent, mut before) = (Vec::new(), Buffer::empty(area));
        for frame in frames {
            painter.draw(before.diff(frame).into_iter()).unwrap();
            Write::flush(&mut painter).unwrap();
            let bytes = std::mem::take(&mut painter.out);
            parser.process(&bytes);
            sent.push(bytes);
            before = frame.clone();
        }
        (sent, parser)
    }

    /// Whatever came before, the terminal shows the frame: letters, colours, attributes.
    #[test]
    fn the_terminal_shows_the_frame_after_any_other() {
        let area = Rect::new(0, 0, 40, 12);
        let colours = [Color::Reset, Color::Red, Color::White, Color::DarkGray, Color::Indexed(130), Color::Rgb(9, 80, 200)];
        // Two cells each: half a letter is none of ours.
        let letters = ["a ", "  ", "│ ", "éa", "日", "e\u{301} ", "●●", "Z "];
        let mut die: u32 = 7;
        let mut roll = |n: usize| {
            die = die.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (die >> 8) as usize % n
        };
        let mut frames = vec![Buffer::empty(area)];
        for _ in 0..60 {
            let mut next = frames.last().unwrap().clone();
            for _ in 0..40 {
                let (x, y) = (roll(20) as u16 * 2, roll(12) as u16);
                let modifier = Modifier::from_bits_truncate(roll(512) as u16) & (Modifier::BOLD | Modifier::ITALIC | Modifier::UNDERLINED | Modifier::REVERSED);
                let style = Style::new().fg(colours[roll(6)]).bg(colours[roll(6)]).add_modifier(modifier).remove_modifier(!modifier);
                next.set_stringn(x, y, letters[roll(8)], 2, style);
            }
            frames.push(next);
        }
        let (_, parser) = painted(&frames);
        let last = frames.last().unwrap();
        let mut fresh = vt100::Parser::new(12, 40, 0);
        for (x, y, cell) in Buffer::empty(area).diff(last) {
            let look = Look { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
            fresh.process(format!("\x1b[{};{}H{}{}", y + 1, x + 1, sgr(None, look), cell.symbol()).as_bytes());
        }
        for y in 0..12 {
            for x in 0..40 {
                let (is, wanted) = (parser.screen().cell(y, x).unwrap(), fresh.screen().cell(y, x).unwrap());
                let seen = |c: &vt100::Cell| (c.contents().trim().to_owned(), c.bgcolor(), c.inverse(), c.underline());
                assert_eq!(seen(is), seen(wanted), "{x},{y}");
                if !wanted.contents().trim().is_empty() {
                    assert_eq!((is.fgcolor(), is.bold(), is.italic()), (wanted.fgcolor(), wanted.bold(), wanted.italic()), "{x},{y}");
                }
            }
        }
    }

    #[test]
    fn a_clock_in_twenty_rows_costs_a_few_bytes_a_row() {
        let area = Rect::new(0, 0, 120, 40);
        let style = Style::new().fg(Color::Rgb(200, 210, 220)).bg(Color::Rgb(15, 20, 27));
        let frame = |second: usize| {
            let mut frame = Buffer::empty(area);
            frame.set_style(area, style);
            for y in 5..25 {
                frame.set_string(50, y, format!("00:{second:02}"), style);
            }
            frame
        };
        let (sent, _) = painted(&[frame(3), frame(4), frame(4)]);
        assert!(sent[1].len() <= 8 + 20 * 5, "{:?}", String::from_utf8_lossy(&sent[1]));
        assert_eq!(sent[2], b"", "what stays is not sent");
    }

    /// A wide letter, or one of several, may be drawn narrower or wider than we think: what follows has its place said.
    #[test]
    fn no_letter_moves_what_stands_behind_it() {
        let area = Rect::new(0, 0, 20, 2);
        for name in ["日", "e\u{301}", "☎\u{fe0f}"] {
            let mut frame = Buffer::empty(area);
            frame.set_string(0, 0, format!("{name}x"), Style::new());
            let (sent, _) = painted(&[frame]);
            let text = String::from_utf8(sent[0].clone()).unwrap();
            let behind = text.split_once(name).unwrap().1;
            assert!(behind.starts_with("\x1b[1;") || behind.starts_with("\x1b[m\x1b[1;"), "{text:?}");
        }
    }
}
