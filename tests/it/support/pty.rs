//! The real program in a real pseudo-terminal: keys in, screen out.

use std::{
    io::{Read, Write},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

pub struct Pty {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    bytes: Arc<Mutex<Vec<u8>>>,
    size: (u16, u16),
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Pty {
    /// Over a home that outlives it, and nothing else of the environment.
    pub fn start(home: &Path, args: &[&str], (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.args(args);
        command.env_clear();
        command.cwd(home);
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        let child = pair.slave.spawn_command(command).unwrap();
        let (mut reader, keys) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = bytes.clone();
        std::thread::spawn(move || {
            let mut chunk = vec![0u8; 65536];
            while let Ok(n @ 1..) = reader.read(&mut chunk) {
                kept.lock().unwrap().extend_from_slice(&chunk[..n]);
            }
        });
        Self { child, keys, bytes, size: (columns, rows), _master: pair.master }
    }

    pub fn screen(&self) -> String {
        let mut parser = vt100::Parser::new(self.size.1, self.size.0, 0);
        parser.process(&self.bytes.lock().unwrap());
        parser.screen().contents()
    }

    pub fn until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !holds(&self.screen()) {
            assert!(Instant::now() < end, "no {what} on:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Until these words stand on the screen, however they are broken, and a dialog that has just opened takes keys.
    pub fn wait_for(&self, text: &str) {
        self.until(text, |shown| flat(shown).contains(text));
        std::thread::sleep(Duration::from_millis(300));
    }

    fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types, and waits until it shows.
    pub fn press(&mut self, keys: &str, shows: &str) {
        self.send(keys);
        self.until(shows, |screen| screen.contains(shows));
    }

    /// Types, and waits as hands do.
    pub fn key(&mut self, keys: &str) {
        self.send(keys);
        std::thread::sleep(Duration::from_millis(300));
    }

    /// Field after field, each with Enter: what comes faster than hands is a paste, and Enter in one is no key.
    pub fn fill(&mut self, fields: &[&str]) {
        for text in fields {
            self.key(text);
            self.key("\r");
        }
    }

    /// Whether these bytes were ever sent to the terminal.
    pub fn said(&self, bytes: &str) -> bool {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).contains(bytes)
    }

    /// Leaves by its key; all that was ever sent.
    pub fn quit(mut self) -> String {
        // An Esc before it is a key of its own.
        std::thread::sleep(Duration::from_millis(300));
        self.send("q");
        assert_eq!(self.child.wait().unwrap().exit_code(), 0);
        std::thread::sleep(Duration::from_millis(300));
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Words as they stand on the screen, however they were broken.
pub fn flat(shown: &str) -> String {
    let frames: &[char] = &['│', '▌', '▐', '╭', '╮', '╰', '╯', '─'];
    shown.replace(frames, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}
