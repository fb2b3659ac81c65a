//! Named places on the way from claim to record where a test kills the process: the kill matrix of
//! tests/it/crash.rs. A release build has none of it.

/// Every place, in the order a call passes them.
pub const POINTS: [&str; 30] = [
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
    "arm.day",
    "arm.trunk",
    "arm.number",
    "arm.row",
    "arm.written",
    "arm.committed",
    "dial.begin",
    "dial.sent",
    "dial.ringing",
    "dial.replied",
    "record.begin",
    "record.stored",
    "record.updated",
    "record.counted",
    "record.freed",
    "record.written",
    "record.committed",
    "follow.looked",
    "follow.answered",
    "follow.cleared",
];

/// Dies here, by SIGKILL, when `DIALDECK_FAILPOINT=name:n` says so and this is the n-th time.
#[cfg(debug_assertions)]
pub fn reach(name: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    };
    static WANTED: LazyLock<Option<(String, AtomicI64)>> = LazyLock::new(|| {
        let text = std::env::var("DIALDECK_FAILPOINT").ok()?;
        let (name, n) = text.split_once(':')?;
        Some((name.to_owned(), AtomicI64::new(n.parse().ok()?)))
    });
    debug_assert!(POINTS.contains(&name), "{name}");
    if let Some((wanted, left)) = &*WANTED
        && wanted == name
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        // Nothing can be done about a failure: the test then finds the process alive.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

#[cfg(not(debug_assertions))]
pub fn reach(_: &str) {}
