//! What comes into the loop, and what goes out of it.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use crossterm::event::{KeyEvent, MouseEvent};

use super::{
    Ending,
    kept::Kept,
    outside::Fault,
    question::{Answer, Question},
    setup::{Done, Setup},
    snapshot::{Judged, Snapshot},
    theme::Theme,
};
use crate::{
    desk::{Recycle, TagCard, TaggingDesk},
    domain::{
        campaign::{ContactSource, Settings},
        contact::ImportReport,
        id::{AssistantId, CallId, CampaignId, ContactId, SourceId},
        outcome::Outcome,
        phone::PhoneNumber,
    },
    store::{AuditRow, EventRow, OutcomeRow, PaneRow},
};

/// What a finished form says.
#[derive(Debug, Clone, PartialEq)]
pub struct FormValues {
    /// The campaign it changes; `None` makes one.
    pub campaign: Option<CampaignId>,
    pub name: String,
    pub assistant: AssistantId,
    pub source: ContactSource,
    pub source_id: SourceId,
    pub prompt: String,
    pub agent_name: Option<String>,
    pub settings: Settings,
}

/// What happened.
#[derive(Debug)]
pub enum Msg {
    Key(KeyEvent),
    /// A click or the wheel; only where somebody asked for them.
    Mouse(MouseEvent),
    /// Pasted text: only an input takes it.
    Paste(String),
    Resize,
    Data(Box<Snapshot>),
    DataFailed(String),
    /// A tag was written, or not.
    Tagged {
        call: CallId,
        name: String,
        outcome: Option<Outcome>,
        previous: Option<Outcome>,
        undone: bool,
        /// With what is to be said of a promised callback.
        result: Result<Option<String>, String>,
    },
    /// A tag was not taken back.
    NotTakenBack {
        call: CallId,
        name: String,
        outcome: Option<Outcome>,
        previous: Option<Outcome>,
        why: String,
        /// It can still be.
        again: bool,
    },
    /// A tag could not be written for now: it is tried again.
    TagWaits {
        call: CallId,
        name: String,
        outcome: Option<Outcome>,
        why: String,
    },
    /// The file of a theme has changed: what it is now.
    Theme(String, Box<Result<Theme, String>>),
    /// The new campaign was made, or why not: then the form comes back as it was.
    Created {
        words: String,
        result: Result<(), String>,
    },
    /// A command was done, or refused in words.
    Done {
        words: String,
        result: Result<(), String>,
    },
    /// Lines at once were changed by so many: from how many to how many.
    Lines {
        campaign: CampaignId,
        name: String,
        by: i64,
        undone: bool,
        result: Result<(i64, i64), String>,
    },
    /// All running campaigns were paused.
    PausedAll(Vec<CampaignId>),
    /// The kill switch was turned.
    KillSwitch(bool),
    /// The answer to "why".
    Why {
        title: String,
        lines: Vec<String>,
    },
    /// A start was refused until somebody accepts the terms.
    Terms(CampaignId, String),
    Detail(Box<Detail>),
    /// The head of the tagging desk, and the card of the call under its cursor.
    Judging(Box<TaggingDesk>, Option<Box<TagCard>>),
    /// What was asked, and what is known of it.
    Answer(Question, Result<Answer, String>),
    /// What was to be set up, and what came of it.
    Setup(Setup, Result<Done, Fault>),
    Preview(Box<Preview>),
    ImportProgress {
        bytes: u64,
        size: u64,
        rows: u64,
    },
    ImportDone(Result<(String, ImportReport), String>),
    /// What an import would do, as far as the file is read.
    Counted(Box<Counted>),
    /// What came back from the editor.
    Edited(Result<String, String>),
    /// Who keeps running without a screen, or why nobody does.
    Kept(Result<u32, String>),
    /// SIGTERM.
    Terminate,
    /// The terminal is gone.
    Gone,
    /// The process must end.
    Broken,
}

