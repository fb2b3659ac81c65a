//! The spec's six outcomes, who may set which and when, and whose word counts.

use serde::{Deserialize, Serialize};

use super::{Refusal, call::State};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Interested,
    NotInterested,
    Callback,
    DoNotCall,
    Voicemail,
    WrongNumber,
}

impl Outcome {
    /// In the spec's order, which is also the order of the digit keys 1 to 6.
    pub const ALL: [Self; 6] = [Self::Interested, Self::NotInterested, Self::Callback, Self::DoNotCall, Self::Voicemail, Self::WrongNumber];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interested => "interested",
            Self::NotInterested => "not_interested",
            Self::Callback => "callback",
            Self::DoNotCall => "do_not_call",
            Self::Voicemail => "voicemail",
            Self::WrongNumber => "wrong_number",
        }
    }

    /// The words on the screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Interested => "interested",
            Self::NotInterested => "not interested",
            Self::Callback => "callback",
            Self::DoNotCall => "do not call",
            Self::Voicemail => "voicemail",
            Self::WrongNumber => "wrong number",
        }
    }

    /// The digit that sets it, 1 to 6.
    #[must_use]
    pub fn digit(self) -> char {
        match self {
            Self::Interested => '1',
            Self::NotInterested => '2',
            Self::Callback => '3',
            Self::DoNotCall => '4',
            Self::Voicemail => '5',
            Self::WrongNumber => '6',
        }
    }
}

impl std::str::FromStr for Outcome {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let key = s.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        Self::ALL.into_iter().find(|o| o.as_str() == key).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|o| o.as_str()).collect();
            format!("unknown outcome \"{s}\": one of {}", known.join(", "))
        })
    }
}

/// Who said it. The current outcome is the latest one of the highest precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Guessed by us.
    Inferred,
    /// Told by the agent in the call; a suggestion.
    Agent,
    /// Proven by a SIP code.
    Carrier,
    Operator,
}

/// Which outcome may be set in which state: all six from answered on; before that, and on calls
/// never answered, `do_not_call` and `wrong_number` in any state, `voicemail` while it rings.
///
/// # Errors
/// In words, when the state does not allow it.
pub fn allowed(outcome: Outcome, state: State, was_answered: bool) -> Result<(), Refusal> {
    let ok = was_answered
        || match outcome {
            Outcome::DoNotCall | Outcome::WrongNumber => true,
            Outcome::Voicemail => state == State::Ringing,
            Outcome::Interested | Outcome::NotInterested | Outcome::Callback => false,
        };
    if ok {
        return Ok(());
    }
    Err(Refusal::new("outcome", format!("\"{}\" needs an answered call; this one is {}", outcome.label(), state.words())))
}

/// What is reported of a talk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub summary: Option<String>,
    /// `human`, `machine` or `unknown`.
    pub answered_by: Option<String>,
    pub transcript: Vec<Line>,
}

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub role: String,
    pub text: String,
    #[serde(default)]
    pub at: Option<chrono::DateTime<chrono::Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_outcome_in_which_state() {
        for outcome in Outcome::ALL {
            assert!(allowed(outcome, State::Completed, true).is_ok());
            let early = matches!(outcome, Outcome::DoNotCall | Outcome::WrongNumber);
            assert_eq!(allowed(outcome, State::Busy, false).is_ok(), early, "{outcome:?}");
        }
        assert!(allowed(Outcome::Voicemail, State::Ringing, false).is_ok());
        assert!(allowed(Outcome::Voicemail, State::NoAnswer, false).is_err());
    }

    #[test]
    fn spelling_is_forgiving_and_unknown_ones_are_named() {
        assert_eq!("Do-Not Call".parse(), Ok(Outcome::DoNotCall));
        assert!("maybe".parse::<Outcome>().unwrap_err().contains("interested, not_interested"));
    }

    #[test]
    fn an_operator_outranks_all() {
        assert!(Who::Operator > Who::Carrier && Who::Carrier > Who::Agent && Who::Agent > Who::Inferred);
    }
}
