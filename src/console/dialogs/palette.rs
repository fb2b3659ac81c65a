//! Everything by its name: commands with their keys, campaigns, lists and the calls that are shown. What cannot
//! be done now stays, and says why.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect, style::Style, text::Span, widgets::Paragraph};
use tui_input::Input;
use unicode_width::UnicodeWidthStr;

use super::Form;
use crate::{
    console::{
        fuzzy,
        keys::{Action, Pane, WITH_WORDS},
        lists,
        place::{Dialog, Next},
        possible,
        rows::{count, display_name},
        state::State,
        text, theme,
        widgets::{Row, cut, field, fit, popup},
    },
    domain::{
        id::{CallId, CampaignId, SourceId},
        outcome::Outcome,
    },
};

#[derive(Default)]
pub struct Palette {
    input: Input,
    at: usize,
    /// Steps back into what was typed before.
    back: usize,
    /// The row was chosen by moving onto it.
    chosen: bool,
    wrong: Option<String>,
}

/// What an entry leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Then {
    Act(Action),
    /// A whole command.
    Line(String),
    /// A command that wants words: they are typed behind it.
    Begin(&'static str),
    Campaign(CampaignId),
    Call(Pane, CallId),
    List(SourceId),
}

struct Entry {
    name: String,
    words: String,
    right: String,
    /// Why not now.
    reason: Option<String>,
    then: Then,
}

/// Rows where there are few, and at most.
const SHOWN: usize = 14;
const MOST: usize = 30;
/// Cells of the longest name that is shown whole.
const LONGEST: usize = 30;
/// How much worse what cannot be done now must answer to stand behind what can.
const IMPOSSIBLE: i64 = 200;
/// How many that are near are named.
const NEAR: usize = 3;
/// Calls among the entries.
const CALLS: usize = 200;

impl Palette {
    fn entries(&self, state: &State) -> Vec<Entry> {
        let typed = self.input.value().trim_start();
        let all = match typed.split_once(' ').and_then(|(verb, rest)| with_words(state, verb).map(|e| (e, rest))) {
            Some((entries, rest)) => found(entries, rest),
            None if typed.is_empty() => begun(everything(state), state),
            None => found(everything(state), typed),
        };
        let mut all: Vec<Entry> = all.into_iter().take(500).collect();
        // What is typed may be somebody who was called. Digits hardly mean anything else.
        let digits = typed.chars().filter(char::is_ascii_digit).count() > 2;
        let verb = WITH_WORDS.iter().any(|(verb, ..)| typed.split(' ').next() == Some(verb));
        if !verb && (digits || (typed.len() > 2 && !all.is_empty())) {
            let past = plain(format!("calls {typed}"), "among all calls that were ever made".to_owned(), Then::Line(format!("calls {typed}")));
            all.insert(if digits { 0 } else { all.len().min(SHOWN - 1) }, past);
        }
        all
    }

    /// What of the line is looked for in the names that are shown.
    fn letters(&self, state: &State) -> String {
        let typed = self.input.value().trim_start();
        let behind = typed.split_once(' ').filter(|(verb, _)| with_words(state, verb).is_some());
        behind.map_or(typed, |(_, rest)| rest).to_owned()
    }

    fn enter(&mut self, state: &mut State) -> Next {
        let typed = self.input.value().trim().to_owned();
        let mut entries = self.entries(state);
        if !self.chosen {
            if typed.is_empty() {
                return Next::close();
            }
            if is_command(state, &typed) {
                return Next::Line(typed);
            }
            // The nearest is a guess: it is shown, and not done.
            let Some(at) = meant(&entries, &self.letters(state)) else {
                self.wrong = Some(nothing(&typed, &entries));
                return Next::stay();
            };
            self.at = at;
        }
        if entries.is_empty() {
            return Next::stay();
        }
        let entry = entries.swap_remove(self.at.min(entries.len() - 1));
        if let Some(reason) = entry.reason {
            self.wrong = Some(reason);
            return Next::stay();
        }
        match entry.then {
            Then::Act(action) => {
                state.typed_last(&entry.name);
                Next::Then(action)
            }
            Then::Line(line) => Next::Line(line),
            Then::Begin(verb) => {
                self.set(format!("{verb} "));
                Next::stay()
            }
            Then::Campaign(id) => {
                (state.campaign, state.focus) = (Some(id), Pane::Campaigns);
                Next::close()
            }
            Then::Call(pane, id) => {
                state.focus = pane;
                if pane == Pane::Live {
                    (state.live, state.follow) = (Some(id), false);
                } else {
                    state.queue = Some(id);
                }
                Next::close()
            }
            Then::List(id) => Next::Instead(Box::new(Form::with_list(&state.data, state.options.zone, id))),
        }
    }

