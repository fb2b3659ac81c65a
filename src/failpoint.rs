//! Named places on the way from claim to record where a test kills the process (the kill matrix of
//! tests/it/crash.rs) or lets it panic (tests/it/walls.rs). A release build has none of it.

/// Every place on a call's way, in the order a call passes them.
pub const POINTS: [&str; 27] = [
    "claim.begin",
    "claim.leased",
    "claim.written",
    "claim.committed",
    "prepare.begin",
    "prepare.dispatched",
    "prepare.looked",
    "prepare.agent_seen",
    "arm.ticket",
    "arm.begin",
    "arm.judged",
    "arm.taken",
    "arm.written",
    "arm.committed",
    "dial.begin",
    "dial.sent",
    "dial.ringing",
    "dial.replied",
    "record.begin",
    "record.settled",
    "record.kept",
    "record.ended",
    "record.written",
    "record.committed",
    "follow.looked",
    "follow.answered",
    "follow.cleared",
];

/// The tasks that everything hangs on: a panic there ends the process.
pub const TASKS: [&str; 2] = ["writer.turn", "inbox.turn"];

/// Where a request of somebody is carried out: no call passes them.
pub const ERRANDS: [&str; 1] = ["errand.taken"];

/// Where the screen is drawn.
pub const SCREEN: [&str; 1] = ["screen.frame"];

/// Dies here when `DIALDECK_FAILPOINT=name:n` says so and this is the n-th time: by SIGKILL, or with
/// `name:n:panic` by a panic.
#[cfg(debug_assertions)]
pub fn reach(name: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    };
    static WANTED: LazyLock<Option<(String, AtomicI64, bool)>> = LazyLock::new(|| {
        let text = std::env::var("DIALDECK_FAILPOINT").ok()?;
        let (name, rest) = text.split_once(':')?;
        let (n, how) = rest.split_once(':').unwrap_or((rest, ""));
        Some((name.to_owned(), AtomicI64::new(n.parse().ok()?), how == "panic"))
    });
    debug_assert!(POINTS.contains(&name) || TASKS.contains(&name) || ERRANDS.contains(&name) || SCREEN.contains(&name), "{name}");
    if let Some((wanted, left, panics)) = &*WANTED
        && wanted == name
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        #[expect(clippy::manual_assert, clippy::panic, reason = "what a test asked for")]
        if *panics {
            panic!("asked to break down at {name}");
        }
        // Nothing can be done about a failure: the test then finds the process alive.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

#[cfg(not(debug_assertions))]
pub fn reach(_: &str) {}
