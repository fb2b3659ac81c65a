//! Typed values out of the table of texts: what cannot be read is complained of with its source, and reading goes on.

use super::{Complaint, SECRETS, Values, shown};

/// Reads typed values out of the table and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) values: &'a Values,
    pub(super) complaints: Vec<Complaint>,
}

impl Reader<'_> {
    pub(super) fn text(&self, key: &str) -> String {
        self.values.get(key).map(|v| v.text.trim().to_owned()).unwrap_or_default()
    }

    pub(super) fn complain(&mut self, key: &str, message: impl Into<String>) {
        let source = self.values.get(key).map_or_else(|| key.to_owned(), |v| format!("{} ({key})", v.source));
        self.complaints.push(Complaint { source, message: message.into() });
    }

    pub(super) fn parse<T: std::str::FromStr>(&mut self, key: &str, fallback: T, wanted: &str) -> T {
        let text = self.text(key);
        text.parse().unwrap_or_else(|_| {
            self.complain(key, format!("\"{text}\" is not {wanted}"));
            fallback
        })
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        match self.text(key).to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            other => {
                let words = format!("\"{other}\" is neither true nor false");
                self.complain(key, words);
                false
            }
        }
    }

    /// A value that still is the spec's placeholder: a word of it begins so, as no name in a path or a host
    /// does by chance ("find-your-home").
    pub(super) fn placeholder(&mut self, key: &str) {
        let text = self.text(key);
        if matches!(key, "log.file") || text.starts_with("sqlite:") {
            return;
        }
        let word = |w: &str| w.starts_with("your_") || w.starts_with("your-");
        if text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).any(word) {
            let named = if SECRETS.contains(&key) { "its value".to_owned() } else { format!("\"{}\"", shown(key, &text)) };
            self.complain(key, format!("{named} is a placeholder: put the real value in, or remove the line"));
        }
    }

    /// A key of a later release: said, not silently passed over.
    pub(super) fn later(&mut self, key: &str, allowed: &[&str], words: &str) {
        let text = self.text(key);
        if !allowed.contains(&text.as_str()) {
            self.complain(key, format!("{words}: remove it, or leave it at its default"));
        }
    }
}

pub(super) fn optional<T: std::str::FromStr>(r: &mut Reader<'_>, key: &str, wanted: &str) -> Option<T> {
    let text = r.text(key);
    if text.is_empty() {
        return None;
    }
    text.parse().map_err(|_| r.complain(key, format!("\"{text}\" is not {wanted}"))).ok()
}

pub(super) fn one_of(r: &mut Reader<'_>, key: &str, allowed: &[&str]) -> String {
    let text = r.text(key);
    if !allowed.contains(&text.as_str()) {
        r.complain(key, format!("\"{text}\" is none of {}", allowed.join(", ")));
    }
    text
}
