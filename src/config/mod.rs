//! Configuration: defaults <- files <- environment <- flags, as one flat table of keys. One
//! `extract` gathers the values with their sources, one `validate` turns them into a [`Config`] and
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
mod recording;
mod scope;
mod secret;
mod show;

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

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

use crate::domain::{
    breaker::Limits as Breaker,
    phone::PhoneNumber,
    retention::Retention,
    role::Role,
    rules::Profile,
    text::clean,
    trunk::{self, Reach},
    zone::Zone,
};

/// A value and where it came from.
#[derive(Debug, Clone)]
pub struct Value {
    pub text: String,
    pub source: String,
}

/// All keys with a value, by their dotted name.
pub type Values = BTreeMap<&'static str, Value>;

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

/// Where values may come from, given by the caller so that tests need no real environment.
#[derive(Debug, Default, Clone)]
pub struct Sources {
    /// Files in order, the later wins; a missing one is skipped unless it was named by hand.
    pub files: Vec<(PathBuf, bool)>,
    /// Environment variables, `.env` included.
    pub environment: BTreeMap<String, String>,
    /// Keys set by flags.
    pub flags: Vec<(&'static str, String)>,
}

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

/// Gathers the values of all layers.
///
/// # Errors
/// Unknown keys, unreadable files and broken TOML, all at once.
pub fn extract(sources: &Sources) -> Result<Values, ConfigError> {
    let mut values: Values = KEYS.iter().filter_map(|(k, default)| Some((*k, Value { text: (*default)?.to_owned(), source: "default".to_owned() }))).collect();
    let mut complaints = Vec::new();
    for (path, named) in &sources.files {
        read_file(path, *named, &mut values, &mut complaints);
    }
    read_environment(&sources.environment, &mut values, &mut complaints);
    for (key, text) in &sources.flags {
        values.insert(key, Value { text: text.clone(), source: "flag".to_owned() });
    }
    if complaints.is_empty() { Ok(values) } else { Err(ConfigError(complaints)) }
}

fn read_file(path: &Path, named: bool, values: &mut Values, complaints: &mut Vec<Complaint>) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !named => return,
        Err(e) => return complaints.push(Complaint { source: path.display().to_string(), message: format!("cannot be read: {e}") }),
    };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(e) => {
            let e: toml::de::Error = e;
            // Not the line itself: its value may be a secret.
            let line = text.as_bytes()[..e.span().map_or(0, |s| s.start.min(text.len()))].split(|b| *b == b'\n').count();
            let message = format!("is no TOML: {}", clean(e.message(), 200));
            return complaints.push(Complaint { source: format!("{}:{line}", path.display()), message });
        }
    };
    let mut flat = Vec::new();
    flatten("", &table, &mut flat);
    for (name, value) in flat {
        let source = format!("{}:{}", path.display(), line_of(&text, &name));
        match known(&name) {
            Some(key) => drop(values.insert(key, Value { text: value, source })),
            None => complaints.push(Complaint { source, message: unknown("key", &name, KEYS.iter().map(|(k, _)| *k)) }),
        }
    }
}

fn flatten(prefix: &str, table: &toml::Table, out: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, out),
            toml::Value::Array(list) => {
                let items: Vec<String> = list.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
                out.push((name, items.join(",")));
            }
            toml::Value::String(s) => out.push((name, s.clone())),
            other => out.push((name, other.to_string())),
        }
    }
}

/// The line a key stands on: inside its section's header, counted from 1.
fn line_of(text: &str, name: &str) -> usize {
    let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
    let mut inside = section.is_empty();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            inside = header.trim() == section;
        } else if inside && line.split('=').next().is_some_and(|k| k.trim().trim_matches('"') == key) {
            return i + 1;
        }
    }
    1
}

fn known(name: &str) -> Option<&'static str> {
    KEYS.iter().map(|(k, _)| *k).find(|k| *k == name)
}

/// Variables of ours that are no keys; the last kills test builds only.
const OURS: &[&str] = if cfg!(debug_assertions) { &["OPERATOR", "LOG", "FAILPOINT"] } else { &["OPERATOR", "LOG"] };