    fn set(&mut self, text: String) {
        self.input = Input::new(text);
        (self.at, self.chosen, self.wrong) = (0, false, None);
    }

    /// What was typed before, newest first; beyond the oldest and before the newest nothing.
    fn recall(&mut self, state: &State, back: usize) {
        self.back = back.min(state.typed.len());
        let line = self.back.checked_sub(1).and_then(|i| state.typed.iter().rev().nth(i));
        self.set(line.cloned().unwrap_or_default());
    }
}

/// Whether a line is a command as it stands.
fn is_command(state: &State, line: &str) -> bool {
    let (verb, rest) = line.split_once(' ').map_or((line, ""), |(v, r)| (v, r.trim()));
    if rest.is_empty() {
        return state.keys.rows().any(|(row, _)| row.name == verb) || matches!(verb, "q" | "demo");
    }
    match with_words(state, verb) {
        Some(entries) => {
            (rest == "all" && matches!(verb, "pause" | "resume" | "stop"))
                || (verb == "theme" && rest == "reload")
                || entries.iter().any(|e| e.name.eq_ignore_ascii_case(rest))
        }
        None => WITH_WORDS.iter().any(|(name, ..)| *name == verb),
    }
}

/// The one entry that was named: as it is written, or by letters that begin no other. A search is what it says.
fn meant(entries: &[Entry], letters: &str) -> Option<usize> {
    let wanted = bare(letters);
    let only = |fits: &dyn Fn(&Entry) -> bool| {
        let mut found = entries.iter().enumerate().filter(|(_, e)| !e.is_search() && fits(e));
        let first = found.next()?.0;
        found.all(|(_, e)| e.leads_where(&entries[first])).then_some(first)
    };
    if wanted.is_empty() {
        return None;
    }
    // Digits hardly mean anything but a call.
    if entries.first().is_some_and(Entry::is_search) && letters.chars().filter(char::is_ascii_digit).count() > 2 {
        return Some(0);
    }
    only(&|e| bare(&e.name) == wanted).or_else(|| only(&|e| e.begins(&wanted)))
}

/// Letters and digits, small: `win-back` is named by `winb`.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// That nothing has such a name, and what is near.
fn nothing(typed: &str, entries: &[Entry]) -> String {
    let near: Vec<&str> = entries.iter().filter(|e| !e.is_search()).take(NEAR).map(|e| e.name.as_str()).collect();
    if near.is_empty() {
        return format!("nothing is called \"{typed}\": nothing was done");
    }
    format!("nothing is called \"{typed}\"; near: {} (down chooses)", near.join(", "))
}

/// The entries that answer to some letters, the nearest first.
fn found(entries: Vec<Entry>, letters: &str) -> Vec<Entry> {
    let score = |e: &Entry| {
        let name = fuzzy::score(letters, &e.name).map(|s| s + 500);
        name.max(fuzzy::score(letters, &e.words))
    };
    let mut all: Vec<(i64, Entry)> = entries.into_iter().filter_map(|e| score(&e).map(|s| (s, e))).collect();
    if letters.trim().is_empty() {
        // The cursor begins on something that can be done.
        all.sort_by_key(|(_, e)| e.reason.is_some());
    } else {
        // What answers by its words alone shows no letter that was typed: behind all that do.
        all.sort_by_key(|(s, e)| if e.reason.is_some() { IMPOSSIBLE - s } else { -s });
    }
    all.into_iter().map(|(_, e)| e).collect()
}

/// Before anything is typed: what was used last, then what this room offers and the campaigns, then the rest; what
/// cannot be done now behind all that can.
fn begun(mut entries: Vec<Entry>, state: &State) -> Vec<Entry> {
    let offers = state.room(state.focus).map_or(&[][..], |room| room.offers());
    let used = |e: &Entry| state.typed.iter().rev().position(|line| line.split(' ').next() == e.name.split(' ').next());
    let place = |e: &Entry| match &e.then {
        Then::Act(action) if offers.contains(action) => 0,
        Then::Campaign(_) => 1,
        _ => 2,
    };
    entries.sort_by_key(|e| (e.reason.is_some(), used(e).unwrap_or(usize::MAX), place(e)));
    entries
}

