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

use crate::crash::Rig;

struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    /// A frozen terminal reads nothing.
    frozen: Arc<AtomicBool>,
    /// One that is gone has nobody who holds it open.
    gone: Arc<AtomicBool>,
    size: (u16, u16),
    /// Goes with it.
    home: Option<tempfile::TempDir>,
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
        let mut all = vec![("HOME", home.path().to_str().unwrap())];
        all.extend(variables);
        let mut t = Self::run(&[&["demo"], args].concat(), columns, rows, &all);
        t.home = Some(home);
        t
    }

    /// The console over a rig's database and network: its campaign runs already.
    fn console(rig: &Rig, columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let command = rig.command(None);
        let text = |s: &std::ffi::OsStr| s.to_str().unwrap().to_owned();
        let of_rig: Vec<(String, String)> = command.get_envs().filter_map(|(k, v)| Some((text(k), text(v?)))).collect();
        let mut all: Vec<(&str, &str)> = of_rig.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        all.extend(variables);
        Self::run(&["--listen", &rig.address], columns, rows, &all)
    }

    fn run(args: &[&str], columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.args(args);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (frozen, gone): (Arc<AtomicBool>, Arc<AtomicBool>) = Default::default();
        let (kept, waits, leaves) = (bytes.clone(), frozen.clone(), gone.clone());
        std::thread::spawn(move || {
            let mut chunk = vec![0u8; 65536];
            let thawed = || {
                while waits.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            };
            while let (Ok(n), ()) = (reader.read(&mut chunk), thawed()) {
                if n == 0 || leaves.load(Ordering::SeqCst) {
                    return;
                }
                kept.lock().unwrap().extend_from_slice(&chunk[..n]);
            }
        });
        Self { child, master: Some(pair.master), keys: Some(keys), bytes, frozen, gone, size: (columns, rows), home: None }
    }

    /// The window is closed, or the line drops.
    fn hang_up(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        (self.keys, self.master) = (None, None);
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.master.as_ref().unwrap().resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// All that was ever sent.
    fn sent(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
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
        let to = self.keys.as_mut().unwrap();
        to.write_all(keys.as_bytes()).unwrap();
        to.flush().unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }

    /// Resident memory of its own, in KiB.
    fn memory(&self) -> i64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.process_id().unwrap())).unwrap();
        let line = status.lines().find(|l| l.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn terminate(&self) {
        signal(self.pid(), "-TERM");
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

    /// After all that was drawn the screen is left, the cursor shown, and pastes are keys again.
    fn is_restored(&self) -> bool {
        std::thread::sleep(Duration::from_millis(200));
        let sent = self.sent();
        let drawn = sent.rfind("\u{1b}[?1049h").unwrap();
        let left = &sent[drawn..];
        ["\u{1b}[?1049l", "\u{1b}[?25h", "\u{1b}[?2004l", "\u{1b}[?1000l"].iter().all(|s| left.contains(s))
            && !left.rsplit("\u{1b}[?1049l").next().unwrap().contains("\u{1b}[?25l")
    }
}

fn signal(pid: u32, signal: &str) {
    assert!(std::process::Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Waits until it holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < end, "still waiting for: {what}");
        std::thread::sleep(Duration::from_millis(50));
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
fn a_screen_in_ascii_that_is_filtered_from_the_start() {
    let mut t = Terminal::demo_with(&["--ascii", "--color", "never", "--filter", "nobody at all"], 120, 40);
    t.wait_for("Q4 Sales");
    let shown = t.wait_for("nobody at all");
    assert!(shown.is_ascii(), "{shown}");
    assert!(!coloured(&t.sent()), "no colours");
    t.press("q");
    assert_eq!(t.ended(), 0);
}

/// Whether anything sets a colour of letters or ground.
fn coloured(sent: &str) -> bool {
    sent.split("\u{1b}[").filter_map(|s| s.split_once('m')).any(|(inside, _)| {
        inside.bytes().all(|b| b.is_ascii_digit() || b == b';')
            && inside.split(';').any(|n| n.parse::<u8>().is_ok_and(|n| matches!(n, 30..=38 | 40..=48 | 90..=107)))
    })
}

#[test]
fn the_first_key_after_a_resize_is_seen() {
    let mut t = Terminal::demo(80, 24);
    t.wait_for("Live calls");
    t.resize(120, 40);
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

/// Colours and letters by what the terminal is, decided once.
#[test]
fn every_kind_of_terminal_gets_what_it_can_show() {
    let all = [
        ("xterm-256color", ("LANG", "C.UTF-8"), "256", false),
        ("xterm-256color", ("COLORTERM", "truecolor"), "true", false),
        ("xterm-256color", ("NO_COLOR", "1"), "none", false),
        ("xterm-16color", ("LANG", "en_US.UTF-8"), "16", false),
        ("tmux-256color", ("LANG", "C"), "256", true),
        ("linux", ("LANG", "C.UTF-8"), "16", true),
        ("vt100", ("LANG", "C.UTF-8"), "none", true),
    ];
    for (term, variable, depth, ascii) in all {
        let mut t = Terminal::demo_in(&[], 80, 24, &[("TERM", term), variable]);
        let shown = t.wait_for("Live calls");
        t.press("Cj");
        t.press("q");
        assert_eq!(t.ended(), 0);
        assert!(t.is_restored(), "{term}");
        let sent = t.sent();
        let (whole, indexed) = (sent.contains("8;2;"), sent.contains("8;5;"));
        let wanted = match depth {
            "true" => whole,
            "256" => indexed && !whole,
            "16" => coloured(&sent) && !indexed && !whole,
            _ => !coloured(&sent) && sent.contains("\u{1b}[7m") | sent.contains(";7m") | sent.contains("\u{1b}[7;"),
        };
        assert!(wanted, "{term} {variable:?} has not {depth} colours");
        assert_eq!(shown.is_ascii(), ascii, "{term} {variable:?}:\n{shown}");
    }
}

/// A terminal that cannot draw gets lines, and not one escape.
#[test]
fn a_dumb_terminal_is_spoken_to_in_lines() {
    let mut t = Terminal::demo_in(&["--speed", "20"], 80, 24, &[("TERM", "dumb")]);
    t.wait_for("SIMULATED");
    t.press("start Q4 Sales\n");
    t.wait_for("ringing");
    t.press("pause all\n");
    t.wait_for("no further dial");
    signal(t.pid(), "-TERM");
    assert_eq!(t.ended(), 0);
    assert!(!t.sent().contains('\u{1b}'), "{:?}", t.sent());
}

#[test]
fn a_storm_of_sizes_leaves_the_screen_whole() {
    let mut t = Terminal::demo_at("10", 120, 40);
    t.wait_for("Q4 Sales");
    t.press("Cs");
    t.wait_for("ringing");
    let mut dice = 11u64;
    for i in 0..1000 {
        dice = dialdeck::telephony::simulator::die(dice);
        let (w, h) = (u16::try_from(dice % 260 + 1).unwrap(), u16::try_from((dice >> 20) % 80 + 1).unwrap());
        let (w, h) = if i % 100 == 0 { (1, 1) } else { (w, h) };
        t.resize(w, h);
        std::thread::sleep(Duration::from_millis(2));
    }
    t.resize(120, 40);
    until("the whole screen", || {
        let bytes = t.bytes.lock().unwrap().clone();
        let from = bytes.windows(4).rposition(|w| w == b"\x1b[2J").unwrap_or(0);
        let mut parser = vt100::Parser::new(40, 120, 0);
        parser.process(&bytes[from..]);
        let shown = parser.screen().contents();
        ["Q4 Sales", "Live calls", "Events", "? help"].iter().all(|w| shown.contains(w))
    });
    t.press("q");
    t.press("q");
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
}

#[test]
fn a_bracketed_paste_does_nothing() {
    let mut t = Terminal::demo(120, 40);
    t.wait_for("Q4 Sales");
    t.press("C");
    t.press("\u{1b}[200~sxkPq 1234\n\u{1b}[201~");
    let shown = t.wait_for("was pasted");
    assert!(shown.contains("0 running"), "{shown}");
    t.press("q");
    assert_eq!(t.ended(), 0);
}

/// A key that is held: the tagging desk goes on to the next call, and the key does not follow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_key_tags_no_queue() {
    let rig = Rig::new(8, 50, 200).await;
    let mut t = Terminal::console(&rig, 120, 40, &[]);
    rig.until_done().await;
    t.wait_for("8 to tag");
    t.press("O");
    t.press("j");
    for _ in 0..60 {
        t.keys.as_mut().unwrap().write_all(b"1").unwrap();
        std::thread::sleep(Duration::from_millis(33));
    }
    t.wait_for("1 interested  by console@");
    t.press("q");
    assert_eq!(t.ended(), 0);
    let tagged = rig.row().await.counts.interested;
    assert!((1..=2).contains(&tagged), "{tagged} tags of one held key");
}

#[test]
fn every_signal_that_ends_it_restores_the_terminal_and_no_other_does_harm() {
    for name in ["-TERM", "-INT", "-QUIT"] {
        let mut t = Terminal::demo(80, 24);
        t.wait_for("Live calls");
        for harmless in ["-USR1", "-USR2", "-PIPE", "-WINCH", "-CONT", "-TSTP"] {
            signal(t.pid(), harmless);
        }
        t.wait_for("not suspended");
        signal(t.pid(), name);
        assert_eq!(t.ended(), 0, "{name}");
        assert!(t.is_restored(), "{name}");
    }
}

#[test]
fn a_panic_in_the_screen_gives_the_terminal_back_and_says_so() {
    let mut t = Terminal::demo_in(&[], 80, 24, &[("DIALDECK_FAILPOINT", "screen.frame:4:panic")]);
    t.wait_for("Live calls");
    t.press("C");
    t.press("j");
    t.press("L");
    assert_eq!(t.ended(), 1);
    assert!(t.is_restored());
    assert!(t.sent().contains("the screen broke down"), "{}", t.sent());
}

#[test]
fn a_panic_in_the_engine_is_said_and_dials_no_more() {
    let mut t = Terminal::demo_in(&["--speed", "10"], 120, 40, &[("DIALDECK_FAILPOINT", "dial.begin:2:panic")]);
    t.wait_for("Q4 Sales");
    t.press("C");
    t.press("s");
    t.wait_for("broke down; nothing is dialled until a restart");
    t.press("q");
    t.press("q");
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
}

/// Calls are seen to their end, and the screen says whose.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_with_live_calls_says_for_whom_it_waits() {
    let rig = Rig::new(3, 300, 6000).await;
    let mut t = Terminal::console(&rig, 120, 40, &[]);
    t.wait_for("on call");
    t.terminate();
    let shown = t.wait_for("ending: nothing new is dialled").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("(Contact ") && shown.contains("s at the latest"), "{shown}");
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
    assert!(rig.store.open_calls().await.unwrap().is_empty());
    assert!(rig.rings().0.is_empty() && rig.rings().1 > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_sigterm_ends_at_once() {
    let rig = Rig::new(1, 300, 60_000).await;
    let mut t = Terminal::console(&rig, 80, 24, &[]);
    t.wait_for("on call");
    t.terminate();
    t.wait_for("ending: nothing new is dialled");
    t.terminate();
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
    assert_eq!(rig.store.open_calls().await.unwrap().len(), 1, "the next start looks after it");
}

/// The line drops in mid-call: the call is seen to its end, and the log tells what nobody saw.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_hangs_up_with_calls_live_leaves_none_behind() {
    let rig = Rig::new(2, 300, 5000).await;
    let mut t = Terminal::console(&rig, 120, 40, &[]);
    t.wait_for("on call");
    t.hang_up();
    assert_eq!(t.ended(), 0);
    assert!(rig.store.open_calls().await.unwrap().is_empty());
    assert!(rig.rings().0.is_empty() && rig.rings().1 > 0);
    let log = std::fs::read_to_string(rig.base.dir.path().join(".local/state/dialdeck/dialdeck.log")).unwrap();
    assert!(log.contains("live: no new calls are started") && log.contains("while nobody watched"), "{log}");
}

/// Leaving hands the lock on: campaigns go on, nobody is dialled twice, no call is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_leaves_keeps_running_without_a_screen() {
    let rig = Rig::new(6, 300, 3000).await;
    let mut t = Terminal::console(&rig, 120, 40, &[]);
    t.wait_for("on call");
    t.press("q");
    t.wait_for("k keep running");
    t.press("k");
    assert_eq!(t.ended(), 0);
    assert!(t.is_restored());
    let sent = t.sent();
    let pid: u32 = sent.split("in process ").nth(1).unwrap_or_else(|| panic!("{sent}")).split(',').next().unwrap().parse().unwrap();
    let runs = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| !s.contains(") Z "));
    assert!(runs(), "{sent}");
    rig.until_done().await;
    let row = rig.row().await;
    assert_eq!((row.counts.dials, rig.rings().0.len(), rig.rings().1), (6, 0, 6));
    signal(pid, "-TERM");
    until("the end of what kept running", || !runs());
}

