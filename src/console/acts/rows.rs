//! What changes which rows a list shows, in what order, and by which columns. Cursors stay on their ids.

use super::super::{
    dialogs,
    keys::{Action, Pane},
    lists,
    state::State,
};

pub fn filter(state: &mut State) {
    if Pane::DECK.contains(&state.focus) {
        state.open(dialogs::Filter::new(state));
    } else {
        state.hint("this room is searched as it says itself");
    }
}

/// By the next column.
pub fn sort(state: &mut State) {
    let pane = state.focus;
    state.lists.at(pane).sort_next(pane);
    told(state);
}

pub fn reverse(state: &mut State) {
    let list = state.lists.at(state.focus);
    list.reverse = !list.reverse;
    told(state);
}

/// By a column that was named; `-time` the other way round.
pub fn sort_by(state: &mut State, text: &str) {
    let pane = state.focus;
    let (reverse, name) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let names: Vec<&str> = lists::columns(pane).iter().map(|c| c.name()).collect();
    if names.is_empty() {
        return state.complain(format!("{} has one order only", lists::name(pane)));
    }
    let Some(column) = lists::named(pane, name) else {
        return state.complain(format!("\"{name}\" is no column of {}: {}", lists::name(pane), names.join(", ")));
    };
    let list = state.lists.at(pane);
    (list.sort, list.reverse) = (Some(column), reverse);
    told(state);
}

fn told(state: &mut State) {
    state.arrange();
    let order = state.lists.of(state.focus).order();
    let key = state.keys.name(Action::Reverse);
    state.say(order.map_or("the order is the list's own again".to_owned(), |o| format!("sorted by {o}; {key} turns it round")));
}

/// The columns by their names are those that are shown.
pub fn columns(state: &mut State, names: &str) {
    let pane = state.focus;
    let wanted: Vec<&str> = names.split([' ', ',']).filter(|n| !n.is_empty()).collect();
    if let Some(wrong) = wanted.iter().find(|n| lists::named(pane, n).is_none()) {
        let all: Vec<&str> = lists::columns(pane).iter().map(|c| c.name()).collect();
        return state.complain(format!("\"{wrong}\" is no column of {}: {}", lists::name(pane), all.join(", ")));
    }
    let out = |c: &lists::Column| !lists::is_fixed(pane, *c) && !wanted.iter().any(|n| c.name().eq_ignore_ascii_case(n));
    state.lists.at(pane).hidden = lists::columns(pane).iter().copied().filter(out).collect();
}
