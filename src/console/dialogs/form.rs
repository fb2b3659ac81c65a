//! The form of a campaign, new or to be changed: one page, later fields greyed, a summary at the end.

mod fields;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};
use tui_input::Input;

use fields::{Id, NAMES, Week, time};

pub use fields::Choice;

use super::AssistantForm;
use crate::{
    console::{
        message::{Effect, FormValues, Msg},
        place::{Dialog, Next},
        rows::count,
        snapshot::Snapshot,
        state::State,
        text::{self, Text},
        theme::Theme,
        widgets::{bar, field, fit, popup, wrapped},
    },
    domain::{
        campaign::{ContactSource, Settings},
        id::{AssistantId, CampaignId, SourceId},
        script::{self, Script},
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
    /// What the form does not ask for stays as it was.
    settings: Option<Settings>,
    agent_name: Option<String>,
    /// The campaign it changes, and its contacts, which stay.
    editing: Option<CampaignId>,
    kept: Option<(ContactSource, SourceId)>,
    error: Option<String>,
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

    /// What the form says, or the first thing that is wrong.
    fn values(&self) -> Result<FormValues, String> {
        let number = |id: Id| self.text(id).parse::<i64>().map_err(|_| format!("{}: \"{}\" is no number", id.label(), self.text(id)));
        if self.text(Id::Name).is_empty() {
            return Err("Name: a name is needed".to_owned());
        }
        let assistant = *self.assistants.get(self.assistant.at).ok_or("no assistant yet: Enter on its field makes one")?;
        let chosen = self.sources.get(self.contacts.at).map(|s| (s.0, s.1));
        let (source, source_id) = self.kept.or(chosen).ok_or("no contacts yet: i imports a CSV file")?;
        let zone = Zone::typed(self.text(Id::Zone)).map_err(|e| format!("Time zone: {e}"))?;
        let mut settings = self.settings.clone().unwrap_or_else(|| Settings::defaults(zone));
        settings.timezone = zone;
        let hours = self.text(Id::Hours);
        let (from, to) =
            hours.split_once('-').and_then(|(a, b)| Some((time(a)?, time(b)?))).ok_or_else(|| format!("Hours: write 9-17 or 9:30-17:00, not \"{hours}\""))?;
        (settings.start_hour, settings.start_minute, settings.end_hour, settings.end_minute) = (from.0, from.1, to.0, to.1);
        settings.calling_days = self.week.days()?;
        settings.daily_cap = number(Id::Cap)?;
        settings.max_concurrent = number(Id::AtOnce)?;
        settings.call_delay_ms = number(Id::Delay)?;
        settings.retry.max_attempts = number(Id::Attempts)?;
        if let Some(wrong) = settings.validate().first() {
            return Err(format!("{}: {}", wrong.field, wrong.message));
        }
        let prompt = self.script.value().trim().to_owned();
        if let Some(wrong) = script::complaint("script", &prompt) {
            return Err(format!("{}: {}", wrong.field, wrong.message));
        }
        let (name, agent_name) = (self.text(Id::Name).to_owned(), self.agent_name.clone());
        Ok(FormValues { campaign: self.editing, name, assistant, source, source_id, prompt, agent_name, settings })
    }

    /// The last lines of the page: what would be made.
    fn summary(&self) -> Vec<String> {
        let v = match self.values() {
            Err(why) => return vec![why],
            Ok(v) => v,
        };
        let (contacts, dnc) = self.sources.get(self.contacts.at).map_or((0, 0), |s| (s.2, s.3));
        let callable = contacts - dnc;
        let seconds = callable * (v.settings.call_delay_ms.max(1000 * 60 / v.settings.max_concurrent.max(1))) / 1000;
        let window = v.settings.window().map(|w| w.label()).unwrap_or_default();
        let needs = Script::parse(&v.prompt).required();
        let needs = if needs.is_empty() { String::new() } else { format!("; needs {}", needs.join(", ")) };
        let hours = format!("about {} h {:02} min of calling", seconds / 3600, seconds / 60 % 60);
        let first = if self.editing.is_some() {
            "It holds from the next call on; calls on the line go on.".to_owned()
        } else {
            format!("{} to call, {dnc} on do-not-call; {hours}", count(callable, "contact"))
        };
        vec![first, format!("{window} {}, {} a day{needs}", v.settings.timezone, v.settings.daily_cap)]
    }

    fn go(&mut self, by: usize) {
        self.at = (self.at + by) % Id::ALL.len();
        self.error = None;
    }

    /// A key on the summary decides.
    fn decide(&mut self, c: char) -> Next {
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
        match self.values() {
            Ok(_) if c == 'S' => (self.asking, self.error) = (true, None),
            Ok(values) => {
                self.making = true;
                return Next::Stay(vec![Effect::Create { values: Box::new(values), start: c == 'y' }]);
            }
            Err(why) => self.error = Some(why),
        }
        Next::stay()
    }

    fn choose(&mut self, key: KeyEvent) {
        if self.here() == Id::Contacts && self.kept.is_some() {
            self.error = Some("Contacts: a campaign keeps those it was made with".to_owned());
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

impl Dialog for Form {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if self.making {
            return Next::stay();
        }
        if key.code == KeyCode::Enter && self.here() == Id::Assistant && self.assistants.is_empty() {
            let form = std::mem::replace(self, Self::new(&state.data, state.options.zone, None));
            return Next::Instead(Box::new(AssistantForm::new(Some(Box::new(form)))));
        }
        let script = self.here() == Id::Script;
        match (key.code, self.here()) {
            (KeyCode::Char(c), Id::Summary) => return self.decide(c),
            (KeyCode::Char('s'), _) if key.modifiers.contains(KeyModifiers::CONTROL) => return self.decide('c'),
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
        let Msg::Created { result, .. } = msg else { return false };
        self.making = false;
        self.error = result.as_ref().err().cloned();
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
        let title = if self.editing.is_some() { format!("Change \"{}\"", self.name.value()) } else { "New campaign".to_owned() };
        let done = if self.editing.is_some() { "saves" } else { "makes it" };
        let inside = popup(frame, &state.theme, area, 104, 22, &title, &format!("Tab next   Shift-Tab back   Ctrl-s {done}   Esc back"));
        let mut y = inside.y;
        let script = script_rows(self, inside.height);
        for (i, id) in Id::ALL.into_iter().enumerate() {
            let rows = if id == Id::Script { script } else { 1 };
            let place = Rect { x: inside.x, y, width: inside.width, height: rows.min(inside.bottom().saturating_sub(y)) };
            if place.height == 0 {
                return;
            }
            if id == Id::Summary {
                self.draw_summary(frame, &state.theme, Rect { height: inside.bottom().saturating_sub(y), ..place });
            } else {
                self.draw_row(frame, &state.theme, place, id, i);
            }
            y += rows;
        }
    }
}

/// Lines of the script's field: many while it is written.
fn script_rows(form: &Form, height: u16) -> u16 {
    if form.here() == Id::Script { height.saturating_sub(15).clamp(2, 6) } else { 1 }
}

/// Cells before a field.
const LEFT: u16 = 13;

impl Form {
    fn draw_row(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect, id: Id, i: usize) {
        let here = i == self.at;
        // Of a new one what comes later is grey; what is changed is all there.
        let style = theme.style(if i > self.at && self.editing.is_none() { "text_dim" } else { "text" });
        let label = Rect { width: LEFT.min(area.width), height: 1, ..area };
        let words = Span::styled(format!("  {}", id.label()), theme.style(if here { "text" } else { "text_dim" }));
        frame.render_widget(Paragraph::new(words), label);
        let ground = if here { theme.selection(true) } else { Style::default() };
        let (style, faint) = (style.patch(ground), theme.style("text_faint").patch(ground));
        if here {
            bar(frame, theme, Rect { height: 1, ..area });
        }
        let place = Rect { x: area.x + label.width, width: area.width - label.width, ..area };
        if here && id == Id::Script {
            return self.script.draw(frame, theme, place);
        }
        let value = self.value(id, here);
        let makes = id == Id::Assistant && self.assistants.is_empty();
        let hint = if makes { "Enter makes one here" } else { id.hint() };
        let hint = if here { format!("  {hint}") } else { self.unit(id) };
        match self.field(id).filter(|_| here) {
            Some(input) => {
                let needed = u16::try_from(input.value().chars().count() + 2).unwrap_or(u16::MAX);
                let width = needed.min(place.width);
                field(frame, theme, Rect { width, ..place }, "", input, style);
                let rest = Rect { x: place.x + width, width: place.width - width, ..place };
                frame.render_widget(Paragraph::new(Span::styled(fit(&hint, usize::from(rest.width)), faint)), rest);
            }
            None => frame.render_widget(Paragraph::new(Line::from(vec![Span::styled(value, style), Span::styled(hint, faint)])), place),
        }
    }

    /// What a figure counts.
    fn unit(&self, id: Id) -> String {
        match id {
            Id::Cap => "  calls a day".to_owned(),
            Id::AtOnce => "  lines at once".to_owned(),
            Id::Delay => "  ms between two dials".to_owned(),
            Id::Attempts => "  tries each".to_owned(),
            Id::Hours if self.text(id) == "0-0" => "  all day".to_owned(),
            _ => String::new(),
        }
    }

    fn value(&self, id: Id, here: bool) -> String {
        match id {
            Id::Assistant => self.assistant.shown(here),
            Id::Contacts => self.contacts.shown(here),
            Id::Days => self.week.shown(here),
            Id::Script => self.script.value().replace('\n', " "),
            _ => self.field(id).map_or_else(String::new, |input| input.value().to_owned()),
        }
    }

    fn draw_summary(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect) {
        let here = self.here() == Id::Summary;
        let width = usize::from(area.width.saturating_sub(3));
        let mut lines = vec![Line::default()];
        let mut put = |text: &str, role: &str| {
            lines.extend(wrapped(text, width).into_iter().map(|l| Line::from(Span::styled(format!("  {l}"), theme.style(role)))));
        };
        for text in self.summary() {
            put(&text, "text_dim");
        }
        let keys = match (here, self.asking, self.editing.is_some()) {
            (false, ..) => "",
            (true, true, _) => "Create it and begin to dial? y yes   any other key: no",
            (true, false, true) => "c keeps the changes",
            (true, false, false) => "c creates it idle   S creates and starts it",
        };
        let making = if self.making { "being written..." } else { keys };
        put(&if here { format!("▌ {making}") } else { String::new() }, "key");
        if let Some(error) = &self.error {
            put(error, "error");
        }
        frame.render_widget(Paragraph::new(lines), area);
    }
}
