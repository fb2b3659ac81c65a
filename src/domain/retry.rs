//! Whether and when a contact is tried again: one budget over all results together.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::call::State;

/// The most minutes a rule may wait.
pub const LONGEST_WAIT: i64 = 43_200;

/// The most attempts at one contact.
pub const MOST_ATTEMPTS: i64 = 10;

/// Retry rules of a campaign; minutes between the end of one attempt and the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RetryRules {
    /// 1 to 10 over all results.
    pub max_attempts: i64,
    pub no_answer_minutes: i64,
    pub busy_minutes: i64,
    pub trunk_minutes: i64,
}

impl Default for RetryRules {
    fn default() -> Self {
        Self { max_attempts: 3, no_answer_minutes: 120, busy_minutes: 15, trunk_minutes: 5 }
    }
}

/// A rule's wait. What lies outside its range was not meant by anybody and waits the longest.
#[must_use]
pub fn wait(minutes: i64) -> Duration {
    Duration::minutes(if (0..=LONGEST_WAIT).contains(&minutes) { minutes } else { LONGEST_WAIT })
}

/// When the next attempt is due after a call ended as `state`, or `None` for never.
/// `attempt` is the number of the attempt that ended; `charged` says whether it counts against
/// the budget (trunk errors and rate refusals do not).
#[must_use]
pub fn next_attempt(rules: &RetryRules, state: State, attempt: i64, charged: bool, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let minutes = match state {
        State::NoAnswer => rules.no_answer_minutes,
        // `refused` was turned away by the trunk's rate: it goes again soon, the contact untouched.
        State::Refused => return Some(now + Duration::seconds(30)),
        State::Unsent => return Some(now + Duration::seconds(5)),
        State::Busy => rules.busy_minutes,
        State::Failed if !charged => rules.trunk_minutes,
        State::Rejected
        | State::Failed
        | State::WrongNumber
        | State::Completed
        | State::Canceled
        | State::NotPlaced
        | State::Unresolved
        | State::Pending
        | State::Claimed
        | State::Armed
        | State::Unknown
        | State::Dialing
        | State::Ringing
        | State::Answered => return None,
    };
    let in_budget = !charged || attempt < rules.max_attempts.min(MOST_ATTEMPTS);
    in_budget.then(|| now + wait(minutes))
}

/// Whether any rules could have a result followed by another attempt.
#[must_use]
pub fn may_follow(state: State, charged: bool) -> bool {
    next_attempt(&RetryRules::default(), state, 0, charged, DateTime::UNIX_EPOCH).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_budget_over_all_results() {
        let rules = RetryRules::default();
        let now = DateTime::UNIX_EPOCH;
        let minutes = |state, attempt, charged| next_attempt(&rules, state, attempt, charged, now).map(|t| (t - now).num_minutes());
        assert_eq!(minutes(State::NoAnswer, 1, true), Some(120));
        assert_eq!(minutes(State::Busy, 2, true), Some(15));
        assert_eq!(minutes(State::NoAnswer, 3, true), None);
        assert_eq!(minutes(State::Failed, 3, false), Some(5), "a trunk error charges no attempt");
        assert_eq!(minutes(State::WrongNumber, 1, true), None);
        assert_eq!(minutes(State::Unresolved, 1, true), None, "never re-dial on a guess");
    }
}
