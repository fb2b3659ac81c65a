//! The CSV import: path with completion, preview with the mapping, a bar, the report. It may be
//! left with Esc and goes on; cancelled, it leaves nothing behind.

use std::path::{Path, PathBuf};

use crossterm::event::{KeyCode, KeyEvent};
use tui_input::Input;

use super::{Dialog, edit};
use crate::{
    console::{
        message::{Effect, Preview},
        state::State,
    },
    domain::{
        contact::ImportReport,
        csv::{Field, IGNORE},
    },
};

#[derive(Debug)]
pub enum Stage {
    Path {
        input: Input,
        choices: Vec<String>,
    },
    /// The preview is being read.
    Reading,
    /// `at` is the column under the cursor.
    Preview {
        preview: Preview,
        at: usize,
    },
    Running {
        bytes: u64,
        size: u64,
        rows: u64,
        sure: bool,
    },
    Done(Result<ImportReport, String>),
}

#[derive(Debug)]
pub struct ImportDialog {
    pub stage: Stage,
}

impl Default for ImportDialog {
    fn default() -> Self {
        Self { stage: Stage::Path { input: Input::default(), choices: Vec::new() } }
    }
}

/// What a column may be taken for, in the order the arrow keys offer.
fn fields() -> Vec<Option<&'static str>> {
    std::iter::once(None).chain(Field::ALL.map(|f| Some(f.name()))).collect()
}

impl ImportDialog {
    pub fn input(&mut self) -> Option<&mut Input> {
        if let Stage::Path { input, .. } = &mut self.stage { Some(input) } else { None }
    }

    pub fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running { .. })
    }

    pub fn take_preview(&mut self, preview: Preview) {
        self.stage = Stage::Preview { preview, at: 0 };
    }

    pub fn progress(&mut self, b: u64, s: u64, n: u64) {
        if let Stage::Running { bytes, size, rows, .. } = &mut self.stage {
            (*bytes, *size, *rows) = (b, s, n);
        }
    }

    pub fn done(&mut self, result: Result<ImportReport, String>) {
        self.stage = Stage::Done(result);
    }
}

pub fn on_key(state: &mut State, mut dialog: ImportDialog, key: KeyEvent) -> Vec<Effect> {
    let mut effects = Vec::new();
    dialog.stage = match dialog.stage {
        Stage::Path { mut input, choices } => match key.code {
            KeyCode::Tab => {
                let (completed, choices) = complete(input.value());
                input = Input::new(completed);
                Stage::Path { input, choices }
            }
            KeyCode::Enter if !input.value().trim().is_empty() => {
                effects.push(Effect::Preview(expand(input.value().trim())));
                Stage::Reading
            }
            _ => {
                edit(&mut input, key);
                Stage::Path { input, choices }
            }
        },
        Stage::Preview { preview, .. } if preview.error.is_some() && preview.columns.is_empty() => {
            Stage::Path { input: Input::new(preview.path.display().to_string()), choices: Vec::new() }
        }
        Stage::Preview { mut preview, mut at } => match key.code {
            KeyCode::Enter if !preview.unclear.is_empty() => {
                at = preview.unclear[0];
                let header = &preview.columns[at].0;
                preview.error = Some(format!("may \"{header}\" say who must not be called? < > to what it is, or to nothing and back"));
                Stage::Preview { preview, at }
            }
            KeyCode::Enter => {
                effects.push(Effect::Import { path: preview.path.clone(), mapping: mapping(&preview) });
                Stage::Running { bytes: 0, size: 0, rows: 0, sure: false }
            }
            code => {
                remap(&mut preview, &mut at, code);
                Stage::Preview { preview, at }
            }
        },
        Stage::Running { bytes, size, rows, sure } => match key.code {
            KeyCode::Char('y') if sure => {
                effects.push(Effect::CancelImport);
                Stage::Running { bytes, size, rows, sure: false }
            }
            KeyCode::Char('x') => Stage::Running { bytes, size, rows, sure: true },
            _ => Stage::Running { bytes, size, rows, sure: false },
        },
        Stage::Done(_) => return effects,
        Stage::Reading => Stage::Reading,
    };
    state.dialog = Some(Dialog::Import(dialog));
    effects
}

/// Up and down choose a column, left and right what it is.
fn remap(preview: &mut Preview, at: &mut usize, code: KeyCode) {
    let n = preview.columns.len().max(1);
    match code {
        KeyCode::Down | KeyCode::Char('j') => *at = (*at + 1) % n,
        KeyCode::Up | KeyCode::Char('k') => *at = (*at + n - 1) % n,
        KeyCode::Right | KeyCode::Left => {
            let Some((_, field)) = preview.columns.get_mut(*at) else { return };
            let fields = fields();
            let here = fields.iter().position(|f| f == field).unwrap_or(0);
            let step = if code == KeyCode::Right { 1 } else { fields.len() - 1 };
            *field = fields[(here + step) % fields.len()];
            preview.unclear.retain(|c| c != at);
            preview.error = None;
        }
        _ => {}
    }
}

fn mapping(preview: &Preview) -> Vec<(String, String)> {
    // Every column by name: what the operator took away must not be guessed again.
    preview.columns.iter().map(|(header, field)| (field.unwrap_or(IGNORE).to_owned(), header.clone())).collect()
}

/// `~/x` as the shell reads it.
fn expand(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// The longest common completion of a path, and the names to choose from.
fn complete(text: &str) -> (String, Vec<String>) {
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
