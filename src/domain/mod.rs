//! What the business is, in plain types and pure functions. No sockets, no SQL text, no clock reads:
//! a function that needs "now" takes `now`.

pub mod breaker;
pub mod call;
pub mod campaign;
pub mod contact;
pub mod csv;
pub mod dispatch;
pub mod event;
pub mod id;
pub mod legal;
pub mod moment;
pub mod outcome;
pub mod pacing;
pub mod people;
pub mod phone;
pub mod place;
pub mod recording;
pub mod request;
pub mod retention;
pub mod retry;
pub mod role;
pub mod rules;
pub mod schedule;
pub mod script;
pub mod stats;
pub mod system;
pub mod text;
pub mod trunk;
pub mod zone;

/// Why a command is not allowed, in words an operator reads, with the gate or rule that said so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Machine word of the rule, such as `state`, `assistant`, `daily_cap`.
    pub gate: &'static str,
    pub message: String,
    /// When asking again may have another answer.
    pub until: Option<chrono::DateTime<chrono::Utc>>,
}

impl Refusal {
    /// A refusal that time alone does not lift.
    pub fn new(gate: &'static str, message: impl Into<String>) -> Self {
        Self { gate, message: message.into(), until: None }
    }
}

/// One thing wrong with a field of a request: the field's name on the wire and what to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

impl FieldError {
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// A day or a moment as it is written: `2026-01-31`, `2026-01-31T10:00:00Z`.
#[must_use]
pub fn moment(text: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    let day = || text.parse::<chrono::NaiveDate>().ok().map(|d| d.and_time(chrono::NaiveTime::MIN).and_utc());
    text.parse().ok().or_else(day)
}
