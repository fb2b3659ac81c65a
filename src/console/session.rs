//! From one console to the next: what was left is there again, what happened meanwhile is told, and the shift is
//! written down.

use std::path::PathBuf;

use chrono::{DateTime, Duration as Span, Utc};

use super::{
    dialogs,
    kept::Kept,
    keys::Pane,
    lead,
    lists::{self, Column},
    message::Effect,
    question::Question,
    report,
    state::State,
    theme::{self, Depth},
    widgets::wrapped,
};
use crate::{
    desk::{Away, ShiftReport},
    domain::schedule,
};

/// A change is saved so long after the last one was, and the time of the last look so often.
const SOON: Span = Span::seconds(5);
const LATEST: Span = Span::minutes(1);
/// Who was away longer reads the report.
const LONGEST_AWAY: Span = Span::days(31);
const LONGEST_SHIFT: Span = Span::days(31);
/// Behind the name of a room that had the whole screen.
const WHOLE: &str = "/whole";

/// What this console leaves, as it stands.
#[must_use]
pub fn kept(state: &State) -> Kept {
    let room = format!("{}{}", lists::name(state.focus), if state.zoom { WHOLE } else { "" });
    let mut kept = Kept {
        theme: state.session.theme.clone(),
        room: Some(room),
        seen_at: Some(state.now),
        mask: (state.mask > 0).then_some(state.mask),
        mouse: state.session.mouse.then_some(true),
        bell: (state.alarms.is_on() != is_configured(state)).then_some(state.alarms.is_on()),
        log: (state.log_level != tracing::Level::INFO).then(|| state.log_level.as_str().to_lowercase()),
        me: state.session.me.clone(),
        country: state.session.country.clone(),
        ..Kept::default()
    };
    for (pane, list) in state.lists.all() {
        let name = lists::name(pane).to_owned();
        if !list.filter.is_empty() {
            kept.filters.insert(name.clone(), list.filter.clone());
        }
        if list.sort.is_some() || list.reverse {
            let sign = if list.reverse { "-" } else { "" };
            kept.sorts.insert(name.clone(), format!("{sign}{}", list.sort.map_or("", Column::name)));
        }
        if !list.hidden.is_empty() {
            let shown = lists::columns(pane).iter().filter(|c| list.shows(**c)).map(|c| c.name().to_owned());
            kept.columns.insert(name, shown.collect());
        }
    }
    kept
}

fn is_configured(state: &State) -> bool {
    state.options.session.notify != super::notify::Way::None
}

/// Takes over what the last console left; what a flag says goes before it.
pub fn begin(state: &mut State, kept: &Kept) -> Vec<Effect> {
    let asked = !state.options.filter.is_empty();
    for pane in Pane::DECK.into_iter().chain([Pane::Calls]) {
        take_list(state, kept, pane, asked && Pane::DECK.contains(&pane) && pane.has_calls());
    }
    // What the configuration hides at the start stays hidden.
    state.mask = state.mask.max(kept.mask.unwrap_or(0).min(2));
    if let Some(on) = kept.bell {
        state.alarms.switch(on);
    }
    if let Some(level) = kept.log.as_ref().and_then(|l| l.parse().ok()) {
        state.log_level = level;
    }
    state.session.theme.clone_from(&kept.theme);
    state.session.me = kept.me.clone().filter(|_| !state.options.session.named);
    state.session.watched.clone_from(&state.options.theme);
    state.session.mouse = kept.mouse.unwrap_or(false);
    state.session.saved = kept.clone();
    state.arrange();
    let mut effects = vec![Effect::Watch(state.options.theme.clone()), Effect::LogLevel(state.log_level)];
    if let Some(me) = state.session.me.clone() {
        state.actor.name.clone_from(&me);
        effects.push(Effect::Me(me));
    }
    // What the configuration says goes before what was said on a screen.
    if let Some(code) = kept.country.clone().filter(|_| state.options.region.is_none()) {
        (state.options.region, state.session.country) = (Some(code.clone()), Some(code.clone()));
        effects.push(Effect::Country(code));
    }
    effects.extend(state.session.mouse.then_some(Effect::Mouse(true)));
    effects.extend(open_room(state, kept.room.as_deref().unwrap_or_default()));
    if let Some(since) = kept.seen_at.filter(|t| *t < state.now && !state.options.simulated) {
        effects.push(Effect::Ask(Question::Away(since.max(state.now - LONGEST_AWAY))));
    }
    effects
}

fn take_list(state: &mut State, kept: &Kept, pane: Pane, own_filter: bool) {
    let name = lists::name(pane);
    let list = state.lists.at(pane);
    if let Some(filter) = kept.filters.get(name).filter(|_| !own_filter) {
        list.filter.clone_from(filter);
    }
    if let Some(sort) = kept.sorts.get(name) {
        let (reverse, column) = sort.strip_prefix('-').map_or((false, sort.as_str()), |rest| (true, rest));
        (list.sort, list.reverse) = (lists::named(pane, column), reverse);
    }
    if let Some(shown) = kept.columns.get(name) {
        let out = |c: &Column| !lists::is_fixed(pane, *c) && !shown.iter().any(|s| s == c.name());
        list.hidden = lists::columns(pane).iter().copied().filter(out).collect();
    }
}

