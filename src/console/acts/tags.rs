//! Tags: set, cleared, taken back, on one call or on all that are marked.

use chrono::Duration as Span;

use super::super::{
    dialogs,
    keys::{self, Pane},
    message::Effect,
    possible::{self, DNC_UNDO},
    rows::{count, display_name},
    state::{State, Undo},
    tagging::{self, Marked},
};
use crate::{
    domain::{
        id::CallId,
        outcome::{self, Outcome},
    },
    store::PaneRow,
};

/// The same outcome key again within this time is a held one.
const REPEAT: Span = Span::milliseconds(120);
/// More marked calls than this are tagged only after a question.
const MANY: usize = 5;

/// Sets or clears the outcome of the call under the cursor, or of all marked: at once on the screen, then in the
/// database.
pub fn tag(state: &mut State, outcome: Option<Outcome>) -> Vec<Effect> {
    let digit = outcome.map_or('0', Outcome::digit);
    let held = state.last_tag.is_some_and(|(d, at)| d == digit && state.now - at < REPEAT);
    state.last_tag = Some((digit, state.now));
    if held {
        state.hint(format!("{digit} came too fast after the last one: it was not taken"));
        return Vec::new();
    }
    if state.deaf_until.is_some_and(|t| state.now < t) {
        let name = state.target().map_or_else(String::new, |r| format!(": the cursor had just gone on to {}", display_name(r)));
        // Whoever types ahead would hit another with the next key: none is taken until the hand has rested.
        state.deaf_until = Some(state.now + tagging::DEAF);
        state.hint(format!("{digit} was not taken{name}"));
        return Vec::new();
    }
    if let Some(outcome) = outcome.filter(|_| !state.marked().is_empty()) {
        return tag_marked(state, outcome);
    }
    let Some(row) = state.target().cloned() else { return Vec::new() };
    let name = display_name(&row);
    if state.waiting.contains_key(&row.id) {
        state.hint(format!("the tag of {name} waits for the database; it is tried again until it is written"));
    }
    if state.saving.contains_key(&row.id) {
        return Vec::new();
    }
    if outcome == Some(Outcome::Callback) {
        state.open(dialogs::Callback::new(&row, name));
        return Vec::new();
    }
    vec![tagging::one(state, row.id, name, outcome, row.outcome)]
}

/// All that are marked and may have this outcome; above a handful it asks.
fn tag_marked(state: &mut State, outcome: Outcome) -> Vec<Effect> {
    if outcome == Outcome::Callback {
        state.complain("callbacks are promised one by one: each has its own hour");
        return Vec::new();
    }
    let calls = marked(state, outcome);
    let left = state.marked().len() - calls.len();
    let unseen = state.marks.of(state.focus).len() - state.marked().len();
    if calls.is_empty() {
        state.hint(format!("none of the marked calls can be \"{}\"", outcome.label()));
        return Vec::new();
    }
    if calls.len() > MANY {
        state.open(dialogs::TagMany { outcome, calls, left, unseen });
        return Vec::new();
    }
    tagging::many(state, outcome, calls)
}

/// The marked calls that may have an outcome, in the order of the screen.
fn marked(state: &State, outcome: Outcome) -> Vec<Marked> {
    let fits = |r: &&PaneRow| !state.saving.contains_key(&r.id) && outcome::allowed(outcome, r.state, r.answered_at.is_some()).is_ok();
    state.marked().into_iter().filter(fits).map(|r| (r.id, display_name(r), r.outcome)).collect()
}

/// All calls that wait of which the agent is sure, as it says; asks, for one key would write them all.
pub fn agents_words(state: &mut State) {
    if state.focus != Pane::Outcomes {
        let key = state.keys.name(keys::Action::Focus(Pane::Outcomes));
        return state.hint(format!("the agent's words are taken in the tagging desk: {key} {key}"));
    }
    if tagging::sure(state, 0).is_empty() {
        return state.hint("the agent says nothing of the calls that wait, or only callbacks, which are promised one by one");
    }
    state.open(dialogs::AgentsWords::sure(state));
}

