//! The real binary in a real pseudo-terminal: keys typed, screen read, terminal restored.

use std::{
    io::{Read, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    bytes: Arc<Mutex<Vec<u8>>>,
    /// A frozen terminal reads nothing.
    frozen: Arc<AtomicBool>,
    size: (u16, u16),
    _home: tempfile::TempDir,
}

impl Terminal {
    fn demo(columns: u16, rows: u16) -> Self {
        Self::demo_at("2", columns, rows)
    }

    fn demo_at(speed: &str, columns: u16, rows: u16) -> Self {
        Self::demo_with(&["--speed", speed], columns, rows)
    }

    fn demo_with(args: &[&str], columns: u16, rows: u16) -> Self {
        Self::demo_in(args, columns, rows, &[])
    }

    fn demo_in(args: &[&str], columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.arg("demo");
        command.args(args);
        command.env_clear();
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = bytes.clone();
        let frozen: Arc<AtomicBool> = Arc::default();
        let waits = frozen.clone();
        std::thread::spawn(move || {
            let mut chunk = vec![0u8; 65536];
            let thawed = || {
                while waits.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            };
            while let (Ok(n), ()) = (reader.read(&mut chunk), thawed()) {
                if n == 0 {
                    return;
                }
                kept.lock().unwrap().extend_from_slice(&chunk[..n]);
            }
        });
        Self { child, master: pair.master, keys, bytes, frozen, size: (columns, rows), _home: home }
    }

    fn screen(&self) -> String {
        let mut parser = vt100::Parser::new(self.size.1, self.size.0, 0);
        parser.process(&self.bytes.lock().unwrap());
        parser.screen().contents()
    }

    fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let screen = self.screen();
            if screen.contains(text) {
                return screen;
            }
            assert!(Instant::now() < end, "no \"{text}\" on:\n{screen}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }

    /// Resident memory of its own, in KiB.
    fn memory(&self) -> i64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.process_id().unwrap())).unwrap();
        let line = status.lines().find(|l| l.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn terminate(&self) {
        let pid = self.child.process_id().unwrap();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
    }

    /// Waits for the end; the exit code.
    fn ended(&mut self) -> u32 {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < end, "still running:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn is_restored(&self) -> bool {
        std::thread::sleep(Duration::from_millis(200));
        let bytes = self.bytes.lock().unwrap();
        let tail = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(200)..]).into_owned();
        ["\u{1b}[?1049l", "\u{1b}[?25h", "\u{1b}[?2004l"].iter().all(|s| tail.contains(s))
    }
}

#[test]
fn the_demo_starts_with_one_key_rings_is_tagged_and_quits_clean() {
    let mut t = Terminal::demo(120, 40);
    t.wait_for("Q4 Sales");
    t.wait_for("SIMULATED");
    t.press("C");
    t.press("s");
    t.wait_for("ringing");
    t.wait_for("on call");
    t.press("O");
    t.wait_for("agent says");
    let end = Instant::now() + Duration::from_mins(1);
    while !t.screen().contains("u undoes") {
        assert!(Instant::now() < end, "{}", t.screen());
        // The queue was empty when it got the focus: a key takes its first.
        t.press("j");
        t.press("2");
    }
    t.press("u");
    t.wait_for("again");
    t.press("p");
    t.wait_for("paused");
    t.press("q");
    std::thread::sleep(Duration::from_millis(300));
    t.press("q");
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
}

/// A terminal without bracketed paste sends a paste as keys, all at once: nothing is done with them.
#[test]
fn a_paste_that_comes_as_keys_does_nothing() {
    let mut t = Terminal::demo(120, 40);
    t.wait_for("Q4 Sales");
    t.press("C");
    t.press("sxkPq 1234\nsPN");
    let shown = t.wait_for("faster than hands");
    assert!(shown.contains("0 running") && !shown.contains("New campaign"), "{shown}");
    t.press("s");
    t.wait_for("1 running");
    t.press("p");
    t.wait_for("paused");
    t.press("q");
    std::thread::sleep(Duration::from_millis(400));
    t.press("q");
    assert_eq!(t.ended(), 0);
}

