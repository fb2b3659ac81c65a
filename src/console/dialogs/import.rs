//! The CSV import: path with completion, preview with the mapping, a bar, the report. It may be
//! left with Esc and goes on; cancelled, it leaves nothing behind.

use std::path::{Path, PathBuf};

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};
use tui_input::Input;

use crate::{
    console::{
        message::{Effect, Msg, Preview},
        place::{Dialog, Next},
        state::State,
        text,
        widgets::{Entry, card},
    },
    domain::{
        contact::ImportReport,
        csv::{Field, IGNORE},
    },
};

#[derive(Debug)]
enum Stage {
    Path {
        input: Input,
        choices: Vec<String>,
        error: Option<String>,
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
    stage: Stage,
}

impl Default for ImportDialog {
    fn default() -> Self {
        Self { stage: Stage::Path { input: Input::default(), choices: Vec::new(), error: None } }
    }
}

/// What a column may be taken for, in the order the arrow keys offer.
fn fields() -> Vec<Option<&'static str>> {
    std::iter::once(None).chain(Field::ALL.map(|f| Some(f.name()))).collect()
}

impl Dialog for ImportDialog {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        let stage = std::mem::replace(&mut self.stage, Stage::Reading);
        let (stage, effects) = match stage {
            Stage::Path { input, choices, .. } => path_key(input, choices, key),
            Stage::Preview { preview, at } => preview_key(preview, at, key.code),
            Stage::Running { bytes, size, rows, sure } => match key.code {
                KeyCode::Char('y') if sure => (Stage::Running { bytes, size, rows, sure: false }, vec![Effect::CancelImport]),
                code => (Stage::Running { bytes, size, rows, sure: code == KeyCode::Char('x') }, Vec::new()),
            },
            Stage::Done(_) => return Next::close(),
            Stage::Reading => (Stage::Reading, Vec::new()),
        };
        self.stage = stage;
        Next::Stay(effects)
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let (entries, corner) = match &self.stage {
            Stage::Path { input, choices, error } => (path_entries(input, choices, error.as_ref()), "Enter next   Esc away"),
            Stage::Reading => (vec![Entry::words("reading...")], "Esc away"),
            Stage::Preview { preview, at } => (preview_entries(preview, *at, usize::from(area.height)), "up down column   left right meaning   Enter imports"),
            Stage::Running { bytes, size, rows, sure } => {
                let mut entries = vec![Entry::Words(format!("{}  {rows} rows", bar(*bytes, *size)))];
                if *sure {
                    entries.push(Entry::Wrong("y cancels the import: nothing is kept".to_owned()));
                }
                (entries, "Esc lets it run   x cancels")
            }
            Stage::Done(Ok(report)) => (report_entries(report), "any key closes"),
            Stage::Done(Err(why)) => (vec![Entry::Wrong(why.clone())], "any key closes"),
        };
        card(frame, &state.theme, area, "Import contacts", corner, &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        if let Stage::Path { input, .. } = &mut self.stage {
            text::insert(input, text);
        }
    }

    fn typing(&self) -> bool {
        matches!(self.stage, Stage::Path { .. })
    }

    fn typed(&self) -> bool {
        matches!(self.stage, Stage::Preview { .. })
    }

    fn goes_on(&self) -> Option<String> {
        let Stage::Running { bytes, size, rows, .. } = &self.stage else { return None };
        Some(format!("import {} {rows} rows", bar(*bytes, *size)))
    }

    fn told(&mut self, msg: &Msg) -> bool {
        match (msg, &mut self.stage) {
            (Msg::Preview(preview), Stage::Reading) => self.stage = previewed((**preview).clone()),
            (Msg::ImportProgress { bytes: b, size: s, rows: n }, Stage::Running { bytes, size, rows, .. }) => (*bytes, *size, *rows) = (*b, *s, *n),
            (Msg::ImportDone(result), Stage::Running { .. }) => self.stage = Stage::Done(result.clone().map(|(_, report)| report)),
            _ => {}
        }
        false
    }
}

