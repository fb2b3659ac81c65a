//! What the screen knows between two messages. Selection is by id, never by row: new rows do not
//! move the cursor.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Duration as Span, Timelike, Utc};

use super::{
    ConsoleOptions, Snapshot, Theme,
    dialogs::{Dialog, ImportDialog},
    message::{Detail, Msg, Pane},
};
use crate::{
    desk::Actor,
    domain::{
        call::State as CallState,
        id::{CallId, CampaignId},
        outcome::Outcome,
        phone,
    },
    store::PaneRow,
};

/// A line that tells what just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub text: String,
    pub error: bool,
    /// `None` stays until Esc.
    pub until: Option<DateTime<Utc>>,
}

/// What `u` takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    Tag { call: CallId, name: String, outcome: Option<Outcome>, previous: Option<Outcome>, at: DateTime<Utc> },
    PauseAll(Vec<CampaignId>),
}

pub struct State {
    pub options: ConsoleOptions,
    pub actor: Actor,
    pub theme: Theme,
    pub now: DateTime<Utc>,
    pub data: Snapshot,
    pub loaded: bool,
    pub data_error: Option<String>,
    pub focus: Pane,
    pub zoom: bool,
    pub campaign: Option<CampaignId>,
    pub live: Option<CallId>,
    pub queue: Option<CallId>,
    /// Lines scrolled up from the newest.
    pub log_scroll: usize,
    pub filter: String,
    pub follow: bool,
    pub to_tag_only: bool,
    pub auto_next: bool,
    /// 0 full numbers, 1 last four, 2 none.
    pub mask: u8,
    pub dialog: Option<Dialog>,
    pub dialog_opened: DateTime<Utc>,
    /// The import that runs, shown in the header when its dialog is closed.
    pub import: Option<ImportDialog>,
    /// A form whose campaign is being made.
    pub draft: Option<Box<super::dialogs::Form>>,
    pub toast: Option<Toast>,
    /// Tags on their way to the database.
    pub saving: HashMap<CallId, Option<Outcome>>,
    /// Campaign commands on their way: "pausing...".
    pub pending: HashMap<CampaignId, &'static str>,
    pub undo: Vec<Undo>,
    pub paused_all: Option<Vec<CampaignId>>,
    pub last_tag: Option<(char, DateTime<Utc>)>,
    pub ctrl_c: Option<DateTime<Utc>>,
    pub repaint: bool,
    /// The story of one call: the dialog's, or the wide screen's pane.
    pub detail: Option<Box<Detail>>,
    /// Whose story was asked for.
    pub shown: Option<CallId>,
    /// The screen has room for the detail pane.
    pub wide: bool,
    /// The screen is too small for anything but a line of figures.
    pub tiny: bool,
    /// Per minute: calls, answered and failed per cent.
    pub history: Vec<(i64, i64, i64, i64)>,
    ticked: (i64, u32),
}

/// Undo steps kept.
const UNDO: usize = 20;

impl State {
    #[must_use]
    pub fn new(options: ConsoleOptions, actor: Actor, theme: Theme, now: DateTime<Utc>) -> Self {
        let (mask, filter) = (options.mask, options.filter.clone());
        Self {
            options,
            actor,
            theme,
            now,
            data: Snapshot::default(),
            loaded: false,
            data_error: None,
            focus: Pane::Live,
            zoom: false,
            campaign: None,
            live: None,
            queue: None,
            log_scroll: 0,
            filter,
            follow: true,
            to_tag_only: false,
            auto_next: true,
            mask,
            dialog: None,
            dialog_opened: now,
            import: None,
            draft: None,
            toast: None,
            saving: HashMap::new(),
            pending: HashMap::new(),
            undo: Vec::new(),
            paused_all: None,
            last_tag: None,
            ctrl_c: None,
            repaint: false,
            detail: None,
            shown: None,
            wide: false,
            tiny: false,
            history: Vec::new(),
            ticked: (0, 0),
        }
    }

    /// How long nothing can change on the screen by time alone.
    #[must_use]
    pub fn next_tick(&self, now: DateTime<Utc>) -> Duration {
        if self.live_count() > 0 || self.toast.as_ref().is_some_and(|t| t.until.is_some()) {
            return Duration::from_millis(u64::from(1000 - now.timestamp_subsec_millis().min(999)));
        }
        Duration::from_secs(u64::from(60 - now.second().min(59)))
    }

