//! One number over all campaigns and lists: whether it may be called, its cards, what was promised, every call.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    columns::{Columns, when},
    roster::who,
};
use crate::{
    console::{
        keys::{Action, Pane},
        question::{Answer, Question},
        rows::count,
        snapshot::Snapshot,
        state::State,
        steps::listed,
        widgets::{Row, boxed, empty, fit, head, wrapped},
    },
    desk::NumberStory,
    domain::{id::CallId, outcome::Outcome, text::clean},
    store::FoundCall,
};

pub struct Person {
    pub number: String,
    /// By which one came here; several lists may call the number differently.
    from: String,
    /// Esc leads to where one came from, and not to the lists.
    pub visit: bool,
    story: Option<Box<NumberStory>>,
    asked: bool,
    at: Option<CallId>,
}

/// Cards and promises that are shown.
const SHOWN: usize = 4;
/// Columns of a card.
const FIELDS: usize = 6;
/// Cells of the labels.
const LABEL: usize = 12;

impl Person {
    pub fn of(number: String, from: String, visit: bool) -> Self {
        Self { number, from, visit, story: None, asked: false, at: None }
    }

    /// Its name: the one by which one came here, else of the first card or call that has one.
    pub fn name(&self) -> String {
        let first = || self.names().into_iter().next().unwrap_or_default();
        if self.from.trim().is_empty() { first() } else { self.from.clone() }
    }