/// A file that cannot be read leads back to its path, with the reason.
fn previewed(preview: Preview) -> Stage {
    if preview.columns.is_empty() {
        let input = Input::new(preview.path.display().to_string());
        return Stage::Path { input, choices: Vec::new(), error: preview.error.or(Some("the file has no columns".to_owned())) };
    }
    Stage::Preview { preview, at: 0 }
}

fn path_key(mut input: Input, choices: Vec<String>, key: KeyEvent) -> (Stage, Vec<Effect>) {
    match key.code {
        KeyCode::Tab => {
            let (completed, choices) = complete(input.value());
            (Stage::Path { input: Input::new(completed), choices, error: None }, Vec::new())
        }
        KeyCode::Enter if !input.value().trim().is_empty() => (Stage::Reading, vec![Effect::Preview(expand(input.value().trim()))]),
        _ => {
            text::edit(&mut input, key);
            (Stage::Path { input, choices, error: None }, Vec::new())
        }
    }
}

fn preview_key(mut preview: Preview, mut at: usize, code: KeyCode) -> (Stage, Vec<Effect>) {
    match code {
        KeyCode::Enter if !preview.unclear.is_empty() => {
            at = preview.unclear[0];
            let header = &preview.columns[at].0;
            preview.error = Some(format!("may \"{header}\" say who must not be called? < > to what it is, or to nothing and back"));
            (Stage::Preview { preview, at }, Vec::new())
        }
        KeyCode::Enter => {
            let effect = Effect::Import { path: preview.path.clone(), mapping: mapping(&preview) };
            (Stage::Running { bytes: 0, size: 0, rows: 0, sure: false }, vec![effect])
        }
        code => {
            remap(&mut preview, &mut at, code);
            (Stage::Preview { preview, at }, Vec::new())
        }
    }
}

fn bar(bytes: u64, size: u64) -> String {
    let percent = (bytes * 100).checked_div(size).unwrap_or(0).min(100);
    let full = "#".repeat(usize::try_from(percent / 5).unwrap_or(0));
    format!("[{full:.<20}] {percent}%")
}

fn path_entries<'a>(input: &'a Input, choices: &[String], error: Option<&String>) -> Vec<Entry<'a>> {
    let mut entries = vec![Entry::Field("CSV file:", input)];
    entries.extend(error.cloned().map(Entry::Wrong));
    entries.extend(choices.iter().map(|c| Entry::Faint(format!("  {c}"))));
    entries
}

/// The file, what is wrong, its columns in a window around the one under the cursor, and the first rows.
fn preview_entries(preview: &Preview, at: usize, height: usize) -> Vec<Entry<'static>> {
    let mut entries = vec![Entry::Words(preview.path.display().to_string())];
    entries.extend(preview.error.clone().map(Entry::Wrong));
    let room = height.saturating_sub(preview.rows.len() + 8).clamp(3, 14);
    let top = (at + 1).saturating_sub(room);
    for (i, (header, field)) in preview.columns.iter().enumerate().skip(top).take(room) {
        entries.push(Entry::Choice(format!("{} = {}", crate::domain::text::clean(header, 28), field.unwrap_or("(for the script)")), i == at));
    }
    if preview.columns.len() > room {
        entries.push(Entry::Faint(format!("column {} of {}", at + 1, preview.columns.len())));
    }
    entries.push(Entry::Gap);
    entries.extend(preview.rows.iter().map(|r| Entry::Faint(r.join("  "))));
    entries
}

fn report_entries(r: &ImportReport) -> Vec<Entry<'static>> {
    let mut entries = vec![Entry::Words(format!(
        "{} imported, {} duplicate, {} invalid, {} do-not-call, {} without a zone",
        r.imported, r.duplicate, r.invalid, r.do_not_call, r.no_zone
    ))];
    entries.extend(r.remarks.iter().take(5).map(|x| Entry::Faint(format!("line {}: kept, but {}", x.line, x.reason))));
    entries.extend(r.rejects.iter().take(10).map(|x| Entry::Faint(format!("line {}: {}", x.line, x.reason))));
    let more = r.rejects.len().saturating_sub(10) + r.remarks.len().saturating_sub(5);
    if more > 0 {
        entries.push(Entry::Faint(format!("and {more} more")));
    }
    entries
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
