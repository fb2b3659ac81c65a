//! Sends what changed and nothing else: it knows where the cursor stands and which colours hold, across frames
//! too, so that a clock that ticks in twenty rows costs a few bytes a row. A frame goes out in one write.
//!
//! Where terminals disagree about how wide a letter is, the cursor is put where it belongs by its place, so that one
//! name never moves the columns behind it. Letters from the right go out in an isolate of their own, each time that
//! some are sent: one that is begun is ended before anything else.

use std::io::{self, Write};

use ratatui::{
    backend::{Backend, ClearType, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
};
use unicode_width::UnicodeWidthStr;

use super::ansi::{BARE, BEGIN, END, ISOLATES, LETTER, Look, ON_BLANKS, sgr, shortest, standing};

/// A frame of more bytes is shown all at once where the terminal can: a smaller one is one read anyway.
const TORN: usize = 512;

/// Letters beside each other that look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    x: u16,
    y: u16,
    text: String,
    cells: u16,
    look: Look,
    blank: bool,
    /// How many cells it takes is the terminal's opinion.
    rough: bool,
    /// Letters from the right.
    isolated: bool,
}

/// Cells that stay are sent again rather than gone around, up to so many.
const BRIDGE: u16 = 8;

pub struct Painter<W: Write> {
    out: W,
    frame: Vec<u8>,
    pen: Pen,
    shown: Option<bool>,
    columns: u16,
    /// What stands on the screen, where that is one plain letter.
    known: Vec<Option<(char, Look)>>,
}

impl<W: Write> Painter<W> {
    pub fn new(out: W) -> Self {
        Self { out, frame: Vec::with_capacity(64 << 10), pen: Pen::default(), shown: None, columns: 0, known: Vec::new() }
    }

    /// Somebody else has written to the terminal.
    pub fn forget(&mut self) {
        (self.pen, self.shown) = (Pen { columns: self.columns, ..Pen::default() }, None);
        self.known.clear();
    }

    pub fn resized(&mut self, columns: u16) {
        if std::mem::replace(&mut self.columns, columns) != columns {
            self.known.clear();
            (self.pen.at, self.pen.columns) = (None, columns);
        }
    }

    fn known(&mut self, x: u16, y: u16) -> &mut Option<(char, Look)> {
        let at = usize::from(y) * usize::from(self.columns.max(1)) + usize::from(x);
        if self.known.len() <= at {
            self.known.resize(at + 1, None);
        }
        &mut self.known[at]
    }

    /// What is to be sent, as runs in the order of the screen.
    fn runs<'a>(&mut self, content: impl Iterator<Item = (u16, u16, &'a Cell)>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (x, y, cell) in content {
            let symbol = standing(cell.symbol());
            let isolated = mark(cell.symbol()) == Some(LETTER);
            let rough = isolated || symbol.width() != 1 || symbol.chars().nth(1).is_some();
            let look = Look::of(cell);
            let blank = !isolated && symbol == " " && !look.modifier.intersects(ON_BLANKS);
            let new = Run { x, y, cells: 1, look, blank, rough, isolated, text: symbol.into_owned() };
            *self.known(x, y) = new.text.chars().next().filter(|_| !rough).map(|c| (c, look));
            let wide = u16::try_from(new.text.width()).unwrap_or(1);
            for covered in 1..wide {
                *self.known(x + covered, y) = None;
            }
            let joined = runs.last_mut().is_some_and(|last| last.takes(&new) || self.bridge(last, &new).is_some_and(|between| last.join(&between, &new)));
            if !joined {
                runs.push(new);
            }
        }
        runs
    }

    /// What stands between two runs of a row, where it is known and short.
    fn bridge(&self, last: &Run, next: &Run) -> Option<Vec<(char, Look)>> {
        let end = last.x + last.cells;
        if last.y != next.y || next.x < end || next.x - end > BRIDGE || last.rough || next.rough {
            return None;
        }
        let row = usize::from(next.y) * usize::from(self.columns.max(1));
        (end..next.x).map(|x| self.known.get(row + usize::from(x)).copied().flatten()).collect()
    }
}

/// What a cell is marked as: foreign isolates are gone before a frame is painted.
fn mark(symbol: &str) -> Option<char> {
    if symbol.len() == 1 { None } else { symbol.chars().find(|c| ISOLATES.contains(c)) }
}

impl Run {
    /// Takes the next letter from the right; `false`: it is none, or stands elsewhere or looks different.
    fn takes(&mut self, next: &Self) -> bool {
        let beside = self.y == next.y && next.x == self.x + self.cells;
        let taken = self.isolated && next.isolated && beside && self.look == next.look;
        if taken {
            self.text.push_str(&next.text);
            self.cells += 1;
        }
        taken
    }

