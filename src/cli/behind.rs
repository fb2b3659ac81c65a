//! A console that leaves while campaigns run starts `serve` in a session of its own, waits until it follows, and
//! lets go: the lock falls to the one that waits for it.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use super::{
    args::{EngineFlags, Global, Owner},
    out::say,
};
use crate::{console::Keeper, domain::text::clean};

/// What it says once it follows.
const READY: &str = "ready";
/// It opens a database that is open already: longer is a fault.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the same program on the same configuration, without a screen.
#[must_use]
pub fn keeper(global: &Global, engine: &EngineFlags) -> Keeper {
    let args = arguments(global, engine);
    Keeper::new(move || {
        let program = std::env::current_exe().map_err(|e| format!("where this program lies is not known: {e}"))?;
        let child = Command::new(program).args(&args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        ready(child.map_err(|e| format!("it does not start: {e}"))?)
    })
}

fn arguments(global: &Global, engine: &EngineFlags) -> Vec<std::ffi::OsString> {
    let mut args: Vec<std::ffi::OsString> = Vec::new();
    let mut put = |name: &str, value: Option<std::ffi::OsString>| {
        if let Some(value) = value {
            args.extend([name.into(), value]);
        }
    };
    put("--config", global.config.as_ref().map(Into::into));
    put("--database", global.database.as_ref().map(Into::into));
    if let Some(Owner::One(owner)) = global.owner {
        put("--as", Some(owner.to_string().into()));
    }
    args.extend(["serve".into(), "--behind".into()]);
    if let Some(addr) = &engine.listen {
        args.extend(["--listen".into(), addr.into()]);
    }
    args.extend(engine.no_dial.then(|| "--no-dial".into()));
    args.extend(engine.behind_proxy.then(|| "--behind-proxy".into()));
    args
}

/// Its number, once it says that it is ready; else its own words, and its end.
fn ready(mut child: Child) -> Result<u32, String> {
    let (Some(out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) else { return Err("nothing is heard of it".to_owned()) };
    let (send, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        // One that cannot be read has said nothing.
        drop(BufReader::new(out).read_line(&mut line));
        drop(send.send(line));
    });
    let line = heard.recv_timeout(PATIENCE).unwrap_or_default();
    if line.trim() == READY {
        return Ok(child.id());
    }
    drop(child.kill());
    drop(child.wait());
    let mut words = String::new();
    drop(err.by_ref().take(2000).read_to_string(&mut words));
    let words = clean(words.trim().trim_start_matches("dialdeck: "), 500);
    Err(if words.is_empty() { format!("it was not ready within {} s; the log file has details", PATIENCE.as_secs()) } else { words })
}

/// Out of the session of the terminal, which ends with the console.
pub fn leave_the_terminal() {
    if let Err(e) = rustix::process::setsid() {
        tracing::debug!(target: "app", error = %e, "this process leads a session already");
    }
}

/// Tells the console that it may leave; from then on nobody listens.
pub fn tell_ready() {
    say!("{READY}");
    let silence = File::options().read(true).write(true).open("/dev/null");
    let silenced = silence.and_then(|null| {
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        Ok(())
    });
    if let Err(e) = silenced {
        tracing::warn!(target: "app", error = %e, "standard output could not be put aside");
    }
}
