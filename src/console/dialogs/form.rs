//! The form of a campaign, new or to be changed: one page, later fields greyed, a summary at the end.

mod fields;
mod page;
mod values;

use chrono::{DateTime, Duration, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Frame, layout::Rect};
use tui_input::Input;

use fields::{Id, NAMES, Week};

pub use fields::Choice;

use super::AssistantForm;
use crate::{
    console::{
        message::{Effect, Msg},
        place::{Dialog, Next},
        question::{Answer, Question},
        rows::count,
        snapshot::Snapshot,
        state::State,
        text::{self, Text},
    },
    desk::Overlap,
    domain::{
        campaign::{ContactSource, Settings},
        id::{AssistantId, CampaignId, SourceId},
        schedule,
        zone::Zone,
    },
    store::CampaignRow,
};

/// Contacts that may be called: where from, how many, how many of them on do-not-call.
type Source = (ContactSource, SourceId, i64, i64);

#[derive(Debug)]
pub struct Form {
    at: usize,
    name: Input,
    hours: Input,
    zone: Input,
    cap: Input,
    at_once: Input,
    delay: Input,
    attempts: Input,
    assistant: Choice,
    contacts: Choice,
    week: Week,
    script: Text,
    assistants: Vec<AssistantId>,
    sources: Vec<Source>,
    /// The list that was asked about, since when it is today, and whom it has.
    asked: Option<(ContactSource, SourceId, DateTime<Utc>)>,
    overlap: Option<Overlap>,
    /// What the form does not ask for stays as it was.
    settings: Option<Settings>,
    agent_name: Option<String>,
    /// The campaign it changes, and its contacts, which stay.
    editing: Option<CampaignId>,
    kept: Option<(ContactSource, SourceId)>,
    /// What is wrong, and at which field; at the summary what the rows answered.
    error: Option<(Id, String)>,
    /// `S` was pressed: `y` dials.
    asking: bool,
    /// It was sent, and is being written.
    making: bool,
    touched: bool,
}

impl Form {
    /// An empty form, or one like a campaign there is, its name left to be given.
    pub fn new(data: &Snapshot, zone: Zone, model: Option<&CampaignRow>) -> Self {
        let input = |text: &str| Input::new(text.to_owned());
        let sources: Vec<Source> = data.sources.iter().map(|s| (s.source, s.id, s.contacts, s.do_not_call)).collect();
        // Two of one name are told apart by their day.
        let day = |s: &crate::store::SourceRow| s.created_at.with_timezone(&zone).format("%d %b %H:%M").to_string();
        let names = data.sources.iter().map(|s| format!("{} ({}, {})", s.name, count(s.contacts, "contact"), day(s))).collect();
        let mut form = Self {
            at: 0,
            name: Input::default(),
            hours: input("9-17"),
            zone: input(zone.name()),
            cap: input("100"),
            at_once: input("5"),
            delay: input("2000"),
            attempts: input(&Settings::defaults(zone).retry.max_attempts.to_string()),
            assistant: Choice { options: data.assistants.iter().map(|a| a.name.clone()).collect(), ..Choice::default() },
            contacts: Choice { options: names, ..Choice::default() },
            week: Week { on: [true, true, true, true, true, false, false], at: 0 },
            script: Text::new(""),
            assistants: data.assistants.iter().map(|a| a.id).collect(),
            sources,
            asked: None,
            overlap: None,
            settings: None,
            agent_name: None,
            editing: None,
            kept: None,
            error: None,
            asking: false,
            making: false,
            touched: false,
        };
        if let Some(model) = model {
            form.take(model);
        }
        form
    }

    /// The form of a campaign that is there, running or not.
    pub fn edit(data: &Snapshot, zone: Zone, row: &CampaignRow) -> Self {
        let mut form = Self::new(data, zone, Some(row));
        form.name = Input::new(row.name.clone());
        form.editing = Some(row.id);
        form.kept = row.source_id().map(|id| (row.contact_source, id));
        form
    }

    /// An empty form with its contacts chosen.
    pub fn with_list(data: &Snapshot, zone: Zone, list: SourceId) -> Self {
        let mut form = Self::new(data, zone, None);
        form.contacts.at = form.sources.iter().position(|s| s.1 == list).unwrap_or(0);
        form
    }

