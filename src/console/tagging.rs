//! Tags on their way: what a decided tag sends, where the cursor goes then, and promised callbacks.

use chrono::{DateTime, Duration as Span, Utc};

use super::{
    keys::{Action, Pane},
    message::Effect,
    notify::Alert,
    rows::display_name,
    snapshot::Snapshot,
    state::{Promise, State, Undo, Waits},
    steps::Returning,
};
use crate::{
    domain::{
        id::CallId,
        outcome::Outcome,
        phone::PhoneNumber,
        place, schedule,
        zone::{self, Zone},
    },
    store::PaneRow,
};

/// So long after the cursor went on by itself no tag is taken: the key was meant for the call before.
pub const DEAF: Span = Span::milliseconds(300);

/// A call that is marked: whose, and its tag so far.
pub type Marked = (CallId, String, Option<Outcome>);

/// Tags one call.
pub fn one(state: &mut State, call: CallId, name: String, outcome: Option<Outcome>, previous: Option<Outcome>) -> Effect {
    let effect = send(state, call, name, outcome, previous, None);
    go_on(state, call);
    effect
}

/// Tags several at once; their marks are used up.
pub fn many(state: &mut State, outcome: Outcome, calls: Vec<Marked>) -> Vec<Effect> {
    state.marks.forget(calls.iter().map(|c| c.0));
    together(state, calls.into_iter().map(|call| (outcome, call)).collect())
}

/// Tags of one key, one step to take back: they begin a step of their own.
pub fn together(state: &mut State, calls: Vec<(Outcome, Marked)>) -> Vec<Effect> {
    state.together.extend(calls.iter().map(|(_, call)| call.0));
    state.remember(Undo::Tags(Vec::new()));
    calls.into_iter().map(|(outcome, (call, name, previous))| send(state, call, name, Some(outcome), previous, None)).collect()
}

/// The calls that wait of which the agent is so sure, per cent, and what it says.
#[must_use]
pub fn sure(state: &State, percent: u8) -> Vec<(Outcome, Marked)> {
    let sure = |r: &&PaneRow| r.suggestion_confidence.is_some_and(|c| c * 100.0 >= f64::from(percent));
    words_of(state, state.queue_rows().into_iter().filter(sure))
}

/// Calls that wait, each with what the agent says of it. Callbacks are promised one by one: each has its own hour.
pub fn words_of<'a>(state: &State, rows: impl Iterator<Item = &'a PaneRow>) -> Vec<(Outcome, Marked)> {
    let waits = |r: &&PaneRow| r.outcome.is_none() && !state.saving.contains_key(&r.id);
    rows.filter(waits).filter_map(|r| Some((r.suggestion.filter(|o| *o != Outcome::Callback)?, (r.id, display_name(r), r.outcome)))).collect()
}

/// A tag that is to be taken back: whose, what it is, and what it was before.
pub type Step = (CallId, String, Option<Outcome>, Option<Outcome>);

/// Takes tags back with one key. At the tagging desk the cursor goes back to the first of them that is to be tagged
/// anew, and until that is there it stands on nobody: the next key is meant for that call.
pub fn take_back(state: &mut State, steps: Vec<Step>, lift: bool) -> Vec<Effect> {
    state.returning = Returning::of(steps.iter().map(|s| (s.0, s.1.clone())).collect());
    let first = steps.iter().find(|s| s.3.is_none()).map(|s| s.0);
    if state.focus == Pane::Outcomes && first.is_some() {
        (state.queue, state.returning.call) = (None, first);
    }
    let mut effects = Vec::new();
    for (call, name, outcome, previous) in steps {
        state.promises.remove(&call);
        state.saving.insert(call, previous);
        effects.push(Effect::UndoTag { call, name, previous, outcome, lift });
    }
    effects
}

fn send(state: &mut State, call: CallId, name: String, outcome: Option<Outcome>, previous: Option<Outcome>, callback_at: Option<DateTime<Utc>>) -> Effect {
    state.saving.insert(call, outcome);
    if outcome != Some(Outcome::Callback) {
        state.promises.remove(&call);
    }
    Effect::Tag { call, name, outcome, previous, callback_at }
}

