//! One test binary: every test goes through the borders of the program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accounts;
mod api;
mod auth;
mod bounds;
mod console;
mod contacts;
mod crash;
mod defects;
mod dispatch;
mod edges;
mod engine;
mod events;
mod floors;
mod housekeeping;
mod incoming;
mod law;
mod lessons;
mod livekit;
mod machine;
mod manual;
mod month;
mod officers;
mod openapi;
mod recorded;
mod recordings;
mod requests;
mod store;
mod support;
mod terminal;
mod tokens;
mod trunks;
mod walls;
mod webhooks;
mod zones;
