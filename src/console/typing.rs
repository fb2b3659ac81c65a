//! What a key does: it goes to the dialog, then to the room, then to the table. What comes faster than hands, or for
//! the screen that a dialog has just covered, does nothing.

use chrono::Duration as Span;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    acts, commands, farewell,
    keys::Action,
    message::Effect,
    place::{Dialog, Next},
    state::{Open, State},
};

/// A dialog takes no keys so soon after it opened: they were typed for the screen below.
const DEAF: Span = Span::milliseconds(250);
/// More keys than this in so short a time were typed by no hand.
const BURST: (usize, Span) = (8, Span::milliseconds(100));

const PASTED: &str = "that came faster than hands, or was pasted: nothing was done with it";

pub(super) fn on_key(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) && twice(state) {
        return vec![Effect::Leave(farewell::hurried(state))];
    }
    if key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL) {
        state.hint("not suspended: the engine runs in this process. Detach with tmux or screen instead");
        return Vec::new();
    }
    let action = state.keys.action(&key, state.scope());
    if state.is_tiny() {
        return tiny(state, action);
    }
    if state.dialog.is_some() {
        return dialog_key(state, key);
    }
    // Into a field a held key and a paste may go; what comes behind them is counted with them.
    if too_fast(state) && !types(state) {
        state.hint(PASTED);
        return Vec::new();
    }
    state.last_key = Some(state.now);
    let pane = state.focus;
    if let Some(Some(effects)) = state.with_room(pane, |room, state| room.key(state, key)) {
        return effects;
    }
    action.map_or_else(Vec::new, |action| acts::act(state, action))
}

/// A paste goes into a field, of the dialog or the room, and nowhere else.
pub(super) fn paste(state: &mut State, text: &str) {
    if let Some(mut open) = state.dialog.take() {
        open.dialog.paste(state, text);
        state.dialog.get_or_insert(open);
    } else if types(state) {
        let pane = state.focus;
        state.with_room(pane, |room, state| room.paste(state, text));
    } else {
        state.hint(PASTED);
    }
}

/// Letters go into a field of the room.
fn types(state: &State) -> bool {
    state.room(state.focus).is_some_and(super::place::Room::typing)
}

/// Ctrl-c for the second time within two seconds.
fn twice(state: &mut State) -> bool {
    state.ctrl_c.replace(state.now).is_some_and(|t| state.now - t < Span::seconds(2))
}

/// Nothing that cannot be seen: whatever was open is closed, and the line says what works.
fn tiny(state: &mut State, action: Option<Action>) -> Vec<Effect> {
    match action {
        Some(action @ (Action::PauseAll | Action::Quit)) => acts::act(state, action),
        Some(Action::Escape) => {
            let open = state.dialog.take();
            open.map_or_else(Vec::new, |mut open| open.dialog.escape(state))
        }
        _ => Vec::new(),
    }
}

/// Keys that come faster than hands are a paste.
fn too_fast(state: &mut State) -> bool {
    let now = state.now;
    state.burst.retain(|t| now - *t < BURST.1);
    state.burst.push(now);
    state.burst.len() > BURST.0
}

pub(super) fn dialog_key(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(mut open) = state.dialog.take() else { return Vec::new() };
    if key.code == KeyCode::Esc {
        return leave(state, open);
    }
    let chord = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let deaf = open.dialog.deaf() && state.now - open.since < DEAF;
    if deaf || (chord && !open.dialog.typing()) {
        if deaf {
            state.hint("a dialog had just opened: that key was not taken");
        }
        state.dialog = Some(open);
        return Vec::new();
    }
    open.leaving = false;
    if key.code == KeyCode::Char('e') && key.modifiers.contains(KeyModifiers::CONTROL) && open.dialog.long_text().is_some() {
        let text = open.dialog.long_text().unwrap_or_default();
        state.dialog = Some(open);
        return vec![Effect::Editor(text)];
    }
    let next = open.dialog.key(state, key);
    follow(state, open, next)
}

fn follow(state: &mut State, open: Open, next: Next) -> Vec<Effect> {
    match next {
        Next::Stay(effects) => {
            // What the key itself opened stands before it.
            state.dialog.get_or_insert(open);
            effects
        }
        Next::Close(effects) => effects,
        Next::Act(action) => {
            state.dialog = Some(open);
            acts::act(state, action)
        }
        Next::Then(action) => acts::act(state, action),
        Next::Line(line) => commands::run(state, &line),
        Next::Instead(dialog) => {
            state.open_boxed(dialog);
            Vec::new()
        }
    }
}

/// Out of a dialog: what was typed is not thrown away by one key, and what goes on goes on behind the screen.
fn leave(state: &mut State, mut open: Open) -> Vec<Effect> {
    if open.dialog.goes_on().is_some() {
        state.behind = Some(open.dialog);
        return Vec::new();
    }
    if open.dialog.typed() && !open.leaving {
        open.leaving = true;
        state.dialog = Some(open);
        return Vec::new();
    }
    let effects = open.dialog.escape(state);
    uncover(state, open.dialog.as_mut());
    effects
}

/// What a dialog stood on comes back.
pub(super) fn uncover(state: &mut State, dialog: &mut dyn Dialog) {
    if let Some(below) = dialog.below() {
        state.open_boxed(below);
    }
}