    fn take(&mut self, model: &CampaignRow) {
        let clock = |hour: i64, minute: i64| if minute == 0 { hour.to_string() } else { format!("{hour}:{minute:02}") };
        self.hours = Input::new(format!("{}-{}", clock(model.start_hour, model.start_minute), clock(model.end_hour, model.end_minute)));
        self.zone = Input::new(model.timezone.clone());
        self.cap = Input::new(model.daily_cap.to_string());
        self.at_once = Input::new(model.max_concurrent.to_string());
        self.delay = Input::new(model.call_delay_ms.to_string());
        self.attempts = Input::new(model.retry.0.max_attempts.to_string());
        self.script = Text::new(&model.campaign_prompt);
        self.assistant.at = self.assistants.iter().position(|a| *a == model.assistant_id).unwrap_or(0);
        self.contacts.at = self.sources.iter().position(|s| Some(s.1) == model.source_id()).unwrap_or(0);
        self.week.on = NAMES.map(|name| model.calling_days.0.iter().any(|d| d == name));
        self.agent_name.clone_from(&model.agent_name);
        self.settings = Some(model.settings());
    }

    /// Assistants that were made or deleted meanwhile; the one that is chosen stays.
    fn refresh(&mut self, data: &Snapshot) {
        let ids: Vec<AssistantId> = data.assistants.iter().map(|a| a.id).collect();
        if ids.is_empty() || ids == self.assistants {
            return;
        }
        let chosen = self.assistants.get(self.assistant.at).copied();
        self.assistant.options = data.assistants.iter().map(|a| a.name.clone()).collect();
        self.assistant.at = ids.iter().position(|id| Some(*id) == chosen).unwrap_or(0);
        self.assistants = ids;
    }

    fn here(&self) -> Id {
        Id::ALL[self.at]
    }

    fn field(&self, id: Id) -> Option<&Input> {
        match id {
            Id::Name => Some(&self.name),
            Id::Hours => Some(&self.hours),
            Id::Zone => Some(&self.zone),
            Id::Cap => Some(&self.cap),
            Id::AtOnce => Some(&self.at_once),
            Id::Delay => Some(&self.delay),
            Id::Attempts => Some(&self.attempts),
            Id::Assistant | Id::Contacts | Id::Days | Id::Script | Id::Summary => None,
        }
    }

    fn field_mut(&mut self) -> Option<&mut Input> {
        match self.here() {
            Id::Name => Some(&mut self.name),
            Id::Hours => Some(&mut self.hours),
            Id::Zone => Some(&mut self.zone),
            Id::Cap => Some(&mut self.cap),
            Id::AtOnce => Some(&mut self.at_once),
            Id::Delay => Some(&mut self.delay),
            Id::Attempts => Some(&mut self.attempts),
            Id::Assistant | Id::Contacts | Id::Days | Id::Script | Id::Summary => None,
        }
    }

    fn text(&self, id: Id) -> &str {
        self.field(id).map_or("", |input| input.value().trim())
    }

    fn go(&mut self, by: usize) {
        self.at = (self.at + by) % Id::ALL.len();
        self.error = None;
    }

    /// A key on the summary decides.
    fn decide(&mut self, state: &mut State, c: char) -> Next {
        let asked = std::mem::take(&mut self.asking);
        let wanted = match c {
            'c' => true,
            'S' => self.editing.is_none(),
            'y' => asked,
            _ => false,
        };
        if !wanted {
            return Next::stay();
        }
        let named = |v: super::super::message::FormValues| match state
            .data
            .campaigns
            .iter()
            .find(|other| other.row.name == v.name && Some(other.row.id) != self.editing)
        {
            Some(_) => Err((Id::Name, format!("there is a campaign \"{}\" already: which of the two would a key stop?", v.name))),
            None => Ok(v),
        };
        match self.values().and_then(named) {
            Ok(_) if c == 'S' => (self.asking, self.error) = (true, None),
            Ok(values) => {
                self.making = true;
                // Its maker goes on with it.
                state.made = self.editing.is_none().then(|| values.name.clone());
                return Next::Stay(vec![Effect::Create { values: Box::new(values), start: c == 'y' }]);
            }
            Err((id, why)) => {
                // The cursor goes to what is wrong.
                self.at = Id::ALL.iter().position(|i| *i == id).unwrap_or(self.at);
                self.error = Some((id, why));
            }
        }
        Next::stay()
    }

