//! A campaign: its states, which command is allowed in which, and the settings with their ranges.

use super::zone::Zone;
use serde::{Deserialize, Serialize};

use super::{
    FieldError, Refusal,
    retry::{LONGEST_WAIT, MOST_ATTEMPTS, RetryRules},
    schedule::{Days, Window},
};

/// `execution_status` of the spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Idle,
    Running,
    Paused,
    Completed,
    Error,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Error => "error",
        }
    }
}

/// What an operator may ask of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Start,
    Pause,
    Resume,
    Stop,
    Delete,
}

/// The state a command leads to, or why not, in words.
///
/// # Errors
/// When the campaign's state does not allow it.
pub fn transition(name: &str, from: Status, command: Command) -> Result<Status, Refusal> {
    use Command as C;
    use Status as S;
    let no = |why: &str| Err(Refusal::new("state", format!("campaign \"{name}\" {why}")));
    match (command, from) {
        (C::Start, S::Idle | S::Completed | S::Error | S::Paused) | (C::Resume, S::Paused) => Ok(S::Running),
        (C::Start | C::Resume, S::Running) => no("is already running"),
        (C::Pause, S::Running) => Ok(S::Paused),
        (C::Pause, S::Paused) => no("is already paused"),
        (C::Pause, S::Idle | S::Completed | S::Error) => no(&format!("is {}, not running", from.as_str())),
        (C::Resume, S::Idle | S::Completed | S::Error) => no(&format!("is {}, not paused; start it instead", from.as_str())),
        (C::Stop, S::Running | S::Paused) => Ok(S::Completed),
        (C::Stop, S::Idle | S::Completed | S::Error) => no(&format!("is {}, there is nothing to stop", from.as_str())),
        (C::Delete, S::Running) => no("is running: stop it before deleting it"),
        (C::Delete, S::Idle | S::Paused | S::Completed | S::Error) => Ok(from),
    }
}

/// Where a campaign's contacts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ContactSource {
    ContactList,
    CsvFile,
}

/// Calls ringing or talking at once.
pub const MOST_AT_ONCE: i64 = 2000;

/// Between two dials, ms.
pub const LONGEST_DELAY_MS: i64 = 3_600_000;

/// How long a phone may ring, and a call last; seconds.
pub const RING_S: (i64, i64) = (15, 60);
pub const CALL_S: (i64, i64) = (30, 14_400);

/// Everything about a campaign that an operator sets, with units.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Dials per local day of the campaign's zone, 1 to 1,000,000.
    pub daily_cap: i64,
    pub calling_days: Days,
    /// 0 to 23.
    pub start_hour: i64,
    /// 0 to 24; 0 with start 0 is "no limit of its own", 24 is midnight.
    pub end_hour: i64,
    pub start_minute: i64,
    pub end_minute: i64,
    pub timezone: Zone,
    /// Calls ringing or talking at once, 1 to 2000.
    pub max_concurrent: i64,
    /// Least time between two dials of this campaign, ms.
    pub call_delay_ms: i64,
    /// How long a phone rings, 15 to 60 s: LiveKit itself cancels at 80.
    pub ring_timeout_s: i64,
    /// Ringing included, 30 to 14400 s.
    pub max_call_duration_s: i64,
    pub retry: RetryRules,
    /// Whether contact-local legal hours hold; false needs compliance profile `none`.
    pub contact_hours: bool,
}

impl Settings {
    /// The documented defaults in a zone.
    #[must_use]
    pub fn defaults(timezone: Zone) -> Self {
        Self {
            daily_cap: 100,
            calling_days: Days::WORKDAYS,
            start_hour: 9,
            end_hour: 17,
            start_minute: 0,
            end_minute: 0,
            timezone,
            max_concurrent: 5,
            call_delay_ms: 2000,
            ring_timeout_s: 30,
            max_call_duration_s: 900,
            retry: RetryRules::default(),
            contact_hours: true,
        }
    }

