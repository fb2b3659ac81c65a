//! The calls that a search has found so far, page by page: what is asked for next, what came back, and the order in
//! which they are shown. A call keeps its place in it by its id.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::{
    console::{
        keys::Pane,
        lists::Column,
        question::{Answer, Question},
        rows::wants_tag,
        search::PAGE,
        snapshot::Snapshot,
        state::State,
    },
    domain::{id::CallId, outcome::Outcome},
    store::{CallSearch, Found, FoundCall, PaneRow, Place},
};

#[derive(Default)]
pub struct Pages {
    rows: Vec<FoundCall>,
    /// The rows as they are shown.
    order: Vec<usize>,
    /// By what they were ordered; `None` where that is to be done.
    arranged: Option<(Option<Column>, bool)>,
    /// Where older ones go on.
    next: Option<Place>,
    /// Whose rows these are.
    shown: Option<CallSearch>,
    pub looked: Option<DateTime<Utc>>,
    /// The last question of calls; answers to others are passed over.
    asked: Option<Question>,
    /// It could not be answered: not asked again before a key.
    failed: Option<Question>,
    /// Pages on end that had nothing.
    barren: u8,
    /// Pages since the search began.
    turned: u8,
    pub unsearched: i64,
    /// Rows of the first page: as many as were there, where all is looked at again.
    limit: usize,
    /// Calls that were changed, or just gone to: they are looked at again.
    again: Vec<CallId>,
}

/// Older ones are asked for when the cursor is so near the last row.
const NEAR: usize = 30;
/// Rows kept; whoever wants more narrows the search.
const MOST: usize = 3000;
const MOST_AT_ONCE: usize = 500;
/// So many pages of nothing are looked through without a key.
const BARREN: u8 = 5;
/// So many pages are asked for to be ordered, without a key that goes there.
const ORDERED: u8 = 30;
/// Calls looked at again at once.
const AGAIN: usize = 16;

impl Pages {
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub fn get(&self, row: usize) -> Option<&FoundCall> {
        self.order.get(row).and_then(|i| self.rows.get(*i))
    }

