//! What a console in lines knows: the same state as the screen's, the numbers it gave, the question that stands,
//! and the lines and effects of this turn.

use std::collections::HashMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    ask::{Ask, Meaning},
    numbers::Numbers,
};
use crate::{
    console::{
        acts, dialogs,
        keys::{Action, Pane},
        message::{Effect, Msg},
        notes::{Note, Told},
        rows::display_name,
        state::State,
        tagging,
    },
    desk::promised_words,
    domain::{
        id::{CallId, CampaignId},
        outcome::{self, Outcome},
        text::{clean, tail},
    },
    store::{PaneRow, PromisedCall},
};

/// A line is never longer: a reader of screens reads it to its end.
const LONGEST: usize = 2000;

pub struct Plain {
    pub state: State,
    pub calls: Numbers<CallId>,
    pub campaigns: Numbers<CampaignId>,
    /// Calls of the past that were found.
    pub found: HashMap<CallId, PaneRow>,
    pub ask: Option<Ask>,
    /// Whose story was asked for.
    pub story: Option<CallId>,
    /// A line about a call that must be looked up first.
    pub waiting: Option<(CallId, String)>,
    /// The one that has just been looked up: what was found before may have changed since.
    pub fresh: Option<CallId>,
    /// A person types; else a program, whose lines are never too fast.
    by_hand: bool,
    lines: Vec<String>,
    effects: Vec<Effect>,
    told: Option<Told>,
    wrong: Option<Note>,
}

/// What a turn says, and wants done.
#[derive(Debug, Default)]
pub struct Said {
    pub lines: Vec<String>,
    pub effects: Vec<Effect>,
}

impl Plain {
    #[must_use]
    pub fn new(state: State, by_hand: bool) -> Self {
        Self {
            state,
            calls: Numbers::default(),
            campaigns: Numbers::default(),
            found: HashMap::new(),
            ask: None,
            story: None,
            waiting: None,
            fresh: None,
            by_hand,
            lines: Vec::new(),
            effects: Vec::new(),
            told: None,
            wrong: None,
        }
    }

    /// A line of this turn. Whatever is in it, it is one line and moves nothing.
    pub fn say(&mut self, text: impl AsRef<str>) {
        self.lines.push(clean(text.as_ref(), LONGEST));
    }

    pub fn wants(&mut self, effects: impl IntoIterator<Item = Effect>) {
        self.effects.extend(effects);
    }

    /// What the state tells of it: what was done, why it was not, what went wrong.
    pub fn tell_notes(&mut self) {
        let told = self.state.notes.told().cloned();
        if told != self.told
            && let Some(now) = &told
        {
            self.say(now.text.clone());
        }
        self.told = told;
        let wrong = self.state.notes.last_wrong().map(|(note, _)| note.clone());
        if wrong != self.wrong
            && let Some(now) = &wrong
        {
            self.say(format!("error: {}", now.text));
        }
        self.wrong = wrong;
    }

    /// The turn is over.
    pub fn said(&mut self) -> Said {
        Said { lines: std::mem::take(&mut self.lines), effects: std::mem::take(&mut self.effects) }
    }

    /// A call as it is known last.
    #[must_use]
    pub fn row(&self, call: CallId) -> Option<PaneRow> {
        let data = &self.state.data;
        data.live.iter().chain(&data.to_tag).find(|r| r.id == call).or_else(|| self.found.get(&call)).cloned()
    }

    /// Whether the newest look has it.
    #[must_use]
    pub fn is_shown(&self, call: CallId) -> bool {
        let data = &self.state.data;
        data.live.iter().chain(&data.to_tag).any(|r| r.id == call)
    }

    /// Number, name and the end of its number: enough to tell it from any other.
    pub fn name(&mut self, r: &PaneRow) -> String {
        let digits = if self.state.mask > 1 { String::new() } else { format!(" {}", tail(&r.phone_number)) };
        format!("{} {}{digits}", self.calls.of(r.id), display_name(r))
    }

    /// Does what the screen's key does, on the campaign that is named.
    pub fn act_on(&mut self, campaign: CampaignId, action: Action, ask: impl FnOnce(&State) -> Option<Ask>) {
        self.state.campaign = Some(campaign);
        self.state.focus = Pane::Campaigns;
        self.act(action, ask);
    }

    /// The same where nobody is named; a question that it opens is asked in lines.
    pub fn act(&mut self, action: Action, ask: impl FnOnce(&State) -> Option<Ask>) {
        let question = ask(&self.state);
        let effects = acts::act(&mut self.state, action);
        self.effects.extend(effects);
        if self.state.dialog.is_some()
            && let Some(question) = question
        {
            self.put(question);
        }
    }

