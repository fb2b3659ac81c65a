//! What is open over the screen: an enum, one at a time. Each says the object, the count and what
//! is lost; the safe choice needs no key but Esc.

mod form;
mod import;

use chrono::{DateTime, Utc};
use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::{Input, backend::crossterm::EventHandler};

pub use form::{Field as FormField, Form, FormValues};
pub use import::{ImportDialog, Stage as ImportStage};

use super::{Ending, message::Effect, state::State};
use crate::domain::{
    campaign::Status,
    id::{CallId, CampaignId},
    outcome::Outcome,
    schedule,
};

#[derive(Debug)]
pub enum Dialog {
    Help {
        scroll: usize,
    },
    Words {
        title: String,
        lines: Vec<String>,
    },
    Detail {
        call: CallId,
        scroll: usize,
    },
    Stop {
        campaign: CampaignId,
        name: String,
        live: i64,
        left: i64,
        sure: bool,
    },
    Quit {
        live: usize,
    },
    HangUp {
        call: CallId,
        name: String,
    },
    Callback {
        call: CallId,
        name: String,
        previous: Option<Outcome>,
        input: Input,
        error: Option<String>,
    },
    Note {
        call: CallId,
        name: String,
        input: Input,
    },
    UndoDoNotCall {
        call: CallId,
        name: String,
        previous: Option<Outcome>,
    },
    Delete {
        campaign: CampaignId,
        name: String,
        input: Input,
    },
    /// The kill switch: the word STOP must be typed.
    StopAll {
        input: Input,
    },
    /// The first campaign that rings real phones: a person says yes by name.
    Terms {
        campaign: CampaignId,
        name: String,
        input: Input,
    },
    Filter(Input),
    Command(Input),
    New(Box<Form>),
    Import(ImportDialog),
}

impl Dialog {
    /// The text field that takes keys and pastes, if one does.
    pub fn input(&mut self) -> Option<&mut Input> {
        match self {
            Self::Callback { input, .. }
            | Self::Note { input, .. }
            | Self::Delete { input, .. }
            | Self::StopAll { input }
            | Self::Terms { input, .. }
            | Self::Filter(input)
            | Self::Command(input) => Some(input),
            Self::New(form) => form.input(),
            Self::Import(import) => import.input(),
            Self::Help { .. }
            | Self::Words { .. }
            | Self::Detail { .. }
            | Self::Stop { .. }
            | Self::Quit { .. }
            | Self::HangUp { .. }
            | Self::UndoDoNotCall { .. } => None,
        }
    }
}

/// Puts pasted text into a field, on one line.
pub fn insert(input: &mut Input, text: &str) {
    for c in crate::domain::text::clean(text, 4000).chars() {
        input.handle(tui_input::InputRequest::InsertChar(c));
    }
}

fn edit(input: &mut Input, key: KeyEvent) {
    input.handle_event(&Event::Key(key));
}

