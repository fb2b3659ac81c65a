//! A plain screen: what is drawn around the words, in letters that every terminal and every reader of screens
//! knows. The words themselves, names among them, stay as they are.

use ratatui::buffer::Buffer;

/// Lines, corners, marks and bars in ASCII.
pub fn letters(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if let Some(letter) = plain(cell.symbol()) {
            cell.set_symbol(letter);
        }
    }
}

fn plain(symbol: &str) -> Option<&'static str> {
    let c = symbol.chars().next().filter(|c| !c.is_ascii())?;
    Some(match c {
        '─' | '═' => "-",
        '│' | '║' => "|",
        // The other lines and corners.
        '\u{2500}'..='\u{257f}' => "+",
        '▌' | '…' => ">",
        '▏' => ":",
        // Bars, the low half of them faint.
        '\u{2581}'..='\u{2584}' => "_",
        '\u{2580}'..='\u{259f}' => "#",
        '●' | '•' => "*",
        '✓' => "v",
        '✗' => "x",
        '·' => ".",
        _ => return None,
    })
}