    /// Takes what follows, where it looks the same; `false`: it does not.
    fn join(&mut self, between: &[(char, Look)], next: &Self) -> bool {
        let mut look = (self.look, self.blank);
        let parts = between.iter().map(|(c, look)| (*look, *c == ' ' && !look.modifier.intersects(ON_BLANKS))).chain([(next.look, next.blank)]);
        for (is, blank) in parts {
            look = match look {
                (now, _) if now == is => (now, look.1 && blank),
                (now, was_blank) if blank && now.serves(is) => (now, was_blank),
                (now, true) if is.serves(now) => (is, blank),
                _ => return false,
            };
        }
        (self.look, self.blank) = look;
        self.text.extend(between.iter().map(|(c, _)| *c));
        self.text.push_str(&next.text);
        self.cells = next.x + 1 - self.x;
        true
    }
}

/// Where the cursor stands and what letters look like; unknown at first, and after what others wrote.
#[derive(Debug, Clone, Copy, Default)]
struct Pen {
    at: Option<(u16, u16)>,
    look: Option<Look>,
    /// At the right edge terminals wait with their cursor in different places.
    columns: u16,
}

impl Pen {
    fn go(&mut self, to: &mut Vec<u8>, x: u16, y: u16) {
        if self.at != Some((x, y)) {
            to.extend_from_slice(shortest(self.at, x, y).as_bytes());
            self.at = Some((x, y));
        }
    }

    fn wear(&mut self, to: &mut Vec<u8>, look: Look) {
        if self.look != Some(look) {
            to.extend_from_slice(sgr(self.look, look).as_bytes());
            self.look = Some(look);
        }
    }

    fn write(&mut self, to: &mut Vec<u8>, run: &Run) {
        self.go(to, run.x, run.y);
        if !(run.blank && self.look.is_some_and(|now| now.serves(run.look))) {
            self.wear(to, run.look);
        }
        if run.isolated {
            to.extend_from_slice(format!("{BEGIN}{}{END}", run.text).as_bytes());
        } else {
            to.extend_from_slice(run.text.as_bytes());
        }
        let end = run.x + run.cells;
        self.at = (!run.rough && end < self.columns).then_some((end, run.y));
    }

    fn write_all<'a>(mut self, runs: impl Iterator<Item = &'a Run>) -> (Vec<u8>, Self) {
        let mut bytes = Vec::new();
        for run in runs {
            self.write(&mut bytes, run);
        }
        (bytes, self)
    }
}

/// The runs by their looks, the one that holds first: a colour costs more than a way.
fn by_look(runs: &[Run], now: Option<Look>) -> Vec<&Run> {
    let mut looks: Vec<Look> = now.into_iter().collect();
    for run in runs {
        if !looks.contains(&run.look) {
            looks.push(run.look);
        }
    }
    let mut sorted: Vec<&Run> = runs.iter().collect();
    sorted.sort_by_key(|run| looks.iter().position(|l| *l == run.look));
    sorted
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
        let runs = self.runs(content);
        let mut sent = self.pen.write_all(runs.iter());
        // Halves of wide letters are sent in their order.
        if !runs.iter().any(|r| r.rough) {
            let other = self.pen.write_all(by_look(&runs, self.pen.look).into_iter());
            if other.0.len() < sent.0.len() {
                sent = other;
            }
        }
        self.frame.extend_from_slice(&sent.0);
        self.pen = sent.1;
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
        Ok(self.pen.at.map_or(Position::ORIGIN, |(x, y)| Position { x, y }))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        self.pen.go(&mut self.frame, x, y);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, what: ClearType) -> io::Result<()> {
        self.pen.wear(&mut self.frame, BARE);
        self.known.clear();
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
    use ratatui::{
        buffer::Buffer,
        layout::Rect,
        style::{Color, Modifier, Style},
    };

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
        let mut roll = |n: u16| {
            die = die.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u16::try_from((die >> 8) % u32::from(n)).unwrap()
        };
        let mut frames = vec![Buffer::empty(area)];
        for _ in 0..60 {
            let mut next = frames.last().unwrap().clone();
            for _ in 0..40 {
                let (x, y) = (roll(20) * 2, roll(12));
                let modifier = Modifier::from_bits_truncate(roll(512)) & (Modifier::BOLD | Modifier::ITALIC | Modifier::UNDERLINED | Modifier::REVERSED);
                let style = Style::new().fg(colours[usize::from(roll(6))]).bg(colours[usize::from(roll(6))]).add_modifier(modifier).remove_modifier(!modifier);
                next.set_stringn(x, y, letters[usize::from(roll(8))], 2, style);
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