fn everything(state: &State) -> Vec<Entry> {
    let mut out: Vec<Entry> = state.keys.rows().map(|(row, keys)| command(state, row, keys)).collect();
    let begin = |(name, takes, words): &(&'static str, &str, &str)| Entry {
        name: format!("{name} {takes}"),
        words: (*words).to_owned(),
        right: String::new(),
        reason: None,
        then: Then::Begin(name),
    };
    out.extend(WITH_WORDS.iter().map(begin));
    out.extend(campaigns(state).map(|(id, name, words)| plain(name, words, Then::Campaign(id))));
    out.extend(
        state.data.sources.iter().map(|s| plain(s.name.clone(), format!("list, {}: a new campaign of it", count(s.contacts, "contact")), Then::List(s.id))),
    );
    let (live, queue) = (state.live_rows(), state.queue_rows());
    let calls = live.iter().map(|r| (Pane::Live, r)).chain(queue.iter().map(|r| (Pane::Outcomes, r)));
    out.extend(calls.take(CALLS).map(|(pane, r)| {
        let words = format!("call, {}, {}", state.number(&r.phone_number), r.state.words());
        plain(display_name(r), words, Then::Call(pane, r.id))
    }));
    out
}

fn plain(name: String, words: String, then: Then) -> Entry {
    Entry { name, words, right: String::new(), reason: None, then }
}

fn command(state: &State, row: &crate::console::keys::Key, keys: &[String]) -> Entry {
    Entry {
        name: row.name.to_owned(),
        words: row.words.to_owned(),
        right: keys.first().cloned().unwrap_or_default(),
        reason: possible::now(state, row).err(),
        then: Then::Act(row.action),
    }
}

fn campaigns(state: &State) -> impl Iterator<Item = (CampaignId, String, String)> {
    state.data.campaigns.iter().map(|c| (c.row.id, c.row.name.clone(), format!("campaign, {}", c.row.execution_status.as_str())))
}

/// What may stand behind a command.
fn with_words(state: &State, verb: &str) -> Option<Vec<Entry>> {
    let lines = |words: Vec<(String, String)>| {
        let line = |(word, about): (String, String)| plain(word.clone(), about, Then::Line(format!("{verb} {word}")));
        Some(words.into_iter().map(line).collect())
    };
    match verb {
        "start" | "pause" | "resume" | "stop" | "why" | "edit" | "delete" => lines(campaigns(state).map(|(_, name, words)| (name, words)).collect()),
        "tag" => lines(Outcome::ALL.iter().map(|o| (o.as_str().to_owned(), o.label().to_owned())).collect()),
        "sort" => {
            let names = lists::columns(state.focus).iter().map(|c| c.name());
            lines(names.flat_map(|n| [(n.to_owned(), "by this column".to_owned()), (format!("-{n}"), "the other way round".to_owned())]).collect())
        }
        "log" => lines(["error", "warn", "info", "debug"].map(|l| (l.to_owned(), "and graver".to_owned())).into()),
        "mouse" => lines([("on", "clicks and wheel"), ("off", "the terminal's own")].map(|(w, a)| (w.to_owned(), a.to_owned())).into()),
        "theme" => lines(
            theme::all(&state.options.themes_folder)
                .into_iter()
                .map(|(name, file)| (name, file.map_or("built in".to_owned(), |f| f.display().to_string())))
                .collect(),
        ),
        _ => None,
    }
}