/// The database takes nothing for now: the tag stays on the screen as one that waits.
pub fn waits(state: &mut State, call: CallId, name: String, outcome: Option<Outcome>, why: String) {
    let since = state.waiting.get(&call).map_or(state.now, |w| w.since);
    state.waiting.insert(call, Waits { name, outcome, since, why });
}

/// A tag that waited and cannot be written any more: it is said, on the screen and beyond.
pub fn lost(state: &mut State, name: &str, outcome: Option<Outcome>, why: &str) {
    let words = format!("{name}: the tag \"{}\" that waited is lost: {why}. Tag the call again if it still holds", outcome.map_or("none", Outcome::label));
    state.alarms.ring(Alert::Lost, &words, state.now);
    state.complain(words);
}

/// Whether a call is this operator's share of the queue, where others tag too: each goes on to calls of a share of their
/// own, by their names, and two do not come to the same one.
fn is_mine(state: &State, call: CallId) -> bool {
    let others = state.judging.as_ref().map_or(&[][..], |(head, _)| head.others.as_slice());
    let (place, of) = (others.iter().filter(|t| t.who < state.actor.name).count(), others.len() + 1);
    call.0.as_u128() % (of as u128) == place as u128
}

/// In the tagging desk the cursor goes on to the oldest that is not on its way already. Nowhere else does a tag
/// move it: the next key may correct this one.
fn go_on(state: &mut State, tagged: CallId) {
    if state.focus != Pane::Outcomes || !state.auto_next || state.dialog.is_some() {
        return;
    }
    state.returning.call = None;
    let waits = |r: &&&PaneRow| r.id != tagged && r.outcome.is_none() && !state.saving.contains_key(&r.id);
    let rows = state.queue_rows();
    let fresh = || rows.iter().filter(waits).filter(|r| !state.marks.was_passed_by(r.id));
    let mine = |r: &&&PaneRow| is_mine(state, r.id);
    let next = fresh().find(mine).or_else(|| fresh().next()).map(|r| r.id);
    let again = || rows.iter().filter(waits).find(mine).or_else(|| rows.iter().find(waits)).map(|r| r.id);
    let (through, next) = (next.is_none(), next.or_else(again));
    if through {
        state.marks.next_round();
    }
    state.queue = next;
    state.deaf_until = next.map(|_| state.now + DEAF);
}

/// A new look at the rows, with what it means for the call under the cursor of the queue.
pub fn take(state: &mut State, mut new: Snapshot) {
    let gone = gone(state, &new);
    keep_tagged(state, &mut new);
    state.take(new);
    if let Some(words) = gone.filter(|_| state.queue.is_none()) {
        state.hint(words);
    }
}

/// The call under the cursor of the queue was tagged by somebody else: who looks at the next must know why, and who it was.
fn gone(state: &State, new: &Snapshot) -> Option<String> {
    let untagged = |id: &CallId| state.focus == Pane::Outcomes && !state.saving.contains_key(id) && !new.to_tag.iter().any(|r| r.id == *id);
    let id = state.queue.filter(untagged)?;
    let was = state.data.to_tag.iter().find(|r| r.id == id && r.outcome.is_none())?;
    let word = new.live.iter().find(|r| r.id == id).and_then(|r| r.outcome).map_or_else(String::new, |o| format!(" \"{}\"", o.label()));
    let others = state.judging.as_ref().map_or(&[][..], |(head, _)| head.others.as_slice());
    let only = if let [one] = others { Some(one.who.clone()) } else { None };
    let who = new.asides.get(&id).and_then(|a| a.tagged_by.clone()).or(only).map_or_else(|| "elsewhere".to_owned(), |who| format!("by {who}"));
    Some(format!("{} was just tagged{word} {who}; {} takes the next", display_name(was), state.keys.name(Action::Down)))
}

/// Without auto-next the call that was just tagged stays under the cursor until it is moved: it can be seen, and tagged
/// otherwise.
fn keep_tagged(state: &State, new: &mut Snapshot) {
    let Some(id) = state.queue.filter(|id| !state.auto_next && !new.to_tag.iter().any(|r| r.id == *id)) else { return };
    if let Some(old) = state.data.to_tag.iter().find(|r| r.id == id && r.outcome.is_some()) {
        new.to_tag.push(old.clone());
    }
}

