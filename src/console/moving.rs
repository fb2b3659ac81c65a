//! From room to room and back, what is open over them, and what a key there goes to.

use super::{
    keys::{Pane, Place},
    place::{Dialog, Room},
    snapshot::CampaignView,
    state::{Open, State},
};
use crate::store::PaneRow;

impl State {
    /// The place under the focus where some keys have a meaning of their own.
    #[must_use]
    pub fn scope(&self) -> Option<Place> {
        match self.focus {
            Pane::Outcomes => self.zoom.then_some(Place::TaggingDesk),
            pane if Pane::DECK.contains(&pane) => None,
            pane => Some(Place::Room(pane)),
        }
    }

    #[must_use]
    pub fn room(&self, pane: Pane) -> Option<&dyn Room> {
        self.rooms.iter().find(|r| r.pane() == pane).map(AsRef::as_ref)
    }

    /// Lets a room act on the state, itself among it.
    pub fn with_room<T>(&mut self, pane: Pane, act: impl FnOnce(&mut dyn Room, &mut Self) -> T) -> Option<T> {
        let at = self.rooms.iter().position(|r| r.pane() == pane)?;
        let mut room = self.rooms.remove(at);
        let out = act(room.as_mut(), self);
        self.rooms.insert(at, room);
        Some(out)
    }

    /// Gives a room the focus; one that is no pane is left by the way that led to it.
    pub fn go(&mut self, pane: Pane) {
        if Pane::DECK.contains(&pane) {
            self.trail.clear();
        } else if pane != self.focus {
            // Never around in circles.
            let known = self.trail.iter().position(|(p, _)| *p == pane);
            self.trail.truncate(known.unwrap_or(self.trail.len()));
            if known.is_none() {
                self.trail.push((self.focus, self.zoom));
            }
        }
        self.focus = pane;
    }

    /// Back to where one came from; `false` on the deck.
    pub fn go_back(&mut self) -> bool {
        if Pane::DECK.contains(&self.focus) {
            return false;
        }
        (self.focus, self.zoom) = self.trail.pop().unwrap_or((Pane::Live, false));
        true
    }

    /// The calls that a tag goes to together, in the order of the list: marks hold where they are seen, and not over
    /// the story of one call.
    #[must_use]
    pub fn marked(&self) -> Vec<&PaneRow> {
        let marks = self.marks.of(self.focus);
        if marks.is_empty() || self.dialog.as_ref().is_some_and(|o| o.dialog.call(self).is_some()) {
            return Vec::new();
        }
        let mut calls = self.room(self.focus).map(|room| room.calls(self)).unwrap_or_default();
        calls.retain(|r| marks.contains(&r.id));
        calls
    }

    /// The call under the cursor, seen or not.
    #[must_use]
    pub fn selected(&self) -> Option<&PaneRow> {
        let of_dialog = self.dialog.as_ref().and_then(|o| o.dialog.call(self));
        of_dialog.or_else(|| self.room(self.focus)?.call(self))
    }

    /// The call that tags, notes and hang-ups go to: under the cursor, and on the screen.
    #[must_use]
    pub fn target(&self) -> Option<&PaneRow> {
        let over = self.dialog.as_ref().is_some_and(|o| o.dialog.call(self).is_some());
        self.selected().filter(|_| over || self.in_sight(self.focus))
    }

    /// Whether the row under a pane's cursor is on the screen.
    #[must_use]
    pub fn in_sight(&self, pane: Pane) -> bool {
        let (top, rows) = self.sight.get(&pane).copied().unwrap_or((0, usize::MAX));
        let at = self.room(pane).and_then(|r| r.list(self).0);
        at.is_some_and(|i| i >= top && i - top < rows)
    }

    /// The campaign that commands go to: the selected one, or the selected call's when calls have
    /// the focus.
    #[must_use]
    pub fn target_campaign(&self) -> Option<&CampaignView> {
        let of_call = if self.focus.has_calls() { self.target().map(|r| r.campaign_id) } else { None };
        self.data.campaign(of_call.or(self.campaign)?)
    }

    pub fn open(&mut self, dialog: impl Dialog + 'static) {
        self.open_boxed(Box::new(dialog));
    }

    pub fn open_boxed(&mut self, dialog: Box<dyn Dialog>) {
        self.dialog = Some(Open { dialog, since: self.now, leaving: false });
    }
}
