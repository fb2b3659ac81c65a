//! The CSV import: path with completion, preview with the mapping, a bar, the report. It may be
//! left with Esc and goes on; cancelled, it leaves nothing behind. It makes a list of its own, or goes into one that is
//! there: whoever is in that stays as they are.

use std::path::{Path, PathBuf};

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};
use tui_input::Input;

use super::{
    import_table,
    path::{complete, expand},
};
use crate::{
    console::{
        country,
        message::{Counted, Effect, IntoList, Msg, Preview},
        place::{Dialog, Next},
        rows::count,
        state::State,
        text,
        widgets::{Entry, card},
    },
    domain::{
        campaign::Status,
        contact::ImportReport,
        csv::{Field, IGNORE},
        id::SourceId,
        phone::PhoneError,
        text::clean,
    },
    store::CampaignRow,
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
    /// Numbers of it are written without +: of which country are they?
    Country {
        preview: Preview,
        input: Input,
        error: Option<String>,
    },
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
    /// The lists that are there, newest first.
    lists: Vec<IntoList>,
    /// Into which of them it goes; `None` makes one of its own.
    into: Option<usize>,
    /// The file that was imported.
    from: PathBuf,
    /// How often the preview was changed, and what the import would do as it is now.
    turn: u64,
    counted: Option<Counted>,
}

impl ImportDialog {
    /// `into`: the list it is meant for, until somebody chooses another.
    pub fn new(state: &State, into: Option<SourceId>) -> Self {
        let lists: Vec<IntoList> =
            state.data.sources.iter().map(|s| IntoList { table: s.source, id: s.id, name: s.name.clone(), people: s.contacts }).collect();
        let into = into.and_then(|id| lists.iter().position(|l| l.id == id));
        Self { stage: Stage::Path { input: Input::default(), choices: Vec::new(), error: None }, lists, into, from: PathBuf::new(), turn: 0, counted: None }
    }

    fn list(&self) -> Option<&IntoList> {
        self.into.and_then(|i| self.lists.get(i))
    }

    /// A list of its own first, then those that are there.
    fn choose(&mut self, on: bool) {
        let n = self.lists.len() + 1;
        let at = self.into.map_or(0, |i| i + 1);
        self.into = (at + if on { 1 } else { n - 1 }).checked_rem(n).unwrap_or(0).checked_sub(1);
    }

    fn file(&self) -> &Path {
        if let Stage::Preview { preview, .. } = &self.stage { &preview.path } else { Path::new("") }
    }

    fn title(&self) -> String {
        self.list().map_or_else(|| "Import contacts".to_owned(), |l| format!("Import contacts into \"{}\"", clean(&l.name, 40)))
    }

    /// Counts anew: the columns or the list are others than before.
    fn count(&mut self) -> Vec<Effect> {
        let Stage::Preview { preview, .. } = &self.stage else { return Vec::new() };
        (self.turn, self.counted) = (self.turn + 1, None);
        vec![Effect::Count { path: preview.path.clone(), mapping: mapping(preview), into: self.list().cloned(), turn: self.turn }]
    }

    /// What Enter would do, as far as it is counted.
    fn counted_entries(&self) -> Vec<Entry<'static>> {
        match self.counted.as_ref() {
            None => vec![Entry::Faint("counting what it would import...".to_owned())],
            Some(Counted { done: None, percent, rows, .. }) => vec![Entry::Faint(format!("counting what it would import: {percent} %, {rows} lines"))],
            Some(Counted { done: Some(Err(why)), .. }) => vec![Entry::Wrong(format!("not imported as it stands: {}", clean(why, 200)))],
            Some(Counted { done: Some(Ok(r)), .. }) => would(r),
        }
    }

    /// Where the contacts go, and who calls them then.
    fn target_entries(&self, state: &State) -> Vec<Entry<'static>> {
        let Some(list) = self.list() else {
            let other = if self.lists.is_empty() { "" } else { "; Tab: into one that is there" };
            let mut entries = vec![Entry::Words(format!("It makes a list of its own{other}"))];
            let file = self.file().file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if self.lists.iter().any(|l| l.name == file) {
                entries.push(Entry::Wrong(format!("A list \"{}\" is there already: Tab imports into it, and nobody is in two", clean(&file, 40))));
            }
            return entries;
        };
        let there = count(list.people, "contact");
        let mut entries = vec![Entry::Words(format!("Into \"{}\", which has {there}: who is in it already stays as they are", clean(&list.name, 40)))];
        let users: Vec<String> =
            state.data.campaigns.iter().filter(|c| calls_from(&c.row, list.id)).map(|c| format!("\"{}\"", clean(&c.row.name, 40))).collect();
        if let Some(first) = users.first() {
            let more = if users.len() > 1 { format!(" and {} call", users.len() - 1) } else { " calls".to_owned() };
            entries.push(Entry::Wrong(format!("{first}{more} from it: whom the file adds is called as well")));
        }
        entries
    }
}

