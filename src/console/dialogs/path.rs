//! Paths as they are typed: `~` as the shell reads it, and Tab.

use std::path::{Path, PathBuf};

/// `~/x` as the shell reads it.
pub fn expand(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// The longest common completion of a path, and the names to choose from.
pub fn complete(text: &str) -> (String, Vec<String>) {
    let (folder, start) = text.rsplit_once('/').map_or(("", text), |(f, s)| (f, s));
    let shown = if text.contains('/') { format!("{folder}/") } else { String::new() };
    let base = if shown.is_empty() { PathBuf::from(".") } else { expand(&shown) };
    let mut names: Vec<String> = std::fs::read_dir(base)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|e| e.file_name().to_string_lossy().starts_with(start))
        .filter(|e| !start.is_empty() || !e.file_name().to_string_lossy().starts_with('.'))
        .map(|e| {
            let slash = if e.path().is_dir() { "/" } else { "" };
            format!("{}{slash}", e.file_name().to_string_lossy())
        })
        .collect();
    names.sort();
    let Some(first) = names.first() else { return (text.to_owned(), Vec::new()) };
    let common = names.iter().skip(1).fold(first.clone(), |acc, n| acc.chars().zip(n.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect());
    let choices = if names.len() > 1 { names.into_iter().take(8).collect() } else { Vec::new() };
    (format!("{shown}{common}"), choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_complete_to_the_longest_common_start() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["leads-a.csv", "leads-b.csv", "other.txt"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        let base = dir.path().display().to_string();
        let (text, choices) = complete(&format!("{base}/le"));
        assert_eq!(text, format!("{base}/leads-"));
        assert_eq!(choices, ["leads-a.csv", "leads-b.csv"]);
        assert_eq!(complete(&format!("{base}/oth")).0, format!("{base}/other.txt"));
    }
}
