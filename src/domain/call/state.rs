//! The states of a call: their ranks and their words, in the database, on the wire and on the screen.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Claimed,
    /// Point of no return: a request may have been sent.
    Armed,
    Unknown,
    Dialing,
    Ringing,
    Answered,
    Completed,
    Busy,
    NoAnswer,
    Rejected,
    WrongNumber,
    Failed,
    Canceled,
    Unsent,
    Refused,
    NotPlaced,
    Unresolved,
}

impl State {
    pub const ALL: [Self; 18] = [
        Self::Pending,
        Self::Claimed,
        Self::Armed,
        Self::Unknown,
        Self::Dialing,
        Self::Ringing,
        Self::Answered,
        Self::Completed,
        Self::Busy,
        Self::NoAnswer,
        Self::Rejected,
        Self::WrongNumber,
        Self::Failed,
        Self::Canceled,
        Self::Unsent,
        Self::Refused,
        Self::NotPlaced,
        Self::Unresolved,
    ];

    #[must_use]
    pub fn rank(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Claimed => 5,
            Self::Armed => 10,
            Self::Unknown => 15,
            Self::Dialing => 20,
            Self::Ringing => 30,
            Self::Answered => 40,
            Self::Completed | Self::Busy | Self::NoAnswer | Self::Rejected | Self::WrongNumber | Self::Failed | Self::Canceled => 90,
            Self::Unsent | Self::Refused | Self::NotPlaced | Self::Unresolved => 95,
        }
    }

    /// `status` of the API: the spec's words.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Pending | Self::Claimed => "pending",
            Self::Armed | Self::Unknown | Self::Dialing | Self::Ringing => "calling",
            Self::Answered => "answered",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Canceled => "canceled",
            Self::Rejected | Self::WrongNumber | Self::Failed | Self::Unsent | Self::Refused | Self::NotPlaced | Self::Unresolved => "failed",
        }
    }

    /// `phase` of the API and the name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Armed => "armed",
            Self::Unknown => "unknown",
            Self::Dialing => "dialing",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Rejected => "rejected",
            Self::WrongNumber => "wrong_number",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Unsent => "unsent",
            Self::Refused => "refused",
            Self::NotPlaced => "not_placed",
            Self::Unresolved => "unresolved",
        }
    }

    /// The word on the screen.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Pending => "queued",
            Self::Claimed => "preparing",
            Self::Armed | Self::Dialing => "dialling",
            Self::Unknown => "unknown",
            Self::Ringing => "ringing",
            Self::Answered => "on call",
            Self::Completed => "ended",
            Self::Busy => "busy",
            Self::NoAnswer => "no answer",
            Self::Rejected => "rejected",
            Self::WrongNumber => "wrong no.",
            Self::Failed => "failed",
            Self::Canceled => "hung up",
            Self::Unsent => "not sent",
            Self::Refused => "rate limit",
            Self::NotPlaced => "not placed",
            Self::Unresolved => "unresolved",
        }
    }

    /// The same of a call that may have been taken back before it was dialled.
    #[must_use]
    pub fn words_if(self, dialled: bool) -> &'static str {
        if self == Self::Canceled && !dialled { "taken back" } else { self.words() }
    }

    #[must_use]
    pub fn is_ended(self) -> bool {
        self.rank() >= 90
    }

    /// Armed to answered, and unknown: a phone may be ringing.
    #[must_use]
    pub fn is_open(self) -> bool {
        (10..90).contains(&self.rank())
    }

    /// Whether it takes a concurrency slot. An unknown call does only while a leg is seen.
    #[must_use]
    pub fn holds_line(self, leg_seen: bool) -> bool {
        match self {
            Self::Armed | Self::Dialing | Self::Ringing | Self::Answered => true,
            Self::Unknown => leg_seen,
            _ => false,
        }
    }

    /// An end that a supervisor must look into; a busy or unanswered phone is none.
    #[must_use]
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Failed | Self::Unresolved) || self.never_rang()
    }

    /// Certainly never rang: charges no attempt.
    #[must_use]
    pub fn never_rang(self) -> bool {
        matches!(self, Self::Unsent | Self::Refused | Self::NotPlaced)
    }
}
