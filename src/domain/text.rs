//! Foreign text made harmless: names, notes and provider errors come from strangers and meet
//! terminals, logs and files.

use super::FieldError;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Removes control characters, escape sequences' starters, bidirectional overrides and zero-width
/// characters; folds line breaks and tabs into single spaces; keeps at most `max` characters.
#[must_use]
pub fn clean(text: &str, max: usize) -> String {
    // Most text is plain and short: no need to look at its letters one by one.
    if text.len() <= max && is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(max));
    let mut n = 0;
    for c in text.chars() {
        let c = match c {
            '\n' | '\r' | '\t' => ' ',
            c if is_harmful(c) => continue,
            c => c,
        };
        if c == ' ' && out.ends_with(' ') {
            continue;
        }
        if n == max {
            out.push('…');
            break;
        }
        out.push(c);
        n += 1;
    }
    out
}

/// Whether a text names something: a letter of it can be seen, and it is not longer than `max`.
#[must_use]
pub fn is_name(text: &str, max: usize) -> bool {
    !clean(text, max).trim().is_empty() && text.trim().chars().count() <= max
}

/// The longest note, and reason, letters.
pub const LONGEST_NOTE: usize = 4000;

/// What is wrong with a text that somebody wrote into a field that may be empty.
#[must_use]
pub fn complaint(field: &'static str, text: &str, max: usize) -> Option<FieldError> {
    if text.trim().chars().count() > max {
        return Some(FieldError::new(field, format!("at most {max} characters")));
    }
    let unseen = !text.trim().is_empty() && clean(text, max).trim().is_empty();
    unseen.then(|| FieldError::new(field, "no character of it can be seen"))
}

/// A text that may be empty, cleaned.
///
/// # Errors
/// When it is too long, or nothing of it can be seen.
pub fn written(field: &'static str, text: &str, max: usize) -> Result<String, FieldError> {
    complaint(field, text, max).map_or_else(|| Ok(clean(text.trim(), max)), Err)
}

/// The same of a text of several lines: they are kept.
///
/// # Errors
/// As [`written`].
pub fn lines_written(field: &'static str, text: &str, max: usize) -> Result<String, FieldError> {
    if let Some(wrong) = complaint(field, text, max) {
        return Err(wrong);
    }
    let lines: Vec<String> = text.trim().lines().map(|line| clean(line.trim_end(), max)).collect();
    Ok(lines.join("\n"))
}

/// Whether a text is printable ASCII without two blanks on end, in one look: an import cleans every cell.
fn is_plain(text: &str) -> bool {
    let mut last = 0;
    text.bytes().all(|b| {
        let before = std::mem::replace(&mut last, b);
        (0x20..0x7f).contains(&b) && (b, before) != (b' ', b' ')
    })
}

/// Characters that move a cursor, hide text or change its direction.
#[must_use]
pub fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Small letters without accents and in their plain forms, for words that are compared: "Teléfono" and
/// "TELEFONO" are one.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let bare = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let plain = |c| match c {
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ı' => 'i',
        c => c,
    };
    bare.map(plain).nfc().collect()
}

/// The last four digits of a number, for logs: real people's numbers are never written in full.
#[must_use]
pub fn tail(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    let from = chars.len().saturating_sub(4);
    format!("..{}", chars[from..].iter().collect::<String>())
}

/// What a panic said, in one line.
#[must_use]
pub fn of_panic(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    clean(words.unwrap_or("a panic without words"), 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overrides_are_removed() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{7}", 50), "a[31mbc");
        assert_eq!(clean("two\r\n lines\tand", 50), "two lines and");
        assert_eq!(clean("abcdef", 3), "abc…");
        assert_eq!((clean("a  b", 9), clean("a b c", 9), clean("  ", 9)), ("a b".into(), "a b c".into(), " ".into()));
    }

    #[test]
    fn tail_hides_all_but_four() {
        assert_eq!(tail("+12025550142"), "..0142");
        assert_eq!(tail("12"), "..12");
    }
}
