//! What a supervisor must know now, worst first. The screen shows the first; the list has all in full.

use super::{
    keys::{Action, Pane},
    lists,
    rows::count,
    state::State,
    widgets::{cut, lines},
};
use crate::{
    desk::{ENDING, SWITCHED_OFF},
    domain::{campaign::Status, id::CampaignId, outcome::Outcome},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is dialled, or nothing that is shown is true.
    Danger,
    /// How this screen is set.
    Banner,
    Error,
    Warn,
    Info,
}

#[derive(Debug, Clone)]
pub struct Alert {
    pub level: Level,
    pub words: String,
    /// Whose it is: the list answers why.
    pub campaign: Option<CampaignId>,
}

/// Lines an alert, or an error, may take.
pub const LINES: usize = 3;

#[must_use]
pub fn all(state: &State) -> Vec<Alert> {
    let mut all = standing(state);
    let data = &state.data;
    if let Some((campaign, bad, of, word)) = &data.last_failure {
        let name = data.campaign(*campaign).map_or("?", |c| c.row.name.as_str());
        let words = format!("{name}: {bad} of the last {of} dials failed ({word})");
        all.push(Alert { level: Level::Warn, words, campaign: Some(*campaign) });
    }
    for c in data.campaigns.iter().filter(|c| c.row.execution_status == Status::Error) {
        let words = format!("{}: {}", c.row.name, state.in_keys(&c.row.status_reason));
        all.push(Alert { level: Level::Error, words, campaign: Some(c.row.id) });
    }
    all
}

/// What is true of the installation and of this screen.
fn standing(state: &State) -> Vec<Alert> {
    let data = &state.data;
    let mut all = Vec::new();
    let mut put = |level, words: String| all.push(Alert { level, words, campaign: None });
    if let Some(words) = state.waiting_words() {
        put(Level::Banner, words);
    }
    if let Some(words) = state.options.port.borrow().as_ref() {
        put(Level::Danger, words.clone());
    }
    if let Some(why) = &state.data_error {
        let age = (state.now - data.at).num_seconds();
        put(Level::Danger, format!("the database cannot be read, data {age} s old: {why}"));
    }
    if let Some(first) = state.waiting.values().next() {
        let n = count(i64::try_from(state.waiting.len()).unwrap_or(0), "tag");
        let age = (state.now - first.since).num_seconds().max(0);
        let outcome = first.outcome.map_or("none", Outcome::label);
        put(Level::Danger, format!("{n} not written yet, tried again until done: {} \"{outcome}\" for {age} s. {}", first.name, first.why));
    }
    if data.kill_switch {
        let release = state.keys.name(Action::Release);
        let words = match data.kill_switch_why.as_str() {
            "" => format!("KILL SWITCH ON: nothing is dialled on any host. {release} lifts it (an admin)"),
            why => format!("KILL SWITCH ON: {}", state.in_keys(why)),
        };
        put(Level::Danger, words);
    }
    if data.health.starts_with(crate::desk::NO_LIVEKIT) {
        let room = state.keys.name(Action::Focus(Pane::Systems));
        put(Level::Danger, format!("nothing can be dialled: LiveKit is not set. {room} mends it"));
    } else if data.health.starts_with(SWITCHED_OFF) {
        put(Level::Banner, state.in_keys(&data.health));
    } else if state.leaving.is_some() && data.health == ENDING {
        // Its own end the first of them says.
    } else if !data.health.is_empty() {
        put(Level::Danger, state.in_keys(&data.health));
    }
    if let Some(words) = state.options.following.borrow().as_ref() {
        put(Level::Banner, words.clone());
    }
    if let Some((since, _)) = &state.frozen {
        let at = since.with_timezone(&state.options.zone).format("%H:%M:%S");
        put(Level::Banner, format!("held still since {at}: calls go on behind it. {} shows them again", state.keys.name(Action::Freeze)));
    }
    if state.options.read_only {
        put(Level::Banner, "read-only: nothing is changed from here".to_owned());
    }
    // A pane that is on the screen says it at its own edge.
    for (pane, list) in state.lists.all().filter(|(pane, list)| !list.filter.is_empty() && state.sight.get(pane).is_none_or(|(_, rows)| *rows == 0)) {
        let key = state.keys.name(Action::Focus(pane));
        put(Level::Info, format!("{} shows only what matches \"{}\" ({key} goes there)", lists::name(pane), list.filter));
    }
    all
}

/// Esc puts away what only says how this screen is set; the list has it still.
pub fn put_banners_away(state: &mut State) {
    // Whom an end waits for is read until it is over.
    if state.leaving.is_some() {
        return;
    }
    let banners = standing(state).into_iter().filter(|a| a.level == Level::Banner && state.frozen.is_none()).map(|a| a.words);
    let banners = banners.collect();
    state.notes.banners_read(banners);
}

/// The first of them on as many lines as it needs, three at most.
#[must_use]
pub fn shown(state: &State, width: usize) -> Option<(Level, Vec<String>)> {
    let mut all = all(state);
    all.retain(|a| a.level != Level::Banner || !state.notes.is_read(&a.words));
    let first = all.first()?;
    let key = state.keys.name(Action::Alerts);
    let sign = if matches!(first.level, Level::Danger | Level::Error | Level::Warn) { "! " } else { "" };
    let more = match (all.len(), first.campaign) {
        (1, None) => String::new(),
        (1, Some(_)) => format!("   {key} opens"),
        (n, _) => format!("   1 of {n}, {key} opens"),
    };
    let room = width.saturating_sub(2);
    let mut out = lines(&format!("{sign}{}", first.words), room, LINES, &format!("({key} has all)"));
    if let Some(last) = out.last_mut() {
        *last = format!("{}{more}", cut(last, room.saturating_sub(more.len())));
    }
    Some((first.level, out))
}