    /// Puts a question.
    pub fn put(&mut self, ask: Ask) {
        for line in ask.lines() {
            self.say(line);
        }
        if let Some(open) = self.state.dialog.as_mut().filter(|_| !self.by_hand) {
            // A program does not type ahead by mistake.
            open.since -= chrono::Duration::seconds(1);
        }
        self.ask = Some(ask);
    }

    /// Whether a stop of this campaign is asked for.
    #[must_use]
    pub fn stops(&self, campaign: CampaignId) -> bool {
        matches!(self.ask, Some(Ask::Stop { .. })) && self.state.campaign == Some(campaign)
    }

    /// To whom the stop that is asked for breaks a promise, as the screen's question has it.
    pub fn say_not_kept(&mut self, promised: &[PromisedCall]) {
        if !promised.is_empty() {
            let zone = self.state.options.zone;
            let words = promised_words(promised, |t| t.with_timezone(&zone).format("%a %H:%M").to_string());
            self.say(format!("Not kept: {words}. The question before stands"));
        }
    }

    /// Whether anything may be changed from here; else says why not.
    pub fn may_write(&mut self) -> bool {
        if self.state.options.read_only {
            self.say("read-only: nothing is changed from here");
        }
        !self.state.options.read_only
    }

    /// Tags the call that is named.
    pub fn tag(&mut self, call: CallId, outcome: Option<Outcome>) {
        let Some(row) = self.row(call).filter(|_| self.may_write()) else { return };
        let name = display_name(&row);
        if self.state.saving.contains_key(&call) {
            return self.say(format!("{name}: the tag before is still being written"));
        }
        if let Some(refusal) = outcome.and_then(|o| outcome::allowed(o, row.state, row.answered_at.is_some()).err()) {
            return self.say(format!("{name}: {}", refusal.message));
        }
        if outcome == Some(Outcome::Callback) {
            self.state.open(dialogs::Callback::new(&row, name.clone()));
            return self.put(Ask::When { name });
        }
        if outcome.is_none() && row.outcome.is_none() {
            return self.say(format!("{name} has no tag"));
        }
        let effect = tagging::one(&mut self.state, call, name, outcome, row.outcome);
        self.effects.push(effect);
    }

    /// The next line answers the question that stands.
    pub fn answer(&mut self, text: &str) {
        let Some(ask) = self.ask.take() else { return };
        match (ask.means(text), &ask) {
            (Meaning::Leave, _) => {
                self.key(KeyCode::Esc);
                // What was typed into it goes with the second.
                if self.state.dialog.is_some() {
                    self.key(KeyCode::Esc);
                }
                return self.say("left as it is");
            }
            (Meaning::Nothing, _) => {
                self.say("that is none of the answers");
                return self.put(ask);
            }
            (Meaning::Key(digit), Ask::Outcome { call, .. }) => {
                let outcome = Outcome::ALL.into_iter().find(|o| o.digit() == digit);
                return self.tag(*call, outcome);
            }
            (Meaning::Key(key), _) => self.key(KeyCode::Char(key)),
            (Meaning::Text(text), _) => {
                for c in text.chars() {
                    self.key(KeyCode::Char(c));
                }
                self.key(KeyCode::Enter);
            }
        }
        if self.state.dialog.is_some() {
            self.ask_again(ask);
        }
    }

    /// The dialog stands still: it has another question, or the answer was wrong.
    fn ask_again(&mut self, ask: Ask) {
        let deaf = self.state.dialog.as_ref().is_some_and(|o| o.dialog.deaf() && self.state.now - o.since < chrono::Duration::milliseconds(250));
        match ask {
            Ask::Stop { name, live, .. } if !deaf && live > 0 => self.put(Ask::Sure { name, live }),
            ask @ Ask::When { .. } if !deaf => {
                self.say("that was not understood: nothing was changed");
                self.press(KeyCode::Char('u'), KeyModifiers::CONTROL);
                self.put(ask);
            }
            Ask::Switch { .. } if !deaf => {
                // A field keeps what was typed into it: the question is put anew.
                self.key(KeyCode::Esc);
                if self.state.dialog.is_some() {
                    self.key(KeyCode::Esc);
                }
                self.say("that was not understood: nothing was changed");
            }
            ask => {
                self.say("that came before the question could be read: once more");
                self.put(ask);
            }
        }
    }

    fn key(&mut self, code: KeyCode) {
        self.press(code, KeyModifiers::NONE);
    }

    fn press(&mut self, code: KeyCode, with: KeyModifiers) {
        if self.state.dialog.is_some() {
            let effects = self.state.update(Msg::Key(KeyEvent::new(code, with)));
            self.effects.extend(effects);
        }
    }
}
