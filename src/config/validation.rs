//! The table of texts turned into a [`Config`]: what each key may hold, and the way out where it holds something else.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    Ages, Config, ConfigError, KEYS, Limits, LiveKitSection, OnHangup, Secret, Values, access, database, ranges,
    reader::{Reader, one_of, optional},
    recording,
    show::shown,
};
use crate::domain::{
    breaker::Limits as Breaker,
    phone::PhoneNumber,
    rules::Profile,
    text::clean,
    trunk::{self, Reach},
    zone::Zone,
};

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
    let (listen, behind_proxy) = listener(&mut r);
    let migrate_url = database::urls(&mut r);
    let (recording, recording_bucket) = recording::read(&mut r);
    let config = Config {
        recording,
        recording_bucket,
        listen,
        limits: limits(&mut r),
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
        on_hangup: on_hangup(&mut r),
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
        profile: profile(&mut r),
        region: region(&mut r),
        countries: list(&r.text("compliance.countries").to_ascii_uppercase()),
        attempts_per_24h: ranges::number(&mut r, "compliance.attempts_per_24h", 1, 100),
        automated_voice: r.flag("compliance.automated_voice"),
        unlisted_open: one_of(&mut r, "compliance.unlisted_countries", &["closed", "open"]) == "open",
        shared_do_not_call: r.flag("compliance.shared_do_not_call"),
        rest_after_talk: ranges::time(&mut r, "compliance.rest_after_talk", Duration::ZERO, Duration::from_hours(24 * 60)),
        breaker: breaker(&mut r),
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

/// Where the listener is, and whether a proxy stands before it.
fn listener(r: &mut Reader<'_>) -> (SocketAddr, bool) {
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
    (listen, behind_proxy)
}

fn limits(r: &mut Reader<'_>) -> Limits {
    r.text("listen.limits").parse().unwrap_or_else(|e: String| {
        r.complain("listen.limits", e);
        Limits::default()
    })
}

fn on_hangup(r: &mut Reader<'_>) -> OnHangup {
    match one_of(r, "engine.on_hangup", &["drain", "continue", "stop"]).as_str() {
        "continue" => OnHangup::Continue,
        "stop" => OnHangup::Stop,
        _ => OnHangup::Drain,
    }
}

fn profile(r: &mut Reader<'_>) -> Profile {
    match one_of(r, "compliance.profile", &["default", "none", "us"]).as_str() {
        "none" => Profile::None,
        "us" => Profile::Us,
        _ => Profile::Default,
    }
}

fn breaker(r: &mut Reader<'_>) -> Breaker {
    Breaker {
        enabled: r.flag("breaker.enabled"),
        trunk_failures: ranges::number(r, "breaker.trunk_failures", 0.01, 1.0),
        unknown_in_5_min: ranges::number(r, "breaker.unknown_in_5_min", 1, 1000),
        no_agent: ranges::number(r, "breaker.no_agent", 0.001, 1.0),
    }
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
