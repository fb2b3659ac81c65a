//! The clock. Whoever needs to wait asks it, so that a test, a demo at ten times the speed and the
//! real thing run the same code.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use parking_lot::Mutex;

/// Time as the engine sees it.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the millisecond: what is stored compares equal to what is kept in memory.
    fn now(&self) -> DateTime<Utc>;

    /// Returns at or after the moment.
    fn sleep_until(&self, at: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Time since the host started, suspend included: how old a permission really is, whatever was
    /// done to the time of day.
    fn uptime(&self) -> Duration {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(u64::try_from(t.tv_sec).unwrap_or(0), u32::try_from(t.tv_nsec).unwrap_or(0))
    }

    /// How far the host's time of day was set away from the one this clock goes by, when it was.
    fn stepped(&self) -> Option<TimeDelta> {
        None
    }

    /// Goes by the host's time of day as it is now.
    fn believe(&self) {}

    /// Whether it is the world's time of day, so that another clock must agree with it.
    fn is_of_the_world(&self) -> bool {
        false
    }
}

pub type SharedClock = Arc<dyn Clock>;

/// A time of day that was believed, and the uptime it was seen at.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    day: DateTime<Utc>,
    up: Duration,
}

/// A time of day further than this from where uptime puts it was set by somebody.
const STEP: TimeDelta = TimeDelta::seconds(60);

impl Anchor {
    /// Where uptime puts the time of day.
    fn expected(&self, up: Duration) -> DateTime<Utc> {
        self.day + up.saturating_sub(self.up)
    }

    fn stepped(&self, day: DateTime<Utc>, up: Duration) -> Option<TimeDelta> {
        Some(day - self.expected(up)).filter(|by| by.abs() > STEP)
    }

    fn now(&self, day: DateTime<Utc>, up: Duration) -> DateTime<Utc> {
        if self.stepped(day, up).is_some() { self.expected(up) } else { day }.trunc_subsecs(3)
    }
}

/// The host's clock. When somebody sets the time of day by more than a minute it goes on by uptime,
/// and says so, until the new one is [believed](Clock::believe): which hours are legal, and which day
/// a call counts for, hang on it.
#[derive(Debug)]
pub struct SystemClock {
    anchor: Mutex<Anchor>,
}

impl SystemClock {
    #[must_use]
    pub fn new() -> Self {
        let clock = Self { anchor: Mutex::new(Anchor { day: system_now(), up: Duration::ZERO }) };
        clock.believe();
        clock
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        self.anchor.lock().now(system_now(), self.uptime())
    }

    fn stepped(&self) -> Option<TimeDelta> {
        self.anchor.lock().stepped(system_now(), self.uptime())
    }

    fn is_of_the_world(&self) -> bool {
        true
    }

    fn believe(&self) {
        *self.anchor.lock() = Anchor { day: system_now(), up: self.uptime() };
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let wait = (at - self.now()).to_std().unwrap_or(Duration::ZERO);
        Box::pin(real_sleep(wait))
    }
}

/// A clock that starts at a chosen moment and runs `speed` times as fast: for the demo and for
/// simulated campaigns. Engine and simulator share one, so their times scale together.
#[derive(Debug, Clone, Copy)]
pub struct ScaledClock {
    epoch: DateTime<Utc>,
    started: std::time::Instant,
    speed: f64,
}

impl ScaledClock {
    #[must_use]
    pub fn new(epoch: DateTime<Utc>, speed: f64) -> Self {
        Self { epoch, started: std::time::Instant::now(), speed }
    }

    /// Starts at the host's time.
    #[must_use]
    pub fn from_now(speed: f64) -> Self {
        Self::new(system_now(), speed)
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> DateTime<Utc> {
        let scaled = self.started.elapsed().mul_f64(self.speed);
        (self.epoch + scaled).trunc_subsecs(3)
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let wait = (at - self.now()).to_std().unwrap_or(Duration::ZERO);
        Box::pin(real_sleep(wait.div_f64(self.speed)))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the host's clock")]
fn system_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// The one place that waits on tokio's timer for the engine.
async fn real_sleep(wait: Duration) {
    // A timer of a millisecond: waking early by rounding would spin.
    tokio::time::sleep(wait + Duration::from_millis(1)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_that_was_set_is_not_followed() {
        let anchor = Anchor { day: "2026-11-20T18:00:00Z".parse().unwrap(), up: Duration::from_secs(100) };
        let (later, up) = (anchor.day + TimeDelta::seconds(50), Duration::from_secs(150));
        let slewed = later + TimeDelta::seconds(3);
        assert_eq!((anchor.stepped(slewed, up), anchor.now(slewed, up)), (None, slewed));
        for by in [TimeDelta::days(1), TimeDelta::days(-1)] {
            assert_eq!((anchor.stepped(later + by, up), anchor.now(later + by, up)), (Some(by), later));
        }
    }
}
