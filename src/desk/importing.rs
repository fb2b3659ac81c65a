//! Where files are read: threads of their own, few of them. A reader waits for its client byte by byte, and
//! what dials and resolves names must never wait behind it.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::domain::id::OwnerId;

/// Files read at once, of all owners.
const ALL: usize = 9;
/// Of one.
const ONE: usize = 3;

/// How far a reader stands behind the other threads.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

#[derive(Default)]
pub(super) struct Readers(Arc<Mutex<HashMap<OwnerId, usize>>>);

/// A place among the readers; free again when it falls.
pub(super) struct Place {
    readers: Arc<Mutex<HashMap<OwnerId, usize>>>,
    owner: OwnerId,
}

impl Readers {
    /// `None` when the owner, or all of them, have as many as they may.
    pub fn enter(&self, owner: OwnerId) -> Option<Place> {
        let mut open = self.0.lock();
        if open.values().sum::<usize>() >= ALL || open.get(&owner).is_some_and(|n| *n >= ONE) {
            return None;
        }
        *open.entry(owner).or_default() += 1;
        Some(Place { readers: self.0.clone(), owner })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.readers.lock();
        if let Some(n) = open.get_mut(&self.owner) {
            *n -= 1;
        }
        open.retain(|_, n| *n > 0);
    }
}

impl Place {
    /// Runs the reader on a thread that ends with it; the place is the reader's to give back. It comes after what
    /// serves people: a large file would keep a core busy for seconds.
    ///
    /// # Errors
    /// When the host has no thread left.
    pub fn read(self, work: impl FnOnce(Self) + Send + 'static) -> std::io::Result<()> {
        let run = move || {
            // There alone it is the thread's own; where the host does not let us it is as fast as the rest.
            #[cfg(target_os = "linux")]
            let _ = rustix::process::nice(NICE);
            work(self);
        };
        std::thread::Builder::new().name("import".to_owned()).spawn(run).map(drop)
    }
}
