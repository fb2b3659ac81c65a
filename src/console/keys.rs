//! The one table of the console: every action once, with its keys, its name behind `:` and in keys.toml, its
//! group, where it works, what it needs, and its words. Dispatch, footer, help, palette and keys.toml read it.
//!
//! A plain key is added in three files: here (the action and its row), `acts/mod.rs` (its arm) and the act. One
//! with a dialog in four: here, `acts/mod.rs`, `dialogs/mod.rs` (its name) and the dialog. A room in three: here
//! (its letter), `rooms/mod.rs` (its name) and the room; `acts/mod.rs` if it has a key of its own. What asks the
//! database for something new adds an effect (`message.rs`) and its doing (`perform.rs`).

use crate::domain::{outcome::Outcome, system::Mend};

/// The rooms, each by its letter. Those of the deck stand on it as panes and take the whole screen when their
/// letter is pressed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    Campaigns,
    Live,
    Outcomes,
    Events,
    /// Every call ever.
    Calls,
    /// Lists, do-not-call, and what is known of one number.
    People,
    Systems,
}

impl Pane {
    /// The panes of the deck, in the order of Tab.
    pub const DECK: [Self; 4] = [Self::Campaigns, Self::Live, Self::Outcomes, Self::Events];

    /// Its cursor stands on calls: tags, notes and hang-ups go to one.
    #[must_use]
    pub fn has_calls(self) -> bool {
        matches!(self, Self::Live | Self::Outcomes | Self::Calls)
    }
}

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    StoryDown,
    StoryUp,
    Top,
    Bottom,
    NextPane,
    PreviousPane,
    Focus(Pane),
    Zoom,
    Enter,
    Story,
    Escape,
    Tag(Outcome),
    ClearTag,
    Undo,
    AgentsWords,
    AutoNext,
    ToTagOnly,
    Mark,
    MarkAll,
    Note,
    HangUp,
    Again,
    Copy,
    CopyRow,
    Start,
    PauseResume,
    Stop,
    Edit,
    MoreLines,
    FewerLines,
    Recycle,
    Why,
    New,
    Import,
    Delete,
    PauseAll,
    StopAll,
    Release,
    Filter,
    Sort,
    Reverse,
    Columns,
    Follow,
    Freeze,
    Mask,
    Theme,
    Bell,
    Alerts,
    Command,
    Help,
    Health,
    Report,
    ReadOnly,
    Repaint,
    Quit,
    /// What mends a system that is not ready.
    Mend(Mend),
}

/// What belongs together in help and palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Tags,
    Call,
    Campaign,
    Everything,
    Systems,
    Rooms,
    Moving,
    View,
    Program,
}

impl Group {
    pub const ALL: [Self; 9] = [Self::Tags, Self::Call, Self::Campaign, Self::Everything, Self::Rooms, Self::Systems, Self::Moving, Self::View, Self::Program];

    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Tags => "Tags",
            Self::Call => "The call",
            Self::Campaign => "The campaign",
            Self::Everything => "All campaigns",
            Self::Systems => "All systems (room A)",
            Self::Rooms => "Rooms",
            Self::Moving => "Moving",
            Self::View => "What is shown",
            Self::Program => "dialdeck",
        }
    }
}

/// Where a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Anywhere,
    /// Where the cursor stands on calls, and over the story of one.
    Calls,
    /// Where rows are filtered and sorted.
    Lists,
    /// As `Calls`; the key means this only at the tagging desk, and may mean another thing elsewhere.
    TaggingDesk,
    /// Anywhere by its name; the key means this only in that room, whatever it means elsewhere.
    Room(Pane),
}

impl Place {
    /// Where alone its key means this: there it goes before what the key means elsewhere.
    #[must_use]
    pub fn only(self) -> Option<Self> {
        matches!(self, Self::TaggingDesk | Self::Room(_)).then_some(self)
    }