    /// The calling window of these settings; `None` when `validate` would complain about it.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        let minutes = |h: i64, m: i64| u16::try_from(h.checked_mul(60)?.checked_add(m)?).ok();
        Window::new(self.calling_days, minutes(self.start_hour, self.start_minute)?, minutes(self.end_hour, self.end_minute)?)
    }

    /// Every number: its name on the wire, what it is, the least and the most it may be.
    fn ranges(&self) -> [(&'static str, i64, i64, i64); 13] {
        [
            ("dailyCap", self.daily_cap, 1, 1_000_000),
            ("startHour", self.start_hour, 0, 23),
            ("endHour", self.end_hour, 0, 24),
            ("startMinute", self.start_minute, 0, 59),
            ("endMinute", self.end_minute, 0, 59),
            ("maxConcurrent", self.max_concurrent, 1, MOST_AT_ONCE),
            ("callDelayMs", self.call_delay_ms, 0, LONGEST_DELAY_MS),
            ("ringTimeout", self.ring_timeout_s, RING_S.0, RING_S.1),
            ("maxCallDuration", self.max_call_duration_s, CALL_S.0, CALL_S.1),
            ("retry.maxAttempts", self.retry.max_attempts, 1, MOST_ATTEMPTS),
            ("retry.noAnswerMinutes", self.retry.no_answer_minutes, 0, LONGEST_WAIT),
            ("retry.busyMinutes", self.retry.busy_minutes, 0, LONGEST_WAIT),
            ("retry.trunkMinutes", self.retry.trunk_minutes, 0, LONGEST_WAIT),
        ]
    }

    /// All complaints at once, each with the field's name on the wire.
    #[must_use]
    pub fn validate(&self) -> Vec<FieldError> {
        let mut errors: Vec<FieldError> = self
            .ranges()
            .iter()
            .filter(|(_, value, low, high)| value < low || value > high)
            .map(|(field, value, low, high)| FieldError::new(field, format!("{value} is not between {low} and {high}")))
            .collect();
        if self.calling_days.is_empty() {
            errors.push(FieldError::new("callingDays", "name at least one day, such as \"monday\""));
        } else if errors.iter().all(|e| !e.field.contains("Hour") && !e.field.contains("Minute")) && self.window().is_none() {
            errors.push(FieldError::new(
                "endHour",
                "start and end are the same: the campaign would never call (0 to 0 sets no limit of its own, 0 to 24 is the whole day)",
            ));
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_command() {
        use Command::{Delete, Pause, Resume, Start, Stop};
        use Status::{Completed, Error, Idle, Paused, Running};
        let check = |from, command, to: Option<Status>| {
            assert_eq!(transition("Q4", from, command).ok(), to, "{from:?} {command:?}");
        };
        for from in [Idle, Paused, Completed, Error] {
            check(from, Start, Some(Running));
            check(from, Delete, Some(from));
        }
        check(Running, Start, None);
        check(Running, Delete, None);
        check(Running, Pause, Some(Paused));
        check(Paused, Resume, Some(Running));
        for from in [Running, Paused] {
            check(from, Stop, Some(Completed));
        }
        for from in [Idle, Completed, Error] {
            for command in [Pause, Resume, Stop] {
                check(from, command, None);
            }
        }
    }

    #[test]
    fn all_complaints_at_once() {
        let mut s = Settings::defaults(Zone::utc());
        assert_eq!(s.validate(), vec![]);
        (s.daily_cap, s.start_hour, s.ring_timeout_s) = (0, 24, 61);
        let fields: Vec<_> = s.validate().iter().map(|e| e.field).collect();
        assert_eq!(fields, ["dailyCap", "startHour", "ringTimeout"]);
        let same = Settings { end_hour: 9, ..Settings::defaults(Zone::utc()) };
        assert_eq!(same.validate()[0].field, "endHour");
    }
}