/// A campaign that goes on, or may, with a list.
fn calls_from(campaign: &CampaignRow, list: SourceId) -> bool {
    let going = matches!(campaign.execution_status, Status::Running | Status::Paused | Status::Error);
    going && (campaign.csv_file_id == Some(list) || campaign.contact_list_id == Some(list))
}

/// What a column may be taken for, in the order the arrow keys offer.
fn fields() -> Vec<Option<&'static str>> {
    std::iter::once(None).chain(Field::ALL.map(|f| Some(f.name()))).collect()
}

impl Dialog for ImportDialog {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if matches!((&self.stage, key.code), (Stage::Preview { .. }, KeyCode::Tab | KeyCode::BackTab)) {
            self.choose(key.code == KeyCode::Tab);
            return Next::Stay(self.count());
        }
        let into = self.list().cloned();
        if let Stage::Preview { preview, .. } = &self.stage {
            self.from.clone_from(&preview.path);
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Reading);
        let (stage, effects) = match stage {
            Stage::Path { input, choices, .. } => path_key(input, choices, key),
            Stage::Country { preview, input, .. } => country_key(state, preview, input, key),
            Stage::Preview { preview, at } => preview_key(preview, at, key.code, into),
            Stage::Running { bytes, size, rows, sure } => match key.code {
                KeyCode::Char('y') if sure => (Stage::Running { bytes, size, rows, sure: false }, vec![Effect::CancelImport]),
                code => (Stage::Running { bytes, size, rows, sure: code == KeyCode::Char('x') }, Vec::new()),
            },
            Stage::Done(Ok(report)) if key.code == KeyCode::Char('w') && !report.rejects.is_empty() => {
                let effect = Effect::Write { path: beside(&self.from), text: rejects(&report) };
                (Stage::Done(Ok(report)), vec![effect])
            }
            // What an import came to is not lost to a key that was meant for something else.
            Stage::Done(_) if matches!(key.code, KeyCode::Enter | KeyCode::Char('q')) => return Next::close(),
            Stage::Done(done) => (Stage::Done(done), Vec::new()),
            Stage::Reading => (Stage::Reading, Vec::new()),
        };
        self.stage = stage;
        let again = matches!((&self.stage, key.code), (Stage::Preview { .. }, KeyCode::Left | KeyCode::Right));
        Next::Stay(if again { self.count() } else { effects })
    }

    fn escape(&mut self, _state: &mut State) -> Vec<Effect> {
        if matches!(self.stage, Stage::Preview { .. } | Stage::Reading) { vec![Effect::StopCounting] } else { Vec::new() }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let (entries, corner) = match &self.stage {
            Stage::Path { input, choices, error } => (path_entries(input, choices, error.as_ref()), "Enter next   Esc back"),
            Stage::Reading => (vec![Entry::words("reading...")], "Esc back"),
            Stage::Country { input, error, .. } => (country_entries(input, error.as_ref()), "Enter reads the file with it, empty without   Esc back"),
            Stage::Preview { preview, at } => {
                let mut entries = self.target_entries(state);
                entries.extend(self.counted_entries());
                // On a narrow screen each of them takes two lines.
                let above = entries.len() * if area.width < 100 { 2 } else { 1 };
                entries.extend(import_table::preview(state, preview, *at, usize::from(area.height).saturating_sub(above)));
                (entries, "Tab which list   up down column   left right meaning   Enter imports")
            }
            Stage::Running { bytes, size, rows, sure } => {
                let mut entries = vec![Entry::Words(format!("{}  {rows} rows", bar(*bytes, *size)))];
                if *sure {
                    entries.push(Entry::Wrong("y cancels the import: nothing is kept".to_owned()));
                }
                (entries, "Esc lets it run   x cancels")
            }
            Stage::Done(Ok(report)) if report.rejects.is_empty() => (import_table::report(state, report), "Esc back"),
            Stage::Done(Ok(report)) => (import_table::report(state, report), "w writes the lines that were refused to a file   Esc back"),
            Stage::Done(Err(why)) => (vec![Entry::Wrong(why.clone())], "Esc back"),
        };
        card(frame, &state.theme, area, &self.title(), corner, &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        if let Stage::Path { input, .. } | Stage::Country { input, .. } = &mut self.stage {
            text::insert(input, text);
        }
    }

    fn typing(&self) -> bool {
        matches!(self.stage, Stage::Path { .. } | Stage::Country { .. })
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
            (Msg::Preview(preview), Stage::Reading) => {
                self.turn = 0;
                self.counted = self.counted.take().filter(|c| c.turn == 0 && c.path == preview.path);
                self.stage = previewed((**preview).clone());
            }
            (Msg::Counted(c), Stage::Reading) => self.counted = Some((**c).clone()),
            (Msg::Counted(c), Stage::Preview { preview, .. }) if c.turn == self.turn && c.path == preview.path => self.counted = Some((**c).clone()),
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
    let homeless = |r: &Vec<String>| r.iter().any(|cell| *cell == PhoneError::NoRegion.to_string());
    if preview.rows.iter().any(homeless) {
        return Stage::Country { preview, input: Input::default(), error: None };
    }
    Stage::Preview { preview, at: 0 }
}

/// The file is read again with the country that was said; without one its lines are refused, and the preview shows it.
fn country_key(state: &mut State, preview: Preview, mut input: Input, key: KeyEvent) -> (Stage, Vec<Effect>) {
    if key.code != KeyCode::Enter {
        text::edit(&mut input, key);
        return (Stage::Country { preview, input, error: None }, Vec::new());
    }
    if input.value().trim().is_empty() {
        return (Stage::Preview { preview, at: 0 }, Vec::new());
    }
    match country::set(state, input.value()) {
        Ok(effect) => (Stage::Reading, vec![effect, Effect::Preview(preview.path)]),
        Err(why) => (Stage::Country { preview, input, error: Some(why) }, Vec::new()),
    }
}

fn country_entries<'a>(input: &'a Input, error: Option<&String>) -> Vec<Entry<'a>> {
    let mut entries =
        vec![Entry::words("Numbers of this file are written without + and country code."), Entry::Field("Of which country are they (US, DE)?", input)];
    entries.extend(error.cloned().map(Entry::Wrong));
    entries
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

