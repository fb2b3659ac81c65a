//! Calls that a task of this engine follows, whose dial it sends, or that wait to be taken up again; and
//! what followers are told: of hang-ups that somebody asked for, of news from LiveKit, of dead sessions.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::domain::id::CallId;

#[derive(Default)]
pub struct Following {
    state: Mutex<State>,
    /// Calls that somebody asked to hang up.
    hangups: watch::Sender<HashSet<CallId>>,
    /// When LiveKit last told anything by itself.
    told_at: Mutex<Option<DateTime<Utc>>>,
    /// Rooms that LiveKit lists and whose session is known to be dead.
    buried: Mutex<HashSet<String>>,
}

#[derive(Default)]
struct State {
    /// Each with the bell that makes its follower look at once.
    followed: HashMap<CallId, Arc<Notify>>,
    /// Calls whose dial request is out, its reply not yet recorded.
    sending: HashSet<CallId>,
    /// Calls whose task broke down: the reconciler has yet to look at them.
    forsaken: HashSet<CallId>,
}

impl Following {
    /// Takes a call to follow, and answers its bell; `None` when a task of this engine has it already.
    pub fn begin(&self, call: CallId) -> Option<Arc<Notify>> {
        let mut state = self.state.lock();
        let bell = match state.followed.entry(call) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(place) => place.insert(Arc::default()).clone(),
        };
        state.forsaken.remove(&call);
        Some(bell)
    }

    pub fn end(&self, call: CallId) {
        self.state.lock().followed.remove(&call);
    }

    pub fn has(&self, call: CallId) -> bool {
        self.state.lock().followed.contains_key(&call)
    }

    /// Nobody follows, sends or waits for anybody.
    pub fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.followed.is_empty() && state.sending.is_empty() && state.forsaken.is_empty()
    }

    /// The request goes out; its reply will be told by who sends it.
    pub fn begin_sending(&self, call: CallId) {
        self.state.lock().sending.insert(call);
    }

    /// The reply is recorded, or never will be: the follower looks at once.
    pub fn end_sending(&self, call: CallId) {
        self.state.lock().sending.remove(&call);
        self.ring(call);
    }

    pub fn is_sending(&self, call: CallId) -> bool {
        self.state.lock().sending.contains(&call)
    }

    /// The call's task broke down: it is nobody's until the reconciler has looked at its row.
    pub fn forsake(&self, call: CallId) {
        let mut state = self.state.lock();
        state.followed.remove(&call);
        state.forsaken.insert(call);
    }

    pub fn forsaken(&self) -> Vec<CallId> {
        self.state.lock().forsaken.iter().copied().collect()
    }

    /// There is nothing to take up: the call has ended, or was never armed.
    pub fn let_rest(&self, call: CallId) {
        self.state.lock().forsaken.remove(&call);
    }

    pub fn ring(&self, call: CallId) {
        self.state.lock().followed.get(&call).into_iter().for_each(|bell| bell.notify_one());
    }

    pub fn ring_all(&self) {
        self.state.lock().followed.values().for_each(|bell| bell.notify_one());
    }

    /// Who wants to know of hang-ups.
    pub fn hangups(&self) -> watch::Receiver<HashSet<CallId>> {
        self.hangups.subscribe()
    }

    pub fn hangups_asked(&self, calls: HashSet<CallId>) {
        self.hangups.send_if_modified(|old| {
            let changed = *old != calls;
            *old = calls;
            changed
        });
    }

    pub fn told(&self, now: DateTime<Utc>) {
        *self.told_at.lock() = Some(now);
    }

    pub fn told_at(&self) -> Option<DateTime<Utc>> {
        *self.told_at.lock()
    }

    pub fn bury(&self, room: String) {
        self.buried.lock().insert(room);
    }

    pub fn buried(&self) -> HashSet<String> {
        self.buried.lock().clone()
    }
}
