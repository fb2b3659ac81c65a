//! Whether a host may dial with a database that other hosts share: by its clock, which the hours of law hang on, and by its
//! distance, for all hosts write in turns. Both mend by themselves, and dialling goes on.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Desk, DeskError};
use crate::store::ServerLook;

/// Two clocks that differ by more are not both right.
pub const SKEW: TimeDelta = TimeDelta::seconds(60);

/// How far a database may be, there and back, while several hosts write into it. Measured: at 1 ms a callback of 500 a
/// second is kept within 65 ms, at 5 ms the hosts fall behind.
pub const REACH: Duration = Duration::from_millis(2);

impl Desk {
    /// Why this host must not dial with its database just now, in words; a file is always near and has no clock.
    pub async fn unfit_to_dial(&self) -> Result<Option<String>, DeskError> {
        let Some(look) = self.store.look_at_server().await? else { return Ok(None) };
        Ok(self.clock_doubt(&look).or_else(|| self.too_far(&look)))
    }

    /// How far this host's clock is ahead of the database's, beyond what the question itself took.
    #[must_use]
    pub fn ahead_of_database(&self, look: &ServerLook) -> TimeDelta {
        if !self.clock.is_of_the_world() {
            return TimeDelta::zero();
        }
        let half = TimeDelta::from_std(look.took / 2).unwrap_or_default();
        let ahead = self.clock.now() - half - look.time;
        if ahead.abs() <= half { TimeDelta::zero() } else { ahead }
    }

    fn clock_doubt(&self, look: &ServerLook) -> Option<String> {
        let ahead = self.ahead_of_database(look);
        (ahead.abs() > SKEW).then(|| {
            let (ours, theirs) = (shown(look.time + ahead), shown(look.time));
            format!("this host's clock says {ours} and the database's {theirs}: it dials nothing meanwhile. Set the wrong one right; it goes on by itself")
        })
    }

    fn too_far(&self, look: &ServerLook) -> Option<String> {
        let far = self.store.round_trip().filter(|far| *far > self.reach && look.writers > 1)?;
        let ms = |d: Duration| d.as_secs_f64() * 1000.0;
        Some(format!(
            "the database is {:.1} ms away and other processes write into it too: beyond {} ms they would hold each other up, so this host dials \
             nothing. Run it beside its database, or allow more: [database] max_round_trip_ms",
            ms(far),
            ms(self.reach)
        ))
    }

    /// How far the database may be for this host to dial.
    #[must_use]
    pub fn reach(&self) -> Duration {
        self.reach
    }
}

fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
