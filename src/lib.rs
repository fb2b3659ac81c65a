//! dialdeck: a terminal operations console for outbound AI calling campaigns. One binary, one
//! process: a full-screen console, the campaign engine, and a background REST and webhook listener.
//!
//! # The map
//! | floor | room | what it is for |
//! |---|---|---|
//! | 6 | `main`, [`cli`] | parse, run, print the error chain, exit code |
//! | 5 | [`app`] | wires everything; start order, stop order; the demonstration |
//! | 4 | [`console`], [`api`], [`engine`], [`doctor`] | siblings: none imports another |
//! | 3½ | [`provision`] | trunks and numbers at LiveKit, for the listener and the command line |
//! | 3 | [`desk`] | the one door for writes |
//! | 2 | [`store`], [`telephony`], [`telemetry`] | rows; the telephone network; logs |
//! | 1 | [`domain`], [`config`], [`clock`] | plain types and pure functions; [`failpoint`]: where tests kill |
//!
//! Four ideas hold it up. **Rows are the truth and the queue**: what must survive `kill -9` is a row
//! before it is anything else. **One door for writes**: every change is one function of [`desk`].
//! **One door for facts**: webhooks, polls and dial replies all become a
//! [`CallEvent`](domain::event::CallEvent) and enter by [`desk::Desk::record`]. **One decision**: every gate
//! between a contact and a dial is in [`domain::dispatch`], and whoever asks whether, with whom or why not
//! asks there.
//!
//! The engine is officers: each a struct that holds what it uses, started and watched by one supervisor.
//!
//! A dial is: claim a row, bring the agent into the room (harmless, repeatable), arm (all gates again,
//! one transaction: the point of no return), send one request, record its reply, follow the call to its end.

// A callback allocates on one thread what another one frees: with the C library's allocator that is a quarter of
// its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod desk;
pub mod doctor;
pub mod domain;
pub mod engine;
pub mod failpoint;
pub mod provision;
pub mod store;
pub mod telemetry;
pub mod telephony;
