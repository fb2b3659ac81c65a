//! What a message does: pure and synchronous. Keys are `typing`'s; what must be done elsewhere goes out as effects.

use super::{
    Ending, alarms, dialogs,
    keys::{Action, Pane},
    layout,
    message::{Effect, Msg},
    mouse,
    outside::Fault,
    question::Answer,
    rooms,
    rows::count,
    session,
    setup::{Done, Setup},
    snapshot::Snapshot,
    state::{State, Undo},
    steps::{self, Returning},
    tagging,
    typing::{dialog_key, on_key, paste, uncover},
};
use crate::domain::{
    id::{CallId, CampaignId},
    outcome::Outcome,
};

impl State {
    /// Applies one message; answers what is to be done.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = apply(self, msg);
        self.fit_symbols();
        session::look(self);
        layout::see(self);
        let wanted = self.target().map(|r| r.id);
        if self.shows_story() && self.dialog.is_none() && wanted != self.shown {
            self.shown = wanted;
            self.story.0 = 0;
            effects.push(Effect::Show(wanted));
        }
        let focus = self.focus;
        effects.extend(self.with_room(focus, |room, state| room.asks(state)).unwrap_or_default());
        let judged = rooms::judged(self);
        if judged != self.judged {
            (self.judged, self.story.0) = (judged, 0);
            effects.push(Effect::Judge(judged));
        }
        effects.extend(session::save(self));
        effects
    }

    /// The terminal's size, before a frame is drawn.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        if std::mem::replace(&mut self.size, (columns, rows)) != (columns, rows) {
            self.sought = Some(self.focus);
        }
        layout::see(self);
    }
}

fn apply(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => return on_key(state, key),
        Msg::Mouse(event) => {
            return match mouse::meant(state, event) {
                mouse::Meant::Effects(effects) => effects,
                mouse::Meant::Key(key) => dialog_key(state, key),
            };
        }
        _ => {}
    }
    tell(state, &msg);
    match msg {
        Msg::Paste(text) => paste(state, &text),
        Msg::Data(new) => return looked(state, new),
        Msg::DataFailed(why) => state.data_error = Some(why),
        Msg::Tagged { call, name, outcome, previous, undone, result } => tagged(state, call, name, outcome, previous, undone, result),
        Msg::TagWaits { call, name, outcome, why } => tagging::waits(state, call, name, outcome, why),
        Msg::Theme(name, result) => session::theme_changed(state, &name, *result),
        Msg::Done { words, result } => done(state, words, result),
        Msg::Created { words, result } => created(state, words, result),
        Msg::Setup(setup, result) => return set_up(state, &setup, result),
        Msg::PausedAll(ids) => paused(state, ids),
        Msg::NotTakenBack { call, name, outcome, previous, why, again } => {
            let words = format!("{name}: {why}");
            let step = again.then_some(Undo::Tag { call, name, outcome, previous, at: state.now });
            not_taken_back(state, call, step, words);
        }
        Msg::Lines { campaign, name, by, undone, result } => lines(state, campaign, name, by, undone, result),
        Msg::KillSwitch(false) => state.say("the kill switch is off: campaigns that run dial again"),
        Msg::Why { title, lines } => why(state, title, lines),
        Msg::Terms(campaign, name) => ask_terms(state, campaign, name),
        Msg::Detail(detail) => state.detail = Some(detail),
        Msg::Judging(head, card) => state.judging = Some((head, card)),
        Msg::ImportDone(result) => import_done(state, result),
        Msg::Edited(Ok(text)) => {
            if let Some(open) = &mut state.dialog {
                open.dialog.take_text(text);
            }
        }
        Msg::Terminate => return vec![Effect::Leave(Ending::Terminated)],
        Msg::Gone => return vec![Effect::Leave(Ending::TerminalGone)],
        Msg::Broken => return vec![Effect::Leave(Ending::Broken)],
        Msg::Kept(Ok(pid)) => return vec![Effect::Leave(Ending::Kept(pid))],
        Msg::Kept(Err(why)) => state.complain(format!("nothing keeps running without this screen: {why}")),
        Msg::Answer(_, Err(why)) | Msg::Edited(Err(why)) => state.complain(why),
        Msg::Answer(_, Ok(Answer::Away(away))) => session::away(state, away),
        Msg::Answer(_, Ok(Answer::Shift(shift))) => return session::reported(state, &shift),
        // That the kill switch is on its bar says.
        Msg::KillSwitch(true)
        | Msg::Key(_)
        | Msg::Mouse(_)
        | Msg::Resize
        | Msg::Answer(..)
        | Msg::Preview(_)
        | Msg::Counted(_)
        | Msg::ImportProgress { .. } => {}
    }
    Vec::new()
}

