//! What calls somebody who looks elsewhere: a campaign that was paused by the breaker or cannot go on, an engine that
//! does not dial, calls that wait too long for a tag, promised calls that are due, a tag that was lost.

use chrono::Duration as Span;

use super::{
    notify::{Alert, Holds},
    rows::{count, display_name},
    state::State,
};
use crate::domain::campaign::Status;

/// A call that waits longer for its tag is told.
const UNTAGGED: Span = Span::minutes(15);

/// After each look at the rows.
pub fn look(state: &mut State) {
    let holds = holds(state);
    state.alarms.look(holds, state.now);
}

fn holds(state: &State) -> Vec<Holds> {
    let mut all = vec![];
    let data = &state.data;
    for c in &data.campaigns {
        let told = match c.row.execution_status {
            Status::Paused if c.row.status_actor == "breaker" => "paused",
            Status::Error => "cannot go on",
            _ => continue,
        };
        // By its generation: one that was started again and is paused again is told again.
        let which = format!("{}:{}", c.row.id, c.row.generation);
        all.push((Alert::Campaign, which, format!("{} {told}: {}", c.row.name, c.row.status_reason)));
    }
    let engine = [(data.kill_switch, "the kill switch is on: nothing is dialled"), (!data.health.is_empty() && state.leaving.is_none(), &data.health)];
    all.extend(engine.iter().filter(|(holds, _)| *holds).map(|(_, words)| (Alert::Engine, (*words).to_owned(), (*words).to_owned())));
    if let Some(oldest) = data.to_tag.iter().filter(|r| r.completed_at.is_some_and(|t| state.now - t > UNTAGGED)).min_by_key(|r| r.completed_at) {
        let waits = oldest.completed_at.map_or(0, |t| (state.now - t).num_minutes());
        let words = format!("{} to tag, {} for {}", count(state.to_tag(), "call"), display_name(oldest), count(waits, "minute"));
        all.push((Alert::ToTag, oldest.id.to_string(), words));
    }
    let due = data.head.as_ref().map_or(0, |h| h.figures.callbacks.due);
    if due > 0 {
        all.push((Alert::Callback, due.to_string(), format!("{} due", count(due, "promised callback"))));
    }
    all
}

/// Alerts that leave the screen, on or off.
pub fn switch(state: &mut State) {
    let on = !state.alarms.is_on();
    state.alarms.switch(on);
    let what = "a campaign the breaker paused, an engine that does not dial, a call 15 minutes untagged, callbacks due";
    state.say(if on { format!("the bell is on, at most once a minute for each: {what}") } else { "the bell is off".to_owned() });
}
