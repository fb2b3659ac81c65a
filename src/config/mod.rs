//! Configuration: defaults <- files <- environment <- flags, as one flat table of keys. One
//! [`extract`] gathers the values with their sources, one [`validate`] turns them into a [`Config`] and
//! returns every complaint at once.

mod access;
mod ages;
mod database;
mod dotenv;
mod keep;
mod keys;
mod limits;
mod proxies;
mod ranges;
mod reader;
mod recording;
mod scope;
mod secret;
mod show;
mod sources;
mod validation;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

pub use access::is_loopback_url;
pub use ages::Ages;
pub use database::is_postgres;
pub use dotenv::parse as parse_dotenv;
pub use keep::keep_livekit;
pub use keys::{ENVIRONMENT, KEYS, SECRETS};
pub use limits::Limits;
pub use proxies::Proxies;
pub use recording::{RecordingBucket, RecordingSource};
pub use scope::{Scope, scope_of};
pub use secret::Secret;
pub use show::shown;
pub use sources::{Sources, Value, Values, extract};
pub use validation::validate;

use crate::domain::{breaker::Limits as Breaker, phone::PhoneNumber, retention::Retention, role::Role, rules::Profile, zone::Zone};

/// One thing wrong, with its place and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    pub source: String,
    pub message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}

/// Every complaint at once.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong:\n{}", .0.iter().map(|c| format!("  {c}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<Complaint>);

/// What LiveKit we talk to.
#[derive(Debug, Clone)]
pub struct LiveKitSection {
    pub host: String,
    pub api_key: String,
    pub api_secret: Secret,
    pub agent_name: String,
    pub sip_uri: String,
}

/// What the terminal ending means for the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnHangup {
    Drain,
    Continue,
    Stop,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub recording: RecordingSource,
    pub recording_bucket: RecordingBucket,
    pub listen: SocketAddr,
    pub limits: Limits,
    pub public_url: Option<String>,
    /// Every public base Twilio may have been given.
    pub public_bases: Vec<String>,
    pub behind_proxy: bool,
    /// Whose word about the client is taken; nobody's, where no proxy is.
    pub proxies: Proxies,
    /// Origins whose pages a browser lets ask us.
    pub origins: Vec<String>,
    pub database_url: String,
    /// The login that may change the schema of a PostgreSQL server, where it is not that of `database_url`.
    pub migrate_url: Option<Secret>,
    /// How far a server may be, there and back, for this host to dial while others write too.
    pub max_round_trip: Duration,
    /// Connections of one process to a server, at most.
    pub connections: u32,
    /// `None` when no host is configured.
    pub livekit: Option<LiveKitSection>,
    pub agent_name: String,
    pub twilio_account: String,
    pub twilio_api: String,
    pub twilio_tokens: Vec<Secret>,
    pub twilio_number: Option<PhoneNumber>,
    pub owner: Option<uuid::Uuid>,
    pub jwt_secret: Secret,
    pub audience: String,
    pub issuer: String,
    pub plain_role: Role,
    /// What console and command line may do.
    pub console_role: Role,
    /// An identity provider whose tokens are taken as well.
    pub supabase_url: Option<String>,
    pub service_role_key: Secret,
    pub engine_enabled: bool,
    pub timezone: Option<Zone>,
    pub on_hangup: OnHangup,
    pub drain_timeout: Duration,
    pub claim_lease: Duration,
    /// Where hosts share a database: an engine that was silent for so long is replaced.
    pub lease: Duration,
    pub unknown_horizon: Duration,
    pub agent_wait: Duration,
    pub require_agent: bool,
    pub orphan_sweep: bool,
    pub calls_per_second: f64,
    pub trunk_concurrent: i64,
    pub trunk_address: String,
    pub trunk_username: String,
    pub trunk_password: Secret,
    pub profile: Profile,
    pub region: Option<String>,
    pub countries: Vec<String>,
    pub attempts_per_24h: i64,
    pub automated_voice: bool,
    /// Countries that are not in the table of laws are open on working days, 9 to 20.
    pub unlisted_open: bool,
    pub rest_after_talk: Duration,
    /// All owners of the installation have one do-not-call list.
    pub shared_do_not_call: bool,
    pub breaker: Breaker,
    pub retention: Retention,
    pub theme: String,
    /// How alerts leave the screen: `none`, `bell`, `osc9`, `osc777`.
    pub notify: String,
    /// Notifications pass through tmux, which must allow it too.
    pub tmux_passthrough: bool,
    /// How much of numbers the console shows at first: all, the last four digits, nothing.
    pub mask: u8,
    /// From when on rows of the board are late.
    pub ages: Ages,
    pub log_level: String,
    pub log_file: Option<PathBuf>,
    /// Said in the header: a Supabase URL without a database URL.
    pub supabase_without_database: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_env(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        validate(&extract(&Sources { environment, ..Sources::default() })?)
    }

    #[test]
    fn the_defaults_hold() {
        let c = from_env(&[]).unwrap();
        assert_eq!(c.listen.to_string(), "127.0.0.1:4000");
        assert_eq!(c.unknown_horizon, Duration::from_secs(185));
        assert!(c.livekit.is_none() && c.engine_enabled && c.require_agent);
    }

    #[test]
    fn the_specs_variables_work_as_they_are() {
        let c = from_env(&[
            ("LIVEKIT_HOST", "wss://x.livekit.cloud"),
            ("LIVEKIT_API_KEY", "k"),
            ("LIVEKIT_API_SECRET", "s"),
            ("TWILIO_PHONE_NUMBER", "+1234567890"),
            ("TWILIO_AUTH_TOKEN", "0123456789"),
            ("BACKEND_URL", "http://localhost:4000"),
            ("NGROK_URL", "https://x.ngrok.io"),
            ("ENABLE_CAMPAIGN_ENGINE", "false"),
        ])
        .unwrap();
        assert_eq!(c.public_url.as_deref(), Some("https://x.ngrok.io"));
        assert_eq!(c.twilio_tokens[0].reveal(), "0123456789");
        assert!(!c.engine_enabled);
        assert_eq!(c.livekit.unwrap().host, "wss://x.livekit.cloud");
    }

    #[test]
    fn every_complaint_at_once_with_the_way_out() {
        let e =
            from_env(&[("LIVEKIT_HOST", "x.livekit.cloud"), ("LIVEKIT_API_KEY", "your_livekit_api_key"), ("DIALDECK_ENGINE__AGENT_WAIT", "soon")]).unwrap_err();
        let text = e.to_string();
        for part in ["wss://x.livekit.cloud", "placeholder", "is missing", "write 20, 20s, 5m or 1h"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let e = from_env(&[("DIALDECK_ENGIN__ENABLED", "true")]).unwrap_err();
        assert!(e.to_string().contains("the nearest is \"DIALDECK_ENGINE__ENABLED\""), "{e}");
    }
}
