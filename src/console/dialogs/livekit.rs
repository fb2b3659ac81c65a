//! LiveKit's host, key and secret: asked for once, tried against the server, written to the configuration file.

use crossterm::event::KeyEvent;
use ratatui::{Frame, layout::Rect};

use super::fields::{Field, Fields, Went};
use crate::{
    config::Secret,
    console::{
        message::{Effect, Msg},
        outside::LiveKitValues,
        place::{Dialog, Next},
        setup::Setup,
        state::State,
        widgets::{Entry, card},
    },
};

pub struct LiveKit {
    fields: Fields,
    waiting: bool,
    error: Option<String>,
}

impl Default for LiveKit {
    fn default() -> Self {
        let fields = Fields::new(vec![
            Field::line("host", "Host", "such as wss://acme.livekit.cloud, or ws://127.0.0.1:7880", ""),
            Field::line("key", "API key", "of the project's settings at LiveKit Cloud, or `keys` of your own server", ""),
            Field::secret("secret", "API secret", "goes with the key; never shown, never logged"),
        ]);
        Self { fields, waiting: false, error: None }
    }
}

impl LiveKit {
    /// What is to be tried, or the first thing that is missing.
    fn values(&self) -> Result<LiveKitValues, (&'static str, &'static str)> {
        let text = |name| self.fields.value(name);
        for (name, words) in [("host", "the host is missing"), ("key", "the key is missing"), ("secret", "the secret is missing")] {
            if text(name).is_empty() {
                return Err((name, words));
            }
        }
        let host = text("host");
        let host = if host.contains("://") { host } else { format!("wss://{host}") };
        Ok(LiveKitValues { host, api_key: text("key"), api_secret: Secret::new(text("secret")) })
    }
}

impl Dialog for LiveKit {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        if self.waiting {
            return Next::stay();
        }
        self.error = None;
        if self.fields.key(key) == Went::Into {
            return Next::stay();
        }
        match self.values() {
            Ok(values) => {
                self.waiting = true;
                Next::Stay(vec![Effect::Setup(Setup::LiveKit(values))])
            }
            Err((field, words)) => {
                self.fields.go_to(field);
                self.error = Some(words.to_owned());
                Next::stay()
            }
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let (masked, labels) = (self.fields.masked(), self.fields.labels());
        let mut entries = self.fields.entries(&masked, &labels);
        entries.push(Entry::Gap);
        match (&self.error, self.waiting) {
            (_, true) => entries.push(Entry::words("asking the server...")),
            (Some(why), _) => entries.push(Entry::Wrong(why.clone())),
            (None, _) => entries.push(Entry::Faint(
                "They are tried first. If the server takes them they are written to the configuration file, which nobody but you can read.".to_owned(),
            )),
        }
        entries.push(Entry::Keys("Enter next, on the last field tries them   Tab Shift-Tab fields   Esc back".to_owned()));
        card(frame, &state.theme, area, "LiveKit", "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        self.fields.paste(text);
    }

    fn typing(&self) -> bool {
        true
    }

    fn typed(&self) -> bool {
        self.fields.touched() && !self.waiting
    }

    fn told(&mut self, msg: &Msg) -> bool {
        let Msg::Setup(Setup::LiveKit(_), result) = msg else { return false };
        self.waiting = false;
        if let Err(fault) = result {
            self.error = Some(fault.words.clone());
            self.fields.go_to(fault.field.unwrap_or("host"));
        }
        result.is_ok()
    }
}
