//! What answers are made of, by what they are about. A test holds them to what the handlers write.

#![expect(clippy::struct_field_names, reason = "names of the wire")]

pub mod calls;
pub mod campaigns;
pub mod contacts;
pub mod installation;
pub mod livekit;
pub mod words;
