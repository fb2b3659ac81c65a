//! When the screen is drawn again: because time passed, or because a message shows.

use std::time::Duration;

use chrono::{DateTime, Duration as Span, Timelike, Utc};

use super::{message::Msg, state::State};
use crate::desk::TagCard;

/// Rows keep their order so long after a key.
const CALM: Span = Span::seconds(1);

impl State {
    /// How long nothing can change on the screen by time alone.
    #[must_use]
    pub fn next_tick(&self, now: DateTime<Utc>) -> Duration {
        let soon = self.deaf_until.into_iter().chain(self.last_key.filter(|_| self.unsorted).map(|t| t + CALM)).filter(|t| *t > now).min();
        let second = Duration::from_millis(u64::from(1000 - now.timestamp_subsec_millis().min(999)));
        let next = if self.data.live_count() > 0 || self.notes.is_fading() { second } else { Duration::from_secs(u64::from(60 - now.second().min(59))) };
        soon.and_then(|t| (t - now).to_std().ok()).map_or(next, |s| s.min(next))
    }

    /// Time passed without a message: whether that shows.
    pub fn tick(&mut self) -> bool {
        let mut shows = self.notes.tick(self.now);
        shows |= self.deaf_until.take_if(|t| *t <= self.now).is_some();
        if self.unsorted && !self.is_busy() {
            self.arrange();
            shows = true;
        }
        let clock = if self.data.live_count() > 0 { (self.now.timestamp(), 0) } else { (self.now.timestamp() / 60, 1) };
        shows | (std::mem::replace(&mut self.ticked, clock) != clock)
    }

    /// Whether a message changes what is on the screen.
    #[must_use]
    pub fn shows(&self, msg: &Msg) -> bool {
        match msg {
            Msg::Data(_) if self.frozen.is_some() => false,
            Msg::Data(new) => self.data_error.is_some() || !self.loaded || !self.data.looks_like(new),
            _ => true,
        }
    }

    /// Whether somebody waits for a message: a key, and the answer to one, is drawn at once; news in its turn.
    #[must_use]
    pub fn awaits(&self, msg: &Msg) -> bool {
        match msg {
            Msg::Data(_) | Msg::DataFailed(_) | Msg::ImportProgress { .. } | Msg::Theme(..) | Msg::TagWaits { .. } => false,
            // The card of another call than the one that stands there.
            Msg::Judging(_, card) => {
                let shown = |card: Option<&TagCard>| card.map(|c| c.call.call.id);
                shown(card.as_deref()) != self.judging.as_ref().and_then(|j| shown(j.1.as_deref()))
            }
            _ => true,
        }
    }

    /// Somebody pressed a key a moment ago: rows keep their places.
    pub(super) fn is_busy(&self) -> bool {
        self.last_key.is_some_and(|t| self.now - t < CALM)
    }
}
