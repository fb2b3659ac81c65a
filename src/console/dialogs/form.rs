//! The new-campaign form: one page, later fields greyed, a summary at the end.

use crossterm::event::{KeyCode, KeyEvent};
use tui_input::Input;

use super::{Dialog, edit};
use crate::{
    console::{data::Snapshot, message::Effect, state::State},
    domain::{
        campaign::{ContactSource, Settings},
        id::{AssistantId, SourceId},
        schedule::Days,
        script::{self, Script},
        zone::Zone,
    },
    store::CampaignRow,
};

/// What a finished form says.
#[derive(Debug, Clone, PartialEq)]
pub struct FormValues {
    pub name: String,
    pub assistant: AssistantId,
    pub source: ContactSource,
    pub source_id: SourceId,
    pub prompt: String,
    pub settings: Settings,
}

/// A field: free text, or one of several.
#[derive(Debug)]
pub enum Field {
    Text {
        label: &'static str,
        input: Input,
        hint: &'static str,
    },
    Choice {
        label: &'static str,
        options: Vec<String>,
        at: usize,
    },
    /// The summary, where `c` and `S` decide.
    Summary,
}

#[derive(Debug)]
pub struct Form {
    pub fields: Vec<Field>,
    pub at: usize,
    pub error: Option<String>,
    /// `S` was pressed: `y` dials.
    pub asking: bool,
    assistants: Vec<AssistantId>,
    sources: Vec<(ContactSource, SourceId, i64, i64)>,
}

const DAYS: [(&str, Days); 2] = [("Monday to Friday", Days::WORKDAYS), ("every day", Days::ALL)];

impl Form {
    /// An empty form, or one like a campaign there is.
    pub fn new(data: &Snapshot, zone: Zone, model: Option<&CampaignRow>) -> Self {
        let text = |label, value: &str, hint| Field::Text { label, input: Input::new(value.to_owned()), hint };
        let sources: Vec<_> = data.sources.iter().map(|s| (s.source, s.id, s.contacts, s.do_not_call)).collect();
        let names = data.sources.iter().map(|s| format!("{} ({} contacts)", s.name, s.contacts)).collect();
        let assistants = data.assistants.iter().map(|a| a.name.clone()).collect();
        let mut form = Self {
            fields: vec![
                text("Name", "", "such as Q4 Sales"),
                Field::Choice { label: "Assistant", options: assistants, at: 0 },
                Field::Choice { label: "Contacts", options: names, at: 0 },
                Field::Choice { label: "Days", options: DAYS.iter().map(|(n, _)| (*n).to_owned()).collect(), at: 0 },
                text("Hours", "9-17", "start-end on the clock below; 0-0 sets no limit of its own, legal hours hold"),
                text("Time zone", zone.name(), "Area/City: whose clock hours and cap are on; legal hours are on each contact's own"),
                text("Daily cap", "100", "calls a day"),
                text("At once", "5", "calls ringing or talking"),
                text("Delay", "2000", "milliseconds between two dials"),
                text("Script", "", "{name}, {first_name}, {company}, any column, {field|default}; empty: the assistant's"),
                Field::Summary,
            ],
            at: 0,
            error: None,
            asking: false,
            assistants: data.assistants.iter().map(|a| a.id).collect(),
            sources,
        };
        if let Some(model) = model {
            form.take(model);
        }
        form
    }

    /// The settings of a campaign that this one is to be like; its name is left to be given.
    fn take(&mut self, model: &CampaignRow) {
        let clock = |hour: i64, minute: i64| if minute == 0 { hour.to_string() } else { format!("{hour}:{minute:02}") };
        let hours = format!("{}-{}", clock(model.start_hour, model.start_minute), clock(model.end_hour, model.end_minute));
        let every_day = model.calling_days.0.len() == 7;
        let assistant = self.assistants.iter().position(|a| *a == model.assistant_id);
        let source = self.sources.iter().position(|s| Some(s.1) == model.source_id());
        for field in &mut self.fields {
            match field {
                Field::Choice { label: "Assistant", at, .. } => *at = assistant.unwrap_or(0),
                Field::Choice { label: "Contacts", at, .. } => *at = source.unwrap_or(0),
                Field::Choice { label: "Days", at, .. } => *at = usize::from(every_day),
                Field::Text { label, input, .. } => {
                    let text = match *label {
                        "Hours" => hours.clone(),
                        "Time zone" => model.timezone.clone(),
                        "Daily cap" => model.daily_cap.to_string(),
                        "At once" => model.max_concurrent.to_string(),
                        "Delay" => model.call_delay_ms.to_string(),
                        "Script" => model.campaign_prompt.clone(),
                        _ => continue,
                    };
                    *input = Input::new(text);
                }
                Field::Choice { .. } | Field::Summary => {}
            }
        }
    }

    pub fn input(&mut self) -> Option<&mut Input> {
        match &mut self.fields[self.at] {
            Field::Text { input, .. } => Some(input),
            Field::Choice { .. } | Field::Summary => None,
        }
    }

