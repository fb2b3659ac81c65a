//! The `:` line: every action by its name, and those that take words.

use std::path::PathBuf;

use super::{
    acts, country, dialogs,
    keys::{self, Action, Pane, TABLE, WITH_WORDS},
    message::Effect,
    mouse,
    outside::{Export, Format},
    possible, session,
    setup::Setup,
    state::{Errand, State},
};
use crate::domain::{
    campaign::Status,
    outcome::Outcome,
    phone::{self, PhoneError, PhoneNumber},
    system::Mend,
    text::clean,
};

/// Does what a line says, or says what is wrong with it.
pub fn run(state: &mut State, line: &str) -> Vec<Effect> {
    let line = line.trim();
    if line.is_empty() {
        return Vec::new();
    }
    state.typed_last(line);
    let (verb, rest) = line.split_once(' ').map_or((line, ""), |(v, r)| (v, r.trim()));
    match (verb, rest) {
        ("stop", "all") => stop_all(state),
        ("pause", "all") if state.data.campaigns_in(Status::Running) == 0 => hint(state, "no campaign is running"),
        ("pause", "all") => acts::act(state, Action::PauseAll),
        ("resume", "all") => resume_all(state),
        ("start" | "pause" | "resume" | "stop" | "why" | "edit" | "delete", name) => campaign(state, verb, name),
        ("import", path) if !path.is_empty() => with_words(state, Action::Import, path),
        ("law", place) if !place.is_empty() => with_words(state, Action::Mend(Mend::OpenPlace), place),
        ("export", rest) => export(state, rest),
        ("tag", outcome) => tag(state, outcome),
        ("filter", words) if !words.is_empty() && state.focus == Pane::Calls => go(state, Pane::Calls, Errand::Calls(words.to_owned())),
        ("filter", words) if !words.is_empty() && !Pane::DECK.contains(&state.focus) => acts::act(state, Action::Filter),
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
        ("me", name) if !name.is_empty() => me(state, name),
        ("me", "") => {
            let words = format!("what is done here is by {}; :me NAME says who you are", state.actor.name);
            hint(state, &words)
        }
        ("log", level) if !level.is_empty() => log(state, level),
        ("mouse", word) if !word.is_empty() => mouse(state, word),
        ("report", words) if !words.is_empty() => session::ask_report(state, words),
        ("write", file) if !file.is_empty() => write(state, file),
        ("calls", words) if !words.is_empty() => go(state, Pane::Calls, Errand::Calls(words.to_owned())),
        ("listen" | "whisper" | "barge" | "transfer" | "takeover", _) => nobody_joins(state),
        ("backup", file) if !file.is_empty() => back_up(state, file),
        ("national", words) if !words.is_empty() => national(state, words),
        ("country", code) if !code.is_empty() => country(state, code),
        ("copy", name) if !name.is_empty() => copy_campaign(state, name),
        ("person" | "dnc" | "allow", number) if !number.is_empty() => numbered(state, verb, number),
        ("theme", name) if !name.is_empty() => theme(state, name),
        ("q", "") => acts::act(state, Action::Quit),
        ("demo", "") => hint(state, "leave with q and run `dialdeck demo`: it has a database of its own"),
        (name, "") => named(state, name),
        (name, _) => unknown(state, name),
    }
}

/// Opens what an action opens, with the words typed into it.
fn with_words(state: &mut State, action: Action, words: &str) -> Vec<Effect> {
    let effects = acts::act(state, action);
    if let Some(mut open) = state.dialog.take() {
        open.dialog.paste(state, words);
        state.dialog = Some(open);
    }
    effects
}

/// `FILE [csv|json|xlsx]`: the calls of the campaign that the footer names.
fn export(state: &mut State, rest: &str) -> Vec<Effect> {
    let Some((id, name)) = state.target_campaign().map(|c| (c.row.id, c.row.name.clone())) else {
        return hint(state, &format!("no campaign is selected: {} goes to them", state.keys.name(Action::Focus(Pane::Campaigns))));
    };
    if rest.is_empty() {
        return hint(state, &format!(":export FILE writes the calls of \"{name}\" with their results; FILE.xlsx and FILE.json in those formats"));
    }
    let (file, format) = match rest.rsplit_once(' ').and_then(|(file, word)| Some((file.trim(), format(word)?))) {
        Some((file, word)) => (file, word),
        None => (rest, rest.rsplit_once('.').and_then(|(_, ending)| format(ending)).unwrap_or(Format::Csv)),
    };
    let path = home(file);
    state.say(format!("writing the calls of \"{name}\" into {}...", path.display()));
    vec![Effect::Setup(Setup::Export(Export { campaign: id, name, path, format, over: false }))]
}

fn format(word: &str) -> Option<Format> {
    match word.to_ascii_lowercase().as_str() {
        "csv" => Some(Format::Csv),
        "json" | "jsonl" => Some(Format::Jsonl),
        "xlsx" => Some(Format::Xlsx),
        _ => None,
    }
}

