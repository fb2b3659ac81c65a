//! What the screen knows between two messages. The cursor belongs to the operator: it sits on an id, and only
//! keys move it. What happens to that call moves the row, never the cursor to another.
//!
//! What is done with it stands elsewhere: `arranging` takes a new look at the rows, `moving` goes from room to room
//! and finds what a key is for, `moments` says when the screen is drawn again, `saying` how a thing is said on it.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use chrono::{DateTime, Utc};

use super::{
    ConsoleOptions,
    happened::Slot,
    kept::Session,
    keymap::KeyMap,
    keys::Pane,
    leaving::Leaving,
    lists::Lists,
    marks::Marks,
    message::Detail,
    notes::Notes,
    notify::Alarms,
    place::{Dialog, Room},
    snapshot::{Judged, Snapshot},
    steps::Returning,
    symbols::Symbols,
    theme::Theme,
};
use crate::{
    desk::{Actor, EntryId, TagCard, TaggingDesk},
    domain::{
        id::{CallId, CampaignId},
        outcome::Outcome,
    },
    telemetry::LogLine,
};

pub use super::steps::Undo;

/// What a room is to show when it is entered from elsewhere: it takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Every call with these words.
    Calls(String),
    /// All that is known of a number, and the name one came from.
    Number(String, String),
}

/// What is open over the screen.
pub struct Open {
    pub dialog: Box<dyn Dialog>,
    pub since: DateTime<Utc>,
    /// Esc was pressed on something typed: once more throws it away.
    pub leaving: bool,
}

/// A callback promised on a call that is not over: what was typed of its moment, which counts from the call's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    pub name: String,
    pub text: String,
}

/// A tag that waits until the database takes something again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    pub name: String,
    pub outcome: Option<Outcome>,
    pub since: DateTime<Utc>,
    pub why: String,
}

pub struct State {
    pub options: ConsoleOptions,
    pub actor: Actor,
    pub theme: Theme,
    pub keys: KeyMap,
    pub now: DateTime<Utc>,
    pub data: Snapshot,
    /// The newest look while the picture is held still, and since when.
    pub frozen: Option<(DateTime<Utc>, Option<Box<Snapshot>>)>,
    pub loaded: bool,
    pub data_error: Option<String>,
    pub focus: Pane,
    pub zoom: bool,
    /// Where one came from into rooms that are no panes, and whether those had the whole screen.
    pub trail: Vec<(Pane, bool)>,
    pub errand: Option<Errand>,
    /// A look at the network is on its way.
    pub looking: bool,
    pub campaign: Option<CampaignId>,
    pub live: Option<CallId>,
    pub queue: Option<CallId>,
    /// The line of the events under the cursor; none follows the newest.
    pub event: Option<EntryId>,
    /// Lines that the log's files have beyond those that are remembered.
    pub old_log: Vec<LogLine>,
    pub marks: Marks,
    pub lists: Lists,
    /// Events less grave than this are left out.
    pub log_level: tracing::Level,
    pub follow: bool,
    pub to_tag_only: bool,
    pub auto_next: bool,
    /// 0 full numbers, 1 last four, 2 none.
    pub mask: u8,
    pub dialog: Option<Open>,
    /// What was left with Esc and goes on.
    pub behind: Option<Box<dyn Dialog>>,
    pub rooms: Vec<Box<dyn Room>>,
    pub notes: Notes,
    /// Tags on their way to the database.
    pub saving: HashMap<CallId, Option<Outcome>>,
    /// Those of them that one key wrote: one step takes them back.
    pub together: BTreeSet<CallId>,
    pub promises: HashMap<CallId, Promise>,
    /// Calls tagged while they went on whose promise is being written: no tag of its own.
    pub kept: BTreeSet<CallId>,
    /// Campaign commands on their way: "pausing...".
    pub pending: HashMap<CampaignId, &'static str>,
    pub undo: Vec<Undo>,
    /// What was just taken back.
    pub returning: Returning,
    /// The campaign that was just made here: the cursor goes there.
    pub made: Option<String>,
    /// From here on the agent is taken to be sure, per cent.
    pub sure: u8,
    pub paused_all: Option<Vec<CampaignId>>,
    /// Commands typed before, newest last.
    pub typed: Vec<String>,
    /// Tags that the database did not take yet.
    pub waiting: BTreeMap<CallId, Waits>,
    pub session: Session,
    pub alarms: Alarms,
    /// Where and when the mouse clicked last.
    pub clicked: Option<(Pane, DateTime<Utc>)>,
    /// The pane whose view the wheel moved: it stays there until the cursor is moved.
    pub wheeled: Option<Pane>,
    /// The pane whose cursor a key has just moved: the view goes there.
    pub sought: Option<Pane>,
    pub last_tag: Option<(char, DateTime<Utc>)>,
    /// The cursor went on by itself: keys that tag wait until then.
    pub deaf_until: Option<DateTime<Utc>>,
    pub last_key: Option<DateTime<Utc>>,
    /// Moments of the last keys, for telling hands from a paste.
    pub burst: Vec<DateTime<Utc>>,
    pub ctrl_c: Option<DateTime<Utc>>,
    /// The end was asked for, and is waited for.
    pub leaving: Option<Leaving>,
    pub repaint: bool,
    /// The story of one call: the dialog's, or the wide screen's pane.
    pub detail: Option<Box<Detail>>,
    /// Whose story was asked for.
    pub shown: Option<CallId>,
    /// The head of the tagging desk, and the card of a call; and what was asked of them.
    pub judging: Option<(Box<TaggingDesk>, Option<Box<TagCard>>)>,
    pub judged: Option<Judged>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The first row shown of each pane, and how many are.
    pub sight: HashMap<Pane, (usize, usize)>,
    /// The first line of a story beside the board that is shown, and the last that can be.
    pub story: (usize, Cell<usize>),
    /// Rows of `data.live` and `data.to_tag` that are shown, in their order.
    pub(super) board: Vec<usize>,
    pub(super) line: Vec<usize>,
    /// The same of `data.campaigns`, and the lines of the events, oldest first.
    pub(super) roll: Vec<usize>,
    pub(super) log: Vec<Slot>,
    /// Rows moved while keys were pressed: their order is to be put right.
    pub(super) unsorted: bool,
    pub(super) ticked: (i64, u32),
}

