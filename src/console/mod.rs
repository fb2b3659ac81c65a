//! The screen: terminal in and out, and the loop between them. Drawing has this thread, input
//! another; the engine and the listener never wait for either.
//!
//! ```text
//! input thread --Msg--> update (pure) --Effect--> perform (tokio) --Msg--> update ... view -> terminal
//! loader (bell) --Msg--^
//! ```
//!
//! A **key** is one row of the table in `keys`: dispatch, footer, help, palette and keys.toml read it. A plain one
//! touches 3 files (`keys`, `acts/mod`, its act); one with a dialog 4 (`keys`, `acts/mod`, `dialogs/mod`, the
//! dialog); a **room** 3 (`keys`, `rooms/mod`, the room; `acts/mod` if it has keys of its own). What asks the
//! database for something new touches `message` and `perform` beside.

mod acts;
mod alarms;
mod alerts;
mod ansi;
mod arranging;
pub mod charts;
mod commands;
mod country;
mod data;
mod dialogs;
mod edges;
mod editor;
mod export;
mod farewell;
mod fuzzy;
mod happened;
mod keeping;
pub mod kept;
mod keymap;
mod keys;
mod layout;
mod lead;
mod leaving;
mod lists;
mod mailbox;
mod marks;
mod message;
mod moments;
mod mouse;
mod moving;
mod notes;
pub mod notify;
pub mod outside;
mod paint;
mod perform;
mod place;
pub mod plain;
mod possible;
pub mod question;
mod remedies;
pub mod report;
mod rights;
mod rooms;
mod rows;
mod saying;
mod search;
mod session;
pub mod setup;
mod snapshot;
mod state;
mod steps;
mod story;
pub mod symbols;
mod tagging;
mod terminal;
mod text;
pub mod theme;
mod typing;
mod update;
mod view;
pub mod waiting;
mod watching;
pub mod why;
mod widgets;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

pub use data::{look, rest};
pub use kept::SessionOptions;
pub use keymap::KeyMap;
pub use keys::{Action, Key, Pane, TABLE};
pub use leaving::{Drain, Keeper, Leaving};
pub use message::{Counted, Detail, Effect, Msg, Preview};
pub use outside::Outside;
pub use paint::Painter;
pub use question::{Answer, LawToday, Question, answer};
pub use session::begin;
pub use snapshot::{CampaignView, Snapshot};
pub use state::State;
pub use terminal::in_lines;
pub use theme::{Depth, Theme, ThemeError};
pub use view::draw;

use kept::Kept;

use crate::{
    clock::SharedClock,
    desk::{Actor, Desk},
    domain::{role::Role, zone::Zone},
    telemetry::Ring,
};

/// How the screen is to look and what the header says.
#[derive(Debug, Clone)]
pub struct ConsoleOptions {
    pub theme: String,
    pub color: String,
    pub read_only: bool,
    /// What whoever sits here may do.
    pub role: Role,
    /// How much of numbers is hidden at first: nothing, all but four digits, everything.
    pub mask: u8,
    /// From when on rows of the board are late.
    pub ages: crate::config::Ages,
    /// The telephone network is the built-in one.
    pub simulated: bool,
    /// What is to be known of the database or the clock, in a few words.
    pub known: Option<String>,
    /// Another process holds the engine: its words.
    pub following: tokio::sync::watch::Receiver<Option<String>>,
    /// Why this process must end, once a part of it has broken down.
    pub broken: tokio::sync::watch::Receiver<Option<String>>,
    pub themes_folder: PathBuf,
    /// Keys of one's own, over the table.
    pub keys_file: PathBuf,
    pub zone: Zone,
    /// Country of numbers written without +, for imports.
    pub region: Option<String>,
    /// What `/` is set to at first.
    pub filter: String,
    /// Nothing but letters of ASCII is drawn around what is shown.
    pub ascii: bool,
    /// The network, and files.
    pub outside: Option<Arc<dyn Outside>>,
    /// Lines instead of a screen.
    pub plain: bool,
    /// Why no webhooks reach this process: its port is taken.
    pub port: tokio::sync::watch::Receiver<Option<String>>,
    pub drain: Drain,
    /// Who keeps running without a screen; a demonstration cannot.
    pub keeper: Option<Keeper>,
    /// What is kept from one console to the next, and how alerts leave the screen.
    pub session: SessionOptions,
}

