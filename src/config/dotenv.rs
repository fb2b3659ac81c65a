//! A `.env` file: `KEY=value`, quotes and `export` allowed, `#` comments. What cannot be read is told, for
//! a line that is passed over may be the one that keeps the engine from dialling.

use std::collections::BTreeMap;

/// Reads the bytes of a `.env` file.
///
/// # Errors
/// The line that cannot be read, never its value.
pub fn parse(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].split(|b| *b == b'\n').count();
        format!("line {line} is no UTF-8: save the file as UTF-8")
    })?;
    let mut out = BTreeMap::new();
    for (i, line) in text.split(['\n', '\r']).enumerate() {
        let line = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let line = line.strip_prefix("export").filter(|l| l.starts_with([' ', '\t'])).unwrap_or(line);
        let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            match line.split_once(':').map(|(name, _)| name.trim_end()).filter(|name| is_name(name)) {
                Some(name) => return Err(format!("line {} ({name}) has a colon where = belongs", 1 + i)),
                None => continue,
            }
        };
        let value = value_of(value).map_err(|e| format!("line {} ({}) {e}", 1 + i, key.trim()))?;
        out.insert(key.trim().to_owned(), value);
    }
    Ok(out)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Without quotation marks and comments.
fn value_of(text: &str) -> Result<String, &'static str> {
    let start = text.trim_start();
    let Some(quote) = start.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        // A comment begins behind a space; "#" may be a part of a value.
        let comment = text.char_indices().find(|(i, c)| *c == '#' && text[..*i].ends_with([' ', '\t']));
        return Ok(comment.map_or(text, |(i, _)| &text[..i]).trim().to_owned());
    };
    let mut value = String::new();
    let mut chars = start[1..].chars();
    loop {
        match chars.next() {
            None => return Err("opens a quotation mark and does not close it"),
            Some('\\') if quote == '"' => match chars.next() {
                Some(c @ ('"' | '\\' | '$')) => value.push(c),
                Some('n') => value.push('\n'),
                other => value.extend(std::iter::once('\\').chain(other)),
            },
            Some(c) if c == quote => break,
            Some(c) => value.push(c),
        }
    }
    let rest = chars.as_str();
    let comment = rest.trim().is_empty() || rest.trim_start().starts_with('#');
    if comment { Ok(value) } else { Err("has text behind its quotation mark") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_they_are_written() {
        for (line, want) in [
            ("A=1", "1"),
            ("\u{feff}A=1", "1"),
            ("export A=\"two words\"", "two words"),
            ("export\tA=1", "1"),
            ("A='x' ", "x"),
            ("A=plain # note", "plain"),
            ("A=plain\t# note", "plain"),
            ("A= # note", ""),
            ("A=#fff", "#fff"),
            ("A=a#b", "a#b"),
            ("A=\"wss://a.example\" # prod", "wss://a.example"),
            ("A='it # is' # note", "it # is"),
            ("A=\"a \\\"b\\\" \\\\ \\d\"", "a \"b\" \\ \\d"),
            ("A=\"\" # none", ""),
            ("  A = 1  ", "1"),
            ("A=x=y", "x=y"),
            ("A=1\r", "1"),
        ] {
            assert_eq!(parse(line.as_bytes()).map(|e| e.get("A").cloned()), Ok(Some(want.to_owned())), "{line:?}");
        }
        assert_eq!(parse(b"#A=1\n# B=2\nnothing\n"), Ok(BTreeMap::new()));
    }

    #[test]
    fn what_cannot_be_read_is_told_without_its_value() {
        for (bytes, words) in [
            (&b"A=1\n# Jos\xe9\nB=2\n"[..], "line 2 is no UTF-8"),
            (b"A=\"hunter2\n", "line 1 (A) opens a quotation mark"),
            (b"A=\"hunter2\"x\n", "line 1 (A) has text behind"),
            (b"B=1\nLIVEKIT_HOST: hunter2\n", "line 2 (LIVEKIT_HOST) has a colon"),
            (b"\xff\xfeA\0=\x001\0", "line 1 is no UTF-8"),
        ] {
            let e = parse(bytes).unwrap_err();
            assert!(e.contains(words) && !e.contains("hunter2"), "{e}");
        }
    }
}
