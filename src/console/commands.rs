//! The `:` line: every action by its name, and those that take words.

use std::path::PathBuf;

use super::{
    acts, export,
    keys::{Action, Pane, TABLE, WITH_WORDS},
    message::Effect,
    mouse, session,
    state::State,
};
use crate::domain::{campaign::Status, outcome::Outcome};

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
            words.clone_into(&mut state.lists.at(state.focus).filter);
            state.arrange();
            Vec::new()
        }
        ("sort", column) if !column.is_empty() => {
            acts::sort_by(state, column);
            Vec::new()
        }
        ("columns", names) if !names.is_empty() => {
            acts::columns(state, names);
            Vec::new()
        }
        ("log", level) if !level.is_empty() => log(state, level),
        ("mouse", word) if !word.is_empty() => mouse(state, word),
        ("report", words) if !words.is_empty() => session::ask_report(state, words),
        ("write", file) if !file.is_empty() => write(state, file),
        ("theme", name) if !name.is_empty() => theme(state, name),
        ("q", "") => acts::act(state, Action::Quit),
        ("demo", "") => hint(state, "leave with q and run `dialdeck demo`: it has a database of its own"),
        (name, "") => named(state, name),
        (name, _) => unknown(state, name),
    }
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
    if let Some((_, takes, words)) = WITH_WORDS.iter().find(|(n, ..)| *n == name) {
        state.complain(format!(":{name} {takes}: {words}. What is it to be?"));
        return Vec::new();
    }
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
        // Whoever is named is seen, whatever the filter was.
        if !state.campaign_rows().iter().any(|c| c.row.id == id) {
            state.lists.at(Pane::Campaigns).filter.clear();
            state.arrange();
        }
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

/// Read anew; a broken one leaves the one in use.
fn theme(state: &mut State, name: &str) -> Vec<Effect> {
    let name = if name == "reload" { state.theme.name.clone() } else { name.to_owned() };
    session::choose_theme(state, &name)
}

/// Events of a level and graver.
fn log(state: &mut State, level: &str) -> Vec<Effect> {
    let Ok(level) = level.parse::<tracing::Level>() else {
        state.complain(format!("\"{level}\" is no level: error, warn, info, debug, trace"));
        return Vec::new();
    };
    state.log_level = level;
    state.arrange();
    let word = level.as_str().to_lowercase();
    let more = if level > tracing::Level::INFO { "; what is written at all [log] level says, info where it says nothing" } else { "" };
    state.say(format!("events from {word} on are shown{more}"));
    vec![Effect::LogLevel(level)]
}

fn mouse(state: &mut State, word: &str) -> Vec<Effect> {
    match word {
        "on" => mouse::switch(state, true),
        "off" => mouse::switch(state, false),
        _ => {
            state.complain(format!(":mouse on, or :mouse off; \"{word}\" is neither"));
            Vec::new()
        }
    }
}

fn write(state: &mut State, file: &str) -> Vec<Effect> {
    let path = PathBuf::from(file);
    match export::text(state, &path) {
        Ok(text) => vec![Effect::Write { path, text }],
        Err(why) => {
            state.complain(why);
            Vec::new()
        }
    }
}