fn read_environment(environment: &BTreeMap<String, String>, values: &mut Values, complaints: &mut Vec<Complaint>) {
    // The spec's own names first, so that a DIALDECK_ variable wins over them.
    for (variable, key) in ENVIRONMENT {
        if let Some(text) = environment.get(*variable).filter(|t| !t.is_empty()) {
            values.insert(key, Value { text: text.clone(), source: (*variable).to_owned() });
        }
    }
    for (variable, text) in environment {
        let Some(rest) = variable.strip_prefix("DIALDECK_").filter(|r| !OURS.contains(r)) else {
            continue;
        };
        let name = rest.to_ascii_lowercase().replacen("__", ".", 1);
        if let Some(key) = known(&name) {
            values.insert(key, Value { text: text.clone(), source: variable.clone() });
        } else {
            let names: Vec<String> = KEYS.iter().map(|(k, _)| format!("DIALDECK_{}", k.to_ascii_uppercase().replacen('.', "__", 1))).collect();
            complaints.push(Complaint { source: variable.clone(), message: unknown("variable", variable, names.iter().map(String::as_str)) });
        }
    }
}

/// "unknown key x; did you mean y?"
fn unknown<'a>(what: &str, name: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let near = candidates.min_by_key(|c| distance(c, name)).unwrap_or_default();
    format!("unknown {what} \"{name}\"; the nearest is \"{near}\"")
}

/// Edit distance: how far a misspelt key is from a right one.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.iter().enumerate() {
            let cost = corner + usize::from(ca != *cb);
            corner = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

/// Reads typed values out of the table and collects what is wrong with them.
struct Reader<'a> {
    values: &'a Values,
    complaints: Vec<Complaint>,
}

impl Reader<'_> {
    fn text(&self, key: &str) -> String {
        self.values.get(key).map(|v| v.text.trim().to_owned()).unwrap_or_default()
    }

    fn complain(&mut self, key: &str, message: impl Into<String>) {
        let source = self.values.get(key).map_or_else(|| key.to_owned(), |v| format!("{} ({key})", v.source));
        self.complaints.push(Complaint { source, message: message.into() });
    }

    fn parse<T: std::str::FromStr>(&mut self, key: &str, fallback: T, wanted: &str) -> T {
        let text = self.text(key);
        text.parse().unwrap_or_else(|_| {
            self.complain(key, format!("\"{text}\" is not {wanted}"));
            fallback
        })
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.text(key).to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            other => {
                let words = format!("\"{other}\" is neither true nor false");
                self.complain(key, words);
                false
            }
        }
    }

    /// A value that still is the spec's placeholder: a word of it begins so, as no name in a path or a host
    /// does by chance ("find-your-home").
    fn placeholder(&mut self, key: &str) {
        let text = self.text(key);
        if matches!(key, "log.file") || text.starts_with("sqlite:") {
            return;
        }
        let word = |w: &str| w.starts_with("your_") || w.starts_with("your-");
        if text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).any(word) {
            let named = if SECRETS.contains(&key) { "its value".to_owned() } else { format!("\"{}\"", shown(key, &text)) };
            self.complain(key, format!("{named} is a placeholder: put the real value in, or remove the line"));
        }
    }

    /// A key of a later release: said, not silently passed over.
    fn later(&mut self, key: &str, allowed: &[&str], words: &str) {
        let text = self.text(key);
        if !allowed.contains(&text.as_str()) {
            self.complain(key, format!("{words}: remove it, or leave it at its default"));
        }
    }
}

/// Keys that are in the design and do nothing yet, what they may hold, and the words for anything else.
const LATER: &[(&str, &[&str], &str)] = &[("console.terms", &[""], "this release has its terms built in: `dialdeck terms show`")];