/// The editor has the terminal while it runs, and the screen has it back with what was saved.
#[test]
fn a_script_is_written_in_the_operators_editor() {
    let folder = tempfile::tempdir().unwrap();
    let editor = folder.path().join("editor");
    std::fs::write(&editor, "#!/bin/sh\nread line\nprintf 'Hello {name}, %s' \"$line\" > \"$1\"\nls -l \"$1\" > \"$0.seen\"\n").unwrap();
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut t = Terminal::demo_in(&[], 120, 40, &[("EDITOR", editor.to_str().unwrap())]);
    t.wait_for("Q4 Sales");
    t.press("N");
    t.wait_for("New campaign");
    t.press("\u{5}");
    // What is typed now is the editor's.
    t.press("quit s P\n");
    t.wait_for("Hello {name}, quit s P");
    let seen = std::fs::read_to_string(folder.path().join("editor.seen")).unwrap();
    assert!(seen.starts_with("-rw-------"), "nobody else reads it: {seen}");
    let file = seen.split_whitespace().last().unwrap();
    assert!(!std::path::Path::new(file).exists(), "it is gone");
    // What was written is not lost by one key.
    t.press("\u{1b}");
    t.wait_for("Esc again throws away");
    t.press("\u{1b}");
    t.press("q");
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
}

/// Flags of the screen stand behind the command that has one.
#[test]
fn a_plain_screen_that_is_filtered_from_the_start() {
    let mut t = Terminal::demo_with(&["--plain", "--filter", "nobody at all"], 120, 40);
    t.wait_for("Q4 Sales");
    let shown = t.wait_for("nobody at all");
    assert!(shown.is_ascii(), "{shown}");
    let colours = String::from_utf8_lossy(&t.bytes.lock().unwrap()).into_owned();
    assert!(!["[38;2;", "[38;5;", "[48;2;", "[48;5;"].iter().any(|c| colours.contains(c)), "no colours");
    t.press("q");
    assert_eq!(t.ended(), 0);
}

#[test]
fn the_first_key_after_a_resize_is_seen() {
    let mut t = Terminal::demo(80, 24);
    t.wait_for("Live calls");
    t.master.resize(PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 }).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    t.press("q");
    assert_eq!(t.ended(), 0);
}

#[test]
fn p16_sigterm_restores_the_terminal() {
    let mut t = Terminal::demo(80, 24);
    t.wait_for("Live calls");
    t.terminate();
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
}

/// A window that is frozen, a viewer that is stopped: what the loop is told meanwhile does not pile up, and
/// the program can be ended. `DIALDECK_FROZEN_SECONDS` (20).
#[test]
fn a_terminal_that_does_not_read_costs_no_memory_and_holds_up_no_end() {
    let seconds = std::env::var("DIALDECK_FROZEN_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(20);
    let mut t = Terminal::demo_at("10", 120, 40);
    t.wait_for("Q4 Sales");
    t.press("C");
    t.press("s");
    t.wait_for("on call");
    t.frozen.store(true, Ordering::SeqCst);
    // Caches fill, and the screen comes to a stand: an hour's are full once its campaign has been called.
    std::thread::sleep(Duration::from_secs((seconds / 12).clamp(8, 300)));
    let before = t.memory();
    std::thread::sleep(Duration::from_secs(seconds));
    let grown = t.memory() - before;
    assert!(grown < 6 << 10, "{grown} KiB more in {seconds} s");
    t.terminate();
    assert_eq!(t.ended(), 0);
    t.frozen.store(false, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(500));
    assert!(t.is_restored());
}

#[test]
fn without_a_terminal_a_sentence_says_what_to_do() {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_dialdeck")).arg("demo").stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("no terminal: use `dialdeck serve`"));
}
