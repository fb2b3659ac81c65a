//! What is printed. Standard output is for what was asked for, standard error for words about it; whoever
//! reads may have seen enough (`| head -1`), which is no fault and no panic.

use std::{
    fmt::Arguments,
    io::{ErrorKind, IsTerminal, Write},
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What became of standard output: open, closed by its reader, or broken.
static OUTPUT: AtomicU8 = AtomicU8::new(OPEN);
const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const BROKEN: u8 = 2;

macro_rules! say {
    ($($text:tt)*) => { $crate::cli::out::line(format_args!($($text)*)) };
}
macro_rules! tell {
    ($($text:tt)*) => { $crate::cli::out::word(format_args!($($text)*)) };
}
pub(super) use {say, tell};

/// A line on standard output.
pub fn line(text: Arguments<'_>) {
    if OUTPUT.load(Ordering::Relaxed) == OPEN {
        note(&writeln!(std::io::stdout(), "{text}"));
    }
}

/// A line on standard error. One that cannot be written has nobody to be told to, and a terminal that nobody reads
/// holds up no end.
pub fn word(text: Arguments<'_>) {
    use rustix::event::{PollFd, PollFlags, poll};
    let stderr = rustix::stdio::stderr();
    let patience = rustix::time::Timespec { tv_sec: 1, tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], Some(&patience));
    if ready != Ok(0) {
        drop(writeln!(std::io::stderr(), "{text}"));
    }
}

/// Bytes on standard output.
pub fn bytes(bytes: &[u8]) {
    if OUTPUT.load(Ordering::Relaxed) == OPEN {
        note(&std::io::stdout().write_all(bytes));
    }
}

fn note(written: &std::io::Result<()>) {
    if let Err(e) = written {
        OUTPUT.store(if e.kind() == ErrorKind::BrokenPipe { CLOSED } else { BROKEN }, Ordering::Relaxed);
    }
}

/// Nobody reads any more: what is still to be printed need not be looked for.
pub fn unread() -> bool {
    OUTPUT.load(Ordering::Relaxed) != OPEN
}

/// Whether all that was printed went out, or its reader went away; `false` where a full disk, say, ate it.
pub fn went_out() -> bool {
    note(&std::io::stdout().flush());
    OUTPUT.load(Ordering::Relaxed) != BROKEN
}

/// A bar on a terminal; nothing elsewhere. `total` of what is counted, where that is known.
pub fn bar(total: Option<u64>, counts: Counts) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    let template = match (counts, total) {
        (Counts::Bytes, Some(_)) => "{bar:25} {percent:>3}%  {bytes} of {total_bytes}  {msg}",
        (Counts::Bytes, None) => "{spinner} {bytes}  {msg}",
        (Counts::Rows, Some(_)) => "{bar:25} {percent:>3}%  {human_pos} of {human_len} rows  {per_sec:0}",
        (Counts::Rows, None) => "{spinner} {human_pos} rows  {per_sec:0}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("#>."));
    }
    if std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

/// What a bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Bytes,
    Rows,
}