/// How the screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Leave at once; calls go on unsupervised.
    QuitNow,
    /// Dial no more, leave when the last call has ended.
    Drain,
    /// The program is to begin anew, with what was set.
    Again,
    /// SIGTERM.
    Terminated,
    /// A process of this number has everything now.
    Kept(u32),
    /// SIGHUP, end of input, or the screen is gone.
    TerminalGone,
    /// A part of the program that everything hangs on has broken down.
    Broken,
}

#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    #[error("the terminal cannot be used: {0}")]
    Terminal(std::io::Error),
    #[error("the screen broke down; it has been restored and the calls go on. The log has: {0}")]
    Panic(String),
}

/// Between two frames that show news: each moves every line of the events. A key is drawn sooner.
const FRAME: Duration = Duration::from_millis(250);
/// A key is drawn at once, but for what comes in a flood.
const KEY_FRAME: Duration = Duration::from_millis(4);

/// Runs the screen on this thread until the operator or the terminal ends it.
///
/// # Errors
/// When the terminal cannot be set up, or the screen broke down.
pub fn run(
    runtime: &tokio::runtime::Runtime,
    desk: &Desk,
    actor: Actor,
    ring: Ring,
    clock: &SharedClock,
    mut options: ConsoleOptions,
) -> Result<Ending, ConsoleError> {
    // Whoever sits here works over their own rows, whatever a question forgets to say.
    let desk = desk.of(actor.owner);
    let (send, receive) = mailbox::mailbox();
    let depth = Depth::detect(&options.color);
    let kept = options.session.kept.as_deref().map(Kept::load).unwrap_or_default();
    if let Some(theme) = kept.theme.clone().filter(|_| !options.session.theme_given) {
        options.theme = theme;
    }
    let wrong = theme::find(&options.theme, &options.themes_folder, depth).err();
    let theme = theme::load(&options.theme, &options.themes_folder, depth);
    let options = ConsoleOptions { ascii: options.ascii || symbols::ascii_only(), ..options };
    let mut state = open(options, actor.clone(), theme, clock.now());
    if let Some(why) = wrong {
        state.complain(format!("{why}; the theme is dark"));
    }
    let performer = perform::Performer::new(runtime.handle().clone(), desk.clone(), actor.clone(), send.clone(), &state.options);
    let first = session::begin(&mut state, &kept);
    runtime.spawn(data::keep_loading(desk, actor, ring, clock.clone(), performer.wants(), state.options.zone, send.clone()));
    terminal::watch_signals(runtime, send.clone());
    watch_breakdown(runtime, state.options.broken.clone(), send.clone());
    watch_words(runtime, state.options.following.clone(), send.clone());
    watch_words(runtime, state.options.port.clone(), send.clone());
    if state.options.plain {
        plain::watch_lines(send);
        return caught(|| plain::talk(state, &performer, &receive, clock));
    }
    let mut screen = terminal::Screen::enter().map_err(ConsoleError::Terminal)?;
    terminal::watch_input(send);
    let ended = caught(|| {
        for effect in first {
            carry_out(effect, &mut screen, &mut state, &performer);
        }
        main_loop(&mut screen, &mut state, &performer, &receive, clock)
    });
    screen.leave();
    leave_kept(&state, clock.now());
    tell_lost(&state);
    ended
}

/// The end of a loop, or that it broke down.
fn caught(talk: impl FnOnce() -> Ending) -> Result<Ending, ConsoleError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(talk)).map_err(|panic| {
        let words = crate::domain::text::of_panic(&*panic);
        tracing::error!(target: "console", "the screen broke down: {words}");
        ConsoleError::Panic(words)
    })
}

/// A state with its rooms and keys, as the loop begins with.
#[must_use]
pub fn open(options: ConsoleOptions, actor: Actor, theme: Theme, now: chrono::DateTime<chrono::Utc>) -> State {
    let mut state = State::new(options, actor, theme, now);
    state.fit_symbols();
    state.rooms = rooms::all();
    let (keys, wrong) = KeyMap::load(&state.options.keys_file);
    state.keys = keys;
    for why in wrong {
        tracing::warn!(target: "console", "{why}");
        state.complain(why);
    }
    state
}

