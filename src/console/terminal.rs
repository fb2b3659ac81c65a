//! The terminal itself: set up, drawn in one write a frame, watched for its end, and restored on
//! every way out.

use std::{
    fs::File,
    io::{BufWriter, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    sync::atomic::{AtomicBool, Ordering},
};

use crossterm::{
    cursor::{Hide, Show},
    event::{self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    queue,
    style::{ResetColor, force_color_output},
    terminal::{EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{
    Terminal,
    backend::{Backend, ClearType},
};
use rustix::{
    event::{PollFd, PollFlags},
    fs::OFlags,
};
use tokio::signal::unix::{SignalKind, signal};

use super::{editor, mailbox::Sender, message::Msg, paint::Painter, state::State, view};

/// Whether the screen is ours: the panic hook restores it only then.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Whether the console speaks in lines: where that was asked for, and in a terminal that cannot draw. A pipe that
/// nobody spoke of is refused: what dials must not be started by accident.
///
/// # Errors
/// When standard input or output is no terminal.
pub fn in_lines(asked: bool) -> Result<bool, String> {
    if asked {
        return Ok(true);
    }
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(std::env::var_os("TERM").is_some_and(|t| t == "dumb"));
    }
    Err("this is no terminal: use `dialdeck serve` for engine and listener without a screen, `--plain` for a console in lines, or a verb such as \
         `dialdeck campaign list`"
        .to_owned())
}

/// Somebody wants the screen's end: a terminal that does not read is waited for no longer.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Lets a screen go that stands still, after its end was asked for.
pub fn let_go() {
    LEAVING.store(true, Ordering::SeqCst);
}

/// The terminal, written without blocking: one that does not read (a frozen window, a stopped viewer)
/// would hold a blocked write for ever, and SIGTERM with it.
struct Patient(File);

impl Patient {
    /// How long a look for room takes, and how many without any are taken once the end was asked for.
    const LOOK: std::time::Duration = std::time::Duration::from_millis(100);
    const LOOKS: u32 = 5;

    fn open() -> std::io::Result<Self> {
        // Opened anew: not to block is a property that standard output shares with the shell.
        let again = File::options().write(true).custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0)).open("/proc/self/fd/1");
        again.or_else(|_| Ok(File::from(rustix::io::dup(rustix::stdio::stdout())?))).map(Self)
    }
}

/// Where a console in lines writes. A file is written where its shell opened it: opened anew it would begin again.
pub fn lines_out() -> Box<dyn Write> {
    let file = rustix::fs::fstat(rustix::stdio::stdout()).is_ok_and(|s| rustix::fs::FileType::from_raw_mode(s.st_mode).is_file());
    match Patient::open() {
        Ok(patient) if !file => Box::new(patient),
        _ => Box::new(std::io::stdout()),
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut looks = 0;
        loop {
            match self.0.write(bytes) {
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            looks += u32::from(LEAVING.load(Ordering::SeqCst));
            if looks > Self::LOOKS {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            // Whatever ends the wait, the write is what tells.
            let wait = rustix::time::Timespec { tv_sec: 0, tv_nsec: i64::from(Self::LOOK.subsec_nanos()) };
            let _ = rustix::event::poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], Some(&wait));
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The operator's editor has the terminal: keys are its own.
static LENT: AtomicBool = AtomicBool::new(false);

pub struct Screen {
    /// Never dropped: ratatui's drop prints to standard error, which panics on a dead terminal.
    terminal: std::mem::ManuallyDrop<Terminal<Painter<Patient>>>,
    left: bool,
}

impl Screen {
    pub fn enter() -> std::io::Result<Self> {
        // crossterm 0.29 under NO_COLOR turns every attribute into a bare reset; our themes decide.
        force_color_output(true);
        let out = Patient::open()?;
        enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        restore_on_panic();
        // One write a frame, however large: less tearing, and one round trip over SSH.
        let mut out = Painter::new(out);
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        std::io::Write::flush(&mut out)?;
        Ok(Self { terminal: std::mem::ManuallyDrop::new(Terminal::new(out)?), left: false })
    }

    pub fn draw(&mut self, state: &mut State) -> std::io::Result<()> {
        let size = self.terminal.size()?;
        state.resize(size.width, size.height);
        self.terminal.backend_mut().resized(size.width);
        if std::mem::take(&mut state.repaint) {
            // Not Terminal::clear, which asks the terminal for its cursor and may wait. The frame drawn
            // last is forgotten, so that the next is drawn whole.
            self.terminal.swap_buffers();
            self.terminal.backend_mut().forget();
            self.terminal.backend_mut().clear_region(ClearType::All)?;
        }
        self.terminal.draw(|frame| view::draw(frame, state)).map(drop)
    }

    /// Lends the terminal to the operator's editor; answers the text that was saved.
    pub fn edit(&mut self, text: &str) -> Result<String, String> {
        LENT.store(true, Ordering::SeqCst);
        // A look for keys that has begun takes no longer.
        std::thread::sleep(READ_AHEAD * 3);
        let lost = |e: std::io::Error| format!("the terminal cannot be lent: {e}");
        let out = self.terminal.backend_mut();
        let lent =
            queue!(out, ResetColor, DisableBracketedPaste, Show, LeaveAlternateScreen).and_then(|()| Write::flush(out)).and_then(|()| disable_raw_mode());
        let edited = lent.map_err(lost).and_then(|()| editor::edit(text, || LEAVING.load(Ordering::SeqCst)));
        let out = self.terminal.backend_mut();
        let back = enable_raw_mode().and_then(|()| queue!(out, EnterAlternateScreen, EnableBracketedPaste, Hide)).and_then(|()| Write::flush(out));
        out.forget();
        LENT.store(false, Ordering::SeqCst);
        back.map_err(lost).and(edited)
    }

    /// Gives the terminal back as it was.
    pub fn leave(&mut self) {
        if !std::mem::replace(&mut self.left, true) {
            restore();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Leaves the alternate screen, shows the cursor, ends raw mode. On a dead terminal nothing helps
/// and nothing is lost.
fn restore() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let_go();
    let written = || {
        let mut out = BufWriter::new(Patient::open()?);
        queue!(out, EndSynchronizedUpdate, ResetColor, DisableMouseCapture, DisableBracketedPaste, Show, LeaveAlternateScreen)?;
        out.flush()
    };
    if written().is_err() {
        // What it never read goes, so that this and the last words find room.
        let _ = rustix::termios::tcflush(rustix::stdio::stdout(), rustix::termios::QueueSelector::OFlush);
        drop(written());
    }
    drop(disable_raw_mode());
}

fn restore_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A task's panic must not tear the screen down; the drawing thread is main.
            if std::thread::current().name() == Some("main") {
                restore();
            }
            before(info);
        }));
    });
}