    /// Time passed without a message: whether that shows.
    pub fn tick(&mut self) -> bool {
        if self.toast.as_ref().is_some_and(|t| t.until.is_some_and(|u| u <= self.now)) {
            self.toast = None;
            return true;
        }
        let shown = if self.live_count() > 0 { (self.now.timestamp(), 0) } else { (self.now.timestamp() / 60, 1) };
        std::mem::replace(&mut self.ticked, shown) != shown
    }

    /// Whether a message changes what is on the screen.
    #[must_use]
    pub fn shows(&self, msg: &Msg) -> bool {
        match msg {
            Msg::Data(new) => self.data_error.is_some() || !self.loaded || differs(&self.data, new),
            _ => true,
        }
    }

    /// Calls that may be on the line.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.data.live.iter().filter(|r| r.state.is_open()).count()
    }

    /// The live pane's rows: filtered, on call first, then ringing, dialling, ended.
    #[must_use]
    pub fn live_rows(&self) -> Vec<&PaneRow> {
        let mut rows: Vec<&PaneRow> = self.data.live.iter().filter(|r| self.passes(r)).filter(|r| !self.to_tag_only || wants_tag(r)).collect();
        rows.sort_by_key(|r| (group(r.state), since(r), r.id));
        rows
    }

    #[must_use]
    pub fn queue_rows(&self) -> Vec<&PaneRow> {
        self.data.to_tag.iter().filter(|r| self.passes(r)).collect()
    }

    /// The call that tags, notes and hang-ups go to.
    #[must_use]
    pub fn target(&self) -> Option<&PaneRow> {
        if let (Some(Dialog::Detail { call, .. }), Some(d)) = (&self.dialog, &self.detail)
            && d.row.id == *call
        {
            return Some(&d.row);
        }
        let (rows, id) = match self.focus {
            Pane::Outcomes => (self.queue_rows(), self.queue),
            _ => (self.live_rows(), self.live),
        };
        rows.into_iter().find(|r| Some(r.id) == id)
    }

    /// The campaign that commands go to: the selected one, or the selected call's when calls have
    /// the focus.
    #[must_use]
    pub fn target_campaign(&self) -> Option<&super::CampaignView> {
        let by_call = match self.focus {
            Pane::Live | Pane::Outcomes => self.target().map(|r| r.campaign_id),
            Pane::Campaigns | Pane::Logs => None,
        };
        let id = by_call.or(self.campaign)?;
        self.data.campaigns.iter().find(|c| c.row.id == id)
    }

    fn passes(&self, r: &PaneRow) -> bool {
        matches(
            &self.filter,
            &[
                ("name", &r.contact_name),
                ("number", &r.phone_number),
                ("campaign", &r.campaign_name),
                ("state", r.state.words()),
                ("outcome", r.outcome.map_or("untagged", Outcome::label)),
            ],
        )
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

    pub fn say(&mut self, text: impl Into<String>) {
        self.toast = Some(Toast { text: text.into(), error: false, until: Some(self.now + Span::seconds(10)) });
    }

    /// Stays until Esc: it has a way out to be read.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.toast = Some(Toast { text: text.into(), error: true, until: None });
    }

    pub fn open(&mut self, dialog: Dialog) {
        self.dialog_opened = self.now;
        self.dialog = Some(dialog);
    }

    pub fn remember(&mut self, step: Undo) {
        if self.undo.len() == UNDO {
            self.undo.remove(0);
        }
        self.undo.push(step);
    }

    /// Takes a new look at the rows; selections stay with their ids.
    pub fn take(&mut self, mut new: Snapshot) {
        if new.assistants.is_empty() {
            new.assistants = std::mem::take(&mut self.data.assistants);
        }
        // A row under the cursor is not taken away.
        if let Some(id) = self.live
            && !new.live.iter().any(|r| r.id == id)
            && let Some(old) = self.data.live.iter().find(|r| r.id == id)
        {
            new.live.push(old.clone());
        }
        self.note_history(&new);
        self.data = new;
        self.loaded = true;
        self.data_error = None;
        self.pending.clear();
        self.settle();
    }

    /// One point a minute, for the trends.
    fn note_history(&mut self, new: &Snapshot) {
        let minute = new.at.timestamp() / 60;
        let point = (minute, new.calls_per_minute, new.answered.unwrap_or(0), new.failed.unwrap_or(0));
        match self.history.last_mut() {
            Some(last) if last.0 == minute => *last = point,
            _ => self.history.push(point),
        }
        let drop = self.history.len().saturating_sub(60);
        self.history.drain(..drop);
    }

    /// Gives every pane a selection while it has rows.
    pub fn settle(&mut self) {
        let campaign = self.campaign.filter(|id| self.data.campaigns.iter().any(|c| c.row.id == *id));
        self.campaign = campaign.or_else(|| self.data.campaigns.first().map(|c| c.row.id));
        let rows = self.live_rows();
        let kept = self.live.and_then(|id| rows.iter().find(|r| r.id == id));
        // Following: an ended call that needs nothing more gives the cursor to the newest live one.
        let newest = || rows.iter().filter(|r| r.state.is_open()).max_by_key(|r| r.armed_at).or(rows.first()).map(|r| r.id);
        let stays = kept.is_some_and(|r| !self.follow || r.state.is_open() || wants_tag(r));
        self.live = if stays { self.live } else { newest() };
        let rows = self.queue_rows();
        let kept = self.queue.filter(|id| rows.iter().any(|r| r.id == *id));
        self.queue = kept.or_else(|| rows.first().map(|r| r.id));
    }
}