/// Waits for any message, drains all that are ready, applies them, draws once if something changed.
fn main_loop(screen: &mut terminal::Screen, state: &mut State, performer: &perform::Performer, receive: &mailbox::Receiver, clock: &SharedClock) -> Ending {
    let mut dirty = true;
    let mut by_key = true;
    let mut drawn = Instant::now().checked_sub(FRAME).unwrap_or_else(Instant::now);
    loop {
        let gap = if by_key { KEY_FRAME } else { FRAME };
        if dirty && drawn.elapsed() >= gap {
            state.now = clock.now();
            crate::failpoint::reach("screen.frame");
            if let Err(e) = screen.draw(state) {
                tracing::warn!(target: "console", error = %e, "the screen is lost");
                return asked_end(state, receive);
            }
            drawn = Instant::now();
            (dirty, by_key) = (false, false);
        }
        if let Some(ending) = state.left() {
            return ending;
        }
        let wait = if dirty { gap.saturating_sub(drawn.elapsed()) } else { state.next_tick(clock.now()) };
        let messages = receive.take(wait);
        state.now = clock.now();
        if messages.is_empty() && !dirty {
            dirty = state.tick();
        }
        for msg in messages {
            by_key |= state.awaits(&msg);
            dirty |= state.shows(&msg);
            for effect in state.update(msg) {
                dirty |= matches!(effect, Effect::Leave(_));
                if let Some(ending) = carry_out(effect, screen, state, performer) {
                    return ending;
                }
            }
        }
        let bytes = state.alarms.take();
        if !bytes.is_empty()
            && let Err(e) = screen.send(&bytes)
        {
            tracing::warn!(target: "console", error = %e, "nobody is called: the terminal takes nothing");
        }
    }
}

/// What the terminal does itself; everything else is done elsewhere. An end ends the loop.
fn carry_out(effect: Effect, screen: &mut terminal::Screen, state: &mut State, performer: &perform::Performer) -> Option<Ending> {
    match effect {
        Effect::Leave(ending) => return state.leave(ending),
        Effect::Editor(text) => {
            let edited = screen.edit(&text);
            state.repaint = true;
            state.update(Msg::Edited(edited));
        }
        Effect::Mouse(on) => {
            if let Err(e) = screen.mouse(on) {
                state.complain(format!("the mouse cannot be used: {e}"));
            }
        }
        effect => performer.perform(effect),
    }
    None
}

/// Tags that were never written are named where they can be found.
fn tell_lost(state: &State) {
    for (call, tag) in &state.waiting {
        let outcome = tag.outcome.map_or("none", crate::domain::outcome::Outcome::label);
        tracing::error!(target: "console", %call, "a tag was not written before the screen ended: {} \"{outcome}\" ({})", tag.name, tag.why);
    }
}

/// The last look and the last changes; a screen that ends badly leaves them too.
fn leave_kept(state: &State, now: chrono::DateTime<chrono::Utc>) {
    let Some(path) = &state.options.session.kept else { return };
    let kept = Kept { seen_at: Some(now), ..session::kept(state) };
    if let Err(e) = kept.save(path) {
        tracing::warn!(target: "console", "{} cannot be written, the next screen begins as this one did: {e}", path.display());
    }
}

/// Which end somebody asked for while the screen stood still.
fn asked_end(state: &State, receive: &mailbox::Receiver) -> Ending {
    let asked = receive.take(Duration::ZERO).into_iter().find_map(|msg| match msg {
        Msg::Terminate => Some(Ending::Terminated),
        Msg::Broken => Some(Ending::Broken),
        _ => None,
    });
    asked.or(state.leaving.map(|l| l.ending)).unwrap_or(Ending::TerminalGone)
}

/// Words of other parts of the program stand on the screen as soon as they change.
fn watch_words(runtime: &tokio::runtime::Runtime, mut words: tokio::sync::watch::Receiver<Option<String>>, send: mailbox::Sender) {
    runtime.spawn(async move {
        while words.changed().await.is_ok() {
            send.tell(Msg::Resize);
        }
    });
}

/// The end of a part that everything hangs on ends the screen too.
fn watch_breakdown(runtime: &tokio::runtime::Runtime, mut broken: tokio::sync::watch::Receiver<Option<String>>, send: mailbox::Sender) {
    runtime.spawn(async move {
        if broken.wait_for(Option::is_some).await.is_ok() {
            send.tell(Msg::Broken);
            terminal::let_go();
        }
    });
}