    fn text(&self, wanted: &str) -> &str {
        self.fields
            .iter()
            .find_map(|f| match f {
                Field::Text { label, input, .. } if *label == wanted => Some(input.value().trim()),
                _ => None,
            })
            .unwrap_or_default()
    }

    fn choice(&self, wanted: &str) -> usize {
        self.fields
            .iter()
            .find_map(|f| match f {
                Field::Choice { label, at, .. } if *label == wanted => Some(*at),
                _ => None,
            })
            .unwrap_or(0)
    }

    /// What the form says, or the first thing that is wrong.
    pub fn values(&self) -> Result<FormValues, String> {
        let number = |label: &str| self.text(label).parse::<i64>().map_err(|_| format!("{label}: \"{}\" is no number", self.text(label)));
        if self.text("Name").is_empty() {
            return Err("Name: a name is needed".to_owned());
        }
        let assistant = *self.assistants.get(self.choice("Assistant")).ok_or("no assistant yet: `dialdeck assistant add NAME`")?;
        let (source, source_id, ..) = *self.sources.get(self.choice("Contacts")).ok_or("no contacts yet: i imports a CSV file")?;
        let mut settings = Settings::defaults(Zone::typed(self.text("Time zone")).map_err(|e| format!("Time zone: {e}"))?);
        let hours = self.text("Hours");
        let (from, to) =
            hours.split_once('-').and_then(|(a, b)| Some((time(a)?, time(b)?))).ok_or_else(|| format!("Hours: write 9-17 or 9:30-17:00, not \"{hours}\""))?;
        (settings.start_hour, settings.start_minute, settings.end_hour, settings.end_minute) = (from.0, from.1, to.0, to.1);
        settings.calling_days = DAYS[self.choice("Days").min(1)].1;
        settings.daily_cap = number("Daily cap")?;
        settings.max_concurrent = number("At once")?;
        settings.call_delay_ms = number("Delay")?;
        if let Some(wrong) = settings.validate().first() {
            return Err(format!("{}: {}", wrong.field, wrong.message));
        }
        if let Some(wrong) = script::complaint("script", self.text("Script")) {
            return Err(format!("{}: {}", wrong.field, wrong.message));
        }
        Ok(FormValues { name: self.text("Name").to_owned(), assistant, source, source_id, prompt: self.text("Script").to_owned(), settings })
    }

    /// The last lines of the page: what would be made.
    pub fn summary(&self) -> Vec<String> {
        match self.values() {
            Err(why) => vec![why],
            Ok(v) => {
                let (_, _, contacts, dnc) = self.sources[self.choice("Contacts")];
                let callable = contacts - dnc;
                let seconds = callable * (v.settings.call_delay_ms.max(1000 * 60 / v.settings.max_concurrent.max(1))) / 1000;
                let window = v.settings.window().map(|w| w.label()).unwrap_or_default();
                let needs = Script::parse(&v.prompt).required();
                let needs = if needs.is_empty() { String::new() } else { format!("; needs {}", needs.join(", ")) };
                vec![
                    format!("{callable} contacts to call, {dnc} on do-not-call; about {} h {:02} min of calling", seconds / 3600, seconds / 60 % 60),
                    format!("{window} {}, {} a day{needs}", v.settings.timezone, v.settings.daily_cap),
                ]
            }
        }
    }

    fn go(&mut self, by: usize) {
        self.at = (self.at + by) % self.fields.len();
        self.error = None;
    }
}

/// `9` or `9:30`.
fn time(text: &str) -> Option<(i64, i64)> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    Some((hour.parse().ok()?, minute.parse().ok()?))
}

pub fn on_key(state: &mut State, mut form: Box<Form>, key: KeyEvent) -> Vec<Effect> {
    let last = form.fields.len() - 1;
    let asked = std::mem::take(&mut form.asking);
    match (key.code, &mut form.fields[form.at]) {
        (KeyCode::Char(c @ ('c' | 'S' | 'y')), Field::Summary) if c != 'y' || asked => match form.values() {
            Ok(_) if c == 'S' => (form.asking, form.error) = (true, None),
            Ok(values) => {
                // Kept until it is made: a refusal must not cost what was typed.
                state.draft = Some(form);
                return vec![Effect::Create { values: Box::new(values), start: c == 'y' }];
            }
            Err(why) => form.error = Some(why),
        },
        (KeyCode::Tab | KeyCode::Enter | KeyCode::Down, _) => form.go(1),
        (KeyCode::BackTab | KeyCode::Up, _) => form.go(last),
        (KeyCode::Left, Field::Choice { at, options, .. }) if !options.is_empty() => *at = (*at + options.len() - 1) % options.len(),
        (KeyCode::Right | KeyCode::Char(' '), Field::Choice { at, options, .. }) if !options.is_empty() => *at = (*at + 1) % options.len(),
        (_, Field::Text { input, .. }) => edit(input, key),
        _ => {}
    }
    state.dialog = Some(Dialog::New(form));
    Vec::new()
}
