//! dialdeck
pub mod clock;
pub mod desk;
pub mod domain;
pub mod engine;
pub mod store;
pub mod telephony;