/// Turns the values into a configuration.
///
/// # Errors
/// Every complaint at once.
pub fn validate(values: &Values) -> Result<Config, ConfigError> {
    let mut r = Reader { values, complaints: Vec::new() };
    for (key, _) in KEYS {
        r.placeholder(key);
    }
    for (key, allowed, words) in LATER {
        r.later(key, allowed, words);
    }
    let list = |text: &str| text.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect::<Vec<_>>();
    let (public_url, public_bases) = access::public(&r);
    let listen = r.parse("listen.addr", SocketAddr::from(([127, 0, 0, 1], 4000)), "an address such as 127.0.0.1:4000");
    let behind_proxy = r.flag("listen.behind_proxy");
    if !listen.ip().is_loopback() && !behind_proxy {
        r.complain("listen.addr", "a public address needs --behind-proxy and a proxy where TLS ends: plain HTTP would carry tokens in the clear");
    }
    for key in ["listen.tls_cert", "listen.tls_key"] {
        if !r.text(key).is_empty() {
            r.complain(key, "this release ends no TLS itself: put a proxy in front and start with --behind-proxy");
        }
    }
    let migrate_url = database::urls(&mut r);
    let (recording, recording_bucket) = recording::read(&mut r);
    let config = Config {
        recording,
        recording_bucket,
        listen,
        limits: r.text("listen.limits").parse().unwrap_or_else(|e: String| {
            r.complain("listen.limits", e);
            Limits::default()
        }),
        public_url,
        public_bases,
        behind_proxy,
        proxies: access::proxies(&mut r, behind_proxy),
        origins: access::origins(&mut r),
        database_url: r.text("database.url"),
        migrate_url: Some(Secret::new(migrate_url)).filter(|u| !u.is_empty()),
        max_round_trip: Duration::from_secs_f64(ranges::number(&mut r, "database.max_round_trip_ms", 0.1, 1000.0) / 1000.0),
        connections: ranges::number(&mut r, "database.connections", 4, 1000),
        livekit: livekit(&mut r),
        agent_name: r.text("livekit.agent_name"),
        twilio_account: r.text("twilio.account_sid"),
        twilio_api: r.text("twilio.api_url"),
        twilio_tokens: list(&r.text("twilio.auth_tokens")).into_iter().map(Secret::new).collect(),
        twilio_number: number(&mut r),
        owner: optional(&mut r, "auth.owner", "a UUID"),
        jwt_secret: access::jwt_secret(&mut r),
        audience: r.text("auth.audience"),
        issuer: r.text("auth.issuer"),
        plain_role: access::role(&mut r, "auth.plain_role"),
        console_role: access::role(&mut r, "auth.console_role"),
        supabase_url: access::supabase_url(&mut r),
        service_role_key: Secret::new(r.text("auth.service_role_key")),
        engine_enabled: r.flag("engine.enabled"),
        timezone: zone(&mut r),
        on_hangup: match one_of(&mut r, "engine.on_hangup", &["drain", "continue", "stop"]).as_str() {
            "continue" => OnHangup::Continue,
            "stop" => OnHangup::Stop,
            _ => OnHangup::Drain,
        },
        drain_timeout: ranges::time(&mut r, "engine.drain_timeout", Duration::ZERO, Duration::from_hours(24)),
        claim_lease: ranges::claim_lease(&mut r),
        lease: ranges::time(&mut r, "engine.lease", Duration::from_secs(1), Duration::from_mins(5)),
        unknown_horizon: ranges::time(&mut r, "engine.unknown_horizon", Duration::from_secs(1), Duration::from_hours(1)),
        agent_wait: ranges::agent_wait(&mut r),
        require_agent: r.flag("engine.require_agent"),
        orphan_sweep: r.flag("engine.orphan_sweep"),
        calls_per_second: ranges::number(&mut r, "trunk.calls_per_second", 0.01, 1000.0),
        trunk_concurrent: ranges::number(&mut r, "trunk.max_concurrent", 1, 10_000),
        trunk_address: trunk_address(&mut r),
        trunk_username: r.text("trunk.username"),
        trunk_password: Secret::new(r.text("trunk.password")),
        profile: match one_of(&mut r, "compliance.profile", &["default", "none", "us"]).as_str() {
            "none" => Profile::None,
            "us" => Profile::Us,
            _ => Profile::Default,
        },
        region: region(&mut r),
        countries: list(&r.text("compliance.countries").to_ascii_uppercase()),
        attempts_per_24h: ranges::number(&mut r, "compliance.attempts_per_24h", 1, 100),
        automated_voice: r.flag("compliance.automated_voice"),
        unlisted_open: one_of(&mut r, "compliance.unlisted_countries", &["closed", "open"]) == "open",
        shared_do_not_call: r.flag("compliance.shared_do_not_call"),
        rest_after_talk: ranges::time(&mut r, "compliance.rest_after_talk", Duration::ZERO, Duration::from_hours(24 * 60)),
        breaker: Breaker {
            enabled: r.flag("breaker.enabled"),
            trunk_failures: ranges::number(&mut r, "breaker.trunk_failures", 0.01, 1.0),
            unknown_in_5_min: ranges::number(&mut r, "breaker.unknown_in_5_min", 1, 1000),
            no_agent: ranges::number(&mut r, "breaker.no_agent", 0.001, 1.0),
        },
        retention: ranges::retention(&mut r),
        theme: r.text("console.theme"),
        tmux_passthrough: r.flag("console.tmux_passthrough"),
        notify: one_of(&mut r, "console.notify", &["none", "bell", "osc9", "osc777"]),
        ages: ages(&mut r),
        mask: mask(&mut r),
        log_level: r.text("log.level"),
        log_file: Some(PathBuf::from(r.text("log.file"))).filter(|p| !p.as_os_str().is_empty()),
        supabase_without_database: !r.text("auth.supabase_url").is_empty() && values.get("database.url").is_none_or(|v| v.source == "default"),
    };
    if r.complaints.is_empty() { Ok(config) } else { Err(ConfigError(r.complaints)) }
}