/// From here a room has two columns.
pub const BESIDE: u16 = 120;
/// Undo steps kept.
const UNDO: usize = 20;
/// Below this nothing but a line of figures is drawn.
pub const SMALLEST: (u16, u16) = (60, 15);
/// From here detail and trends stand beside the panes.
pub const LARGE: (u16, u16) = (160, 40);

impl State {
    #[must_use]
    pub fn new(options: ConsoleOptions, actor: Actor, theme: Theme, now: DateTime<Utc>) -> Self {
        let mask = options.mask;
        let mut lists = Lists::default();
        if !options.filter.is_empty() {
            for pane in Pane::DECK.into_iter().filter(|p| p.has_calls()) {
                lists.at(pane).filter.clone_from(&options.filter);
            }
        }
        let session = Session::begin(now, options.read_only);
        let alarms = Alarms::new(options.session.notify, options.session.passthrough);
        Self {
            options,
            actor,
            theme,
            keys: KeyMap::default(),
            now,
            data: Snapshot::default(),
            frozen: None,
            loaded: false,
            data_error: None,
            focus: Pane::Live,
            zoom: false,
            trail: Vec::new(),
            errand: None,
            looking: false,
            campaign: None,
            live: None,
            queue: None,
            event: None,
            old_log: Vec::new(),
            marks: Marks::default(),
            lists,
            log_level: tracing::Level::INFO,
            follow: true,
            to_tag_only: false,
            auto_next: true,
            mask,
            dialog: None,
            behind: None,
            rooms: Vec::new(),
            notes: Notes::default(),
            saving: HashMap::new(),
            promises: HashMap::new(),
            kept: BTreeSet::new(),
            pending: HashMap::new(),
            undo: Vec::new(),
            returning: Returning::default(),
            made: None,
            sure: 90,
            paused_all: None,
            typed: Vec::new(),
            waiting: BTreeMap::new(),
            session,
            alarms,
            clicked: None,
            wheeled: None,
            sought: None,
            last_tag: None,
            deaf_until: None,
            last_key: None,
            burst: Vec::new(),
            ctrl_c: None,
            leaving: None,
            repaint: false,
            detail: None,
            shown: None,
            size: (120, 40),
            sight: HashMap::new(),
            story: (0, Cell::new(0)),
            together: BTreeSet::new(),
            judging: None,
            judged: None,
            board: Vec::new(),
            line: Vec::new(),
            roll: Vec::new(),
            log: Vec::new(),
            unsorted: false,
            ticked: (0, 0),
        }
    }

    /// The screen has room for the detail pane.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.size.0 >= LARGE.0 && self.size.1 >= LARGE.1
    }

    /// A call's story stands beside the board, on the deck or in the room.
    #[must_use]
    pub fn shows_story(&self) -> bool {
        let in_room = self.zoom && self.focus == Pane::Live && self.size.0 >= BESIDE;
        // Where the room of all calls is wide enough for a story it has one, too.
        let of_calls = self.focus == Pane::Calls && self.is_wide();
        in_room || of_calls || (!self.zoom && Pane::DECK.contains(&self.focus) && self.is_wide())
    }

    /// ASCII where the terminal has no more, whatever a theme asks for.
    pub fn fit_symbols(&mut self) {
        if self.options.ascii && !self.theme.symbols.ascii {
            self.theme.symbols = Symbols::fitting(&self.theme.symbols, true);
        }
    }

    /// The screen is too small for anything but a line of figures.
    #[must_use]
    pub fn is_tiny(&self) -> bool {
        self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1
    }

    /// A command that was used, for the up key and the head of the palette.
    pub fn typed_last(&mut self, line: &str) {
        const HISTORY: usize = 50;
        self.typed.retain(|l| l != line);
        self.typed.push(line.to_owned());
        let drop = self.typed.len().saturating_sub(HISTORY);
        self.typed.drain(..drop);
    }

    pub fn remember(&mut self, step: Undo) {
        if self.undo.len() == UNDO {
            self.undo.remove(0);
        }
        self.undo.push(step);
    }

    /// A tag that was written with others by one key: they are one step.
    pub fn remember_together(&mut self, step: Undo) {
        match self.undo.last_mut() {
            Some(Undo::Tags(steps)) => steps.push(step),
            _ => self.remember(Undo::Tags(vec![step])),
        }
    }
}
