//! What changes the picture only: cursor, focus, filters, themes, and the way out.

use super::super::{
    Ending, alerts, dialogs,
    keys::{Action, Pane},
    message::Effect,
    place::Next,
    state::State,
};

/// By what is seen of the focused pane, less a row that is known again.
pub fn page(state: &mut State, way: isize) {
    let rows = state.sight.get(&state.focus).map_or(0, |(_, rows)| *rows);
    step(state, way * isize::try_from(rows.saturating_sub(1)).unwrap_or(1).max(1));
}

/// Moves the cursor of the focused pane; the view goes with it.
pub fn step(state: &mut State, by: isize) {
    let pane = state.focus;
    (state.wheeled, state.sought) = (None, Some(pane));
    let hidden = !state.in_sight(pane);
    if pane == Pane::Live {
        state.follow = false;
    }
    if pane == Pane::Outcomes {
        state.returning.call = None;
        // Whoever goes on without a tag comes back to it when the others are through.
        if by > 0 && state.judged.is_some() {
            state.marks.pass_by(state.queue);
        }
    }
    state.with_room(pane, |room, state| {
        let (at, rows) = room.list(state);
        let top = state.sight.get(&pane).map_or(0, |s| s.0);
        let far = by.unsigned_abs() > rows;
        let to = match at {
            // A cursor out of sight is gone to first.
            Some(i) if hidden && !far => i,
            Some(i) => i.saturating_add_signed(by),
            None if far && by > 0 => rows,
            None if far => 0,
            // From nowhere a step leads onto the first row that can be seen.
            None => top,
        };
        if rows > 0 {
            room.put(state, to.min(rows - 1));
        }
    });
}

/// Focus; pressed again, the whole screen.
pub fn focus(state: &mut State, pane: Pane) -> Vec<Effect> {
    if state.focus == pane && Pane::DECK.contains(&pane) {
        state.zoom = true;
    } else if pane == Pane::Outcomes {
        // In the tagging desk Enter writes a tag: nobody comes there by one key from a room where it opens the story.
        state.zoom = false;
    }
    enter_pane(state, pane)
}

fn enter_pane(state: &mut State, pane: Pane) -> Vec<Effect> {
    state.go(pane);
    // A pane that gets the focus has its cursor somewhere: this key put it there.
    let nowhere = state.room(pane).is_some_and(|r| matches!(r.list(state), (None, 1..)));
    if nowhere && pane != Pane::Events {
        let follow = state.follow;
        step(state, 0);
        state.follow = follow;
    }
    state.with_room(pane, |room, state| room.entered(state)).unwrap_or_default()
}

pub fn turn(state: &mut State, by: usize) -> Vec<Effect> {
    let at = Pane::DECK.iter().position(|p| *p == state.focus).unwrap_or(0);
    enter_pane(state, Pane::DECK[(at + by) % Pane::DECK.len()])
}

/// A room that is no pane has the whole screen already.
pub fn zoom(state: &mut State) -> Vec<Effect> {
    if !Pane::DECK.contains(&state.focus) {
        return Vec::new();
    }
    state.zoom = !state.zoom;
    let pane = state.focus;
    state.with_room(pane, |room, state| room.entered(state)).unwrap_or_default()
}

/// Out one level; never out of the program.
pub fn escape(state: &mut State) {
    if state.notes.dismiss() {
        return;
    }
    // Before the room is left: nobody leaves marks behind that cannot be seen.
    if state.marks.clear(state.focus) > 0 || state.go_back() {
        return;
    }
    if !state.lists.of(state.focus).filter.is_empty() {
        state.lists.at(state.focus).filter.clear();
        state.arrange();
    } else if state.to_tag_only {
        state.to_tag_only = false;
        state.arrange();
    } else if state.focus == Pane::Events && state.event.is_some() {
        state.event = None;
    } else if !std::mem::take(&mut state.zoom) {
        alerts::put_banners_away(state);
    }
}

pub fn enter(state: &mut State) -> Vec<Effect> {
    let pane = state.focus;
    match state.with_room(pane, |room, state| room.enter(state)).flatten() {
        Some(Next::Then(action) | Next::Act(action)) => return super::act(state, action),
        Some(Next::Instead(dialog)) => state.open_boxed(dialog),
        Some(Next::Stay(effects) | Next::Close(effects)) => return effects,
        Some(Next::Line(_)) => {}
        None => return story(state),
    }
    Vec::new()
}

/// What a second click means: Enter, but never a tag. Taking the agent's word is a key's.
pub fn open(state: &mut State) -> Vec<Effect> {
    if state.judged.is_some() { story(state) } else { enter(state) }
}

pub fn story(state: &mut State) -> Vec<Effect> {
    // Reading is no deed: the story names its call.
    let Some(call) = state.selected().map(|r| r.id) else {
        state.hint(format!("no call is selected: {} takes one", state.keys.name(Action::Down)));
        return Vec::new();
    };
    state.open(dialogs::Story::new(call));
    state.shown = Some(call);
    vec![Effect::Show(Some(call))]
}

/// Scrolls what stands beside a list: a call's story, a campaign.
pub fn story_by(state: &mut State, by: isize) {
    let campaign = state.zoom && state.focus == Pane::Campaigns;
    if !campaign && state.judged.is_none() && !state.shows_story() {
        let (live, enter) = (state.keys.name(Action::Focus(Pane::Live)), state.keys.name(Action::Enter));
        return state.hint(format!("no story stands beside the board here: {live} {live} has one where there is room, {enter} opens it"));
    }
    state.story.0 = state.story.0.saturating_add_signed(by).min(state.story.1.get());
}

pub fn follow(state: &mut State) {
    state.follow = !state.follow;
    state.event = None;
    state.say(if state.follow { "the newest stay in sight; the cursor stays where it is" } else { "the cursor stays in sight" });
}

pub fn to_tag_only(state: &mut State) {
    state.to_tag_only = !state.to_tag_only;
    state.arrange();
}

pub fn auto_next(state: &mut State) {
    state.auto_next = !state.auto_next;
    state.say(if state.auto_next { "auto-next on: after a tag in outcomes the cursor goes to the oldest untagged" } else { "auto-next off" });
}

/// Holds the picture; freed, it shows the newest look.
pub fn freeze(state: &mut State) {
    match state.frozen.take() {
        None => state.frozen = Some((state.now, None)),
        Some((_, newest)) => {
            if let Some(newest) = newest {
                state.take(*newest);
            }
        }
    }
}

pub fn mask(state: &mut State) {
    state.mask = (state.mask + 1) % 3;
    state.say(["numbers in full", "numbers by their last four digits", "numbers hidden"][usize::from(state.mask)]);
}

/// Only whoever may change anything takes it back.
pub fn read_only(state: &mut State) {
    if state.options.role == crate::domain::role::Role::Viewer {
        return state.complain("[auth] console_role is viewer: nothing can be changed from here");
    }
    if state.session.read_only && state.options.read_only {
        return state.complain("this console was started with --read-only: leave with q and start it without");
    }
    state.options.read_only = !state.options.read_only;
    state.say(if state.options.read_only { "read-only: nothing is changed from here; :readonly again takes it back" } else { "read-only taken back" });
}

pub fn quit(state: &mut State) -> Vec<Effect> {
    let live = state.data.live_count();
    if state.is_tiny() && live > 0 {
        return vec![Effect::Leave(Ending::Drain)];
    }
    let waits = !state.waiting.is_empty();
    if (live == 0 && !waits) || state.options.following.borrow().is_some() {
        return vec![Effect::Leave(Ending::QuitNow)];
    }
    state.open(dialogs::Quit);
    Vec::new()
}
