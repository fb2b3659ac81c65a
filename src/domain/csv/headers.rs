//! The words of a header, however it is written: what all comparing of headers goes by.

use crate::domain::text::fold;

/// The words of a header: `HasOptedOutOfCall`, `do_not_call` and `Do Not Call` have theirs.
pub fn words(header: &str) -> Vec<String> {
    let chars: Vec<char> = header.chars().collect();
    let mut out = vec![String::new()];
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let next = chars.get(i + 1);
        let hump = before.is_some_and(|b| {
            (b.is_lowercase() && c.is_uppercase())
                || (b.is_uppercase() && c.is_uppercase() && next.is_some_and(|n| n.is_lowercase()))
                || (b.is_ascii_digit() != c.is_ascii_digit() && b.is_alphanumeric())
        });
        if hump {
            out.push(String::new());
        }
        match out.last_mut() {
            // Marks over letters are no end of a word; an apostrophe is none of "don't".
            Some(word) if c.is_alphanumeric() || !c.is_ascii() && !c.is_whitespace() => word.push(*c),
            Some(_) if matches!(c, '\'') => {}
            _ => out.push(String::new()),
        }
    }
    let words = out.iter().map(|w| fold(w).chars().filter(|c| c.is_alphanumeric()).collect::<String>()).filter(|w| !w.is_empty());
    spelled(&words.collect::<Vec<_>>())
}

/// Letters that stand alone in a row are one word: `D.N.C.`
fn spelled(words: &[String]) -> Vec<String> {
    let alone = |w: &String| w.len() == 1 && w.bytes().all(|b| b.is_ascii_lowercase());
    let mut out: Vec<String> = Vec::new();
    for row in words.chunk_by(|a, b| alone(a) && alone(b)) {
        if row.len() > 2 { out.push(row.concat()) } else { out.extend_from_slice(row) }
    }
    out
}

/// A header as it is compared: its words together.
pub fn key(header: &str) -> String {
    words(header).concat()
}
