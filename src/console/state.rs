//! What the screen knows between two messages. The cursor belongs to the operator: it sits on an id, and only
//! keys move it. What happens to that call moves the row, never the cursor to another.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use chrono::{DateTime, Duration as Span, Timelike, Utc};
use ratatui::style::Style;

use super::{
    ConsoleOptions,
    happened::{self, Line, Slot, Teller},
    kept::Session,
    keymap::KeyMap,
    keys::{Pane, Place},
    leaving::Leaving,
    lists::{self, Lists},
    marks::Marks,
    message::{Detail, Msg},
    notes::Notes,
    notify::Alarms,
    place::{Dialog, Room},
    remedies, rows,
    snapshot::{CampaignView, Judged, Snapshot},
    steps::Returning,
    symbols::Symbols,
    theme::Theme,
};
use crate::{
    desk::{Actor, EntryId, TagCard, TaggingDesk},
    domain::{
        id::{CallId, CampaignId},
        outcome::Outcome,
        phone,
    },
    store::PaneRow,
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
    board: Vec<usize>,
    line: Vec<usize>,
    /// The same of `data.campaigns`, and the lines of the events, oldest first.
    roll: Vec<usize>,
    log: Vec<Slot>,
    /// Rows moved while keys were pressed: their order is to be put right.
    unsorted: bool,
    ticked: (i64, u32),
}