/// Another program has the port: the console stands, says so, starts nothing, and listens once the port is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_a_bar_and_no_end() {
    let rig = Rig::new(1, 300, 300).await;
    let held = std::net::TcpListener::bind(&rig.address).unwrap();
    let mut t = Terminal::console(&rig, 80, 24, &[]);
    t.wait_for("cannot listen on");
    t.press("C");
    t.press("s");
    t.wait_for("its port is taken");
    drop(held);
    until("the bar to go", || !t.screen().contains("cannot listen on"));
    assert!(std::net::TcpStream::connect(&rig.address).is_ok(), "it listens");
    t.press("q");
    t.press("q");
    assert_eq!(t.ended(), 0);
}

/// Nobody reads the terminal while calls come and go: they go on, each callback is answered, and it can be ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_nobody_reads_holds_up_no_call() {
    let rig = Rig::new(60, 50, 100).await;
    let mut t = Terminal::console(&rig, 200, 60, &[]);
    t.wait_for("Live calls");
    t.frozen.store(true, Ordering::SeqCst);
    rig.until_done().await;
    assert!(rig.rings().0.is_empty() && rig.rings().1 == 60);
    t.terminate();
    assert_eq!(t.ended(), 0);
    t.frozen.store(false, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(500));
    assert!(t.is_restored());
}