    /// In the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = &FoundCall> {
        self.order.iter().filter_map(|i| self.rows.get(*i))
    }

    pub fn find(&self, call: Option<CallId>) -> Option<&FoundCall> {
        self.rows.iter().find(|r| Some(r.call.id) == call)
    }

    pub fn position(&self, call: Option<CallId>) -> Option<usize> {
        self.iter().position(|r| Some(r.call.id) == call)
    }

    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// An answer is on its way.
    pub fn looks(&self) -> bool {
        self.asked.is_some()
    }

    pub fn waits(&self) -> bool {
        self.shown.is_none() || self.asked.is_some()
    }

    /// So many as were there, where all is looked at again.
    pub fn limit(&self) -> usize {
        self.limit.clamp(PAGE, MOST_AT_ONCE)
    }

    /// A key was pressed: what could not be answered is asked again, what had nothing looks further.
    pub fn wake(&mut self) {
        (self.failed, self.barren) = (None, 0);
    }

    /// What could not be answered is asked again.
    pub fn retry(&mut self) {
        self.failed = None;
    }

    /// Something else is typed.
    pub fn another(&mut self) {
        (self.failed, self.limit) = (None, 0);
    }

    pub fn look_again(&mut self) {
        (self.shown, self.failed, self.limit) = (None, None, self.rows.len());
    }

    pub fn see_again(&mut self, call: Option<CallId>) {
        self.again.extend(call.filter(|id| !self.again.contains(id)));
    }

    /// What is to be asked now: calls that were changed, another search, older calls of this one. Ordered by a column
    /// they are all asked for, as many as are kept: the longest talk may be an old one.
    /// `None`: what was typed names nothing, and finds nobody.
    pub fn asks(&mut self, state: &State, search: Option<CallSearch>, at: Option<CallId>) -> Vec<Question> {
        let few = self.again.len().min(AGAIN);
        let mut questions: Vec<Question> = self.again.drain(..few).map(Question::Call).collect();
        let Some(search) = search else {
            self.forget();
            return questions;
        };
        let wanted = self.wanted(state, search, at).filter(|q| self.asked.as_ref() != Some(q) && self.failed.as_ref() != Some(q));
        if let Some(question) = wanted {
            self.asked = Some(question.clone());
            questions.push(question);
        }
        questions
    }

    fn forget(&mut self) {
        self.rows.clear();
        self.order.clear();
        (self.next, self.shown, self.asked, self.failed) = (None, None, None, None);
    }

    /// These are the rows of that search, as far as it is known.
    pub fn shows(&self, search: &CallSearch) -> bool {
        self.shown.as_ref() == Some(search)
    }

    fn wanted(&self, state: &State, search: CallSearch, at: Option<CallId>) -> Option<Question> {
        if self.shown.as_ref() != Some(&search) {
            return Some(Question::Calls(Box::new(search)));
        }
        let near = self.position(at).unwrap_or(0) + NEAR >= self.rows.len();
        let ordered = state.lists.of(Pane::Calls).is_sorted() && self.turned < ORDERED;
        let more = (near || ordered) && self.rows.len() < MOST && self.barren < BARREN;
        let after = self.next.filter(|_| more)?;
        Some(Question::Calls(Box::new(CallSearch { after: Some(after), ..search })))
    }

    pub fn heard(&mut self, now: DateTime<Utc>, question: &Question, answer: &Result<Answer, String>) {
        match (question, answer) {
            (Question::Call(id), Ok(Answer::Call(found))) => self.seen_again(*id, found.as_deref()),
            (Question::Calls(search), answer) if self.asked.as_ref() == Some(question) => {
                self.asked = None;
                match answer {
                    Ok(Answer::Calls(found)) => self.take(now, search, found),
                    Ok(_) => {}
                    Err(_) => self.failed = Some(question.clone()),
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, now: DateTime<Utc>, search: &CallSearch, found: &Found) {
        if search.after.is_none() {
            self.rows.clear();
            (self.barren, self.turned, self.looked) = (0, 0, Some(now));
        }
        self.barren = if found.rows.is_empty() { self.barren.saturating_add(1) } else { 0 };
        self.turned = self.turned.saturating_add(1);
        let new = found.rows.iter().filter(|n| !self.rows.iter().any(|r| r.call.id == n.call.id)).cloned().collect::<Vec<_>>();
        self.rows.extend(new);
        (self.next, self.unsearched) = (found.next, found.unsearched);
        self.shown = Some(CallSearch { after: None, ..search.clone() });
        self.arranged = None;
    }

    fn seen_again(&mut self, id: CallId, found: Option<&FoundCall>) {
        match (self.rows.iter_mut().find(|r| r.call.id == id), found) {
            (Some(row), Some(found)) => *row = found.clone(),
            (Some(_), None) => {
                self.rows.retain(|r| r.call.id != id);
                self.arranged = None;
            }
            (None, _) => {}
        }
    }

    pub fn tagged(&mut self, call: CallId, outcome: Option<Outcome>) {
        if let Some(row) = self.rows.iter_mut().find(|r| r.call.id == call) {
            row.call.outcome = outcome;
            self.see_again(Some(call));
        }
    }

    /// Calls that go on, or wait for a tag, are shown as they are now.
    pub fn refresh(&mut self, new: &Snapshot) {
        let mut rows = self.rows.iter_mut().filter(|r| r.call.state.is_open() || wants_tag(&r.call)).peekable();
        if rows.peek().is_none() {
            return;
        }
        let now: HashMap<CallId, &PaneRow> = new.to_tag.iter().chain(&new.live).map(|r| (r.id, r)).collect();
        for row in rows {
            if let Some(now) = now.get(&row.call.id) {
                row.call = (*now).clone();
            }
        }
    }

    /// Puts the rows in the order that is asked for, where they are in another. A row that was only changed keeps its
    /// place: it must not leave while somebody reads it.
    pub fn arrange(&mut self, state: &State) {
        let list = state.lists.of(Pane::Calls);
        let by = Some((list.sort, list.reverse));
        if self.arranged != by {
            self.order = state.lists.found(&self.rows, state.now);
            self.arranged = by;
        }
    }
}
