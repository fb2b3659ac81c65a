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

/// Calls looked at: dials of the last two minutes for trunk failures, answered calls for those without an agent.
pub const LAST: i64 = 10;

/// So many of the last [`LAST`] answered calls without an agent pause a campaign of any size.
const SILENT: i64 = 3;

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
    pub answers: Answers,
}

/// Answered calls of a campaign, and those of them without an agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// In thirty days.
    pub answered: i64,
    pub abandoned: i64,
    /// Of the last [`LAST`] of which it is known whether they had an agent.
    pub last: i64,
    pub silent: i64,
}

impl Answers {
    /// In words, when so many of the last ones or such a share of all had no agent. A share needs many answers,
    /// the last ones do not.
    fn without_agent(&self, silent: i64, part: f64) -> Option<String> {
        let (bad, of) = if self.silent >= silent {
            (self.silent, format!("the last {}", self.last))
        } else if self.answered >= ANSWERED && self.abandoned >= 2 && share(self.abandoned, self.answered) >= part {
            (self.abandoned, self.answered.to_string())
        } else {
            return None;
        };
        Some(format!("{bad} of {of} answered calls were without an agent"))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls")]
fn share(part: i64, of: i64) -> f64 {
    part as f64 / of.max(1) as f64
}

/// Why the campaign must be paused, in words; `None` when it may go on.
#[must_use]
pub fn opens(limits: &Limits, f: &Facts) -> Option<String> {
    if !limits.enabled {
        return None;
    }
    if f.ended >= LAST && share(f.trunk_failed, f.ended) >= limits.trunk_failures {
        return Some(format!("breaker: {} of the last {} calls failed at the trunk ({})", f.trunk_failed, f.ended, f.trunk_reason));
    }
    if f.unknown >= limits.unknown_in_5_min {
        return Some(format!("breaker: of {} calls in 5 minutes nobody knows whether they rang; look whether LiveKit is well", f.unknown));
    }
    let words = f.answers.without_agent(SILENT, limits.no_agent)?;
    Some(format!("breaker: {words}; look whether the agent workers are well"))
}

/// Why a campaign must make one call at a time, in words.
#[must_use]
pub fn brakes(limits: &Limits, answers: &Answers) -> Option<String> {
    let words = answers.without_agent(SILENT - 1, limits.no_agent * BRAKE).filter(|_| limits.enabled)?;
    Some(format!("brake: {words}: one call at a time; look whether the agent workers are well"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_it() {
        let limits = Limits::default();
        let answers = |answered, abandoned| Answers { answered, abandoned, ..Answers::default() };
        let well = Facts { ended: 10, trunk_failed: 4, unknown: 2, answers: answers(1000, 29), ..Facts::default() };
        assert_eq!(opens(&limits, &well), None);
        let why = |f: Facts| opens(&limits, &f).unwrap_or_default();
        assert!(why(Facts { trunk_failed: 5, trunk_reason: "503".into(), ..well.clone() }).contains("5 of the last 10 calls failed at the trunk (503)"));
        assert_eq!(opens(&limits, &Facts { ended: 5, trunk_failed: 5, ..Facts::default() }), None, "too few to tell");
        assert!(why(Facts { unknown: 3, ..well.clone() }).contains("nobody knows"));
        assert!(why(Facts { answers: answers(1000, 30), ..well.clone() }).contains("30 of 1000 answered"));
        assert_eq!(opens(&limits, &Facts { answers: answers(20, 20), ..Facts::default() }), None, "a percentage of twenty");
        assert_eq!(opens(&limits, &Facts { answers: answers(33, 1), ..Facts::default() }), None, "one is no pattern");
        assert_eq!(opens(&Limits { enabled: false, ..limits }, &Facts { unknown: 99, ..well }), None);
        assert_eq!((brakes(&limits, &answers(1000, 24)), brakes(&limits, &answers(10, 5))), (None, None));
        assert!(brakes(&limits, &answers(1000, 25)).is_some_and(|w| w.contains("one call at a time")));
    }

    #[test]
    fn the_last_answers_pause_a_campaign_of_any_size() {
        let limits = Limits::default();
        let of = |last, silent| Answers { answered: last, abandoned: silent, last, silent };
        let why = |a: Answers| opens(&limits, &Facts { answers: a, ..Facts::default() }).unwrap_or_default();
        assert!(why(of(3, 3)).contains("3 of the last 3 answered"), "three in a row");
        assert!(why(of(10, 3)).contains("3 of the last 10 answered"));
        assert_eq!((why(of(10, 2)), why(of(2, 2))), (String::new(), String::new()));
        assert!(brakes(&limits, &of(2, 2)).is_some_and(|w| w.contains("2 of the last 2")));
        assert_eq!(brakes(&limits, &of(10, 1)), None);
        assert_eq!(brakes(&Limits { enabled: false, ..limits }, &of(3, 3)), None);
    }
}