/// Whether a URL's host is this machine.
#[must_use]
pub fn is_loopback_url(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, r)| r);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let inside = authority.strip_prefix('[').and_then(|a| a.split(']').next());
    let host = inside.unwrap_or_else(|| authority.split(':').next().unwrap_or_default());
    // A name that only begins so, or stands behind a login, is another's.
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
}

fn livekit(r: &mut Reader<'_>) -> Option<LiveKitSection> {
    let host = r.text("livekit.host");
    if host.is_empty() {
        return None;
    }
    if !["ws://", "wss://", "http://", "https://"].iter().any(|s| host.starts_with(s)) {
        let host = shown("livekit.host", &host);
        r.complain("livekit.host", format!("\"{host}\" needs a scheme: wss://{host}"));
    }
    for key in ["livekit.api_key", "livekit.api_secret"] {
        if r.text(key).is_empty() {
            r.complain(key, "is missing: LiveKit's key and secret go with its host");
        }
    }
    Some(LiveKitSection {
        host,
        api_key: r.text("livekit.api_key"),
        api_secret: Secret::new(r.text("livekit.api_secret")),
        agent_name: r.text("livekit.agent_name"),
        sip_uri: r.text("livekit.sip_uri"),
    })
}

fn number(r: &mut Reader<'_>) -> Option<PhoneNumber> {
    let text = r.text("twilio.phone_number");
    if text.is_empty() {
        return None;
    }
    PhoneNumber::own(&text).map_err(|e| r.complain("twilio.phone_number", format!("\"{text}\": {e}"))).ok()
}

fn optional<T: std::str::FromStr>(r: &mut Reader<'_>, key: &str, wanted: &str) -> Option<T> {
    let text = r.text(key);
    if text.is_empty() {
        return None;
    }
    text.parse().map_err(|_| r.complain(key, format!("\"{text}\" is not {wanted}"))).ok()
}

fn zone(r: &mut Reader<'_>) -> Option<Zone> {
    let text = Some(r.text("engine.timezone")).filter(|t| !t.is_empty())?;
    Zone::typed(&text).map_err(|e| r.complain("engine.timezone", e)).ok()
}

/// How much of numbers is hidden.
fn mask(r: &mut Reader<'_>) -> u8 {
    match one_of(r, "console.mask", &["none", "last4", "all"]).as_str() {
        "last4" => 1,
        "all" => 2,
        _ => 0,
    }
}

fn ages(r: &mut Reader<'_>) -> Ages {
    r.text("console.limits").parse().unwrap_or_else(|e: String| {
        r.complain("console.limits", e);
        Ages::default()
    })
}

fn region(r: &mut Reader<'_>) -> Option<String> {
    let code = Some(r.text("compliance.region")).filter(|t| !t.is_empty())?;
    if let Err(e) = crate::domain::phone::region(&code) {
        r.complain("compliance.region", format!("\"{code}\": {e}"));
    }
    Some(code)
}

/// Where the installation's trunk login goes: written by its operator, so any host will do.
fn trunk_address(r: &mut Reader<'_>) -> String {
    let text = r.text("trunk.address");
    if text.is_empty() {
        return text;
    }
    trunk::address(&text, Reach::Anywhere).unwrap_or_else(|why| {
        r.complain("trunk.address", format!("\"{}\" {why}", clean(&shown("trunk.address", &text), 60)));
        String::new()
    })
}

fn one_of(r: &mut Reader<'_>, key: &str, allowed: &[&str]) -> String {
    let text = r.text(key);
    if !allowed.contains(&text.as_str()) {
        r.complain(key, format!("\"{text}\" is none of {}", allowed.join(", ")));
    }
    text
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

    #[test]
    fn files_name_their_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "[engine]\nagent_wait = \"3s\"\n\n[trunk]\ncalls_per_secnd = 2\n").unwrap();
        let sources = Sources { files: vec![(path.clone(), true)], ..Sources::default() };
        let e = extract(&sources).unwrap_err();
        assert!(e.to_string().contains("config.toml:5: unknown key \"trunk.calls_per_secnd\"; the nearest is \"trunk.calls_per_second\""), "{e}");
    }

    #[test]
    fn secrets_are_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