/// Names that somebody wrote to break a screen, everywhere a name can stand.
mod hostile {
    use std::sync::Arc;

    use chrono::Duration;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use dialdeck::{
        console::{Action, Detail, Msg, Painter, Snapshot, State, TABLE, draw, plain::Lines},
        desk::{Entry, EntryId, Fact, Party},
        domain::{call::State as CallState, campaign::Status, id::CallId, outcome::Who, stats::Counts},
        store::{AuditRow, Deed, OutcomeRow},
        telemetry::LogLine,
    };
    use ratatui::{Terminal, TerminalOptions, Viewport, layout::Rect};

    use crate::console::{assistants, blank, campaign, now, press, row, snapshot, sources};

    fn names() -> Vec<String> {
        let mut all: Vec<String> = [
            "Eve\u{1b}[2J\u{1b}[31m\u{1b}]0;owned\u{7}",
            "\u{202e}gnp.exe\u{202c} \u{2067}x\u{2069}",
            "שלום עולם \u{2066}abc",
            "a\u{200b}\u{200d}\u{feff}\u{ad}b",
            "☎\u{fe0f}❤\u{fe0f}1\u{fe0f}\u{20e3}",
            "two\r\nlines\tand\u{8}\u{7}\u{0}",
            "日本語の名前です日本語の名前です",
            "👨\u{200d}👩\u{200d}👧 👍🏽 🇩🇪",
            "\u{9b}31mC1\u{85}\u{90}",
            "กำ้\u{e33} நி की",
        ]
        .map(str::to_owned)
        .to_vec();
        all.push(format!("Z{}a{}", "\u{301}".repeat(300), "\u{0489}".repeat(50)));
        all.push("x\u{301}".repeat(32 << 10));
        all
    }