/// A key while a dialog is open.
pub fn on_key(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(dialog) = state.dialog.take() else { return Vec::new() };
    if key.code == KeyCode::Esc {
        return escape(state, dialog);
    }
    match dialog {
        Dialog::Help { scroll } => keep(state, Dialog::Help { scroll: scrolled(scroll, key.code) }),
        Dialog::Words { title, lines } => match key.code {
            KeyCode::Enter | KeyCode::Char('q' | 'w') => Vec::new(),
            _ => keep(state, Dialog::Words { title, lines }),
        },
        Dialog::Detail { call, scroll } => on_detail(state, call, scroll, key),
        Dialog::Stop { campaign, name, live, left, sure } => on_stop(state, (campaign, name, live, left), sure, key.code),
        Dialog::Quit { live } => on_quit(state, live, key.code),
        Dialog::HangUp { call, name } => match key.code {
            KeyCode::Char('y') => vec![Effect::HangUp(call, name)],
            KeyCode::Char('n') => Vec::new(),
            _ => keep(state, Dialog::HangUp { call, name }),
        },
        Dialog::UndoDoNotCall { call, name, previous } => match key.code {
            KeyCode::Char('y') => vec![Effect::UndoTag { call, name, previous, outcome: Some(Outcome::DoNotCall), lift: true }],
            KeyCode::Char('n') => Vec::new(),
            _ => keep(state, Dialog::UndoDoNotCall { call, name, previous }),
        },
        Dialog::Callback { call, name, previous, input, .. } => on_callback(state, (call, name, previous), input, key),
        Dialog::Note { call, name, mut input } => {
            if key.code == KeyCode::Enter {
                return vec![Effect::Note { call, note: input.value().to_owned() }];
            }
            edit(&mut input, key);
            keep(state, Dialog::Note { call, name, input })
        }
        Dialog::Delete { campaign, name, mut input } => {
            if key.code == KeyCode::Enter {
                if input.value().trim() == name {
                    return vec![Effect::Delete(campaign, name)];
                }
                state.complain("not deleted: the name was not the same");
                return Vec::new();
            }
            edit(&mut input, key);
            keep(state, Dialog::Delete { campaign, name, input })
        }
        Dialog::StopAll { mut input } => {
            if key.code == KeyCode::Enter {
                if input.value() == "STOP" && !state.options.read_only {
                    return vec![Effect::KillSwitch(true)];
                }
                state.complain("the kill switch is as it was: the word was not STOP");
                return Vec::new();
            }
            edit(&mut input, key);
            keep(state, Dialog::StopAll { input })
        }
        Dialog::Terms { campaign, name, mut input } => {
            if key.code == KeyCode::Enter && !input.value().trim().is_empty() {
                return vec![Effect::AcceptTerms { person: input.value().trim().to_owned(), campaign, name }];
            }
            edit(&mut input, key);
            keep(state, Dialog::Terms { campaign, name, input })
        }
        Dialog::Filter(input) => on_filter(state, input, key),
        Dialog::Command(mut input) => {
            if key.code == KeyCode::Enter {
                return command(state, input.value().trim());
            }
            edit(&mut input, key);
            keep(state, Dialog::Command(input))
        }
        Dialog::New(form) => form::on_key(state, form, key),
        Dialog::Import(dialog) => import::on_key(state, dialog, key),
    }
}

fn keep(state: &mut State, dialog: Dialog) -> Vec<Effect> {
    state.dialog = Some(dialog);
    Vec::new()
}

