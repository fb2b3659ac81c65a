//! Whether an act can be done now, on what is under the cursor, and if not why: for the key that is pressed, the
//! footer that offers it and the palette that lists it.

use super::{
    keys::{Action, Key, Need, Pane, Place},
    lists,
    rows::{count, display_name},
    state::{State, Undo},
};
use crate::{
    domain::{
        campaign::Status,
        outcome::{self, Outcome},
    },
    store::PaneRow,
};

/// # Errors
/// Why not, and what to do about it.
pub fn now(state: &State, key: &Key) -> Result<(), String> {
    here(state, key)?;
    if key.writes && state.options.read_only {
        return Err("read-only: nothing is changed from here".to_owned());
    }
    if state.leaving.is_some() && matches!(key.need, Need::Startable | Need::Again) {
        return Err(format!("this screen is ending and dials no more: {} to stay", state.keys.name(Action::Quit)));
    }
    match key.need {
        Need::Call => call(state).map(drop),
        Need::OpenCall => {
            let row = call(state)?;
            if row.state.is_ended() { Err(format!("the call with {} is over", display_name(row))) } else { Ok(()) }
        }
        Need::Taggable(outcome) if state.marked().is_empty() => {
            let row = call(state)?;
            outcome::allowed(outcome, row.state, row.answered_at.is_some()).map_err(|refusal| refusal.message)
        }
        Need::Tagged => {
            let row = call(state)?;
            if row.outcome.is_some() { Ok(()) } else { Err(format!("{} has no tag", display_name(row))) }
        }
        Need::Step if state.undo.is_empty() => Err("nothing to take back".to_owned()),
        Need::Campaign => status(state).map(drop),
        Need::Startable if state.options.port.borrow().is_some() => {
            Err("nothing is started while no webhooks reach this console: its port is taken, the bar above says by whom to free it".to_owned())
        }
        Need::Startable => match status(state)? {
            (name, Status::Running) => Err(format!("\"{name}\" is already running")),
            _ => Ok(()),
        },
        Need::Begun => match status(state)? {
            (_, Status::Running | Status::Paused) => Ok(()),
            (name, status) => Err(format!("\"{name}\" is {}: {} starts it", status.as_str(), state.keys.name(Action::Start))),
        },
        Need::Running if state.data.campaigns_in(Status::Running) == 0 && state.paused_all.is_none() => Err("no campaign is running".to_owned()),
        Need::KillSwitch(true) if !state.data.kill_switch => Err("the kill switch is off".to_owned()),
        Need::KillSwitch(false) if state.data.kill_switch => Err("the kill switch is on already".to_owned()),
        Need::Again => again(call(state)?),
        // Of marked calls the key itself sees which may have the tag.
        Need::Nothing | Need::Taggable(_) | Need::Step | Need::Running | Need::KillSwitch(_) => Ok(()),
    }
}

/// Who said no, is not there, or is on the line is not called again; the queue judges the rest.
fn again(row: &PaneRow) -> Result<(), String> {
    let name = display_name(row);
    match (row.state.is_ended(), row.outcome) {
        (false, _) => Err(format!("the call with {name} is not over ({})", row.state.words())),
        (_, Some(tag @ (Outcome::DoNotCall | Outcome::WrongNumber))) => Err(format!("{name} is \"{}\" and is not called again", tag.label())),
        _ => Ok(()),
    }
}

/// Whether a key works where the focus is.
fn here(state: &State, key: &Key) -> Result<(), String> {
    let over = state.dialog.as_ref().is_some_and(|o| o.dialog.call(state).is_some());
    let fits = match key.place {
        Place::Anywhere | Place::Room(_) => true,
        Place::Calls | Place::TaggingDesk => over || state.focus.has_calls(),
        Place::Lists => !lists::columns(state.focus).is_empty(),
    };
    if fits {
        return Ok(());
    }
    let name = |pane| state.keys.name(Action::Focus(pane));
    match key.place {
        Place::Calls | Place::TaggingDesk => {
            let (live, outcomes) = (name(Pane::Live), name(Pane::Outcomes));
            Err(format!("\"{}\" works on a call: go to live calls ({live}) or outcomes ({outcomes})", key.short))
        }
        Place::Lists | Place::Anywhere | Place::Room(_) => Err(format!("\"{}\" works on campaigns, live calls and outcomes", key.short)),
    }
}

/// The call under the cursor, if it can be seen.
fn call(state: &State) -> Result<&PaneRow, String> {
    let Some(row) = state.selected() else {
        if state.focus == Pane::Outcomes && state.returning.call.is_some() {
            return Err("the call that was taken back is on its way: the key again in a moment".to_owned());
        }
        let down = state.keys.name(Action::Down);
        return Err(format!("no call is selected: {down} takes one"));
    };
    state.target().ok_or_else(|| {
        let down = state.keys.name(Action::Down);
        format!("{} is not on the screen: {down} or {} goes there", display_name(row), state.keys.name(Action::Up))
    })
}

fn status(state: &State) -> Result<(&str, Status), String> {
    let none = || {
        let keys = &state.keys;
        if state.data.campaigns.is_empty() {
            format!("no campaign yet: {} makes one", keys.name(Action::New))
        } else {
            format!("no campaign is selected: {} goes to them", keys.name(Action::Focus(Pane::Campaigns)))
        }
    };
    state.target_campaign().map(|c| (c.row.name.as_str(), c.row.execution_status)).ok_or_else(none)
}

/// How long the same person may take a do-not-call back.
pub const DNC_UNDO: chrono::Duration = chrono::Duration::seconds(10);

/// Whose step `u` takes back, in words; nothing where it is too late for it.
#[must_use]
pub fn step_back(state: &State) -> Option<String> {
    Some(match state.undo.last()? {
        Undo::Tag { outcome: Some(Outcome::DoNotCall), at, .. } if state.now - *at > DNC_UNDO => return None,
        Undo::Tag { name, outcome, .. } => format!("{name} \"{}\"", outcome.map_or("no tag", outcome::Outcome::label)),
        Undo::Note { name, .. } => format!("the note on {name}"),
        Undo::Tags(steps) => format!("{} at once", count(i64::try_from(steps.len()).unwrap_or(0), "tag")),
        Undo::Lines { name, by, .. } => format!("{by:+} {} of \"{name}\"", if by.abs() == 1 { "line" } else { "lines" }),
        Undo::PauseAll(ids) => format!("the pause of {}", count(i64::try_from(ids.len()).unwrap_or(0), "campaign")),
    })
}