/// SIGTERM, SIGHUP and a new size become messages.
pub fn watch_signals(runtime: &tokio::runtime::Runtime, send: Sender) {
    runtime.spawn(async move {
        let signals = (signal(SignalKind::terminate()), signal(SignalKind::hangup()), signal(SignalKind::window_change()));
        let (Ok(mut term), Ok(mut hup), Ok(mut size)) = signals else { return };
        // Caught, so that a key typed into the editor neither ends nor stops the engine.
        let (Ok(mut int), Ok(mut suspend)) = (signal(SignalKind::interrupt()), signal(SignalKind::from_raw(SUSPEND))) else { return };
        let (Ok(mut quit), Ok(mut one), Ok(mut two)) = (signal(SignalKind::quit()), signal(SignalKind::user_defined1()), signal(SignalKind::user_defined2()))
        else {
            return;
        };
        loop {
            tokio::select! {
                // Once more ends at once: this goes on listening.
                _ = term.recv() => {
                    send.tell(Msg::Terminate);
                    let_go();
                }
                _ = hup.recv() => {
                    send.tell(Msg::Gone);
                    return let_go();
                }
                _ = int.recv() => {
                    if !LENT.load(Ordering::SeqCst) {
                        send.tell(Msg::Terminate);
                        let_go();
                    }
                }
                _ = quit.recv() => {
                    send.tell(Msg::Terminate);
                    let_go();
                }
                // They mean nothing here, and would end it with the terminal as it is.
                _ = one.recv() => {}
                _ = two.recv() => {}
                _ = suspend.recv() => {
                    editor::wake();
                    if !LENT.load(Ordering::SeqCst) {
                        send.tell(Msg::Key(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL)));
                    }
                }
                // The input thread waits on the terminal and hears nothing of its size.
                _ = size.recv() => send.tell(Msg::Resize),
            }
        }
    });
}

/// SIGTSTP.
const SUSPEND: i32 = 20;

/// How long crossterm looks for more input before the thread waits for good.
const READ_AHEAD: std::time::Duration = std::time::Duration::from_millis(10);