/// Takes the last step back, and says whose it was.
pub fn take_back(state: &mut State) -> Vec<Effect> {
    match state.undo.pop() {
        None => Vec::new(),
        Some(Undo::PauseAll(ids)) => {
            state.paused_all = None;
            state.say(format!("resuming the {} that were paused together", count(i64::try_from(ids.len()).unwrap_or(0), "campaign")));
            vec![Effect::ResumeAll(ids)]
        }
        Some(Undo::Lines { campaign, name, by }) => {
            state.say(format!("taking back {by:+} {} of \"{name}\"...", if by.abs() == 1 { "line" } else { "lines" }));
            vec![Effect::Lines { campaign, name, by: -by, undone: true }]
        }
        Some(Undo::Note { call, name, was, now }) => note_back(state, call, &name, was, now.trim()),
        Some(Undo::Tags(steps)) => take_all_back(state, steps),
        Some(Undo::Tag { call, name, outcome: Some(Outcome::DoNotCall), previous, at }) => {
            if state.now - at > DNC_UNDO {
                let next = possible::step_back(state).map_or_else(String::new, |step| format!(". u again takes back {step}"));
                state.complain(format!("{name} stays on the do-not-call list: only an admin may lift it now, by :allow NUMBER{next}"));
                return Vec::new();
            }
            state.open(dialogs::UndoDoNotCall { call, name, previous });
            Vec::new()
        }
        Some(Undo::Tag { call, name, outcome, previous, .. }) => {
            state.say(format!("taking back {name} \"{}\"...", outcome.map_or("no tag", Outcome::label)));
            tagging::take_back(state, vec![(call, name, outcome, previous)], false)
        }
    }
}

/// The note of before, where nobody has written another since.
fn note_back(state: &mut State, call: CallId, name: &str, was: String, now: &str) -> Vec<Effect> {
    let shown = state.data.live.iter().chain(&state.data.to_tag).find(|r| r.id == call);
    if shown.is_some_and(|r| r.notes.trim() != now) {
        state.complain(format!("the note on {name} is another by now: it stays"));
        return Vec::new();
    }
    state.say(format!("taking back the note on {name}..."));
    vec![Effect::Note { call, note: was }]
}

/// A do-not-call among them is taken back by itself: it asks.
fn take_all_back(state: &mut State, steps: Vec<Undo>) -> Vec<Effect> {
    let (listed, tags): (Vec<_>, Vec<_>) = steps.into_iter().partition(|s| matches!(s, Undo::Tag { outcome: Some(Outcome::DoNotCall), .. }));
    let n = i64::try_from(tags.len()).unwrap_or(0);
    let rest = if listed.is_empty() {
        String::new()
    } else {
        format!("; {} on the do-not-call list: u again", count(i64::try_from(listed.len()).unwrap_or(0), "number"))
    };
    state.say(format!("taking back {}...{rest}", count(n, "tag")));
    state.undo.extend(listed);
    let step = |s| if let Undo::Tag { call, name, outcome, previous, .. } = s { Some((call, name, outcome, previous)) } else { None };
    tagging::take_back(state, tags.into_iter().filter_map(step).collect(), false)
}

/// Marks all that are shown, so that one key tags them; where all are marked already, none.
pub fn mark_all(state: &mut State) {
    let pane = state.focus;
    let shown: Vec<_> = state.room(pane).map(|room| room.calls(state).iter().map(|r| r.id).collect()).unwrap_or_default();
    let n = state.marks.all(pane, &shown);
    if n == 0 {
        return state.hint("no call is marked");
    }
    let escape = state.keys.name(keys::Action::Escape);
    state.say(format!("{} marked: a tag goes to all of them, {escape} takes the marks away", count(i64::try_from(n).unwrap_or(0), "call")));
}

/// Marks the call under the cursor, or takes the mark away, and goes a row down.
pub fn mark(state: &mut State) {
    let Some(call) = state.target().map(|r| r.id) else { return };
    state.marks.switch(state.focus, call);
    super::screen::step(state, 1);
}