fn preview_key(mut preview: Preview, mut at: usize, code: KeyCode, into: Option<IntoList>) -> (Stage, Vec<Effect>) {
    match code {
        KeyCode::Enter if !preview.unclear.is_empty() => {
            at = preview.unclear[0];
            let header = &preview.columns[at].0;
            preview.error = Some(format!("may \"{header}\" say who must not be called? < > to what it is, or to nothing and back"));
            (Stage::Preview { preview, at }, Vec::new())
        }
        KeyCode::Enter => {
            let effect = Effect::Import { path: preview.path.clone(), mapping: mapping(&preview), into };
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

/// What an import would do.
fn would(r: &ImportReport) -> Vec<Entry<'static>> {
    let people = count(i64::try_from(r.imported).unwrap_or(i64::MAX), "person");
    let named = |parts: &[(u64, &str)]| -> String {
        let there: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        there.join(", ")
    };
    let left_out = named(&[(r.duplicate, "duplicate"), (r.invalid, "refused")]);
    let of_them = named(&[(r.do_not_call + r.on_list, "on do-not-call"), (r.no_zone, "without a place")]);
    let then = |before: &str, words: &str| if words.is_empty() { String::new() } else { format!("{before}{words}") };
    let words = format!("Enter imports {people}{}{}", then("; ", &left_out), then(". Of them ", &of_them));
    std::iter::once(Entry::Words(words)).chain(r.abroad_words().map(Entry::Wrong)).collect()
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

/// `leads-refused.csv` of `leads.csv`, where the console stands.
fn beside(file: &Path) -> PathBuf {
    let name = file.file_stem().map_or_else(|| "contacts".to_owned(), |n| n.to_string_lossy().into_owned());
    PathBuf::from(format!("{name}-refused.csv"))
}

/// Line and reason of each that was refused, in the order of the file.
fn rejects(report: &ImportReport) -> String {
    let mut all: Vec<_> = report.rejects.iter().collect();
    all.sort_by_key(|r| r.line);
    let rows = all.into_iter().map(|r| format!("{},\"{}\"\n", r.line, r.reason.replace('"', "\"\"")));
    std::iter::once("line,reason\n".to_owned()).chain(rows).collect()
}
