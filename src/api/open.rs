//! How many of each are open: connections of an address, requests of a client, streams of an owner.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use parking_lot::Mutex;

pub struct Open<K: Eq + Hash>(Arc<Mutex<HashMap<K, usize>>>);

/// One more of its kind, until it is dropped.
pub struct Counted<K: Eq + Hash> {
    of: Open<K>,
    key: K,
}

impl<K: Eq + Hash> Default for Open<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash + Clone> Open<K> {
    /// `None` when there are as many as there may be.
    pub fn enter(&self, key: K, most: usize) -> Option<Counted<K>> {
        let mut open = self.0.lock();
        let n = open.entry(key.clone()).or_default();
        if *n >= most {
            return None;
        }
        *n += 1;
        Some(Counted { of: Self(self.0.clone()), key })
    }

    /// How many there are of all.
    pub fn count(&self) -> usize {
        self.0.lock().values().sum()
    }
}

impl<K: Eq + Hash> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut open = self.of.0.lock();
        if let Some(n) = open.get_mut(&self.key) {
            *n -= 1;
            if *n == 0 {
                open.remove(&self.key);
            }
        }
    }
}