/// A callback: at the moment that was typed, on the contact's clock. On a call that is not over it counts from its
/// end.
///
/// # Errors
/// When nobody understands the moment.
pub fn promise(state: &mut State, call: CallId, name: &str, previous: Option<Outcome>, text: &str) -> Result<Vec<Effect>, String> {
    let shown = state.detail.as_ref().map(|d| &d.row).into_iter().chain(state.selected());
    let row = state.data.live.iter().chain(&state.data.to_tag).chain(shown).find(|r| r.id == call).cloned();
    let live = row.as_ref().is_some_and(|r| !r.state.is_ended());
    let at = moment(state, row.as_ref(), text, state.now)?;
    let effect = if live {
        state.promises.insert(call, Promise { name: name.to_owned(), text: text.to_owned() });
        send(state, call, name.to_owned(), Some(Outcome::Callback), previous, None)
    } else {
        send(state, call, name.to_owned(), Some(Outcome::Callback), previous, Some(at))
    };
    go_on(state, call);
    Ok(vec![effect])
}

/// Where the contact's clock is: as its list says where that is known here, else as its number does; of several places
/// the first. The operator's where nothing is known of it.
#[must_use]
pub fn contact_zone(state: &State, row: Option<&PaneRow>) -> Zone {
    let known = |r: &PaneRow| {
        let card = state.judging.as_ref().and_then(|(_, card)| card.as_deref()).filter(|c| c.call.call.id == r.id);
        card.map(|c| c.call.zones.clone()).or_else(|| Some(place::whereabouts(&PhoneNumber::parse(&r.phone_number, None).ok()?, &place::Said::default()).0))
    };
    let zones = row.and_then(known).and_then(|key| zone::parse_key(&key)).unwrap_or_default();
    zones.first().copied().unwrap_or(state.options.zone)
}

/// Hours behind this word are the operator's.
pub const HERE: &str = "here";

/// The moment that a text names on the contact's clock, inside the campaign's own window.
///
/// # Errors
/// When nobody understands it.
pub fn moment(state: &State, row: Option<&PaneRow>, text: &str, from: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let campaign = row.and_then(|r| state.data.campaign(r.campaign_id));
    let (text, zone) = match text.trim().strip_suffix(HERE) {
        Some(rest) => (rest, state.options.zone),
        None => (text, contact_zone(state, row)),
    };
    let at = schedule::parse_moment(text, zone, from)?;
    Ok(campaign.and_then(|c| c.row.window().next_open(c.row.zone(), at)).unwrap_or(at))
}

/// Calls that are over by a new look, and were promised a callback.
#[must_use]
pub fn promised(state: &State, new: &Snapshot) -> Vec<PaneRow> {
    if state.promises.is_empty() {
        return Vec::new();
    }
    let due = |r: &&PaneRow| r.state.is_ended() && state.promises.contains_key(&r.id) && !state.saving.contains_key(&r.id);
    let mut rows: Vec<PaneRow> = new.live.iter().chain(&new.to_tag).filter(due).cloned().collect();
    rows.sort_by_key(|r| r.id);
    rows.dedup_by_key(|r| r.id);
    rows
}

/// Writes the promises of calls that are over: their moments count from the end.
pub fn keep_promises(state: &mut State, rows: Vec<PaneRow>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for row in rows {
        let Some(Promise { name, text }) = state.promises.remove(&row.id) else { continue };
        let ended = row.completed_at.unwrap_or(state.now);
        match moment(state, Some(&row), &text, ended) {
            Ok(at) => {
                state.kept.insert(row.id);
                effects.push(send(state, row.id, name, Some(Outcome::Callback), row.outcome, Some(at.max(state.now + Span::seconds(1)))));
            }
            Err(why) => state.complain(format!("{name} was promised a callback ({text}), which was not written: {why}. 3 on the call again")),
        }
    }
    effects
}