/// Out of the dialog; an import goes on behind it.
fn escape(state: &mut State, dialog: Dialog) -> Vec<Effect> {
    match dialog {
        Dialog::Detail { .. } => closed(state),
        Dialog::Import(d) if d.is_running() => {
            state.import = Some(d);
            Vec::new()
        }
        Dialog::Filter(_) => {
            state.filter.clear();
            state.settle();
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The story is not wanted any more, unless the wide screen has a pane for it.
fn closed(state: &mut State) -> Vec<Effect> {
    state.shown = None;
    vec![Effect::Show(None)]
}

fn scrolled(scroll: usize, code: KeyCode) -> usize {
    match code {
        KeyCode::Char('j') | KeyCode::Down => scroll + 1,
        KeyCode::Char('k') | KeyCode::Up => scroll.saturating_sub(1),
        KeyCode::PageDown => scroll + 10,
        KeyCode::PageUp => scroll.saturating_sub(10),
        _ => scroll,
    }
}

/// The detail takes tags, notes and the hang-up of its own call.
fn on_detail(state: &mut State, call: CallId, scroll: usize, key: KeyEvent) -> Vec<Effect> {
    use super::message::Action;
    let to = scrolled(scroll, key.code);
    state.dialog = Some(Dialog::Detail { call, scroll: to });
    match super::keys::action(&key) {
        Some(Action::Quit | Action::Enter) => {
            state.dialog = None;
            closed(state)
        }
        Some(action @ (Action::Tag(_) | Action::ClearTag | Action::Undo | Action::Note | Action::HangUp | Action::Copy)) => state.act(action),
        _ => Vec::new(),
    }
}

fn on_stop(state: &mut State, what: (CampaignId, String, i64, i64), sure: bool, code: KeyCode) -> Vec<Effect> {
    let (campaign, name, live, left) = what;
    match code {
        KeyCode::Char('k') if !sure => vec![Effect::Stop { campaign, name, hang_up: false }],
        KeyCode::Char('h') if !sure && live > 0 => keep(state, Dialog::Stop { campaign, name, live, left, sure: true }),
        KeyCode::Char('y') if sure => vec![Effect::Stop { campaign, name, hang_up: true }],
        _ => keep(state, Dialog::Stop { campaign, name, live, left, sure }),
    }
}

fn on_quit(state: &mut State, live: usize, code: KeyCode) -> Vec<Effect> {
    match code {
        KeyCode::Char('d') => vec![Effect::Leave(Ending::Drain)],
        KeyCode::Char('q') => vec![Effect::Leave(Ending::QuitNow)],
        _ => keep(state, Dialog::Quit { live }),
    }
}

/// Enter alone is the next day at the same hour; `+2h` and `tue 15:00` are understood.
fn on_callback(state: &mut State, what: (CallId, String, Option<Outcome>), mut input: Input, key: KeyEvent) -> Vec<Effect> {
    let (call, name, previous) = what;
    if key.code != KeyCode::Enter {
        edit(&mut input, key);
        return keep(state, Dialog::Callback { call, name, previous, input, error: None });
    }
    match callback_moment(state, input.value()) {
        Ok(at) => state.send_tag(call, name, Some(Outcome::Callback), previous, Some(at)),
        Err(error) => keep(state, Dialog::Callback { call, name, previous, input, error: Some(error) }),
    }
}

fn callback_moment(state: &State, text: &str) -> Result<DateTime<Utc>, String> {
    let zone = state.target_campaign().map_or(state.options.zone, |c| c.row.zone());
    let at = schedule::parse_moment(text, zone, state.now)?;
    // Inside the campaign's own window.
    let window = state.target_campaign().map(|c| c.row.window());
    Ok(window.and_then(|w| w.next_open(zone, at)).unwrap_or(at))
}

fn on_filter(state: &mut State, mut input: Input, key: KeyEvent) -> Vec<Effect> {
    if key.code != KeyCode::Enter {
        edit(&mut input, key);
        input.value().trim().clone_into(&mut state.filter);
        state.settle();
        return keep(state, Dialog::Filter(input));
    }
    Vec::new()
}

/// The `:` commands.
fn command(state: &mut State, line: &str) -> Vec<Effect> {
    use super::message::Action;
    let (verb, rest) = line.split_once(' ').map_or((line, ""), |(v, r)| (v, r.trim()));
    if verb == "stop" && rest == "all" {
        return keep(state, Dialog::StopAll { input: Input::default() });
    }
    if !rest.is_empty() && matches!(verb, "start" | "pause" | "resume" | "stop" | "why" | "delete") {
        let found = state.data.campaigns.iter().find(|c| c.row.name.eq_ignore_ascii_case(rest)).map(|c| c.row.id);
        let Some(id) = found else {
            state.complain(format!("no campaign is called \"{rest}\""));
            return Vec::new();
        };
        state.campaign = Some(id);
        state.focus = super::message::Pane::Campaigns;
    }
    let action = match verb {
        "" => return Vec::new(),
        "q" | "quit" => Action::Quit,
        "start" | "resume" => Action::Start,
        "pause" if state.target_campaign().is_some_and(|c| c.row.execution_status != Status::Running) => {
            state.say("it is not running");
            return Vec::new();
        }
        "pause" => Action::PauseResume,
        "stop" => Action::Stop,
        "why" => Action::Why,
        "new" => Action::New,
        "import" => Action::Import,
        "undo" => Action::Undo,
        "delete" => Action::Delete,
        "help" => Action::Help,
        "readonly" => {
            state.options.read_only = true;
            return Vec::new();
        }
        "tag" => match rest.parse() {
            Ok(outcome) => Action::Tag(outcome),
            Err(why) => {
                state.complain(why);
                return Vec::new();
            }
        },
        "filter" => {
            rest.clone_into(&mut state.filter);
            state.settle();
            return Vec::new();
        }
        "theme" if !super::theme::names().contains(&rest) => {
            state.complain(format!("no theme is called \"{rest}\": {}", super::theme::names().join(", ")));
            return Vec::new();
        }
        "theme" => {
            let depth = super::Depth::detect(&state.options.color);
            state.theme = super::theme::load(rest, &state.options.themes_folder, depth);
            return Vec::new();
        }
        "demo" => {
            state.say("leave with q and run `dialdeck demo`: it has a database of its own");
            return Vec::new();
        }
        other => {
            state.complain(format!("no command \"{other}\": start pause resume stop why new import tag undo filter theme readonly delete help quit"));
            return Vec::new();
        }
    };
    let effects = state.act(action);
    // A path behind :import goes straight into its field.
    if let (Some(Dialog::Import(d)), false) = (&mut state.dialog, rest.is_empty())
        && let Some(input) = d.input()
    {
        insert(input, rest);
    }
    effects
}
