//! The deck: panes beside each other as the size allows, tabs or crumbs over them, trends and a call's story
//! where there is room.

use ratatui::{
    Frame,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::Paragraph,
};

use unicode_width::UnicodeWidthStr;

use super::{judging, trend};
use crate::console::{
    edges,
    keys::{Action, Pane},
    layout::Places,
    state::State,
    story,
    widgets::{boxed, cut, empty},
};

pub fn draw(frame: &mut Frame<'_>, state: &State, places: &Places) {
    if let Some(area) = places.tabs {
        let line = if state.zoom || !Pane::DECK.contains(&state.focus) { crumbs(state, usize::from(area.width)) } else { tabs(state, usize::from(area.width)) };
        frame.render_widget(Paragraph::new(line), area);
    }
    for (pane, area) in &places.panes {
        if let Some(room) = state.room(*pane) {
            room.draw(frame, state, *area, state.zoom);
            edges::draw(frame, state, *pane, room.frame(state, *area, state.zoom));
        }
    }
    if let Some(area) = places.trend.filter(|a| a.height > 2) {
        trend::draw(frame, state, area);
    }
    if let Some(area) = places.detail {
        detail(frame, state, area);
    }
}

/// Rooms that are not on the deck.
const MORE: [Pane; 3] = [Pane::Calls, Pane::People, Pane::Systems];

fn tabs(state: &State, width: usize) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    let words = tab_words(state, width);
    let mut used = 1;
    for (pane, text) in words {
        let (text, style) = if pane == state.focus {
            (format!("[{text}]"), state.theme.style("title").add_modifier(Modifier::BOLD))
        } else {
            (format!(" {text} "), state.theme.style("text_dim"))
        };
        used += text.width() + 1;
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" "));
    }
    let keys = MORE.map(|pane| state.keys.name(Action::Focus(pane))).join(" ");
    let fits = |words: &&str| width.checked_sub(used + keys.width() + words.width() + 2);
    if let Some((gap, words)) = [MORE_WORDS, ""].iter().find_map(|words| Some((fits(words)?, *words))) {
        spans.extend([Span::raw(" ".repeat(gap)), Span::styled(keys, state.theme.style("key")), Span::styled(words, state.theme.style("text_faint"))]);
    }
    Line::from(spans)
}

const MORE_WORDS: &str = " more rooms";

/// Each with its words; where those of all have no room, all but that of the focus by letter and number.
fn tab_words(state: &State, width: usize) -> Vec<(Pane, String)> {
    let all: Vec<(Pane, String)> = Pane::DECK.into_iter().filter_map(|pane| Some((pane, state.room(pane)?.tab(state)))).collect();
    if all.iter().map(|(_, text)| text.width() + 3).sum::<usize>() < width {
        return all;
    }
    let short = |text: &str| {
        let key = text.split(' ').next().unwrap_or_default();
        let number = text.rsplit(' ').next().filter(|n| n.ends_with(|c: char| c.is_ascii_digit()));
        number.map_or_else(|| key.to_owned(), |n| format!("{key} {n}"))
    };
    all.into_iter().map(|(pane, text)| if pane == state.focus { (pane, text) } else { (pane, short(&text)) }).collect()
}

/// What a click into the line of tabs or crumbs means: the tab's room, or back.
#[must_use]
pub fn clicked(state: &State, area: Rect, column: u16) -> Option<Action> {
    if state.zoom || !Pane::DECK.contains(&state.focus) {
        return Some(Action::Escape);
    }
    let mut x = area.x + 1;
    for (pane, text) in tab_words(state, usize::from(area.width)) {
        let end = x + u16::try_from(text.width() + 2).unwrap_or(0);
        if (x..end).contains(&column) {
            return (pane != state.focus).then_some(Action::Focus(pane));
        }
        x = end + 1;
    }
    None
}

/// Where one is, and at the right edge the way back: `deck > Live calls          Esc the deck`. At the tagging desk
/// what its tagger wants to know.
fn crumbs(state: &State, width: usize) -> Line<'static> {
    let desk = judging::judged(state).filter(|_| !state.queue_rows().is_empty()).map(|_| judging::head(state));
    let here = desk.unwrap_or_else(|| state.room(state.focus).map_or_else(String::new, |r| r.tab(state)));
    let key = state.keys.name(Action::Escape);
    let before = format!(" deck {} ", state.theme.symbols.crumb);
    let back = key.width() + BACK.width();
    let room = width.saturating_sub(before.width() + back + 2);
    let (dim, bold) = (state.theme.style("text_dim"), state.theme.style("title").add_modifier(Modifier::BOLD));
    let (name, rest) = whole(&here, room);
    Line::from(vec![
        Span::styled(before, dim),
        Span::styled(name, bold),
        Span::styled(rest, dim),
        Span::raw(" "),
        Span::styled(key, state.theme.style("key")),
        Span::styled(BACK, dim),
    ])
}

/// A name and what is said behind it, as much as has room as a whole, together as wide as the room.
fn whole(text: &str, room: usize) -> (String, String) {
    let mut parts = text.split("   ");
    let name = cut(parts.next().unwrap_or_default(), room);
    let (mut rest, mut left) = (String::new(), room.saturating_sub(name.width()));
    for part in parts.map(|p| format!("   {p}")) {
        let Some(less) = left.checked_sub(part.width()) else { break };
        rest.push_str(&part);
        left = less;
    }
    (name, rest + &" ".repeat(left))
}

const BACK: &str = " the deck";

/// The story of the selected call, on the wide screen and in the room of the board.
pub fn detail(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let inside = boxed(frame, &state.theme, area, false, "The call", &corner(state));
    beside(frame, state, inside);
}

fn corner(state: &State) -> String {
    let [down, up, opens] = [Action::StoryDown, Action::StoryUp, Action::Enter].map(|a| state.keys.name(a));
    format!("{down} {up} scroll  {opens} opens")
}

fn beside(frame: &mut Frame<'_>, state: &State, area: Rect) {
    match &state.detail {
        Some(d) if Some(d.row.id) == state.shown => {
            let lines = story::lines(state, d, usize::from(area.width), false);
            let most = lines.len().saturating_sub(usize::from(area.height));
            state.story.1.set(most);
            frame.render_widget(Paragraph::new(lines[state.story.0.min(most)..].to_vec()), area);
        }
        _ if state.shown.is_some() => empty(frame, &state.theme, area, "loading..."),
        _ => empty(frame, &state.theme, area, &format!("{} takes a call; its story stands here.", state.keys.name(Action::Down))),
    }
}