/// A call with its story.
#[derive(Debug, Clone)]
pub struct Detail {
    pub row: PaneRow,
    pub timeline: Vec<EventRow>,
    pub outcomes: Vec<OutcomeRow>,
    /// What allowed it, and who did what to it.
    pub audit: Vec<AuditRow>,
}

/// The first look at a file to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub path: PathBuf,
    /// Header and the field it was taken for.
    pub columns: Vec<(String, Option<&'static str>)>,
    /// Columns that may say who must not be called: the operator must say before anything is imported.
    pub unclear: Vec<usize>,
    pub rows: Vec<Vec<String>>,
    pub error: Option<String>,
}

/// What an import would do, counted while somebody looks at its preview.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// Of this file, and this look at it.
    pub path: PathBuf,
    pub turn: u64,
    /// Of a hundred, while it goes on.
    pub percent: u64,
    pub rows: u64,
    pub done: Option<Result<ImportReport, String>>,
}

/// A list that contacts are imported into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntoList {
    pub table: ContactSource,
    pub id: SourceId,
    pub name: String,
    /// Contacts that it has.
    pub people: i64,
}

/// What the loop wants done elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Tag {
        call: CallId,
        name: String,
        outcome: Option<Outcome>,
        previous: Option<Outcome>,
        callback_at: Option<DateTime<Utc>>,
    },
    UndoTag {
        call: CallId,
        name: String,
        previous: Option<Outcome>,
        outcome: Option<Outcome>,
        lift: bool,
    },
    Note {
        call: CallId,
        note: String,
    },
    HangUp(CallId, String),
    /// Another attempt into the queue.
    Again(CallId, String),
    Start(CampaignId, String),
    /// Who accepts the terms, and the campaign to start then.
    AcceptTerms {
        person: String,
        campaign: CampaignId,
        name: String,
    },
    Pause(CampaignId, String),
    Resume(CampaignId, String),
    Stop {
        campaign: CampaignId,
        name: String,
        hang_up: bool,
    },
    Delete(CampaignId, String),
    /// More or fewer lines at once.
    Lines {
        campaign: CampaignId,
        name: String,
        by: i64,
        undone: bool,
    },
    Recycle(CampaignId, String, Recycle),
    DeleteList(ContactSource, SourceId, String),
    /// A number onto the do-not-call list, and whose it is.
    NeverCall {
        number: PhoneNumber,
        name: String,
    },
    /// A file of numbers onto it.
    ImportNumbers(PathBuf),
    EditContact {
        table: ContactSource,
        id: ContactId,
        /// Only what was changed of it.
        name: Option<String>,
        email: Option<String>,
        notes: Option<String>,
    },
    PauseAll,
    KillSwitch(bool),
    ResumeAll(Vec<CampaignId>),
    Why(CampaignId),
    Show(Option<CallId>),
    /// What the tagging desk wants to know, while it is open.
    Judge(Option<Judged>),
    Ask(Question),
    Setup(Setup),
    Create {
        values: Box<FormValues>,
        start: bool,
    },
    Preview(PathBuf),
    Import {
        path: PathBuf,
        mapping: Vec<(String, String)>,
        /// `None`: into a list of its own.
        into: Option<IntoList>,
    },
    CancelImport,
    /// What the import would do.
    Count {
        path: PathBuf,
        mapping: Vec<(String, String)>,
        into: Option<IntoList>,
        turn: u64,
    },
    StopCounting,
    /// What the next console is to begin with.
    Keep(Box<Kept>),
    /// The theme whose file is watched.
    Watch(String),
    /// Who it is that does things from here.
    Me(String),
    /// Whose numbers are written without +.
    Country(String),
    /// Events from this level on are wanted.
    LogLevel(tracing::Level),
    /// Clicks and the wheel are ours, or the terminal's own.
    Mouse(bool),
    /// A new file; never over one that is there.
    Write {
        path: PathBuf,
        text: String,
    },
    /// A text into the operator's own editor; it comes back as `Msg::Edited`.
    Editor(String),
    /// OSC 52, over SSH too.
    Copy(String),
    Leave(Ending),
    /// A process without a screen takes over: then this one leaves.
    KeepRunning,
}