    fn choose(&mut self, key: KeyEvent) {
        if self.here() == Id::Contacts && self.kept.is_some() {
            self.error = Some((Id::Contacts, "a campaign keeps those it was made with".to_owned()));
            return;
        }
        let choice = if self.here() == Id::Assistant { &mut self.assistant } else { &mut self.contacts };
        match key.code {
            KeyCode::Left => choice.step(choice.options.len().saturating_sub(1)),
            KeyCode::Right => choice.step(1),
            KeyCode::Backspace => choice.typed.clear(),
            KeyCode::Char(c) => choice.find(c),
            _ => {}
        }
    }
}

impl Form {
    /// Whom the chosen list has, asked once for each.
    fn ask(&mut self, state: &State) -> Option<Effect> {
        let (table, list, ..) = *self.sources.get(self.contacts.at).filter(|_| self.editing.is_none())?;
        if self.asked.is_some_and(|(_, of, _)| of == list) {
            return None;
        }
        let today = schedule::next_day(state.options.zone, state.now - Duration::days(1));
        (self.asked, self.overlap) = (Some((table, list, today)), None);
        Some(Effect::Ask(Question::Overlap(table, list, today)))
    }

    fn pressed(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if self.making {
            return Next::stay();
        }
        if key.code == KeyCode::Enter && self.here() == Id::Assistant && self.assistants.is_empty() {
            let form = std::mem::replace(self, Self::new(&state.data, state.options.zone, None));
            return Next::Instead(Box::new(AssistantForm::sheet(Some(Box::new(form)))));
        }
        let script = self.here() == Id::Script;
        match (key.code, self.here()) {
            (KeyCode::Char(c), Id::Summary) => return self.decide(state, c),
            (KeyCode::Char('s'), _) if key.modifiers.contains(KeyModifiers::CONTROL) => return self.decide(state, 'c'),
            (KeyCode::Down, Id::Script) if self.script.can_go(true) => self.script.key(key),
            (KeyCode::Up, Id::Script) if self.script.can_go(false) => self.script.key(key),
            (KeyCode::Enter, Id::Script) if Text::is_new_line(&key) => self.script.key(key),
            (KeyCode::Tab | KeyCode::Enter | KeyCode::Down, _) => self.go(1),
            (KeyCode::BackTab | KeyCode::Up, _) => self.go(Id::ALL.len() - 1),
            (code, Id::Days) => self.week.key(code),
            (_, Id::Assistant | Id::Contacts) => self.choose(key),
            _ => {
                self.touched |= matches!(key.code, KeyCode::Char(_));
                if script {
                    self.script.key(key);
                } else if let Some(input) = self.field_mut() {
                    text::edit(input, key);
                }
            }
        }
        Next::stay()
    }
}

impl Dialog for Form {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match self.pressed(state, key) {
            Next::Stay(effects) => Next::Stay(effects.into_iter().chain(self.ask(state)).collect()),
            next => next,
        }
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        self.touched = true;
        if self.here() == Id::Script {
            self.script.insert(text);
        } else if let Some(input) = self.field_mut() {
            text::insert(input, text);
        }
    }

    fn typing(&self) -> bool {
        !matches!(self.here(), Id::Days | Id::Summary)
    }

    fn typed(&self) -> bool {
        self.touched && !self.making
    }

    fn told(&mut self, msg: &Msg) -> bool {
        if let Msg::Data(new) = msg {
            self.refresh(new);
        }
        if let Msg::Answer(Question::Overlap(table, list, today), Ok(Answer::Overlap(overlap))) = msg
            && self.asked == Some((*table, *list, *today))
        {
            self.overlap = Some(overlap.clone());
        }
        let Msg::Created { result, .. } = msg else { return false };
        self.making = false;
        self.error = result.as_ref().err().map(|why| (Id::Summary, why.clone()));
        result.is_ok()
    }

    fn long_text(&self) -> Option<String> {
        Some(self.script.value())
    }

    fn take_text(&mut self, text: String) {
        self.touched = true;
        self.script = Text::new(text.trim_end());
        self.at = Id::ALL.iter().position(|id| *id == Id::Script).unwrap_or(0);
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        self.draw_page(frame, state, area);
    }
}
