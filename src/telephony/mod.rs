//! The telephone network: dial, look, hang up; and what it tells us, translated into the words of
//! `domain`. Knows no rows and decides nothing.

pub mod carrier;
pub mod livekit;
pub mod simulator;
pub mod tokens;
pub mod twilio;
pub mod twilio_calls;
mod twilio_rest;
pub mod twilio_trunks;

pub use carrier::{
    Answer, Bucket, Carrier, CarrierError, Deleted, DialRequest, Dispatch, Egress, JoinToken, Muted, NewTrunk, Participant, ParticipantKind, RecordingPlace,
    SecondLeg, Ticket, Transferred, Trunk,
};