    /// What happened to somebody of that name, and what somebody of it did.
    fn facts(n: u128, name: &str) -> [Arc<Entry>; 2] {
        let who = Party { call: CallId(crate::console::uuid(n)), name: name.into(), number: "+12025550199".into(), campaign: name.into() };
        let ended = Fact::Ended { who, state: CallState::Failed, talked: None, rang: None, code: Some(503), reason: name.into(), again_at: Some(now()) };
        let details = sqlx::types::Json(serde_json::json!({ "reason": name, "name": name, "number": name, "place": name }));
        let line = AuditRow { at: now(), actor: name.into(), source: "console".into(), action: "do_not_call_added".into(), details };
        let deed = Deed { id: 1, line, call: None, contact_name: Some(name.into()), phone_number: None, name: Some(name.into()) };
        let entry = |step, fact| Arc::new(Entry { id: EntryId { at: now(), step, of: n }, fact });
        [entry(2, ended), entry(3, Fact::Deed(Box::new(deed)))]
    }

    fn rows() -> Snapshot {
        let states = [CallState::Answered, CallState::Ringing, CallState::Completed, CallState::Busy, CallState::Armed, CallState::Failed];
        let mut data = snapshot();
        data.live.clear();
        let mut happened = Vec::new();
        for (i, name) in names().into_iter().enumerate() {
            let mut r = row(200 + i as u128, &name, states[i % states.len()], 30);
            (r.campaign_name, r.reason, r.notes, r.room_name) = (name.clone(), name.clone(), name.clone(), Some(name.clone()));
            let mut c = campaign(300 + i as u128, &name, [Status::Running, Status::Paused, Status::Error][i % 3], Counts::default());
            (c.row.status_reason, c.row.status_actor, c.row.assistant_name, c.row.campaign_prompt) = (name.clone(), name.clone(), name.clone(), name.clone());
            data.campaigns.push(c);
            data.logs.push(LogLine { number: i as u64, at: now(), level: tracing::Level::WARN, target: name.clone(), text: name.clone() });
            data.live.push(r);
            happened.extend(facts(300 + i as u128, &name));
        }
        data.happened = Arc::new(happened);
        data.to_tag = data.live.iter().filter(|r| r.state == CallState::Completed).cloned().collect();
        data.health = names().concat().chars().take(4000).collect();
        (data.assistants, data.sources) = (assistants(), sources());
        (data.assistants[0].name, data.sources[0].name) = (names()[2].clone(), names()[4].clone());
        data
    }

