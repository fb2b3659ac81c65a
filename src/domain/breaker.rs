//! When a campaign must not go on by itself: its trunk fails, its calls end in doubt, or people
//! answer and hear nobody. One pure function over counts; whoever counts is `desk`.

/// What opens it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub enabled: bool,
    /// Share of the last [`LAST`] dials that the trunk failed.
    pub trunk_failures: f64,
    /// Calls of which nobody knows whether they rang, in five minutes.
    pub unknown_in_5_min: i64,
    /// Share of answered calls without an agent that pauses; the law's is 3 %.
    pub no_agent: f64,
}

/// A campaign makes one call at a time from this part of the pausing share on: 2.5 % of 3 %.
const BRAKE: f64 = 2.5 / 3.0;

impl Default for Limits {
    fn default() -> Self {
        Self { enabled: true, trunk_failures: 0.5, unknown_in_5_min: 3, no_agent: 0.03 }
    }
}

/// Dials looked at for trunk failures, of the last two minutes.
pub const LAST: i64 = 10;

/// A percentage says nothing of fewer answered calls than these.
const ANSWERED: i64 = 30;

/// What was counted of a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Of the last [`LAST`] dials that ended within two minutes.
    pub ended: i64,
    pub trunk_failed: i64,
    /// The commonest reason among those.
    pub trunk_reason: String,
    pub unknown: i64,
    /// In thirty days.
    pub answered: i64,
    pub abandoned: i64,
}

/// Why the campaign must be paused, in words; `None` when it may go on.
#[must_use]
pub fn opens(limits: &Limits, f: &Facts) -> Option<String> {
    if !limits.enabled {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
    let share = |part: i64, of: i64| part as f64 / of.max(1) as f64;
    if f.ended >= LAST && share(f.trunk_failed, f.ended) >= limits.trunk_failures {
        return Some(format!("breaker: {} of the last {} calls failed at the trunk ({})", f.trunk_failed, f.ended, f.trunk_reason));
    }
    if f.unknown >= limits.unknown_in_5_min {
        return Some(format!("breaker: of {} calls in 5 minutes nobody knows whether they rang; look whether LiveKit is well", f.unknown));
    }
    if f.answered >= ANSWERED && f.abandoned >= 2 && share(f.abandoned, f.answered) >= limits.no_agent {
        return Some(format!("breaker: {} of {} answered calls were without an agent; look whether the agent workers are well", f.abandoned, f.answered));
    }
    None
}

/// Why a campaign must make one call at a time, in words.
#[must_use]
pub fn brakes(limits: &Limits, answered: i64, abandoned: i64) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
    let share = abandoned as f64 / answered.max(1) as f64;
    let on = limits.enabled && answered >= ANSWERED && abandoned >= 2 && share >= limits.no_agent * BRAKE;
    on.then(|| format!("brake: {abandoned} of {answered} answered calls were without an agent: one call at a time; look whether the agent workers are well"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_it() {
        let limits = Limits::default();
        let well = Facts { ended: 10, trunk_failed: 4, answered: 1000, abandoned: 29, unknown: 2, ..Facts::default() };
        assert_eq!(opens(&limits, &well), None);
        let why = |f: Facts| opens(&limits, &f).unwrap_or_default();
        assert!(why(Facts { trunk_failed: 5, trunk_reason: "503".into(), ..well.clone() }).contains("5 of the last 10 calls failed at the trunk (503)"));
        assert_eq!(opens(&limits, &Facts { ended: 5, trunk_failed: 5, ..Facts::default() }), None, "too few to tell");
        assert!(why(Facts { unknown: 3, ..well.clone() }).contains("nobody knows"));
        assert!(why(Facts { abandoned: 30, ..well.clone() }).contains("30 of 1000 answered"));
        assert_eq!(opens(&limits, &Facts { answered: 20, abandoned: 20, ..Facts::default() }), None, "a percentage of twenty");
        assert_eq!(opens(&limits, &Facts { answered: 33, abandoned: 1, ..Facts::default() }), None, "one is no pattern");
        assert_eq!(opens(&Limits { enabled: false, ..limits }, &Facts { unknown: 99, ..well }), None);
        assert_eq!((brakes(&limits, 1000, 24), brakes(&limits, 10, 5)), (None, None));
        assert!(brakes(&limits, 1000, 25).is_some_and(|w| w.contains("one call at a time")));
    }
}
