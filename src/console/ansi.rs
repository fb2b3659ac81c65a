//! What a terminal understands: the shortest way to a place, what turns one look into another, and which letters
//! stand still.

use std::borrow::Cow;

use ratatui::{
    buffer::Cell,
    style::{Color, Modifier},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::text::is_harmful;

/// Colours and attributes of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub fg: Color,
    pub bg: Color,
    pub modifier: Modifier,
}

pub const BARE: Look = Look { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// What shows on a blank: no colour of letters, no weight.
pub const ON_BLANKS: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

impl Look {
    #[must_use]
    pub fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// Whether a blank that is to look like `blank` can be written in this.
    #[must_use]
    pub fn serves(self, blank: Self) -> bool {
        self.bg == blank.bg && !(self.modifier | blank.modifier).intersects(ON_BLANKS)
    }
}

/// Isolates, and the mark of their end: what comes from outside has none of them when it is painted.
pub const ISOLATES: [char; 4] = ['\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'];
/// First strong isolate, and its end: what goes out round letters from the right.
pub const BEGIN: char = ISOLATES[2];
pub const END: char = ISOLATES[3];
/// In the letters of a cell: it is of a run of letters from the right, or stands before one.
pub const LETTER: char = ISOLATES[2];
pub const LEAD: char = ISOLATES[0];

/// Marks that a letter keeps: more of them are a tower over other people's rows.
const MARKS: usize = 4;

/// A letter with what stands on it, and nothing that moves, hides or turns what stands beside it.
pub fn standing(symbol: &str) -> Cow<'_, str> {
    if symbol.len() == 1 && !symbol.as_bytes()[0].is_ascii_control() {
        return Cow::Borrowed(symbol);
    }
    let mut letters = symbol.chars().filter(|c| !is_harmful(*c));
    let Some(first) = letters.next() else { return Cow::Borrowed(" ") };
    let is_mark = |c: &char| c.width().unwrap_or(0) == 0;
    // A syllable of several letters stands whole where it takes the cells that were kept for it.
    let whole: String = symbol.chars().filter(|c| !is_harmful(*c)).collect();
    let cells = symbol.width();
    if whole.width() == cells && whole.chars().filter(is_mark).count() <= MARKS {
        return Cow::Owned(whole);
    }
    let mut part: String = std::iter::once(first).chain(letters.filter(is_mark).take(MARKS)).collect();
    // What is left of its cells is blank, and not what stood there before.
    part.extend(std::iter::repeat_n(' ', cells.saturating_sub(part.width())));
    Cow::Owned(part)
}

/// The shortest way to a place.
pub fn shortest(from: Option<(u16, u16)>, x: u16, y: u16) -> String {
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
pub fn sgr(from: Option<Look>, to: Look) -> String {
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
