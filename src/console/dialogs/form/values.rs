//! What the form says: the values of its campaign, and in words what would be made of them.

use super::{
    Form,
    fields::{Id, time},
};
use crate::{
    console::{message::FormValues, rows::count},
    desk::{Overlap, calling_time},
    domain::{
        campaign::Settings,
        script::{self, Script},
        zone::{self, Zone},
    },
};

/// A field that is wrong, and why.
pub type Wrong = (Id, String);

/// The field of a setting that is refused.
fn of_setting(name: &str) -> Id {
    match name {
        "dailyCap" => Id::Cap,
        "maxConcurrent" => Id::AtOnce,
        "callDelayMs" => Id::Delay,
        "callingDays" => Id::Days,
        "timezone" => Id::Zone,
        name if name.starts_with("retry") || name == "maxAttempts" => Id::Attempts,
        _ => Id::Hours,
    }
}

impl Form {
    /// What the form says, or the first thing that is wrong.
    pub(super) fn values(&self) -> Result<FormValues, Wrong> {
        let number = |id: Id| self.text(id).parse::<i64>().map_err(|_| (id, format!("\"{}\" is no number", self.text(id))));
        if self.text(Id::Name).is_empty() {
            return Err((Id::Name, "a name is needed".to_owned()));
        }
        let assistant = *self.assistants.get(self.assistant.at).ok_or_else(|| (Id::Assistant, "no assistant yet: Enter on its field makes one".to_owned()))?;
        let chosen = self.sources.get(self.contacts.at).map(|s| (s.0, s.1));
        let (source, source_id) = self.kept.or(chosen).ok_or_else(|| (Id::Contacts, "no contacts yet: i imports a CSV file".to_owned()))?;
        let zone = Zone::typed(self.text(Id::Zone)).map_err(|e| (Id::Zone, e))?;
        let mut settings = self.settings.clone().unwrap_or_else(|| Settings::defaults(zone));
        settings.timezone = zone;
        let hours = self.text(Id::Hours);
        let (from, to) = hours
            .split_once('-')
            .and_then(|(a, b)| Some((time(a)?, time(b)?)))
            .ok_or_else(|| (Id::Hours, format!("write 9-17 or 9:30-17:00, not \"{hours}\"")))?;
        (settings.start_hour, settings.start_minute, settings.end_hour, settings.end_minute) = (from.0, from.1, to.0, to.1);
        settings.calling_days = self.week.days().map_err(|why| (Id::Days, why))?;
        settings.daily_cap = number(Id::Cap)?;
        settings.max_concurrent = number(Id::AtOnce)?;
        settings.call_delay_ms = number(Id::Delay)?;
        settings.retry.max_attempts = number(Id::Attempts)?;
        if let Some(wrong) = settings.validate().first() {
            return Err((of_setting(wrong.field), wrong.message.clone()));
        }
        let prompt = self.script.value().trim().to_owned();
        if let Some(wrong) = script::complaint("script", &prompt) {
            return Err((Id::Script, wrong.message.clone()));
        }
        let (name, agent_name) = (self.text(Id::Name).to_owned(), self.agent_name.clone());
        Ok(FormValues { campaign: self.editing, name, assistant, source, source_id, prompt, agent_name, settings })
    }

    /// The last lines of the page: what would be made.
    pub(super) fn summary(&self) -> Vec<String> {
        let v = match self.values() {
            // Nobody is scolded before they wrote.
            Err((Id::Name, _)) if !self.touched => return vec!["A name, and here stands what it would call.".to_owned()],
            Err((id, why)) => return vec![format!("{}: {why}", id.label())],
            Ok(v) => v,
        };
        // What the list says of itself, until the rows have said who is on a do-not-call list besides.
        let of_list = || self.sources.get(self.contacts.at).map_or((0, 0), |s| (s.2, s.3));
        let (contacts, dnc) = self.overlap.as_ref().map_or_else(of_list, |o| (o.contacts, o.do_not_call));
        let callable = contacts - dnc;
        let window = v.settings.window().map(|w| w.words()).unwrap_or_default();
        let needs = Script::parse(&v.prompt).required();
        let needs = if needs.is_empty() { String::new() } else { format!("; needs {}", needs.join(", ")) };
        let hours = calling_time(callable, &v.settings);
        let first = if self.editing.is_some() {
            "It holds from the next call on; calls on the line go on.".to_owned()
        } else {
            format!("{} to call, {dnc} on do-not-call; {hours}, longer where the law closes places", count(callable, "contact"))
        };
        let mut lines = vec![first];
        lines.extend(self.overlap.iter().flat_map(Overlap::words));
        lines.push(format!("{window}, {}, {} a day{needs}", zone::label(v.settings.timezone.name()), v.settings.daily_cap));
        lines
    }
}