    /// The words for help.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TaggingDesk => "tagging desk: ",
            Self::Room(_) | Self::Anywhere | Self::Calls | Self::Lists => "",
        }
    }
}

/// What must be there for an act to be possible now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Nothing,
    /// A call under the cursor, and on the screen.
    Call,
    /// One that is not over.
    OpenCall,
    /// One whose state allows this outcome.
    Taggable(Outcome),
    /// One with a tag.
    Tagged,
    /// A step that can be taken back.
    Step,
    Campaign,
    /// A campaign that does not run.
    Startable,
    /// One that runs or is paused.
    Begun,
    /// Something that runs, or what was paused together.
    Running,
    /// The kill switch is on, or off.
    KillSwitch(bool),
    /// One that is over, whose contact may be called again.
    Again,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub action: Action,
    /// Its name as a command and in keys.toml.
    pub name: &'static str,
    /// As they are written for people and in keys.toml; the first is the one shown.
    pub keys: &'static [&'static str],
    pub group: Group,
    pub place: Place,
    pub need: Need,
    /// It changes something: not under read-only.
    pub writes: bool,
    /// A word or two, for the footer.
    pub short: &'static str,
    pub words: &'static str,
}

const fn key(action: Action, name: &'static str, keys: &'static [&'static str], group: Group, short: &'static str, words: &'static str) -> Key {
    Key { action, name, keys, group, place: Place::Anywhere, need: Need::Nothing, writes: false, short, words }
}

impl Key {
    const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    const fn needs(self, need: Need) -> Self {
        Self { need, ..self }
    }

    const fn writes(self) -> Self {
        Self { writes: true, ..self }
    }
}

const fn tag(outcome: Outcome, name: &'static str, digit: &'static [&'static str], short: &'static str, words: &'static str) -> Key {
    key(Action::Tag(outcome), name, digit, Group::Tags, short, words).at(Place::Calls).needs(Need::Taggable(outcome)).writes()
}

const fn mend(mend: Mend, name: &'static str, keys: &'static [&'static str], short: &'static str, words: &'static str) -> Key {
    key(Action::Mend(mend), name, keys, Group::Systems, short, words).at(Place::Room(Pane::Systems))
}

/// Every action. Its order is that of help, footer and palette: what is used most first.
pub const TABLE: &[Key] = &[
    tag(Outcome::Interested, "interested", &["1"], "interested", "tag it interested"),
    tag(Outcome::NotInterested, "not-interested", &["2"], "not interested", "tag it not interested"),
    tag(Outcome::Callback, "callback", &["3"], "callback", "tag it callback (asks when)"),
    tag(Outcome::DoNotCall, "do-not-call", &["4"], "do not call", "do not call: at once, everywhere; hangs up"),
    tag(Outcome::Voicemail, "voicemail", &["5"], "voicemail", "tag it voicemail"),
    tag(Outcome::WrongNumber, "wrong-number", &["6"], "wrong number", "tag it wrong number"),
    key(Action::ClearTag, "clear", &["0"], Group::Tags, "clear", "clear the tag").at(Place::Calls).needs(Need::Tagged).writes(),
    key(Action::Undo, "undo", &["u"], Group::Tags, "undo", "take back the last tag, or pause of all").needs(Need::Step).writes(),
    key(Action::AgentsWords, "agents-words", &["A"], Group::Tags, "agent's words", "tag all the agent is sure of").at(Place::TaggingDesk).writes(),
    key(Action::AutoNext, "auto-next", &["a"], Group::Tags, "auto-next", "after a tag on to the oldest untagged call"),
    key(Action::ToTagOnly, "to-tag-only", &["t"], Group::Tags, "to tag only", "show only calls to tag"),
    key(Action::Enter, "open", &["Enter"], Group::Call, "story", "the call's story; elsewhere what it means"),
    key(Action::Story, "story", &["S"], Group::Call, "story", "the call's story, at the tagging desk too").at(Place::Calls).needs(Need::Call),
    key(Action::Note, "note", &["n"], Group::Call, "note", "note on the call").at(Place::Calls).needs(Need::Call).writes(),
    key(Action::HangUp, "hang-up", &["H"], Group::Call, "hang up", "hang up (asks)").at(Place::Calls).needs(Need::OpenCall).writes(),
    key(Action::Copy, "copy", &["y"], Group::Call, "copy", "copy the number").at(Place::Calls).needs(Need::Call),
    key(Action::CopyRow, "copy-row", &["Y"], Group::Call, "copy all", "copy the call as JSON").at(Place::Calls).needs(Need::Call),
    key(Action::Mark, "mark", &["Space"], Group::Call, "mark", "mark it; a tag then goes to all marked").at(Place::Calls).needs(Need::Call),
    key(Action::MarkAll, "mark-all", &["*"], Group::Call, "mark all", "mark all that are shown, or none again").at(Place::Calls),
    key(Action::Again, "again", &["r"], Group::Call, "again", "call this contact again (asks)").at(Place::Calls).needs(Need::Again).writes(),
    key(Action::PauseResume, "pause", &["p"], Group::Campaign, "pause", "pause or resume it").needs(Need::Begun).writes(),
    key(Action::Start, "start", &["s"], Group::Campaign, "start", "start or resume it").needs(Need::Startable).writes(),
    key(Action::Stop, "stop", &["x"], Group::Campaign, "stop", "stop it (asks)").needs(Need::Begun).writes(),
    key(Action::Edit, "edit", &["e"], Group::Campaign, "edit", "change hours, cap, lines, script, at once").needs(Need::Campaign).writes(),
    key(Action::MoreLines, "more-lines", &["+"], Group::Campaign, "more lines", "one line more at once").needs(Need::Campaign).writes(),
    key(Action::FewerLines, "fewer-lines", &["-"], Group::Campaign, "fewer lines", "one line less at once").needs(Need::Campaign).writes(),
    key(Action::Recycle, "recycle", &[], Group::Campaign, "recycle", "queue the unreached again (asks; r in C)").needs(Need::Campaign).writes(),
    key(Action::Why, "why", &["w"], Group::Campaign, "why", "why is it not dialling?").needs(Need::Campaign),
    key(Action::New, "new", &["N"], Group::Campaign, "new", "new campaign; in C, like the selected one").writes(),
    key(Action::Import, "import", &["i"], Group::Campaign, "import", "import contacts from a CSV file").writes(),
    key(Action::Delete, "delete", &["D"], Group::Campaign, "delete", "delete it (type its name)").needs(Need::Campaign).writes(),
    key(Action::PauseAll, "pause-all", &["P"], Group::Everything, "pause ALL", "pause all; again resumes the same ones").needs(Need::Running).writes(),
    key(Action::StopAll, "stop-all", &[], Group::Everything, "kill switch", "kill switch: no dial on any host (asks)").needs(Need::KillSwitch(false)).writes(),
    key(Action::Release, "release", &[], Group::Everything, "release", "release the kill switch (an admin; asks)").needs(Need::KillSwitch(true)).writes(),
    mend(Mend::Look, "look", &["r"], "look again", "look at the network, as doctor does"),
    mend(Mend::ReadOn, "details", &["d"], "all details", "every line and finding in full"),
    mend(Mend::SetLiveKit, "livekit", &["c"], "LiveKit", "set LiveKit's host, key and secret").writes(),
    mend(Mend::AddAssistant, "assistant", &["a"], "assistants", "assistants: add, change, delete").writes(),
    mend(Mend::AssignNumber, "number", &["n"], "number", "give a number to an assistant").writes(),
    mend(Mend::StartCampaign, "begin", &["s"], "start one", "start a campaign: asks which").writes(),
    mend(Mend::AcceptTerms, "terms", &["t"], "terms", "read and accept the terms").writes(),
    mend(Mend::OpenPlace, "law", &["o"], "law", "the law of places: what is closed"),
    key(Action::Focus(Pane::Campaigns), "campaigns", &["C"], Group::Rooms, "campaigns", "campaigns; twice: the whole screen"),
    key(Action::Focus(Pane::Live), "live", &["L"], Group::Rooms, "live calls", "live calls; twice: the whole screen"),
    key(Action::Focus(Pane::Outcomes), "outcomes", &["O"], Group::Rooms, "outcomes", "outcomes, to tag; twice: the whole screen"),
    key(Action::Focus(Pane::Events), "events", &["E"], Group::Rooms, "events", "events; twice: the whole screen"),
    key(Action::Focus(Pane::Calls), "calls", &["K"], Group::Rooms, "every call", "every call ever, found while you type"),
    key(Action::Focus(Pane::People), "people", &["B"], Group::Rooms, "people", "people: lists, do-not-call, one number"),
    key(Action::Focus(Pane::Systems), "systems", &["A"], Group::Rooms, "all systems", "all systems: what is ready, what mends it"),
    key(Action::NextPane, "next-pane", &["Tab", "l", "right"], Group::Rooms, "next", "the next pane"),
    key(Action::PreviousPane, "previous-pane", &["Shift-Tab", "h", "left"], Group::Rooms, "previous", "the pane before"),
    key(Action::Zoom, "zoom", &["z"], Group::Rooms, "whole screen", "this pane on the whole screen, and back"),
    key(Action::Escape, "back", &["Esc"], Group::Rooms, "back", "out one level; never out of the program"),
    key(Action::Down, "down", &["j", "down"], Group::Moving, "down", "down"),
    key(Action::Up, "up", &["k", "up"], Group::Moving, "up", "up"),
    key(Action::Top, "first", &["g", "Home"], Group::Moving, "first", "first row"),
    key(Action::Bottom, "last", &["G", "End"], Group::Moving, "last", "last row"),
    key(Action::PageDown, "page-down", &["PgDn", "Ctrl-d"], Group::Moving, "page down", "a page down"),
    key(Action::PageUp, "page-up", &["PgUp", "Ctrl-u"], Group::Moving, "page up", "a page up"),
    key(Action::StoryDown, "story-down", &["]"], Group::Moving, "story down", "what stands beside the list, down"),
    key(Action::StoryUp, "story-up", &["["], Group::Moving, "story up", "what stands beside the list, up"),
    key(Action::Filter, "filter", &["/"], Group::View, "find", "filter this list (! negates, field:value)"),
    key(Action::Follow, "follow", &["f"], Group::View, "follow", "keep the newest in sight"),
    key(Action::Freeze, "freeze", &["F"], Group::View, "freeze", "hold the picture still; calls go on"),
    key(Action::Sort, "sort", &["o"], Group::View, "sort", "sort by the next column").at(Place::Lists),
    key(Action::Reverse, "reverse", &["R"], Group::View, "reverse", "reverse the order").at(Place::Lists),
    key(Action::Columns, "columns", &["v"], Group::View, "columns", "choose columns").at(Place::Lists),
    key(Action::Mask, "mask", &["M"], Group::View, "mask", "hide numbers: but four digits, all, none"),
    key(Action::Theme, "theme", &["T"], Group::View, "theme", "themes, seen while you choose"),
    key(Action::Bell, "bell", &["b"], Group::View, "bell", "a bell with each alert"),
    key(Action::Alerts, "alerts", &["!"], Group::Program, "alerts", "all alerts and errors in full"),
    key(Action::Command, "command", &[":"], Group::Program, "command", "everything by its name"),
    key(Action::Help, "help", &["?"], Group::Program, "help", "all keys"),
    key(Action::Health, "health", &[], Group::Program, "health", "all systems: which work, and what to do"),
    key(Action::Report, "report", &[], Group::Program, "report", "write this shift to a file, and show it"),
    key(Action::ReadOnly, "readonly", &[], Group::Program, "read-only", "change nothing from here, and back"),
    key(Action::Repaint, "repaint", &["Ctrl-l"], Group::Program, "repaint", "draw the screen anew"),
    key(Action::Quit, "quit", &["q", "Ctrl-c"], Group::Program, "quit", "quit (asks with live calls)"),
];

/// Commands that take words: which, and what they do.
pub const WITH_WORDS: &[(&str, &str, &str)] = &[
    ("start", "NAME", "start or resume a campaign"),
    ("pause", "NAME", "pause a campaign, or all"),
    ("resume", "NAME", "resume a campaign, or all"),
    ("stop", "NAME", "stop a campaign, or all (asks)"),
    ("why", "NAME", "why is it not dialling?"),
    ("edit", "NAME", "change a campaign"),
    ("copy", "NAME", "a new campaign like that one"),
    ("listen", "", "listen in or transfer: not from here"),
    ("delete", "NAME", "delete a campaign (type its name)"),
    ("import", "FILE", "import contacts from a CSV file"),
    ("tag", "OUTCOME", "tag the call under the cursor"),
    ("export", "FILE [csv|json|xlsx]", "a campaign's calls with their results"),
    ("law", "PLACE", "the law of a country or state: DE, US-LA"),
    ("calls", "WORDS", "every call with these words, digits, fields"),
    ("person", "NUMBER", "all that is known of one number"),
    ("dnc", "NUMBER", "never call this number again (asks)"),
    ("allow", "NUMBER", "off the do-not-call list (an admin; asks why)"),
    ("country", "CC", "whose numbers are written without +: US, DE"),
    ("national", "FILE [DAY]", "a country's national do-not-call list"),
    ("backup", "FILE", "copy the database into a new file"),
    ("filter", "WORDS", "show only rows with these words"),
    ("sort", "COLUMN", "sort this list; -COLUMN the other way round"),
    ("columns", "NAMES", "show these columns of this list"),
    ("log", "LEVEL", "events from this level on"),
    ("me", "NAME", "who you are: tags and changes bear the name"),
    ("mouse", "on|off", "clicks and wheel, or the terminal's own"),
    ("report", "8h|today", "write the shift to a file, and show it"),
    ("write", "FILE", "write these rows to a new .csv or .json file"),
    ("theme", "NAME", "a theme by its name"),
];

/// The row of an action.
#[must_use]
pub fn row(action: Action) -> Option<&'static Key> {
    TABLE.iter().find(|k| k.action == action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_and_no_name_means_two_things() {
        let mut keys: Vec<(Option<Pane>, &str)> = Vec::new();
        for k in TABLE {
            let room = if let Place::Room(pane) = k.place { Some(pane) } else { None };
            let room = if k.place == Place::TaggingDesk { Some(Pane::Outcomes) } else { room };
            keys.extend(k.keys.iter().map(|key| (room, *key)));
        }
        keys.sort_by_key(|(room, key)| (format!("{room:?}"), *key));
        let n = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), n, "of one place");
        let mut names: Vec<&str> = TABLE.iter().map(|k| k.name).collect();
        let n = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n);
        for (i, k) in TABLE.iter().enumerate() {
            assert!(TABLE[i + 1..].iter().all(|other| other.action != k.action), "{} stands twice", k.name);
        }
    }

    /// Help and palette have this much room for them.
    #[test]
    fn no_words_are_too_long_to_be_read() {
        for k in TABLE {
            assert!(k.words.len() <= 43 && k.short.len() <= 14, "{}: {}", k.words, k.short);
        }
    }

    #[test]
    fn no_chord_that_tmux_or_screen_takes() {
        for k in TABLE.iter().flat_map(|k| k.keys).filter(|k| k.starts_with("Ctrl-")) {
            assert!(matches!(*k, "Ctrl-d" | "Ctrl-u" | "Ctrl-l" | "Ctrl-c"), "{k}");
        }
    }
}
