//! The product's figures, printed; nothing here asserts a time. Each section runs in a process of
//! its own, so that memory is that section's. `cargo bench --bench numbers [-- SECTION...]`; see
//! benches/README.md.

// A bench prints, and stops at the first surprise.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_precision_loss)]

mod callbacks;
mod claim;
mod dials;
mod first;
mod frame;
mod history;
mod hosts;
mod import;
mod scarce;
mod setup;
mod stop;

use std::{process::Command, time::Duration};

/// Name, what it measures, how.
type Section = (&'static str, &'static str, fn());

const SECTIONS: [Section; 10] = [
    ("import", "a CSV of 1,000,000 rows: number, zone, duplicate check", import::run),
    ("claim", "the next call of a campaign half done, by its size", claim::run),
    ("dials", "claim, arm, dial (stub), record on SQLite", dials::run),
    ("first", "from the start of a campaign to its first dial, by its contacts", first::run),
    ("scarce", "20 campaigns over 36 open sets of zones on a trunk of 10 lines for 10 minutes, by the real engine", scarce::run),
    ("stop", "other writes while a campaign with 1,000,000 pending calls is stopped", stop::run),
    ("frame", "a frame at 200x60 with 1,000,000 calls in the store", frame::run),
    ("history", "what the rooms show of the past, with 1,000,000 calls stored", history::run),
    ("hosts", "PostgreSQL: eight hosts and a hundred consoles on one database, callbacks beside a Node peer", hosts::run),
    ("callbacks", "durable Twilio callbacks with 1,000,000 calls stored, beside a Node peer", callbacks::run),
];

fn main() {
    // Cargo hands its own flags on.
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    match args.first().map(String::as_str) {
        Some("serve") => return callbacks::serve(&args[1]),
        Some("consoles") => return hosts::consoles(&args[1], args[2].parse().unwrap()),
        Some("run") => return SECTIONS.iter().find(|s| s.0 == args[1]).unwrap().2(),
        _ => {}
    }
    for (name, what, _) in SECTIONS.iter().filter(|s| args.is_empty() || args.iter().any(|a| a == s.0)) {
        println!("\n== {name}: {what}");
        let status = Command::new(std::env::current_exe().unwrap()).args(["run", name]).status().unwrap();
        assert!(status.success(), "{name} failed");
    }
}

/// Median, 99th percentile and the longest, in microseconds.
fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6;
    format!("median {:>8.1} us   p99 {:>8.1} us   max {:>8.1} us   (n = {})", at(50), at(99), at(100), times.len())
}

/// The most memory this process has held so far, MiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|k| k.parse::<u64>().ok()).unwrap_or(0) / 1024
}
