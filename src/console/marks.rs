//! Calls that are marked, so that one key tags them together: each where it was marked. On the deck a mark goes with
//! its row; among every call it stays with its call, whatever page or search is shown.

use std::collections::BTreeSet;

use super::keys::Pane;
use crate::domain::id::CallId;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    deck: BTreeSet<CallId>,
    every: BTreeSet<CallId>,
    /// Calls of the tagging desk that were passed by without a tag: they wait until the others are through.
    passed: BTreeSet<CallId>,
}

static NONE: BTreeSet<CallId> = BTreeSet::new();

impl Marks {
    /// Those that hold in a pane.
    #[must_use]
    pub fn of(&self, pane: Pane) -> &BTreeSet<CallId> {
        match pane {
            Pane::Calls => &self.every,
            pane if Pane::DECK.contains(&pane) => &self.deck,
            _ => &NONE,
        }
    }

    /// Marks a call, or takes its mark away.
    pub fn switch(&mut self, pane: Pane, call: CallId) {
        let marks = if pane == Pane::Calls { &mut self.every } else { &mut self.deck };
        if !marks.remove(&call) {
            marks.insert(call);
        }
    }

    /// Marks all of these; those that are all marked already, none of them. How many are marked then.
    pub fn all(&mut self, pane: Pane, calls: &[CallId]) -> usize {
        let marks = if pane == Pane::Calls { &mut self.every } else { &mut self.deck };
        if calls.iter().all(|c| marks.contains(c)) {
            marks.clear();
        } else {
            marks.extend(calls);
        }
        marks.len()
    }

    pub fn pass_by(&mut self, call: Option<CallId>) {
        self.passed.extend(call);
    }

    #[must_use]
    pub fn was_passed_by(&self, call: CallId) -> bool {
        self.passed.contains(&call)
    }

    /// The round is through: nobody was passed by.
    pub fn next_round(&mut self) {
        self.passed.clear();
    }

    /// Takes all marks of a pane away; how many those were.
    pub fn clear(&mut self, pane: Pane) -> usize {
        let n = self.of(pane).len();
        match pane {
            Pane::Calls => self.every.clear(),
            pane if Pane::DECK.contains(&pane) => self.deck.clear(),
            _ => {}
        }
        n
    }

    /// Calls that were tagged, or are gone, are marked no more.
    pub fn forget(&mut self, calls: impl IntoIterator<Item = CallId>) {
        for call in calls {
            self.deck.remove(&call);
            self.every.remove(&call);
        }
    }

    /// On the deck only what stands there.
    pub fn keep_on_deck(&mut self, stands: impl Fn(&CallId) -> bool) {
        self.deck.retain(stands);
    }
}
