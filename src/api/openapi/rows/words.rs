//! The words that fields of answers may hold.

use serde::Serialize;
use utoipa::ToSchema;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[expect(dead_code, reason = "words of the document")]
        pub enum $name { $($word),+ }
    )+};
}

words! {
    Outcome { Interested, NotInterested, Callback, DoNotCall, Voicemail, WrongNumber }
    ContactSource { ContactList, CsvFile }
    Weekday { Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday }
    ExecutionStatus { Idle, Running, Paused, Completed, Error }
    /// `phase` says it exactly
    CallStatus { Pending, Calling, Answered, Completed, Failed, NoAnswer, Busy, Canceled }
}
