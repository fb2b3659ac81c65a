//! What a batch of facts leaves behind, kept as one text.

use chrono::{DateTime, Utc};

use super::{
    CallUpdate, NewEvent, StoreError, Sums, Tx, inbox,
    lines::{self, Freed},
    moves,
};

/// The facts themselves, what they moved, and what goes with that.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    pub events: &'a [NewEvent<'a>],
    pub calls: &'a [CallUpdate<'a>],
    pub sums: &'a Sums,
    /// Numbers of calls that have ended.
    pub freed: &'a [Freed],
}

impl Tx {
    /// Keeps all of it.
    ///
    /// # Errors
    /// When an event is known, or a call is no longer in the state in which it was read.
    pub async fn keep(&mut self, kept: &Kept<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let events = inbox::insert(kept.events);
        let calls = moves::parts(kept.calls);
        let (first, then) = (usize::from(events.is_some()), calls.len());
        let parts = events.into_iter().chain(calls).chain(kept.sums.parts()).chain(lines::free(kept.freed));
        let changed = self.run_parts(parts.collect(), now).await?;
        let (stored, rest) = changed.split_at_checked(first).unwrap_or_default();
        if usize::try_from(stored.iter().sum::<u64>()) != Ok(kept.events.len()) {
            return Err(StoreError::Busy("another process stored one of these events just now".to_owned()));
        }
        moves::all_moved(kept.calls, rest.get(..then).unwrap_or_default())
    }
}