/// From here a room has two columns.
pub const BESIDE: u16 = 120;
/// Undo steps kept.
const UNDO: usize = 20;
/// Rows keep their order so long after a key.
const CALM: Span = Span::seconds(1);
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

    /// How long nothing can change on the screen by time alone.
    #[must_use]
    pub fn next_tick(&self, now: DateTime<Utc>) -> Duration {
        let soon = self.deaf_until.into_iter().chain(self.last_key.filter(|_| self.unsorted).map(|t| t + CALM)).filter(|t| *t > now).min();
        let second = Duration::from_millis(u64::from(1000 - now.timestamp_subsec_millis().min(999)));
        let next = if self.data.live_count() > 0 || self.notes.is_fading() { second } else { Duration::from_secs(u64::from(60 - now.second().min(59))) };
        soon.and_then(|t| (t - now).to_std().ok()).map_or(next, |s| s.min(next))
    }

    /// Time passed without a message: whether that shows.
    pub fn tick(&mut self) -> bool {
        let mut shows = self.notes.tick(self.now);
        shows |= self.deaf_until.take_if(|t| *t <= self.now).is_some();
        if self.unsorted && !self.is_busy() {
            self.arrange();
            shows = true;
        }
        let clock = if self.data.live_count() > 0 { (self.now.timestamp(), 0) } else { (self.now.timestamp() / 60, 1) };
        shows | (std::mem::replace(&mut self.ticked, clock) != clock)
    }

    /// Whether a message changes what is on the screen.
    #[must_use]
    pub fn shows(&self, msg: &Msg) -> bool {
        match msg {
            Msg::Data(_) if self.frozen.is_some() => false,
            Msg::Data(new) => self.data_error.is_some() || !self.loaded || !self.data.looks_like(new),
            _ => true,
        }
    }

    /// Whether somebody waits for a message: a key, and the answer to one, is drawn at once; news in its turn.
    #[must_use]
    pub fn awaits(&self, msg: &Msg) -> bool {
        match msg {
            Msg::Data(_) | Msg::DataFailed(_) | Msg::ImportProgress { .. } | Msg::Theme(..) | Msg::TagWaits { .. } => false,
            // The card of another call than the one that stands there.
            Msg::Judging(_, card) => {
                let shown = |card: Option<&TagCard>| card.map(|c| c.call.call.id);
                shown(card.as_deref()) != self.judging.as_ref().and_then(|j| shown(j.1.as_deref()))
            }
            _ => true,
        }
    }

    /// The place under the focus where some keys have a meaning of their own.
    #[must_use]
    pub fn scope(&self) -> Option<Place> {
        match self.focus {
            Pane::Outcomes => self.zoom.then_some(Place::TaggingDesk),
            pane if Pane::DECK.contains(&pane) => None,
            pane => Some(Place::Room(pane)),
        }
    }

    /// The live pane's rows as they stand.
    #[must_use]
    pub fn live_rows(&self) -> Vec<&PaneRow> {
        self.board.iter().filter_map(|i| self.data.live.get(*i)).collect()
    }

    #[must_use]
    pub fn queue_rows(&self) -> Vec<&PaneRow> {
        self.line.iter().filter_map(|i| self.data.to_tag.get(*i)).collect()
    }

    #[must_use]
    pub fn campaign_rows(&self) -> Vec<&CampaignView> {
        self.roll.iter().filter_map(|i| self.data.campaigns.get(*i)).collect()
    }

    /// Lines of the events that are shown, oldest first.
    #[must_use]
    pub fn event_rows(&self) -> Vec<Line<'_>> {
        self.log.iter().filter_map(|slot| Line::of(*slot, &self.data, &self.old_log)).collect()
    }

    /// Events from a level on are shown.
    pub fn log_from(&mut self, level: tracing::Level) {
        self.log_level = level;
        self.arrange();
        self.say(format!("the events show {}", happened::shown(level)));
    }

    /// A line of the events by its row: the newest is the first.
    #[must_use]
    pub fn event_row(&self, row: usize) -> Option<Line<'_>> {
        Line::of(*self.log.get(self.log.len().checked_sub(row + 1)?)?, &self.data, &self.old_log)
    }

    /// How many lines the level shows, whatever the filter leaves of them.
    #[must_use]
    pub fn event_count(&self) -> usize {
        let logs = self.data.logs.iter().map(Line::Log).chain(self.old_log.iter().map(Line::Old));
        let facts = self.data.happened.iter().map(|e| Line::Fact(e));
        logs.chain(facts).filter(|l| l.is_shown(self.log_level)).count()
    }

    /// How lines of the events are told here.
    #[must_use]
    pub fn teller(&self) -> Teller {
        Teller { mask: self.mask, zone: self.options.zone, now: self.data.at }
    }

    #[must_use]
    pub fn room(&self, pane: Pane) -> Option<&dyn Room> {
        self.rooms.iter().find(|r| r.pane() == pane).map(AsRef::as_ref)
    }

    /// Lets a room act on the state, itself among it.
    pub fn with_room<T>(&mut self, pane: Pane, act: impl FnOnce(&mut dyn Room, &mut Self) -> T) -> Option<T> {
        let at = self.rooms.iter().position(|r| r.pane() == pane)?;
        let mut room = self.rooms.remove(at);
        let out = act(room.as_mut(), self);
        self.rooms.insert(at, room);
        Some(out)
    }

    /// Gives a room the focus; one that is no pane is left by the way that led to it.
    pub fn go(&mut self, pane: Pane) {
        if Pane::DECK.contains(&pane) {
            self.trail.clear();
        } else if pane != self.focus {
            // Never around in circles.
            let known = self.trail.iter().position(|(p, _)| *p == pane);
            self.trail.truncate(known.unwrap_or(self.trail.len()));
            if known.is_none() {
                self.trail.push((self.focus, self.zoom));
            }
        }
        self.focus = pane;
    }

    /// Back to where one came from; `false` on the deck.
    pub fn go_back(&mut self) -> bool {
        if Pane::DECK.contains(&self.focus) {
            return false;
        }
        (self.focus, self.zoom) = self.trail.pop().unwrap_or((Pane::Live, false));
        true
    }

    /// The calls that a tag goes to together, in the order of the list: marks hold where they are seen, and not over
    /// the story of one call.
    #[must_use]
    pub fn marked(&self) -> Vec<&PaneRow> {
        let marks = self.marks.of(self.focus);
        if marks.is_empty() || self.dialog.as_ref().is_some_and(|o| o.dialog.call(self).is_some()) {
            return Vec::new();
        }
        let mut calls = self.room(self.focus).map(|room| room.calls(self)).unwrap_or_default();
        calls.retain(|r| marks.contains(&r.id));
        calls
    }

    /// The call under the cursor, seen or not.
    #[must_use]
    pub fn selected(&self) -> Option<&PaneRow> {
        let of_dialog = self.dialog.as_ref().and_then(|o| o.dialog.call(self));
        of_dialog.or_else(|| self.room(self.focus)?.call(self))
    }

    /// The call that tags, notes and hang-ups go to: under the cursor, and on the screen.
    #[must_use]
    pub fn target(&self) -> Option<&PaneRow> {
        let over = self.dialog.as_ref().is_some_and(|o| o.dialog.call(self).is_some());
        self.selected().filter(|_| over || self.in_sight(self.focus))
    }

    /// Whether the row under a pane's cursor is on the screen.
    #[must_use]
    pub fn in_sight(&self, pane: Pane) -> bool {
        let (top, rows) = self.sight.get(&pane).copied().unwrap_or((0, usize::MAX));
        let at = self.room(pane).and_then(|r| r.list(self).0);
        at.is_some_and(|i| i >= top && i - top < rows)
    }

    /// The campaign that commands go to: the selected one, or the selected call's when calls have
    /// the focus.
    #[must_use]
    pub fn target_campaign(&self) -> Option<&CampaignView> {
        let of_call = if self.focus.has_calls() { self.target().map(|r| r.campaign_id) } else { None };
        self.data.campaign(of_call.or(self.campaign)?)
    }

    /// The colour of something so many seconds old, by the limits of its kind.
    #[must_use]
    pub fn late(&self, seconds: i64, (warn, error): (i64, i64), otherwise: &str) -> Style {
        self.theme.style(if seconds >= error {
            "error"
        } else if seconds >= warn {
            "warn"
        } else {
            otherwise
        })
    }

    /// A number as it may be shown.
    #[must_use]
    pub fn number(&self, e164: &str) -> String {
        match self.mask {
            0 => phone::spaced(e164),
            1 => crate::domain::text::tail(e164),
            _ => "hidden".to_owned(),
        }
    }

    /// A sentence of the desk or the engine, with this console's keys in the place of commands.
    #[must_use]
    pub fn in_keys(&self, text: &str) -> String {
        if self.options.plain { text.replace("`:", "`") } else { remedies::in_keys(&self.keys, text) }
    }

    pub fn say(&mut self, text: impl Into<String>) {
        self.notes.done(self.in_keys(&text.into()), self.now);
    }

    /// Why a key does nothing now.
    pub fn hint(&mut self, text: impl Into<String>) {
        self.notes.hint(self.in_keys(&text.into()), self.now);
    }

    /// Stays until Esc: it has a way out to be read.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.notes.wrong(self.in_keys(&text.into()), self.now);
    }

    pub fn open(&mut self, dialog: impl Dialog + 'static) {
        self.open_boxed(Box::new(dialog));
    }

    pub fn open_boxed(&mut self, dialog: Box<dyn Dialog>) {
        self.dialog = Some(Open { dialog, since: self.now, leaving: false });
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

    /// Calls that wait for a tag, of deleted campaigns too.
    #[must_use]
    pub fn to_tag(&self) -> i64 {
        let shown = self.data.live.iter().filter(|r| rows::wants_tag(r)).count();
        self.data.untagged().max(i64::try_from(shown).unwrap_or(0))
    }

    /// Takes a new look at the rows; the cursors stay on their ids.
    pub fn take(&mut self, mut new: Snapshot) {
        let made = self.newly_made(&new);
        if new.assistants.is_empty() && !new.lists {
            new.assistants = std::mem::take(&mut self.data.assistants);
        }
        if new.sources.is_empty() && !new.lists {
            new.sources = std::mem::take(&mut self.data.sources);
        }
        if new.head.is_none() {
            new.head = self.data.head.take();
        }
        // A row under the cursor is not taken away.
        if let Some(id) = self.live
            && !new.live.iter().any(|r| r.id == id)
            && let Some(old) = new.to_tag.iter().chain(&self.data.live).find(|r| r.id == id).cloned()
        {
            new.live.push(old);
        }
        let before = std::mem::replace(&mut self.data, new);
        let first = !std::mem::replace(&mut self.loaded, true);
        self.data_error = None;
        self.pending.clear();
        self.rearrange(&before);
        if first {
            self.begin();
        }
        if made.is_some() {
            (self.campaign, self.made) = (made, None);
        }
    }

    fn newly_made(&self, new: &Snapshot) -> Option<CampaignId> {
        let name = self.made.as_ref()?;
        let known = |id: CampaignId| self.data.campaign(id).is_some();
        new.campaigns.iter().find(|c| c.row.name == *name && !known(c.row.id)).map(|c| c.row.id)
    }

    /// The first look of all: the cursors stand on the first rows. Where no campaign is, the first question is what is
    /// missing until one can call.
    fn begin(&mut self) {
        if self.data.campaigns.iter().all(|c| c.row.manual) {
            self.go(Pane::Systems);
        }
        self.campaign = self.campaign_rows().first().map(|c| c.row.id);
        self.live = self.live_rows().first().map(|r| r.id);
        self.queue = self.queue_rows().first().map(|r| r.id);
    }

    /// Somebody pressed a key a moment ago: rows keep their places.
    fn is_busy(&self) -> bool {
        self.last_key.is_some_and(|t| self.now - t < CALM)
    }

    /// Orders the rows anew, after a filter changed or keys have rested.
    pub fn arrange(&mut self) {
        let (data, at) = (&self.data, self.data.at);
        self.board = self.lists.calls(Pane::Live, &data.live, at, |r| !self.to_tag_only || rows::wants_tag(r));
        self.line = self.lists.calls(Pane::Outcomes, &data.to_tag, at, |_| true);
        self.roll = self.lists.campaigns(data);
        self.log = self.lists.events(data, &self.old_log, self.log_level, &self.teller());
        self.unsorted = false;
        self.let_go();
        if let Some(call) = self.returning.call.take_if(|id| self.line.iter().any(|i| self.data.to_tag[*i].id == *id)) {
            self.queue = Some(call);
        }
    }

    /// The rows of a new look; while keys are pressed those that were there keep their places.
    fn rearrange(&mut self, before: &Snapshot) {
        let calls = |order: &[usize], all: &[PaneRow]| order.iter().filter_map(|i| all.get(*i)).map(|r| r.id).collect::<Vec<_>>();
        let (board, line) = (calls(&self.board, &before.live), calls(&self.line, &before.to_tag));
        let roll: Vec<CampaignId> = self.roll.iter().filter_map(|i| before.campaigns.get(*i)).map(|c| c.row.id).collect();
        self.arrange();
        if !self.is_busy() {
            return;
        }
        lists::hold(&mut self.board, &board, |i| self.data.live[i].id);
        lists::hold(&mut self.line, &line, |i| self.data.to_tag[i].id);
        lists::hold(&mut self.roll, &roll, |i| self.data.campaigns[i].row.id);
        self.unsorted = true;
    }

    /// A cursor whose row is gone stands on nothing.
    fn let_go(&mut self) {
        self.campaign = self.campaign.filter(|id| self.roll.iter().any(|i| self.data.campaigns[*i].row.id == *id));
        self.live = self.live.filter(|id| self.board.iter().any(|i| self.data.live[*i].id == *id));
        self.queue = self.queue.filter(|id| self.line.iter().any(|i| self.data.to_tag[*i].id == *id));
        let shown = |id: &CallId| self.data.live.iter().chain(&self.data.to_tag).any(|r| r.id == *id);
        self.marks.keep_on_deck(shown);
    }
}
