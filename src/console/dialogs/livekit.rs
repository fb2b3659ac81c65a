//! LiveKit's host, key and secret: asked for once, tried against the server, written to the configuration file.

use super::{
    fields::{Field, Fields},
    sheet::{Sheet, Wish, Wrong},
};
use crate::{
    config::Secret,
    console::{outside::LiveKitValues, setup::Setup},
};

pub struct LiveKit;

impl LiveKit {
    pub fn sheet() -> Sheet<Self> {
        let fields = Fields::new(vec![
            Field::line("host", "Host", "such as wss://acme.livekit.cloud, or ws://127.0.0.1:7880", ""),
            Field::line("key", "API key", "of the project's settings at LiveKit Cloud, or `keys` of your own server", ""),
            Field::secret("secret", "API secret", "goes with the key; never shown, never logged"),
        ]);
        Sheet::new(Self, fields)
    }
}

impl Wish for LiveKit {
    fn setup(&self, fields: &Fields) -> Result<Setup, Wrong> {
        for name in ["host", "key", "secret"] {
            if fields.value(name).is_empty() {
                return Err((name, format!("the {name} is missing")));
            }
        }
        let host = fields.value("host");
        let host = if host.contains("://") { host } else { format!("wss://{host}") };
        Ok(Setup::LiveKit(LiveKitValues { host, api_key: fields.value("key"), api_secret: Secret::new(fields.value("secret")) }))
    }

    fn is_mine(&self, setup: &Setup) -> bool {
        matches!(setup, Setup::LiveKit(_))
    }

    fn title(&self) -> &'static str {
        "LiveKit"
    }

    fn waits(&self) -> &'static str {
        "asking the server..."
    }

    fn hint(&self) -> Option<&'static str> {
        Some("They are tried first. If the server takes them they are written to the configuration file, which nobody but you can read.")
    }

    fn keys(&self) -> String {
        "Enter next, on the last field tries them   Tab Shift-Tab   Esc back".to_owned()
    }

    fn blames(&self) -> Option<&'static str> {
        Some("host")
    }
}
