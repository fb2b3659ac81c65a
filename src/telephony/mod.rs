//! The telephone network: dial, look, hang up; and what it tells us, translated into the words of
//! `domain`. Knows no rows and decides nothing.

pub mod carrier;
pub mod livekit;
pub mod probe;
pub mod simulator;
pub mod tokens;
pub mod twilio;
pub mod twilio_calls;

pub use carrier::{
    Answer, Carrier, CarrierError, Deleted, DialRequest, Dispatch, JoinToken, Muted, NewTrunk, Participant, ParticipantKind, SecondLeg, Ticket, Transferred,
    Trunk,
};
