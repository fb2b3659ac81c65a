//! The `:` line: every action by its name, and those that take words.

use super::{
    acts, dialogs,
    keys::{Action, Pane, TABLE},
    message::Effect,
    state::{Errand, State},
    theme::{self, Depth},
};
use crate::domain::{
    campaign::Status,
    outcome::Outcome,
    phone::{self, PhoneNumber},
};

/// Commands kept for the up key.
const HISTORY: usize = 50;

/// Does what a line says, or says what is wrong with it.
pub fn run(state: &mut State, line: &str) -> Vec<Effect> {
    let line = line.trim();
    if line.is_empty() {
        return Vec::new();
    }
    state.typed.retain(|l| l != line);
    state.typed.push(line.to_owned());
    let drop = state.typed.len().saturating_sub(HISTORY);
    state.typed.drain(..drop);
    let (verb, rest) = line.split_once(' ').map_or((line, ""), |(v, r)| (v, r.trim()));
    match (verb, rest) {
        ("stop", "all") => acts::act(state, Action::StopAll),
        ("pause", "all") if state.data.campaigns_in(Status::Running) == 0 => hint(state, "no campaign is running"),
        ("pause", "all") => acts::act(state, Action::PauseAll),
        ("resume", "all") => resume_all(state),
        ("start" | "pause" | "resume" | "stop" | "why" | "edit" | "delete", name) => campaign(state, verb, name),
        ("import", path) if !path.is_empty() => {
            let effects = acts::act(state, Action::Import);
            if let Some(mut open) = state.dialog.take() {
                open.dialog.paste(state, path);
                state.dialog = Some(open);
            }
            effects
        }
        ("tag", outcome) => tag(state, outcome),
        ("filter", words) if !words.is_empty() => {
            words.clone_into(&mut state.filter);
            state.arrange();
            Vec::new()
        }
        ("calls", words) if !words.is_empty() => go(state, Pane::Calls, Errand::Calls(words.to_owned())),
        ("person" | "dnc", number) => numbered(state, verb, number),
        ("theme", name) if !name.is_empty() => theme(state, name),
        ("q", "") => acts::act(state, Action::Quit),
        ("demo", "") => hint(state, "leave with q and run `dialdeck demo`: it has a database of its own"),
        (name, "") => named(state, name),
        (name, _) => unknown(state, name),
    }
}

fn go(state: &mut State, pane: Pane, errand: Errand) -> Vec<Effect> {
    state.errand = Some(errand);
    state.go(pane);
    Vec::new()
}

/// What goes to a number that is typed.
fn numbered(state: &mut State, verb: &str, number: &str) -> Vec<Effect> {
    let region = state.options.region.as_deref().and_then(|r| phone::region(r).ok());
    match PhoneNumber::parse(number, region) {
        Ok(parsed) if verb == "person" => return go(state, Pane::People, Errand::Number(parsed.number.to_string())),
        Ok(_) if state.options.read_only => state.hint("read-only: nothing is changed from here"),
        Ok(parsed) => state.open(dialogs::NeverCall { number: parsed.number, name: String::new() }),
        Err(why) => state.complain(format!("\"{number}\" is no number ({why}): write it with + and its country, as +12025550142")),
    }
    Vec::new()
}

fn hint(state: &mut State, words: &str) -> Vec<Effect> {
    state.hint(words);
    Vec::new()
}

fn named(state: &mut State, name: &str) -> Vec<Effect> {
    match TABLE.iter().find(|k| k.name == name) {
        Some(row) => acts::act(state, row.action),
        None => unknown(state, name),
    }
}

fn unknown(state: &mut State, name: &str) -> Vec<Effect> {
    state.complain(format!("there is no command \"{name}\": {} lists all, and finds them while you type", state.keys.name(Action::Command)));
    Vec::new()
}

fn resume_all(state: &mut State) -> Vec<Effect> {
    match state.paused_all.take() {
        Some(ids) => vec![Effect::ResumeAll(ids)],
        None => hint(state, "nothing was paused together from here: :resume NAME resumes one"),
    }
}

/// A verb on the campaign that is named, else on the one in the footer.
fn campaign(state: &mut State, verb: &str, name: &str) -> Vec<Effect> {
    if !name.is_empty() {
        let found = state.data.campaigns.iter().find(|c| c.row.name.eq_ignore_ascii_case(name)).map(|c| c.row.id);
        let Some(id) = found else {
            state.complain(format!("no campaign is called \"{name}\""));
            return Vec::new();
        };
        state.campaign = Some(id);
        state.focus = Pane::Campaigns;
    }
    let action = match verb {
        "start" | "resume" => Action::Start,
        "pause" => return pause(state),
        "stop" => Action::Stop,
        "why" => Action::Why,
        "edit" => Action::Edit,
        _ => Action::Delete,
    };
    acts::act(state, action)
}

/// The command pauses only; the key resumes too.
fn pause(state: &mut State) -> Vec<Effect> {
    if state.target_campaign().is_some_and(|c| c.row.execution_status != Status::Running) {
        return hint(state, "it is not running");
    }
    acts::act(state, Action::PauseResume)
}

fn tag(state: &mut State, outcome: &str) -> Vec<Effect> {
    match outcome.parse::<Outcome>() {
        Ok(outcome) => acts::act(state, Action::Tag(outcome)),
        Err(why) => {
            state.complain(why);
            Vec::new()
        }
    }
}

fn theme(state: &mut State, name: &str) -> Vec<Effect> {
    let name = if name == "reload" { state.theme.name.clone() } else { name.to_owned() };
    match theme::find(&name, &state.options.themes_folder, Depth::detect(&state.options.color)) {
        Ok(theme) => {
            state.theme = theme;
            state.say(format!("theme {name}"));
        }
        Err(why) => state.complain(format!("{why}: {}", theme::names().join(", "))),
    }
    Vec::new()
}
