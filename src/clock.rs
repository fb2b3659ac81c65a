//! The clock. Whoever needs to wait asks it, so that a test, a demo at ten times the speed and the
//! real thing run the same code.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, Utc};

/// Time as the engine sees it.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the millisecond: what is stored compares equal to what is kept in memory.
    fn now(&self) -> DateTime<Utc>;

    /// Returns at or after the moment.
    fn sleep_until(&self, at: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

pub type SharedClock = Arc<dyn Clock>;

/// The host's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        system_now()
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

/// Time since the host started, suspend included: how old a permission really is.
#[must_use]
pub fn boot_time() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(t.tv_sec).unwrap_or(0), u32::try_from(t.tv_nsec).unwrap_or(0))
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
