//! Calls that are marked, so that one key tags them together: each where it was marked. On the deck a mark goes with
//! its row; among every call it stays with its call, whatever page or search is shown.

use std::collections::BTreeSet;

use super::keys::Pane;
use crate::domain::id::CallId;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    deck: BTreeSet<CallId>,
    every: BTreeSet<CallId>,
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