impl Dialog for Palette {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        let entries = self.entries(state);
        match key.code {
            KeyCode::Enter => return self.enter(state),
            KeyCode::Down if self.back > 0 => self.recall(state, self.back - 1),
            KeyCode::Down if !self.chosen => self.chosen = true,
            KeyCode::Down => (self.at, self.chosen) = ((self.at + 1).min(entries.len().saturating_sub(1)), true),
            KeyCode::Up if self.at == 0 => self.recall(state, self.back + 1),
            KeyCode::Up => self.at -= 1,
            KeyCode::Tab => match entries.get(self.at).map(|e| e.then.clone()) {
                Some(Then::Line(line)) => self.set(line),
                Some(Then::Begin(verb)) => self.set(format!("{verb} ")),
                Some(_) => self.set(entries[self.at].name.clone()),
                None => {}
            },
            KeyCode::Backspace if self.input.value().is_empty() => return Next::close(),
            _ => {
                text::edit(&mut self.input, key);
                (self.at, self.back, self.chosen, self.wrong) = (0, 0, false, None);
            }
        }
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let entries = self.entries(state);
        let rows = entries.len().clamp(1, (usize::from(area.height) / 2).clamp(SHOWN, MOST));
        let height = u16::try_from(rows + 3 + usize::from(self.wrong.is_some())).unwrap_or(u16::MAX);
        let wrong = usize::from(self.wrong.is_some());
        // The last line is for what was wrong.
        let list = usize::from(height.min(area.height.saturating_sub(2))).saturating_sub(3 + wrong);
        let top = (self.at + 1).saturating_sub(list);
        let shown = if entries.len() > list { format!("{}-{} of {}   ", top + 1, (top + list).min(entries.len()), entries.len()) } else { String::new() };
        let inside = popup(frame, &state.theme, area, 100, height, "Everything", &format!("up down   Tab completes   Enter does it   {shown}Esc back"));
        let width = usize::from(inside.width);
        let below = Rect { y: inside.y + 1, height: u16::try_from(list).unwrap_or(0), ..inside };
        let shown = || entries.iter().enumerate().skip(top).take(list);
        let longest = shown().map(|(_, e)| e.name.width()).max().unwrap_or(0);
        let letters = self.letters(state);
        // Nobody stands where Enter would not act.
        let at = if self.chosen { Some(self.at) } else { meant(&entries, &letters) };
        for (i, entry) in shown() {
            let spans = entry.spans(state, &letters, longest.min(LONGEST), width.saturating_sub(1));
            Row { spans, selected: Some(i) == at, marked: false, focused: true }.draw(frame, &state.theme, below, i - top);
        }
        if let Some(wrong) = &self.wrong {
            let words = Span::styled(format!(" {}", cut(wrong, width.saturating_sub(2))), state.theme.style("error"));
            frame.render_widget(Paragraph::new(words), Rect { y: inside.bottom().saturating_sub(1), height: 1, ..inside });
        }
        field(frame, &state.theme, Rect { height: 1.min(inside.height), ..inside }, " :", &self.input, state.theme.style("text"));
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        text::insert(&mut self.input, text);
    }

    fn typing(&self) -> bool {
        true
    }
}

impl Entry {
    /// A search changes nothing, whatever it finds.
    fn is_search(&self) -> bool {
        matches!(&self.then, Then::Line(line) if line.starts_with("calls "))
    }

    /// The same call stands on the board and in the queue.
    fn leads_where(&self, other: &Self) -> bool {
        match (&self.then, &other.then) {
            (Then::Call(_, a), Then::Call(_, b)) => a == b,
            (a, b) => a == b,
        }
    }

    /// A command by the beginning of its name; a person, a list and a campaign by any word of theirs as well.
    fn begins(&self, wanted: &str) -> bool {
        let command = matches!(self.then, Then::Act(_) | Then::Begin(_));
        let words = self.name.char_indices().filter(|(at, _)| *at == 0 || (!command && self.name[..*at].ends_with(|c: char| !c.is_alphanumeric())));
        words.into_iter().any(|(at, _)| bare(&self.name[at..]).starts_with(wanted))
    }

    /// Its name with the letters that were typed, what it does, and at the right its key. What cannot be done now is
    /// faint, and says why in place of what it does.
    fn spans(&self, state: &State, letters: &str, longest: usize, width: usize) -> Vec<Span<'static>> {
        let style = |role: &str| state.theme.style(role);
        let name = fit(&self.name, longest.min(width / 2));
        let room = width.saturating_sub(name.width() + 2);
        let mut spans = vec![Span::raw(" ")];
        if let Some(reason) = &self.reason {
            let words = format!("{name}  {}", fit(reason, room.saturating_sub(1)));
            spans.push(Span::styled(words, style("text_faint")));
            return spans;
        }
        spans.extend(marked(&name, letters, style("text"), style("match")));
        let right = cut(&self.right, width / 3);
        let words = fit(&self.words, room.saturating_sub(right.width() + 3));
        spans.extend([Span::styled(format!("  {words}"), style("text_dim")), Span::styled(format!(" {right} "), style("key"))]);
        spans
    }
}

/// A name, the letters in it that were looked for in a style of their own.
fn marked(name: &str, letters: &str, plain: Style, found: Style) -> Vec<Span<'static>> {
    let places = fuzzy::places(letters, name).unwrap_or_default();
    let letters: Vec<(bool, char)> = name.chars().enumerate().map(|(i, c)| (places.contains(&i), c)).collect();
    let runs = letters.chunk_by(|a, b| a.0 == b.0);
    runs.map(|run| Span::styled(run.iter().map(|l| l.1).collect::<String>(), if run[0].0 { found } else { plain })).collect()
}
