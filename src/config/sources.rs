//! Where values come from: files, the environment and flags, gathered into one flat table, each with its source. A key
//! that nobody knows is told with the nearest that is known.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{Complaint, ConfigError, ENVIRONMENT, KEYS};
use crate::domain::text::clean;

/// A value and where it came from.
#[derive(Debug, Clone)]
pub struct Value {
    pub text: String,
    pub source: String,
}

/// All keys with a value, by their dotted name.
pub type Values = BTreeMap<&'static str, Value>;

/// Where values may come from, given by the caller so that tests need no real environment.
#[derive(Debug, Default, Clone)]
pub struct Sources {
    /// Files in order, the later wins; a missing one is skipped unless it was named by hand.
    pub files: Vec<(PathBuf, bool)>,
    /// Environment variables, `.env` included.
    pub environment: BTreeMap<String, String>,
    /// Keys set by flags.
    pub flags: Vec<(&'static str, String)>,
}

/// Gathers the values of all layers.
///
/// # Errors
/// Unknown keys, unreadable files and broken TOML, all at once.
pub fn extract(sources: &Sources) -> Result<Values, ConfigError> {
    let mut values: Values = KEYS.iter().filter_map(|(k, default)| Some((*k, Value { text: (*default)?.to_owned(), source: "default".to_owned() }))).collect();
    let mut complaints = Vec::new();
    for (path, named) in &sources.files {
        read_file(path, *named, &mut values, &mut complaints);
    }
    read_environment(&sources.environment, &mut values, &mut complaints);
    for (key, text) in &sources.flags {
        values.insert(key, Value { text: text.clone(), source: "flag".to_owned() });
    }
    if complaints.is_empty() { Ok(values) } else { Err(ConfigError(complaints)) }
}

fn read_file(path: &Path, named: bool, values: &mut Values, complaints: &mut Vec<Complaint>) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !named => return,
        Err(e) => return complaints.push(Complaint { source: path.display().to_string(), message: format!("cannot be read: {e}") }),
    };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(e) => {
            let e: toml::de::Error = e;
            // Not the line itself: its value may be a secret.
            let line = text.as_bytes()[..e.span().map_or(0, |s| s.start.min(text.len()))].split(|b| *b == b'\n').count();
            let message = format!("is no TOML: {}", clean(e.message(), 200));
            return complaints.push(Complaint { source: format!("{}:{line}", path.display()), message });
        }
    };
    let mut flat = Vec::new();
    flatten("", &table, &mut flat);
    for (name, value) in flat {
        let source = format!("{}:{}", path.display(), line_of(&text, &name));
        match known(&name) {
            Some(key) => drop(values.insert(key, Value { text: value, source })),
            None => complaints.push(Complaint { source, message: unknown("key", &name, KEYS.iter().map(|(k, _)| *k)) }),
        }
    }
}

fn flatten(prefix: &str, table: &toml::Table, out: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, out),
            toml::Value::Array(list) => {
                let items: Vec<String> = list.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
                out.push((name, items.join(",")));
            }
            toml::Value::String(s) => out.push((name, s.clone())),
            other => out.push((name, other.to_string())),
        }
    }
}

/// The line a key stands on: inside its section's header, counted from 1.
fn line_of(text: &str, name: &str) -> usize {
    let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
    let mut inside = section.is_empty();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            inside = header.trim() == section;
        } else if inside && line.split('=').next().is_some_and(|k| k.trim().trim_matches('"') == key) {
            return i + 1;
        }
    }
    1
}

fn known(name: &str) -> Option<&'static str> {
    KEYS.iter().map(|(k, _)| *k).find(|k| *k == name)
}

/// Variables of ours that are no keys; the last kills test builds only.
const OURS: &[&str] = if cfg!(debug_assertions) { &["OPERATOR", "LOG", "FAILPOINT"] } else { &["OPERATOR", "LOG"] };

fn read_environment(environment: &BTreeMap<String, String>, values: &mut Values, complaints: &mut Vec<Complaint>) {
    // The spec's own names first, so that a DIALDECK_ variable wins over them.
    for (variable, key) in ENVIRONMENT {
        if let Some(text) = environment.get(*variable).filter(|t| !t.is_empty()) {
            values.insert(key, Value { text: text.clone(), source: (*variable).to_owned() });
        }
    }
    for (variable, text) in environment {
        let Some(rest) = variable.strip_prefix("DIALDECK_").filter(|r| !OURS.contains(r)) else {
            continue;
        };
        let name = rest.to_ascii_lowercase().replacen("__", ".", 1);
        if let Some(key) = known(&name) {
            values.insert(key, Value { text: text.clone(), source: variable.clone() });
        } else {
            let names: Vec<String> = KEYS.iter().map(|(k, _)| format!("DIALDECK_{}", k.to_ascii_uppercase().replacen('.', "__", 1))).collect();
            complaints.push(Complaint { source: variable.clone(), message: unknown("variable", variable, names.iter().map(String::as_str)) });
        }
    }
}

/// "unknown key x; did you mean y?"
fn unknown<'a>(what: &str, name: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let near = candidates.min_by_key(|c| distance(c, name)).unwrap_or_default();
    format!("unknown {what} \"{name}\"; the nearest is \"{near}\"")
}

/// Edit distance: how far a misspelt key is from a right one.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.iter().enumerate() {
            let cost = corner + usize::from(ca != *cb);
            corner = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_name_their_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "[engine]\nagent_wait = \"3s\"\n\n[trunk]\ncalls_per_secnd = 2\n").unwrap();
        let sources = Sources { files: vec![(path.clone(), true)], ..Sources::default() };
        let e = extract(&sources).unwrap_err();
        assert!(e.to_string().contains("config.toml:5: unknown key \"trunk.calls_per_secnd\"; the nearest is \"trunk.calls_per_second\""), "{e}");
    }
}
