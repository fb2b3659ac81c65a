//! What the loop hears, in the order it was told. Of messages that repeat (a look at the rows, a detail,
//! an import's progress, a new size) only the newest is kept: a terminal that does not read stands the
//! loop still, and what is told meanwhile must not pile up.
//!
//! What is left is bounded by the loop itself: results answer effects, of which a loop that stands still
//! asks for none, and keys wait at [`Sender::send_key`] once [`KEYS`] messages are waiting.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::message::Msg;

/// More than anybody types, or one frame takes, and still nothing in memory.
const KEYS: usize = 1024;

/// Whoever tells the loop something.
#[derive(Clone)]
pub struct Sender(Arc<Shared>);

/// The loop's end.
pub struct Receiver(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Rung when something was told, taken, or the loop has ended.
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Msg>,
    /// The loop has ended and hears nothing any more.
    closed: bool,
}

pub fn mailbox() -> (Sender, Receiver) {
    let shared = Arc::<Shared>::default();
    (Sender(shared.clone()), Receiver(shared))
}

/// Messages of one kind replace each other; `None` for those of which each counts.
fn kind(msg: &Msg) -> Option<u8> {
    match msg {
        // One look tells what the one before it told, a failed one too.
        Msg::Data(_) | Msg::DataFailed(_) => Some(0),
        Msg::Detail(_) => Some(1),
        Msg::ImportProgress { .. } => Some(2),
        Msg::Resize => Some(3),
        Msg::Preview(_) => Some(4),
        Msg::Judging(..) => Some(5),
        Msg::Counted(_) => Some(6),
        Msg::Key(_)
        | Msg::Paste(_)
        | Msg::Mouse(_)
        | Msg::Tagged { .. }
        | Msg::NotTakenBack { .. }
        | Msg::TagWaits { .. }
        | Msg::Theme(..)
        | Msg::Created { .. }
        | Msg::Setup(..)
        | Msg::Done { .. }
        | Msg::PausedAll(_)
        | Msg::Lines { .. }
        | Msg::KillSwitch(_)
        | Msg::Why { .. }
        | Msg::Terms(..)
        | Msg::ImportDone(_)
        | Msg::Edited(_)
        | Msg::Kept(_)
        | Msg::Terminate
        | Msg::Gone
        | Msg::Answer(..)
        | Msg::Broken => None,
    }
}

impl Sender {
    /// Tells the loop something, if it still listens. Never waits.
    pub fn tell(&self, msg: Msg) {
        let mut waiting = self.0.waiting.lock();
        waiting.put(msg);
        self.0.bell.notify_all();
    }

    /// The same for what a person types, which waits while the loop stands still; `false` when the loop
    /// has ended.
    pub fn send_key(&self, msg: Msg) -> bool {
        let mut waiting = self.0.waiting.lock();
        while waiting.messages.len() >= KEYS && !waiting.closed {
            self.0.bell.wait(&mut waiting);
        }
        waiting.put(msg);
        self.0.bell.notify_all();
        !waiting.closed
    }
}

impl Waiting {
    fn put(&mut self, msg: Msg) {
        if self.closed {
            return;
        }
        if let Some(kind_of_it) = kind(&msg)
            && let Some(at) = self.messages.iter().position(|m| kind(m) == Some(kind_of_it))
        {
            self.messages.remove(at);
        }
        self.messages.push_back(msg);
    }
}

impl Receiver {
    /// All that waits; waits itself for at most so long while there is nothing.
    pub fn take(&self, wait: Duration) -> VecDeque<Msg> {
        // A wait without an end a clock can name is a long one.
        let end = Instant::now().checked_add(wait);
        let mut waiting = self.0.waiting.lock();
        while waiting.messages.is_empty() {
            let Some(end) = end else {
                self.0.bell.wait(&mut waiting);
                continue;
            };
            if self.0.bell.wait_until(&mut waiting, end).timed_out() {
                break;
            }
        }
        let taken = std::mem::take(&mut waiting.messages);
        self.0.bell.notify_all();
        taken
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.closed = true;
        waiting.messages.clear();
        self.0.bell.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::{super::snapshot::Snapshot, *};

    fn bytes(msgs: &VecDeque<Msg>) -> Vec<u64> {
        let progress = |m: &Msg| if let Msg::ImportProgress { bytes, .. } = m { Some(*bytes) } else { None };
        msgs.iter().filter_map(progress).collect()
    }

    #[test]
    fn what_repeats_is_kept_once_and_what_counts_is_kept_in_order() {
        let (send, receive) = mailbox();
        for i in 0..10_000 {
            send.tell(Msg::Data(Box::new(Snapshot { log_count: i, ..Snapshot::default() })));
            send.tell(Msg::ImportProgress { bytes: i, size: 0, rows: 0 });
            send.tell(Msg::Resize);
            if i < 3 {
                send.tell(Msg::KillSwitch(i == 1));
            }
        }
        let taken = receive.take(Duration::ZERO);
        assert_eq!(taken.len(), 6, "{taken:?}");
        assert_eq!(bytes(&taken), [9999]);
        let switches: Vec<bool> = taken.iter().filter_map(|m| if let Msg::KillSwitch(on) = m { Some(*on) } else { None }).collect();
        assert_eq!(switches, [false, true, false]);
        assert!(taken.iter().any(|m| matches!(m, Msg::Data(d) if d.log_count == 9999)));
        assert!(receive.take(Duration::from_millis(1)).is_empty());
    }

    #[test]
    fn keys_wait_for_a_loop_that_stands_still_and_are_let_go_when_it_ends() {
        let (send, receive) = mailbox();
        let typist = std::thread::spawn(move || {
            let mut typed = 0;
            while send.send_key(Msg::Paste("x".to_owned())) {
                typed += 1;
            }
            typed
        });
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(receive.take(Duration::from_secs(5)).len(), KEYS);
        std::thread::sleep(Duration::from_millis(100));
        drop(receive);
        assert_eq!(typist.join().unwrap(), 2 * KEYS);
    }
}
