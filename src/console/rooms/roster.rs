//! The people of one list, or the numbers of the do-not-call list, page by page as the cursor goes down.

use ratatui::text::Span;

use super::columns::when;
use crate::{
    console::{
        message::Effect,
        question::{Answer, Question},
        state::State,
        widgets::{cut, fit},
    },
    domain::{id::SourceId, text::clean},
    store::{ContactRow, ContactSearch, ListedSearch, SuppressedRow},
};

/// Whose people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    DoNotCall,
    List(SourceId),
}

/// One of them.
#[derive(Debug, Clone)]
pub enum Item {
    Contact(Box<ContactRow>),
    Listed(SuppressedRow),
}

impl Item {
    pub fn number(&self) -> &str {
        match self {
            Self::Contact(c) => &c.phone_number,
            Self::Listed(l) => &l.number,
        }
    }

    pub fn name(&self) -> String {
        match self {
            Self::Contact(c) => clean(&c.name, 80),
            Self::Listed(_) => String::new(),
        }
    }
}

#[derive(Default)]
pub struct Roster {
    pub items: Vec<Item>,
    /// The number under the cursor.
    pub at: Option<String>,
    /// The first page of which these are the rows.
    shown: Option<Question>,
    /// Where it goes on.
    next: Option<Question>,
    /// The last question; answers to others are passed over.
    asked: Option<Question>,
    failed: Option<Question>,
    barren: u16,
    /// Rows of the first page: as many as were there, where all is looked at again.
    limit: usize,
    /// Numbers on the do-not-call list.
    pub listed: Option<i64>,
}

const PAGE: usize = 100;
const NEAR: usize = 30;
const MOST: usize = 3000;
const MOST_AT_ONCE: usize = 500;
/// So many pages of nothing are looked through without a key: a list of a million is read to its end, page by page.
const BARREN: u16 = 250;

fn first(which: Which, text: &str, limit: usize) -> Question {
    match which {
        Which::DoNotCall => Question::Listed(Box::new(ListedSearch { digits: text.to_owned(), after: None, limit })),
        Which::List(list) => Question::Contacts(Box::new(ContactSearch { list, text: text.trim().to_owned(), after: None, limit })),
    }
}

impl Roster {
    pub fn position(&self) -> Option<usize> {
        self.items.iter().position(|i| Some(i.number()) == self.at.as_deref())
    }

    pub fn item(&self) -> Option<&Item> {
        self.position().and_then(|i| self.items.get(i))
    }

    /// A key was pressed: what could not be answered is asked again, what had nothing looks further.
    pub fn wake(&mut self) {
        (self.failed, self.barren) = (None, 0);
    }

    /// Something was changed: all is looked at again.
    pub fn stale(&mut self) {
        (self.shown, self.failed) = (None, None);
        self.limit = self.items.len().min(MOST_AT_ONCE);
    }

    /// Other people are wanted.
    pub fn leave(&mut self) {
        self.items.clear();
        (self.at, self.shown, self.limit) = (None, None, 0);
    }

    pub fn looks(&self) -> bool {
        self.asked.is_some() || self.shown.is_none()
    }

    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// How many numbers the do-not-call list has.
    pub fn count() -> Effect {
        Effect::Ask(Question::Listed(Box::new(ListedSearch { digits: String::new(), after: None, limit: 1 })))
    }

    pub fn asks(&mut self, which: Which, text: &str) -> Option<Effect> {
        let wanted = first(which, text, self.limit.max(PAGE));
        let wanted = if self.shown.as_ref() == Some(&wanted) {
            let near = self.position().unwrap_or(0) + NEAR >= self.items.len() && self.items.len() < MOST && self.barren < BARREN;
            self.next.clone().filter(|_| near)
        } else {
            Some(wanted)
        };
        let question = wanted.filter(|q| self.asked.as_ref() != Some(q) && self.failed.as_ref() != Some(q))?;
        self.asked = Some(question.clone());
        Some(Effect::Ask(question))
    }