    /// The bytes of a first frame: what a terminal gets.
    fn bytes(state: &mut State, width: u16, height: u16) -> (Vec<u8>, ratatui::buffer::Buffer) {
        state.resize(width, height);
        let mut sent = Vec::new();
        let mut painter = Painter::new(&mut sent);
        painter.resized(width);
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, width, height)) };
        let mut terminal = Terminal::with_options(painter, options).unwrap();
        let drawn = terminal.draw(|frame| draw(frame, state)).unwrap().buffer.clone();
        drop(terminal);
        (sent, drawn)
    }

    /// Nothing in it but our own sequences, letters that stand still, and our own isolates: each begun before letters
    /// from the right, and ended before anything else is sent.
    fn assert_ours(text: &str, what: &str) {
        let mut rest = text.chars().peekable();
        let mut isolated = false;
        while let Some(c) = rest.next() {
            if matches!(c, '\u{2068}' | '\u{2069}') {
                assert_eq!(std::mem::replace(&mut isolated, c == '\u{2068}'), c == '\u{2069}', "{what}: isolates are balanced");
                let from_right = |c: &char| matches!(c, '\u{590}'..='\u{8ff}');
                assert!(c == '\u{2069}' || rest.peek().is_some_and(from_right), "{what}: an isolate of ours is before a letter from the right");
                continue;
            }
            assert!(!isolated || !c.is_control(), "{what}: something else begins inside an isolate");
            if c == '\u{1b}' {
                assert_eq!(rest.next(), Some('['), "{what}");
                let inside: String = std::iter::from_fn(|| rest.next_if(|c| matches!(c, '0'..='9' | ';' | '?'))).collect();
                let last = rest.next().unwrap();
                let ours = if inside.starts_with('?') { matches!((&*inside, last), ("?25" | "?2026", 'h' | 'l')) } else { "HABCDmJ".contains(last) };
                assert!(ours, "{what}: ESC [ {inside} {last}");
                continue;
            }
            let moves = c.is_control() && !matches!(c, '\r' | '\u{8}');
            let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            assert!(!moves && !hides, "{what}: {c:?}");
        }
        assert!(!isolated, "{what}: an isolate goes on beyond the frame");
    }

    /// What frames the panes stands where it was put, whatever stands before it in the line.
    fn assert_aligned(sent: &[u8], drawn: &ratatui::buffer::Buffer, what: &str) {
        let mut parser = vt100::Parser::new(drawn.area.height, drawn.area.width, 0);
        parser.process(sent);
        let mut frames = 0;
        for y in 0..drawn.area.height {
            for x in 0..drawn.area.width {
                let symbol = drawn[(x, y)].symbol();
                if matches!(symbol, "│" | "╮" | "╯" | "╭" | "╰" | "|") {
                    frames += 1;
                    let shown = parser.screen().cell(y, x).unwrap().contents();
                    assert_eq!(shown, symbol, "{what} at {x},{y}:\n{}", parser.screen().contents());
                }
            }
        }
        assert!(frames > 4, "{what} has frames");
    }

    fn look(state: &mut State, what: &str) {
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let (sent, drawn) = bytes(state, width, height);
            let what = format!("{what} at {width}x{height}");
            assert!(sent.len() < 400_000, "{what}: {} bytes", sent.len());
            assert_ours(&String::from_utf8(sent.clone()).unwrap(), &what);
            assert_aligned(&sent, &drawn, &what);
        }
    }

    fn told(state: &mut State) {
        let name = names().concat();
        let short: String = name.chars().take(3000).collect();
        state.update(Msg::Done { words: format!("did {short}"), result: Ok(()) });
        state.update(Msg::Done { words: String::new(), result: Err(format!("{short} failed")) });
        let mut detail = Detail { row: rows().live[2].clone(), timeline: vec![], outcomes: vec![], audit: vec![] };
        detail.audit.push(AuditRow {
            at: now(),
            actor: short.clone(),
            source: short.clone(),
            action: short.clone(),
            details: sqlx::types::Json(serde_json::json!({ "why": short })),
        });
        detail.outcomes.push(OutcomeRow {
            id: 1,
            call_id: detail.row.id,
            value: None,
            previous: None,
            note: short.clone(),
            who: Who::Operator,
            by: short,
            at: now(),
            undoes: None,
            callback_at: None,
        });
        state.update(Msg::Detail(Box::new(detail)));
    }

    #[test]
    fn no_name_gets_through_a_room_or_a_dialog_to_the_terminal() {
        let mut s = blank();
        s.update(Msg::Data(Box::new(rows())));
        s.live = Some(rows().live[2].id);
        told(&mut s);
        let rooms: Vec<&str> = TABLE.iter().filter(|k| matches!(k.action, Action::Focus(_))).filter_map(|k| k.keys.first().copied()).collect();
        assert!(rooms.len() >= 4);
        for key in &rooms {
            press(&mut s, key);
            look(&mut s, key);
            press(&mut s, key);
            look(&mut s, &format!("{key} twice"));
            press(&mut s, "\u{1b}\u{1b}\u{1b}");
        }
        press(&mut s, "Lgj");
        for keys in ["?", ":", ":jane", "!", "\n", "n", "H", "N", "/x", "i/tmp\t", "w", "q", "3", "4", "u", "Cx", "Ce", "CD", "Ew"] {
            press(&mut s, keys);
            s.update(Msg::Why { title: names()[0].clone(), lines: names() });
            look(&mut s, &format!("dialog {keys:?}"));
            for _ in 0..4 {
                s.now += Duration::seconds(1);
                s.update(Msg::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)));
            }
            told(&mut s);
        }
    }

    #[test]
    fn no_name_gets_through_lines() {
        let mut lines = Lines::new(blank(), false);
        let mut said = lines.hear(Msg::Data(Box::new(snapshot()))).lines;
        lines.plain.state.now += Duration::seconds(1);
        said.extend(lines.hear(Msg::Data(Box::new(rows()))).lines);
        said.extend(lines.hear(Msg::Why { title: names()[0].clone(), lines: names() }).lines);
        for line in ["calls", "queue", "campaigns", "status", "note 3", "stop 3", "", "tag 3", ""] {
            said.extend(lines.hear(Msg::Paste(line.to_owned())).lines);
        }
        told(&mut lines.plain.state);
        said.extend(lines.tick().lines);
        assert!(said.len() > 30, "{said:?}");
        for line in said {
            assert!(line.chars().count() <= 2001);
            assert_ours(&line, &line);
            assert!(!line.contains('\u{1b}') && !line.contains(['\r', '\u{8}']), "{line:?}");
        }
    }
}
