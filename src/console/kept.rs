//! What is there again at the next start: theme, room, filters, sorts, columns, and when somebody looked last. A
//! small file in the state folder; one that cannot be read costs nothing but the memory.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::notify::Way;
use crate::desk::Away;

/// What a console leaves to the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// The room that was open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// When the last console ended: what happened since then nobody saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mouse: Option<bool>,
    /// Alerts leave the screen, where the operator switched that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bell: Option<bool>,
    /// The least grave events that are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Who sits here, where that was said on the screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub me: Option<String>,
    /// Whose numbers are written without +, where that was said on the screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// By pane, as each of the others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub filters: BTreeMap<String, String>,
    /// A column, with `-` before it where it is the other way round.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sorts: BTreeMap<String, String>,
    /// The columns that are shown, in their order.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Vec<String>>,
}

/// What is kept where, how alerts leave the screen, and what this start was told by a flag.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// `None`: nothing is kept.
    pub kept: Option<PathBuf>,
    /// The file of the log, in which what is not remembered is searched.
    pub log: Option<PathBuf>,
    /// `--theme` was given: it goes before what was kept.
    pub theme_given: bool,
    /// The environment says who sits here: it goes before what was kept.
    pub named: bool,
    pub notify: Way,
    /// Inside tmux, and the configuration lets notifications through.
    pub passthrough: bool,
}

/// Who dials, as this console knows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lead {
    /// Another process dialled, at the last look.
    pub followed: bool,
    /// It ended then: whether this one dials the rows tell a moment later.
    pub ended: Option<DateTime<Utc>>,
    /// A screen was opened where nothing had happened meanwhile.
    pub opened: bool,
}

/// What one session knows of itself.
#[derive(Debug, Clone)]
pub struct Session {
    /// When it began: so does a shift of which nothing else is said.
    pub since: DateTime<Utc>,
    /// What was handed out to be saved last, and when.
    pub saved: Kept,
    pub saved_at: DateTime<Utc>,
    /// The theme that somebody chose, here or before.
    pub theme: Option<String>,
    /// Who sits here, where that was said.
    pub me: Option<String>,
    pub country: Option<String>,
    /// The one whose file is watched.
    pub watched: String,
    /// Clicks and wheel are ours.
    pub mouse: bool,
    /// It was started read-only: nobody lifts that from here.
    pub read_only: bool,
    /// Where the report that was asked for goes; `None` where none was.
    pub report: Option<PathBuf>,
    /// What happened meanwhile, until there is room to show it.
    pub away: Option<Box<Away>>,
    pub lead: Lead,
}

impl Session {
    #[must_use]
    pub fn begin(now: DateTime<Utc>, read_only: bool) -> Self {
        let saved = Kept::default();
        Self {
            since: now,
            saved,
            saved_at: now,
            theme: None,
            me: None,
            country: None,
            watched: String::new(),
            mouse: false,
            read_only,
            report: None,
            away: None,
            lead: Lead::default(),
        }
    }
}

/// A larger file is none of ours.
const LONGEST: u64 = 64 << 10;

/// The file in the state folder.
#[must_use]
pub fn path(state_folder: &Path) -> PathBuf {
    state_folder.join("dialdeck").join("console.toml")
}

impl Kept {
    /// What was kept; nothing where there is no file, or none that can be read.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        match Self::read(path) {
            Ok(kept) => kept,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(e) => {
                tracing::warn!(target: "console", "{} is not read, the screen begins as at first: {e}", path.display());
                Self::default()
            }
        }
    }

    fn read(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long to be a state of the screen"));
        }
        toml::from_str(&fs::read_to_string(path)?).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.message().to_owned()))
    }

    /// Writes it beside the old one first, so that it is whole or not there. It may name people that were looked for:
    /// nobody else reads it.
    ///
    /// # Errors
    /// When the folder cannot be made, or written into.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        // Of this process alone: two consoles may end at once.
        let part = path.with_extension(format!("{}.part", std::process::id()));
        let written = File::options().write(true).create(true).truncate(true).mode(0o600).open(&part).and_then(|mut f| f.write_all(text.as_bytes()));
        written.and_then(|()| fs::rename(&part, path)).inspect_err(|_| drop(fs::remove_file(&part)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_left_is_there_again_and_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let file = path(dir.path());
        assert_eq!(Kept::load(&file), Kept::default(), "the first start");
        let kept = Kept {
            theme: Some("light".into()),
            room: Some("tagging".into()),
            seen_at: Some("2026-11-18T17:00:00Z".parse().unwrap()),
            mask: Some(1),
            mouse: None,
            bell: Some(true),
            me: Some("ana".into()),
            log: None,
            country: Some("US".into()),
            filters: BTreeMap::from([("live".into(), "berlin \"x\"".into())]),
            sorts: BTreeMap::from([("live".into(), "-time".into())]),
            columns: BTreeMap::from([("calls".into(), vec!["state".into(), "contact".into()])]),
        };
        kept.save(&file).unwrap();
        assert_eq!(Kept::load(&file), kept);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        Kept { theme: None, ..kept.clone() }.save(&file).unwrap();
        assert_eq!(Kept::load(&file).theme, None);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_that_is_broken_or_newer_stops_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("console.toml");
        for text in ["theme = ", "theme = 3", "\u{0}\u{1}"] {
            fs::write(&file, text).unwrap();
            assert_eq!(Kept::load(&file), Kept::default(), "{text:?}");
        }
        fs::write(&file, "theme = \"dark\"\nlater = { a = 1 }\n").unwrap();
        assert_eq!(Kept::load(&file).theme.as_deref(), Some("dark"), "what a newer release keeps is passed over");
        fs::write(&file, format!("theme = \"{}\"", "x".repeat(100_000))).unwrap();
        assert_eq!(Kept::load(&file), Kept::default());
    }
}