fn open_room(state: &mut State, room: &str) -> Vec<Effect> {
    let (name, whole) = room.strip_suffix(WHOLE).map_or((room, false), |name| (name, true));
    let Some(pane) = state.rooms.iter().map(|r| r.pane()).find(|p| lists::name(*p) == name) else { return Vec::new() };
    (state.focus, state.zoom) = (pane, whole);
    state.with_room(pane, |room, state| room.entered(state)).unwrap_or_default()
}

/// What is to be saved now: a change, though not each at once, and the moment of the last look.
pub fn save(state: &mut State) -> Option<Effect> {
    state.options.session.kept.as_ref()?;
    let waited = (state.now - state.session.saved_at).abs();
    if waited < SOON {
        return None;
    }
    let kept = kept(state);
    let same = Kept { seen_at: None, ..kept.clone() } == Kept { seen_at: None, ..state.session.saved.clone() };
    if same && waited < LATEST {
        return None;
    }
    (state.session.saved, state.session.saved_at) = (kept.clone(), state.now);
    Some(Effect::Keep(Box::new(kept)))
}

/// A theme that somebody chose: it is kept, and its file is watched.
pub fn choose_theme(state: &mut State, name: &str) -> Vec<Effect> {
    match theme::find(name, &state.options.themes_folder, Depth::detect(&state.options.color)) {
        Ok(found) => {
            state.theme = found;
            state.session.theme = Some(name.to_owned());
            name.clone_into(&mut state.session.watched);
            state.say(format!("theme {name}"));
            vec![Effect::Watch(name.to_owned())]
        }
        Err(why) => {
            let names: Vec<String> = theme::all(&state.options.themes_folder).into_iter().map(|(name, _)| name).collect();
            state.complain(format!("{why}. There are: {}", names.join(", ")));
            Vec::new()
        }
    }
}

/// The file of the theme in use has changed; a broken one changes nothing.
pub fn theme_changed(state: &mut State, name: &str, result: Result<theme::Theme, String>) {
    // One that is only looked at in the list of themes is not touched; one that was broken at the start is taken.
    let looked_at = state.theme.name != name && state.dialog.is_some();
    if looked_at || state.session.watched != name {
        return;
    }
    match result {
        Ok(theme) => {
            state.theme = theme;
            state.say(format!("theme {name} read anew"));
        }
        Err(why) => state.complain(format!("{why}; the theme stays as it was")),
    }
}

/// What happened meanwhile, shown as soon as nothing else is open.
pub fn away(state: &mut State, away: Box<Away>) {
    if dialogs::Away::is_empty(&away) {
        state.session.lead.opened = true;
    } else {
        state.session.away = Some(away);
    }
    show_away(state);
}

/// After each message: what is to be said as soon as there is room for it.
pub fn look(state: &mut State) {
    lead::look(state);
    show_away(state);
}

fn show_away(state: &mut State) {
    if state.dialog.is_none()
        && !state.is_tiny()
        && let Some(away) = state.session.away.take()
    {
        state.open(dialogs::Away(away));
    }
}

/// `:report [8h|today] [FILE]`: asks for the shift; it is written when it comes.
pub fn ask_report(state: &mut State, words: &str) -> Vec<Effect> {
    let (span, file) = match words.split_once(' ') {
        Some((first, rest)) if begins(state, first).is_some() => (first, rest.trim()),
        None if begins(state, words).is_some() => (words, ""),
        _ => ("", words),
    };
    let from = begins(state, span).unwrap_or(state.session.since);
    let local = state.now.with_timezone(&state.options.zone);
    let name = if file.is_empty() { format!("dialdeck-shift-{}.md", local.format("%F-%H%M%S")) } else { file.to_owned() };
    state.session.report = Some(PathBuf::from(name));
    vec![Effect::Ask(Question::Shift(from, state.now))]
}

/// `8h`, `90m`, `today`: where a shift begins.
fn begins(state: &State, text: &str) -> Option<DateTime<Utc>> {
    if text == "today" {
        return Some(schedule::next_day(state.options.zone, state.now - Span::days(1)));
    }
    let number = text.strip_suffix(['h', 'm', 'd'])?.parse::<i64>().ok().filter(|n| (1..=50_000).contains(n))?;
    let span = match text.chars().last()? {
        'h' => Span::hours(number),
        'd' => Span::days(number),
        _ => Span::minutes(number),
    };
    Some(state.now - span.min(LONGEST_SHIFT))
}

/// The shift is there: into its file, and onto the screen.
pub fn reported(state: &mut State, shift: &ShiftReport) -> Vec<Effect> {
    let Some(path) = state.session.report.take() else { return Vec::new() };
    let text = report::text(shift, state.options.zone, &path);
    let shown = report::markdown(shift, state.options.zone);
    if state.dialog.is_none() {
        let lines = shown.lines().flat_map(|l| if l.is_empty() { vec![String::new()] } else { wrapped(l, 96) });
        state.open(dialogs::Words::new("The shift".to_owned(), lines.collect()));
    }
    vec![Effect::Write { path, text }]
}
