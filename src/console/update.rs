//! What a message does: pure and synchronous. Dialog first, then pane, then global; what must be
//! done elsewhere goes out as effects.

use chrono::Duration as Span;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    Ending,
    dialogs::{self, Dialog, Form, ImportDialog},
    keys,
    message::{Action, Effect, Msg, Pane},
    state::{State, Undo, wants_tag},
    theme::{self, Depth},
};
use crate::domain::{
    campaign::Status,
    id::CallId,
    outcome::{self, Outcome},
};

/// The same outcome key again within this time is a held or pasted key.
const REPEAT: Span = Span::milliseconds(120);
/// A dialog takes no keys so soon after it opened: they were typed for the screen below.
const DEAF: Span = Span::milliseconds(250);
/// How long the same person may take a do-not-call back.
const DNC_UNDO: Span = Span::seconds(10);
const PAGE: isize = 10;

impl State {
    /// Applies one message; answers what is to be done.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = self.apply(msg);
        let wanted = self.target().map(|r| r.id);
        if self.wide && self.dialog.is_none() && wanted != self.shown {
            self.shown = wanted;
            effects.push(Effect::Show(wanted));
        }
        effects
    }

    fn apply(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Key(key) => return self.on_key(key),
            Msg::Paste(text) => {
                if let Some(input) = self.dialog.as_mut().and_then(Dialog::input) {
                    dialogs::insert(input, &text);
                }
            }
            Msg::Resize => {}
            Msg::Data(new) => self.take(*new),
            Msg::DataFailed(why) => self.data_error = Some(why),
            Msg::Tagged { call, name, outcome, previous, undone, result } => self.tagged(call, name, outcome, previous, undone, result),
            Msg::Done { words, result } => {
                self.pending.clear();
                match result {
                    Ok(()) => self.say(words),
                    Err(why) => self.complain(why),
                }
            }
            Msg::Created { words, result } => self.created(words, result),
            Msg::PausedAll(ids) => self.paused(ids),
            Msg::KillSwitch(on) => self.say(if on { "KILL SWITCH ON: nothing is dialled on any host" } else { "kill switch off" }),
            Msg::Why { title, lines } => self.open(Dialog::Words { title, lines }),
            Msg::Terms(campaign, name) => {
                self.pending.clear();
                if self.dialog.is_some() {
                    // Never over what somebody is typing into: a name there is no consent here.
                    self.complain(format!("\"{name}\" waits for the terms to be accepted: s again"));
                    return Vec::new();
                }
                self.open(Dialog::Terms { campaign, name, input: tui_input::Input::default() });
            }
            Msg::Detail(detail) => self.detail = Some(detail),
            Msg::Preview(preview) => {
                if let Some(Dialog::Import(dialog)) = &mut self.dialog {
                    dialog.take_preview(*preview);
                }
            }
            Msg::ImportProgress { bytes, size, rows } => self.with_import(|d| d.progress(bytes, size, rows)),
            Msg::ImportDone(result) => self.import_done(result),
            Msg::Terminate => return vec![Effect::Leave(Ending::Terminated)],
            Msg::Gone => return vec![Effect::Leave(Ending::TerminalGone)],
            Msg::Broken => return vec![Effect::Leave(Ending::Broken)],
        }
        Vec::new()
    }

    fn created(&mut self, words: String, result: Result<(), String>) {
        let draft = self.draft.take();
        match (result, draft) {
            (Ok(()), _) => self.say(words),
            (Err(why), Some(mut form)) if self.dialog.is_none() => {
                form.error = Some(why);
                self.open(Dialog::New(form));
            }
            (Err(why), _) => self.complain(why),
        }
    }

    fn with_import(&mut self, change: impl FnOnce(&mut ImportDialog)) {
        match (&mut self.dialog, &mut self.import) {
            (Some(Dialog::Import(d)), _) | (_, Some(d)) => change(d),
            _ => {}
        }
    }

    fn import_done(&mut self, result: Result<(String, crate::domain::contact::ImportReport), String>) {
        let running = self.import.take().is_some();
        match result {
            Ok((name, report)) if running => {
                self.say(format!("imported \"{name}\": {} contacts, {} duplicate, {} invalid", report.imported, report.duplicate, report.invalid));
            }
            Ok((_, report)) => self.with_import(|d| d.done(Ok(report))),
            Err(why) if running => self.complain(why),
            Err(why) => self.with_import(|d| d.done(Err(why))),
        }
    }

    fn paused(&mut self, ids: Vec<crate::domain::id::CampaignId>) {
        if ids.is_empty() {
            return self.say("no campaign was running");
        }
        self.say(format!("paused {} campaigns: no further dial. P or u resumes the same", ids.len()));
        self.paused_all = Some(ids.clone());
        self.remember(Undo::PauseAll(ids));
    }

    fn tagged(
        &mut self,
        call: CallId,
        name: String,
        outcome: Option<Outcome>,
        previous: Option<Outcome>,
        undone: bool,
        result: Result<Option<String>, String>,
    ) {
        self.saving.remove(&call);
        let promised = match result {
            Ok(promised) => promised,
            Err(why) => return self.complain(format!("{name}: {why}")),
        };
        for row in self.data.live.iter_mut().chain(self.data.to_tag.iter_mut()).filter(|r| r.id == call) {
            row.outcome = outcome;
        }
        let word = outcome.map_or("untagged", Outcome::label);
        if undone {
            return self.say(format!("{name} is \"{word}\" again"));
        }
        let promised = promised.map_or_else(String::new, |words| format!(", {words}"));
        self.say(format!("tagged {name} \"{word}\"{promised} - u undoes (10 s)"));
        let at = self.now;
        self.remember(Undo::Tag { call, name, outcome, previous, at });
    }

    fn on_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        if ctrl_c && self.ctrl_c.replace(self.now).is_some_and(|t| self.now - t < Span::seconds(2)) {
            return vec![Effect::Leave(Ending::Drain)];
        }
        if key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL) {
            self.say("not suspended: calls are live in this process. Detach with tmux or screen instead");
            return Vec::new();
        }
        if self.tiny && !matches!(keys::action(&key), Some(Action::PauseAll | Action::Quit)) {
            // Nothing that cannot be seen.
            return Vec::new();
        }
        if self.dialog.is_some() {
            let terms = matches!(self.dialog, Some(Dialog::Terms { .. }));
            let typing = !terms && self.dialog.as_mut().and_then(Dialog::input).is_some();
            if !typing && self.now - self.dialog_opened < DEAF && key.code != KeyCode::Esc {
                return Vec::new();
            }
            let chord = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
            if chord && !typing && key.code != KeyCode::Esc {
                return Vec::new();
            }
            return dialogs::on_key(self, key);
        }
        keys::action(&key).map_or_else(Vec::new, |action| self.act(action))
    }

    /// What an action of the main screen does.
    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-PAGE),
            Action::PageDown => self.step(PAGE),
            Action::Top => self.step(isize::MIN / 2),
            Action::Bottom => self.step(isize::MAX / 2),
            Action::NextPane => self.turn(1),
            Action::PreviousPane => self.turn(Pane::ALL.len() - 1),
            Action::Focus(pane) => self.focus = pane,
            Action::Escape => self.escape(),
            Action::Help => self.open(Dialog::Help { scroll: 0 }),
            Action::Filter => self.open(Dialog::Filter(tui_input::Input::new(self.filter.clone()))),
            Action::Command => self.open(Dialog::Command(tui_input::Input::default())),
            Action::Zoom => self.zoom = !self.zoom,
            Action::Follow => self.flip_follow(),
            Action::ToTagOnly => {
                self.to_tag_only = !self.to_tag_only;
                self.settle();
            }
            Action::AutoNext => {
                self.auto_next = !self.auto_next;
                self.say(if self.auto_next { "auto-next on" } else { "auto-next off" });
            }
            Action::Mask => self.mask = (self.mask + 1) % 3,
            Action::Theme => self.next_theme(),
            Action::Repaint => self.repaint = true,
            Action::Quit => return self.quit(),
            Action::Enter => return self.show_detail(),
            Action::Copy => return self.copy(),
            Action::Why => return self.target_campaign().map_or_else(Vec::new, |c| vec![Effect::Why(c.row.id)]),
            other => return self.change(other),
        }
        Vec::new()
    }

    /// Actions that change rows: none of them in read-only mode.
    fn change(&mut self, action: Action) -> Vec<Effect> {
        if self.options.read_only {
            self.complain("read-only: nothing is changed from here");
            return Vec::new();
        }
        match action {
            Action::Tag(outcome) => self.tag(Some(outcome)),
            Action::ClearTag => self.tag(None),
            Action::Undo => self.take_back(),
            Action::Note => self.ask_note(),
            Action::HangUp => self.ask_hangup(),
            Action::Start => self.start(),
            Action::PauseResume => self.pause_resume(),
            Action::Stop => self.ask_stop(),
            Action::PauseAll => self.pause_all(),
            Action::New => {
                let model = if self.focus == Pane::Campaigns { self.target_campaign().map(|c| &c.row) } else { None };
                let form = Form::new(&self.data, self.options.zone, model);
                self.open(Dialog::New(Box::new(form)));
                Vec::new()
            }
            Action::Import => {
                let dialog = self.import.take().unwrap_or_default();
                self.open(Dialog::Import(dialog));
                Vec::new()
            }
            Action::Delete => self.ask_delete(),
            _ => Vec::new(),
        }
    }

    fn step(&mut self, by: isize) {
        let moved = |ids: Vec<_>, at: Option<_>| {
            let here = ids.iter().position(|i| Some(*i) == at).unwrap_or(0);
            let to = here.saturating_add_signed(by).min(ids.len().saturating_sub(1));
            ids.get(to).copied()
        };
        match self.focus {
            Pane::Campaigns => {
                let ids: Vec<_> = self.data.campaigns.iter().map(|c| c.row.id).collect();
                let here = ids.iter().position(|i| Some(*i) == self.campaign).unwrap_or(0);
                self.campaign = ids.get(here.saturating_add_signed(by).min(ids.len().saturating_sub(1))).copied();
            }
            Pane::Live => {
                self.follow = false;
                self.live = moved(self.live_rows().iter().map(|r| r.id).collect(), self.live);
            }
            Pane::Outcomes => self.queue = moved(self.queue_rows().iter().map(|r| r.id).collect(), self.queue),
            Pane::Logs => {
                let top = self.data.logs.len().saturating_sub(1);
                self.log_scroll = self.log_scroll.saturating_add_signed(by.saturating_neg()).min(top);
            }
        }
    }

    fn turn(&mut self, by: usize) {
        let at = Pane::ALL.iter().position(|p| *p == self.focus).unwrap_or(0);
        self.focus = Pane::ALL[(at + by) % Pane::ALL.len()];
    }

    /// Out one level; never out of the program.
    fn escape(&mut self) {
        if self.toast.take().is_some() {
            return;
        }
        if !self.filter.is_empty() {
            self.filter.clear();
            return self.settle();
        }
        if self.to_tag_only {
            self.to_tag_only = false;
            return self.settle();
        }
        self.zoom = false;
    }

    fn flip_follow(&mut self) {
        self.follow = !self.follow;
        self.log_scroll = 0;
        self.say(if self.follow { "follow on" } else { "follow off" });
    }

    fn next_theme(&mut self) {
        let names = theme::names();
        let at = names.iter().position(|n| *n == self.theme.name).map_or(0, |i| (i + 1) % names.len());
        self.theme = theme::load(names[at], &self.options.themes_folder, Depth::detect(&self.options.color));
        self.say(format!("theme {}", names[at]));
    }

    fn quit(&mut self) -> Vec<Effect> {
        let live = self.live_count();
        if self.tiny && live > 0 {
            return vec![Effect::Leave(Ending::Drain)];
        }
        if live == 0 || self.options.following.borrow().is_some() {
            return vec![Effect::Leave(Ending::QuitNow)];
        }
        self.open(Dialog::Quit { live });
        Vec::new()
    }

    fn show_detail(&mut self) -> Vec<Effect> {
        if self.focus == Pane::Campaigns {
            return self.target_campaign().map_or_else(Vec::new, |c| vec![Effect::Why(c.row.id)]);
        }
        let Some(call) = self.target().map(|r| r.id) else { return Vec::new() };
        self.open(Dialog::Detail { call, scroll: 0 });
        self.shown = Some(call);
        vec![Effect::Show(Some(call))]
    }

    fn copy(&mut self) -> Vec<Effect> {
        let Some(number) = self.target().map(|r| r.phone_number.clone()) else { return Vec::new() };
        self.say("number copied (OSC 52)");
        vec![Effect::Copy(number)]
    }

    /// Sets or clears the target's outcome, at once on the screen and then in the database.
    pub(super) fn tag(&mut self, outcome: Option<Outcome>) -> Vec<Effect> {
        let digit = outcome.map_or('0', Outcome::digit);
        let held = self.last_tag.is_some_and(|(d, at)| d == digit && self.now - at < REPEAT);
        self.last_tag = Some((digit, self.now));
        let Some(row) = self.target().cloned() else { return Vec::new() };
        if held || self.saving.contains_key(&row.id) {
            return Vec::new();
        }
        let name = display_name(&row.contact_name, &row.phone_number);
        if let Some(o) = outcome
            && let Err(refusal) = outcome::allowed(o, row.state, row.answered_at.is_some())
        {
            self.complain(refusal.message);
            return Vec::new();
        }
        if outcome.is_none() && row.outcome.is_none() {
            self.say(format!("{name} has no tag"));
            return Vec::new();
        }
        if outcome == Some(Outcome::Callback) && !row.state.is_ended() {
            self.complain("a callback can be promised once the call has ended: tag it then");
            return Vec::new();
        }
        if outcome == Some(Outcome::Callback) {
            self.open(Dialog::Callback { call: row.id, name, previous: row.outcome, input: tui_input::Input::default(), error: None });
            return Vec::new();
        }
        self.send_tag(row.id, name, outcome, row.outcome, None)
    }

    pub(super) fn send_tag(
        &mut self,
        call: CallId,
        name: String,
        outcome: Option<Outcome>,
        previous: Option<Outcome>,
        callback_at: Option<chrono::DateTime<chrono::Utc>>,
    ) -> Vec<Effect> {
        self.saving.insert(call, outcome);
        if self.focus == Pane::Outcomes {
            self.next_in_queue(call);
        }
        vec![Effect::Tag { call, name, outcome, previous, callback_at }]
    }

    /// After a tag the cursor goes on to the oldest that is not on its way already, or without
    /// auto-next to the neighbour of the one that leaves.
    fn next_in_queue(&mut self, tagged: CallId) {
        let ids: Vec<CallId> = self.queue_rows().iter().map(|r| r.id).collect();
        let at = ids.iter().position(|i| *i == tagged).unwrap_or(0);
        let (first, then) = if self.auto_next { (&ids[..], &ids[..0]) } else { (&ids[at..], &ids[..at]) };
        let next = first.iter().chain(then).find(|i| **i != tagged && !self.saving.contains_key(i));
        self.queue = next.copied().or(self.queue);
    }

    fn take_back(&mut self) -> Vec<Effect> {
        match self.undo.pop() {
            None => {
                self.say("nothing to undo");
                Vec::new()
            }
            Some(Undo::PauseAll(ids)) => {
                self.paused_all = None;
                vec![Effect::ResumeAll(ids)]
            }
            Some(Undo::Tag { call, name, outcome: Some(Outcome::DoNotCall), previous, at }) => {
                if self.now - at > DNC_UNDO {
                    self.complain(format!("{name} stays on the do-not-call list: only an admin may lift it now"));
                    return Vec::new();
                }
                self.open(Dialog::UndoDoNotCall { call, name, previous });
                Vec::new()
            }
            Some(Undo::Tag { call, name, outcome, previous, .. }) => {
                self.saving.insert(call, previous);
                vec![Effect::UndoTag { call, name, previous, outcome, lift: false }]
            }
        }
    }

    fn ask_note(&mut self) -> Vec<Effect> {
        if let Some(row) = self.target() {
            let (call, name) = (row.id, display_name(&row.contact_name, &row.phone_number));
            let input = tui_input::Input::new(row.notes.clone());
            self.open(Dialog::Note { call, name, input });
        }
        Vec::new()
    }

    fn ask_hangup(&mut self) -> Vec<Effect> {
        let Some(row) = self.target() else { return Vec::new() };
        if row.state.is_ended() {
            let words = format!("the call has ended ({})", row.state.words());
            self.complain(words);
            return Vec::new();
        }
        let (call, name) = (row.id, display_name(&row.contact_name, &row.phone_number));
        self.open(Dialog::HangUp { call, name });
        Vec::new()
    }

    fn start(&mut self) -> Vec<Effect> {
        let Some((id, name, status)) = self.campaign_facts() else { return self.no_campaign() };
        match status {
            Status::Running => {
                self.say(format!("\"{name}\" is already running"));
                Vec::new()
            }
            Status::Paused => self.command(id, "resuming...", Effect::Resume(id, name)),
            Status::Idle | Status::Completed | Status::Error => self.command(id, "starting...", Effect::Start(id, name)),
        }
    }

    fn pause_resume(&mut self) -> Vec<Effect> {
        let Some((id, name, status)) = self.campaign_facts() else { return self.no_campaign() };
        match status {
            Status::Running => self.command(id, "pausing...", Effect::Pause(id, name)),
            Status::Paused => self.command(id, "resuming...", Effect::Resume(id, name)),
            Status::Idle | Status::Completed | Status::Error => {
                self.say(format!("\"{name}\" is {}: s starts it", status.as_str()));
                Vec::new()
            }
        }
    }

    fn command(&mut self, id: crate::domain::id::CampaignId, words: &'static str, effect: Effect) -> Vec<Effect> {
        self.pending.insert(id, words);
        vec![effect]
    }

    fn campaign_facts(&self) -> Option<(crate::domain::id::CampaignId, String, Status)> {
        self.target_campaign().map(|c| (c.row.id, c.row.name.clone(), c.row.execution_status))
    }

    fn no_campaign(&mut self) -> Vec<Effect> {
        self.say("no campaign yet: N makes one");
        Vec::new()
    }

    fn ask_stop(&mut self) -> Vec<Effect> {
        let Some(c) = self.target_campaign() else { return self.no_campaign() };
        let (campaign, name, live, left) = (c.row.id, c.row.name.clone(), c.row.counts.live, c.row.counts.pending);
        if matches!(c.row.execution_status, Status::Running | Status::Paused) {
            self.open(Dialog::Stop { campaign, name, live, left, sure: false });
        } else {
            let words = format!("\"{name}\" is {}: there is nothing to stop", c.row.execution_status.as_str());
            self.say(words);
        }
        Vec::new()
    }

    fn ask_delete(&mut self) -> Vec<Effect> {
        let Some((campaign, name, _)) = self.campaign_facts() else { return self.no_campaign() };
        self.open(Dialog::Delete { campaign, name, input: tui_input::Input::default() });
        Vec::new()
    }

    fn pause_all(&mut self) -> Vec<Effect> {
        let any = self.data.campaigns.iter().any(|c| c.row.execution_status == Status::Running);
        match self.paused_all.take().filter(|_| !any) {
            Some(ids) => {
                self.undo.retain(|u| !matches!(u, Undo::PauseAll(_)));
                vec![Effect::ResumeAll(ids)]
            }
            None => vec![Effect::PauseAll],
        }
    }

    /// How many calls wait for a tag.
    #[must_use]
    pub fn to_tag(&self) -> i64 {
        let shown = self.data.live.iter().filter(|r| wants_tag(r)).count();
        self.data.campaigns.iter().map(|c| c.row.counts.untagged).sum::<i64>().max(i64::try_from(shown).unwrap_or(0))
    }
}

/// A person's name, or the end of the number where there is none.
#[must_use]
pub fn display_name(name: &str, number: &str) -> String {
    if name.trim().is_empty() { crate::domain::text::tail(number) } else { name.to_owned() }
}
