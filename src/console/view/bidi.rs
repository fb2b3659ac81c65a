//! Names that are written from the right: a terminal that reorders a line would pull the time beside such a name into
//! it. Their letters are marked here, with the cell before them, and the painter puts our isolates round what it sends
//! of them. Isolates that came from outside are taken away.

use std::hash::{Hash, Hasher};

use ratatui::buffer::{Buffer, Cell};

use crate::console::ansi::{ISOLATES, LEAD, LETTER};

/// Letters of a mark behind the first: which name a cell is of, so that a change of any letter sends all of them.
const DIGITS: usize = 4;

/// Marks each run of letters from the right, with the blanks between its words.
pub fn isolate(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width).max(1);
    for line in buffer.content.chunks_mut(width) {
        for cell in line.iter_mut().filter(|c| c.symbol().len() > 2 && c.symbol().contains(ISOLATES)) {
            let bare: String = cell.symbol().chars().filter(|c| !ISOLATES.contains(c)).collect();
            cell.set_symbol(if bare.is_empty() { " " } else { &bare });
        }
        let mut at = 0;
        while let Some(first) = (at..line.len()).find(|x| from_right(line[*x].symbol())) {
            let last = end(line.iter().map(Cell::symbol), first);
            let name = mark(&line[first..=last]);
            // What a terminal keeps of an isolate it keeps with the cell before it.
            if first > at && line[first - 1].symbol().chars().count() == 1 {
                put(&mut line[first - 1], LEAD, &name);
            }
            for cell in &mut line[first..=last] {
                put(cell, LETTER, &name);
            }
            at = last + 1;
        }
    }
}

fn put(cell: &mut Cell, kind: char, name: &str) {
    let marked = format!("{}{kind}{name}", cell.symbol());
    cell.set_symbol(&marked);
}

/// Which name it is, in letters that take no cell.
fn mark(cells: &[Cell]) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    for cell in cells {
        cell.symbol().hash(&mut hasher);
    }
    let hash = hasher.finish().to_le_bytes();
    hash.iter().take(DIGITS).map(|byte| ISOLATES[usize::from(byte & 3)]).collect()
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