/// A new look at the rows; while the picture is held still it waits.
fn looked(state: &mut State, new: Box<Snapshot>) -> Vec<Effect> {
    let promised = tagging::promised(state, &new);
    match &mut state.frozen {
        Some((_, newest)) => *newest = Some(new),
        None => tagging::take(state, *new),
    }
    alarms::look(state);
    tagging::keep_promises(state, promised)
}

fn done(state: &mut State, words: String, result: Result<(), String>) {
    state.pending.clear();
    match result {
        Ok(()) => state.say(words),
        Err(why) => state.complain(why),
    }
}

/// What may be tried again can be taken back still.
fn not_taken_back(state: &mut State, call: CallId, again: Option<Undo>, words: String) {
    state.saving.remove(&call);
    if let Some(step) = again {
        state.remember(step);
    }
    state.returning = Returning::default();
    state.complain(words);
}

fn why(state: &mut State, title: String, mut lines: Vec<String>) {
    if lines.iter().any(|l| l.starts_with("missing: ")) {
        lines.push(format!("{} shows all that is missing, with the key that mends it", state.keys.name(Action::Focus(Pane::Systems))));
    }
    let lines = lines.iter().map(|l| state.in_keys(l)).collect();
    state.open(dialogs::Words::new(title, lines));
}

/// Dialogs and rooms hear what concerns them.
fn tell(state: &mut State, msg: &Msg) {
    let closes = state.dialog.as_mut().is_some_and(|open| open.dialog.told(msg));
    if closes && let Some(mut open) = state.dialog.take() {
        uncover(state, open.dialog.as_mut());
    }
    if let Some(behind) = &mut state.behind {
        behind.told(msg);
    }
    for mut room in std::mem::take(&mut state.rooms) {
        room.told(state, msg);
        state.rooms.push(room);
    }
}

/// What was set up is said; a refusal stands in the dialog where it is still open.
fn set_up(state: &mut State, setup: &Setup, result: Result<Done, Fault>) -> Vec<Effect> {
    state.looking &= *setup != Setup::Look;
    match result {
        Ok(Done::Looked(_)) => {}
        Ok(Done::Said(words)) => state.say(words),
        Ok(Done::Told(title, lines)) if state.dialog.is_none() => state.open(dialogs::Words::new(title, lines)),
        Ok(Done::Told(title, lines)) => state.say(format!("{title}: {}", lines.join("; "))),
        Ok(Done::FromNextStart(words)) => return begin_anew(state, &words),
        Ok(Done::Exists(export)) if state.dialog.is_none() => state.open(dialogs::WriteOver(export)),
        Ok(Done::Exists(export)) => state.complain(format!("{} is there already: nothing was written", export.path.display())),
        Err(_) if setup.has_dialog() && state.dialog.is_some() => {}
        Err(fault) => state.complain(fault.words),
    }
    Vec::new()
}

/// What holds from the next start begins at once where nothing is on the line and nobody else dials.
fn begin_anew(state: &mut State, words: &str) -> Vec<Effect> {
    let live = state.data.live_count();
    if state.options.following.borrow().is_some() {
        state.complain(format!("{words}. It holds once the process that dials is started again"));
    } else if live > 0 {
        state.complain(format!("{words}. It holds from the next start: leave when {} over", if live == 1 { "the live call is" } else { "the live calls are" }));
    } else {
        return vec![Effect::Leave(Ending::Again)];
    }
    Vec::new()
}

fn ask_terms(state: &mut State, campaign: CampaignId, name: String) {
    state.pending.clear();
    if state.dialog.is_some() {
        // Never over what somebody is typing into: a name there is no consent here.
        let key = state.keys.name(Action::Start);
        return state.complain(format!("\"{name}\" waits for the terms to be accepted: {key} again"));
    }
    state.open(dialogs::Terms::new(campaign, name));
}

/// A refusal stands in the form where it is still open.
fn created(state: &mut State, words: String, result: Result<(), String>) {
    match result {
        Ok(()) => state.say(words),
        Err(why) if state.dialog.is_none() => state.complain(why),
        Err(_) => {}
    }
}

