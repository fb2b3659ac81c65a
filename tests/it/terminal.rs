//! The real binary in a real pseudo-terminal: keys typed, screen read, terminal restored.

use std::{
    io::{Read, Write},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    bytes: Arc<Mutex<Vec<u8>>>,
    size: (u16, u16),
    _home: tempfile::TempDir,
}

impl Terminal {
    fn demo(columns: u16, rows: u16) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.args(["demo", "--speed", "2"]);
        command.env_clear();
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = bytes.clone();
        std::thread::spawn(move || {
            let mut chunk = vec![0u8; 65536];
            while let Ok(n) = reader.read(&mut chunk) {
                if n == 0 {
                    return;
                }
                kept.lock().unwrap().extend_from_slice(&chunk[..n]);
            }
        });
        Self { child, master: pair.master, keys, bytes, size: (columns, rows), _home: home }
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
    while !t.screen().contains("tagged") {
        assert!(Instant::now() < end, "{}", t.screen());
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
    let pid = t.child.process_id().unwrap();
    let killed = std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
}

#[test]
fn without_a_terminal_a_sentence_says_what_to_do() {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_dialdeck")).arg("demo").stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("no terminal: use `dialdeck serve`"));
}
