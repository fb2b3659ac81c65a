//! The operator's own editor on a text: a file only they can read, gone afterwards.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{Child, Command},
    sync::atomic::{AtomicI32, Ordering},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// The editor that runs, for whoever must wake it.
static RUNS: AtomicI32 = AtomicI32::new(0);

const LOOK: Duration = Duration::from_millis(50);
/// Larger is no note and no script.
const LONGEST: u64 = 200_000;

/// An editor that suspends itself would leave nobody to go on: it is woken.
pub fn wake() {
    if let Some(pid) = Pid::from_raw(RUNS.load(Ordering::SeqCst)) {
        // One that has just ended needs no waking.
        let _ = kill_process(pid, Signal::CONT);
    }
}

/// Opens a text in `$VISUAL` or `$EDITOR`; answers what was saved. Ends the editor when `stop` says so.
///
/// # Errors
/// In words, when there is no editor, or it failed: then nothing was changed.
pub fn edit(text: &str, stop: impl Fn() -> bool) -> Result<String, String> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|v| std::env::var(v).ok().filter(|e| !e.trim().is_empty()));
    let line = named.unwrap_or_else(|| "vi".to_owned());
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let file = Scratch::with(text).map_err(|e| format!("no file for the editor: {e}"))?;
    let child = Command::new(program).args(words).arg(&file.0).spawn();
    let mut child = child.map_err(|e| format!("the editor {program} does not start ({e}): set EDITOR to one that does"))?;
    RUNS.store(i32::try_from(child.id()).unwrap_or(0), Ordering::SeqCst);
    let ended = wait(&mut child, stop);
    RUNS.store(0, Ordering::SeqCst);
    match ended {
        Ok(true) => file.read().map_err(|e| format!("what the editor saved cannot be read: {e}")),
        Ok(false) => Err(format!("the editor {program} did not end well: the text is as it was")),
        Err(e) => Err(format!("the editor {program}: {e}")),
    }
}

/// Whether it ended well.
fn wait(child: &mut Child, stop: impl Fn() -> bool) -> std::io::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if stop() {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
}

/// A file of one's own, removed with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn with(text: &str) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("dialdeck-{}.txt", uuid::Uuid::new_v4().simple()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let scratch = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(scratch)
    }

    fn read(&self) -> std::io::Result<String> {
        let mut bytes = Vec::new();
        File::open(&self.0)?.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}