fn import_done(state: &mut State, result: Result<(String, crate::domain::contact::ImportReport), String>) {
    if state.behind.take().is_none() {
        return;
    }
    match result {
        Ok((name, r)) => {
            let contacts = count(i64::try_from(r.imported).unwrap_or(0), "contact");
            state.say(format!("imported {name}: {contacts}, {} duplicate, {} invalid", r.duplicate, r.invalid));
        }
        Err(why) => state.complain(why),
    }
}

/// Lines at once were changed: from how many to how many.
fn lines(state: &mut State, campaign: CampaignId, name: String, by: i64, undone: bool, result: Result<(i64, i64), String>) {
    let (was, now) = match result {
        Ok(changed) => changed,
        Err(why) => {
            // What was not taken back can be taken back still.
            if undone {
                state.remember(Undo::Lines { campaign, name, by: -by });
            }
            return state.complain(why);
        }
    };
    let has = count(now, "line");
    if undone {
        return state.say(format!("\"{name}\" has {has} at once again"));
    }
    if was == now {
        return state.hint(format!("\"{name}\" has {has} at once: that is the end of what can be set"));
    }
    state.say(format!("\"{name}\": {has} at once, {was} before - u takes it back"));
    match state.undo.last_mut() {
        // Several keys are one step.
        Some(Undo::Lines { campaign: of, by, .. }) if *of == campaign => *by += now - was,
        _ => state.remember(Undo::Lines { campaign, name, by: now - was }),
    }
    state.undo.pop_if(|u| matches!(u, Undo::Lines { by: 0, .. }));
}

fn paused(state: &mut State, ids: Vec<CampaignId>) {
    if ids.is_empty() {
        return state.hint("no campaign was running");
    }
    let key = state.keys.name(Action::PauseAll);
    let n = count(i64::try_from(ids.len()).unwrap_or(0), "campaign");
    state.say(format!("paused {n}: no further dial. {key} or u resumes the same"));
    state.paused_all = Some(ids.clone());
    state.remember(Undo::PauseAll(ids));
}

fn tagged(
    state: &mut State,
    call: CallId,
    name: String,
    outcome: Option<Outcome>,
    previous: Option<Outcome>,
    undone: bool,
    result: Result<Option<String>, String>,
) {
    state.saving.remove(&call);
    let waited = state.waiting.remove(&call);
    let at = state.now;
    let promised = match result {
        Ok(promised) => promised,
        Err(why) => {
            state.kept.remove(&call);
            if undone {
                state.returning = Returning::default();
            }
            state.together.remove(&call);
            state.undo.pop_if(|u| state.together.is_empty() && matches!(u, Undo::Tags(steps) if steps.is_empty()));
            return match waited {
                Some(_) => tagging::lost(state, &name, outcome, &why),
                None => state.complain(format!("{name}: {why}")),
            };
        }
    };
    for row in state.data.live.iter_mut().chain(state.data.to_tag.iter_mut()).filter(|r| r.id == call) {
        row.outcome = outcome;
    }
    if undone {
        let words = state.returning.done(call, &name, outcome);
        let promised = promised.map_or_else(String::new, |words| format!(", {words}"));
        return state.say(format!("{words}{promised}"));
    }
    if state.kept.remove(&call) {
        return state.say(format!("{name}: {}", promised.unwrap_or_else(|| "the callback is written".to_owned())));
    }
    let promised = match (promised, state.promises.get(&call)) {
        (Some(words), _) => format!(", {words}"),
        (None, Some(p)) if p.text.trim().is_empty() => ", the day after its end, same hour".to_owned(),
        (None, Some(p)) => format!(", {} from its end on", p.text),
        (None, None) => String::new(),
    };
    let told = match outcome {
        Some(word) => format!("tagged {name} \"{}\"{promised}", word.label()),
        None => format!("the tag of {name} is taken off{}", previous.map_or_else(String::new, |p| format!(" (it was \"{}\")", p.label()))),
    };
    // Whatever is said of the call now, the number is protected.
    let listed = previous == Some(Outcome::DoNotCall) && outcome != previous;
    let told = format!("{told}{} - u undoes (10 s)", if listed { "; the number stays on the do-not-call list" } else { "" });
    let step = Undo::Tag { call, name, outcome, previous, at };
    if !state.together.remove(&call) {
        state.say(told);
        return state.remember(step);
    }
    state.remember_together(step);
    if let Some(Undo::Tags(steps)) = state.undo.last() {
        let words = steps::tagged_together(steps);
        state.say(format!("{words} - u takes them all back"));
    }
}
