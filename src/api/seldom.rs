//! What anybody can cause, and as often as they like, is said once a minute with its count.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

const PAUSE: Duration = Duration::from_mins(1);

/// The words of one kind of event.
#[derive(Default)]
pub struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// Counts one; says how many there were since it was said last, where that is long enough ago.
    pub fn say(&self, words: impl FnOnce(u64)) {
        let mut state = self.0.lock();
        state.1 += 1;
        if state.0.is_none_or(|at| at.elapsed() >= PAUSE) {
            let count = std::mem::take(&mut state.1);
            state.0 = Some(Instant::now());
            drop(state);
            words(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_one_line_and_its_count() {
        let (seldom, mut said) = (Seldom::default(), Vec::new());
        for _ in 0..1000 {
            seldom.say(|n| said.push(n));
        }
        // A minute later.
        seldom.0.lock().0 = Instant::now().checked_sub(PAUSE);
        seldom.say(|n| said.push(n));
        assert_eq!(said, [1, 1000]);
    }
}