    pub fn heard(&mut self, question: &Question, answer: &Result<Answer, String>) {
        if let Ok(Answer::Listed(found)) = answer {
            self.listed = found.total.or(self.listed);
        }
        if self.asked.as_ref() != Some(question) {
            return;
        }
        self.asked = None;
        match (question, answer) {
            (Question::Contacts(search), Ok(Answer::Contacts(found))) => {
                let items = found.rows.iter().map(|r| Item::Contact(Box::new(r.clone()))).collect();
                let next = found.next.map(|after| Question::Contacts(Box::new(ContactSearch { after: Some(after), ..(**search).clone() })));
                let first = Question::Contacts(Box::new(ContactSearch { after: None, ..(**search).clone() }));
                self.take(first, items, next, search.after.is_none());
            }
            (Question::Listed(search), Ok(Answer::Listed(found))) => {
                let items = found.rows.iter().cloned().map(Item::Listed).collect();
                let next = found.next.clone().map(|after| Question::Listed(Box::new(ListedSearch { after: Some(after), ..(**search).clone() })));
                let first = Question::Listed(Box::new(ListedSearch { after: None, ..(**search).clone() }));
                self.take(first, items, next, search.after.is_none());
            }
            (_, Err(_)) => self.failed = Some(question.clone()),
            _ => {}
        }
    }

    fn take(&mut self, first: Question, items: Vec<Item>, next: Option<Question>, anew: bool) {
        if anew {
            self.items.clear();
            self.barren = 0;
        }
        self.barren = if items.is_empty() { self.barren.saturating_add(1) } else { 0 };
        self.items.extend(items);
        (self.shown, self.next) = (Some(first), next);
    }
}

/// Widths of the columns.
pub struct Columns {
    which: Which,
    name: usize,
    company: usize,
    last: usize,
}

/// From so many cells on the company has its own column.
const WITH_COMPANY: usize = 44;

impl Columns {
    pub fn of(which: Which, width: usize) -> Self {
        let left = width.saturating_sub(1 + 18);
        match which {
            Which::DoNotCall => Self { which, name: 13, company: 0, last: left.saturating_sub(14) },
            Which::List(_) => {
                let name = (left / 3).clamp(8, 26);
                let company = if left >= WITH_COMPANY { ((left - name) / 2).min(26) } else { 0 };
                Self { which, name, company, last: left.saturating_sub(name + 1 + company) }
            }
        }
    }

    pub fn head(&self) -> String {
        match self.which {
            Which::DoNotCall => format!("{:<17} {:<13} {}", "number", "since", fit("by whom, and why", self.last)),
            Which::List(_) if self.company > 0 => {
                format!("{:<17} {} {}{}", "number", fit("contact", self.name), fit("company", self.company), fit("mail, notes", self.last))
            }
            Which::List(_) => format!("{:<17} {} {}", "number", fit("contact", self.name), fit("company, mail, notes", self.last)),
        }
    }

    pub fn spans(&self, state: &State, item: &Item) -> Vec<Span<'static>> {
        let style = |role: &str| state.theme.style(role);
        let number = Span::styled(format!("{} ", fit(&state.number(item.number()), 17)), style("text"));
        match item {
            Item::Listed(l) => {
                let since = fit(&when(state, l.created_at), self.name);
                vec![number, Span::styled(format!("{since} "), style("text_dim")), Span::styled(fit(&who(l), self.last), style("text_dim"))]
            }
            Item::Contact(c) => {
                let apart = self.company > 0;
                let rest = [&c.company, &c.email, &c.notes].into_iter().skip(usize::from(apart));
                let mut known: Vec<String> = rest.filter(|t| !t.trim().is_empty()).map(|t| clean(t, 80)).collect();
                if c.do_not_call {
                    known.insert(0, "DO NOT CALL".to_owned());
                }
                let role = if c.do_not_call { "outcome_do_not_call" } else { "text_dim" };
                let name = Span::styled(fit(&item.name(), self.name), style("text"));
                let company = Span::styled(fit(&format!(" {}", cut(&clean(&c.company, 80), self.company.saturating_sub(1))), self.company), style("text_dim"));
                vec![number, name, company, Span::styled(fit(&format!(" {}", known.join("  ")), self.last + 1), style(role))]
            }
        }
    }
}

/// `by ana (console): asked never to be called`.
pub fn who(l: &SuppressedRow) -> String {
    // What the agent heard on the call is all there is to say of it.
    if l.source == "agent" {
        return "by the agent, who heard it on the call".to_owned();
    }
    let by = if l.created_by.trim().is_empty() { String::new() } else { format!("by {} ", clean(&l.created_by, 40)) };
    let reason = if l.reason.trim().is_empty() { String::new() } else { format!(": {}", clean(l.reason.trim(), 200)) };
    format!("{by}({}){reason}", clean(&l.source, 20))
}