/// Two looks that draw the same.
fn differs(a: &Snapshot, b: &Snapshot) -> bool {
    a.live != b.live
        || a.to_tag != b.to_tag
        || a.log_count != b.log_count
        || a.health != b.health
        || a.kill_switch != b.kill_switch
        || a.answered != b.answered
        || a.failed != b.failed
        || a.calls_per_minute != b.calls_per_minute
        || a.last_failure != b.last_failure
        || a.sources.len() != b.sources.len()
        || a.assistants.len() != b.assistants.len()
        || a.campaigns.len() != b.campaigns.len()
        || a.campaigns.iter().zip(&b.campaigns).any(|(x, y)| {
            x.row.id != y.row.id
                || x.row.counts != y.row.counts
                || x.row.generation != y.row.generation
                || x.row.execution_status != y.row.execution_status
                || x.used_today != y.used_today
                || x.open != y.open
        })
}

/// An ended, answered call without an outcome.
#[must_use]
pub fn wants_tag(r: &PaneRow) -> bool {
    r.state.is_ended() && r.answered_at.is_some() && r.outcome.is_none()
}

fn group(state: CallState) -> u8 {
    match state {
        CallState::Answered => 0,
        CallState::Ringing => 1,
        CallState::Armed | CallState::Dialing => 2,
        CallState::Unknown => 3,
        CallState::Pending | CallState::Claimed => 4,
        _ => 5,
    }
}

/// Sort key in a group: the longest first, of ended ones the newest.
fn since(r: &PaneRow) -> i64 {
    match r.completed_at {
        Some(t) => -t.timestamp_millis(),
        None => r.answered_at.or(r.ringing_at).or(r.armed_at).map_or(i64::MAX, |t| t.timestamp_millis()),
    }
}

/// `text`, `!text`, `field:text`; several words must all hold.
#[must_use]
pub fn matches(filter: &str, fields: &[(&str, &str)]) -> bool {
    filter.split_whitespace().all(|word| {
        let (negated, word) = word.strip_prefix('!').map_or((false, word), |w| (true, w));
        let (name, text) = word.split_once(':').map_or((None, word), |(n, t)| (Some(n), t));
        let text = text.to_lowercase();
        let digits = text.chars().all(|c| c.is_ascii_digit());
        let found = fields.iter().filter(|(n, _)| name.is_none_or(|want| n.starts_with(want))).any(|(_, value)| {
            let value = value.to_lowercase();
            value.contains(&text) || (digits && value.replace(' ', "").contains(&text))
        });
        found != negated
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let fields = [("name", "Ana Lima"), ("number", "+12025550139"), ("campaign", "Q4 Sales"), ("state", "ended")];
        for (filter, want) in [
            ("", true),
            ("ana", true),
            ("0139", true),
            ("!ana", false),
            ("campaign:q4", true),
            ("name:q4", false),
            ("ana ringing", false),
            ("!ringing lima", true),
        ] {
            assert_eq!(matches(filter, &fields), want, "{filter}");
        }
    }
}
