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
        script,
    },
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
    assistants: Vec<AssistantId>,
    sources: Vec<(ContactSource, SourceId, i64, i64)>,
    zone: chrono_tz::Tz,
}

const DAYS: [(&str, Days); 2] = [("Monday to Friday", Days::WORKDAYS), ("every day", Days::ALL)];

impl Form {
    pub fn new(data: &Snapshot, zone: chrono_tz::Tz) -> Self {
        let text = |label, value: &str, hint| Field::Text { label, input: Input::new(value.to_owned()), hint };
        let sources: Vec<_> = data.sources.iter().map(|s| (s.source, s.id, s.contacts, s.do_not_call)).collect();
        let names = data.sources.iter().map(|s| format!("{} ({} contacts)", s.name, s.contacts)).collect();
        let assistants = data.assistants.iter().map(|a| a.name.clone()).collect();
        Self {
            fields: vec![
                text("Name", "", "such as Q4 Sales"),
                Field::Choice { label: "Assistant", options: assistants, at: 0 },
                Field::Choice { label: "Contacts", options: names, at: 0 },
                Field::Choice { label: "Days", options: DAYS.iter().map(|(n, _)| (*n).to_owned()).collect(), at: 0 },
                text("Hours", "9-17", "start-end; 0-0 sets no limit of its own, legal hours hold"),
                text("Daily cap", "100", "calls a day"),
                text("At once", "5", "calls ringing or talking"),
                text("Delay", "2000", "milliseconds between two dials"),
                text("Script", "", "{name}, {first_name}, {company}, any column, {field|default}; empty: the assistant's"),
                Field::Summary,
            ],
            at: 0,
            error: None,
            assistants: data.assistants.iter().map(|a| a.id).collect(),
            sources,
            zone,
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
        let mut settings = Settings::defaults(self.zone);
        let hours = self.text("Hours");
        let parsed = hours.split_once('-').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
        (settings.start_hour, settings.end_hour) = parsed.ok_or_else(|| format!("Hours: write 9-17, not \"{hours}\""))?;
        settings.calling_days = DAYS[self.choice("Days").min(1)].1;
        settings.daily_cap = number("Daily cap")?;
        settings.max_concurrent = number("At once")?;
        settings.call_delay_ms = number("Delay")?;
        if let Some(wrong) = settings.validate().first() {
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
                let needs = script::required(&v.prompt);
                let needs = if needs.is_empty() { String::new() } else { format!("; needs {}", needs.join(", ")) };
                vec![
                    format!("{callable} contacts to call, {dnc} on do-not-call; about {} h {:02} min of calling", seconds / 3600, seconds / 60 % 60),
                    format!("{window} {}, {} a day{needs}", self.zone.name(), v.settings.daily_cap),
                ]
            }
        }
    }

    fn go(&mut self, by: usize) {
        self.at = (self.at + by) % self.fields.len();
        self.error = None;
    }
}

pub fn on_key(state: &mut State, mut form: Box<Form>, key: KeyEvent) -> Vec<Effect> {
    let last = form.fields.len() - 1;
    match (key.code, &mut form.fields[form.at]) {
        (KeyCode::Char(c @ ('c' | 'S')), Field::Summary) => match form.values() {
            Ok(values) => return vec![Effect::Create { values: Box::new(values), start: c == 'S' }],
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