/// `~/x` as a shell reads it.
fn home(file: &str) -> PathBuf {
    match (file.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(file),
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
        Ok(parsed) if verb == "person" => return go(state, Pane::People, Errand::Number(parsed.number.to_string(), String::new())),
        Ok(_) if state.options.read_only => state.hint("read-only: nothing is changed from here"),
        Ok(parsed) if verb == "allow" => state.open(dialogs::Allow::new(parsed.number)),
        Ok(parsed) => state.open(dialogs::NeverCall { number: parsed.number, name: String::new() }),
        Err(PhoneError::NoRegion) => {
            state.complain(format!("of which country is {number}? :country US (or its own two letters), then this again; or write it with +, as +12025550142"));
        }
        Err(why) => state.complain(format!("\"{number}\" is no number ({why}): write it as +12025550142")),
    }
    Vec::new()
}

/// Asked for in so many words: nothing more is asked.
fn back_up(state: &mut State, file: &str) -> Vec<Effect> {
    let path = home(file);
    state.say(format!("writing a backup into {}...", path.display()));
    vec![Effect::Setup(Setup::Backup(path))]
}

/// `FILE [DAY]`
fn national(state: &mut State, words: &str) -> Vec<Effect> {
    if state.options.read_only {
        return hint(state, "read-only: nothing is changed from here");
    }
    let day = |text: &str| text.parse::<chrono::NaiveDate>().ok();
    let (file, day) = match words.rsplit_once(' ').and_then(|(file, word)| Some((file.trim(), day(word)?))) {
        Some((file, day)) => (file, Some(day)),
        None => (words, None),
    };
    let path = home(file);
    state.say(format!("reading the national list {}...", path.display()));
    vec![Effect::Setup(Setup::National { path, day, region: state.options.region.clone() })]
}

/// Whose numbers are written without + here.
fn country(state: &mut State, code: &str) -> Vec<Effect> {
    match country::set(state, code) {
        Ok(effect) => vec![effect],
        Err(why) => {
            state.complain(why);
            Vec::new()
        }
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

/// What a supervisor looks for, and will not find: it is said rather than guessed at.
fn nobody_joins(state: &mut State) -> Vec<Effect> {
    let hang_up = state.keys.name(Action::HangUp);
    state.complain(format!("nobody joins a call from here: the agent speaks alone, and passes a caller on where its own script does; {hang_up} hangs up"));
    Vec::new()
}

/// A new campaign like one that is named.
fn copy_campaign(state: &mut State, name: &str) -> Vec<Effect> {
    let wanted = name.to_lowercase();
    let Some(model) = state.data.campaigns.iter().find(|c| c.row.name.to_lowercase().starts_with(&wanted) && !c.row.manual).map(|c| c.row.clone()) else {
        state.complain(format!("no campaign is called \"{name}\""));
        return Vec::new();
    };
    if state.options.read_only {
        return hint(state, "read-only: nothing is changed from here");
    }
    state.open(dialogs::Form::new(&state.data, state.options.zone, Some(&model)));
    Vec::new()
}

fn unknown(state: &mut State, name: &str) -> Vec<Effect> {
    if let Some((_, takes, words)) = WITH_WORDS.iter().find(|(n, ..)| *n == name) {
        state.complain(format!(":{name} {takes}: {words}. What is it to be?"));
        return Vec::new();
    }
    state.complain(format!("there is no command \"{name}\": {} lists all, and finds them while you type", state.keys.name(Action::Command)));
    Vec::new()
}

/// Whoever says it may mean the campaigns, or the kill switch: both are offered.
fn stop_all(state: &mut State) -> Vec<Effect> {
    if state.options.read_only {
        return hint(state, "read-only: nothing is changed from here");
    }
    state.open(dialogs::StopAll::new(state));
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
    let startable = keys::row(Action::Start).is_some_and(|row| possible::now(state, row).is_ok());
    let action = match verb {
        "start" if !name.is_empty() && startable => return acts::start_named(state),
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

/// The name that tags are written under, from this console on.
fn me(state: &mut State, name: &str) -> Vec<Effect> {
    let name = clean(name.trim(), 40);
    // These are the program's own.
    if matches!(name.as_str(), "engine" | "breaker" | "agent") {
        return hint(state, &format!("\"{name}\" is no person: :me NAME says who you are"));
    }
    state.actor.name.clone_from(&name);
    state.session.me = Some(name.clone());
    state.say(format!("what is tagged and changed from here is by {name}"));
    vec![Effect::Me(name)]
}

/// Events of a level and graver.
fn log(state: &mut State, level: &str) -> Vec<Effect> {
    let Ok(level) = level.parse::<tracing::Level>() else {
        state.complain(format!("\"{level}\" is no level: error, warn, info, debug, trace"));
        return Vec::new();
    };
    state.log_from(level);
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
    match super::export::text(state, &path) {
        Ok(text) => vec![Effect::Write { path, text }],
        Err(why) => {
            state.complain(why);
            Vec::new()
        }
    }
}