    /// All names that its cards and calls have.
    fn names(&self) -> Vec<String> {
        let Some(story) = &self.story else { return Vec::new() };
        let mut names: Vec<String> = Vec::new();
        for name in story.cards.iter().map(|c| &c.1.name).chain(story.calls.iter().map(|c| &c.call.contact_name)).map(|n| clean(n, 60)) {
            if !name.trim().is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// `Jane Roe, also Lars Olsen`.
    fn title(&self) -> String {
        let name = self.name();
        let others: Vec<String> = self.names().into_iter().filter(|n| *n != name).collect();
        if others.is_empty() { name } else { format!("{name}, also {}", listed(&others)) }
    }

    /// Something was changed: it is looked at again.
    pub fn stale(&mut self) {
        self.asked = false;
    }

    pub fn asks(&mut self) -> Option<Question> {
        (!std::mem::replace(&mut self.asked, true)).then(|| Question::Number(self.number.clone()))
    }

    pub fn heard(&mut self, question: &Question, answer: &Result<Answer, String>) {
        if let (Question::Number(number), Ok(Answer::Number(story))) = (question, answer)
            && *number == self.number
        {
            self.story = Some(story.clone());
        }
    }

    /// Calls that go on are shown as they are now.
    pub fn refresh(&mut self, new: &Snapshot) {
        for call in self.story.iter_mut().flat_map(|s| &mut s.calls).filter(|c| c.call.state.is_open()) {
            if let Some(now) = new.live.iter().chain(&new.to_tag).find(|r| r.id == call.call.id) {
                call.call = now.clone();
            }
        }
    }

    fn calls(&self) -> &[FoundCall] {
        self.story.as_ref().map_or(&[], |s| &s.calls)
    }

    pub fn call(&self) -> Option<CallId> {
        self.calls().iter().map(|c| c.call.id).find(|id| Some(*id) == self.at)
    }

    pub fn list(&self) -> (Option<usize>, usize) {
        let calls = self.calls();
        (calls.iter().position(|c| Some(c.call.id) == self.at), calls.len())
    }

    pub fn put(&mut self, row: usize) {
        self.at = self.calls().get(row).map(|c| c.call.id);
    }

    /// How many calls have room.
    pub fn rows(&self, state: &State, area: Rect) -> usize {
        let known = self.known(state, usize::from(area.width.saturating_sub(3)), usize::from(area.height)).len();
        usize::from(area.height).saturating_sub(2 + known + 1)
    }

    pub fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let title = format!("{}  {}", state.number(&self.number), self.title());
        let (at, total) = self.list();
        let corner = at.map_or_else(|| count(i64::try_from(total).unwrap_or(0), "call"), |i| format!("call {} of {total}", i + 1));
        let inside = boxed(frame, &state.theme, area, true, title.trim_end(), if self.story.is_some() { &corner } else { "" });
        let Some(story) = &self.story else {
            return empty(frame, &state.theme, inside, "looking...");
        };
        let known = self.known(state, usize::from(inside.width.saturating_sub(1)), usize::from(area.height));
        let rows = u16::try_from(known.len()).unwrap_or(u16::MAX).min(inside.height);
        frame.render_widget(Paragraph::new(known), Rect { height: rows, ..inside });
        let rest = Rect { y: inside.y + rows, height: inside.height - rows, ..inside };
        if story.calls.is_empty() {
            return empty(frame, &state.theme, rest, "It was never called from here.");
        }
        let columns = Columns::of_number(usize::from(rest.width), self.names().len() > 1);
        let body = head(frame, &state.theme, rest, &columns.head());
        let top = state.sight.get(&Pane::People).map_or(0, |s| s.0).min(story.calls.len().saturating_sub(1));
        for (i, call) in story.calls.iter().enumerate().skip(top).take(usize::from(body.height)) {
            let row = Row { spans: columns.spans(state, call), selected: Some(i) == at, marked: false, focused: true };
            row.draw(frame, &state.theme, body, i - top);
        }
    }

    /// What is known beside the calls, on at most half of the room.
    fn known(&self, state: &State, width: usize, height: usize) -> Vec<Line<'static>> {
        let Some(story) = &self.story else { return Vec::new() };
        let mut out = Vec::new();
        if let Some(listed) = &story.do_not_call {
            let whose = if listed.own { "" } else { ", on another owner's list that is shared" };
            let since = when(state, listed.entry.created_at).replace("  ", " ");
            let text = format!("since {}, {}{whose}", since.trim(), who(&listed.entry));
            labelled(&mut out, state, width, "DO NOT CALL", &text, "outcome_do_not_call");
        } else {
            let text = format!("yes: it is on no do-not-call list; {} puts it there", state.keys.name(Action::Tag(Outcome::DoNotCall)));
            labelled(&mut out, state, width, "may call", &text, "success");
        }
        for p in story.promised.iter().take(SHOWN) {
            let at = p.due.with_timezone(&state.options.zone).format("%a %e %b %H:%M");
            labelled(&mut out, state, width, "promised", &format!("{at}, {}", clean(&p.campaign_name, 60)), "warn");
        }
        for (list, card) in story.cards.iter().take(SHOWN) {
            let own = [&card.name, &card.company, &card.email, &card.notes].into_iter().filter(|t| !t.trim().is_empty()).map(|t| clean(t, 120));
            let fields = card.fields.iter().filter_map(|(k, v)| Some(format!("{}: {}", clean(k, 30), clean(v.as_str().filter(|v| !v.is_empty())?, 60))));
            let facts: Vec<String> = own.chain(fields.take(FIELDS)).collect();
            labelled(&mut out, state, width, "card", &format!("{} (list {})", facts.join(" · "), clean(list, 60)), "text");
        }
        if story.cards.is_empty() {
            labelled(&mut out, state, width, "card", "in no list any more", "text_dim");
        }
        let more = story.cards.len().saturating_sub(SHOWN);
        if more > 0 {
            labelled(&mut out, state, width, "", &format!("and {more} more"), "text_dim");
        }
        out.truncate((height / 2).max(1));
        out
    }
}

fn labelled(out: &mut Vec<Line<'static>>, state: &State, width: usize, label: &str, text: &str, role: &str) {
    let (style, dim) = (state.theme.style(role), state.theme.style("text_dim"));
    // Only what forbids a call is as loud in its label.
    let label_style = if role.starts_with("outcome_") { style } else { dim };
    for (i, line) in wrapped(text, width.saturating_sub(LABEL + 1)).into_iter().take(2).enumerate() {
        let label = if i == 0 { label } else { "" };
        out.push(Line::from(vec![Span::styled(format!(" {}", fit(label, LABEL)), label_style), Span::styled(line, style)]));
    }
}
