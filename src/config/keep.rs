//! Writes LiveKit's three values into a configuration file: what else is in it stays, comments too, and nobody but its
//! owner may read it from then on.

use std::{
    fs::{self, DirBuilder, File},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use toml_edit::{DocumentMut, Item, Table, Value, value};

use super::Secret;
use crate::domain::text::clean;

/// Writes the values into the file, which is made where there is none.
///
/// # Errors
/// In words; the file is as it was then.
pub fn keep_livekit(path: &Path, host: &str, api_key: &str, api_secret: &Secret) -> Result<(), String> {
    let failed = |what: &str, e: &dyn std::fmt::Display| format!("{} cannot be {what}: {e}", path.display());
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(failed("read", &e)),
    };
    let text = with_livekit(&text, [("host", host), ("api_key", api_key), ("api_secret", api_secret.reveal())])
        .map_err(|why| format!("{} was left as it is: {why}", path.display()))?;
    write(path, &text).map_err(|e| failed("written", &e))
}

/// The text of a file with the values in its `[livekit]`.
fn with_livekit(text: &str, values: [(&str, &str); 3]) -> Result<String, String> {
    let text = text.trim_start_matches('\u{feff}');
    // Not the line itself: its value may be a secret.
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| {
        let line = text.as_bytes()[..e.span().map_or(0, |s| s.start.min(text.len()))].split(|b| *b == b'\n').count();
        format!("line {line} is no TOML: {}", clean(e.message(), 200))
    })?;
    let section = document.entry("livekit").or_insert_with(|| Item::Table(Table::new()));
    let table = section.as_table_like_mut().ok_or("its \"livekit\" is no section")?;
    for (key, text) in values {
        let mut new = Value::from(text);
        match table.get_mut(key).and_then(Item::as_value_mut) {
            // With the comment behind it.
            Some(old) => {
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            None => drop(table.insert(key, value(text))),
        }
    }
    Ok(document.to_string())
}

/// Beside it first, then in its place: who reads it meanwhile reads the old one or the new one.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let new = folder.join(format!(".config-{}.toml", uuid::Uuid::new_v4().simple()));
    let written = || -> std::io::Result<()> {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    written().inspect_err(|_| drop(fs::remove_file(&new)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const VALUES: [(&str, &str); 3] = [("host", "wss://a.example"), ("api_key", "k\"1"), ("api_secret", "s")];

    #[test]
    fn what_else_is_in_the_file_stays() {
        let text = "# mine\n[engine]\nagent_wait = \"3s\" # short\n\n[livekit]\n# the old one\nhost = \"ws://old\" # for now\nagent_name = \"ai\"\n";
        let new = with_livekit(text, VALUES).unwrap();
        for part in
            ["# mine\n[engine]\nagent_wait = \"3s\" # short", "# the old one\nhost = \"wss://a.example\" # for now\nagent_name = \"ai\"", "api_secret = \"s\""]
        {
            assert!(new.contains(part), "{part} in\n{new}");
        }
        let read: toml::Table = new.parse().unwrap();
        assert_eq!(read["livekit"]["api_key"].as_str(), Some("k\"1"));
        for text in ["", "livekit.host = \"ws://old\"\n", "livekit = { host = \"x\" }\n"] {
            let read: toml::Table = with_livekit(text, VALUES).unwrap().parse().unwrap();
            assert_eq!(read["livekit"]["host"].as_str(), Some("wss://a.example"), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_left_and_its_lines_are_not_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, "[livekit]\napi_secret = hunter2\n").unwrap();
        let why = keep_livekit(&path, "ws://x", "k", &Secret::new("s")).unwrap_err();
        assert!(why.contains("line 2") && !why.contains("hunter2"), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "[livekit]\napi_secret = hunter2\n");
    }

    #[test]
    fn only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/config.toml");
        keep_livekit(&path, "ws://x", "k", &Secret::new("s")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        keep_livekit(&path, "ws://y", "k", &Secret::new("s")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }
}