/// Keys that were there at once, with no time between them, were typed by no hand: more than these, or a few that would
/// tag in several ways. What begins with a key that opens a line to type in goes there.
fn is_paste(keys: &[KeyEvent]) -> bool {
    if keys.first().is_some_and(|k| matches!(k.code, KeyCode::Char('/' | ':'))) {
        return false;
    }
    let mut tags: Vec<KeyCode> = keys.iter().map(|k| k.code).filter(|c| matches!(c, KeyCode::Char('0'..='6'))).collect();
    tags.sort_unstable_by_key(|c| format!("{c:?}"));
    tags.dedup();
    keys.len() > 8 || (keys.len() > 3 && tags.len() > 1)
}

/// More than anybody types or pastes in one go.
const MOST: usize = 4096;

/// Reads keys on a thread of its own. The end of the terminal is seen by poll before crossterm,
/// which would spin on it for ever.
pub fn watch_input(send: Sender) {
    std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            loop {
                let (keys, then) = gathered(next_event);
                let told = if is_paste(&keys) { vec![Msg::Paste(pasted(&keys))] } else { keys.into_iter().map(Msg::Key).collect() };
                for msg in told.into_iter().chain(then) {
                    if matches!(msg, Msg::Gone) {
                        send.tell(msg);
                        return let_go();
                    }
                    if !send.send_key(msg) {
                        return;
                    }
                }
            }
        })
        .map_or_else(|e| tracing::error!(target: "console", error = %e, "no input thread"), drop);
}

/// Keys that came in one go, and what came behind them. Terminals without bracketed paste send a paste as keys:
/// it is told by its speed.
fn gathered(mut next: impl FnMut(bool) -> Option<Msg>) -> (Vec<KeyEvent>, Option<Msg>) {
    let mut keys = Vec::new();
    loop {
        match next(keys.is_empty()) {
            Some(Msg::Key(key)) if keys.len() < MOST => keys.push(key),
            then => return (keys, then),
        }
    }
}

/// What somebody pasted, as text.
fn pasted(keys: &[KeyEvent]) -> String {
    let letter = |k: &KeyEvent| match k.code {
        KeyCode::Char(c) => Some(c),
        KeyCode::Enter => Some('\n'),
        KeyCode::Tab => Some('\t'),
        _ => None,
    };
    keys.iter().filter_map(letter).collect()
}

/// The next event, waited for or only if it is there.
fn next_event(wait: bool) -> Option<Msg> {
    loop {
        // First what crossterm has read already: its buffer is not the terminal's. With `use-dev-tty` a
        // time-out of zero looks at nothing; without that feature a key after a resize is not seen, for
        // the resize returns before the (edge-triggered) readiness of the key is looked at.
        let look = if wait { READ_AHEAD } else { std::time::Duration::from_millis(1) };
        while !LENT.load(Ordering::SeqCst) && event::poll(look).unwrap_or(false) {
            match event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => return Some(Msg::Key(key)),
                Ok(Event::Paste(text)) => return Some(Msg::Paste(text)),
                Ok(Event::Resize(..)) => return Some(Msg::Resize),
                Ok(_) => {}
                Err(_) => return Some(Msg::Gone),
            }
        }
        if !wait {
            return None;
        }
        if LENT.load(Ordering::SeqCst) {
            std::thread::sleep(READ_AHEAD);
            continue;
        }
        let stdin = rustix::stdio::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        match rustix::event::poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Some(Msg::Gone),
        }
        let seen = fds[0].revents();
        if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            silence_stdin();
            return Some(Msg::Gone);
        }
    }
}

/// Puts a silent pipe over standard input, so that nothing spins on the dead terminal.
fn silence_stdin() {
    if let Ok((read, write)) = rustix::pipe::pipe() {
        if let Err(e) = rustix::stdio::dup2_stdin(&read) {
            tracing::warn!(target: "console", error = %e, "the dead terminal could not be put aside");
        }
        // Kept open for ever: an open, silent pipe is what makes reads wait.
        std::mem::forget(write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_come_in_one_go_are_kept_together() {
        let key = |c| Some(Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        let mut coming = vec![None, key('2'), key('1'), Some(Msg::Resize), key('b'), key('a')];
        let mut next = |_: bool| coming.pop().flatten();
        let (keys, then) = gathered(&mut next);
        assert!(pasted(&keys) == "ab" && matches!(then, Some(Msg::Resize)));
        let (keys, then) = gathered(&mut next);
        assert!(pasted(&keys) == "12" && then.is_none());
        let typed = |text: &str| is_paste(&text.chars().map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)).collect::<Vec<_>>());
        let said = ["j", "jk1", "jjjjjjjj", "Cjjs", "/0142\n", ":pause 12 34", "0142", "1234\n", "jjjjjjjjj"].map(typed);
        assert_eq!(said, [false, false, false, false, false, false, true, true, true]);
    }
}
