//! Names that are written from the right: a terminal that reorders a line would pull the time beside such a name into
//! it. What stands in their letters is isolated, by marks that take no cell (tried in tmux 3.3, and terminals that do
//! not reorder pass them over).

use ratatui::buffer::Buffer;

/// First strong isolate, and its end.
const BEGIN: char = '\u{2068}';
const END: char = '\u{2069}';

/// Isolates each run of letters from the right, with the blanks between its words.
pub fn isolate(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width).max(1);
    for line in buffer.content.chunks_mut(width) {
        let mut at = 0;
        while let Some(first) = (at..line.len()).find(|x| from_right(line[*x].symbol())) {
            let last = end(line.iter().map(ratatui::buffer::Cell::symbol), first);
            let begun = format!("{BEGIN}{}", line[first].symbol());
            line[first].set_symbol(&begun);
            let ended = format!("{}{END}", line[last].symbol());
            line[last].set_symbol(&ended);
            at = last + 1;
        }
    }
}

/// The last cell of the run: one blank between words is in it.
fn end<'a>(cells: impl Iterator<Item = &'a str>, first: usize) -> usize {
    let mut last = first;
    for (x, symbol) in cells.enumerate().skip(first) {
        if from_right(symbol) {
            last = x;
        } else if symbol != " " || x > last + 1 {
            break;
        }
    }
    last
}

/// A letter of Hebrew, Arabic and the other scripts from the right.
fn from_right(symbol: &str) -> bool {
    let c = symbol.chars().next().unwrap_or(' ');
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}
