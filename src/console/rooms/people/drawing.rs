//! How the lists and their people look.

use ratatui::{Frame, layout::Rect, text::Span};
use unicode_width::UnicodeWidthStr;

use super::{
    super::{
        calls::draw_field,
        roster::{Columns, Which},
    },
    People, Side, sources,
};
use crate::{
    console::{
        keys::{Action, Pane},
        place::Room,
        state::State,
        widgets::{Row, boxed, empty, fit, head},
    },
    domain::text::clean,
    store::COUNTED,
};

/// Cells of the name of a list at least, and between a name and its figures.
const LEAST_NAME: usize = 20;
const GAP: usize = 2;

impl People {
    pub(super) fn draw_lists(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let focused = self.side == Side::Lists;
        let (at, total) = self.lists(state);
        let inside = boxed(frame, &state.theme, area, focused, &self.tab(state), &format!("{}/{total}", at + 1));
        let width = usize::from(inside.width);
        // Figures that no list has are no column, and they stand beside the names.
        let longest = sources(state).iter().map(|s| clean(&s.name, 80).width() + GAP).max().unwrap_or(0).max(LEAST_NAME);
        let (refused, never) = (sources(state).iter().any(|s| s.invalid > 0), sources(state).iter().any(|s| s.do_not_call > 0));
        let figures = |n: [&str; 3]| {
            let more = [(refused, n[1], 9), (never, n[2], 13)].into_iter().filter(|(some, ..)| *some);
            more.fold(format!("{:>8}", n[0]), |all, (_, n, width)| format!("{all}{n:>width$}"))
        };
        let heads = figures(["people", "refused", "do not call"]);
        let name = width.saturating_sub(2 + heads.width()).min(longest);
        let body = head(frame, &state.theme, inside, &format!("{}{heads}", fit("list", name)));
        let rows = usize::from(body.height).max(1);
        let top = (at + 1).saturating_sub(rows);
        for i in (top..total).take(rows) {
            let text = if let Some(s) = i.checked_sub(1).and_then(|i| sources(state).get(i)) {
                let some = |n: i64| if n > 0 { n.to_string() } else { String::new() };
                format!("{}{}", fit(&clean(&s.name, 80), name), figures([&s.contacts.to_string(), &some(s.invalid), &some(s.do_not_call)]))
            } else {
                let n = self.roster.listed.map_or_else(String::new, |n| if n > COUNTED { format!("{COUNTED}+") } else { n.to_string() });
                format!("{}{n:>8}", fit("do not call", name))
            };
            let spans = vec![Span::styled(text, state.theme.style("text"))];
            Row { spans, selected: i == at, marked: false, focused }.draw(frame, &state.theme, body, i - top);
        }
    }

    /// Which of the lists, and how many there are.
    pub(super) fn lists(&self, state: &State) -> (usize, usize) {
        let which = self.which(state);
        let at = sources(state).iter().position(|s| Which::List(s.id) == which).map_or(0, |i| i + 1);
        (at, sources(state).len() + 1)
    }

    pub(super) fn draw_rows(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let focused = self.side == Side::Rows;
        let which = self.which(state);
        let title = self.source(state).map_or_else(|| "Do not call".to_owned(), |s| clean(&s.name, 80));
        let inside = boxed(frame, &state.theme, area, focused, &title, &self.corner(state));
        draw_field(frame, state, Rect { height: 1.min(inside.height), ..inside }, &self.input, self.typing);
        let rest = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
        if self.roster.items.is_empty() {
            return empty(frame, &state.theme, rest, &self.nothing(state));
        }
        let columns = Columns::of(which, usize::from(rest.width));
        let body = head(frame, &state.theme, rest, &columns.head());
        let at = self.roster.position();
        let top = if focused { state.sight.get(&Pane::People).map_or(0, |s| s.0) } else { 0 };
        for (i, item) in self.roster.items.iter().enumerate().skip(top).take(usize::from(body.height)) {
            let row = Row { spans: columns.spans(state, item), selected: Some(i) == at, marked: false, focused: focused && !self.typing };
            row.draw(frame, &state.theme, body, i - top);
        }
    }

    fn corner(&self, state: &State) -> String {
        let looks = if self.roster.looks() { "looking...  " } else { "" };
        let at = self.roster.position().map_or_else(String::new, |i| format!("{}/", i + 1));
        let more = if self.roster.has_more() { "+" } else { "" };
        let flagged = self.source(state).filter(|s| s.do_not_call > 0).map_or_else(String::new, |s| format!("  {} do not call", s.do_not_call));
        format!("{looks}{at}{}{more}{flagged}", self.roster.items.len())
    }

    fn nothing(&self, state: &State) -> String {
        let (find, last) = (state.keys.name(Action::Filter), state.keys.name(Action::Bottom));
        match (self.roster.looks(), self.roster.has_more(), self.input.value().trim().is_empty()) {
            (true, ..) => "looking...".to_owned(),
            (false, true, _) => format!("None fits so far. {last} looks further, {find} changes what is looked for"),
            (false, false, false) => format!("None fits. {find} changes what is looked for"),
            (false, false, true) if self.which(state) == Which::DoNotCall => {
                format!("No number is on the list. {} imports a file of numbers, :dnc NUMBER puts one there", state.keys.name(Action::Import))
            }
            (false, false, true) => "Nobody is in this list.".to_owned(),
        }
    }
}
