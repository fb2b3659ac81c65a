//! The screen: terminal in and out, and the loop between them. Drawing has this thread, input
//! another; the engine and the listener never wait for either.
//!
//! ```text
//! input thread --Msg--> update (pure) --Effect--> perform (tokio) --Msg--> update ... view -> terminal
//! loader (bell) --Msg--^
//! ```

mod data;
mod dialogs;
mod keys;
mod message;
mod panes;
mod perform;
mod state;
mod terminal;
mod theme;
mod update;
mod view;

use std::{
    path::PathBuf,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

pub use data::{CampaignView, Snapshot, look};
pub use keys::{Binding, TABLE};
pub use message::{Action, Detail, Effect, Msg, Pane};
pub use state::State;
pub use terminal::check_terminal;
pub use theme::{Depth, Theme, ThemeError};
pub use view::draw;

use crate::{
    clock::SharedClock,
    desk::{Actor, Desk},
    telemetry::Ring,
};

/// How the screen is to look and what the header says.
#[derive(Debug, Clone)]
pub struct ConsoleOptions {
    pub theme: String,
    pub color: String,
    pub read_only: bool,
    /// The telephone network is the built-in one.
    pub simulated: bool,
    pub supabase_hint: bool,
    /// Another process holds the engine: its words.
    pub following: tokio::sync::watch::Receiver<Option<String>>,
    pub themes_folder: PathBuf,
    pub zone: chrono_tz::Tz,
    /// Country of numbers written without +, for imports.
    pub region: Option<String>,
}

/// How the screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Leave at once; calls go on unsupervised.
    QuitNow,
    /// Dial no more, leave when the last call has ended.
    Drain,
    /// SIGTERM.
    Terminated,
    /// SIGHUP, end of input, or the screen is gone.
    TerminalGone,
}

#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    #[error("the terminal cannot be used: {0}")]
    Terminal(std::io::Error),
    #[error("the screen broke down; it has been restored and the calls go on. The log has: {0}")]
    Panic(String),
}

/// Between two frames that show news; a key is drawn sooner.
const FRAME: Duration = Duration::from_millis(100);
const KEY_FRAME: Duration = Duration::from_millis(12);

/// Runs the screen on this thread until the operator or the terminal ends it.
///
/// # Errors
/// When the terminal cannot be set up, or the screen broke down.
pub fn run(
    runtime: &tokio::runtime::Runtime,
    desk: Desk,
    actor: Actor,
    ring: Ring,
    clock: &SharedClock,
    options: ConsoleOptions,
) -> Result<Ending, ConsoleError> {
    let (send, receive) = mpsc::channel();
    let theme = theme::load(&options.theme, &options.themes_folder, Depth::detect(&options.color));
    let mut state = State::new(options, actor.clone(), theme, clock.now());
    let performer = perform::Performer::new(runtime.handle().clone(), desk.clone(), actor.clone(), send.clone(), state.options.region.clone());
    runtime.spawn(data::load_loop(desk, actor, ring, clock.clone(), performer.wants(), send.clone()));
    terminal::watch_signals(runtime, send.clone());
    let mut screen = terminal::Screen::enter().map_err(ConsoleError::Terminal)?;
    terminal::watch_input(send);
    let looped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| main_loop(&mut screen, &mut state, &performer, &receive, clock)));
    screen.leave();
    match looped {
        Ok(ending) => Ok(ending),
        Err(panic) => {
            let words = panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Err(ConsoleError::Panic(words))
        }
    }
}

/// Waits for any message, drains all that are ready, applies them, draws once if something changed.
fn main_loop(screen: &mut terminal::Screen, state: &mut State, performer: &perform::Performer, receive: &Receiver<Msg>, clock: &SharedClock) -> Ending {
    let mut dirty = true;
    let mut by_key = true;
    let mut drawn = Instant::now().checked_sub(FRAME).unwrap_or_else(Instant::now);
    loop {
        let gap = if by_key { KEY_FRAME } else { FRAME };
        if dirty && drawn.elapsed() >= gap {
            state.now = clock.now();
            if let Err(e) = screen.draw(state) {
                tracing::warn!(target: "console", error = %e, "the screen is lost");
                return Ending::TerminalGone;
            }
            drawn = Instant::now();
            (dirty, by_key) = (false, false);
        }
        let wait = if dirty { gap.saturating_sub(drawn.elapsed()) } else { state.next_tick(clock.now()) };
        let first = match receive.recv_timeout(wait) {
            Ok(msg) => Some(msg),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ending::TerminalGone,
        };
        state.now = clock.now();
        if first.is_none() && !dirty {
            dirty = state.tick();
        }
        for msg in first.into_iter().chain(std::iter::from_fn(|| receive.try_recv().ok())) {
            by_key |= matches!(msg, Msg::Key(_) | Msg::Resize | Msg::Paste(_));
            dirty |= state.shows(&msg);
            for effect in state.update(msg) {
                if let Effect::Leave(ending) = effect {
                    return ending;
                }
                performer.perform(effect);
            }
        }
    }
}

/// Tells the loop something, if it still listens.
fn tell(send: &Sender<Msg>, msg: Msg) {
    // The loop ends before its tellers do.
    drop(send.send(msg));
}
