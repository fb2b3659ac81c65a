//! The calls that wait for a tag as rows, on the deck and at the tagging desk: who, since when, what the agent says, and
//! why where there is room.

use ratatui::text::Span;

use super::table::age_style;
use crate::{
    console::{
        keys::Pane,
        lists::Column,
        rows::{age, display_name},
        state::State,
        widgets::fit,
    },
    domain::{outcome::Outcome, text::clean},
    store::PaneRow,
};

/// Cells of the age, of what is said, and of its share, each with a free one before it.
const AGE: usize = 5;
const WORD: usize = 13;
const SHARE: usize = 6;
/// Narrower queues have no room for shares, the narrowest but for the share a free cell more between and at the end.
const WITH_SHARE: usize = 36;
const ROOMY: usize = 40;
/// From here the name has what it needs, and the agent's reason the rest.
const WITH_REASON: usize = 60;
const NAME: usize = 20;

/// Cells of the columns of a queue so wide.
struct Queue {
    name: usize,
    age: usize,
    says: usize,
    reason: usize,
    /// Free cells before what the agent says.
    gap: &'static str,
}

impl Queue {
    fn of(state: &State, width: usize) -> Self {
        let gap = if width >= ROOMY { "  " } else { " " };
        let wanted = |column, cells| if state.lists.of(Pane::Outcomes).shows(column) { cells } else { 0 };
        let age = wanted(Column::Time, AGE);
        let says = wanted(Column::Outcome, gap.len() - 1 + WORD + if width >= WITH_SHARE { SHARE } else { 0 });
        let left = width.saturating_sub(1 + age + says + usize::from(width >= ROOMY));
        let name = if width >= WITH_REASON { NAME } else { left };
        Self { name, age, says, reason: left.saturating_sub(name), gap }
    }
}

/// The heads of the queue's columns.
pub fn head(state: &State, width: usize) -> String {
    let q = Queue::of(state, width);
    let age = format!("{:>AGE$}", "age");
    let says = format!("{}agent says", q.gap);
    [("contact", q.name), (age.as_str(), q.age), (says.as_str(), q.says)].map(|(words, width)| fit(words, width)).concat()
}

/// A call of the queue, here and on the deck: who, since when, and what the agent says, shares under each other, and
/// why where there is room.
pub fn spans(state: &State, r: &PaneRow, width: usize) -> Vec<Span<'static>> {
    let q = Queue::of(state, width);
    let since = r.completed_at.map_or_else(String::new, |t| age(state.now, t));
    let asked = |o| {
        let share = r.suggestion_confidence.filter(|_| width >= WITH_SHARE).map_or_else(String::new, |c| format!("{:>4.0} %", c * 100.0));
        format!("{}{share}", fit(&format!("{}?", short(o)), WORD - 1))
    };
    let (word, role) = match (state.saving.get(&r.id), r.outcome, r.suggestion) {
        (Some(_), ..) => (format!("{} saving", state.theme.symbols.saving), "text_dim".to_owned()),
        (None, Some(o), _) => (format!("✓ {}", o.label()), format!("outcome_{}", o.as_str())),
        (None, None, Some(o)) => (asked(o), format!("outcome_{}", o.as_str())),
        (None, None, None) => ("-".to_owned(), "text_faint".to_owned()),
    };
    let reason = state.data.reasons.get(&r.id).filter(|_| r.outcome.is_none()).map_or_else(String::new, |why| format!("  {}", clean(why, 200)));
    let cell = |text: &str, width: usize, role: &str| Span::styled(fit(text, width), state.theme.style(role));
    vec![
        cell(&display_name(r), q.name, "text"),
        Span::styled(fit(&format!("{since:>AGE$}"), q.age), age_style(state, r)),
        cell(&format!("{}{word}", q.gap), q.says, &role),
        cell(&reason, q.reason, "text_dim"),
    ]
}

fn short(o: Outcome) -> &'static str {
    match o {
        Outcome::NotInterested => "not inter.",
        Outcome::WrongNumber => "wrong no.",
        other => other.label(),
    }
}
